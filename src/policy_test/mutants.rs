//! Mutation testing: policies that differ from the one tested in one place, which some
//! step ought to notice.

use std::fmt;

use serde::Serialize;

use super::witness::{Compared, subject};
use super::{Mutation, Principal, Question, RunError, Step, TestDocument, mutation};
use crate::diff::{Diff, Group};
use crate::document::{Bound, Document, Map, PermissionNode, UserEntry};
use crate::engine::Engine;
use crate::names::{HashSet, IndexSet};
use crate::policy::{PermissionForm, Policy};

/// The mutants of a policy: policies that differ from it by an edit in one place, each
/// with its [`Fate`] in the tests.
///
/// Dropped or replaced, one at a time, are statements, bounds and the texts and limits in
/// them, levels and values of settings; of the catalogue, what permissions require and
/// imply, their features and checks, and the conditions of scopes; of roles, what they
/// include; of users, what they have, and the terms of their assignments; the parents of
/// groups, and the licence. (Governance is left alone.) A mutant that would not be a valid
/// policy is passed over.
///
/// It is an iterator, which makes a mutant when asked for the next, on the calling thread.
/// Mutants come in the order of the document. Each costs about as much as compiling the
/// policy and running the steps up to the first that fails, so `take(n)` bounds the time;
/// `size_hint` has the number of edits left to try.
///
/// A mutant that no step notices is compared with the policy. If no answer differs, as
/// [`Engine::diff`] proves, it is no mutant: [`Fate::Equivalent`]. Compared are the policy's
/// users, and some whom it might have: for each profile, role and approval group that
/// nobody has, one who has only that, and one who is allowed everything besides; one who
/// is allowed everything, one without any bound, and one without each permission that
/// others require or imply. A step asks for these as a subject.
///
/// ```
/// use grantree::policy_test::{Fate, Mutants, TestDocument};
/// use grantree::{Document, Policy};
///
/// let policy = r#"{
///     "format": 1,
///     "catalogue": {
///         "objects": {"order": {"attributes": {"amount": "at_most"}}},
///         "permissions": [{"key": "approve", "object": "order", "checks": ["amount"]}]},
///     "roles": {"buyer": {"allow": ["approve"], "bounds": {"order.amount": 5000}}}
/// }"#;
/// let policy = Policy::try_from(serde_json::from_str::<Document>(policy)?)?;
/// let steps = r#"{"steps": [
///     {"can": {"subject": {"name": "ann", "roles": ["buyer"]}, "action": "approve",
///              "object": {"kind": "order", "attributes": {"amount": 4000}}}, "expect": true},
///     {"can": {"subject": {"name": "ann", "roles": ["buyer"]}, "action": "approve",
///              "object": {"kind": "order", "attributes": {"amount": 9000}}}, "expect": false}
/// ]}"#;
/// let documents: Vec<TestDocument> = vec![serde_json::from_str(steps)?];
///
/// // The steps don't hold the policy to the very limit.
/// let survivors = Mutants::new(&policy, &documents)?.filter_map(|mutant| match mutant.fate {
///     Fate::Survived(survivor) => Some((mutant.mutation.edit, survivor.step?)),
///     _ => None,
/// });
/// let survivors: Vec<_> = survivors.collect();
/// let edits: Vec<&str> = survivors.iter().map(|(edit, _)| &**edit).collect();
/// assert_eq!(edits, ["`5001` instead of `5000`", "`4999` instead of `5000`"]);
///
/// // With the steps that would have noticed, there are none.
/// let more = TestDocument { policy: None, steps: survivors.into_iter().map(|it| it.1).collect() };
/// let mut mutants = Mutants::new(&policy, documents.iter().chain([&more]))?;
/// assert!(mutants.all(|mutant| !matches!(mutant.fate, Fate::Survived(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mutants<'d> {
    policy: Policy,
    document: Document,
    tests: Vec<&'d TestDocument>,
    /// Users whom the policy might have.
    supposed: Map<UserEntry>,
    /// The policy with these among its users.
    extended: Engine,
    /// The steps that killed lately, the last one at the end.
    killers: Vec<(usize, usize)>,
    next: usize,
    count: usize,
}

/// The most steps to ask before all others.
const MOST_KILLERS: usize = 32;

/// A mutant of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Mutant {
    /// The edit that makes it.
    pub mutation: Mutation,
    /// The result of running the tests on it.
    pub fate: Fate,
}

/// The result of running tests on a mutant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// A step fails, of which this is one.
    Killed {
        /// The number of its document, from 0.
        document: usize,
        /// Its number in that, from 0.
        step: usize,
    },
    /// No step fails, and none could: it answers every question as the policy does.
    Equivalent,
    /// No step fails, although some answers differ.
    Survived(Box<Survivor>),
}

/// The answers of a mutant that no step asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Survivor {
    /// The users who gain or lose something, and what.
    pub diff: Diff,
    /// A step that the policy passes and the mutant fails. `None` where none was found
    /// among some thousands of questions.
    pub step: Option<Step>,
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mutation.fmt(f)?;
        match &self.fate {
            Fate::Killed { document, step } => {
                writeln!(f, ": killed by step {step} of document {document}")
            }
            Fate::Equivalent => writeln!(f, ": changes no answer"),
            Fate::Survived(survivor) => {
                writeln!(f)?;
                for line in survivor.diff.to_string().lines() {
                    writeln!(f, "  {line}")?;
                }
                match &survivor.step {
                    Some(Step { question, expect }) => {
                        writeln!(
                            f,
                            "  no step fails; this one would: {question}: expected {expect}"
                        )
                    }
                    None => writeln!(f, "  no step fails"),
                }
            }
        }
    }
}

impl<'d> Mutants<'d> {
    /// Returns the mutants of a policy, to be tested by the steps of some documents.
    /// (Policies in the documents are left aside.)
    ///
    /// # Errors
    ///
    /// If a step fails on the policy itself.
    pub fn new(
        policy: &Policy,
        documents: impl IntoIterator<Item = &'d TestDocument>,
    ) -> Result<Mutants<'d>, RunError> {
        let engine = Engine::new(policy);
        let tests: Vec<&TestDocument> = documents.into_iter().collect();
        if let Some((step, failing)) = tests.iter().find_map(|test| test.first_failure(&engine)) {
            return Err(RunError::Fails { step, question: Box::new(failing.question.clone()) });
        }
        let document = Document::from(policy);
        let supposed = supposed(policy, &document);
        let extended = Engine::new(&policy.revise(with(document.clone(), &supposed))?.policy);
        let count = mutation::count(&document);
        Ok(Mutants {
            policy: policy.clone(),
            document,
            tests,
            supposed,
            extended,
            killers: Vec::new(),
            next: 0,
            count,
        })
    }

    fn supposes(&self, user: &str) -> bool {
        self.supposed.get(user).is_some()
    }

    /// Returns a step that fails, if any does.
    ///
    /// Mutants of one source fall to the same few steps, so those that killed lately are
    /// asked first, as far as they do not depend on changes before them.
    fn killer(&mut self, engine: &Engine) -> Option<(usize, usize)> {
        let fails = |&(document, step): &(usize, usize)| {
            let step = self.tests.get(document).and_then(|test| test.steps.get(step));
            step.is_some_and(|step| !step.passes(engine))
        };
        if let Some(at) = self.killers.iter().rposition(fails) {
            let killer = self.killers.remove(at);
            self.killers.push(killer);
            return Some(killer);
        }
        let mut tests = self.tests.iter().enumerate();
        let killer = tests.find_map(|(at, test)| Some((at, test.first_failure(engine)?.0)))?;
        let (document, step) = killer;
        let before = self.tests.get(document).and_then(|test| test.steps.get(..=step));
        let mut before = before.unwrap_or_default().iter();
        if !before.any(|step| matches!(step.question, Question::Change { .. })) {
            if self.killers.len() >= MOST_KILLERS {
                self.killers.remove(0);
            }
            self.killers.push(killer);
        }
        Some(killer)
    }

    fn fate(&mut self, mutant: &Policy) -> Fate {
        let engine = Engine::new(mutant);
        if let Some((document, step)) = self.killer(&engine) {
            return Fate::Killed { document, step };
        }
        let extended = with(Document::from(mutant), &self.supposed);
        let Ok(extended) = self.policy.revise(extended) else {
            return Fate::Equivalent;
        };
        let extended = Engine::new(&extended.policy);
        let diff = self.extended.diff(&extended);
        if diff.is_empty() {
            return Fate::Equivalent;
        }
        let compared = Compared::new(&self.extended, &extended);
        let principal = |name: &str| match self.supposed.get(name) {
            Some(entry) => subject(name, entry),
            None => Principal::from(name),
        };
        let (others, users): (Vec<&Group>, Vec<&Group>) = diff
            .groups
            .iter()
            .partition(|it| it.users.names().next().is_none_or(|name| self.supposes(name)));
        let groups = users.iter().chain(&others);
        let step = groups.copied().find_map(|group| compared.step(group, principal));
        let step = step.or_else(|| diff.names.iter().find_map(|it| compared.step_of_name(it)));
        Fate::Survived(Box::new(Survivor { diff, step }))
    }
}

impl Iterator for Mutants<'_> {
    type Item = Mutant;

    fn next(&mut self) -> Option<Mutant> {
        while self.next < self.count {
            let mutant = mutation::mutate(&self.document, self.next);
            self.next = self.next.saturating_add(1);
            let (mutation, document) = mutant?;
            if let Ok(revised) = self.policy.revise(document) {
                return Some(Mutant { mutation, fate: self.fate(&revised.policy) });
            }
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.count.saturating_sub(self.next)))
    }
}

/// Returns a document with more users.
fn with(mut document: Document, users: &Map<UserEntry>) -> Document {
    document.users.extend(users.iter().map(|(name, user)| (name, user.clone())));
    document
}

/// Returns users whom a document does not have, but might have; none where there is nothing to
/// grant, so that nobody's answers differ.
fn supposed(policy: &Policy, document: &Document) -> Map<UserEntry> {
    let mut users = Map::default();
    if policy.permissions().all(|it| it.form() == PermissionForm::Heading) {
        return users;
    }
    let held = held(document);
    let mut suppose = |kind: &str, name: &str, entry: UserEntry| {
        if !held.contains(&(kind, name)) {
            let mut more = entry.clone();
            more.statements.allow = vec!["**".to_owned()];
            users.push(format!("holder of {kind} {name}"), entry);
            users.push(format!("holder of {kind} {name} and of everything"), more);
        }
    };
    for (name, _) in document.profiles.iter() {
        let entry = UserEntry { profile: Some(name.to_owned()), ..UserEntry::default() };
        suppose("profile", name, entry);
    }
    for (name, _) in document.roles.iter() {
        let entry = UserEntry { roles: vec![name.to_owned()], ..UserEntry::default() };
        suppose("role", name, entry);
    }
    for (name, _) in document.approval_groups.iter() {
        let approval_groups = vec![name.to_owned()];
        suppose("approval group", name, UserEntry { approval_groups, ..UserEntry::default() });
    }
    let mut everything = UserEntry::default();
    everything.statements.allow = vec!["**".to_owned()];
    users.push("holder of everything", everything.clone());
    for (kind, declared) in document.catalogue.objects.iter() {
        let attributes = declared.attributes.iter().map(|(name, _)| format!("{kind}.{name}"));
        everything.statements.bounds.extend(attributes.map(|it| (it, Bound::Any)));
    }
    users.push("holder of everything on everything", everything.clone());
    let (required, implied) = needed(&document.catalogue.permissions);
    for path in required {
        let mut entry = everything.clone();
        entry.statements.deny = vec![path.to_owned()];
        users.push(format!("holder of everything but {path}"), entry);
    }
    for path in implied {
        let mut entry = everything.clone();
        entry.statements.except = vec![path.to_owned()];
        users.push(format!("holder of everything stated but {path}"), entry);
    }
    users
}

/// Returns the kinds and names of the sources that users have who may do anything.
fn held(document: &Document) -> HashSet<(&str, &str)> {
    let mut held: HashSet<(&str, &str)> = HashSet::default();
    for (_, user) in document.users.iter().filter(|(_, user)| !user.admin && !user.suspended) {
        held.extend(user.profile.iter().map(|name| ("profile", &**name)));
        let assignments = user.assignments.iter().map(|(_, it)| (&it.roles, &it.approval_groups));
        for (roles, groups) in assignments.chain([(&user.roles, &user.approval_groups)]) {
            held.extend(groups.iter().map(|name| ("approval group", &**name)));
            let mut open: Vec<&str> = roles.iter().map(|name| &**name).collect();
            while let Some(role) = open.pop() {
                if held.insert(("role", role)) {
                    let included = document.roles.get(role).into_iter();
                    open.extend(included.flat_map(|role| &role.includes).map(|name| &**name));
                }
            }
        }
    }
    held
}

/// Returns the paths of the permissions that others require, and of those that others
/// imply.
fn needed(nodes: &[PermissionNode]) -> (IndexSet<&str>, IndexSet<&str>) {
    fn path(name: &str) -> &str {
        name.split(':').next().unwrap_or_default()
    }

    let (mut required, mut implied) = (IndexSet::default(), IndexSet::default());
    let mut open: Vec<&PermissionNode> = nodes.iter().rev().collect();
    while let Some(node) = open.pop() {
        let scopes = &node.scopes;
        let requires = scopes.iter().flat_map(|it| &it.requires).chain(&node.requires);
        required.extend(requires.map(|name| path(name)));
        let implies = scopes.iter().flat_map(|it| &it.implies).chain(&node.implies);
        implied.extend(implies.map(|name| path(name)));
        open.extend(node.children.iter().rev());
    }
    (required, implied)
}

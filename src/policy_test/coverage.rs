//! The parts of a policy that steps exercise.

use std::fmt;

use serde::Serialize;

use super::question::day;
use super::{Given, Principal, Question, TestDocument};
use crate::date::Moment;
use crate::document::{Document, PermissionNode, Statements, UserEntry};
use crate::engine::{Engine, OwnedAsker, Permission};
use crate::explain::PermissionTrace;
use crate::names::{HashSet, IndexMap};
use crate::object::{DynamicObject, Target};
use crate::policy::Policy;
use crate::problem::{Line, Place};

/// The statements, scopes and remedies of a policy that steps exercise, and those that
/// they leave out.
///
/// It is quicker than [`Mutants`](super::Mutants), and says less: a statement may decide
/// an answer that would be the same without it. What only mutants show are edits of what
/// is exercised.
///
/// Steps count up to the first change that is applied. Every permission of `effective`
/// counts as asked for, every user of `who_can` and `never`, and every object of `filter`.
///
/// ```
/// use grantree::policy_test::TestDocument;
///
/// let text = r#"{
///     "policy": {
///         "format": 1,
///         "catalogue": {"permissions": [{"key": "orders"}, {"key": "stock"}]},
///         "roles": {"clerk": {"allow": ["orders"]}, "trainee": {"deny": ["orders", "stock"]}},
///         "users": {"ann": {"roles": ["clerk"]}, "bob": {"roles": ["clerk", "trainee"]}}
///     },
///     "steps": [
///         {"can": {"user": "ann", "action": "orders"}, "expect": true},
///         {"can": {"user": "bob", "action": "orders"}, "expect": false}
///     ]
/// }"#;
/// let document: TestDocument = serde_json::from_str(text)?;
/// let coverage = document.coverage(None)?;
/// assert_eq!(coverage.statements.missed, ["roles.trainee.deny[1]"]);
/// assert_eq!(coverage.remedies.exercised, ["orders"]);
/// assert_eq!(coverage.to_string(), "\
/// statements: 2 of 3
///   missed `roles.trainee.deny[1]`
/// scopes: 0 of 0
/// remedies: 1 of 1
/// ");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Coverage {
    /// The statements about permissions and the bounds, by their places: exercised are
    /// those that decide an answer.
    pub statements: Covered,
    /// The scopes: exercised are those that let an object through.
    pub scopes: Covered,
    /// The permissions that some step finds denied, if they are licensed: exercised are those
    /// of which another step shows a remedy, as somebody is allowed them.
    pub remedies: Covered,
}

/// Parts of a policy that steps exercise, and parts that they do not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Covered {
    /// The ones that steps exercise.
    pub exercised: Vec<String>,
    /// The others.
    pub missed: Vec<String>,
}

impl Covered {
    fn of(parts: impl IntoIterator<Item = String>, met: &HashSet<String>) -> Covered {
        let (exercised, missed) = parts.into_iter().partition(|part| met.contains(part));
        Covered { exercised, missed }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Coverage { statements, scopes, remedies } = self;
        let parts = [("statements", statements), ("scopes", scopes), ("remedies", remedies)];
        for (name, Covered { exercised, missed }) in parts {
            let all = exercised.len().saturating_add(missed.len());
            writeln!(f, "{name}: {} of {all}", exercised.len())?;
            for part in missed {
                writeln!(f, "  missed `{}`", Line(part))?;
            }
        }
        Ok(())
    }
}

impl Coverage {
    /// Returns the parts of a policy that the steps of some documents exercise. (Policies in
    /// the documents are left aside.)
    pub fn new<'d>(
        policy: &Policy,
        documents: impl IntoIterator<Item = &'d TestDocument>,
    ) -> Coverage {
        let mut met = Met::default();
        let engine = Engine::new(policy);
        for document in documents {
            for step in &document.steps {
                if let Question::Change { actor, today, change } = &step.question {
                    let today = day(today).ok().flatten();
                    let changed = &mut engine.clone();
                    let (actor, change) = (actor.as_deref(), change.as_deref());
                    if super::question::apply(changed, actor, today, change).is_ok() {
                        break;
                    }
                }
                met.step(&engine, &step.question);
            }
        }
        let document = Document::from(policy);
        let answers = met.answers.into_iter();
        let (allowed, denied): (Vec<_>, Vec<_>) = answers.partition(|((_, yes), ())| *yes);
        let allowed = allowed.into_iter().map(|((path, _), ())| path).collect();
        // Without a licence nobody is allowed them, so there is no remedy to show.
        let is_licensed = |path: &String| {
            let bit = policy.inner().catalogue.threshold(path);
            bit.is_ok_and(|bit| engine.licensed().contains(bit))
        };
        let denied = denied.into_iter().map(|((path, _), ())| path).filter(is_licensed);
        Coverage {
            statements: Covered::of(statements(&document), &met.statements),
            scopes: Covered::of(scopes(&document), &met.scopes),
            remedies: Covered::of(denied, &allowed),
        }
    }
}

/// The parts of a policy that steps met.
#[derive(Default)]
struct Met {
    statements: HashSet<String>,
    scopes: HashSet<String>,
    /// Permissions, each with an answer, in the order of the steps.
    answers: IndexMap<(String, bool), ()>,
}

impl Met {
    fn step(&mut self, engine: &Engine, question: &Question) {
        match question {
            Question::Can { user, within, action, object: on, today }
            | Question::Why { user, within, action, object: on, today }
            | Question::Level { user, within, permission: action, object: on, today } => {
                let asker = user.asker(engine, within);
                self.asked(
                    engine,
                    asker.ok(),
                    action,
                    on.as_slice(),
                    day(today).ok().flatten(),
                    false,
                );
            }
            Question::CanSome { user, within, action } => {
                let asker = user.asker(engine, within);
                self.asked(engine, asker.ok(), action, &[], None, false);
            }
            Question::Filter { user, within, action, objects, today } => {
                let asker = user.asker(engine, within);
                let today = day(today).ok().flatten();
                self.asked(engine, asker.ok(), action, objects, today, false);
            }
            Question::Effective { user, within, .. } => {
                let Ok(asker) = user.asker(engine, within) else { return };
                for path in engine.policy().inner().catalogue.thresholds() {
                    self.asked(engine, Some(asker.clone()), &path, &[], None, true);
                }
            }
            Question::WhoCan { action, object: on, today }
            | Question::Never { action, object: on, today, .. } => {
                let today = day(today).ok().flatten();
                for (_, name, _) in engine.policy().inner().users.iter() {
                    let asker = Principal::from(name).asker(engine, &Given::Absent);
                    self.asked(engine, asker.ok(), action, on.as_slice(), today, true);
                }
            }
            Question::Setting { .. }
            | Question::NoNewAccess { .. }
            | Question::Validate(_)
            | Question::Change { .. } => {}
        }
    }

    fn asked(
        &mut self,
        engine: &Engine,
        asker: Option<OwnedAsker>,
        action: &str,
        objects: &[DynamicObject],
        today: Option<Moment>,
        listed: bool,
    ) {
        let (Some(asker), Ok(permission)) = (asker, engine.permission(action)) else { return };
        let mut answers = Vec::new();
        if objects.is_empty() {
            answers.push(self.explained(engine, &asker, permission, today));
        }
        for object in objects {
            answers.push(self.explained(engine, &asker, permission, (object, today)));
        }
        for yes in answers {
            // A list shows what is there; a no must be asked for.
            if yes || !listed {
                self.answers.insert((action.to_owned(), yes), ());
            }
        }
    }

    fn explained<T: Target + Copy>(
        &mut self,
        engine: &Engine,
        asker: &OwnedAsker,
        action: Permission,
        on: T,
    ) -> bool {
        let mut asked: HashSet<Permission> = HashSet::from_iter([action]);
        let mut open = vec![action];
        let mut allowed = None;
        while let Some(action) = open.pop() {
            let explanation = asker.asker().explain(action, on);
            allowed.get_or_insert(explanation.allowed());
            for trace in &explanation.permissions {
                self.trace(trace);
                // What it answers to is traced only where that does not hold.
                for gate in trace.gates.iter().filter(|gate| gate.holds) {
                    let Ok(permission) = engine.permission(&gate.permission.name) else { continue };
                    if asked.insert(permission) {
                        open.push(permission);
                    }
                }
            }
        }
        allowed == Some(true)
    }

    fn trace(&mut self, trace: &PermissionTrace) {
        for grant in trace.scopes.iter().map(|scope| &scope.grant).chain([&trace.grant]) {
            let decisive = grant.statements.iter().filter(|it| it.decides);
            let others = grant.forbidden_by.iter().chain(&grant.left_out_by);
            self.statements.extend(decisive.chain(others).map(|it| it.place.clone()));
        }
        let bounds = trace.checks.iter().flat_map(|check| &check.bounds);
        self.statements.extend(bounds.map(|bound| bound.place.clone()));
        let fitting = trace.scopes.iter().filter(|scope| {
            let looked = !scope.when.is_empty() || !scope.values.is_empty();
            looked && scope.reason.allowed() && scope.fits()
        });
        self.scopes.extend(fitting.map(|scope| scope.permission.name.clone()));
    }
}

/// Returns the places of all statements about permissions and all bounds.
fn statements(document: &Document) -> Vec<String> {
    let root = &Place::Root;
    let mut places = Vec::new();
    of_source(&root.key("global"), &document.global, &mut places);
    for (name, source) in document.profiles.iter() {
        of_source(&root.key("profiles").name(name), &source.statements, &mut places);
    }
    for (name, role) in document.roles.iter() {
        of_source(&root.key("roles").name(name), &role.source.statements, &mut places);
    }
    for (name, source) in document.approval_groups.iter() {
        of_source(&root.key("approval_groups").name(name), &source.statements, &mut places);
    }
    for (name, UserEntry { statements, assignments, .. }) in document.users.iter() {
        let place = root.key("users");
        let place = place.name(name);
        of_source(&place, statements, &mut places);
        for (name, assignment) in assignments.iter() {
            let place = place.key("assignments");
            of_source(&place.name(name), &assignment.statements, &mut places);
        }
    }
    places
}

fn of_source(place: &Place<'_>, statements: &Statements, places: &mut Vec<String>) {
    let Statements { allow, except, deny, forbid, levels, bounds, .. } = statements;
    let lists = [("allow", allow), ("except", except), ("deny", deny), ("forbid", forbid)];
    for (key, patterns) in lists {
        let list = place.key(key);
        places.extend((0..patterns.len()).map(|at| list.item(at).to_string()));
    }
    let (of_levels, of_bounds) = (place.key("levels"), place.key("bounds"));
    places.extend(levels.iter().map(|(pattern, _)| of_levels.key(pattern).to_string()));
    places.extend(bounds.iter().map(|(attribute, _)| of_bounds.key(attribute).to_string()));
}

/// Returns the paths of all scopes that look at the object.
fn scopes(document: &Document) -> Vec<String> {
    fn walk(nodes: &[PermissionNode], above: &str, paths: &mut Vec<String>) {
        for node in nodes {
            let path = format!("{above}{}", node.key);
            let scopes = node.scopes.iter().filter(|scope| !scope.when.is_empty());
            paths.extend(scopes.map(|scope| format!("{path}.{}", scope.key)));
            walk(&node.children, &format!("{path}."), paths);
        }
    }
    let mut paths = Vec::new();
    walk(&document.catalogue.permissions, "", &mut paths);
    paths
}

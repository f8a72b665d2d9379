//! Laws of sessions of changes. If each is accepted, and what it makes of a document, is for
//! the judge of the second edition, in `oracle2`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use grantree::change::{Actor, Applied, Change, Rule};
use grantree::document::{Licence, UserEntry};
use grantree::object::Value;
use grantree::policy_test::{Given, Question};
use grantree::{Date, Document, Engine, Policy, SourceName};

use super::by_name::ByName;
use super::oracle::{Catalogue, Form, Holder, Oracle, passes};
use super::strategies::governed::Session;

/// The rules that refuse changes: "where several refuse, the first in this order".
pub const RULES: [Rule; 11] = [
    Rule::Invalid,
    Rule::NotPermitted,
    Rule::Unknown,
    Rule::Exists,
    Rule::Protected,
    Rule::Unique,
    Rule::InUse,
    Rule::Conflict,
    Rule::LastAdmin,
    Rule::Separation,
    Rule::Escalation,
];

/// Outcomes of changes: how many were applied, by kind and by who asked, and how
/// many each rule refused.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub applied: BTreeMap<(String, &'static str), u32>,
    pub refused: BTreeMap<Rule, u32>,
}

impl Tally {
    fn count(&mut self, by: Actor<'_>, change: &Change, outcome: Result<(), Rule>) {
        let by = match by {
            Actor::Host => "host",
            Actor::User(_) => "actor",
        };
        match outcome {
            Ok(()) => *self.applied.entry((kind_of(change), by)).or_default() += 1,
            Err(rule) => *self.refused.entry(rule).or_default() += 1,
        }
    }

    pub fn add(&mut self, other: &Tally) {
        for (key, count) in &other.applied {
            *self.applied.entry(key.clone()).or_default() += count;
        }
        for (rule, count) in &other.refused {
            *self.refused.entry(*rule).or_default() += count;
        }
    }

    pub fn applied(&self) -> u32 {
        self.applied.values().sum()
    }

    pub fn refused(&self) -> u32 {
        self.refused.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} applied, {} refused", self.applied(), self.refused())?;
        for ((kind, by), count) in &self.applied {
            writeln!(f, "{count:8} applied {kind}, by {by}")?;
        }
        for (rule, count) in &self.refused {
            writeln!(f, "{count:8} {rule}")?;
        }
        Ok(())
    }
}

/// The kind of a change, as the design names it.
pub fn kind_of(change: &Change) -> String {
    let json = serde_json::to_value(change).expect("a change serializes");
    let json = json.as_object().expect("it is an object");
    json.keys().next().expect("of one key").clone()
}

/// A policy in the course of a session, and what happened to it.
struct Story {
    first: Document,
    policy: Policy,
    /// The engine of the first policy, which has followed all changes.
    engine: Engine,
    document: Document,
    steps: Vec<String>,
}

impl Story {
    fn new(document: &Document) -> Story {
        let policy = Policy::try_from(document.clone());
        let policy = policy.unwrap_or_else(|problems| panic!("no valid policy: {problems}"));
        let (first, document) = (document.clone(), document.clone());
        let engine = Engine::new(&policy);
        Story { first, policy, engine, document, steps: Vec::new() }
    }

    /// Notes a step, and its expected outcome.
    fn note(&mut self, actor: Option<&str>, change: &Change, expect: &str) {
        let (actor, change) = (actor.map(str::to_owned), Some(Box::new(change.clone())));
        let question =
            serde_json::to_string(&Question::Change { actor, today: Given::Absent, change })
                .expect("JSON");
        let question = question.strip_suffix('}').expect("an object");
        self.steps.push(format!("{question}, \"expect\": \"{expect}\"}}"));
    }

    fn go_on(&mut self, applied: Applied) {
        self.document = Document::from(&applied.policy);
        self.engine = self.engine.updated(&applied.policy);
        self.policy = applied.policy;
    }
}

impl fmt::Display for Story {
    /// Prints as a test document.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy = serde_json::to_string(&self.first).map_err(|_| fmt::Error)?;
        write!(f, "\n{{\"policy\": {policy},\n\"steps\": [\n{}\n]}}", self.steps.join(",\n"))
    }
}

/// Every change of a session is refused, and leaves the policy as it was, or makes a valid
/// policy, which the engine follows and a log replays.
pub fn changes_are_followed(session: &Session) {
    let mut story = Story::new(&session.document);
    let first = story.engine.clone();
    for at in 0..session.steps() {
        let (actor, change) = session.step(at, &story.document);
        let by = actor.as_deref().map_or(Actor::Host, Actor::User);
        match story.policy.apply(by, &change) {
            Ok(applied) => {
                story.note(actor.as_deref(), &change, "applied");
                is_a_valid_policy(&story, &applied);
                let replayed = story.policy.replay(&applied.log_entry()).expect("the next entry");
                assert!(
                    Document::from(&replayed) == Document::from(&applied.policy),
                    "replayed, it is something else{story}"
                );
                story.go_on(applied);
            }
            Err(refusal) => {
                assert!(!refusal.to_string().contains('\n'), "{refusal}");
                assert!(Document::from(&story.policy) == story.document, "it changed{story}");
            }
        }
    }
    answer_alike(&story.engine, &Engine::new(&story.policy), &story);
    answer_alike(&first, &Story::new(&story.first).engine, &story);
}

/// Two engines answer every question alike: all that anybody holds and, for each
/// permission, on which objects.
pub fn answer_alike(one: &Engine, other: &Engine, story: &impl fmt::Display) {
    let document = Document::from(one.policy());
    assert!(document == Document::from(other.policy()), "not one policy{story}");
    for (name, _) in document.users.iter() {
        let user = |engine: &Engine| engine.user(name).expect("a known user");
        let held = |engine: &Engine| -> Vec<String> {
            engine.effective(user(engine)).iter().map(ToString::to_string).collect()
        };
        assert!(held(one) == held(other), "`{name}` holds otherwise{story}");
        for action in held(one) {
            let filter = |engine: &Engine| engine.filter_by_name(name, &action, None);
            assert!(filter(one) == filter(other), "`{name}`, `{action}`{story}");
            let some = |engine: &Engine| {
                engine.can_some(user(engine), engine.permission(&action).expect("a permission"))
            };
            assert!(some(one) == some(other), "`{name}`, `{action}` on some{story}");
        }
    }
}

/// The result of a change is a valid document.
fn is_a_valid_policy(story: &Story, applied: &Applied) {
    let document = Document::from(&applied.policy);
    match Policy::try_from(document.clone()) {
        Ok(policy) => assert!(Document::from(&policy) == document, "read otherwise{story}"),
        Err(problems) => panic!("it is no policy any more: {problems}{story}"),
    }
}

/// An attacker, who is no admin, makes whatever changes he may through all the
/// accounts that he controls: his own, and those that he adds or renames. In the
/// end nobody may do what neither that user nor the attacker could at first.
///
/// That follows from `no_escalation`, change by change. What a change gives is
/// within what the user had or within what the account that asked had; an
/// account that is new or renamed had nothing, so all of what it has is within
/// what the account that asked had. By induction, every permission of every user
/// is within what that user had at first, or within what the attacker had; of a
/// user who is new or renamed, within what the attacker had. *Within* is taken
/// as in the design, permission by permission: level, scopes and values
/// together are within those of one and the same user. Two things are left out,
/// because they don't carry over from change to change: what only some scope of
/// a user requires (whoever lacks the scope was not compared there), and, where
/// the licence changed on the way, what is held under it (under the one that has
/// every feature it carries over always).
///
/// The rule compares bounds. Here values are tried.
pub fn nobody_escalates(session: &Session) -> Tally {
    let (tally, gain) = play(session);
    assert!(gain.is_none(), "{}", gain.unwrap_or_default());
    tally
}

/// Plays the game, and reports a gain.
pub fn play(session: &Session) -> (Tally, Option<String>) {
    let mut tally = Tally::default();
    let mut story = Story::new(&session.document);
    let mut users = session.document.users.iter();
    let Some((attacker, _)) = users.find(|(_, user)| !user.admin && !user.suspended) else {
        return (tally, None);
    };
    let mut controlled = vec![attacker.to_owned()];
    let mut fresh = BTreeSet::new();
    for at in 0..session.steps() {
        let active = active(&controlled, &story.document);
        if active.is_empty() {
            break;
        }
        let (actor, change) = session.step_by(at, &active, &story.document);
        let outcome = story.policy.apply(Actor::User(&actor), &change);
        let outcome_of = outcome.as_ref().map(|_| ()).map_err(|refusal| refusal.rule);
        tally.count(Actor::User(&actor), &change, outcome_of);
        let Ok(applied) = outcome else { continue };
        story.note(Some(&actor), &change, "applied");
        story.go_on(applied);
        match change {
            Change::AddUser(added) => {
                fresh.insert(added.user.clone());
                controlled.push(added.user);
            }
            Change::Rename { source: SourceName::User(from), to } => {
                controlled.retain(|name| *name != from);
                fresh.insert(to.clone());
                controlled.push(to);
            }
            Change::RemoveUser { user } => controlled.retain(|name| *name != user),
            _ => {}
        }
    }
    let every = Licence { features: features(&story.first), ..Licence::default() };
    let mut licences = vec![&every];
    if story.first.licence == story.document.licence {
        licences.push(&story.first.licence);
    }
    let gain = licences.into_iter().find_map(|licence| gain(&story, attacker, &fresh, licence));
    (tally, gain)
}

/// The accounts that are not suspended.
fn active(accounts: &[String], document: &Document) -> Vec<String> {
    let is_active = |name: &&String| document.users.get(name).is_some_and(|it| !it.suspended);
    accounts.iter().filter(is_active).cloned().collect()
}

/// Something that some user may do in the end, but should not.
fn gain(
    story: &Story,
    attacker: &str,
    fresh: &BTreeSet<String>,
    licence: &Licence,
) -> Option<String> {
    let (before, after) = (seen(&story.first, licence), seen(&story.document, licence));
    let (before, after) = (Oracle::new(&before), Oracle::new(&after));
    let attacker = before.holder(attacker).expect("the attacker");
    let catalogue = after.catalogue();
    let paths: Vec<&str> = catalogue
        .nodes()
        .filter(|(_, node)| node.form != Form::Heading)
        .map(|(path, _)| path)
        .collect();
    for user in after.holders() {
        let former = before.holder(user.name).filter(|_| !fresh.contains(user.name));
        for path in paths.iter().filter(|path| level(catalogue, user, path) > 0) {
            let could = [former, Some(attacker)].into_iter().flatten();
            if !could.into_iter().any(|other| covers(&after, path, user, other)) {
                return Some(format!("`{}` gained `{path}`{story}", user.name));
            }
        }
    }
    None
}

/// Whether another user may do all that one user may do with a permission.
fn covers(oracle: &Oracle<'_>, path: &str, user: &Holder<'_>, other: &Holder<'_>) -> bool {
    let catalogue = oracle.catalogue();
    if level(catalogue, user, path) > level(catalogue, other, path) {
        return false;
    }
    if user.user.admin || other.user.admin {
        return other.user.admin;
    }
    let Some(kind) = catalogue.node(path).kind else { return true };
    answers_to_in_any_case(catalogue, path).iter().all(|path| {
        let node = catalogue.node(path);
        if node.kind != Some(kind) {
            return true;
        }
        let scopes = effective_scopes(catalogue, user, path);
        let passes_more = |attribute: &&str| {
            let form = oracle.bound_type(kind, attribute);
            let passes_some = |holder: &Holder<'_>, value, today| {
                let bounds = holder.bounds(kind, attribute);
                bounds.into_iter().any(|bound| passes(bound, form, value, today))
            };
            situations().any(|(value, today)| {
                passes_some(user, value, today) && !passes_some(other, value, today)
            })
        };
        scopes.is_subset(&effective_scopes(catalogue, other, path))
            && !node.checks.iter().any(passes_more)
    })
}

/// A permission with its gates, and theirs; what a scope itself requires aside.
fn answers_to_in_any_case(catalogue: &Catalogue<'_>, path: &str) -> Vec<String> {
    let mut found = vec![path.to_owned()];
    let mut at = 0;
    while let Some(path) = found.get(at).cloned() {
        for gate in catalogue.node_gates(&path) {
            let is_scope = catalogue.node(&gate.path).form == Form::Scope;
            if !is_scope && !found.contains(&gate.path) {
                found.push(gate.path);
            }
        }
        at += 1;
    }
    found
}

/// Values that an attribute may have, on any day of a week or on none.
fn situations() -> impl Iterator<Item = (Option<Value<'static>>, Option<Date>)> {
    const TEXTS: [&str; 12] = [
        "north",
        "south",
        "east",
        "",
        "2024-02-28",
        "2024-02-29",
        "2024-03-01",
        "2026-11-19",
        "2026-11-20",
        "2026-11-21",
        "2026-11-24",
        "2026-11-27",
    ];
    const INTEGERS: [i64; 12] = [0, 1, 10, 11, 9, -5, -6, 1000, 1001, -4, i64::MAX, i64::MIN];
    const DAYS: [&str; 8] = [
        "2024-02-28",
        "2026-11-16",
        "2026-11-17",
        "2026-11-18",
        "2026-11-19",
        "2026-11-20",
        "2026-11-21",
        "2026-11-22",
    ];
    let texts = TEXTS.into_iter().map(Value::Text);
    let integers = INTEGERS.into_iter().map(Value::Integer);
    let others = [Value::Boolean(false), Value::Boolean(true), Value::Other];
    let values = texts.chain(integers).chain(others).map(Some).chain([None]);
    values.flat_map(|value| {
        let days = DAYS.iter().map(|day| day.parse().expect("a date")).map(Some);
        days.chain([None]).map(move |today| (value, today))
    })
}

/// All features that a permission needs.
fn features(document: &Document) -> Vec<String> {
    let catalogue = Catalogue::new(document);
    let features: BTreeSet<&str> = catalogue.nodes().filter_map(|(_, node)| node.feature).collect();
    features.into_iter().map(str::to_owned).collect()
}

/// A document as users are compared in it: "suspension left aside", and under a licence.
fn seen(document: &Document, licence: &Licence) -> Document {
    let mut seen = document.clone();
    seen.licence = licence.clone();
    let restored = |user: &UserEntry| UserEntry { suspended: false, ..user.clone() };
    seen.users = document.users.iter().map(|(name, user)| (name, restored(user))).collect();
    seen
}

/// The level at which a permission is effective; 0 where it is not.
fn level(catalogue: &Catalogue<'_>, holder: &Holder<'_>, path: &str) -> usize {
    match catalogue.node(path).form {
        Form::Scoped => usize::from(!effective_scopes(catalogue, holder, path).is_empty()),
        _ => holder.effective.get(path).copied().unwrap_or_default(),
    }
}

/// The effective scopes of a scoped node, or a scope itself.
fn effective_scopes<'c>(
    catalogue: &'c Catalogue<'_>,
    holder: &Holder<'_>,
    path: &'c str,
) -> BTreeSet<&'c str> {
    let scopes: Vec<&str> = match catalogue.node(path).form {
        Form::Scoped => catalogue.scopes(path).collect(),
        Form::Scope => vec![path],
        _ => Vec::new(),
    };
    scopes.into_iter().filter(|scope| holder.effective.contains_key(*scope)).collect()
}

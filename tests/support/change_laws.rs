//! Laws of sessions of changes. If each is accepted, and what it makes of a document, is for
//! the judge of the second edition, in `oracle2`.

use std::fmt;

use grantree::change::{Actor, Applied, Change, Rule};
use grantree::policy_test::{Given, Question};
use grantree::{Document, Engine, Policy};

use super::by_name::ByName;
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

//! Changes: their outcomes are those that the judge expects, and what follows is consistent.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use grantree::change::{Actor, Applied, Change, Note};
use grantree::policy_test::{Question, TestDocument};
use grantree::{Document, Engine, Moment, Policy};
use proptest::prop_assert;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use serde_json::{Value, json};

use crate::oracle2::Oracle2;
use crate::oracle2::change::meaning::meaning;
use crate::oracle2::change::{Outcome, Rule, judge};
use crate::random2::change::{Session, session};

/// The number of sessions of thirty changes each, unless `CASES` names another.
const CASES: u32 = 300;

/// The kinds of change.
const KINDS: [&str; 18] = [
    "create",
    "rename",
    "edit",
    "delete",
    "add_user",
    "remove_user",
    "assign",
    "revoke",
    "transfer",
    "set_assignment",
    "expire",
    "set_default_profile",
    "set_admin",
    "set_suspended",
    "set_groups",
    "set_group",
    "set_licence",
    "import",
];

/// Outcomes, by the kind of change, who asked, and the code.
#[derive(Default)]
struct Tally(BTreeMap<(String, &'static str, &'static str), u32>);

impl Tally {
    fn count(&self, counts: impl Fn(&str, &str, &str) -> bool) -> u32 {
        let counted = self.0.iter().filter(|((kind, by, code), _)| counts(kind, by, code));
        counted.map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((kind, by, code), count) in &self.0 {
            writeln!(f, "{count:8} {kind} by {by}: {code}")?;
        }
        Ok(())
    }
}

#[test]
fn changes_go_as_the_judge_says() {
    let cases = std::env::var("CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(CASES);
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let tally = RefCell::new(Tally::default());
    let result =
        TestRunner::new(config).run(&session(), |session| play(&session, &mut tally.borrow_mut()));
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(error) => panic!("{error}"),
    }
    let tally = tally.into_inner();
    println!("{tally}");
    has_teeth(&tally, cases);
}

/// Random changes are only as good as their outcomes: every kind is applied and refused, for
/// the host and for actors who are no admins, and every rule refuses some.
fn has_teeth(tally: &Tally, cases: u32) {
    let floor = cases / 100;
    for kind in KINDS {
        for by in ["host", "actor"] {
            let applied = tally.count(|of, who, code| of == kind && who == by && code == "applied");
            assert!(applied >= floor, "`{kind}` by the {by}: {applied} applied\n{tally}");
        }
        let refused =
            tally.count(|of, who, code| of == kind && who == "actor" && code != "applied");
        assert!(refused >= floor, "`{kind}`: {refused} refused\n{tally}");
    }
    for rule in Rule::ALL {
        let refused = tally.count(|_, _, code| code == rule.code());
        assert!(refused >= floor, "`{}`: {refused} refused\n{tally}", rule.code());
    }
    let [applied, all] =
        [true, false].map(|only| tally.count(|_, _, code| !only || code == "applied"));
    assert!(3 * applied > all, "{applied} of {all}\n{tally}");
}

/// A policy in the course of a session.
struct Story {
    first: Value,
    document: Value,
    policy: Policy,
    /// The engine of the first policy, which has followed all changes.
    engine: Engine,
    steps: Vec<Value>,
}

impl fmt::Display for Story {
    /// Prints as a test document.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{{\"policy\": {},\n\"steps\": [", self.first)?;
        for (at, step) in self.steps.iter().enumerate() {
            write!(f, "{}\n{step}", if at == 0 { "" } else { "," })?;
        }
        write!(f, "\n]}}")
    }
}

type Law<T> = Result<T, TestCaseError>;

fn play(session: &Session, tally: &mut Tally) -> Law<()> {
    let policy = match Policy::try_from(read(&session.policy)) {
        Ok(policy) => policy,
        Err(problems) => {
            return Err(TestCaseError::fail(format!("no policy: {problems}\n{}", session.policy)));
        }
    };
    let mut story = Story {
        first: session.policy.clone(),
        document: session.policy.clone(),
        engine: Engine::new(&policy),
        policy,
        steps: Vec::new(),
    };
    let first = story.engine.clone();
    for at in 0..session.steps() {
        let step = session.step(at, &story.document);
        if let Some(applied) = make(&mut story, &step, tally)? {
            story.document = written(&applied.policy);
            story.engine = story.engine.updated(&applied.policy);
            story.policy = applied.policy;
            if at % 10 == 9 {
                decides_as_the_oracle(&story, session)?;
            }
        }
    }
    answer_alike(&story.engine, &Engine::new(&story.policy), session, &story)?;
    let before = Policy::try_from(read(&story.first)).expect("a policy");
    answer_alike(&first, &Engine::new(&before), session, &story)
}

/// Makes a change, and holds its outcome to what the judge says.
fn make(story: &mut Story, step: &Value, tally: &mut Tally) -> Law<Option<Applied>> {
    let verdict = judge(&story.document, step);
    let codes = verdict.codes();
    story.steps.push(json!({"change": step, "expect": codes[0]}));
    let (change, actor, today) = parts(step);
    let by = actor.as_deref().map_or(Actor::Host, Actor::User);
    let outcome = story.policy.apply_on(by, &change, today);
    let code = outcome.as_ref().map_or_else(|refusal| refusal.rule.code(), |_| "applied");
    let told = match &outcome {
        Ok(_) => "applied".to_owned(),
        Err(refusal) => refusal.to_string(),
    };
    prop_assert!(codes.contains(&code), "the last of these: {told}, not {codes:?}{story}");
    let kind = serde_json::to_value(&change).expect("JSON");
    let kind = kind.as_object().and_then(|it| it.keys().next()).expect("a kind").clone();
    let is_admin = |name: &str| story.document["users"][name]["admin"] == true;
    let who = match actor.as_deref() {
        None => "host",
        Some(actor) if is_admin(actor) => "admin",
        Some(_) => "actor",
    };
    *tally.0.entry((kind, who, code)).or_default() += 1;
    match outcome {
        Ok(applied) => {
            let expected = verdict.applied.expect("what it makes");
            has_result(story, &applied, &expected)?;
            can_be_replayed(story, &applied)?;
            Ok(Some(applied))
        }
        Err(_) => {
            prop_assert!(
                written(&story.policy) == written_of(&story.document),
                "it changed{story}"
            );
            Ok(None)
        }
    }
}

/// The change of a step, who asks, and the day.
fn parts(step: &Value) -> (Change, Option<String>, Option<Moment>) {
    let question = serde_json::from_value(json!({"change": step}));
    let Ok(Question::Change { actor, today, change: Some(change) }) = question else {
        panic!("not a change: {step}");
    };
    (*change, actor, today.value().copied())
}

fn read(document: &Value) -> Document {
    serde_json::from_value(document.clone()).expect("a document")
}

fn written(policy: &Policy) -> Value {
    serde_json::to_value(Document::from(policy)).expect("JSON")
}

/// A document as the library writes it.
fn written_of(document: &Value) -> Value {
    serde_json::to_value(read(document)).expect("JSON")
}

/// The document afterwards is the one that the judge expects, and so is what was left undone;
/// and it is a policy that is read as it was written.
fn has_result(story: &Story, applied: &Applied, expected: &Outcome) -> Law<()> {
    let wanted = written_of(&expected.policy);
    let (got, wanted) = (meaning(&written(&applied.policy)), meaning(&wanted));
    if let Some(difference) = difference(&got, &wanted, "") {
        let failed = format!("the last of these makes {difference}{story}");
        return Err(TestCaseError::fail(failed));
    }
    let got: BTreeSet<String> = applied.notes.iter().map(note).collect();
    prop_assert!(got == expected.notes, "left undone: {got:?}, not {:?}{story}", expected.notes);
    let document = Document::from(&applied.policy);
    let again = Policy::try_from(document.clone());
    let again = again.map_err(|problems| TestCaseError::fail(format!("{problems}{story}")))?;
    prop_assert!(Document::from(&again) == document, "read otherwise{story}");
    Ok(())
}

/// The first place in which two values differ.
fn difference(got: &Value, wanted: &Value, place: &str) -> Option<String> {
    let (Some(one), Some(other)) = (got.as_object(), wanted.as_object()) else {
        return (got != wanted).then(|| format!("{got} of {place}, and not {wanted}"));
    };
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    names
        .into_iter()
        .find_map(|name| difference(&got[name], &wanted[name], &format!("{place}/{name}")))
}

/// A note as the judge writes it.
fn note(note: &Note) -> String {
    match note {
        Note::Renamed { source, to } => format!("renamed {} {to}", source.place()),
        Note::Unmet { permission } => format!("unmet {permission}"),
        Note::LeftOut(it) => format!("left out {} {}", it.problem.place(), it.restriction),
        _ => format!("unknown {note:?}"),
    }
}

/// "The answer lists everything that changed": applied one by one by the host, the listed
/// changes turn the policy before into the same one; and so does the entry of a log.
fn can_be_replayed(story: &Story, applied: &Applied) -> Law<()> {
    let after = Document::from(&applied.policy);
    let mut replayed = story.policy.clone();
    for change in &applied.changed {
        match replayed.apply(Actor::Host, change) {
            Ok(applied) => replayed = applied.policy,
            Err(refusal) => {
                return Err(TestCaseError::fail(format!(
                    "of what changed, {change:?} is refused: {refusal}{story}"
                )));
            }
        }
    }
    let changed = &applied.changed;
    prop_assert!(
        Document::from(&replayed) == after,
        "{changed:?} makes something else of it{story}"
    );
    let logged = story.policy.replay(&applied.log_entry()).expect("the next entry");
    prop_assert!(Document::from(&logged) == after, "replayed, it is something else{story}");
    // "Giving what is held, or taking what is not, changes nothing." Ops may undo each other,
    // and a source may be replaced by an equal one.
    let nothing = after == Document::from(&story.policy);
    let may_come_to_nothing = |change: &Change| match change {
        Change::Edit { ops, .. } => ops.len() > 1,
        change => matches!(change, Change::Import { .. }),
    };
    prop_assert!(
        !nothing || changed.iter().all(may_come_to_nothing),
        "{changed:?}: nothing{story}"
    );
    Ok(())
}

fn decides_as_the_oracle(story: &Story, session: &Session) -> Law<()> {
    let oracle = Oracle2::new(&story.document);
    let answered = session.questions(&story.document).into_iter().map(|mut step| {
        step["expect"] = oracle.ask(&step);
        step
    });
    let document = json!({"steps": answered.collect::<Vec<_>>()});
    let document: TestDocument = serde_json::from_value(document).expect("steps");
    let report = document.run(Some(&story.policy)).expect("a policy");
    if let Some(failure) = report.failures.first() {
        return Err(TestCaseError::fail(format!("{failure}{story}")));
    }
    Ok(())
}

/// Two engines answer alike: each question, and all that anybody holds, and on which objects.
fn answer_alike(one: &Engine, other: &Engine, session: &Session, story: &Story) -> Law<()> {
    let document = Document::from(one.policy());
    prop_assert!(document == Document::from(other.policy()), "not one policy{story}");
    for question in session.questions(&written(one.policy())) {
        let question: Question = serde_json::from_value(question).expect("a question");
        prop_assert!(question.ask(one) == question.ask(other), "{question}{story}");
    }
    for (name, _) in document.users.iter() {
        let user = |engine: &Engine| engine.user(name).expect("a known user");
        let held = |engine: &Engine| -> Vec<String> {
            engine.effective(user(engine)).iter().map(ToString::to_string).collect()
        };
        prop_assert!(held(one) == held(other), "`{name}` holds otherwise{story}");
        for action in held(one) {
            let filter = |engine: &Engine| {
                engine.filter(user(engine), engine.permission(&action).expect("a permission"), ())
            };
            prop_assert!(filter(one) == filter(other), "`{name}`, `{action}`{story}");
        }
    }
    Ok(())
}

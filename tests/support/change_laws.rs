//! Changes: their outcomes are those that the judge expects, and what follows is consistent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use grantree::change::{Actor, Applied, Change, Note};
use grantree::document::SettingValue;
use grantree::policy_test::{Question, TestDocument};
use grantree::{Document, Engine, Moment, Policy};
use proptest::prop_assert;
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use super::oracle::Oracle;
use super::oracle::change::meaning::meaning;
use super::oracle::change::{Outcome, judge};
use super::random::change::Session;

/// Outcomes, by the kind of change, who asked, and the code.
#[derive(Default)]
pub struct Tally {
    outcomes: BTreeMap<(String, &'static str, &'static str), u32>,
    /// Changes that were taken back, and those that could not be, by their kind.
    undone: BTreeMap<String, [u32; 2]>,
}

impl Tally {
    pub fn count(&self, counts: impl Fn(&str, &str, &str) -> bool) -> u32 {
        let counted = self.outcomes.iter().filter(|((kind, by, code), _)| counts(kind, by, code));
        counted.map(|(_, count)| count).sum()
    }

    /// The changes of a kind that were taken back, and those that could not be.
    pub fn undone(&self, kind: &str) -> [u32; 2] {
        self.undone.get(kind).copied().unwrap_or_default()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((kind, by, code), count) in &self.outcomes {
            writeln!(f, "{count:8} {kind} by {by}: {code}")?;
        }
        for (kind, [undone, not]) in &self.undone {
            writeln!(f, "{undone:8} {kind} undone, {not} not")?;
        }
        Ok(())
    }
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

pub type Law<T> = Result<T, TestCaseError>;

/// Plays a session: every change of it goes as the judge says, and what follows is consistent.
pub fn play(session: &Session, tally: &mut Tally) -> Law<()> {
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
    *tally.outcomes.entry((kind.clone(), who, code)).or_default() += 1;
    match outcome {
        Ok(applied) => {
            let expected = verdict.applied.expect("what it makes");
            has_result(story, &applied, &expected)?;
            can_be_replayed(story, &applied)?;
            let undone = can_be_undone(story, &applied)?;
            tally.undone.entry(kind).or_default()[usize::from(!undone)] += 1;
            Ok(Some(applied))
        }
        Err(refusal) => {
            prop_assert!(!refusal.to_string().contains('\n'), "{refusal}{story}");
            prop_assert!(
                written(&story.policy) == written_of(&story.document),
                "it changed{story}"
            );
            Ok(None)
        }
    }
}

/// The change of a step, who asks, and the day.
pub fn parts(step: &Value) -> (Change, Option<String>, Option<Moment>) {
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
    let is_judged = |it: &&Note| {
        !matches!(it, Note::Unchanged { .. } | Note::Exception { .. } | Note::Follows { .. })
    };
    let got: BTreeSet<String> = applied.notes.iter().filter(is_judged).map(note).collect();
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

/// Returns whether a change is taken back: then the policy states what it did before, but for
/// the order of what has none, and groups that are declared now.
fn can_be_undone(story: &Story, applied: &Applied) -> Law<bool> {
    let undo = match applied.undo() {
        Ok(undo) => undo,
        Err(refusal) => {
            let expected = ["unique", "protected", "last_admin", "separation", "invalid"];
            prop_assert!(expected.contains(&refusal.rule.code()), "not undone: {refusal}{story}");
            return Ok(false);
        }
    };
    let mut back = applied.policy.clone();
    for change in &undo {
        back = back.apply(Actor::Host, change).expect("it was tried").policy;
    }
    let [mut got, mut wanted] =
        [&written(&back), &story.document].map(|it| stated(&written_of(it)));
    for (document, other) in [(&mut got, &story.document), (&mut wanted, &story.document)] {
        let Some(groups) = document["groups"].as_object_mut() else { continue };
        groups.retain(|name, it| it["parent"].is_string() || !other["groups"][name].is_null());
        if groups.is_empty() {
            document.as_object_mut().expect("a document").remove("groups");
        }
    }
    if let Some(difference) = difference(&got, &wanted, "") {
        let failed = format!("undone by {undo:?}, the last of these leaves {difference}{story}");
        return Err(TestCaseError::fail(failed));
    }
    prop_assert!(settings(&back) == settings(&story.policy), "settings after {undo:?}{story}");
    Ok(true)
}

/// A document without what has no meaning, and without the order of sources, on which nothing
/// but settings depends.
fn stated(document: &Value) -> Value {
    let mut normal = meaning(document);
    for user in normal["users"].as_object_mut().into_iter().flat_map(|it| it.values_mut()) {
        for field in ["roles", "approval_groups"] {
            let names = user[field].as_array().into_iter().flatten();
            let names: BTreeSet<String> = names.map(ToString::to_string).collect();
            user[field] = json!(names);
        }
    }
    normal
}

/// The settings of everybody.
fn settings(policy: &Policy) -> BTreeMap<(String, String), Option<SettingValue>> {
    let engine = Engine::new(policy);
    let names = || policy.catalogue().settings.iter().map(|(name, _)| name);
    let of = |user: &str| {
        let known = engine.user(user).expect("a known user");
        let values =
            names().map(|name| (name.to_owned(), engine.setting(known, name).expect("it")));
        let values = values.map(|(name, value)| ((user.to_owned(), name), value.cloned()));
        values.collect::<Vec<_>>()
    };
    policy.users().flat_map(of).collect()
}

fn decides_as_the_oracle(story: &Story, session: &Session) -> Law<()> {
    let oracle = Oracle::new(&story.document);
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

/// Two engines answer alike.
fn answer_alike(one: &Engine, other: &Engine, session: &Session, story: &Story) -> Law<()> {
    let difference = differ(one, other, &session.questions(&written(one.policy())));
    difference.map_or(Ok(()), |it| Err(TestCaseError::fail(format!("{it}{story}"))))
}

/// What two engines answer otherwise, if anything: these questions, and of everybody what is
/// held, on which objects, and if on some.
pub fn differ(one: &Engine, other: &Engine, questions: &[Value]) -> Option<String> {
    let document = Document::from(one.policy());
    if document != Document::from(other.policy()) {
        return Some("not one policy".to_owned());
    }
    for question in questions {
        let asked: Question = serde_json::from_value(question.clone()).expect("a question");
        if asked.ask(one) != asked.ask(other) {
            return Some(question.to_string());
        }
    }
    let mut names = document.users.iter().map(|(name, _)| name);
    names.find_map(|name| {
        let [(one, mine), (other, same)] =
            [one, other].map(|engine| (engine, engine.user(name).expect("a known user")));
        let held: Vec<String> = one.effective(mine).iter().map(ToString::to_string).collect();
        if !other.effective(same).iter().map(ToString::to_string).eq(held.iter().cloned()) {
            return Some(format!("`{name}` holds otherwise"));
        }
        let differs = |action: &&String| {
            let [a, b] = [one, other].map(|it| it.permission(action).expect("a permission"));
            one.filter(mine, a, ()) != other.filter(same, b, ())
                || one.can_some(mine, a) != other.can_some(same, b)
        };
        held.iter().find(differs).map(|action| format!("`{name}`, `{action}`"))
    })
}

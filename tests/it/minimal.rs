//! The part of the corpus that proves a port: thousands of questions about policies
//! without anything irrelevant.
//!
//! The documents are random cases, answered by the oracle and cut down for as long
//! as every answer stays the same. The answers alone would let too much go: with a deny
//! over an allow, the allow. So the answer that there would be without any denies must
//! stay too, and likewise for all [`VARIANTS`] of the policy and the question. Questions are
//! alike if the same variants change their answers; this keeps any kind from coming too
//! often.
//!
//! The documents before [`FIRST`] were written in this way by an earlier version, for what
//! the first edition of the design has. They stay as they are.
//!
//! ```sh
//! cargo test --release -- --ignored write_the_corpus
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io, mem};

use grantree::document::Map;
use grantree::policy_test::{Answer, Question};
use grantree::{Document, Policy};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde::Serialize;
use serde_json::{Serializer, Value, json};
use support::oracle::Oracle;
use support::oracle::catalogue::Catalogue;
use support::random::{self, Case};

use crate::files::CORPUS;

/// The number of the first document that is written.
const FIRST: usize = 374;

/// The least number of questions in the documents that are written.
const QUESTIONS: usize = 321;

/// The number of questions that share a document, at most.
const TOGETHER: usize = 16;

/// The number of those that are alike, at most: see [`Likeness`].
const ALIKE: usize = 6;

fn file(number: usize) -> PathBuf {
    Path::new(CORPUS).join("minimal").join(format!("{number:03}.json"))
}

/// A policy, or a question, without something.
type Variant = fn(&mut Value);

/// The number of variants, the first ones, that are about what the second edition adds.
/// Each question that is chosen owes its answer to one of them.
const ADDED: usize = 27;

/// What a policy or a question may lack. Without it, an answer shows what it owes to it.
const VARIANTS: [Variant; 56] = [
    // Assignments: all of them, their content, and their terms.
    |it| each_user(it, |user| without(user, &["assignments"])),
    |it| each_assignment(it, |it| without(it, &["roles"])),
    |it| each_assignment(it, |it| without(it, &["approval_groups"])),
    |it| each_assignment(it, |it| without(it, &["allow"])),
    |it| each_assignment(it, |it| without(it, &["levels"])),
    |it| each_assignment(it, |it| without(it, &["except"])),
    |it| each_assignment(it, |it| without(it, &["deny"])),
    |it| each_assignment(it, |it| without(it, &["forbid"])),
    |it| each_assignment(it, |it| without(it, &["bounds"])),
    |it| each_assignment(it, |it| without(it, &["on"])),
    |it| each_on(it, |on| without(on, &["*"])),
    |it| each_condition(it, serde_json::Map::clear),
    |it| each_assignment(it, |it| without(it, &["from"])),
    |it| each_assignment(it, |it| without(it, &["until"])),
    // Times of the day, in terms and in questions.
    |it| each_assignment(it, |it| truncate(it, &["from", "until"])),
    |it| truncate(it, &["today"]),
    // What leaves out, in sources but assignments, and in roles alone.
    |it| each_source(it, |said| without(said, &["except"])),
    |it| each_of(it, "roles", |said| without(said, &["except"])),
    // Attributes in scopes, one way and the other.
    |it| each_when(it, |when| when.retain(|_, accepts| is_of_states(accepts))),
    |it| each_when(it, |when| when.retain(|_, accepts| !is_of_states(accepts))),
    |it| each_when(it, |when| each_value(when, |limit| limited(limit, 1))),
    |it| each_when(it, |when| each_value(when, |limit| limited(limit, -1))),
    // Flags: any passes.
    |it| {
        each_source(it, |said| {
            bounds(said, |bound| {
                if is_flag(bound) {
                    *bound = json!("any");
                }
            });
        });
    },
    // The limits of terms.
    |it| each_condition(it, |stated| each_value(stated, |limit| limited(limit, 1))),
    |it| each_condition(it, |stated| each_value(stated, |limit| limited(limit, -1))),
    // Askers who are limited, and those who bring their own entry.
    |it| without(it, &["within"]),
    |it| fields(it.get_mut("subject"), |subject| subject.retain(|field, _| field == "name")),
    // Sources.
    |it| each_source(it, |said| without(said, &["deny"])),
    |it| each_source(it, |said| without(said, &["forbid"])),
    |it| each_source(it, |said| without(said, &["levels"])),
    |it| each_source(it, |said| without(said, &["settings"])),
    |it| each_source(it, |said| without(said, &["bounds"])),
    |it| each_source(it, |said| bounds(said, |bound| *bound = json!("any"))),
    |it| each_source(it, |said| bounds(said, |bound| limited(bound, 1))),
    |it| each_source(it, |said| bounds(said, |bound| limited(bound, -1))),
    // The nearest patterns, and the farther ones.
    |it| without_patterns(it, |pattern| !pattern.ends_with('*')),
    |it| without_patterns(it, |pattern| pattern.ends_with(".*")),
    |it| without_patterns(it, |pattern| pattern.ends_with(".**")),
    |it| without_patterns(it, |pattern| pattern == "**"),
    // Tiers, and what brings sources.
    |it| without(it, &["global"]),
    |it| each_user(it, |user| without(user, &["profile"])),
    |it| each_user(it, |user| without(user, &["roles"])),
    |it| each_user(it, |user| without(user, &["approval_groups"])),
    |it| {
        each_user(it, |user| {
            without(user, &["allow", "except", "deny", "forbid", "levels", "bounds"]);
        });
    },
    |it| each_of(it, "roles", |role| without(role, &["includes"])),
    // Users.
    |it| each_user(it, |user| without(user, &["suspended"])),
    |it| each_user(it, |user| without(user, &["admin"])),
    |it| each_user(it, |user| without(user, &["groups"])),
    |it| without(it, &["groups"]),
    // The licence.
    |it| without(it, &["licence"]),
    |it| each_node(it, |node| without(node, &["feature"])),
    // The catalogue.
    |it| each_node(it, |node| without(node, &["requires"])),
    |it| each_node(it, |node| without(node, &["implies"])),
    |it| each_scope(it, |scope| without(scope, &["requires"])),
    |it| each_scope(it, |scope| without(scope, &["implies"])),
    |it| {
        each_node(it, |node| without(node, &["checks"]));
        each_of(&mut it["catalogue"], "objects", |kind| without(kind, &["checks"]));
    },
];

type Fields = serde_json::Map<String, Value>;

fn fields(of: Option<&mut Value>, change: impl Fn(&mut Fields)) {
    of.and_then(Value::as_object_mut).into_iter().for_each(change);
}

/// Changes each entry of a map of the policy.
fn each_of(policy: &mut Value, map: &str, change: impl Fn(&mut Value)) {
    fields(policy.get_mut(map), |map| map.values_mut().for_each(&change));
}

fn each_user(policy: &mut Value, change: impl Fn(&mut Value)) {
    each_of(policy, "users", change);
}

fn each_assignment(policy: &mut Value, change: impl Fn(&mut Value)) {
    each_user(policy, |user| each_of(user, "assignments", &change));
}

/// Changes the `on` of each assignment.
fn each_on(policy: &mut Value, change: impl Fn(&mut Value)) {
    each_assignment(policy, |it| it.get_mut("on").into_iter().for_each(&change));
}

/// Changes what each `on` states of each kind.
fn each_condition(policy: &mut Value, change: impl Fn(&mut Fields)) {
    each_on(policy, |on| {
        fields(Some(on), |on| on.values_mut().for_each(|it| fields(Some(it), &change)));
    });
}

/// Changes everything that states something of permissions.
fn each_source(policy: &mut Value, change: impl Fn(&mut Value)) {
    policy.get_mut("global").into_iter().for_each(&change);
    for map in ["profiles", "roles", "approval_groups", "users"] {
        each_of(policy, map, &change);
    }
    each_assignment(policy, change);
}

fn each_node(policy: &mut Value, change: impl Fn(&mut Value)) {
    fn all(nodes: Option<&mut Value>, change: &impl Fn(&mut Value)) {
        for node in nodes.and_then(Value::as_array_mut).into_iter().flatten() {
            change(node);
            all(node.get_mut("children"), change);
        }
    }
    all(policy.pointer_mut("/catalogue/permissions"), &change);
}

fn each_scope(policy: &mut Value, change: impl Fn(&mut Value)) {
    each_node(policy, |node| {
        let scopes = node.get_mut("scopes").and_then(Value::as_array_mut);
        scopes.into_iter().flatten().for_each(&change);
    });
}

fn each_when(policy: &mut Value, change: impl Fn(&mut Fields)) {
    each_scope(policy, |scope| fields(scope.get_mut("when"), &change));
}

fn each_value(map: &mut Fields, change: impl Fn(&mut Value)) {
    map.values_mut().for_each(change);
}

fn bounds(source: &mut Value, change: impl Fn(&mut Value)) {
    fields(source.get_mut("bounds"), |map| each_value(map, &change));
}

fn without(of: &mut Value, names: &[&str]) {
    fields(Some(of), |fields| fields.retain(|name, _| !names.contains(&name.as_str())));
}

/// Takes the times out of dates.
fn truncate(of: &mut Value, names: &[&str]) {
    for name in names {
        if let Some(Value::String(text)) = of.get_mut(name) {
            text.truncate(10);
        }
    }
}

fn without_patterns(policy: &mut Value, drop: impl Fn(&str) -> bool) {
    each_source(policy, |said| {
        for field in ["allow", "except", "deny"] {
            let list = said.get_mut(field).and_then(Value::as_array_mut);
            list.into_iter()
                .for_each(|it| it.retain(|pattern| !pattern.as_str().is_some_and(&drop)));
        }
        fields(said.get_mut("levels"), |levels| levels.retain(|pattern, _| !drop(pattern)));
    });
}

/// Returns `true` for states of a relation, and not for values of an attribute.
fn is_of_states(accepts: &Value) -> bool {
    let is_state = |it: &Value| ["me", "other", "none"].iter().any(|state| it == state);
    is_state(accepts) || accepts.as_array().is_some_and(|list| list.iter().all(is_state))
}

fn is_flag(bound: &Value) -> bool {
    bound.is_boolean() || bound.as_array().is_some_and(|list| list.iter().any(Value::is_boolean))
}

/// Changes a number, and the days of a relative fence.
fn limited(bound: &mut Value, by: i64) {
    let more = |limit: &Value| limit.as_i64().map(|limit| json!(limit.saturating_add(by)));
    if let Some(limit) = more(bound) {
        *bound = limit;
    } else if let Some(days) = bound.get("plus_days").and_then(more) {
        bound["plus_days"] = days;
    }
}

/// A step's kind, and its fields.
fn parts(step: &Value) -> (&str, &Value) {
    let mut kinds = step.as_object().into_iter().flatten();
    let (kind, question) = kinds.next().expect("a question");
    (kind, question)
}

/// The policy, and its variants, each with one thing less.
fn oracles(policy: &Value) -> Vec<Oracle> {
    let variants = VARIANTS.iter().map(|change| {
        let mut variant = policy.clone();
        change(&mut variant);
        Oracle::new(&variant)
    });
    [Oracle::new(policy)].into_iter().chain(variants).collect()
}

/// The question as a variant has it.
fn varied(step: &Value, change: Variant) -> Value {
    let mut step = step.clone();
    fields(Some(&mut step), |step| step.values_mut().for_each(change));
    step
}

/// The answers to a question that must stay: the policy's own, and those of the variants
/// that differ.
type Answers = BTreeMap<usize, Value>;

fn answers(oracles: &[Oracle], step: &Value) -> Answers {
    let own = oracles[0].ask(step);
    let others = oracles[1..].iter().zip(VARIANTS).enumerate();
    let others = others.map(|(at, (oracle, change))| (at + 1, oracle.ask(&varied(step, change))));
    let others: Answers = others.filter(|(_, answer)| *answer != own).collect();
    [(0, own)].into_iter().chain(others).collect()
}

/// A document of the corpus in the making.
struct Minimal {
    policy: Value,
    questions: Vec<(Value, Answers)>,
}

/// What makes two questions alike: kind, answer, what is asked for, with an object or
/// without, and what changes the answer.
type Likeness = (String, String, Option<(String, bool)>, Vec<usize>);

fn likeness(catalogue: &Catalogue, step: &Value, answers: &Answers) -> Likeness {
    let (kind, question) = parts(step);
    let need = question["action"].as_str().and_then(|action| catalogue.need(action));
    let form = need.map(|need| {
        let form = format!("{:?}", catalogue.node(&need.path).form);
        (form, question.get("object").is_some())
    });
    let answer = match &answers[&0] {
        // For a list, its length is enough.
        Value::Array(list) => format!("{} listed", list.len().min(3)),
        Value::Number(_) => "a number".to_owned(),
        answer => answer.to_string(),
    };
    (kind.to_owned(), answer, form, answers.keys().copied().collect())
}

/// A reason is an answer too.
fn with_reason(step: &Value) -> Value {
    match parts(step) {
        ("can", question) => json!({"why": question}),
        _ => step.clone(),
    }
}

fn is_question(step: &Value) -> bool {
    let read = serde_json::from_value::<Question>(step.clone());
    read.is_ok_and(|read| serde_json::to_value(read).is_ok_and(|written| written == *step))
}

impl Minimal {
    /// The questions of a case that are least like earlier ones: as a host would ask
    /// them, or reduced to what the answers need.
    fn choose(case: Case, least: bool, seen: &mut BTreeMap<Likeness, usize>) -> Minimal {
        let Case { policy, steps } = case;
        let oracles = oracles(&policy);
        let catalogue = Catalogue::new(&policy);
        let mut unlike = BTreeMap::new();
        let mut texts = BTreeSet::new();
        for step in steps.iter().map(with_reason).filter(is_question) {
            let step = if least { least_question(step, &oracles) } else { step };
            // Without objects there is nothing to ask.
            if step["filter"]["objects"].as_array().is_some_and(Vec::is_empty) {
                continue;
            }
            let answers = answers(&oracles, &step);
            if !answers.keys().any(|&at| (1..=ADDED).contains(&at)) {
                continue;
            }
            let likeness = likeness(&catalogue, &step, &answers);
            let count = seen.get(&likeness).copied().unwrap_or_default();
            if count < ALIKE && texts.insert(step.to_string()) {
                // Among these, first those that more variants change.
                unlike.insert((count, usize::MAX - answers.len(), likeness), (step, answers));
            }
        }
        let mut questions = Vec::new();
        for ((_, _, likeness), question) in unlike.into_iter().take(TOGETHER) {
            *seen.entry(likeness).or_default() += 1;
            questions.push(question);
        }
        Minimal { policy, questions }
    }

    /// Leaves out of the policy whatever can be left out, the large before the small,
    /// until nothing can.
    fn shrink(&mut self) {
        loop {
            let before = self.policy.clone();
            let mut at = 0;
            // A removed place is gone, and the next one takes its number.
            while let Some(place) = places(&self.policy).get(at).cloned() {
                let mut less = self.policy.clone();
                remove(&mut less, &place);
                if self.is_kept_by(&less) {
                    self.policy = less;
                } else {
                    at += 1;
                }
            }
            if self.policy == before {
                return;
            }
        }
    }

    fn is_kept_by(&self, policy: &Value) -> bool {
        let document = serde_json::from_value::<Document>(policy.clone());
        if document.map_or(true, |document| Policy::try_from(document).is_err()) {
            return false;
        }
        let keeps = |variant: usize| {
            let mut asked = self
                .questions
                .iter()
                .filter_map(|(step, answers)| Some((step, answers.get(&variant)?)))
                .peekable();
            asked.peek().is_none()
                || match variant.checked_sub(1).map(|at| VARIANTS[at]) {
                    None => {
                        let oracle = Oracle::new(policy);
                        asked.all(|(step, answer)| oracle.ask(step) == *answer)
                    }
                    Some(change) => {
                        let mut variant = policy.clone();
                        change(&mut variant);
                        let oracle = Oracle::new(&variant);
                        asked.all(|(step, answer)| oracle.ask(&varied(step, change)) == *answer)
                    }
                }
        };
        (0..=VARIANTS.len()).all(keeps)
    }

    /// The document as it is written: a line for each thing that has a name, and for
    /// each question.
    fn text(&self) -> String {
        let Minimal { policy, questions } = self;
        let policy: Document = serde_json::from_value(policy.clone()).expect("a document");
        let Document { catalogue, .. } = &policy;
        let mut catalogue_fields = vec![list("permissions", &catalogue.permissions, 8)];
        catalogue_fields.extend(map("objects", &catalogue.objects, 8));
        catalogue_fields.extend(map("settings", &catalogue.settings, 8));
        catalogue_fields.extend(map("editions", &catalogue.editions, 8));
        let catalogue = format!("\"catalogue\": {}", block('{', &catalogue_fields, '}', 6));
        let mut fields = vec!["\"format\": 1".to_owned(), catalogue];
        let whole = serde_json::to_value(&policy).expect("a document serializes");
        for field in ["licence", "global", "default_profile", "governance"] {
            fields.extend(whole.get(field).map(|_| match field {
                "licence" => format!("\"licence\": {}", spaced(&policy.licence)),
                "global" => format!("\"global\": {}", spaced(&policy.global)),
                "governance" => format!("\"governance\": {}", spaced(&policy.governance)),
                _ => format!("\"default_profile\": {}", spaced(&policy.default_profile)),
            }));
        }
        fields.extend(map("profiles", &policy.profiles, 6));
        fields.extend(map("roles", &policy.roles, 6));
        fields.extend(map("approval_groups", &policy.approval_groups, 6));
        fields.extend(map("groups", &policy.groups, 6));
        fields.extend(map("users", &policy.users, 6));
        let mut steps = Vec::new();
        for (asked, answers) in questions {
            let answer = &answers[&0];
            if let ("why", question) = parts(asked) {
                let can = match answer.as_str() {
                    Some(code) => json!(code == "granted" || code == "admin"),
                    None => answer.clone(),
                };
                steps.push(step(&json!({"can": question}), &can));
            }
            steps.push(step(asked, answer));
        }
        let policy = format!("\"policy\": {}", block('{', &fields, '}', 4));
        let steps = format!("\"steps\": {}", block('[', &steps, ']', 4));
        block('{', &[policy, steps], '}', 2) + "\n"
    }
}

/// Leaves out whatever makes no difference in a question's objects, or its day.
fn least_question(step: Value, oracles: &[Oracle]) -> Value {
    let kept = answers(oracles, &step);
    let mut least = step;
    let mut at = 0;
    while let Some(place) = places(&least).get(at).cloned() {
        let mut less = least.clone();
        remove(&mut less, &place);
        // With one object less, the answer would be a different one.
        let is_object = place.rsplit('/').nth(1) == Some("objects");
        if !is_object && is_question(&less) && answers(oracles, &less) == kept {
            least = less;
        } else {
            at += 1;
        }
    }
    if let Some(Value::Array(objects)) = least.pointer_mut("/filter/objects") {
        objects.dedup();
    }
    least
}

/// The places of a value's parts, the outer ones first. The states that a scope
/// accepts, and what a relation names, are whole.
fn places(value: &Value) -> Vec<String> {
    let mut level = vec![(String::new(), value)];
    let mut all = Vec::new();
    while !level.is_empty() {
        let mut next = Vec::new();
        for (place, value) in level {
            match value {
                Value::Object(map) => next.extend(map.iter().map(|(key, value)| {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    (format!("{place}/{key}"), value)
                })),
                Value::Array(items) if !is_whole(&place) => {
                    let items = items.iter().enumerate();
                    next.extend(items.map(|(at, value)| (format!("{place}/{at}"), value)));
                }
                _ => {}
            }
        }
        all.extend(next.iter().map(|(place, _)| place.clone()));
        level = next;
    }
    all
}

fn is_whole(place: &str) -> bool {
    matches!(place.rsplit('/').nth(1), Some("when" | "relations"))
}

fn remove(value: &mut Value, place: &str) {
    let (above, key) = place.rsplit_once('/').expect("a place");
    match value.pointer_mut(above).expect("it is there") {
        Value::Object(map) => {
            map.remove(&key.replace("~1", "/").replace("~0", "~"));
        }
        Value::Array(items) => {
            items.remove(key.parse().expect("a position"));
        }
        _ => unreachable!("it has parts"),
    }
}

/// In one line, with spaces.
fn spaced(value: &impl Serialize) -> String {
    struct Spaced;

    impl serde_json::ser::Formatter for Spaced {
        fn begin_array_value<W: ?Sized + io::Write>(
            &mut self,
            to: &mut W,
            first: bool,
        ) -> io::Result<()> {
            if first { Ok(()) } else { to.write_all(b", ") }
        }
        fn begin_object_key<W: ?Sized + io::Write>(
            &mut self,
            to: &mut W,
            first: bool,
        ) -> io::Result<()> {
            if first { Ok(()) } else { to.write_all(b", ") }
        }
        fn begin_object_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
            to.write_all(b": ")
        }
    }

    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, Spaced)).expect("it serializes");
    String::from_utf8(text).expect("JSON is UTF-8")
}

fn step(question: &Value, answer: &Value) -> String {
    let question: Question = serde_json::from_value(question.clone()).expect("a question");
    let answer: Answer = serde_json::from_value(answer.clone()).expect("an answer");
    let question = spaced(&question);
    let inner = question.strip_suffix('}').expect("a map");
    format!("{inner}, \"expect\": {answer}}}")
}

fn list<T: Serialize>(name: &str, items: &[T], indent: usize) -> String {
    let lines: Vec<String> = items.iter().map(spaced).collect();
    format!("\"{name}\": {}", block('[', &lines, ']', indent))
}

/// A field with an entry to a line, unless there is none.
fn map<V: Serialize>(name: &str, entries: &Map<V>, indent: usize) -> Option<String> {
    let lines: Vec<String> = entries
        .iter()
        .map(|(name, value)| format!("{}: {}", spaced(&name), spaced(value)))
        .collect();
    (!lines.is_empty()).then(|| format!("\"{name}\": {}", block('{', &lines, '}', indent)))
}

fn block(open: char, lines: &[String], close: char, indent: usize) -> String {
    let mut text = String::from(open);
    for (at, line) in lines.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        write!(text, "{comma}\n{:indent$}{line}", "").expect("a string");
    }
    write!(text, "\n{:1$}{close}", "", indent - 2).expect("a string");
    text
}

/// Writes the documents from [`FIRST`] on anew. The same each time, as long as
/// [`random::case`] draws the same.
#[test]
#[ignore = "writes files, and takes minutes"]
fn write_the_corpus() {
    let config = Config { rng_seed: RngSeed::Fixed(72), ..Config::default() };
    let mut runner = TestRunner::new(config);
    let strategy = random::case();
    let mut seen = BTreeMap::new();
    let (mut next, mut questions, mut drawn) = (FIRST, 0, 0);
    (FIRST..).map(file).take_while(|file| fs::remove_file(file).is_ok()).for_each(drop);
    while questions < QUESTIONS {
        let case = strategy.new_tree(&mut runner).expect("a case").current();
        let document = serde_json::from_value::<Document>(case.policy.clone()).expect("a document");
        if Policy::try_from(document).is_err() {
            continue;
        }
        drawn += 1;
        let mut liked = seen.clone();
        let mut minimal = Minimal::choose(case, next % 2 == 0, &mut liked);
        // A few questions are hardly worth a policy.
        if minimal.questions.len() < TOGETHER / 2 {
            continue;
        }
        seen = liked;
        minimal.shrink();
        questions += minimal.questions.len();
        fs::write(file(next), minimal.text()).expect("it can be written");
        next += 1;
        if next % 5 == 0 {
            writeln!(io::stderr(), "{questions} questions, {next} documents, {drawn} cases")
                .expect("it is written");
        }
    }
}

/// There is enough of everything, and the oracle answers as the documents say.
#[test]
fn the_corpus_has_questions_of_every_kind_and_answers_for_every_reason() {
    let mut kinds = BTreeMap::<String, usize>::new();
    let mut reasons = BTreeMap::<String, usize>::new();
    let mut bytes = 0;
    for file in fs::read_dir(Path::new(CORPUS).join("minimal")).expect("the corpus") {
        let text = fs::read_to_string(file.expect("a file").path()).expect("a document");
        bytes += text.len();
        let document: Value = serde_json::from_str(&text).expect("a test document");
        let oracle = Oracle::new(&document["policy"]);
        let mut last = None;
        for step in document["steps"].as_array().expect("steps") {
            let expect = &step["expect"];
            // A heading is asked about as in the first edition.
            let is_of_a_heading = step.get("can_some").is_some() && !expect.is_boolean();
            assert!(is_of_a_heading || oracle.ask(step) == *expect, "{step}");
            let mut asked = step.clone();
            without(&mut asked, &["expect"]);
            let (kind, question) = parts(&asked);
            *kinds.entry(kind.to_owned()).or_default() += 1;
            if let ("why", Some(code)) = (kind, expect.as_str()) {
                *reasons.entry(code.to_owned()).or_default() += 1;
            }
            // Whether comes before why.
            let can = (kind == "can").then(|| question.clone());
            if let Some(can) = mem::replace(&mut last, can) {
                assert_eq!(asked, json!({"why": can}));
            }
        }
    }
    let questions: usize = kinds.values().sum();
    assert!(questions - kinds["can"] >= 5_000, "{kinds:?}");
    // Few of the last documents ask `never`.
    let is_enough = |(kind, &count): (&String, &usize)| count >= 200 || kind == "never";
    assert!(kinds.len() == 9 && kinds.iter().all(is_enough), "{kinds:?}");
    assert!(reasons.len() == 14 && reasons.values().all(|&count| count >= 50), "{reasons:?}");
    assert!(bytes < 4_000_000, "{bytes} bytes");
}

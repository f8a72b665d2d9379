//! The part of the corpus that proves a port: thousands of questions about policies
//! without anything irrelevant.
//!
//! The documents are random cases, answered by the oracle and cut down for as long
//! as every answer stays the same. The answers alone would let too much go: with a deny
//! over an allow, the allow. So the answer that there would be without any denies must
//! stay too, and likewise for all [`VARIANTS`] of the policy. Questions are alike if
//! the same variants change their answers; this keeps any kind from coming too often.
//!
//! ```sh
//! cargo test --release -- --ignored write_the_corpus
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io, mem};

use grantree::Document;
use grantree::Policy;
use grantree::document::{Bound, Fence, Map, PermissionNode, Scope, Statements, UserEntry};
use grantree::policy_test::{Answer, Question, TestDocument};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde::Serialize;
use serde_json::{Serializer, Value};

use crate::files::CORPUS;
use crate::support::ask::Ask;
use crate::support::oracle::{Catalogue, Form, Oracle};
use crate::support::strategies::{Case, case, said_by, sources};

/// The least number of questions, not counting the reasons beside answers.
const QUESTIONS: usize = 5_000;

/// How many questions share a document, at most.
const TOGETHER: usize = 16;

/// How many are alike, at most: see [`Likeness`].
const ALIKE: usize = 10;

fn folder() -> PathBuf {
    Path::new(CORPUS).join("minimal")
}

/// A policy without something.
type Variant = fn(&mut Document);

/// What a policy may lack. Without it, an answer shows what it owes to it.
const VARIANTS: [Variant; 34] = [
    |policy| each_source(policy, |said| said.except.clear()),
    |policy| each_source(policy, |said| said.deny.clear()),
    |policy| each_source(policy, |said| said.forbid.clear()),
    |policy| each_source(policy, |said| said.levels = Map::default()),
    |policy| each_source(policy, |said| said.settings = Map::default()),
    |policy| each_source(policy, |said| said.bounds = Map::default()),
    // Every bound.
    |policy| {
        each_source(policy, |said| {
            said.bounds = mem::take(&mut said.bounds)
                .into_iter()
                .map(|(attribute, _)| (attribute, Bound::Any))
                .collect();
        });
    },
    |policy| each_limit(policy, |limit| limit.saturating_add(1)),
    |policy| each_limit(policy, |limit| limit.saturating_sub(1)),
    // The nearest patterns, and the farther ones.
    |policy| without_patterns(policy, |pattern| !pattern.ends_with('*')),
    |policy| without_patterns(policy, |pattern| pattern.ends_with(".*")),
    |policy| without_patterns(policy, |pattern| pattern.ends_with(".**")),
    |policy| without_patterns(policy, |pattern| pattern == "**"),
    // Tiers, and what brings sources.
    |policy| policy.global = Statements::default(),
    |policy| each_user(policy, |user| user.profile = None),
    |policy| each_user(policy, |user| user.roles.clear()),
    |policy| each_user(policy, |user| user.roles.truncate(1)),
    |policy| each_user(policy, |user| user.approval_groups.clear()),
    |policy| each_user(policy, |user| user.statements = Statements::default()),
    |policy| policy.roles = each(mem::take(&mut policy.roles), |role| role.includes.clear()),
    // Users.
    |policy| each_user(policy, |user| user.suspended = false),
    |policy| each_user(policy, |user| user.admin = false),
    |policy| each_user(policy, |user| user.groups.clear()),
    |policy| policy.groups = Map::default(),
    // The licence.
    |policy| policy.licence.edition = None,
    |policy| each_permission(policy, |permission| permission.feature = None),
    forbidding_what_is_unlicensed,
    // The catalogue.
    |policy| each_permission(policy, |permission| permission.requires.clear()),
    |policy| each_permission(policy, |permission| permission.implies.clear()),
    |policy| each_scope(policy, |scope| scope.requires.clear()),
    |policy| each_scope(policy, |scope| scope.implies.clear()),
    requiring_the_second_level,
    not_implying_the_highest_level,
    |policy| {
        let kinds = mem::take(&mut policy.catalogue.objects);
        policy.catalogue.objects = each(kinds, |kind| kind.checks.clear());
        each_permission(policy, |permission| permission.checks.clear());
    },
];

fn each_source(policy: &mut Document, change: impl Fn(&mut Statements)) {
    for source in sources(policy) {
        change(said_by(&source, policy));
    }
}

fn without_patterns(policy: &mut Document, drop: impl Fn(&str) -> bool) {
    each_source(policy, |said| {
        said.allow.retain(|pattern| !drop(pattern));
        said.except.retain(|pattern| !drop(pattern));
        said.deny.retain(|pattern| !drop(pattern));
        said.levels.retain(|pattern, _| !drop(pattern));
    });
}

fn each_user(policy: &mut Document, change: impl Fn(&mut UserEntry)) {
    policy.users = each(mem::take(&mut policy.users), change);
}

fn each<V>(map: Map<V>, change: impl Fn(&mut V)) -> Map<V> {
    let changed = |(name, mut value)| {
        change(&mut value);
        (name, value)
    };
    map.into_iter().map(changed).collect()
}

fn each_permission(policy: &mut Document, change: impl Fn(&mut PermissionNode)) {
    fn all(permissions: &mut [PermissionNode], change: &impl Fn(&mut PermissionNode)) {
        for permission in permissions {
            change(permission);
            all(&mut permission.children, change);
        }
    }
    all(&mut policy.catalogue.permissions, &change);
}

fn each_scope(policy: &mut Document, change: impl Fn(&mut Scope)) {
    each_permission(policy, |permission| permission.scopes.iter_mut().for_each(&change));
}

/// Changes numbers, and the days of relative fences.
fn each_limit(policy: &mut Document, change: impl Fn(i64) -> i64) {
    let changed = |bound| match bound {
        Bound::Limit(limit) => Bound::Limit(change(limit)),
        Bound::Fence(Fence::PlusDays(days)) => Bound::Fence(Fence::PlusDays(change(days))),
        Bound::Fence(Fence::Next { weekday, plus_days }) => {
            Bound::Fence(Fence::Next { weekday, plus_days: change(plus_days) })
        }
        other => other,
    };
    each_source(policy, |said| {
        let bounds = mem::take(&mut said.bounds).into_iter();
        said.bounds = bounds.map(|(attribute, bound)| (attribute, changed(bound))).collect();
    });
}

/// What is implied gates if it is forbidden, but not if it is unlicensed.
fn forbidding_what_is_unlicensed(policy: &mut Document) {
    let catalogue = Catalogue::new(policy);
    let unlicensed = catalogue.grantable().filter(|path| !catalogue.is_licensed(path));
    let unlicensed: Vec<String> = unlicensed.map(str::to_owned).collect();
    policy.global.forbid.extend(unlicensed);
    each_permission(policy, |permission| permission.feature = None);
}

fn requiring_the_second_level(policy: &mut Document) {
    each_permission(policy, |permission| {
        for path in &mut permission.requires {
            path.truncate(path.find(':').unwrap_or(path.len()));
        }
    });
}

fn not_implying_the_highest_level(policy: &mut Document) {
    let catalogue = Catalogue::new(policy);
    let graded = catalogue.nodes().filter_map(|(path, node)| Some((path, node.levels.last()?)));
    let highest: Vec<String> = graded.map(|(path, level)| format!("{path}:{level}")).collect();
    each_permission(policy, |permission| permission.implies.retain(|to| !highest.contains(to)));
}

/// The policy, and its variants, each with one thing less.
fn with_variants(policy: &Document) -> Vec<Document> {
    let variants = VARIANTS.iter().map(|change| {
        let mut variant = policy.clone();
        change(&mut variant);
        variant
    });
    [policy.clone()].into_iter().chain(variants).collect()
}

/// The answers to a question that must stay: the policy's own, and those of the variants
/// that differ.
type Answers = BTreeMap<usize, Answer>;

fn answers(oracles: &[Oracle<'_>], question: &Question) -> Answers {
    let own = oracles[0].ask(question);
    let others = oracles.iter().enumerate().skip(1);
    let others = others.map(|(at, oracle)| (at, oracle.ask(question)));
    let others: Answers = others.filter(|(_, answer)| *answer != own).collect();
    [(0, own)].into_iter().chain(others).collect()
}

/// A document of the corpus in the making.
struct Minimal {
    policy: Document,
    questions: Vec<(Question, Answers)>,
}

/// What makes two questions alike: kind, answer, what is asked for, with an object or
/// without, and what changes the answer.
type Likeness = (&'static str, String, Option<(Form, bool)>, Vec<usize>);

fn likeness(catalogue: &Catalogue<'_>, question: &Question, answers: &Answers) -> Likeness {
    let form = match question {
        Question::Why { action, object, .. } | Question::WhoCan { action, object, .. } => {
            catalogue.need(action).map(|need| (catalogue.node(&need.path).form, object.is_some()))
        }
        _ => None,
    };
    let answer = match &answers[&0] {
        // For a list, its length is enough.
        Answer::List(list) => format!("{} listed", list.len().min(3)),
        Answer::Integer(_) => "a number".to_owned(),
        Answer::Text(text) if !matches!(question, Question::Why { .. }) => text.clone(),
        answer => answer.to_string(),
    };
    (kind(question), answer, form, answers.keys().copied().collect())
}

fn kind(question: &Question) -> &'static str {
    match question {
        Question::Never { .. } => "never",
        Question::Can { .. } => "can",
        Question::Why { .. } => "why",
        Question::CanSome { .. } => "can_some",
        Question::Level { .. } => "level",
        Question::Setting { .. } => "setting",
        Question::Effective { .. } => "effective",
        Question::WhoCan { .. } => "who_can",
        Question::Filter { .. } => "filter",
        Question::Validate(_) => "validate",
        Question::Change { .. } => "change",
    }
}

impl Minimal {
    /// The questions of a case that are least like earlier ones: as a host would ask
    /// them, or reduced to what the answers need.
    fn choose(case: Case, least: bool, seen: &mut BTreeMap<Likeness, usize>) -> Minimal {
        let Case { document: policy, questions: asked, .. } = case;
        let documents = with_variants(&policy);
        let oracles: Vec<Oracle<'_>> = documents.iter().map(Oracle::new).collect();
        let mut unlike = BTreeMap::new();
        let mut texts = BTreeSet::new();
        for question in asked {
            // A reason is an answer too.
            let question = match question {
                Question::Can { user, within, action, object, today } => {
                    Question::Why { user, within, action, object, today }
                }
                other => other,
            };
            let question = match least {
                true => least_question(question, &oracles),
                false => question,
            };
            // Without objects there is nothing to ask.
            if matches!(&question, Question::Filter { objects, .. } if objects.is_empty()) {
                continue;
            }
            let answers = answers(&oracles, &question);
            let likeness = likeness(oracles[0].catalogue(), &question, &answers);
            let count = seen.get(&likeness).copied().unwrap_or_default();
            if count < ALIKE && texts.insert(json(&question)) {
                // Among these, first those that more variants change.
                unlike.insert((count, usize::MAX - answers.len(), likeness), (question, answers));
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
        let mut value = serde_json::to_value(&self.policy).expect("a document serializes");
        loop {
            let before = value.clone();
            let mut at = 0;
            // A removed place is gone, and the next one takes its number.
            while let Some(place) = places(&value).get(at).cloned() {
                let mut less = value.clone();
                remove(&mut less, &place);
                match serde_json::from_value::<Document>(less.clone()) {
                    Ok(policy) if self.is_kept_by(&policy) => {
                        value = less;
                        self.policy = policy;
                    }
                    _ => at += 1,
                }
            }
            if value == before {
                return;
            }
        }
    }

    fn is_kept_by(&self, policy: &Document) -> bool {
        if Policy::try_from(policy.clone()).is_err() {
            return false;
        }
        let keeps = |variant: usize, policy: &Document| {
            let asked = self
                .questions
                .iter()
                .filter_map(|(question, answers)| Some((question, answers.get(&variant)?)));
            let mut asked = asked.peekable();
            asked.peek().is_none() || {
                let oracle = Oracle::new(policy);
                asked.all(|(question, answer)| oracle.ask(question) == *answer)
            }
        };
        keeps(0, policy)
            && VARIANTS.iter().enumerate().all(|(at, change)| {
                let wanted =
                    self.questions.iter().any(|(_, answers)| answers.contains_key(&(at + 1)));
                !wanted || {
                    let mut variant = policy.clone();
                    change(&mut variant);
                    keeps(at + 1, &variant)
                }
            })
    }

    /// The document as it is written: a line for each thing that has a name, and for
    /// each question.
    fn text(&self) -> String {
        let Minimal { policy, questions } = self;
        let Document { catalogue, .. } = policy;
        let mut catalogue_fields = vec![list("permissions", &catalogue.permissions, 8)];
        catalogue_fields.extend(map("objects", &catalogue.objects, 8));
        catalogue_fields.extend(map("settings", &catalogue.settings, 8));
        catalogue_fields.extend(map("editions", &catalogue.editions, 8));
        let catalogue = format!("\"catalogue\": {}", block('{', &catalogue_fields, '}', 6));
        let mut fields = vec!["\"format\": 1".to_owned(), catalogue];
        let whole = serde_json::to_value(policy).expect("a document serializes");
        for field in ["licence", "global", "default_profile", "governance"] {
            fields.extend(whole.get(field).map(|_| match field {
                "licence" => format!("\"licence\": {}", json(&policy.licence)),
                "global" => format!("\"global\": {}", json(&policy.global)),
                "governance" => format!("\"governance\": {}", json(&policy.governance)),
                _ => format!("\"default_profile\": {}", json(&policy.default_profile)),
            }));
        }
        fields.extend(map("profiles", &policy.profiles, 6));
        fields.extend(map("roles", &policy.roles, 6));
        fields.extend(map("approval_groups", &policy.approval_groups, 6));
        fields.extend(map("groups", &policy.groups, 6));
        fields.extend(map("users", &policy.users, 6));
        let mut steps = Vec::new();
        for (question, answers) in questions {
            if let (Question::Why { .. }, Some(ask)) = (question, Ask::of(question)) {
                let can = match &answers[&0] {
                    Answer::Text(code) => Answer::Boolean(code == "granted" || code == "admin"),
                    error => error.clone(),
                };
                steps.push(step(&ask.can(), &can));
            }
            steps.push(step(question, &answers[&0]));
        }
        let policy = format!("\"policy\": {}", block('{', &fields, '}', 4));
        let steps = format!("\"steps\": {}", block('[', &steps, ']', 4));
        block('{', &[policy, steps], '}', 2) + "\n"
    }
}

/// Leaves out whatever makes no difference in a question's objects, or its day.
fn least_question(question: Question, oracles: &[Oracle<'_>]) -> Question {
    let kept = answers(oracles, &question);
    let mut least = question;
    let mut value = serde_json::to_value(&least).expect("a question serializes");
    let mut at = 0;
    while let Some(place) = places(&value).get(at).cloned() {
        let mut less = value.clone();
        remove(&mut less, &place);
        // With one object less, the answer would be a different one.
        let is_object = place.rsplit('/').nth(1) == Some("objects");
        match serde_json::from_value::<Question>(less.clone()).ok() {
            Some(question) if !is_object && answers(oracles, &question) == kept => {
                value = less;
                least = question;
            }
            _ => at += 1,
        }
    }
    if let Question::Filter { objects, .. } = &mut least {
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
fn json(value: &impl Serialize) -> String {
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

fn step(question: &Question, answer: &Answer) -> String {
    let question = json(question);
    let inner = question.strip_suffix('}').expect("a map");
    format!("{inner}, \"expect\": {answer}}}")
}

fn list<T: Serialize>(name: &str, items: &[T], indent: usize) -> String {
    let lines: Vec<String> = items.iter().map(json).collect();
    format!("\"{name}\": {}", block('[', &lines, ']', indent))
}

/// A field with an entry to a line, unless there is none.
fn map<V: Serialize>(name: &str, entries: &Map<V>, indent: usize) -> Option<String> {
    let lines: Vec<String> =
        entries.iter().map(|(name, value)| format!("{}: {}", json(&name), json(value))).collect();
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

/// Writes `tests/corpus/minimal/` anew. The same each time, as long as
/// [`case`] draws the same.
#[test]
#[ignore = "writes files, and takes minutes"]
fn write_the_corpus() {
    let config = Config { rng_seed: RngSeed::Fixed(72), ..Config::default() };
    let mut runner = TestRunner::new(config);
    let strategy = case();
    let mut seen = BTreeMap::new();
    let (mut written, mut questions, mut drawn) = (0, 0, 0);
    fs::remove_dir_all(folder())
        .or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })
        .expect("it can be written");
    fs::create_dir_all(folder()).expect("it can be written");
    while questions < QUESTIONS {
        let case = strategy.new_tree(&mut runner).expect("a case").current();
        drawn += 1;
        let mut liked = seen.clone();
        let mut minimal = Minimal::choose(case, written % 2 == 0, &mut liked);
        // A few questions are hardly worth a policy.
        if minimal.questions.len() < TOGETHER / 2 {
            continue;
        }
        seen = liked;
        minimal.shrink();
        written += 1;
        questions += minimal.questions.len();
        let file = folder().join(format!("{written:03}.json"));
        fs::write(file, minimal.text()).expect("it can be written");
        if written % 20 == 0 {
            writeln!(io::stderr(), "{questions} questions, {written} documents of {drawn} cases")
                .expect("it is written");
        }
    }
}

/// There is enough of everything, and the oracle answers as the documents say.
#[test]
fn the_corpus_has_questions_of_every_kind_and_answers_for_every_reason() {
    let mut kinds = BTreeMap::<&str, usize>::new();
    let mut reasons = BTreeMap::<String, usize>::new();
    let mut bytes = 0;
    for file in fs::read_dir(folder()).expect("the corpus") {
        let text = fs::read_to_string(file.expect("a file").path()).expect("a document");
        bytes += text.len();
        let document: TestDocument = serde_json::from_str(&text).expect("a test document");
        let policy = document.policy.expect("a policy of its own");
        let oracle = Oracle::new(&policy);
        let mut last = None;
        for step in document.steps {
            assert_eq!(oracle.ask(&step.question), step.expect, "{}", step.question);
            *kinds.entry(kind(&step.question)).or_default() += 1;
            if let (Question::Why { .. }, Answer::Text(code)) = (&step.question, &step.expect) {
                *reasons.entry(code.clone()).or_default() += 1;
            }
            // Whether comes before why.
            let asked = match &step.question {
                Question::Can { .. } => Ask::of(&step.question),
                _ => None,
            };
            if let Some(can) = mem::replace(&mut last, asked) {
                assert_eq!(step.question, can.why());
            }
        }
    }
    let questions: usize = kinds.values().sum();
    assert!(questions - kinds["can"] >= QUESTIONS, "{kinds:?}");
    assert!(kinds.len() == 8 && kinds.values().all(|&count| count >= 200), "{kinds:?}");
    assert!(reasons.len() == 13 && reasons.values().all(|&count| count >= 50), "{reasons:?}");
    assert!(bytes < 2_000_000, "{bytes} bytes");
}

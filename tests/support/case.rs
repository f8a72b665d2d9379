//! Random cases, as the library reads them.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use fastrand::Rng;
use grantree::document::{Map, PermissionNode, Statements};
use grantree::object::DynamicObject;
use grantree::policy_test::{Answer, Question};
use grantree::{Document, Engine, Moment, Policy, SourceName};
use proptest::prelude::*;
use serde_json::Value;

use crate::ask::Ask;
use crate::oracle::Oracle;
use crate::oracle::catalogue::Catalogue;
use crate::oracle::source::nearness;
use crate::random;

/// A valid policy, and the questions about it that can be read.
///
/// Its debug form is a test document.
#[derive(Clone)]
pub struct Case {
    pub drawn: random::Case,
    pub document: Document,
    pub policy: Policy,
    pub questions: Vec<Question>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.drawn.fmt(f)
    }
}

/// A random case.
pub fn case() -> impl Strategy<Value = Case> {
    random::case().prop_filter_map("a policy is refused", Case::read)
}

impl Case {
    /// Reads a case; `None` if its policy is refused, as a few are.
    pub fn read(drawn: random::Case) -> Option<Case> {
        let document: Document = serde_json::from_value(drawn.policy.clone()).expect("a document");
        let policy = Policy::try_from(document.clone()).ok()?;
        let questions = drawn.steps.iter().cloned();
        let questions = questions.filter_map(|step| serde_json::from_value(step).ok()).collect();
        Some(Case { drawn, document, policy, questions })
    }

    /// The same without assignments, and without questions that bring or name some.
    pub fn ordinary(&self) -> Case {
        let mut drawn = self.drawn.clone();
        let users = drawn.policy["users"].as_object_mut();
        users.into_iter().flat_map(|it| it.values_mut()).for_each(|user| {
            user.as_object_mut().expect("a user").remove("assignments");
        });
        drawn.steps.retain(|step| !step.to_string().contains("assignment"));
        Case::read(drawn).expect("it stays valid")
    }

    pub fn engine(&self) -> Engine {
        Engine::new(&self.policy)
    }

    pub fn oracle(&self) -> Oracle {
        Oracle::new(&self.drawn.policy)
    }

    pub fn catalogue(&self) -> Catalogue {
        Catalogue::new(&self.drawn.policy)
    }

    /// Dice of the case's own: the same each time.
    pub fn dice(&self) -> Rng {
        let mut hasher = DefaultHasher::new();
        self.drawn.policy.to_string().hash(&mut hasher);
        Rng::with_seed(hasher.finish())
    }

    /// Sources and patterns, for the laws that add statements.
    pub fn tweaks(&self) -> Vec<Tweak> {
        let catalogue = self.catalogue();
        let is_match = |pattern: &String| {
            catalogue.grantable().any(|path| nearness(&catalogue, pattern, path).is_some())
        };
        let paths = catalogue.nodes().map(|(path, _)| path);
        let patterns =
            paths.flat_map(|path| ["", ".*", ".**"].map(|reach| format!("{path}{reach}")));
        let patterns = patterns.chain(["*", "**"].map(str::to_owned));
        let patterns: Vec<String> = patterns.filter(is_match).collect();
        let kinds = self.document.catalogue.objects.iter();
        let attributes = kinds.flat_map(|(kind, it)| {
            it.attributes.iter().map(move |(name, _)| format!("{kind}.{name}"))
        });
        let attributes: Vec<String> = attributes.collect();
        let (mut dice, sources) = (self.dice(), sources(&self.document));
        let tweak = |_| Tweak {
            source: dice.choice(&sources).expect("the global source").clone(),
            pattern: dice.choice(&patterns).cloned(),
            attribute: dice.choice(&attributes).cloned(),
        };
        (0..3).map(tweak).collect()
    }
}

/// A statement that could be added.
#[derive(Clone, Debug)]
pub struct Tweak {
    /// The source that would state it.
    pub source: SourceName,
    /// The pattern; `None` where the catalogue has no permission to grant.
    pub pattern: Option<String>,
    /// The attribute, `kind.attribute`; `None` where there is none.
    pub attribute: Option<String>,
}

/// The statements of a source.
pub fn said_by<'a>(source: &SourceName, document: &'a mut Document) -> &'a mut Statements {
    let known = "a source of the document";
    match source {
        SourceName::Global => &mut document.global,
        SourceName::Profile(name) => &mut document.profiles.get_mut(name).expect(known).statements,
        SourceName::Role(name) => &mut document.roles.get_mut(name).expect(known).source.statements,
        SourceName::ApprovalGroup(name) => {
            &mut document.approval_groups.get_mut(name).expect(known).statements
        }
        SourceName::User(name) => &mut document.users.get_mut(name).expect(known).statements,
    }
}

/// All sources of a document but those of assignments.
pub fn sources(document: &Document) -> Vec<SourceName> {
    fn names<V>(map: &Map<V>) -> impl Iterator<Item = String> {
        map.iter().map(|(name, _)| name.to_owned())
    }
    let mut all = vec![SourceName::Global];
    all.extend(names(&document.profiles).map(SourceName::Profile));
    all.extend(names(&document.roles).map(SourceName::Role));
    all.extend(names(&document.approval_groups).map(SourceName::ApprovalGroup));
    all.extend(names(&document.users).map(SourceName::User));
    all
}

/// A document as JSON, for the oracle.
pub fn value(document: &Document) -> Value {
    serde_json::to_value(document).expect("a document serializes")
}

pub fn policy(document: &Document) -> Policy {
    match Policy::try_from(document.clone()) {
        Ok(policy) => policy,
        Err(problems) => panic!("a valid policy is refused:\n{problems}"),
    }
}

pub fn engine(document: &Document) -> Engine {
    Engine::new(&policy(document))
}

pub fn ask(engine: &Engine, question: &Question) -> Answer {
    question.ask(engine).unwrap_or(Answer::Error)
}

pub fn text(text: &str) -> Answer {
    Answer::Text(text.to_owned())
}

pub fn texts(answer: &Answer) -> Vec<String> {
    let Answer::List(list) = answer else { panic!("not a list: {answer}") };
    list.iter()
        .map(|item| match item {
            Answer::Text(text) => text.clone(),
            other => panic!("not a text: {other}"),
        })
        .collect()
}

pub fn json(question: &impl serde::Serialize) -> String {
    serde_json::to_string(question).expect("a question serializes")
}

/// The questions of a case that are about one decision.
pub fn asks(case: &Case) -> impl Iterator<Item = Ask> {
    case.questions.iter().filter_map(Ask::of)
}

/// The users, actions and days of a case's questions about objects.
pub fn filters(case: &Case) -> impl Iterator<Item = (&str, &str, Option<Moment>)> {
    case.questions.iter().filter_map(|question| match question {
        Question::Can { user, action, today, .. }
        | Question::Why { user, action, today, .. }
        | Question::Filter { user, action, today, .. } => {
            Some((user.name(), action.as_str(), today.value().copied()))
        }
        _ => None,
    })
}

/// The objects of all questions of a case.
pub fn objects(case: &Case) -> Vec<&DynamicObject> {
    let objects = case.questions.iter().flat_map(|question| match question {
        Question::Can { object, .. }
        | Question::Why { object, .. }
        | Question::WhoCan { object, .. } => object.as_slice(),
        Question::Filter { objects, .. } => objects,
        _ => &[],
    });
    objects.collect()
}

pub fn each<V>(map: Map<V>, mut change: impl FnMut(&mut V)) -> Map<V> {
    map.into_iter()
        .map(|(name, mut value)| {
            change(&mut value);
            (name, value)
        })
        .collect()
}

pub fn each_permission(
    permissions: &mut [PermissionNode],
    change: &mut impl FnMut(&mut PermissionNode),
) {
    for permission in permissions {
        change(permission);
        each_permission(&mut permission.children, change);
    }
}

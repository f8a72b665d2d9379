//! Test documents: a policy's authors state what it should answer, and the
//! engine checks that it does.
//!
//! A [`TestDocument`] is a policy and the steps to take with it, each a
//! [`Question`] with the [`Answer`] that it should have. A host keeps such
//! documents beside its policy, and runs them in its own tests:
//!
//! ```
//! use grantree::policy_test::TestDocument;
//!
//! let text = r#"{
//!     "policy": {
//!         "format": 1,
//!         "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
//!         "users": {"bob": {"allow": ["orders.export"]}}
//!     },
//!     "steps": [
//!         {"can": {"user": "bob", "action": "orders.export"}, "expect": false},
//!         {"why": {"user": "bob", "action": "orders.export"}, "expect": "gated"}
//!     ]
//! }"#;
//! let document: TestDocument = serde_json::from_str(text)?;
//! let report = document.run(None)?;
//! assert_eq!((report.passed, report.failures.len()), (2, 0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod question;

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;

pub use question::{
    Answer, Ask, AskEffective, AskFilter, AskLevel, AskSetting, AskSome, AskWho, ChangeStep,
    Question,
};

use crate::change::Refusal;
use crate::document::Document;
use crate::engine::{Engine, Unknown};
use crate::policy::Policy;
use crate::problem::Problems;

/// A test document.
///
/// A `note` beside a step is for people, as are the document's own `name`,
/// `description` and `note`.
///
/// ```
/// use grantree::policy_test::TestDocument;
///
/// let document: TestDocument = serde_json::from_str(
///     r#"{"name": "orders",
///         "steps": [{"who_can": {"action": "orders"}, "expect": ["alice"], "note": "for now"}]}"#,
/// )?;
/// assert!(document.policy.is_none());
/// assert_eq!(document.steps.len(), 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "DocumentFields")]
pub struct TestDocument {
    /// The policy; absent where the runner is given one.
    pub policy: Option<Document>,
    /// The questions, each with its answer.
    pub steps: Vec<Step>,
}

/// A question, and what the answer should be.
///
/// ```
/// use grantree::policy_test::{Answer, Step};
///
/// let step: Step = serde_json::from_str(
///     r#"{"can": {"user": "bob", "action": "orders.export"}, "expect": false}"#,
/// )?;
/// assert_eq!(step.question.to_string(), r#"can "bob" orders.export"#);
/// assert_eq!(step.expect, Answer::Boolean(false));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "StepFields")]
pub struct Step {
    /// The question.
    pub question: Question,
    /// The answer.
    pub expect: Answer,
}

/// How a test document went.
///
/// ```
/// # use grantree::{Document, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "users": {"bob": {"allow": ["orders"]}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::policy_test::TestDocument;
///
/// let document: TestDocument = serde_json::from_str(
///     r#"{"steps": [
///         {"can": {"user": "bob", "action": "orders"}, "expect": true},
///         {"who_can": {"action": "orders"}, "expect": []}]}"#,
/// )?;
/// let report = document.run(Some(&policy))?;
/// assert_eq!(report.passed, 1);
/// assert_eq!(report.failures[0].step, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many steps had the answer that was expected.
    pub passed: usize,
    /// The steps that had another.
    pub failures: Vec<Failure>,
}

/// A step that had another answer than expected.
///
/// Displays as one line.
///
/// ```
/// # use grantree::{Document, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "users": {"bob": {"allow": ["orders"]}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::policy_test::TestDocument;
///
/// let document: TestDocument = serde_json::from_str(
///     r#"{"steps": [{"can": {"user": "bob", "action": "orders"}, "expect": false}]}"#,
/// )?;
/// let failure = &document.run(Some(&policy))?.failures[0];
/// assert_eq!(failure.to_string(), r#"step 0: can "bob" orders: expected false, got true"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The number of the step, from 0.
    pub step: usize,
    /// The question.
    pub question: Question,
    /// The answer that was expected.
    pub expected: Answer,
    /// The actual answer, or the unknown name in the question.
    pub got: Result<Answer, Unknown>,
    /// Why a change was refused, if it was.
    pub refusal: Option<Refusal>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { step, question, expected, got, refusal } = self;
        write!(f, "step {step}: {question}: expected {expected}, got ")?;
        match (got, refusal) {
            (_, Some(refusal)) => write!(f, "{refusal}"),
            (Ok(answer), None) => answer.fmt(f),
            (Err(unknown), None) => write!(f, "an error, {unknown}"),
        }
    }
}

/// Why a test document can't be run.
///
/// ```
/// use grantree::policy_test::{RunError, TestDocument};
///
/// let text = r#"{
///     "policy": {"format": 1, "catalogue": {}, "default_profile": "planner"},
///     "steps": []
/// }"#;
/// let document: TestDocument = serde_json::from_str(text)?;
/// let RunError::Problems(problems) = document.run(None).unwrap_err() else { panic!("{document:?}") };
/// assert_eq!(problems.to_string(), "default_profile: unknown profile `planner`");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It has no policy, and none was given.
    #[error("the document has no policy, and none was given")]
    NoPolicy,
    /// Its policy has problems.
    #[error(transparent)]
    Problems(#[from] Problems),
}

impl TestDocument {
    /// Asks every question: of the document's own policy or, where it has none,
    /// of the one given.
    ///
    /// # Errors
    ///
    /// Where a question needs a policy and there is none, or the document's policy
    /// has problems.
    ///
    /// ```
    /// # use grantree::{Document, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "users": {"alice": {"allow": ["orders"]}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// use grantree::policy_test::{RunError, TestDocument};
    ///
    /// let steps = r#"{"steps": [{"who_can": {"action": "orders"}, "expect": ["alice"]}]}"#;
    /// let document: TestDocument = serde_json::from_str(steps)?;
    /// assert_eq!(document.run(Some(&policy))?.passed, 1);
    /// assert!(matches!(document.run(None), Err(RunError::NoPolicy)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run(&self, policy: Option<&Policy>) -> Result<Report, RunError> {
        let own = self.policy.clone().map(Policy::try_from).transpose()?;
        let mut engine = own.as_ref().or(policy).map(Engine::new);
        let mut report = Report::default();
        for (at, step) in self.steps.iter().enumerate() {
            let mut refusal = None;
            let got = match (&step.question, &mut engine) {
                (Question::Validate(document), _) => Ok(question::validate(document)),
                (Question::Change(change), Some(engine)) => {
                    let applied = change.apply(engine);
                    let answer = question::outcome(&applied);
                    refusal = applied.err();
                    Ok(answer)
                }
                (question, Some(engine)) => question.ask(engine),
                (_, None) => return Err(RunError::NoPolicy),
            };
            let as_expected = match &got {
                Ok(answer) => *answer == step.expect,
                Err(_) => step.expect == Answer::Error,
            };
            if as_expected {
                report.passed = report.passed.saturating_add(1);
            } else {
                report.failures.push(Failure {
                    step: at,
                    question: step.question.clone(),
                    expected: step.expect.clone(),
                    got,
                    refusal,
                });
            }
        }
        Ok(report)
    }
}

/// A test document as written: what there is to it, and notes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a test document")]
struct DocumentFields {
    #[serde(default)]
    policy: Option<Document>,
    steps: Vec<Step>,
    #[serde(default, rename = "name")]
    _name: IgnoredAny,
    #[serde(default, rename = "description")]
    _description: IgnoredAny,
    #[serde(default, rename = "note")]
    _note: IgnoredAny,
}

impl From<DocumentFields> for TestDocument {
    fn from(DocumentFields { policy, steps, .. }: DocumentFields) -> TestDocument {
        TestDocument { policy, steps }
    }
}

/// A step as written: one of the questions, the answer and a note.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a step")]
struct StepFields {
    can: Option<Ask>,
    can_some: Option<AskSome>,
    level: Option<AskLevel>,
    setting: Option<AskSetting>,
    effective: Option<AskEffective>,
    who_can: Option<AskWho>,
    why: Option<Ask>,
    filter: Option<AskFilter>,
    validate: Option<Box<Document>>,
    change: Option<ChangeStep>,
    expect: Answer,
    #[serde(default, rename = "note")]
    _note: IgnoredAny,
}

impl TryFrom<StepFields> for Step {
    type Error = &'static str;

    fn try_from(fields: StepFields) -> Result<Step, &'static str> {
        let mut questions = [
            fields.can.map(Question::Can),
            fields.can_some.map(Question::CanSome),
            fields.level.map(Question::Level),
            fields.setting.map(Question::Setting),
            fields.effective.map(Question::Effective),
            fields.who_can.map(Question::WhoCan),
            fields.why.map(Question::Why),
            fields.filter.map(Question::Filter),
            fields.validate.map(Question::Validate),
            fields.change.map(|change| Question::Change(Box::new(change))),
        ]
        .into_iter()
        .flatten();
        match (questions.next(), questions.next()) {
            (Some(question), None) => Ok(Step { question, expect: fields.expect }),
            (None, _) => Err("a step without a question"),
            (Some(_), Some(_)) => Err("a step with several questions"),
        }
    }
}

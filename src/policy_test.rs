//! Test documents: a policy's authors state the answers that they expect, and the
//! engine checks them.
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
//!         {"why": {"user": "bob", "action": "orders.export"}, "expect": "gated"},
//!         {"who_can": {"action": "orders.export"}, "expect": ["bob"], "note": "wrong"}
//!     ]
//! }"#;
//! let document: TestDocument = serde_json::from_str(text)?;
//! let report = document.run(None)?;
//! assert_eq!(report.passed, 2);
//! let failure = report.failures[0].to_string();
//! assert_eq!(failure, r#"step 2: who_can orders.export: expected ["bob"], got []"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod coverage;
mod edges;
mod mutants;
mod mutation;
mod question;
mod read;
mod witness;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use answer::Answer;
pub use coverage::{Coverage, Covered};
#[cfg(feature = "testing")]
pub(crate) use edges::Edges;
pub use mutants::{Fate, Mutant, Mutants, Survivor};
pub use mutation::Mutation;
pub use question::{Given, Malformed, Principal, Question};

use crate::change::Refusal;
use crate::document::Document;
use crate::engine::{Engine, Unknown};
use crate::policy::Policy;
use crate::problem::Problems;

/// A policy, and the questions to ask of it with their answers.
///
/// A `note` beside a step is for people, as are the document's own `name`,
/// `description` and `note`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "read::DocumentFields")]
pub struct TestDocument {
    /// The policy; absent where the runner is given one.
    pub policy: Option<Document>,
    /// The questions, each with its answer.
    pub steps: Vec<Step>,
}

/// A question, and the answer that it should have.
///
/// It serializes as a step of a test document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The question.
    #[serde(flatten)]
    pub question: Question,
    /// The answer.
    pub expect: Answer,
}

/// The result of running a test document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The number of steps that had the expected answer.
    pub passed: usize,
    /// The steps that had another.
    pub failures: Vec<Failure>,
}

/// A step that had another answer than expected.
///
/// Displays as one line.
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
    /// The refusal, where a change was refused; `got` is its code.
    pub refusal: Option<Refusal>,
    /// A question that shows why the answer of [`Question::Never`] or
    /// [`Question::NoNewAccess`] is no, since its own answer is yes.
    pub counterexample: Option<Box<Question>>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { step, question, expected, got, refusal, counterexample } = self;
        write!(f, "step {step}: {question}: expected {expected}, got ")?;
        match (got, refusal) {
            (_, Some(refusal)) => write!(f, "{refusal}")?,
            (Ok(answer), None) => answer.fmt(f)?,
            (Err(unknown), None) => write!(f, "an error, {unknown}")?,
        }
        counterexample.iter().try_for_each(|example| write!(f, ", as of this it is yes: {example}"))
    }
}

/// The reason why a test document can't be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// It has no policy, and none was given.
    #[error("the document has no policy, and none was given")]
    NoPolicy,
    /// Its policy has problems.
    #[error(transparent)]
    Problems(#[from] Problems),
    /// A step fails on the policy itself, of which there are to be mutants.
    #[error("step {step} fails on the policy itself: {question}")]
    Fails {
        /// The number of the step, from 0.
        step: usize,
        /// Its question.
        question: Box<Question>,
    },
}

impl TestDocument {
    /// Asks every question: of the document's own policy or, where it has none,
    /// of the one given.
    ///
    /// A change that is applied stays in force for the steps after it.
    ///
    /// # Errors
    ///
    /// If a question needs a policy and there is none, or the document's policy
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
        let mut engine = self.policy_or(policy)?.as_ref().map(Engine::new);
        let mut report = Report::default();
        for (step, Step { question, expect }) in self.steps.iter().enumerate() {
            let (got, refusal) = question.take(&mut engine)?;
            if *got.as_ref().unwrap_or(&Answer::Error) == *expect {
                report.passed = report.passed.saturating_add(1);
                continue;
            }
            let counterexample = match (&got, &engine) {
                (Ok(Answer::Boolean(false)), Some(engine)) => {
                    witness::counterexample(question, engine)
                }
                _ => None,
            };
            let counterexample = counterexample.map(Box::new);
            let (question, expected) = (question.clone(), expect.clone());
            report.failures.push(Failure {
                step,
                question,
                expected,
                got,
                refusal,
                counterexample,
            });
        }
        Ok(report)
    }

    /// Returns the mutants of the document's own policy or, where it has none, of the one
    /// given, each with its fate: see [`Mutants`].
    ///
    /// # Errors
    ///
    /// If there is no policy, the document's policy has problems, or a step fails on it.
    ///
    /// ```
    /// use grantree::policy_test::{Fate, TestDocument};
    ///
    /// let text = r#"{
    ///     "policy": {
    ///         "format": 1,
    ///         "catalogue": {"permissions": [{"key": "orders"}, {"key": "reports"}]},
    ///         "roles": {"clerk": {"allow": ["orders", "reports"]}},
    ///         "users": {"bob": {"roles": ["clerk"]}}
    ///     },
    ///     "steps": [{"can": {"user": "bob", "action": "orders"}, "expect": true}]
    /// }"#;
    /// let document: TestDocument = serde_json::from_str(text)?;
    /// let mut survivors = document.mutants(None)?.filter(|it| matches!(it.fate, Fate::Survived(_)));
    /// let mutant = survivors.next().unwrap();
    /// assert_eq!(mutant.to_string(), "\
    /// roles.clerk.allow[1]: drop `reports`
    ///   1 user: `bob`
    ///     loses `reports`
    ///   no step fails; this one would: can \"bob\" reports: expected true
    /// ");
    /// let Fate::Survived(survivor) = mutant.fate else { unreachable!() };
    /// assert_eq!(
    ///     serde_json::to_string(&survivor.step)?,
    ///     r#"{"can":{"user":"bob","action":"reports"},"expect":true}"#,
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn mutants(&self, policy: Option<&Policy>) -> Result<Mutants<'_>, RunError> {
        let policy = self.policy_or(policy)?.ok_or(RunError::NoPolicy)?;
        Mutants::new(&policy, [self])
    }

    /// Returns the statements, scopes and remedies that the steps exercise of the document's
    /// own policy or, where it has none, of the one given: see [`Coverage`].
    ///
    /// # Errors
    ///
    /// If there is no policy, or the document's policy has problems.
    pub fn coverage(&self, policy: Option<&Policy>) -> Result<Coverage, RunError> {
        let policy = self.policy_or(policy)?.ok_or(RunError::NoPolicy)?;
        Ok(Coverage::new(&policy, [self]))
    }

    /// Returns the document's own policy or, where it has none, the one given.
    fn policy_or(&self, policy: Option<&Policy>) -> Result<Option<Policy>, Problems> {
        let own = self.policy.clone().map(Policy::try_from).transpose()?;
        Ok(own.or_else(|| policy.cloned()))
    }

    /// Returns the first step that fails, and its number.
    fn first_failure(&self, engine: &Engine) -> Option<(usize, &Step)> {
        let engine = &mut Some(engine.clone());
        let mut steps = self.steps.iter().enumerate();
        steps.find(|(_, Step { question, expect })| {
            let got = question.take(engine).map(|(got, _)| got.unwrap_or(Answer::Error));
            got.as_ref() != Ok(expect)
        })
    }
}

impl Step {
    /// Returns whether an engine gives the expected answer.
    fn passes(&self, engine: &Engine) -> bool {
        self.question.ask(engine).unwrap_or(Answer::Error) == self.expect
    }
}

impl Question {
    /// Asks an engine; a change that is applied puts the next one in its place.
    fn take(&self, engine: &mut Option<Engine>) -> Result<Taken, RunError> {
        let mut refusal = None;
        let got = match (self, engine) {
            (Question::Validate(document), _) => Ok(question::validate(document)),
            (Question::Change { actor, today, change }, Some(engine)) => {
                question::day(today).map(|today| {
                    let actor = actor.as_deref();
                    refusal = question::apply(engine, actor, today, change.as_deref()).err();
                    question::outcome(refusal.as_ref())
                })
            }
            (_, Some(engine)) => self.ask(engine),
            (_, None) => return Err(RunError::NoPolicy),
        };
        Ok((got, refusal))
    }
}

/// An answer, and the refusal where it is one of a change.
type Taken = (Result<Answer, Unknown>, Option<Refusal>);

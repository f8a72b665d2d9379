//! The engine held to the oracle, on random policies.

mod asking;
mod changes;
mod explanations;
mod extracts;
mod game;
mod reading;
mod small;
mod views;

use std::cell::Cell;

use grantree::change::{Actor, Change};
use grantree::policy_test::{Question, TestDocument};
use grantree::{Document, Engine, Policy};
use proptest::prop_assert_eq;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use serde_json::{Value, json};
use support::oracle::Oracle;
use support::random::{Case, case};

/// The number of random policies, unless `CASES` names another.
const CASES: u32 = 400;

#[test]
fn the_engine_answers_as_the_oracle_does() {
    check(CASES, |case, policy| {
        let document = expected(case);
        let report = document.run(Some(policy)).expect("a policy");
        match report.failures.first() {
            None => Ok(report.passed),
            Some(failure) => Err(TestCaseError::fail(format!("{failure}\n{}", case.policy))),
        }
    });
}

#[test]
fn a_policy_is_the_same_after_it_was_written_read_and_revised() {
    check(CASES / 4, |case, policy| {
        let document = Document::from(policy);
        let text = serde_json::to_string(&document).expect("JSON");
        prop_assert_eq!(&document, &serde_json::from_str(&text).expect("a document"));
        let again = Policy::try_from(document.clone()).expect("a policy");
        prop_assert_eq!(again.digest(), policy.digest());
        let revised = policy.revise(document).expect("a policy").policy;
        prop_assert_eq!(revised.digest(), policy.digest());
        let report = expected(case).run(Some(&revised)).expect("a policy");
        prop_assert_eq!(&report.failures, &[]);
        Ok(report.passed)
    });
}

/// Takes all assignments from everybody, one by one, and gives them back: the engines that
/// follow answer as engines made anew, and in the end as before.
#[test]
fn engines_follow_assignments() {
    check(CASES / 4, |case, policy| {
        let questions = expected(case).steps.into_iter().map(|step| step.question);
        let questions: Vec<Question> = questions.collect();
        let mut engine = Engine::new(policy);
        let before: Vec<_> = questions.iter().map(|question| question.ask(&engine)).collect();
        let (mut taken, mut given) = (Vec::new(), Vec::new());
        for (user, entry) in Document::from(policy).users.iter() {
            for (name, assignment) in entry.assignments.iter() {
                let set = |assignment| Change::SetAssignment {
                    user: user.to_owned(),
                    name: name.to_owned(),
                    assignment,
                };
                taken.push(set(None));
                given.push(set(Some(Box::new(assignment.clone()))));
            }
        }
        let mut compared = 0;
        for change in taken.iter().chain(&given) {
            let applied = engine.policy().apply(Actor::Host, change).expect("it can be made");
            engine = engine.updated(&applied.policy);
            let anew = Engine::new(&applied.policy);
            for question in &questions {
                prop_assert_eq!(question.ask(&engine), question.ask(&anew), "{}", question);
                compared += 1;
            }
        }
        // Nobody's assignments are in another order, for they are given back in theirs.
        for (question, before) in questions.iter().zip(before) {
            prop_assert_eq!(question.ask(&engine), before, "{}", question);
            compared += 1;
        }
        Ok(compared)
    });
}

/// Holds a law to random policies; it returns how much it compared.
fn check(cases: u32, law: impl Fn(&Case, &Policy) -> Result<usize, TestCaseError>) {
    let cases = std::env::var("CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(cases);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let (compared, refused) = (Cell::new(0), Cell::new(0));
    let result = TestRunner::new(config).run(&case(), |case| {
        let document: Document = serde_json::from_value(case.policy.clone()).expect("a document");
        match Policy::try_from(document) {
            Ok(policy) => compared.set(compared.get() + law(&case, &policy)?),
            Err(_) => refused.set(refused.get() + 1),
        }
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, case)) => panic!("{reason}\n{case:?}"),
        Err(error) => panic!("{error}"),
    }
    assert!(refused.get() * 20 <= cases, "{} of {cases} policies are refused", refused.get());
    assert!(compared.get() > 5 * cases as usize, "{} answers", compared.get());
}

/// The steps of a case, with the oracle's answers.
fn expected(case: &Case) -> TestDocument {
    let oracle = Oracle::new(&case.policy);
    let steps = case.steps.iter().map(|step| {
        let mut step = step.clone();
        step["expect"] = oracle.ask(&step);
        step
    });
    let steps: Vec<Value> = steps.collect();
    serde_json::from_value(json!({ "steps": steps })).expect("steps")
}

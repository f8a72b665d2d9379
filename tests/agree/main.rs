//! The engine held to the oracle of the second edition, on random policies.

#[path = "../support/oracle2/mod.rs"]
mod oracle2;
#[path = "../support/random2/mod.rs"]
mod random2;

use std::cell::Cell;

use grantree::policy_test::TestDocument;
use grantree::{Document, Policy};
use oracle2::Oracle2;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use random2::{Case2, case2};
use serde_json::json;

/// The number of random policies, unless `CASES` names another.
const CASES: u32 = 400;

#[test]
fn the_engine_answers_as_the_oracle_does() {
    let cases = std::env::var("CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let mut runner =
        TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let (answered, refused) = (Cell::new(0), Cell::new(0));
    let result = runner.run(&case2(), |case| {
        let document: Document = serde_json::from_value(case.policy.clone()).expect("a document");
        let policy = match Policy::try_from(document) {
            Ok(policy) => policy,
            Err(_) => {
                refused.set(refused.get() + 1);
                return Ok(());
            }
        };
        answered.set(answered.get() + agree(&case, &policy)?);
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, case)) => panic!("{reason}\n{case:?}"),
        Err(error) => panic!("{error}"),
    }
    assert!(refused.get() * 20 <= cases, "{} of {cases} policies are refused", refused.get());
    assert!(answered.get() > 10 * cases as usize, "{} answers", answered.get());
}

/// Compares the answers, and returns how many there are.
fn agree(case: &Case2, policy: &Policy) -> Result<usize, TestCaseError> {
    let oracle = Oracle2::new(&case.policy);
    let steps: Vec<_> = case
        .steps
        .iter()
        .filter(|step| std::env::var("NOFILTER").is_err() || step.get("filter").is_none())
        .collect();
    let expected = steps.iter().map(|&step| {
        let mut step = step.clone();
        step["expect"] = oracle.ask(&step);
        step
    });
    let document: TestDocument =
        serde_json::from_value(json!({"steps": expected.collect::<Vec<_>>()})).expect("steps");
    let report = document.run(Some(policy)).expect("a policy");
    match report.failures.first() {
        None => Ok(report.passed),
        Some(failure) => {
            let step = steps[failure.step];
            Err(TestCaseError::fail(format!("{failure}\n{step}\n{}", case.policy)))
        }
    }
}

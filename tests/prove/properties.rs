//! Properties as steps, their counterexamples, and coverage.

use std::path::Path;

use grantree::policy_test::{Answer, Coverage, Question, Step, TestDocument};
use grantree::{Document, Engine, Policy};
use serde_json::{Value, json};

use crate::files::{CORPUS, POLICIES, read};

fn catalogue() -> Value {
    json!({
        "objects": {"job": {
            "relations": {"assignee": "user", "team": "group"},
            "attributes": {"region": "one_of", "starts": "not_before"}, "checks": ["region"]}},
        "permissions": [
            {"key": "reports"},
            {"key": "edit", "object": "job", "scopes": [
                {"key": "own", "when": {"assignee": "me"}}, {"key": "team", "when": {"team": "me"}}]},
            {"key": "price", "levels": ["hidden", "read_only", "read_write"]},
            {"key": "book", "object": "job", "checks": ["starts"]}]})
}

fn document(users: &Value) -> Value {
    json!({"format": 1, "catalogue": catalogue(), "users": users})
}

/// Asks if a policy gives new access, and returns the answer and the counterexample.
fn compared(before: &Value, after: &Value, except: &[&str]) -> (bool, Option<Question>) {
    let test = json!({
        "policy": document(after),
        "steps": [{"no_new_access": {"baseline": document(before), "except": except}, "expect": true}]});
    let test: TestDocument = serde_json::from_value(test).expect("a test document");
    let report = test.run(None).expect("a policy");
    let Some(failure) = report.failures.into_iter().next() else { return (true, None) };
    assert_eq!(failure.got, Ok(Answer::Boolean(false)));
    (false, failure.counterexample.map(|it| *it))
}

#[test]
fn no_new_access_is_answered_by_meaning() {
    let none = json!({"bob": {}});
    let few = json!({"bob": {"allow": ["reports"], "groups": ["leeds"], "levels": {"price": "read_only"}}});
    for (before, after, except, holds) in [
        (&none, &none, &[][..], true),
        (&few, &none, &[][..], true),
        (&none, &few, &[][..], false),
        (&none, &few, &["bob"][..], true),
        (&none, &json!({"bob": {"deny": ["**"]}, "eve": {}}), &[][..], true),
        (
            &few,
            &json!({"bob": {"allow": ["reports"], "levels": {"price": "read_write"}}}),
            &[],
            false,
        ),
        (
            &few,
            &json!({"bob": {"allow": ["**"], "deny": ["price", "edit", "book"]}}),
            &[][..],
            true,
        ),
        (&none, &json!({"bob": {}, "eve": {"admin": true}}), &[][..], false),
        // Scopes without a bound let nothing through.
        (&none, &json!({"bob": {"allow": ["edit"]}}), &[][..], true),
        (&none, &json!({"bob": {"allow": ["edit"], "bounds": {"job.region": "any"}}}), &[], false),
        (
            &json!({"bob": {"allow": ["edit"], "bounds": {"job.region": ["north"]}}}),
            &json!({"bob": {"allow": ["edit.team"], "bounds": {"job.region": ["north"]}}}),
            &[][..],
            true,
        ),
        (
            &json!({"bob": {"allow": ["book"], "bounds": {"job.region": "any", "job.starts": {"plus_days": 3}}}}),
            &json!({"bob": {"allow": ["book"], "bounds": {"job.region": "any", "job.starts": {"plus_days": 2}}}}),
            &[][..],
            false,
        ),
    ] {
        let (answer, counterexample) = compared(before, after, except);
        assert_eq!(answer, holds, "{before} {after}");
        if holds {
            continue;
        }
        // It is no before, and yes after.
        let counterexample = counterexample.unwrap_or_else(|| panic!("{before} {after}"));
        let ask = |users: &Value| {
            let document = serde_json::from_value::<Document>(document(users)).expect("a document");
            let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
            counterexample.ask(&engine)
        };
        let answers = (ask(before), ask(after));
        assert_eq!(answers, (Ok(Answer::Boolean(false)), Ok(Answer::Boolean(true))));
    }
}

#[test]
fn a_baseline_that_is_no_policy_is_an_error() {
    let test = json!({
        "policy": document(&json!({})),
        "steps": [{"no_new_access": {"baseline": {"format": 1, "catalogue": {}, "users": {"a": {"allow": ["b"]}}}},
                   "expect": {"error": true}}]});
    let test: TestDocument = serde_json::from_value(test).expect("a test document");
    assert_eq!(test.run(None).expect("a policy").passed, 1);
}

#[test]
fn a_never_that_fails_shows_who() {
    let users = json!({"root": {"admin": true}, "bob": {"allow": ["reports"]}});
    let test = json!({
        "policy": document(&users),
        "steps": [
            {"never": {"action": "reports", "except": ["root"]}, "expect": true},
            {"never": {"action": "reports", "except": ["root", "bob"]}, "expect": true}]});
    let test: TestDocument = serde_json::from_value(test).expect("a test document");
    let report = test.run(None).expect("a policy");
    assert_eq!((report.passed, report.failures.len()), (1, 1));
    assert_eq!(
        report.failures[0].to_string(),
        "step 0: never reports except [\"root\"]: expected true, got false, as of this it is yes: \
         can_some \"bob\" reports"
    );
}

#[test]
fn steps_serialize_as_they_are_read() {
    let mut steps = 0;
    for name in ["connect", "drs", "gruntify", "orchestly", "shipping", "connect_changes"] {
        let file = Path::new(CORPUS).join("products").join(name).with_extension("json");
        let document: TestDocument = read(&file);
        for step in &document.steps {
            let text = serde_json::to_string(step).expect("JSON");
            assert_eq!(serde_json::from_str::<Step>(&text).expect("a step"), *step, "{text}");
            steps += 1;
        }
    }
    assert!(steps > 1_500);
}

#[test]
fn products_statements_scopes_and_remedies_are_exercised() {
    for name in ["connect", "drs", "gruntify", "orchestly", "shipping"] {
        let policy: Document = read(&Path::new(POLICIES).join(name).with_extension("json"));
        let policy = Policy::try_from(policy).expect("a policy");
        let file = Path::new(CORPUS).join("products").join(name).with_extension("json");
        let document: TestDocument = read(&file);
        let coverage = Coverage::new(&policy, [&document]);
        assert_eq!(document.coverage(Some(&policy)).expect("a policy"), coverage);
        let Coverage { statements, scopes, remedies, .. } = &coverage;
        let parts = [statements, scopes, remedies];
        assert!(parts.iter().all(|part| part.missed.is_empty()), "{name}: {coverage}");
        assert!(remedies.exercised.len() > 20, "{name}: {coverage}");
    }
}

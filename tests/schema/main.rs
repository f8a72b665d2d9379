//! The schemas of the format agree with its reader.

#[path = "../support/files.rs"]
mod files;
mod validator;

use std::path::Path;

use fastrand::Rng;
use grantree::change::{Actor, Change};
use grantree::policy_test::TestDocument;
use grantree::problem::{Problem, ProblemKind};
use grantree::{Document, Policy, schema};
use serde_json::{Value, json};

use crate::files::{CORPUS, POLICIES, files, read};
use crate::validator::Validator;

#[test]
fn every_document_there_is_validates() {
    let (tests, policies) =
        (Validator::new(schema::TEST_DOCUMENT), Validator::new(schema::DOCUMENT));
    for file in files(Path::new(CORPUS)) {
        assert!(tests.accepts(&read(&file)), "{}", file.display());
    }
    for file in files(Path::new(POLICIES)) {
        assert!(policies.accepts(&read(&file)), "{}", file.display());
    }
    let text = r#"{"$schema": "tests.schema.json", "steps": []}"#;
    assert!(tests.accepts(&serde_json::from_str(text).expect("JSON")));
    assert_eq!(serde_json::from_str::<TestDocument>(text).expect("a test document").steps, []);
}

/// The parts of the corpus, as written.
fn parts(of: fn(&Value) -> Vec<&Value>) -> Vec<Value> {
    let mut parts = Vec::new();
    for file in files(Path::new(CORPUS)) {
        parts.extend(of(&read(&file)).into_iter().cloned());
    }
    parts
}

#[test]
fn documents_that_are_mutated_are_refused_by_both() {
    let documents = parts(|test| test.get("policy").into_iter().collect());
    let validator = Validator::new(schema::DOCUMENT);
    let mut rng = Rng::with_seed(23);
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..8_000 {
        let mut document = documents[rng.usize(..documents.len())].clone();
        let (place, _) = mutate(&mut document, &mut rng);
        let read = serde_json::from_value::<Document>(document.clone()).expect("any value is read");
        // A document with values that could not be read is not written.
        let is_read = serde_json::to_value(&read).is_ok();
        let of_schema = validator.accepts(&document);
        match Policy::try_from(read) {
            Ok(_) => {
                accepted += 1;
                assert!(of_schema, "round {round}: the schema refuses {place}: {document}");
            }
            Err(problems) if !is_read || problems.iter().any(is_of_names) => {
                refused += 1;
                assert!(!of_schema, "round {round}: {problems}\n{place}: {document}");
            }
            Err(_) => {}
        }
    }
    assert!(accepted > 300 && refused > 4_000, "{accepted} accepted, {refused} refused");
}

/// Whether a problem is a name that cannot be one. (Of former paths the schema says nothing,
/// nor of names in terms, which may be texts of an attribute.)
fn is_of_names(problem: &Problem) -> bool {
    let is_path = |expected: &str| expected == "keys joined by dots";
    !problem.place().contains(".on.")
        && matches!(problem.kind(), ProblemKind::InvalidName { expected, .. } if !is_path(expected))
}

#[test]
fn changes_that_are_mutated_are_refused_by_both() {
    let mut changes: Vec<(Policy, Value)> = Vec::new();
    for file in files(Path::new(CORPUS)) {
        let test: Value = read(&file);
        let policy = test.get("policy").cloned().map(serde_json::from_value::<Document>);
        let Some(Ok(Ok(policy))) = policy.map(|read| read.map(Policy::try_from)) else { continue };
        for step in test["steps"].as_array().expect("steps") {
            let Some(Value::Object(mut change)) = step.get("change").cloned() else { continue };
            change.remove("as");
            change.remove("today");
            changes.push((policy.clone(), Value::Object(change)));
        }
    }
    let validator = Validator::new(schema::CHANGE);
    let mut rng = Rng::with_seed(23);
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..8_000 {
        let (policy, mut change) = changes[rng.usize(..changes.len())].clone();
        let (place, put) = match round % 4 {
            0 => (String::new(), Value::Null),
            _ => mutate(&mut change, &mut rng),
        };
        // See the schemas' documentation.
        if put.is_array() && place.matches('/').count() == 1 {
            continue;
        }
        let of_schema = validator.accepts(&change);
        match serde_json::from_value::<Change>(change.clone()) {
            // What the reader takes may be malformed in this policy.
            Ok(read) if policy.apply(Actor::Host, &read).is_ok() => {
                accepted += 1;
                assert!(of_schema, "round {round}: {place}: {change}");
                let written = serde_json::to_value(read).expect("JSON");
                assert!(validator.accepts(&written), "{written}");
            }
            Ok(_) => {}
            Err(error) => {
                refused += 1;
                assert!(!of_schema, "round {round}: {error}: {place}: {change}");
            }
        }
    }
    assert!(accepted > 1_000 && refused > 2_000, "{accepted} accepted, {refused} refused");
}

/// Changes something somewhere in a value, and returns the place and the value put there.
fn mutate(value: &mut Value, rng: &mut Rng) -> (String, Value) {
    let mut places = Vec::new();
    list(value, &mut String::new(), &mut places);
    let place = rng.choice(places).unwrap_or_default();
    let pool = [
        json!(null),
        json!(true),
        json!(7),
        json!(-1),
        json!(1.5),
        json!("any"),
        json!("me"),
        json!("a b"),
        json!("a\nb"),
        json!(""),
        json!("2026-11-21"),
        json!("2026-11-21T18:00"),
        json!("2026-11-21T24:00"),
        json!([]),
        json!(["me"]),
        json!(["me", 7]),
        json!([true, false]),
        json!([true, true]),
        json!({}),
        json!({"date": "2026-11-21"}),
        json!({"plus_days": 3}),
        json!({"plus_days": 1_000_000}),
        json!({"next": "friday"}),
        json!({"next": "someday", "plus_days": 0}),
        json!({"colour": "red"}),
    ];
    let put = pool[rng.usize(..pool.len())].clone();
    let (above, key) = place.rsplit_once('/').unwrap_or(("", ""));
    let Some(inside) = value.pointer_mut(if rng.bool() { above } else { &place }) else {
        unreachable!("{place}")
    };
    let key = key.replace("~1", "/").replace("~0", "~");
    match inside {
        // Of what is there, another value, one less, or another name.
        Value::Object(fields) if fields.contains_key(&key) && rng.bool() => {
            let was = fields.remove(&key).unwrap_or_default();
            match rng.u8(..3) {
                0 => {}
                1 => drop(fields.insert(format!("{key} x"), was)),
                _ => drop(fields.insert("label".to_owned(), put.clone())),
            }
        }
        Value::Array(items) if !items.is_empty() && rng.bool() => {
            let at = rng.usize(..items.len());
            items[at] = put.clone();
        }
        inside => *inside = put.clone(),
    }
    (place, put)
}

/// Lists the places within a value, as JSON pointers.
fn list(value: &Value, at: &mut String, places: &mut Vec<String>) {
    let length = at.len();
    if length > 0 {
        places.push(at.clone());
    }
    let mut enter = |key: &str, value: &Value| {
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        list(value, at, places);
        at.truncate(length);
    };
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(key, item)| enter(&key.to_string(), item));
        }
        Value::Object(fields) => fields.iter().for_each(|(key, field)| enter(key, field)),
        _ => {}
    }
}

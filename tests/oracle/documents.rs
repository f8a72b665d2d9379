//! The test documents there are.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use support::oracle::Oracle;
use support::oracle::change::judge;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");
/// The rules of the second edition, worked out by hand.
const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/oracle/rules");
const POLICIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/policies");

/// More test documents: a directory, or a file.
const MORE: Option<&str> = option_env!("TEST_DOCUMENTS");

#[test]
fn the_oracle_answers_as_test_documents_expect() {
    let (mut steps, mut changes) = (0, 0);
    let mut differences = Vec::new();
    let places = [CORPUS, RULES].into_iter().chain(MORE);
    let documents = places.flat_map(|place| files(Path::new(place)));
    for file in documents.filter(|file| !file.starts_with(Path::new(CORPUS).join("fuzz"))) {
        let document = read(&file);
        let Some(mut policy) = policy(&file, &document) else { continue };
        let mut oracle = Oracle::new(&policy);
        for (at, step) in document["steps"].as_array().expect("steps").iter().enumerate() {
            if step.get("validate").is_some() {
                continue;
            }
            steps += 1;
            let answer = match step.get("change") {
                None => oracle.ask(step),
                Some(change) => {
                    changes += 1;
                    let verdict = judge(&policy, change);
                    let codes = verdict.codes();
                    if let Some(applied) = verdict.applied {
                        policy = applied.policy;
                        oracle = Oracle::new(&policy);
                    }
                    json!(codes.into_iter().find(|code| step["expect"] == *code))
                }
            };
            if answer != step["expect"] && !is_of_a_heading(step) {
                let place = format!("{}, step {at}", file.display());
                differences.push(format!("{place}: {step}\n  answered {answer}"));
            }
        }
    }
    assert!(differences.is_empty(), "{} of {steps}\n{}", differences.len(), differences.join("\n"));
    assert!(steps > 11_000, "{steps} steps");
    assert!(changes > 2_000, "{changes} changes");
}

/// Section 9: "`can_some` of a heading is an answer and no error", which some documents of
/// the first edition expect.
fn is_of_a_heading(step: &Value) -> bool {
    step.get("can_some").is_some() && !step["expect"].is_boolean()
}

/// The policy of a document, or the product's of its name.
fn policy(file: &Path, document: &Value) -> Option<Value> {
    if let Some(policy) = document.get("policy") {
        return Some(policy.clone());
    }
    let product = file.file_stem()?.to_str()?;
    let product = product.strip_suffix("_changes").unwrap_or(product);
    let policy = Path::new(POLICIES).join(product).with_extension("json");
    policy.exists().then(|| read(&policy))
}

/// The JSON files beneath a directory, sorted; or a file.
fn files(place: &Path) -> Vec<PathBuf> {
    if !place.is_dir() {
        return vec![place.to_owned()];
    }
    let entries = fs::read_dir(place).expect("a directory");
    let mut found: Vec<PathBuf> =
        entries.flat_map(|entry| files(&entry.expect("an entry").path())).collect();
    found.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    found.sort();
    found
}

fn read(file: &Path) -> Value {
    let text = fs::read_to_string(file).expect("a file");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

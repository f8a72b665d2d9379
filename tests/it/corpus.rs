//! Every test document there is, and the products' policies, which are read and
//! written without loss.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use grantree::policy_test::TestDocument;
use grantree::{Document, Policy};
use serde_json::Value;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
const POLICIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/policies");

/// At least so many steps each directory has: none goes missing unnoticed.
const STEPS: [(&str, usize); 4] =
    [("changes", 11), ("products", 1400), ("random", 1600), ("refusals", 80)];

#[test]
fn every_test_document_is_answered_as_it_expects() {
    let mut steps = BTreeMap::<String, usize>::new();
    let mut failures = Vec::new();
    for file in files(Path::new(CORPUS)) {
        let name = file.strip_prefix(CORPUS).expect("it is beneath");
        let document: TestDocument = read(&file);
        let policy = document.policy.is_none().then(|| product(name)).flatten();
        match document.run(policy.as_ref()) {
            Ok(report) => {
                let directory = name.iter().next().expect("a path").to_string_lossy();
                *steps.entry(directory.into_owned()).or_default() += report.passed;
                let told = report.failures.iter();
                failures.extend(told.map(|failure| format!("{}: {failure}", name.display())));
            }
            Err(error) => failures.push(format!("{}: {error}", name.display())),
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
    for (directory, least) in STEPS {
        let passed = steps.get(directory).copied().unwrap_or_default();
        assert!(passed >= least, "{directory}: {passed} steps, of at least {least}");
    }
}

#[test]
fn product_policies_are_read_and_written_without_loss() {
    let files = files(Path::new(POLICIES));
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let document: Document = read(&file);
        let policy = Policy::try_from(document.clone())
            .unwrap_or_else(|problems| panic!("{}:\n{problems}", file.display()));
        assert!(Document::from(&policy) == document, "{}: as a policy", file.display());

        let written = serde_json::to_string(&document).expect("a document serializes");
        let again: Document = serde_json::from_str(&written).expect("and reads");
        assert!(again == document, "{}: as JSON", file.display());

        let (before, after) =
            (leaves(&read(&file)), leaves(&serde_json::from_str(&written).expect("JSON")));
        let lost = before.difference(&after).filter(|leaf| !is_default(leaf));
        let new = after.difference(&before).filter(|leaf| !is_default(leaf));
        let (lost, new): (Vec<_>, Vec<_>) = (lost.collect(), new.collect());
        assert!(
            lost.is_empty() && new.is_empty(),
            "{}: written, it loses {lost:#?} and gains {new:#?}",
            file.display()
        );
    }
}

/// The files beneath a directory, sorted.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries =
        fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read<T: serde::de::DeserializeOwned>(file: &Path) -> T {
    let text =
        fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The product's policy, for a test document of its name.
fn product(name: &Path) -> Option<Policy> {
    let file = Path::new(POLICIES).join(name.file_name()?);
    if !name.starts_with("products") {
        return None;
    }
    let document: Document = read(&file);
    Some(document.try_into().unwrap_or_else(|problems| panic!("{}:\n{problems}", file.display())))
}

/// What a JSON value says, a line each: `/users/alice/admin = true`.
fn leaves(value: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, place: &str, leaves: &mut BTreeSet<String>) {
        match value {
            Value::Array(items) if !items.is_empty() => {
                for (at, item) in items.iter().enumerate() {
                    walk(item, &format!("{place}/{at}"), leaves);
                }
            }
            Value::Object(map) if !map.is_empty() => {
                for (name, value) in map {
                    walk(value, &format!("{place}/{name}"), leaves);
                }
            }
            // A single state of a relation is a list of it.
            Value::String(_) if place.rsplit('/').nth(1) == Some("when") => {
                leaves.insert(format!("{place}/0 = {value}"));
            }
            _ => {
                leaves.insert(format!("{place} = {value}"));
            }
        }
    }
    let mut leaves = BTreeSet::new();
    walk(value, "", &mut leaves);
    leaves
}

/// Whether it says what its absence says too.
fn is_default(leaf: &str) -> bool {
    let (place, value) = leaf.split_once(" = ").expect("a leaf");
    let is_value = place.contains("/settings/") || place.contains("/bounds/");
    !is_value && ["false", "[]"].contains(&value)
}

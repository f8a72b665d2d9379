//! Every test document there is, and the products' policies, which are read and
//! written without loss.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use grantree::policy_test::TestDocument;
use grantree::{Document, Policy};
use serde_json::Value;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
const POLICIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/policies");

/// At least so many steps each directory has: none goes missing unnoticed.
const STEPS: [(&str, usize); 3] = [("products", 1400), ("random", 1600), ("refusals", 80)];

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

        let (mut before, mut after): (Value, Value) =
            (read(&file), serde_json::from_str(&written).expect("JSON"));
        spell_out(&mut before);
        spell_out(&mut after);
        assert_eq!(after, before, "{}: as a JSON value", file.display());
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

/// Brings what can be written in two ways to one: a single relation state is a
/// list of it, and what is false or empty may be left out.
fn spell_out(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(spell_out),
        Value::Object(map) => {
            if let Some(Value::Object(when)) = map.get_mut("when") {
                for states in when.values_mut().filter(|states| states.is_string()) {
                    *states = Value::Array(vec![states.take()]);
                }
            }
            map.retain(|name, value| !is_default(name, value));
            map.values_mut().for_each(spell_out);
        }
        _ => {}
    }
}

/// Whether a field says what its absence says too. Names of the policy's own
/// are not among these.
fn is_default(field: &str, value: &Value) -> bool {
    let empty = match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(value) => !value,
        _ => false,
    };
    let fields = ["features", "template", "protected", "admin", "suspended", "unique", "heading"];
    let lists = ["allow", "deny", "forbid", "roles", "groups", "includes", "permissions"];
    empty && (fields.contains(&field) || lists.contains(&field))
}

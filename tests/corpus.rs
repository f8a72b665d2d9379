//! Every test document there is, with nothing but the crate: as a port to another
//! language runs them. It is built at once, so mutants meet it first.

#[path = "support/files.rs"]
mod files;

use std::collections::BTreeMap;
use std::path::Path;

use grantree::policy_test::TestDocument;
use grantree::{Document, Policy};

use crate::files::{CORPUS, POLICIES, files, read};

/// At least so many steps each directory has: none goes missing unnoticed.
const STEPS: [(&str, usize); 8] = [
    ("changes", 1900),
    ("minimal", 7000),
    ("products", 1850),
    ("random", 1600),
    ("reader", 1435),
    ("refusals", 98),
    ("reports", 145),
    ("rules", 1070),
];

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

/// The product's policy, for a test document of its name, or of its name and
/// `_changes`.
fn product(name: &Path) -> Option<Policy> {
    let product = name.file_stem()?.to_str()?;
    let product = product.strip_suffix("_changes").unwrap_or(product);
    let file = Path::new(POLICIES).join(product).with_extension("json");
    if !name.starts_with("products") {
        return None;
    }
    let document: Document = read(&file);
    Some(document.try_into().unwrap_or_else(|problems| panic!("{}:\n{problems}", file.display())))
}

//! The test documents and the products' policies.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

pub const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");
pub const POLICIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/policies");

/// The files beneath a directory, sorted.
pub fn files(directory: &Path) -> Vec<PathBuf> {
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

pub fn read<T: DeserializeOwned>(file: &Path) -> T {
    let text =
        fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

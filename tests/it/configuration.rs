//! The configuration of mutation testing names files, functions and tests that exist.

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn read(file: &str) -> Table {
    let text = fs::read_to_string(Path::new(ROOT).join(file)).expect("a file");
    text.parse().expect("TOML")
}

fn texts<'t>(table: &'t Table, key: &str) -> impl Iterator<Item = &'t str> {
    table[key].as_array().expect("a list").iter().filter_map(Value::as_str)
}

/// The sources beneath a directory, with their places.
fn sources(directory: &str) -> Vec<(String, String)> {
    let mut open = vec![Path::new(ROOT).join(directory)];
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a directory");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let place: PathBuf = path.strip_prefix(ROOT).expect("it is beneath").to_owned();
            found.push((place.display().to_string(), fs::read_to_string(&path).expect("a file")));
        }
    }
    found
}

/// The words of a text.
fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect()
}

#[test]
fn mutants_are_of_what_exists() {
    let (mutants, sources) = (read(".cargo/mutants.toml"), sources("src"));
    for glob in texts(&mutants, "examine_globs") {
        let exists = sources.iter().any(|(place, _)| match glob.strip_suffix("*.rs") {
            Some(base) => place.starts_with(base),
            None => place == glob,
        });
        assert!(exists, "{glob}");
    }
    let known: Vec<&str> = sources.iter().flat_map(|(_, source)| words(source)).collect();
    // The words of regular expressions and of the descriptions of mutants.
    let own = ["replace", "delete", "with", "match", "guard", "true", "false"];
    for pattern in texts(&mutants, "exclude_re") {
        let plain = pattern.replace("\\w+", " ").replace("\\b", " ");
        for word in words(&plain).into_iter().filter(|word| word.len() > 3) {
            let exists = own.contains(&word) || known.contains(&word) || word.ends_with("_bytes");
            assert!(exists, "`{word}` of {pattern}");
        }
    }
}

#[test]
fn tests_that_are_left_out_or_come_first_exist() {
    let nextest = read(".config/nextest.toml");
    let profile = &nextest["profile"]["mutants"];
    let overrides = profile["overrides"].as_array().expect("a list").iter();
    let filters = overrides.map(|it| &it["filter"]).chain([&profile["default-filter"]]);
    let tests = sources("tests");
    let modules = tests.iter().flat_map(|(place, _)| place.split(['/', '.']));
    let known = tests.iter().flat_map(|(_, source)| words(source)).chain(modules);
    let known: Vec<&str> = known.collect();
    for filter in filters.filter_map(Value::as_str) {
        for test in filter.split("test(").skip(1) {
            let (name, _) = test.split_once(')').expect("a test");
            let parts = words(name);
            for word in parts {
                let exists = known.iter().any(|it| it.contains(word));
                assert!(exists, "`{word}` of test({name})");
            }
        }
    }
}

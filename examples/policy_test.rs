//! Runs test documents: `policy_test [--policy POLICY] FILE…`.
//!
//! Prints each step whose answer is not the expected one, and finally how many
//! passed and failed. Exits with 1 if any failed, with 2 if a file could not be
//! read.

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use grantree::policy_test::TestDocument;
use grantree::{Document, Policy};
use serde::de::DeserializeOwned;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Runs the files, and returns the number of steps that failed.
fn run(arguments: &[String]) -> Result<usize, Box<dyn Error>> {
    let mut policy: Option<Policy> = None;
    let mut files = Vec::new();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--policy" {
            let file = rest.next().ok_or("--policy needs a file")?;
            let document: Document = read(file)?;
            policy = Some(Policy::try_from(document).map_err(|problems| in_file(file, &problems))?);
        } else {
            files.push(argument);
        }
    }
    if files.is_empty() {
        return Err("usage: policy_test [--policy POLICY] FILE...".into());
    }

    let (mut passed, mut failed) = (0, 0);
    for file in files {
        let document: TestDocument = read(file)?;
        let report = document.run(policy.as_ref()).map_err(|error| in_file(file, &error))?;
        for failure in &report.failures {
            println!("{file}: {failure}");
        }
        passed += report.passed;
        failed += report.failures.len();
    }
    println!("{passed} passed, {failed} failed");
    Ok(failed)
}

fn read<T: DeserializeOwned>(file: &str) -> Result<T, Box<dyn Error>> {
    let text = fs::read_to_string(file).map_err(|error| in_file(file, &error))?;
    serde_json::from_str(&text).map_err(|error| in_file(file, &error).into())
}

/// A message with the file that it is about, on every line.
fn in_file(file: &str, error: &dyn std::fmt::Display) -> String {
    let lines: Vec<String> =
        error.to_string().lines().map(|line| format!("{file}: {line}")).collect();
    lines.join("\n")
}

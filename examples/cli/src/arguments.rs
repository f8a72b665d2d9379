//! The arguments of a command, and the documents that they name.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fmt, fs};

use grantree::object::DynamicObject;
use grantree::{Document, Moment, Policy, SourceName};
use serde::de::DeserializeOwned;

use crate::Result;

/// The arguments of a command.
#[derive(Default)]
pub(crate) struct Arguments {
    /// The arguments that are no options.
    pub(crate) files: Vec<String>,
    options: BTreeMap<String, Vec<String>>,
}

impl Arguments {
    /// Reads arguments: some options have a value, and flags have none.
    pub(crate) fn read(
        arguments: &[String],
        options: &[&str],
        flags: &[&str],
    ) -> Result<Arguments> {
        let mut read = Arguments::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let (name, inline) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (argument.as_str(), None),
            };
            if flags.contains(&name) {
                read.options.entry(name.to_owned()).or_default();
            } else if options.contains(&name) {
                let value = inline.or_else(|| rest.next().cloned());
                let value = value.ok_or_else(|| format!("{name} needs a value"))?;
                read.options.entry(name.to_owned()).or_default().push(value);
            } else if name.starts_with("--") {
                return Err(format!("unknown option {name}").into());
            } else {
                read.files.push(argument.clone());
            }
        }
        Ok(read)
    }

    /// Returns the arguments that are no options, which must be so many.
    pub(crate) fn exactly<const N: usize>(&self, usage: &str) -> Result<[&str; N]> {
        let all: Vec<&str> = self.files.iter().map(String::as_str).collect();
        all.try_into().map_err(|_| format!("usage: grantree {usage}").into())
    }

    pub(crate) fn has(&self, flag: &str) -> bool {
        self.options.contains_key(flag)
    }

    pub(crate) fn all(&self, option: &str) -> &[String] {
        self.options.get(option).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn value(&self, option: &str) -> Option<&str> {
        self.all(option).last().map(String::as_str)
    }

    pub(crate) fn number(&self, option: &str) -> Result<Option<usize>> {
        let number = |text: &str| {
            text.parse().map_err(|_| format!("{option}: `{text}` is not a whole number").into())
        };
        self.value(option).map(number).transpose()
    }

    /// The object of a question: a file, or JSON itself.
    pub(crate) fn object(&self) -> Result<Option<DynamicObject>> {
        self.value("--object").map(|it| inline_or_file("--object", it)).transpose()
    }

    pub(crate) fn today(&self) -> Result<Option<Moment>> {
        Ok(self.value("--today").map(str::parse).transpose()?)
    }
}

fn inline_or_file<T: DeserializeOwned>(what: &str, text: &str) -> Result<T> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| about(what, &error));
    }
    read(text)
}

/// Reads a document, by the ending of its name.
pub(crate) fn read<T: DeserializeOwned>(file: &str) -> Result<T> {
    let text = fs::read_to_string(file).map_err(|error| about(file, &error))?;
    let ending = Path::new(file).extension().and_then(|it| it.to_str()).unwrap_or_default();
    match ending {
        "yaml" | "yml" => serde_yaml_ng::from_str(&text).map_err(|error| about(file, &error)),
        "toml" => toml::from_str(&text).map_err(|error| about(file, &error)),
        _ => serde_json::from_str(&text).map_err(|error| about(file, &error)),
    }
}

/// Reads a policy.
pub(crate) fn policy(file: &str) -> Result<Policy> {
    let document: Document = read(file)?;
    Policy::try_from(document).map_err(|problems| about(file, &problems))
}

/// Reads the name of a source: `global`, or `role:clerk`.
pub(crate) fn source(text: &str) -> Result<SourceName> {
    match text.split_once(':') {
        None if text == "global" => Ok(SourceName::Global),
        Some(("profile", name)) => Ok(SourceName::Profile(name.to_owned())),
        Some(("role", name)) => Ok(SourceName::Role(name.to_owned())),
        Some(("approval_group", name)) => Ok(SourceName::ApprovalGroup(name.to_owned())),
        Some(("user", name)) => Ok(SourceName::User(name.to_owned())),
        _ => {
            Err(format!("`{text}` is no source; write `global`, or a name as in `role:clerk`")
                .into())
        }
    }
}

/// A message with the file that it is about, on every line.
pub(crate) fn about(file: &str, error: &dyn fmt::Display) -> Box<dyn std::error::Error> {
    let lines: Vec<String> =
        error.to_string().lines().map(|line| format!("{file}: {line}")).collect();
    lines.join("\n").into()
}

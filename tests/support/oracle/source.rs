//! Sources: what each says by itself (rules 1 and 3).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::catalogue::{Catalogue, Form};
use super::json::{entries, list};

/// The result of a pattern, the lowest first: "deny, the lowest level, except, the
/// levels above it, allow". An allow is the highest level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stated {
    Deny,
    Lowest,
    Except,
    Level(usize),
}

/// A source's word on a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    Deny,
    Level(usize),
}

/// A source, read.
#[derive(Clone)]
pub struct Source {
    /// Its word on each permission, if there is one (rule 1).
    pub said: BTreeMap<String, Said>,
    /// The permissions that it forbids.
    pub forbidden: BTreeSet<String>,
    /// A bound by attribute, `kind.attribute`.
    pub bounds: BTreeMap<String, Value>,
    /// A value by setting.
    pub settings: BTreeMap<String, Value>,
}

impl Source {
    pub fn read(catalogue: &Catalogue, source: &Value) -> Source {
        let patterns = patterns(source);
        let forbid = list(source, "forbid");
        let said = |path: &str| says(catalogue, &patterns, path);
        let is_forbidden = |path: &&str| {
            let mut patterns = forbid.iter();
            // Rule 1: "any match forbids".
            patterns.any(|pattern| nearness(catalogue, pattern, path).is_some())
        };
        Source {
            said: catalogue
                .grantable()
                .filter_map(|path| Some((path.to_owned(), said(path)?)))
                .collect(),
            forbidden: catalogue.grantable().filter(is_forbidden).map(str::to_owned).collect(),
            bounds: map(&source["bounds"]),
            settings: map(&source["settings"]),
        }
    }
}

fn map(value: &Value) -> BTreeMap<String, Value> {
    entries(value).map(|(name, value)| (name.to_owned(), value.clone())).collect()
}

/// A statement on permissions.
struct Pattern {
    text: String,
    statement: Statement,
}

enum Statement {
    Allow,
    Except,
    Deny,
    Level(String),
}

fn patterns(source: &Value) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for text in list(source, "allow") {
        patterns.push(Pattern { text, statement: Statement::Allow });
    }
    for text in list(source, "except") {
        patterns.push(Pattern { text, statement: Statement::Except });
    }
    for text in list(source, "deny") {
        patterns.push(Pattern { text, statement: Statement::Deny });
    }
    for (text, level) in entries(&source["levels"]) {
        let level = level.as_str().expect("a level").to_owned();
        patterns.push(Pattern { text: text.to_owned(), statement: Statement::Level(level) });
    }
    patterns
}

/// The word of a source on one permission (rule 1).
pub fn said(catalogue: &Catalogue, source: &Value, path: &str) -> Option<Said> {
    says(catalogue, &patterns(source), path)
}

/// Rule 1: "Of the matching patterns the longest base wins; on the same base exact beats
/// `*` beats `**`; on a tie the lowest result. Where an `except` wins, the source says
/// nothing of the permission."
fn says(catalogue: &Catalogue, patterns: &[Pattern], path: &str) -> Option<Said> {
    let matching = patterns.iter().filter_map(|pattern| {
        let stated = stated(catalogue, &pattern.statement, path)?;
        Some((nearness(catalogue, &pattern.text, path)?, stated))
    });
    let matching: Vec<_> = matching.collect();
    let nearest = matching.iter().map(|(nearness, _)| *nearness).max()?;
    let winners = matching.iter().filter(|(nearness, _)| *nearness == nearest);
    match winners.map(|(_, stated)| *stated).min()? {
        Stated::Deny => Some(Said::Deny),
        Stated::Lowest => Some(Said::Level(0)),
        Stated::Except => None,
        Stated::Level(level) => Some(Said::Level(level)),
    }
}

/// The result of a statement for a permission that its pattern matches. "It passes over
/// … a `levels` pattern over permissions that don't have that level."
fn stated(catalogue: &Catalogue, statement: &Statement, path: &str) -> Option<Stated> {
    Some(match statement {
        Statement::Allow => Stated::Level(catalogue.highest(path)),
        Statement::Except => Stated::Except,
        Statement::Deny => Stated::Deny,
        Statement::Level(level) => {
            match catalogue.node(path).levels.iter().position(|known| known == level)? {
                0 => Stated::Lowest,
                level => Stated::Level(level),
            }
        }
    })
}

/// Rule 1: how near a pattern that matches a permission is to it: the longer base first,
/// and on the same base exact (2) before `*` (1) before `**` (0).
pub fn nearness(catalogue: &Catalogue, pattern: &str, path: &str) -> Option<(usize, u8)> {
    let (base, form) = match pattern.rsplit_once('.') {
        _ if pattern == "*" => (None, 1),
        _ if pattern == "**" => (None, 0),
        Some((base, "*")) => (Some(base), 1),
        Some((base, "**")) => (Some(base), 0),
        _ => (Some(pattern), 2),
    };
    let matches = match form {
        2 => base == Some(path),
        1 => base == catalogue.node(path).above.as_deref(),
        _ => base.is_none_or(|base| path == base || is_beneath(path, base)),
    };
    if matches {
        return Some((base.map_or(0, |base| base.split('.').count()), form));
    }
    // "A pattern that matches a scoped node matches its scopes (its exact path counting
    // as `base.*` over them)."
    let node = catalogue.node(path);
    let scoped = node.above.as_deref().filter(|_| node.form == Form::Scope)?;
    let (base, form) = nearness(catalogue, pattern, scoped)?;
    Some((base, form.min(1)))
}

fn is_beneath(path: &str, base: &str) -> bool {
    path.strip_prefix(base).is_some_and(|rest| rest.starts_with('.'))
}

//! What the corpus holds, and the products' policies, which are read and written
//! without loss.

use std::collections::BTreeSet;
use std::path::Path;

use grantree::change::{Change, Op};
use grantree::{Document, Policy};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::files::{CORPUS, POLICIES, files, read};
use support::oracle::change::Rule;

#[test]
fn every_change_and_rule_occurs_in_the_corpus() {
    let mut known = Vec::new();
    known.extend(names::<Change>(r#""?""#).into_iter().map(|kind| format!("change {kind}")));
    known.extend(names::<Op>(r#""?""#).into_iter().map(|op| format!("op {op}")));
    known.extend(
        names::<Op>(r#"{"set": {"?": 0}}"#).into_iter().map(|field| format!("set {field}")),
    );
    for (option, values) in [
        ("holders", ["refuse", "unassign", "reassign"]),
        ("on_conflict", ["refuse", "rename", "replace"]),
    ] {
        known.extend(values.map(|value| format!("{option} {value}")));
    }
    let verbs = ["create", "rename", "edit", "delete", "assign", "revoke"];
    for kind in ["profile", "role", "approval_group"] {
        known.extend(verbs.map(|verb| format!("{verb} {kind}")));
    }
    known.extend(["edit user", "edit global", "rename user"].map(str::to_owned));

    let mut applied = BTreeSet::new();
    let mut refused = BTreeSet::new();
    let mut forbidden = BTreeSet::new();
    let mut allowed = BTreeSet::new();
    let mut codes = BTreeSet::new();
    for file in files(Path::new(CORPUS)) {
        let document: Value = read(&file);
        for step in document["steps"].as_array().into_iter().flatten() {
            let (Some(change), Some(answer)) = (step.get("change"), step["expect"].as_str()) else {
                continue;
            };
            codes.insert(answer.to_owned());
            match answer {
                "applied" => applied.extend(features(change)),
                _ => refused.extend(features(change)),
            }
            match (change.get("as"), answer) {
                (None, _) => {}
                (Some(_), "applied") => allowed.extend(features(change)),
                (Some(_), "not_permitted") => forbidden.extend(features(change)),
                (Some(_), _) => {}
            }
        }
    }
    let missing = |seen: &BTreeSet<String>, of: &[String]| -> Vec<String> {
        of.iter().filter(|name| !seen.contains(*name)).cloned().collect()
    };
    let codes_known: Vec<_> = Rule::ALL.iter().map(|rule| rule.code().to_owned()).collect();
    assert_eq!(missing(&codes, &codes_known), [""; 0], "rules that refuse nothing");
    assert_eq!(missing(&applied, &known), [""; 0], "never applied");
    assert_eq!(missing(&refused, &known), [""; 0], "never refused");
    // What governance distinguishes, by whom it is asked.
    let kinds: Vec<_> = known
        .into_iter()
        .filter(|name| {
            !["op ", "set ", "holders ", "on_conflict "].iter().any(|of| name.starts_with(of))
        })
        .collect();
    assert_eq!(missing(&allowed, &kinds), [""; 0], "never applied for an actor");
    assert_eq!(missing(&forbidden, &kinds), [""; 0], "never not permitted");
}

/// The names that a type knows, as it lists them when it reads an unknown one.
fn names<T: DeserializeOwned>(unknown: &str) -> Vec<String> {
    let error = serde_json::from_str::<T>(unknown).err().expect("`?` is no name").to_string();
    let names = error.split('`').skip(3).step_by(2);
    let names: Vec<_> = names.map(str::to_owned).collect();
    assert!(names.len() > 4, "{error}");
    names
}

/// The features that a change uses: its kind, with the kind of its source, and its
/// options and ops.
fn features(change: &Value) -> BTreeSet<String> {
    let mut features = BTreeSet::new();
    let one = |value: &Value| match value {
        Value::String(name) => Some(name.clone()),
        Value::Object(map) => map.keys().next().cloned(),
        _ => None,
    };
    for (kind, fields) in change.as_object().into_iter().flatten() {
        if kind == "as" {
            continue;
        }
        features.insert(format!("change {kind}"));
        if let Some(source) = fields.get("source").and_then(one) {
            features.insert(format!("{kind} {source}"));
        }
        for option in ["holders", "on_conflict"] {
            if let Some(value) = fields.get(option).and_then(one) {
                features.insert(format!("{option} {value}"));
            }
        }
        for op in fields["ops"].as_array().into_iter().flatten() {
            features.extend(one(op).map(|op| format!("op {op}")));
            let set = op.get("set").and_then(Value::as_object);
            features.extend(set.into_iter().flatten().map(|(field, _)| format!("set {field}")));
        }
    }
    features
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

/// The leaves of a JSON value, a line each: `/users/alice/admin = true`.
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
            // A single state of a relation is a list of one.
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

/// Whether its absence would mean the same.
fn is_default(leaf: &str) -> bool {
    let (place, value) = leaf.split_once(" = ").expect("a leaf");
    let is_value = place.contains("/settings/") || place.contains("/bounds/");
    !is_value && ["false", "[]"].contains(&value)
}

//! Mutation testing of the products' policies.

use std::path::Path;

use grantree::policy_test::{Fate, Mutant, Mutants, TestDocument};
use grantree::{Document, Engine, Policy};

use crate::files::{CORPUS, POLICIES, read};

/// Holds a product's test documents to notice every mutant of its policy, of which there
/// are at least so many.
fn leaves_no_survivor(product: &str, least: usize) {
    let policy: Document = read(&Path::new(POLICIES).join(product).with_extension("json"));
    let policy = Policy::try_from(policy).expect("a policy");
    let documents = [product.to_owned(), format!("{product}_changes")].map(|name| {
        read::<TestDocument>(&Path::new(CORPUS).join("products").join(name).with_extension("json"))
    });
    let (mut killed, mut survivors) = (0, Vec::new());
    for mutant in Mutants::new(&policy, &documents).expect("every step passes") {
        match &mutant.fate {
            Fate::Killed { .. } => killed += 1,
            Fate::Equivalent => {}
            Fate::Survived(survivor) => {
                let step = serde_json::to_string(&survivor.step).expect("JSON");
                survivors.push(format!("{mutant}  {step}"));
            }
        }
    }
    assert!(survivors.is_empty(), "{} survivors\n{}", survivors.len(), survivors.join("\n"));
    assert!(killed >= least, "{killed} killed");
}

#[test]
fn connect_leaves_no_survivor() {
    leaves_no_survivor("connect", 430);
}

#[test]
fn drs_leaves_no_survivor() {
    leaves_no_survivor("drs", 850);
}

#[test]
fn gruntify_leaves_no_survivor() {
    leaves_no_survivor("gruntify", 155);
}

#[test]
fn orchestly_leaves_no_survivor() {
    leaves_no_survivor("orchestly", 215);
}

#[test]
fn shipping_leaves_no_survivor() {
    leaves_no_survivor("shipping", 320);
}

/// A policy in which everything occurs that can be edited.
const EVERYTHING: &str = r#"{
    "format": 1,
    "catalogue": {
        "permissions": [
            {"key": "a", "feature": "f", "children": [{"key": "b", "requires": ["c"], "implies": ["d"]}]},
            {"key": "c"}, {"key": "d"},
            {"key": "e", "object": "job", "checks": ["cost"], "scopes": [
                {"key": "own", "when": {"who": "me", "status": ["new", "old"], "done": false, "size": 3},
                 "requires": ["c"], "implies": ["d"]},
                {"key": "rest", "when": {"team": ["me", "none"], "done": [true, false], "due": {"date": "2026-12-01"}}}]},
            {"key": "g", "levels": ["low", "mid", "high"]}],
        "objects": {"job": {
            "relations": {"who": "user", "team": "group"},
            "attributes": {"status": "one_of", "done": "flag", "size": "at_least", "due": "not_after",
                           "cost": "at_most", "from": "not_before", "area": "one_of"},
            "checks": ["area", "from"]}},
        "settings": {"s": {"values": [1, 2], "default": 1}, "t": {}},
        "editions": {"small": {"features": []}, "large": {"includes": ["small"], "features": ["f"]}}},
    "licence": {"edition": "large", "features": ["x"]},
    "global": {"allow": ["c"], "bounds": {"job.from": {"next": "monday", "plus_days": 2}}},
    "profiles": {"p": {"allow": ["a.**"], "except": ["a.b"], "levels": {"g": "mid"}, "settings": {"s": 2}}},
    "roles": {"q": {"allow": ["e"], "bounds": {"job.area": ["north", "south"], "job.cost": 5}},
              "r": {"includes": ["q"], "deny": ["d"], "settings": {"t": "x"}}},
    "approval_groups": {"v": {"forbid": ["a.b"], "bounds": {"job.done": [true, false]}}},
    "groups": {"leeds": {"parent": "uk"}},
    "users": {
        "ann": {"profile": "p", "roles": ["r"], "approval_groups": ["v"], "groups": ["leeds"]},
        "bob": {"profile": "p", "groups": ["uk"], "assignments": {"cover": {
            "roles": ["q"], "on": {"job": {"team": ["uk", "leeds"], "size": 4}},
            "from": "2026-12-01", "until": "2026-12-24T18:00", "bounds": {"job.cost": 9}}}},
        "eve": {"roles": ["q"], "bounds": {"job.from": {"date": "2026-11-21"}}, "suspended": true},
        "root": {"admin": true}}
}"#;

#[test]
fn survivors_steps_kill_them() {
    let document = serde_json::from_str::<Document>(EVERYTHING).expect("a document");
    let policy = Policy::try_from(document).expect("a policy");
    let mutants: Vec<_> = Mutants::new(&policy, []).expect("no step fails").collect();
    let mut steps = Vec::new();
    for mutant in &mutants {
        match &mutant.fate {
            Fate::Killed { .. } => panic!("{mutant}: by no step"),
            Fate::Equivalent => {}
            Fate::Survived(survivor) => {
                assert!(!survivor.diff.is_empty(), "{mutant}");
                steps.push(survivor.step.clone().unwrap_or_else(|| panic!("{mutant}: no step")));
            }
        }
    }
    assert!(steps.len() > 80, "{} of {}", steps.len(), mutants.len());
    // They read back as steps that the policy passes, and leave no survivor.
    let text = format!("{{\"steps\": {}}}", serde_json::to_string(&steps).expect("JSON"));
    let document: TestDocument = serde_json::from_str(&text).expect("a test document");
    assert_eq!(document.steps.len(), steps.len());
    let report = document.run(Some(&policy)).expect("a policy");
    assert_eq!((report.passed, report.failures), (steps.len(), vec![]));
    let edits = |mutants: &[Mutant]| -> Vec<String> {
        mutants.iter().map(|mutant| mutant.mutation.to_string()).collect()
    };
    let all = edits(&mutants);
    let again: Vec<_> = document.mutants(Some(&policy)).expect("every step passes").collect();
    assert_eq!(edits(&again), all);
    for mutant in again {
        assert!(!matches!(mutant.fate, Fate::Survived(_)), "{mutant}");
    }
    // Every edit is another, and wherever a document can be edited there is one.
    let mut each = all.clone();
    each.sort();
    each.dedup();
    assert_eq!(each.len(), all.len());
    for wanted in [
        "catalogue.permissions[0].feature: drop `f`",
        "catalogue.permissions[0].children[0].requires[0]: drop `c`",
        "catalogue.permissions[3].scopes[0].when.who: accept `other` instead of `me`",
        "catalogue.permissions[3].scopes[1].when.done: accept only `true`",
        "catalogue.objects.job.checks[0]: drop `area`",
        "profiles.p.allow[0]: deny `a.**` instead",
        "profiles.p.levels.g: `high` instead of `mid`",
        "roles.q.bounds.job.cost: `6` instead of `5`",
        "roles.r.includes[0]: drop `q`",
        "groups.leeds.parent: drop `uk`",
        "users.bob.assignments.cover.on: drop the terms",
        "users.bob.assignments.cover.until: move it a day later",
        "users.root.admin: drop `admin`",
    ] {
        assert!(all.iter().any(|it| it == wanted), "{wanted}\n{}", all.join("\n"));
    }
}

#[test]
fn steps_that_fail_already_are_refused() {
    let text = r#"{
        "policy": {"format": 1, "catalogue": {"permissions": [{"key": "a"}]}},
        "steps": [{"can": {"user": "ann", "action": "a"}, "expect": true}]}"#;
    let document: TestDocument = serde_json::from_str(text).expect("a test document");
    let error = document.mutants(None).map(drop).expect_err("the step fails");
    assert_eq!(error.to_string(), r#"step 0 fails on the policy itself: can "ann" a"#);
}

#[test]
fn a_mutant_is_equivalent_where_diff_finds_nothing() {
    let text = r#"{
        "format": 1, "catalogue": {"permissions": [{"key": "a", "children": [{"key": "b"}]}]},
        "users": {"ann": {"allow": ["a.**", "a.b"]}}}"#;
    let document: Document = serde_json::from_str(text).expect("a document");
    let policy = Policy::try_from(document).expect("a policy");
    let mut mutants = Mutants::new(&policy, []).expect("no step fails");
    let redundant = mutants.find(|it| it.mutation.place == "users.ann.allow[1]").expect("a mutant");
    assert_eq!(redundant.fate, Fate::Equivalent);
    let engine = Engine::new(&policy);
    assert!(engine.diff(&engine).is_empty());
}

#[test]
fn a_policy_with_nothing_to_grant_has_mutants() {
    let text = r#"{
        "format": 1,
        "catalogue": {
            "permissions": [{"key": "a", "heading": true}], "settings": {"page": {"default": 20}}},
        "users": {"ann": {"settings": {"page": 50}}}}"#;
    let document = serde_json::from_str::<Document>(text);
    let policy = Policy::try_from(document.expect("a document")).expect("a policy");
    let mutants: Vec<Mutant> = Mutants::new(&policy, []).expect("no step fails").collect();
    assert!(mutants.iter().any(|it| matches!(it.fate, Fate::Survived(_))));
}

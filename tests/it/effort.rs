//! The effort that changes and questions take grows with the policy, and no faster: it
//! is counted in bytes allocated, which are the same at every run.

use allocation_counter::measure;
use grantree::change::{Actor, Change, Op};
use grantree::document::Bound;
use grantree::{Document, Policy, SourceName};
use serde_json::{Value, json};

/// Twice as much takes at most about twice the effort.
fn grows_in_proportion(effort: impl Fn(usize) -> u64) {
    let (once, twice) = (effort(100), effort(200));
    assert!(twice * 10 < once * 27, "{once} bytes for 100, {twice} for 200");
}

/// The bytes allocated while an actor makes a change.
fn bytes(document: Value, actor: &str, change: &Change) -> u64 {
    let document: Document = serde_json::from_value(document).expect("a document");
    let policy = Policy::try_from(document).unwrap_or_else(|problems| panic!("{problems}"));
    let counted = measure(|| {
        let applied = policy.apply(Actor::User(actor), change);
        drop(applied.unwrap_or_else(|refusal| panic!("{refusal}")));
    });
    counted.bytes_total
}

/// Every user's bound is a list of texts, which is compared for every permission.
#[test]
fn comparing_lists_takes_effort_in_proportion() {
    grows_in_proportion(|size| {
        let texts = |first: usize| -> Vec<String> {
            (first..size * 10).map(|text| format!("region {text}")).collect()
        };
        let permissions: Vec<Value> =
            (0..size).map(|at| json!({"key": format!("p{at}"), "object": "job"})).collect();
        let mut users: serde_json::Map<String, Value> = (0..40)
            .map(|user| {
                // Each has statements of its own, so that no two are alike.
                (format!("u{user}"), json!({"roles": ["role"], "deny": [format!("p{user}")]}))
            })
            .collect();
        users.insert("boss".into(), json!({"allow": ["**"], "bounds": {"job.region": texts(0)}}));
        let document = json!({
            "format": 1,
            "catalogue": {
                "objects": {"job": {"attributes": {"region": "one_of"}, "checks": ["region"]}},
                "permissions": permissions},
            "roles": {"role": {"allow": ["**"], "bounds": {"job.region": texts(1)}}},
            "users": users,
            "governance": {"no_escalation": true, "permissions": {"edit_role": ["p0"]}},
        });
        let bound =
            Op::Bound { attribute: "job.region".into(), bound: Some(Bound::OneOf(texts(0))) };
        let source = SourceName::Role("role".into());
        bytes(document, "boss", &Change::Edit { source, ops: vec![bound], cascade: false })
    });
}

/// Each permission requires the one before.
#[test]
fn chains_of_requirements_take_effort_in_proportion() {
    grows_in_proportion(|size| {
        let permissions: Vec<Value> = (0..size)
            .map(|at| match at {
                0 => json!({"key": "p0", "object": "job"}),
                at => {
                    let before = format!("p{}", at - 1);
                    json!({"key": format!("p{at}"), "object": "job", "requires": [before]})
                }
            })
            .collect();
        let document = json!({
            "format": 1,
            "catalogue": {"objects": {"job": {}}, "permissions": permissions},
            "roles": {"role": {"allow": ["**"]}},
            "users": {"boss": {"allow": ["**"]}, "bob": {}},
            "governance": {"no_escalation": true, "permissions": {"assign_role": ["p0"]}},
        });
        let source = SourceName::Role("role".into());
        bytes(document, "boss", &Change::Assign { user: "bob".into(), source })
    });
}

//! What is read of a policy is what its document states.

use grantree::change::Change;
use grantree::{Document, PermissionForm, Policy, SourceName};

const POLICIES: [&str; 5] = [
    include_str!("../../examples/policies/connect.json"),
    include_str!("../../examples/policies/drs.json"),
    include_str!("../../examples/policies/gruntify.json"),
    include_str!("../../examples/policies/orchestly.json"),
    include_str!("../../examples/policies/shipping.json"),
];

#[test]
fn what_is_read_is_what_the_document_states() {
    for text in POLICIES {
        let document: Document = serde_json::from_str(text).expect("JSON");
        let policy = Policy::try_from(document.clone()).expect("a policy");
        assert_eq!(*policy.catalogue(), document.catalogue);
        assert_eq!(*policy.licence(), document.licence);
        assert_eq!(*policy.governance(), document.governance);
        assert!(policy.users().eq(document.users.iter().map(|(name, _)| name)));
        for (name, entry) in &document.users {
            assert_eq!(policy.user(name).as_ref(), Some(entry));
        }
        for (name, role) in &document.roles {
            let source = SourceName::Role(name.into());
            assert_eq!(policy.source(&source).as_ref(), Some(role));
            let named = |names: &[String]| names.iter().any(|it| it == name);
            let mut expected = Vec::new();
            for (user, entry) in &document.users {
                if named(&entry.roles) {
                    expected.push((user, None));
                }
                let assigned = entry.assignments.iter().filter(|(_, it)| named(&it.roles));
                expected.extend(assigned.map(|(assignment, _)| (user, Some(assignment))));
            }
            let holders = policy.holders(&source);
            assert!(holders.iter().map(|it| (it.user, it.assignment)).eq(expected), "{name}");
        }
        for (name, profile) in &document.profiles {
            let read = policy.source(&SourceName::Profile(name.into())).expect("a profile");
            assert_eq!(read.source, *profile);
        }
        let global = policy.source(&SourceName::Global).expect("the global source");
        assert_eq!(global.source.statements, document.global);
        assert_eq!(policy.source(&SourceName::Role("nobody's".into())), None);
    }
}

/// The tree is the document's: each node is a child of its parent, once, in its order.
#[test]
fn permissions_are_a_tree() {
    for text in POLICIES {
        let document: Document = serde_json::from_str(text).expect("JSON");
        let policy = Policy::try_from(document.clone()).expect("a policy");
        let roots: Vec<&str> = policy
            .permissions()
            .filter(|node| node.parent().is_none())
            .map(grantree::PermissionView::path)
            .collect();
        let keys = document.catalogue.permissions.iter().map(|node| node.key.as_str());
        assert!(roots.iter().copied().eq(keys));
        let mut beneath = roots.len();
        for node in policy.permissions() {
            assert_eq!(
                policy.permission(node.path()).map(grantree::PermissionView::label),
                Some(node.label())
            );
            for child in node.children() {
                assert_eq!(child.parent().map(grantree::PermissionView::path), Some(node.path()));
                let is_scope = child.form() == PermissionForm::Scope;
                assert!(!is_scope || node.form() == PermissionForm::Scoped);
                beneath += 1;
            }
        }
        assert_eq!(beneath, policy.permissions().count());
    }
}

/// A change that means null is written as null, or not at all: a format without null that
/// left it out would make another change of it.
#[test]
fn null_is_never_left_out() {
    for text in [
        r#"{"add_user":{"user":"ann","profile":null}}"#,
        r#"{"set_default_profile":{"profile":null}}"#,
        r#"{"set_assignment":{"user":"ann","name":"cover","assignment":null}}"#,
        r#"{"edit":{"source":"global","ops":[{"set":{"label":null,"assignable_by":null}}]}}"#,
        r#"{"edit":{"source":"global","ops":[{"bound":{"attribute":"job.cost","bound":null}}]}}"#,
        r#"{"edit":{"source":"global","ops":[{"setting":{"setting":"s","value":null}}]}}"#,
    ] {
        let change: Change = serde_json::from_str(text).expect("a change");
        assert_eq!(serde_json::to_string(&change).expect("JSON"), text);
        let error = toml::to_string(&change).expect_err("TOML has no null");
        assert!(error.to_string().contains("unit"), "{error}");
    }
    let change: Change = serde_json::from_str(r#"{"add_user":{"user":"ann"}}"#).expect("a change");
    let text = toml::to_string(&change).expect("TOML");
    assert_eq!(toml::from_str::<Change>(&text).expect("a change"), change);
}

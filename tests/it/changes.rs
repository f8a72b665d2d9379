//! Reports of changes, and who may make them.

use std::cell::RefCell;

use grantree::change::{Actor, Applied, Moved};
use grantree::{Document, Engine, Policy, SourceName};

use support::checking::check_sessions;
use support::remedy_laws::approvers_are_exactly_who_may_apply;

#[test]
fn approvers_are_who_may_apply() {
    let named = RefCell::new([0; 2]);
    check_sessions(500, |session| {
        let counted = approvers_are_exactly_who_may_apply(session);
        named.borrow_mut().iter_mut().zip(counted).for_each(|(sum, more)| *sum += more);
    });
    let named = named.into_inner();
    assert!(named.iter().all(|&count| count > 100), "{named:?}");
}

/// An approver may do all that the assignment lets the user do, also under a licence with
/// every feature.
#[test]
fn approvers_may_do_what_they_assign() {
    let approvers = |role: &str, boss: &str| -> Vec<String> {
        let text = format!(
            r#"{{"format": 1,
            "catalogue": {{
                "objects": {{"order": {{"attributes": {{"amount": "at_most"}}}}}},
                "permissions": [
                    {{"key": "approve", "object": "order", "checks": ["amount"]}},
                    {{"key": "a"}}, {{"key": "b", "feature": "f"}}, {{"key": "users"}}]}},
            "profiles": {{"clerk": {{"allow": ["approve"], "bounds": {{"order.amount": 10}}}}}},
            "roles": {{"lead": {role}}},
            "users": {{"bob": {{"profile": "clerk"}}, "boss": {boss}}},
            "governance": {{"permissions": {{"assign_role": ["users"]}}, "no_escalation": true}}}}"#
        );
        let document: Document = serde_json::from_str(&text).expect("JSON");
        let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
        let (bob, a) = (engine.user("bob"), engine.permission("a"));
        let remedies = engine.remedies(bob.expect("a user"), a.expect("a permission"), ());
        let approvers = &remedies.assignments[0].sources[0].approvers;
        approvers.iter().map(|approver| approver.name.clone()).collect()
    };
    // A bound on what the role grants, and on what the user has already.
    for role in [
        r#"{"allow": ["a", "approve"], "bounds": {"order.amount": 5000}}"#,
        r#"{"allow": ["a"], "bounds": {"order.amount": 5000}}"#,
    ] {
        for (most, expected) in [("1000", &[][..]), ("5000", &["boss"]), (r#""any""#, &["boss"])] {
            let allow = r#""allow": ["a", "approve", "users"]"#;
            let boss = format!(r#"{{{allow}, "bounds": {{"order.amount": {most}}}}}"#);
            assert_eq!(approvers(role, &boss), expected, "{role} {boss}");
        }
    }
    // A feature that is not licensed.
    let role = r#"{"allow": ["a", "b"]}"#;
    assert_eq!(approvers(role, r#"{"allow": ["a", "users"]}"#), [""; 0]);
    assert_eq!(approvers(role, r#"{"allow": ["a", "b", "users"]}"#), ["boss"]);
}

// What is reported about a change.

fn policy() -> Policy {
    let document = r#"{"format": 1,
        "catalogue": {"permissions": [{"key": "a"}]},
        "profiles": {"p": {}, "q": {}},
        "roles": {"r": {}, "s": {}, "king": {"unique": true, "demoted_to": "s"}},
        "approval_groups": {"g": {}},
        "users": {
            "ann": {"profile": "p", "roles": ["r", "king"]},
            "bob": {"profile": "q", "roles": ["r"]},
            "cat": {}}}"#;
    let document: Document = serde_json::from_str(document).expect("a document");
    Policy::try_from(document).expect("a policy")
}

#[track_caller]
fn applied(change: &str) -> Applied {
    let change = serde_json::from_str(change).expect("a change");
    policy().apply(Actor::Host, &change).expect("it is applied")
}

/// Who got what in place of what, however it came about.
#[test]
fn who_moves_is_told() {
    for (change, expected) in [
        (r#"{"assign": {"user": "cat", "source": {"profile": "p"}}}"#, "cat: - profiles.p"),
        (
            r#"{"assign": {"user": "ann", "source": {"profile": "q"}}}"#,
            "ann: profiles.p profiles.q",
        ),
        (r#"{"assign": {"user": "ann", "source": {"role": "s"}}}"#, "ann: - roles.s"),
        (
            r#"{"assign": {"user": "bob", "source": {"approval_group": "g"}}}"#,
            "bob: - approval_groups.g",
        ),
        (r#"{"assign": {"user": "bob", "source": {"role": "r"}}}"#, ""),
        (r#"{"revoke": {"user": "bob", "source": {"role": "r"}}}"#, "bob: roles.r -"),
        (r#"{"revoke": {"user": "bob", "source": {"profile": "q"}}}"#, "bob: profiles.q -"),
        (r#"{"revoke": {"user": "bob", "source": {"profile": "p"}}}"#, ""),
        (
            r#"{"delete": {"source": {"role": "r"}, "holders": {"reassign": "s"}}}"#,
            "ann: roles.r roles.s, bob: roles.r roles.s",
        ),
        (r#"{"delete": {"source": {"profile": "p"}, "holders": "unassign"}}"#, "ann: profiles.p -"),
        (
            r#"{"transfer": {"role": "king", "to": "bob"}}"#,
            "ann: roles.king roles.s, bob: - roles.king",
        ),
        (r#"{"edit": {"source": {"role": "r"}, "ops": [{"allow": "a"}]}}"#, ""),
    ] {
        let moved = applied(change).moved;
        let told = moved.iter().map(|Moved { user, from, to }| {
            let place = |source: &Option<SourceName>| {
                source.as_ref().map_or("-".to_owned(), SourceName::place)
            };
            format!("{user}: {} {}", place(from), place(to))
        });
        let told: Vec<String> = told.collect();
        assert_eq!(told.join(", "), expected, "{change}");
    }
}

/// Names are taken per kind, here and in the bundle; and a list has a name only once.
#[test]
fn what_is_imported_gets_a_name_of_its_own() {
    let change = r#"{"import": {"on_conflict": "rename", "bundle": {
        "profiles": {"r_2": {"assignable_by": ["s", "r", "s"]}},
        "roles": {"r": {}, "s": {}, "s_2": {}},
        "approval_groups": {"s_3": {}}}}}"#;
    let document = Document::from(&applied(change).policy);
    let names: Vec<&str> = document.roles.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["r", "s", "king", "r_2", "s_3", "s_2"]);
    let guard = document.profiles.get("r_2").expect("it came").assignable_by.as_deref();
    assert_eq!(guard, Some(&["s_3", "r_2"].map(str::to_owned)[..]));
}

/// The global source has no fields to set; to set none is no mistake.
#[test]
fn nothing_is_set() {
    let nothing = applied(r#"{"edit": {"source": "global", "ops": [{"set": {}}]}}"#);
    assert!(nothing.changed.is_empty());
}

/// A recorded new user is the same wherever it is read: the profile that was the
/// default one is named.
#[test]
fn a_new_users_profile_is_told() {
    let added = |policy: &Policy| {
        let change = serde_json::from_str(r#"{"add_user": {"user": "eve"}}"#).expect("a change");
        let applied = policy.apply(Actor::Host, &change).expect("it is applied");
        serde_json::to_value(&applied.changed).expect("JSON")[0]["add_user"].clone()
    };
    let none = policy();
    assert_eq!(added(&none), serde_json::json!({"user": "eve", "profile": null}));
    let q = serde_json::from_str(r#"{"set_default_profile": {"profile": "q"}}"#).expect("a change");
    let some = none.apply(Actor::Host, &q).expect("it is applied").policy;
    assert_eq!(added(&some), serde_json::json!({"user": "eve", "profile": "q"}));
}

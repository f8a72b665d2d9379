//! What the types guarantee by themselves.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::panic::{RefUnwindSafe, UnwindSafe};

use grantree::document::{Group, Map};
use grantree::object::Object;
use grantree::problem::Problem;
use grantree::{Document, Policy, Reason};
use serde::Serialize;
use serde::de::DeserializeOwned;

const fn between_threads<T: Send + Sync + Unpin>() {}
const fn caught<T: UnwindSafe + RefUnwindSafe>() {}
const fn error<T: Error + Send + Sync + Clone + Eq + 'static>() {}
const fn data<T: Clone + Debug + Eq>() {}
const fn code<T: Copy + Debug + Eq + Hash + Display + Serialize>() {}
const fn name<T: Copy + Debug + Eq + Hash>() {}
const fn written<T: Serialize>() {}
const fn read<T: DeserializeOwned>() {}

/// What a host keeps, or hands from one thread to another.
const _: () = {
    between_threads::<Document>();
    between_threads::<Policy>();
    between_threads::<grantree::Engine>();
    between_threads::<grantree::Live>();
    between_threads::<grantree::User>();
    between_threads::<grantree::Permission>();
    between_threads::<grantree::filter::Filter>();
    between_threads::<grantree::diff::Diff>();
    between_threads::<grantree::tree::Tree>();
    between_threads::<grantree::explain::Explanation>();
    between_threads::<grantree::object::DynamicObject>();
    between_threads::<grantree::change::Change>();
    between_threads::<grantree::change::Applied>();
    between_threads::<grantree::journal::LogEntry>();
    between_threads::<grantree::diff::WhatIf>();
    between_threads::<grantree::explain::Remedies>();
    between_threads::<grantree::explain::AccessRequest>();
    between_threads::<grantree::lint::Finding>();
    between_threads::<grantree::matrix::Matrix>();
    between_threads::<grantree::policy_test::TestDocument>();
    between_threads::<grantree::policy_test::Report>();
    #[cfg(feature = "sql")]
    between_threads::<grantree::sql::Mapping>();
    caught::<Policy>();
    caught::<grantree::Engine>();
    caught::<grantree::Live>();
    // A snapshot's type has no name.
    fn snapshot(live: &grantree::Live) -> impl Send + Sync + Unpin + use<> {
        live.load()
    }
    let _ = snapshot;
};

/// Errors, which go where any error goes.
const _: () = {
    error::<grantree::DateError>();
    error::<grantree::problem::Problems>();
    error::<grantree::problem::ProblemKind>();
    error::<grantree::Unknown>();
    error::<grantree::change::Refusal>();
    error::<grantree::journal::ReplayError>();
    error::<grantree::policy_test::RunError>();
    #[cfg(feature = "sql")]
    error::<grantree::sql::ConditionError>();
};

/// Codes and handles, and what goes to a client or comes from one.
const _: () = {
    code::<Reason>();
    code::<grantree::lint::Code>();
    code::<grantree::change::Rule>();
    code::<grantree::Digest>();
    name::<grantree::User>();
    name::<grantree::Permission>();
    name::<grantree::object::Value<'static>>();
    data::<Document>();
    data::<grantree::diff::Diff>();
    data::<grantree::tree::Tree>();
    data::<grantree::explain::Explanation>();
    data::<grantree::change::Change>();
    data::<grantree::policy_test::Report>();
    data::<grantree::policy_test::TestDocument>();
    written::<Document>();
    written::<grantree::Effective<'static>>();
    written::<grantree::explain::Explanation>();
    written::<grantree::filter::Filter>();
    written::<Reason>();
    written::<grantree::Stats>();
    written::<grantree::change::Refusal>();
    written::<grantree::diff::Diff>();
    written::<grantree::explain::AccessRequest>();
    written::<grantree::lint::Finding>();
    written::<grantree::matrix::Matrix>();
    read::<Document>();
    read::<grantree::object::DynamicObject>();
    read::<grantree::SourceName>();
    read::<grantree::change::Change>();
    read::<grantree::journal::LogEntry>();
    read::<grantree::policy_test::TestDocument>();
};

/// Objects of many types can stand in one list.
const _: Option<&dyn Object> = None;

#[test]
fn maps_and_problems_are_collections() {
    let mut groups: Map<Group> = [("uk", Group::default())].into_iter().collect();
    groups.extend([("leeds", Group { parent: Some("uk".into()), ..Group::default() })]);
    let mut names = Vec::new();
    for (name, _) in &groups {
        names.push(name);
    }
    assert_eq!(names, ["uk", "leeds"]);

    let default_profile = Some("planner".into());
    let document = Document { groups, default_profile, ..Document::default() };
    let problems = Policy::try_from(document).unwrap_err();
    let places: Vec<String> = problems.into_iter().map(|it: Problem| it.place().into()).collect();
    assert_eq!(places, ["default_profile"]);
}

#[test]
fn an_error_stands_once_in_its_chain() {
    let text = r#"{
        "policy": {"format": 1, "catalogue": {}, "default_profile": "planner"},
        "steps": []
    }"#;
    let document: grantree::policy_test::TestDocument = serde_json::from_str(text).expect("JSON");
    let error = document.run(None).unwrap_err();
    assert_eq!(error.to_string(), "default_profile: unknown profile `planner`");
    assert!(error.source().is_none());
}

#[test]
fn what_is_held_goes_out_as_text() {
    let text = r#"{
        "format": 1,
        "catalogue": {"permissions": [{"key": "price", "levels": ["hidden", "read_only"]}]},
        "users": {"bob": {"allow": ["price"]}}
    }"#;
    let document: Document = serde_json::from_str(text).expect("JSON");
    let engine = grantree::Engine::new(&Policy::try_from(document).expect("a policy"));
    let held = engine.effective(engine.user("bob").expect("bob"));
    assert_eq!(serde_json::to_string(&held).expect("JSON"), r#"["price:read_only"]"#);
    assert_eq!((held[0].path(), held[0].level()), ("price", Some("read_only")));
    let unknown = engine.permission("prize").unwrap_err();
    assert_eq!(unknown.to_string(), "unknown permission `prize`; did you mean `price`?");
}

#[test]
fn a_code_is_shown_as_it_is_written() {
    for reason in [Reason::UnknownUser, Reason::Granted] {
        assert_eq!(format!("{reason:>14}"), format!("{:>14}", reason.code()));
        assert_eq!(serde_json::to_value(reason).expect("JSON"), reason.code());
    }
    for rule in [grantree::change::Rule::Invalid, grantree::change::Rule::LastAdmin] {
        assert_eq!(format!("{rule:<15}"), format!("{:<15}", rule.code()));
        assert_eq!(serde_json::to_value(rule).expect("JSON"), rule.code());
    }
}

/// When a change fails a policy test, the author learns which rule refused it, and why.
#[test]
fn a_failed_step_says_why_a_change_was_refused() {
    let text = r#"{
        "policy": {"format": 1, "catalogue": {}, "users": {"root": {"admin": true}}},
        "steps": [
            {"change": {"set_admin": {"user": "root", "admin": false}}, "expect": "applied"},
            {"change": {"set_admin": {"user": "root"}}, "expect": "applied"}]
    }"#;
    let document: grantree::policy_test::TestDocument = serde_json::from_str(text).expect("JSON");
    let report = document.run(None).expect("a policy");
    let told: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
    let expected = [
        r#"step 0: change by the host: unmake the admin `root`: expected "applied", got last_admin: the policy would lose its last active admin"#,
        r#"step 1: change by the host: malformed: expected "applied", got invalid: it does not have the shape of a change"#,
    ];
    assert_eq!(told, expected);
}

/// Hosts derive `Debug` for structs that have a policy, which may have a million users.
#[test]
fn what_is_large_is_debugged_on_a_line() {
    let text = r#"{"format": 1, "catalogue": {}, "roles": {"clerk": {}}, "users": {"bob": {}}}"#;
    let document: Document = serde_json::from_str(text).expect("JSON");
    let policy = Policy::try_from(document).expect("a policy");
    let expected =
        "Policy { revision: 0, profiles: 0, roles: 1, approval_groups: 0, users: 1, .. }";
    assert_eq!(format!("{policy:?}"), expected);
    let engine = grantree::Engine::new(&policy);
    assert_eq!(format!("{engine:?}"), format!("Engine {{ policy: {expected}, .. }}"));
}

//! Sources side by side, as a table and as values.

use grantree::explain::SourceRef;
use grantree::matrix::Matrix;
use grantree::{Document, Policy, SourceName};
use serde_json::{Value, json};

use support::checking::check;
use support::linting;

#[test]
fn a_matrix_agrees_with_the_engine() {
    check(300, linting::a_matrix_agrees_with_the_engine);
}

#[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
fn policy(profiles: Value) -> Policy {
    let document = json!({"format": 1, "catalogue": {"permissions": [
        {"key": "orders", "label": "Orders, \"all\"", "children": [
            {"key": "fields", "heading": true, "label": "=Fields", "children": [
                {"key": "price", "levels": ["hidden", "read_only", "read_write"]}]},
            {"key": "-export"}]}]}, "profiles": profiles});
    let document: Document = serde_json::from_value(document).expect("a document");
    Policy::try_from(document).expect("a valid policy")
}

fn all(policy: &Policy) -> Matrix {
    policy.matrix(policy.sources().into_iter().skip(1)).expect("known sources")
}

#[test]
fn a_table_may_be_wider_than_a_format() {
    let (label, level) = ("l".repeat(70_000), "v".repeat(70_000));
    let document = json!({"format": 1, "catalogue": {"permissions": [
        {"key": "a", "label": label, "levels": ["none", level]}]},
        "profiles": {"p": {"allow": ["a"]}}});
    let document: Document = serde_json::from_value(document).expect("a document");
    let policy = Policy::try_from(document).expect("a valid policy");
    let table = all(&policy).to_string();
    assert!(table.contains(&format!("a ({label})  {level}\n")));
}

#[test]
fn long_names_stand_in_a_legend() {
    let policy = policy(json!({
        "short": {"allow": ["**"], "deny": ["orders.-export"]},
        "a_profile_with_a_long_name": {"label": "Long", "levels": {"orders.fields.*": "read_only"}}}));
    assert_eq!(
        all(&policy).to_string(),
        "\
1  profile `a_profile_with_a_long_name` (Long)
2  profile `short`

                        1            2
orders (Orders, \"all\")  .            yes
  fields (=Fields)
    price               (read_only)  read_write
  -export               .            no

. nothing stated; (…) without effect for a user with only this source; never: forbidden
"
    );
}

#[test]
fn a_wide_table_goes_on_beneath() {
    let profiles = (0..40).map(|at| (format!("p{at:02}"), json!({"allow": ["**"]})));
    let policy = policy(Value::Object(profiles.collect()));
    let text = all(&policy).to_string();
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    for at in 0..40 {
        assert_eq!(text.matches(&format!("p{at:02}")).count(), 1);
    }
}

#[test]
fn values_are_quoted_and_are_no_formulas() {
    let policy = policy(json!({"p": {"label": "@p", "allow": ["orders.-export"]}}));
    let csv = all(&policy).to_csv();
    assert_eq!(
        csv.split("\r\n").collect::<Vec<_>>(),
        [
            "permission,label,p (@p)",
            "orders,\"Orders, \"\"all\"\"\",",
            "orders.fields,\"'=Fields\",",
            "orders.fields.price,,",
            "orders.-export,,granted without effect",
            "",
        ]
    );
}

#[test]
fn unknown_sources_are_refused() {
    let policy = policy(json!({"clerk": {}}));
    let error = policy.matrix([SourceName::Profile("clrek".into())]).expect_err("unknown");
    assert_eq!(error.to_string(), "unknown profile `clrek`; did you mean `clerk`?");
}

/// What a source leaves out is told apart from what it says nothing of.
#[test]
fn what_is_left_out() {
    let policy = policy(json!({
        "clerk": {"allow": ["orders.**"], "except": ["orders.-export", "orders.fields.price"]},
        "lead": {"allow": ["orders"]}}));
    assert_eq!(
        all(&policy).to_string(),
        "                        clerk     lead
orders (Orders, \"all\")  yes       yes
  fields (=Fields)
    price               left out  .
  -export               left out  .

. nothing stated; (…) without effect for a user with only this source; never: forbidden
"
    );
    assert_eq!(all(&policy).to_csv().lines().last(), Some("orders.-export,,left out,"));
}

/// An assignment has its roles and its own statements.
#[test]
fn assignments_beside_other_sources() {
    let document = json!({"format": 1, "catalogue": {"permissions": [
        {"key": "orders", "children": [{"key": "approve"}, {"key": "ship"}]}, {"key": "reports"}]},
        "global": {"allow": ["orders"]},
        "roles": {"lead": {"allow": ["orders.approve"]}},
        "users": {"ann": {"allow": ["reports"], "assignments": {
            "cover": {"roles": ["lead"], "allow": ["orders.**"], "except": ["orders.ship"]}}}}});
    let document: Document = serde_json::from_value(document).expect("a document");
    let policy = Policy::try_from(document).expect("a valid policy");
    let user: SourceRef = SourceName::User("ann".into()).into();
    let matrix = policy.matrix([user, SourceRef::of_assignment("ann", "cover")]);
    assert_eq!(
        matrix.expect("known sources").to_string(),
        "           ann  cover
orders     yes  yes
  approve  .    yes
  ship     .    left out
reports    yes  .

. nothing stated; (…) without effect for a user with only this source; never: forbidden
"
    );
    assert!(policy.matrix([SourceRef::of_assignment("ann", "covr")]).is_err());
}

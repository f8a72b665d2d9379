//! Stored documents under newer catalogues.

use grantree::document::Map;
use grantree::problem::Limits;
use grantree::{Adopted, Document, Policy};

fn read(text: &str) -> Document {
    serde_json::from_str(text).expect("JSON")
}

fn adopt(text: &str) -> (Document, Vec<String>) {
    let Adopted { policy, left_out } = Policy::builder().adopt(read(text)).expect("it is adopted");
    (Document::from(&policy), left_out.iter().map(ToString::to_string).collect())
}

#[test]
fn what_names_something_that_is_gone_is_left_out_and_told() {
    let (document, told) = adopt(
        r#"{
          "format": 1,
          "catalogue": {
            "permissions": [
              {"key": "orders", "heading": true, "children": [{"key": "view"}]},
              {"key": "price", "levels": ["hidden", "full"]}],
            "objects": {"job": {"attributes": {"region": "at_most"}}},
            "settings": {"hours": {"values": [1, 2]}}},
          "licence": {"edition": "gold", "features": ["planner"]},
          "global": {"forbid": ["orders.fax"]},
          "default_profile": "gone",
          "roles": {
            "clerk": {"includes": ["gone"], "assignable_by": ["gone"], "demoted_to": "gone", "unique": true,
              "allow": ["orders", "orders.**"], "except": ["orders.gone", "orders.view"], "deny": ["orders.view.*", "price"],
              "levels": {"price": "read_only", "**": "full"},
              "bounds": {"job.region": ["north"], "job.size": 3},
              "settings": {"hours": 3, "color": "red"}}},
          "users": {"ann": {"profile": "gone", "roles": ["gone", "clerk"], "approval_groups": ["gone"]}},
          "governance": {
            "permissions": {"assign_role": ["orders.view", "orders"], "assign_profile": ["orders.view"]},
            "separation": [{"name": "s", "permissions": ["orders.view", "price:read_only"], "at_most": 1}]}
        }"#,
    );
    assert_eq!(
        told,
        [
            "licence.edition: unknown edition `gold` (left out)",
            "global.forbid[0]: unknown permission `orders.fax` (left out, which may widen)",
            "default_profile: unknown profile `gone` (left out)",
            "roles.clerk.includes[0]: unknown role `gone` (left out)",
            "users.ann.profile: unknown profile `gone` (left out)",
            "users.ann.roles[0]: unknown role `gone` (left out)",
            "users.ann.approval_groups[0]: unknown approval group `gone` (left out)",
            "governance.permissions.assign_role[1]: `orders` is a heading, not a permission; `orders.**` matches the permissions below it (left out)",
            "governance.separation[0].permissions[1]: unknown level `price:read_only`; expected `price:full` (left out, which may widen)",
            "roles.clerk.assignable_by[0]: unknown role `gone` (left out)",
            "roles.clerk.allow[0]: `orders` is a heading, not a permission; `orders.**` matches the permissions below it (left out)",
            "roles.clerk.except[0]: unknown permission `orders.gone` (left out, which may widen)",
            "roles.clerk.deny[0]: pattern `orders.view.*` matches no permission that can be granted (left out, which may widen)",
            "roles.clerk.levels.price: no permission matched by `price` has a level `read_only`; expected `hidden` or `full` (left out)",
            "roles.clerk.bounds.job.region: `job.region` takes an integer, or \"any\"; found a list of texts (left out, which may widen)",
            "roles.clerk.bounds.job.size: unknown attribute `job.size` (left out, which may widen)",
            "roles.clerk.settings.hours: setting `hours` does not accept `3`; it accepts `1`, `2` (left out)",
            "roles.clerk.settings.color: unknown setting `color` (left out)",
            "roles.clerk.demoted_to: unknown role `gone` (left out)",
        ],
    );
    assert_eq!(document.licence.features, ["planner"]);
    let clerk = document.roles.get("clerk").expect("a role");
    assert_eq!(clerk.source.statements.allow, ["orders.**"]);
    assert_eq!(clerk.source.statements.except, ["orders.view"]);
    assert_eq!(clerk.source.statements.deny, ["price"]);
    // The guard that lost its last name stays, for admins only.
    assert_eq!(clerk.source.assignable_by, Some(Vec::new()));
    assert_eq!(document.users.get("ann").expect("a user").roles, ["clerk"]);
    // So does the kind of change: one that is not listed is for admins.
    let expected = Map::from_iter([("assign_profile", vec!["orders.view".to_owned()])]);
    assert_eq!(document.governance.permissions, expected);
    assert_eq!(document.governance.separation[0].permissions, ["orders.view"]);
}

#[test]
fn permissions_take_the_place_of_paths_that_they_had() {
    let (document, told) = adopt(
        r#"{
          "format": 1,
          "catalogue": {
            "permissions": [
              {"key": "a", "was": ["old"], "children": [{"key": "x"}]},
              {"key": "b", "was": ["old", "older"], "levels": ["none", "some", "all"]},
              {"key": "c", "levels": ["none", "all"], "was": ["grade"]}]},
          "global": {"allow": ["a", "old", "older"], "deny": ["old.*"], "forbid": ["**", "gone", "old.**"]},
          "roles": {
            "one": {"levels": {"old": "some", "b": "all", "older": "none"}},
            "two": {"levels": {"b": "some", "older": "some", "grade": "all"}}},
          "governance": {
            "permissions": {
              "assign_role": ["a", "older:all"], "assign_profile": ["old"], "set_admin": ["old:all"],
              "import": ["grade:some"]},
            "escalate": ["grade"], "bind": ["old:some", "grade"],
            "separation": [{"name": "s", "permissions": ["old", "grade:all"], "at_most": 1}]}
        }"#,
    );
    assert_eq!(
        told,
        [
            "global.deny[0]: pattern `b.*` matches no permission that can be granted (left out, which may widen)",
            "global.forbid[1]: unknown permission `gone` (left out, which may widen)",
            "governance.bind[0]: unknown level `a:some` (left out)",
            "governance.permissions.set_admin[0]: unknown level `a:all` (left out)",
            "governance.permissions.import[0]: unknown level `c:some`; expected `c:all` (left out)",
            "roles.one.levels.old: no permission matched by `a` has a level `some` (left out)",
            "roles.one.levels.b: duplicate name `b` (left out)",
            "roles.one.levels.old: duplicate name `b` (left out)",
        ],
    );
    let global = &document.global;
    assert_eq!(global.allow, ["a", "b"]);
    assert_eq!(global.deny, ["a.*"]);
    assert_eq!(global.forbid, ["**", "a.**", "b.**"]);
    let levels =
        |role: &str| document.roles.get(role).expect("a role").source.statements.levels.clone();
    let stated = |levels: &[(&str, &str)]| {
        levels.iter().map(|(path, level)| (*path, (*level).to_owned())).collect::<Map<String>>()
    };
    assert_eq!(levels("one"), stated(&[("b", "none")]));
    assert_eq!(levels("two"), stated(&[("b", "some"), ("c", "all")]));
    let governance = &document.governance;
    let needs = |kind: &str| governance.permissions.get(kind).map(Vec::as_slice);
    assert_eq!(needs("assign_role"), Some(&["a".to_owned(), "b:all".to_owned()][..]));
    assert_eq!(needs("assign_profile"), Some(&["a".to_owned(), "b".to_owned()][..]));
    assert_eq!((needs("set_admin"), needs("import")), (None, None));
    assert_eq!(governance.escalate, ["c"]);
    assert_eq!(governance.bind, [""; 0]);
    assert_eq!(governance.separation[0].permissions, ["a", "b", "c:all"]);
    assert_eq!(adopt(&serde_json::to_string(&document).expect("JSON")), (document, Vec::new()));
}

#[test]
fn what_leaving_out_does_not_mend_is_refused() {
    let refused =
        |text: &str| Policy::builder().adopt(read(text)).expect_err("it is refused").to_string();
    // A catalogue is accepted whole or not at all.
    let text = r#"{"format": 1, "catalogue": {"permissions": [{"key": "a", "requires": ["b"]}]}}"#;
    assert_eq!(
        refused(text),
        "catalogue.permissions[0].requires[0]: unknown permission `b`; did you mean `a`?"
    );
    // Then nothing is reported of what would be left out.
    let text = r#"{"format": 1, "catalogue": {}, "global": {"allow": ["a"]},
        "roles": {"a": {"includes": ["b"]}, "b": {"includes": ["a"]}, "c": {"alow": []}}}"#;
    assert_eq!(
        refused(text),
        "roles.c.alow: unknown field `alow`; did you mean `allow`?\n\
         roles.b.includes[0]: a cycle of roles: `a` > `b` > `a`"
    );
}

/// What a host's own limits allow can be adopted within them, and nothing else.
#[test]
fn limits_hold_for_what_is_adopted() {
    let text =
        r#"{"format": 1, "catalogue": {}, "users": {"ann": {"roles": ["gone"]}, "bob": {}}}"#;
    let adopt = |users: usize| {
        let mut limits = Limits::default();
        limits.users = users;
        let mut done = 0;
        let adopted =
            Policy::builder().limits(limits).on_progress(|users, _| done = users).adopt(read(text));
        (adopted, done)
    };
    let (adopted, done) = adopt(2);
    assert_eq!((adopted.expect("it is adopted").left_out.len(), done), (1, 2));
    assert_eq!(
        adopt(1).0.expect_err("too many").to_string(),
        "users: too many users: the limit is 1"
    );
}

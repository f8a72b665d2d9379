//! Tenants of an installation, for tests and benches: one catalogue, and a few users each.

use grantree::{Document, Policy};

/// The product: 28 permissions, three kinds of object, a setting, an edition.
const PRODUCT: &str = r#"{
  "format": 1,
  "catalogue": {
    "objects": {
      "job": {"relations": {"assignee": "user", "team": "group"},
              "attributes": {"region": "one_of", "hours": "at_most"}, "checks": ["region"]},
      "order": {"relations": {"owner": "user"}, "attributes": {"amount": "at_most"}},
      "person": {"stands_for": "users", "relations": {"self": "user", "group": "group"}}},
    "settings": {"theme": {"default": "light"}},
    "editions": {"basic": {"features": []}, "pro": {"includes": ["basic"], "features": ["export"]}},
    "permissions": [
      {"key": "jobs", "children": [
        {"key": "view", "object": "job", "scopes": [
          {"key": "mine", "when": {"assignee": "me"}}, {"key": "team", "when": {"team": "me"}}]},
        {"key": "edit", "object": "job", "requires": ["jobs.view"], "scopes": [
          {"key": "mine", "when": {"assignee": "me"}}, {"key": "team", "when": {"team": "me"}}]},
        {"key": "plan", "object": "job", "checks": ["hours"]},
        {"key": "title", "levels": ["hidden", "read", "write"]},
        {"key": "price", "levels": ["hidden", "read", "write"]},
        {"key": "export", "feature": "export"}]},
      {"key": "orders", "children": [
        {"key": "view"}, {"key": "create"}, {"key": "approve", "object": "order", "checks": ["amount"]},
        {"key": "cancel", "object": "order", "scopes": [{"key": "own", "when": {"owner": "me"}}]}]},
      {"key": "reports", "children": [{"key": "sales"}, {"key": "costs"}, {"key": "print"}]},
      {"key": "admin", "heading": true, "children": [
        {"key": "users"}, {"key": "roles"}, {"key": "groups"}, {"key": "licence"}]},
      {"key": "chat"}]}
}"#;

/// The policy whose catalogue the tenants share.
pub fn product() -> Policy {
    let document: Document = serde_json::from_str(PRODUCT).expect("JSON");
    Policy::try_from(document).expect("a valid policy")
}

/// The document of a tenant with 50 users, who are in 12 combinations of two profiles, three
/// roles and four teams.
pub fn tenant(number: usize) -> Document {
    let users: Vec<String> = (0..50).map(|at| user(number, at)).collect();
    let text = format!(
        r#"{{"format": 1, "catalogue": {{}}, "licence": {{"edition": "pro"}},
          "global": {{"allow": ["chat"], "bounds": {{"job.region": "any"}}}},
          "default_profile": "staff",
          "profiles": {{
            "staff": {{"label": "Staff", "allow": ["jobs", "jobs.view.mine", "orders"]}},
            "boss": {{"label": "Boss", "allow": ["**"], "bounds": {{"order.amount": "any"}}}}}},
          "roles": {{
            "clerk": {{"allow": ["orders.**"], "bounds": {{"order.amount": {}}}}},
            "seller": {{"allow": ["orders.create", "reports.sales"]}},
            "printer": {{"includes": ["seller"], "allow": ["reports", "reports.print"]}}}},
          "groups": {{"west": {{"parent": "all"}}, "east": {{"parent": "all"}}, "south": {{"parent": "all"}}}},
          "users": {{{}}},
          "governance": {{"permissions": {{"add_user": ["admin.users"], "assign_role": ["admin.roles"]}},
            "no_escalation": true}}}}"#,
        1000 + number % 7,
        users.join(", "),
    );
    serde_json::from_str(&text).expect("JSON")
}

/// A user of a tenant, by a number that is the user's in the whole installation.
fn user(tenant: usize, at: usize) -> String {
    let profile = if at.is_multiple_of(4) { "boss" } else { "staff" };
    let roles = [r#""clerk""#, r#""seller""#, r#""printer""#][at % 3];
    let group = ["west", "east", "south", "all"][at % 12 / 3];
    let id = name(tenant, at);
    format!(r#""{id}": {{"profile": "{profile}", "roles": [{roles}], "groups": ["{group}"]}}"#)
}

/// The name of a user of a tenant.
pub fn name(tenant: usize, at: usize) -> usize {
    tenant * 50 + at + 1
}

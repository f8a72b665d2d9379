//! The texts and the data of tick-box trees.

use grantree::explain::SourceRef;
use grantree::{Document, Policy, SourceName};

const POLICY: &str = r#"{
  "format": 1,
  "catalogue": {
    "objects": {"job": {"relations": {"assignee": "user", "team": "group"}}},
    "permissions": [
      {"key": "orders", "label": "Orders", "children": [
        {"key": "quotes", "label": "Quotes"},
        {"key": "approve", "label": "Approve", "requires": ["orders.quotes"]},
        {"key": "archive", "label": "Archive", "requires": ["reports"], "implies": ["reports.export"]}]},
      {"key": "reports", "label": "Reports", "children": [{"key": "export", "label": "Export"}]},
      {"key": "planner", "label": "Planner", "feature": "project_planner", "children": [{"key": "gantt"}]},
      {"key": "fields", "heading": true, "children": [
        {"key": "price", "label": "Price", "levels": ["hidden", "read_only", "read_write"]},
        {"key": "rebate", "levels": ["hidden", "read_only", "read_write"],
          "requires": ["fields.price:read_write"]}]},
      {"key": "jobs", "label": "Jobs", "object": "job", "children": [
        {"key": "view", "label": "View", "scopes": [
          {"key": "own", "label": "own jobs", "when": {"assignee": "me"}},
          {"key": "team", "label": "jobs of the team", "when": {"team": "me"}}],
          "children": [{"key": "edit", "label": "Edit"}]}]}]},
  "global": {"allow": ["jobs", "jobs.view.own"]},
  "profiles": {"clerk": {"label": "Clerk", "allow": ["orders.**"], "levels": {"fields.*": "read_only"}}},
  "roles": {
    "trainee": {"deny": ["orders.quotes"]},
    "lead": {"label": "Team lead", "includes": ["trainee"],
      "allow": ["reports", "orders", "orders.archive", "orders.quotes", "orders.approve", "planner.**", "jobs.view.*"],
      "deny": ["jobs.view.own"]},
    "auditor": {"forbid": ["orders.approve"]}},
  "users": {
    "ben": {"label": "Ben Fox", "profile": "clerk", "roles": ["auditor"], "allow": ["jobs.view", "reports"], "suspended": true},
    "root": {"admin": true, "deny": ["reports"]}}
}"#;

fn tree(source: &SourceName) -> String {
    let document: Document = serde_json::from_str(POLICY).expect("JSON");
    let tree = Policy::try_from(document).expect("a policy").tree(source);
    tree.expect("a source").to_string()
}

#[test]
fn a_profile_over_the_global_source() {
    insta::assert_snapshot!(tree(&SourceName::Profile("clerk".into())), @r"
profile `clerk` (Clerk)
  [x] orders (Orders): `orders.**` [profiles.clerk.allow[0]]
    [x] quotes (Quotes): `orders.**` [profiles.clerk.allow[0]]
    [x] approve (Approve): `orders.**` [profiles.clerk.allow[0]]
    [x] archive (Archive): `orders.**` [profiles.clerk.allow[0]]; no effect: `reports` (Reports), which it requires, is not granted
  [ ] reports (Reports)
    (x) export (Export): implied by `orders.archive` (Archive); no effect: `reports` (Reports), which is above it, is not granted
  [ ] planner (Planner): the licence has no feature `project_planner`
    [ ] gantt
  [read_only] fields
    [read_only] price (Price): `fields.*` [profiles.clerk.levels.fields.*]
    [read_only] rebate: `fields.*` [profiles.clerk.levels.fields.*]; no effect: `fields.price:read_write` (Price), which it requires, is not granted
  (x) jobs (Jobs): the global source allows `jobs` [global.allow[0]]
    (~) view (View): 1 of 2 scopes have effect
      (x) own (own jobs): the global source allows `jobs.view.own` [global.allow[1]]
      [ ] team (jobs of the team)
      [ ] edit (Edit)
");
}

#[test]
fn a_role_with_what_it_includes() {
    insta::assert_snapshot!(tree(&SourceName::Role("lead".into())), @r"
role `lead` (Team lead)
  [x] orders (Orders): [roles.lead.allow[1]]
    [x] quotes (Quotes): [roles.lead.allow[3]]; no effect: role `trainee` denies `orders.quotes` [roles.trainee.deny[0]]
    [x] approve (Approve): [roles.lead.allow[4]]; no effect: `orders.quotes` (Quotes), which it requires, is denied
    [x] archive (Archive): [roles.lead.allow[2]]
  [x] reports (Reports): [roles.lead.allow[0]]
    (x) export (Export): implied by `orders.archive` (Archive)
  [x] planner (Planner): `planner.**` [roles.lead.allow[5]]; no effect: the licence has no feature `project_planner`
    [x] gantt: `planner.**` [roles.lead.allow[5]]; no effect: the licence has no feature `project_planner`, which `planner` (Planner) needs
  [ ] fields
    [ ] price (Price)
    [ ] rebate
  (x) jobs (Jobs): the global source allows `jobs` [global.allow[0]]
    [~] view (View): 1 of 2 scopes have effect
      [-] own (own jobs): [roles.lead.deny[0]]
      [x] team (jobs of the team): `jobs.view.*` [roles.lead.allow[6]]
      [x] edit (Edit): `jobs.view.*` [roles.lead.allow[6]]
");
}

#[test]
fn a_user_with_all_that_the_user_holds() {
    insta::assert_snapshot!(tree(&SourceName::User("ben".into())), @r"
user `ben` (Ben Fox), suspended, who holds nothing for now
  (x) orders (Orders): profile `clerk` (Clerk) allows `orders.**` [profiles.clerk.allow[0]]
    (x) quotes (Quotes): profile `clerk` (Clerk) allows `orders.**` [profiles.clerk.allow[0]]
    (!) approve (Approve): role `auditor` forbids `orders.approve` [roles.auditor.forbid[0]]
    (x) archive (Archive): profile `clerk` (Clerk) allows `orders.**` [profiles.clerk.allow[0]]
  [x] reports (Reports): [users.ben.allow[1]]
    (x) export (Export): implied by `orders.archive` (Archive)
  [ ] planner (Planner): the licence has no feature `project_planner`
    [ ] gantt
  (read_only) fields
    (read_only) price (Price): profile `clerk` (Clerk) sets `fields.*` to `read_only` [profiles.clerk.levels.fields.*]
    (read_only) rebate: profile `clerk` (Clerk) sets `fields.*` to `read_only` [profiles.clerk.levels.fields.*]; no effect: `fields.price:read_write` (Price), which it requires, is not granted
  (x) jobs (Jobs): the global source allows `jobs` [global.allow[0]]
    [x] view (View): [users.ben.allow[0]]
      [x] own (own jobs): `jobs.view` [users.ben.allow[0]]
      [x] team (jobs of the team): `jobs.view` [users.ben.allow[0]]
      [ ] edit (Edit)
");
}

#[test]
fn an_admin_whatever_the_sources_say() {
    let text = tree(&SourceName::User("root".into()));
    assert!(
        text.starts_with("user `root`, an admin, who holds every licensed permission\n"),
        "{text}"
    );
    assert!(text.contains("\n  [-] reports (Reports): [users.root.deny[0]]\n"), "{text}");
    assert!(text.contains("\n    (read_write) price (Price)\n"), "{text}");
}

#[test]
fn a_tree_is_data_with_stable_codes() {
    let document: Document = serde_json::from_str(POLICY).expect("JSON");
    let policy = Policy::try_from(document).expect("a policy");
    let tree = policy.tree(SourceName::Role("lead".into())).expect("a role");
    let tree = serde_json::to_value(&tree).expect("a tree serializes");
    assert_eq!(tree["source"], serde_json::json!({"role": "lead"}));
    let expected = serde_json::json!({
        "permission": {"name": "orders.approve", "label": "Approve"},
        "form": "plain",
        "own": {"effect": "allow", "by": [{
            "source": {"role": "lead"}, "label": "Team lead", "effect": "allow",
            "pattern": "orders.approve", "place": "roles.lead.allow[4]", "decides": true}]},
        "inherited": {},
        "reason": "gated",
        "lacks": [{
            "link": "requires",
            "permission": {"name": "orders.quotes", "label": "Quotes"},
            "reason": "denied"}]
    });
    assert_eq!(tree["roots"][0]["children"][1], expected);
    let price = &tree["roots"][3]["children"][0];
    assert_eq!((&price["form"], &price["level"]), (&"graded".into(), &"hidden".into()));
    let unknown = policy.tree(SourceName::Role("laed".into())).expect_err("no such role");
    assert_eq!(unknown.to_string(), "unknown role `laed`; did you mean `lead`?");
}

#[test]
fn a_box_that_is_left_out() {
    let text = r#"{"format": 1,
        "catalogue": {"permissions": [
            {"key": "orders", "children": [{"key": "quotes"}, {"key": "approve"}, {"key": "ship"}]},
            {"key": "lead", "implies": ["orders.ship"]}]},
        "global": {"allow": ["orders.quotes"]},
        "roles": {"clerk": {"allow": ["orders.**", "lead"], "except": ["orders.*"]}}}"#;
    let document: Document = serde_json::from_str(text).expect("JSON");
    let policy = Policy::try_from(document).expect("a policy");
    let tree = policy.tree(SourceName::Role("clerk".into())).expect("a role");
    insta::assert_snapshot!(tree.to_string(), @r"
    role `clerk`
      [x] orders: `orders.**` [roles.clerk.allow[0]]
        [.] quotes: `orders.*` [roles.clerk.except[0]]; the global source allows `orders.quotes` [global.allow[0]]
        [.] approve: `orders.*` [roles.clerk.except[0]]
        [.] ship: `orders.*` [roles.clerk.except[0]]; implied by `lead`
      [x] lead: [roles.clerk.allow[1]]
    ");
}

/// The statements of an assignment's own are judged beside all else that its user has in it.
#[test]
fn the_statements_of_an_assignment() {
    let text = r#"{"format": 1,
        "catalogue": {"permissions": [
            {"key": "orders", "children": [{"key": "quotes"}, {"key": "approve"}, {"key": "ship"}]},
            {"key": "price", "levels": ["no", "read", "write"], "requires": ["reports"]},
            {"key": "reports"}]},
        "global": {"allow": ["orders"]},
        "roles": {"clerk": {"allow": ["orders.quotes"]}, "lead": {"allow": ["orders.approve"]}},
        "users": {"ann": {"roles": ["clerk"], "assignments": {
            "cover": {"label": "Cover", "roles": ["lead"], "allow": ["orders.*"],
                      "except": ["orders.approve"], "levels": {"price": "read"}}}}}}"#;
    let document: Document = serde_json::from_str(text).expect("JSON");
    let policy = Policy::try_from(document).expect("a policy");
    let tree = policy.tree(SourceRef::of_assignment("ann", "cover")).expect("an assignment");
    insta::assert_snapshot!(tree.to_string(), @r"
    assignment `cover` (Cover)
      (x) orders: the global source allows `orders` [global.allow[0]]
        [x] quotes: `orders.*` [users.ann.assignments.cover.allow[0]]
        [.] approve: [users.ann.assignments.cover.except[0]]; role `lead` allows `orders.approve` [roles.lead.allow[0]]
        [x] ship: `orders.*` [users.ann.assignments.cover.allow[0]]
      [read] price: [users.ann.assignments.cover.levels.price]; no effect: `reports`, which it requires, is not granted
      [ ] reports
    ");
    let unknown = policy.tree(SourceRef::of_assignment("ann", "covr")).expect_err("unknown");
    assert_eq!(unknown.to_string(), "unknown assignment `covr`; did you mean `cover`?");
    assert!(policy.tree(SourceRef::of_assignment("bob", "cover")).is_err());
    let of_user = policy.tree(SourceName::User("ann".into())).expect("a user");
    assert!(of_user.iter().all(|node| node.own.by.is_empty()));
}

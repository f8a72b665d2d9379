//! The texts of explanations and mends, one for each reason at least.

use std::collections::BTreeSet;
use support::by_name::ByName;

use grantree::object::{DynamicObject, Value};
use grantree::{Document, Engine, Moment, Permission, Policy, Reason, User};

const POLICY: &str = r#"{
  "format": 1,
  "catalogue": {
    "objects": {
      "job": {
        "relations": {"assignee": "user", "team": "group"},
        "attributes": {"region": "one_of", "starts": "not_before"}, "checks": ["region"]},
      "order": {"attributes": {"amount": "at_most"}}},
    "permissions": [
      {"key": "orders", "label": "Orders", "children": [
        {"key": "quotes", "label": "Quotes"},
        {"key": "approve", "label": "Approve", "object": "order", "checks": ["amount"], "requires": ["orders.quotes"]},
        {"key": "archive", "label": "Archive", "requires": ["orders.approve", "reports"], "implies": ["reports.export"]}]},
      {"key": "reports", "label": "Reports", "children": [{"key": "export", "label": "Export"}]},
      {"key": "planner", "label": "Planner", "feature": "project_planner", "children": [{"key": "gantt"}]},
      {"key": "fields", "heading": true, "children": [
        {"key": "price", "label": "Price", "levels": ["hidden", "read_only", "read_write"]}]},
      {"key": "jobs", "label": "Jobs", "object": "job", "children": [
        {"key": "view", "label": "View", "scopes": [
          {"key": "own", "label": "own jobs", "when": {"assignee": "me"}},
          {"key": "team", "label": "jobs of the team", "when": {"team": "me"}},
          {"key": "all", "label": "all jobs", "when": {}}],
          "children": [
            {"key": "edit", "label": "Edit", "checks": ["starts"]},
            {"key": "delete", "label": "Delete", "requires": ["orders"]}]}]}]},
  "licence": {"features": []},
  "global": {"allow": ["jobs"]},
  "profiles": {
    "clerk": {"label": "Clerk", "allow": ["orders.**"], "levels": {"fields.price": "read_only"}},
    "fitter": {"label": "Fitter", "allow": ["jobs.view.own", "jobs.view.edit", "jobs.view.delete"],
      "bounds": {"job.region": ["north", "south"], "job.starts": {"plus_days": 3}}}},
  "roles": {
    "lead": {"label": "Team lead", "allow": ["jobs.view.team", "reports.**", "orders"], "assignable_by": ["lead"]},
    "planner": {"allow": ["planner"]},
    "auditor": {"forbid": ["orders.approve"], "allow": ["reports"]},
    "trainee": {"deny": ["orders.quotes", "jobs.view.own"]}},
  "approval_groups": {"buyers": {"label": "Buyers", "bounds": {"order.amount": 5000}}},
  "users": {
    "root": {"admin": true},
    "ann": {"label": "Ann Lee", "profile": "clerk", "roles": ["lead"], "approval_groups": ["buyers"], "groups": ["leeds"]},
    "ben": {"label": "Ben Fox", "profile": "clerk", "roles": ["auditor"], "approval_groups": ["buyers"]},
    "cat": {"profile": "clerk", "roles": ["trainee"], "approval_groups": ["buyers"]},
    "dan": {"profile": "fitter", "roles": ["planner"], "groups": ["leeds"]},
    "eve": {"profile": "fitter", "suspended": true},
    "fay": {"profile": "fitter", "roles": ["trainee"]}},
  "governance": {"permissions": {"assign_role": ["orders"], "assign_profile": ["reports"]}}
}"#;

/// User, action, object and today: all reasons, from both sides.
const QUESTIONS: &[(&str, &str, &str, &str)] = &[
    ("zoe", "orders", "", ""),
    ("eve", "jobs.view", "", ""),
    ("dan", "planner.gantt", "", ""),
    ("dan", "planner", "", ""),
    ("root", "orders.archive", "", ""),
    ("ben", "orders.approve", r#"{"kind": "order", "attributes": {"amount": 10}}"#, ""),
    ("cat", "orders.quotes", "", ""),
    ("cat", "orders.approve", r#"{"kind": "order", "attributes": {"amount": 10}}"#, ""),
    ("dan", "reports.export", "", ""),
    ("ben", "fields.price:read_write", "", ""),
    ("ben", "orders.archive", "", ""),
    ("cat", "orders.archive", "", ""),
    ("ann", "orders.archive", "", ""),
    ("ann", "reports.export", "", ""),
    ("ann", "orders.approve", "", ""),
    ("ann", "orders.approve", r#"{"kind": "job"}"#, ""),
    ("ann", "orders.approve", r#"{"kind": "order", "attributes": {"amount": 6000}}"#, ""),
    ("ann", "orders.approve", r#"{"kind": "order", "attributes": {"amount": 5000}}"#, ""),
    ("ann", "orders.approve", r#"{"kind": "order"}"#, ""),
    (
        "fay",
        "jobs.view",
        r#"{"kind": "job", "relations": {"assignee": ["fay"]}, "attributes": {"region": "north"}}"#,
        "",
    ),
    (
        "dan",
        "jobs.view",
        r#"{"kind": "job", "relations": {"assignee": ["fay"], "team": ["leeds"]}, "attributes": {"region": "north"}}"#,
        "",
    ),
    (
        "dan",
        "jobs.view",
        r#"{"kind": "job", "relations": {"assignee": ["dan"]}, "attributes": {"region": "west"}}"#,
        "",
    ),
    (
        "dan",
        "jobs.view",
        r#"{"kind": "job", "relations": {"assignee": ["dan"]}, "attributes": {"region": "south"}}"#,
        "",
    ),
    (
        "dan",
        "jobs.view.edit",
        r#"{"kind": "job", "relations": {"assignee": []}, "attributes": {"region": "north", "starts": "2026-11-30"}}"#,
        "2026-11-20",
    ),
    (
        "dan",
        "jobs.view.edit",
        r#"{"kind": "job", "relations": {"assignee": ["dan"]}, "attributes": {"region": "north", "starts": "2026-11-21"}}"#,
        "2026-11-20",
    ),
    (
        "dan",
        "jobs.view.edit",
        r#"{"kind": "job", "relations": {"assignee": ["dan"]}, "attributes": {"region": "north", "starts": "2026-11-21"}}"#,
        "",
    ),
    (
        "dan",
        "jobs.view.delete",
        r#"{"kind": "job", "relations": {"assignee": ["dan"]}, "attributes": {"region": "north"}}"#,
        "",
    ),
    (
        "ann",
        "jobs.view.own",
        r#"{"kind": "job", "relations": {"assignee": ["ann"]}, "attributes": {"region": "north"}}"#,
        "",
    ),
];

#[test]
fn explanations_read_like_this() {
    let document: Document = serde_json::from_str(POLICY).expect("JSON");
    let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
    let mut reasons = BTreeSet::new();
    let mut text = String::new();
    for &(user, action, object, today) in QUESTIONS {
        let object: Option<DynamicObject> =
            (!object.is_empty()).then(|| serde_json::from_str(object).expect("an object"));
        let today: Option<Moment> = (!today.is_empty()).then(|| today.parse().expect("a date"));
        let on = (object.as_ref(), today);
        let explanation = engine.explain_by_name(user, action, on).expect("known names");
        reasons.insert(explanation.reason.code());
        text.push_str(&explanation.to_string());
        if let Ok(user) = engine.user(user) {
            let action = engine.permission(action).expect("a permission");
            text.push_str(&engine.remedies(user, action, on).to_string());
        }
        text.push('\n');
    }
    assert_eq!(reasons.len(), 13, "{reasons:?}");
    insta::assert_snapshot!("texts", text);
}

#[test]
fn a_scope_tells_of_the_attribute_that_does_not_fit() {
    let document: Document = serde_json::from_str(
        r#"{"format": 1,
          "catalogue": {
            "objects": {"job": {
              "relations": {"assignee": "user"},
              "attributes": {"status": "one_of", "amount": "at_most", "archived": "flag"}}},
            "permissions": [{"key": "edit", "object": "job", "scopes": [
              {"key": "own", "when": {"assignee": "me", "archived": false}},
              {"key": "new", "when": {"status": ["draft", "new"], "amount": 500}}]}]},
          "users": {"ann": {"allow": ["edit"]}}}"#,
    )
    .expect("JSON");
    let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
    let (ann, edit) = (engine.user("ann").unwrap(), engine.permission("edit").unwrap());
    let job = DynamicObject::new("job")
        .with_relation("assignee", ["ann"])
        .with_attribute("archived", true)
        .with_attribute("status", "done");
    assert_eq!(
        format!("{}{}", engine.explain(ann, edit, &job), engine.remedies(ann, edit, &job)),
        "\
no: user `ann` may not `edit` on this job, because it is granted, but not for this object
  scope `edit.own` is granted, but does not fit
    `archived` is true, but should be false
    user `ann` allows `edit` [users.ann.allow[0]]
  scope `edit.new` is granted, but does not fit
    `status` is \"done\", but should be one of \"draft\", \"new\"
    the object has no `amount`, but should be at most 500
    user `ann` allows `edit` [users.ann.allow[0]]
to allow it, do one of these
  1. ask about an object whose `job.archived` is false
  2. all of this:
     - ask about an object whose `job.status` is one of \"draft\", \"new\"
     - ask about an object whose `job.amount` is at most 500
"
    );
}

/// A value of a wrong type is the object's fault, and no bound is lifted for it.
#[test]
fn a_value_of_a_wrong_type_is_told_as_such() {
    let told = |bounds: &str, amount: Value<'_>| {
        let text = format!(
            r#"{{"format": 1,
              "catalogue": {{
                "objects": {{"order": {{"attributes": {{"amount": "at_most"}}, "checks": ["amount"]}}}},
                "permissions": [{{"key": "pay", "object": "order"}}]}},
              "users": {{"ann": {{"allow": ["pay"] {bounds}}}}}}}"#
        );
        let document: Document = serde_json::from_str(&text).expect("JSON");
        let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
        let (ann, pay) = (engine.user("ann").unwrap(), engine.permission("pay").unwrap());
        let order = DynamicObject::new("order").with_attribute("amount", amount);
        format!("{}{}", engine.explain(ann, pay, &order), engine.remedies(ann, pay, &order))
    };
    let no = "no: user `ann` may not `pay` on this order, because `order.amount` is not an integer";
    let granted = "\n  it is granted\n    user `ann` allows `pay` [users.ann.allow[0]]\n";
    assert_eq!(
        told(r#", "bounds": {"order.amount": 5}"#, Value::Text("5")),
        format!(
            "{no}{granted}  `order.amount` is \"5\", which is not an integer, so only a bound of \
             `any` lets it through\n    user `ann` allows at most 5 \
             [users.ann.bounds.order.amount]\n"
        )
    );
    assert_eq!(
        told("", Value::Boolean(true)),
        format!(
            "{no}{granted}  `order.amount` is true, which is not an integer, and no source states \
             a bound, so nothing passes\n"
        )
    );
    let any = told(r#", "bounds": {"order.amount": "any"}"#, Value::Other);
    let lets = "which is not an integer, and a bound lets any value through";
    assert!(any.starts_with("yes: ") && any.contains(lets), "{any}");
}

/// Without an object, nothing would turn the answer into a yes but an object.
#[test]
fn remedies_name_the_kind_of_object_to_ask_about() {
    let document: Document = serde_json::from_str(POLICY).expect("JSON");
    let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
    let (ann, approve) =
        (engine.user("ann").unwrap(), engine.permission("orders.approve").unwrap());
    let job = DynamicObject::new("job");
    for remedies in [engine.remedies(ann, approve, ()), engine.remedies(ann, approve, &job)] {
        assert_eq!(remedies.ask_about.as_deref(), Some("order"));
        let text = "to find what would allow it, ask about a given `order`\n";
        assert_eq!(remedies.to_string(), text);
    }
    let order = DynamicObject::new("order").with_attribute("amount", 6_000);
    assert_eq!(engine.remedies(ann, approve, &order).ask_about, None);
}

#[test]
fn explanations_and_requests_are_data() {
    let document: Document = serde_json::from_str(POLICY).expect("JSON");
    let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
    let (cat, archive) =
        (engine.user("cat").unwrap(), engine.permission("orders.archive").unwrap());
    let data = serde_json::to_string_pretty(&engine.explain(cat, archive, ())).expect("JSON");
    insta::assert_snapshot!("explanation", data);
    let request = engine.access_request(cat, archive, ()).expect("it is denied");
    let data = serde_json::to_string_pretty(&request).expect("JSON");
    insta::assert_snapshot!("request", data);
    insta::assert_snapshot!("request_text", request.to_string());
    let root = engine.user("root").unwrap();
    assert_eq!(engine.access_request(root, archive, ()), None);
}

/// What no source brings is listed with the sources that bring the rest, and a
/// permission that is granted on no object is mended on one that it does not fit.
#[test]
fn an_assignment_says_what_it_takes_besides() {
    let document: Document = serde_json::from_str(
        r#"{
            "format": 1,
            "catalogue": {
                "objects": {"visit": {"relations": {"vet": "user"}}},
                "permissions": [{"key": "edit", "object": "visit", "scopes": [
                    {"key": "own", "when": {"vet": "me"}}]}]},
            "global": {"forbid": ["edit.own"]},
            "roles": {"vet": {"allow": ["edit.*"]}},
            "users": {"bob": {}}
        }"#,
    )
    .expect("JSON");
    let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
    let visit = DynamicObject::new("visit").with_relation("vet", ["eve"]);
    let (bob, edit) = (engine.user("bob").unwrap(), engine.permission("edit").unwrap());
    insta::assert_snapshot!(engine.remedies(bob, edit, &visit), @r"
    to allow it, do one of these
      1. all of this:
         - allow this user `edit.own`
         - remove forbid `edit.own` [global.forbid[0]] from the global source, which every user has
         - ask about an object whose `vet` is the user
      2. all of this:
         - assign role `vet`: brings 0 permissions; may be assigned by: nobody but the host
         - remove forbid `edit.own` [global.forbid[0]] from the global source, which every user has
         - ask about an object whose `vet` is the user
    ");
}

/// What was never granted is reported before what lost its effect for want of
/// something else.
#[test]
fn the_root_of_the_trouble_comes_first() {
    let document = r#"{"format": 1,
        "catalogue": {
            "objects": {"job": {"relations": {"owner": "user"}}},
            "permissions": [
                {"key": "base"}, {"key": "lists", "requires": ["base"]},
                {"key": "jobs", "object": "job", "scopes": [{"key": "own", "when": {"owner": "me"}}]},
                {"key": "export", "requires": ["lists", "jobs"]}]},
        "users": {"ann": {"allow": ["lists", "export"]}}}"#;
    let document: Document = serde_json::from_str(document).expect("a document");
    let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
    let told = engine.explain_by_name("ann", "export", ()).expect("an explanation").to_string();
    assert!(told.contains("but `jobs`, which it requires, is not granted"), "{told}");
}

/// With many permissions, patterns are looked up instead: the explanation is the same.
#[test]
fn what_is_said_is_found_among_much_too() {
    for count in [1, 1000] {
        let scope = |at: usize| format!(r#"{{"key": "s{at}", "when": {{"who": "me"}}}}"#);
        let scopes: Vec<_> = (0..count).map(scope).collect();
        let policy = format!(
            r#"{{"format": 1,
              "catalogue": {{
                "objects": {{"job": {{"relations": {{"who": "user"}}}}}},
                "permissions": [{{"key": "edit", "object": "job", "scopes": [{}]}}]}},
              "global": {{"allow": ["**"]}},
              "users": {{"u": {{"deny": ["edit"]}}}}}}"#,
            scopes.join(", ")
        );
        let document: Document = serde_json::from_str(&policy).expect("JSON");
        let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
        let told = engine.explain_by_name("u", "edit", ()).expect("known names").to_string();
        let of_scopes: Vec<&str> = told.lines().filter(|line| line.contains("scope `")).collect();
        assert_eq!(of_scopes.len(), count);
        let other = of_scopes.iter().find(|line| !line.ends_with("is denied"));
        assert_eq!(other, None, "of {count}");
    }
}

/// Handles of another policy have no names here to explain with.
#[test]
fn a_foreign_handle_is_said_to_be_one() {
    let text = r#"{"format": 1, "catalogue": {"permissions": [{"key": "a"}]}, "users": {"u": {"allow": ["a"]}}}"#;
    let engine = || {
        let document: Document = serde_json::from_str(text).expect("JSON");
        Engine::new(&Policy::try_from(document).expect("a policy"))
    };
    let (here, there) = (engine(), engine());
    let handles = |engine: &Engine| {
        (engine.user("u").expect("a user"), engine.permission("a").expect("a permission"))
    };
    let ((user, action), (foreign_user, foreign_action)) = (handles(&here), handles(&there));
    assert!(here.can(user, action, ()));
    assert!(here.owns(action) && !here.owns(foreign_action));
    let told = |user: User, action: Permission| {
        let explanation = here.explain(user, action, ());
        assert_eq!(explanation.reason, here.why(user, action, ()));
        (explanation.reason, explanation.to_string())
    };
    let unknown_user = "no: the policy does not know the user, who may do nothing\n";
    for action in [action, foreign_action] {
        assert_eq!(told(foreign_user, action), (Reason::UnknownUser, unknown_user.to_owned()));
    }
    let unknown_permission = "user `u` may not do this, because the handle to the permission is \
        of another policy, or the permission is gone";
    let (reason, text) = told(user, foreign_action);
    assert_eq!(reason, Reason::UnknownPermission);
    assert_eq!(text, format!("no: {unknown_permission}\n"));
    let denied = here.asker(user).require(foreign_action, ()).expect_err("it is denied");
    assert_eq!((denied.reason, denied.to_string()), (reason, unknown_permission.to_owned()));
    assert_eq!(here.asker(user).can_actions(&[foreign_action], ()), [false]);
}

/// A permission that a newer catalogue lacks is of the policy, and nobody holds it.
#[test]
fn a_permission_that_is_gone_is_unknown() {
    let text = |permission: &str| {
        format!(
            r#"{{"format": 1, "catalogue": {{"permissions": [{{"key": "{permission}"}}]}},
               "users": {{"root": {{"admin": true}}}}}}"#
        )
    };
    let read = |permission| serde_json::from_str::<Document>(&text(permission)).expect("JSON");
    let policy = Policy::try_from(read("fax")).expect("a policy");
    let engine = Engine::new(&policy);
    let (root, fax) = (engine.user("root").unwrap(), engine.permission("fax").unwrap());
    let next = engine.updated(&policy.revise(read("mail")).expect("a policy").policy);
    assert!(engine.can(root, fax, ()) && !next.can(root, fax, ()));
    assert!(next.owns(fax));
    assert_eq!(next.why(root, fax, ()), Reason::UnknownPermission);
    // Another catalogue brings it back.
    let again = next.updated(&next.policy().revise(read("fax")).expect("a policy").policy);
    assert!(again.can(root, fax, ()));
}

/// Of many who may assign a role, five are named.
/// A profile that forbids is replaced by one that allows, and is left as it is; so is what is
/// protected.
#[test]
fn nothing_needless_or_forbidden_is_offered() {
    let told = |rest: &str| {
        let catalogue = r#"{"permissions": [{"key": "orders"}, {"key": "reports"}]}"#;
        let text = format!(r#"{{"format": 1, "catalogue": {catalogue}, {rest}}}"#);
        let document: Document = serde_json::from_str(&text).expect("JSON");
        let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
        let (bob, orders) = (engine.user("bob"), engine.permission("orders"));
        engine.remedies(bob.expect("a user"), orders.expect("a permission"), ()).to_string()
    };
    let profiles = r#""profiles": {
        "a": {"allow": ["reports"], "forbid": ["orders"]}, "b": {"allow": ["orders"]}}"#;
    let replaces = "assign profile `b` in place of profile `a`: brings 1 permission, takes 1 \
        permission away; may be assigned by: admins\n";
    let root = r#""root": {"admin": true}"#;
    for own in ["", r#", "allow": ["orders"]"#] {
        let bob = format!(r#""users": {{"bob": {{"profile": "a"{own}}}, {root}}}"#);
        let text = told(&format!("{profiles}, {bob}"));
        assert!(text.contains(&format!(". {replaces}")), "{text}");
    }
    let auditor = r#""roles": {"auditor": {"protected": true, "forbid": ["orders"]}}"#;
    let bob = r#""users": {"bob": {"roles": ["auditor"], "allow": ["orders"]}}"#;
    let text = told(&format!("{auditor}, {bob}"));
    assert_eq!(text, "to allow it, do one of these\n  1. take role `auditor` from this user\n");
    // A role that a user has by way of another.
    let roles = r#""roles": {"lead": {"includes": ["auditor"]},
        "auditor": {"protected": true, "forbid": ["orders"]}}"#;
    let bob = r#""users": {"bob": {"roles": ["lead"], "allow": ["orders"]}}"#;
    let text = told(&format!("{roles}, {bob}"));
    assert_eq!(text, "to allow it, do one of these\n  1. take role `lead` from this user\n");
}

#[test]
fn approvers_are_named_up_to_five() {
    let told = |approvers: usize| {
        let users: Vec<String> =
            (0..approvers).map(|at| format!(r#""u{at}": {{"allow": ["may"]}}"#)).collect();
        let text = format!(
            r#"{{"format": 1, "catalogue": {{"permissions": [{{"key": "may"}}, {{"key": "a"}}]}},
                "roles": {{"r": {{"allow": ["a"]}}}}, "users": {{"v": {{}}, {}}},
                "governance": {{"permissions": {{"assign_role": ["may"]}}}}}}"#,
            users.join(", ")
        );
        let document: Document = serde_json::from_str(&text).expect("JSON");
        let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
        let (user, action) = (engine.user("v"), engine.permission("a"));
        engine.remedies(user.expect("a user"), action.expect("a permission"), ()).to_string()
    };
    let five = "may be assigned by: `u0`, `u1`, `u2`, `u3`, `u4`";
    for (approvers, rest) in [(5, ""), (6, ", 1 other"), (7, ", 2 others")] {
        assert!(told(approvers).contains(&format!("{five}{rest}\n")), "{}", told(approvers));
    }
}

#[test]
fn a_group_relation_without_groups_says_so() {
    let text = r#"{"format": 1,
        "catalogue": {
            "objects": {"job": {"relations": {"team": "group"}}},
            "permissions": [{"key": "a", "object": "job", "scopes": [
                {"key": "ours", "when": {"team": "me"}}]}]},
        "users": {"u": {"allow": ["a"]}}}"#;
    let document: Document = serde_json::from_str(text).expect("JSON");
    let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
    let object = DynamicObject::new("job").with_relation("team", [""; 0]);
    let told = engine.explain_by_name("u", "a", &object).expect("an explanation").to_string();
    assert!(told.contains("`team` is no group, but should be one of the user's groups"), "{told}");
}

/// What sources leave out is no statement of theirs, but is told.
#[test]
fn what_sources_leave_out_is_told() {
    let text = r#"{"format": 1,
        "catalogue": {"permissions": [
            {"key": "orders", "children": [{"key": "approve"}]},
            {"key": "lead", "implies": ["orders.approve"]}]},
        "profiles": {"open": {"allow": ["orders.approve"]}},
        "roles": {
            "clerk": {"label": "Clerk", "allow": ["orders.**"], "except": ["orders.approve"]},
            "lead": {"allow": ["lead"]},
            "never": {"forbid": ["orders.*"]}},
        "users": {
            "ann": {"roles": ["clerk"]},
            "ben": {"profile": "open", "roles": ["clerk"]},
            "cat": {"roles": ["clerk", "lead"]},
            "dan": {"roles": ["clerk", "never"]}}}"#;
    let document: Document = serde_json::from_str(text).expect("JSON");
    let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
    let told = |user: &str| {
        engine.explain_by_name(user, "orders.approve", ()).expect("known names").to_string()
    };
    insta::assert_snapshot!(["ann", "ben", "cat", "dan"].map(told).join("\n"), @r"
    no: user `ann` may not `orders.approve`, because it is not granted
      role `clerk` (Clerk) leaves out `orders.approve` [roles.clerk.except[0]], and no other source says anything about it

    yes: user `ben` may `orders.approve`, because it is granted
      profile `open` allows `orders.approve` [profiles.open.allow[0]]
      role `clerk` (Clerk) leaves out `orders.approve` [roles.clerk.except[0]], so other sources decide
      and so is everything that it needs: `orders`

    yes: user `cat` may `orders.approve`, because it is granted
      it is implied by `lead`
      role `lead` allows `lead` [roles.lead.allow[0]]
      role `clerk` (Clerk) leaves out `orders.approve` [roles.clerk.except[0]], so what implies it decides
      and so is everything that it needs: `orders`

    no: user `dan` may not `orders.approve`, because it is forbidden
      role `never` forbids `orders.*` [roles.never.forbid[0]]
      role `clerk` (Clerk) leaves out `orders.approve` [roles.clerk.except[0]]
    ");
}

const ASSIGNMENTS: &str = r#"{
  "format": 1,
  "catalogue": {
    "objects": {
      "job": {"relations": {"assignee": "user", "team": "group"}, "attributes": {"region": "one_of"}},
      "order": {"attributes": {"amount": "at_most"}, "checks": ["amount"]}},
    "permissions": [
      {"key": "reports"},
      {"key": "orders", "object": "order", "children": [
        {"key": "approve", "label": "Approve"}]},
      {"key": "jobs", "object": "job", "children": [
        {"key": "edit", "scopes": [
          {"key": "own", "when": {"assignee": "me"}}, {"key": "all", "when": {}}]}]}]},
  "global": {"allow": ["jobs", "orders"], "bounds": {"order.amount": 100}},
  "roles": {"lead": {"label": "Team lead", "allow": ["jobs.edit.all"]}},
  "groups": {"leeds": {}, "york": {}},
  "users": {
    "carol": {"assignments": {
      "leeds cover": {"label": "Cover for Leeds", "roles": ["lead"],
        "on": {"job": {"team": ["leeds"], "region": ["north", "east"]}}, "until": "2026-12-24T18:00"},
      "one-off": {"allow": ["orders.approve"], "bounds": {"order.amount": 900}},
      "reporting": {"allow": ["reports"], "from": "2027-01-01", "until": "2027-03-31"},
      "screens": {"allow": ["reports"], "on": {"*": {}}}}},
    "dave": {"roles": ["lead"], "assignments": {
      "york": {"roles": ["lead"], "on": {"job": {"team": ["york"]}}}}}}
}"#;

/// User, action, object and today.
const ASSIGNED: &[(&str, &str, &str, &str)] = &[
    ("carol", "jobs.edit", "", "2026-12-01"),
    (
        "carol",
        "jobs.edit",
        r#"{"kind": "job", "relations": {"team": ["leeds"]}, "attributes": {"region": "east"}}"#,
        "2026-12-01",
    ),
    (
        "carol",
        "jobs.edit",
        r#"{"kind": "job", "relations": {"team": ["york", "hull"]}, "attributes": {"region": "east"}}"#,
        "2026-12-01",
    ),
    (
        "carol",
        "jobs.edit",
        r#"{"kind": "job", "relations": {"team": []}, "attributes": {"region": "west"}}"#,
        "2026-12-01",
    ),
    ("carol", "jobs.edit", r#"{"kind": "job"}"#, "2026-12-01"),
    (
        "carol",
        "jobs.edit",
        r#"{"kind": "job", "relations": {"team": ["leeds"]}, "attributes": {"region": "east"}}"#,
        "2026-12-24T18:00",
    ),
    ("carol", "jobs.edit", r#"{"kind": "job"}"#, ""),
    ("carol", "jobs.edit", r#"{"kind": "order"}"#, "2026-12-01"),
    ("carol", "jobs.edit.own", r#"{"kind": "job"}"#, "2026-12-01"),
    ("carol", "orders.approve", r#"{"kind": "order", "attributes": {"amount": 50}}"#, ""),
    ("carol", "orders.approve", r#"{"kind": "order", "attributes": {"amount": 500}}"#, ""),
    ("carol", "orders.approve", r#"{"kind": "order", "attributes": {"amount": 5000}}"#, ""),
    ("carol", "reports", "", "2026-12-31"),
    ("carol", "reports", "", "2027-01-01T00:00"),
    ("carol", "reports", "", ""),
    ("dave", "jobs.edit", r#"{"kind": "job", "relations": {"team": ["york"]}}"#, ""),
];

/// The assignment in which a user came furthest is named, with what it covers.
#[test]
fn an_assignment_is_explained_by_its_terms_sources_and_limits() {
    let document: Document = serde_json::from_str(ASSIGNMENTS).expect("JSON");
    let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
    let told = ASSIGNED.iter().map(|&(user, action, object, today)| {
        let object = (!object.is_empty()).then(|| serde_json::from_str(object).expect("JSON"));
        let object: Option<DynamicObject> = object;
        let today: Option<Moment> = (!today.is_empty()).then(|| today.parse().expect("a day"));
        let on = (object.as_ref(), today);
        let explanation = engine.explain_by_name(user, action, on).expect("known names");
        let handles = (engine.user(user).expect("a user"), engine.permission(action));
        let (user, action) = (handles.0, handles.1.expect("a permission"));
        assert_eq!(explanation.reason, engine.why(user, action, on));
        format!("{explanation}{}", engine.remedies(user, action, on))
    });
    insta::assert_snapshot!("assignments", told.collect::<Vec<_>>().join("\n"));
}

/// Users whom an assignment lets in are listed under its sources.
#[test]
fn sources_of_assignments_let_in() {
    let document: Document = serde_json::from_str(ASSIGNMENTS).expect("JSON");
    let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
    let listed = |action: &str| {
        let found = engine.who_can_by_source(engine.permission(action).expect("it"), ());
        let texts = found.iter().map(|it| {
            let sources: Vec<String> = it.sources.iter().map(ToString::to_string).collect();
            format!("{}: {}", sources.join(" and "), it.users.join(", "))
        });
        texts.collect::<Vec<_>>().join("; ")
    };
    assert_eq!(listed("jobs.edit"), "role `lead`: carol, dave");
    assert_eq!(listed("orders.approve"), "assignment `one-off`: carol");
    assert_eq!(listed("reports"), "assignment `reporting`: carol");
}

//! What a lint finds, what it does not, and what it finds in the products.

use std::collections::BTreeMap;

use grantree::object::DynamicObject;
use grantree::{Document, Engine, Policy};
use serde_json::{Value, json};

use support::checking::{cases, check};
use support::linting;

use crate::files::POLICIES;

#[test]
fn what_is_without_effect_can_be_left_out() {
    check(400, linting::what_is_without_effect_can_be_left_out);
}

#[test]
fn what_nobody_can_hold_is_not_held() {
    check(400, linting::what_nobody_can_hold_is_not_held);
}

#[test]
fn what_is_reported_is_so() {
    check(400, linting::what_is_reported_is_so);
}

/// The laws are only as good as what there is to find.
#[test]
fn random_policies_have_findings_of_every_kind() {
    let mut codes = BTreeMap::<&str, u32>::new();
    for case in cases(300) {
        for finding in case.policy.lint() {
            *codes.entry(finding.code.code()).or_default() += 1;
        }
    }
    let expected = [
        "idle",
        "guard",
        "overridden",
        "redundant",
        "never_held",
        "no_bound",
        "unused",
        "admin_profile",
        "passes_heading",
        "silences",
        "carries_nothing",
        "serves_nothing",
        "gated_bound",
    ];
    for code in expected {
        assert!(codes.contains_key(code), "{code}: {codes:?}");
    }
}

/// The findings of a policy with those permissions and sources, as
/// `code place`.
#[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
fn findings(permissions: Value, rest: Value) -> Vec<String> {
    let mut document = json!({"format": 1, "catalogue": {"permissions": permissions}});
    for (field, value) in rest.as_object().expect("an object") {
        match field.as_str() {
            "objects" | "editions" | "settings" => document["catalogue"][field] = value.clone(),
            _ => document[field] = value.clone(),
        }
    }
    let document: Document = serde_json::from_value(document).expect("a document");
    let policy = Policy::try_from(document).expect("a valid policy");
    policy.lint().iter().map(|it| format!("{} {}", it.code, it.place)).collect()
}

/// Orders with quotes and their export; all are held by somebody.
fn orders(rest: Value) -> Vec<String> {
    let permissions = json!([{"key": "orders", "children": [
        {"key": "quotes", "children": [{"key": "export"}]}, {"key": "approve"}]}]);
    findings(permissions, rest)
}

const NONE: [&str; 0] = [];

#[test]
fn repeated() {
    let twice = json!({
        "roles": {
            "a": {"allow": ["orders.**", "orders.**"], "includes": ["b", "b"], "assignable_by": ["b", "b"]},
            "b": {"forbid": ["orders.approve", "orders.approve"]}},
        "users": {"u": {"roles": ["a", "a"], "groups": ["x", "x"]}}});
    assert_eq!(
        orders(twice),
        [
            "never_held catalogue.permissions[0].children[1]",
            "repeated roles.a.allow[1]",
            "repeated roles.a.assignable_by[1]",
            "repeated roles.a.includes[1]",
            "repeated roles.b.forbid[1]",
            "repeated users.u.groups[1]",
            "repeated users.u.roles[1]",
        ]
    );
    let once = json!({
        "roles": {"a": {"allow": ["orders.**"], "deny": ["orders.approve"], "includes": ["b"]},
                  "b": {"forbid": ["orders.approve"]}},
        "profiles": {"p": {"allow": ["orders.**"]}},
        "users": {"u": {"roles": ["a"], "profile": "p"}}});
    // What the role denies is forbidden by the role that it includes.
    assert_eq!(orders(once), ["idle roles.a.deny[0]"]);
}

#[test]
fn overridden_in_its_own_source() {
    let all = |allow: Value, deny: Value| {
        orders(json!({"profiles": {"p": {"allow": allow, "deny": deny}, "q": {"allow": ["**"]}},
                      "users": {"u": {"profile": "p"}, "v": {"profile": "q"}},
                      "global": {"allow": ["orders.approve"]}}))
    };
    // Everything beneath `orders.quotes.*` is `export`, of which the nearer
    // statement decides.
    let found = all(
        json!(["orders", "orders.quotes.export"]),
        json!(["orders.quotes.*", "orders.approve"]),
    );
    assert_eq!(found, ["overridden profiles.p.deny[0]"]);
    assert_eq!(all(json!(["orders"]), json!(["orders.approve"])), NONE);
}

#[test]
fn an_except_without_effect() {
    let p = |statements: Value, global: Value| {
        orders(json!({"profiles": {"p": statements, "q": {"allow": ["**"]}}, "global": global,
                      "users": {"u": {"profile": "p"}, "v": {"profile": "q"}}}))
    };
    let nothing = || json!({});
    assert_eq!(p(json!({"allow": ["orders.**"], "except": ["orders.approve"]}), nothing()), NONE);
    // It states nothing of what it leaves out.
    let found = p(json!({"allow": ["orders"], "except": ["orders.approve"]}), nothing());
    assert_eq!(found, ["idle profiles.p.except[0]"]);
    // Of what it leaves out, the global source says the same.
    let found = p(
        json!({"allow": ["orders.**"], "except": ["orders.approve"]}),
        json!({"allow": ["orders.approve"]}),
    );
    assert_eq!(found, ["idle profiles.p.except[0]"]);
    // Of two that leave out the same, one stays.
    let found = p(
        json!({"allow": ["orders.**"], "except": ["orders.quotes.*", "orders.quotes.export"]}),
        nothing(),
    );
    assert_eq!(found, ["redundant profiles.p.except[1]"]);
    let found = p(
        json!({"allow": ["orders.**"], "except": ["orders.approve", "orders.approve"]}),
        nothing(),
    );
    assert_eq!(found, ["repeated profiles.p.except[1]"]);
    let found = p(
        json!({"allow": ["orders", "orders.quotes.export", "orders.quotes"],
               "except": ["orders.quotes.*"]}),
        nothing(),
    );
    assert_eq!(found, ["overridden profiles.p.except[0]"]);
}

#[test]
fn redundant_in_its_own_source() {
    let p = |statements: Value| {
        orders(
            json!({"profiles": {"p": statements, "q": {"allow": ["**"], "deny": ["orders.approve"]},
                                   "r": {"allow": ["orders.approve", "orders.quotes.*"]}},
                      "users": {"u": {"profile": "p"}, "v": {"profile": "q"}, "w": {"profile": "r"}}}),
        )
    };
    assert_eq!(
        p(json!({"allow": ["orders.**", "orders.quotes"]})),
        ["redundant profiles.p.allow[1]"]
    );
    // The nearer one lifts what a farther one denies.
    assert_eq!(p(json!({"allow": ["**", "orders.quotes"], "deny": ["orders.*"]})), NONE);
    // Of two that say the same, one stays.
    assert_eq!(p(json!({"allow": ["orders.quotes.*", "orders.quotes.export", "orders"]})).len(), 1);
    assert_eq!(
        p(json!({"allow": ["orders"], "forbid": ["orders.**", "orders.quotes"]})),
        ["idle profiles.p.allow[0]", "redundant profiles.p.forbid[1]"]
    );
}

#[test]
fn redundant_over_what_lies_beneath() {
    let with = |global: Value, profile: Value, role: Value| {
        orders(json!({
            "global": global, "profiles": {"p": profile}, "approval_groups": {"g": {"allow": ["**"]}},
            "roles": {"r": role, "s": {"allow": ["orders.quotes"]}},
            "users": {"u": {"profile": "p", "roles": ["r", "s"], "approval_groups": ["g"]}}}))
    };
    let allow = || json!({"allow": ["orders", "orders.quotes"]});
    let found = with(
        json!({"allow": ["orders"]}),
        json!({"allow": ["orders"]}),
        json!({"deny": ["orders"]}),
    );
    assert_eq!(found, ["redundant profiles.p.allow[0]"]);
    // A role is above profiles that may say something else.
    assert_eq!(with(json!({"allow": ["orders"]}), json!({"deny": ["orders"]}), allow()), NONE);
    // But what it includes is always there.
    let found = with(
        json!({}),
        json!({}),
        json!({"allow": ["orders", "orders.quotes"], "includes": ["s"]}),
    );
    assert_eq!(found, ["redundant roles.r.allow[1]"]);
    // Nothing grants what the global source denies.
    let found = with(json!({"deny": ["orders.approve"]}), json!({}), json!({"allow": ["orders"]}));
    assert_eq!(found, ["guard global.deny[0]"]);
    // Denied, nothing is implied.
    let implied = findings(
        json!([{"key": "a", "implies": ["b"]}, {"key": "b"}]),
        json!({"global": {"deny": ["b"]}, "profiles": {"p": {"allow": ["a"]}},
               "roles": {"r": {"allow": ["*"]}},
               "users": {"u": {"profile": "p", "roles": ["r"]}}}),
    );
    assert_eq!(implied, NONE);
}

/// The lowest level in a role grants nothing, and so takes away what is granted below.
#[test]
fn a_lowest_level_with_nothing_below() {
    let of = |profile: Value, role: Value| {
        findings(
            json!([{"key": "price", "levels": ["none", "read", "write"]},
                   {"key": "edit", "implies": ["cost:read"]},
                   {"key": "cost", "levels": ["none", "read"]}]),
            json!({"profiles": {"p": profile}, "roles": {"r": role, "s": {"allow": ["**"]}},
                   "users": {"u": {"profile": "p", "roles": ["r"]}, "v": {"roles": ["s"]}}}),
        )
    };
    let none = || json!({"levels": {"price": "none"}});
    assert_eq!(of(json!({}), none()), ["idle roles.r.levels.price"]);
    assert_eq!(of(none(), none()), ["idle profiles.p.levels.price", "idle roles.r.levels.price"]);
    assert_eq!(of(json!({"allow": ["price"]}), none()), NONE);
    // What an implication would grant is not implied where a level is stated.
    assert_eq!(of(json!({}), json!({"levels": {"cost": "none"}})), NONE);
    // With a higher one in the role, a pattern matters only where it is nearest.
    let found = of(json!({}), json!({"levels": {"*": "none", "price": "read", "cost": "read"}}));
    assert_eq!(found, ["overridden roles.r.levels.*"]);
    assert_eq!(of(json!({}), json!({"levels": {"**": "read", "price": "none"}})), NONE);
}

#[test]
fn denials_with_nothing_to_deny_are_guards() {
    let of = |deny: Value, forbid: Value| {
        orders(json!({"global": {"deny": deny, "forbid": forbid},
                      "roles": {"r": {"allow": ["orders", "orders.quotes"]}},
                      "users": {"u": {"roles": ["r"]}}}))
    };
    let guards = |deny: Value, forbid: Value| {
        let found = of(deny, forbid).into_iter();
        found.filter(|it| !it.starts_with("never_held")).collect::<Vec<_>>()
    };
    assert_eq!(guards(json!(["orders.approve"]), json!([])), ["guard global.deny[0]"]);
    assert_eq!(guards(json!([]), json!(["orders.approve"])), ["guard global.forbid[0]"]);
    // Others of the same source are without effect for good.
    assert_eq!(
        guards(json!(["orders.approve", "orders.approve"]), json!([])),
        ["guard global.deny[0]", "repeated global.deny[1]"]
    );
    assert_eq!(guards(json!([]), json!(["orders.quotes"])), ["idle roles.r.allow[1]"]);
    let document = json!({"format": 1, "catalogue": {"permissions": [{"key": "orders"}]},
                          "global": {"deny": ["orders"]}});
    let document: Document = serde_json::from_value(document).expect("a document");
    let found = Policy::try_from(document).expect("a valid policy").lint();
    assert!(!found[1].code.is_without_effect(), "{}", found[1]);
    assert_eq!(
        found[1].to_string(),
        "global.deny[0]: nobody is granted anything that `orders` matches; it only guards against \
         what may be granted later"
    );
}

#[test]
fn bounds_and_settings_without_effect() {
    let of = |rest: Value| {
        let mut all = json!({
            "objects": {"order": {"attributes": {"amount": "at_most", "region": "one_of"}}},
            "settings": {"slot": {"default": 1}, "flag": {}}});
        for (field, value) in rest.as_object().expect("an object") {
            all[field] = value.clone();
        }
        findings(json!([{"key": "approve", "object": "order", "checks": ["amount"]}]), all)
    };
    assert_eq!(
        of(json!({
            "global": {"allow": ["approve"], "bounds": {"order.amount": 5}, "settings": {"slot": 1}},
            "profiles": {"p": {"bounds": {"order.amount": 5, "order.region": ["x"]}, "settings": {"slot": 1}}},
            "roles": {"r": {"includes": ["s"], "bounds": {"order.amount": 5}, "settings": {"flag": 2}},
                      "s": {"bounds": {"order.amount": 7}, "settings": {"flag": 2}}},
            "users": {"u": {"profile": "p", "roles": ["r"]}}})),
        [
            "redundant profiles.p.bounds.order.amount",
            "idle profiles.p.bounds.order.region",
            "redundant profiles.p.settings.slot",
            "redundant roles.r.bounds.order.amount",
            "redundant roles.r.settings.flag",
        ]
    );
    assert_eq!(
        of(json!({
            "global": {"allow": ["approve"], "bounds": {"order.amount": 5}, "settings": {"slot": 2}},
            "profiles": {"p": {"bounds": {"order.amount": 6}, "settings": {"slot": 1}}},
            "roles": {"r": {"includes": ["s"], "bounds": {"order.amount": 8}, "settings": {"flag": 1}},
                      "s": {"bounds": {"order.amount": 7}, "settings": {"flag": 2}}},
            "users": {"u": {"profile": "p", "roles": ["r"]}}})),
        NONE
    );
    assert_eq!(
        of(json!({"global": {"allow": ["approve"]}})),
        ["no_bound catalogue.objects.order.attributes.amount"]
    );
}

#[test]
fn never_held() {
    let of = |features: Value, rest: Value| {
        let mut all = json!({"editions": {"big": {"features": features}}});
        for (field, value) in rest.as_object().expect("an object") {
            all[field] = value.clone();
        }
        findings(
            json!([{"key": "a", "children": [{"key": "b"}]}, {"key": "c", "feature": "f"},
                   {"key": "h", "heading": true, "children": [{"key": "d", "requires": ["c"]}]}]),
            all,
        )
    };
    assert_eq!(of(json!(["f"]), json!({"global": {"allow": ["**"]}})), NONE);
    assert_eq!(
        of(json!(["g"]), json!({"global": {"allow": ["a.**"], "forbid": ["a"]}})),
        ["never_held catalogue.permissions[0]", "never_held catalogue.permissions[1]"]
    );
    // What nobody effectively holds, for want of something else, is without effect.
    let found = of(json!(["f"]), json!({"global": {"allow": ["a.b", "c", "h.d"]}}));
    assert_eq!(found, ["never_held catalogue.permissions[0]", "idle global.allow[0]"]);
}

/// What nobody can hold beneath one node is one finding.
#[test]
fn never_held_beneath_a_node() {
    let of = |allow: Value, forbid: Value| {
        let permissions = json!([
            {"key": "h", "heading": true, "children": [
                {"key": "a"}, {"key": "b", "children": [{"key": "c"}]},
                {"key": "i", "heading": true, "children": [{"key": "d"}, {"key": "e", "object": "job",
                    "scopes": [{"key": "own", "when": {"assignee": "me"}}]}]}]},
            {"key": "f", "children": [{"key": "g"}, {"key": "k"}]}, {"key": "l", "requires": ["h.a"]}]);
        let document = json!({"format": 1, "catalogue": {"permissions": permissions,
            "objects": {"job": {"relations": {"assignee": "user"}}}},
            "global": {"allow": allow, "forbid": forbid}});
        let document: Document = serde_json::from_value(document).expect("a document");
        let policy = Policy::try_from(document).expect("a valid policy");
        let found = policy.lint().into_iter().filter(|it| it.code.code() == "never_held");
        found.map(|it| it.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        of(json!(["f"]), json!([])),
        [
            "catalogue.permissions[0]: nobody but an admin can hold any of the 5 permissions \
             beneath `h`: nothing grants them; the same goes for `l`; allow them somewhere, or \
             leave them to admins",
            "catalogue.permissions[1].children: nobody but an admin can hold any of the 2 \
             permissions beneath `f`: nothing grants them; allow them somewhere, or leave them to \
             admins",
        ]
    );
    let places = |allow: Value, forbid: Value| {
        let found = of(allow, forbid).into_iter();
        let place = |it: String| it.split(':').next().expect("a place").replace("catalogue.", "");
        found.map(place).collect::<Vec<_>>()
    };
    // Somebody can hold something beneath `h`, but nothing beneath `h.i`.
    assert_eq!(
        places(json!(["h.a", "f.**", "l"]), json!([])),
        ["permissions[0].children[1]", "permissions[0].children[2]"]
    );
    // For several causes.
    assert_eq!(
        places(json!(["f.**"]), json!(["h.a"])),
        ["permissions[0].children[0]", "permissions[0].children[1]", "permissions[0].children[2]"]
    );
}

#[test]
fn kinds_of_change_that_nobody_can_make() {
    let of = |rest: Value| {
        let mut all = json!({
            "editions": {"big": {"features": ["f"]}, "small": {"features": []}},
            "roles": {"r": {"allow": ["a", "b"]}}, "users": {"u": {"roles": ["r"]}},
            "governance": {"permissions": {"assign_role": ["a"], "edit_role": ["a", "b"]}}});
        for (field, value) in rest.as_object().expect("an object") {
            all[field] = value.clone();
        }
        findings(json!([{"key": "a"}, {"key": "b", "feature": "f"}]), all)
    };
    assert_eq!(of(json!({"licence": {"edition": "big"}})), NONE);
    let small = || json!({"edition": "small"});
    assert_eq!(of(json!({"licence": small()})), ["never_made governance.permissions.edit_role"]);
    // Whoever may hold it could be given it.
    assert_eq!(
        of(json!({"licence": {"edition": "big"}, "users": {"root": {"admin": true}},
                         "roles": {"r": {"allow": ["a", "b"], "template": true}}})),
        NONE
    );
    // It is granted in assignments.
    let assigned = json!({"u": {"assignments": {"x": {"allow": ["a", "b"]}}}});
    let of_assignments = json!({"licence": {"edition": "big"}, "roles": {}, "users": assigned});
    assert_eq!(of(of_assignments), NONE);
    let found = of(json!({"licence": {"edition": "big"}, "global": {"forbid": ["a"]}}));
    assert_eq!(
        found,
        [
            "never_held catalogue.permissions[0]",
            "never_made governance.permissions.assign_role",
            "never_made governance.permissions.edit_role",
            "idle roles.r.allow[0]",
        ]
    );
}

#[test]
fn unused_and_same() {
    let says = json!({"allow": ["**"]});
    let found = orders(json!({
        "profiles": {"p": says, "t": {"template": true, "allow": ["**"]}, "d": {}, "q": says},
        "default_profile": "d",
        "roles": {"r": {"includes": ["i"]}, "i": {}, "o": {"unique": true, "demoted_to": "x"}, "x": {}},
        "approval_groups": {"g": {}},
        "users": {"u": {"profile": "p", "roles": ["r"]}}}));
    assert_eq!(
        found,
        ["unused approval_groups.g", "unused profiles.q", "same profiles.q", "unused roles.o"]
    );
    // A policy without users is only beginning.
    assert_eq!(orders(json!({"profiles": {"p": says}})), NONE);
}

#[test]
fn an_admin_has_no_use_for_a_profile() {
    let of = |admin: bool| {
        orders(json!({"profiles": {"p": {"allow": ["**"]}},
                      "users": {"u": {"profile": "p", "admin": admin}, "root": {"admin": true}}}))
    };
    assert_eq!(of(true), ["admin_profile users.u.profile"]);
    assert_eq!(of(false), NONE);
}

#[test]
fn a_denial_of_children_passes_over_a_heading() {
    let of = |deny: Value| {
        findings(
            json!([{"key": "a", "children": [{"key": "b"},
                    {"key": "h", "heading": true, "children": [{"key": "c"}]}]}]),
            json!({"global": {"allow": ["**"]}, "roles": {"r": {"deny": deny}},
                   "users": {"u": {"roles": ["r"]}}}),
        )
    };
    assert_eq!(of(json!(["a.*"])), ["passes_heading roles.r.deny[0]"]);
    assert_eq!(of(json!(["a.*", "a.h.*"])), NONE);
    assert_eq!(of(json!(["a.**"])), NONE);
    assert_eq!(of(json!(["a.b"])), NONE);
}

#[test]
fn a_denial_by_pattern_silences_an_implication() {
    let of = |profile: Value, role: Value| {
        findings(
            json!([{"key": "a", "implies": ["b"]}, {"key": "b"}]),
            json!({"profiles": {"p": profile, "q": {"allow": ["**"]}}, "roles": {"r": role},
                   "users": {"u": {"profile": "p", "roles": ["r"]}, "v": {"profile": "q"}}}),
        )
    };
    let silences = |profile, role| {
        let found = of(profile, role).into_iter().filter(|it| it.starts_with("silences"));
        found.collect::<Vec<_>>()
    };
    let found = silences(json!({"deny": ["**"]}), json!({"allow": ["a"]}));
    assert_eq!(found, ["silences profiles.p.deny[0]"]);
    let found = silences(json!({"deny": ["**"], "allow": ["a"]}), json!({"deny": ["a"]}));
    assert_eq!(found, ["silences profiles.p.deny[0]"]);
    assert_eq!(silences(json!({"deny": ["**"]}), json!({"allow": ["a", "b"]})), NONE);
    assert_eq!(silences(json!({"deny": ["**"], "allow": ["a", "b"]}), json!({})), NONE);
    assert_eq!(silences(json!({"deny": ["b"]}), json!({"allow": ["a"]})), NONE);
}

#[test]
fn names_that_look_alike() {
    let found = orders(json!({
        "profiles": {"p": {"allow": ["**"]}},
        "roles": {"order-clerk": {}, "Order_Clerk": {}, "clerk": {}},
        "users": {
            "anna": {"profile": "p", "roles": ["order-clerk"]}, "аnna": {"roles": ["Order_Clerk"]},
            "anne": {"roles": ["clerk"]}, "an\u{200b}na": {}}}));
    assert_eq!(
        found,
        [
            "look_alike roles.order-clerk",
            "look_alike users[\"an\u{200b}na\"]",
            "look_alike users[\"аnna\"]"
        ]
    );
}

#[test]
fn groups_that_may_be_mistyped() {
    let found = |groups: Value| {
        orders(json!({
            "profiles": {"p": {"allow": ["**"]}},
            "groups": groups,
            "users": {
                "u": {"profile": "p", "groups": ["leeds", "leds"]},
                "v": {"groups": ["leds", "north", "york"]}}}))
    };
    let declared = json!({"leeds": {"parent": "north"}, "nort": {}});
    assert_eq!(found(declared), ["undeclared groups.leeds.parent", "undeclared users.u.groups[1]"]);
    assert_eq!(found(json!({})), NONE);
}

/// Jobs that are looked at and edited in regions, orders that are approved, and reports.
fn assigned(assignments: Value) -> Value {
    let mut document = json!({
        "format": 1,
        "catalogue": {
            "objects": {
                "job": {"relations": {"team": "group"}, "attributes": {"region": "one_of"},
                        "checks": ["region"]},
                "order": {"attributes": {"amount": "at_most"}}},
            "permissions": [
                {"key": "reports"}, {"key": "archive", "implies": ["orders"]},
                {"key": "jobs", "children": [
                    {"key": "view", "object": "job", "children": [{"key": "edit"}]}]},
                {"key": "orders", "children": [
                    {"key": "approve", "object": "order", "checks": ["amount"]}]}]},
        "roles": {
            "viewer": {"allow": ["jobs", "jobs.view"], "bounds": {"job.region": ["north"]}},
            "editor": {"allow": ["jobs.view.edit"]},
            "all": {"allow": ["**"], "bounds": {"order.amount": 5}},
            "limits": {"bounds": {"order.amount": 5}}},
        "users": {"ann": {"roles": ["viewer"]}, "bob": {"roles": ["all", "editor", "limits"]},
                  "root": {"admin": true}}});
    document["users"]["ann"]["assignments"] = assignments;
    document
}

/// The findings of these assignments of `ann`, each as `code place`.
fn of_assignments(assignments: Value) -> Vec<String> {
    let document: Document = serde_json::from_value(assigned(assignments)).expect("a document");
    let policy = Policy::try_from(document).expect("a valid policy");
    let within = |place: &str| place.replace("users.ann.assignments.", "");
    policy.lint().iter().map(|it| format!("{} {}", it.code, within(&it.place))).collect()
}

#[test]
fn assignments_that_allow_nothing() {
    let found = of_assignments(json!({
        "limits": {"roles": ["limits"]},
        "denials": {"roles": ["editor"], "deny": ["jobs.**"]},
        "gated": {"allow": ["orders.approve"], "bounds": {"order.amount": 5}},
        "gates_too": {"allow": ["orders", "orders.approve"], "bounds": {"order.amount": 5}},
        "elsewhere": {"roles": ["editor"], "on": {"order": {}}},
        "there": {"roles": ["editor"], "on": {"job": {}}}}));
    assert_eq!(
        found,
        [
            "carries_nothing denials",
            "carries_nothing elsewhere",
            "carries_nothing gated",
            "carries_nothing limits",
        ]
    );
}

#[test]
fn assignments_that_allow_nothing_are_told_apart() {
    let mut document = assigned(json!({"gated": {"allow": ["orders.approve"]}}));
    document["users"]["eve"] = json!({"assignments": {"a": {"roles": ["limits"]}}});
    document["users"]["joe"] = json!({"assignments": {"b": {"roles": ["limits"]}}});
    document["users"]["kim"] = json!({"suspended": true, "assignments": {"c": {"roles": ["all"]}}});
    document["users"]["root"]["assignments"] = json!({"d": {"roles": ["limits"]}});
    let document: Document = serde_json::from_value(document).expect("a document");
    let found = Policy::try_from(document).expect("a valid policy").lint();
    assert_eq!(
        found.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "users.ann.assignments.gated: nothing that this assignment grants has effect: \
             `orders.approve` needs `orders`; allow what that needs too, or remove the assignment",
            "users.eve.assignments.a: this assignment grants nothing, and its limits and denials \
             concern only what it grants (so for another assignment); allow in it what they are \
             meant for",
        ]
    );
}

#[test]
fn grants_on_no_kind_in_assignments_on_objects() {
    let found = of_assignments(json!({
        "serves": {"allow": ["orders", "orders.approve"], "bounds": {"order.amount": 5},
                   "on": {"order": {}}},
        "implies": {"allow": ["orders.approve", "archive"], "bounds": {"order.amount": 5},
                    "on": {"order": {}}},
        "had": {"allow": ["jobs", "jobs.view.edit"], "on": {"job": {}}},
        "not": {"allow": ["jobs.view.edit", "reports"], "on": {"job": {}}},
        "everywhere": {"allow": ["reports"]}}));
    assert_eq!(found, ["serves_nothing not"]);
}

/// What the assignment does not carry keeps its ordinary bound.
#[test]
fn bounds_of_assignments_that_gates_undo() {
    let found = of_assignments(json!({
        "undone": {"roles": ["editor"], "bounds": {"job.region": ["south"]}},
        "both": {"roles": ["editor"], "allow": ["jobs.view"], "bounds": {"job.region": ["south"]}},
        "lower": {"roles": ["editor"], "bounds": {"job.region": []}},
        "same": {"roles": ["editor"], "bounds": {"job.region": ["north"]}},
        "terms": {"roles": ["editor"], "bounds": {"job.region": "any"},
                  "on": {"job": {"region": ["north"]}}},
        "other": {"roles": ["editor"], "bounds": {"job.region": "any"},
                  "on": {"job": {"region": ["north", "south"]}}}}));
    assert_eq!(
        found,
        ["gated_bound other.bounds.job.region", "gated_bound undone.bounds.job.region"]
    );
    let may_edit = |assignment: &str, region: &str| {
        let all = json!({
            "undone": {"roles": ["editor"], "bounds": {"job.region": ["south"]}},
            "both": {"roles": ["editor"], "allow": ["jobs.view"], "bounds": {"job.region": ["south"]}}});
        let document = assigned(json!({"a": all[assignment]}));
        let document: Document = serde_json::from_value(document).expect("a document");
        let engine = Engine::new(&Policy::try_from(document).expect("a valid policy"));
        let job = DynamicObject::new("job").with_attribute("region", region);
        engine.check("ann", "jobs.view.edit", &job).expect("known names")
    };
    assert!(!may_edit("undone", "south") && !may_edit("undone", "north"));
    assert!(may_edit("both", "south"));
}

/// A policy of users whose roles and approval groups state bounds.
fn bounded(users: &Value) -> Value {
    let orders = |amount: Value, region: Value| {
        json!({"allow": ["orders.approve"],
               "bounds": {"order.amount": amount, "order.region": region}})
    };
    let groups = ["north", "south"].map(|it| {
        let amount = if it == "north" { 10 } else { 1000 };
        json!({"bounds": {"order.amount": amount, "order.region": [it]}})
    });
    json!({
        "format": 1,
        "catalogue": {
            "objects": {
                "job": {"attributes": {"region": "one_of"}, "checks": ["region"]},
                "order": {"attributes": {"amount": "at_most", "region": "one_of"}}},
            "permissions": [
                {"key": "jobs", "object": "job", "children": [{"key": "edit"}]},
                {"key": "orders", "children": [
                    {"key": "approve", "object": "order", "checks": ["amount", "region"]}]}]},
        "global": {"allow": ["orders"]},
        "profiles": {"buyer": {"allow": ["orders.approve"]}},
        "roles": {
            "viewer": {"allow": ["jobs"], "bounds": {"job.region": "any"}},
            "editor": {"allow": ["jobs.edit"], "bounds": {"job.region": ["north"]}},
            "north": orders(json!(10), json!(["north"])),
            "south": orders(json!(1000), json!(["south"])),
            "far": orders(json!(10), json!(["south"])),
            "top": orders(json!(1000), json!(["north", "south"]))},
        "approval_groups": {"n": groups[0], "s": groups[1]},
        "users": users})
}

/// Bounds of ordinary roles that reach further together than any of them does.
#[test]
fn bounds_that_join_further_than_each_reaches() {
    let users = json!({
        "ann": {"roles": ["north", "south"]}, "bob": {"roles": ["north", "south", "editor"]},
        "dan": {"profile": "buyer", "approval_groups": ["n", "s"]},
        "eve": {"roles": ["viewer", "editor"]},
        // What is joined is within the bounds of one, or of the user's own.
        "fay": {"roles": ["north", "far"]}, "gus": {"roles": ["north", "south", "top"]},
        "hal": {"roles": ["north", "south"], "bounds": {"order.region": ["north"]}},
        // What only looks at jobs leaves orders alone.
        "ian": {"roles": ["north", "viewer"]}, "joe": {"roles": ["north"], "approval_groups": ["n"]},
        "root": {"admin": true, "roles": ["north", "south"]},
        "kim": {"assignments": {"n": {"roles": ["north"]}, "s": {"roles": ["south"]}}}});
    let document: Document = serde_json::from_value(bounded(&users)).expect("a document");
    let policy = Policy::try_from(document).expect("a valid policy");
    let found = policy.lint().into_iter().filter(|it| it.code.code() == "joined_bounds");
    assert_eq!(
        found.map(|it| it.to_string()).collect::<Vec<_>>(),
        [
            "users.ann: the bounds of role `north` and role `south` join: together they let `ann` \
             do `orders.approve` where `order.amount` is 1000 and where `order.region` is \
             \"north\", which none of them does by itself (so for another user); if its bounds \
             belong to what it grants, give role `south` by an assignment instead: `{\"roles\": \
             [\"south\"]}`",
            "users.dan: the bounds of approval group `n` and approval group `s` join: together \
             they let `dan` do `orders.approve` where `order.amount` is 1000 and where \
             `order.region` is \"north\", which none of them does by itself; if its bounds belong \
             to what it grants, give approval group `s` by an assignment instead: \
             `{\"approval_groups\": [\"s\"], \"allow\": [\"orders.approve\"]}`",
            "users.eve: the bounds of role `viewer` and role `editor` join: together they let \
             `eve` do `jobs.edit` whatever `job.region` is, which none of them does by itself; if \
             its bounds belong to what it grants, give role `editor` by an assignment instead: \
             `{\"roles\": [\"editor\"]}`",
        ]
    );
}

/// The advice mends what it is about.
#[test]
fn bounds_that_are_given_by_an_assignment_do_not_join() {
    let of = |user: Value| {
        let document = bounded(&json!({"u": user}));
        let document: Document = serde_json::from_value(document).expect("a document");
        Engine::new(&Policy::try_from(document).expect("a valid policy"))
    };
    let order = |amount: i64, region: &str| {
        DynamicObject::new("order")
            .with_attribute("amount", amount)
            .with_attribute("region", region)
    };
    let approves = |user: Value, amount, region| {
        of(user).check("u", "orders.approve", &order(amount, region)).expect("known names")
    };
    for (before, after) in [
        (
            json!({"roles": ["north", "south"]}),
            json!({"roles": ["north"], "assignments": {"s": {"roles": ["south"]}}}),
        ),
        (
            json!({"profile": "buyer", "approval_groups": ["n", "s"]}),
            json!({"profile": "buyer", "approval_groups": ["n"], "assignments": {
                "s": {"approval_groups": ["s"], "allow": ["orders.approve"]}}}),
        ),
    ] {
        assert!(approves(before.clone(), 1000, "north") && !approves(after.clone(), 1000, "north"));
        for (amount, region) in [(10, "north"), (1000, "south")] {
            assert!(approves(before.clone(), amount, region));
            assert!(approves(after.clone(), amount, region));
        }
    }
}

/// The products' policies have no findings, except intended ones.
#[test]
fn products() {
    let known: [(&str, &[&str]); 5] = [
        // The product gives admins a profile, but only for its settings.
        ("connect", &["admin_profile users.root.profile", "admin_profile users.support.profile"]),
        // Two features are switched on for single customers, in no edition.
        (
            "drs",
            &[
                "never_held catalogue.permissions[4].children[5]",
                "never_held catalogue.permissions[7].children[7]",
                "never_held catalogue.permissions[12].children[0].children[2].children[12]",
            ],
        ),
        ("gruntify", &[]),
        // The profile states every field that it shows, as the product's screen
        // does; and the product's admins have profile Admin.
        (
            "orchestly",
            &[
                "redundant profiles.contractor.levels.fields.due_on",
                "redundant profiles.contractor.levels.fields.title",
                "admin_profile users.amara.profile",
            ],
        ),
        ("shipping", &[]),
    ];
    for (product, known) in known {
        let path = format!("{POLICIES}/{product}.json");
        let text = std::fs::read_to_string(path).expect("a policy");
        let document: Document = serde_json::from_str(&text).expect("a document");
        let policy = Policy::try_from(document).expect("a valid policy");
        let found = policy.lint().into_iter().map(|it| format!("{} {}", it.code, it.place));
        assert_eq!(found.collect::<Vec<_>>(), known, "{product}");
    }
}

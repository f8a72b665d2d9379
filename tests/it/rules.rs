//! The rules of the design one by one, on policies small enough to check by
//! hand. The oracle answers them first, and then the engine.

use grantree::policy_test::Step;
use grantree::{Document, Engine, Policy};
use serde_json::Value;
use support::oracle::Oracle;

/// Asks one question a line, `question => answer`, written as in a test
/// document. `policy` is a document without its format.
#[track_caller]
fn check(policy: &str, steps: &str) {
    let value: Value = serde_json::from_str(&format!("{{\"format\": 1, {policy}}}"))
        .unwrap_or_else(|error| panic!("{error} in {policy}"));
    let oracle = Oracle::new(&value);
    let document: Document = serde_json::from_value(value).expect("a document");
    let policy = Policy::try_from(document).unwrap_or_else(|problems| panic!("{problems}"));
    let engine = Engine::new(&policy);
    let lines = steps.lines().map(str::trim).filter(|line| !line.is_empty());
    for line in lines {
        let (question, expect) = line.split_once(" => ").expect("question => answer");
        let step = format!("{{{question}, \"expect\": {expect}}}");
        let step: Value =
            serde_json::from_str(&step).unwrap_or_else(|error| panic!("{error} in {step}"));
        let answer = oracle.ask(&step);
        assert!(answer == step["expect"], "{line}\nthe oracle says {answer}");
        let Step { question, expect } = serde_json::from_value(step).expect("a step");
        match question.ask(&engine) {
            Ok(answer) => assert!(answer == expect, "{line}\nthe engine says {answer}"),
            Err(unknown) => assert!(
                expect == grantree::policy_test::Answer::Error,
                "{line}\nthe engine refuses: {unknown}"
            ),
        }
    }
}

/// Three permissions and a parent, for statements of users.
fn check_statements(user: &str, steps: &str) {
    check(
        &format!(
            r#""catalogue": {{"permissions": [
                {{"key": "a", "children": [
                    {{"key": "b", "children": [{{"key": "c"}}]}},
                    {{"key": "g", "levels": ["none", "some", "more", "all"]}}]}},
                {{"key": "ab"}}]}},
               "users": {{"u": {user}}}"#
        ),
        steps,
    );
}

const EXAMPLE: &str = r#"
  "catalogue": {
    "permissions": [
      {"key": "orders", "label": "Order Management", "children": [
        {"key": "quotes", "children": [{"key": "export"}]},
        {"key": "approve", "object": "order", "checks": ["amount"], "requires": ["orders.quotes"]}]},
      {"key": "planner", "feature": "project_planner"},
      {"key": "jobs", "children": [
        {"key": "edit", "object": "job", "scopes": [
          {"key": "assigned_to_me", "when": {"assignee": "me"}},
          {"key": "assigned_to_others", "when": {"assignee": ["other", "none"]}, "implies": ["jobs.edit.assigned_to_me"]},
          {"key": "team", "when": {"team": "me"}}]},
        {"key": "fields", "heading": true, "children": [
          {"key": "title", "levels": ["hidden", "read_only", "read_write"]}]}]}],
    "objects": {
      "order": {"attributes": {"amount": "at_most"}},
      "job": {"relations": {"assignee": "user", "requester": "user", "team": "group"},
              "attributes": {"region": "one_of", "starts": "not_before"}, "checks": ["region"]}},
    "settings": {"out_of_hours": {"values": [true, false], "default": false}},
    "editions": {"professional": {"features": []},
                 "business": {"includes": ["professional"], "features": ["project_planner"]}}
  },
  "licence": {"edition": "business", "features": []},
  "global": {"allow": ["jobs"], "bounds": {"job.region": "any"}},
  "default_profile": "planner",
  "profiles": {
    "planner": {"label": "Planner", "template": true, "protected": false,
      "allow": ["orders.**"], "deny": ["orders.quotes.export"], "forbid": [],
      "levels": {"jobs.fields.*": "read_only"},
      "bounds": {"job.region": ["north", "south"]},
      "settings": {"out_of_hours": true}}},
  "roles": {
    "dispatcher": {"includes": [], "allow": ["jobs.edit"], "levels": {"jobs.fields.title": "read_write"}},
    "owner": {"unique": true, "demoted_to": "dispatcher", "assignable_by": ["owner"], "protected": true}},
  "approval_groups": {"buyers": {"bounds": {"order.amount": 5000}}},
  "groups": {"uk": {}, "leeds": {"parent": "uk"}},
  "users": {
    "alice": {"profile": "planner", "roles": ["dispatcher"], "approval_groups": ["buyers"], "groups": ["uk"],
              "admin": false, "suspended": false, "allow": ["planner"]},
    "bob": {"profile": "planner", "deny": ["orders.quotes"]},
    "root": {"admin": true}},
  "governance": {
    "permissions": {"assign_role": ["orders"]},
    "no_escalation": true,
    "separation": [{"name": "four-eyes", "permissions": ["orders.quotes.export", "orders.approve"], "at_most": 1}]}
"#;

#[test]
fn the_example_answers_as_the_design_says() {
    check(
        EXAMPLE,
        r#"
        "can": {"user": "alice", "action": "jobs.edit", "object": {"kind": "job", "relations": {"assignee": ["alice"], "team": ["leeds"]}, "attributes": {"region": "north", "starts": "2026-11-21"}}, "today": "2026-11-21"} => true
        "can_some": {"user": "alice", "action": "jobs.edit"} => true
        "level": {"user": "alice", "permission": "jobs.fields.title"} => "read_write"
        "setting": {"user": "alice", "setting": "out_of_hours"} => true
        "effective": {"user": "bob"} => ["jobs", "jobs.fields.title:read_only", "orders"]
        "who_can": {"action": "orders.quotes"} => ["alice", "root"]
        "why": {"user": "bob", "action": "orders.approve"} => "gated"
        "#,
    );
}

#[test]
fn the_example_answers_the_questions_around_it() {
    check(
        EXAMPLE,
        r#"
        "effective": {"user": "alice"} => ["jobs", "jobs.edit", "jobs.edit.assigned_to_me", "jobs.edit.assigned_to_others", "jobs.edit.team", "jobs.fields.title:read_write", "orders", "orders.approve", "orders.quotes", "planner"]
        "why": {"user": "alice", "action": "orders.approve"} => "object_required"
        "why": {"user": "alice", "action": "orders.approve", "object": {"kind": "order", "attributes": {"amount": 5000}}} => "granted"
        "why": {"user": "alice", "action": "orders.approve", "object": {"kind": "order", "attributes": {"amount": 5001}}} => "out_of_bounds"
        "why": {"user": "alice", "action": "orders.approve", "object": {"kind": "job"}} => "wrong_kind"
        "why": {"user": "alice", "action": "jobs.edit.team", "object": {"kind": "job", "relations": {"assignee": ["alice"]}, "attributes": {"region": "north"}}} => "no_scope"
        "why": {"user": "alice", "action": "jobs.edit", "object": {"kind": "job", "relations": {"assignee": []}, "attributes": {"region": "east"}}} => "out_of_bounds"
        "why": {"user": "alice", "action": "jobs.edit", "object": {"kind": "job", "attributes": {"region": "north"}}} => "no_scope"
        "why": {"user": "bob", "action": "jobs.edit"} => "not_granted"
        "why": {"user": "bob", "action": "orders.quotes"} => "denied"
        "why": {"user": "bob", "action": "orders.quotes.export"} => "denied"
        "why": {"user": "root", "action": "orders.approve", "object": {"kind": "job"}} => "admin"
        "why": {"user": "carol", "action": "orders"} => "unknown_user"
        "setting": {"user": "carol", "setting": "out_of_hours"} => false
        "level": {"user": "carol", "permission": "jobs.fields.title"} => "hidden"
        "effective": {"user": "carol"} => []
        "#,
    );
}

#[test]
fn the_longest_base_wins() {
    check_statements(
        r#"{"allow": ["**", "a.b.*"], "deny": ["a.**"]}"#,
        r#"
        "why": {"user": "u", "action": "ab"} => "granted"
        "why": {"user": "u", "action": "a"} => "denied"
        "why": {"user": "u", "action": "a.b"} => "denied"
        "why": {"user": "u", "action": "a.b.c"} => "gated"
        "#,
    );
}

#[test]
fn on_one_base_exact_beats_children_beats_everything() {
    check_statements(
        r#"{"allow": ["a", "a.*"], "deny": ["a.**"]}"#,
        r#""effective": {"user": "u"} => ["a", "a.b", "a.g:all"]"#,
    );
    check_statements(
        r#"{"allow": ["*"], "deny": ["**"]}"#,
        r#""effective": {"user": "u"} => ["a", "ab"]"#,
    );
}

#[test]
fn on_a_tie_the_lowest_result_wins() {
    check_statements(
        r#"{"allow": ["a", "ab", "a.g"], "deny": ["ab"], "levels": {"a.g": "some"}}"#,
        r#"
        "why": {"user": "u", "action": "ab"} => "denied"
        "level": {"user": "u", "permission": "a.g"} => "some"
        "#,
    );
    check_statements(
        r#"{"allow": ["a"], "deny": ["a.g"], "levels": {"a.g": "none"}}"#,
        r#""why": {"user": "u", "action": "a.g"} => "denied""#,
    );
}

#[test]
fn a_level_that_a_permission_lacks_says_nothing_of_it() {
    let policy = r#"
      "catalogue": {"permissions": [
        {"key": "a", "heading": true, "children": [
          {"key": "two", "levels": ["none", "some"]},
          {"key": "three", "levels": ["some", "none", "all"]},
          {"key": "plain"}]}]},
      "users": {"u": {"allow": ["**"], "levels": {"a.*": "some", "a.**": "all"}}}"#;
    check(policy, r#""effective": {"user": "u"} => ["a.plain", "a.two:some"]"#);
}

#[test]
fn a_scoped_nodes_own_path_counts_as_its_children() {
    let policy = |said: &str| {
        format!(
            r#""catalogue": {{"objects": {{"job": {{}}}}, "permissions": [{{"key": "j", "object": "job",
                 "scopes": [{{"key": "x", "when": {{}}}}, {{"key": "y", "when": {{}}}}],
                 "children": [{{"key": "z"}}]}}]}},
               "users": {{"u": {said}}}"#
        )
    };
    // A tie between `j` and `j.*` over the scopes; the child is not matched by `j`.
    check(
        &policy(r#"{"allow": ["j.*"], "deny": ["j"]}"#),
        r#"
        "why": {"user": "u", "action": "j.x"} => "denied"
        "why": {"user": "u", "action": "j.z"} => "gated"
        "#,
    );
    check(
        &policy(r#"{"allow": ["j"], "deny": ["j.**", "j.y"]}"#),
        r#"
        "effective": {"user": "u"} => ["j", "j.x"]
        "why": {"user": "u", "action": "j.z"} => "denied"
        "#,
    );
    // `*` matches the scoped root, and so its scopes, on the shortest base.
    check(
        &policy(r#"{"allow": ["*"], "deny": ["**"]}"#),
        r#""effective": {"user": "u"} => ["j", "j.x", "j.y"]"#,
    );
    check(
        &policy(r#"{"allow": ["*"], "deny": ["j.x.**"]}"#),
        r#""effective": {"user": "u"} => ["j", "j.y"]"#,
    );
}

#[test]
fn the_most_specific_tier_decides() {
    let policy = r#"
      "catalogue": {"permissions": [
        {"key": "a"}, {"key": "b"}, {"key": "c"}, {"key": "g", "levels": ["none", "some", "all"]}]},
      "global": {"allow": ["a", "b", "g"]},
      "profiles": {"p": {"deny": ["a", "b"], "levels": {"g": "none"}}},
      "roles": {"r": {"allow": ["a"], "levels": {"g": "some"}}, "s": {"deny": ["c"]}, "t": {"levels": {"g": "none"}}},
      "approval_groups": {"x": {"allow": ["c"]}, "y": {"allow": ["g"]}},
      "users": {
        "nobody": {},
        "profiled": {"profile": "p"},
        "roled": {"profile": "p", "roles": ["t", "r"], "approval_groups": ["x"]},
        "denied": {"roles": ["s"], "approval_groups": ["x", "y"]},
        "own": {"roles": ["s"], "allow": ["c"], "levels": {"g": "none"}}}"#;
    check(
        policy,
        r#"
        "effective": {"user": "nobody"} => ["a", "b", "g:all"]
        "effective": {"user": "profiled"} => []
        "why": {"user": "profiled", "action": "g"} => "not_granted"
        "effective": {"user": "roled"} => ["a", "c", "g:some"]
        "why": {"user": "roled", "action": "b"} => "denied"
        "why": {"user": "roled", "action": "g:all"} => "not_granted"
        "effective": {"user": "denied"} => ["a", "b", "g:all"]
        "effective": {"user": "own"} => ["a", "b", "c"]
        "#,
    );
}

#[test]
fn a_role_brings_along_what_it_includes() {
    let policy = r#"
      "catalogue": {"permissions": [{"key": "a"}, {"key": "b"}, {"key": "c"}],
        "settings": {"s": {}, "t": {"default": "d"}}},
      "global": {"settings": {"s": "global"}},
      "roles": {
        "top": {"includes": ["left", "right"], "allow": ["a"]},
        "left": {"includes": ["bottom"], "allow": ["b"], "deny": ["c"]},
        "right": {"settings": {"s": "right"}},
        "bottom": {"allow": ["c"], "settings": {"s": "bottom"}}},
      "approval_groups": {"x": {"settings": {"s": "x", "t": "x"}}},
      "users": {
        "u": {"roles": ["top"], "approval_groups": ["x"]},
        "v": {"roles": ["right", "top"]},
        "w": {"suspended": true, "settings": {"s": 7}},
        "z": {}}"#;
    check(
        policy,
        r#"
        "effective": {"user": "u"} => ["a", "b"]
        "setting": {"user": "u", "setting": "s"} => "bottom"
        "setting": {"user": "u", "setting": "t"} => "x"
        "setting": {"user": "v", "setting": "s"} => "right"
        "setting": {"user": "w", "setting": "s"} => 7
        "setting": {"user": "w", "setting": "t"} => "d"
        "setting": {"user": "z", "setting": "s"} => "global"
        "setting": {"user": "unknown", "setting": "s"} => null
        "setting": {"user": "u", "setting": "unknown"} => {"error": true}
        "#,
    );
}

#[test]
fn a_forbid_beats_every_allow() {
    let policy = r#"
      "catalogue": {"permissions": [{"key": "a"}, {"key": "b", "implies": ["a"]}, {"key": "c", "children": [{"key": "d"}]}]},
      "global": {"forbid": ["a", "c.*"], "allow": ["**"]},
      "users": {"u": {"allow": ["a", "b", "c.d"]}, "admin": {"admin": true}}"#;
    check(
        policy,
        r#"
        "why": {"user": "u", "action": "a"} => "forbidden"
        "why": {"user": "u", "action": "b"} => "gated"
        "why": {"user": "u", "action": "c"} => "granted"
        "why": {"user": "u", "action": "c.d"} => "forbidden"
        "effective": {"user": "admin"} => ["a", "b", "c", "c.d"]
        "#,
    );
}

#[test]
fn a_feature_covers_what_is_beneath_it() {
    let policy = |licence: &str| {
        format!(
            r#""catalogue": {{"objects": {{"job": {{}}}},
                 "permissions": [
                   {{"key": "h", "heading": true, "feature": "f", "children": [{{"key": "a"}}]}},
                   {{"key": "j", "object": "job", "feature": "g", "scopes": [{{"key": "x", "when": {{}}}}]}},
                   {{"key": "needs", "requires": ["h.a"]}},
                   {{"key": "implies", "implies": ["h.a"]}}],
                 "editions": {{"basic": {{"features": ["f"]}}, "pro": {{"includes": ["basic"], "features": ["g"]}}}}}},
               "licence": {licence},
               "users": {{"u": {{"allow": ["**"]}}, "denied": {{"allow": ["**"], "deny": ["h.a"]}}, "root": {{"admin": true}}}}"#
        )
    };
    check(
        &policy("{}"),
        r#"
        "why": {"user": "u", "action": "h.a"} => "unlicensed"
        "why": {"user": "root", "action": "h.a"} => "unlicensed"
        "why": {"user": "root", "action": "j"} => "unlicensed"
        "effective": {"user": "u"} => ["implies"]
        "effective": {"user": "root"} => ["implies", "needs"]
        "effective": {"user": "denied"} => ["implies"]
        "#,
    );
    // What was set aside gates again once it is licensed: a licence may take.
    check(
        &policy(r#"{"edition": "basic"}"#),
        r#"
        "effective": {"user": "u"} => ["h.a", "implies", "needs"]
        "effective": {"user": "denied"} => []
        "why": {"user": "u", "action": "j.x"} => "unlicensed"
        "#,
    );
    check(
        &policy(r#"{"edition": "pro", "features": ["unheard_of"]}"#),
        r#""effective": {"user": "root"} => ["h.a", "implies", "j", "j.x", "needs"]"#,
    );
    check(
        &policy(r#"{"features": ["g"]}"#),
        r#""effective": {"user": "u"} => ["implies", "j", "j.x"]"#,
    );
}

#[test]
fn implications_fill_gaps() {
    let policy = r#"
      "catalogue": {"permissions": [
        {"key": "a", "implies": ["b", "g:some"]},
        {"key": "b", "implies": ["c", "a"]},
        {"key": "c", "implies": ["g:more"]},
        {"key": "d", "implies": ["g"]},
        {"key": "g", "levels": ["none", "some", "more", "all"], "implies": ["e"]},
        {"key": "e"}]},
      "users": {
        "ring": {"allow": ["a"]},
        "stopped": {"allow": ["a"], "deny": ["c"]},
        "low": {"allow": ["c"], "levels": {"g": "some"}},
        "nothing": {"levels": {"g": "none"}},
        "second": {"allow": ["d"]}}"#;
    check(
        policy,
        r#"
        "effective": {"user": "ring"} => ["a", "b", "c", "e", "g:more"]
        "effective": {"user": "stopped"} => ["e", "g:some"]
        "why": {"user": "stopped", "action": "a"} => "gated"
        "effective": {"user": "low"} => ["e", "g:some"]
        "why": {"user": "low", "action": "c"} => "gated"
        "effective": {"user": "nothing"} => []
        "effective": {"user": "second"} => ["d", "e", "g:some"]
        "#,
    );
}

#[test]
fn a_gate_that_fails_takes_all_behind_it() {
    let policy = r#"
      "catalogue": {"permissions": [
        {"key": "a", "children": [
          {"key": "h", "heading": true, "children": [{"key": "b", "children": [{"key": "c"}]}]}]},
        {"key": "d", "requires": ["a.h.b.c"]},
        {"key": "e", "requires": ["g:more"]},
        {"key": "f", "requires": ["g"]},
        {"key": "g", "levels": ["none", "some", "more"], "children": [{"key": "k"}]}]},
      "users": {
        "gated": {"allow": ["**"], "deny": ["a"]},
        "some": {"allow": ["**"], "levels": {"g": "some"}},
        "none": {"allow": ["**"], "levels": {"g": "none"}},
        "graded": {"allow": ["g"], "deny": ["a"], "levels": {"g": "more"}}}"#;
    check(
        policy,
        r#"
        "effective": {"user": "gated"} => ["e", "f", "g.k", "g:more"]
        "why": {"user": "gated", "action": "d"} => "gated"
        "effective": {"user": "some"} => ["a", "a.h.b", "a.h.b.c", "d", "f", "g.k", "g:some"]
        "effective": {"user": "none"} => ["a", "a.h.b", "a.h.b.c", "d"]
        "why": {"user": "none", "action": "g.k"} => "gated"
        "why": {"user": "some", "action": "g:more"} => "not_granted"
        "#,
    );
}

#[test]
fn a_graded_permission_that_is_gated_falls_to_its_lowest_level() {
    let policy = r#"
      "catalogue": {"permissions": [
        {"key": "a", "children": [{"key": "g", "levels": ["none", "some", "all"]}]}]},
      "users": {"u": {"allow": ["a.g"]}, "v": {"levels": {"a.g": "some"}}}"#;
    check(
        policy,
        r#"
        "level": {"user": "u", "permission": "a.g"} => "none"
        "why": {"user": "u", "action": "a.g:all"} => "gated"
        "why": {"user": "v", "action": "a.g:all"} => "not_granted"
        "why": {"user": "v", "action": "a.g:some"} => "gated"
        "#,
    );
}

#[test]
fn the_admin_and_the_suspended() {
    let policy = r#"
      "catalogue": {"objects": {"job": {"relations": {"r": "user"}, "attributes": {"n": "at_most"}, "checks": ["n"]}, "order": {}},
        "permissions": [
          {"key": "j", "object": "job", "scopes": [{"key": "x", "when": {"r": "me"}}]},
          {"key": "g", "levels": ["none", "some", "all"], "requires": ["j"]}]},
      "global": {"forbid": ["**"]},
      "users": {
        "root": {"admin": true, "deny": ["**"], "levels": {"g": "none"}},
        "gone": {"admin": true, "suspended": true},
        "u": {"suspended": true, "allow": ["**"]}}"#;
    check(
        policy,
        r#"
        "effective": {"user": "root"} => ["g:all", "j", "j.x"]
        "can": {"user": "root", "action": "j"} => true
        "can": {"user": "root", "action": "j", "object": {"kind": "order"}} => true
        "can_some": {"user": "root", "action": "j.x"} => true
        "level": {"user": "root", "permission": "g"} => "all"
        "why": {"user": "gone", "action": "j"} => "suspended"
        "effective": {"user": "gone"} => []
        "level": {"user": "gone", "permission": "g"} => "none"
        "can_some": {"user": "u", "action": "g"} => false
        "who_can": {"action": "g:all"} => ["root"]
        "who_can": {"action": "j", "object": {"kind": "order"}} => ["root"]
        "#,
    );
}

#[test]
fn relations_have_states() {
    let policy = r#"
      "catalogue": {"objects": {"job": {"relations": {"who": "user", "team": "group"}}},
        "permissions": [{"key": "j", "object": "job", "scopes": [
          {"key": "me", "when": {"who": "me"}},
          {"key": "other", "when": {"who": ["other"]}},
          {"key": "none", "when": {"who": "none"}},
          {"key": "team", "when": {"team": "me", "who": ["other", "none"]}},
          {"key": "always", "when": {}}]}]},
      "groups": {"uk": {}, "leeds": {"parent": "uk"}, "west": {"parent": "leeds"}, "fr": {"parent": "plain"}},
      "users": {"u": {"groups": ["leeds", "plain"], "allow": ["j"]}}"#;
    check(
        policy,
        r#"
        "can": {"user": "u", "action": "j.me", "object": {"kind": "job", "relations": {"who": ["v", "u"]}}} => true
        "can": {"user": "u", "action": "j.other", "object": {"kind": "job", "relations": {"who": ["v", "u"]}}} => false
        "can": {"user": "u", "action": "j.other", "object": {"kind": "job", "relations": {"who": ["leeds"]}}} => true
        "can": {"user": "u", "action": "j.none", "object": {"kind": "job", "relations": {"who": []}}} => true
        "can": {"user": "u", "action": "j.none", "object": {"kind": "job"}} => false
        "can": {"user": "u", "action": "j.team", "object": {"kind": "job", "relations": {"who": [], "team": ["west"]}}} => true
        "can": {"user": "u", "action": "j.team", "object": {"kind": "job", "relations": {"who": [], "team": ["uk"]}}} => false
        "can": {"user": "u", "action": "j.team", "object": {"kind": "job", "relations": {"who": [], "team": ["uk", "fr"]}}} => true
        "can": {"user": "u", "action": "j.team", "object": {"kind": "job", "relations": {"who": ["u"], "team": ["leeds"]}}} => false
        "why": {"user": "u", "action": "j.team", "object": {"kind": "job", "relations": {"team": ["leeds"]}}} => "no_scope"
        "can": {"user": "u", "action": "j.always", "object": {"kind": "job"}} => true
        "why": {"user": "u", "action": "j.always"} => "object_required"
        "can": {"user": "u", "action": "j", "object": {"kind": "job"}} => true
        "#,
    );
}

#[test]
fn only_effective_scopes_count() {
    let policy = r#"
      "catalogue": {"objects": {"job": {"relations": {"who": "user"}}},
        "permissions": [
          {"key": "view", "object": "job"},
          {"key": "j", "object": "job", "scopes": [
            {"key": "mine", "when": {"who": "me"}},
            {"key": "others", "when": {"who": ["other", "none"]}, "requires": ["view"]}]}]},
      "users": {
        "mine": {"allow": ["j.mine"]},
        "gated": {"allow": ["j.others"]},
        "denied": {"deny": ["j.*"], "allow": ["view"]},
        "mixed": {"deny": ["j.mine"]},
        "both": {"allow": ["**"]}}"#;
    check(
        policy,
        r#"
        "why": {"user": "mine", "action": "j", "object": {"kind": "job", "relations": {"who": ["mine"]}}} => "granted"
        "why": {"user": "mine", "action": "j", "object": {"kind": "job", "relations": {"who": ["both"]}}} => "no_scope"
        "why": {"user": "gated", "action": "j", "object": {"kind": "job", "relations": {"who": ["both"]}}} => "gated"
        "why": {"user": "denied", "action": "j"} => "denied"
        "why": {"user": "mixed", "action": "j"} => "not_granted"
        "effective": {"user": "gated"} => []
        "effective": {"user": "both"} => ["j", "j.mine", "j.others", "view"]
        "#,
    );
}

#[test]
fn gates_are_followed_on_the_object() {
    let policy = r#"
      "catalogue": {
        "objects": {
          "job": {"relations": {"who": "user"}, "attributes": {"n": "at_most"}},
          "order": {"relations": {"who": "user"}, "attributes": {"n": "at_most"}}},
        "permissions": [
          {"key": "view", "object": "job", "checks": ["n"], "children": [
            {"key": "edit", "children": [{"key": "deep", "object": "order"}]}]},
          {"key": "own", "object": "job", "scopes": [{"key": "mine", "when": {"who": "me"}}]},
          {"key": "plain", "requires": ["view"]},
          {"key": "through_plain", "object": "job", "requires": ["plain"]},
          {"key": "through_order", "object": "job", "requires": ["bought"]},
          {"key": "bought", "object": "order", "checks": ["n"], "requires": ["view"]},
          {"key": "of_node", "object": "job", "requires": ["own"]},
          {"key": "of_scope", "object": "job", "requires": ["own.mine"]},
          {"key": "free", "object": "job"}]},
      "global": {"allow": ["**"], "bounds": {"job.n": 5}},
      "users": {"u": {}}"#;
    check(
        policy,
        r#"
        "why": {"user": "u", "action": "view.edit", "object": {"kind": "job", "attributes": {"n": 5}}} => "granted"
        "why": {"user": "u", "action": "view.edit", "object": {"kind": "job", "attributes": {"n": 6}}} => "gated"
        "why": {"user": "u", "action": "view.edit"} => "object_required"
        "why": {"user": "u", "action": "view.edit", "object": {"kind": "order"}} => "wrong_kind"
        "why": {"user": "u", "action": "view.edit.deep"} => "granted"
        "why": {"user": "u", "action": "view.edit.deep", "object": {"kind": "order"}} => "granted"
        "why": {"user": "u", "action": "plain", "object": {"kind": "job", "attributes": {"n": 6}}} => "granted"
        "why": {"user": "u", "action": "through_plain", "object": {"kind": "job", "attributes": {"n": 6}}} => "gated"
        "why": {"user": "u", "action": "through_plain"} => "object_required"
        "why": {"user": "u", "action": "through_order", "object": {"kind": "job", "attributes": {"n": 6}}} => "gated"
        "why": {"user": "u", "action": "through_order", "object": {"kind": "job", "attributes": {"n": 5}}} => "granted"
        "why": {"user": "u", "action": "bought", "object": {"kind": "order", "attributes": {"n": 5}}} => "out_of_bounds"
        "why": {"user": "u", "action": "of_node", "object": {"kind": "job", "relations": {"who": ["v"]}}} => "gated"
        "why": {"user": "u", "action": "of_node"} => "object_required"
        "why": {"user": "u", "action": "of_scope", "object": {"kind": "job", "relations": {"who": ["v"]}}} => "granted"
        "why": {"user": "u", "action": "of_scope"} => "granted"
        "why": {"user": "u", "action": "free"} => "granted"
        "can_some": {"user": "u", "action": "bought"} => false
        "can_some": {"user": "u", "action": "view"} => true
        "#,
    );
}

#[test]
fn what_a_scope_itself_requires_is_asked_of_the_object() {
    let policy = r#"
      "catalogue": {
        "objects": {"job": {"relations": {"who": "user"}, "attributes": {"n": "at_most", "m": "at_most"}}},
        "permissions": [
          {"key": "view", "object": "job", "checks": ["n"]},
          {"key": "j", "object": "job", "checks": ["m"], "scopes": [
            {"key": "mine", "when": {"who": "me"}},
            {"key": "all", "when": {"who": ["me", "other"]}, "requires": ["view"]}]}]},
      "global": {"allow": ["**"], "bounds": {"job.n": 5, "job.m": 5}},
      "users": {"u": {}}"#;
    check(
        policy,
        r#"
        "why": {"user": "u", "action": "j", "object": {"kind": "job", "relations": {"who": ["u"]}, "attributes": {"n": 6, "m": 5}}} => "granted"
        "why": {"user": "u", "action": "j", "object": {"kind": "job", "relations": {"who": ["v"]}, "attributes": {"n": 6, "m": 5}}} => "gated"
        "why": {"user": "u", "action": "j", "object": {"kind": "job", "relations": {"who": ["v"]}, "attributes": {"n": 6, "m": 6}}} => "out_of_bounds"
        "why": {"user": "u", "action": "j", "object": {"kind": "job", "relations": {"who": ["v"]}, "attributes": {"n": 5, "m": 5}}} => "granted"
        "why": {"user": "u", "action": "j.all", "object": {"kind": "job", "relations": {"who": ["u"]}, "attributes": {"n": 6, "m": 5}}} => "gated"
        "why": {"user": "u", "action": "j", "object": {"kind": "job", "relations": {"who": []}, "attributes": {"n": 6, "m": 6}}} => "no_scope"
        "#,
    );
}

/// The interpretation chosen where something answers to a scoped node of another kind:
/// there is no object for its `when`, but what some effective scope itself requires is
/// followed.
#[test]
fn a_scoped_node_of_another_kind_is_followed_through_its_scopes() {
    let policy = r#"
      "catalogue": {
        "objects": {"job": {"attributes": {"n": "at_most"}}, "order": {"relations": {"who": "user"}}},
        "permissions": [
          {"key": "view", "object": "job", "checks": ["n"]},
          {"key": "order", "object": "order", "scopes": [
            {"key": "a", "when": {"who": "me"}},
            {"key": "b", "when": {"who": "other"}, "requires": ["view"]}]},
          {"key": "j", "object": "job", "requires": ["order"]}]},
      "global": {"allow": ["**"], "bounds": {"job.n": 5}},
      "users": {"both": {}, "b": {"deny": ["order.a"]}}"#;
    check(
        policy,
        r#"
        "why": {"user": "both", "action": "j", "object": {"kind": "job", "attributes": {"n": 6}}} => "granted"
        "why": {"user": "b", "action": "j", "object": {"kind": "job", "attributes": {"n": 6}}} => "gated"
        "why": {"user": "b", "action": "j", "object": {"kind": "job", "attributes": {"n": 5}}} => "granted"
        "why": {"user": "both", "action": "j"} => "object_required"
        "#,
    );
}

#[test]
fn bounds_follow_the_tiers_and_join_in_the_role_tier() {
    let policy = r#"
      "catalogue": {
        "objects": {"o": {"attributes": {"region": "one_of", "amount": "at_most"}, "checks": ["region"]}},
        "permissions": [{"key": "a", "object": "o", "checks": ["amount"]}, {"key": "b", "object": "o"}]},
      "global": {"allow": ["**"], "bounds": {"o.region": "any"}},
      "profiles": {"p": {"bounds": {"o.region": [], "o.amount": 1}}},
      "roles": {
        "north": {"bounds": {"o.region": ["north"], "o.amount": 10}},
        "south": {"bounds": {"o.region": ["south"], "o.amount": 1000}}},
      "users": {
        "u": {"profile": "p", "roles": ["north", "south"]},
        "p": {"profile": "p"},
        "own": {"roles": ["north"], "bounds": {"o.region": "any"}},
        "none": {}}"#;
    check(
        policy,
        r#"
        "can": {"user": "u", "action": "a", "object": {"kind": "o", "attributes": {"region": "north", "amount": 1000}}} => true
        "can": {"user": "u", "action": "a", "object": {"kind": "o", "attributes": {"region": "north", "amount": 1001}}} => false
        "can": {"user": "u", "action": "a", "object": {"kind": "o", "attributes": {"region": "east", "amount": 1}}} => false
        "can": {"user": "u", "action": "a", "object": {"kind": "o", "attributes": {"region": 1, "amount": 1}}} => false
        "can": {"user": "u", "action": "a", "object": {"kind": "o", "attributes": {"region": "north", "amount": "1"}}} => false
        "can": {"user": "u", "action": "a", "object": {"kind": "o", "attributes": {"region": "north"}}} => false
        "can": {"user": "p", "action": "b", "object": {"kind": "o", "attributes": {"region": "north"}}} => false
        "can_some": {"user": "p", "action": "b"} => false
        "can": {"user": "own", "action": "b", "object": {"kind": "o"}} => true
        "can": {"user": "own", "action": "b", "object": {"kind": "o", "attributes": {"region": 7}}} => true
        "can": {"user": "own", "action": "b"} => false
        "can_some": {"user": "none", "action": "a"} => false
        "can_some": {"user": "none", "action": "b"} => true
        "who_can": {"action": "a"} => ["own", "u"]
        "who_can": {"action": "a", "object": {"kind": "o", "attributes": {"region": "south", "amount": 10}}} => ["own", "u"]
        "#,
    );
}

#[test]
fn fences_name_days() {
    // 2026-11-20 is a Friday.
    let policy = r#"
      "catalogue": {
        "objects": {"o": {"attributes": {"starts": "not_before", "ends": "not_after", "floor": "at_least"}}},
        "permissions": [
          {"key": "starts", "object": "o", "checks": ["starts"]},
          {"key": "ends", "object": "o", "checks": ["ends"]},
          {"key": "floor", "object": "o", "checks": ["floor"]}]},
      "global": {"allow": ["**"]},
      "users": {
        "date": {"bounds": {"o.starts": {"date": "2026-11-21"}, "o.ends": {"date": "2026-11-21"}, "o.floor": -3}},
        "plus": {"bounds": {"o.starts": {"plus_days": 3}, "o.ends": {"plus_days": -1}}},
        "next": {"bounds": {"o.starts": {"next": "friday", "plus_days": 0}, "o.ends": {"next": "sunday", "plus_days": 10}}}}"#;
    check(
        policy,
        r#"
        "can": {"user": "date", "action": "starts", "object": {"kind": "o", "attributes": {"starts": "2026-11-21"}}} => true
        "can": {"user": "date", "action": "starts", "object": {"kind": "o", "attributes": {"starts": "2026-11-20"}}} => false
        "can": {"user": "date", "action": "ends", "object": {"kind": "o", "attributes": {"ends": "2026-11-21"}}} => true
        "can": {"user": "date", "action": "ends", "object": {"kind": "o", "attributes": {"ends": "2026-11-22"}}} => false
        "can": {"user": "date", "action": "ends", "object": {"kind": "o", "attributes": {"ends": "2026-11-31"}}} => false
        "can": {"user": "date", "action": "ends", "object": {"kind": "o", "attributes": {"ends": 0}}} => false
        "can": {"user": "date", "action": "floor", "object": {"kind": "o", "attributes": {"floor": -3}}} => true
        "can": {"user": "date", "action": "floor", "object": {"kind": "o", "attributes": {"floor": -4}}} => false
        "can": {"user": "plus", "action": "starts", "object": {"kind": "o", "attributes": {"starts": "2027-01-02"}}, "today": "2026-12-30"} => true
        "can": {"user": "plus", "action": "starts", "object": {"kind": "o", "attributes": {"starts": "2027-01-01"}}, "today": "2026-12-30"} => false
        "can": {"user": "plus", "action": "starts", "object": {"kind": "o", "attributes": {"starts": "2030-01-01"}}} => false
        "can": {"user": "plus", "action": "ends", "object": {"kind": "o", "attributes": {"ends": "2024-02-29"}}, "today": "2024-03-01"} => true
        "can": {"user": "plus", "action": "ends", "object": {"kind": "o", "attributes": {"ends": "2024-03-01"}}, "today": "2024-03-01"} => false
        "can": {"user": "next", "action": "starts", "object": {"kind": "o", "attributes": {"starts": "2026-11-20"}}, "today": "2026-11-19"} => true
        "can": {"user": "next", "action": "starts", "object": {"kind": "o", "attributes": {"starts": "2026-11-26"}}, "today": "2026-11-20"} => false
        "can": {"user": "next", "action": "starts", "object": {"kind": "o", "attributes": {"starts": "2026-11-27"}}, "today": "2026-11-20"} => true
        "can": {"user": "next", "action": "ends", "object": {"kind": "o", "attributes": {"ends": "2026-12-02"}}, "today": "2026-11-20"} => true
        "can": {"user": "next", "action": "ends", "object": {"kind": "o", "attributes": {"ends": "2026-12-03"}}, "today": "2026-11-20"} => false
        "can_some": {"user": "next", "action": "starts"} => true
        "#,
    );
}

#[test]
fn unknown_names_are_errors_whoever_asks() {
    let policy = r#"
      "catalogue": {
        "objects": {"o": {"relations": {"r": "user"}, "attributes": {"n": "at_most"}}},
        "permissions": [
          {"key": "h", "heading": true, "children": [{"key": "g", "levels": ["none", "some"]}]},
          {"key": "a"}]},
      "users": {"root": {"admin": true}, "gone": {"suspended": true}}"#;
    check(
        policy,
        r#"
        "can": {"user": "root", "action": "b"} => {"error": true}
        "can": {"user": "gone", "action": "h"} => {"error": true}
        "can": {"user": "nobody", "action": "h.g:none"} => {"error": true}
        "can": {"user": "nobody", "action": "h.g:some"} => false
        "why": {"user": "root", "action": "h.g:all"} => {"error": true}
        "can_some": {"user": "root", "action": "a:some"} => {"error": true}
        "can": {"user": "root", "action": "a", "object": {"kind": "x"}} => {"error": true}
        "can": {"user": "root", "action": "a", "object": {"kind": "o", "relations": {"x": []}}} => {"error": true}
        "can": {"user": "nobody", "action": "a", "object": {"kind": "o", "attributes": {"x": 1}}} => {"error": true}
        "can": {"user": "root", "action": "a", "object": {"kind": "o", "attributes": {"n": 1}}} => true
        "who_can": {"action": "h"} => {"error": true}
        "who_can": {"action": "a", "object": {"kind": "x"}} => {"error": true}
        "level": {"user": "root", "permission": "a"} => {"error": true}
        "level": {"user": "root", "permission": "h.g:some"} => {"error": true}
        "level": {"user": "nobody", "permission": "h.g"} => "none"
        "can": {"user": "root", "action": ""} => {"error": true}
        "can": {"user": "root", "action": "**"} => {"error": true}
        "#,
    );
}

//! What filters look like, on policies small enough to check by hand, and how
//! large they may become.

use std::time::{Duration, Instant};
use support::by_name::ByName;

use fastrand::Rng;
use grantree::filter::Filter;
use grantree::filter::{Columns, Predicate};
use grantree::object::DynamicObject;
use grantree::{Date, Document, Engine, Policy};

fn engine(policy: &str) -> Engine {
    let document: Document =
        serde_json::from_str(policy).unwrap_or_else(|error| panic!("{error} in {policy}"));
    Engine::new(&Policy::try_from(document).unwrap_or_else(|problems| panic!("{problems}")))
}

fn filter(engine: &Engine, user: &str, action: &str) -> Filter {
    let today: Date = "2026-11-20".parse().expect("a date");
    engine.filter_by_name(user, action, Some(today.into())).expect("known names")
}

/// Asks one filter a line, `user action => text`.
#[track_caller]
fn check(policy: &str, lines: &str) {
    let engine = engine(policy);
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (question, expected) = line.split_once(" => ").expect("user action => text");
        let (user, action) = question.split_once(' ').expect("user action");
        assert_eq!(filter(&engine, user, action).to_string(), expected, "{question}");
    }
}

/// One permission `p` with these scopes, all of which `u` has.
fn scopes(scopes: &str) -> String {
    format!(
        r#"{{"format": 1,
          "catalogue": {{
            "objects": {{"job": {{"relations": {{"assignee": "user", "requester": "user", "team": "group"}}}}}},
            "permissions": [{{"key": "p", "object": "job", "scopes": [{scopes}]}}]}},
          "users": {{"u": {{"allow": ["p"]}}}}}}"#
    )
}

const KINDS: &str = r#"{"format": 1,
  "catalogue": {
    "objects": {"job": {}, "order": {"attributes": {"amount": "at_most"}}},
    "permissions": [
      {"key": "reports"},
      {"key": "jobs", "object": "job"},
      {"key": "approve", "object": "order", "checks": ["amount"]},
      {"key": "gantt", "object": "job", "feature": "planner"}]},
  "users": {
    "root": {"admin": true},
    "gone": {"admin": true, "suspended": true},
    "ann": {"allow": ["**"], "bounds": {"order.amount": 5000}},
    "any": {"allow": ["**"], "bounds": {"order.amount": "any"}},
    "bob": {"allow": ["approve"]}}}"#;

#[test]
fn users_and_kinds_settle_what_they_can() {
    check(
        KINDS,
        "
        root reports => everything
        root approve => everything
        root gantt => nothing
        gone approve => nothing
        zoe approve => nothing
        ann reports => everything
        ann jobs => every job
        ann approve => every order where amount is at most 5000
        ann gantt => nothing
        any approve => every order
        bob approve => nothing
        bob jobs => nothing
        ",
    );
    let engine = engine(KINDS);
    let foreign = Engine::new(engine.policy()).filter(
        self::engine(KINDS).user("root").expect("a user"),
        engine.permission("reports").expect("a permission"),
        None,
    );
    assert_eq!(foreign.to_string(), "nothing");
}

#[test]
fn scopes_become_relations_and_their_states() {
    let cases = [
        (r#"{"key": "a", "when": {"assignee": "me"}}"#, "assignee is me"),
        (r#"{"key": "a", "when": {"assignee": ["none", "me"]}}"#, "assignee is one of me, none"),
        // A relation is in some state if it is carried, and otherwise in none.
        (
            r#"{"key": "a", "when": {"assignee": ["me", "other", "none"]}}"#,
            "assignee is one of me, other, none",
        ),
        (
            r#"{"key": "a", "when": {"assignee": "me", "team": "me"}}"#,
            "assignee is me and team is me",
        ),
        // States of one relation, side by side.
        (
            r#"{"key": "a", "when": {"assignee": "me"}}, {"key": "b", "when": {"assignee": "none"}}"#,
            "assignee is one of me, none",
        ),
        // If all else is equal, that occurs once.
        (
            r#"{"key": "a", "when": {"assignee": "me", "team": "me"}},
               {"key": "b", "when": {"assignee": "other", "team": "me"}}"#,
            "assignee is one of me, other and team is me",
        ),
        (
            r#"{"key": "a", "when": {"assignee": "me", "team": "me"}},
               {"key": "b", "when": {"requester": "me", "team": "me"}}"#,
            "team is me and (assignee is me or requester is me)",
        ),
        // The narrower scope adds nothing to the wider one.
        (
            r#"{"key": "a", "when": {"assignee": "me", "team": "me"}},
               {"key": "b", "when": {"assignee": ["me", "none"]}}"#,
            "assignee is one of me, none",
        ),
        // Of what is equally common, the first is factored out.
        (
            r#"{"key": "a", "when": {"assignee": "me", "requester": "me"}},
               {"key": "b", "when": {"assignee": "me", "team": "me"}},
               {"key": "c", "when": {"requester": "me", "team": "none"}}"#,
            "(assignee is me and (requester is me or team is me)) or (requester is me and team is none)",
        ),
        // The second scope is only tested on jobs that are not mine anyway.
        (
            r#"{"key": "a", "when": {"assignee": "me"}},
               {"key": "b", "when": {"assignee": ["me", "other"], "team": "me"}}"#,
            "assignee is me or (assignee is other and team is me)",
        ),
    ];
    for (when, expected) in cases {
        check(&scopes(when), &format!("u p => every job where {expected}"));
    }
    check(
        &scopes(r#"{"key": "a", "when": {}}, {"key": "b", "when": {"assignee": "me"}}"#),
        "u p => every job",
    );
}

const BOUNDS: &str = r#"{"format": 1,
  "catalogue": {
    "objects": {"slot": {
      "attributes": {"region": "one_of", "size": "at_most", "age": "at_least", "starts": "not_before", "ends": "not_after"}}},
    "permissions": [
      {"key": "region", "object": "slot", "checks": ["region"]},
      {"key": "size", "object": "slot", "checks": ["size", "age"]},
      {"key": "days", "object": "slot", "checks": ["starts", "ends"]}]},
  "global": {"allow": ["**"], "bounds": {"slot.age": -5}},
  "roles": {
    "north": {"bounds": {"slot.region": ["north"], "slot.size": 10, "slot.starts": {"plus_days": 3}, "slot.ends": {"date": "2026-12-24"}}},
    "south": {"bounds": {"slot.region": ["south", "a \"b\"\n"], "slot.size": 1000, "slot.starts": {"next": "friday"}, "slot.ends": {"plus_days": 3}}},
    "none": {"bounds": {"slot.region": [], "slot.size": "any"}}},
  "users": {
    "unset": {},
    "one": {"roles": ["north"]},
    "two": {"roles": ["north", "south"]},
    "none": {"roles": ["none"]}}}"#;

#[test]
fn bounds_become_tests_of_that_day() {
    check(
        BOUNDS,
        r#"
        one region => every slot where region is "north"
        two region => every slot where region is one of "a \"b\"\n", "north", "south"
        none region => nothing
        two size => every slot where age is at least -5 and size is at most 1000
        none size => every slot where age is at least -5
        unset size => nothing
        one days => every slot where ends is not after 2026-12-24 and starts is not before 2026-11-23
        two days => every slot where ends is not after 2026-12-24 and starts is not before 2026-11-23
        "#,
    );
    let engine = engine(BOUNDS);
    // A fence that counts from a day needs one; a date does not.
    let undated = |user| engine.filter_by_name(user, "days", None).expect("known names");
    assert_eq!(undated("two").predicate(), &Predicate::None);
}

#[test]
fn values_that_scopes_accept_are_tests_too() {
    check(
        r#"{"format": 1,
          "catalogue": {
            "objects": {"job": {
              "relations": {"assignee": "user"},
              "attributes": {"status": "one_of", "size": "at_most", "starts": "not_before", "archived": "flag"}}},
            "permissions": [
              {"key": "edit", "object": "job", "scopes": [
                {"key": "own", "when": {"assignee": "me", "archived": false}}]},
              {"key": "close", "object": "job", "checks": ["status"], "requires": ["edit"], "scopes": [
                {"key": "new", "when": {"status": ["draft", "new"]}},
                {"key": "done", "when": {"status": ["done"], "assignee": "other"}}]},
              {"key": "either", "object": "job", "scopes": [
                {"key": "new", "when": {"status": ["draft", "new"], "assignee": "me"}},
                {"key": "done", "when": {"status": ["done", "new"], "assignee": "me"}}]},
              {"key": "told", "object": "job", "scopes": [{"key": "s", "when": {"archived": [true, false]}}]},
              {"key": "small", "object": "job", "checks": ["size", "starts", "archived"], "scopes": [
                {"key": "s", "when": {"size": 10, "starts": {"date": "2026-11-21"}, "archived": true}}]}]},
          "global": {"allow": ["**"], "bounds": {"job.status": "any"}},
          "users": {
            "ann": {"bounds": {"job.size": 5, "job.starts": {"plus_days": 3}, "job.archived": [true, false]}},
            "bob": {"bounds": {"job.size": 50, "job.starts": {"date": "2000-01-01"}, "job.archived": "any", "job.status": ["new", "old"]}},
            "cat": {"bounds": {"job.size": 50, "job.starts": {"date": "2000-01-01"}, "job.archived": false, "job.status": ["old"]}}}}"#,
        r#"
        ann edit => every job where assignee is me and archived is false
        ann close => every job where assignee is me and archived is false and status is one of "draft", "new"
        bob close => every job where assignee is me and archived is false and status is "new"
        cat close => nothing
        ann either => every job where assignee is me and status is one of "done", "draft", "new"
        ann told => every job where archived is false or true
        ann small => every job where archived is true and size is at most 5 and starts is not before 2026-11-23
        bob small => every job where archived is true and size is at most 10 and starts is not before 2026-11-21
        cat small => nothing
        "#,
    );
}

#[test]
fn what_it_answers_to_is_asked_for_too() {
    check(
        r#"{"format": 1,
          "catalogue": {
            "objects": {"job": {
              "relations": {"assignee": "user", "team": "group"},
              "attributes": {"region": "one_of", "size": "at_most"}, "checks": ["region"]}},
            "permissions": [{"key": "jobs", "children": [
              {"key": "view", "object": "job", "scopes": [
                {"key": "own", "when": {"assignee": "me"}}, {"key": "team", "when": {"team": "me"}}]},
              {"key": "edit", "object": "job", "requires": ["jobs.view"], "checks": ["size"], "scopes": [
                {"key": "own", "when": {"assignee": "me"}}, {"key": "free", "when": {"assignee": "none"}}],
                "children": [{"key": "close", "requires": ["jobs.approve"]}]},
              {"key": "approve", "object": "job", "scopes": [
                {"key": "open", "when": {"assignee": "other"}, "requires": ["jobs.view"]},
                {"key": "team", "when": {"team": "other"}, "requires": ["jobs.edit"]}]}]}]},
          "global": {"allow": ["**"], "bounds": {"job.size": 9, "job.region": "any"}},
          "users": {
            "ann": {},
            "bob": {"deny": ["jobs.view.team"]},
            "cat": {"deny": ["jobs.view.own"], "bounds": {"job.region": ["north"]}}}}"#,
        r#"
        ann jobs.view => every job where assignee is me or team is me
        ann jobs.edit => every job where size is at most 9 and (assignee is me or (assignee is none and team is me))
        bob jobs.edit => every job where assignee is me and size is at most 9
        cat jobs.edit => every job where assignee is one of me, none and team is me and region is "north" and size is at most 9
        bob jobs.approve => every job where assignee is me and team is other and size is at most 9
        ann jobs.edit.close => every job where assignee is me and team is other and size is at most 9
        bob jobs.edit.close => every job where assignee is me and team is other and size is at most 9
        "#,
    );
}

/// What is already asked, even in other words, is not asked again.
#[test]
fn what_follows_is_left_out() {
    check(
        r#"{"format": 1,
          "catalogue": {
            "objects": {"job": {"relations": {"assignee": "user", "requester": "user", "team": "user"}}},
            "permissions": [
              {"key": "view", "object": "job", "scopes": [
                {"key": "own", "when": {"assignee": ["me", "other"], "team": ["me", "other"]}},
                {"key": "asked", "when": {"requester": "me"}}]},
              {"key": "edit", "object": "job", "requires": ["view"], "scopes": [
                {"key": "own", "when": {"assignee": "me", "team": "me"}},
                {"key": "asked", "when": {"requester": "me", "team": "none"}}]}]},
          "global": {"allow": ["**"]},
          "users": {"u": {}}}"#,
        r#"
        u view => every job where requester is me or (assignee is one of me, other and team is one of me, other)
        u edit => every job where (assignee is me and team is me) or (requester is me and team is none)
        "#,
    );
}

#[test]
fn a_filter_says_who_asks_as_far_as_it_matters() {
    let engine = engine(
        r#"{"format": 1,
          "catalogue": {
            "objects": {"job": {"relations": {"assignee": "user", "team": "group"}, "attributes": {"region": "one_of"}}},
            "permissions": [
              {"key": "own", "object": "job", "scopes": [{"key": "s", "when": {"assignee": "me"}}]},
              {"key": "team", "object": "job", "scopes": [{"key": "s", "when": {"team": "me"}}]},
              {"key": "near", "object": "job", "checks": ["region"]},
              {"key": "both", "object": "job", "requires": ["near"], "scopes": [
                {"key": "own", "when": {"assignee": "me"}}, {"key": "team", "when": {"team": ["other", "none"]}}]}]},
          "global": {"allow": ["**"], "bounds": {"job.region": ["north"]}},
          "groups": {"uk": {}, "leeds": {"parent": "uk"}, "headingley": {"parent": "leeds"}, "fr": {}},
          "users": {"ann": {"groups": ["uk", "plain"]}, "bob": {"groups": ["fr"]}}}"#,
    );
    let who = |user, action| {
        let filter = filter(&engine, user, action);
        (filter.user().map(str::to_owned), filter.groups().join(" "))
    };
    let all = "headingley leeds plain uk".to_owned();
    assert_eq!(who("ann", "own"), (Some("ann".to_owned()), String::new()));
    assert_eq!(who("ann", "team"), (None, all.clone()));
    assert_eq!(who("ann", "near"), (None, String::new()));
    assert_eq!(who("ann", "both"), (Some("ann".to_owned()), all));
    assert_eq!(filter(&engine, "ann", "near"), filter(&engine, "bob", "near"));

    let data = serde_json::to_string_pretty(&filter(&engine, "ann", "both")).expect("JSON");
    insta::assert_snapshot!("data", data);
    let everything = serde_json::to_string(&filter(&engine, "ann", "near")).expect("JSON");
    assert_eq!(
        everything,
        r#"{"kind":"job","predicate":{"one_of":{"attribute":"region","values":["north"]}}}"#
    );
}

/// Scoped permissions in layers, each scope of which requires both of the layer
/// beneath: written out, every layer would double the predicate.
pub fn layers(count: usize) -> String {
    let mut relations = Vec::new();
    let mut permissions = Vec::new();
    for layer in 0..count {
        for side in ["a", "b"] {
            let scope = |key: &str, below: &str| {
                let relation = format!("{side}{key}{layer}");
                let requires = match layer.checked_sub(1) {
                    Some(under) => format!(r#", "requires": ["{below}{under}"]"#),
                    None => String::new(),
                };
                (
                    format!(r#""{relation}": "user""#),
                    format!(r#"{{"key": "{key}", "when": {{"{relation}": "me"}}{requires}}}"#),
                )
            };
            let ((one, x), (other, y)) = (scope("x", "a"), scope("y", "b"));
            relations.extend([one, other]);
            permissions.push(format!(
                r#"{{"key": "{side}{layer}", "object": "job", "scopes": [{x}, {y}]}}"#
            ));
        }
    }
    format!(
        r#"{{"format": 1,
          "catalogue": {{"objects": {{"job": {{"relations": {{{}}}}}}}, "permissions": [{}]}},
          "global": {{"allow": ["**"]}},
          "users": {{"u": {{}}}}}}"#,
        relations.join(", "),
        permissions.join(", ")
    )
}

/// A permission whose one scope requires the last of these: each has scopes that ask
/// for this many relations, one each; the last scope also requires the one before.
fn chain(relations: &[usize]) -> Engine {
    let (mut names, mut permissions) = (Vec::new(), Vec::new());
    for (at, &count) in relations.iter().enumerate() {
        let scopes = (0..count).map(|scope| {
            names.push(format!(r#""r{at}_{scope}": "user""#));
            let requires = match at.checked_sub(1) {
                Some(before) if scope + 1 == count => format!(r#", "requires": ["p{before}"]"#),
                _ => String::new(),
            };
            format!(r#"{{"key": "s{scope}", "when": {{"r{at}_{scope}": "me"}}{requires}}}"#)
        });
        let scopes: Vec<_> = scopes.collect();
        permissions.push(format!(
            r#"{{"key": "p{at}", "object": "job", "scopes": [{}]}}"#,
            scopes.join(", ")
        ));
    }
    let last = relations.len() - 1;
    engine(&format!(
        r#"{{"format": 1,
          "catalogue": {{
            "objects": {{"job": {{"relations": {{"mine": "user", {}}}}}}},
            "permissions": [{}, {{"key": "top", "object": "job", "scopes": [
                {{"key": "s", "when": {{"mine": "me"}}, "requires": ["p{last}"]}}]}}]}},
          "users": {{"u": {{"allow": ["**"]}}}}}}"#,
        names.join(", "),
        permissions.join(", ")
    ))
}

#[test]
fn what_is_large_or_deep_is_defined_apart() {
    for (relations, defined) in [
        (&[64][..], 0),
        (&[65], 1),
        // An `or` of two around an `and` of two, four times.
        (&[1, 2, 2, 2, 2], 0),
        (&[2, 2, 2, 2, 2], 1),
    ] {
        let engine = chain(relations);
        let filter = engine.filter_by_name("u", "top", None).expect("known names");
        assert_eq!(filter.definitions().len(), defined, "{relations:?}: {filter}");
    }
}

#[test]
fn a_filter_never_grows_beyond_its_catalogue() {
    let engine = engine(&layers(60));
    let (user, top) = (engine.user("u").expect("a user"), engine.permission("a59").expect("one"));
    let start = Instant::now();
    let filter = engine.filter(user, top, None);
    let (took, size) = (start.elapsed(), filter.to_string().len());
    assert!(size < 200_000, "{size} bytes");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(!filter.definitions().is_empty());

    let mut rng = Rng::with_seed(1);
    let mut answers = [0; 2];
    for _ in 0..300 {
        let mut job = DynamicObject::new("job");
        for layer in 0..60 {
            for relation in ["ax", "ay", "bx", "by"] {
                let names = rng.u8(..100) < 75;
                job = job.with_relation(&format!("{relation}{layer}"), names.then_some("u"));
            }
        }
        let can = engine.can(user, top, &job);
        assert_eq!(filter.matches(&job), can);
        answers[usize::from(can)] += 1;
    }
    assert!(answers.iter().all(|&count| count > 30), "{answers:?}");
}

/// Columns of any of a host's types select the same as objects that are data match.
#[test]
fn columns_are_of_a_hosts_own_types() {
    let engine = engine(
        r#"{"format": 1, "catalogue": {
            "objects": {"job": {
                "relations": {"owner": "user", "watcher": "user", "team": "group"},
                "attributes": {"cost": "at_most", "starts": "not_before", "region": "one_of"},
                "checks": ["region"]}},
            "permissions": [{"key": "edit", "object": "job", "checks": ["cost", "starts"], "scopes": [
                {"key": "own", "when": {"owner": ["me", "none"]}},
                {"key": "watched", "when": {"watcher": "me"}},
                {"key": "team", "when": {"team": "me", "watcher": "none"}}]}]},
        "groups": {"2": {"parent": "1"}, "3": {"parent": "1"}, "4": {"parent": "3"}},
        "users": {"7": {"allow": ["edit"], "groups": ["3"], "bounds": {
            "job.cost": 50, "job.starts": {"date": "2026-03-01"},
            "job.region": ["a", "b", "c", "d", "e", "f", "g", "h", "i"]}}}}"#,
    );
    let filter = filter(&engine, "7", "edit");
    let mut rng = Rng::with_seed(3);
    let mut draw = |most: u32| rng.u32(..most);
    let regions = ["a", "i", "j", "aa", ""];
    let rows = 1_000;
    let owner: Vec<Option<u64>> =
        (0..rows).map(|_| Some(draw(9)).filter(|&it| it > 5)).map(|it| it.map(u64::from)).collect();
    let watcher: Vec<Vec<i32>> =
        (0..rows).map(|_| (0..draw(3)).map(|_| draw(9) as i32).collect()).collect();
    let team: Vec<String> = (0..rows).map(|_| draw(6).to_string()).collect();
    let cost: Vec<Option<i32>> =
        (0..rows).map(|_| Some(draw(70) as i32).filter(|&it| it != 3)).collect();
    let starts: Vec<Date> =
        (0..rows).map(|_| format!("2026-0{}-01", 1 + draw(9)).parse().expect("a day")).collect();
    let region: Vec<u32> = (0..rows).map(|_| draw(6)).collect();

    let columns = Columns::new("job", rows)
        .relation("owner", &owner)
        .relation("watcher", &watcher)
        .relation("team", &team)
        .attribute("cost", &cost)
        .attribute("starts", &starts)
        .coded_attribute("region", &region, &regions);
    let told = format!("{columns:?}");
    assert!(told.contains("\"owner, watcher, team\"") && told.contains("cost"), "{told}");
    let selected = filter.select(&columns);
    let mut count = 0;
    for row in 0..rows {
        let mut job = DynamicObject::new("job")
            .with_relation("owner", owner[row].map(|it| it.to_string()))
            .with_relation("watcher", watcher[row].iter().map(ToString::to_string))
            .with_relation("team", [team[row].as_str()])
            .with_attribute("starts", starts[row]);
        if let Some(cost) = cost[row] {
            job = job.with_attribute("cost", i64::from(cost));
        }
        if let Some(&region) = regions.get(region[row] as usize) {
            job = job.with_attribute("region", region);
        }
        let is = selected[row / 64] >> (row % 64) & 1 == 1;
        assert_eq!(is, filter.matches(&job), "{job}");
        count += usize::from(is);
    }
    assert!((50..500).contains(&count), "{count}");

    // What has no column, no object has; and none is of another kind.
    let all = Columns::new("job", rows).relation("owner", &owner);
    assert!(filter.select(&all).iter().all(|&word| word == 0));
    let other = Columns::new("order", rows).relation("owner", &owner);
    assert_eq!(filter.select(&other).len(), rows.div_ceil(64));
}

/// Each assignment is an alternative under its terms; of these no more is asked than it
/// takes.
#[test]
fn assignments_are_alternatives_under_their_terms() {
    check(
        r#"{"format": 1,
          "catalogue": {
            "objects": {"job": {
              "relations": {"assignee": "user", "team": "group"},
              "attributes": {"region": "one_of", "size": "at_most"}}},
            "permissions": [
              {"key": "menu"},
              {"key": "view", "object": "job", "scopes": [
                {"key": "own", "when": {"assignee": "me"}}, {"key": "team", "when": {"team": "me"}}, {"key": "all", "when": {}}],
               "children": [{"key": "edit", "checks": ["size"]}]},
              {"key": "tidy", "object": "job", "requires": ["check"]},
              {"key": "check", "object": "job", "checks": ["size"]}]},
          "global": {"bounds": {"job.size": 10}},
          "groups": {"uk": {}, "leeds": {"parent": "uk"}, "hyde park": {"parent": "leeds"}, "york": {"parent": "uk"}},
          "users": {
            "ann": {"groups": ["york"], "allow": ["view.own"], "assignments": {
              "a": {"allow": ["view.all"], "on": {"job": {"team": ["leeds"]}}}}},
            "same": {"groups": ["york"], "allow": ["view.own"], "assignments": {
              "a": {"allow": ["view.all"], "on": {"job": {"team": ["leeds"]}}},
              "b": {"allow": ["view.all"], "on": {"job": {"team": ["hyde park"], "region": ["north"]}}},
              "c": {"allow": ["view.all"], "on": {"job": {"team": ["leeds"]}}, "until": "2026-12-24"},
              "d": {"allow": ["view.all"], "from": "2026-12-24"}}},
            "wide": {"allow": ["view.all"], "assignments": {"a": {"allow": ["view.all"], "on": {"job": {"team": ["leeds"]}}}}},
            "always": {"allow": ["view.own"], "assignments": {
              "a": {"allow": ["view.all"], "on": {"job": {"team": ["leeds"]}}}, "b": {"allow": ["view.all", "menu"]}}},
            "joined": {"assignments": {
              "a": {"allow": ["view.all"], "on": {"job": {"team": ["york"], "region": ["north"]}}},
              "b": {"allow": ["view.all"], "on": {"job": {"team": ["leeds"], "region": ["north"]}}},
              "c": {"allow": ["view.all"], "on": {"job": {"assignee": ["zoe", "ann"], "region": ["north", "south"]}}}}},
            "mine": {"groups": ["leeds"], "allow": ["view.team"], "assignments": {
              "a": {"allow": ["view.all", "menu"], "on": {"job": {"team": ["leeds"]}}}}},
            "crossed": {"groups": ["york"], "assignments": {
              "a": {"allow": ["view.team"], "on": {"job": {"team": ["uk"]}}},
              "b": {"allow": ["view.own"], "on": {"job": {"team": ["leeds"]}}}}},
            "sized": {"allow": ["view.all", "view.edit"], "assignments": {
              "a": {"allow": ["view.edit"], "bounds": {"job.size": 50}, "on": {"job": {"assignee": ["ann"]}}},
              "b": {"allow": ["view.edit"], "bounds": {"job.size": 5}, "on": {"job": {"assignee": ["zoe"]}}},
              "c": {"allow": ["view.edit"], "on": {"job": {"assignee": ["zoe"]}}}}},
            "apart": {"allow": ["check"], "assignments": {
              "a": {"allow": ["tidy"], "bounds": {"job.size": 50}, "on": {"job": {"region": ["north"]}}}}},
            "both": {"allow": ["check"], "assignments": {
              "a": {"allow": ["tidy", "check"], "bounds": {"job.size": 50}, "on": {"job": {"region": ["north"]}}}}}}}"#,
        r#"
        ann view => every job where assignee is me or team is one of "hyde park", "leeds"
        ann view.own => every job where assignee is me
        ann menu => nothing
        same view => every job where assignee is me or team is one of "hyde park", "leeds"
        wide view => every job
        always view => every job
        always menu => everything
        joined view => every job where (assignee is one of "ann", "zoe" and region is one of "north", "south") or (team is one of "hyde park", "leeds", "york" and region is "north")
        mine view => every job where team is me
        mine menu => nothing
        crossed view => every job where team is me or (assignee is me and team is one of "hyde park", "leeds")
        sized view.edit => every job where size is at most 10 or (assignee is "ann" and size is at most 50)
        apart tidy => every job where region is "north" and size is at most 10
        both tidy => every job where region is "north" and size is at most 50
        both check => every job where size is at most 10 or (region is "north" and size is at most 50)
        "#,
    );
}

#[test]
fn who_is_narrowed_has_one_filter_in_normal_form() {
    let engine = engine(
        r#"{"format": 1,
          "catalogue": {
            "objects": {"job": {
              "relations": {"assignee": "user", "team": "group"}, "attributes": {"size": "at_most"}}},
            "permissions": [{"key": "view", "object": "job", "checks": ["size"], "scopes": [
              {"key": "own", "when": {"assignee": "me"}}, {"key": "team", "when": {"team": "me"}}, {"key": "all", "when": {}}]}]},
          "groups": {"uk": {}, "leeds": {"parent": "uk"}},
          "users": {"ann": {"groups": ["uk"], "allow": ["view.own", "view.team"], "bounds": {"job.size": 10}}}}"#,
    );
    let (ann, view) = (engine.user("ann").expect("ann"), engine.permission("view").expect("view"));
    let within = |entry: &str| {
        let entry = serde_json::from_str(entry).expect("an entry");
        let asker = engine.asker(ann).within(&entry).expect("it is valid");
        asker.asker().filter(view, ()).to_string()
    };
    assert_eq!(
        within(r#"{"allow": ["view.own"], "bounds": {"job.size": 20}}"#),
        "every job where assignee is me and size is at most 10"
    );
    assert_eq!(
        within(r#"{"allow": ["**"], "bounds": {"job.size": 5}}"#),
        "every job where size is at most 5 and (assignee is me or team is me)"
    );
    assert_eq!(within(r#"{"admin": true}"#), engine.filter(ann, view, ()).to_string());
    assert_eq!(within("{}"), "nothing");
    assert_eq!(
        within(
            r#"{"assignments": {"a": {"allow": ["**"], "bounds": {"job.size": 30}, "on": {"job": {"team": ["leeds"]}}}}}"#
        ),
        r#"every job where team is "leeds" and size is at most 10"#
    );
}

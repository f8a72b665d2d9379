//! Diffs of users who have assignments.

use grantree::change::Actor;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};

use support::assignment_diff_laws::{
    Tally, a_diff_tells_what_differs, engine_of, exchanged, renamed,
};
use support::random::case;

/// Runs a law on random policies, a tenth of them where engines are slow.
fn check(cases: u32, mut law: impl FnMut(&Value, u64)) {
    let cases = if cfg!(debug_assertions) { cases / 10 } else { cases };
    let named = std::env::var("DIFF_CASES").ok().and_then(|cases| cases.parse().ok());
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(5), ..Config::default() });
    for at in 0..named.unwrap_or(cases) {
        let case = case().new_tree(&mut runner).expect("a case").current();
        law(&case.policy, u64::from(at));
    }
}

#[test]
fn a_diff_of_assignments_is_what_differs() {
    let mut tally = Tally::default();
    check(600, |policy, seed| {
        a_diff_tells_what_differs([policy, &exchanged(policy, seed)], &mut tally);
    });
    assert!(tally.told > 50, "{tally:?}");
    // Some are rare, as what a single second of one day decides.
    assert!(tally.unconfirmed * 5 < tally.told, "{tally:?}");
}

#[test]
fn names_and_the_order_of_assignments_are_no_difference() {
    check(600, |policy, _| {
        let Some(engine) = engine_of(policy) else { return };
        for other in [policy.clone(), renamed(policy)] {
            let diff = engine.diff(&engine_of(&other).expect("an engine"));
            assert!(diff.is_empty(), "{diff}\n{policy}");
        }
    });
}

/// Two policies whose user has these assignments.
fn diff(before: Value, after: Value) -> String {
    let [before, after] = [before, after].map(|ann| {
        let policy = json!({
            "format": 1,
            "catalogue": {
                "objects": {"job": {
                    "relations": {"owner": "user", "team": "group"},
                    "attributes": {"cost": "at_most"}}},
                "permissions": [
                    {"key": "reports"},
                    {"key": "pay", "object": "job", "checks": ["cost"]},
                    {"key": "edit", "object": "job", "scopes": [
                        {"key": "own", "when": {"owner": "me"}},
                        {"key": "all", "when": {}}]}]},
            "groups": {"uk": {}, "leeds": {"parent": "uk"}, "york": {"parent": "uk"}},
            "roles": {
                "reporter": {"allow": ["reports"]},
                "editor": {"allow": ["edit.all"]},
                "owner": {"allow": ["edit.own"]},
                "payer": {"allow": ["pay"], "bounds": {"job.cost": 10}}},
            "users": {"ann": ann}
        });
        engine_of(&policy).expect("a valid policy")
    });
    before.diff(&after).to_string()
}

#[test]
fn the_dates_of_an_assignment_count_by_the_days_within_them() {
    let until = |until: &str| json!({"assignments": {"cover": {"roles": ["reporter", "editor"], "until": until}}});
    assert_eq!(
        diff(until("2026-12-24"), until("2026-12-31")),
        "1 user: `ann`
  has `reports` on more days
    now on everything (until 2026-12-31)
    before on everything (until 2026-12-24)
  has `edit` on more days
    now on every job (until 2026-12-31)
    before on every job (until 2026-12-24)
  has `edit.all` on more days
    now on every job (until 2026-12-31)
    before on every job (until 2026-12-24)
"
    );
    // Another way to write the same moment, and two parts of one time.
    assert_eq!(diff(until("2026-12-24"), until("2026-12-25T00:00")), "nothing changes\n");
    let parted = json!({"assignments": {
        "one": {"roles": ["editor", "reporter"], "until": "2026-12-01T12:00"},
        "two": {"roles": ["reporter", "editor"], "from": "2026-11-30", "until": "2026-12-24"}}});
    assert_eq!(diff(until("2026-12-24"), parted), "nothing changes\n");
    // Without the days that both hold, that of the change is in neither as a whole.
    let apart = json!({"assignments": {
        "one": {"roles": ["reporter"], "until": "2026-12-01T12:00"},
        "two": {"roles": ["reporter"], "from": "2026-12-01T12:00", "until": "2026-12-24"},
        "edit": {"roles": ["editor"], "until": "2026-12-24"}}});
    assert_eq!(
        diff(until("2026-12-24"), apart),
        "1 user: `ann`
  has `reports` on fewer days
    now on everything (until 2026-12-01T12:00), or everything (from 2026-12-01T12:00 until 2026-12-24)
    before on everything (until 2026-12-24)
"
    );
}

#[test]
fn the_objects_of_an_assignment_count_by_what_relations_name() {
    let on = |on: Value| json!({"assignments": {"cover": {"roles": ["editor"], "on": on}}});
    // All beneath a group, one by one; and a part that another part has already.
    let both = json!({"assignments": {
        "leeds": {"roles": ["editor"], "on": {"job": {"team": ["leeds", "york"]}}},
        "uk": {"roles": ["editor"], "on": {"*": {"team": ["york", "uk"]}}}}});
    assert_eq!(diff(on(json!({"job": {"team": ["uk"]}})), both), "nothing changes\n");
    assert_eq!(
        diff(on(json!({"job": {"team": ["leeds"]}})), on(json!({"job": {"team": ["york"]}}))),
        "1 user: `ann`
  has `edit` on other objects
    now on every job where team is \"york\"
    before on every job where team is \"leeds\"
  has `edit.all` on other objects
    now on every job where team is \"york\"
    before on every job where team is \"leeds\"
"
    );
    // The user's own name is what `me` means.
    let own = json!({"assignments": {"own": {"roles": ["owner"]}}});
    let named = json!({"assignments": {
        "own": {"roles": ["owner"], "on": {"job": {"owner": ["ann", "bob"]}}}}});
    assert_eq!(diff(own, named), "nothing changes\n");
}

#[test]
fn a_role_that_moves_into_an_assignment_is_lost_where_its_terms_do_not_hold() {
    let ordinary = json!({"roles": ["payer", "reporter"]});
    let assigned = json!({"assignments": {"cover": {
        "roles": ["payer", "reporter"],
        "bounds": {"job.cost": 5},
        "on": {"job": {"owner": ["bob"]}}, "from": "2026-11-01"}}});
    assert_eq!(
        diff(ordinary.clone(), assigned),
        "1 user: `ann`
  loses `reports`
  has `pay` on fewer objects
    now on every job where owner is \"bob\" and cost is at most 10 (from 2026-11-01)
    before on every job where cost is at most 10
    it is no longer effective in the ordinary capacity
"
    );
    let everywhere = json!({"assignments": {"cover": {"roles": ["payer", "reporter"]}}});
    assert_eq!(
        diff(ordinary, everywhere),
        "1 user: `ann`
  has `reports` on the same objects
    it is no longer effective in the ordinary capacity
  has `pay` on the same objects
    it is no longer effective in the ordinary capacity
"
    );
}

#[test]
fn what_if_tells_of_assignments() {
    let policy = json!({
        "format": 1,
        "catalogue": {
            "objects": {"job": {"relations": {"team": "group"}}},
            "permissions": [{"key": "edit", "object": "job"}]},
        "roles": {"editor": {"allow": ["edit"]}},
        "users": {"ann": {}, "bob": {}}
    });
    let engine = engine_of(&policy).expect("a valid policy");
    let change = json!({"set_assignment": {"user": "bob", "name": "cover", "assignment": {
        "roles": ["editor"], "on": {"job": {"team": ["leeds"]}}, "until": "2026-12-24T18:00"}}});
    let change = serde_json::from_value(change).expect("a change");
    let what_if = engine.what_if(Actor::Host, &change).expect("it is applied");
    assert_eq!(
        what_if.diff.to_string(),
        "1 user: `bob`
  gains `edit`, on every job where team is \"leeds\" (until 2026-12-24T18:00)
"
    );
    let edit = &serde_json::to_value(&what_if.diff).expect("JSON")["groups"][0]["permissions"][0];
    assert_eq!(
        edit["on"]["after"],
        json!({"by_date": [{"until": "2026-12-24T18:00", "on": {"objects": {
            "kind": "job",
            "condition": {"names": {"name": "team", "names": "group", "any_of": ["leeds"]}}}}}]})
    );
}

//! Diffs are true and complete.

use std::cell::RefCell;

use grantree::Document;
use grantree::change::Actor;
use grantree::{Engine, Policy};
use support::change_laws::parts;
use support::checking::{check, check_sessions};
use support::diff_laws::{
    Tally, a_diff_has_a_mirror, a_diff_is_what_differs, exchanged, holds,
    what_is_shared_makes_no_difference,
};
use support::erosion::eroded;
use support::random::change::Session;

/// Each compares two engines on thousands of questions: where those are slow, a
/// tenth of the cases are run.
fn cases(all: usize) -> usize {
    if cfg!(debug_assertions) { all / 10 } else { all }
}

/// Random changes one after another, each with a diff.
fn goes_on(session: &Session, each: impl Fn([&Document; 2], [Engine; 2])) {
    let document: Document = serde_json::from_value(session.policy.clone()).expect("a document");
    let Ok(mut policy) = Policy::try_from(document.clone()) else { return };
    let mut engine = Engine::new(&policy);
    let (mut document, mut drawn) = (document, session.policy.clone());
    for at in 0..session.steps() {
        let (change, _, today) = parts(&session.step(at, &drawn));
        let Ok(applied) = policy.apply_on(Actor::Host, &change, today) else { continue };
        let next = engine.updated(&applied.policy);
        let now = Document::from(&applied.policy);
        each([&document, &now], [engine, next.clone()]);
        drawn = serde_json::to_value(&now).expect("JSON");
        (policy, engine, document) = (applied.policy, next, now);
    }
}

#[test]
fn a_diff_of_a_change_is_what_differs() {
    let tally = RefCell::new(Tally::default());
    check_sessions(cases(200), |session| {
        goes_on(session, |documents, engines| {
            let diff = engines[0].diff(&engines[1]);
            holds(&engines, documents, &diff, &mut tally.borrow_mut());
        });
    });
    println!("{:?}", tally.into_inner());
}

/// Exactly so of users without assignments; of those with some, see `assignment_diffs`.
#[test]
fn a_diff_of_two_policies_is_what_differs() {
    let tally = RefCell::new(Tally::default());
    check(cases(600), |case| {
        let case = case.ordinary();
        let other = exchanged(&case.document, case.dice().usize(..100));
        a_diff_is_what_differs(&case.document, &other, &mut tally.borrow_mut());
        let mut nothing = Tally::default();
        let same = a_diff_is_what_differs(&case.document, &case.document, &mut nothing);
        assert!(same.is_empty());
    });
    println!("{:?}", tally.into_inner());
}

#[test]
fn a_diff_the_other_way_round_is_the_opposite() {
    check(cases(600), |case| {
        a_diff_has_a_mirror(&case.document, &exchanged(&case.document, case.dice().usize(..100)));
    });
}

#[test]
fn versions_are_compared_as_policies_that_share_nothing() {
    check_sessions(cases(300), |session| {
        goes_on(session, |documents, engines| {
            what_is_shared_makes_no_difference(&engines, documents);
        });
    });
}

/// Between different catalogues, too, a diff has a mirror; and what it names exists.
#[test]
fn catalogues_are_compared_both_ways() {
    check(cases(300), |case| {
        for eroded in eroded(&case.document) {
            let adopted = Policy::builder().adopt(eroded).expect("it is adopted").policy;
            a_diff_has_a_mirror(&case.document, &Document::from(&adopted));
        }
    });
}

fn engine(document: &str) -> Engine {
    let document: Document = serde_json::from_str(document).expect("a document");
    Engine::new(&Policy::try_from(document).expect("a policy"))
}

fn diff(before: &str, after: &str) -> String {
    format!("{:#}", engine(before).diff(&engine(after)))
}

#[test]
fn what_only_one_catalogue_knows_is_told_first() {
    let before = r#"{"format": 1,
        "catalogue": {
            "permissions": [{"key": "a"}, {"key": "b", "levels": ["none", "some", "all"]}, {"key": "c"}],
            "settings": {"s": {"default": 1}}},
        "global": {"allow": ["a", "b", "c"]},
        "users": {"ann": {}}}"#;
    let after = r#"{"format": 1,
        "catalogue": {
            "objects": {"job": {"relations": {"owner": "user"}}},
            "permissions": [
                {"key": "b", "levels": ["none", "all"]},
                {"key": "c", "object": "job", "scopes": [{"key": "own", "when": {"owner": "me"}}]},
                {"key": "d"}],
            "settings": {"s": {"default": 2}}},
        "global": {"allow": ["b", "c", "d"]},
        "users": {"ann": {}}}"#;
    assert_eq!(
        diff(before, after),
        "permission `a` is removed
permission `b:some` is removed
permission `c.own` is new
permission `d` is new
object kind `job` is new
relation `job.owner` is new
default `s = 1` is removed
default `s = 2` is new
1 user: `ann`
  has `c` on fewer objects
    now on every job where owner is me
    before on everything
  gains `c.own`, on every job where owner is me
  gains `d`
  loses `a`
  has setting `s`: now 2, before 1
"
    );
}

#[test]
fn bounds_and_groups_count_by_what_they_let_through() {
    let policy = |said: &str, groups: &str| {
        format!(
            r#"{{"format": 1,
            "catalogue": {{
                "objects": {{"job": {{
                    "relations": {{"team": "group"}},
                    "attributes": {{"cost": "at_most", "starts": "not_before"}}}}}},
                "permissions": [
                    {{"key": "pay", "object": "job", "checks": ["cost"]}},
                    {{"key": "plan", "object": "job", "checks": ["starts"]}},
                    {{"key": "edit", "object": "job", "scopes": [
                        {{"key": "team", "when": {{"team": "me"}}}},
                        {{"key": "rest", "when": {{"team": ["other", "none"]}}}}]}}]}},
            "groups": {{"uk": {{}}, "leeds": {{"parent": "uk"}}}},
            "roles": {{"one": {said}, "two": {{"bounds": {{"job.cost": 10}}}}}},
            "users": {{"ann": {{"roles": ["one", "two"], "groups": {groups}}}}}}}"#
        )
    };
    let first = policy(
        r#"{"allow": ["pay", "plan", "edit"], "bounds": {"job.cost": 5, "job.starts": {"plus_days": 7}}}"#,
        r#"["uk", "leeds"]"#,
    );
    // The other role allows more anyway, and leeds is beneath uk.
    let alike = policy(
        r#"{"allow": ["pay", "plan", "edit"], "bounds": {"job.cost": 10, "job.starts": {"plus_days": 7}}}"#,
        r#"["uk"]"#,
    );
    assert_eq!(diff(&first, &alike), "nothing changes\n");
    // The next Sunday is a week away at most: more, on all days but Sundays.
    let other = policy(
        r#"{"allow": ["pay", "plan", "edit.team"], "bounds": {"job.cost": 20, "job.starts": {"next": "sunday", "plus_days": 0}}}"#,
        r#"["leeds"]"#,
    );
    assert_eq!(
        diff(&first, &other),
        "1 user: `ann`
  has `pay` on more objects
    now on every job where cost is at most 20
    before on every job where cost is at most 10
  has `plan` on more objects
    now on every job where starts is not before the next Sunday after today
    before on every job where starts is not before 7 days after today
  has `edit` on fewer objects
    now on every job where team is me
    before on every job where team is one of me, other, none
  has `edit.team` on fewer objects
    still on every job where team is me, but with different groups
  loses `edit.rest`, on every job where team is one of other, none
"
    );
}

/// What a version shares with the one before is skipped, and nothing else.
#[test]
fn versions_differ_by_the_groups_of_users_and_their_parents() {
    let document = r#"{"format": 1,
        "catalogue": {
            "objects": {"job": {"relations": {"team": "group"}}},
            "permissions": [{"key": "edit", "object": "job", "scopes": [
                {"key": "ours", "when": {"team": "me"}}]}]},
        "groups": {"uk": {}, "leeds": {"parent": "uk"}, "york": {"parent": "uk"}},
        "global": {"allow": ["edit"]},
        "users": {
            "ann": {"groups": ["leeds"]}, "bob": {"groups": ["york"]}, "cat": {"groups": ["uk"]}}}"#;
    let document: Document = serde_json::from_str(document).expect("a document");
    let policy = RefCell::new(Policy::try_from(document).expect("a policy"));
    let engine = RefCell::new(Engine::new(&policy.borrow()));
    let diff_of = |change: &str| {
        let change = serde_json::from_str(change).expect("a change");
        let applied = policy.borrow().apply(Actor::Host, &change).expect("it is applied");
        let next = engine.borrow().updated(&applied.policy);
        policy.replace(applied.policy);
        let before = engine.replace(next);
        let told = before.diff(&engine.borrow()).to_string();
        told.lines().take(2).collect::<Vec<_>>().join("\n")
    };
    // A list that somebody has already: it is only new to her.
    assert_eq!(
        diff_of(r#"{"set_groups": {"user": "ann", "groups": ["york"]}}"#),
        "1 user: `ann`\n  has `edit` on other objects"
    );
    // No list is new: only the parent of a group in one.
    assert_eq!(
        diff_of(r#"{"set_group": {"group": "leeds", "parent": null}}"#),
        "1 user: `cat`\n  has `edit` on fewer objects"
    );
    // A list that nobody has had.
    assert_eq!(
        diff_of(r#"{"set_groups": {"user": "cat", "groups": ["leeds", "uk"]}}"#),
        "1 user: `cat`\n  has `edit` on more objects"
    );
}

/// The same is held, but is good for something else.
#[test]
fn admins_and_bounds_change_what_a_permission_reaches() {
    let policy = |costs: &str, admin: bool| {
        format!(
            r#"{{"format": 1,
            "catalogue": {{
                "objects": {{"job": {{
                    "relations": {{"owner": "user"}}, "attributes": {{"cost": "one_of"}}}}}},
                "permissions": [
                    {{"key": "edit", "object": "job", "scopes": [{{"key": "own", "when": {{"owner": "me"}}}}]}},
                    {{"key": "pay", "object": "job", "checks": ["cost"]}}]}},
            "global": {{"allow": ["**"], "bounds": {{"job.cost": {costs}}}}},
            "users": {{"ann": {{"admin": {admin}}}}}}}"#
        )
    };
    assert_eq!(
        diff(&policy(r#"["low"]"#, false), &policy(r#"["low"]"#, true)),
        "1 user: `ann`
  has `edit` on more objects
    now on everything
    before on every job where owner is me
  has `edit.own` on more objects
    now on everything
    before on every job where owner is me
  has `pay` on more objects
    now on everything
    before on every job where cost is \"low\"
"
    );
    let diff = engine(&policy(r#"["low"]"#, false)).diff(&engine(&policy("[]", false)));
    let pay = &serde_json::to_value(&diff).expect("JSON")["groups"][0]["permissions"][0];
    assert_eq!(pay["effective"], serde_json::json!(null));
    assert_eq!(pay["can_some"], serde_json::json!({"before": true, "after": false}));
}

#[test]
fn a_diff_is_data() {
    let before = r#"{"format": 1,
        "catalogue": {
            "permissions": [{"key": "a", "label": "A"}, {"key": "b", "levels": ["none", "some"]}],
            "settings": {"s": {}}},
        "roles": {"r": {}},
        "users": {"ann": {"roles": ["r"]}, "bob": {"roles": ["r"]}, "eve": {}}}"#;
    let after = before.replace(
        r#""r": {}"#,
        r#""r": {"allow": ["a"], "levels": {"b": "some"}, "settings": {"s": "x"}}"#,
    );
    let diff = engine(before).diff(&engine(&after.replace(r#""eve""#, r#""eva""#)));
    assert_eq!(
        serde_json::to_value(&diff).expect("JSON"),
        serde_json::json!({"groups": [
            {
                "users": {"count": 2, "names": ["ann", "bob"]},
                "presence": "stays",
                "permissions": [
                    {
                        "permission": {"name": "a", "label": "A"},
                        "shift": "gained",
                        "on": {"before": "nothing", "after": "everything"},
                        "effective": {"before": false, "after": true},
                        "can_some": {"before": false, "after": true}
                    },
                    {
                        "permission": {"name": "b"},
                        "shift": "gained",
                        "on": {"before": "nothing", "after": "everything"},
                        "effective": {"before": false, "after": true},
                        "level": {"before": "none", "after": "some"},
                        "can_some": {"before": false, "after": true}
                    }
                ],
                "settings": [{"setting": {"name": "s"}, "value": {"before": null, "after": "x"}}]
            },
            {"users": {"count": 1, "names": ["eva"]}, "presence": "new"},
            {"users": {"count": 1, "names": ["eve"]}, "presence": "gone"}
        ]})
    );
    assert_eq!(
        diff.to_string(),
        "2 users: `ann`, `bob`
  gain `a` (A)
  gain `b`: now `some`, before `none`
  have setting `s`: now \"x\", before unset
1 new user: `eva`
1 removed user: `eve`
"
    );
}

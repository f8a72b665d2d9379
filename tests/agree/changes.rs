//! Changes: their outcomes are those that the judge expects, and what follows is consistent.

use std::cell::RefCell;

use proptest::test_runner::{Config, TestError, TestRunner};
use support::change_laws::{Tally, play};
use support::oracle::change::Rule;
use support::random::change::session;

/// The number of sessions of thirty changes each, unless `CASES` names another.
const CASES: u32 = 300;

/// The kinds of change.
const KINDS: [&str; 18] = [
    "create",
    "rename",
    "edit",
    "delete",
    "add_user",
    "remove_user",
    "assign",
    "revoke",
    "transfer",
    "set_assignment",
    "expire",
    "set_default_profile",
    "set_admin",
    "set_suspended",
    "set_groups",
    "set_group",
    "set_licence",
    "import",
];

#[test]
fn changes_go_as_the_judge_says() {
    let cases = std::env::var("CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(CASES);
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let tally = RefCell::new(Tally::default());
    let result =
        TestRunner::new(config).run(&session(), |session| play(&session, &mut tally.borrow_mut()));
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(error) => panic!("{error}"),
    }
    let tally = tally.into_inner();
    println!("{tally}");
    has_teeth(&tally, cases);
}

/// Random changes are only as good as their outcomes: every kind is applied and refused, for
/// the host and for actors who are no admins, and every rule refuses some.
fn has_teeth(tally: &Tally, cases: u32) {
    let floor = cases / 100;
    for kind in KINDS {
        for by in ["host", "actor"] {
            let applied = tally.count(|of, who, code| of == kind && who == by && code == "applied");
            assert!(applied >= floor, "`{kind}` by the {by}: {applied} applied\n{tally}");
        }
        let refused =
            tally.count(|of, who, code| of == kind && who == "actor" && code != "applied");
        assert!(refused >= floor, "`{kind}`: {refused} refused\n{tally}");
    }
    for kind in KINDS {
        let [undone, not] = tally.undone(kind);
        assert!(undone >= floor && undone > not, "`{kind}`: {undone} undone, {not} not");
    }
    for rule in Rule::ALL {
        let refused = tally.count(|_, _, code| code == rule.code());
        assert!(refused >= floor, "`{}`: {refused} refused\n{tally}", rule.code());
    }
    let [applied, all] =
        [true, false].map(|only| tally.count(|_, _, code| !only || code == "applied"));
    assert!(3 * applied > all, "{applied} of {all}\n{tally}");
}

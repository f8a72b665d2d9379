//! Random changes: they go as the model says, and nobody gains by them what he
//! should not.

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::properties::check;
use crate::support::change_laws::{Tally, changes_agree_with_model, nobody_escalates, play};
use crate::support::changes::ORDER;
use crate::support::strategies::governed::{Session, game, session};

/// Holds a law to so many sessions, and tells what became of the changes.
fn hold(cases: u32, strategy: &impl Strategy<Value = Session>, law: fn(&Session) -> Tally) {
    let tally = RefCell::new(Tally::default());
    check(cases, strategy, |session| tally.borrow_mut().add(&law(session)));
    println!("{}", tally.into_inner());
}

#[test]
fn changes_go_as_the_model_says() {
    hold(1000, &session(), changes_agree_with_model);
}

#[test]
fn an_attacker_gains_nothing() {
    hold(1000, &game(), nobody_escalates);
}

/// The game could be won: where nothing forbids it, somebody gains.
#[test]
fn an_attacker_gains_where_escalation_is_no_matter() {
    let mut runner = TestRunner::deterministic();
    let mut gains = 0;
    for _ in 0..100 {
        let mut session = game().new_tree(&mut runner).expect("a session").current();
        session.document.governance.no_escalation = false;
        gains += u32::from(play(&session).1.is_some());
    }
    assert!(gains > 15, "{gains} of 100");
}

/// Random changes are worth what becomes of them: most are made, every kind by
/// the host and by an actor, and every rule refuses some.
#[test]
fn random_changes_meet_every_rule() {
    let mut runner = TestRunner::deterministic();
    let mut tally = Tally::default();
    for _ in 0..150 {
        let session = session().new_tree(&mut runner).expect("a session").current();
        tally.add(&changes_agree_with_model(&session));
    }
    println!("{tally}");
    let kinds: BTreeSet<&str> = tally.applied.keys().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds.len(), 16);
    for kind in kinds {
        for by in ["host", "actor"] {
            let count = tally.applied.get(&(kind.to_owned(), by));
            assert!(count.is_some(), "no `{kind}` was applied, asked by a {by}");
        }
    }
    for rule in ORDER {
        assert!(tally.refused.contains_key(&rule), "`{rule}` refused nothing");
    }
    assert!(tally.applied() > tally.refused(), "{tally}");
}

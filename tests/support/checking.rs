//! Laws on random cases.
//!
//! The cases are the same at every run, so that a change is judged by what it changes.
//! `PROPTEST_CASES` sets how many there are for each law, and makes them different each
//! time.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::case::{Case, case};
use super::random::change::{Session, session};

/// Checks a law on this many random cases. They are drawn once for all laws; one that breaks
/// a law is drawn anew, to be made smaller.
pub fn check(cases: usize, law: impl Fn(&Case)) {
    let holds = |case: &Arc<Case>| catch_unwind(AssertUnwindSafe(|| law(case))).is_ok();
    let broken = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => None,
        None => match (0..cases).map(drawn).find(|case| !holds(case)) {
            None => return,
            broken => broken,
        },
    };
    run(cases, &case(), &law);
    if let Some(case) = broken {
        panic!("broken by {case:?}");
    }
}

/// Checks a law on this many random sessions of changes.
pub fn check_sessions(cases: usize, law: impl Fn(&Session)) {
    run(cases, &session(), &law);
}

/// The first random cases.
pub fn cases(count: usize) -> impl Iterator<Item = Arc<Case>> {
    (0..count).map(drawn)
}

/// The random case of that number.
fn drawn(at: usize) -> Arc<Case> {
    static DRAWN: Mutex<Vec<Arc<Case>>> = Mutex::new(Vec::new());
    let mut drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner);
    while drawn.len() <= at {
        let seed = RngSeed::Fixed(drawn.len() as u64);
        let mut runner = TestRunner::new(Config { rng_seed: seed, ..Config::default() });
        drawn.push(Arc::new(case().new_tree(&mut runner).expect("a case").current()));
    }
    drawn[at].clone()
}

fn run<T: Debug>(cases: usize, strategy: &impl Strategy<Value = T>, law: &dyn Fn(&T)) {
    // A number of cases that is set here would win over the environment's.
    let (cases, rng_seed) = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => (Config::default().cases, RngSeed::Random),
        None => (u32::try_from(cases).expect("not that many"), RngSeed::Fixed(1)),
    };
    let config = Config {
        cases,
        rng_seed,
        // A failure prints its case as JSON, to be kept in the corpus.
        failure_persistence: None,
        max_shrink_iters: match std::env::var_os("PROPTEST_MAX_SHRINK_ITERS") {
            Some(_) => Config::default().max_shrink_iters,
            None => 100_000,
        },
        max_shrink_time: 60_000,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(strategy, |case| {
        law(&case);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

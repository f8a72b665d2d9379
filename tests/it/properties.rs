//! The laws, on random policies.
//!
//! The policies are the same at every run, so that a change is judged by what it
//! changes. `PROPTEST_CASES` sets how many there are for each law, and makes them
//! different each time.

use std::collections::BTreeMap;
use std::fmt::Debug;

use grantree::Policy;
use grantree::policy_test::{Answer, Question};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::support::oracle::Oracle;
use crate::support::strategies::{Case, case, sources};
use crate::support::{bulk_laws, erosion, laws};

/// Checks a law on this many random cases.
pub fn check<T: Debug>(cases: u32, strategy: &impl Strategy<Value = T>, law: impl Fn(&T)) {
    // A number of cases that is set here would win over the environment's.
    let (cases, rng_seed) = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => (Config::default().cases, RngSeed::Random),
        None => (cases, RngSeed::Fixed(1)),
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

macro_rules! hold {
    ($($law:ident: $cases:literal,)*) => {$(
        #[test]
        fn $law() {
            check($cases, &case(), laws::$law);
        }
    )*};
}

#[test]
fn bulk_agrees_with_can() {
    check(2000, &case(), bulk_laws::bulk_agrees_with_can);
}

#[test]
fn select_agrees_with_matches() {
    check(2000, &case(), bulk_laws::select_agrees_with_matches);
}

#[test]
fn who_can_by_source_agrees_with_explain() {
    check(1000, &case(), bulk_laws::who_can_by_source_agrees_with_explain);
}

hold! {
    engine_agrees_with_oracle: 2000,
    filter_agrees_with_can: 2000,
    explanations_agree_with_oracle: 2000,
    explanations_agree_with_why: 2000,
    a_mend_mends_and_nothing_less_does: 2000,
    document_and_policy_convert_back_without_loss: 256,
    granting_never_revokes: 512,
    a_denial_never_adds: 512,
    a_forbid_never_adds: 512,
    a_bound_of_any_never_revokes: 256,
    a_policy_without_bounds_allows_no_more: 256,
    a_lapsed_feature_never_adds_where_nothing_is_implied: 256,
    admin_is_the_top: 256,
    suspended_is_the_bottom: 256,
    order_within_a_tier_does_not_matter: 256,
    order_in_the_catalogue_does_not_matter: 256,
    a_statement_repeated_changes_nothing: 256,
    an_included_role_given_besides_changes_nothing: 256,
    other_users_make_no_difference: 256,
    why_agrees_with_can: 256,
    can_implies_can_some: 256,
    who_can_agrees_with_can: 256,
    an_error_is_one_whoever_asks: 256,
    equal_users_get_equal_filters: 256,
    filters_are_in_normal_form: 256,
    effective_agrees_with_level: 256,
    effective_agrees_with_can_some: 256,
    a_scoped_node_is_any_of_its_scopes: 512,
    what_it_answers_to_is_allowed_too: 512,
    a_tree_says_what_is_effective: 1000,
    a_tree_names_the_statements_that_decide: 1000,
    what_a_cascade_allows_has_effect: 1000,
    what_is_exported_imports_as_it_was: 512,
    what_is_chosen_is_exported_with_what_it_includes: 512,
    adopting_what_fits_leaves_nothing_out: 256,
    adopting_leaves_out_what_would_be_refused: 1000,
    what_was_renamed_is_found: 256,
}

/// A random test is only as good as its cases: both yes and no often enough, and every
/// reason that there is.
#[test]
fn random_questions_are_answered_in_every_way() {
    let mut runner = TestRunner::deterministic();
    let strategy = case();
    let (mut yes, mut no) = (0, 0);
    let mut reasons = BTreeMap::<String, u32>::new();
    let mut filtered = [0; 2];
    for _ in 0..300 {
        let case = strategy.new_tree(&mut runner).expect("a case").current();
        let oracle = Oracle::new(&case.document);
        for question in &case.questions {
            match (question, oracle.ask(question)) {
                (Question::Can { .. }, Answer::Boolean(true)) => yes += 1,
                (Question::Can { .. }, Answer::Boolean(false)) => no += 1,
                (Question::Filter { .. }, Answer::List(list)) => {
                    list.iter().for_each(|item| {
                        filtered[usize::from(*item == Answer::Boolean(true))] += 1;
                    });
                }
                (Question::Why { .. }, Answer::Text(code)) => {
                    *reasons.entry(code).or_default() += 1;
                }
                _ => {}
            }
        }
    }
    assert!(yes > 30 * (yes + no) / 100, "{yes} yes, {no} no");
    assert!(filtered.iter().all(|&count| count > 200), "{filtered:?}");
    assert!(reasons.len() == 13 && reasons.values().all(|&count| count > 5), "{reasons:?}");
}

/// So are random trees, and documents under other catalogues.
#[test]
fn random_trees_and_adoptions_come_to_everything() {
    let mut runner = TestRunner::deterministic();
    let strategy = case();
    let mut idle = BTreeMap::<&str, u32>::new();
    let mut left_out = BTreeMap::<String, u32>::new();
    for _ in 0..200 {
        let Case { document, .. } = strategy.new_tree(&mut runner).expect("a case").current();
        let policy = Policy::try_from(document.clone()).expect("a policy");
        for source in sources(&document) {
            let tree = policy.tree(&source).expect("a source");
            for node in tree.iter().filter(|node| node.is_idle()) {
                *idle.entry(node.reason.expect("no heading").code()).or_default() += 1;
            }
        }
        for eroded in erosion::eroded(&document) {
            for left in Policy::builder().adopt(eroded).expect("it is adopted").left_out {
                let kind = format!("{:?}", left.problem.kind());
                let kind = kind.split(' ').next().expect("a word");
                *left_out.entry(format!("{kind} {}", left.restriction)).or_default() += 1;
            }
        }
    }
    assert!(idle.len() == 4 && idle.values().all(|&count| count > 20), "{idle:?}");
    assert!(left_out.len() > 8 && left_out.values().all(|&count| count > 2), "{left_out:?}");
}

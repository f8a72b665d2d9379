//! The laws, on random policies.

use std::collections::BTreeMap;

use grantree::Policy;
use support::case::{Case, sources};
use support::checking::{cases, check};
use support::{
    adoption_laws, bulk_laws, erosion, explanation_laws, filter_laws, laws, remedy_laws, tree_laws,
};

macro_rules! hold {
    ($($module:ident: $($law:ident: $cases:literal,)*;)*) => {$($(
        #[test]
        fn $law() {
            check($cases, $module::$law);
        }
    )*)*};
}

hold! {
    adoption_laws:
        adopting_what_fits_leaves_nothing_out: 200,
        what_was_renamed_is_found: 200,
        what_is_exported_imports_as_it_was: 300,
        what_is_chosen_is_exported_with_what_it_includes: 300,;
    bulk_laws:
        bulk_agrees_with_can: 400,
        select_agrees_with_matches: 400,
        who_can_by_source_agrees_with_explain: 400,;
    explanation_laws:
        explanations_agree_with_oracle: 600,
        explanations_agree_with_why: 400,;
    filter_laws:
        filter_agrees_with_can: 400,
        filters_of_askers_agree_with_can: 400,
        equal_users_get_equal_filters: 300,
        filters_are_in_normal_form: 300,;
    laws:
        document_and_policy_convert_back_without_loss: 200,
        suspended_is_the_bottom: 200,
        order_within_a_tier_does_not_matter: 200,
        order_in_the_catalogue_does_not_matter: 200,
        a_statement_repeated_changes_nothing: 200,
        an_included_role_given_besides_changes_nothing: 200,
        other_users_make_no_difference: 200,;
    tree_laws:
        a_tree_says_what_is_effective: 400,
        a_tree_names_the_statements_that_decide: 400,
        what_a_cascade_allows_has_effect: 400,;
}

/// What adoption makes of assignments is in the target `agree`.
#[test]
fn adopting_leaves_out_what_would_be_refused() {
    check(400, |case| {
        adoption_laws::adopting_leaves_out_what_would_be_refused(&case.ordinary());
    });
}

/// With assignments it is held in the target `agree`.
#[test]
fn a_mend_mends_and_nothing_less_does() {
    check(500, |case| remedy_laws::a_mend_mends_and_nothing_less_does(&case.ordinary()));
}

macro_rules! hold_without_assignments {
    ($($law:ident: $cases:literal,)*) => {$(
        #[test]
        fn $law() {
            check($cases, |case| laws::$law(&case.ordinary()));
        }
    )*};
}

hold_without_assignments! {
    granting_never_revokes: 300,
    a_denial_never_adds: 300,
    a_forbid_never_adds: 300,
    a_bound_of_any_never_revokes: 200,
    a_policy_without_bounds_allows_no_more: 200,
    a_lapsed_feature_never_adds_where_nothing_is_implied: 200,
    admin_is_the_top: 200,
    effective_agrees_with_level: 200,
    effective_agrees_with_can_some: 200,
    a_scoped_node_is_any_of_its_scopes: 300,
    what_it_answers_to_is_allowed_too: 300,
}

#[cfg(feature = "sql")]
#[test]
fn rows_selected_are_those_allowed() {
    check(250, support::sql_laws::rows_selected_are_those_allowed);
}

/// Random tests are only as good as their cases: trees that show everything, and documents
/// under other catalogues. That questions meet every rule is a test of the oracle's target.
#[test]
fn random_trees_and_adoptions_come_to_everything() {
    let mut idle = BTreeMap::<&str, u32>::new();
    let mut left_out = BTreeMap::<String, u32>::new();
    for case in cases(200) {
        let Case { document, policy, .. } = &*case;
        for source in sources(document) {
            let tree = policy.tree(&source).expect("a source");
            for node in tree.iter().filter(|node| node.is_idle()) {
                *idle.entry(node.reason.expect("no heading").code()).or_default() += 1;
            }
        }
        for eroded in erosion::eroded(document) {
            for left in Policy::builder().adopt(eroded).expect("it is adopted").left_out {
                let kind = format!("{:?}", left.problem.kind());
                let kind = kind.split(' ').next().expect("a word");
                *left_out.entry(format!("{kind} {}", left.restriction)).or_default() += 1;
            }
        }
    }
    assert!(idle.len() == 4 && idle.values().all(|&count| count > 5), "{idle:?}");
    assert!(left_out.len() > 8 && left_out.values().all(|&count| count > 2), "{left_out:?}");
}

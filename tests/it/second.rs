//! The laws of filters, on random policies of the second edition.

use grantree::object::{DynamicObject, Object};
use grantree::policy_test::Question;
use grantree::{Document, Engine, Policy};
use proptest::prelude::*;

use super::properties::check;
use crate::support::random2::{Case2, case2};
use crate::support::strategies::Case;
use crate::support::{bulk_laws, laws};

/// A random case, with the questions that can be read.
pub fn case() -> impl Strategy<Value = Case> {
    case2().prop_filter_map("a policy is refused", |case| read(&case))
}

fn read(case: &Case2) -> Option<Case> {
    let document: Document = serde_json::from_value(case.policy.clone()).expect("a document");
    Policy::try_from(document.clone()).ok()?;
    let questions = case.steps.iter().cloned().map(serde_json::from_value::<Question>);
    Some(Case { document, questions: questions.flatten().collect(), tweaks: Vec::new() })
}

const CASES: u32 = 1000;

#[test]
fn filter_agrees_with_can() {
    check(CASES, &case(), laws::filter_agrees_with_can);
}

#[test]
fn filter_agrees_with_can_whoever_asks() {
    check(CASES, &case(), filters_of_askers_agree_with_can);
}

#[test]
fn select_agrees_with_matches() {
    check(CASES, &case(), bulk_laws::select_agrees_with_matches);
}

#[test]
fn equal_users_get_equal_filters() {
    check(CASES, &case(), laws::equal_users_get_equal_filters);
}

#[test]
fn filters_are_in_normal_form() {
    check(CASES, &case(), laws::filters_are_in_normal_form);
}

#[cfg(feature = "sql")]
#[test]
fn sql_agrees_with_can() {
    let cases = if cfg!(debug_assertions) { 200 } else { 2000 };
    check(cases, &(case(), any::<u64>()), |(case, seed)| {
        crate::support::sql_laws::rows_selected_are_those_allowed(case, *seed);
    });
}

/// The filter of a subject, or of somebody who is narrowed to an entry, matches an object
/// exactly if `can` says yes on it.
fn filters_of_askers_agree_with_can(case: &Case) {
    let engine = Engine::new(&Policy::try_from(case.document.clone()).expect("a policy"));
    let kinds = &case.document.catalogue.objects;
    let known = |object: &&DynamicObject| kinds.get(object.kind()).is_some();
    let objects: Vec<_> = laws::objects(case).into_iter().filter(known).cloned().collect();
    for question in &case.questions {
        let (Question::Can { user, within, action, today, .. }
        | Question::Why { user, within, action, today, .. }
        | Question::Filter { user, within, action, today, .. }) = question.clone()
        else {
            continue;
        };
        let can = objects.iter().cloned().map(|object| {
            let (user, within, action) = (user.clone(), within.clone(), action.clone());
            let can =
                Question::Can { user, within, action, object: Some(object), today: today.clone() };
            can.ask(&engine).ok()
        });
        let can: Option<Vec<_>> = can.collect();
        let objects = objects.clone();
        let filter = Question::Filter { user, within, action, objects, today };
        match (filter.ask(&engine), can) {
            (Ok(filter), Some(can)) => assert_eq!(
                filter.to_string(),
                grantree::policy_test::Answer::List(can).to_string(),
                "{question}"
            ),
            (Err(_), None) => {}
            (Err(_), Some(can)) => assert!(can.is_empty(), "{question}"),
            (Ok(_), None) => panic!("{question}"),
        }
    }
}

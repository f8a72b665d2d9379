//! The bodies of the fuzz targets, which the tests run too.

use grantree::change::{Actor, Change};
use grantree::policy_test::{Answer, Question};
use grantree::problem::Limits;
use grantree::{Document, Engine, Policy};

use super::case::Case;
use super::change_laws::{Tally, differ, play};
use super::compact_laws::compact_documents_are_read_alike;
use super::random::bytes::{case_of_bytes, session_of_bytes};
use super::{bulk_laws, explanation_laws, filter_laws};

/// Reads bytes as a document. Whatever they are, they are refused, or make a
/// policy that converts back without loss and that can be asked; read compactly, too.
pub fn document(bytes: &[u8]) {
    compact_documents_are_read_alike(bytes, Limits::default());
    let Ok(document) = serde_json::from_slice::<Document>(bytes) else {
        return;
    };
    let policy = match Policy::try_from(document.clone()) {
        Ok(policy) => policy,
        Err(problems) => {
            assert!(problems.iter().len() > 0);
            assert!(problems.iter().all(|problem| !problem.to_string().contains('\n')));
            // Nor is it accepted once it is written and read again.
            let written = serde_json::to_vec(&document).ok();
            let again = written.and_then(|text| serde_json::from_slice::<Document>(&text).ok());
            assert!(again.is_none_or(|again| Policy::try_from(again).is_err()));
            return;
        }
    };
    assert!(Document::from(&policy) == document);
    let engine = Engine::new(&policy);
    for (name, declared) in document.users.iter().take(8) {
        let user = engine.user(name).expect("a user of the document");
        for held in engine.effective(user) {
            let permission = engine.permission(&held.to_string()).expect("what is held");
            assert!(!declared.suspended);
            assert!(engine.why(user, permission, ()).allowed() == engine.can(user, permission, ()));
        }
    }
}

/// Reads bytes as the rolls behind a random case: the engine answers as the oracle does.
pub fn agree(bytes: &[u8]) {
    let Some(case) = Case::read(case_of_bytes(bytes)) else { return };
    let (engine, oracle) = (case.engine(), case.oracle());
    for step in &case.drawn.steps {
        let question: Question = serde_json::from_value(step.clone()).expect("a question");
        let expected: Answer = serde_json::from_value(oracle.ask(step)).expect("an answer");
        let got = question.ask(&engine).unwrap_or(Answer::Error);
        assert!(got == expected, "{question}: {got}, not {expected}, of {}", case.drawn.policy);
    }
}

/// Reads bytes as the rolls behind a random policy and changes to it, which go as the judge
/// says, and which engines and logs follow.
pub fn changes(bytes: &[u8]) {
    let session = session_of_bytes(bytes);
    let document: Document = serde_json::from_value(session.policy.clone()).expect("a document");
    // A few are refused.
    if Policy::try_from(document).is_ok()
        && let Err(failure) = play(&session, &mut Tally::default())
    {
        panic!("{failure}");
    }
}

/// Reads bytes as the rolls behind a random case: a filter matches, and selects
/// from columns, exactly the objects on which `can` says yes.
pub fn filters(bytes: &[u8]) {
    let Some(case) = Case::read(case_of_bytes(bytes)) else { return };
    filter_laws::filter_agrees_with_can(&case);
    filter_laws::filters_of_askers_agree_with_can(&case);
    filter_laws::filters_are_in_normal_form(&case);
    filter_laws::equal_users_get_equal_filters(&case);
    bulk_laws::select_agrees_with_matches(&case);
}

/// Reads bytes as the rolls behind a random case and its tables: the rows that
/// SQLite selects are those on which `can` says yes.
#[cfg(feature = "sql")]
pub fn sql(bytes: &[u8]) {
    let Some(case) = Case::read(case_of_bytes(bytes)) else { return };
    super::sql_laws::rows_selected_are_those_allowed(&case);
}

/// Reads bytes as the rolls behind a random case: explanations are true of the
/// document; who can by which source agrees with them.
pub fn explain(bytes: &[u8]) {
    let Some(case) = Case::read(case_of_bytes(bytes)) else { return };
    explanation_laws::explanations_agree_with_oracle(&case);
    explanation_laws::explanations_agree_with_why(&case);
    bulk_laws::who_can_by_source_agrees_with_explain(&case);
}

/// Reads lines of JSON, the first as a document and each other as a change to it. A
/// change is refused or applied, and whatever results from changes equals what is
/// read afresh: the document, the engine, the digest, and what a log replays.
pub fn apply(bytes: &[u8]) {
    let mut lines = bytes.split(|&byte| byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let Ok(document) = serde_json::from_slice::<Document>(first) else { return };
    let Ok(mut policy) = Policy::try_from(document) else { return };
    let mut engine = Engine::new(&policy);
    for line in lines.take(32) {
        let question = [b"{\"change\": ", line, b"}"].concat();
        let Ok(Question::Change { actor, change: Some(change), .. }) =
            serde_json::from_slice(&question)
        else {
            continue;
        };
        let json = serde_json::to_vec(&change).expect("a change serializes");
        assert!(serde_json::from_slice::<Change>(&json).expect("it is read") == *change);
        let by = actor.as_deref().map_or(Actor::Host, Actor::User);
        let before = policy.digest();
        let applied = match policy.apply(by, &change) {
            Ok(applied) => applied,
            Err(refusal) => {
                assert!(!refusal.to_string().contains('\n'), "{refusal}");
                assert!(policy.digest() == before);
                continue;
            }
        };
        // The host may do all that an actor may.
        let by_host = policy.apply(Actor::Host, &change).expect("the host may");
        assert!(by_host.policy.digest() == applied.policy.digest());
        let replayed = policy.replay(&applied.log_entry()).expect("the next entry");
        assert!(replayed.digest() == applied.policy.digest());
        assert!(policy.digest() == before);
        policy = applied.policy;
        engine = engine.updated(&policy);
    }
    let anew = Policy::try_from(Document::from(&policy)).expect("a policy all the same");
    assert!(anew.digest() == policy.digest());
    assert_eq!(differ(&engine, &Engine::new(&anew), &[]), None);
}

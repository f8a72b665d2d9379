//! The bodies of the fuzz targets, which the tests run too.

use grantree::{Document, Engine, Policy};

use super::strategies::case_of_bytes;
use super::strategies::governed::session_of_bytes;
use super::{change_laws, laws};

/// Reads bytes as a document. Whatever they are, they are refused, or make a
/// policy that converts back without loss and that can be asked.
pub fn document(bytes: &[u8]) {
    let Ok(document) = serde_json::from_slice::<Document>(bytes) else {
        return;
    };
    let policy = match Policy::try_from(document.clone()) {
        Ok(policy) => policy,
        Err(problems) => {
            assert!(problems.iter().len() > 0);
            assert!(problems.iter().all(|problem| !problem.to_string().contains('\n')));
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

/// Reads bytes as the rolls behind a random case: the engine answers as the
/// oracle does.
pub fn agree(bytes: &[u8]) {
    laws::engine_agrees_with_oracle(&case_of_bytes(bytes));
}

/// Reads bytes as the rolls behind a random policy and changes of it: they go as
/// the model says.
pub fn changes(bytes: &[u8]) {
    change_laws::changes_agree_with_model(&session_of_bytes(bytes));
}

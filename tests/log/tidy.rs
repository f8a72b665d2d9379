//! A source that is made shorter says the same.

#[path = "../support/files.rs"]
mod files;

use std::path::Path;

use grantree::change::{Actor, Change};
use grantree::document::Statements;
use grantree::{Document, Engine, Policy, SourceName};
use serde_json::Value;

use files::{CORPUS, POLICIES, files, read};

/// The number of statements about permissions that a shorter source may have fewer of.
fn count(Statements { allow, except, deny, .. }: &Statements) -> usize {
    allow.len() + except.len() + deny.len()
}

fn sources(document: &Document) -> Vec<SourceName> {
    let profiles = document.profiles.iter().map(|(name, _)| SourceName::Profile(name.to_owned()));
    let roles = document.roles.iter().map(|(name, _)| SourceName::Role(name.to_owned()));
    let users = document.users.iter().map(|(name, _)| SourceName::User(name.to_owned()));
    profiles.chain(roles).chain(users).chain([SourceName::Global]).collect()
}

#[test]
fn answers_stay_and_statements_are_fewer() {
    let mut policies: Vec<Document> =
        files(Path::new(POLICIES)).iter().map(|file| read(file)).collect();
    for file in files(Path::new(CORPUS)) {
        let test: Value = read(&file);
        let policy = test.get("policy").cloned();
        policies.extend(policy.map(|it| serde_json::from_value(it).expect("a document")));
    }
    let mut tidied = 0;
    for document in policies {
        let Ok(policy) = Policy::try_from(document.clone()) else { continue };
        let before = Engine::new(&policy);
        for source in sources(&document) {
            let Some(edit) = policy.tidy(&source) else { continue };
            // What is protected stays as it is.
            let Ok(applied) = policy.apply(Actor::Host, &edit) else { continue };
            let stated =
                |policy: &Policy| policy.source(&source).expect("a source").source.statements;
            let (was, is) = (stated(&policy), stated(&applied.policy));
            assert!(count(&is) < count(&was), "{was:?} {is:?}");
            assert_eq!(
                (&was.forbid, &was.levels, &was.bounds),
                (&is.forbid, &is.levels, &is.bounds)
            );
            let diff = before.diff(&before.updated(&applied.policy));
            assert!(diff.is_empty(), "{edit:?} of {was:?}\n{diff}");
            assert_eq!(applied.policy.tidy(&source), None, "{is:?}");
            assert!(matches!(edit, Change::Edit { cascade: false, .. }));
            tidied += 1;
        }
    }
    assert!(tidied > 50, "{tidied} sources");
}

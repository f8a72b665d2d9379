//! Roles that could be fewer: nobody's answers change, as the oracle says too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use grantree::change::{Actor, Change, OnHeld};
use grantree::document::{Role, Source, Statements};
use grantree::roles::Similarity;
use grantree::{Document, Engine, Policy, SourceName};
use serde_json::json;
use support::oracle::Oracle;

use crate::files::{files, read};
use crate::reach::{PRODUCTS, product};

/// The permissions of everybody, by the oracle.
fn held(document: &Document) -> BTreeMap<String, serde_json::Value> {
    let value = serde_json::to_value(document).expect("JSON");
    let oracle = Oracle::new(&value);
    let users = document.users.iter().map(|(user, _)| user);
    users.map(|user| (user.to_owned(), oracle.ask(&json!({"effective": {"user": user}})))).collect()
}

/// A company whose users have what some of a few hidden roles grant, each by a role of their own.
fn company(seed: u64, hidden: usize) -> Document {
    let mut random = fastrand::Rng::with_seed(seed);
    let permissions: Vec<_> = (0..60).map(|at| json!({"key": format!("p{at}")})).collect();
    let text = json!({"format": 1, "catalogue": {"permissions": permissions}});
    let mut document: Document = serde_json::from_value(text).expect("a document");
    let roles: Vec<BTreeSet<usize>> = (0..hidden)
        .map(|_| (0..random.usize(3..10)).map(|_| random.usize(..60)).collect())
        .collect();
    for user in 0..80 {
        let count = random.usize(1..4);
        let own: BTreeSet<usize> =
            (0..count).flat_map(|_| roles[random.usize(..roles.len())].clone()).collect();
        give(&mut document, &format!("u{user}"), own.iter().map(|at| format!("p{at}")));
    }
    document
}

fn give(document: &mut Document, user: &str, allow: impl Iterator<Item = String>) {
    let statements = Statements { allow: allow.collect(), ..Statements::default() };
    let source = Source { statements, ..Source::default() };
    document.roles.push(user, Role { source, ..Role::default() });
    let entry = json!({"roles": [user]});
    document.users.push(user, serde_json::from_value(entry).expect("a user"));
}

/// The same users, each with one role that grants what that user holds.
fn dissolved(document: &Document) -> Option<Document> {
    let policy = Policy::try_from(document.clone()).expect("a policy");
    let engine = Engine::new(&policy);
    let mut dissolved = document.clone();
    dissolved.roles = Default::default();
    dissolved.users = Default::default();
    dissolved.global = Default::default();
    for user in policy.users() {
        let held = engine.effective(engine.user(user).expect("a user"));
        if held.iter().any(|it| it.level().is_some()) {
            return None;
        }
        if !policy.user(user).expect("a user").admin {
            give(&mut dissolved, user, held.iter().map(ToString::to_string));
        }
    }
    Policy::try_from(dissolved.clone()).is_ok().then_some(dissolved)
}

#[test]
fn hidden_roles_are_found_again() {
    for seed in 0..6 {
        let document = company(seed, 12);
        let policy = Policy::try_from(document.clone()).expect("a policy");
        let fewer = policy.fewer_roles().expect("80 roles are too many");
        assert_eq!(fewer.before, 80);
        assert!(fewer.after <= 14, "{} roles of 12", fewer.after);
        assert_eq!(fewer.document.roles.len(), fewer.after);
        assert!(held(&fewer.document) == held(&document));
        let again = Policy::try_from(fewer.document).expect("a policy");
        assert!(again.fewer_roles().is_none_or(|less| less.after < fewer.after));
    }
}

#[test]
fn the_products_keep_their_answers() {
    for name in PRODUCTS {
        let policy = product(name);
        let before = Document::from(&policy);
        if let Some(fewer) = policy.fewer_roles() {
            assert!(fewer.after < fewer.before, "{name}");
            assert!(held(&fewer.document) == held(&before), "{name}");
        }
        // Whoever has one of two that are the same may as well have the other.
        for it in policy.similar_sources(0) {
            let (Similarity::Same, Some(other)) = (it.similarity, named(&it.other)) else {
                continue;
            };
            let delete = Change::Delete { source: it.one, holders: OnHeld::Reassign(other) };
            let Ok(applied) = policy.apply(Actor::Host, &delete) else { continue };
            assert!(Engine::new(&policy).diff(&Engine::new(&applied.policy)).is_empty());
        }
    }
}

fn named(source: &SourceName) -> Option<String> {
    match source {
        SourceName::Role(name) | SourceName::Profile(name) => Some(name.clone()),
        _ => None,
    }
}

#[test]
fn what_is_special_stays() {
    let text = json!({
        "format": 1, "catalogue": {"permissions": [{"key": "a"}, {"key": "b"}]},
        "roles": {
            "a": {"allow": ["a"]}, "a_too": {"allow": ["a"]}, "again": {"allow": ["a"]},
            "guarded": {"assignable_by": ["again"], "allow": ["b"]},
            "denying": {"deny": ["b"], "includes": ["a_too"]},
            "ab": {"allow": ["**"]}},
        "users": {
            "ann": {"roles": ["a", "denying"]}, "bob": {"roles": ["again", "guarded"]},
            "cyd": {"roles": ["a_too"]}, "dan": {"roles": ["ab", "a"]},
            "eve": {"roles": ["ab"], "assignments": {"x": {"roles": ["ab"], "until": "2026-12-24"}}}}
    });
    let document: Document = serde_json::from_value(text).expect("a document");
    let policy = Policy::try_from(document.clone()).expect("a policy");
    // Only `a` could be replaced, and is needed.
    assert_eq!(policy.fewer_roles(), None);
}

/// Prints what is found on the policies in a directory, named by `POLICIES`.
#[test]
#[ignore = "measures"]
fn companies() {
    let Ok(directory) = std::env::var("POLICIES") else { return };
    for file in files(Path::new(&directory)) {
        let value: serde_json::Value = read(&file);
        let Ok(document) = serde_json::from_value::<Document>(value["policy"].clone()) else {
            continue;
        };
        let name = file.file_stem().expect("a name").display().to_string();
        let Ok(policy) = Policy::try_from(document.clone()) else { continue };
        let start = Instant::now();
        let similar = policy.similar_sources(2);
        let count = |of| similar.iter().filter(|it| it.similarity == of).count();
        let [same, contained, near] =
            [Similarity::Same, Similarity::Contained, Similarity::Near].map(count);
        let of_similar = start.elapsed();
        let start = Instant::now();
        let fewer = policy.fewer_roles();
        let of_fewer = start.elapsed();
        let after = fewer.as_ref().map_or_else(|| "-".to_owned(), |it| it.after.to_string());
        println!(
            "{name}: {} roles, {} users: {same} same, {contained} contained, {near} near, {of_similar:.1?}; \
             fewer {after}, {of_fewer:.1?}",
            policy.sources().len() - 1,
            document.users.len(),
        );
        if document.users.len() < 20 {
            continue;
        }
        let Some(dissolved) = dissolved(&document) else { continue };
        let policy = Policy::try_from(dissolved).expect("a policy");
        let start = Instant::now();
        let mined = policy.fewer_roles().map(|it| (it.before, it.after));
        println!("    from a role for each user: {mined:?}, {:.1?}", start.elapsed());
    }
}

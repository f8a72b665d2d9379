//! What users could come to do: *never* holds against random changes, and *so* applies.

use std::path::Path;

use grantree::change::Actor;
use grantree::reach::Reach;
use grantree::{Document, Engine, Policy};

use crate::files::{POLICIES, read};

pub(crate) const PRODUCTS: [&str; 5] = ["connect", "drs", "gruntify", "orchestly", "shipping"];

pub(crate) fn product(name: &str) -> Policy {
    let document: Document = read(&Path::new(POLICIES).join(name).with_extension("json"));
    Policy::try_from(document).expect("a policy")
}

/// The policy of Gruntify before its owners were kept from raising themselves.
pub(crate) fn former_gruntify() -> Policy {
    let document: Document =
        serde_json::from_str(include_str!("former_gruntify.json")).expect("a document");
    Policy::try_from(document).expect("a policy")
}

pub(crate) fn can_some(policy: &Policy, user: &str, action: &str) -> bool {
    let engine = Engine::new(policy);
    let action = engine.permission(action).expect("a permission");
    engine.user(user).is_ok_and(|user| engine.can_some(user, action))
}

/// Applies the changes of a way, and holds each to be accepted.
pub(crate) fn applied(policy: &Policy, changes: &[grantree::reach::ActorChange]) -> Policy {
    changes.iter().fold(policy.clone(), |policy, it| {
        let applied = policy.apply(Actor::User(&it.actor), &it.change);
        applied.unwrap_or_else(|refusal| panic!("{it}: {refusal}")).policy
    })
}

#[test]
fn no_user_of_a_product_raises_himself() {
    for name in PRODUCTS {
        let raises = product(name).raises();
        let known: Vec<_> = raises.iter().map(|it| (&it.users, &it.ways, &it.unknown)).collect();
        assert!(known.is_empty(), "{name}: {known:#?}");
    }
}

#[test]
fn former_gruntify_is_raised_by_its_actors() {
    let policy = former_gruntify();
    let raises = policy.raises();
    for raise in &raises {
        for way in &raise.ways {
            let after = applied(&policy, &way.changes);
            for permission in &way.permissions {
                assert!(can_some(&after, &raise.users[0], permission), "{permission}");
                assert!(!can_some(&policy, &raise.users[0], permission), "{permission}");
            }
        }
    }
    let raised: Vec<&str> = raises
        .iter()
        .filter(|raise| !raise.ways.is_empty())
        .flat_map(|raise| raise.users.iter().map(String::as_str))
        .collect();
    assert_eq!(raised, ["oscar", "ursula", "ulf"]);
    assert_eq!(raises.len(), 3, "the others are proved unable to");
    // Roman edits roles, and gives none, not even himself: others he does raise.
    assert_eq!(policy.reach(&["roman"], "roman", "users.manage"), Ok(Reach::Never));
    let Ok(Reach::So(changes)) = policy.reach(&["roman"], "fiona", "users.manage") else {
        panic!("roman")
    };
    assert!(can_some(&applied(&policy, &changes), "fiona", "users.manage"));
    let Reach::So(changes) = policy.reach(&["oscar"], "oscar", "roles.manage").expect("known")
    else {
        panic!("oscar")
    };
    assert_eq!(changes.len(), 1);
    let oscar = raises.iter().find(|it| it.users[0] == "oscar").expect("oscar");
    assert!(oscar.ways.iter().any(|way| way.changes.len() == 2), "{oscar:#?}");
}

#[test]
fn a_path_applies() {
    // Every user alone, and with a neighbour, for each kind of answer.
    let (mut never, mut so, mut unknown) = (0, 0, 0);
    let mut policies: Vec<Policy> = PRODUCTS.iter().map(|name| product(name)).collect();
    policies.push(former_gruntify());
    for (at, policy) in policies.iter().enumerate() {
        let users: Vec<&str> = policy.users().collect();
        let actions = paths(policy);
        let mut random = fastrand::Rng::with_seed(at as u64);
        for _ in 0..10 {
            let user = users[random.usize(..users.len())];
            let actor = users[random.usize(..users.len())];
            let action = &actions[random.usize(..actions.len())];
            match policy.reach(&[actor, user], user, action).expect("known") {
                Reach::Never => never += 1,
                Reach::So(changes) => {
                    so += 1;
                    assert!(can_some(&applied(policy, &changes), user, action));
                }
                Reach::Unknown { tried } => {
                    unknown += 1;
                    assert!(tried <= 4_000);
                }
            }
        }
    }
    assert!(never > 15 && so > 5 && unknown < 15, "never {never}, so {so}, unknown {unknown}");
}

/// The paths of a policy's permissions.
pub(crate) fn paths(policy: &Policy) -> Vec<String> {
    let engine = Engine::new(policy);
    let paths = policy.permissions().map(|it| it.path().to_owned());
    paths.filter(|path| engine.permission(path).is_ok()).collect()
}

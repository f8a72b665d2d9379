//! A *never* is not contradicted by any of many random sequences of changes.

use std::collections::BTreeSet;

use fastrand::Rng;
use grantree::change::{Actor, Change, Op};
use grantree::document::Governance;
use grantree::reach::Reach;
use grantree::{Document, Engine, Policy, SourceName};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use support::random::HAND;
use support::random::change::session;

use crate::reach::{PRODUCTS, former_gruntify, paths, product};

/// The number of changes that a sequence tries.
const CHANGES: usize = 12;

/// The number of sequences, unless `SEQUENCES` names another: half of the products' policies,
/// half of random ones.
fn sequences() -> usize {
    let given = std::env::var("SEQUENCES").ok();
    given.map_or(1_000, |count| count.parse().expect("a number"))
}

#[test]
fn products_nevers_hold_against_random_changes() {
    let mut policies: Vec<Policy> = PRODUCTS.iter().map(|name| product(name)).collect();
    policies.push(former_gruntify());
    let (mut made, mut proved) = (0, 0);
    for (at, policy) in policies.iter().enumerate() {
        let mut random = Rng::with_seed(100 + at as u64);
        let mut left = sequences() / 2 / policies.len();
        while left > 0 {
            let actors = actors(policy, &mut random);
            let nevers = nevers(policy, &actors, &mut random);
            let Some((user, action)) = nevers.first() else { continue };
            let few = left.min(100);
            proved += nevers.len();
            left -= few;
            let first = Engine::new(policy);
            for _ in 0..few {
                let draw = |policy: &Policy, _: &str, random: &mut Rng| {
                    Some(change(policy, user, action, random))
                };
                made += contradict(&first, &actors, &nevers, &mut random, draw);
            }
        }
    }
    println!("{made} changes were made, {proved} proved");
    assert!(made > sequences() / 4, "{made} changes were made");
}

/// One user or two, of those who may make some change, if there are any.
fn actors<'p>(policy: &'p Policy, random: &mut Rng) -> Vec<&'p str> {
    let engine = Engine::new(policy);
    let may = |user: &&str| {
        let mut kinds = policy.governance().permissions.iter();
        kinds.any(|(_, needs)| needs.iter().all(|action| can_some(&engine, user, action)))
    };
    let admin = |user: &&str| policy.user(*user).is_some_and(|user| user.admin);
    let mut users: Vec<&str> = policy.users().filter(|it| may(it) && !admin(it)).collect();
    if users.is_empty() {
        users = policy.users().collect();
    }
    let actors: BTreeSet<&str> = (0..2).map(|_| users[random.usize(..users.len())]).collect();
    actors.into_iter().collect()
}

/// Some users and permissions of which *never* is proved.
fn nevers(policy: &Policy, actors: &[&str], random: &mut Rng) -> Vec<(String, String)> {
    let engine = Engine::new(policy);
    let users: Vec<&str> = policy.users().chain(["newcomer"]).collect();
    let mut actions = paths(policy);
    // What somebody holds, or nobody.
    if random.u8(..4) > 0 {
        let granted = |action: &&String| {
            let action = engine.permission(action).expect("it");
            let mut users = policy.users().filter_map(|user| engine.user(user).ok());
            users.any(|user| engine.can_some(user, action))
        };
        let near: Vec<String> = actions.iter().filter(granted).cloned().collect();
        actions = if near.is_empty() { actions } else { near };
    }
    let (mut nevers, mut others) = (Vec::new(), 0);
    for _ in 0..12 {
        let user = users[random.usize(..users.len())];
        let action = &actions[random.usize(..actions.len())];
        // Who can do it can mostly give it.
        if actors.iter().chain([&user]).any(|user| can_some(&engine, user, action)) {
            continue;
        }
        if policy.reach(actors, user, action).expect("known") == Reach::Never {
            nevers.push((user.to_owned(), action.clone()));
        } else {
            // It was searched for, which takes as long as hundreds of sequences.
            others += 1;
        }
        if nevers.len() == 4 || others == 1 {
            break;
        }
    }
    nevers
}

/// Makes random changes by some actors, and holds users never to come to do what they never
/// should. Returns the number of changes that were made.
fn contradict(
    first: &Engine,
    actors: &[&str],
    nevers: &[(String, String)],
    random: &mut Rng,
    mut draw: impl FnMut(&Policy, &str, &mut Rng) -> Option<Change>,
) -> usize {
    let (mut engine, mut made) = (first.clone(), Vec::new());
    for _ in 0..CHANGES {
        let actor = actors[random.usize(..actors.len())];
        let Some(change) = draw(engine.policy(), actor, random) else { continue };
        let Ok(applied) = engine.policy().apply(Actor::User(actor), &change) else { continue };
        engine = engine.updated(&applied.policy);
        made.push(format!("{actor}: {change}"));
        for (user, action) in nevers {
            let document = || serde_json::to_string(&Document::from(first.policy()));
            assert!(
                !can_some(&engine, user, action),
                "{user} {action}\n{}\n{}",
                document().expect("JSON"),
                made.join("\n")
            );
        }
    }
    made.len()
}

fn can_some(engine: &Engine, user: &str, action: &str) -> bool {
    let action = engine.permission(action).expect("a permission");
    engine.user(user).is_ok_and(|user| engine.can_some(user, action))
}

/// A change that may raise somebody.
fn change(policy: &Policy, user: &str, action: &str, random: &mut Rng) -> Change {
    let mut sources = policy.sources();
    sources.push(SourceName::User(user.to_owned()));
    let source = sources.swap_remove(random.usize(..sources.len()));
    let others = policy.users().count();
    let other = policy.users().nth(random.usize(..others.max(1)));
    let one = other.filter(|_| random.bool()).unwrap_or(user).to_owned();
    let pattern = if random.bool() { action } else { "**" }.to_owned();
    let read = |change| serde_json::from_value(change).expect("a change");
    match random.u8(..14) {
        0 | 1 => Change::Assign { user: one, source },
        2 => Change::Revoke { user: one, source },
        3 | 4 => Change::Edit { source, ops: vec![Op::Allow(pattern)], cascade: random.bool() },
        5 => Change::Edit { source, ops: vec![Op::Clear(pattern)], cascade: false },
        6 => Change::Create { source: SourceName::Role("made".into()), from: None },
        7 => Change::Create {
            source: SourceName::Role(format!("made {}", random.u8(..3))),
            from: Some(source),
        },
        8 => Change::RemoveUser { user: one },
        9 => Change::Rename {
            source: SourceName::User(one),
            to: if random.bool() { user.to_owned() } else { "somebody".to_owned() },
        },
        10 => read(json!({"add_user": {"user": user}})),
        11 => read(json!({"set_assignment": {
            "user": user, "name": "x", "assignment": {"allow": [pattern]}}})),
        12 => read(json!({"import": {
            "bundle": {"roles": {"made": {"allow": [pattern]}}}, "on_conflict": "replace"}})),
        _ => match source {
            SourceName::Role(role) => Change::Transfer { role, to: one },
            SourceName::Profile(profile) => Change::SetDefaultProfile { profile: Some(profile) },
            _ => Change::SetSuspended { user: one, suspended: false },
        },
    }
}

/// Policies whose governance is random, of which some let everybody change everything and some
/// only in a few ways, and changes of all kinds.
#[test]
fn random_policies_nevers_hold_against_random_changes() {
    let (strategy, mut runner) = (session(), TestRunner::deterministic());
    let mut random = Rng::with_seed(7);
    let (mut left, mut made, mut proved) = (sequences() / 2, 0, 0);
    while left > 0 {
        let session = strategy.new_tree(&mut runner).expect("a session").current();
        let mut document: Document = serde_json::from_value(session.policy.clone()).expect("it");
        if random.u8(..4) > 0 {
            narrow(&mut document.governance, &mut random);
        }
        let Ok(policy) = Policy::try_from(document) else { continue };
        let actors = actors(&policy, &mut random);
        let nevers = nevers(&policy, &actors, &mut random);
        let Some((user, action)) = nevers.first() else { continue };
        let first = Engine::new(&policy);
        let before = made;
        let draw = |policy: &Policy, actor: &str, random: &mut Rng| {
            if random.bool() {
                return Some(change(policy, user, action, random));
            }
            let now = serde_json::to_value(Document::from(policy)).expect("JSON");
            (0..20).find_map(|_| {
                let rolls: Vec<u16> = (0..2 * HAND).map(|_| random.u16(..)).collect();
                let change = session.change_by(actor, &rolls, &now);
                is_governed(policy, &change).then(|| serde_json::from_value(change).ok())?
            })
        };
        let few = left.min(20);
        for at in 0..few {
            made += contradict(&first, &actors, &nevers, &mut random, draw);
            left -= 1;
            // Where nothing can be made, nothing is shown.
            if at == 3 && made == before {
                break;
            }
        }
        proved += nevers.len();
    }
    println!("{made} changes were made, {proved} proved");
    assert!(made > sequences() / 2, "{made} changes were made");
}

/// Leaves a few kinds of change to those who are no admins, and compares none of them.
fn narrow(governance: &mut Governance, random: &mut Rng) {
    let free = ["edit_user", "edit_global", "set_assignment"];
    let kinds = governance.permissions.iter().map(|(kind, _)| kind.to_owned());
    let mut kinds: Vec<String> = kinds.filter(|kind| !free.contains(&&**kind)).collect();
    random.shuffle(&mut kinds);
    kinds.truncate(random.usize(1..5));
    governance.permissions.retain(|kind, _| kinds.iter().any(|it| it == kind));
    governance.no_escalation = false;
    (governance.escalate, governance.bind) = Default::default();
}

/// Returns whether a change is perhaps of a kind that others than admins may make.
fn is_governed(policy: &Policy, change: &Value) -> bool {
    let mut kinds = policy.governance().permissions.iter();
    kinds.any(|(kind, _)| {
        change.as_object().is_some_and(|it| it.keys().any(|key| kind.starts_with(&**key)))
    })
}

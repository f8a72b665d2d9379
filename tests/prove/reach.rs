//! What users could come to do: *never* holds against random changes, and *so* applies.

use std::path::Path;

use grantree::change::{Actor, Change, Op};
use grantree::reach::Reach;
use grantree::{Document, Engine, Policy, SourceName};

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
fn a_path_applies_and_a_never_is_never_contradicted() {
    // Every user alone, and with a neighbour, for each kind of answer.
    let (mut never, mut so, mut unknown) = (0, 0, 0);
    let mut policies: Vec<Policy> = PRODUCTS.iter().map(|name| product(name)).collect();
    policies.push(former_gruntify());
    for (at, policy) in policies.iter().enumerate() {
        let document = Document::from(policy);
        let users: Vec<&str> = document.users.iter().map(|(name, _)| name).collect();
        let actions = paths(policy);
        let mut random = fastrand::Rng::with_seed(at as u64);
        for _ in 0..10 {
            let user = users[random.usize(..users.len())];
            let actor = users[random.usize(..users.len())];
            let action = &actions[random.usize(..actions.len())];
            match policy.reach(&[actor, user], user, action).expect("known") {
                Reach::Never => {
                    never += 1;
                    contradict(policy, &[actor, user], user, action, &mut random, 12);
                }
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

#[test]
#[ignore = "takes minutes: 100,000 random sequences"]
fn a_never_is_never_contradicted_by_many_sequences() {
    let mut policies: Vec<Policy> = PRODUCTS.iter().map(|name| product(name)).collect();
    policies.push(former_gruntify());
    for (at, policy) in policies.iter().enumerate() {
        let document = Document::from(policy);
        let users: Vec<&str> = document.users.iter().map(|(name, _)| name).collect();
        let actions = paths(policy);
        let mut random = fastrand::Rng::with_seed(100 + at as u64);
        let mut sequences = 0;
        while sequences < 100_000 / policies.len() {
            let user = users[random.usize(..users.len())];
            let actor = users[random.usize(..users.len())];
            let action = &actions[random.usize(..actions.len())];
            if policy.reach(&[actor, user], user, action).expect("known") == Reach::Never {
                contradict(policy, &[actor, user], user, action, &mut random, 200);
                sequences += 200;
            }
        }
    }
}

/// The paths of a policy's permissions.
fn paths(policy: &Policy) -> Vec<String> {
    let engine = Engine::new(policy);
    let document = Document::from(policy);
    fn walk(nodes: &[grantree::document::PermissionNode], above: &str, paths: &mut Vec<String>) {
        for node in nodes {
            let dot = if above.is_empty() { "" } else { "." };
            let path = format!("{above}{dot}{}", node.key);
            walk(&node.children, &path, paths);
            paths.push(path);
        }
    }
    let mut paths = Vec::new();
    walk(&document.catalogue.permissions, "", &mut paths);
    paths.retain(|path| engine.permission(path).is_ok());
    paths
}

/// Makes random changes by some actors, and holds a user never to come to do something.
fn contradict(
    policy: &Policy,
    actors: &[&str],
    user: &str,
    action: &str,
    random: &mut fastrand::Rng,
    sequences: usize,
) {
    for _ in 0..sequences {
        let mut now = policy.clone();
        let mut made = Vec::new();
        for _ in 0..12 {
            let actor = actors[random.usize(..actors.len())];
            let change = change(&now, user, action, random);
            if let Ok(applied) = now.apply(Actor::User(actor), &change) {
                now = applied.policy;
                made.push(format!("{actor}: {change}"));
            }
        }
        assert!(!can_some(&now, user, action), "{user} {action}\n{}", made.join("\n"));
    }
}

/// A change that may raise somebody.
fn change(policy: &Policy, user: &str, action: &str, random: &mut fastrand::Rng) -> Change {
    let document = Document::from(policy);
    let mut sources = vec![SourceName::User(user.to_owned()), SourceName::Global];
    sources.extend(document.profiles.iter().map(|(name, _)| SourceName::Profile(name.to_owned())));
    sources.extend(document.roles.iter().map(|(name, _)| SourceName::Role(name.to_owned())));
    let groups = document.approval_groups.iter();
    sources.extend(groups.map(|(name, _)| SourceName::ApprovalGroup(name.to_owned())));
    let users: Vec<&str> = document.users.iter().map(|(name, _)| name).collect();
    let one = if random.bool() { user } else { users[random.usize(..users.len())] }.to_owned();
    let source = sources[random.usize(..sources.len())].clone();
    let pattern = if random.bool() { action } else { "**" }.to_owned();
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
        10 => serde_json::from_value(serde_json::json!({"add_user": {"user": user}}))
            .expect("a change"),
        11 => serde_json::from_value(serde_json::json!({"set_assignment": {
            "user": user, "name": "x", "assignment": {"allow": [pattern]}}}))
        .expect("a change"),
        12 => serde_json::from_value(serde_json::json!({"import": {
            "bundle": {"roles": {"made": {"allow": [pattern]}}}, "on_conflict": "replace"}}))
        .expect("a change"),
        _ => match source {
            SourceName::Role(role) => Change::Transfer { role, to: one },
            SourceName::Profile(profile) => Change::SetDefaultProfile { profile: Some(profile) },
            _ => Change::SetSuspended { user: one, suspended: false },
        },
    }
}

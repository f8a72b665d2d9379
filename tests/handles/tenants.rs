//! Policies that share a catalogue.

use allocation_counter::measure;
use grantree::change::{Actor, Change};
use grantree::document::Catalogue;
use grantree::journal::{MemoryJournal, Snapshot};
use grantree::{Document, Engine, Live, Permission, Policy, Upgrade, User};

use crate::installation::{name, product, tenant};

grantree::permissions! {
    struct Actions {
        view: "jobs.view",
        price: "jobs.price",
        approve: "orders.approve",
        chat: "chat",
    }
}

fn document(text: &str) -> Document {
    serde_json::from_str(text).expect("JSON")
}

fn catalogue(text: &str) -> Catalogue {
    serde_json::from_str(text).expect("JSON")
}

fn policy(of: &Policy, document: Document) -> Policy {
    Policy::builder().catalogue_of(of).build(document).expect("a valid policy")
}

#[test]
fn a_tenant_takes_less_than_ten_kibibytes() {
    let product = product();
    let held = |make: &dyn Fn(usize) -> Engine| {
        let mut engines = Vec::with_capacity(20);
        let held = measure(|| engines.extend((0..20).map(make)));
        usize::try_from(held.bytes_current).expect("it holds some") / engines.len()
    };
    let bytes = held(&|number| Engine::new(&policy(&product, tenant(number))));
    assert!(bytes < 10 * 1024, "{bytes}");
    // With a catalogue of its own, as it has it in its document.
    let alone = held(&|number| {
        let mut document = tenant(number);
        document.catalogue = Document::from(&product).catalogue;
        Engine::new(&Policy::try_from(document).expect("a valid policy"))
    });
    assert!(alone > bytes + 16 * 1024, "{alone} beside {bytes}");
}

#[test]
fn one_set_of_permissions_serves_all_tenants_and_users_stay_with_theirs() {
    let product = product();
    let actions = Actions::new(&Engine::new(&product)).expect("known names");
    let tenants: Vec<Engine> =
        (0..4).map(|number| Engine::new(&policy(&product, tenant(number)))).collect();
    for (number, engine) in tenants.iter().enumerate() {
        let own = Actions::new(engine).expect("known names");
        for at in 0..50 {
            let user = engine.user(name(number, at)).expect("a user");
            for (shared, own) in [
                (actions.view, own.view),
                (actions.price, own.price),
                (actions.approve, own.approve),
                (actions.chat, own.chat),
            ] {
                assert_eq!(shared, own);
                assert_eq!(engine.can_some(user, shared), engine.can_some(user, own));
            }
            assert!(engine.can(user, actions.chat, ()));
            assert!(engine.level(user, actions.price, ()).is_some());
            assert!(engine.asker(user).can(actions.chat, ()));
            for (other, elsewhere) in tenants.iter().enumerate() {
                assert_eq!(elsewhere.can(user, actions.chat, ()), other == number);
            }
        }
    }
}

#[test]
fn a_document_has_the_catalogue_that_it_shares_or_none() {
    let product = policy_of(r#"{"format": 1, "catalogue": {"permissions": [{"key": "a"}]}}"#);
    let build = |text: &str| Policy::builder().catalogue_of(&product).build(document(text));
    assert!(build(r#"{"format": 1, "catalogue": {}, "global": {"allow": ["a"]}}"#).is_ok());
    assert!(build(r#"{"format": 1, "catalogue": {"permissions": [{"key": "a"}]}}"#).is_ok());
    let other = r#"{"format": 1, "catalogue": {"permissions": [{"key": "b"}]}, "global": {"allow": ["b"]}}"#;
    assert_eq!(
        build(other).expect_err("another catalogue").to_string(),
        "catalogue: another catalogue than the one that the policy is to share; leave it \
         empty, or adopt the document\nglobal.allow[0]: unknown permission `b`; did you mean `a`?"
    );
    let adopted = Policy::builder().catalogue_of(&product).adopt(document(other)).expect("fits");
    assert_eq!(adopted.left_out.len(), 1);
    let restored = Snapshot::from(&adopted.policy);
    let restored = Policy::builder().catalogue_of(&product).restore(restored).expect("fits");
    assert_eq!(restored.version(), adopted.policy.version());
    // What is written out is whole.
    assert_eq!(Document::from(&restored).catalogue, Document::from(&product).catalogue);
}

fn policy_of(text: &str) -> Policy {
    Policy::try_from(document(text)).expect("a valid policy")
}

/// The users and the permissions of a product with a tenant, before it grows.
struct Before {
    product: Policy,
    tenant: Policy,
    bob: User,
    a: Permission,
}

fn before() -> Before {
    let product = policy_of(
        r#"{"format": 1, "catalogue": {"permissions": [{"key": "a"}, {"key": "gone"}]}}"#,
    );
    let text = r#"{"format": 1, "catalogue": {}, "users": {"bob": {"allow": ["a", "gone"]}}}"#;
    let tenant = policy(&product, document(text));
    let bob = Engine::new(&tenant).user("bob").expect("a user");
    let a = Engine::new(&product).permission("a").expect("a permission");
    Before { product, tenant, bob, a }
}

const NEWER: &str = r#"{"permissions": [{"key": "new"}, {"key": "a"}]}"#;

#[test]
fn tenants_follow_the_product_to_a_newer_catalogue() {
    let Before { product, tenant, bob, a } = before();
    let Upgrade::Done(newer) = product.upgrade(catalogue(NEWER)).expect("valid") else {
        panic!("it is new")
    };
    let Upgrade::Done(upgraded) = tenant.upgrade_to(&newer.policy).expect("valid") else {
        panic!("it is new")
    };
    assert_eq!(upgraded.left_out.len(), 1);
    let engine = Engine::new(&upgraded.policy);
    let new = Engine::new(&newer.policy).permission("new").expect("a permission");
    assert_eq!(engine.permission("new"), Ok(new));
    assert!(engine.can(bob, a, ()) && !engine.can(bob, new, ()));
    assert!(matches!(upgraded.policy.upgrade_to(&newer.policy), Ok(Upgrade::Present)));
    assert!(matches!(upgraded.policy.upgrade_to(&product), Ok(Upgrade::Superseded)));
    // A tenant that goes its own way keeps the handles that were, and shares no new ones.
    let Upgrade::Done(alone) = tenant.upgrade(catalogue(NEWER)).expect("valid") else {
        panic!("it is new")
    };
    let alone = Engine::new(&alone.policy);
    assert!(alone.can(bob, a, ()) && alone.name_of(new).is_none());
    // One that adopts the catalogue of another product is asked by that one's handles.
    let other = policy_of(&format!(r#"{{"format": 1, "catalogue": {NEWER}}}"#));
    let Upgrade::Done(moved) = tenant.upgrade_to(&other).expect("valid") else {
        panic!("it is new")
    };
    let moved = Engine::new(&moved.policy);
    let theirs = Engine::new(&other).permission("a").expect("a permission");
    assert!(moved.can(bob, theirs, ()) && !moved.can(bob, a, ()));
}

#[test]
fn versions_go_on_sharing_the_catalogue() {
    let Before { tenant, bob, a, .. } = before();
    let add: Change = serde_json::from_str(r#"{"add_user": {"user": "ann"}}"#).expect("JSON");
    let applied = tenant.apply(Actor::Host, &add).expect("it is applied").policy;
    let revised = applied.revise(Document::from(&applied)).expect("valid").policy;
    let replayed =
        tenant.replay(&tenant.apply(Actor::Host, &add).expect("it is applied").log_entry());
    let engine = Engine::new(&tenant);
    for version in [&applied, &revised, &replayed.expect("it follows")] {
        for engine in [engine.updated(version), Engine::new(version)] {
            assert_eq!(engine.permission("a"), Ok(a));
            assert!(engine.can(bob, a, ()));
        }
    }
    // A document that is edited in place is not compiled with a catalogue of its own.
    let shared = measure(|| drop(tenant.revise(Document::from(&tenant))));
    let mut other = Document::from(&tenant);
    other.catalogue.permissions.push(other.catalogue.permissions[0].clone());
    other.catalogue.permissions[2].key = "b".to_owned();
    let alone = measure(|| drop(tenant.revise(other.clone())));
    assert!(alone.count_total > shared.count_total + 20, "{alone:?} {shared:?}");
}

#[test]
fn a_tenant_in_a_journal_comes_to_share_when_it_is_opened() {
    let Before { product, tenant, a, .. } = before();
    let mut journal = MemoryJournal::default();
    let live = Live::open(&mut journal, Document::from(&tenant)).expect("it is opened");
    assert_ne!(live.load().permission("a"), Ok(a));
    // It has that catalogue already.
    let upgrade = live.upgrade_to(&mut journal, &product).expect("valid");
    assert!(matches!(upgrade, Upgrade::Present));
    assert_eq!((live.load().revision(), live.load().permission("a")), (1, Ok(a)));
    // A newer one.
    let Upgrade::Done(newer) = product.upgrade(catalogue(NEWER)).expect("valid") else {
        panic!("it is new")
    };
    let upgrade = live.upgrade_to(&mut journal, &newer.policy).expect("valid");
    assert!(matches!(upgrade, Upgrade::Done(_)));
    let new = Engine::new(&newer.policy).permission("new").expect("a permission");
    assert_eq!((live.load().revision(), live.load().permission("new")), (2, Ok(new)));
    // Another process finds it in the log.
    let again = Live::open(&mut journal, Document::default()).expect("it is opened");
    assert_eq!(again.load().policy().version(), live.load().policy().version());
}

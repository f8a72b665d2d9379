//! What hosts test their own policies with: strategies, laws and an explorer.

use std::collections::{BTreeMap, BTreeSet};

use grantree::change::{Actor, Change};
use grantree::filter::Filter;
use grantree::object::{DynamicObject, Object};
use grantree::testing::{Explorer, Strategies, laws};
use grantree::{Document, Engine, Policy, SourceName};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};

use crate::reach::{PRODUCTS, applied, can_some, former_gruntify, product};

fn runner(cases: u32) -> TestRunner {
    let rng_seed = RngSeed::Fixed(1);
    TestRunner::new(Config { cases, rng_seed, failure_persistence: None, ..Config::default() })
}

fn sampled<S: Strategy>(strategy: &S, runner: &mut TestRunner) -> S::Value {
    strategy.new_tree(runner).expect("a value").current()
}

fn kind_of(change: &Change) -> String {
    let value = serde_json::to_value(change).expect("JSON");
    value.as_object().and_then(|it| it.keys().next()).expect("a kind").clone()
}

#[test]
fn changes_are_of_all_kinds_and_mostly_made() {
    let mut runner = TestRunner::deterministic();
    let (mut made, mut all) = (0, BTreeMap::<String, usize>::new());
    for name in PRODUCTS {
        let policy = product(name);
        let changes = Strategies::new(&policy).changes();
        for _ in 0..300 {
            let change = sampled(&changes, &mut runner);
            *all.entry(kind_of(&change)).or_default() += 1;
            made += usize::from(policy.apply(Actor::Host, &change).is_ok());
        }
    }
    let few: Vec<_> = all.iter().filter(|(_, count)| **count < 3).collect();
    assert!(all.len() >= 17 && few.len() < 2, "{all:?}");
    assert!(made > 900, "{made} of 1500: {all:?}");
}

#[test]
fn objects_lie_on_each_side_of_bounds() {
    let policy = product("connect");
    let engine = Engine::new(&policy);
    let orders = Strategies::new(&policy).objects("purchase_order").expect("a kind");
    let mut runner = TestRunner::deterministic();
    let approve = engine.permission("modules.purchasing.purchase_orders.approve").expect("it");
    let answers = |name: &str, runner: &mut TestRunner| {
        let user = engine.user(name).expect("a user");
        let mut yes = 0;
        for _ in 0..100 {
            yes += usize::from(engine.can(user, approve, &sampled(&orders, runner)));
        }
        yes
    };
    let yes = answers("sam", &mut runner);
    assert!((5..95).contains(&yes), "{yes} of 100");
    assert!(Strategies::new(&policy).objects("purchase_ordre").is_err());
}

#[test]
fn laws_hold_on_the_products() {
    for name in PRODUCTS {
        let policy = product(name);
        let (engine, all) = (Engine::new(&policy), Strategies::new(&policy));
        for (kind, _) in policy.catalogue().objects.iter() {
            let object = all.objects(kind).expect("a kind");
            let asked = (all.users(), all.permissions(), all.days(), object);
            let result = runner(60).run(&asked, |(user, action, today, object)| {
                let (user, known) = (engine.user(&user)?, engine.permission(&action)?);
                laws::can_implies_can_some(&engine, user, known, (&object, today))?;
                let selected = |filter: &Filter| {
                    if filter.matches(&object) { vec![1] } else { Vec::new() }
                };
                let rows = [(1, object.clone())];
                laws::filter_selects_what_can_allows(&engine, user, known, today, &rows, selected)?;
                let path = action.split(':').next().unwrap_or_default();
                for source in policy.sources() {
                    laws::deny_never_widens(&engine, &source, path, &action, (&object, today))?;
                }
                Ok(())
            });
            result.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}

#[test]
fn a_law_that_is_broken_says_by_what() {
    let policy = product("connect");
    let engine = Engine::new(&policy);
    let role = SourceName::Role("nobody".into());
    let broken = laws::deny_never_widens(&engine, &role, "modules", "modules", ()).unwrap_err();
    assert_eq!(broken.to_string(), "deny_never_widens: role `nobody` is unknown");
}

/// A host's struct that leaves out what its table has.
#[test]
fn an_object_that_does_not_agree_with_its_rows_is_found() {
    let policy = product("connect");
    let (engine, all) = (Engine::new(&policy), Strategies::new(&policy));
    let asked = all.objects("purchase_order").expect("a kind");
    let approve = engine.permission("modules.purchasing.purchase_orders.approve").expect("it");
    let sam = engine.user("sam").expect("a user");
    let result = runner(200).run(&asked, |row| {
        let forgotten = DynamicObject::new(row.kind());
        let select = |filter: &Filter| if filter.matches(&row) { vec![1] } else { Vec::new() };
        let rows = [(1, forgotten)];
        Ok(laws::filter_selects_what_can_allows(&engine, sam, approve, (), &rows, select)?)
    });
    let Err(TestError::Fail(reason, _)) = result else { panic!("{result:?}") };
    assert!(reason.message().contains("1 is selected, and `can` says no"), "{reason}");
}

#[test]
fn the_explorer_finds_the_raises_of_former_gruntify() {
    let policy = former_gruntify();
    for user in ["oscar", "ursula", "ulf"] {
        let before = held(&policy, user);
        let is_raised = |policy: &Policy| !held(policy, user).is_subset(&before);
        let safe = |engine: &Engine| !is_raised(engine.policy());
        let found = Explorer::new(&policy).run(&[user], 2_000, safe).unwrap_err();
        assert!((1..=3).contains(&found.changes.len()), "{found}");
        assert!(is_raised(&applied(&policy, &found.changes)), "{found}");
        // None can be left out.
        for at in 0..found.changes.len() {
            let mut fewer = found.changes.clone();
            fewer.remove(at);
            let after = fewer.iter().fold(policy.clone(), |policy, it| {
                let applied = policy.apply(Actor::User(&it.actor), &it.change);
                applied.map_or(policy, |applied| applied.policy)
            });
            assert!(!is_raised(&after), "{found}");
        }
    }
}

/// The permissions that a user holds, whatever their levels.
fn held(policy: &Policy, user: &str) -> BTreeSet<String> {
    let engine = Engine::new(policy);
    let Ok(user) = engine.user(user) else { return BTreeSet::new() };
    engine.effective(user).iter().map(|it| it.path().to_owned()).collect()
}

#[test]
fn the_explorer_breaks_no_invariant_that_is_proved() {
    let mut changes = 0;
    for name in PRODUCTS {
        let policy = product(name);
        let document = Document::from(&policy);
        let users: Vec<&str> = document.users.iter().map(|(name, _)| name).collect();
        for (seed, &user) in users.iter().enumerate().take(6) {
            // Nobody raises himself, as `Policy::raises` proves; admins have everything.
            if policy.user(user).expect("it").admin {
                continue;
            }
            let before = held(&policy, user);
            let no_more = |engine: &Engine| held(engine.policy(), user).is_subset(&before);
            let explorer = Explorer::new(&policy).with_seed(seed as u64);
            let explored = explorer.run(&[user], 40, no_more);
            changes += explored.unwrap_or_else(|found| panic!("{name}: {found}")).changes;
        }
    }
    assert!(changes > 300, "{changes} changes");
}

#[test]
fn sequences_shrink_to_few_changes() {
    let policy = former_gruntify();
    let sequences = Strategies::new(&policy).sequences(&["oscar"], 8);
    let result = runner(2_000).run(&sequences, |changes| {
        let after = applied(&policy, &changes);
        proptest::prop_assert!(!can_some(&after, "oscar", "roles.manage"));
        Ok(())
    });
    let Err(TestError::Fail(_, changes)) = result else { panic!("{result:?}") };
    assert!((1..=3).contains(&changes.len()), "{changes:?}");
}

#[test]
fn a_run_is_the_same_for_the_same_seed() {
    let policy: Policy = product("orchestly");
    let run = |seed| {
        let seen = std::cell::RefCell::new(Vec::new());
        let look = |engine: &Engine| {
            seen.borrow_mut().push(engine.policy().digest());
            true
        };
        let document = Document::from(&policy);
        let users: Vec<&str> = document.users.iter().map(|(name, _)| name).collect();
        Explorer::new(&policy).with_seed(seed).run(&users, 10, look).expect("it holds");
        seen.into_inner()
    };
    assert!(run(1) == run(1) && run(1) != run(2));
}

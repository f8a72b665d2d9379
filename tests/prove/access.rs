//! New access, as the oracle sees it.

use fastrand::Rng;
use grantree::policy_test::TestDocument;
use grantree::{Document, Policy};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use support::oracle::Oracle;
use support::random::case;

use crate::reach::paths;

/// A policy without one of its statements, bounds or memberships.
fn without_one(policy: &Value, random: &mut Rng) -> Option<Value> {
    let mut places = Vec::new();
    let mut add = |source: &str| {
        for key in ["allow", "except", "deny", "forbid", "roles", "approval_groups"] {
            let list = policy.pointer(&format!("{source}/{key}")).and_then(Value::as_array);
            let count = list.map_or(0, Vec::len);
            places.extend((0..count).map(|at| (format!("{source}/{key}"), at)));
        }
        for key in ["levels", "bounds", "assignments"] {
            let map = policy.pointer(&format!("{source}/{key}")).and_then(Value::as_object);
            let count = map.map_or(0, serde_json::Map::len);
            places.extend((0..count).map(|at| (format!("{source}/{key}"), at)));
        }
    };
    add("/global");
    for kind in ["profiles", "roles", "approval_groups", "users"] {
        for name in policy[kind].as_object().into_iter().flat_map(|it| it.keys()) {
            let source = format!("/{kind}/{}", escaped(name));
            add(&source);
            let assignments = &policy[kind][name]["assignments"];
            for name in assignments.as_object().into_iter().flat_map(|it| it.keys()) {
                add(&format!("{source}/assignments/{}", escaped(name)));
            }
        }
    }
    let (place, at) = random.choice(places)?;
    let mut less = policy.clone();
    match less.pointer_mut(&place)? {
        Value::Array(list) => drop(list.remove(at)),
        Value::Object(map) => {
            let key = map.keys().nth(at)?.clone();
            map.remove(&key);
        }
        _ => return None,
    }
    Some(less)
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn parsed(policy: &Value) -> Option<Policy> {
    let document: Document = serde_json::from_value(policy.clone()).ok()?;
    Policy::try_from(document).ok()
}

/// The questions of a case, each asked of every user, and every permission without an object.
/// (On *some* object is coarser than what a diff finds.)
fn questions(policy: &Policy, steps: &[Value]) -> Vec<Value> {
    let asked = steps.iter().filter_map(|step| step.as_object()?.values().next());
    let asked: Vec<&Value> = asked.filter(|it| it["action"].is_string()).collect();
    let actions = paths(policy);
    let mut all = Vec::new();
    for user in policy.users() {
        let plain = actions.iter().map(|action| json!({"can": {"user": user, "action": action}}));
        all.extend(plain);
        for question in &asked {
            let mut can = json!({"user": user, "action": question["action"]});
            for key in ["object", "today"] {
                if let Some(value) = question.get(key) {
                    can[key] = value.clone();
                }
            }
            all.push(json!({"can": can}));
        }
    }
    all
}

/// Holds `no_new_access` to the oracle: if it is met, nobody may do anything more; if not, its
/// counterexample is a no before and a yes after.
#[test]
fn no_new_access_agrees_with_the_oracle() {
    let cases = std::env::var("CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(150);
    let (strategy, mut runner) = (case(), TestRunner::deterministic());
    let mut random = Rng::with_seed(3);
    let (mut compared, mut held, mut shown, mut not_shown) = (0, 0, 0, 0);
    for _ in 0..cases {
        let case = strategy.new_tree(&mut runner).expect("a case").current();
        let mut less = case.policy.clone();
        for _ in 0..random.usize(1..6) {
            less = without_one(&less, &mut random).unwrap_or(less);
        }
        let (Some(first), Some(_)) = (parsed(&case.policy), parsed(&less)) else { continue };
        let questions = questions(&first, &case.steps);
        for [before, after] in [[&case.policy, &less], [&less, &case.policy]] {
            let test = json!({"policy": after, "steps": [
                {"no_new_access": {"baseline": before}, "expect": true}]});
            let test: TestDocument = serde_json::from_value(test).expect("a test document");
            let report = test.run(None).expect("a policy");
            let [before_oracle, after_oracle] = [before, after].map(Oracle::new);
            let is_new = |question: &Value| {
                after_oracle.ask(question) == true && before_oracle.ask(question) != true
            };
            match report.failures.first() {
                None => {
                    held += 1;
                    for question in &questions {
                        assert!(!is_new(question), "{question}\n{before}\n{after}");
                        compared += 1;
                    }
                }
                Some(failure) => match &failure.counterexample {
                    Some(question) => {
                        let question = serde_json::to_value(question).expect("JSON");
                        assert!(is_new(&question), "{question}\n{before}\n{after}");
                        shown += 1;
                    }
                    None => not_shown += 1,
                },
            }
        }
    }
    println!("{held} held, of {compared} answers; {shown} shown otherwise, {not_shown} not");
    assert!(held > cases / 2 && shown > cases / 8, "{held} held, {shown} shown");
    assert!(not_shown * 20 < shown, "{not_shown} without a counterexample, {shown} with one");
}

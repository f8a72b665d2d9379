//! On random tables of real servers, a filter's condition selects exactly the rows on which
//! `can` says yes; and, negated, exactly the others. A column that the mapping doesn't expect
//! lets nothing more pass.

#[path = "agree/table.rs"]
mod table;

use fastrand::Rng;
use grantree::{Document, Engine, Moment, Permission, Policy, User};
use grantree_databases::Server;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use table::{Row, Table};

/// The number of conditions that are compared, unless `CASES` names another.
const CASES: usize = 3_000;

#[test]
fn rows_selected_are_those_allowed() {
    let cases = std::env::var("CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(CASES);
    let seed = std::env::var("SEED").ok().and_then(|it| it.parse().ok());
    for mut server in Server::all() {
        agree(&mut server, cases, seed);
    }
}

#[derive(Default)]
struct Counts {
    policies: usize,
    compared: usize,
    rows: usize,
    selected: usize,
    refused: usize,
}

fn agree(server: &mut Server, cases: usize, only: Option<u64>) {
    let mut counts = Counts::default();
    let mut seeds = Rng::new();
    server.use_schema("grantree \"agree\" `1`");
    table::prepare(server);
    while counts.compared < cases {
        let seed = only.unwrap_or_else(|| seeds.u64(..));
        one(server, seed, &mut counts);
        if only.is_some() {
            break;
        }
    }
    println!(
        "{:?}: {} conditions of {} policies, {} rows, {} of them selected; {} refused",
        server.database(),
        counts.compared,
        counts.policies,
        counts.rows,
        counts.selected,
        counts.refused
    );
    if only.is_none() {
        assert!(counts.selected * 20 > counts.rows, "too few rows are selected");
        assert!(counts.refused * 3 < counts.compared, "too many queries are refused");
    }
}

fn one(server: &mut Server, seed: u64, counts: &mut Counts) {
    let mut rng = Rng::with_seed(seed);
    let bytes: [u8; 32] = std::array::from_fn(|_| rng.u8(..));
    let config = Config { failure_persistence: None, ..Config::default() };
    let drawn = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, drawn);
    let case = support::random::case().new_tree(&mut runner).expect("a case").current();
    let text = renamed(&mut rng, &case.policy);
    let Ok(document) = serde_json::from_str::<Document>(&text) else { return };
    let Ok(policy) = Policy::try_from(document.clone()) else { return };
    let engine = Engine::new(&policy);
    counts.policies += 1;
    let names = names(&document);
    let today: Moment = "2026-11-20T12:00".parse().expect("a time");
    for (number, (kind, declared)) in document.catalogue.objects.iter().enumerate() {
        let table = Table::new(server, &mut rng, &names, kind, declared, number);
        for (user, action) in asked(&engine, &document, &case.steps) {
            {
                let filter = engine.filter(user, action, today);
                if filter.kind() != Some(kind) {
                    continue;
                }
                let Ok((condition, values)) = filter.where_clause(&table.mapping, 1) else {
                    panic!("seed {seed}: {filter} is not mapped");
                };
                let can = |row: &Row| engine.can(user, action, (row, today));
                let rows = (0..).zip(&table.rows).filter(|(_, row)| can(row));
                let allowed: Vec<i64> = rows.map(|(at, _)| at).collect();
                let mut selected = |such: &str| {
                    let query = format!("{} WHERE {such}", table.select);
                    let mut rows = server.integers(&query, &values)?;
                    rows.sort_unstable();
                    Ok::<_, String>(rows)
                };
                let told = || {
                    let rows = &table.rows;
                    format!("seed {seed}: {filter}\n{condition}\n{values:?}\n{rows:#?}\n{table:?}")
                };
                counts.compared += 1;
                let found = match selected(&condition) {
                    Ok(found) => found,
                    Err(_) if table.may_be_refused => {
                        counts.refused += 1;
                        continue;
                    }
                    Err(error) => panic!("{error}\n{}", told()),
                };
                counts.rows += table.rows.len();
                counts.selected += found.len();
                let expected = table.is_as_expected || !found.iter().all(|at| allowed.contains(at));
                if expected {
                    assert_eq!(found, allowed, "{}", told());
                }
                let not = selected(&format!("NOT {condition}")).expect("it is not refused");
                let rest = (0..).take(table.rows.len()).filter(|at| !found.contains(at));
                assert_eq!(not, rest.collect::<Vec<i64>>(), "not: {}", told());
                let never = selected(&format!("{condition} IS NULL")).expect("it is not refused");
                assert_eq!(never, [0_i64; 0], "null: {}", told());
            }
        }
    }
}

/// All users, with all permissions that the case asks about.
fn asked(engine: &Engine, document: &Document, steps: &[Value]) -> Vec<(User, Permission)> {
    let mut actions: Vec<&str> = steps
        .iter()
        .flat_map(|step| step.as_object().into_iter().flat_map(|it| it.values()))
        .filter_map(|question| question["action"].as_str())
        .collect();
    actions.sort_unstable();
    actions.dedup();
    let users = document.users.iter().filter_map(|(name, _)| engine.user(name).ok());
    let actions: Vec<Permission> =
        actions.into_iter().filter_map(|action| engine.permission(action).ok()).collect();
    users.flat_map(|user| actions.iter().map(move |&action| (user, action))).collect()
}

/// The names of users and groups, and others that are much like them.
fn names(document: &Document) -> Vec<String> {
    let mut names: Vec<String> = document.users.iter().map(|(name, _)| name.to_owned()).collect();
    names.extend(document.groups.iter().map(|(name, _)| name.to_owned()));
    names.extend(document.users.iter().flat_map(|(_, user)| user.groups.iter().cloned()));
    let assignments = document.users.iter().flat_map(|(_, user)| user.assignments.iter());
    let on = assignments.flat_map(|(_, it)| it.on.iter().flat_map(|on| on.iter()));
    for (_, bound) in on.flat_map(|(_, conditions)| conditions.iter()) {
        if let grantree::document::Bound::OneOf(any_of) = bound {
            names.extend(any_of.iter().cloned());
        }
    }
    names.push("stranger".to_owned());
    names.sort_unstable();
    names.dedup();
    names
}

/// The policy, with a hostile name for one of its users or groups, mostly.
fn renamed(rng: &mut Rng, policy: &Value) -> String {
    const HOSTILE: [&str; 14] = [
        "o'brien",
        "\\",
        "\\'",
        "'; DROP TABLE x; --",
        "? $1 :name %s",
        "日本語",
        "e\u{301}",
        "é",
        "🦀",
        "ß",
        "x ",
        "{a,\"b\"}",
        "{row}",
        "\"`",
    ];
    let mut text = policy.to_string();
    for from in ["users", "groups"] {
        let names = policy[from].as_object().into_iter().flat_map(|it| it.keys());
        let names: Vec<&String> = names.collect();
        if names.is_empty() || rng.bool() {
            continue;
        }
        let name = Value::from(names[rng.usize(..names.len())].as_str()).to_string();
        let hostile = Value::from(HOSTILE[rng.usize(..HOSTILE.len())]).to_string();
        text = text.replace(&name, &hostile);
    }
    text
}

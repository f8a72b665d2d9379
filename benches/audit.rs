//! The cost of asking about all users at once.
//!
//! Who may do something, without an object and on one; and what a change does to
//! whom. The change is an edit of a role that a tenth of the users have: one takes
//! a permission from them, another changes the bound on the jobs that they may act on.
//! `diff` compares two existing engines; `what if` also makes the change and the
//! engine that follows it.

#[path = "../tests/support/workload.rs"]
mod workload;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use grantree::change::{Actor, Change};
use grantree::object::DynamicObject;
use grantree::{Document, Engine, Policy};
use serde_json::json;

fn edit(ops: &str) -> Change {
    let role = workload::COMMON;
    let text = format!(r#"{{"edit": {{"source": {{"role": "{role}"}}, "ops": [{ops}]}}}}"#);
    serde_json::from_str(&text).expect("a change")
}

/// An engine for this many users in 2,000 combinations.
fn engine(users: usize) -> Engine {
    let document = workload::enterprise(1_000, users);
    Engine::new(&Policy::try_from(document).expect("a valid policy"))
}

fn lists(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("audit");
    group.sample_size(20).measurement_time(Duration::from_secs(4));
    for users in [10_000, 100_000, 1_000_000] {
        let engine = engine(users);
        let plain = engine.permission("area3.k7").expect("a permission");
        let edit = engine.permission("jobs.edit").expect("a permission");
        let job = DynamicObject::new("job")
            .with_relation("assignee", ["17"])
            .with_relation("team", ["3"])
            .with_attribute("region", "region1");
        println!(
            "{} of {users} users may, {} on a job",
            engine.who_can(plain, ()).len(),
            engine.who_can(edit, &job).len()
        );
        group.bench_function(BenchmarkId::new("who can", users), |bencher| {
            bencher.iter(|| engine.who_can(plain, ()));
        });
        group.bench_function(BenchmarkId::new("who can, on a job", users), |bencher| {
            bencher.iter(|| engine.who_can(edit, &job));
        });
        group.bench_function(BenchmarkId::new("who can, by source", users), |bencher| {
            bencher.iter(|| engine.who_can_by_source(plain, ()));
        });
        let policy = engine.policy();
        group.bench_function(BenchmarkId::new("matrix", users), |bencher| {
            bencher.iter(|| policy.matrix(policy.sources()));
        });
        group.sample_size(10);
        group.bench_function(BenchmarkId::new("lint", users), |bencher| {
            bencher.iter(|| policy.lint());
        });
        group.sample_size(20);
    }
    group.finish();
}

fn diffs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("audit");
    group.sample_size(20).measurement_time(Duration::from_secs(4));
    let edits = [
        ("deny", edit(r#"{"deny": "area3.k7"}"#)),
        (
            "bound",
            edit(r#"{"bound": {"attribute": "job.region", "bound": ["region0", "region9"]}}"#),
        ),
    ];
    for users in [10_000, 100_000, 1_000_000] {
        let engine = engine(users);
        for (name, change) in &edits {
            let applied = engine.policy().apply(Actor::Host, change).expect("it is applied");
            let next = engine.updated(&applied.policy);
            let diff = engine.diff(&next);
            let count: usize = diff.groups.iter().map(|group| group.users.len()).sum();
            println!("{name}: {count} of {users} users in {} groups", diff.groups.len());
            group.bench_function(BenchmarkId::new(format!("{name}: diff"), users), |bencher| {
                bencher.iter(|| engine.diff(&next));
            });
            group.bench_function(BenchmarkId::new(format!("{name}: what if"), users), |bencher| {
                bencher.iter(|| engine.what_if(Actor::Host, change));
            });
        }
        let same = engine.clone();
        group.bench_function(BenchmarkId::new("nothing: diff", users), |bencher| {
            bencher.iter(|| engine.diff(&same));
        });
    }
    group.finish();
}

/// A policy of 1,000 users, who may give each other 200 roles and some of whom may edit these.
fn governed(no_escalation: bool) -> Policy {
    let areas = (0..20).map(|area| {
        let keys: Vec<_> = (0..8).map(|key| json!({"key": format!("k{key}")})).collect();
        json!({"key": format!("area{area}"), "heading": true, "children": keys})
    });
    let roles = (0..200).map(|at| {
        let allow = [(at % 20, at % 7), (at * 3 % 20, at % 5)];
        let allow = allow.map(|(area, key)| format!("area{area}.k{key}"));
        let guard = (at % 10 == 0).then_some(["role1"]);
        let mut role = json!({"allow": allow});
        if let Some(guard) = guard {
            role["assignable_by"] = json!(guard);
        }
        (format!("role{at}"), role)
    });
    let users = (0..1_000).map(|at| {
        let roles = [format!("role{}", at % 200), format!("role{}", (at * 7 + 3) % 200)];
        (format!("u{at}"), json!({"roles": roles}))
    });
    let document = json!({
        "format": 1,
        "catalogue": {"permissions": areas.collect::<Vec<_>>()},
        "roles": roles.collect::<serde_json::Map<_, _>>(),
        "users": users.collect::<serde_json::Map<_, _>>(),
        "governance": {"no_escalation": no_escalation, "permissions": {
            "assign_role": ["area0.k0"], "edit_role": ["area1.k1"],
            "create_role": ["area2.k2"], "set_suspended": ["area3.k3"]}}});
    let document: Document = serde_json::from_value(document).expect("a document");
    Policy::try_from(document).expect("a valid policy")
}

fn reaches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reach");
    group.sample_size(10).measurement_time(Duration::from_secs(4));
    for no_escalation in [true, false] {
        let policy = governed(no_escalation);
        let name = if no_escalation { "no escalation" } else { "free" };
        group.bench_function(BenchmarkId::new("a user and an actor", name), |bencher| {
            let mut at = 0;
            bencher.iter(|| {
                at = (at + 1) % 999;
                let [user, actor] = [at, at + 1].map(|at| format!("u{at}"));
                policy.reach(&[&actor], &user, "area7.k7")
            });
        });
        group.bench_function(BenchmarkId::new("everybody", name), |bencher| {
            bencher.iter(|| policy.raises());
        });
    }
    group.finish();
}

criterion_group!(benches, lists, diffs, reaches);
criterion_main!(benches);

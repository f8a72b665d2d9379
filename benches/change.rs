//! The cost of changing a policy, and of an engine that follows.
//!
//! For comparison, what a change would cost if versions shared nothing: compiling the
//! policy anew. The memory that a version takes in addition to the one before is
//! printed first.

#[path = "../tests/support/workload.rs"]
mod workload;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use grantree::change::{Actor, Change};
use grantree::{Engine, Policy};

fn change(json: &str) -> Change {
    serde_json::from_str(json).expect("a change")
}

fn changes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("change");
    group.sample_size(20).measurement_time(Duration::from_secs(4));
    let edit = format!(
        r#"{{"edit": {{"source": {{"role": "{}"}}, "ops": [{{"deny": "area3.k7"}}]}}}}"#,
        workload::COMMON
    );
    let kinds = [
        ("edit a role of a tenth", change(&edit)),
        ("assign a role", change(r#"{"assign": {"user": "4711", "source": {"role": "r7"}}}"#)),
        ("add a user", change(r#"{"add_user": {"user": "carol", "profile": "p1"}}"#)),
        ("remove a user", change(r#"{"remove_user": {"user": "4712"}}"#)),
    ];
    for users in [10_000, 100_000, 1_000_000] {
        let document = workload::enterprise(1_000, users);
        let policy = Policy::try_from(document).expect("a valid policy");
        let engine = Engine::new(&policy);
        for (name, change) in &kinds {
            let make = || policy.apply(Actor::Host, change).expect("it is applied");
            let applied = make();
            let mut next = None;
            let policies = allocation_counter::measure(|| drop(make()));
            let engines =
                allocation_counter::measure(|| next = Some(engine.updated(&applied.policy)));
            println!(
                "{name}, {users} users: the engine takes {} bytes more, {} at its peak; \
                 the policy {} at its peak",
                engines.bytes_current, engines.bytes_max, policies.bytes_max
            );
            group.bench_function(BenchmarkId::new(format!("{name}: apply"), users), |bencher| {
                bencher.iter(make);
            });
            group.bench_function(BenchmarkId::new(format!("{name}: follow"), users), |bencher| {
                bencher.iter(|| engine.updated(&applied.policy));
            });
        }
        group.bench_function(BenchmarkId::new("compile anew", users), |bencher| {
            bencher.iter(|| Engine::new(&policy));
        });
    }
    group.finish();
}

/// The cost of the guards: changes by somebody who may do everything but is no admin, beside
/// the same ones by the host.
fn guarded(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("guarded");
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    let edit = format!(
        r#"{{"edit": {{"source": {{"role": "{}"}}, "ops": [{{"deny": "area3.k7"}}]}}}}"#,
        workload::COMMON
    );
    let kinds = [
        ("assign a role", change(r#"{"assign": {"user": "4711", "source": {"role": "r7"}}}"#)),
        ("edit a role of a tenth", change(&edit)),
        ("move a group", change(r#"{"set_group": {"group": "7", "parent": "8"}}"#)),
        ("move a user", change(r#"{"set_groups": {"user": "4711", "groups": ["8"]}}"#)),
        ("suspend", change(r#"{"set_suspended": {"user": "4711", "suspended": true}}"#)),
    ];
    for users in [10_000, 100_000, 1_000_000] {
        let policy =
            Policy::try_from(workload::administered(1_000, users)).expect("a valid policy");
        for (name, change) in &kinds {
            for (actor, by) in [("host", Actor::Host), ("head", Actor::User("head"))] {
                group.bench_function(
                    BenchmarkId::new(format!("{name}: {actor}"), users),
                    |bencher| {
                        bencher.iter(|| policy.apply(by, change).expect("it is applied"));
                    },
                );
            }
        }
    }
    group.finish();
}

criterion_group!(benches, changes, guarded);
criterion_main!(benches);

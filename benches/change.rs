//! What it costs to change a policy, and to have an engine that follows.
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

criterion_group!(benches, changes);
criterion_main!(benches);

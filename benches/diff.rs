//! What it costs to say what a change does to whom.
//!
//! The change is an edit of a role that a tenth of the users have: one that
//! takes a permission from them, and one that bounds the jobs that they may act
//! on otherwise. `diff` compares two engines that are there, `what if` makes the
//! change and the engine that follows it besides.

#[path = "../tests/support/workload.rs"]
mod workload;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use grantree::change::{By, Change};
use grantree::{Engine, Policy};

fn edit(ops: &str) -> Change {
    let role = workload::COMMON;
    let text = format!(r#"{{"edit": {{"source": {{"role": "{role}"}}, "ops": [{ops}]}}}}"#);
    serde_json::from_str(&text).expect("a change")
}

fn diffs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("diff");
    group.sample_size(20).measurement_time(Duration::from_secs(4));
    let edits = [
        ("deny", edit(r#"{"deny": "area3.k7"}"#)),
        (
            "bound",
            edit(r#"{"bound": {"attribute": "job.region", "bound": ["region0", "region9"]}}"#),
        ),
    ];
    for users in [10_000, 100_000, 1_000_000] {
        let document = workload::enterprise(1_000, users);
        let engine = Engine::new(&Policy::try_from(document).expect("a valid policy"));
        for (name, change) in &edits {
            let applied = engine.policy().apply(By::Host, change).expect("it is applied");
            let next = engine.follow(&applied.policy);
            let diff = engine.diff(&next);
            let count: usize = diff.groups.iter().map(|group| group.users.len()).sum();
            println!("{name}: {count} of {users} users in {} groups", diff.groups.len());
            group.bench_function(BenchmarkId::new(format!("{name}: diff"), users), |bencher| {
                bencher.iter(|| engine.diff(&next));
            });
            group.bench_function(BenchmarkId::new(format!("{name}: what if"), users), |bencher| {
                bencher.iter(|| engine.what_if(By::Host, change));
            });
        }
        let same = engine.clone();
        group.bench_function(BenchmarkId::new("nothing: diff", users), |bencher| {
            bencher.iter(|| engine.diff(&same));
        });
    }
    group.finish();
}

criterion_group!(benches, diffs);
criterion_main!(benches);

//! What it costs to compile a policy, and to validate a document.

#[path = "../tests/support/workload.rs"]
mod workload;

use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use grantree::{Document, Engine, Policy};

fn compile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compile");
    group.sample_size(10).measurement_time(Duration::from_secs(8));
    for users in [1_000, 100_000, 1_000_000] {
        let document = workload::company(1_000, users);
        let text = serde_json::to_string(&document).expect("a document is JSON");
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new("read", users), |bencher| {
            bencher.iter(|| serde_json::from_str::<Document>(&text));
        });
        group.throughput(Throughput::Elements(users as u64));
        group.bench_function(BenchmarkId::new("validate", users), |bencher| {
            bencher.iter_batched(|| document.clone(), Policy::try_from, BatchSize::PerIteration);
        });
        let policy = Policy::try_from(document).expect("a valid policy");
        group.bench_function(BenchmarkId::new("engine", users), |bencher| {
            bencher.iter(|| Engine::new(&policy));
        });
    }
    group.finish();
}

criterion_group!(benches, compile);
criterion_main!(benches);

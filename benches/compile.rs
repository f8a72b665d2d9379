//! The cost of compiling a policy, and of reading and validating a document, compactly too.

#[path = "../tests/support/workload.rs"]
mod workload;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use grantree::document::CompactDocument;
use grantree::{Document, Engine, Policy};

fn compile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compile");
    group.sample_size(10).measurement_time(Duration::from_secs(8));
    // Users in 2,000 combinations of sources, and users who are nearly all different.
    for users in [1_000, 100_000, 1_000_000] {
        let alike = workload::enterprise(1_000, users);
        let different = workload::company(1_000, users);
        for (name, document) in [("alike", alike), ("different", different)] {
            let text = serde_json::to_string(&document).expect("a document is JSON");
            let id = |what: &str| BenchmarkId::new(format!("{what}, users {name}"), users);
            group.throughput(Throughput::Bytes(text.len() as u64));
            group.bench_function(id("read"), |bencher| {
                bencher.iter(|| serde_json::from_str::<Document>(&text));
            });
            group.bench_function(id("read and validate"), |bencher| {
                bencher.iter(|| serde_json::from_str::<Document>(&text).map(Policy::try_from));
            });
            group.bench_function(id("read compactly and validate"), |bencher| {
                bencher
                    .iter(|| serde_json::from_str::<CompactDocument>(&text).map(Policy::try_from));
            });
            group.throughput(Throughput::Elements(users as u64));
            let policy = Policy::try_from(document).expect("a valid policy");
            group.bench_function(id("engine"), |bencher| {
                bencher.iter(|| Engine::new(&policy));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, compile);
criterion_main!(benches);

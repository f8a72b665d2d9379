//! The cost of a tenant: a small policy that shares its catalogue with all others. The memory
//! that one takes is printed first.

#[path = "../tests/support/tenants.rs"]
mod installation;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fastrand::Rng;
use grantree::{Document, Engine, Permission, Policy, User};
use installation::{name, product, tenant};

const QUESTIONS: usize = 4096;

fn engine(product: &Policy, document: Document) -> Engine {
    let policy = Policy::builder().catalogue_of(product).build(document);
    Engine::new(&policy.expect("a valid policy"))
}

/// The same with a catalogue of its own.
fn alone(product: &Document, mut document: Document) -> Engine {
    document.catalogue = product.catalogue.clone();
    Engine::new(&Policy::try_from(document).expect("a valid policy"))
}

fn tenants(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tenants");
    group.sample_size(20).measurement_time(Duration::from_secs(4));
    let product = product();
    let actions: Vec<Permission> = Engine::new(&product)
        .permissions(["jobs.view", "orders.create", "reports.sales", "chat"])
        .expect("known names")
        .into();
    group.bench_function("build one", |bencher| {
        bencher.iter_batched(|| tenant(7), |it| engine(&product, it), BatchSize::SmallInput);
    });
    let document = Document::from(&product);
    group.bench_function("build one with its own catalogue", |bencher| {
        bencher.iter_batched(|| tenant(7), |it| alone(&document, it), BatchSize::SmallInput);
    });
    for count in [1_000, 10_000] {
        let mut engines = Vec::with_capacity(count);
        let held = allocation_counter::measure(|| {
            engines.extend((0..count).map(|number| engine(&product, tenant(number))));
        });
        println!("{count} tenants: {} bytes each", held.bytes_current / count as i64);
        let mut rng = Rng::with_seed(11);
        let questions: Vec<(usize, User, Permission)> = (0..QUESTIONS)
            .filter_map(|_| {
                let number = rng.usize(..count);
                let user = engines[number].user(name(number, rng.usize(..50))).ok()?;
                Some((number, user, *rng.choice(&actions)?))
            })
            .collect();
        group.throughput(Throughput::Elements(questions.len() as u64));
        group.bench_function(BenchmarkId::new("can, of random tenants", count), |bencher| {
            bencher.iter(|| {
                let may = |&&(at, user, action): &&(usize, User, Permission)| {
                    engines[at].can(user, action, ())
                };
                black_box(&questions).iter().filter(may).count()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, tenants);
criterion_main!(benches);

//! What it costs to make a filter, and to match a page of objects with it,
//! beside asking for each.

#[path = "../tests/support/workload.rs"]
mod workload;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fastrand::Rng;
use grantree::{DynamicObject, Engine, Permission, Policy, User};

const USERS: usize = 1_000_000;
const QUESTIONS: usize = 64;
const JOBS: usize = 500;

fn filter(criterion: &mut Criterion) {
    let document = workload::company(1_000, USERS);
    let engine = Engine::new(&Policy::try_from(document).expect("a valid policy"));
    let mut rng = Rng::with_seed(7);
    let names: Vec<String> = (0..QUESTIONS).map(|_| rng.usize(..USERS).to_string()).collect();
    let questions: Vec<(User, Permission)> = names
        .iter()
        .map(|name| {
            let action = rng.choice(workload::ACTIONS).expect("there are some");
            let action = engine.permission(&format!("jobs.{action}")).expect("a known permission");
            (engine.user(name).expect("a known user"), action)
        })
        .collect();
    let jobs: Vec<DynamicObject> = (0..JOBS)
        .map(|_| {
            let team = rng.choice(["1", "2", "3"]).expect("there are some");
            let region = rng.choice(["region1", "region2", "region3"]).expect("there are some");
            let assignee = rng.choice(&names).filter(|_| rng.u8(..4) > 0);
            DynamicObject::new("job")
                .with_relation("assignee", assignee.cloned())
                .with_relation("team", [team])
                .with_attribute("region", region)
        })
        .collect();
    let filters: Vec<_> =
        questions.iter().map(|&(user, action)| engine.filter(user, action, None)).collect();

    let mut group = criterion.benchmark_group("filter");
    let mut at = 0;
    let mut next = || {
        at = (at + 1) % QUESTIONS;
        at
    };
    group.bench_function("make", |bencher| {
        bencher.iter(|| {
            let (user, action) = questions[next()];
            engine.filter(black_box(user), action, None)
        });
    });
    group.throughput(Throughput::Elements(JOBS as u64));
    group.bench_function("match 500 jobs", |bencher| {
        bencher.iter(|| {
            let filter = &filters[next()];
            black_box(&jobs).iter().filter(|job| filter.matches(*job)).count()
        });
    });
    group.bench_function("ask for each of 500 jobs", |bencher| {
        bencher.iter(|| {
            let (user, action) = questions[next()];
            black_box(&jobs).iter().filter(|job| engine.can(user, action, *job)).count()
        });
    });
    group.finish();
}

criterion_group!(benches, filter);
criterion_main!(benches);

//! The cost of finding the objects of a page, or the buttons of a screen, that
//! a user may touch: by asking one by one, all at once, and by a filter.

#[path = "../tests/support/workload.rs"]
mod workload;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fastrand::Rng;
use grantree::filter::Columns;
use grantree::object::DynamicObject;
use grantree::{Engine, Permission, Policy, User};
use workload::Job;

const USERS: usize = 1_000_000;
const QUESTIONS: usize = 64;
const JOBS: usize = 500;
const REGIONS: [&str; 3] = ["region1", "region2", "region3"];

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
    let jobs: Vec<Job> = (0..JOBS)
        .map(|_| Job {
            assignee: rng.choice(&names).filter(|_| rng.u8(..4) > 0).and_then(|it| it.parse().ok()),
            team: rng.u32(1..4),
            region: rng.choice(REGIONS).expect("there are some"),
        })
        .collect();
    // The same as data, and as columns.
    let dynamic: Vec<DynamicObject> = jobs
        .iter()
        .map(|job| {
            DynamicObject::new("job")
                .with_relation("assignee", job.assignee.map(|it| it.to_string()))
                .with_relation("team", [job.team.to_string()])
                .with_attribute("region", job.region)
        })
        .collect();
    let assignees: Vec<Option<u32>> = jobs.iter().map(|job| job.assignee).collect();
    let teams: Vec<u32> = jobs.iter().map(|job| job.team).collect();
    let regions: Vec<&str> = jobs.iter().map(|job| job.region).collect();
    let code = |region: &&str| REGIONS.iter().position(|it| it == region).unwrap_or(0) as u32;
    let codes: Vec<u32> = regions.iter().map(code).collect();
    let related =
        || Columns::new("job", JOBS).relation("assignee", &assignees).relation("team", &teams);
    let by_text = related().attribute("region", &regions);
    let by_code = related().coded_attribute("region", &codes, &REGIONS);
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
    group.bench_function("match 500 jobs as data", |bencher| {
        bencher.iter(|| {
            let filter = &filters[next()];
            black_box(&dynamic).iter().filter(|job| filter.matches(*job)).count()
        });
    });
    group.bench_function("ask for each of 500 jobs", |bencher| {
        bencher.iter(|| {
            let (user, action) = questions[next()];
            black_box(&jobs).iter().filter(|job| engine.can(user, action, *job)).count()
        });
    });
    group.bench_function("ask for 500 jobs", |bencher| {
        bencher.iter(|| {
            let (user, action) = questions[next()];
            engine.can_objects(user, action, black_box(&jobs), ())
        });
    });
    group.bench_function("select 500 jobs by columns", |bencher| {
        bencher.iter(|| filters[next()].select(black_box(&by_text)));
    });
    group.bench_function("select 500 jobs by columns, regions by code", |bencher| {
        bencher.iter(|| filters[next()].select(black_box(&by_code)));
    });

    let buttons: Vec<Permission> = (0..300)
        .map(|at| match at % 3 {
            0 => format!("jobs.{}", workload::ACTIONS[at / 3 % workload::ACTIONS.len()]),
            _ => format!("area{}.k{}", at % workload::AREAS, at % 80),
        })
        .map(|path| engine.permission(&path).expect("a known permission"))
        .collect();
    group.throughput(Throughput::Elements(buttons.len() as u64));
    group.bench_function("ask for each of 300 buttons", |bencher| {
        bencher.iter(|| {
            let ((user, _), job) = (questions[next()], &jobs[next()]);
            let can = |&&action: &&Permission| engine.can(user, action, job);
            black_box(&buttons).iter().filter(can).count()
        });
    });
    group.bench_function("ask for 300 buttons", |bencher| {
        bencher.iter(|| {
            let ((user, _), job) = (questions[next()], &jobs[next()]);
            engine.can_actions(user, black_box(&buttons), job)
        });
    });
    group.finish();
}

criterion_group!(benches, filter);
criterion_main!(benches);

//! The cost of a decision, compared with the least that it could cost.
//!
//! The floor is written by hand over the same answers: the user's class from
//! an array, a word from a table, a bit. Each figure is for 4,096 questions, or
//! for 1,048,576 if it says "many", so that users are as far apart as they can be.

#[path = "../tests/support/floor.rs"]
mod floor;
#[path = "../tests/support/workload.rs"]
mod workload;

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hint::black_box;

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use fastrand::Rng;
use floor::{Floor, by_floor, by_handles};
use grantree::{Date, Engine, Permission, Policy, User};
use workload::Job;

const QUESTIONS: usize = 4096;
const MANY: usize = 1 << 20;
const PERMISSIONS: usize = 1_000;

/// The floor, after a look-up of the user and one of the permission.
fn behind_maps<S: BuildHasher + Default>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    hash: &str,
    (users, permissions): (&[String], &[String]),
    questions: &[(&str, &str)],
    floor: &Floor,
) {
    fn map<S: BuildHasher + Default>(names: &[String]) -> HashMap<&str, u32, S> {
        names.iter().zip(0..).map(|(name, number)| (&**name, number)).collect()
    }
    let name = format!("floor behind two maps, {hash}");
    let count = users.len();
    let (users, permissions) = (map::<S>(users), map::<S>(permissions));
    group.bench_function(BenchmarkId::new(name, count), |bencher| {
        bencher.iter(|| {
            let can = |user, permission| floor.can(users[user], permissions[permission]);
            black_box(questions).iter().filter(|&&(user, permission)| can(user, permission)).count()
        });
    });
}

fn decide(criterion: &mut Criterion) {
    for users in [1_000, 10_000, 100_000, 1_000_000] {
        at_scale(criterion, users);
    }
}

/// Decisions about users with assignments, each of a role in one team for a year.
fn assigned(criterion: &mut Criterion) {
    const USERS: usize = 10_000;
    let mut group = criterion.benchmark_group("assigned");
    group.throughput(Throughput::Elements(QUESTIONS as u64));
    for assignments in [0, 1, 10] {
        let mut document = workload::enterprise(PERMISSIONS, USERS);
        workload::assign(&mut document, assignments);
        let engine = Engine::new(&Policy::try_from(document).expect("a valid policy"));
        let stats = engine.stats();
        let bytes = stats.row_bytes + stats.user_bytes + stats.fact_bytes;
        println!("{assignments} assignments each: {} bytes for each user", bytes / USERS);
        let today: Date = "2026-11-21".parse().expect("a date");
        let mut rng = Rng::with_seed(5);
        let jobs: Vec<(User, Permission, Job)> = (0..QUESTIONS)
            .map(|_| {
                let user = rng.usize(..USERS).to_string();
                let action = rng.choice(workload::ACTIONS).expect("there are some");
                let action = engine.permission(&format!("jobs.{action}"));
                let (assignee, team) = (Some(rng.u32(..USERS as u32)), rng.u32(..50));
                let region = rng.choice(["region1", "region2", "region3"]);
                let job = Job { assignee, team, region: region.expect("there are some") };
                (engine.user(&user).expect("a user"), action.expect("a permission"), job)
            })
            .collect();
        group.bench_function(BenchmarkId::new("on a job", assignments), |bencher| {
            bencher.iter(|| {
                let questions = black_box(&jobs).iter();
                questions
                    .filter(|(user, action, job)| engine.can(*user, *action, (job, today)))
                    .count()
            });
        });
    }
    group.finish();
}

fn at_scale(criterion: &mut Criterion, count: usize) {
    let document = workload::enterprise(PERMISSIONS, count);
    let classes = workload::classes(&document);
    let engine = Engine::new(&Policy::try_from(document).expect("a valid policy"));
    let names: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    let users: Vec<User> =
        names.iter().map(|name| engine.user(name).expect("a known user")).collect();
    let paths = workload::paths(PERMISSIONS);
    let permissions: Vec<Permission> =
        paths.iter().map(|path| engine.permission(path).expect("a known permission")).collect();
    let floor = Floor::new(&engine, &permissions, classes);

    let mut rng = Rng::with_seed(11);
    let mut draw = |count: usize, user: &dyn Fn(&mut Rng) -> u32| -> Vec<(u32, u32)> {
        (0..count).map(|_| (user(&mut rng), rng.u32(..permissions.len() as u32))).collect()
    };
    let any = |rng: &mut Rng| rng.u32(..count as u32);
    let questions = draw(QUESTIONS, &any);
    let sets = [
        ("", questions.clone()),
        (", one user", draw(QUESTIONS, &|_| 17)),
        (", many", draw(MANY, &any)),
    ];
    let handle =
        |&(user, permission): &(u32, u32)| (users[user as usize], permissions[permission as usize]);

    let mut group = criterion.benchmark_group("can");
    for (name, questions) in &sets {
        let handles: Vec<(User, Permission)> = questions.iter().map(handle).collect();
        assert_eq!(by_floor(&floor, questions), by_handles(&engine, &handles));
        group.throughput(Throughput::Elements(questions.len() as u64));
        group.bench_function(BenchmarkId::new(format!("floor{name}"), count), |bencher| {
            bencher.iter(|| by_floor(black_box(&floor), black_box(questions)));
        });
        group.bench_function(BenchmarkId::new(format!("handles{name}"), count), |bencher| {
            bencher.iter(|| by_handles(black_box(&engine), black_box(&handles)));
        });
    }
    group.throughput(Throughput::Elements(QUESTIONS as u64));
    let [_, (_, of_one), _] = &sets;
    let (user, _) = handle(&of_one[0]);
    let asked: Vec<Permission> = of_one.iter().map(|question| handle(question).1).collect();
    group.bench_function(BenchmarkId::new("asker, one user", count), |bencher| {
        bencher.iter(|| {
            let asker = engine.asker(user);
            black_box(&asked).iter().filter(|&&permission| asker.can(permission, ())).count()
        });
    });

    let by_name: Vec<(&str, &str)> = questions
        .iter()
        .map(|&(user, permission)| (&*names[user as usize], &*paths[permission as usize]))
        .collect();
    behind_maps::<std::hash::RandomState>(&mut group, "std", (&names, &paths), &by_name, &floor);
    behind_maps::<foldhash::fast::RandomState>(
        &mut group,
        "foldhash",
        (&names, &paths),
        &by_name,
        &floor,
    );
    group.bench_function(BenchmarkId::new("names", count), |bencher| {
        bencher.iter(|| {
            let questions = black_box(&by_name).iter();
            let can = |user, permission| engine.check(user, permission, ()) == Ok(true);
            questions.filter(|&&(user, permission)| can(user, permission)).count()
        });
    });

    let actions: Vec<Permission> = workload::ACTIONS
        .iter()
        .map(|action| engine.permission(&format!("jobs.{action}")).expect("a known permission"))
        .collect();
    let jobs: Vec<(User, Permission, Job)> = questions
        .iter()
        .map(|&(user, _)| {
            let assignee = match rng.u32(..4) {
                0 => None,
                1 => Some(user),
                _ => Some(rng.u32(..count as u32)),
            };
            let team = rng.u32(..4);
            let region = rng.choice(["region1", "region2", "region3"]).expect("there are some");
            let action = *rng.choice(&actions).expect("there are some");
            (users[user as usize], action, Job { assignee, team, region })
        })
        .collect();
    group.bench_function(BenchmarkId::new("handles, on a job", count), |bencher| {
        bencher.iter(|| {
            let questions = black_box(&jobs).iter();
            questions.filter(|(user, action, job)| engine.can(*user, *action, job)).count()
        });
    });

    // Requests, each of so many questions of one user.
    for size in [1, 8, 32] {
        let requests: Vec<(u32, Vec<u32>)> = questions
            .chunks(size)
            .map(|of| (of[0].0, of.iter().map(|&(_, permission)| permission).collect()))
            .collect();
        let handles: Vec<(User, Vec<Permission>)> = requests
            .iter()
            .map(|(user, asked)| {
                let asked = asked.iter().map(|&permission| permissions[permission as usize]);
                (users[*user as usize], asked.collect())
            })
            .collect();
        group.bench_function(BenchmarkId::new(format!("floor, requests of {size}"), count), |it| {
            it.iter(|| {
                let requests = black_box(&requests).iter();
                let can = |user, asked: &[u32]| {
                    asked.iter().filter(|&&permission| floor.can(user, permission)).count()
                };
                requests.map(|(user, asked)| can(*user, asked)).sum::<usize>()
            });
        });
        group.bench_function(BenchmarkId::new(format!("asker, requests of {size}"), count), |it| {
            it.iter(|| {
                let requests = black_box(&handles).iter();
                let can = |user, asked: &[Permission]| {
                    let asker = engine.asker(user);
                    asked.iter().filter(|&&permission| asker.can(permission, ())).count()
                };
                requests.map(|(user, asked)| can(*user, asked)).sum::<usize>()
            });
        });
    }
    for size in [8, 512] {
        group.bench_function(
            BenchmarkId::new(format!("asker, on {size} jobs"), count),
            |bencher| {
                bencher.iter(|| {
                    let requests = black_box(&jobs).chunks(size);
                    let can = |of: &[(User, Permission, Job)]| {
                        let asker = engine.asker(of[0].0);
                        of.iter().filter(|(_, action, job)| asker.can(*action, job)).count()
                    };
                    requests.map(can).sum::<usize>()
                });
            },
        );
    }
    group.finish();
}

criterion_group!(benches, decide, assigned);
criterion_main!(benches);

//! The cost of explaining a decision, compared with making it, at 1,000,000 users.

#[path = "../tests/support/workload.rs"]
mod workload;

use criterion::{Criterion, criterion_group, criterion_main};
use fastrand::Rng;
use grantree::object::DynamicObject;
use grantree::{Engine, Permission, Policy, User};

const USERS: usize = 1_000_000;
const QUESTIONS: usize = 64;

fn explain(criterion: &mut Criterion) {
    let document = workload::company(1_000, USERS);
    let engine = Engine::new(&Policy::try_from(document).expect("a valid policy"));
    let mut rng = Rng::with_seed(5);
    let user = |rng: &mut Rng| rng.usize(..USERS).to_string();
    let mut questions: Vec<(User, Permission, Option<DynamicObject>)> = Vec::new();
    for at in 0..QUESTIONS {
        let name = user(&mut rng);
        let holder = engine.user(&name).expect("a known user");
        let path = format!("area{}.k{}", rng.usize(..workload::AREAS), rng.usize(..80));
        let (path, object) = match at % 2 {
            0 => (path, None),
            _ => {
                let job = DynamicObject::new("job")
                    .with_relation("assignee", [user(&mut rng)])
                    .with_relation("team", ["1"])
                    .with_attribute("region", "region1");
                let action = rng.choice(workload::ACTIONS).expect("there are some");
                (format!("jobs.{action}"), Some(job))
            }
        };
        let action = engine.permission(&path).expect("a known permission");
        questions.push((holder, action, object));
    }
    let ask = |at: &mut usize| {
        *at += 1;
        let (user, action, object) = &questions[*at % QUESTIONS];
        (*user, *action, (object.as_ref(), None))
    };
    let mut group = criterion.benchmark_group("explain");
    group.bench_function("can", |bencher| {
        let mut at = 0;
        bencher.iter(|| {
            let (user, action, on) = ask(&mut at);
            engine.can(user, action, on)
        });
    });
    group.bench_function("why", |bencher| {
        let mut at = 0;
        bencher.iter(|| {
            let (user, action, on) = ask(&mut at);
            engine.why(user, action, on)
        });
    });
    group.bench_function("explain", |bencher| {
        let mut at = 0;
        bencher.iter(|| {
            let (user, action, on) = ask(&mut at);
            engine.explain(user, action, on)
        });
    });
    group.bench_function("explain, as text", |bencher| {
        let mut at = 0;
        bencher.iter(|| {
            let (user, action, on) = ask(&mut at);
            engine.explain(user, action, on).to_string()
        });
    });
    group.sample_size(10).bench_function("remedies", |bencher| {
        let mut at = 0;
        bencher.iter(|| {
            let (user, action, on) = ask(&mut at);
            engine.remedies(user, action, on)
        });
    });
    group.finish();
}

criterion_group!(benches, explain);
criterion_main!(benches);

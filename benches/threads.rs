//! How much threads that share one engine decide together, with the floor beside.
//!
//! An engine holds no lock and counts nothing while it answers, so with as many
//! threads as cores, it should decide that many times as much.

#[path = "../tests/support/floor.rs"]
mod floor;
#[path = "../tests/support/report.rs"]
mod report;
#[path = "../tests/support/workload.rs"]
mod workload;

use std::hint::black_box;
use std::thread;

use grantree::{Engine, Policy};

use floor::{Beside, by_floor, by_handles, medians};
use report::{grouped, is_wanted, print_table};

const THREADS: [usize; 3] = [1, 2, 4];
/// How often each thread asks all the questions: long enough that starting
/// threads costs nothing beside it.
const PASSES: usize = 1_024;
/// How many questions each asks: few enough that reading them costs nothing.
const QUESTIONS: usize = 1 << 13;

fn main() {
    if !is_wanted("threads") {
        return;
    }
    let cores = thread::available_parallelism().map_or(1, usize::from);
    for users in [10_000, 1_000_000] {
        let beside = beside(users);
        let (numbers, _) = beside.numbers.split_at(QUESTIONS);
        let (handles, _) = beside.handles.split_at(QUESTIONS);
        let floor = || by_floor(&beside.floor, black_box(numbers));
        let engine = || by_handles(&beside.engine, black_box(handles));
        let measured = THREADS.map(|threads| {
            eprintln!("{} users, {threads} threads …", grouped(users));
            let times = medians([&mut || share(threads, floor), &mut || share(threads, engine)]);
            let decisions = (threads * PASSES * QUESTIONS) as f64;
            times.map(|time| decisions / time.as_secs_f64() / 1e6)
        });
        let rows = THREADS.iter().zip(&measured).map(|(threads, [floor, engine])| {
            vec![
                threads.to_string(),
                format!("{floor:.0}"),
                format!("{:.2}", floor / measured[0][0]),
                format!("{engine:.0}"),
                format!("{:.2}", engine / measured[0][1]),
                format!("{:.2}", floor / engine),
            ]
        });
        let title = format!(
            "{} users, {cores} cores: millions of decisions a second, all threads together",
            grouped(users)
        );
        let heads =
            ["threads", "floor", "to one thread", "engine", "to one thread", "floor to engine"];
        print_table(&title, &heads, &rows.collect::<Vec<_>>());
    }
}

fn beside(users: usize) -> Beside {
    let permissions = workload::ENTERPRISE.permissions;
    let document = workload::enterprise(permissions, users);
    let classes = workload::classes(&document);
    let engine = Engine::new(&Policy::try_from(document).expect("a valid policy"));
    Beside::new(engine, &workload::paths(permissions), classes)
}

/// Runs this many threads, each of which asks all the questions, over and over.
fn share(threads: usize, ask: impl Fn() -> usize + Sync) {
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| (0..PASSES).map(|_| black_box(ask())).sum::<usize>());
        }
    });
}

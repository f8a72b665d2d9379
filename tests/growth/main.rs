//! Costs in proportion: what every public call takes on documents of many shapes, as they
//! grow.
//!
//! Each call is made on documents of three sizes, each twice the one before. What it
//! allocates is counted, in number and in bytes, and how long it takes is measured. A cost in
//! proportion to the document grows by twice as much from the second size to the third as
//! from the first to the second; a quadratic one by four times as much, whatever a part of
//! it that does not grow. Counts are the same in each run. Times are not, so they tell only
//! of loops that are far out of proportion, and only after they were measured again.
//!
//! What may grow faster is listed in [`exceptions`], with the reason.

mod calls;
mod exceptions;
mod shapes;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use calls::{World, calls};
use exceptions::{EXCEPTIONS, Exception};
use shapes::{Shape, shapes};

/// The sizes of documents.
const SIZES: [usize; 3] = [32, 64, 128];

/// The growth of a cost from the second size to the third, in parts of its growth from the
/// first to the second: 2 if it is linear, 2.25 for n·log n, 4 if it is quadratic.
const MOST: f64 = 3.0;

/// The growth from the second size to the third that is of no account.
const ALLOCATIONS: u64 = 300;
const BYTES: u64 = 48 * 1024;

/// The time on the last size in parts of that on the first: 4 if it is linear.
const MOST_TIME: f64 = 10.0;
const TIME: Duration = Duration::from_millis(60);

/// The bytes that a call may take for each pair of, say, a user and a permission: rows of bits
/// for each combination of sources, some of them for a while.
const ROWS: f64 = 4.0;

/// What a call takes, on documents of each size.
struct Costs {
    allocations: [u64; 3],
    bytes: [u64; 3],
    peak: [u64; 3],
    time: [Duration; 3],
}

/// What a call may take for each pair, beside what is in proportion.
#[derive(Clone, Copy, Default)]
struct Allowance {
    allocations: f64,
    bytes: f64,
    time: bool,
}

impl Costs {
    fn of(call: &dyn Fn(&World), worlds: &[World; 3]) -> Costs {
        let mut time = [Duration::MAX; 3];
        let mut infos = [allocation_counter::AllocationInfo::default(); 3];
        for ((world, time), info) in worlds.iter().zip(&mut time).zip(&mut infos) {
            *info = allocation_counter::measure(|| {
                let started = Instant::now();
                call(world);
                *time = started.elapsed();
            });
        }
        Costs {
            allocations: infos.map(|info| info.count_total),
            bytes: infos.map(|info| info.bytes_total),
            peak: infos.map(|info| info.bytes_max),
            time,
        }
    }

    /// Returns what grows out of proportion.
    fn excess(&self, allowed: Allowance) -> Option<String> {
        let Costs { allocations, bytes, peak, time } = self;
        let (each, bytes_each) = (allowed.allocations, allowed.bytes + ROWS);
        let counts = [
            ("allocations", allocations, each, ALLOCATIONS),
            ("bytes", bytes, bytes_each, BYTES),
            ("bytes at once", peak, bytes_each, BYTES),
        ];
        for (what, counts, each, least) in counts {
            if grows(*counts, each, least) {
                return Some(format!("{what}: {counts:?}"));
            }
        }
        (!allowed.time && is_slow(time)).then(|| format!("time: {time:?}"))
    }

    /// Measures the time again, as long as it is out of proportion.
    fn measure_again(&mut self, call: &dyn Fn(&World), worlds: &[World; 3]) {
        for _ in 0..12 {
            if !is_slow(&self.time) {
                return;
            }
            let again = Costs::of(call, worlds);
            for (time, again) in self.time.iter_mut().zip(again.time) {
                *time = again.min(*time);
            }
        }
    }
}

/// Returns whether a count grows out of proportion, besides what is allowed for each pair.
fn grows(counts: [u64; 3], each: f64, least: u64) -> bool {
    let mut left = counts.map(|count| count as f64);
    for (count, size) in left.iter_mut().zip(SIZES) {
        *count = (*count - each * (size * size) as f64).max(0.0);
    }
    let [small, middle, large] = left;
    let (first, second) = ((middle - small).max(1.0), large - middle);
    second > least as f64 && second > MOST * first && large > 2.0 * small
}

fn is_slow([first, _, last]: &[Duration; 3]) -> bool {
    *last > TIME && last.as_secs_f64() > MOST_TIME * first.as_secs_f64()
}

/// Returns the exceptions that a call of a shape falls under.
fn exceptions(shape: &str, call: &str) -> Vec<&'static Exception> {
    let fits = |pattern: &str, name: &str| pattern.split('|').any(|part| name.contains(part));
    let all = EXCEPTIONS.iter();
    all.filter(|it| fits(it.shapes, shape) && fits(it.calls, call)).collect()
}

fn check(shape: &Shape) -> Vec<String> {
    let worlds = SIZES.map(|size| World::new(shape, size));
    let mut found = Vec::new();
    for (name, call) in calls(&worlds[0].changes()) {
        // A call may be the first in the process, and make what all others find.
        call(&worlds[0]);
        let mut costs = Costs::of(&*call, &worlds);
        let mut allowed = Allowance::default();
        for exception in exceptions(&shape.name, &name) {
            allowed.allocations += exception.allocations;
            allowed.bytes += exception.bytes;
            allowed.time |= exception.time;
        }
        if !allowed.time {
            costs.measure_again(&*call, &worlds);
        }
        let excess = costs.excess(allowed);
        let known = exceptions(&shape.name, &name).into_iter().map(|it| it.reason);
        let known: Vec<&str> = known.collect();
        let tell = |excess| format!("{name}, of {}: {excess}; allowed is: {known:?}", shape.name);
        found.extend(excess.map(tell));
    }
    found
}

/// Time and memory are in proportion to the document, whatever its shape.
#[test]
fn costs_are_in_proportion() {
    let only = std::env::var("SHAPE").unwrap_or_default();
    let mut shapes = shapes();
    assert!(shapes.len() >= 70, "{} shapes", shapes.len());
    shapes.retain(|shape| shape.name.contains(&only));
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(shape) = shapes.get(next.fetch_add(1, Ordering::Relaxed)) {
            let more = check(shape);
            found.lock().expect("no other has failed").extend(more);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let mut found = found.into_inner().expect("none has failed");
    found.sort();
    assert!(found.is_empty(), "{} out of proportion:\n{}", found.len(), found.join("\n"));
}

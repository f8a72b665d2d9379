//! The least that a decision could cost, and engine and floor timed in turn.

#![allow(dead_code, reason = "each bench takes what it needs")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use fastrand::Rng;
use grantree::{Engine, Permission, User};

use crate::workload::Classes;

/// The hand-written table: a row of bits for each class of users.
#[derive(Debug)]
pub struct Floor {
    classes: Vec<u32>,
    words: usize,
    rows: Vec<u64>,
}

impl Floor {
    /// The answers of an engine whose users are named by their numbers.
    pub fn new(engine: &Engine, permissions: &[Permission], classes: Classes) -> Floor {
        let words = permissions.len().div_ceil(64);
        let mut rows = vec![0u64; words * classes.examples.len()];
        for (example, row) in classes.examples.iter().zip(rows.chunks_exact_mut(words)) {
            let user = engine.user(example.to_string()).expect("a known user");
            for (bit, &permission) in permissions.iter().enumerate() {
                row[bit / 64] |= u64::from(engine.can(user, permission, ())) << (bit % 64);
            }
        }
        Floor { classes: classes.of, words, rows }
    }

    #[inline]
    pub fn can(&self, user: u32, permission: u32) -> bool {
        let class = self.classes[user as usize] as usize;
        let word = self.rows[class * self.words + permission as usize / 64];
        word >> (permission % 64) & 1 == 1
    }
}

/// How many of the questions the floor answers with yes.
#[inline(never)]
pub fn by_floor(floor: &Floor, questions: &[(u32, u32)]) -> usize {
    questions.iter().filter(|&&(user, permission)| floor.can(user, permission)).count()
}

/// How many of the questions the engine answers with yes.
#[inline(never)]
pub fn by_handles(engine: &Engine, questions: &[(User, Permission)]) -> usize {
    questions.iter().filter(|&&(user, permission)| engine.can(user, permission, ())).count()
}

/// An engine and its floor, and the same questions to both: random users,
/// random permissions, no object.
#[derive(Debug)]
pub struct Beside {
    pub engine: Engine,
    pub floor: Floor,
    pub numbers: Vec<(u32, u32)>,
    pub handles: Vec<(User, Permission)>,
}

impl Beside {
    /// Enough questions that no user is cached because of an earlier question.
    pub const QUESTIONS: usize = 1 << 18;

    /// Both, after they gave the same answer to every question.
    pub fn new(engine: Engine, paths: &[String], classes: Classes) -> Beside {
        let users = classes.of.len() as u32;
        let permission = |path: &String| engine.permission(path).expect("a known permission");
        let permissions: Vec<Permission> = paths.iter().map(permission).collect();
        let floor = Floor::new(&engine, &permissions, classes);
        let mut rng = Rng::with_seed(11);
        let numbers: Vec<(u32, u32)> = (0..Self::QUESTIONS)
            .map(|_| (rng.u32(..users), rng.u32(..permissions.len() as u32)))
            .collect();
        let user = |number: u32| engine.user(number.to_string()).expect("a known user");
        let handles: Vec<(User, Permission)> = numbers
            .iter()
            .map(|&(number, permission)| (user(number), permissions[permission as usize]))
            .collect();
        for (&(user, permission), &(who, what)) in numbers.iter().zip(&handles) {
            assert_eq!(floor.can(user, permission), engine.can(who, what, ()), "{user}");
        }
        Beside { engine, floor, numbers, handles }
    }

    /// How long a decision takes the floor and the engine, in nanoseconds.
    pub fn nanoseconds(&self) -> [f64; 2] {
        medians([
            &mut || {
                black_box(by_floor(black_box(&self.floor), black_box(&self.numbers)));
            },
            &mut || {
                black_box(by_handles(black_box(&self.engine), black_box(&self.handles)));
            },
        ])
        .map(|median| median.as_secs_f64() * 1e9 / self.numbers.len() as f64)
    }
}

/// The median time of each of some runs, which take turns, so that a machine
/// that slows down slows them alike.
pub fn medians<const N: usize>(mut runs: [&mut dyn FnMut(); N]) -> [Duration; N] {
    let (least, enough) = (9, Duration::from_millis(700));
    let mut times = [(); N].map(|()| Vec::new());
    let begin = Instant::now();
    // The first turn is a warm-up.
    while times[0].len() <= least || begin.elapsed() < enough {
        for (run, times) in runs.iter_mut().zip(&mut times) {
            let begin = Instant::now();
            run();
            times.push(begin.elapsed());
        }
    }
    times.map(|mut times| {
        let times = &mut times[1..];
        times.sort_unstable();
        times[times.len() / 2]
    })
}

//! One peer at one work and size, checked and then timed.

use std::fmt;
use std::hint::black_box;
use std::str::FromStr;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tikv_jemalloc_ctl::{epoch, stats};

use crate::peers::Peer;
use crate::world::{Work, World};

/// So many questions are asked, and then the first again: enough that a user is
/// in no cache any more when the turn comes again.
const QUESTIONS: usize = 1 << 18;
/// So many answers are compared with the naive ones before any is timed.
const CHECKED: usize = 1 << 13;
/// A batch is timed for so long, that few batches are interrupted by whatever
/// else the machine does, and the median is of those that are not.
const BATCH: Duration = Duration::from_micros(200);

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Nanoseconds a decision: the median of batches.
    pub nanoseconds: f64,
    /// What it takes to build all that answers, from plain data.
    pub build: Duration,
    /// What is held when it is built, in bytes.
    pub memory: u64,
}

impl Measured {
    /// Builds the peer for a company of so many users, asks it questions beside
    /// the naive answers, and times it for so long.
    ///
    /// # Panics
    ///
    /// Where an answer is not the naive one.
    pub fn new<W: Work, P: Peer<W>>(users: usize, time: Duration) -> Measured {
        let world = World::new(users, W::JOBS);
        let before = allocated();
        let start = Instant::now();
        let mut peer = P::build(&world);
        let build = start.elapsed();
        let memory = allocated().saturating_sub(before);

        let mut rng = Rng::with_seed(11);
        let drawn: Vec<W> = (0..QUESTIONS).map(|_| W::draw(&world, &mut rng)).collect();
        let asked: Vec<P::Question> = drawn.iter().map(|&it| peer.question(&world, it)).collect();
        let naive: Vec<bool> = drawn.iter().map(|it| it.allowed(&world)).collect();

        let start = Instant::now();
        for ((drawn, asked), &naive) in drawn.iter().zip(&asked).zip(&naive).take(CHECKED) {
            assert_eq!(peer.answer(asked), naive, "{} is wrong about {drawn:?}", P::NAME);
        }
        let about = start.elapsed().as_secs_f64() / CHECKED as f64;
        let batch = ((BATCH.as_secs_f64() / about) as usize).clamp(16, CHECKED);

        let mut batches = asked.chunks_exact(batch).zip(naive.chunks_exact(batch)).cycle();
        let mut times = Vec::new();
        let start = Instant::now();
        while start.elapsed() < time {
            let Some((asked, naive)) = batches.next() else { break };
            let start = Instant::now();
            let allowed = black_box(asked).iter().filter(|it| peer.answer(it)).count();
            times.push(start.elapsed());
            let expected = naive.iter().filter(|&&it| it).count();
            assert_eq!(allowed, expected, "{} is wrong about some question", P::NAME);
        }
        times.sort_unstable();
        let nanoseconds = times[times.len() / 2].as_secs_f64() * 1e9 / batch as f64;
        Measured { nanoseconds, build, memory }
    }
}

/// The bytes that are allocated, as the allocator counts them anyway: nothing
/// is counted on top while time is taken.
fn allocated() -> u64 {
    epoch::advance().and_then(|_| stats::allocated::read()).expect("jemalloc keeps count") as u64
}

/// As one line, from the process that measured to the one that asked it to.
impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.nanoseconds, self.build.as_secs_f64(), self.memory)
    }
}

impl FromStr for Measured {
    type Err = Box<dyn std::error::Error>;

    fn from_str(line: &str) -> Result<Measured, Self::Err> {
        let mut words = line.split_whitespace();
        let mut word = || words.next().ok_or("too few figures");
        Ok(Measured {
            nanoseconds: word()?.parse()?,
            build: Duration::try_from_secs_f64(word()?.parse()?)?,
            memory: word()?.parse()?,
        })
    }
}

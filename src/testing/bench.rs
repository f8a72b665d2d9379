//! Times of a host's own questions.

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::engine::{Engine, Permission, User};
use crate::object::Object;

/// The times of questions, beside a bare test of a bit.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Timings {
    /// One for each kind of question, that of the bit test first.
    pub rows: Vec<Timing>,
}

/// The time of a kind of question.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Timing {
    /// The question, by the name of the method that asks it.
    pub question: &'static str,
    /// The nanoseconds that one takes.
    pub nanoseconds: f64,
    /// The same in bit tests.
    pub ratio: f64,
}

/// The error of a question that takes longer than it may, or was not timed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{question}` takes {ratio:.1} bit tests: the limit is {limit:.1}")]
#[non_exhaustive]
pub struct TooSlow {
    /// The question.
    pub question: String,
    /// Its time in bit tests; infinite if it was not timed.
    pub ratio: f64,
    /// The most that it may take.
    pub limit: f64,
}

impl Timings {
    /// Checks that a question takes no more than so many bit tests. As a ratio, a limit holds on
    /// machines of any speed; leave room for what else they do.
    ///
    /// # Errors
    ///
    /// When it takes more, or was not timed.
    pub fn check(&self, question: &str, limit: f64) -> Result<(), TooSlow> {
        let timing = self.rows.iter().find(|row| row.question == question);
        let ratio = timing.map_or(f64::INFINITY, |timing| timing.ratio);
        if ratio <= limit {
            return Ok(());
        }
        Err(TooSlow { question: question.to_owned(), ratio, limit })
    }
}

impl fmt::Display for Timings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:20}{:>12}{:>12}", "question", "ns", "bit tests")?;
        self.rows.iter().try_for_each(|Timing { question, nanoseconds, ratio }| {
            writeln!(f, "{question:20}{nanoseconds:>12.1}{ratio:>12.1}")
        })
    }
}

/// The most users, permissions and objects to ask about.
const MOST: usize = 1 << 10;
/// The number of different questions of a kind.
const QUESTIONS: usize = 1 << 12;
/// The time that a round of questions takes at least.
const ROUND: Duration = Duration::from_millis(5);
/// The number of rounds, of which the fastest counts.
const ROUNDS: usize = 7;

/// Times the questions of a host: of its policy's users and permissions, and of some of its
/// objects of one kind, beside a bare test of a bit in a table of the same size.
///
/// Takes a fraction of a second. In a bench without a harness:
///
/// ```
/// # use grantree::object::DynamicObject;
/// # use grantree::{Document, Engine, Policy};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "users": {"bob": {"allow": ["orders"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// # let jobs: [DynamicObject; 0] = [];
/// use grantree::testing::bench;
///
/// let timings = bench(&engine, &jobs);
/// println!("{timings}");
/// // A limit for CI.
/// timings.check("can", 1_000.0)?;
/// assert!(timings.check("can", 0.0).is_err());
/// # Ok(())
/// # }
/// ```
pub fn bench<O: Object>(engine: &Engine, objects: &[O]) -> Timings {
    let all = Asked::new(engine, objects);
    let words = all.users.len().saturating_mul(all.words);
    let table: Vec<u64> =
        (0..words as u64).map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let mut times = vec![
        (
            "bit test",
            all.time(|it| {
                let (word, bit) = (it.user.saturating_mul(all.words), it.action);
                let word = table.get(word.saturating_add(bit / 64));
                word.is_some_and(|word| word >> (bit % 64) & 1 == 1)
            }),
        ),
        ("can", all.time(|it| engine.can(all.user(it), all.action(it), ()))),
        ("can_some", all.time(|it| engine.can_some(all.user(it), all.action(it)))),
        ("why", all.time(|it| engine.why(all.user(it), all.action(it), ()).allowed())),
        ("explain", all.time(|it| engine.explain(all.user(it), all.action(it), ()).allowed())),
    ];
    let on = all.on_objects(engine);
    if let Some(on) = on {
        times.push((
            "can, on an object",
            on.time(|it| {
                on.object(it).is_some_and(|object| engine.can(on.user(it), on.action(it), object))
            }),
        ));
        times.push((
            "filter",
            on.time(|it| engine.filter(on.user(it), on.action(it), ()).kind().is_some()),
        ));
    }
    let floor = times.first().map_or(f64::NAN, |(_, time)| *time);
    let timing = |(question, nanoseconds): (&'static str, f64)| Timing {
        question,
        nanoseconds,
        ratio: nanoseconds / floor,
    };
    Timings { rows: times.into_iter().map(timing).collect() }
}

/// A question, by positions in lists.
#[derive(Clone, Copy)]
struct Asking {
    user: usize,
    action: usize,
    object: usize,
}

/// Questions of one kind.
struct Asked<'o, O> {
    users: Vec<User>,
    actions: Vec<Permission>,
    objects: &'o [O],
    questions: Vec<Asking>,
    /// The words of 64 bits that a row of permissions takes.
    words: usize,
}

impl<'o, O: Object> Asked<'o, O> {
    fn new(engine: &Engine, objects: &'o [O]) -> Asked<'o, O> {
        let catalogue = &engine.policy().inner().catalogue;
        let actions =
            catalogue.thresholds().take(MOST).filter_map(|it| engine.permission(&it).ok());
        let words = catalogue.bits().div_ceil(64);
        Asked::of(engine, actions.collect(), objects, words)
    }

    fn of(
        engine: &Engine,
        actions: Vec<Permission>,
        objects: &'o [O],
        words: usize,
    ) -> Asked<'o, O> {
        let users = engine.policy().users().take(MOST).filter_map(|it| engine.user(it).ok());
        let mut users: Vec<User> = users.collect();
        if users.is_empty() {
            users.push(User::NOBODY);
        }
        let mut random = 1_u64;
        let mut below = |most: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(random >> 33).unwrap_or_default().checked_rem(most).unwrap_or_default()
        };
        let questions = (0..QUESTIONS).map(|_| Asking {
            user: below(users.len()),
            action: below(actions.len()),
            object: below(objects.len()),
        });
        let questions = if actions.is_empty() { Vec::new() } else { questions.collect() };
        Asked { users, actions, objects, questions, words }
    }

    /// Returns questions about the objects; `None` if there are none, or no permission is on
    /// their kind.
    fn on_objects(&self, engine: &Engine) -> Option<Asked<'o, O>> {
        let kind = self.objects.first()?.kind();
        let policy = engine.policy();
        let paths = policy.permissions().filter(|it| it.object() == Some(kind)).take(MOST);
        let actions: Vec<Permission> =
            paths.filter_map(|it| engine.permission(it.path()).ok()).collect();
        let questions = Asked::of(engine, actions, self.objects, self.words);
        (!questions.actions.is_empty()).then_some(questions)
    }

    fn user(&self, it: Asking) -> User {
        self.users.get(it.user).copied().unwrap_or(User::NOBODY)
    }

    #[expect(clippy::indexing_slicing, reason = "there is no question without an action")]
    fn action(&self, it: Asking) -> Permission {
        self.actions[it.action]
    }

    fn object(&self, it: Asking) -> Option<&'o O> {
        self.objects.get(it.object)
    }

    /// Returns the nanoseconds that a question takes, in the fastest of some rounds.
    fn time(&self, ask: impl Fn(Asking) -> bool) -> f64 {
        let mut fastest = f64::INFINITY;
        for _ in 0..ROUNDS {
            let (start, mut asked) = (Instant::now(), 0_u32);
            while start.elapsed() < ROUND && !self.questions.is_empty() {
                for &question in &self.questions {
                    black_box(ask(black_box(question)));
                }
                asked = asked.saturating_add(QUESTIONS as u32);
            }
            if asked > 0 {
                fastest = fastest.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(asked));
            }
        }
        fastest
    }
}

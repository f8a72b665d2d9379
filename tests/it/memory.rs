//! The memory that an engine claims to take, compared with what was allocated.

use allocation_counter::measure;
use grantree::{Engine, Policy, Stats};

use crate::workload;

/// What users in 2,000 combinations cost: a policy with them and its engine,
/// less the same without them.
///
/// What [`Stats`] leaves out, the texts of sources and the catalogue, is the
/// same in both.
struct Cost {
    held: usize,
    /// The engine's own part of it.
    by_engine: usize,
    stats: Stats,
    names: usize,
    claimed: usize,
}

impl Cost {
    fn of(users: usize) -> Cost {
        let with = Held::of(users);
        let without = Held::of(0);
        let names = with.stats.name_bytes - without.stats.name_bytes;
        Cost {
            held: with.policy + with.engine - without.policy - without.engine,
            by_engine: with.engine - without.engine,
            stats: with.stats,
            names,
            claimed: names + but_names(with.stats) - but_names(without.stats),
        }
    }
}

struct Held {
    policy: usize,
    engine: usize,
    stats: Stats,
}

impl Held {
    fn of(users: usize) -> Held {
        let policy =
            held(|| Policy::try_from(workload::enterprise(1_000, users)).expect("a valid policy"));
        let engine = held(|| Engine::new(&policy.0));
        Held { policy: policy.1, engine: engine.1, stats: engine.0.stats() }
    }
}

/// What is made, and the bytes of the heap that making it leaves in use.
fn held<T>(make: impl FnOnce() -> T) -> (T, usize) {
    let mut made = None;
    let counted = measure(|| made = Some(make()));
    let bytes = usize::try_from(counted.bytes_current).expect("it holds some");
    (made.expect("it was made"), bytes)
}

fn but_names(stats: Stats) -> usize {
    stats.row_bytes + stats.user_bytes + stats.fact_bytes
}

#[test]
fn what_is_claimed_is_what_is_held() {
    let users = 100_000;
    let Cost { held, by_engine, stats, claimed, .. } = Cost::of(users);
    // Not claimed: the texts of bounds, which are sets of at most eight regions; and
    // two counts, 16 bytes, for whatever versions share: a row's class, and a leaf,
    // the smallest of which hold 256 users' names.
    let bounds = 255 * (16 + 8 * 24);
    let counts = 16 * (stats.rows + users / 128 + 64);
    let unclaimed = bounds + counts;
    let most = claimed + unclaimed;
    assert!((claimed..=most).contains(&held), "{held} of {claimed}..={most}");
    let (rows, facts) = (stats.row_bytes, stats.row_bytes + stats.fact_bytes + unclaimed);
    assert!((rows..=facts).contains(&by_engine), "{by_engine} of {rows}..={facts}");
}

#[test]
fn a_user_like_others_costs_two_numbers_and_a_name() {
    let (once, twice) = (Cost::of(100_000), Cost::of(200_000));
    assert_eq!(once.stats.rows, twice.stats.rows);
    let further = (twice.held - twice.names) - (once.held - once.names);
    assert!(further <= 16 * 100_000, "{further}");
}

#[test]
fn a_million_users_fit_in_24_megabytes_names_aside() {
    let cost = Cost::of(1_000_000);
    assert!(but_names(cost.stats) < 24_000_000, "{:?}", cost.stats);
    assert!(cost.held - cost.names < 24_000_000, "{} with {} of names", cost.held, cost.names);
}

//! Compares grantree with its peers: the same questions about the same made-up
//! company, answered rightly by each before any is timed.
//!
//! Each peer is measured in a process of its own, which this program starts:
//! itself, with the arguments `measure WORK PEER USERS MILLISECONDS`.

use std::env;
use std::error::Error;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use measure::Measured;
use peers::Entry;
use table::Row;

mod measure;
mod peers;
mod table;
mod world;

/// Keeps count of what is allocated, which the system's allocator does not.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const USAGE: &str = "usage: peers [--quick] [WORD…]

Measures every peer whose name has one of the words, or all of them.
--quick measures them shortly, with 1,000 users only. A full run of all takes
some minutes and 6 GB of memory, and writes RESULTS.md.";

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
const QUICK: [usize; 1] = [1_000];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["measure", work, peer, users, time] => measure_here(work, peer, users, time),
        ["--help" | "-h", ..] => {
            println!("{USAGE}");
            Ok(())
        }
        ["--quick", ref words @ ..] => compare(&QUICK, Duration::from_millis(50), words),
        ref words => compare(&SIZES, Duration::from_secs(1), words),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures one peer in this process and prints the figures.
fn measure_here(work: &str, peer: &str, users: &str, time: &str) -> Result<(), Box<dyn Error>> {
    let mut known = peers::ALL.iter().filter(|it| it.work == work && it.name == peer);
    let entry = known.next().ok_or("no such peer")?;
    let measured = (entry.measure)(users.parse()?, Duration::from_millis(time.parse()?));
    println!("{measured}");
    Ok(())
}

/// Measures every peer that is asked for in a process of its own, one after
/// the other, and prints the tables.
fn compare(sizes: &[usize], time: Duration, words: &[&str]) -> Result<(), Box<dyn Error>> {
    let chosen = |it: &&Entry| words.is_empty() || words.iter().any(|word| it.name.contains(word));
    let start = Instant::now();
    let mut rows = Vec::new();
    for entry in peers::ALL.iter().filter(chosen) {
        let mut row = Row { entry, measured: Vec::new() };
        for &users in sizes.iter().filter(|&&users| users <= entry.most_users) {
            eprintln!(
                "{:4} s  {}: {}, {users} users",
                start.elapsed().as_secs(),
                entry.work,
                entry.name
            );
            row.measured.push(measure_apart(entry, users, time)?);
        }
        rows.push(row);
    }
    println!("{}", table::text(&rows, sizes));
    if words.is_empty() && sizes == SIZES {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md");
        std::fs::write(path, table::markdown(&rows, sizes))?;
    }
    Ok(())
}

fn measure_apart(entry: &Entry, users: usize, time: Duration) -> Result<Measured, Box<dyn Error>> {
    let arguments = ["measure", entry.work, entry.name];
    let figures = [users.to_string(), time.as_millis().to_string()];
    let output = Command::new(env::current_exe()?)
        .args(arguments)
        .args(figures)
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{} could not be measured: {}", entry.name, output.status).into());
    }
    str::from_utf8(&output.stdout)?.parse()
}

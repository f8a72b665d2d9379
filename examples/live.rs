//! A policy that changes while questions are asked: readers, governed changes, a
//! refusal, and a second process over the same log.
//!
//! ```sh
//! cargo run --release --example live
//! ```

use std::error::Error;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use grantree::change::{Actor, Change};
use grantree::journal::{JournalError, MemoryJournal};
use grantree::{Document, Live};

const POLICY: &str = include_str!("policies/gruntify.json");

/// Changes a policy while questions are asked.
///
/// # Errors
///
/// When the policy is invalid.
pub fn main() -> Result<(), Box<dyn Error>> {
    // In the place of a database: see the guide to persisting.
    let journal = MemoryJournal::default();
    let live = Live::open(&mut journal.clone(), serde_json::from_str::<Document>(POLICY)?)?;
    let engine = live.load();
    let (freya, read) = (engine.user("freya")?, engine.permission("forms.read")?);

    let done = AtomicBool::new(false);
    let asked = AtomicUsize::new(0);
    thread::scope(|scope| {
        // Each request takes a snapshot, and never waits for a change.
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let engine = live.load();
                    black_box(engine.can(freya, read, ()));
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let changed = change(&live, journal.clone(), freya, read);
        done.store(true, Ordering::Relaxed);
        changed
    })?;
    println!("meanwhile {} questions were answered\n", asked.load(Ordering::Relaxed));
    for entry in journal.entries().iter().skip(1) {
        println!("logged: {}", serde_json::to_string(entry)?);
    }

    // Another process opens the same log, and has the same policy.
    let there = Live::open(&mut journal.clone(), serde_json::from_str::<Document>(POLICY)?)?;
    let (here, there) = (live.load().policy().version(), there.load().policy().version());
    println!("\nhere  {here}\nthere {there}");
    assert_eq!(here, there);
    Ok(())
}

/// Asks for some changes.
fn change(
    live: &Live,
    mut journal: MemoryJournal,
    freya: grantree::User,
    read: grantree::Permission,
) -> Result<(), Box<dyn Error>> {
    let asks = [
        ("freya", r#"{"assign": {"user": "freya", "source": {"role": "owner"}}}"#),
        ("ursula", r#"{"assign": {"user": "freya", "source": {"role": "owner"}}}"#),
        ("ursula", r#"{"assign": {"user": "freya", "source": {"role": "form_designer"}}}"#),
        ("petra", r#"{"transfer": {"role": "primary_owner", "to": "oscar"}}"#),
    ];
    for (actor, text) in asks {
        println!("{actor} asks: {text}");
        let change: Change = serde_json::from_str(text)?;
        match live.commit(&mut journal, Actor::User(actor), &change, ()) {
            Ok(applied) => println!("  committed, revision {}", applied.policy.revision()),
            Err(JournalError::Refused(refusal)) => println!("  refused, {refusal}"),
            Err(error) => return Err(error.into()),
        }
        println!("  freya may read forms: {}", live.load().can(freya, read, ()));
    }
    Ok(())
}

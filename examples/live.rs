//! A policy that changes while questions are asked: readers, governed changes, a
//! refusal, and a second process that follows the log.
//!
//! ```sh
//! cargo run --release --example live
//! ```

use std::error::Error;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use grantree::change::{Actor, Change, LogEntry};
use grantree::{Document, Engine, Live, Policy};

const POLICY: &str = include_str!("policies/gruntify.json");

/// Changes a policy while questions are asked.
///
/// # Errors
///
/// When the policy is invalid.
pub fn main() -> Result<(), Box<dyn Error>> {
    let policy = Policy::try_from(serde_json::from_str::<Document>(POLICY)?)?;
    let live = Live::new(Engine::new(&policy));
    let engine = live.load();
    let (freya, read) = (engine.user("freya")?, engine.permission("forms.read")?);

    let done = AtomicBool::new(false);
    let asked = AtomicUsize::new(0);
    let log = thread::scope(|scope| {
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
        let log = change(&live, freya, read);
        done.store(true, Ordering::Relaxed);
        log
    })?;
    println!("meanwhile {} questions were answered\n", asked.load(Ordering::Relaxed));

    // Another process that started with the same policy reads the log.
    let mut there = policy;
    for message in &log {
        there = there.replay(&serde_json::from_str::<LogEntry>(message)?)?;
    }
    let (here, there) = (live.load().policy().digest(), there.digest());
    println!("here  {here}\nthere {there}");
    assert_eq!(here, there);
    Ok(())
}

/// Makes some changes, and returns their log entries.
fn change(
    live: &Live,
    freya: grantree::User,
    read: grantree::Permission,
) -> Result<Vec<String>, Box<dyn Error>> {
    let mut log = Vec::new();
    let asks = [
        ("freya", r#"{"assign": {"user": "freya", "source": {"role": "owner"}}}"#),
        ("ursula", r#"{"assign": {"user": "freya", "source": {"role": "owner"}}}"#),
        ("ursula", r#"{"assign": {"user": "freya", "source": {"role": "form_designer"}}}"#),
        ("petra", r#"{"transfer": {"role": "primary_owner", "to": "oscar"}}"#),
    ];
    for (actor, text) in asks {
        println!("{actor} asks: {text}");
        match live.apply(Actor::User(actor), &serde_json::from_str::<Change>(text)?) {
            Ok(applied) => {
                let entry = applied.log_entry();
                println!("  applied, revision {}", entry.revision);
                log.push(serde_json::to_string(&entry)?);
            }
            Err(refusal) => println!("  refused, {refusal}"),
        }
        println!("  freya may read forms: {}", live.load().can(freya, read, ()));
    }
    Ok(log)
}

//! Who is compared, each modelled as those who know it best would.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::measure::Measured;
use crate::world::{Flat, OnJob, Work, World};

mod by_hand;
mod casbin;
mod cedar;
mod floor;
mod gatehouse;
mod grantree;
mod regorus;

/// One who answers questions of a kind.
///
/// What a host can have ready before a request comes is made by `build` and
/// `question`: handles, parsed names, interned texts. What belongs to a request
/// is made by `answer`.
pub trait Peer<W: Work> {
    /// Its name, and the model's where there are several.
    const NAME: &'static str;
    /// How it was modelled, in a sentence.
    const MODEL: &'static str;
    /// The most users for which it is reasonable.
    const MOST_USERS: usize = usize::MAX;

    /// A question as this peer wants it.
    type Question;

    /// Loads, parses, indexes and compiles all that there is.
    fn build(world: &World) -> Self;

    /// What a host has at hand when it asks.
    fn question(&self, world: &World, question: W) -> Self::Question;

    /// The decision.
    fn answer(&mut self, question: &Self::Question) -> bool;
}

/// A peer at a kind of work.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The work's name.
    pub work: &'static str,
    /// [`Peer::NAME`].
    pub name: &'static str,
    /// [`Peer::MODEL`].
    pub model: &'static str,
    /// [`Peer::MOST_USERS`].
    pub most_users: usize,
    /// [`Measured::new`].
    pub measure: fn(usize, Duration) -> Measured,
}

const fn entry<W: Work, P: Peer<W>>() -> Entry {
    Entry {
        work: W::NAME,
        name: P::NAME,
        model: P::MODEL,
        most_users: P::MOST_USERS,
        measure: Measured::new::<W, P>,
    }
}

/// The peer that others are compared with.
pub const REFERENCE: &str = <grantree::Handles as Peer<Flat>>::NAME;

/// Everybody, in the order of the tables.
pub const ALL: &[Entry] = &[
    entry::<Flat, floor::Bits>(),
    entry::<Flat, grantree::Handles>(),
    entry::<Flat, grantree::Names>(),
    entry::<Flat, by_hand::Merged>(),
    entry::<Flat, by_hand::Separate>(),
    entry::<Flat, gatehouse::Permissions>(),
    entry::<Flat, cedar::Hierarchy>(),
    entry::<Flat, cedar::Sets>(),
    entry::<Flat, casbin::Graph>(),
    entry::<Flat, regorus::Merged>(),
    entry::<Flat, regorus::Roles>(),
    entry::<OnJob, floor::Masks>(),
    entry::<OnJob, grantree::Handles>(),
    entry::<OnJob, grantree::Names>(),
    entry::<OnJob, by_hand::Merged>(),
    entry::<OnJob, gatehouse::Jobs>(),
    entry::<OnJob, cedar::Hierarchy>(),
    entry::<OnJob, casbin::Graph>(),
    entry::<OnJob, regorus::Merged>(),
];

/// What a future that never waits is ready with.
fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

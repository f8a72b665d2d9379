//! A search for changes by which some users break an invariant.

use std::fmt;

use proptest::arbitrary::any;
use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::sequence::{Choices, made, play};
use crate::change::Change;
use crate::engine::Engine;
use crate::policy::Policy;
use crate::reach::ActorChange;

/// Explores what some users could make of a policy: random sequences of changes of all kinds,
/// as far as governance lets these users make them. What breaks an invariant is reduced to the
/// changes that it takes.
///
/// Changes are asked for without a day. A run is the same each time for the same seed. Where it
/// finds nothing, [`Policy::reach`] may prove that there is nothing to be found.
///
/// See [the module](super) for an example.
#[derive(Clone, Debug)]
pub struct Explorer {
    policy: Policy,
    seed: u64,
    changes: usize,
}

/// The extent of a run that broke nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explored {
    /// The number of sequences.
    pub sequences: usize,
    /// The number of changes that were made in all of them.
    pub changes: usize,
}

/// Changes that break an invariant.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Counterexample {
    /// The changes, none of which can be left out; empty if the policy itself breaks it.
    pub changes: Vec<ActorChange>,
    /// The policy that they lead to.
    pub policy: Policy,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changes.is_empty() {
            return f.write_str("the policy itself breaks the invariant");
        }
        f.write_str("the invariant is broken by")?;
        self.changes.iter().try_for_each(|change| write!(f, "\n  {change}"))
    }
}

impl std::error::Error for Counterexample {}

impl Explorer {
    /// The number of changes that sequences have, unless another is set.
    const CHANGES: usize = 8;

    /// Makes an explorer of a policy.
    pub fn new(policy: &Policy) -> Explorer {
        Explorer { policy: policy.clone(), seed: 0, changes: Explorer::CHANGES }
    }

    /// Sets the seed of the random numbers: another one explores other sequences.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Explorer {
        Explorer { seed, ..self }
    }

    /// Sets the number of changes that a sequence tries, 8 if it is not set.
    #[must_use]
    pub fn with_changes(self, changes: usize) -> Explorer {
        Explorer { changes, ..self }
    }

    /// Plays that many sequences of changes by some users, the actors, and checks an invariant
    /// after every change that is made.
    ///
    /// Each change costs what it costs to apply it and to follow it with an engine, and what the
    /// invariant costs.
    ///
    /// # Errors
    ///
    /// When the invariant is `false`: with the fewest changes that make it so, as far as
    /// leaving out changes and ops shows.
    pub fn run(
        &self,
        actors: &[&str],
        sequences: usize,
        invariant: impl Fn(&Engine) -> bool,
    ) -> Result<Explored, Counterexample> {
        let first = Engine::new(&self.policy);
        if !invariant(&first) {
            return Err(Counterexample { changes: Vec::new(), policy: self.policy.clone() });
        }
        let mut explored = Explored::default();
        let mut random = self.random();
        for _ in 0..sequences {
            explored.sequences = explored.sequences.saturating_add(1);
            let mut engine = first.clone();
            let mut changes = Vec::new();
            for (change, policy) in play(&self.policy, actors, &random()) {
                explored.changes = explored.changes.saturating_add(1);
                changes.push(change);
                engine = engine.updated(&policy);
                if !invariant(&engine) {
                    return Err(self.reduced(Counterexample { changes, policy }, &invariant));
                }
            }
        }
        Ok(explored)
    }

    /// Returns a function that returns the numbers of the next sequence.
    fn random(&self) -> impl FnMut() -> Vec<Choices> + use<> {
        let mut seed = [0; 32];
        seed.iter_mut().zip(self.seed.to_le_bytes()).for_each(|(byte, from)| *byte = from);
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(Config::default(), random);
        let strategy = vec(any::<Choices>(), self.changes);
        move || strategy.new_tree(&mut runner).map(|tree| tree.current()).unwrap_or_default()
    }

    /// Leaves out changes, and ops of edits, as long as the invariant is still broken.
    fn reduced(
        &self,
        mut found: Counterexample,
        invariant: &dyn Fn(&Engine) -> bool,
    ) -> Counterexample {
        loop {
            let mut smaller = smaller(&found.changes).into_iter();
            match smaller.find_map(|changes| self.breaks(&changes, invariant)) {
                Some(smaller) => found = smaller,
                None => return found,
            }
        }
    }

    /// Returns the changes up to the one that breaks the invariant, without those that are
    /// refused; `None` if none breaks it.
    fn breaks(
        &self,
        changes: &[ActorChange],
        invariant: &dyn Fn(&Engine) -> bool,
    ) -> Option<Counterexample> {
        let (mut policy, mut kept) = (self.policy.clone(), Vec::new());
        for change in changes {
            let Some(next) = made(&policy, change) else { continue };
            policy = next;
            kept.push(change.clone());
            if !invariant(&Engine::new(&policy)) {
                return Some(Counterexample { changes: kept, policy });
            }
        }
        None
    }
}

/// Returns the sequences that have one change, one op or one cascade less.
fn smaller(changes: &[ActorChange]) -> Vec<Vec<ActorChange>> {
    let mut smaller = Vec::new();
    for at in 0..changes.len() {
        let mut fewer = changes.to_vec();
        fewer.remove(at);
        smaller.push(fewer);
    }
    for (at, change) in changes.iter().enumerate() {
        for lighter in lighter(&change.change) {
            let mut all = changes.to_vec();
            if let Some(place) = all.get_mut(at) {
                place.change = lighter;
            }
            smaller.push(all);
        }
    }
    smaller
}

/// Returns the edits that have one op less, or no cascade.
fn lighter(change: &Change) -> Vec<Change> {
    let Change::Edit { source, ops, cascade } = change else { return Vec::new() };
    let edit = |ops, cascade| Change::Edit { source: source.clone(), ops, cascade };
    let without = (0..ops.len()).filter(|_| ops.len() > 1).map(|at| {
        let mut fewer = ops.clone();
        fewer.remove(at);
        edit(fewer, *cascade)
    });
    let plain = cascade.then(|| edit(ops.clone(), false));
    without.chain(plain).collect()
}

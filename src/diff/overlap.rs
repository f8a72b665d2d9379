//! Compares conditions before and after, by their decision diagrams.

use std::ops::BitOr;

use smallvec::SmallVec;

use crate::filter::diagram::{ALL, Diagram, Diagrams, Variable};
use crate::names::HashMap;

/// The answers that are possible together: before and after.
pub(super) type Answers = SmallVec<[(usize, usize); 6]>;

/// A set of the outcomes that two conditions, one before and one after, have on the same
/// object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Overlap(u8);

impl Overlap {
    pub(super) const NEITHER: Overlap = Overlap(0b0001);
    pub(super) const AFTER: Overlap = Overlap(0b0010);
    pub(super) const BEFORE: Overlap = Overlap(0b0100);
    pub(super) const BOTH: Overlap = Overlap(0b1000);
    pub(super) const ALL: Overlap = Overlap(0b1111);

    /// The outcome on a single object, given whether it passes.
    pub(super) fn of(before: bool, after: bool) -> Overlap {
        match (before, after) {
            (false, false) => Overlap::NEITHER,
            (false, true) => Overlap::AFTER,
            (true, false) => Overlap::BEFORE,
            (true, true) => Overlap::BOTH,
        }
    }

    /// Returns whether it has some of these outcomes.
    pub(super) fn meets(self, others: Overlap) -> bool {
        self.0 & others.0 != 0
    }

    /// Returns whether others have all outcomes of this one.
    pub(super) fn is_within(self, others: Overlap) -> bool {
        self.0 & !others.0 == 0
    }

    /// Returns whether the two conditions agree on every object.
    pub(super) fn is_same(self) -> bool {
        !self.meets(Overlap::BEFORE | Overlap::AFTER)
    }

    /// Returns those of some answers whose outcome is in this set.
    pub(super) fn select<const N: usize>(self, each: [(Overlap, (usize, usize)); N]) -> Answers {
        let selected = each.into_iter().filter(|&(outcome, _)| self.meets(outcome));
        selected.map(|(_, answers)| answers).collect()
    }
}

impl BitOr for Overlap {
    type Output = Overlap;

    fn bitor(self, other: Overlap) -> Overlap {
        Overlap(self.0 | other.0)
    }
}

impl Diagrams<'_> {
    /// Compares two diagrams, over the answers that are possible together; `None` if that
    /// would take too long. `known` are the results so far.
    pub(super) fn overlap(
        &self,
        before: Diagram,
        after: Diagram,
        answers: &HashMap<Variable, Answers>,
        known: &mut HashMap<(Diagram, Diagram), Overlap>,
    ) -> Option<Overlap> {
        let Some(variable) = self.first(&[before, after]) else {
            return Some(Overlap::of(before == ALL, after == ALL));
        };
        if let Some(&known) = known.get(&(before, after)) {
            return Some(known);
        }
        if known.len() > Self::MOST_STEPS {
            return None;
        }
        let (befores, afters) = (self.after(before, variable), self.after(after, variable));
        let mut overlap = Overlap::default();
        for &(one, other) in answers.get(&variable)? {
            let (before, after) = (*befores.get(one)?, *afters.get(other)?);
            overlap = overlap | self.overlap(before, after, answers, known)?;
            if overlap | Overlap::NEITHER == Overlap::ALL {
                break;
            }
        }
        known.insert((before, after), overlap);
        Some(overlap)
    }
}

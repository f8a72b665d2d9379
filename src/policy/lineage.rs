//! Lineages: which handles are valid where, and the numbers that they carry.
//!
//! The versions of a policy are a lineage of users, and the catalogues that follow each other
//! are one of permissions, which many policies may share. Every lineage has a range of its own
//! of all the numbers that there are, so that a handle, whose number lies in the range of its
//! lineage, lies in no other.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Users;
use super::generation::{Given, Seat};
use crate::catalogue::Catalogue;
use crate::names::{NameMap, number};

/// The range of numbers of a lineage, or of a generation of users.
///
/// There are 2³⁸ of them: a process that takes a thousand in a second has taken all after
/// eight years. From then on it gets [`HandleRange::NONE`], whose handles are nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HandleRange {
    /// The first number: a multiple of the size of a range.
    pub(crate) begin: u64,
}

impl HandleRange {
    /// The size of a range: the most users, or permissions, that ever are in a lineage.
    pub(crate) const SIZE: usize = 1 << 26;

    /// The range of those who come too late. Nobody has it, nor the one after it, so it has
    /// no handles.
    pub(crate) const NONE: HandleRange = HandleRange { begin: 0 };

    /// The first of so many ranges that nobody else in this process has.
    pub(super) fn next(count: u64) -> HandleRange {
        static NEXT: AtomicU64 = AtomicU64::new(2 * HandleRange::SIZE as u64);
        HandleRange::take(&NEXT, count)
    }

    fn take(next: &AtomicU64, count: u64) -> HandleRange {
        let after = |begin: u64| begin.checked_add(count.checked_mul(HandleRange::SIZE as u64)?);
        let taken = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after);
        taken.map_or(HandleRange::NONE, |begin| HandleRange { begin })
    }

    /// The distance from a range that was taken before, in ranges; `None` if this is none.
    pub(super) fn distance(self, before: HandleRange) -> Option<u64> {
        Some(self.begin.checked_sub(before.begin)? / HandleRange::SIZE as u64)
    }
}

/// The lineage of a policy: its users keep their slots in later versions.
#[derive(Clone, Debug)]
pub(crate) struct UserLineage {
    pub(crate) range: HandleRange,
    /// Shared by all versions: two made from the same one must not give one slot to two
    /// users of the same generation.
    given: Arc<Mutex<Given>>,
}

impl UserLineage {
    /// The lineage of a first version with these users.
    pub(super) fn first(users: &Users) -> UserLineage {
        // The second range is that of users in versions that go no further.
        let range = HandleRange::next(2);
        UserLineage { range, given: Arc::new(Mutex::new(Given::new(range, users.slots()))) }
    }

    /// Takes a seat for a new user of a version; none once all slots are used up.
    pub(crate) fn seat(&self, users: &mut Users) -> Option<Seat> {
        users.find_vacant(|slot| self.with_given(|given| given.give(slot)), HandleRange::SIZE)
    }

    /// Gives back a seat in a version of which there are no handles.
    pub(crate) fn give_back(&self, seat: Seat) {
        self.with_given(|given| given.take_back(seat));
    }

    fn with_given<T>(&self, call: impl FnOnce(&mut Given) -> T) -> T {
        call(&mut self.given.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns `true` if two versions are of the same policy.
    pub(crate) fn is(&self, other: &UserLineage) -> bool {
        Arc::ptr_eq(&self.given, &other.given)
    }
}

/// The lineage of a catalogue: its permissions keep their numbers in those that follow it.
///
/// Numbers are positions in the first catalogue, and new ones for names that come later.
#[derive(Clone, Debug)]
pub(crate) struct PermissionLineage {
    pub(crate) range: HandleRange,
    /// The number of every name that there ever was; `None` in a first catalogue, where
    /// numbers are positions.
    known: Option<Arc<NameMap<u32>>>,
    /// The next new number, shared by all that follow: two made from the same one must
    /// not give one number to two names.
    next: Arc<AtomicU32>,
}

impl PermissionLineage {
    /// The lineage of a first catalogue.
    pub(super) fn first(catalogue: &Catalogue) -> PermissionLineage {
        let next = Arc::new(AtomicU32::new(number(catalogue.bits())));
        PermissionLineage { range: HandleRange::next(1), known: None, next }
    }

    /// The number of a name, which is at that position now.
    pub(crate) fn of(&self, name: &str, position: usize) -> Option<u32> {
        match &self.known {
            None => Some(number(position)),
            Some(known) => known.get(name).copied(),
        }
    }

    /// Returns `true` if the number of each name is its position.
    pub(crate) fn are_positions(&self) -> bool {
        self.known.is_none()
    }

    /// A number above all of this catalogue's, which has that many names.
    pub(crate) fn end(&self, names: usize) -> usize {
        let end = match &self.known {
            None => names,
            Some(known) => known.values().max().map_or(0, |&last| last as usize + 1),
        };
        end.min(HandleRange::SIZE)
    }

    /// The numbers of another catalogue that follows.
    pub(super) fn follow(&self, before: &Catalogue, after: &Catalogue) -> PermissionLineage {
        let mut known = match &self.known {
            Some(known) => NameMap::clone(known),
            None => before.thresholds().zip(0..).map(|(name, at)| (name.into(), at)).collect(),
        };
        for name in after.thresholds() {
            if !known.contains_key(&*name)
                && let Some(next) = self.next()
            {
                known.insert(name.into(), next);
            }
        }
        PermissionLineage { known: Some(Arc::new(known)), ..self.clone() }
    }

    /// A new number; none once all are taken.
    fn next(&self) -> Option<u32> {
        let after =
            |next: u32| (next as usize).lt(&HandleRange::SIZE).then(|| next.saturating_add(1));
        self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after).ok()
    }
}

/// A compiled catalogue with its lineage, as policies share it.
#[derive(Clone, Debug)]
pub(crate) struct SharedCatalogue {
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) lineage: PermissionLineage,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_never_taken_twice() {
        let next = AtomicU64::new(u64::MAX - 3 * HandleRange::SIZE as u64 + 1);
        let (first, second) = (HandleRange::take(&next, 1), HandleRange::take(&next, 1));
        assert_eq!(second.distance(first), Some(1));
        for count in [1, 2, u64::MAX] {
            let none = HandleRange::take(&next, count);
            assert_eq!((none, none.distance(first)), (HandleRange::NONE, None));
        }
    }
}

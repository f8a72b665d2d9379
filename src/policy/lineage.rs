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

/// The range of numbers of a lineage.
///
/// There are 2³⁷ of them: a process that takes a thousand in a second has taken all after
/// four years. From then on it gets [`HandleRange::NONE`], whose handles are nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HandleRange {
    /// The first number: a multiple of the size of a range.
    pub(crate) begin: u64,
}

impl HandleRange {
    /// The size of a range: the most users, or permissions, that ever are in a lineage.
    pub(crate) const SIZE: usize = 1 << 27;

    /// The number of slots of users, whose handles have the first half of a range. In the
    /// other half are those of users whose slots had others before.
    pub(crate) const SLOTS: usize = HandleRange::SIZE / 2;

    /// The range of those who come too late. No lineage has it, so it has no handles.
    pub(crate) const NONE: HandleRange = HandleRange { begin: 0 };

    /// A range that no other lineage of this process has.
    fn next() -> HandleRange {
        static NEXT: AtomicU64 = AtomicU64::new(HandleRange::SIZE as u64);
        HandleRange::take(&NEXT)
    }

    fn take(next: &AtomicU64) -> HandleRange {
        let after = |begin: u64| begin.checked_add(HandleRange::SIZE as u64);
        let taken = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after);
        taken.map_or(HandleRange::NONE, |begin| HandleRange { begin })
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
        let given = Given::new(users.slots());
        UserLineage { range: HandleRange::next(), given: Arc::new(Mutex::new(given)) }
    }

    /// Takes a seat for a new user of a version; none once all slots are used up.
    pub(crate) fn seat(&self, users: &mut Users) -> Option<Seat> {
        users.find_vacant(|slot| self.with_given(|given| given.give(slot)), HandleRange::SLOTS)
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
    /// `true` if a policy has it from another, as a tenant, of whom there may be thousands.
    pub(crate) is_taken: bool,
}

impl PermissionLineage {
    /// The lineage of a first catalogue.
    pub(super) fn first(catalogue: &Catalogue) -> PermissionLineage {
        let next = Arc::new(AtomicU32::new(number(catalogue.bits())));
        PermissionLineage { range: HandleRange::next(), known: None, next, is_taken: false }
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

    /// The lineage, as another policy takes it.
    pub(super) fn taken(self) -> PermissionLineage {
        PermissionLineage { is_taken: true, ..self }
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
        let (first, second) = (HandleRange::take(&next), HandleRange::take(&next));
        assert_eq!(second.begin - first.begin, HandleRange::SIZE as u64);
        for _ in 0..3 {
            assert_eq!(HandleRange::take(&next), HandleRange::NONE);
        }
    }
}

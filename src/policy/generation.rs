//! Slots that are used again, and the generations that tell their users apart.
//!
//! A slot that a user has left is given to a new one, under the next generation. Each generation
//! has a [range](HandleRange) of handles of its own, as each lineage has. So a handle has the
//! generation of its user, and is read only where the slot is of that generation. This is
//! checked where it may fail, and nobody else pays for it:
//!
//! - The class of a user whose slot had others before has a mark, as that of one who has
//!   assignments. So a handle of the first generation, whose user is gone, finds no row.
//! - The handle of such a user lies beyond the slots. So it finds no class, in a version before
//!   in which the slot had its first user either.
//!
//! Generations are given out once, over all versions of a policy, whether they come to be used
//! or not: a handle from a version that was discarded is nobody's in every other. A slot that
//! has had its last generation is left vacant for good.

use super::lineage::HandleRange;
use crate::chunked::Chunked;
use crate::ids::{Key, Number, UserSlot};

/// The generation of a slot's user: the distance of its range from that of the lineage, in
/// ranges. The first user of a slot has 0.
pub(crate) type Generation = u64;

/// The generation of users in versions that go no further: the range after the lineage's.
pub(super) const LAST: Generation = 1;

/// A slot for a user, and the generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Seat {
    pub(crate) slot: UserSlot,
    pub(crate) generation: Generation,
}

/// The generations that were given out, over all versions of a policy.
#[derive(Debug)]
pub(super) struct Given {
    /// The range of the first generation.
    range: HandleRange,
    /// The ranges of those after it: of one, of the next two, of the next four and so on, so
    /// that few need be kept.
    later: Vec<HandleRange>,
    /// The number of users of the first version, who have the first generation.
    first: usize,
    /// The number of generations of each slot.
    counts: Chunked<u32, 1024>,
}

impl Given {
    pub(super) fn new(range: HandleRange, first: usize) -> Given {
        Given { range, later: Vec::new(), first, counts: Chunked::default() }
    }

    fn count(&self, slot: UserSlot) -> u32 {
        let count = self.counts.get(slot.index()).copied().unwrap_or(0);
        count.max(u32::from(slot.index() < self.first))
    }

    /// The generation after so many of a slot; none once the process has no more ranges.
    fn after(&mut self, count: u32) -> Option<Generation> {
        let Some(doublings) = count.checked_ilog2() else { return Some(0) };
        while self.later.len() <= doublings as usize {
            self.later.push(HandleRange::next(1 << self.later.len()));
        }
        let first = self.later.get(doublings as usize)?.distance(self.range)?;
        Some(first + u64::from(count - (1 << doublings)))
    }

    /// Gives out the next generation of a slot; none if it has had its last.
    pub(super) fn give(&mut self, slot: UserSlot) -> Option<Seat> {
        let count = self.count(slot);
        let (next, generation) = (count.checked_add(1)?, self.after(count)?);
        self.counts.set(slot.index(), next);
        Some(Seat { slot, generation })
    }

    /// Takes back a seat that nobody has seen, unless the slot was given out again since.
    pub(super) fn take_back(&mut self, Seat { slot, generation }: Seat) {
        if let Some(before) = self.count(slot).checked_sub(1)
            && self.after(before) == Some(generation)
        {
            self.counts.set(slot.index(), before);
        }
    }
}

/// The slots that are vacant in a version.
#[derive(Clone, Debug, Default)]
pub(super) struct Vacant {
    /// The slots that users have left, and perhaps others behind them.
    left: Chunked<UserSlot, 256>,
    count: usize,
    /// The end of the slots that the version or one before it has used.
    end: usize,
}

impl Vacant {
    /// Returns the slots after those of a first version.
    pub(super) fn after(end: usize) -> Vacant {
        Vacant { end, ..Vacant::default() }
    }

    /// Notes that a user has left a slot.
    pub(super) fn leave(&mut self, slot: UserSlot) {
        self.left.set(self.count, slot);
        self.count = self.count.saturating_add(1);
    }

    /// Finds a slot, up to the greatest: the one that was left last, or else a new one. Slots
    /// for which `give` returns nothing are no longer vacant.
    pub(super) fn find<T>(
        &mut self,
        give: impl Fn(UserSlot) -> Option<T>,
        most: usize,
    ) -> Option<T> {
        while let Some(last) = self.count.checked_sub(1) {
            self.count = last;
            let given = self.left.get(last).and_then(|&slot| give(slot));
            if given.is_some() {
                return given;
            }
        }
        while self.end < most {
            let slot = UserSlot::new(self.end);
            self.end = self.end.saturating_add(1);
            let given = give(slot);
            if given.is_some() {
                return given;
            }
        }
        None
    }

    pub(super) fn bytes(&self) -> usize {
        self.left.bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn given(first: usize) -> Given {
        Given::new(HandleRange::next(2), first)
    }

    #[test]
    fn a_generation_is_given_once() {
        let given = RefCell::new(given(10));
        let mut left = Vacant::after(10);
        left.leave(UserSlot::new(3));
        let give = |slot| given.borrow_mut().give(slot);
        let mut seats: Vec<Seat> = Vec::new();
        for turn in 0..100 {
            // Each from the same version, as if the one before had been discarded.
            let seat = left.clone().find(give, 12).expect("there is room");
            if turn % 2 == 0 {
                given.borrow_mut().take_back(seat);
            } else {
                seats.push(seat);
            }
        }
        assert!(seats.iter().all(|seat| seat.slot == UserSlot::new(3)));
        // Generations of policies that share the ranges of a process are ascending, too.
        assert!(seats.is_sorted_by(|one, next| one.generation < next.generation));
        assert!(seats.iter().all(|seat| seat.generation > LAST));
        assert_eq!((seats.len(), given.borrow().later.len()), (50, 6));
    }

    #[test]
    fn ten_years_of_a_thousand_users_a_day_take_a_thousand_slots() {
        let given = RefCell::new(given(0));
        let give = |slot| given.borrow_mut().give(slot);
        let mut vacant = Vacant::default();
        let mut last = vec![None; 1_000];
        let mut bytes = 0;
        for day in 0..3_650 {
            let seats: Vec<Seat> =
                (0..1_000).filter_map(|_| vacant.find(give, HandleRange::SIZE)).collect();
            for seat in &seats {
                // Later than all of that slot before.
                assert!(last[seat.slot.index()] < Some(seat.generation));
                last[seat.slot.index()] = Some(seat.generation);
                vacant.leave(seat.slot);
            }
            if day == 0 {
                bytes = vacant.bytes();
            }
            assert_eq!((seats.len(), vacant.end, vacant.count), (1_000, 1_000, 1_000));
        }
        // Of 3,650 generations, there are twelve ranges to be kept.
        assert_eq!((vacant.bytes(), given.borrow().later.len()), (bytes, 12));
    }

    #[test]
    fn a_slot_is_given_up_after_the_last_generation() {
        let mut given = given(1);
        given.counts.set(0, u32::MAX - 1);
        // Drawn, they would be a share of all that there are.
        given.later = vec![given.range; 32];
        let seat = given.give(UserSlot::new(0)).expect("there is one more");
        let given = RefCell::new(given);
        let give = |slot| given.borrow_mut().give(slot);
        let mut vacant = Vacant::after(1);
        vacant.leave(seat.slot);
        assert_eq!(vacant.find(give, 2), Some(Seat { slot: UserSlot::new(1), generation: 0 }));
        // There are no more slots.
        assert_eq!(vacant.find(give, 2), None);
    }

    #[test]
    fn a_slot_is_left_vacant_where_there_are_no_more_ranges() {
        let mut given = given(1);
        given.later = vec![HandleRange::NONE];
        assert_eq!(given.give(UserSlot::new(0)), None);
        let first = Seat { slot: UserSlot::new(1), generation: 0 };
        assert_eq!((given.give(first.slot), given.give(first.slot)), (Some(first), None));
    }
}

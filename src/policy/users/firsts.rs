//! Everything that several users have, with the first user who has it.

use super::Users;
use crate::ids::{AssignmentListId, ClassId, GroupListId, IdVec, Number, UserSlot};

impl Users {
    /// The classes, each with its first user, in the order of these.
    pub(crate) fn first_of_classes(&self) -> Vec<(UserSlot, ClassId)> {
        let classes = self.of_class.iter().map(|class| class.marked(false));
        firsts(classes, self.class_slots())
    }

    /// The lists of groups, each with its first user, in the order of these.
    pub(crate) fn first_of_groups(&self) -> Vec<(UserSlot, GroupListId)> {
        firsts(self.of_groups.iter().copied(), self.group_slots())
    }

    /// The lists of assignments, each with its first user, in the order of these, and the
    /// number of its users.
    pub(crate) fn first_of_assignments(&self) -> Vec<(UserSlot, AssignmentListId, usize)> {
        let firsts = firsts(self.of_assignments.iter().copied(), self.assignment_slots());
        let count = |list| self.assignments.count(list) as usize;
        firsts.into_iter().map(|(slot, list)| (slot, list, count(list))).collect()
    }
}

/// Returns each number with the first slot that has it; 0 is the number of nothing.
fn firsts<I: Number>(numbers: impl Iterator<Item = I>, end: usize) -> Vec<(UserSlot, I)> {
    let mut seen = IdVec::filled(end, false);
    let mut is_new = |number: I| number.index() != 0 && !std::mem::replace(&mut seen[number], true);
    let slots = numbers.enumerate().filter(|&(_, number)| is_new(number));
    slots.map(|(slot, number)| (UserSlot::new(slot), number)).collect()
}

//! The users of a document in the slots of a version before.

use super::{Texts, Users};
use crate::ids::{AssignmentListId, Key, Number, UserSlot};
use crate::policy::generation::Seat;

impl Users {
    /// Puts the users of a document each in the slot that a user of the same name has in a
    /// version before, or in one that is found for a new user. Returns `None` if none is found.
    ///
    /// The slots of users who are gone are left.
    // Names stay as they are in the version before, except for those who come and go. All that
    // is numbered keeps the numbers that it was given when the document was resolved, so that
    // nothing is looked up but names.
    pub(crate) fn seated(
        self,
        before: &Users,
        find: impl Fn(&mut Users) -> Option<Seat>,
    ) -> Option<Users> {
        let mut users = Users {
            names: before.names.clone(),
            generations: before.generations.clone(),
            vacant: before.vacant.clone(),
            texts: before.texts.clone(),
            ..Users::default()
        };
        users.names.reserve(self.len());
        let mut known = 0;
        let mut next = UserSlot::default();
        for (at, name) in self.names.iter() {
            // Most come in the order that they have.
            let is_next = before.names.get(next) == Some(name);
            let seat = match if is_next { Some(next) } else { before.find(name) } {
                Some(slot) => {
                    known += 1;
                    before.seat(slot)
                }
                None => {
                    let seat = find(&mut users)?;
                    users.take_seat(seat, name);
                    seat
                }
            };
            next = seat.slot.plus(1);
            users.take_numbers(seat, &self, at);
            if self.texts(at) != users.texts(seat.slot) {
                users.set_texts(seat.slot, self.texts(at).cloned().unwrap_or_default());
            }
        }
        if known < before.len() {
            for (slot, name) in before.names.iter() {
                if self.find(name).is_none() {
                    users.names.remove(slot);
                    users.set_texts(slot, Texts::default());
                    users.vacant.leave(slot);
                }
            }
        }
        let Users { classes, groups, assignments, capacities, .. } = self;
        Some(Users { classes, groups, assignments, capacities, ..users })
    }

    /// Gives a slot the numbers of another user.
    fn take_numbers(&mut self, seat: Seat, other: &Users, at: UserSlot) {
        let (class, groups, assignments) = other.likeness(at);
        let has_assignments = assignments != AssignmentListId::EMPTY;
        let Seat { slot, generation } = seat;
        self.of_class.set(slot.index(), class.marked(has_assignments || generation != 0));
        self.of_groups.set(slot.index(), groups);
        if has_assignments {
            self.of_assignments.set(slot.index(), assignments);
        }
    }
}

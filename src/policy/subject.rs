//! Users that the document does not have (design, section 8).

use std::sync::Arc;

use super::{Inner, Resolver, SourceKind, Texts};
use crate::document::UserEntry;
use crate::ids::{GroupId, Number, UserSlot};
use crate::problem::{Faults, Place, ProblemKind, Problems};

impl Inner {
    /// Makes a version that has a user more, or another in the place of the one of that
    /// name. The version must go no further: the handle of a new user is of this version.
    ///
    /// # Errors
    ///
    /// All problems of the entry.
    pub(crate) fn with_user(
        &self,
        name: &str,
        entry: &UserEntry,
    ) -> Result<(Inner, UserSlot), Problems> {
        let mut faults = Faults::new(Vec::new(), self.limits);
        let place = Place::Root;
        faults.check_text(&place.key("name"), name);
        let (catalogue, sources) = (&*self.catalogue, &self.sources);
        let mut resolver = Resolver { catalogue, sources, faults: &mut faults };
        let class = resolver.class(entry, &place);
        let mut version = self.clone();
        let list = place.key("groups");
        for (at, group) in entry.groups.iter().enumerate() {
            resolver.faults.check_text(&list.item(at), group);
        }
        let groups = version.numbers(&entry.groups);
        let assignments = if entry.assignments.is_empty() {
            Vec::new()
        } else {
            let groups = Arc::make_mut(&mut version.groups);
            resolver.assignments(&entry.assignments, &place, groups)
        };
        let known = self.users.find(name);
        let roles = sources.only(&class.sources, SourceKind::Role);
        for &role in roles.iter().filter(|&&role| sources[role].unique) {
            let mut holders = self.holders(role).into_iter();
            if let Some(holder) = holders.find(|&holder| Some(holder) != known) {
                let role = sources.name(role).to_owned();
                let holder = self.users.name(holder).to_owned();
                faults.push(&place.key("roles"), ProblemKind::UniqueHeld { role, holder });
            }
        }
        if let Some(problems) = Problems::new(faults.into_problems()) {
            return Err(problems);
        }
        let seat = known.map_or_else(|| self.users.last_seat(), |slot| self.users.seat(slot));
        let slot = seat.slot;
        match known {
            Some(slot) => {
                version.users.set_assignments(slot, &[]);
                version.users.set_class(slot, &class);
                version.users.set_groups(slot, &groups);
            }
            None => version.users.insert(seat, name, &class, &groups),
        }
        version.users.set_assignments(slot, &assignments);
        version.users.set_texts(slot, Texts::new(entry.label.clone(), entry.description.clone()));
        Ok((version, slot))
    }

    /// Returns the numbers of groups, and gives new ones to those that are not known.
    pub(crate) fn numbers(&mut self, groups: &[String]) -> Vec<GroupId> {
        let number = |name: &String| {
            let known = self.groups.parents.get_index_of(name.as_str()).map(GroupId::new);
            known.unwrap_or_else(|| Arc::make_mut(&mut self.groups).number(name))
        };
        groups.iter().map(number).collect()
    }
}

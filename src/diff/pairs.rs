//! Matches users by name, and joins those who are alike into pairs of classes.

use std::sync::Arc;

use super::BeforeAfter;
use super::overlap::Overlap;
use crate::document::RelationType;
use crate::engine::Engine;
use crate::ids::{AssignmentListId, ClassId, GroupListId, IdVec, Number, UserSlot};
use crate::names::{HashMap, IndexMap};
use crate::policy::Difference;

/// Users who are alike, before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pair {
    /// The classes; `VACANT` before of users who are new, after of those removed.
    pub(super) classes: BeforeAfter<ClassId>,
    pub(super) related: Related,
    pub(super) assigned: Option<AssignedPair>,
}

/// The assignments of users who have any, and all that their terms may depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AssignedPair {
    lists: BeforeAfter<AssignmentListId>,
    pub(super) groups: BeforeAfter<GroupListId>,
    /// The user, if the terms name the user.
    named: Option<UserSlot>,
}

/// The users of a pair.
#[derive(Debug)]
pub(super) struct Alike {
    /// One of them, before and after.
    pub(super) one: BeforeAfter<Option<UserSlot>>,
    /// Their slots after, or before if they are gone.
    pub(super) slots: Vec<UserSlot>,
}

/// The states that a relation can have for the user before and after at the same time:
/// the sides on which some name may be the user's, by whose names the relation carries
/// before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Related {
    groups: Overlap,
    user_then_groups: Overlap,
    groups_then_user: Overlap,
}

/// Compares unchanged names, if there are any.
fn unchanged(any: bool) -> Overlap {
    if any { Overlap::BOTH } else { Overlap::default() }
}

/// Compares the names that are the user's before and after, which are sorted.
fn compared(before: &[&str], after: &[&str]) -> Overlap {
    let mut overlap = unchanged(!before.is_empty() && !after.is_empty());
    if before.iter().any(|name| after.binary_search(name).is_err()) {
        overlap = overlap | Overlap::BEFORE;
    }
    if after.iter().any(|name| before.binary_search(name).is_err()) {
        overlap = overlap | Overlap::AFTER;
    }
    overlap
}

impl Related {
    pub(super) fn of(&self, before: RelationType, after: RelationType) -> Overlap {
        match (before, after) {
            (RelationType::User, RelationType::User) => Overlap::BOTH,
            (RelationType::Group, RelationType::Group) => self.groups,
            (RelationType::User, RelationType::Group) => self.user_then_groups,
            (RelationType::Group, RelationType::User) => self.groups_then_user,
        }
    }

    /// Returns whether every relation has the same state for the user before and after,
    /// given the same catalogue.
    pub(super) fn is_same(&self) -> bool {
        self.groups.is_same()
    }
}

/// Returns the pairs that may differ.
pub(super) fn pairs(before: &Engine, after: &Engine, aligned: bool) -> IndexMap<Pair, Alike> {
    let (old, new) = (before.policy().inner(), after.policy().inner());
    let mut matching = Matching::new(before, after, aligned);
    let slots = if old.lineage.is(&new.lineage) {
        matching.changed_slots()
    } else {
        UserSlot::first(old.users.slots().max(new.users.slots())).collect()
    };
    for slot in slots {
        let was = old.users.get(slot).map(|(name, _)| name);
        let is = new.users.get(slot).map(|(name, _)| name);
        // Versions mostly share the same text in memory.
        if let (Some(was), Some(is)) = (was, is)
            && (std::ptr::eq(was, is) || was == is)
        {
            matching.add(Some(slot), Some(slot));
            continue;
        }
        if was.is_some_and(|name| new.users.find(name).is_none()) {
            matching.add(Some(slot), None);
        }
        if let Some(name) = is {
            matching.add(old.users.find(name), Some(slot));
        }
    }
    matching.pairs
}

/// Builds the pairs.
struct Matching<'e> {
    before: &'e Engine,
    after: &'e Engine,
    /// True if some relation names groups.
    by_groups: bool,
    /// True if some relation names users before and groups after, or the other way
    /// round.
    across: bool,
    groups: HashMap<(GroupListId, GroupListId), Overlap>,
    pairs: IndexMap<Pair, Alike>,
}

impl<'e> Matching<'e> {
    fn new(before: &'e Engine, after: &'e Engine, aligned: bool) -> Matching<'e> {
        let kinds = |engine: &'e Engine| &engine.policy().inner().catalogue.kinds;
        let by_groups = |engine| {
            let mut relations = kinds(engine).values().flat_map(|kind| kind.relations.values());
            relations.any(|&names| names == RelationType::Group)
        };
        let across = kinds(before).iter().any(|(kind, declared)| {
            let known = kinds(after).get(kind).map(|kind| &kind.relations);
            let mut relations = declared.relations.iter();
            relations.any(|(name, names)| {
                known.and_then(|known| known.get(name)).is_some_and(|other| other != names)
            })
        });
        Matching {
            before,
            after,
            by_groups: by_groups(before) || by_groups(after),
            across: !aligned && across,
            groups: HashMap::default(),
            pairs: IndexMap::default(),
        }
    }

    /// Returns the slots of the users who may differ, or be others, between two versions
    /// of a policy.
    fn changed_slots(&self) -> Vec<UserSlot> {
        let (before, after) = (self.before, self.after);
        let (old, new) = (before.policy().inner(), after.policy().inner());
        let one_catalogue = Arc::ptr_eq(&old.catalogue, &new.catalogue);
        let mut classes = IdVec::filled(new.users.class_slots(), !one_catalogue);
        // What terms cover may depend on the groups.
        let same_terms = one_catalogue && Arc::ptr_eq(&old.groups, &new.groups);
        let mut assignments = IdVec::filled(new.users.assignment_slots(), !same_terms);
        for (list, _) in new.users.assignments_since(&old.users) {
            assignments[list] = true;
        }
        if one_catalogue {
            for (class, _) in new.users.classes_since(&old.users) {
                classes[class] = true;
            }
            let difference = Difference::new(old, new);
            if !difference.is_empty() {
                let touched = new.users.classes().filter(|(_, class)| difference.touches(class));
                touched.for_each(|(class, _)| classes[class] = true);
                for (list, assigned) in new.users.assignment_lists() {
                    let capacities =
                        assigned.iter().filter_map(|it| new.users.capacity(it.capacity));
                    let mut own = capacities.map(|it| &it.own.sources);
                    assignments[list] |= own.any(|own| difference.touches_sources(own));
                }
            }
        }
        let same_groups = !self.by_groups || Arc::ptr_eq(&old.groups, &new.groups);
        let differs =
            |list| !same_groups && before.groups_of_list(list) != after.groups_of_list(list);
        let lists = GroupListId::first(new.users.group_slots());
        let mut groups: IdVec<GroupListId, bool> = lists.map(differs).collect();
        if self.by_groups {
            for (list, _) in new.users.groups_since(&old.users) {
                groups[list] = true;
            }
        }
        new.users.slots_since(&old.users, &classes, &groups, &assignments)
    }

    /// Adds a user who exists before, after, or both.
    fn add(&mut self, before: Option<UserSlot>, after: Option<UserSlot>) {
        let Some(slot) = after.or(before) else { return };
        let (old, new) = (self.before.policy().inner(), self.after.policy().inner());
        let classes = BeforeAfter {
            before: before.map_or(ClassId::VACANT, |slot| old.users.class_of(slot)),
            after: after.map_or(ClassId::VACANT, |slot| new.users.class_of(slot)),
        };
        let one = BeforeAfter { before, after };
        let (related, assigned) = (self.related(before, after), self.assigned(one));
        let alike = self.pairs.entry(Pair { classes, related, assigned });
        alike.or_insert_with(|| Alike { one, slots: Vec::new() }).slots.push(slot);
    }

    fn assigned(&self, user: BeforeAfter<Option<UserSlot>>) -> Option<AssignedPair> {
        let sides = BeforeAfter { before: self.before, after: self.after }.zip(user);
        let sides = sides.map(|(engine, slot)| (&engine.policy().inner().users, slot));
        let lists = sides.map(|(users, slot)| {
            slot.map_or(AssignmentListId::EMPTY, |slot| users.assignments_of(slot))
        });
        if lists == lists.map(|_| AssignmentListId::EMPTY) {
            return None;
        }
        let groups = sides
            .map(|(users, slot)| slot.map_or(GroupListId::EMPTY, |slot| users.groups_of(slot)));
        let is_named = sides.map(|(users, slot)| {
            slot.is_some_and(|slot| {
                let name = users.name(slot);
                users.assigned(slot).iter().any(|it| it.terms.users().any(|user| user == name))
            })
        });
        let named = user.after.or(user.before).filter(|_| is_named.before || is_named.after);
        Some(AssignedPair { lists, groups, named })
    }

    fn related(&mut self, before: Option<UserSlot>, after: Option<UserSlot>) -> Related {
        let (old, new) = (&self.before.policy().inner().users, &self.after.policy().inner().users);
        let lists = (before.map(|slot| old.groups_of(slot)), after.map(|slot| new.groups_of(slot)));
        let groups = match lists {
            _ if !self.by_groups => Overlap::BOTH,
            (Some(before), Some(after)) => self.groups(before, after),
            // The groups of a user who exists on one side only are compared with
            // themselves.
            (list, other) => unchanged(list.or(other).is_some_and(|it| it != GroupListId::EMPTY)),
        };
        let same = Overlap::BOTH;
        let mut related = Related { groups, user_then_groups: same, groups_then_user: same };
        if let (true, Some(slot)) = (self.across, after.or(before)) {
            let name = if after.is_some() { new.name(slot) } else { old.name(slot) };
            // As above, groups on one side only stand for those on the other too.
            let was = lists.0.map(|list| self.before.groups_of_list(list));
            let is = lists.1.map(|list| self.after.groups_of_list(list));
            let befores = was.as_deref().or(is.as_deref()).unwrap_or_default();
            let afters = is.as_deref().or(was.as_deref()).unwrap_or_default();
            related.user_then_groups = compared(&[name], afters);
            related.groups_then_user = compared(befores, &[name]);
        }
        related
    }

    fn groups(&mut self, before: GroupListId, after: GroupListId) -> Overlap {
        *self.groups.entry((before, after)).or_insert_with(|| {
            compared(&self.before.groups_of_list(before), &self.after.groups_of_list(after))
        })
    }
}

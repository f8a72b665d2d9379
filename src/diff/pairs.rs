//! Matches users by name, and joins those who are alike into pairs of classes.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::BeforeAfter;
use crate::document::RelationType;
use crate::engine::Engine;
use crate::ids::{ClassId, GroupListId, IdVec, Number, UserSlot};
use crate::names::{HashMap, keys};
use crate::policy::Difference;

/// Users who are alike, before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pair {
    /// The classes; `VACANT` before of users who are new, after of those removed.
    pub(super) classes: BeforeAfter<ClassId>,
    pub(super) related: Related,
}

/// The states that a relation can have for the user before and after at the same time,
/// depending on the names that are the user's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Related {
    users: Named,
    groups: Named,
    user_then_groups: Named,
    groups_then_user: Named,
}

/// A comparison of the names that are the user's before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Named {
    /// True if there are names on both sides.
    pub(super) both: bool,
    /// True if some name is only among those before, or only among those after.
    pub(super) before_only: bool,
    pub(super) after_only: bool,
}

impl Named {
    /// Compares unchanged names, if there are any.
    const fn same(any: bool) -> Named {
        Named { both: any, before_only: false, after_only: false }
    }

    fn new(before: &[&str], after: &[&str]) -> Named {
        let lacks = |some: &[&str], others: &[&str]| {
            some.iter().any(|name| others.binary_search(name).is_err())
        };
        Named {
            both: !before.is_empty() && !after.is_empty(),
            before_only: lacks(before, after),
            after_only: lacks(after, before),
        }
    }
}

impl Hash for Related {
    /// Hashes all flags at once, as it is called for every user.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let all = [self.users, self.groups, self.user_then_groups, self.groups_then_user];
        let bits = all.into_iter().flat_map(|it| [it.both, it.before_only, it.after_only]);
        state.write_u16(bits.fold(0, |word, bit| word << 1 | u16::from(bit)));
    }
}

impl Related {
    pub(super) fn of(&self, before: RelationType, after: RelationType) -> Named {
        match (before, after) {
            (RelationType::User, RelationType::User) => self.users,
            (RelationType::Group, RelationType::Group) => self.groups,
            (RelationType::User, RelationType::Group) => self.user_then_groups,
            (RelationType::Group, RelationType::User) => self.groups_then_user,
        }
    }

    /// Returns whether every relation has the same state for the user before and after,
    /// given the same catalogue.
    pub(super) fn is_same(&self) -> bool {
        !self.groups.before_only && !self.groups.after_only
    }
}

/// The users of a pair, by their slots in one version or the other.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) pair: Pair,
    pub(super) slots: Vec<UserSlot>,
}

/// Returns the pairs that may differ, each with its users in their order after, or
/// before if they are gone.
pub(super) fn pairs(before: &Engine, after: &Engine, aligned: bool) -> Vec<Compared> {
    let (old, new) = (before.policy().inner(), after.policy().inner());
    let mut matching = Matching::new(before, after, aligned);
    if old.lineage.id != new.lineage.id {
        for (slot, name, _) in old.users.iter() {
            if new.users.find(name).is_none() {
                matching.add(Some(slot), None);
            }
        }
        for (slot, name, _) in new.users.iter() {
            matching.add(old.users.find(name), Some(slot));
        }
        return matching.compared;
    }
    let one_catalogue = Arc::ptr_eq(&old.catalogue, &new.catalogue);
    let mut classes = IdVec::filled(new.users.class_slots(), !one_catalogue);
    if one_catalogue {
        for (class, _) in new.users.classes_since(&old.users) {
            classes[class] = true;
        }
        let difference = Difference::new(old, new);
        if !difference.is_empty() {
            let touched = new.users.classes().filter(|(_, class)| difference.touches(class));
            touched.for_each(|(class, _)| classes[class] = true);
        }
    }
    let lists = GroupListId::first(new.users.group_slots());
    let same_groups = !matching.by_groups || Arc::ptr_eq(&old.groups, &new.groups);
    let list_differs =
        |list| !same_groups && before.groups_of_list(list) != after.groups_of_list(list);
    let mut groups: IdVec<GroupListId, bool> = lists.map(list_differs).collect();
    if matching.by_groups {
        for (list, _) in new.users.groups_since(&old.users) {
            groups[list] = true;
        }
    }
    for slot in new.users.slots_since(&old.users, &classes, &groups) {
        let (was, is) = (old.users.get(slot), new.users.get(slot));
        match (was, is) {
            // Versions mostly share the same text in memory.
            (Some((was, _)), Some((is, _))) if std::ptr::eq(was, is) || was == is => {
                matching.add(Some(slot), Some(slot));
            }
            _ => {
                if let Some((name, _)) = was
                    && new.users.find(name).is_none()
                {
                    matching.add(Some(slot), None);
                }
                if let Some((name, _)) = is {
                    matching.add(old.users.find(name), Some(slot));
                }
            }
        }
    }
    matching.compared
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
    numbers: HashMap<Pair, usize>,
    groups: HashMap<(GroupListId, GroupListId), Named>,
    compared: Vec<Compared>,
}

impl<'e> Matching<'e> {
    fn new(before: &'e Engine, after: &'e Engine, aligned: bool) -> Matching<'e> {
        let kinds = |engine: &'e Engine| &engine.policy().inner().catalogue.kinds;
        let by_groups = |engine| {
            let mut relations = kinds(engine).values().flat_map(|kind| kind.relations.values());
            relations.any(|&names| names == RelationType::Group)
        };
        let across = || {
            let mut common = keys(kinds(before))
                .filter_map(|name| Some((kinds(before).get(name)?, kinds(after).get(name)?)));
            common.any(|(before, after)| {
                let mut relations = before.relations.iter();
                relations.any(|(name, names)| {
                    after.relations.get(name).is_some_and(|other| other != names)
                })
            })
        };
        Matching {
            before,
            after,
            by_groups: by_groups(before) || by_groups(after),
            across: !aligned && across(),
            numbers: HashMap::default(),
            groups: HashMap::default(),
            compared: Vec::new(),
        }
    }

    /// Adds a user who exists before, after, or both.
    fn add(&mut self, before: Option<UserSlot>, after: Option<UserSlot>) {
        let Some(slot) = after.or(before) else { return };
        let (old, new) = (self.before.policy().inner(), self.after.policy().inner());
        let classes = BeforeAfter {
            before: before.map_or(ClassId::VACANT, |slot| old.users.class_of(slot)),
            after: after.map_or(ClassId::VACANT, |slot| new.users.class_of(slot)),
        };
        let pair = Pair { classes, related: self.related(before, after) };
        let at = *self.numbers.entry(pair).or_insert(self.compared.len());
        match self.compared.get_mut(at) {
            Some(compared) => compared.slots.push(slot),
            None => self.compared.push(Compared { pair, slots: vec![slot] }),
        }
    }

    fn related(&mut self, before: Option<UserSlot>, after: Option<UserSlot>) -> Related {
        let (old, new) = (&self.before.policy().inner().users, &self.after.policy().inner().users);
        let lists = (before.map(|slot| old.groups_of(slot)), after.map(|slot| new.groups_of(slot)));
        let groups = match lists {
            _ if !self.by_groups => Named::same(true),
            (Some(before), Some(after)) => self.groups(before, after),
            // The groups of a user who exists on one side only are compared with
            // themselves.
            (list, other) => {
                Named::same(list.or(other).is_some_and(|list| list != GroupListId::EMPTY))
            }
        };
        let mut related = Related {
            users: Named::same(true),
            groups,
            user_then_groups: Named::same(true),
            groups_then_user: Named::same(true),
        };
        if let (true, Some(slot)) = (self.across, after.or(before)) {
            let name = if after.is_some() { new.name(slot) } else { old.name(slot) };
            // As above, groups on one side only stand for those on the other too.
            let was = lists.0.map(|list| self.before.groups_of_list(list));
            let is = lists.1.map(|list| self.after.groups_of_list(list));
            let befores = was.as_deref().or(is.as_deref()).unwrap_or_default();
            let afters = is.as_deref().or(was.as_deref()).unwrap_or_default();
            related.user_then_groups = Named::new(&[name], afters);
            related.groups_then_user = Named::new(befores, &[name]);
        }
        related
    }

    fn groups(&mut self, before: GroupListId, after: GroupListId) -> Named {
        let (one, other) = (self.before, self.after);
        let named = self.groups.entry((before, after));
        *named.or_insert_with(|| {
            Named::new(&one.groups_of_list(before), &other.groups_of_list(after))
        })
    }
}

//! The table of users. Users who have the same share one class.
//!
//! A million users have a few thousand combinations of sources and groups. A
//! combination is stored once, and everything derived from it is computed once; a
//! user is two numbers.

mod firsts;
mod seating;

use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;
use std::sync::Arc;

use super::generation::{Generation, LAST, Seat, Vacant};
use crate::chunked::{Chunked, Deep};
use crate::ids::{
    AssignmentListId, CapacityId, ClassId, GroupId, GroupListId, IdVec, Key, Number, SourceId,
    UserSlot,
};
use crate::index::Index;
use crate::policy::{OwnSources, Statements, Terms};
use crate::slots::Names;

/// All that users who are alike have, except for names, texts and groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Class {
    /// The profile, if any, then the roles and then the approval groups, each in the
    /// user's order.
    pub(crate) sources: Box<[SourceId]>,
    pub(crate) admin: bool,
    pub(crate) suspended: bool,
    /// Most users have no statements of their own.
    pub(crate) statements: Option<Box<Statements>>,
}

/// Texts about a user or an assignment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Texts {
    pub(crate) label: Option<Box<str>>,
    pub(crate) description: Option<Box<str>>,
}

impl Texts {
    pub(crate) fn new(label: Option<String>, description: Option<String>) -> Texts {
        Texts { label: label.map(Into::into), description: description.map(Into::into) }
    }
}

/// An assignment of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) name: Box<str>,
    pub(crate) texts: Texts,
    pub(crate) terms: Arc<Terms>,
    pub(crate) own: OwnSources,
}

/// The same, as users have it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Assigned {
    pub(crate) name: Box<str>,
    pub(crate) texts: Texts,
    pub(crate) terms: Arc<Terms>,
    pub(crate) capacity: CapacityId,
}

/// The capacity in which users of a class act in an assignment, its terms aside: all who
/// have the same in both share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Capacity {
    pub(crate) class: ClassId,
    pub(crate) own: OwnSources,
}

/// One user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder<'p> {
    pub(crate) name: &'p str,
    pub(crate) label: Option<&'p str>,
    pub(crate) class: &'p Class,
    pub(crate) groups: &'p [GroupId],
}

/// All that matters of a user but the name: the class, the groups and the assignments.
pub(crate) type Likeness = (ClassId, GroupListId, AssignmentListId);

/// The users of a policy, by slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users {
    names: Names<UserSlot>,
    /// The class of each user, marked if the user has assignments or had the slot not first;
    /// `VACANT` for a vacant slot.
    of_class: Chunked<ClassId, 4096>,
    /// The generation of each user; most have the first.
    generations: Chunked<Generation, 1024>,
    vacant: Vacant,
    of_groups: Chunked<GroupListId, 4096>,
    /// Most users have none.
    of_assignments: Chunked<AssignmentListId, 4096>,
    /// Most users have none.
    texts: Chunked<Option<Arc<Texts>>, 256>,
    classes: Pool<ClassId, Class>,
    /// The lists of groups that users have.
    groups: Pool<GroupListId, [GroupId]>,
    /// The lists of assignments that users have.
    assignments: Pool<AssignmentListId, [Assigned]>,
    /// INVARIANT: who acts in a capacity is of its class.
    capacities: Pool<CapacityId, Capacity>,
}

impl Users {
    /// The same users, who had no names: those of a first version.
    pub(crate) fn with_names(self, names: Names<UserSlot>) -> Users {
        Users { vacant: Vacant::after(names.slots()), names, ..self }
    }

    /// Finds a vacant slot, as `give` gives them out.
    pub(super) fn find_vacant(
        &mut self,
        give: impl Fn(UserSlot) -> Option<Seat>,
        most: usize,
    ) -> Option<Seat> {
        self.vacant.find(give, most)
    }

    /// The seat of a user.
    pub(crate) fn seat(&self, slot: UserSlot) -> Seat {
        Seat { slot, generation: self.generations.get(slot.index()).copied().unwrap_or(0) }
    }

    /// A seat for a user in a version that must go no further.
    pub(super) fn last_seat(&self) -> Seat {
        Seat { slot: UserSlot::new(self.slots()), generation: LAST }
    }

    /// The number of users.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// The number of slots, vacant ones included.
    pub(crate) fn slots(&self) -> usize {
        self.names.slots()
    }

    /// The slot of a user.
    pub(crate) fn find(&self, name: &str) -> Option<UserSlot> {
        self.names.find(name)
    }

    /// The name of a user; empty for a vacant slot.
    pub(crate) fn name(&self, slot: UserSlot) -> &str {
        self.names.get(slot).unwrap_or("")
    }

    /// The name and class of a user.
    pub(crate) fn get(&self, slot: UserSlot) -> Option<(&str, &Class)> {
        Some((self.names.get(slot)?, self.class(self.class_of(slot))?))
    }

    /// A user.
    pub(crate) fn holder(&self, slot: UserSlot) -> Option<Holder<'_>> {
        let (name, class) = self.get(slot)?;
        let label = self.texts(slot).and_then(|texts| texts.label.as_deref());
        Some(Holder { name, label, class, groups: self.groups(slot) })
    }

    /// The number of a user's class; `VACANT` if there is no such user.
    pub(crate) fn class_of(&self, slot: UserSlot) -> ClassId {
        let class = self.of_class.get(slot.index()).copied();
        class.unwrap_or(ClassId::VACANT).marked(false)
    }

    /// The number of a user's list of assignments.
    pub(crate) fn assignments_of(&self, slot: UserSlot) -> AssignmentListId {
        let list = self.of_assignments.get(slot.index()).copied();
        list.unwrap_or(AssignmentListId::EMPTY)
    }

    /// A user's assignments.
    pub(crate) fn assigned(&self, slot: UserSlot) -> &[Assigned] {
        self.assignments.get(self.assignments_of(slot)).unwrap_or_default()
    }

    pub(crate) fn capacity(&self, id: CapacityId) -> Option<&Capacity> {
        self.capacities.get(id)
    }

    /// A user's assignments, with their sources.
    pub(crate) fn assignments(&self, slot: UserSlot) -> Vec<Assignment> {
        let assigned = self.assigned(slot).iter().map(|it| Assignment {
            name: it.name.clone(),
            texts: it.texts.clone(),
            terms: Arc::clone(&it.terms),
            own: self.capacity(it.capacity).map(|it| it.own.clone()).unwrap_or_default(),
        });
        assigned.collect()
    }

    /// The names of a user's assignments, and their own sources.
    pub(crate) fn own_sources(&self, slot: UserSlot) -> impl Iterator<Item = (&str, &OwnSources)> {
        let assigned = self.assigned(slot).iter();
        assigned.filter_map(|it| Some((&*it.name, &self.capacity(it.capacity)?.own)))
    }

    /// The capacities in which some user acts.
    pub(crate) fn capacities(&self) -> impl Iterator<Item = (CapacityId, &Capacity)> {
        self.capacities.iter()
    }

    /// The number of numbers of capacities, including those in which nobody acts.
    pub(crate) fn capacity_slots(&self) -> usize {
        self.capacities.slots()
    }

    /// The capacities that differ from those with the same number in another version;
    /// `None` for numbers no longer in use.
    pub(crate) fn capacities_since<'a>(
        &'a self,
        before: &'a Users,
    ) -> impl Iterator<Item = (CapacityId, Option<&'a Capacity>)> {
        self.capacities.since(&before.capacities)
    }

    /// The lists of assignments that differ from those with the same number in another
    /// version.
    pub(crate) fn assignments_since<'a>(
        &'a self,
        before: &'a Users,
    ) -> impl Iterator<Item = (AssignmentListId, Option<&'a [Assigned]>)> {
        self.assignments.since(&before.assignments)
    }

    /// The lists of assignments that some user has.
    pub(crate) fn assignment_lists(&self) -> impl Iterator<Item = (AssignmentListId, &[Assigned])> {
        self.assignments.iter()
    }

    /// The number of numbers of lists of assignments.
    pub(crate) fn assignment_slots(&self) -> usize {
        self.assignments.slots()
    }

    /// The users who have an assignment that is like this.
    pub(crate) fn assigned_any(&self, is_such: impl Fn(&Assigned) -> bool) -> Vec<UserSlot> {
        let mut such = IdVec::filled(self.assignment_slots(), false);
        for (id, list) in self.assignment_lists() {
            such[id] = list.iter().any(&is_such);
        }
        slots_of(&self.of_assignments, &such).collect()
    }

    pub(crate) fn class(&self, class: ClassId) -> Option<&Class> {
        self.classes.get(class)
    }

    /// A user's list of groups.
    pub(crate) fn groups_of(&self, slot: UserSlot) -> GroupListId {
        self.of_groups.get(slot.index()).copied().unwrap_or(GroupListId::EMPTY)
    }

    /// A user's groups.
    pub(crate) fn groups(&self, slot: UserSlot) -> &[GroupId] {
        self.groups.get(self.groups_of(slot)).unwrap_or_default()
    }

    /// Texts about a user.
    pub(crate) fn texts(&self, slot: UserSlot) -> Option<&Texts> {
        self.texts.get(slot.index())?.as_deref()
    }

    /// All users.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (UserSlot, &str, &Class)> {
        self.names
            .iter()
            .filter_map(|(slot, name)| Some((slot, name, self.class(self.class_of(slot))?)))
    }

    /// The classes that some user has.
    pub(crate) fn classes(&self) -> impl Iterator<Item = (ClassId, &Class)> {
        self.classes.iter()
    }

    /// The number of users of a class.
    pub(crate) fn count_of(&self, class: ClassId) -> usize {
        self.class(class).map_or(0, |_| self.classes.count(class) as usize)
    }

    /// The number of class numbers, including those without users.
    pub(crate) fn class_slots(&self) -> usize {
        self.classes.slots()
    }

    /// The classes that differ from those with the same number in another version;
    /// `None` for numbers no longer in use.
    pub(crate) fn classes_since<'a>(
        &'a self,
        before: &'a Users,
    ) -> impl Iterator<Item = (ClassId, Option<&'a Class>)> {
        self.classes.since(&before.classes)
    }

    /// The lists of groups that differ from those with the same number in another
    /// version.
    pub(crate) fn groups_since<'a>(
        &'a self,
        before: &'a Users,
    ) -> impl Iterator<Item = (GroupListId, Option<&'a [GroupId]>)> {
        self.groups.since(&before.groups)
    }

    /// The slots whose user is not the same as in another version, or not alike:
    /// those with another name, another number of a class or of a list of groups,
    /// or a number that is marked as having another meaning there. Ascending; what
    /// the versions share is not examined.
    pub(crate) fn slots_since(
        &self,
        before: &Users,
        classes: &IdVec<ClassId, bool>,
        groups: &IdVec<GroupListId, bool>,
        assignments: &IdVec<AssignmentListId, bool>,
    ) -> Vec<UserSlot> {
        let positions = self.of_class.differing(&before.of_class).map(|(slot, _)| slot);
        let positions =
            positions.chain(self.of_groups.differing(&before.of_groups).map(|(slot, _)| slot));
        let lists = self.of_assignments.differing(&before.of_assignments).map(|(slot, _)| slot);
        let positions = positions.chain(lists);
        let leaves = positions.map(UserSlot::new).chain(self.names.differing(&before.names));
        let differs = |slot: &UserSlot| {
            self.class_of(*slot) != before.class_of(*slot)
                || self.groups_of(*slot) != before.groups_of(*slot)
                || self.assignments_of(*slot) != before.assignments_of(*slot)
                || self.names.get(*slot) != before.names.get(*slot)
        };
        let mut slots: Vec<UserSlot> = leaves.filter(differs).collect();
        slots.extend((self.slots()..before.slots()).map(UserSlot::new));
        if classes.values().contains(&true) {
            slots.extend(self.of_classes(|class| classes.find(class) == Some(&true)));
        }
        slots.extend(slots_of(&self.of_groups, groups));
        slots.extend(slots_of(&self.of_assignments, assignments));
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// The slots whose user is not the same as in another version, or is stated otherwise.
    /// Ascending; what the versions share is not examined.
    pub(crate) fn changed_since(&self, before: &Users) -> Vec<UserSlot> {
        let mut classes = IdVec::filled(self.class_slots(), false);
        self.classes_since(before).for_each(|(id, _)| classes[id] = true);
        let mut groups = IdVec::filled(self.group_slots(), false);
        self.groups_since(before).for_each(|(id, _)| groups[id] = true);
        let mut assignments = IdVec::filled(self.assignment_slots(), false);
        self.assignments_since(before).for_each(|(id, _)| assignments[id] = true);
        let mut slots = self.slots_since(before, &classes, &groups, &assignments);
        let texts = self.texts.differing(&before.texts);
        let texts = texts.filter(|(at, texts)| before.texts.get(*at) != Some(texts));
        slots.extend(texts.map(|(at, _)| UserSlot::new(at)));
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// The lists of groups that some user has.
    pub(crate) fn group_lists(&self) -> impl Iterator<Item = (GroupListId, &[GroupId])> {
        self.groups.iter()
    }

    /// The slots of the users with some lists of groups.
    pub(crate) fn of_group_lists(
        &self,
        lists: &IdVec<GroupListId, bool>,
    ) -> impl Iterator<Item = UserSlot> {
        slots_of(&self.of_groups, lists)
    }

    /// The numbers of all that makes a user alike to others.
    pub(crate) fn likeness(&self, slot: UserSlot) -> Likeness {
        (self.class_of(slot), self.groups_of(slot), self.assignments_of(slot))
    }

    /// The number of numbers of group lists.
    pub(crate) fn group_slots(&self) -> usize {
        self.groups.slots()
    }

    /// The class number of each slot, marked where there is more to look at: assignments, or
    /// the generation.
    pub(crate) fn class_numbers(&self) -> &Chunked<ClassId, 4096> {
        &self.of_class
    }

    /// The slots of the users of some classes.
    pub(crate) fn of_classes(
        &self,
        wanted: impl Fn(ClassId) -> bool,
    ) -> impl Iterator<Item = UserSlot> {
        let classes = self.of_class.iter().map(|class| class.marked(false));
        marked_slots(classes.map(move |class| class != ClassId::VACANT && wanted(class)))
    }

    /// The bytes of the users' numbers of classes and group lists.
    pub(crate) fn number_bytes(&self) -> usize {
        let vacant = self.vacant.bytes() + self.generations.bytes();
        self.of_class.bytes() + self.of_groups.bytes() + self.of_assignments.bytes() + vacant
    }

    /// The bytes of the classes, own statements aside, and of the group lists.
    pub(crate) fn class_bytes(&self) -> usize {
        let class = |class: &Class| size_of::<Class>() + size_of_val(&*class.sources);
        let classes = self.classes.iter().map(|(_, it)| class(it)).sum::<usize>();
        let groups = self.groups.iter().map(|(_, groups)| size_of_val(groups)).sum::<usize>();
        let list = |(_, list): (_, &[Assigned])| size_of_val(list);
        let assignments = self.assignments.iter().map(list).sum::<usize>();
        let capacity = |it: &Capacity| size_of::<Capacity>() + size_of_val(&*it.own.sources);
        let capacities = self.capacities.iter().map(|(_, it)| capacity(it)).sum::<usize>();
        let pools = self.classes.bytes() + self.groups.bytes() + self.assignments.bytes();
        pools + self.capacities.bytes() + classes + groups + assignments + capacities
    }

    /// The bytes of the names and their index.
    pub(crate) fn name_bytes(&self) -> usize {
        self.names.bytes()
    }

    /// Gives a user a seat in a slot that is vacant here.
    pub(crate) fn insert(&mut self, seat: Seat, name: &str, class: &Class, groups: &[GroupId]) {
        self.take_seat(seat, name);
        self.set_class(seat.slot, class);
        self.set_groups(seat.slot, groups);
    }

    fn take_seat(&mut self, seat: Seat, name: &str) {
        self.names.insert(seat.slot, name);
        if self.seat(seat.slot) != seat {
            self.generations.set(seat.slot.index(), seat.generation);
        }
    }

    /// Gives a new user the class, the groups and the assignments of another, by whom
    /// [`Users::count_alike`] must count the user.
    pub(crate) fn set_alike(&mut self, slot: UserSlot, other: UserSlot) {
        let (class, groups, assignments) = self.likeness(other);
        let has_assignments = assignments != AssignmentListId::EMPTY;
        self.of_class.set(slot.index(), class.marked(has_assignments));
        self.of_groups.set(slot.index(), groups);
        if has_assignments {
            self.of_assignments.set(slot.index(), assignments);
        }
    }

    /// Counts further users who have the class, the groups and the assignments of one.
    pub(crate) fn count_alike(&mut self, slot: UserSlot, further: u32) {
        let (class, groups, assignments) = self.likeness(slot);
        let capacities: Vec<CapacityId> =
            self.assigned(slot).iter().map(|it| it.capacity).collect();
        self.classes.hold(class, further);
        self.groups.hold(groups, further);
        self.assignments.hold(assignments, further);
        capacities.into_iter().for_each(|it| self.capacities.hold(it, further));
    }

    pub(crate) fn set_class(&mut self, slot: UserSlot, class: &Class) {
        let before = self.class_of(slot);
        let class = self.classes.take(class, |class| Arc::new(class.clone()));
        let assignments = self.assignments(slot);
        self.set_class_number(slot, class, false);
        if !assignments.is_empty() {
            self.set_assignments(slot, &assignments);
        }
        self.classes.leave(before);
    }

    fn set_class_number(&mut self, slot: UserSlot, class: ClassId, has_assignments: bool) {
        let is_first = self.seat(slot).generation == 0;
        self.of_class.set(slot.index(), class.marked(has_assignments || !is_first));
    }

    /// Replaces a user's assignments.
    pub(crate) fn set_assignments(&mut self, slot: UserSlot, assignments: &[Assignment]) {
        let class = self.class_of(slot);
        let assigned = assignments.iter().map(|assignment| {
            let capacity = Capacity { class, own: assignment.own.clone() };
            Assigned {
                name: assignment.name.clone(),
                texts: assignment.texts.clone(),
                terms: Arc::clone(&assignment.terms),
                capacity: self.capacities.take(&capacity, |it| Arc::new(it.clone())),
            }
        });
        let assigned: Vec<Assigned> = assigned.collect();
        let list = match &*assigned {
            [] => AssignmentListId::EMPTY,
            assigned => self.assignments.take(assigned, |assigned| assigned.into()),
        };
        let before = self.assignments_of(slot);
        let former: Vec<CapacityId> = self.assigned(slot).iter().map(|it| it.capacity).collect();
        if list != before {
            self.of_assignments.set(slot.index(), list);
        }
        self.set_class_number(slot, class, !assigned.is_empty());
        self.assignments.leave(before);
        former.into_iter().for_each(|capacity| self.capacities.leave(capacity));
    }

    pub(crate) fn set_groups(&mut self, slot: UserSlot, groups: &[GroupId]) {
        let before = self.groups_of(slot);
        let groups = match groups {
            [] => GroupListId::EMPTY,
            groups => self.groups.take(groups, |groups| groups.into()),
        };
        self.of_groups.set(slot.index(), groups);
        self.groups.leave(before);
    }

    pub(crate) fn set_texts(&mut self, slot: UserSlot, texts: Texts) {
        if texts != Texts::default() {
            self.texts.set(slot.index(), Some(Arc::new(texts)));
        } else if self.texts(slot).is_some() {
            self.texts.set(slot.index(), None);
        }
    }

    /// Removes a user, whose slot another may then get.
    pub(crate) fn remove(&mut self, slot: UserSlot) {
        self.names.remove(slot);
        self.set_assignments(slot, &[]);
        self.classes.leave(self.class_of(slot));
        self.groups.leave(self.groups_of(slot));
        self.of_class.set(slot.index(), ClassId::VACANT);
        self.vacant.leave(slot);
        self.of_groups.set(slot.index(), GroupListId::EMPTY);
        self.set_texts(slot, Texts::default());
    }

    pub(crate) fn rename(&mut self, slot: UserSlot, to: &str) {
        self.names.rename(slot, to);
    }
}

/// The slots with marked numbers.
fn slots_of<I: Number>(
    numbers: &Chunked<I, 4096>,
    marked: &IdVec<I, bool>,
) -> impl Iterator<Item = UserSlot> {
    let is_any = marked.values().contains(&true);
    let numbers = is_any.then_some(numbers).into_iter().flat_map(Chunked::iter);
    marked_slots(numbers.map(move |&it| marked.find(it) == Some(&true)))
}

/// The slots at the positions of `true`.
fn marked_slots(marks: impl Iterator<Item = bool>) -> impl Iterator<Item = UserSlot> {
    marks.enumerate().filter(|&(_, marked)| marked).map(|(slot, _)| UserSlot::new(slot))
}

impl std::ops::Index<UserSlot> for Users {
    type Output = Class;

    /// The class of a user who is known to exist.
    #[expect(
        clippy::unreachable,
        reason = "it is asked for slots that were just found by name, in the same version"
    )]
    fn index(&self, slot: UserSlot) -> &Class {
        match self.class(self.class_of(slot)) {
            Some(class) => class,
            None => unreachable!("a user who is gone"),
        }
    }
}

/// Values that many have, each stored once and numbered from 1.
///
/// A number is released when nobody has the value any more, and may be reused.
#[derive(Debug)]
struct Pool<I, T: ?Sized> {
    values: Deep<Option<Arc<T>>, 64>,
    /// The number of holders of each value; of a released number, the one released
    /// before it.
    counts: Chunked<u32, 512>,
    index: Index,
    /// The number released last; 0 for none.
    free: u32,
    ids: PhantomData<I>,
}

impl<I, T: ?Sized> Clone for Pool<I, T> {
    fn clone(&self) -> Pool<I, T> {
        let (values, counts) = (self.values.clone(), self.counts.clone());
        Pool { values, counts, index: self.index.clone(), free: self.free, ids: PhantomData }
    }
}

impl<I, T: ?Sized> Default for Pool<I, T> {
    fn default() -> Pool<I, T> {
        let (counts, index) = (Chunked::default(), Index::default());
        Pool { values: Deep::default(), counts, index, free: 0, ids: PhantomData }
    }
}

impl<I: Number, T: ?Sized> Pool<I, T> {
    fn bytes(&self) -> usize {
        self.values.bytes() + self.counts.bytes() + self.index.bytes()
    }

    /// The number of numbers, of which there is always 0, that of nothing.
    fn slots(&self) -> usize {
        self.values.len().max(1)
    }

    fn get(&self, id: I) -> Option<&T> {
        self.values.get(id.index())?.as_deref()
    }

    fn count(&self, id: I) -> u32 {
        self.counts.get(id.index()).copied().unwrap_or(0)
    }

    fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        let values = self.values.iter().enumerate();
        values.filter_map(|(at, value)| Some((I::new(at), value.as_deref()?)))
    }

    /// Counts further holders of a value.
    fn hold(&mut self, id: I, further: u32) {
        if self.get(id).is_some() {
            self.counts.set(id.index(), self.count(id) + further);
        }
    }

    /// The values that differ from those with the same number in another version;
    /// `None` for numbers no longer in use.
    fn since<'a>(
        &'a self,
        before: &'a Pool<I, T>,
    ) -> impl Iterator<Item = (I, Option<&'a T>)> + use<'a, I, T> {
        let differing = self.values.differing(&before.values);
        differing.filter_map(|(at, value)| {
            let before = before.values.get(at).and_then(Option::as_ref);
            let is_same = match (value, before) {
                (Some(value), Some(before)) => Arc::ptr_eq(value, before),
                _ => value.is_none() && before.is_none(),
            };
            (!is_same).then(|| (I::new(at), value.as_deref()))
        })
    }
}

impl<I: Number, T: Hash + PartialEq + ?Sized> Pool<I, T> {
    /// The number of a value, which now has one more holder.
    fn take(&mut self, value: &T, keep: impl FnOnce(&T) -> Arc<T>) -> I {
        let known = |at: u32| self.get(I::new(at as usize));
        if let Some(at) = self.index.find(value, |at| known(at) == Some(value)) {
            self.hold(I::new(at as usize), 1);
            return I::new(at as usize);
        }
        let reused = self.free != 0;
        let id = I::new(if reused { self.free as usize } else { self.slots() });
        if reused {
            self.free = self.count(id);
        }
        self.values.set(id.index(), Some(keep(value)));
        self.counts.set(id.index(), 1);
        let values = &self.values;
        self.index.insert(value, id.number(), |hasher, at| {
            let value = values.get(at as usize).and_then(Option::as_deref);
            value.map_or(0, |value| hasher.hash_one::<&T>(value))
        });
        id
    }

    /// Releases a value that one holder no longer has.
    fn leave(&mut self, id: I) {
        let Some(value) = self.values.get(id.index()).cloned().flatten() else { return };
        let count = self.count(id);
        if count > 1 {
            self.counts.set(id.index(), count - 1);
            return;
        }
        self.index.remove::<T>(&value, id.number());
        self.values.set(id.index(), None);
        self.counts.set(id.index(), self.free);
        self.free = id.number();
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;
    use crate::ids::{ClassId, Number};

    #[test]
    fn values_are_kept_once_however_many_there_are() {
        let mut pool = Pool::<ClassId, [u32]>::default();
        let mut numbers = || -> Vec<ClassId> {
            (0..10_000).map(|value| pool.take(&[value], |value| value.into())).collect()
        };
        let first = numbers();
        // Comparing them in `assert_eq!` would print all of them.
        assert!(numbers() == first);
        first.iter().for_each(|&number| pool.leave(number));
        assert_eq!(pool.iter().count(), 10_000);
        first.iter().for_each(|&number| pool.leave(number));
        assert_eq!(pool.iter().count(), 0);
        assert_eq!(pool.take(&[7], |value| value.into()), ClassId::new(10_000));
        assert_eq!(pool.take(&[8], |value| value.into()), ClassId::new(9_999));
    }
}

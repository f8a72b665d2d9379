//! The table of users. Users who have the same share one class.
//!
//! A million users have a few thousand combinations of sources and groups. A
//! combination is stored once, and everything derived from it is computed once; a
//! user is two numbers.

use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;
use std::sync::Arc;

use crate::chunked::Chunked;
use crate::ids::{ClassId, GroupId, GroupListId, IdVec, Key, Number, SourceId, UserSlot};
use crate::index::Index;
use crate::names::number;
use crate::policy::Statements;
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

/// Texts about a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts {
    pub(crate) label: Option<Box<str>>,
    pub(crate) description: Option<Box<str>>,
}

impl Texts {
    pub(crate) fn new(label: Option<String>, description: Option<String>) -> Texts {
        Texts { label: label.map(Into::into), description: description.map(Into::into) }
    }
}

/// One user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder<'p> {
    pub(crate) name: &'p str,
    pub(crate) label: Option<&'p str>,
    pub(crate) class: &'p Class,
    pub(crate) groups: &'p [GroupId],
}

/// The users of a policy, by slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users {
    names: Names<UserSlot>,
    /// The class of each user; `VACANT` for a vacant slot.
    of_class: Chunked<ClassId, 4096>,
    of_groups: Chunked<GroupListId, 4096>,
    /// Most users have none.
    texts: Chunked<Option<Arc<Texts>>, 256>,
    classes: Pool<ClassId, Class>,
    /// The lists of groups that users have.
    groups: Pool<GroupListId, [GroupId]>,
}

impl Users {
    /// No users yet, with an index for about that many.
    pub(crate) fn with_capacity(users: usize) -> Users {
        Users { names: Names::with_capacity(users), ..Users::default() }
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
        self.of_class.get(slot.index()).copied().unwrap_or(ClassId::VACANT)
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
        self.classes.counts.get(class.index()).map_or(0, |&count| count as usize)
    }

    /// The number of class numbers, including those without users.
    pub(crate) fn class_slots(&self) -> usize {
        self.classes.values.len()
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
    ) -> Vec<UserSlot> {
        let positions = self.of_class.differing(&before.of_class).map(|(slot, _)| slot);
        let positions =
            positions.chain(self.of_groups.differing(&before.of_groups).map(|(slot, _)| slot));
        let leaves = positions.map(UserSlot::new).chain(self.names.differing(&before.names));
        let differs = |slot: &UserSlot| {
            self.class_of(*slot) != before.class_of(*slot)
                || self.groups_of(*slot) != before.groups_of(*slot)
                || self.names.get(*slot) != before.names.get(*slot)
        };
        let mut slots: Vec<UserSlot> = leaves.filter(differs).collect();
        slots.extend((self.slots()..before.slots()).map(UserSlot::new));
        if classes.values().contains(&true) {
            let marked = self.of_class.iter().map(|&class| classes.find(class) == Some(&true));
            slots.extend(marked_slots(marked));
        }
        if groups.values().contains(&true) {
            let marked = self.of_groups.iter().map(|&list| groups.find(list) == Some(&true));
            slots.extend(marked_slots(marked));
        }
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// The number of numbers of group lists.
    pub(crate) fn group_slots(&self) -> usize {
        self.groups.values.len()
    }

    /// The class number of each slot.
    pub(crate) fn class_numbers(&self) -> &Chunked<ClassId, 4096> {
        &self.of_class
    }

    /// The slots of the users of some classes.
    pub(crate) fn of_classes(
        &self,
        wanted: impl Fn(ClassId) -> bool,
    ) -> impl Iterator<Item = UserSlot> {
        let is_wanted = move |&class: &ClassId| class != ClassId::VACANT && wanted(class);
        marked_slots(self.of_class.iter().map(is_wanted))
    }

    /// The bytes of the users' numbers of classes and group lists.
    pub(crate) fn number_bytes(&self) -> usize {
        self.of_class.bytes() + self.of_groups.bytes()
    }

    /// The bytes of the classes, own statements aside, and of the group lists.
    pub(crate) fn class_bytes(&self) -> usize {
        let class = |class: &Class| size_of::<Class>() + size_of_val(&*class.sources);
        let classes = self.classes.iter().map(|(_, it)| class(it)).sum::<usize>();
        let groups = self.groups.iter().map(|(_, groups)| size_of_val(groups)).sum::<usize>();
        self.classes.bytes() + classes + self.groups.bytes() + groups
    }

    /// The bytes of the names and their index.
    pub(crate) fn name_bytes(&self) -> usize {
        self.names.bytes()
    }

    /// Gives a new user a vacant slot.
    pub(crate) fn insert(&mut self, slot: UserSlot, name: &str, class: &Class, groups: &[GroupId]) {
        self.names.insert(slot, name);
        self.set_class(slot, class);
        self.set_groups(slot, groups);
    }

    pub(crate) fn set_class(&mut self, slot: UserSlot, class: &Class) {
        let before = self.class_of(slot);
        let class = self.classes.take(class, |class| Arc::new(class.clone()));
        self.of_class.set(slot.index(), class);
        self.classes.leave(before);
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

    /// Removes a user, whose slot then stays vacant.
    pub(crate) fn remove(&mut self, slot: UserSlot) {
        self.names.remove(slot);
        self.classes.leave(self.class_of(slot));
        self.groups.leave(self.groups_of(slot));
        self.of_class.set(slot.index(), ClassId::VACANT);
        self.of_groups.set(slot.index(), GroupListId::EMPTY);
        self.set_texts(slot, Texts::default());
    }

    pub(crate) fn rename(&mut self, slot: UserSlot, to: &str) {
        self.names.rename(slot, to);
    }
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
    values: Chunked<Place<T>, 64>,
    /// The number of holders of each value.
    counts: Chunked<u32, 256>,
    index: Index,
    /// The number released last; 0 for none.
    free: u32,
    ids: PhantomData<I>,
}

#[derive(Debug)]
enum Place<T: ?Sized> {
    Of(Arc<T>),
    /// Released, with the number released before it.
    Free(u32),
}

impl<T: ?Sized> Clone for Place<T> {
    fn clone(&self) -> Place<T> {
        match self {
            Place::Of(value) => Place::Of(Arc::clone(value)),
            Place::Free(next) => Place::Free(*next),
        }
    }
}

impl<T: ?Sized> Default for Place<T> {
    fn default() -> Place<T> {
        Place::Free(0)
    }
}

impl<I, T: ?Sized> Clone for Pool<I, T> {
    fn clone(&self) -> Pool<I, T> {
        let (values, counts) = (self.values.clone(), self.counts.clone());
        Pool { values, counts, index: self.index.clone(), free: self.free, ids: PhantomData }
    }
}

impl<I, T: ?Sized> Default for Pool<I, T> {
    fn default() -> Pool<I, T> {
        let mut values = Chunked::default();
        // There is no number 0.
        values.set(0, Place::Free(0));
        let (counts, index) = (Chunked::default(), Index::default());
        Pool { values, counts, index, free: 0, ids: PhantomData }
    }
}

impl<I: Number, T: ?Sized> Pool<I, T> {
    fn bytes(&self) -> usize {
        self.values.bytes() + self.counts.bytes() + self.index.bytes()
    }

    fn get(&self, id: I) -> Option<&T> {
        shared(&self.values, id.index()).map(|value| &**value)
    }

    fn iter(&self) -> impl Iterator<Item = (I, &T)> {
        self.values.iter().enumerate().filter_map(|(at, place)| match place {
            Place::Of(value) => Some((I::new(at), &**value)),
            Place::Free(_) => None,
        })
    }

    /// The values that differ from those with the same number in another version;
    /// `None` for numbers no longer in use.
    fn since<'a>(
        &'a self,
        before: &'a Pool<I, T>,
    ) -> impl Iterator<Item = (I, Option<&'a T>)> + use<'a, I, T> {
        let differing = self.values.differing(&before.values);
        differing.filter_map(|(at, place)| match (place, shared(&before.values, at)) {
            (Place::Of(value), Some(before)) if Arc::ptr_eq(value, before) => None,
            (Place::Of(value), _) => Some((I::new(at), Some(&**value))),
            (Place::Free(_), Some(_)) => Some((I::new(at), None)),
            (Place::Free(_), None) => None,
        })
    }
}

/// The value at a position of a pool.
fn shared<T: ?Sized>(values: &Chunked<Place<T>, 64>, at: usize) -> Option<&Arc<T>> {
    match values.get(at) {
        Some(Place::Of(value)) => Some(value),
        _ => None,
    }
}

impl<I: Number, T: Hash + PartialEq + ?Sized> Pool<I, T> {
    /// The number of a value, which now has one more holder.
    fn take(&mut self, value: &T, keep: impl FnOnce(&T) -> Arc<T>) -> I {
        let values = &self.values;
        let is = |at: u32| shared(values, at as usize).is_some_and(|known| **known == *value);
        if let Some(at) = self.index.find(value, is) {
            let count = self.counts.get(at as usize).copied().unwrap_or(0);
            self.counts.set(at as usize, count + 1);
            return I::new(at as usize);
        }
        let at = if self.free == 0 { number(self.values.len()) } else { self.free };
        if let Some(Place::Free(next)) = self.values.get(at as usize) {
            self.free = *next;
        }
        self.values.set(at as usize, Place::Of(keep(value)));
        self.counts.set(at as usize, 1);
        let values = &self.values;
        self.index.insert(value, at, |hasher, at| {
            shared(values, at as usize).map_or(0, |value| hasher.hash_one::<&T>(value))
        });
        I::new(at as usize)
    }

    /// Releases a value that one holder no longer has.
    fn leave(&mut self, id: I) {
        let Some(value) = shared(&self.values, id.index()).cloned() else { return };
        match self.counts.get(id.index()).copied() {
            Some(count) if count > 1 => self.counts.set(id.index(), count - 1),
            _ => {
                self.index.remove::<T>(&value, id.number());
                self.values.set(id.index(), Place::Free(self.free));
                self.counts.set(id.index(), 0);
                self.free = id.number();
            }
        }
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

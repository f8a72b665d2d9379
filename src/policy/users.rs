//! Users: each a name, and a share in what users who are alike have in common.
//!
//! A million users have a few thousand combinations of profile, roles and groups. A
//! combination is stored once, and everything derived from it is computed once; a
//! user is two numbers.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use crate::chunked::Chunked;
use crate::ids::SourceId;
use crate::index::Index;
use crate::names::number;
use crate::policy::Statements;
use crate::slots::Names;

/// What users who are alike have in common.
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

/// One user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder<'p> {
    pub(crate) name: &'p str,
    pub(crate) label: Option<&'p str>,
    pub(crate) class: &'p Class,
    pub(crate) groups: &'p [u32],
}

/// The number of a class, or of a set of groups.
pub(crate) type ClassId = u32;

/// The users of a policy, by slot.
#[derive(Clone, Debug, Default)]
pub(crate) struct Users {
    names: Names<u32>,
    /// The class of each user; `VACANT` for a vacant slot.
    of_class: Chunked<ClassId, 4096>,
    of_groups: Chunked<u32, 4096>,
    texts: rpds::HashTrieMapSync<u32, Texts>,
    classes: Pool<Class>,
    /// The lists of groups that users have.
    groups: Pool<[u32]>,
}

/// The class of removed users.
pub(crate) const VACANT: ClassId = 0;

impl Users {
    /// No users yet, with an index for about that many.
    pub(crate) fn with_capacity(users: usize) -> Users {
        Users { names: Names::with_capacity(users), ..Users::default() }
    }

    /// How many users there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// How many slots there are, vacant ones included.
    pub(crate) fn slots(&self) -> usize {
        self.names.slots()
    }

    /// The slot of a user.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.names.find(name)
    }

    /// The name of a user; empty for a vacant slot.
    pub(crate) fn name(&self, slot: u32) -> &str {
        self.names.get(slot).unwrap_or("")
    }

    /// The name and class of a user.
    pub(crate) fn get(&self, slot: u32) -> Option<(&str, &Class)> {
        Some((self.names.get(slot)?, self.class(self.class_of(slot))?))
    }

    /// A user.
    pub(crate) fn holder(&self, slot: u32) -> Option<Holder<'_>> {
        let (name, class) = self.get(slot)?;
        let label = self.texts(slot).and_then(|texts| texts.label.as_deref());
        Some(Holder { name, label, class, groups: self.groups(slot) })
    }

    /// The number of a user's class; `VACANT` if there is no such user.
    pub(crate) fn class_of(&self, slot: u32) -> ClassId {
        self.of_class.get(slot as usize).copied().unwrap_or(VACANT)
    }

    pub(crate) fn class(&self, class: ClassId) -> Option<&Class> {
        self.classes.get(class)
    }

    /// The number of a user's list of groups; 0 for none.
    pub(crate) fn groups_of(&self, slot: u32) -> u32 {
        self.of_groups.get(slot as usize).copied().unwrap_or(0)
    }

    /// A user's groups.
    pub(crate) fn groups(&self, slot: u32) -> &[u32] {
        self.groups.get(self.groups_of(slot)).unwrap_or_default()
    }

    /// Texts about a user.
    pub(crate) fn texts(&self, slot: u32) -> Option<&Texts> {
        self.texts.get(&slot)
    }

    /// All users.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &str, &Class)> {
        self.names
            .iter()
            .filter_map(|(slot, name)| Some((slot, name, self.class(self.class_of(slot))?)))
    }

    /// The classes that some user has.
    pub(crate) fn classes(&self) -> impl Iterator<Item = (ClassId, &Class)> {
        self.classes.iter()
    }

    /// How many users have a class.
    pub(crate) fn count_of(&self, class: ClassId) -> usize {
        self.classes.counts.get(class as usize).map_or(0, |&count| count as usize)
    }

    /// How many class numbers there are, including those without users.
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
    ) -> impl Iterator<Item = (u32, Option<&'a [u32]>)> {
        self.groups.since(&before.groups)
    }

    /// The slots whose user is not the same as in another version, or not alike:
    /// those with another name, another number of a class or of a list of groups,
    /// or a number that is marked as having another meaning there. Ascending; what
    /// the versions share is not examined.
    pub(crate) fn slots_since(
        &self,
        before: &Users,
        classes: &[bool],
        groups: &[bool],
    ) -> Vec<u32> {
        let mut slots: Vec<u32> = (self.slots()..before.slots()).map(number).collect();
        let differs = |slot: u32| {
            self.class_of(slot) != before.class_of(slot)
                || self.groups_of(slot) != before.groups_of(slot)
                || self.names.get(slot) != before.names.get(slot)
        };
        let leaves = self.of_class.differing(&before.of_class).map(|(slot, _)| number(slot));
        let leaves =
            leaves.chain(self.of_groups.differing(&before.of_groups).map(|(slot, _)| number(slot)));
        let leaves = leaves.chain(self.names.differing(&before.names));
        slots.extend(leaves.filter(|&slot| differs(slot)));
        let marked = |marks: &[bool], at: u32| marks.get(at as usize) == Some(&true);
        if classes.contains(&true) {
            let classed = (0..).zip(self.of_class.iter());
            slots.extend(classed.filter(|(_, at)| marked(classes, **at)).map(|(slot, _)| slot));
        }
        if groups.contains(&true) {
            let grouped = (0..).zip(self.of_groups.iter());
            slots.extend(grouped.filter(|(_, at)| marked(groups, **at)).map(|(slot, _)| slot));
        }
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// How many numbers of group lists there are.
    pub(crate) fn group_slots(&self) -> usize {
        self.groups.values.len()
    }

    /// The class number of each slot.
    pub(crate) fn class_numbers(&self) -> &Chunked<ClassId, 4096> {
        &self.of_class
    }

    /// The slots of the users of some classes.
    pub(crate) fn of_classes(&self, wanted: impl Fn(ClassId) -> bool) -> impl Iterator<Item = u32> {
        let numbered = (0..).zip(self.of_class.iter());
        numbered.filter(move |&(_, &class)| class != VACANT && wanted(class)).map(|(slot, _)| slot)
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
    pub(crate) fn insert(&mut self, slot: u32, name: &str, class: &Class, groups: &[u32]) {
        self.names.insert(slot, name);
        self.set_class(slot, class);
        self.set_groups(slot, groups);
    }

    pub(crate) fn set_class(&mut self, slot: u32, class: &Class) {
        let before = self.class_of(slot);
        let class = self.classes.take(class, |class| Arc::new(class.clone()));
        self.of_class.set(slot as usize, class);
        self.classes.leave(before);
    }

    pub(crate) fn set_groups(&mut self, slot: u32, groups: &[u32]) {
        let before = self.groups_of(slot);
        let groups = match groups {
            [] => 0,
            groups => self.groups.take(groups, |groups| groups.into()),
        };
        self.of_groups.set(slot as usize, groups);
        self.groups.leave(before);
    }

    pub(crate) fn set_texts(&mut self, slot: u32, texts: Texts) {
        match texts == Texts::default() {
            true => self.texts.remove_mut(&slot),
            false => {
                self.texts.insert_mut(slot, texts);
                true
            }
        };
    }

    /// Removes a user, whose slot then stays vacant.
    pub(crate) fn remove(&mut self, slot: u32) {
        self.names.remove(slot);
        self.classes.leave(self.class_of(slot));
        self.groups.leave(self.groups_of(slot));
        self.of_class.set(slot as usize, VACANT);
        self.of_groups.set(slot as usize, 0);
        self.texts.remove_mut(&slot);
    }

    pub(crate) fn rename(&mut self, slot: u32, to: &str) {
        self.names.rename(slot, to);
    }
}

impl std::ops::Index<u32> for Users {
    type Output = Class;

    /// The class of a user who is known to exist.
    #[expect(
        clippy::unreachable,
        reason = "it is asked for slots that were just found by name, in the same version"
    )]
    fn index(&self, slot: u32) -> &Class {
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
struct Pool<T: ?Sized> {
    values: Chunked<Place<T>, 64>,
    /// How many have each value.
    counts: Chunked<u32, 256>,
    index: Index,
    /// The number released last; 0 for none.
    free: u32,
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

impl<T: ?Sized> Clone for Pool<T> {
    fn clone(&self) -> Pool<T> {
        let Pool { values, counts, index, free } = self;
        let (values, counts, index) = (values.clone(), counts.clone(), index.clone());
        Pool { values, counts, index, free: *free }
    }
}

impl<T: ?Sized> Default for Pool<T> {
    fn default() -> Pool<T> {
        let mut values = Chunked::default();
        // There is no number 0.
        values.set(0, Place::Free(0));
        Pool { values, counts: Chunked::default(), index: Index::default(), free: 0 }
    }
}

impl<T: ?Sized> Pool<T> {
    fn shared(&self, at: u32) -> Option<&Arc<T>> {
        match self.values.get(at as usize) {
            Some(Place::Of(value)) => Some(value),
            _ => None,
        }
    }

    fn bytes(&self) -> usize {
        self.values.bytes() + self.counts.bytes() + self.index.bytes()
    }

    fn get(&self, at: u32) -> Option<&T> {
        self.shared(at).map(|value| &**value)
    }

    fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(self.values.iter()).filter_map(|(at, place)| match place {
            Place::Of(value) => Some((at, &**value)),
            Place::Free(_) => None,
        })
    }

    /// The values that differ from those with the same number in another version;
    /// `None` for numbers no longer in use.
    fn since<'a>(&'a self, before: &'a Pool<T>) -> impl Iterator<Item = (u32, Option<&'a T>)> {
        let differing = self.values.differing(&before.values);
        let differing = differing.map(|(at, place)| (number(at), place));
        differing.filter_map(|(at, place)| match (place, before.shared(at)) {
            (Place::Of(value), Some(before)) if Arc::ptr_eq(value, before) => None,
            (Place::Of(value), _) => Some((at, Some(&**value))),
            (Place::Free(_), Some(_)) => Some((at, None)),
            (Place::Free(_), None) => None,
        })
    }
}

impl<T: Hash + PartialEq + ?Sized> Pool<T> {
    /// The number of a value, which now has one more holder.
    fn take(&mut self, value: &T, keep: impl FnOnce(&T) -> Arc<T>) -> u32 {
        if let Some(at) = self.index.find(value, |at| self.get(at) == Some(value)) {
            let count = self.counts.get(at as usize).copied().unwrap_or(0);
            self.counts.set(at as usize, count + 1);
            return at;
        }
        let at = match self.free {
            0 => number(self.values.len()),
            free => free,
        };
        if let Some(Place::Free(next)) = self.values.get(at as usize) {
            self.free = *next;
        }
        self.values.set(at as usize, Place::Of(keep(value)));
        self.counts.set(at as usize, 1);
        let values = &self.values;
        self.index.insert(value, at, |hasher, at| match values.get(at as usize) {
            Some(Place::Of(value)) => hasher.hash_one::<&T>(value),
            _ => 0,
        });
        at
    }

    /// Releases a value that one holder no longer has.
    fn leave(&mut self, at: u32) {
        let Some(value) = self.shared(at).cloned() else { return };
        match self.counts.get(at as usize).copied() {
            Some(count) if count > 1 => self.counts.set(at as usize, count - 1),
            _ => {
                self.index.remove::<T>(&value, at);
                self.values.set(at as usize, Place::Free(self.free));
                self.counts.set(at as usize, 0);
                self.free = at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;

    #[test]
    fn values_are_kept_once_however_many_there_are() {
        let mut pool = Pool::<[u32]>::default();
        let mut numbers = || -> Vec<u32> {
            (0..10_000).map(|value| pool.take(&[value], |value| value.into())).collect()
        };
        let first = numbers();
        // Comparing them in `assert_eq!` would print all of them.
        assert!(numbers() == first);
        first.iter().for_each(|&number| pool.leave(number));
        assert_eq!(pool.iter().count(), 10_000);
        first.iter().for_each(|&number| pool.leave(number));
        assert_eq!(pool.iter().count(), 0);
        assert_eq!(pool.take(&[7], |value| value.into()), 10_000);
        assert_eq!(pool.take(&[8], |value| value.into()), 9_999);
    }
}

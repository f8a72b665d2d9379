//! Names with numbers, shared by the versions of a policy.
//!
//! A number is what other things refer to, and what handles carry: it stays with a
//! name as long as that exists, through renames too. A version made from another shares
//! the names that it does not change.

use std::hash::BuildHasher;
use std::marker::PhantomData;

use foldhash::fast::RandomState;
use smol_str::SmolStr;

use crate::chunked::{Chunked, Filling};
use crate::ids::Number;
use crate::index::Index;

/// Names by number, and numbers by name.
#[derive(Clone, Debug)]
pub(crate) struct Names<I> {
    names: Chunked<Option<SmolStr>, 256>,
    index: Index,
    ids: PhantomData<I>,
}

impl<I> Default for Names<I> {
    fn default() -> Names<I> {
        Names { names: Chunked::default(), index: Index::default(), ids: PhantomData }
    }
}

/// Names that come one after the other, each for the next number.
#[derive(Debug)]
pub(crate) struct NameList<I> {
    names: Filling<Option<SmolStr>, 256>,
    count: usize,
    ids: PhantomData<I>,
}

impl<I> Default for NameList<I> {
    fn default() -> NameList<I> {
        NameList { names: Filling::default(), count: 0, ids: PhantomData }
    }
}

impl<I: Number> NameList<I> {
    /// Adds a name, and returns its number.
    pub(crate) fn push(&mut self, name: &str) -> I {
        let id = I::new(self.count);
        self.count = self.count.saturating_add(1);
        self.names.push(Some(name.into()));
        id
    }

    /// The names, and the numbers that have the name of one before them, which is not found
    /// by it.
    pub(crate) fn finish(self) -> (Names<I>, Vec<I>) {
        let names = self.names.finish();
        let at = |slot: u32| names.get(slot as usize).and_then(Option::as_deref).unwrap_or("");
        let hash = |hasher: &RandomState, slot| hasher.hash_one(at(slot));
        let same = |known, slot| at(known) == at(slot);
        let (index, repeated) = Index::of_first(I::new(self.count).number(), hash, same);
        (Names { names, index, ids: PhantomData }, repeated.into_iter().map(I::from).collect())
    }
}

impl<I: Number> Names<I> {
    /// The number of names.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// The number of slots, vacant ones included.
    pub(crate) fn slots(&self) -> usize {
        self.names.len()
    }

    /// The number of a name.
    pub(crate) fn find(&self, name: &str) -> Option<I> {
        let found = self.index.find(name, |slot| self.at(slot as usize) == Some(name));
        found.map(|slot| I::new(slot as usize))
    }

    /// The name of a number.
    pub(crate) fn get(&self, id: I) -> Option<&str> {
        self.at(id.index())
    }

    fn at(&self, slot: usize) -> Option<&str> {
        self.names.get(slot)?.as_deref()
    }

    /// All names with their numbers, in the order of these.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (I, &str)> {
        let slots = self.names.iter().enumerate();
        slots.filter_map(|(slot, name)| Some((I::new(slot), name.as_deref()?)))
    }

    /// The numbers that do not share their names with another version.
    pub(crate) fn differing<'a>(&'a self, other: &'a Names<I>) -> impl Iterator<Item = I> {
        self.names.differing(&other.names).map(|(slot, _)| I::new(slot))
    }

    /// Makes room for about that many names in all.
    pub(crate) fn reserve(&mut self, names: usize) {
        let known = &self.names;
        self.index.reserve(names, |hasher, slot| hash_of(known, hasher, slot));
    }

    /// Gives a vacant number a new name.
    pub(crate) fn insert(&mut self, id: I, name: &str) {
        self.names.set(id.index(), Some(name.into()));
        let names = &self.names;
        self.index.insert(name, id.number(), |hasher, slot| hash_of(names, hasher, slot));
    }

    /// Removes a name; its number then stays vacant.
    pub(crate) fn remove(&mut self, id: I) {
        if let Some(Some(name)) = self.names.get(id.index()).cloned() {
            self.index.remove(name.as_str(), id.number());
            self.names.set(id.index(), None);
        }
    }

    /// Gives what has a name another one, which must be new.
    pub(crate) fn rename(&mut self, id: I, to: &str) {
        if self.get(id).is_some() {
            self.remove(id);
            self.insert(id, to);
        }
    }

    /// The bytes of the names and their index, except for the texts of long names,
    /// which versions share.
    pub(crate) fn bytes(&self) -> usize {
        self.names.bytes().saturating_add(self.index.bytes())
    }
}

/// The hash of the name in a slot.
fn hash_of(names: &Chunked<Option<SmolStr>, 256>, hasher: &RandomState, slot: u32) -> u64 {
    let name = names.get(slot as usize).and_then(Option::as_deref);
    hasher.hash_one(name.unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::UserSlot;

    #[test]
    fn of_names_that_are_the_same_the_first_is_found() {
        let mut list = NameList::<UserSlot>::default();
        for number in 0..20_000 {
            list.push(&format!("user-{}", number % 15_000));
        }
        let (names, repeated) = list.finish();
        assert!(repeated.into_iter().eq((15_000..20_000).map(UserSlot::new)));
        assert_eq!((names.len(), names.slots()), (15_000, 20_000));
        for slot in UserSlot::first(15_000) {
            assert_eq!(names.find(&format!("user-{}", slot.number())), Some(slot));
        }
    }

    #[test]
    fn names_are_found_in_an_index_that_grew() {
        let mut names = Names::default();
        for slot in UserSlot::first(20_000) {
            names.insert(slot, &format!("user-{}", slot.number()));
        }
        let copy = names.clone();
        for slot in UserSlot::first(20_000).step_by(3) {
            names.remove(slot);
        }
        for slot in UserSlot::first(20_000) {
            let name = format!("user-{}", slot.number());
            assert_eq!(copy.find(&name), Some(slot));
            assert_eq!(names.find(&name), (slot.number() % 3 != 0).then_some(slot));
        }
    }
}

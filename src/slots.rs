//! Named things in numbered slots, which versions of a policy share.
//!
//! A slot's number is what other things refer to, and what handles carry: it stays
//! with a name as long as that exists, through renames too, and is never reused. A
//! version made from another shares all that it does not change.

use std::hash::BuildHasher;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::chunked::Chunked;
use crate::index::Index;
use crate::names::number;

/// Names by number, and numbers by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    names: Chunked<Option<SmolStr>, 256>,
    index: Index,
}

impl Names {
    /// No slots yet, with an index for about that many names.
    pub(crate) fn with_capacity(names: usize) -> Names {
        Names { names: Chunked::default(), index: Index::with_capacity(names) }
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// How many slots there are, vacant ones included.
    pub(crate) fn slots(&self) -> usize {
        self.names.len()
    }

    /// The slot of a name.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.index.find(name, |slot| self.get(slot) == Some(name))
    }

    /// The name in a slot.
    pub(crate) fn get(&self, slot: u32) -> Option<&str> {
        self.names.get(slot as usize)?.as_deref()
    }

    /// All slots that are not vacant.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        (0..).zip(self.names.iter()).filter_map(|(slot, name)| Some((slot, name.as_deref()?)))
    }

    /// The slots that do not share their names with another version.
    pub(crate) fn differing<'a>(&'a self, other: &'a Names) -> impl Iterator<Item = u32> {
        self.names.differing(&other.names).map(|(slot, _)| number(slot))
    }

    /// Gives a vacant slot a new name.
    pub(crate) fn insert(&mut self, slot: u32, name: &str) {
        self.names.set(slot as usize, Some(name.into()));
        let names = &self.names;
        let named = |slot: u32| names.get(slot as usize).and_then(|name| name.as_deref());
        self.index.insert(name, slot, |hasher, slot| hasher.hash_one(named(slot).unwrap_or("")));
    }

    /// Empties a slot, which then stays vacant.
    pub(crate) fn remove(&mut self, slot: u32) {
        if let Some(Some(name)) = self.names.get(slot as usize).cloned() {
            self.index.remove(name.as_str(), slot);
            self.names.set(slot as usize, None);
        }
    }

    /// Renames what is in a slot; the name must be new.
    pub(crate) fn rename(&mut self, slot: u32, to: &str) {
        if self.get(slot).is_some() {
            self.remove(slot);
            self.insert(slot, to);
        }
    }

    /// The bytes of the names and their index, except for the texts of long names,
    /// which versions share.
    pub(crate) fn bytes(&self) -> usize {
        self.names.bytes().saturating_add(self.index.bytes())
    }
}

/// Values by name and by number.
#[derive(Clone, Debug)]
pub(crate) struct Slots<V> {
    names: Names,
    values: Chunked<Option<Arc<V>>, 32>,
}

impl<V> Default for Slots<V> {
    fn default() -> Slots<V> {
        Slots { names: Names::default(), values: Chunked::default() }
    }
}

impl<V> Slots<V> {
    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// How many slots there are, vacant ones included.
    pub(crate) fn slots(&self) -> usize {
        self.names.slots()
    }

    /// The slot of a name.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.names.find(name)
    }

    /// The value in a slot.
    pub(crate) fn get(&self, slot: u32) -> Option<&V> {
        self.values.get(slot as usize)?.as_deref()
    }

    /// The name in a slot; empty for a vacant one.
    pub(crate) fn name(&self, slot: u32) -> &str {
        self.names.get(slot).unwrap_or("")
    }

    /// All slots that are not vacant.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &str, &V)> {
        self.names.iter().filter_map(|(slot, name)| Some((slot, name, self.get(slot)?)))
    }

    /// Gives a new name the next slot.
    pub(crate) fn insert(&mut self, name: &str, value: V) -> u32 {
        let slot = number(self.slots());
        self.names.insert(slot, name);
        self.values.set(slot as usize, Some(Arc::new(value)));
        slot
    }

    /// Puts another value into a slot that is not vacant.
    pub(crate) fn set(&mut self, slot: u32, value: V) {
        self.values.set(slot as usize, Some(Arc::new(value)));
    }

    /// Empties a slot, which then stays vacant.
    pub(crate) fn remove(&mut self, slot: u32) {
        self.names.remove(slot);
        self.values.set(slot as usize, None);
    }

    /// Renames what is in a slot; the name must be new.
    pub(crate) fn rename(&mut self, slot: u32, to: &str) {
        self.names.rename(slot, to);
    }

    /// Whether another version has the same value in a slot, in the same memory.
    pub(crate) fn is_shared(&self, slot: u32, other: &Slots<V>) -> bool {
        match (self.values.get(slot as usize), other.values.get(slot as usize)) {
            (Some(Some(a)), Some(Some(b))) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl<V> std::ops::Index<u32> for Slots<V> {
    type Output = V;

    /// The value in a slot that is known not to be vacant, as those that a policy
    /// refers to are.
    #[expect(
        clippy::unreachable,
        reason = "nothing is deleted that a policy refers to, and numbers are of the same version"
    )]
    fn index(&self, slot: u32) -> &V {
        match self.get(slot) {
            Some(value) => value,
            None => unreachable!("a reference to a vacant slot"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_leaves_the_one_before_as_it_is() {
        let mut before = Slots::default();
        for name in ["a", "b", "c"] {
            before.insert(name, name.to_owned());
        }
        let mut after = before.clone();
        after.remove(1);
        after.rename(0, "z");
        assert_eq!(after.insert("b", "again".to_owned()), 3);
        after.set(2, "new".to_owned());
        let told = |slots: &Slots<String>| {
            slots
                .iter()
                .map(|(slot, name, value)| format!("{slot}{name}={value}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(&before), ["0a=a", "1b=b", "2c=c"]);
        assert_eq!(told(&after), ["0z=a", "2c=new", "3b=again"]);
        assert_eq!((before.find("a"), after.find("a"), after.find("z")), (Some(0), None, Some(0)));
        assert_eq!((before.slots(), after.slots()), (3, 4));
        assert!(after.is_shared(0, &before) && !after.is_shared(2, &before));
    }

    #[test]
    fn names_are_found_in_an_index_that_grew() {
        let mut names = Names::default();
        for slot in 0..20_000 {
            names.insert(slot, &format!("user-{slot}"));
        }
        let copy = names.clone();
        for slot in (0..20_000).step_by(3) {
            names.remove(slot);
        }
        for slot in 0..20_000 {
            let name = format!("user-{slot}");
            assert_eq!(copy.find(&name), Some(slot));
            assert_eq!(names.find(&name), (slot % 3 != 0).then_some(slot));
        }
    }
}

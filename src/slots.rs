//! Named things in numbered slots, which versions of a policy share.
//!
//! A slot's number is what other things refer to, and what handles carry: it
//! stays with a name as long as that lives, through renames too, and is never
//! given to another. A version made from another shares all that it does not
//! change: changing one of a million users copies a few nodes of a tree, and
//! adding one also a shard of the index.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use rpds::VectorSync;

use crate::names::number;

/// Values by name and by number.
#[derive(Clone, Debug)]
pub(crate) struct Slots<V> {
    entries: VectorSync<Option<Entry<V>>>,
    index: Arc<Index>,
    len: usize,
}

#[derive(Clone, Debug)]
struct Entry<V> {
    name: Arc<str>,
    value: V,
}

/// The numbers of names, in shards of a few hundred.
#[derive(Clone, Debug)]
struct Index {
    /// The hash is seeded at random, so that names can't be chosen to collide.
    hasher: RandomState,
    shards: Vec<Arc<Shard>>,
}

/// Some names with their slots.
type Shard = HashTable<(Arc<str>, u32)>;

impl Index {
    /// An index for about so many names.
    fn new(names: usize) -> Index {
        const SHARD: usize = 256;
        let shards = (names / SHARD + 1).next_power_of_two();
        Index { hasher: RandomState::default(), shards: vec![Arc::default(); shards] }
    }

    /// The hash of a name and the shard that it is in.
    fn shard(&self, name: &str) -> (u64, usize) {
        let hash = self.hasher.hash_one(name);
        // The table itself goes by the lowest and the topmost bits.
        (hash, (hash >> 32) as usize & (self.shards.len() - 1))
    }

    fn find(&self, name: &str) -> Option<u32> {
        let (hash, shard) = self.shard(name);
        let found = self.shards.get(shard)?.find(hash, |(known, _)| **known == *name);
        found.map(|&(_, slot)| slot)
    }

    fn insert(&mut self, name: Arc<str>, slot: u32) {
        let (hash, shard) = self.shard(&name);
        if let Some(table) = self.shards.get_mut(shard) {
            let hasher = &self.hasher;
            Arc::make_mut(table)
                .insert_unique(hash, (name, slot), |(name, _)| hasher.hash_one(&**name));
        }
    }

    fn remove(&mut self, name: &str) {
        let (hash, shard) = self.shard(name);
        if let Some(table) = self.shards.get_mut(shard)
            && let Ok(entry) = Arc::make_mut(table).find_entry(hash, |(known, _)| **known == *name)
        {
            entry.remove();
        }
    }
}

impl<V> Default for Slots<V> {
    fn default() -> Slots<V> {
        Slots::with_capacity(0)
    }
}

impl<V> Slots<V> {
    /// No slots yet, with an index for about so many names.
    pub(crate) fn with_capacity(names: usize) -> Slots<V> {
        Slots { entries: VectorSync::new_sync(), index: Arc::new(Index::new(names)), len: 0 }
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How many slots there are, vacant ones included.
    pub(crate) fn slots(&self) -> usize {
        self.entries.len()
    }

    /// The slot of a name.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.index.find(name)
    }

    /// The name and value in a slot.
    pub(crate) fn get(&self, slot: u32) -> Option<(&str, &V)> {
        let entry = self.entries.get(slot as usize)?.as_ref()?;
        Some((&entry.name, &entry.value))
    }

    /// The name in a slot; nothing in a vacant one.
    pub(crate) fn name(&self, slot: u32) -> &str {
        self.get(slot).map_or("", |(name, _)| name)
    }

    /// All slots that are not vacant.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &str, &V)> {
        (0..).zip(self.entries.iter()).filter_map(|(slot, entry)| {
            let entry = entry.as_ref()?;
            Some((slot, &*entry.name, &entry.value))
        })
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, _, value)| value)
    }
}

impl<V: Clone> Slots<V> {
    /// Gives a new name that slot, which is vacant, or the next one.
    pub(crate) fn insert_at(&mut self, slot: Option<u32>, name: &str, value: V) -> u32 {
        let slot = slot.unwrap_or(number(self.entries.len()));
        while self.entries.len() <= slot as usize {
            self.entries.push_back_mut(None);
        }
        let name: Arc<str> = name.into();
        self.entries.set_mut(slot as usize, Some(Entry { name: Arc::clone(&name), value }));
        Arc::make_mut(&mut self.index).insert(name, slot);
        self.len += 1;
        slot
    }

    /// Gives a new name the next slot.
    pub(crate) fn insert(&mut self, name: &str, value: V) -> u32 {
        self.insert_at(None, name, value)
    }

    /// Puts another value into a slot that is not vacant.
    pub(crate) fn set(&mut self, slot: u32, value: V) {
        if let Some(Some(entry)) = self.entries.get(slot as usize) {
            let name = Arc::clone(&entry.name);
            self.entries.set_mut(slot as usize, Some(Entry { name, value }));
        }
    }

    /// Empties a slot, which stays vacant.
    pub(crate) fn remove(&mut self, slot: u32) {
        if let Some(Some(entry)) = self.entries.get(slot as usize) {
            let name = Arc::clone(&entry.name);
            self.entries.set_mut(slot as usize, None);
            Arc::make_mut(&mut self.index).remove(&name);
            self.len -= 1;
        }
    }

    /// Gives what is in a slot another name, which is new.
    pub(crate) fn rename(&mut self, slot: u32, to: &str) {
        if let Some(Some(entry)) = self.entries.get(slot as usize) {
            let (from, to): (Arc<str>, Arc<str>) = (Arc::clone(&entry.name), to.into());
            let value = entry.value.clone();
            self.entries.set_mut(slot as usize, Some(Entry { name: Arc::clone(&to), value }));
            let index = Arc::make_mut(&mut self.index);
            index.remove(&from);
            index.insert(to, slot);
        }
    }
}

impl<V> std::ops::Index<u32> for Slots<V> {
    type Output = V;

    /// The value in a slot that is known not to be vacant: references of a
    /// policy are.
    fn index(&self, slot: u32) -> &V {
        match &self.entries[slot as usize] {
            Some(entry) => &entry.value,
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
        assert_eq!((before.len(), after.len(), after.slots()), (3, 3, 4));
    }
}

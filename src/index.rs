//! A persistent hash index from keys to numbers.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "counts and sizes of what is in memory, in shards whose number is checked"
)]

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// About how many numbers a shard has: what adding one copies.
const SHARD: usize = 2048;

/// A hash table of numbers, which stand for things kept elsewhere.
///
/// It is divided into shards that copies share. The hash is seeded at random, so
/// that names can't be chosen to collide.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    hasher: RandomState,
    /// None before there is a number.
    shards: Arc<[Arc<HashTable<u32>>]>,
    len: usize,
}

/// Tables with room for about that many numbers.
fn tables(len: usize) -> impl Iterator<Item = HashTable<u32>> {
    let shards = (len / SHARD + 1).next_power_of_two();
    let each = len / shards;
    std::iter::repeat_with(move || HashTable::with_capacity(each + each / 8)).take(shards)
}

/// The shard of a hash, of so many.
fn shard(hash: u64, shards: usize) -> usize {
    // The table itself uses the lowest and the topmost bits.
    (hash >> 32) as usize & shards.wrapping_sub(1)
}

impl Index {
    /// An index with room for about that many.
    fn with_capacity(len: usize) -> Index {
        let shards = tables(len).map(Arc::new).collect();
        Index { hasher: RandomState::default(), shards, len: 0 }
    }

    /// Makes room for about that many in all, if there is too little.
    pub(crate) fn reserve(&mut self, len: usize, rehash: impl Fn(&RandomState, u32) -> u64) {
        if !self.shards.is_empty() && len <= 2 * SHARD * self.shards.len() {
            return;
        }
        let mut grown = Index { hasher: self.hasher.clone(), ..Index::with_capacity(len) };
        for &number in self.shards.iter().flat_map(|shard| shard.iter()) {
            grown.put(rehash(&self.hasher, number), number, &rehash);
        }
        *self = grown;
    }

    /// An index of the first numbers, and those of them, left out, that stand for the same
    /// as one before.
    pub(crate) fn of_first(
        count: u32,
        hash: impl Fn(&RandomState, u32) -> u64,
        are_same: impl Fn(u32, u32) -> bool,
    ) -> (Index, Vec<u32>) {
        let hasher = RandomState::default();
        let mut shards: Vec<HashTable<u32>> = tables(count as usize).collect();
        let mut repeated = Vec::new();
        for number in 0..count {
            let hashed = hash(&hasher, number);
            let at = shard(hashed, shards.len());
            let Some(shard) = shards.get_mut(at) else { continue };
            let is_same = |&known: &u32| are_same(known, number);
            match shard.entry(hashed, is_same, |&known| hash(&hasher, known)) {
                Entry::Occupied(_) => repeated.push(number),
                Entry::Vacant(vacant) => {
                    vacant.insert(number);
                }
            }
        }
        let len = count as usize - repeated.len();
        (Index { hasher, shards: shards.into_iter().map(Arc::new).collect(), len }, repeated)
    }

    /// The number of entries.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn shard(&self, hash: u64) -> usize {
        shard(hash, self.shards.len())
    }

    /// The number of what has the hash of `key` and satisfies `is`.
    pub(crate) fn find<K: Hash + ?Sized>(&self, key: &K, is: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        self.shards.get(self.shard(hash))?.find(hash, |&number| is(number)).copied()
    }

    /// Adds the number of something new; `rehash` gives the hash of what any number
    /// here stands for.
    pub(crate) fn insert<K: Hash + ?Sized>(
        &mut self,
        key: &K,
        number: u32,
        rehash: impl Fn(&RandomState, u32) -> u64,
    ) {
        // Twice as much as there is then, so that each is put anew about twice in the end.
        if self.shards.is_empty() || self.len > 2 * SHARD * self.shards.len() {
            self.reserve(2 * self.len, &rehash);
        }
        self.put(self.hasher.hash_one(key), number, &rehash);
    }

    fn put(&mut self, hash: u64, number: u32, rehash: &impl Fn(&RandomState, u32) -> u64) {
        let at = self.shard(hash);
        if let Some(shard) = Arc::make_mut(&mut self.shards).get_mut(at) {
            let rehash = |&number: &u32| rehash(&self.hasher, number);
            Arc::make_mut(shard).insert_unique(hash, number, rehash);
            self.len += 1;
        }
    }

    /// Removes a number.
    pub(crate) fn remove<K: Hash + ?Sized>(&mut self, key: &K, number: u32) {
        let hash = self.hasher.hash_one(key);
        let at = self.shard(hash);
        if let Some(shard) = Arc::make_mut(&mut self.shards).get_mut(at)
            && let Ok(entry) = Arc::make_mut(shard).find_entry(hash, |&known| known == number)
        {
            entry.remove();
            self.len -= 1;
        }
    }

    /// The bytes of the shards.
    pub(crate) fn bytes(&self) -> usize {
        let shards = self.shards.iter().map(|shard| shard.allocation_size());
        shards.sum::<usize>() + self.shards.len() * size_of::<HashTable<u32>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that stand for themselves.
    fn numbers(until: u32) -> Index {
        let mut index = Index::default();
        (0..until).for_each(|number| insert(&mut index, number));
        index
    }

    fn insert(index: &mut Index, number: u32) {
        index.insert(&number, number, RandomState::hash_one);
    }

    #[test]
    fn what_is_in_is_found_however_it_grew() {
        let mut index = numbers(10_000);
        for number in 0..10_000 {
            assert_eq!(index.find(&number, |known| known == number), Some(number));
        }
        (0..10_000).step_by(2).for_each(|number| index.remove(&number, number));
        index.remove(&1, 3);
        assert_eq!(index.len(), 5_000);
        for number in 0..10_000 {
            let found = index.find(&number, |known| known == number);
            assert_eq!(found, (number % 2 == 1).then_some(number));
        }
    }

    #[test]
    fn a_copy_shares_all_shards_but_one() {
        let before = numbers(10_000);
        let mut after = before.clone();
        insert(&mut after, 10_000);
        after.remove(&10_000, 10_000);
        let shards = || before.shards.iter().zip(&*after.shards);
        assert_eq!(shards().filter(|(before, after)| !Arc::ptr_eq(before, after)).count(), 1);
        // It grows when there are twice as many as are meant for a shard.
        assert_eq!((numbers(4_097).shards.len(), numbers(4_098).shards.len()), (1, 8));
        assert_eq!(shards().count(), 8);
        assert!(before.shards.iter().all(|shard| (1_000..1_500).contains(&shard.len())));
    }

    #[test]
    fn room_is_made_for_what_is_to_come() {
        let (few, many) = (Index::with_capacity(0), Index::with_capacity(1_000_000));
        assert_eq!((few.shards.len(), many.shards.len()), (1, 512));
        assert_eq!(few.bytes(), size_of::<HashTable<u32>>());
        // Five bytes for each, in tables of a power of two that are 7/8 full at most.
        assert!((5_000_000..12_000_000).contains(&many.bytes()), "{}", many.bytes());
    }
}

//! Sequences that versions share.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "positions and sizes of what is in memory; `LEAF` is no zero"
)]

use std::sync::Arc;

/// Values by position, in leaves of `LEAF` that copies share: a copy that changes
/// one value copies that leaf, and a pointer for each other leaf.
///
/// `LEAF` is a power of two, so that finding a position takes a shift and a mask.
#[derive(Debug)]
pub(crate) struct Chunked<T, const LEAF: usize> {
    leaves: Arc<[Arc<[T; LEAF]>]>,
    len: usize,
}

impl<T, const LEAF: usize> Clone for Chunked<T, LEAF> {
    fn clone(&self) -> Self {
        Chunked { leaves: Arc::clone(&self.leaves), len: self.len }
    }
}

impl<T, const LEAF: usize> Default for Chunked<T, LEAF> {
    fn default() -> Self {
        Chunked { leaves: Arc::new([]), len: 0 }
    }
}

impl<T, const LEAF: usize> Chunked<T, LEAF> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The value at a position; beyond the last, `None` or a default one.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        self.leaves.get(at / LEAF)?.get(at % LEAF)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.leaves.iter().flat_map(|leaf| &**leaf).take(self.len)
    }

    /// The values with their positions, except for those in leaves that another
    /// sequence shares at the same positions.
    pub(crate) fn differing<'a>(
        &'a self,
        other: &'a Chunked<T, LEAF>,
    ) -> impl Iterator<Item = (usize, &'a T)> {
        let leaves = self.leaves.iter().enumerate();
        let shared = |at: usize, leaf: &Arc<[T; LEAF]>| {
            other.leaves.get(at).is_some_and(|other| Arc::ptr_eq(leaf, other))
        };
        let differing = leaves.filter(move |(at, leaf)| !shared(*at, leaf));
        let values = differing.flat_map(|(at, leaf)| (at * LEAF..).zip(&**leaf));
        values.take_while(|&(at, _)| at < self.len)
    }

    /// The bytes of the leaves.
    pub(crate) fn bytes(&self) -> usize {
        // The leaves of its spare room are one and the same.
        let leaves = (self.len.div_ceil(LEAF) + 1).min(self.leaves.len());
        size_of_val(&*self.leaves) + leaves * size_of::<[T; LEAF]>()
    }
}

/// Values that come one after the other, to be a sequence at the end.
#[derive(Debug)]
pub(crate) struct Filling<T, const LEAF: usize> {
    leaves: Vec<Arc<[T; LEAF]>>,
    /// Fewer than a leaf has.
    last: Vec<T>,
}

impl<T, const LEAF: usize> Default for Filling<T, LEAF> {
    fn default() -> Self {
        Filling { leaves: Vec::new(), last: Vec::with_capacity(LEAF) }
    }
}

impl<T: Default, const LEAF: usize> Filling<T, LEAF> {
    pub(crate) fn push(&mut self, value: T) {
        self.last.push(value);
        if self.last.len() == LEAF {
            self.close_leaf();
        }
    }

    fn close_leaf(&mut self) {
        let mut values = self.last.drain(..);
        let leaf = std::array::from_fn(|_| values.next().unwrap_or_default());
        self.leaves.push(Arc::new(leaf));
    }

    pub(crate) fn finish(mut self) -> Chunked<T, LEAF> {
        let len = self.leaves.len() * LEAF + self.last.len();
        if !self.last.is_empty() {
            self.close_leaf();
        }
        Chunked { leaves: self.leaves.into(), len }
    }
}

impl<T: Copy + Default + PartialEq, const LEAF: usize> Chunked<T, LEAF> {
    /// Writes values at a position and those after it; leaves that already have
    /// them stay shared.
    pub(crate) fn write(&mut self, at: usize, values: &[T]) {
        self.reach(at + values.len());
        let (mut at, mut rest) = (at, values);
        while !rest.is_empty() {
            let begin = at % LEAF;
            let (now, later) = rest.split_at(rest.len().min(LEAF - begin));
            let range = begin..begin + now.len();
            let known = self.leaves.get(at / LEAF).and_then(|leaf| leaf.get(range.clone()));
            if known != Some(now) {
                let leaf = Arc::make_mut(&mut self.leaves).get_mut(at / LEAF);
                if let Some(places) = leaf.and_then(|leaf| Arc::make_mut(leaf).get_mut(range)) {
                    places.copy_from_slice(now);
                }
            }
            (at, rest) = (at + now.len(), later);
        }
    }
}

impl<T: Clone + Default, const LEAF: usize> Chunked<T, LEAF> {
    /// Sets the value at a position, filling any gap before it with defaults.
    pub(crate) fn set(&mut self, at: usize, value: T) {
        self.reach(at + 1);
        let leaf = Arc::make_mut(&mut self.leaves).get_mut(at / LEAF);
        if let Some(place) = leaf.and_then(|leaf| Arc::make_mut(leaf).get_mut(at % LEAF)) {
            *place = value;
        }
    }

    /// Extends it to at least that length, with default values.
    pub(crate) fn reach(&mut self, len: usize) {
        self.len = self.len.max(len);
        let wanting = len.div_ceil(LEAF).saturating_sub(self.leaves.len());
        if wanting > 0 {
            // Spare room costs a pointer each now, but saves copying all of them
            // again.
            let wanting = wanting.max(self.leaves.len() / 4);
            let empty = Arc::new(std::array::from_fn(|_| T::default()));
            let more = std::iter::repeat_n(empty, wanting);
            self.leaves = self.leaves.iter().cloned().chain(more).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Chunked, Filling};

    #[test]
    fn a_copy_shares_what_it_does_not_change() {
        let mut before = Chunked::<u32, 4>::default();
        (0..11).for_each(|at| before.set(at, at as u32));
        let mut after = before.clone();
        after.set(5, 50);
        after.set(12, 120);
        assert_eq!(before.get(12), None);
        let differs = |a: &Chunked<u32, 4>, b: &Chunked<u32, 4>| -> Vec<(usize, u32)> {
            a.differing(b).map(|(at, &value)| (at, value)).collect()
        };
        assert_eq!(before.iter().copied().collect::<Vec<_>>(), (0..11).collect::<Vec<_>>());
        let values: Vec<u32> = after.iter().copied().collect();
        assert_eq!(values, [0, 1, 2, 3, 4, 50, 6, 7, 8, 9, 10, 0, 120]);
        assert_eq!(differs(&before, &before), []);
        assert_eq!(differs(&before, &after)[..4], [(4, 4), (5, 5), (6, 6), (7, 7)]);
        assert_eq!(differs(&after, &before).len(), 4 + 1);
        assert_eq!((before.len(), after.len(), after.get(12)), (11, 13, Some(&120)));
    }

    #[test]
    fn what_is_written_goes_over_the_ends_of_leaves() {
        let mut before = Chunked::<u32, 4>::default();
        before.write(0, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let mut after = before.clone();
        after.write(2, &[2, 3, 40, 5, 6, 7, 8]);
        assert!(before.iter().copied().eq(0..10));
        assert!(after.iter().copied().eq([0, 1, 2, 3, 40, 5, 6, 7, 8, 9]));
        let differing: Vec<usize> = after.differing(&before).map(|(at, _)| at).collect();
        assert_eq!(differing, [4, 5, 6, 7]);
    }

    #[test]
    fn it_grows_one_by_one() {
        let mut grown = Chunked::<u32, 4>::default();
        for value in 0..99 {
            let mut filling = Filling::<u32, 4>::default();
            (0..value).for_each(|value| filling.push(value));
            assert!(filling.finish().iter().copied().eq(0..value));
            grown.set(value as usize, value);
            assert!(grown.iter().copied().eq(0..=value));
        }
        // In spare room, there are default values.
        assert_eq!((grown.get(99), grown.get(1_000)), (Some(&0), None));
    }
}

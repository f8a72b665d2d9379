//! Sequences that versions share.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "positions and sizes of what is in memory; `LEAF` is no zero"
)]

mod deep;

use std::sync::Arc;

pub(crate) use deep::Deep;

/// Values by position, in leaves of `LEAF` that copies share: a copy that changes
/// one value copies that leaf, and a pointer for each other leaf. Values that are fewer than
/// a leaf holds are in one piece, as long as it need be.
///
/// `LEAF` is a power of two, so that finding a position takes a shift and a mask.
///
/// INVARIANT: there are either leaves or values in one piece.
#[derive(Debug)]
pub(crate) struct Chunked<T, const LEAF: usize> {
    few: Arc<[T]>,
    leaves: Arc<[Arc<[T; LEAF]>]>,
    len: usize,
}

impl<T, const LEAF: usize> Clone for Chunked<T, LEAF> {
    fn clone(&self) -> Self {
        let (few, leaves) = (Arc::clone(&self.few), Arc::clone(&self.leaves));
        Chunked { few, leaves, len: self.len }
    }
}

impl<T, const LEAF: usize> Default for Chunked<T, LEAF> {
    fn default() -> Self {
        // These allocate nothing.
        Chunked { few: Arc::default(), leaves: Arc::default(), len: 0 }
    }
}

impl<T, const LEAF: usize> Chunked<T, LEAF> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The value at a position; beyond the last, `None` or a default one.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        match self.leaves.get(at / LEAF) {
            Some(leaf) => leaf.get(at % LEAF),
            None => self.few.get(at),
        }
    }

    /// The pieces, each with its first position.
    fn pieces(&self) -> impl Iterator<Item = (usize, &[T])> {
        let leaves = self.leaves.iter().map(|leaf| &leaf[..]);
        let begins = (0..).step_by(LEAF);
        let few = (!self.few.is_empty()).then_some(&*self.few);
        begins.zip(few.into_iter().chain(leaves))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pieces().flat_map(|(_, piece)| piece).take(self.len)
    }

    /// The values, so many at a time; fewer at the end. That many must divide a leaf.
    pub(crate) fn chunks(&self, size: usize) -> impl Iterator<Item = &[T]> {
        self.pieces().flat_map(move |(at, piece)| {
            let used = piece.len().min(self.len.saturating_sub(at));
            piece.get(..used).unwrap_or_default().chunks(size)
        })
    }

    /// The values with their positions, except for those in pieces that another
    /// sequence shares at the same positions.
    pub(crate) fn differing<'a>(
        &'a self,
        other: &'a Chunked<T, LEAF>,
    ) -> impl Iterator<Item = (usize, &'a T)> {
        let is_shared = |&(at, piece): &(usize, &[T])| std::ptr::eq(piece, other.piece(at));
        let differing = self.pieces().filter(move |piece| !is_shared(piece));
        let values = differing.flat_map(|(at, piece)| (at..).zip(piece));
        values.take_while(|&(at, _)| at < self.len)
    }

    /// The values from a position to the end of the piece that has it.
    pub(crate) fn piece(&self, at: usize) -> &[T] {
        let piece = self.leaves.get(at / LEAF).map_or(&*self.few, |leaf| &leaf[..]);
        piece.get(at % LEAF..).unwrap_or_default()
    }

    /// The bytes of the pieces.
    pub(crate) fn bytes(&self) -> usize {
        // The leaves of its spare room are one and the same.
        let leaves = (self.len.div_ceil(LEAF) + 1).min(self.leaves.len());
        size_of_val(&*self.few) + size_of_val(&*self.leaves) + leaves * size_of::<[T; LEAF]>()
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
        Filling { leaves: Vec::new(), last: Vec::new() }
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
        self.leaves.push(leaf(self.last.drain(..)));
    }

    pub(crate) fn finish(mut self) -> Chunked<T, LEAF> {
        let len = self.leaves.len() * LEAF + self.last.len();
        if self.leaves.is_empty() {
            return Chunked { few: self.last.into(), len, ..Chunked::default() };
        }
        if !self.last.is_empty() {
            self.close_leaf();
        }
        Chunked { leaves: self.leaves.into(), len, ..Chunked::default() }
    }
}

/// A leaf of values, and of default ones for the rest of it.
fn leaf<T: Default, const LEAF: usize>(mut values: impl Iterator<Item = T>) -> Arc<[T; LEAF]> {
    Arc::new(std::array::from_fn(|_| values.next().unwrap_or_default()))
}

impl<T: Copy, const LEAF: usize> Chunked<T, LEAF> {
    /// A copy of the value at a position, for those to whom each instruction counts.
    #[inline]
    pub(crate) fn value(&self, at: usize) -> Option<T> {
        match self.leaves.get(at / LEAF) {
            Some(leaf) => leaf.get(at % LEAF).copied(),
            None => self.value_of_few(at),
        }
    }

    // Cold, so that values in leaves are found as if there were no others, but not called.
    #[cold]
    #[inline(always)]
    fn value_of_few(&self, at: usize) -> Option<T> {
        self.few.get(at).copied()
    }
}

impl<T: Copy + Default + PartialEq, const LEAF: usize> Chunked<T, LEAF> {
    /// Writes values at a position and those after it; pieces that already have
    /// them stay shared.
    pub(crate) fn write(&mut self, at: usize, values: &[T]) {
        self.reach(at + values.len());
        let (mut at, mut rest) = (at, values);
        while !rest.is_empty() {
            let known = self.piece(at);
            let (now, later) = rest.split_at(rest.len().min(known.len()));
            if now.is_empty() {
                return;
            }
            if !known.starts_with(now)
                && let Some(places) = self.piece_mut(at).get_mut(..now.len())
            {
                places.copy_from_slice(now);
            }
            (at, rest) = (at + now.len(), later);
        }
    }
}

impl<T: Clone + Default, const LEAF: usize> Chunked<T, LEAF> {
    /// The same as [`Chunked::piece`], not shared any more.
    fn piece_mut(&mut self, at: usize) -> &mut [T] {
        let piece: &mut [T] = if self.leaves.is_empty() {
            Arc::make_mut(&mut self.few)
        } else {
            match Arc::make_mut(&mut self.leaves).get_mut(at / LEAF) {
                Some(leaf) => Arc::make_mut(leaf).as_mut_slice(),
                None => &mut [],
            }
        };
        piece.get_mut(at % LEAF..).unwrap_or_default()
    }

    /// A copy that has leaves, unless it has no more than so many values.
    pub(crate) fn in_leaves(&self, few: usize) -> Self {
        if self.few.len() <= few {
            return self.clone();
        }
        let leaves = [leaf(self.few.iter().cloned())].into();
        Chunked { few: Arc::default(), leaves, len: self.len }
    }

    /// Sets the value at a position, filling any gap before it with defaults.
    pub(crate) fn set(&mut self, at: usize, value: T) {
        if let Some(place) = self.get_mut(at) {
            *place = value;
        }
    }

    /// The value at a position, to be changed, filling any gap before it with defaults.
    fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.reach(at + 1);
        self.piece_mut(at).first_mut()
    }

    /// Extends it to at least that length, with default values.
    pub(crate) fn reach(&mut self, len: usize) {
        self.len = self.len.max(len);
        if len <= self.few.len().max(self.leaves.len() * LEAF) {
            return;
        }
        let room = len + len / 4;
        if self.leaves.is_empty() && room < LEAF {
            let more = std::iter::repeat_n(T::default(), room - self.few.len());
            self.few = self.few.iter().cloned().chain(more).collect();
            return;
        }
        let few = std::mem::take(&mut self.few);
        let first = (!few.is_empty()).then(|| leaf(few.iter().cloned()));
        let known = self.leaves.len() + usize::from(first.is_some());
        // Spare room costs a pointer each now, but saves copying all of them again.
        let wanting = len.div_ceil(LEAF).saturating_sub(known).max(known / 4);
        let more = std::iter::repeat_n(leaf(std::iter::empty()), wanting);
        self.leaves = self.leaves.iter().cloned().chain(first).chain(more).collect();
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
    fn few_values_take_no_more_than_they_need() {
        let mut few = Chunked::<u64, 4096>::default();
        (0..5).for_each(|at| few.set(at, at as u64));
        assert_eq!(few.bytes(), 8 * 5);
        let before = few.clone();
        few.write(3, &[30, 40, 50, 60]);
        assert!(few.iter().copied().eq([0, 1, 2, 30, 40, 50, 60]));
        assert!(before.iter().copied().eq(0..5));
        assert!(before.differing(&before).next().is_none());
        assert_eq!(few.differing(&before).count(), 7);
        // At its end, and all at once, they become a leaf.
        few.set(4095, 7);
        assert_eq!((few.get(4), few.get(4094), few.get(4095)), (Some(&40), Some(&0), Some(&7)));
        assert_eq!((few.len(), few.get(4096)), (4096, None));
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

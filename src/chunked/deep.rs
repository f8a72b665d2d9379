//! Sequences in three levels.

use std::sync::Arc;

use super::Chunked;

/// Values by position, as [`Chunked`] has them, but in three levels: a copy that changes one
/// value copies that leaf, the pointers of the 64 leaves around it, and a pointer for each
/// further 64 leaves. For many values that decisions do not read.
///
/// INVARIANT: each leaf but the last has `LEAF` values.
#[derive(Debug)]
pub(crate) struct Deep<T, const LEAF: usize> {
    leaves: Chunked<Arc<[T]>, 64>,
    len: usize,
}

impl<T, const LEAF: usize> Clone for Deep<T, LEAF> {
    fn clone(&self) -> Self {
        Deep { leaves: self.leaves.clone(), len: self.len }
    }
}

impl<T, const LEAF: usize> Default for Deep<T, LEAF> {
    fn default() -> Self {
        Deep { leaves: Chunked::default(), len: 0 }
    }
}

impl<T, const LEAF: usize> Deep<T, LEAF> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The value at a position; beyond the last, `None` or a default one.
    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        self.leaves.get(at / LEAF)?.get(at % LEAF)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.leaves.iter().flat_map(|leaf| &**leaf).take(self.len)
    }

    /// The values with their positions, except for those in leaves that another sequence
    /// shares at the same positions.
    pub(crate) fn differing<'a>(
        &'a self,
        other: &'a Deep<T, LEAF>,
    ) -> impl Iterator<Item = (usize, &'a T)> {
        let is_shared = |&(at, leaf): &(usize, &Arc<[T]>)| {
            other.leaves.get(at).is_some_and(|other| Arc::ptr_eq(leaf, other))
        };
        let differing = self.leaves.differing(&other.leaves).filter(move |it| !is_shared(it));
        let values = differing.flat_map(|(leaf, values)| (leaf * LEAF..).zip(&**values));
        values.take_while(|&(at, _)| at < self.len)
    }

    /// The bytes of the leaves and the pointers to them.
    pub(crate) fn bytes(&self) -> usize {
        self.leaves.bytes() + self.leaves.iter().map(|leaf| size_of_val(&**leaf)).sum::<usize>()
    }
}

impl<T: Clone + Default, const LEAF: usize> Deep<T, LEAF> {
    /// Sets the value at a position, filling any gap before it with defaults.
    pub(crate) fn set(&mut self, at: usize, value: T) {
        (self.len..at).for_each(|gap| self.place(gap, T::default()));
        self.place(at, value);
    }

    /// Sets the value at a position that is no further than the end.
    fn place(&mut self, at: usize, value: T) {
        self.len = self.len.max(at + 1);
        let (leaf, at) = (self.leaves.get_mut(at / LEAF), at % LEAF);
        let Some(leaf) = leaf else { return };
        if at >= leaf.len() {
            let room = (at + 1 + at / 4).min(LEAF);
            let more = std::iter::repeat_n(T::default(), room - leaf.len());
            *leaf = leaf.iter().cloned().chain(more).collect();
        }
        if let Some(place) = Arc::make_mut(leaf).get_mut(at) {
            *place = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Deep;

    #[test]
    fn a_copy_shares_what_it_does_not_change() {
        let mut before = Deep::<usize, 4>::default();
        (0..3_000).for_each(|at| before.set(at, at));
        assert!(before.iter().copied().eq(0..3_000));
        let mut after = before.clone();
        after.set(1_001, 7);
        after.set(3_005, 8);
        assert_eq!(
            (after.get(1_001), after.get(3_004), after.get(3_006)),
            (Some(&7), Some(&0), None)
        );
        assert_eq!((before.get(1_001), before.len(), after.len()), (Some(&1_001), 3_000, 3_006));
        let differing: Vec<usize> = after.differing(&before).map(|(at, _)| at).collect();
        assert_eq!(
            differing,
            [1_000, 1_001, 1_002, 1_003, 3_000, 3_001, 3_002, 3_003, 3_004, 3_005]
        );
        assert_eq!(before.differing(&before).count(), 0);
    }
}

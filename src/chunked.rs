//! Sequences that versions share.

use std::sync::Arc;

/// Values by position, in leaves of `LEAF` that copies share: a copy that
/// changes one value copies its leaf, and a pointer for each other leaf.
///
/// `LEAF` is a power of two, so that a position is a shift and a mask away.
#[derive(Debug)]
pub(crate) struct Chunked<T, const LEAF: usize> {
    /// All full but the last, which may have room for more.
    leaves: Arc<[Arc<[T]>]>,
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

    /// The value at a position; beyond the last, none or a default one.
    #[inline]
    pub(crate) fn get(&self, at: u32) -> Option<&T> {
        let at = at as usize;
        self.leaves.get(at / LEAF)?.get(at % LEAF)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.leaves.iter().flat_map(|leaf| &**leaf).take(self.len)
    }

    /// The values with their positions, but for those in leaves that another
    /// sequence shares at the same positions.
    pub(crate) fn differing<'a>(
        &'a self,
        other: &'a Chunked<T, LEAF>,
    ) -> impl Iterator<Item = (u32, &'a T)> {
        let leaves = self.leaves.iter().enumerate();
        let shared = |at: usize, leaf: &Arc<[T]>| {
            other.leaves.get(at).is_some_and(|other| Arc::ptr_eq(leaf, other))
        };
        let differing = leaves.filter(move |(at, leaf)| !shared(*at, leaf));
        differing
            .flat_map(|(at, leaf)| (at * LEAF..).zip(&**leaf))
            .take_while(|&(at, _)| at < self.len)
            .map(|(at, value)| (at as u32, value))
    }

    /// The bytes of the leaves.
    pub(crate) fn bytes(&self) -> usize {
        let leaves = self.leaves.iter().map(|leaf| size_of_val(&**leaf));
        leaves.sum::<usize>() + size_of_val(&*self.leaves)
    }
}

impl<T: Clone + Default, const LEAF: usize> Chunked<T, LEAF> {
    /// Puts another value at a position; all that are wanting before it are
    /// default ones.
    pub(crate) fn set(&mut self, at: u32, value: T) {
        let at = at as usize;
        if at >= self.len {
            self.reach(at + 1);
        }
        let leaf = Arc::make_mut(&mut self.leaves).get_mut(at / LEAF);
        if let Some(place) = leaf.and_then(|leaf| Arc::make_mut(leaf).get_mut(at % LEAF)) {
            *place = value;
        }
    }

    /// Makes it so long.
    fn reach(&mut self, len: usize) {
        self.len = len;
        let last = self.leaves.len().saturating_sub(1);
        let room = self.leaves.last().map_or(0, |leaf| last * LEAF + leaf.len());
        if room >= len {
            return;
        }
        let default = |len| std::iter::repeat_with(T::default).take(len);
        let whole = len / LEAF;
        let leaf = |at: usize| -> Arc<[T]> {
            let known = self.leaves.get(at);
            let size = match at < whole {
                true => LEAF,
                // Growing one by one is cheap, and what is small stays small.
                false if at == 0 => len.next_power_of_two().max(8).min(LEAF),
                false => LEAF,
            };
            match known {
                Some(known) if known.len() == size => Arc::clone(known),
                Some(known) => known.iter().cloned().chain(default(size - known.len())).collect(),
                None => default(size).collect(),
            }
        };
        self.leaves = (0..len.div_ceil(LEAF)).map(leaf).collect();
    }
}

impl<T, const LEAF: usize> FromIterator<T> for Chunked<T, LEAF> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut values = values.into_iter();
        let (mut leaves, mut len) = (Vec::new(), 0);
        loop {
            let leaf: Arc<[T]> = values.by_ref().take(LEAF).collect();
            len += leaf.len();
            match leaf.len() {
                0 => break,
                _ => leaves.push(leaf),
            }
        }
        Chunked { leaves: leaves.into(), len }
    }
}

#[cfg(test)]
mod tests {
    use super::Chunked;

    #[test]
    fn a_copy_shares_what_it_does_not_change() {
        let before: Chunked<u32, 4> = (0..11).collect();
        let mut after = before.clone();
        after.set(5, 50);
        after.set(12, 120);
        let differs = |a: &Chunked<u32, 4>, b: &Chunked<u32, 4>| -> Vec<(u32, u32)> {
            a.differing(b).map(|(at, &value)| (at, value)).collect()
        };
        assert_eq!(before.iter().copied().collect::<Vec<_>>(), (0..11).collect::<Vec<_>>());
        let values: Vec<u32> = after.iter().copied().collect();
        assert_eq!(values, [0, 1, 2, 3, 4, 50, 6, 7, 8, 9, 10, 0, 120]);
        assert_eq!(differs(&before, &before), []);
        assert_eq!(differs(&before, &after)[..4], [(4, 4), (5, 5), (6, 6), (7, 7)]);
        assert_eq!(differs(&after, &before).len(), 4 + 4 + 1);
        assert_eq!((before.len(), after.len(), after.get(12)), (11, 13, Some(&120)));
    }

    #[test]
    fn it_grows_one_by_one() {
        let mut grown = Chunked::<u32, 4>::default();
        for value in 0..100 {
            grown.set(value, value);
            assert!(grown.iter().copied().eq(0..=value));
        }
        assert_eq!(grown.get(100), None);
    }
}

//! Rows of bits, one for each class of users, or for each capacity.

use std::marker::PhantomData;

use crate::bits::{WORD, Word};
use crate::catalogue::Bit;
use crate::chunked::Chunked;
use crate::ids::{Key, Number};

/// Rows of equal length, one after the other: a copy that changes a row copies only
/// the leaf or two that contain it.
#[derive(Clone, Debug)]
pub(crate) struct Rows<K> {
    rows: Chunked<Word, 512>,
    /// The words of a row.
    words: usize,
    /// The number of bits of a row that are permissions.
    permissions: usize,
    keys: PhantomData<K>,
}

impl<K: Key> Rows<K> {
    /// No rows yet, each to have that many permissions and two more bits.
    pub(crate) fn new(permissions: usize) -> Rows<K> {
        let words = (permissions + 2).div_ceil(WORD);
        Rows { rows: Chunked::default(), words, permissions, keys: PhantomData }
    }

    /// The bit that no row has: for permissions that are gone.
    pub(crate) fn nobody(&self) -> Bit {
        Bit::new(self.permissions)
    }

    /// The bit of admins' rows, for whom objects make no difference.
    pub(crate) fn admin(&self) -> Bit {
        Bit::new(self.permissions + 1)
    }

    /// The position of a word of a row.
    ///
    /// Where numbers are narrow, a row may begin beyond all positions. There it is empty.
    #[inline]
    fn position(&self, row: K, word: usize) -> usize {
        if usize::BITS < 64 {
            row.index().saturating_mul(self.words).saturating_add(word)
        } else {
            row.index() * self.words + word
        }
    }

    /// Returns `true` if a bit of a row is set; the bit must be within the row.
    #[inline]
    pub(crate) fn holds(&self, row: K, bit: Bit) -> bool {
        self.find(row, bit) == Some(true)
    }

    /// Returns the same, or `None` for a row beyond all rows.
    #[inline]
    pub(crate) fn find(&self, row: K, bit: Bit) -> Option<bool> {
        let at = self.position(row, bit.index() / WORD);
        self.rows.get(at).map(|word| word >> (bit.index() % WORD) & 1 == 1)
    }

    /// The words of a row's permissions.
    pub(crate) fn row(&self, row: K) -> impl Iterator<Item = Word> {
        (0..self.permissions.div_ceil(WORD)).map_while(move |at| {
            let word = *self.rows.get(self.position(row, at))?;
            let left = self.permissions - at * WORD;
            Some(if left < WORD { word & ((1 << left) - 1) } else { word })
        })
    }

    /// Makes room for that many rows, new ones empty.
    pub(crate) fn reach(&mut self, rows: usize) {
        self.rows.reach(rows.saturating_mul(self.words));
    }

    /// Replaces the bits of a row; words that are not given are cleared.
    pub(crate) fn set(&mut self, row: K, bits: &[Word]) {
        let begin = self.position(row, 0);
        let Some(end) = begin.checked_add(self.words) else { return };
        let (given, _) = bits.split_at(bits.len().min(self.words));
        self.rows.write(begin, given);
        for at in begin + given.len()..end {
            self.rows.write(at, &[0]);
        }
    }

    /// The bytes of the rows.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ClassId;

    #[test]
    fn rows_are_kept_apart_and_copies_too() {
        for words in [1, 3, 100, 5000] {
            let mut rows = Rows::new(words * WORD - 2);
            for row in ClassId::first(600) {
                rows.reach(row.index() + 1);
                rows.set(row, &vec![row.index(); words]);
            }
            let before = rows.clone();
            let changed = ClassId::new(300);
            rows.set(changed, &[7]);
            rows.reach(601);
            for row in ClassId::first(600) {
                assert!(before.row(row).eq(vec![row.index(); words]));
                if row != changed {
                    assert!(before.row(row).eq(rows.row(row)));
                }
            }
            let seven = std::iter::once(7).chain(std::iter::repeat_n(0, words - 1));
            assert!(rows.row(changed).eq(seven));
            assert!(rows.row(ClassId::new(600)).eq(vec![0; words]));
            assert!(rows.holds(changed, Bit::new(2)) && !rows.holds(changed, Bit::new(3)));
            assert!(!rows.holds(ClassId::new(100_000), Bit::default()));
        }
    }

    #[test]
    fn the_last_word_of_a_row_may_be_full() {
        let mut rows = Rows::new(WORD);
        rows.reach(1);
        rows.set(ClassId::default(), &[Word::MAX, Word::MAX]);
        assert!(rows.row(ClassId::default()).eq([Word::MAX]));
    }
}

//! Rows of bits, one for each class of users, or for each capacity.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::bits::{WORD, Word, is_set, word_for};
use crate::catalogue::Bit;
use crate::chunked::Chunked;
use crate::ids::{Key, Number};

/// Rows of equal length, one after the other.
///
/// While they are few, they are in one piece, so that finding a word takes one load; a copy
/// that changes one of them copies all. Rows that are added later, or too many, are in
/// leaves: a copy that changes a row copies only the leaf or two that contain it.
#[derive(Clone, Debug)]
pub(crate) struct Rows<K> {
    /// The words of the first rows.
    few: Arc<[Word]>,
    /// The number of these words, which begins the positions in `more`. A field of its own,
    /// so that it is subtracted only for these.
    begin: usize,
    /// The words of the rows after them.
    more: Chunked<Word, 4096>,
    /// The words of a row.
    words: usize,
    /// The number of bits of a row that are permissions.
    permissions: usize,
    /// The bit of admins' rows, for whom objects make no difference.
    pub(crate) admin: Bit,
    keys: PhantomData<K>,
}

impl<K: Key> Rows<K> {
    /// The most words in one piece: a quarter of a megabyte, which caches hold and which is
    /// copied in a few microseconds.
    const FEW: usize = 1 << 15;

    /// No rows yet, each to have that many permissions and two more bits.
    pub(crate) fn new(permissions: usize) -> Rows<K> {
        let words = (permissions + 2).div_ceil(WORD);
        Rows {
            few: Arc::default(),
            begin: 0,
            more: Chunked::default(),
            words,
            permissions,
            admin: Bit::new(permissions + 1),
            keys: PhantomData,
        }
    }

    /// The bit that no row has: for permissions that are gone.
    pub(crate) fn nobody(&self) -> Bit {
        Bit::new(self.permissions)
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
        is_set(self.word(row, bit, || false), bit)
    }

    /// Returns the word of a bit of a row, or one that is the answer for a row beyond all
    /// rows.
    #[inline]
    pub(crate) fn word(&self, row: K, bit: Bit, beyond: impl FnOnce() -> bool) -> Word {
        let at = self.position(row, bit.index() / WORD);
        match self.few.get(at) {
            Some(&word) => word,
            None => self.word_of_more(at, beyond),
        }
    }

    // Cold, so that the first rows are found as if there were no others, but not called.
    #[cold]
    #[inline(always)]
    fn word_of_more(&self, at: usize, beyond: impl FnOnce() -> bool) -> Word {
        let word = self.more.get(at.wrapping_sub(self.begin));
        word.copied().unwrap_or_else(|| word_for(beyond()))
    }

    /// The words of a row, or the first of them that are in one piece; none beyond all rows.
    #[inline]
    pub(crate) fn piece(&self, row: K) -> &[Word] {
        let begin = self.position(row, 0);
        match self.few.get(begin..).and_then(|from| from.get(..self.words)) {
            Some(words) => words,
            None => self.piece_of_more(begin),
        }
    }

    #[cold]
    fn piece_of_more(&self, begin: usize) -> &[Word] {
        let begin = begin.wrapping_sub(self.begin);
        let piece = if begin < self.more.len() { self.more.piece(begin) } else { &[] };
        piece.get(..self.words).unwrap_or(piece)
    }

    /// The word at a position.
    fn word_at(&self, at: usize) -> Option<Word> {
        let more = || self.more.get(at.checked_sub(self.begin)?);
        self.few.get(at).or_else(more).copied()
    }

    /// The words of a row's permissions.
    pub(crate) fn row(&self, row: K) -> impl Iterator<Item = Word> {
        (0..self.permissions.div_ceil(WORD)).map_while(move |at| {
            let word = self.word_at(self.position(row, at))?;
            let left = self.permissions - at * WORD;
            Some(if left < WORD { word & ((1 << left) - 1) } else { word })
        })
    }

    /// Makes room for that many rows, new ones empty.
    pub(crate) fn reach(&mut self, rows: usize) {
        let (few, words) = (self.begin, rows.saturating_mul(self.words));
        // Rows join the first ones when they are as many: so one that is added is copied
        // about twice in the end, rather than that all are copied for each.
        if words > 2 * few && words <= Self::FEW {
            let all = self.few.iter().chain(self.more.iter()).copied();
            self.few = all.chain(std::iter::repeat(0)).take(words).collect();
            self.begin = words;
            self.more = Chunked::default();
        } else {
            self.more.reach(words.saturating_sub(few));
        }
    }

    /// Replaces the bits of a row; words that are not given are cleared.
    pub(crate) fn set(&mut self, row: K, bits: &[Word]) {
        let begin = self.position(row, 0);
        let Some(end) = begin.checked_add(self.words) else { return };
        let (given, _) = bits.split_at(bits.len().min(self.words));
        let cleared = vec![0; self.words - given.len()];
        match begin.checked_sub(self.begin) {
            Some(begin) => {
                self.more.write(begin, given);
                self.more.write(begin + given.len(), &cleared);
            }
            None => {
                let bits = [given, &cleared].concat();
                if self.few.get(begin..end) != Some(&*bits)
                    && let Some(words) = Arc::make_mut(&mut self.few).get_mut(begin..end)
                {
                    words.copy_from_slice(&bits);
                }
            }
        }
    }

    /// The bytes of the rows.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.few) + self.more.bytes()
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
            let pieces = ClassId::first(600).map(|row| (row, before.piece(row)));
            for (row, piece) in pieces.filter(|(row, _)| *row != changed) {
                assert!(!piece.is_empty() && piece.iter().all(|&word| word == row.index()));
            }
            assert!(rows.row(ClassId::new(600)).eq(vec![0; words]));
            assert!(rows.holds(changed, Bit::new(2)) && !rows.holds(changed, Bit::new(3)));
            let beyond = ClassId::new(100_000);
            assert!(!rows.holds(beyond, Bit::default()) && rows.piece(beyond).is_empty());
        }
    }

    #[test]
    fn a_copy_with_another_row_shares_the_first_ones() {
        let mut rows = Rows::new(WORD - 2);
        rows.reach(100);
        let mut more = rows.clone();
        more.reach(101);
        more.set(ClassId::new(100), &[1]);
        assert!(Arc::ptr_eq(&rows.few, &more.few));
        // What is there already is not written.
        more.set(ClassId::new(7), &[]);
        assert!(Arc::ptr_eq(&rows.few, &more.few));
        more.set(ClassId::new(7), &[4]);
        assert!(rows.row(ClassId::new(7)).eq([0]) && more.row(ClassId::new(7)).eq([4]));
        assert!(
            more.row(ClassId::new(100)).eq([1]) && rows.row(ClassId::new(100)).next().is_none()
        );
    }

    #[test]
    fn the_last_word_of_a_row_may_be_full() {
        let mut rows = Rows::new(WORD);
        rows.reach(1);
        rows.set(ClassId::default(), &[Word::MAX, Word::MAX]);
        assert!(rows.row(ClassId::default()).eq([Word::MAX]));
    }
}

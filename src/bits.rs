//! Sets of permissions as words of bits.
//!
//! Only this file uses the bit library. Sets are filled and combined word by word
//! over its raw words: its own operators are many times slower.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "there are far fewer bits than a `u32` counts, and a place within a word is below its \
              width"
)]

use std::hash::{Hash, Hasher};
use std::ops::Range;

use bitvec::order::Lsb0;
use bitvec::slice::BitSlice;
use bitvec::vec::BitVec;

use crate::ids::{Bit, Key};

/// The bits that are combined at once: as many as the target has in a register.
pub(crate) type Word = usize;

/// The width of a word.
pub(crate) const WORD: usize = Word::BITS as usize;

/// A set of bits below some length, which is the same for all sets that are
/// combined.
#[derive(Clone, Debug)]
pub(crate) struct BitSet(BitVec<Word, Lsb0>);

impl PartialEq for BitSet {
    fn eq(&self, other: &BitSet) -> bool {
        self.words() == other.words()
    }
}

impl Eq for BitSet {}

impl Hash for BitSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.words().hash(state);
    }
}

impl BitSet {
    /// The empty set, with room for that many bits.
    pub(crate) fn new(len: usize) -> BitSet {
        // INVARIANT: whole words, so that the raw words are the whole set.
        BitSet(BitVec::repeat(false, len.next_multiple_of(WORD)))
    }

    pub(crate) fn words(&self) -> &[Word] {
        self.0.as_raw_slice()
    }

    pub(crate) fn contains(&self, bit: Bit) -> bool {
        test(self.words(), bit)
    }

    pub(crate) fn insert(&mut self, bit: Bit) {
        if let Some(mut bit) = self.0.get_mut(bit.index()) {
            *bit = true;
        }
    }

    pub(crate) fn insert_range(&mut self, range: Range<Bit>) {
        self.fill(range, true);
    }

    pub(crate) fn remove_range(&mut self, range: Range<Bit>) {
        self.fill(range, false);
    }

    fn fill(&mut self, range: Range<Bit>, value: bool) {
        let words = self.0.as_raw_mut_slice();
        let (mut from, end) = (range.start.index(), range.end.index());
        while from < end {
            let (word, bit) = (from / WORD, from % WORD);
            let count = (WORD - bit).min(end - from);
            let mask = (Word::MAX >> (WORD - count)) << bit;
            match words.get_mut(word) {
                Some(word) if value => *word |= mask,
                Some(word) => *word &= !mask,
                None => return,
            }
            from += count;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.as_raw_mut_slice().fill(0);
    }

    /// Sets each word from its own and the other's.
    pub(crate) fn zip(&mut self, other: &BitSet, combine: impl Fn(Word, Word) -> Word) {
        for (word, &other) in self.0.as_raw_mut_slice().iter_mut().zip(other.words()) {
            *word = combine(*word, other);
        }
    }

    /// The words of this set, paired with another's.
    pub(crate) fn pairs(&self, other: &BitSet) -> impl Iterator<Item = (Word, Word)> {
        self.words().iter().copied().zip(other.words().iter().copied())
    }

    /// Returns whether it has any bit in common with another.
    pub(crate) fn meets(&self, other: &BitSet) -> bool {
        self.pairs(other).any(|(word, other)| word & other != 0)
    }

    /// Returns whether it has no bit that another lacks.
    pub(crate) fn is_within(&self, other: &BitSet) -> bool {
        self.pairs(other).all(|(word, other)| word & !other == 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words().iter().all(|&word| word == 0)
    }

    pub(crate) fn union_with(&mut self, other: &BitSet) {
        self.zip(other, |a, b| a | b);
    }

    pub(crate) fn intersect_with(&mut self, other: &BitSet) {
        self.zip(other, |a, b| a & b);
    }

    pub(crate) fn subtract(&mut self, other: &BitSet) {
        self.zip(other, |a, b| a & !b);
    }

    /// The bits in the set, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Bit> {
        ones(self.words().iter().copied())
    }
}

/// Returns whether a bit is set; a bit beyond the words is not.
#[inline]
pub(crate) fn test(words: &[Word], bit: Bit) -> bool {
    word_of(words, bit).is_some_and(|word| is_set(word, bit))
}

/// The word of a bit.
#[inline]
pub(crate) fn word_of(words: &[Word], bit: Bit) -> Option<Word> {
    words.get(bit.index() / WORD).copied()
}

/// Returns whether a bit is set, given its word.
#[inline]
pub(crate) fn is_set(word: Word, bit: Bit) -> bool {
    word >> (bit.index() % WORD) & 1 == 1
}

/// A word with all bits set, or none: an answer in the place of a word, so that what comes
/// after it is the same for both.
#[inline]
pub(crate) fn word_for(answer: bool) -> Word {
    if answer { Word::MAX } else { 0 }
}

/// The number of the word of a bit, and the word in which it alone is set.
pub(crate) fn position(bit: Bit) -> (usize, Word) {
    (bit.index() / WORD, 1 << (bit.index() % WORD))
}

/// The bits that are set, ascending.
pub(crate) fn ones(words: impl IntoIterator<Item = Word>) -> impl Iterator<Item = Bit> {
    words.into_iter().zip(0u32..).flat_map(|(word, at)| {
        let mut left = word;
        std::iter::from_fn(move || {
            let bit = (left != 0).then(|| at * Word::BITS + left.trailing_zeros())?;
            left &= left - 1;
            Some(Bit::from(bit))
        })
    })
}

/// A word with one bit set or none.
#[inline]
pub(crate) fn bit_if(at: usize, is_set: bool) -> Word {
    Word::from(is_set) << at
}

/// Returns whether any of a range of bits is set.
pub(crate) fn any(words: &[Word], range: Range<Bit>) -> bool {
    let bits = BitSlice::<Word, Lsb0>::from_slice(words);
    bits.get(range.start.index()..range.end.index()).is_some_and(BitSlice::any)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Number;

    #[test]
    fn ranges_and_bits_meet_over_word_ends() {
        let range = |start, end| Bit::new(start)..Bit::new(end);
        let mut set = BitSet::new(130);
        set.insert_range(range(60, 129));
        set.remove_range(range(64, 128));
        set.insert(Bit::new(3));
        assert!(set.iter().eq([3, 60, 61, 62, 63, 128].map(Bit::new)));
        let contains = |bit| set.contains(Bit::new(bit));
        assert!(contains(128) && !contains(64) && !contains(100_000));
        assert!(any(set.words(), range(62, 70)) && !any(set.words(), range(64, 128)));
    }
}

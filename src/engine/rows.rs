//! Rows of bits, one for each class of users.

use std::sync::Arc;

use crate::bits::test;
use crate::catalogue::Bit;
use crate::policy::ClassId;

/// Rows of equal length in blocks that copies share: a copy that changes a row
/// copies its block.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    blocks: Arc<[Arc<[u64]>]>,
    /// The words of a row.
    words: usize,
    /// A block has two to the power of this many rows.
    shift: u32,
}

/// How many words a block has at most, if more than one row fits.
const BLOCK: usize = 4096;

impl Rows {
    /// No rows yet, of so many words each, of which there is one at least.
    pub(crate) fn new(words: usize) -> Rows {
        Rows { blocks: Arc::new([]), words, shift: (BLOCK / words.max(1)).max(1).ilog2() }
    }

    /// Whether a bit of a row is set.
    #[inline]
    pub(crate) fn holds(&self, row: ClassId, bit: Bit) -> bool {
        self.get(row).is_some_and(|row| test(row, bit))
    }

    /// A row, and all after it in its block.
    #[inline]
    fn get(&self, row: ClassId) -> Option<&[u64]> {
        let block = self.blocks.get((row >> self.shift) as usize)?;
        let at = (row & ((1 << self.shift) - 1)) as usize;
        block.get(at * self.words..)
    }

    /// A row.
    pub(crate) fn row(&self, row: ClassId) -> &[u64] {
        self.get(row).and_then(|row| row.get(..self.words)).unwrap_or_default()
    }

    /// Makes room for so many rows, the new ones empty.
    pub(crate) fn reach(&mut self, rows: usize) {
        let each = 1usize << self.shift;
        let last = self.blocks.len().saturating_sub(1);
        let room = self.blocks.last().map_or(0, |block| last * each + block.len() / self.words);
        if room >= rows {
            return;
        }
        let blocks = rows.div_ceil(each);
        // What is small stays small.
        let rows = if blocks == 1 { rows.next_power_of_two().min(each) } else { each };
        let block = |at: usize| match self.blocks.get(at) {
            Some(known) if known.len() == rows * self.words => Arc::clone(known),
            known => {
                let mut block = known.map_or_else(Vec::new, |known| known.to_vec());
                block.resize(rows * self.words, 0);
                block.into()
            }
        };
        self.blocks = (0..blocks).map(block).collect();
    }

    /// Puts other bits into a row that is there.
    pub(crate) fn set(&mut self, row: ClassId, bits: &[u64]) {
        let at = (row & ((1 << self.shift) - 1)) as usize * self.words;
        let block = Arc::make_mut(&mut self.blocks).get_mut((row >> self.shift) as usize);
        let place = block.and_then(|block| Arc::make_mut(block).get_mut(at..at + self.words));
        if let Some(place) = place {
            for (at, word) in place.iter_mut().enumerate() {
                *word = bits.get(at).copied().unwrap_or(0);
            }
        }
    }

    /// The bytes of the blocks.
    pub(crate) fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| size_of_val(&**block)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Rows;

    #[test]
    fn rows_are_kept_apart_and_copies_too() {
        for words in [1, 3, 100, 5000] {
            let mut rows = Rows::new(words);
            for row in 0..600 {
                rows.reach(row + 1);
                rows.set(row as u32, &vec![row as u64; words]);
            }
            let before = rows.clone();
            rows.set(300, &[7]);
            rows.reach(601);
            for row in 0..600 {
                let bits = vec![u64::from(row); words];
                assert_eq!(before.row(row), bits);
                if row != 300 {
                    assert_eq!(rows.row(row), bits);
                }
            }
            let mut seven = vec![0; words];
            seven[0] = 7;
            assert_eq!(rows.row(300), seven);
            assert_eq!(rows.row(600), vec![0; words]);
            assert!(rows.holds(300, 2) && !rows.holds(300, 3) && !rows.holds(1000, 0));
        }
    }
}

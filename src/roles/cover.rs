//! A small number of sets such that each of some given sets is a union of them.
//!
//! Sets of permissions, one of each kind of user, are the rows of a matrix of bits; a role is
//! a rectangle of it that has no gap, and roles are enough if they cover all bits. The least
//! number is hard to find. This is the greedy method of Ene and others (Fast exact and
//! heuristic methods for role minimization problems, 2008), which is within a few percent of
//! it on the sets of companies that are published.

use crate::bits::BitSet;
use crate::ids::{Bit, Number};

/// A matrix of bits, by rows or by columns.
struct Cells {
    rows: Vec<BitSet>,
    /// The number of bits of each row that are not covered.
    left: Vec<usize>,
    uncovered: Vec<BitSet>,
}

impl Cells {
    fn new(rows: Vec<BitSet>) -> Cells {
        let left = rows.iter().map(|row| row.iter().count()).collect();
        Cells { uncovered: rows.clone(), rows, left }
    }

    /// Returns the row with the fewest bits that are not covered, but some.
    fn sparsest(&self) -> Option<(usize, usize)> {
        let open = self.left.iter().copied().enumerate().filter(|&(_, left)| left > 0);
        open.map(|(at, left)| (left, at)).min()
    }

    fn cover(&mut self, at: usize, bit: usize) {
        if let (Some(row), Some(left)) = (self.uncovered.get_mut(at), self.left.get_mut(at)) {
            let bit = Bit::new(bit);
            row.remove_range(bit..bit.plus(1));
            *left = left.saturating_sub(1);
        }
    }

    /// Returns the bits that some rows have in common.
    fn common(&self, rows: impl IntoIterator<Item = usize>, width: usize) -> BitSet {
        let mut common: Option<BitSet> = None;
        for row in rows.into_iter().filter_map(|at| self.rows.get(at)) {
            match &mut common {
                Some(common) => common.intersect_with(row),
                None => common = Some(row.clone()),
            }
        }
        common.unwrap_or_else(|| BitSet::new(width))
    }
}

fn positions(bits: &BitSet) -> impl Iterator<Item = usize> {
    bits.iter().map(|bit| bit.number() as usize)
}

/// Returns sets of which each of the given ones is a union: whichever have the most in common.
// Of the rows and columns, the one with the fewest bits left is the most constrained. All that
// is left of it is covered at once, by the greatest rectangle around that: of a row, all rows
// that have these bits, and all columns that these rows have in common.
pub(super) fn cover(rows: &[BitSet], width: usize) -> Vec<BitSet> {
    let mut columns = vec![BitSet::new(rows.len()); width];
    for (at, row) in rows.iter().enumerate() {
        for bit in positions(row) {
            if let Some(column) = columns.get_mut(bit) {
                column.insert(Bit::new(at));
            }
        }
    }
    let (mut by_row, mut by_column) = (Cells::new(rows.to_vec()), Cells::new(columns));
    let mut roles = Vec::new();
    loop {
        let (row, column) = (by_row.sparsest(), by_column.sparsest());
        let (Some((of_row, row)), Some((of_column, column))) = (row, column) else { break };
        let holders = if of_row <= of_column {
            let bits: Vec<usize> =
                by_row.uncovered.get(row).into_iter().flat_map(positions).collect();
            by_column.common(bits, rows.len())
        } else {
            let users: Vec<usize> =
                by_column.uncovered.get(column).into_iter().flat_map(positions).collect();
            let shared = by_row.common(users, width);
            by_column.common(positions(&shared), rows.len())
        };
        let role = by_row.common(positions(&holders), width);
        for holder in positions(&holders) {
            let Some(mut open) = by_row.uncovered.get(holder).cloned() else { continue };
            open.intersect_with(&role);
            for bit in positions(&open) {
                by_row.cover(holder, bit);
                by_column.cover(bit, holder);
            }
        }
        roles.push(role);
    }
    without_needless(roles, rows)
}

/// The number of sets that cover each bit of a row.
struct Counts {
    bits: Vec<Bit>,
    counts: Vec<usize>,
}

impl Counts {
    fn new(row: &BitSet) -> Counts {
        let bits: Vec<Bit> = row.iter().collect();
        Counts { counts: vec![0; bits.len()], bits }
    }

    fn change(&mut self, role: &BitSet, change: impl Fn(usize) -> usize) {
        for bit in role.iter() {
            let at = self.bits.binary_search(&bit);
            if let Some(count) = at.ok().and_then(|at| self.counts.get_mut(at)) {
                *count = change(*count);
            }
        }
    }

    fn add(&mut self, role: &BitSet) {
        self.change(role, |count| count.saturating_add(1));
    }

    fn remove(&mut self, role: &BitSet) {
        self.change(role, |count| count.saturating_sub(1));
    }

    /// Returns whether other sets cover all of one of the sets.
    fn spares(&self, role: &BitSet) -> bool {
        let count = |bit| self.bits.binary_search(&bit).ok().and_then(|at| self.counts.get(at));
        role.iter().all(|bit| count(bit).is_some_and(|&count| count > 1))
    }
}

/// Leaves out the sets that no row needs, as others of its sets cover all of it.
fn without_needless(mut roles: Vec<BitSet>, rows: &[BitSet]) -> Vec<BitSet> {
    roles.sort_by_key(|role| role.iter().count());
    let mut counts: Vec<(&BitSet, Counts)> =
        rows.iter().map(|row| (row, Counts::new(row))).collect();
    for role in &roles {
        let with = counts.iter_mut().filter(|(row, _)| role.is_within(row));
        with.for_each(|(_, counts)| counts.add(role));
    }
    roles.retain(|role| {
        let mut with = counts.iter().filter(|(row, _)| role.is_within(row));
        let is_needed = !with.all(|(_, counts)| counts.spares(role));
        if !is_needed {
            let with = counts.iter_mut().filter(|(row, _)| role.is_within(row));
            with.for_each(|(_, counts)| counts.remove(role));
        }
        is_needed
    });
    roles
}

/// Returns those of some sets whose union is a row, without ones that it does not need.
pub(super) fn chosen(roles: &[BitSet], row: &BitSet) -> Vec<usize> {
    let mut counts = Counts::new(row);
    let within = roles.iter().enumerate().filter(|(_, role)| role.is_within(row));
    let mut chosen: Vec<(usize, &BitSet)> = within.collect();
    chosen.iter().for_each(|(_, role)| counts.add(role));
    chosen.retain(|(_, role)| {
        let is_needed = !counts.spares(role);
        if !is_needed {
            counts.remove(role);
        }
        is_needed
    });
    chosen.into_iter().map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(bits: &[usize]) -> BitSet {
        let mut set = BitSet::new(16);
        bits.iter().for_each(|&bit| set.insert(Bit::new(bit)));
        set
    }

    #[test]
    fn two_overlapping_rows_and_their_union_take_two_sets() {
        let rows = [set(&[0, 1, 2]), set(&[2, 3]), set(&[0, 1, 2, 3])];
        let roles = cover(&rows, 16);
        assert_eq!(roles.len(), 2);
        for row in &rows {
            let mut left = row.clone();
            chosen(&roles, row).into_iter().for_each(|at| left.subtract(&roles[at]));
            assert!(left.is_empty());
        }
        assert!(cover(&[], 16).is_empty());
    }
}

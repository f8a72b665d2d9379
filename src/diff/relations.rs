//! The ways in which a relation can name users or groups.

use std::collections::BTreeSet;

use super::BeforeAfter;

/// A set of the lists that a relation names somebody of: those who are the user, or the
/// user's groups, before and after; and those of tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named(u64);

impl Named {
    pub(super) fn me(self) -> BeforeAfter<bool> {
        BeforeAfter { before: self.0 & 1 != 0, after: self.0 & 2 != 0 }
    }

    /// Returns whether it names somebody of the list of a test.
    pub(super) fn is_of(self, test: usize) -> bool {
        self.0 & bit(test.saturating_add(2)) != 0
    }
}

/// The bit of a list, of which there are no more than bits.
fn bit(list: usize) -> u64 {
    u32::try_from(list).ok().and_then(|list| 1_u64.checked_shl(list)).unwrap_or(0)
}

/// Returns all such sets that are possible, of a relation that names somebody; `None` if
/// there are too many. All lists are sorted.
// Names that are in the same lists make no difference. A relation may name any of them
// together, so each union of their lists is possible, and nothing else is. There is always
// a name in no list.
pub(super) fn possible(me: BeforeAfter<&[&str]>, tests: &[&[&str]]) -> Option<Vec<Named>> {
    /// More than anybody needs, and few enough to try all.
    const MOST: usize = 256;

    let lists: Vec<&[&str]> = [me.before, me.after].iter().chain(tests).copied().collect();
    if lists.len() > 64 {
        return None;
    }
    let of = |name: &str| {
        let lists = lists.iter().enumerate();
        let among = lists.filter(|(_, list)| list.binary_search(&name).is_ok());
        among.fold(0, |set, (at, _)| set | bit(at))
    };
    let sets: BTreeSet<u64> = lists.iter().copied().flatten().map(|name| of(name)).collect();
    let mut possible = BTreeSet::from([0]);
    for set in sets {
        let more: Vec<u64> = possible.iter().map(|known| known | set).collect();
        possible.extend(more);
        if possible.len() > MOST {
            return None;
        }
    }
    Some(possible.into_iter().map(Named).collect())
}

//! Which groups count as a user's: the user's own and all beneath them.

use indexmap::IndexSet;

use crate::names::{NameMap, number};
use crate::object::Belongs;
use crate::policy::Inner;

/// The groups of a policy as a forest, and the combinations that users have.
///
/// Groups are numbered in pre-order, so that what is beneath a group is a
/// range: a relation that names a group is looked up once, and compared.
#[derive(Debug, Default)]
pub(crate) struct Memberships {
    /// The groups, sorted by name, each with where its range begins.
    names: Vec<(Box<str>, u32)>,
    /// The combinations: the range of each group of a user.
    sets: IndexSet<Vec<Range>, foldhash::fast::RandomState>,
}

/// A group and what is beneath it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Range {
    begin: u32,
    end: u32,
}

/// One of the combinations.
pub(crate) struct Membership<'m> {
    all: &'m Memberships,
    ranges: &'m [Range],
}

impl Belongs for Membership<'_> {
    fn belongs(&self, group: &str) -> bool {
        if self.ranges.is_empty() {
            return false;
        }
        let names = &self.all.names;
        match names.binary_search_by(|(name, _)| (**name).cmp(group)) {
            Ok(at) => {
                let group = names[at].1;
                self.ranges.iter().any(|range| (range.begin..range.end).contains(&group))
            }
            Err(_) => false,
        }
    }
}

impl<'m> Membership<'m> {
    /// The groups that count, sorted.
    pub(crate) fn names(self) -> impl Iterator<Item = &'m str> {
        let counts = move |begin: &u32| {
            self.ranges.iter().any(|range| (range.begin..range.end).contains(begin))
        };
        let names = self.all.names.iter().filter(move |(_, begin)| counts(begin));
        names.map(|(name, _)| &**name)
    }
}

impl Memberships {
    /// The combinations of all users, and for each user which it is.
    pub(crate) fn new(policy: &Inner) -> (Memberships, Vec<u32>) {
        let ranges = ranges(&policy.groups.parents);
        let mut sets: IndexSet<Vec<Range>, foldhash::fast::RandomState> = IndexSet::default();
        sets.insert(Vec::new());
        let mut set_of = |groups: &[u32]| {
            if groups.is_empty() {
                return 0;
            }
            let mut set: Vec<Range> = groups.iter().map(|&id| ranges[id as usize]).collect();
            set.sort_unstable_by_key(|range| range.begin);
            set.dedup();
            number(sets.insert_full(set).0)
        };
        let mut of_users = vec![0; policy.users.slots()];
        for (slot, _, user) in policy.users.iter() {
            of_users[slot as usize] = set_of(&user.groups);
        }
        let groups = policy.groups.parents.keys().zip(&ranges);
        let mut names: Vec<_> = groups.map(|(name, range)| (name.clone(), range.begin)).collect();
        names.sort_unstable();
        (Memberships { names, sets }, of_users)
    }

    pub(crate) fn get(&self, set: u32) -> Membership<'_> {
        let ranges = self.sets.get_index(set as usize).map_or(&[][..], Vec::as_slice);
        Membership { all: self, ranges }
    }
}

fn ranges(parents: &NameMap<Option<u32>>) -> Vec<Range> {
    let mut children = vec![Vec::new(); parents.len()];
    let mut open = Vec::new();
    for (id, parent) in (0..).zip(parents.values()) {
        match parent {
            Some(parent) => children[*parent as usize].push(id),
            None => open.push((id, false)),
        }
    }
    let mut ranges = vec![Range { begin: 0, end: 0 }; parents.len()];
    let mut next = 0;
    while let Some((id, done)) = open.pop() {
        let range = &mut ranges[id as usize];
        if done {
            range.end = next;
            continue;
        }
        range.begin = next;
        next += 1;
        open.push((id, true));
        open.extend(children[id as usize].iter().map(|&child| (child, false)));
    }
    ranges
}

//! Which groups count as a user's: the user's own and all beneath them.

use std::sync::Arc;

use crate::chunked::Chunked;
use crate::names::NameMap;
use crate::object::Belongs;
use crate::policy::Inner;

/// The groups of a policy as a forest, and the lists of groups that users have.
///
/// Groups are numbered in pre-order, so that what is beneath a group is a
/// range: a relation that names a group is looked up once, and compared.
#[derive(Clone, Debug)]
pub(crate) struct Memberships {
    forest: Arc<Forest>,
    /// The ranges of the groups of each list, sorted.
    lists: Chunked<Option<Arc<[Range]>>, 64>,
}

#[derive(Debug)]
struct Forest {
    /// The groups, sorted by name, each with where its range begins.
    names: Vec<(Box<str>, u32)>,
    /// The range of each, by its number in the policy.
    ranges: Vec<Range>,
}

/// A group and what is beneath it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Range {
    begin: u32,
    end: u32,
}

/// One of the lists.
pub(crate) struct Membership<'m> {
    forest: &'m Forest,
    ranges: &'m [Range],
}

impl Belongs for Membership<'_> {
    fn belongs(&self, group: &str) -> bool {
        if self.ranges.is_empty() {
            return false;
        }
        let names = &self.forest.names;
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
        let names = self.forest.names.iter().filter(move |(_, begin)| counts(begin));
        names.map(|(name, _)| &**name)
    }
}

impl Memberships {
    /// Those of a policy, given those of another version of it.
    pub(crate) fn new(policy: &Inner, before: Option<(&Inner, &Memberships)>) -> Memberships {
        let before = before.filter(|(before, _)| Arc::ptr_eq(&before.groups, &policy.groups));
        let (known, mut memberships) = match before {
            Some((before, memberships)) => (&before.users, memberships.clone()),
            None => {
                let forest = Arc::new(Forest::new(&policy.groups.parents));
                (&Default::default(), Memberships { forest, lists: Chunked::default() })
            }
        };
        for (list, groups) in policy.users.groups_since(known) {
            let ranges = groups.map(|groups| memberships.forest.ranges(groups));
            memberships.lists.set(list as usize, ranges);
        }
        memberships
    }

    pub(crate) fn get(&self, list: u32) -> Membership<'_> {
        let ranges = self.lists.get(list as usize).and_then(|ranges| ranges.as_deref());
        Membership { forest: &self.forest, ranges: ranges.unwrap_or_default() }
    }

    /// The bytes of the lists, and of the forest, names aside.
    pub(crate) fn bytes(&self) -> usize {
        let lists = self.lists.iter().flatten().map(|ranges| size_of_val(&**ranges));
        let forest = size_of_val(&*self.forest.ranges) + size_of_val(&*self.forest.names);
        self.lists.bytes() + lists.sum::<usize>() + forest
    }
}

impl Forest {
    fn new(parents: &NameMap<Option<u32>>) -> Forest {
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
        let names = parents.keys().zip(&ranges);
        let mut names: Vec<_> = names.map(|(name, range)| (name.clone(), range.begin)).collect();
        names.sort_unstable();
        Forest { names, ranges }
    }

    /// The ranges of a user's groups.
    fn ranges(&self, groups: &[u32]) -> Arc<[Range]> {
        let mut ranges: Vec<Range> = groups.iter().map(|&id| self.ranges[id as usize]).collect();
        ranges.sort_unstable_by_key(|range| range.begin);
        ranges.dedup();
        ranges.into()
    }
}

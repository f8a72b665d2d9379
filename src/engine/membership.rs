//! A user's groups and their descendants.

use std::sync::Arc;

use smol_str::SmolStr;

use crate::chunked::Chunked;
use crate::ids::{GroupId, GroupListId, IdVec, Key, Number};
use crate::names::number;
use crate::object::{DisplayId, Id, decimal};
use crate::policy::{Groups, Inner};

/// The groups of a policy as a forest, and the lists of groups that users have.
///
/// Groups are numbered in pre-order, so that a group and all beneath it are a
/// range: a group that a relation names is looked up once, and compared.
#[derive(Clone, Debug)]
pub(crate) struct Memberships {
    forest: Arc<Forest>,
    lists: Chunked<Option<Arc<List>>, 64>,
}

#[derive(Debug)]
struct Forest {
    groups: Arc<Groups>,
    /// The range of each group, by its number in the policy.
    ranges: IdVec<GroupId, Range>,
    /// The groups' numbers in the policy, in pre-order.
    order: Vec<GroupId>,
}

/// A group and all beneath it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Range {
    begin: u32,
    end: u32,
}

/// The groups of a list.
#[derive(Debug, Default)]
struct List {
    ranges: Box<[Range]>,
    /// The names of all that count, with the numbers of which they are the decimal
    /// form, if they are few: comparing is then faster than a look-up.
    few: Box<[(SmolStr, Option<u64>)]>,
}

/// One of the lists.
pub(crate) struct Membership<'m> {
    forest: &'m Forest,
    list: Option<&'m List>,
}

impl<'m> Membership<'m> {
    /// Returns `true` if a group of that name counts as the user's.
    pub(crate) fn belongs(&self, group: &str) -> bool {
        match self.list {
            None => false,
            Some(list) if !list.few.is_empty() => list.few.iter().any(|(name, _)| name == group),
            Some(list) => self.forest.begin(group).is_some_and(|group| list.counts(group)),
        }
    }

    /// Returns `true` if the group counts that has that number as its name.
    pub(crate) fn belongs_to_number(&self, group: u64) -> bool {
        match self.list {
            None => false,
            Some(list) if list.few.is_empty() => {
                DisplayId(group).with_text(|name| self.belongs(name))
            }
            Some(list) => list.few.iter().any(|&(_, number)| number == Some(group)),
        }
    }

    /// The groups that count, sorted.
    pub(crate) fn names(&self) -> Vec<&'m str> {
        self.forest.sorted_names(self.list.map_or(&[], |list| &list.ranges))
    }
}

impl Memberships {
    /// The memberships of a policy, reusing those of another version of it.
    pub(crate) fn new(policy: &Inner, before: Option<(&Inner, &Memberships)>) -> Memberships {
        let before = before.filter(|(before, _)| Arc::ptr_eq(&before.groups, &policy.groups));
        let (known, mut memberships) = match before {
            Some((before, memberships)) => (&before.users, memberships.clone()),
            None => {
                let forest = Arc::new(Forest::new(&policy.groups));
                (&Default::default(), Memberships { forest, lists: Chunked::default() })
            }
        };
        for (list, groups) in policy.users.groups_since(known) {
            let groups = groups.map(|groups| Arc::new(memberships.forest.list(groups)));
            memberships.lists.set(list.index(), groups);
        }
        memberships
    }

    pub(crate) fn get(&self, list: GroupListId) -> Membership<'_> {
        let list = self.lists.get(list.index()).and_then(|list| list.as_deref());
        Membership { forest: &self.forest, list }
    }

    /// Returns groups and all beneath them, sorted.
    pub(crate) fn with_beneath(&self, groups: &[GroupId]) -> Vec<&str> {
        let ranges: Vec<Range> = groups.iter().map(|&id| self.forest.ranges[id]).collect();
        self.forest.sorted_names(&ranges)
    }

    /// The bytes of the lists and of the forest, names aside.
    pub(crate) fn bytes(&self) -> usize {
        let list = |list: &Arc<List>| {
            size_of::<List>() + size_of_val(&*list.ranges) + size_of_val(&*list.few)
        };
        let lists = self.lists.iter().flatten().map(list).sum::<usize>();
        let forest = size_of_val(self.forest.ranges.values()) + size_of_val(&*self.forest.order);
        self.lists.bytes() + lists + forest
    }
}

impl List {
    fn counts(&self, group: u32) -> bool {
        self.ranges.iter().any(|range| (range.begin..range.end).contains(&group))
    }
}

impl Forest {
    /// Up to how many groups are few.
    const FEW: usize = 6;

    fn new(groups: &Arc<Groups>) -> Forest {
        let parents = &groups.parents;
        let mut children: IdVec<GroupId, Vec<GroupId>> = IdVec::filled(parents.len(), Vec::new());
        let mut open = Vec::new();
        for (id, parent) in GroupId::first(parents.len()).zip(parents.values()) {
            match parent {
                Some(parent) => children[*parent].push(id),
                None => open.push((id, false)),
            }
        }
        let mut ranges = IdVec::filled(parents.len(), Range::default());
        let mut order = Vec::new();
        while let Some((id, done)) = open.pop() {
            let range = &mut ranges[id];
            if done {
                range.end = number(order.len());
                continue;
            }
            range.begin = number(order.len());
            order.push(id);
            open.push((id, true));
            open.extend(children[id].iter().map(|&child| (child, false)));
        }
        Forest { groups: Arc::clone(groups), ranges, order }
    }

    /// The beginning of a group's range.
    fn begin(&self, group: &str) -> Option<u32> {
        let id = self.groups.parents.get_index_of(group)?;
        Some(self.ranges[GroupId::new(id)].begin)
    }

    /// The groups of some ranges.
    fn names<'f>(&'f self, ranges: &[Range]) -> impl Iterator<Item = &'f str> {
        let ids = |range: &Range| self.order.get(range.begin as usize..range.end as usize);
        let ids = ranges.iter().filter_map(ids).flatten();
        ids.map(|&id| self.groups.name(id))
    }

    /// The groups of some ranges, sorted.
    fn sorted_names<'f>(&'f self, ranges: &[Range]) -> Vec<&'f str> {
        let mut names: Vec<&str> = self.names(ranges).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn list(&self, groups: &[GroupId]) -> List {
        let mut ranges: Vec<Range> = groups.iter().map(|&id| self.ranges[id]).collect();
        ranges.sort_unstable();
        ranges.dedup();
        let few = self.names(&ranges).take(Self::FEW + 1);
        let mut few: Vec<_> = few.map(|name| (SmolStr::from(name), decimal(name))).collect();
        if few.len() > Self::FEW {
            few.clear();
        }
        List { ranges: ranges.into(), few: few.into() }
    }
}

//! Groups users by their changes, or changes by their users where that makes a shorter list.

use super::compare::Line;
use super::{BeforeAfter, GroupedBy, Presence};
use crate::document::SettingValue;
use crate::ids::UserSlot;
use crate::names::IndexMap;

/// The change of a setting, by its number.
pub(super) type SettingLine = (usize, BeforeAfter<Option<SettingValue>>);

/// Users and changes that all of them have.
#[derive(Debug)]
pub(super) struct Grouped {
    pub(super) presence: Presence,
    pub(super) slots: Vec<UserSlot>,
    pub(super) permissions: Vec<Line>,
    pub(super) settings: Vec<SettingLine>,
}

/// The number of changes up to which users are grouped in any case.
const FEW: usize = 1000;

/// The number of names that take as much to read as a change.
const NAMES: usize = 8;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Item {
    Permission(Line),
    Setting(SettingLine),
}

impl Grouped {
    fn changes(&self) -> usize {
        self.permissions.len().saturating_add(self.settings.len())
    }

    fn size(&self) -> usize {
        self.slots.len().saturating_add(self.changes().saturating_mul(NAMES))
    }

    fn items(&self) -> impl Iterator<Item = Item> {
        let permissions = self.permissions.iter().copied().map(Item::Permission);
        permissions.chain(self.settings.iter().cloned().map(Item::Setting))
    }
}

/// Returns groups of which each user is in one, or if these are shorter the groups of which
/// each change is in one. Users who are new or gone are grouped by themselves.
pub(super) fn shorter(groups: Vec<Grouped>) -> (GroupedBy, Vec<Grouped>) {
    let (staying, mut others): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|group| group.presence == Presence::Stays);
    let by_changes = by_changes(&staying);
    let grouped_by = if by_changes.is_some() { GroupedBy::Changes } else { GroupedBy::Users };
    let mut groups = by_changes.unwrap_or(staying);
    groups.append(&mut others);
    (grouped_by, groups)
}

fn by_changes(groups: &[Grouped]) -> Option<Vec<Grouped>> {
    if groups.iter().map(Grouped::changes).sum::<usize>() <= FEW {
        return None;
    }
    // The groups, by their numbers, of the users who have a change.
    let mut having: IndexMap<Item, Vec<usize>> = IndexMap::default();
    for (number, group) in groups.iter().enumerate() {
        group.items().for_each(|item| having.entry(item).or_default().push(number));
    }
    let mut alike: IndexMap<Vec<usize>, Vec<Item>> = IndexMap::default();
    having.into_iter().for_each(|(item, numbers)| alike.entry(numbers).or_default().push(item));
    let of =
        |numbers: &[usize]| numbers.iter().filter_map(|&at| groups.get(at)).collect::<Vec<_>>();
    let size = alike.iter().map(|(numbers, items)| {
        let users: usize = of(numbers).into_iter().map(|group| group.slots.len()).sum();
        users.saturating_add(items.len().saturating_mul(NAMES))
    });
    if size.sum::<usize>() >= groups.iter().map(Grouped::size).sum() {
        return None;
    }
    let grouped = alike.into_iter().map(|(numbers, items)| {
        let slots = of(&numbers).into_iter().flat_map(|group| &group.slots).copied().collect();
        let (mut permissions, mut settings) = (Vec::new(), Vec::new());
        for item in items {
            match item {
                Item::Permission(line) => permissions.push(line),
                Item::Setting(setting) => settings.push(setting),
            }
        }
        permissions.sort_unstable_by_key(|line| line.node);
        settings.sort_unstable_by_key(|(setting, _)| *setting);
        Grouped { presence: Presence::Stays, slots, permissions, settings }
    });
    Some(grouped.collect())
}

//! Finds names that are repeated, or that may be mistyped.

use std::hash::Hash;

use super::{Code, Linter};
use crate::document::Map;
use crate::ids::{IdVec, Number, SourceId, UserSlot};
use crate::names::HashSet;
use crate::policy::{SourceKind, SourceName};
use crate::problem::{Place, nearest_within};

impl Linter<'_> {
    /// Reports repeated names in lists of names.
    pub(super) fn repeated_names(&mut self) {
        let policy = self.policy;
        let sources = &policy.sources;
        for (_, name, source) in self.common() {
            let guard = source.assignable_by.as_deref().unwrap_or_default();
            let place = name.place();
            self.repeated(&source.includes, &format!("{place}.includes"), |id| sources.name(id));
            self.repeated(guard, &format!("{place}.assignable_by"), |id| sources.name(id));
        }
        // Of most of what users share, nothing is repeated.
        let users = &policy.users;
        let repeats_any =
            |held: &[SourceId]| KINDS.iter().any(|&kind| repeats(sources.only(held, kind)));
        let mut classes = IdVec::filled(users.class_slots(), false);
        users.classes().for_each(|(id, class)| classes[id] = repeats_any(&class.sources));
        let mut lists = IdVec::filled(users.assignment_slots(), false);
        for (slot, list, _) in users.first_of_assignments() {
            lists[list] = users.own_sources(slot).any(|(_, own)| repeats_any(&own.sources));
        }
        let mut groups = IdVec::filled(users.group_slots(), false);
        users.group_lists().for_each(|(id, list)| groups[id] = repeats(list));
        for slot in UserSlot::first(users.slots()) {
            let (class, group_list, list) = users.likeness(slot);
            if classes[class] || groups[group_list] || lists[list] {
                self.repeated_by(slot);
            }
        }
    }

    /// Reports repeated names in the lists of a user.
    fn repeated_by(&mut self, slot: UserSlot) {
        let policy = self.policy;
        let Some((user, class)) = policy.users.get(slot) else { return };
        let users = Place::Root.key("users");
        let place = users.name(user);
        self.repeated_sources(&class.sources, &place);
        for (name, own) in policy.users.own_sources(slot) {
            self.repeated_sources(&own.sources, &place.key("assignments").name(name));
        }
        let list = place.key("groups").to_string();
        self.repeated(policy.users.groups(slot), &list, |id| policy.groups.name(id));
    }

    fn repeated_sources(&mut self, held: &[SourceId], place: &Place<'_>) {
        let sources = &self.policy.sources;
        for kind in KINDS {
            let list = place.key(kind.field()).to_string();
            self.repeated(sources.only(held, kind), &list, |id| sources.name(id));
        }
    }

    fn repeated<'n, I: Copy + Eq + Hash>(
        &mut self,
        list: &[I],
        place: &str,
        name: impl Fn(I) -> &'n str,
    ) {
        let mut seen: HashSet<I> = HashSet::default();
        for (at, &id) in list.iter().enumerate() {
            if !seen.insert(id) {
                let (place, name) = (format!("{place}[{at}]"), name(id));
                let message = format!("duplicate `{name}`");
                let names = vec![name.to_owned()];
                self.find(Code::Repeated, place, message, "leave it out", names);
            }
        }
    }

    /// Reports undeclared groups whose names may be mistyped.
    pub(super) fn undeclared(&mut self) {
        let policy = self.policy;
        let declared = &policy.groups.declared;
        if declared.is_empty() {
            return;
        }
        let parents = declared.iter().filter_map(|(group, it)| {
            let parent = it.parent.as_deref()?;
            Some((parent, group, None))
        });
        let firsts = policy.users.first_of_groups();
        let of_users = firsts.into_iter().flat_map(|(slot, _)| {
            let user = policy.users.name(slot);
            let groups = policy.users.groups(slot).iter().enumerate();
            groups.map(move |(at, &group)| (policy.groups.name(group), user, Some(at)))
        });
        let mut seen: HashSet<&str> = names(declared).collect();
        let mut compared = 0;
        for (name, by, at) in parents.chain(of_users) {
            if !seen.insert(name) {
                continue;
            }
            let Some(near) = nearest_within(name, names(declared), &mut compared) else {
                continue;
            };
            let place = match at {
                None => Place::Root.key("groups").name(by).key("parent").to_string(),
                Some(at) => format!("{}.groups[{at}]", SourceName::User(by.to_owned()).place()),
            };
            let message = format!("group `{name}` is not declared, while `{near}` is");
            let advice = "declare it, or use the other if that was meant";
            let names = vec![name.to_owned(), near];
            self.find(Code::Undeclared, place, message, advice, names);
        }
    }
}

/// The kinds of sources of which a user may have several.
const KINDS: [SourceKind; 2] = [SourceKind::Role, SourceKind::ApprovalGroup];

/// Returns whether something is in a list twice.
fn repeats<T: Copy + Eq + Hash>(list: &[T]) -> bool {
    if list.len() < 2 {
        return false;
    }
    let mut seen: HashSet<T> = HashSet::default();
    !list.iter().all(|&it| seen.insert(it))
}

/// Returns the names of a map.
pub(super) fn names<V>(map: &Map<V>) -> impl Iterator<Item = &str> {
    map.iter().map(|(name, _)| name)
}

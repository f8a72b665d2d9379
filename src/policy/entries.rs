//! The users of a document resolved, each entry once for all who have it.

use smallvec::SmallVec;

use super::{Class, Groups, HandleRange, Resolver, SourceKind, Texts, Users};
use crate::document::{self, CompactUsers};
use crate::ids::{EntryId, GroupId, IdVec, SourceId, UserSlot};
use crate::names::MOST;
use crate::problem::{Place, ProblemKind};

/// The entries of the users resolved so far.
struct Resolved {
    users: Users,
    groups: Groups,
    any_unique: bool,
    /// The first holder of each unique role.
    holders: IdVec<SourceId, Option<Box<str>>>,
    /// For each entry, whether several users have it.
    shared: IdVec<EntryId, bool>,
    /// For each of these that was resolved without a report, what was found.
    alike: IdVec<EntryId, Option<Box<Alike>>>,
}

/// The outcome of resolving an entry.
struct Alike {
    /// The first user who has it.
    first: UserSlot,
    /// The number of further users who have it.
    further: u32,
    /// The number of statements.
    statements: usize,
    unique: UniqueRoles,
}

/// The unique roles in a list, with their positions.
type UniqueRoles = Box<[(usize, SourceId)]>;

impl Resolver<'_> {
    // An entry is resolved for the first user who has it. If nothing is reported of it, there
    // is nothing to report of it for others either, but that they hold a unique role, or that
    // statements have become too many; else it is resolved anew for each, at each one's place.
    // So all that is reported, and its order, is the same as if each user had an entry of
    // their own.
    pub(super) fn users(
        &mut self,
        mut stated: CompactUsers,
        groups: Groups,
        place: &Place<'_>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> (Users, Groups) {
        let shared = stated.shared_entries();
        let mut resolved = Resolved {
            users: Users::default(),
            groups,
            any_unique: self.sources.of(SourceKind::Role).any(|(.., role)| role.unique),
            holders: IdVec::filled(self.sources.slots(), None),
            alike: shared.values().iter().map(|_| None).collect(),
            shared,
        };
        let total = stated.len();
        let most = self.faults.limits.users.min(HandleRange::SIZE);
        if total > most {
            self.faults.too_many(place, "users", most);
        }
        let names = std::mem::take(&mut stated.names);
        for (done, (slot, name)) in names.iter().take(MOST).enumerate() {
            if done > 0 && done.is_multiple_of(1 << 13) {
                progress(done, total);
            }
            let place = place.name(name);
            self.faults.check_text(&place, name);
            if !self.known_user(slot, name, &stated, &mut resolved, &place) {
                self.user(slot, name, &mut stated, &mut resolved, &place);
            }
        }
        let Resolved { mut users, groups, alike, .. } = resolved;
        for alike in alike.values().iter().flatten() {
            users.count_alike(alike.first, alike.further);
        }
        for (slot, texts) in stated.texts {
            users.set_texts(slot, Texts { label: texts.label, description: texts.description });
        }
        progress(total, total);
        let most = self.faults.limits.groups.min(MOST);
        if groups.parents.len() > most {
            self.faults.too_many(&Place::Root.key("groups"), "groups", most);
        }
        (users.with_names(names), groups)
    }

    /// Resolves a user whose entry was resolved before; returns `false` if it was not.
    fn known_user(
        &mut self,
        slot: UserSlot,
        name: &str,
        stated: &CompactUsers,
        resolved: &mut Resolved,
        place: &Place<'_>,
    ) -> bool {
        let Resolved { users, holders, alike, .. } = resolved;
        let known = stated.entry_of(slot).and_then(|entry| alike[entry].as_mut());
        let known = known.filter(|known| self.faults.has_room_for(known.statements));
        let Some(known) = known else { return false };
        self.faults.count_statements(place, known.statements);
        self.hold(&known.unique, name, place, holders);
        if stated.is_repeated(slot) {
            self.faults.duplicate(place, name);
        } else {
            users.set_alike(slot, known.first);
            known.further += 1;
        }
        true
    }

    fn user(
        &mut self,
        slot: UserSlot,
        name: &str,
        stated: &mut CompactUsers,
        resolved: &mut Resolved,
        place: &Place<'_>,
    ) {
        let Resolved { users, groups, any_unique, holders, shared, alike } = resolved;
        let (mark, statements) = (self.faults.mark(), self.faults.statements());
        let user = stated.take_entry(slot);
        let class = self.class(&user, place);
        let list = place.key("groups");
        let named = user.groups.iter().enumerate();
        let belongs = named.map(|(at, name)| {
            self.faults.check_text(&list.item(at), name);
            groups.number(name)
        });
        let belongs: SmallVec<[GroupId; 8]> = belongs.collect();
        let unique = if *any_unique { self.unique(&user.roles) } else { UniqueRoles::default() };
        self.hold(&unique, name, place, holders);
        if stated.is_repeated(slot) {
            self.faults.duplicate(place, name);
            return;
        }
        let assignments = self.assignments(&user.assignments, place, groups);
        users.set_class(slot, &class);
        users.set_groups(slot, &belongs);
        if !assignments.is_empty() {
            users.set_assignments(slot, &assignments);
        }
        users.set_texts(slot, Texts::new(user.label, user.description));
        if let Some(entry) = stated.entry_of(slot).filter(|&entry| shared[entry])
            && self.faults.mark() == mark
        {
            let statements = self.faults.statements() - statements;
            alike[entry] = Some(Alike { first: slot, further: 0, statements, unique }.into());
        }
    }

    /// Finds the unique roles in a list.
    fn unique(&self, roles: &[String]) -> UniqueRoles {
        let found = roles.iter().map(|role| self.sources.find(SourceKind::Role, role)).enumerate();
        found.filter_map(|(at, id)| Some((at, id.filter(|&id| self.sources[id].unique)?))).collect()
    }

    /// Notes the holder of unique roles, and reports those that another user has.
    fn hold(
        &mut self,
        unique: &[(usize, SourceId)],
        name: &str,
        place: &Place<'_>,
        holders: &mut IdVec<SourceId, Option<Box<str>>>,
    ) {
        let list = place.key("roles");
        for &(at, id) in unique {
            let holder = holders[id].get_or_insert_with(|| name.into());
            if **holder != *name {
                let (role, holder) = (self.sources.name(id).to_owned(), holder.to_string());
                self.faults.push(&list.item(at), ProblemKind::UniqueHeld { role, holder });
            }
        }
    }

    pub(super) fn class(&mut self, user: &document::UserEntry, place: &Place<'_>) -> Class {
        let mut sources: SmallVec<[SourceId; 16]> = SmallVec::new();
        let of = place.key("profile");
        let profile = user.profile.as_deref();
        sources.extend(profile.and_then(|name| self.source(SourceKind::Profile, name, &of)));
        let list = place.key("roles");
        sources.extend(self.sources(SourceKind::Role, &user.roles, &list));
        let (list, groups) = (place.key("approval_groups"), &user.approval_groups);
        sources.extend(self.sources(SourceKind::ApprovalGroup, groups, &list));
        Class {
            sources: sources.as_slice().into(),
            admin: user.admin,
            suspended: user.suspended,
            statements: (!user.statements.is_empty())
                .then(|| Box::new(self.counted(&user.statements, place))),
        }
    }
}

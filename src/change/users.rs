//! Changes of users: which ones exist, and what each has.

use super::plan::{Acts, Given, Plan, Sparing};
use super::{Change, Moved, Rule};
use crate::document::NewUser;
use crate::ids::{GroupId, SourceId, UserSlot};
use crate::policy::{ByKind, ChangeKind, Class, SourceKind, SourceName, Texts};

impl Plan<'_> {
    /// Gives a user a source, which is compared for itself unless the user holds it.
    pub(super) fn give(&mut self, slot: UserSlot, id: SourceId) {
        let held = &self.new.users[slot].sources;
        if held.contains(&id) {
            return;
        }
        let sources = self.new.sources.with(held, id);
        let before = self.old.users.get(slot).map(|(_, class)| &*class.sources);
        let former = before.and_then(|before| self.old.sources.profile(before));
        let former = former.filter(|former| !sources.contains(former));
        self.new.change_user(slot, |user| user.sources = sources);
        self.touch(slot);
        let user = self.new.users.name(slot).to_owned();
        let from = former.map(|former| self.old.sources.name_of(former));
        let to = Some(self.new.sources.name_of(id));
        self.moved.push(Moved { user, from, to });
        self.hand_out(Given::To(slot, id));
    }

    /// Takes a source from a user, who may get another in its place.
    pub(super) fn take(&mut self, slot: UserSlot, id: SourceId, instead: Option<SourceId>) {
        let held = &self.new.users[slot].sources;
        let new = instead.filter(|instead| !held.contains(instead));
        let kept = |&known: &SourceId| if known == id { new } else { Some(known) };
        let sources = held.iter().filter_map(kept).collect();
        self.new.change_user(slot, |user| user.sources = sources);
        self.touch(slot);
        let user = self.new.users.name(slot).to_owned();
        let from = Some(self.new.sources.name_of(id));
        let to = instead.map(|instead| self.new.sources.name_of(instead));
        self.moved.push(Moved { user, from, to });
        new.into_iter().for_each(|new| self.hand_out(Given::To(slot, new)));
    }

    pub(super) fn add_user(&mut self, added: &NewUser) {
        let NewUser { user: name, profile, rest } = added;
        self.check_text(name);
        self.require(ChangeKind::AddUser);
        if self.old.users.find(name).is_some() {
            self.refuse(Rule::Exists, format!("user `{name}` already exists"));
        }
        let profile = match profile {
            None => self.old.default_profile,
            Some(None) => None,
            Some(Some(name)) => {
                self.require_on(ChangeKind::ASSIGN, SourceKind::Profile);
                self.known_source(SourceKind::Profile, name)
            }
        };
        // The default profile is what adding a user brings, and no assignment.
        if let Some(id) = profile {
            self.require_assignable(id);
        }
        self.requirements.settled = Some((name.clone(), rest.groups.clone()));
        let roles = self.gifts(SourceKind::Role, &rest.roles);
        let groups = self.gifts(SourceKind::ApprovalGroup, &rest.approval_groups);
        roles.iter().for_each(|&role| self.unheld(role));
        let sources: Box<[SourceId]> = profile.into_iter().chain(roles).chain(groups).collect();
        let (admin, suspended) = (rest.admin, rest.suspended);
        let mut user = Class { sources, admin, suspended, statements: None };
        if !rest.statements.is_empty() {
            self.require(ChangeKind::EditUser);
            let statements = self.resolve(|it, place| it.statements(&rest.statements, place));
            user.statements = Some(Box::new(statements));
        }
        if !rest.groups.is_empty() {
            self.require(ChangeKind::SetGroups);
            self.requirements.groups.clone_from(&rest.groups);
        }
        if rest.suspended {
            self.require(ChangeKind::SetSuspended);
        }
        if rest.admin {
            self.require(ChangeKind::SetAdmin);
            self.requirements.admins_only = Some("only an admin may make an admin".to_owned());
        }
        let groups = self.groups(&rest.groups);
        let assignments = self.new_assignments(&rest.assignments);
        if self.refusals.is_empty() {
            let profile = profile.map(|id| self.old.sources.name(id).to_owned());
            let Some(seat) = self.old.lineage.seat(&mut self.new.users) else {
                return self.refuse(Rule::Invalid, "too many users were added and removed");
            };
            let slot = seat.slot;
            self.seat = Some(seat);
            self.new.users.insert(seat, name, &user, &groups);
            self.new.users.set_assignments(slot, &assignments);
            let texts = Texts::new(rest.label.clone(), rest.description.clone());
            self.new.users.set_texts(slot, texts);
            self.touch(slot);
            user.sources.iter().for_each(|&id| self.hand_out(Given::To(slot, id)));
            if !rest.statements.is_empty() {
                self.hand_out(Given::Own(slot));
            }
            for assignment in assignments {
                self.hand_out(Given::Assignment(slot, assignment.name));
            }
            let added = NewUser { profile: Some(profile), ..added.clone() };
            self.changed.push(Change::AddUser(Box::new(added)));
        }
    }

    /// The sources in a list that a new user gets.
    pub(super) fn gifts(&mut self, kind: SourceKind, names: &[String]) -> Vec<SourceId> {
        let mut ids = Vec::new();
        for name in names {
            self.require_on(ChangeKind::ASSIGN, kind);
            if let Some(id) = self.known_source(kind, name) {
                self.require_assignable(id);
                ids.push(id);
            }
        }
        ids
    }

    /// The numbers of groups, which need not be declared.
    pub(super) fn groups(&mut self, names: &[String]) -> Box<[GroupId]> {
        names.iter().for_each(|name| self.check_text(name));
        self.new.numbers(names).into()
    }

    pub(super) fn remove_user(&mut self, name: &str) {
        self.require(ChangeKind::RemoveUser);
        self.requirements.acts = Acts::Displaces;
        let Some(slot) = self.concerned(name, "remove") else { return };
        let user = &self.old.users[slot];
        for &source in &user.sources {
            if self.old.sources[source].unique {
                self.refuse_held(source, slot);
            }
        }
        if self.refusals.is_empty() {
            self.effects.loses_admin = user.admin;
            self.new.users.remove(slot);
            self.changed.push(Change::RemoveUser { user: name.to_owned() });
        }
    }

    /// The user who is to get or to lose a source, and that source; notes the rights that
    /// this needs.
    fn moving(
        &mut self,
        changes: ByKind,
        user: &str,
        kind: SourceKind,
        name: &str,
    ) -> Option<(UserSlot, SourceId)> {
        self.require_on(changes, kind);
        let slot = self.concerned(user, "give to or take from");
        let id = self.known_source(kind, name);
        id.into_iter().for_each(|id| self.require_assignable(id));
        Some((slot?, id?))
    }

    pub(super) fn assign(&mut self, user: &str, source: &SourceName) {
        let Some((kind, name)) = self.assignable(source, "assigned") else { return };
        self.requirements.spared_by = Some(Sparing::Bind);
        let Some((slot, id)) = self.moving(ChangeKind::ASSIGN, user, kind, name) else { return };
        let held = &self.old.users[slot].sources;
        if held.contains(&id) {
            return;
        }
        self.unheld(id);
        if let (SourceKind::Profile, Some(former)) = (kind, self.old.sources.profile(held)) {
            self.require_assignable(former);
        }
        self.give(slot, id);
        self.changed.push(Change::Assign { user: user.to_owned(), source: source.clone() });
    }

    pub(super) fn revoke(&mut self, user: &str, source: &SourceName) {
        let Some((kind, name)) = self.assignable(source, "revoked") else { return };
        let Some((slot, id)) = self.moving(ChangeKind::REVOKE, user, kind, name) else { return };
        if !self.old.users[slot].sources.contains(&id) {
            return;
        }
        if self.old.sources[id].unique {
            self.refuse_held(id, slot);
        }
        self.take(slot, id, None);
        self.changed.push(Change::Revoke { user: user.to_owned(), source: source.clone() });
    }

    pub(super) fn transfer(&mut self, role: &str, to: &str) {
        self.require(ChangeKind::Transfer);
        self.requirements.spared_by = Some(Sparing::Bind);
        let verb = "give to or take from";
        let (id, slot) = (self.known_source(SourceKind::Role, role), self.concerned(to, verb));
        let Some(id) = id else { return };
        self.require_assignable(id);
        if !self.old.sources[id].unique {
            return self.refuse(Rule::Unique, format!("role `{role}` is not unique"));
        }
        if slot.is_some_and(|slot| self.old.users[slot].suspended) {
            self.refuse(
                Rule::Unique,
                format!("{} can't go to `{to}`, who is suspended", SourceKind::Role.named(role)),
            );
        }
        let holder = self.old.unique_holders(id).first().copied();
        if holder.is_some() && holder == slot {
            return;
        }
        let demoted_to = self.old.sources[id].demoted_to.filter(|_| holder.is_some());
        if let Some(lower) = demoted_to {
            self.require_assignable(lower);
            let others = self.old.unique_holders(lower);
            if let Some(&other) = others.iter().find(|&&other| Some(other) != holder) {
                self.refuse_held(lower, other);
            }
        }
        holder.into_iter().for_each(|holder| self.concern(holder, verb));
        let Some(slot) = slot else { return };
        holder.into_iter().for_each(|holder| self.take(holder, id, demoted_to));
        self.give(slot, id);
        let (role, to) = (role.to_owned(), to.to_owned());
        self.changed.push(Change::Transfer { role, to });
    }

    pub(super) fn set_admin(&mut self, user: &str, admin: bool) {
        self.require(ChangeKind::SetAdmin);
        if admin {
            self.requirements.admins_only = Some("only an admin may make an admin".to_owned());
        }
        let Some(slot) = self.concerned(user, "demote") else { return };
        if self.old.users[slot].admin != admin {
            self.effects.loses_admin = !admin;
            self.new.change_user(slot, |user| user.admin = admin);
            self.touch(slot);
            self.changed.push(Change::SetAdmin { user: user.to_owned(), admin });
        }
    }

    pub(super) fn set_suspended(&mut self, user: &str, suspended: bool) {
        self.require(ChangeKind::SetSuspended);
        self.requirements.acts = Acts::Displaces;
        let Some(slot) = self.concerned(user, "suspend or restore") else { return };
        if self.old.users[slot].suspended != suspended {
            self.effects.loses_admin = suspended;
            self.new.change_user(slot, |user| user.suspended = suspended);
            self.touch(slot);
            self.changed.push(Change::SetSuspended { user: user.to_owned(), suspended });
        }
    }

    pub(super) fn set_groups(&mut self, user: &str, names: &[String]) {
        self.require(ChangeKind::SetGroups);
        self.requirements.groups = names.to_vec();
        self.requirements.settled = Some((user.to_owned(), names.to_vec()));
        let groups = self.groups(names);
        let Some(slot) = self.concerned(user, "regroup") else { return };
        if *self.old.users.groups(slot) != *groups {
            self.new.users.set_groups(slot, &groups);
            self.touch(slot);
            let (user, groups) = (user.to_owned(), names.to_vec());
            self.changed.push(Change::SetGroups { user, groups });
        }
    }
}

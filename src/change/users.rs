//! Changes of users: which ones exist, and what each has.

use std::sync::Arc;

use super::attempt::{Attempt, Kind, kind_of};
use super::import::repeats;
use super::{Change, Moved, Rule};
use crate::document::NewUser;
use crate::names::number;
use crate::policy::{Class, Inner, SourceName, Texts, push, retain};

impl Attempt<'_> {
    /// Gives a user a source.
    pub(super) fn give(&mut self, slot: u32, kind: Kind, id: u32) {
        if Inner::has(&self.new.users[slot], kind, id) {
            return;
        }
        let profile = self.old.users.get(slot).and_then(|(_, class)| class.profile);
        let former = profile.filter(|_| kind == Kind::Profile);
        self.new.change_user(slot, |user| match kind {
            Kind::Profile => user.profile = Some(id),
            Kind::Role => push(&mut user.roles, id),
            Kind::ApprovalGroup => push(&mut user.approval_groups, id),
        });
        self.touch(slot);
        let user = self.new.users.name(slot).to_owned();
        let from = former.map(|former| self.old.source_name(kind, former));
        let to = Some(self.new.source_name(kind, id));
        self.moved.push(Moved { user, from, to });
    }

    /// Takes a source from a user, who may get another in its place.
    pub(super) fn take(&mut self, slot: u32, kind: Kind, id: u32, instead: Option<u32>) {
        let user = self.new.users.name(slot).to_owned();
        let list = |user: &mut Class| match kind {
            Kind::Profile => {
                user.profile = instead;
                None
            }
            Kind::Role => Some(std::mem::take(&mut user.roles)),
            Kind::ApprovalGroup => Some(std::mem::take(&mut user.approval_groups)),
        };
        self.new.change_user(slot, |user| {
            let Some(mut held) = list(user) else { return };
            match instead.filter(|instead| !held.contains(instead)) {
                Some(instead) => {
                    for known in held.iter_mut().filter(|known| **known == id) {
                        *known = instead;
                    }
                }
                None => retain(&mut held, |&known| known != id),
            }
            match kind {
                Kind::ApprovalGroup => user.approval_groups = held,
                _ => user.roles = held,
            }
        });
        self.touch(slot);
        let from = Some(self.new.source_name(kind, id));
        let to = instead.map(|instead| self.new.source_name(kind, instead));
        self.moved.push(Moved { user, from, to });
    }

    pub(super) fn add_user(&mut self, added: &NewUser) {
        let NewUser { user: name, profile, rest } = added;
        if name.is_empty() {
            self.refuse(Rule::Invalid, "a user's name can't be empty");
        }
        self.check_length(name);
        rest.groups.iter().for_each(|group| self.check_length(group));
        self.kinds.push("add_user".to_owned());
        if self.old.users.find(name).is_some() {
            self.refuse(Rule::Exists, format!("user `{name}` already exists"));
        }
        let mut user = Class { admin: rest.admin, suspended: rest.suspended, ..Class::default() };
        user.profile = match profile {
            None => self.old.default_profile,
            Some(None) => None,
            Some(Some(name)) => {
                self.need("assign", Kind::Profile);
                self.known_source(Kind::Profile, name)
            }
        };
        // The default profile is what adding a user brings, and no assignment.
        if let Some(id) = user.profile {
            self.moves(Kind::Profile, id);
        }
        user.roles = self.gifts(Kind::Role, &rest.roles);
        user.approval_groups = self.gifts(Kind::ApprovalGroup, &rest.approval_groups);
        let held = user.roles.iter().filter_map(|&role| {
            self.old.unique_holders(role).first().map(|&holder| (role, holder))
        });
        for (role, holder) in held.collect::<Vec<_>>() {
            self.refuse_held(role, holder);
        }
        if !rest.statements.is_empty() {
            self.kinds.push("edit_user".to_owned());
            if repeats(&rest.statements) {
                self.refuse(Rule::Invalid, format!("`{name}` would repeat a statement"));
            }
            let (statements, misfits) = self.old.fitting(&rest.statements);
            for (misfit, ..) in misfits {
                self.misfit(misfit);
            }
            user.statements = Some(Box::new(statements));
        }
        if !rest.groups.is_empty() {
            self.kinds.push("set_groups".to_owned());
            self.groups_named.clone_from(&rest.groups);
        }
        if rest.suspended {
            self.kinds.push("set_suspended".to_owned());
        }
        if rest.admin {
            self.kinds.push("set_admin".to_owned());
            self.admins_only = Some("only an admin may make an admin".to_owned());
        }
        let groups = self.groups(&rest.groups);
        if self.refusals.is_empty() {
            let profile = user.profile.map(|id| self.old.profiles.name(id).to_owned());
            let slot = self.old.lineage.next_user();
            self.new.users.insert(slot, name, &user, &groups);
            let texts = Texts {
                label: rest.label.as_deref().map(Into::into),
                description: rest.description.as_deref().map(Into::into),
            };
            self.new.users.set_texts(slot, texts);
            self.fresh = Some(slot);
            self.touch(slot);
            let added = NewUser { profile: Some(profile), ..added.clone() };
            self.changed.push(Change::AddUser(Box::new(added)));
        }
    }

    /// The sources in a list that a new user gets.
    pub(super) fn gifts(&mut self, kind: Kind, names: &[String]) -> Box<[u32]> {
        let mut ids = Vec::new();
        for name in names {
            self.need("assign", kind);
            if let Some(id) = self.known_source(kind, name) {
                self.moves(kind, id);
                ids.push(id);
            }
        }
        ids.into()
    }

    /// The numbers of groups, which need not be declared.
    pub(super) fn groups(&mut self, names: &[String]) -> Box<[u32]> {
        if names.iter().any(String::is_empty) {
            self.refuse(Rule::Invalid, "a group's name can't be empty");
        }
        let mut ids = Vec::new();
        for name in names {
            let known = self.new.groups.parents.get_index_of(name.as_str());
            let id = known.unwrap_or_else(|| {
                let groups = Arc::make_mut(&mut self.new.groups);
                groups.parents.insert_full(name.as_str().into(), None).0
            });
            ids.push(number(id));
        }
        ids.into()
    }

    pub(super) fn remove_user(&mut self, name: &str) {
        self.kinds.push("remove_user".to_owned());
        let Some(slot) = self.known_user(name) else { return };
        self.touches_admin(slot, "remove");
        let user = &self.old.users[slot];
        for &role in &user.roles {
            if self.old.roles[role].unique {
                self.refuse_held(role, slot);
            }
            self.moves(Kind::Role, role);
        }
        if let Some(profile) = user.profile {
            self.moves(Kind::Profile, profile);
        }
        for &group in &user.approval_groups {
            self.moves(Kind::ApprovalGroup, group);
        }
        if self.refusals.is_empty() {
            self.loses_admin = user.admin;
            self.new.users.remove(slot);
            self.changed.push(Change::RemoveUser { user: name.to_owned() });
        }
    }

    pub(super) fn assign(&mut self, user: &str, source: &SourceName) {
        let Some((kind, name)) = kind_of(source) else {
            return self.refuse(Rule::Invalid, format!("{source} can't be assigned"));
        };
        self.need("assign", kind);
        let (slot, id) = (self.known_user(user), self.known_source(kind, name));
        if let Some(id) = id {
            self.moves(kind, id);
        }
        let (Some(slot), Some(id)) = (slot, id) else { return };
        if Inner::has(&self.old.users[slot], kind, id) {
            return;
        }
        if kind == Kind::Role
            && let Some(&holder) = self.old.unique_holders(id).first()
        {
            self.refuse_held(id, holder);
        }
        if let (Kind::Profile, Some(former)) = (kind, self.old.users[slot].profile) {
            self.moves(Kind::Profile, former);
        }
        self.give(slot, kind, id);
        self.changed.push(Change::Assign { user: user.to_owned(), source: source.clone() });
    }

    pub(super) fn revoke(&mut self, user: &str, source: &SourceName) {
        let Some((kind, name)) = kind_of(source) else {
            return self.refuse(Rule::Invalid, format!("{source} can't be revoked"));
        };
        self.need("revoke", kind);
        let (slot, id) = (self.known_user(user), self.known_source(kind, name));
        if let Some(id) = id {
            self.moves(kind, id);
        }
        let (Some(slot), Some(id)) = (slot, id) else { return };
        if !Inner::has(&self.old.users[slot], kind, id) {
            return;
        }
        if kind == Kind::Role && self.old.roles[id].unique {
            self.refuse_held(id, slot);
        }
        self.take(slot, kind, id, None);
        self.changed.push(Change::Revoke { user: user.to_owned(), source: source.clone() });
    }

    pub(super) fn transfer(&mut self, role: &str, to: &str) {
        self.kinds.push("transfer".to_owned());
        let (id, slot) = (self.known_source(Kind::Role, role), self.known_user(to));
        let Some(id) = id else { return };
        self.moves(Kind::Role, id);
        if !self.old.roles[id].unique {
            return self.refuse(Rule::Unique, format!("role `{role}` is not unique"));
        }
        let Some(slot) = slot else { return };
        let holder = self.old.unique_holders(id).first().copied();
        if holder == Some(slot) {
            return;
        }
        let demoted_to = self.old.roles[id].demoted_to.filter(|_| holder.is_some());
        if let Some(lower) = demoted_to {
            self.moves(Kind::Role, lower);
            let others = self.old.unique_holders(lower);
            if let Some(&other) = others.iter().find(|&&other| Some(other) != holder) {
                self.refuse_held(lower, other);
            }
        }
        if let Some(holder) = holder {
            self.take(holder, Kind::Role, id, demoted_to);
        }
        self.give(slot, Kind::Role, id);
        let (role, to) = (role.to_owned(), to.to_owned());
        self.changed.push(Change::Transfer { role, to });
    }

    pub(super) fn set_admin(&mut self, user: &str, admin: bool) {
        self.kinds.push("set_admin".to_owned());
        if admin {
            self.admins_only = Some("only an admin may make an admin".to_owned());
        }
        let Some(slot) = self.known_user(user) else { return };
        self.touches_admin(slot, "demote");
        if self.old.users[slot].admin != admin {
            self.loses_admin = !admin;
            self.new.change_user(slot, |user| user.admin = admin);
            self.touch(slot);
            self.changed.push(Change::SetAdmin { user: user.to_owned(), admin });
        }
    }

    pub(super) fn set_suspended(&mut self, user: &str, suspended: bool) {
        self.kinds.push("set_suspended".to_owned());
        let Some(slot) = self.known_user(user) else { return };
        self.touches_admin(slot, "suspend or restore");
        if self.old.users[slot].suspended != suspended {
            self.loses_admin = suspended;
            self.new.change_user(slot, |user| user.suspended = suspended);
            self.touch(slot);
            self.changed.push(Change::SetSuspended { user: user.to_owned(), suspended });
        }
    }

    pub(super) fn set_groups(&mut self, user: &str, names: &[String]) {
        self.kinds.push("set_groups".to_owned());
        self.groups_named = names.to_vec();
        names.iter().for_each(|group| self.check_length(group));
        let groups = self.groups(names);
        let Some(slot) = self.known_user(user) else { return };
        if *self.old.users.groups(slot) != *groups {
            self.new.users.set_groups(slot, &groups);
            let (user, groups) = (user.to_owned(), names.to_vec());
            self.changed.push(Change::SetGroups { user, groups });
        }
    }
}

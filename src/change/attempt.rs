//! One change in progress: what it does, and every rule that applies to it.
//!
//! A change is carried out on a new version of the policy, which shares all else
//! with the one before. Every refusal is noted on the way, and so is what an actor
//! would need. If there are refusals, the first in the order of the rules is
//! reported, and the new version is dropped.

use std::collections::HashSet;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::statement::{Misfit, is_name};
use super::{Applied, By, Change, Moved, Note, Refusal, Rule, guard};
use crate::document;
use crate::graph;
use crate::names::{keys, number};
use crate::policy::{
    Class, ClassId, Inner, Licence, Policy, Role, Source, SourceId, SourceName, Statements,
};
use crate::problem::did_you_mean;

pub(super) fn apply(policy: &Policy, by: By<'_>, change: &Change) -> Result<Applied, Refusal> {
    let old = policy.inner();
    let mut attempt = Attempt {
        old,
        new: Inner { revision: old.revision.saturating_add(1), ..old.clone() },
        by,
        refusals: Vec::new(),
        kinds: Vec::new(),
        guarded: Vec::new(),
        rights: Vec::new(),
        admins_only: None,
        groups_named: Vec::new(),
        touched: Touched::Users(Vec::new()),
        fresh: None,
        loses_admin: false,
        changed: Vec::new(),
        moved: Vec::new(),
        notes: Vec::new(),
    };
    attempt.carry_out(change);
    attempt.count();
    guard::permit(&mut attempt);
    if attempt.refusals.is_empty() {
        guard::keep(&mut attempt);
    }
    let Attempt { new, refusals, changed, moved, notes, .. } = attempt;
    match refusals.into_iter().min_by_key(|refusal| refusal.rule) {
        Some(refusal) => Err(refusal),
        None => Ok(Applied { policy: Policy::from_inner(new), changed, moved, notes }),
    }
}

/// Whose permissions a change may affect.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Touched {
    Users(Vec<u32>),
    Everybody,
}

pub(super) struct Attempt<'p> {
    pub(super) old: &'p Inner,
    pub(super) new: Inner,
    pub(super) by: By<'p>,
    pub(super) refusals: Vec<Refusal>,
    /// The kinds of change that governance must allow the actor.
    pub(super) kinds: Vec<String>,
    /// Sources that are assigned or revoked.
    pub(super) guarded: Vec<SourceId>,
    /// Sources that the actor needs the right to assign, if they are guarded.
    pub(super) rights: Vec<SourceId>,
    /// What only an admin may do here: the refusal for others.
    pub(super) admins_only: Option<String>,
    pub(super) groups_named: Vec<String>,
    pub(super) touched: Touched,
    /// A user who is new or renamed.
    pub(super) fresh: Option<u32>,
    /// Whether an active admin ceases to be one.
    pub(super) loses_admin: bool,
    pub(super) changed: Vec<Change>,
    pub(super) moved: Vec<Moved>,
    pub(super) notes: Vec<Note>,
}

/// The kinds of source that users have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Profile,
    Role,
    ApprovalGroup,
}

impl Kind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Profile => "profile",
            Kind::Role => "role",
            Kind::ApprovalGroup => "approval_group",
        }
    }

    pub(super) fn name(self, name: String) -> SourceName {
        match self {
            Kind::Profile => SourceName::Profile(name),
            Kind::Role => SourceName::Role(name),
            Kind::ApprovalGroup => SourceName::ApprovalGroup(name),
        }
    }

    pub(super) fn id(self, id: u32) -> SourceId {
        match self {
            Kind::Profile => SourceId::Profile(id),
            Kind::Role => SourceId::Role(id),
            Kind::ApprovalGroup => SourceId::ApprovalGroup(id),
        }
    }
}

/// The kind and name of a source that users have.
pub(super) fn kind_of(source: &SourceName) -> Option<(Kind, &str)> {
    match source {
        SourceName::Profile(name) => Some((Kind::Profile, name)),
        SourceName::Role(name) => Some((Kind::Role, name)),
        SourceName::ApprovalGroup(name) => Some((Kind::ApprovalGroup, name)),
        SourceName::Global | SourceName::User(_) => None,
    }
}

impl Inner {
    pub(super) fn find_source(&self, kind: Kind, name: &str) -> Option<u32> {
        match kind {
            Kind::Profile => self.profiles.find(name),
            Kind::Role => self.roles.find(name),
            Kind::ApprovalGroup => self.approval_groups.find(name),
        }
    }

    /// The message that there is no such source.
    pub(super) fn unknown_source(&self, kind: Kind, name: &str) -> String {
        let nearest = match kind {
            Kind::Profile => did_you_mean(name, self.profiles.iter().map(|(_, known, _)| known)),
            Kind::Role => did_you_mean(name, self.roles.iter().map(|(_, known, _)| known)),
            Kind::ApprovalGroup => {
                did_you_mean(name, self.approval_groups.iter().map(|(_, known, _)| known))
            }
        };
        format!("unknown {}{nearest}", kind.name(name.to_owned()))
    }

    pub(super) fn source_name(&self, kind: Kind, id: u32) -> SourceName {
        kind.name(match kind {
            Kind::Profile => self.profiles.name(id).to_owned(),
            Kind::Role => self.roles.name(id).to_owned(),
            Kind::ApprovalGroup => self.approval_groups.name(id).to_owned(),
        })
    }

    /// Changes a profile, role or approval group.
    pub(super) fn change_source(&mut self, kind: Kind, id: u32, change: impl FnOnce(&mut Source)) {
        match kind {
            Kind::Profile => {
                let mut source = self.profiles[id].clone();
                change(&mut source);
                self.profiles.set(id, source);
            }
            Kind::Role => self.change_role(id, |role| change(&mut role.source)),
            Kind::ApprovalGroup => {
                let mut source = self.approval_groups[id].clone();
                change(&mut source);
                self.approval_groups.set(id, source);
            }
        }
    }

    pub(super) fn change_role(&mut self, id: u32, change: impl FnOnce(&mut Role)) {
        let mut role = self.roles[id].clone();
        change(&mut role);
        self.roles.set(id, role);
    }

    pub(super) fn change_user(&mut self, slot: u32, change: impl FnOnce(&mut Class)) {
        let mut user = self.users[slot].clone();
        change(&mut user);
        if user.statements.as_deref().is_some_and(Statements::is_empty) {
            user.statements = None;
        }
        self.users.set_class(slot, &user);
    }

    /// Reorders the roles; `false` if their inclusions form a cycle.
    pub(super) fn order_roles(&mut self) -> bool {
        let roles = &self.roles;
        let walk = graph::walk(roles.slots(), |role, at| {
            let role = roles.get(number(role))?;
            role.includes.get(at).map(|&included| included as usize)
        });
        let order = walk.order.into_iter().map(number);
        let order = order.filter(|&id| roles.get(id).is_some()).collect();
        self.role_order = order;
        walk.cycles.is_empty()
    }

    pub(super) fn has(user: &Class, kind: Kind, id: u32) -> bool {
        match kind {
            Kind::Profile => user.profile == Some(id),
            Kind::Role => user.roles.contains(&id),
            Kind::ApprovalGroup => user.approval_groups.contains(&id),
        }
    }

    /// The users who have a source.
    pub(super) fn holders(&self, kind: Kind, id: u32) -> Vec<u32> {
        let classes = self.users.classes().filter(|(_, class)| Inner::has(class, kind, id));
        let classes: HashSet<ClassId, RandomState> = classes.map(|(class, _)| class).collect();
        match classes.is_empty() {
            true => Vec::new(),
            false => self.users.of_classes(|class| classes.contains(&class)).collect(),
        }
    }

    /// The holders of a role if it is unique; otherwise none.
    pub(super) fn unique_holders(&self, role: u32) -> Vec<u32> {
        match self.roles[role].unique {
            true => self.holders(Kind::Role, role),
            false => Vec::new(),
        }
    }

    /// A source and, if it is a role, all that it includes.
    pub(super) fn with_included(&self, kind: Kind, id: u32) -> Vec<SourceId> {
        match kind {
            Kind::Role => self.closure(&[id]).into_iter().map(SourceId::Role).collect(),
            kind => vec![kind.id(id)],
        }
    }
}

impl Attempt<'_> {
    pub(super) fn refuse(&mut self, rule: Rule, message: impl Into<String>) {
        self.refusals.push(Refusal { rule, message: message.into() });
    }

    pub(super) fn misfit(&mut self, (rule, message): Misfit) {
        self.refuse(rule, message);
    }

    /// Notes that an actor must be permitted a kind of change: `assign_role`, say.
    pub(super) fn need(&mut self, verb: &str, kind: Kind) {
        self.kinds.push(format!("{verb}_{}", kind.word()));
    }

    pub(super) fn known_source(&mut self, kind: Kind, name: &str) -> Option<u32> {
        let found = self.old.find_source(kind, name);
        if found.is_none() {
            self.refuse(Rule::Unknown, self.old.unknown_source(kind, name));
        }
        found
    }

    pub(super) fn known_user(&mut self, name: &str) -> Option<u32> {
        let found = self.old.users.find(name);
        if found.is_none() {
            self.refuse(Rule::Unknown, format!("unknown user `{name}`"));
        }
        found
    }

    /// Notes a source that is assigned or revoked; with a role, what it includes too.
    pub(super) fn moves(&mut self, kind: Kind, id: u32) {
        self.guarded.extend(self.old.with_included(kind, id));
    }

    /// Notes that only an admin may do this, if it is done to an admin.
    pub(super) fn touches_admin(&mut self, slot: u32, verb: &str) {
        if self.old.users[slot].admin {
            let name = self.old.users.name(slot);
            self.admins_only = Some(format!("only an admin may {verb} the admin `{name}`"));
        }
    }

    pub(super) fn unprotected(&mut self, kind: Kind, id: u32, verb: &str) {
        if self.old.source_at(kind.id(id)).is_some_and(|source| source.protected) {
            let name = self.old.source_name(kind, id);
            self.refuse(Rule::Protected, format!("{name} is protected and can't be {verb}"));
        }
    }

    pub(super) fn refuse_held(&mut self, role: u32, holder: u32) {
        let (role, holder) = (self.old.roles.name(role), self.old.users.name(holder));
        let message = format!("role `{role}` is unique, and held by `{holder}`");
        self.refuse(Rule::Unique, message);
    }

    pub(super) fn touch(&mut self, slot: u32) {
        if let Touched::Users(slots) = &mut self.touched {
            slots.push(slot);
        }
    }

    fn carry_out(&mut self, change: &Change) {
        match change {
            Change::Create { source, from } => self.create(source, from.as_ref()),
            Change::Rename { source, to } => self.rename(source, to),
            Change::Edit { source, ops, cascade } => self.edit(source, ops, *cascade),
            Change::Delete { source, holders } => self.delete(source, holders),
            Change::AddUser(user) => self.add_user(user),
            Change::RemoveUser { user } => self.remove_user(user),
            Change::Assign { user, source } => self.assign(user, source),
            Change::Revoke { user, source } => self.revoke(user, source),
            Change::Transfer { role, to } => self.transfer(role, to),
            Change::SetDefaultProfile { profile } => self.set_default_profile(profile.as_deref()),
            Change::SetAdmin { user, admin } => self.set_admin(user, *admin),
            Change::SetSuspended { user, suspended } => self.set_suspended(user, *suspended),
            Change::SetGroups { user, groups } => self.set_groups(user, groups),
            Change::SetGroup { group, parent } => self.set_group(group, parent.as_deref()),
            Change::SetLicence(licence) => self.set_licence(licence),
            Change::Import { bundle, on_conflict } => self.import(bundle, *on_conflict),
        }
    }

    fn set_default_profile(&mut self, profile: Option<&str>) {
        self.kinds.push("set_default_profile".to_owned());
        let id = match profile {
            None => None,
            Some(name) => match self.known_source(Kind::Profile, name) {
                Some(id) => Some(id),
                None => return,
            },
        };
        if self.old.default_profile != id {
            self.new.default_profile = id;
            let profile = profile.map(str::to_owned);
            self.changed.push(Change::SetDefaultProfile { profile });
        }
    }

    fn set_group(&mut self, group: &str, parent: Option<&str>) {
        self.kinds.push("set_group".to_owned());
        self.groups_named = [group].into_iter().chain(parent).map(str::to_owned).collect();
        if group.is_empty() || parent == Some("") {
            return self.refuse(Rule::Invalid, "a group's name can't be empty");
        }
        [group].into_iter().chain(parent).for_each(|name| self.check_length(name));
        let before = self.old.groups.declared.get(group);
        if before.is_some_and(|before| before.parent.as_deref() == parent) {
            return;
        }
        let groups = Arc::make_mut(&mut self.new.groups);
        let above = parent.map(|name| {
            let above = groups.parents.entry(name.into());
            let at = number(above.index());
            above.or_default();
            at
        });
        groups.parents.insert(group.into(), above);
        match groups.declared.get_mut(group) {
            Some(known) => known.parent = parent.map(str::to_owned),
            None => groups.declared.push(
                group,
                document::Group { parent: parent.map(str::to_owned), ..Default::default() },
            ),
        }
        let ring = !graph::walk(groups.parents.len(), |group, at| match at {
            0 => groups.parents.get_index(group)?.1.map(|parent| parent as usize),
            _ => None,
        })
        .cycles
        .is_empty();
        if ring {
            self.refuse(Rule::Invalid, "groups would be beneath each other in a cycle");
        }
        let (group, parent) = (group.to_owned(), parent.map(str::to_owned));
        self.changed.push(Change::SetGroup { group, parent });
    }

    /// Refuses to add more of something than a document may have.
    fn count(&mut self) {
        let (new, limits) = (&self.new, self.old.limits);
        for (what, count, most) in [
            ("users", new.users.len(), limits.users),
            ("profiles", new.profiles.len(), limits.sources),
            ("roles", new.roles.len(), limits.sources),
            ("approval groups", new.approval_groups.len(), limits.sources),
            ("groups", new.groups.parents.len(), limits.groups),
        ] {
            if count > most {
                let message = format!("too many {what}: the limit is {most}");
                self.refusals.push(Refusal { rule: Rule::Invalid, message });
            }
        }
    }

    /// Refuses a name longer than a document may have.
    pub(super) fn check_length(&mut self, name: &str) {
        let limit = self.old.limits.name;
        if name.len() > limit {
            self.refuse(Rule::Invalid, format!("a name is too long: the limit is {limit} bytes"));
        }
    }

    fn set_licence(&mut self, licence: &document::Licence) {
        self.kinds.push("set_licence".to_owned());
        self.touched = Touched::Everybody;
        licence.features.iter().for_each(|feature| self.check_length(feature));
        for feature in licence.features.iter().filter(|feature| !is_name(feature)) {
            self.refuse(Rule::Invalid, format!("`{feature}` is not a name"));
        }
        if let Some(edition) = &licence.edition
            && !self.old.catalogue.editions.contains_key(edition.as_str())
        {
            let nearest = did_you_mean(edition, keys(&self.old.catalogue.editions));
            self.refuse(Rule::Unknown, format!("unknown edition `{edition}`{nearest}"));
        }
        if self.old.licence.stated() != licence {
            self.new.licence = Arc::new(Licence::new(licence.clone(), &self.new.catalogue));
            self.changed.push(Change::SetLicence(licence.clone()));
        }
    }
}

//! A change as planned: the next version of the policy, and the facts that decide if the
//! change may be made. Who asks for it makes no difference here.
//!
//! The next version shares all else with the one before. Every refusal is noted on the
//! way, and so is what an actor needs; the [guards](super::guard) judge the plan.

use std::sync::Arc;

use super::{Change, ChangedAssignment, Moved, Note, Refusal, Rule};
use crate::document;
use crate::ids::{SourceId, UserSlot};
use crate::names::{is_free_name, is_name};
use crate::policy::{
    ByKind, ChangeKind, Class, Groups, Inner, Licence, Resolver, SourceKind, SourceName, Statements,
};
use crate::problem::{Faults, Place, ProblemKind};

/// A planned change.
pub(crate) struct Plan<'p> {
    pub(super) old: &'p Inner,
    pub(super) new: Inner,
    pub(super) requirements: Requirements,
    pub(super) effects: Effects,
    pub(super) refusals: Vec<Refusal>,
    pub(super) changed: Vec<Change>,
    pub(super) moved: Vec<Moved>,
    pub(super) assignments: Vec<ChangedAssignment>,
    pub(super) notes: Vec<Note>,
}

/// The rights that an actor needs in order to make a change.
#[derive(Default, PartialEq, Eq, Hash)]
pub(crate) struct Requirements {
    /// The kinds of change that governance must allow the actor.
    pub(super) kinds: Vec<ChangeKind>,
    /// Guarded sources that are assigned or revoked.
    pub(super) assigned: Vec<SourceId>,
    /// Sources that the actor needs the right to assign, if they are guarded.
    pub(super) rights: Vec<SourceId>,
    /// The refusal for all but admins.
    pub(super) admins_only: Option<String>,
    /// Groups that the change names.
    pub(super) groups: Vec<String>,
}

/// The users for whom a change may make a difference.
#[derive(Default)]
pub(super) struct Effects {
    pub(super) touched: Touched,
    /// A user who is new or renamed.
    pub(super) fresh: Option<UserSlot>,
    /// An active admin ceases to be one.
    pub(super) loses_admin: bool,
}

/// The users whose permissions a change may affect.
pub(super) enum Touched {
    Users(Vec<UserSlot>),
    Everybody,
}

impl Default for Touched {
    fn default() -> Touched {
        Touched::Users(Vec::new())
    }
}

impl<'p> Plan<'p> {
    /// Plans a change of a policy.
    pub(crate) fn new(old: &'p Inner, change: &Change) -> Plan<'p> {
        let mut plan = Plan {
            old,
            new: Inner { revision: old.revision.saturating_add(1), ..old.clone() },
            requirements: Requirements::default(),
            effects: Effects::default(),
            refusals: Vec::new(),
            changed: Vec::new(),
            moved: Vec::new(),
            assignments: Vec::new(),
            notes: Vec::new(),
        };
        plan.carry_out(change);
        plan.check_counts();
        plan
    }

    /// The version of the policy that it results in, if no guard refuses it, and the rights
    /// that this takes.
    pub(crate) fn into_version(self) -> (Inner, Requirements) {
        (self.new, self.requirements)
    }
}

impl Inner {
    /// Resolves names and statements of this version, as those of a document are.
    pub(super) fn resolver<'r>(&'r self, faults: &'r mut Faults) -> Resolver<'r> {
        Resolver { catalogue: &self.catalogue, sources: &self.sources, faults }
    }

    /// Resolves part of a change, and refuses what would be a problem of a document.
    pub(super) fn resolve<T>(
        &self,
        resolve: impl FnOnce(&mut Resolver<'_>, &Place<'_>) -> T,
    ) -> (T, Vec<Refusal>) {
        let mut faults = Faults::new(Vec::new(), self.limits);
        let resolved = resolve(&mut self.resolver(&mut faults), &Place::Root);
        let problems = faults.into_problems().into_iter();
        (resolved, problems.map(|problem| refusal(problem.kind())).collect())
    }

    pub(super) fn change_user(&mut self, slot: UserSlot, change: impl FnOnce(&mut Class)) {
        let mut user = self.users[slot].clone();
        change(&mut user);
        if user.statements.as_deref().is_some_and(Statements::is_empty) {
            user.statements = None;
        }
        self.users.set_class(slot, &user);
    }

    /// The holders of a role if it is unique; otherwise none.
    pub(super) fn unique_holders(&self, role: SourceId) -> Vec<UserSlot> {
        if self.sources[role].unique { self.holders(role) } else { Vec::new() }
    }
}

/// Returns the refusal of a change for what would be a problem of a document.
fn refusal(kind: &ProblemKind) -> Refusal {
    let (rule, message) = match kind {
        ProblemKind::Unknown { what: "permission", name, .. } if !name.split('.').all(is_name) => {
            (Rule::Invalid, format!("`{name}` is not a pattern"))
        }
        ProblemKind::Unknown { .. } => (Rule::Unknown, kind.to_string()),
        _ => (Rule::Invalid, kind.to_string()),
    };
    Refusal { rule, message }
}

impl Plan<'_> {
    pub(super) fn refuse(&mut self, rule: Rule, message: impl Into<String>) {
        self.refusals.push(Refusal { rule, message: message.into() });
    }

    /// Resolves part of a change; what would be a problem of a document is refused.
    pub(super) fn resolve<T>(
        &mut self,
        resolve: impl FnOnce(&mut Resolver<'_>, &Place<'_>) -> T,
    ) -> T {
        let (resolved, refusals) = self.old.resolve(resolve);
        self.refusals.extend(refusals);
        resolved
    }

    /// Calls back with the groups of the next version, which it shares with this one unless
    /// there is one more.
    pub(super) fn with_groups<T>(&mut self, call: impl FnOnce(&mut Self, &mut Groups) -> T) -> T {
        let mut groups = Groups::clone(&self.new.groups);
        let known = groups.parents.len();
        let result = call(self, &mut groups);
        if groups.parents.len() > known {
            self.new.groups = Arc::new(groups);
        }
        result
    }

    /// Notes that an actor must be permitted a kind of change.
    pub(super) fn require(&mut self, kind: ChangeKind) {
        self.requirements.kinds.push(kind);
    }

    /// Notes that an actor must be permitted a kind of change to that kind of source.
    pub(super) fn require_on(&mut self, changes: ByKind, kind: SourceKind) {
        self.require(ChangeKind::on(changes, kind));
    }

    pub(super) fn known_source(&mut self, kind: SourceKind, name: &str) -> Option<SourceId> {
        self.resolve(|it, place| it.source(kind, name, place))
    }

    /// The kind and name of a source that users may be given; any other is refused.
    pub(super) fn assignable<'s>(
        &mut self,
        source: &'s SourceName,
        verb: &str,
    ) -> Option<(SourceKind, &'s str)> {
        let assignable = source.assignable();
        if assignable.is_none() {
            self.refuse(Rule::Invalid, format!("{source} can't be {verb}"));
        }
        assignable
    }

    pub(super) fn known_user(&mut self, name: &str) -> Option<UserSlot> {
        let found = self.old.users.find(name);
        if found.is_none() {
            self.refuse(Rule::Unknown, format!("unknown user `{name}`"));
        }
        found
    }

    /// Notes that an actor must satisfy the `assignable_by` of a source, which is assigned
    /// or revoked, and of those that it includes.
    pub(super) fn require_assignable(&mut self, id: SourceId) {
        let sources = self.old.sources.closure(&[id]).into_iter();
        let is_guarded = |id: &SourceId| self.old.sources[*id].assignable_by.is_some();
        self.requirements.assigned.extend(sources.filter(is_guarded));
    }

    /// Notes that only an admin may do this, if it is done to an admin.
    pub(super) fn touches_admin(&mut self, slot: UserSlot, verb: &str) {
        if self.old.users[slot].admin {
            let name = self.old.users.name(slot);
            self.requirements.admins_only =
                Some(format!("only an admin may {verb} the admin `{name}`"));
        }
    }

    pub(super) fn unprotected(&mut self, id: SourceId, verb: &str) {
        if self.old.sources[id].protected {
            let name = self.old.sources.name_of(id);
            self.refuse(Rule::Protected, format!("{name} is protected and can't be {verb}"));
        }
    }

    /// Refuses to give a unique role to one more user.
    pub(super) fn unheld(&mut self, role: SourceId) {
        if let Some(&holder) = self.old.unique_holders(role).first() {
            self.refuse_held(role, holder);
        }
    }

    pub(super) fn refuse_held(&mut self, role: SourceId, holder: UserSlot) {
        let (role, holder) = (self.old.sources.name_of(role), self.old.users.name(holder));
        self.refuse(Rule::Unique, format!("{role} is unique, and held by `{holder}`"));
    }

    pub(super) fn touch(&mut self, slot: UserSlot) {
        if let Touched::Users(slots) = &mut self.effects.touched {
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
            Change::SetAssignment { user, name, assignment } => {
                self.set_assignment(user, name, assignment.as_deref());
            }
            Change::Expire { before } => self.expire(*before),
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
        self.require(ChangeKind::SetDefaultProfile);
        let id = profile.and_then(|name| self.known_source(SourceKind::Profile, name));
        if id.is_some() == profile.is_some() && self.old.default_profile != id {
            self.new.default_profile = id;
            let profile = profile.map(str::to_owned);
            self.changed.push(Change::SetDefaultProfile { profile });
        }
    }

    fn set_group(&mut self, group: &str, parent: Option<&str>) {
        self.require(ChangeKind::SetGroup);
        self.requirements.groups = [group].into_iter().chain(parent).map(str::to_owned).collect();
        [group].into_iter().chain(parent).for_each(|name| self.check_text(name));
        let before = self.old.groups.declared.get(group);
        if before.is_some_and(|before| before.parent.as_deref() == parent) {
            return;
        }
        let groups = Arc::make_mut(&mut self.new.groups);
        let above = parent.map(|name| groups.number(name));
        groups.parents.insert(group.into(), above);
        match groups.declared.get_mut(group) {
            Some(known) => known.parent = parent.map(str::to_owned),
            None => groups.declared.push(
                group,
                document::Group { parent: parent.map(str::to_owned), ..Default::default() },
            ),
        }
        if !groups.cycles().is_empty() {
            self.refuse(Rule::Invalid, "groups would be beneath each other in a cycle");
        }
        let (group, parent) = (group.to_owned(), parent.map(str::to_owned));
        self.changed.push(Change::SetGroup { group, parent });
    }

    /// Refuses to add more of something than a document may have.
    fn check_counts(&mut self) {
        let (new, limits) = (&self.new, self.old.limits);
        for (what, count, most) in [
            ("users", new.users.len(), limits.users),
            ("profiles", new.sources.count(SourceKind::Profile), limits.sources),
            ("roles", new.sources.count(SourceKind::Role), limits.sources),
            ("approval groups", new.sources.count(SourceKind::ApprovalGroup), limits.sources),
            ("groups", new.groups.parents.len(), limits.groups),
        ] {
            if count > most {
                let message = format!("too many {what}: the limit is {most}");
                self.refusals.push(Refusal { rule: Rule::Invalid, message });
            }
        }
    }

    /// Refuses what a document can't name a source, a user or a group.
    pub(super) fn check_text(&mut self, name: &str) {
        if name.is_empty() {
            self.refuse(Rule::Invalid, "a name can't be empty");
        } else if !is_free_name(name) {
            self.refuse(Rule::Invalid, format!("`{name}` has control characters"));
        }
        self.check_length(name);
    }

    /// Refuses a name longer than a document may have.
    fn check_length(&mut self, name: &str) {
        let limit = self.old.limits.name;
        if name.len() > limit {
            self.refuse(Rule::Invalid, format!("a name is too long: the limit is {limit} bytes"));
        }
    }

    /// Refuses a text that is not a name, or too long for one.
    fn check_name(&mut self, name: &str) {
        if !is_name(name) {
            self.refuse(Rule::Invalid, format!("`{name}` is not a name"));
        }
        self.check_length(name);
    }

    fn set_licence(&mut self, licence: &document::Licence) {
        self.require(ChangeKind::SetLicence);
        self.effects.touched = Touched::Everybody;
        licence.features.iter().for_each(|feature| self.check_name(feature));
        if let Some(edition) = &licence.edition {
            self.resolve(|it, place| it.edition(edition, place));
        }
        if self.old.licence.stated() != licence {
            self.new.licence = Arc::new(Licence::new(licence.clone(), &self.new.catalogue));
            self.changed.push(Change::SetLicence(licence.clone()));
        }
    }
}

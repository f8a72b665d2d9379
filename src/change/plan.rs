//! A change as planned: the next version of the policy, and the facts that decide if the
//! change may be made. Who asks for it makes no difference here.
//!
//! The next version shares all else with the one before. Every refusal is noted on the
//! way, and so is what an actor needs; the [guards](super::guard) judge the plan.

use std::sync::Arc;

use super::{Change, ChangedAssignment, Moved, Note, Refusal, Rule};
use crate::date::Moment;
use crate::document;
use crate::ids::{GroupId, IdVec, Number, SourceId, UserSlot};
use crate::names::{is_free_name, is_name};
use crate::policy::{
    ByKind, ChangeKind, Class, Groups, Inner, Licence, Resolver, Seat, SourceKind, SourceName,
    Statements,
};
use crate::problem::{Faults, Place, ProblemKind};

/// A planned change.
pub(crate) struct Plan<'p> {
    pub(super) old: &'p Inner,
    pub(super) new: Inner,
    pub(super) standing: Standing,
    pub(super) requirements: Requirements,
    pub(super) effects: Effects,
    pub(super) refusals: Vec<Refusal>,
    pub(super) changed: Vec<Change>,
    pub(super) moved: Vec<Moved>,
    pub(super) assignments: Vec<ChangedAssignment>,
    pub(super) notes: Vec<Note>,
    /// The seat of a user whom it adds.
    pub(super) seat: Option<Seat>,
}

/// The standing of the asker, as far as the result of a change depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The host, or an admin.
    Trusted,
    /// Any other user.
    Ordinary,
}

/// Something that a change creates, edits or gives, to be compared for itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Given {
    /// A source, new or with other contents.
    Source(SourceId),
    /// A source that a user gets.
    To(UserSlot, SourceId),
    /// A user's own statements.
    Own(UserSlot),
    /// An assignment, by its name.
    Assignment(UserSlot, Box<str>),
}

/// The permissions of governance that spare an actor comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sparing {
    Escalate,
    Bind,
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
    /// The roles of every `assignable_by` that the change states.
    pub(super) stated: Vec<Box<[SourceId]>>,
    /// The refusal for all but admins.
    pub(super) admins_only: Option<String>,
    /// The same under `no_escalation`.
    pub(super) escalates: Option<&'static str>,
    /// The permissions that spare the comparisons of `no_escalation`.
    pub(super) spared_by: Option<Sparing>,
    /// The users whom the change concerns, those whom it adds aside.
    pub(super) concerned: Vec<UserSlot>,
    /// The effect on them, whatever they may do before and after.
    pub(super) acts: Acts,
    /// The name and groups of a user whom it adds, or who gets other groups.
    pub(super) settled: Option<(String, Vec<String>)>,
    /// The end of assignments that expire.
    pub(super) before: Option<Moment>,
    /// A user whom the change concerns is not known.
    pub(super) concerns_unknown: bool,
    /// Groups that the change names.
    pub(super) groups: Vec<String>,
}

/// The effect of a change on a user whom it concerns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Acts {
    /// The effect that follows from what the user may do then.
    #[default]
    Otherwise,
    Renames,
    /// Suspends, restores or removes the user.
    Displaces,
}

/// The users for whom a change may make a difference, and what it hands out.
#[derive(Default)]
pub(super) struct Effects {
    pub(super) touched: Touched,
    pub(super) given: Vec<Given>,
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
    pub(crate) fn new(old: &'p Inner, change: &Change, standing: Standing) -> Plan<'p> {
        let mut plan = Plan {
            old,
            standing,
            new: old.clone(),
            requirements: Requirements::default(),
            effects: Effects::default(),
            refusals: Vec::new(),
            changed: Vec::new(),
            moved: Vec::new(),
            assignments: Vec::new(),
            notes: Vec::new(),
            seat: None,
        };
        plan.carry_out(change);
        plan.check_counts();
        plan
    }

    /// The rights that it takes.
    pub(crate) fn requirements(&self) -> &Requirements {
        &self.requirements
    }

    /// Gives back what it took for a version that does not come to be.
    pub(super) fn give_back(&self) {
        self.seat.into_iter().for_each(|seat| self.old.lineage.give_back(seat));
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
            self.requirements.concerns_unknown = true;
            self.refuse(Rule::Unknown, format!("unknown user `{name}`"));
        }
        found
    }

    /// A user whom the change concerns. Only an admin may do something to an admin.
    pub(super) fn concerned(&mut self, name: &str, verb: &str) -> Option<UserSlot> {
        let slot = self.known_user(name)?;
        self.concern(slot, verb);
        Some(slot)
    }

    /// Notes that the change concerns a user.
    pub(super) fn concern(&mut self, slot: UserSlot, verb: &str) {
        self.requirements.concerned.push(slot);
        self.touches_admin(slot, verb);
    }

    /// Notes that an actor must satisfy the `assignable_by` of a source, which is assigned
    /// or revoked, and of those that it includes.
    pub(super) fn require_assignable(&mut self, id: SourceId) {
        let sources = self.old.sources.closure(&[id]).into_iter();
        let is_guarded = |id: &SourceId| self.old.sources[*id].assignable_by.is_some();
        self.requirements.assigned.extend(sources.filter(is_guarded));
    }

    /// Notes that an actor must satisfy the `assignable_by` of a source itself.
    pub(super) fn require_own_guard(&mut self, id: SourceId) {
        if self.old.sources[id].assignable_by.is_some() {
            self.requirements.assigned.push(id);
        }
    }

    /// Notes something to be compared for itself.
    pub(super) fn hand_out(&mut self, given: Given) {
        self.effects.given.push(given);
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
        id.into_iter().for_each(|id| self.require_own_guard(id));
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
            // Nobody may walk up in a cycle.
            self.new.groups = Arc::clone(&self.old.groups);
            let message = "groups would be beneath each other in a cycle";
            return self.refuse(Rule::Invalid, message);
        }
        self.touch_groups(group);
        let (group, parent) = (group.to_owned(), parent.map(str::to_owned));
        self.changed.push(Change::SetGroup { group, parent });
    }

    /// Notes the users who come to be in a group, or cease to be, with another parent for it;
    /// and those whose assignments look at groups.
    fn touch_groups(&mut self, group: &str) {
        let (old, new) = (self.old, &self.new);
        let Some(at) = new.groups.parents.get_index_of(group) else { return };
        if !old.governance.no_escalation() {
            return;
        }
        let group = GroupId::new(at);
        let mut lists = IdVec::filled(new.users.group_slots(), false);
        for (id, list) in new.users.group_lists() {
            lists[id] = old.groups.reaches(group, list) != new.groups.reaches(group, list);
        }
        let mut slots: Vec<UserSlot> = new.users.of_group_lists(&lists).collect();
        slots.extend(new.users.assigned_any(|it| it.terms.look_at_groups()));
        self.effects.touched = Touched::Users(slots);
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
        self.requirements.escalates = Some("only an admin may change the licence");
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

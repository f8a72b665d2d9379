//! Section 5 as a program: what a change makes of a document, or the rule that
//! refuses it. For reading rather than for speed, as the oracle is.
//!
//! It sees nothing of the crate but the document, changes as data and, for what
//! users hold, the oracle. A change is carried out on a copy of the document; every
//! rule that it breaks is noted on the way, and so is what an actor needs for it.
//! Only if no rule has refused by then is the result examined for what it lets
//! users do.
//!
//! The document is assumed to be a valid policy.

mod actor;
mod fit;
mod import;
mod invariant;
mod reach;
mod source;
mod statement;

use grantree::Document;
use grantree::SourceName;
use grantree::change::{Change, Note, OnHeld, Op, Rule, Set};
use grantree::document::{Group, Licence, NewUser, Role, Source, Statements};

use super::oracle::Catalogue;
use fit::{is_free_name, is_name};
pub use invariant::{has_active_admin, held_of};
pub use reach::{effective_scopes, features, level, seen};
pub use source::{find, holders, of_same_kind, rename, rename_everywhere, sources};
use source::{find_mut, guard, has, is_in_ring, kind_of, name_of, with_included};

/// "Where several refuse, the first in this order."
pub const ORDER: [Rule; 11] = [
    Rule::Invalid,
    Rule::NotPermitted,
    Rule::Unknown,
    Rule::Exists,
    Rule::Protected,
    Rule::Unique,
    Rule::InUse,
    Rule::Conflict,
    Rule::LastAdmin,
    Rule::Separation,
    Rule::Escalation,
];

/// What a change makes of a document.
pub struct Outcome {
    /// The document after it.
    pub document: Document,
    /// What it left undone, in any order.
    pub notes: Vec<String>,
}

/// Writes a note as the model has it: of what is left out, the place and whether it
/// restricts; of any other, all.
pub fn note(note: &Note) -> String {
    match note {
        Note::LeftOut(it) => left_out(it.problem.place(), it.restriction),
        _ => json(note),
    }
}

fn left_out(place: &str, restriction: bool) -> String {
    format!("left out: {place} {restriction}")
}

fn json(note: &Note) -> String {
    serde_json::to_string(note).expect("JSON")
}

/// Makes a change, on behalf of the actor or for the host.
pub fn apply(document: &Document, actor: Option<&str>, change: &Change) -> Result<Outcome, Rule> {
    let mut attempt = Attempt {
        old: document,
        new: document.clone(),
        catalogue: Catalogue::new(document),
        refusals: Vec::new(),
        kinds: Vec::new(),
        moved: Vec::new(),
        to_assign: Vec::new(),
        is_for_admins: false,
        groups_named: Vec::new(),
        is_trusted: false,
        guarded: Vec::new(),
        stated: Vec::new(),
        concerned: Vec::new(),
        displaces: false,
        given: Vec::new(),
        escalates: false,
        newcomer: None,
        renamed: None,
        notes: Vec::new(),
    };
    attempt.is_trusted =
        actor.is_none_or(|actor| document.users.get(actor).is_some_and(|user| user.admin));
    attempt.carry_out(change);
    if let Some(actor) = actor {
        attempt.permit(actor);
    }
    if attempt.refusals.is_empty() {
        attempt.keep_last_admin();
        attempt.keep_separation();
    }
    if let (Some(actor), true) = (actor, attempt.refusals.is_empty()) {
        attempt.keep_from_escalation(actor);
    }
    match ORDER.into_iter().find(|rule| attempt.refusals.contains(rule)) {
        Some(rule) => Err(rule),
        None => Ok(Outcome { document: attempt.new, notes: attempt.notes }),
    }
}

/// "Each source … that the change creates, edits, imports or replaces, …, and each source …
/// or set of own statements that it gives or edits for a user."
enum Given {
    Source(SourceName),
    To(String, SourceName),
    Own(String),
}

/// A change in progress.
struct Attempt<'a> {
    old: &'a Document,
    new: Document,
    catalogue: Catalogue<'a>,
    refusals: Vec<Rule>,
    /// The kinds of change that governance must allow the actor.
    kinds: Vec<String>,
    /// What is "given, taken away, replaced or transferred".
    moved: Vec<SourceName>,
    /// What "needs the right to assign it".
    to_assign: Vec<SourceName>,
    /// Whether "only an admin" does this.
    is_for_admins: bool,
    /// The groups that `set_groups`, `add_user` or `set_group` names.
    groups_named: Vec<String>,
    /// Whether the host or an admin asks.
    is_trusted: bool,
    /// What is "edited, renamed, deleted, or made the default profile".
    guarded: Vec<SourceName>,
    /// Each `assignable_by` that is stated.
    stated: Vec<Vec<String>>,
    /// The users whom the change concerns.
    concerned: Vec<String>,
    /// Whether it suspends, restores or removes one.
    displaces: bool,
    /// What is compared for itself.
    given: Vec<Given>,
    /// Whether "only an admin" does this under `no_escalation`.
    escalates: bool,
    /// "A new user had nothing": the name after the change.
    newcomer: Option<String>,
    /// The former and the new name of a user.
    renamed: Option<(String, String)>,
    notes: Vec<String>,
}

impl Attempt<'_> {
    fn refuse(&mut self, rule: Rule) {
        self.refusals.push(rule);
    }

    fn refuse_if(&mut self, refused: bool, rule: Rule) {
        if refused {
            self.refuse(rule);
        }
    }

    /// Whether a user is known.
    fn knows_user(&mut self, user: &str) -> bool {
        let known = self.old.users.get(user).is_some();
        self.refuse_if(!known, Rule::Unknown);
        known
    }

    /// Whether a profile, role or approval group is known.
    fn knows(&mut self, source: &SourceName) -> bool {
        let known = find(self.old, source).is_some();
        self.refuse_if(!known, Rule::Unknown);
        known
    }

    fn knows_role(&mut self, role: &str) -> bool {
        self.knows(&SourceName::Role(role.to_owned()))
    }

    /// Whether a source is one that users have; with any other, the change is invalid.
    fn can_be_held(&mut self, source: &SourceName) -> bool {
        let held = kind_of(source).is_some();
        self.refuse_if(!held, Rule::Invalid);
        held
    }

    /// "`create_`, `rename_`, `edit_`, `delete_`, `assign_`, `revoke_` with
    /// `profile`, `role`, `approval_group`."
    fn need(&mut self, verb: &str, source: &SourceName) {
        self.kinds.extend(kind_of(source).map(|kind| format!("{verb}_{kind}")));
    }

    /// "A source with `assignable_by` is given, taken away, replaced or
    /// transferred only by …. Giving a role gives what it includes."
    fn moves(&mut self, source: &SourceName) {
        self.moved.extend(with_included(self.old, source));
    }

    /// "Only an admin makes, unmakes, edits, renames, suspends, restores, removes or regroups
    /// an admin, and gives to one or takes from one."
    fn is_done_to(&mut self, user: &str) {
        self.concerned.push(user.to_owned());
        self.is_for_admins |= self.old.users.get(user).is_some_and(|user| user.admin);
    }

    /// "What is `protected` is never edited, renamed, deleted or replaced."
    fn must_be_unprotected(&mut self, source: &SourceName) {
        let protected = find(self.old, source).is_some_and(|source| source.protected);
        self.refuse_if(protected, Rule::Protected);
    }

    /// The holders of a unique role; of anything else, none.
    fn unique_holders(&self, source: &SourceName) -> Vec<String> {
        match source {
            SourceName::Role(role) if self.is_unique(role) => holders(self.old, source),
            _ => Vec::new(),
        }
    }

    fn is_unique(&self, role: &str) -> bool {
        self.old.roles.get(role).is_some_and(|role| role.unique)
    }

    fn carry_out(&mut self, change: &Change) {
        match change {
            Change::Create { source, from } => self.create(source, from.as_ref()),
            Change::Rename { source: SourceName::User(name), to } => self.rename_user(name, to),
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
            Change::SetAssignment { .. } | Change::Expire { .. } => {
                panic!("the model has no assignments: {change:?}")
            }
        }
    }

    /// "A new profile, role or approval group, empty or cloned."
    fn create(&mut self, source: &SourceName, from: Option<&SourceName>) {
        if !self.can_be_held(source) {
            return;
        }
        self.need("create", source);
        self.refuse_if(!is_free_name(name_of(source)), Rule::Invalid);
        self.refuse_if(find(self.old, source).is_some(), Rule::Exists);
        let mut body = Role::default();
        if let Some(from) = from {
            if kind_of(from) != kind_of(source) {
                return self.refuse(Rule::Invalid);
            }
            if !self.knows(from) {
                return;
            }
            body = self.clone_of(from);
        }
        self.stated.extend(body.source.assignable_by.clone());
        source::put(&mut self.new, source, body);
        self.given.push(Given::Source(source.clone()));
    }

    /// "A clone keeps statements, `includes` and `assignable_by`; it is never
    /// protected, unique or a template."
    fn clone_of(&mut self, from: &SourceName) -> Role {
        let origin = find(self.old, from).expect("a known source");
        let source = Source {
            statements: origin.statements.clone(),
            assignable_by: origin.assignable_by.clone(),
            ..Source::default()
        };
        let includes = match from {
            SourceName::Role(role) => self.old.roles.get(role).expect("known").includes.clone(),
            _ => Vec::new(),
        };
        // "Including a guarded role … needs the right to assign it."
        for role in &includes {
            self.to_assign.extend(with_included(self.old, &SourceName::Role(role.clone())));
        }
        Role { source, includes, ..Role::default() }
    }

    fn rename_user(&mut self, name: &str, to: &str) {
        self.kinds.push("rename_user".to_owned());
        self.refuse_if(!is_free_name(to), Rule::Invalid);
        if !self.knows_user(name) {
            return;
        }
        self.is_done_to(name);
        self.refuse_if(self.old.users.get(to).is_some(), Rule::Exists);
        rename(&mut self.new.users, name, to);
        self.escalates = true;
        self.renamed = Some((name.to_owned(), to.to_owned()));
    }

    fn rename(&mut self, source: &SourceName, to: &str) {
        if !self.can_be_held(source) {
            return;
        }
        self.need("rename", source);
        self.refuse_if(!is_free_name(to), Rule::Invalid);
        if !self.knows(source) {
            return;
        }
        self.refuse_if(find(self.old, &of_same_kind(source, to)).is_some(), Rule::Exists);
        self.must_be_unprotected(source);
        self.guarded.push(source.clone());
        rename_everywhere(&mut self.new, source, to);
    }

    fn edit(&mut self, source: &SourceName, ops: &[Op], cascade: bool) {
        match source {
            SourceName::Global => self.kinds.push("edit_global".to_owned()),
            SourceName::User(name) => {
                self.kinds.push("edit_user".to_owned());
                self.is_done_to(name);
            }
            source => {
                self.need("edit", source);
                self.must_be_unprotected(source);
                self.guarded.push(source.clone());
            }
        }
        self.given.push(match source {
            SourceName::User(name) => Given::Own(name.clone()),
            source => Given::Source(source.clone()),
        });
        let known = source::statements_mut(&mut self.new, source).cloned();
        self.refuse_if(known.is_none(), Rule::Unknown);
        // Even if the source is unknown, the ops are judged.
        let mut statements = known.unwrap_or_default();
        for op in ops {
            match op {
                Op::Set(set) => self.set(source, set),
                op => self.op(&mut statements, op, cascade),
            }
        }
        if let Some(known) = source::statements_mut(&mut self.new, source) {
            *known = statements;
        }
    }

    /// "`{"set": {…}}` for `label`, `description`, `template`, `includes`,
    /// `assignable_by` (null removes)", each of what has it.
    fn set(&mut self, source: &SourceName, set: &Set) {
        let Set { label, description, template, includes, assignable_by } = set;
        let is_bundle = kind_of(source).is_some();
        let is_role = matches!(source, SourceName::Role(_));
        self.refuse_if(*source == SourceName::Global && *set != Set::default(), Rule::Invalid);
        self.refuse_if(
            !is_bundle && (template.is_some() || assignable_by.is_some()),
            Rule::Invalid,
        );
        self.refuse_if(!is_role && includes.is_some(), Rule::Invalid);
        if let SourceName::User(name) = source {
            if let Some(user) = self.new.users.get_mut(name) {
                user.label = label.clone().unwrap_or(user.label.take());
                user.description = description.clone().unwrap_or(user.description.take());
            }
            return;
        }
        if let Some(names) = assignable_by {
            self.set_guard(source, names.as_deref());
        }
        if let (Some(names), SourceName::Role(role)) = (includes, source) {
            self.set_includes(role, names.as_deref().unwrap_or_default());
        }
        if let Some(body) = find_mut(&mut self.new, source) {
            body.label = label.clone().unwrap_or(body.label.take());
            body.description = description.clone().unwrap_or(body.description.take());
            body.template = template.map_or(body.template, |template| template == Some(true));
        }
    }

    /// "… or changing its `assignable_by` needs the right to assign it."
    fn set_guard(&mut self, source: &SourceName, names: Option<&[String]>) {
        for name in names.unwrap_or_default() {
            self.knows_role(name);
        }
        self.stated.extend(names.map(<[String]>::to_vec));
        if guard(self.old, source).is_some() {
            self.to_assign.push(source.clone());
        }
        if let Some(body) = find_mut(&mut self.new, source) {
            body.assignable_by = names.map(<[String]>::to_vec);
        }
    }

    /// "Setting `includes` … needs the right to assign each guarded one among them", what
    /// the role already brings along, too.
    fn set_includes(&mut self, role: &str, names: &[String]) {
        let mut known = Vec::new();
        for name in names {
            if self.knows_role(name) {
                self.refuse_if(self.is_unique(name), Rule::Invalid);
                let brought = with_included(self.old, &SourceName::Role(name.clone()));
                self.to_assign.extend(brought);
                known.push(name.clone());
            }
        }
        if let Some(role) = self.new.roles.get_mut(role) {
            role.includes = known;
        }
        self.must_have_no_ring_of_roles();
    }

    fn must_have_no_ring_of_roles(&mut self) {
        let includes = |name: &str| {
            self.new.roles.get(name).map_or_else(Vec::new, |role| role.includes.clone())
        };
        let ring = self.new.roles.iter().any(|(name, _)| is_in_ring(name, includes));
        self.refuse_if(ring, Rule::Invalid);
    }

    fn delete(&mut self, source: &SourceName, holders: &OnHeld) {
        if !self.can_be_held(source) {
            return;
        }
        self.need("delete", source);
        let instead = match holders {
            OnHeld::Reassign(other) => Some(of_same_kind(source, other)),
            OnHeld::Refuse | OnHeld::Unassign => None,
        };
        // OnHeld would get what is deleted.
        self.refuse_if(instead.as_ref() == Some(source), Rule::Invalid);
        if let Some(instead) = &instead {
            self.knows(instead);
        }
        if !self.knows(source) {
            return;
        }
        self.must_be_unprotected(source);
        self.guarded.push(source.clone());
        // "Once held, is only transferred (not … the role deleted)."
        self.refuse_if(!self.unique_holders(source).is_empty(), Rule::Unique);
        self.refuse_if(self.is_named_elsewhere(source), Rule::InUse);
        let held_by = source::holders(self.old, source);
        if !held_by.is_empty() {
            self.take_from_holders(source, &held_by, holders, instead.as_ref());
        }
        source::remove(&mut self.new, source);
    }

    /// "`holders`, where users have it"; "`delete` with holders [needs] what
    /// revoking and assigning need".
    fn take_from_holders(
        &mut self,
        source: &SourceName,
        held_by: &[String],
        holders: &OnHeld,
        instead: Option<&SourceName>,
    ) {
        if *holders == OnHeld::Refuse {
            return self.refuse(Rule::InUse);
        }
        self.need("revoke", source);
        self.moves(source);
        if let Some(instead) = instead {
            self.need("assign", instead);
            self.moves(instead);
            if matches!(instead, SourceName::Role(role) if self.is_unique(role)) {
                let mut all = source::holders(self.old, instead);
                all.extend(
                    held_by.iter().filter(|user| !all.contains(user)).cloned().collect::<Vec<_>>(),
                );
                self.refuse_if(all.len() > 1, Rule::Unique);
            }
        }
        for user in held_by {
            self.is_done_to(user);
            source::take(&mut self.new, user, source, instead);
            self.given.extend(instead.map(|it| Given::To(user.clone(), it.clone())));
        }
    }

    /// "What other sources or `default_profile` name is not deleted."
    fn is_named_elsewhere(&self, source: &SourceName) -> bool {
        let role = match source {
            SourceName::Profile(name) => return self.old.default_profile.as_ref() == Some(name),
            SourceName::Role(role) => role,
            _ => return false,
        };
        let guards = |other: &Source| other.assignable_by.iter().flatten().any(|name| name == role);
        let names = |other: &Role| {
            guards(&other.source)
                || other.includes.contains(role)
                || other.demoted_to.as_ref() == Some(role)
        };
        self.old.roles.iter().any(|(name, other)| name != role && names(other))
            || self.old.profiles.iter().any(|(_, other)| guards(other))
            || self.old.approval_groups.iter().any(|(_, other)| guards(other))
    }

    /// "Without `profile`: `default_profile`; `null`: none."
    fn add_user(&mut self, added: &NewUser) {
        let NewUser { user: name, profile, rest } = added;
        self.kinds.push("add_user".to_owned());
        self.refuse_if(!is_free_name(name), Rule::Invalid);
        self.refuse_if(self.old.users.get(name).is_some(), Rule::Exists);
        let mut user = rest.clone();
        user.profile = profile.clone().unwrap_or(self.old.default_profile.clone());
        // "`add_user` with sources, statements or groups [needs] what assigning,
        // editing and `set_groups` need." The default profile is none of them, but
        // it is given: a guard on it holds.
        let given = user.profile.iter().cloned().map(SourceName::Profile);
        let roles = user.roles.iter().cloned().map(SourceName::Role);
        let groups = user.approval_groups.iter().cloned().map(SourceName::ApprovalGroup);
        self.given.push(Given::Own(name.clone()));
        for source in given.chain(roles).chain(groups) {
            self.given.push(Given::To(name.clone(), source.clone()));
            if !matches!(source, SourceName::Profile(_)) || profile.is_some() {
                self.need("assign", &source);
            }
            if self.knows(&source) {
                self.moves(&source);
                self.refuse_if(!self.unique_holders(&source).is_empty(), Rule::Unique);
            }
        }
        if user.statements != Statements::default() {
            self.kinds.push("edit_user".to_owned());
            self.must_fit(&user.statements);
        }
        if !user.groups.is_empty() {
            self.kinds.push("set_groups".to_owned());
            self.groups_named.clone_from(&user.groups);
            self.refuse_if(!user.groups.iter().all(|group| is_free_name(group)), Rule::Invalid);
        }
        if user.suspended {
            self.kinds.push("set_suspended".to_owned());
        }
        if user.admin {
            self.kinds.push("set_admin".to_owned());
            self.is_for_admins = true;
        }
        self.new.users.push(name.clone(), user);
        self.newcomer = Some(name.clone());
    }

    fn remove_user(&mut self, name: &str) {
        self.kinds.push("remove_user".to_owned());
        if !self.knows_user(name) {
            return;
        }
        self.is_done_to(name);
        self.displaces = true;
        for source in source::held_by(self.old, name) {
            // "Once held, is only transferred (not …, nor its holder removed)."
            self.refuse_if(!self.unique_holders(&source).is_empty(), Rule::Unique);
        }
        self.new.users.retain(|known, _| known != name);
    }

    fn assign(&mut self, user: &str, source: &SourceName) {
        if !self.can_be_held(source) {
            return;
        }
        self.need("assign", source);
        self.moves(source);
        self.is_done_to(user);
        let known = [self.knows_user(user), self.knows(source)];
        // "Giving what is held … changes nothing and is no error."
        if known.contains(&false) || has(&self.old.users, user, source) {
            return;
        }
        self.refuse_if(!self.unique_holders(source).is_empty(), Rule::Unique);
        // "A profile takes the place of the one before."
        let former = self.old.users.get(user).and_then(|user| user.profile.clone());
        if let (SourceName::Profile(_), Some(former)) = (source, former) {
            self.moves(&SourceName::Profile(former));
        }
        source::give(&mut self.new, user, source);
        self.given.push(Given::To(user.to_owned(), source.clone()));
    }

    fn revoke(&mut self, user: &str, source: &SourceName) {
        if !self.can_be_held(source) {
            return;
        }
        self.need("revoke", source);
        self.moves(source);
        self.is_done_to(user);
        let known = [self.knows_user(user), self.knows(source)];
        if known.contains(&false) || !has(&self.old.users, user, source) {
            return;
        }
        self.refuse_if(!self.unique_holders(source).is_empty(), Rule::Unique);
        source::take(&mut self.new, user, source, None);
    }

    /// "Moves a unique role, or gives it where nobody holds it; who held it gets
    /// its `demoted_to`."
    fn transfer(&mut self, name: &str, to: &str) {
        self.kinds.push("transfer".to_owned());
        let role = SourceName::Role(name.to_owned());
        self.moves(&role);
        self.is_done_to(to);
        let known = [self.knows(&role), self.knows_user(to)];
        if known[0] && !self.is_unique(name) {
            return self.refuse(Rule::Unique);
        }
        if known.contains(&false) {
            return;
        }
        // "To a user who is not suspended (2)."
        let suspended = self.old.users.get(to).is_some_and(|user| user.suspended);
        self.refuse_if(suspended, Rule::Unique);
        let holder = self.unique_holders(&role).into_iter().next();
        if holder.as_deref() == Some(to) {
            return;
        }
        if let Some(holder) = holder {
            let lower = self.old.roles.get(name).and_then(|role| role.demoted_to.clone());
            let lower = lower.map(SourceName::Role);
            if let Some(lower) = &lower {
                self.moves(lower);
                let others = self.unique_holders(lower);
                self.refuse_if(others.iter().any(|other| *other != holder), Rule::Unique);
            }
            self.is_done_to(&holder);
            self.given.extend(lower.iter().map(|it| Given::To(holder.clone(), it.clone())));
            source::take(&mut self.new, &holder, &role, lower.as_ref());
        }
        source::give(&mut self.new, to, &role);
        self.given.push(Given::To(to.to_owned(), role));
    }

    fn set_default_profile(&mut self, profile: Option<&str>) {
        self.kinds.push("set_default_profile".to_owned());
        if let Some(profile) = profile {
            let profile = SourceName::Profile(profile.to_owned());
            self.knows(&profile);
            self.guarded.push(profile);
        }
        self.new.default_profile = profile.map(str::to_owned);
    }

    fn set_admin(&mut self, name: &str, admin: bool) {
        self.kinds.push("set_admin".to_owned());
        self.is_for_admins |= admin;
        self.is_done_to(name);
        if self.knows_user(name) {
            self.new.users.get_mut(name).expect("a known user").admin = admin;
        }
    }

    fn set_suspended(&mut self, name: &str, suspended: bool) {
        self.kinds.push("set_suspended".to_owned());
        self.is_done_to(name);
        self.displaces = true;
        if self.knows_user(name) {
            self.new.users.get_mut(name).expect("a known user").suspended = suspended;
        }
    }

    fn set_groups(&mut self, name: &str, groups: &[String]) {
        self.kinds.push("set_groups".to_owned());
        self.is_done_to(name);
        self.groups_named = groups.to_vec();
        self.refuse_if(!groups.iter().all(|group| is_free_name(group)), Rule::Invalid);
        if self.knows_user(name) {
            self.new.users.get_mut(name).expect("a known user").groups = groups.to_vec();
        }
    }

    /// The group is declared if it was not; the one above it need not be.
    fn set_group(&mut self, group: &str, parent: Option<&str>) {
        self.kinds.push("set_group".to_owned());
        self.groups_named = [group].into_iter().chain(parent).map(str::to_owned).collect();
        if ![group].into_iter().chain(parent).all(is_free_name) {
            return self.refuse(Rule::Invalid);
        }
        if self.new.groups.get(group).is_none() {
            self.new.groups.push(group, Group::default());
        }
        self.new.groups.get_mut(group).expect("declared").parent = parent.map(str::to_owned);
        let above = |name: &str| self.new.groups.get(name).and_then(|group| group.parent.clone());
        let ring = is_in_ring(group, |name| above(name).into_iter().collect());
        self.refuse_if(ring, Rule::Invalid);
    }

    fn set_licence(&mut self, licence: &Licence) {
        self.kinds.push("set_licence".to_owned());
        self.escalates = true;
        self.refuse_if(!licence.features.iter().all(|name| is_name(name)), Rule::Invalid);
        let editions = &self.old.catalogue.editions;
        match &licence.edition {
            Some(edition) if editions.get(edition).is_none() => self.refuse(Rule::Unknown),
            _ => self.new.licence = licence.clone(),
        }
    }
}

//! One change on its way: what it does, and every rule that it meets.
//!
//! A change is carried out on a version of the policy in the making, which
//! shares all else with the one before. On the way every refusal is noted, and
//! what an actor would need; the first refusal in the order of the rules speaks,
//! and then nothing has happened.

use std::collections::HashSet;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::import::repeats;
use super::statement::{Misfit, Word, is_name, push, retain};
use super::{Applied, By, Change, Holders, Moved, Note, Op, Refusal, Rule, Set, cascade, guard};
use crate::document::{self, Licence, NewUser};
use crate::graph;
use crate::names::number;
use crate::policy::{
    Class, ClassId, Inner, Policy, Role, Source, SourceId, SourceName, Statements, Texts,
};

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

/// Whose permissions a change can make otherwise.
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
    /// Sources that are given or taken.
    pub(super) guarded: Vec<SourceId>,
    /// Sources that the actor needs the right to assign, where they are
    /// guarded.
    pub(super) rights: Vec<SourceId>,
    /// What only an admin does.
    pub(super) admins_only: Option<String>,
    pub(super) groups_named: Vec<String>,
    pub(super) touched: Touched,
    /// A user who is new or renamed.
    pub(super) fresh: Option<u32>,
    /// Whether an active admin is one no more.
    pub(super) loses_admin: bool,
    pub(super) changed: Vec<Change>,
    moved: Vec<Moved>,
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

    pub(super) fn source_name(&self, kind: Kind, id: u32) -> SourceName {
        kind.name(match kind {
            Kind::Profile => self.profiles.name(id).to_owned(),
            Kind::Role => self.roles.name(id).to_owned(),
            Kind::ApprovalGroup => self.approval_groups.name(id).to_owned(),
        })
    }

    /// Changes a profile, role or approval group.
    fn change_source(&mut self, kind: Kind, id: u32, change: impl FnOnce(&mut Source)) {
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

    fn change_user(&mut self, slot: u32, change: impl FnOnce(&mut Class)) {
        let mut user = self.users[slot].clone();
        change(&mut user);
        if user.statements.as_deref().is_some_and(Statements::is_empty) {
            user.statements = None;
        }
        self.users.set_class(slot, &user);
    }

    /// Orders the roles anew; `false` where they include each other in a ring.
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

    fn has(user: &Class, kind: Kind, id: u32) -> bool {
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

    /// The holders of a unique role; of any other, none.
    pub(super) fn unique_holders(&self, role: u32) -> Vec<u32> {
        match self.roles[role].unique {
            true => self.holders(Kind::Role, role),
            false => Vec::new(),
        }
    }

    /// A source and, of a role, all that it includes.
    fn with_included(&self, kind: Kind, id: u32) -> Vec<SourceId> {
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

    fn misfit(&mut self, (rule, message): Misfit) {
        self.refuse(rule, message);
    }

    /// Notes that an actor needs a kind of change: `assign_role`, say.
    fn need(&mut self, verb: &str, kind: Kind) {
        self.kinds.push(format!("{verb}_{}", kind.word()));
    }

    fn known_source(&mut self, kind: Kind, name: &str) -> Option<u32> {
        let found = self.old.find_source(kind, name);
        if found.is_none() {
            self.refuse(Rule::Unknown, format!("unknown {}", kind.name(name.to_owned())));
        }
        found
    }

    fn known_user(&mut self, name: &str) -> Option<u32> {
        let found = self.old.users.find(name);
        if found.is_none() {
            self.refuse(Rule::Unknown, format!("unknown user `{name}`"));
        }
        found
    }

    /// Notes what giving or taking a source asks of an actor: of a role, what it
    /// includes too.
    fn moves(&mut self, kind: Kind, id: u32) {
        self.guarded.extend(self.old.with_included(kind, id));
    }

    /// Notes what only admins do to admins.
    fn touches_admin(&mut self, slot: u32, verb: &str) {
        if self.old.users[slot].admin {
            let name = self.old.users.name(slot);
            self.admins_only = Some(format!("only an admin {verb} the admin `{name}`"));
        }
    }

    fn unprotected(&mut self, kind: Kind, id: u32, verb: &str) {
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

    fn touch(&mut self, slot: u32) {
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

    fn create(&mut self, source: &SourceName, from: Option<&SourceName>) {
        let Some((kind, name)) = kind_of(source) else {
            return self.refuse(Rule::Invalid, format!("{source} can't be created"));
        };
        if !is_name(name) {
            self.refuse(Rule::Invalid, format!("`{name}` is not a name"));
        }
        self.need("create", kind);
        if self.old.find_source(kind, name).is_some() {
            self.refuse(Rule::Exists, format!("{source} exists"));
        }
        let mut body = Source::default();
        let mut includes = Box::default();
        if let Some(from) = from {
            let origin = match kind_of(from) {
                Some((of, name)) if of == kind => self.known_source(kind, name),
                _ => {
                    return self
                        .refuse(Rule::Invalid, format!("{source} can't be made from {from}"));
                }
            };
            let Some(origin) = origin else { return };
            if let Some(origin) = self.old.source_at(kind.id(origin)) {
                body.statements = origin.statements.clone();
                body.assignable_by = origin.assignable_by.clone();
            }
            if kind == Kind::Role {
                includes = self.old.roles[origin].includes.clone();
                let brought = self.old.closure(&includes);
                self.rights.extend(brought.into_iter().map(SourceId::Role));
            }
        }
        if self.refusals.is_empty() {
            self.insert_source(kind, name, Role { source: body, includes, ..Role::default() });
            self.changed.push(Change::Create { source: source.clone(), from: from.cloned() });
        }
    }

    /// Adds a source; of what is no role, only the source counts.
    pub(super) fn insert_source(&mut self, kind: Kind, name: &str, role: Role) -> u32 {
        match kind {
            Kind::Profile => self.new.profiles.insert(name, role.source),
            Kind::ApprovalGroup => self.new.approval_groups.insert(name, role.source),
            Kind::Role => {
                let id = self.new.roles.insert(name, role);
                self.new.order_roles();
                id
            }
        }
    }

    fn rename(&mut self, source: &SourceName, to: &str) {
        let change = Change::Rename { source: source.clone(), to: to.to_owned() };
        if let SourceName::User(name) = source {
            if to.is_empty() {
                self.refuse(Rule::Invalid, "a user's name can't be empty");
            }
            self.kinds.push("rename_user".to_owned());
            let Some(slot) = self.known_user(name) else { return };
            self.touches_admin(slot, "renames");
            if self.old.users.find(to).is_some() {
                return self.refuse(Rule::Exists, format!("user `{to}` exists"));
            }
            if self.refusals.is_empty() {
                self.new.users.rename(slot, to);
                self.fresh = Some(slot);
                self.touch(slot);
                self.changed.push(change);
            }
            return;
        }
        let Some((kind, name)) = kind_of(source) else {
            return self.refuse(Rule::Invalid, format!("{source} can't be renamed"));
        };
        if !is_name(to) {
            self.refuse(Rule::Invalid, format!("`{to}` is not a name"));
        }
        self.need("rename", kind);
        let Some(id) = self.known_source(kind, name) else { return };
        if self.old.find_source(kind, to).is_some() {
            self.refuse(Rule::Exists, format!("{} exists", kind.name(to.to_owned())));
        }
        self.unprotected(kind, id, "renamed");
        if self.refusals.is_empty() {
            match kind {
                Kind::Profile => self.new.profiles.rename(id, to),
                Kind::Role => self.new.roles.rename(id, to),
                Kind::ApprovalGroup => self.new.approval_groups.rename(id, to),
            }
            self.changed.push(change);
        }
    }

    fn edit(&mut self, source: &SourceName, ops: &[Op], cascade: bool) {
        let mut made = Vec::new();
        match source {
            SourceName::Global => {
                self.kinds.push("edit_global".to_owned());
                self.touched = Touched::Everybody;
                let mut global = (*self.old.global).clone();
                for op in ops {
                    match op {
                        Op::Set(set) if *set != Set::default() => {
                            self.refuse(
                                Rule::Invalid,
                                "the global source has none of these fields",
                            );
                        }
                        _ => self.op(&mut global, op, cascade, &mut made),
                    }
                }
                self.new.global = Arc::new(global);
            }
            SourceName::User(name) => {
                self.kinds.push("edit_user".to_owned());
                let slot = self.known_user(name);
                let mut user = match slot {
                    Some(slot) => self.old.users[slot].clone(),
                    None => Class::default(),
                };
                let mut texts = slot.and_then(|slot| self.old.users.texts(slot)).cloned();
                if let Some(slot) = slot {
                    self.touches_admin(slot, "edits");
                    self.touch(slot);
                }
                let mut own = user.statements.take().map_or_else(Statements::default, |own| *own);
                for op in ops {
                    match op {
                        Op::Set(set) => {
                            self.set_user(texts.get_or_insert_default(), set, &mut made);
                        }
                        _ => self.op(&mut own, op, cascade, &mut made),
                    }
                }
                user.statements = Some(Box::new(own));
                if let Some(slot) = slot {
                    self.new.change_user(slot, |known| *known = user);
                    self.new.users.set_texts(slot, texts.unwrap_or_default());
                }
            }
            SourceName::Profile(_) | SourceName::Role(_) | SourceName::ApprovalGroup(_) => {
                let Some((kind, name)) = kind_of(source) else { return };
                self.need("edit", kind);
                self.touched = Touched::Everybody;
                let id = self.known_source(kind, name);
                if let Some(id) = id {
                    self.unprotected(kind, id, "edited");
                }
                let statements = id.and_then(|id| self.old.source_at(kind.id(id)));
                let mut statements =
                    statements.map_or_else(Statements::default, |known| known.statements.clone());
                for op in ops {
                    match op {
                        Op::Set(set) => self.set(kind, id, set, &mut made),
                        _ => self.op(&mut statements, op, cascade, &mut made),
                    }
                }
                if let Some(id) = id {
                    self.new.change_source(kind, id, |known| known.statements = statements);
                }
            }
        }
        if !made.is_empty() {
            let source = source.clone();
            self.changed.push(Change::Edit { source, ops: made, cascade: false });
        }
    }

    /// Does an op to a source's statements; `made` are the ops that made a
    /// difference, cascades included.
    pub(super) fn op(
        &mut self,
        statements: &mut Statements,
        op: &Op,
        cascade: bool,
        made: &mut Vec<Op>,
    ) {
        let catalogue = Arc::clone(&self.old.catalogue);
        let pattern = match op {
            Op::Allow(text) | Op::Deny(text) | Op::Forbid(text) | Op::Clear(text) => {
                self.old.pattern(text)
            }
            Op::Level { path, level } => self.old.level_pattern(path, level),
            Op::Bound { attribute, bound } => {
                match self.old.bounded(attribute, bound.as_ref()) {
                    Ok(id) if statements.bound(id, bound.as_ref()) => made.push(op.clone()),
                    Ok(_) => {}
                    Err(misfit) => self.misfit(misfit),
                }
                return;
            }
            Op::Setting { setting, value } => {
                match self.old.stated(setting, value.as_ref()) {
                    Ok(id) if statements.state(id, value.as_ref()) => made.push(op.clone()),
                    Ok(_) => {}
                    Err(misfit) => self.misfit(misfit),
                }
                return;
            }
            Op::Set(_) => return,
        };
        let pattern = match pattern {
            Ok(pattern) => pattern,
            Err(misfit) => return self.misfit(misfit),
        };
        let word = match op {
            Op::Allow(_) => Word::Allow,
            Op::Deny(_) => Word::Deny,
            Op::Forbid(_) => Word::Forbid,
            Op::Level { level, .. } => Word::Level(level.as_str().into()),
            _ => Word::Nothing,
        };
        if statements.say(pattern, &word) {
            made.push(word.op(pattern, &catalogue));
        }
        let said = match op {
            Op::Allow(_) if cascade => {
                let (said, unmet) = cascade::allow(statements, pattern, &catalogue);
                self.notes.extend(
                    unmet
                        .into_iter()
                        .map(|id| Note::Unmet { permission: catalogue.node(id).path.to_string() }),
                );
                said
            }
            Op::Deny(_) | Op::Clear(_) if cascade => {
                cascade::withdraw(statements, pattern, &catalogue)
            }
            _ => Vec::new(),
        };
        made.extend(said.into_iter().map(|(pattern, word)| word.op(pattern, &catalogue)));
    }

    fn set_user(&mut self, texts: &mut Texts, set: &Set, made: &mut Vec<Op>) {
        if set.template.is_some() || set.includes.is_some() || set.assignable_by.is_some() {
            self.refuse(Rule::Invalid, "a user has no `template`, `includes` or `assignable_by`");
        }
        let before = texts.clone();
        if let Some(label) = &set.label {
            texts.label = label.as_deref().map(Into::into);
        }
        if let Some(description) = &set.description {
            texts.description = description.as_deref().map(Into::into);
        }
        if before != *texts {
            made.push(Op::Set(set.clone()));
        }
    }

    /// Sets what is said of a profile, role or approval group.
    fn set(&mut self, kind: Kind, id: Option<u32>, set: &Set, made: &mut Vec<Op>) {
        if set.includes.is_some() && kind != Kind::Role {
            self.refuse(
                Rule::Invalid,
                format!("only a role has `includes`, and no {}", kind.word()),
            );
        }
        let assignable_by = set.assignable_by.as_ref().map(|names| {
            let names = names.as_ref()?;
            Some(names.iter().filter_map(|name| self.known_source(Kind::Role, name)).collect())
        });
        let includes = set.includes.as_ref().map(|names| {
            let names = names.as_deref().unwrap_or_default();
            names.iter().filter_map(|name| self.known_source(Kind::Role, name)).collect::<Box<_>>()
        });
        for &included in includes.as_deref().unwrap_or_default() {
            if self.old.roles[included].unique {
                let name = self.old.roles.name(included);
                self.refuse(
                    Rule::Invalid,
                    format!("role `{name}` is unique and can't be included"),
                );
            }
            // What the role brings along already is nothing new.
            let before = id.filter(|_| kind == Kind::Role);
            let before = before.map_or_else(Vec::new, |id| self.old.with_included(kind, id));
            let brought = self.old.with_included(Kind::Role, included);
            self.rights.extend(brought.into_iter().filter(|source| !before.contains(source)));
        }
        let Some(id) = id else { return };
        if set.assignable_by.is_some() && self.old.guard(kind.id(id)).is_some() {
            self.rights.push(kind.id(id));
        }
        let mut differs = false;
        self.new.change_source(kind, id, |source| {
            if let Some(label) = &set.label {
                let label = label.as_deref().map(Into::into);
                differs |= std::mem::replace(&mut source.label, label.clone()) != label;
            }
            if let Some(description) = &set.description {
                let description = description.as_deref().map(Into::into);
                differs |=
                    std::mem::replace(&mut source.description, description.clone()) != description;
            }
            if let Some(template) = set.template {
                let template = template.unwrap_or(false);
                differs |= std::mem::replace(&mut source.template, template) != template;
            }
            if let Some(guard) = assignable_by {
                differs |= std::mem::replace(&mut source.assignable_by, guard.clone()) != guard;
            }
        });
        if let (Some(includes), Kind::Role) = (includes, kind) {
            self.new.change_role(id, |role| {
                differs |= std::mem::replace(&mut role.includes, includes.clone()) != includes;
            });
            self.check_includes();
        }
        if differs {
            made.push(Op::Set(set.clone()));
        }
    }

    /// Orders the roles of the new version, and refuses rings.
    pub(super) fn check_includes(&mut self) {
        if !self.new.order_roles() {
            self.refuse(Rule::Invalid, "roles would include each other in a ring");
        }
    }

    fn delete(&mut self, source: &SourceName, holders: &Holders) {
        let Some((kind, name)) = kind_of(source) else {
            return self.refuse(Rule::Invalid, format!("{source} can't be deleted"));
        };
        self.need("delete", kind);
        let instead = match holders {
            Holders::Reassign(other) if other == name => {
                self.refuse(Rule::Invalid, format!("{source} can't be reassigned to itself"));
                None
            }
            Holders::Reassign(other) => self.known_source(kind, other),
            Holders::Refuse | Holders::Unassign => None,
        };
        let Some(id) = self.known_source(kind, name) else { return };
        self.unprotected(kind, id, "deleted");
        let held_by = self.old.holders(kind, id);
        if let (Kind::Role, Some(&holder)) = (kind, held_by.first())
            && self.old.roles[id].unique
        {
            self.refuse_held(id, holder);
        }
        self.refuse_named(kind, id);
        if let Some(&holder) = held_by.first() {
            if *holders == Holders::Refuse {
                let (count, holder) = (held_by.len(), self.old.users.name(holder));
                let message = format!("{source} has {count} holders, `{holder}` among them");
                self.refuse(Rule::InUse, message);
            } else {
                self.need("revoke", kind);
                self.moves(kind, id);
                if matches!(holders, Holders::Reassign(_)) {
                    self.need("assign", kind);
                }
                if let Some(instead) = instead {
                    self.moves(kind, instead);
                    if kind == Kind::Role && self.old.roles[instead].unique {
                        let mut all = self.old.holders(kind, instead);
                        all.extend(&held_by);
                        all.sort_unstable();
                        all.dedup();
                        if let (true, Some(&holder)) = (all.len() > 1, all.first()) {
                            self.refuse_held(instead, holder);
                        }
                    }
                }
            }
        }
        if !self.refusals.is_empty() {
            return;
        }
        for slot in held_by {
            self.take(slot, kind, id, instead);
        }
        match kind {
            Kind::Profile => self.new.profiles.remove(id),
            Kind::Role => {
                self.new.roles.remove(id);
                self.new.order_roles();
            }
            Kind::ApprovalGroup => self.new.approval_groups.remove(id),
        }
        self.changed.push(Change::Delete { source: source.clone(), holders: holders.clone() });
    }

    /// Refuses to delete what other sources or the default profile name.
    fn refuse_named(&mut self, kind: Kind, id: u32) {
        let source = self.old.source_name(kind, id);
        if kind == Kind::Profile && self.old.default_profile == Some(id) {
            self.refuse(Rule::InUse, format!("{source} is the default profile"));
        }
        if kind != Kind::Role {
            return;
        }
        let named = |source: &Source| {
            source.assignable_by.as_deref().is_some_and(|guard| guard.contains(&id))
        };
        let old = self.old;
        let roles = old.roles.iter().filter(|&(other, _, role)| {
            other != id
                && (named(&role.source)
                    || role.includes.contains(&id)
                    || role.demoted_to == Some(id))
        });
        let profiles = old.profiles.iter().filter(|(_, _, profile)| named(profile));
        let groups = old.approval_groups.iter().filter(|(_, _, group)| named(group));
        let by = roles
            .map(|(other, ..)| old.source_name(Kind::Role, other))
            .chain(profiles.map(|(other, ..)| old.source_name(Kind::Profile, other)))
            .chain(groups.map(|(other, ..)| old.source_name(Kind::ApprovalGroup, other)))
            .next();
        if let Some(by) = by {
            self.refuse(Rule::InUse, format!("{source} is named by {by}"));
        }
    }

    /// Gives a user a source.
    fn give(&mut self, slot: u32, kind: Kind, id: u32) {
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
    fn take(&mut self, slot: u32, kind: Kind, id: u32, instead: Option<u32>) {
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

    fn add_user(&mut self, added: &NewUser) {
        let NewUser { user: name, profile, rest } = added;
        if name.is_empty() {
            self.refuse(Rule::Invalid, "a user's name can't be empty");
        }
        self.kinds.push("add_user".to_owned());
        if self.old.users.find(name).is_some() {
            self.refuse(Rule::Exists, format!("user `{name}` exists"));
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
        if let Some(id) = user.profile {
            self.need("assign", Kind::Profile);
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
                self.refuse(Rule::Invalid, format!("`{name}` would say something twice"));
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
            self.admins_only = Some("only an admin makes an admin".to_owned());
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

    /// The sources of a list that a new user gets.
    fn gifts(&mut self, kind: Kind, names: &[String]) -> Box<[u32]> {
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

    /// The numbers of groups, which need no declaring.
    fn groups(&mut self, names: &[String]) -> Box<[u32]> {
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

    fn remove_user(&mut self, name: &str) {
        self.kinds.push("remove_user".to_owned());
        let Some(slot) = self.known_user(name) else { return };
        self.touches_admin(slot, "removes");
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

    fn assign(&mut self, user: &str, source: &SourceName) {
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

    fn revoke(&mut self, user: &str, source: &SourceName) {
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

    fn transfer(&mut self, role: &str, to: &str) {
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

    fn set_admin(&mut self, user: &str, admin: bool) {
        self.kinds.push("set_admin".to_owned());
        if admin {
            self.admins_only = Some("only an admin makes an admin".to_owned());
        }
        let Some(slot) = self.known_user(user) else { return };
        self.touches_admin(slot, "unmakes");
        if self.old.users[slot].admin != admin {
            self.loses_admin = !admin;
            self.new.change_user(slot, |user| user.admin = admin);
            self.touch(slot);
            self.changed.push(Change::SetAdmin { user: user.to_owned(), admin });
        }
    }

    fn set_suspended(&mut self, user: &str, suspended: bool) {
        self.kinds.push("set_suspended".to_owned());
        let Some(slot) = self.known_user(user) else { return };
        self.touches_admin(slot, "suspends or restores");
        if self.old.users[slot].suspended != suspended {
            self.loses_admin = suspended;
            self.new.change_user(slot, |user| user.suspended = suspended);
            self.touch(slot);
            self.changed.push(Change::SetSuspended { user: user.to_owned(), suspended });
        }
    }

    fn set_groups(&mut self, user: &str, names: &[String]) {
        self.kinds.push("set_groups".to_owned());
        self.groups_named = names.to_vec();
        let groups = self.groups(names);
        let Some(slot) = self.known_user(user) else { return };
        if *self.old.users.groups(slot) != *groups {
            self.new.users.set_groups(slot, &groups);
            let (user, groups) = (user.to_owned(), names.to_vec());
            self.changed.push(Change::SetGroups { user, groups });
        }
    }

    fn set_group(&mut self, group: &str, parent: Option<&str>) {
        self.kinds.push("set_group".to_owned());
        self.groups_named = [group].into_iter().chain(parent).map(str::to_owned).collect();
        if group.is_empty() {
            return self.refuse(Rule::Invalid, "a group's name can't be empty");
        }
        let declared = &self.old.groups.declared;
        if let Some(parent) = parent
            && parent != group
            && declared.get(parent).is_none()
        {
            return self.refuse(Rule::Unknown, format!("unknown group `{parent}`"));
        }
        let before = declared.get(group);
        if before.is_some_and(|before| before.parent.as_deref() == parent) {
            return;
        }
        let groups = Arc::make_mut(&mut self.new.groups);
        let above = parent.map(|name| number(groups.parents.insert_full(name.into(), None).0));
        // An entry that is there stays, with its parent.
        let restore = parent.and_then(|name| self.old.groups.parents.get(name).copied());
        if let (Some(name), Some(restore)) = (parent, restore) {
            groups.parents.insert(name.into(), restore);
        }
        groups.parents.insert(group.into(), above);
        match groups.declared.get_mut(group) {
            Some(known) => known.parent = parent.map(str::to_owned),
            None => groups.declared.push(
                group,
                document::Group { parent: parent.map(str::to_owned), ..Default::default() },
            ),
        }
        let ring = !graph::walk(groups.parents.len(), |group, at| match at {
            0 => groups.parents[group].map(|parent| parent as usize),
            _ => None,
        })
        .cycles
        .is_empty();
        if ring {
            self.refuse(Rule::Invalid, "groups would be beneath each other in a ring");
        }
        let (group, parent) = (group.to_owned(), parent.map(str::to_owned));
        self.changed.push(Change::SetGroup { group, parent });
    }

    fn set_licence(&mut self, licence: &Licence) {
        self.kinds.push("set_licence".to_owned());
        self.touched = Touched::Everybody;
        for feature in licence.features.iter().filter(|feature| !is_name(feature)) {
            self.refuse(Rule::Invalid, format!("`{feature}` is not a name"));
        }
        if let Some(edition) = &licence.edition
            && !self.old.catalogue.editions.contains_key(edition.as_str())
        {
            self.refuse(Rule::Unknown, format!("unknown edition `{edition}`"));
        }
        if self.old.licence != *licence {
            self.new.licence = licence.clone();
            self.changed.push(Change::SetLicence(licence.clone()));
        }
    }
}

//! Changes of sources: creating, renaming, editing and deleting them.

use std::sync::Arc;

use super::attempt::{Attempt, Kind, Touched, kind_of};
use super::statement::{self, is_name};
use super::{Change, Holders, Note, Op, Rule, Set, cascade};
use crate::policy::{Class, Effect, Role, Source, SourceId, SourceName, Statements, Texts};

impl Attempt<'_> {
    pub(super) fn create(&mut self, source: &SourceName, from: Option<&SourceName>) {
        let Some((kind, name)) = kind_of(source) else {
            return self.refuse(Rule::Invalid, format!("{source} can't be created"));
        };
        if !is_name(name) {
            self.refuse(Rule::Invalid, format!("`{name}` is not a name"));
        }
        self.check_length(name);
        self.need("create", kind);
        if self.old.find_source(kind, name).is_some() {
            self.refuse(Rule::Exists, format!("{source} already exists"));
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

    /// Adds a source; unless it is a role, only `role.source` counts.
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

    pub(super) fn rename(&mut self, source: &SourceName, to: &str) {
        let change = Change::Rename { source: source.clone(), to: to.to_owned() };
        if let SourceName::User(name) = source {
            if to.is_empty() {
                self.refuse(Rule::Invalid, "a user's name can't be empty");
            }
            self.check_length(to);
            self.kinds.push("rename_user".to_owned());
            let Some(slot) = self.known_user(name) else { return };
            self.touches_admin(slot, "rename");
            if self.old.users.find(to).is_some() {
                return self.refuse(Rule::Exists, format!("user `{to}` already exists"));
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
        self.check_length(to);
        self.need("rename", kind);
        let Some(id) = self.known_source(kind, name) else { return };
        if self.old.find_source(kind, to).is_some() {
            self.refuse(Rule::Exists, format!("{} already exists", kind.name(to.to_owned())));
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

    pub(super) fn edit(&mut self, source: &SourceName, ops: &[Op], cascade: bool) {
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
                    self.touches_admin(slot, "edit");
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

    /// Applies an op to a source's statements; adds the ops that made a difference
    /// to `made`, cascades included.
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
                    Ok(id) if statements.set_bound(id, bound.as_ref()) => made.push(op.clone()),
                    Ok(_) => {}
                    Err(misfit) => self.misfit(misfit),
                }
                return;
            }
            Op::Setting { setting, value } => {
                match self.old.stated(setting, value.as_ref()) {
                    Ok(id) if statements.set_setting(id, value.as_ref()) => made.push(op.clone()),
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
        let effect = match op {
            Op::Allow(_) => Some(Effect::Allow),
            Op::Deny(_) => Some(Effect::Deny),
            Op::Forbid(_) => Some(Effect::Forbid),
            Op::Level { level, .. } => Some(Effect::Level(level)),
            _ => None,
        };
        if statements.set_exactly(pattern, effect) {
            made.push(statement::op(pattern, effect, &catalogue));
        }
        let more = match op {
            Op::Allow(_) if cascade => {
                let (more, unmet) = cascade::allow(statements, pattern, &catalogue);
                self.notes.extend(
                    unmet
                        .into_iter()
                        .map(|id| Note::Unmet { permission: catalogue.node(id).path.to_string() }),
                );
                more
            }
            Op::Deny(_) | Op::Clear(_) if cascade => {
                cascade::withdraw(statements, pattern, &catalogue)
            }
            _ => Vec::new(),
        };
        made.extend(
            more.into_iter().map(|(pattern, effect)| statement::op(pattern, effect, &catalogue)),
        );
    }

    pub(super) fn set_user(&mut self, texts: &mut Texts, set: &Set, made: &mut Vec<Op>) {
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

    /// Sets the fields of a profile, role or approval group other than statements.
    pub(super) fn set(&mut self, kind: Kind, id: Option<u32>, set: &Set, made: &mut Vec<Op>) {
        if set.includes.is_some() && kind != Kind::Role {
            self.refuse(Rule::Invalid, "only a role has `includes`");
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
            // What the role already includes is nothing new.
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

    /// Orders the roles of the new version, and refuses cycles.
    pub(super) fn check_includes(&mut self) {
        if !self.new.order_roles() {
            self.refuse(Rule::Invalid, "roles would include each other in a cycle");
        }
    }

    pub(super) fn delete(&mut self, source: &SourceName, holders: &Holders) {
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

    /// Refuses to delete what other sources name, or the default profile.
    pub(super) fn refuse_named(&mut self, kind: Kind, id: u32) {
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
}

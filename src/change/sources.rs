//! Changes of sources: creating, renaming, editing and deleting them.

use super::cascade::Cascading;
use super::plan::{Acts, Given, Plan, Sparing, Touched};
use super::{Change, Note, OnHeld, Op, Rule, Set};
use crate::catalogue::{Catalogue, NodeId, Pattern, Reach};
use crate::ids::{SourceId, UserSlot};
use crate::names::HashMap;
use crate::policy::{ChangeKind, Draft, Effect, Source, SourceKind, SourceName, Statements, Texts};

impl Plan<'_> {
    pub(super) fn create(&mut self, source: &SourceName, from: Option<&SourceName>) {
        let Some((kind, name)) = self.assignable(source, "created") else { return };
        self.check_text(name);
        self.require_on(ChangeKind::CREATE, kind);
        self.requirements.spared_by = Some(Sparing::Escalate);
        if self.old.sources.find(kind, name).is_some() {
            self.refuse(Rule::Exists, format!("{source} already exists"));
        }
        let mut created = Source::new(kind);
        if let Some(from) = from {
            let Some((_, name)) = from.shared().filter(|&(of, _)| of == kind) else {
                return self.refuse(Rule::Invalid, format!("{source} can't be made from {from}"));
            };
            let Some(origin) = self.known_source(kind, name) else { return };
            let origin = &self.old.sources[origin];
            created.statements = origin.statements.clone();
            created.assignable_by = origin.assignable_by.clone();
            created.includes = origin.includes.clone();
            self.requirements.stated.extend(origin.assignable_by.clone());
            self.requirements.rights.extend(self.old.sources.closure(&origin.includes));
        }
        if self.refusals.is_empty() {
            let id = self.new.sources.insert(name, created);
            self.hand_out(Given::Source(id));
            self.new.sources.order_includes();
            self.changed.push(Change::Create { source: source.clone(), from: from.cloned() });
        }
    }

    pub(super) fn rename(&mut self, source: &SourceName, to: &str) {
        let change = Change::Rename { source: source.clone(), to: to.to_owned() };
        if let SourceName::User(name) = source {
            self.check_text(to);
            self.require(ChangeKind::RenameUser);
            self.requirements.escalates = Some("only an admin may rename a user");
            self.requirements.acts = Acts::Renames;
            let Some(slot) = self.concerned(name, "rename") else { return };
            if self.old.users.find(to).is_some() {
                return self.refuse(Rule::Exists, format!("user `{to}` already exists"));
            }
            if self.refusals.is_empty() {
                self.new.users.rename(slot, to);
                self.rename_in_terms(name, to);
                self.changed.push(change);
            }
            return;
        }
        let Some((kind, name)) = self.assignable(source, "renamed") else { return };
        self.check_text(to);
        self.require_on(ChangeKind::RENAME, kind);
        let Some(id) = self.known_source(kind, name) else { return };
        if self.old.sources.find(kind, to).is_some() {
            self.refuse(Rule::Exists, format!("{} already exists", kind.named(to)));
        }
        self.unprotected(id, "renamed");
        self.require_own_guard(id);
        if self.refusals.is_empty() {
            self.new.sources.rename(id, to);
            self.changed.push(change);
        }
    }

    pub(super) fn edit(&mut self, source: &SourceName, ops: &[Op], cascade: bool) {
        let mut made = MadeOps::default();
        match source {
            SourceName::User(name) => self.edit_user(name, ops, cascade, &mut made),
            shared => {
                let Some((kind, name)) = shared.shared() else { return };
                self.edit_shared(kind, name, ops, cascade, &mut made);
            }
        }
        if !made.ops.is_empty() {
            let (source, ops) = (source.clone(), made.into_ops());
            self.changed.push(Change::Edit { source, ops, cascade: false });
        }
    }

    fn edit_user(&mut self, name: &str, ops: &[Op], cascade: bool, made: &mut MadeOps) {
        let (old, nothing) = (self.old, Statements::default());
        self.require(ChangeKind::EditUser);
        let slot = self.concerned(name, "edit");
        let mut texts = slot.and_then(|slot| old.users.texts(slot)).cloned();
        if let Some(slot) = slot {
            self.touch(slot);
            self.hand_out(Given::Own(slot));
        }
        let stated = slot.and_then(|slot| old.users[slot].statements.as_deref());
        let draft = Draft::new(stated.unwrap_or(&nothing));
        let mut own = Cascading::new(draft, &old.catalogue);
        for op in ops {
            match op {
                Op::Set(set) => self.set_user(texts.get_or_insert_default(), set, made),
                _ => self.op(&mut own, op, cascade, made),
            }
        }
        if let Some(slot) = slot {
            let own = own.draft.finish();
            self.new.change_user(slot, |user| user.statements = Some(Box::new(own)));
            self.new.users.set_texts(slot, texts.unwrap_or_default());
        }
    }

    fn edit_shared(
        &mut self,
        kind: SourceKind,
        name: &str,
        ops: &[Op],
        cascade: bool,
        made: &mut MadeOps,
    ) {
        let (old, nothing) = (self.old, Statements::default());
        self.require_on(ChangeKind::EDIT, kind);
        self.effects.touched = Touched::Everybody;
        let id = self.known_source(kind, name);
        if let Some(id) = id {
            self.unprotected(id, "edited");
            self.require_own_guard(id);
            self.hand_out(Given::Source(id));
        }
        if kind != SourceKind::Global {
            self.requirements.spared_by = Some(Sparing::Escalate);
        }
        let draft = Draft::new(id.map_or(&nothing, |id| &old.sources[id].statements));
        let mut statements = Cascading::new(draft, &old.catalogue);
        for op in ops {
            match op {
                Op::Set(set) => self.set(kind, id, set, made),
                _ => self.op(&mut statements, op, cascade, made),
            }
        }
        if ops.iter().any(|op| matches!(op, Op::Set(Set { includes: Some(_), .. }))) {
            let has_order = self.new.sources.order_includes();
            self.check_includes(has_order);
        }
        if let Some(id) = id {
            let statements = statements.draft.finish();
            self.new.sources.change(id, |source| source.statements = statements);
        }
    }

    /// Applies an op to a source's statements; adds the ops that made a difference
    /// to `made`, cascades included.
    fn op<'s>(
        &mut self,
        statements: &mut Cascading<'s>,
        op: &'s Op,
        cascade: bool,
        made: &mut MadeOps,
    ) {
        let (pattern, effect) = match op {
            Op::Allow(text) => (self.pattern(text), Some(Effect::Allow)),
            Op::Except(text) => (self.pattern(text), Some(Effect::Except)),
            Op::Deny(text) => (self.pattern(text), Some(Effect::Deny)),
            Op::Forbid(text) => (self.pattern(text), Some(Effect::Forbid)),
            Op::Clear(text) => (self.pattern(text), None),
            Op::Level { path, level } => {
                let pattern = self.resolve(|it, place| it.level_pattern(path, level, place));
                (pattern, Some(Effect::Level(level)))
            }
            Op::Bound { attribute, bound } => {
                let bound = bound.as_ref();
                let id = self.resolve(|it, place| it.attribute(attribute, bound, place));
                if id.is_some_and(|id| statements.draft.set_bound(id, bound)) {
                    made.push(None, op.clone());
                }
                return;
            }
            Op::Setting { setting, value } => {
                let value = value.as_ref();
                let id = self.resolve(|it, place| it.setting(setting, value, place));
                if id.is_some_and(|id| statements.draft.set_setting(id, value)) {
                    made.push(None, op.clone());
                }
                return;
            }
            Op::Set(_) => return,
        };
        let Some(pattern) = pattern else { return };
        let catalogue = &*self.old.catalogue;
        let one = one_permission(pattern, catalogue);
        let before = one.map(|id| statements.draft.said(id, catalogue));
        if statements.state(pattern, effect) {
            made.push(Some(pattern), stating(pattern, effect, catalogue));
        }
        let more = match op {
            Op::Allow(_) if cascade => {
                let (more, unmet) = statements.allow(pattern);
                let unmet = unmet.into_iter().map(|id| catalogue.node(id).path.to_string());
                self.notes.extend(unmet.map(|permission| Note::Unmet { permission }));
                more
            }
            Op::Except(_) | Op::Deny(_) | Op::Clear(_) if cascade => statements.withdraw(pattern),
            _ => Vec::new(),
        };
        for (pattern, effect) in more {
            made.push(Some(pattern), stating(pattern, effect, catalogue));
        }
        let after = one.map(|id| statements.draft.said(id, catalogue));
        let (Some((was, by_before)), Some((is, by_after))) = (before, after) else { return };
        let permission = pattern.text(catalogue);
        let wider =
            |by: Option<Pattern>| by.filter(|&by| by != pattern).map(|by| by.text(catalogue));
        self.notes.extend(if was == is {
            let wider = [by_before, by_after].into_iter().flatten().min_by_key(|by| by.reach);
            let by = wider.map(|by| by.text(catalogue));
            Some(Note::Unchanged { permission, by })
        } else if effect.is_some() {
            wider(by_before).map(|to| Note::Exception { permission, to })
        } else {
            wider(by_after).map(|pattern| Note::Follows { permission, pattern })
        });
    }

    fn pattern(&mut self, text: &str) -> Option<Pattern> {
        self.resolve(|it, place| it.pattern(text, place))
    }

    fn set_user(&mut self, texts: &mut Texts, set: &Set, made: &mut MadeOps) {
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
            made.push(None, Op::Set(set.clone()));
        }
    }

    /// Sets the fields of a source other than statements.
    fn set(&mut self, kind: SourceKind, id: Option<SourceId>, set: &Set, made: &mut MadeOps) {
        if kind == SourceKind::Global && *set != Set::default() {
            return self.refuse(Rule::Invalid, "the global source has none of these fields");
        }
        if set.includes.is_some() && kind != SourceKind::Role {
            self.refuse(Rule::Invalid, "only a role has `includes`");
        }
        let assignable_by = set.assignable_by.as_ref().map(|names| {
            let names = names.as_deref()?;
            Some(self.known_roles(names))
        });
        let includes = set.includes.as_ref().map(|names| {
            let names = names.as_deref().unwrap_or_default();
            self.known_roles(names)
        });
        let included = includes.as_deref().unwrap_or_default();
        for &role in included {
            if self.old.sources[role].unique {
                let role = self.old.sources.name_of(role);
                self.refuse(Rule::Invalid, format!("{role} is unique and can't be included"));
            }
        }
        self.requirements.rights.extend(self.old.sources.closure(included));
        self.requirements.stated.extend(assignable_by.clone().flatten());
        let Some(id) = id else { return };
        if set.assignable_by.is_some() && self.old.sources[id].assignable_by.is_some() {
            self.requirements.rights.push(id);
        }
        let mut differs = false;
        self.new.sources.change(id, |source| {
            if let Some(label) = &set.label {
                differs |= replace(&mut source.label, label.as_deref().map(Into::into));
            }
            if let Some(description) = &set.description {
                differs |= replace(&mut source.description, description.as_deref().map(Into::into));
            }
            if let Some(template) = set.template {
                differs |= replace(&mut source.template, template.unwrap_or(false));
            }
            if let Some(guard) = assignable_by {
                differs |= replace(&mut source.assignable_by, guard);
            }
            if let (Some(includes), SourceKind::Role) = (includes, kind) {
                differs |= replace(&mut source.includes, includes);
            }
        });
        if differs {
            made.push(None, Op::Set(set.clone()));
        }
    }

    /// The roles of some names; unknown ones are refused.
    fn known_roles(&mut self, names: &[String]) -> Box<[SourceId]> {
        names.iter().filter_map(|name| self.known_source(SourceKind::Role, name)).collect()
    }

    /// Refuses cycles, given whether the new version's sources have an order.
    pub(super) fn check_includes(&mut self, has_order: bool) {
        if !has_order {
            self.refuse(Rule::Invalid, "roles would include each other in a cycle");
        }
    }

    pub(super) fn delete(&mut self, source: &SourceName, holders: &OnHeld) {
        let Some((kind, name)) = self.assignable(source, "deleted") else { return };
        self.require_on(ChangeKind::DELETE, kind);
        let instead = match holders {
            OnHeld::Reassign(other) if other == name => {
                self.refuse(Rule::Invalid, format!("{source} can't be reassigned to itself"));
                None
            }
            OnHeld::Reassign(other) => self.known_source(kind, other),
            OnHeld::Refuse | OnHeld::Unassign => None,
        };
        let Some(id) = self.known_source(kind, name) else { return };
        self.unprotected(id, "deleted");
        self.require_own_guard(id);
        let held_by = self.old.holders(id);
        let assigned_to = self.old.assigned_to(id);
        if let Some(&holder) = held_by.first()
            && self.old.sources[id].unique
        {
            self.refuse_held(id, holder);
        }
        self.refuse_named(id);
        let mut all: Vec<UserSlot> = held_by.iter().chain(&assigned_to).copied().collect();
        all.sort_unstable();
        all.dedup();
        if let Some(&holder) = all.first() {
            if *holders == OnHeld::Refuse {
                let (count, holder) = (all.len(), self.old.users.name(holder));
                let message = format!("{source} has {count} holders, `{holder}` among them");
                self.refuse(Rule::InUse, message);
            } else {
                self.require_on(ChangeKind::REVOKE, kind);
                self.require_assignable(id);
                all.iter().for_each(|&slot| self.concern(slot, "give to or take from"));
                if matches!(holders, OnHeld::Reassign(_)) {
                    self.require_on(ChangeKind::ASSIGN, kind);
                }
                if let Some(instead) = instead {
                    self.require_assignable(instead);
                    if self.old.sources[instead].unique && !assigned_to.is_empty() {
                        self.refuse_in_assignment(instead);
                    }
                    let mut all = self.old.unique_holders(instead);
                    if self.old.sources[instead].unique {
                        all.extend(&held_by);
                        all.sort_unstable();
                        all.dedup();
                    }
                    if let &[holder, _, ..] = &*all {
                        self.refuse_held(instead, holder);
                    }
                }
            }
        }
        if *holders != OnHeld::Refuse {
            held_by.into_iter().for_each(|slot| self.take(slot, id, instead));
            let assigned_to = assigned_to.into_iter();
            assigned_to.for_each(|slot| self.take_from_assignments(slot, id, instead));
        }
        if !self.refusals.is_empty() {
            return;
        }
        self.new.sources.remove(id);
        self.changed.push(Change::Delete { source: source.clone(), holders: holders.clone() });
    }

    /// Refuses to delete what other sources name, or the default profile.
    pub(super) fn refuse_named(&mut self, id: SourceId) {
        let source = self.old.sources.name_of(id);
        if self.old.default_profile == Some(id) {
            self.refuse(Rule::InUse, format!("{source} is the default profile"));
        }
        let names = |other: &Source| {
            other.includes.contains(&id)
                || other.demoted_to == Some(id)
                || other.assignable_by.as_deref().is_some_and(|guard| guard.contains(&id))
        };
        let mut others = self.old.sources.iter().filter(|&(other, ..)| other != id);
        if let Some((other, ..)) = others.find(|(.., other)| names(other)) {
            let other = self.old.sources.name_of(other);
            self.refuse(Rule::InUse, format!("{source} is named by {other}"));
        }
    }
}

/// The ops that made a difference.
#[derive(Default)]
struct MadeOps {
    /// Each with the pattern of which it states something, if it does.
    ops: Vec<(Option<Pattern>, Op)>,
    /// The number of ops at which those are dropped that later ones undo.
    full: usize,
}

impl MadeOps {
    /// The number of ops up to which all are kept.
    const FEW: usize = 1000;

    fn push(&mut self, pattern: Option<Pattern>, op: Op) {
        self.ops.push((pattern, op));
        if self.ops.len() > self.full.max(Self::FEW) {
            self.compact();
            self.full = self.ops.len().saturating_mul(2);
        }
    }

    /// Drops all but the last two ops of each pattern.
    // Cascades that undo each other may make as many ops for each of theirs as there are
    // permissions. The last op of a pattern makes the result; the one before it makes sure that
    // this one makes a difference, so that its statement comes last in its list.
    fn compact(&mut self) {
        let mut count: HashMap<Pattern, usize> = HashMap::default();
        let mut kept: Vec<_> = std::mem::take(&mut self.ops);
        kept.reverse();
        kept.retain(|(pattern, _)| {
            pattern.is_none_or(|pattern| {
                let count = count.entry(pattern).or_default();
                *count = count.saturating_add(1);
                *count <= 2
            })
        });
        kept.reverse();
        self.ops = kept;
    }

    fn into_ops(self) -> Vec<Op> {
        self.ops.into_iter().map(|(_, op)| op).collect()
    }
}

/// Puts a value in the place of another; returns whether they differ.
pub(super) fn replace<T: PartialEq>(place: &mut T, value: T) -> bool {
    let differs = *place != value;
    *place = value;
    differs
}

/// Returns the permission that a pattern matches, if it can match only one.
fn one_permission(pattern: Pattern, catalogue: &Catalogue) -> Option<NodeId> {
    let id = pattern.base.filter(|_| pattern.reach == Reach::Exact)?;
    catalogue.grantable.contains(catalogue.node(id).bit).then_some(id)
}

/// Returns the op that makes an effect, or none, the only one of exactly a pattern.
pub(super) fn stating(pattern: Pattern, effect: Option<Effect<'_>>, catalogue: &Catalogue) -> Op {
    let path = pattern.text(catalogue);
    match effect {
        Some(Effect::Allow) => Op::Allow(path),
        Some(Effect::Except) => Op::Except(path),
        Some(Effect::Deny) => Op::Deny(path),
        Some(Effect::Forbid) => Op::Forbid(path),
        Some(Effect::Level(level)) => Op::Level { path, level: level.to_owned() },
        None => Op::Clear(path),
    }
}

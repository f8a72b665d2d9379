//! The changes that take a change back.
//!
//! They follow from comparing the versions before and after it, whatever kind of change it
//! was. Each is made as it is found, so that what cannot be taken back is refused by the rule
//! that stands in the way.

use super::{Actor, Applied, Bundle, Change, OnConflict, OnHeld, Op, Refusal, Rule, Set};
use crate::document::{Map, NewUser, Role, Source, Statements, UserEntry};
use crate::ids::SourceId;
use crate::names::{HashMap, HashSet, IndexMap};
use crate::policy::{Policy, SourceKind, SourceName};

impl Applied {
    /// Returns the changes that take this one back: applied by the host in this order, they
    /// lead to a policy with the answers of the one before. Empty if nothing changed.
    ///
    /// It states what that one did, except that lists of patterns, and of roles where no
    /// setting depends on it, may be in another order, and that a group stays declared. A user
    /// who was removed is added again, and so has a new handle.
    ///
    /// They are data, which can be stored with the [`log_entry`](Applied::log_entry) and
    /// applied later, on behalf of a user too. An edit is taken back statement by statement;
    /// so what others have edited since then stays, unless it is about the same statements.
    ///
    /// # Errors
    ///
    /// When a rule refuses it, whoever asks: a unique role is not taken from its first holder,
    /// what was imported as protected is not deleted, the last admin is not unmade.
    ///
    /// ```
    /// # use grantree::{Document, Policy, SourceName};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "roles": {"clerk": {"allow": ["orders"]}},
    /// #     "users": {"bob": {"roles": ["clerk"]}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// use grantree::change::{Actor, Change, OnHeld};
    ///
    /// let clerk = SourceName::Role("clerk".into());
    /// let delete = Change::Delete { source: clerk, holders: OnHeld::Unassign };
    /// let applied = policy.apply(Actor::Host, &delete)?;
    ///
    /// let undo = applied.undo()?;
    /// let told: Vec<String> = undo.iter().map(ToString::to_string).collect();
    /// assert_eq!(told, ["import 0 profiles, 1 roles, 0 approval groups", "assign role `clerk` to `bob`"]);
    /// let mut back = applied.policy;
    /// for change in &undo {
    ///     back = back.apply(Actor::Host, change)?.policy;
    /// }
    /// assert_eq!(back.digest(), policy.digest());
    /// assert_eq!(back.revision(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn undo(&self) -> Result<Vec<Change>, Refusal> {
        let mut way = WayBack { at: self.policy.clone(), to: &self.before, changes: Vec::new() };
        if !self.changed.is_empty() {
            way.rename()?;
            let added = way.restore_sources()?;
            way.restore_rest()?;
            way.restore_users()?;
            for source in added {
                way.make(Change::Delete { source, holders: OnHeld::Refuse })?;
            }
        }
        Ok(way.changes)
    }
}

/// The way from one version to an earlier one.
struct WayBack<'p> {
    /// The version that the changes so far lead to.
    at: Policy,
    to: &'p Policy,
    changes: Vec<Change>,
}

impl WayBack<'_> {
    fn make(&mut self, change: Change) -> Result<(), Refusal> {
        self.at = self.at.apply(Actor::Host, &change)?.policy;
        self.changes.push(change);
        Ok(())
    }

    /// Gives sources and users their names back, by which all else is compared.
    fn rename(&mut self) -> Result<(), Refusal> {
        let (at, to) = (self.at.clone(), self.to.inner());
        let sources = &at.inner().sources;
        for (id, name, _) in to.sources.iter() {
            if sources.exists(id) && sources.name(id) != name {
                self.make(Change::Rename { source: sources.name_of(id), to: name.to_owned() })?;
            }
        }
        let users = &at.inner().users;
        for slot in users.changed_since(&to.users) {
            if let (Some((now, _)), Some((name, _))) = (users.get(slot), to.users.get(slot))
                && users.seat(slot) == to.users.seat(slot)
                && now != name
            {
                let source = SourceName::User(now.to_owned());
                self.make(Change::Rename { source, to: name.to_owned() })?;
            }
        }
        Ok(())
    }

    /// Restores the sources that the earlier version has; returns those that it has not.
    // Sources that name each other can be neither restored nor deleted one by one. So several
    // are restored by one import, which also takes from new ones whatever they name.
    fn restore_sources(&mut self) -> Result<Vec<SourceName>, Refusal> {
        let (at, to) = (self.at.clone(), self.to.inner());
        let sources = &at.inner().sources;
        let missing = to.bundle(|id| !sources.exists(id));
        if missing != Bundle::default() {
            self.make(Change::Import { bundle: missing, on_conflict: OnConflict::Refuse })?;
        }
        let differing: Vec<SourceId> = to
            .sources
            .iter()
            .filter(|&(id, ..)| sources.exists(id) && !sources.is_shared(id, &to.sources))
            .map(|(id, ..)| id)
            .collect();
        let added = sources.iter().filter(|&(id, ..)| !to.sources.exists(id));
        let added: Vec<SourceName> = added.map(|(id, ..)| sources.name_of(id)).collect();
        let mut replaced: HashSet<SourceId> = HashSet::default();
        for &id in &differing {
            let name = to.sources.name_of(id);
            let (Some(now), Some(then)) = (self.at.source(&name), self.to.source(&name)) else {
                continue;
            };
            match edit_to(&now, &then) {
                Some(ops) if ops.is_empty() => {}
                Some(ops) if id == SourceId::GLOBAL || differing.len() == 1 => {
                    self.make(Change::Edit { source: name, ops, cascade: false })?;
                }
                None if id == SourceId::GLOBAL => {
                    let (now, then) = (&now.source.statements, &then.source.statements);
                    let ops = own_ops(&name, now, then)?;
                    self.make(Change::Edit { source: name, ops, cascade: false })?;
                }
                _ => {
                    replaced.insert(id);
                }
            }
        }
        let mut bundle = to.bundle(|id| replaced.contains(&id));
        if added.len() > 1 {
            added.iter().for_each(|source| put_empty(&mut bundle, source));
        }
        if bundle != Bundle::default() {
            self.make(Change::Import { bundle, on_conflict: OnConflict::Replace })?;
        }
        Ok(added)
    }

    /// Restores the licence, the default profile and the tree of groups.
    fn restore_rest(&mut self) -> Result<(), Refusal> {
        let (at, to) = (self.at.clone(), self.to.inner());
        if at.licence() != to.licence.stated() {
            self.make(Change::SetLicence(to.licence.stated().clone()))?;
        }
        let profile_of = |policy: &Policy| {
            let inner = policy.inner();
            inner.default_profile.map(|id| inner.sources.name(id).to_owned())
        };
        let profile = profile_of(self.to);
        if profile_of(&at) != profile {
            self.make(Change::SetDefaultProfile { profile })?;
        }
        for (group, now) in at.inner().groups.declared.iter() {
            let then = to.groups.declared.get(group);
            let parent = then.and_then(|then| then.parent.clone());
            if now.parent != parent {
                self.make(Change::SetGroup { group: group.to_owned(), parent })?;
            }
        }
        Ok(())
    }

    fn restore_users(&mut self) -> Result<(), Refusal> {
        let (at, to) = (self.at.clone(), self.to.inner());
        let mut kept = Vec::new();
        let users = &at.inner().users;
        for slot in users.changed_since(&to.users) {
            let (now, then) = (users.get(slot), to.users.get(slot));
            if let (Some(_), Some((user, _))) = (now, then)
                && users.seat(slot) == to.users.seat(slot)
            {
                kept.push(user);
                continue;
            }
            if let Some((user, _)) = now {
                self.make(Change::RemoveUser { user: user.to_owned() })?;
            }
            if let Some((user, _)) = then {
                let rest = self.to.user(user).unwrap_or_default();
                let profile = Some(rest.profile.clone());
                let rest = UserEntry { profile: None, ..rest };
                let added = NewUser { user: user.to_owned(), profile, rest };
                self.make(Change::AddUser(Box::new(added)))?;
            }
        }
        for user in &kept {
            self.restore_unique(user)?;
        }
        for user in &kept {
            self.restore_user(user)?;
        }
        Ok(())
    }

    /// Gives a user the unique roles back that the user had.
    fn restore_unique(&mut self, user: &str) -> Result<(), Refusal> {
        let (now, then) = self.entries(user);
        for role in lacking(&then.roles, &now.roles) {
            let known = self.at.source(&SourceName::Role(role.clone()));
            if known.is_none_or(|role| !role.unique) {
                continue;
            }
            if self.entries(user).0.suspended {
                self.make(Change::SetSuspended { user: user.to_owned(), suspended: false })?;
            }
            self.make(Change::Transfer { role: role.clone(), to: user.to_owned() })?;
        }
        Ok(())
    }

    /// A user now, and then.
    fn entries(&self, user: &str) -> (UserEntry, UserEntry) {
        (self.at.user(user).unwrap_or_default(), self.to.user(user).unwrap_or_default())
    }

    fn restore_user(&mut self, name: &str) -> Result<(), Refusal> {
        let user = || name.to_owned();
        let (now, then) = self.entries(name);
        if now.admin != then.admin {
            self.make(Change::SetAdmin { user: user(), admin: then.admin })?;
        }
        if now.profile != then.profile {
            let change = |name, make: fn(String, SourceName) -> Change| {
                make(user(), SourceName::Profile(name))
            };
            match (now.profile, then.profile.clone()) {
                (_, Some(profile)) => self.make(change(profile, assign))?,
                (Some(profile), None) => self.make(change(profile, revoke))?,
                (None, None) => {}
            }
        }
        self.restore_list(name, SourceKind::Role, &now.roles, &then.roles)?;
        let (groups, former) = (&now.approval_groups, &then.approval_groups);
        self.restore_list(name, SourceKind::ApprovalGroup, groups, former)?;
        if now.groups != then.groups {
            self.make(Change::SetGroups { user: user(), groups: then.groups.clone() })?;
        }
        let source = SourceName::User(user());
        let set = Set {
            label: differing(&now.label, &then.label),
            description: differing(&now.description, &then.description),
            ..Set::default()
        };
        let mut ops = own_ops(&source, &now.statements, &then.statements)?;
        ops.extend((set != Set::default()).then_some(Op::Set(set)));
        if !ops.is_empty() {
            self.make(Change::Edit { source, ops, cascade: false })?;
        }
        let names = now.assignments.iter().chain(then.assignments.iter());
        let names: IndexMap<&str, ()> = names.map(|(name, _)| (name, ())).collect();
        for assignment in names.into_keys() {
            let then = then.assignments.get(assignment);
            if now.assignments.get(assignment) != then {
                let (name, assignment) = (assignment.to_owned(), then.cloned().map(Box::new));
                self.make(Change::SetAssignment { user: user(), name, assignment })?;
            }
        }
        if self.entries(name).0.suspended != then.suspended {
            self.make(Change::SetSuspended { user: user(), suspended: then.suspended })?;
        }
        Ok(())
    }

    /// Gives a user roles or approval groups back and takes others, in their order if a
    /// setting may depend on it.
    fn restore_list(
        &mut self,
        user: &str,
        kind: SourceKind,
        now: &[String],
        then: &[String],
    ) -> Result<(), Refusal> {
        let added = lacking(then, now);
        for name in added.clone() {
            self.make(assign(user.to_owned(), kind.named(name)))?;
        }
        for name in lacking(now, then) {
            self.make(revoke(user.to_owned(), kind.named(name)))?;
        }
        let list = |policy: &Policy| {
            let entry = policy.user(user).unwrap_or_default();
            if kind == SourceKind::Role { entry.roles } else { entry.approval_groups }
        };
        let now = list(&self.at);
        if now == then || !self.state_settings(kind, then) {
            return Ok(());
        }
        let same = now.iter().zip(then).take_while(|(now, then)| now == then).count();
        let moved = then.iter().skip(same);
        for name in moved.clone() {
            self.make(revoke(user.to_owned(), kind.named(name)))?;
        }
        for name in moved {
            self.make(assign(user.to_owned(), kind.named(name)))?;
        }
        Ok(())
    }

    /// Returns whether some of these sources state a setting, or include one that does.
    fn state_settings(&self, kind: SourceKind, names: &[String]) -> bool {
        let sources = &self.at.inner().sources;
        let ids: Vec<SourceId> = names.iter().filter_map(|name| sources.find(kind, name)).collect();
        sources.closure(&ids).iter().any(|&id| !sources[id].statements.settings.is_empty())
    }
}

fn assign(user: String, source: SourceName) -> Change {
    Change::Assign { user, source }
}

fn revoke(user: String, source: SourceName) -> Change {
    Change::Revoke { user, source }
}

/// Adds an empty source to a bundle.
fn put_empty(bundle: &mut Bundle, source: &SourceName) {
    match source {
        SourceName::Profile(name) => bundle.profiles.push(name, Source::default()),
        SourceName::Role(name) => bundle.roles.push(name, Role::default()),
        SourceName::ApprovalGroup(name) => bundle.approval_groups.push(name, Source::default()),
        SourceName::Global | SourceName::User(_) => {}
    }
}

/// Returns the ops that make one source of another; `None` if no ops do so exactly.
fn edit_to(now: &Role, then: &Role) -> Option<Vec<Op>> {
    let is_same = |a: &Role, b: &Role| {
        let fixed = |it: &Role| (it.unique, it.demoted_to.clone(), it.source.protected);
        fixed(a) == fixed(b)
    };
    if !is_same(now, then) {
        return None;
    }
    let (of, to) = (&now.source, &then.source);
    let set = Set {
        label: differing(&of.label, &to.label),
        description: differing(&of.description, &to.description),
        template: (of.template != to.template).then_some(Some(to.template)),
        includes: (now.includes != then.includes).then(|| Some(then.includes.clone())),
        assignable_by: differing(&of.assignable_by, &to.assignable_by),
    };
    let Restating { mut ops, overlapping } = Restating::new(&of.statements, &to.statements);
    ops.extend((set != Set::default()).then_some(Op::Set(set)));
    overlapping.is_empty().then_some(ops)
}

/// Returns the ops that restore statements of a source that can't be imported: of the
/// statements on a pattern that is forbidden, the forbid alone.
fn own_ops(source: &SourceName, now: &Statements, then: &Statements) -> Result<Vec<Op>, Refusal> {
    let Restating { ops, overlapping } = Restating::new(now, then);
    match overlapping.iter().find(|(_, is_forbidden)| !is_forbidden) {
        None => Ok(ops),
        Some((pattern, _)) => {
            let message = format!(
                "{source} made more than one statement on `{pattern}`, which no edit restores"
            );
            Err(Refusal { rule: Rule::Invalid, message })
        }
    }
}

fn differing<T: Clone + PartialEq>(now: &Option<T>, then: &Option<T>) -> Option<Option<T>> {
    (now != then).then(|| then.clone())
}

/// The ops that turn some statements into others.
struct Restating {
    ops: Vec<Op>,
    /// The patterns with several statements, of which ops restore one; and if it is a forbid.
    overlapping: Vec<(String, bool)>,
}

impl Restating {
    fn new(now: &Statements, then: &Statements) -> Restating {
        let (stated, wanted) = (stated(now), stated(then));
        let (mut ops, mut overlapping) = (Vec::new(), Vec::new());
        let gone = stated.keys().filter(|pattern| !wanted.contains_key(*pattern));
        ops.extend(gone.map(|pattern| Op::Clear((*pattern).to_owned())));
        for (pattern, wanted) in &wanted {
            if stated.get(pattern) == Some(wanted) {
                continue;
            }
            let forbid = wanted.iter().find(|op| matches!(op, Op::Forbid(_)));
            if wanted.len() > 1 {
                overlapping.push(((*pattern).to_owned(), forbid.is_some()));
            }
            ops.extend(forbid.or(wanted.first()).cloned());
        }
        ops.extend(entries(&now.bounds, &then.bounds).map(|(attribute, bound)| Op::Bound {
            attribute: attribute.to_owned(),
            bound: bound.cloned(),
        }));
        ops.extend(entries(&now.settings, &then.settings).map(|(setting, value)| Op::Setting {
            setting: setting.to_owned(),
            value: value.cloned(),
        }));
        Restating { ops, overlapping }
    }
}

/// Returns the names that others lack, in order.
fn lacking<'n>(names: &'n [String], others: &[String]) -> impl Iterator<Item = &'n String> + Clone {
    let others: HashSet<&String> = others.iter().collect();
    let lacking: Vec<&String> = names.iter().filter(|name| !others.contains(name)).collect();
    lacking.into_iter()
}

/// Returns the names whose values differ, each with its later value.
fn entries<'s, V: PartialEq>(
    now: &'s Map<V>,
    then: &'s Map<V>,
) -> impl Iterator<Item = (&'s str, Option<&'s V>)> {
    let [before, after] = [now, then].map(|map| map.iter().collect::<HashMap<_, _>>());
    let gone = now.iter().filter(move |(name, _)| !after.contains_key(name));
    let differing = then.iter().filter(move |(name, value)| before.get(name) != Some(value));
    gone.map(|(name, _)| (name, None)).chain(differing.map(|(name, it)| (name, Some(it))))
}

/// Returns the ops that make each statement about permissions, by pattern.
fn stated(statements: &Statements) -> IndexMap<&str, Vec<Op>> {
    let Statements { allow, except, deny, forbid, levels, .. } = statements;
    let mut stated: IndexMap<&str, Vec<Op>> = IndexMap::default();
    let mut state = |pattern, op| {
        let known = stated.entry(pattern).or_default();
        if !known.contains(&op) {
            known.push(op);
        }
    };
    allow.iter().for_each(|it| state(it, Op::Allow(it.clone())));
    except.iter().for_each(|it| state(it, Op::Except(it.clone())));
    deny.iter().for_each(|it| state(it, Op::Deny(it.clone())));
    forbid.iter().for_each(|it| state(it, Op::Forbid(it.clone())));
    for (path, level) in levels.iter() {
        state(path, Op::Level { path: path.to_owned(), level: level.clone() });
    }
    stated
}

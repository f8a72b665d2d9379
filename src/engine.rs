//! A policy compiled: immutable, and asked in nanoseconds.

mod decide;
mod handle;
mod layer;
mod limit;
mod list;
mod membership;
mod standing;

use std::collections::HashMap;
use std::sync::Arc;

pub use handle::{Permission, Unknown, User};
pub(crate) use limit::{Limit, day as fence_day};
pub use list::Effective;
pub(crate) use standing::{Open, Standing};

use foldhash::fast::RandomState;

use crate::bits::{BitSet, test};
use crate::catalogue::{Bit, Condition, Form, NodeId};
use crate::document::{self, SettingValue};
use crate::names::number;
use crate::object::Target;
use crate::policy::{self, Inner, Policy};
pub(crate) use layer::Layers;
use limit::Limits;
use membership::Memberships;

/// A policy, compiled to be asked.
///
/// An engine never changes, is cheap to clone, and can be asked from any number
/// of threads at once: it holds no lock and counts nothing while it answers.
/// When the policy changes, compile another and let it take the place of this
/// one.
///
/// Names become handles once, [`Engine::user`] and [`Engine::permission`];
/// questions on handles neither hash nor allocate.
///
/// ```
/// use grantree::{Document, DynamicObject, Engine, Policy};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = r#"{
///     "format": 1,
///     "catalogue": {
///         "objects": {"job": {"relations": {"assignee": "user"}}},
///         "permissions": [
///             {"key": "reports"},
///             {"key": "edit", "object": "job", "scopes": [{"key": "own", "when": {"assignee": "me"}}]}
///         ]
///     },
///     "roles": {"worker": {"allow": ["edit"]}},
///     "users": {"alice": {"roles": ["worker"]}}
/// }"#;
/// let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// let engine = Engine::new(&policy);
///
/// let alice = engine.user("alice")?;
/// let edit = engine.permission("edit")?;
/// let job = DynamicObject::new("job").with_relation("assignee", ["alice"]);
/// assert!(engine.can(alice, edit, &job));
/// assert!(!engine.can(alice, engine.permission("reports")?, ()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Engine(Arc<Compiled>);

/// A number of a row of permissions.
type Row = u32;

/// The row of those who hold nothing: suspended users, and users who are gone.
const NOBODY: Row = 0;
/// The row of admins, who are not asked for an object.
const ADMIN: Row = 1;

#[derive(Debug)]
struct Compiled {
    /// The policy's lineage, which handles must be of.
    lineage: u64,
    /// The effective permissions of each class of users: rows of `words`.
    rows: Vec<u64>,
    words: usize,
    /// The row of each user, by the user's slot.
    user_rows: Vec<Row>,
    /// What each permission's number stands for.
    asks: Vec<Ask>,
    /// The row of each user's bounds and the set of each user's groups, by the
    /// user's slot.
    user_limits: Vec<u32>,
    limits: Limits,
    user_memberships: Vec<u32>,
    memberships: Memberships,
    licensed: BitSet,
    policy: Policy,
}

/// A permission as it is asked for.
#[derive(Clone, Copy, Debug)]
struct Ask {
    bit: Bit,
    node: NodeId,
    /// Whether an object could make a difference.
    on_object: bool,
}

impl Engine {
    /// Compiles a policy.
    ///
    /// Users who have the same profile, roles and approval groups are compiled
    /// once, and those who can do the same share one row of bits, so that time
    /// and memory follow the number of different users.
    pub fn new(policy: &Policy) -> Engine {
        Engine(Arc::new(compile(policy)))
    }

    /// The policy that it was compiled from.
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Whether a user may do this: on an object, `&job`; on an object today,
    /// `(&job, today)`; or without one, `()`.
    ///
    /// A permission that depends on an object is denied without one, except to
    /// admins; for menus and buttons ask [`Engine::can_some`]. A handle of
    /// another policy's engine is denied.
    ///
    /// Costs three loads where no object is needed. With one, it is asked for
    /// its kind, and for the relations and attributes that matter, each once.
    #[inline]
    pub fn can<T: Target>(&self, user: User, action: Permission, on: T) -> bool {
        let Some((row, ask)) = self.0.find(user, action) else {
            return false;
        };
        self.0.holds(row, ask.bit) && (!ask.on_object || self.0.allows_on(user, row, ask, on))
    }

    /// The user of a handle, by name.
    pub(crate) fn holder(&self, user: User) -> Option<(&str, &policy::User)> {
        self.0.policy().users.get(self.0.slot(user)?)
    }

    /// Whether the user in a slot holds a permission, the object aside.
    pub(crate) fn holds_at(&self, slot: u32, bit: Bit) -> bool {
        self.0.user_rows.get(slot as usize).is_some_and(|&row| self.0.holds(row, bit))
    }

    /// What a handle to a permission stands for, if it belongs.
    pub(crate) fn bit(&self, action: Permission) -> Option<Bit> {
        let ask = self.0.asks.get(action.number as usize)?;
        let known = (ask.bit as usize) < self.0.policy().catalogue.bits();
        (action.lineage == self.0.lineage && known).then_some(ask.bit)
    }

    /// [`Engine::can`], by names. An unknown user is denied.
    ///
    /// # Errors
    ///
    /// Where the permission, its level or the object's kind is unknown.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "users": {"bob": {"allow": ["orders"]}}
    /// # }"#;
    /// # let document: Document = serde_json::from_str(text).unwrap();
    /// # let engine = Engine::new(&Policy::try_from(document).unwrap());
    /// assert_eq!(engine.can_by_name("bob", "orders", ()), Ok(true));
    /// assert_eq!(engine.can_by_name("nobody", "orders", ()), Ok(false));
    /// let error = engine.can_by_name("bob", "ordres", ()).unwrap_err();
    /// assert_eq!(error.to_string(), "unknown permission `ordres`; did you mean `orders`?");
    /// ```
    pub fn can_by_name<T: Target>(&self, user: &str, action: &str, on: T) -> Result<bool, Unknown> {
        let action = self.permission(action)?;
        self.check_kind(&on)?;
        Ok(self.user(user).is_ok_and(|user| self.can(user, action, on)))
    }

    /// Whether a user may do this on some object, on some day: for menus and
    /// buttons, before there is an object.
    ///
    /// It looks at the bounds of the permission and its kind, not at those of
    /// what it answers to: it may say yes too often, never no.
    pub fn can_some(&self, user: User, action: Permission) -> bool {
        let compiled = &*self.0;
        let Some((row, ask)) = compiled.find(user, action) else {
            return false;
        };
        if !compiled.holds(row, ask.bit) {
            return false;
        }
        let condition = compiled.policy().catalogue.node(ask.node).condition.as_deref();
        let Some(condition) = condition else {
            return true;
        };
        row == ADMIN || compiled.checks_passable(user.number, condition)
    }

    /// The level that a user has of a graded permission, the lowest where
    /// nothing is granted; `None` where the permission is not graded or the
    /// handle does not belong.
    ///
    /// A handle to any threshold of the permission will do.
    pub fn level(&self, user: User, permission: Permission) -> Option<&str> {
        let compiled = &*self.0;
        let (row, _) = compiled.find(user, permission)?;
        let node = compiled.policy().catalogue.node_of(self.bit(permission)?);
        let Form::Graded(levels) = &node.form else {
            return None;
        };
        let held = node.bits().filter(|&bit| compiled.holds(row, bit)).count();
        levels.get(held).map(|level| &**level)
    }

    /// [`Engine::level`], by names. An unknown user has the lowest level.
    ///
    /// # Errors
    ///
    /// Where the catalogue has no graded permission of that path.
    pub fn level_by_name(&self, user: &str, permission: &str) -> Result<&str, Unknown> {
        let catalogue = &self.0.policy().catalogue;
        let graded = || catalogue.nodes.iter().filter(|node| matches!(node.form, Form::Graded(_)));
        let node = catalogue.find(permission).map(|id| &catalogue.node(id).form);
        let Some(Form::Graded(levels)) = node else {
            let known = graded().map(|node| &*node.path);
            return Err(Unknown::among("graded permission", permission, known));
        };
        let handle = self.permission(permission)?;
        let held = self.user(user).ok().and_then(|user| self.level(user, handle));
        Ok(held.or(levels.first().map(|level| &**level)).unwrap_or_default())
    }

    /// The value of a setting for a user: of the most specific tier that
    /// states one, or else the default, if there is one.
    ///
    /// # Errors
    ///
    /// Where the setting is unknown.
    pub fn setting(&self, user: User, setting: &str) -> Result<Option<&SettingValue>, Unknown> {
        let policy = self.0.policy();
        let (number, declared) = self.declared_setting(setting)?;
        let stated = self.0.user(user).and_then(|user| policy.setting(user, number));
        Ok(stated.or(declared.default.as_ref()))
    }

    /// [`Engine::setting`], by names. An unknown user has the default.
    ///
    /// # Errors
    ///
    /// Where the setting is unknown.
    pub fn setting_by_name(
        &self,
        user: &str,
        setting: &str,
    ) -> Result<Option<&SettingValue>, Unknown> {
        match self.user(user) {
            Ok(user) => self.setting(user, setting),
            Err(_) => Ok(self.declared_setting(setting)?.1.default.as_ref()),
        }
    }

    fn declared_setting(&self, name: &str) -> Result<(u32, &document::Setting), Unknown> {
        let settings = &self.0.policy().catalogue.settings;
        match settings.get_full(name) {
            Some((at, _, declared)) => Ok((number(at), declared)),
            None => Err(Unknown::new("setting", name, settings)),
        }
    }
}

impl Inner {
    /// What the user's sources say of a setting (design, rule 8).
    fn setting<'p>(&'p self, user: &'p policy::User, setting: u32) -> Option<&'p SettingValue> {
        let own = user.statements.as_deref();
        let roles = self.closure(&user.roles).into_iter();
        let roles = roles.map(|role| &self.roles[role].source.statements);
        let groups = user.approval_groups.iter();
        let groups = groups.map(|&group| &self.approval_groups[group].statements);
        let profile = user.profile.map(|profile| &self.profiles[profile].statements);
        let mut tiers =
            own.into_iter().chain(roles).chain(groups).chain(profile).chain([&*self.global]);
        tiers.find_map(|source| source.setting(setting))
    }
}

impl Compiled {
    fn policy(&self) -> &Inner {
        self.policy.inner()
    }

    /// The row of a user and what a permission stands for, of handles that
    /// belong.
    #[inline]
    fn find(&self, user: User, action: Permission) -> Option<(Row, Ask)> {
        if user.lineage != self.lineage || action.lineage != self.lineage {
            return None;
        }
        let row = *self.user_rows.get(user.number as usize)?;
        let ask = *self.asks.get(action.number as usize)?;
        Some((row, ask))
    }

    #[inline]
    fn holds(&self, row: Row, bit: Bit) -> bool {
        // INVARIANT: every bit of an ask is within the words of a row.
        let start = row as usize * self.words;
        self.rows.get(start..).is_some_and(|row| test(row, bit))
    }

    /// A row of permissions.
    fn row(&self, row: Row) -> &[u64] {
        let start = row as usize * self.words;
        self.rows.get(start..start + self.words).unwrap_or_default()
    }

    /// The slot of a user.
    fn slot(&self, user: User) -> Option<u32> {
        (user.lineage == self.lineage).then_some(user.number)
    }

    fn user(&self, user: User) -> Option<&policy::User> {
        Some(self.policy().users.get(self.slot(user)?)?.1)
    }

    fn condition(&self, ask: Ask) -> Option<&Condition> {
        self.policy().catalogue.node(ask.node).condition.as_deref()
    }
}

/// What users who say nothing of their own are alike in: profile, roles and
/// approval groups.
type Alike<'p> = (Option<u32>, &'p [u32], &'p [u32]);

fn compile(policy: &Policy) -> Compiled {
    let inner = policy.inner();
    let catalogue = &inner.catalogue;
    let licensed = catalogue.licensed(|feature| inner.is_licensed(feature));
    // One bit more than there are permissions: the one of permissions that are
    // gone, which nobody holds.
    let gone = number(catalogue.bits());
    let words = BitSet::new(catalogue.bits() + 1).words().len();

    let mut rows = Rows { words, rows: vec![0; words], known: HashMap::default() };
    rows.push(licensed.words());
    let mut limits = Limits::build(inner);
    let mut layers = Layers::new(inner, &licensed);
    let mut classes: HashMap<Alike<'_>, (Row, u32), RandomState> = HashMap::default();
    let mut user_limits = vec![0; inner.users.slots()];
    let mut user_rows = vec![NOBODY; inner.users.slots()];
    for (slot, _, user) in inner.users.iter() {
        let mut class = || {
            let granted = layers.grants(user).granted;
            (rows.intern(layers.effective(&granted).words()), limits.row(user))
        };
        let (row, limits) = match &user.statements {
            Some(_) => class(),
            None => {
                let alike = (user.profile, &*user.roles, &*user.approval_groups);
                *classes.entry(alike).or_insert_with(class)
            }
        };
        user_rows[slot as usize] = match (user.suspended, user.admin) {
            (true, _) => NOBODY,
            (false, true) => ADMIN,
            (false, false) => row,
        };
        user_limits[slot as usize] = limits;
    }

    let lineage = &inner.lineage;
    let none = Ask { bit: gone, node: 0, on_object: false };
    let mut asks = vec![none; lineage.permissions.end(catalogue.bits())];
    for (bit, name) in catalogue.thresholds().enumerate() {
        if let Some(number) = lineage.permissions.of(&name, bit) {
            let node = catalogue.bit_nodes[bit];
            let on_object = catalogue.node(node).kind.is_some();
            asks[number as usize] = Ask { bit: bit as u32, node, on_object };
        }
    }
    let (memberships, user_memberships) = Memberships::new(inner);
    Compiled {
        lineage: lineage.id,
        rows: rows.rows,
        words,
        user_rows,
        asks,
        user_limits,
        limits: limits.finish(),
        user_memberships,
        memberships,
        licensed,
        policy: policy.clone(),
    }
}

/// What a user holds who is neither an admin nor suspended.
pub(crate) fn effective(policy: &Inner, user: &policy::User) -> BitSet {
    let licensed = policy.catalogue.licensed(|feature| policy.is_licensed(feature));
    let mut layers = Layers::of_user(policy, &licensed, user);
    let granted = layers.grants(user).granted;
    layers.effective(&granted)
}

/// Rows in the making: those that are equal are one.
struct Rows {
    words: usize,
    rows: Vec<u64>,
    known: HashMap<Box<[u64]>, Row, RandomState>,
}

impl Rows {
    fn push(&mut self, row: &[u64]) -> Row {
        let at = self.rows.len() / self.words;
        self.rows.extend_from_slice(row);
        self.rows.resize((at + 1) * self.words, 0);
        number(at)
    }

    fn intern(&mut self, row: &[u64]) -> Row {
        if let Some(&known) = self.known.get(row) {
            return known;
        }
        let at = self.push(row);
        self.known.insert(row.into(), at);
        at
    }
}

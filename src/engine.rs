//! A compiled policy: immutable, and asked in nanoseconds.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "counts, positions and sizes of what is in memory"
)]

mod acting;
mod asker;
mod bounding;
mod bulk;
mod decide;
mod expiry;
mod handle;
mod layer;
mod list;
mod membership;
mod rights;
mod rows;
mod separation;
mod stats;
mod user_set;
mod verdict;

use std::fmt;
use std::sync::Arc;

pub(crate) use acting::{Acting, reason_under};
pub use asker::{Asker, OwnedAsker};
pub(crate) use bounding::{Bounding, LimitSet, Limits};
pub use expiry::Expiring;
pub use handle::{Permission, Unknown, UnknownNames, User};
pub use list::Effective;
pub(crate) use rights::{Implied, Rights, reason_on_object};
pub use separation::Violation;
pub(crate) use separation::violations;
pub use stats::Stats;
pub use user_set::UserSet;
pub(crate) use verdict::{Conditional, Verdict};

use crate::bits::{BitSet, Word, is_set, word_for};
use crate::catalogue::{Bit, CapacityRows, Condition, Form, Limit, NodeId};
use crate::chunked::Chunked;
use crate::document::SettingValue;
use crate::ids::{CapacityId, ClassId, Key, Number, SourceId, UserSlot, each};
use crate::names::{HashMap, number};
use crate::object::Target;
use crate::policy::{Class, Difference, Held, Holder, Inner, Policy, Tier};
use handle::Lineage;
pub(crate) use layer::{Layer, Layers, possible};
use membership::Memberships;
use rows::Rows;

/// A policy, compiled to answer questions.
///
/// An engine never changes, is cheap to clone, and can be asked from any number
/// of threads at once: it holds no lock and counts nothing while it answers.
/// When the policy changes, [`Engine::updated`] makes the engine of the new
/// version, and [`Live`](crate::Live) gives it to readers.
///
/// Names become handles once, by [`Engine::user`] and [`Engine::permission`]. On
/// handles, [`can`](Engine::can), [`can_some`](Engine::can_some) and
/// [`level`](Engine::level) do not allocate and look up no names. (There are two
/// exceptions: an object's groups are looked up for a user in more than six groups,
/// those beneath included, and a permission that depends on more than 32 scoped ones
/// allocates.)
///
/// [`check`](Engine::check) asks by names, in one line. For a user who may be unknown,
/// ask with `engine.user(name).unwrap_or(User::NOBODY)`.
///
/// ```
/// use grantree::{Document, Engine, Policy};
/// use grantree::object::DynamicObject;
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
#[derive(Clone)]
pub struct Engine(Compiled);

/// One line, however large the engine is.
impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("policy", self.policy()).finish_non_exhaustive()
    }
}

/// A policy's compiled parts.
///
/// INVARIANT: a class has the same number in all parts, and its row holds only
/// permissions that exist.
#[derive(Clone, Debug)]
struct Compiled {
    /// The lineages to which handles of users and of permissions must belong.
    users: Lineage,
    permissions: Lineage,
    /// The class of each user, by the user's slot. That of a user who has assignments, or
    /// whose slot had others before, is marked: it lies beyond every row.
    classes: Chunked<ClassId, 4096>,
    /// The effective permissions of each class; none for classes that are gone or
    /// suspended.
    rows: Rows<ClassId>,
    /// For each capacity in which users act in an assignment (rule 9): the permissions
    /// effective in it, those that the assignment carries, and the limits on these if
    /// they are not those of the class.
    effective: Rows<CapacityId>,
    carried: Rows<CapacityId>,
    own_limits: Chunked<Option<Limits>, 512>,
    /// The meaning of each permission's number.
    asks: Arc<[Ask]>,
    /// The values of each attribute that pass, for each class.
    limits: Chunked<Option<Limits>, 512>,
    /// The limits of a class that is gone.
    no_limits: Limits,
    memberships: Memberships,
    licensed: Arc<BitSet>,
    policy: Policy,
}

/// A permission as it is asked for: two bits of a row.
#[derive(Clone, Copy, Debug)]
struct Ask {
    /// The permission's own bit, and whether an object can make a difference.
    held: u32,
    /// The bit that is the answer without an object.
    alone: Bit,
}

impl Ask {
    /// Permissions are numbered far below this.
    const ON_OBJECT: u32 = 1 << 31;

    #[inline]
    fn bit(self) -> Bit {
        Bit::from(self.held & !Ask::ON_OBJECT)
    }

    #[inline]
    fn on_object(self) -> bool {
        self.held & Ask::ON_OBJECT != 0
    }

    /// Answers without an object, given the word of a bit.
    // There is no branch on the answer, which no CPU could predict, and whatever the way to
    // the word, what comes after it is the same.
    #[inline]
    fn alone(asked: Option<Ask>, word: impl FnOnce(Bit) -> Word) -> bool {
        let (word, bit) = match asked {
            Some(ask) => (word(ask.alone), ask.alone),
            None => (word_for(false), Bit::default()),
        };
        is_set(word, bit)
    }
}

impl Engine {
    /// Compiles a policy.
    ///
    /// Users with the same sources are compiled once and share one row of bits, so
    /// time and memory grow with the number of different users.
    ///
    /// ```
    /// use grantree::{Document, Engine, Policy};
    ///
    /// let document: Document = serde_json::from_str(r#"{"format": 1, "catalogue": {}}"#)?;
    /// let policy = Policy::try_from(document)?;
    /// let engine = Engine::new(&policy);
    /// assert_eq!(engine.stats().users, 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(policy: &Policy) -> Engine {
        Engine(Compiled::new(policy, None))
    }

    /// Compiles another version of the policy, given this one: what did not
    /// change is shared, and costs nothing.
    ///
    /// The two engines are independent: this one goes on answering as before.
    /// The other answers as [`Engine::new`] of the same policy does. A version from
    /// [`Policy::revise`] and an unrelated policy share nothing, and are compiled
    /// whole.
    ///
    /// Editing a role takes time and memory for each combination of sources that
    /// users with this role have; changing one user, only for that user.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// use grantree::change::{Actor, Change};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "roles": {"clerk": {"allow": ["orders"]}},
    /// #     "users": {"bob": {}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let engine = Engine::new(&policy);
    /// let (bob, orders) = (engine.user("bob")?, engine.permission("orders")?);
    ///
    /// let change = r#"{"assign": {"user": "bob", "source": {"role": "clerk"}}}"#;
    /// let applied = policy.apply(Actor::Host, &serde_json::from_str::<Change>(change)?)?;
    /// let next = engine.updated(&applied.policy);
    /// assert!(next.can(bob, orders, ()) && !engine.can(bob, orders, ()));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn updated(&self, policy: &Policy) -> Engine {
        Engine(Compiled::new(policy, Some(&self.0)))
    }

    /// The policy from which it was compiled.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {},
    /// #     "users": {"alice": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let document = Document::from(engine.policy());
    /// assert!(document.users.get("alice").is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Returns `true` if a user may do this: on an object, `&job`; on an object today,
    /// `(&job, today)`; or without one, `()`.
    ///
    /// A permission that depends on an object is denied without one, except to
    /// admins; for menus and buttons ask [`Engine::can_some`]. A handle of
    /// another policy's engine is denied.
    ///
    /// Costs four loads if no object is needed, or five where users are of many kinds. Otherwise the object is asked for its
    /// kind, and for the relations and attributes that matter, each once. (Relations
    /// beyond the first 16 of a kind may be asked for again, as may attributes that a
    /// scope asks for or that a permission required by a scope checks.)
    ///
    /// ```
    /// # use grantree::{Date, Document, Engine, Policy};
    /// # use grantree::object::DynamicObject;
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"slot": {"attributes": {"starts": "not_before"}, "checks": ["starts"]}},
    /// #         "permissions": [{"key": "reports"}, {"key": "book", "object": "slot"}]},
    /// #     "users": {"bob": {"allow": ["**"], "bounds": {"slot.starts": {"plus_days": 3}}}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let (bob, reports) = (engine.user("bob")?, engine.permission("reports")?);
    /// assert!(engine.can(bob, reports, ()));
    ///
    /// // To be booked three days ahead.
    /// let book = engine.permission("book")?;
    /// let slot = DynamicObject::new("slot").with_attribute("starts", "2026-11-24");
    /// let (today, tomorrow): (Date, Date) = ("2026-11-21".parse()?, "2026-11-22".parse()?);
    /// assert!(engine.can(bob, book, (&slot, today)));
    /// assert!(!engine.can(bob, book, (&slot, tomorrow)));
    /// assert!(!engine.can(bob, book, &slot));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn can<T: Target>(&self, user: User, action: Permission, on: T) -> bool {
        let compiled = &self.0;
        compiled.can(user, compiled.marked_class(user), compiled.ask(action), on)
    }

    /// The user of a handle.
    pub(crate) fn holder(&self, user: User) -> Option<Holder<'_>> {
        self.0.policy().users.holder(self.0.slot(user)?)
    }

    /// The permissions that the licence covers.
    pub(crate) fn licensed(&self) -> &BitSet {
        &self.0.licensed
    }

    /// The bit of a permission's handle, if it belongs to this policy.
    pub(crate) fn bit(&self, action: Permission) -> Option<Bit> {
        let ask = self.0.ask(action)?;
        let known = ask.bit().index() < self.0.policy().catalogue.bits();
        known.then_some(ask.bit())
    }

    /// The revision of the policy from which it was compiled.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {},
    /// #     "users": {"bob": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::change::{Actor, Change};
    ///
    /// let applied = engine.policy().apply(Actor::Host, &Change::RemoveUser { user: "bob".into() })?;
    /// let next = engine.updated(&applied.policy);
    /// assert_eq!((engine.revision(), next.revision()), (0, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn revision(&self) -> u64 {
        self.policy().revision()
    }

    /// [`Engine::can`], by names. An unknown user is denied.
    ///
    /// # Errors
    ///
    /// When the permission, its level or the object's kind is unknown.
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
    /// assert_eq!(engine.check("bob", "orders", ()), Ok(true));
    /// assert_eq!(engine.check("nobody", "orders", ()), Ok(false));
    /// let error = engine.check("bob", "ordres", ()).unwrap_err();
    /// assert_eq!(error.to_string(), "unknown permission `ordres`; did you mean `orders`?");
    /// ```
    pub fn check<T: Target>(&self, user: &str, action: &str, on: T) -> Result<bool, Unknown> {
        let compiled = &self.0;
        let ask = compiled.asks.get(self.number_of(action)? as usize).copied();
        self.check_kind(&on)?;
        let Some(slot) = compiled.policy().users.find(user) else { return Ok(false) };
        let class = compiled.classes.value(slot.index()).unwrap_or(ClassId::VACANT);
        Ok(compiled.can(compiled.handle(slot), class, ask, on))
    }

    /// Returns `true` if a user may do this on some object, on some day: for menus
    /// and buttons, before there is an object.
    ///
    /// It looks at the bounds of the permission and its kind, not at those of what it
    /// answers to, so it may wrongly say yes, but never wrongly no.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"assignee": "user"}}},
    /// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
    /// #             {"key": "own", "when": {"assignee": "me"}}]}]},
    /// #     "users": {"bob": {"allow": ["edit"]}, "eve": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let (bob, edit) = (engine.user("bob")?, engine.permission("edit")?);
    /// assert!(engine.can_some(bob, edit) && !engine.can(bob, edit, ()));
    /// assert!(!engine.can_some(engine.user("eve")?, edit));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn can_some(&self, user: User, action: Permission) -> bool {
        let compiled = &self.0;
        let (Some(slot), Some(bit)) = (compiled.slot(user), self.bit(action)) else {
            return false;
        };
        compiled.allows_some(slot, bit)
    }

    /// The level that a user has of a graded permission, the lowest if nothing is
    /// granted or the user is unknown; `None` if the permission is not graded or its
    /// handle is of another policy.
    ///
    /// On an object it is the highest level that [`Engine::can`] allows. Without one, it
    /// is the level granted in the ordinary capacity or by assignments that cover
    /// everything and hold on the day: if the permission depends on an object, the most
    /// that the user can have.
    ///
    /// A handle to any threshold of the permission will do. A permission has levels or scopes,
    /// not both: if levels depend on how the user relates to the object, model a graded
    /// permission for each relation, beneath one with that scope.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy, User};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [
    /// #         {"key": "orders"},
    /// #         {"key": "price", "levels": ["hidden", "read_only", "read_write"]}]},
    /// #     "users": {"bob": {"levels": {"price": "read_only"}}, "eve": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let (bob, price) = (engine.user("bob")?, engine.permission("price")?);
    /// assert_eq!(engine.level(bob, price, ()), Some("read_only"));
    /// assert_eq!(engine.level(engine.user("eve")?, price, ()), Some("hidden"));
    /// assert_eq!(engine.level(User::NOBODY, price, ()), Some("hidden"));
    /// assert_eq!(engine.level(bob, engine.permission("orders")?, ()), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn level<T: Target>(&self, user: User, permission: Permission, on: T) -> Option<&str> {
        self.levels(user, &on)(permission).map(|(_, level)| level)
    }

    /// Finds the levels that a user has of graded permissions, each with its number.
    fn levels<'e: 'a, 'a, T: Target>(
        &'e self,
        user: User,
        on: &'a T,
    ) -> impl FnMut(Permission) -> Option<(usize, &'e str)> {
        let compiled = &self.0;
        let (slot, (_, today)) = (compiled.slot(user), on.parts());
        let mut view = compiled.view(user, on);
        move |permission| {
            let node = compiled.policy().catalogue.node_of(self.bit(permission)?);
            let Form::Graded(levels) = &node.form else {
                return None;
            };
            let level = match (&mut view, slot) {
                (Some(view), _) => {
                    let highest = each(node.bits()).rev().find(|&bit| view.allows(bit));
                    highest.map_or(0, |bit| node.level_of(bit) as usize)
                }
                (None, Some(slot)) => {
                    let class = compiled.policy().users.class_of(slot);
                    let ordinary = node.level(|bit| compiled.rows.holds(class, bit));
                    let assigned =
                        compiled.acting(slot).filter(|it| it.holds_without_object(today));
                    let levels = assigned.map(|it| node.level(|bit| it.carries(bit)));
                    levels.fold(ordinary, usize::max)
                }
                (None, None) => 0,
            };
            Some((level, &**levels.get(level)?))
        }
    }

    /// Returns whether a user may do something beneath a heading on some object, on some
    /// day: for menus that only group. Costs [`Engine::can_some`] of each permission
    /// beneath it, up to the first yes.
    ///
    /// # Errors
    ///
    /// When the catalogue has no such heading.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// let text = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [
    ///         {"key": "setup", "heading": true, "children": [{"key": "users"}, {"key": "teams"}]}]},
    ///     "users": {"ann": {"allow": ["setup.teams"]}, "bob": {}}
    /// }"#;
    /// let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// assert!(engine.can_some_beneath(engine.user("ann")?, "setup")?);
    /// assert!(!engine.can_some_beneath(engine.user("bob")?, "setup")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn can_some_beneath(&self, user: User, heading: &str) -> Result<bool, Unknown> {
        let compiled = &self.0;
        let catalogue = &compiled.policy().catalogue;
        let is_heading = |&id: &NodeId| catalogue.node(id).form == Form::Heading;
        let Some(id) = catalogue.find(heading).filter(is_heading) else {
            let headings = catalogue.nodes.values().iter().filter(|it| it.form == Form::Heading);
            return Err(Unknown::among("heading", heading, headings.map(|it| &*it.path)));
        };
        let mut bits = each(catalogue.subtree_bits(Some(id)));
        let slot = compiled.slot(user);
        Ok(slot.is_some_and(|slot| bits.any(|bit| compiled.allows_some(slot, bit))))
    }

    /// The handle to a graded permission, named without a level.
    pub(crate) fn graded(&self, path: &str) -> Result<Permission, Unknown> {
        let catalogue = &self.0.policy().catalogue;
        let is_graded = |node: &crate::catalogue::Node| matches!(node.form, Form::Graded(_));
        if catalogue.find(path).is_some_and(|id| is_graded(catalogue.node(id))) {
            return self.permission(path);
        }
        let graded = catalogue.nodes.values().iter().filter(|node| is_graded(node));
        Err(Unknown::among("graded permission", path, graded.map(|node| &*node.path)))
    }

    /// The value of a setting for a user: that of the most specific tier that
    /// states one, or else the default, if any.
    ///
    /// # Errors
    ///
    /// When the setting is unknown.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"settings": {"out_of_hours": {"values": [true, false], "default": false}}},
    /// #     "roles": {"planner": {"settings": {"out_of_hours": true}}},
    /// #     "users": {"alice": {"roles": ["planner"]}, "bob": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::document::SettingValue;
    ///
    /// let (alice, bob) = (engine.user("alice")?, engine.user("bob")?);
    /// assert_eq!(engine.setting(alice, "out_of_hours")?, Some(&SettingValue::Boolean(true)));
    /// assert_eq!(engine.setting(bob, "out_of_hours")?, Some(&SettingValue::Boolean(false)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn setting(&self, user: User, setting: &str) -> Result<Option<&SettingValue>, Unknown> {
        let policy = self.0.policy();
        let settings = &policy.catalogue.settings;
        let Some((at, _, declared)) = settings.get_full(setting) else {
            return Err(Unknown::new("setting", setting, settings));
        };
        let stated = self.0.user(user).and_then(|user| policy.setting(user, number(at)));
        Ok(stated.or(declared.default.as_ref()))
    }
}

impl Inner {
    /// Rule 8: the value that the most specific tier states for a setting; in the role
    /// tier, the first source that states one.
    pub(crate) fn setting<'p>(&'p self, user: &'p Class, setting: u32) -> Option<&'p SettingValue> {
        let mut decided = None;
        for Held { tier, statements, .. } in self.sources_of(user) {
            decided = decided_by(decided, tier, statements.setting(setting));
        }
        decided.map(|(_, value)| value)
    }

    /// The same of all settings that shared sources state, of which these are the ones that
    /// state any, in order.
    pub(crate) fn shared_settings(&self, sources: &[SourceId]) -> HashMap<u32, &SettingValue> {
        let mut decided = HashMap::default();
        let shared = [SourceId::GLOBAL].into_iter().chain(sources.iter().copied());
        for Held { tier, statements, .. } in shared.map(|id| self.sources.held(id)) {
            for (setting, value) in &statements.settings {
                let known = decided.entry(*setting).or_default();
                *known = decided_by(*known, tier, Some(value));
            }
        }
        let decided = decided.into_iter();
        decided.filter_map(|(setting, it)| it.map(|(_, value)| (setting, value))).collect()
    }
}

/// A value of a setting, and the tier of the source that states it.
type Decided<'p> = Option<(Tier, &'p SettingValue)>;

/// Returns the value that decides, of those of more general sources and one more.
fn decided_by<'p>(
    decided: Decided<'p>,
    tier: Tier,
    value: Option<&'p SettingValue>,
) -> Decided<'p> {
    let value = value.filter(|_| decided.is_none_or(|(of, _)| tier > of));
    value.map(|value| (tier, value)).or(decided)
}

impl Compiled {
    #[inline]
    fn policy(&self) -> &Inner {
        self.policy.inner()
    }

    /// The number of users up to which their classes take no more memory than they need: of a
    /// tenant, say, of whom there may be thousands.
    const FEW: usize = 512;

    /// The class of a user, marked if there is more to look at: assignments, or the
    /// generation.
    // So there is one way on for all who are to be looked up, and others pay little.
    #[inline]
    fn marked_class(&self, user: User) -> ClassId {
        let class = self.classes.value(user.0.place(self.users));
        class.unwrap_or(ClassId::VACANT.marked(true))
    }

    /// Decides for a user of a class, which is marked if there is more to look at.
    #[inline]
    fn can<T: Target>(&self, user: User, class: ClassId, ask: Option<Ask>, on: T) -> bool {
        let (object, today) = on.parts();
        let Some(object) = object else {
            let word = |bit| self.rows.word(class, bit, || self.holds_assigned(user, bit, on));
            return Ask::alone(ask, word);
        };
        let Some(ask) = ask else { return false };
        if class.is_marked() {
            return self.allows_assigned(user, ask, object, today);
        }
        let (row, bit) = (self.rows.piece(class), ask.bit());
        self.rows.holds(class, bit)
            && (!ask.on_object() || self.allows_on(user, class, row, bit, object, today))
    }

    fn class(&self, user: User) -> Option<ClassId> {
        Some(self.policy().users.class_of(self.slot(user)?))
    }

    #[inline]
    fn ask(&self, action: Permission) -> Option<Ask> {
        self.asks.get(action.0.place(self.permissions)).copied()
    }

    /// Returns whether a user may do this on some object, on some day, in any capacity.
    fn allows_some(&self, slot: UserSlot, bit: Bit) -> bool {
        let Some(&marked) = self.classes.get(slot.index()) else { return false };
        let class = marked.marked(false);
        let ordinary = || {
            self.rows.holds(class, bit)
                && self.condition(bit).is_none_or(|it| self.checks_passable(class, it))
        };
        ordinary() || marked.is_marked() && self.allows_some_assigned(slot, bit)
    }

    #[inline]
    fn is_admin(&self, class: ClassId) -> bool {
        self.rows.holds(class, self.rows.admin)
    }

    #[inline]
    fn limits(&self, class: ClassId) -> &LimitSet {
        let limits = self.limits.get(class.index()).and_then(Option::as_ref);
        limits.unwrap_or(&self.no_limits)
    }

    /// The class of a user, marked only for one who has assignments; that of removed users,
    /// whose row is empty, for nobody.
    #[inline]
    fn class_to_ask(&self, user: User) -> ClassId {
        let class = self.marked_class(user);
        if class.is_marked() { self.class_looked_up(user) } else { class }
    }

    #[cold]
    #[inline(never)]
    fn class_looked_up(&self, user: User) -> ClassId {
        let Some(slot) = self.slot(user) else { return ClassId::VACANT };
        let users = &self.policy().users;
        users.class_of(slot).marked(!users.assigned(slot).is_empty())
    }

    /// The slot of a user.
    #[inline]
    fn slot(&self, user: User) -> Option<UserSlot> {
        let seat = user.seat(self.users);
        (self.policy().users.seat(seat.slot) == seat).then_some(seat.slot)
    }

    /// The slot of a user who has a class.
    #[inline]
    fn known_slot(&self, user: User) -> UserSlot {
        user.seat(self.users).slot
    }

    /// The handle to the user of a slot.
    fn handle(&self, slot: UserSlot) -> User {
        User::new(self.users, self.policy().users.seat(slot))
    }

    fn user(&self, user: User) -> Option<&Class> {
        Some(self.policy().users.get(self.slot(user)?)?.1)
    }

    #[inline]
    fn condition(&self, bit: Bit) -> Option<&Condition> {
        self.policy().catalogue.node_of(bit).condition.as_deref()
    }
}

impl Compiled {
    /// Compiles a policy, given another version compiled, if any.
    fn new(policy: &Policy, before: Option<&Compiled>) -> Compiled {
        let inner = policy.inner();
        let catalogue = &inner.catalogue;
        let before = before.filter(|before| {
            let known = before.policy();
            known.lineage.is(&inner.lineage) && Arc::ptr_eq(&known.catalogue, catalogue)
        });
        let Some(before) = before else {
            let mut compiled = Compiled::without_asks(policy);
            compiled.asks = asks(inner, &compiled.licensed, &compiled.rows);
            return compiled;
        };
        let known = before.policy();
        let mut compiled = before.clone();
        if known.licence != inner.licence {
            let licensed = catalogue.licensed(|feature| inner.is_licensed(feature));
            compiled.asks = asks(inner, &licensed, &compiled.rows);
            compiled.licensed = Arc::new(licensed);
        }
        compiled.memberships = Memberships::new(inner, Some((known, &before.memberships)));
        compiled.policy = policy.clone();
        let difference = Difference::new(known, inner);
        let new = || inner.users.classes_since(&known.users);
        compiled.compile_limits(new());
        compiled.compile_rows(new());
        let capacities = inner.users.capacities_since(&known.users);
        if difference.is_empty() {
            compiled.compile_capacities(capacities);
        } else {
            let touched = || {
                let classes = inner.users.classes().map(|(id, class)| (id, Some(class)));
                classes.filter(|(_, class)| class.is_some_and(|class| difference.touches(class)))
            };
            if difference.touches_limits() {
                compiled.compile_limits(touched());
            }
            compiled.compile_rows(touched());
            let touched = inner.users.capacities().filter(|(_, capacity)| {
                let class = inner.users.class(capacity.class);
                difference.touches_sources(&capacity.own.sources)
                    || class.is_some_and(|class| difference.touches(class))
            });
            let touched = touched.map(|(id, capacity)| (id, Some(capacity)));
            compiled.compile_capacities(capacities.chain(touched));
        }
        compiled
    }

    /// Compiles a policy, without the meaning of the numbers in handles to permissions.
    fn without_asks(policy: &Policy) -> Compiled {
        let inner = policy.inner();
        let catalogue = &inner.catalogue;
        let licensed = catalogue.licensed(|feature| inner.is_licensed(feature));
        let mut compiled = Compiled {
            users: Lineage::new(inner.lineage.range),
            permissions: Lineage::new(inner.permissions.range),
            classes: Chunked::default(),
            asks: Arc::default(),
            effective: Rows::new(catalogue.bits()),
            carried: Rows::new(catalogue.bits()),
            own_limits: Chunked::default(),
            rows: Rows::new(catalogue.bits()),
            limits: Chunked::default(),
            no_limits: Limits::default(),
            memberships: Memberships::new(inner, None),
            licensed: Arc::new(licensed),
            policy: policy.clone(),
        };
        let classes = || inner.users.classes().map(|(id, class)| (id, Some(class)));
        compiled.compile_limits(classes());
        compiled.compile_rows(classes());
        compiled.compile_capacities(inner.users.capacities().map(|(id, it)| (id, Some(it))));
        compiled
    }

    /// Compiles the limits of some classes of the policy: those that are new, changed or gone.
    fn compile_limits<'p>(&mut self, classes: impl Iterator<Item = (ClassId, Option<&'p Class>)>) {
        let policy = self.policy.clone();
        let mut bounding = Bounding::new(policy.inner());
        for (id, class) in classes {
            self.limits.set(id.index(), class.map(|class| bounding.limits(class)));
        }
    }

    /// Compiles their rows.
    fn compile_rows<'p>(&mut self, classes: impl Iterator<Item = (ClassId, Option<&'p Class>)>) {
        let policy = self.policy.clone();
        let policy = policy.inner();
        self.classes = policy.users.class_numbers().in_leaves(Compiled::FEW);
        let mut layers = Layers::new(policy, &self.licensed);
        let mut all = BitSet::new(policy.catalogue.bits() + 2);
        all.union_with(&self.licensed);
        all.insert(self.rows.admin);
        self.rows.reach(policy.users.class_slots());
        for (id, class) in classes {
            match class.filter(|class| !class.suspended) {
                None => self.rows.set(id, &[]),
                Some(class) if class.admin => self.rows.set(id, all.words()),
                Some(class) => {
                    let granted = layers.grants(class).granted;
                    self.rows.set(id, layers.effective(&granted).words());
                }
            }
        }
    }
}

/// Finds the meaning of each permission's number.
fn asks(policy: &Inner, licensed: &BitSet, rows: &Rows<ClassId>) -> Arc<[Ask]> {
    let (catalogue, numbers) = (&policy.catalogue, &policy.permissions);
    let gone = Ask { held: rows.nobody().number(), alone: rows.nobody() };
    let mut asks = vec![gone; numbers.end(catalogue.bits())];
    for (bit, name) in Bit::first(catalogue.bits()).zip(catalogue.thresholds()) {
        let number = numbers.of(&name, bit.index());
        if let Some(ask) = number.and_then(|number| asks.get_mut(number as usize)) {
            let alone = match catalogue.node_of(bit).condition.as_deref() {
                Some(it) if it.needs_object && licensed.contains(bit) => rows.admin,
                Some(it) if it.needs_object => rows.nobody(),
                _ => bit,
            };
            let on_object = catalogue.node_of(bit).condition.is_some();
            let held = bit.number() | if on_object { Ask::ON_OBJECT } else { 0 };
            *ask = Ask { held, alone };
        }
    }
    asks.into()
}

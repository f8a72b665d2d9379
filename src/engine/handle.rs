//! Resolves names to handles, once.

use std::error::Error;
use std::fmt;

use super::Engine;
use crate::catalogue::{Catalogue, Unresolved};
use crate::ids::{Key, Number, UserSlot};
use crate::names::{NameMap, keys};
use crate::object::{DynamicObject, Id, Object, Target};
use crate::policy::{HandleRange, Seat};
use crate::problem::{Line, ProblemKind, Problems, error_list, nearest};

/// A handle to a user: proof that the policy knows the name.
///
/// It is valid for engines of later versions of the same policy
/// ([`Policy::revise`](crate::Policy::revise)), as long as they have a user of that
/// name: a user removed and added again is a different one, even where the new one takes the
/// place of the former in memory. A handle from a version that was discarded is nobody's in
/// every other. For any other engine it
/// is a user who may do nothing. (A process can tell 2³⁶ policies apart. Handles of those
/// that it makes after so many are nobody's.)
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "users": {"bob": {"allow": ["orders"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let (bob, orders) = (engine.user("bob")?, engine.permission("orders")?);
/// assert!(engine.can(bob, orders, ()));
///
/// // To the engine of another policy, this is an unknown user.
/// let other = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// assert!(!other.can(bob, other.permission("orders")?, ()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct User(pub(super) Handle);

/// A handle to a permission, or to a threshold of a graded one.
///
/// It is valid for engines of later versions of the same policy
/// ([`Policy::revise`](crate::Policy::revise)), and of all policies that share its catalogue
/// ([`PolicyBuilder::catalogue_of`](crate::PolicyBuilder::catalogue_of)), as long as they have
/// a permission of that name. For any other engine it is one that nobody holds.
///
/// Look it up at the start, and keep it:
///
/// ```
/// # use grantree::{Document, Engine, Permission, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
/// #     "users": {"bob": {"allow": ["orders"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// struct Actions {
///     view: Permission,
///     export: Permission,
/// }
///
/// let actions =
///     Actions { view: engine.permission("orders")?, export: engine.permission("orders.export")? };
/// let bob = engine.user("bob")?;
/// assert!(engine.can(bob, actions.view, ()) && !engine.can(bob, actions.export, ()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Permission(pub(super) Handle);

/// A number within the range of its lineage.
///
/// Read in the wrong lineage, it is a number beyond any table, so that looking it
/// up finds nothing: checking the lineage costs nothing extra.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Handle(u64);

/// A lineage, as handles are read in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lineage {
    /// The sum of this and a handle is the handle's number: adding needs no copy of the
    /// handle first, as other ways to take a lineage away would.
    offset: u64,
}

impl Lineage {
    pub(super) fn new(range: HandleRange) -> Lineage {
        Lineage { offset: range.begin.wrapping_neg() }
    }
}

impl User {
    pub(super) fn new(lineage: Lineage, Seat { slot, generation }: Seat) -> User {
        User(Handle::new(lineage, generation, slot.number()))
    }

    /// The seat, if the handle is of that lineage.
    #[inline]
    pub(super) fn seat(self, lineage: Lineage) -> Seat {
        let (number, size) = (self.0.0.wrapping_add(lineage.offset), HandleRange::SIZE as u64);
        let slot = UserSlot::from(u32::try_from(number % size).unwrap_or(u32::MAX));
        Seat { slot, generation: number / size }
    }

    /// Stands for everybody whom the policy does not know: may do nothing, and is explained
    /// as an unknown user.
    ///
    /// ```
    /// use grantree::{Document, Engine, Policy, Reason, User};
    ///
    /// let text = r#"{"format": 1, "catalogue": {"permissions": [{"key": "orders"}]}}"#;
    /// let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let user = engine.user("a stranger").unwrap_or(User::NOBODY);
    /// assert_eq!(engine.why(user, engine.permission("orders")?, ()), Reason::UnknownUser);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const NOBODY: User = User(Handle::NOBODY);
}

impl Handle {
    /// Lies beyond every range.
    const NOBODY: Handle = Handle(u64::MAX);

    /// The handle of a number in a range, by its distance from that of the lineage.
    pub(super) fn new(lineage: Lineage, distance: u64, number: u32) -> Handle {
        if number as usize >= HandleRange::SIZE || lineage.offset == 0 {
            return Handle::NOBODY;
        }
        let begin = distance.wrapping_mul(HandleRange::SIZE as u64).wrapping_sub(lineage.offset);
        Handle(begin.wrapping_add(u64::from(number)))
    }

    /// Its place in a table of that lineage; beyond the end of any table if it is
    /// of another lineage.
    #[inline]
    pub(super) fn place(self, lineage: Lineage) -> usize {
        usize::try_from(self.0.wrapping_add(lineage.offset)).unwrap_or(usize::MAX)
    }
}

/// A question that names something unknown to the policy, and so has no answer.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "users": {"bob": {"allow": ["orders"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let unknown = engine.check("bob", "ordres", ()).unwrap_err();
/// assert_eq!(unknown.to_string(), "unknown permission `ordres`; did you mean `orders`?");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown(Box<ProblemKind>);

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Line(&self.0).fmt(f)
    }
}

impl Error for Unknown {}

/// The first of an entry's problems.
impl From<Problems> for Unknown {
    fn from(problems: Problems) -> Unknown {
        let kind = problems.iter().next().map(|problem| problem.kind().clone());
        Unknown(Box::new(kind.unwrap_or(ProblemKind::Missing)))
    }
}

impl Unknown {
    pub(super) fn new<V>(what: &'static str, name: &str, known: &NameMap<V>) -> Unknown {
        Unknown::among(what, name, keys(known))
    }

    pub(crate) fn among<'a>(
        what: &'static str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Unknown {
        let nearest = nearest(name, known);
        let (name, known, found_as) = (name.to_owned(), Vec::new(), None);
        Unknown(Box::new(ProblemKind::Unknown { what, name, nearest, known, found_as }))
    }

    /// An error of a text that names no permission.
    pub(crate) fn of_permission(
        unresolved: Unresolved,
        name: &str,
        catalogue: &Catalogue,
    ) -> Unknown {
        match unresolved.problem(name, catalogue) {
            Ok(kind) => Unknown(Box::new(kind)),
            Err(path) => Unknown::among("permission", path, catalogue.paths()),
        }
    }

    /// An error of a question a part of which can't be read.
    pub(crate) fn malformed(expected: &'static str) -> Unknown {
        let found = "something else".to_owned();
        Unknown(Box::new(ProblemKind::Form { expected, found }))
    }

    /// Returns the problem: the unknown name, and the nearest known one.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::problem::ProblemKind;
    ///
    /// let unknown = engine.permission("ordres").unwrap_err();
    /// let ProblemKind::Unknown { what, nearest, .. } = unknown.kind() else { panic!("{unknown}") };
    /// assert_eq!((*what, nearest.as_deref()), ("permission", Some("orders")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn kind(&self) -> &ProblemKind {
        &self.0
    }
}

/// All unknown names among several that were looked up at once, at least one.
///
/// Displays as one name per line.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{"format": 1, "catalogue": {"permissions": [{"key": "orders"}, {"key": "jobs"}]}}"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let unknown = engine.permissions(["ordres", "orders", "jbos"]).unwrap_err();
/// assert_eq!(unknown.to_string(), "\
/// unknown permission `ordres`; did you mean `orders`?
/// unknown permission `jbos`; did you mean `jobs`?");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct UnknownNames(Vec<Unknown>);

error_list!(UnknownNames of Unknown);

impl Engine {
    /// The handle to a user, by name or a host's own id. Costs one look-up in a hash table.
    ///
    /// # Errors
    ///
    /// When the policy has no user of that name. (A question about an unknown user
    /// does have an answer: no.)
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {},
    /// #     "users": {"alice": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// assert!(engine.user("alice").is_ok());
    /// assert_eq!(engine.user("alcie").unwrap_err().to_string(), "unknown user `alcie`");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn user(&self, name: impl Id) -> Result<User, Unknown> {
        name.with_text(|name| match self.0.policy().users.find(name) {
            Some(slot) => Ok(self.0.handle(slot)),
            // No other user's name is suggested: there may be millions, and which
            // users exist may be confidential.
            None => Err(Unknown::among("user", name, [])),
        })
    }

    /// The handles to several permissions; [`permissions!`](crate::permissions) declares a
    /// struct of them.
    ///
    /// # Errors
    ///
    /// All names that the catalogue lacks.
    pub fn permissions<const N: usize>(
        &self,
        names: [&str; N],
    ) -> Result<[Permission; N], UnknownNames> {
        let handles = names.map(|name| self.permission(name));
        let unknown = handles.iter().filter_map(|handle| handle.as_ref().err()).cloned();
        let unknown: Vec<Unknown> = unknown.collect();
        if !unknown.is_empty() {
            return Err(UnknownNames(unknown));
        }
        // None of them is unknown; the handle of nobody stands for what is not there.
        Ok(handles.map(|handle| handle.unwrap_or(Permission(Handle::NOBODY))))
    }

    /// Returns whether a handle to a permission was taken from this policy, from another
    /// version of it, or from one that shares its catalogue.
    ///
    /// If not, every answer is no, even to admins, and [why](Engine::why) is
    /// [`Reason::UnknownPermission`](crate::Reason::UnknownPermission): somebody
    /// [replaced the policy](crate::Live::replace_lineage) and kept the handles, say. An
    /// assertion notices that in debug builds. [`permissions!`](crate::permissions) has one for
    /// all of its struct, `are_of`.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{"format": 1, "catalogue": {"permissions": [{"key": "orders"}]}}"#;
    /// # let engine = || -> Result<_, Box<dyn std::error::Error>> {
    /// #     Ok(Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?))
    /// # };
    /// let (engine, other) = (engine()?, engine()?);
    /// let orders = engine.permission("orders")?;
    /// debug_assert!(engine.owns(orders), "a permission of another policy");
    /// assert!(!other.owns(orders));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn owns(&self, permission: Permission) -> bool {
        permission.0.place(self.0.permissions) < HandleRange::SIZE
    }

    /// Returns the name of a permission, as `path` or `path:level`, for logs; nothing for a
    /// handle of another policy, or one whose permission is gone.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{"format": 1, "catalogue": {"permissions": [{"key": "orders"}]}}"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let orders = engine.permission("orders")?;
    /// assert_eq!(engine.name_of(orders).as_deref(), Some("orders"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn name_of(&self, permission: Permission) -> Option<String> {
        Some(self.0.policy().catalogue.name_of(self.bit(permission)?))
    }

    /// Returns the name of a user, for logs and as the actor of a change; nothing for a handle
    /// of another policy, or one whose user is gone.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy, User};
    /// # let text = r#"{"format": 1, "catalogue": {}, "users": {"7": {}}}"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// assert_eq!(engine.name_of_user(engine.user(7)?), Some("7"));
    /// assert_eq!(engine.name_of_user(User::NOBODY), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn name_of_user(&self, user: User) -> Option<&str> {
        Some(self.holder(user)?.name)
    }

    /// The handle to a permission: `path`, or `path:level` for a level above the
    /// lowest of a graded one. Without a level, it is the second level.
    ///
    /// Costs one or two look-ups in a hash table.
    ///
    /// # Errors
    ///
    /// When the catalogue has no such permission or level, or it is a heading or
    /// the lowest level.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [
    /// #         {"key": "price", "levels": ["hidden", "read_only", "read_write"]}]},
    /// #     "users": {"bob": {"levels": {"price": "read_only"}}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let bob = engine.user("bob")?;
    /// assert!(engine.can(bob, engine.permission("price")?, ()));
    /// assert!(!engine.can(bob, engine.permission("price:read_write")?, ()));
    /// let error = engine.permission("pirce").unwrap_err();
    /// assert_eq!(error.to_string(), "unknown permission `pirce`; did you mean `price`?");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn permission(&self, name: &str) -> Result<Permission, Unknown> {
        let number = self.number_of(name)?;
        Ok(Permission(Handle::new(self.0.permissions, 0, number)))
    }

    /// The number of a permission, as handles have it.
    pub(super) fn number_of(&self, name: &str) -> Result<u32, Unknown> {
        let policy = self.0.policy();
        let catalogue = &policy.catalogue;
        let unknown = |unresolved| Unknown::of_permission(unresolved, name, catalogue);
        let bit = catalogue.threshold(name).map_err(unknown)?;
        // In a first version, positions are numbers, and no name need be built.
        let numbers = &policy.permissions;
        let number = if numbers.are_positions() {
            Some(bit.number())
        } else {
            numbers.of(&catalogue.name_of(bit), bit.index())
        };
        number.ok_or_else(|| Unknown::among("permission", name, []))
    }

    /// Checks that an object names nothing unknown: its kind, its relations and its
    /// attributes. Questions by name check this whoever asks.
    ///
    /// # Errors
    ///
    /// The first unknown name.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # use grantree::object::DynamicObject;
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"objects": {"job": {"relations": {"assignee": "user"}}}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let job = DynamicObject::new("job").with_relation("asignee", ["bob"]);
    /// let error = engine.check_object(&job).unwrap_err();
    /// assert_eq!(error.to_string(), "unknown relation `asignee`; did you mean `assignee`?");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn check_object(&self, object: &DynamicObject) -> Result<(), Unknown> {
        self.check_kind(&object)?;
        let Some(kind) = self.0.policy().catalogue.kinds.get(object.kind()) else {
            return Ok(());
        };
        let mut relations = object.relations();
        if let Some(name) = relations.find(|&name| !kind.relations.contains_key(name)) {
            return Err(Unknown::new("relation", name, &kind.relations));
        }
        let mut attributes = object.attributes();
        if let Some(name) = attributes.find(|&name| !kind.attributes.contains_key(name)) {
            return Err(Unknown::new("attribute", name, &kind.attributes));
        }
        Ok(())
    }

    pub(crate) fn check_kind<T: Target>(&self, on: &T) -> Result<(), Unknown> {
        let kinds = &self.0.policy().catalogue.kinds;
        match on.parts().0.map(Object::kind) {
            Some(kind) if !kinds.contains_key(kind) => {
                Err(Unknown::new("object kind", kind, kinds))
            }
            _ => Ok(()),
        }
    }
}

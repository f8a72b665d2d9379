//! Lists: all that a user holds, and all users who hold something.

use std::cmp::Ordering;
use std::fmt;

use serde::{Serialize, Serializer};

use super::{Engine, Permission, Unknown, User, UserSet};
use crate::bits::{WORD, Word, bit_if, ones};
use crate::catalogue::Bit;
use crate::ids::{ClassId, IdVec, Key, Number, UserSlot};
use crate::object::Target;
use crate::policy::Assigned;

/// A permission that a user holds.
///
/// Displays, and serializes, the way a question names it: `path`, or `path:level`.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [
/// #         {"key": "orders"}, {"key": "price", "levels": ["hidden", "read_only"]}]},
/// #     "users": {"bob": {"allow": ["orders", "price"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let held = engine.effective(engine.user("bob")?);
/// assert_eq!(held[0].to_string(), "orders");
/// assert_eq!(held[1].to_string(), "price:read_only");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Effective<'e> {
    path: &'e str,
    level: Option<&'e str>,
}

impl<'e> Effective<'e> {
    /// The permission's path.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "price", "levels": ["hidden", "read_only"]}]},
    /// #     "users": {"bob": {"allow": ["price"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// assert_eq!(engine.effective(engine.user("bob")?)[0].path(), "price");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn path(&self) -> &'e str {
        self.path
    }

    /// The level, above the lowest, of a graded permission.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [
    /// #         {"key": "orders"}, {"key": "price", "levels": ["hidden", "read_only"]}]},
    /// #     "users": {"bob": {"allow": ["orders", "price"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let held = engine.effective(engine.user("bob")?);
    /// assert_eq!((held[0].level(), held[1].level()), (None, Some("read_only")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn level(&self) -> Option<&'e str> {
        self.level
    }

    /// Compares as text.
    pub(crate) fn cmp_as_text(&self, other: &Effective<'_>) -> Ordering {
        self.bytes().cmp(other.bytes())
    }

    fn bytes(&self) -> impl Iterator<Item = u8> {
        let level = self.level.into_iter().flat_map(|level| [":", level]);
        std::iter::once(self.path).chain(level).flat_map(str::bytes)
    }
}

impl fmt::Display for Effective<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path)?;
        self.level.map_or(Ok(()), |level| write!(f, ":{level}"))
    }
}

impl Serialize for Effective<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Engine {
    /// All that a user holds, sorted as text: permissions that can be granted, and
    /// scoped nodes of which a scope is effective; a graded permission with its
    /// level, if that is above the lowest.
    ///
    /// A permission held may still depend on the object. A handle of another policy
    /// holds nothing.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [
    /// #         {"key": "orders", "children": [{"key": "export"}, {"key": "quotes"}]},
    /// #         {"key": "price", "levels": ["hidden", "read_only", "read_write"]}]},
    /// #     "users": {"bob": {"allow": ["orders.**"], "deny": ["orders.quotes"],
    /// #         "levels": {"price": "read_only"}}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let held = engine.effective(engine.user("bob")?);
    /// let held: Vec<String> = held.iter().map(ToString::to_string).collect();
    /// assert_eq!(held, ["orders", "orders.export", "price:read_only"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn effective(&self, user: User) -> Vec<Effective<'_>> {
        let class = self.0.class(user).unwrap_or(ClassId::VACANT);
        self.listed(self.0.rows.row(class))
    }

    /// Returns everything that one of a user's assignments carries, whatever its terms, in
    /// the form of [`Engine::effective`]. An admin has everything in each assignment, a
    /// suspended user nothing.
    ///
    /// # Errors
    ///
    /// When the user has no assignment of that name.
    pub fn effective_in(
        &self,
        user: User,
        assignment: &str,
    ) -> Result<Vec<Effective<'_>>, Unknown> {
        let compiled = &self.0;
        let slot = compiled.slot(user);
        let class = compiled.class(user).unwrap_or(ClassId::VACANT);
        let assigned = slot.map(|slot| compiled.policy().users.assigned(slot)).unwrap_or_default();
        let Some(found) = assigned.iter().find(|it| *it.name == *assignment) else {
            let known = assigned.iter().map(|it| &*it.name);
            return Err(Unknown::among("assignment", assignment, known));
        };
        Ok(if compiled.is_admin(class) {
            self.listed(compiled.rows.row(class))
        } else {
            self.listed(compiled.carried.row(found.capacity))
        })
    }

    pub(super) fn listed(&self, row: impl Iterator<Item = Word>) -> Vec<Effective<'_>> {
        let catalogue = &self.0.policy().catalogue;
        let mut held: Vec<Effective<'_>> = Vec::new();
        for bit in ones(row) {
            let node = catalogue.node_of(bit);
            if bit > node.bit {
                // This is the next level of the same permission.
                held.pop();
            }
            held.push(self.effective_at(bit));
        }
        held.sort_by(Effective::cmp_as_text);
        held
    }

    /// Returns a permission at the level of a bit.
    pub(crate) fn effective_at(&self, bit: Bit) -> Effective<'_> {
        let node = self.0.policy().catalogue.node_of(bit);
        Effective { path: &node.path, level: node.level_name(node.level_of(bit) as usize) }
    }

    /// The users who may do this, in the policy's order: on this object or,
    /// without one, on some object.
    ///
    /// Costs a decision for each combination of sources, and a load or two for each
    /// user: without an object, some milliseconds for a million users. With
    /// one, it costs a decision for each user who holds the permission.
    ///
    /// [`Engine::users_who_can`] returns handles, and takes less time where names are not
    /// needed; [`Engine::who_can_by_source`] returns the sources that let them in, too.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # use grantree::object::DynamicObject;
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"assignee": "user"}}},
    /// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
    /// #             {"key": "own", "when": {"assignee": "me"}}]}]},
    /// #     "users": {"ann": {"allow": ["edit"]}, "bob": {"allow": ["edit"]}, "root": {"admin": true}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let edit = engine.permission("edit")?;
    /// assert_eq!(engine.who_can(edit, ()), ["ann", "bob", "root"]);
    /// let job = DynamicObject::new("job").with_relation("assignee", ["bob"]);
    /// assert_eq!(engine.who_can(edit, &job), ["bob", "root"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn who_can<T: Target>(&self, action: Permission, on: T) -> Vec<&str> {
        let users = self.users_who_can(action, on);
        // Room for all: a million names are then moved only once.
        let mut names = Vec::with_capacity(users.len());
        names.extend(users.names());
        names
    }

    /// Returns the same users as a set, of which the handles or the names are asked, or
    /// whether somebody is in it.
    pub fn users_who_can<T: Target>(&self, action: Permission, on: T) -> UserSet<'_> {
        let classes = self.admitted_classes(action, on);
        UserSet::new(self, self.admitted_words(action, on, &classes))
    }

    /// For each class, whether its users may do this; `None` if that differs by
    /// user.
    pub(crate) fn admitted_classes<T: Target>(
        &self,
        action: Permission,
        on: T,
    ) -> IdVec<ClassId, Option<bool>> {
        let compiled = &self.0;
        let users = &compiled.policy().users;
        let mut classes = IdVec::filled(users.class_slots(), Some(false));
        let Some(ask) = compiled.ask(action) else {
            return classes;
        };
        let without_object = on.parts().0.is_none();
        let holding = ClassId::first(users.class_slots());
        for class in holding.filter(|&class| compiled.rows.holds(class, ask.bit())) {
            classes[class] = match compiled.condition(ask.bit()) {
                Some(it) if without_object => Some(compiled.checks_passable(class, it)),
                Some(_) if !compiled.is_admin(class) => None,
                _ => Some(true),
            };
        }
        classes
    }

    /// The users who may do this, by a bit for each slot.
    fn admitted_words<T: Target>(
        &self,
        action: Permission,
        on: T,
        classes: &IdVec<ClassId, Option<bool>>,
    ) -> Vec<Word> {
        let numbers = &self.0.classes;
        let words = numbers.chunks(WORD).zip((0u32..).step_by(WORD)).map(|(numbers, first)| {
            let (mut admitted, mut open) = (0, 0);
            // There is no branch on the class: no CPU could predict which way it goes.
            for (at, class) in numbers.iter().enumerate() {
                let by_class = classes.find(class.marked(false)).copied().unwrap_or(Some(false));
                let is_admitted = by_class == Some(true);
                admitted |= bit_if(at, is_admitted);
                open |= bit_if(at, by_class.is_none() | (class.is_marked() & !is_admitted));
            }
            for bit in ones([open]) {
                let slot = UserSlot::from(first).plus(bit.number());
                admitted |= bit_if(bit.index(), self.admits(slot, action, on));
            }
            admitted
        });
        words.collect()
    }

    /// Returns whether a user may do this whose class does not decide it.
    fn admits<T: Target>(&self, slot: UserSlot, action: Permission, on: T) -> bool {
        let compiled = &self.0;
        if on.parts().0.is_none() {
            self.bit(action).is_some_and(|bit| compiled.allows_some_assigned(slot, bit))
        } else {
            self.can(compiled.handle(slot), action, on)
        }
    }

    /// The slots of the users who may do this, and their classes.
    pub(crate) fn admitted<T: Target>(
        &self,
        action: Permission,
        on: T,
        classes: &IdVec<ClassId, Option<bool>>,
    ) -> impl Iterator<Item = (UserSlot, ClassId)> {
        let slots = ones(self.admitted_words(action, on, classes));
        let slots = slots.map(|bit| UserSlot::from(bit.number()));
        slots.map(|slot| (slot, self.0.policy().users.class_of(slot)))
    }

    /// The assignment that lets in a user who may do this; `None` if the ordinary capacity
    /// does.
    pub(crate) fn admitting<T: Target>(
        &self,
        (slot, class): (UserSlot, ClassId),
        action: Permission,
        on: T,
        classes: &IdVec<ClassId, Option<bool>>,
    ) -> Option<&Assigned> {
        let compiled = &self.0;
        if classes[class] == Some(true) {
            None
        } else if on.parts().0.is_none() {
            compiled.some_assigned(slot, self.bit(action)?)
        } else {
            self.decision(compiled.handle(slot), action, on.parts()).1
        }
    }
}

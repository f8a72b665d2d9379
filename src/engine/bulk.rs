//! Many questions at once.

use super::decide::{Ordinary, View};
use super::{Ask, Engine, Permission, User};
use crate::object::{Object, Target, Today};

impl Engine {
    /// [`Engine::can`] for many actions, in their order: for a screen with all its
    /// buttons.
    ///
    /// The object is asked only once for each of the first 16 relations of its
    /// kind, however many of the actions depend on it. Only the answers are
    /// allocated.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # use grantree::object::DynamicObject;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"assignee": "user"}}},
    /// #         "permissions": [
    /// #             {"key": "view", "object": "job"},
    /// #             {"key": "edit", "object": "job", "scopes": [
    /// #                 {"key": "own", "when": {"assignee": "me"}}]},
    /// #             {"key": "delete", "object": "job"}
    /// #         ]
    /// #     },
    /// #     "users": {"alice": {"allow": ["view", "edit"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let alice = engine.user("alice")?;
    /// let mut buttons = Vec::new();
    /// for name in ["view", "edit", "delete"] {
    ///     buttons.push(engine.permission(name)?);
    /// }
    /// let job = DynamicObject::new("job").with_relation("assignee", ["alice"]);
    /// assert_eq!(engine.can_actions(alice, &buttons, &job), [true, true, false]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn can_actions<T: Target>(&self, user: User, actions: &[Permission], on: T) -> Vec<bool> {
        let compiled = &self.0;
        let (Some(object), today) = on.parts() else {
            return actions.iter().map(|&action| self.can(user, action, on)).collect();
        };
        let (Some(slot), Some(class)) = (compiled.slot(user), compiled.class(user)) else {
            return vec![false; actions.len()];
        };
        if compiled.has_assignments(slot) {
            return actions.iter().map(|&action| self.can(user, action, on)).collect();
        }
        let mut view = View::new(compiled, Ordinary { compiled, class }, slot, object, today);
        let mut can = |ask: Ask| compiled.rows.holds(class, ask.bit()) && view.is_open_to(ask);
        actions.iter().map(|&action| compiled.ask(action).is_some_and(&mut can)).collect()
    }

    /// [`Engine::can`] for many objects, in their order.
    ///
    /// The user and the action are looked up once. For a table in memory, whose
    /// relations and attributes are slices,
    /// [`Filter::select`](crate::filter::Filter::select) finds the objects many times
    /// faster.
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
    /// #     "users": {"bob": {"allow": ["edit"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let (bob, edit) = (engine.user("bob")?, engine.permission("edit")?);
    /// let jobs = [["bob"], ["eve"]].map(|names| DynamicObject::new("job").with_relation("assignee", names));
    /// assert_eq!(engine.can_objects(bob, edit, &jobs, ()), [true, false]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn can_objects<'o, O: Object + ?Sized + 'o>(
        &self,
        user: User,
        action: Permission,
        objects: impl IntoIterator<Item = &'o O>,
        today: impl Today,
    ) -> Vec<bool> {
        let (compiled, today) = (&self.0, today.moment());
        let objects = objects.into_iter();
        let found = compiled.class(user).zip(compiled.ask(action));
        let (Some(slot), Some((class, ask))) = (compiled.slot(user), found) else {
            return objects.map(|_| false).collect();
        };
        if compiled.has_assignments(slot) {
            return objects.map(|object| self.can(user, action, (object, today))).collect();
        }
        let held = compiled.rows.holds(class, ask.bit());
        let ordinary = Ordinary { compiled, class };
        let view = |object| View::new(compiled, ordinary, slot, object, today);
        objects.map(|object| held && view(object).is_open_to(ask)).collect()
    }
}

//! Many questions at once.

use super::{Engine, Permission, User};
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
        self.asker(user).can_actions(actions, on)
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
        self.asker(user).can_objects(action, objects, today)
    }
}

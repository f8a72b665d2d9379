//! Many questions at once.

use super::decide::View;
use super::{Engine, Permission, User};
use crate::date::Date;
use crate::object::{Object, Target};

impl Engine {
    /// [`Engine::can`] for many actions, in their order: what a screen with all
    /// its buttons needs.
    ///
    /// The object is asked once for each relation, however many of the actions
    /// depend on it. The answers are all that is allocated.
    ///
    /// ```
    /// # use grantree::{Document, DynamicObject, Engine, Policy};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"assignee": "user"}}},
    /// #         "permissions": [
    /// #             {"key": "view", "object": "job"},
    /// #             {"key": "edit", "object": "job", "scopes": [{"key": "own", "when": {"assignee": "me"}}]},
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
    pub fn can_actions<T: Target>(&self, user: User, actions: &[Permission], on: T) -> Vec<bool> {
        let compiled = &self.0;
        let (Some(object), today) = on.parts() else {
            return actions.iter().map(|&action| self.can(user, action, ())).collect();
        };
        let class = compiled.classes.get(user.0.place(compiled.lineage));
        let (Some(slot), Some(&class)) = (compiled.slot(user), class) else {
            return vec![false; actions.len()];
        };
        let admin = compiled.rows.holds(class, compiled.rows.admin());
        let mut view = View::new(compiled, (slot, class), object, today);
        let can = |action: &Permission| {
            compiled.asks.get(action.0.place(compiled.lineage)).is_some_and(|ask| {
                compiled.rows.holds(class, ask.bit())
                    && (admin
                        || compiled.condition(*ask).is_none_or(|condition| view.allows(condition)))
            })
        };
        actions.iter().map(can).collect()
    }

    /// [`Engine::can`] for many objects, in their order.
    ///
    /// What the user and the action settle is settled once. Of a table in
    /// memory, whose relations and attributes are slices,
    /// [`Filter::select`](crate::Filter::select) finds the objects many
    /// times faster.
    pub fn can_objects<'o, O: Object + ?Sized + 'o>(
        &self,
        user: User,
        action: Permission,
        objects: impl IntoIterator<Item = &'o O>,
        today: Option<Date>,
    ) -> Vec<bool> {
        let compiled = &self.0;
        let objects = objects.into_iter();
        let (Some(slot), Some((class, ask))) = (compiled.slot(user), compiled.find(user, action))
        else {
            return objects.map(|_| false).collect();
        };
        let held = compiled.rows.holds(class, ask.bit());
        let admin = compiled.rows.holds(class, compiled.rows.admin());
        let condition = if held && !admin { compiled.condition(ask) } else { None };
        match condition {
            None => objects.map(|_| held).collect(),
            Some(condition) => {
                let view = |object| View::new(compiled, (slot, class), object, today);
                objects.map(|object| view(object).allows(condition)).collect()
            }
        }
    }
}

//! Relations of objects to users and groups.

use serde::Serialize;

/// The type of a relation: users or groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationType {
    /// The relation names users.
    User,
    /// The relation names groups.
    Group,
}

/// The state of an object's relation for one user.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"job": {"relations": {"assignee": "user"}}},
/// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
/// #             {"key": "own", "when": {"assignee": "me"}}]}]},
/// #     "users": {"alice": {"allow": ["edit"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use grantree::object::{DynamicObject, RelationState};
///
/// let found = |names: &[&str]| {
///     let job = DynamicObject::new("job").with_relation("assignee", names.iter().copied());
///     let explanation = engine.explain(engine.user("alice")?, engine.permission("edit.own")?, &job);
///     Ok::<_, grantree::Unknown>(explanation.permissions[0].scopes[0].when[0].found)
/// };
/// assert_eq!(found(&["alice", "bob"])?, Some(RelationState::Me));
/// assert_eq!(found(&["bob"])?, Some(RelationState::Other));
/// assert_eq!(found(&[])?, Some(RelationState::None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationState {
    /// The relation names the user, one of the user's groups, or a group below one of
    /// these.
    Me,
    /// The relation names somebody, but not the user.
    Other,
    /// The relation names nobody.
    None,
}

impl RelationState {
    pub(crate) const ALL: [RelationState; 3] =
        [RelationState::Me, RelationState::Other, RelationState::None];

    /// Returns the state as a document writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            RelationState::Me => "me",
            RelationState::Other => "other",
            RelationState::None => "none",
        }
    }
}

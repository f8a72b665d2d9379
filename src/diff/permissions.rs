//! The changes of a diff, permission by permission.

use std::cmp::Reverse;
use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use super::{Diff, Shift, Users};
use crate::explain::Named;
use crate::names::IndexMap;

/// The users for whom a permission changes in one direction, on whatever objects.
///
/// It displays as a line: "160 users gain `orders.export` (Export)".
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PermissionUsers<'d> {
    /// The permission, by its path.
    pub permission: &'d Named,
    /// The direction of the change.
    pub shift: Shift,
    /// The number of users.
    pub count: usize,
    /// The users, by the group of the diff that they are in.
    pub users: Vec<&'d Users>,
}

impl Diff {
    /// Returns the same changes permission by permission, those of the most users first.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [
    /// #         {"key": "orders", "children": [{"key": "export", "label": "Export"}]}]},
    /// #     "roles": {"clerk": {"allow": ["orders"]}, "lead": {"allow": ["orders"]}},
    /// #     "users": {"ann": {"roles": ["clerk"]}, "bob": {"roles": ["clerk"]}, "cat": {"roles": ["lead"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let mut document = Document::from(engine.policy());
    /// document.global.allow.push("orders.export".into());
    /// document.roles.get_mut("lead").unwrap().source.statements.allow.clear();
    /// let diff = engine.diff(&Engine::new(&Policy::try_from(document)?));
    /// let lines: Vec<String> = diff.by_permission().iter().map(ToString::to_string).collect();
    /// assert_eq!(lines, ["2 users gain `orders.export` (Export)", "1 user loses `orders`"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn by_permission(&self) -> Vec<PermissionUsers<'_>> {
        let mut found: IndexMap<(&str, Shift), PermissionUsers<'_>> = IndexMap::default();
        for group in &self.groups {
            for change in &group.permissions {
                let (permission, shift) = (&change.permission, change.shift);
                let entry = found.entry((&permission.name, shift)).or_insert_with(|| {
                    PermissionUsers { permission, shift, count: 0, users: Vec::new() }
                });
                entry.count = entry.count.saturating_add(group.users.len());
                entry.users.push(&group.users);
            }
        }
        let mut all: Vec<PermissionUsers<'_>> = found.into_values().collect();
        all.sort_by_key(|it| Reverse(it.count));
        all
    }
}

impl PermissionUsers<'_> {
    /// Iterates over the names of the users.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.users.iter().flat_map(|users| users.names())
    }
}

impl Display for PermissionUsers<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let PermissionUsers { permission, shift, count, .. } = self;
        let is_one = *count == 1;
        let users = if is_one { "user" } else { "users" };
        let verb = match (shift, is_one) {
            (Shift::Gained, false) => "gain",
            (Shift::Gained, true) => "gains",
            (Shift::Lost, false) => "lose",
            (Shift::Lost, true) => "loses",
            (Shift::More, _) => "may do more with",
            (Shift::Fewer, _) => "may do less with",
            (Shift::Other, _) => "may do other things with",
            (Shift::Same, _) => "may do the same with",
        };
        write!(f, "{count} {users} {verb} {permission}")
    }
}

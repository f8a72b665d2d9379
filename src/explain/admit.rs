//! Which sources let users in.

use std::collections::HashMap;
use std::fmt;

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use serde::Serialize;

use super::walk::{Supposed, Walk};
use crate::catalogue::{Bit, Form, NodeId};
use crate::engine::{Engine, Permission};
use crate::object::{Object, Target};
use crate::policy::{ClassId, Origin, SourceName};

/// Users who may do something, and what lets them in.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "roles": {"clerk": {"allow": ["orders"]}},
/// #     "users": {"ann": {"roles": ["clerk"]}, "cyd": {"roles": ["clerk"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let admissions = engine.who_can_by_source(engine.permission("orders")?, ());
/// assert_eq!(admissions.len(), 1);
/// assert_eq!(admissions[0].users, ["ann", "cyd"]);
/// assert_eq!(admissions[0].ways[0].to_string(), "role `clerk`");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Admission<'e> {
    /// What lets each of them in, the more general first.
    pub ways: Vec<Way>,
    /// The users, in the policy's order.
    pub users: Vec<&'e str>,
}

/// What lets a user in.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "users": {"bob": {"allow": ["orders"]}, "root": {"admin": true}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use grantree::explain::Way;
///
/// let admissions = engine.who_can_by_source(engine.permission("orders")?, ());
/// let ways: Vec<&Way> = admissions.iter().flat_map(|admission| &admission.ways).collect();
/// assert_eq!(ways, [&Way::Own, &Way::Admin]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The user is an admin.
    Admin,
    /// A source whose deciding statement grants it, or grants what implies it.
    Source(SourceName),
    /// The user's own statements do so.
    Own,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Way::Admin => f.write_str("admins"),
            Way::Source(source) => source.fmt(f),
            Way::Own => f.write_str("their own grants"),
        }
    }
}

impl Engine {
    /// [`Engine::who_can`], with the sources that let each user in.
    ///
    /// Users let in by the same sources are grouped; the groups are in the order
    /// of their first users. Costs microseconds for each combination of sources
    /// and, with an object, for each user who may.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "roles": {"clerk": {"allow": ["orders"]}},
    /// #     "users": {"ann": {"roles": ["clerk"]}, "bob": {"allow": ["orders"]}, "cyd": {"roles": ["clerk"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let found = engine.who_can_by_source(engine.permission("orders")?, ());
    /// assert_eq!(
    ///     serde_json::to_string(&found)?,
    ///     r#"[{"ways":[{"source":{"role":"clerk"}}],"users":["ann","cyd"]},{"ways":["own"],"users":["bob"]}]"#,
    /// );
    /// # Ok(())
    /// # }
    /// ```
    pub fn who_can_by_source<T: Target>(&self, action: Permission, on: T) -> Vec<Admission<'_>> {
        let Some(bit) = self.bit(action) else { return Vec::new() };
        let policy = self.policy().inner();
        let (object, today) = on.parts();
        let supposed = Supposed::default();
        let mut found: IndexMap<Vec<Way>, Vec<&str>, RandomState> = IndexMap::default();
        // The index in `found` of each class, where there is no object.
        let mut of_class: HashMap<ClassId, usize, RandomState> = HashMap::default();
        let classes = self.admitted_classes(action, on);
        for (slot, class) in self.admitted(action, on, &classes) {
            let Some(holder) = policy.users.holder(slot) else { continue };
            let mut work_out = || {
                let sources = match holder.class.admin {
                    true => Vec::new(),
                    false => Walk::new(policy, holder, &supposed, object, today).letting_in(bit),
                };
                let way = |source| match policy.source_ref(source, holder.name).source {
                    SourceName::User(_) => Way::Own,
                    source => Way::Source(source),
                };
                let ways = sources.into_iter().map(way);
                let ways = ways.chain(holder.class.admin.then_some(Way::Admin)).collect();
                let entry = found.entry(ways);
                let at = entry.index();
                entry.or_default();
                at
            };
            let at = match object {
                None => *of_class.entry(class).or_insert_with(work_out),
                Some(_) => work_out(),
            };
            if let Some((_, users)) = found.get_index_mut(at) {
                users.push(holder.name);
            }
        }
        found.into_iter().map(|(ways, users)| Admission { ways, users }).collect()
    }
}

impl<O: Object + ?Sized> Walk<'_, O> {
    /// The sources whose statements grant what the user is allowed, the more
    /// general first.
    fn letting_in(&mut self, bit: Bit) -> Vec<Origin> {
        let catalogue = self.catalogue();
        let id = catalogue.id_of(bit);
        let mut open: Vec<NodeId> = match catalogue.node(id).form {
            Form::Scoped(_) => self.effective_scopes(id),
            _ => vec![id],
        };
        if self.object.is_some() && matches!(catalogue.node(id).form, Form::Scoped(_)) {
            open.retain(|&scope| self.matches(scope));
        }
        let mut letting_in = Vec::new();
        while let Some(id) = open.pop() {
            let grant = self.grant(id);
            open.extend(grant.implied_by);
            let decides = grant.stated.iter().filter(|stated| stated.decides);
            letting_in.extend(decides.map(|stated| stated.source));
        }
        letting_in.sort_unstable();
        letting_in.dedup();
        letting_in.into_iter().map(|source| self.source_of(source)).collect()
    }
}

//! The sources that let users in.

use std::fmt;

use serde::Serialize;

use super::trace::Trace;
use crate::catalogue::{Bit, Form};
use crate::engine::{Engine, Layers, Permission, Rights};
use crate::ids::ClassId;
use crate::names::{HashMap, IndexMap};
use crate::object::{Object, Target};
use crate::policy::{Origin, SourceName};

/// Users who may do something, and the sources that let them in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Admission<'e> {
    /// The sources that let each of them in, the more general first.
    pub sources: Vec<AccessSource>,
    /// The users, in the policy's order.
    pub users: Vec<&'e str>,
}

/// A source of access.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessSource {
    /// The user is an admin.
    Admin,
    /// A source whose deciding statement grants it, or grants what implies it.
    Source(SourceName),
    /// The user's own statements do so.
    Own,
    /// The own statements of the user's assignment of that name do so.
    Assignment(String),
}

impl fmt::Display for AccessSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccessSource::Admin => f.write_str("admins"),
            AccessSource::Source(source) => source.fmt(f),
            AccessSource::Own => f.write_str("their own grants"),
            AccessSource::Assignment(name) => write!(f, "assignment `{name}`"),
        }
    }
}

impl Engine {
    /// Lists the users as [`Engine::who_can`] does, with the sources that let each in.
    ///
    /// Users let in by the same sources are grouped; the groups are in the order of
    /// their first users. Who is let in by an assignment alone is listed under its sources,
    /// as they are in it. Costs microseconds for each combination of sources and, with
    /// an object, for each user who may.
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
    /// assert_eq!(found[0].sources[0].to_string(), "role `clerk`");
    /// assert_eq!(found[0].users, ["ann", "cyd"]);
    /// assert_eq!(
    ///     serde_json::to_string(&found)?,
    ///     r#"[{"sources":[{"source":{"role":"clerk"}}],"users":["ann","cyd"]},{"sources":["own"],"users":["bob"]}]"#,
    /// );
    /// # Ok(())
    /// # }
    /// ```
    pub fn who_can_by_source<T: Target>(&self, action: Permission, on: T) -> Vec<Admission<'_>> {
        let Some(bit) = self.bit(action) else { return Vec::new() };
        let policy = self.policy().inner();
        let (object, today) = on.parts();
        let mut layers = Layers::new(policy, self.licensed());
        let mut found: IndexMap<Vec<AccessSource>, Vec<&str>> = IndexMap::default();
        // The index in `found` of each class, where there is no object.
        let mut of_class: HashMap<ClassId, usize> = HashMap::default();
        let classes = self.admitted_classes(action, on);
        for (slot, class) in self.admitted(action, on, &classes) {
            let Some(holder) = policy.users.holder(slot) else { continue };
            let assigned = self.admitting((slot, class), action, on, &classes);
            let is_alike = object.is_none() && assigned.is_none();
            let known = of_class.get(&class).filter(|_| is_alike);
            let at = known.copied().unwrap_or_else(|| {
                let sources = if holder.class.admin {
                    vec![AccessSource::Admin]
                } else {
                    let capacity = assigned.and_then(|it| policy.users.capacity(it.capacity));
                    let own = capacity.map(|capacity| &capacity.own);
                    let rights = Rights::new(&mut layers, holder.class, own);
                    let trace = Trace::new(rights, holder, object, today).asked(bit);
                    let access = |source| match source {
                        Origin::Own => AccessSource::Own,
                        Origin::Shared(id) => AccessSource::Source(policy.sources.name_of(id)),
                        Origin::Assignment => {
                            let name = assigned.map(|it| it.name.to_string());
                            AccessSource::Assignment(name.unwrap_or_default())
                        }
                    };
                    trace.granting(bit).into_iter().map(access).collect()
                };
                let entry = found.entry(sources);
                let at = entry.index();
                entry.or_default();
                at
            });
            if is_alike {
                of_class.insert(class, at);
            }
            if let Some((_, users)) = found.get_index_mut(at) {
                users.push(holder.name);
            }
        }
        found.into_iter().map(|(sources, users)| Admission { sources, users }).collect()
    }
}

impl<O: Object + ?Sized> Trace<'_, O> {
    /// The sources whose statements grant what the user is allowed, the more general
    /// first.
    fn granting(&self, bit: Bit) -> Vec<Origin> {
        let id = self.catalogue().id_of(bit);
        let scopes = match self.catalogue().node(id).form {
            Form::Scoped(_) => self.effective_scopes(id),
            _ => vec![id],
        };
        let is_scoped = self.catalogue().scopes(id).len() > 0;
        let mut granting: Vec<Origin> = Vec::new();
        for id in scopes {
            if is_scoped && self.object.is_some() && !self.matches(id) {
                continue;
            }
            let stated = self.stated_or_implied(id);
            granting.extend(stated.decisive().map(|nearest| nearest.source.origin));
        }
        self.in_order(&granting)
    }
}

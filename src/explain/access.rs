//! The sources that let users in.

use std::cell::OnceCell;
use std::fmt::{self, Write};
use std::rc::Rc;

use serde::Serialize;

use super::trace::{Trace, TracedSource};
use crate::catalogue::{Bit, Form, NodeId, Pattern};
use crate::engine::{Engine, Layers, Permission, Rights};
use crate::ids::{ClassId, SourceId};
use crate::names::{HashMap, HashSet, IndexMap};
use crate::object::{DynamicObject, Object, Target};
use crate::policy::{
    Assigned, Class, Holder, Inner, Origin, OwnSources, SourceName, StatementIndex, Ways,
};
use crate::problem::OneLine;

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
            AccessSource::Assignment(name) => write!(OneLine(f), "assignment `{name}`"),
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
        let mut stating = Stating::new(policy);
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
                    let sources = stating.sources(&trace.looked_up(bit), holder.class, own);
                    policy.access_sources(trace.with_sources(sources).granting(bit), assigned)
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

    /// Returns the permissions and scopes that can be granted and that a user holds, or that
    /// an assignment carries: each at its level, with the sources that let the user in.
    pub(crate) fn granted_by<'e>(
        &'e self,
        layers: &mut Layers<'e>,
        holder: Holder<'e>,
        assigned: Option<&'e Assigned>,
    ) -> Vec<(Bit, Vec<AccessSource>)> {
        let policy = self.policy().inner();
        let catalogue = &policy.catalogue;
        let capacity = assigned.and_then(|it| policy.users.capacity(it.capacity));
        let rights = Rights::new(layers, holder.class, capacity.map(|capacity| &capacity.own));
        let mut held: Vec<Bit> = Vec::new();
        for bit in catalogue.grantable.iter().filter(|&bit| rights.is_carried(bit)) {
            if held.last().is_some_and(|&last| catalogue.id_of(last) == catalogue.id_of(bit)) {
                // This is the next level of the same permission.
                held.pop();
            }
            held.push(bit);
        }
        let trace = Trace::new(rights, holder, None::<&DynamicObject>, None);
        let granted = held.into_iter();
        granted.map(|bit| (bit, policy.access_sources(trace.granting(bit), assigned))).collect()
    }
}

impl Inner {
    fn access_sources(
        &self,
        sources: Vec<Origin>,
        assigned: Option<&Assigned>,
    ) -> Vec<AccessSource> {
        let access = |source| match source {
            Origin::Own => AccessSource::Own,
            Origin::Shared(id) => AccessSource::Source(self.sources.name_of(id)),
            Origin::Assignment => {
                let name = assigned.map(|it| it.name.to_string());
                AccessSource::Assignment(name.unwrap_or_default())
            }
        };
        sources.into_iter().map(access).collect()
    }
}

impl<O: Object + ?Sized> Trace<'_, O> {
    /// The permissions whose statements are looked up to find the sources that grant one: its
    /// scopes, or itself, and those that grant any of these by implication.
    fn looked_up(&self, bit: Bit) -> Vec<NodeId> {
        let mut nodes = self.granted_as(bit);
        let origins = nodes.iter().filter_map(|&id| self.rights.implied(id));
        let origins: Vec<NodeId> = origins.map(|implied| implied.origin).collect();
        nodes.extend(origins);
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// The scopes of a permission that are effective, or if it has none itself.
    fn granted_as(&self, bit: Bit) -> Vec<NodeId> {
        let id = self.catalogue().id_of(bit);
        match self.catalogue().node(id).form {
            Form::Scoped(_) => self.effective_scopes(id),
            _ => vec![id],
        }
    }

    /// The sources whose statements grant what the user is allowed, the more general
    /// first.
    fn granting(&self, bit: Bit) -> Vec<Origin> {
        let is_scoped = self.catalogue().scopes(self.catalogue().id_of(bit)).len() > 0;
        let mut granting: HashSet<Origin> = HashSet::default();
        for id in self.granted_as(bit) {
            if is_scoped && self.object.is_some() && !self.matches(id) {
                continue;
            }
            let stated = self.stated_or_implied(id);
            granting.extend(stated.decisive().map(|nearest| nearest.source.origin));
        }
        self.in_order(&granting)
    }
}

/// The shared sources that state anything of some permissions, and the ways to them.
struct Stating<'p> {
    policy: &'p Inner,
    by_pattern: HashMap<Pattern, Vec<SourceId>>,
    ways: HashMap<Vec<NodeId>, Ways<'p>>,
    indexes: HashMap<SourceId, Rc<OnceCell<StatementIndex<'p>>>>,
}

impl<'p> Stating<'p> {
    fn new(policy: &'p Inner) -> Stating<'p> {
        let mut by_pattern: HashMap<Pattern, Vec<SourceId>> = HashMap::default();
        for (id, _, source) in policy.sources.iter() {
            for statement in source.statements.all() {
                by_pattern.entry(statement.pattern).or_default().push(id);
            }
        }
        Stating { policy, by_pattern, ways: HashMap::default(), indexes: HashMap::default() }
    }

    /// Returns those of a user's sources that state anything of some permissions, in the
    /// capacity of an assignment if its own are given.
    fn sources(
        &mut self,
        nodes: &[NodeId],
        class: &'p Class,
        own: Option<&'p OwnSources>,
    ) -> Vec<TracedSource<'p>> {
        let policy = self.policy;
        if !self.ways.contains_key(nodes) {
            let patterns = nodes.iter().flat_map(|&id| {
                let patterns = Pattern::all_that_match(id, &policy.catalogue).into_iter();
                patterns.filter_map(|pattern| self.by_pattern.get(&pattern))
            });
            let ways = policy.sources.ways_to(patterns.flatten().copied().collect());
            self.ways.insert(nodes.to_vec(), ways);
        }
        let ways = self.ways.get(nodes);
        let closure = |sources: &[SourceId]| ways.map(|it| it.closure(sources)).unwrap_or_default();
        let sources = policy.acting_sources(class, own, closure).into_iter();
        let indexed = sources.map(|source| match source.origin {
            Origin::Shared(id) => (
                source,
                Rc::clone(self.indexes.entry(id).or_insert_with(|| {
                    Rc::new(OnceCell::from(StatementIndex::new(source.statements)))
                })),
            ),
            Origin::Own | Origin::Assignment => (source, Rc::default()),
        });
        indexed.collect()
    }
}

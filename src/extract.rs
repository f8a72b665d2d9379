//! The part of a policy that concerns one user, for engines that nobody else asks: in a
//! browser, say.

use crate::bits::BitSet;
use crate::catalogue::{Catalogue, NodeId};
use crate::document::{
    self, Assignment, Bound, Coverage, Document, Group, Licence, Map, PermissionNode, RelationType,
    Role, Scope, Source, UserEntry,
};
use crate::engine::Layers;
use crate::ids::{GroupId, Number, SourceId, UserSlot};
use crate::names::HashSet;
use crate::object::Id;
use crate::policy::{Inner, Policy};

impl Policy {
    /// Returns the part of the policy that concerns one user, as a document of its own: an
    /// engine made of it answers every question about that user as this policy's does. If
    /// there is no such user, returns `None`.
    ///
    /// It is for an engine in a browser, which shows buttons and fields as the server will
    /// decide, or in a service that acts for one user. It tells nothing about anybody else:
    ///
    /// - Of users, it has this one. Others are named only where the user's own assignments name
    ///   them, in `on`.
    /// - Of sources, those that the user has, in an assignment or by inclusion, and the global
    ///   one; without who may assign them.
    /// - Of groups, the user's, those that the user's assignments name, and all beneath them.
    /// - Of permissions, those that the user is granted in some capacity, and whatever they
    ///   answer to. Any other one is unknown to it, and denied to the user by this policy:
    ///   take it for a no. So a suspended user has none, and an admin all that are licensed.
    /// - Kinds of objects and settings stay as they are, labels too; descriptions, governance
    ///   and editions are left out.
    ///
    /// ```
    /// use grantree::{Document, Engine, Policy};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [
    ///         {"key": "orders", "children": [{"key": "quotes"}, {"key": "approve"}]},
    ///         {"key": "billing"}]},
    ///     "roles": {"clerk": {"allow": ["orders.**"], "except": ["orders.approve"]},
    ///               "owner": {"allow": ["**"]}},
    ///     "users": {"bob": {"roles": ["clerk"]}, "olga": {"roles": ["owner"]}}
    /// }"#;
    /// let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let part = policy.extract("bob").unwrap();
    /// let expected = concat!(
    ///     r#"{"format":1,"catalogue":{"permissions":[{"key":"orders","children":[{"key":"quotes"}]}]},"#,
    ///     r#""roles":{"clerk":{"allow":["orders.**"]}},"users":{"bob":{"roles":["clerk"]}}}"#,
    /// );
    /// assert_eq!(serde_json::to_string(&part)?, expected);
    /// # Ok(())
    /// # }
    /// ```
    pub fn extract(&self, user: impl Id) -> Option<Document> {
        let inner = self.inner();
        let slot = user.with_text(|name| inner.users.find(name))?;
        let part = Part::of(inner, slot, self.user(user)?);
        let name = inner.users.name(slot);
        // Statements about what is not in the part are statements that do not fit: adopting
        // leaves them out.
        let adopted = Policy::builder().limits(inner.limits).adopt(part.document(name)).ok()?;
        let mut document = Document::from(&adopted.policy);
        document.groups = groups(inner, slot, document.users.get(name)?);
        Some(document)
    }
}

/// The part of a policy that concerns one user.
struct Part<'p> {
    policy: &'p Inner,
    entry: UserEntry,
    sources: HashSet<SourceId>,
    nodes: HashSet<NodeId>,
}

impl<'p> Part<'p> {
    fn of(policy: &'p Inner, slot: UserSlot, entry: UserEntry) -> Part<'p> {
        let users = &policy.users;
        let mut sources: Vec<SourceId> =
            users.get(slot).map_or(&[][..], |(_, it)| &it.sources).to_vec();
        sources.extend(users.own_sources(slot).flat_map(|(_, own)| own.sources.iter().copied()));
        Part {
            policy,
            entry,
            sources: policy.sources.closure(&sources).into_iter().collect(),
            nodes: answered_to(&policy.catalogue, &granted(policy, slot)),
        }
    }

    fn document(self, name: &str) -> Document {
        let Inner { catalogue, sources, .. } = self.policy;
        let bundle = self.policy.bundle(|id| self.sources.contains(&id));
        let role = |role: Role| Role {
            source: without_guards(role.source),
            includes: role.includes,
            ..Role::default()
        };
        let mut document = Document::default();
        document.catalogue = document::Catalogue {
            permissions: self.permissions(&catalogue.document.permissions, ""),
            editions: Map::default(),
            ..catalogue.document.clone()
        };
        document.licence = Licence { edition: None, features: self.features() };
        document.global = sources.global().to_document(catalogue);
        document.profiles = mapped(bundle.profiles, without_guards);
        document.roles = mapped(bundle.roles, role);
        document.approval_groups = mapped(bundle.approval_groups, without_guards);
        let assignments =
            mapped(self.entry.assignments, |it| Assignment { description: None, ..it });
        let entry = UserEntry { description: None, assignments, ..self.entry };
        document.users.push(name, entry);
        document
    }

    /// The nodes of the part among some nodes of the catalogue, beneath that path.
    fn permissions(&self, nodes: &[PermissionNode], above: &str) -> Vec<PermissionNode> {
        let catalogue = &self.policy.catalogue;
        let kept = nodes.iter().filter_map(|node| {
            let path =
                if above.is_empty() { node.key.clone() } else { format!("{above}.{}", node.key) };
            catalogue.find(&path).filter(|id| self.nodes.contains(id))?;
            let scopes = node.scopes.iter().cloned();
            Some(PermissionNode {
                key: node.key.clone(),
                label: node.label.clone(),
                heading: node.heading,
                requires: node.requires.clone(),
                implies: node.implies.clone(),
                feature: node.feature.clone(),
                levels: node.levels.clone(),
                object: node.object.clone(),
                checks: node.checks.clone(),
                scopes: scopes
                    .map(|it| Scope { description: None, was: Vec::new(), ..it })
                    .collect(),
                children: self.permissions(&node.children, &path),
                ..PermissionNode::default()
            })
        });
        kept.collect()
    }

    /// The licensed features that the part needs.
    fn features(&self) -> Vec<String> {
        let catalogue = &self.policy.catalogue;
        let features = self.nodes.iter().filter_map(|&id| catalogue.node(id).feature.as_deref());
        let licensed = features.filter(|feature| self.policy.is_licensed(feature));
        let mut features: Vec<String> = licensed.map(Into::into).collect();
        features.sort();
        features.dedup();
        features
    }
}

/// The groups that decide about a user, of whom this is all that is left: the user's, those that
/// assignments name, and all beneath them.
fn groups(policy: &Inner, slot: UserSlot, entry: &UserEntry) -> Map<Group> {
    let mut tops = policy.users.groups(slot).to_vec();
    let covered = entry.assignments.iter().filter_map(|(_, it)| it.on.as_ref());
    tops.extend(covered.flat_map(|on| named_groups(policy, on)));
    let is_part = |group: &str| policy.groups.is_beneath(group, &tops);
    let declared = policy.groups.declared.iter().filter(|(name, _)| is_part(name));
    let of_part = declared.map(|(name, group)| {
        let parent = group.parent.clone().filter(|parent| is_part(parent));
        (name, Group { parent, description: None, ..group.clone() })
    });
    of_part.collect()
}

/// The groups that an assignment names in `on`.
fn named_groups(policy: &Inner, on: &Coverage) -> Vec<GroupId> {
    let objects = &policy.catalogue.document.objects;
    let is_group = |kind: &str, relation: &str| {
        let mut kinds = objects.iter().filter(|(name, _)| kind == "*" || *name == kind);
        kinds.any(|(_, kind)| kind.relations.get(relation) == Some(&RelationType::Group))
    };
    let conditions = on.iter().flat_map(|(kind, all)| all.iter().map(move |it| (kind, it)));
    let named = conditions.filter_map(|(kind, (relation, bound))| match bound {
        Bound::OneOf(names) if is_group(kind, relation) => Some(names),
        _ => None,
    });
    let known = named.flatten().filter_map(|name| policy.groups.parents.get_index_of(&**name));
    known.map(GroupId::new).collect()
}

/// Everything that a user is granted in some capacity, before any gate.
fn granted(policy: &Inner, slot: UserSlot) -> BitSet {
    let licensed = policy.catalogue.licensed(|feature| policy.is_licensed(feature));
    let mut layers = Layers::new(policy, &licensed);
    match policy.users.get(slot) {
        Some((_, class)) if class.suspended => BitSet::new(policy.catalogue.bits()),
        Some((_, class)) if !class.admin => {
            let mut granted = layers.grants(class).granted;
            for (_, own) in policy.users.own_sources(slot) {
                let own = layers.of_own(own);
                granted.union_with(&layers.grants_in(class, &own).granted);
            }
            granted
        }
        _ => licensed,
    }
}

/// The nodes of some permissions, and of everything that decides about these: what they need,
/// what is above them, and the other scopes of theirs.
fn answered_to(catalogue: &Catalogue, permissions: &BitSet) -> HashSet<NodeId> {
    let mut open: Vec<NodeId> = permissions.iter().map(|bit| catalogue.id_of(bit)).collect();
    let mut nodes = HashSet::default();
    while let Some(id) = open.pop() {
        if nodes.insert(id) {
            open.extend(catalogue.needs(id).map(|(_, bit)| catalogue.id_of(bit)));
            open.extend(catalogue.node(id).above);
            open.extend(catalogue.scopes(id));
        }
    }
    nodes
}

/// A source without anything that only governance looks at.
fn without_guards(source: Source) -> Source {
    Source { label: source.label, statements: source.statements, ..Source::default() }
}

fn mapped<V, W>(map: Map<V>, change: impl Fn(V) -> W) -> Map<W> {
    map.into_iter().map(|(name, value)| (name, change(value))).collect()
}

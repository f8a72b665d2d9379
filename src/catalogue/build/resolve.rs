//! Resolves the names in the nodes of the permission tree.

use super::checks;
use crate::bits::BitSet;
use crate::catalogue::{
    AttributeId, Bit, Catalogue, Dependent, Form, KindId, NodeId, ScopeTest, States, Values,
    ValuesId, found,
};
use crate::document::{self, Accepted, Map};
use crate::graph;
use crate::ids::{IdVec, Key, Number};
use crate::names::{NameMap, is_name, keys, number};
use crate::problem::{Faults, Place, ProblemKind, Seen, truncate_list};
use crate::relation::RelationState;

/// Resolves the names in nodes, which it walks in the order of their numbers.
pub(super) struct Resolving<'f> {
    pub(super) catalogue: Catalogue,
    pub(super) faults: &'f mut Faults,
    pub(super) next: NodeId,
    /// The position of each of a node's own requirements in its list.
    pub(super) requires_at: IdVec<NodeId, Vec<usize>>,
    /// The number of entries that may still be copied to nodes from other nodes.
    pub(super) left: usize,
}

/// A kind of object that the catalogue does not have. The permission's checks are not
/// looked up, since they would all be unknown.
#[derive(Clone, Copy)]
struct UnknownKind;

impl Resolving<'_> {
    pub(super) fn resolve(&mut self, permissions: &[document::PermissionNode], place: &Place<'_>) {
        for (at, permission) in permissions.iter().enumerate() {
            let id = self.next;
            if self.catalogue.nodes.find(id).is_none() {
                return;
            }
            let place = place.item(at);
            self.permission(permission, &place);
            let of = place.key("scopes");
            for (at, scope) in permission.scopes.iter().enumerate() {
                self.scope(scope, id, &of.item(at));
            }
            if self.catalogue.node(id).end > self.next {
                self.resolve(&permission.children, &place.key("children"));
            }
        }
    }

    fn permission(&mut self, permission: &document::PermissionNode, place: &Place<'_>) {
        if permission.heading {
            self.heading(permission, place);
            self.requires_at.push(Vec::new());
            self.next = self.next.plus(1);
            return;
        }
        if let Some(levels) = &permission.levels {
            self.levels(levels, &place.key("levels"));
            if !permission.scopes.is_empty() {
                let what = "a graded permission can't have scopes";
                self.faults.push(&place.key("scopes"), ProblemKind::Unfit { what });
            }
        }
        self.was(&permission.was, &place.key("was"));
        let requires = self.requires(&permission.requires, &place.key("requires"));
        let implies = self.implies(&permission.implies, &place.key("implies"));
        let kind = self.kind(permission, place);
        let checks = match kind {
            Ok(kind) => self.checks(permission, kind, place),
            Err(UnknownKind) => Vec::new(),
        };
        let node = &mut self.catalogue.nodes[self.next];
        node.kind = kind.unwrap_or_default();
        node.own_requires = requires.len();
        node.requires = requires;
        node.implies = implies;
        node.checks = checks;
        self.next = self.next.plus(1);
    }

    /// Returns the kind of object of a permission, its own or its gate parent's.
    fn kind(
        &mut self,
        permission: &document::PermissionNode,
        place: &Place<'_>,
    ) -> Result<Option<KindId>, UnknownKind> {
        let catalogue = &self.catalogue;
        let Some(name) = &permission.object else {
            let gate = catalogue.node(self.next).gate;
            return Ok(gate.and_then(|gate| catalogue.node(gate).kind));
        };
        let kind = catalogue.kinds.get_index_of(name.as_str()).map(KindId::new);
        if kind.is_none() {
            let known = keys(&catalogue.kinds);
            self.faults.unknown(&place.key("object"), "object kind", name, known);
        }
        kind.map(Some).ok_or(UnknownKind)
    }

    fn checks(
        &mut self,
        permission: &document::PermissionNode,
        kind: Option<KindId>,
        place: &Place<'_>,
    ) -> Vec<AttributeId> {
        if kind.is_none() && !permission.scopes.is_empty() {
            let what = "scopes need an object kind, the permission's own or its gate parent's";
            self.faults.push(&place.key("scopes"), ProblemKind::Unfit { what });
        }
        let none = NameMap::default();
        let known = kind.map_or(&none, |kind| &self.catalogue.kind(kind).attributes);
        checks(&permission.checks, known, &place.key("checks"), self.faults)
    }

    fn scope(&mut self, scope: &document::Scope, of: NodeId, place: &Place<'_>) {
        self.was(&scope.was, &place.key("was"));
        let mut requires = self.requires(&scope.requires, &place.key("requires"));
        let mut implies = self.implies(&scope.implies, &place.key("implies"));
        let scoped = self.catalogue.node(of);
        let kind = scoped.kind;
        let when = self.when(&scope.when, kind, &place.key("when"));
        let scoped = self.catalogue.node(of);
        let own_requires = requires.len();
        let mut checks = Vec::new();
        let copied = scoped.requires.len() + scoped.implies.len() + scoped.checks.len();
        if copied <= self.left {
            self.left -= copied;
            requires.extend_from_slice(&scoped.requires);
            implies.extend_from_slice(&scoped.implies);
            checks.extend_from_slice(&scoped.checks);
        } else {
            self.left = 0;
            self.faults.too_many(place, "dependencies", self.faults.limits.dependencies);
        }
        let node = &mut self.catalogue.nodes[self.next];
        node.form = Form::Scope(of, when);
        node.kind = kind;
        node.checks = checks;
        node.own_requires = own_requires;
        node.requires = requires;
        node.implies = implies;
        self.next = self.next.plus(1);
    }

    /// Returns the tests of a scope.
    fn when(
        &mut self,
        when: &Map<Accepted>,
        kind: Option<KindId>,
        place: &Place<'_>,
    ) -> Box<[ScopeTest]> {
        let mut tests = Vec::new();
        let mut seen = Seen::default();
        for (name, accepted) in when.iter() {
            let place = place.name(name);
            seen.insert(name, &place, self.faults);
            if matches!(accepted, Accepted::OneOf(list) if list.is_empty()) {
                let (expected, found) = ("one state or text, or more", "an empty list".to_owned());
                self.faults.push(&place, ProblemKind::Form { expected, found });
            } else if let Some(kind) = kind {
                tests.extend(self.scope_test(name, accepted, kind, &place));
            }
        }
        tests.into()
    }

    fn scope_test(
        &mut self,
        name: &str,
        accepted: &Accepted,
        kind: KindId,
        place: &Place<'_>,
    ) -> Option<ScopeTest> {
        let catalogue = &mut self.catalogue;
        let declared = catalogue.kind(kind);
        if let Some(relation) = declared.relations.get_index_of(name).map(number) {
            let states = states(accepted, place, self.faults)?;
            return Some(ScopeTest::Relation(relation, states));
        }
        let Some(&attribute) = declared.attributes.get(name) else {
            let known = keys(&declared.relations).chain(keys(&declared.attributes));
            self.faults.unknown(place, "relation or attribute", name, known);
            return None;
        };
        match catalogue.attribute_at(attribute).accepts(accepted) {
            Ok(limit) => {
                let id = ValuesId::new(catalogue.values.len());
                catalogue.values.push(Values { attribute, limit });
                Some(ScopeTest::Values(id))
            }
            Err(kind) => {
                self.faults.push(place, kind);
                None
            }
        }
    }

    fn heading(&mut self, permission: &document::PermissionNode, place: &Place<'_>) {
        let unfit = [
            ("requires", !permission.requires.is_empty()),
            ("implies", !permission.implies.is_empty()),
            ("levels", permission.levels.is_some()),
            ("object", permission.object.is_some()),
            ("checks", !permission.checks.is_empty()),
            ("scopes", !permission.scopes.is_empty()),
            ("was", !permission.was.is_empty()),
        ];
        let what = "a heading only groups, and may carry a feature";
        for (field, _) in unfit.into_iter().filter(|(_, unfit)| *unfit) {
            self.faults.push(&place.key(field), ProblemKind::Unfit { what });
        }
    }

    /// Notes the former paths of the next node.
    fn was(&mut self, paths: &[String], list: &Place<'_>) {
        for (at, path) in paths.iter().enumerate() {
            let name = path.clone();
            if self.catalogue.find(path).is_some() {
                self.faults.push(&list.item(at), ProblemKind::StillThere { name });
            } else if !path.split('.').all(is_name) {
                let expected = "keys joined by dots";
                self.faults.push(&list.item(at), ProblemKind::InvalidName { name, expected });
            } else {
                let successors = self.catalogue.successors.entry(path.as_str().into()).or_default();
                if successors.last() != Some(&self.next) {
                    successors.push(self.next);
                }
            }
        }
    }

    fn levels(&mut self, levels: &[String], place: &Place<'_>) {
        if levels.len() < 2 {
            let (expected, found) = ("two levels or more", levels.len().to_string());
            self.faults.push(place, ProblemKind::Form { expected, found });
        }
        let mut seen = Seen::default();
        for (at, level) in levels.iter().enumerate() {
            self.faults.check_name(&place.item(at), level);
            seen.insert(level, &place.item(at), self.faults);
        }
    }

    fn requires(&mut self, names: &[String], list: &Place<'_>) -> Vec<Bit> {
        let (mut requires, mut positions) = (Vec::new(), Vec::new());
        for (at, name) in names.iter().enumerate() {
            if let Some(bit) = self.catalogue.reference(name, &list.item(at), self.faults) {
                requires.push(bit);
                positions.push(at);
            }
        }
        self.requires_at.push(positions);
        requires
    }

    fn implies(&mut self, names: &[String], list: &Place<'_>) -> Vec<Bit> {
        let mut implies = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let place = list.item(at);
            let Some(bit) = self.catalogue.reference(name, &place, self.faults) else { continue };
            if let Form::Scoped(_) = self.catalogue.node_of(bit).form {
                self.faults.push(&place, ProblemKind::ImpliesScoped { name: name.clone() });
            }
            implies.push(bit);
        }
        implies
    }
}

/// Returns the states of a relation that a scope accepts.
fn states(accepted: &Accepted, place: &Place<'_>, faults: &mut Faults) -> Option<States> {
    let mut states = States::default();
    let mut add = |name: &str, place: &Place<'_>| {
        let known = RelationState::ALL.map(RelationState::name);
        match RelationState::ALL.into_iter().find(|state| state.name() == name) {
            Some(state) => states = states.with(state),
            None => {
                let nearest = faults.nearest(name, known);
                let (what, name) = ("relation state", name.to_owned());
                let known = known.map(str::to_owned).into();
                faults.push(
                    place,
                    ProblemKind::Unknown { what, name, nearest, known, found_as: None },
                );
            }
        }
    };
    match accepted {
        Accepted::State(name) => add(name, place),
        Accepted::OneOf(names) => {
            names.iter().enumerate().for_each(|(at, name)| add(name, &place.item(at)));
        }
        Accepted::Limit(_) | Accepted::Date(_) | Accepted::Flag(_) | Accepted::EitherFlag => {
            let found = accepted.bound().and_then(|bound| found(&bound)).unwrap_or_default();
            let (expected, found) = ("a relation state or a list of them", found.to_owned());
            faults.push(place, ProblemKind::Form { expected, found });
        }
    }
    (states != States::default()).then_some(states)
}

impl Catalogue {
    /// Returns the threshold that a document names, or reports it if there is none.
    pub(crate) fn reference(
        &self,
        name: &str,
        place: &Place<'_>,
        faults: &mut Faults,
    ) -> Option<Bit> {
        let unresolved = match self.threshold(name) {
            Ok(bit) => return Some(bit),
            Err(unresolved) => unresolved,
        };
        match unresolved.problem(name, self) {
            Ok(kind) => faults.push(place, kind),
            Err(path) => faults.unknown(place, "permission", path, self.paths()),
        }
        None
    }
}

/// Reports cycles of requirements and gate parents, and ranks the nodes: each after
/// those that it answers to.
pub(super) fn check_gates(
    catalogue: &Catalogue,
    requires_at: &IdVec<NodeId, Vec<usize>>,
    faults: &mut Faults,
) -> IdVec<NodeId, u32> {
    let walk = graph::walk(catalogue.nodes.len(), |id, at| {
        let node = catalogue.node(NodeId::new(id));
        match node.form {
            Form::Scoped(scopes) => (at < scopes as usize).then_some(id + 1 + at),
            _ => match node.requires.get(at) {
                Some(&bit) => Some(catalogue.id_of(bit).index()),
                None if at == node.requires.len() => node.gate.map(Key::index),
                None => None,
            },
        }
    });
    for ring in &walk.cycles {
        // The place of a cycle is the last requirement on it: the other edges, gate
        // parents and scopes, are the tree itself.
        let stated = ring.iter().rev().find_map(|&(id, edge)| {
            let id = NodeId::new(id);
            let node = catalogue.node(id);
            match node.form {
                Form::Scoped(_) => None,
                _ if edge < node.own_requires => Some((id, *requires_at[id].get(edge)?)),
                Form::Scope(of, _) if edge < node.requires.len() => {
                    Some((of, *requires_at[of].get(edge - node.own_requires)?))
                }
                _ => None,
            }
        });
        let Some((id, at)) = stated else { continue };
        let names = ring.iter().map(|&(id, _)| catalogue.node(NodeId::new(id)).path.to_string());
        let names = truncate_list(names.collect());
        let kind = ProblemKind::Cycle { what: "requirements and gate parents", names };
        catalogue.with_place(id, &mut |place| {
            faults.push(&place.key("requires").item(at), kind.clone());
        });
    }
    let mut rank = IdVec::filled(catalogue.nodes.len(), 0);
    for (at, &id) in walk.order.iter().enumerate() {
        rank[NodeId::new(id)] = number(at);
    }
    rank
}

/// Records which bits are of nodes that look at the object, of scopes, and of graded nodes.
pub(super) fn look(catalogue: &mut Catalogue) {
    let [mut on_objects, mut scopes, mut graded] = [(); 3].map(|()| BitSet::new(catalogue.bits()));
    for (_, node) in catalogue.nodes.iter() {
        if node.condition.is_some() {
            on_objects.insert_range(node.bits());
        }
        match node.form {
            Form::Scope(..) => scopes.insert_range(node.bits()),
            Form::Graded(_) => graded.insert_range(node.bits()),
            _ => {}
        }
    }
    catalogue.on_objects = on_objects;
    (catalogue.scope_bits, catalogue.graded) = (scopes, graded);
}

/// Records for each node the nodes that need it, and which bits any node needs.
pub(super) fn depend(catalogue: &mut Catalogue) {
    let mut dependents = IdVec::filled(catalogue.nodes.len(), Vec::new());
    let mut gating = BitSet::new(catalogue.bits());
    let mut implying = BitSet::new(catalogue.bits());
    for (id, node) in catalogue.nodes.iter() {
        // A scoped node depends on nothing but its scopes.
        if matches!(node.form, Form::Heading | Form::Scoped(_)) {
            continue;
        }
        if !node.implies.is_empty() {
            implying.insert(node.bit);
        }
        for (link, bit) in catalogue.needs(id) {
            dependents[catalogue.id_of(bit)].push(Dependent { id, link, bit });
            gating.insert(bit);
        }
    }
    (catalogue.gating, catalogue.implying) = (gating, implying);
    catalogue.dependents = dependents;
}

//! Resolves a catalogue's references, reporting every problem that it has.

use super::{
    Attribute, Catalogue, Edition, Form, Kind, Node, NodeId, States, check_value, condition,
};
use crate::bits::BitSet;
use crate::document::{self, Map};
use crate::graph;
use crate::names::{MOST, NameMap, keys, number};
use crate::problem::{Faults, Place, ProblemKind, Seen, truncate_list};

impl Faults {
    /// How many levels deep the tree may be.
    fn deepest(&self) -> usize {
        self.limits.depth.min(66)
    }
}

pub(super) fn build(mut document: document::Catalogue, faults: &mut Faults) -> Catalogue {
    let root = Place::Root.key("catalogue");
    let (kinds, attributes) = kinds(&document.objects, &root.key("objects"), faults);
    let settings = settings(&document.settings, &root.key("settings"), faults);
    let editions = editions(&document.editions, &root.key("editions"), faults);

    let place = root.key("permissions");
    let mut numbering = Numbering {
        nodes: Vec::new(),
        by_path: NameMap::default(),
        bits: 0,
        full: false,
        deep: false,
        faults,
    };
    numbering.number(&document.permissions, &place, None, None, 1);
    let Numbering { nodes, by_path, bits, full, deep, faults } = numbering;

    let mut bit_nodes = Vec::with_capacity(bits as usize);
    let mut grantable = BitSet::new(bits as usize);
    let mut scoped = Vec::new();
    for (id, node) in nodes.iter().enumerate() {
        bit_nodes.extend(node.bits().map(|_| number(id)));
        match node.form {
            Form::Scoped(_) => scoped.push(number(id)),
            _ => grantable.insert_range(node.bits()),
        }
    }
    let permissions = &document.permissions;
    let catalogue = Catalogue {
        document: document::Catalogue::default(),
        dependents: Vec::new(),
        gating: BitSet::new(0),
        implying: BitSet::new(0),
        scoped,
        nodes,
        by_path,
        bit_nodes,
        grantable,
        kinds,
        attributes,
        settings,
        editions,
    };
    let left = faults.limits.dependencies;
    let mut resolving = Resolving { catalogue, faults, next: 0, requires_at: Vec::new(), left };
    resolving.resolve(permissions, &place);
    let Resolving { mut catalogue, faults, requires_at, mut left, .. } = resolving;

    let rank = check_gates(&catalogue, &requires_at, faults);
    depend(&mut catalogue);
    match condition::conditions(&catalogue, &rank, &mut left) {
        Ok(conditions) => {
            for (node, condition) in catalogue.nodes.iter_mut().zip(conditions) {
                node.condition = condition.map(Box::new);
            }
        }
        Err(id) => {
            let limit = faults.limits.dependencies;
            catalogue.with_place(id, &mut |place| faults.too_many(place, "dependencies", limit));
        }
    }
    if full || deep {
        take_apart(std::mem::take(&mut document.permissions));
    }
    catalogue.document = document;
    catalogue
}

/// Drops a tree node by node: the recursion of an ordinary drop would use stack in
/// proportion to the tree's depth.
fn take_apart(mut permissions: Vec<document::Permission>) {
    while let Some(mut permission) = permissions.pop() {
        permissions.append(&mut permission.children);
    }
}

fn kinds(
    objects: &Map<document::ObjectKind>,
    place: &Place<'_>,
    faults: &mut Faults,
) -> (NameMap<Kind>, Vec<Attribute>) {
    let mut kinds = NameMap::default();
    let mut attributes = Vec::new();
    for (name, object) in objects.iter() {
        let place = place.key(name);
        faults.check_name(&place, name);
        let mut kind = Kind {
            relations: NameMap::default(),
            attributes: NameMap::default(),
            checks: Vec::new(),
        };
        for (relation, &of) in object.relations.iter() {
            let (relations, place) = (place.key("relations"), relation);
            let place = relations.key(place);
            faults.check_name(&place, relation);
            if kind.relations.insert(relation.into(), of).is_some() {
                faults.duplicate(&place, relation);
            }
        }
        for (attribute, &bound) in object.attributes.iter() {
            let of = place.key("attributes");
            let place = of.key(attribute);
            faults.check_name(&place, attribute);
            if kind.attributes.insert(attribute.into(), number(attributes.len())).is_some() {
                faults.duplicate(&place, attribute);
            }
            let path = match name.len() + attribute.len() < faults.limits.path {
                true => format!("{name}.{attribute}"),
                false => {
                    faults.too_long(&place, faults.limits.path);
                    String::new()
                }
            };
            attributes.push(Attribute { name: attribute.into(), path: path.into(), bound });
        }
        kind.checks = checks(&object.checks, &kind.attributes, &place.key("checks"), faults);
        if kinds.contains_key(name) {
            faults.duplicate(&place, name);
        } else {
            kinds.insert(name.into(), kind);
        }
    }
    (kinds, attributes)
}

fn checks(
    names: &[String],
    attributes: &NameMap<u32>,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Vec<u32> {
    let mut checks = Vec::new();
    for (at, name) in names.iter().enumerate() {
        match attributes.get(&**name) {
            Some(&attribute) => checks.push(attribute),
            None => faults.unknown(&place.item(at), "attribute", name, keys(attributes)),
        }
    }
    checks
}

fn settings(
    settings: &Map<document::Setting>,
    place: &Place<'_>,
    faults: &mut Faults,
) -> NameMap<document::Setting> {
    let mut out = NameMap::default();
    for (name, setting) in settings.iter() {
        let place = place.key(name);
        faults.check_name(&place, name);
        if let Some(value) = &setting.default
            && let Err(kind) = check_value(name, setting, value)
        {
            faults.push(&place.key("default"), kind);
        }
        if out.insert(name.into(), setting.clone()).is_some() {
            faults.duplicate(&place, name);
        }
    }
    out
}

fn editions(
    editions: &Map<document::Edition>,
    place: &Place<'_>,
    faults: &mut Faults,
) -> NameMap<Edition> {
    let mut out: NameMap<Edition> = NameMap::default();
    for (name, edition) in editions.iter() {
        let place = place.key(name);
        faults.check_name(&place, name);
        let of = place.key("features");
        for (at, feature) in edition.features.iter().enumerate() {
            faults.check_name(&of.item(at), feature);
        }
        let features = edition.features.iter().map(|feature| feature.as_str().into()).collect();
        let edition = Edition { features, includes: Vec::new() };
        if out.insert(name.into(), edition).is_some() {
            faults.duplicate(&place, name);
        }
    }
    let entries: Vec<_> = editions.iter().collect();
    let includes = includes(
        "edition",
        "editions",
        entries.iter().map(|(name, edition)| (*name, edition.includes.as_slice())),
        &out,
        place,
        faults,
    );
    for (edition, includes) in out.values_mut().zip(includes) {
        edition.includes = includes;
    }
    out
}

/// Resolves `includes` to the numbers included by each number, and reports unknown
/// names and cycles.
pub(crate) fn includes<'a, V>(
    what: &'static str,
    plural: &'static str,
    entries: impl Iterator<Item = (&'a str, &'a [String])>,
    known: &NameMap<V>,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Vec<Vec<usize>> {
    let mut of = vec![Vec::new(); known.len()];
    let mut positions = vec![Vec::new(); known.len()];
    for (name, includes) in entries {
        let Some(number) = known.get_index_of(name) else {
            continue;
        };
        let place = place.key(name);
        let list = place.key("includes");
        for (at, included) in includes.iter().enumerate() {
            match known.get_index_of(included.as_str()) {
                Some(included) => {
                    of[number].push(included);
                    positions[number].push(at);
                }
                None => faults.unknown(&list.item(at), what, included, keys(known)),
            }
        }
    }
    let walk = graph::walk(known.len(), |node, at| of[node].get(at).copied());
    let name = |number: usize| known.get_index(number).map_or("", |(name, _)| name);
    for ring in &walk.cycles {
        let Some(&(last, edge)) = ring.last() else {
            continue;
        };
        let place = place.key(name(last));
        let list = place.key("includes");
        let names = truncate_list(ring.iter().map(|&(node, _)| name(node).to_owned()).collect());
        faults.push(&list.item(positions[last][edge]), ProblemKind::Cycle { what: plural, names });
    }
    of
}

/// Gives every node its number, its path and its bits.
struct Numbering<'f> {
    nodes: Vec<Node>,
    by_path: NameMap<NodeId>,
    bits: u32,
    /// Whether there were too many nodes, so that the rest has no numbers.
    full: bool,
    /// Whether the tree continues beyond the deepest level allowed.
    deep: bool,
    faults: &'f mut Faults,
}

impl Numbering<'_> {
    fn number(
        &mut self,
        permissions: &[document::Permission],
        place: &Place<'_>,
        above: Option<NodeId>,
        gate: Option<NodeId>,
        depth: u32,
    ) {
        let deepest = self.faults.deepest();
        if depth as usize > deepest && !permissions.is_empty() {
            self.faults.push(place, ProblemKind::TooDeep { limit: deepest });
            self.deep = true;
            return;
        }
        for (at, permission) in permissions.iter().enumerate() {
            let place = place.item(at);
            // INVARIANT: numbers and bits stay below this, for any document.
            let levels = permission.levels.as_ref().map_or(0, Vec::len);
            let known = self.nodes.len().max(self.bits as usize);
            let most = self.faults.limits.permissions.min(MOST / 2);
            if known + 1 + permission.scopes.len() + levels > most && !self.full {
                self.faults.too_many(&place, "permissions", most);
                self.full = true;
            }
            if self.full {
                return;
            }
            let scopes = number(permission.scopes.len());
            let form = match &permission.levels {
                _ if permission.heading => Form::Heading,
                Some(levels) if !levels.is_empty() => {
                    // One alone is a problem. The permission is graded all the same, so
                    // that a statement of that level is not another.
                    let count = levels.len().max(2);
                    let levels = levels.iter().cycle().take(count);
                    Form::Graded(levels.map(|level| (**level).into()).collect())
                }
                _ if scopes > 0 => Form::Scoped(scopes),
                _ => Form::Plain,
            };
            let heading = form == Form::Heading;
            let feature = permission.feature.as_deref();
            let node = self.add(&permission.key, above, form, gate, depth, feature, &place);
            self.nodes[node as usize].label = permission.label.as_deref().map(Into::into);
            let of = place.key("scopes");
            for (at, scope) in permission.scopes.iter().enumerate() {
                let form = Form::Scope(node, Box::default());
                let id =
                    self.add(&scope.key, Some(node), form, gate, depth + 1, None, &of.item(at));
                self.nodes[id as usize].label = scope.label.as_deref().map(Into::into);
            }
            let gate = if heading { gate } else { Some(node) };
            let children = place.key("children");
            self.number(&permission.children, &children, Some(node), gate, depth + 1);
            self.nodes[node as usize].end = number(self.nodes.len());
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what a node starts with")]
    fn add(
        &mut self,
        key: &str,
        above: Option<NodeId>,
        form: Form,
        gate: Option<NodeId>,
        depth: u32,
        feature: Option<&str>,
        place: &Place<'_>,
    ) -> NodeId {
        let id = number(self.nodes.len());
        let path: Box<str> = match above {
            None => key.into(),
            Some(above) => {
                let above = &self.nodes[above as usize].path;
                match above.len() + key.len() < self.faults.limits.path {
                    true => format!("{above}.{key}").into(),
                    false => {
                        self.faults.too_long(&place.key("key"), self.faults.limits.path);
                        // No key can have this form.
                        format!("#{id}").into()
                    }
                }
            }
        };
        self.faults.check_name(&place.key("key"), key);
        if let Some(feature) = feature {
            self.faults.check_name(&place.key("feature"), feature);
        }
        if self.by_path.contains_key(&path) {
            self.faults.duplicate(&place.key("key"), key);
        } else {
            self.by_path.insert(path.clone(), id);
        }
        let node = Node {
            path,
            label: None,
            at: if let Place::Item(_, at) = place { *at } else { 0 },
            form,
            end: id + 1,
            depth,
            bit: self.bits,
            above,
            gate,
            kind: None,
            feature: feature.map(Into::into),
            requires: Vec::new(),
            own_requires: 0,
            implies: Vec::new(),
            checks: Vec::new(),
            condition: None,
        };
        self.bits += node.width();
        self.nodes.push(node);
        id
    }
}

/// Resolves the names in nodes, walking these in the order of their numbers.
struct Resolving<'f> {
    catalogue: Catalogue,
    faults: &'f mut Faults,
    next: NodeId,
    /// The position of each of a node's own requirements in its list.
    requires_at: Vec<Vec<usize>>,
    /// How many more entries may be copied to nodes from other nodes.
    left: usize,
}

/// What permissions and scopes alike name.
struct Names<'d> {
    requires: &'d [String],
    implies: &'d [String],
}

impl Resolving<'_> {
    fn resolve(&mut self, permissions: &[document::Permission], place: &Place<'_>) {
        for (at, permission) in permissions.iter().enumerate() {
            let id = self.next;
            if id as usize >= self.catalogue.nodes.len() {
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

    fn permission(&mut self, permission: &document::Permission, place: &Place<'_>) {
        if permission.heading {
            self.heading(permission, place);
            self.requires_at.push(Vec::new());
            self.next += 1;
            return;
        }
        if let Some(levels) = &permission.levels {
            self.levels(levels, &place.key("levels"));
            if !permission.scopes.is_empty() {
                let what = "a graded permission can't have scopes";
                self.faults.push(&place.key("scopes"), ProblemKind::Unfit { what });
            }
        }
        let names = Names { requires: &permission.requires, implies: &permission.implies };
        let (requires, implies) = self.references(&names, place);

        let catalogue = &self.catalogue;
        let above = catalogue.node(self.next).gate.and_then(|gate| catalogue.node(gate).kind);
        let mut checks_known = true;
        let kind = match &permission.object {
            None => above,
            Some(name) => {
                let kind = catalogue.kinds.get_index_of(name.as_str()).map(number);
                if kind.is_none() {
                    checks_known = false;
                    let known = keys(&catalogue.kinds);
                    self.faults.unknown(&place.key("object"), "object kind", name, known);
                }
                kind
            }
        };
        let mut own_checks = Vec::new();
        if checks_known {
            if kind.is_none() && !permission.scopes.is_empty() {
                let what = "scopes need an object kind, the permission's own or its gate parent's";
                self.faults.push(&place.key("scopes"), ProblemKind::Unfit { what });
            }
            let none = NameMap::default();
            let of = kind.map_or(&none, |kind| &catalogue.kinds[kind as usize].attributes);
            own_checks = checks(&permission.checks, of, &place.key("checks"), self.faults);
        }
        let node = &mut self.catalogue.nodes[self.next as usize];
        node.kind = kind;
        node.own_requires = requires.len();
        node.requires = requires;
        node.implies = implies;
        node.checks = own_checks;
        self.next += 1;
    }

    fn scope(&mut self, scope: &document::Scope, of: NodeId, place: &Place<'_>) {
        let names = Names { requires: &scope.requires, implies: &scope.implies };
        let (mut requires, mut implies) = self.references(&names, place);
        let scoped = self.catalogue.node(of);
        let mut when: Vec<(u32, States)> = Vec::new();
        let map = place.key("when");
        let mut seen = Seen::default();
        for (name, _) in scope.when.iter() {
            seen.insert(name, &map.key(name), self.faults);
        }
        if let Some(kind) = scoped.kind {
            let relations = &self.catalogue.kinds[kind as usize].relations;
            for (name, states) in scope.when.iter() {
                let place = map.key(name);
                let Some(relation) = relations.get_index_of(name).map(number) else {
                    self.faults.unknown(&place, "relation", name, keys(relations));
                    continue;
                };
                let accepted = states.iter().fold(States::default(), |all, &one| all.with(one));
                when.push((relation, accepted));
            }
        }
        let own_requires = requires.len();
        let kind = scoped.kind;
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
        let node = &mut self.catalogue.nodes[self.next as usize];
        node.form = Form::Scope(of, when.into());
        node.kind = kind;
        node.checks = checks;
        node.own_requires = own_requires;
        node.requires = requires;
        node.implies = implies;
        self.next += 1;
    }

    fn heading(&mut self, permission: &document::Permission, place: &Place<'_>) {
        let unfit = [
            ("requires", !permission.requires.is_empty()),
            ("implies", !permission.implies.is_empty()),
            ("levels", permission.levels.is_some()),
            ("object", permission.object.is_some()),
            ("checks", !permission.checks.is_empty()),
            ("scopes", !permission.scopes.is_empty()),
        ];
        let what = "a heading only groups, and may carry a feature";
        for (field, _) in unfit.into_iter().filter(|(_, unfit)| *unfit) {
            self.faults.push(&place.key(field), ProblemKind::Unfit { what });
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

    fn references(&mut self, names: &Names<'_>, place: &Place<'_>) -> (Vec<u32>, Vec<u32>) {
        let mut positions = Vec::new();
        let mut requires = Vec::new();
        let list = place.key("requires");
        for (at, name) in names.requires.iter().enumerate() {
            if let Some(bit) = self.catalogue.reference(name, &list.item(at), self.faults) {
                requires.push(bit);
                positions.push(at);
            }
        }
        self.requires_at.push(positions);
        let mut implies = Vec::new();
        let list = place.key("implies");
        for (at, name) in names.implies.iter().enumerate() {
            let Some(bit) = self.catalogue.reference(name, &list.item(at), self.faults) else {
                continue;
            };
            if let Form::Scoped(_) = self.catalogue.node_of(bit).form {
                let kind = ProblemKind::ImpliesScoped { name: name.clone() };
                self.faults.push(&list.item(at), kind);
            }
            implies.push(bit);
        }
        (requires, implies)
    }
}

impl Catalogue {
    /// The threshold that a document names; reports it if there is none.
    pub(crate) fn reference(
        &self,
        name: &str,
        place: &Place<'_>,
        faults: &mut Faults,
    ) -> Option<u32> {
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
/// all that it answers to.
fn check_gates(catalogue: &Catalogue, requires_at: &[Vec<usize>], faults: &mut Faults) -> Vec<u32> {
    let walk = graph::walk(catalogue.nodes.len(), |id, at| {
        let node = &catalogue.nodes[id];
        match node.form {
            Form::Scoped(scopes) => (at < scopes as usize).then_some(id + 1 + at),
            _ => match node.requires.get(at) {
                Some(&bit) => Some(catalogue.bit_nodes[bit as usize] as usize),
                None if at == node.requires.len() => node.gate.map(|gate| gate as usize),
                None => None,
            },
        }
    });
    for ring in &walk.cycles {
        // The place of a cycle is the last requirement on it: the other edges, gate
        // parents and scopes, are the tree itself.
        let stated = ring.iter().rev().find_map(|&(id, edge)| {
            let node = &catalogue.nodes[id];
            match node.form {
                Form::Scoped(_) => None,
                _ if edge < node.own_requires => Some((id, requires_at[id][edge])),
                Form::Scope(of, _) if edge < node.requires.len() => {
                    let of = of as usize;
                    Some((of, requires_at[of][edge - node.own_requires]))
                }
                _ => None,
            }
        });
        let Some((id, at)) = stated else { continue };
        let names = ring.iter().map(|&(id, _)| catalogue.nodes[id].path.to_string());
        let names = truncate_list(names.collect());
        let kind = ProblemKind::Cycle { what: "requirements and gate parents", names };
        catalogue.with_place(number(id), &mut |place| {
            faults.push(&place.key("requires").item(at), kind.clone());
        });
    }
    let mut rank = vec![0; catalogue.nodes.len()];
    for (at, &id) in walk.order.iter().enumerate() {
        rank[id] = number(at);
    }
    rank
}

/// Records for each node what needs it, and for each bit whether anything does.
fn depend(catalogue: &mut Catalogue) {
    let mut dependents = vec![Vec::new(); catalogue.nodes.len()];
    let mut gating = BitSet::new(catalogue.bits());
    let mut implying = BitSet::new(catalogue.bits());
    for (id, node) in catalogue.nodes.iter().enumerate() {
        // A scoped node depends on nothing but its scopes.
        if matches!(node.form, Form::Heading | Form::Scoped(_)) {
            continue;
        }
        if !node.implies.is_empty() {
            implying.insert(node.bit);
        }
        for (_, bit) in catalogue.needs(number(id)) {
            dependents[catalogue.bit_nodes[bit as usize] as usize].push(number(id));
            gating.insert(bit);
        }
    }
    (catalogue.gating, catalogue.implying) = (gating, implying);
    catalogue.dependents = dependents;
}

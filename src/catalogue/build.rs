//! Builds a catalogue from its document, and reports its problems.

mod number;
mod resolve;

use self::number::Numbering;
use self::resolve::{Resolving, check_gates, depend, look};
use super::{Attribute, Catalogue, Edition, Form, Kind, check_value, condition, includes};
use crate::bits::BitSet;
use crate::document::{self, Map, RelationType, StandsFor};
use crate::ids::{AttributeId, IdVec, Key, NodeId, Number};
use crate::names::{HashMap, NameMap, keys};
use crate::problem::{Faults, Place, ProblemKind};

impl Faults {
    /// Returns the greatest depth that the tree may have.
    fn max_depth(&self) -> usize {
        self.limits.depth.min(66)
    }
}

pub(super) fn build(mut document: document::Catalogue, faults: &mut Faults) -> Catalogue {
    let root = Place::Root.key("catalogue");
    let (kinds, attributes) = kinds(&document.objects, &root.key("objects"), faults);
    let settings = settings(&document.settings, &root.key("settings"), faults);
    let editions = editions(&document.editions, &root.key("editions"), faults);

    let place = root.key("permissions");
    let numbering = Numbering::new(&document.permissions, &place, faults);
    let is_cut = numbering.is_cut();
    let Numbering { nodes, by_path, bits, faults, .. } = numbering;

    let mut bit_nodes = Vec::with_capacity(bits.index());
    let mut grantable = BitSet::new(bits.index());
    let mut scoped = Vec::new();
    for (id, node) in nodes.iter() {
        bit_nodes.extend(std::iter::repeat_n(id, node.width() as usize));
        match node.form {
            Form::Scoped(_) => scoped.push(id),
            _ => grantable.insert_range(node.bits()),
        }
    }
    let permissions = &document.permissions;
    let catalogue = Catalogue {
        document: document::Catalogue::default(),
        dependents: IdVec::from_iter([]),
        gating: BitSet::new(0),
        on_objects: BitSet::new(0),
        scope_bits: BitSet::new(0),
        graded: BitSet::new(0),
        implying: BitSet::new(0),
        scoped,
        nodes,
        by_path,
        successors: HashMap::default(),
        bit_nodes: bit_nodes.into_iter().collect(),
        grantable,
        kinds,
        attributes,
        values: Vec::new(),
        settings,
        editions,
    };
    let left = faults.limits.dependencies;
    let (next, requires_at) = (NodeId::default(), IdVec::from_iter([]));
    let mut resolving = Resolving { catalogue, faults, next, requires_at, left };
    resolving.resolve(permissions, &place);
    let Resolving { mut catalogue, faults, requires_at, mut left, .. } = resolving;

    let rank = check_gates(&catalogue, &requires_at, faults);
    depend(&mut catalogue);
    match condition::conditions(&catalogue, &rank, &mut left) {
        Ok(conditions) => {
            for (id, condition) in NodeId::first(conditions.len()).zip(conditions) {
                catalogue.nodes[id].condition = condition.map(Box::new);
            }
            look(&mut catalogue);
        }
        Err(id) => {
            let limit = faults.limits.dependencies;
            catalogue.with_place(id, &mut |place| faults.too_many(place, "dependencies", limit));
        }
    }
    if is_cut {
        take_apart(std::mem::take(&mut document.permissions));
    }
    catalogue.document = document;
    catalogue
}

/// Drops a tree node by node: the recursion of an ordinary drop would use stack in
/// proportion to the tree's depth.
fn take_apart(mut permissions: Vec<document::PermissionNode>) {
    while let Some(mut permission) = permissions.pop() {
        permissions.append(&mut permission.children);
    }
}

fn kinds(
    objects: &Map<document::ObjectKind>,
    place: &Place<'_>,
    faults: &mut Faults,
) -> (NameMap<Kind>, IdVec<AttributeId, Attribute>) {
    let mut kinds = NameMap::default();
    let mut attributes = Vec::new();
    let mut kind_of_users = None;
    for (name, object) in objects.iter() {
        let place = place.name(name);
        faults.check_name(&place, name);
        let mut kind = Kind {
            relations: NameMap::default(),
            attributes: NameMap::default(),
            checks: Vec::new(),
        };
        for (relation, &of) in object.relations.iter() {
            let relations = place.key("relations");
            let place = relations.name(relation);
            faults.check_name(&place, relation);
            if kind.relations.insert(relation.into(), of).is_some() {
                faults.duplicate(&place, relation);
            }
        }
        for (attribute, &bound) in object.attributes.iter() {
            let attributes_place = place.key("attributes");
            let place = attributes_place.name(attribute);
            faults.check_name(&place, attribute);
            let id = AttributeId::new(attributes.len());
            let repeated = kind.attributes.insert(attribute.into(), id).is_some();
            if repeated || kind.relations.contains_key(attribute) {
                faults.duplicate(&place, attribute);
            }
            let mut path = String::new();
            if name.len() + attribute.len() < faults.limits.path {
                path = format!("{name}.{attribute}");
            } else {
                faults.too_long(&place, faults.limits.path);
            }
            attributes.push(Attribute { name: attribute.into(), path: path.into(), bound });
        }
        kind.checks = checks(&object.checks, &kind.attributes, &place.key("checks"), faults);
        if object.stands_for == Some(StandsFor::Users) {
            let field = place.key("stands_for");
            if let Some(other) = kind_of_users.replace(name) {
                let (what, other) = ("users", other.to_owned());
                faults.push(&field, ProblemKind::StoodFor { what, other });
            }
            check_kind_of_users(object, &place, faults);
        }
        if kinds.contains_key(name) {
            faults.duplicate(&place, name);
        } else {
            kinds.insert(name.into(), kind);
        }
    }
    (kinds, attributes.into_iter().collect())
}

/// Checks that a kind of object declares what users have: their names and groups.
fn check_kind_of_users(object: &document::ObjectKind, place: &Place<'_>, faults: &mut Faults) {
    const RELATIONS: [(&str, RelationType); 2] =
        [("self", RelationType::User), ("group", RelationType::Group)];
    let what = "a kind that stands for users has no relations but `self`, to a user, and \
                `group`, to groups, and no attributes";
    let relations = place.key("relations");
    for (name, &of) in object.relations.iter() {
        if !RELATIONS.contains(&(name, of)) {
            faults.push(&relations.name(name), ProblemKind::Unfit { what });
        }
    }
    for (name, _) in RELATIONS {
        if object.relations.get(name).is_none() {
            faults.push(&relations.name(name), ProblemKind::Missing);
        }
    }
    let attributes = place.key("attributes");
    for (name, _) in object.attributes.iter() {
        faults.push(&attributes.name(name), ProblemKind::Unfit { what });
    }
}

fn checks(
    names: &[String],
    attributes: &NameMap<AttributeId>,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Vec<AttributeId> {
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
        let place = place.name(name);
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
        let place = place.name(name);
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

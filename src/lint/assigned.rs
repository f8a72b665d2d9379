//! Finds assignments, grants and bounds in them that serve nothing.

use std::collections::hash_map::Entry;

use super::hold::FEW;
use super::{Code, Linter};
use crate::bits::BitSet;
use crate::catalogue::{AttributeId, Bit, Catalogue, Form, Limit, Link, Node, NodeId};
use crate::engine::{Bounding, Layer, Layers};
use crate::ids::CapacityId;
use crate::names::{HashMap, HashSet};
use crate::policy::{Capacity, Class, Inner, TermTest, Terms};
use crate::problem::{Place, quoted};

/// A finding about an assignment, and about others with the same sources and terms.
struct Found {
    code: Code,
    /// The place within the assignment.
    within: String,
    message: String,
    advice: &'static str,
    names: Vec<String>,
}

/// An assignment's own sources, and their effect for a user, under some licence.
struct Acting {
    own: Layer,
    granted: BitSet,
    effective: BitSet,
    carried: BitSet,
}

impl Acting {
    fn new(layers: &mut Layers<'_>, class: &Class, capacity: &Capacity) -> Acting {
        let own = layers.of_own(&capacity.own);
        let granted = layers.grants_in(class, &own).granted;
        let effective = layers.effective(&granted);
        let carried = layers.carried(&own, &effective);
        Acting { own, granted, effective, carried }
    }
}

impl Linter<'_> {
    /// Reports assignments, and what they state, that serve nothing, at the first of those
    /// that are alike.
    pub(super) fn assignments(&mut self) {
        let policy = self.policy;
        let catalogue = self.catalogue();
        let [now, whole] = [
            catalogue.licensed(|feature| policy.is_licensed(feature)),
            catalogue.licensed(|_| true),
        ];
        let mut examiner = Examiner {
            policy,
            now: Layers::new(policy, &now),
            whole: Layers::new(policy, &whole),
            bounding: Bounding::new(policy),
        };
        let mut known: HashMap<(CapacityId, &Terms), usize> = HashMap::default();
        let mut found: Vec<(String, Vec<Found>, usize)> = Vec::new();
        for (slot, _, alike) in policy.users.first_of_assignments() {
            let Some((user, class)) = policy.users.get(slot).filter(|(_, class)| !class.admin)
            else {
                continue;
            };
            for assigned in policy.users.assigned(slot) {
                let key = (assigned.capacity, &*assigned.terms);
                if let Some((.., others)) = known.get(&key).and_then(|&at| found.get_mut(at)) {
                    *others = others.saturating_add(alike);
                    continue;
                }
                let Some(capacity) = policy.users.capacity(assigned.capacity) else { continue };
                known.insert(key, found.len());
                let users = Place::Root.key("users");
                let place = users.name(user).key("assignments").name(&assigned.name).to_string();
                let examined = examiner.examine(class, capacity, &assigned.terms);
                found.push((place, examined, alike.saturating_sub(1)));
            }
        }
        for (place, found, others) in found {
            for Found { code, within, mut message, advice, names } in found {
                message.push_str(&super::so_for_others(others, "assignment"));
                self.find(code, format!("{place}{within}"), message, advice, names);
            }
        }
    }
}

/// Examines assignments, with layers under the licence and under one with every feature.
struct Examiner<'p> {
    policy: &'p Inner,
    now: Layers<'p>,
    whole: Layers<'p>,
    bounding: Bounding<'p>,
}

impl Examiner<'_> {
    fn examine(&mut self, class: &Class, capacity: &Capacity, terms: &Terms) -> Vec<Found> {
        let [now, whole] =
            [&mut self.now, &mut self.whole].map(|layers| Acting::new(layers, class, capacity));
        let covered = |node: &Node| match node.kind {
            Some(kind) => terms.conditions(kind, &self.policy.catalogue).is_some(),
            None => !terms.are_on_objects(),
        };
        let serves =
            |it: &Acting| it.carried.iter().any(|bit| covered(self.policy.catalogue.node_of(bit)));
        if !serves(&now) && !serves(&whole) {
            return vec![self.carries_nothing(&whole)];
        }
        let granted = self.whole.grants(class).granted;
        let ordinary = self.whole.effective(&granted);
        let mut found = Vec::new();
        found.extend(self.serves_nothing(&whole, &ordinary, terms));
        found.extend(self.gated_bounds(class, capacity, &now, terms));
        found
    }

    /// Reports an assignment that allows nothing.
    fn carries_nothing(&self, acting: &Acting) -> Found {
        let catalogue = &self.policy.catalogue;
        let Acting { own, granted, effective, carried } = acting;
        let path = |bit: Bit| catalogue.node_of(bit).path.to_string();
        let (message, advice, names) = if let Some(bit) = carried.iter().next() {
            let path = path(bit);
            let message = format!(
                "this assignment holds on objects only, and nothing that it grants, such as \
                 `{path}`, is exercised on these"
            );
            (message, "let it hold on others, or leave `on` out", vec![path])
        } else if let Some(bit) = own.granted.iter().next() {
            let path = path(bit);
            let lacks = |(_, bit): &(Link, Bit)| !effective.contains(*bit);
            let lacking = catalogue.needs(catalogue.id_of(bit)).find(lacks);
            let why = match lacking {
                Some((_, lacking)) if granted.contains(bit) => {
                    format!("needs `{}`", catalogue.name_of(lacking))
                }
                _ => "is denied or forbidden".to_owned(),
            };
            let message = format!("nothing that this assignment grants has effect: `{path}` {why}");
            (message, "allow what that needs too, or remove the assignment", vec![path])
        } else {
            let message = "this assignment grants nothing, and its limits and denials concern \
                           only what it grants";
            (message.to_owned(), "allow in it what they are meant for", Vec::new())
        };
        Found { code: Code::CarriesNothing, within: String::new(), message, advice, names }
    }

    /// Reports what an assignment that holds on objects grants on no kind of object, if the
    /// user does not have it anyway, and it neither gates nor implies anything on these
    /// objects.
    fn serves_nothing(&self, acting: &Acting, ordinary: &BitSet, terms: &Terms) -> Option<Found> {
        let catalogue = &self.policy.catalogue;
        if !terms.are_on_objects() {
            return None;
        }
        let covered = |&bit: &Bit| {
            let kind = catalogue.node_of(bit).kind;
            kind.is_some_and(|kind| terms.conditions(kind, catalogue).is_some())
        };
        let carried = acting.carried.iter().filter(covered);
        let mut open: Vec<NodeId> = carried.map(|bit| catalogue.id_of(bit)).collect();
        // What it carries on objects, and all that this needs.
        let mut served: HashSet<NodeId> = HashSet::default();
        while let Some(id) = open.pop() {
            if served.insert(id) {
                open.extend(catalogue.needs(id).map(|(_, bit)| catalogue.id_of(bit)));
            }
        }
        let mut names: Vec<String> = Vec::new();
        for bit in acting.carried.iter().filter(|&bit| !ordinary.contains(bit)) {
            let (id, node) = (catalogue.id_of(bit), catalogue.node_of(bit));
            if node.kind.is_none() && node.bit == bit && !implies_any(catalogue, id, &served) {
                names.push(node.path.to_string());
            }
        }
        let first = quoted(names.iter().take(FEW).map(|name| &**name));
        let more = match names.len().saturating_sub(FEW) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let message = format!(
            "this assignment holds on objects only, so it does not allow {first}{more}: on no kind \
             of object, and needed by nothing that it grants on objects"
        );
        let advice = "grant this outside it, or in an assignment without `on`";
        names.truncate(FEW);
        let found =
            Found { code: Code::ServesNothing, within: String::new(), message, advice, names };
        (!found.names.is_empty()).then_some(found)
    }

    /// Reports bounds of an assignment that let more pass than ordinary ones, but not for
    /// anything that it carries: a gate that checks the same attribute is not carried, and
    /// keeps its ordinary bound.
    fn gated_bounds(
        &mut self,
        class: &Class,
        capacity: &Capacity,
        acting: &Acting,
        terms: &Terms,
    ) -> Vec<Found> {
        let Some(limits) = self.bounding.limits_in(class, &capacity.own) else { return Vec::new() };
        let ordinary = self.bounding.limits(class);
        let catalogue = &self.policy.catalogue;
        let mut seen: HashSet<AttributeId> = HashSet::default();
        let mut found = Vec::new();
        let own = self.policy.own_sources(&capacity.own);
        for &(attribute, _) in own.flat_map(|held| &held.statements.bounds) {
            if !seen.insert(attribute) {
                continue;
            }
            let [own, ordinary] = [&limits, &ordinary].map(|it| it.on(attribute));
            let checking = |&bit: &Bit| checks(catalogue.node_of(bit), attribute);
            let Some(first) = acting.carried.iter().find(checking) else { continue };
            let within = within_terms(own, attribute, catalogue.node_of(first), terms, catalogue);
            if within.is_none_or(|within| ordinary.contains(&within)) {
                continue;
            }
            let blocked = blocked(catalogue, acting, attribute);
            let mut carried = acting.carried.iter().filter(checking);
            if !carried.all(|bit| blocked.contains_key(&catalogue.id_of(bit))) {
                continue;
            }
            let of = catalogue.id_of(first);
            let Some(&gate) = blocked.get(&of) else { continue };
            let [of, gate] = [of, gate].map(|id| catalogue.node(id).path.to_string());
            let path = &catalogue.attribute_at(attribute).path;
            let stated = capacity.own.statements.as_deref().and_then(|it| it.bound(attribute));
            let within = stated.map_or_else(String::new, |_| format!(".bounds.{path}"));
            let message = format!(
                "the bound on `{path}` lets no more pass than the ordinary one: `{of}` needs \
                 `{gate}`, which this assignment does not grant, and whose bound stays the \
                 ordinary one"
            );
            let (code, names) = (Code::GatedBound, vec![path.to_string(), of, gate]);
            let advice = "grant that too in the assignment, or lower the bound";
            found.push(Found { code, within, message, advice, names });
        }
        found
    }
}

/// Returns the values that pass a limit of an assignment and its terms, for a permission
/// that checks the attribute; `None` if the terms do not cover its kind, or if it can't be
/// told.
fn within_terms(
    limit: &Limit,
    attribute: AttributeId,
    checking: &Node,
    terms: &Terms,
    catalogue: &Catalogue,
) -> Option<Limit> {
    let name = &*catalogue.attribute_at(attribute).name;
    let conditions = terms.conditions(checking.kind?, catalogue)?;
    match conditions.iter().find(|(known, _)| *known == name) {
        Some((_, TermTest::Limit(term))) => limit.both(term),
        _ => Some(limit.clone()),
    }
}

/// Returns whether a permission is one of some, or implies one.
fn implies_any(catalogue: &Catalogue, id: NodeId, some: &HashSet<NodeId>) -> bool {
    let mut seen: HashSet<NodeId> = HashSet::default();
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        if some.contains(&id) {
            return true;
        }
        if seen.insert(id) {
            open.extend(catalogue.node(id).implies.iter().map(|&bit| catalogue.id_of(bit)));
        }
    }
    false
}

fn checks(node: &Node, attribute: AttributeId) -> bool {
    node.condition.as_deref().is_some_and(|it| it.own_checks.contains(&attribute))
}

/// Returns the permissions that are followed by one that checks an attribute and that an
/// assignment does not carry, each with one such.
fn blocked(
    catalogue: &Catalogue,
    acting: &Acting,
    attribute: AttributeId,
) -> HashMap<NodeId, NodeId> {
    let gates = acting.effective.iter().filter(|&bit| {
        let node = catalogue.node_of(bit);
        node.bit == bit && !acting.carried.contains(bit) && checks(node, attribute)
    });
    let mut open: Vec<(NodeId, NodeId)> =
        gates.map(|bit| catalogue.id_of(bit)).map(|id| (id, id)).collect();
    let mut blocked: HashMap<NodeId, NodeId> = HashMap::default();
    while let Some((id, gate)) = open.pop() {
        // Of a single scope that is required nothing is followed.
        if matches!(catalogue.node(id).form, Form::Scope(..)) {
            continue;
        }
        let dependents = catalogue.dependents(id).iter().filter(|it| it.link != Link::Implies);
        for dependent in dependents {
            if let Entry::Vacant(vacant) = blocked.entry(dependent.id) {
                vacant.insert(gate);
                open.push((dependent.id, gate));
            }
        }
    }
    blocked
}

//! Finds permissions that nobody can hold, and checks that no value passes.

use super::{Code, Linter, Stated, checks};
use crate::bits::BitSet;
use crate::catalogue::{AttributeId, Catalogue, Form, Limit, NodeId};
use crate::engine::{Layer, Layers, possible, violations};
use crate::ids::{SourceId, each};
use crate::names::HashSet;
use crate::policy::{Inner, Origin};
use crate::problem::quoted;

/// The most names that a message lists.
const FEW: usize = 3;

impl Linter<'_> {
    /// Reports the permissions that nobody can hold, and the checks that no value passes.
    pub(super) fn holding(&mut self) {
        let policy = self.policy;
        let catalogue = self.catalogue();
        let licensed = any_licence(policy);
        let mut all = grants(policy, self.stated);
        let effective = possible(policy, &mut all, &licensed);
        let held = |id: NodeId| {
            let node = catalogue.node(id);
            node.form == Form::Heading
                || (effective.contains(node.bit) && licensed.contains(node.bit))
        };
        for (id, node) in catalogue.nodes.iter() {
            // A permission that needs one that nobody can hold is reported with that one.
            let scoped_too = matches!(node.form, Form::Scope(of, _) if !held(of));
            let mut needs = catalogue.needs(id).map(|(_, bit)| catalogue.id_of(bit));
            if held(id) || scoped_too || needs.any(|id| !held(id)) {
                continue;
            }
            let (but, why, advice) = if !licensed.contains(node.bit) {
                let why = "neither an edition nor the licence has the feature that it needs";
                (", not even an admin,", why, "name the feature in an edition, if it is in one")
            } else if each(node.statement_bits()).all(|bit| all.forbidden.contains(bit)) {
                let why = "the global source forbids it";
                (" but an admin", why, "leave the forbid out, or leave it to admins")
            } else {
                (" but an admin", "nothing grants it", "allow it somewhere, or leave it to admins")
            };
            let dependents = dependents(catalogue, id);
            let mut message = format!("nobody{but} can hold `{}`: {why}", node.path);
            if !dependents.is_empty() {
                let first = dependents.iter().take(FEW).map(|&id| &*catalogue.node(id).path);
                message.push_str(&format!("; the same goes for {}", quoted(first)));
            }
            if let more @ 1.. = dependents.len().saturating_sub(FEW) {
                message.push_str(&format!(" and {more} more that need it"));
            }
            let place = catalogue.place(id);
            let names = vec![node.path.to_string()];
            self.find(Code::NeverHeld, place, message, advice, names);
        }
        self.bounds(&effective);
        self.separations(&effective);
    }

    /// Reports separations that somebody breaks already, and those that nobody can.
    fn separations(&mut self, effective: &BitSet) {
        let policy = self.policy;
        let separations = policy.governance.separations();
        if separations.is_empty() {
            return;
        }
        let licensed = policy.catalogue.licensed(|feature| policy.is_licensed(feature));
        let violations = violations(policy, &licensed);
        for (at, separation) in separations.iter().enumerate() {
            let place = format!("governance.separation[{at}]");
            let name = &separation.name;
            let mut breaking = violations.iter().filter(|(it, ..)| it.name == *name);
            if let Some((_, slot, held)) = breaking.next() {
                let user = policy.users.name(*slot);
                let held = quoted(separation.held(held));
                let mut message = format!("`{user}` holds {held}, which `{name}` keeps apart");
                match breaking.count() {
                    0 => {}
                    1 => message.push_str(" (so does another user)"),
                    others => message.push_str(&format!(" (so do {others} other users)")),
                }
                let advice = "take some of them away";
                self.find(Code::Broken, place, message, advice, vec![user.to_owned()]);
            } else if !separation.is_broken_by(effective) {
                let message = format!("nobody can hold as much as `{name}` keeps apart");
                let advice = "lower `at_most`, or grant its permissions somewhere";
                self.find(Code::Toothless, place, message, advice, vec![name.to_string()]);
            }
        }
    }

    fn bounds(&mut self, effective: &BitSet) {
        let catalogue = self.catalogue();
        let mut settled: HashSet<AttributeId> = HashSet::default();
        for Stated { held, .. } in self.stated {
            for &(id, ref bound) in &held.statements.bounds {
                if Limit::new(catalogue.attribute_at(id).bound, bound).passable() {
                    settled.insert(id);
                }
            }
        }
        for (id, node) in checks(catalogue, effective) {
            if settled.insert(id) {
                let path = &catalogue.attribute_at(id).path;
                let (kind, attribute) = path.split_once('.').unwrap_or_default();
                let place = format!("catalogue.objects.{kind}.attributes.{attribute}");
                let message = format!(
                    "no source states a bound on `{path}` that any value could pass: only admins \
                     may `{}` and whatever else checks it",
                    node.path
                );
                let advice =
                    "state a bound; globally `\"any\"`, if only some users are to be bounded";
                let names = vec![path.to_string(), node.path.to_string()];
                self.find(Code::NoBound, place, message, advice, names);
            }
        }
    }
}

/// Returns the most that sources grant, whichever of them a user has, along with the
/// statements and forbids that are for everybody.
fn grants(policy: &Inner, stated: &[Stated<'_>]) -> Layer {
    let catalogue = &policy.catalogue;
    let licensed = catalogue.licensed(|_| true);
    let mut layers = Layers::new(policy, &licensed);
    let mut all = BitSet::new(catalogue.bits());
    for Stated { held, .. } in stated {
        let Layer { mut granted, forbidden, .. } = match held.origin {
            Origin::Shared(id) => layers.of_source(id).clone(),
            Origin::Own | Origin::Assignment => Layer::of(held.statements, catalogue),
        };
        granted.subtract(&forbidden);
        all.union_with(&granted);
    }
    let global = layers.of_source(SourceId::GLOBAL);
    all.subtract(&global.forbidden);
    // Whatever the global source states anything about is implied to nobody.
    Layer { granted: all, ..global.clone() }
}

/// Returns what could be licensed: the features of any edition or of the licence, or
/// everything if no edition is declared.
fn any_licence(policy: &Inner) -> BitSet {
    let editions = &policy.catalogue.editions;
    let of_editions = editions.values().flat_map(|edition| &edition.features);
    let mut known: HashSet<&str> = of_editions.map(|feature| &**feature).collect();
    known.extend(policy.licence.stated().features.iter().map(String::as_str));
    policy.catalogue.licensed(|feature| editions.is_empty() || known.contains(feature))
}

/// Returns the permissions that lose their effect with a node, its scopes aside.
fn dependents(catalogue: &Catalogue, id: NodeId) -> Vec<NodeId> {
    let mut lost: Vec<NodeId> = catalogue.scopes(id).chain([id]).collect();
    let first = lost.len();
    let mut seen: HashSet<NodeId> = lost.iter().copied().collect();
    let mut next = 0;
    while let Some(&id) = lost.get(next) {
        lost.extend(catalogue.dependents(id).iter().filter(|&&it| seen.insert(it)));
        next = next.saturating_add(1);
    }
    let mut found = lost.split_off(first);
    found.retain(|&id| !matches!(catalogue.node(id).form, Form::Scope(..)));
    found.sort_unstable();
    found
}

//! Finds permissions that nobody can hold, and checks that no value passes.

use super::{Code, Linter, Stated, checks};
use crate::bits::BitSet;
use crate::catalogue::{AttributeId, Catalogue, Form, Limit, NodeId};
use crate::engine::{Layer, Layers, possible, violations};
use crate::ids::{Number, SourceId, each};
use crate::names::HashSet;
use crate::policy::{Inner, Origin};
use crate::problem::quoted;

/// The most names that a message lists.
pub(super) const FEW: usize = 3;

impl Linter<'_> {
    /// Reports the permissions that nobody can hold, and the checks that no value passes.
    pub(super) fn holding(&mut self) {
        let policy = self.policy;
        let catalogue = self.catalogue();
        let licensed = any_licence(policy);
        let mut all = grants(policy, self.stated);
        let mut under_licence = all.clone();
        let effective = possible(policy, &mut all, &licensed);
        let held = |id: NodeId| {
            let node = catalogue.node(id);
            node.form == Form::Heading
                || (effective.contains(node.bit) && licensed.contains(node.bit))
        };
        let mut missing: Vec<Missing> = Vec::new();
        for (id, node) in catalogue.nodes.iter() {
            // A permission that needs one that nobody can hold is reported with that one.
            let scoped_too = matches!(node.form, Form::Scope(of, _) if !held(of));
            let mut needs = catalogue.needs(id).map(|(_, bit)| catalogue.id_of(bit));
            if held(id) || scoped_too || needs.any(|id| !held(id)) {
                continue;
            }
            let cause = if !licensed.contains(node.bit) {
                Cause::Unlicensed
            } else if each(node.statement_bits()).all(|bit| all.forbidden.contains(bit)) {
                Cause::Forbidden
            } else {
                Cause::NotGranted
            };
            missing.push(Missing { id, cause });
        }
        let can_be_held = |&id: &NodeId| catalogue.node(id).form != Form::Heading && held(id);
        let known: Vec<NodeId> = each(catalogue.subtree(None)).filter(can_be_held).collect();
        let mut rest = &*missing;
        while let Some(first) = rest.first() {
            let (above, count) = whole_subtree(catalogue, &known, &missing, rest)
                .map_or((None, 1), |(above, count)| (Some(above), count));
            let (group, others) = rest.split_at(count);
            self.never_held(first.cause, above, group);
            rest = others;
        }
        self.bounds(&effective);
        self.separations(&effective);
        self.changes(&mut under_licence);
    }

    /// Reports permissions that nobody can hold, for the same cause: one, or all beneath a
    /// node.
    fn never_held(&mut self, cause: Cause, above: Option<NodeId>, group: &[Missing]) {
        let catalogue = self.catalogue();
        let Some(Missing { id: first, .. }) = group.first() else { return };
        let beneath = match above {
            Some(above) => catalogue.subtree(Some(above)),
            None => *first..first.plus(1),
        };
        let many = above.is_some();
        let (it, but) = (if many { "them" } else { "it" }, " but an admin");
        let (but, why, advice) = match cause {
            Cause::Unlicensed => {
                let needs =
                    if many { "a feature that they need" } else { "the feature that it needs" };
                let why = format!("neither an edition nor the licence has {needs}");
                (", not even an admin,", why, "name the feature in an edition, if it is in one")
            }
            Cause::Forbidden => {
                let advice = "leave the forbid out, or leave it to admins";
                (but, format!("the global source forbids {it}"), advice)
            }
            Cause::NotGranted => {
                let advice = if many {
                    "allow them somewhere, or leave them to admins"
                } else {
                    "allow it somewhere, or leave it to admins"
                };
                (but, format!("nothing grants {it}"), advice)
            }
        };
        let what = match above {
            None => format!("`{}`", catalogue.node(*first).path),
            Some(above) => {
                let is_permission = |&id: &NodeId| {
                    let form = &catalogue.node(id).form;
                    id != above && !matches!(form, Form::Heading | Form::Scope(..))
                };
                let count = each(beneath.clone()).filter(is_permission).count();
                let path = &catalogue.node(above).path;
                format!("any of the {count} permissions beneath `{path}`")
            }
        };
        let mut message = format!("nobody{but} can hold {what}: {why}");
        let mut dependents = dependents(catalogue, group);
        dependents.retain(|id| !beneath.contains(id));
        if !dependents.is_empty() {
            let first = dependents.iter().take(FEW).map(|&id| &*catalogue.node(id).path);
            message.push_str(&format!("; the same goes for {}", quoted(first)));
        }
        if let more @ 1.. = dependents.len().saturating_sub(FEW) {
            message.push_str(&format!(" and {more} more that need {it}"));
        }
        let place = match above {
            None => catalogue.place(*first),
            Some(above) if catalogue.node(above).form == Form::Heading => catalogue.place(above),
            Some(above) => format!("{}.children", catalogue.place(above)),
        };
        let names = group.iter().take(FEW).map(|it| catalogue.node(it.id).path.to_string());
        self.find(Code::NeverHeld, place, message, advice, names.collect());
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

    /// Reports the kinds of change for which nobody can hold what they need under the
    /// licence, given the most that sources grant.
    fn changes(&mut self, all: &mut Layer) {
        let policy = self.policy;
        let catalogue = self.catalogue();
        let licensed = catalogue.licensed(|feature| policy.is_licensed(feature));
        all.granted.intersect_with(&licensed);
        let effective = possible(policy, all, &licensed);
        for (change, needs) in policy.governance.needed() {
            let lacking = needs.iter().filter(|&&bit| !effective.contains(bit));
            let lacking: Vec<String> = lacking.map(|&bit| catalogue.name_of(bit)).collect();
            if lacking.is_empty() {
                continue;
            }
            let names = quoted(lacking.iter().take(FEW).map(|name| &**name));
            let message = format!(
                "only an admin can make this kind of change: it needs {names}, which nobody else \
                 can hold under the licence"
            );
            let advice = "name what somebody can hold, or leave it out, if it is for admins";
            let place = format!("governance.permissions.{}", change.code());
            self.find(Code::NeverMade, place, message, advice, lacking);
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
    let (mut own, mut left) = (Layer::new(catalogue.bits()), all.clone());
    for Stated { held, .. } in stated {
        let Layer { granted, forbidden, .. } = match held.origin {
            Origin::Shared(id) => layers.of_source(id),
            Origin::Own | Origin::Assignment => {
                own.repaint(held.statements, catalogue);
                &own
            }
        };
        left.zip(granted, |_, granted| granted);
        left.subtract(forbidden);
        all.union_with(&left);
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

/// A permission that nobody can hold, although all that it needs can be held.
struct Missing {
    id: NodeId,
    cause: Cause,
}

/// The reason why nobody can hold a permission.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Unlicensed,
    Forbidden,
    NotGranted,
}

/// Finds the highest node beneath which nothing can be held, the first of the missing
/// permissions neither, all for the same cause. Returns it with the number of those missing
/// beneath it, at least two. `held` are the permissions that can be held; `rest` is the end
/// of `missing`.
fn whole_subtree(
    catalogue: &Catalogue,
    held: &[NodeId],
    missing: &[Missing],
    rest: &[Missing],
) -> Option<(NodeId, usize)> {
    let first = rest.first()?;
    let done = missing.len().saturating_sub(rest.len());
    let above =
        std::iter::successors(catalogue.node(first.id).above, |&id| catalogue.node(id).above);
    let whole = above.filter_map(|id| {
        let end = catalogue.node(id).end;
        let is_first = missing.partition_point(|it| it.id <= id) == done;
        let none_held =
            held.partition_point(|&it| it <= id) == held.partition_point(|&it| it < end);
        let found = rest.partition_point(|it| it.id < end);
        let alike = || rest.iter().take(found).all(|it| it.cause == first.cause);
        (is_first && none_held && found > 1 && alike()).then_some((id, found))
    });
    whole.last()
}

/// Returns the permissions that lose their effect with some, scopes aside.
fn dependents(catalogue: &Catalogue, missing: &[Missing]) -> Vec<NodeId> {
    let mut lost: Vec<NodeId> =
        missing.iter().flat_map(|it| catalogue.scopes(it.id).chain([it.id])).collect();
    let first = lost.len();
    let mut seen: HashSet<NodeId> = lost.iter().copied().collect();
    let mut next = 0;
    while let Some(&id) = lost.get(next) {
        let dependents = catalogue.dependents(id).iter().map(|it| it.id);
        lost.extend(dependents.filter(|&it| seen.insert(it)));
        next = next.saturating_add(1);
    }
    let mut found = lost.split_off(first);
    found.retain(|&id| !matches!(catalogue.node(id).form, Form::Scope(..)));
    found.sort_unstable();
    found
}

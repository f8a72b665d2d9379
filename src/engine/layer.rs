//! Statements of sources, merged into what is granted and effective (design, rules
//! 1 to 6).
//!
//! Everything here works on whole sets of permissions at once: overlaying a tier
//! takes a few operations per word.

use crate::bits::{BitSet, any, ones};
use crate::catalogue::{Catalogue, Dependent, Form, Link, Node, NodeId, Pattern};
use crate::ids::{IdVec, SourceId, each};
use crate::names::HashSet;
use crate::policy::{Class, Effect, Inner, OwnSources, Said, Statement, Statements, Tier};

/// The effect of the statements of a source, a tier or all tiers together.
///
/// INVARIANT: either all bits of a permission are said (denied, forbidden) or none
/// is; of a graded one, the granted bits are the first ones.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// The permissions about which anything is stated.
    pub(crate) said: BitSet,
    /// The levels and permissions granted.
    pub(crate) granted: BitSet,
    /// The permissions denied.
    pub(crate) denied: BitSet,
    /// The permissions forbidden.
    pub(crate) forbidden: BitSet,
}

impl Layer {
    /// Returns the statement about a permission that can be granted.
    pub(crate) fn said_of(&self, node: &Node) -> Said {
        match node.bit {
            bit if !self.said.contains(bit) => Said::Nothing,
            bit if self.denied.contains(bit) => Said::Deny,
            _ => Said::Level(node.level(|bit| self.granted.contains(bit)) as u32),
        }
    }

    pub(crate) fn new(bits: usize) -> Layer {
        let empty = BitSet::new(bits);
        Layer {
            said: empty.clone(),
            granted: empty.clone(),
            denied: empty.clone(),
            forbidden: empty,
        }
    }

    /// The layer of one source's statements.
    pub(crate) fn of(statements: &Statements, catalogue: &Catalogue) -> Layer {
        let mut layer = Layer::new(catalogue.bits());
        layer.paint(statements, catalogue);
        layer
    }

    /// Puts the statements of one source in the place of those that it has.
    pub(crate) fn repaint(&mut self, statements: &Statements, catalogue: &Catalogue) {
        self.clear();
        self.paint(statements, catalogue);
    }

    fn clear(&mut self) {
        for set in [&mut self.said, &mut self.granted, &mut self.denied, &mut self.forbidden] {
            set.clear();
        }
    }

    /// Rule 1: within a source the nearest statement wins. Painting from the
    /// farthest to the nearest achieves just that.
    fn paint(&mut self, statements: &Statements, catalogue: &Catalogue) {
        // An `except` is painted before a level of the same pattern, which only wins where
        // it is the lowest one.
        let mut excepted: HashSet<Pattern> = HashSet::default();
        statements.each_distinct(catalogue, |statement| {
            let Statement { effect, pattern, .. } = statement;
            match effect {
                Effect::Allow => {
                    pattern.ranges(catalogue).for_each(|bits| {
                        self.said.insert_range(bits.clone());
                        self.granted.insert_range(bits.clone());
                        self.denied.remove_range(bits);
                    });
                }
                Effect::Except => {
                    excepted.insert(pattern);
                    pattern.ranges(catalogue).for_each(|bits| {
                        self.said.remove_range(bits.clone());
                        self.granted.remove_range(bits.clone());
                        self.denied.remove_range(bits);
                    });
                }
                Effect::Deny => {
                    pattern.ranges(catalogue).for_each(|bits| {
                        self.said.insert_range(bits.clone());
                        self.granted.remove_range(bits.clone());
                        self.denied.insert_range(bits);
                    });
                }
                Effect::Level(_) => {
                    let yields = excepted.contains(&pattern);
                    for (id, said) in statement.results(catalogue) {
                        if yields && said.level() > 0 {
                            continue;
                        }
                        let node = catalogue.node(id);
                        self.said.insert_range(node.bits());
                        self.denied.remove_range(node.bits());
                        self.granted.remove_range(node.bits());
                        self.granted.insert_range(node.bits_up_to(said.level()));
                    }
                }
                Effect::Forbid => {
                    pattern.ranges(catalogue).for_each(|bits| {
                        self.forbidden.insert_range(bits);
                    });
                }
            }
        });
        for set in [&mut self.said, &mut self.granted, &mut self.denied, &mut self.forbidden] {
            set.intersect_with(&catalogue.grantable);
        }
    }

    /// Rule 2, within the role tier: any deny wins, else the most generous
    /// statement.
    fn join(&mut self, other: &Layer) {
        self.said.union_with(&other.said);
        self.granted.union_with(&other.granted);
        self.denied.union_with(&other.denied);
        self.granted.subtract(&self.denied);
        self.forbidden.union_with(&other.forbidden);
    }

    /// Rule 2, between tiers: the more specific one decides where it states
    /// anything. Forbids stay in any case.
    fn overlay(&mut self, tier: &Layer) {
        self.granted.subtract(&tier.said);
        self.granted.union_with(&tier.granted);
        self.denied.subtract(&tier.said);
        self.denied.union_with(&tier.denied);
        self.said.union_with(&tier.said);
        self.forbidden.union_with(&tier.forbidden);
    }
}

/// The layers of a policy's sources, each made when first needed.
#[derive(Debug)]
pub(crate) struct Layers<'p> {
    policy: &'p Inner,
    licensed: &'p BitSet,
    /// Each with what the source includes.
    sources: IdVec<SourceId, Option<Box<Layer>>>,
    /// Space for joining a tier, and for a user's own layer.
    tier: Layer,
}

impl<'p> Layers<'p> {
    /// The layers of a policy under some licence.
    pub(crate) fn new(policy: &'p Inner, licensed: &'p BitSet) -> Layers<'p> {
        let sources = IdVec::filled(policy.sources.slots(), None);
        Layers { policy, licensed, sources, tier: Layer::new(policy.catalogue.bits()) }
    }

    /// The statements of a source and of all that it includes, joined.
    pub(crate) fn of_source(&mut self, id: SourceId) -> &Layer {
        let policy = self.policy;
        // Each with how many of its includes have been visited.
        let mut open = if self.sources[id].is_none() { vec![(id, 0)] } else { Vec::new() };
        while let Some((id, visited)) = open.last_mut() {
            let id = *id;
            let source = &policy.sources[id];
            if let Some(&next) = source.includes.get(*visited) {
                *visited += 1;
                if self.sources[next].is_none() {
                    open.push((next, 0));
                }
                continue;
            }
            let mut layer = Layer::of(&source.statements, &policy.catalogue);
            for included in source.includes.iter().filter_map(|&id| self.sources[id].as_deref()) {
                layer.join(included);
            }
            self.sources[id] = Some(Box::new(layer));
            open.pop();
        }
        // It was made above, if not before.
        self.sources[id].get_or_insert_with(|| Box::new(Layer::new(policy.catalogue.bits())))
    }

    /// The statements of what a source includes, joined.
    pub(crate) fn of_included(&mut self, id: SourceId) -> Layer {
        let policy = self.policy;
        let mut layer = Layer::new(policy.catalogue.bits());
        for &included in &policy.sources[id].includes {
            layer.join(self.of_source(included));
        }
        layer
    }

    /// The statements of the sources of an assignment's own, joined.
    pub(crate) fn of_own(&mut self, own: &OwnSources) -> Layer {
        let catalogue = &self.policy.catalogue;
        let mut layer = match own.statements.as_deref() {
            Some(statements) => Layer::of(statements, catalogue),
            None => Layer::new(catalogue.bits()),
        };
        for &source in &own.sources {
            layer.join(self.of_source(source));
        }
        layer.granted.subtract(&layer.denied);
        layer
    }

    /// The statements of all the sources of a user, tier over tier. In an assignment, the
    /// layer of its own sources belongs to the role tier (rule 9).
    fn merge(&mut self, user: &Class, own: Option<&Layer>) -> Layer {
        let policy = self.policy;
        let mut all = self.of_source(SourceId::GLOBAL).clone();
        let tier = |id: SourceId| policy.sources[id].kind.tier();
        let mut own = own;
        for sources in user.sources.chunk_by(|&a, &b| tier(a) == tier(b)) {
            let of_tier =
                own.take_if(|_| sources.first().is_some_and(|&id| tier(id) == Tier::Role));
            if let (&[source], None) = (sources, of_tier) {
                all.overlay(self.of_source(source));
                continue;
            }
            self.tier.clear();
            for &source in sources {
                self.of_source(source);
                if let Some(layer) = &self.sources[source] {
                    self.tier.join(layer);
                }
            }
            if let Some(own) = of_tier {
                self.tier.join(own);
            }
            all.overlay(&self.tier);
        }
        if let Some(own) = own {
            all.overlay(own);
        }
        if let Some(own) = &user.statements {
            self.tier.clear();
            self.tier.paint(own, &policy.catalogue);
            all.overlay(&self.tier);
        }
        all
    }

    /// Everything that a user is granted, implications included, before any gate. The user
    /// must be neither an admin nor suspended.
    pub(crate) fn grants(&mut self, user: &Class) -> Layer {
        self.grants_with(user, None, |_, _| {})
    }

    /// Everything that a user is granted who acts in an assignment, given the layer of its
    /// own sources.
    pub(crate) fn grants_in(&mut self, user: &Class, own: &Layer) -> Layer {
        self.grants_with(user, Some(own), |_, _| {})
    }

    /// Rule 9: the part of the effective permissions that an assignment carries, given the
    /// layer of its own sources.
    pub(crate) fn carried(&self, own: &Layer, effective: &BitSet) -> BitSet {
        let catalogue = &self.policy.catalogue;
        let mut carried = own.granted.clone();
        carried.intersect_with(effective);
        let implying = carried.pairs(&catalogue.implying).map(|(carried, all)| carried & all);
        let mut open: Vec<NodeId> = ones(implying).map(|bit| catalogue.id_of(bit)).collect();
        while let Some(id) = open.pop() {
            for &bit in &catalogue.node(id).implies {
                let implied = catalogue.id_of(bit);
                let node = catalogue.node(implied);
                if own.said.contains(node.bit) || !effective.contains(node.bit) {
                    continue;
                }
                if !carried.contains(node.bit) {
                    open.push(implied);
                }
                let levels = each(node.bits_up_to(node.level_of(bit)));
                levels.filter(|&bit| effective.contains(bit)).for_each(|bit| carried.insert(bit));
            }
        }
        for &id in &catalogue.scoped {
            let node = catalogue.node(id);
            if any(carried.words(), node.statement_bits()) {
                carried.insert(node.bit);
            }
        }
        carried
    }

    /// The permissions that a user is granted before any gate, and those that the user would
    /// be granted without forbids; in an assignment, given the layer of its own sources.
    pub(crate) fn grants_forbids_aside(
        &mut self,
        user: &Class,
        own: Option<&Layer>,
    ) -> [BitSet; 2] {
        let mut all = self.merge(user, own);
        let mut unforbidden = all.clone();
        unforbidden.forbidden.clear();
        for layer in [&mut all, &mut unforbidden] {
            self.complete(layer, |_, _| {});
        }
        [all.granted, unforbidden.granted]
    }

    /// Everything that a user is granted, before any gate; passes each implied permission to
    /// `implied` along with the first one that implies it.
    pub(super) fn grants_with(
        &mut self,
        user: &Class,
        own: Option<&Layer>,
        implied: impl FnMut(NodeId, NodeId),
    ) -> Layer {
        let mut all = self.merge(user, own);
        self.complete(&mut all, implied);
        all
    }

    /// Rules 3 and 4, once all tiers are merged.
    fn complete(&self, all: &mut Layer, implied: impl FnMut(NodeId, NodeId)) {
        all.granted.subtract(&all.forbidden);
        all.granted.intersect_with(self.licensed);
        self.imply(all, implied);
    }

    /// Rule 4: implications fill the gaps about which no source states anything.
    fn imply(&self, all: &mut Layer, mut first_implied: impl FnMut(NodeId, NodeId)) {
        let catalogue = &self.policy.catalogue;
        let implying = all.granted.pairs(&catalogue.implying).map(|(granted, all)| granted & all);
        let mut open: Vec<NodeId> = ones(implying).map(|bit| catalogue.id_of(bit)).collect();
        while let Some(id) = open.pop() {
            for &bit in &catalogue.node(id).implies {
                let implied = catalogue.id_of(bit);
                let node = catalogue.node(implied);
                let first = node.bit;
                if all.said.contains(first)
                    || all.forbidden.contains(first)
                    || !self.licensed.contains(first)
                {
                    continue;
                }
                if !all.granted.contains(first) {
                    first_implied(implied, id);
                    open.push(implied);
                }
                all.granted.insert_range(node.bits_up_to(node.level_of(bit)));
            }
        }
    }

    /// Rule 5: the effective permissions among the granted ones, scoped nodes
    /// included.
    pub(crate) fn effective(&self, granted: &BitSet) -> BitSet {
        self.effective_with(granted, |_| {})
    }

    /// The same, which passes each granted permission that has no effect to `fell`,
    /// after something that it needs: that was not granted, or was passed before.
    pub(super) fn effective_with(&self, granted: &BitSet, mut fell: impl FnMut(NodeId)) -> BitSet {
        let catalogue = &self.policy.catalogue;
        let mut effective = granted.clone();
        for &id in &catalogue.scoped {
            let node = catalogue.node(id);
            if any(granted.words(), node.statement_bits()) {
                effective.insert(node.bit);
            }
        }
        // The largest set in which all gates hold is what is left after removing
        // all that fails, and all that then fails for lack of it. It is removed in
        // the order of a breadth-first search from what is not granted, so that the
        // chain of causes behind a permission is as short as can be.
        let wanting = catalogue.gating.pairs(&effective).map(|(gating, held)| gating & !held);
        let mut fallen: Vec<NodeId> = ones(wanting).map(|bit| catalogue.id_of(bit)).collect();
        let mut next = 0;
        while let Some(&id) = fallen.get(next) {
            next += 1;
            if let Form::Scope(of, _) = catalogue.node(id).form {
                let scoped = catalogue.node(of);
                let left = any(effective.words(), scoped.statement_bits());
                if !left && effective.contains(scoped.bit) {
                    effective.remove_range(scoped.bits());
                    fell(of);
                    fallen.push(of);
                }
            }
            for dependent in catalogue.dependents(id) {
                let node = catalogue.node(dependent.id);
                if effective.contains(node.bit) && !self.is_met(dependent, &effective) {
                    effective.remove_range(node.bits());
                    fell(dependent.id);
                    fallen.push(dependent.id);
                }
            }
        }
        effective
    }

    /// Returns whether a permission has one of its needs.
    fn is_met(&self, dependent: &Dependent, effective: &BitSet) -> bool {
        let Dependent { link, bit, .. } = *dependent;
        effective.contains(bit) || (link == Link::Implies && !self.licensed.contains(bit))
    }

    /// The policy whose layers these are, and what its licence, or another one, covers.
    pub(super) fn of(&self) -> (&'p Inner, &'p BitSet) {
        (self.policy, self.licensed)
    }
}

/// Everything that could be effective for anybody under any licence. `all` is all that anybody
/// could be granted (what is said or forbidden in it is so for everybody); what it
/// implies is added to it, as far as `licensed` covers that.
pub(crate) fn possible(policy: &Inner, all: &mut Layer, licensed: &BitSet) -> BitSet {
    Layers::new(policy, licensed).imply(all, |_, _| {});
    // An implied permission gates only while it is licensed, so a smaller licence
    // may leave more: with nothing licensed, none of them gates.
    let least = policy.catalogue.licensed(|_| false);
    Layers::new(policy, &least).effective(&all.granted)
}

//! What sources say, merged into what is granted and effective (design,
//! rules 1 to 6).
//!
//! Everything here works on whole sets of permissions at once: a tier lies over
//! another with three operations a word.

use crate::bits::{BitSet, any, ones};
use crate::catalogue::{Catalogue, Form, NodeId};
use crate::policy::{Class, Inner, Source, SourceId, Sources, Statements};
use crate::slots::Slots;

/// What a source, a tier or all tiers together say.
///
/// INVARIANT: all bits of a permission are said, denied or forbidden, or none;
/// of a graded one, the granted bits are the first ones.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// Of which permissions anything is said.
    pub(crate) said: BitSet,
    /// What is granted.
    pub(crate) granted: BitSet,
    /// What is denied.
    pub(crate) denied: BitSet,
    /// What is forbidden.
    pub(crate) forbidden: BitSet,
}

/// What one statement does to what it matches, the most generous first: on a
/// tie the later of these is painted over the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Effect<'s> {
    Allow,
    Level(&'s str),
    Deny,
}

impl Layer {
    pub(crate) fn new(bits: usize) -> Layer {
        let empty = BitSet::new(bits);
        Layer {
            said: empty.clone(),
            granted: empty.clone(),
            denied: empty.clone(),
            forbidden: empty,
        }
    }

    fn clear(&mut self) {
        for set in [&mut self.said, &mut self.granted, &mut self.denied, &mut self.forbidden] {
            set.clear();
        }
    }

    /// Rule 1: within a source the nearest statement wins. Painting from the
    /// farthest to the nearest leaves just that.
    fn paint(&mut self, statements: &Statements, catalogue: &Catalogue) {
        let allow = statements.allow.iter().map(|&pattern| (pattern, Effect::Allow));
        let deny = statements.deny.iter().map(|&pattern| (pattern, Effect::Deny));
        let levels =
            statements.levels.iter().map(|(pattern, level)| (*pattern, Effect::Level(level)));
        let mut stated: Vec<_> = allow.chain(levels).chain(deny).collect();
        stated.sort_by_key(|&(pattern, effect)| (pattern.nearness(catalogue), effect));
        for (pattern, effect) in stated {
            match effect {
                Effect::Allow => {
                    for bits in pattern.ranges(catalogue) {
                        self.said.insert_range(bits.clone());
                        self.granted.insert_range(bits.clone());
                        self.denied.remove_range(bits);
                    }
                }
                Effect::Deny => {
                    for bits in pattern.ranges(catalogue) {
                        self.said.insert_range(bits.clone());
                        self.granted.remove_range(bits.clone());
                        self.denied.insert_range(bits);
                    }
                }
                Effect::Level(level) => {
                    for (id, level) in pattern.graded(level, catalogue) {
                        let bits = catalogue.node(id).bits();
                        self.said.insert_range(bits.clone());
                        self.denied.remove_range(bits.clone());
                        self.granted.remove_range(bits.clone());
                        self.granted.insert_range(bits.start..bits.start + level as u32);
                    }
                }
            }
        }
        for pattern in &statements.forbid {
            for bits in pattern.ranges(catalogue) {
                self.forbidden.insert_range(bits);
            }
        }
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

    /// Rule 2, between tiers: the more specific one decides where it says
    /// anything. A forbid stays in any case.
    fn overlay(&mut self, tier: &Layer) {
        self.granted.subtract(&tier.said);
        self.granted.union_with(&tier.granted);
        self.denied.subtract(&tier.said);
        self.denied.union_with(&tier.denied);
        self.said.union_with(&tier.said);
        self.forbidden.union_with(&tier.forbidden);
    }
}

/// The layers of a policy's sources.
#[derive(Debug)]
pub(crate) struct Layers<'p> {
    policy: &'p Inner,
    licensed: &'p BitSet,
    /// Which bits are the first ones of nodes that imply something.
    implying: BitSet,
    global: Layer,
    profiles: Vec<Layer>,
    /// Each with all that it includes.
    roles: Vec<Layer>,
    approval_groups: Vec<Layer>,
    tier: Layer,
    own: Layer,
}

impl<'p> Layers<'p> {
    /// The layers of the sources of users of some classes, to be merged for
    /// these.
    pub(crate) fn of<'c>(
        policy: &'p Inner,
        licensed: &'p BitSet,
        classes: impl IntoIterator<Item = &'c Class>,
    ) -> Layers<'p> {
        let wanted = Sources::of(policy, classes);
        let catalogue = &policy.catalogue;
        let empty = Layer::new(catalogue.bits());
        let layer = |source: SourceId, statements: &Statements| {
            if !wanted.contains(source) {
                return Layer::new(0);
            }
            let mut layer = empty.clone();
            layer.paint(statements, catalogue);
            layer
        };
        let mut implying = BitSet::new(catalogue.bits());
        for node in catalogue.nodes.iter().filter(|node| !node.implies.is_empty()) {
            implying.insert(node.bit);
        }
        let mut roles = vec![Layer::new(0); policy.roles.slots()];
        for &id in policy.role_order.iter() {
            let role = &policy.roles[id];
            let mut joined = layer(SourceId::Role(id), &role.source.statements);
            if wanted.contains(SourceId::Role(id)) {
                for &included in &role.includes {
                    joined.join(&roles[included as usize]);
                }
            }
            roles[id as usize] = joined;
        }
        let layers = |of: fn(u32) -> SourceId, sources: &Slots<Source>| {
            let mut layers = vec![Layer::new(0); sources.slots()];
            for (id, _, source) in sources.iter() {
                layers[id as usize] = layer(of(id), &source.statements);
            }
            layers
        };
        Layers {
            policy,
            licensed,
            implying,
            global: layer(SourceId::Global, &policy.global),
            profiles: layers(SourceId::Profile, &policy.profiles),
            roles,
            approval_groups: layers(SourceId::ApprovalGroup, &policy.approval_groups),
            tier: empty.clone(),
            own: empty.clone(),
        }
    }

    /// What all the sources of a user say together, tier over tier.
    fn merge(&mut self, user: &Class) -> Layer {
        let mut all = self.global.clone();
        if let Some(profile) = user.profile {
            all.overlay(&self.profiles[profile as usize]);
        }
        match (&*user.roles, &*user.approval_groups) {
            ([], []) => {}
            ([role], []) => all.overlay(&self.roles[*role as usize]),
            (roles, groups) => {
                self.tier.clear();
                for &role in roles {
                    self.tier.join(&self.roles[role as usize]);
                }
                for &group in groups {
                    self.tier.join(&self.approval_groups[group as usize]);
                }
                all.overlay(&self.tier);
            }
        }
        if let Some(own) = &user.statements {
            self.own.clear();
            self.own.paint(own, &self.policy.catalogue);
            all.overlay(&self.own);
        }
        all
    }

    /// What a user is granted, implications included, before any gate; the
    /// user being neither an admin nor suspended.
    pub(crate) fn grants(&mut self, user: &Class) -> Layer {
        let mut all = self.merge(user);
        // Rule 3.
        all.granted.subtract(&all.forbidden);
        all.granted.intersect_with(self.licensed);
        self.imply(&mut all);
        all
    }

    /// Rule 4: implications fill the gaps that no source speaks of.
    fn imply(&self, all: &mut Layer) {
        let catalogue = &self.policy.catalogue;
        let mut implying = all.granted.clone();
        implying.intersect_with(&self.implying);
        let mut open: Vec<NodeId> =
            implying.iter().map(|bit| catalogue.bit_nodes[bit as usize]).collect();
        while let Some(id) = open.pop() {
            for &bit in &catalogue.node(id).implies {
                let implied = catalogue.bit_nodes[bit as usize];
                let first = catalogue.node(implied).bit;
                if all.said.contains(first)
                    || all.forbidden.contains(first)
                    || !self.licensed.contains(first)
                {
                    continue;
                }
                if !all.granted.contains(first) {
                    open.push(implied);
                }
                all.granted.insert_range(first..bit + 1);
            }
        }
    }

    /// Rule 5: of what is granted, the effective permissions, scoped nodes
    /// among them.
    pub(crate) fn effective(&self, granted: &BitSet) -> BitSet {
        let catalogue = &self.policy.catalogue;
        let mut effective = granted.clone();
        for (id, node) in catalogue.nodes.iter().enumerate() {
            if let Form::Scoped(_) = node.form
                && any(granted.words(), catalogue.node(id as u32).statement_bits())
            {
                effective.insert(node.bit);
            }
        }
        // The largest set in which all gates hold is what is left when all that
        // fails is taken away, and all that fails for want of it.
        let mut fallen: Vec<NodeId> = Vec::new();
        for bit in ones(granted.words()) {
            let id = catalogue.bit_nodes[bit as usize];
            if bit == catalogue.node(id).bit && !self.gates_hold(id, &effective) {
                fallen.push(id);
            }
        }
        for &id in &fallen {
            effective.remove_range(catalogue.node(id).bits());
        }
        while let Some(id) = fallen.pop() {
            if let Form::Scope(of, _) = catalogue.node(id).form {
                let scoped = catalogue.node(of);
                let left = any(effective.words(), scoped.statement_bits());
                if !left && effective.contains(scoped.bit) {
                    effective.remove_range(scoped.bits());
                    fallen.push(of);
                }
            }
            for &dependent in &catalogue.dependents[id as usize] {
                let node = catalogue.node(dependent);
                if effective.contains(node.bit) && !self.gates_hold(dependent, &effective) {
                    effective.remove_range(node.bits());
                    fallen.push(dependent);
                }
            }
        }
        effective
    }

    fn gates_hold(&self, id: NodeId, effective: &BitSet) -> bool {
        let catalogue = &self.policy.catalogue;
        let node = catalogue.node(id);
        node.gate.is_none_or(|gate| effective.contains(catalogue.node(gate).bit))
            && node.requires.iter().all(|&bit| effective.contains(bit))
            && (node.implies.iter())
                .all(|&bit| effective.contains(bit) || !self.licensed.contains(bit))
    }
}

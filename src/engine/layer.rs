//! Statements of sources, merged into what is granted and effective (design, rules
//! 1 to 6).
//!
//! Everything here works on whole sets of permissions at once: overlaying a tier
//! takes a few operations per word.

use crate::bits::{BitSet, any, ones};
use crate::catalogue::{Catalogue, Form, Link, Node, NodeId};
use crate::policy::{Class, Effect, Inner, Said, SourceId, Statement, Statements};

/// What a source, a tier or all tiers together state.
///
/// INVARIANT: either all bits of a permission are said (denied, forbidden) or none
/// is; of a graded one, the granted bits are the first ones.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    /// The permissions about which anything is stated.
    pub(crate) said: BitSet,
    /// What is granted.
    pub(crate) granted: BitSet,
    /// What is denied.
    pub(crate) denied: BitSet,
    /// What is forbidden.
    pub(crate) forbidden: BitSet,
}

impl Layer {
    /// What is stated about a permission that can be granted.
    pub(crate) fn said_of(&self, node: &Node) -> Said {
        match node.bit {
            bit if !self.said.contains(bit) => Said::Nothing,
            bit if self.denied.contains(bit) => Said::Deny,
            _ => {
                let granted = node.bits().filter(|&bit| self.granted.contains(bit));
                Said::Level(granted.count() as u32)
            }
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

    /// What a source states.
    pub(crate) fn of(statements: &Statements, catalogue: &Catalogue) -> Layer {
        let mut layer = Layer::new(catalogue.bits());
        layer.paint(statements, catalogue);
        layer
    }

    fn clear(&mut self) {
        for set in [&mut self.said, &mut self.granted, &mut self.denied, &mut self.forbidden] {
            set.clear();
        }
    }

    /// Rule 1: within a source the nearest statement wins. Painting from the
    /// farthest to the nearest achieves just that.
    fn paint(&mut self, statements: &Statements, catalogue: &Catalogue) {
        for statement in statements.distinct(catalogue) {
            let Statement { effect, pattern, .. } = statement;
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
                Effect::Level(_) => {
                    for (id, said) in statement.results(catalogue) {
                        let node = catalogue.node(id);
                        self.said.insert_range(node.bits());
                        self.denied.remove_range(node.bits());
                        self.granted.remove_range(node.bits());
                        self.granted.insert_range(node.bits_up_to(said.level()));
                    }
                }
                Effect::Forbid => {
                    for bits in pattern.ranges(catalogue) {
                        self.forbidden.insert_range(bits);
                    }
                }
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
    global: Layer,
    profiles: Vec<Option<Box<Layer>>>,
    /// Each including all that the role includes.
    roles: Vec<Option<Box<Layer>>>,
    approval_groups: Vec<Option<Box<Layer>>>,
    tier: Layer,
    own: Layer,
}

impl<'p> Layers<'p> {
    /// The layers of a policy under some licence.
    pub(crate) fn new(policy: &'p Inner, licensed: &'p BitSet) -> Layers<'p> {
        let catalogue = &policy.catalogue;
        let empty = Layer::new(catalogue.bits());
        let none = |slots| std::iter::repeat_with(|| None).take(slots).collect();
        Layers {
            policy,
            licensed,
            global: Layer::of(&policy.global, catalogue),
            profiles: none(policy.profiles.slots()),
            roles: none(policy.roles.slots()),
            approval_groups: none(policy.approval_groups.slots()),
            tier: empty.clone(),
            own: empty,
        }
    }

    /// Makes the layer of a role, after those of all that it includes.
    fn make_role(&mut self, id: u32) {
        let policy = self.policy;
        // Each with how many of its includes have been visited.
        let mut open = vec![(id, 0)];
        while let Some((id, made)) = open.last_mut() {
            let id = *id;
            let role = &policy.roles[id];
            if self.roles[id as usize].is_some() {
                open.pop();
                continue;
            }
            if let Some(&next) = role.includes.get(*made) {
                *made += 1;
                open.push((next, 0));
                continue;
            }
            let mut layer = Layer::of(&role.source.statements, &policy.catalogue);
            for &included in &role.includes {
                if let Some(included) = &self.roles[included as usize] {
                    layer.join(included);
                }
            }
            self.roles[id as usize] = Some(Box::new(layer));
        }
    }

    /// What a source states, a role with all that it includes; `None` for a user's
    /// own.
    pub(crate) fn of_source(&mut self, source: SourceId) -> Option<&Layer> {
        let policy = self.policy;
        let catalogue = &policy.catalogue;
        let make = |statements| Box::new(Layer::of(statements, catalogue));
        match source {
            SourceId::Global => Some(&self.global),
            SourceId::Profile(id) => {
                let profile = &mut self.profiles[id as usize];
                Some(profile.get_or_insert_with(|| make(&policy.profiles[id].statements)))
            }
            SourceId::Role(id) => {
                self.make_role(id);
                self.roles[id as usize].as_deref()
            }
            SourceId::ApprovalGroup(id) => {
                let group = &mut self.approval_groups[id as usize];
                Some(group.get_or_insert_with(|| make(&policy.approval_groups[id].statements)))
            }
            SourceId::Own => None,
        }
    }

    /// What the roles that a role includes state together.
    pub(crate) fn of_included(&mut self, role: u32) -> Layer {
        let policy = self.policy;
        let mut layer = Layer::new(policy.catalogue.bits());
        for &included in &policy.roles[role].includes {
            if let Some(included) = self.of_source(SourceId::Role(included)) {
                layer.join(included);
            }
        }
        layer
    }

    /// What all the sources of a user state together, tier over tier.
    fn merge(&mut self, user: &Class) -> Layer {
        let mut all = self.global.clone();
        if let Some(profile) = user.profile.and_then(|id| self.of_source(SourceId::Profile(id))) {
            all.overlay(profile);
        }
        for &id in &user.roles {
            self.make_role(id);
        }
        let mut tier = user.roles.iter().filter_map(|&id| self.roles[id as usize].as_deref());
        match (tier.next(), tier.next(), &*user.approval_groups) {
            (None, _, []) => {}
            (Some(role), None, []) => all.overlay(role),
            _ => {
                self.tier.clear();
                for &id in &user.roles {
                    if let Some(role) = &self.roles[id as usize] {
                        self.tier.join(role);
                    }
                }
                for &id in &user.approval_groups {
                    self.of_source(SourceId::ApprovalGroup(id));
                    if let Some(group) = &self.approval_groups[id as usize] {
                        self.tier.join(group);
                    }
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

    /// What a user is granted, implications included, before any gate. The user
    /// must be neither an admin nor suspended.
    pub(crate) fn grants(&mut self, user: &Class) -> Layer {
        let mut all = self.merge(user);
        // Rule 3.
        all.granted.subtract(&all.forbidden);
        all.granted.intersect_with(self.licensed);
        self.imply(&mut all);
        all
    }

    /// Rule 4: implications fill the gaps about which no source states anything.
    fn imply(&self, all: &mut Layer) {
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
                    open.push(implied);
                }
                all.granted.insert_range(node.bits_up_to(node.level_of(bit)));
            }
        }
    }

    /// Rule 5: the effective permissions among the granted ones, scoped nodes
    /// included.
    pub(crate) fn effective(&self, granted: &BitSet) -> BitSet {
        let catalogue = &self.policy.catalogue;
        let mut effective = granted.clone();
        for &id in &catalogue.scoped {
            let node = catalogue.node(id);
            if any(granted.words(), node.statement_bits()) {
                effective.insert(node.bit);
            }
        }
        // The largest set in which all gates hold is what is left after removing
        // all that fails, and all that then fails for lack of it.
        let wanting = catalogue.gating.pairs(&effective).map(|(gating, held)| gating & !held);
        let mut fallen: Vec<NodeId> = ones(wanting).map(|bit| catalogue.id_of(bit)).collect();
        while let Some(id) = fallen.pop() {
            if let Form::Scope(of, _) = catalogue.node(id).form {
                let scoped = catalogue.node(of);
                let left = any(effective.words(), scoped.statement_bits());
                if !left && effective.contains(scoped.bit) {
                    effective.remove_range(scoped.bits());
                    fallen.push(of);
                }
            }
            for &dependent in catalogue.dependents(id) {
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
        let mut needs = self.policy.catalogue.needs(id);
        needs.all(|(link, bit)| {
            effective.contains(bit) || (link == Link::Implies && !self.licensed.contains(bit))
        })
    }
}

/// What could be effective for anybody under any licence. `all` is all that anybody
/// could be granted (what is said or forbidden in it is so for everybody); what it
/// implies is added to it, as far as `licensed` covers that.
pub(crate) fn possible(policy: &Inner, all: &mut Layer, licensed: &BitSet) -> BitSet {
    Layers::new(policy, licensed).imply(all);
    // An implied permission gates only while it is licensed, so a smaller licence
    // may leave more: with nothing licensed, none of them gates.
    let least = policy.catalogue.licensed(|_| false);
    Layers::new(policy, &least).effective(&all.granted)
}

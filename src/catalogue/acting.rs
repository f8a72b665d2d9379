//! The condition of a permission for an assignment with bounds of its own (design, rules
//! 7 and 9).

// Why this is not `Condition::evaluate` on the permission's own condition
//
// That condition joins the checks of everything that a permission answers to, which is
// right as long as a user has one limit on each attribute. An assignment that states a
// bound has two: its own limit for what it carries, and the ordinary one for the gates
// that it does not. So the parts are told apart here: every node that the permission
// answers to becomes a step, and a check against the ordinary limit is a marked
// attribute. Where everything is carried there is nothing to tell apart, and the
// permission's own condition will do.

use std::sync::Arc;

use super::condition::{Condition, Scope, Step};
use super::{AttributeId, Bit, Catalogue, Form, NodeId};
use crate::ids::KindId;
use crate::names::{HashMap, HashSet, number};

/// The rows of an assignment's capacity.
pub(crate) trait Capacity {
    /// Returns whether a permission is effective in it.
    fn holds(&self, bit: Bit) -> bool;

    /// Returns whether the assignment carries a permission.
    fn carries(&self, bit: Bit) -> bool;
}

impl Catalogue {
    /// Returns the condition of a permission that an assignment carries, told apart by
    /// limits; `None` if the assignment carries all that the permission answers to.
    pub(crate) fn condition_in(&self, bit: Bit, capacity: &impl Capacity) -> Option<Condition> {
        self.told_apart(bit, Some(self.id_of(bit)), capacity)
    }

    /// Returns the same for a permission that is only answered to: whatever is effective
    /// of it counts.
    pub(crate) fn gate_in(&self, bit: Bit, capacity: &impl Capacity) -> Option<Condition> {
        self.told_apart(bit, None, capacity)
    }

    fn told_apart(
        &self,
        bit: Bit,
        asked: Option<NodeId>,
        capacity: &impl Capacity,
    ) -> Option<Condition> {
        let own = self.node_of(bit).condition.as_deref()?;
        let mut telling = Telling {
            catalogue: self,
            capacity,
            kind: own.kind,
            root: bit,
            asked,
            always: HashSet::default(),
            order: Vec::new(),
            mixed: false,
        };
        telling.walk();
        let steps = telling.steps();
        if !telling.mixed {
            return None;
        }
        let (steps, own_scopes) = steps;
        Some(Condition {
            kind: own.kind,
            needs_object: own.needs_object,
            own_checks: own.own_checks.clone(),
            own_scopes,
            checks: Box::default(),
            steps: steps.into(),
        })
    }
}

struct Telling<'c, C> {
    catalogue: &'c Catalogue,
    capacity: &'c C,
    kind: KindId,
    /// The permission of which this is the condition.
    root: Bit,
    /// The same, if it is asked for itself.
    asked: Option<NodeId>,
    /// The permissions that must be allowed in any case.
    always: HashSet<Bit>,
    /// Everything that the permission answers to, each after what it leads to itself.
    order: Vec<Bit>,
    /// True if some check is against an ordinary limit.
    mixed: bool,
}

impl<C: Capacity> Telling<'_, C> {
    /// Returns the scopes of a node that matter: of the permission asked for those that are
    /// carried, of others those that are effective.
    fn scopes(&self, id: NodeId) -> Vec<NodeId> {
        let is_asked = self.asked == Some(id);
        let scopes = self.catalogue.scopes_or_itself(id).filter(|&scope| {
            let bit = self.catalogue.node(scope).bit;
            if is_asked { self.capacity.carries(bit) } else { self.capacity.holds(bit) }
        });
        scopes.collect()
    }

    /// Returns what a permission leads to in any case.
    fn leads_to(&self, bit: Bit) -> impl Iterator<Item = Bit> {
        self.catalogue.followed(self.catalogue.id_of(bit)).map(|(_, bit)| bit)
    }

    /// Returns what its scopes lead to.
    fn scopes_lead_to(&self, bit: Bit) -> Vec<Bit> {
        let id = self.catalogue.id_of(bit);
        if !matches!(self.catalogue.node(id).form, Form::Scoped(_)) {
            return Vec::new();
        }
        let scopes = self.scopes(id).into_iter();
        scopes.flat_map(|scope| self.catalogue.followed_by_scope(scope)).collect()
    }

    /// Returns everything reached from some permissions without their scopes.
    fn reach(&self, from: impl IntoIterator<Item = Bit>) -> HashSet<Bit> {
        let mut reached = HashSet::default();
        let mut open: Vec<Bit> = from.into_iter().collect();
        while let Some(bit) = open.pop() {
            if reached.insert(bit) {
                open.extend(self.leads_to(bit));
            }
        }
        reached
    }

    fn walk(&mut self) {
        self.always = self.reach([self.root]);
        let mut seen = HashSet::<Bit>::default();
        // Each with whether what it leads to has been visited.
        let mut open = vec![(self.root, false)];
        while let Some((bit, done)) = open.pop() {
            if done {
                self.order.push(bit);
            } else if seen.insert(bit) {
                open.push((bit, true));
                open.extend(self.leads_to(bit).map(|bit| (bit, false)));
                open.extend(self.scopes_lead_to(bit).into_iter().map(|bit| (bit, false)));
            }
        }
    }

    /// Returns the checks of a node on the condition's kind, by the limits that apply to what
    /// is carried or else by the ordinary ones.
    fn checks(&mut self, id: NodeId, carried: bool) -> Box<[AttributeId]> {
        let node = self.catalogue.node(id);
        if node.kind != Some(self.kind) {
            return Box::default();
        }
        let checks = self.catalogue.kind(self.kind).checks.iter().chain(&node.checks);
        let mut checks: Vec<AttributeId> = checks.map(|it| it.marked(!carried)).collect();
        checks.sort_unstable();
        checks.dedup();
        self.mixed |= !carried && !checks.is_empty();
        checks.into()
    }

    fn steps(&mut self) -> (Vec<Step>, Arc<[Scope]>) {
        let mut steps: Vec<Step> = Vec::new();
        let mut places: HashMap<Bit, u32> = HashMap::default();
        let mut own_scopes: Arc<[Scope]> = Arc::default();
        for bit in self.order.clone() {
            let id = self.catalogue.id_of(bit);
            let always = self.always.contains(&bit);
            let on_kind = self.catalogue.node(id).kind == Some(self.kind);
            let is_scoped =
                matches!(self.catalogue.node(id).form, Form::Scoped(_) | Form::Scope(..));
            if !is_scoped {
                let carried = self.capacity.carries(bit);
                let checks = self.checks(id, carried);
                if !checks.is_empty() {
                    places.insert(bit, number(steps.len()));
                    steps.push(Step { on_kind, always, checks, scopes: None });
                }
                continue;
            }
            let mut scopes = Vec::new();
            for scope in self.scopes(id) {
                let node = self.catalogue.node(scope);
                let Form::Scope(_, when) = &node.form else { continue };
                // A single scope that is asked for leads to its requirements in any case.
                let needed = match self.catalogue.node(id).form {
                    Form::Scoped(_) => self.reach(self.catalogue.followed_by_scope(scope)),
                    _ => HashSet::default(),
                };
                let needed = needed.iter().filter(|bit| !self.always.contains(bit));
                let mut needed: Vec<u32> =
                    needed.filter_map(|bit| places.get(bit).copied()).collect();
                let carried = self.capacity.carries(node.bit);
                let checks = self.checks(scope, carried);
                if !checks.is_empty() {
                    needed.push(number(steps.len()));
                    steps.push(Step { on_kind, always: false, checks, scopes: None });
                }
                needed.sort_unstable();
                let when = if on_kind { when.clone() } else { Box::default() };
                scopes.push(Scope { bit: node.bit, when, steps: needed.into() });
            }
            let scopes: Arc<[Scope]> = scopes.into();
            if bit == self.root {
                own_scopes = Arc::clone(&scopes);
            }
            places.insert(bit, number(steps.len()));
            steps.push(Step { on_kind, always, checks: Box::default(), scopes: Some(scopes) });
        }
        (steps, own_scopes)
    }
}

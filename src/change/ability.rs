//! The abilities of users, and the relation *may do no more than* between them (design,
//! section 5, `no_escalation`).

use std::sync::Arc;

use crate::bits::{BitSet, any};
use crate::catalogue::{AttributeId, Catalogue, Condition, Limit, NodeId};
use crate::engine::{Bounding, Layers, Limits, limit_of};
use crate::ids::Number;
use crate::names::HashMap;
use crate::policy::{Class, Inner};

/// Computes the permissions that users of a policy hold under a licence, suspension left
/// aside.
pub(super) struct Holdings<'p> {
    licensed: &'p BitSet,
    layers: Layers<'p>,
}

impl<'p> Holdings<'p> {
    pub(super) fn new(policy: &'p Inner, licensed: &'p BitSet) -> Holdings<'p> {
        Holdings { licensed, layers: Layers::new(policy, licensed) }
    }

    /// Returns the effective permissions of a user.
    pub(super) fn of(&mut self, user: &Class) -> BitSet {
        if user.admin {
            return self.licensed.clone();
        }
        let granted = self.layers.grants(user).granted;
        self.layers.effective(&granted)
    }
}

/// The abilities of a user under a licence, suspension left aside.
pub(crate) struct Ability {
    admin: bool,
    /// The effective permissions.
    held: BitSet,
    limits: Limits,
}

impl Ability {
    /// Returns the permissions that the user holds, at whatever level.
    pub(super) fn permissions(&self, catalogue: &Catalogue) -> impl Iterator<Item = NodeId> {
        let nodes = catalogue.nodes.iter();
        let held = nodes.filter(|(_, node)| node.width() > 0 && self.held.contains(node.bit));
        held.map(|(id, _)| id)
    }
}

/// Computes abilities of users of a policy under a licence.
pub(crate) struct Abilities<'p> {
    holdings: Holdings<'p>,
    bounding: Bounding<'p>,
}

impl<'p> Abilities<'p> {
    pub(crate) fn new(policy: &'p Inner, licensed: &'p BitSet) -> Abilities<'p> {
        let (holdings, bounding) = (Holdings::new(policy, licensed), Bounding::new(policy));
        Abilities { holdings, bounding }
    }

    pub(crate) fn of(&mut self, user: &'p Class) -> Ability {
        let (held, limits) = (self.holdings.of(user), self.bounding.limits(user));
        Ability { admin: user.admin, held, limits }
    }
}

/// Two limits, and the attributes of which the first pass more.
type Compared = ([Limits; 2], Arc<[AttributeId]>);

/// Compares abilities, and each pair of limits once, however many users share them.
pub(crate) struct Comparing<'c> {
    catalogue: &'c Catalogue,
    /// By the addresses of two limits, which are kept so that they stay what they are.
    compared: HashMap<[*const Limit; 2], Compared>,
}

impl<'c> Comparing<'c> {
    pub(crate) fn new(catalogue: &'c Catalogue) -> Comparing<'c> {
        Comparing { catalogue, compared: HashMap::default() }
    }

    /// Returns what the one may do and the other may not.
    pub(super) fn excess<'a>(&mut self, one: &'a Ability, other: &Ability) -> Excess<'a>
    where
        'c: 'a,
    {
        let mut held = one.held.clone();
        // Objects make no difference to an admin, so none may do as much who is no admin.
        if other.admin || !one.admin {
            held.subtract(&other.held);
        }
        let attributes = match (one.admin, other.admin) {
            (false, false) => self.wider(&one.limits, &other.limits),
            _ => Arc::default(),
        };
        let is_empty = held.iter().next().is_none() && attributes.is_empty();
        Excess { catalogue: self.catalogue, one, held, attributes, is_empty }
    }

    /// Returns the attributes of which the one limits pass a value that the others don't.
    fn wider(&mut self, one: &Limits, other: &Limits) -> Arc<[AttributeId]> {
        let pair = [one.as_ptr(), other.as_ptr()];
        let (_, wider) = self.compared.entry(pair).or_insert_with(|| {
            let differing = if Arc::ptr_eq(one, other) { 0 } else { one.len() };
            let passes_more = |&it: &AttributeId| !limit_of(other, it).contains(limit_of(one, it));
            let wider = AttributeId::first(differing).filter(passes_more).collect();
            ([Arc::clone(one), Arc::clone(other)], wider)
        });
        Arc::clone(wider)
    }
}

/// The abilities of one user that another does not have: if it is empty, the one may do no
/// more than the other.
pub(crate) struct Excess<'a> {
    catalogue: &'a Catalogue,
    one: &'a Ability,
    /// The bits held only by the one.
    held: BitSet,
    /// The attributes of which some value passes for the one only, in order.
    attributes: Arc<[AttributeId]>,
    is_empty: bool,
}

impl Excess<'_> {
    /// Returns the permissions with which the one may do more than the other.
    pub(super) fn permissions(&self) -> impl Iterator<Item = NodeId> {
        let held = (!self.is_empty).then(|| self.one.permissions(self.catalogue));
        held.into_iter().flatten().filter(|&id| self.includes(id))
    }

    /// Returns whether the one may do more with a permission, which the one holds: reach a
    /// higher level or, with it and everything that it answers to on the object, have more
    /// scopes or pass more values.
    pub(super) fn includes(&self, id: NodeId) -> bool {
        let node = self.catalogue.node(id);
        if self.is_empty {
            return false;
        }
        any(self.held.words(), node.bits())
            || node.condition.as_deref().is_some_and(|condition| self.widens(condition))
    }

    /// Returns whether more objects meet a condition for the one.
    fn widens(&self, condition: &Condition) -> bool {
        let is_wider = |it: &AttributeId| self.attributes.binary_search(it).is_ok();
        let passes_more = |checks: &[AttributeId]| checks.iter().any(is_wider);
        let holds = |scope| self.one.held.contains(scope);
        passes_more(&condition.checks)
            || condition.steps_for(holds).into_iter().any(|step| {
                let mut scopes = step.scopes.iter().flat_map(|scopes| scopes.iter());
                passes_more(&step.checks)
                    || (step.on_kind && scopes.any(|scope| self.held.contains(scope.bit)))
            })
    }
}

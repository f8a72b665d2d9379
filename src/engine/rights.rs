//! The rights of one user and how they came about (design, rules 1 to 6), and the reason
//! for an answer (section 7).

use std::cell::OnceCell;

use super::layer::{Layer, Layers};
use super::{Engine, User};
use crate::bits::BitSet;
use crate::catalogue::{
    Bit, CapacityRows, Catalogue, Condition, Dependent, Evaluator, Form, Link, Node, NodeId,
};
use crate::ids::ClassId;
use crate::names::HashMap;
use crate::policy::{Class, Effect, Held, Inner, OwnSources, Said, Tier, nearest};
use crate::reason::Reason;

/// Section 7: the first reason that applies to a permission, as far as it depends on
/// no object; [`Reason::Granted`] for one that is effective. `effective` tests a bit, and
/// `without_effect` finds the reason where that fails and there are no scopes.
///
/// Suspension is not looked at.
pub(super) fn reason(
    (catalogue, licensed): (&Catalogue, &BitSet),
    user: &Class,
    bit: Bit,
    effective: &impl Fn(Bit) -> bool,
    without_effect: &impl Fn(Bit) -> Reason,
) -> Reason {
    let id = catalogue.id_of(bit);
    let node = catalogue.node(id);
    if !licensed.contains(bit) {
        return Reason::Unlicensed;
    }
    if user.admin {
        return Reason::Admin;
    }
    if effective(bit) {
        return Reason::Granted;
    }
    if let Form::Scoped(_) = node.form {
        let scopes = catalogue.scopes(id).map(|scope| {
            let bit = catalogue.node(scope).bit;
            reason((catalogue, licensed), user, bit, effective, without_effect)
        });
        return scopes.max_by_key(|reason| reason.progress()).unwrap_or(Reason::NotGranted);
    }
    without_effect(bit)
}

impl Layer {
    /// The reason of a permission without effect, if it is the layer of everything that a
    /// user is granted.
    pub(super) fn reason(&self, node: &Node, bit: Bit) -> Reason {
        if self.forbidden.contains(node.bit) {
            Reason::Forbidden
        } else if self.denied.contains(node.bit) {
            Reason::Denied
        } else if !self.granted.contains(bit) {
            Reason::NotGranted
        } else {
            Reason::Gated
        }
    }
}

/// The same reason, from the statements about the permission alone; `None` if an implication
/// may grant it, for which everything that the user is granted must be known.
pub(super) fn stated_reason(policy: &Inner, user: &Class, bit: Bit) -> Option<Reason> {
    let catalogue = &*policy.catalogue;
    let (id, node) = (catalogue.id_of(bit), catalogue.node_of(bit));
    let mut forbidden = false;
    // Rule 2: the most specific tier decides, in it any deny, or else the most generous
    // statement. Tiers and results are in this order.
    let mut decided = (Tier::Global, Said::Nothing);
    for Held { tier, statements, .. } in policy.sources_of(user) {
        let matching = statements.matching(id, catalogue);
        let matching = matching.inspect(|it| forbidden |= it.effect == Effect::Forbid);
        let said = nearest(matching, id, catalogue).and_then(|it| it.effect.result(node));
        if let Some(said) = said.filter(|&said| said != Said::Nothing) {
            decided = decided.max((tier, said));
        }
    }
    let implies = |dependent: &Dependent| dependent.link == Link::Implies;
    Some(match decided.1 {
        _ if forbidden => Reason::Forbidden,
        Said::Nothing if catalogue.dependents(id).iter().any(implies) => return None,
        Said::Deny => Reason::Denied,
        said if said.level() < node.level_of(bit) => Reason::NotGranted,
        _ => Reason::Gated,
    })
}

/// A reason, and how far the question came in the list of section 7: a permission can be
/// gated by what is not effective, or further on by what is not allowed on the object.
#[derive(Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) reason: Reason,
    on_object: bool,
}

impl Outcome {
    /// A reason that looks at no object.
    pub(super) fn new(reason: Reason) -> Outcome {
        Outcome { reason, on_object: false }
    }

    /// Returns a number that is the greater the further the question came.
    pub(super) fn progress(self) -> (usize, bool) {
        let gated = self.on_object && self.reason == Reason::Gated;
        let reason = if gated { Reason::OutOfBounds } else { self.reason };
        (reason.progress(), gated)
    }
}

/// Section 7, continued: the first reason that applies to an effective permission with a
/// condition, in a capacity whose terms hold or not. `object` is the object as the user
/// sees it, if there is one, and whether it is of the condition's kind.
pub(crate) fn reason_on_object<E: Evaluator<Truth = bool>>(
    condition: &Condition,
    object: Option<(bool, E)>,
    terms_hold: bool,
) -> Outcome {
    let reason = first_reason(condition, object, terms_hold);
    Outcome { reason, on_object: true }
}

fn first_reason<E: Evaluator<Truth = bool>>(
    condition: &Condition,
    object: Option<(bool, E)>,
    terms_hold: bool,
) -> Reason {
    let Some((is_of_kind, mut object)) = object else {
        return match (condition.needs_object, terms_hold) {
            (true, _) => Reason::ObjectRequired,
            (false, true) => Reason::Granted,
            (false, false) => Reason::OutOfTerms,
        };
    };
    let scopes = &condition.own_scopes;
    if !is_of_kind {
        Reason::WrongKind
    } else if !terms_hold {
        Reason::OutOfTerms
    } else if !scopes.is_empty() && !scopes.iter().any(|scope| scope.matches(&mut object)) {
        Reason::NoScope
    } else if !condition.own_checks.iter().all(|&check| object.check(check)) {
        Reason::OutOfBounds
    } else if !condition.evaluate(&mut object) {
        Reason::Gated
    } else {
        Reason::Granted
    }
}

/// The first implication that granted a permission.
#[derive(Clone, Copy)]
pub(crate) struct Implied {
    /// The permission that implies it.
    pub(crate) by: NodeId,
    /// The first permission of the chain of implications, which a source grants.
    pub(crate) origin: NodeId,
}

/// The rights of one user in one capacity, and what led to each.
pub(crate) struct Rights<'p> {
    pub(crate) policy: &'p Inner,
    user: &'p Class,
    /// The sources of the assignment's own, in the capacity of an assignment.
    pub(crate) own: Option<&'p OwnSources>,
    licensed: &'p BitSet,
    /// An engine that knows which permissions are effective for users of a class.
    compiled: Option<(&'p Engine, ClassId)>,
    /// Made when it is first needed.
    merged: OnceCell<Merged>,
}

/// The outcome of rules 1 to 5 for all permissions.
struct Merged {
    layer: Layer,
    effective: BitSet,
    /// The part of the effective permissions that the assignment carries, if it is one.
    carried: Option<BitSet>,
    /// The permissions that only implications grant.
    implied: HashMap<NodeId, Implied>,
    /// The order in which permissions fell that are granted without effect, made when it is
    /// first needed.
    fell: OnceCell<HashMap<NodeId, usize>>,
}

impl Merged {
    fn new(layers: &mut Layers<'_>, user: &Class, own: Option<&OwnSources>) -> Merged {
        let mut implied: HashMap<NodeId, Implied> = HashMap::default();
        let own = own.map(|own| layers.of_own(own));
        let layer = layers.grants_with(user, own.as_ref(), |id, by| {
            let origin = implied.get(&by).map_or(by, |by| by.origin);
            implied.insert(id, Implied { by, origin });
        });
        let effective = layers.effective(&layer.granted);
        let carried = own.map(|own| layers.carried(&own, &effective));
        Merged { layer, effective, carried, implied, fell: OnceCell::new() }
    }
}

impl<'p> Rights<'p> {
    /// The rights of users of a class, in the ordinary capacity or in that of an
    /// assignment.
    pub(crate) fn new<'l: 'p>(
        layers: &mut Layers<'l>,
        user: &'p Class,
        own: Option<&'p OwnSources>,
    ) -> Rights<'p> {
        let (policy, licensed) = layers.of();
        let merged = OnceCell::from(Merged::new(layers, user, own));
        Rights { policy, user, own, licensed, compiled: None, merged }
    }

    /// The rights of an engine's user, who is not suspended, in the ordinary capacity.
    pub(crate) fn compiled(engine: &'p Engine, user: User) -> Option<Rights<'p>> {
        let compiled = &engine.0;
        let (policy, licensed) = (compiled.policy(), &*compiled.licensed);
        let (class, user) = (compiled.class(user)?, compiled.user(user)?);
        let (compiled, merged) = (Some((engine, class)), OnceCell::new());
        Some(Rights { policy, user, own: None, licensed, compiled, merged })
    }

    fn merged(&self) -> &Merged {
        self.merged.get_or_init(|| {
            Merged::new(&mut Layers::new(self.policy, self.licensed), self.user, self.own)
        })
    }

    pub(crate) fn catalogue(&self) -> &'p Catalogue {
        &self.policy.catalogue
    }

    /// Returns the order in which permissions fall that are granted without effect.
    fn fallen(&self) -> HashMap<NodeId, usize> {
        let mut fell = HashMap::default();
        let layers = Layers::new(self.policy, self.licensed);
        layers.effective_with(&self.merged().layer.granted, |id| {
            fell.insert(id, fell.len());
        });
        fell
    }

    /// The reason for an answer as far as it depends on no object, suspension left
    /// aside: [`Reason::Granted`] for what is effective.
    pub(crate) fn reason(&self, bit: Bit) -> Reason {
        let known = (self.catalogue(), self.licensed);
        let without_effect = |bit| self.merged().layer.reason(self.catalogue().node_of(bit), bit);
        reason(known, self.user, bit, &|bit| self.is_effective(bit), &without_effect)
    }

    /// The scope that gives the reason for its scoped node: the one that came
    /// furthest.
    pub(crate) fn furthest(&self, scopes: impl Iterator<Item = NodeId>) -> Option<NodeId> {
        let catalogue = self.catalogue();
        scopes.max_by_key(|&scope| self.reason(catalogue.node(scope).bit).progress())
    }

    /// Returns whether a permission is effective at the level of that bit, for a user who
    /// is not an admin.
    pub(crate) fn is_effective(&self, bit: Bit) -> bool {
        match self.compiled {
            Some((engine, class)) => engine.class_holds(class, bit),
            None => self.merged().effective.contains(bit),
        }
    }

    /// Returns whether the capacity answers yes to a permission itself, rather than only
    /// to what answers to it: an assignment must carry it.
    pub(crate) fn is_carried(&self, bit: Bit) -> bool {
        match self.own {
            Some(_) => self.merged().carried.as_ref().is_some_and(|it| it.contains(bit)),
            None => self.is_effective(bit),
        }
    }

    /// The implication that granted a permission about which no source states anything.
    pub(crate) fn implied(&self, id: NodeId) -> Option<Implied> {
        self.merged().implied.get(&id).copied()
    }

    /// The level granted of a permission, implications included: 0 for none, and 1 for
    /// one that is not graded.
    pub(crate) fn level(&self, id: NodeId) -> usize {
        let node = self.catalogue().node(id);
        // A graded permission falls as a whole, or not at all.
        if self.is_effective(node.bit) && !self.user.admin {
            return node.level(|bit| self.is_effective(bit));
        }
        let granted = &self.merged().layer.granted;
        node.level(|bit| granted.contains(bit))
    }

    /// The node itself, or one above it, whose feature is not licensed.
    pub(crate) fn unlicensed(&self, id: NodeId) -> Option<NodeId> {
        let lineage = std::iter::successors(Some(id), |&id| self.catalogue().node(id).above);
        let mut lineage = lineage.filter(|&id| {
            let feature = self.catalogue().node(id).feature.as_deref();
            feature.is_some_and(|feature| !self.policy.is_licensed(feature))
        });
        lineage.next()
    }

    /// Everything that a permission needs to be effective, unlicensed implications
    /// aside.
    pub(crate) fn needs(&self, id: NodeId) -> impl Iterator<Item = (Link, Bit)> {
        let needs = self.catalogue().needs(id);
        needs.filter(|&(link, bit)| link != Link::Implies || self.licensed.contains(bit))
    }

    /// The permissions that one lacks to be effective, the cause first.
    ///
    /// Of a permission that fell, the first was not granted, or fell before it: so a
    /// chain of causes ends, even where permissions need each other in a ring.
    pub(crate) fn lacks(&self, id: NodeId) -> Vec<(Link, Bit)> {
        let mut lacks: Vec<(Link, Bit)> =
            self.needs(id).filter(|&(_, bit)| !self.is_effective(bit)).collect();
        let Merged { layer, fell, .. } = self.merged();
        let fell = fell.get_or_init(|| self.fallen());
        lacks.sort_by_key(|&(_, bit)| {
            // At this level it may not be granted, though at a lower one it fell.
            let fell = fell.get(&self.catalogue().id_of(bit));
            let is_scoped = !self.catalogue().grantable.contains(bit);
            fell.filter(|_| is_scoped || layer.granted.contains(bit))
        });
        lacks
    }
}

impl CapacityRows for Rights<'_> {
    fn holds(&self, bit: Bit) -> bool {
        self.is_effective(bit)
    }

    fn carries(&self, bit: Bit) -> bool {
        self.is_carried(bit)
    }
}

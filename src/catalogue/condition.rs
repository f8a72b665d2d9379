//! Rule 7: the objects on which an effective permission is allowed.
//!
//! [`Condition`] is the part of the rule that the catalogue determines. It is
//! computed once for each permission, so that a question looks at nothing but the
//! object's relations and attributes. [`Condition::evaluate`] is the rest of it:
//! deciding, filtering, comparing and explaining differ only in the [`Evaluator`]
//! that they bring.

// Why the lists of a condition amount to rule 7
//
// The rule is recursive: on an object, a permission needs one of its scopes to
// match, its checks to hold, and its gate parent and requirements to be allowed in
// the same way. Call a permission's gate parent and requirements what it *leads
// to*, and everything reached by following them what it *answers to*, itself
// included. Nothing is negated and nothing leads back to itself, so the recursion
// unfolds to one conjunction: everything that the permission answers to must have a
// scope that matches, if it is scoped, and checks that hold. How often and in which order
// a part of a conjunction occurs makes no difference. So what a node answers to can
// be kept as a set, made from the sets of the nodes that it leads to
// (`Search::constraining`), and the checks of its members as one sorted list
// (`Condition::checks`). Nodes without scopes and checks are left out, as they add
// nothing but what they lead to. That they are effective, rule 5 has seen to.
//
// The only alternatives are between scopes, and the only thing that depends on one
// is what that scope itself requires. Its requirements unfold in the same way, to
// *steps* that must be allowed if this scope is to match (`Scope::steps`). A scope
// does not list a step that must hold in any case: where that fails, the whole
// condition fails. Steps are in the order of rank, each after those that its scopes
// list, so one pass over them settles each before it is looked up.
//
// Permissions on another kind are followed, but say nothing about this object.
// Their checks are left out, and of their scopes what remains is that one must be
// effective whose own requirements, which may be on this kind again, are allowed.
// Where none of their scopes requires anything, they are left out too: that one is
// effective, rule 5 has seen to.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{AttributeId, Bit, Catalogue, Form, KindId, NodeId, ScopeTest, States, ValuesId};
use crate::ids::{IdVec, Number};
use crate::names::number;

/// The condition that an object must meet.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) kind: KindId,
    /// True if anything but its kind matters about the object.
    pub(crate) needs_object: bool,
    /// The checks of the kind and of the permission itself.
    pub(crate) own_checks: Box<[AttributeId]>,
    /// The scopes to match for the permission itself: its scopes, or it alone.
    pub(crate) own_scopes: Arc<[Scope]>,
    /// The checks that must hold in any case: its own, and those of the
    /// permissions that it answers to.
    pub(crate) checks: Box<[AttributeId]>,
    /// The scoped permissions that it answers to, including itself, and the
    /// requirements of their scopes: each after those that it refers to.
    pub(crate) steps: Box<[Step]>,
}

/// A permission that must be allowed on the same object.
#[derive(Debug)]
pub(crate) struct Step {
    /// True if it is on the same kind of object as the condition.
    pub(crate) on_kind: bool,
    /// True if it must be allowed in any case, rather than only for a scope that
    /// requires it.
    pub(crate) always: bool,
    /// Its checks, unless [`Condition::checks`] has them.
    pub(crate) checks: Box<[AttributeId]>,
    /// Its scopes, if any, one of which must match. Shared by the permissions that
    /// answer to it where they are the same for them.
    pub(crate) scopes: Option<Arc<[Scope]>>,
}

/// A scope of a step.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// The scope must be effective.
    pub(crate) bit: Bit,
    /// The object must pass these tests.
    pub(crate) when: Box<[ScopeTest]>,
    /// These steps must be allowed.
    pub(crate) steps: Box<[u32]>,
}

/// Answers the tests of a condition, for one user and one object or for all objects
/// at once.
pub(crate) trait Evaluator {
    type Truth: Truth;

    /// Returns whether the user holds a scope.
    fn holds(&self, scope: Bit) -> bool;

    /// Returns whether a relation is in one of these states.
    fn relation(&mut self, relation: u32, states: States) -> Self::Truth;

    /// Returns whether an attribute has a value that a scope accepts.
    fn values(&mut self, values: ValuesId) -> Self::Truth;

    /// Returns whether an attribute is within the user's bound.
    fn check(&mut self, attribute: AttributeId) -> Self::Truth;

    /// Joins parts none of which settles the join.
    fn join(&mut self, op: Op, parts: <Self::Truth as Truth>::Parts) -> Self::Truth;

    /// Takes note of a step's answer, and returns it, or another with the same
    /// meaning, for the scopes that refer to the step.
    fn step(&mut self, _step: &Step, allowed: Self::Truth) -> Self::Truth {
        allowed
    }
}

/// An answer of an [`Evaluator`]: a `bool` for one object, a formula for all.
pub(crate) trait Truth: Clone + From<bool> {
    /// The parts of a join, as far as they matter once none settles it.
    type Parts: Default;

    /// Adds it to the other parts of a join.
    ///
    /// # Errors
    ///
    /// If it settles the join: it is the answer then, and the other parts don't matter.
    fn add_to(self, parts: &mut Self::Parts, op: Op) -> Result<(), Self>;
}

/// A way to join answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Op {
    /// All parts must hold.
    And,
    /// One part must hold.
    Or,
}

impl Truth for bool {
    type Parts = ();

    #[inline]
    fn add_to(self, (): &mut (), op: Op) -> Result<(), bool> {
        if self == (op == Op::Or) { Err(self) } else { Ok(()) }
    }
}

/// Joins the parts that a function adds one by one. It need not add more once a
/// part settles the join.
#[inline]
fn join<E: Evaluator>(
    evaluator: &mut E,
    op: Op,
    add_parts: impl FnOnce(&mut E, &mut <E::Truth as Truth>::Parts) -> Result<(), E::Truth>,
) -> E::Truth {
    let mut parts = Default::default();
    match add_parts(evaluator, &mut parts) {
        Ok(()) => evaluator.join(op, parts),
        Err(settled) => settled,
    }
}

impl Condition {
    /// Returns whether an object of the condition's kind meets it.
    #[inline]
    pub(crate) fn evaluate<E: Evaluator>(&self, evaluator: &mut E) -> E::Truth {
        join(evaluator, Op::And, |evaluator, all| {
            for &check in &self.checks {
                evaluator.check(check).add_to(all, Op::And)?;
            }
            let mut allowed = SmallVec::<[E::Truth; 32]>::new();
            for step in &self.steps {
                let truth = step.evaluate(evaluator, &allowed);
                let truth = evaluator.step(step, truth);
                if step.always {
                    truth.add_to(all, Op::And)?;
                    // No scope refers to it.
                    allowed.push(true.into());
                } else {
                    allowed.push(truth);
                }
            }
            Ok(())
        })
    }

    /// Returns the steps that matter to a user who holds certain scopes: those that
    /// must be allowed in any case, and those required by such a scope of another step
    /// that matters.
    pub(crate) fn steps_for(&self, holds: impl Fn(Bit) -> bool) -> Vec<&Step> {
        let mut matters: Vec<bool> = self.steps.iter().map(|step| step.always).collect();
        let mut steps = Vec::new();
        // A step comes after those that it refers to: when its turn comes, from the
        // end, every step that may need it has had its own.
        for step in self.steps.iter().rev() {
            if matters.pop() != Some(true) {
                continue;
            }
            steps.push(step);
            let scopes = step.scopes.as_deref().unwrap_or_default();
            for &required in scopes.iter().filter(|it| holds(it.bit)).flat_map(|it| &it.steps) {
                matters.get_mut(required as usize).into_iter().for_each(|it| *it = true);
            }
        }
        steps
    }

    /// Returns all checks, those of its steps included.
    pub(crate) fn all_checks(&self) -> impl Iterator<Item = &AttributeId> {
        let steps = self.steps.iter().flat_map(|step| &step.checks);
        self.checks.iter().chain(steps)
    }

    /// Returns the scopes of all steps.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.steps.iter().flat_map(|step| step.scopes.as_deref().unwrap_or_default())
    }
}

impl Step {
    /// Returns whether one of its scopes matches and its own checks hold, given which of
    /// the steps before it are allowed.
    #[inline]
    fn evaluate<E: Evaluator>(&self, evaluator: &mut E, allowed: &[E::Truth]) -> E::Truth {
        join(evaluator, Op::And, |evaluator, all| {
            if let Some(scopes) = &self.scopes {
                Scope::any(scopes, evaluator, allowed).add_to(all, Op::And)?;
            }
            for &check in &self.checks {
                evaluator.check(check).add_to(all, Op::And)?;
            }
            Ok(())
        })
    }
}

impl Scope {
    /// Returns whether one of some scopes matches, with the steps that it requires allowed.
    #[inline]
    fn any<E: Evaluator>(scopes: &[Scope], evaluator: &mut E, allowed: &[E::Truth]) -> E::Truth {
        join(evaluator, Op::Or, |evaluator, any| {
            for scope in scopes {
                let truth = join(evaluator, Op::And, |evaluator, all| {
                    for &step in &scope.steps {
                        let required = allowed.get(step as usize).cloned();
                        required.unwrap_or(false.into()).add_to(all, Op::And)?;
                    }
                    scope.matches(evaluator).add_to(all, Op::And)
                });
                truth.add_to(any, Op::Or)?;
            }
            Ok(())
        })
    }

    /// Returns whether it is effective and the object passes its tests.
    #[inline]
    pub(crate) fn matches<E: Evaluator>(&self, evaluator: &mut E) -> E::Truth {
        if !evaluator.holds(self.bit) {
            return false.into();
        }
        join(evaluator, Op::And, |evaluator, all| {
            for &test in &self.when {
                test.passes(evaluator).add_to(all, Op::And)?;
            }
            Ok(())
        })
    }
}

impl ScopeTest {
    /// Returns whether the object passes it.
    #[inline]
    pub(crate) fn passes<E: Evaluator>(self, evaluator: &mut E) -> E::Truth {
        match self {
            ScopeTest::Relation(relation, states) => evaluator.relation(relation, states),
            ScopeTest::Values(values) => evaluator.values(values),
        }
    }
}

/// Computes the conditions of all nodes. `rank` orders these, each after those that
/// it answers to; `left` is how many entries the lists may have.
///
/// # Errors
///
/// The node whose condition needs more entries than are left.
pub(super) fn conditions(
    catalogue: &Catalogue,
    rank: &IdVec<NodeId, u32>,
    left: &mut usize,
) -> Result<Vec<Option<Condition>>, NodeId> {
    let nodes = catalogue.nodes.len();
    let mut search = Search {
        catalogue,
        rank,
        constraining: IdVec::filled(nodes, Arc::default()),
        scopes: IdVec::filled(nodes, None),
        requiring: IdVec::filled(nodes, false),
        seen: IdVec::filled(nodes, 0),
        round: 0,
        places: IdVec::filled(nodes, None),
        left,
    };
    for id in NodeId::first(nodes) {
        let mut scopes = catalogue.scopes(id);
        search.requiring[id] = scopes.any(|scope| !search.own_requirements(scope).is_empty());
    }
    let mut order: Vec<NodeId> = NodeId::first(nodes).collect();
    order.sort_unstable_by_key(|&id| rank[id]);
    for id in order {
        search.constraining[id] = search.constraining(id).map_err(|TooMany| id)?;
    }
    NodeId::first(nodes).map(|id| search.condition(id).map_err(|TooMany| id)).collect()
}

/// The error of lists with more entries than allowed.
struct TooMany;

struct Search<'c> {
    catalogue: &'c Catalogue,
    rank: &'c IdVec<NodeId, u32>,
    /// For each node, the nodes with scopes or checks among those that it answers
    /// to, itself included, requirements of scopes aside.
    constraining: IdVec<NodeId, Arc<[NodeId]>>,
    /// The scopes of nodes, where they have been needed and are the same for every
    /// node that answers to them.
    scopes: IdVec<NodeId, Option<Arc<[Scope]>>>,
    /// True if a node has scopes that require something of their own.
    requiring: IdVec<NodeId, bool>,
    /// The round in which a node was last seen.
    seen: IdVec<NodeId, u32>,
    round: u32,
    /// The number of a node's step, if it must be allowed only for a scope that
    /// requires it.
    places: IdVec<NodeId, Option<u32>>,
    left: &'c mut usize,
}

impl Search<'_> {
    fn condition(&mut self, id: NodeId) -> Result<Option<Condition>, TooMany> {
        let catalogue = self.catalogue;
        let node = catalogue.node(id);
        let Some(kind) = node.kind else { return Ok(None) };
        let mut own_checks = catalogue.kind(kind).checks.clone();
        own_checks.extend(&node.checks);
        own_checks.sort_unstable();
        own_checks.dedup();
        self.take(2 * own_checks.len())?;

        // The nodes that must be allowed in any case.
        self.round += 1;
        let always = self.reach(&[id], kind)?;
        let mut checks = own_checks.clone();
        for &id in &always {
            self.take(self.checks(id, kind).len())?;
            checks.extend(self.checks(id, kind));
        }
        checks.sort_unstable();
        checks.dedup();

        // The nodes required by scopes of those, by scopes of these, and so on: in
        // the same round, so that nodes needed in any case are not visited again.
        let mut steps: Vec<(NodeId, bool)> = always.into_iter().map(|id| (id, true)).collect();
        let mut next = 0;
        while let Some(&(step, _)) = steps.get(next) {
            next += 1;
            if !self.requiring[step] {
                continue;
            }
            for scope in catalogue.scopes(step) {
                let required = self.own_requirements(scope);
                let reached = self.reach(&required, kind)?;
                steps.extend(reached.into_iter().map(|id| (id, false)));
            }
        }
        steps.retain(|&(step, always)| {
            self.has_scopes(step) || (!always && !self.checks(step, kind).is_empty())
        });
        steps.sort_by_key(|&(step, _)| self.rank[step]);
        for (at, &(step, always)) in steps.iter().enumerate() {
            self.places[step] = (!always).then_some(number(at));
        }

        let own_scopes =
            if self.has_scopes(id) { self.scopes(id, id, kind)? } else { Arc::default() };
        let mut numbered = Vec::with_capacity(steps.len());
        for &(step, always) in &steps {
            let scopes = if step == id && self.has_scopes(id) {
                Some(Arc::clone(&own_scopes))
            } else if self.has_scopes(step) {
                Some(self.scopes(step, id, kind)?)
            } else {
                None
            };
            let on_kind = catalogue.node(step).kind == Some(kind);
            let checks = if always { Box::default() } else { self.checks(step, kind).into() };
            numbered.push(Step { on_kind, always, checks, scopes });
        }
        for &(step, _) in &steps {
            self.places[step] = None;
        }
        Ok(Some(Condition {
            kind,
            needs_object: !checks.is_empty() || numbered.iter().any(|step| step.on_kind),
            own_checks: own_checks.into(),
            own_scopes,
            checks: checks.into(),
            steps: numbered.into(),
        }))
    }

    /// Takes entries from those that are left.
    fn take(&mut self, entries: usize) -> Result<(), TooMany> {
        *self.left = self.left.checked_sub(entries).ok_or(TooMany)?;
        Ok(())
    }

    /// Returns the nodes with scopes or checks among a node and those that it answers
    /// to, requirements of scopes aside. Those of the nodes that it leads to must be known.
    fn constraining(&mut self, id: NodeId) -> Result<Arc<[NodeId]>, TooMany> {
        let node = self.catalogue.node(id);
        let constrains = self.has_scopes(id) || !node.checks.is_empty();
        let leads_to: Vec<NodeId> =
            node.gate.into_iter().chain(self.followed(&node.requires)).collect();
        if let (&[only], false) = (&*leads_to, constrains) {
            return Ok(Arc::clone(&self.constraining[only]));
        }
        self.round += 1;
        let mut found = Vec::new();
        if constrains {
            self.seen[id] = self.round;
            found.push(id);
        }
        for next in leads_to {
            // A node seen before has brought along the nodes that it answers to.
            if self.seen[next] == self.round {
                continue;
            }
            for &id in &*self.constraining[next] {
                if std::mem::replace(&mut self.seen[id], self.round) != self.round {
                    found.push(id);
                }
            }
        }
        self.take(found.len())?;
        Ok(found.into())
    }

    /// Returns the checks of a node that is on that kind.
    fn checks(&self, id: NodeId, kind: KindId) -> &[AttributeId] {
        let node = self.catalogue.node(id);
        if node.kind == Some(kind) { &node.checks } else { &[] }
    }

    /// Returns the nodes among these, and those that they answer to, that this round has
    /// not seen and that may constrain an object of that kind: those on the kind, and
    /// scoped ones on another whose scopes have requirements.
    fn reach(&mut self, from: &[NodeId], kind: KindId) -> Result<Vec<NodeId>, TooMany> {
        let mut found = Vec::new();
        for &from in from {
            let constraining = Arc::clone(&self.constraining[from]);
            self.take(constraining.len())?;
            for &id in &*constraining {
                if std::mem::replace(&mut self.seen[id], self.round) == self.round {
                    continue;
                }
                if self.catalogue.node(id).kind == Some(kind) || self.requiring[id] {
                    found.push(id);
                }
            }
        }
        Ok(found)
    }

    /// Returns the required nodes, without single scopes: these need only be effective, and
    /// nothing is followed beyond them (rule 7).
    fn followed(&self, required: &[Bit]) -> impl Iterator<Item = NodeId> {
        let nodes = required.iter().map(|&bit| self.catalogue.id_of(bit));
        nodes.filter(|&id| !matches!(self.catalogue.node(id).form, Form::Scope(..)))
    }

    fn own_requirements(&self, scope: NodeId) -> Vec<NodeId> {
        let node = self.catalogue.node(scope);
        self.followed(node.requirements().0).collect()
    }

    fn has_scopes(&self, id: NodeId) -> bool {
        matches!(self.catalogue.node(id).form, Form::Scoped(_) | Form::Scope(..))
    }

    /// Returns the scopes to match for a step; for a single scope that is asked for, this one
    /// alone, whose requirements are steps in any case.
    fn scopes(
        &mut self,
        step: NodeId,
        asked: NodeId,
        kind: KindId,
    ) -> Result<Arc<[Scope]>, TooMany> {
        let catalogue = self.catalogue;
        let on_kind = catalogue.node(step).kind == Some(kind);
        if let (Some(known), true) = (&self.scopes[step], on_kind) {
            return Ok(Arc::clone(known));
        }
        let mut scopes = Vec::new();
        for id in catalogue.scopes_or_itself(step) {
            let node = catalogue.node(id);
            let Form::Scope(_, when) = &node.form else {
                continue;
            };
            self.take(1 + when.len())?;
            scopes.push(Scope {
                bit: node.bit,
                when: if on_kind { when.clone() } else { Box::default() },
                steps: if id == asked { [].into() } else { self.needed(id)? },
            });
        }
        let scopes: Arc<[Scope]> = scopes.into();
        if on_kind && !self.requiring[step] {
            self.scopes[step] = Some(Arc::clone(&scopes));
        }
        Ok(scopes)
    }

    /// Returns the steps that a scope's own requirements unfold to, without those that must
    /// be allowed in any case.
    fn needed(&mut self, scope: NodeId) -> Result<Box<[u32]>, TooMany> {
        let required = self.own_requirements(scope);
        let mut needed = Vec::new();
        for from in required {
            let constraining = Arc::clone(&self.constraining[from]);
            self.take(constraining.len())?;
            needed.extend(constraining.iter().filter_map(|&id| self.places[id]));
        }
        needed.sort_unstable();
        needed.dedup();
        Ok(needed.into())
    }
}

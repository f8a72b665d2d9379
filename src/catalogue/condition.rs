//! On which objects a permission is allowed (design, rule 7), as far as the
//! catalogue determines it.
//!
//! A permission on a kind of object answers, on that object, to whatever its gate
//! parent and its requirements lead to. Of all those, only the ones on the same
//! kind that have scopes or checks constrain the object: they are found here once,
//! so that a question only looks at relations and attributes.

use std::sync::Arc;

use super::{AttributeId, Bit, Catalogue, Form, KindId, NodeId, States};
use crate::names::number;

/// The condition that an object must meet.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) kind: KindId,
    /// Whether anything but its kind matters about the object.
    pub(crate) needs_object: bool,
    /// The checks of the kind and of the permission itself.
    pub(crate) own_checks: Box<[AttributeId]>,
    /// The scopes to match for the permission itself: its scopes, or it alone.
    pub(crate) own_scopes: Arc<[Scope]>,
    /// All checks that must hold: its own, and those of what it answers to.
    pub(crate) checks: Box<[AttributeId]>,
    /// The scoped permissions that it answers to, including itself, and what their
    /// scopes require: each after those that it refers to.
    pub(crate) steps: Box<[Step]>,
}

/// One of the permissions on the same object.
#[derive(Debug)]
pub(crate) struct Step {
    /// Whether it must always be allowed, rather than only where a scope that
    /// requires it is to match.
    pub(crate) always: bool,
    /// Its checks, unless they must always hold.
    pub(crate) checks: Box<[AttributeId]>,
    /// Its scopes, if any, one of which must match. Shared as far as they are the
    /// same for whatever answers to it.
    pub(crate) scopes: Option<Arc<[Scope]>>,
}

/// A scope of a step.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// The scope must be effective.
    pub(crate) bit: Bit,
    /// The object's relations must be in these states.
    pub(crate) when: Box<[(u32, States)]>,
    /// These steps must be allowed.
    pub(crate) steps: Box<[u32]>,
}

/// The conditions of all nodes. `rank` orders these, each after what it answers to;
/// `left` is how many entries the lists may have; the error is the node that
/// exceeds it.
pub(super) fn conditions(
    catalogue: &Catalogue,
    rank: &[u32],
    left: &mut usize,
) -> Result<Vec<Option<Condition>>, NodeId> {
    let nodes = catalogue.nodes.len();
    let mut search = Search {
        catalogue,
        rank,
        speaking: vec![Arc::default(); nodes],
        scopes: vec![None; nodes],
        requiring: Vec::with_capacity(nodes),
        seen: vec![0; nodes],
        round: 0,
        places: vec![None; nodes],
        left,
    };
    for id in 0..number(nodes) {
        let mut scopes = catalogue.scopes(id);
        let requires = scopes.any(|scope| !search.own_requirements(scope).is_empty());
        search.requiring.push(requires);
    }
    let mut order: Vec<NodeId> = (0..number(nodes)).collect();
    order.sort_unstable_by_key(|&id| rank[id as usize]);
    for id in order {
        search.speaking[id as usize] = search.speaking(id).map_err(|TooMany| id)?;
    }
    (0..number(nodes)).map(|id| search.condition(id).map_err(|TooMany| id)).collect()
}

/// The lists would have more entries than allowed.
struct TooMany;

struct Search<'c> {
    catalogue: &'c Catalogue,
    rank: &'c [u32],
    /// For each node, itself and what it answers to, scopes aside: those that may
    /// constrain an object.
    speaking: Vec<Arc<[NodeId]>>,
    /// The scopes of nodes, where they are the same for whatever answers to them
    /// and have been needed.
    scopes: Vec<Option<Arc<[Scope]>>>,
    /// Whether a node has scopes that require something themselves.
    requiring: Vec<bool>,
    /// In which round a node was last seen.
    seen: Vec<u32>,
    round: u32,
    /// The number of a node's step, if it must hold only where a scope requires it.
    places: Vec<Option<u32>>,
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

        // What it always answers to.
        self.round += 1;
        let always = self.reach(&[id], kind)?;
        let mut checks = own_checks.clone();
        for &id in &always {
            self.take(self.checks(id, kind).len())?;
            checks.extend(self.checks(id, kind));
        }
        checks.sort_unstable();
        checks.dedup();

        // What the scopes of those, and of what they require, require besides: in
        // the same round, so that what is needed anyway is not visited again.
        let mut steps: Vec<(NodeId, bool)> = always.into_iter().map(|id| (id, true)).collect();
        let mut next = 0;
        while let Some(&(step, _)) = steps.get(next) {
            next += 1;
            if !self.requiring[step as usize] {
                continue;
            }
            for scope in catalogue.scopes(step) {
                let required = self.own_requirements(scope);
                let besides = self.reach(&required, kind)?;
                steps.extend(besides.into_iter().map(|id| (id, false)));
            }
        }
        steps.retain(|&(step, always)| {
            self.has_scopes(step) || (!always && !self.checks(step, kind).is_empty())
        });
        steps.sort_by_key(|&(step, _)| self.rank[step as usize]);
        for (at, &(step, always)) in steps.iter().enumerate() {
            self.places[step as usize] = (!always).then_some(number(at));
        }

        let on_kind = |&(step, _): &(NodeId, bool)| catalogue.node(step).kind == Some(kind);
        let needs_object = !checks.is_empty() || steps.iter().any(on_kind);
        let own_scopes = match self.has_scopes(id) {
            true => self.scopes(id, id, kind)?,
            false => Arc::default(),
        };
        let mut told = Vec::with_capacity(steps.len());
        for &(step, always) in &steps {
            let scopes = match self.has_scopes(step) {
                true if step == id => Some(Arc::clone(&own_scopes)),
                true => Some(self.scopes(step, id, kind)?),
                false => None,
            };
            let checks = if always { Box::default() } else { self.checks(step, kind).into() };
            told.push(Step { always, checks, scopes });
        }
        for &(step, _) in &steps {
            self.places[step as usize] = None;
        }
        Ok(Some(Condition {
            kind,
            needs_object,
            own_checks: own_checks.into(),
            own_scopes,
            checks: checks.into(),
            steps: told.into(),
        }))
    }

    /// Takes entries from those that are left.
    fn take(&mut self, entries: usize) -> Result<(), TooMany> {
        *self.left = self.left.checked_sub(entries).ok_or(TooMany)?;
        Ok(())
    }

    /// A node and what it answers to, scopes aside: those of them that may
    /// constrain an object. The nodes to which it leads must be known.
    fn speaking(&mut self, id: NodeId) -> Result<Arc<[NodeId]>, TooMany> {
        let node = self.catalogue.node(id);
        let speaks = self.has_scopes(id) || !node.checks.is_empty();
        let leads_to: Vec<NodeId> =
            node.gate.into_iter().chain(self.followed(&node.requires)).collect();
        if let (&[only], false) = (&*leads_to, speaks) {
            return Ok(Arc::clone(&self.speaking[only as usize]));
        }
        self.round += 1;
        let mut found = Vec::new();
        if speaks {
            self.seen[id as usize] = self.round;
            found.push(id);
        }
        for next in leads_to {
            // A node seen before has brought along all that it answers to.
            if self.seen[next as usize] != self.round {
                for &id in &*self.speaking[next as usize] {
                    if std::mem::replace(&mut self.seen[id as usize], self.round) != self.round {
                        found.push(id);
                    }
                }
            }
        }
        self.take(found.len())?;
        Ok(found.into())
    }

    /// The checks of a node, if it is on that kind.
    fn checks(&self, id: NodeId, kind: KindId) -> &[AttributeId] {
        let node = self.catalogue.node(id);
        if node.kind == Some(kind) { &node.checks } else { &[] }
    }

    /// From these and all that they answer to, the nodes that this round has not
    /// seen and that may constrain an object: those on that kind, and scoped ones
    /// on another, because of what their scopes require.
    fn reach(&mut self, from: &[NodeId], kind: KindId) -> Result<Vec<NodeId>, TooMany> {
        let mut found = Vec::new();
        for &from in from {
            let speaking = Arc::clone(&self.speaking[from as usize]);
            self.take(speaking.len())?;
            for &id in &*speaking {
                if std::mem::replace(&mut self.seen[id as usize], self.round) == self.round {
                    continue;
                }
                if self.catalogue.node(id).kind == Some(kind) || self.requiring[id as usize] {
                    found.push(id);
                }
            }
        }
        Ok(found)
    }

    /// The required nodes that are followed: a single scope need only be effective.
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

    /// The scopes to match for a step; for a scope that is asked for itself, it
    /// alone, with its requirements being steps in any case.
    fn scopes(
        &mut self,
        step: NodeId,
        asked: NodeId,
        kind: KindId,
    ) -> Result<Arc<[Scope]>, TooMany> {
        let catalogue = self.catalogue;
        let on_kind = catalogue.node(step).kind == Some(kind);
        if let (Some(known), true) = (&self.scopes[step as usize], on_kind) {
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
                // Relations to an object of another kind can't be evaluated on this
                // one.
                when: if on_kind { when.clone() } else { Box::default() },
                steps: if id == asked { [].into() } else { self.needed(id)? },
            });
        }
        let scopes: Arc<[Scope]> = scopes.into();
        if on_kind && !self.requiring[step as usize] {
            self.scopes[step as usize] = Some(Arc::clone(&scopes));
        }
        Ok(scopes)
    }

    /// The steps that a scope's own requirements amount to, apart from those that
    /// must always hold.
    fn needed(&mut self, scope: NodeId) -> Result<Box<[u32]>, TooMany> {
        let required = self.own_requirements(scope);
        let mut needed = Vec::new();
        for from in required {
            let speaking = Arc::clone(&self.speaking[from as usize]);
            self.take(speaking.len())?;
            needed.extend(speaking.iter().filter_map(|&id| self.places[id as usize]));
        }
        needed.sort_unstable();
        needed.dedup();
        Ok(needed.into())
    }
}

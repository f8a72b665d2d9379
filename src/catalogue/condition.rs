//! On which objects a permission is allowed (design, rule 7), as far as the
//! catalogue settles it.
//!
//! A permission on a kind of object answers, on that object, to whatever its
//! gate parent and its requirements lead to. Of all those, only the ones on the
//! same kind that have scopes or checks say anything about the object: they are
//! found here once, so that a question only looks at relations and attributes.

use super::{AttributeId, Bit, Catalogue, Form, KindId, NodeId, States};
use crate::names::number;

/// What an object must be like.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) kind: KindId,
    /// Whether anything is asked of the object besides its kind.
    pub(crate) needs_object: bool,
    /// The checks of the kind and of the permission itself.
    pub(crate) own_checks: Box<[AttributeId]>,
    /// The scopes of the permission itself: its scopes, or it alone.
    pub(crate) own_scopes: Box<[Scope]>,
    /// All checks that must hold: the own ones and those of what it answers to.
    pub(crate) checks: Box<[AttributeId]>,
    /// The scoped permissions that it answers to, itself where it is one, and
    /// what their scopes require: each after those that it refers to.
    pub(crate) steps: Box<[Step]>,
}

/// One of the permissions on the same object.
#[derive(Debug)]
pub(crate) struct Step {
    /// Whether it must be allowed in any case, and not only where a scope that
    /// requires it is to match.
    pub(crate) always: bool,
    /// Its checks, where they need not hold in any case.
    pub(crate) checks: Box<[AttributeId]>,
    /// Its scopes, one of which must match, if it has any.
    pub(crate) scopes: Option<Box<[Scope]>>,
}

/// A scope of one of them.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// The scope must be effective.
    pub(crate) bit: Bit,
    /// The object's relations must be in these states.
    pub(crate) when: Box<[(u32, States)]>,
    /// These steps must be allowed.
    pub(crate) steps: Box<[u32]>,
}

/// The conditions of all nodes; `rank` orders them, each after what it answers
/// to.
pub(super) fn conditions(catalogue: &Catalogue, rank: &[u32]) -> Vec<Option<Condition>> {
    let mut search = Search { catalogue, rank, seen: vec![0; catalogue.nodes.len()], round: 0 };
    (0..number(catalogue.nodes.len())).map(|id| search.condition(id)).collect()
}

struct Search<'c> {
    catalogue: &'c Catalogue,
    rank: &'c [u32],
    /// In which round a node was last seen.
    seen: Vec<u32>,
    round: u32,
}

impl Search<'_> {
    fn condition(&mut self, id: NodeId) -> Option<Condition> {
        let catalogue = self.catalogue;
        let node = catalogue.node(id);
        let kind = node.kind?;
        let mut own_checks = catalogue.kind(kind).checks.clone();
        own_checks.extend(&node.checks);
        own_checks.sort_unstable();
        own_checks.dedup();

        // What it answers to in any case.
        self.round += 1;
        let always = self.reach(vec![id], kind);
        let mut checks = own_checks.clone();
        for &id in &always {
            checks.extend(self.checks(id, kind));
        }
        checks.sort_unstable();
        checks.dedup();

        // What the scopes of those, and of what they require, require besides:
        // in the same round, so that what is needed anyway is not met again.
        let mut steps: Vec<(NodeId, bool)> = always.into_iter().map(|id| (id, true)).collect();
        let mut next = 0;
        while let Some(&(step, _)) = steps.get(next) {
            next += 1;
            for scope in catalogue.scopes(step) {
                let required = self.own_requirements(scope);
                let besides = self.reach(required, kind);
                steps.extend(besides.into_iter().map(|id| (id, false)));
            }
        }
        steps.retain(|&(step, always)| {
            self.has_scopes(step) || (!always && !self.checks(step, kind).is_empty())
        });
        steps.sort_by_key(|&(step, _)| self.rank[step as usize]);

        let on_kind = |&(step, _): &(NodeId, bool)| catalogue.node(step).kind == Some(kind);
        let needs_object = !checks.is_empty() || steps.iter().any(on_kind);
        let scopes = |step| self.scopes(step, id, kind, &steps);
        let own_scopes = if self.has_scopes(id) { scopes(id) } else { Box::default() };
        let steps = steps
            .iter()
            .map(|&(step, always)| Step {
                always,
                checks: if always { Box::default() } else { self.checks(step, kind).into() },
                scopes: self.has_scopes(step).then(|| scopes(step)),
            })
            .collect();
        Some(Condition {
            kind,
            needs_object,
            own_checks: own_checks.into(),
            own_scopes,
            checks: checks.into(),
            steps,
        })
    }

    /// The checks of a node, if it is on that kind.
    fn checks(&self, id: NodeId, kind: KindId) -> &[AttributeId] {
        let node = self.catalogue.node(id);
        if node.kind == Some(kind) { &node.checks } else { &[] }
    }

    /// Of these and all that they answer to, the nodes that this round has not
    /// seen and that may have something to say: those on that kind, and scoped
    /// ones on another, because of what their scopes require.
    fn reach(&mut self, from: Vec<NodeId>, kind: KindId) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut open = from;
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut self.seen[id as usize], self.round) == self.round {
                continue;
            }
            let node = self.catalogue.node(id);
            let scopes_require =
                || self.catalogue.scopes(id).any(|scope| !self.own_requirements(scope).is_empty());
            if node.kind == Some(kind) || scopes_require() {
                found.push(id);
            }
            open.extend(node.gate);
            open.extend(self.followed(&node.requires));
        }
        found
    }

    /// The nodes that are followed of those required: of a single scope it is
    /// enough that it is effective.
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

    /// The scopes to match of a step; of a scope that is asked for itself, it
    /// alone, whose requirements are steps in any case.
    fn scopes(
        &self,
        step: NodeId,
        asked: NodeId,
        kind: KindId,
        steps: &[(NodeId, bool)],
    ) -> Box<[Scope]> {
        let nodes = self.catalogue.scopes_or_itself(step);
        nodes
            .filter_map(|id| {
                let node = self.catalogue.node(id);
                let Form::Scope(_, when) = &node.form else {
                    return None;
                };
                Some(Scope {
                    bit: node.bit,
                    // What relates to an object of another kind can't be told
                    // of this one.
                    when: if node.kind == Some(kind) { when.clone() } else { Box::default() },
                    steps: if id == asked { [].into() } else { self.needed(id, kind, steps) },
                })
            })
            .collect()
    }

    /// The steps that a scope's own requirements come to, apart from those that
    /// must hold in any case.
    fn needed(&self, scope: NodeId, kind: KindId, steps: &[(NodeId, bool)]) -> Box<[u32]> {
        let required = self.own_requirements(scope);
        if required.is_empty() {
            return Box::default();
        }
        let mut search = Search {
            catalogue: self.catalogue,
            rank: self.rank,
            seen: vec![0; self.catalogue.nodes.len()],
            round: 1,
        };
        let reached = search.reach(required, kind);
        let is_step = |&(id, always): &(NodeId, bool)| !always && reached.contains(&id);
        (0..).zip(steps).filter(|(_, step)| is_step(step)).map(|(at, _)| at).collect()
    }
}

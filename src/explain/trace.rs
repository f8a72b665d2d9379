//! The provenance of one decision: the rights of a user, the statements behind them, and
//! the object's part.
//!
//! Nothing is decided here. Rules 1 to 6 are the engine's, which keeps what it meets
//! on the way, and rule 7 is the catalogue's condition; a trace finds the statements,
//! scopes, bounds and gates that brought about their results.

use std::cell::{Cell, OnceCell, RefCell};

use crate::catalogue::{
    AttributeId, Bit, Catalogue, Evaluator, Form, KindId, Link, NodeId, Op, States,
};
use crate::date::Date;
use crate::engine::{Bounding, Layers, Limits, Rights, limit_of, reason_on_object};
use crate::names::HashMap;
use crate::object::{Asker, Object, Subject, Value};
use crate::policy::{
    Effect, Held, Holder, Inner, Origin, Said, Statement, StatementIndex, Statements, Tier,
};
use crate::reason::Reason;
use crate::relation::RelationState;

/// The nearest statement of one of the user's sources about one permission.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stated<'a> {
    pub(super) source: Origin,
    tier: Tier,
    pub(super) statement: Statement<'a>,
    /// The result for the permission.
    pub(super) said: Said,
    /// It is one of those that decide.
    pub(super) decides: bool,
}

/// One user, and one object or none.
pub(super) struct Trace<'a, O: ?Sized> {
    pub(super) rights: Rights<'a>,
    pub(super) holder: Holder<'a>,
    pub(super) object: Option<&'a O>,
    pub(super) today: Option<Date>,
    /// The kind of the object.
    kind: Option<KindId>,
    /// The user's sources, the more general first.
    sources: OnceCell<Vec<(Held<'a>, StatementIndex<'a>)>>,
    limits: OnceCell<Limits>,
    /// The number of tests of conditions made so far.
    tests: Cell<usize>,
    /// The answers of `is_blocked` so far.
    blocked: RefCell<HashMap<NodeId, bool>>,
}

impl<'a, O: Object + ?Sized> Trace<'a, O> {
    pub(super) fn new(
        layers: &mut Layers<'a>,
        holder: Holder<'a>,
        object: Option<&'a O>,
        today: Option<Date>,
    ) -> Trace<'a, O> {
        let rights = Rights::new(layers, holder.class);
        let kinds = &rights.catalogue().kinds;
        let kind = object.and_then(|object| kinds.get_index_of(object.kind()));
        Trace {
            rights,
            holder,
            object,
            today,
            kind: kind.map(|kind| kind as KindId),
            sources: OnceCell::new(),
            limits: OnceCell::new(),
            tests: Cell::new(0),
            blocked: RefCell::default(),
        }
    }

    pub(super) fn policy(&self) -> &'a Inner {
        self.rights.policy
    }

    pub(super) fn catalogue(&self) -> &'a Catalogue {
        self.rights.catalogue()
    }

    fn sources(&self) -> &[(Held<'a>, StatementIndex<'a>)] {
        self.sources.get_or_init(|| {
            let sources = self.policy().sources_of(self.holder.class);
            sources.map(|source| (source, StatementIndex::new(source.statements))).collect()
        })
    }

    /// Those of the user's sources that are among these, the more general first.
    pub(super) fn in_order(&self, sources: &[Origin]) -> Vec<Origin> {
        let all = self.sources().iter().map(|(source, _)| source.origin);
        all.filter(|source| sources.contains(source)).collect()
    }

    /// The nearest statement of each source about a permission that can be granted, the
    /// more general source first.
    pub(super) fn statements(&self, id: NodeId) -> Vec<Stated<'a>> {
        let catalogue = self.catalogue();
        let nearest = self.sources().iter().filter_map(|(source, index)| {
            let statement = index.nearest(id, catalogue)?;
            let said = statement.effect.result(catalogue.node(id));
            let &Held { origin: source, tier, .. } = source;
            Some(Stated { source, tier, statement, said, decides: false })
        });
        let mut stated: Vec<Stated<'_>> = nearest.collect();
        // Rule 2: of the most specific tier, those that deny, or else grant the most.
        let tier = stated.last().map(|last| last.tier);
        let in_tier = |stated: &&Stated<'_>| Some(stated.tier) == tier;
        let said = stated.iter().filter(in_tier).map(|stated| stated.said).max();
        for stated in &mut stated {
            stated.decides = in_tier(&&*stated) && Some(stated.said) == said;
        }
        stated
    }

    /// The statements that forbid a permission, the more general source first.
    pub(super) fn forbids(&self, id: NodeId) -> Vec<(Origin, Statement<'a>)> {
        let forbids = self.sources().iter().flat_map(|(source, index)| {
            let matching = index.matching(id, self.catalogue());
            let forbids = matching.filter(|statement| statement.effect == Effect::Forbid);
            let mut forbids: Vec<_> = forbids.map(|it| (source.origin, it)).collect();
            forbids.sort_unstable_by_key(|(_, statement)| statement.at);
            forbids
        });
        forbids.collect()
    }

    /// The effort so far, in permissions looked at.
    pub(super) fn effort(&self) -> usize {
        // Ranking and painting a statement takes as long as looking at several.
        let count = |statements: &Statements| {
            statements.all().count().saturating_add(statements.bounds.len()).saturating_mul(8)
        };
        let sources = self.policy().sources_of(self.holder.class);
        let patterns =
            sources.map(|source| count(source.statements)).fold(0usize, usize::saturating_add);
        patterns.saturating_add(self.catalogue().nodes.len()).saturating_add(self.tests.get())
    }

    /// The reason for the answer.
    pub(super) fn reason(&self, bit: Bit) -> Reason {
        if self.holder.class.suspended {
            return Reason::Suspended;
        }
        let reason = self.rights.reason(bit);
        if reason != Reason::Granted {
            return reason;
        }
        let id = self.catalogue().id_of(bit);
        let condition = self.catalogue().node(id).condition.as_deref();
        let object = self.object.map(|_| (self.is_on_kind(id), self));
        condition.map_or(Reason::Granted, |condition| reason_on_object(condition, object))
    }

    // Rule 7: what is allowed on the object.

    /// Returns whether a permission is on the object's kind.
    pub(super) fn is_on_kind(&self, id: NodeId) -> bool {
        self.kind.is_some() && self.catalogue().node(id).kind == self.kind
    }

    /// The effective scopes of a scoped permission, or a single scope if effective.
    pub(super) fn effective_scopes(&self, id: NodeId) -> Vec<NodeId> {
        let scopes = self.catalogue().scopes_or_itself(id);
        let effective =
            |&scope: &NodeId| self.rights.is_effective(self.catalogue().node(scope).bit);
        scopes.filter(effective).collect()
    }

    /// The reason why an effective permission is, or is not, allowed on the object; one on
    /// another kind, or on none, depends on those that it answers to.
    pub(super) fn reason_on_object(&self, id: NodeId) -> Reason {
        match self.catalogue().node(id).condition.as_deref() {
            Some(condition) if self.is_on_kind(id) => {
                reason_on_object(condition, Some((true, self)))
            }
            _ if self.is_blocked(id) => Reason::Gated,
            _ => Reason::Granted,
        }
    }

    /// Returns whether an effective permission is not allowed on the object.
    fn is_blocked(&self, id: NodeId) -> bool {
        let catalogue = self.catalogue();
        let known = |id: NodeId| self.blocked.borrow().get(&id).copied();
        // A condition covers all that leads to permissions on its kind. Through those on
        // other kinds, or none, the search goes on: on our own stack, as chains may be
        // long, and what a permission answers to before the permission itself.
        let mut open = vec![id];
        while let Some(&id) = open.last() {
            let before = open.len();
            if known(id).is_none() && !self.is_on_kind(id) {
                let scopes = self.effective_scopes(id).into_iter();
                let needs = scopes.flat_map(|scope| catalogue.followed_by_scope(scope));
                let needs = needs.chain(catalogue.followed(id).map(|(_, need)| need));
                let needs = needs.map(|bit| catalogue.id_of(bit));
                open.extend(needs.filter(|&need| known(need).is_none()));
            }
            if open.len() == before {
                if known(id).is_none() {
                    let blocked = if self.is_on_kind(id) {
                        self.reason_on_object(id) != Reason::Granted
                    } else {
                        self.gate(id).is_some()
                    };
                    self.blocked.borrow_mut().insert(id, blocked);
                }
                open.pop();
            }
        }
        known(id) == Some(true)
    }

    /// Finds the gate of a permission that is effective but not allowed on the object: the
    /// first permission that it answers to and that is not allowed either.
    pub(super) fn gate(&self, id: NodeId) -> Option<(Link, Bit)> {
        let mut scopes = self.effective_scopes(id);
        if self.is_on_kind(id) {
            scopes.retain(|&scope| self.matches(scope));
        }
        let closed: Vec<Bit> = scopes.iter().map_while(|&scope| self.closed_by(scope)).collect();
        match closed.first() {
            Some(&need) if closed.len() == scopes.len() => Some((Link::Requires, need)),
            _ => self.gated_by(id),
        }
    }

    /// Finds a permission that an effective scope itself requires and that is not allowed
    /// on the object.
    pub(super) fn closed_by(&self, scope: NodeId) -> Option<Bit> {
        let catalogue = self.catalogue();
        catalogue.followed_by_scope(scope).find(|&bit| self.is_blocked(catalogue.id_of(bit)))
    }

    /// Finds another permission that an effective one answers to and that is not allowed on
    /// the object.
    pub(super) fn gated_by(&self, id: NodeId) -> Option<(Link, Bit)> {
        let catalogue = self.catalogue();
        catalogue.followed(id).find(|&(_, bit)| self.is_blocked(catalogue.id_of(bit)))
    }

    /// Returns whether the object's relations are in states that a scope accepts.
    pub(super) fn matches(&self, scope: NodeId) -> bool {
        let Form::Scope(_, when) = &self.catalogue().node(scope).form else { return false };
        when.iter().all(|&(relation, accepted)| {
            self.state(relation).is_some_and(|state| accepted.accepts(state))
        })
    }

    /// The state of a relation of the object.
    pub(super) fn state(&self, relation: u32) -> Option<RelationState> {
        let relations = &self.catalogue().kind(self.kind?).relations;
        let (name, &of) = relations.get_index(relation as usize)?;
        let asker = &Asking { policy: self.policy(), holder: self.holder };
        self.object?.relation(name, &Subject { asker, relation: of })
    }

    /// Returns whether an attribute of the object is within the user's bound.
    pub(super) fn passes(&self, check: AttributeId) -> bool {
        let limits =
            self.limits.get_or_init(|| Bounding::new(self.policy()).limits(self.holder.class));
        limit_of(limits, check).passes(self.value(check), self.today)
    }

    pub(super) fn value(&self, check: AttributeId) -> Option<Value<'a>> {
        self.object?.attribute(&self.catalogue().attribute_at(check).name)
    }
}

impl<O: Object + ?Sized> Evaluator for &Trace<'_, O> {
    type Truth = bool;

    fn holds(&self, scope: Bit) -> bool {
        self.rights.is_effective(scope)
    }

    fn relation(&mut self, relation: u32, states: States) -> bool {
        self.tests.set(self.tests.get().saturating_add(1));
        self.state(relation).is_some_and(|state| states.accepts(state))
    }

    fn check(&mut self, attribute: AttributeId) -> bool {
        self.tests.set(self.tests.get().saturating_add(1));
        self.passes(attribute)
    }

    fn join(&mut self, op: Op, (): ()) -> bool {
        op == Op::And
    }
}

/// The user who asks.
struct Asking<'a> {
    policy: &'a Inner,
    holder: Holder<'a>,
}

impl Asker for Asking<'_> {
    fn name(&self) -> &str {
        self.holder.name
    }
    fn belongs(&self, group: &str) -> bool {
        self.policy.groups.is_beneath(group, self.holder.groups)
    }
}

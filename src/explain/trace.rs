//! The provenance of one decision: the rights of a user, the statements behind them, and
//! the object's part.
//!
//! Nothing is decided here. Rules 1 to 6 are the engine's, which keeps what it meets
//! on the way, and rule 7 is the catalogue's condition; a trace finds the statements,
//! scopes, bounds and gates that brought about their results.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use crate::catalogue::{
    AttributeId, Bit, Catalogue, Condition, Evaluator, Form, KindId, Limit, Link, NodeId, Op,
    Pattern, ScopeTest, States, Values, ValuesId, compares,
};
use crate::date::Moment;
use crate::document::Bound;
use crate::engine::{Bounding, Limits, Rights, reason_on_object, reason_under};
use crate::ids::{Number, SourceId};
use crate::names::{HashMap, HashSet};
use crate::object::{Identity, Object, Subject, Value};
use crate::policy::{
    Effect, Held, Holder, Inner, Origin, Said, Statement, StatementIndex, Terms, nearest,
};
use crate::reason::Reason;
use crate::relation::RelationState;

/// The statements of a user's sources about one permission, the more general source
/// first.
pub(super) struct Stated<'a> {
    /// The permission that the nearest statements are about.
    pub(super) origin: NodeId,
    /// The nearest statement of each source that states anything.
    pub(super) nearest: Vec<Nearest<'a>>,
    /// The nearest statement of each source that leaves the permission out.
    pub(super) left_out: Vec<(Origin, Statement<'a>)>,
    pub(super) forbids: Vec<(Origin, Statement<'a>)>,
}

/// The nearest statement of a source.
pub(super) struct Nearest<'a> {
    pub(super) source: Held<'a>,
    pub(super) statement: Statement<'a>,
    /// The result for the permission.
    pub(super) said: Said,
    /// It is one of those that decide.
    pub(super) decides: bool,
}

impl<'a> Stated<'a> {
    /// The nearest statements that decide.
    pub(super) fn decisive(&self) -> impl Iterator<Item = &Nearest<'a>> {
        self.nearest.iter().filter(|nearest| nearest.decides)
    }
}

/// A source, and its statements as found by permissions.
pub(super) type TracedSource<'a> = (Held<'a>, Rc<OnceCell<StatementIndex<'a>>>);

/// Up to this many permissions, statements are looked through for each; and up to this many
/// sources, each by itself.
const FEW: usize = 16;

/// One user in one capacity, and one object or none.
pub(super) struct Trace<'a, O: ?Sized> {
    pub(super) rights: Rights<'a>,
    pub(super) holder: Holder<'a>,
    /// The permission that is asked of an assignment.
    asked: Option<NodeId>,
    pub(super) object: Option<&'a O>,
    pub(super) today: Option<Moment>,
    /// The kind of the object.
    kind: Option<KindId>,
    /// The user's sources, the more general first.
    sources: OnceCell<Vec<TracedSource<'a>>>,
    /// The statements of all sources with exactly a pattern, each with the source's position.
    by_pattern: OnceCell<HashMap<Pattern, Vec<(usize, Statement<'a>)>>>,
    /// The number of permissions whose statements were looked up.
    looked_up: Cell<usize>,
    limits: OnceCell<Limits>,
    /// The limits on what an assignment carries, if they are its own.
    own_limits: OnceCell<Option<Limits>>,
    /// The number of tests of conditions made so far.
    tests: Cell<usize>,
    /// The answers of `is_blocked` so far.
    blocked: RefCell<HashMap<Bit, bool>>,
}

impl<'a, O: Object + ?Sized> Trace<'a, O> {
    pub(super) fn new(
        rights: Rights<'a>,
        holder: Holder<'a>,
        object: Option<&'a O>,
        today: Option<Moment>,
    ) -> Trace<'a, O> {
        let kinds = &rights.catalogue().kinds;
        let kind = object.and_then(|object| kinds.get_index_of(object.kind()));
        Trace {
            rights,
            holder,
            asked: None,
            object,
            today,
            kind: kind.map(KindId::new),
            sources: OnceCell::new(),
            by_pattern: OnceCell::new(),
            looked_up: Cell::new(0),
            limits: OnceCell::new(),
            own_limits: OnceCell::new(),
            tests: Cell::new(0),
            blocked: RefCell::default(),
        }
    }

    /// The same, asked about one permission: in an assignment, only what it carries of that
    /// counts.
    pub(super) fn asked(self, bit: Bit) -> Trace<'a, O> {
        Trace { asked: Some(self.catalogue().id_of(bit)), ..self }
    }

    pub(super) fn policy(&self) -> &'a Inner {
        self.rights.policy
    }

    pub(super) fn catalogue(&self) -> &'a Catalogue {
        self.rights.catalogue()
    }

    /// The same with only some of the user's sources, the more general first.
    pub(super) fn with_sources(self, sources: Vec<TracedSource<'a>>) -> Trace<'a, O> {
        Trace { sources: OnceCell::from(sources), ..self }
    }

    fn sources(&self) -> &[TracedSource<'a>] {
        self.sources.get_or_init(|| {
            let policy = self.policy();
            let closure = |sources: &[SourceId]| policy.sources.closure(sources).into_vec();
            let sources = policy.acting_sources(self.holder.class, self.rights.own, closure);
            sources.into_iter().map(|source| (source, Rc::default())).collect()
        })
    }

    /// The statements that match a permission, of each source that has any, the more general
    /// first.
    fn matching(&self, id: NodeId) -> Vec<(Held<'a>, Vec<Statement<'a>>)> {
        // For a few permissions, it takes less time to look at all statements than to sort
        // them; and for a few sources, to sort those of each.
        let looked_up = self.looked_up.replace(self.looked_up.get().saturating_add(1));
        let sources = self.sources();
        let is_sorted = looked_up > FEW;
        if is_sorted && sources.len() > FEW {
            return self.matching_of_many(id);
        }
        let matching = sources.iter().map(|(source, index)| {
            let statements = source.statements;
            let mut matching = Vec::new();
            let add = |statement| matching.push(statement);
            if is_sorted || index.get().is_some() {
                let index = index.get_or_init(|| StatementIndex::new(statements));
                index.matching(id, self.catalogue()).for_each(add);
            } else {
                statements.matching(id, self.catalogue()).for_each(add);
            }
            (*source, matching)
        });
        matching.filter(|(_, matching)| !matching.is_empty()).collect()
    }

    /// The same by an index of the statements of all sources.
    fn matching_of_many(&self, id: NodeId) -> Vec<(Held<'a>, Vec<Statement<'a>>)> {
        let sources = self.sources();
        let by_pattern = self.by_pattern.get_or_init(|| {
            let mut by_pattern: HashMap<Pattern, Vec<(usize, Statement<'a>)>> = HashMap::default();
            for (at, (source, _)) in sources.iter().enumerate() {
                for statement in source.statements.all() {
                    by_pattern.entry(statement.pattern).or_default().push((at, statement));
                }
            }
            by_pattern
        });
        let patterns = Pattern::all_that_match(id, self.catalogue()).into_iter();
        let found = patterns.filter_map(|pattern| by_pattern.get(&pattern)).flatten();
        let node = self.catalogue().node(id);
        let found = found.filter(|(_, statement)| statement.effect.result(node).is_some());
        let mut found: Vec<(usize, Statement<'a>)> = found.copied().collect();
        found.sort_by_key(|&(at, _)| at);
        let of_sources = found.chunk_by(|one, next| one.0 == next.0);
        let matching = of_sources.filter_map(|found| {
            let (source, _) = sources.get(found.first()?.0)?;
            Some((*source, found.iter().map(|&(_, statement)| statement).collect()))
        });
        matching.collect()
    }

    /// Returns the user's sources that are among these, the more general first.
    pub(super) fn in_order(&self, sources: &HashSet<Origin>) -> Vec<Origin> {
        let all = self.sources().iter().map(|(source, _)| source.origin);
        all.filter(|source| sources.contains(source)).collect()
    }

    /// The statements about a permission that can be granted.
    pub(super) fn stated(&self, id: NodeId) -> Stated<'a> {
        let catalogue = self.catalogue();
        let mut stated =
            Stated { origin: id, nearest: Vec::new(), left_out: Vec::new(), forbids: Vec::new() };
        for (source, mut matching) in self.matching(id) {
            if let Some(statement) = nearest(matching.iter().copied(), id, catalogue) {
                match statement.effect.result(catalogue.node(id)) {
                    None | Some(Said::Nothing) => stated.left_out.push((source.origin, statement)),
                    Some(said) => {
                        stated.nearest.push(Nearest { source, statement, said, decides: false });
                    }
                }
            }
            // Of repeated ones the first.
            matching.retain(|statement| statement.effect == Effect::Forbid);
            matching.sort_unstable_by_key(|statement| (statement.pattern, statement.at));
            matching.dedup_by_key(|statement| statement.pattern);
            matching.sort_unstable_by_key(|statement| statement.at);
            stated.forbids.extend(matching.into_iter().map(|it| (source.origin, it)));
        }
        // Rule 2: of the most specific tier, those that deny, or else grant the most.
        let tier = stated.nearest.last().map(|last| last.source.tier);
        let in_tier = |nearest: &&Nearest<'_>| Some(nearest.source.tier) == tier;
        let said = stated.nearest.iter().filter(in_tier).map(|nearest| nearest.said).max();
        for nearest in &mut stated.nearest {
            nearest.decides = in_tier(&&*nearest) && Some(nearest.said) == said;
        }
        stated
    }

    /// The same; where no source states anything and an implication grants it, the nearest
    /// statements are about the permission that sources grant.
    pub(super) fn stated_or_implied(&self, id: NodeId) -> Stated<'a> {
        let stated = self.stated(id);
        let implied = stated.nearest.is_empty().then(|| self.rights.implied(id)).flatten();
        match implied {
            Some(implied) => {
                let Stated { left_out, forbids, .. } = stated;
                Stated { left_out, forbids, ..self.stated(implied.origin) }
            }
            None => stated,
        }
    }

    /// The effort so far, in permissions looked at, that of the layers aside.
    pub(super) fn effort(&self) -> usize {
        self.catalogue().nodes.len().saturating_add(self.tests.get())
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
        condition
            .map_or(Reason::Granted, |condition| reason_on_object(condition, object, true).reason)
    }

    /// Returns whether the answer is yes in the assignment whose capacity this is, under its
    /// terms.
    pub(super) fn is_allowed_under(&self, bit: Bit, terms: &Terms) -> bool {
        if !self.rights.is_carried(bit) || self.holder.class.suspended {
            return false;
        }
        let condition = self.catalogue().node_of(bit).condition.as_deref();
        let told_apart =
            self.own_limits().and_then(|_| self.catalogue().condition_in(bit, &self.rights));
        let is_on_kind = self.is_on_kind(self.catalogue().id_of(bit));
        let object = self.object.map(|object| (object, is_on_kind, self));
        let condition = told_apart.as_ref().or(condition);
        let terms = (self.policy(), terms);
        reason_under(terms, condition, object, self.today).reason.allowed()
    }

    // Rule 7: what is allowed on the object.

    /// Returns whether a permission is on the object's kind.
    pub(super) fn is_on_kind(&self, id: NodeId) -> bool {
        self.kind.is_some() && self.catalogue().node(id).kind == self.kind
    }

    /// The effective scopes of a scoped permission, or a single scope if effective.
    pub(super) fn effective_scopes(&self, id: NodeId) -> Vec<NodeId> {
        let scopes = self.catalogue().scopes_or_itself(id);
        scopes.filter(|&scope| self.holds(self.catalogue().node(scope).bit)).collect()
    }

    /// Returns whether a scope counts: it is effective or, of what is asked of an
    /// assignment, carried.
    fn holds(&self, scope: Bit) -> bool {
        let asked = self.asked.map(|asked| self.catalogue().node(asked).statement_bits());
        if asked.is_some_and(|asked| asked.contains(&scope)) {
            self.rights.is_carried(scope)
        } else {
            self.rights.is_effective(scope)
        }
    }

    /// The reason why an effective permission is, or is not, allowed on the object; one on
    /// another kind, or on none, depends on those that it answers to.
    pub(super) fn reason_on_object(&self, bit: Bit) -> Reason {
        match self.catalogue().node_of(bit).condition.as_deref() {
            Some(condition) if self.is_on_kind(self.catalogue().id_of(bit)) => {
                let own_limits = self.own_limits();
                match own_limits.and_then(|_| self.catalogue().gate_in(bit, &self.rights)) {
                    Some(condition) => self.reason_of_gate(bit, &condition),
                    None => reason_on_object(condition, Some((true, self)), true).reason,
                }
            }
            _ if self.is_blocked(bit) => Reason::Gated,
            _ => Reason::Granted,
        }
    }

    /// The same for a permission of which an assignment may carry some scopes and not
    /// others, so that these differ in their limits.
    fn reason_of_gate(&self, bit: Bit, condition: &Condition) -> Reason {
        if condition.evaluate(&mut { self }) {
            return Reason::Granted;
        }
        let parts = self.matching_parts(bit);
        if parts.is_empty() {
            Reason::NoScope
        } else if !parts.iter().any(|&part| self.passes_checks(part)) {
            Reason::OutOfBounds
        } else {
            Reason::Gated
        }
    }

    /// The effective scopes of a permission that the object fits, or if it has
    /// none the permission itself.
    fn matching_parts(&self, bit: Bit) -> Vec<Bit> {
        let id = self.catalogue().id_of(bit);
        if !matches!(self.catalogue().node(id).form, Form::Scoped(_) | Form::Scope(..)) {
            return vec![bit];
        }
        let scopes = self.effective_scopes(id).into_iter().filter(|&scope| self.matches(scope));
        scopes.map(|scope| self.catalogue().node(scope).bit).collect()
    }

    /// The checks of a permission of its own, each marked if it is against the ordinary limit
    /// though the assignment has another.
    fn own_checks(&self, bit: Bit) -> impl Iterator<Item = AttributeId> {
        let is_ordinary = self.own_limits().is_some() && !self.rights.is_carried(bit);
        let condition = self.catalogue().node_of(bit).condition.iter();
        let checks = condition.flat_map(|condition| &condition.own_checks);
        checks.map(move |check| check.marked(is_ordinary))
    }

    fn passes_checks(&self, bit: Bit) -> bool {
        self.own_checks(bit).all(|check| self.passes(check))
    }

    /// The checks that decide for a permission on the object's kind.
    pub(super) fn deciding_checks(&self, bit: Bit) -> Vec<AttributeId> {
        let parts = self.matching_parts(bit).into_iter();
        let mut checks: Vec<_> = parts.flat_map(|part| self.own_checks(part)).collect();
        checks.sort_unstable();
        checks.dedup();
        checks
    }

    /// Returns whether an effective permission is not allowed on the object.
    fn is_blocked(&self, bit: Bit) -> bool {
        let catalogue = self.catalogue();
        let known = |bit: Bit| self.blocked.borrow().get(&bit).copied();
        // A condition covers all that leads to permissions on its kind. Through those on
        // other kinds, or none, the search goes on: on our own stack, as chains may be
        // long, and what a permission answers to before the permission itself.
        let mut open = vec![bit];
        while let Some(&bit) = open.last() {
            let before = open.len();
            let id = catalogue.id_of(bit);
            if known(bit).is_none() && !self.is_on_kind(id) {
                let scopes = self.effective_scopes(id).into_iter();
                let needs = scopes.flat_map(|scope| catalogue.followed_by_scope(scope));
                let needs = needs.chain(catalogue.followed(id).map(|(_, need)| need));
                open.extend(needs.filter(|&need| known(need).is_none()));
            }
            if open.len() == before {
                if known(bit).is_none() {
                    let blocked = if self.is_on_kind(id) {
                        self.reason_on_object(bit) != Reason::Granted
                    } else {
                        self.gate(id).is_some()
                    };
                    self.blocked.borrow_mut().insert(bit, blocked);
                }
                open.pop();
            }
        }
        known(bit) == Some(true)
    }

    /// Finds the gate of a permission that is effective but not allowed on the object: the
    /// first permission that it answers to and that is not allowed either.
    pub(super) fn gate(&self, id: NodeId) -> Option<(Link, Bit)> {
        let mut scopes = self.effective_scopes(id);
        if self.is_on_kind(id) {
            let passes = |scope| self.passes_checks(self.catalogue().node(scope).bit);
            scopes.retain(|&scope| self.matches(scope) && passes(scope));
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
        catalogue.followed_by_scope(scope).find(|&bit| self.is_blocked(bit))
    }

    /// Finds another permission that an effective one answers to and that is not allowed on
    /// the object.
    pub(super) fn gated_by(&self, id: NodeId) -> Option<(Link, Bit)> {
        let catalogue = self.catalogue();
        catalogue.followed(id).find(|&(_, bit)| self.is_blocked(bit))
    }

    /// Returns the tests that a scope makes of an object.
    pub(super) fn tests(&self, scope: NodeId) -> &'a [ScopeTest] {
        match &self.catalogue().node(scope).form {
            Form::Scope(_, when) => when,
            _ => &[],
        }
    }

    /// Returns whether the object passes the tests of a scope.
    pub(super) fn matches(&self, scope: NodeId) -> bool {
        self.tests(scope).iter().all(|&test| self.passes_test(test))
    }

    /// Returns whether the object passes a test of a scope.
    pub(super) fn passes_test(&self, test: ScopeTest) -> bool {
        match test {
            ScopeTest::Relation(relation, accepted) => {
                self.state(relation).is_some_and(|state| accepted.accepts(state))
            }
            ScopeTest::Values(values) => self.has_value(values),
        }
    }

    /// Returns whether an attribute of the object has a value that a scope accepts.
    pub(super) fn has_value(&self, values: ValuesId) -> bool {
        let Values { attribute, limit } = self.catalogue().values_at(values);
        limit.passes(self.value(*attribute), None)
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
        self.limit(check).passes(self.value(check), self.today.map(Moment::date))
    }

    /// The limits on what the assignment carries, if they are its own.
    fn own_limits(&self) -> Option<&Limits> {
        let limits = self.own_limits.get_or_init(|| {
            Bounding::new(self.policy()).limits_in(self.holder.class, self.rights.own?)
        });
        limits.as_ref()
    }

    /// The user's limit on an attribute: the assignment's if it has its own, or if the
    /// attribute is marked the ordinary one.
    pub(super) fn limit(&self, attribute: AttributeId) -> &Limit {
        let ordinary =
            || self.limits.get_or_init(|| Bounding::new(self.policy()).limits(self.holder.class));
        let own = self.own_limits().filter(|_| !attribute.is_marked());
        own.unwrap_or_else(ordinary).on(attribute.marked(false))
    }

    /// The bounds behind that limit.
    pub(super) fn bounds(
        &self,
        attribute: AttributeId,
    ) -> impl Iterator<Item = (Origin, &'a Bound)> {
        let own = self.rights.own.filter(|_| !attribute.is_marked());
        self.policy().bounds_of(self.holder.class, own, attribute.marked(false))
    }

    pub(super) fn value(&self, check: AttributeId) -> Option<Value<'a>> {
        self.object?.attribute(&self.catalogue().attribute_at(check.marked(false)).name)
    }

    /// Returns whether the object's value of an attribute is of another type.
    pub(super) fn is_mistyped(&self, attribute: AttributeId) -> bool {
        let declared = self.catalogue().attribute_at(attribute.marked(false)).bound;
        self.value(attribute).is_some_and(|value| !compares(declared, value))
    }
}

impl<O: Object + ?Sized> Evaluator for &Trace<'_, O> {
    type Truth = bool;

    fn holds(&self, scope: Bit) -> bool {
        Trace::holds(self, scope)
    }

    fn relation(&mut self, relation: u32, states: States) -> bool {
        self.tests.set(self.tests.get().saturating_add(1));
        self.state(relation).is_some_and(|state| states.accepts(state))
    }

    fn values(&mut self, values: ValuesId) -> bool {
        self.tests.set(self.tests.get().saturating_add(1));
        self.has_value(values)
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

impl Identity for Asking<'_> {
    fn is_user(&self, name: &str) -> bool {
        self.holder.name == name
    }
    fn belongs(&self, group: &str) -> bool {
        self.policy.groups.is_beneath(group, self.holder.groups)
    }
}

//! Traces as the data of an explanation, with names in the place of numbers.

use super::trace::{Stated, Trace};
use super::{
    AttributeCondition, Check, Effect, Gate, Grant, Named, PermissionTrace, RelationCondition,
    ScopeTrace, SourceRef, StatedBound, Statement, Unlicensed, named_bit, named_node,
};
use crate::catalogue::{AttributeId, Bit, Catalogue, Form, Link, NodeId, ScopeTest};
use crate::document::Bound;
use crate::engine::{Implied, Layers, Rights};
use crate::ids::Key;
use crate::object::{NoObject, Object, Value};
use crate::policy::{self, Class, Holder, Inner, Origin, OwnSources, SourceName};
use crate::reason::Reason;

/// The most permissions that are named of a chain of implications.
const LONGEST_CHAIN: usize = 64;

/// Builds explanations of one user's permissions.
pub(crate) struct TraceBuilder<'a, O: ?Sized> {
    pub(super) trace: Trace<'a, O>,
    /// The assignment in which the user acts.
    pub(super) assignment: Option<Named>,
}

impl<'a> TraceBuilder<'a, NoObject> {
    /// A builder for users of a class, in an assignment if its own sources are given,
    /// whatever the object.
    pub(crate) fn new(
        layers: &mut Layers<'a>,
        source: &'a SourceRef,
        class: &'a Class,
        own: Option<&'a OwnSources>,
    ) -> Self {
        let name = source.source.user().unwrap_or_default();
        let holder = Holder { name, label: None, class, groups: &[] };
        let trace = Trace::new(Rights::new(layers, class, own), holder, None, None);
        let assignment = source.assignment.as_ref();
        let assignment =
            assignment.map(|name| Named { name: name.clone(), label: source.label.clone() });
        TraceBuilder { trace, assignment }
    }

    /// The reason why a node other than a heading is effective or not, suspension left
    /// aside; and if it is gated, everything that it lacks, the cause first.
    pub(crate) fn effect(&self, id: NodeId) -> (Reason, Vec<(Link, Named, Reason)>) {
        let (rights, catalogue) = (&self.trace.rights, self.trace.catalogue());
        let reason = rights.reason(catalogue.node(id).bit);
        if reason != Reason::Gated {
            return (reason, Vec::new());
        }
        let lacks = rights.lacks(self.representative(id)).into_iter();
        let lacks = lacks.map(|(link, bit)| (link, named_bit(catalogue, bit), rights.reason(bit)));
        (reason, lacks.collect())
    }
}

impl<O: Object + ?Sized> TraceBuilder<'_, O> {
    fn catalogue(&self) -> &Catalogue {
        self.trace.catalogue()
    }

    /// The node whose grant explains a node: for a scoped one without an effective
    /// scope, the scope that came furthest.
    fn representative(&self, id: NodeId) -> NodeId {
        self.trace.rights.furthest(self.catalogue().scopes(id)).unwrap_or(id)
    }

    /// The traces of a permission, given the reason for the answer, and then of what gates
    /// it, down to the root cause.
    pub(super) fn permissions(&self, bit: Bit, reason: Reason) -> Vec<PermissionTrace> {
        // The decision depends on the object only once the permission is effective.
        let on_object = self.trace.rights.reason(bit) == Reason::Granted;
        let mut permissions = Vec::new();
        let mut next = Some((bit, reason));
        while let Some((bit, reason)) = next {
            let (permission, gate) = self.permission(bit, reason, on_object);
            permissions.push(permission);
            // INVARIANT: what gates a permission fell before it or, on the object,
            // precedes it in the acyclic order of gates, so this ends.
            next = gate.map(|bit| {
                let reason = match self.trace.rights.reason(bit) {
                    Reason::Granted => self.trace.reason_on_object(bit),
                    reason => reason,
                };
                (bit, reason)
            });
        }
        permissions
    }

    /// The trace of one permission, and the permission to be traced next.
    fn permission(
        &self,
        bit: Bit,
        reason: Reason,
        on_object: bool,
    ) -> (PermissionTrace, Option<Bit>) {
        let (trace, catalogue) = (&self.trace, self.catalogue());
        let id = catalogue.id_of(bit);
        let kind = catalogue.node(id).kind;
        let kind = kind.and_then(|kind| catalogue.kinds.get_index(kind.index()));
        let mut permission = PermissionTrace {
            permission: named_bit(catalogue, bit),
            reason,
            grant: self.grant(id),
            gates: Vec::new(),
            scopes: Vec::new(),
            checks: Vec::new(),
            object: kind.map(|(kind, _)| kind.to_string()),
        };
        if reason == Reason::Admin {
            return (permission, None);
        }
        let about_object = on_object && trace.is_on_kind(id);
        permission.scopes = self.scopes(id, on_object);
        if about_object && matches!(reason, Reason::OutOfBounds | Reason::Granted | Reason::Gated) {
            let checks = trace.deciding_checks(bit).into_iter();
            permission.checks = checks.map(|check| self.check(check)).collect();
        }
        let needs: Vec<(Link, Bit)> = match reason {
            Reason::Granted => trace.rights.needs(id).collect(),
            Reason::Gated if on_object => trace.gate(id).into_iter().collect(),
            Reason::Gated => trace.rights.lacks(self.representative(id)),
            _ => Vec::new(),
        };
        let holds = reason == Reason::Granted;
        let next = needs.first().map(|&(_, bit)| bit).filter(|_| !holds);
        let gate = |(link, bit)| Gate { link, permission: named_bit(catalogue, bit), holds };
        permission.gates = needs.into_iter().map(gate).collect();
        (permission, next)
    }

    /// The scopes of a permission: once it is effective, those that are.
    fn scopes(&self, id: NodeId, on_object: bool) -> Vec<ScopeTrace> {
        let (trace, catalogue) = (&self.trace, self.catalogue());
        let is_on_kind = trace.is_on_kind(id);
        let scopes = match catalogue.node(id).form {
            // One asked for by itself is of interest for its conditions alone.
            Form::Scope(..) if on_object && is_on_kind => vec![id],
            Form::Scoped(_) if on_object => trace.effective_scopes(id),
            Form::Scoped(_) => catalogue.scopes(id).collect(),
            _ => Vec::new(),
        };
        let scope = |scope: NodeId| {
            let tests = if is_on_kind { trace.tests(scope) } else { &[] };
            ScopeTrace {
                permission: named_node(catalogue, scope),
                reason: trace.rights.reason(catalogue.node(scope).bit),
                grant: if scope == id { Grant::default() } else { self.grant(scope) },
                when: tests.iter().filter_map(|&test| self.relation(scope, test)).collect(),
                values: tests.iter().filter_map(|&test| self.values(test)).collect(),
            }
        };
        scopes.into_iter().map(scope).collect()
    }

    /// The statements of the user's sources about a permission that can be granted.
    pub(crate) fn grant(&self, id: NodeId) -> Grant {
        let (trace, catalogue) = (&self.trace, self.catalogue());
        if let Form::Scoped(_) = catalogue.node(id).form {
            return Grant::default();
        }
        let Stated { origin, nearest, left_out, forbids } = trace.stated_or_implied(id);
        let mut implied_by = Vec::new();
        if origin != id {
            let first = trace.rights.implied(id);
            let next = |implied: &Implied| trace.rights.implied(implied.by);
            let implying = std::iter::successors(first, next).map(|implied| implied.by);
            implied_by.extend(implying.take(LONGEST_CHAIN - 1).take_while(|&by| by != origin));
            implied_by.push(origin);
        }
        let nearest = nearest.into_iter();
        let statements =
            nearest.map(|it| self.statement(it.source.origin, it.statement, it.decides));
        let left_out = left_out.into_iter();
        let left_out = left_out.map(|(source, statement)| self.statement(source, statement, false));
        let forbids = forbids.into_iter();
        let forbids = forbids.map(|(source, statement)| self.statement(source, statement, true));
        let level = catalogue.node(id).level_name(trace.rights.level(id));
        Grant {
            statements: statements.collect(),
            left_out_by: left_out.collect(),
            forbidden_by: forbids.collect(),
            implied_by: implied_by.into_iter().map(|id| named_node(catalogue, id)).collect(),
            level: level.map(str::to_owned),
            unlicensed: self.unlicensed(id),
        }
    }

    /// The unlicensed feature that a node needs.
    pub(crate) fn unlicensed(&self, id: NodeId) -> Option<Unlicensed> {
        let (by, catalogue) = (self.trace.rights.unlicensed(id)?, self.catalogue());
        let feature = catalogue.node(by).feature.as_deref()?.to_owned();
        Some(Unlicensed { feature, needed_by: named_node(catalogue, by) })
    }

    fn statement(&self, source: Origin, stated: policy::Statement<'_>, decides: bool) -> Statement {
        statement(self.trace.policy(), self.source(source), stated, decides)
    }

    /// The states of one of the object's relations that a scope asks for.
    fn relation(&self, scope: NodeId, test: ScopeTest) -> Option<RelationCondition> {
        let ScopeTest::Relation(relation, accepted) = test else { return None };
        let kind = self.catalogue().kind(self.catalogue().node(scope).kind?);
        let (name, &names) = kind.relations.get_index(relation as usize)?;
        Some(RelationCondition {
            relation: name.to_string(),
            names,
            accepts: accepted.list(),
            found: self.trace.state(relation),
        })
    }

    /// The values of one of the object's attributes that a scope asks for.
    fn values(&self, test: ScopeTest) -> Option<AttributeCondition> {
        let ScopeTest::Values(id) = test else { return None };
        let values = self.catalogue().values_at(id);
        let attribute = self.catalogue().attribute_at(values.attribute);
        Some(AttributeCondition {
            attribute: attribute.name.to_string(),
            form: attribute.bound,
            accepts: values.limit.bounds().into_iter().next().unwrap_or(Bound::Any),
            found: self.value(values.attribute),
            mistyped: self.trace.is_mistyped(values.attribute),
            matches: self.trace.has_value(id),
        })
    }

    /// The object's value of an attribute, as text.
    fn value(&self, attribute: AttributeId) -> Option<String> {
        self.trace.value(attribute).map(text_of)
    }

    /// One of the user's sources, by name and label.
    fn source(&self, source: Origin) -> SourceRef {
        let (policy, user) = (self.trace.policy(), self.trace.holder.name);
        match (source, &self.assignment) {
            (Origin::Assignment, Some(assignment)) => SourceRef {
                source: SourceName::User(user.to_owned()),
                assignment: Some(assignment.name.clone()),
                label: assignment.label.clone(),
            },
            _ => policy.source_ref(source, user),
        }
    }

    fn check(&self, check: AttributeId) -> Check {
        let trace = &self.trace;
        let attribute = self.catalogue().attribute_at(check.marked(false));
        let bounds = trace.bounds(check).map(|(source, bound)| {
            let source = self.source(source);
            let place = format!("{}.bounds.{}", source.place(), attribute.path);
            StatedBound { source, bound: bound.clone(), place }
        });
        Check {
            attribute: attribute.path.to_string(),
            form: attribute.bound,
            value: self.value(check),
            mistyped: trace.is_mistyped(check),
            bounds: bounds.collect(),
            passes: trace.passes(check),
        }
    }
}

/// The value of an attribute, as text.
pub(super) fn text_of(value: Value<'_>) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Integer(value) => value.to_string(),
        Value::Date(date) => date.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Other => "a value of an unsupported type".to_owned(),
    }
}

/// A statement of one of a user's sources.
pub(super) fn statement(
    policy: &Inner,
    source: SourceRef,
    statement: policy::Statement<'_>,
    decides: bool,
) -> Statement {
    let effect = match statement.effect {
        policy::Effect::Allow => Effect::Allow,
        policy::Effect::Except => Effect::Except,
        policy::Effect::Deny => Effect::Deny,
        policy::Effect::Forbid => Effect::Forbid,
        policy::Effect::Level(level) => Effect::Level(level.to_owned()),
    };
    let place = statement.place(&source.place(), &policy.catalogue);
    let pattern = statement.pattern.text(&policy.catalogue);
    Statement { source, effect, pattern, place, decides }
}

impl Inner {
    /// A source of a user, by name and label.
    pub(crate) fn source_ref(&self, source: Origin, user: &str) -> SourceRef {
        match source {
            Origin::Own | Origin::Assignment => {
                SourceRef::new(SourceName::User(user.to_owned()), None)
            }
            Origin::Shared(id) => {
                let label = self.sources[id].label.as_deref();
                SourceRef::new(self.sources.name_of(id), label.map(Into::into))
            }
        }
    }
}

//! The search for remedies.
//!
//! It asks a trace what is in the way, supposes that removed, and asks again until the
//! answer is yes; then it leaves each step out in turn, to see whether it is needed.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::hypothesis::{Related, Step, class_after, policy_after};
use super::remedy::{Remedies, RemedyStep};
use super::trace::Trace;
use super::{Statement, builder, named_bit, named_user};
use crate::catalogue::{
    AttributeId, Bit, Form, Limit, NodeId, Pattern, ScopeTest, Values, compares, fence_day,
};
use crate::date::{Date, Moment};
use crate::document::{Bound, BoundType, Fence, RelationType};
use crate::engine::{Engine, Layers, Permission, Rights, User};
use crate::ids::Key;
use crate::names::{HashMap, HashSet};
use crate::object::{Object, Value};
use crate::policy::{
    Assigned, Class, Effect, Holder, Inner, Origin, OwnSources, Said, Statement as Written,
    Statements, Users,
};
use crate::reason::Reason;
use crate::relation::RelationState;

/// The most attempts that are followed, and the most remedies that are reported.
const TRIED: usize = 64;
const TOLD: usize = 8;

/// The most steps that a remedy may have.
const LONGEST: usize = 1_000;

/// The effort that may be spent on finding remedies, and again on finding assignments,
/// in permissions looked at. About a tenth of a second.
const EFFORT: usize = 1 << 22;
/// However much one look costs, there is enough for this many.
const LOOKS: usize = 16;

/// An attempt at a remedy.
#[derive(Clone, Debug, Default)]
struct Attempt {
    steps: Vec<Step>,
    /// A deny is lifted, rather than overridden by allowing the permission to the user.
    lifts: bool,
    /// A statement is lifted by taking the source from the user, rather than out of the
    /// source.
    revokes: bool,
    /// The scopes by which scoped permissions are to be met.
    scopes: HashMap<NodeId, NodeId>,
    /// It is tried only if no other leads anywhere, because it grants a scope that the
    /// object does not fit.
    is_last_resort: bool,
}

/// The way on for an attempt.
enum Next {
    /// There is nothing left to do.
    Allowed,
    /// These steps would take it further.
    Steps(Vec<Step>),
    /// One of these scopes has to be chosen for a scoped permission; the second list is of
    /// last resorts.
    Choose(NodeId, Vec<NodeId>, Vec<NodeId>),
    /// Nothing would.
    Stuck,
}

/// The search for the remedies of one denial.
pub(super) struct Search<'a, O: ?Sized> {
    pub(super) engine: &'a Engine,
    pub(super) policy: &'a Inner,
    pub(super) holder: Holder<'a>,
    /// The user's assignments.
    pub(super) assigned: &'a [Assigned],
    pub(super) user: User,
    pub(super) action: Permission,
    /// The policy without its users, which is copied where a step changes it.
    sources: Inner,
    /// The layers of the policy as it is, shared by all looks at it.
    pub(super) layers: RefCell<Layers<'a>>,
    pub(super) bit: Bit,
    pub(super) object: Option<&'a O>,
    pub(super) today: Option<Moment>,
    /// The effort that is left.
    left: Cell<usize>,
}

impl<'a, O: Object + ?Sized> Search<'a, O> {
    /// A search on behalf of a user; `None` if the user or the permission is unknown.
    pub(super) fn new(
        engine: &'a Engine,
        (user, action): (User, Permission),
        (object, today): (Option<&'a O>, Option<Moment>),
    ) -> Option<Search<'a, O>> {
        let policy = engine.policy().inner();
        let (holder, bit) = (engine.holder(user)?, engine.bit(action)?);
        let assigned = policy.users.find(holder.name).map(|slot| policy.users.assigned(slot));
        let assigned = assigned.unwrap_or_default();
        let sources = Inner { users: Users::default(), ..policy.clone() };
        let layers = RefCell::new(Layers::new(policy, engine.licensed()));
        let left = Cell::new(EFFORT);
        Some(Search {
            engine,
            policy,
            holder,
            assigned,
            user,
            action,
            sources,
            layers,
            bit,
            object,
            today,
            left,
        })
    }

    pub(super) fn remedies(&self) -> Remedies {
        if self.allows(&[], self.holder.class) {
            return Remedies::default();
        }
        let look = EFFORT.saturating_sub(self.left.get());
        let effort = look.saturating_mul(LOOKS).max(EFFORT);
        self.left.set(effort);
        let found = self.least();
        self.left.set(effort);
        let (assignments, assigning) =
            found.first().map(|steps| self.assignments(steps)).unwrap_or_default();
        self.left.set(effort);
        let mut least: Vec<Vec<RemedyStep>> =
            found.iter().map(|steps| self.described(steps)).collect();
        least.extend(self.amendments());
        least.extend(self.given_where_needed(&assignments));
        least.sort_by_key(|steps| (steps.iter().any(RemedyStep::concerns_others), steps.len()));
        self.left.set(effort);
        let least = least.into_iter().filter_map(|steps| self.remedy(steps)).take(TOLD);
        let mut remedies = self.approved(least.collect(), (assignments, assigning));
        if remedies.least.is_empty() && remedies.assignments.is_empty() {
            remedies.ask_about = self.kind_asked_for().map(ToOwned::to_owned);
        }
        remedies
    }

    /// The kind of object that the question is to be asked about, if it is not.
    fn kind_asked_for(&self) -> Option<&'a str> {
        let catalogue = &self.policy.catalogue;
        let condition = catalogue.node_of(self.bit).condition.as_deref()?;
        let (kind, _) = catalogue.kinds.get_index(condition.kind.index())?;
        let is_asked = self.object.map_or(!condition.needs_object, |it| *it.kind() == **kind);
        (!is_asked).then_some(&**kind)
    }

    /// The steps of each remedy, those with the fewest first.
    fn least(&self) -> Vec<Vec<Step>> {
        let mut found: Vec<Vec<Step>> = Vec::new();
        // The last is tried first.
        let revoking = Attempt { revokes: true, ..Attempt::default() };
        let lifting = Attempt { lifts: true, ..Attempt::default() };
        let both = Attempt { lifts: true, ..revoking.clone() };
        let mut open = VecDeque::from([both, revoking, lifting, Attempt::default()]);
        for _ in 0..TRIED {
            let next = open.pop_back().filter(|next| !next.is_last_resort || found.is_empty());
            let Some(attempt) = next.filter(|_| self.may_look()) else { break };
            match self.follow(attempt) {
                Ok(steps) => {
                    let steps = self.with_one_flag(self.without_unneeded(steps));
                    let is_same = |known: &Vec<Step>| {
                        known.len() == steps.len() && steps.iter().all(|step| known.contains(step))
                    };
                    if !found.iter().any(is_same) {
                        found.push(steps);
                    }
                }
                Err(branches) => {
                    let (last_resorts, others): (Vec<_>, Vec<_>) =
                        branches.into_iter().partition(|branch| branch.is_last_resort);
                    last_resorts.into_iter().for_each(|branch| open.push_front(branch));
                    open.extend(others.into_iter().rev());
                }
            }
        }
        found.sort_by_key(Vec::len);
        found
    }

    /// Follows an attempt to a yes, or to where it branches.
    fn follow(&self, mut attempt: Attempt) -> Result<Vec<Step>, Vec<Attempt>> {
        loop {
            let next =
                self.look(&attempt.steps, self.holder.class, |trace| self.next(trace, &attempt));
            match next {
                Next::Allowed => return Ok(attempt.steps),
                Next::Steps(steps) => {
                    let mut is_further = false;
                    for step in steps {
                        is_further |= add(&mut attempt.steps, step, self.policy);
                        if attempt.steps.len() > LONGEST {
                            return Err(Vec::new());
                        }
                    }
                    if !is_further || !self.may_look() {
                        return Err(Vec::new());
                    }
                }
                Next::Choose(id, scopes, last_resorts) => {
                    let scopes = scopes.into_iter().map(|scope| (scope, false));
                    let all = scopes.chain(last_resorts.into_iter().map(|scope| (scope, true)));
                    let branch = |(scope, is_last_resort)| {
                        let mut branch = attempt.clone();
                        branch.scopes.insert(id, scope);
                        branch.is_last_resort |= is_last_resort;
                        branch
                    };
                    return Err(all.map(branch).collect());
                }
                Next::Stuck => return Err(Vec::new()),
            }
        }
    }

    /// Finds the way on for an attempt.
    fn next(&self, trace: &Traced<'_, '_, O>, attempt: &Attempt) -> Next {
        match trace.reason(self.bit) {
            Reason::Granted | Reason::Admin => Next::Allowed,
            Reason::Suspended => Next::Steps(vec![Step::Restore]),
            Reason::ObjectRequired | Reason::WrongKind => Next::Stuck,
            _ if trace.rights.is_effective(self.bit) => {
                self.object_steps(trace, attempt, trace.catalogue().id_of(self.bit))
            }
            _ => self.grant_steps(trace, attempt, self.bit, true),
        }
    }

    /// Finds the way on for a permission that is effective and not allowed on the object:
    /// in itself, or in what it answers to.
    fn object_steps(&self, trace: &Traced<'_, '_, O>, attempt: &Attempt, mut id: NodeId) -> Next {
        let catalogue = trace.catalogue();
        loop {
            let node = catalogue.node(id);
            let is_on_kind = trace.is_on_kind(id);
            let effective = trace.effective_scopes(id);
            let fits = |scope: NodeId| !is_on_kind || trace.matches(scope);
            let is_open = |&scope: &NodeId| fits(scope) && trace.closed_by(scope).is_none();
            if matches!(node.form, Form::Scoped(_) | Form::Scope(..))
                && !effective.iter().any(is_open)
            {
                let Some(&scope) = attempt.scopes.get(&id) else {
                    let others = catalogue.scopes(id).filter(|scope| !effective.contains(scope));
                    let (mut scopes, last_resorts): (Vec<_>, Vec<_>) =
                        others.partition(|&scope| fits(scope));
                    // Of those, another object has to fit one.
                    scopes.extend(effective);
                    return Next::Choose(id, scopes, last_resorts);
                };
                if !effective.contains(&scope) {
                    return self.grant_steps(trace, attempt, catalogue.node(scope).bit, false);
                }
                if !fits(scope) {
                    let steps = relate(trace, attempt, scope);
                    return steps.map_or(Next::Stuck, Next::Steps);
                }
                let Some(bit) = trace.closed_by(scope) else { return Next::Stuck };
                id = catalogue.id_of(bit);
                continue;
            }
            let checks = node.condition.iter().filter(|_| is_on_kind);
            let checks = checks.flat_map(|condition| &condition.own_checks).copied();
            let failing = checks.filter(|&check| !trace.passes(check));
            let steps: Option<Vec<Step>> = failing.map(|check| widen(trace, check)).collect();
            match steps {
                None => return Next::Stuck,
                Some(steps) if !steps.is_empty() => return Next::Steps(steps),
                Some(_) => {}
            }
            let Some((_, bit)) = trace.gated_by(id) else { return Next::Stuck };
            id = catalogue.id_of(bit);
        }
    }

    /// Returns whether the answer to users of that class is yes once the steps are taken, in
    /// the ordinary capacity or in one of the user's assignments.
    fn allows(&self, steps: &[Step], class: &Class) -> bool {
        self.look(steps, class, |trace| self.is_allowed(trace))
            || self.assigned.iter().any(|assigned| {
                let capacity = self.policy.users.capacity(assigned.capacity);
                let own = capacity.map(|capacity| &capacity.own);
                self.with_layers(steps, |layers| {
                    self.look_in(layers, steps, (class, own), |trace| {
                        trace.is_allowed_under(self.bit, &assigned.terms)
                    })
                })
            })
    }

    pub(super) fn is_allowed(&self, trace: &Traced<'_, '_, O>) -> bool {
        trace.reason(self.bit).allowed()
    }

    /// Looks at the rights of users of that class once the steps are taken.
    pub(super) fn look<R>(
        &self,
        steps: &[Step],
        class: &Class,
        ask: impl FnOnce(&Traced<'_, '_, O>) -> R,
    ) -> R {
        self.with_layers(steps, |layers| self.look_at(layers, steps, class, ask))
    }

    /// Calls back with the layers of the policy once the steps are taken.
    pub(super) fn with_layers<R>(
        &self,
        steps: &[Step],
        call: impl FnOnce(&RefCell<Layers<'_>>) -> R,
    ) -> R {
        let Some((policy, licensed)) = policy_after(&self.sources, steps) else {
            return call(&self.layers);
        };
        // The layers of the user's sources are made anew.
        let sources = policy.sources_of(self.holder.class).map(|source| source.statements);
        self.spend(sources.map(effort_of).fold(0, usize::saturating_add));
        call(&RefCell::new(Layers::new(&policy, &licensed)))
    }

    /// Looks at the rights of users of that class in a policy, once the steps that are not
    /// about the policy are taken.
    pub(super) fn look_at<R>(
        &self,
        layers: &RefCell<Layers<'_>>,
        steps: &[Step],
        class: &Class,
        ask: impl FnOnce(&Traced<'_, '_, O>) -> R,
    ) -> R {
        self.look_in(layers, steps, (class, None), ask)
    }

    /// The same, in the capacity of an assignment if one's own sources are given.
    fn look_in<R>(
        &self,
        layers: &RefCell<Layers<'_>>,
        steps: &[Step],
        (class, own): (&Class, Option<&OwnSources>),
        ask: impl FnOnce(&Traced<'_, '_, O>) -> R,
    ) -> R {
        let catalogue = &self.policy.catalogue;
        let class = class_after(class, steps, catalogue);
        let policy = self.policy;
        let object = self.object.map(|object| Related::new(object, steps, self.holder, policy));
        let holder = Holder { class: &class, ..self.holder };
        let rights = Rights::new(&mut layers.borrow_mut(), &class, own);
        let trace = Trace::new(rights, holder, object.as_ref(), self.today).asked(self.bit);
        let answer = ask(&trace);
        let own = class.statements.as_deref().map_or(0, effort_of);
        self.spend(own.saturating_add(trace.effort()));
        answer
    }

    pub(super) fn spend(&self, effort: usize) {
        self.left.set(self.left.get().saturating_sub(effort));
    }

    /// Returns whether enough effort is left for another look.
    pub(super) fn may_look(&self) -> bool {
        self.left.get() > 0
    }

    /// Leaves out the steps that are not needed.
    fn without_unneeded(&self, mut steps: Vec<Step>) -> Vec<Step> {
        loop {
            let before = steps.len();
            // What was added last is more likely to be a means to the rest.
            for at in (0..steps.len()).rev() {
                if !self.may_look() {
                    return steps;
                }
                let step = steps.remove(at);
                if !self.allows(&steps, self.holder.class) {
                    steps.insert(at, step);
                }
            }
            if steps.len() == before {
                return steps;
            }
        }
    }

    /// Collects the steps that make a permission effective: for everything that it needs and
    /// that is not granted.
    fn grant_steps(
        &self,
        trace: &Traced<'_, '_, O>,
        attempt: &Attempt,
        bit: Bit,
        asked: bool,
    ) -> Next {
        let catalogue = trace.catalogue();
        let mut steps = Vec::new();
        let mut seen: HashSet<Bit> = HashSet::default();
        let mut open = vec![bit];
        while let Some(bit) = open.pop() {
            if !seen.insert(bit) {
                continue;
            }
            let id = catalogue.id_of(bit);
            let scopes = catalogue.scopes(id);
            if scopes.len() == 0 {
                self.missing_grant(trace, attempt, bit, &mut steps);
                open.extend(trace.rights.needs(id).map(|(_, bit)| bit));
                continue;
            }
            if trace.rights.is_effective(bit) {
                continue;
            }
            let scope = match attempt.scopes.get(&id) {
                Some(&scope) => Some(scope),
                None if asked && seen.len() == 1 => {
                    return Next::Choose(id, scopes.collect(), Vec::new());
                }
                // Of those that fit the object, if any do, the nearest to being effective.
                None => {
                    let fits = |scope: &NodeId| trace.object.is_none() || trace.matches(*scope);
                    let fitting = trace.rights.furthest(scopes.clone().filter(fits));
                    fitting.or_else(|| trace.rights.furthest(scopes))
                }
            };
            open.extend(scope.map(|scope| catalogue.node(scope).bit));
        }
        Next::Steps(steps)
    }

    /// Adds the steps that grant one permission, which is not scoped: a denial is lifted or
    /// else overridden.
    fn missing_grant(
        &self,
        trace: &Traced<'_, '_, O>,
        attempt: &Attempt,
        bit: Bit,
        steps: &mut Vec<Step>,
    ) {
        let catalogue = trace.catalogue();
        let id = catalogue.id_of(bit);
        let level = catalogue.node(id).level_of(bit);
        let lacking = trace.rights.unlicensed(id);
        let feature = lacking.and_then(|by| catalogue.node(by).feature.clone());
        steps.extend(feature.map(Step::License));
        let stated = trace.stated(id);
        let said = stated.decisive().next().map_or(Said::Nothing, |nearest| nearest.said);
        let is_granted = match said {
            Said::Nothing => trace.rights.level(id) >= level as usize,
            Said::Level(said) => said >= level,
            Said::Deny => attempt.lifts,
        };
        if !is_granted {
            steps.push(Step::Allow(bit));
        }
        let forbids = stated.forbids.iter();
        let forbids = forbids.map(|(source, it)| (*source, Effect::Forbid, it.pattern));
        let denies = stated.decisive().filter(|_| attempt.lifts && said == Said::Deny);
        let denies = denies.map(|it| (it.source.origin, Effect::Deny, it.statement.pattern));
        for (source, effect, pattern) in forbids.chain(denies) {
            let user = &trace.holder.class.sources;
            let revoked = if attempt.revokes { self.bringing(user, source) } else { Vec::new() };
            if revoked.is_empty() {
                steps.push(Step::Lift(source, effect, pattern));
            }
            steps.extend(revoked);
        }
    }

    /// Names the one value of each flag that will do, if not both will.
    fn with_one_flag(&self, mut steps: Vec<Step>) -> Vec<Step> {
        for at in 0..steps.len() {
            let Some(&Step::Values(attribute, Limit::EitherFlag)) = steps.get(at) else { continue };
            let mut with = [false, true].map(|flag| {
                let mut one = steps.clone();
                if let Some(step) = one.get_mut(at) {
                    *step = Step::Values(attribute, Limit::Flag(flag));
                }
                one
            });
            let does = with.each_ref().map(|one| self.allows(one, self.holder.class));
            match does {
                [true, false] => steps = std::mem::take(&mut with[0]),
                [false, true] => steps = std::mem::take(&mut with[1]),
                _ => {}
            }
        }
        steps
    }

    /// The steps, with names in the place of numbers.
    pub(super) fn described(&self, steps: &[Step]) -> Vec<RemedyStep> {
        let catalogue = &self.policy.catalogue;
        let kind = catalogue.node_of(self.bit).kind;
        let described = |step: &Step| match step {
            Step::Restore => RemedyStep::Restore(named_user(self.holder)),
            Step::License(feature) => RemedyStep::License(feature.to_string()),
            Step::Allow(bit) => RemedyStep::Allow(named_bit(catalogue, *bit)),
            Step::Lift(source, effect, pattern) => {
                RemedyStep::Lift(self.restriction(*source, *effect, *pattern))
            }
            Step::Widen(attribute, to) => {
                let attribute = catalogue.attribute_at(*attribute);
                let (form, to) = (attribute.bound, to.clone());
                RemedyStep::Widen { attribute: attribute.path.to_string(), form, to }
            }
            Step::Revoke(source) => {
                let before = self.effective(self.holder.class);
                let class = class_after(self.holder.class, std::slice::from_ref(step), catalogue);
                let after = self.effective(&class);
                let takes = before.iter().filter(|&bit| !after.contains(bit)).count();
                let source = self.policy.source_ref(Origin::Shared(*source), self.holder.name);
                RemedyStep::Revoke { source, takes }
            }
            Step::Relate(relation, to) => {
                let relations = kind.map(|kind| &catalogue.kind(kind).relations);
                let relation = relations.and_then(|all| all.get_index(*relation as usize));
                let (relation, names) = relation
                    .map_or((String::new(), RelationType::User), |(name, names)| {
                        (name.to_string(), *names)
                    });
                RemedyStep::Relate { relation, names, to: *to }
            }
            Step::Values(attribute, limit) => {
                let attribute = catalogue.attribute_at(*attribute);
                let to = limit.bounds().into_iter().next().unwrap_or(Bound::Any);
                let (form, attribute) = (attribute.bound, attribute.path.to_string());
                RemedyStep::Value { attribute, form, to }
            }
        };
        steps.iter().map(described).collect()
    }

    /// A statement that denies or forbids.
    fn restriction(&self, source: Origin, effect: Effect<'static>, pattern: Pattern) -> Statement {
        let mut sources = self.policy.sources_of(self.holder.class);
        let statements = sources.find(|known| known.origin == source).map(|it| it.statements);
        let mut all = statements.into_iter().flat_map(Statements::all);
        let first = all.find(|it| it.effect == effect && it.pattern == pattern);
        let statement = first.unwrap_or(Written { effect, pattern, at: 0 });
        let source = self.policy.source_ref(source, self.holder.name);
        builder::statement(self.policy, source, statement, true)
    }
}

/// The effort of making the layer of some statements: ranking and painting one takes as
/// long as looking at several permissions.
fn effort_of(statements: &Statements) -> usize {
    statements.all().count().saturating_add(statements.bounds.len()).saturating_mul(8)
}

/// The trace of a hypothesis.
pub(super) type Traced<'h, 'a, O> = Trace<'h, Related<'a, O>>;

/// Adds a step and returns whether that changes anything. Of one permission only the
/// highest level is kept, of one relation only the last state.
fn add(steps: &mut Vec<Step>, step: Step, policy: &Inner) -> bool {
    if steps.contains(&step) {
        return false;
    }
    let node = |bit: Bit| policy.catalogue.id_of(bit);
    for known in steps.iter_mut() {
        match (&mut *known, &step) {
            (Step::Allow(known), Step::Allow(bit)) if node(*known) == node(*bit) => {
                let is_higher = *bit > *known;
                *known = *bit.max(known);
                return is_higher;
            }
            (Step::Relate(relation, state), Step::Relate(of, to)) if relation == of => {
                *state = *to;
                return true;
            }
            (Step::Values(attribute, limit), Step::Values(of, to)) if attribute == of => {
                *limit = to.clone();
                return true;
            }
            _ => {}
        }
    }
    steps.push(step);
    true
}

/// The states in which the object's relations, and the values with which its attributes,
/// would fit a scope and every other one that this attempt counts on.
fn relate<O: Object + ?Sized>(
    trace: &Traced<'_, '_, O>,
    attempt: &Attempt,
    scope: NodeId,
) -> Option<Vec<Step>> {
    let catalogue = trace.catalogue();
    let kind = catalogue.node(scope).kind?;
    let scopes = attempt.scopes.values().copied();
    let on_kind = scopes.filter(|&scope| catalogue.node(scope).kind == Some(kind));
    let counted_on: Vec<ScopeTest> =
        on_kind.flat_map(|scope| trace.tests(scope)).copied().collect();
    let failing = trace.tests(scope).iter().filter(|&&test| !trace.passes_test(test));
    let step = |&test: &ScopeTest| match test {
        ScopeTest::Relation(relation, _) => {
            let names = catalogue.kind(kind).relations.get_index(relation as usize);
            let is_nobodys =
                matches!(names, Some((_, RelationType::Group))) && trace.holder.groups.is_empty();
            let state = RelationState::ALL.into_iter().find(|&state| {
                let accepts = |&test: &ScopeTest| match test {
                    ScopeTest::Relation(of, accepted) => of != relation || accepted.accepts(state),
                    ScopeTest::Values(_) => true,
                };
                !(state == RelationState::Me && is_nobodys) && counted_on.iter().all(accepts)
            });
            Some(Step::Relate(relation, state?))
        }
        ScopeTest::Values(values) => {
            let Values { attribute, limit } = catalogue.values_at(values);
            let mut limit = limit.clone();
            for &test in &counted_on {
                if let ScopeTest::Values(other) = test
                    && let other = catalogue.values_at(other)
                    && other.attribute == *attribute
                {
                    limit = limit.both(&other.limit)?;
                }
            }
            // Preferably, values that the user's bound passes too.
            let within = limit.both(trace.limit(*attribute)).filter(Limit::passable);
            let limit = within.unwrap_or(limit);
            limit.passable().then_some(Step::Values(*attribute, limit))
        }
    };
    failing.map(step).collect()
}

/// The user's bound on an attribute, wide enough for the object's value; `None` if that is of
/// a wrong type.
fn widen<O: Object + ?Sized>(trace: &Traced<'_, '_, O>, check: AttributeId) -> Option<Step> {
    let of = trace.catalogue().attribute_at(check).bound;
    let stated = trace.bounds(check).map(|(_, bound)| bound);
    let today = trace.today.map(Moment::date);
    Some(Step::Widen(check, wide_enough(of, stated, trace.value(check), today)?))
}

/// Stated bounds, made wide enough for a value, or for none; `None` for one of a wrong type:
/// it is the object that is to be mended.
pub(super) fn wide_enough<'b>(
    of: BoundType,
    mut stated: impl Iterator<Item = &'b Bound>,
    value: Option<Value<'_>>,
    today: Option<Date>,
) -> Option<Bound> {
    if value.is_some_and(|value| !compares(of, value)) {
        return None;
    }
    Some(match (of, value) {
        (BoundType::OneOf, Some(Value::Text(text))) => {
            let texts = stated.filter_map(|bound| match bound {
                Bound::OneOf(texts) => Some(texts.iter().map(String::as_str)),
                _ => None,
            });
            Bound::OneOf(texts.flatten().chain([text]).map(ToOwned::to_owned).collect())
        }
        (BoundType::AtMost | BoundType::AtLeast, Some(Value::Integer(value))) => {
            Bound::Limit(value)
        }
        (BoundType::Flag, Some(Value::Boolean(flag))) => {
            let is_other = stated.any(|bound| *bound == Bound::Flag(!flag));
            if is_other { Bound::EitherFlag } else { Bound::Flag(flag) }
        }
        (BoundType::NotBefore | BoundType::NotAfter, Some(value)) => {
            value.date().map_or(Bound::Any, |date| fence(stated, date, today))
        }
        _ => Bound::Any,
    })
}

/// A fence that reaches a date, in the form of the nearest one stated.
fn fence<'b>(stated: impl Iterator<Item = &'b Bound>, date: Date, today: Option<Date>) -> Bound {
    let fences = stated.filter_map(|bound| match bound {
        Bound::Fence(fence) => Some((*fence, fence_day(*fence, today)?.days_until(date))),
        _ => None,
    });
    let nearest = fences.min_by_key(|(_, days)| days.unsigned_abs());
    let reaching = nearest.map(|(fence, more)| match fence {
        Fence::PlusDays(days) => Fence::PlusDays(days.saturating_add(more)),
        Fence::Next { weekday, plus_days } => {
            Fence::Next { weekday, plus_days: plus_days.saturating_add(more) }
        }
        Fence::Date(_) => Fence::Date(date),
    });
    let reaching = reaching.filter(|fence| fence.is_within_reach());
    Bound::Fence(reaching.unwrap_or(Fence::Date(date)))
}

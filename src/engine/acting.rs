//! Users acting in their assignments (design, rule 9).

use std::ops::Range;
use std::sync::Arc;

use super::decide::{Grants, Remembering, View};
use super::rights::{Outcome, reason_on_object};
use super::verdict::{Capacity as In, Conditional, Verdict};
use super::{Ask, Compiled, Engine, Limit, LimitSet, User};
use crate::bits::Word;
use crate::catalogue::{AttributeId, Bit, CapacityRows, Condition, Evaluator, NodeId};
use crate::date::Moment;
use crate::ids::{CapacityId, ClassId, Key, KindId, Number, UserSlot};
use crate::names::HashSet;
use crate::object::{Object, Target};
use crate::policy::{Assigned, Capacity, Inner, Policy, Terms, Users};
use crate::reason::Reason;

/// A user of a class acting in an assignment.
#[derive(Clone, Copy)]
pub(crate) struct Acting<'e> {
    compiled: &'e Compiled,
    class: ClassId,
    pub(crate) assigned: &'e Assigned,
}

impl CapacityRows for Acting<'_> {
    fn holds(&self, bit: Bit) -> bool {
        self.compiled.effective.holds(self.assigned.capacity, bit)
    }

    fn carries(&self, bit: Bit) -> bool {
        self.compiled.carried.holds(self.assigned.capacity, bit)
    }
}

/// The same, asked about one permission.
#[derive(Clone)]
pub(super) struct ActingFor<'e> {
    acting: Acting<'e>,
    /// The scopes of the permission, of which only those count that are carried.
    scopes: Range<Bit>,
}

impl Grants for ActingFor<'_> {
    fn holds(&self, scope: Bit) -> bool {
        if self.scopes.contains(&scope) {
            self.acting.carries(scope)
        } else {
            self.acting.holds(scope)
        }
    }

    fn limit(&self, check: AttributeId) -> (AttributeId, &Limit) {
        (check.marked(false), self.limit_on(check))
    }
}

impl<'e> ActingFor<'e> {
    pub(super) fn limit_on(&self, check: AttributeId) -> &'e Limit {
        self.acting.limit(check)
    }

    pub(super) fn covers_all(&self) -> bool {
        !self.acting.assigned.terms.are_on_objects()
    }
}

impl<'e> Acting<'e> {
    /// Returns the limit that applies to a check: the assignment's, or if the check is
    /// marked the ordinary one.
    pub(crate) fn limit(&self, check: AttributeId) -> &'e Limit {
        let own = self.own_limits().filter(|_| !check.is_marked());
        let limits = own.unwrap_or_else(|| self.compiled.limits(self.class));
        limits.on(check.marked(false))
    }

    /// Returns the words of the permission bits that are effective in the assignment, and
    /// of those that it carries.
    pub(crate) fn rows(&self) -> [Vec<Word>; 2] {
        let rows = [&self.compiled.effective, &self.compiled.carried];
        rows.map(|rows| rows.row(self.assigned.capacity).collect())
    }

    /// Returns the limits on what the assignment carries, if they are its own.
    pub(crate) fn own_limits(&self) -> Option<&'e LimitSet> {
        self.compiled.own_limits.get(self.assigned.capacity.index())?.as_deref()
    }

    /// Returns whether the terms hold for a question without an object.
    pub(super) fn holds_without_object(self, today: Option<Moment>) -> bool {
        self.assigned.terms.hold_on_day(today) && !self.assigned.terms.are_on_objects()
    }

    fn asked(self, bit: Bit) -> ActingFor<'e> {
        let scopes = self.compiled.policy().catalogue.node_of(bit).statement_bits();
        ActingFor { acting: self, scopes }
    }

    /// Returns the condition of a permission as it is in the assignment, if it is another
    /// one there.
    fn own_condition(self, bit: Bit) -> Option<Condition> {
        self.own_limits()?;
        let catalogue = &self.compiled.policy().catalogue;
        let condition = catalogue.node_of(bit).condition.as_deref()?;
        // Only where the two limits on some attribute differ is there a difference.
        let differs = |&check: &AttributeId| self.limit(check) != self.limit(check.marked(true));
        if condition.all_checks().any(differs) { catalogue.condition_in(bit, &self) } else { None }
    }

    /// Returns the answer that the assignment gives, the dates of its terms left aside.
    pub(crate) fn verdict(self, slot: UserSlot, bit: Bit) -> Verdict<Conditional<'e>> {
        let Assigned { terms, .. } = self.assigned;
        if !self.carries(bit) {
            return Verdict::Denied;
        }
        let catalogue = &self.compiled.policy().catalogue;
        let Some(shared) = catalogue.node_of(bit).condition.as_deref() else {
            return if terms.are_on_objects() { Verdict::Denied } else { Verdict::Allowed };
        };
        match terms.conditions(shared.kind, catalogue) {
            None => Verdict::Denied,
            Some(terms) => Verdict::Conditional(Conditional {
                compiled: self.compiled,
                slot,
                capacity: In::Assigned(self.asked(bit)),
                shared,
                own: self.own_condition(bit),
                terms,
            }),
        }
    }

    /// Returns whether a permission is allowed in the assignment.
    pub(super) fn allows<O: Object + ?Sized>(
        self,
        slot: UserSlot,
        bit: Bit,
        object: Option<&O>,
        today: Option<Moment>,
    ) -> bool {
        if !self.carries(bit) || !self.assigned.terms.hold_on_day(today) {
            return false;
        }
        match (self.compiled.condition(bit), object) {
            (Some(condition), Some(object)) => {
                let mut view = View::new(self.compiled, self.asked(bit), slot, object, today);
                view.is_of(condition.kind)
                    && self.covers(condition.kind, object, today)
                    && view.meets(self.own_condition(bit).as_ref().unwrap_or(condition))
            }
            (Some(condition), None) if condition.needs_object => false,
            _ => !self.assigned.terms.are_on_objects(),
        }
    }

    /// Returns whether the terms cover an object of that kind, on a day on which they hold.
    fn covers<O: Object + ?Sized>(self, kind: KindId, object: &O, today: Option<Moment>) -> bool {
        let policy = self.compiled.policy();
        let today = today.map(Moment::date);
        self.assigned.terms.hold_on((kind, object), today, &policy.catalogue, &policy.groups)
    }

    /// Returns the reason for an answer, if the assignment carries the permission.
    fn reason<O: Object + ?Sized>(
        self,
        slot: UserSlot,
        bit: Bit,
        object: Option<&O>,
        today: Option<Moment>,
    ) -> Option<Outcome> {
        if !self.carries(bit) {
            return None;
        }
        let policy = self.compiled.policy();
        let own = self.own_condition(bit);
        let condition = own.as_ref().or(policy.catalogue.node_of(bit).condition.as_deref());
        let object = object.map(|object| {
            let mut view = View::new(self.compiled, self.asked(bit), slot, object, today);
            (object, condition.is_some_and(|condition| view.is_of(condition.kind)), view)
        });
        Some(reason_under((policy, &self.assigned.terms), condition, object, today))
    }

    /// Returns whether a permission is allowed in the assignment on some object, on some
    /// day.
    fn allows_some(self, bit: Bit) -> bool {
        let catalogue = &self.compiled.policy().catalogue;
        match catalogue.node_of(bit).condition.as_deref() {
            None if self.assigned.terms.are_on_objects() => self.leads_to_some(bit),
            None => self.carries(bit),
            Some(condition) => self.carries(bit) && self.is_passable(condition),
        }
    }

    fn is_passable(&self, condition: &Condition) -> bool {
        condition.own_checks.iter().all(|&check| self.limit(check).passable())
    }

    /// Returns whether a permission that answers to this one is allowed on some object of
    /// a kind that the terms cover.
    fn leads_to_some(self, bit: Bit) -> bool {
        let catalogue = &self.compiled.policy().catalogue;
        let covers = |kind| self.assigned.terms.conditions(kind, catalogue).is_some();
        let mut seen = HashSet::<NodeId>::default();
        let mut open = if self.holds(bit) { vec![catalogue.id_of(bit)] } else { Vec::new() };
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let node = catalogue.node(id);
            if node.kind.is_some_and(covers) && self.allows_some(node.bit) {
                return true;
            }
            open.extend(catalogue.answering(id));
        }
        false
    }
}

/// Finds the reason for an answer to a permission that an assignment carries under some
/// terms. `object` is the object, whether it is of the condition's kind, and the user's view
/// of it.
pub(crate) fn reason_under<O: Object + ?Sized, E: Evaluator<Truth = bool>>(
    (policy, terms): (&Inner, &Terms),
    condition: Option<&Condition>,
    object: Option<(&O, bool, E)>,
    today: Option<Moment>,
) -> Outcome {
    let covers = match (condition, &object) {
        (Some(condition), Some((object, ..))) => {
            let on = (condition.kind, *object);
            terms.hold_on(on, today.map(Moment::date), &policy.catalogue, &policy.groups)
        }
        _ => !terms.are_on_objects(),
    };
    let holds = terms.hold_on_day(today) && covers;
    match condition {
        Some(condition) => {
            let view = object.map(|(_, is_of_kind, view)| (is_of_kind, view));
            reason_on_object(condition, view, holds)
        }
        None => Outcome::new(if holds { Reason::Granted } else { Reason::OutOfTerms }),
    }
}

impl Engine {
    /// Compiles one user of a policy, to be asked by bits: about those who stand for users if
    /// the catalogue has such objects. Returns the user's slot beside it.
    pub(crate) fn of_user(policy: &Inner, slot: UserSlot) -> (Engine, UserSlot) {
        let known = &policy.users;
        let users = Users::default();
        let place = users.seat(UserSlot::new(0));
        let mut only = Inner { users, ..policy.clone() };
        // Groups matter only on objects, and may be many.
        let mut groups = known.groups(slot);
        if policy.catalogue.users_kind().is_none() {
            only.groups = Arc::default();
            groups = &[];
        }
        if let Some((name, class)) = known.get(slot) {
            only.users.insert(place, name, class, groups);
            only.users.set_assignments(place.slot, &known.assignments(slot));
        }
        (Engine(Compiled::without_asks(&Policy::from_inner(only))), place.slot)
    }

    /// Returns whether a user holds a permission on some object, on some day.
    pub(crate) fn holds_some(&self, slot: UserSlot, bit: Bit) -> bool {
        self.0.allows_some(slot, bit)
    }

    /// Returns whether a user holds a permission, whatever the object: in the ordinary
    /// capacity, or in an assignment without conditions on objects that holds today.
    pub(crate) fn holds(&self, slot: UserSlot, bit: Bit, today: Option<Moment>) -> bool {
        self.0.holds(slot, bit, today)
    }

    /// Returns whether a user may do this on an object, in any capacity.
    pub(crate) fn may_on<O: Object + ?Sized>(
        &self,
        slot: UserSlot,
        bit: Bit,
        object: &O,
        today: Option<Moment>,
    ) -> bool {
        self.0.allows_bit(slot, bit, object, today)
    }

    /// Returns a user's assignments.
    pub(crate) fn acting(&self, slot: UserSlot) -> impl Iterator<Item = Acting<'_>> {
        self.0.acting(slot)
    }

    /// Returns whether a user may do this on some object, on some day.
    pub(crate) fn allows_some(&self, slot: UserSlot, bit: Bit) -> bool {
        self.0.allows_some(slot, bit)
    }
}

impl Compiled {
    /// Returns whether a user may do this on an object.
    pub(super) fn allows_bit<O: Object + ?Sized>(
        &self,
        slot: UserSlot,
        bit: Bit,
        object: &O,
        today: Option<Moment>,
    ) -> bool {
        let class = self.policy().users.class_of(slot);
        View::new(self, Remembering::new(self, class), slot, object, today).allows(bit)
    }

    /// Returns a user's assignments, if any makes a difference.
    pub(super) fn acting(&self, slot: UserSlot) -> impl Iterator<Item = Acting<'_>> {
        let marked = self.classes.get(slot.index()).copied().unwrap_or(ClassId::VACANT);
        let class = marked.marked(false);
        let assigned = if marked.is_marked() {
            self.policy().users.assigned(slot)
        } else {
            Default::default()
        };
        assigned.iter().map(move |assigned| Acting { compiled: self, class, assigned })
    }

    /// Returns whether a user whose class is to be looked up, or who has assignments, may do
    /// this without an object, given the bit that is the answer.
    // Out of line, so that decisions for others stay small, and told no more than it needs:
    // each further value would take a register from a loop of decisions.
    #[cold]
    #[inline(never)]
    pub(super) fn holds_assigned<T: Target>(&self, user: User, alone: Bit, on: T) -> bool {
        let (_, today) = on.parts();
        self.slot(user).is_some_and(|slot| self.holds(slot, alone, today))
    }

    /// Returns whether a user holds a permission, whatever the object: in the ordinary
    /// capacity, or in an assignment without conditions on objects that holds today.
    pub(super) fn holds(&self, slot: UserSlot, bit: Bit, today: Option<Moment>) -> bool {
        self.rows.holds(self.policy().users.class_of(slot), bit)
            || self.acting(slot).any(|it| it.holds_without_object(today) && it.carries(bit))
    }

    /// Returns whether a user who has assignments may do this on an object.
    #[cold]
    #[inline(never)]
    pub(super) fn allows_assigned<O: Object + ?Sized>(
        &self,
        user: User,
        ask: Ask,
        object: &O,
        today: Option<Moment>,
    ) -> bool {
        self.slot(user).is_some_and(|slot| self.allows_bit(slot, ask.bit(), object, today))
    }

    /// Returns whether a user may do this on some object, on some day, in some assignment.
    pub(super) fn allows_some_assigned(&self, slot: UserSlot, bit: Bit) -> bool {
        self.some_assigned(slot, bit).is_some()
    }

    /// Returns the first assignment in which a user may do this on some object, on some day.
    pub(super) fn some_assigned(&self, slot: UserSlot, bit: Bit) -> Option<&Assigned> {
        self.acting(slot).find(|it| it.allows_some(bit)).map(|it| it.assigned)
    }

    /// The reason that comes furthest, of those in the assignments that carry the
    /// permission, and its assignment.
    pub(super) fn reason_assigned<O: Object + ?Sized>(
        &self,
        slot: UserSlot,
        bit: Bit,
        object: Option<&O>,
        today: Option<Moment>,
    ) -> Option<(Outcome, &Assigned)> {
        let reasons = self
            .acting(slot)
            .filter_map(|it| Some((it.reason(slot, bit, object, today)?, it.assigned)));
        // Of equal ones the first.
        reasons.reduce(|one, next| if next.0.progress() > one.0.progress() { next } else { one })
    }

    /// Compiles capacities; `None` for numbers no longer in use.
    pub(super) fn compile_capacities<'p>(
        &mut self,
        capacities: impl Iterator<Item = (CapacityId, Option<&'p Capacity>)>,
    ) {
        let policy = self.policy.clone();
        let policy = policy.inner();
        let mut layers = super::Layers::new(policy, &self.licensed);
        let mut bounding = super::Bounding::new(policy);
        self.effective.reach(policy.users.capacity_slots());
        self.carried.reach(policy.users.capacity_slots());
        for (id, capacity) in capacities {
            let known = capacity.and_then(|it| Some((it, policy.users.class(it.class)?)));
            // Assignments make no difference to a suspended user, nor to an admin.
            let Some((capacity, class)) = known.filter(|(_, it)| !it.suspended && !it.admin) else {
                self.effective.set(id, &[]);
                self.carried.set(id, &[]);
                self.own_limits.set(id.index(), None);
                continue;
            };
            let own = layers.of_own(&capacity.own);
            let granted = layers.grants_in(class, &own).granted;
            let effective = layers.effective(&granted);
            self.carried.set(id, layers.carried(&own, &effective).words());
            self.effective.set(id, effective.words());
            self.own_limits.set(id.index(), bounding.limits_in(class, &capacity.own));
        }
    }
}

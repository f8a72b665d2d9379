//! Decisions on an object (design, rule 7), and the reasons for them.

use std::cell::{Cell, LazyCell};

use super::layer::Layers;
use super::membership::Membership;
use super::rights::{self, Outcome, reason_on_object};
use super::{Ask, Compiled, Engine, Limit, LimitSet, Permission, User};
use crate::bits::{Word, is_set, word_of};
use crate::catalogue::{
    AttributeId, Bit, Condition, Evaluator, KindId, Op, States, Values, ValuesId,
};
use crate::date::Moment;
use crate::document::RelationType;
use crate::ids::{ClassId, Key, Number, UserSlot};
use crate::names::NameMap;
use crate::object::{Identity, Object, Subject, Target, is_decimal};
use crate::policy::Assigned;
use crate::reason::Reason;

impl Compiled {
    /// Returns whether what a user holds, of whose row some words are given, is allowed on that
    /// object.
    // Out of line, so that decisions without an object stay small.
    #[inline(never)]
    pub(super) fn allows_on<O: Object + ?Sized>(
        &self,
        user: User,
        class: ClassId,
        row: &[Word],
        bit: Bit,
        object: &O,
        today: Option<Moment>,
    ) -> bool {
        let ordinary = Ordinary { compiled: self, class, row };
        View::new(self, ordinary, self.known_slot(user), object, today).is_open_to(bit)
    }

    /// Returns a user's view of the object of a question, if there is one.
    pub(super) fn view<'a, T: Target>(
        &'a self,
        user: User,
        on: &'a T,
    ) -> Option<View<'a, T::Object, Remembering<'a>>> {
        let (object, today) = on.parts();
        let (slot, class) = (self.slot(user)?, self.class(user)?);
        Some(View::new(self, Remembering::new(self, class), slot, object?, today))
    }

    /// Returns whether what a user holds, who has no assignments, is allowed on each of some
    /// objects.
    pub(super) fn allows_on_each<'a, 'o: 'a, O: Object + ?Sized + 'o>(
        &'a self,
        user: User,
        class: ClassId,
        ask: Ask,
        objects: impl Iterator<Item = &'o O>,
        today: Option<Moment>,
    ) -> Vec<bool> {
        let Some(slot) = self.slot(user).filter(|_| self.rows.holds(class, ask.bit())) else {
            return objects.map(|_| false).collect();
        };
        let condition = self.condition(ask.bit()).filter(|_| !self.is_admin(class));
        let view = |object| View::new(self, Prepared::new(self, class), slot, object, today);
        let mut known = None;
        let allowed = objects.map(|object| {
            let view = known.get_or_insert_with(|| view(object));
            view.turn_to(object);
            condition.is_none_or(|condition| view.meets(condition))
        });
        allowed.collect()
    }

    /// Returns whether the permission's own checks could pass some value, for users of a
    /// class who hold it.
    pub(super) fn checks_passable(&self, class: ClassId, condition: &Condition) -> bool {
        let limits = self.limits(class);
        let mut checks = condition.own_checks.iter();
        self.is_admin(class) || checks.all(|&check| limits.on(check).passable())
    }
}

impl Engine {
    /// The reason for the answer of [`Engine::can`].
    ///
    /// For a denial it looks through the statements of the user's sources, which takes
    /// microseconds. A handle to a user of another policy gives [`Reason::UnknownUser`], one
    /// to a permission [`Reason::UnknownPermission`].
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # use grantree::object::DynamicObject;
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"order": {"attributes": {"amount": "at_most"}, "checks": ["amount"]}},
    /// #         "permissions": [{"key": "approve", "object": "order"}]},
    /// #     "users": {"bob": {"allow": ["approve"], "bounds": {"order.amount": 5000}}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::Reason;
    ///
    /// let (bob, approve) = (engine.user("bob")?, engine.permission("approve")?);
    /// let order = DynamicObject::new("order").with_attribute("amount", 6_000);
    /// assert_eq!(engine.why(bob, approve, &order), Reason::OutOfBounds);
    /// assert_eq!(engine.why(bob, approve, ()), Reason::ObjectRequired);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn why<T: Target>(&self, user: User, action: Permission, on: T) -> Reason {
        self.decision(user, action, on).0
    }

    /// The reason for the answer of [`Engine::can`], and the assignment in which the user
    /// came that far, unless that is the ordinary capacity.
    pub(crate) fn decision<T: Target>(
        &self,
        user: User,
        action: Permission,
        on: T,
    ) -> (Reason, Option<&Assigned>) {
        let compiled = &self.0;
        let policy = compiled.policy();
        let slot = compiled.slot(user);
        let known = slot.and_then(|slot| Some((slot, policy.users.get(slot)?.1)));
        let Some((slot, holder)) = known else {
            return (Reason::UnknownUser, None);
        };
        if holder.suspended {
            return (Reason::Suspended, None);
        }
        let (Some(class), Some(bit)) = (compiled.class(user), self.bit(action)) else {
            return (Reason::UnknownPermission, None);
        };
        let holds = |bit| compiled.rows.holds(class, bit);
        let layer = LazyCell::new(|| Layers::new(policy, &compiled.licensed).grants(holder));
        // Of many scopes, all statements are merged once rather than looked through for each.
        let few_scopes = policy.catalogue.scopes(policy.catalogue.id_of(bit)).len() <= 4;
        let without_effect = |bit| {
            let stated = few_scopes.then(|| rights::stated_reason(policy, holder, bit)).flatten();
            stated.unwrap_or_else(|| layer.reason(policy.catalogue.node_of(bit), bit))
        };
        let known = (&*policy.catalogue, &*compiled.licensed);
        let reason = rights::reason(known, holder, bit, &holds, &without_effect);
        let (object, today) = on.parts();
        let ordinary = match policy.catalogue.node_of(bit).condition.as_deref() {
            Some(condition) if reason == Reason::Granted => {
                let view = object.map(|object| {
                    let ordinary = Ordinary::new(compiled, class);
                    let mut view = View::new(compiled, ordinary, slot, object, today);
                    (view.is_of(condition.kind), view)
                });
                reason_on_object(condition, view, true)
            }
            _ => Outcome::new(reason),
        };
        if ordinary.reason.allowed() {
            return (ordinary.reason, None);
        }
        let assigned = compiled.reason_assigned(slot, bit, object, today);
        match assigned.filter(|(assigned, _)| assigned.progress() > ordinary.progress()) {
            Some((further, assigned)) => (further.reason, Some(assigned)),
            None => (ordinary.reason, None),
        }
    }
}

/// The permissions and limits of a user in one capacity.
pub(super) trait Grants {
    /// Returns whether a scope counts as the user's.
    fn holds(&self, scope: Bit) -> bool;

    /// Returns the attribute of a check, and the limit on it.
    fn limit(&self, check: AttributeId) -> (AttributeId, &Limit);

    /// Returns the answer of a check, perhaps one that was remembered.
    #[inline]
    fn remember(&self, _check: AttributeId, answer: impl FnOnce() -> bool) -> bool {
        answer()
    }
}

/// Users of a class, acting in the ordinary capacity.
#[derive(Clone, Copy)]
pub(super) struct Ordinary<'a> {
    compiled: &'a Compiled,
    class: ClassId,
    /// The words of the class's row, or the first of them.
    row: &'a [Word],
}

impl<'a> Ordinary<'a> {
    #[inline]
    pub(super) fn new(compiled: &'a Compiled, class: ClassId) -> Ordinary<'a> {
        Ordinary { compiled, class, row: compiled.rows.piece(class) }
    }

    #[inline]
    pub(super) fn limit_on(&self, check: AttributeId) -> &'a Limit {
        self.compiled.limits(self.class).on(check)
    }
}

impl Grants for Ordinary<'_> {
    #[inline]
    fn holds(&self, scope: Bit) -> bool {
        match word_of(self.row, scope) {
            Some(word) => is_set(word, scope),
            None => self.compiled.rows.holds(self.class, scope),
        }
    }

    #[inline]
    fn limit(&self, check: AttributeId) -> (AttributeId, &Limit) {
        (check, self.limit_on(check))
    }
}

/// The same, asked about many objects: the limits of the class are found once.
struct Prepared<'a> {
    ordinary: Ordinary<'a>,
    limits: &'a LimitSet,
}

impl<'a> Prepared<'a> {
    fn new(compiled: &'a Compiled, class: ClassId) -> Prepared<'a> {
        let limits = compiled.limits(class);
        Prepared { ordinary: Ordinary::new(compiled, class), limits }
    }
}

impl Grants for Prepared<'_> {
    #[inline]
    fn holds(&self, scope: Bit) -> bool {
        self.ordinary.holds(scope)
    }

    #[inline]
    fn limit(&self, check: AttributeId) -> (AttributeId, &Limit) {
        (check, self.limits.on(check))
    }
}

/// The same, asked about many permissions: the first attributes of an object are checked
/// once.
pub(super) struct Remembering<'a> {
    prepared: Prepared<'a>,
    /// The attributes that have been checked, a bit each, and those that passed.
    checked: Cell<(u64, u64)>,
}

impl<'a> Remembering<'a> {
    pub(super) fn new(compiled: &'a Compiled, class: ClassId) -> Remembering<'a> {
        Remembering { prepared: Prepared::new(compiled, class), checked: Cell::default() }
    }
}

impl Grants for Remembering<'_> {
    #[inline]
    fn holds(&self, scope: Bit) -> bool {
        self.prepared.holds(scope)
    }

    #[inline]
    fn limit(&self, check: AttributeId) -> (AttributeId, &Limit) {
        self.prepared.limit(check)
    }

    #[inline]
    fn remember(&self, check: AttributeId, answer: impl FnOnce() -> bool) -> bool {
        // No bit for attributes beyond the first, which are checked again.
        let place = 1_u64.checked_shl(check.number()).unwrap_or(0);
        let (checked, passed) = self.checked.get();
        if checked & place != 0 {
            return passed & place != 0;
        }
        let answer = answer();
        self.checked.set((checked | place, if answer { passed | place } else { passed }));
        answer
    }
}

/// An object as one user sees it.
pub(super) struct View<'a, O: ?Sized, G> {
    compiled: &'a Compiled,
    grants: G,
    slot: UserSlot,
    object: &'a O,
    today: Option<Moment>,
    /// The object's kind, once it is known.
    kind: Option<(KindId, &'a NameMap<RelationType>)>,
    /// The states of its kind's first relations, four bits each: none before it is asked
    /// for.
    states: u64,
}

impl<'a, O: Object + ?Sized> View<'a, O, Remembering<'a>> {
    /// Returns whether the user may do this on it, in any capacity.
    pub(super) fn allows(&mut self, bit: Bit) -> bool {
        let View { compiled, slot, object, today, .. } = *self;
        self.grants.holds(bit) && self.is_open_to(bit)
            || compiled.acting(slot).any(|it| it.allows(slot, bit, Some(object), today))
    }
}

impl<'a, O: Object + ?Sized> View<'a, O, Prepared<'a>> {
    /// Makes it the user's view of another object.
    fn turn_to(&mut self, object: &'a O) {
        (self.object, self.kind, self.states) = (object, None, 0);
    }
}

impl<'a, O: Object + ?Sized, G: Grants> View<'a, O, G> {
    pub(super) fn new(
        compiled: &'a Compiled,
        grants: G,
        slot: UserSlot,
        object: &'a O,
        today: Option<Moment>,
    ) -> View<'a, O, G> {
        View { compiled, grants, slot, object, today, kind: None, states: 0 }
    }

    /// Returns whether a permission that the user holds is allowed on it.
    #[inline]
    fn is_open_to(&mut self, bit: Bit) -> bool {
        let Some(condition) = self.compiled.condition(bit) else { return true };
        self.grants.holds(self.compiled.rows.admin) || self.meets(condition)
    }

    /// Returns whether the object is of that kind.
    pub(super) fn is_of(&mut self, kind: KindId) -> bool {
        if let Some((known, _)) = self.kind {
            return known == kind;
        }
        let declared = self.compiled.policy().catalogue.kinds.get_index(kind.index());
        let is = declared.filter(|(name, _)| ***name == *self.object.kind());
        self.kind = is.map(|(_, declared)| (kind, &declared.relations));
        self.kind.is_some()
    }

    /// Returns whether it is of the condition's kind and meets it.
    #[inline]
    pub(super) fn meets(&mut self, condition: &Condition) -> bool {
        self.is_of(condition.kind) && condition.evaluate(self)
    }

    #[inline]
    fn state(&mut self, relation: u32) -> States {
        // Beyond the last bit for relations beyond the first, which are asked for again.
        let place = relation.saturating_mul(4);
        let known = self.states.checked_shr(place).unwrap_or(0) & 0b1111;
        if known != 0 {
            return States::from_bits(known);
        }
        let states = self.asked(relation);
        self.states |= states.bits().checked_shl(place).unwrap_or(0);
        states
    }

    /// Asks the object for the state of a relation.
    // Out of line, so that a state which is known is found without a call.
    #[inline(never)]
    fn asked(&self, relation: u32) -> States {
        let declared = self.kind.and_then(|(_, known)| known.get_index(relation as usize));
        let state = declared.and_then(|(name, &of)| {
            let asker = &Asking { compiled: self.compiled, slot: self.slot };
            self.object.relation(name, &Subject { asker, relation: of })
        });
        state.map_or(States::MISSING, |state| States::default().with(state))
    }
}

impl<O: Object + ?Sized, G: Grants> Evaluator for View<'_, O, G> {
    type Truth = bool;

    #[inline]
    fn holds(&self, scope: Bit) -> bool {
        self.grants.holds(scope)
    }

    #[inline]
    fn relation(&mut self, relation: u32, states: States) -> bool {
        self.state(relation).meet(states)
    }

    fn values(&mut self, values: ValuesId) -> bool {
        let catalogue = &self.compiled.policy().catalogue;
        let Values { attribute, limit } = catalogue.values_at(values);
        limit.passes(self.object.attribute(&catalogue.attribute_at(*attribute).name), None)
    }

    fn check(&mut self, check: AttributeId) -> bool {
        self.grants.remember(check, || {
            let (attribute, limit) = self.grants.limit(check);
            let declared = self.compiled.policy().catalogue.attribute_at(attribute);
            limit.passes(self.object.attribute(&declared.name), self.today.map(Moment::date))
        })
    }

    #[inline]
    fn join(&mut self, op: Op, (): ()) -> bool {
        op == Op::And
    }
}

/// The user on whose behalf the object is asked.
struct Asking<'a> {
    compiled: &'a Compiled,
    slot: UserSlot,
}

impl Asking<'_> {
    fn name(&self) -> &str {
        self.compiled.policy().users.name(self.slot)
    }

    fn groups(&self) -> Membership<'_> {
        self.compiled.memberships.get(self.compiled.policy().users.groups_of(self.slot))
    }
}

impl Identity for Asking<'_> {
    fn is_user(&self, name: &str) -> bool {
        self.name() == name
    }
    fn is_user_numbered(&self, user: u64) -> bool {
        is_decimal(self.name(), user)
    }
    fn belongs(&self, group: &str) -> bool {
        self.groups().belongs(group)
    }
    fn belongs_to_number(&self, group: u64) -> bool {
        self.groups().belongs_to_number(group)
    }
}

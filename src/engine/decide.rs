//! Decisions on an object (design, rule 7), and the reasons for them.

use std::cell::LazyCell;

use super::bounding::limit_of;
use super::layer::Layers;
use super::membership::Membership;
use super::{Ask, Compiled, Engine, Permission, User, rights};
use crate::catalogue::{AttributeId, Bit, Condition, Evaluator, KindId, Op, States};
use crate::date::Moment;
use crate::document::RelationType;
use crate::ids::{ClassId, Key, UserSlot};
use crate::names::NameMap;
use crate::object::{Asker, Object, Subject, Target};
use crate::reason::Reason;

impl Compiled {
    /// Returns whether what a user holds is allowed on that object.
    // Out of line, so that decisions without an object stay small.
    #[inline(never)]
    pub(super) fn allows_on<O: Object + ?Sized>(
        &self,
        user: User,
        class: ClassId,
        ask: Ask,
        object: &O,
        today: Option<Moment>,
    ) -> bool {
        let slot = self.slot(user);
        slot.is_some_and(|slot| View::new(self, (slot, class), object, today).is_open_to(ask))
    }

    /// Returns whether the permission's own checks could pass some value, for users of a
    /// class who hold it.
    pub(super) fn checks_passable(&self, class: ClassId, condition: &Condition) -> bool {
        let limits = self.limits(class);
        let mut checks = condition.own_checks.iter();
        self.is_admin(class) || checks.all(|&check| limit_of(limits, check).passable())
    }
}

impl Engine {
    /// The reason for the answer of [`Engine::can`].
    ///
    /// It merges the user's sources anew, which takes microseconds. A handle to a
    /// user of another policy gives [`Reason::UnknownUser`], one to a permission
    /// [`Reason::NotGranted`].
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
        let compiled = &self.0;
        let policy = compiled.policy();
        let slot = compiled.slot(user);
        let known = slot.and_then(|slot| Some((slot, policy.users.get(slot)?.1)));
        let Some((slot, holder)) = known else {
            return Reason::UnknownUser;
        };
        if holder.suspended {
            return Reason::Suspended;
        }
        let Some((class, ask)) = compiled.find(user, action) else {
            return Reason::NotGranted;
        };
        if self.bit(action).is_none() {
            return Reason::NotGranted;
        }
        let holds = |bit| compiled.rows.holds(class, bit);
        let layer = LazyCell::new(|| Layers::new(policy, &compiled.licensed).grants(holder));
        let known = (&*policy.catalogue, &*compiled.licensed);
        let reason = rights::reason(known, holder, ask.bit(), &holds, &|| &layer);
        match compiled.condition(ask) {
            Some(condition) if reason == Reason::Granted => {
                let (object, today) = on.parts();
                let view = object.map(|object| {
                    let mut view = View::new(compiled, (slot, class), object, today);
                    (view.is_of(condition.kind), view)
                });
                rights::reason_on_object(condition, view)
            }
            _ => reason,
        }
    }
}

/// An object as one user sees it.
pub(super) struct View<'a, O: ?Sized> {
    compiled: &'a Compiled,
    class: ClassId,
    slot: UserSlot,
    object: &'a O,
    today: Option<Moment>,
    /// The object's kind, once it is known.
    kind: Option<(KindId, &'a NameMap<RelationType>)>,
    /// The states of its kind's first relations, once asked for: empty for a
    /// relation that the object does not carry.
    states: [Option<States>; 16],
}

impl<'a, O: Object + ?Sized> View<'a, O> {
    pub(super) fn new(
        compiled: &'a Compiled,
        (slot, class): (UserSlot, ClassId),
        object: &'a O,
        today: Option<Moment>,
    ) -> View<'a, O> {
        View { compiled, class, slot, object, today, kind: None, states: [None; 16] }
    }

    /// Returns whether the object is of that kind.
    fn is_of(&mut self, kind: KindId) -> bool {
        if let Some((known, _)) = self.kind {
            return known == kind;
        }
        let declared = self.compiled.policy().catalogue.kinds.get_index(kind.index());
        let is = declared.filter(|(name, _)| ***name == *self.object.kind());
        self.kind = is.map(|(_, declared)| (kind, &declared.relations));
        self.kind.is_some()
    }

    /// Returns whether a permission that the user holds is allowed on it.
    pub(super) fn is_open_to(&mut self, ask: Ask) -> bool {
        let compiled = self.compiled;
        compiled
            .condition(ask)
            .is_none_or(|condition| compiled.is_admin(self.class) || self.allows(condition))
    }

    /// Returns whether it is of the condition's kind and meets it.
    fn allows(&mut self, condition: &Condition) -> bool {
        self.is_of(condition.kind) && condition.evaluate(self)
    }

    fn state(&mut self, relation: u32) -> States {
        let at = relation as usize;
        if let Some(Some(known)) = self.states.get(at) {
            return *known;
        }
        let declared = self.kind.and_then(|(_, relations)| relations.get_index(at));
        let state = declared.and_then(|(name, &of)| {
            let asker = &Asking { compiled: self.compiled, slot: self.slot };
            self.object.relation(name, &Subject { asker, relation: of })
        });
        let states = state.map_or(States::default(), |state| States::default().with(state));
        if let Some(known) = self.states.get_mut(at) {
            *known = Some(states);
        }
        states
    }
}

impl<O: Object + ?Sized> Evaluator for View<'_, O> {
    type Truth = bool;

    #[inline]
    fn holds(&self, scope: Bit) -> bool {
        self.compiled.rows.holds(self.class, scope)
    }

    fn relation(&mut self, relation: u32, states: States) -> bool {
        self.state(relation).meet(states)
    }

    fn check(&mut self, attribute: AttributeId) -> bool {
        let declared = self.compiled.policy().catalogue.attribute_at(attribute);
        limit_of(self.compiled.limits(self.class), attribute)
            .passes(self.object.attribute(&declared.name), self.today.map(Moment::date))
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
    fn groups(&self) -> Membership<'_> {
        self.compiled.memberships.get(self.compiled.policy().users.groups_of(self.slot))
    }
}

impl Asker for Asking<'_> {
    fn name(&self) -> &str {
        self.compiled.policy().users.name(self.slot)
    }
    fn belongs(&self, group: &str) -> bool {
        self.groups().belongs(group)
    }
    fn belongs_to_number(&self, group: u64) -> bool {
        self.groups().belongs_to_number(group)
    }
}

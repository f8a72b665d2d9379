//! The part of a decision that does not depend on the object.

use super::acting::ActingFor;
use super::decide::{Grants, Ordinary};
use super::{Compiled, Engine, LimitSet, Permission, User};
use crate::bits::Word;
use crate::catalogue::{Attribute, AttributeId, Bit, Condition, Kind, Limit, Values, ValuesId};
use crate::date::Moment;
use crate::ids::{ClassId, GroupId, GroupListId, Key, UserSlot};
use crate::policy::Conditions;

/// The answer for a user and a permission.
pub(crate) enum Verdict<C> {
    /// No, for every object.
    Denied,
    /// Yes, for every object of every kind.
    Allowed,
    /// The object decides.
    Conditional(C),
}

/// A decision that depends on the object, in one capacity.
pub(crate) struct Conditional<'e> {
    pub(super) compiled: &'e Compiled,
    pub(super) slot: UserSlot,
    pub(super) capacity: Capacity<'e>,
    /// The condition on the object, the same for every user.
    pub(super) shared: &'e Condition,
    /// The condition in its place, if the capacity has one of its own.
    pub(super) own: Option<Condition>,
    /// The tests of the terms, each with the name of a relation or an attribute.
    pub(crate) terms: Conditions<'e>,
}

pub(super) enum Capacity<'e> {
    Ordinary(Ordinary<'e>),
    Assigned(ActingFor<'e>),
}

impl Engine {
    /// Returns the answer for a user on a day, with the conditions of which an object must
    /// meet one.
    pub(crate) fn verdict(
        &self,
        user: User,
        action: Permission,
        today: Option<Moment>,
    ) -> Verdict<Vec<Conditional<'_>>> {
        let compiled = &self.0;
        let slot = compiled.slot(user).filter(|&slot| compiled.policy().users.get(slot).is_some());
        let (Some(slot), Some(bit)) = (slot, self.bit(action)) else { return Verdict::Denied };
        let class = compiled.policy().users.class_of(slot);
        let ordinary = compiled.verdict(class, slot, bit);
        let acting = compiled.acting(slot).filter(|it| it.assigned.terms.hold_on_day(today));
        let assigned = acting.map(|acting| acting.verdict(slot, bit));
        let mut conditionals = Vec::new();
        for verdict in std::iter::once(ordinary).chain(assigned) {
            match verdict {
                Verdict::Denied => {}
                Verdict::Allowed => return Verdict::Allowed,
                Verdict::Conditional(conditional) => conditionals.push(conditional),
            }
        }
        if conditionals.is_empty() { Verdict::Denied } else { Verdict::Conditional(conditionals) }
    }

    /// Returns the answer for a class of users in the ordinary capacity, without a user's
    /// name and groups.
    pub(crate) fn verdict_of_class(&self, class: ClassId, bit: Bit) -> Verdict<Conditional<'_>> {
        self.0.verdict(class, UserSlot::NOBODY, bit)
    }

    /// Returns the words of the permission bits that users of a class hold.
    pub(crate) fn row(&self, class: ClassId) -> Vec<Word> {
        self.0.rows.row(class).collect()
    }

    /// Returns whether users of a class hold a permission.
    pub(crate) fn class_holds(&self, class: ClassId, bit: Bit) -> bool {
        self.0.rows.holds(class, bit)
    }

    /// Returns whether users of a class are admins, for whom objects are not looked at.
    pub(crate) fn is_admin(&self, class: ClassId) -> bool {
        self.0.is_admin(class)
    }

    /// Returns the limits of a class; classes may share them.
    pub(crate) fn limits(&self, class: ClassId) -> &LimitSet {
        self.0.limits(class)
    }

    /// Returns whether users of a class who hold a permission may use it on some object, as
    /// in [`Engine::can_some`].
    pub(crate) fn is_passable(&self, class: ClassId, condition: &Condition) -> bool {
        self.0.checks_passable(class, condition)
    }

    /// Returns groups and their descendants, sorted.
    pub(crate) fn with_beneath(&self, groups: &[GroupId]) -> Vec<&str> {
        self.0.memberships.with_beneath(groups)
    }

    /// Returns the groups of a list and their descendants, sorted.
    pub(crate) fn groups_of_list(&self, list: GroupListId) -> Vec<&str> {
        self.0.memberships.get(list).names()
    }
}

impl Compiled {
    fn verdict(&self, class: ClassId, slot: UserSlot, bit: Bit) -> Verdict<Conditional<'_>> {
        if !self.rows.holds(class, bit) {
            return Verdict::Denied;
        }
        let condition = self.policy().catalogue.node_of(bit).condition.as_deref();
        match condition.filter(|_| !self.is_admin(class)) {
            None => Verdict::Allowed,
            Some(shared) => Verdict::Conditional(Conditional {
                compiled: self,
                slot,
                capacity: Capacity::Ordinary(Ordinary::new(self, class)),
                shared,
                own: None,
                terms: Conditions::new(),
            }),
        }
    }
}

impl<'e> Conditional<'e> {
    /// Returns the condition on the object.
    pub(crate) fn condition(&self) -> &Condition {
        self.own.as_ref().unwrap_or(self.shared)
    }

    /// Returns whether it allows the permission without an object.
    pub(crate) fn allows_without_object(&self) -> bool {
        let covers_all = match &self.capacity {
            Capacity::Ordinary(_) => true,
            Capacity::Assigned(acting) => acting.covers_all(),
        };
        covers_all && !self.condition().needs_object
    }

    /// Returns the kind of object concerned.
    pub(crate) fn kind(&self) -> (&'e str, &'e Kind) {
        let catalogue = &self.compiled.policy().catalogue;
        let id = self.shared.kind;
        let name = catalogue.kinds.get_index(id.index()).map_or("", |(name, _)| name);
        (name, catalogue.kind(id))
    }

    /// Returns whether a scope counts as the user's.
    pub(crate) fn holds(&self, scope: Bit) -> bool {
        match &self.capacity {
            Capacity::Ordinary(ordinary) => ordinary.holds(scope),
            Capacity::Assigned(acting) => acting.holds(scope),
        }
    }

    /// Returns the attribute of a check, and the limit on it.
    pub(crate) fn limit(&self, check: AttributeId) -> (&'e Attribute, &'e Limit) {
        let limit = match &self.capacity {
            Capacity::Ordinary(ordinary) => ordinary.limit_on(check),
            Capacity::Assigned(acting) => acting.limit_on(check),
        };
        (self.compiled.policy().catalogue.attribute_at(check.marked(false)), limit)
    }

    /// Returns the name of an attribute, and the values of it that a scope accepts.
    pub(crate) fn values(&self, values: ValuesId) -> (&'e str, &'e Limit) {
        let catalogue = &self.compiled.policy().catalogue;
        let Values { attribute, limit } = catalogue.values_at(values);
        (&catalogue.attribute_at(*attribute).name, limit)
    }

    /// Returns the user's name.
    pub(crate) fn user(&self) -> &'e str {
        self.compiled.policy().users.name(self.slot)
    }

    /// Returns the user's groups and their descendants, sorted.
    pub(crate) fn groups(&self) -> Vec<&'e str> {
        let list = self.compiled.policy().users.groups_of(self.slot);
        self.compiled.memberships.get(list).names()
    }

    /// Returns groups and their descendants, sorted.
    pub(crate) fn with_beneath(&self, groups: &[GroupId]) -> Vec<&'e str> {
        self.compiled.memberships.with_beneath(groups)
    }
}

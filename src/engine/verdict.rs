//! The part of a decision that does not depend on the object.

use super::bounding::limit_of;
use super::{Compiled, Engine, Permission, User};
use crate::bits::Word;
use crate::catalogue::{Attribute, AttributeId, Bit, Condition, Kind, Limit, Values, ValuesId};
use crate::ids::{ClassId, GroupListId, Key, UserSlot};

/// The answer for a user and a permission.
pub(crate) enum Verdict<'e> {
    /// No, for every object.
    Denied,
    /// Yes, for every object of every kind.
    Allowed,
    /// The object decides.
    Conditional(Conditional<'e>),
}

/// A decision that depends on the object.
#[derive(Clone)]
pub(crate) struct Conditional<'e> {
    compiled: &'e Compiled,
    class: ClassId,
    pub(crate) limits: &'e [Limit],
    slot: UserSlot,
    /// The user's name.
    pub(crate) user: &'e str,
    /// The kind of object concerned.
    pub(crate) kind: (&'e str, &'e Kind),
    /// The condition on the object, the same for every user.
    pub(crate) condition: &'e Condition,
}

impl Engine {
    pub(crate) fn verdict(&self, user: User, action: Permission) -> Verdict<'_> {
        let compiled = &self.0;
        let (Some(class), Some(ask)) = (compiled.class(user), compiled.ask(action)) else {
            return Verdict::Denied;
        };
        let slot = compiled.slot(user);
        match slot.and_then(|slot| Some((slot, compiled.policy().users.get(slot)?.0))) {
            Some(user) => compiled.verdict(class, ask.bit(), user),
            None => Verdict::Denied,
        }
    }

    /// Returns the answer for a class of users, without a user's name and groups.
    pub(crate) fn verdict_of_class(&self, class: ClassId, bit: Bit) -> Verdict<'_> {
        self.0.verdict(class, bit, (UserSlot::NOBODY, ""))
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
    pub(crate) fn limits(&self, class: ClassId) -> &[Limit] {
        self.0.limits(class)
    }

    /// Returns whether users of a class who hold a permission may use it on some object, as
    /// in [`Engine::can_some`].
    pub(crate) fn is_passable(&self, class: ClassId, condition: &Condition) -> bool {
        self.0.checks_passable(class, condition)
    }

    /// Returns the groups of a list and their descendants, sorted.
    pub(crate) fn groups_of_list(&self, list: GroupListId) -> Vec<&str> {
        self.0.memberships.get(list).names()
    }
}

impl Compiled {
    fn verdict<'e>(&'e self, class: ClassId, bit: Bit, user: (UserSlot, &'e str)) -> Verdict<'e> {
        if !self.rows.holds(class, bit) {
            return Verdict::Denied;
        }
        let catalogue = &self.policy().catalogue;
        let condition = catalogue.node_of(bit).condition.as_deref();
        let Some(condition) = condition.filter(|_| !self.is_admin(class)) else {
            return Verdict::Allowed;
        };
        match catalogue.kinds.get_index(condition.kind.index()) {
            Some((kind, declared)) => Verdict::Conditional(Conditional {
                compiled: self,
                class,
                limits: self.limits(class),
                slot: user.0,
                user: user.1,
                kind: (kind, declared),
                condition,
            }),
            None => Verdict::Denied,
        }
    }
}

impl<'e> Conditional<'e> {
    /// Returns whether the user holds a scope.
    pub(crate) fn holds(&self, scope: Bit) -> bool {
        self.compiled.rows.holds(self.class, scope)
    }

    /// Returns an attribute, and the user's limit on it.
    pub(crate) fn limit(&self, attribute: AttributeId) -> (&'e Attribute, &'e Limit) {
        let catalogue = &self.compiled.policy().catalogue;
        (catalogue.attribute_at(attribute), limit_of(self.limits, attribute))
    }

    /// Returns the name of an attribute, and the values of it that a scope accepts.
    pub(crate) fn values(&self, values: ValuesId) -> (&'e str, &'e Limit) {
        let catalogue = &self.compiled.policy().catalogue;
        let Values { attribute, limit } = catalogue.values_at(values);
        (&catalogue.attribute_at(*attribute).name, limit)
    }

    /// Returns the user's groups and their descendants, sorted.
    pub(crate) fn groups(&self) -> Vec<&'e str> {
        let list = self.compiled.policy().users.groups_of(self.slot);
        self.compiled.memberships.get(list).names()
    }
}

//! What user and permission determine of a decision before there is an object.

use super::limit::{Limit, limit_of};
use super::{Compiled, Engine, Permission, User};
use crate::catalogue::{Attribute, AttributeId, Bit, Condition, Kind};
use crate::policy::ClassId;

/// How a user stands with a permission.
pub(crate) enum Standing<'e> {
    /// The answer is no, whatever the object.
    Denied,
    /// The answer is yes, whatever the object, of whatever kind.
    Allowed,
    /// The object decides.
    Open(Open<'e>),
}

/// A decision that depends on the object.
#[derive(Clone)]
pub(crate) struct Open<'e> {
    compiled: &'e Compiled,
    class: ClassId,
    limits: &'e [Limit],
    slot: u32,
    /// The user's name.
    pub(crate) user: &'e str,
    /// The kind of object concerned.
    pub(crate) kind: (&'e str, &'e Kind),
    /// The condition on the object, whoever asks.
    pub(crate) condition: &'e Condition,
}

impl Engine {
    pub(crate) fn standing(&self, user: User, action: Permission) -> Standing<'_> {
        let compiled = &self.0;
        let Some((class, ask)) = compiled.find(user, action) else {
            return Standing::Denied;
        };
        let slot = compiled.slot(user);
        match slot.and_then(|slot| Some((slot, compiled.policy().users.get(slot)?.0))) {
            Some(user) => compiled.standing(class, ask.bit(), user),
            None => Standing::Denied,
        }
    }

    /// How users of a class stand with a permission, whoever they are: without a
    /// user's name and groups.
    pub(crate) fn standing_of(&self, class: ClassId, bit: Bit) -> Standing<'_> {
        self.0.standing(class, bit, (u32::MAX, ""))
    }

    /// The words of the permission bits that users of a class hold.
    pub(crate) fn row(&self, class: ClassId) -> Vec<u64> {
        self.0.rows.row(class).collect()
    }

    /// Whether users of a class hold a permission.
    pub(crate) fn class_holds(&self, class: ClassId, bit: Bit) -> bool {
        self.0.rows.holds(class, bit)
    }

    /// Whether users of a class are admins, for whom objects are not looked at.
    pub(crate) fn is_admin(&self, class: ClassId) -> bool {
        self.0.is_admin(class)
    }

    /// What passes of each attribute for users of a class; equal ones may be
    /// shared.
    pub(crate) fn limits(&self, class: ClassId) -> &[Limit] {
        self.0.limits(class)
    }

    /// Whether users of a class who hold a permission may use it on some object, as
    /// in [`Engine::can_some`].
    pub(crate) fn is_passable(&self, class: ClassId, condition: &Condition) -> bool {
        self.0.checks_passable(class, condition)
    }

    /// The groups of a list and all beneath them, sorted.
    pub(crate) fn groups_of_list(&self, list: u32) -> Vec<&str> {
        self.0.memberships.get(list).names()
    }
}

impl Compiled {
    fn standing<'e>(&'e self, class: ClassId, bit: Bit, user: (u32, &'e str)) -> Standing<'e> {
        if !self.rows.holds(class, bit) {
            return Standing::Denied;
        }
        let catalogue = &self.policy().catalogue;
        let condition = catalogue.node_of(bit).condition.as_deref();
        let Some(condition) = condition.filter(|_| !self.is_admin(class)) else {
            return Standing::Allowed;
        };
        match catalogue.kinds.get_index(condition.kind as usize) {
            Some((kind, declared)) => Standing::Open(Open {
                compiled: self,
                class,
                limits: self.limits(class),
                slot: user.0,
                user: user.1,
                kind: (kind, declared),
                condition,
            }),
            None => Standing::Denied,
        }
    }
}

impl<'e> Open<'e> {
    /// Whether the user holds a scope.
    pub(crate) fn holds(&self, scope: Bit) -> bool {
        self.compiled.rows.holds(self.class, scope)
    }

    /// An attribute, and what passes of it for the user.
    pub(crate) fn limit(&self, attribute: AttributeId) -> (&'e Attribute, &'e Limit) {
        let compiled = self.compiled;
        let attributes = &compiled.policy().catalogue.attributes;
        (&attributes[attribute as usize], limit_of(self.limits, attribute))
    }

    /// The user's groups and all beneath them, sorted.
    pub(crate) fn groups(&self) -> Vec<&'e str> {
        let list = self.compiled.policy().users.groups_of(self.slot);
        self.compiled.memberships.get(list).names()
    }
}

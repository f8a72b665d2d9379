//! What a user and a permission settle of a decision, before there is an object.

use super::limit::Limit;
use super::{Compiled, Engine, Facts, Permission, User};
use crate::catalogue::{Attribute, AttributeId, Condition, Kind, Scope};
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

/// A decision that the object is still to make.
pub(crate) struct Open<'e> {
    compiled: &'e Compiled,
    class: ClassId,
    facts: &'e Facts,
    slot: u32,
    /// The user's name.
    pub(crate) user: &'e str,
    /// The kind of object that it is about.
    pub(crate) kind: (&'e str, &'e Kind),
    /// What the object must be like, of whoever asks.
    pub(crate) condition: &'e Condition,
}

impl Engine {
    pub(crate) fn standing(&self, user: User, action: Permission) -> Standing<'_> {
        let compiled = &*self.0;
        let Some((class, ask)) = compiled.find(user, action) else {
            return Standing::Denied;
        };
        if !compiled.rows.holds(class, ask.bit()) {
            return Standing::Denied;
        }
        let (condition, facts) = match (compiled.condition(ask), compiled.facts(class)) {
            (Some(condition), Some(facts)) if !facts.admin => (condition, facts),
            _ => return Standing::Allowed,
        };
        let policy = compiled.policy();
        let kind = policy.catalogue.kinds.get_index(condition.kind as usize);
        match (kind, policy.users.get(user.number)) {
            (Some((kind, declared)), Some((name, _))) => Standing::Open(Open {
                compiled,
                class,
                facts,
                slot: user.number,
                user: name,
                kind: (kind, declared),
                condition,
            }),
            _ => Standing::Denied,
        }
    }
}

impl<'e> Open<'e> {
    /// Whether the user holds a scope.
    pub(crate) fn holds(&self, scope: &Scope) -> bool {
        self.compiled.rows.holds(self.class, scope.bit)
    }

    /// An attribute, and what of it passes for the user.
    pub(crate) fn limit(&self, attribute: AttributeId) -> (&'e Attribute, &'e Limit) {
        let compiled = self.compiled;
        let attributes = &compiled.policy().catalogue.attributes;
        (&attributes[attribute as usize], self.facts.limit(attribute))
    }

    /// The user's groups and all beneath them, sorted.
    pub(crate) fn groups(&self) -> Vec<&'e str> {
        let list = self.compiled.policy().users.groups_of(self.slot);
        self.compiled.memberships.get(list).names().collect()
    }
}

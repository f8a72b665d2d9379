//! What a user and a permission settle of a decision, before there is an object.

use super::limit::Limit;
use super::{ADMIN, Compiled, Engine, Permission, User};
use crate::bits::test;
use crate::catalogue::{Attribute, AttributeId, Condition, Kind, Scope};

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
    row: &'e [u64],
    slot: usize,
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
        let Some((row, ask)) = compiled.find(user, action) else {
            return Standing::Denied;
        };
        if !compiled.holds(row, ask.bit) {
            return Standing::Denied;
        }
        let condition = match compiled.condition(ask) {
            Some(condition) if row != ADMIN => condition,
            _ => return Standing::Allowed,
        };
        let policy = compiled.policy();
        let kind = policy.catalogue.kinds.get_index(condition.kind as usize);
        match (kind, policy.users.get(user.number)) {
            (Some((kind, declared)), Some((name, _))) => Standing::Open(Open {
                compiled,
                row: compiled.row(row),
                slot: user.number as usize,
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
        test(self.row, scope.bit)
    }

    /// An attribute, and what of it passes for the user.
    pub(crate) fn limit(&self, attribute: AttributeId) -> (&'e Attribute, &'e Limit) {
        let compiled = self.compiled;
        let limits = compiled.user_limits.get(self.slot);
        let limit = limits.map_or(&Limit::Nothing, |&row| compiled.limits.get(row, attribute));
        (&compiled.policy().catalogue.attributes[attribute as usize], limit)
    }

    /// The user's groups and all beneath them, sorted.
    pub(crate) fn groups(&self) -> Vec<&'e str> {
        let set = self.compiled.user_memberships.get(self.slot);
        set.map_or_else(Vec::new, |&set| self.compiled.memberships.get(set).names().collect())
    }
}

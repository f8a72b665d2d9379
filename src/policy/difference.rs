//! How two versions of a policy differ for users of each class.

use std::sync::Arc;

use super::{Class, Inner};
use crate::slots::Slots;

/// Which sources state different things in two versions.
#[derive(Debug)]
pub(crate) struct Difference {
    /// Whether the global one or the licence differs.
    everybody: bool,
    profiles: Vec<bool>,
    /// A role differs also if what it includes does.
    roles: Vec<bool>,
    approval_groups: Vec<bool>,
}

impl Difference {
    /// Between two versions with the same catalogue. What they share is not
    /// examined.
    pub(crate) fn new(before: &Inner, after: &Inner) -> Difference {
        let global = Arc::ptr_eq(&before.global, &after.global);
        let mut roles = differing(&before.roles, &after.roles);
        for &id in after.role_order.iter() {
            let includes = after.roles.get(id).map_or(&[][..], |role| &role.includes);
            roles[id as usize] |= includes.iter().any(|&included| roles[included as usize]);
        }
        Difference {
            everybody: !global || before.licence != after.licence,
            profiles: differing(&before.profiles, &after.profiles),
            roles,
            approval_groups: differing(&before.approval_groups, &after.approval_groups),
        }
    }

    /// Whether nothing differs for anybody.
    pub(crate) fn is_empty(&self) -> bool {
        let mut sources = self.profiles.iter().chain(&self.roles).chain(&self.approval_groups);
        !self.everybody && !sources.any(|&differs| differs)
    }

    /// Whether the sources of users of a class state different things.
    pub(crate) fn touches(&self, class: &Class) -> bool {
        let differs = |sources: &[bool], id: u32| sources.get(id as usize) == Some(&true);
        self.everybody
            || class.profile.is_some_and(|id| differs(&self.profiles, id))
            || class.roles.iter().any(|&id| differs(&self.roles, id))
            || class.approval_groups.iter().any(|&id| differs(&self.approval_groups, id))
    }
}

fn differing<V>(before: &Slots<V>, after: &Slots<V>) -> Vec<bool> {
    (0..).take(after.slots()).map(|id| !after.is_shared(id, before)).collect()
}

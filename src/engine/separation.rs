//! Separations that users break already.

use std::sync::Arc;

use serde::Serialize;

use super::{Engine, Layers};
use crate::bits::BitSet;
use crate::ids::{AssignmentListId, ClassId, UserSlot};
use crate::names::HashMap;
use crate::policy::{Inner, Separation};

/// A user who holds more of a separation's permissions than one user may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Violation<'e> {
    /// The name of the separation.
    pub separation: &'e str,
    /// The user.
    pub user: &'e str,
    /// The permissions held, as the separation names them.
    pub permissions: Vec<&'e str>,
}

impl Engine {
    /// Returns the users who hold more of a separation's permissions than one user may:
    /// separation by separation, in the order of users.
    ///
    /// A change is refused if it *raises* anybody above what a separation allows, so those
    /// who were above it before, in the document that the policy was made of, may stay.
    /// What counts is what is effective under the licence in the ordinary capacity, or
    /// carried in an assignment, suspension left aside. Admins are not counted.
    ///
    /// Costs the compilation of each combination of sources, and a look at every user.
    ///
    /// ```
    /// use grantree::{Document, Engine, Policy};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [{"key": "order"}, {"key": "approve"}]},
    ///     "users": {
    ///         "ann": {"allow": ["order"], "assignments": {"cover": {"allow": ["approve"]}}},
    ///         "bob": {"allow": ["order"]}},
    ///     "governance": {"separation": [
    ///         {"name": "four-eyes", "permissions": ["order", "approve"], "at_most": 1}]}
    /// }"#;
    /// let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let violations = engine.violations();
    /// assert_eq!(violations.len(), 1);
    /// assert_eq!((violations[0].separation, violations[0].user), ("four-eyes", "ann"));
    /// assert_eq!(violations[0].permissions, ["order", "approve"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn violations(&self) -> Vec<Violation<'_>> {
        let policy = self.0.policy();
        let violations = violations(policy, &self.0.licensed).into_iter();
        let named = violations.map(|(separation, user, held)| Violation {
            separation: &separation.name,
            user: policy.users.name(user),
            permissions: separation.held(&held).collect(),
        });
        named.collect()
    }
}

/// Returns the users above the limit of a separation, with the permissions that they hold
/// under a licence.
pub(crate) fn violations<'p>(
    policy: &'p Inner,
    licensed: &BitSet,
) -> Vec<(&'p Separation, UserSlot, Arc<BitSet>)> {
    let mut layers = Layers::new(policy, licensed);
    let mut known: HashMap<(ClassId, AssignmentListId), Arc<BitSet>> = HashMap::default();
    let mut violations = Vec::new();
    for separation in policy.governance.separations() {
        for (slot, _, class) in policy.users.iter().filter(|(.., class)| !class.admin) {
            let alike = (policy.users.class_of(slot), policy.users.assignments_of(slot));
            let held = known.entry(alike).or_insert_with(|| {
                let granted = layers.grants(class).granted;
                let mut held = layers.effective(&granted);
                for (_, own) in policy.users.own_sources(slot) {
                    let own = layers.of_own(own);
                    let granted = layers.grants_in(class, &own).granted;
                    let effective = layers.effective(&granted);
                    held.union_with(&layers.carried(&own, &effective));
                }
                Arc::new(held)
            });
            if separation.is_broken_by(held) {
                violations.push((separation, slot, Arc::clone(held)));
            }
        }
    }
    violations
}

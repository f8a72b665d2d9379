//! The comparison of two users, as governance makes it.

use super::ability::{Scales, compared_licences};
use crate::engine::{Engine, User};

impl Engine {
    /// Returns whether one user may do at least what another may.
    ///
    /// It is the comparison by which `no_escalation` and `protect_superiors` judge
    /// changes: suspension is left aside, objects, groups, bounds and terms are looked at,
    /// and both the licence and one that has every feature count. Costs some ten
    /// microseconds. An unknown user is denied, whichever of the two.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// let text = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [{"key": "orders"}, {"key": "reports"}]},
    ///     "users": {
    ///         "ann": {"allow": ["**"]},
    ///         "bob": {"allow": ["orders"], "suspended": true},
    ///         "eve": {"assignments": {"cover": {"allow": ["reports"], "until": "2026-12-24"}}}}
    /// }"#;
    /// let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let [ann, bob, eve] = ["ann", "bob", "eve"].map(|name| engine.user(name).unwrap());
    /// assert!(engine.at_least(ann, bob) && !engine.at_least(bob, ann));
    /// assert!(engine.at_least(ann, eve) && !engine.at_least(bob, eve));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn at_least(&self, user: User, other: User) -> bool {
        let policy = self.policy().inner();
        let slot = |user| policy.users.find(self.holder(user)?.name);
        let Some((user, other)) = slot(user).zip(slot(other)) else { return false };
        let licences = compared_licences(policy);
        let mut scales = Scales::new(policy, &licences);
        let (user, other) = (scales.of(user), scales.of(other));
        scales.are_within(&other, &user)
    }
}

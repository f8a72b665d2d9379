//! Sets of users, by one bit for each.

use std::fmt;

use super::{Engine, User};
use crate::bits::{Word, ones, test};
use crate::catalogue::Bit;
use crate::ids::{Number, UserSlot};

/// The users who may do something, in the policy's order, as
/// [`Engine::users_who_can`] finds them: a bit for each user of the policy.
///
/// ```
/// # use grantree::{Document, Engine, Policy, User};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "users": {"ann": {"allow": ["orders"]}, "bob": {}, "cyd": {"allow": ["orders"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let users = engine.users_who_can(engine.permission("orders")?, ());
/// assert_eq!(users.len(), 2);
/// assert!(users.contains(engine.user("ann")?) && !users.contains(engine.user("bob")?));
/// assert!(users.names().eq(["ann", "cyd"]));
/// let handles: Vec<User> = users.iter().collect();
/// assert_eq!(handles, [engine.user("ann")?, engine.user("cyd")?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct UserSet<'e> {
    engine: &'e Engine,
    /// By slot.
    words: Vec<Word>,
}

impl<'e> UserSet<'e> {
    pub(super) fn new(engine: &'e Engine, words: Vec<Word>) -> UserSet<'e> {
        UserSet { engine, words }
    }

    /// Returns the number of users in the set.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Returns `true` if nobody is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Returns `true` if a user is in the set.
    pub fn contains(&self, user: User) -> bool {
        let slot = self.engine.0.slot(user);
        slot.is_some_and(|slot| test(&self.words, Bit::from(slot.number())))
    }

    /// Iterates over the users.
    pub fn iter(&self) -> impl Iterator<Item = User> {
        self.slots().map(|slot| self.engine.0.handle(slot))
    }

    /// Iterates over the names of the users.
    pub fn names(&self) -> impl Iterator<Item = &'e str> {
        let users = &self.engine.0.policy().users;
        self.slots().map(|slot| users.name(slot))
    }

    fn slots(&self) -> impl Iterator<Item = UserSlot> {
        ones(self.words.iter().copied()).map(|bit| UserSlot::from(bit.number()))
    }
}

/// One line, however many users there are.
impl fmt::Debug for UserSet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserSet").field("users", &self.len()).finish_non_exhaustive()
    }
}

//! The users of a group, whose names are looked up only when asked for.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::ids::UserSlot;
use crate::policy::Policy;

/// Some users of a policy.
///
/// It keeps their numbers, and looks names up when asked for them. It serializes as
/// their count and all their names.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "roles": {"clerk": {}},
/// #     "users": {"ann": {"roles": ["clerk"]}, "bob": {"roles": ["clerk"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let mut document = Document::from(engine.policy());
/// document.global.allow.push("orders".into());
/// let diff = engine.diff(&Engine::new(&Policy::try_from(document)?));
/// assert_eq!(serde_json::to_string(&diff.groups[0].users)?, r#"{"count":2,"names":["ann","bob"]}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Users {
    policy: Policy,
    slots: Vec<UserSlot>,
}

impl Users {
    /// The users in some slots, which are sorted.
    pub(super) fn new(policy: Policy, slots: Vec<UserSlot>) -> Users {
        Users { policy, slots }
    }

    /// Returns their number, at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Returns their names, in the order of the policy.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        let users = &self.policy.inner().users;
        self.slots.iter().map(|&slot| users.name(slot))
    }

    /// Returns whether a user is one of them.
    pub fn contains(&self, name: &str) -> bool {
        let slot = self.policy.inner().users.find(name);
        slot.is_some_and(|slot| self.slots.binary_search(&slot).is_ok())
    }
}

impl PartialEq for Users {
    fn eq(&self, other: &Users) -> bool {
        self.names().eq(other.names())
    }
}

impl Eq for Users {}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl Serialize for Users {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// The names, without a copy of them.
        struct Names<'u>(&'u Users);

        impl Serialize for Names<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.0.names())
            }
        }

        let mut map = serializer.serialize_struct("Users", 2)?;
        map.serialize_field("count", &self.len())?;
        map.serialize_field("names", &Names(self))?;
        map.end()
    }
}

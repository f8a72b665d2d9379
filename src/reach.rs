//! Safety analysis: what users could come to do if some people made every change that
//! governance lets them make.
//!
//! [`Policy::reach`] asks of one user and one permission, [`Policy::raises`] who could raise
//! themselves, and to what. An answer is certain or it says that it is not: *never* is
//! proved by a ceiling that no sequence of changes, however long, gets above; *so* comes
//! with a sequence that [`Policy::apply`] accepts.
//!
//! ```
//! use grantree::reach::Reach;
//! use grantree::{Document, Policy};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = r#"{
//!     "format": 1,
//!     "catalogue": {"permissions": [
//!         {"key": "roles"}, {"key": "users"}, {"key": "billing"}, {"key": "audit"}]},
//!     "roles": {
//!         "owner": {"allow": ["users"]},
//!         "role_manager": {"assignable_by": ["owner"], "allow": ["roles"]},
//!         "auditor": {"assignable_by": [], "protected": true, "allow": ["audit"]}},
//!     "users": {"oscar": {"roles": ["owner"]}, "nina": {}},
//!     "governance": {"permissions": {"assign_role": ["users"], "edit_role": ["roles"]}}
//! }"#;
//! let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
//!
//! // He may not edit roles, but he may make himself somebody who may.
//! let Reach::So(changes) = policy.reach(&["oscar"], "oscar", "billing")? else { panic!() };
//! let changes: Vec<String> = changes.iter().map(|change| change.to_string()).collect();
//! assert_eq!(changes, [
//!     "`oscar`: assign role `role_manager` to `oscar`",
//!     "`oscar`: edit role `owner`: allow `billing`",
//! ]);
//! // Nina alone can change nothing at all.
//! assert_eq!(policy.reach(&["nina"], "nina", "billing")?, Reach::Never);
//! # Ok(())
//! # }
//! ```

mod ceiling;
mod search;

use std::fmt;

use serde::Serialize;

use crate::bits::BitSet;
use crate::catalogue::{Bit, Form};
use crate::change::Change;
use crate::engine::Unknown;
use crate::names::IndexMap;
use crate::policy::{Inner, Policy};
use crate::problem::Line;
use search::Search;

/// The answer of [`Policy::reach`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Proved impossible, by changes of these people.
    Never,
    /// Possible by these changes, one after the other; by none if it is possible now.
    So(Vec<ActorChange>),
    /// Neither proved nor found.
    Unknown {
        /// The number of changes that the search tried.
        tried: usize,
    },
}

/// A change, and the user on whose behalf it is asked for.
///
/// Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ActorChange {
    /// The user.
    pub actor: String,
    /// The change.
    pub change: Change,
}

impl fmt::Display for ActorChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", Line(&self.actor), self.change)
    }
}

/// Users who are alike, and could raise themselves or might.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Raise {
    /// The users, each alone.
    pub users: Vec<String>,
    /// The ways that were found for the first of them, each with permissions that no way
    /// before it has.
    pub ways: Vec<Way>,
    /// The permissions that are neither proved out of reach nor found within it, in the
    /// order of the catalogue.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// Changes by which a user gets permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Way {
    /// The changes, one after the other.
    pub changes: Vec<ActorChange>,
    /// The permissions, as `path` or `path:level`, in the order of the catalogue.
    pub permissions: Vec<String>,
}

impl Policy {
    /// Returns whether a user could ever do something, [on some object](crate::Engine::can_some),
    /// if some users, the actors, made whatever changes governance lets them make: together,
    /// and nobody else. The user may be one of them.
    ///
    /// *Never* is proved by a ceiling on what each of these people may come to hold. Under
    /// `no_escalation` they only ever share what they have between them, and the ceiling
    /// closes at once. Without it, or where `escalate` or `bind` spare somebody its
    /// comparisons, it is coarse: what a source allows counts for whoever might get the
    /// source, whatever others deny; and what can be edited may allow anything. So an admin
    /// among the actors is never proved harmless.
    ///
    /// *So* is found by a search that is shortest first, over changes that lead towards the
    /// permission, up to four of them and some thousand tries; it ends with *unknown*.
    /// Changes are asked for without a day, on which assignments with dates do not hold.
    ///
    /// # Errors
    ///
    /// When the permission or its level is unknown. (Unknown actors do nothing.)
    ///
    /// See [the module](crate::reach) for an example.
    pub fn reach(&self, actors: &[&str], user: &str, action: &str) -> Result<Reach, Unknown> {
        let inner = self.inner();
        let catalogue = &inner.catalogue;
        let unknown = |unresolved| Unknown::of_permission(unresolved, action, catalogue);
        let bit = catalogue.threshold(action).map_err(unknown)?;
        let mut people: Vec<&str> = vec![user];
        people.extend(actors.iter().filter(|actor| **actor != user));
        let can = search::may(inner, user, bit);
        if can {
            return Ok(Reach::So(Vec::new()));
        }
        let granted = ceiling::granted(inner);
        let mut ceilings = ceiling::ceiling(inner, &people, actors, &granted).into_iter();
        let Some(ceiling) = ceilings.next().filter(|held| held.contains(bit)) else {
            return Ok(Reach::Never);
        };
        let mut search = Search::new(self, people, actors, Some(bit), (ceiling, &granted));
        search.run();
        Ok(match search.ways.pop() {
            Some((changes, _)) => Reach::So(changes),
            None => Reach::Unknown { tried: search.tried },
        })
    }

    /// Returns the users who could, alone, come to hold permissions that they do not hold
    /// now, or who are not proved unable to. Admins, who hold everything, are left out.
    ///
    /// Those who are not listed are proved unable to raise themselves. See
    /// [`Policy::reach`] for the proof and the search.
    ///
    /// ```
    /// # use grantree::{Document, Policy};
    /// let text = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [{"key": "users"}, {"key": "billing"}]},
    ///     "roles": {"clerk": {"allow": ["users"]}, "owner": {"allow": ["**"]}},
    ///     "users": {"ann": {"roles": ["clerk"]}, "bob": {}},
    ///     "governance": {"permissions": {"assign_role": ["users"]}, "no_escalation": false}
    /// }"#;
    /// let mut document = serde_json::from_str::<Document>(text)?;
    /// let raises = Policy::try_from(document.clone())?.raises();
    /// assert_eq!((raises.len(), &*raises[0].users), (1, &["ann".to_owned()][..]));
    /// assert_eq!(raises[0].ways[0].permissions, ["billing"]);
    /// assert_eq!(raises[0].ways[0].changes[0].to_string(), "`ann`: assign role `owner` to `ann`");
    ///
    /// document.governance.no_escalation = true;
    /// assert!(Policy::try_from(document)?.raises().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn raises(&self) -> Vec<Raise> {
        let inner = self.inner();
        let mut alike: IndexMap<_, Vec<&str>> = IndexMap::default();
        let users = &inner.users;
        for (slot, name, class) in users.iter() {
            if !class.admin {
                let (class, assignments) = (users.class_of(slot), users.assignments_of(slot));
                let key = (class, assignments, users.groups_of(slot));
                alike.entry(key).or_default().push(name);
            }
        }
        let granted = ceiling::granted(inner);
        let mut raises = Vec::new();
        for users in alike.into_values() {
            let Some(&user) = users.first() else { continue };
            let ceilings = ceiling::ceiling(inner, &[user], &[user], &granted);
            let Some(ceiling) = ceilings.into_iter().next() else { continue };
            let mut open = ceiling.clone();
            open.subtract(&ceiling::held(inner, user));
            if open.iter().next().is_none() {
                continue;
            }
            let mut search = Search::new(self, vec![user], &[user], None, (ceiling, &granted));
            search.run();
            let mut ways = Vec::new();
            for (changes, gained) in search.ways {
                open.subtract(&gained);
                ways.push(Way { changes, permissions: inner.named(&gained) });
            }
            let users = users.into_iter().map(str::to_owned).collect();
            raises.push(Raise { users, ways, unknown: inner.named(&open) });
        }
        raises
    }
}

impl Inner {
    /// Returns the names of permissions that can be granted, and of levels.
    fn named(&self, bits: &BitSet) -> Vec<String> {
        let is_granted = |bit: &Bit| {
            !matches!(self.catalogue.node_of(*bit).form, Form::Scoped(_) | Form::Heading)
        };
        bits.iter().filter(is_granted).map(|bit| self.catalogue.name_of(bit)).collect()
    }
}

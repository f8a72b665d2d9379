//! Objects, the things acted on: a host's own types, or objects as data.
//!
//! A host implements [`Object`] for its own type. A question asks it only for what
//! decides: its kind, and the relations and attributes that the policy names for the
//! permission in question. Nothing is copied, and ids stay in the host's own types.
//!
//! ```
//! # use grantree::{Document, Engine, Policy};
//! # let text = r#"{
//! #     "format": 1,
//! #     "catalogue": {
//! #         "objects": {"job": {
//! #             "relations": {"assignee": "user", "watcher": "user", "team": "group"},
//! #             "attributes": {"region": "one_of"}}},
//! #         "permissions": [{"key": "edit", "object": "job", "scopes": [
//! #             {"key": "own", "when": {"assignee": "me"}},
//! #             {"key": "team", "when": {"team": "me"}},
//! #             {"key": "free", "when": {"assignee": "none"}}]}]},
//! #     "groups": {"uk": {}, "leeds": {"parent": "uk"}},
//! #     "users": {"7": {"allow": ["edit.own"]}, "8": {"allow": ["edit.team"], "groups": ["uk"]}}
//! # }"#;
//! # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
//! use grantree::object::{Object, RelationState, Subject, Value};
//!
//! struct Job {
//!     assignee: Option<u64>,      // an id of the host's database
//!     watchers: Vec<u64>,
//!     team: &'static str,
//!     region: String,
//! }
//!
//! impl Object for Job {
//!     fn kind(&self) -> &str {
//!         "job"
//!     }
//!     fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
//!         match name {
//!             "assignee" => subject.users(self.assignee),
//!             "watcher" => subject.users(&self.watchers),
//!             "team" => subject.groups([self.team]),
//!             _ => None,
//!         }
//!     }
//!     fn attribute(&self, name: &str) -> Option<Value<'_>> {
//!         match name {
//!             "region" => Some(Value::Text(&self.region)),
//!             _ => None,
//!         }
//!     }
//! }
//!
//! // User 7 may edit their own jobs, and user 8 those of a team in the UK, as Leeds is.
//! let job = Job { assignee: Some(7), watchers: vec![], team: "leeds", region: "north".into() };
//! assert!(engine.check("7", "edit", &job)?);
//! assert!(engine.check("8", "edit", &job)?);
//! assert!(!engine.check("8", "edit", &Job { team: "berlin", ..job })?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod data;
mod described;
mod id;
mod target;

use std::fmt;

pub use crate::relation::RelationState;
pub use data::DynamicObject;
#[doc(hidden)]
pub use described::IntoValue;
pub use described::{Described, Field, FieldForm, IdType};
pub use id::{DisplayId, Id};
pub(crate) use id::{decimal, is_decimal};
#[doc(hidden)]
pub use target::NoObject;
pub use target::{Target, Today};

use crate::date::Date;
use crate::relation::RelationType;

/// An object as the host has it: see [the module](self).
///
/// Answers of the wrong kind do no harm: an object of another kind than the
/// permission's, or a relation to users where groups are declared, matches
/// nothing, and a value of the wrong type passes no bound but `"any"`.
pub trait Object {
    /// Returns the kind of object, as the catalogue names it.
    fn kind(&self) -> &str;

    /// Returns the state of that relation for the user who asks; `None` where the
    /// object does not carry the relation.
    ///
    /// [`Subject::users`] and [`Subject::groups`] work it out from the ids that the
    /// relation names.
    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState>;

    /// Returns the value of that attribute; `None` where the object has none.
    fn attribute(&self, name: &str) -> Option<Value<'_>>;
}

impl<T: Object + ?Sized> Object for &T {
    fn kind(&self) -> &str {
        T::kind(self)
    }
    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
        T::relation(self, name, subject)
    }
    fn attribute(&self, name: &str) -> Option<Value<'_>> {
        T::attribute(self, name)
    }
}

/// The value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value<'a> {
    /// A text; for a date attribute, one of the form `YYYY-MM-DD`.
    Text(&'a str),
    /// An integer.
    Integer(i64),
    /// A date.
    Date(Date),
    /// A flag: `true` or `false`.
    Boolean(bool),
    /// A value of any other type, which passes no bound but `"any"`.
    Other,
}

impl Value<'_> {
    /// Returns the value as a date, if it is one.
    pub(crate) fn date(self) -> Option<Date> {
        match self {
            Value::Date(date) => Some(date),
            Value::Text(text) => text.parse().ok(),
            Value::Integer(_) | Value::Boolean(_) | Value::Other => None,
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Value<'a> {
        Value::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(integer: i64) -> Self {
        Value::Integer(integer)
    }
}

impl From<Date> for Value<'_> {
    fn from(date: Date) -> Self {
        Value::Date(date)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Value::Boolean(flag)
    }
}

/// The user who asks, as an object's relations see them.
///
/// It is passed to [`Object::relation`], and used there.
pub struct Subject<'a> {
    pub(crate) asker: &'a dyn Identity,
    /// The declared type of the relation in question.
    pub(crate) relation: RelationType,
}

/// The facts that an object may need about the user who asks. Nothing is looked up
/// before it is needed.
pub(crate) trait Identity {
    /// Returns `true` if it is a user of that name.
    fn is_user(&self, name: &str) -> bool;

    /// Does the same for a user whose name is that number.
    fn is_user_numbered(&self, user: u64) -> bool {
        DisplayId(user).with_text(|name| self.is_user(name))
    }

    /// Returns `true` if the user belongs to a group of that name or to one above it.
    fn belongs(&self, group: &str) -> bool;

    /// Does the same for a group whose name is that number.
    fn belongs_to_number(&self, group: u64) -> bool {
        DisplayId(group).with_text(|name| self.belongs(name))
    }
}

impl Subject<'_> {
    /// Returns the state of a relation that names these users.
    ///
    /// An `Option`, a slice or a list of ids will do. Returns `None`, which matches
    /// nothing, where the policy declares the relation to name groups.
    pub fn users<I: IntoIterator<Item: Id>>(&self, ids: I) -> Option<RelationState> {
        if self.relation != RelationType::User {
            return None;
        }
        let asker = self.asker;
        Some(state(ids, |number| asker.is_user_numbered(number), |name| asker.is_user(name)))
    }

    /// Returns the state of a relation that names these groups.
    ///
    /// Returns `None`, which matches nothing, where the policy declares the
    /// relation to name users.
    pub fn groups<I: IntoIterator<Item: Id>>(&self, ids: I) -> Option<RelationState> {
        if self.relation != RelationType::Group {
            return None;
        }
        let asker = self.asker;
        Some(state(ids, |number| asker.belongs_to_number(number), |name| asker.belongs(name)))
    }
}

/// Returns the state of a relation that names these ids, given how to tell which are
/// the asker's.
fn state<I: IntoIterator<Item: Id>>(
    ids: I,
    is_number: impl Fn(u64) -> bool,
    is_text: impl Fn(&str) -> bool,
) -> RelationState {
    let mut state = RelationState::None;
    for id in ids {
        let is_me = match id.as_number() {
            Some(number) => is_number(number),
            None => id.with_text(&is_text),
        };
        if is_me {
            return RelationState::Me;
        }
        state = RelationState::Other;
    }
    state
}

impl fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("relation", &self.relation).finish_non_exhaustive()
    }
}

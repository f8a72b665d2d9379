//! Names of sources.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

use super::SourceKind;
use crate::problem::{OneLine, Place};

/// A source, by its name.
///
/// Serializes as `"global"` or `{"role": "dispatcher"}`, and displays as people
/// would name it.
///
/// ```
/// use grantree::SourceName;
///
/// let source: SourceName = serde_json::from_str(r#"{"approval_group": "buyers"}"#)?;
/// assert_eq!(source, SourceName::ApprovalGroup("buyers".into()));
/// assert_eq!(source.to_string(), "approval group `buyers`");
/// assert_eq!(serde_json::to_string(&SourceName::Global)?, r#""global""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceName {
    /// The global one.
    Global,
    /// A profile.
    Profile(String),
    /// A role.
    Role(String),
    /// An approval group.
    ApprovalGroup(String),
    /// A user's own statements.
    User(String),
}

impl SourceName {
    /// The name alone; `None` for the global source.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            SourceName::Global => None,
            SourceName::Profile(name)
            | SourceName::Role(name)
            | SourceName::ApprovalGroup(name)
            | SourceName::User(name) => Some(name),
        }
    }

    /// The user whose statements these are.
    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            SourceName::User(name) => Some(name),
            _ => None,
        }
    }

    /// The kind and name of a source that users share, the name of the global one
    /// being empty; `None` for a user's own.
    pub(crate) fn shared(&self) -> Option<(SourceKind, &str)> {
        let kind = match self {
            SourceName::Global => SourceKind::Global,
            SourceName::Profile(_) => SourceKind::Profile,
            SourceName::Role(_) => SourceKind::Role,
            SourceName::ApprovalGroup(_) => SourceKind::ApprovalGroup,
            SourceName::User(_) => return None,
        };
        Some((kind, self.name().unwrap_or_default()))
    }

    /// The kind and name of a source that users may be given: a profile, a role or an
    /// approval group.
    pub(crate) fn assignable(&self) -> Option<(SourceKind, &str)> {
        self.shared().filter(|(kind, _)| *kind != SourceKind::Global)
    }

    /// Returns the place of the source in a document.
    ///
    /// ```
    /// use grantree::SourceName;
    ///
    /// assert_eq!(SourceName::Role("dispatcher".into()).place(), "roles.dispatcher");
    /// // A name that is not `[A-Za-z0-9_-]+` stands in brackets.
    /// assert_eq!(SourceName::User("a.b".into()).place(), r#"users["a.b"]"#);
    /// ```
    pub fn place(&self) -> String {
        let field = self.shared().map_or("users", |(kind, _)| kind.field());
        let place = Place::Root.key(field);
        self.name().map_or_else(|| place.to_string(), |name| place.name(name).to_string())
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = self.shared().map_or("user", |(kind, _)| kind.noun());
        match self.name() {
            None => f.write_str("the global source"),
            Some(name) => write!(OneLine(f), "{noun} `{name}`"),
        }
    }
}

//! Sources with their references resolved.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Statements;

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
    /// Where the source is in a document.
    ///
    /// ```
    /// use grantree::SourceName;
    ///
    /// assert_eq!(SourceName::Role("dispatcher".into()).place(), "roles.dispatcher");
    /// ```
    pub fn place(&self) -> String {
        match self {
            SourceName::Global => "global".to_owned(),
            SourceName::Profile(name) => format!("profiles.{name}"),
            SourceName::Role(name) => format!("roles.{name}"),
            SourceName::ApprovalGroup(name) => format!("approval_groups.{name}"),
            SourceName::User(name) => format!("users.{name}"),
        }
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SourceName::Global => f.write_str("the global source"),
            SourceName::Profile(name) => write!(f, "profile `{name}`"),
            SourceName::Role(name) => write!(f, "role `{name}`"),
            SourceName::ApprovalGroup(name) => write!(f, "approval group `{name}`"),
            SourceName::User(name) => write!(f, "user `{name}`"),
        }
    }
}

impl SourceId {
    /// How specific the source is.
    pub(crate) fn tier(self) -> u8 {
        match self {
            SourceId::Global => 0,
            SourceId::Profile(_) => 1,
            SourceId::Role(_) | SourceId::ApprovalGroup(_) => 2,
            SourceId::Own => 3,
        }
    }
}

/// A source of some user, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SourceId {
    Global,
    Profile(u32),
    Role(u32),
    ApprovalGroup(u32),
    /// The user's own statements.
    Own,
}

/// A profile or an approval group, and what a role has in common with them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    pub(crate) label: Option<Box<str>>,
    pub(crate) description: Option<Box<str>>,
    pub(crate) template: bool,
    pub(crate) protected: bool,
    /// The roles whose holders alone may assign it, besides admins.
    pub(crate) assignable_by: Option<Box<[u32]>>,
    pub(crate) statements: Statements,
}

/// A role.
#[derive(Clone, Debug, Default)]
pub(crate) struct Role {
    pub(crate) source: Source,
    /// The roles that it includes by name.
    pub(crate) includes: Box<[u32]>,
    pub(crate) unique: bool,
    pub(crate) demoted_to: Option<u32>,
}

//! Sources with their references resolved.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::catalogue::{AttributeId, Bit, Catalogue, Form, Pattern};
use crate::document::{self, Bound, SettingValue};

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

/// What a source states.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Statements {
    pub(crate) allow: Box<[Pattern]>,
    pub(crate) deny: Box<[Pattern]>,
    pub(crate) forbid: Box<[Pattern]>,
    pub(crate) levels: Box<[(Pattern, Box<str>)]>,
    pub(crate) bounds: Box<[(AttributeId, Bound)]>,
    pub(crate) settings: Box<[(u32, SettingValue)]>,
}

impl Statements {
    pub(crate) fn is_empty(&self) -> bool {
        let Statements { allow, deny, forbid, levels, bounds, settings } = self;
        (allow.is_empty() && deny.is_empty() && forbid.is_empty())
            && (levels.is_empty() && bounds.is_empty() && settings.is_empty())
    }

    /// Allows exactly a permission, at one of its levels, in place of all that is
    /// stated of exactly it.
    pub(crate) fn allow_exactly(&mut self, bit: Bit, catalogue: &Catalogue) {
        let id = catalogue.id_of(bit);
        let exactly = Pattern::exactly(id);
        let without = |patterns: &mut Box<[Pattern]>| {
            let mut left = std::mem::take(patterns).into_vec();
            left.retain(|&pattern| pattern != exactly);
            *patterns = left.into();
        };
        without(&mut self.allow);
        without(&mut self.deny);
        without(&mut self.forbid);
        let mut levels = std::mem::take(&mut self.levels).into_vec();
        levels.retain(|(pattern, _)| *pattern != exactly);
        match &catalogue.node(id).form {
            Form::Graded(known) => {
                let level = known.get(catalogue.node(id).level_of(bit) as usize);
                levels.extend(level.map(|level| (exactly, level.clone())));
            }
            _ => {
                let allow = std::mem::take(&mut self.allow).into_vec();
                self.allow = allow.into_iter().chain([exactly]).collect();
            }
        }
        self.levels = levels.into();
    }

    /// The value that it states for a setting.
    pub(crate) fn setting(&self, setting: u32) -> Option<&SettingValue> {
        self.settings.iter().find(|(known, _)| *known == setting).map(|(_, value)| value)
    }

    /// Its statements, as a document has them.
    pub(crate) fn to_document(&self, catalogue: &Catalogue) -> document::Statements {
        let texts = |patterns: &[Pattern]| {
            patterns.iter().map(|pattern| pattern.text(catalogue)).collect::<Vec<_>>()
        };
        let setting =
            |number: u32| catalogue.settings.get_index(number as usize).map(|(name, _)| &**name);
        document::Statements {
            allow: texts(&self.allow),
            deny: texts(&self.deny),
            forbid: texts(&self.forbid),
            levels: self
                .levels
                .iter()
                .map(|(pattern, level)| (pattern.text(catalogue), level.to_string()))
                .collect(),
            bounds: self
                .bounds
                .iter()
                .map(|(id, bound)| (&*catalogue.attribute_at(*id).path, bound.clone()))
                .collect(),
            settings: self
                .settings
                .iter()
                .map(|(number, value)| (setting(*number).unwrap_or_default(), value.clone()))
                .collect(),
        }
    }
}

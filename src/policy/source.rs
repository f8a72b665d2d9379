//! Sources with their references resolved.

use crate::catalogue::{AttributeId, Catalogue, Pattern};
use crate::document::{self, Bound, SettingValue};
use crate::names::keys;

/// A profile or an approval group, and what a role is besides.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) label: Option<Box<str>>,
    pub(crate) description: Option<Box<str>>,
    pub(crate) template: bool,
    pub(crate) protected: bool,
    /// The roles whose holders alone may give it.
    pub(crate) assignable_by: Box<[u32]>,
    pub(crate) statements: Statements,
}

/// A role.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) source: Source,
    /// The roles that it names.
    pub(crate) includes: Box<[u32]>,
    /// Itself and all that it brings along, each before those that it includes:
    /// depth first, at its first visit.
    pub(crate) closure: Box<[u32]>,
    pub(crate) unique: bool,
    pub(crate) demoted_to: Option<u32>,
}

/// What a source says.
#[derive(Debug, Default)]
pub(crate) struct Statements {
    pub(crate) allow: Box<[Pattern]>,
    pub(crate) deny: Box<[Pattern]>,
    pub(crate) forbid: Box<[Pattern]>,
    pub(crate) levels: Box<[(Pattern, Box<str>)]>,
    pub(crate) bounds: Box<[(AttributeId, Bound)]>,
    pub(crate) settings: Box<[(u32, SettingValue)]>,
}

impl Statements {
    /// What it says of a setting.
    pub(crate) fn setting(&self, setting: u32) -> Option<&SettingValue> {
        self.settings.iter().find(|(known, _)| *known == setting).map(|(_, value)| value)
    }

    /// What it says, as a document writes it.
    pub(crate) fn to_document(&self, catalogue: &Catalogue) -> document::Statements {
        let texts = |patterns: &[Pattern]| {
            patterns.iter().map(|pattern| pattern.text(catalogue)).collect::<Vec<_>>()
        };
        let setting = |number: u32| keys(&catalogue.settings).nth(number as usize);
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
                .map(|(id, bound)| (&*catalogue.attributes[*id as usize].path, bound.clone()))
                .collect(),
            settings: self
                .settings
                .iter()
                .map(|(number, value)| (setting(*number).unwrap_or_default(), value.clone()))
                .collect(),
        }
    }
}

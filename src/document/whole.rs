//! The document as a whole.

use serde::ser::Error;
use serde::{Serialize, Serializer};

use super::{Catalogue, Governance, Group, Licence, Map, Role, Source, Statements, UserEntry};
use crate::problem::Problem;

/// A policy document, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Document {
    /// The schema of the format that the document names, for editors.
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Public so that a document can be written with `..Document::default()`.
    #[doc(hidden)]
    pub format: Format,
    /// The permissions and other things that the product has.
    pub catalogue: Catalogue,
    /// The part of the catalogue that has been bought.
    #[serde(skip_serializing_if = "Licence::is_empty")]
    pub licence: Licence,
    /// The statements that hold for every user.
    #[serde(skip_serializing_if = "Statements::is_empty")]
    pub global: Statements,
    /// The profile that a new user gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_profile: Option<String>,
    /// The profiles, of which a user has one or none.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub profiles: Map<Source>,
    /// The roles, of which a user has any number, in order.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub roles: Map<Role>,
    /// The approval groups, of which a user has any number, in order.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub approval_groups: Map<Source>,
    /// The groups that have a parent; other groups need not be declared.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub groups: Map<Group>,
    /// The users.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub users: Map<UserEntry>,
    /// The rules for changing the policy.
    #[serde(skip_serializing_if = "Governance::is_empty")]
    pub governance: Governance,
    /// The problems of values that could not be read, and are left out above.
    #[serde(skip_serializing_if = "Faults::is_empty", serialize_with = "refuse")]
    #[doc(hidden)]
    pub faults: Faults,
}

/// Refuses to write a document with faults: without these, it could later be accepted.
fn refuse<S: Serializer>(Faults(faults): &Faults, _: S) -> Result<S::Ok, S::Error> {
    let fault = faults.iter().map(ToString::to_string).next().unwrap_or_default();
    Err(S::Error::custom(format!("the document has problems: {fault}")))
}

/// The problems of values that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(pub(crate) Vec<Problem>);

impl Faults {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The version of the format, which is 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Format;

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(1)
    }
}

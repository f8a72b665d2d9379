//! The raw document: the format, one to one, and nothing decided about it.
//!
//! A [`Document`] is what a host loads, stores and sends. It may be built in
//! code or read by any serde format that describes itself (JSON, YAML, TOML,
//! CBOR, …). Reading never stops at the first mistake: an unknown field, a key
//! that stands twice or a value of the wrong form is kept in mind, and
//! [`Policy::try_from`](crate::Policy) reports all of them together with the
//! names that do not resolve. Only text that the format itself can't read is an
//! error of the format's reader.
//!
//! A list or map that may be left out may as well be empty, with the same
//! meaning; only `levels`, where there are any, are two or more.

mod map;
mod read;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

pub use crate::date::Weekday;
pub use map::Map;

use crate::date::Date;
use crate::problem::Problem;

/// A policy document, as written.
///
/// ```
/// use grantree::Document;
///
/// let document: Document = serde_json::from_str(
///     r#"{"format": 1, "catalogue": {"permissions": [{"key": "orders"}]}}"#,
/// )?;
/// assert_eq!(document.catalogue.permissions[0].key, "orders");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Document {
    format: Format,
    /// What the product can protect.
    pub catalogue: Catalogue,
    /// What of it has been bought.
    #[serde(skip_serializing_if = "Licence::is_empty")]
    pub licence: Licence,
    /// What holds for every user.
    #[serde(skip_serializing_if = "Statements::is_empty")]
    pub global: Statements,
    /// The profile that a new user gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_profile: Option<String>,
    /// The profiles, of which a user has one or none.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub profiles: Map<Source>,
    /// The roles, of which a user has any number, in an order.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub roles: Map<Role>,
    /// The approval groups, of which a user has any number, in an order.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub approval_groups: Map<Source>,
    /// The groups that are beneath others; any other group needs no declaring.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub groups: Map<Group>,
    /// The users.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub users: Map<User>,
    /// Who may change the policy.
    #[serde(skip_serializing_if = "Governance::is_empty")]
    pub governance: Governance,
    /// What reading could not make sense of; the fields above leave it out.
    #[serde(skip)]
    pub(crate) faults: Vec<Problem>,
}

/// The version of the format, which is 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Format;

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(1)
    }
}

/// What the product can protect: permissions, objects, settings, editions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Catalogue {
    /// The roots of the permission tree.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<Permission>,
    /// The kinds of object that permissions are exercised on.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub objects: Map<ObjectKind>,
    /// The values that travel the tiers beside the permissions.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub settings: Map<Setting>,
    /// The editions that a licence can name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub editions: Map<Edition>,
}

/// A node of the permission tree.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Permission {
    /// The last key of its path.
    pub key: String,
    /// A short text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it only groups.
    #[serde(skip_serializing_if = "is_false")]
    pub heading: bool,
    /// The feature that it and all beneath it need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// The kind of object that it is exercised on, if not its gate parent's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The attributes whose bounds it must satisfy, besides its kind's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// The levels of a graded permission, the lowest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub levels: Option<Vec<String>>,
    /// The permissions that must be effective too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// The permissions that granting it grants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub implies: Vec<String>,
    /// What it splits into by the user's relation to the object.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Scope>,
    /// The nodes beneath it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Permission>,
}

/// A part of a scoped permission: a permission of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Scope {
    /// The last key of its path.
    pub key: String,
    /// A short text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The states that it accepts of the object's relations, all of which must
    /// hold; empty, it accepts every object.
    pub when: Map<Vec<RelationState>>,
    /// The permissions that must be effective too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// The permissions that granting it grants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub implies: Vec<String>,
}

/// A relation of an object as one user sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationState {
    /// It names the user, or a group that is one of the user's or beneath one.
    Me,
    /// It names somebody, but not the user.
    Other,
    /// It names nobody.
    None,
}

/// A kind of object.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ObjectKind {
    /// A short text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its relations to users and groups.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub relations: Map<RelationType>,
    /// Its attributes, each with the form of bound that can be put on it.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<BoundType>,
    /// The attributes whose bounds every permission on this kind must satisfy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
}

/// What a relation names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationType {
    /// Users.
    User,
    /// Groups.
    Group,
}

/// The form of the bounds on an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundType {
    /// A text that is one of a list.
    OneOf,
    /// An integer that is no greater.
    AtMost,
    /// An integer that is no less.
    AtLeast,
    /// A date that is no earlier.
    NotBefore,
    /// A date that is no later.
    NotAfter,
}

/// A setting: a value that travels the tiers, and is no permission.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Setting {
    /// A short text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The accepted values; any, where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<SettingValue>>,
    /// The value of whom no source says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<SettingValue>,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SettingValue {
    Boolean(bool),
    Integer(i64),
    Text(String),
}

impl std::fmt::Display for SettingValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SettingValue::Boolean(value) => value.fmt(f),
            SettingValue::Integer(value) => value.fmt(f),
            SettingValue::Text(value) => value.fmt(f),
        }
    }
}

/// An edition of the product.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Edition {
    /// A short text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The editions whose features it has too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub includes: Vec<String>,
    /// Its own features.
    pub features: Vec<String>,
}

/// What has been bought of the product.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Licence {
    /// The edition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// Features besides the edition's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
}

impl Licence {
    fn is_empty(&self) -> bool {
        self == &Licence::default()
    }
}

/// What a source says.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Statements {
    /// Patterns of the permissions that it allows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Patterns of the permissions that it denies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
    /// Patterns of the permissions that it forbids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forbid: Vec<String>,
    /// Levels of graded permissions, by pattern.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub levels: Map<String>,
    /// Bounds, by attribute: `kind.attribute`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub bounds: Map<Bound>,
    /// Values, by setting.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub settings: Map<SettingValue>,
}

impl Statements {
    pub(crate) fn is_empty(&self) -> bool {
        self == &Statements::default()
    }
}

/// What a source says of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// Whatever the object says or leaves out: `"any"`.
    Any,
    /// One of these texts.
    OneOf(Vec<String>),
    /// At most or at least this, as the attribute has it.
    Limit(i64),
    /// Not before or not after this date, as the attribute has it.
    Fence(Fence),
}

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Bound::Any => serializer.serialize_str("any"),
            Bound::OneOf(values) => values.serialize(serializer),
            Bound::Limit(limit) => serializer.serialize_i64(*limit),
            Bound::Fence(fence) => fence.serialize(serializer),
        }
    }
}

/// A date that a bound names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fence {
    /// This date.
    Date(Date),
    /// So many days from today.
    PlusDays(i64),
    /// So many days from the first such weekday after today.
    Next {
        /// The weekday.
        weekday: Weekday,
        /// How many days from it.
        plus_days: i64,
    },
}

impl Serialize for Fence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Fence::Date(date) => map.serialize_entry("date", date)?,
            Fence::PlusDays(days) => map.serialize_entry("plus_days", days)?,
            Fence::Next { weekday, plus_days } => {
                map.serialize_entry("next", weekday)?;
                map.serialize_entry("plus_days", plus_days)?;
            }
        }
        map.end()
    }
}

/// A profile or an approval group, and what a role is besides.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Source {
    /// A short text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is a starting point to clone.
    #[serde(skip_serializing_if = "is_false")]
    pub template: bool,
    /// Whether no change may touch it.
    #[serde(skip_serializing_if = "is_false")]
    pub protected: bool,
    /// The roles whose holders alone may give it, besides admins; absent, any
    /// actor may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignable_by: Option<Vec<String>>,
    /// What it says.
    #[serde(flatten)]
    pub statements: Statements,
}

/// A role.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Role {
    /// What it has in common with profiles and approval groups.
    #[serde(flatten)]
    pub source: Source,
    /// The roles that it brings along.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub includes: Vec<String>,
    /// Whether only one user can hold it.
    #[serde(skip_serializing_if = "is_false")]
    pub unique: bool,
    /// The role that a holder gets on passing a unique role on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demoted_to: Option<String>,
}

/// A group that is declared.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Group {
    /// A short text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The group that it is beneath.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct User {
    /// A short text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The roles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The approval groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approval_groups: Vec<String>,
    /// The groups that the user belongs to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Whether the user holds every licensed permission.
    #[serde(skip_serializing_if = "is_false")]
    pub admin: bool,
    /// Whether the user holds nothing.
    #[serde(skip_serializing_if = "is_false")]
    pub suspended: bool,
    /// The user's own statements.
    #[serde(flatten)]
    pub statements: Statements,
}

/// A new user.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NewUser {
    /// The name.
    pub user: String,
    /// The profile, or none; absent, the default profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Option<String>>,
    /// All else; its own `profile` is left out of account.
    #[serde(flatten, serialize_with = "without_profile")]
    pub rest: User,
}

/// Profiles, roles and approval groups, to be carried from one policy to
/// another.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Bundle {
    /// The profiles.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub profiles: Map<Source>,
    /// The roles.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub roles: Map<Role>,
    /// The approval groups.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub approval_groups: Map<Source>,
}

/// Who may change the policy, and how far.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Governance {
    /// The permissions that each kind of change asks of an actor.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub permissions: Map<Vec<String>>,
    /// Whether nobody can be given what neither they nor the actor may.
    #[serde(skip_serializing_if = "is_false")]
    pub no_escalation: bool,
    /// Permissions that are kept apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub separation: Vec<Separation>,
}

impl Governance {
    fn is_empty(&self) -> bool {
        self == &Governance::default()
    }
}

/// Permissions of which nobody may hold more than some.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Separation {
    /// Its name.
    pub name: String,
    /// A short text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The permissions.
    pub permissions: Vec<String>,
    /// How many of them one user may hold.
    pub at_most: u32,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn without_profile<S: Serializer>(user: &User, serializer: S) -> Result<S::Ok, S::Error> {
    User { profile: None, ..user.clone() }.serialize(serializer)
}

//! The document model: the format one to one, without validation.
//!
//! A [`Document`] is what a host loads, stores and sends. It may be built in
//! code or read from any self-describing serde format (JSON, YAML, TOML, CBOR, …).
//! Reading never stops at the first mistake: unknown fields, duplicate keys and
//! values of the wrong form are recorded, and [`Policy::try_from`](crate::Policy)
//! reports all of them together with the names that do not resolve. Only text that
//! the format itself can't read is an error of the format's reader.
//!
//! The recorded mistakes belong to the whole document. A document that has any
//! can't be serialized, and a part moved out of it leaves them behind. Each part can
//! also be read by itself; then all its mistakes are one error, as are all problems of a
//! document where a [`Policy`](crate::Policy) is read.
//!
//! A host that reads many users only to make a policy reads a [`CompactDocument`].
//!
//! A list or map that may be absent may also be empty, with the same meaning. The
//! exceptions are the `levels` of a permission (two or more), the `values` of a
//! setting (if empty, none is accepted) and `assignable_by` (if empty, only admins
//! may assign the source).
//!
//! ```
//! use grantree::{Document, Policy};
//!
//! let document: Document = serde_json::from_str(
//!     r#"{
//!         "format": 1,
//!         "catalogue": {"permissions": [{"key": "orders", "colour": "red"}]},
//!         "roles": {"clerk": {"allow": ["ordres"]}}
//!     }"#,
//! )?;
//! let problems = Policy::try_from(document).unwrap_err();
//! let places: Vec<&str> = problems.iter().map(|problem| problem.place()).collect();
//! assert_eq!(places, ["catalogue.permissions[0].colour", "roles.clerk.allow[0]"]);
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! A document written in code:
//!
//! ```
//! use grantree::document::{
//!     Bound, BoundType, Catalogue, Map, ObjectKind, PermissionNode, Statements, UserEntry,
//! };
//! use grantree::object::DynamicObject;
//! use grantree::{Document, Engine, Policy};
//!
//! let approve = PermissionNode {
//!     label: Some("Approve orders".into()),
//!     object: Some("order".into()),
//!     checks: vec!["amount".into()],
//!     ..PermissionNode::new("approve")
//! };
//! let order = ObjectKind {
//!     attributes: Map::from([("amount", BoundType::AtMost)]),
//!     ..ObjectKind::default()
//! };
//! let small = Statements {
//!     bounds: Map::from([("order.amount", Bound::Limit(5000))]),
//!     ..Statements::default()
//! };
//! let bob = UserEntry {
//!     roles: vec!["clerk".into()],
//!     approval_groups: vec!["small".into()],
//!     ..UserEntry::default()
//! };
//! let document = Document {
//!     catalogue: Catalogue {
//!         permissions: vec![
//!             PermissionNode::new("orders").with_children(["quotes".into(), approve]),
//!             PermissionNode::new("reports"),
//!         ],
//!         objects: Map::from([("order", order)]),
//!         ..Catalogue::default()
//!     },
//!     roles: Map::from([("clerk", Statements::allowing(["orders.**"]).into())]),
//!     approval_groups: Map::from([("small", small.into())]),
//!     users: Map::from([("bob", bob)]),
//!     ..Document::default()
//! };
//! let engine = Engine::new(&Policy::try_from(document)?);
//! let order = |amount: i64| DynamicObject::new("order").with_attribute("amount", amount);
//! assert!(engine.check("bob", "orders.approve", &order(400))?);
//! assert!(!engine.check("bob", "orders.approve", &order(9000))?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod code;
mod compact;
mod map;
mod read;
// A private path, so that the root of the crate is the only public one.
pub(crate) mod whole;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

pub use crate::date::Weekday;
pub use crate::relation::RelationType;
pub use compact::CompactDocument;
pub(crate) use compact::CompactUsers;
pub use map::Map;
pub(crate) use whole::Document;

use crate::date::{Date, Moment};
use crate::relation::RelationState;

/// The catalogue: permissions, kinds of object, settings and editions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Catalogue {
    /// The roots of the permission tree.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<PermissionNode>,
    /// The kinds of object that permissions are exercised on.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub objects: Map<ObjectKind>,
    /// Values that follow the tiers as permissions do.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub settings: Map<Setting>,
    /// The editions that a licence can name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub editions: Map<Edition>,
}

/// A node of the permission tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PermissionNode {
    /// The last key of its path.
    pub key: String,
    /// A short text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `true` if it only groups others.
    #[serde(skip_serializing_if = "is_false")]
    pub heading: bool,
    /// The feature that it and the nodes below it need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// The kind of object that it is exercised on, if not its gate parent's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The attributes whose bounds it must satisfy, in addition to its kind's.
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
    /// The paths that it had in earlier catalogues: whatever names one of them is about it,
    /// where a stored document is adopted or a bundle imported.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub was: Vec<String>,
    /// The permissions that it splits into, by the user's relation to the object.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Scope>,
    /// The nodes below it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<PermissionNode>,
}

/// A part of a scoped permission: a permission of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// The last key of its path.
    pub key: String,
    /// A short text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The states and values that it accepts of the object's relations and attributes,
    /// all of which must hold. If empty, it accepts every object.
    pub when: Map<Accepted>,
    /// The permissions that must be effective too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// The permissions that granting it grants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub implies: Vec<String>,
    /// The paths that it had in earlier catalogues: whatever names one of them is about it,
    /// where a stored document is adopted or a bundle imported.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub was: Vec<String>,
}

/// The states of a relation, or the values of an attribute, that a scope accepts.
///
/// ```
/// use grantree::document::{Accepted, Map};
/// use grantree::object::RelationState;
///
/// let when = Map::from_iter([
///     ("assignee", Accepted::from(RelationState::Me)),
///     ("team", Accepted::from_iter([RelationState::Me, RelationState::None])),
///     ("status", Accepted::OneOf(vec!["draft".into(), "new".into()])),
///     ("archived", Accepted::Flag(false)),
/// ]);
/// let text = r#"{"assignee":"me","team":["me","none"],"status":["draft","new"],"archived":false}"#;
/// assert_eq!(serde_json::to_string(&when)?, text);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Accepted {
    /// This state of a relation: `"me"`, `"other"` or `"none"`.
    State(String),
    /// One of these states of a relation, or of these texts: the kind of object declares
    /// which it is.
    OneOf(Vec<String>),
    /// At most or at least this, as the attribute is declared.
    Limit(i64),
    /// Not before or not after this date, as the attribute is declared.
    Date(Date),
    /// This value of a flag.
    Flag(bool),
    /// Either value of a flag: `[true, false]`.
    EitherFlag,
}

impl Accepted {
    /// Returns what a bound accepts, if it is the same on every day and for no missing
    /// value.
    pub(crate) fn of(bound: Bound) -> Option<Accepted> {
        Some(match bound {
            Bound::Any | Bound::Fence(Fence::PlusDays(_) | Fence::Next { .. }) => return None,
            Bound::OneOf(texts) => Accepted::OneOf(texts),
            Bound::Limit(limit) => Accepted::Limit(limit),
            Bound::Fence(Fence::Date(date)) => Accepted::Date(date),
            Bound::Flag(flag) => Accepted::Flag(flag),
            Bound::EitherFlag => Accepted::EitherFlag,
        })
    }

    /// Returns the bound on an attribute that accepts the same; `None` for a single state.
    pub(crate) fn bound(&self) -> Option<Bound> {
        Some(match self {
            Accepted::State(_) => return None,
            Accepted::OneOf(texts) => Bound::OneOf(texts.clone()),
            Accepted::Limit(limit) => Bound::Limit(*limit),
            Accepted::Date(date) => Bound::Fence(Fence::Date(*date)),
            Accepted::Flag(flag) => Bound::Flag(*flag),
            Accepted::EitherFlag => Bound::EitherFlag,
        })
    }
}

impl From<RelationState> for Accepted {
    fn from(state: RelationState) -> Accepted {
        Accepted::State(state.name().to_owned())
    }
}

impl FromIterator<RelationState> for Accepted {
    fn from_iter<I: IntoIterator<Item = RelationState>>(states: I) -> Accepted {
        Accepted::OneOf(states.into_iter().map(|state| state.name().to_owned()).collect())
    }
}

impl Serialize for Accepted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Accepted::State(state) => serializer.serialize_str(state),
            accepted => accepted.bound().serialize(serializer),
        }
    }
}

/// A kind of object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
    /// The things of the policy itself that its objects stand for, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<StandsFor>,
}

/// A part of the policy that objects of a kind stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StandsFor {
    /// The users, for governance.
    Users,
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
    /// A flag that has this value.
    Flag,
}

impl BoundType {
    /// All of them.
    pub(crate) const ALL: [BoundType; 6] = [
        BoundType::OneOf,
        BoundType::AtMost,
        BoundType::AtLeast,
        BoundType::NotBefore,
        BoundType::NotAfter,
        BoundType::Flag,
    ];
}

/// A setting: a value that follows the tiers, but is no permission.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// A short text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The accepted values; if absent, any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<SettingValue>>,
    /// The value for users for whom no source states one.
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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

/// The part of the product that has been bought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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

/// The statements of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Statements {
    /// Patterns of the permissions that it allows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Patterns of the permissions that it leaves to other sources, although a wider
    /// pattern of its own covers them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
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

/// A limit that a source puts on an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// Any value, or none: `"any"`.
    Any,
    /// One of these texts.
    OneOf(Vec<String>),
    /// At most or at least this, as the attribute is declared.
    Limit(i64),
    /// Not before or not after this date, as the attribute is declared.
    Fence(Fence),
    /// This value of a flag: `true` or `false`.
    Flag(bool),
    /// Either value of a flag, but not a missing one: `[true, false]`.
    EitherFlag,
}

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Bound::Any => serializer.serialize_str("any"),
            Bound::OneOf(values) => values.serialize(serializer),
            Bound::Limit(limit) => serializer.serialize_i64(*limit),
            Bound::Fence(fence) => fence.serialize(serializer),
            Bound::Flag(flag) => serializer.serialize_bool(*flag),
            Bound::EitherFlag => [true, false].serialize(serializer),
        }
    }
}

/// A date that a bound names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fence {
    /// This date.
    Date(Date),
    /// This many days from today.
    PlusDays(i64),
    /// This many days from the first such weekday after today.
    Next {
        /// The weekday.
        weekday: Weekday,
        /// The number of days from it.
        plus_days: i64,
    },
}

impl Fence {
    /// The greatest number of days between it and the day that it is relative to.
    const MOST_DAYS: i64 = 100_000;

    /// Returns `true` if it is not relative to today by more days than a document may
    /// state.
    pub(crate) fn is_within_reach(self) -> bool {
        match self {
            Fence::Date(_) => true,
            Fence::PlusDays(days) | Fence::Next { plus_days: days, .. } => {
                (-Fence::MOST_DAYS..=Fence::MOST_DAYS).contains(&days)
            }
        }
    }
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

/// A profile or an approval group; also the part that a role shares with these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Source {
    /// A short text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `true` if it is a starting point to clone.
    #[serde(skip_serializing_if = "is_false")]
    pub template: bool,
    /// `true` if no change may touch it.
    #[serde(skip_serializing_if = "is_false")]
    pub protected: bool,
    /// The roles whose holders may assign it, as may admins; if absent, any actor may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignable_by: Option<Vec<String>>,
    /// Its statements.
    #[serde(flatten)]
    pub statements: Statements,
}

/// A role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Role {
    /// The part that it shares with profiles and approval groups.
    #[serde(flatten)]
    pub source: Source,
    /// The roles that it brings along.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub includes: Vec<String>,
    /// `true` if only one user can hold it.
    #[serde(skip_serializing_if = "is_false")]
    pub unique: bool,
    /// The role that the former holder gets when this unique role is transferred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demoted_to: Option<String>,
}

/// A declared group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Group {
    /// A short text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The group directly above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UserEntry {
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
    /// `true` if the user holds every licensed permission.
    #[serde(skip_serializing_if = "is_false")]
    pub admin: bool,
    /// `true` if the user holds nothing.
    #[serde(skip_serializing_if = "is_false")]
    pub suspended: bool,
    /// Roles, approval groups and statements that the user has only on some objects, or
    /// only for a time, or with limits of their own, by a name for each.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub assignments: Map<Assignment>,
    /// The user's own statements.
    #[serde(flatten)]
    pub statements: Statements,
}

/// Roles and approval groups that a user has under some terms, with statements of their
/// own. It only adds to what the user may do, and its limits apply only to that.
///
/// ```
/// use grantree::{Document, Engine, Moment, Policy};
/// use grantree::object::DynamicObject;
///
/// let text = r#"{
///     "format": 1,
///     "catalogue": {
///         "objects": {"job": {"relations": {"team": "group"}}},
///         "permissions": [{"key": "edit", "object": "job"}]},
///     "roles": {"lead": {"allow": ["edit"]}},
///     "users": {"carol": {"assignments": {"leeds cover": {
///         "roles": ["lead"], "on": {"job": {"team": ["leeds"]}}, "until": "2026-12-24T18:00"}}}}
/// }"#;
/// let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let (carol, edit) = (engine.user("carol")?, engine.permission("edit")?);
/// let job = |team: &str| DynamicObject::new("job").with_relation("team", [team]);
/// let day = |text: &str| text.parse::<Moment>();
/// assert!(engine.can(carol, edit, (&job("leeds"), day("2026-12-23")?)));
/// assert!(!engine.can(carol, edit, (&job("york"), day("2026-12-23")?)));
/// assert!(!engine.can(carol, edit, (&job("leeds"), day("2026-12-24T18:00")?)));
/// assert!(engine.can_some(carol, edit));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Assignment {
    /// A short text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The roles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The approval groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approval_groups: Vec<String>,
    /// The objects on which it holds; if absent, all, and questions without an object
    /// too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<Coverage>,
    /// The first date or time at which it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Moment>,
    /// The last date on which it holds, or the time at which it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// Its own statements; it can't have settings.
    #[serde(flatten)]
    pub statements: Statements,
}

/// The objects on which an assignment holds: for each kind, the conditions that an object
/// must meet, all of them. A relation's condition is a list of users or groups, one of
/// which it must name ([`Bound::OneOf`]); an attribute's is a bound. `*` stands for every
/// kind that is not named and that declares everything stated there.
pub type Coverage = Map<Map<Bound>>;

/// Writes a value that may be null but not absent. A format that has no null would leave out
/// a `None`, and so say something else; it refuses a unit.
pub(crate) fn null_or<T: Serialize, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.serialize_some(value),
        None => serializer.serialize_unit(),
    }
}

/// Writes a value that may be null, or absent, if it is not absent.
pub(crate) fn stated<T: Serialize, S: Serializer>(
    value: &Option<Option<T>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    struct NullOr<'v, T>(&'v Option<T>);

    impl<T: Serialize> Serialize for NullOr<'_, T> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            null_or(self.0, serializer)
        }
    }

    value.as_ref().map(NullOr).serialize(serializer)
}

/// A new user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NewUser {
    /// The name.
    pub user: String,
    /// The profile, or none; if absent, the default profile.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "stated")]
    pub profile: Option<Option<String>>,
    /// The other fields; its own `profile` is ignored.
    #[serde(flatten, serialize_with = "without_profile")]
    pub rest: UserEntry,
}

/// A user whom the document does not have, in a question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NamedUser {
    /// The name.
    pub name: String,
    /// The other fields.
    #[serde(flatten)]
    pub entry: UserEntry,
}

/// Profiles, roles and approval groups, for carrying from one policy to another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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

/// The rules for changing the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Governance {
    /// The permissions that an actor needs for each kind of change, at least one; admins
    /// need none.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub permissions: Map<Vec<String>>,
    /// `true` if no change lets a user do what neither that user nor the actor may do.
    #[serde(skip_serializing_if = "is_false")]
    pub no_escalation: bool,
    /// `true` if nobody but an admin acts on a user who may do what the actor may not.
    #[serde(skip_serializing_if = "is_false")]
    pub protect_superiors: bool,
    /// The permissions with which an actor may write into sources what the actor may not
    /// do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub escalate: Vec<String>,
    /// The permissions with which an actor may give what the actor may not do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bind: Vec<String>,
    /// The permissions that are kept apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub separation: Vec<Separation>,
}

impl Governance {
    fn is_empty(&self) -> bool {
        self == &Governance::default()
    }
}

/// Permissions of which one user may hold at most a given number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
    /// The greatest number of them that one user may hold.
    pub at_most: u32,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn without_profile<S: Serializer>(user: &UserEntry, serializer: S) -> Result<S::Ok, S::Error> {
    UserEntry { profile: None, ..user.clone() }.serialize(serializer)
}

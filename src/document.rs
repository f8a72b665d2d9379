//! The raw document: the format, one to one, without any validation.
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
//! also be read by itself; then the first mistake is an error.
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

mod map;
mod read;

use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};

pub use crate::date::Weekday;
pub use crate::relation::RelationType;
pub use map::Map;

use crate::date::Date;
use crate::problem::Problem;
use crate::relation::RelationState;

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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Document {
    format: Format,
    /// What the product can protect.
    pub catalogue: Catalogue,
    /// Which part of the catalogue has been bought.
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
    /// The groups that are beneath others; other groups need not be declared.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub groups: Map<Group>,
    /// The users.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub users: Map<User>,
    /// Who may change the policy.
    #[serde(skip_serializing_if = "Governance::is_empty")]
    pub governance: Governance,
    /// What could not be read, and is left out of the fields above.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "refuse")]
    pub(crate) faults: Vec<Problem>,
}

/// Written without its faults, a document that is refused could later be accepted.
fn refuse<S: Serializer>(faults: &[Problem], _: S) -> Result<S::Ok, S::Error> {
    let fault = faults.iter().map(ToString::to_string).next().unwrap_or_default();
    Err(S::Error::custom(format!("the document has problems: {fault}")))
}

/// The version of the format, which is 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Format;

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(1)
    }
}

/// What the product can protect: permissions, objects, settings, editions.
///
/// ```
/// use grantree::document::{Catalogue, Permission};
/// use grantree::{Document, Policy};
///
/// let mut document = Document::default();
/// document.catalogue = Catalogue {
///     permissions: vec![Permission { key: "orders".into(), ..Permission::default() }],
///     ..Catalogue::default()
/// };
/// assert!(Policy::try_from(document).is_ok());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Catalogue {
    /// The roots of the permission tree.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<Permission>,
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
///
/// ```
/// use grantree::document::Permission;
///
/// let approve = Permission {
///     key: "approve".into(),
///     label: Some("Approve orders".into()),
///     requires: vec!["orders.quotes".into()],
///     ..Permission::default()
/// };
/// let text = r#"{"key":"approve","label":"Approve orders","requires":["orders.quotes"]}"#;
/// assert_eq!(serde_json::to_string(&approve)?, text);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Permission {
    /// The last key of its path.
    pub key: String,
    /// A short text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A longer text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it only groups others.
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
    /// The permissions that it splits into, by the user's relation to the object.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<Scope>,
    /// The nodes beneath it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Permission>,
}

/// A part of a scoped permission: a permission of its own.
///
/// ```
/// use grantree::document::{Map, Scope};
/// use grantree::object::RelationState;
///
/// let free = Scope {
///     key: "free".into(),
///     when: Map::from_iter([("assignee", vec![RelationState::Me, RelationState::None])]),
///     ..Scope::default()
/// };
/// let text = r#"{"key":"free","when":{"assignee":["me","none"]}}"#;
/// assert_eq!(serde_json::to_string(&free)?, text);
/// # Ok::<(), serde_json::Error>(())
/// ```
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
    /// The states that it accepts for the object's relations, all of which must hold.
    /// If empty, it accepts every object.
    pub when: Map<Vec<RelationState>>,
    /// The permissions that must be effective too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// The permissions that granting it grants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub implies: Vec<String>,
}

/// A kind of object.
///
/// ```
/// use grantree::document::{BoundType, Map, ObjectKind, RelationType};
///
/// let job = ObjectKind {
///     relations: Map::from_iter([("assignee", RelationType::User)]),
///     attributes: Map::from_iter([("region", BoundType::OneOf)]),
///     checks: vec!["region".into()],
///     ..ObjectKind::default()
/// };
/// assert_eq!(
///     serde_json::to_string(&job)?,
///     r#"{"relations":{"assignee":"user"},"attributes":{"region":"one_of"},"checks":["region"]}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
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
}

/// The form of the bounds on an attribute.
///
/// ```
/// # use grantree::{Document, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"objects": {"order": {"attributes": {"amount": "at_most"}}}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::document::BoundType;
///
/// let document = Document::from(&policy);
/// let order = document.catalogue.objects.get("order").unwrap();
/// assert_eq!(order.attributes.get("amount"), Some(&BoundType::AtMost));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

/// A setting: a value that follows the tiers, but is no permission.
///
/// ```
/// use grantree::document::{Setting, SettingValue};
///
/// let out_of_hours = Setting {
///     values: Some(vec![SettingValue::Boolean(true), SettingValue::Boolean(false)]),
///     default: Some(SettingValue::Boolean(false)),
///     ..Setting::default()
/// };
/// let text = r#"{"values":[true,false],"default":false}"#;
/// assert_eq!(serde_json::to_string(&out_of_hours)?, text);
/// # Ok::<(), serde_json::Error>(())
/// ```
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
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"settings": {"slots": {"default": "two hours"}, "advance_days": {}}},
/// #     "users": {"alice": {"settings": {"advance_days": 14}}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use grantree::document::SettingValue;
///
/// let value = engine.setting_by_name("alice", "advance_days")?;
/// assert_eq!(value, Some(&SettingValue::Integer(14)));
/// assert_eq!(engine.setting_by_name("alice", "slots")?.unwrap().to_string(), "two hours");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "permissions": [{"key": "planner", "feature": "project_planner"}],
/// #         "editions": {"professional": {"features": []}}},
/// #     "licence": {"edition": "professional"},
/// #     "users": {"alice": {"allow": ["planner"]}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::document::Edition;
///
/// let mut document = Document::from(&policy);
/// document.catalogue.editions.push("business", Edition {
///     includes: vec!["professional".into()],
///     features: vec!["project_planner".into()],
///     ..Edition::default()
/// });
/// assert!(!Engine::new(&policy).can_by_name("alice", "planner", ())?);
/// document.licence.edition = Some("business".into());
/// assert!(Engine::new(&Policy::try_from(document)?).can_by_name("alice", "planner", ())?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

/// Which part of the product has been bought.
///
/// ```
/// use grantree::document::Licence;
///
/// let licence = Licence {
///     edition: Some("professional".into()),
///     features: vec!["project_planner".into()],
/// };
/// let text = r#"{"edition":"professional","features":["project_planner"]}"#;
/// assert_eq!(serde_json::to_string(&licence)?, text);
/// # Ok::<(), serde_json::Error>(())
/// ```
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
///
/// ```
/// use grantree::document::{Bound, Map, Statements};
///
/// let buyer = Statements {
///     allow: vec!["orders.**".into()],
///     deny: vec!["orders.export".into()],
///     bounds: Map::from_iter([("order.amount", Bound::Limit(5000))]),
///     ..Statements::default()
/// };
/// assert_eq!(
///     serde_json::to_string(&buyer)?,
///     r#"{"allow":["orders.**"],"deny":["orders.export"],"bounds":{"order.amount":5000}}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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

/// What a source says about an attribute.
///
/// ```
/// use grantree::document::Bound;
///
/// assert_eq!(serde_json::to_string(&Bound::Any)?, r#""any""#);
/// assert_eq!(serde_json::to_string(&Bound::Limit(5000))?, "5000");
/// let regions = Bound::OneOf(vec!["north".into(), "south".into()]);
/// assert_eq!(serde_json::to_string(&regions)?, r#"["north","south"]"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
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
///
/// ```
/// use grantree::document::{Bound, Fence};
///
/// let in_three_days = Bound::Fence(Fence::PlusDays(3));
/// assert_eq!(serde_json::to_string(&in_three_days)?, r#"{"plus_days":3}"#);
/// let day = Bound::Fence(Fence::Date("2026-11-21".parse()?));
/// assert_eq!(serde_json::to_string(&day)?, r#"{"date":"2026-11-21"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fence {
    /// This date.
    Date(Date),
    /// This many days from today.
    PlusDays(i64),
    /// This many days from the first such weekday after today.
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

/// A profile or an approval group; also what a role has in common with these.
///
/// ```
/// use grantree::document::{Source, Statements};
///
/// let planner = Source {
///     label: Some("Planner".into()),
///     template: true,
///     statements: Statements { allow: vec!["orders.**".into()], ..Statements::default() },
///     ..Source::default()
/// };
/// let text = r#"{"label":"Planner","template":true,"allow":["orders.**"]}"#;
/// assert_eq!(serde_json::to_string(&planner)?, text);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
    /// The roles whose holders alone may assign it, besides admins; if absent, any actor
    /// may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignable_by: Option<Vec<String>>,
    /// Its statements.
    #[serde(flatten)]
    pub statements: Statements,
}

/// A role.
///
/// ```
/// use grantree::document::Role;
///
/// let owner = Role {
///     includes: vec!["dispatcher".into()],
///     unique: true,
///     demoted_to: Some("dispatcher".into()),
///     ..Role::default()
/// };
/// let text = r#"{"includes":["dispatcher"],"unique":true,"demoted_to":"dispatcher"}"#;
/// assert_eq!(serde_json::to_string(&owner)?, text);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
    /// The role that the former holder gets when this unique role is transferred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub demoted_to: Option<String>,
}

/// A declared group.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # use grantree::object::DynamicObject;
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"job": {"relations": {"team": "group"}}},
/// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
/// #             {"key": "team", "when": {"team": "me"}}]}]},
/// #     "users": {"alice": {"allow": ["edit"], "groups": ["uk"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use grantree::document::Group;
///
/// let mut document = Document::from(engine.policy());
/// document.groups.push("uk", Group::default());
/// document.groups.push("leeds", Group { parent: Some("uk".into()), ..Group::default() });
/// let engine = Engine::new(&Policy::try_from(document)?);
///
/// // Alice belongs to the UK, and Leeds is beneath it.
/// let job = DynamicObject::new("job").with_relation("team", ["leeds"]);
/// assert!(engine.can_by_name("alice", "edit", &job)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "roles": {"clerk": {"allow": ["orders"]}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::document::User;
///
/// let mut document = Document::from(&policy);
/// document.users.push("bob", User { roles: vec!["clerk".into()], ..User::default() });
/// let engine = Engine::new(&Policy::try_from(document)?);
/// assert!(engine.can_by_name("bob", "orders", ())?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
///
/// ```
/// # use grantree::{Document, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "default_profile": "planner",
/// #     "profiles": {"planner": {"allow": ["orders"]}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{Actor, Change, NewUser};
///
/// let carol = NewUser { user: "carol".into(), ..NewUser::default() };
/// let applied = policy.apply(Actor::Host, &Change::AddUser(Box::new(carol)))?;
/// let document = Document::from(&applied.policy);
/// assert_eq!(document.users.get("carol").unwrap().profile.as_deref(), Some("planner"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NewUser {
    /// The name.
    pub user: String,
    /// The profile, or none; if absent, the default profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Option<String>>,
    /// All else; its own `profile` is ignored.
    #[serde(flatten, serialize_with = "without_profile")]
    pub rest: User,
}

/// Profiles, roles and approval groups, to be carried from one policy to another.
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "profiles": {"planner": {"allow": ["orders"]}, "viewer": {}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::document::Bundle;
///
/// let bundle: Bundle = policy.export([&SourceName::Profile("planner".into())])?;
/// let text = r#"{"profiles":{"planner":{"allow":["orders"]}}}"#;
/// assert_eq!(serde_json::to_string(&bundle)?, text);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

/// Who may change the policy, and how far.
///
/// ```
/// use grantree::document::{Governance, Map};
///
/// let governance = Governance {
///     permissions: Map::from_iter([("assign_role", vec!["users.manage".to_owned()])]),
///     no_escalation: true,
///     ..Governance::default()
/// };
/// let text = r#"{"permissions":{"assign_role":["users.manage"]},"no_escalation":true}"#;
/// assert_eq!(serde_json::to_string(&governance)?, text);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Governance {
    /// The permissions that an actor needs, for each kind of change.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub permissions: Map<Vec<String>>,
    /// Whether nobody can be enabled to do what neither they nor the actor may do.
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

/// Permissions of which nobody may hold more than a given number.
///
/// ```
/// # use grantree::{Document, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "order"}, {"key": "pay"}]},
/// #     "roles": {"buyer": {"allow": ["order"]}, "payer": {"allow": ["pay"]}},
/// #     "users": {"bob": {"roles": ["buyer"]}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{Actor, Change, Rule};
/// use grantree::document::Separation;
/// use grantree::SourceName;
///
/// let mut document = Document::from(&policy);
/// document.governance.separation.push(Separation {
///     name: "four-eyes".into(),
///     permissions: vec!["order".into(), "pay".into()],
///     at_most: 1,
///     ..Separation::default()
/// });
/// let policy = Policy::try_from(document)?;
/// let payer = SourceName::Role("payer".into());
/// let assign = Change::Assign { user: "bob".into(), source: payer };
/// assert_eq!(policy.apply(Actor::Host, &assign).unwrap_err().rule, Rule::Separation);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// How many of them one user may hold.
    pub at_most: u32,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn without_profile<S: Serializer>(user: &User, serializer: S) -> Result<S::Ok, S::Error> {
    User { profile: None, ..user.clone() }.serialize(serializer)
}

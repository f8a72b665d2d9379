//! Changes to a policy: data, each applied whole or refused, naming the rule that
//! refuses it.
//!
//! A [`Change`] is data. [`Policy::apply`] makes the next version of a policy with it, for
//! the host or on behalf of one of the policy's users:
//!
//! ```
//! use grantree::change::{Actor, Change, Rule};
//! use grantree::{Document, Engine, Policy};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = r#"{
//!     "format": 1,
//!     "catalogue": {"permissions": [{"key": "orders"}, {"key": "users"}]},
//!     "roles": {"clerk": {"allow": ["orders"]}, "lead": {"allow": ["users"]}},
//!     "users": {"ann": {"roles": ["lead"]}, "bob": {}},
//!     "governance": {"permissions": {"assign_role": ["users"]}}
//! }"#;
//! let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
//! let change: Change =
//!     serde_json::from_str(r#"{"assign": {"user": "bob", "source": {"role": "clerk"}}}"#)?;
//!
//! let refusal = policy.apply(Actor::User("bob"), &change).unwrap_err();
//! assert_eq!(refusal.rule, Rule::NotPermitted);
//!
//! let applied = policy.apply(Actor::User("ann"), &change)?;
//! assert_eq!(applied.changed, [change]);
//! let engine = Engine::new(&applied.policy);
//! assert!(engine.check("bob", "orders", ())?);
//! # Ok(())
//! # }
//! ```
//!
//! [`guide::delegating`](crate::guide::delegating) shows how to arrange who may make which change.

mod ability;
mod assignments;
mod at_least;
mod candidates;
mod cascade;
mod compared;
mod export;
pub(crate) mod guard;
mod import;
pub(crate) mod permit;
mod plan;
mod sources;
mod tidy;
mod undo;
mod users;

use std::fmt::{self, Write};
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::date::Moment;
use crate::document::{Assignment, Bound, Licence, SettingValue};
use crate::object::{Id, Today};
use crate::policy::{Digest, Policy, SourceName};
use crate::problem::{LeftOut, Line, OneLine};

use crate::document::{Bundle, NewUser, null_or, stated};
pub(crate) use ability::{Abilities, Scales, compared_licences};
pub(crate) use candidates::Candidates;
pub(crate) use plan::{Plan, Requirements, Standing};

/// A change to a policy.
///
/// ```
/// use grantree::SourceName;
/// use grantree::change::Change;
///
/// let change: Change =
///     serde_json::from_str(r#"{"assign": {"user": "bob", "source": {"role": "clerk"}}}"#)?;
/// let clerk = SourceName::Role("clerk".into());
/// assert_eq!(change, Change::Assign { user: "bob".into(), source: clerk });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Change {
    /// A new profile, role or approval group: empty, or cloned.
    Create {
        /// The new source.
        source: SourceName,
        /// The source that it is cloned from: its statements, `includes` and
        /// `assignable_by` are kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<SourceName>,
    },
    /// A new name; every reference is kept.
    Rename {
        /// The profile, role, approval group or user.
        source: SourceName,
        /// The new name.
        to: String,
    },
    /// Changes to a source's statements and to the source itself.
    Edit {
        /// The source.
        source: SourceName,
        /// The edits, in order.
        ops: Vec<Op>,
        /// Makes allowing a permission also allow everything that it needs, and leaving out,
        /// denying or clearing one also withdraw everything that needs it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        cascade: bool,
    },
    /// A profile, role or approval group is deleted.
    Delete {
        /// The source.
        source: SourceName,
        /// The action on the users who have it.
        #[serde(default)]
        holders: OnHeld,
    },
    /// A new user.
    AddUser(Box<NewUser>),
    /// A user is removed.
    RemoveUser {
        /// The user.
        user: String,
    },
    /// A user gets a profile (in place of the one before), a role or an approval
    /// group.
    Assign {
        /// The user.
        user: String,
        /// The profile, role or approval group.
        source: SourceName,
    },
    /// A user loses a profile, role or approval group.
    Revoke {
        /// The user.
        user: String,
        /// The profile, role or approval group.
        source: SourceName,
    },
    /// A unique role goes to another user.
    Transfer {
        /// The role.
        role: String,
        /// The user who gets it.
        to: String,
    },
    /// A user gets an assignment, in the place of the one of that name, or loses it.
    SetAssignment {
        /// The user.
        user: String,
        /// The assignment's name.
        name: String,
        /// The assignment; `None` removes it.
        #[serde(deserialize_with = "present", serialize_with = "null_or")]
        assignment: Option<Box<Assignment>>,
    },
    /// Every assignment is removed that has come to its end.
    Expire {
        /// The date or time before which the last moment of an assignment must lie.
        before: Moment,
    },
    /// Another profile for new users, or none.
    SetDefaultProfile {
        /// The profile.
        #[serde(deserialize_with = "present", serialize_with = "null_or")]
        profile: Option<String>,
    },
    /// A user becomes an admin, or ceases to be one.
    SetAdmin {
        /// The user.
        user: String,
        /// `true` makes the user an admin.
        admin: bool,
    },
    /// A user is suspended or restored.
    SetSuspended {
        /// The user.
        user: String,
        /// `true` suspends the user.
        suspended: bool,
    },
    /// A user's groups are replaced.
    SetGroups {
        /// The user.
        user: String,
        /// All the user's groups from now on.
        groups: Vec<String>,
    },
    /// A group gets another parent, or none.
    SetGroup {
        /// The group, which is declared if it was not.
        group: String,
        /// The group above it, which need not be declared.
        #[serde(default)]
        parent: Option<String>,
    },
    /// Another licence.
    SetLicence(Licence),
    /// Sources of another policy.
    Import {
        /// The sources.
        bundle: Bundle,
        /// The action on sources whose names are taken here.
        #[serde(default)]
        on_conflict: OnConflict,
    },
}

/// The most ops of an edit that are displayed.
const MOST_OPS_SHOWN: usize = 3;

impl fmt::Display for Change {
    /// Displays the kind of change and the names that it is about, in a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = |name: &Option<String>| {
            name.as_ref().map_or_else(|| "none".to_owned(), |name| format!("`{name}`"))
        };
        let f = &mut OneLine(f);
        match self {
            Change::Create { source, from: None } => write!(f, "create {source}"),
            Change::Create { source, from: Some(from) } => write!(f, "create {source} from {from}"),
            Change::Rename { source, to } => write!(f, "rename {source} to `{to}`"),
            Change::Edit { source, ops, .. } if ops.len() > MOST_OPS_SHOWN => {
                write!(f, "edit {source}: {} ops", ops.len())
            }
            Change::Edit { source, ops, .. } => {
                write!(f, "edit {source}")?;
                ops.iter()
                    .enumerate()
                    .try_for_each(|(at, op)| write!(f, "{} {op}", if at == 0 { ":" } else { "," }))
            }
            Change::Delete { source, .. } => write!(f, "delete {source}"),
            Change::AddUser(added) => write!(f, "add user `{}`", added.user),
            Change::RemoveUser { user } => write!(f, "remove user `{user}`"),
            Change::Assign { user, source } => write!(f, "assign {source} to `{user}`"),
            Change::Revoke { user, source } => write!(f, "revoke {source} from `{user}`"),
            Change::Transfer { role, to } => write!(f, "transfer role `{role}` to `{to}`"),
            Change::SetAssignment { user, name, assignment } => {
                let verb = if assignment.is_some() { "set" } else { "remove" };
                write!(f, "{verb} assignment `{name}` of `{user}`")
            }
            Change::Expire { before } => write!(f, "expire assignments before {before}"),
            Change::SetDefaultProfile { profile } => {
                write!(f, "set the default profile to {}", none(profile))
            }
            Change::SetAdmin { user, admin: true } => write!(f, "make `{user}` an admin"),
            Change::SetAdmin { user, admin: false } => write!(f, "unmake the admin `{user}`"),
            Change::SetSuspended { user, suspended: true } => write!(f, "suspend `{user}`"),
            Change::SetSuspended { user, suspended: false } => write!(f, "restore `{user}`"),
            Change::SetGroups { user, groups } => {
                write!(f, "set the groups of `{user}` to {groups:?}")
            }
            Change::SetGroup { group, parent } => {
                write!(f, "set the parent of group `{group}` to {}", none(parent))
            }
            Change::SetLicence(_) => f.write_str("set the licence"),
            Change::Import { bundle, .. } => {
                let Bundle { profiles, roles, approval_groups } = bundle;
                let (profiles, roles) = (profiles.len(), roles.len());
                let groups = approval_groups.len();
                write!(f, "import {profiles} profiles, {roles} roles, {groups} approval groups")
            }
        }
    }
}

/// An edit of a source's statements, or of the source itself.
///
/// Ops on permissions replace everything that the source states of exactly that pattern,
/// including a forbid.
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "roles": {"clerk": {"deny": ["orders"]}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{Actor, Change, Op};
///
/// // In place of the deny.
/// let ops = vec![Op::Allow("orders".into())];
/// let edit = Change::Edit { source: SourceName::Role("clerk".into()), ops, cascade: false };
/// let document = Document::from(&policy.apply(Actor::Host, &edit)?.policy);
/// let clerk = &document.roles.get("clerk").unwrap().source.statements;
/// assert_eq!((&*clerk.allow, &*clerk.deny), (&["orders".to_owned()][..], &[][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Allows a pattern.
    Allow(String),
    /// Leaves a pattern to other sources.
    Except(String),
    /// Denies a pattern.
    Deny(String),
    /// Forbids a pattern.
    Forbid(String),
    /// Sets the level of what a pattern matches.
    Level {
        /// The pattern.
        path: String,
        /// The level.
        level: String,
    },
    /// Removes every statement of exactly a pattern.
    Clear(String),
    /// Bounds an attribute, or removes its bound.
    Bound {
        /// The attribute: `kind.attribute`.
        attribute: String,
        /// The bound, if any.
        #[serde(deserialize_with = "present", serialize_with = "null_or")]
        bound: Option<Bound>,
    },
    /// States a setting, or removes it.
    Setting {
        /// The setting.
        setting: String,
        /// The value, if any.
        #[serde(deserialize_with = "present", serialize_with = "null_or")]
        value: Option<SettingValue>,
    },
    /// Changes fields of the source itself.
    Set(#[serde(deserialize_with = "map_only")] Set),
}

impl fmt::Display for Op {
    /// Displays the kind of op and the names that it is about, in a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Op::Allow(path) => write!(f, "allow `{path}`"),
            Op::Except(path) => write!(f, "except `{path}`"),
            Op::Deny(path) => write!(f, "deny `{path}`"),
            Op::Forbid(path) => write!(f, "forbid `{path}`"),
            Op::Level { path, level } => write!(f, "set `{path}` to `{level}`"),
            Op::Clear(path) => write!(f, "clear `{path}`"),
            Op::Bound { attribute, bound: Some(_) } => write!(f, "bound `{attribute}`"),
            Op::Bound { attribute, bound: None } => write!(f, "remove the bound on `{attribute}`"),
            Op::Setting { setting, value: Some(value) } => {
                write!(f, "set setting `{setting}` to `{value}`")
            }
            Op::Setting { setting, value: None } => write!(f, "remove setting `{setting}`"),
            Op::Set(_) => f.write_str("set its own fields"),
        }
    }
}

/// Fields of a source to change: each with its new value, or with `None` inside to
/// remove it.
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "roles": {"clerk": {"label": "Clerk", "description": "Enters orders"}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{Actor, Change, Op, Set};
///
/// // A new label, no description; all else stays.
/// let set = Set { label: Some(Some("Order clerk".into())), description: Some(None), ..Set::default() };
/// let source = SourceName::Role("clerk".into());
/// let edit = Change::Edit { source, ops: vec![Op::Set(set)], cascade: false };
/// let document = Document::from(&policy.apply(Actor::Host, &edit)?.policy);
/// let clerk = &document.roles.get("clerk").unwrap().source;
/// assert_eq!(clerk.label.as_deref(), Some("Order clerk"));
/// assert_eq!(clerk.description, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// A short text for people.
    #[serde(
        default,
        deserialize_with = "some",
        serialize_with = "stated",
        skip_serializing_if = "Option::is_none"
    )]
    pub label: Option<Option<String>>,
    /// A longer text for people.
    #[serde(
        default,
        deserialize_with = "some",
        serialize_with = "stated",
        skip_serializing_if = "Option::is_none"
    )]
    pub description: Option<Option<String>>,
    /// `true` marks a starting point to clone.
    #[serde(
        default,
        deserialize_with = "some",
        serialize_with = "stated",
        skip_serializing_if = "Option::is_none"
    )]
    pub template: Option<Option<bool>>,
    /// The roles that a role brings along.
    #[serde(
        default,
        deserialize_with = "some",
        serialize_with = "stated",
        skip_serializing_if = "Option::is_none"
    )]
    pub includes: Option<Option<Vec<String>>>,
    /// The roles whose holders alone may assign it; an empty list means admins only.
    #[serde(
        default,
        deserialize_with = "some",
        serialize_with = "stated",
        skip_serializing_if = "Option::is_none"
    )]
    pub assignable_by: Option<Option<Vec<String>>>,
}

/// The action on users who have a source that is deleted.
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {},
/// #     "roles": {"clerk": {}, "lead": {}},
/// #     "users": {"bob": {"roles": ["clerk"]}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{Actor, Change, OnHeld, Rule};
///
/// let delete = |holders| Change::Delete { source: SourceName::Role("clerk".into()), holders };
/// let refusal = policy.apply(Actor::Host, &delete(OnHeld::Refuse)).unwrap_err();
/// assert_eq!(refusal.rule, Rule::InUse);
///
/// let applied = policy.apply(Actor::Host, &delete(OnHeld::Reassign("lead".into())))?;
/// assert_eq!(Document::from(&applied.policy).users.get("bob").unwrap().roles, ["lead"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnHeld {
    /// It is not deleted while anybody has it.
    #[default]
    Refuse,
    /// They lose it.
    Unassign,
    /// They get this one instead.
    Reassign(String),
}

/// The action on a source of a bundle whose name is taken here.
///
/// ```
/// # use grantree::{Document, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "roles": {"clerk": {"allow": ["orders"]}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{Actor, Change, OnConflict, Rule};
///
/// let import = |on_conflict| Change::Import { bundle: policy.export_all(), on_conflict };
/// let refusal = policy.apply(Actor::Host, &import(OnConflict::Refuse)).unwrap_err();
/// assert_eq!(refusal.rule, Rule::Conflict);
///
/// let applied = policy.apply(Actor::Host, &import(OnConflict::Rename))?;
/// assert!(Document::from(&applied.policy).roles.get("clerk_2").is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// The change is refused.
    #[default]
    Refuse,
    /// It gets another name: `name_2`.
    Rename,
    /// It replaces the one that is here.
    Replace,
}

/// The host or the user who asks for a change.
///
/// ```
/// # use grantree::{Document, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {},
/// #     "users": {"ann": {}, "bob": {}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{Actor, Change};
///
/// let suspend = Change::SetSuspended { user: "bob".into(), suspended: true };
/// assert!(policy.apply(Actor::Host, &suspend).is_ok());
/// // What governance does not permit to anybody is for admins.
/// assert!(policy.apply(Actor::User("ann"), &suspend).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor<'a> {
    /// The host itself, whom governance does not bind.
    Host,
    /// A user of the policy, by name.
    User(&'a str),
}

impl Actor<'_> {
    /// Calls back with a user of the policy, by a host's own id.
    ///
    /// In async code, where the actor must outlive an await, keep the text of the id:
    /// `live.commit_async(&mut journal, Actor::User(&id.to_string()), &change, today).await`.
    ///
    /// ```
    /// # use grantree::{Document, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {},
    /// #     "users": {"7": {"admin": true}, "8": {}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// use grantree::change::{Actor, Change};
    ///
    /// let suspend = Change::SetSuspended { user: "8".into(), suspended: true };
    /// assert!(Actor::with_id(7, |actor| policy.apply(actor, &suspend)).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_id<R>(user: impl Id, call: impl FnOnce(Actor<'_>) -> R) -> R {
        user.with_text(|name| call(Actor::User(name)))
    }
}

/// A change that was made.
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
/// #     "roles": {"clerk": {}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{Actor, Change, Op};
///
/// let source = SourceName::Role("clerk".into());
/// let ops = vec![Op::Allow("orders.export".into())];
/// let edit = Change::Edit { source: source.clone(), ops: ops.clone(), cascade: true };
/// let applied = policy.apply(Actor::Host, &edit)?;
/// assert_eq!(applied.policy.revision(), 1);
/// // What it needs was allowed too.
/// let Change::Edit { ops: made, .. } = &applied.changed[0] else { panic!("{:?}", applied.changed) };
/// assert!(made.contains(&ops[0]) && made.contains(&Op::Allow("orders".into())));
/// assert!(applied.moved.is_empty() && applied.assignments.is_empty());
/// assert!(applied.notes.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Applied {
    /// The policy's next version.
    pub policy: Policy,
    /// All that changed, cascades included: changes that, applied by the host in this
    /// order, turn the policy before into this one. Empty if nothing changed.
    pub changed: Vec<Change>,
    /// The users who got or lost a profile, role or approval group, including by a deletion
    /// or a transfer.
    pub moved: Vec<Moved>,
    /// The assignments that were given, replaced or removed, including by a deletion or
    /// because they came to their end.
    pub assignments: Vec<ChangedAssignment>,
    /// Everything that could not be done and was left out, or was done differently; and what
    /// ops did to boxes that patterns tick.
    pub notes: Vec<Note>,
    /// The user for whom it was made.
    pub(crate) by: Option<String>,
    /// The version before.
    before: Policy,
}

/// A user who got a source, lost one, or got one in place of another.
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {},
/// #     "profiles": {"driver": {}, "planner": {}},
/// #     "users": {"bob": {"profile": "driver"}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{Actor, Change, Moved};
///
/// let planner = SourceName::Profile("planner".into());
/// let assign = Change::Assign { user: "bob".into(), source: planner.clone() };
/// let from = Some(SourceName::Profile("driver".into()));
/// let moved = Moved { user: "bob".into(), from, to: Some(planner) };
/// assert_eq!(policy.apply(Actor::Host, &assign)?.moved, [moved]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The user.
    pub user: String,
    /// The source that the user had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<SourceName>,
    /// The source that the user has now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<SourceName>,
}

/// An assignment that a user got, lost, or has with other contents.
///
/// ```
/// # use grantree::{Document, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {},
/// #     "roles": {"lead": {}},
/// #     "users": {"bob": {"assignments": {"cover": {"roles": ["lead"], "until": "2026-12-24"}}}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{Actor, Change, ChangedAssignment};
///
/// let expire = Change::Expire { before: "2026-12-25".parse()? };
/// let gone = ChangedAssignment { user: "bob".into(), name: "cover".into(), removed: true };
/// assert_eq!(policy.apply(Actor::Host, &expire)?.assignments, [gone]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedAssignment {
    /// The user.
    pub user: String,
    /// The assignment's name.
    pub name: String,
    /// `true` if the user no longer has it.
    pub removed: bool,
}

/// Something that a change left undone, or did differently, or that an op did to a box which
/// a pattern ticks. Displays as a sentence for people.
///
/// ```
/// # use grantree::{Document, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "roles": {"clerk": {}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{Actor, Change, Note, OnConflict};
/// use grantree::document::Bundle;
/// use grantree::document::{Map, Role};
///
/// let bundle = Bundle { roles: Map::from_iter([("clerk", Role::default())]), ..Bundle::default() };
/// let import = Change::Import { bundle, on_conflict: OnConflict::Rename };
/// let applied = policy.apply(Actor::Host, &import)?;
/// let [Note::Renamed { source, to }] = &*applied.notes else { panic!("{:?}", applied.notes) };
/// assert_eq!((source.to_string().as_str(), to.as_str()), ("role `clerk`", "clerk_2"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A box that a pattern ticks:
///
/// ```
/// # use grantree::{Document, Policy, SourceName};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
/// #     "roles": {"clerk": {"allow": ["orders.**"]}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{Actor, Change, Note, Op};
///
/// let notes = |op: Op| {
///     let source = SourceName::Role("clerk".into());
///     let edit = Change::Edit { source, ops: vec![op], cascade: false };
///     policy.apply(Actor::Host, &edit).unwrap().notes
/// };
/// let unchanged =
///     Note::Unchanged { permission: "orders.export".into(), by: Some("orders.**".into()) };
/// assert_eq!(notes(Op::Clear("orders.export".into())), [unchanged.clone()]);
/// assert_eq!(notes(Op::Allow("orders.export".into())), [unchanged]);
/// let exception = notes(Op::Except("orders.export".into()));
/// assert_eq!(exception[0].to_string(), "`orders.export` is an exception to `orders.**` now");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// An imported source has another name here, because its own was taken.
    Renamed {
        /// The source as it is called in the bundle.
        source: SourceName,
        /// Its name here.
        to: String,
    },
    /// A scoped permission that is needed, none of whose scopes is allowed.
    Unmet {
        /// The scoped permission.
        permission: String,
    },
    /// An op on one permission after which the source says of it what it said before, as where
    /// a pattern ticks the box.
    Unchanged {
        /// The permission.
        permission: String,
        /// The pattern that decides about it in this source, if any: the wider one, where
        /// another decided before.
        by: Option<String>,
    },
    /// An op on one permission about which a wider pattern of the source decided: it is an
    /// exception to that pattern now.
    Exception {
        /// The permission.
        permission: String,
        /// The wider pattern.
        to: String,
    },
    /// An op that took away what was stated of exactly one permission: a wider pattern of the
    /// source decides about it again.
    Follows {
        /// The permission.
        permission: String,
        /// The wider pattern.
        pattern: String,
    },
    /// Part of an imported bundle that does not fit here, with its place in the bundle.
    LeftOut(LeftOut),
}

/// A sentence for people.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = OneLine(f);
        match self {
            Note::Renamed { source, to } => write!(line, "{source} is called `{to}` here"),
            Note::Unmet { permission } => {
                write!(line, "`{permission}` is needed, and none of its scopes is allowed")
            }
            Note::Unchanged { permission, by: Some(by) } => {
                write!(line, "nothing changes for `{permission}`, about which `{by}` decides")
            }
            Note::Unchanged { permission, by: None } => {
                write!(line, "nothing changes for `{permission}`")
            }
            Note::Exception { permission, to } => {
                write!(line, "`{permission}` is an exception to `{to}` now")
            }
            Note::Follows { permission, pattern } => {
                write!(line, "`{permission}` follows `{pattern}` again")
            }
            Note::LeftOut(left_out) => write!(line, "{left_out}"),
        }
    }
}

/// A change that was refused, which left the policy as it was.
///
/// ```
/// # use grantree::{Document, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {},
/// #     "users": {"root": {"admin": true}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{Actor, Change, Rule};
///
/// let unmake = Change::SetAdmin { user: "root".into(), admin: false };
/// let refusal = policy.apply(Actor::Host, &unmake).unwrap_err();
/// assert_eq!(refusal.rule, Rule::LastAdmin);
/// assert!(refusal.to_string().starts_with("last_admin: "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{rule}: {}", Line(message))]
#[non_exhaustive]
pub struct Refusal {
    /// The rule that refused it; if several did, the first in their order.
    pub rule: Rule,
    /// Why, with the names involved exactly as they are, including line breaks.
    /// [`Display`](fmt::Display) puts it on one line.
    pub message: String,
}

/// The rules that refuse changes, in their order.
///
/// Displays, and serializes, as its code.
///
/// ```
/// use grantree::change::Rule;
///
/// // If several refuse, the first in this order is reported.
/// assert!(Rule::NotPermitted < Rule::Escalation);
/// assert_eq!(Rule::NotPermitted.to_string(), "not_permitted");
/// assert_eq!(serde_json::to_string(&Rule::LastAdmin)?, r#""last_admin""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rule {
    /// The change is malformed, or its result would break the format.
    Invalid,
    /// The actor may not do this.
    NotPermitted,
    /// A name that the policy does not know.
    Unknown,
    /// A name that is taken.
    Exists,
    /// The source is protected.
    Protected,
    /// A unique role would have a second holder, or be taken from its holder.
    Unique,
    /// The source is named elsewhere, or has holders.
    InUse,
    /// A name of a bundle is taken here.
    Conflict,
    /// The policy would lose its last active admin.
    LastAdmin,
    /// A user would newly hold more of a separation's permissions than one user may.
    Separation,
    /// A user could do what neither the user could before nor the actor can.
    Escalation,
}

impl Rule {
    /// The code, as used in test documents.
    ///
    /// ```
    /// use grantree::change::Rule;
    ///
    /// assert_eq!(Rule::InUse.code(), "in_use");
    /// ```
    pub fn code(self) -> &'static str {
        match self {
            Rule::Invalid => "invalid",
            Rule::NotPermitted => "not_permitted",
            Rule::Unknown => "unknown",
            Rule::Exists => "exists",
            Rule::Protected => "protected",
            Rule::Unique => "unique",
            Rule::InUse => "in_use",
            Rule::Conflict => "conflict",
            Rule::LastAdmin => "last_admin",
            Rule::Separation => "separation",
            Rule::Escalation => "escalation",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl Policy {
    /// Makes the next version of this policy by a change. This one stays as it
    /// is; handles to users and permissions stay valid.
    ///
    /// # Errors
    ///
    /// When a rule refuses it.
    ///
    /// ```
    /// # use grantree::{Document, Policy, SourceName};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "roles": {"clerk": {"allow": ["orders"]}},
    /// #     "users": {"bob": {}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// use grantree::change::{Actor, Change, Rule};
    ///
    /// let assign = |role: &str| {
    ///     Change::Assign { user: "bob".into(), source: SourceName::Role(role.into()) }
    /// };
    /// let applied = policy.apply(Actor::Host, &assign("clerk"))?;
    /// assert_eq!(applied.policy.revision(), policy.revision() + 1);
    /// assert_eq!(policy.apply(Actor::Host, &assign("cleric")).unwrap_err().rule, Rule::Unknown);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply(&self, actor: Actor<'_>, change: &Change) -> Result<Applied, Refusal> {
        self.apply_on(actor, change, ())
    }

    /// [`Policy::apply`] on a day, which an actor's assignments that end need, and a
    /// change that looks at the date.
    ///
    /// # Errors
    ///
    /// As [`Policy::apply`].
    pub fn apply_on(
        &self,
        actor: Actor<'_>,
        change: &Change,
        today: impl Today,
    ) -> Result<Applied, Refusal> {
        let old = self.inner();
        let is_trusted = match actor {
            Actor::Host => true,
            Actor::User(name) => old.users.find(name).is_some_and(|slot| old.users[slot].admin),
        };
        let standing = if is_trusted { Standing::Trusted } else { Standing::Ordinary };
        let plan = Plan::new(old, change, standing);
        if let Err(refusal) = guard::judge(&plan, actor, today.moment()) {
            plan.give_back();
            return Err(refusal);
        }
        let Plan { mut new, changed, moved, assignments, notes, .. } = plan;
        let by = match actor {
            Actor::Host => None,
            Actor::User(name) => Some(name.to_owned()),
        };
        new.past = self.past_after(Digest::of(&(&by, &changed)));
        let (policy, before) = (Policy::from_inner(new), self.clone());
        Ok(Applied { policy, changed, moved, assignments, notes, by, before })
    }
}

/// Reads a value that may be null but not absent.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer)
}

/// Reads a record from a map only: a derived reader would accept a list too.
fn map_only<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct MapOnly<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for MapOnly<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_map(MapOnly(PhantomData))
}

/// Reads a value that may be null, or absent.
fn some<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

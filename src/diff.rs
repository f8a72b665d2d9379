//! The gains and losses of users between two policies, or by a change not yet made.
//!
//! [`Engine::diff`] compares two engines; [`Engine::what_if`] compares an engine
//! with what a change would make of it. A [`Diff`] groups the users affected in the
//! same way, be it one or a hundred thousand.
//!
//! ```
//! use grantree::change::{Actor, Change};
//! use grantree::{Document, Engine, Policy};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = r#"{
//!     "format": 1,
//!     "catalogue": {
//!         "objects": {"job": {
//!             "relations": {"assignee": "user"},
//!             "attributes": {"region": "one_of"}, "checks": ["region"]}},
//!         "permissions": [
//!             {"key": "reports", "label": "Reports"},
//!             {"key": "edit", "object": "job", "scopes": [
//!                 {"key": "own", "when": {"assignee": "me"}},
//!                 {"key": "free", "when": {"assignee": "none"}}]}]
//!     },
//!     "roles": {"worker": {"allow": ["edit.own"], "bounds": {"job.region": ["north"]}}},
//!     "users": {"ann": {"roles": ["worker"]}, "bob": {"roles": ["worker"]}, "eve": {}}
//! }"#;
//! let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
//! let edit: Change = serde_json::from_str(
//!     r#"{"edit": {"source": {"role": "worker"}, "ops": [
//!         {"allow": "reports"},
//!         {"bound": {"attribute": "job.region", "bound": ["south", "north"]}}]}}"#,
//! )?;
//!
//! let what_if = engine.what_if(Actor::Host, &edit)?;
//! assert_eq!(what_if.diff.to_string(), r#"2 users: `ann`, `bob`
//!   gain `reports` (Reports)
//!   have `edit` on more objects
//!     now on every job where assignee is me and region is one of "north", "south"
//!     before on every job where assignee is me and region is "north"
//!   have `edit.own` on more objects
//!     now on every job where assignee is me and region is one of "north", "south"
//!     before on every job where assignee is me and region is "north"
//! "#);
//!
//! // Nothing is changed until it is applied.
//! assert!(!engine.check("ann", "reports", ())?);
//! assert!(engine.diff(&engine).is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # What counts
//!
//! Answers are compared, not how they come about. A diff is empty if and only if
//! both engines have the same users, know the same names, and answer every question
//! alike: `can` on every object and at every moment, `can_some`, `level`, `setting`
//! and `effective`. (Not `why`: another reason for the same denial is no
//! difference.) Bounds count by the values that pass, fences by the days that they
//! resolve to, scopes and gates by the objects that they let through, groups by the
//! objects that relations tie to them.
//!
//! So do assignments: all capacities of a user are compared together. A role that
//! moves from one assignment to another with the same terms is no difference. With a
//! later end it is one on those days, with a wider `on` one on those objects. (The
//! names of assignments, and what [`Engine::effective_in`] lists of one, are not
//! compared.)
//!
//! Users are matched by name, so a renamed user counts as removed and new;
//! permissions are matched by path.
//!
//! The last days of the calendar, on which some fence lies beyond its end, count
//! only where nothing else differs, and not for users with assignments.
//!
//! # What is left out
//!
//! A diff lists 131,072 changes of permissions and settings at most, of as many users as it
//! can; users whose changes are equal take no more room than one. Where it would be longer,
//! or where it would take too long to compare all combinations of sources that differ (some
//! 260,000 permissions are compared one by one, and 16 more for each user and each
//! permission; those that look at no object and have no levels are not counted), it says how
//! many users are [not listed](Diff::unlisted), of whom as few as can be.
//!
//! There is another limit: a catalogue can be written for which it would take
//! unreasonably long to find out whether two conditions mean the same. What is not
//! found out soon, or depends on more than two dozen fences, counts as a
//! difference, unless both conditions are written alike. For users with assignments
//! the same goes for more than five dozen dates, or some hundreds of ways in which
//! relations can name users and groups of their terms. So a diff may report too much
//! there; an empty one is truly empty.

mod capacities;
mod compare;
mod days;
mod grouping;
mod names;
mod overlap;
mod pairs;
mod permissions;
mod plain;
mod relations;
mod settings;
mod text;
mod users;
mod values;

use std::cmp::Reverse;

use serde::Serialize;

use crate::catalogue::Node;
use crate::change::{Actor, Applied, Change, Refusal};
use crate::date::Moment;
use crate::document::SettingValue;
use crate::engine::Engine;
use crate::explain::Named;
use crate::filter::Predicate;
use crate::ids::UserSlot;
use crate::names::{HashSet, IndexMap};
use crate::object::Today;
use compare::{Changes, Comparison, Line, TooMany, catalogue};
use grouping::{Grouped, shorter};
pub use permissions::PermissionUsers;
pub(crate) use text::write_users;
pub use users::Users;

/// The changes from one policy to another.
///
/// It displays as text, in which long lists are cut off with a count of the rest
/// (`{:#}` lists everything), and serializes as data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diff {
    /// Names that only one of the two catalogues knows, so that the other does not
    /// answer questions about them. Empty between versions that changes make.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<NameChange>,
    /// The users for whom anything changes. Users who stay come first, then new ones, then
    /// removed ones; larger groups before smaller ones.
    pub groups: Vec<Group>,
    /// The way in which users who stay are grouped.
    #[serde(skip_serializing_if = "GroupedBy::is_users")]
    pub grouped_by: GroupedBy,
    /// The number of users for whom something may change, and who are in no group: the list
    /// would be too long, or it would take too long to compare them. See
    /// [the limits](crate::diff#what-is-left-out).
    #[serde(skip_serializing_if = "is_zero")]
    pub unlisted: usize,
}

/// The way in which users are grouped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupedBy {
    /// Each user is in one group, with everything that changes for that user.
    #[default]
    Users,
    /// Each change is in one group, with all users for whom it is the same. A long list is
    /// grouped in this way if it is shorter then, as where the changes of each user differ a
    /// little from those of others.
    Changes,
}

impl GroupedBy {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    fn is_users(&self) -> bool {
        *self == GroupedBy::Users
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Users for whom the same things change, beside what other groups say of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Group {
    /// The users.
    pub users: Users,
    /// The versions in which they exist. A user who does not exist may do
    /// nothing, and has the settings' defaults.
    pub presence: Presence,
    /// The permissions that change, in the order of the catalogue.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<PermissionChange>,
    /// The settings that change, in the order of the catalogue.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<SettingChange>,
}

/// In which of two versions something exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Before and after.
    Stays,
    /// Only after.
    New,
    /// Only before.
    Gone,
}

/// A value before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct BeforeAfter<T> {
    /// Before.
    pub before: T,
    /// After.
    pub after: T,
}

impl<T> BeforeAfter<T> {
    fn each_ref(&self) -> BeforeAfter<&T> {
        BeforeAfter { before: &self.before, after: &self.after }
    }

    fn each_mut(&mut self) -> BeforeAfter<&mut T> {
        BeforeAfter { before: &mut self.before, after: &mut self.after }
    }

    fn map<U>(self, mut f: impl FnMut(T) -> U) -> BeforeAfter<U> {
        BeforeAfter { before: f(self.before), after: f(self.after) }
    }

    fn zip<U>(self, other: BeforeAfter<U>) -> BeforeAfter<(T, U)> {
        BeforeAfter { before: (self.before, other.before), after: (self.after, other.after) }
    }

    fn differs(&self) -> bool
    where
        T: PartialEq,
    {
        self.before != self.after
    }

    fn if_differs(self) -> Option<BeforeAfter<T>>
    where
        T: PartialEq,
    {
        self.differs().then_some(self)
    }
}

/// The changes of a permission.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [
/// #         {"key": "price", "levels": ["hidden", "read_only", "read_write"]}]},
/// #     "users": {"bob": {"levels": {"price": "read_only"}}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let mut document = Document::from(engine.policy());
/// *document.users.get_mut("bob").unwrap().statements.levels.get_mut("price").unwrap() =
///     "read_write".into();
/// let diff = engine.diff(&Engine::new(&Policy::try_from(document)?));
/// let price = &diff.groups[0].permissions[0];
/// let level = price.level.as_ref().unwrap();
/// assert_eq!(level.before.as_deref(), Some("read_only"));
/// assert_eq!(level.after.as_deref(), Some("read_write"));
/// // It was effective before.
/// assert_eq!(price.effective, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PermissionChange {
    /// The permission, by its path.
    pub permission: Named,
    /// The direction of the change, over all its levels.
    pub shift: Shift,
    /// The objects on which it may be exercised; a graded one, at any level.
    pub on: BeforeAfter<Extent>,
    /// True if it is [effective](Engine::effective), where that changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective: Option<BeforeAfter<bool>>,
    /// The [level](Engine::level) of a graded one without an object, where that changes;
    /// of users with assignments, on some day on which it does. A side is `None` where
    /// the permission is not graded in that policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<BeforeAfter<Option<String>>>,
    /// The answer of [`Engine::can_some`], where that changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_some: Option<BeforeAfter<bool>>,
}

/// The direction in which a permission changes, comparing the objects and days on which
/// it is allowed, at each of its levels, and the answer without an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Shift {
    /// Nothing was allowed, and now something is.
    Gained,
    /// Something was allowed, and now nothing is.
    Lost,
    /// All that was allowed, and more.
    More,
    /// Only a part of what was allowed.
    Fewer,
    /// Less in one respect, more in another.
    Other,
    /// The same. What changes is an answer without an object: `effective`, `level`
    /// or `can_some`.
    Same,
}

/// The objects on which a permission may be exercised.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// None.
    Nothing,
    /// It does not depend on an object, nor does it need one.
    Everything,
    /// Objects of a kind.
    Objects {
        /// The kind.
        kind: String,
        /// The condition that an object must meet, with bounds
        /// [as they are written](Predicate::Bound).
        condition: Predicate,
        /// The definitions to which [`Predicate::Defined`] refers by number.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        definitions: Vec<Predicate>,
    },
    /// The objects of each of these whose dates hold: for a user with assignments that have dates.
    ByDate(Vec<Dated>),
}

/// The objects on which a permission may be exercised on some days: those that lie within
/// the dates of an assignment, as rule 9 of the [design](crate::design) has them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Dated {
    /// The first day or moment; `None` if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Moment>,
    /// The last day, or the moment that ends it; `None` if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// The objects.
    pub on: Extent,
}

/// The change of a setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SettingChange {
    /// The setting.
    pub setting: Named,
    /// Its value, if it has one.
    pub value: BeforeAfter<Option<SettingValue>>,
}

/// A name that only one of two catalogues knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NameChange {
    /// The kind of name.
    pub kind: NameKind,
    /// The name: of relations and attributes with the kind of object before it, of
    /// levels with the permission, of defaults with the setting.
    pub name: String,
    /// The catalogue that knows it.
    pub presence: Presence,
}

/// The kinds of names in a catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NameKind {
    /// A permission, `path`, or a level of one, `path:level`.
    Permission,
    /// The level of a graded permission where nothing is granted.
    LowestLevel,
    /// A kind of object.
    Object,
    /// A relation of a kind.
    Relation,
    /// An attribute of a kind.
    Attribute,
    /// A setting.
    Setting,
    /// The value of a setting where no source states one.
    Default,
}

/// A change that could be made, and its effects.
#[derive(Clone, Debug)]
pub struct WhatIf {
    /// The change as it would be made.
    pub applied: Applied,
    /// The gains and losses of users.
    pub diff: Diff,
}

impl Engine {
    /// Compares this engine with a later one, or any other: returns the gains and losses
    /// of each user, with users alike grouped together.
    ///
    /// The two engines may be of any policies. Between versions of one policy, only
    /// users whose sources changed are examined, and of those one for each
    /// combination of sources: an edit of a role that 100,000 of 1,000,000 users
    /// have takes about 20 milliseconds, half of it to find the users. Between
    /// unrelated policies, every user is looked up by name.
    ///
    /// See [the module](crate::diff) for what counts, and for an example.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}, {"key": "reports"}]},
    /// #     "roles": {"clerk": {"allow": ["orders"]}},
    /// #     "users": {"ann": {"roles": ["clerk"]}, "bob": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let mut document = Document::from(engine.policy());
    /// document.roles.get_mut("clerk").unwrap().source.statements.allow = vec!["reports".into()];
    /// let after = Engine::new(&Policy::try_from(document)?);
    /// assert_eq!(
    ///     engine.diff(&after).to_string(),
    ///     "1 user: `ann`\n  loses `orders`\n  gains `reports`\n",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diff(&self, after: &Engine) -> Diff {
        let (old, new) = (self.policy().inner(), after.policy().inner());
        let aligned = old.is_aligned(new);
        let mut comparison = Comparison::new(BeforeAfter { before: self, after }, aligned);
        let mut groups: IndexMap<Changes, Vec<UserSlot>> = IndexMap::default();
        let mut unlisted = 0_usize;
        let mut pairs = pairs::pairs(self, after, aligned);
        // If some are left out, rather few users than many.
        pairs.sort_by_cached_key(|_, alike| Reverse(alike.slots.len()));
        for (pair, alike) in pairs {
            let changes = match comparison.changes(&pair, alike.one) {
                Ok(None) => continue,
                Ok(Some(changes)) => changes,
                Err(TooMany) => {
                    unlisted = unlisted.saturating_add(alike.slots.len());
                    continue;
                }
            };
            if let Some(slots) = groups.get_mut(&changes) {
                slots.extend(alike.slots);
            } else if comparison.list(&changes).is_ok() {
                groups.insert(changes, alike.slots);
            } else {
                unlisted = unlisted.saturating_add(alike.slots.len());
            }
        }
        let groups = groups.into_iter().map(|(changes, slots)| comparison.grouped(changes, slots));
        let (grouped_by, mut groups) = shorter(groups.collect());
        groups.iter_mut().for_each(|group| group.slots.sort_unstable());
        groups.sort_by_key(|group| {
            (group.presence, Reverse(group.slots.len()), group.slots.first().copied())
        });
        let groups = groups.into_iter().map(|group| comparison.group(group)).collect();
        let names =
            if aligned { Vec::new() } else { names::changes(&old.catalogue, &new.catalogue) };
        Diff { names, groups, grouped_by, unlisted }
    }

    /// Returns the effects of a change without making it.
    ///
    /// Costs as much as making it, [`Policy::apply`](crate::Policy::apply) and
    /// [`Engine::updated`], plus [`Engine::diff`]. To make the change after all,
    /// apply it afresh: the policy may have changed in the meantime.
    ///
    /// # Errors
    ///
    /// If a rule would refuse the change.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use grantree::change::{Actor, Change};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "roles": {"clerk": {"allow": ["orders"]}},
    /// #     "users": {"bob": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let assign: Change =
    ///     serde_json::from_str(r#"{"assign": {"user": "bob", "source": {"role": "clerk"}}}"#)?;
    /// let what_if = engine.what_if(Actor::Host, &assign)?;
    /// assert_eq!(what_if.diff.to_string(), "1 user: `bob`\n  gains `orders`\n");
    /// # Ok(())
    /// # }
    /// ```
    pub fn what_if(&self, actor: Actor<'_>, change: &Change) -> Result<WhatIf, Refusal> {
        self.what_if_on(actor, change, ())
    }

    /// [`Engine::what_if`] on a day, as [`Policy::apply_on`](crate::Policy::apply_on) takes
    /// one. What users gain and lose is compared for every day, whichever is given.
    ///
    /// # Errors
    ///
    /// As [`Engine::what_if`].
    ///
    /// ```
    /// # use grantree::{Document, Engine, Moment, Policy};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use grantree::change::{Actor, Change};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "users": {
    /// #         "eve": {"allow": ["orders"]},
    /// #         "bob": {"assignments": {"cover": {"allow": ["orders"], "until": "2026-11-20"}}}},
    /// #     "governance": {"permissions": {"expire": ["orders"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let expire: Change = serde_json::from_str(r#"{"expire": {"before": "2026-11-21"}}"#)?;
    /// let today: Moment = "2026-11-21".parse()?;
    /// assert!(engine.what_if(Actor::User("eve"), &expire).is_err());
    /// assert!(engine.what_if_on(Actor::User("eve"), &expire, today).is_ok());
    /// # Ok(())
    /// # }
    /// ```
    pub fn what_if_on(
        &self,
        actor: Actor<'_>,
        change: &Change,
        today: impl Today,
    ) -> Result<WhatIf, Refusal> {
        let applied = self.policy().apply_on(actor, change, today)?;
        let diff = self.diff(&self.updated(&applied.policy));
        Ok(WhatIf { applied, diff })
    }
}

impl Diff {
    /// Returns whether nothing changes.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "users": {"ann": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// // Written differently, with the same meaning.
    /// let mut document = Document::from(engine.policy());
    /// document.global.deny.push("orders".into());
    /// assert!(engine.diff(&Engine::new(&Policy::try_from(document)?)).is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.groups.is_empty() && self.unlisted == 0
    }

    /// Returns whether anybody but some users may do something that was not allowed before,
    /// or on an object on which it was not. Of users who are not listed, it is taken for granted.
    pub(crate) fn gives(&self, except: &HashSet<&str>) -> bool {
        let mut groups = self.groups.iter();
        self.unlisted > 0
            || groups.any(|group| {
                group.gains().next().is_some() && group.others(except).next().is_some()
            })
    }

    /// Returns the groups of a user for whom something changes: one, unless they are
    /// [grouped by changes](GroupedBy::Changes).
    pub fn of<'d>(&'d self, user: &str) -> impl Iterator<Item = &'d Group> {
        self.groups.iter().filter(move |group| group.users.contains(user))
    }
}

impl Group {
    /// Returns the permissions that let its users do something more.
    pub(crate) fn gains(&self) -> impl Iterator<Item = &PermissionChange> {
        let more =
            |it: &&PermissionChange| matches!(it.shift, Shift::Gained | Shift::More | Shift::Other);
        self.permissions.iter().filter(more)
    }

    /// Returns its users, leaving out some.
    pub(crate) fn others(&self, except: &HashSet<&str>) -> impl Iterator<Item = &str> {
        self.users.names().filter(|name| !except.contains(name))
    }
}

impl Comparison<'_> {
    /// Builds a group from the numbers of its changes.
    fn group(&self, group: Grouped) -> Group {
        let Grouped { presence, slots, permissions, settings } = group;
        let BeforeAfter { before, after } = self.engines;
        let engine = if presence == Presence::Gone { before } else { after };
        let settings = settings
            .into_iter()
            .filter_map(|(at, value)| Some(SettingChange { setting: self.setting(at)?, value }));
        Group {
            users: Users::new(engine.policy().clone(), slots),
            presence,
            permissions: permissions.into_iter().filter_map(|line| self.permission(line)).collect(),
            settings: settings.collect(),
        }
    }

    fn permission(&self, line: Line) -> Option<PermissionChange> {
        let ids = *self.nodes.get(line.node)?;
        let nodes = self.engines.zip(ids).map(|(engine, id)| Some(catalogue(engine).node(id?)));
        let Node { path, label, .. } = nodes.after.or(nodes.before)?;
        let levels = nodes.zip(line.levels);
        let levels = levels.map(|(node, held)| node?.level_name(held).map(str::to_owned));
        Some(PermissionChange {
            permission: Named { name: path.to_string(), label: label.as_deref().map(Into::into) },
            shift: line.shift,
            on: line.on.map(|number| self.extent(number)),
            effective: line.effective.if_differs(),
            level: levels.if_differs(),
            can_some: line.can_some.if_differs(),
        })
    }

    fn setting(&self, at: usize) -> Option<Named> {
        let number = self.settings.number(at)?;
        let settings = &catalogue(self.engines.after).settings;
        let (name, declared) = settings.get_index(number as usize)?;
        Some(Named { name: name.to_string(), label: declared.label.clone() })
    }
}

//! The reasons for a decision, for people and as data.
//!
//! Text for a screen in place of a button:
//!
//! ```
//! # use grantree::{Document, Engine, Policy};
//! # let text = r#"{
//! #     "format": 1,
//! #     "catalogue": {"permissions": [{"key": "export", "label": "Export orders", "feature": "reporting"}]},
//! #     "users": {"bob": {"allow": ["export"]}}
//! # }"#;
//! # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
//! let explanation = engine.explain(engine.user("bob")?, engine.permission("export")?, ());
//! let label = explanation.action.label.as_deref().unwrap_or(&explanation.action.name);
//! let why = match &explanation.permissions[0].grant.unlicensed {
//!     Some(missing) => format!("{label} needs the feature {}", missing.feature),
//!     None => explanation.to_string(),
//! };
//! assert_eq!(why, "Export orders needs the feature reporting");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod access;
mod amend;
mod assign;
mod builder;
mod changes;
mod decision;
mod hypothesis;
mod remedy;
mod search;
mod terms;
mod text;
mod trace;

use serde::Serialize;

pub use access::{AccessSource, Admission};
pub(crate) use builder::TraceBuilder;
pub use decision::Decision;
pub use remedy::{AccessRequest, AssignedSource, Assignment, Remedies, Remedy, RemedyStep};
pub use terms::{AssignmentTrace, RelationTerm};
pub(crate) use text::verdict;

pub use crate::catalogue::Link;
use crate::catalogue::{Bit, Catalogue, NodeId};
use crate::date::Moment;
use crate::document::{Bound, BoundType, RelationType};
use crate::engine::{Asker, Engine, Layers, Permission, Rights, User};
use crate::object::{Object, Target};
use crate::policy::{Holder, SourceName};
use crate::problem::Place;
use crate::reason::Reason;
use crate::relation::RelationState;
use trace::Trace;

/// The reasons why a user may do something, or may not.
///
/// It displays as an indented text that can be read without the policy's document,
/// and serializes as data with stable codes.
///
/// ```
/// use grantree::{Document, Engine, Policy};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = r#"{
///     "format": 1,
///     "catalogue": {"permissions": [
///         {"key": "orders", "label": "Orders", "children": [{"key": "export", "label": "Export"}]}]},
///     "profiles": {"clerk": {"label": "Clerk", "allow": ["orders.**"]}},
///     "users": {"bob": {"profile": "clerk", "deny": ["orders"]}}
/// }"#;
/// let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let explanation = engine.explain(engine.user("bob")?, engine.permission("orders.export")?, ());
/// assert_eq!(explanation.to_string(), "\
/// no: user `bob` may not `orders.export` (Export), because it needs another permission
///   it is granted
///     profile `clerk` (Clerk) allows `orders.**` [profiles.clerk.allow[0]]
///   but `orders` (Orders), which is above it, is denied
///     user `bob` denies `orders` [users.bob.deny[0]]
///     overridden: profile `clerk` (Clerk) allows `orders.**` [profiles.clerk.allow[0]]
/// ");
///
/// // As data: the permission asked for, then what gates it.
/// let reasons: Vec<_> = explanation.permissions.iter().map(|it| it.reason.code()).collect();
/// assert_eq!(reasons, ["gated", "denied"]);
/// let orders = &explanation.permissions[1];
/// assert_eq!(orders.permission.name, explanation.permissions[0].gates[0].permission.name);
/// let statement = &orders.grant.statements[1];
/// assert_eq!((statement.place.as_str(), statement.decides), ("users.bob.deny[0]", true));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The user; without a name if the handle belongs to another policy.
    pub user: Named,
    /// The permission asked for, as `path` or `path:level`; without a name if the handle
    /// belongs to another policy.
    pub action: Named,
    /// The kind of object that the question was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The day that the question gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub today: Option<Moment>,
    /// The reason, as [`Engine::why`] gives it.
    pub reason: Reason,
    /// The assignment in which the user may do it or came furthest; none if that is the
    /// ordinary capacity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignment: Option<AssignmentTrace>,
    /// The permission asked for, then the one that gates it, and so on down to the root
    /// cause. Empty where the user is unknown or suspended, or a handle belongs to
    /// another policy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<PermissionTrace>,
}

/// A name and its label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The label, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// The findings about one permission that led to its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PermissionTrace {
    /// The permission, as `path` or `path:level`.
    pub permission: Named,
    /// The reason why it is, or is not, effective or allowed.
    pub reason: Reason,
    /// The statements of the user's sources about it; empty for a scoped permission,
    /// each of whose [scopes](PermissionTrace::scopes) has its own.
    #[serde(flatten)]
    pub grant: Grant,
    /// The permissions that gate it, of which the first is traced next. Where it is
    /// allowed, everything that it needs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    /// Its scopes, if it has any: all of them, or only the effective ones once the
    /// decision depends on the object.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<ScopeTrace>,
    /// The bounds on the object's attributes, where the decision got that far.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// The kind of object that it is exercised on, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
}

/// A source and its label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SourceRef {
    /// The source; of the own statements of an assignment, the user who has it.
    pub source: SourceName,
    /// The name of the assignment, if it is one's own statements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignment: Option<String>,
    /// The label, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// The statements of a user's sources about a permission that can be granted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Grant {
    /// The nearest statement of each source that does not leave it out, the more general
    /// source first; of an implied permission, those about the last of `implied_by`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<Statement>,
    /// The nearest statements of the sources that leave it out, so that others decide.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out_by: Vec<Statement>,
    /// The statements that forbid it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forbidden_by: Vec<Statement>,
    /// The implications that bring it where no source states anything about it: the permission
    /// that implies it, the one that implies that, and so on up to one that a source grants.
    /// Of a very long chain the first ones and the last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub implied_by: Vec<Named>,
    /// The level granted of a graded permission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The unlicensed feature that it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlicensed: Option<Unlicensed>,
}

/// A feature that is not licensed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unlicensed {
    /// The feature.
    pub feature: String,
    /// The permission that needs it: the one in question, or one above it.
    pub needed_by: Named,
}

/// A statement about a permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Statement {
    /// The source.
    #[serde(flatten)]
    pub source: SourceRef,
    /// The effect on the permission.
    pub effect: Effect,
    /// The pattern that matches the permission.
    pub pattern: String,
    /// Its place in the document.
    pub place: String,
    /// It decides: neither a more specific tier nor another source of its own tier
    /// overrides it.
    pub decides: bool,
}

/// The effect of a statement on a permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It is granted; if graded, at the highest level.
    Allow,
    /// It is left to other sources.
    Except,
    /// It is denied.
    Deny,
    /// It is forbidden.
    Forbid,
    /// It is granted at this level.
    Level(String),
}

/// A permission that another one answers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Gate {
    /// The way in which the other answers to it.
    pub link: Link,
    /// The permission answered to.
    pub permission: Named,
    /// That permission is effective or, on an object, allowed.
    pub holds: bool,
}

/// A scope of a permission.
///
/// ```
/// # use grantree::object::DynamicObject;
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"job": {"relations": {"assignee": "user"}}},
/// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
/// #             {"key": "own", "when": {"assignee": "me"}}]}]},
/// #     "users": {"bob": {"allow": ["edit"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use grantree::object::RelationState;
///
/// let job = DynamicObject::new("job").with_relation("assignee", ["eve"]);
/// let explanation = engine.explain(engine.user("bob")?, engine.permission("edit")?, &job);
/// let scope = &explanation.permissions[0].scopes[0];
/// assert_eq!(scope.permission.name, "edit.own");
/// // It is granted, but not for this job.
/// assert_eq!(scope.reason.code(), "granted");
/// assert_eq!(scope.when[0].accepts, [RelationState::Me]);
/// assert_eq!(scope.when[0].found, Some(RelationState::Other));
/// assert!(!scope.when[0].matches());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ScopeTrace {
    /// The scope.
    pub permission: Named,
    /// The reason why it is, or is not, effective.
    pub reason: Reason,
    /// The statements of the user's sources about it; empty where the trace itself is
    /// about this scope.
    #[serde(flatten)]
    pub grant: Grant,
    /// The states of relations that it asks for, if there is an object of its kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<RelationCondition>,
    /// The values of attributes that it asks for, if there is an object of its kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<AttributeCondition>,
}

impl ScopeTrace {
    /// Returns whether the object, if there is one of its kind, is as the scope asks.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.when.iter().all(RelationCondition::matches) && self.values.iter().all(|it| it.matches)
    }
}

/// The states of a relation that a scope accepts, and the one found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RelationCondition {
    /// The relation.
    pub relation: String,
    /// The type of the relation.
    pub names: RelationType,
    /// The states that the scope accepts.
    pub accepts: Vec<RelationState>,
    /// The state found; none where the object does not carry the relation, or carries
    /// one of another type.
    pub found: Option<RelationState>,
}

impl RelationCondition {
    /// Returns whether the object is in a state that is accepted.
    #[must_use]
    pub fn matches(&self) -> bool {
        self.found.is_some_and(|found| self.accepts.contains(&found))
    }
}

/// The values of an attribute that a scope accepts, and the one found.
///
/// ```
/// # use grantree::object::DynamicObject;
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"job": {"attributes": {"archived": "flag"}}},
/// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
/// #             {"key": "current", "when": {"archived": false}}]}]},
/// #     "users": {"bob": {"allow": ["edit"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use grantree::document::Bound;
///
/// let job = DynamicObject::new("job").with_attribute("archived", true);
/// let explanation = engine.explain(engine.user("bob")?, engine.permission("edit")?, &job);
/// let condition = &explanation.permissions[0].scopes[0].values[0];
/// assert_eq!(condition.attribute, "archived");
/// assert_eq!(condition.accepts, Bound::Flag(false));
/// assert_eq!(condition.found.as_deref(), Some("true"));
/// assert!(!condition.matches);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AttributeCondition {
    /// The attribute.
    pub attribute: String,
    /// The form of its bounds.
    pub form: BoundType,
    /// The values that the scope accepts.
    pub accepts: Bound,
    /// The object's value, if it has one, as text.
    pub found: Option<String>,
    /// The value is of another type than the attribute, so that only `"any"` accepts it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mistyped: bool,
    /// The scope accepts the value.
    pub matches: bool,
}

/// A bound on an attribute of the object.
///
/// ```
/// # use grantree::object::DynamicObject;
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"order": {"attributes": {"amount": "at_most"}, "checks": ["amount"]}},
/// #         "permissions": [{"key": "approve", "object": "order"}]},
/// #     "approval_groups": {"buyers": {"bounds": {"order.amount": 5000}}},
/// #     "users": {"bob": {"allow": ["approve"], "approval_groups": ["buyers"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use grantree::document::Bound;
///
/// let order = DynamicObject::new("order").with_attribute("amount", 6_000);
/// let explanation = engine.explain(engine.user("bob")?, engine.permission("approve")?, &order);
/// let check = &explanation.permissions[0].checks[0];
/// assert_eq!((check.attribute.as_str(), check.passes), ("order.amount", false));
/// assert_eq!(check.value.as_deref(), Some("6000"));
/// assert_eq!(check.bounds[0].bound, Bound::Limit(5000));
/// assert_eq!(check.bounds[0].place, "approval_groups.buyers.bounds.order.amount");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// The attribute, as `kind.attribute`.
    pub attribute: String,
    /// The form of its bounds.
    pub form: BoundType,
    /// The object's value, if it has one, as text.
    pub value: Option<String>,
    /// The value is of another type than the attribute, so that no bound but `"any"` passes it:
    /// the object is to be mended, rather than the bound.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mistyped: bool,
    /// The bounds that decide, one of which must pass; none where no source states one,
    /// and so nothing passes.
    pub bounds: Vec<StatedBound>,
    /// The value passes.
    pub passes: bool,
}

/// A bound, and where it is stated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StatedBound {
    /// The source.
    #[serde(flatten)]
    pub source: SourceRef,
    /// The bound.
    pub bound: Bound,
    /// Its place in the document.
    pub place: String,
}

impl SourceRef {
    pub(crate) fn new(source: SourceName, label: Option<String>) -> SourceRef {
        SourceRef { source, assignment: None, label }
    }

    /// The own statements of a user's assignment.
    ///
    /// ```
    /// use grantree::explain::SourceRef;
    ///
    /// let source = SourceRef::of_assignment("carol", "leeds cover");
    /// assert_eq!(source.place(), r#"users.carol.assignments["leeds cover"]"#);
    /// ```
    pub fn of_assignment(user: impl Into<String>, assignment: impl Into<String>) -> SourceRef {
        let (source, assignment) = (SourceName::User(user.into()), Some(assignment.into()));
        SourceRef { source, assignment, label: None }
    }

    /// Returns the place of the source in a document.
    #[must_use]
    pub fn place(&self) -> String {
        let place = Place::Root.key("users");
        match (&self.source, &self.assignment) {
            (SourceName::User(user), Some(name)) => {
                place.name(user).key("assignments").name(name).to_string()
            }
            (source, _) => source.place(),
        }
    }
}

impl From<SourceName> for SourceRef {
    fn from(source: SourceName) -> SourceRef {
        SourceRef::new(source, None)
    }
}

impl From<&SourceName> for SourceRef {
    fn from(source: &SourceName) -> SourceRef {
        SourceRef::new(source.clone(), None)
    }
}

impl Explanation {
    fn bare(reason: Reason) -> Explanation {
        Explanation {
            user: Named::default(),
            action: Named::default(),
            object: None,
            today: None,
            reason,
            assignment: None,
            permissions: Vec::new(),
        }
    }

    /// Returns whether the answer is yes, as [`Engine::can`] does.
    #[must_use]
    pub fn allowed(&self) -> bool {
        self.reason.allowed()
    }
}

impl Engine {
    /// Explains why [`Engine::can`] answers as it does.
    ///
    /// Costs a few microseconds for each source of the user, however many users there
    /// are. A handle of another policy counts as one to an unknown user, or to an unknown
    /// permission.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "roles": {"clerk": {"allow": ["orders"]}},
    /// #     "users": {"bob": {"roles": ["clerk"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let (bob, orders) = (engine.user("bob")?, engine.permission("orders")?);
    /// assert_eq!(engine.explain(bob, orders, ()).to_string(), "\
    /// yes: user `bob` may `orders`, because it is granted
    ///   role `clerk` allows `orders` [roles.clerk.allow[0]]
    /// ");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn explain<T: Target>(&self, user: User, action: Permission, on: T) -> Explanation {
        let holder = self.holder(user);
        let name = holder.map_or_else(Named::default, named_user);
        let (reason, assigned) = self.decision(user, action, on);
        let mut explanation = self.bare_explanation(name, action, reason, on);
        let (Some(holder), Some(bit)) = (holder, self.bit(action)) else { return explanation };
        if reason == Reason::Suspended {
            return explanation;
        }
        let policy = self.policy().inner();
        let rights = match assigned {
            Some(assigned) => policy.users.capacity(assigned.capacity).map(|capacity| {
                let mut layers = Layers::new(policy, self.licensed());
                Rights::new(&mut layers, holder.class, Some(&capacity.own))
            }),
            None => Rights::compiled(self, user),
        };
        let Some(rights) = rights else { return explanation };
        let (object, today) = on.parts();
        let trace = Trace::new(rights, holder, object, today).asked(bit);
        explanation.assignment = assigned.map(|assigned| trace.terms(bit, assigned));
        let assignment = explanation.assignment.as_ref().map(|it| it.assignment.clone());
        explanation.permissions = TraceBuilder { trace, assignment }.permissions(bit, reason);
        explanation
    }

    /// An explanation that traces no permission.
    fn bare_explanation<T: Target>(
        &self,
        user: Named,
        action: Permission,
        reason: Reason,
        on: T,
    ) -> Explanation {
        let (object, today) = on.parts();
        let catalogue = &self.policy().inner().catalogue;
        Explanation {
            user,
            action: self.bit(action).map_or_else(Named::default, |bit| named_bit(catalogue, bit)),
            object: object.map(|object| object.kind().to_owned()),
            today,
            ..Explanation::bare(reason)
        }
    }
}

impl Asker<'_> {
    /// [`Engine::explain`]: of the asker, or if the asker may, of what the asker is
    /// narrowed to, as [`Asker::why`].
    pub fn explain<T: Target>(&self, action: Permission, on: T) -> Explanation {
        let mut last = Explanation::bare(Reason::UnknownUser);
        for (engine, user) in self.users() {
            last = engine.explain(user, action, on);
            if !last.allowed() {
                break;
            }
        }
        last
    }
}

fn named_user(user: Holder<'_>) -> Named {
    Named { name: user.name.to_owned(), label: user.label.map(Into::into) }
}

pub(crate) fn named_node(catalogue: &Catalogue, id: NodeId) -> Named {
    let node = catalogue.node(id);
    Named { name: node.path.to_string(), label: node.label.as_deref().map(Into::into) }
}

fn named_bit(catalogue: &Catalogue, bit: Bit) -> Named {
    Named { name: catalogue.name_of(bit), ..named_node(catalogue, catalogue.id_of(bit)) }
}

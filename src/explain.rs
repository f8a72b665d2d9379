//! Why a decision is what it is, for people and as data.
//!
//! What a screen says in place of a button:
//!
//! ```
//! # use grantree::{Document, Engine, Policy};
//! # let text = r#"{
//! #     "format": 1,
//! #     "catalogue": {"permissions": [{"key": "export", "label": "Export orders", "feature": "reporting"}]},
//! #     "users": {"bob": {"allow": ["export"]}}
//! # }"#;
//! # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
//! let explanation = engine.explain_by_name("bob", "export", ())?;
//! let label = explanation.action.label.as_deref().unwrap_or(&explanation.action.name);
//! let why = match &explanation.accounts[0].grant.unlicensed {
//!     Some(missing) => format!("{label} needs the feature {}", missing.feature),
//!     None => explanation.to_string(),
//! };
//! assert_eq!(why, "Export orders needs the feature reporting");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod admit;
mod assign;
mod mend;
mod text;
mod walk;

use serde::Serialize;

pub use crate::catalogue::Link;
pub use admit::{Admission, Way};
pub use mend::{AccessRequest, Assigned, Assignment, Mend, Mends, Part};
pub(crate) use text::{bound, verdict};

use crate::catalogue::{AttributeId, Bit, Catalogue, Form, NodeId};
use crate::date::Date;
use crate::document::{Bound, BoundType, RelationType};
use crate::engine::{Engine, Permission, Unknown, User};
use crate::object::{NoObject, Object, Target, Value};
use crate::policy::{Class, Holder, Inner, Origin, SourceName};
use crate::reason::Reason;
use crate::relation::RelationState;
use walk::{Effect as Does, Grant, List, Stated, Supposed, Walk};

/// Why a user may do something, or may not.
///
/// It displays as an indented text that needs no knowledge of the policy's
/// document, and serializes as data with stable codes. It is worked out from
/// the policy's statements, not from what the engine compiled from them, so
/// that each checks the other.
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
/// let explanation = engine.explain_by_name("bob", "orders.export", ())?;
/// assert_eq!(explanation.reason.code(), "gated");
/// assert_eq!(explanation.to_string(), "\
/// no: user `bob` may not `orders.export` (Export), because it needs another permission
///   it is granted
///     profile `clerk` (Clerk) allows `orders.**` [profiles.clerk.allow[0]]
///   but `orders` (Orders), which is above it, is denied
///     user `bob` denies `orders` [users.bob.deny[0]]
///     this overrules: profile `clerk` (Clerk) allows `orders.**` [profiles.clerk.allow[0]]
/// ");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The user; without a name if the handle belongs to another policy.
    pub user: Named,
    /// The permission asked for, as `path` or `path:level`.
    pub action: Named,
    /// The kind of object that the question was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The day that the question gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub today: Option<Date>,
    /// The reason, as [`Engine::why`] gives it.
    pub reason: Reason,
    /// What was found, down to the root cause: first about the permission asked
    /// for, then about the one that gates it, and so on. Empty where the user is
    /// unknown or suspended, or a handle belongs to another policy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<Account>,
}

/// A name and its label.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders", "label": "Order Management"}]},
/// #     "users": {"bob": {}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let action = engine.explain_by_name("bob", "orders", ())?.action;
/// assert_eq!(action.name, "orders");
/// assert_eq!(action.label.as_deref(), Some("Order Management"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Named {
    /// The name.
    pub name: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// What was found about one permission.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
/// #     "users": {"bob": {"allow": ["orders.export"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let explanation = engine.explain_by_name("bob", "orders.export", ())?;
/// let accounts = explanation.accounts.iter();
/// let told: Vec<_> = accounts.map(|it| (it.permission.name.as_str(), it.reason.code())).collect();
/// assert_eq!(told, [("orders.export", "gated"), ("orders", "not_granted")]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Account {
    /// The permission, as `path` or `path:level`.
    pub permission: Named,
    /// Why it is, or is not, effective or allowed.
    pub reason: Reason,
    /// What the user's sources say of it; empty for a scoped node, each of whose
    /// [scopes](Account::scopes) has its own.
    #[serde(flatten)]
    pub grant: Granting,
    /// What it is gated by: the next account is about the first of these. Where
    /// it is allowed, what held.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    /// Its scopes, where it has any: all of them, or only the effective ones once
    /// the decision depends on the object.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<ScopeAccount>,
    /// The bounds that the object's attributes must satisfy, where the decision
    /// got that far.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Check>,
    /// The kind of object that it is exercised on, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
}

/// A source, and what people call it.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "roles": {"clerk": {"label": "Order clerk", "allow": ["orders"]}},
/// #     "users": {"bob": {"roles": ["clerk"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let explanation = engine.explain_by_name("bob", "orders", ())?;
/// let source = &explanation.accounts[0].grant.statements[0].source;
/// assert_eq!(source.source.place(), "roles.clerk");
/// assert_eq!(source.label.as_deref(), Some("Order clerk"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceRef {
    /// The source.
    pub source: SourceName,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// What sources say of a permission that can be granted.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [
/// #         {"key": "edit", "implies": ["view"]},
/// #         {"key": "view"}, {"key": "price", "levels": ["hidden", "shown"]}]},
/// #     "users": {"bob": {"allow": ["edit", "price"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let view = engine.explain_by_name("bob", "view", ())?;
/// assert_eq!(view.accounts[0].grant.implied_by[0].name, "edit");
/// let price = engine.explain_by_name("bob", "price", ())?;
/// assert_eq!(price.accounts[0].grant.level.as_deref(), Some("shown"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Granting {
    /// The nearest statement of each source, the more general source first; of an
    /// implied permission, those about the last of `implied_by`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<Statement>,
    /// The statements that forbid it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forbidden_by: Vec<Statement>,
    /// Where no source says anything of it and it is implied: the permission that
    /// implies it, the one that implies that, and so on up to a stated one.
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
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [
/// #         {"key": "planner", "feature": "planning", "children": [{"key": "print"}]}]},
/// #     "users": {"bob": {"allow": ["planner.**"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let explanation = engine.explain_by_name("bob", "planner.print", ())?;
/// let unlicensed = explanation.accounts[0].grant.unlicensed.as_ref().unwrap();
/// assert_eq!(unlicensed.feature, "planning");
/// assert_eq!(unlicensed.needed_by.name, "planner");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unlicensed {
    /// The feature.
    pub feature: String,
    /// The permission that needs it: the one in question, or one above it.
    pub needed_by: Named,
}

/// A statement about a permission.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "profiles": {"clerk": {"allow": ["**"]}},
/// #     "users": {"bob": {"profile": "clerk", "deny": ["orders"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let explanation = engine.explain_by_name("bob", "orders", ())?;
/// let statements = explanation.accounts[0].grant.statements.iter();
/// let told: Vec<_> = statements.map(|it| (it.place.as_str(), it.decides)).collect();
/// assert_eq!(told, [("profiles.clerk.allow[0]", false), ("users.bob.deny[0]", true)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Statement {
    /// The source.
    #[serde(flatten)]
    pub source: SourceRef,
    /// What the statement says.
    pub effect: Effect,
    /// The pattern that matches the permission.
    pub pattern: String,
    /// Its place in the document.
    pub place: String,
    /// Whether it decides, rather than being overruled by a more specific tier or
    /// by another source of its own tier.
    pub decides: bool,
}

/// What a statement says of a permission.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [
/// #         {"key": "price", "levels": ["hidden", "read_only", "read_write"]}]},
/// #     "global": {"levels": {"price": "read_only"}},
/// #     "users": {"bob": {"forbid": ["price"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use grantree::explain::Effect;
///
/// let explanation = engine.explain_by_name("bob", "price", ())?;
/// let grant = &explanation.accounts[0].grant;
/// assert_eq!(grant.statements[0].effect, Effect::Level("read_only".into()));
/// assert_eq!(grant.forbidden_by[0].effect, Effect::Forbid);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It is granted; if graded, at the highest level.
    Allow,
    /// It is denied.
    Deny,
    /// It is forbidden.
    Forbid,
    /// It is granted at this level.
    Level(String),
}

/// Something that a permission answers to.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
/// #     "users": {"bob": {"allow": ["orders.**"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let explanation = engine.explain_by_name("bob", "orders.export", ())?;
/// let gate = &explanation.accounts[0].gates[0];
/// assert_eq!(gate.permission.name, "orders");
/// assert!(gate.holds);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Gate {
    /// How the permission answers to it.
    pub link: Link,
    /// The permission that it answers to.
    pub permission: Named,
    /// Whether that one is effective or, on an object, allowed.
    pub holds: bool,
}

/// A scope of a permission.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # use grantree::object::DynamicObject;
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"job": {"relations": {"assignee": "user"}}},
/// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
/// #             {"key": "own", "when": {"assignee": "me"}}]}]},
/// #     "users": {"bob": {"allow": ["edit"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let job = DynamicObject::new("job").with_relation("assignee", ["eve"]);
/// let explanation = engine.explain_by_name("bob", "edit", &job)?;
/// let scope = &explanation.accounts[0].scopes[0];
/// assert_eq!(scope.permission.name, "edit.own");
/// // It is granted, but not for this job.
/// assert_eq!(scope.reason.code(), "granted");
/// assert!(!scope.when[0].matches());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ScopeAccount {
    /// The scope.
    pub permission: Named,
    /// Why it is, or is not, effective or allowed.
    pub reason: Reason,
    /// What the user's sources say of it; empty where the account itself is about
    /// this scope.
    #[serde(flatten)]
    pub grant: Granting,
    /// What it asks of the object, if there is one of its kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<When>,
}

/// What a scope asks of a relation.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # use grantree::object::DynamicObject;
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
/// let explanation = engine.explain_by_name("bob", "edit", &job)?;
/// let when = &explanation.accounts[0].scopes[0].when[0];
/// assert_eq!(when.relation, "assignee");
/// assert_eq!(when.accepts, [RelationState::Me]);
/// assert_eq!(when.found, Some(RelationState::Other));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct When {
    /// The relation.
    pub relation: String,
    /// What it names.
    pub names: RelationType,
    /// The states that it accepts.
    pub accepts: Vec<RelationState>,
    /// The state found; none where the object does not carry the relation, or
    /// carries one of another type.
    pub found: Option<RelationState>,
}

impl When {
    /// Whether the object is in a state that is accepted.
    ///
    /// ```
    /// use grantree::object::RelationState;
    /// use grantree::document::RelationType;
    /// use grantree::explain::When;
    ///
    /// let when = When {
    ///     relation: "assignee".into(),
    ///     names: RelationType::User,
    ///     accepts: vec![RelationState::Me, RelationState::None],
    ///     found: Some(RelationState::None),
    /// };
    /// assert!(when.matches());
    /// // A job that does not carry the relation.
    /// assert!(!When { found: None, ..when }.matches());
    /// ```
    #[must_use]
    pub fn matches(&self) -> bool {
        self.found.is_some_and(|found| self.accepts.contains(&found))
    }
}

/// A bound on an attribute of the object.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # use grantree::object::DynamicObject;
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"order": {"attributes": {"amount": "at_most"}, "checks": ["amount"]}},
/// #         "permissions": [{"key": "approve", "object": "order"}]},
/// #     "users": {"bob": {"allow": ["approve"], "bounds": {"order.amount": 5000}}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let order = DynamicObject::new("order").with_attribute("amount", 6_000);
/// let explanation = engine.explain_by_name("bob", "approve", &order)?;
/// let check = &explanation.accounts[0].checks[0];
/// assert_eq!(check.attribute, "order.amount");
/// assert_eq!(check.value.as_deref(), Some("6000"));
/// assert!(!check.passes);
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
    /// The bounds that decide, one of which must pass; none where no source
    /// states one, and so nothing passes.
    pub bounds: Vec<StatedBound>,
    /// Whether the value passes.
    pub passes: bool,
}

/// A bound, and where it is stated.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # use grantree::object::DynamicObject;
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
/// let order = DynamicObject::new("order").with_attribute("amount", 4_000);
/// let explanation = engine.explain_by_name("bob", "approve", &order)?;
/// let stated = &explanation.accounts[0].checks[0].bounds[0];
/// assert_eq!(stated.bound, Bound::Limit(5000));
/// assert_eq!(stated.place, "approval_groups.buyers.bounds.order.amount");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

impl Explanation {
    /// Whether the answer is yes: what [`Engine::can`] returns.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "users": {"bob": {"allow": ["orders"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// assert!(engine.explain_by_name("bob", "orders", ())?.allowed());
    /// assert!(!engine.explain_by_name("nobody", "orders", ())?.allowed());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn allowed(&self) -> bool {
        self.reason.allowed()
    }
}

impl Engine {
    /// Explains why [`Engine::can`] answers as it does.
    ///
    /// Costs a few microseconds for each source of the user, however many users
    /// there are. A handle of another policy counts as an unknown user, or as a
    /// permission that is not granted.
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
        let policy = self.policy().inner();
        let holder = self.holder(user);
        match self.bit(action) {
            Some(bit) => explain(policy, holder, bit, on),
            None => Explanation {
                user: holder.map_or_else(Named::default, named_user),
                action: Named::default(),
                object: on.parts().0.map(|object| object.kind().to_owned()),
                today: on.parts().1,
                reason: self.why(user, action, on),
                accounts: Vec::new(),
            },
        }
    }

    /// [`Engine::explain`], by name.
    ///
    /// # Errors
    ///
    /// Where the permission, its level or the object's kind is unknown.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let explanation = engine.explain_by_name("nobody", "orders", ())?;
    /// assert_eq!(explanation.reason.code(), "unknown_user");
    /// assert!(engine.explain_by_name("nobody", "ordres", ()).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn explain_by_name<T: Target>(
        &self,
        user: &str,
        action: &str,
        on: T,
    ) -> Result<Explanation, Unknown> {
        let action = self.permission(action)?;
        self.check_kind(&on)?;
        Ok(match self.user(user) {
            Ok(user) => self.explain(user, action, on),
            Err(_) => {
                let policy = self.policy().inner();
                let name = |bit| named_bit(&policy.catalogue, bit);
                Explanation {
                    user: Named { name: user.to_owned(), label: None },
                    action: self.bit(action).map_or_else(Named::default, name),
                    object: on.parts().0.map(|object| object.kind().to_owned()),
                    today: on.parts().1,
                    reason: Reason::UnknownUser,
                    accounts: Vec::new(),
                }
            }
        })
    }
}

fn explain<T: Target>(policy: &Inner, holder: Option<Holder<'_>>, bit: Bit, on: T) -> Explanation {
    let (object, today) = on.parts();
    let mut explanation = Explanation {
        user: holder.map_or_else(Named::default, named_user),
        action: named_bit(&policy.catalogue, bit),
        object: object.map(|object| object.kind().to_owned()),
        today,
        reason: Reason::UnknownUser,
        accounts: Vec::new(),
    };
    if let Some(holder) = holder {
        let supposed = Supposed::default();
        let mut walk = Walk::new(policy, holder, &supposed, object, today);
        explanation.reason = walk.reason(bit);
        if explanation.reason != Reason::Suspended {
            explanation.accounts = Teller { walk, name: holder.name }.accounts(bit);
        }
    }
    explanation
}

fn named_user(user: Holder<'_>) -> Named {
    Named { name: user.name.to_owned(), label: user.label.map(Into::into) }
}

fn named_node(catalogue: &Catalogue, id: NodeId) -> Named {
    let label = catalogue.node(id).label.as_deref().map(Into::into);
    Named { name: catalogue.node(id).path.to_string(), label }
}

fn named_bit(catalogue: &Catalogue, bit: Bit) -> Named {
    let label = catalogue.node_of(bit).label.as_deref().map(Into::into);
    Named { name: catalogue.name_of(bit), label }
}

impl Inner {
    /// A source of a user, by name and label.
    pub(crate) fn source_ref(&self, source: Origin, user: &str) -> SourceRef {
        match source {
            Origin::Own => SourceRef { source: SourceName::User(user.to_owned()), label: None },
            Origin::Shared(id) => {
                let label = self.sources[id].label.as_deref();
                SourceRef { source: self.sources.name_of(id), label: label.map(Into::into) }
            }
        }
    }
}

/// Puts what a walk found into accounts.
pub(crate) struct Teller<'a, O: ?Sized> {
    walk: Walk<'a, O>,
    /// The user's name.
    name: &'a str,
}

impl<'a> Teller<'a, NoObject> {
    /// A teller about a user's permissions, whatever the object.
    pub(crate) fn new(policy: &'a Inner, name: &'a str, class: &'a Class) -> Self {
        static AS_IT_IS: Supposed = Supposed::NOTHING;
        let holder = Holder { name, label: None, class, groups: &[] };
        Teller { walk: Walk::new(policy, holder, &AS_IT_IS, None, None), name }
    }

    /// Why a node other than a heading is held or not, leaving suspension aside;
    /// and if it is gated, everything it needs that is not effective, the cause
    /// first, each with its reason.
    pub(crate) fn held(&mut self, id: NodeId) -> (Reason, Vec<(Link, Named, Reason)>) {
        let catalogue = self.walk.catalogue();
        let reason = self.walk.held(catalogue.node(id).bit);
        if reason != Reason::Gated {
            return (reason, Vec::new());
        }
        // Of a scoped node, the scope that came furthest is reported.
        let speaks = match catalogue.node(id).form {
            Form::Scoped(_) => self.walk.furthest_scope(id).map_or(id, |(scope, _)| scope),
            _ => id,
        };
        let failing = self.walk.failing(speaks).into_iter();
        let lack = |(link, bit)| (link, named_bit(catalogue, bit), self.walk.held(bit));
        (reason, failing.map(lack).collect())
    }

    /// The unlicensed feature that a node needs.
    pub(crate) fn unlicensed(&self, id: NodeId) -> Option<Unlicensed> {
        self.walk.unlicensed(id).map(|by| self.lacking(by))
    }
}

impl<O: Object + ?Sized> Teller<'_, O> {
    /// The account of a permission, then of what gates it, down to the root.
    fn accounts(&mut self, bit: Bit) -> Vec<Account> {
        let mut accounts = Vec::new();
        let reason = self.walk.reason(bit);
        // The decision depends on the object only once the permission is held.
        let on_object = !matches!(
            self.walk.held(bit),
            Reason::Unlicensed
                | Reason::Forbidden
                | Reason::Denied
                | Reason::NotGranted
                | Reason::Gated
        );
        let mut next = Some((bit, reason));
        while let Some((bit, reason)) = next {
            let account = self.account(bit, reason, on_object);
            let gate = account.1;
            accounts.push(account.0);
            // INVARIANT: what gates a permission fell before it or, on the object,
            // precedes it in the acyclic order of gates, so this ends.
            next = gate.map(|bit| {
                let reason = match on_object {
                    true => self.walk.reason_on_object(bit),
                    false => self.walk.held(bit),
                };
                (bit, reason)
            });
        }
        accounts
    }

    /// The account of one permission, and the permission to account for next.
    fn account(&mut self, bit: Bit, reason: Reason, on_object: bool) -> (Account, Option<Bit>) {
        let catalogue = self.walk.catalogue();
        let id = catalogue.id_of(bit);
        let kind = catalogue.node(id).kind;
        let kind = kind.and_then(|kind| catalogue.kinds.get_index(kind as usize));
        let mut account = Account {
            permission: named_bit(catalogue, bit),
            reason,
            grant: self.granting(id),
            gates: Vec::new(),
            scopes: Vec::new(),
            checks: Vec::new(),
            object: kind.map(|(kind, _)| kind.to_string()),
        };
        if reason == Reason::Admin {
            return (account, None);
        }
        let about_object = on_object && self.walk.is_on_kind(id);
        // Of a scoped node without an effective scope, the one that came
        // furthest is reported.
        let mut speaks = id;
        let scopes: Vec<NodeId> = match catalogue.node(id).form {
            Form::Scope(..) => vec![id],
            Form::Scoped(_) if on_object => self.walk.effective_scopes(id),
            Form::Scoped(_) => {
                speaks = self.walk.furthest_scope(id).map_or(id, |(scope, _)| scope);
                catalogue.scopes(id).collect()
            }
            _ => Vec::new(),
        };
        for scope in scopes {
            let when = match self.walk.is_on_kind(id) {
                true => self.when(scope),
                false => Vec::new(),
            };
            if scope != id {
                let scope_bit = catalogue.node(scope).bit;
                account.scopes.push(ScopeAccount {
                    permission: named_node(catalogue, scope),
                    reason: self.walk.held(scope_bit),
                    grant: self.granting(scope),
                    when,
                });
            } else if about_object {
                account.scopes.push(ScopeAccount {
                    permission: named_node(catalogue, scope),
                    reason: Reason::Granted,
                    grant: Granting::default(),
                    when,
                });
            }
        }
        if about_object && matches!(reason, Reason::OutOfBounds | Reason::Granted | Reason::Gated) {
            account.checks = self.walk.checks(id).map(|check| self.check(check)).collect();
        }
        let failing = match (reason, on_object) {
            (Reason::Gated, false) => self.walk.failing(speaks),
            (Reason::Gated, true) => self.walk.gated_on_object(id).into_iter().collect(),
            _ => Vec::new(),
        };
        let next = failing.first().map(|&(_, bit)| bit);
        let gate = |(link, bit), holds| Gate { link, permission: named_bit(catalogue, bit), holds };
        account.gates = match reason {
            Reason::Granted => {
                self.walk.needs(id).into_iter().map(|need| gate(need, true)).collect()
            }
            _ => failing.into_iter().map(|need| gate(need, false)).collect(),
        };
        (account, next)
    }

    /// What the user's sources say of a permission that can be granted.
    pub(crate) fn granting(&mut self, id: NodeId) -> Granting {
        let catalogue = self.walk.catalogue();
        if let Form::Scoped(_) = catalogue.node(id).form {
            return Granting::default();
        }
        let mut implied_by = Vec::new();
        let mut stated_of = id;
        while let Some(by) = self.walk.grant(stated_of).implied_by {
            implied_by.push(named_node(catalogue, by));
            stated_of = by;
        }
        // Of an implied permission, the statements about what implies it.
        let statements = self.walk.grant(stated_of).stated.clone();
        let &Grant { unlicensed, level, ref forbids, .. } = self.walk.grant(id);
        let forbids = forbids.clone();
        let unlicensed = unlicensed.map(|by| self.lacking(by));
        let level = match &catalogue.node(id).form {
            Form::Graded(levels) => levels.get(level as usize).map(ToString::to_string),
            _ => None,
        };
        Granting {
            statements: statements.iter().map(|stated| self.statement(stated_of, stated)).collect(),
            forbidden_by: forbids.iter().map(|stated| self.statement(id, stated)).collect(),
            implied_by,
            level,
            unlicensed,
        }
    }

    /// The feature of a node, as an unlicensed one.
    fn lacking(&self, by: NodeId) -> Unlicensed {
        let catalogue = self.walk.catalogue();
        let feature = catalogue.node(by).feature.as_deref().unwrap_or_default().to_owned();
        Unlicensed { feature, needed_by: named_node(catalogue, by) }
    }

    fn statement(&self, id: NodeId, stated: &Stated) -> Statement {
        let catalogue = self.walk.catalogue();
        let source = self.source(stated.source);
        let pattern = stated.pattern.text(catalogue);
        let place = source.source.place();
        let at = stated.at;
        let (effect, place) = match (stated.list, stated.effect, &catalogue.node(id).form) {
            (List::Forbid, ..) => (Effect::Forbid, format!("{place}.forbid[{at}]")),
            (List::Deny, ..) => (Effect::Deny, format!("{place}.deny[{at}]")),
            (List::Levels, Does::Level(level), Form::Graded(levels)) => {
                let level = levels.get(level as usize).map(ToString::to_string);
                let effect = Effect::Level(level.unwrap_or_default());
                (effect, format!("{place}.levels.{pattern}"))
            }
            _ => (Effect::Allow, format!("{place}.allow[{at}]")),
        };
        let decides = stated.decides || stated.list == List::Forbid;
        Statement { source, effect, pattern, place, decides }
    }

    fn source(&self, source: usize) -> SourceRef {
        self.walk.policy.source_ref(self.walk.source_of(source), self.name)
    }

    fn when(&self, scope: NodeId) -> Vec<When> {
        let node = self.walk.catalogue().node(scope);
        let (Form::Scope(_, when), Some(kind)) = (&node.form, node.kind) else {
            return Vec::new();
        };
        let relations = &self.walk.catalogue().kind(kind).relations;
        let states = [RelationState::Me, RelationState::Other, RelationState::None];
        when.iter()
            .filter_map(|&(relation, accepted)| {
                let (name, &names) = relations.get_index(relation as usize)?;
                Some(When {
                    relation: name.to_string(),
                    names,
                    accepts: states.into_iter().filter(|&state| accepted.accepts(state)).collect(),
                    found: self.walk.state(kind, relation),
                })
            })
            .collect()
    }

    fn check(&self, check: AttributeId) -> Check {
        let attribute = self.walk.catalogue().attribute_at(check);
        let (attribute, form) = (&attribute.path, attribute.bound);
        let value = self.walk.value(check).map(|value| match value {
            Value::Text(text) => format!("{text:?}"),
            Value::Integer(value) => value.to_string(),
            Value::Date(date) => date.to_string(),
            Value::Other => "a value of an unsupported type".to_owned(),
        });
        let bounds = self.walk.policy.bounds_of(self.walk.user, check).map(|(source, bound)| {
            let source = self.walk.policy.source_ref(source, self.name);
            let place = format!("{}.bounds.{attribute}", source.source.place());
            StatedBound { source, bound: bound.clone(), place }
        });
        Check {
            attribute: attribute.to_string(),
            form,
            value,
            bounds: bounds.collect(),
            passes: self.walk.passes(check),
        }
    }
}

//! Remedies of a denial: changes to the policy, assignments, and requests for them.

use serde::Serialize;

use super::search::Search;
use super::{Named, SourceRef, Statement, named_bit, named_user};
use crate::change::Change;
use crate::date::Moment;
use crate::document::{Bound, BoundType, Coverage, RelationType};
use crate::engine::{Asker, Engine, Permission, User};
use crate::object::{Object, Target};
use crate::policy::SourceName;
use crate::reason::Reason;
use crate::relation::RelationState;

/// The remedies of a denial.
///
/// They display as text for people, and serialize.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Remedies {
    /// Changes that would each turn the answer into a yes, those first that concern nobody but
    /// this user, and of these the ones with the fewest steps: to what the user is granted, to
    /// the terms and bounds of the user's assignments, and sources given only where they are
    /// needed. Empty where none was found: the user is unknown, the object is missing or of
    /// another kind, one of its attributes has a value of a wrong type, or nothing that was
    /// tried sufficed.
    pub least: Vec<Remedy>,
    /// The smallest combinations of profiles, roles and approval groups that would bring
    /// missing grants. Those that take the fewest permissions away come first, then those
    /// that bring the fewest.
    pub assignments: Vec<Assignment>,
    /// The admins who may do all of this, sorted; empty where nothing changes the policy.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub admins: Vec<Named>,
    /// The kind of object to ask about, where nothing was found because the question was about
    /// none, or about one of another kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask_about: Option<String>,
}

/// A change that would turn a denial into a yes.
///
/// Each of its steps is needed, unless the search reached its bound.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}, {"key": "users"}]},
/// #     "users": {"ann": {"label": "Ann", "allow": ["orders", "users"]}, "bob": {}},
/// #     "governance": {"permissions": {"edit_user": ["users"]}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::Actor;
///
/// let mut engine = Engine::new(&policy);
/// let (bob, orders) = (engine.user("bob")?, engine.permission("orders")?);
/// let remedy = &engine.remedies(bob, orders, ()).least[0];
/// assert_eq!(remedy.steps[0].to_string(), "allow this user `orders`");
/// assert_eq!(remedy.approvers[0].to_string(), "`ann` (Ann)");
/// // Ann presses the button.
/// for change in &remedy.changes {
///     engine = engine.updated(&engine.policy().apply(Actor::User("ann"), change)?.policy);
/// }
/// assert!(engine.can(bob, orders, ()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Remedy {
    /// The steps, all of which it takes.
    pub steps: Vec<RemedyStep>,
    /// The changes that take them, in the order in which they can be made. Steps that ask
    /// about another object take none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// The users other than [admins](Remedies::admins) who may make all of these changes, one
    /// after the other, sorted by name: those on whose behalf
    /// [`Policy::apply`](crate::Policy::apply) accepts them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<Named>,
}

/// A step of a remedy.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "roles": {"trainee": {"forbid": ["orders"]}},
/// #     "users": {"bob": {"roles": ["trainee"], "allow": ["orders"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use grantree::explain::RemedyStep;
///
/// let remedies = engine.remedies(engine.user("bob")?, engine.permission("orders")?, ());
/// let RemedyStep::Revoke { source, takes: 0 } = &remedies.least[0].steps[0] else { panic!() };
/// assert_eq!(source.to_string(), "role `trainee`");
/// let RemedyStep::Lift(statement) = &remedies.least[1].steps[0] else { panic!() };
/// assert_eq!(statement.place, "roles.trainee.forbid[0]");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RemedyStep {
    /// End the suspension of this user.
    Restore(Named),
    /// License this feature.
    License(String),
    /// Allow the user this permission or level, in the user's own statements and in
    /// place of whatever they state of exactly it.
    Allow(Named),
    /// Take this statement, which denies or forbids, out of its source.
    Lift(Statement),
    /// Take this source from the user, who has it directly.
    Revoke {
        /// The source.
        source: SourceRef,
        /// The number of permissions and levels that the user would lose by that alone.
        takes: usize,
    },
    /// Set the user's own bound on this attribute.
    Widen {
        /// The attribute, as `kind.attribute`.
        attribute: String,
        /// The form of its bounds.
        form: BoundType,
        /// The bound.
        to: Bound,
    },
    /// Set the bound of an assignment's own on this attribute.
    WidenIn {
        /// The assignment.
        assignment: Named,
        /// The attribute, as `kind.attribute`.
        attribute: String,
        /// The form of its bounds.
        form: BoundType,
        /// The bound.
        to: Bound,
    },
    /// Let an assignment of the user hold within these dates.
    Prolong {
        /// The assignment.
        assignment: Named,
        /// The first date or time at which it would hold.
        from: Option<Moment>,
        /// The last date on which it would hold, or the time at which it would end.
        until: Option<Moment>,
    },
    /// Let an assignment of the user cover more objects of a kind, by another condition.
    /// Where only `*` covers the kind, its conditions become the kind's own first.
    Cover {
        /// The assignment.
        assignment: Named,
        /// The kind.
        kind: String,
        /// The relation or attribute.
        name: String,
        /// The form of the attribute's bounds; none for a relation.
        form: Option<BoundType>,
        /// The condition.
        to: Bound,
    },
    /// Give the user a role or an approval group on these objects only.
    Give {
        /// The name of the assignment, which is new.
        name: String,
        /// The role or approval group.
        source: SourceRef,
        /// The objects.
        on: Coverage,
    },
    /// Ask about another object: the policy needs no change.
    Relate {
        /// The relation.
        relation: String,
        /// The type of the relation.
        names: RelationType,
        /// The state that it would have to be in.
        to: RelationState,
    },
    /// Ask about an object with such a value: the policy needs no change.
    Value {
        /// The attribute, as `kind.attribute`.
        attribute: String,
        /// The form of its bounds.
        form: BoundType,
        /// A bound that the value would have to pass.
        to: Bound,
    },
}

impl RemedyStep {
    /// Returns whether it changes something for users other than the one who asks.
    pub(super) fn concerns_others(&self) -> bool {
        match self {
            RemedyStep::License(_) => true,
            RemedyStep::Lift(statement) => !matches!(statement.source.source, SourceName::User(_)),
            _ => false,
        }
    }
}

/// Sources that would bring what is missing if the user had them too.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}, {"key": "reports"}, {"key": "stock"}]},
/// #     "profiles": {"planner": {"allow": ["orders", "reports"]}, "driver": {"allow": ["stock"]}},
/// #     "users": {"bob": {"profile": "driver"}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let remedies = engine.remedies(engine.user("bob")?, engine.permission("orders")?, ());
/// let planner = &remedies.assignments[0];
/// assert_eq!((planner.brings, planner.takes), (2, 1));
/// assert_eq!(planner.replaces.as_ref().unwrap().source.place(), "profiles.driver");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Assignment {
    /// The sources: one, or as many as it takes.
    pub sources: Vec<AssignedSource>,
    /// The rest that is needed and that no source brings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub besides: Option<Remedy>,
    /// The user's present profile, which would be replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<SourceRef>,
    /// The number of permissions and levels that the user would gain from the sources
    /// alone.
    pub brings: usize,
    /// The number that the user would lose.
    pub takes: usize,
    /// The attributes of which more would pass, each as `kind.attribute`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub widens: Vec<String>,
}

/// A source to assign, and the users who may do so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AssignedSource {
    /// The source.
    #[serde(flatten)]
    pub source: SourceRef,
    /// The change that assigns it.
    pub change: Change,
    /// The users other than [admins](Remedies::admins) who may assign it, sorted by name:
    /// exactly those on whose behalf [`Policy::apply`](crate::Policy::apply) accepts that
    /// change, once the sources before it are assigned.
    pub approvers: Vec<Named>,
}

/// A denial as a request to those who can remedy it, for the host to send.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [
/// #         {"key": "orders", "children": [{"key": "export", "label": "Export"}]},
/// #         {"key": "users"}]},
/// #     "roles": {"clerk": {"allow": ["orders.**"]}},
/// #     "users": {
/// #         "ann": {"allow": ["users"]},
/// #         "bob": {"label": "Bob", "allow": ["orders"]},
/// #         "root": {"admin": true}},
/// #     "governance": {"permissions": {"assign_role": ["users"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let (bob, export) = (engine.user("bob")?, engine.permission("orders.export")?);
/// let request = engine.access_request(bob, export, ()).unwrap();
/// assert_eq!(request.user.label.as_deref(), Some("Bob"));
/// assert_eq!(request.missing[0].label.as_deref(), Some("Export"));
/// let clerk = &request.remedies.assignments[0].sources[0];
/// assert_eq!(clerk.source.to_string(), "role `clerk`");
/// assert_eq!(clerk.approvers[0].name, "ann");
/// assert_eq!(request.remedies.admins[0].name, "root");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AccessRequest {
    /// The user who asks.
    pub user: Named,
    /// The permission asked for, as `path` or `path:level`.
    pub action: Named,
    /// The kind of object that it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The reason why it is denied now.
    pub reason: Reason,
    /// The permissions that the first remedy would have to allow.
    pub missing: Vec<Named>,
    /// The remedies.
    #[serde(flatten)]
    pub remedies: Remedies,
}

impl Engine {
    /// Finds what would turn a denial into a yes; nothing where the answer is yes.
    ///
    /// Costs a few milliseconds, more where there are hundreds of profiles and roles to
    /// try, and a look at each user where grants are missing. The search is bounded to
    /// about a tenth of a second; a remedy found at the bound may contain unneeded
    /// steps. A remedy of more than 1,000 steps is not reported.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
    ///     "roles": {"clerk": {"allow": ["orders.**"]}},
    ///     "users": {"bob": {}, "root": {"admin": true}}
    /// }"#;
    /// let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let (bob, export) = (engine.user("bob")?, engine.permission("orders.export")?);
    /// assert_eq!(engine.remedies(bob, export, ()).to_string(), "\
    /// to allow it, do one of these
    ///   1. all of this:
    ///      - allow this user `orders.export`
    ///      - allow this user `orders`
    ///   2. assign role `clerk`: brings 2 permissions; may be assigned by: admins
    ///   (admins: `root`)
    /// ");
    /// # Ok(())
    /// # }
    /// ```
    pub fn remedies<T: Target>(&self, user: User, action: Permission, on: T) -> Remedies {
        let search = Search::new(self, (user, action), on.parts());
        search.map_or_else(Remedies::default, |search| search.remedies())
    }

    /// A denial as a request to those who can remedy it; `None` where the answer is yes
    /// or the user is unknown. Costs what [`Engine::remedies`] does.
    pub fn access_request<T: Target>(
        &self,
        user: User,
        action: Permission,
        on: T,
    ) -> Option<AccessRequest> {
        let reason = self.why(user, action, on);
        if reason.allowed() {
            return None;
        }
        let holder = self.holder(user)?;
        let remedies = self.remedies(user, action, on);
        let steps = remedies.least.first().map_or(&[][..], |remedy| &remedy.steps);
        let missing = steps.iter().filter_map(|step| match step {
            RemedyStep::Allow(permission) => Some(permission.clone()),
            _ => None,
        });
        Some(AccessRequest {
            user: named_user(holder),
            action: named_bit(&self.policy().inner().catalogue, self.bit(action)?),
            object: on.parts().0.map(|object| object.kind().to_owned()),
            reason,
            missing: missing.collect(),
            remedies,
        })
    }
}

impl Asker<'_> {
    /// [`Engine::remedies`]: for the asker, or if the asker may, for what the asker is
    /// narrowed to, as [`Asker::why`].
    pub fn remedies<T: Target>(&self, action: Permission, on: T) -> Remedies {
        let denied = self.users().find(|(engine, user)| !engine.can(*user, action, on));
        denied.map_or_else(Remedies::default, |(engine, user)| engine.remedies(user, action, on))
    }
}

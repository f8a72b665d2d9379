//! Decisions, as an audit log records them.

use std::fmt;

use serde::Serialize;

use crate::date::Moment;
use crate::engine::{Asker, Engine, Permission, User};
use crate::object::{Object, Target};
use crate::problem::Line;
use crate::reason::Reason;

/// A decision, for an audit log: the answer and its reason, by the names that the question
/// had, and the revision of the policy that gave it.
///
/// It serializes, and displays as a line. Only the kind of the object is in it; a host adds
/// the object's own id.
///
/// ```
/// use grantree::{Document, Engine, Policy};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "users": {"bob": {"forbid": ["orders"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let decision = engine.decide(engine.user("bob")?, engine.permission("orders")?, ());
/// if !decision.allowed {
///     assert_eq!(decision.to_string(), "no: `bob` may not `orders`: forbidden (revision 0)");
/// }
/// assert_eq!(
///     serde_json::to_string(&decision)?,
///     r#"{"user":"bob","action":"orders","allowed":false,"reason":"forbidden","revision":0}"#,
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Decision {
    /// The user; empty for one whom the policy does not know.
    pub user: String,
    /// The permission asked for, as `path` or `path:level`; empty if it is of another policy.
    pub action: String,
    /// The kind of object that the question was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The day that the question gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub today: Option<Moment>,
    /// The answer, as [`Engine::can`] gives it.
    pub allowed: bool,
    /// The reason, as [`Engine::why`] gives it.
    pub reason: Reason,
    /// The assignment in which the user may do it or came furthest; none if that is the
    /// ordinary capacity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignment: Option<String>,
    /// The revision of the policy.
    pub revision: u64,
}

impl Decision {
    fn of_nobody() -> Decision {
        Decision {
            user: String::new(),
            action: String::new(),
            object: None,
            today: None,
            allowed: false,
            reason: Reason::UnknownUser,
            assignment: None,
            revision: 0,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decision { user, action, allowed, reason, revision, .. } = self;
        let (answer, may) = if *allowed { ("yes", "may") } else { ("no", "may not") };
        write!(f, "{answer}: `{}` {may} `{}`", Line(user), Line(action))?;
        if let Some(kind) = &self.object {
            write!(f, " on `{}`", Line(kind))?;
        }
        if let Some(today) = self.today {
            write!(f, " on {today}")?;
        }
        write!(f, ": {reason}")?;
        if let Some(assignment) = &self.assignment {
            write!(f, " in assignment `{}`", Line(assignment))?;
        }
        write!(f, " (revision {revision})")
    }
}

impl Engine {
    /// Decides as [`Engine::can`], and returns a record of it for an audit log.
    ///
    /// It costs what [`Engine::why`] does, and the names. See [`Decision`] for an example.
    #[must_use = "it has the answer"]
    pub fn decide<T: Target>(&self, user: User, action: Permission, on: T) -> Decision {
        let (reason, assigned) = self.decision(user, action, on);
        let (object, today) = on.parts();
        let user = self.holder(user).map(|it| it.name.to_owned()).unwrap_or_default();
        let catalogue = &self.policy().inner().catalogue;
        Decision {
            user,
            action: self.bit(action).map(|bit| catalogue.name_of(bit)).unwrap_or_default(),
            object: object.map(|object| object.kind().to_owned()),
            today,
            allowed: reason.allowed(),
            reason,
            assignment: assigned.map(|it| it.name.to_string()),
            revision: self.revision(),
        }
    }
}

impl Asker<'_> {
    /// [`Engine::decide`]: of the asker, or if the asker may, of what the asker is narrowed
    /// to, as [`Asker::why`].
    #[must_use = "it has the answer"]
    pub fn decide<T: Target>(&self, action: Permission, on: T) -> Decision {
        let mut last: Option<Decision> = None;
        for (engine, user) in self.users() {
            let mut decision = engine.decide(user, action, on);
            if let Some(of_asker) = last {
                decision.user = of_asker.user;
            }
            let allowed = decision.allowed;
            last = Some(decision);
            if !allowed {
                break;
            }
        }
        last.unwrap_or_else(Decision::of_nobody)
    }
}

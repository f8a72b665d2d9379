//! Questions by name.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

use super::{Answer, read};
use crate::change::{Actor, Change, Refusal, Rule};
use crate::date::Moment;
use crate::document::Document;
use crate::engine::{Engine, Permission, Unknown, User};
use crate::object::DynamicObject;
use crate::policy::Policy;
use crate::problem::{OneLine, Problem};

/// A question by name, as in a test document.
///
/// An `action` is a permission, or a threshold of one: `path:level`.
///
/// ```
/// use grantree::policy_test::Question;
///
/// let question: Question = serde_json::from_str(
///     r#"{"can": {"user": "bob", "action": "jobs.edit", "object": {"kind": "job"}, "today": "2026-11-21"}}"#,
/// )?;
/// assert_eq!(question.to_string(), r#"can "bob" jobs.edit on job() today 2026-11-21"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields, expecting = "a question")]
#[expect(missing_docs, reason = "fields are named as in a test document")]
pub enum Question {
    /// Tells if this user may do this.
    Can {
        user: String,
        action: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        object: Option<DynamicObject>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        today: Option<Moment>,
    },
    /// Tells if this user may do this on some object, on some day.
    CanSome { user: String, action: String },
    /// The level that this user has of a graded permission.
    Level { user: String, permission: String },
    /// The value of a setting for this user.
    Setting { user: String, setting: String },
    /// All that this user holds.
    Effective { user: String },
    /// The users who may do this, on this object or, without one, on some.
    WhoCan {
        action: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        object: Option<DynamicObject>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        today: Option<Moment>,
    },
    /// The reason why this user may do this, or not.
    Why {
        user: String,
        action: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        object: Option<DynamicObject>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        today: Option<Moment>,
    },
    /// For each of these objects, tells if this user may do this.
    Filter {
        user: String,
        action: String,
        objects: Vec<DynamicObject>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        today: Option<Moment>,
    },
    /// The places where this document has problems.
    Validate(Box<Document>),
    /// Makes this change, or names the rule that refuses it. If it is made, it stays in force for the steps after.
    #[serde(deserialize_with = "read::change")]
    Change {
        /// The user on whose behalf it is; if absent, the host asks.
        #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
        actor: Option<String>,
        /// The change; `None` if the document has something there that does not have
        /// the shape of one, which is answered with `invalid`.
        #[serde(flatten)]
        change: Option<Box<Change>>,
    },
}

impl Question {
    /// Asks an engine.
    ///
    /// # Errors
    ///
    /// If the question names something, other than a user, that the policy does not
    /// know. (A change is refused instead.)
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "users": {"bob": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::policy_test::{Answer, Question};
    ///
    /// let ask = |action: &str| {
    ///     Question::CanSome { user: "bob".into(), action: action.into() }.ask(&engine)
    /// };
    /// assert_eq!(ask("orders")?, Answer::Boolean(false));
    /// assert!(ask("ordres").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ask(&self, engine: &Engine) -> Result<Answer, Unknown> {
        Ok(match self {
            Question::Can { user, action, object, today } => {
                let action = known_action(engine, action, object)?;
                let user = known_user(engine, user);
                Answer::Boolean(engine.can(user, action, (object.as_ref(), *today)))
            }
            Question::Why { user, action, object, today } => {
                let action = known_action(engine, action, object)?;
                let user = known_user(engine, user);
                let reason = engine.why(user, action, (object.as_ref(), *today));
                Answer::Text(reason.code().to_owned())
            }
            Question::CanSome { user, action } => {
                let action = engine.permission(action)?;
                Answer::Boolean(engine.can_some(known_user(engine, user), action))
            }
            Question::Level { user, permission } => {
                let permission = engine.graded(permission)?;
                let level = engine.level(known_user(engine, user), permission);
                Answer::Text(level.unwrap_or_default().to_owned())
            }
            Question::Setting { user, setting } => engine
                .setting(known_user(engine, user), setting)?
                .map_or(Answer::Nothing, |value| value.clone().into()),
            Question::Effective { user } => {
                Answer::texts(engine.effective(known_user(engine, user)))
            }
            Question::WhoCan { action, object, today } => {
                let action = known_action(engine, action, object)?;
                let mut users = engine.who_can(action, (object.as_ref(), *today));
                users.sort_unstable();
                Answer::texts(users)
            }
            Question::Filter { user, action, objects, today } => {
                let action = engine.permission(action)?;
                let filter = engine.filter(known_user(engine, user), action, *today);
                objects.iter().try_for_each(|object| engine.check_object(object))?;
                let matches = objects.iter().map(|object| filter.matches(object));
                Answer::List(matches.map(Answer::Boolean).collect())
            }
            Question::Validate(document) => validate(document),
            Question::Change { actor, change } => {
                // The engine stays as it is; the runner goes on with the new one.
                let engine = &mut engine.clone();
                outcome(apply(engine, actor.as_deref(), change.as_deref()).err().as_ref())
            }
        })
    }
}

/// Resolves a user; unknown ones have answers too.
fn known_user(engine: &Engine, name: &str) -> User {
    engine.user(name).unwrap_or(User::NOBODY)
}

/// Resolves an action, after checking that the object names nothing unknown.
fn known_action(
    engine: &Engine,
    action: &str,
    object: &Option<DynamicObject>,
) -> Result<Permission, Unknown> {
    let action = engine.permission(action)?;
    if let Some(object) = object {
        engine.check_object(object)?;
    }
    Ok(action)
}

/// Applies a change to an engine's policy, and replaces the engine by one of the next
/// version.
pub(super) fn apply(
    engine: &mut Engine,
    actor: Option<&str>,
    change: Option<&Change>,
) -> Result<(), Refusal> {
    let Some(change) = change else {
        let message = "it does not have the shape of a change".to_owned();
        return Err(Refusal { rule: Rule::Invalid, message });
    };
    let applied = engine.policy().apply(actor.map_or(Actor::Host, Actor::User), change)?;
    *engine = engine.updated(&applied.policy);
    Ok(())
}

/// Returns the answer to a change.
pub(super) fn outcome(refusal: Option<&Refusal>) -> Answer {
    Answer::Text(refusal.map_or("applied", |refusal| refusal.rule.code()).to_owned())
}

/// Returns the places of a document's problems, sorted.
pub(super) fn validate(document: &Document) -> Answer {
    let Err(problems) = Policy::try_from(document.clone()) else {
        return Answer::List(Vec::new());
    };
    let mut places: Vec<&str> = problems.iter().map(Problem::place).collect();
    places.sort_unstable();
    places.dedup();
    Answer::texts(places)
}

impl fmt::Display for Question {
    /// Displays the question on one line: `can "alice" orders.export`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let f = &mut OneLine(f);
        match self {
            Question::Can { user, action, object, today } => {
                write!(f, "can {user:?} {action}")?;
                write_target(f, object.as_slice(), *today)
            }
            Question::Why { user, action, object, today } => {
                write!(f, "why {user:?} {action}")?;
                write_target(f, object.as_slice(), *today)
            }
            Question::CanSome { user, action } => write!(f, "can_some {user:?} {action}"),
            Question::Level { user, permission } => write!(f, "level {user:?} {permission}"),
            Question::Setting { user, setting } => write!(f, "setting {user:?} {setting}"),
            Question::Effective { user } => write!(f, "effective {user:?}"),
            Question::WhoCan { action, object, today } => {
                write!(f, "who_can {action}")?;
                write_target(f, object.as_slice(), *today)
            }
            Question::Filter { user, action, objects, today } => {
                write!(f, "filter {user:?} {action}")?;
                write_target(f, objects, *today)
            }
            Question::Validate(_) => f.write_str("validate"),
            Question::Change { actor, change } => {
                write!(f, "change by {}: ", actor.as_deref().unwrap_or("the host"))?;
                match change {
                    Some(change) => write!(f, "{change:?}"),
                    None => f.write_str("malformed"),
                }
            }
        }
    }
}

fn write_target(
    f: &mut OneLine<'_, '_>,
    objects: &[DynamicObject],
    today: Option<Moment>,
) -> fmt::Result {
    for object in objects {
        write!(f, " on {object}")?;
    }
    today.map_or(Ok(()), |today| write!(f, " today {today}"))
}

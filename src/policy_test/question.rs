//! Questions by name.

use std::fmt::{self, Write};

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Answer, read};
use crate::change::{Actor, Change, Refusal, Rule};
use crate::date::Moment;
use crate::document::{Document, NamedUser, UserEntry};
use crate::engine::{Engine, OwnedAsker, Permission, Unknown, User};
use crate::names::HashSet;
use crate::object::DynamicObject;
use crate::policy::Policy;
use crate::problem::{OneLine, Problem};

/// The user whom a question is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a user's name, or a user entry with a name")]
pub enum Principal {
    /// A user, by name.
    User(String),
    /// A user whom the policy does not have.
    Subject(Box<NamedUser>),
    /// Neither, which makes an error of the question.
    Malformed(Malformed),
}

/// A part of a question that may be absent. If it can't be read, the answer is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Given<T> {
    Value(T),
    Malformed(Malformed),
    #[default]
    Absent,
}

/// A value that can't be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Malformed;

impl Serialize for Malformed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Malformed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Malformed, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Malformed)
    }
}

impl<T> From<Option<T>> for Given<T> {
    fn from(value: Option<T>) -> Given<T> {
        value.map_or(Given::Absent, Given::Value)
    }
}

impl<T> Given<T> {
    fn is_absent(&self) -> bool {
        matches!(self, Given::Absent)
    }

    /// Returns the value, if it is there.
    pub fn value(&self) -> Option<&T> {
        match self {
            Given::Value(value) => Some(value),
            Given::Malformed(_) | Given::Absent => None,
        }
    }

    fn read(&self, what: &'static str) -> Result<Option<&T>, Unknown> {
        match self {
            Given::Malformed(_) => Err(Unknown::malformed(what)),
            _ => Ok(self.value()),
        }
    }
}

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
        #[serde(alias = "subject")]
        user: Principal,
        #[serde(default, skip_serializing_if = "Given::is_absent")]
        within: Given<Box<UserEntry>>,
        action: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        object: Option<DynamicObject>,
        #[serde(default, skip_serializing_if = "Given::is_absent")]
        today: Given<Moment>,
    },
    /// Tells if this user may do this on some object, on some day; of a heading, something
    /// beneath it.
    CanSome {
        #[serde(alias = "subject")]
        user: Principal,
        #[serde(default, skip_serializing_if = "Given::is_absent")]
        within: Given<Box<UserEntry>>,
        action: String,
    },
    /// The level that this user has of a graded permission, on an object if one is given.
    Level {
        #[serde(alias = "subject")]
        user: Principal,
        #[serde(default, skip_serializing_if = "Given::is_absent")]
        within: Given<Box<UserEntry>>,
        permission: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        object: Option<DynamicObject>,
        #[serde(default, skip_serializing_if = "Given::is_absent")]
        today: Given<Moment>,
    },
    /// The value of a setting for this user.
    Setting {
        #[serde(alias = "subject")]
        user: Principal,
        setting: String,
    },
    /// All that this user holds, or that one of the user's assignments carries.
    Effective {
        #[serde(alias = "subject")]
        user: Principal,
        #[serde(default, skip_serializing_if = "Given::is_absent")]
        within: Given<Box<UserEntry>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assignment: Option<String>,
    },
    /// The users who may do this, on this object or, without one, on some.
    WhoCan {
        action: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        object: Option<DynamicObject>,
        #[serde(default, skip_serializing_if = "Given::is_absent")]
        today: Given<Moment>,
    },
    /// Tells if nobody but these users may do this.
    Never {
        action: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        object: Option<DynamicObject>,
        #[serde(default, skip_serializing_if = "Given::is_absent")]
        today: Given<Moment>,
        #[serde(default)]
        except: Vec<String>,
    },
    /// Tells if this policy lets nobody but these users do what another, its baseline, does
    /// not let them do.
    ///
    /// ```
    /// use grantree::policy_test::TestDocument;
    ///
    /// let text = r#"{
    ///     "policy": {
    ///         "format": 1,
    ///         "catalogue": {
    ///             "objects": {"order": {"attributes": {"amount": "at_most"}}},
    ///             "permissions": [{"key": "approve", "object": "order", "checks": ["amount"]}]},
    ///         "users": {"bob": {"allow": ["approve"], "bounds": {"order.amount": 900}}}
    ///     },
    ///     "steps": [{"no_new_access": {"baseline": {
    ///         "format": 1,
    ///         "catalogue": {
    ///             "objects": {"order": {"attributes": {"amount": "at_most"}}},
    ///             "permissions": [{"key": "approve", "object": "order", "checks": ["amount"]}]},
    ///         "users": {"bob": {"allow": ["approve"], "bounds": {"order.amount": 500}}}
    ///     }}, "expect": true}]
    /// }"#;
    /// let report = serde_json::from_str::<TestDocument>(text)?.run(None)?;
    /// assert_eq!(
    ///     report.failures[0].to_string(),
    ///     "step 0: no_new_access: expected true, got false, as of this it is yes: \
    ///      can \"bob\" approve on order(amount = 501)",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    NoNewAccess {
        baseline: Box<Document>,
        #[serde(default)]
        except: Vec<String>,
    },
    /// The reason why this user may do this, or not.
    Why {
        #[serde(alias = "subject")]
        user: Principal,
        #[serde(default, skip_serializing_if = "Given::is_absent")]
        within: Given<Box<UserEntry>>,
        action: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        object: Option<DynamicObject>,
        #[serde(default, skip_serializing_if = "Given::is_absent")]
        today: Given<Moment>,
    },
    /// For each of these objects, tells if this user may do this.
    Filter {
        #[serde(alias = "subject")]
        user: Principal,
        #[serde(default, skip_serializing_if = "Given::is_absent")]
        within: Given<Box<UserEntry>>,
        action: String,
        objects: Vec<DynamicObject>,
        #[serde(default, skip_serializing_if = "Given::is_absent")]
        today: Given<Moment>,
    },
    /// The places where this document has problems.
    Validate(Box<Document>),
    /// Makes this change, or names the rule that refuses it. If it is made, it stays in force for the steps after.
    #[serde(deserialize_with = "read::change")]
    Change {
        /// The user on whose behalf it is; if absent, the host asks.
        #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
        actor: Option<String>,
        /// The day on which it is made.
        #[serde(skip_serializing_if = "Given::is_absent")]
        today: Given<Moment>,
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
    /// use grantree::policy_test::{Answer, Question, Given};
    ///
    /// let ask = |action: &str| {
    ///     Question::CanSome { user: "bob".into(), within: Given::Absent, action: action.into() }.ask(&engine)
    /// };
    /// assert_eq!(ask("orders")?, Answer::Boolean(false));
    /// assert!(ask("ordres").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ask(&self, engine: &Engine) -> Result<Answer, Unknown> {
        Ok(match self {
            Question::Can { user, within, action, object, today } => {
                let asker = user.asker(engine, within)?;
                let asker = asker.asker();
                let action = known_action(engine, action, object)?;
                Answer::Boolean(asker.can(action, (object.as_ref(), day(today)?)))
            }
            Question::Why { user, within, action, object, today } => {
                let asker = user.asker(engine, within)?;
                let asker = asker.asker();
                let action = known_action(engine, action, object)?;
                let reason = asker.why(action, (object.as_ref(), day(today)?));
                Answer::Text(reason.code().to_owned())
            }
            Question::CanSome { user, within, action } => {
                let asker = user.asker(engine, within)?;
                let asker = asker.asker();
                Answer::Boolean(match asker.can_some_beneath(action) {
                    Ok(some) => some,
                    Err(_) => asker.can_some(engine.permission(action)?),
                })
            }
            Question::Level { user, within, permission, object, today } => {
                let asker = user.asker(engine, within)?;
                let asker = asker.asker();
                let permission = engine.graded(permission)?;
                object.iter().try_for_each(|object| engine.check_object(object))?;
                let level = asker.level(permission, (object.as_ref(), day(today)?));
                Answer::Text(level.unwrap_or_default().to_owned())
            }
            Question::Setting { user, setting } => {
                let asker = user.asker(engine, &Given::Absent)?;
                let asker = asker.asker();
                asker.setting(setting)?.map_or(Answer::Nothing, |value| value.clone().into())
            }
            Question::Effective { user, within, assignment } => {
                let asker = user.asker(engine, within)?;
                let asker = asker.asker();
                match assignment {
                    Some(_) if !within.is_absent() => {
                        return Err(Unknown::malformed("an assignment or an entry, not both"));
                    }
                    Some(assignment) => Answer::texts(asker.effective_in(assignment)?),
                    None => Answer::texts(asker.effective()),
                }
            }
            Question::WhoCan { action, object, today } => {
                Answer::texts(who_can(engine, action, object, day(today)?)?)
            }
            Question::Never { action, object, today, except } => {
                let except = set_of(except);
                let users = who_can(engine, action, object, day(today)?)?;
                Answer::Boolean(users.into_iter().all(|user| except.contains(user)))
            }
            Question::NoNewAccess { baseline, except } => {
                Answer::Boolean(!before(baseline)?.diff(engine).gives(&set_of(except)))
            }
            Question::Filter { user, within, action, objects, today } => {
                let asker = user.asker(engine, within)?;
                let asker = asker.asker();
                let filter = asker.filter(engine.permission(action)?, day(today)?);
                objects.iter().try_for_each(|object| engine.check_object(object))?;
                let matches = objects.iter().map(|object| filter.matches(object));
                Answer::List(matches.map(Answer::Boolean).collect())
            }
            Question::Validate(document) => validate(document),
            Question::Change { actor, today, change } => {
                // The engine stays as it is; the runner goes on with the new one.
                let engine = &mut engine.clone();
                let applied = apply(engine, actor.as_deref(), day(today)?, change.as_deref());
                outcome(applied.err().as_ref())
            }
        })
    }
}

impl Principal {
    /// The name of the user.
    pub fn name(&self) -> &str {
        match self {
            Principal::User(name) => name,
            Principal::Subject(subject) => &subject.name,
            Principal::Malformed(_) => "",
        }
    }

    /// Returns who asks, narrowed to an entry if one is given.
    pub(super) fn asker(
        &self,
        engine: &Engine,
        within: &Given<Box<UserEntry>>,
    ) -> Result<OwnedAsker, Unknown> {
        let asker = match self {
            Principal::User(name) => {
                engine.asker(engine.user(name).unwrap_or(User::NOBODY)).owned()
            }
            Principal::Subject(subject) => engine.subject(&subject.name, &subject.entry)?,
            Principal::Malformed(_) => return Err(Unknown::malformed("a user entry with a name")),
        };
        match within.read("a user entry without a name")? {
            Some(entry) if !entry.groups.is_empty() => {
                Err(Unknown::malformed("a user entry without groups"))
            }
            Some(entry) => Ok(asker.asker().within(entry)?),
            None => Ok(asker),
        }
    }
}

impl<T: Into<String>> From<T> for Principal {
    fn from(user: T) -> Principal {
        Principal::User(user.into())
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Principal::User(name) => write!(f, "{name:?}"),
            Principal::Subject(subject) => write!(f, "subject {:?}", subject.name),
            Principal::Malformed(_) => f.write_str("a malformed subject"),
        }
    }
}

/// Returns the engine of a baseline.
pub(super) fn before(baseline: &Document) -> Result<Engine, Unknown> {
    Ok(Engine::new(&Policy::try_from(baseline.clone())?))
}

/// Returns the day of a question.
pub(super) fn day(today: &Given<Moment>) -> Result<Option<Moment>, Unknown> {
    today.read("a date, or a date and time").map(Option::<&Moment>::copied)
}

/// Returns names as a set: there may be as many as users.
pub(super) fn set_of(names: &[String]) -> HashSet<&str> {
    names.iter().map(String::as_str).collect()
}

pub(super) fn who_can<'e>(
    engine: &'e Engine,
    action: &str,
    object: &Option<DynamicObject>,
    today: Option<Moment>,
) -> Result<Vec<&'e str>, Unknown> {
    let action = known_action(engine, action, object)?;
    let mut users = engine.who_can(action, (object.as_ref(), today));
    users.sort_unstable();
    Ok(users)
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
    today: Option<Moment>,
    change: Option<&Change>,
) -> Result<(), Refusal> {
    let Some(change) = change else {
        let message = "it does not have the shape of a change".to_owned();
        return Err(Refusal { rule: Rule::Invalid, message });
    };
    let actor = actor.map_or(Actor::Host, Actor::User);
    let applied = engine.policy().apply_on(actor, change, today)?;
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
            Question::Can { user, within, action, object, today } => {
                write!(f, "can {user}{} {action}", narrowed(within))?;
                write_target(f, object.as_slice(), today)
            }
            Question::Why { user, within, action, object, today } => {
                write!(f, "why {user}{} {action}", narrowed(within))?;
                write_target(f, object.as_slice(), today)
            }
            Question::CanSome { user, within, action } => {
                write!(f, "can_some {user}{} {action}", narrowed(within))
            }
            Question::Level { user, within, permission, object, today } => {
                write!(f, "level {user}{} {permission}", narrowed(within))?;
                write_target(f, object.as_slice(), today)
            }
            Question::Setting { user, setting } => write!(f, "setting {user} {setting}"),
            Question::Effective { user, within, assignment } => {
                write!(f, "effective {user}{}", narrowed(within))?;
                assignment.as_deref().map_or(Ok(()), |name| write!(f, " in {name:?}"))
            }
            Question::WhoCan { action, object, today } => {
                write!(f, "who_can {action}")?;
                write_target(f, object.as_slice(), today)
            }
            Question::Never { action, object, today, except } => {
                write!(f, "never {action}")?;
                write_target(f, object.as_slice(), today)?;
                if except.is_empty() { Ok(()) } else { write!(f, " except {except:?}") }
            }
            Question::NoNewAccess { except, .. } => {
                f.write_str("no_new_access")?;
                if except.is_empty() { Ok(()) } else { write!(f, " except {except:?}") }
            }
            Question::Filter { user, within, action, objects, today } => {
                write!(f, "filter {user}{} {action}", narrowed(within))?;
                write_target(f, objects, today)
            }
            Question::Validate(_) => f.write_str("validate"),
            Question::Change { actor, today, change } => {
                write!(f, "change by {}: ", actor.as_deref().unwrap_or("the host"))?;
                match change {
                    Some(change) => write!(f, "{change}"),
                    None => f.write_str("malformed"),
                }?;
                write_target(f, &[], today)
            }
        }
    }
}

fn narrowed(within: &Given<Box<UserEntry>>) -> &'static str {
    if !within.is_absent() { " within an entry" } else { "" }
}

fn write_target(
    f: &mut OneLine<'_, '_>,
    objects: &[DynamicObject],
    today: &Given<Moment>,
) -> fmt::Result {
    for object in objects {
        write!(f, " on {object}")?;
    }
    match today {
        Given::Value(today) => write!(f, " today {today}"),
        Given::Malformed(_) => f.write_str(" on a malformed day"),
        Given::Absent => Ok(()),
    }
}

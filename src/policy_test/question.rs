//! Questions by name, and their answers.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::change::{Actor, Change, Refusal, Rule};
use crate::date::Date;
use crate::document::{Document, SettingValue};
use crate::engine::{Engine, Permission, Unknown};
use crate::object::DynamicObject;
use crate::policy::Policy;
use crate::problem::{OneLine, Problem};
use crate::reason::Reason;

/// A question by name.
///
/// ```
/// use grantree::policy_test::{AskEffective, Question, Step};
///
/// let step: Step = serde_json::from_str(r#"{"effective": {"user": "bob"}, "expect": ["orders"]}"#)?;
/// assert_eq!(step.question, Question::Effective(AskEffective { user: "bob".into() }));
/// assert_eq!(step.question.to_string(), r#"effective "bob""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// May this user do this?
    Can(Ask),
    /// May this user do this on some object, on some day?
    CanSome(AskSome),
    /// What level of a graded permission does this user have?
    Level(AskLevel),
    /// What is the value of a setting for this user?
    Setting(AskSetting),
    /// What does this user hold?
    Effective(AskEffective),
    /// Which users may do this, on this object or, without one, on some?
    WhoCan(AskWho),
    /// Why may this user do this, or not?
    Why(Ask),
    /// On which of these objects may this user do this?
    Filter(AskFilter),
    /// Where does this document have problems?
    Validate(Box<Document>),
    /// Is this change applied? If so, it stays in force for the steps after.
    Change(Box<ChangeStep>),
}

/// May this user do this?
///
/// ```
/// use grantree::object::DynamicObject;
/// use grantree::policy_test::Ask;
///
/// let ask: Ask = serde_json::from_str(
///     r#"{"user": "bob", "action": "jobs.edit", "object": {"kind": "job"}, "today": "2026-11-21"}"#,
/// )?;
/// assert_eq!(ask.object, Some(DynamicObject::new("job")));
/// assert_eq!(ask.today, Some("2026-11-21".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a question")]
pub struct Ask {
    /// The user.
    pub user: String,
    /// The permission, or a threshold of one: `path:level`.
    pub action: String,
    /// The object, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<DynamicObject>,
    /// What day it is, if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub today: Option<Date>,
}

/// May this user do this on some object, on some day?
///
/// ```
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
/// use grantree::policy_test::{Answer, AskSome, Question};
///
/// let ask = AskSome { user: "bob".into(), action: "edit".into() };
/// assert_eq!(Question::CanSome(ask).ask(&engine)?, Answer::Boolean(true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a question")]
pub struct AskSome {
    /// The user.
    pub user: String,
    /// The permission, or a threshold of one: `path:level`.
    pub action: String,
}

/// What level of a graded permission does this user have?
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
/// use grantree::policy_test::{Answer, AskLevel, Question};
///
/// let ask = AskLevel { user: "bob".into(), permission: "price".into() };
/// assert_eq!(Question::Level(ask).ask(&engine)?, Answer::Text("read_only".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a question")]
pub struct AskLevel {
    /// The user.
    pub user: String,
    /// The graded permission.
    pub permission: String,
}

/// What is the value of a setting for this user?
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"settings": {"out_of_hours": {"default": false}}},
/// #     "users": {"bob": {}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use grantree::policy_test::{Answer, AskSetting, Question};
///
/// let ask = AskSetting { user: "bob".into(), setting: "out_of_hours".into() };
/// assert_eq!(Question::Setting(ask).ask(&engine)?, Answer::Boolean(false));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a question")]
pub struct AskSetting {
    /// The user.
    pub user: String,
    /// The setting.
    pub setting: String,
}

/// What does this user hold?
///
/// ```
/// use grantree::policy_test::AskEffective;
///
/// let ask: AskEffective = serde_json::from_str(r#"{"user": "bob"}"#)?;
/// assert_eq!(ask, AskEffective { user: "bob".into() });
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a question")]
pub struct AskEffective {
    /// The user.
    pub user: String,
}

/// Which users may do this, on this object or, without one, on some?
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "users": {"bob": {"allow": ["orders"]}, "eve": {}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use grantree::policy_test::{Answer, AskWho, Question};
///
/// let ask = AskWho { action: "orders".into(), object: None, today: None };
/// assert_eq!(Question::WhoCan(ask).ask(&engine)?, Answer::List(vec![Answer::Text("bob".into())]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a question")]
pub struct AskWho {
    /// The permission, or a threshold of one: `path:level`.
    pub action: String,
    /// The object, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<DynamicObject>,
    /// What day it is, if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub today: Option<Date>,
}

/// Is this change applied?
///
/// ```
/// use grantree::policy_test::ChangeStep;
///
/// let step: ChangeStep = serde_json::from_str(
///     r#"{"as": "alice", "assign": {"user": "bob", "source": {"role": "owner"}}}"#,
/// )?;
/// assert_eq!(step.actor.as_deref(), Some("alice"));
/// assert!(step.change.is_some());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeStep {
    /// The user on whose behalf it is; if absent, the host asks.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The change; `None` if what is written there does not have the shape of
    /// one, which is answered with `invalid`.
    #[serde(flatten)]
    pub change: Option<Change>,
}

impl<'de> Deserialize<'de> for ChangeStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ChangeStep, D::Error> {
        #[derive(Deserialize)]
        struct Fields {
            #[serde(default, rename = "as")]
            actor: Option<String>,
            #[serde(flatten)]
            change: Change,
            #[serde(flatten)]
            rest: BTreeMap<String, IgnoredAny>,
        }

        #[derive(Deserialize)]
        #[serde(untagged)]
        enum MaybeChange {
            Change(Box<Fields>),
            Malformed(IgnoredAny),
        }

        Ok(match MaybeChange::deserialize(deserializer)? {
            MaybeChange::Change(fields) if fields.rest.is_empty() => {
                let Fields { actor, change, .. } = *fields;
                ChangeStep { actor, change: Some(change) }
            }
            MaybeChange::Change(_) | MaybeChange::Malformed(_) => {
                ChangeStep { actor: None, change: None }
            }
        })
    }
}

impl ChangeStep {
    /// Applies the change to an engine's policy, and replaces the engine by one of
    /// the next version.
    pub(super) fn apply(&self, engine: &mut Engine) -> Result<(), Refusal> {
        let by = self.actor.as_deref().map_or(Actor::Host, Actor::User);
        let Some(change) = &self.change else {
            let message = "it does not have the shape of a change".to_owned();
            return Err(Refusal { rule: Rule::Invalid, message });
        };
        let applied = engine.policy().apply(by, change)?;
        *engine = engine.follow(&applied.policy);
        Ok(())
    }
}

/// The answer to a change.
pub(super) fn outcome(applied: &Result<(), Refusal>) -> Answer {
    let code = applied.as_ref().map_or_else(|refusal| refusal.rule.code(), |()| "applied");
    Answer::Text(code.to_owned())
}

/// On which of these objects may this user do this?
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
/// use grantree::policy_test::{Answer, AskFilter, Question};
///
/// let objects = [["bob"], ["eve"]].map(|names| DynamicObject::new("job").with_relation("assignee", names));
/// let ask =
///     AskFilter { user: "bob".into(), action: "edit".into(), objects: objects.into(), today: None };
/// let answer = Question::Filter(ask).ask(&engine)?;
/// assert_eq!(answer, Answer::List(vec![Answer::Boolean(true), Answer::Boolean(false)]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a question")]
pub struct AskFilter {
    /// The user.
    pub user: String,
    /// The permission, or a threshold of one: `path:level`.
    pub action: String,
    /// The objects.
    pub objects: Vec<DynamicObject>,
    /// What day it is, if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub today: Option<Date>,
}

/// An answer.
///
/// ```
/// use grantree::policy_test::Answer;
///
/// let answer: Answer = serde_json::from_str(r#"["alice", "root"]"#)?;
/// assert_eq!(answer, Answer::List(vec![Answer::Text("alice".into()), Answer::Text("root".into())]));
/// assert_eq!(answer.to_string(), r#"["alice", "root"]"#);
/// assert_eq!(serde_json::from_str::<Answer>(r#"{"error": true}"#)?, Answer::Error);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes or no, or the value of a setting.
    Boolean(bool),
    /// The value of a setting.
    Integer(i64),
    /// A level, the code of a reason or of a change's outcome, or the value of a
    /// setting.
    Text(String),
    /// The value of a setting that has none: `null`.
    Nothing,
    /// Permissions, users or places; or yes or no for each object.
    List(Vec<Answer>),
    /// No answer, because the question names something unknown: `{"error": true}`.
    Error,
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Answer, D::Error> {
        struct AnyAnswer;

        impl<'de> Visitor<'de> for AnyAnswer {
            type Value = Answer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an answer: a value, a list, or {\"error\": true}")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Answer, E> {
                Ok(Answer::Boolean(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Answer, E> {
                Ok(Answer::Integer(value))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Answer, E> {
                i64::try_from(value).map(Answer::Integer).map_err(E::custom)
            }
            fn visit_str<E>(self, value: &str) -> Result<Answer, E> {
                Ok(Answer::Text(value.to_owned()))
            }
            fn visit_unit<E>(self) -> Result<Answer, E> {
                Ok(Answer::Nothing)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Answer, A::Error> {
                let mut answers = Vec::new();
                while let Some(answer) = list.next_element()? {
                    answers.push(answer);
                }
                Ok(Answer::List(answers))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Answer, A::Error> {
                match (map.next_entry::<String, bool>()?, map.next_key::<String>()?) {
                    (Some((key, true)), None) if key == "error" => Ok(Answer::Error),
                    _ => Err(A::Error::custom("expected {\"error\": true}")),
                }
            }
        }

        deserializer.deserialize_any(AnyAnswer)
    }
}

impl From<SettingValue> for Answer {
    fn from(value: SettingValue) -> Answer {
        match value {
            SettingValue::Boolean(value) => Answer::Boolean(value),
            SettingValue::Integer(value) => Answer::Integer(value),
            SettingValue::Text(value) => Answer::Text(value),
        }
    }
}

impl fmt::Display for Answer {
    /// The answer as in a test document, but with texts escaped as in Rust.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Boolean(value) => value.fmt(f),
            Answer::Integer(value) => value.fmt(f),
            Answer::Text(value) => write!(f, "{value:?}"),
            Answer::Nothing => f.write_str("null"),
            Answer::List(answers) => {
                f.write_str("[")?;
                for (at, answer) in answers.iter().enumerate() {
                    if at > 0 {
                        f.write_str(", ")?;
                    }
                    answer.fmt(f)?;
                }
                f.write_str("]")
            }
            Answer::Error => f.write_str("{\"error\": true}"),
        }
    }
}

impl fmt::Display for Question {
    /// The question in one line: `can "alice" orders.export`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let f = &mut OneLine(f);
        let on = |f: &mut OneLine<'_, '_>, object: &Option<DynamicObject>, today| {
            if let Some(object) = object {
                write!(f, " on {object}")?;
            }
            match today {
                &Some(today) => write!(f, " today {today}"),
                None => Ok(()),
            }
        };
        match self {
            Question::Can(Ask { user, action, object, today }) => {
                write!(f, "can {user:?} {action}")?;
                on(f, object, today)
            }
            Question::Why(Ask { user, action, object, today }) => {
                write!(f, "why {user:?} {action}")?;
                on(f, object, today)
            }
            Question::CanSome(ask) => write!(f, "can_some {:?} {}", ask.user, ask.action),
            Question::Level(ask) => write!(f, "level {:?} {}", ask.user, ask.permission),
            Question::Setting(ask) => write!(f, "setting {:?} {}", ask.user, ask.setting),
            Question::Effective(ask) => write!(f, "effective {:?}", ask.user),
            Question::WhoCan(AskWho { action, object, today }) => {
                write!(f, "who_can {action}")?;
                on(f, object, today)
            }
            Question::Filter(AskFilter { user, action, objects, today }) => {
                write!(f, "filter {user:?} {action}")?;
                objects.iter().try_for_each(|object| write!(f, " on {object}"))?;
                on(f, &None, today)
            }
            Question::Validate(_) => f.write_str("validate"),
            Question::Change(step) => {
                let by = step.actor.as_ref().map_or("the host", |name| name);
                write!(f, "change by {by}: ")?;
                match &step.change {
                    Some(change) => write!(f, "{change:?}"),
                    None => f.write_str("malformed"),
                }
            }
        }
    }
}

impl Question {
    /// Asks an engine.
    ///
    /// # Errors
    ///
    /// Where the question names something, other than a user, that the policy does
    /// not know. (A change is refused instead.)
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "users": {"bob": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::policy_test::{Answer, Ask, Question};
    ///
    /// let why = |action: &str| {
    ///     Question::Why(Ask { user: "bob".into(), action: action.into(), object: None, today: None })
    /// };
    /// assert_eq!(why("orders").ask(&engine)?, Answer::Text("not_granted".into()));
    /// assert!(why("ordres").ask(&engine).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ask(&self, engine: &Engine) -> Result<Answer, Unknown> {
        match self {
            Question::Can(ask) => {
                let (action, on) = ask.resolve(engine)?;
                let user = engine.user(&ask.user);
                Ok(Answer::Boolean(user.is_ok_and(|user| engine.can(user, action, on))))
            }
            Question::Why(ask) => {
                let (action, on) = ask.resolve(engine)?;
                let user = engine.user(&ask.user);
                let reason = user.map_or(Reason::UnknownUser, |user| engine.why(user, action, on));
                Ok(Answer::Text(reason.code().to_owned()))
            }
            Question::CanSome(ask) => {
                let action = engine.permission(&ask.action)?;
                let user = engine.user(&ask.user);
                Ok(Answer::Boolean(user.is_ok_and(|user| engine.can_some(user, action))))
            }
            Question::Level(ask) => {
                let level = engine.level_by_name(&ask.user, &ask.permission)?;
                Ok(Answer::Text(level.to_owned()))
            }
            Question::Setting(ask) => {
                let value = engine.setting_by_name(&ask.user, &ask.setting)?;
                Ok(value.map_or(Answer::Nothing, |value| value.clone().into()))
            }
            Question::Effective(ask) => {
                let held = engine.user(&ask.user).map(|user| engine.effective(user));
                Ok(texts(held.unwrap_or_default()))
            }
            Question::WhoCan(ask) => {
                let action = engine.permission(&ask.action)?;
                if let Some(object) = &ask.object {
                    engine.check_object(object)?;
                }
                let mut users = engine.who_can(action, (ask.object.as_ref(), ask.today));
                users.sort_unstable();
                Ok(texts(users))
            }
            Question::Filter(ask) => {
                let filter = engine.filter_by_name(&ask.user, &ask.action, ask.today)?;
                ask.objects.iter().try_for_each(|object| engine.check_object(object))?;
                let matches = ask.objects.iter().map(|object| filter.matches(object));
                Ok(Answer::List(matches.map(Answer::Boolean).collect()))
            }
            Question::Validate(document) => Ok(validate(document)),
            // The engine stays as it is; the runner goes on with the new one.
            Question::Change(step) => Ok(outcome(&step.apply(&mut engine.clone()))),
        }
    }
}

impl Ask {
    /// What it asks, and on what, once every name in it is known.
    fn resolve(&self, engine: &Engine) -> Result<(Permission, On<'_>), Unknown> {
        let action = engine.permission(&self.action)?;
        if let Some(object) = &self.object {
            engine.check_object(object)?;
        }
        Ok((action, (self.object.as_ref(), self.today)))
    }
}

type On<'a> = (Option<&'a DynamicObject>, Option<Date>);

fn texts<T: ToString>(texts: impl IntoIterator<Item = T>) -> Answer {
    Answer::List(texts.into_iter().map(|text| Answer::Text(text.to_string())).collect())
}

/// The places of a document's problems, sorted.
pub(super) fn validate(document: &Document) -> Answer {
    match Policy::try_from(document.clone()) {
        Ok(_) => Answer::List(Vec::new()),
        Err(problems) => {
            let mut places: Vec<&str> = problems.iter().map(Problem::place).collect();
            places.sort_unstable();
            places.dedup();
            texts(places)
        }
    }
}

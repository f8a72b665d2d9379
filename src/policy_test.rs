//! Test documents: a policy's authors state what it should answer, and the
//! engine is held to it.
//!
//! A [`TestDocument`] is a policy and the steps to take with it, each a
//! [`Question`] with the [`Answer`] that it should have.

use std::fmt;

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::date::Date;
use crate::document::{Document, SettingValue};
use crate::object::DynamicObject;

/// A test document.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestDocument {
    /// The policy; absent where the runner is given one.
    pub policy: Option<Document>,
    /// The questions, each with its answer.
    pub steps: Vec<Step>,
}

/// A question, and what the answer should be.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "StepFields")]
pub struct Step {
    /// The question.
    pub question: Question,
    /// The answer.
    pub expect: Answer,
}

/// A question by names.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// May this user do this?
    Can(Ask),
    /// May this user do this on some object, on some day?
    CanSome(AskSome),
    /// What level of a graded permission has this user?
    Level(AskLevel),
    /// What is the value of a setting for this user?
    Setting(AskSetting),
    /// What does this user hold?
    Effective(AskEffective),
    /// Which users may do this, on this object or, without one, on some?
    WhoCan(AskWho),
    /// Why may this user do this, or not?
    Why(Ask),
    /// Where does this document have problems?
    Validate(Box<Document>),
    /// A step of a kind that this version does not take.
    #[serde(skip)]
    Unsupported(&'static str),
}

/// May this user do this?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The user.
    pub user: String,
    /// The permission, or a threshold of one: `path:level`.
    pub action: String,
    /// The object, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<DynamicObject>,
    /// What day it is, if that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub today: Option<Date>,
}

/// May this user do this on some object, on some day?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskSome {
    /// The user.
    pub user: String,
    /// The permission, or a threshold of one: `path:level`.
    pub action: String,
}

/// What level of a graded permission has this user?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskLevel {
    /// The user.
    pub user: String,
    /// The graded permission.
    pub permission: String,
}

/// What is the value of a setting for this user?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskSetting {
    /// The user.
    pub user: String,
    /// The setting.
    pub setting: String,
}

/// What does this user hold?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskEffective {
    /// The user.
    pub user: String,
}

/// Which users may do this, on this object or, without one, on some?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskWho {
    /// The permission, or a threshold of one: `path:level`.
    pub action: String,
    /// The object, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<DynamicObject>,
    /// What day it is, if that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub today: Option<Date>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes or no, or the value of a setting.
    Boolean(bool),
    /// The value of a setting.
    Integer(i64),
    /// A level, a reason's code or the value of a setting.
    Text(String),
    /// The value of a setting that has none: `null`.
    Nothing,
    /// Permissions, users or places.
    List(Vec<Answer>),
    /// None, because the question names something unknown: `{"error": true}`.
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
    /// The answer as a test document writes it, in JSON.
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

/// A step as it is written: one of the questions, the answer and a note.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepFields {
    can: Option<Ask>,
    can_some: Option<AskSome>,
    level: Option<AskLevel>,
    setting: Option<AskSetting>,
    effective: Option<AskEffective>,
    who_can: Option<AskWho>,
    why: Option<Ask>,
    validate: Option<Box<Document>>,
    change: Option<IgnoredAny>,
    filter: Option<IgnoredAny>,
    expect: Answer,
    #[serde(default, rename = "note")]
    _note: IgnoredAny,
}

impl TryFrom<StepFields> for Step {
    type Error = &'static str;

    fn try_from(fields: StepFields) -> Result<Step, &'static str> {
        let mut questions = [
            fields.can.map(Question::Can),
            fields.can_some.map(Question::CanSome),
            fields.level.map(Question::Level),
            fields.setting.map(Question::Setting),
            fields.effective.map(Question::Effective),
            fields.who_can.map(Question::WhoCan),
            fields.why.map(Question::Why),
            fields.validate.map(Question::Validate),
            fields.change.map(|_| Question::Unsupported("change")),
            fields.filter.map(|_| Question::Unsupported("filter")),
        ]
        .into_iter()
        .flatten();
        match (questions.next(), questions.next()) {
            (Some(question), None) => Ok(Step {
                question,
                expect: fields.expect,
            }),
            (None, _) => Err("a step without a question"),
            (Some(_), Some(_)) => Err("a step with several questions"),
        }
    }
}

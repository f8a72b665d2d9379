//! Answers as data.

use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::document::SettingValue;

/// An answer to a [`Question`](super::Question), as in a test document.
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

impl Answer {
    pub(super) fn texts<T: ToString>(texts: impl IntoIterator<Item = T>) -> Answer {
        Answer::List(texts.into_iter().map(|text| Answer::Text(text.to_string())).collect())
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

impl Serialize for Answer {
    /// Serializes the answer as in a test document.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Answer::Boolean(value) => serializer.serialize_bool(*value),
            Answer::Integer(value) => serializer.serialize_i64(*value),
            Answer::Text(value) => serializer.serialize_str(value),
            Answer::Nothing => serializer.serialize_unit(),
            Answer::List(answers) => serializer.collect_seq(answers),
            Answer::Error => serializer.collect_map([("error", true)]),
        }
    }
}

impl fmt::Display for Answer {
    /// Displays the answer as in a test document, but with texts escaped as in Rust.
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

//! Reads test documents.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::{Answer, Given, Question, Step, TestDocument};
use crate::change::Change;
use crate::date::Moment;
use crate::document::Document;

/// A test document as written, with its notes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a test document")]
pub(super) struct DocumentFields {
    #[serde(default)]
    policy: Option<Document>,
    steps: Vec<Step>,
    #[serde(default, rename = "$schema")]
    _schema: IgnoredAny,
    #[serde(default, rename = "name")]
    _name: IgnoredAny,
    #[serde(default, rename = "description")]
    _description: IgnoredAny,
    #[serde(default, rename = "note")]
    _note: IgnoredAny,
}

impl From<DocumentFields> for TestDocument {
    fn from(DocumentFields { policy, steps, .. }: DocumentFields) -> TestDocument {
        TestDocument { policy, steps }
    }
}

impl<'de> Deserialize<'de> for Step {
    /// Reads a map of one question, the answer and a note.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Step, D::Error> {
        struct StepVisitor;

        impl<'de> Visitor<'de> for StepVisitor {
            type Value = Step;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a step")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Step, A::Error> {
                let mut question: Option<Question> = None;
                let mut expect: Option<Answer> = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key == "note" {
                        map.next_value::<IgnoredAny>()?;
                    } else if key == "expect" {
                        if expect.replace(map.next_value()?).is_some() {
                            return Err(A::Error::duplicate_field("expect"));
                        }
                    } else {
                        let entry = Entry { key: Some(key), map: &mut map };
                        let read = Question::deserialize(MapAccessDeserializer::new(entry))?;
                        if question.replace(read).is_some() {
                            return Err(A::Error::custom("a step with several questions"));
                        }
                    }
                }
                let question =
                    question.ok_or_else(|| A::Error::custom("a step without a question"))?;
                let expect = expect.ok_or_else(|| A::Error::missing_field("expect"))?;
                Ok(Step { question, expect })
            }
        }

        deserializer.deserialize_map(StepVisitor)
    }
}

/// One entry of a map, whose key has been read.
struct Entry<'m, A> {
    key: Option<String>,
    map: &'m mut A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entry<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.key.take().map(|key| seed.deserialize(StringDeserializer::new(key))).transpose()
    }
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

type ActorAndChange = (Option<String>, Given<Moment>, Option<Box<Change>>);

/// Reads the actor and the change of a [`Question::Change`]; neither if it does not
/// have the shape of a change.
pub(super) fn change<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<ActorAndChange, D::Error> {
    #[derive(Deserialize)]
    struct Fields {
        #[serde(default, rename = "as")]
        actor: Option<String>,
        #[serde(default)]
        today: Given<Moment>,
        #[serde(flatten)]
        change: Change,
        #[serde(flatten)]
        rest: BTreeMap<String, IgnoredAny>,
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Shape {
        Change(Box<Fields>),
        Malformed(IgnoredAny),
    }

    Ok(match Shape::deserialize(deserializer)? {
        Shape::Change(fields) if fields.rest.is_empty() => {
            (fields.actor, fields.today, Some(Box::new(fields.change)))
        }
        Shape::Change(_) | Shape::Malformed(_) => (None, Given::Absent, None),
    })
}

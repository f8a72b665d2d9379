//! Objects as data.

use std::fmt::{self, Write};

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Object, RelationState, Subject, Value};
use crate::date::Date;
use crate::document::Map;
use crate::problem::OneLine;
use crate::relation::RelationType;

/// An object as data, for test documents, messages and tests.
///
/// A date serializes as its text, and reads back as a text, which passes the same
/// date bounds.
///
/// ```
/// use grantree::object::DynamicObject;
///
/// let job = DynamicObject::new("job")
///     .with_relation("assignee", ["alice"])
///     .with_attribute("region", "north");
/// assert_eq!(job.to_string(), "job(assignee: alice; region = north)");
/// let read: DynamicObject = serde_json::from_str(
///     r#"{"kind": "job", "relations": {"assignee": ["alice"]}, "attributes": {"region": "north"}}"#,
/// )?;
/// assert_eq!(job, read);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct DynamicObject {
    kind: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    relations: Map<Vec<String>>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    attributes: Map<OwnedValue>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum OwnedValue {
    Text(String),
    Integer(i64),
    Date(Date),
    Boolean(bool),
    Other,
}

impl DynamicObject {
    /// Makes an object of that kind, without relations or attributes.
    pub fn new(kind: impl Into<String>) -> DynamicObject {
        DynamicObject { kind: kind.into(), relations: Map::default(), attributes: Map::default() }
    }

    /// Sets a relation to these users or groups, or to nobody. They replace those that
    /// it named before.
    #[must_use]
    pub fn with_relation<I>(mut self, name: &str, names: I) -> DynamicObject
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.relations.retain(|known, _| known != name);
        self.relations.push(name, names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets an attribute. The value replaces any earlier one.
    #[must_use]
    pub fn with_attribute<'a>(mut self, name: &str, value: impl Into<Value<'a>>) -> DynamicObject {
        let value = match value.into() {
            Value::Text(text) => OwnedValue::Text(text.to_owned()),
            Value::Integer(integer) => OwnedValue::Integer(integer),
            Value::Date(date) => OwnedValue::Date(date),
            Value::Boolean(flag) => OwnedValue::Boolean(flag),
            Value::Other => OwnedValue::Other,
        };
        self.attributes.retain(|known, _| known != name);
        self.attributes.push(name, value);
        self
    }

    /// Iterates over the names of its relations.
    pub fn relations(&self) -> impl Iterator<Item = &str> {
        self.relations.iter().map(|(name, _)| name)
    }

    /// Iterates over the names of its attributes.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(name, _)| name)
    }

    /// Returns the users or groups that a relation names; `None` where the object does
    /// not carry it.
    pub fn related(&self, name: &str) -> Option<&[String]> {
        self.relations.get(name).map(Vec::as_slice)
    }
}

impl fmt::Display for DynamicObject {
    /// Displays the object on one line, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = OneLine(f);
        write!(line, "{}(", self.kind)?;
        let mut separator = "";
        for (name, names) in self.relations.iter() {
            write!(line, "{separator}{name}: {}", names.join(", "))?;
            separator = "; ";
        }
        for (name, value) in self.attributes.iter() {
            write!(line, "{separator}{name} = ")?;
            separator = "; ";
            match value {
                OwnedValue::Text(text) => write!(line, "{text}")?,
                OwnedValue::Integer(integer) => write!(line, "{integer}")?,
                OwnedValue::Date(date) => write!(line, "{date}")?,
                OwnedValue::Boolean(flag) => write!(line, "{flag}")?,
                OwnedValue::Other => line.write_str("a value of an unsupported type")?,
            }
        }
        line.write_str(")")
    }
}

impl Object for DynamicObject {
    fn kind(&self) -> &str {
        &self.kind
    }

    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
        let names = self.relations.get(name)?;
        match subject.relation {
            RelationType::User => subject.users(names),
            RelationType::Group => subject.groups(names),
        }
    }

    fn attribute(&self, name: &str) -> Option<Value<'_>> {
        Some(match self.attributes.get(name)? {
            OwnedValue::Text(text) => Value::Text(text),
            OwnedValue::Integer(integer) => Value::Integer(*integer),
            OwnedValue::Date(date) => Value::Date(*date),
            OwnedValue::Boolean(flag) => Value::Boolean(*flag),
            OwnedValue::Other => Value::Other,
        })
    }
}

impl<'de> Deserialize<'de> for OwnedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OwnedValue, D::Error> {
        struct AnyValue;

        macro_rules! any_other {
            ($($visit:ident: $type:ty),*) => {$(
                fn $visit<E>(self, _: $type) -> Result<OwnedValue, E> {
                    Ok(OwnedValue::Other)
                }
            )*};
        }

        impl<'de> Visitor<'de> for AnyValue {
            type Value = OwnedValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_str<E>(self, text: &str) -> Result<OwnedValue, E> {
                Ok(OwnedValue::Text(text.to_owned()))
            }
            fn visit_i64<E>(self, integer: i64) -> Result<OwnedValue, E> {
                Ok(OwnedValue::Integer(integer))
            }
            fn visit_u64<E>(self, integer: u64) -> Result<OwnedValue, E> {
                Ok(i64::try_from(integer).map_or(OwnedValue::Other, OwnedValue::Integer))
            }
            fn visit_bool<E>(self, flag: bool) -> Result<OwnedValue, E> {
                Ok(OwnedValue::Boolean(flag))
            }
            any_other! {
                visit_i128: i128, visit_u128: u128, visit_f64: f64, visit_bytes: &[u8]
            }
            fn visit_unit<E>(self) -> Result<OwnedValue, E> {
                Ok(OwnedValue::Other)
            }
            fn visit_none<E>(self) -> Result<OwnedValue, E> {
                Ok(OwnedValue::Other)
            }
            fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<OwnedValue, D::Error> {
                Deserialize::deserialize(inner)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OwnedValue, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(OwnedValue::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OwnedValue, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(OwnedValue::Other)
            }
        }

        deserializer.deserialize_any(AnyValue)
    }
}

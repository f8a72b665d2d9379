//! Descriptions of a host's objects, to be checked against a catalogue.

use super::Value;
use crate::date::Date;
use crate::document::{BoundType, RelationType};

/// An object whose relations and attributes are known without one: the macro
/// [`object!`](crate::object!) implements it.
pub trait Described {
    /// The kind of object, as the catalogue names it.
    const KIND: &'static str;
    /// The relations and attributes.
    const FIELDS: &'static [Field];
}

/// A relation or an attribute of a described object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// Its name in the catalogue.
    pub name: &'static str,
    /// Its form in the catalogue.
    pub form: FieldForm,
    /// Its column in a database.
    pub column: &'static str,
    /// The type of that column, if it has the ids that a relation names.
    pub ids: IdType,
}

/// The type of a column of ids in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdType {
    /// Texts.
    Text,
    /// Integers.
    Integer,
    /// UUIDs.
    Uuid,
}

/// The form of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldForm {
    /// A relation.
    Relation(RelationType),
    /// An attribute with such bounds.
    Attribute(BoundType),
}

/// A value of an attribute, or none.
#[doc(hidden)]
pub trait IntoValue<'a> {
    fn into_value(self) -> Option<Value<'a>>;
}

macro_rules! into_value {
    ($($type:ty: $value:ident => $as_value:expr,)*) => {$(
        impl<'a> IntoValue<'a> for $type {
            fn into_value(self) -> Option<Value<'a>> {
                let $value = self;
                Some($as_value)
            }
        }

        impl<'a> IntoValue<'a> for Option<$type> {
            fn into_value(self) -> Option<Value<'a>> {
                self.and_then(IntoValue::into_value)
            }
        }
    )*};
}

into_value! {
    &'a str: text => Value::Text(text),
    &'a String: text => Value::Text(text),
    i64: integer => Value::Integer(integer),
    i32: integer => Value::Integer(integer.into()),
    u32: integer => Value::Integer(integer.into()),
    bool: flag => Value::Boolean(flag),
    Date: date => Value::Date(date),
    Value<'a>: value => value,
}

//! Reads a document to its end, however many mistakes it has.
//!
//! A derived `Deserialize` stops at the first mistake. Here every place takes any
//! value, and one of the wrong form leaves only a fault with its place. Values stream
//! straight into the document, without a tree in between.
//!
//! A [`Shape`] is a kind of value that a place expects: a text, a list of shapes, a
//! record with fields. It has one method for each form that a value can have in a
//! serde format, and each of these methods by default records the fault "expected
//! this, found that" and returns the shape's default. So a shape states only the
//! forms that it accepts; [`values`] has the simple ones and
//! [`fields`] those of records.
//!
//! [`Seed`] connects shapes to serde: it asks the format for *any* value, and passes
//! what arrives to the method of its form. The format must describe itself for that,
//! as JSON, YAML, TOML and CBOR do.
//!
//! A [`Position`] goes along: the place, as a list on the call stack, and the faults
//! found so far. A fault costs the spelling of its place; a value without one costs
//! nothing but itself.
//!
//! A value that was not read is absent from the document, so names that it would have
//! declared are unknown there. Two rules keep such consequences from being reported as
//! mistakes of their own. A map keeps a [stand-in](Shape::stand_in) under the name of an
//! entry that it could not read, as far as the entry's shape has one. And
//! [`Faults::into_problems`](crate::problem::Faults::into_problems) drops later
//! problems at, or about names declared at, the place of a fault.
//!
//! A part of a document, such as a [`Statements`], can be read by itself, in the same
//! way; then its first fault is an error of the format's reader.

mod compact;
mod fields;
mod recording;
mod values;

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use self::fields::record;
use self::recording::Replay;
use self::values::{AnyAccepted, AnyBound, AnySettingValue};
use super::whole::Faults;
use super::{
    Accepted, Assignment, Bound, Bundle, Catalogue, CompactDocument, Document, Edition, Governance,
    Group, Licence, NamedUser, NewUser, ObjectKind, PermissionNode, Role, Scope, Separation,
    Setting, SettingValue, Source, Statements, UserEntry,
};
use crate::problem::{Place, Problem, ProblemKind, Problems, ReportBudget};

/// The greatest depth of nested lists and maps. Each level of the permission tree takes
/// two: the deepest permissions that the catalogue takes are just read, but none of
/// their lists.
const MAX_DEPTH: usize = 134;

impl<'de> Deserialize<'de> for Document {
    /// Reads a document; mistakes in it are reported by
    /// [`Policy::try_from`](crate::Policy), all at once.
    ///
    /// # Errors
    ///
    /// Only when the text can't be read at all.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Document, D::Error> {
        let (mut document, faults) = read(record::<Document>(), deserializer)?;
        document.faults = Faults(faults);
        Ok(document)
    }
}

impl<'de> Deserialize<'de> for CompactDocument {
    /// Reads a document, as a [`Document`] is read.
    ///
    /// # Errors
    ///
    /// Only when the text can't be read at all.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CompactDocument, D::Error> {
        let (mut compact, faults) = read(record::<CompactDocument>(), deserializer)?;
        compact.document.faults = Faults(faults);
        Ok(compact)
    }
}

/// Reads an entry again that was read when it was recorded, and its faults found.
pub(super) fn recorded_entry(recording: &[u8]) -> UserEntry {
    let again = read(record::<UserEntry>(), &mut Replay::of(recording));
    again.map(|(entry, _)| entry).unwrap_or_default()
}

/// Reads a value, and returns it with its faults.
fn read<'de, S, D>(shape: S, deserializer: D) -> Result<(S::Out, Vec<Problem>), D::Error>
where
    S: Shape<'de>,
    D: Deserializer<'de>,
{
    let (faults, budget) = (RefCell::default(), RefCell::default());
    let at = Position { place: &Place::Root, faults: &faults, budget: &budget, depth: 0 };
    let value = Seed(at, shape).deserialize(deserializer)?;
    Ok((value, faults.into_inner()))
}

/// Reads a part by itself, outside a document: the mistakes in it are one error.
fn read_part<'de, S, D>(shape: S, deserializer: D) -> Result<S::Out, D::Error>
where
    S: Shape<'de>,
    D: Deserializer<'de>,
{
    let (part, faults) = read(shape, deserializer)?;
    Problems::new(faults).map_or(Ok(part), |problems| Err(D::Error::custom(problems)))
}

impl<'de> Deserialize<'de> for SettingValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SettingValue, D::Error> {
        let value = read_part(AnySettingValue, deserializer)?;
        value.ok_or_else(|| D::Error::custom("expected a value"))
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bound, D::Error> {
        let bound = read_part(AnyBound, deserializer)?;
        bound.ok_or_else(|| D::Error::custom("expected a bound"))
    }
}

impl<'de> Deserialize<'de> for Accepted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Accepted, D::Error> {
        let accepted = read_part(AnyAccepted, deserializer)?;
        accepted.ok_or_else(|| D::Error::custom("expected what a scope accepts"))
    }
}

macro_rules! deserialize_parts {
    ($($part:ty),*) => {$(
        impl<'de> Deserialize<'de> for $part {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$part, D::Error> {
                read_part(record::<$part>(), deserializer)
            }
        }
    )*};
}

deserialize_parts!(
    Catalogue,
    PermissionNode,
    Scope,
    ObjectKind,
    Setting,
    Edition,
    Licence,
    Statements,
    Source,
    Role,
    Group,
    UserEntry,
    Assignment,
    NamedUser,
    NewUser,
    Bundle,
    Governance,
    Separation
);

/// The reader's position in the document, and the faults found so far.
#[derive(Clone, Copy)]
struct Position<'a> {
    place: &'a Place<'a>,
    faults: &'a RefCell<Vec<Problem>>,
    budget: &'a RefCell<ReportBudget>,
    depth: usize,
}

impl Position<'_> {
    /// Returns the position of a value inside the present one.
    fn within<'a>(&'a self, place: &'a Place<'a>) -> Position<'a> {
        Position { place, depth: self.depth.saturating_add(1), ..*self }
    }

    /// Records a fault here.
    fn fault(&self, kind: ProblemKind) {
        self.faults.borrow_mut().extend(self.budget.borrow_mut().admit(self.place, kind));
    }

    /// Reads a value that is right or wrong as a whole: the first fault inside it
    /// becomes the one fault at its own place.
    fn all_or_nothing<T, E>(
        &self,
        read: impl FnOnce(Position<'_>) -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        let faults = RefCell::default();
        let value = read(Position { faults: &faults, ..*self })?;
        let Some(fault) = faults.into_inner().into_iter().next() else { return Ok(value) };
        self.fault(fault.kind().clone());
        Ok(None)
    }
}

/// The shape of the value that a place expects.
///
/// There is a method for each form of value. The default ones record a fault, and read
/// the value as if it were absent.
trait Shape<'de>: Copy {
    type Out: Default;
    const EXPECTED: &'static str;

    /// Returns the value that a map keeps in the place of one that could not be read,
    /// if it keeps any. It declares the entry's name, so that references to it are not
    /// at fault too; the fault keeps the document from becoming a policy.
    fn stand_in(self) -> Self::Out {
        Self::Out::default()
    }
    /// Records that a value of another form was found.
    fn wrong_form(at: Position<'_>, found: impl Into<String>) -> Self::Out {
        at.fault(ProblemKind::Form { expected: Self::EXPECTED, found: found.into() });
        Self::Out::default()
    }
    fn null(self, at: Position<'_>) -> Self::Out {
        Self::wrong_form(at, "null")
    }
    fn boolean(self, at: Position<'_>, value: bool) -> Self::Out {
        Self::wrong_form(at, value.to_string())
    }
    fn integer(self, at: Position<'_>, value: i64) -> Self::Out {
        Self::wrong_form(at, value.to_string())
    }
    fn text(self, at: Position<'_>, value: Cow<'de, str>) -> Self::Out {
        Self::wrong_form(at, format!("the text `{value}`"))
    }
    fn list<A: SeqAccess<'de>>(self, at: Position<'_>, list: A) -> Result<Self::Out, A::Error> {
        skip_list(list)?;
        Ok(Self::wrong_form(at, "a list"))
    }
    fn map<A: MapAccess<'de>>(self, at: Position<'_>, map: A) -> Result<Self::Out, A::Error> {
        skip_map(map)?;
        Ok(Self::wrong_form(at, "a map"))
    }
}

/// Reads over the rest of a list.
fn skip_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Reads over the rest of a map.
fn skip_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Reads any value, and passes it to the method of a shape that takes its form.
struct Seed<'a, S>(Position<'a>, S);

impl<'de, S: Shape<'de>> DeserializeSeed<'de> for Seed<'_, S> {
    type Value = S::Out;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Out, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Shape<'de>> Seed<'_, S> {
    fn too_big<E>(self, value: impl fmt::Display) -> Result<S::Out, E> {
        Ok(S::wrong_form(self.0, format!("{value}, which exceeds a signed 64-bit integer")))
    }

    fn too_deep<E>(self) -> Result<S::Out, E> {
        self.0.fault(ProblemKind::TooDeep { limit: MAX_DEPTH });
        Ok(S::Out::default())
    }
}

impl<'de, S: Shape<'de>> Visitor<'de> for Seed<'_, S> {
    type Value = S::Out;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(S::EXPECTED)
    }
    fn visit_unit<E>(self) -> Result<S::Out, E> {
        Ok(self.1.null(self.0))
    }
    fn visit_none<E>(self) -> Result<S::Out, E> {
        Ok(self.1.null(self.0))
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Out, D::Error> {
        self.deserialize(deserializer)
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<S::Out, D::Error> {
        self.deserialize(inner)
    }
    fn visit_bool<E>(self, value: bool) -> Result<S::Out, E> {
        Ok(self.1.boolean(self.0, value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<S::Out, E> {
        Ok(self.1.integer(self.0, value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<S::Out, E> {
        match i64::try_from(value) {
            Ok(value) => Ok(self.1.integer(self.0, value)),
            Err(_) => self.too_big(value),
        }
    }
    fn visit_i128<E>(self, value: i128) -> Result<S::Out, E> {
        self.too_big(value)
    }
    fn visit_u128<E>(self, value: u128) -> Result<S::Out, E> {
        self.too_big(value)
    }
    fn visit_f64<E>(self, value: f64) -> Result<S::Out, E> {
        Ok(S::wrong_form(self.0, format!("{value:?}")))
    }
    fn visit_bytes<E>(self, _: &[u8]) -> Result<S::Out, E> {
        Ok(S::wrong_form(self.0, "bytes"))
    }
    fn visit_str<E>(self, value: &str) -> Result<S::Out, E> {
        Ok(self.1.text(self.0, value.to_owned().into()))
    }
    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<S::Out, E> {
        Ok(self.1.text(self.0, value.into()))
    }
    fn visit_string<E>(self, value: String) -> Result<S::Out, E> {
        Ok(self.1.text(self.0, value.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<S::Out, A::Error> {
        if self.0.depth < MAX_DEPTH {
            return self.1.list(self.0, list);
        }
        skip_list(list)?;
        self.too_deep()
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<S::Out, A::Error> {
        if self.0.depth < MAX_DEPTH {
            return self.1.map(self.0, map);
        }
        skip_map(map)?;
        self.too_deep()
    }
}

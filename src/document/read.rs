//! Reads a document to its end, whatever is wrong with it.
//!
//! A derived `Deserialize` stops at the first mistake. Here every place takes
//! any value: one of the wrong form leaves only a fault with its place. Values
//! stream straight into the document, without a tree in between.

#![expect(clippy::arithmetic_side_effects, reason = "the depth, which ends at `DEEPEST`")]

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::marker::PhantomData;

use foldhash::fast::RandomState;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

use super::{
    Bound, BoundType, Bundle, Catalogue, Document, Edition, Fence, Governance, Group, Licence, Map,
    NewUser, ObjectKind, Permission, RelationState, RelationType, Role, Scope, Separation, Setting,
    SettingValue, Source, Statements, User,
};
use crate::date::{Date, Weekday};
use crate::problem::{Place, Problem, ProblemKind, ReportBudget, nearest};

/// How deep lists and maps may nest. Each level of the permission tree takes two:
/// the deepest permissions that the catalogue takes are just read, but none of their
/// lists.
const DEEPEST: usize = 134;

impl<'de> Deserialize<'de> for Document {
    /// Reads a document; mistakes in it are reported by
    /// [`Policy::try_from`](crate::Policy), all at once.
    ///
    /// # Errors
    ///
    /// Only when the text can't be read at all.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Document, D::Error> {
        let (faults, budget) = (RefCell::default(), RefCell::default());
        let at = At { place: &Place::Root, faults: &faults, budget: &budget, depth: 0 };
        let mut document = Seed(at, Record::<Document>::new()).deserialize(deserializer)?;
        document.faults = faults.into_inner();
        Ok(document)
    }
}

/// Reads a part by itself, outside a document: a mistake in it is an error.
fn strict<'de, S, D>(shape: S, deserializer: D) -> Result<S::Out, D::Error>
where
    S: Shape<'de>,
    D: Deserializer<'de>,
{
    let (faults, budget) = (RefCell::default(), RefCell::default());
    let at = At { place: &Place::Root, faults: &faults, budget: &budget, depth: 0 };
    let part = Seed(at, shape).deserialize(deserializer)?;
    match faults.into_inner().first() {
        None => Ok(part),
        Some(fault) => Err(D::Error::custom(fault)),
    }
}

impl<'de> Deserialize<'de> for SettingValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SettingValue, D::Error> {
        let value = strict(AnySettingValue, deserializer)?;
        value.ok_or_else(|| D::Error::custom("expected a value"))
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bound, D::Error> {
        let bound = strict(AnyBound, deserializer)?;
        bound.ok_or_else(|| D::Error::custom("expected a bound"))
    }
}

macro_rules! read_by_themselves {
    ($($part:ty),*) => {$(
        impl<'de> Deserialize<'de> for $part {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$part, D::Error> {
                strict(Record::<$part>::new(), deserializer)
            }
        }
    )*};
}

read_by_themselves!(
    Catalogue, Permission, Scope, ObjectKind, Setting, Edition, Licence, Statements, Source, Role,
    Group, User, NewUser, Bundle, Governance, Separation
);

/// Where the reader is.
#[derive(Clone, Copy)]
struct At<'a> {
    place: &'a Place<'a>,
    faults: &'a RefCell<Vec<Problem>>,
    budget: &'a RefCell<ReportBudget>,
    depth: usize,
}

impl At<'_> {
    fn within<'a>(&'a self, place: &'a Place<'a>) -> At<'a> {
        At { place, depth: self.depth + 1, ..*self }
    }

    fn fault(&self, kind: ProblemKind) {
        self.faults.borrow_mut().extend(self.budget.borrow_mut().admit(self.place, kind));
    }

    fn misfit(&self, expected: &'static str, found: impl Into<String>) {
        self.fault(ProblemKind::Form { expected, found: found.into() });
    }

    /// Reads a value that is right or wrong as a whole: the first fault within it
    /// becomes the one fault at its own place.
    fn whole<T, E>(
        &self,
        read: impl FnOnce(At<'_>) -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        let faults = RefCell::default();
        let value = read(At { faults: &faults, ..*self })?;
        match faults.into_inner().first() {
            None => Ok(value),
            Some(fault) => {
                self.fault(fault.kind().clone());
                Ok(None)
            }
        }
    }
}

/// What is expected at a place. A value of another form is a fault, and read as if
/// it were absent.
trait Shape<'de>: Copy {
    type Out: Default;
    const EXPECTED: &'static str;

    /// What a map keeps of an entry that could not be read, if anything: a stand-in
    /// declares the entry's name, so that what refers to it is not at fault too. The
    /// fault keeps the document from becoming a policy.
    fn unread(self) -> Self::Out {
        Self::Out::default()
    }
    fn misfit(at: At<'_>, found: impl Into<String>) -> Self::Out {
        at.misfit(Self::EXPECTED, found);
        Self::Out::default()
    }
    fn null(self, at: At<'_>) -> Self::Out {
        Self::misfit(at, "null")
    }
    fn boolean(self, at: At<'_>, value: bool) -> Self::Out {
        Self::misfit(at, value.to_string())
    }
    fn integer(self, at: At<'_>, value: i64) -> Self::Out {
        Self::misfit(at, value.to_string())
    }
    fn text(self, at: At<'_>, value: Cow<'de, str>) -> Self::Out {
        Self::misfit(at, format!("`{value}`"))
    }
    fn list<A: SeqAccess<'de>>(self, at: At<'_>, mut list: A) -> Result<Self::Out, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::misfit(at, "a list"))
    }
    fn map<A: MapAccess<'de>>(self, at: At<'_>, mut map: A) -> Result<Self::Out, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::misfit(at, "a map"))
    }
}

struct Seed<'a, S>(At<'a>, S);

impl<'de, S: Shape<'de>> DeserializeSeed<'de> for Seed<'_, S> {
    type Value = S::Out;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Out, D::Error> {
        deserializer.deserialize_any(self)
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
        Ok(match i64::try_from(value) {
            Ok(value) => self.1.integer(self.0, value),
            Err(_) => S::misfit(self.0, format!("{value}, which exceeds a signed 64-bit integer")),
        })
    }
    fn visit_i128<E>(self, value: i128) -> Result<S::Out, E> {
        Ok(S::misfit(self.0, format!("{value}, which exceeds a signed 64-bit integer")))
    }
    fn visit_u128<E>(self, value: u128) -> Result<S::Out, E> {
        Ok(S::misfit(self.0, format!("{value}, which exceeds a signed 64-bit integer")))
    }
    fn visit_f64<E>(self, value: f64) -> Result<S::Out, E> {
        Ok(S::misfit(self.0, format!("{value:?}")))
    }
    fn visit_bytes<E>(self, _: &[u8]) -> Result<S::Out, E> {
        Ok(S::misfit(self.0, "bytes"))
    }
    fn visit_str<E>(self, value: &str) -> Result<S::Out, E> {
        Ok(self.1.text(self.0, Cow::Owned(value.to_owned())))
    }
    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<S::Out, E> {
        Ok(self.1.text(self.0, Cow::Borrowed(value)))
    }
    fn visit_string<E>(self, value: String) -> Result<S::Out, E> {
        Ok(self.1.text(self.0, Cow::Owned(value)))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<S::Out, A::Error> {
        if self.0.depth >= DEEPEST {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            self.0.fault(ProblemKind::TooDeep { limit: DEEPEST });
            return Ok(S::Out::default());
        }
        self.1.list(self.0, list)
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<S::Out, A::Error> {
        if self.0.depth >= DEEPEST {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            self.0.fault(ProblemKind::TooDeep { limit: DEEPEST });
            return Ok(S::Out::default());
        }
        self.1.map(self.0, map)
    }
}

/// A key of a map, borrowed where the format lends it.
#[derive(Clone, Copy)]
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }
    fn visit_string<E>(self, key: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key))
    }
}

#[derive(Clone, Copy)]
struct Text;

impl<'de> Shape<'de> for Text {
    type Out = String;
    const EXPECTED: &'static str = "a text";

    fn text(self, _: At<'_>, value: Cow<'de, str>) -> String {
        value.into_owned()
    }
}

/// A text that may be absent, but not null.
#[derive(Clone, Copy)]
struct SomeText;

impl<'de> Shape<'de> for SomeText {
    type Out = Option<String>;
    const EXPECTED: &'static str = "a text";

    fn text(self, _: At<'_>, value: Cow<'de, str>) -> Option<String> {
        Some(value.into_owned())
    }
}

/// A name that may be absent or, which means the same, null.
#[derive(Clone, Copy)]
struct OptionalName;

impl<'de> Shape<'de> for OptionalName {
    type Out = Option<String>;
    const EXPECTED: &'static str = "a name or null";

    fn null(self, _: At<'_>) -> Option<String> {
        None
    }
    fn text(self, _: At<'_>, value: Cow<'de, str>) -> Option<String> {
        Some(value.into_owned())
    }
}

/// A name or null, each distinguished from an absent one.
#[derive(Clone, Copy)]
struct SomeName;

impl<'de> Shape<'de> for SomeName {
    type Out = Option<Option<String>>;
    const EXPECTED: &'static str = "a name or null";

    fn null(self, _: At<'_>) -> Self::Out {
        Some(None)
    }
    fn text(self, _: At<'_>, value: Cow<'de, str>) -> Self::Out {
        Some(Some(value.into_owned()))
    }
}

#[derive(Clone, Copy)]
struct Boolean;

impl<'de> Shape<'de> for Boolean {
    type Out = bool;
    const EXPECTED: &'static str = "true or false";

    fn boolean(self, _: At<'_>, value: bool) -> bool {
        value
    }
}

/// The only format there is.
#[derive(Clone, Copy)]
struct FormatOne;

impl<'de> Shape<'de> for FormatOne {
    type Out = super::Format;
    const EXPECTED: &'static str = "the format's version, 1";

    fn integer(self, at: At<'_>, value: i64) -> super::Format {
        if value != 1 {
            return Self::misfit(at, value.to_string());
        }
        super::Format
    }
}

#[derive(Clone, Copy)]
struct Count;

impl<'de> Shape<'de> for Count {
    type Out = u32;
    const EXPECTED: &'static str = "a number from 0 to 4294967295";

    fn integer(self, at: At<'_>, value: i64) -> u32 {
        u32::try_from(value).unwrap_or_else(|_| Self::misfit(at, value.to_string()))
    }
}

#[derive(Clone, Copy)]
struct Days;

impl<'de> Shape<'de> for Days {
    type Out = Option<i64>;
    const EXPECTED: &'static str = "a number of days";

    fn integer(self, _: At<'_>, value: i64) -> Option<i64> {
        Some(value)
    }
}

#[derive(Clone, Copy)]
struct CivilDate;

impl<'de> Shape<'de> for CivilDate {
    type Out = Option<Date>;
    const EXPECTED: &'static str = "a date, YYYY-MM-DD";

    fn text(self, at: At<'_>, value: Cow<'de, str>) -> Option<Date> {
        value.parse().map_or_else(|_| Self::misfit(at, format!("`{value}`")), Some)
    }
}

#[derive(Clone, Copy)]
struct AnySettingValue;

impl<'de> Shape<'de> for AnySettingValue {
    type Out = Option<SettingValue>;
    const EXPECTED: &'static str = "a text, an integer, true or false";

    fn boolean(self, _: At<'_>, value: bool) -> Self::Out {
        Some(SettingValue::Boolean(value))
    }
    fn integer(self, _: At<'_>, value: i64) -> Self::Out {
        Some(SettingValue::Integer(value))
    }
    fn text(self, _: At<'_>, value: Cow<'de, str>) -> Self::Out {
        Some(SettingValue::Text(value.into_owned()))
    }
}

/// One of a few words.
struct Word<T: 'static> {
    expected: &'static str,
    words: &'static [(&'static str, T)],
}

impl<T> Clone for Word<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Word<T> {}

impl<'de, T: Copy> Shape<'de> for Word<T> {
    type Out = Option<T>;
    const EXPECTED: &'static str = "one of a few words";

    fn unread(self) -> Option<T> {
        self.words.first().map(|&(_, value)| value)
    }

    fn text(self, at: At<'_>, value: Cow<'de, str>) -> Option<T> {
        let found = self.words.iter().find(|(word, _)| *word == value);
        if found.is_none() {
            let words = || self.words.iter().map(|(word, _)| *word);
            at.fault(ProblemKind::Unknown {
                what: self.expected,
                nearest: nearest(&value, words()),
                name: value.into_owned(),
                known: words().map(str::to_owned).collect(),
            });
        }
        found.map(|&(_, value)| value)
    }
}

const RELATION_TYPE: Word<RelationType> = Word {
    expected: "relation type",
    words: &[("user", RelationType::User), ("group", RelationType::Group)],
};

const BOUND_TYPE: Word<BoundType> = Word {
    expected: "bound type",
    words: &[
        ("one_of", BoundType::OneOf),
        ("at_most", BoundType::AtMost),
        ("at_least", BoundType::AtLeast),
        ("not_before", BoundType::NotBefore),
        ("not_after", BoundType::NotAfter),
    ],
};

const STATE: Word<RelationState> = Word {
    expected: "relation state",
    words: &[
        ("me", RelationState::Me),
        ("other", RelationState::Other),
        ("none", RelationState::None),
    ],
};

const WEEKDAY: Word<Weekday> = Word {
    expected: "weekday",
    words: &[
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ],
};

/// A list; items that can't be read are left out.
#[derive(Clone, Copy)]
struct List<S>(S);

impl<'de, S: Shape<'de, Out: Kept>> Shape<'de> for List<S> {
    type Out = Vec<<S::Out as Kept>::Value>;
    const EXPECTED: &'static str = "a list";

    fn list<A: SeqAccess<'de>>(self, at: At<'_>, mut list: A) -> Result<Self::Out, A::Error> {
        let mut out = Vec::new();
        for index in 0.. {
            let place = at.place.item(index);
            let Some(item) = list.next_element_seed(Seed(at.within(&place), self.0))? else {
                break;
            };
            out.extend(item.kept());
        }
        Ok(out)
    }
}

/// A list, distinguished from an absent one.
#[derive(Clone, Copy)]
struct SomeList<S>(List<S>);

impl<'de, S: Shape<'de, Out: Kept>> Shape<'de> for SomeList<S> {
    type Out = Option<Vec<<S::Out as Kept>::Value>>;
    const EXPECTED: &'static str = "a list";

    fn list<A: SeqAccess<'de>>(self, at: At<'_>, list: A) -> Result<Self::Out, A::Error> {
        self.0.list(at, list).map(Some)
    }
}

/// A map by name; entries that can't be read are left out, or have a stand-in
/// ([`Shape::unread`]).
#[derive(Clone, Copy)]
struct Entries<S>(S);

impl<'de, S: Shape<'de, Out: Kept>> Shape<'de> for Entries<S> {
    type Out = Map<<S::Out as Kept>::Value>;
    const EXPECTED: &'static str = "a map";

    fn map<A: MapAccess<'de>>(self, at: At<'_>, mut map: A) -> Result<Self::Out, A::Error> {
        let mut out: Map<_> = Map::default();
        // If duplicates both stay in the map, name resolution finds them; if one is
        // left out, it could not, so they are found here.
        let mut left_out: Option<HashMap<Box<str>, bool, RandomState>> = None;
        while let Some(key) = map.next_key_seed(Key)? {
            let place = at.place.key(&key);
            let value = map.next_value_seed(Seed(at.within(&place), self.0))?.kept();
            if value.is_none() && left_out.is_none() {
                left_out = Some(out.iter().map(|(name, _)| (name.into(), true)).collect());
            }
            if let Some(seen) = &mut left_out {
                let before = seen.insert((*key).into(), value.is_some());
                if before.is_some_and(|before| !(before && value.is_some())) {
                    at.within(&place).fault(ProblemKind::Duplicate { name: key.to_string() });
                }
            }
            if let Some(value) = value.or_else(|| self.0.unread().kept()) {
                out.push(key, value);
            }
        }
        Ok(out)
    }
}

/// What a list or map keeps of a value that was read.
trait Kept: Default {
    type Value;
    fn kept(self) -> Option<Self::Value>;
}

impl<T> Kept for Option<T> {
    type Value = T;
    fn kept(self) -> Option<T> {
        self
    }
}

macro_rules! kept_always {
    ($($type:ty),*) => {$(
        impl Kept for $type {
            type Value = Self;
            fn kept(self) -> Option<Self> {
                Some(self)
            }
        }
    )*};
}

kept_always!(
    String,
    Vec<String>,
    Vec<RelationState>,
    Permission,
    Scope,
    ObjectKind,
    Setting,
    Edition,
    Source,
    Role,
    Group,
    User,
    Separation
);

/// The states that a scope accepts: one, or a list of them.
#[derive(Clone, Copy)]
struct States;

impl<'de> Shape<'de> for States {
    type Out = Vec<RelationState>;
    const EXPECTED: &'static str = "a relation state or a list of them";

    fn text(self, at: At<'_>, value: Cow<'de, str>) -> Self::Out {
        STATE.text(at, value).into_iter().collect()
    }
    fn list<A: SeqAccess<'de>>(self, at: At<'_>, list: A) -> Result<Self::Out, A::Error> {
        List(STATE).list(at, list)
    }
}

#[derive(Clone, Copy)]
struct AnyBound;

impl<'de> Shape<'de> for AnyBound {
    type Out = Option<Bound>;
    const EXPECTED: &'static str = "a bound: \"any\", a list of texts, an integer, or a date as {\"date\"}, {\"plus_days\"} or {\"next\", \"plus_days\"}";

    fn integer(self, _: At<'_>, value: i64) -> Option<Bound> {
        Some(Bound::Limit(value))
    }
    fn text(self, at: At<'_>, value: Cow<'de, str>) -> Option<Bound> {
        if value == "any" { Some(Bound::Any) } else { Self::misfit(at, format!("`{value}`")) }
    }
    fn list<A: SeqAccess<'de>>(self, at: At<'_>, list: A) -> Result<Option<Bound>, A::Error> {
        at.whole(|at| List(Text).list(at, list).map(|texts| Some(Bound::OneOf(texts))))
    }
    fn map<A: MapAccess<'de>>(self, at: At<'_>, map: A) -> Result<Option<Bound>, A::Error> {
        at.whole(|at| {
            let fence = match Record::<FenceParts>::new().map(at, map)? {
                FenceParts { date: Some(date), plus_days: None, next: None } => Fence::Date(date),
                FenceParts { date: None, plus_days: Some(days), next: None } => {
                    Fence::PlusDays(days)
                }
                FenceParts { date: None, plus_days, next: Some(weekday) } => {
                    Fence::Next { weekday, plus_days: plus_days.unwrap_or(0) }
                }
                _ => return Ok(Self::misfit(at, "a map with other keys")),
            };
            Ok(Some(Bound::Fence(fence)))
        })
    }
}

#[derive(Default)]
struct FenceParts {
    date: Option<Date>,
    plus_days: Option<i64>,
    next: Option<Weekday>,
}

/// The fields of a record.
trait Fields: Default {
    const EXPECTED: &'static str;
    /// The fields that can't be absent.
    const REQUIRED: &'static [&'static str] = &[];

    fn names() -> Vec<&'static str>;

    /// Reads the value of that field; `false` if there is no such field, whose value
    /// must then still be read.
    fn field<'de, A>(&mut self, name: &str, at: At<'_>, map: &mut A) -> Result<bool, A::Error>
    where
        A: MapAccess<'de>;
}

/// A record with these fields.
struct Record<T>(PhantomData<T>);

impl<T> Record<T> {
    const fn new() -> Record<T> {
        Record(PhantomData)
    }
}

impl<T> Clone for Record<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Record<T> {}

impl<'de, T: Fields> Shape<'de> for Record<T> {
    type Out = T;
    const EXPECTED: &'static str = T::EXPECTED;

    fn map<A: MapAccess<'de>>(self, at: At<'_>, mut map: A) -> Result<T, A::Error> {
        let mut out = T::default();
        let mut seen = SmallVec::<[Cow<'de, str>; 16]>::new();
        let mut unknown = HashSet::<Cow<'de, str>, RandomState>::default();
        while let Some(key) = map.next_key_seed(Key)? {
            let place = at.place.key(&key);
            let inner = at.within(&place);
            if seen.contains(&key) || unknown.contains(&key) {
                inner.fault(ProblemKind::Duplicate { name: key.to_string() });
                map.next_value::<IgnoredAny>()?;
            } else if out.field(&key, inner, &mut map)? {
                seen.push(key);
            } else {
                inner.fault(ProblemKind::UnknownField {
                    name: key.to_string(),
                    nearest: nearest(&key, T::names()),
                });
                map.next_value::<IgnoredAny>()?;
                unknown.insert(key);
            }
        }
        for &name in T::REQUIRED {
            if !seen.iter().any(|key| key == name) {
                at.within(&at.place.key(name)).fault(ProblemKind::Missing);
            }
        }
        Ok(out)
    }
}

/// Implements [`Fields`]: each field with the shape of its value, and the part
/// of the record, if any, that has further fields.
macro_rules! fields {
    (
        $type:ty, $expected:literal $(, required $required:tt)?;
        $($name:literal => $field:ident: $shape:expr,)*
        $(.. $part:ident: $part_type:ty)?
    ) => {
        impl Fields for $type {
            const EXPECTED: &'static str = $expected;
            $(const REQUIRED: &'static [&'static str] = &$required;)?

            fn names() -> Vec<&'static str> {
                #[allow(unused_mut, reason = "used where a part has fields of its own")]
                let mut names = vec![$($name),*];
                $(names.extend(<$part_type>::names());)?
                names
            }

            fn field<'de, A>(
                &mut self,
                name: &str,
                at: At<'_>,
                map: &mut A,
            ) -> Result<bool, A::Error>
            where
                A: MapAccess<'de>,
            {
                match name {
                    $($name => self.$field = map.next_value_seed(Seed(at, $shape))?,)*
                    _ => {
                        $(return self.$part.field(name, at, map);)?
                        #[allow(unreachable_code, reason = "reached where there is no part")]
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    };
}

fields! {
    Document, "a policy document",
    required ["format", "catalogue"];
    "format" => format: FormatOne,
    "catalogue" => catalogue: Record::<Catalogue>::new(),
    "licence" => licence: Record::<Licence>::new(),
    "global" => global: Record::<Statements>::new(),
    "default_profile" => default_profile: OptionalName,
    "profiles" => profiles: Entries(Record::<Source>::new()),
    "roles" => roles: Entries(Record::<Role>::new()),
    "approval_groups" => approval_groups: Entries(Record::<Source>::new()),
    "groups" => groups: Entries(Record::<Group>::new()),
    "users" => users: Entries(Record::<User>::new()),
    "governance" => governance: Record::<Governance>::new(),
}

fields! {
    Catalogue, "a catalogue";
    "permissions" => permissions: List(Record::<Permission>::new()),
    "objects" => objects: Entries(Record::<ObjectKind>::new()),
    "settings" => settings: Entries(Record::<Setting>::new()),
    "editions" => editions: Entries(Record::<Edition>::new()),
}

fields! {
    Permission, "a permission", required ["key"];
    "key" => key: Text,
    "label" => label: SomeText,
    "description" => description: SomeText,
    "heading" => heading: Boolean,
    "feature" => feature: OptionalName,
    "object" => object: OptionalName,
    "checks" => checks: List(Text),
    "levels" => levels: SomeList(List(Text)),
    "requires" => requires: List(Text),
    "implies" => implies: List(Text),
    "scopes" => scopes: List(Record::<Scope>::new()),
    "children" => children: List(Record::<Permission>::new()),
}

fields! {
    Scope, "a scope", required ["key", "when"];
    "key" => key: Text,
    "label" => label: SomeText,
    "description" => description: SomeText,
    "when" => when: Entries(States),
    "requires" => requires: List(Text),
    "implies" => implies: List(Text),
}

fields! {
    ObjectKind, "an object kind";
    "label" => label: SomeText,
    "description" => description: SomeText,
    "relations" => relations: Entries(RELATION_TYPE),
    "attributes" => attributes: Entries(BOUND_TYPE),
    "checks" => checks: List(Text),
}

fields! {
    Setting, "a setting";
    "label" => label: SomeText,
    "description" => description: SomeText,
    "values" => values: SomeList(List(AnySettingValue)),
    "default" => default: AnySettingValue,
}

fields! {
    Edition, "an edition";
    "label" => label: SomeText,
    "description" => description: SomeText,
    "includes" => includes: List(Text),
    "features" => features: List(Text),
}

fields! {
    Licence, "a licence";
    "edition" => edition: OptionalName,
    "features" => features: List(Text),
}

fields! {
    Statements, "statements";
    "allow" => allow: List(Text),
    "deny" => deny: List(Text),
    "forbid" => forbid: List(Text),
    "levels" => levels: Entries(Text),
    "bounds" => bounds: Entries(AnyBound),
    "settings" => settings: Entries(AnySettingValue),
}

fields! {
    FenceParts, "a date bound";
    "date" => date: CivilDate,
    "plus_days" => plus_days: Days,
    "next" => next: WEEKDAY,
}

fields! {
    Source, "a source";
    "label" => label: SomeText,
    "description" => description: SomeText,
    "template" => template: Boolean,
    "protected" => protected: Boolean,
    "assignable_by" => assignable_by: SomeList(List(Text)),
    .. statements: Statements
}

fields! {
    Role, "a role";
    "includes" => includes: List(Text),
    "unique" => unique: Boolean,
    "demoted_to" => demoted_to: OptionalName,
    .. source: Source
}

fields! {
    Group, "a group";
    "label" => label: SomeText,
    "description" => description: SomeText,
    "parent" => parent: OptionalName,
}

fields! {
    User, "a user";
    "label" => label: SomeText,
    "description" => description: SomeText,
    "profile" => profile: OptionalName,
    "roles" => roles: List(Text),
    "approval_groups" => approval_groups: List(Text),
    "groups" => groups: List(Text),
    "admin" => admin: Boolean,
    "suspended" => suspended: Boolean,
    .. statements: Statements
}

fields! {
    NewUser, "a new user", required ["user"];
    "user" => user: Text,
    "profile" => profile: SomeName,
    .. rest: User
}

fields! {
    Bundle, "a bundle";
    "profiles" => profiles: Entries(Record::<Source>::new()),
    "roles" => roles: Entries(Record::<Role>::new()),
    "approval_groups" => approval_groups: Entries(Record::<Source>::new()),
}

fields! {
    Governance, "governance";
    "permissions" => permissions: Entries(List(Text)),
    "no_escalation" => no_escalation: Boolean,
    "separation" => separation: List(Record::<Separation>::new()),
}

fields! {
    Separation, "a separation", required ["name", "permissions", "at_most"];
    "name" => name: Text,
    "label" => label: SomeText,
    "description" => description: SomeText,
    "permissions" => permissions: List(Text),
    "at_most" => at_most: Count,
}

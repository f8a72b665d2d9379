//! The shapes of simple values, and of lists and maps of them.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method is not general enough in the lifetime of its place"
)]

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::fields::{FenceParts, record};
use super::{Position, Seed, Shape};
use crate::date::{Date, Moment, Weekday};
use crate::document::whole::Format;
use crate::document::{
    Accepted, Assignment, Bound, BoundType, Edition, Fence, Group, Map, ObjectKind, PermissionNode,
    RelationType, Role, Scope, Separation, Setting, SettingValue, Source, StandsFor, UserEntry,
};
use crate::names::HashMap;
use crate::problem::{PlaceOf, ProblemKind, nearest};

/// The key of a map, borrowed where the format lends it.
#[derive(Clone, Copy)]
pub(super) struct Key;

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
        Ok(key.to_owned().into())
    }
    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(key.into())
    }
    fn visit_string<E>(self, key: String) -> Result<Self::Value, E> {
        Ok(key.into())
    }
}

#[derive(Clone, Copy)]
pub(super) struct Text;

impl<'de> Shape<'de> for Text {
    type Out = String;
    const EXPECTED: &'static str = "a text";

    fn text(self, _: Position<'_>, value: Cow<'de, str>) -> String {
        value.into_owned()
    }
}

/// A text that may be absent, but not null.
#[derive(Clone, Copy)]
pub(super) struct SomeText;

impl<'de> Shape<'de> for SomeText {
    type Out = Option<String>;
    const EXPECTED: &'static str = "a text";

    fn text(self, _: Position<'_>, value: Cow<'de, str>) -> Option<String> {
        Some(value.into_owned())
    }
}

/// A name that may be absent or, which means the same, null.
#[derive(Clone, Copy)]
pub(super) struct OptionalName;

impl<'de> Shape<'de> for OptionalName {
    type Out = Option<String>;
    const EXPECTED: &'static str = "a name or null";

    fn null(self, _: Position<'_>) -> Option<String> {
        None
    }
    fn text(self, _: Position<'_>, value: Cow<'de, str>) -> Option<String> {
        Some(value.into_owned())
    }
}

/// A name or null, each distinguished from an absent one.
#[derive(Clone, Copy)]
pub(super) struct SomeName;

impl<'de> Shape<'de> for SomeName {
    type Out = Option<Option<String>>;
    const EXPECTED: &'static str = "a name or null";

    fn null(self, _: Position<'_>) -> Self::Out {
        Some(None)
    }
    fn text(self, _: Position<'_>, value: Cow<'de, str>) -> Self::Out {
        Some(Some(value.into_owned()))
    }
}

#[derive(Clone, Copy)]
pub(super) struct Boolean;

impl<'de> Shape<'de> for Boolean {
    type Out = bool;
    const EXPECTED: &'static str = "true or false";

    fn boolean(self, _: Position<'_>, value: bool) -> bool {
        value
    }
}

/// The only format there is.
#[derive(Clone, Copy)]
pub(super) struct FormatOne;

impl<'de> Shape<'de> for FormatOne {
    type Out = Format;
    const EXPECTED: &'static str = "the format's version, 1";

    fn integer(self, at: Position<'_>, value: i64) -> Format {
        if value == 1 { Format } else { Self::wrong_form(at, value.to_string()) }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Count;

impl<'de> Shape<'de> for Count {
    type Out = u32;
    const EXPECTED: &'static str = "a number from 0 to 4294967295";

    fn integer(self, at: Position<'_>, value: i64) -> u32 {
        u32::try_from(value).unwrap_or_else(|_| Self::wrong_form(at, value.to_string()))
    }
}

/// A number of days that may be absent.
#[derive(Clone, Copy)]
pub(super) struct Days;

impl<'de> Shape<'de> for Days {
    type Out = Option<i64>;
    const EXPECTED: &'static str = "a number of days";

    fn integer(self, _: Position<'_>, value: i64) -> Option<i64> {
        Some(value)
    }
}

#[derive(Clone, Copy)]
pub(super) struct CivilDate;

impl<'de> Shape<'de> for CivilDate {
    type Out = Option<Date>;
    const EXPECTED: &'static str = "a date, YYYY-MM-DD";

    fn text(self, at: Position<'_>, value: Cow<'de, str>) -> Option<Date> {
        value.parse().map_or_else(|_| Self::wrong_form(at, format!("`{value}`")), Some)
    }
}

#[derive(Clone, Copy)]
pub(super) struct CivilMoment;

impl<'de> Shape<'de> for CivilMoment {
    type Out = Option<Moment>;
    const EXPECTED: &'static str = "a date, YYYY-MM-DD, or a date and time, YYYY-MM-DDTHH:MM";

    fn text(self, at: Position<'_>, value: Cow<'de, str>) -> Option<Moment> {
        value.parse().map_or_else(|_| Self::wrong_form(at, format!("`{value}`")), Some)
    }
}

#[derive(Clone, Copy)]
pub(super) struct AnySettingValue;

impl<'de> Shape<'de> for AnySettingValue {
    type Out = Option<SettingValue>;
    const EXPECTED: &'static str = "a text, an integer, true or false";

    fn boolean(self, _: Position<'_>, value: bool) -> Self::Out {
        Some(SettingValue::Boolean(value))
    }
    fn integer(self, _: Position<'_>, value: i64) -> Self::Out {
        Some(SettingValue::Integer(value))
    }
    fn text(self, _: Position<'_>, value: Cow<'de, str>) -> Self::Out {
        Some(SettingValue::Text(value.into_owned()))
    }
}

/// One of a few words.
#[derive(Clone, Copy)]
pub(super) struct Word<T: 'static> {
    expected: &'static str,
    words: &'static [(&'static str, T)],
}

impl<'de, T: Copy> Shape<'de> for Word<T> {
    type Out = Option<T>;
    const EXPECTED: &'static str = "one of a few words";

    fn stand_in(self) -> Option<T> {
        self.words.first().map(|&(_, value)| value)
    }

    fn text(self, at: Position<'_>, value: Cow<'de, str>) -> Option<T> {
        let found = self.words.iter().find(|(word, _)| *word == value);
        if found.is_none() {
            let words = self.words.iter().map(|(word, _)| *word);
            at.fault(ProblemKind::Unknown {
                what: self.expected,
                nearest: nearest(&value, words.clone()),
                name: value.into_owned(),
                known: words.map(str::to_owned).collect(),
                found_as: None,
            });
        }
        found.map(|&(_, value)| value)
    }
}

pub(super) const RELATION_TYPE: Word<RelationType> = Word {
    expected: "relation type",
    words: &[("user", RelationType::User), ("group", RelationType::Group)],
};

pub(super) const STANDS_FOR: Word<StandsFor> =
    Word { expected: "subject of governance", words: &[("users", StandsFor::Users)] };

pub(super) const BOUND_TYPE: Word<BoundType> = Word {
    expected: "bound type",
    words: &[
        ("one_of", BoundType::OneOf),
        ("at_most", BoundType::AtMost),
        ("at_least", BoundType::AtLeast),
        ("not_before", BoundType::NotBefore),
        ("not_after", BoundType::NotAfter),
        ("flag", BoundType::Flag),
    ],
};

pub(super) const WEEKDAY: Word<Weekday> = Word {
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
pub(super) struct List<S>(pub(super) S);

impl<'de, S: Shape<'de, Out: Kept>> Shape<'de> for List<S> {
    type Out = Vec<<S::Out as Kept>::Value>;
    const EXPECTED: &'static str = "a list";

    fn list<A: SeqAccess<'de>>(self, at: Position<'_>, mut list: A) -> Result<Self::Out, A::Error> {
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
pub(super) struct SomeList<S>(pub(super) List<S>);

impl<'de, S: Shape<'de, Out: Kept>> Shape<'de> for SomeList<S> {
    type Out = Option<Vec<<S::Out as Kept>::Value>>;
    const EXPECTED: &'static str = "a list";

    fn list<A: SeqAccess<'de>>(self, at: Position<'_>, list: A) -> Result<Self::Out, A::Error> {
        self.0.list(at, list).map(Some)
    }
}

/// A map by name; entries that can't be read are left out, or have a stand-in
/// ([`Shape::stand_in`]).
#[derive(Clone, Copy)]
pub(super) struct Entries<S>(pub(super) S);

impl<'de, S: Shape<'de, Out: Kept>> Shape<'de> for Entries<S> {
    type Out = Map<<S::Out as Kept>::Value>;
    const EXPECTED: &'static str = "a map";

    fn map<A: MapAccess<'de>>(self, at: Position<'_>, map: A) -> Result<Self::Out, A::Error> {
        self.read(at, map, |map, name| map.name(name))
    }
}

/// Such a map by pattern or path.
#[derive(Clone, Copy)]
pub(super) struct ByPath<S>(pub(super) S);

impl<'de, S: Shape<'de, Out: Kept>> Shape<'de> for ByPath<S> {
    type Out = Map<<S::Out as Kept>::Value>;
    const EXPECTED: &'static str = "a map";

    fn map<A: MapAccess<'de>>(self, at: Position<'_>, map: A) -> Result<Self::Out, A::Error> {
        Entries(self.0).read(at, map, |map, path| map.key(path))
    }
}

impl<S> Entries<S> {
    /// Reads the entries, each at the place of its key.
    fn read<'de, A: MapAccess<'de>>(
        self,
        at: Position<'_>,
        mut map: A,
        place_of: PlaceOf,
    ) -> Result<Map<<S::Out as Kept>::Value>, A::Error>
    where
        S: Shape<'de, Out: Kept>,
    {
        let mut out: Map<_> = Map::default();
        // If duplicates both stay in the map, name resolution finds them; if one is
        // left out, it could not, so they are found here.
        let mut left_out: Option<HashMap<Box<str>, bool>> = None;
        while let Some(key) = map.next_key_seed(Key)? {
            let place = place_of(at.place, &key);
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
            if let Some(value) = value.or_else(|| self.0.stand_in().kept()) {
                out.push(key, value);
            }
        }
        Ok(out)
    }
}

/// A map, distinguished from an absent one.
#[derive(Clone, Copy)]
pub(super) struct SomeEntries<S>(pub(super) Entries<S>);

impl<'de, S: Shape<'de, Out: Kept>> Shape<'de> for SomeEntries<S> {
    type Out = Option<Map<<S::Out as Kept>::Value>>;
    const EXPECTED: &'static str = "a map";

    fn map<A: MapAccess<'de>>(self, at: Position<'_>, map: A) -> Result<Self::Out, A::Error> {
        self.0.map(at, map).map(Some)
    }
}

/// A value that a list or map keeps, if it could be read.
pub(super) trait Kept: Default {
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
    PermissionNode,
    Scope,
    ObjectKind,
    Setting,
    Edition,
    Source,
    Role,
    Group,
    UserEntry,
    Assignment,
    Map<Bound>,
    Separation
);

/// The states or values that a scope accepts. Which of them a name or a list of names means
/// is known once the kind of object is.
#[derive(Clone, Copy)]
pub(super) struct AnyAccepted;

impl<'de> Shape<'de> for AnyAccepted {
    type Out = Option<Accepted>;
    const EXPECTED: &'static str = "a relation state, a list of states or texts, an integer, a date as {\"date\"}, true, false or [true, false]";

    fn boolean(self, _: Position<'_>, value: bool) -> Self::Out {
        Some(Accepted::Flag(value))
    }
    fn integer(self, _: Position<'_>, value: i64) -> Self::Out {
        Some(Accepted::Limit(value))
    }
    fn text(self, _: Position<'_>, value: Cow<'de, str>) -> Self::Out {
        Some(Accepted::State(value.into_owned()))
    }
    fn list<A: SeqAccess<'de>>(self, at: Position<'_>, list: A) -> Result<Self::Out, A::Error> {
        Ok(texts_or_flags(at, list)?.and_then(Accepted::of))
    }
    fn map<A: MapAccess<'de>>(self, at: Position<'_>, map: A) -> Result<Self::Out, A::Error> {
        let Some(bound) = AnyBound.map(at, map)? else { return Ok(None) };
        let accepted = Accepted::of(bound);
        if accepted.is_none() {
            let (expected, found) = ("a date as {\"date\"}", "a date relative to today".to_owned());
            at.fault(ProblemKind::Form { expected, found });
        }
        Ok(accepted)
    }
}

/// An item of a list in a bound.
#[derive(Clone, Copy)]
struct TextOrFlag;

enum Item {
    Text(String),
    Flag(bool),
}

impl<'de> Shape<'de> for TextOrFlag {
    type Out = Option<Item>;
    const EXPECTED: &'static str = Text::EXPECTED;

    fn boolean(self, _: Position<'_>, value: bool) -> Self::Out {
        Some(Item::Flag(value))
    }
    fn text(self, _: Position<'_>, value: Cow<'de, str>) -> Self::Out {
        Some(Item::Text(value.into_owned()))
    }
}

/// Reads a list of texts, or both values of a flag.
fn texts_or_flags<'de, A>(at: Position<'_>, mut list: A) -> Result<Option<Bound>, A::Error>
where
    A: SeqAccess<'de>,
{
    let (mut texts, mut flags) = (Vec::new(), Vec::new());
    let mut all_read = true;
    for index in 0.. {
        let place = at.place.item(index);
        match list.next_element_seed(Seed(at.within(&place), TextOrFlag))? {
            Some(Some(Item::Text(text))) => texts.push(text),
            Some(Some(Item::Flag(flag))) => flags.push(flag),
            Some(None) => all_read = false,
            None => break,
        }
    }
    if !all_read {
        return Ok(None);
    }
    Ok(match *flags {
        [] => Some(Bound::OneOf(texts)),
        [one, other] if one != other && texts.is_empty() => Some(Bound::EitherFlag),
        _ => {
            let expected = "a list of texts, or [true, false]";
            at.fault(ProblemKind::Form { expected, found: "another list".to_owned() });
            None
        }
    })
}

#[derive(Clone, Copy)]
pub(super) struct AnyBound;

impl<'de> Shape<'de> for AnyBound {
    type Out = Option<Bound>;
    const EXPECTED: &'static str = "a bound: \"any\", a list of texts, an integer, true, false or [true, false], or a date as {\"date\"}, {\"plus_days\"} or {\"next\", \"plus_days\"}";

    fn boolean(self, _: Position<'_>, value: bool) -> Option<Bound> {
        Some(Bound::Flag(value))
    }
    fn integer(self, _: Position<'_>, value: i64) -> Option<Bound> {
        Some(Bound::Limit(value))
    }
    fn text(self, at: Position<'_>, value: Cow<'de, str>) -> Option<Bound> {
        if value == "any" { Some(Bound::Any) } else { Self::wrong_form(at, format!("`{value}`")) }
    }
    fn list<A: SeqAccess<'de>>(self, at: Position<'_>, list: A) -> Result<Option<Bound>, A::Error> {
        at.all_or_nothing(|at| texts_or_flags(at, list))
    }
    fn map<A: MapAccess<'de>>(self, at: Position<'_>, map: A) -> Result<Option<Bound>, A::Error> {
        at.all_or_nothing(|at| {
            let fence = match record::<FenceParts>().map(at, map)? {
                FenceParts { date: Some(date), plus_days: None, next: None } => Fence::Date(date),
                FenceParts { date: None, plus_days: Some(days), next: None } => {
                    Fence::PlusDays(days)
                }
                FenceParts { date: None, plus_days, next: Some(weekday) } => {
                    Fence::Next { weekday, plus_days: plus_days.unwrap_or(0) }
                }
                _ => return Ok(Self::wrong_form(at, "a map with other keys")),
            };
            Ok(Some(Bound::Fence(fence)))
        })
    }
}

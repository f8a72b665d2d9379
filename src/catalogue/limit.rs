//! The values of an attribute that pass (design, rule 8): a user's bound, or what a scope
//! accepts.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use crate::date::Date;
use crate::document::{Bound, BoundType, Fence};
use crate::names::{HashSet, is_among, is_sorted_subset};
use crate::object::Value;

/// The values of an attribute that pass a bound.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Limit {
    /// No value, because no bound is stated.
    Nothing,
    /// Every value, and a missing one.
    Any,
    OneOf(TextSet),
    AtMost(i64),
    AtLeast(i64),
    /// Dates not before one of these.
    NotBefore(Vec<Fence>),
    /// Dates not after one of these.
    NotAfter(Vec<Fence>),
    Flag(bool),
    EitherFlag,
}

impl Limit {
    /// Resolves a bound on an attribute whose bounds have that form.
    pub(crate) fn new(of: BoundType, bound: &Bound) -> Limit {
        match (of, bound) {
            (_, Bound::Any) => Limit::Any,
            (BoundType::OneOf, Bound::OneOf(texts)) => {
                Limit::OneOf(texts.iter().map(|text| (**text).into()).collect())
            }
            (BoundType::AtMost, Bound::Limit(limit)) => Limit::AtMost(*limit),
            (BoundType::AtLeast, Bound::Limit(limit)) => Limit::AtLeast(*limit),
            (BoundType::NotBefore, Bound::Fence(fence)) => Limit::NotBefore(vec![*fence]),
            (BoundType::NotAfter, Bound::Fence(fence)) => Limit::NotAfter(vec![*fence]),
            (BoundType::Flag, Bound::Flag(flag)) => Limit::Flag(*flag),
            (BoundType::Flag, Bound::EitherFlag) => Limit::EitherFlag,
            // A policy never has a bound of another form.
            _ => Limit::Nothing,
        }
    }

    /// Returns whether it can be the limit of an attribute whose bounds have that form.
    pub(crate) fn is_of(&self, form: BoundType) -> bool {
        self.form().is_none_or(|of| of == form)
    }

    /// Joins bounds on one attribute: a value passes that passes any of them.
    pub(crate) fn any_of(limits: impl IntoIterator<Item = Limit>) -> Option<Limit> {
        let mut limits = limits.into_iter();
        let mut joined = limits.next()?;
        let mut sets = Vec::new();
        for limit in limits {
            match (&joined, limit) {
                (Limit::OneOf(_), Limit::OneOf(more)) => sets.push(more),
                (_, limit) => joined.extend(limit),
            }
        }
        match &mut joined {
            Limit::OneOf(texts) => texts.extend(&sets),
            Limit::NotBefore(fences) | Limit::NotAfter(fences) => {
                let mut seen = HashSet::<Fence>::default();
                fences.retain(|fence| seen.insert(*fence));
            }
            _ => {}
        }
        Some(joined)
    }

    /// Joins another bound, texts with texts aside, leaving its fences as often as stated.
    fn extend(&mut self, other: Limit) {
        match (&mut *self, other) {
            (Limit::Any, _) | (_, Limit::Nothing) => {}
            (Limit::AtMost(limit), Limit::AtMost(other)) => *limit = other.max(*limit),
            (Limit::AtLeast(limit), Limit::AtLeast(other)) => *limit = other.min(*limit),
            (Limit::NotBefore(fences), Limit::NotBefore(more))
            | (Limit::NotAfter(fences), Limit::NotAfter(more)) => fences.extend(more),
            (Limit::EitherFlag, Limit::Flag(_)) => {}
            (Limit::Flag(flag), Limit::Flag(other)) if *flag == other => {}
            (limit @ Limit::Flag(_), Limit::Flag(_)) => *limit = Limit::EitherFlag,
            (limit, other) => *limit = other,
        }
    }

    /// Returns whether every value that passes another limit on the attribute passes this
    /// one too, on every day.
    // A missing value, or one of the wrong type, passes only `Any`.
    pub(crate) fn contains(&self, other: &Limit) -> bool {
        match (self, other) {
            (Limit::Any, _) | (_, Limit::Nothing) => true,
            (Limit::OneOf(texts), Limit::OneOf(others)) => {
                texts.is_shared_with(others) || is_sorted_subset(others, texts)
            }
            (_, Limit::OneOf(others)) => others.is_empty(),
            (Limit::AtMost(limit), Limit::AtMost(other)) => other <= limit,
            (Limit::AtLeast(limit), Limit::AtLeast(other)) => other >= limit,
            (Limit::NotBefore(fences), Limit::NotBefore(others)) => {
                reach_as_far(fences, others, |day, other| day <= other)
            }
            (Limit::NotAfter(fences), Limit::NotAfter(others)) => {
                reach_as_far(fences, others, |day, other| day >= other)
            }
            (Limit::EitherFlag, Limit::Flag(_) | Limit::EitherFlag) => true,
            (Limit::Flag(flag), Limit::Flag(other)) => flag == other,
            _ => false,
        }
    }

    /// Returns whether a value, or a missing one, passes.
    #[inline]
    pub(crate) fn passes(&self, value: Option<Value<'_>>, today: Option<Date>) -> bool {
        match (self, value) {
            (Limit::OneOf(texts), Some(Value::Text(value))) => is_among(texts, value),
            _ => self.passes_otherwise(value, today),
        }
    }

    /// Does the same for all but texts, so that these are compared without a call.
    fn passes_otherwise(&self, value: Option<Value<'_>>, today: Option<Date>) -> bool {
        match (self, value) {
            (Limit::Any, _) => true,
            (Limit::AtMost(limit), Some(Value::Integer(value))) => value <= *limit,
            (Limit::AtLeast(limit), Some(Value::Integer(value))) => value >= *limit,
            (Limit::NotBefore(fences), Some(value)) => value.date().is_some_and(|date| {
                fences.iter().any(|&fence| fence_day(fence, today).is_some_and(|day| date >= day))
            }),
            (Limit::NotAfter(fences), Some(value)) => value.date().is_some_and(|date| {
                fences.iter().any(|&fence| fence_day(fence, today).is_some_and(|day| date <= day))
            }),
            (Limit::Flag(flag), Some(Value::Boolean(value))) => value == *flag,
            (Limit::EitherFlag, Some(Value::Boolean(_))) => true,
            _ => false,
        }
    }

    /// Returns the form of the bounds that state it; `None` for one that bounds of every form
    /// can state.
    pub(crate) fn form(&self) -> Option<BoundType> {
        Some(match self {
            Limit::Nothing | Limit::Any => return None,
            Limit::OneOf(_) => BoundType::OneOf,
            Limit::AtMost(_) => BoundType::AtMost,
            Limit::AtLeast(_) => BoundType::AtLeast,
            Limit::NotBefore(_) => BoundType::NotBefore,
            Limit::NotAfter(_) => BoundType::NotAfter,
            Limit::Flag(_) | Limit::EitherFlag => BoundType::Flag,
        })
    }

    /// Returns bounds that state it together, the same ones however they were joined.
    pub(crate) fn bounds(&self) -> Vec<Bound> {
        match self {
            Limit::Nothing => Vec::new(),
            Limit::Any => vec![Bound::Any],
            Limit::OneOf(texts) => {
                vec![Bound::OneOf(texts.iter().map(ToString::to_string).collect())]
            }
            Limit::AtMost(limit) | Limit::AtLeast(limit) => vec![Bound::Limit(*limit)],
            Limit::NotBefore(fences) => furthest(fences, |days| days),
            Limit::NotAfter(fences) => furthest(fences, i64::saturating_neg),
            Limit::Flag(flag) => vec![Bound::Flag(*flag)],
            Limit::EitherFlag => vec![Bound::EitherFlag],
        }
    }

    /// Returns the limit as it is on a day, with one date in the place of fences.
    pub(crate) fn on(&self, today: Option<Date>) -> Cow<'_, Limit> {
        let days = |fences: &[Fence]| {
            let days = fences.iter().filter_map(|&fence| fence_day(fence, today));
            days.collect::<Vec<Date>>().into_iter()
        };
        // Not before one of several days is not before the first.
        let (limit, date): (fn(Vec<Fence>) -> Limit, _) = match self {
            Limit::NotBefore(fences) => (Limit::NotBefore, days(fences).min()),
            Limit::NotAfter(fences) => (Limit::NotAfter, days(fences).max()),
            _ => return Cow::Borrowed(self),
        };
        Cow::Owned(date.map_or(Limit::Nothing, |date| limit(vec![Fence::Date(date)])))
    }

    /// Returns the limit of the values that pass this one and another on the attribute, if
    /// there is one.
    pub(crate) fn both(&self, other: &Limit) -> Option<Limit> {
        Some(match (self, other) {
            _ if other.contains(self) => self.clone(),
            _ if self.contains(other) => other.clone(),
            (Limit::OneOf(texts), Limit::OneOf(others)) => {
                let both = texts.iter().filter(|text| is_among(others, text));
                Limit::OneOf(both.cloned().collect())
            }
            (Limit::Flag(_), Limit::Flag(_)) => Limit::Nothing,
            _ => return None,
        })
    }

    /// Returns the limit of the values that pass this one or another on the attribute.
    pub(crate) fn either(&self, other: &Limit) -> Limit {
        if self.contains(other) {
            return self.clone();
        }
        Limit::any_of([self, other].map(Limit::clone)).unwrap_or(Limit::Nothing)
    }

    /// Returns the limit of the values that pass this one and not another on the attribute,
    /// if there is one.
    pub(crate) fn without(&self, other: &Limit) -> Option<Limit> {
        Some(match (self, other) {
            _ if other.contains(self) => Limit::Nothing,
            (Limit::OneOf(texts), Limit::OneOf(others)) => {
                let left = texts.iter().filter(|text| !is_among(others, text));
                Limit::OneOf(left.cloned().collect())
            }
            (Limit::EitherFlag, Limit::Flag(flag)) => Limit::Flag(!flag),
            (Limit::Flag(_), Limit::Flag(_)) => self.clone(),
            _ => return None,
        })
    }

    /// Returns a value that passes on every day, if there is one.
    pub(crate) fn example(&self) -> Option<Value<'_>> {
        match self {
            Limit::Nothing | Limit::Any => None,
            Limit::OneOf(texts) => texts.first().map(|text| Value::Text(text)),
            Limit::AtMost(limit) | Limit::AtLeast(limit) => Some(Value::Integer(*limit)),
            Limit::NotBefore(fences) | Limit::NotAfter(fences) => {
                fences.iter().find_map(|&fence| fence_day(fence, None)).map(Value::Date)
            }
            Limit::Flag(flag) => Some(Value::Boolean(*flag)),
            Limit::EitherFlag => Some(Value::Boolean(true)),
        }
    }

    /// Returns whether some value could pass on some day.
    pub(crate) fn passable(&self) -> bool {
        match self {
            Limit::Nothing => false,
            Limit::OneOf(texts) => !texts.is_empty(),
            _ => true,
        }
    }
}

/// Returns whether bounds of a form compare such a value: one of another type passes none but
/// `"any"`.
pub(crate) fn compares(of: BoundType, value: Value<'_>) -> bool {
    match of {
        BoundType::OneOf => matches!(value, Value::Text(_)),
        BoundType::AtMost | BoundType::AtLeast => matches!(value, Value::Integer(_)),
        BoundType::NotBefore | BoundType::NotAfter => value.date().is_some(),
        BoundType::Flag => matches!(value, Value::Boolean(_)),
    }
}

/// Texts, sorted and shared. The hash is that of the texts, so that large sets which many
/// users share are compared and hashed in constant time.
#[derive(Clone, Debug)]
pub(crate) struct TextSet {
    hash: u64,
    texts: Arc<[Box<str>]>,
}

impl TextSet {
    /// Adds the texts of other sets; where one of all these has every text, it is shared.
    fn extend(&mut self, others: &[TextSet]) {
        let longest = others.iter().max_by_key(|set| set.len());
        let mut longest = longest.filter(|set| set.len() > self.len()).unwrap_or(self).clone();
        let is_within =
            |set: &TextSet| set.is_shared_with(&longest) || is_sorted_subset(set, &longest);
        if !is_within(self) || !others.iter().all(is_within) {
            let texts = self.iter().chain(others.iter().flat_map(|set| set.iter()));
            longest = texts.cloned().collect();
        }
        *self = longest;
    }

    fn is_shared_with(&self, other: &TextSet) -> bool {
        Arc::ptr_eq(&self.texts, &other.texts)
    }
}

impl FromIterator<Box<str>> for TextSet {
    fn from_iter<T: IntoIterator<Item = Box<str>>>(texts: T) -> TextSet {
        let mut texts: Vec<Box<str>> = texts.into_iter().collect();
        // A stable sort, because it merges what is already sorted.
        texts.sort();
        texts.dedup();
        let mut hasher = DefaultHasher::new();
        texts.hash(&mut hasher);
        TextSet { hash: hasher.finish(), texts: texts.into() }
    }
}

impl Deref for TextSet {
    type Target = [Box<str>];

    fn deref(&self) -> &[Box<str>] {
        &self.texts
    }
}

impl PartialEq for TextSet {
    fn eq(&self, other: &TextSet) -> bool {
        self.is_shared_with(other) || self.hash == other.hash && self.texts == other.texts
    }
}

impl Eq for TextSet {}

impl PartialOrd for TextSet {
    fn partial_cmp(&self, other: &TextSet) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TextSet {
    fn cmp(&self, other: &TextSet) -> Ordering {
        if self.is_shared_with(other) { Ordering::Equal } else { self.texts.cmp(&other.texts) }
    }
}

impl Hash for TextSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

/// Returns whether some fences together reach as far as others do, on every day;
/// `reaches` compares two days.
// Every relative fence overtakes a fixed date some day, one way or the other, and
// passes nothing if today is not given. So fixed fences are compared with fixed ones,
// and relative ones with relative ones: these only differ by the weekday of today, by
// as many days in every week. (Near the ends of the calendar, where a fence passes
// nothing because its day lies beyond them, this is not looked at.)
fn reach_as_far(fences: &[Fence], others: &[Fence], reaches: fn(i64, i64) -> bool) -> bool {
    std::iter::once(None).chain((0..7).map(Some)).all(|today| {
        let furthest = comparable_days(fences, today);
        let furthest = furthest.reduce(|one, next| if reaches(one, next) { one } else { next });
        comparable_days(others, today)
            .all(|other| furthest.is_some_and(|furthest| reaches(furthest, other)))
    })
}

/// Returns fences in a fixed order, however they were joined; of those that differ
/// only in the number of days, the one with the least `reach`.
fn furthest(fences: &[Fence], reach: fn(i64) -> i64) -> Vec<Bound> {
    let key = |fence: &Fence| match fence {
        Fence::Date(date) => (0, reach(date.days())),
        Fence::PlusDays(days) => (1, reach(*days)),
        Fence::Next { weekday, plus_days } => {
            ((*weekday as u8).saturating_add(2), reach(*plus_days))
        }
    };
    let mut sorted = fences.to_vec();
    sorted.sort_unstable_by_key(key);
    sorted.dedup_by_key(|fence| key(fence).0);
    sorted.into_iter().map(Bound::Fence).collect()
}

/// The days of the fixed fences; or, given the weekday of today (counted from Monday),
/// those of the relative ones, counted from today.
#[expect(clippy::arithmetic_side_effects, reason = "of weekdays, from 0 to 6")]
fn comparable_days(fences: &[Fence], today: Option<i64>) -> impl Iterator<Item = i64> {
    fences.iter().filter_map(move |fence| match (fence, today) {
        (Fence::Date(date), None) => Some(date.days()),
        (Fence::PlusDays(days), Some(_)) => Some(*days),
        (Fence::Next { weekday, plus_days }, Some(today)) => {
            let first = (*weekday as i64 - today - 1).rem_euclid(7) + 1;
            Some(plus_days.saturating_add(first))
        }
        _ => None,
    })
}

/// The day that a fence resolves to; `None` if it is relative and today is not
/// given, or if it lies beyond the calendar.
pub(crate) fn fence_day(fence: Fence, today: Option<Date>) -> Option<Date> {
    match fence {
        Fence::Date(date) => Some(date),
        Fence::PlusDays(days) => today?.plus_days(days),
        Fence::Next { weekday, plus_days } => today?.next(weekday)?.plus_days(plus_days),
    }
}

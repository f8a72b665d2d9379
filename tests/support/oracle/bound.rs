//! Which values pass a bound (rule 8, and the paragraphs on `can_some` and on
//! fences below it).

use grantree::Date;
use grantree::document::{Accepted, Bound, BoundType, Fence};
use grantree::object::Value;

/// Whether the value of an attribute passes one bound. "A bound `"any"` passes
/// whatever the object says or leaves out. An attribute that is missing or of
/// the wrong type passes no other bound."
pub fn passes(
    bound: &Bound,
    bound_type: BoundType,
    value: Option<Value<'_>>,
    today: Option<Date>,
) -> bool {
    match (bound, bound_type, value) {
        (Bound::Any, _, _) => true,
        (Bound::OneOf(texts), BoundType::OneOf, Some(Value::Text(text))) => {
            texts.iter().any(|known| known == text)
        }
        (Bound::Limit(limit), BoundType::AtMost, Some(Value::Integer(value))) => value <= *limit,
        (Bound::Limit(limit), BoundType::AtLeast, Some(Value::Integer(value))) => value >= *limit,
        // "The date named is itself allowed."
        (Bound::Fence(fence), BoundType::NotBefore, Some(value)) => {
            compare(fence, value, today).is_some_and(|(fence, day)| day >= fence)
        }
        (Bound::Fence(fence), BoundType::NotAfter, Some(value)) => {
            compare(fence, value, today).is_some_and(|(fence, day)| day <= fence)
        }
        (Bound::Flag(flag), BoundType::Flag, Some(Value::Boolean(value))) => value == *flag,
        (Bound::EitherFlag, BoundType::Flag, Some(Value::Boolean(_))) => true,
        _ => false,
    }
}

/// Whether a scope accepts the value of an attribute: "it takes what a bound of its type
/// takes …, but not `"any"` and no relative fence".
pub fn accepts(accepted: &Accepted, bound_type: BoundType, value: Option<Value<'_>>) -> bool {
    let bound = match accepted.clone() {
        Accepted::State(_) => return false,
        Accepted::OneOf(texts) => Bound::OneOf(texts),
        Accepted::Limit(limit) => Bound::Limit(limit),
        Accepted::Date(date) => Bound::Fence(Fence::Date(date)),
        Accepted::Flag(flag) => Bound::Flag(flag),
        Accepted::EitherFlag => Bound::EitherFlag,
    };
    passes(&bound, bound_type, value, None)
}

/// "A bound that some value could pass (any but an empty `one_of`)."
pub fn can_pass(bound: &Bound) -> bool {
    match bound {
        Bound::OneOf(texts) => !texts.is_empty(),
        Bound::Any | Bound::Limit(_) | Bound::Fence(_) | Bound::Flag(_) | Bound::EitherFlag => true,
    }
}

/// The day of a fence and the day of a value, where both are days.
fn compare(fence: &Fence, value: Value<'_>, today: Option<Date>) -> Option<(i64, i64)> {
    let date = match value {
        Value::Date(date) => date,
        Value::Text(text) => text.parse().ok()?,
        Value::Integer(_) | Value::Boolean(_) | Value::Other => return None,
    };
    Some((fence_day(fence, today)?, day(date)))
}

/// "`{"plus_days": 3}` from today, or `{"next": "friday", "plus_days": 0}` from
/// the first Friday after today. Today comes with the question; without it a
/// relative fence passes nothing."
fn fence_day(fence: &Fence, today: Option<Date>) -> Option<i64> {
    match *fence {
        Fence::Date(date) => Some(day(date)),
        Fence::PlusDays(days) => day(today?).checked_add(days),
        Fence::Next { weekday, plus_days } => {
            // Day 0, the first of January of the year 0, was a Saturday; the
            // weekdays count from Monday.
            let wanted = weekday as i64;
            let today = day(today?);
            let first = (today + 1..=today + 7).find(|day| (day + 5) % 7 == wanted);
            first.expect("a week has every weekday").checked_add(plus_days)
        }
    }
}

/// The days from the first of January of the year 0 to a date.
fn day(date: Date) -> i64 {
    let text = date.to_string();
    let mut parts = text.split('-').map(|part| part.parse().expect("a number"));
    let mut part = || -> i64 { parts.next().expect("YYYY-MM-DD") };
    let (year, month, day) = (part(), part(), part());
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let year_days = |year| if is_leap(year) { 366 } else { 365 };
    let month_days = |month| match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (0..year).map(year_days).sum::<i64>() + (1..month).map(month_days).sum::<i64>() + day - 1
}

//! Filters and predicates as text for people.

use std::fmt::{self, Display, Formatter};

use super::{Filter, Predicate};
use crate::document::{Bound, BoundType, Fence};

impl Display for Filter {
    /// `every job where assignee is me`, `everything` or `nothing`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.kind() {
            Some(kind) => write_objects(f, kind, self.predicate(), self.definitions()),
            None => self.predicate().fmt(f),
        }
    }
}

/// Writes the objects of a kind that a predicate matches.
pub(crate) fn write_objects(
    f: &mut Formatter<'_>,
    kind: &str,
    predicate: &Predicate,
    definitions: &[Predicate],
) -> fmt::Result {
    write!(f, "every {kind}")?;
    if *predicate != Predicate::All {
        write!(f, " where {predicate}")?;
    }
    for (number, definition) in definitions.iter().enumerate() {
        write!(f, "; #{number} means {definition}")?;
    }
    Ok(())
}

impl Display for Predicate {
    /// `assignee is me and region is one of "north", "south"`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Predicate::All => f.write_str("everything"),
            Predicate::None => f.write_str("nothing"),
            Predicate::And(parts) => separated(f, " and ", parts.iter().map(Operand)),
            Predicate::Or(parts) => separated(f, " or ", parts.iter().map(Operand)),
            Predicate::Relation { name, states, .. } => {
                listed_as(f, name, states.iter().map(|state| state.name()))
            }
            Predicate::Names { name, any_of: values, .. }
            | Predicate::OneOf { attribute: name, values } => {
                listed_as(f, name, values.iter().map(|value| Quoted(value)))
            }
            Predicate::AtMost { attribute, value } => {
                write!(f, "{attribute} is {} {value}", side(BoundType::AtMost))
            }
            Predicate::AtLeast { attribute, value } => {
                write!(f, "{attribute} is {} {value}", side(BoundType::AtLeast))
            }
            Predicate::NotBefore { attribute, date } => {
                write!(f, "{attribute} is {} {date}", side(BoundType::NotBefore))
            }
            Predicate::NotAfter { attribute, date } => {
                write!(f, "{attribute} is {} {date}", side(BoundType::NotAfter))
            }
            Predicate::Flag { attribute, values } => {
                write!(f, "{attribute} is ")?;
                separated(f, " or ", values.iter())
            }
            Predicate::Bound { attribute, form, bounds } => match bounds.as_slice() {
                [Bound::OneOf(texts)] => {
                    listed_as(f, attribute, texts.iter().map(|text| Quoted(text)))
                }
                bounds => {
                    write!(f, "{attribute} is ")?;
                    separated(f, " or ", bounds.iter().map(|one| bound(*form, one)))
                }
            },
            Predicate::Defined(number) => write!(f, "#{number}"),
        }
    }
}

/// A part of a join, in parentheses if it is one itself: nobody should need to know
/// whether `and` or `or` binds tighter.
struct Operand<'p>(&'p Predicate);

impl Display for Operand<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Predicate::And(_) | Predicate::Or(_) => write!(f, "({})", self.0),
            test => test.fmt(f),
        }
    }
}

/// Writes `name is value`, or `name is one of value, value`.
fn listed_as<T: Display>(
    f: &mut Formatter<'_>,
    name: &str,
    values: impl ExactSizeIterator<Item = T>,
) -> fmt::Result {
    let several = if values.len() > 1 { "one of " } else { "" };
    write!(f, "{name} is {several}")?;
    separated(f, ", ", values)
}

fn separated<T: Display>(
    f: &mut Formatter<'_>,
    by: &str,
    parts: impl Iterator<Item = T>,
) -> fmt::Result {
    for (at, part) in parts.enumerate() {
        if at > 0 {
            f.write_str(by)?;
        }
        part.fmt(f)?;
    }
    Ok(())
}

/// A text in quotes, on one line.
pub(crate) struct Quoted<'t>(pub(crate) &'t str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// Returns a bound in words, to follow "is" or "allows".
pub(crate) fn bound(form: BoundType, bound: &Bound) -> String {
    let side = side(form);
    match bound {
        Bound::Any => "any value".to_owned(),
        Bound::OneOf(texts) if texts.is_empty() => "no value".to_owned(),
        Bound::OneOf(texts) => {
            let texts: Vec<String> = texts.iter().map(|text| Quoted(text).to_string()).collect();
            format!("{side} {}", texts.join(", "))
        }
        Bound::Limit(limit) => format!("{side} {limit}"),
        Bound::Fence(Fence::Date(date)) => format!("{side} {date}"),
        Bound::Fence(Fence::PlusDays(days)) => format!("{side} {}", days_after(*days, "today")),
        Bound::Fence(Fence::Next { weekday, plus_days }) => {
            let weekday = format!("the next {weekday:?} after today");
            format!("{side} {}", days_after(*plus_days, &weekday))
        }
        Bound::Flag(flag) => flag.to_string(),
        Bound::EitherFlag => "true or false".to_owned(),
    }
}

/// Returns a noun for the values that such bounds compare.
pub(crate) fn value_noun(form: BoundType) -> &'static str {
    match form {
        BoundType::OneOf => "a text",
        BoundType::AtMost | BoundType::AtLeast => "an integer",
        BoundType::NotBefore | BoundType::NotAfter => "a date",
        BoundType::Flag => "true or false",
    }
}

/// Returns the words that go before the value of a bound.
fn side(form: BoundType) -> &'static str {
    match form {
        BoundType::OneOf | BoundType::Flag => "one of",
        BoundType::AtMost => "at most",
        BoundType::AtLeast => "at least",
        BoundType::NotBefore => "not before",
        BoundType::NotAfter => "not after",
    }
}

fn days_after(days: i64, day: &str) -> String {
    match days {
        0 => day.to_owned(),
        1 => format!("the day after {day}"),
        -1 => format!("the day before {day}"),
        2.. => format!("{days} days after {day}"),
        _ => format!("{} days before {day}", days.unsigned_abs()),
    }
}

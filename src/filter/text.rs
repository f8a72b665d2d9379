//! Filters as text for people.

use std::fmt::{self, Display, Formatter};

use super::{Filter, Predicate};
use crate::relation::RelationState;

impl Display for Filter {
    /// `every job where assignee is me`, `everything` or `nothing`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.kind(), self.predicate()) {
            (Some(kind), Predicate::All) => write!(f, "every {kind}"),
            (Some(kind), predicate) => write!(f, "every {kind} where {predicate}"),
            (None, predicate) => predicate.fmt(f),
        }?;
        for (number, definition) in self.definitions().iter().enumerate() {
            write!(f, "; #{number} means {definition}")?;
        }
        Ok(())
    }
}

impl Display for Predicate {
    /// `assignee is me and region is one of "north", "south"`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Predicate::All => f.write_str("everything"),
            Predicate::None => f.write_str("nothing"),
            Predicate::And(parts) => joined(f, parts, " and "),
            Predicate::Or(parts) => joined(f, parts, " or "),
            Predicate::Relation { name, states, .. } => {
                listed_as(f, name, states.iter().map(|&state| State(state)))
            }
            Predicate::OneOf { attribute, values } => {
                listed_as(f, attribute, values.iter().map(|value| Quoted(value)))
            }
            Predicate::AtMost { attribute, value } => write!(f, "{attribute} is at most {value}"),
            Predicate::AtLeast { attribute, value } => write!(f, "{attribute} is at least {value}"),
            Predicate::NotBefore { attribute, date } => {
                write!(f, "{attribute} is not before {date}")
            }
            Predicate::NotAfter { attribute, date } => write!(f, "{attribute} is not after {date}"),
            Predicate::Defined(number) => write!(f, "#{number}"),
        }
    }
}

/// The parts, with parentheses around those that are joins themselves: nobody
/// should need to know whether `and` or `or` binds tighter.
fn joined(f: &mut Formatter<'_>, parts: &[Predicate], by: &str) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(by)?;
        }
        match part {
            Predicate::And(_) | Predicate::Or(_) => write!(f, "({part})")?,
            test => test.fmt(f)?,
        }
    }
    Ok(())
}

/// `name is value`, or `name is one of value, value`.
pub(crate) fn listed_as<T: Display>(
    f: &mut Formatter<'_>,
    name: &str,
    values: impl ExactSizeIterator<Item = T>,
) -> fmt::Result {
    write!(f, "{name} is ")?;
    if values.len() > 1 {
        f.write_str("one of ")?;
    }
    for (at, value) in values.enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        value.fmt(f)?;
    }
    Ok(())
}

/// A state as the catalogue writes it.
pub(crate) struct State(pub(crate) RelationState);

impl Display for State {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            RelationState::Me => "me",
            RelationState::Other => "other",
            RelationState::None => "none",
        })
    }
}

/// A text in quotes, on one line whatever is in it.
pub(crate) struct Quoted<'t>(pub(crate) &'t str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

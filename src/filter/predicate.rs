//! Predicates on objects.

use serde::Serialize;

use super::Day;
use crate::catalogue::Limit;
use crate::date::Date;
use crate::document::{Bound, BoundType, Fence, RelationType};
use crate::names::is_among;
use crate::object::Value;
use crate::relation::RelationState;

/// A condition on an object.
///
/// It is in normal form. `All` and `None` occur only alone. A join has two or
/// more parts, all different, sorted, and none of them a join of the same kind.
/// A join tests a relation or an attribute once (but `And` may have [`Names`] of one relation
/// several times, and besides its states), no part of it follows from another, and common
/// factors of its parts are taken out. (The last two may fail in a predicate of hundreds of
/// tests, which would take more than a few milliseconds to simplify: it means the same, at
/// greater length. Where it can be said in half as many tests by asking for one thing after
/// another, as of scopes each of which excludes those before it, it is.)
///
/// [`Names`]: Predicate::Names
///
/// A host translates a filter's predicate into the query language of its own store:
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"job": {
/// #             "attributes": {"cost": "at_most", "region": "one_of"}, "checks": ["cost", "region"]}},
/// #         "permissions": [{"key": "edit", "object": "job"}]},
/// #     "users": {"bob": {"allow": ["edit"], "bounds": {"job.cost": 5000, "job.region": ["north"]}}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use grantree::filter::Predicate;
///
/// fn query(predicate: &Predicate) -> String {
///     match predicate {
///         Predicate::And(parts) => parts.iter().map(query).collect::<Vec<_>>().join(" AND "),
///         Predicate::AtMost { attribute, value } => format!("{attribute}:[* TO {value}]"),
///         Predicate::OneOf { attribute, values } => format!("{attribute}:({})", values.join(" OR ")),
///         other => todo!("{other:?}"),
///     }
/// }
///
/// let filter = engine.filter(engine.user("bob")?, engine.permission("edit")?, ());
/// assert_eq!(query(filter.predicate()), "cost:[* TO 5000] AND region:(north)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Predicate {
    /// Every object passes.
    All,
    /// No object passes.
    None,
    /// All of these hold.
    And(Vec<Predicate>),
    /// At least one of these holds.
    Or(Vec<Predicate>),
    /// The object carries the relation, in one of these states. Even all three
    /// do not match every object: one that does not carry the relation has no
    /// state.
    Relation {
        /// The relation.
        name: String,
        /// True if it names users or groups.
        names: RelationType,
        /// The states, in their order, each once.
        states: Vec<RelationState>,
    },
    /// The object carries the relation, and it names one of these. It occurs for a user
    /// who has an assignment on some objects.
    Names {
        /// The relation.
        name: String,
        /// True if it names users or groups.
        names: RelationType,
        /// The users; or the groups, and those beneath them. Sorted, each once.
        any_of: Vec<String>,
    },
    /// The attribute is a text, one of these.
    OneOf {
        /// The attribute.
        attribute: String,
        /// The texts, sorted, each once.
        values: Vec<String>,
    },
    /// The attribute is an integer, no greater than this.
    AtMost {
        /// The attribute.
        attribute: String,
        /// The greatest value that passes.
        value: i64,
    },
    /// The attribute is an integer, no less than this.
    AtLeast {
        /// The attribute.
        attribute: String,
        /// The least value that passes.
        value: i64,
    },
    /// The attribute is a date, or the text of one, no earlier than this.
    NotBefore {
        /// The attribute.
        attribute: String,
        /// The first day that passes.
        date: Date,
    },
    /// The attribute is a date, or the text of one, no later than this.
    NotAfter {
        /// The attribute.
        attribute: String,
        /// The last day that passes.
        date: Date,
    },
    /// The attribute is a flag, with one of these values.
    Flag {
        /// The attribute.
        attribute: String,
        /// The values, `false` first, each once.
        values: Vec<bool>,
    },
    /// The attribute passes one of these bounds, as they are written. This occurs
    /// only in a [`Diff`](crate::diff::Diff), whose predicates hold on every day: a
    /// filter has the variants above in its place, made for one day.
    Bound {
        /// The attribute.
        attribute: String,
        /// The form of the bounds.
        form: BoundType,
        /// The bounds.
        bounds: Vec<Bound>,
    },
    /// The definition of that number holds, in
    /// [`Filter::definitions`](super::Filter::definitions).
    Defined(usize),
}

impl Predicate {
    /// Returns the test of an attribute against a limit.
    pub(super) fn of_limit(attribute: &str, limit: &Limit, day: Day) -> Predicate {
        let attribute = attribute.to_owned();
        let today = match (limit.form(), day) {
            (Some(form), Day::Any) => {
                return Predicate::Bound { attribute, form, bounds: limit.bounds() };
            }
            (_, Day::Of(today)) => today,
            (None, Day::Any) => None,
        };
        match &*limit.on(today) {
            Limit::Nothing => Predicate::None,
            Limit::Any => Predicate::All,
            Limit::OneOf(texts) => {
                let values = texts.iter().map(ToString::to_string).collect();
                Predicate::OneOf { attribute, values }
            }
            Limit::AtMost(limit) => Predicate::AtMost { attribute, value: *limit },
            Limit::AtLeast(limit) => Predicate::AtLeast { attribute, value: *limit },
            Limit::NotBefore(fences) => match fences.first() {
                Some(Fence::Date(date)) => Predicate::NotBefore { attribute, date: *date },
                _ => Predicate::None,
            },
            Limit::NotAfter(fences) => match fences.first() {
                Some(Fence::Date(date)) => Predicate::NotAfter { attribute, date: *date },
                _ => Predicate::None,
            },
            Limit::Flag(flag) => Predicate::Flag { attribute, values: vec![*flag] },
            Limit::EitherFlag => Predicate::Flag { attribute, values: vec![false, true] },
        }
    }

    /// Returns whether it tests a relation to users, or to groups.
    pub(crate) fn asks_for(&self, those: RelationType) -> bool {
        match self {
            Predicate::And(parts) | Predicate::Or(parts) => {
                parts.iter().any(|part| part.asks_for(those))
            }
            Predicate::Relation { names, .. } => *names == those,
            _ => false,
        }
    }

    /// Returns the attribute that it tests, if it tests one.
    pub(super) fn attribute(&self) -> Option<&str> {
        match self {
            Predicate::OneOf { attribute, .. }
            | Predicate::AtMost { attribute, .. }
            | Predicate::AtLeast { attribute, .. }
            | Predicate::NotBefore { attribute, .. }
            | Predicate::NotAfter { attribute, .. }
            | Predicate::Flag { attribute, .. }
            | Predicate::Bound { attribute, .. } => Some(attribute),
            _ => None,
        }
    }

    /// Returns whether the attribute that it tests passes with this value. (A bound that is
    /// not made for a day passes nothing.)
    pub(super) fn passes(&self, value: Option<Value<'_>>) -> bool {
        match (self, value) {
            (Predicate::OneOf { values, .. }, Some(Value::Text(text))) => is_among(values, text),
            (Predicate::AtMost { value: most, .. }, Some(Value::Integer(value))) => value <= *most,
            (Predicate::AtLeast { value: least, .. }, Some(Value::Integer(value))) => {
                value >= *least
            }
            (Predicate::NotBefore { date: first, .. }, Some(value)) => {
                value.date().is_some_and(|date| date >= *first)
            }
            (Predicate::NotAfter { date: last, .. }, Some(value)) => {
                value.date().is_some_and(|date| date <= *last)
            }
            (Predicate::Flag { values, .. }, Some(Value::Boolean(flag))) => values.contains(&flag),
            _ => false,
        }
    }
}

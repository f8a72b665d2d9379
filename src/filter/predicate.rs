//! Predicates on objects.

use serde::Serialize;

use super::Day;
use crate::catalogue::{Limit, fence_day};
use crate::date::Date;
use crate::document::{Bound, BoundType, Fence, RelationType};
use crate::names::is_among;
use crate::object::Value;
use crate::relation::RelationState;

/// A condition on an object.
///
/// It is in normal form. `All` and `None` occur only alone. A join has two or
/// more parts, all different, sorted, and none of them a join of the same kind.
/// A join tests a relation once, no part of it follows from another, and common
/// factors of its parts are taken out. (The last two may fail in a predicate that
/// would take more than a few milliseconds to simplify, with dozens of scopes
/// that differ in dozens of relations: it means the same, at greater length.)
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
    /// Returns the predicate for definitions that come after some others.
    pub(super) fn renumbered(self, by: usize) -> Predicate {
        let each = |parts: Vec<Predicate>| parts.into_iter().map(|it| it.renumbered(by)).collect();
        match self {
            Predicate::And(parts) => Predicate::And(each(parts)),
            Predicate::Or(parts) => Predicate::Or(each(parts)),
            Predicate::Defined(number) => Predicate::Defined(number.saturating_add(by)),
            test => test,
        }
    }

    /// Returns the test of an attribute against a user's limit.
    pub(super) fn of_limit(attribute: &str, limit: &Limit, day: Day) -> Predicate {
        let attribute = attribute.to_owned();
        let stated = |form, bounds| Predicate::Bound { attribute: attribute.clone(), form, bounds };
        match (limit, day) {
            (Limit::Nothing, _) => Predicate::None,
            (Limit::Any, _) => Predicate::All,
            (Limit::OneOf(texts), _) => {
                let values = texts.iter().map(ToString::to_string).collect();
                match day {
                    Day::Any => stated(BoundType::OneOf, vec![Bound::OneOf(values)]),
                    Day::Of(_) => Predicate::OneOf { attribute, values },
                }
            }
            (Limit::AtMost(limit), Day::Any) => {
                stated(BoundType::AtMost, vec![Bound::Limit(*limit)])
            }
            (Limit::AtLeast(limit), Day::Any) => {
                stated(BoundType::AtLeast, vec![Bound::Limit(*limit)])
            }
            (Limit::NotBefore(fences), Day::Any) => {
                stated(BoundType::NotBefore, furthest(fences, |days| days))
            }
            (Limit::NotAfter(fences), Day::Any) => {
                stated(BoundType::NotAfter, furthest(fences, i64::saturating_neg))
            }
            (Limit::AtMost(limit), Day::Of(_)) => Predicate::AtMost { attribute, value: *limit },
            (Limit::AtLeast(limit), Day::Of(_)) => Predicate::AtLeast { attribute, value: *limit },
            // Not before one of several days is not before the first.
            (Limit::NotBefore(fences), Day::Of(today)) => {
                match fences.iter().filter_map(|&fence| fence_day(fence, today)).min() {
                    Some(date) => Predicate::NotBefore { attribute, date },
                    None => Predicate::None,
                }
            }
            (Limit::NotAfter(fences), Day::Of(today)) => {
                match fences.iter().filter_map(|&fence| fence_day(fence, today)).max() {
                    Some(date) => Predicate::NotAfter { attribute, date },
                    None => Predicate::None,
                }
            }
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
            _ => false,
        }
    }
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

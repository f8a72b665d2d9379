//! Bounds, compared: the values that pass one are those that pass another, on every day.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::bound::{date, fence, is_any};
use super::super::date::Today;

/// Joined bounds: a value passes that passes any of them.
pub type Joined = Vec<Value>;

/// Returns `true` if every value that passes all of some joined bounds passes others, on
/// whatever day. "An attribute that is missing or of the wrong type passes no other bound"
/// than `"any"`.
pub fn is_within(some: &[Joined], others: &Joined, bound_type: &str) -> bool {
    if others.iter().any(is_any) {
        return true;
    }
    let some: Vec<&Joined> = some.iter().filter(|it| !it.iter().any(is_any)).collect();
    if some.is_empty() {
        return false;
    }
    match bound_type {
        "one_of" | "flag" => {
            let sets = some.iter().map(|it| accepted(it));
            let passing = sets.reduce(|one, other| &one & &other).unwrap_or_default();
            passing.is_subset(&accepted(others))
        }
        "at_most" | "at_least" => {
            let most = |bounds: &Joined| {
                best(bounds.iter().filter_map(Value::as_i64), bound_type == "at_least")
            };
            is_no_more(&some, others, bound_type == "at_least", most)
        }
        _ => {
            let is_least = bound_type == "not_before";
            let days = days(some.iter().copied().chain([others]).flatten());
            days.into_iter().all(|today| {
                let most = |bounds: &Joined| {
                    best(bounds.iter().filter_map(|it| fence(it, today)), is_least)
                };
                is_no_more(&some, others, is_least, most)
            })
        }
    }
}

/// The texts or flags that joined bounds accept, as text.
fn accepted(bounds: &Joined) -> BTreeSet<String> {
    let values = bounds.iter().flat_map(|bound| match bound {
        Value::Array(list) => list.clone(),
        bound => vec![bound.clone()],
    });
    values.map(|value| value.to_string()).collect()
}

/// The limit that lets most pass; `None` where nothing passes.
fn best(limits: impl Iterator<Item = i64>, is_least: bool) -> Option<i64> {
    if is_least { limits.min() } else { limits.max() }
}

fn is_no_more(
    some: &[&Joined],
    others: &Joined,
    is_least: bool,
    most: impl Fn(&Joined) -> Option<i64>,
) -> bool {
    let other = most(others);
    // One of them lets no more pass, or nothing at all.
    some.iter().any(|bounds| match (most(bounds), other) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(one), Some(other)) if is_least => one >= other,
        (Some(one), Some(other)) => one <= other,
    })
}

/// Days on which fences stand in every order that they can stand in: none; a week long
/// before all fixed dates and one long after; and the days on which a relative fence comes
/// to a fixed date.
fn days<'b>(fences: impl Iterator<Item = &'b Value>) -> Vec<Option<Today>> {
    let fences: Vec<&Value> = fences.collect();
    let fixed = || fences.iter().filter_map(|it| date(&it["date"]));
    let relative = fences.iter().filter(|it| it.get("date").is_none());
    let mut weeks: BTreeSet<i64> = [fixed().min(), fixed().max()].into_iter().flatten().collect();
    weeks = weeks.iter().flat_map(|day| [day - 200_000, day + 200_000]).collect();
    weeks.insert(0);
    for it in relative {
        let plus = it["plus_days"].as_i64().unwrap_or(0);
        weeks.extend(fixed().map(|day| day - plus));
    }
    let around = weeks.into_iter().flat_map(|day| day - 15..=day + 15);
    let days: BTreeSet<i64> = around.collect();
    let on = |day: i64| Some(Today { day, start: day * 86_400, end: (day + 1) * 86_400 });
    [None].into_iter().chain(days.into_iter().map(on)).collect()
}

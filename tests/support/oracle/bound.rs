//! Bounds: the forms of section 4, and which values pass them (rule 8, and the
//! paragraphs on `can_some` and on fences).

use serde_json::Value;

use super::date::{Today, day};

const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// "`plus_days` within ±100,000, else a problem."
const MOST_DAYS: i64 = 100_000;

/// Returns `true` if the value of an attribute passes a bound. "A bound `"any"` passes
/// whatever the object says or leaves out. An attribute that is missing or of the wrong
/// type passes no other bound."
pub fn passes(
    bound: &Value,
    bound_type: &str,
    value: Option<&Value>,
    today: Option<Today>,
) -> bool {
    if is_any(bound) {
        return true;
    }
    let Some(value) = value else { return false };
    match bound_type {
        "one_of" => value.is_string() && accepts(bound, value),
        "flag" => value.is_boolean() && (bound == value || accepts(bound, value)),
        "at_most" => compare(value.as_i64(), bound.as_i64()).is_some_and(|(a, b)| a <= b),
        "at_least" => compare(value.as_i64(), bound.as_i64()).is_some_and(|(a, b)| a >= b),
        // "The date named is itself allowed."
        "not_before" => compare(date(value), fence(bound, today)).is_some_and(|(a, b)| a >= b),
        "not_after" => compare(date(value), fence(bound, today)).is_some_and(|(a, b)| a <= b),
        _ => panic!("an unknown type: {bound_type}"),
    }
}

pub fn is_any(bound: &Value) -> bool {
    bound == "any"
}

fn accepts(list: &Value, value: &Value) -> bool {
    list.as_array().is_some_and(|list| list.contains(value))
}

fn compare(value: Option<i64>, limit: Option<i64>) -> Option<(i64, i64)> {
    value.zip(limit)
}

pub fn date(value: &Value) -> Option<i64> {
    day(value.as_str()?)
}

/// "A bound that some value could pass (any but an empty `one_of`)."
pub fn can_pass(bound: &Value) -> bool {
    bound.as_array().is_none_or(|list| !list.is_empty())
}

/// "`{"plus_days": 3}` from today, or `{"next": "friday", "plus_days": 0}` (0 if left
/// out) from the first Friday after today. Without it a relative fence passes nothing."
pub fn fence(fence: &Value, today: Option<Today>) -> Option<i64> {
    if fence.get("date").is_some() {
        return date(&fence["date"]);
    }
    let plus = fence["plus_days"].as_i64().unwrap_or(0);
    let today = today?.day;
    let Some(weekday) = fence["next"].as_str() else { return Some(today + plus) };
    // Day 0 was a Saturday; the weekdays count from Monday.
    let is_wanted = |day: &i64| WEEKDAYS[(day + 5).rem_euclid(7) as usize] == weekday;
    let first = (today + 1..=today + 7).find(is_wanted);
    Some(first.expect("a week has every weekday") + plus)
}

/// Returns `true` if a bound has a form of its type: "a list of texts for `one_of`, an
/// integer for `at_most` and `at_least`, a fence for the dates, `true`, `false` or
/// `[true, false]` (in either order) for `flag`; or `"any"`".
pub fn has_form(bound: &Value, bound_type: &str) -> bool {
    if is_any(bound) {
        return true;
    }
    match bound_type {
        "one_of" => bound.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
        "flag" => bound.is_boolean() || is_either(bound),
        "at_most" | "at_least" => bound.is_i64(),
        "not_before" | "not_after" => is_fence(bound),
        _ => panic!("an unknown type: {bound_type}"),
    }
}

/// Returns `true` if a bound has a form of some type.
pub fn has_any_form(bound: &Value) -> bool {
    ["one_of", "flag", "at_most", "not_before"].iter().any(|of| has_form(bound, of))
}

fn is_either(bound: &Value) -> bool {
    let both = [true, false].map(Value::Bool);
    bound.as_array().is_some_and(|list| list.len() == 2 && both.iter().all(|b| list.contains(b)))
}

fn is_fence(bound: &Value) -> bool {
    let Some(fields) = bound.as_object() else { return false };
    if fields.contains_key("date") {
        return fields.len() == 1 && date(&bound["date"]).is_some();
    }
    let days = fields.get("plus_days").map(|days| days.as_i64().is_some_and(is_in_reach));
    let next = fields.get("next").map(is_weekday);
    let known = usize::from(days.is_some()) + usize::from(next.is_some());
    known > 0 && known == fields.len() && days != Some(false) && next != Some(false)
}

fn is_in_reach(days: i64) -> bool {
    (-MOST_DAYS..=MOST_DAYS).contains(&days)
}

fn is_weekday(name: &Value) -> bool {
    WEEKDAYS.iter().any(|known| name == known)
}

//! Compares the values of attributes that pass for two users, on every possible day.
//!
//! Values and days are countless, but few make a difference: a value on each side of
//! every limit, and the days around those on which one fence overtakes another. These
//! are tried, with the same test as in decisions.

use smallvec::SmallVec;

use super::days::Days;
use super::overlap::Overlap;
use crate::catalogue::{Limit, fence_day};
use crate::date::Date;
use crate::document::Fence;
use crate::names::HashSet;
use crate::object::Value;

/// An attribute that is asked about.
#[derive(Clone, Debug)]
pub(super) struct Attribute<'l> {
    /// The user's limits on it, before and after.
    pub(super) bounds: (&'l Limit, &'l Limit),
    /// The limits that scopes set, on both sides alike.
    pub(super) fixed: Vec<&'l Limit>,
}

/// Values of an attribute that pass the same fixed limits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    /// For each of the fixed limits, true if they pass it.
    pub(super) passes: SmallVec<[bool; 8]>,
    /// The outcomes that the user's limits have on them.
    pub(super) outcomes: Overlap,
}

/// The outcomes possible for several attributes together: one cell for each attribute, and
/// rows for the kinds of day and the values that fixed limits tell apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcomes {
    pub(super) rows: Vec<Vec<Cell>>,
    /// The same on days so near the end of the calendar that a fence lies beyond it
    /// and passes nothing: such a fence reaches further on all other days.
    pub(super) at_the_end: Vec<Vec<Cell>>,
}

/// Returns the outcomes possible for several attributes together, on some days or else on
/// any; `None` if there are too many. A row contained in another is left out.
///
/// With very many fences, it may report more than is possible.
pub(super) fn outcomes(attributes: &[Attribute<'_>], on: Option<&Days>) -> Option<Outcomes> {
    /// More than anybody has, and few enough to try all days.
    const MOST_FENCES: usize = 24;
    /// The most rows for one day.
    const MOST_ROWS: usize = 1 << 10;

    let fences: Vec<Vec<Fence>> = attributes.iter().map(fences_of).collect();
    let is_coarse = fences.iter().map(Vec::len).sum::<usize>() > MOST_FENCES;
    if is_coarse && on.is_some() {
        return None;
    }
    let days = if is_coarse { vec![None] } else { days(&fences, on) };
    let mut found = Outcomes::default();
    for today in days {
        if on.is_some() && found.rows.len() > MOST_ROWS {
            found.rows = keep_maximal(found.rows);
            if found.rows.len() > MOST_ROWS {
                return None;
            }
        }
        let mut rows = vec![Vec::new()];
        for (attribute, fences) in attributes.iter().zip(&fences) {
            let mut cells = attribute.cells(today);
            if is_coarse && !fences.is_empty() {
                cells.iter_mut().for_each(|cell| cell.outcomes = attribute.on_any_day());
            }
            if rows.len().saturating_mul(cells.len()) > MOST_ROWS {
                return None;
            }
            let with = |row: &Vec<Cell>| {
                let row = row.clone();
                cells.clone().into_iter().map(move |cell| [row.clone(), vec![cell]].concat())
            };
            rows = rows.iter().flat_map(with).collect();
        }
        let mut all = fences.iter().flatten();
        if today.is_some() && all.any(|&fence| fence_day(fence, today).is_none()) {
            found.at_the_end.extend(rows);
        } else {
            found.rows.extend(rows);
        }
    }
    let Outcomes { rows, at_the_end } = found;
    Some(Outcomes { rows: keep_maximal(rows), at_the_end: keep_maximal(at_the_end) })
}

/// Keeps the rows that are not contained in others, each once.
fn keep_maximal(mut rows: Vec<Vec<Cell>>) -> Vec<Vec<Cell>> {
    rows.sort_unstable();
    rows.dedup();
    let within = |row: &[Cell], other: &[Cell]| {
        let mut cells = row.iter().zip(other);
        row != other
            && cells.all(|(one, other)| {
                one.passes == other.passes && one.outcomes.is_within(other.outcomes)
            })
    };
    let most = rows.iter().filter(|row| !rows.iter().any(|other| within(row, other)));
    most.cloned().collect()
}

impl<'l> Attribute<'l> {
    fn limits(&self) -> impl Iterator<Item = &'l Limit> {
        [self.bounds.0, self.bounds.1].into_iter().chain(self.fixed.iter().copied())
    }

    /// Returns the outcomes that are possible on one day or another.
    fn on_any_day(&self) -> Overlap {
        let (before, after) = self.bounds;
        if before == after { Overlap::NEITHER | Overlap::BOTH } else { Overlap::ALL }
    }

    /// Returns the outcomes possible on a day.
    fn cells(&self, today: Option<Date>) -> Vec<Cell> {
        let mut cells: Vec<Cell> = Vec::new();
        let mut attempt = |value: Option<Value<'_>>| {
            let (before, after) = self.bounds;
            let outcome = Overlap::of(before.passes(value, today), after.passes(value, today));
            let passes = self.fixed.iter().map(|limit| limit.passes(value, today)).collect();
            match cells.iter_mut().find(|cell| cell.passes == passes) {
                Some(cell) => cell.outcomes = cell.outcomes | outcome,
                None => cells.push(Cell { passes, outcomes: outcome }),
            }
        };
        attempt(None);
        for limit in self.limits() {
            match limit {
                Limit::Nothing | Limit::Any => {}
                Limit::OneOf(texts) => {
                    texts.iter().for_each(|text| attempt(Some(Value::Text(text))));
                }
                Limit::AtMost(limit) | Limit::AtLeast(limit) => {
                    let around = [limit.saturating_sub(1), *limit, limit.saturating_add(1)];
                    for integer in around.into_iter().chain([i64::MIN, i64::MAX]) {
                        attempt(Some(Value::Integer(integer)));
                    }
                }
                Limit::NotBefore(fences) | Limit::NotAfter(fences) => {
                    let (first, last) = Date::ENDS;
                    attempt(Some(Value::Date(first)));
                    attempt(Some(Value::Date(last)));
                    for day in fences.iter().filter_map(|&fence| fence_day(fence, today)) {
                        let around = (-1..=1).filter_map(|days| day.plus_days(days));
                        // No object has a date before the first one.
                        for day in around.filter(|day| (first..=last).contains(day)) {
                            attempt(Some(Value::Date(day)));
                        }
                    }
                }
                Limit::Flag(_) | Limit::EitherFlag => {
                    [false, true].iter().for_each(|&flag| attempt(Some(Value::Boolean(flag))));
                }
            }
        }
        cells
    }
}

/// Returns the fences of all limits on an attribute, each once.
fn fences_of(attribute: &Attribute<'_>) -> Vec<Fence> {
    let mut all: Vec<Fence> = Vec::new();
    for limit in attribute.limits() {
        if let Limit::NotBefore(fences) | Limit::NotAfter(fences) = limit {
            all.extend(fences);
        }
    }
    let mut seen = HashSet::<Fence>::default();
    all.retain(|fence| seen.insert(*fence));
    all
}

/// Returns representatives of some days, or else of all, for the fences of these
/// attributes; first, the case that today is not given.
fn days(attributes: &[Vec<Fence>], on: Option<&Days>) -> Vec<Option<Date>> {
    let (first, last) = (0, Date::ENDS.1.days());
    // Between two turning points only the weekday makes a difference, and within
    // a week of one everything may.
    const AROUND: i64 = 9;
    let mut turns = Vec::new();
    for fences in attributes {
        let fixed = fences.iter().filter_map(|fence| match fence {
            Fence::Date(date) => Some(date.days()),
            _ => None,
        });
        // Besides fixed dates, where the calendar ends.
        let ends = [first, last.saturating_add(1), Date::first_fence_day()];
        let fixed: Vec<i64> = fixed.chain(ends).collect();
        for fence in fences {
            let (Fence::PlusDays(days) | Fence::Next { plus_days: days, .. }) = fence else {
                continue;
            };
            turns.extend(fixed.iter().map(|day| day.saturating_sub(*days)));
        }
    }
    if turns.is_empty() {
        return vec![None];
    }
    turns.extend([first, last]);
    turns.extend(on.into_iter().flat_map(Days::ends));
    let around = |turn: i64| turn.saturating_sub(AROUND)..=turn.saturating_add(AROUND);
    let days = turns.into_iter().flat_map(around);
    let mut days: Vec<i64> = days.filter(|day| (first..=last).contains(day)).collect();
    days.retain(|&day| on.is_none_or(|on| on.contains(day)));
    days.sort_unstable();
    days.dedup();
    let dates = days.into_iter().map(|day| Date::ENDS.0.plus_days(day));
    let without = on.is_none_or(|on| on.with_unknown).then_some(None);
    without.into_iter().chain(dates.flatten().map(Some)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::date::Weekday;

    const NEITHER: Overlap = Overlap::NEITHER;
    const AFTER: Overlap = Overlap::AFTER;
    const BEFORE: Overlap = Overlap::BEFORE;
    const BOTH: Overlap = Overlap::BOTH;

    fn compared(limits: &[(&Limit, &Limit)]) -> [Vec<Vec<Overlap>>; 2] {
        let attributes = limits.iter().map(|&bounds| Attribute { bounds, fixed: Vec::new() });
        let Outcomes { rows, at_the_end } =
            outcomes(&attributes.collect::<Vec<_>>(), None).unwrap();
        [rows, at_the_end].map(|rows| {
            let outcomes = |row: Vec<Cell>| row.into_iter().map(|cell| cell.outcomes).collect();
            rows.into_iter().map(outcomes).collect()
        })
    }

    fn one(before: &Limit, after: &Limit) -> Vec<Overlap> {
        compared(&[(before, after)])[0].concat()
    }

    fn texts(texts: &[&str]) -> Limit {
        Limit::OneOf(texts.iter().map(|&text| text.into()).collect())
    }

    fn date(text: &str) -> Fence {
        Fence::Date(text.parse().unwrap())
    }

    #[test]
    fn limits_compare_as_sets_of_values() {
        let same = NEITHER | BOTH;
        assert_eq!(one(&texts(&["a", "b"]), &texts(&["a"])), [same | BEFORE]);
        assert_eq!(one(&texts(&["a"]), &texts(&["b"])), [NEITHER | BEFORE | AFTER]);
        assert_eq!(one(&texts(&[]), &Limit::Nothing), [NEITHER]);
        assert_eq!(one(&Limit::AtMost(3), &Limit::AtMost(i64::MAX)), [same | AFTER]);
        assert_eq!(one(&Limit::AtLeast(i64::MIN), &Limit::AtLeast(i64::MIN)), [same]);
        assert_eq!(one(&Limit::Any, &Limit::AtMost(i64::MAX)), [BEFORE | BOTH]);
        assert_eq!(one(&Limit::Any, &Limit::Any), [BOTH]);
    }

    #[test]
    fn fences_compare_on_every_day() {
        let soon = |days| Limit::NotBefore(vec![Fence::PlusDays(days)]);
        assert_eq!(one(&soon(3), &soon(3)), [NEITHER | BOTH]);
        assert_eq!(one(&soon(3), &soon(2)), [NEITHER | AFTER | BOTH]);
        // A date is overtaken.
        let fixed = Limit::NotBefore(vec![date("2026-11-21")]);
        let rows = one(&soon(3), &fixed);
        assert_eq!(rows, [NEITHER | AFTER | BOTH, NEITHER | BEFORE | BOTH]);
        // The next Friday is within a week, and never today.
        let friday = Limit::NotAfter(vec![Fence::Next { weekday: Weekday::Friday, plus_days: 0 }]);
        let after = |days| Limit::NotAfter(vec![Fence::PlusDays(days)]);
        assert_eq!(one(&friday, &after(7)), [NEITHER | AFTER | BOTH]);
        assert_eq!(one(&friday, &after(1)), [NEITHER | BEFORE | BOTH]);
        assert_eq!(one(&friday, &after(4)).len(), 2);
        // But in the last days of the calendar, a week is too long.
        let [_, at_the_end] = compared(&[(&friday, &after(7))]);
        assert!(at_the_end.contains(&vec![NEITHER | BEFORE]));
        // A different order is no difference.
        let (ab, ba) = (
            vec![Fence::PlusDays(1), date("2026-11-21")],
            vec![date("2026-11-21"), Fence::PlusDays(1)],
        );
        assert_eq!(one(&Limit::NotAfter(ab), &Limit::NotAfter(ba)), [NEITHER | BOTH]);
        // Nor is a fence that no day of the calendar resolves to.
        assert_eq!(one(&after(i64::MAX), &Limit::Nothing), [NEITHER]);
        assert_eq!(one(&soon(i64::MIN), &soon(i64::MAX)), [NEITHER]);
        let all = Limit::NotBefore(vec![date("0000-01-01")]);
        let early = Limit::NotBefore(vec![date("0000-01-01"), Fence::PlusDays(-3_652_059)]);
        assert_eq!(one(&all, &early), [NEITHER | BOTH]);
        // Fences that count back reach before the calendar's first year, to an end
        // of their own, which one reaches ten days before the other.
        let [rows, at_the_end] = compared(&[(&soon(-3_700_000), &soon(-3_700_010))]);
        assert_eq!(rows, [[NEITHER | BOTH]]);
        assert_eq!(at_the_end, [[NEITHER | BEFORE]]);
    }

    #[test]
    fn attributes_have_their_days_in_common() {
        let soon = Limit::NotBefore(vec![Fence::PlusDays(0)]);
        let fixed = Limit::NotBefore(vec![date("2026-11-21")]);
        let [rows, _] = compared(&[(&soon, &fixed), (&soon, &fixed)]);
        // On no day is one attribute's fence overtaken and the other's not.
        let (overtaken, not) = (NEITHER | AFTER | BOTH, NEITHER | BEFORE | BOTH);
        assert_eq!(rows, [[overtaken, overtaken], [not, not]]);
    }

    #[test]
    fn fixed_limits_tell_values_apart() {
        let (before, after) = (texts(&["a", "b"]), texts(&["b", "c"]));
        let (first, second) = (texts(&["a", "b"]), texts(&["b", "c"]));
        let attribute = Attribute { bounds: (&before, &after), fixed: vec![&first, &second] };
        let found = outcomes(&[attribute], None).unwrap();
        let cells = found.rows.concat();
        let cells: Vec<_> = cells.iter().map(|cell| (&*cell.passes, cell.outcomes)).collect();
        assert_eq!(
            cells,
            [
                (&[false, false][..], NEITHER),
                (&[false, true], AFTER),
                (&[true, false], BEFORE),
                (&[true, true], BOTH),
            ]
        );
    }
}

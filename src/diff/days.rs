//! The days on which the same assignments hold.

use std::ops::RangeInclusive;

use super::BeforeAfter;
use crate::date::{DAY, Date, Moment};
use crate::names::IndexMap;
use crate::policy::Terms;

/// Days on which the same assignments hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Days {
    /// True if an unknown day is among them.
    pub(super) with_unknown: bool,
    /// Their numbers.
    ranges: Vec<RangeInclusive<i64>>,
}

/// The assignments that hold, by their places in the lists before and after.
pub(super) type Holding = BeforeAfter<Vec<bool>>;

impl Days {
    /// Returns the first and last days of their ranges.
    pub(super) fn ends(&self) -> impl Iterator<Item = i64> {
        self.ranges.iter().flat_map(|days| [*days.start(), *days.end()])
    }

    pub(super) fn contains(&self, day: i64) -> bool {
        self.ranges.iter().any(|days| days.contains(&day))
    }
}

/// Returns all days, told apart by the assignments whose dates hold; `None` if there are
/// too many ways for them to hold.
// Time is cut wherever the dates of an assignment begin or end. Within a piece the same
// ones hold in every second, and so they do on every day that lies within it as a whole.
// A day on which there is a cut may be asked about as a whole, too: then those hold that
// hold throughout. And a day may be unknown.
pub(super) fn days_by_holding(terms: &BeforeAfter<Vec<&Terms>>) -> Option<IndexMap<Holding, Days>> {
    /// More than anybody has.
    const MOST: usize = 64;

    let all = terms.before.iter().chain(&terms.after);
    let begins = all.clone().filter_map(|it| it.from).map(|from| from.seconds().start);
    let mut cuts: Vec<i64> = begins.chain(all.filter_map(|it| it.until).map(Moment::end)).collect();
    let end = Date::ENDS.1.days().saturating_add(1).saturating_mul(DAY);
    cuts.extend([0, end]);
    cuts.sort_unstable();
    cuts.dedup();
    let mut found: IndexMap<Holding, Days> = IndexMap::default();
    if cuts.len() > MOST {
        return None;
    }
    let holding = |holds: &dyn Fn(&Terms) -> bool| {
        let terms = BeforeAfter { before: &terms.before, after: &terms.after };
        terms.map(|terms| terms.iter().map(|it| holds(it)).collect())
    };
    found.entry(holding(&|it| it.hold_on_day(None))).or_default().with_unknown = true;
    for (&start, &end) in cuts.iter().zip(cuts.iter().skip(1)) {
        let days = start.div_euclid(DAY)..=end.saturating_sub(1).div_euclid(DAY);
        found
            .entry(holding(&|it| it.hold_throughout(&(start..end))))
            .or_default()
            .ranges
            .push(days);
        if start.rem_euclid(DAY) != 0 {
            let day = start.div_euclid(DAY);
            let first = day.saturating_mul(DAY);
            let seconds = first..first.saturating_add(DAY);
            let holding = holding(&|it| it.hold_throughout(&seconds));
            found.entry(holding).or_default().ranges.push(day..=day);
        }
    }
    Some(found)
}

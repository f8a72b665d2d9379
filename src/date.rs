//! Civil dates.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::problem::Line;

/// A civil date, without a time or a zone: `2026-11-21`.
///
/// Dates are ordered by the calendar. The engine never reads a clock: the host
/// passes today's date with the question.
///
/// ```
/// use grantree::Date;
///
/// let today: Date = "2026-11-21".parse()?;
/// assert_eq!(today, Date::new(2026, 11, 21).unwrap());
/// assert_eq!(today.to_string(), "2026-11-21");
/// # Ok::<(), grantree::DateError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(jiff::civil::Date);

/// A text that is not a date of the form `YYYY-MM-DD`.
///
/// ```
/// use grantree::Date;
///
/// let error = "21.11.2026".parse::<Date>().unwrap_err();
/// assert_eq!(error.to_string(), "`21.11.2026` is not a date of the form YYYY-MM-DD");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a date of the form YYYY-MM-DD", Line(.0))]
pub struct DateError(String);

impl Date {
    /// Makes the date with that year, month (1 to 12) and day, if the calendar has it.
    ///
    /// Years run from 0 to 9999, as in the text form.
    ///
    /// ```
    /// use grantree::Date;
    ///
    /// assert_eq!(Date::new(2028, 2, 29).unwrap().to_string(), "2028-02-29");
    /// assert_eq!(Date::new(2026, 2, 29), None);
    /// ```
    pub fn new(year: i16, month: i8, day: i8) -> Option<Date> {
        if !(0..=9999).contains(&year) {
            return None;
        }
        jiff::civil::Date::new(year, month, day).ok().map(Date)
    }

    /// Returns the year, from 0 to 9999.
    ///
    /// ```
    /// let date: grantree::Date = "2026-11-21".parse()?;
    /// assert_eq!((date.year(), date.month(), date.day()), (2026, 11, 21));
    /// # Ok::<(), grantree::DateError>(())
    /// ```
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// Returns the month, from 1 to 12.
    pub fn month(self) -> i8 {
        self.0.month()
    }

    /// Returns the day of the month, from 1.
    pub fn day(self) -> i8 {
        self.0.day()
    }

    /// Returns the date that many days later (earlier if negative); `None` if it is
    /// beyond the calendar.
    pub(crate) fn plus_days(self, days: i64) -> Option<Date> {
        let span = jiff::Span::new().try_days(days).ok()?;
        self.0.checked_add(span).ok().map(Date)
    }

    /// Returns the day's number, counted from a fixed day.
    pub(crate) fn days(self) -> i64 {
        Date(jiff::civil::Date::ZERO).days_until(self)
    }

    /// The first and the last date.
    pub(crate) const ENDS: (Date, Date) = (
        Date(jiff::civil::Date::constant(0, 1, 1)),
        Date(jiff::civil::Date::constant(9999, 12, 31)),
    );

    /// Returns the number of the first day that a fence can resolve to. It lies before
    /// the first [`Date`]: fences may count back from there.
    pub(crate) fn first_fence_day() -> i64 {
        Date(jiff::civil::Date::MIN).days()
    }

    /// Returns the number of days to another date; negative if that is earlier.
    pub(crate) fn days_until(self, other: Date) -> i64 {
        self.0.until(other.0).map_or(0, |span| i64::from(span.get_days()))
    }

    /// Returns the first such weekday after this date.
    pub(crate) fn next(self, weekday: Weekday) -> Option<Date> {
        let weekday = match weekday {
            Weekday::Monday => jiff::civil::Weekday::Monday,
            Weekday::Tuesday => jiff::civil::Weekday::Tuesday,
            Weekday::Wednesday => jiff::civil::Weekday::Wednesday,
            Weekday::Thursday => jiff::civil::Weekday::Thursday,
            Weekday::Friday => jiff::civil::Weekday::Friday,
            Weekday::Saturday => jiff::civil::Weekday::Saturday,
            Weekday::Sunday => jiff::civil::Weekday::Sunday,
        };
        self.0.nth_weekday(1, weekday).ok().map(Date)
    }
}

impl FromStr for Date {
    type Err = DateError;

    /// Parses `YYYY-MM-DD` and no other form.
    fn from_str(text: &str) -> Result<Date, DateError> {
        // jiff reads other ISO 8601 forms too, and ignores a time of day.
        let shaped = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        let date = if shaped { text.parse().ok() } else { None };
        date.map(Date).ok_or_else(|| DateError(text.to_owned()))
    }
}

impl TryFrom<String> for Date {
    type Error = DateError;

    fn try_from(text: String) -> Result<Date, DateError> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> String {
        date.to_string()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A day of the week, as a fence names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are enough")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn only_one_form_is_a_date() {
        for text in [
            "",
            "2026-11-21T00:00",
            "20261121",
            "2026-1-2",
            "2026-02-30",
            "+2026-11-2",
            "2026-11-21 ",
            "26-11-2021",
            "2026/11/21",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        assert!("0000-01-01".parse::<Date>().is_ok());
    }

    #[test]
    fn the_next_friday_is_never_today() {
        let friday = date("2026-11-20");
        assert_eq!(friday.next(Weekday::Friday), Some(date("2026-11-27")));
        assert_eq!(date("2026-11-19").next(Weekday::Friday), Some(friday));
    }

    #[test]
    fn days_run_over_the_ends_of_months_and_out_of_the_calendar() {
        assert_eq!(date("2026-12-30").plus_days(3), Some(date("2027-01-02")));
        assert_eq!(date("2026-03-01").plus_days(-1), Some(date("2026-02-28")));
        assert_eq!(date("2026-03-01").plus_days(i64::MAX), None);
        assert_eq!(date("2026-03-01").plus_days(i64::MIN), None);
    }
}

//! Civil dates and times.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "of seconds and days within the calendar, which 64 bits hold many times over"
)]

use std::fmt;
use std::ops::Range;
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

/// A civil date, or a civil date and time, in whatever zone the host keeps to:
/// `2026-11-21`, `2026-11-21T18:00` or `2026-11-21T18:00:30`.
///
/// It is what a question takes for today, and what an assignment's term begins or ends
/// with. A date stands for the whole day.
///
/// ```
/// use grantree::{Date, Moment};
///
/// let now: Moment = "2026-11-21T18:00".parse()?;
/// let date = Date::new(2026, 11, 21).unwrap();
/// assert_eq!(Some(now), date.at(18, 0, 0));
/// assert_eq!((now.date(), now.to_string()), (date, "2026-11-21T18:00".to_owned()));
/// assert_eq!("2026-11-21".parse(), Ok(Moment::from(date)));
/// assert!("2026-11-21T18:00Z".parse::<Moment>().is_err());
/// # Ok::<(), grantree::DateError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment {
    date: Date,
    /// The second of the day; `None` for the whole day.
    second: Option<u32>,
}

/// A text that is not a date of the form `YYYY-MM-DD`, or not a date and time where that
/// would do too.
///
/// ```
/// use grantree::{Date, Moment};
///
/// let error = "21.11.2026".parse::<Date>().unwrap_err();
/// assert_eq!(error.to_string(), "`21.11.2026` is not a date of the form YYYY-MM-DD");
/// let error = "6 pm".parse::<Moment>().unwrap_err();
/// assert_eq!(error.to_string(), "`6 pm` is not a date, YYYY-MM-DD, or a date and time, YYYY-MM-DDTHH:MM");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not {expected}", Line(text))]
pub struct DateError {
    text: String,
    expected: &'static str,
}

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

    /// Returns that time of this day: hours to 23, minutes and seconds to 59.
    ///
    /// ```
    /// let date: grantree::Date = "2026-11-21".parse()?;
    /// assert_eq!(date.at(18, 0, 0), "2026-11-21T18:00".parse().ok());
    /// assert_eq!(date.at(24, 0, 0), None);
    /// # Ok::<(), grantree::DateError>(())
    /// ```
    pub fn at(self, hour: u8, minute: u8, second: u8) -> Option<Moment> {
        let fits = hour < 24 && minute < 60 && second < 60;
        let second = (u32::from(hour) * 60 + u32::from(minute)) * 60 + u32::from(second);
        fits.then_some(Moment { date: self, second: Some(second) })
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
        let expected = "a date of the form YYYY-MM-DD";
        date.map(Date).ok_or_else(|| DateError { text: text.to_owned(), expected })
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

impl Moment {
    /// Returns the date.
    pub fn date(self) -> Date {
        self.date
    }

    /// Returns the moment that many days later; `None` if it is beyond the calendar.
    pub(crate) fn plus_days(self, days: i64) -> Option<Moment> {
        let date =
            self.date.plus_days(days).filter(|date| Date::new(date.year(), 1, 1).is_some())?;
        Some(Moment { date, ..self })
    }

    /// Returns the first second that it stands for, and the first one after it, counted
    /// from a fixed day: of a date those of the whole day, of a time one second.
    pub(crate) fn seconds(self) -> Range<i64> {
        let midnight = self.date.days() * DAY;
        match self.second {
            None => midnight..midnight + DAY,
            Some(second) => {
                let begin = midnight + i64::from(second);
                begin..begin + 1
            }
        }
    }

    /// Returns the second before which a term ends that names it as its end: the next
    /// day's first for a date, itself for a time.
    pub(crate) fn end(self) -> i64 {
        let Range { start, end } = self.seconds();
        if self.second.is_none() { end } else { start }
    }
}

/// The seconds of a day.
pub(crate) const DAY: i64 = 86_400;

impl From<Date> for Moment {
    fn from(date: Date) -> Moment {
        Moment { date, second: None }
    }
}

impl FromStr for Moment {
    type Err = DateError;

    /// Parses `YYYY-MM-DD`, `YYYY-MM-DDTHH:MM` or `YYYY-MM-DDTHH:MM:SS`, and no other
    /// form.
    fn from_str(text: &str) -> Result<Moment, DateError> {
        let moment = match text.split_once('T') {
            None => text.parse().ok().map(|date: Date| date.into()),
            Some((date, time)) => date.parse().ok().and_then(|date: Date| time_of(date, time)),
        };
        let expected = "a date, YYYY-MM-DD, or a date and time, YYYY-MM-DDTHH:MM";
        moment.ok_or_else(|| DateError { text: text.to_owned(), expected })
    }
}

/// Parses `HH:MM` or `HH:MM:SS`.
fn time_of(date: Date, text: &str) -> Option<Moment> {
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse().ok() } else { None }
    };
    let (hour, rest) = text.split_once(':')?;
    let (minute, second) = rest.split_once(':').unwrap_or((rest, "00"));
    date.at(number(hour)?, number(minute)?, number(second)?)
}

impl TryFrom<String> for Moment {
    type Error = DateError;

    fn try_from(text: String) -> Result<Moment, DateError> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> String {
        moment.to_string()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date.fmt(f)?;
        let Some(second) = self.second else { return Ok(()) };
        write!(f, "T{:02}:{:02}", second / 3600, second / 60 % 60)?;
        if second % 60 == 0 { Ok(()) } else { write!(f, ":{:02}", second % 60) }
    }
}

/// A day of the week, as a fence names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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
    fn a_time_has_minutes_and_perhaps_seconds() {
        for text in ["2026-11-21T18:00:30", "2026-11-21T00:00", "9999-12-31T23:59:59"] {
            assert_eq!(text.parse::<Moment>().unwrap().to_string(), text);
        }
        assert_eq!("2026-11-21T18:00:00".parse(), "2026-11-21T18:00".parse::<Moment>());
        for text in [
            "2026-11-21T",
            "2026-11-21T18",
            "2026-11-21T24:00",
            "2026-11-21T18:60",
            "2026-11-21T18:00:60",
            "2026-11-21T18:00:00.5",
            "2026-11-21T18:00:",
            "2026-11-21T18:0",
            "2026-11-21T+1:00",
            "2026-11-21 18:00",
            "2026-11-21t18:00",
            "2026-11-21T18:00Z",
            "T18:00",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_date_is_the_whole_day() {
        let moment = |text: &str| text.parse::<Moment>().unwrap();
        let day = moment("2026-11-21").seconds();
        assert_eq!(
            day,
            moment("2026-11-21T00:00").seconds().start..moment("2026-11-22T00:00").end()
        );
        assert_eq!(moment("2026-11-21").end(), day.end);
        assert!(day.contains(&moment("2026-11-21T23:59:59").seconds().start));
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

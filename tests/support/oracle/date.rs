//! Dates, and dates with a time (the paragraph on fences in section 3).

const DAY: i64 = 86_400;

/// The day of a question, and the span of seconds that it stands for.
#[derive(Clone, Copy)]
pub struct Today {
    /// "Fences look at its date."
    pub day: i64,
    /// The first second of the span.
    pub start: i64,
    /// The second after the span.
    pub end: i64,
}

impl Today {
    /// "It is a date, or a civil date and time, `2026-11-21T18:00` or with seconds. Any
    /// other form of a today is an error."
    pub fn read(text: &str) -> Option<Today> {
        if let Some(day) = day(text) {
            return Some(Today { day, start: day * DAY, end: (day + 1) * DAY });
        }
        let start = moment(text)?;
        Some(Today { day: start.div_euclid(DAY), start, end: start + 1 })
    }
}

/// The first second of a `from`: "a date stands for the whole day".
pub fn start(text: &str) -> Option<i64> {
    day(text).map(|day| day * DAY).or_else(|| moment(text))
}

/// The second after an `until`: "a date stands for the whole day, a time of `until` is
/// itself outside".
pub fn end(text: &str) -> Option<i64> {
    day(text).map(|day| (day + 1) * DAY).or_else(|| moment(text))
}

/// The seconds of a date and time, counted from the first of January of the year 0.
fn moment(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T')?;
    let mut parts = time.split(':');
    let hour = number(parts.next()?, 2)?;
    let minute = number(parts.next()?, 2)?;
    let second = parts.next().map_or(Some(0), |text| number(text, 2))?;
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(day(date)? * DAY + hour * 3600 + minute * 60 + second)
}

/// The days from the first of January of the year 0 to a date, `YYYY-MM-DD`.
pub fn day(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4)?;
    let month = number(parts.next()?, 2)?;
    let day = number(parts.next()?, 2)?;
    if parts.next().is_some() || !(1..=12).contains(&month) {
        return None;
    }
    if !(1..=month_days(year, month)).contains(&day) {
        return None;
    }
    let earlier_years: i64 = (0..year).map(year_days).sum();
    let earlier_months: i64 = (1..month).map(|month| month_days(year, month)).sum();
    Some(earlier_years + earlier_months + day - 1)
}

fn number(text: &str, digits: usize) -> Option<i64> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().expect("digits"))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn year_days(year: i64) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

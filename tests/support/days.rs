//! Days about a day.

use grantree::Date;

/// The dates about a date.
pub fn around(date: Date, from: i64, to: i64) -> Vec<Date> {
    let text = date.to_string();
    let part = |range: std::ops::Range<usize>| text[range].parse::<i64>().expect("a number");
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    let mut dates = Vec::new();
    for days in from..=to {
        let (mut year, mut month, mut day) = (year, month, day + days);
        let length = |year: i64, month: i64| {
            (28..=31).rev().find(|&day| Date::new(year as i16, month as i8, day).is_some())
        };
        while let Some(most) = length(year, month) {
            if day < 1 {
                (year, month) = if month == 1 { (year - 1, 12) } else { (year, month - 1) };
                day += i64::from(length(year, month).unwrap_or(31));
            } else if day > i64::from(most) {
                day -= i64::from(most);
                (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            } else {
                break;
            }
        }
        dates.extend(Date::new(year as i16, month as i8, day as i8));
    }
    dates
}

/// The first and last dates.
pub fn ends() -> [Date; 2] {
    ["0000-01-01", "9999-12-31"].map(|date| date.parse().expect("a date"))
}

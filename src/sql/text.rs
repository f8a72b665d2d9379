//! Conditions as text with values bound in it.

use std::collections::BTreeMap;

use super::{Database, SqlValue};

/// A piece of SQL: text, and values at their places.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sql(pub(super) Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Value(Bound),
}

/// A value that is bound. Those of one number are the same.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bound {
    pub(super) number: usize,
    pub(super) value: SqlValue,
}

impl Sql {
    pub(super) fn text(text: impl Into<String>) -> Sql {
        Sql(vec![Piece::Text(text.into())])
    }

    /// Joins pieces of SQL.
    pub(super) fn of<const N: usize>(parts: [Sql; N]) -> Sql {
        let mut whole = Sql::default();
        parts.into_iter().for_each(|part| whole.push(part));
        whole
    }

    /// A list of them, with a separator in between.
    pub(super) fn list(parts: impl IntoIterator<Item = Sql>, separator: &str) -> Sql {
        let mut whole = Sql::default();
        for (at, part) in parts.into_iter().enumerate() {
            if at > 0 {
                whole.push(separator.into());
            }
            whole.push(part);
        }
        whole
    }

    fn push(&mut self, part: Sql) {
        for piece in part.0 {
            match (self.0.last_mut(), piece) {
                (Some(Piece::Text(text)), Piece::Text(more)) => text.push_str(&more),
                (_, piece) => self.0.push(piece),
            }
        }
    }

    /// Writes it out for a driver, which binds the values in their order.
    pub(super) fn rendered(self, database: Database, first: usize) -> (String, Vec<SqlValue>) {
        let (mut text, mut values, mut places) = (String::new(), Vec::new(), BTreeMap::new());
        for piece in self.0 {
            match piece {
                Piece::Text(more) => text.push_str(&more),
                Piece::Value(Bound { number, value }) if database == Database::Postgres => {
                    let place = *places.entry(number).or_insert_with(|| {
                        values.push(value);
                        values.len().saturating_sub(1)
                    });
                    text.push_str(&format!("${}", first.saturating_add(place)));
                }
                Piece::Value(Bound { value, .. }) => {
                    text.push('?');
                    values.push(value);
                }
            }
        }
        (text, values)
    }
}

impl From<&str> for Sql {
    fn from(text: &str) -> Sql {
        Sql::text(text)
    }
}

/// A condition that is true or false for every row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Constant(bool),
    Test(Sql),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

impl Condition {
    pub(super) fn test<const N: usize>(parts: [Sql; N]) -> Condition {
        Condition::Test(Sql::of(parts))
    }

    pub(super) fn all(parts: Vec<Condition>) -> Condition {
        joined(parts, true, Condition::All)
    }

    pub(super) fn any(parts: Vec<Condition>) -> Condition {
        joined(parts, false, Condition::Any)
    }

    pub(super) fn and(self, other: Condition) -> Condition {
        Condition::all(vec![self, other])
    }

    pub(super) fn not(self) -> Condition {
        match self {
            Condition::Constant(value) => Condition::Constant(!value),
            Condition::Not(inner) => *inner,
            other => Condition::Not(Box::new(other)),
        }
    }

    /// Writes it out, in parentheses if it is made of parts.
    pub(super) fn sql(self) -> Sql {
        match self {
            Condition::Constant(true) => "TRUE".into(),
            Condition::Constant(false) => "FALSE".into(),
            Condition::Test(sql) => sql,
            Condition::Not(inner) => match *inner {
                Condition::Test(sql) => Sql::of(["(NOT (".into(), sql, "))".into()]),
                inner => Sql::of(["(NOT ".into(), inner.sql(), ")".into()]),
            },
            Condition::All(parts) => halved(parts, " AND "),
            Condition::Any(parts) => halved(parts, " OR "),
        }
    }
}

/// `nothing` is the join of no parts, and its opposite settles the whole.
fn joined(
    parts: Vec<Condition>,
    nothing: bool,
    join: fn(Vec<Condition>) -> Condition,
) -> Condition {
    let mut flat = Vec::new();
    for part in parts {
        match (part, nothing) {
            (Condition::Constant(value), _) if value == nothing => {}
            (Condition::Constant(value), _) => return Condition::Constant(value),
            (Condition::All(inner), true) | (Condition::Any(inner), false) => flat.extend(inner),
            (part, _) => flat.push(part),
        }
    }
    match (flat.pop(), flat.is_empty()) {
        (None, _) => Condition::Constant(nothing),
        (Some(only), true) => only,
        (Some(last), false) => {
            flat.push(last);
            join(flat)
        }
    }
}

/// Joins long lists by halves: databases read a chain as nested as deep as it is long, and
/// limit how deep that may be.
fn halved(mut parts: Vec<Condition>, word: &str) -> Sql {
    const LONG: usize = 16;
    let inner = if parts.len() <= LONG {
        Sql::list(parts.into_iter().map(Condition::sql), word)
    } else {
        let rest = parts.split_off(parts.len() / 2);
        Sql::list([halved(parts, word), halved(rest, word)], word)
    };
    Sql::of(["(".into(), inner, ")".into()])
}

/// Quotes an identifier.
pub(super) fn quoted(database: Database, identifier: &str) -> String {
    match database {
        Database::Mysql => format!("`{}`", identifier.replace('`', "``")),
        Database::Sqlite | Database::Postgres => format!("\"{}\"", identifier.replace('"', "\"\"")),
    }
}

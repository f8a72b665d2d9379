//! Tests of one column, in each database's terms.
//!
//! Every condition here is true or false, even for `NULL`. Each has, where an index helps,
//! a part that the database can look up, and a part that decides: a column of another type,
//! or one that takes different texts for the same, must not let more pass. The second part
//! is written so that planners expect it to hold, as it nearly always does.

use std::cell::Cell;

use super::text::{Bound, Condition, Piece, Sql};
use super::{Database, SqlValue};
use crate::date::Date;

/// A column that is asked about, or an expression of the host's.
#[derive(Clone)]
pub(super) struct Column<'c> {
    pub(super) database: Database,
    pub(super) expr: Sql,
    /// Gives numbers to values.
    pub(super) bound: &'c Cell<usize>,
    /// `true` if tests of ids have the part that decides. Without it, more may pass.
    pub(super) decides: bool,
    /// `true` if ids that it is compared with are always those of one user.
    pub(super) of_one: bool,
}

/// The ids of users or groups, all of one form.
pub(super) enum Values {
    Texts(Vec<String>),
    Integers(Vec<i64>),
    /// As texts.
    Uuids(Vec<String>),
    /// Values that the host makes.
    Any(Vec<SqlValue>),
}

impl Values {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Values::Texts(texts) | Values::Uuids(texts) => texts.is_empty(),
            Values::Integers(integers) => integers.is_empty(),
            Values::Any(values) => values.is_empty(),
        }
    }

    /// Returns the only one, as PostgreSQL takes it.
    fn only(&self) -> Option<SqlValue> {
        match self {
            Values::Texts(texts) | Values::Uuids(texts) => match texts.as_slice() {
                [text] if !text.contains('\0') => Some(SqlValue::Text(text.clone())),
                _ => None,
            },
            Values::Integers(integers) => match integers.as_slice() {
                &[integer] => Some(SqlValue::Integer(integer)),
                _ => None,
            },
            Values::Any(_) => None,
        }
    }
}

/// A list that a column may be in, to be read after the column, and after its bytes.
struct List {
    column: Sql,
    bytes: Sql,
}

/// The form of dates in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dates {
    /// In the database's own date type, if it has one.
    Native,
    /// As texts, `YYYY-MM-DD`.
    Text,
}

impl<'c> Column<'c> {
    pub(super) fn new(database: Database, expr: Sql, bound: &'c Cell<usize>) -> Column<'c> {
        Column { database, expr, bound, decides: true, of_one: false }
    }

    pub(super) fn is_null(&self) -> Condition {
        Condition::test([self.expr.clone(), " IS NULL".into()])
    }

    pub(super) fn is_not_null(&self) -> Condition {
        Condition::test([self.expr.clone(), " IS NOT NULL".into()])
    }

    // Ids.

    /// Tests whether it holds an id of that form.
    pub(super) fn names_somebody(&self, ids: &Values) -> Condition {
        match (self.database, ids) {
            // In SQLite, any column holds values of any type.
            (Database::Sqlite, Values::Texts(_) | Values::Uuids(_)) => self.is_of_type("text"),
            (Database::Sqlite, Values::Integers(_)) => self.is_of_type("integer"),
            (Database::Postgres | Database::Mysql, _) | (_, Values::Any(_)) => self.is_not_null(),
        }
    }

    /// Tests whether all its values can be taken to be ids of that form.
    pub(super) fn is_typed(&self, ids: &Values) -> bool {
        self.database != Database::Sqlite || matches!(ids, Values::Any(_))
    }

    /// Tests whether it certainly is one of these ids.
    pub(super) fn is_one_of(&self, ids: &Values) -> Condition {
        if ids.is_empty() {
            return Condition::Constant(false);
        }
        let and_bytes = |column: Condition, bytes: Sql| match (self.decides, self.database) {
            (false, _) => column,
            (true, Database::Postgres) => column.and(expected(self.bytes_equal(bytes))),
            (true, _) => column.and(self.bytes_equal(bytes)),
        };
        let is_listed = match (self.database, ids) {
            // The plain column can use an index, but its collation equates `alice` and `ALICE`,
            // and an integer 0 equals any word. A column of few letters refuses to be
            // compared with others: those that are not in ASCII are compared by bytes alone.
            (Database::Mysql, Values::Texts(texts) | Values::Uuids(texts)) => {
                let (plain, other): (Vec<String>, Vec<String>) =
                    texts.iter().cloned().partition(|text| text.is_ascii());
                let mut parts = Vec::new();
                if !plain.is_empty() {
                    let list = self.list(&Values::Texts(plain));
                    parts.push(and_bytes(self.equals(list.column), list.bytes));
                }
                if !other.is_empty() {
                    parts.push(self.bytes_equal(self.list(&Values::Texts(other)).bytes));
                }
                Condition::any(parts)
            }
            (_, Values::Any(_)) | (Database::Sqlite, Values::Integers(_)) => {
                self.equals(self.list(ids).column)
            }
            // Only the plain column uses an index everywhere, but in its own collation.
            _ => {
                let list = self.list(ids);
                and_bytes(self.equals(list.column), list.bytes)
            }
        };
        self.names_somebody(ids).and(is_listed)
    }

    /// Tests whether it certainly holds an id, and none of these.
    pub(super) fn is_another(&self, ids: &Values) -> Condition {
        let names_somebody = self.names_somebody(ids);
        if ids.is_empty() {
            return names_somebody;
        }
        let list = self.list(ids);
        names_somebody.and(match ids {
            Values::Texts(_) | Values::Uuids(_) => self.bytes_equal(list.bytes).not(),
            // A text that only begins with the number may be the number, for all we know.
            Values::Integers(_) | Values::Any(_) => self.equals(list.column).not(),
        })
    }

    /// Tests whether an array has an element of a list, which an index can look up.
    pub(super) fn overlaps(&self, ids: &Values) -> Condition {
        let array = match ids {
            Values::Texts(texts) => cast(self.texts(texts), "text[]"),
            Values::Integers(integers) => {
                cast(self.bind(SqlValue::Integers(integers.clone())), "bigint[]")
            }
            Values::Uuids(texts) => cast(cast(self.texts(texts), "text[]"), "uuid[]"),
            Values::Any(_) => return Condition::Constant(true),
        };
        let overlaps = Condition::test([self.expr.clone(), " && ".into(), array]);
        self.is_not_null().and(overlaps)
    }

    /// A place for texts, in PostgreSQL, none of whose texts contains a NUL.
    fn texts(&self, texts: &[String]) -> Sql {
        let texts = texts.iter().filter(|text| !text.contains('\0')).cloned();
        self.bind(SqlValue::Texts(texts.collect()))
    }

    /// The ids as a list.
    fn list(&self, ids: &Values) -> List {
        let is_in = |values: Vec<SqlValue>| {
            let values = Sql::list(values.into_iter().map(|value| self.bind(value)), ", ");
            Sql::of([" IN (".into(), values, ")".into()])
        };
        let texts = |texts: &[String]| texts.iter().cloned().map(SqlValue::Text).collect();
        let (column, bytes) = match (self.database, ids) {
            (_, Values::Any(values)) => (is_in(values.clone()), Sql::default()),
            (Database::Postgres, _) => return self.postgres_list(ids),
            (Database::Sqlite, Values::Texts(ids) | Values::Uuids(ids)) => {
                let bytes = ids.iter().map(|id| cast(self.bind(id.as_str().into()), "BLOB"));
                let bytes = Sql::of([" IN (".into(), Sql::list(bytes, ", "), ")".into()]);
                (is_in(texts(ids)), bytes)
            }
            (_, Values::Texts(ids) | Values::Uuids(ids)) => {
                let list = is_in(texts(ids));
                (list.clone(), list)
            }
            (_, Values::Integers(integers)) => {
                let decimal: Vec<String> = integers.iter().map(ToString::to_string).collect();
                let numbers = integers.iter().copied().map(SqlValue::Integer).collect();
                (is_in(numbers), is_in(texts(&decimal)))
            }
        };
        List { column, bytes }
    }

    /// The ids as PostgreSQL gets them: in one array, so that the text of a query is the same
    /// for any number of them; or where there is always one, by itself, so that it plans a
    /// prepared query once and not for each array anew.
    fn postgres_list(&self, ids: &Values) -> List {
        let one = if self.of_one { ids.only() } else { None };
        let (is, close, end) =
            if one.is_some() { (" = ", "", "") } else { (" = ANY (", ")", "[]") };
        let equals = |value: Sql| Sql::of([is.into(), value, close.into()]);
        let as_form = |value: Sql, form: &str| cast(value, &format!("{form}{end}"));
        let bound = match (one, ids) {
            (Some(one), _) => self.bind(one),
            (None, Values::Texts(texts) | Values::Uuids(texts)) => self.texts(texts),
            (None, Values::Integers(integers)) => self.bind(SqlValue::Integers(integers.clone())),
            (None, Values::Any(_)) => Sql::default(),
        };
        let (column, bytes) = match ids {
            Values::Integers(_) => {
                let integers = as_form(bound, "bigint");
                (integers.clone(), as_form(integers, "text"))
            }
            Values::Uuids(_) => {
                let texts = as_form(bound, "text");
                (as_form(texts.clone(), "uuid"), texts)
            }
            Values::Texts(_) | Values::Any(_) => {
                let texts = as_form(bound, "text");
                (texts.clone(), texts)
            }
        };
        List { column: equals(column), bytes: equals(bytes) }
    }

    /// Tests whether it equals one of a list, as the database compares them.
    fn equals(&self, list: Sql) -> Condition {
        Condition::test([self.expr.clone(), list])
    }

    /// The same of its bytes.
    fn bytes_equal(&self, list: Sql) -> Condition {
        Condition::test([self.bytes(), list])
    }

    // Attributes.

    /// Tests whether it is one of some texts.
    pub(super) fn is_text(&self, texts: &[String]) -> Condition {
        let is_listed = self.is_one_of(&Values::Texts(texts.to_vec()));
        match self.database {
            // PostgreSQL compares only texts with texts.
            Database::Sqlite | Database::Postgres => is_listed,
            // Numbers and dates have no character set.
            Database::Mysql => {
                let has_letters = ["CHARSET(".into(), self.expr.clone(), ") <> 'binary'".into()];
                is_listed.and(Condition::test(has_letters))
            }
        }
    }

    /// Tests whether it is an integer within these.
    pub(super) fn is_integer(&self, least: i64, most: i64) -> Condition {
        let test = |operator: &str, value: i64| {
            let value = self.typed(SqlValue::Integer(value), "bigint");
            Condition::test([self.expr.clone(), operator.into(), value])
        };
        let mut parts = vec![self.is_not_null()];
        // An unsigned column of MySQL's holds more than 64 bits have room for.
        if least != i64::MIN {
            parts.push(test(" >= ", least));
        }
        if most != i64::MAX || self.database == Database::Mysql {
            parts.push(test(" <= ", most));
        }
        parts.push(match self.database {
            Database::Sqlite => self.is_of_type("integer"),
            Database::Postgres => self.is_of_types("{smallint,integer,bigint}"),
            // As JSON, texts and dates have quotes, and decimals points. With a decimal added, a
            // float does not show one, and an integer does.
            Database::Mysql => {
                let column = || self.expr.clone();
                let pair = Sql::of([column(), ", ".into(), column(), " + 0.0".into()]);
                Condition::test([json(pair), " REGEXP '^.-*[0-9]+, -*[0-9]+[.]0.$'".into()])
            }
        });
        Condition::all(parts)
    }

    /// Tests whether it is a flag with one of these values. Only PostgreSQL has a type for
    /// flags: elsewhere they are the integers 0 and 1.
    pub(super) fn is_flag(&self, values: &[bool]) -> Condition {
        let list = |form: fn(bool) -> &'static str| {
            let values = values.iter().map(|&value| form(value)).collect::<Vec<_>>();
            Sql::text(format!(" IN ({})", values.join(", ")))
        };
        let words = |value| if value { "TRUE" } else { "FALSE" };
        let digits = |value| if value { "1" } else { "0" };
        let is_listed = |list| Condition::test([self.expr.clone(), list]);
        Condition::all(match self.database {
            Database::Postgres => vec![self.is_not_null(), is_listed(list(words))],
            Database::Sqlite => vec![self.is_of_type("integer"), is_listed(list(digits))],
            // Of the column itself, MySQL would say that it is 1, and then that its JSON is, too,
            // whatever its type is. Comparisons are flags as such.
            Database::Mysql => {
                let json = |value| if value { "'[1]', '[true]'" } else { "'[0]', '[false]'" };
                vec![Condition::test([self::json(self.expr.clone()), list(json)])]
            }
        })
    }

    /// Tests whether it is a date within these.
    ///
    /// Both ends are always tested: databases know dates that are none here,
    /// `infinity`, `0000-00-00` and years not of four digits.
    pub(super) fn is_within(
        &self,
        dates: Dates,
        first: Option<Date>,
        last: Option<Date>,
    ) -> Condition {
        // No database's own date type has a year 0.
        let is_native = dates == Dates::Native && self.database != Database::Sqlite;
        let earliest = if is_native { "0001-01-01" } else { "0000-01-01" };
        let (first, latest) = (first.max(earliest.parse().ok()), "9999-12-31".parse().ok());
        let last = last.or(latest);
        let (Some(first), Some(last)) = (first, last) else {
            return Condition::Constant(false);
        };
        if last < first {
            return Condition::Constant(false);
        }
        let [first, last] = [first, last].map(|date: Date| {
            let text = self.typed(SqlValue::Text(date.to_string()), "text");
            if is_native { cast(text, "date") } else { text }
        });
        let column = self.expr.clone();
        let between = Condition::test([column, " BETWEEN ".into(), first, " AND ".into(), last]);
        Condition::all(match self.database {
            // `date` turns 30 February into 2 March, and any other format that it reads
            // into a different text.
            Database::Sqlite => {
                let date = Sql::of(["date(".into(), self.expr.clone(), ")".into()]);
                let is_date = Condition::test([cast(date, "BLOB"), " IS ".into(), self.bytes()]);
                vec![self.is_of_type("text"), is_date, between]
            }
            Database::Postgres if is_native => {
                vec![self.is_not_null(), between, self.is_of_types("{date}")]
            }
            Database::Postgres => {
                let is_date = expected(is_shaped(self.bytes(), " ~ "));
                vec![self.is_not_null(), between, is_date]
            }
            // The text of a date: that of a time is longer.
            Database::Mysql => {
                let is_date = is_shaped(self.expr.clone(), " REGEXP ");
                vec![self.is_not_null(), is_date, between]
            }
        })
    }

    // Helpers.

    /// A place for a value.
    fn bind(&self, value: SqlValue) -> Sql {
        let number = self.bound.get();
        self.bound.set(number.saturating_add(1));
        Sql(vec![Piece::Value(Bound { number, value })])
    }

    /// A place for a value, in PostgreSQL of a type: it would infer the column's, and refuse,
    /// say, 64 bits for a column of 32.
    fn typed(&self, value: SqlValue, name: &str) -> Sql {
        match self.database {
            Database::Postgres => cast(self.bind(value), name),
            Database::Sqlite | Database::Mysql => self.bind(value),
        }
    }

    /// Tests whether SQLite says that the value is of that type.
    fn is_of_type(&self, name: &str) -> Condition {
        let name = Sql::text(format!(") = '{name}'"));
        Condition::test(["typeof(".into(), self.expr.clone(), name])
    }

    /// Tests whether PostgreSQL says that the column is of one of these types.
    fn is_of_types(&self, names: &str) -> Condition {
        let names = Sql::text(format!(") = ANY (CAST('{names}' AS regtype[]))"));
        expected(Condition::test(["pg_typeof(".into(), self.expr.clone(), names]))
    }

    /// The column as text, compared by bytes under any collation.
    fn bytes(&self) -> Sql {
        let column = self.expr.clone();
        match self.database {
            // With a `COLLATE`, it uses no indexes under `OR`.
            Database::Sqlite => cast(column, "BLOB"),
            // As the driver gets it: in a `char(n)` with its blanks.
            Database::Postgres => Sql::of(["(concat(".into(), column, ") COLLATE \"C\")".into()]),
            // In the connection's encoding, in which the values come.
            Database::Mysql => {
                Sql::of(["CAST(CONVERT(".into(), column, " USING utf8mb4) AS BINARY)".into()])
            }
        }
    }
}

/// MySQL's JSON array of some values, as text.
fn json(values: Sql) -> Sql {
    Sql::of(["CAST(JSON_ARRAY(".into(), values, ") AS CHAR)".into()])
}

/// Tests whether a text is a date, by a regular expression.
fn is_shaped(text: Sql, matches: &str) -> Condition {
    // `$` may also match before a line's end, hence the length.
    let length = Condition::test(["CHAR_LENGTH(".into(), text.clone(), ") = 10".into()]);
    length.and(Condition::test([text, Sql::text(format!("{matches}'{DATE}'"))]))
}

fn cast(value: Sql, name: &str) -> Sql {
    Sql::of(["CAST(".into(), value, Sql::text(format!(" AS {name})"))])
}

/// The same condition, in PostgreSQL, in a form that its planner takes to hold for nearly
/// every row, rather than for one in two hundred.
fn expected(condition: Condition) -> Condition {
    Condition::test(["NULLIF(".into(), condition.sql(), ", FALSE) IS NOT NULL".into()])
}

/// The dates from `0000-01-01` to `9999-12-31`: days to 28 of any month, 29 and 30
/// of all but February, 31 of the long months, and 29 February in leap years.
const DATE: &str = "^([0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])\
    |[0-9]{4}-(0[13-9]|1[0-2])-(29|30)\
    |[0-9]{4}-(0[13578]|1[02])-31\
    |([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)$";

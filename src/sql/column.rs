//! Tests of one column, in each database's terms.
//!
//! Every expression here is true or false, even for `NULL`: a test of a value
//! follows a guard that is false unless the value is of the right type.

use sea_query::{Alias, BinOper, Expr, ExprTrait, Func, Value};

use super::Database;
use crate::date::Date;

/// A column that is asked about.
#[derive(Clone)]
pub(super) struct Column {
    database: Database,
    expr: Expr,
}

/// The form of the values in a column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Integer,
    /// A date of the database's own type.
    Date,
    /// A date as a text, `YYYY-MM-DD`.
    TextDate,
    /// Whatever the host binds.
    Any,
}

impl Column {
    pub(super) fn new(database: Database, table: &str, column: &str) -> Column {
        // Aliases, so that their quotes are doubled: they are the host's texts.
        Column { database, expr: Expr::col((Alias::new(table), Alias::new(column))) }
    }

    /// Tests whether it is `NULL`.
    pub(super) fn is_null(&self) -> Expr {
        self.expr.clone().is_null()
    }

    /// Tests whether it is not `NULL`.
    pub(super) fn is_not_null(&self) -> Expr {
        self.expr.clone().is_not_null()
    }

    /// Tests whether it holds a value of that form.
    pub(super) fn holds(&self, form: Form) -> Expr {
        use Database::{Mysql, Postgres, Sqlite};
        let column = || self.expr.clone();
        match (self.database, form) {
            // In SQLite, any column holds values of any type, and orders all
            // texts after all integers.
            (Sqlite, Form::Text) => self.is_of_type("text"),
            (Sqlite, Form::Integer) => self.is_of_type("integer"),
            (Sqlite, Form::Date | Form::TextDate) => {
                // `date` turns 30 February into 2 March, and any other format
                // that it reads into a different text.
                let date = Expr::from(Func::cust("date").arg(column()));
                self.is_of_type("text").and(date.is(self.bytes()))
            }
            (Postgres, Form::TextDate) => self.is_shaped("~"),
            (Mysql, Form::TextDate) => self.is_shaped("REGEXP"),
            (Postgres | Mysql, _) | (_, Form::Any) => self.is_not_null(),
        }
    }

    /// Tests whether all its values can be taken to be of that form.
    pub(super) fn is_typed(&self, form: Form) -> bool {
        self.database != Database::Sqlite || form == Form::Any
    }

    /// Tests whether it is one of those values, given that it [holds](Column::holds)
    /// one of that form.
    pub(super) fn is_one_of(&self, form: Form, values: &[Value]) -> Expr {
        let list = || values.iter().map(|value| self.bound(form, value.clone()));
        match (self.database, form) {
            (Database::Sqlite, Form::Text) => self.bytes().is_in(list()),
            // The plain column can use an index, but its collation equates
            // `alice` and `ALICE`, and an integer 0 equals any word.
            (Database::Mysql, Form::Text) => {
                self.expr.clone().is_in(list()).and(self.bytes().is_in(list()))
            }
            _ => self.expr.clone().is_in(list()),
        }
    }

    /// Tests whether it is none of those values, given the same.
    pub(super) fn is_none_of(&self, form: Form, values: &[Value]) -> Expr {
        let list = || values.iter().map(|value| self.bound(form, value.clone()));
        match form {
            // In PostgreSQL, `bytes` is the plain column.
            Form::Text => self.bytes().is_not_in(list()),
            _ => self.expr.clone().is_not_in(list()),
        }
    }

    /// Tests whether it is an integer, no greater than this.
    pub(super) fn is_at_most(&self, most: i64) -> Expr {
        let most = self.bound(Form::Integer, most.into());
        self.holds(Form::Integer).and(self.expr.clone().lte(most))
    }

    /// Tests whether it is an integer, no less than this.
    pub(super) fn is_at_least(&self, least: i64) -> Expr {
        let least = self.bound(Form::Integer, least.into());
        self.holds(Form::Integer).and(self.expr.clone().gte(least))
    }

    /// Tests whether it is a flag with one of these values. Only PostgreSQL has a type for
    /// flags: elsewhere they are the integers 0 and 1.
    pub(super) fn is_flag(&self, values: &[bool]) -> Expr {
        let (form, value): (_, fn(bool) -> Value) = match self.database {
            Database::Postgres => (Form::Any, Value::from),
            Database::Sqlite | Database::Mysql => (Form::Integer, |flag| i64::from(flag).into()),
        };
        let values: Vec<Value> = values.iter().map(|&flag| value(flag)).collect();
        self.holds(form).and(self.is_one_of(form, &values))
    }

    /// Tests whether it is a date, within these if they are given.
    ///
    /// Both ends are always tested: databases know dates that are none here,
    /// `infinity`, `0000-00-00` and years not of four digits.
    pub(super) fn is_within(&self, form: Form, first: Option<Date>, last: Option<Date>) -> Expr {
        // No database's own date type has a year 0.
        let earliest = match form {
            Form::Date => "0001-01-01".parse().ok(),
            _ => "0000-01-01".parse().ok(),
        };
        let (first, latest) = (first.max(earliest), "9999-12-31".parse().ok());
        let last = last.or(latest);
        let (Some(first), Some(last)) = (first, last) else {
            return Expr::Constant(false.into());
        };
        if last < first {
            return Expr::Constant(false.into());
        }
        let [first, last] =
            [first, last].map(|date: Date| self.bound(form, date.to_string().into()));
        let column = match self.database {
            Database::Sqlite => self.bytes(),
            Database::Postgres | Database::Mysql => self.expr.clone(),
        };
        self.holds(form).and(column.between(first, last))
    }

    /// A value of that form, cast to the type that it is compared as. PostgreSQL
    /// would infer the column's, and refuse, say, 64 bits for a column of 32.
    fn bound(&self, form: Form, value: Value) -> Expr {
        let value = Expr::Value(value);
        match (self.database, form) {
            (Database::Postgres, Form::Text | Form::TextDate) => value.cast_as("text"),
            (Database::Postgres, Form::Integer) => value.cast_as("bigint"),
            (Database::Postgres, Form::Date) => value.cast_as("text").cast_as("date"),
            (Database::Mysql, Form::Date) => value.cast_as("date"),
            _ => value,
        }
    }

    /// Tests whether SQLite says that the value is of that type.
    fn is_of_type(&self, name: &'static str) -> Expr {
        let type_of = Expr::from(Func::cust("typeof").arg(self.expr.clone()));
        type_of.eq(Expr::Constant(name.into()))
    }

    /// The column, compared by bytes under any collation.
    fn bytes(&self) -> Expr {
        let column = self.expr.clone();
        match self.database {
            Database::Sqlite => {
                column.binary(BinOper::Custom("COLLATE"), Expr::custom_keyword("BINARY"))
            }
            // In the connection's encoding, in which the values come.
            Database::Mysql => {
                let text = column.binary(BinOper::Custom("USING"), Expr::custom_keyword("utf8mb4"));
                Expr::from(Func::cust("CONVERT").arg(text)).cast_as("binary")
            }
            Database::Postgres => column,
        }
    }

    /// Tests whether the text is a date, by a regular expression.
    fn is_shaped(&self, operator: &'static str) -> Expr {
        let pattern = self.bound(Form::Text, DATE.into());
        let length = Expr::from(Func::char_length(self.expr.clone())).eq(Expr::Constant(10.into()));
        // `$` may also match before a line's end, hence the length.
        let matches = self.expr.clone().binary(BinOper::Custom(operator), pattern);
        self.is_not_null().and(length).and(matches)
    }
}

/// The dates from `0000-01-01` to `9999-12-31`: days to 28 of any month, 29 and 30
/// of all but February, 31 of the long months, and 29 February in leap years.
const DATE: &str = "^([0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])\
    |[0-9]{4}-(0[13-9]|1[0-2])-(29|30)\
    |[0-9]{4}-(0[13578]|1[02])-31\
    |([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)$";

//! Filters as conditions of SQL queries.
//!
//! A [`Filter`] describes the objects on which a user may act; where these are rows of
//! a table, the database can pick them. A [`Mapping`] names the columns that a filter
//! needs, and [`Filter::where_clause`] makes a condition and the values to bind in it, for
//! the host's own query and its driver:
//!
//! ```
//! use grantree::sql::{Database, Ids, Mapping};
//! use grantree::{Document, Engine, Policy};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = r#"{
//!     "format": 1,
//!     "catalogue": {
//!         "objects": {"job": {
//!             "relations": {"assignee": "user", "watcher": "user"},
//!             "attributes": {"cost": "at_most"}, "checks": ["cost"]}},
//!         "permissions": [{"key": "edit", "object": "job", "scopes": [
//!             {"key": "own", "when": {"assignee": "me"}},
//!             {"key": "watched", "when": {"watcher": "me"}}]}]
//!     },
//!     "users": {"7": {"allow": ["edit"], "bounds": {"job.cost": 5000}}}
//! }"#;
//! let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
//!
//! // Once, at the start: users are integers here, and watchers in a table of their own.
//! let jobs = Mapping::new(Database::Sqlite, "job", "jobs")
//!     .key(["id"])
//!     .relation("assignee", Ids::column("assignee_id").integers())
//!     .relation("watcher", Ids::join_table("job_watchers", [("job_id", "id")], "user_id").integers())
//!     .attribute("cost", "cost");
//! jobs.check(&engine)?;
//!
//! // For each page.
//! let filter = engine.filter(engine.user("7")?, engine.permission("edit")?, ());
//! let (condition, values) = filter.where_clause(&jobs, 1)?;
//! let query = format!("SELECT * FROM jobs WHERE {condition} ORDER BY id LIMIT 50");
//! assert_eq!(values, [5000.into(), 7.into(), 7.into()]);
//! # assert!(query.contains(r#""jobs"."cost" <= ?"#), "{query}");
//! # Ok(())
//! # }
//! ```
//!
//! [`recipes`] shows the same with several drivers and query builders.
//!
//! # What it promises
//!
//! The condition holds for a row exactly if [`Filter::matches`] holds for the
//! object that the row represents, and so exactly if
//! [`Engine::can`](crate::Engine::can) allows it. That object is of the
//! mapping's kind, and
//!
//! - it carries every relation that is mapped. A column that is `NULL`, or a
//!   join table without rows for it, names nobody: the relation's state is `none`;
//! - it lacks an attribute whose column is `NULL`, and so passes no bound on it;
//! - it passes no bound on an attribute whose column holds a value of another
//!   type, as any column in SQLite can.
//!
//! The condition is true or false for every row, never `NULL`, so that it can be
//! negated and joined with others. Names and values are always bound, never
//! part of the text. (Expressions of the host's are part of it as they are.)
//! Whatever the mapping lacks is an error, not a condition; [`Mapping::check`] finds all
//! of that at the start.
//!
//! # Columns of other types
//!
//! A column that the mapping doesn't expect lets nothing through that `can` denies: it
//! passes nothing, or the database refuses the query.
//!
//! | mapped as | expects | other columns |
//! | --- | --- | --- |
//! | ids that are texts | a text | PostgreSQL and MySQL compare texts as they display them, byte by byte, under any collation: also a `citext`, and PostgreSQL's `char(n)` with its blanks. In SQLite, a value of another type names nobody for sure: it is neither `me` nor `other` nor `none` |
//! | `one_of` | a text | the same texts; MySQL's binary strings, and numbers, pass nothing. PostgreSQL refuses enums: cast them |
//! | [integers](Ids::integers) | an integer | PostgreSQL refuses texts. In MySQL, a text that only begins with the number is no `me`, nor an `other` |
//! | [UUIDs](Ids::uuids) | `uuid`, or outside of PostgreSQL a text | PostgreSQL refuses texts |
//! | `at_most`, `at_least` | an integer | decimals, floats, texts, and unsigned integers beyond 64 bits pass nothing; PostgreSQL refuses texts |
//! | dates | a `DATE`; in SQLite, or with [`Mapping::text_date`], the text `YYYY-MM-DD` | times pass nothing, at midnight either; nor does a date that the calendar lacks, which MySQL may hold |
//! | `flag` | a `BOOLEAN`, which in SQLite and MySQL is the integer 0 or 1 | PostgreSQL refuses others; in MySQL, `BIT` passes nothing |
//!
//! [`Mapping::attribute_expr`] turns a column into what is expected.
//!
//! # What it costs
//!
//! A condition takes microseconds, and longer the larger the filter. It binds
//! a value for each user, group and text, and some of them several times. To PostgreSQL, all
//! groups go as one array, so that the text of a query is the same for all users of the same
//! rights; the user's own id goes by itself, so that a prepared query of nothing else is
//! planned once. A filter that binds more than databases accept, or nests deeper, is
//! [`ConditionError::TooLarge`].
//!
//! An index on a mapped column helps: on a column of ids, on the ids of a join table and on
//! the columns that it is joined on, on an attribute. Where one of several tests must hold,
//! PostgreSQL and MySQL need the table's [key](Mapping::key) to use them: the
//! condition then also says that the key is among those which the indexes find. Join
//! such a condition to others by `AND`: under `OR` or `NOT`, it is better to
//! leave the key out.
//!
//! In MySQL, names that are not in ASCII are compared without an index, since a column of
//! another character set would refuse the query.

mod check;
mod column;
mod condition;
mod join;
mod mapping;
mod narrow;
pub mod recipes;
#[cfg(feature = "sea-query")]
mod sea;
mod text;

#[cfg(feature = "sea-query")]
pub use sea_query;

use crate::filter::Filter;
use crate::problem::Line;
pub use check::{MappingProblem, MappingProblems};
pub use mapping::{Ids, Mapping, Table};

/// The database that a condition is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Database {
    /// SQLite.
    Sqlite,
    /// PostgreSQL, with the encoding UTF-8.
    Postgres,
    /// MariaDB, or MySQL.
    Mysql,
}

/// A value to be bound in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlValue {
    /// A text.
    Text(String),
    /// An integer.
    Integer(i64),
    /// Bytes, which only a host's [function](Ids::values) makes.
    Bytes(Vec<u8>),
    /// Texts, as an array. Only PostgreSQL gets it.
    Texts(Vec<String>),
    /// Integers, as an array. Only PostgreSQL gets it.
    Integers(Vec<i64>),
}

impl From<&str> for SqlValue {
    fn from(text: &str) -> SqlValue {
        SqlValue::Text(text.to_owned())
    }
}

impl From<i64> for SqlValue {
    fn from(integer: i64) -> SqlValue {
        SqlValue::Integer(integer)
    }
}

/// An error that keeps a filter from becoming a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConditionError {
    /// The mapping lacks a relation.
    #[error("the mapping of `{kind}` lacks relation `{relation}`")]
    NoRelation {
        /// The mapping's kind of object.
        kind: String,
        /// The relation.
        relation: String,
    },
    /// The mapping lacks an attribute.
    #[error("the mapping of `{kind}` lacks attribute `{attribute}`")]
    NoAttribute {
        /// The mapping's kind of object.
        kind: String,
        /// The attribute.
        attribute: String,
    },
    /// The mapping gives a user or group no id.
    #[error(
        "`{}` is not an id that relation `{relation}` of `{kind}` can have in the database",
        Line(name)
    )]
    NoId {
        /// The mapping's kind of object.
        kind: String,
        /// The relation.
        relation: String,
        /// The policy's name for the user or group.
        name: String,
    },
    /// The filter is for objects of another kind than the mapping's.
    #[error("the filter is for objects of kind `{kind}`, and the mapping for `{mapped}`")]
    OtherKind {
        /// The filter's kind of object.
        kind: String,
        /// The mapping's kind of object.
        mapped: String,
    },
    /// Only PostgreSQL has arrays.
    #[error(
        "the mapping of `{kind}` has an array for relation `{relation}`, outside of PostgreSQL"
    )]
    NoArray {
        /// The mapping's kind of object.
        kind: String,
        /// The relation.
        relation: String,
    },
    /// A join table is joined on no column.
    #[error("the mapping of `{kind}` joins relation `{relation}` on no column")]
    NoJoin {
        /// The mapping's kind of object.
        kind: String,
        /// The relation.
        relation: String,
    },
    /// Written out with its [definitions](Filter::definitions), the filter is
    /// larger than databases accept, or binds more values. (An array is one.)
    #[error("the filter is too large for an SQL condition")]
    TooLarge,
}

impl Filter {
    /// Returns a condition for a query's `WHERE`, and the values to bind in it: it holds for
    /// exactly the rows of a table that the filter matches, in the
    /// [precise sense](self#what-it-promises) of the module.
    ///
    /// For PostgreSQL, its first placeholder has that number: `$3`, say, where the host's own
    /// query has two before it. For the other databases each is `?`, and the values are bound
    /// in their order, wherever the condition stands in the query.
    ///
    /// If every object matches, it is `TRUE`; if none does, `FALSE`. It can be joined by `AND`
    /// and `OR` without parentheses. Columns are qualified by their table.
    ///
    /// # Errors
    ///
    /// If the mapping lacks a relation or attribute that the filter asks for,
    /// an id for a user or group, or a column to join on; where the filter is for
    /// objects of another kind; and where it is too large.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// use grantree::sql::{ConditionError, Database, Ids, Mapping, SqlValue};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"assignee": "user", "team": "group"}}},
    /// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
    /// #             {"key": "team", "when": {"team": ["me", "none"]}}]}]
    /// #     },
    /// #     "groups": {"leeds": {"parent": "uk"}},
    /// #     "users": {"bob": {"allow": ["edit"], "groups": ["uk"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let filter = engine.filter(engine.user("bob")?, engine.permission("edit")?, ());
    /// assert_eq!(filter.to_string(), "every job where team is one of me, none");
    ///
    /// let jobs = Mapping::new(Database::Sqlite, "job", "jobs").key(["id"]);
    /// let lacking = filter.where_clause(&jobs, 1).unwrap_err();
    /// assert_eq!(lacking.to_string(), "the mapping of `job` lacks relation `team`");
    ///
    /// let jobs = jobs.relation("team", Ids::column("team"));
    /// let (condition, values) = filter.where_clause(&jobs, 1)?;
    /// assert_eq!(
    ///     format!("SELECT id FROM jobs WHERE {condition} LIMIT 50"),
    ///     r#"SELECT id FROM jobs WHERE ((typeof("jobs"."team") = 'text' AND "jobs"."team" IN (?, ?) AND CAST("jobs"."team" AS BLOB) IN (CAST(? AS BLOB), CAST(? AS BLOB))) OR "jobs"."team" IS NULL) LIMIT 50"#,
    /// );
    /// // Bob's group, the UK, and Leeds below it.
    /// assert_eq!(values, ["leeds", "uk", "leeds", "uk"].map(SqlValue::from));
    /// # Ok(())
    /// # }
    /// ```
    pub fn where_clause(
        &self,
        mapping: &Mapping,
        first_placeholder: usize,
    ) -> Result<(String, Vec<SqlValue>), ConditionError> {
        let (condition, values) =
            condition::of(self, mapping)?.rendered(mapping.database, first_placeholder);
        condition::check_bound(values.len(), mapping.database)?;
        Ok((condition, values))
    }
}

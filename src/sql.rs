//! Filters as conditions of SQL queries.
//!
//! A [`Filter`] describes the objects on which a user may act; where these are rows of
//! a table, the database can pick them. A [`Mapping`] names the columns that a filter
//! needs, and [`Filter::condition`] makes a condition for the query builder
//! [`sea_query`], to be used in the host's own query:
//!
//! ```
//! use grantree::sql::sea_query::{Alias, Asterisk, Query, SqliteQueryBuilder};
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
//!     .relation("assignee", Ids::column("assignee_id").integers())
//!     .relation("watcher", Ids::join_table("job_watchers", [("job_id", "id")], "user_id").integers())
//!     .attribute("cost", "cost");
//!
//! // For each page.
//! let filter = engine.filter(engine.user("7")?, engine.permission("edit")?, ());
//! let (sql, values) = Query::select()
//!     .column(Asterisk)
//!     .from(Alias::new("jobs"))
//!     .and_where(filter.condition(&jobs)?)
//!     .limit(50)
//!     .build(SqliteQueryBuilder);
//! assert_eq!(values.iter().count(), 4); // 5000, 7, 7 and the limit
//! # assert!(!sql.contains("5000") && sql.contains(r#""jobs"."cost" <= ?"#), "{sql}");
//! # Ok(())
//! # }
//! ```
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
//! part of the text (build the query with `build`; sea-query's `to_string`
//! writes values out). Whatever the mapping lacks is an error, not a condition.
//!
//! # What it relies on
//!
//! - That ids are of the mapped type: a text column by default, one of integers
//!   with [`Ids::integers`]. In SQLite, where values have types and columns do
//!   not, an id of another type identifies nobody, and matches neither `me` nor
//!   `other` nor `none`. The other databases compare as their types require.
//! - That an attribute's column has the attribute's type: texts for `one_of`,
//!   integers for `at_most` and `at_least`, for dates a `DATE`, or the text
//!   `YYYY-MM-DD` in SQLite and with [`Mapping::text_date`], and for `flag` a `BOOLEAN`,
//!   which in SQLite and MySQL is the integer 0 or 1.
//! - That texts are equal only if their bytes are. SQLite and MySQL are made to
//!   compare so, whatever collation the column has; in PostgreSQL, columns of a
//!   nondeterministic collation should not be mapped.
//!
//! # What it costs
//!
//! A condition takes microseconds, and longer the larger the filter. It binds
//! one value for each user, group and text (two for MySQL); databases accept
//! some thousands in one query. An index on a mapped column helps: on a column
//! of ids, on the ids of a join table, on an attribute.

mod column;
mod condition;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use sea_query;
use sea_query::{Expr, Value};

use crate::filter::Filter;
use crate::problem::Line;

/// The database that a condition is for.
///
/// Build the query with the query builder of the same database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Database {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MySQL, or MariaDB.
    Mysql,
}

/// The columns that hold the relations and attributes of objects of one kind.
///
/// Make it once for each table that filters are used on. It may contain more
/// than a filter asks for; what it lacks is an error when a filter asks for it.
#[derive(Clone, Debug)]
pub struct Mapping {
    database: Database,
    kind: String,
    table: String,
    relations: BTreeMap<String, Ids>,
    attributes: BTreeMap<String, Attribute>,
}

/// The column of an attribute.
#[derive(Clone, Debug)]
struct Attribute {
    column: String,
    dates: Dates,
}

#[derive(Clone, Copy, Debug)]
enum Dates {
    /// In the database's own date type, if it has one.
    Native,
    Text,
}

impl Mapping {
    /// Starts the mapping of a table whose rows are objects of that kind.
    ///
    /// Name the table as the host's query does: by its alias, if it has one.
    pub fn new(database: Database, kind: impl Into<String>, table: impl Into<String>) -> Mapping {
        Mapping {
            database,
            kind: kind.into(),
            table: table.into(),
            relations: BTreeMap::new(),
            attributes: BTreeMap::new(),
        }
    }

    /// Maps a relation to the ids that it names, in place of any earlier mapping of it.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"assignee": "user"}}},
    /// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
    /// #             {"key": "own", "when": {"assignee": "me"}}]}]},
    /// #     "users": {"7": {"allow": ["edit"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::sql::{ConditionError, Database, Ids, Mapping};
    ///
    /// let filter = engine.filter(engine.user("7")?, engine.permission("edit")?, ());
    /// let jobs = Mapping::new(Database::Postgres, "job", "jobs");
    /// assert!(matches!(filter.condition(&jobs), Err(ConditionError::NoRelation { .. })));
    /// let jobs = jobs.relation("assignee", Ids::column("assignee_id").integers());
    /// assert!(filter.condition(&jobs).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn relation(mut self, relation: impl Into<String>, ids: Ids) -> Mapping {
        self.relations.insert(relation.into(), ids);
        self
    }

    /// Maps an attribute to its column, in place of any earlier mapping of it.
    #[must_use]
    pub fn attribute(mut self, attribute: impl Into<String>, column: impl Into<String>) -> Mapping {
        let column = Attribute { column: column.into(), dates: Dates::Native };
        self.attributes.insert(attribute.into(), column);
        self
    }

    /// Maps a date attribute to a column of texts, `YYYY-MM-DD`. In SQLite, which
    /// has no date type, [`Mapping::attribute`] does the same.
    ///
    /// A text that is no date passes no bound. In PostgreSQL and MySQL, a regular
    /// expression tests for that.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"attributes": {"starts": "not_before"}, "checks": ["starts"]}},
    /// #         "permissions": [{"key": "book", "object": "job"}]},
    /// #     "users": {"bob": {"allow": ["book"], "bounds": {"job.starts": {"date": "2026-11-21"}}}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::sql::sea_query::{Alias, PostgresQueryBuilder, Query};
    /// use grantree::sql::{Database, Mapping};
    ///
    /// let jobs = Mapping::new(Database::Postgres, "job", "jobs").text_date("starts", "starts_on");
    /// let filter = engine.filter(engine.user("bob")?, engine.permission("book")?, ());
    /// let (sql, values) = Query::select()
    ///     .column(Alias::new("id"))
    ///     .from(Alias::new("jobs"))
    ///     .and_where(filter.condition(&jobs)?)
    ///     .build(PostgresQueryBuilder);
    /// assert!(sql.contains(r#""jobs"."starts_on""#));
    /// assert!(values.iter().any(|value| *value == "2026-11-21".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn text_date(mut self, attribute: impl Into<String>, column: impl Into<String>) -> Mapping {
        let column = Attribute { column: column.into(), dates: Dates::Text };
        self.attributes.insert(attribute.into(), column);
        self
    }
}

/// The place of the ids that a relation names, and their form in the database.
#[derive(Clone)]
pub struct Ids {
    place: Place,
    values: Values,
}

#[derive(Clone, Debug)]
enum Place {
    Column(String),
    JoinTable { table: String, on: Vec<(String, String)>, column: String },
}

/// The way in which a name becomes an id.
#[derive(Clone)]
enum Values {
    Text,
    Integer,
    By(Arc<MakeValue>),
}

type MakeValue = dyn Fn(&str) -> Option<Value> + Send + Sync;

impl Ids {
    /// Takes ids from a column of the table itself: one id, or `NULL` for nobody.
    pub fn column(column: impl Into<String>) -> Ids {
        Ids { place: Place::Column(column.into()), values: Values::Text }
    }

    /// Takes ids from a column of a join table, whose rows belong to an object if the columns
    /// in each pair are equal: one of the join table, one of the object's table.
    ///
    /// Give all columns of a composite key: if `id` is unique only within a
    /// tenant, `[("job_id", "id"), ("tenant", "tenant")]`. No column at all is an
    /// error when a filter asks for the relation. Rows with a `NULL` in any of
    /// these columns, or as the id, are ignored. A table that keeps several
    /// relations can be mapped through a view for each.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"watcher": "user"}}},
    /// #         "permissions": [{"key": "view", "object": "job", "scopes": [
    /// #             {"key": "watched", "when": {"watcher": "me"}}]}]},
    /// #     "users": {"bob": {"allow": ["view"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::sql::sea_query::{Alias, Query, SqliteQueryBuilder};
    /// use grantree::sql::{Database, Ids, Mapping};
    ///
    /// let on = [("job_id", "id"), ("tenant", "tenant")];
    /// let jobs = Mapping::new(Database::Sqlite, "job", "jobs")
    ///     .relation("watcher", Ids::join_table("job_watchers", on, "login"));
    /// let condition = engine.filter(engine.user("bob")?, engine.permission("view")?, ()).condition(&jobs)?;
    /// let (sql, _) =
    ///     Query::select().column(Alias::new("id")).and_where(condition).build(SqliteQueryBuilder);
    /// assert!(sql.contains(r#"("jobs"."id", "jobs"."tenant") IN (SELECT "related"."job_id""#), "{sql}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join_table<T: Into<String>, O: Into<String>>(
        table: impl Into<String>,
        on: impl IntoIterator<Item = (T, O)>,
        column: impl Into<String>,
    ) -> Ids {
        let on = on.into_iter().map(|(theirs, own)| (theirs.into(), own.into())).collect();
        let (table, column) = (table.into(), column.into());
        Ids { place: Place::JoinTable { table, on, column }, values: Values::Text }
    }

    /// Declares that ids are integers, and the policy's names their decimal forms. Any
    /// other name (`alice`, `007`) is an error when a filter asks for it.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"assignee": "user"}}},
    /// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
    /// #             {"key": "own", "when": {"assignee": "me"}}]}]},
    /// #     "users": {"7": {"allow": ["edit"]}, "bob": {"allow": ["edit"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::sql::{ConditionError, Database, Ids, Mapping};
    ///
    /// let jobs = Mapping::new(Database::Sqlite, "job", "jobs")
    ///     .relation("assignee", Ids::column("assignee_id").integers());
    /// assert!(engine.filter(engine.user("7")?, engine.permission("edit")?, ()).condition(&jobs).is_ok());
    /// let bob = engine.filter(engine.user("bob")?, engine.permission("edit")?, ());
    /// assert!(matches!(bob.condition(&jobs), Err(ConditionError::NoId { name, .. }) if name == "bob"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn integers(mut self) -> Ids {
        self.values = Values::Integer;
        self
    }

    /// Maps the policy's names to ids with a function: to UUIDs, say, or values of a
    /// host's map. `None`, or a value that is `NULL`, is an error
    /// when a filter asks for that name.
    ///
    /// Different names must give different ids. If the values are all texts, or
    /// all 64-bit integers, they are compared as such; others are compared as the
    /// database compares them.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"assignee": "user"}}},
    /// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
    /// #             {"key": "own", "when": {"assignee": "me"}}]}]},
    /// #     "users": {"bob": {"allow": ["edit"]}, "eve": {"allow": ["edit"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::sql::{Database, Ids, Mapping};
    /// use std::collections::HashMap;
    ///
    /// let rows = HashMap::from([("bob", 8_i64)]);
    /// let assignee = Ids::column("assignee_id").values(move |name| Some((*rows.get(name)?).into()));
    /// let jobs = Mapping::new(Database::Sqlite, "job", "jobs").relation("assignee", assignee);
    /// assert!(engine.filter(engine.user("bob")?, engine.permission("edit")?, ()).condition(&jobs).is_ok());
    /// let error = engine.filter(engine.user("eve")?, engine.permission("edit")?, ()).condition(&jobs).unwrap_err();
    /// assert_eq!(error.to_string(), "no id for `eve`, which relation `assignee` of `job` may name");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn values(mut self, value: impl Fn(&str) -> Option<Value> + Send + Sync + 'static) -> Ids {
        self.values = Values::By(Arc::new(value));
        self
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ids").field("place", &self.place).finish_non_exhaustive()
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
    #[error("no id for `{}`, which relation `{relation}` of `{kind}` may name", Line(name))]
    NoId {
        /// The mapping's kind of object.
        kind: String,
        /// The relation.
        relation: String,
        /// The policy's name for the user or group.
        name: String,
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
    /// larger than databases accept.
    #[error("the filter is too large for an SQL condition")]
    TooLarge,
}

impl Filter {
    /// Returns the condition that holds for exactly the rows of a table that the filter
    /// matches, in the [precise sense](self#what-it-promises) of the module.
    ///
    /// If every object matches, it is `TRUE`; if none does, or the filter
    /// is for objects of another kind than the mapping's, `FALSE`. Columns are
    /// qualified by their table.
    ///
    /// # Errors
    ///
    /// If the mapping lacks a relation or attribute that the filter asks for,
    /// an id for a user or group, or a column to join on; and where the filter is
    /// too large.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// use grantree::sql::sea_query::{Alias, MysqlQueryBuilder, PostgresQueryBuilder, Query};
    /// use grantree::sql::{ConditionError, Database, Ids, Mapping};
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
    /// let jobs = Mapping::new(Database::Postgres, "job", "jobs");
    /// let lacking = filter.condition(&jobs).unwrap_err();
    /// assert_eq!(lacking.to_string(), "the mapping of `job` lacks relation `team`");
    ///
    /// let jobs = jobs.relation("team", Ids::column("team"));
    /// let (sql, values) = Query::select()
    ///     .column(Alias::new("id"))
    ///     .from(Alias::new("jobs"))
    ///     .and_where(filter.condition(&jobs)?)
    ///     .build(PostgresQueryBuilder);
    /// assert_eq!(
    ///     sql,
    ///     r#"SELECT "id" FROM "jobs" WHERE ("jobs"."team" IS NOT NULL AND "jobs"."team" IN (CAST($1 AS text), CAST($2 AS text))) OR "jobs"."team" IS NULL"#,
    /// );
    /// // Bob's group, the UK, and Leeds below it.
    /// assert_eq!(values.0, ["leeds".into(), "uk".into()]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn condition(&self, mapping: &Mapping) -> Result<Expr, ConditionError> {
        condition::of(self, mapping)
    }
}

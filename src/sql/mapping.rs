//! The places of relations and attributes in a database.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::column::Dates;
use super::text::{Sql, quoted};
use super::{Database, SqlValue};

/// The columns that hold the relations and attributes of objects of one kind.
///
/// Make it once for each table that filters are used on, and
/// [check](Mapping::check) it at the start. It may contain more than a filter
/// asks for; what it lacks is an error when a filter asks for it.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub(super) database: Database,
    pub(super) kind: String,
    pub(super) table: Table,
    pub(super) alias: Option<String>,
    pub(super) key: Vec<String>,
    pub(super) relations: BTreeMap<String, Ids>,
    pub(super) attributes: BTreeMap<String, Attribute>,
}

/// The name of a table, in a schema if it needs one: `"jobs"`, or `("crm", "jobs")`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    schema: Option<String>,
    pub(super) name: String,
}

impl From<&str> for Table {
    fn from(name: &str) -> Table {
        name.to_owned().into()
    }
}

impl From<&String> for Table {
    fn from(name: &String) -> Table {
        name.clone().into()
    }
}

impl From<String> for Table {
    fn from(name: String) -> Table {
        Table { schema: None, name }
    }
}

impl<S: Into<String>, N: Into<String>> From<(S, N)> for Table {
    fn from((schema, name): (S, N)) -> Table {
        Table { schema: Some(schema.into()), name: name.into() }
    }
}

impl Table {
    pub(super) fn quoted(&self, database: Database) -> String {
        let name = quoted(database, &self.name);
        match &self.schema {
            Some(schema) => format!("{}.{name}", quoted(database, schema)),
            None => name,
        }
    }
}

/// A column, or an expression of the host's.
#[derive(Clone, Debug)]
pub(super) enum Term {
    Column(String),
    Expression(String),
}

impl Term {
    /// Returns it for a row, given by its quoted name.
    pub(super) fn of(&self, database: Database, row: &str) -> Sql {
        match self {
            Term::Column(column) => Sql::text(format!("{row}.{}", quoted(database, column))),
            Term::Expression(expression) => filled(expression, row),
        }
    }
}

/// Returns an expression of the host's in parentheses, with the row in its place.
pub(super) fn filled(expression: &str, row: &str) -> Sql {
    Sql::text(format!("({})", expression.replace("{row}", row)))
}

/// The place of an attribute.
#[derive(Clone)]
pub(super) struct Attribute {
    pub(super) term: Term,
    pub(super) dates: Dates,
    pub(super) value: Option<Arc<MakeValue>>,
}

impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = if self.value.is_some() { "by a function" } else { "as they are" };
        f.debug_struct("Attribute")
            .field("term", &self.term)
            .field("dates", &self.dates)
            .field("values", &values)
            .finish()
    }
}

impl Mapping {
    /// Starts the mapping of a table whose rows are objects of that kind.
    ///
    /// If the host's query gives the table an alias, so does [`Mapping::alias`]. Give it a
    /// [key](Mapping::key), too.
    pub fn new(database: Database, kind: impl Into<String>, table: impl Into<Table>) -> Mapping {
        Mapping {
            database,
            kind: kind.into(),
            table: table.into(),
            alias: None,
            key: Vec::new(),
            relations: BTreeMap::new(),
            attributes: BTreeMap::new(),
        }
    }

    /// Names the table as the host's query does.
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
    /// use grantree::sql::{Database, Ids, Mapping};
    ///
    /// let filter = engine.filter(engine.user("7")?, engine.permission("edit")?, ());
    /// let jobs = Mapping::new(Database::Sqlite, "job", ("crm", "jobs"))
    ///     .alias("j")
    ///     .relation("assignee", Ids::column("assignee_id").integers());
    /// let (condition, values) = filter.where_clause(&jobs, 1)?;
    /// let query = format!(r#"SELECT j.title FROM "crm"."jobs" AS j WHERE {condition}"#);
    /// assert!(query.ends_with(r#"(typeof("j"."assignee_id") = 'integer' AND "j"."assignee_id" IN (?))"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn alias(mut self, alias: impl Into<String>) -> Mapping {
        self.alias = Some(alias.into());
        self
    }

    /// Names the columns of the table's primary key, or of another key without `NULL`s.
    ///
    /// It lets PostgreSQL and MySQL use indexes where one of several tests must hold, such as
    /// a column *or* the rows of a join table. Without it, they read the whole
    /// table for that. Rows with a `NULL` in one of these columns may be left out.
    #[must_use]
    pub fn key<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Mapping {
        self.key = columns.into_iter().map(Into::into).collect();
        self
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
    /// assert!(matches!(filter.where_clause(&jobs, 1), Err(ConditionError::NoRelation { .. })));
    /// let jobs = jobs.relation("assignee", Ids::column("assignee_id").integers());
    /// assert!(filter.where_clause(&jobs, 1).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn relation(mut self, relation: impl Into<String>, ids: Ids) -> Mapping {
        self.relations.insert(relation.into(), ids);
        self
    }

    /// Maps an attribute to its column, in place of any earlier mapping of it.
    #[must_use]
    pub fn attribute(self, attribute: impl Into<String>, column: impl Into<String>) -> Mapping {
        self.with_attribute(attribute, Term::Column(column.into()), Dates::Native, None)
    }

    /// Maps an attribute to an SQL expression, in which `{row}` stands for the object's row.
    ///
    /// The expression should have the attribute's type, and may be `NULL`. It becomes part of
    /// the query as it is, so never put anything into it that comes from outside.
    ///
    /// | a column of | in PostgreSQL | in MySQL |
    /// | --- | --- | --- |
    /// | times, for a fence | `CAST({row}.starts AT TIME ZONE 'Europe/London' AS date)` | `CAST({row}.starts AS date)` |
    /// | an enum | `CAST({row}.region AS text)` | (a column like any other) |
    /// | amounts in decimals, rounded up for `at_most` | `CAST(ceil({row}.cost) AS bigint)` | `CAST(CEILING({row}.cost) AS SIGNED)` |
    /// | bits, for a flag | `({row}.archived = B'1')` | `({row}.archived + 0)` |
    /// | JSON | `{row}.data ->> 'region'` | `JSON_UNQUOTE(JSON_EXTRACT({row}.data, '$.region'))` |
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
    /// use grantree::sql::{Database, Mapping};
    ///
    /// let day = "CAST({row}.starts AT TIME ZONE 'Europe/London' AS date)";
    /// let jobs = Mapping::new(Database::Postgres, "job", "jobs").attribute_expr("starts", day);
    /// let filter = engine.filter(engine.user("bob")?, engine.permission("book")?, ());
    /// let (condition, _) = filter.where_clause(&jobs, 1)?;
    /// assert!(condition.contains(r#"(CAST("jobs".starts AT TIME ZONE 'Europe/London' AS date)) BETWEEN"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn attribute_expr(
        self,
        attribute: impl Into<String>,
        expression: impl Into<String>,
    ) -> Mapping {
        self.with_attribute(attribute, Term::Expression(expression.into()), Dates::Native, None)
    }

    /// Maps a `one_of` attribute to a column of ids, say of another table's rows, with a
    /// function that gives the id of each text.
    ///
    /// Different texts must have different ids. A text without one is skipped: no row can have
    /// it.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"attributes": {"region": "one_of"}, "checks": ["region"]}},
    /// #         "permissions": [{"key": "view", "object": "job"}]},
    /// #     "users": {"bob": {"allow": ["view"], "bounds": {"job.region": ["north", "mars"]}}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::sql::{Database, Mapping, SqlValue};
    ///
    /// let region = |name: &str| Some(SqlValue::Integer(if name == "north" { 3 } else { return None }));
    /// let jobs = Mapping::new(Database::Postgres, "job", "jobs").attribute_values("region", "region_id", region);
    /// let filter = engine.filter(engine.user("bob")?, engine.permission("view")?, ());
    /// assert_eq!(filter.where_clause(&jobs, 1)?.1, [SqlValue::Integers(vec![3])]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn attribute_values(
        self,
        attribute: impl Into<String>,
        column: impl Into<String>,
        value: impl Fn(&str) -> Option<SqlValue> + Send + Sync + 'static,
    ) -> Mapping {
        let value: Arc<MakeValue> = Arc::new(value);
        self.with_attribute(attribute, Term::Column(column.into()), Dates::Native, Some(value))
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
    /// use grantree::sql::{Database, Mapping};
    ///
    /// let jobs = Mapping::new(Database::Postgres, "job", "jobs").text_date("starts", "starts_on");
    /// let filter = engine.filter(engine.user("bob")?, engine.permission("book")?, ());
    /// let (condition, values) = filter.where_clause(&jobs, 1)?;
    /// assert!(condition.contains(r#""jobs"."starts_on""#));
    /// assert_eq!(values, ["2026-11-21".into(), "9999-12-31".into()]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn text_date(self, attribute: impl Into<String>, column: impl Into<String>) -> Mapping {
        self.with_attribute(attribute, Term::Column(column.into()), Dates::Text, None)
    }

    fn with_attribute(
        mut self,
        attribute: impl Into<String>,
        term: Term,
        dates: Dates,
        value: Option<Arc<MakeValue>>,
    ) -> Mapping {
        self.attributes.insert(attribute.into(), Attribute { term, dates, value });
        self
    }

    /// The row in the host's query, quoted.
    pub(super) fn row(&self) -> String {
        quoted(self.database, self.alias.as_ref().unwrap_or(&self.table.name))
    }
}

/// The place of the ids that a relation names, and their form in the database.
#[derive(Clone)]
pub struct Ids {
    pub(super) place: IdPlace,
    pub(super) form: IdForm,
}

#[derive(Clone, Debug)]
pub(super) enum IdPlace {
    Column(Term),
    /// The elements of an array.
    Array(Term),
    /// A column of the last of these tables.
    Joined(Vec<Step>, String),
}

/// A join table.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) table: Table,
    /// Its columns, and those of the table before it.
    pub(super) on: Vec<(String, String)>,
    /// The conditions on its rows, in the host's SQL.
    pub(super) such: Vec<String>,
}

/// The way in which a name becomes an id.
#[derive(Clone)]
pub(super) enum IdForm {
    Text,
    Integer,
    Uuid,
    By(Arc<MakeValue>),
}

pub(super) type MakeValue = dyn Fn(&str) -> Option<SqlValue> + Send + Sync;

impl Ids {
    /// Takes ids from a column of the table itself: one id, or `NULL` for nobody.
    pub fn column(column: impl Into<String>) -> Ids {
        Ids { place: IdPlace::Column(Term::Column(column.into())), form: IdForm::Text }
    }

    /// Takes ids from an SQL expression, as [`Mapping::attribute_expr`] does: one id, or
    /// `NULL` for nobody.
    pub fn expr(expression: impl Into<String>) -> Ids {
        Ids { place: IdPlace::Column(Term::Expression(expression.into())), form: IdForm::Text }
    }

    /// Takes ids from a column of PostgreSQL's that is an array, of type `text[]`, `bigint[]`
    /// or `uuid[]`. Its elements that are `NULL` are ignored.
    ///
    /// A GIN index on the column helps. Elsewhere, it is an error when a filter asks
    /// for the relation.
    pub fn array(column: impl Into<String>) -> Ids {
        Ids { place: IdPlace::Array(Term::Column(column.into())), form: IdForm::Text }
    }

    /// Takes ids from a column of a join table, whose rows belong to an object if the columns
    /// in each pair are equal: one of the join table, one of the object's table.
    ///
    /// Give all columns of a composite key: if `id` is unique only within a
    /// tenant, `[("job_id", "id"), ("tenant", "tenant")]`. No column at all is an
    /// error when a filter asks for the relation. Rows with a `NULL` in any of
    /// these columns, or as the id, are ignored. An index on the id helps, and one on the
    /// columns that are joined.
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
    /// use grantree::sql::{Database, Ids, Mapping};
    ///
    /// let on = [("job_id", "id"), ("tenant", "tenant")];
    /// let jobs = Mapping::new(Database::Sqlite, "job", "jobs")
    ///     .relation("watcher", Ids::join_table("job_watchers", on, "login"));
    /// let filter = engine.filter(engine.user("bob")?, engine.permission("view")?, ());
    /// let (condition, _) = filter.where_clause(&jobs, 1)?;
    /// assert!(condition.contains(r#"("jobs"."id", "jobs"."tenant") IN (SELECT "related"."job_id""#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join_table<T: Into<String>, O: Into<String>>(
        table: impl Into<Table>,
        on: impl IntoIterator<Item = (T, O)>,
        column: impl Into<String>,
    ) -> Ids {
        let place = IdPlace::Joined(vec![Step::new(table.into(), on)], column.into());
        Ids { place, form: IdForm::Text }
    }

    /// Goes on from the join table to another one, whose rows belong to the former's if the
    /// columns in each pair are equal: one of the new table, one of the former. Ids are
    /// taken from a column of the new table.
    ///
    /// ```
    /// use grantree::sql::Ids;
    ///
    /// // The members of the teams that work on a job.
    /// let crew = Ids::join_table("job_teams", [("job_id", "id")], "team_id")
    ///     .then_join("team_members", [("team_id", "team_id")], "user_id")
    ///     .rows_such("{row}.left_at IS NULL")
    ///     .integers();
    /// # let _ = crew;
    /// ```
    ///
    /// Where there is no join table to go on from, it is an error when a filter asks for the
    /// relation.
    #[must_use]
    pub fn then_join<T: Into<String>, O: Into<String>>(
        self,
        table: impl Into<Table>,
        on: impl IntoIterator<Item = (T, O)>,
        column: impl Into<String>,
    ) -> Ids {
        let steps = match self.place {
            IdPlace::Joined(mut steps, _) if !steps.is_empty() => {
                steps.push(Step::new(table.into(), on));
                steps
            }
            _ => Vec::new(),
        };
        Ids { place: IdPlace::Joined(steps, column.into()), form: self.form }
    }

    /// Ignores all rows of the (last) join table but those for which an SQL condition holds.
    /// In it, `{row}` stands for the join table's row. Where there is no join table, it is an
    /// error when a filter asks for the relation.
    ///
    /// It becomes part of the query as it is, so never put anything into it that comes
    /// from outside.
    ///
    /// ```
    /// use grantree::sql::Ids;
    ///
    /// let watchers = Ids::join_table("memberships", [("entity_id", "id")], "user_id")
    ///     .rows_such("{row}.entity_type = 'job' AND {row}.revoked_at IS NULL");
    /// # let _ = watchers;
    /// ```
    #[must_use]
    pub fn rows_such(mut self, condition: impl Into<String>) -> Ids {
        match &mut self.place {
            IdPlace::Joined(steps, _) => {
                if let Some(last) = steps.last_mut() {
                    last.such.push(condition.into());
                }
            }
            IdPlace::Column(_) | IdPlace::Array(_) => {
                self.place = IdPlace::Joined(Vec::new(), String::new());
            }
        }
        self
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
    /// assert!(engine.filter(engine.user("7")?, engine.permission("edit")?, ()).where_clause(&jobs, 1).is_ok());
    /// let bob = engine.filter(engine.user("bob")?, engine.permission("edit")?, ());
    /// assert!(matches!(bob.where_clause(&jobs, 1), Err(ConditionError::NoId { name, .. }) if name == "bob"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn integers(mut self) -> Ids {
        self.form = IdForm::Integer;
        self
    }

    /// Declares that ids are UUIDs, and the policy's names their texts, in lower case with
    /// hyphens. Any other name is an error when a filter asks for it. Outside of PostgreSQL,
    /// they are compared as texts.
    #[must_use]
    pub fn uuids(mut self) -> Ids {
        self.form = IdForm::Uuid;
        self
    }

    /// Maps the policy's names to ids with a function, such as a host's map of its rows.
    /// It returns `None` for a name that has no row, and so no id.
    ///
    /// Such a name is skipped, unless the relation must name somebody other than these, or
    /// nobody: then it is an error, since a row that does name it would seem to name
    /// somebody else.
    ///
    /// Different names must give different ids. If the values are all texts, or
    /// all integers, they are compared as such; others are compared as the
    /// database compares them.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"team": "group"}}},
    /// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
    /// #             {"key": "own", "when": {"team": "me"}}]}]},
    /// #     "users": {"bob": {"allow": ["edit"], "groups": ["leeds", "uk"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::sql::{Database, Ids, Mapping, SqlValue};
    /// use std::collections::HashMap;
    ///
    /// let rows = HashMap::from([("leeds", 8)]);
    /// let team = Ids::column("team_id").values(move |name| Some(SqlValue::Integer(*rows.get(name)?)));
    /// let jobs = Mapping::new(Database::Postgres, "job", "jobs").relation("team", team);
    /// let filter = engine.filter(engine.user("bob")?, engine.permission("edit")?, ());
    /// assert_eq!(filter.where_clause(&jobs, 1)?.1, [SqlValue::Integers(vec![8])]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn values(
        mut self,
        value: impl Fn(&str) -> Option<SqlValue> + Send + Sync + 'static,
    ) -> Ids {
        self.form = IdForm::By(Arc::new(value));
        self
    }
}

impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ids").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Step {
    fn new<T: Into<String>, O: Into<String>>(
        table: Table,
        on: impl IntoIterator<Item = (T, O)>,
    ) -> Step {
        let on = on.into_iter().map(|(theirs, own)| (theirs.into(), own.into())).collect();
        Step { table, on, such: Vec::new() }
    }
}

//! Conditions for the query builder `sea_query`.

use sea_query::Expr;

use super::text::{Bound, Piece};
use super::{ConditionError, Database, Mapping, SqlValue, condition};
use crate::filter::Filter;

impl Filter {
    /// Returns the condition of [`Filter::where_clause`] as an expression of the query builder
    /// [`sea_query`]. Build the query with the builder of the mapping's database, and
    /// with `build`: `to_string` writes values out.
    ///
    /// The expression has its parentheses: negate it with `expr.not()`, of
    /// [`ExprTrait`](sea_query::ExprTrait). In PostgreSQL, it binds ids one by one.
    ///
    /// # Errors
    ///
    /// As of [`Filter::where_clause`].
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"assignee": "user"}}},
    /// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
    /// #             {"key": "own", "when": {"assignee": "me"}}]}]
    /// #     },
    /// #     "users": {"7": {"allow": ["edit"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::sql::sea_query::{Alias, Asterisk, Query, SqliteQueryBuilder};
    /// use grantree::sql::{Database, Ids, Mapping};
    ///
    /// let jobs = Mapping::new(Database::Sqlite, "job", "jobs")
    ///     .relation("assignee", Ids::column("assignee_id").integers());
    /// let filter = engine.filter(engine.user("7")?, engine.permission("edit")?, ());
    /// let (sql, values) = Query::select()
    ///     .column(Asterisk)
    ///     .from(Alias::new("jobs"))
    ///     .and_where(filter.condition(&jobs)?)
    ///     .limit(50)
    ///     .build(SqliteQueryBuilder);
    /// assert_eq!(values.iter().count(), 2); // 7 and the limit
    /// # assert!(sql.contains(r#""jobs"."assignee_id" IN ( ? )"#), "{sql}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn condition(&self, mapping: &Mapping) -> Result<Expr, ConditionError> {
        let mut parts = Vec::new();
        for piece in condition::of(self, mapping)?.0 {
            match piece {
                Piece::Text(text) => parts.push(Expr::cust(text)),
                Piece::Value(Bound { value, .. }) => push(value, &mut parts),
            }
        }
        let bound = parts.iter().filter(|part| matches!(part, Expr::Value(_))).count();
        condition::check_bound(bound, mapping.database)?;
        // The template has nothing but places, so that no text of ours is read as one.
        let place = if mapping.database == Database::Postgres { " $" } else { " ?" };
        Ok(Expr::cust_with_exprs(place.repeat(parts.len()), parts))
    }
}

/// Adds a value. An array is made of single ones, for which no feature of `sea_query` is needed.
fn push(value: SqlValue, parts: &mut Vec<Expr>) {
    let array: Vec<Expr> = match value {
        SqlValue::Text(text) => return parts.push(Expr::value(text)),
        SqlValue::Integer(integer) => return parts.push(Expr::value(integer)),
        SqlValue::Bytes(bytes) => return parts.push(Expr::value(bytes)),
        SqlValue::Texts(texts) => texts.into_iter().map(Expr::value).collect(),
        SqlValue::Integers(integers) => integers.into_iter().map(Expr::value).collect(),
    };
    parts.push(Expr::cust("ARRAY["));
    for (at, value) in array.into_iter().enumerate() {
        if at > 0 {
            parts.push(Expr::cust(","));
        }
        parts.push(value);
    }
    parts.push(Expr::cust("]"));
}

//! Recipes for drivers and query builders.
//!
//! Each was run, with the version of the table, on the databases that it names.
//!
//! | host | version | databases | condition |
//! | --- | --- | --- | --- |
//! | `postgres`, and so `tokio-postgres` | 0.19.14 | PostgreSQL 15 | [`Filter::where_clause`] |
//! | `mysql` | 28.0.4 | MariaDB 10.11 | [`Filter::where_clause`] |
//! | `rusqlite` | 0.40.2 | SQLite | [`Filter::where_clause`] |
//! | `sqlx` | 0.9.0 | PostgreSQL 15, MariaDB 10.11 | [`Filter::where_clause`] |
//! | `diesel` | 2.3.14 | PostgreSQL 15 | [`Filter::where_clause`] |
//! | SeaORM, and so `sea-query-sqlx` | 2.0.4 | PostgreSQL 15, MariaDB 10.11 | `Filter::condition`, of the feature `sea-query` |
//!
//! MySQL itself, of which Debian has no package, was not among them. To it goes what goes to
//! MariaDB, of functions that both have.
//!
//! In all of them, `filter` is a [`Filter`], and `jobs` a [`Mapping`](super::Mapping) for
//! the database.
//!
//! # `postgres`
//!
//! ```ignore
//! fn bound(value: SqlValue) -> Box<dyn ToSql + Sync> {
//!     match value {
//!         SqlValue::Text(text) => Box::new(text),
//!         SqlValue::Integer(integer) => Box::new(integer),
//!         SqlValue::Bytes(bytes) => Box::new(bytes),
//!         SqlValue::Texts(texts) => Box::new(texts),
//!         SqlValue::Integers(integers) => Box::new(integers),
//!     }
//! }
//!
//! // The host's own value is `$1`.
//! let (condition, values) = filter.where_clause(&jobs, 2)?;
//! let query = format!("SELECT id FROM jobs WHERE tenant = $1 AND {condition} ORDER BY id LIMIT 50");
//! let values: Vec<Box<dyn ToSql + Sync>> = values.into_iter().map(bound).collect();
//! let mut all: Vec<&(dyn ToSql + Sync)> = vec![&tenant];
//! all.extend(values.iter().map(|value| &**value));
//! let rows = client.query(&query, &all)?;
//! ```
//!
//! # `mysql`
//!
//! ```ignore
//! fn bound(value: SqlValue) -> mysql::Value {
//!     match value {
//!         SqlValue::Text(text) => text.into(),
//!         SqlValue::Integer(integer) => integer.into(),
//!         SqlValue::Bytes(bytes) => bytes.into(),
//!         SqlValue::Texts(_) | SqlValue::Integers(_) => unreachable!("only PostgreSQL gets arrays"),
//!     }
//! }
//!
//! let (condition, values) = filter.where_clause(&jobs, 1)?;
//! let query = format!("SELECT id FROM jobs WHERE {condition} ORDER BY id LIMIT 50");
//! let values: Vec<mysql::Value> = values.into_iter().map(bound).collect();
//! let ids: Vec<i64> = connection.exec(query, values)?;
//! ```
//!
//! # `rusqlite`
//!
//! ```ignore
//! fn bound(value: SqlValue) -> rusqlite::types::Value {
//!     match value {
//!         SqlValue::Text(text) => text.into(),
//!         SqlValue::Integer(integer) => integer.into(),
//!         SqlValue::Bytes(bytes) => bytes.into(),
//!         SqlValue::Texts(_) | SqlValue::Integers(_) => unreachable!("only PostgreSQL gets arrays"),
//!     }
//! }
//!
//! let (condition, values) = filter.where_clause(&jobs, 1)?;
//! let mut query = database.prepare(&format!("SELECT id FROM jobs WHERE {condition} LIMIT 50"))?;
//! let rows = query.query_map(params_from_iter(values.into_iter().map(bound)), |row| row.get(0))?;
//! ```
//!
//! # `sqlx`
//!
//! ```ignore
//! let (condition, values) = filter.where_clause(&jobs, 1)?;
//! let text = format!("SELECT id FROM jobs WHERE {condition} ORDER BY id LIMIT 50");
//! let mut query = sqlx::query_scalar(AssertSqlSafe(text));
//! for value in values {
//!     query = match value {
//!         SqlValue::Text(text) => query.bind(text),
//!         SqlValue::Integer(integer) => query.bind(integer),
//!         SqlValue::Bytes(bytes) => query.bind(bytes),
//!         // Unreachable outside of PostgreSQL.
//!         SqlValue::Texts(texts) => query.bind(texts),
//!         SqlValue::Integers(integers) => query.bind(integers),
//!     };
//! }
//! let ids: Vec<i64> = query.fetch_all(&mut connection).await?;
//! ```
//!
//! # `diesel`
//!
//! ```ignore
//! let (condition, values) = filter.where_clause(&jobs, 1)?;
//! let text = format!("SELECT id FROM jobs WHERE {condition} ORDER BY id LIMIT 50");
//! let mut query = diesel::sql_query(text).into_boxed::<Pg>();
//! for value in values {
//!     query = match value {
//!         SqlValue::Text(text) => query.bind::<Text, _>(text),
//!         SqlValue::Integer(integer) => query.bind::<BigInt, _>(integer),
//!         SqlValue::Bytes(bytes) => query.bind::<Binary, _>(bytes),
//!         SqlValue::Texts(texts) => query.bind::<Array<Text>, _>(texts),
//!         SqlValue::Integers(integers) => query.bind::<Array<BigInt>, _>(integers),
//!     };
//! }
//! let ids: Vec<Id> = query.load(&mut connection)?; // `Id` is `QueryableByName`
//! ```
//!
//! # SeaORM
//!
//! ```ignore
//! let condition = filter.condition(&jobs)?;
//! let page = Jobs::find().filter(condition.clone()).order_by_asc(Column::Id);
//! let pages = page.paginate(&connection, 50);
//! let (count, first) = (pages.num_items().await?, pages.fetch_page(0).await?);
//! ```
//!
//! [`Filter`]: crate::filter::Filter
//! [`Filter::where_clause`]: crate::filter::Filter::where_clause

//! Real servers, for the tests of filters' SQL.

use std::time::{Duration, Instant};

use grantree::sql::{Database, SqlValue};
use mysql::prelude::Queryable;
use postgres::types::ToSql;

/// A connection to a server.
pub enum Server {
    Postgres(Box<postgres::Client>),
    Mysql(Box<mysql::Conn>),
    #[cfg(feature = "sqlite")]
    Sqlite(rusqlite::Connection),
}

/// Rows as the server displays their values.
pub type Rows = Vec<Vec<Option<String>>>;

impl Server {
    /// A SQLite of its own, if it is built with that feature.
    pub fn sqlite() -> Option<Server> {
        #[cfg(feature = "sqlite")]
        return Some(Server::Sqlite(rusqlite::Connection::open_in_memory().expect("a database")));
        #[cfg(not(feature = "sqlite"))]
        None
    }

    /// Connects to the servers that `GRANTREE_POSTGRES` and `GRANTREE_MARIADB` name, as
    /// `postgres://user@host:port/name` and `mysql://user@host:port/name`. Where one of them is
    /// not set, it is left out, and a line says so.
    pub fn all() -> Vec<Server> {
        let mut servers = Vec::new();
        match std::env::var("GRANTREE_POSTGRES") {
            Ok(url) => {
                let client = postgres::Client::connect(&url, postgres::NoTls);
                servers.push(Server::Postgres(Box::new(client.expect("a PostgreSQL server"))));
            }
            Err(_) => println!("PostgreSQL is left out: GRANTREE_POSTGRES is not set"),
        }
        match std::env::var("GRANTREE_MARIADB") {
            Ok(url) => {
                let options = mysql::Opts::from_url(&url).expect("the URL of a server");
                let connection = mysql::Conn::new(options).expect("a MariaDB server");
                servers.push(Server::Mysql(Box::new(connection)));
            }
            Err(_) => println!("MariaDB is left out: GRANTREE_MARIADB is not set"),
        }
        servers
    }

    pub fn database(&self) -> Database {
        match self {
            Server::Postgres(_) => Database::Postgres,
            Server::Mysql(_) => Database::Mysql,
            #[cfg(feature = "sqlite")]
            Server::Sqlite(_) => Database::Sqlite,
        }
    }

    pub fn quoted(&self, identifier: &str) -> String {
        match self {
            Server::Mysql(_) => format!("`{}`", identifier.replace('`', "``")),
            _ => format!("\"{}\"", identifier.replace('"', "\"\"")),
        }
    }

    /// Makes a schema (a database of MariaDB's) anew, and uses it.
    pub fn use_schema(&mut self, name: &str) {
        let name = self.quoted(name);
        match self {
            Server::Postgres(_) => {
                self.execute(&format!("DROP SCHEMA IF EXISTS {name} CASCADE"));
                self.execute(&format!("CREATE SCHEMA {name}"));
                self.execute(&format!("SET search_path TO {name}, public"));
            }
            Server::Mysql(_) => {
                self.execute(&format!("DROP DATABASE IF EXISTS {name}"));
                self.execute(&format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"));
                self.execute(&format!("USE {name}"));
            }
            #[cfg(feature = "sqlite")]
            Server::Sqlite(_) => {}
        }
    }

    /// Runs a statement that has no result.
    pub fn execute(&mut self, sql: &str) {
        self.try_execute(sql).unwrap_or_else(|error| panic!("{error} in {sql}"));
    }

    pub fn try_execute(&mut self, sql: &str) -> Result<(), String> {
        match self {
            Server::Postgres(client) => client.batch_execute(sql).map_err(told),
            Server::Mysql(connection) => {
                connection.query_drop(sql).map_err(|error| error.to_string())
            }
            #[cfg(feature = "sqlite")]
            Server::Sqlite(database) => {
                database.execute_batch(sql).map_err(|error| error.to_string())
            }
        }
    }

    /// The rows of a query without values.
    pub fn rows(&mut self, sql: &str) -> Rows {
        match self {
            Server::Postgres(client) => {
                let messages = client.simple_query(sql);
                let messages = messages.unwrap_or_else(|error| panic!("{error} in {sql}"));
                let row = |message| match message {
                    postgres::SimpleQueryMessage::Row(row) => {
                        Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
                    }
                    _ => None,
                };
                messages.into_iter().filter_map(row).collect()
            }
            Server::Mysql(connection) => {
                let rows: Vec<mysql::Row> =
                    connection.query(sql).unwrap_or_else(|error| panic!("{error} in {sql}"));
                rows.into_iter().map(displayed).collect()
            }
            #[cfg(feature = "sqlite")]
            Server::Sqlite(_) => self.texts(sql, &[]),
        }
    }

    /// Prepares a query whose first column is an integer, as a host does, and runs it that
    /// often: that column, and the time of each run.
    pub fn timed(
        &mut self,
        sql: &str,
        values: &[SqlValue],
        runs: usize,
    ) -> (Vec<i64>, Vec<Duration>) {
        let mut rows = Vec::new();
        let mut times = Vec::new();
        let statement = match self {
            Server::Postgres(client) => Some(client.prepare(sql).expect("a query")),
            _ => None,
        };
        for _ in 0..runs {
            let start = Instant::now();
            rows = match (&mut *self, &statement) {
                (Server::Postgres(client), Some(statement)) => {
                    let values: Vec<_> = values.iter().cloned().map(for_postgres).collect();
                    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|it| &**it).collect();
                    let rows = client.query(statement, &values).expect("rows");
                    rows.iter().map(|row| row.get(0)).collect()
                }
                // MariaDB's driver keeps statements that it has prepared, and SQLite plans fast.
                (server, _) => server.integers(sql, values).expect("rows"),
            };
            times.push(start.elapsed());
        }
        (rows, times)
    }

    /// The rows of a query whose first column is an integer: that column.
    pub fn integers(&mut self, sql: &str, values: &[SqlValue]) -> Result<Vec<i64>, String> {
        match self {
            Server::Postgres(client) => {
                let values: Vec<Box<dyn ToSql + Sync>> =
                    values.iter().cloned().map(for_postgres).collect();
                let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|it| &**it).collect();
                let rows = client.query(sql, &values).map_err(told)?;
                Ok(rows.iter().map(|row| row.get(0)).collect())
            }
            Server::Mysql(connection) => {
                let rows: Result<Vec<mysql::Row>, _> = connection.exec(sql, for_mysql(values));
                let rows = rows.map_err(|error| error.to_string())?;
                Ok(rows.into_iter().map(|row| row.get(0).expect("an integer")).collect())
            }
            #[cfg(feature = "sqlite")]
            Server::Sqlite(database) => {
                let values = rusqlite::params_from_iter(values.iter().map(for_sqlite));
                let mut query = database.prepare(sql).map_err(|error| error.to_string())?;
                let rows = query.query_map(values, |row| row.get(0));
                let rows = rows.map_err(|error| error.to_string())?;
                rows.collect::<Result<_, _>>().map_err(|error| error.to_string())
            }
        }
    }

    /// The rows of a query with values. (Of PostgreSQL, it must return texts.)
    pub fn texts(&mut self, sql: &str, values: &[SqlValue]) -> Rows {
        match self {
            Server::Postgres(client) => {
                let values: Vec<Box<dyn ToSql + Sync>> =
                    values.iter().cloned().map(for_postgres).collect();
                let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|it| &**it).collect();
                let rows = client.query(sql, &values);
                let rows = rows.unwrap_or_else(|error| panic!("{error} in {sql}"));
                let row = |row: postgres::Row| (0..row.len()).map(|at| row.get(at)).collect();
                rows.into_iter().map(row).collect()
            }
            Server::Mysql(connection) => {
                let rows: Vec<mysql::Row> = connection
                    .exec(sql, for_mysql(values))
                    .unwrap_or_else(|error| panic!("{error} in {sql}"));
                rows.into_iter().map(displayed).collect()
            }
            #[cfg(feature = "sqlite")]
            Server::Sqlite(database) => {
                let values = rusqlite::params_from_iter(values.iter().map(for_sqlite));
                let mut query = database.prepare(sql).expect("a query");
                let columns = query.column_count();
                let row = |row: &rusqlite::Row<'_>| {
                    (0..columns)
                        .map(|at| Ok(row.get_ref(at)?.as_str().ok().map(str::to_owned)))
                        .collect()
                };
                let rows = query.query_map(values, row).expect("rows");
                rows.collect::<Result<_, _>>().expect("rows")
            }
        }
    }
}

fn told(error: postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

fn displayed(row: mysql::Row) -> Vec<Option<String>> {
    let text = |value| match value {
        mysql::Value::NULL => None,
        mysql::Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        other => Some(other.as_sql(true).trim_matches('\'').to_owned()),
    };
    row.unwrap().into_iter().map(text).collect()
}

/// Binds a value with the driver `postgres`.
pub fn for_postgres(value: SqlValue) -> Box<dyn ToSql + Sync> {
    match value {
        SqlValue::Text(text) => Box::new(text),
        SqlValue::Integer(integer) => Box::new(integer),
        SqlValue::Bytes(bytes) => Box::new(bytes),
        SqlValue::Texts(texts) => Box::new(texts),
        SqlValue::Integers(integers) => Box::new(integers),
    }
}

/// Binds values with the driver `mysql`.
pub fn for_mysql(values: &[SqlValue]) -> mysql::Params {
    let value = |value: &SqlValue| match value {
        SqlValue::Text(text) => mysql::Value::from(text),
        SqlValue::Integer(integer) => mysql::Value::from(integer),
        SqlValue::Bytes(bytes) => mysql::Value::from(bytes),
        SqlValue::Texts(_) | SqlValue::Integers(_) => panic!("only PostgreSQL has arrays"),
    };
    if values.is_empty() {
        return mysql::Params::Empty;
    }
    mysql::Params::Positional(values.iter().map(value).collect())
}

/// Binds a value with the driver `rusqlite`.
#[cfg(feature = "sqlite")]
pub fn for_sqlite(value: &SqlValue) -> rusqlite::types::Value {
    match value {
        SqlValue::Text(text) => text.clone().into(),
        SqlValue::Integer(integer) => (*integer).into(),
        SqlValue::Bytes(bytes) => bytes.clone().into(),
        SqlValue::Texts(_) | SqlValue::Integers(_) => panic!("only PostgreSQL has arrays"),
    }
}

/// The seven shapes of lists that plans are tested for.
pub mod shapes;

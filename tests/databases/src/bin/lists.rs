//! Times lists of the seven shapes on 1,000,000 rows (or as many as the first argument says),
//! beside the best queries by hand, and counts what the servers read.

use std::time::Duration;

use grantree::sql::SqlValue;
use grantree_databases::Server;
#[cfg(feature = "sqlite")]
use grantree_databases::for_sqlite;
use grantree_databases::shapes::{fill, mapping, shapes};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let jobs = arguments.next().map_or(1_000_000, |it| it.parse().expect("a number of rows"));
    let only = arguments.next();
    for mut server in Server::all().into_iter().chain(Server::sqlite()) {
        fill(&mut server, jobs);
        println!("{:?}, {jobs} jobs", server.database());
        for shape in shapes(server.database()) {
            if only.as_ref().is_some_and(|only| only != shape.name) {
                continue;
            }
            let (condition, values) =
                shape.filter.where_clause(&mapping(server.database()), 1).expect("it is mapped");
            let ours = format!("SELECT % FROM jobs WHERE {condition}");
            if only.is_some() {
                println!("{ours}\n{}", plan(&mut server, &ours, &values));
                println!("{}\n{}", shape.by_hand, plan(&mut server, shape.by_hand, &shape.values));
            }
            let [ours, by_hand] = [(&*ours, &*values), (shape.by_hand, &*shape.values)]
                .map(|(query, values)| measured(&mut server, query, values));
            assert_eq!(ours.rows, by_hand.rows, "{}", shape.name);
            println!(
                "{:<11} {:>6} rows, {:>8.1} ms, {:>9} reads; by hand {:>8.1} ms, {:>9} reads",
                shape.name,
                ours.rows.len(),
                ours.time.as_secs_f64() * 1e3,
                ours.reads,
                by_hand.time.as_secs_f64() * 1e3,
                by_hand.reads,
            );
        }
    }
}

struct Measured {
    rows: Vec<i64>,
    time: Duration,
    reads: i64,
}

/// The median of seven runs of a query that is prepared. Before, it is run as often as
/// PostgreSQL may need to settle on a plan.
fn measured(server: &mut Server, query: &str, values: &[SqlValue]) -> Measured {
    let query = query.replace('%', "id, region, cost");
    let (mut rows, times) = server.timed(&query, values, 14);
    let mut times = times[7..].to_vec();
    times.sort_unstable();
    rows.sort_unstable();
    Measured { rows, time: times[3], reads: reads(server, &query, values) }
}

/// The buffers that PostgreSQL reads, the rows that MariaDB's handlers read, or SQLite's steps.
fn reads(server: &mut Server, query: &str, values: &[SqlValue]) -> i64 {
    match server {
        Server::Postgres(_) => {
            let explain = format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {query}");
            let plan = server.texts(&explain, values);
            let mut lines = plan.iter().flatten().flatten().filter(|it| it.contains("Buffers:"));
            let numbers = lines.next().expect("a number of buffers").split(['=', ' ']);
            numbers.filter_map(|it| it.parse::<i64>().ok()).sum()
        }
        Server::Mysql(_) => {
            server.execute("FLUSH STATUS");
            server.integers(query, values).expect("rows");
            let counts = server.rows("SHOW SESSION STATUS LIKE 'Handler_read%'");
            counts.iter().filter_map(|row| row[1].as_ref()?.parse::<i64>().ok()).sum()
        }
        #[cfg(feature = "sqlite")]
        Server::Sqlite(database) => {
            let mut statement = database.prepare(query).expect("a query");
            let values = rusqlite::params_from_iter(values.iter().map(for_sqlite));
            statement.query_map(values, |_| Ok(())).expect("rows").for_each(drop);
            statement.get_status(rusqlite::StatementStatus::VmStep).into()
        }
    }
}

fn plan(server: &mut Server, query: &str, values: &[SqlValue]) -> String {
    let query = query.replace('%', "id, region, cost");
    let explain = match server {
        Server::Postgres(_) => format!("EXPLAIN (ANALYZE, BUFFERS) {query}"),
        Server::Mysql(_) => format!("EXPLAIN {query}"),
        #[cfg(feature = "sqlite")]
        Server::Sqlite(_) => format!("EXPLAIN QUERY PLAN {query}"),
    };
    let rows = server.texts(&explain, values);
    let row = |row: &Vec<Option<String>>| {
        row.iter().map(|it| it.as_deref().unwrap_or("-")).collect::<Vec<_>>().join(" | ")
    };
    rows.iter().map(row).collect::<Vec<_>>().join("\n")
}

//! Lists find their rows by indexes, and the same rows as queries by hand.

use grantree::sql::Database;
use grantree_databases::Server;
use grantree_databases::shapes::{fill, mapping, shapes};

#[test]
fn lists_find_rows_by_indexes() {
    for mut server in Server::all() {
        fill(&mut server, 200_000);
        let database = server.database();
        for shape in shapes(database) {
            let (condition, values) =
                shape.filter.where_clause(&mapping(database), 1).expect("it is mapped");
            let query = format!("SELECT id FROM jobs WHERE {condition}");
            let rows = |rows: Result<Vec<i64>, String>| {
                let mut rows = rows.expect("rows");
                rows.sort_unstable();
                rows
            };
            let by_hand = rows(server.integers(&shape.by_hand.replace('%', "id"), &shape.values));
            assert_eq!(rows(server.integers(&query, &values)), by_hand, "{}", shape.name);
            assert!(by_hand.len() > 10, "{}: {} rows", shape.name, by_hand.len());

            let plan = server.texts(&format!("EXPLAIN {query}"), &values);
            let steps = plan.iter().map(|step| {
                step.iter()
                    .map(|it| it.as_deref().unwrap_or_default())
                    .collect::<Vec<_>>()
                    .join(" ")
            });
            let steps: Vec<String> = steps.collect();
            let reads_all = |step: &&String| match database {
                Database::Postgres => step.contains("Seq Scan on jobs"),
                _ => step.contains(" jobs ALL") || step.contains(" own ALL"),
            };
            let told = steps.join("\n");
            // Jobs without watchers can't be looked up: both tables are read, once.
            if shape.name == "me_or_none" {
                let once = match database {
                    Database::Postgres => {
                        told.contains("Anti Join") && !told.contains("SubPlan 1)) OR")
                    }
                    _ => steps.iter().any(|it| it.contains("DEPENDENT SUBQUERY related ref")),
                };
                assert!(once, "{told}");
            } else {
                assert_eq!(steps.iter().find(reads_all), None, "{}:\n{told}", shape.name);
            }
            println!("{database:?}, {}:\n{told}\n", shape.name);
        }
    }
}

//! The roles of two clouds, if their tables are at hand: what it costs to build and
//! to ask, compared with the floor and with a fictitious company.

#[path = "../tests/support/floor.rs"]
mod floor;
#[path = "../tests/support/real.rs"]
mod real;
#[path = "../tests/support/report.rs"]
mod report;
#[path = "../tests/support/workload.rs"]
mod workload;

use std::time::Instant;

use fastrand::Rng;
use grantree::Document;
use grantree::document::UserEntry;
use grantree::{Engine, Policy};

use floor::Beside;
use real::Cloud;
use report::{grouped, is_wanted, megabytes, print_table};

const USERS: usize = 100_000;

fn main() {
    if !is_wanted("real") {
        return;
    }
    let made_up = workload::enterprise(100, USERS);
    let mut rows = vec![row("made up, 2,000 combinations", made_up, &workload::paths(100))];
    let clouds = [real::google().map(|it| it.cloud()), real::azure().map(|it| it.cloud())];
    for cloud in clouds.into_iter().flatten() {
        for combinations in [2_000, USERS] {
            let title = format!("{}, {} combinations", cloud.name, grouped(combinations));
            rows.push(row(&title, with_users(&cloud, combinations), &cloud.paths));
        }
    }
    let heads = [
        "100,000 users",
        "permissions",
        "roles",
        "floor, ns",
        "handles, ns",
        "ratio",
        "rows",
        "rows, MB",
        "users, MB",
        "facts, MB",
        "names, MB",
        "validate, ms",
        "compile, ms",
    ];
    print_table("What a decision takes", &heads, &rows);
}

/// Users who have one to three of a cloud's roles, in at most this many combinations.
fn with_users(cloud: &Cloud, combinations: usize) -> Document {
    let mut rng = Rng::with_seed(3);
    let mut roles = || -> Vec<String> {
        let count = rng.usize(1..4);
        let roles = rng.choose_multiple(&cloud.grants, count);
        roles.into_iter().map(|(role, _)| role.clone()).collect()
    };
    let combinations: Vec<Vec<String>> = (0..combinations).map(|_| roles()).collect();
    let mut document = cloud.document.clone();
    for number in 0..USERS {
        let roles = rng.choice(&combinations).expect("there are some").clone();
        document.users.push(number.to_string(), UserEntry { roles, ..UserEntry::default() });
    }
    document
}

fn row(title: &str, document: Document, paths: &[String]) -> Vec<String> {
    eprintln!("{title} …");
    let classes = workload::classes(&document);
    let roles = document.roles.len();
    let begin = Instant::now();
    let policy = Policy::try_from(document).expect("a valid policy");
    let validate = begin.elapsed();
    let begin = Instant::now();
    let engine = Engine::new(&policy);
    let compile = begin.elapsed();
    let stats = engine.stats();
    let [floor, handles] = Beside::new(engine, paths, classes).nanoseconds();
    vec![
        title.to_owned(),
        grouped(paths.len()),
        grouped(roles),
        format!("{floor:.2}"),
        format!("{handles:.2}"),
        format!("{:.2}", handles / floor),
        grouped(stats.rows),
        megabytes(stats.row_bytes),
        megabytes(stats.user_bytes),
        megabytes(stats.fact_bytes),
        megabytes(stats.name_bytes),
        format!("{:.0}", validate.as_secs_f64() * 1e3),
        format!("{:.0}", compile.as_secs_f64() * 1e3),
    ]
}

//! Tables of jobs, and the shapes of lists of them.

use grantree::filter::Filter;
use grantree::sql::{Database, Ids, Mapping, SqlValue};
use grantree::{Document, Engine, Policy};

use crate::Server;

const POLICY: &str = r#"{"format": 1,
  "catalogue": {
    "objects": {"job": {
      "relations": {"assignee": "user", "watcher": "user", "team": "group", "crew": "group"},
      "attributes": {"region": "one_of", "cost": "at_most"}}},
    "permissions": [
      {"key": "column", "object": "job", "scopes": [{"key": "s", "when": {"assignee": "me"}}]},
      {"key": "join", "object": "job", "scopes": [{"key": "s", "when": {"watcher": "me"}}]},
      {"key": "either", "object": "job", "scopes": [
        {"key": "a", "when": {"assignee": "me"}}, {"key": "w", "when": {"watcher": "me"}}]},
      {"key": "groups", "object": "job", "scopes": [{"key": "s", "when": {"crew": "me"}}]},
      {"key": "me_or_none", "object": "job", "scopes": [{"key": "s", "when": {"watcher": ["me", "none"]}}]},
      {"key": "readme", "object": "job", "checks": ["cost"], "scopes": [
        {"key": "a", "when": {"assignee": "me"}}, {"key": "t", "when": {"crew": "me"}}]},
      {"key": "assigned", "object": "job"}]},
  "groups": {"team17": {}, "team34": {}, "team51": {}},
  "users": {"7": {
    "groups": ["team17", "team34"],
    "allow": ["column", "join", "either", "groups", "me_or_none", "readme"],
    "bounds": {"job.cost": 5000},
    "assignments": {
      "a": {"allow": ["assigned"], "on": {"job": {"team": ["team51"], "region": ["north"]}}},
      "b": {"allow": ["assigned"], "on": {"job": {"watcher": ["8", "9"], "region": ["south"]}}}}}}}"#;

/// A shape, and the best query of it that was found by hand, with `%` for the columns.
pub struct Shape {
    pub name: &'static str,
    pub filter: Filter,
    pub by_hand: &'static str,
    /// The values that it binds.
    pub values: Vec<SqlValue>,
}

pub fn shapes(database: Database) -> Vec<Shape> {
    let document: Document = serde_json::from_str(POLICY).expect("a document");
    let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
    let user = engine.user("7").expect("a user");
    let by_hand = match database {
        Database::Mysql => [
            ("column", COLUMN),
            ("join", JOIN),
            (
                "either",
                "SELECT % FROM jobs WHERE id IN (SELECT id FROM (\
                 SELECT id FROM jobs WHERE assignee_id = 7 \
                 UNION SELECT job_id FROM watchers WHERE user_id = 7) ids)",
            ),
            ("groups", GROUPS),
            ("me_or_none", ME_OR_NONE),
            (
                "readme",
                "SELECT % FROM jobs WHERE cost <= 5000 AND id IN (SELECT id FROM (\
                 SELECT id FROM jobs WHERE assignee_id = 7 \
                 UNION SELECT job_id FROM crews WHERE team IN ('team17', 'team34')) ids)",
            ),
            (
                "assigned",
                "SELECT % FROM jobs WHERE team = 'team51' AND region = 'north' \
                 UNION SELECT % FROM jobs WHERE region = 'south' \
                 AND id IN (SELECT job_id FROM watchers WHERE user_id IN (8, 9))",
            ),
        ],
        Database::Postgres => [
            ("column", "SELECT % FROM jobs WHERE assignee_id = $1"),
            (
                "join",
                "SELECT % FROM jobs WHERE id IN (SELECT job_id FROM watchers WHERE user_id = $1)",
            ),
            (
                "either",
                "SELECT % FROM jobs WHERE assignee_id = $1 \
                 OR id = ANY (ARRAY (SELECT job_id FROM watchers WHERE user_id = $1))",
            ),
            (
                "groups",
                "SELECT % FROM jobs WHERE id IN (SELECT job_id FROM crews WHERE team = ANY ($1))",
            ),
            (
                "me_or_none",
                "SELECT % FROM jobs LEFT JOIN watchers ON job_id = id WHERE job_id IS NULL \
                 UNION SELECT % FROM jobs JOIN watchers ON job_id = id WHERE user_id = $1",
            ),
            (
                "readme",
                "SELECT % FROM jobs WHERE cost <= $2 AND (assignee_id = $1 OR id = ANY (ARRAY (\
                 SELECT job_id FROM crews WHERE team = ANY ($3))))",
            ),
            (
                "assigned",
                "SELECT % FROM jobs WHERE (team = $1 AND region = $2) \
                 OR (region = $3 AND id = ANY (ARRAY (\
                 SELECT job_id FROM watchers WHERE user_id = ANY ($4))))",
            ),
        ],
        Database::Sqlite => [
            ("column", COLUMN),
            ("join", JOIN),
            (
                "either",
                "SELECT % FROM jobs WHERE assignee_id = 7 \
                 OR id IN (SELECT job_id FROM watchers WHERE user_id = 7)",
            ),
            ("groups", GROUPS),
            ("me_or_none", ME_OR_NONE),
            (
                "readme",
                "SELECT % FROM jobs WHERE +cost <= 5000 AND (assignee_id = 7 OR id IN (\
                 SELECT job_id FROM crews WHERE team IN ('team17', 'team34')))",
            ),
            (
                "assigned",
                "SELECT % FROM jobs WHERE (team = 'team51' AND region = 'north') \
                 OR (region = 'south' AND id IN (\
                 SELECT job_id FROM watchers WHERE user_id IN (8, 9)))",
            ),
        ],
    };
    let shape = |(name, by_hand)| {
        let action = engine.permission(name).expect("a permission");
        let values = if database == Database::Postgres { values(name) } else { Vec::new() };
        Shape { name, filter: engine.filter(user, action, ()), by_hand, values }
    };
    by_hand.into_iter().map(shape).collect()
}

/// The values that PostgreSQL's queries bind.
fn values(name: &str) -> Vec<SqlValue> {
    let user = SqlValue::Integer(7);
    let teams = SqlValue::Texts(vec!["team17".to_owned(), "team34".to_owned()]);
    match name {
        "groups" => vec![teams],
        "readme" => vec![user, SqlValue::Integer(5000), teams],
        "assigned" => {
            vec!["team51".into(), "north".into(), "south".into(), SqlValue::Integers(vec![8, 9])]
        }
        _ => vec![user],
    }
}

const COLUMN: &str = "SELECT % FROM jobs WHERE assignee_id = 7";
const JOIN: &str = "SELECT % FROM jobs WHERE id IN (SELECT job_id FROM watchers WHERE user_id = 7)";
const GROUPS: &str = "SELECT % FROM jobs WHERE id IN (\
    SELECT job_id FROM crews WHERE team IN ('team17', 'team34'))";
const ME_OR_NONE: &str = "SELECT % FROM jobs LEFT JOIN watchers ON job_id = id WHERE job_id IS NULL \
    UNION SELECT % FROM jobs JOIN watchers ON job_id = id WHERE user_id = 7";

/// The mapping of [`fill`]'s tables.
pub fn mapping(database: Database) -> Mapping {
    Mapping::new(database, "job", "jobs")
        .key(["id"])
        .relation("assignee", Ids::column("assignee_id").integers())
        .relation("watcher", Ids::join_table("watchers", [("job_id", "id")], "user_id").integers())
        .relation("team", Ids::column("team"))
        .relation("crew", Ids::join_table("crews", [("job_id", "id")], "team"))
        .attribute("region", "region")
        .attribute("cost", "cost")
}

/// Makes tables of some number of jobs. One of a hundred users has a hundredth of them.
pub fn fill(server: &mut Server, jobs: u32) {
    server.use_schema("grantree_lists");
    let users = (jobs / 100).max(10);
    let (numbers, text, region) = match server {
        Server::Postgres(_) => (
            format!("generate_series(1::bigint, {jobs}) AS s(n)"),
            "'team' ||",
            "(ARRAY['north', 'south', 'east', 'west'])[1 + n / 7 % 4]",
        ),
        Server::Mysql(_) => (
            format!("(SELECT seq AS n FROM seq_1_to_{jobs}) s"),
            "CONCAT('team',",
            "ELT(1 + FLOOR(n / 7) % 4, 'north', 'south', 'east', 'west')",
        ),
        #[cfg(feature = "sqlite")]
        Server::Sqlite(_) => (
            format!(
                "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {jobs}) \
                 SELECT n FROM s)"
            ),
            "'team' ||",
            "CASE n / 7 % 4 WHEN 0 THEN 'north' WHEN 1 THEN 'south' WHEN 2 THEN 'east' ELSE 'west' END",
        ),
    };
    let team = |number: &str| {
        let end = if text.ends_with(',') { ")" } else { "" };
        format!("{text} ({number}){end}")
    };
    let (own, crew) = (team("n * 31 % 5000"), team("n * 17 % 5000"));
    let some = format!("{numbers} WHERE n % 1000 <> 0");
    for sql in [
        "CREATE TABLE jobs (id bigint PRIMARY KEY, assignee_id bigint, team varchar(50), region varchar(20), cost bigint)".to_owned(),
        "CREATE TABLE watchers (job_id bigint, user_id bigint, PRIMARY KEY (job_id, user_id))".to_owned(),
        "CREATE TABLE crews (job_id bigint, team varchar(50), PRIMARY KEY (job_id, team))".to_owned(),
        format!("INSERT INTO jobs SELECT n, CASE WHEN n % 10 <> 0 THEN n * 7919 % {users} END, {own}, {region}, n * 37 % 10000 FROM {numbers}"),
        format!("INSERT INTO watchers SELECT n, n * 104729 % {users} FROM {some}"),
        format!("INSERT INTO crews SELECT n, {crew} FROM {some}"),
        "CREATE INDEX by_assignee ON jobs (assignee_id)".to_owned(),
        "CREATE INDEX by_team ON jobs (team)".to_owned(),
        "CREATE INDEX by_cost ON jobs (cost)".to_owned(),
        "CREATE INDEX by_watcher ON watchers (user_id)".to_owned(),
        "CREATE INDEX by_crew ON crews (team)".to_owned(),
    ] {
        server.execute(&sql);
    }
    match server {
        Server::Postgres(_) => server.execute("VACUUM ANALYZE"),
        Server::Mysql(_) => server.execute("ANALYZE TABLE jobs, watchers, crews"),
        #[cfg(feature = "sqlite")]
        Server::Sqlite(_) => server.execute("ANALYZE"),
    }
}

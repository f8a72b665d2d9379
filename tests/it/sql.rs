//! Filters as SQL: a real SQLite selects the rows on which `can` says yes, and the
//! SQL for the other databases is recorded.

use fastrand::Rng;
use grantree::Document;
use grantree::filter::Filter;
use grantree::object::DynamicObject;
use grantree::sql::{ConditionError, Database, Ids, Mapping, SqlValue};
use grantree::{Date, Engine, Policy};
use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::{Value as Json, json};
use support::by_name::ByName;
use support::sql_laws::{cells, execute, query, quoted, select, selected};

use super::filter::layers;

fn engine(policy: &str) -> Engine {
    let document: Document =
        serde_json::from_str(policy).unwrap_or_else(|error| panic!("{error} in {policy}"));
    Engine::new(&Policy::try_from(document).unwrap_or_else(|problems| panic!("{problems}")))
}

fn filter(engine: &Engine, user: &str, action: &str) -> Filter {
    let today: Date = "2026-11-20".parse().expect("a date");
    engine.filter_by_name(user, action, Some(today.into())).expect("known names")
}

// Policies small enough to check by hand.

const JOBS: &str = r#"{"format": 1,
  "catalogue": {
    "objects": {"job": {
      "relations": {"assignee": "user", "watcher": "user", "team": "group", "crew": "group"},
      "attributes": {"region": "one_of", "cost": "at_most", "age": "at_least", "starts": "not_before", "due": "not_after", "ends": "not_after", "archived": "flag"}}},
    "permissions": [
      {"key": "own", "object": "job", "scopes": [{"key": "s", "when": {"assignee": "me"}}]},
      {"key": "others", "object": "job", "scopes": [{"key": "s", "when": {"assignee": "other", "watcher": "other"}}]},
      {"key": "free", "object": "job", "scopes": [{"key": "s", "when": {"assignee": "none", "watcher": ["other", "none"]}}]},
      {"key": "any", "object": "job", "scopes": [{"key": "s", "when": {"assignee": ["me", "other", "none"], "watcher": ["me", "none"]}}]},
      {"key": "seen", "object": "job", "scopes": [{"key": "a", "when": {"assignee": "me"}}, {"key": "w", "when": {"watcher": "me"}}]},
      {"key": "team", "object": "job", "scopes": [{"key": "s", "when": {"team": "me"}}]},
      {"key": "far", "object": "job", "scopes": [{"key": "s", "when": {"team": ["other", "none"]}}]},
      {"key": "crewed", "object": "job", "scopes": [{"key": "s", "when": {"crew": ["me", "other"]}}]},
      {"key": "apart", "object": "job", "scopes": [{"key": "s", "when": {"crew": ["other", "none"]}}]},
      {"key": "whoever", "object": "job", "scopes": [{"key": "s", "when": {"crew": ["me", "other", "none"]}}]},
      {"key": "ours", "object": "job", "scopes": [{"key": "s", "when": {"crew": ["me", "none"]}}]},
      {"key": "either", "object": "job", "scopes": [
        {"key": "c", "when": {"crew": ["me", "other", "none"]}}, {"key": "s", "when": {"assignee": "me"}}]},
      {"key": "both", "object": "job", "scopes": [{"key": "s", "when": {"crew": "me", "assignee": "me"}}]},
      {"key": "near", "object": "job", "checks": ["region"]},
      {"key": "sized", "object": "job", "checks": ["cost", "age"]},
      {"key": "dated", "object": "job", "checks": ["starts", "ends"]},
      {"key": "due", "object": "job", "checks": ["due"]},
      {"key": "live", "object": "job", "scopes": [{"key": "s", "when": {"archived": false}}]},
      {"key": "told", "object": "job", "checks": ["archived"]},
      {"key": "all", "object": "job"}]},
  "global": {"allow": ["**"], "bounds": {
    "job.region": ["north", "south"], "job.cost": 9223372036854775807, "job.age": -5,
    "job.starts": {"plus_days": 3}, "job.due": {"plus_days": 9}, "job.ends": {"date": "2026-12-24"},
    "job.archived": [true, false]}},
  "groups": {"uk": {}, "leeds": {"parent": "uk"}},
  "users": {"7": {"groups": ["uk"]}, "8": {}, "root": {"admin": true}}}"#;

fn jobs(database: Database) -> Mapping {
    Mapping::new(database, "job", "jobs")
        .key(["id"])
        .relation("assignee", Ids::column("assignee_id").integers())
        .relation("watcher", Ids::join_table("watchers", [("job_id", "id")], "user_id").integers())
        .relation("team", Ids::column("team"))
        .relation("crew", Ids::join_table("crews", [("job_id", "id")], "team"))
        .attribute("region", "region")
        .attribute("cost", "cost")
        .attribute("age", "age")
        .attribute("starts", "starts_on")
        .attribute("due", "due_on")
        .text_date("ends", "ends_on")
        .attribute("archived", "archived")
}

fn rendered(database: Database) -> String {
    let engine = engine(JOBS);
    let mut text = String::new();
    let asked = [
        "own", "others", "free", "any", "seen", "team", "far", "crewed", "apart", "whoever",
        "ours", "either", "both", "near", "sized", "dated", "due", "live", "told", "all",
    ];
    let asked = asked.map(|action| ("7", action)).into_iter().chain([
        ("8", "far"),
        ("8", "apart"),
        ("8", "ours"),
        ("8", "both"),
        ("root", "own"),
        ("nobody", "own"),
    ]);
    for (user, action) in asked {
        let filter = filter(&engine, user, action);
        let (condition, values) = filter.where_clause(&jobs(database), 1).expect("all is mapped");
        text.push_str(&format!("{user} {action}: {filter}\n  {condition}\n  {values:?}\n\n"));
    }
    text
}

#[test]
fn each_database_is_asked_in_its_own_terms() {
    insta::assert_snapshot!("sqlite", rendered(Database::Sqlite));
    insta::assert_snapshot!("postgres", rendered(Database::Postgres));
    insta::assert_snapshot!("mysql", rendered(Database::Mysql));
}

/// A relation that must name users or groups of an assignment's terms is asked as one that
/// must name who asks.
#[test]
fn terms_are_asked_as_scopes_are() {
    let engine = engine(
        r#"{"format": 1,
          "catalogue": {
            "objects": {"job": {
              "relations": {"assignee": "user", "watcher": "user", "team": "group", "crew": "group"},
              "attributes": {"region": "one_of"}}},
            "permissions": [{"key": "all", "object": "job"}]},
          "groups": {"uk": {}, "leeds": {"parent": "uk"}},
          "users": {
            "7": {"assignments": {
              "a": {"allow": ["all"], "on": {"job": {"team": ["uk"], "region": ["north"]}}},
              "b": {"allow": ["all"], "on": {"job": {"watcher": ["8", "9"], "crew": ["leeds"]}}}}},
            "8": {"assignments": {"a": {"allow": ["all"], "on": {"job": {"assignee": ["zoe"]}}}}}}}"#,
    );
    let filter = filter(&engine, "7", "all");
    assert_eq!(
        filter.to_string(),
        r#"every job where (crew is "leeds" and watcher is one of "8", "9") or (team is one of "leeds", "uk" and region is "north")"#
    );
    let database = Connection::open_in_memory().expect("a database");
    for sql in [
        "CREATE TABLE jobs (id INTEGER PRIMARY KEY, team TEXT, region TEXT)",
        "CREATE TABLE watchers (job_id INTEGER, user_id INTEGER)",
        "CREATE TABLE crews (job_id INTEGER, team TEXT)",
        "INSERT INTO jobs VALUES (1, 'uk', 'north'), (2, 'leeds', 'north'), (3, 'leeds', 'south')",
        "INSERT INTO jobs VALUES (4, 'york', 'north'), (5, NULL, 'north'), (6, NULL, NULL)",
        "INSERT INTO watchers VALUES (3, 7), (3, 9), (4, 8), (5, 7), (6, 8)",
        "INSERT INTO crews VALUES (3, 'york'), (3, 'leeds'), (4, 'uk'), (5, 'leeds'), (6, 'leeds')",
    ] {
        execute(&database, sql, Vec::new());
    }
    let condition = filter.where_clause(&jobs(Database::Sqlite), 1).expect("all is mapped");
    let found = selected(&database, "jobs", "id", condition);
    assert_eq!(found, [1, 2, 3, 6].map(Cell::Integer));
    // Whom terms name needs an id, as who asks does.
    let error = self::filter(&engine, "8", "all").where_clause(&jobs(Database::Sqlite), 1);
    assert!(matches!(error, Err(ConditionError::NoId { name, .. }) if name == "zoe"));
}

#[test]
fn rows_are_found_by_indexes() {
    let database = Connection::open_in_memory().expect("a database");
    for sql in [
        "CREATE TABLE jobs (id INTEGER PRIMARY KEY, assignee_id INTEGER, team TEXT, region TEXT, cost INTEGER, age INTEGER, starts_on TEXT, ends_on TEXT)",
        "CREATE TABLE watchers (job_id INTEGER, user_id INTEGER, PRIMARY KEY (job_id, user_id))",
        "CREATE INDEX by_assignee ON jobs (assignee_id)",
        "CREATE INDEX by_team ON jobs (team)",
        "CREATE INDEX by_region ON jobs (region)",
        "CREATE INDEX by_age ON jobs (age)",
        "CREATE INDEX by_start ON jobs (starts_on)",
        "CREATE INDEX by_watcher ON watchers (user_id)",
    ] {
        execute(&database, sql, Vec::new());
    }
    let engine = engine(JOBS);
    let plan = |action: &str| {
        let condition = filter(&engine, "7", action).where_clause(&jobs(Database::Sqlite), 1);
        let (condition, values) = condition.expect("all is mapped");
        let sql = select("jobs", "cost", &condition);
        let plan = query(&database, &format!("EXPLAIN QUERY PLAN {sql}"), cells(values));
        let steps = plan.into_iter().map(|mut step| match step.remove(3) {
            Cell::Text(step) => step,
            other => panic!("{other:?}"),
        });
        steps.collect::<Vec<String>>().join("\n")
    };
    for (action, indexes) in [
        ("own", vec!["by_assignee"]),
        ("team", vec!["by_team"]),
        ("near", vec!["by_region"]),
        ("sized", vec!["by_age"]),
        ("dated", vec!["by_start"]),
        ("free", vec!["by_assignee", "sqlite_autoindex_watchers_1"]),
        ("seen", vec!["by_assignee", "PRIMARY KEY", "by_watcher"]),
    ] {
        let plan = plan(action);
        assert!(!plan.contains("SCAN"), "{action}: {plan}");
        assert!(indexes.iter().all(|index| plan.contains(index)), "{action}: {plan}");
    }
}

#[test]
fn what_a_mapping_lacks_is_an_error() {
    let engine = engine(JOBS);
    let lacking = |user: &str, action: &str, mapping: &Mapping| {
        let filter = filter(&engine, user, action);
        filter.where_clause(mapping, 1).expect_err("something is lacking")
    };
    let bare = Mapping::new(Database::Sqlite, "job", "jobs");
    let told = format!("{:?}", bare.clone().relation("team", Ids::column("team_id")));
    assert!(told.contains("team_id"), "{told}");
    let (kind, name) = ("job".to_owned(), str::to_owned);
    assert_eq!(
        lacking("7", "own", &bare),
        ConditionError::NoRelation { kind: kind.clone(), relation: name("assignee") }
    );
    assert_eq!(
        lacking("7", "near", &bare),
        ConditionError::NoAttribute { kind: kind.clone(), attribute: name("region") }
    );
    let unjoined = Ids::join_table("watchers", [("", ""); 0], "user_id");
    assert_eq!(
        lacking("7", "any", &jobs(Database::Sqlite).relation("watcher", unjoined)),
        ConditionError::NoJoin { kind: kind.clone(), relation: name("watcher") }
    );
    let no_id = |mapping: Mapping| {
        let error = lacking("7", "team", &mapping);
        assert!(matches!(error, ConditionError::NoId { .. }), "{error}");
        error.to_string()
    };
    let with = |team: Ids| jobs(Database::Sqlite).relation("team", team);
    let expected = "`leeds` is not an id that relation `team` of `job` can have in the database";
    assert_eq!(no_id(with(Ids::column("team").integers())), expected);
    // A name without a row is skipped, unless others are looked for.
    let rowless = with(Ids::column("team").values(|name| (name == "uk").then(|| name.into())));
    let (_, values) = filter(&engine, "7", "team").where_clause(&rowless, 1).expect("it is mapped");
    assert_eq!(values, ["uk".into(), "uk".into()]);
    assert_eq!(lacking("7", "far", &rowless).to_string(), expected);
    // A user whom the condition does not test needs no id.
    let nobody = jobs(Database::Sqlite).relation("assignee", Ids::column("a").values(|_| None));
    let own = filter(&engine, "7", "own").where_clause(&nobody, 1);
    assert_eq!(own, Ok(("FALSE".to_owned(), Vec::new())));
    assert!(matches!(lacking("7", "others", &nobody), ConditionError::NoId { .. }));
    assert!(filter(&engine, "7", "free").where_clause(&nobody, 1).is_ok());
    // What the condition does not test need not be mapped.
    assert!(filter(&engine, "7", "all").where_clause(&bare, 1).is_ok());
    assert!(filter(&engine, "root", "own").where_clause(&bare, 1).is_ok());
}

#[test]
fn only_the_digits_of_an_integer_are_its_id() {
    let names = [
        ("7", true),
        ("-7", true),
        ("0", true),
        ("9223372036854775807", true),
        ("007", false),
        ("+7", false),
        ("-0", false),
        ("7 ", false),
        ("٧", false),
        ("alice", false),
        ("9223372036854775808", false),
        ("7.0", false),
    ];
    for (name, is_id) in names {
        let user = serde_json::to_string(name).expect("JSON");
        let policy = JOBS
            .replace(r#""users": {"#, &format!(r#""users": {{{user}: {{}}, "#))
            .replace(r#""7": {"groups": ["uk"]}, "#, "");
        let condition =
            filter(&engine(&policy), name, "own").where_clause(&jobs(Database::Sqlite), 1);
        assert_eq!(condition.is_ok(), is_id, "{name}");
    }
}

/// Values that a host computes get the conditions that built-in ones get.
#[test]
fn texts_and_integers_are_asked_for_alike_however_they_are_given() {
    let engine = engine(JOBS);
    let alike = |action: &str, relation: &str, ids: Ids, value: fn(&str) -> Option<SqlValue>| {
        let condition = |ids: Ids| {
            let mapping = jobs(Database::Sqlite).relation(relation, ids);
            filter(&engine, "7", action).where_clause(&mapping, 1).expect("all is mapped")
        };
        assert_eq!(condition(ids.clone().values(value)), condition(ids));
    };
    alike("team", "team", Ids::column("team"), |name| Some(name.into()));
    let integer = |id: &str| id.parse::<i64>().ok().map(SqlValue::Integer);
    alike("own", "assignee", Ids::column("assignee_id").integers(), integer);
}

/// Whom an id of another type names is unknown.
#[test]
fn an_id_of_another_type_is_nobody_for_sure() {
    let database = Connection::open_in_memory().expect("a database");
    database
        .execute_batch(
            "CREATE TABLE jobs (id INTEGER); CREATE TABLE crews (job_id INTEGER, team);
             INSERT INTO jobs VALUES (1), (2), (3), (4), (5);
             INSERT INTO crews VALUES (1, 'leeds'), (2, x'00'), (4, 'leeds'), (4, 1), (5, 'york');",
        )
        .expect("two tables");
    let engine = engine(JOBS);
    let rows = |user: &str, action: &str| {
        let condition = filter(&engine, user, action).where_clause(&jobs(Database::Sqlite), 1);
        selected(&database, "jobs", "id", condition.expect("all is mapped"))
    };
    let ids = |ids: &[i64]| ids.iter().copied().map(Cell::Integer).collect::<Vec<_>>();
    assert_eq!(rows("7", "crewed"), ids(&[1, 4, 5]));
    assert_eq!(rows("7", "apart"), ids(&[3, 5]));
    // A user without groups is in no crew.
    assert_eq!(rows("8", "crewed"), ids(&[1, 5]));
    assert_eq!(rows("8", "apart"), ids(&[1, 3, 5]));
}

/// Ids can be of any type, such as bytes.
#[test]
fn ids_are_compared_as_what_they_are() {
    let database = Connection::open_in_memory().expect("a database");
    database
        .execute_batch(
            "CREATE TABLE jobs (id INTEGER, team);
             INSERT INTO jobs VALUES (1, x'6c65656473'), (2, 'leeds'), (3, x'79'), (4, NULL);",
        )
        .expect("a table");
    let bytes = |name: &str| Some(SqlValue::Bytes(name.as_bytes().to_vec()));
    let mapping = jobs(Database::Sqlite).relation("team", Ids::column("team").values(bytes));
    let engine = engine(JOBS);
    let rows = |action: &str| {
        let condition = filter(&engine, "7", action).where_clause(&mapping, 1);
        selected(&database, "jobs", "id", condition.expect("all is mapped"))
    };
    assert_eq!(rows("team"), [Cell::Integer(1)]);
    assert_eq!(rows("far"), [2, 3, 4].map(Cell::Integer));
}

/// The first and the last day that a policy can name are days, too.
#[test]
fn a_day_may_be_the_only_one() {
    let database = Connection::open_in_memory().expect("a database");
    let days = "CREATE TABLE days (day TEXT); INSERT INTO days VALUES
        ('-001-12-31'), ('0000-01-01'), ('0000-01-02'), ('9999-12-30'), ('9999-12-31'), ('infinity');";
    database.execute_batch(days).expect("a table");
    for (bound, day) in [("not_before", "9999-12-31"), ("not_after", "0000-01-01")] {
        let policy = json!({
            "format": 1,
            "catalogue": {
                "objects": {"day": {"attributes": {"day": bound}}},
                "permissions": [{"key": "p", "object": "day", "checks": ["day"]}]},
            "global": {"allow": ["p"], "bounds": {"day.day": {"date": day}}},
            "users": {"u": {}}});
        let mapping = Mapping::new(Database::Sqlite, "day", "days").text_date("day", "day");
        let condition = filter(&engine(&policy.to_string()), "u", "p").where_clause(&mapping, 1);
        let condition = condition.expect("all is mapped");
        assert_eq!(selected(&database, "days", "day", condition), [Cell::Text(day.to_owned())]);
    }
}

#[test]
fn a_filter_for_another_kind_is_an_error() {
    let engine = engine(JOBS);
    let orders = Mapping::new(Database::Sqlite, "order", "orders");
    let sql = |user, action| filter(&engine, user, action).where_clause(&orders, 1);
    let (kind, mapped) = ("job".to_owned(), "order".to_owned());
    let other = ConditionError::OtherKind { kind, mapped };
    assert_eq!(sql("7", "all"), Err(other.clone()));
    assert_eq!(sql("7", "own"), Err(other));
    assert_eq!(sql("root", "own"), Ok(("TRUE".to_owned(), Vec::new())));
    assert_eq!(sql("nobody", "own"), Ok(("FALSE".to_owned(), Vec::new())));
}

/// Names and values are whatever texts they are, and identifiers too.
#[test]
fn no_text_leaves_its_place() {
    let long = "long é".repeat(2_000);
    let texts = [
        "o'brien",
        "\"quoted\"",
        "`ticked`",
        "\\",
        "\\'",
        "'; DROP TABLE jobs; --",
        "?",
        "$1",
        ":name",
        "a\0b",
        "a",
        "\n",
        "%",
        "_",
        "日本語",
        "e\u{301}",
        "é",
        "🦀",
        " ",
        long.as_str(),
    ];
    let database = Connection::open_in_memory().expect("a database");
    for (at, name) in texts.iter().enumerate() {
        let json = serde_json::to_string(name).expect("JSON");
        // Users and groups have no control characters in their names.
        let called = if name.contains(char::is_control) { "a" } else { name };
        let user = serde_json::to_string(called).expect("JSON");
        let engine = engine(
            &JOBS
                .replace(
                    r#""7": {"groups": ["uk"]}"#,
                    &format!(r#"{user}: {{"groups": [{user}]}}"#),
                )
                .replace(r#"["north", "south"]"#, &format!("[{json}]")),
        );
        // An identifier ends at a NUL, in every database.
        let (table, column) = (format!("{at}{name}").replace('\0', " "), name.replace('\0', " "));
        let (joined, owner) = (format!("{table} joined"), format!("{column} owner"));
        execute(
            &database,
            &format!("CREATE TABLE {} (id, {})", quoted(&table), quoted(&column)),
            Vec::new(),
        );
        execute(
            &database,
            &format!("CREATE TABLE {} ({}, {})", quoted(&joined), quoted(&owner), quoted(&column)),
            Vec::new(),
        );
        for text in texts {
            let values = vec![Cell::Text(text.to_owned()); 2];
            for table in [&table, &joined] {
                execute(
                    &database,
                    &format!("INSERT INTO {} VALUES (?, ?)", quoted(table)),
                    values.clone(),
                );
            }
        }
        let mapping = Mapping::new(Database::Sqlite, "job", &table)
            .relation("assignee", Ids::column(&column))
            .relation("team", Ids::join_table(&joined, [(owner.as_str(), "id")], &column))
            .attribute("region", &column);
        let selected = |action: &str| {
            let condition = filter(&engine, called, action).where_clause(&mapping, 1);
            selected(&database, &table, "id", condition.expect("all is mapped"))
        };
        let only = |text: &str| [Cell::Text(text.to_owned())];
        assert_eq!(selected("own"), only(called));
        assert_eq!(selected("team"), only(called));
        assert_eq!(selected("near"), only(name));
        assert_eq!(selected("far").len(), texts.len() - 1);
    }

    let nul =
        Mapping::new(Database::Sqlite, "job", "jobs").relation("assignee", Ids::column("id\0"));
    let condition = filter(&engine(JOBS), "7", "own").where_clause(&nul, 1).expect("it is mapped");
    let sql = select("jobs", "id", &condition.0);
    assert!(database.prepare(&sql).is_err(), "{sql}");
}

/// A table may be its own join table, and go by any name in the host's query.
#[test]
fn a_table_can_be_joined_with_itself() {
    let database = Connection::open_in_memory().expect("a database");
    execute(
        &database,
        "CREATE TABLE related (id INTEGER, parent INTEGER, assignee TEXT)",
        Vec::new(),
    );
    execute(
        &database,
        "INSERT INTO related VALUES (1, NULL, '8'), (2, 1, '7'), (3, 2, '8'), (4, 2, NULL)",
        Vec::new(),
    );
    // Those who work on the steps of a job watch it.
    let mapping = |name: &str| {
        Mapping::new(Database::Sqlite, "job", "related")
            .alias(name)
            .relation("assignee", Ids::column("assignee"))
            .relation("watcher", Ids::join_table("related", [("parent", "id")], "assignee"))
    };
    let engine = engine(JOBS);
    for name in ["related", "Related", "j"] {
        let rows = |action: &str| {
            let condition = filter(&engine, "7", action).where_clause(&mapping(name), 1);
            let (condition, values) = condition.expect("all is mapped");
            let sql = format!("SELECT {name}.id FROM related AS {name} WHERE {condition}");
            query(&database, &sql, cells(values)).concat()
        };
        let ids = |ids: &[i64]| ids.iter().copied().map(Cell::Integer).collect::<Vec<_>>();
        assert_eq!(rows("seen"), ids(&[1, 2]));
        assert_eq!(rows("any"), ids(&[1, 3, 4]));
        assert_eq!(rows("free"), ids(&[4]));
    }
}

/// A condition has 4,096 tests at most, and 256 joins within each other.
#[test]
fn conditions_are_of_bounded_size() {
    let name = |at: usize| format!("a{at}");
    let refused = |policy: Json, mapping: Mapping| {
        filter(&engine(&policy.to_string()), "u", "p0").where_clause(&mapping, 1).err()
    };
    let jobs = || Mapping::new(Database::Sqlite, "job", "jobs");

    let wide = |tests: usize| {
        let names: Vec<String> = (0..tests).map(name).collect();
        let each = |key: fn(&str) -> String, value: Json| -> Json {
            names.iter().map(|name| (key(name), value.clone())).collect()
        };
        let policy = json!({
            "format": 1,
            "catalogue": {
                "objects": {"job": {"attributes": each(str::to_owned, "at_most".into())}},
                "permissions": [{"key": "p0", "object": "job", "checks": names}]},
            "global": {"allow": ["p0"], "bounds": each(|name| format!("job.{name}"), 1.into())},
            "users": {"u": {}}});
        refused(policy, names.iter().fold(jobs(), |jobs, name| jobs.attribute(name, name)))
    };
    assert_eq!(wide(4096), None);
    assert_eq!(wide(4097), Some(ConditionError::TooLarge));

    // This one is mine; or the next one is, and so on.
    let deep = |joins: usize| {
        let relations: Json = (0..=joins).map(|at| (name(at), json!("user"))).collect();
        let permission = |at: usize| {
            let (next, last) = (name(at + 1), name(joins));
            let other = match joins - at {
                1 => json!({"key": "b", "when": {next: "me"}}),
                2 => json!({"key": "b", "when": {next: "me", last: "me"}}),
                _ => {
                    json!({"key": "b", "when": {next: "me"}, "requires": [format!("p{}", at + 2)]})
                }
            };
            let scopes = json!([{"key": "a", "when": {name(at): "me"}}, other]);
            json!({"key": format!("p{at}"), "object": "job", "scopes": scopes})
        };
        let policy = json!({
            "format": 1,
            "catalogue": {
                "objects": {"job": {"relations": relations}},
                "permissions": (0..joins).step_by(2).map(permission).collect::<Json>()},
            "global": {"allow": ["*"]},
            "users": {"u": {}}});
        let related = |jobs: Mapping, at| jobs.relation(name(at), Ids::column(name(at)));
        refused(policy, (0..=joins).fold(jobs(), related))
    };
    assert_eq!(deep(256), None);
    assert_eq!(deep(257), Some(ConditionError::TooLarge));
}

/// Scopes each of which excludes the relations of those before it: the condition asks for
/// each relation twice, nested as deep as there are scopes.
#[test]
fn scopes_that_exclude_each_other_are_a_deep_condition() {
    let names: Vec<String> = (0..120).map(|at| format!("r{at}")).collect();
    let scope = |at: usize| {
        let before = names.iter().take(at).map(|name| (name.clone(), json!(["other", "none"])));
        let when: Json = before.chain([(names[at].clone(), json!("me"))]).collect();
        json!({"key": format!("s{at}"), "when": when})
    };
    let relations: Json = names.iter().map(|name| (name.clone(), json!("user"))).collect();
    let policy = json!({
        "format": 1,
        "catalogue": {
            "objects": {"job": {"relations": relations}},
            "permissions": [
                {"key": "p", "object": "job", "scopes": (0..120).map(scope).collect::<Json>()}]},
        "users": {"u": {"allow": ["p"]}}});
    let filter = filter(&engine(&policy.to_string()), "u", "p");
    let mapping = names.iter().fold(Mapping::new(Database::Sqlite, "job", "jobs"), |jobs, name| {
        jobs.relation(name, Ids::column(name))
    });
    let condition = filter.where_clause(&mapping, 1).expect("it is small enough");
    let database = Connection::open_in_memory().expect("a database");
    execute(&database, &format!("CREATE TABLE jobs (id, {})", names.join(", ")), Vec::new());
    let mut expected = Vec::new();
    for id in 0..240 {
        // One names the user, and every second time one before it names nobody we know of.
        let (mine, unknown) = (id / 2, (id % 2 == 1).then_some(id / 4));
        let cell = |at: usize| match at {
            _ if at == mine => Cell::Text("u".to_owned()),
            _ if Some(at) == unknown => Cell::Blob(Vec::new()),
            _ if at.is_multiple_of(3) => Cell::Null,
            _ => Cell::Text("v".to_owned()),
        };
        let id_cell = Cell::Integer(i64::try_from(id).expect("it is small"));
        let row = std::iter::once(id_cell.clone()).chain((0..120).map(cell)).collect::<Vec<_>>();
        let marks = vec!["?"; row.len()].join(", ");
        execute(&database, &format!("INSERT INTO jobs VALUES ({marks})"), row);
        if unknown.is_none_or(|unknown| unknown >= mine) {
            expected.push(id_cell);
        }
    }
    assert_eq!(selected(&database, "jobs", "id", condition), expected);
}

/// Definitions are expanded, as far as that is reasonable.
#[test]
fn definitions_are_written_out() {
    let mapping = |layers: usize| {
        let sides = (0..layers)
            .flat_map(|layer| ["ax", "ay", "bx", "by"].map(|side| format!("{side}{layer}")));
        sides.fold(Mapping::new(Database::Sqlite, "job", "jobs"), |mapping, relation| {
            mapping.relation(&relation, Ids::column(&relation))
        })
    };
    let engine = |count: usize| engine(&layers(count));
    let too_large = filter(&engine(60), "u", "a59").where_clause(&mapping(60), 1);
    assert_eq!(too_large, Err(ConditionError::TooLarge));

    let engine = engine(9);
    let filter = filter(&engine, "u", "a8");
    assert!(!filter.definitions().is_empty());
    let condition = filter.where_clause(&mapping(9), 1).expect("it is small enough");
    let database = Connection::open_in_memory().expect("a database");
    let sides: Vec<String> = (0..9)
        .flat_map(|layer| ["ax", "ay", "bx", "by"].map(|side| format!("{side}{layer}")))
        .collect();
    execute(&database, &format!("CREATE TABLE jobs (id, {})", sides.join(", ")), Vec::new());
    let mut rng = Rng::with_seed(1);
    let mut expected = Vec::new();
    for id in 0..200 {
        let mut job = DynamicObject::new("job");
        let mut row = vec![Cell::Integer(id)];
        for side in &sides {
            let names = rng.u8(..100) < 75;
            job = job.with_relation(side, names.then_some("u"));
            row.push(if names { Cell::Text("u".to_owned()) } else { Cell::Null });
        }
        let marks = vec!["?"; row.len()].join(", ");
        execute(&database, &format!("INSERT INTO jobs VALUES ({marks})"), row);
        if filter.matches(&job) {
            expected.push(Cell::Integer(id));
        }
    }
    assert!((20..180).contains(&expected.len()), "{}", expected.len());
    assert_eq!(selected(&database, "jobs", "id", condition), expected);
}

/// Rows of join tables that a condition leaves out name nobody; and ids may be several tables
/// away.
#[test]
fn rows_that_do_not_count_name_nobody() {
    let database = Connection::open_in_memory().expect("a database");
    database
        .execute_batch(
            "CREATE TABLE jobs (id INTEGER PRIMARY KEY, starts TEXT, region_id INTEGER);
             INSERT INTO jobs VALUES (1, '2026-11-23 10:00', 3), (2, '2026-11-22 23:00', 3),
                                     (3, NULL, 4), (4, 'soon', NULL);
             CREATE TABLE job_teams (job_id INTEGER, team_id INTEGER, entity TEXT);
             INSERT INTO job_teams VALUES (1, 10, 'job'), (2, 10, 'order'), (3, 11, 'job'), (4, 12, 'job');
             CREATE TABLE members (team_id INTEGER, user_id INTEGER, left_on TEXT);
             INSERT INTO members VALUES (10, 7, NULL), (11, 7, '2026-01-01'), (11, 8, NULL), (12, 9, NULL);",
        )
        .expect("tables");
    let watcher = Ids::join_table("job_teams", [("job_id", "id")], "team_id")
        .rows_such("{row}.entity = 'job'")
        .then_join(("main", "members"), [("team_id", "team_id")], "user_id")
        .rows_such("{row}.left_on IS NULL")
        .integers();
    let mapping = Mapping::new(Database::Sqlite, "job", ("main", "jobs"))
        .alias("j")
        .relation("assignee", Ids::expr("CASE WHEN {row}.id < 3 THEN '7' END"))
        .relation("watcher", watcher)
        .attribute_expr("starts", "substr({row}.starts, 1, 10)")
        .text_date("ends", "ends")
        .attribute_values("region", "region_id", |name| (name == "north").then_some(3.into()));
    let engine = engine(JOBS);
    let rows = |action: &str| {
        let (condition, values) =
            filter(&engine, "7", action).where_clause(&mapping, 1).expect("all is mapped");
        let sql = format!("SELECT j.id FROM main.jobs AS j WHERE {condition}");
        query(&database, &sql, cells(values)).concat()
    };
    let ids = |ids: &[i64]| ids.iter().copied().map(Cell::Integer).collect::<Vec<_>>();
    assert_eq!(rows("seen"), ids(&[1, 2]));
    assert_eq!(rows("any"), ids(&[1, 2]));
    // Job 2 is watched by nobody.
    assert_eq!(rows("free"), ids(&[3, 4]));
    assert_eq!(rows("near"), ids(&[1, 2]));
    let starts = engine_with_starts();
    let (condition, values) = starts.where_clause(&mapping, 1).expect("all is mapped");
    let sql = format!("SELECT j.id FROM main.jobs AS j WHERE {condition}");
    assert_eq!(query(&database, &sql, cells(values)).concat(), ids(&[1]));
}

/// Every job that starts on 2026-11-23 or later.
fn engine_with_starts() -> Filter {
    let policy = JOBS.replace(r#""checks": ["starts", "ends"]"#, r#""checks": ["starts"]"#);
    filter(&engine(&policy), "7", "dated")
}

#[test]
fn what_a_mapping_lacks_is_found_at_the_start() {
    let engine = engine(JOBS);
    assert_eq!(jobs(Database::Postgres).check(&engine), Ok(()));
    let problems = |mapping: Mapping| {
        let problems = mapping.check(&engine).expect_err("there are problems");
        assert_eq!(problems.iter().count(), problems.to_string().lines().count());
        problems.to_string()
    };
    assert_eq!(
        problems(Mapping::new(Database::Sqlite, "jobs", "jobs")),
        "no kind of object is named `jobs`; did you mean `job`?"
    );
    let mapping = jobs(Database::Mysql)
        .relation("asignee", Ids::column("a"))
        .relation("team", Ids::array("teams"))
        .relation("crew", Ids::column("crew").rows_such("{row}.gone IS NULL"))
        .relation("watcher", Ids::column("a").then_join("b", [("c", "d")], "e"))
        .text_date("cost", "cost")
        .attribute_values("age", "age", |_| None)
        .attribute("colour", "colour");
    assert_eq!(
        problems(mapping),
        "the mapping of `job` joins relation `watcher` on no column\n\
         the mapping of `job` has an array for relation `team`, outside of PostgreSQL\n\
         the mapping of `job` joins relation `crew` on no column\n\
         `job` has no relation `asignee`; did you mean `assignee`?\n\
         attribute `age` of `job` is mapped to ids of texts, but is not a `one_of`\n\
         `job` has no attribute `colour`\n\
         attribute `cost` of `job` is mapped as a date, but is not one"
    );
}

#[test]
fn uuids_are_ids_as_databases_display_them() {
    let id = "0190163d-8694-739b-aea5-966c26f8ad91";
    let filter = |name: &str| {
        let policy = JOBS.replace(r#""7": {"groups": ["uk"]}"#, &format!(r#""{name}": {{}}"#));
        filter(&engine(&policy), name, "own")
    };
    let jobs = |database| jobs(database).relation("assignee", Ids::column("assignee").uuids());
    let (condition, values) =
        filter(id).where_clause(&jobs(Database::Postgres), 5).expect("a UUID");
    assert!(condition.contains("= CAST(CAST($5 AS text) AS uuid)"), "{condition}");
    assert_eq!(values, [id.into()]);
    for name in [&id.to_uppercase(), &id.replace('-', ""), "7", &id.replace('8', "é")] {
        let refused = filter(name).where_clause(&jobs(Database::Postgres), 1);
        assert!(matches!(refused, Err(ConditionError::NoId { .. })), "{name}");
    }
    let (_, values) = filter(id).where_clause(&jobs(Database::Sqlite), 1).expect("a UUID");
    assert_eq!(values, [id.into(), id.into()]);
}

/// More groups than a database accepts values.
#[test]
fn conditions_bind_a_bounded_number_of_values() {
    let groups: Vec<String> = (0..33_000).map(|at| format!("g{at}")).collect();
    let policy = json!({
        "format": 1,
        "catalogue": {
            "objects": {"job": {"relations": {"team": "group"}}},
            "permissions": [{"key": "p", "object": "job", "scopes": [{"key": "s", "when": {"team": "me"}}]}]},
        "global": {"allow": ["p"]},
        "users": {"u": {"groups": groups}}});
    let filter = filter(&engine(&policy.to_string()), "u", "p");
    let asked = |database| {
        let jobs = Mapping::new(database, "job", "jobs").relation("team", Ids::column("team"));
        filter.where_clause(&jobs, 1)
    };
    assert_eq!(asked(Database::Sqlite), Err(ConditionError::TooLarge));
    assert_eq!(asked(Database::Mysql), Err(ConditionError::TooLarge));
    // One array.
    assert_eq!(asked(Database::Postgres).map(|(_, values)| values.len()), Ok(1));
}

#[cfg(feature = "sea-query")]
#[test]
fn a_query_builder_gets_the_same_condition() {
    use grantree::sql::sea_query::{
        Alias, MysqlQueryBuilder, PostgresQueryBuilder, Query, SqliteQueryBuilder, Value,
    };

    let engine = engine(JOBS);
    for database in [Database::Sqlite, Database::Postgres, Database::Mysql] {
        let mapping = jobs(database)
            .alias("a `?` \"$1\" [b")
            .relation("assignee", Ids::column("assignee ? $1 '").integers());
        for action in ["own", "others", "seen", "far", "ours", "either", "dated", "near", "told"] {
            let filter = filter(&engine, "7", action);
            let (condition, values) = filter.where_clause(&mapping, 1).expect("all is mapped");
            let mut query = Query::select();
            query.column(Alias::new("id")).from(Alias::new("jobs"));
            query.and_where(filter.condition(&mapping).expect("all is mapped"));
            let (sql, bound) = match database {
                Database::Sqlite => query.build(SqliteQueryBuilder),
                Database::Postgres => query.build(PostgresQueryBuilder),
                Database::Mysql => query.build(MysqlQueryBuilder),
            };
            let (_, built) = sql.split_once(" WHERE ").expect("a condition");
            if database != Database::Postgres {
                assert_eq!(built.replace(' ', ""), condition.replace(' ', ""));
                let single = |value: &SqlValue| match value {
                    SqlValue::Text(text) => Value::from(text.as_str()),
                    SqlValue::Integer(integer) => Value::from(*integer),
                    other => panic!("{other:?} is bound"),
                };
                assert_eq!(bound.0, values.iter().map(single).collect::<Vec<_>>());
            } else {
                // Each element of an array has a place of its own.
                let others = ["$1\"\" [b", "? $1 '", "-02-29)$'"];
                let others = others.iter().map(|it| built.matches(it).count()).sum::<usize>();
                let places = built.matches('$').count() - others;
                assert_eq!(places, bound.0.len(), "{built}");
            }
        }
    }
}

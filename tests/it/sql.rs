//! Filters as SQL: a real SQLite selects the rows on which `can` says yes, and
//! what the other databases are asked.

use std::collections::BTreeMap;

use fastrand::Rng;
use grantree::document::{Document, ObjectKind, RelationType};
use grantree::sql::sea_query::{
    Alias, Expr, ExprTrait, MysqlQueryBuilder, PostgresQueryBuilder, Query, SelectStatement,
    SqliteQueryBuilder, Value as Bound, Values,
};
use grantree::sql::{ConditionError, Database, Ids, Mapping};
use grantree::{
    Date, DynamicObject, Engine, Filter, Object, Policy, RelationState, Subject, Value,
};
use proptest::prelude::any;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, params_from_iter};

use super::filter::layers;
use super::properties::check;
use crate::support::laws;
use crate::support::strategies::{Case, case};

fn engine(policy: &str) -> Engine {
    let document: Document =
        serde_json::from_str(policy).unwrap_or_else(|error| panic!("{error} in {policy}"));
    Engine::new(&Policy::try_from(document).unwrap_or_else(|problems| panic!("{problems}")))
}

fn filter(engine: &Engine, user: &str, action: &str) -> Filter {
    let today: Date = "2026-11-20".parse().expect("a date");
    engine.filter_by_name(user, action, Some(today)).expect("known names")
}

// Running what is made.

fn select(table: &str, column: &str, condition: Expr) -> SelectStatement {
    Query::select()
        .column((Alias::new(table), Alias::new(column)))
        .from(Alias::new(table))
        .and_where(condition)
        .take()
}

fn cells(values: Values) -> Vec<Cell> {
    let cell = |value| match value {
        Bound::String(Some(text)) => Cell::Text(text),
        Bound::BigInt(Some(integer)) => Cell::Integer(integer),
        other => panic!("{other:?} is bound"),
    };
    values.into_iter().map(cell).collect()
}

/// The values of a column of the rows of which the condition is true.
fn selected(database: &Connection, table: &str, column: &str, condition: Expr) -> Vec<Cell> {
    let (sql, values) = select(table, column, condition).build(SqliteQueryBuilder);
    query(database, &sql, cells(values)).into_iter().map(|mut row| row.remove(0)).collect()
}

fn query(database: &Connection, sql: &str, values: Vec<Cell>) -> Vec<Vec<Cell>> {
    let mut statement = database.prepare(sql).unwrap_or_else(|error| panic!("{error} in {sql}"));
    let columns = statement.column_count();
    let rows = statement
        .query_map(params_from_iter(values), |row| (0..columns).map(|at| row.get(at)).collect())
        .unwrap_or_else(|error| panic!("{error} in {sql}"));
    rows.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error} in {sql}"))
}

fn execute(database: &Connection, sql: &str, values: Vec<Cell>) {
    let result = database.execute(sql, params_from_iter(values));
    result.unwrap_or_else(|error| panic!("{error} in {sql}"));
}

fn quoted(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

// Random tables.

/// A table with the rows of one kind of object.
struct Table<'c> {
    kind: &'c str,
    declared: &'c ObjectKind,
    name: String,
    mapping: Mapping,
    relations: Vec<Relation>,
    rows: Vec<Row>,
}

/// Where a relation of a table is.
struct Relation {
    name: String,
    names: RelationType,
    /// The join table, and whether it is joined on two columns.
    joined: Option<(String, bool)>,
    /// Ids are numbers, of these names, and not texts.
    numbers: Option<Vec<String>>,
}

/// A row as an object, read from the database.
#[derive(Debug)]
struct Row {
    kind: String,
    /// Whom a relation names, if that can be told.
    relations: BTreeMap<String, (RelationType, Vec<Option<String>>)>,
    attributes: BTreeMap<String, Cell>,
}

impl Object for Row {
    fn kind(&self) -> &str {
        &self.kind
    }

    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
        let (names, ids) = self.relations.get(name)?;
        let told = ids.iter().flatten();
        let state = match names {
            RelationType::User => subject.users(told),
            RelationType::Group => subject.groups(told),
        };
        state.filter(|&state| state == RelationState::Me || ids.iter().all(Option::is_some))
    }

    fn attribute(&self, name: &str) -> Option<Value<'_>> {
        match self.attributes.get(name)? {
            Cell::Null => None,
            Cell::Integer(integer) => Some(Value::Integer(*integer)),
            Cell::Text(text) => Some(Value::Text(text)),
            Cell::Real(_) | Cell::Blob(_) => Some(Value::Other),
        }
    }
}

impl<'c> Table<'c> {
    /// A table laid out at random, with rows: the objects, and some that no
    /// host should have.
    fn new(
        database: &Connection,
        rng: &mut Rng,
        names: &[String],
        (kind, declared): (&'c str, &'c ObjectKind),
        objects: &[&DynamicObject],
    ) -> Table<'c> {
        let name = format!("{kind} 'of' \"x\" `?` $1");
        let mut mapping = Mapping::new(Database::Sqlite, kind, &name);
        // What values a column takes, and how it compares them.
        const TYPES: [&str; 5] =
            ["", "TEXT", "TEXT COLLATE NOCASE", "TEXT COLLATE RTRIM", "INTEGER"];
        let mut columns = vec!["at".to_owned(), "id".to_owned(), "tenant".to_owned()];
        let mut relations = Vec::new();
        for (relation, &of) in declared.relations.iter() {
            let numbers = rng.bool().then(|| names.to_vec());
            let column = format!("{relation} \"'`");
            let joined = rng.bool().then(|| (format!("{name} {relation}"), rng.bool()));
            let typed = match &numbers {
                Some(_) => ["", "INTEGER"][rng.usize(..2)],
                None => TYPES[rng.usize(..4)],
            };
            let mut ids = match &joined {
                None => {
                    columns.push(format!("{} {typed}", quoted(&column)));
                    Ids::column(&column)
                }
                Some((table, two)) => {
                    let sql = format!(
                        "CREATE TABLE {} (at, id, tenant, {} {typed})",
                        quoted(table),
                        quoted(&column)
                    );
                    execute(database, &sql, Vec::new());
                    let on: &[_] =
                        if *two { &[("id", "id"), ("tenant", "tenant")] } else { &[("at", "at")] };
                    Ids::join_table(table, on.iter().copied(), &column)
                }
            };
            if let Some(numbers) = numbers.clone() {
                ids = ids.values(move |name| {
                    let at = numbers.iter().position(|known| known == name)?;
                    i64::try_from(at).ok().map(Bound::from)
                });
            }
            mapping = mapping.relation(relation, ids);
            let name = relation.to_owned();
            relations.push(Relation { name, names: of, joined, numbers });
        }
        for (attribute, _) in declared.attributes.iter() {
            let column = format!("{attribute} \"'`");
            columns.push(format!("{} {}", quoted(&column), TYPES[rng.usize(..5)]));
            mapping = match rng.bool() {
                true => mapping.attribute(attribute, column),
                false => mapping.text_date(attribute, column),
            };
        }
        execute(
            database,
            &format!("CREATE TABLE {} ({})", quoted(&name), columns.join(", ")),
            Vec::new(),
        );

        let mut table = Table { kind, declared, name, mapping, relations, rows: Vec::new() };
        let mut at = 0;
        for &object in objects.iter().filter(|object| Object::kind(**object) == kind) {
            table.insert(database, at, rng, names, Some(object));
            at += 1;
        }
        for _ in 0..rng.i64(0..12) {
            table.insert(database, at, rng, names, None);
            at += 1;
        }
        table.read(database, at);
        table
    }

    fn insert(
        &self,
        database: &Connection,
        at: i64,
        rng: &mut Rng,
        names: &[String],
        object: Option<&DynamicObject>,
    ) {
        let id = match rng.u8(..20) {
            0 => Cell::Null,
            _ => Cell::Integer(at / 2),
        };
        let key = [Cell::Integer(at), id, Cell::Integer(at % 2)];
        let mut row = key.to_vec();
        for relation in &self.relations {
            let ids: Vec<Cell> = match object {
                Some(object) => {
                    let named = object.related(&relation.name).unwrap_or_default();
                    named.iter().map(|name| relation.id(name)).collect()
                }
                None => (0..rng.usize(..4)).map(|_| relation.any_id(rng, names)).collect(),
            };
            let Some((table, _)) = &relation.joined else {
                row.push(ids.into_iter().next().unwrap_or(Cell::Null));
                continue;
            };
            for id in ids {
                let mut key = key.clone();
                if rng.u8(..20) == 0 {
                    key[rng.usize(..3)] = Cell::Null;
                }
                let sql = format!("INSERT INTO {} VALUES (?, ?, ?, ?)", quoted(table));
                execute(database, &sql, key.into_iter().chain([id]).collect());
            }
        }
        for (attribute, _) in self.declared.attributes.iter() {
            row.push(match object {
                Some(object) => match object.attribute(attribute) {
                    None => Cell::Null,
                    Some(Value::Text(text)) => Cell::Text(text.to_owned()),
                    Some(Value::Integer(integer)) => Cell::Integer(integer),
                    Some(Value::Date(date)) => Cell::Text(date.to_string()),
                    Some(Value::Other) => Cell::Real(0.5),
                },
                None => any_value(rng),
            });
        }
        let marks = vec!["?"; row.len()].join(", ");
        execute(database, &format!("INSERT INTO {} VALUES ({marks})", quoted(&self.name)), row);
    }

    /// Reads the rows back: columns may have made other values of what they were
    /// given.
    fn read(&mut self, database: &Connection, count: i64) {
        let all = |table: &str| {
            query(database, &format!("SELECT * FROM {} ORDER BY at", quoted(table)), Vec::new())
        };
        let mut rows = all(&self.name).into_iter();
        let joined: Vec<Vec<Vec<Cell>>> = self
            .relations
            .iter()
            .map(|relation| relation.joined.as_ref().map_or(Vec::new(), |(table, _)| all(table)))
            .collect();
        for _ in 0..count {
            let row = rows.next().expect("as many as were inserted");
            let mut rest = row[3..].iter();
            let mut relations = BTreeMap::new();
            for (relation, joined) in self.relations.iter().zip(&joined) {
                let ids: Vec<&Cell> = match relation.joined {
                    None => rest.next().into_iter().collect(),
                    Some((_, two)) => {
                        let on = if two { 1..3 } else { 0..1 };
                        let belongs = |theirs: &&Vec<Cell>| {
                            on.clone().all(|at| theirs[at] != Cell::Null && theirs[at] == row[at])
                        };
                        joined.iter().filter(belongs).map(|theirs| &theirs[3]).collect()
                    }
                };
                let told =
                    ids.into_iter().filter(|id| **id != Cell::Null).map(|id| relation.name(id));
                relations.insert(relation.name.clone(), (relation.names, told.collect()));
            }
            let names = self.declared.attributes.iter().map(|(name, _)| name.to_owned());
            let attributes = names.zip(rest.cloned()).collect();
            self.rows.push(Row { kind: self.kind.to_owned(), relations, attributes });
        }
    }

    /// Where in the table the rows are of which the condition is true.
    fn selected(&self, database: &Connection, condition: Expr) -> Vec<i64> {
        let at = |cell| match cell {
            Cell::Integer(at) => at,
            other => panic!("{other:?}"),
        };
        let mut selected: Vec<i64> =
            selected(database, &self.name, "at", condition).into_iter().map(at).collect();
        selected.sort_unstable();
        selected
    }
}

impl Relation {
    fn id(&self, name: &str) -> Cell {
        match &self.numbers {
            Some(numbers) => match numbers.iter().position(|known| known == name) {
                Some(at) => Cell::Integer(at as i64),
                None => Cell::Integer(-1),
            },
            None => Cell::Text(name.to_owned()),
        }
    }

    /// The name of an id; `None` where it is of the wrong type.
    fn name(&self, id: &Cell) -> Option<String> {
        match (&self.numbers, id) {
            (Some(numbers), Cell::Integer(id)) => {
                let known = usize::try_from(*id).ok().and_then(|at| numbers.get(at).cloned());
                Some(known.unwrap_or_else(|| format!("nobody: {id}")))
            }
            (None, Cell::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    fn any_id(&self, rng: &mut Rng, names: &[String]) -> Cell {
        let name = &names[rng.usize(..names.len())];
        if self.numbers.is_some() && self.names == RelationType::Group {
            // To somebody without groups, no id is of a wrong type.
            return self.id(name);
        }
        match rng.u8(..10) {
            0 => Cell::Null,
            1 => Cell::Integer(rng.i64(..4)),
            2 => Cell::Text(rng.i64(..4).to_string()),
            3 => Cell::Real(rng.f64()),
            4 => Cell::Blob(name.clone().into_bytes()),
            5 => Cell::Text(name.to_uppercase()),
            6 => Cell::Text(format!("{name} ")),
            _ => self.id(name),
        }
    }
}

fn any_value(rng: &mut Rng) -> Cell {
    const TEXTS: [&str; 19] = [
        "north",
        "NORTH",
        "north ",
        "north\0",
        "",
        "10",
        "-5",
        "zzz",
        "now",
        "2026-11-20",
        "2026-11-22",
        "2026-02-30",
        "2026-11-20 ",
        " 2026-11-20",
        "2026-11-20T00:00",
        "2026-11-20\0",
        "-0011-01-01",
        "2026-1-2",
        "0000-01-01",
    ];
    let text = TEXTS[rng.usize(..TEXTS.len())];
    match rng.u8(..10) {
        0 => Cell::Null,
        1 => Cell::Real(10.0),
        2 => Cell::Real([0.5, f64::MAX, f64::MIN, 9.3e18][rng.usize(..4)]),
        3 => Cell::Blob(text.as_bytes().to_vec()),
        4 => Cell::Integer([i64::MAX, i64::MIN, 20_261_120, 2_461_000][rng.usize(..4)]),
        5 => Cell::Integer(rng.i64(-12..12)),
        _ => Cell::Text(text.to_owned()),
    }
}

/// On random tables, a filter's condition selects exactly the rows on which
/// `can` says yes; and, negated, exactly the others.
fn rows_selected_are_those_allowed(case: &Case, seed: u64) {
    let document = &case.document;
    let engine = Engine::new(&Policy::try_from(document.clone()).expect("a valid policy"));
    let objects = laws::objects(case);
    let mut names: Vec<String> = document.users.iter().map(|(name, _)| name.to_owned()).collect();
    names.extend(document.groups.iter().map(|(name, _)| name.to_owned()));
    names.extend(document.users.iter().flat_map(|(_, user)| user.groups.iter().cloned()));
    names.extend(["alice", "stranger"].map(str::to_owned));
    names.sort_unstable();
    names.dedup();

    let mut rng = Rng::with_seed(seed);
    let database = Connection::open_in_memory().expect("a database");
    let kinds = document.catalogue.objects.iter();
    let tables: Vec<Table<'_>> =
        kinds.map(|kind| Table::new(&database, &mut rng, &names, kind, &objects)).collect();
    for (user, action, today) in laws::filters(case) {
        let Ok(filter) = engine.filter_by_name(user, action, today) else { continue };
        let (user, action) = (engine.user(user), engine.permission(action).expect("it is known"));
        for table in &tables {
            let condition = filter.condition(&table.mapping).expect("all is mapped");
            let can = |row: &Row| {
                user.as_ref().is_ok_and(|&user| engine.can(user, action, (Some(row), today)))
            };
            let (mut allowed, mut others) = (Vec::new(), Vec::new());
            for (at, row) in (0..).zip(&table.rows) {
                if can(row) { allowed.push(at) } else { others.push(at) }
            }
            let told = || {
                let sql =
                    select(&table.name, "at", condition.clone()).to_string(SqliteQueryBuilder);
                format!("{filter}\n{sql}\n{:#?}", table.rows)
            };
            assert_eq!(table.selected(&database, condition.clone()), allowed, "{}", told());
            assert_eq!(
                table.selected(&database, condition.clone().not()),
                others,
                "not: {}",
                told()
            );
        }
    }
}

#[test]
fn sql_agrees_with_can() {
    let cases = if cfg!(debug_assertions) { 200 } else { 2000 };
    check(cases, &(case(), any::<u64>()), |(case, seed)| {
        rows_selected_are_those_allowed(case, *seed);
    });
}

// Policies small enough to check by hand.

const JOBS: &str = r#"{"format": 1,
  "catalogue": {
    "objects": {"job": {
      "relations": {"assignee": "user", "watcher": "user", "team": "group"},
      "attributes": {"region": "one_of", "cost": "at_most", "age": "at_least", "starts": "not_before", "ends": "not_after"}}},
    "permissions": [
      {"key": "own", "object": "job", "scopes": [{"key": "s", "when": {"assignee": "me"}}]},
      {"key": "others", "object": "job", "scopes": [{"key": "s", "when": {"assignee": "other", "watcher": "other"}}]},
      {"key": "free", "object": "job", "scopes": [{"key": "s", "when": {"assignee": "none", "watcher": ["other", "none"]}}]},
      {"key": "any", "object": "job", "scopes": [{"key": "s", "when": {"assignee": ["me", "other", "none"], "watcher": ["me", "none"]}}]},
      {"key": "seen", "object": "job", "scopes": [{"key": "a", "when": {"assignee": "me"}}, {"key": "w", "when": {"watcher": "me"}}]},
      {"key": "team", "object": "job", "scopes": [{"key": "s", "when": {"team": "me"}}]},
      {"key": "far", "object": "job", "scopes": [{"key": "s", "when": {"team": ["other", "none"]}}]},
      {"key": "near", "object": "job", "checks": ["region"]},
      {"key": "sized", "object": "job", "checks": ["cost", "age"]},
      {"key": "dated", "object": "job", "checks": ["starts", "ends"]},
      {"key": "all", "object": "job"}]},
  "global": {"allow": ["**"], "bounds": {
    "job.region": ["north", "south"], "job.cost": 9223372036854775807, "job.age": -5,
    "job.starts": {"plus_days": 3}, "job.ends": {"date": "2026-12-24"}}},
  "groups": {"uk": {}, "leeds": {"parent": "uk"}},
  "users": {"7": {"groups": ["uk"]}, "8": {}, "root": {"admin": true}}}"#;

fn jobs(database: Database) -> Mapping {
    Mapping::new(database, "job", "jobs")
        .relation("assignee", Ids::column("assignee_id").integers())
        .relation("watcher", Ids::join_table("watchers", [("job_id", "id")], "user_id").integers())
        .relation("team", Ids::column("team"))
        .attribute("region", "region")
        .attribute("cost", "cost")
        .attribute("age", "age")
        .attribute("starts", "starts_on")
        .text_date("ends", "ends_on")
}

fn rendered(database: Database) -> String {
    let engine = engine(JOBS);
    let mut text = String::new();
    let asked =
        ["own", "others", "free", "any", "seen", "team", "far", "near", "sized", "dated", "all"];
    let asked = asked.map(|action| ("7", action)).into_iter().chain([
        ("8", "far"),
        ("root", "own"),
        ("nobody", "own"),
    ]);
    for (user, action) in asked {
        let filter = filter(&engine, user, action);
        let condition = filter.condition(&jobs(database)).expect("all is mapped");
        let select = select("jobs", "id", condition);
        let (sql, values) = match database {
            Database::Sqlite => select.build(SqliteQueryBuilder),
            Database::Postgres => select.build(PostgresQueryBuilder),
            Database::Mysql => select.build(MysqlQueryBuilder),
        };
        let (_, condition) = sql.split_once(" WHERE ").expect("a condition");
        text.push_str(&format!("{user} {action}: {filter}\n  {condition}\n  {:?}\n\n", values.0));
    }
    text
}

#[test]
fn each_database_is_asked_in_its_own_terms() {
    insta::assert_snapshot!("sqlite", rendered(Database::Sqlite));
    insta::assert_snapshot!("postgres", rendered(Database::Postgres));
    insta::assert_snapshot!("mysql", rendered(Database::Mysql));
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
        let condition = filter(&engine, "7", action).condition(&jobs(Database::Sqlite));
        let select = select("jobs", "cost", condition.expect("all is mapped"));
        let (sql, values) = select.build(SqliteQueryBuilder);
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
        filter.condition(mapping).expect_err("something is lacking")
    };
    let bare = Mapping::new(Database::Sqlite, "job", "jobs");
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
    let expected = "`leeds`, whom relation `team` of `job` may name, has no id";
    assert_eq!(no_id(with(Ids::column("team").integers())), expected);
    assert_eq!(no_id(with(Ids::column("team").values(|_| None))), expected);
    let null = |_: &str| Some(Bound::BigInt(None));
    assert_eq!(no_id(with(Ids::column("team").values(null))), expected);
    // What nothing is asked of need not be mapped.
    assert!(filter(&engine, "7", "all").condition(&bare).is_ok());
    assert!(filter(&engine, "root", "own").condition(&bare).is_ok());
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
        let condition = filter(&engine(&policy), name, "own").condition(&jobs(Database::Sqlite));
        assert_eq!(condition.is_ok(), is_id, "{name}");
    }
}

#[test]
fn another_kind_of_object_is_never_selected() {
    let engine = engine(JOBS);
    let orders = Mapping::new(Database::Sqlite, "order", "orders");
    let sql = |user, action| {
        let condition = filter(&engine, user, action).condition(&orders).expect("nothing is asked");
        select("orders", "id", condition).to_string(SqliteQueryBuilder)
    };
    assert!(sql("7", "all").ends_with(" WHERE FALSE"));
    assert!(sql("7", "own").ends_with(" WHERE FALSE"));
    assert!(sql("root", "own").ends_with(" WHERE TRUE"));
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
        let engine = engine(
            &JOBS
                .replace(
                    r#""7": {"groups": ["uk"]}"#,
                    &format!(r#"{json}: {{"groups": [{json}]}}"#),
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
            let condition = filter(&engine, name, action).condition(&mapping);
            selected(&database, &table, "id", condition.expect("all is mapped"))
        };
        let only = [Cell::Text((*name).to_owned())];
        assert_eq!(selected("own"), only);
        assert_eq!(selected("team"), only);
        assert_eq!(selected("near"), only);
        assert_eq!(selected("far").len(), texts.len() - 1);
    }

    let nul =
        Mapping::new(Database::Sqlite, "job", "jobs").relation("assignee", Ids::column("id\0"));
    let condition = filter(&engine(JOBS), "7", "own").condition(&nul).expect("it is mapped");
    let (sql, _) = select("jobs", "id", condition).build(SqliteQueryBuilder);
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
    // Who works on the steps of a job watches it.
    let mapping = |name: &str| {
        Mapping::new(Database::Sqlite, "job", name)
            .relation("assignee", Ids::column("assignee"))
            .relation("watcher", Ids::join_table("related", [("parent", "id")], "assignee"))
    };
    let engine = engine(JOBS);
    for name in ["related", "Related", "j"] {
        let rows = |action: &str| {
            let condition = filter(&engine, "7", action).condition(&mapping(name));
            let select = Query::select()
                .column((Alias::new(name), Alias::new("id")))
                .from_as(Alias::new("related"), Alias::new(name))
                .and_where(condition.expect("all is mapped"))
                .take();
            let (sql, values) = select.build(SqliteQueryBuilder);
            query(&database, &sql, cells(values)).concat()
        };
        let ids = |ids: &[i64]| ids.iter().copied().map(Cell::Integer).collect::<Vec<_>>();
        assert_eq!(rows("seen"), ids(&[1, 2]));
        assert_eq!(rows("any"), ids(&[1, 3, 4]));
        assert_eq!(rows("free"), ids(&[4]));
    }
}

/// Definitions are written out, as far as that is reasonable.
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
    let too_large = filter(&engine(60), "u", "a59").condition(&mapping(60));
    assert_eq!(too_large, Err(ConditionError::TooLarge));

    let engine = engine(9);
    let filter = filter(&engine, "u", "a8");
    assert!(!filter.definitions().is_empty());
    let condition = filter.condition(&mapping(9)).expect("it is small enough");
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

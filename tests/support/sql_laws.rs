//! Filters as SQL against `can`: a real SQLite selects the rows on which it says
//! yes.

use super::by_name::ByName;
use std::collections::BTreeMap;

use fastrand::Rng;
use grantree::document::{self, BoundType, Map, ObjectKind, RelationType};
use grantree::object::{DynamicObject, Object, RelationState, Subject, Value};
use grantree::sql::{Database, Ids, Mapping, SqlValue};
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, params_from_iter};

use super::case::{Case, filters, objects};

// Running the SQL.

/// A condition, and the values to bind in it.
pub type Where = (String, Vec<SqlValue>);

pub fn select(table: &str, column: &str, condition: &str) -> String {
    let (table, column) = (quoted(table), quoted(column));
    format!("SELECT {table}.{column} FROM {table} WHERE {condition}")
}

pub fn cells(values: Vec<SqlValue>) -> Vec<Cell> {
    let cell = |value| match value {
        SqlValue::Text(text) => Cell::Text(text),
        SqlValue::Integer(integer) => Cell::Integer(integer),
        SqlValue::Bytes(bytes) => Cell::Blob(bytes),
        other => panic!("{other:?} is bound"),
    };
    values.into_iter().map(cell).collect()
}

/// The values of a column in the rows for which the condition is true.
pub fn selected(
    database: &Connection,
    table: &str,
    column: &str,
    (condition, values): Where,
) -> Vec<Cell> {
    let rows = query(database, &select(table, column, &condition), cells(values));
    rows.into_iter().map(|mut row| row.remove(0)).collect()
}

pub fn query(database: &Connection, sql: &str, values: Vec<Cell>) -> Vec<Vec<Cell>> {
    let mut statement = database.prepare(sql).unwrap_or_else(|error| panic!("{error} in {sql}"));
    let columns = statement.column_count();
    let rows = statement
        .query_map(params_from_iter(values), |row| (0..columns).map(|at| row.get(at)).collect())
        .unwrap_or_else(|error| panic!("{error} in {sql}"));
    rows.collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error} in {sql}"))
}

pub fn execute(database: &Connection, sql: &str, values: Vec<Cell>) {
    let result = database.execute(sql, params_from_iter(values));
    result.unwrap_or_else(|error| panic!("{error} in {sql}"));
}

pub fn quoted(identifier: &str) -> String {
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
    /// Ids are the numbers of these names, not texts.
    numbers: Option<Vec<String>>,
}

/// A row as an object, read from the database.
#[derive(Debug)]
struct Row {
    kind: String,
    /// Whom a relation names, if that is known.
    relations: BTreeMap<String, (RelationType, Vec<Option<String>>)>,
    attributes: BTreeMap<String, (BoundType, Cell)>,
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
            (_, Cell::Null) => None,
            (BoundType::Flag, Cell::Integer(flag @ 0..=1)) => Some(Value::Boolean(*flag == 1)),
            (_, Cell::Integer(integer)) => Some(Value::Integer(*integer)),
            (_, Cell::Text(text)) => Some(Value::Text(text)),
            (_, Cell::Real(_) | Cell::Blob(_)) => Some(Value::Other),
        }
    }
}

impl<'c> Table<'c> {
    /// A table with a random layout, and its rows: the objects, and some that no host
    /// should have.
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
                    i64::try_from(at).ok().map(SqlValue::Integer)
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
                    Some(Value::Boolean(flag)) => Cell::Integer(flag.into()),
                    Some(Value::Other) => Cell::Real(0.5),
                },
                None => any_value(rng),
            });
        }
        let marks = vec!["?"; row.len()].join(", ");
        execute(database, &format!("INSERT INTO {} VALUES ({marks})", quoted(&self.name)), row);
    }

    /// Reads the rows back: columns may have converted the values that they were given.
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
            let declared = self.declared.attributes.iter().zip(rest.cloned());
            let attributes =
                declared.map(|((name, &of), cell)| (name.to_owned(), (of, cell))).collect();
            self.rows.push(Row { kind: self.kind.to_owned(), relations, attributes });
        }
    }

    /// The positions of the rows for which the condition is true.
    fn selected(&self, database: &Connection, condition: Where) -> Vec<i64> {
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
pub fn rows_selected_are_those_allowed(case: &Case) {
    let document = &case.document;
    let engine = case.engine();
    let objects = objects(case);
    let mut names: Vec<String> = document.users.iter().map(|(name, _)| name.to_owned()).collect();
    names.extend(document.groups.iter().map(|(name, _)| name.to_owned()));
    names.extend(document.users.iter().flat_map(|(_, user)| user.groups.iter().cloned()));
    let assignments = document.users.iter().flat_map(|(_, user)| user.assignments.iter());
    let on = assignments.flat_map(|(_, assignment)| &assignment.on).flat_map(Map::iter);
    for (_, bound) in on.flat_map(|(_, conditions)| conditions.iter()) {
        if let document::Bound::OneOf(any_of) = bound {
            names.extend(any_of.iter().cloned());
        }
    }
    names.extend(["alice", "stranger"].map(str::to_owned));
    names.sort_unstable();
    names.dedup();

    let mut rng = case.dice();
    let database = Connection::open_in_memory().expect("a database");
    let kinds = document.catalogue.objects.iter();
    let tables: Vec<Table<'_>> =
        kinds.map(|kind| Table::new(&database, &mut rng, &names, kind, &objects)).collect();
    for (user, action, today) in filters(case) {
        let Ok(filter) = engine.filter_by_name(user, action, today) else { continue };
        let (user, action) = (engine.user(user), engine.permission(action).expect("it is known"));
        for table in &tables {
            if filter.kind().is_some_and(|kind| kind != table.kind) {
                continue;
            }
            let (condition, values) = filter.where_clause(&table.mapping, 1).expect("it is mapped");
            let can = |row: &Row| {
                user.as_ref().is_ok_and(|&user| engine.can(user, action, (Some(row), today)))
            };
            let (mut allowed, mut others) = (Vec::new(), Vec::new());
            for (at, row) in (0..).zip(&table.rows) {
                if can(row) { allowed.push(at) } else { others.push(at) }
            }
            let told = || format!("{filter}\n{condition}\n{values:?}\n{:#?}", table.rows);
            let selected =
                |condition: &str| table.selected(&database, (condition.to_owned(), values.clone()));
            assert_eq!(selected(&condition), allowed, "{}", told());
            assert_eq!(selected(&format!("NOT {condition}")), others, "not: {}", told());
        }
    }
}

//! A random table of one kind of object, and its rows as a host would load them.

use std::collections::BTreeMap;

use fastrand::Rng;
use grantree::Date;
use grantree::document::{BoundType, ObjectKind, RelationType};
use grantree::object::{Object, RelationState, Subject, Value};
use grantree::sql::{Database, Ids, Mapping, SqlValue};
use grantree_databases::Server;

/// What a host's loader makes of the values of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loaded {
    Text,
    Integer,
    Date,
    /// A time, of which an expression takes the date.
    DateOfTime,
    Flag,
    /// None of the types that attributes have.
    Other,
}

/// A type of columns: its SQL, what it is loaded as, and what is stored in it.
type ColumnType = (&'static str, Loaded, Stored);

#[derive(Clone, Copy, Debug)]
enum Stored {
    Text,
    Integer,
    /// 32, 16 or fewer bits.
    Small,
    /// More than 64 bits.
    Unsigned,
    Fraction,
    Float,
    Date,
    Time,
    Flag,
}

/// Makes what types need.
pub fn prepare(server: &mut Server) {
    if server.database() == Database::Mysql {
        server.execute("SET default_storage_engine = MyISAM");
    }
    if server.database() == Database::Postgres {
        server.execute("CREATE EXTENSION IF NOT EXISTS citext SCHEMA public");
        server.execute(
            "CREATE COLLATION alike (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
        );
    }
}

fn text_types(database: Database) -> &'static [ColumnType] {
    match database {
        Database::Mysql => &[
            ("varchar(60)", Loaded::Text, Stored::Text),
            ("varchar(60) COLLATE utf8mb4_bin", Loaded::Text, Stored::Text),
            ("varchar(60) CHARACTER SET latin1", Loaded::Text, Stored::Text),
            ("char(40)", Loaded::Text, Stored::Text),
            ("text", Loaded::Text, Stored::Text),
        ],
        _ => &[
            ("text", Loaded::Text, Stored::Text),
            ("varchar(60)", Loaded::Text, Stored::Text),
            ("text COLLATE alike", Loaded::Text, Stored::Text),
            ("public.citext", Loaded::Text, Stored::Text),
            ("char(40)", Loaded::Text, Stored::Text),
        ],
    }
}

fn number_types(database: Database) -> &'static [ColumnType] {
    match database {
        Database::Mysql => &[
            ("bigint", Loaded::Integer, Stored::Integer),
            ("int", Loaded::Integer, Stored::Small),
            ("bigint unsigned", Loaded::Integer, Stored::Unsigned),
            ("decimal(12, 2)", Loaded::Other, Stored::Fraction),
            ("double", Loaded::Other, Stored::Float),
            ("varchar(60)", Loaded::Text, Stored::Text),
        ],
        _ => &[
            ("bigint", Loaded::Integer, Stored::Integer),
            ("int", Loaded::Integer, Stored::Small),
            ("smallint", Loaded::Integer, Stored::Small),
            ("numeric(12, 2)", Loaded::Other, Stored::Fraction),
            ("double precision", Loaded::Other, Stored::Float),
            ("text", Loaded::Text, Stored::Text),
        ],
    }
}

/// The types that an attribute's column may have; most of the wrong ones are last.
fn attribute_types(database: Database, bound: BoundType) -> Vec<ColumnType> {
    let mysql = database == Database::Mysql;
    match bound {
        BoundType::OneOf => {
            let other = if mysql {
                vec![
                    ("varbinary(120)", Loaded::Other, Stored::Text),
                    ("int", Loaded::Integer, Stored::Small),
                    ("date", Loaded::Date, Stored::Date),
                ]
            } else {
                vec![("int", Loaded::Integer, Stored::Small)]
            };
            [text_types(database).to_vec(), other].concat()
        }
        BoundType::AtMost | BoundType::AtLeast => {
            let mut types = number_types(database).to_vec();
            if mysql {
                types.push(("date", Loaded::Date, Stored::Date));
                types.push(("varbinary(60)", Loaded::Other, Stored::Integer));
            }
            types
        }
        BoundType::NotBefore | BoundType::NotAfter => {
            let time = if mysql { "datetime" } else { "timestamp" };
            let mut types = vec![
                ("date", Loaded::Date, Stored::Date),
                ("date", Loaded::Date, Stored::Date),
                (time, Loaded::DateOfTime, Stored::Time),
                (time, Loaded::Other, Stored::Time),
                ("char(14)", Loaded::Text, Stored::Date),
                ("varchar(60)", Loaded::Text, Stored::Date),
            ];
            types.extend(text_types(database).iter().map(|it| (it.0, it.1, Stored::Date)));
            if mysql {
                types.push(("bigint", Loaded::Integer, Stored::Integer));
            }
            types
        }
        BoundType::Flag if mysql => vec![
            ("tinyint(1)", Loaded::Flag, Stored::Flag),
            ("int", Loaded::Flag, Stored::Small),
            ("varchar(5)", Loaded::Text, Stored::Flag),
            ("bit(1)", Loaded::Other, Stored::Flag),
        ],
        BoundType::Flag => vec![
            ("boolean", Loaded::Flag, Stored::Flag),
            ("boolean", Loaded::Flag, Stored::Flag),
            ("int", Loaded::Flag, Stored::Small),
        ],
    }
}

/// A table with the rows of one kind of object.
#[derive(Debug)]
pub struct Table {
    pub mapping: Mapping,
    /// The numbers of its rows.
    pub select: String,
    pub rows: Vec<Row>,
    /// A column has a type that the mapping doesn't expect, and less may be selected.
    pub is_as_expected: bool,
    /// The database may refuse the query for that.
    pub may_be_refused: bool,
}

/// A row as an object.
#[derive(Debug, Default)]
pub struct Row {
    kind: String,
    relations: BTreeMap<String, (RelationType, Vec<String>)>,
    attributes: BTreeMap<String, (Loaded, Option<String>)>,
}

impl Default for Loaded {
    fn default() -> Loaded {
        Loaded::Other
    }
}

impl Object for Row {
    fn kind(&self) -> &str {
        &self.kind
    }

    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
        let (names, ids) = self.relations.get(name)?;
        match names {
            RelationType::User => subject.users(ids),
            RelationType::Group => subject.groups(ids),
        }
    }

    fn attribute(&self, name: &str) -> Option<Value<'_>> {
        let (loaded, text) = self.attributes.get(name)?;
        let text = text.as_deref()?;
        let date = |text: &str| match text.parse::<Date>() {
            Ok(date) if text >= "0001" => Value::Date(date),
            _ => Value::Other,
        };
        Some(match loaded {
            Loaded::Text => Value::Text(text),
            Loaded::Integer => text.parse().map_or(Value::Other, Value::Integer),
            Loaded::Date => date(text),
            Loaded::DateOfTime => date(text.get(..10).unwrap_or_default()),
            Loaded::Flag => match text {
                "t" | "1" => Value::Boolean(true),
                "f" | "0" => Value::Boolean(false),
                _ => Value::Other,
            },
            Loaded::Other => Value::Other,
        })
    }
}

/// The place of a relation.
enum Place {
    Column,
    Array,
    /// Joined on the row's number, or on its id and tenant.
    Joined {
        table: String,
        two: bool,
    },
    /// The tables that are joined, the one after the other.
    Steps {
        first: String,
        second: String,
    },
}

struct Relation {
    name: String,
    names: RelationType,
    place: Place,
    column: String,
    stored: Stored,
    /// Ids are the numbers of these names.
    numbers: Option<Vec<String>>,
}

impl Table {
    pub fn new(
        server: &mut Server,
        rng: &mut Rng,
        names: &[String],
        kind: &str,
        declared: &ObjectKind,
        number: usize,
    ) -> Table {
        let database = server.database();
        let name = format!("{number} {kind} 'of' \"x\" `?` $1");
        let schema = "grantree \"agree\" `1`";
        let mut mapping = if rng.bool() {
            Mapping::new(database, kind, &name)
        } else {
            Mapping::new(database, kind, (schema, &name))
        };
        if rng.u8(..4) > 0 {
            mapping = mapping.key(["at"]);
        } else if rng.bool() {
            mapping = mapping.key(["tenant", "at"]);
        }
        let alias = ["", "", "related", "own", "j \"`"][rng.usize(..5)];
        if !alias.is_empty() {
            mapping = mapping.alias(alias);
        }
        let quoted = |server: &Server, name: &str| server.quoted(name);
        let table = quoted(server, &name);
        let row = if alias.is_empty() { table.clone() } else { quoted(server, alias) };
        let from = if alias.is_empty() { table.clone() } else { format!("{table} AS {row}") };
        let select = format!("SELECT {row}.{} FROM {from}", quoted(server, "at"));

        let (mut is_as_expected, mut may_be_refused) = (true, false);
        let mut columns = ["at bigint PRIMARY KEY", "id bigint", "tenant bigint NOT NULL"]
            .map(str::to_owned)
            .to_vec();
        let mut tables = vec![table.clone()];
        let mut relations = Vec::new();
        for (relation, &of) in declared.relations.iter() {
            let numbers = rng.bool().then(|| names.to_vec());
            let types =
                if numbers.is_some() { number_types(database) } else { text_types(database) };
            // Mostly a type that is expected.
            let at = if numbers.is_some() && rng.u8(..5) > 0 {
                rng.usize(..2)
            } else {
                rng.usize(..types.len())
            };
            let (sql, loaded, stored) = types[at];
            if numbers.is_some() {
                is_as_expected &= loaded == Loaded::Integer;
                may_be_refused |= database == Database::Postgres && loaded == Loaded::Text;
            }
            let column = format!("{relation} \"'`");
            let own = quoted(server, &column);
            let join_table = format!("{name} {relation}");
            let joined = quoted(server, &join_table);
            let such = "{row}.gone IS NULL AND {row}.entity = 'job'";
            let place = match rng.u8(..6) {
                0 | 1 => Place::Column,
                2 if database == Database::Postgres => Place::Array,
                2..=4 => Place::Joined { table: join_table.clone(), two: rng.bool() },
                _ => Place::Steps { first: format!("{join_table} 1"), second: join_table.clone() },
            };
            let mut create = |server: &mut Server, table: &str, columns: &str| {
                server.execute(&format!("DROP TABLE IF EXISTS {table}"));
                server.execute(&format!("CREATE TABLE {table} ({columns})"));
                tables.push(table.to_owned());
            };
            let mut ids = match &place {
                Place::Column => {
                    columns.push(format!("{own} {sql}"));
                    if rng.bool() {
                        Ids::column(&column)
                    } else {
                        Ids::expr(format!("{{row}}.{own}"))
                    }
                }
                Place::Array => {
                    let element = if numbers.is_some() { "bigint" } else { "text" };
                    columns.push(format!("{own} {element}[]"));
                    Ids::array(&column)
                }
                Place::Joined { two, .. } => {
                    let columns = format!(
                        "at bigint, id bigint, tenant bigint, gone int, entity varchar(9), {own} {sql}"
                    );
                    create(server, &joined, &columns);
                    let on: &[_] =
                        if *two { &[("id", "id"), ("tenant", "tenant")] } else { &[("at", "at")] };
                    Ids::join_table(&join_table, on.iter().copied(), &column).rows_such(such)
                }
                Place::Steps { first, second } => {
                    let first_quoted = quoted(server, first);
                    create(
                        server,
                        &first_quoted,
                        "at bigint, middle bigint, gone int, entity varchar(9)",
                    );
                    let columns =
                        format!("middle bigint, gone int, entity varchar(9), {own} {sql}");
                    create(server, &joined, &columns);
                    Ids::join_table((schema, first), [("at", "at")], "middle")
                        .rows_such("{row}.gone IS NULL")
                        .rows_such("{row}.entity = 'job'")
                        .then_join(second, [("middle", "middle")], &column)
                        .rows_such(such)
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
            let stored = if matches!(place, Place::Array) && numbers.is_some() {
                Stored::Integer
            } else {
                stored
            };
            relations.push(Relation { name, names: of, place, column: own, stored, numbers });
        }
        let mut attributes = Vec::new();
        for (attribute, &bound) in declared.attributes.iter() {
            let types = attribute_types(database, bound);
            let (sql, loaded, stored) = types[rng.usize(..types.len())];
            let column = format!("{attribute} \"'`");
            let own = quoted(server, &column);
            columns.push(format!("{own} {sql}"));
            let is_date = matches!(bound, BoundType::NotBefore | BoundType::NotAfter);
            mapping = if loaded == Loaded::DateOfTime {
                mapping.attribute_expr(attribute, format!("CAST({{row}}.{own} AS date)"))
            } else if is_date
                && loaded == Loaded::Text
                && (database == Database::Postgres || rng.bool())
            {
                mapping.text_date(attribute, &column)
            } else {
                mapping.attribute(attribute, &column)
            };
            if database == Database::Postgres {
                may_be_refused |= match bound {
                    BoundType::OneOf => loaded != Loaded::Text,
                    BoundType::AtMost | BoundType::AtLeast => loaded == Loaded::Text,
                    BoundType::Flag => sql != "boolean",
                    _ => false,
                };
            }
            attributes.push((attribute.to_owned(), own, loaded, stored));
        }
        server.execute(&format!("DROP TABLE IF EXISTS {table}"));
        server.execute(&format!("CREATE TABLE {table} ({})", columns.join(", ")));

        let mut made = Table { mapping, select, rows: Vec::new(), is_as_expected, may_be_refused };
        if database == Database::Mysql {
            server.execute("SET sql_mode = 'ALLOW_INVALID_DATES'");
        }
        let count = rng.i64(6..16);
        let mut rows = BTreeMap::new();
        for at in 0..count {
            insert(server, rng, names, at, &table, &relations, &attributes, &mut rows);
        }
        for (table, rows) in rows {
            server.execute(&format!("INSERT INTO {table} VALUES {}", rows.join(", ")));
        }
        if database == Database::Mysql {
            server.execute("SET sql_mode = DEFAULT");
        }
        made.read(server, kind, &table, &relations, &attributes);
        made
    }

    /// Reads the rows back: columns may have converted the values that they were given.
    fn read(
        &mut self,
        server: &mut Server,
        kind: &str,
        table: &str,
        relations: &[Relation],
        attributes: &[(String, String, Loaded, Stored)],
    ) {
        let numbers = server.rows(&format!("SELECT at FROM {table}"));
        let row = |_| Row { kind: kind.to_owned(), ..Row::default() };
        self.rows = numbers.iter().map(row).collect();
        for relation in relations {
            let column = &relation.column;
            let such = |table: &str| format!("{table}.gone IS NULL AND {table}.entity = 'job'");
            let query = match &relation.place {
                Place::Column => format!("SELECT at, {column} FROM {table}"),
                Place::Array => format!("SELECT at, unnest({column}) FROM {table}"),
                Place::Joined { table: joined, two } => {
                    let joined = server.quoted(joined);
                    let on =
                        if *two { "j.id = t.id AND j.tenant = t.tenant" } else { "j.at = t.at" };
                    let such = such("j");
                    format!(
                        "SELECT t.at, j.{column} FROM {table} t JOIN {joined} j ON {on} WHERE {such}"
                    )
                }
                Place::Steps { first, second } => {
                    let [first, second] = [first, second].map(|it| server.quoted(it));
                    let such = [such("f"), such("s")].join(" AND ");
                    format!(
                        "SELECT f.at, s.{column} FROM {first} f JOIN {second} s ON s.middle = f.middle \
                         WHERE {such}"
                    )
                }
            };
            for row in &mut self.rows {
                row.relations.insert(relation.name.clone(), (relation.names, Vec::new()));
            }
            for (at, id) in server.rows(&query).into_iter().filter_map(pair) {
                let row = &mut self.rows[at];
                let (_, named) = row.relations.get_mut(&relation.name).expect("it was inserted");
                named.extend(id.map(|id| relation.name_of(&id)));
            }
        }
        for (attribute, column, loaded, _) in attributes {
            let values = server.rows(&format!("SELECT at, {column} FROM {table}"));
            for (at, value) in values.into_iter().filter_map(pair) {
                self.rows[at].attributes.insert(attribute.clone(), (*loaded, value));
            }
        }
    }
}

/// The number of a row, and a value.
fn pair(row: Vec<Option<String>>) -> Option<(usize, Option<String>)> {
    let [at, value] = <[_; 2]>::try_from(row).ok()?;
    Some((at?.parse().ok()?, value))
}

impl Relation {
    fn name_of(&self, id: &str) -> String {
        let Some(numbers) = &self.numbers else { return id.to_owned() };
        let number = id.parse::<usize>().ok().filter(|number| number.to_string() == id);
        let known = number.and_then(|number| numbers.get(number));
        known.cloned().unwrap_or_else(|| format!("nobody: {id}"))
    }

    /// A random id, as it is inserted.
    fn any_id(&self, rng: &mut Rng, names: &[String]) -> Option<String> {
        let at = rng.usize(..names.len());
        if rng.u8(..8) == 0 {
            return None;
        }
        Some(match (&self.numbers, self.stored) {
            (None, _) => alike(rng, &names[at]),
            (Some(_), Stored::Text) => match rng.u8(..4) {
                0 => format!("{at}abc"),
                1 => format!("0{at}"),
                _ => at.to_string(),
            },
            (Some(_), Stored::Fraction) => format!("{at}.{}", ["00", "50"][rng.usize(..2)]),
            (Some(_), _) => match rng.u8(..6) {
                0 => (at + 1000).to_string(),
                _ => at.to_string(),
            },
        })
    }
}

/// The text, or one that some collation takes for the same.
fn alike(rng: &mut Rng, text: &str) -> String {
    match rng.u8(..10) {
        0 => text.to_uppercase(),
        1 => format!("{text} "),
        2 => text.replace('e', "é").replace('o', "ö"),
        3 => format!("{text}\u{300}"),
        _ => text.to_owned(),
    }
}

fn any_value(rng: &mut Rng, stored: Stored, server: &Server) -> Option<String> {
    const TEXTS: [&str; 10] =
        ["north", "south", "east", "blue", "red", "10", "-5", "12abc", "2026-11-20", ""];
    const DATES: [&str; 14] = [
        "2026-11-20",
        "2026-11-19",
        "2026-11-21",
        "2026-11-22",
        "2026-11-23",
        "2026-12-01",
        "2027-01-01",
        "2026-02-28",
        "2024-02-29",
        "9999-12-31",
        "0001-01-01",
        "2026-11-00",
        "2026-02-31",
        "0000-00-00",
    ];
    let is_mysql = server.database() == Database::Mysql;
    if rng.u8(..8) == 0 {
        return None;
    }
    Some(match stored {
        Stored::Text => {
            let text = TEXTS[rng.usize(..TEXTS.len())];
            alike(rng, text)
        }
        Stored::Small => rng.i64(-12..12).to_string(),
        Stored::Integer => match rng.u8(..6) {
            0 => i64::MAX.to_string(),
            1 => i64::MIN.to_string(),
            _ => rng.i64(-12..12).to_string(),
        },
        Stored::Unsigned => match rng.u8(..4) {
            0 => u64::MAX.to_string(),
            1 => (1_u64 << 63).to_string(),
            _ => rng.u64(..12).to_string(),
        },
        Stored::Fraction => format!("{}.{}", rng.i64(-12..12), ["00", "50"][rng.usize(..2)]),
        Stored::Float => match rng.u8(..4) {
            0 if !is_mysql => "NaN".to_owned(),
            1 if !is_mysql => "-Infinity".to_owned(),
            0 | 1 => "1e30".to_owned(),
            _ => rng.i64(-12..12).to_string(),
        },
        Stored::Date => {
            let count = if is_mysql { DATES.len() } else { DATES.len() - 3 };
            match rng.u8(..12) {
                0 if !is_mysql => "infinity".to_owned(),
                1 if !is_mysql => "0044-03-15 BC".to_owned(),
                _ => DATES[rng.usize(..count)].to_owned(),
            }
        }
        Stored::Time => {
            let count = if is_mysql { DATES.len() } else { DATES.len() - 3 };
            let time = ["00:00:00", "10:00:00"][rng.usize(..2)];
            format!("{} {time}", DATES[rng.usize(..count)])
        }
        Stored::Flag if is_mysql => rng.u8(..2).to_string(),
        Stored::Flag => ["t", "f"][rng.usize(..2)].to_owned(),
    })
}

fn literal(server: &Server, text: Option<&str>) -> String {
    let Some(text) = text else { return "NULL".to_owned() };
    match server.database() {
        Database::Mysql => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
        _ => format!("'{}'", text.replace('\'', "''")),
    }
}

fn insert(
    server: &Server,
    rng: &mut Rng,
    names: &[String],
    at: i64,
    table: &str,
    relations: &[Relation],
    attributes: &[(String, String, Loaded, Stored)],
    rows: &mut BTreeMap<String, Vec<String>>,
) {
    let mut add = |table: &str, row: String| rows.entry(table.to_owned()).or_default().push(row);
    let id = if rng.u8(..20) == 0 { "NULL".to_owned() } else { (at / 2).to_string() };
    let mut values = vec![at.to_string(), id, (at % 2).to_string()];
    for relation in relations {
        let mut ids: Vec<Option<String>> =
            (0..rng.usize(..4)).map(|_| relation.any_id(rng, names)).collect();
        let such = |rng: &mut Rng| {
            let gone = if rng.u8(..5) == 0 { "1" } else { "NULL" };
            let entity = ["'job'", "'job'", "'job'", "'order'", "NULL"][rng.usize(..5)];
            format!("{gone}, {entity}")
        };
        match &relation.place {
            Place::Column => {
                values.push(literal(server, ids.pop().flatten().as_deref()));
            }
            Place::Array => {
                let ids: Vec<String> =
                    ids.iter().map(|id| literal(server, id.as_deref())).collect();
                let element = if relation.numbers.is_some() { "bigint" } else { "text" };
                values.push(match rng.u8(..6) {
                    0 => "NULL".to_owned(),
                    _ => format!("CAST(ARRAY[{}] AS {element}[])", ids.join(", ")),
                });
            }
            Place::Joined { table, .. } => {
                let table = server.quoted(table);
                for id in ids {
                    let id = literal(server, id.as_deref());
                    let mut key = values[..3].to_vec();
                    if rng.u8(..20) == 0 {
                        key[rng.usize(..3)] = "NULL".to_owned();
                    }
                    let such = such(rng);
                    add(&table, format!("({}, {such}, {id})", key.join(", ")));
                }
            }
            Place::Steps { first, second } => {
                let [first, second] = [first, second].map(|it| server.quoted(it));
                let middle = rng.i64(..5);
                let own = such(rng);
                add(&first, format!("({at}, {middle}, {own})"));
                for id in ids {
                    let id = literal(server, id.as_deref());
                    let such = such(rng);
                    add(&second, format!("({middle}, {such}, {id})"));
                }
            }
        }
    }
    for (_, _, _, stored) in attributes {
        let value = any_value(rng, *stored, server);
        values.push(literal(server, value.as_deref()));
    }
    add(table, format!("({})", values.join(", ")));
}

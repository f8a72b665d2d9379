//! From a filter's predicate to a condition.

use std::cell::Cell;

use super::column::{Column, Values};
use super::join::{Join, Keys, Source, accepted};
use super::mapping::{Attribute, IdForm, IdPlace, Ids, MakeValue, Mapping, Step, Term};
use super::text::{Condition, Sql};
use super::{ConditionError, Database, SqlValue, narrow};
use crate::filter::{Filter, Predicate};
use crate::relation::{RelationState, RelationType};

/// The most tests that a condition has, with definitions written out, and the
/// deepest that joins are nested. Databases limit both, and so does the stack of
/// the code that renders the condition.
const MOST_TESTS: usize = 4_096;
const MOST_DEPTH: usize = 256;

/// The filter's condition on the rows of a table.
pub(super) fn of(filter: &Filter, mapping: &Mapping) -> Result<Sql, ConditionError> {
    if let Some(kind) = filter.kind().filter(|kind| *kind != mapping.kind) {
        let (kind, mapped) = (kind.to_owned(), mapping.kind.clone());
        return Err(ConditionError::OtherKind { kind, mapped });
    }
    let mut sizes = Vec::new();
    for definition in filter.definitions() {
        sizes.push(Size::of(definition, &sizes));
    }
    let size = Size::of(filter.predicate(), &sizes);
    if size.tests > MOST_TESTS || size.depth > MOST_DEPTH {
        return Err(ConditionError::TooLarge);
    }
    let bound = Cell::new(0);
    let row = mapping.row();
    let rows = Rows { filter, mapping, row: &row, bound: &bound, decides: true };
    let exact = rows.condition(filter.predicate())?;
    let narrowed = match exact {
        Condition::Constant(_) => None,
        _ => narrow::condition(filter, mapping, &bound)?,
    };
    Ok(match narrowed {
        Some(narrowed) => narrowed.and(exact).sql(),
        None => exact.sql(),
    })
}

/// Returns the error of a condition that binds more values than a database takes in one query,
/// less some that are the host's.
pub(super) fn check_bound(values: usize, database: Database) -> Result<(), ConditionError> {
    let most = match database {
        Database::Sqlite => 32_000,
        Database::Postgres | Database::Mysql => 65_000,
    };
    if values > most { Err(ConditionError::TooLarge) } else { Ok(()) }
}

/// The size of a predicate with its definitions written out.
#[derive(Clone, Copy)]
struct Size {
    tests: usize,
    depth: usize,
}

impl Size {
    /// `known` holds the sizes of the definitions of lower numbers.
    fn of(predicate: &Predicate, known: &[Size]) -> Size {
        match predicate {
            Predicate::And(parts) | Predicate::Or(parts) => {
                let parts = parts.iter().map(|part| Size::of(part, known));
                parts.fold(Size { tests: 0, depth: 1 }, |all, part| Size {
                    tests: all.tests.saturating_add(part.tests),
                    depth: all.depth.max(part.depth.saturating_add(1)),
                })
            }
            Predicate::Defined(number) => {
                known.get(*number).copied().unwrap_or(Size { tests: 1, depth: 0 })
            }
            _ => Size { tests: 1, depth: 0 },
        }
    }
}

/// Rows that are asked about.
pub(super) struct Rows<'f> {
    pub(super) filter: &'f Filter,
    pub(super) mapping: &'f Mapping,
    /// The row in the query, quoted.
    pub(super) row: &'f str,
    pub(super) bound: &'f Cell<usize>,
    /// `true` if what passes is decided; else only what can be looked up is tested.
    pub(super) decides: bool,
}

/// The users or groups one of whom a relation must name.
struct Mine<'n> {
    names: &'n [String],
    /// `true` if they are always one user: who asks.
    of_one: bool,
}

impl<'n> Mine<'n> {
    fn any_of(names: &'n [String]) -> Mine<'n> {
        Mine { names, of_one: false }
    }
}

impl<'f> Rows<'f> {
    pub(super) fn condition(&self, predicate: &Predicate) -> Result<Condition, ConditionError> {
        let each = |parts: &[Predicate]| -> Result<Vec<Condition>, ConditionError> {
            parts.iter().map(|part| self.condition(part)).collect()
        };
        Ok(match predicate {
            Predicate::All => Condition::Constant(true),
            // A filter has no bounds as they are written.
            Predicate::None | Predicate::Bound { .. } => Condition::Constant(false),
            Predicate::And(parts) => Condition::all(each(parts)?),
            Predicate::Or(parts) => Condition::any(each(parts)?),
            Predicate::Relation { name, names, states } => {
                let nobody = *states == [RelationState::None];
                let mine = if nobody { Mine::any_of(&[]) } else { self.me(*names) };
                self.relation(name, mine, states)?
            }
            // As of somebody who is one of these.
            Predicate::Names { name, any_of, .. } => {
                self.relation(name, Mine::any_of(any_of), &[RelationState::Me])?
            }
            Predicate::OneOf { attribute, values } => {
                let Attribute { term, value, .. } = self.attribute(attribute)?;
                let column = self.column(term);
                match value {
                    Some(value) => {
                        let ids = values.iter().filter_map(|text| value(text)).collect();
                        column.is_one_of(&of_host(ids))
                    }
                    None => column.is_text(values),
                }
            }
            Predicate::AtMost { attribute, value } => {
                self.column(&self.attribute(attribute)?.term).is_integer(i64::MIN, *value)
            }
            Predicate::AtLeast { attribute, value } => {
                self.column(&self.attribute(attribute)?.term).is_integer(*value, i64::MAX)
            }
            Predicate::NotBefore { attribute, date } => {
                let Attribute { term, dates, .. } = self.attribute(attribute)?;
                self.column(term).is_within(*dates, Some(*date), None)
            }
            Predicate::NotAfter { attribute, date } => {
                let Attribute { term, dates, .. } = self.attribute(attribute)?;
                self.column(term).is_within(*dates, None, Some(*date))
            }
            Predicate::Flag { attribute, values } => {
                self.column(&self.attribute(attribute)?.term).is_flag(values)
            }
            Predicate::Defined(number) => match self.filter.definitions().get(*number) {
                Some(definition) => self.condition(definition)?,
                None => Condition::Constant(false),
            },
        })
    }

    fn column(&self, term: &Term) -> Column<'f> {
        Column::new(self.mapping.database, term.of(self.mapping.database, self.row), self.bound)
    }

    /// Returns the users or groups that are me.
    fn me(&self, names: RelationType) -> Mine<'f> {
        Mine { names: self.filter.me(names), of_one: names == RelationType::User }
    }

    fn attribute(&self, name: &str) -> Result<&'f Attribute, ConditionError> {
        let lacking = || ConditionError::NoAttribute {
            kind: self.mapping.kind.clone(),
            attribute: name.to_owned(),
        };
        self.mapping.attributes.get(name).ok_or_else(lacking)
    }

    fn relation(
        &self,
        name: &str,
        Mine { names: mine, of_one }: Mine<'_>,
        states: &[RelationState],
    ) -> Result<Condition, ConditionError> {
        let Mapping { database, kind, relations, .. } = self.mapping;
        let (kind, relation) = (|| kind.clone(), || name.to_owned());
        let Some(ids) = relations.get(name) else {
            return Err(ConditionError::NoRelation { kind: kind(), relation: relation() });
        };
        let accepted = accepted(states);
        let mine = self.values(name, ids, mine, accepted)?;
        // Tests of other states are negations, where less would pass.
        let decides = self.decides || *states != [RelationState::Me];
        match &ids.place {
            IdPlace::Column(term) => {
                Ok(in_column(&Column { decides, of_one, ..self.column(term) }, &mine, accepted))
            }
            IdPlace::Array(_) if *database != Database::Postgres => {
                Err(ConditionError::NoArray { kind: kind(), relation: relation() })
            }
            IdPlace::Array(term) => {
                let array = self.column(term);
                let join = self.join(Source::Array(&array));
                let ids = Column { decides, of_one, ..self.joined(&join, "id") };
                Ok(join.condition(&ids, &mine, accepted))
            }
            IdPlace::Joined(steps, _) if !is_joined(steps) => {
                Err(ConditionError::NoJoin { kind: kind(), relation: relation() })
            }
            IdPlace::Joined(steps, column) => {
                let join = self.join(Source::Tables(steps));
                let ids = Column { decides, of_one, ..self.joined(&join, column) };
                Ok(join.condition(&ids, &mine, accepted))
            }
        }
    }

    /// Returns the keys of the objects whose relation may name the user, where the rows of a
    /// join table hold them.
    pub(super) fn joined_keys(
        &self,
        predicate: &Predicate,
    ) -> Result<Option<Keys>, ConditionError> {
        let (name, Mine { names: mine, of_one }) = match predicate {
            Predicate::Relation { name, names, states } if *states == [RelationState::Me] => {
                (name, self.me(*names))
            }
            Predicate::Names { name, any_of, .. } => (name, Mine::any_of(any_of)),
            _ => return Ok(None),
        };
        let Some(ids) = self.mapping.relations.get(name) else { return Ok(None) };
        let IdPlace::Joined(steps, column) = &ids.place else { return Ok(None) };
        let mine = self.values(name, ids, mine, accepted(&[RelationState::Me]))?;
        let join = self.join(Source::Tables(steps));
        let ids = Column { decides: false, of_one, ..self.joined(&join, column) };
        Ok(join.keys(&self.mapping.key, ids.is_one_of(&mine)))
    }

    fn join<'j>(&'j self, source: Source<'j>) -> Join<'j> {
        Join { database: self.mapping.database, row: self.row, source }
    }

    /// The column of ids in the rows that are joined.
    fn joined(&self, join: &Join<'_>, column: &str) -> Column<'f> {
        let database = self.mapping.database;
        let expr = Term::Column(column.to_owned()).of(database, &join.last_alias());
        Column::new(database, expr, self.bound)
    }

    /// The ids of users or groups. Where the relation may name others, all of them must have
    /// one: a row that names one without would seem to name somebody else.
    fn values(
        &self,
        relation: &str,
        ids: &Ids,
        names: &[String],
        [me, other, _]: [bool; 3],
    ) -> Result<Values, ConditionError> {
        let no_id = |name: &String| ConditionError::NoId {
            kind: self.mapping.kind.clone(),
            relation: relation.to_owned(),
            name: name.clone(),
        };
        let all = |value: fn(&String) -> bool| match names.iter().find(|name| !value(name)) {
            Some(name) => Err(no_id(name)),
            None => Ok(()),
        };
        Ok(match &ids.form {
            IdForm::Text => Values::Texts(names.to_vec()),
            IdForm::Integer => {
                all(|name| integer(name).is_some())?;
                Values::Integers(names.iter().filter_map(|name| integer(name)).collect())
            }
            IdForm::Uuid => {
                all(|name| is_uuid(name))?;
                Values::Uuids(names.to_vec())
            }
            IdForm::By(value) => {
                let value: &MakeValue = &**value;
                let known = names.iter().map(|name| (name, value(name)));
                let is_exact = me || !other;
                let known = known.filter_map(|(name, value)| match value {
                    Some(value) => Some(Ok(value)),
                    None if is_exact => None,
                    None => Some(Err(no_id(name))),
                });
                of_host(known.collect::<Result<_, _>>()?)
            }
        })
    }
}

/// Returns whether there are join tables, each joined on some column.
pub(super) fn is_joined(steps: &[Step]) -> bool {
    !steps.is_empty() && steps.iter().all(|step| !step.on.is_empty())
}

/// Reads an integer only as `i64` displays it, not as it parses: 7 is the id of `7`, and not
/// of `007`.
fn integer(name: &str) -> Option<i64> {
    name.parse::<i64>().ok().filter(|id| id.to_string() == *name)
}

/// Returns whether a text is a UUID as databases display it.
fn is_uuid(name: &str) -> bool {
    let is_letter = |(at, letter)| match at {
        8 | 13 | 18 | 23 => letter == b'-',
        _ => matches!(letter, b'0'..=b'9' | b'a'..=b'f'),
    };
    name.len() == 36 && name.bytes().enumerate().all(is_letter)
}

/// Values that a host computes get the conditions that built-in ones get.
fn of_host(values: Vec<SqlValue>) -> Values {
    let text = |value: &SqlValue| match value {
        SqlValue::Text(text) => Some(text.clone()),
        _ => None,
    };
    let integer = |value: &SqlValue| match value {
        SqlValue::Integer(integer) => Some(*integer),
        _ => None,
    };
    if values.is_empty() {
        return Values::Any(values);
    }
    if let Some(texts) = values.iter().map(text).collect() {
        return Values::Texts(texts);
    }
    values.iter().map(integer).collect::<Option<_>>().map_or(Values::Any(values), Values::Integers)
}

/// Tests whether a relation that names the ids of a column is in one of these states.
fn in_column(column: &Column<'_>, mine: &Values, [me, other, none]: [bool; 3]) -> Condition {
    // Where nothing is mine, no row is `me`, so accepting it changes nothing.
    let me = me || mine.is_empty();
    if me && other && none && column.is_typed(mine) {
        return Condition::Constant(true);
    }
    let somebody = match (me, other) {
        (true, true) => column.names_somebody(mine),
        (true, false) => column.is_one_of(mine),
        (false, true) => column.is_another(mine),
        (false, false) => Condition::Constant(false),
    };
    Condition::any(if none { vec![somebody, column.is_null()] } else { vec![somebody] })
}

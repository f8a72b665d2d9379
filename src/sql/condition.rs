//! From a filter's predicate to a condition.

use sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement, Value};

use super::column::{Column, Form};
use super::{Attribute, ConditionError, Database, Dates, Ids, Mapping, Place, Values};
use crate::filter::{Filter, Predicate};
use crate::relation::RelationState;

/// The most tests that a condition has, with definitions written out, and the
/// deepest that joins are nested. Databases limit both, and so does the stack of
/// the code that renders the condition.
const MOST_TESTS: usize = 4_096;
const MOST_DEPTH: usize = 64;

/// The filter's condition on the rows of a table.
pub(super) fn of(filter: &Filter, mapping: &Mapping) -> Result<Expr, ConditionError> {
    if filter.kind().is_some_and(|kind| kind != mapping.kind) {
        return Ok(truth(false));
    }
    let mut sizes = Vec::new();
    for definition in filter.definitions() {
        sizes.push(Size::of(definition, &sizes));
    }
    let size = Size::of(filter.predicate(), &sizes);
    if size.tests > MOST_TESTS || size.depth > MOST_DEPTH {
        return Err(ConditionError::TooLarge);
    }
    Search { filter, mapping }.condition(filter.predicate())
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

struct Search<'f> {
    filter: &'f Filter,
    mapping: &'f Mapping,
}

impl Search<'_> {
    fn condition(&self, predicate: &Predicate) -> Result<Expr, ConditionError> {
        let each = |parts: &[Predicate]| -> Result<Vec<Expr>, ConditionError> {
            parts.iter().map(|part| self.condition(part)).collect()
        };
        Ok(match predicate {
            Predicate::All => truth(true),
            // A filter has no bounds as they are written.
            Predicate::None | Predicate::Bound { .. } => truth(false),
            Predicate::And(parts) => all_of(each(parts)?),
            Predicate::Or(parts) => any_of(each(parts)?),
            Predicate::Relation { name, names, states } => {
                let nobody = *states == [RelationState::None];
                let mine = if nobody { &[] } else { self.filter.me(*names) };
                self.relation(name, mine, states)?
            }
            // As of somebody who is one of these.
            Predicate::Names { name, any_of, .. } => {
                self.relation(name, any_of, &[RelationState::Me])?
            }
            Predicate::OneOf { attribute, values } => {
                let (column, _) = self.attribute(attribute)?;
                let values: Vec<Value> = values.iter().map(|value| value.clone().into()).collect();
                is_one_of(&column, Form::Text, &values)
            }
            Predicate::AtMost { attribute, value } => {
                self.attribute(attribute)?.0.is_at_most(*value)
            }
            Predicate::AtLeast { attribute, value } => {
                self.attribute(attribute)?.0.is_at_least(*value)
            }
            Predicate::NotBefore { attribute, date } => {
                let (column, dates) = self.attribute(attribute)?;
                column.is_within(dates, Some(*date), None)
            }
            Predicate::NotAfter { attribute, date } => {
                let (column, dates) = self.attribute(attribute)?;
                column.is_within(dates, None, Some(*date))
            }
            Predicate::Flag { attribute, values } => self.attribute(attribute)?.0.is_flag(values),
            Predicate::Defined(number) => match self.filter.definitions().get(*number) {
                Some(definition) => self.condition(definition)?,
                None => truth(false),
            },
        })
    }

    /// The column of an attribute, and the form of a date in it.
    fn attribute(&self, name: &str) -> Result<(Column, Form), ConditionError> {
        let Mapping { database, kind, table, .. } = self.mapping;
        match self.mapping.attributes.get(name) {
            Some(Attribute { column, dates }) => {
                let dates = match (database, dates) {
                    (Database::Sqlite, _) | (_, Dates::Text) => Form::TextDate,
                    (_, Dates::Native) => Form::Date,
                };
                Ok((Column::new(*database, table, column), dates))
            }
            None => {
                Err(ConditionError::NoAttribute { kind: kind.clone(), attribute: name.to_owned() })
            }
        }
    }

    fn relation(
        &self,
        name: &str,
        mine: &[String],
        states: &[RelationState],
    ) -> Result<Expr, ConditionError> {
        let Mapping { database, kind, table, relations, .. } = self.mapping;
        let Some(ids) = relations.get(name) else {
            let (kind, relation) = (kind.clone(), name.to_owned());
            return Err(ConditionError::NoRelation { kind, relation });
        };
        let (form, mine) = self.values(name, ids, mine)?;
        match &ids.place {
            Place::Column(column) => {
                Ok(in_column(&Column::new(*database, table, column), form, &mine, states))
            }
            Place::JoinTable { table: join_table, on, column } => {
                if on.is_empty() {
                    let (kind, relation) = (kind.clone(), name.to_owned());
                    return Err(ConditionError::NoJoin { kind, relation });
                }
                let join = Join { database: *database, table, join_table, on };
                Ok(join.condition(column, form, &mine, states))
            }
        }
    }

    /// The ids of users or groups. All of them must have one: a row that names
    /// one without would seem to name somebody else.
    fn values(
        &self,
        relation: &str,
        ids: &Ids,
        names: &[String],
    ) -> Result<(Form, Vec<Value>), ConditionError> {
        let value = |name: &String| {
            let value = match &ids.values {
                Values::Text => Some(name.clone().into()),
                // Only as `i64` displays it, not as it parses: 7 is the id of `7`, and
                // not of `007`.
                Values::Integer => {
                    name.parse::<i64>().ok().filter(|id| id.to_string() == *name).map(Value::from)
                }
                Values::By(value) => value(name).filter(|value| *value != value.as_null()),
            };
            value.ok_or_else(|| ConditionError::NoId {
                kind: self.mapping.kind.clone(),
                relation: relation.to_owned(),
                name: name.clone(),
            })
        };
        let values = names.iter().map(value).collect::<Result<Vec<Value>, _>>()?;
        let all = |is: fn(&Value) -> bool| !values.is_empty() && values.iter().all(is);
        let form = match &ids.values {
            Values::Text => Form::Text,
            Values::Integer => Form::Integer,
            Values::By(_) if all(|value| matches!(value, Value::String(_))) => Form::Text,
            Values::By(_) if all(|value| matches!(value, Value::BigInt(_))) => Form::Integer,
            Values::By(_) => Form::Any,
        };
        Ok((form, values))
    }
}

/// Tests whether a column holds one of those values.
fn is_one_of(column: &Column, form: Form, values: &[Value]) -> Expr {
    if values.is_empty() {
        return truth(false);
    }
    column.holds(form).and(column.is_one_of(form, values))
}

/// Tests whether a column holds a value of that form, but none of those.
fn is_another(column: &Column, form: Form, values: &[Value]) -> Expr {
    if values.is_empty() {
        return column.holds(form);
    }
    column.holds(form).and(column.is_none_of(form, values))
}

/// Tests whether a relation that names the ids of a column is in one of these states.
fn in_column(column: &Column, form: Form, mine: &[Value], states: &[RelationState]) -> Expr {
    let [me, other, none] = accepted(states);
    // Where nothing is mine, no row is `me`, so accepting it changes nothing.
    let me = me || mine.is_empty();
    if me && other && none && column.is_typed(form) {
        return truth(true);
    }
    let somebody = match (me, other) {
        (true, true) => column.holds(form),
        (true, false) => is_one_of(column, form, mine),
        (false, true) => is_another(column, form, mine),
        (false, false) => truth(false),
    };
    any_of(if none { vec![somebody, column.is_null()] } else { vec![somebody] })
}

/// A join table.
struct Join<'m> {
    database: Database,
    table: &'m str,
    join_table: &'m str,
    on: &'m [(String, String)],
}

impl Join<'_> {
    /// Tests whether a relation that names the ids in a column of the object's rows is
    /// in one of these states.
    fn condition(
        &self,
        column: &str,
        form: Form,
        mine: &[Value],
        states: &[RelationState],
    ) -> Expr {
        let column = Column::new(self.database, self.alias(), column);
        let names_anybody = || self.has_row(column.is_not_null());
        let names_me = || match mine {
            [] => truth(false),
            _ => self.is_among(is_one_of(&column, form, mine)),
        };
        // An id of another type may be the user's, for all we know.
        let typed = column.is_typed(form);
        let names_only_others = || match mine {
            [] if typed => truth(true),
            _ if typed => self.has_row(is_one_of(&column, form, mine)).not(),
            _ => {
                let another = is_another(&column, form, mine);
                self.has_row(column.is_not_null().and(another.not())).not()
            }
        };
        match accepted(states) {
            [true, true, true] if typed => truth(true),
            [true, true, true] => any_of(vec![names_me(), names_only_others()]),
            [true, true, false] if typed => names_anybody(),
            [true, true, false] => {
                any_of(vec![names_me(), all_of(vec![names_anybody(), names_only_others()])])
            }
            [true, false, true] => any_of(vec![names_me(), names_anybody().not()]),
            [true, false, false] => names_me(),
            // Naming nobody counts as naming only others.
            [false, true, true] => names_only_others(),
            [false, true, false] => all_of(vec![names_anybody(), names_only_others()]),
            [false, false, true] => names_anybody().not(),
            [false, false, false] => truth(false),
        }
    }

    /// The join table's alias in its subquery: different from the table's name,
    /// since the two may be the same table.
    fn alias(&self) -> &'static str {
        if self.table.eq_ignore_ascii_case("related") { "related_ids" } else { "related" }
    }

    fn rows(&self) -> SelectStatement {
        let mut rows = Query::select();
        rows.from_as(Alias::new(self.join_table), Alias::new(self.alias()));
        rows
    }

    /// The pairs of columns that are joined: the join table's and the table's own.
    fn joined(&self) -> impl Iterator<Item = (Expr, Expr)> {
        let column = |table: &str, column: &str| Expr::col((Alias::new(table), Alias::new(column)));
        self.on
            .iter()
            .map(move |(theirs, own)| (column(self.alias(), theirs), column(self.table, own)))
    }

    /// Tests whether such a row belongs to the object.
    fn has_row(&self, such: Expr) -> Expr {
        let mut rows = self.rows();
        rows.expr(Expr::Constant(1.into()));
        for (theirs, own) in self.joined() {
            rows.and_where(theirs.eq(own));
        }
        Expr::exists(rows.and_where(such).take())
    }

    /// The same, where such rows are few: the database can go from them to the
    /// object by its key.
    fn is_among(&self, such: Expr) -> Expr {
        let mut rows = self.rows();
        let mut keys = Vec::new();
        let mut known = Vec::new();
        for (theirs, own) in self.joined() {
            rows.expr(theirs.clone()).and_where(theirs.is_not_null());
            known.push(own.clone().is_not_null());
            keys.push(own);
        }
        let key = match (keys.pop(), keys.is_empty()) {
            (Some(only), true) => only,
            (last, _) => Expr::tuple(keys.into_iter().chain(last)),
        };
        known.push(key.in_subquery(rows.and_where(such).take()));
        all_of(known)
    }
}

/// Returns which of `me`, `other` and `none` are accepted.
fn accepted(states: &[RelationState]) -> [bool; 3] {
    [RelationState::Me, RelationState::Other, RelationState::None]
        .map(|state| states.contains(&state))
}

/// A condition that is true, or false, for every row.
fn truth(value: bool) -> Expr {
    Expr::Constant(value.into())
}

fn all_of(parts: Vec<Expr>) -> Expr {
    joined(parts, true, Expr::and)
}

fn any_of(parts: Vec<Expr>) -> Expr {
    joined(parts, false, Expr::or)
}

/// `nothing` is the join of no parts, and its opposite settles the whole.
fn joined(mut parts: Vec<Expr>, nothing: bool, join: fn(Expr, Expr) -> Expr) -> Expr {
    if parts.contains(&truth(!nothing)) {
        return truth(!nothing);
    }
    parts.retain(|part| *part != truth(nothing));
    halved(parts, join).unwrap_or_else(|| truth(nothing))
}

/// Joins long lists by halves: a chain would be as deep as it is long, and depth
/// is limited.
fn halved(mut parts: Vec<Expr>, join: fn(Expr, Expr) -> Expr) -> Option<Expr> {
    const LONG: usize = 16;
    if parts.len() <= LONG {
        return parts.into_iter().reduce(join);
    }
    let rest = halved(parts.split_off(parts.len() / 2), join)?;
    halved(parts, join).map(|first| join(first, rest))
}

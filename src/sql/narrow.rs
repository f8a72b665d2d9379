//! Conditions that let a database find rows by its indexes.
//!
//! "This column is me, or a row of a join table is" reads a whole table in PostgreSQL and
//! MySQL: neither can look up the two in their indexes and join what it finds. Both can do so
//! if the query says it: the object's key is among the keys of those objects whose column is
//! me, and of those which such a row belongs to. That is a consequence of the condition, so
//! the two are joined by `AND`: whatever the key is, no row passes that does not meet the
//! condition itself, which is then tested on a few rows only. For the same reason the lookup
//! need not decide: it takes the keys from a join table that holds them, and compares ids as
//! the database's indexes do.
//!
//! It helps only where each alternative is met by few rows, so where each tests a relation
//! for somebody. Reading a table twice, for an alternative that is met by half of it, would be
//! worse than reading it once.

use std::cell::Cell;

use super::condition::Rows;
use super::join::{Keys, are_known, row_of};
use super::mapping::{IdPlace, Mapping};
use super::text::{Condition, Sql, quoted};
use super::{ConditionError, Database};
use crate::filter::{Filter, Predicate};
use crate::relation::RelationState;

/// The most alternatives that are looked up.
const MOST: usize = 32;

/// The names of the object's row and of the keys in the subquery.
const ROW: &str = "own";
const KEYS: &str = "keys_of_own";

/// Returns a condition that follows from the filter's, and is easier to find rows by.
pub(super) fn condition(
    filter: &Filter,
    mapping: &Mapping,
    bound: &Cell<usize>,
) -> Result<Option<Condition>, ConditionError> {
    if mapping.database == Database::Sqlite || mapping.key.is_empty() {
        return Ok(None);
    }
    let search = Search { filter, mapping };
    let Some(alternatives) = search.alternatives(filter.predicate()) else { return Ok(None) };
    let name = |name: &str| quoted(mapping.database, name);
    let (table, row) = (mapping.table.quoted(mapping.database), name(ROW));
    let rows = Rows { filter, mapping, row: &row, bound, decides: false };
    let alias = |at: usize| name(&format!("k{at}"));
    let own = |row: &str| -> Vec<Sql> {
        mapping.key.iter().map(|key| Sql::text(format!("{row}.{}", name(key)))).collect()
    };
    let mut selected = Vec::new();
    for alternative in &alternatives {
        match rows.condition(alternative)? {
            Condition::Constant(true) => return Ok(None),
            Condition::Constant(false) => {}
            condition => {
                let keys = rows.joined_keys(alternative)?.unwrap_or_else(|| Keys {
                    columns: own(&row),
                    rows: Sql::of([
                        Sql::text(format!(" FROM {table} AS {row} WHERE ")),
                        condition.sql(),
                    ]),
                });
                let columns = keys.columns.into_iter().enumerate();
                let columns = columns
                    .map(|(at, key)| Sql::of([key, Sql::text(format!(" AS {}", alias(at)))]));
                selected.push(Sql::of(["SELECT ".into(), Sql::list(columns, ", "), keys.rows]));
            }
        }
    }
    // One alone is the condition itself.
    if selected.len() < 2 {
        return Ok(None);
    }
    let outer = own(&mapping.row());
    let mut all = are_known(&outer);
    let found = (0..outer.len()).map(|at| Sql::text(format!("{}.{}", name(KEYS), alias(at))));
    all.push(Condition::test([
        row_of(outer),
        " IN (SELECT ".into(),
        Sql::list(found, ", "),
        " FROM (".into(),
        Sql::list(selected, " UNION ALL "),
        Sql::text(format!(") AS {})", name(KEYS))),
    ]));
    Ok(Some(Condition::all(all)))
}

struct Search<'f> {
    filter: &'f Filter,
    mapping: &'f Mapping,
}

impl Search<'_> {
    /// Returns the alternatives of which one must hold, if it helps to look them up.
    fn alternatives(&self, predicate: &Predicate) -> Option<Vec<Predicate>> {
        match predicate {
            // One such column is enough to find few rows.
            Predicate::And(parts) if parts.iter().any(finds_few) => None,
            Predicate::And(parts) => parts.iter().find_map(|part| self.alternatives(part)),
            Predicate::Defined(number) => {
                self.alternatives(self.filter.definitions().get(*number)?)
            }
            _ => {
                let mut alternatives = Vec::new();
                self.split(predicate, &mut alternatives);
                let helps = (2..=MOST).contains(&alternatives.len())
                    && alternatives.iter().all(|it| self.is_met_by_few(it))
                    && alternatives.iter().any(|it| self.joins(it));
                helps.then_some(alternatives)
            }
        }
    }

    fn split(&self, predicate: &Predicate, alternatives: &mut Vec<Predicate>) {
        match predicate {
            Predicate::Or(parts) => {
                parts.iter().for_each(|part| self.split(part, alternatives));
            }
            Predicate::Defined(number) => {
                if let Some(definition) = self.filter.definitions().get(*number) {
                    self.split(definition, alternatives);
                }
            }
            Predicate::Relation { name, names, states } => {
                alternatives.extend(states.iter().map(|&state| Predicate::Relation {
                    name: name.clone(),
                    names: *names,
                    states: vec![state],
                }));
            }
            _ => alternatives.push(predicate.clone()),
        }
    }

    /// Returns whether few rows meet it. (PostgreSQL finds rows without any of a join table's
    /// best by reading both tables once, which it does for this alternative alone.)
    fn is_met_by_few(&self, predicate: &Predicate) -> bool {
        match predicate {
            Predicate::And(parts) => parts.iter().any(|part| self.is_met_by_few(part)),
            Predicate::Or(parts) => parts.iter().all(|part| self.is_met_by_few(part)),
            Predicate::Names { .. } => true,
            Predicate::Relation { states, .. } => match states.as_slice() {
                [RelationState::Me] => true,
                [RelationState::None] => self.mapping.database == Database::Postgres,
                _ => false,
            },
            Predicate::Defined(number) => {
                let definition = self.filter.definitions().get(*number);
                definition.is_some_and(|it| self.is_met_by_few(it))
            }
            _ => false,
        }
    }

    /// Returns whether it looks at another table.
    fn joins(&self, predicate: &Predicate) -> bool {
        match predicate {
            Predicate::And(parts) | Predicate::Or(parts) => {
                parts.iter().any(|part| self.joins(part))
            }
            Predicate::Relation { name, .. } | Predicate::Names { name, .. } => {
                let place = self.mapping.relations.get(name).map(|ids| &ids.place);
                matches!(place, Some(IdPlace::Joined(..)))
            }
            Predicate::Defined(number) => {
                self.filter.definitions().get(*number).is_some_and(|it| self.joins(it))
            }
            _ => false,
        }
    }
}

/// Returns whether it is a test that finds few rows by itself.
fn finds_few(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Names { .. } => true,
        Predicate::Relation { states, .. } => *states == [RelationState::Me],
        _ => false,
    }
}

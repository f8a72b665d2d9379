//! Tests of the rows of join tables.

use super::Database;
use super::column::{Column, Values};
use super::mapping::Step;
use super::text::{Condition, Sql, quoted};
use crate::relation::RelationState;

/// The ids that belong to an object's row: in rows of join tables, or in an array.
pub(super) struct Join<'m> {
    pub(super) database: Database,
    /// The object's row, quoted.
    pub(super) row: &'m str,
    pub(super) source: Source<'m>,
}

pub(super) enum Source<'m> {
    /// Each table is joined to the one before it.
    Tables(&'m [Step]),
    /// The elements of this column.
    Array(&'m Column<'m>),
}

/// A selection of keys: the columns, and `FROM` and `WHERE`.
pub(super) struct Keys {
    pub(super) columns: Vec<Sql>,
    pub(super) rows: Sql,
}

impl Join<'_> {
    /// Tests whether a relation that names the ids in a column of these rows is in one of
    /// these states.
    pub(super) fn condition(
        &self,
        ids: &Column<'_>,
        mine: &Values,
        accepted: [bool; 3],
    ) -> Condition {
        let names_anybody = || self.has_row(ids.is_not_null());
        let names_me = || match &self.source {
            _ if mine.is_empty() => Condition::Constant(false),
            Source::Tables(steps) if self.database == Database::Sqlite => {
                self.is_among(steps, ids.is_one_of(mine))
            }
            Source::Tables(_) => self.has_row(ids.is_one_of(mine)),
            Source::Array(array) => array.overlaps(mine).and(self.has_row(ids.is_one_of(mine))),
        };
        // An id of another type may be the user's, for all we know.
        let typed = ids.is_typed(mine);
        let names_only_others = || {
            if mine.is_empty() && typed {
                return Condition::Constant(true);
            }
            let another = match mine {
                Values::Texts(_) | Values::Uuids(_) if typed => ids.is_one_of(mine).not(),
                _ => ids.is_another(mine),
            };
            self.has_row(ids.is_not_null().and(another.not())).not()
        };
        match accepted {
            [true, true, true] if typed => Condition::Constant(true),
            [true, true, true] => Condition::any(vec![names_me(), names_only_others()]),
            [true, true, false] if typed => names_anybody(),
            [true, true, false] => {
                Condition::any(vec![names_me(), names_anybody().and(names_only_others())])
            }
            [true, false, true] if self.database == Database::Mysql && !mine.is_empty() => {
                self.names_me_or_nobody(ids, mine)
            }
            [true, false, true] => Condition::any(vec![names_me(), names_anybody().not()]),
            [true, false, false] => names_me(),
            // Naming nobody counts as naming only others.
            [false, true, true] => names_only_others(),
            [false, true, false] => names_anybody().and(names_only_others()),
            [false, false, true] => names_anybody().not(),
            [false, false, false] => Condition::Constant(false),
        }
    }

    /// Tests whether such a row belongs to the object.
    fn has_row(&self, such: Condition) -> Condition {
        let rows = self.rows(self.joined().and(such));
        Condition::test(["EXISTS (SELECT 1".into(), rows, ")".into()])
    }

    /// The same, where such rows are few: the database can go from them to the object by
    /// its key.
    fn is_among(&self, steps: &[Step], such: Condition) -> Condition {
        let (theirs, own): (Vec<Sql>, Vec<Sql>) = self.pairs(steps).into_iter().unzip();
        let mut all = are_known(&own);
        let Keys { columns, rows } = self.selecting(theirs, such);
        let selected = Sql::list(columns, ", ");
        let is_in = [row_of(own), " IN (SELECT ".into(), selected, rows, ")".into()];
        all.push(Condition::test(is_in));
        Condition::all(all)
    }

    /// Selects the keys of the objects that such rows belong to, if the rows hold them.
    pub(super) fn keys(&self, key: &[String], such: Condition) -> Option<Keys> {
        let Source::Tables(steps) = &self.source else { return None };
        let on = &steps.first()?.on;
        let holds = |key: &String| {
            let (theirs, _) = on.iter().find(|(_, own)| own == key)?;
            Some(self.column(&self.alias(0), theirs))
        };
        let columns: Vec<Sql> = key.iter().map(holds).collect::<Option<_>>()?;
        (columns.len() == on.len()).then(|| self.selecting(columns, such))
    }

    /// Selects columns of such rows, none of which is `NULL`.
    fn selecting(&self, columns: Vec<Sql>, such: Condition) -> Keys {
        let mut wanted = self.between();
        wanted.extend(are_known(&columns));
        wanted.push(such);
        Keys { columns, rows: self.rows(Condition::all(wanted)) }
    }

    /// Looks at an object's rows once. (With two subqueries, MySQL would read the whole
    /// table for one of them.)
    fn names_me_or_nobody(&self, ids: &Column<'_>, mine: &Values) -> Condition {
        let rows = self.rows(self.joined().and(ids.is_not_null()));
        let is_me = ids.is_one_of(mine).sql();
        Condition::test([
            "COALESCE((SELECT MAX(".into(),
            is_me,
            ")".into(),
            rows,
            "), 1) = 1".into(),
        ])
    }

    /// `FROM` and `WHERE` of a subquery.
    fn rows(&self, such: Condition) -> Sql {
        let from = match &self.source {
            Source::Tables(steps) => {
                let tables = steps.iter().enumerate().map(|(at, step)| {
                    let table = step.table.quoted(self.database);
                    Sql::text(format!("{table} AS {}", self.alias(at)))
                });
                Sql::list(tables, ", ")
            }
            Source::Array(array) => Sql::of([
                "unnest(".into(),
                array.expr.clone(),
                Sql::text(format!(") AS {}({})", self.alias(0), quoted(self.database, "id"))),
            ]),
        };
        Sql::of([" FROM ".into(), from, " WHERE ".into(), such.sql()])
    }

    /// The alias of the table that holds the ids.
    pub(super) fn last_alias(&self) -> String {
        match &self.source {
            Source::Tables(steps) => self.alias(steps.len().saturating_sub(1)),
            Source::Array(_) => self.alias(0),
        }
    }

    /// The alias of a table in the subquery: different from the object's row, since the two
    /// may be the same table.
    fn alias(&self, at: usize) -> String {
        let row = self.row.to_ascii_lowercase();
        let stem = if row.contains("related") { "joined" } else { "related" };
        let number = if at == 0 { String::new() } else { at.saturating_add(1).to_string() };
        quoted(self.database, &format!("{stem}{number}"))
    }

    /// Tests whether the rows belong together, and to the object.
    fn joined(&self) -> Condition {
        let mut all = Vec::new();
        if let Source::Tables(steps) = &self.source {
            for (their, own) in self.pairs(steps) {
                all.push(Condition::test([their, " = ".into(), own]));
            }
        }
        all.extend(self.between());
        Condition::all(all)
    }

    /// Tests whether the rows belong together, and are among those that count.
    fn between(&self) -> Vec<Condition> {
        let Source::Tables(steps) = &self.source else { return Vec::new() };
        let mut all = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            let alias = self.alias(at);
            if let Some(before) = at.checked_sub(1) {
                let before = self.alias(before);
                for (their, own) in &step.on {
                    let [their, own] = [(&alias, their), (&before, own)]
                        .map(|(alias, column)| self.column(alias, column));
                    all.push(Condition::test([their, " = ".into(), own]));
                }
            }
            all.extend(
                step.such.iter().map(|such| Condition::Test(super::mapping::filled(such, &alias))),
            );
        }
        all
    }

    /// The columns that join the first table to the object: its own and the object's.
    fn pairs(&self, steps: &[Step]) -> Vec<(Sql, Sql)> {
        let first = steps.first().map_or(&[][..], |step| &step.on);
        let pair = |(theirs, own): &(String, String)| {
            (self.column(&self.alias(0), theirs), self.column(self.row, own))
        };
        first.iter().map(pair).collect()
    }

    fn column(&self, alias: &str, column: &str) -> Sql {
        Sql::text(format!("{alias}.{}", quoted(self.database, column)))
    }
}

/// Tests of each column that it is not `NULL`.
pub(super) fn are_known(columns: &[Sql]) -> Vec<Condition> {
    let is_known = |column: &Sql| Condition::test([column.clone(), " IS NOT NULL".into()]);
    columns.iter().map(is_known).collect()
}

/// Several columns as a row; one as itself.
pub(super) fn row_of(columns: Vec<Sql>) -> Sql {
    if columns.len() == 1 {
        return Sql::list(columns, "");
    }
    Sql::of(["(".into(), Sql::list(columns, ", "), ")".into()])
}

/// Returns which of `me`, `other` and `none` are accepted.
pub(super) fn accepted(states: &[RelationState]) -> [bool; 3] {
    [RelationState::Me, RelationState::Other, RelationState::None]
        .map(|state| states.contains(&state))
}

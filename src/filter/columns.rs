//! Filtering objects in memory, stored as a slice for each relation and attribute.

use std::fmt;

use super::{Filter, Predicate};
use crate::date::Date;
use crate::names::is_among;
use crate::object::{Id, Value, decimal};
use crate::relation::RelationState;

/// Objects of one kind by columns: a table, or a page of one, in memory.
///
/// Row `i` is the object that has the `i`th value of each column. A relation or
/// attribute without a column is lacking in every object, and one with a short
/// column in the rows beyond its end.
///
/// ```
/// use grantree::filter::Columns;
/// # use grantree::{Document, Engine, Policy};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"job": {
/// #             "relations": {"assignee": "user"},
/// #             "attributes": {"region": "one_of"}, "checks": ["region"]}},
/// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
/// #             {"key": "free", "when": {"assignee": ["me", "none"]}}]}]
/// #     },
/// #     "users": {"7": {"allow": ["edit"], "bounds": {"job.region": ["north"]}}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let filter = engine.filter(engine.user("7")?, engine.permission("edit")?, ());
///
/// let assignee = [Some(7), None, Some(8), Some(7)];
/// let region = ["north", "north", "north", "south"];
/// let jobs = Columns::new("job", 4).relation("assignee", &assignee).attribute("region", &region);
/// assert_eq!(filter.select(&jobs), [0b0011]);
/// # Ok(())
/// # }
/// ```
pub struct Columns<'c> {
    kind: &'c str,
    len: usize,
    relations: Vec<(&'c str, Box<RelationColumn<'c>>)>,
    attributes: Vec<(&'c str, Box<AttributeColumn<'c>>)>,
}

/// Marks the rows in which a relation is in one of some states.
type RelationColumn<'c> = dyn Fn(&Me<'_>, &[RelationState], &mut [u64]) + 'c;

/// Marks the rows whose value passes; a missing value does not.
type AttributeColumn<'c> = dyn Fn(&Predicate, &mut [u64]) + 'c;

impl<'c> Columns<'c> {
    /// Starts a table of `len` objects of a kind, without relations or attributes.
    pub fn new(kind: &'c str, len: usize) -> Columns<'c> {
        Columns { kind, len, relations: Vec::new(), attributes: Vec::new() }
    }

    /// Adds a relation: for each object, the users or groups that it names. It
    /// replaces any column of that name.
    ///
    /// Ids that are integers are compared fastest.
    #[must_use]
    pub fn relation<R: ColumnRelation>(mut self, name: &'c str, column: &'c [R]) -> Columns<'c> {
        self.relations.retain(|(known, _)| *known != name);
        let marking = |me: &Me<'_>, states: &[RelationState], marks: &mut [u64]| {
            mark_states(column, me, states, marks);
        };
        self.relations.push((name, Box::new(marking)));
        self
    }

    /// Adds an attribute. It replaces any column of that name.
    #[must_use]
    pub fn attribute<C: ColumnValue>(self, name: &'c str, column: &'c [C]) -> Columns<'c> {
        self.with_attribute(name, |test, marks| {
            mark(column, marks, |cell| test.passes(cell.value()));
        })
    }

    /// Adds an attribute, given for each object as the position of its value in a
    /// list: best for a column with few different texts. A position beyond the
    /// list is no value.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"attributes": {"region": "one_of"}, "checks": ["region"]}},
    /// #         "permissions": [{"key": "view", "object": "job"}]},
    /// #     "users": {"bob": {"allow": ["view"], "bounds": {"job.region": ["north"]}}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::filter::Columns;
    ///
    /// let filter = engine.filter(engine.user("bob")?, engine.permission("view")?, ());
    /// // South, north, south, and none.
    /// let jobs = Columns::new("job", 4).coded_attribute("region", &[1, 0, 1, 9], &["north", "south"]);
    /// assert_eq!(filter.select(&jobs), [0b0010]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn coded_attribute<C: ColumnValue>(
        self,
        name: &'c str,
        codes: &'c [u32],
        values: &'c [C],
    ) -> Columns<'c> {
        self.with_attribute(name, |test, marks| {
            let passing = values.iter().map(|value| test.passes(value.value()));
            let passing: Vec<bool> = passing.collect();
            mark(codes, marks, |&code| passing.get(code as usize).copied().unwrap_or(false));
        })
    }

    fn with_attribute(
        mut self,
        name: &'c str,
        column: impl Fn(&Predicate, &mut [u64]) + 'c,
    ) -> Columns<'c> {
        self.attributes.retain(|(known, _)| *known != name);
        self.attributes.push((name, Box::new(column)));
        self
    }

    /// Marks the rows in which a relation is in one of some states, given whom it must name
    /// to be `me`.
    fn mark_relation(
        &self,
        name: &str,
        me: &[String],
        states: &[RelationState],
        marks: &mut [u64],
    ) {
        if let Some((_, column)) = self.relations.iter().find(|(known, _)| *known == name) {
            let mut numbers: Vec<u64> = me.iter().filter_map(|text| decimal(text)).collect();
            numbers.sort_unstable();
            column(&Me { texts: me, numbers: &numbers }, states, marks);
        }
    }

    fn words(&self) -> usize {
        self.len.div_ceil(WORD)
    }
}

impl fmt::Debug for Columns<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let relations: Vec<&str> = self.relations.iter().map(|(name, _)| *name).collect();
        let attributes: Vec<&str> = self.attributes.iter().map(|(name, _)| *name).collect();
        let (relations, attributes) = (relations.join(", "), attributes.join(", "));
        f.debug_struct("Columns")
            .field("kind", &self.kind)
            .field("len", &self.len)
            .field("relations", &relations)
            .field("attributes", &attributes)
            .finish()
    }
}

/// A cell in the column of a relation: an [`Id`], an `Option` of one, or a list of
/// several.
pub trait ColumnRelation {
    /// Returns the state of the relation.
    fn state(&self, me: &Me<'_>) -> RelationState;
}

impl<I: Id> ColumnRelation for I {
    #[inline]
    fn state(&self, me: &Me<'_>) -> RelationState {
        if me.is(self) { RelationState::Me } else { RelationState::Other }
    }
}

impl<I: Id> ColumnRelation for Option<I> {
    #[inline]
    fn state(&self, me: &Me<'_>) -> RelationState {
        self.as_ref().map_or(RelationState::None, |id| id.state(me))
    }
}

impl<I: Id> ColumnRelation for Vec<I> {
    fn state(&self, me: &Me<'_>) -> RelationState {
        self.as_slice().state(me)
    }
}

impl<I: Id> ColumnRelation for &[I] {
    fn state(&self, me: &Me<'_>) -> RelationState {
        if self.iter().any(|id| me.is(id)) {
            RelationState::Me
        } else if self.is_empty() {
            RelationState::None
        } else {
            RelationState::Other
        }
    }
}

/// The user, or the user's groups: one that names them is [`RelationState::Me`].
///
/// A column of the host's own type uses it:
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"job": {"relations": {"crew": "user"}}},
/// #         "permissions": [{"key": "view", "object": "job", "scopes": [
/// #             {"key": "own", "when": {"crew": "me"}}]}]},
/// #     "users": {"7": {"allow": ["view"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use grantree::object::RelationState;
/// use grantree::filter::{Columns, Me, ColumnRelation};
///
/// struct Crew {
///     driver: u32,
///     mate: Option<u32>,
/// }
///
/// impl ColumnRelation for Crew {
///     fn state(&self, me: &Me<'_>) -> RelationState {
///         let is_me = me.is(&self.driver) || self.mate.is_some_and(|mate| me.is(&mate));
///         if is_me { RelationState::Me } else { RelationState::Other }
///     }
/// }
///
/// let crews = [Crew { driver: 8, mate: Some(7) }, Crew { driver: 8, mate: None }];
/// let filter = engine.filter(engine.user("7")?, engine.permission("view")?, ());
/// assert_eq!(filter.select(&Columns::new("job", 2).relation("crew", &crews)), [0b01]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Me<'f> {
    /// Sorted.
    texts: &'f [String],
    /// The numbers among them, sorted.
    numbers: &'f [u64],
}

impl Me<'_> {
    /// Returns whether this id is one of them.
    #[inline]
    pub fn is<I: Id>(&self, id: &I) -> bool {
        match id.as_number() {
            Some(number) => match *self.numbers {
                [one] => one == number,
                ref many => many.binary_search(&number).is_ok(),
            },
            None => id.with_text(|id| is_among(self.texts, id)),
        }
    }
}

/// A cell in the column of an attribute.
///
/// ```
/// use grantree::object::Value;
/// use grantree::filter::ColumnValue;
///
/// /// An amount of money, in cents.
/// struct Cents(i64);
///
/// impl ColumnValue for Cents {
///     fn value(&self) -> Option<Value<'_>> {
///         Some(Value::Integer(self.0 / 100))
///     }
/// }
///
/// let costs = [Some(Cents(250_000)), None];
/// assert_eq!(costs.each_ref().map(ColumnValue::value), [Some(Value::Integer(2_500)), None]);
/// ```
pub trait ColumnValue {
    /// Returns the value; `None` where the object has none.
    fn value(&self) -> Option<Value<'_>>;
}

impl ColumnValue for Value<'_> {
    fn value(&self) -> Option<Value<'_>> {
        Some(*self)
    }
}

impl<C: ColumnValue> ColumnValue for Option<C> {
    #[inline]
    fn value(&self) -> Option<Value<'_>> {
        self.as_ref().and_then(ColumnValue::value)
    }
}

macro_rules! cells {
    ($($type:ty: $cell:ident => $value:expr),* $(,)?) => {$(
        impl ColumnValue for $type {
            #[inline]
            fn value(&self) -> Option<Value<'_>> {
                let $cell = self;
                Some($value)
            }
        }
    )*};
}

cells! {
    &str: text => Value::Text(text),
    String: text => Value::Text(text),
    i64: integer => Value::Integer(*integer),
    i32: integer => Value::Integer((*integer).into()),
    u32: integer => Value::Integer((*integer).into()),
    Date: date => Value::Date(*date),
    bool: flag => Value::Boolean(*flag),
}

const WORD: usize = u64::BITS as usize;

/// Marks the rows in which a relation is in one of some states.
// Those that policies name most by a comparison of their own, half as long as the general one.
fn mark_states<R: ColumnRelation>(
    column: &[R],
    me: &Me<'_>,
    states: &[RelationState],
    marks: &mut [u64],
) {
    use RelationState::{None, Other};
    const MINE: RelationState = RelationState::Me;
    match states {
        [MINE] => mark(column, marks, |related| related.state(me) == MINE),
        [None] => mark(column, marks, |related| related.state(me) == None),
        [MINE, None] => mark(column, marks, |related| related.state(me) != Other),
        _ => mark(column, marks, |related| states.contains(&related.state(me))),
    }
}

/// Fills the marks with a bit for each value.
#[inline]
fn mark<T>(values: &[T], marks: &mut [u64], is_marked: impl Fn(&T) -> bool) {
    // Last to first: shifting by one is cheaper than shifting by a position.
    let pack = |values: &[T]| {
        values.iter().rev().fold(0, |marks, value| marks << 1 | u64::from(is_marked(value)))
    };
    for (marks, values) in marks.iter_mut().zip(values.chunks(WORD)) {
        // By eight, so that one bit waits for no more than seven others.
        let (eights, rest) = values.as_chunks::<8>();
        *marks = eights.iter().rev().fold(pack(rest), |marks, eight| marks << 8 | pack(eight));
    }
}

impl Filter {
    /// Selects the objects that it matches: bit `i % 64` of word `i / 64` is set if it
    /// matches row `i`.
    ///
    /// It agrees with [`Filter::matches`] on each object, and is many times
    /// faster. It allocates a bit for each row and part of the predicate, and
    /// nothing else for each row.
    #[must_use]
    pub fn select(&self, objects: &Columns<'_>) -> Vec<u64> {
        if self.kind().is_some_and(|kind| kind != objects.kind) {
            return vec![0; objects.words()];
        }
        let mut known: Vec<Vec<u64>> = Vec::new();
        for definition in &self.definitions {
            let mut marks = vec![0; objects.words()];
            self.mark_matches(definition, objects, &known, &mut marks);
            known.push(marks);
        }
        let mut marks = vec![0; objects.words()];
        self.mark_matches(&self.predicate, objects, &known, &mut marks);
        if let (Some(last), rest @ 1..) = (marks.last_mut(), objects.len % WORD) {
            *last &= !(u64::MAX << rest);
        }
        marks
    }

    /// Marks the rows that match, in marks of which none is set. `known` marks the rows where
    /// each definition holds.
    fn mark_matches(
        &self,
        predicate: &Predicate,
        objects: &Columns<'_>,
        known: &[Vec<u64>],
        marks: &mut [u64],
    ) {
        let mut join = |parts: &[Predicate], join: fn(u64, u64) -> u64| {
            let Some((first, rest)) = parts.split_first() else { return };
            self.mark_matches(first, objects, known, marks);
            let mut of_part = vec![0; marks.len()];
            for part in rest {
                of_part.fill(0);
                self.mark_matches(part, objects, known, &mut of_part);
                for (marks, &of_part) in marks.iter_mut().zip(&of_part) {
                    *marks = join(*marks, of_part);
                }
            }
        };
        match predicate {
            Predicate::All => marks.fill(u64::MAX),
            Predicate::None => {}
            Predicate::And(parts) => join(parts, |a, b| a & b),
            Predicate::Or(parts) => join(parts, |a, b| a | b),
            Predicate::Defined(number) => {
                if let Some(known) = known.get(*number) {
                    marks.copy_from_slice(known);
                }
            }
            Predicate::Relation { name, names, states } => {
                objects.mark_relation(name, self.me(*names), states, marks);
            }
            Predicate::Names { name, any_of, .. } => {
                objects.mark_relation(name, any_of, &[RelationState::Me], marks);
            }
            test => {
                let mut columns = objects.attributes.iter();
                let name = test.attribute();
                if let Some((_, column)) = columns.find(|(known, _)| Some(*known) == name) {
                    column(test, marks);
                }
            }
        }
    }
}

//! Rule 7 for all objects at once: evaluates a condition to a formula.

use std::borrow::Cow;

use super::formula::Effort;
use super::{Formula, Predicate, Test};
use crate::catalogue::{AttributeId, Bit, Evaluator, Kind, Limit, Op, States, Step, ValuesId};
use crate::date::Date;
use crate::engine::Conditional;

/// The day for which bounds are resolved.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Day {
    /// That day, or an unknown one.
    Of(Option<Date>),
    /// Every day: bounds stay as they are written.
    Any,
}

/// A formula, and the definitions that it refers to by number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Formulas<'e> {
    pub(crate) main: Formula<'e>,
    /// Each refers only to those before it.
    pub(crate) definitions: Vec<Formula<'e>>,
}

impl<'e> Formulas<'e> {
    /// Builds the formula of the objects on which a user may do something. A bound
    /// other than `"any"` is one test, if it can be passed on that day.
    pub(crate) fn new(conditional: &Conditional<'e>, day: Day) -> Formulas<'e> {
        let most = match day {
            Day::Of(_) => Search::MOST_EFFORT,
            Day::Any => Search::MOST_EFFORT_COMPARED,
        };
        let definitions = Vec::new();
        let mut search = Search { conditional, day, effort: Effort::new(most), definitions };
        let main = conditional.condition.evaluate(&mut search);
        Formulas { main, definitions: search.definitions }
    }

    /// Returns them with a user's limits in the place of tests of the user's bounds.
    pub(crate) fn within(&self, limits: &'e [Limit]) -> Formulas<'e> {
        let effort = Effort::new(Search::MOST_EFFORT_COMPARED);
        let definitions = self.definitions.iter().map(|it| it.within(limits, &effort));
        Formulas { main: self.main.within(limits, &effort), definitions: definitions.collect() }
    }

    /// Returns it as a predicate on objects of a kind, with the definitions that it
    /// refers to.
    pub(crate) fn predicates(&self, kind: &Kind, day: Day) -> (Predicate, Vec<Predicate>) {
        let mut used = vec![false; self.definitions.len()];
        self.main.mark_definitions(&mut used);
        for (at, definition) in self.definitions.iter().enumerate().rev() {
            if used.get(at) == Some(&true) {
                definition.mark_definitions(&mut used);
            }
        }
        let numbers = used.iter().scan(0_usize, |next, &used| {
            let number = *next;
            *next = next.saturating_add(usize::from(used));
            Some(number)
        });
        let translation = Translation { kind, day, numbers: numbers.collect() };
        let definitions = self.definitions.iter().zip(&used).filter(|(_, used)| **used);
        let definitions = definitions.map(|(formula, _)| translation.predicate(formula));
        (translation.predicate(&self.main), definitions.collect())
    }
}

/// An [`Evaluator`] whose answers are formulas.
struct Search<'c, 'e> {
    conditional: &'c Conditional<'e>,
    day: Day,
    effort: Effort,
    definitions: Vec<Formula<'e>>,
}

impl Search<'_, '_> {
    /// A step with more tests than this becomes a definition, rather than being
    /// written out wherever it is required, so that filters stay in proportion
    /// to the catalogue.
    const MOST_TESTS: usize = 64;
    /// So does one that is deeper than this, so that the normal form is found in
    /// time and nothing is ever nested deeply.
    const MOST_DEPTH: usize = 8;
    /// The effort to spend on normal forms: a few milliseconds. A dozen scopes that
    /// test a dozen relations each take a tenth of it.
    const MOST_EFFORT: usize = 1_048_576;
    /// The same where formulas are compared, of which there are many.
    const MOST_EFFORT_COMPARED: usize = 65_536;
}

impl<'e> Evaluator for Search<'_, 'e> {
    type Truth = Formula<'e>;

    fn holds(&self, scope: Bit) -> bool {
        self.conditional.holds(scope)
    }

    fn relation(&mut self, relation: u32, states: States) -> Formula<'e> {
        match self.conditional.kind.1.relations.get_index(relation as usize) {
            Some((name, _)) => Formula::Test(Test::Relation(name, states)),
            None => Formula::NONE,
        }
    }

    fn values(&mut self, values: ValuesId) -> Formula<'e> {
        let (name, limit) = self.conditional.values(values);
        Formula::Test(Test::Values(name, Cow::Borrowed(limit)))
    }

    fn check(&mut self, attribute: AttributeId) -> Formula<'e> {
        let (declared, limit) = self.conditional.limit(attribute);
        let limit = match self.day {
            Day::Of(today) => limit.on(today),
            Day::Any => Cow::Borrowed(limit),
        };
        if *limit == Limit::Any || !limit.passable() {
            return limit.passable().into();
        }
        Formula::Test(match self.day {
            Day::Of(_) => Test::Values(&declared.name, limit),
            Day::Any => Test::Bound(&declared.name, attribute),
        })
    }

    fn join(&mut self, op: Op, parts: Vec<Formula<'e>>) -> Formula<'e> {
        Formula::join(op, parts, &self.effort)
    }

    /// Makes a definition of a large step that several scopes may require.
    fn step(&mut self, step: &Step, allowed: Formula<'e>) -> Formula<'e> {
        let is_large = allowed.tests() > Self::MOST_TESTS || allowed.depth() > Self::MOST_DEPTH;
        if step.always || !is_large {
            return allowed;
        }
        let number = self.definitions.len();
        self.definitions.push(allowed);
        Formula::Test(Test::Defined(number))
    }
}

/// The names and bounds to which the numbers in a formula refer.
struct Translation<'t> {
    kind: &'t Kind,
    day: Day,
    /// The numbers of definitions among those that are used.
    numbers: Vec<usize>,
}

impl Translation<'_> {
    fn predicate(&self, formula: &Formula<'_>) -> Predicate {
        match formula {
            Formula::Join(op, parts) if parts.is_empty() => match op {
                Op::And => Predicate::All,
                Op::Or => Predicate::None,
            },
            Formula::Join(op, parts) => {
                let parts = parts.iter().map(|part| self.predicate(part)).collect();
                match op {
                    Op::And => Predicate::And(parts),
                    Op::Or => Predicate::Or(parts),
                }
            }
            Formula::Test(Test::Values(name, limit)) => Predicate::of_limit(name, limit, self.day),
            // A predicate is made of formulas within a user's limits.
            Formula::Test(Test::Bound(..)) => Predicate::None,
            Formula::Test(Test::Relation(name, states)) => match self.kind.relations.get(*name) {
                Some(&names) => {
                    Predicate::Relation { name: (*name).to_owned(), names, states: states.list() }
                }
                None => Predicate::None,
            },
            Formula::Test(Test::Defined(number)) => {
                self.numbers.get(*number).map_or(Predicate::None, |&it| Predicate::Defined(it))
            }
        }
    }
}

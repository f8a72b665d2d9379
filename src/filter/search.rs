//! Rule 7 for all objects at once: evaluates a condition to a formula.

use std::borrow::Cow;
use std::sync::Arc;

use super::formula::Effort;
use super::{Formula, Predicate, Test};
use crate::catalogue::{AttributeId, Bit, Evaluator, Kind, Limit, Op, States, Step, ValuesId};
use crate::date::Date;
use crate::engine::{Conditional, LimitSet};
use crate::policy::TermTest;

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
    /// Builds the formula of the objects on which users of a class may do something in
    /// the ordinary capacity, on any day.
    pub(crate) fn of_class(conditional: &Conditional<'e>) -> Formulas<'e> {
        let search = Search::new(Day::Any, BoundsOf::Class, [conditional]);
        search.find(|search| search.formula(conditional))
    }

    /// Builds the formula of the objects on which a user may do something in one of some
    /// capacities, on any day.
    pub(crate) fn of_any(capacities: &[&Conditional<'e>]) -> Formulas<'e> {
        let search = Search::new(Day::Any, BoundsOf::User, capacities.iter().copied());
        search.find(|search| search.any(capacities.iter().copied()))
    }

    /// Builds the formula of the objects on which all of some users may do something,
    /// each in one capacity or another. A bound other than `"any"` is one test, if it can
    /// be passed on that day.
    pub(crate) fn of_all(users: &[Vec<Conditional<'e>>], today: Option<Date>) -> Formulas<'e> {
        let search = Search::new(Day::Of(today), BoundsOf::User, users.iter().flatten());
        search.find(|search| {
            let all = users.iter().map(|capacities| search.any(capacities)).collect();
            search.joined(Op::And, all)
        })
    }

    /// Returns the number of tests in all.
    pub(super) fn tests(&self) -> usize {
        self.definitions.iter().chain([&self.main]).map(Formula::tests).sum()
    }

    /// Returns them with a user's limits in the place of tests of the user's bounds.
    pub(crate) fn within(&self, limits: &'e LimitSet) -> Formulas<'e> {
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

/// The users whose bounds a formula is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BoundsOf {
    /// A user in a capacity: it has the bounds themselves.
    User,
    /// Users of a class, as of others that differ by nothing but bounds: it leaves them to
    /// be filled in.
    Class,
}

/// A search for formulas.
struct Search<'e> {
    day: Day,
    bounds_of: BoundsOf,
    /// The number of tests that the conditions have.
    tests: usize,
    /// The effort left for normal forms. Without any, formulas are left as they stand.
    effort: Option<Effort>,
    definitions: Vec<Formula<'e>>,
}

impl<'e> Search<'e> {
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

    /// Conditions with more tests than this are first written as their diagram.
    const MOST_COMPARED: usize = 256;

    fn new<'c>(
        day: Day,
        bounds_of: BoundsOf,
        conditionals: impl IntoIterator<Item = &'c Conditional<'e>>,
    ) -> Search<'e>
    where
        'e: 'c,
    {
        let tests = conditionals.into_iter().map(tests_of).sum();
        Search { day, bounds_of, tests, effort: None, definitions: Vec::new() }
    }

    /// Finds a formula: of a large condition as its diagram has it, if that is much shorter,
    /// and otherwise in normal form.
    fn find(mut self, formula: impl Fn(&mut Search<'e>) -> Formula<'e>) -> Formulas<'e> {
        if self.tests > Self::MOST_COMPARED {
            let main = formula(&mut self);
            let definitions = std::mem::take(&mut self.definitions);
            if let Some(short) = (Formulas { main, definitions }).shortened() {
                return short;
            }
        }
        self.effort = Some(Effort::new(match self.day {
            Day::Of(_) => Self::MOST_EFFORT,
            Day::Any => Self::MOST_EFFORT_COMPARED,
        }));
        let main = formula(&mut self);
        Formulas { main, definitions: self.definitions }
    }

    /// Returns the formula of the objects that meet one of some conditions.
    fn any<'c>(&mut self, capacities: impl IntoIterator<Item = &'c Conditional<'e>>) -> Formula<'e>
    where
        'e: 'c,
    {
        let any = capacities.into_iter().map(|it| self.formula(it)).collect();
        self.joined(Op::Or, any)
    }

    /// Returns the formula of the objects that meet a condition and pass its terms.
    fn formula(&mut self, conditional: &Conditional<'e>) -> Formula<'e> {
        let mut parts =
            vec![conditional.condition().evaluate(&mut Evaluation { search: self, conditional })];
        parts.extend(conditional.terms.iter().map(|(name, test)| match test {
            TermTest::Limit(limit) => self.limited(name, limit),
            TermTest::Users(users) => {
                let users = users.iter().map(|user| &**user).collect();
                Formula::Test(Test::names(name, users, &Arc::default()))
            }
            TermTest::Groups(groups) => {
                let me = match self.day {
                    Day::Of(_) => conditional.groups().into(),
                    // Users of other groups, who have the same terms, are compared alike.
                    Day::Any => Arc::default(),
                };
                Formula::Test(Test::names(name, conditional.with_beneath(groups), &me))
            }
        }));
        self.joined(Op::And, parts)
    }

    /// Joins formulas, in normal form if they are.
    fn joined(&self, op: Op, parts: Vec<Formula<'e>>) -> Formula<'e> {
        match (<[Formula<'e>; 1]>::try_from(parts), &self.effort) {
            (Ok([only]), _) => only,
            (Err(parts), Some(effort)) => Formula::join(op, parts, effort),
            (Err(parts), None) => Formula::Join(op, parts),
        }
    }

    /// Returns the test of an attribute against a limit, as it is on the day.
    fn limited(&self, name: &'e str, limit: &'e Limit) -> Formula<'e> {
        let limit = match self.day {
            Day::Of(today) => limit.on(today),
            Day::Any => Cow::Borrowed(limit),
        };
        if *limit == Limit::Any || !limit.passable() {
            return limit.passable().into();
        }
        Formula::Test(Test::Values(name, limit))
    }
}

/// Returns the number of tests in a condition, each counted once, of what the user holds.
fn tests_of(conditional: &Conditional<'_>) -> usize {
    let condition = conditional.condition();
    let scopes = condition.scopes().filter(|scope| conditional.holds(scope.bit));
    let tests = scopes.map(|scope| scope.when.len()).sum::<usize>();
    tests.saturating_add(condition.all_checks().count()).saturating_add(conditional.terms.len())
}

/// An [`Evaluator`] whose answers are formulas.
struct Evaluation<'s, 'e> {
    search: &'s mut Search<'e>,
    conditional: &'s Conditional<'e>,
}

impl<'e> Evaluator for Evaluation<'_, 'e> {
    type Truth = Formula<'e>;

    fn holds(&self, scope: Bit) -> bool {
        self.conditional.holds(scope)
    }

    fn relation(&mut self, relation: u32, states: States) -> Formula<'e> {
        match self.conditional.kind().1.relations.get_index(relation as usize) {
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
        match (self.search.limited(&declared.name, limit), self.search.bounds_of) {
            (Formula::Test(_), BoundsOf::Class) => {
                Formula::Test(Test::Bound(&declared.name, attribute))
            }
            (limited, _) => limited,
        }
    }

    fn join(&mut self, op: Op, parts: Vec<Formula<'e>>) -> Formula<'e> {
        self.search.joined(op, parts)
    }

    /// Makes a definition of a large step that several scopes may require.
    fn step(&mut self, step: &Step, allowed: Formula<'e>) -> Formula<'e> {
        let is_large = allowed.tests() > Search::MOST_TESTS || allowed.depth() > Search::MOST_DEPTH;
        if step.always || !is_large {
            return allowed;
        }
        let definitions = &mut self.search.definitions;
        let known = definitions.iter().position(|known| *known == allowed);
        let number = known.unwrap_or(definitions.len());
        if known.is_none() {
            definitions.push(allowed);
        }
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
            Formula::Test(Test::Names(name, any_of)) => match self.kind.relations.get(*name) {
                Some(&names) => {
                    let any_of = any_of.names.iter().map(|&name| name.to_owned()).collect();
                    Predicate::Names { name: (*name).to_owned(), names, any_of }
                }
                None => Predicate::None,
            },
            Formula::Test(Test::Defined(number)) => {
                self.numbers.get(*number).map_or(Predicate::None, |&it| Predicate::Defined(it))
            }
        }
    }
}

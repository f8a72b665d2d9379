//! Decision diagrams: formulas of equal meaning have one and the same diagram.
//!
//! A formula asks several things of an object, each a *variable*: the state of a
//! relation, whether it names one of some users or groups, or whether an attribute is
//! within bounds. A diagram asks them one
//! after another, in the same order for all diagrams, leaving out any that makes no
//! difference. So each meaning has exactly one diagram, and two are compared by
//! walking down both at once.

use std::borrow::Cow;
use std::ops::BitOr;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::catalogue::{Limit, Op, States};
use crate::filter::{Formula, Formulas, Test};
use crate::names::{HashMap, HashSet, IndexSet, number};
use crate::relation::RelationState;

/// A diagram: the number of its topmost node.
pub(super) type Diagram = u32;

/// The diagram that no object passes.
pub(super) const NONE: Diagram = 0;
/// The diagram that every object passes.
pub(super) const ALL: Diagram = 1;

/// A variable, numbered in the order in which diagrams ask for them.
pub(super) type Variable = u32;

/// A test of an object: the kind of the object, and the name of the relation or attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asked<'e> {
    Relation(&'e str, &'e str),
    /// Asks if the relation names one of these, sorted.
    Names(&'e str, &'e str, Arc<[&'e str]>),
    /// Asks if the attribute is within the user's bound, which may differ before and after.
    Bound(&'e str, &'e str),
    /// Asks if the attribute is within this limit.
    Values(&'e str, &'e str, Cow<'e, Limit>),
}

/// The answers of a variable: a relation that the object does not carry, and its
/// states; a test that fails, and one that passes.
pub(super) const ABSENT: usize = 0;
pub(super) const ME: usize = 1;
pub(super) const OTHER: usize = 2;
pub(super) const NOBODY: usize = 3;
pub(super) const FAILS: usize = 0;
pub(super) const PASSES: usize = 1;

/// A question in a diagram, and where each answer leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Node {
    variable: Variable,
    then: [Diagram; 4],
}

/// The answers that are possible together: before and after.
pub(super) type Answers = SmallVec<[(usize, usize); 6]>;

/// A set of the outcomes that two conditions, one before and one after, have on the same
/// object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Overlap(u8);

impl Overlap {
    pub(super) const NEITHER: Overlap = Overlap(0b0001);
    pub(super) const AFTER: Overlap = Overlap(0b0010);
    pub(super) const BEFORE: Overlap = Overlap(0b0100);
    pub(super) const BOTH: Overlap = Overlap(0b1000);
    pub(super) const ALL: Overlap = Overlap(0b1111);

    /// The outcome on a single object, given whether it passes.
    pub(super) fn of(before: bool, after: bool) -> Overlap {
        match (before, after) {
            (false, false) => Overlap::NEITHER,
            (false, true) => Overlap::AFTER,
            (true, false) => Overlap::BEFORE,
            (true, true) => Overlap::BOTH,
        }
    }

    /// Returns whether it has some of these outcomes.
    pub(super) fn meets(self, others: Overlap) -> bool {
        self.0 & others.0 != 0
    }

    /// Returns whether others have all outcomes of this one.
    pub(super) fn is_within(self, others: Overlap) -> bool {
        self.0 & !others.0 == 0
    }

    /// Returns whether the two conditions agree on every object.
    pub(super) fn is_same(self) -> bool {
        !self.meets(Overlap::BEFORE | Overlap::AFTER)
    }

    /// Returns those of some answers whose outcome is in this set.
    pub(super) fn select<const N: usize>(self, each: [(Overlap, (usize, usize)); N]) -> Answers {
        let selected = each.into_iter().filter(|&(outcome, _)| self.meets(outcome));
        selected.map(|(_, answers)| answers).collect()
    }
}

impl BitOr for Overlap {
    type Output = Overlap;

    fn bitor(self, other: Overlap) -> Overlap {
        Overlap(self.0 | other.0)
    }
}

/// All diagrams, with common parts shared.
#[derive(Debug, Default)]
pub(super) struct Diagrams<'e> {
    /// Numbered from 2 on.
    nodes: IndexSet<Node>,
    joined: HashMap<(Op, Diagram, Diagram), Diagram>,
    asked: IndexSet<Asked<'e>>,
}

impl<'e> Diagrams<'e> {
    /// The most steps to build a diagram of a formula, or to compare two. A catalogue can be written for which it would take practically forever.
    const MOST_STEPS: usize = 1 << 15;
    /// The most variables of a formula, and so the depth of a diagram.
    const MOST_VARIABLES: usize = 200;
    /// The greatest depth of joins on diagrams that may still ask for more than that.
    const MOST_DEPTH: usize = 1_000;
    /// The most nodes in all.
    const MOST_NODES: usize = 1 << 20;

    /// Returns the meaning of a variable.
    pub(super) fn asked(&self, variable: Variable) -> Option<&Asked<'e>> {
        self.asked.get_index(variable as usize)
    }

    /// Builds the diagram of a formula about objects of a kind; `None` if that would
    /// take too long.
    pub(super) fn of(&mut self, kind: &'e str, formulas: &Formulas<'e>) -> Option<Diagram> {
        let Formulas { main, definitions } = formulas;
        let mut steps = Self::MOST_STEPS;
        let tests = definitions.iter().chain([main]).map(Formula::tests).sum::<usize>();
        if tests > Self::MOST_STEPS || self.nodes.len() > Self::MOST_NODES {
            return None;
        }
        let mut defined = Vec::with_capacity(definitions.len());
        for definition in definitions {
            let diagram = self.build(kind, definition, &defined, &mut steps)?;
            defined.push(diagram);
        }
        let diagram = self.build(kind, main, &defined, &mut steps)?;
        (self.asks(&[diagram]).len() <= Self::MOST_VARIABLES).then_some(diagram)
    }

    fn build(
        &mut self,
        kind: &'e str,
        formula: &Formula<'e>,
        defined: &[Diagram],
        steps: &mut usize,
    ) -> Option<Diagram> {
        Some(match formula {
            Formula::Test(Test::Relation(name, states)) => {
                let accepts = |state| Diagram::from(states.meet(States::default().with(state)));
                let [me, other, nobody] =
                    [RelationState::Me, RelationState::Other, RelationState::None].map(accepts);
                let then = [NONE, me, other, nobody];
                let variable = self.variable(Asked::Relation(kind, name));
                self.node(Node { variable, then })
            }
            Formula::Test(Test::Bound(name, _)) => {
                let variable = self.variable(Asked::Bound(kind, name));
                self.node(Node { variable, then: [NONE, ALL, NONE, NONE] })
            }
            Formula::Test(Test::Values(name, limit)) => {
                let variable = self.variable(Asked::Values(kind, name, limit.clone()));
                self.node(Node { variable, then: [NONE, ALL, NONE, NONE] })
            }
            Formula::Test(Test::Names(name, any_of)) => {
                let variable = self.variable(Asked::Names(kind, name, any_of.names.clone()));
                self.node(Node { variable, then: [NONE, ALL, NONE, NONE] })
            }
            Formula::Test(Test::Defined(number)) => defined.get(*number).copied()?,
            Formula::Join(op, parts) => {
                let mut all = if *op == Op::And { ALL } else { NONE };
                for part in parts {
                    let part = self.build(kind, part, defined, steps)?;
                    all = self.join(*op, all, part, Self::MOST_DEPTH, steps)?;
                }
                all
            }
        })
    }

    fn variable(&mut self, asked: Asked<'e>) -> Variable {
        number(self.asked.insert_full(asked).0)
    }

    fn node(&mut self, node: Node) -> Diagram {
        let [only, others @ ..] = node.then;
        if others.iter().all(|&then| then == only) {
            return only;
        }
        number(self.nodes.insert_full(node).0.saturating_add(2))
    }

    fn get(&self, diagram: Diagram) -> Option<&Node> {
        self.nodes.get_index((diagram as usize).checked_sub(2)?)
    }

    /// Returns the diagrams that follow each answer to a variable.
    fn after(&self, diagram: Diagram, variable: Variable) -> [Diagram; 4] {
        match self.get(diagram) {
            Some(node) if node.variable == variable => node.then,
            _ => [diagram; 4],
        }
    }

    /// Returns the first variable that either of two diagrams asks for.
    fn first(&self, one: Diagram, other: Diagram) -> Option<Variable> {
        [one, other].into_iter().filter_map(|it| self.get(it)).map(|node| node.variable).min()
    }

    /// `deeper` limits the depth of recursion.
    fn join(
        &mut self,
        op: Op,
        one: Diagram,
        other: Diagram,
        deeper: usize,
        steps: &mut usize,
    ) -> Option<Diagram> {
        let (neutral, settled) = if op == Op::And { (ALL, NONE) } else { (NONE, ALL) };
        let Some(variable) = self.first(one, other) else {
            return Some(if one == settled { one } else { other });
        };
        if one == settled || other == settled {
            return Some(settled);
        }
        if one == neutral || one == other {
            return Some(other);
        }
        if other == neutral {
            return Some(one);
        }
        let key = (op, one.min(other), one.max(other));
        if let Some(&known) = self.joined.get(&key) {
            return Some(known);
        }
        *steps = steps.checked_sub(1)?;
        let deeper = deeper.checked_sub(1)?;
        let (ones, others) = (self.after(one, variable), self.after(other, variable));
        let mut then = [NONE; 4];
        for (then, (&one, &other)) in then.iter_mut().zip(ones.iter().zip(&others)) {
            *then = self.join(op, one, other, deeper, steps)?;
        }
        let diagram = self.node(Node { variable, then });
        self.joined.insert(key, diagram);
        Some(diagram)
    }

    /// Returns the variables that some diagrams ask for, sorted.
    pub(super) fn asks(&self, diagrams: &[Diagram]) -> Vec<Variable> {
        let mut seen = HashSet::<Diagram>::default();
        let mut open = diagrams.to_vec();
        let mut asks = Vec::new();
        while let Some(diagram) = open.pop() {
            if let (Some(node), true) = (self.get(diagram), seen.insert(diagram)) {
                asks.push(node.variable);
                open.extend(node.then);
            }
        }
        asks.sort_unstable();
        asks.dedup();
        asks
    }

    /// Compares two diagrams, over the answers that are possible together; `None` if that
    /// would take too long. `known` are the results so far.
    pub(super) fn overlap(
        &self,
        before: Diagram,
        after: Diagram,
        answers: &HashMap<Variable, Answers>,
        known: &mut HashMap<(Diagram, Diagram), Overlap>,
    ) -> Option<Overlap> {
        let Some(variable) = self.first(before, after) else {
            return Some(Overlap::of(before == ALL, after == ALL));
        };
        if let Some(&known) = known.get(&(before, after)) {
            return Some(known);
        }
        if known.len() > Self::MOST_STEPS {
            return None;
        }
        let (befores, afters) = (self.after(before, variable), self.after(after, variable));
        let mut overlap = Overlap::default();
        for &(one, other) in answers.get(&variable)? {
            let (before, after) = (*befores.get(one)?, *afters.get(other)?);
            overlap = overlap | self.overlap(before, after, answers, known)?;
            if overlap | Overlap::NEITHER == Overlap::ALL {
                break;
            }
        }
        known.insert((before, after), overlap);
        Some(overlap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(states: &[RelationState]) -> States {
        states.iter().fold(States::default(), |all, &state| all.with(state))
    }

    #[test]
    fn equal_meanings_are_one_diagram() {
        use RelationState::{Me, None as Nobody, Other};
        let relation =
            |name, accepts: &[RelationState]| Formula::Test(Test::Relation(name, states(accepts)));
        let join = |op, parts: &[&Formula<'static>]| {
            Formula::Join(op, parts.iter().map(|&part| part.clone()).collect())
        };
        let mut diagrams = Diagrams::default();
        let alone = |main: &Formula<'static>| Formulas { main: main.clone(), definitions: vec![] };
        let mut of = |formula: &Formula<'static>| diagrams.of("job", &alone(formula));
        let (a, b) = (relation("a", &[Me]), relation("b", &[Me]));
        let (c, other) = (relation("c", &[Other, Nobody]), relation("a", &[Other, Nobody]));
        // What no normal form finds: the consensus of two parts.
        let two = join(Op::Or, &[&join(Op::And, &[&a, &b]), &join(Op::And, &[&other, &c])]);
        let any_a = relation("a", &[Me, Other, Nobody]);
        let three = join(Op::Or, &[&two, &join(Op::And, &[&any_a, &b, &c])]);
        assert_eq!(of(&two), of(&three));
        assert_ne!(of(&two), of(&join(Op::Or, &[&two, &b])));
        assert_eq!(of(&join(Op::And, &[&a, &other])), Some(NONE));
        // Being in any state still requires that the relation is carried.
        assert_ne!(of(&any_a), Some(ALL));
        assert_eq!(of(&join(Op::And, &[])), Some(ALL));
        let defined = Formula::Test(Test::Defined(0));
        let by_definition =
            Formulas { main: join(Op::And, &[&defined, &b]), definitions: vec![a.clone()] };
        let by_definition = diagrams.of("job", &by_definition);
        assert_eq!(by_definition, diagrams.of("job", &alone(&join(Op::And, &[&a, &b]))));
    }

    #[test]
    fn what_takes_too_long_is_given_up() {
        let names: Vec<String> = (0..60).map(|at| format!("r{at}")).collect();
        let me = States::default().with(RelationState::Me);
        let one = |at: usize| Formula::Test(Test::Relation(&names[at], me));
        // In an order that keeps all first halves apart: two to the thirtieth
        // power.
        let mut parts: Vec<Formula<'_>> = (0..30).map(one).collect();
        parts.push(Formula::NONE);
        let order = Formula::Join(Op::Or, parts);
        let pairs = (0..30).map(|at| Formula::Join(Op::And, vec![one(at), one(at + 30)]));
        let hard = Formula::Join(Op::Or, pairs.collect());
        let mut diagrams = Diagrams::default();
        let alone = |main| Formulas { main, definitions: Vec::new() };
        assert!(diagrams.of("job", &alone(order)).is_some());
        assert_eq!(diagrams.of("job", &alone(hard)), None);
    }

    #[test]
    fn what_goes_too_deep_is_given_up() {
        let names: Vec<String> = (0..10_000).map(|at| format!("r{at}")).collect();
        let mut diagrams = Diagrams::default();
        let alone = |main| Formulas { main, definitions: Vec::new() };
        let one = |at: usize, accepts: States| Formula::Test(Test::Relation(&names[at], accepts));
        let (me, or_other) =
            (states(&[RelationState::Me]), states(&[RelationState::Me, RelationState::Other]));
        for at in 0..names.len() {
            assert!(diagrams.of("job", &alone(one(at, me))).is_some());
        }
        // Each part goes on top of those before, so that each takes only one step.
        let all = |accepts| {
            let parts = (0..names.len()).rev().map(|at| one(at, accepts));
            Formula::Join(Op::And, parts.collect())
        };
        let either = Formula::Join(Op::Or, vec![all(me), all(or_other)]);
        assert_eq!(diagrams.of("job", &alone(either)), None);
    }
}

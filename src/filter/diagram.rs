//! Decision diagrams: formulas of equal meaning have one and the same diagram.
//!
//! A formula asks several things of an object, each a *variable*: the state of a
//! relation, whether it names one of some users or groups, or whether an attribute is
//! within bounds. A diagram asks them one
//! after another, in the same order for all diagrams, leaving out any that makes no
//! difference. So each meaning has exactly one diagram, and two are compared by
//! walking down both at once.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::Arc;

use smallvec::SmallVec;

use super::{Formula, Formulas, Test};
use crate::catalogue::{Limit, Op};
use crate::names::{HashMap, HashSet, IndexMap, IndexSet, number};
use crate::relation::RelationState;

/// A diagram: the number of its topmost node.
pub(crate) type Diagram = u32;

/// The diagram that no object passes.
pub(crate) const NONE: Diagram = 0;
/// The diagram that every object passes.
pub(crate) const ALL: Diagram = 1;

/// A variable, numbered in the order in which diagrams ask for them.
pub(crate) type Variable = u32;

/// A test of an object: the kind of the object, and the name of the relation or attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Asked<'e> {
    Relation(&'e str, &'e str),
    /// Asks if the relation names one of these, sorted.
    Names(&'e str, &'e str, Arc<[&'e str]>),
    /// Asks if the attribute is within the user's bound, which may differ before and after.
    Bound(&'e str, &'e str),
    /// Asks if the attribute is within this limit.
    Values(&'e str, &'e str, Cow<'e, Limit>),
}

impl<'e> Asked<'e> {
    /// Returns the question of a test about objects of a kind; `None` if that refers to a
    /// definition.
    fn of(kind: &'e str, test: &Test<'e>) -> Option<Asked<'e>> {
        Some(match test {
            Test::Relation(name, _) => Asked::Relation(kind, name),
            Test::Names(name, any_of) => Asked::Names(kind, name, Arc::clone(&any_of.names)),
            Test::Bound(name, _) => Asked::Bound(kind, name),
            Test::Values(name, limit) => Asked::Values(kind, name, limit.clone()),
            Test::Defined(_) => return None,
        })
    }
}

/// The answers of a variable: a relation that the object does not carry, and its
/// states; a test that fails, and one that passes.
pub(crate) const ABSENT: usize = 0;
pub(crate) const ME: usize = 1;
pub(crate) const OTHER: usize = 2;
pub(crate) const NOBODY: usize = 3;
pub(crate) const FAILS: usize = 0;
pub(crate) const PASSES: usize = 1;

/// A question in a diagram, and where each answer leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub(super) variable: Variable,
    pub(super) then: [Diagram; 4],
}

/// Diagrams that are joined: mostly two.
type Parts = SmallVec<[Diagram; 4]>;

/// All diagrams, with common parts shared.
#[derive(Debug, Default)]
pub(crate) struct Diagrams<'e> {
    /// Numbered from 2 on.
    nodes: IndexSet<Node>,
    joined: HashMap<(Op, Parts), Diagram>,
    /// With one of the tests that ask for it.
    asked: IndexMap<Asked<'e>, Test<'e>>,
}

impl<'e> Diagrams<'e> {
    /// The most steps to build a diagram of a formula, besides some for each of its tests, or
    /// to compare two. A catalogue can be written for which it would take practically forever.
    pub(crate) const MOST_STEPS: usize = 1 << 15;
    const STEPS_EACH: usize = 4;
    /// The most tests of a formula.
    const MOST_TESTS: usize = 1 << 18;
    /// The most variables of a formula, and so the depth of a diagram.
    const MOST_VARIABLES: usize = 500;
    /// The greatest depth of joins on diagrams that may still ask for more than that.
    const MOST_DEPTH: usize = 1_000;
    /// The most nodes in all.
    const MOST_NODES: usize = 1 << 20;

    /// Returns the meaning of a variable.
    pub(crate) fn asked(&self, variable: Variable) -> Option<&Asked<'e>> {
        self.asked.get_index(variable as usize).map(|(asked, _)| asked)
    }

    /// Returns a test that asks for a variable; of a relation, in whichever states.
    pub(super) fn test(&self, variable: Variable) -> Option<&Test<'e>> {
        self.asked.get_index(variable as usize).map(|(_, test)| test)
    }

    /// Numbers the variables of some formulas that are new: those most often tested come
    /// first, and among these those that are asked about first.
    fn number_variables(&mut self, kind: &'e str, formulas: &Formulas<'e>) {
        let mut counts: IndexMap<Asked<'e>, (usize, &Test<'e>)> = IndexMap::default();
        // From the end. Definitions may refer to those before them.
        let mut open: Vec<_> = formulas.definitions.iter().chain([&formulas.main]).collect();
        while let Some(formula) = open.pop() {
            match formula {
                Formula::Join(_, parts) => open.extend(parts.iter().rev()),
                Formula::Test(test) => {
                    if let Some(asked) = Asked::of(kind, test) {
                        let (count, _) = counts.entry(asked).or_insert((0, test));
                        *count = count.saturating_add(1);
                    }
                }
            }
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|&(_, (count, _))| Reverse(count));
        for (asked, (_, test)) in counts {
            self.variable(asked, test);
        }
    }

    /// Builds the diagram of a formula about objects of a kind; `None` if that would
    /// take too long.
    pub(crate) fn of(&mut self, kind: &'e str, formulas: &Formulas<'e>) -> Option<Diagram> {
        let Formulas { main, definitions } = formulas;
        let tests = formulas.tests();
        if tests > Self::MOST_TESTS || self.nodes.len() > Self::MOST_NODES {
            return None;
        }
        let mut steps = tests.saturating_mul(Self::STEPS_EACH).saturating_add(Self::MOST_STEPS);
        self.number_variables(kind, formulas);
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
        let (op, parts) = match formula {
            Formula::Test(Test::Defined(number)) => return defined.get(*number).copied(),
            Formula::Test(test) => {
                let then = match test {
                    Test::Relation(_, states) => {
                        let accepts = |state| Diagram::from(states.accepts(state));
                        let [me, other, nobody] = RelationState::ALL.map(accepts);
                        [NONE, me, other, nobody]
                    }
                    _ => [NONE, ALL, NONE, NONE],
                };
                let variable = self.variable(Asked::of(kind, test)?, test);
                return Some(self.node(Node { variable, then }));
            }
            Formula::Join(op, parts) => (*op, parts),
        };
        let parts = parts.iter().map(|part| self.build(kind, part, defined, steps));
        let parts = parts.collect::<Option<Vec<Diagram>>>()?;
        self.join(op, &parts, Self::MOST_DEPTH, steps)
    }

    fn variable(&mut self, asked: Asked<'e>, test: &Test<'e>) -> Variable {
        let entry = self.asked.entry(asked);
        let variable = number(entry.index());
        entry.or_insert_with(|| test.clone());
        variable
    }

    fn node(&mut self, node: Node) -> Diagram {
        let [only, others @ ..] = node.then;
        if others.iter().all(|&then| then == only) {
            return only;
        }
        number(self.nodes.insert_full(node).0.saturating_add(2))
    }

    pub(super) fn get(&self, diagram: Diagram) -> Option<&Node> {
        self.nodes.get_index((diagram as usize).checked_sub(2)?)
    }

    /// Returns the diagrams that follow each answer to a variable.
    pub(crate) fn after(&self, diagram: Diagram, variable: Variable) -> [Diagram; 4] {
        match self.get(diagram) {
            Some(node) if node.variable == variable => node.then,
            _ => [diagram; 4],
        }
    }

    /// Returns the first variable that some diagrams ask for.
    pub(crate) fn first(&self, diagrams: &[Diagram]) -> Option<Variable> {
        diagrams.iter().filter_map(|&it| self.get(it)).map(|node| node.variable).min()
    }

    /// Joins diagrams. `deeper` limits the depth of recursion.
    // Those that ask first for the same variable all at once: one after another, each would be
    // walked down together with all before it. And the later ones first, so that the others
    // go on top of them.
    fn join(
        &mut self,
        op: Op,
        parts: &[Diagram],
        deeper: usize,
        steps: &mut usize,
    ) -> Option<Diagram> {
        let (neutral, settled) = if op == Op::And { (ALL, NONE) } else { (NONE, ALL) };
        if parts.contains(&settled) {
            return Some(settled);
        }
        let asking = parts.iter().filter_map(|&part| Some((self.get(part)?.variable, part)));
        let mut asking: SmallVec<[(Variable, Diagram); 4]> = asking.collect();
        asking.sort_unstable();
        asking.dedup();
        let mut all = neutral;
        for alike in asking.chunk_by(|(one, _), (other, _)| one == other).rev() {
            if all == neutral
                && let [(_, only)] = alike
            {
                all = *only;
                continue;
            }
            let (Some(&(variable, first)), true) = (alike.first(), all != settled) else { break };
            let then = self.after(first, variable);
            all = if alike.len() == 1 && then.iter().all(|&it| it <= ALL) {
                // A test alone, as in most lists.
                *steps = steps.checked_sub(1)?;
                self.node(Node {
                    variable,
                    then: then.map(|it| if it == settled { it } else { all }),
                })
            } else {
                let parts = alike.iter().map(|&(_, part)| part).chain([all]).collect();
                self.join_asking(op, variable, parts, deeper, steps)?
            };
        }
        Some(all)
    }

    /// Joins diagrams none of which asks for anything before a variable.
    fn join_asking(
        &mut self,
        op: Op,
        variable: Variable,
        parts: Parts,
        deeper: usize,
        steps: &mut usize,
    ) -> Option<Diagram> {
        *steps = steps.checked_sub(parts.len())?;
        let key = (op, parts);
        if let Some(&known) = self.joined.get(&key) {
            return Some(known);
        }
        let deeper = deeper.checked_sub(1)?;
        let mut then = [NONE; 4];
        for (answer, then) in then.iter_mut().enumerate() {
            let after = |&part: &Diagram| self.after(part, variable).get(answer).copied();
            let parts = key.1.iter().map(after).collect::<Option<Parts>>()?;
            *then = self.join(op, &parts, deeper, steps)?;
        }
        let diagram = self.node(Node { variable, then });
        self.joined.insert(key, diagram);
        Some(diagram)
    }

    /// Returns the variables that some diagrams ask for, sorted.
    pub(crate) fn asks(&self, diagrams: &[Diagram]) -> Vec<Variable> {
        let nodes = self.reached(diagrams).into_iter().filter_map(|node| self.get(node));
        let mut asks: Vec<Variable> = nodes.map(|node| node.variable).collect();
        asks.sort_unstable();
        asks.dedup();
        asks
    }

    /// Returns the nodes of some diagrams, each after those that it leads to.
    pub(super) fn reached(&self, diagrams: &[Diagram]) -> Vec<Diagram> {
        let mut seen = HashSet::<Diagram>::default();
        let mut open = diagrams.to_vec();
        while let Some(diagram) = open.pop() {
            if let Some(node) = self.get(diagram)
                && seen.insert(diagram)
            {
                open.extend(node.then);
            }
        }
        // INVARIANT: a node is numbered after those that it leads to.
        let mut nodes: Vec<Diagram> = seen.into_iter().collect();
        nodes.sort_unstable();
        nodes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::States;

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

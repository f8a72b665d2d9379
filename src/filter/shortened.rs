//! Writes large formulas as their decision diagrams have them.
//!
//! The normal form looks at parts in pairs, which for many large parts takes too long. For
//! these there is the diagram, which is found in about as many steps as it has nodes. Scopes
//! each of which excludes the relations of those before it, say, have as many tests as there
//! are pairs of them; their diagram asks for each relation once.

use super::diagram::{ALL, Diagram, Diagrams, NONE};
use super::formula::Effort;
use super::{Formula, Formulas, Test};
use crate::catalogue::{Op, States};
use crate::names::HashMap;
use crate::relation::RelationState;

/// A formula that is nested deeper than this becomes a definition.
const MOST_DEPTH: usize = 8;

/// A formula, and the number of its tests with definitions written out.
#[derive(Clone)]
struct Written<'e> {
    formula: Formula<'e>,
    tests: usize,
}

impl<'e> Formulas<'e> {
    /// Returns them as their diagram has them, if that has at most half as many tests, even
    /// with its definitions written out.
    pub(super) fn shortened(&self) -> Option<Formulas<'e>> {
        let mut diagrams = Diagrams::default();
        let diagram = diagrams.of("", self)?;
        let (written, tests) = diagrams.written(diagram)?;
        (tests <= self.tests() / 2).then_some(written)
    }
}

impl<'e> Diagrams<'e> {
    /// Writes a diagram as formulas, and returns the number of their tests with definitions
    /// written out.
    // An answer of a variable, `r is me` say, leads to a diagram `then`. The formula is: the
    // diagram of the answer that no test passes, or one of the answers that lead elsewhere,
    // with what they lead to. Nothing need be negated. As no test in a formula is, whatever
    // passes where all tests of a variable fail passes with each of its other answers, too.
    fn written(&self, diagram: Diagram) -> Option<(Formulas<'e>, usize)> {
        let nodes = self.reached(&[diagram]);
        let mut uses: HashMap<Diagram, usize> = HashMap::default();
        for &node in &nodes {
            for (_, then) in self.alternatives(node)? {
                let uses = uses.entry(then).or_default();
                *uses = uses.saturating_add(1);
            }
        }
        let mut definitions = Vec::new();
        let constants = [(NONE, Formula::NONE), (ALL, Formula::ALL)];
        let constants = constants.map(|(it, formula)| (it, Written { formula, tests: 0 }));
        let mut written: HashMap<Diagram, Written<'e>> = constants.into_iter().collect();
        for node in nodes {
            let mut parts = Vec::new();
            let mut tests = 0_usize;
            for (test, then) in self.alternatives(node)? {
                let is_last_use = then > ALL && uses.get(&then) == Some(&1);
                let then =
                    if is_last_use { written.remove(&then)? } else { written.get(&then)?.clone() };
                tests = tests.saturating_add(then.tests);
                parts.push(match test {
                    Some(test) => {
                        tests = tests.saturating_add(1);
                        join(Op::And, vec![Formula::Test(test), then.formula])
                    }
                    None => then.formula,
                });
            }
            let mut formula = join(Op::Or, parts);
            let is_shared = uses.get(&node).is_some_and(|&uses| uses > 1);
            let is_join = matches!(&formula, Formula::Join(_, parts) if !parts.is_empty());
            if is_join && (is_shared || formula.depth() > MOST_DEPTH) {
                definitions.push(formula);
                formula = Formula::Test(Test::Defined(definitions.len().saturating_sub(1)));
            }
            written.insert(node, Written { formula, tests });
        }
        let Written { formula: main, tests } = written.remove(&diagram)?;
        Some((Formulas { main, definitions }, tests))
    }

    /// Returns the diagrams to which the answers of a node lead, each with a test that such
    /// answers pass; first, without one, that of the answer which passes no test.
    fn alternatives(&self, node: Diagram) -> Option<Vec<(Option<Test<'e>>, Diagram)>> {
        let node = self.get(node)?;
        let test = self.test(node.variable)?;
        let [without, answers @ ..] = node.then;
        let mut alternatives = vec![(None, without)];
        for (state, then) in RelationState::ALL.into_iter().zip(answers) {
            if then == without {
                continue;
            }
            let known = alternatives.iter_mut().find(|(_, known)| *known == then);
            match known {
                Some((Some(Test::Relation(_, states)), _)) => *states = states.with(state),
                _ => {
                    let test = match test {
                        Test::Relation(name, _) => {
                            Test::Relation(name, States::default().with(state))
                        }
                        test => test.clone(),
                    };
                    alternatives.push((Some(test), then));
                }
            }
        }
        Some(alternatives)
    }
}

/// Joins formulas without looking for a shorter form.
fn join<'e>(op: Op, parts: Vec<Formula<'e>>) -> Formula<'e> {
    Formula::join(op, parts, &Effort::new(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::filter::formula::tests::{Object, formula, holds};

    /// Writes definitions out.
    fn written_out<'e>(formula: &Formula<'e>, definitions: &[Formula<'e>]) -> Formula<'e> {
        match formula {
            Formula::Test(Test::Defined(number)) => definitions[*number].clone(),
            Formula::Test(_) => formula.clone(),
            Formula::Join(op, parts) => {
                let parts = parts.iter().map(|part| written_out(part, definitions));
                Formula::Join(*op, parts.collect())
            }
        }
    }

    fn all_written_out<'e>(formulas: &Formulas<'e>) -> Formula<'e> {
        let mut definitions = Vec::new();
        for definition in &formulas.definitions {
            assert!(definition.depth() <= MOST_DEPTH + 2, "{definition:?}");
            let definition = written_out(definition, &definitions);
            definitions.push(definition);
        }
        written_out(&formulas.main, &definitions)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

        #[test]
        fn what_a_diagram_is_written_as_says_the_same_on_every_object(
            formula in formula(), first in 0..37_usize
        ) {
            let formulas = Formulas { main: formula.clone(), definitions: Vec::new() };
            let mut diagrams = Diagrams::default();
            let diagram = diagrams.of("", &formulas).expect("it is small");
            let (written, tests) = diagrams.written(diagram).expect("it is a diagram");
            let written = all_written_out(&written);
            prop_assert!(written.tests() <= tests);
            for number in (first..Object::ALL).step_by(37) {
                let object = Object::new(number);
                prop_assert_eq!(
                    holds(&formula, &object),
                    holds(&written, &object),
                    "{:?} is written {:?}", formula, written
                );
            }
        }
    }

    /// Parts each of which excludes the relations of those before it, whatever their order.
    #[test]
    fn a_staircase_has_two_tests_for_each_part() {
        let names: Vec<String> = (0..100).map(|at| format!("r{at}")).collect();
        let test = |name, states| Formula::Test(Test::Relation(name, states));
        let [me, other, none] = RelationState::ALL.map(|it| States::default().with(it));
        for turned in [false, true] {
            for excluded in [other, other.union(none)] {
                let place = |at: usize| if turned { &names[99 - at] } else { &names[at] };
                let parts = (0..100).map(|at| {
                    let mut tests: Vec<_> =
                        (0..at).map(|before| test(place(before), excluded)).collect();
                    tests.push(test(place(at), me));
                    Formula::Join(Op::And, tests)
                });
                let main = Formula::Join(Op::Or, parts.collect());
                let whole = Formulas { main, definitions: Vec::new() };
                let short = whole.shortened().expect("it is shorter");
                assert_eq!(all_written_out(&short).tests(), 199);
                assert!(short.tests() < 250, "{}", short.tests());
            }
        }
    }
}

//! Formulas of tests on one object, and their normal form.
//!
//! Nothing is negated in them, so `and` and `or` mirror each other, and every
//! rule here is written once for both. A formula is kept factored, never
//! multiplied out: no rule makes it larger, so that the normal form is no larger
//! than what it is made from.
//!
//! Finding it takes more than linear time, since each part is compared with each
//! other one. So there is an [`Effort`] that may be spent on it; once that is
//! used up, a formula is left as it is, with the same meaning.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use crate::catalogue::{AttributeId, Limit, Op, States, Truth};
use crate::engine::LimitSet;
use crate::names::{is_among, is_sorted_subset};
use crate::relation::RelationState;

/// A condition on an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Formula<'c> {
    Test(Test<'c>),
    /// Some formulas joined. With none, every object passes `and`, and no object
    /// passes `or`.
    Join(Op, Vec<Formula<'c>>),
}

/// A test of one thing about the object, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Test<'c> {
    /// The relation is in one of these states. It has at most one state: a
    /// relation that the object does not carry has no state.
    Relation(&'c str, States),
    /// The relation names one of these users or groups. It may name several.
    Names(&'c str, AnyOf<'c>),
    /// The attribute has a value within the limit.
    Values(&'c str, Cow<'c, Limit>),
    /// The attribute is within the user's bound, whatever that is.
    Bound(&'c str, AttributeId),
    /// The definition of that number holds.
    Defined(usize),
}

/// Users or groups, sorted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AnyOf<'c> {
    pub(crate) names: Arc<[&'c str]>,
    /// The groups that are `me`; empty if that is not known. It is not of users, so that
    /// those with the same terms have the same filter.
    me: Arc<[&'c str]>,
}

impl Op {
    fn mirror(self) -> Op {
        match self {
            Op::And => Op::Or,
            Op::Or => Op::And,
        }
    }
}

impl<'c> Test<'c> {
    /// Returns the test of a relation that must name one of some users or groups, given
    /// those that are `me`.
    pub(crate) fn names(relation: &'c str, names: Vec<&'c str>, me: &Arc<[&'c str]>) -> Test<'c> {
        if !names.is_empty() && *names == **me {
            return Test::Relation(relation, States::ME);
        }
        Test::Names(relation, AnyOf { names: names.into(), me: Arc::clone(me) })
    }

    /// Returns the test that passes where both pass, or where either does; `None` if they
    /// don't test the same thing or no test does that.
    fn merged(&self, op: Op, other: &Self) -> Option<Self> {
        Some(match (self, other) {
            (Test::Names(name, one), Test::Names(of, other)) if name == of => match op {
                // It may name several.
                Op::And if is_sorted_subset(&one.names, &other.names) => self.clone(),
                Op::And if is_sorted_subset(&other.names, &one.names) => {
                    Test::Names(name, other.clone())
                }
                Op::And => return None,
                Op::Or => {
                    let mut all = [&*one.names, &*other.names].concat();
                    all.sort();
                    all.dedup();
                    Test::names(name, all, &one.me)
                }
            },
            (Test::Relation(name, one), Test::Relation(of, other)) if name == of => {
                let states = match op {
                    Op::And => one.intersection(*other),
                    Op::Or => one.union(*other),
                };
                Test::Relation(name, states)
            }
            (Test::Values(name, one), Test::Values(of, other)) if name == of => {
                let limit = match op {
                    Op::And => one.both(other)?,
                    Op::Or => one.either(other),
                };
                Test::Values(name, Cow::Owned(limit))
            }
            _ => return None,
        })
    }

    /// Returns a test that passes where this one does and another does not, and nowhere
    /// else but where this one does; `None` if they don't test the same thing or no test
    /// does that.
    fn without(&self, other: &Self) -> Option<Self> {
        Some(match (self, other) {
            (Test::Names(name, one), Test::Names(of, other)) if name == of => {
                let left = one.names.iter().filter(|name| !is_among(&other.names, name));
                Test::names(name, left.copied().collect(), &one.me)
            }
            (Test::Relation(name, one), Test::Relation(of, other)) if name == of => {
                Test::Relation(name, one.without(*other))
            }
            (Test::Values(name, one), Test::Values(of, other)) if name == of => {
                Test::Values(name, Cow::Owned(one.without(other)?))
            }
            _ => return None,
        })
    }

    /// Returns a test that passes where this one does, of objects that pass another test;
    /// `None` if that is this one.
    fn given(&self, known: &Self) -> Option<Self> {
        match (self, known) {
            (Test::Relation(name, states), Test::Names(of, _)) if name == of => {
                Some(Test::Relation(name, states.without(States::NOBODY)))
            }
            (Test::Names(name, _), Test::Relation(of, states))
                if name == of && states.without(States::NOBODY) == States::default() =>
            {
                Some(Test::Relation(name, States::default()))
            }
            _ => self.merged(Op::And, known),
        }
    }

    /// Returns whether every object that passes it passes another test.
    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Test::Names(name, some), Test::Names(of, all)) => {
                name == of && is_sorted_subset(&some.names, &all.names)
            }
            (Test::Names(name, any_of), Test::Relation(of, states)) if name == of => {
                let is_me = || is_sorted_subset(&any_of.names, &any_of.me);
                states.accepts(RelationState::Me)
                    && (states.accepts(RelationState::Other) || is_me())
            }
            (Test::Relation(name, states), Test::Names(of, any_of)) if name == of => {
                let is_known = !any_of.me.is_empty();
                *states == States::ME && is_known && is_sorted_subset(&any_of.me, &any_of.names)
            }
            (Test::Relation(name, states), Test::Relation(of, more)) => {
                name == of && states.without(*more) == States::default()
            }
            (Test::Values(name, limit), Test::Values(of, more)) => {
                name == of && more.contains(limit)
            }
            _ => self == other,
        }
    }

    /// Returns whether no object passes it.
    fn is_impossible(&self) -> bool {
        match self {
            Test::Relation(_, states) => *states == States::default(),
            Test::Names(_, any_of) => any_of.names.is_empty(),
            Test::Values(_, limit) => !limit.passable(),
            Test::Bound(..) | Test::Defined(_) => false,
        }
    }

    /// Returns how many texts are looked at to compare it with another one.
    fn compared_texts(&self, other: &Self) -> usize {
        match (self, other) {
            (Test::Names(name, some), Test::Names(of, all)) if name == of => {
                some.names.len().saturating_add(all.names.len())
            }
            (Test::Values(name, limit), Test::Values(of, _)) if name == of => match &**limit {
                Limit::OneOf(texts) => texts.len(),
                _ => 0,
            },
            _ => 0,
        }
    }
}

/// The effort left for normal forms, in comparisons of one test with another.
#[derive(Debug)]
pub(super) struct Effort(Cell<usize>);

impl Effort {
    pub(super) fn new(most: usize) -> Effort {
        Effort(Cell::new(most))
    }

    /// Spends that many steps, and returns whether they were left. If not, none are.
    fn spend(&self, steps: usize) -> bool {
        let left = self.0.get().checked_sub(steps);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }
}

impl From<bool> for Formula<'_> {
    fn from(all: bool) -> Self {
        if all { Formula::ALL } else { Formula::NONE }
    }
}

impl<'c> Truth for Formula<'c> {
    type Parts = Vec<Formula<'c>>;

    fn add_to(self, parts: &mut Vec<Formula<'c>>, op: Op) -> Result<(), Formula<'c>> {
        if matches!(&self, Formula::Join(of, parts) if *of != op && parts.is_empty()) {
            return Err(self);
        }
        parts.push(self);
        Ok(())
    }
}

impl<'c> Formula<'c> {
    /// Every object passes it.
    pub(crate) const ALL: Formula<'static> = Formula::Join(Op::And, Vec::new());
    /// No object passes it.
    pub(crate) const NONE: Formula<'static> = Formula::Join(Op::Or, Vec::new());

    /// Joins formulas in normal form into one in normal form, as far as the
    /// effort goes.
    pub(super) fn join(op: Op, mut parts: Vec<Formula<'c>>, effort: &Effort) -> Formula<'c> {
        loop {
            let Some(flat) = flatten(op, parts) else {
                return Formula::Join(op.mirror(), Vec::new());
            };
            parts = flat;
            parts.sort_unstable();
            parts.dedup();
            let changed = merge(op, &mut parts)
                || !are_independent(&parts)
                    && (simplify(op, &mut parts, effort)
                        || factor(op, &mut parts, effort)
                        || (op == Op::And && part_states(&mut parts, effort)));
            if !changed {
                break;
            }
        }
        match <[Formula<'c>; 1]>::try_from(parts) {
            Ok([only]) => only,
            Err(parts) => Formula::Join(op, parts),
        }
    }

    /// Returns the number of its tests.
    pub(crate) fn tests(&self) -> usize {
        match self {
            Formula::Test(_) => 1,
            Formula::Join(_, parts) => parts.iter().map(Formula::tests).sum(),
        }
    }

    /// Returns the depth to which joins are nested.
    pub(super) fn depth(&self) -> usize {
        match self {
            Formula::Test(_) => 0,
            Formula::Join(_, parts) => {
                parts.iter().map(Formula::depth).max().map_or(1, |d| d.saturating_add(1))
            }
        }
    }

    /// Returns it with a user's limits in the place of tests of the user's bounds.
    pub(super) fn within(&self, limits: &'c LimitSet, effort: &Effort) -> Formula<'c> {
        match self {
            Formula::Test(Test::Bound(name, attribute)) => {
                Formula::Test(Test::Values(name, Cow::Borrowed(limits.on(*attribute))))
            }
            Formula::Test(_) => self.clone(),
            Formula::Join(op, parts) => {
                let parts = parts.iter().map(|part| part.within(limits, effort));
                Formula::join(*op, parts.collect(), effort)
            }
        }
    }

    /// Marks the definitions that it refers to.
    pub(super) fn mark_definitions(&self, marks: &mut [bool]) {
        match self {
            Formula::Test(Test::Defined(number)) => {
                if let Some(mark) = marks.get_mut(*number) {
                    *mark = true;
                }
            }
            Formula::Test(_) => {}
            Formula::Join(_, parts) => parts.iter().for_each(|part| part.mark_definitions(marks)),
        }
    }

    /// Returns whether it follows, by rules that look at one part at a time, that every
    /// object that passes this passes the other.
    fn implies(&self, other: &Formula<'c>, effort: &Effort) -> bool {
        use Formula::{Join, Test as One};
        if !effort.spend(1) {
            return false;
        }
        match (self, other) {
            (One(test), One(other)) => {
                effort.spend(test.compared_texts(other)) && test.implies(other)
            }
            (_, Join(Op::And, parts)) => parts.iter().all(|part| self.implies(part, effort)),
            (Join(Op::Or, parts), _) => parts.iter().all(|part| part.implies(other, effort)),
            (Join(Op::And, parts), One(_)) => parts.iter().any(|part| part.implies(other, effort)),
            (One(_), Join(Op::Or, parts)) => parts.iter().any(|part| self.implies(part, effort)),
            (Join(Op::And, parts), Join(Op::Or, others)) => {
                parts.iter().any(|part| part.implies(other, effort))
                    || others.iter().any(|other| self.implies(other, effort))
            }
        }
    }

    /// Reduces it, given that another formula holds, within `and`, or does not hold,
    /// within `or`. `None` where nothing is gained.
    fn given(&self, op: Op, fact: &Formula<'c>, effort: &Effort) -> Option<Formula<'c>> {
        if !effort.spend(1) {
            return None;
        }
        let settled = match op {
            Op::And => fact.implies(self, effort),
            Op::Or => self.implies(fact, effort),
        };
        if settled {
            let nothing = Formula::Join(op, Vec::new());
            return (*self != nothing).then_some(nothing);
        }
        match (self, fact) {
            (Formula::Test(test), Formula::Test(known)) => {
                let left = match op {
                    Op::And => test.given(known)?,
                    Op::Or => test.without(known)?,
                };
                (left != *test).then_some(Formula::Test(left))
            }
            (Formula::Join(of, parts), _) => {
                let less: Vec<_> = parts.iter().map(|part| part.given(op, fact, effort)).collect();
                let changed = less.iter().any(Option::is_some);
                let parts = less.into_iter().zip(parts);
                let parts = parts.map(|(less, part)| less.unwrap_or_else(|| part.clone()));
                changed.then(|| Formula::join(*of, parts.collect(), effort))
            }
            _ => None,
        }
    }
}

/// Inlines joins of the same kind, and drops parts that change nothing. `None` where
/// one part settles the join.
fn flatten(op: Op, parts: Vec<Formula<'_>>) -> Option<Vec<Formula<'_>>> {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Formula::Join(of, parts) if of == op => flat.extend(parts),
            Formula::Join(_, parts) if parts.is_empty() => return None,
            Formula::Test(test) if test.is_impossible() => {
                if op == Op::And {
                    return None;
                }
            }
            part => flat.push(part),
        }
    }
    Some(flat)
}

/// Merges all tests of a relation or attribute into one: once sorted, they are neighbours.
// In pairs, so that it takes few rounds to merge many long lists.
fn merge(op: Op, parts: &mut Vec<Formula<'_>>) -> bool {
    let before = parts.len();
    let mut is_merged = false;
    parts.dedup_by(|part, kept| {
        let tests = (part, kept);
        if let (Formula::Test(part), Formula::Test(kept)) = tests
            && !is_merged
            && let Some(merged) = kept.merged(op, part)
        {
            *kept = merged;
            is_merged = true;
            return true;
        }
        is_merged = false;
        false
    });
    parts.len() < before
}

/// Returns whether all parts are tests that have nothing to do with each other: of
/// relations' states and of bounds. Such tests of the same thing are merged.
fn are_independent(parts: &[Formula<'_>]) -> bool {
    let alone = |test: &Test<'_>| matches!(test, Test::Relation(..) | Test::Bound(..));
    parts.iter().all(|part| matches!(part, Formula::Test(test) if alone(test)))
}

/// Reduces each part, given the others: within `and` they are known
/// to hold, within `or` not to hold. So `a or (a and b)` is `a`.
#[expect(
    clippy::indexing_slicing,
    reason = "places among the parts, of which there are no fewer meanwhile"
)]
fn simplify(op: Op, parts: &mut [Formula<'_>], effort: &Effort) -> bool {
    let mut changed = false;
    for at in 0..parts.len() {
        if !effort.spend(1) {
            break;
        }
        // Meanwhile its own place holds what changes nothing.
        let fact = std::mem::replace(&mut parts[at], Formula::Join(op, Vec::new()));
        for part in parts.iter_mut() {
            if let Some(less) = part.given(op, &fact, effort) {
                *part = less;
                changed = true;
            }
        }
        parts[at] = fact;
    }
    changed
}

/// Takes out common factors, the most common first:
/// `(a and b) or (a and c)` is `a and (b or c)`.
fn factor(op: Op, parts: &mut Vec<Formula<'_>>, effort: &Effort) -> bool {
    let mut changed = false;
    while effort.spend(parts.iter().map(Formula::tests).sum())
        && let Some(common) = most_common(op, parts)
    {
        changed = true;
        let (with, without): (Vec<_>, Vec<_>) =
            parts.drain(..).partition(|part| joined(op, part).contains(&common));
        let rests = with.into_iter().map(|part| match part {
            Formula::Join(of, mut parts) => {
                parts.retain(|part| *part != common);
                Formula::join(of, parts, effort)
            }
            test => test,
        });
        let rest = Formula::join(op, rests.collect(), effort);
        *parts = without;
        parts.push(Formula::join(op.mirror(), vec![common, rest], effort));
    }
    changed
}

/// Returns the factor that most parts have in common, if two have one.
fn most_common<'c>(op: Op, parts: &[Formula<'c>]) -> Option<Formula<'c>> {
    let mut factors: Vec<&Formula<'c>> = parts.iter().flat_map(|part| joined(op, part)).collect();
    factors.sort_unstable();
    let mut most: &[&Formula<'c>] = &[];
    for alike in factors.chunk_by(|one, other| one == other) {
        if alike.len() > most.len() {
            most = alike;
        }
    }
    if most.len() < 2 { None } else { most.first().map(|&common| common.clone()) }
}

/// Separates the states of a relation, or the values of an attribute, within `and`:
/// `(r is one of me, none) and (r is me or x)` is `r is me or (r is none and x)`,
/// the form that `or` gives them.
#[expect(clippy::indexing_slicing, reason = "`parted` returns places among the parts")]
#[expect(clippy::arithmetic_side_effects, reason = "a place among the parts")]
fn part_states(parts: &mut Vec<Formula<'_>>, effort: &Effort) -> bool {
    let mut changed = false;
    let mut at = 0;
    while let Some(part) = parts.get(at)
        && effort.spend(parts.iter().map(|part| joined(Op::And, part).len() + 1).sum())
    {
        let Some((or, own, [inside, outside])) = parted(part, parts) else {
            at += 1;
            continue;
        };
        let mut rest = joined(Op::And, &parts[or]).to_vec();
        rest.remove(own);
        let rest = Formula::join(Op::Or, rest, effort);
        let rest = Formula::join(Op::And, vec![outside, rest], effort);
        parts[or] = Formula::join(Op::Or, vec![inside, rest], effort);
        parts.remove(at);
        changed = true;
    }
    changed
}

/// Finds a part with an alternative that tests the same relation or attribute as this one:
/// which part, which alternative, and this one's test split into the states or values that
/// the alternative accepts and the rest.
fn parted<'c>(
    part: &Formula<'c>,
    parts: &[Formula<'c>],
) -> Option<(usize, usize, [Formula<'c>; 2])> {
    let Formula::Test(test) = part else { return None };
    parts.iter().enumerate().find_map(|(or, part)| {
        joined(Op::And, part).iter().enumerate().find_map(|(own, alternative)| {
            let Formula::Test(alternative) = alternative else { return None };
            let sides = [test.merged(Op::And, alternative)?, test.without(alternative)?];
            Some((or, own, sides.map(Formula::Test)))
        })
    })
}

/// Returns the parts of a part that is joined the other way: alternatives within
/// `and`, factors within `or`.
fn joined<'f, 'c>(op: Op, part: &'f Formula<'c>) -> &'f [Formula<'c>] {
    match part {
        Formula::Join(of, parts) if *of != op => parts,
        _ => &[],
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::ids::{Key, Number};
    use crate::object::Value;

    const STATES: [RelationState; 3] =
        [RelationState::Me, RelationState::Other, RelationState::None];
    const RELATIONS: [&str; 3] = ["a", "b", "c"];
    const TEXTS: [&str; 3] = ["p", "q", "r"];

    fn states(accepted: u8) -> States {
        let accepted = STATES.iter().enumerate().filter(|(at, _)| accepted >> at & 1 == 1);
        accepted.fold(States::default(), |states, (_, &state)| states.with(state))
    }

    fn texts(chosen: u8) -> Vec<&'static str> {
        TEXTS
            .iter()
            .enumerate()
            .filter(|(at, _)| chosen >> at & 1 == 1)
            .map(|(_, &it)| it)
            .collect()
    }

    /// A formula that is not in normal form.
    pub(in crate::filter) fn formula() -> impl Strategy<Value = Formula<'static>> {
        let relation = (0usize..3, 0u8..8)
            .prop_map(|(at, accepted)| Test::Relation(RELATIONS[at], states(accepted)));
        let bound = (0usize..2).prop_map(|at| Test::Bound(["x", "y"][at], AttributeId::new(at)));
        let values = (0usize..3, 0u8..8).prop_map(|(at, accepted)| {
            let limit = match at {
                0 => Limit::OneOf(texts(accepted).into_iter().map(Into::into).collect()),
                1 => Limit::AtMost(i64::from(accepted % 3)),
                _ => match accepted % 3 {
                    2 => Limit::EitherFlag,
                    flag => Limit::Flag(flag == 1),
                },
            };
            Test::Values(["texts", "integer", "flag"][at], Cow::Owned(limit))
        });
        let names = (0u8..8).prop_map(|any_of| Test::names("a", texts(any_of), &["p"].into()));
        let test = prop_oneof![5 => relation, 3 => names, 2 => bound, 4 => values];
        let test = test.prop_map(Formula::Test);
        test.prop_recursive(5, 40, 5, |inner| {
            (prop_oneof![Just(Op::And), Just(Op::Or)], vec(inner, 0..5))
                .prop_map(|(op, parts)| Formula::Join(op, parts))
        })
    }

    fn join(op: Op, parts: Vec<Formula<'static>>) -> Formula<'static> {
        Formula::join(op, parts, &Effort::new(usize::MAX))
    }

    fn normal(formula: &Formula<'static>) -> Formula<'static> {
        match formula {
            Formula::Join(op, parts) => join(*op, parts.iter().map(normal).collect()),
            test => join(Op::And, vec![test.clone()]),
        }
    }

    pub(in crate::filter) struct Object {
        /// The users whom the relation `a` names: `p`, who is me, and others.
        a: Option<u8>,
        states: [Option<RelationState>; 3],
        within: [bool; 2],
        text: Option<Value<'static>>,
        integer: Option<Value<'static>>,
        flag: Option<Value<'static>>,
    }

    impl Object {
        pub(in crate::filter) const ALL: usize = 9 * 4 * 4 * 2 * 2 * 4 * 4 * 3;

        pub(in crate::filter) fn new(mut number: usize) -> Object {
            let mut next = |among: usize| {
                let at = number % among;
                number /= among;
                at
            };
            let a = (0..8).nth(next(9));
            let state = a.map(|a| match a {
                0 => RelationState::None,
                a if a & 1 == 1 => RelationState::Me,
                _ => RelationState::Other,
            });
            let [b, c] = [next(4), next(4)].map(|at| STATES.get(at).copied());
            Object {
                a,
                states: [state, b, c],
                within: [next(2) == 1, next(2) == 1],
                text: TEXTS.get(next(4)).map(|text| Value::Text(text)),
                integer: [0, 1, 2].get(next(4)).map(|&integer| Value::Integer(integer)),
                flag: [false, true].get(next(3)).map(|&flag| Value::Boolean(flag)),
            }
        }
    }

    pub(in crate::filter) fn holds(formula: &Formula<'_>, object: &Object) -> bool {
        let holds = |part: &Formula<'_>| holds(part, object);
        match formula {
            Formula::Test(Test::Relation(name, accepted)) => {
                let at = RELATIONS.iter().position(|known| known == name);
                at.and_then(|at| object.states[at]).is_some_and(|state| accepted.accepts(state))
            }
            Formula::Test(Test::Names(_, any_of)) => {
                object.a.is_some_and(|a| texts(a).iter().any(|name| any_of.names.contains(name)))
            }
            Formula::Test(Test::Bound(_, id)) => object.within[id.index()],
            Formula::Test(Test::Values(name, limit)) => {
                let value = match *name {
                    "texts" => object.text,
                    "integer" => object.integer,
                    _ => object.flag,
                };
                limit.passes(value, None)
            }
            Formula::Test(Test::Defined(_)) => false,
            Formula::Join(Op::And, parts) => parts.iter().all(holds),
            Formula::Join(Op::Or, parts) => parts.iter().any(holds),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

        #[test]
        fn the_normal_form_says_the_same_on_every_object(formula in formula(), first in 0..37usize) {
            let normal = normal(&formula);
            for number in (first..Object::ALL).step_by(37) {
                let object = Object::new(number);
                prop_assert_eq!(
                    holds(&formula, &object),
                    holds(&normal, &object),
                    "{:?} is made {:?}", formula, normal
                );
            }
        }

        #[test]
        fn the_normal_form_is_a_fixpoint_and_no_larger(formula in formula()) {
            let once = normal(&formula);
            prop_assert_eq!(&normal(&once), &once);
            prop_assert!(once.tests() <= formula.tests());
        }
    }

    fn one(name: &'static str, accepted: u8) -> Formula<'static> {
        Formula::Test(Test::Relation(name, states(accepted)))
    }

    #[test]
    fn equal_meanings_get_equal_formulas() {
        use Op::{And, Or};
        let (a, b, c) = (one("a", 1), one("b", 1), one("c", 1));
        let both =
            |x: &Formula<'static>, y: &Formula<'static>| join(And, vec![x.clone(), y.clone()]);
        let any = |x: &Formula<'static>, y: &Formula<'static>| join(Or, vec![x.clone(), y.clone()]);
        // Absorption, both ways.
        assert_eq!(any(&a, &both(&a, &b)), a);
        assert_eq!(both(&a, &any(&a, &b)), a);
        // Distribution, both ways.
        assert_eq!(any(&both(&a, &b), &both(&a, &c)), both(&a, &any(&b, &c)));
        assert_eq!(both(&any(&a, &b), &any(&a, &c)), any(&a, &both(&b, &c)));
        // States of one relation, with all else equal.
        let other = one("a", 2);
        assert_eq!(any(&both(&a, &b), &both(&other, &b)), both(&one("a", 3), &b));
        assert_eq!(both(&a, &other), Formula::NONE);
        // States of one relation, kept apart.
        let parted = any(&a, &both(&other, &b));
        assert_eq!(both(&one("a", 3), &any(&a, &b)), parted);
        assert_eq!(any(&a, &both(&one("a", 3), &b)), parted);
        // Names of one relation, which may name several.
        let names = |any_of: u8| Formula::Test(Test::names("a", texts(any_of), &["p"].into()));
        assert_eq!(any(&both(&names(2), &b), &both(&names(4), &b)), both(&names(6), &b));
        assert_eq!(any(&names(2), &both(&names(6), &b)), any(&names(2), &both(&names(4), &b)));
        assert_eq!(both(&names(6), &any(&names(2), &b)), any(&names(2), &both(&names(4), &b)));
        assert_ne!(both(&names(2), &names(4)), Formula::NONE);
        // Naming somebody is being in a state.
        assert_eq!(both(&names(2), &one("a", 6)), both(&names(2), &one("a", 2)));
        assert_eq!(both(&names(2), &one("a", 4)), Formula::NONE);
        assert_eq!(any(&names(2), &one("a", 3)), one("a", 3));
        // So is naming me, among others or not.
        assert_eq!(names(1), one("a", 1));
        assert_eq!(both(&names(3), &one("a", 1)), one("a", 1));
        assert_eq!(any(&names(3), &one("a", 1)), names(3));
        // Being in any state is not the same as being any object.
        assert_ne!(any(&one("a", 3), &one("a", 4)), Formula::ALL);
    }
}

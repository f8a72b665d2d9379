//! The subject of a case.

use super::dice::Dice;

/// Weights and percentages. Rules meet where a policy has much of the same, and a policy
/// that has everything at once mostly answers no: so each case leans to one side.
pub struct Taste {
    /// Of the forms of a node: plain, graded, scoped, a heading.
    pub forms: [usize; 4],
    /// That a node names its kind of object.
    pub kind: usize,
    /// That a node has checks of its own.
    pub checks: usize,
    /// That a node or a scope requires anything.
    pub requires: usize,
    /// That it requires something that is exercised on objects.
    pub requires_object: usize,
    /// That it implies anything.
    pub implies: usize,
    /// That everything is allowed, unless a source says otherwise.
    pub allow_all: usize,
    /// That an assignment has an `on`.
    pub on: usize,
    /// Of the forms of a statement: allow, except, deny, forbid, level, bound, setting.
    pub statements: [usize; 7],
    /// Of the forms of a question: can, why, can_some, level, setting, effective, who_can,
    /// never, filter.
    pub questions: [usize; 9],
}

/// Reads the roll of a taste.
pub fn read(dice: &mut Dice<'_>) -> &'static Taste {
    dice.weigh(&[(40, &TASTES[0]), (15, &TASTES[1]), (25, &TASTES[2]), (20, &TASTES[3])])
}

/// Assignments over little that is ordinary; the tree and its levels; objects, of which
/// assignments bring a part; some of everything, most of it allowed.
const TASTES: [Taste; 4] = [
    Taste {
        forms: [46, 18, 26, 10],
        kind: 55,
        checks: 50,
        requires: 22,
        requires_object: 50,
        implies: 22,
        allow_all: 60,
        on: 75,
        statements: [48, 10, 3, 1, 10, 24, 4],
        questions: [32, 20, 13, 8, 1, 7, 7, 3, 9],
    },
    Taste {
        forms: [38, 36, 10, 16],
        kind: 15,
        checks: 10,
        requires: 30,
        requires_object: 0,
        implies: 50,
        allow_all: 40,
        on: 20,
        statements: [44, 16, 8, 2, 25, 3, 2],
        questions: [28, 18, 12, 20, 1, 14, 4, 2, 1],
    },
    Taste {
        forms: [52, 10, 32, 6],
        kind: 60,
        checks: 50,
        requires: 45,
        requires_object: 85,
        implies: 6,
        allow_all: 70,
        on: 75,
        statements: [36, 6, 4, 1, 5, 47, 1],
        questions: [40, 24, 5, 6, 1, 3, 7, 2, 12],
    },
    Taste {
        forms: [50, 22, 18, 10],
        kind: 45,
        checks: 30,
        requires: 15,
        requires_object: 50,
        implies: 20,
        allow_all: 60,
        on: 55,
        statements: [31, 19, 12, 2, 12, 18, 6],
        questions: [30, 18, 9, 8, 8, 8, 7, 4, 8],
    },
];

//! What a case is mostly about.

use super::dice::Dice;

/// Weights and percentages. Rules meet where a policy has much of the same, and
/// a policy that has everything at once mostly answers no: so each case leans
/// to one side.
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
    /// Of the forms of a statement: allow, except, deny, forbid, level, bound, setting.
    pub statements: [usize; 7],
    /// Of the forms of a question: can, why, can_some, level, setting,
    /// effective, who_can, filter.
    pub questions: [usize; 8],
}

/// Reads the roll of a taste.
pub fn read(dice: &mut Dice<'_>) -> &'static Taste {
    // The rules on objects are the most entangled.
    dice.weigh(&[(25, &TASTES[0]), (15, &TASTES[1]), (40, &TASTES[2]), (20, &TASTES[3])])
}

/// Some of everything; the tree and its levels; objects; tiers and settings.
const TASTES: [Taste; 4] = [
    Taste {
        forms: [48, 16, 24, 12],
        kind: 40,
        checks: 30,
        requires: 28,
        requires_object: 30,
        implies: 28,
        allow_all: 45,
        statements: [46, 6, 9, 4, 10, 24, 7],
        questions: [36, 18, 9, 7, 7, 6, 9, 8],
    },
    Taste {
        forms: [40, 35, 10, 15],
        kind: 10,
        checks: 10,
        requires: 35,
        requires_object: 0,
        implies: 50,
        allow_all: 25,
        statements: [50, 8, 12, 5, 25, 4, 4],
        questions: [33, 20, 6, 20, 2, 12, 5, 2],
    },
    Taste {
        forms: [54, 8, 32, 6],
        kind: 55,
        checks: 25,
        requires: 50,
        requires_object: 85,
        implies: 6,
        allow_all: 92,
        statements: [28, 2, 6, 1, 4, 60, 1],
        questions: [42, 26, 5, 1, 1, 2, 8, 15],
    },
    Taste {
        forms: [55, 20, 15, 10],
        kind: 60,
        checks: 40,
        requires: 10,
        requires_object: 50,
        implies: 15,
        allow_all: 30,
        statements: [28, 5, 8, 2, 10, 22, 30],
        questions: [30, 13, 7, 8, 22, 6, 7, 7],
    },
];

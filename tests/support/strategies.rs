//! Random policies, and questions about them.
//!
//! A case is drawn as rolls of dice: lists of lists of plain numbers, one list
//! for each node, statement, user or question. The rolls are then read, in
//! order, as decisions. A policy is valid because no decision has an invalid
//! outcome: a node requires only what came before it, a pattern is picked among
//! those that match something. Shrinking drops lists and lowers rolls, and a
//! low roll is the plainer choice, so what is left of a failure is a small
//! policy and one question.

mod catalogue;
mod change;
mod dice;
pub mod governed;
mod question;
mod source;
mod taste;

use std::fmt;

use grantree::Document;
use grantree::document::{Governance, Map, Separation};
use grantree::policy_test::Question;
use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;

use catalogue::World;
use dice::Dice;
pub use source::{Tweak, said_by, sources};

/// A valid policy, questions about it, and statements that could be added.
///
/// Its debug form is JSON, for a test document.
#[derive(Clone)]
pub struct Case {
    /// The policy.
    pub document: Document,
    /// The questions, some of which name unknown things.
    pub questions: Vec<Question>,
    /// Sources and patterns, for the laws that add statements.
    pub tweaks: Vec<Tweak>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = |value: serde_json::Result<String>| value.map_err(|_| fmt::Error);
        write!(f, "{{\"policy\": {},", json(serde_json::to_string(&self.document))?)?;
        f.write_str("\n \"steps\": [")?;
        for question in &self.questions {
            write!(f, "\n  {},", json(serde_json::to_string(question))?)?;
        }
        write!(f, "\n ]}}\ntweaks: {:?}", self.tweaks)
    }
}

/// A random case, of thirty questions on the average.
pub fn case() -> impl Strategy<Value = Case> {
    rolls().prop_map(|rolls| rolls.read())
}

/// The rolls behind a case. A hand is what one thing is decided by.
#[derive(Clone, Debug)]
struct Rolls {
    misc: Hand,
    kinds: Vec<Hand>,
    nodes: Vec<Hand>,
    global: Vec<Hand>,
    profiles: Vec<Vec<Hand>>,
    roles: Vec<(Hand, Vec<Hand>)>,
    approval_groups: Vec<Vec<Hand>>,
    groups: Vec<Hand>,
    users: Vec<(Hand, Vec<Hand>)>,
    questions: Vec<Hand>,
    tweaks: Vec<Hand>,
}

type Hand = Vec<u16>;

/// How many rolls a hand has.
const HAND: usize = 56;

fn hand() -> impl Strategy<Value = Hand> {
    vec(any::<u16>(), HAND)
}

fn hands(count: impl Into<SizeRange>) -> impl Strategy<Value = Vec<Hand>> {
    vec(hand(), count)
}

fn rolls() -> impl Strategy<Value = Rolls> {
    let kinds = prop_oneof![1 => hands(0), 7 => hands(1..=3)];
    let catalogue = (hand(), kinds, hands(1..=18));
    let sources = (
        hands(0..=6),
        vec(hands(0..=6), 0..=2),
        vec((hand(), hands(0..=5)), 0..=5),
        vec(hands(0..=4), 0..=2),
    );
    let users = (hands(0..=4), vec((hand(), hands(0..=3)), 1..=4));
    let asked = (hands(1..=60), hands(0..=6));
    // Shrinking goes from left to right, and all that follows is quicker with
    // one question.
    (asked, users, sources, catalogue).prop_map(
        |(
            (questions, tweaks),
            (groups, users),
            (global, profiles, roles, approval_groups),
            (misc, kinds, nodes),
        )| Rolls {
            misc,
            kinds,
            nodes,
            global,
            profiles,
            roles,
            approval_groups,
            groups,
            users,
            questions,
            tweaks,
        },
    )
}

/// The case behind some bytes, whatever they are: for fuzzing.
pub fn case_of_bytes(bytes: &[u8]) -> Case {
    let mut bytes = Bytes::new(bytes, HAND);
    let rolls = Rolls {
        misc: bytes.hand(),
        kinds: bytes.hands(0, 3),
        nodes: bytes.hands(1, 18),
        global: bytes.hands(0, 6),
        profiles: bytes.list(0, 2, |bytes| bytes.hands(0, 6)),
        roles: bytes.list(0, 5, |bytes| (bytes.hand(), bytes.hands(0, 5))),
        approval_groups: bytes.list(0, 2, |bytes| bytes.hands(0, 4)),
        groups: bytes.hands(0, 4),
        users: bytes.list(1, 4, |bytes| (bytes.hand(), bytes.hands(0, 3))),
        questions: bytes.hands(1, 60),
        tweaks: bytes.hands(0, 6),
    };
    rolls.read()
}

/// Bytes as rolls: a hand has as many as its first byte says, and zeros for the rest,
/// so that a short input is a plain case.
pub struct Bytes<'b> {
    rest: &'b [u8],
    /// The length of a hand.
    hand: usize,
}

impl<'b> Bytes<'b> {
    pub fn new(rest: &'b [u8], hand: usize) -> Bytes<'b> {
        Bytes { rest, hand }
    }

    fn byte(&mut self) -> u8 {
        let (&first, rest) = self.rest.split_first().unwrap_or((&0, &[]));
        self.rest = rest;
        first
    }

    pub fn hand(&mut self) -> Hand {
        let given = usize::from(self.byte()) % (self.hand + 1);
        let mut hand: Hand =
            (0..given).map(|_| u16::from_be_bytes([self.byte(), self.byte()])).collect();
        hand.resize(self.hand, 0);
        hand
    }

    pub fn hands(&mut self, least: u8, most: u8) -> Vec<Hand> {
        self.list(least, most, Bytes::hand)
    }

    pub fn list<T>(&mut self, least: u8, most: u8, mut read: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = least + self.byte() % (most - least + 1);
        (0..count).map(|_| read(self)).collect()
    }
}

impl Rolls {
    fn read(&self) -> Case {
        let mut misc = Dice::new(&self.misc);
        let taste = taste::read(&mut misc);
        let (catalogue, world) = catalogue::read(taste, &mut misc, &self.kinds, &self.nodes);
        let mut document = Document::default();
        document.catalogue = catalogue;
        document.licence = catalogue::licence(&mut misc, &document.catalogue);
        document.groups = source::groups(&self.groups);
        document.global = source::global(&mut misc, &world, &self.global);
        document.profiles = source::named("profile", &self.profiles, |statements| {
            source::source(&world, statements)
        });
        document.approval_groups = source::named("approvers", &self.approval_groups, |hands| {
            source::source(&world, hands)
        });
        document.roles = source::roles(&world, &self.roles);
        document.users = source::users(&world, &document, &self.users);
        document.default_profile = match document.profiles.iter().next() {
            Some((name, _)) if misc.chance(50) => Some(name.to_owned()),
            _ => None,
        };
        document.governance = governance(&mut misc, &world);
        let questions = self
            .questions
            .iter()
            .map(|hand| question::read(&mut Dice::new(hand), &world, &document))
            .collect();
        let tweaks = self
            .tweaks
            .iter()
            .map(|hand| source::tweak(&mut Dice::new(hand), &world, &document))
            .collect();
        Case { document, questions, tweaks }
    }
}

/// It decides nothing here, but a policy carries it.
fn governance(dice: &mut Dice<'_>, world: &World) -> Governance {
    let mut governance = Governance::default();
    if world.needs.is_empty() || !dice.chance(20) {
        return governance;
    }
    governance.no_escalation = dice.chance(50);
    governance.permissions =
        Map::from_iter([("assign_role", vec![dice.pick(&world.needs).clone()])]);
    governance.separation = vec![Separation {
        name: "four-eyes".into(),
        permissions: dice.some(&world.needs, 2),
        at_most: 1,
        ..Separation::default()
    }];
    governance
}

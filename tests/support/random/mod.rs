//! Random policies, and questions about them, as JSON values.
//!
//! A case is drawn as rolls of dice: lists of lists of plain numbers, one list for each node,
//! statement, user or question. The rolls are then read, in order, as decisions. A policy is
//! valid because no decision has an invalid outcome: a node requires only what came before
//! it, a pattern is picked among those that match something. Shrinking drops lists and
//! lowers rolls, and a low roll is the plainer choice, so what is left of a failure is a
//! small policy and one question. Nothing here depends on the library.

pub mod assignment;
pub mod bytes;
mod catalogue;
pub mod change;
pub mod dice;
pub mod question;
pub mod source;
mod taste;
pub mod world;

use std::fmt;

use proptest::collection::{SizeRange, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use dice::Dice;
use world::World;

/// A valid policy, and questions about it, some of which are errors.
///
/// Its debug form is a test document.
#[derive(Clone)]
pub struct Case {
    pub policy: Value,
    /// Steps without an `expect`: `{"can": {…}}`.
    pub steps: Vec<Value>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{\"policy\": {},\n \"steps\": [", self.policy)?;
        for (at, step) in self.steps.iter().enumerate() {
            write!(f, "{}\n  {step}", if at == 0 { "" } else { "," })?;
        }
        f.write_str("\n ]}")
    }
}

/// A random case, of thirty questions on the average.
pub fn case() -> impl Strategy<Value = Case> {
    rolls().prop_map(|rolls| rolls.read())
}

/// The fields of a JSON object.
pub type Fields = Map<String, Value>;

/// The numbers that decide one thing.
pub type Hand = Vec<u16>;

pub const HAND: usize = 72;

/// The hands of a source: its own, and one for each statement.
pub type SourceRolls = (Hand, Vec<Hand>);

/// The hands of a user: the user's own, and those of the assignments.
pub type UserRolls = (SourceRolls, Vec<SourceRolls>);

/// The rolls behind a case.
#[derive(Clone, Debug)]
pub struct Rolls {
    pub misc: Hand,
    pub kinds: Vec<Hand>,
    pub nodes: Vec<Hand>,
    pub global: Vec<Hand>,
    pub profiles: Vec<SourceRolls>,
    pub roles: Vec<SourceRolls>,
    pub approval_groups: Vec<SourceRolls>,
    pub groups: Vec<Hand>,
    pub users: Vec<UserRolls>,
    pub questions: Vec<Hand>,
}

fn hand() -> impl Strategy<Value = Hand> {
    vec(any::<u16>(), HAND)
}

fn hands(count: impl Into<SizeRange>) -> impl Strategy<Value = Vec<Hand>> {
    vec(hand(), count)
}

fn sources(
    count: impl Into<SizeRange>,
    statements: impl Into<SizeRange>,
) -> impl Strategy<Value = Vec<SourceRolls>> {
    vec((hand(), hands(statements)), count)
}

fn rolls() -> impl Strategy<Value = Rolls> {
    let kinds = prop_oneof![1 => hands(0), 9 => hands(1..=3)];
    let catalogue = (hand(), kinds, hands(1..=16));
    let held = (hands(0..=6), sources(0..=2, 0..=6), sources(0..=5, 0..=5), sources(0..=2, 0..=4));
    let assignments = prop_oneof![1 => sources(0, 0), 5 => sources(1..=3, 0..=3)];
    let user = ((hand(), hands(0..=3)), assignments);
    let users = (hands(0..=4), vec(user, 1..=4));
    // Shrinking goes from left to right, and everything that follows is quicker with one
    // question.
    (hands(1..=60), users, held, catalogue).prop_map(
        |(
            questions,
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
        },
    )
}

impl Rolls {
    /// The case.
    pub fn read(&self) -> Case {
        let (policy, world) = self.policy();
        let question = |hand: &Hand| question::read(&mut Dice::new(hand), &world);
        Case { steps: self.questions.iter().map(question).collect(), policy }
    }

    /// The policy, and the names in it.
    pub fn policy(&self) -> (Value, World) {
        let mut misc = Dice::new(&self.misc);
        let taste = taste::read(&mut misc);
        let (catalogue, mut world) = catalogue::read(taste, &mut misc, &self.kinds, &self.nodes);
        world.groups = source::groups(&self.groups);
        let licence = catalogue::licence(&mut misc, &catalogue);
        let global = source::global(&mut misc, &world, &self.global);
        world.left_out = source::left_out(&world, &global);
        let profiles = source::named("profile", &world, &self.profiles);
        let approval_groups = source::named("approvers", &world, &self.approval_groups);
        world.roles = source::roles(&world, &self.roles);
        world.profiles = names(&profiles);
        world.approval_groups = names(&approval_groups);
        world.users = source::users(&world, &self.users);
        let mut policy = json!({
            "format": 1,
            "catalogue": catalogue,
            "licence": licence,
            "global": global,
            "profiles": profiles,
            "roles": world.roles,
            "approval_groups": approval_groups,
            "groups": world.groups,
            "users": world.users,
        });
        if misc.chance(30) && !world.profiles.is_empty() {
            policy["default_profile"] = json!(world.profiles[0]);
        }
        (policy, world)
    }
}

pub fn names(fields: &Fields) -> Vec<String> {
    fields.keys().cloned().collect()
}

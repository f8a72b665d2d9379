//! Random policies that are governed, and random changes of them.

use std::fmt;

use grantree::Document;
use grantree::change::Change;
use grantree::document::{Governance, PermissionNode, Role, Separation};
use grantree::policy_test::Question;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::catalogue::World;
use super::dice::Dice;
use super::{Bytes, HAND, Hand, catalogue, change, hand, hands, question, source, taste};

/// The permission that almost everybody holds, with which most changes may be asked for.
const ASK: &str = "ask";

/// The kinds of change that governance tells apart.
const KINDS: [&str; 33] = [
    "create_profile",
    "create_role",
    "create_approval_group",
    "rename_profile",
    "rename_role",
    "rename_approval_group",
    "edit_profile",
    "edit_role",
    "edit_approval_group",
    "delete_profile",
    "delete_role",
    "delete_approval_group",
    "assign_profile",
    "assign_role",
    "assign_approval_group",
    "revoke_profile",
    "revoke_role",
    "revoke_approval_group",
    "edit_user",
    "edit_global",
    "rename_user",
    "add_user",
    "remove_user",
    "transfer",
    "set_default_profile",
    "set_admin",
    "set_suspended",
    "set_groups",
    "set_group",
    "set_licence",
    "import",
    "set_assignment",
    "expire",
];

/// A governed policy and what is to happen to it. Each change is drawn when its
/// turn comes, so that it names what there is by then.
pub struct Session {
    /// The policy.
    pub document: Document,
    world: World,
    steps: Vec<Hand>,
    questions: Vec<Hand>,
}

impl fmt::Debug for Session {
    /// A failure tells the policy and its changes itself: only then they are
    /// known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("as told above")
    }
}

impl Session {
    /// How many changes there are to be.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// The change at a step, by whom it is asked: by the host, where by nobody.
    pub fn step(&self, at: usize, document: &Document) -> (Option<String>, Change) {
        let mut dice = Dice::new(&self.steps[at]);
        let actor = change::actor(&mut dice, document);
        (actor, change::read(&mut dice, &self.world, document))
    }

    /// Questions about a document.
    pub fn questions(&self, document: &Document) -> Vec<Question> {
        if document.users.is_empty() {
            return Vec::new();
        }
        let questions = self.questions.iter();
        questions.map(|hand| question::read(&mut Dice::new(hand), &self.world, document)).collect()
    }
}

/// A random session, of thirty changes.
pub fn session() -> impl Strategy<Value = Session> {
    rolls(30).prop_map(|rolls| rolls.read(govern))
}

/// A session in a policy where nobody but an admin can give what he has not, and
/// where anybody may try.
pub fn game() -> impl Strategy<Value = Session> {
    rolls(30).prop_map(|rolls| rolls.read(tempt))
}

/// The session behind some bytes, whatever they are: for fuzzing.
pub fn session_of_bytes(bytes: &[u8]) -> Session {
    let mut bytes = Bytes::new(bytes, HAND);
    let rolls = Rolls {
        misc: bytes.hand(),
        governance: bytes.hands(3, 3),
        kinds: bytes.hands(1, 2),
        nodes: bytes.hands(1, 7),
        global: bytes.hands(0, 3),
        profiles: bytes.list(1, 2, |bytes| bytes.hands(0, 3)),
        roles: bytes.list(1, 4, |bytes| (bytes.hand(), bytes.hands(0, 3))),
        approval_groups: bytes.list(0, 1, |bytes| bytes.hands(0, 2)),
        groups: bytes.hands(0, 3),
        users: bytes.list(1, 4, |bytes| (bytes.hand(), bytes.hands(0, 2))),
        steps: bytes.hands(1, 30),
        questions: bytes.hands(0, 6),
    };
    rolls.read(govern)
}

/// The rolls behind a session. The policies are small: every change asks the
/// oracle of every user several times.
#[derive(Clone, Debug)]
struct Rolls {
    misc: Hand,
    governance: Vec<Hand>,
    kinds: Vec<Hand>,
    nodes: Vec<Hand>,
    global: Vec<Hand>,
    profiles: Vec<Vec<Hand>>,
    roles: Vec<(Hand, Vec<Hand>)>,
    approval_groups: Vec<Vec<Hand>>,
    groups: Vec<Hand>,
    users: Vec<(Hand, Vec<Hand>)>,
    steps: Vec<Hand>,
    questions: Vec<Hand>,
}

fn rolls(steps: usize) -> impl Strategy<Value = Rolls> {
    let catalogue = (hand(), hands(3), hands(1..=2), hands(1..=7));
    let sources = (
        hands(0..=3),
        vec(hands(0..=3), 1..=2),
        vec((hand(), hands(0..=3)), 1..=4),
        vec(hands(0..=2), 0..=1),
    );
    let users = (hands(0..=3), vec((hand(), hands(0..=2)), 1..=4));
    // All, but that shrinking may leave some out.
    let steps = vec(option::weighted(0.999_999, hand()), steps)
        .prop_map(|steps| steps.into_iter().flatten().collect());
    (steps, hands(0..=6), users, sources, catalogue).prop_map(
        |(
            steps,
            questions,
            (groups, users),
            (global, profiles, roles, approval_groups),
            (misc, governance, kinds, nodes),
        )| Rolls {
            misc,
            governance,
            kinds,
            nodes,
            global,
            profiles,
            roles,
            approval_groups,
            groups,
            users,
            steps,
            questions,
        },
    )
}

impl Rolls {
    fn read(&self, govern: fn(&mut Dice<'_>, &World) -> Governance) -> Session {
        let mut misc = Dice::new(&self.misc);
        let taste = taste::read(&mut misc);
        let (catalogue, world) = catalogue::read(taste, &mut misc, &self.kinds, &self.nodes);
        let rolls: Vec<u16> = self.governance.concat();
        let mut dice = Dice::new(&rolls);
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
        guard(&mut dice, &mut document);
        document.users = source::users(&world, &document, &self.users);
        appoint(&mut dice, &mut document);
        document.governance = govern(&mut dice, &world);
        let ask = PermissionNode { key: ASK.to_owned(), ..PermissionNode::default() };
        document.catalogue.permissions.push(ask);
        document.global.allow.push(ASK.to_owned());
        Session { document, world, steps: self.steps.clone(), questions: self.questions.clone() }
    }
}

/// Some sources are guarded, protected or, of roles that nobody includes,
/// unique.
fn guard(dice: &mut Dice<'_>, document: &mut Document) {
    let names: Vec<String> = document.roles.iter().map(|(name, _)| name.to_owned()).collect();
    let included: Vec<String> =
        document.roles.iter().flat_map(|(_, role)| role.includes.clone()).collect();
    for source in super::sources(document) {
        let Some(body) = change::body(document, &source) else { continue };
        if dice.chance(16) {
            body.assignable_by = Some(dice.some(&names, 2));
        }
        body.protected |= dice.chance(6);
        body.template |= dice.chance(6);
    }
    for name in &names {
        let role: &mut Role = document.roles.get_mut(name).expect("a role");
        if !included.contains(name) && dice.chance(25) {
            role.unique = true;
            role.demoted_to = dice.some(&names, 1).pop().filter(|lower| lower != name);
        }
    }
}

/// More admins than elsewhere, and a default profile.
fn appoint(dice: &mut Dice<'_>, document: &mut Document) {
    let users: Vec<String> = document.users.iter().map(|(name, _)| name.to_owned()).collect();
    for name in &users {
        let user = document.users.get_mut(name).expect("a user");
        user.admin |= dice.chance(12);
    }
    let profiles: Vec<String> = document.profiles.iter().map(|(name, _)| name.to_owned()).collect();
    if !profiles.is_empty() && dice.chance(70) {
        document.default_profile = Some(dice.pick(&profiles).clone());
    }
}

/// Of most kinds of change almost everybody may ask, of some who holds a permission,
/// of some admins.
fn govern(dice: &mut Dice<'_>, world: &World) -> Governance {
    let mut governance = Governance {
        no_escalation: dice.chance(60),
        separation: separation(dice, world),
        ..Governance::default()
    };
    for kind in KINDS {
        match dice.weigh(&[(74, 0), (20, 1), (6, 2)]) {
            0 => governance.permissions.push(kind, vec![ASK.to_owned()]),
            1 if !world.needs.is_empty() => {
                governance.permissions.push(kind, vec![dice.pick(&world.needs).clone()]);
            }
            _ => {}
        }
    }
    governance
}

fn separation(dice: &mut Dice<'_>, world: &World) -> Vec<Separation> {
    if world.needs.len() < 2 || !dice.chance(45) {
        return Vec::new();
    }
    let mut permissions = dice.some(&world.needs, 3);
    if permissions.len() < 2 {
        permissions = world.needs[..2].to_vec();
    }
    vec![Separation {
        name: "four-eyes".into(),
        at_most: dice.below(permissions.len()) as u32,
        permissions,
        ..Separation::default()
    }]
}

/// "Any set of governance permissions": here, all but a few.
fn tempt(dice: &mut Dice<'_>, _: &World) -> Governance {
    let mut governance = Governance { no_escalation: true, ..Governance::default() };
    for kind in KINDS {
        if !dice.chance(8) {
            governance.permissions.push(kind, vec![ASK.to_owned()]);
        }
    }
    governance
}

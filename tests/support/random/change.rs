//! Random policies that are governed, and random changes of them.

mod governance;
mod source;
mod user;

use std::fmt;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

pub use governance::kinds_of_change;

use super::dice::Dice;
use super::world::{TODAYS, World};
use super::{Fields, Hand, Rolls, hand, hands, names, question, sources};

/// A governed policy and what is to happen to it. Each change is drawn when its turn comes,
/// so that it names what there is by then.
#[derive(Clone)]
pub struct Session {
    pub policy: Value,
    world: World,
    steps: Vec<Hand>,
    questions: Vec<Hand>,
}

impl fmt::Debug for Session {
    /// A failure tells the policy and its changes itself: only then they are known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("as told above")
    }
}

impl Session {
    /// Reads the rolls of a session.
    pub fn new(rolls: Rolls, governance: &[u16], steps: Vec<Hand>) -> Session {
        let (mut policy, mut world) = rolls.policy();
        governance::govern(&mut Dice::new(governance), &mut policy, &mut world);
        Session { policy, world, steps, questions: rolls.questions }
    }

    /// The number of changes there are to be.
    pub fn steps(&self) -> usize {
        self.steps.len()
    }

    /// The change at a step, as a test document has it: `{"as": "ann", "assign": {…}}`.
    pub fn step(&self, at: usize, policy: &Value) -> Value {
        let mut dice = Dice::new(&self.steps[at]);
        let world = known(&self.world, policy);
        let actor = actor(&mut dice, policy);
        let mut change =
            Drawing { world: &world, policy, actor: actor.as_deref() }.change(&mut dice);
        if let Some(actor) = &actor {
            change["as"] = json!(actor);
        }
        if dice.chance(75) {
            change["today"] = json!(dice.pick(&TODAYS));
        }
        change
    }

    /// A change that a user might ask for, by rolls that are none of the session's.
    pub fn change_by(&self, actor: &str, rolls: &[u16], policy: &Value) -> Value {
        let world = known(&self.world, policy);
        Drawing { world: &world, policy, actor: Some(actor) }.change(&mut Dice::new(rolls))
    }

    /// Questions about the policy in the course of the session.
    pub fn questions(&self, policy: &Value) -> Vec<Value> {
        let world = known(&self.world, policy);
        if world.users.is_empty() {
            return Vec::new();
        }
        let questions = self.questions.iter();
        questions.map(|hand| question::read(&mut Dice::new(hand), &world)).collect()
    }
}

/// A random session, of thirty changes.
pub fn session() -> impl Strategy<Value = Session> {
    // All, but that shrinking may leave some out.
    let steps = vec(option::weighted(0.999_999, vec(any::<u16>(), 2 * super::HAND)), 30)
        .prop_map(|steps| steps.into_iter().flatten().collect::<Vec<Hand>>());
    (steps, vec(any::<u16>(), 3 * super::HAND), rolls())
        .prop_map(|(steps, governance, rolls)| Session::new(rolls, &governance, steps))
}

/// The rolls behind a session. The policies are small, as every change compares every user
/// several times.
fn rolls() -> impl Strategy<Value = Rolls> {
    let catalogue = (hand(), hands(1..=2), hands(1..=7));
    let held = (hands(0..=3), sources(1..=2, 0..=3), sources(1..=4, 0..=3), sources(0..=1, 0..=2));
    let user = ((hand(), hands(0..=2)), sources(0..=2, 0..=2));
    let users = (hands(0..=3), vec(user, 2..=4));
    (hands(0..=12), users, held, catalogue).prop_map(
        |(questions, (groups, users), (global, profiles, roles, approval_groups), catalogue)| {
            let (misc, kinds, nodes) = catalogue;
            Rolls {
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
            }
        },
    )
}

/// The names of a policy in the course of a session.
fn known(world: &World, policy: &Value) -> World {
    let map = |name: &str| policy[name].as_object().cloned().unwrap_or_default();
    World {
        profiles: names(&map("profiles")),
        roles: map("roles"),
        approval_groups: names(&map("approval_groups")),
        groups: map("groups"),
        users: map("users"),
        ..world.clone()
    }
}

/// Reads the roll of who asks: the host, where nobody.
fn actor(dice: &mut Dice<'_>, policy: &Value) -> Option<String> {
    let users = policy["users"].as_object().cloned().unwrap_or_default();
    let of = |is: fn(&Value) -> bool| -> Vec<String> {
        users.iter().filter(|(_, user)| is(user)).map(|(name, _)| name.clone()).collect()
    };
    let admins = of(|user| user["admin"] == true && user["suspended"] != true);
    let others = of(|user| user["admin"] != true && user["suspended"] != true);
    match dice.weigh(&[(22, 0), (8, 1), (66, 2), (2, 3), (2, 4)]) {
        0 => None,
        1 if !admins.is_empty() => Some(dice.pick(&admins).clone()),
        2 if !others.is_empty() => Some(dice.pick(&others).clone()),
        3 if !users.is_empty() => Some(dice.pick(&names(&users)).clone()),
        _ => Some("nobody".to_owned()),
    }
}

/// One of some names, or now and then an unknown one.
fn one_of(dice: &mut Dice<'_>, names: &[String], unknown: &str) -> String {
    if names.is_empty() || dice.chance(2) { unknown.to_owned() } else { dice.pick(names).clone() }
}

/// A change that is drawn.
struct Drawing<'a> {
    world: &'a World,
    policy: &'a Value,
    actor: Option<&'a str>,
}

#[derive(Clone, Copy)]
enum Form {
    Create,
    Rename,
    Edit,
    Delete,
    AddUser,
    RemoveUser,
    Assign,
    Revoke,
    Transfer,
    SetAssignment,
    Expire,
    SetDefaultProfile,
    SetAdmin,
    SetSuspended,
    SetGroups,
    SetGroup,
    SetLicence,
    Import,
}

const FORMS: [(usize, Form); 18] = [
    (24, Form::Edit),
    (6, Form::Create),
    (6, Form::Rename),
    (8, Form::Delete),
    (8, Form::AddUser),
    (4, Form::RemoveUser),
    (9, Form::Assign),
    (6, Form::Revoke),
    (6, Form::Transfer),
    (18, Form::SetAssignment),
    (4, Form::Expire),
    (3, Form::SetDefaultProfile),
    (3, Form::SetAdmin),
    (4, Form::SetSuspended),
    (5, Form::SetGroups),
    (5, Form::SetGroup),
    (3, Form::SetLicence),
    (8, Form::Import),
];

impl Drawing<'_> {
    fn change(&self, dice: &mut Dice<'_>) -> Value {
        match dice.weigh(&FORMS) {
            Form::Create => json!({"create": self.create(dice)}),
            Form::Rename => json!({"rename": self.rename(dice)}),
            Form::Edit => json!({"edit": self.edit(dice)}),
            Form::Delete => json!({"delete": self.delete(dice)}),
            Form::AddUser => json!({"add_user": self.add_user(dice)}),
            Form::RemoveUser => json!({"remove_user": {"user": self.user(dice)}}),
            Form::Assign => {
                json!({"assign": {"user": self.user(dice), "source": self.offered(dice)}})
            }
            Form::Revoke => json!({"revoke": self.revoke(dice)}),
            Form::Transfer => json!({"transfer": self.transfer(dice)}),
            Form::SetAssignment => json!({"set_assignment": self.set_assignment(dice)}),
            Form::Expire => json!({"expire": {"before": *dice.pick(&TODAYS)}}),
            Form::SetDefaultProfile => {
                let profile = one_of(dice, &self.world.profiles, "nope");
                let profile = if dice.chance(25) { Value::Null } else { json!(profile) };
                json!({"set_default_profile": {"profile": profile}})
            }
            Form::SetAdmin => {
                json!({"set_admin": {"user": self.user(dice), "admin": dice.chance(50)}})
            }
            Form::SetSuspended => {
                json!({"set_suspended": {"user": self.user(dice), "suspended": dice.chance(40)}})
            }
            Form::SetGroups => {
                json!({"set_groups": {"user": self.user(dice), "groups": self.groups(dice, 2)}})
            }
            Form::SetGroup => json!({"set_group": self.set_group(dice)}),
            Form::SetLicence => json!({"set_licence": self.licence(dice)}),
            Form::Import => json!({"import": self.import(dice)}),
        }
    }

    /// A user, now and then an unknown one.
    fn user(&self, dice: &mut Dice<'_>) -> String {
        one_of(dice, &names(&self.world.users), "nobody")
    }

    /// The entry of the actor, or nothing.
    fn own(&self) -> Fields {
        let entry = self.actor.and_then(|actor| self.world.users.get(actor)?.as_object());
        entry.cloned().unwrap_or_default()
    }

    /// Names of groups, of an actor mostly the actor's own.
    fn groups(&self, dice: &mut Dice<'_>, most: usize) -> Vec<String> {
        let mut groups = names(&self.world.groups);
        groups.push(super::world::PLAIN_GROUP.to_owned());
        let own = texts(self.own().get("groups"));
        if !own.is_empty() && dice.chance(75) {
            let beneath = own.iter().filter_map(|group| self.world.beneath_group(group));
            groups = own.iter().cloned().chain(beneath.map(str::to_owned)).collect();
        }
        let mut some = dice.some(&groups, most);
        some.extend(dice.chance(1).then(String::new));
        some
    }

    fn set_group(&self, dice: &mut Dice<'_>) -> Value {
        let group = match self.groups(dice, 1).pop() {
            Some(group) if dice.chance(70) => group,
            _ if dice.chance(50) => "paris".to_owned(),
            _ => one_of(dice, &names(&self.world.groups), "lyon"),
        };
        let mut set = json!({"group": group});
        if dice.chance(60) {
            let parent = match self.groups(dice, 1).pop() {
                Some(parent) if dice.chance(60) => parent,
                _ => one_of(dice, &names(&self.world.groups), "nowhere"),
            };
            set["parent"] = json!(parent);
        }
        set
    }

    fn licence(&self, dice: &mut Dice<'_>) -> Value {
        let mut licence = super::catalogue::licence(dice, &self.policy["catalogue"]);
        if dice.chance(8) {
            licence["edition"] = json!("nope");
        }
        if dice.chance(4) {
            licence["features"] = json!(["no name"]);
        }
        licence
    }
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| Some(item.as_str()?.to_owned())).collect()
}

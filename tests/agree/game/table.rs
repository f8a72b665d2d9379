//! Random policies to play in.

use fastrand::Rng;
use serde_json::{Value, json};

use super::law::Judge;
use support::random::change::kinds_of_change;
use support::random::dice::Dice;
use support::random::world::World;
use support::random::{Fields, HAND, Hand, Rolls, SourceRolls, names};

/// The permission that almost everybody holds, with which most changes may be asked for.
const ASK: &str = "ask";

/// The permission that spares comparisons. No attacker holds it.
const KEYS: &str = "keys";

/// A policy under `no_escalation`, and the users who attack it.
pub struct Table {
    pub policy: Value,
    pub attackers: Vec<String>,
    pub world: World,
    /// The paths that some attacker has.
    pub held: Vec<String>,
}

/// The numbers that decide one thing.
pub fn hand(rng: &mut Rng) -> Hand {
    (0..HAND).map(|_| rng.u16(..)).collect()
}

/// Sets a table.
pub fn set(rng: &mut Rng) -> Table {
    let (mut policy, world) = rolls(rng).policy();
    let hand = hand(rng);
    let mut dice = Dice::new(&hand);
    let extra = [json!({"key": ASK}), json!({"key": KEYS})];
    let permissions = policy["catalogue"]["permissions"].as_array_mut();
    permissions.expect("permissions").extend(extra);
    append(&mut policy["global"], "allow", ASK);
    guard(&mut dice, &mut policy);
    withhold(&mut dice, &world, &mut policy);
    let attackers = appoint(&mut dice, &mut policy);
    if !world.profiles.is_empty() && dice.chance(70) {
        policy["default_profile"] = json!(dice.pick(&world.profiles));
    }
    policy["governance"] = govern(&mut dice, &world);
    if dice.chance(40) && !Judge::new(&policy).any_has(&attackers, KEYS) {
        policy["governance"]["escalate"] = json!([KEYS]);
        policy["governance"]["bind"] = json!([KEYS]);
    }
    let judge = Judge::new(&policy);
    let held = world.exact.iter().filter(|path| judge.any_has(&attackers, path));
    Table { held: held.cloned().collect(), policy, attackers, world }
}

fn rolls(rng: &mut Rng) -> Rolls {
    let sources = |rng: &mut Rng, count: usize, most: usize| -> Vec<SourceRolls> {
        let rolls = |rng: &mut Rng| (hand(rng), hands(rng, 0, most));
        (0..count).map(|_| rolls(rng)).collect()
    };
    let users = rng.usize(3..=5);
    let user = |rng: &mut Rng| {
        let own = (hand(rng), hands(rng, 0, 2));
        let assignments = if rng.u8(..3) == 0 { 0 } else { rng.usize(1..=2) };
        (own, sources(rng, assignments, 2))
    };
    let counts = [rng.usize(1..=2), rng.usize(2..=4), rng.usize(0..=2)];
    Rolls {
        misc: hand(rng),
        kinds: hands(rng, 1, 2),
        nodes: hands(rng, 3, 8),
        global: hands(rng, 0, 2),
        profiles: sources(rng, counts[0], 3),
        roles: sources(rng, counts[1], 3),
        approval_groups: sources(rng, counts[2], 2),
        groups: hands(rng, 1, 4),
        users: (0..users).map(|_| user(rng)).collect(),
        questions: Vec::new(),
    }
}

fn hands(rng: &mut Rng, least: usize, most: usize) -> Vec<Hand> {
    (0..rng.usize(least..=most)).map(|_| hand(rng)).collect()
}

fn append(value: &mut Value, list: &str, text: &str) {
    match value[list].as_array_mut() {
        Some(list) => list.push(json!(text)),
        None => value[list] = json!([text]),
    }
}

fn guard(dice: &mut Dice<'_>, policy: &mut Value) {
    let roles = names(policy["roles"].as_object().expect("roles"));
    for map in ["profiles", "roles", "approval_groups"] {
        let sources = policy[map].as_object_mut().into_iter().flatten();
        for (_, source) in sources {
            if dice.chance(10) {
                source["assignable_by"] = json!(dice.some(&roles, 2));
            }
            if dice.chance(4) {
                source["protected"] = json!(true);
            }
        }
    }
}

/// Puts more behind forbids and the licence.
fn withhold(dice: &mut Dice<'_>, world: &World, policy: &mut Value) {
    for map in ["roles", "users"] {
        for (_, source) in policy[map].as_object_mut().into_iter().flatten() {
            if dice.chance(20) && !world.exact.is_empty() {
                let path: &String = dice.pick(&world.exact);
                append(source, "forbid", path);
            }
        }
    }
    let permissions = policy["catalogue"]["permissions"].as_array_mut();
    for node in permissions.into_iter().flatten().filter(|node| node["key"] != ASK) {
        if dice.chance(15) && node["key"] != KEYS {
            node["feature"] = json!("portal");
        }
    }
}

/// Makes an admin who stays one, and returns the attackers.
fn appoint(dice: &mut Dice<'_>, policy: &mut Value) -> Vec<String> {
    let users = policy["users"].as_object_mut().expect("users");
    let all = names(users);
    let attackers = dice.some_of(&all, 3);
    for (name, user) in users.iter_mut() {
        if attackers.contains(name) {
            user.as_object_mut().expect("a user").retain(|key, _| key != "admin");
            user["suspended"] = json!(false);
            append(user, "allow", ASK);
            if dice.chance(50) {
                user["groups"].as_array_mut().into_iter().for_each(|groups| groups.truncate(1));
            }
        } else {
            for (state, percent) in [("admin", 15), ("suspended", 10)] {
                if dice.chance(percent) {
                    user[state] = json!(true);
                }
            }
        }
    }
    users.insert("boss".to_owned(), json!({"admin": true}));
    users.insert("keeper".to_owned(), json!({"allow": [KEYS]}));
    attackers
}

fn govern(dice: &mut Dice<'_>, world: &World) -> Value {
    let mut permissions = Fields::new();
    let on_users = world.objects.iter().find(|(_, kind)| kind["stands_for"] == "users");
    let of_users: Vec<String> = match on_users {
        Some((users, _)) if dice.chance(50) => {
            let is_of = |path: &&String| world.kind_of(path) == Some(users.as_str());
            world.exact.iter().filter(is_of).cloned().collect()
        }
        _ => Vec::new(),
    };
    for kind in kinds_of_change() {
        if dice.chance(5) {
            continue;
        }
        let concerns = ["assign_role", "set_groups", "set_assignment", "edit_user", "add_user"];
        let needs = match of_users.first() {
            Some(first) if concerns.contains(&kind) => first,
            _ => ASK,
        };
        permissions.insert(kind.to_owned(), json!([needs]));
    }
    let mut governance = json!({"permissions": permissions, "no_escalation": true});
    if dice.chance(30) {
        governance["protect_superiors"] = json!(true);
    }
    if dice.chance(15) && world.needs.len() > 1 {
        let apart = dice.some_of(&world.needs, 3);
        let most = apart.len() - 1;
        governance["separation"] =
            json!([{"name": "four-eyes", "permissions": apart, "at_most": most}]);
    }
    governance
}

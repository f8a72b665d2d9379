//! Random governance, and what it is about: guards, unique and protected sources, admins,
//! and a kind of object that stands for users.

use serde_json::{Value, json};

use super::super::dice::Dice;
use super::super::names;
use super::super::world::World;

/// The permission that almost everybody holds, with which most changes may be asked for.
const ASK: &str = "ask";

/// The kinds of change that concern users.
const ON_USERS: [&str; 15] = [
    "assign_profile",
    "assign_role",
    "assign_approval_group",
    "revoke_profile",
    "revoke_role",
    "revoke_approval_group",
    "edit_user",
    "rename_user",
    "add_user",
    "remove_user",
    "transfer",
    "set_admin",
    "set_suspended",
    "set_groups",
    "set_assignment",
];

/// The other kinds.
const OTHERS: [&str; 18] = [
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
    "edit_global",
    "set_default_profile",
    "set_group",
    "set_licence",
    "import",
    "expire",
];

/// Returns the kinds of change that governance tells apart.
pub fn kinds_of_change() -> impl Iterator<Item = &'static str> {
    ON_USERS.into_iter().chain(OTHERS)
}

/// Adds governance to a policy.
pub fn govern(dice: &mut Dice<'_>, policy: &mut Value, world: &mut World) {
    guard(dice, policy);
    appoint(dice, policy);
    let of_users = if dice.chance(35) { people(dice, policy) } else { Vec::new() };
    let permissions = policy["catalogue"]["permissions"].as_array_mut().expect("a list");
    permissions.push(json!({"key": ASK}));
    allow(&mut policy["global"], ASK);
    let mut governed = json!({});
    for kind in kinds_of_change() {
        let is_on_users = ON_USERS.contains(&kind) && !of_users.is_empty();
        match dice.weigh(&[(64, 0), (12, 1), (6, 2), (18, 3)]) {
            3 if is_on_users => governed[kind] = json!([dice.pick(&of_users)]),
            1 if !world.needs.is_empty() => {
                governed[kind] = json!([dice.pick(&plain(world, &of_users))]);
            }
            2 => {}
            _ => governed[kind] = json!([ASK]),
        }
    }
    let mut governance = json!({
        "permissions": governed,
        "no_escalation": dice.chance(60),
        "protect_superiors": dice.chance(35),
        "separation": separation(dice, world),
    });
    for name in ["escalate", "bind"] {
        if dice.chance(25) {
            let needs =
                if dice.chance(40) { vec![ASK.to_owned()] } else { dice.some(&world.needs, 2) };
            governance[name] = json!(needs);
        }
    }
    policy["governance"] = governance;
    world.roles = policy["roles"].as_object().cloned().unwrap_or_default();
}

/// Permissions that are not asked on users: a kind of change may list no other.
fn plain(world: &World, of_users: &[String]) -> Vec<String> {
    let is_on_users = |kind: &Option<String>| {
        kind.as_ref().is_some_and(|kind| world.objects[kind]["stands_for"] == "users")
    };
    let known = world.needs.iter().zip(&world.kinds);
    let plain = known.filter(|(need, kind)| !is_on_users(kind) && !of_users.contains(need));
    [ASK.to_owned()].into_iter().chain(plain.map(|(need, _)| need.clone())).collect()
}

/// Some sources are guarded, protected or, of roles that nobody includes or has in an
/// assignment, unique.
fn guard(dice: &mut Dice<'_>, policy: &mut Value) {
    let roles = policy["roles"].as_object().cloned().unwrap_or_default();
    let roles = names(&roles);
    let taken = taken(policy);
    for field in ["profiles", "roles", "approval_groups"] {
        for (name, source) in policy[field].as_object_mut().into_iter().flatten() {
            if dice.chance(20) {
                source["assignable_by"] = json!(dice.some(&roles, 2));
            }
            if dice.chance(6) {
                source["protected"] = json!(true);
            }
            if field == "roles" && dice.chance(30) && !taken.contains(name) {
                source["unique"] = json!(true);
                let mut others = roles.clone();
                others.retain(|other| other != name);
                if let Some(lower) = dice.some(&others, 1).pop() {
                    source["demoted_to"] = json!(lower);
                }
            }
        }
    }
}

/// The roles that can't be unique: included, in an assignment, or held by two.
fn taken(policy: &Value) -> Vec<String> {
    let mut taken = Vec::new();
    for (_, role) in policy["roles"].as_object().into_iter().flatten() {
        taken.extend(super::texts(role.get("includes")));
    }
    let mut held: Vec<String> = Vec::new();
    for (_, user) in policy["users"].as_object().into_iter().flatten() {
        for (_, assignment) in user["assignments"].as_object().into_iter().flatten() {
            taken.extend(super::texts(assignment.get("roles")));
        }
        for role in super::texts(user.get("roles")) {
            if held.contains(&role) {
                taken.push(role.clone());
            }
            held.push(role);
        }
    }
    taken
}

/// More admins than elsewhere, and a default profile.
fn appoint(dice: &mut Dice<'_>, policy: &mut Value) {
    for (_, user) in policy["users"].as_object_mut().into_iter().flatten() {
        if dice.chance(10) {
            user["admin"] = json!(true);
        }
    }
    let profiles = policy["profiles"].as_object().cloned().unwrap_or_default();
    if !profiles.is_empty() && dice.chance(70) {
        policy["default_profile"] = json!(dice.pick(&names(&profiles)));
    }
}

/// A kind of object that stands for users, and permissions on it, which are returned. Some
/// sources allow some of them.
fn people(dice: &mut Dice<'_>, policy: &mut Value) -> Vec<String> {
    let catalogue = &mut policy["catalogue"];
    let kinds = catalogue["objects"].as_object().into_iter().flatten();
    let has_kind = kinds.into_iter().any(|(_, kind)| kind["stands_for"] == "users");
    if has_kind {
        return Vec::new();
    }
    catalogue["objects"]["person"] =
        json!({"stands_for": "users", "relations": {"self": "user", "group": "group"}});
    let permissions = catalogue["permissions"].as_array_mut().expect("a list");
    permissions.push(json!({"key": "people", "object": "person", "scopes": [
        {"key": "mine", "when": {"group": "me"}},
        {"key": "myself", "when": {"self": "me"}},
        {"key": "strangers", "when": {"group": ["other", "none"]}}]}));
    let all = ["people", "people.mine", "people.myself", "people.strangers"];
    let holders = ["profiles", "roles", "users"];
    for field in holders {
        for (_, source) in policy[field].as_object_mut().into_iter().flatten() {
            if dice.chance(45) {
                allow(source, dice.pick::<&str>(&all));
            }
        }
    }
    if dice.chance(60) {
        allow(&mut policy["global"], dice.pick::<&str>(&all));
    }
    all.map(str::to_owned).to_vec()
}

fn allow(source: &mut Value, path: &str) {
    let mut allowed = super::texts(source.get("allow"));
    allowed.push(path.to_owned());
    source["allow"] = json!(allowed);
}

fn separation(dice: &mut Dice<'_>, world: &World) -> Value {
    if world.needs.len() < 2 || !dice.chance(40) {
        return json!([]);
    }
    let mut permissions = dice.some(&world.needs, 3);
    if permissions.len() < 2 {
        permissions = world.needs[..2].to_vec();
    }
    let at_most = dice.below(permissions.len());
    json!([{"name": "four-eyes", "permissions": permissions, "at_most": at_most}])
}

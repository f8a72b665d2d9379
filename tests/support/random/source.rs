//! Random sources, and the users and groups that go with them.

use serde_json::{Value, json};

use super::dice::Dice;
use super::world::{PLAIN_GROUP, World, bound};
use super::{Fields, Hand, SourceRolls, UserRolls, assignment, names};

const USERS: [&str; 5] = ["alice", "bob", "carol dé", "root", "dave"];
const GROUPS: [&str; 4] = ["uk", "leeds", "north team", "fr"];

/// A pattern on permissions; `None` where there is nothing to allow.
pub fn pattern(dice: &mut Dice<'_>, world: &World) -> Option<String> {
    if world.exact.is_empty() {
        return None;
    }
    let forms = [(46, 0), (16, 1), (26, 2), (4, 3), (8, 4)];
    Some(match dice.weigh(&forms) {
        1 if !world.children.is_empty() => format!("{}.*", dice.pick(&world.children)),
        2 => format!("{}.**", dice.pick(&world.beneath)),
        3 if world.roots => "*".to_owned(),
        4 => "**".to_owned(),
        _ => dice.pick(&world.exact).clone(),
    })
}

/// A pattern that competes with one which the same source has already: on its base, or
/// exact within it. `None` mostly where `often` is low.
fn rival(dice: &mut Dice<'_>, world: &World, patterns: &Value, often: usize) -> Option<String> {
    let patterns = patterns.as_array().filter(|list| !list.is_empty())?;
    if !dice.chance(often) {
        return None;
    }
    let pattern = dice.pick(patterns).as_str().expect("a pattern");
    let base = pattern.trim_end_matches("**").trim_end_matches('*').trim_end_matches('.');
    let mut rivals = Vec::new();
    if dice.chance(60) {
        let is_within = |path: &&String| base.is_empty() || path.starts_with(base);
        rivals.extend(world.exact.iter().filter(is_within).cloned());
    } else {
        let forms = [(&world.exact, ""), (&world.children, ".*"), (&world.beneath, ".**")];
        for (bases, suffix) in forms {
            if bases.iter().any(|known| known == base) {
                rivals.push(format!("{base}{suffix}"));
            }
        }
    }
    (!rivals.is_empty()).then(|| dice.pick(&rivals).clone())
}

#[derive(Clone, Copy)]
enum Said {
    Allow,
    Except,
    Deny,
    Forbid,
    Level,
    Bound,
    Setting,
}

/// Adds one statement. An assignment states no settings.
pub fn state(dice: &mut Dice<'_>, world: &World, source: &mut Fields, settings: bool) {
    let [allow, except, deny, forbid, level, bounds, setting] = world.taste.statements;
    let said = dice.weigh(&[
        (allow, Said::Allow),
        (except, Said::Except),
        (deny, Said::Deny),
        (forbid, Said::Forbid),
        (level, Said::Level),
        (bounds, Said::Bound),
        (setting, Said::Setting),
    ]);
    let list = |source: &Fields, name: &str| source.get(name).cloned().unwrap_or_default();
    match said {
        Said::Allow => {
            let restrictions = if dice.chance(50) { "deny" } else { "except" };
            let rival = rival(dice, world, &list(source, restrictions), 40);
            push(source, "allow", rival.or_else(|| pattern(dice, world)));
        }
        Said::Except => {
            let rival = rival(dice, world, &list(source, "allow"), 80);
            push(source, "except", rival.or_else(|| pattern(dice, world)));
        }
        Said::Deny => {
            let rival = rival(dice, world, &list(source, "allow"), 35);
            push(source, "deny", rival.or_else(|| pattern(dice, world)));
        }
        // A wide forbid leaves nothing.
        Said::Forbid if dice.chance(85) && !world.exact.is_empty() => {
            push(source, "forbid", Some(dice.pick(&world.exact).clone()));
        }
        Said::Forbid => push(source, "forbid", pattern(dice, world)),
        Said::Level if !world.graded.is_empty() => {
            let (patterns, levels) = dice.pick(&world.graded);
            let (pattern, level) = (dice.pick(patterns), dice.pick(levels));
            put(source, "levels", pattern, json!(level));
        }
        Said::Bound if !world.attributes.is_empty() => {
            let (attribute, of) = dice.pick(&world.attributes);
            put(source, "bounds", attribute, bound(dice, of, true));
        }
        Said::Setting if settings && !world.settings.is_empty() => {
            let (setting, values) = dice.pick(&world.settings);
            put(source, "settings", setting, dice.pick(values).clone());
        }
        Said::Level | Said::Bound | Said::Setting => {}
    }
}

/// Allows a path, and often everything that it needs to be effective.
pub fn allow(dice: &mut Dice<'_>, world: &World, source: &mut Fields, path: String) {
    let is_whole = dice.chance(45);
    let paths = if is_whole { world.with_needed(&path) } else { vec![path] };
    for path in paths {
        push(source, "allow", Some(path));
    }
}

/// Adds to a list; never the same twice.
pub fn push(source: &mut Fields, name: &str, pattern: Option<String>) {
    let Some(pattern) = pattern.map(Value::String) else { return };
    let list = source.entry(name).or_insert_with(|| json!([]));
    let list = list.as_array_mut().expect("a list");
    if !list.contains(&pattern) {
        list.push(pattern);
    }
}

fn put(source: &mut Fields, map: &str, name: &str, value: Value) {
    let map = source.entry(map).or_insert_with(|| json!({}));
    map.as_object_mut().expect("a map").entry(name).or_insert(value);
}

fn statements(world: &World, hands: &[Hand]) -> Fields {
    let mut source = Fields::new();
    for hand in hands {
        state(&mut Dice::new(hand), world, &mut source, true);
    }
    source
}

/// Reads the rolls of the global source. Often it allows a good part, and mostly it is
/// generous with bounds: of a policy that says no to everything there is little to ask.
pub fn global(dice: &mut Dice<'_>, world: &World, hands: &[Hand]) -> Fields {
    let mut source = Fields::new();
    if !world.exact.is_empty() && dice.chance(world.taste.allow_all) {
        push(&mut source, "allow", Some("**".to_owned()));
        // Here and there it leaves something to more specific tiers.
        let left_out = if dice.chance(60) { 25 } else { 0 };
        for path in &world.exact {
            if dice.chance(left_out) {
                let list = if dice.chance(50) { "deny" } else { "except" };
                push(&mut source, list, Some(path.clone()));
            }
        }
    }
    for (attribute, of) in &world.attributes {
        if dice.chance(35) {
            put(&mut source, "bounds", attribute, json!("any"));
        } else if dice.chance(45) {
            put(&mut source, "bounds", attribute, bound(dice, of, false));
        }
    }
    for hand in hands {
        state(&mut Dice::new(hand), world, &mut source, true);
    }
    source
}

/// The exact paths that the global source denies or excepts.
pub fn left_out(world: &World, global: &Fields) -> Vec<String> {
    let lists = ["deny", "except"].into_iter().filter_map(|name| global.get(name)?.as_array());
    let paths = lists.flatten().filter_map(Value::as_str).map(str::to_owned);
    paths.filter(|path| world.exact.contains(path)).collect()
}

/// Sources called `stem1`, `stem2`, ….
pub fn named(stem: &str, world: &World, rolls: &[SourceRolls]) -> Fields {
    let numbered = rolls.iter().enumerate();
    let source = |(at, (_, hands)): (usize, &SourceRolls)| {
        (format!("{stem}{}", at + 1), statements(world, hands).into())
    };
    numbered.map(source).collect()
}

/// Reads the rolls of the roles. Each includes some of those before it, but none that is
/// unique.
pub fn roles(world: &World, rolls: &[SourceRolls]) -> Fields {
    let mut roles = Fields::new();
    let mut common: Vec<String> = Vec::new();
    for (at, (hand, hands)) in rolls.iter().enumerate() {
        let mut dice = Dice::new(hand);
        let mut role = statements(world, hands);
        // Names may have any characters but controls.
        let stem = if dice.chance(8) { "system:role " } else { "role" };
        let name = format!("{stem}{at}");
        if let Some(path) = world.coveted(&mut dice)
            && dice.chance(50)
        {
            allow(&mut dice, world, &mut role, path);
            let rival = rival(&mut dice, world, &role["allow"], 15);
            push(&mut role, "except", rival);
        }
        if dice.chance(45) {
            role.insert("includes".to_owned(), json!(dice.some_of(&common, 2)));
        }
        if dice.chance(8) {
            role.insert("unique".to_owned(), json!(true));
        } else {
            common.push(name.clone());
        }
        roles.insert(name, role.into());
    }
    roles
}

/// Reads the rolls of the groups. Each is beneath one of those before it, or beneath one
/// that is not declared, or beneath none.
pub fn groups(hands: &[Hand]) -> Fields {
    let mut groups = Fields::new();
    for (at, (name, hand)) in GROUPS.iter().zip(hands).enumerate() {
        let group = match Dice::new(hand).below(at + 2) {
            0 => json!({}),
            parent => json!({"parent": GROUPS[..at].get(parent - 1).unwrap_or(&PLAIN_GROUP)}),
        };
        groups.insert((*name).to_owned(), group);
    }
    groups
}

/// Reads the rolls of the users. A unique role has one holder at most.
pub fn users(world: &World, rolls: &[UserRolls]) -> Fields {
    let mut roles = names(&world.roles);
    let mut users = Fields::new();
    for (name, ((hand, hands), assignments)) in USERS.iter().zip(rolls) {
        let mut dice = Dice::new(hand);
        let mut user = statements(world, hands);
        let held = hold(&mut dice, world, &mut user, &roles);
        roles.retain(|role| !(world.roles[role]["unique"] == true && held.contains(role)));
        groups_and_state(&mut dice, world, &mut user);
        let assignments = assignment::read(world, assignments);
        if !assignments.is_empty() {
            user.insert("assignments".to_owned(), assignments.into());
        }
        users.insert((*name).to_owned(), user.into());
    }
    users
}

/// Gives a profile, roles and approval groups, and returns the roles.
pub fn hold(
    dice: &mut Dice<'_>,
    world: &World,
    user: &mut Fields,
    roles: &[String],
) -> Vec<String> {
    if !world.profiles.is_empty() && dice.chance(70) {
        user.insert("profile".to_owned(), json!(dice.pick(&world.profiles)));
    }
    let held = dice.some(roles, 2);
    if !held.is_empty() {
        user.insert("roles".to_owned(), json!(held));
    }
    if dice.chance(40) {
        let approvers = dice.some(&world.approval_groups, 2);
        user.insert("approval_groups".to_owned(), json!(approvers));
    }
    held
}

/// Gives groups, and makes some users admins or suspended ones.
pub fn groups_and_state(dice: &mut Dice<'_>, world: &World, user: &mut Fields) {
    let mut groups = names(&world.groups);
    groups.push(PLAIN_GROUP.to_owned());
    if dice.chance(85) {
        user.insert("groups".to_owned(), json!(dice.some_of(&groups, 2)));
    }
    if dice.chance(5) {
        user.insert("admin".to_owned(), json!(true));
    }
    if dice.chance(4) {
        user.insert("suspended".to_owned(), json!(true));
    }
}

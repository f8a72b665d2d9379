//! Random assignments.

use serde_json::{Value, json};

use super::dice::Dice;
use super::source::{allow, state};
use super::world::{PLAIN_GROUP, STRANGER, World, bound, some_of};
use super::{Fields, SourceRolls};

const NAMES: [&str; 3] = ["cover", "one-off", "a.b é"];

/// First and last moments, with some between them: each lies at an edge of a day that
/// questions come with.
const DATES: [(Option<&str>, Option<&str>); 16] = [
    (None, None),
    (Some("2026-11-20"), None),
    (None, Some("2026-11-20")),
    (Some("2026-11-20"), Some("2026-11-20")),
    (None, Some("2026-11-20T18:00")),
    (Some("2026-11-20T09:00"), None),
    (Some("2026-11-20T00:00"), Some("2026-11-21T00:00")),
    (Some("2026-11-19"), Some("2026-11-20T17:59:59")),
    (Some("2026-11-20T00:00:01"), None),
    (None, Some("2026-11-20T23:59:59")),
    (Some("2026-11-21"), None),
    (None, Some("2026-11-19")),
    (Some("2026-11-20T18:00"), Some("2026-11-20T18:00:01")),
    (Some("2026-11-20T08:59"), Some("2026-11-20")),
    (Some("2024-02-28"), Some("2026-12-24T18:00")),
    (Some("2024-02-29"), Some("2026-11-21")),
];

/// Reads the rolls of a user's assignments.
pub fn read(world: &World, rolls: &[SourceRolls]) -> Fields {
    let mut assignments = Fields::new();
    for (name, (hand, hands)) in NAMES.iter().zip(rolls) {
        let statements = hands.iter().map(|hand| Dice::new(hand));
        if let Some(assignment) = assignment(&mut Dice::new(hand), world, statements) {
            assignments.insert((*name).to_owned(), assignment);
        }
    }
    assignments
}

/// An assignment; `None` where it would hold nothing.
pub fn assignment<'a>(
    dice: &mut Dice<'_>,
    world: &World,
    statements: impl Iterator<Item = Dice<'a>>,
) -> Option<Value> {
    let mut assignment = Fields::new();
    // Mostly something is allowed, on whose kind there are terms.
    let mut about = None;
    if let Some(path) = world.coveted(dice)
        && dice.chance(80)
    {
        about = world.kind_of(&path).map(str::to_owned);
        // And now and then a graded one that it needs, at some level.
        let mut needed = world.with_needed(&path).into_iter();
        let graded = needed.find_map(|path| world.levels_of(&path).map(|levels| (path, levels)));
        if let Some((path, levels)) = graded
            && dice.chance(35)
        {
            assignment.insert("levels".to_owned(), json!({path: dice.pick(levels)}));
        }
        allow(dice, world, &mut assignment, path);
    }
    let common = world.roles.iter().filter(|(_, role)| role["unique"] != true);
    let common: Vec<String> = common.map(|(name, _)| name.clone()).collect();
    insert(&mut assignment, "roles", &dice.some(&common, 2));
    if dice.chance(20) {
        insert(&mut assignment, "approval_groups", &dice.some(&world.approval_groups, 1));
    }
    for (attribute, of) in &world.attributes {
        if dice.chance(35) {
            let bounds = assignment.entry("bounds").or_insert_with(|| json!({}));
            bounds[attribute] = bound(dice, of, true);
        }
    }
    for mut dice in statements {
        state(&mut dice, world, &mut assignment, false);
    }
    if assignment.is_empty() {
        return None;
    }
    if !world.objects.is_empty() && dice.chance(world.taste.on) {
        assignment.insert("on".to_owned(), on(dice, world, about));
    }
    let (from, until) = dates(dice);
    for (name, date) in [("from", from), ("until", until)] {
        if let Some(date) = date {
            assignment.insert(name.to_owned(), json!(date));
        }
    }
    Some(assignment.into())
}

fn insert(assignment: &mut Fields, name: &str, list: &[String]) {
    if !list.is_empty() {
        assignment.insert(name.to_owned(), json!(list));
    }
}

pub fn dates(dice: &mut Dice<'_>) -> (Option<&'static str>, Option<&'static str>) {
    if dice.chance(65) { *dice.pick(&DATES) } else { (None, None) }
}

/// Conditions on one or two kinds, and on `*`, where there is a kind that it stands for.
fn on(dice: &mut Dice<'_>, world: &World, about: Option<String>) -> Value {
    let mut kinds: Vec<&String> = world.objects.keys().collect();
    let mut on = Fields::new();
    let is_star = dice.chance(30);
    if !is_star || dice.chance(40) {
        let first = about.filter(|_| dice.chance(85));
        let first = first.unwrap_or_else(|| (*dice.pick(&kinds)).clone());
        on.insert(first.clone(), conditions(dice, world, &first));
        kinds.retain(|kind| **kind != first);
        if dice.chance(25) && !kinds.is_empty() {
            let second = kinds.remove(0);
            on.insert(second.clone(), conditions(dice, world, second));
        }
    }
    if is_star && !kinds.is_empty() {
        let fitting = *dice.pick(&kinds);
        on.insert("*".to_owned(), conditions(dice, world, fitting));
    }
    on.into()
}

/// Conditions that fit a kind.
fn conditions(dice: &mut Dice<'_>, world: &World, kind: &str) -> Value {
    let kind = &world.objects[kind];
    let mut stated = Fields::new();
    let typed = |of: &str| -> Vec<(String, Value)> {
        let map = kind[of].as_object().into_iter().flatten();
        map.map(|(name, of)| (name.clone(), of.clone())).collect()
    };
    let most = dice.weigh(&[(15, 0), (55, 1), (30, 2)]);
    for (name, of) in some_of(dice, &typed("relations"), most) {
        stated.insert(name, json!(names(dice, world, of == "user")));
    }
    let most = dice.weigh(&[(65, 0), (35, 1)]);
    for (name, of) in some_of(dice, &typed("attributes"), most) {
        let of = of.as_str().expect("a type");
        stated.insert(name, bound(dice, of, false));
    }
    stated.into()
}

fn names(dice: &mut Dice<'_>, world: &World, users: bool) -> Vec<String> {
    let mut names: Vec<String> = world.groups.keys().cloned().collect();
    names.push(PLAIN_GROUP.to_owned());
    if users {
        names = ["alice", "bob", STRANGER].map(str::to_owned).to_vec();
    }
    dice.some_of(&names, 2)
}

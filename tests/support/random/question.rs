//! Random questions about a policy.

use serde_json::{Value, json};

use super::dice::Dice;
use super::source::{groups_and_state, hold, push, state};
use super::world::{STRANGER, TODAYS, World};
use super::{Fields, assignment, names};

const QUESTIONS: [&str; 9] =
    ["can", "why", "can_some", "level", "setting", "effective", "who_can", "never", "filter"];

/// Reads the rolls of a question.
pub fn read(dice: &mut Dice<'_>, world: &World) -> Value {
    let weights = world.taste.questions;
    let choices: [(usize, &str); 9] = std::array::from_fn(|at| (weights[at], QUESTIONS[at]));
    let mut name = dice.weigh(&choices);
    if (name == "level" && world.graded.is_empty())
        || (name == "setting" && world.settings.is_empty())
    {
        name = "can_some";
    }
    let mut question = Fields::new();
    match name {
        "can" | "why" => {
            about(dice, world, &mut question);
            asker(dice, world, &mut question, true);
        }
        "can_some" => {
            let user = user(dice, world);
            let action = shown(dice, world, &user);
            question.insert("action".to_owned(), json!(action));
            question.insert("user".to_owned(), json!(user));
            asker(dice, world, &mut question, true);
        }
        "level" => level(dice, world, &mut question),
        "setting" => {
            let setting = dice.pick(&world.settings).0.clone();
            let setting = if dice.chance(5) { "no_such_setting".to_owned() } else { setting };
            question.insert("setting".to_owned(), json!(setting));
            asker(dice, world, &mut question, false);
        }
        "effective" => effective(dice, world, &mut question),
        "who_can" | "never" => {
            about(dice, world, &mut question);
            // Without an object they do not look at today.
            if dice.chance(35) || !question.contains_key("object") {
                question.remove("object");
                question.remove("today");
            }
            question.remove("user");
            if name == "never" && dice.chance(60) {
                let users = names(&world.users);
                question.insert("except".to_owned(), json!(dice.some_of(&users, 3)));
            }
        }
        _ => {
            about(dice, world, &mut question);
            asker(dice, world, &mut question, true);
            objects(dice, world, &mut question);
        }
    }
    json!({name: question})
}

fn level(dice: &mut Dice<'_>, world: &World, question: &mut Fields) {
    about(dice, world, question);
    question.remove("action");
    let at = dice.below(world.graded.len());
    let mut permission = world.graded[at].0[0].clone();
    if dice.chance(4) {
        permission = action(dice, world, false).0;
    }
    let kind = world.kind_of(&permission).map(str::to_owned);
    question.remove("object");
    if dice.chance(60)
        && let Some(kind) = kind.or_else(|| world.objects.keys().next().cloned())
    {
        let user = question["user"].as_str().unwrap_or_default().to_owned();
        question.insert("object".to_owned(), object(dice, world, &user, &kind));
    }
    question.insert("permission".to_owned(), json!(permission));
    asker(dice, world, question, true);
}

fn effective(dice: &mut Dice<'_>, world: &World, question: &mut Fields) {
    let user = user(dice, world);
    let assignments = world.users[&user]["assignments"].as_object();
    let assignments = assignments.map(names).unwrap_or_default();
    question.insert("user".to_owned(), json!(user));
    if dice.chance(60) && !assignments.is_empty() {
        let is_unknown = dice.chance(4);
        let assignment = if is_unknown { "nobody's" } else { dice.pick(&assignments) };
        question.insert("assignment".to_owned(), json!(assignment));
    } else {
        asker(dice, world, question, true);
    }
}

/// Several objects of the kind that was asked about, as a list has them.
fn objects(dice: &mut Dice<'_>, world: &World, question: &mut Fields) {
    let mut objects = Vec::from_iter(question.remove("object"));
    let kind = objects.first().and_then(|object| object["kind"].as_str()).map(str::to_owned);
    if let Some(kind) = kind.filter(|kind| world.objects.contains_key(kind)) {
        let user = question.get("user").and_then(Value::as_str).unwrap_or("alice").to_owned();
        for _ in 0..1 + dice.below(4) {
            objects.push(object(dice, world, &user, &kind));
        }
    }
    question.insert("objects".to_owned(), json!(objects));
}

fn user(dice: &mut Dice<'_>, world: &World) -> String {
    dice.pick(&names(&world.users)).clone()
}

/// Adds a user, an action, and mostly an object and a day.
fn about(dice: &mut Dice<'_>, world: &World, question: &mut Fields) {
    let user = user(dice, world);
    let assignment = assignment_of(dice, world, &user);
    let wanted = assignment.and_then(|assignment| wanted(dice, world, assignment));
    let (action, kind) = wanted.unwrap_or_else(|| action(dice, world, false));
    let kinds = names(&world.objects);
    let kind = match kind {
        Some(kind) if dice.chance(85) => Some(kind),
        // One that the action does not look at, or another kind than its own.
        _ if dice.chance(40) && !kinds.is_empty() => Some(dice.pick(&kinds).clone()),
        _ => None,
    };
    question.insert("action".to_owned(), json!(action));
    if let Some(kind) = kind {
        let mut object = object(dice, world, &user, &kind);
        if let Some(assignment) = assignment
            && dice.chance(70)
        {
            fit(dice, world, assignment, &mut object);
        }
        question.insert("object".to_owned(), object);
    }
    if dice.chance(88) {
        question.insert("today".to_owned(), json!(dice.pick(&TODAYS)));
    }
    question.insert("user".to_owned(), json!(user));
}

/// Something that a menu may show: often something that an assignment's grants need.
fn shown(dice: &mut Dice<'_>, world: &World, user: &str) -> String {
    let assignment = assignment_of(dice, world, user);
    let wanted = assignment.and_then(|assignment| wanted(dice, world, assignment));
    let Some((path, _)) = wanted.filter(|_| dice.chance(65)) else {
        return action(dice, world, true).0;
    };
    let needed = dice.pick(&world.with_needed(&path)).clone();
    match world.levels_of(&needed) {
        Some(levels) if dice.chance(50) => format!("{needed}:{}", dice.pick(&levels[1..])),
        _ => needed,
    }
}

/// One of the user's assignments, to ask about; often none.
fn assignment_of<'a>(dice: &mut Dice<'_>, world: &'a World, user: &str) -> Option<&'a Value> {
    let assignments = world.users[user].get("assignments")?.as_object()?;
    let assignments: Vec<&Value> = assignments.values().collect();
    dice.chance(70).then(|| *dice.pick(&assignments))
}

/// Something that an assignment allows, with its kind of object.
fn wanted(
    dice: &mut Dice<'_>,
    world: &World,
    assignment: &Value,
) -> Option<(String, Option<String>)> {
    let roles = assignment["roles"].as_array().into_iter().flatten();
    let roles = roles.filter_map(|role| world.roles.get(role.as_str()?));
    let sources = roles.chain([assignment]);
    let allowed = sources.filter_map(|source| source.get("allow")?.as_array()).flatten();
    let is_asked = |pattern: &&str| world.kind_at(pattern).is_some();
    let asked: Vec<&str> = allowed.filter_map(Value::as_str).filter(is_asked).collect();
    if asked.is_empty() {
        return None;
    }
    let action = (*dice.pick(&asked)).to_owned();
    let kind = world.kind_at(&action)?.clone();
    Some((action, kind))
}

/// Makes an object fit the terms of an assignment, and mostly its bounds.
pub fn fit(dice: &mut Dice<'_>, world: &World, assignment: &Value, object: &mut Value) {
    let Some(kind) = object["kind"].as_str().map(str::to_owned) else { return };
    let on = assignment.get("on").and_then(Value::as_object);
    let stated = on.and_then(|on| on.get(&kind).or_else(|| on.get("*")));
    let declared = world.objects.get(&kind);
    let declares = |of: &str, name: &str| declared.is_some_and(|it| it[of].get(name).is_some());
    for (name, condition) in stated.and_then(Value::as_object).into_iter().flatten() {
        if declares("relations", name) {
            let names = condition.as_array().map_or(&[][..], Vec::as_slice);
            let Some(name_of) = names.first().and_then(Value::as_str) else { continue };
            let beneath = world.beneath_group(name_of);
            let named = if dice.chance(40) { beneath } else { None };
            object["relations"][name] = json!([named.unwrap_or(name_of)]);
        } else if declares("attributes", name)
            && let Some(value) = passing(dice, condition)
        {
            object["attributes"][name] = value;
        }
    }
    for (name, bound) in assignment["bounds"].as_object().into_iter().flatten() {
        if let Some((of, name)) = name.split_once('.')
            && of == kind
            && dice.chance(60)
            && let Some(value) = passing(dice, bound)
        {
            object["attributes"][name] = value;
        }
    }
}

/// A value that passes a bound, where it is easily told.
fn passing(dice: &mut Dice<'_>, bound: &Value) -> Option<Value> {
    match bound {
        Value::Array(list) if !list.is_empty() => Some(dice.pick(list).clone()),
        Value::Number(_) | Value::Bool(_) => Some(bound.clone()),
        Value::Object(fence) => fence.get("date").cloned(),
        _ => None,
    }
}

/// Something to ask for, with its kind of object, if any.
fn action(dice: &mut Dice<'_>, world: &World, headings: bool) -> (String, Option<String>) {
    if headings && dice.chance(25) && !world.headings.is_empty() {
        return (dice.pick(&world.headings).clone(), None);
    }
    if world.needs.is_empty() || dice.chance(2) {
        return (unknown(dice, world), None);
    }
    let at = dice.below(world.needs.len());
    (world.needs[at].clone(), world.kinds[at].clone())
}

fn unknown(dice: &mut Dice<'_>, world: &World) -> String {
    let mut unknown: Vec<String> =
        ["nope", "", "*", "view.nope", "view:full", ":", "view."].map(str::to_owned).into();
    unknown.extend(world.headings.iter().cloned());
    for (patterns, levels) in &world.graded {
        unknown.push(format!("{}:{}", patterns[0], levels[0]));
        unknown.push(format!("{}:nope", patterns[0]));
    }
    dice.pick(&unknown).clone()
}

/// Makes sure of a user, puts a subject in the place of some, and adds a `within` to some.
fn asker(dice: &mut Dice<'_>, world: &World, question: &mut Fields, within: bool) {
    if !question.contains_key("user") {
        let user = user(dice, world);
        question.insert("user".to_owned(), json!(user));
    }
    if dice.chance(3) {
        question.insert("user".to_owned(), json!("nobody"));
    }
    if dice.chance(12) {
        let user = question.remove("user");
        let name = user.filter(|_| dice.chance(40)).unwrap_or_else(|| json!(STRANGER));
        let mut subject = entry(dice, world);
        groups_and_state(dice, world, &mut subject);
        subject.insert("name".to_owned(), name);
        question.insert("subject".to_owned(), subject.into());
    }
    if within && dice.chance(12) {
        let mut within = entry(dice, world);
        if dice.chance(50) && !world.exact.is_empty() {
            within.insert("allow".to_owned(), json!(["**"]));
        }
        if dice.chance(5) {
            within.insert("admin".to_owned(), json!(true));
        }
        question.insert("within".to_owned(), within.into());
    }
}

/// An entry that a question gives, some with a problem.
fn entry(dice: &mut Dice<'_>, world: &World) -> Fields {
    let mut entry = Fields::new();
    // It may hold a unique role that a user of the document has.
    hold(dice, world, &mut entry, &names(&world.roles));
    for _ in 0..dice.below(4) {
        state(dice, world, &mut entry, true);
    }
    if dice.chance(40)
        && let Some(assignment) = assignment::assignment(dice, world, std::iter::empty())
    {
        entry.insert("assignments".to_owned(), json!({"cover": assignment}));
    }
    if dice.chance(25) && !world.exact.is_empty() {
        push(&mut entry, "allow", Some(dice.pick(&world.exact).clone()));
    }
    if dice.chance(5) {
        let (name, value) = dice
            .pick(&[
                ("roles", json!(["nobody's"])),
                ("allow", json!(["view.nope"])),
                ("profile", json!("nobody's")),
                ("bounds", json!({"job.nope": "any"})),
                ("levels", json!({"**": "no level"})),
                ("assignments", json!({"empty": {"until": "2026-11-20"}})),
            ])
            .clone();
        entry.insert(name.to_owned(), value);
    }
    entry
}

pub fn object(dice: &mut Dice<'_>, world: &World, user: &str, kind: &str) -> Value {
    if dice.chance(1) {
        return json!({"kind": "planet"});
    }
    let declared = &world.objects[kind];
    let mut relations = Fields::new();
    for (name, of) in declared["relations"].as_object().into_iter().flatten() {
        if dice.chance(92) {
            let names = world.related(of.as_str().expect("a type"), user);
            relations.insert(name.clone(), json!(related(dice, names)));
        }
    }
    let mut attributes = Fields::new();
    for (name, of) in declared["attributes"].as_object().into_iter().flatten() {
        if dice.chance(92) {
            attributes.insert(name.clone(), attribute(dice, of.as_str().expect("a type")));
        }
    }
    match dice.weigh(&[(98, 0), (1, 1), (1, 2)]) {
        1 => drop(relations.insert("owner".to_owned(), json!(["alice"]))),
        2 => drop(attributes.insert("colour".to_owned(), json!("red"))),
        _ => {}
    }
    json!({"kind": kind, "relations": relations, "attributes": attributes})
}

fn related(dice: &mut Dice<'_>, mut names: Vec<String>) -> Vec<String> {
    match dice.weigh(&[(34, 0), (14, 1), (22, 2), (30, 3)]) {
        0 => vec![names.swap_remove(0)],
        1 => Vec::new(),
        2 => vec![names.swap_remove(1)],
        _ => {
            names.sort();
            names.dedup();
            dice.some_of(&names, 2)
        }
    }
}

fn attribute(dice: &mut Dice<'_>, of: &str) -> Value {
    if dice.chance(5) {
        let wrong = [json!(null), json!(0), json!("10"), json!("2026-02-30"), json!(true)];
        return dice.pick(&wrong).clone();
    }
    match of {
        "one_of" => json!(dice.pick(&["north", "south", "east", ""])),
        "flag" => json!(dice.chance(50)),
        "at_most" | "at_least" => {
            json!(dice.pick(&[0, 10, -5, 11, 9, 1000, 1001, -6, i64::MAX, i64::MIN]))
        }
        _ => json!(dice.pick(&[
            "2026-11-20",
            "2026-11-22",
            "2026-11-27",
            "2024-02-29",
            "2024-03-02",
            "2026-11-19",
            "2026-11-20T00:00",
        ])),
    }
}

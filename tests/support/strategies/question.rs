//! Random questions about a policy.

use grantree::Date;
use grantree::Document;
use grantree::document::{BoundType, ObjectKind, RelationType};
use grantree::object::{DynamicObject, Object, Value};
use grantree::policy_test::{Given, Question};

use super::super::ask::Ask;
use super::catalogue::World;
use super::dice::Dice;
use super::source::PLAIN_GROUP;

// A Friday, the day before, and one before a leap day.
const DAYS: [&str; 3] = ["2026-11-20", "2026-11-19", "2024-02-28"];

#[derive(Clone, Copy)]
enum Form {
    Can,
    Why,
    CanSome,
    Level,
    Setting,
    Effective,
    WhoCan,
    Filter,
}

/// Reads the rolls of a question.
pub fn read(dice: &mut Dice<'_>, world: &World, document: &Document) -> Question {
    let [can, why, can_some, level, setting, effective, who_can, filter] = world.taste.questions;
    let form = dice.weigh(&[
        (can, Form::Can),
        (why, Form::Why),
        (can_some, Form::CanSome),
        (level, Form::Level),
        (setting, Form::Setting),
        (effective, Form::Effective),
        (who_can, Form::WhoCan),
        (filter, Form::Filter),
    ]);
    let user = user(dice, document);
    match form {
        Form::Can => ask(dice, world, document, user).can(),
        Form::Why => ask(dice, world, document, user).why(),
        Form::Level if !world.graded.is_empty() => Question::Level {
            user: user.into(),
            within: Given::Absent,
            object: None,
            today: Given::Absent,
            permission: match dice.chance(90) {
                true => dice.pick(&world.graded).0[0].clone(),
                false => action(dice, world).0,
            },
        },
        Form::Setting if !world.settings.is_empty() => Question::Setting {
            user: user.into(),
            setting: match dice.chance(95) {
                true => dice.pick(&world.settings).0.clone(),
                false => "no_such_setting".to_owned(),
            },
        },
        Form::Effective => {
            Question::Effective { user: user.into(), within: Given::Absent, assignment: None }
        }
        Form::WhoCan => {
            let Ask { action, object, today, .. } = ask(dice, world, document, user);
            Question::WhoCan {
                action,
                object: object.filter(|_| dice.chance(70)),
                today: today.into(),
            }
        }
        Form::Filter => {
            let asked = ask(dice, world, document, user.clone());
            let mut objects = Vec::from_iter(asked.object);
            // More of the same kind, as a list has them.
            if let Some(kind) = objects.first().map(|object| Object::kind(object).to_owned())
                && world.objects.get(&kind).is_some()
            {
                let more = 1 + dice.below(4);
                objects.extend((0..more).map(|_| object(dice, world, document, &user, &kind)));
            }
            let Ask { action, today, .. } = asked;
            Question::Filter {
                user: user.into(),
                within: Given::Absent,
                action,
                objects,
                today: today.into(),
            }
        }
        Form::CanSome | Form::Level | Form::Setting => Question::CanSome {
            user: user.into(),
            within: Given::Absent,
            action: action(dice, world).0,
        },
    }
}

fn user(dice: &mut Dice<'_>, document: &Document) -> String {
    let names: Vec<&str> = document.users.iter().map(|(name, _)| name).collect();
    match dice.chance(4) {
        true => "nobody".to_owned(),
        false => (*dice.pick(&names)).to_owned(),
    }
}

fn ask(dice: &mut Dice<'_>, world: &World, document: &Document, user: String) -> Ask {
    let (action, kind) = action(dice, world);
    let kinds: Vec<&str> = world.objects.iter().map(|(name, _)| name).collect();
    let kind = match kind {
        Some(kind) if dice.chance(80) => Some(kind),
        // One that the action does not look at, or another kind than its own.
        _ if dice.chance(45) && !kinds.is_empty() => Some((*dice.pick(&kinds)).to_owned()),
        _ => None,
    };
    Ask {
        object: kind.map(|kind| object(dice, world, document, &user, &kind)),
        today: dice.chance(85).then(|| day(dice).into()),
        action,
        user,
    }
}

/// Something to ask for, with its kind of object, if any.
fn action(dice: &mut Dice<'_>, world: &World) -> (String, Option<String>) {
    if world.needs.is_empty() || dice.chance(3) {
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

fn object(
    dice: &mut Dice<'_>,
    world: &World,
    document: &Document,
    user: &str,
    kind: &str,
) -> DynamicObject {
    let declared: &ObjectKind = world.objects.get(kind).expect("a known kind");
    let mut object = DynamicObject::new(kind);
    if dice.chance(1) {
        object = DynamicObject::new("planet");
    }
    for (name, relation) in declared.relations.iter() {
        if dice.chance(92) {
            object = object.with_relation(name, related(dice, document, user, *relation));
        }
    }
    for (name, bound_type) in declared.attributes.iter() {
        if dice.chance(92) {
            object = attribute(dice, object, name, *bound_type);
        }
    }
    match dice.weigh(&[(98, 0), (1, 1), (1, 2)]) {
        1 => object.with_relation("owner", ["alice"]),
        2 => object.with_attribute("colour", "red"),
        _ => object,
    }
}

fn related(
    dice: &mut Dice<'_>,
    document: &Document,
    user: &str,
    relation: RelationType,
) -> Vec<String> {
    let mut names: Vec<String> = match relation {
        RelationType::User => vec![user.to_owned(), "alice".to_owned(), "stranger".to_owned()],
        RelationType::Group => document
            .users
            .get(user)
            .into_iter()
            .flat_map(|user| user.groups.iter().cloned())
            .chain(document.groups.iter().map(|(name, _)| name.to_owned()))
            .chain([PLAIN_GROUP, user].map(str::to_owned))
            .collect(),
    };
    match dice.weigh(&[(35, 0), (18, 1), (47, 2)]) {
        0 => vec![names.swap_remove(0)],
        1 => Vec::new(),
        _ => dice.some(&names, 2),
    }
}

fn attribute(
    dice: &mut Dice<'_>,
    object: DynamicObject,
    name: &str,
    bound_type: BoundType,
) -> DynamicObject {
    if dice.chance(5) {
        let wrong = [
            Value::Other,
            Value::Integer(0),
            Value::Text("10"),
            Value::Text("2026-02-30"),
            Value::Boolean(true),
        ];
        return object.with_attribute(name, *dice.pick(&wrong));
    }
    match bound_type {
        BoundType::OneOf => {
            object.with_attribute(name, *dice.pick(&["north", "south", "east", ""]))
        }
        BoundType::AtMost | BoundType::AtLeast => {
            let values = [0, 10, -5, 11, 9, 1000, 1001, -6, i64::MAX, i64::MIN];
            object.with_attribute(name, *dice.pick(&values))
        }
        BoundType::NotBefore | BoundType::NotAfter if dice.chance(30) => {
            object.with_attribute(name, day(dice))
        }
        BoundType::NotBefore | BoundType::NotAfter => {
            let days = ["2026-11-20", "2026-11-22", "2026-11-27", "2024-02-29", "2024-03-02"];
            object.with_attribute(name, *dice.pick(&days))
        }
        BoundType::Flag => object.with_attribute(name, dice.chance(50)),
    }
}

fn day(dice: &mut Dice<'_>) -> Date {
    dice.pick(&DAYS).parse().expect("a date")
}

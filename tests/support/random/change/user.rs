//! Random changes of what users have.

use serde_json::{Value, json};

use super::super::assignment::{assignment, dates};
use super::super::dice::Dice;
use super::super::source::{push, state};
use super::super::world::bound;
use super::super::{Fields, names};
use super::source::held;
use super::{Drawing, one_of};

const NEW_USERS: [&str; 4] = ["eve", "frank é", "alice", "bob"];
const ASSIGNMENTS: [&str; 3] = ["cover", "one-off", "a.b é"];

impl Drawing<'_> {
    pub(super) fn new_user(&self, dice: &mut Dice<'_>) -> String {
        let name = *dice.pick(&NEW_USERS);
        if dice.chance(2) { String::new() } else { name.to_owned() }
    }

    pub(super) fn add_user(&self, dice: &mut Dice<'_>) -> Value {
        let mut user = self.said(dice, 1);
        user.insert("user".to_owned(), json!(self.new_user(dice)));
        match dice.weigh(&[(55, 0), (15, 1), (30, 2)]) {
            0 => {}
            1 => drop(user.insert("profile".to_owned(), Value::Null)),
            _ => {
                let profile = one_of(dice, &self.world.profiles, "nope");
                user.insert("profile".to_owned(), json!(profile));
            }
        }
        for (flag, often) in [("admin", 4), ("suspended", 8)] {
            if dice.chance(often) {
                user.insert(flag.to_owned(), json!(true));
            }
        }
        if dice.chance(35) {
            user.insert("roles".to_owned(), json!(dice.some(&self.names_of("roles"), 2)));
        }
        if dice.chance(20) {
            let groups = dice.some(&self.world.approval_groups, 1);
            user.insert("approval_groups".to_owned(), json!(groups));
        }
        if dice.chance(30) {
            user.insert("groups".to_owned(), json!(self.groups(dice, 1)));
        }
        if dice.chance(25)
            && let Some(assignment) = self.assignment(dice, None)
        {
            user.insert("assignments".to_owned(), json!({"cover": assignment}));
        }
        user.into()
    }

    /// Mostly of what the user has.
    pub(super) fn revoke(&self, dice: &mut Dice<'_>) -> Value {
        let user = self.user(dice);
        let held = held(self.world.users.get(&user).unwrap_or(&Value::Null));
        let source = if held.is_empty() || dice.chance(10) {
            self.bundled(dice)
        } else {
            dice.pick(&held).clone()
        };
        json!({"user": user, "source": source})
    }

    /// Mostly of a unique role.
    pub(super) fn transfer(&self, dice: &mut Dice<'_>) -> Value {
        let unique = self.world.roles.iter().filter(|(_, role)| role["unique"] == true);
        let unique: Vec<String> = unique.map(|(name, _)| name.clone()).collect();
        let role = if unique.is_empty() || dice.chance(10) {
            one_of(dice, &self.names_of("roles"), "nope")
        } else {
            dice.pick(&unique).clone()
        };
        json!({"role": role, "to": self.user(dice)})
    }

    pub(super) fn set_assignment(&self, dice: &mut Dice<'_>) -> Value {
        let user = self.user(dice);
        let known = self.world.users.get(&user).and_then(|user| user["assignments"].as_object());
        let known = known.cloned().unwrap_or_default();
        let name = if known.is_empty() || dice.chance(40) {
            (*dice.pick(&ASSIGNMENTS)).to_owned()
        } else {
            dice.pick(&names(&known)).clone()
        };
        let name = if dice.chance(1) { String::new() } else { name };
        let assignment = if dice.chance(15) {
            Value::Null
        } else {
            self.assignment(dice, known.get(&name)).unwrap_or_default()
        };
        json!({"user": user, "name": name, "assignment": assignment})
    }

    /// A new assignment, or another form of one that somebody has.
    fn assignment(&self, dice: &mut Dice<'_>, known: Option<&Value>) -> Option<Value> {
        let users = [Value::from(self.own())].into_iter().chain(self.world.users.values().cloned());
        let all: Vec<Value> = users
            .flat_map(|user| user["assignments"].as_object().cloned().unwrap_or_default())
            .map(|(_, assignment)| assignment)
            .collect();
        match dice.weigh(&[(35, 0), (35, 1), (30, 2)]) {
            0 if !all.is_empty() => {
                let origin = dice.pick(&all).clone();
                Some(self.altered(dice, origin))
            }
            1 if known.is_some() => known.map(|known| self.altered(dice, known.clone())),
            _ => assignment(dice, self.world, std::iter::empty()),
        }
    }

    /// An assignment with something of it changed.
    fn altered(&self, dice: &mut Dice<'_>, mut assignment: Value) -> Value {
        for _ in 0..dice.weigh(&[(70, 1), (20, 2), (10, 0)]) {
            self.alter(dice, &mut assignment);
        }
        assignment
    }

    fn alter(&self, dice: &mut Dice<'_>, assignment: &mut Value) {
        let mut fields: Fields = assignment.as_object().cloned().unwrap_or_default();
        match dice.weigh(&[(25, 0), (20, 1), (10, 2), (15, 3), (15, 4), (15, 5)]) {
            0 => {
                let (from, until) = dates(dice);
                for (name, date) in [("from", from), ("until", until)] {
                    match date {
                        Some(date) => drop(fields.insert(name.to_owned(), json!(date))),
                        None => drop(fields.remove(name)),
                    }
                }
            }
            1 => self.alter_on(dice, &mut fields),
            2 => drop(fields.remove("on")),
            3 if !self.world.attributes.is_empty() => {
                let (attribute, of) = dice.pick(&self.world.attributes);
                let bounds = fields.entry("bounds").or_insert_with(|| json!({}));
                bounds[attribute] = bound(dice, of, true);
            }
            4 => {
                let roles = self.names_of("roles");
                let role = dice.some(&roles, 1).pop();
                push(&mut fields, "roles", role);
            }
            _ => state(dice, self.world, &mut fields, false),
        }
        *assignment = fields.into();
    }

    /// One name or condition less, or one name more.
    fn alter_on(&self, dice: &mut Dice<'_>, fields: &mut Fields) {
        let Some(on) = fields.get_mut("on").and_then(Value::as_object_mut) else { return };
        let kinds = names(on);
        if kinds.is_empty() {
            return;
        }
        let Some(stated) = on.get_mut(dice.pick(&kinds)).and_then(Value::as_object_mut) else {
            return;
        };
        let conditions = names(stated);
        if conditions.is_empty() {
            return;
        }
        let name = dice.pick(&conditions).clone();
        if dice.chance(30) {
            stated.remove(&name);
            return;
        }
        if let Some(list) = stated.get_mut(&name).and_then(Value::as_array_mut)
            && list.iter().all(Value::is_string)
        {
            if dice.chance(40) && list.len() > 1 {
                list.pop();
            } else {
                let more = json!(dice.pick(&["uk", "leeds", "fr", "alice", "bob", "south"]));
                if !list.contains(&more) {
                    list.push(more);
                }
            }
        }
    }
}

//! The names that statements and questions can use.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Fields;
use super::dice::Dice;
use super::taste::Taste;

/// A group that no document here declares.
pub const PLAIN_GROUP: &str = "night shift";

/// A user that no document here has.
pub const STRANGER: &str = "stranger";

/// Days and times: a Friday, edges of it, and a day before a leap day.
pub const TODAYS: [&str; 10] = [
    "2026-11-20",
    "2026-11-20T12:00",
    "2026-11-19",
    "2026-11-20T17:59:59",
    "2026-11-20T18:00",
    "2026-11-21T00:00",
    "2026-11-20T00:00",
    "2026-11-20T08:59",
    "2026-11-21",
    "2024-02-28",
];

/// Names, and the shape of the catalogue.
#[derive(Clone)]
pub struct World {
    /// The subject of the case.
    pub taste: &'static Taste,
    /// The permissions that can be required or asked for, with every threshold.
    pub needs: Vec<String>,
    /// The kind of each of them, if any.
    pub kinds: Vec<Option<String>>,
    /// The paths that can be allowed exactly, scoped nodes included.
    pub exact: Vec<String>,
    /// The ones among them that the global source leaves to others.
    pub left_out: Vec<String>,
    /// The bases of `base.*`.
    pub children: Vec<String>,
    /// The bases of `base.**`.
    pub beneath: Vec<String>,
    /// `true` if `*` matches anything; `**` does wherever anything can be allowed.
    pub roots: bool,
    /// Graded permissions: the patterns that match one, and its levels.
    pub graded: Vec<(Vec<String>, Vec<String>)>,
    /// The gate parent of each path, what it requires and what it implies.
    pub needed: BTreeMap<String, Vec<String>>,
    /// The paths of headings.
    pub headings: Vec<String>,
    /// Each `kind.attribute` with its type.
    pub attributes: Vec<(String, String)>,
    /// The settings, each with values that it accepts.
    pub settings: Vec<(String, Vec<Value>)>,
    /// The object kinds.
    pub objects: Fields,
    pub profiles: Vec<String>,
    pub roles: Fields,
    pub approval_groups: Vec<String>,
    pub groups: Fields,
    pub users: Fields,
}

impl World {
    /// A path, and everything that it needs to be effective.
    pub fn with_needed(&self, path: &str) -> Vec<String> {
        let mut paths = vec![path.to_owned()];
        let mut at = 0;
        while let Some(path) = paths.get(at) {
            for needed in self.needed.get(path).cloned().unwrap_or_default() {
                if !paths.contains(&needed) {
                    paths.push(needed);
                }
            }
            at += 1;
        }
        paths
    }

    /// A path to allow, mostly one that is not allowed to everybody.
    pub fn coveted(&self, dice: &mut Dice<'_>) -> Option<String> {
        let is_left_out = !self.left_out.is_empty() && dice.chance(60);
        let paths = if is_left_out { &self.left_out } else { &self.exact };
        (!paths.is_empty()).then(|| dice.pick(paths).clone())
    }

    /// The levels of a graded permission.
    pub fn levels_of(&self, path: &str) -> Option<&[String]> {
        let mut graded = self.graded.iter();
        let found = graded.find(|(patterns, _)| patterns.iter().any(|pattern| pattern == path));
        found.map(|(_, levels)| levels.as_slice())
    }

    /// The kind of an exact path.
    pub fn kind_of(&self, path: &str) -> Option<&str> {
        self.kind_at(path)?.as_deref()
    }

    /// The same, or `None` for what can't be asked for.
    pub fn kind_at(&self, path: &str) -> Option<&Option<String>> {
        let at = self.needs.iter().position(|need| need == path)?;
        self.kinds.get(at)
    }

    /// A group directly beneath another, if there is one.
    pub fn beneath_group(&self, group: &str) -> Option<&str> {
        let mut groups = self.groups.iter();
        let beneath = groups.find(|(_, it)| it["parent"] == group);
        beneath.map(|(name, _)| name.as_str())
    }

    /// The names that a relation of a type may have: at least two, one of the user's first,
    /// and then a group beneath one of the user's, if there is one.
    pub fn related(&self, relation_type: &str, user: &str) -> Vec<String> {
        if relation_type == "user" {
            return [user, "alice", "bob", STRANGER].map(str::to_owned).to_vec();
        }
        let mut names: Vec<String> = self.users.get(user).map(groups_of).unwrap_or_default();
        let beneath = names.iter().find_map(|group| self.beneath_group(group));
        if let Some(beneath) = beneath.map(str::to_owned) {
            names.insert(1, beneath);
        }
        names.extend(self.groups.keys().cloned());
        names.extend([PLAIN_GROUP, "nobody's"].map(str::to_owned));
        names
    }
}

fn groups_of(user: &Value) -> Vec<String> {
    let groups = user["groups"].as_array().into_iter().flatten();
    groups.filter_map(|group| Some(group.as_str()?.to_owned())).collect()
}

/// A bound of a type; never an empty list unless `empty` allows it.
pub fn bound(dice: &mut Dice<'_>, bound_type: &str, empty: bool) -> Value {
    if dice.chance(25) {
        return json!("any");
    }
    match bound_type {
        "one_of" => one_of(dice, if empty { 5 } else { 4 }),
        "at_most" | "at_least" => json!(dice.pick(&[10, 0, 1000, -5, i64::MAX, i64::MIN])),
        "flag" => flag(dice),
        _ => dice.pick(&fences()).clone(),
    }
}

/// A condition of a `when` on an attribute: "what a bound of its type takes, but not
/// `"any"` and no relative fence".
pub fn condition(dice: &mut Dice<'_>, bound_type: &str) -> Value {
    match bound_type {
        "one_of" => one_of(dice, 4),
        "at_most" | "at_least" => json!(dice.pick(&[10, 0, 1000, -5])),
        "flag" => flag(dice),
        _ => dice.pick(&fences()[..2]).clone(),
    }
}

fn one_of(dice: &mut Dice<'_>, lists: usize) -> Value {
    let texts: [&[&str]; 5] = [&["north"], &["north", "south"], &["", "east"], &["south"], &[]];
    json!(dice.pick(&texts[..lists]))
}

fn flag(dice: &mut Dice<'_>) -> Value {
    dice.pick(&[json!(true), json!(false), json!([true, false]), json!([false, true])]).clone()
}

fn fences() -> [Value; 8] {
    [
        json!({"date": "2026-11-20"}),
        json!({"date": "2024-02-29"}),
        json!({"plus_days": 0}),
        json!({"plus_days": 3}),
        json!({"plus_days": -1}),
        json!({"next": "friday"}),
        json!({"next": "monday", "plus_days": -3}),
        json!({"next": "sunday", "plus_days": -7}),
    ]
}

/// Up to so many of a list, but one at least, unless none is the most.
pub fn some_of<T: Clone>(dice: &mut Dice<'_>, list: &[T], most: usize) -> Vec<T> {
    if most == 0 { Vec::new() } else { dice.some_of(list, most) }
}

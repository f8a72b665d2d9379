//! The law of the game, held to the oracle.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use serde_json::{Value, json};

use super::table::hand;
use support::oracle::bound::passes;
use support::oracle::catalogue::{Catalogue, Levels, Need};
use support::oracle::date::Today;
use support::oracle::json::{entries, is_true, list};
use support::oracle::person::{Asked, Person};
use support::oracle::policy::Policy;
use support::oracle::source::{Said, Source};
use support::random::dice::Dice;
use support::random::question;
use support::random::world::World;

/// Days that questions come with: far past, at the edges of terms, far future.
const DAYS: [Option<&str>; 8] = [
    Some("2026-11-20T12:00"),
    Some("2026-11-20"),
    Some("2031-01-01"),
    Some("2026-11-21"),
    Some("2027-02-01"),
    Some("2024-02-28"),
    Some("2026-11-20T18:00"),
    None,
];

/// A policy as the law looks at it: suspension is left aside.
pub struct Judge {
    policy: Policy,
}

impl Judge {
    pub fn new(policy: &Value) -> Judge {
        Judge { policy: Policy::new(policy) }
    }

    /// The same under a licence that has every feature.
    pub fn licensed(policy: &Value) -> Judge {
        let mut policy = policy.clone();
        let mut features = BTreeSet::new();
        collect(&policy["catalogue"]["permissions"], &mut features);
        policy["licence"] = json!({ "features": features });
        Judge::new(&policy)
    }

    fn catalogue(&self) -> &Catalogue {
        &self.policy.catalogue
    }

    /// Somebody of a name with the entry of a user, as one who is neither admin nor suspended.
    fn person(&self, name: &str, user: &str) -> Option<Person> {
        let mut entry = self.policy.users.get(user)?.clone();
        entry["admin"] = json!(false);
        entry["suspended"] = json!(false);
        Some(Person::read(&self.policy, name, list(&entry, "groups"), &entry))
    }

    /// What a user has in any capacity.
    fn had(&self, user: &str, person: &Person) -> Levels {
        let assignments = entries(&self.policy.users[user]["assignments"]);
        let names = assignments.map(|(name, _)| Some(name)).chain([None]);
        let mut had = Levels::new();
        for name in names {
            let effective = person.effective(self.catalogue(), name).expect("an assignment");
            raise(&mut had, effective);
        }
        had
    }

    /// Returns `true` if one of some users has a permission.
    pub fn any_has(&self, users: &[String], path: &str) -> bool {
        let has = |user: &String| {
            let person = self.person(user, user);
            person.is_some_and(|person| self.had(user, &person).contains_key(path))
        };
        users.iter().any(has)
    }

    /// Adds what a user is given.
    fn give(&self, user: &str, given: &mut Given) {
        // Whoever is gone, or comes to be, has what everybody has.
        let entry = self.policy.users.get(user).unwrap_or(&Value::Null);
        let mut sources = vec![self.policy.global.clone()];
        sources.extend(entry["profile"].as_str().map(|name| self.policy.profiles[name].clone()));
        let assignments = entries(&entry["assignments"]).map(|(_, assignment)| assignment);
        for holder in assignments.chain([entry]) {
            sources.extend(self.policy.role_tier(holder));
            sources.push(Source::read(self.catalogue(), holder).into());
        }
        for source in sources {
            let granted = source.said.iter().filter_map(|(path, said)| match said {
                Said::Level(level) => Some((path.clone(), *level)),
                Said::Deny => None,
            });
            raise(&mut given.levels, granted.collect());
            for (attribute, bound) in &source.bounds {
                let known = given.bounds.entry(attribute.clone()).or_default();
                if !known.contains(bound) {
                    known.push(bound.clone());
                }
            }
        }
        loop {
            let implied = given.levels.keys().flat_map(|path| self.catalogue().implied(path));
            let is_new = |need: &Need| !self.catalogue().is_met(need, &given.levels);
            let new: Vec<Need> = implied.filter(is_new).collect();
            if new.is_empty() {
                break;
            }
            raise(&mut given.levels, new.into_iter().map(|it| (it.path, it.level)).collect());
        }
    }
}

/// What sources grant and state, each by itself, with all that is implied by it:
/// restrictions, gates, forbids, tiers and terms aside.
#[derive(Clone, Default)]
struct Given {
    levels: Levels,
    /// By attribute.
    bounds: BTreeMap<String, Vec<Value>>,
}

impl Given {
    /// Returns `true` if a value passes one of the bounds on an attribute.
    fn passes(&self, attribute: &str, of: &str, value: &Value, today: Option<Today>) -> bool {
        let mut bounds = self.bounds.get(attribute).into_iter().flatten();
        bounds.any(|bound| passes(bound, of, Some(value), today))
    }
}

fn collect(permissions: &Value, features: &mut BTreeSet<String>) {
    for node in permissions.as_array().into_iter().flatten() {
        features.extend(node["feature"].as_str().map(str::to_owned));
        collect(&node["children"], features);
    }
}

fn raise(levels: &mut Levels, more: Levels) {
    for (path, level) in more {
        let known = levels.entry(path).or_default();
        *known = level.max(*known);
    }
}

/// Values of attributes, on some days.
fn situations() -> impl Iterator<Item = (Value, Option<Today>)> {
    let days = ["2024-02-28", "2026-11-18", "2026-11-20", "2026-11-21"];
    let dates =
        ["2024-02-29", "2024-03-02", "2026-11-19", "2026-11-20", "2026-11-23", "2026-11-29"];
    let numbers = [0, 10, 11, 1000, 1001, -5, -6, i64::MAX, i64::MIN].map(Value::from);
    let texts = ["north", "south", "east", "", "west"].into_iter().chain(dates).map(Value::from);
    let values = texts.chain(numbers).chain([true, false].map(Value::from));
    values.flat_map(move |value| days.map(|day| (value.clone(), Today::read(day))))
}

/// The end of a game.
pub struct End<'a> {
    pub attacked: &'a Value,
    /// The twin at first, and after each of the host's moves.
    pub twins: &'a [Value],
    pub attackers: &'a [String],
    pub world: &'a mut World,
    /// The users of whom only the weak law is asked; `None` means all.
    pub mixed: Option<&'a BTreeSet<String>>,
    /// The same licence all along.
    pub same_licence: bool,
    /// The number of answers that were yes.
    pub yes: u64,
}

impl End<'_> {
    /// Finds something that a user may do in the end and should not.
    pub fn violation(&mut self, rng: &mut Rng, samples: usize) -> Option<String> {
        self.weak().or_else(|| {
            let licensed = !self.same_licence || rng.u8(..4) > 0;
            self.strong(rng, samples, if licensed { Judge::licensed } else { Judge::new })
        })
    }

    /// Finds something that a user has in the end, or a value that passes a bound which one of
    /// the user's sources states then, that in the twin no source gave to that user or to an
    /// attacker.
    fn weak(&self) -> Option<String> {
        let attacked = Judge::licensed(self.attacked);
        let twins: Vec<Judge> = self.twins.iter().map(Judge::licensed).collect();
        let mut to_attackers = Given::default();
        for twin in &twins {
            self.attackers.iter().for_each(|name| twin.give(name, &mut to_attackers));
        }
        for (user, entry) in &attacked.policy.users {
            if is_true(entry, "admin") {
                continue;
            }
            let (mut now, mut before) = (Given::default(), to_attackers.clone());
            attacked.give(user, &mut now);
            twins.iter().for_each(|twin| twin.give(user, &mut before));
            let person = attacked.person(user, user)?;
            for (path, level) in attacked.had(user, &person) {
                if before.levels.get(&path).is_none_or(|&before| before < level) {
                    return Some(format!("`{user}` has `{path}` at {level}"));
                }
            }
            for (attribute, of) in &self.world.attributes {
                let gained = situations().find(|(value, today)| {
                    now.passes(attribute, of, value, *today)
                        && !before.passes(attribute, of, value, *today)
                });
                if let Some((value, _)) = gained {
                    return Some(format!("{value} passes a bound of `{user}` on `{attribute}`"));
                }
            }
        }
        None
    }

    /// Finds something that a user may do in the end with an object on a day, and that in the
    /// twin neither the user nor one of that name with the entry of an attacker may do.
    fn strong(
        &mut self,
        rng: &mut Rng,
        samples: usize,
        judge: fn(&Value) -> Judge,
    ) -> Option<String> {
        let mixed = self.mixed?;
        let attacked = judge(self.attacked);
        let twins: Vec<Judge> = self.twins.iter().map(judge).collect();
        self.world.users = self.attacked["users"].as_object().cloned().unwrap_or_default();
        self.world.groups = self.attacked["groups"].as_object().cloned().unwrap_or_default();
        let objects = self.attacked["catalogue"]["objects"].as_object();
        self.world.objects = objects.cloned().unwrap_or_default();
        for (user, entry) in &attacked.policy.users {
            if is_true(entry, "admin") || mixed.contains(user) {
                continue;
            }
            let person = attacked.person(user, user)?;
            let had = attacked.had(user, &person);
            let mut others: Vec<(&Judge, Person)> = Vec::new();
            for twin in &twins {
                let names = self.attackers.iter().filter(|name| *name != user).chain([user]);
                others.extend(names.filter_map(|it| Some((twin, twin.person(user, it)?))));
            }
            for name in &self.world.needs.clone() {
                let Some(need) = attacked.catalogue().need(name) else { continue };
                if !attacked.catalogue().is_met(&need, &had) {
                    continue;
                }
                for _ in 0..samples {
                    let object = self.object(rng, user, name);
                    let day = *rng.choice(&DAYS)?;
                    let today = day.and_then(Today::read);
                    let asked = Asked { object: object.as_ref(), today };
                    if !person.why(&attacked.policy, &need, asked).is_yes() {
                        continue;
                    }
                    self.yes += 1;
                    let may = |(twin, other): &(&Judge, Person)| {
                        other.why(&twin.policy, &need, asked).is_yes()
                    };
                    if !others.iter().rev().any(may) {
                        let question = json!({"can": {
                            "user": user, "action": name, "object": object, "today": day}});
                        return Some(question.to_string());
                    }
                }
            }
        }
        None
    }

    /// An object of the kind of a permission, if it has one.
    fn object(&self, rng: &mut Rng, user: &str, permission: &str) -> Option<Value> {
        let kind = self.world.kind_of(permission)?;
        let hand = hand(rng);
        let mut dice = Dice::new(&hand);
        if dice.chance(5) || !self.world.objects.contains_key(kind) {
            return None;
        }
        let mut object = question::object(&mut dice, self.world, user, kind);
        let assignments: Vec<&Value> =
            entries(&self.world.users[user]["assignments"]).map(|(_, it)| it).collect();
        if !assignments.is_empty() && dice.chance(60) {
            let assignment = *dice.pick(&assignments);
            question::fit(&mut dice, self.world, assignment, &mut object);
        }
        let declared = &self.world.objects[kind];
        let is_declared =
            |part: &str| entries(&object[part]).all(|(name, _)| declared[part].get(name).is_some());
        let is_known =
            object["kind"] == *kind && is_declared("relations") && is_declared("attributes");
        is_known.then_some(object)
    }
}

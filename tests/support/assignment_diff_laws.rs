//! Diffs of users who may have assignments, compared with the answers of the two engines.
//!
//! Here objects and days are drawn, from what the two policies name: a difference that is
//! found must be in the diff, and for what is in the diff a difference should be found.

use std::collections::BTreeSet;

use grantree::diff::{BeforeAfter, Diff, Extent, PermissionChange, Shift};
use grantree::object::{DynamicObject, Value as Attribute};
use grantree::{Date, Document, Engine, Moment, Policy};
use serde_json::Value;

/// How many objects and days are drawn for each permission of a user, and how many more to
/// find a difference that the diff tells of.
const DRAWN: usize = 120;
const DRAWN_TO_CONFIRM: usize = 6000;

/// How often things were found.
#[derive(Debug, Default)]
pub struct Tally {
    pub diffs: u32,
    pub told: u32,
    /// Told changes for which no difference was found.
    pub unconfirmed: u32,
}

/// A policy as an engine, if it is valid.
pub fn engine_of(policy: &Value) -> Option<Engine> {
    let document: Document = serde_json::from_value(policy.clone()).ok()?;
    Some(Engine::new(&Policy::try_from(document).ok()?))
}

/// A diff tells of every difference in what users may do, and hardly of anything else.
pub fn a_diff_tells_what_differs(policies: [&Value; 2], tally: &mut Tally) {
    let [Some(before), Some(after)] = policies.map(engine_of) else { return };
    let diff = before.diff(&after);
    assert!(diff.names.is_empty(), "{diff}");
    tally.diffs += u32::from(!diff.is_empty());
    let users = policies.iter().flat_map(|it| it["users"].as_object()).flat_map(|it| it.keys());
    let users: BTreeSet<&String> = users.collect();
    let pool = Pool::new(policies);
    for user in users {
        let law = Law { user, engines: [&before, &after], diff: &diff, pool: &pool, policies };
        let mut random = fastrand::Rng::with_seed(7);
        let permissions = policies[0]["catalogue"]["permissions"].as_array();
        for node in permissions.into_iter().flatten() {
            law.permissions("", node, None, &mut random, tally);
        }
    }
}

struct Law<'l> {
    user: &'l str,
    engines: [&'l Engine; 2],
    diff: &'l Diff,
    pool: &'l Pool,
    policies: [&'l Value; 2],
}

/// What was found of a permission.
#[derive(Default)]
struct Found {
    lost: Option<String>,
    gained: Option<String>,
    kept: bool,
    levels: BTreeSet<[Option<String>; 2]>,
}

impl Law<'_> {
    /// Checks a permission and those beneath it.
    fn permissions(
        &self,
        base: &str,
        node: &Value,
        kind: Option<&str>,
        random: &mut fastrand::Rng,
        tally: &mut Tally,
    ) {
        let path = format!("{base}{}", node["key"].as_str().expect("a key"));
        let kind = node["object"].as_str().or(kind);
        if node["heading"] != true {
            let levels = node["levels"].as_array().into_iter().flatten().skip(1);
            let levels = levels.map(|level| format!("{path}:{}", level.as_str().expect("a level")));
            let names: Vec<String> = std::iter::once(path.clone()).chain(levels).collect();
            self.permission(&names, kind, random, tally);
        }
        for scope in node["scopes"].as_array().into_iter().flatten() {
            let scope = format!("{path}.{}", scope["key"].as_str().expect("a key"));
            self.permission(&[scope], kind, random, tally);
        }
        for child in node["children"].as_array().into_iter().flatten() {
            self.permissions(&format!("{path}."), child, kind, random, tally);
        }
    }

    fn permission(
        &self,
        names: &[String],
        kind: Option<&str>,
        random: &mut fastrand::Rng,
        tally: &mut Tally,
    ) {
        let told = self.told(&names[0]);
        let shift = told.map_or(Shift::Same, |told| told.shift);
        let mut found = Found::default();
        for _ in 0..DRAWN {
            self.ask(names, kind, random, &mut found);
        }
        let about = |found: &Found| {
            format!(
                "`{}` of `{}`: lost {:?}, gained {:?}, kept {}, told {told:?}\n{}\n{}",
                names[0],
                self.user,
                found.lost,
                found.gained,
                found.kept,
                self.policies[0],
                self.policies[1],
            )
        };
        let loses = matches!(shift, Shift::Lost | Shift::Fewer | Shift::Other);
        let gains = matches!(shift, Shift::Gained | Shift::More | Shift::Other);
        let keeps = !matches!(shift, Shift::Gained | Shift::Lost);
        assert!(found.lost.is_none() || loses, "{}", about(&found));
        assert!(found.gained.is_none() || gains, "{}", about(&found));
        assert!(!found.kept || keeps, "{}", about(&found));
        let some = |at: usize, name: &String| {
            let engine = self.engines[at];
            let action = engine.permission(name).expect("a permission");
            engine.user(self.user).is_ok_and(|user| engine.can_some(user, action))
        };
        let effective = [0, 1].map(|at| {
            let user = self.engines[at].user(self.user);
            let held = user.map(|user| self.engines[at].effective(user)).unwrap_or_default();
            held.into_iter().any(|held| held.path() == names[0])
        });
        let versus =
            |[before, after]: [bool; 2]| (before != after).then_some(BeforeAfter { before, after });
        let levels_differ = found.levels.iter().any(|[before, after]| before != after);
        let menus_differ = names.iter().any(|name| some(0, name) != some(1, name));
        let differs = menus_differ || effective[0] != effective[1] || levels_differ;
        assert!(!differs || told.is_some(), "{}", about(&found));
        let Some(told) = told else { return };
        tally.told += 1;
        assert_eq!(
            told.can_some,
            versus([some(0, &names[0]), some(1, &names[0])]),
            "{}",
            about(&found)
        );
        assert_eq!(told.effective, versus(effective), "{}", about(&found));
        let mut left = DRAWN_TO_CONFIRM;
        let is_confirmed = |found: &Found| {
            let level = told.level.as_ref();
            loses == found.lost.is_some()
                && gains == found.gained.is_some()
                && (found.kept || !matches!(shift, Shift::More | Shift::Fewer))
                && level
                    .is_none_or(|it| found.levels.contains(&[it.before.clone(), it.after.clone()]))
        };
        while left > 0 && !is_confirmed(&found) {
            self.ask(names, kind, random, &mut found);
            left -= 1;
        }
        assert!(found.lost.is_none() || loses, "{}", about(&found));
        assert!(found.gained.is_none() || gains, "{}", about(&found));
        if !is_confirmed(&found) {
            tally.unconfirmed += 1;
            if std::env::var("UNCONFIRMED").is_ok() {
                println!("{} levels {:?}\n", about(&found), found.levels);
            }
        } else if shift == Shift::Same {
            assert!(differs || told.level.is_some(), "{}", about(&found));
        }
        Self::is_shown(told);
    }

    /// Asks about an object on a day.
    fn ask(
        &self,
        names: &[String],
        kind: Option<&str>,
        random: &mut fastrand::Rng,
        found: &mut Found,
    ) {
        let object = kind
            .filter(|_| random.u8(..) > 12)
            .map(|kind| self.pool.object(kind, self.user, random));
        let today = self.pool.today(random);
        for name in names {
            let [was, is] = self.engines.map(|engine| {
                let action = engine.permission(name).expect("a permission");
                let on = (object.as_ref(), today);
                engine.user(self.user).is_ok_and(|user| engine.can(user, action, on))
            });
            found.kept |= was && is;
            let about = || format!("{name} on {object:?} on {today:?}");
            if was && !is {
                found.lost.get_or_insert_with(about);
            }
            if is && !was {
                found.gained.get_or_insert_with(about);
            }
        }
        if names.len() > 1 {
            found.levels.insert(self.engines.map(|engine| {
                let user = engine.user(self.user).unwrap_or(grantree::User::NOBODY);
                let permission = engine.permission(&names[0]).expect("a permission");
                engine.level(user, permission, today).map(str::to_owned)
            }));
        }
    }

    fn told(&self, path: &str) -> Option<&PermissionChange> {
        let group = self.diff.of(self.user).next()?;
        group.permissions.iter().find(|change| change.permission.name == path)
    }

    /// The objects that are shown match what is said about them.
    fn is_shown(told: &PermissionChange) {
        let BeforeAfter { before, after } = &told.on;
        let is_nothing = [before, after].map(|extent| *extent == Extent::Nothing);
        match told.shift {
            Shift::Gained => assert!(!is_nothing[1], "{told:?}"),
            Shift::Lost => assert!(!is_nothing[0], "{told:?}"),
            Shift::More | Shift::Fewer | Shift::Other => {
                assert_eq!(is_nothing, [false, false], "{told:?}");
            }
            Shift::Same => {}
        }
    }
}

/// Everything that questions can be made of.
struct Pool {
    kinds: serde_json::Map<String, Value>,
    names: Vec<String>,
    texts: Vec<String>,
    integers: Vec<i64>,
    dates: Vec<Date>,
    todays: Vec<Moment>,
}

impl Pool {
    fn new(policies: [&Value; 2]) -> Pool {
        let mut found = BTreeSet::new();
        let (mut texts, mut integers) = (BTreeSet::new(), BTreeSet::from([0, i64::MIN, i64::MAX]));
        for policy in policies {
            literals(policy, &mut texts, &mut integers);
            for part in ["groups", "users"] {
                found
                    .extend(policy[part].as_object().into_iter().flat_map(|it| it.keys()).cloned());
            }
            literals_of_groups(policy, &mut found);
        }
        let moments: Vec<Moment> = texts.iter().filter_map(|text| text.parse().ok()).collect();
        let mut todays: Vec<Moment> = Vec::new();
        let mut dates: BTreeSet<Date> = BTreeSet::new();
        for moment in moments {
            todays.extend([moment; 20]);
            let around = super::days::around(moment.date(), -9, 9);
            for &day in &around {
                todays.push(day.into());
                todays.extend(
                    [day.at(0, 0, 0), day.at(12, 0, 0), day.at(23, 59, 59)].into_iter().flatten(),
                );
            }
            // Oftener those next to it.
            for day in super::days::around(moment.date(), -1, 1) {
                todays.extend([Moment::from(day); 8]);
            }
            dates.extend(around);
        }
        let names: Vec<String> = found.into_iter().chain(["nobody at all".to_owned()]).collect();
        let integers: BTreeSet<i64> = integers
            .into_iter()
            .flat_map(|it: i64| [it.saturating_sub(1), it, it.saturating_add(1)])
            .collect();
        let kinds = policies[0]["catalogue"]["objects"].as_object().cloned().unwrap_or_default();
        Pool {
            kinds,
            names,
            texts: texts.into_iter().filter(|text| text.len() < 8).collect(),
            integers: integers.into_iter().collect(),
            dates: dates.into_iter().collect(),
            todays,
        }
    }

    fn today(&self, random: &mut fastrand::Rng) -> Option<Moment> {
        random.choice(&self.todays).copied().filter(|_| random.u8(..) > 25)
    }

    fn object(&self, kind: &str, user: &str, random: &mut fastrand::Rng) -> DynamicObject {
        let mut object = DynamicObject::new(kind);
        let declared = &self.kinds[kind];
        for name in declared["relations"].as_object().into_iter().flat_map(|it| it.keys()) {
            let count = match random.u8(..) {
                0..16 => continue,
                16..40 => 0,
                40..160 => 1,
                160..230 => 2,
                _ => 3,
            };
            let names = (0..count).map(|_| match random.u8(..) {
                0..60 => user.to_owned(),
                _ => random.choice(&self.names).expect("a name").clone(),
            });
            object = object.with_relation(name, names.collect::<Vec<_>>());
        }
        for (name, of) in declared["attributes"].as_object().into_iter().flatten() {
            let value = match of.as_str().expect("a type") {
                "one_of" => random.choice(&self.texts).map(|text| Attribute::Text(text)),
                "flag" => Some(Attribute::Boolean(random.bool())),
                "at_most" | "at_least" => {
                    random.choice(&self.integers).map(|&it| Attribute::Integer(it))
                }
                _ => random.choice(&self.dates).map(|&it| Attribute::Date(it)),
            };
            if let Some(value) = value.filter(|_| random.u8(..) > 15) {
                object = object.with_attribute(name, value);
            }
        }
        object
    }
}

fn literals(value: &Value, texts: &mut BTreeSet<String>, integers: &mut BTreeSet<i64>) {
    match value {
        Value::String(text) => drop(texts.insert(text.clone())),
        Value::Number(number) => integers.extend(number.as_i64()),
        Value::Array(all) => all.iter().for_each(|it| literals(it, texts, integers)),
        Value::Object(all) => all.values().for_each(|it| literals(it, texts, integers)),
        _ => {}
    }
}

/// The names in users' groups and in `on`.
fn literals_of_groups(policy: &Value, names: &mut BTreeSet<String>) {
    let mut integers = BTreeSet::new();
    for user in policy["users"].as_object().into_iter().flat_map(|it| it.values()) {
        literals(&user["groups"], names, &mut integers);
        for assignment in user["assignments"].as_object().into_iter().flat_map(|it| it.values()) {
            literals(&assignment["on"], names, &mut integers);
        }
    }
}

/// Another policy with the catalogue of the first, whose sources and assignments are
/// exchanged, or whose terms are others.
pub fn exchanged(policy: &Value, seed: u64) -> Value {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut other = policy.clone();
    for _ in 0..=random.usize(..4) {
        exchange(&mut other, &mut random);
    }
    other
}

fn exchange(policy: &mut Value, random: &mut fastrand::Rng) {
    let names = |policy: &Value, part: &str| -> Vec<String> {
        policy[part].as_object().map(|it| it.keys().cloned().collect()).unwrap_or_default()
    };
    let users = names(policy, "users");
    let [Some(one), Some(other)] = [(); 2].map(|()| random.choice(&users).cloned()) else { return };
    let assigned = |policy: &Value, user: &str| -> Vec<String> {
        policy["users"][user]["assignments"]
            .as_object()
            .map(|it| it.keys().cloned().collect())
            .unwrap_or_default()
    };
    let mine = random.choice(assigned(policy, &one)).unwrap_or_default();
    match random.u8(..10) {
        0 => {
            let assignments = policy["users"][&other].get("assignments").cloned();
            if let Some(assignments) = assignments {
                policy["users"][&one]["assignments"] = assignments;
            }
        }
        1 if !mine.is_empty() => {
            let days = ["2026-11-19", "2026-11-20", "2026-11-20T12:00", "2024-03-01", "2027-01-01"];
            let side = *random.choice(&["from", "until"]).expect("one");
            policy["users"][&one]["assignments"][&mine][side] =
                (*random.choice(&days).expect("one")).into();
        }
        2 if !mine.is_empty() => {
            let assignment = policy["users"][&one]["assignments"][&mine].as_object_mut();
            assignment
                .expect("an assignment")
                .remove(*random.choice(&["from", "until", "on"]).expect("one"));
        }
        3 if !mine.is_empty() => {
            let theirs = random.choice(assigned(policy, &other)).unwrap_or_default();
            if let Some(on) = policy["users"][&other]["assignments"][&theirs].get("on").cloned() {
                policy["users"][&one]["assignments"][&mine]["on"] = on;
            }
        }
        // A role from the ordinary sources into an assignment, or back.
        4 if !mine.is_empty() => {
            let roles = policy["users"][&one].as_object_mut().expect("a user").remove("roles");
            let assignment = &mut policy["users"][&one]["assignments"][&mine];
            if let Some(roles) = roles {
                assignment["roles"] = roles;
            }
        }
        5 if !mine.is_empty() => {
            if let Some(roles) = policy["users"][&one]["assignments"][&mine].get("roles").cloned() {
                policy["users"][&one]["roles"] = roles;
            }
        }
        6 => {
            let roles = names(policy, "roles");
            let [Some(role), Some(from)] = [(); 2].map(|()| random.choice(&roles).cloned()) else {
                return;
            };
            for part in ["allow", "deny", "except", "bounds", "levels"] {
                if let Some(part_of) = policy["roles"][&from].get(part).cloned() {
                    policy["roles"][&role][part] = part_of;
                }
            }
        }
        7 => {
            if let Some(groups) = policy["users"][&other].get("groups").cloned() {
                policy["users"][&one]["groups"] = groups;
            }
        }
        8 => {
            let groups = names(policy, "groups");
            if let Some(group) = random.choice(&groups) {
                policy["groups"][group].as_object_mut().expect("a group").remove("parent");
            }
        }
        _ if !mine.is_empty() => {
            let assignments = policy["users"][&one]["assignments"].as_object_mut();
            assignments.expect("assignments").remove(&mine);
        }
        _ => {}
    }
}

/// The same policy, with other names of assignments, in another order.
pub fn renamed(policy: &Value) -> Value {
    let mut other = policy.clone();
    for user in other["users"].as_object_mut().into_iter().flat_map(|it| it.values_mut()) {
        if let Some(assignments) = user.get_mut("assignments").and_then(Value::as_object_mut) {
            let all = std::mem::take(assignments).into_iter().rev();
            let renamed: Vec<_> = all.enumerate().collect();
            assignments
                .extend(renamed.into_iter().map(|(at, (_, it))| (format!("number {at}"), it)));
        }
    }
    other
}

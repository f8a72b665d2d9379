//! Random moves of the attackers and of the host.

use std::iter;

use serde_json::{Map, Value, json};

use support::random::assignment::assignment;
use support::random::dice::Dice;
use support::random::names;
use support::random::source::{pattern, state};
use support::random::world::{PLAIN_GROUP, STRANGER, TODAYS, World, bound};

/// A change, by whom it is asked (by the host, where by nobody), and on which day.
#[derive(Clone, Debug)]
pub struct Move {
    pub actor: Option<String>,
    pub change: Value,
    pub today: Option<&'static str>,
}

/// The host in one game.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// Gives nothing to those who are users already, and takes nothing from them.
    Aloof,
    /// Gives and takes, but not to and from attackers.
    Kind,
    /// Gives and takes.
    Generous,
}

/// Names of what attackers make.
const NEW: [&str; 4] = ["lead", "night", "role0", "profile1"];
const NEW_USERS: [&str; 3] = ["eve", "mallory", STRANGER];
const FAR: [&str; 3] = ["2027-01-01", "2030-06-01", "2026-12-01T08:00"];

/// The policy as it stands, for whoever draws a move.
pub struct Board<'a> {
    pub document: &'a Value,
    /// The other one of the game and its twin.
    pub other: &'a Value,
    pub world: &'a mut World,
    /// The accounts of the attackers.
    pub controlled: &'a [String],
}

impl<'a> Board<'a> {
    pub fn new(
        [document, other]: [&'a Value; 2],
        world: &'a mut World,
        controlled: &'a [String],
    ) -> Board<'a> {
        let map = |name: &str| document[name].as_object().cloned().unwrap_or_default();
        world.profiles = names(&map("profiles"));
        world.roles = map("roles");
        world.approval_groups = names(&map("approval_groups"));
        world.groups = map("groups");
        world.users = map("users");
        Board { document, other, world, controlled }
    }

    fn user(&self, dice: &mut Dice<'_>) -> String {
        let all = names(&self.world.users);
        if dice.chance(45) && !self.controlled.is_empty() {
            return dice.pick(self.controlled).clone();
        }
        dice.pick(&all).clone()
    }

    fn names_of(&self, kind: &str) -> Vec<String> {
        match kind {
            "profile" => self.world.profiles.clone(),
            "role" => names(&self.world.roles),
            _ => self.world.approval_groups.clone(),
        }
    }

    /// A known profile, role or approval group.
    fn source(&self, dice: &mut Dice<'_>) -> (&'static str, String) {
        let kind = dice.weigh(&[(60, "role"), (28, "profile"), (12, "approval_group")]);
        let known = self.names_of(kind);
        if known.is_empty() {
            (kind, "role0".to_owned())
        } else {
            (kind, dice.pick(&known).clone())
        }
    }

    fn groups(&self) -> Vec<String> {
        names(&self.world.groups).into_iter().chain([PLAIN_GROUP.to_owned()]).collect()
    }

    /// A change that an attacker asks for.
    pub fn attack(&self, dice: &mut Dice<'_>, actor: &str, held: &[String]) -> Value {
        let form = dice.weigh(&[
            (27, "edit"),
            (9, "create"),
            (5, "rename"),
            (6, "delete"),
            (9, "add_user"),
            (1, "remove_user"),
            (14, "assign"),
            (6, "revoke"),
            (3, "transfer"),
            (18, "set_assignment"),
            (2, "expire"),
            (4, "set_default_profile"),
            (1, "set_admin"),
            (2, "set_suspended"),
            (6, "set_groups"),
            (6, "set_group"),
            (1, "set_licence"),
            (9, "import"),
        ]);
        let change = match form {
            "edit" => self.edit(dice, actor, held),
            "create" => {
                let (kind, known) = self.source(dice);
                let mut create = json!({"source": {kind: dice.pick(&NEW)}});
                if dice.chance(60) {
                    create["from"] = json!({kind: known});
                }
                create
            }
            "rename" if dice.chance(10) => {
                json!({"source": {"user": self.user(dice)}, "to": dice.pick(&NEW_USERS)})
            }
            "rename" => {
                let (kind, name) = self.source(dice);
                json!({"source": {kind: name}, "to": dice.pick(&NEW)})
            }
            "delete" => self.delete(dice),
            "add_user" => self.newcomer(dice),
            "remove_user" => json!({"user": self.user(dice)}),
            "assign" => self.give(dice),
            "revoke" => {
                let user = self.user(dice);
                json!({"user": user, "source": self.held(dice, &user)})
            }
            "transfer" => {
                let unique = self.world.roles.iter().filter(|(_, role)| role["unique"] == true);
                let unique: Vec<&String> = unique.map(|(name, _)| name).collect();
                if unique.is_empty() {
                    return json!({"assign": self.give(dice)});
                }
                json!({"role": dice.pick(&unique), "to": self.user(dice)})
            }
            "set_assignment" => self.assign(dice),
            "expire" => json!({"before": dice.pick(&TODAYS)}),
            "set_default_profile" => {
                let profiles = &self.world.profiles;
                let profile = (!profiles.is_empty()).then(|| dice.pick(profiles));
                json!({"profile": profile})
            }
            "set_admin" => json!({"user": self.user(dice), "admin": dice.chance(60)}),
            "set_suspended" => json!({"user": self.user(dice), "suspended": dice.chance(35)}),
            "set_groups" => {
                json!({"user": self.user(dice), "groups": dice.some(&self.groups(), 2)})
            }
            "set_group" => {
                let groups = self.groups();
                let parent = dice.chance(60).then(|| dice.pick(&groups));
                json!({"group": dice.pick(&groups), "parent": parent})
            }
            "set_licence" => json!({"features": []}),
            _ => self.import(dice),
        };
        json!({ form: change })
    }

    fn edit(&self, dice: &mut Dice<'_>, actor: &str, held: &[String]) -> Value {
        let source = match dice.weigh(&[(50, 0), (30, 1), (12, 2), (8, 3)]) {
            0 => {
                let (kind, name) = self.source(dice);
                json!({ kind: name })
            }
            1 => json!({"user": self.user(dice)}),
            2 => json!("global"),
            _ => json!({ "user": actor }),
        };
        let count = dice.weigh(&[(60, 1), (30, 2), (10, 3)]);
        let ops: Vec<Value> = (0..count).map(|_| self.op(dice, &source, held)).collect();
        json!({"source": source, "ops": ops, "cascade": dice.chance(25)})
    }

    fn op(&self, dice: &mut Dice<'_>, source: &Value, held: &[String]) -> Value {
        let world = &*self.world;
        let mut path = pattern(dice, world).unwrap_or_default();
        if dice.chance(40) && !held.is_empty() {
            path.clone_from(dice.pick(held));
        }
        let exact = if world.exact.is_empty() { &path } else { dice.pick(&world.exact) };
        let roles = names(&world.roles);
        match dice.weigh(&[
            (30, "allow"),
            (9, "level"),
            (14, "clear"),
            (7, "except"),
            (5, "deny"),
            (5, "forbid"),
            (20, "bound"),
            (10, "set"),
        ]) {
            "level" if !world.graded.is_empty() => {
                let (patterns, levels) = dice.pick(&world.graded);
                json!({"level": {"path": dice.pick(patterns), "level": dice.pick(levels)}})
            }
            "clear" => json!({"clear": self.said(dice, source).unwrap_or(path)}),
            "except" => json!({ "except": exact }),
            "deny" => json!({ "deny": exact }),
            "forbid" => json!({ "forbid": exact }),
            "bound" if !world.attributes.is_empty() => {
                let (attribute, of) = dice.pick(&world.attributes);
                let bound = (!dice.chance(20)).then(|| bound(dice, of, true));
                json!({"bound": {"attribute": attribute, "bound": bound}})
            }
            "set" => match dice.weigh(&[(60, 0), (25, 1), (15, 2)]) {
                0 if source["role"].is_string() => {
                    json!({"set": {"includes": dice.some(&roles, 2)}})
                }
                1 if source["user"].is_null() => {
                    let guard = dice.chance(60).then(|| dice.some(&roles, 2));
                    json!({"set": {"assignable_by": guard}})
                }
                _ => json!({"set": {"label": "Label"}}),
            },
            _ => json!({ "allow": path }),
        }
    }

    /// A pattern of which a source says something.
    fn said(&self, dice: &mut Dice<'_>, source: &Value) -> Option<String> {
        let place = ["profile", "role", "approval_group", "user"].into_iter();
        let found = place.filter_map(|kind| Some((kind, source[kind].as_str()?))).next();
        let body = match found {
            Some((kind, name)) => &self.document[&*format!("{kind}s")][name],
            None => &self.document["global"],
        };
        let lists = ["allow", "except", "deny", "forbid"].into_iter();
        let texts = lists.flat_map(|list| body[list].as_array().into_iter().flatten());
        let levels = body["levels"].as_object().into_iter().flatten().map(|(path, _)| path.clone());
        let said: Vec<String> =
            texts.filter_map(|it| Some(it.as_str()?.to_owned())).chain(levels).collect();
        let said: Vec<String> = said.into_iter().filter(|path| path != "ask").collect();
        (!said.is_empty()).then(|| dice.pick(&said).clone())
    }

    fn delete(&self, dice: &mut Dice<'_>) -> Value {
        let (kind, name) = self.source(dice);
        let others = self.names_of(kind);
        let holders = match dice.weigh(&[(45, 0), (10, 1), (45, 2)]) {
            0 => json!("unassign"),
            1 => json!("refuse"),
            _ if others.is_empty() => json!("unassign"),
            _ => json!({"reassign": dice.pick(&others)}),
        };
        json!({"source": {kind: name}, "holders": holders})
    }

    fn newcomer(&self, dice: &mut Dice<'_>) -> Value {
        let mut user = self.statements(dice, 1);
        user.remove("settings");
        user.insert("user".to_owned(), json!(dice.pick(&NEW_USERS)));
        if dice.chance(40) {
            let profile = (!self.world.profiles.is_empty() && dice.chance(60))
                .then(|| dice.pick(&self.world.profiles));
            user.insert("profile".to_owned(), json!(profile));
        }
        if dice.chance(35) {
            user.insert("roles".to_owned(), json!(dice.some(&names(&self.world.roles), 2)));
        }
        if dice.chance(35) {
            user.insert("groups".to_owned(), json!(dice.some(&self.groups(), 1)));
        }
        if dice.chance(15) {
            user.insert("suspended".to_owned(), json!(true));
        }
        if dice.chance(35)
            && let Some(assignment) = self.assignment(dice)
        {
            user.insert("assignments".to_owned(), json!({"cover": assignment}));
        }
        user.into()
    }

    fn statements(&self, dice: &mut Dice<'_>, most: usize) -> Map<String, Value> {
        let mut source = Map::new();
        for _ in 0..dice.below(most + 1) {
            state(dice, self.world, &mut source, true);
        }
        source
    }

    fn give(&self, dice: &mut Dice<'_>) -> Value {
        let (kind, name) = self.source(dice);
        json!({"user": self.user(dice), "source": {kind: name}})
    }

    /// Mostly something that a user has.
    fn held(&self, dice: &mut Dice<'_>, user: &str) -> Value {
        let entry = &self.document["users"][user];
        let profile = entry["profile"].as_str().map(|name| json!({ "profile": name }));
        let mut held = Vec::from_iter(profile);
        for (list, kind) in [("roles", "role"), ("approval_groups", "approval_group")] {
            let names = entry[list].as_array().into_iter().flatten();
            held.extend(names.map(|name| json!({ kind: name })));
        }
        if held.is_empty() {
            let (kind, name) = self.source(dice);
            return json!({ kind: name });
        }
        dice.pick(&held).clone()
    }

    fn assign(&self, dice: &mut Dice<'_>) -> Value {
        let user = self.user(dice);
        let name = *dice.pick(&["cover", "one-off", "plan"]);
        let assignment = match dice.weigh(&[(50, 0), (40, 1), (10, 2)]) {
            0 => self.assignment(dice),
            1 => self.varied(dice).or_else(|| self.assignment(dice)),
            _ => None,
        };
        json!({"user": user, "name": name, "assignment": assignment})
    }

    fn assignment(&self, dice: &mut Dice<'_>) -> Option<Value> {
        let mut assignment = assignment(dice, self.world, iter::empty())?;
        self.postpone(dice, &mut assignment);
        Some(assignment)
    }

    /// Somebody's assignment, mostly with something more or less.
    fn varied(&self, dice: &mut Dice<'_>) -> Option<Value> {
        let users = self.world.users.values();
        let all = users.filter_map(|user| user["assignments"].as_object()).flatten();
        let all: Vec<&Value> = all.map(|(_, assignment)| assignment).collect();
        if all.is_empty() {
            return None;
        }
        let mut assignment = (*dice.pick(&all)).clone();
        let fields = assignment.as_object_mut()?;
        match dice.weigh(&[(15, 0), (15, 1), (15, 2), (15, 3), (15, 4), (20, 5), (20, 6)]) {
            6 => {
                let allowed = fields.get("allow").and_then(Value::as_array).cloned();
                let mut allowed = allowed.unwrap_or_default();
                let needed = allowed.first().and_then(|path| self.world.needed.get(path.as_str()?));
                allowed.extend(needed.into_iter().flatten().map(|path| json!(path)));
                allowed.dedup();
                fields.insert("allow".to_owned(), allowed.into());
            }
            1 => drop(fields.remove("until")),
            2 => drop(fields.remove("on")),
            3 => drop(fields.remove("bounds")),
            4 => {
                for (_, conditions) in
                    fields.get_mut("on").and_then(Value::as_object_mut).into_iter().flatten()
                {
                    *conditions = json!({});
                }
            }
            5 => {
                fields.insert("roles".to_owned(), json!(dice.some(&names(&self.world.roles), 2)));
            }
            _ => {}
        }
        self.postpone(dice, &mut assignment);
        Some(assignment)
    }

    /// Lets an assignment begin later.
    fn postpone(&self, dice: &mut Dice<'_>, assignment: &mut Value) {
        if dice.chance(20) {
            assignment["from"] = json!(dice.pick(&FAR));
            assignment.as_object_mut().expect("an object").remove("until");
        }
    }

    fn import(&self, dice: &mut Dice<'_>) -> Value {
        let mut bundle = json!({});
        for _ in 0..dice.weigh(&[(50, 1), (50, 2)]) {
            let (kind, known) = self.source(dice);
            let name = if dice.chance(55) { known } else { (*dice.pick(&NEW)).to_owned() };
            let map = format!("{kind}s");
            let here = self.document[&*map].get(&name).filter(|_| dice.chance(40));
            let mut source = here
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_else(|| self.statements(dice, 2));
            if dice.chance(30) {
                state(dice, self.world, &mut source, true);
            }
            let roles: Vec<String> =
                names(&self.world.roles).into_iter().chain(NEW.map(str::to_owned)).collect();
            if kind == "role" && dice.chance(40) {
                source.insert("includes".to_owned(), json!(dice.some(&roles, 2)));
            }
            if dice.chance(10) {
                source.insert("assignable_by".to_owned(), json!(dice.some(&roles, 2)));
            }
            bundle[map][name] = source.into();
        }
        let on_conflict = dice.weigh(&[(55, "replace"), (35, "rename"), (10, "refuse")]);
        json!({"bundle": bundle, "on_conflict": on_conflict})
    }

    /// A change that the host makes, about the policy without the attackers' moves: none that
    /// makes sources another thing than they were.
    pub fn host(&self, dice: &mut Dice<'_>, host: Host) -> Value {
        let generous = host == Host::Generous;
        let others: Vec<String> = names(&self.world.users)
            .into_iter()
            .filter(|name| generous || !self.controlled.contains(name))
            .filter(|name| name != "boss")
            .collect();
        if others.is_empty() {
            return json!({"add_user": {"user": "newton"}});
        }
        let user = dice.pick(&others).clone();
        let often = if generous { 12 } else { 0 };
        let gives = if host == Host::Aloof { 0 } else { 2 };
        let form = dice.weigh(&[
            (16, "set_licence"),
            (14, "set_suspended"),
            (10, "add_user"),
            (3, "remove_user"),
            (4, "expire"),
            (12, "set_admin"),
            (10 * gives, "assign"),
            (4 * gives, "revoke"),
            (8 * gives, "edit"),
            (3 * gives, "set_groups"),
            (often, "global"),
            (often, "forbid"),
            (often / 2, "set_group"),
        ]);
        match form {
            "set_licence" => {
                let features = ["planner", "portal", "api"].map(str::to_owned);
                json!({"set_licence": {"features": dice.some(&features, 3)}})
            }
            "set_suspended" => {
                let suspended = dice.chance(30);
                let users = if suspended { others } else { names(&self.world.users) };
                json!({"set_suspended": {"user": dice.pick(&users), "suspended": suspended}})
            }
            "add_user" => json!({"add_user": {"user": dice.pick(&["newton", "newell"])}}),
            "remove_user" => json!({"remove_user": {"user": user}}),
            "expire" => json!({"expire": {"before": dice.pick(&TODAYS)}}),
            "set_admin" => {
                let admins = self.world.users.iter().filter(|(_, user)| user["admin"] == true);
                let admins: Vec<&String> = admins.map(|(name, _)| name).collect();
                let admin = dice.pick(&admins);
                json!({"set_admin": {"user": admin, "admin": *admin == "boss"}})
            }
            "assign" => {
                let (kind, name) = self.touched(dice).unwrap_or_else(|| self.source(dice));
                json!({"assign": {"user": user, "source": {kind: name}}})
            }
            "revoke" => json!({"revoke": {"user": user, "source": self.held(dice, &user)}}),
            "edit" => {
                let source = json!({ "user": user });
                json!({"edit": {"source": source, "ops": [self.opening(dice, &source)]}})
            }
            "global" => {
                json!({"edit": {"source": "global", "ops": [self.opening(dice, &json!("global"))]}})
            }
            "forbid" => {
                let forbids = |(name, role): (&String, &Value)| {
                    let path = role["forbid"].as_array()?.first()?.clone();
                    let ops = [json!({ "clear": path })];
                    let lists = ["allow", "except", "deny"].into_iter();
                    let mut stated = lists.filter_map(|list| role[list].as_array()).flatten();
                    let is_alone = !stated.any(|it| *it == path);
                    is_alone.then(|| json!({"edit": {"source": {"role": name}, "ops": ops}}))
                };
                let forbids: Vec<Value> = self.world.roles.iter().filter_map(forbids).collect();
                if forbids.is_empty() {
                    return json!({"add_user": {"user": "newton"}});
                }
                dice.pick(&forbids).clone()
            }
            "set_groups" => {
                json!({"set_groups": {"user": user, "groups": dice.some(&self.groups(), 2)}})
            }
            _ => {
                let groups = self.groups();
                json!({"set_group": {"group": dice.pick(&groups), "parent": dice.pick(&groups)}})
            }
        }
    }

    /// Mostly a source that the attackers made or edited.
    fn touched(&self, dice: &mut Dice<'_>) -> Option<(&'static str, String)> {
        let mut touched = Vec::new();
        for (map, kind) in
            [("roles", "role"), ("profiles", "profile"), ("approval_groups", "approval_group")]
        {
            let sources = self.other[map].as_object().into_iter().flatten();
            let differing =
                sources.filter(|(name, source)| self.document[map].get(name) != Some(source));
            touched.extend(differing.map(|(name, _)| (kind, name.clone())));
        }
        (!touched.is_empty() && dice.chance(70)).then(|| dice.pick(&touched).clone())
    }

    /// Something that stands between a user and a permission that an attacker allowed somebody.
    fn gate(&self, dice: &mut Dice<'_>) -> Option<String> {
        let allowed = |source: &Value| -> Vec<String> {
            let allowed = source["allow"].as_array().into_iter().flatten();
            allowed.filter_map(|path| Some(path.as_str()?.to_owned())).collect()
        };
        let bodies = ["roles", "profiles", "users"].into_iter();
        let bodies = bodies.filter_map(|map| self.other[map].as_object()).flatten();
        let paths: Vec<String> = bodies.flat_map(|(_, source)| allowed(source)).collect();
        if paths.is_empty() {
            return None;
        }
        let needed = self.world.needed.get(dice.pick(&paths)).filter(|it| !it.is_empty())?;
        Some(dice.pick(needed).clone())
    }

    /// An op that opens a gate, or takes a restriction away.
    fn opening(&self, dice: &mut Dice<'_>, source: &Value) -> Value {
        let exact = &self.world.exact;
        if dice.chance(50)
            && let Some(gate) = self.gate(dice)
        {
            return json!({ "allow": gate });
        }
        match dice.weigh(&[(30, 0), (50, 1), (20, 2)]) {
            1 => json!({"clear": self.said(dice, source).unwrap_or_else(|| "**".to_owned())}),
            2 if !self.world.attributes.is_empty() => {
                let (attribute, _) = dice.pick(&self.world.attributes);
                json!({"bound": {"attribute": attribute, "bound": "any"}})
            }
            _ if exact.is_empty() => json!({"allow": "**"}),
            _ => json!({"allow": dice.pick(exact)}),
        }
    }
}

//! Random changes of sources.

use serde_json::{Value, json};

use super::super::dice::Dice;
use super::super::source::{pattern, push, state};
use super::super::world::bound;
use super::super::{Fields, names};
use super::{Drawing, one_of, texts};

// What comes into being has one of few names, so that names meet.
const NEW: [&str; 6] = ["lead", "a.b: \"c\"", "clerk", "role1", "profile_2", "approvers1"];
const NO_NAMES: [&str; 3] = ["no\tname", "", "a\u{85}b"];
const KINDS: [(&str, &str); 3] =
    [("role", "roles"), ("profile", "profiles"), ("approval_group", "approval_groups")];

impl Drawing<'_> {
    /// The word and the field of a kind of source.
    fn kind(dice: &mut Dice<'_>) -> (&'static str, &'static str) {
        KINDS[dice.weigh(&[(60, 0), (25, 1), (15, 2)])]
    }

    pub(super) fn names_of(&self, field: &str) -> Vec<String> {
        self.policy[field].as_object().map(names).unwrap_or_default()
    }

    /// A known profile, role or approval group, mostly of a kind of which there is one.
    pub(super) fn bundled(&self, dice: &mut Dice<'_>) -> Value {
        let (mut word, mut field) = Self::kind(dice);
        if self.names_of(field).is_empty() {
            (word, field) = KINDS[0];
        }
        if dice.chance(1) {
            return json!("global");
        }
        json!({word: one_of(dice, &self.names_of(field), "nope")})
    }

    /// A source to give: often one that the actor has.
    pub(super) fn offered(&self, dice: &mut Dice<'_>) -> Value {
        let own = held(&self.own().into());
        if !own.is_empty() && dice.chance(35) {
            dice.pick(&own).clone()
        } else {
            self.bundled(dice)
        }
    }

    pub(super) fn new_name(&self, dice: &mut Dice<'_>) -> String {
        let names: &[&str] = if dice.chance(3) { &NO_NAMES } else { &NEW };
        (*dice.pick(names)).to_owned()
    }

    pub(super) fn create(&self, dice: &mut Dice<'_>) -> Value {
        let (word, field) = Self::kind(dice);
        let mut create = json!({"source": {word: self.new_name(dice)}});
        if dice.chance(65) {
            let from = json!({word: one_of(dice, &self.names_of(field), "nope")});
            create["from"] = if dice.chance(3) { self.bundled(dice) } else { from };
        }
        create
    }

    pub(super) fn rename(&self, dice: &mut Dice<'_>) -> Value {
        if dice.chance(45) {
            let to = self.new_user(dice);
            return json!({"source": {"user": self.user(dice)}, "to": to});
        }
        let to = self.new_name(dice);
        json!({"source": self.bundled(dice), "to": to})
    }

    pub(super) fn delete(&self, dice: &mut Dice<'_>) -> Value {
        let source = self.bundled(dice);
        let field = KINDS.iter().find(|(word, _)| source.get(word).is_some());
        let others = field.map(|(_, field)| self.names_of(field)).unwrap_or_default();
        let holders = match dice.weigh(&[(45, 0), (15, 1), (40, 2)]) {
            0 => json!("unassign"),
            1 => return json!({"source": source}),
            _ => json!({"reassign": one_of(dice, &others, "nope")}),
        };
        json!({"source": source, "holders": holders})
    }

    pub(super) fn edit(&self, dice: &mut Dice<'_>) -> Value {
        let source = match dice.weigh(&[(55, 0), (32, 1), (13, 2)]) {
            0 => self.bundled(dice),
            1 => json!({"user": self.user(dice)}),
            _ => json!("global"),
        };
        let count = dice.weigh(&[(60, 1), (30, 2), (10, 3)]);
        let ops: Vec<Value> = (0..count).map(|_| self.op(dice, &source)).collect();
        json!({"source": source, "ops": ops, "cascade": dice.chance(50)})
    }

    fn op(&self, dice: &mut Dice<'_>, source: &Value) -> Value {
        let world = self.world;
        let said = self.said_of(source);
        let path = if said.is_empty() || !dice.chance(30) {
            self.path(dice)
        } else {
            dice.pick(&said).clone()
        };
        let op = dice.weigh(&[
            (34, "allow"),
            (10, "except"),
            (12, "deny"),
            (4, "forbid"),
            (12, "clear"),
            (8, "level"),
            (14, "bound"),
            (4, "setting"),
            (14, "set"),
        ]);
        match op {
            "level" if !world.graded.is_empty() => {
                let (patterns, levels) = dice.pick(&world.graded);
                let level = one_of(dice, levels, "nope");
                json!({"level": {"path": dice.pick(patterns), "level": level}})
            }
            "bound" if !world.attributes.is_empty() => {
                let (attribute, of) = dice.pick(&world.attributes);
                let bound = if dice.chance(20) { Value::Null } else { bound(dice, of, true) };
                let attribute = one_of(dice, std::slice::from_ref(attribute), "job.nope");
                json!({"bound": {"attribute": attribute, "bound": bound}})
            }
            "setting" if !world.settings.is_empty() => {
                let (setting, values) = dice.pick(&world.settings);
                let value = match dice.weigh(&[(80, 0), (15, 1), (5, 2)]) {
                    0 => dice.pick(values).clone(),
                    1 => Value::Null,
                    _ => json!("nope"),
                };
                let setting = one_of(dice, std::slice::from_ref(setting), "nope");
                json!({"setting": {"setting": setting, "value": value}})
            }
            "set" => json!({"set": self.set(dice, source)}),
            "level" | "bound" | "setting" => json!({"allow": path}),
            op => json!({op: path}),
        }
    }

    /// The patterns that a source names.
    fn said_of(&self, source: &Value) -> Vec<String> {
        let body = match source.as_object().and_then(|it| it.iter().next()) {
            None => &self.policy["global"],
            Some((word, name)) => {
                let field = KINDS.iter().find(|(known, _)| known == word);
                let field = field.map_or("users", |(_, field)| field);
                &self.policy[field][name.as_str().unwrap_or_default()]
            }
        };
        let lists = ["allow", "except", "deny", "forbid"].into_iter();
        let mut said: Vec<String> = lists.flat_map(|list| texts(body.get(list))).collect();
        said.extend(body["levels"].as_object().map(names).unwrap_or_default());
        said
    }

    /// A pattern, now and then one that names nothing or matches nothing.
    pub(super) fn path(&self, dice: &mut Dice<'_>) -> String {
        let odd = ["nope", "nope.**", "view..*", "", "view:full", "*.a", "view.edit.*", "1.*"];
        match pattern(dice, self.world) {
            Some(path) if !dice.chance(3) => path,
            _ if dice.chance(30) && !self.world.headings.is_empty() => {
                dice.pick(&self.world.headings).clone()
            }
            _ => (*dice.pick(&odd)).to_owned(),
        }
    }

    /// Mostly something that the source has.
    fn set(&self, dice: &mut Dice<'_>, source: &Value) -> Value {
        let roles = self.names_of("roles");
        let removes = dice.chance(15);
        let is_role = source.get("role").is_some() || dice.chance(4);
        let is_bundled = is_role || !(source == "global" || source.get("user").is_some());
        let (field, value) = match dice.weigh(&[(20, 0), (10, 1), (10, 2), (40, 3), (20, 4)]) {
            2 if is_bundled => ("template", json!(dice.chance(50))),
            3 if is_role => {
                let mut includes = dice.some(&roles, 2);
                includes.extend(dice.chance(3).then(|| "nope".to_owned()));
                ("includes", json!(includes))
            }
            4 if is_bundled => {
                let mut guard = dice.some(&roles, 2);
                guard.extend(dice.chance(3).then(|| "nope".to_owned()));
                ("assignable_by", json!(guard))
            }
            1 => ("description", json!("Ä text")),
            _ => ("label", json!("Label")),
        };
        json!({field: if removes { Value::Null } else { value }})
    }

    /// Some statements, few of which do not fit.
    pub(super) fn said(&self, dice: &mut Dice<'_>, most: usize) -> Fields {
        let mut said = Fields::new();
        for _ in 0..dice.below(most + 1) {
            state(dice, self.world, &mut said, true);
        }
        if dice.chance(3) {
            let path = self.path(dice);
            push(&mut said, "allow", Some(path));
        }
        said
    }

    /// Up to three sources, now and then with something that does not fit here.
    pub(super) fn import(&self, dice: &mut Dice<'_>) -> Value {
        let mut bundle = json!({});
        for _ in 0..dice.weigh(&[(50, 1), (35, 2), (15, 3)]) {
            let (word, field) = Self::kind(dice);
            let name = if dice.chance(55) {
                one_of(dice, &self.names_of(field), "lead")
            } else {
                self.new_name(dice)
            };
            // Now and then as it is here, as an export has it.
            let here = self.policy[field].get(&name).filter(|_| dice.chance(40));
            let source = here.cloned().unwrap_or_else(|| self.imported(dice, word == "role"));
            bundle[field][name] = source;
        }
        let on_conflict = dice.weigh(&[(45, "replace"), (35, "rename"), (20, "refuse")]);
        json!({"bundle": bundle, "on_conflict": on_conflict})
    }

    fn imported(&self, dice: &mut Dice<'_>, is_role: bool) -> Value {
        let mut roles = self.names_of("roles");
        roles.extend(NEW.map(str::to_owned));
        let mut source = self.said(dice, 2);
        if dice.chance(15) {
            // A path that permissions had before.
            let former = *dice.pick(&["gone", "gone.*", "gone.mine", "gone.view.**"]);
            let list = if dice.chance(60) { "allow" } else { "deny" };
            push(&mut source, list, Some(former.to_owned()));
        }
        let mut flag = |dice: &mut Dice<'_>, name: &str, often: usize| {
            if dice.chance(often) {
                source.insert(name.to_owned(), json!(true));
            }
        };
        flag(dice, "template", 5);
        flag(dice, "protected", 5);
        if is_role {
            flag(dice, "unique", 12);
            if dice.chance(40) {
                source.insert("includes".to_owned(), json!(dice.some(&roles, 2)));
            }
            if let Some(lower) = dice.some(&roles, 1).pop().filter(|_| dice.chance(12)) {
                source.insert("demoted_to".to_owned(), json!(lower));
            }
        }
        if dice.chance(18) {
            source.insert("assignable_by".to_owned(), json!(dice.some(&roles, 2)));
        }
        source.into()
    }
}

/// The profile, roles and approval groups of a user or an assignment.
pub fn held(holder: &Value) -> Vec<Value> {
    let profile = holder["profile"].as_str().map(|name| json!({"profile": name}));
    let roles = texts(holder.get("roles")).into_iter().map(|name| json!({"role": name}));
    let groups = texts(holder.get("approval_groups")).into_iter();
    let groups = groups.map(|name| json!({"approval_group": name}));
    profile.into_iter().chain(roles).chain(groups).collect()
}

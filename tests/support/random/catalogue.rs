//! Random catalogues and licences.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::dice::Dice;
use super::taste::Taste;
use super::world::{World, condition, some_of};
use super::{Fields, Hand};

// Some keys are the beginning of others, or sort before the dot or the colon: nothing may
// take `a-b` for something beneath `a`.
const KEYS: [&str; 8] = ["view", "edit", "a", "ab", "a-b", "B", "export", "1"];
const SCOPES: [&str; 4] = ["mine", "others", "team", "a_b"];
const KINDS: [&str; 3] = ["job", "order", "doc-2"];
const FEATURES: [&str; 3] = ["planner", "portal", "api"];

// The same level stands at different heights.
const LEVELS: [&[&str]; 4] = [
    &["none", "read_only"],
    &["hidden", "read_only", "read_write"],
    &["read_only", "hidden", "read_write"],
    &["none", "read_only", "read_write", "full"],
];

const RELATIONS: [(&str, &str); 3] =
    [("team", "group"), ("assignee", "user"), ("requester", "user")];

const ATTRIBUTES: [(&str, &str); 6] = [
    ("region", "one_of"),
    ("amount", "at_most"),
    ("floor", "at_least"),
    ("starts", "not_before"),
    ("ends", "not_after"),
    ("archived", "flag"),
];

const STATES: [&str; 3] = ["me", "other", "none"];

/// A node before the tree is put together. Its gates are among those before it.
struct Draft<'a> {
    node: Fields,
    above: Option<usize>,
    path: String,
    kind: Option<String>,
    form: Form,
    levels: Vec<String>,
    scopes: Vec<Fields>,
    /// Decides whatever may name any node, once all are there.
    dice: Dice<'a>,
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Plain,
    Graded,
    Scoped,
    Heading,
}

impl Draft<'_> {
    fn is_heading(&self) -> bool {
        self.form == Form::Heading
    }

    fn scope_path(&self, scope: &Fields) -> String {
        format!("{}.{}", self.path, scope["key"].as_str().expect("a key"))
    }

    /// The names by which it can be required, each with `true` if it can be implied: itself,
    /// its thresholds, its scopes.
    fn needs(&self) -> Vec<(String, bool)> {
        let mut needs = Vec::new();
        if !self.is_heading() {
            needs.push((self.path.clone(), self.form != Form::Scoped));
        }
        for level in self.levels.iter().skip(1) {
            needs.push((format!("{}:{level}", self.path), true));
        }
        for scope in &self.scopes {
            needs.push((self.scope_path(scope), true));
        }
        needs
    }
}

/// Reads the rolls of a catalogue.
pub fn read(
    taste: &'static Taste,
    misc: &mut Dice<'_>,
    kinds: &[Hand],
    nodes: &[Hand],
) -> (Value, World) {
    let kinds = KINDS.iter().zip(kinds);
    let mut objects: Fields =
        kinds.map(|(name, hand)| ((*name).to_owned(), object_kind(&mut Dice::new(hand)))).collect();
    // One kind at most stands for users.
    if misc.chance(10)
        && let Some(kind) = objects.values_mut().next_back()
    {
        *kind = json!({"stands_for": "users", "relations": {"self": "user", "group": "group"}});
    }
    let mut drafts: Vec<Draft<'_>> = Vec::new();
    let mut earlier = Earlier { taste, needs: Vec::new(), of_objects: Vec::new() };
    for hand in nodes {
        let draft = node(Dice::new(hand), &objects, &drafts, &earlier);
        for (need, _) in draft.needs() {
            earlier.push(need, draft.kind.is_some());
        }
        drafts.push(draft);
    }
    imply(taste, &mut drafts);
    let settings = settings(misc);
    let world = world(taste, &drafts, &objects, &settings);
    let catalogue = json!({
        "permissions": assemble(&drafts, None),
        "objects": objects,
        "settings": settings,
        "editions": editions(),
    });
    (catalogue, world)
}

fn object_kind(dice: &mut Dice<'_>) -> Value {
    let mut relations = Fields::new();
    for (name, of) in RELATIONS {
        if dice.chance(75) {
            relations.insert(name.to_owned(), json!(of));
        }
    }
    let mut attributes = Fields::new();
    for (name, of) in ATTRIBUTES {
        if dice.chance(50) {
            attributes.insert(name.to_owned(), json!(of));
        }
    }
    // The same name is an attribute of one kind and a relation of another.
    if dice.chance(8) {
        attributes.remove("region");
        relations.insert("region".to_owned(), json!("group"));
    }
    let mut kind = Fields::new();
    if dice.chance(18) {
        let checked = attributes.keys().next_back();
        kind.insert("checks".to_owned(), json!(Vec::from_iter(checked)));
    }
    kind.insert("relations".to_owned(), relations.into());
    kind.insert("attributes".to_owned(), attributes.into());
    kind.into()
}

fn fields(kind: &Value, name: &str) -> Vec<(String, String)> {
    let map = kind[name].as_object().into_iter().flatten();
    map.map(|(name, of)| (name.clone(), of.as_str().expect("a type").to_owned())).collect()
}

fn attribute_names(kind: &Value) -> Vec<String> {
    fields(kind, "attributes").into_iter().map(|(name, _)| name).collect()
}

fn node<'a>(
    mut dice: Dice<'a>,
    objects: &Fields,
    drafts: &[Draft<'_>],
    earlier: &Earlier,
) -> Draft<'a> {
    let taste = earlier.taste;
    // A scope and a child share one key space, and no keys are in both lists.
    let above = dice.below(drafts.len() + 1).checked_sub(1);
    let key = key(&mut dice, drafts, above);
    let path = match above {
        Some(above) => format!("{}.{key}", drafts[above].path),
        None => key.clone(),
    };
    let mut node = Fields::new();
    node.insert("key".to_owned(), json!(key));
    if dice.chance(6) {
        node.insert("feature".to_owned(), json!(dice.pick(&FEATURES)));
    }
    let [plain, graded, scoped, heading] = taste.forms;
    let weights = [
        (plain, Form::Plain),
        (graded, Form::Graded),
        (scoped, Form::Scoped),
        (heading, Form::Heading),
    ];
    let mut form = dice.weigh(&weights);
    if form == Form::Scoped && objects.is_empty() {
        form = Form::Plain;
    }
    let empty = (Vec::new(), Vec::new());
    if form == Form::Heading {
        node.insert("heading".to_owned(), json!(true));
        let (levels, scopes) = empty;
        return Draft { node, above, path, kind: None, form, levels, scopes, dice };
    }
    let kind = kind(&mut dice, objects, drafts, above, form, taste);
    if let Some((name, is_named)) = &kind
        && *is_named
    {
        node.insert("object".to_owned(), json!(name));
    }
    let kind = kind.map(|(name, _)| name);
    let object = kind.as_ref().map(|kind| &objects[kind]);
    if let Some(object) = object
        && dice.chance(taste.checks)
    {
        node.insert("checks".to_owned(), json!(dice.some_of(&attribute_names(object), 2)));
    }
    node.insert("requires".to_owned(), json!(earlier.requires(&mut dice)));
    if dice.chance(4) {
        node.insert("was".to_owned(), json!(["gone", "gone.view"]));
    }
    let (mut levels, mut scopes) = empty;
    if form == Form::Graded {
        levels = dice.pick(&LEVELS).iter().map(|level| (*level).to_owned()).collect();
    }
    if let Some(object) = object.filter(|_| form == Form::Scoped) {
        scopes = self::scopes(&mut dice, object, &path, earlier);
    }
    Draft { node, above, path, kind, form, levels, scopes, dice }
}

fn key(dice: &mut Dice<'_>, drafts: &[Draft<'_>], above: Option<usize>) -> String {
    let is_free = |key: &String| {
        let mut siblings = drafts.iter().filter(|draft| draft.above == above);
        siblings.all(|sibling| sibling.node["key"] != **key)
    };
    let first = dice.below(KEYS.len());
    let keys = (first..).map(|at| match KEYS.get(at) {
        Some(key) => (*key).to_owned(),
        None => format!("k{at}"),
    });
    keys.into_iter().find(is_free).expect("there are more keys than siblings")
}

/// The kind of a node, with `true` if the node names it.
fn kind(
    dice: &mut Dice<'_>,
    objects: &Fields,
    drafts: &[Draft<'_>],
    above: Option<usize>,
    form: Form,
    taste: &Taste,
) -> Option<(String, bool)> {
    let inherited = gate(drafts, above).and_then(|gate| drafts[gate].kind.clone());
    let names: Vec<&String> = objects.keys().collect();
    if names.is_empty() || !(form == Form::Scoped || dice.chance(taste.kind)) {
        return inherited.map(|kind| (kind, false));
    }
    // Mostly its gate parent's, so that gates are followed.
    match inherited {
        Some(kind) if dice.chance(60) => Some((kind, true)),
        _ => Some(((*dice.pick(&names)).clone(), true)),
    }
}

/// The permissions that a node may require: those before it.
#[derive(Clone)]
struct Earlier {
    taste: &'static Taste,
    needs: Vec<String>,
    of_objects: Vec<String>,
}

impl Earlier {
    fn push(&mut self, need: String, of_object: bool) {
        if of_object {
            self.of_objects.push(need.clone());
        }
        self.needs.push(need);
    }

    fn requires(&self, dice: &mut Dice<'_>) -> Vec<String> {
        if !dice.chance(self.taste.requires) {
            return Vec::new();
        }
        let of_object = dice.chance(self.taste.requires_object);
        dice.some_of(if of_object { &self.of_objects } else { &self.needs }, 2)
    }
}

fn scopes(dice: &mut Dice<'_>, kind: &Value, path: &str, earlier: &Earlier) -> Vec<Fields> {
    let mut earlier = earlier.clone();
    let count = dice.weigh(&[(40, 1), (35, 2), (25, 3)]);
    let mut scopes = Vec::new();
    for key in &SCOPES[..count] {
        let mut scope = Fields::new();
        scope.insert("key".to_owned(), json!(key));
        scope.insert("when".to_owned(), when(dice, kind));
        scope.insert("requires".to_owned(), json!(earlier.requires(dice)));
        if dice.chance(3) {
            scope.insert("was".to_owned(), json!(["gone.mine"]));
        }
        // A scope may require the scopes before it, too.
        earlier.push(format!("{path}.{key}"), true);
        scopes.push(scope);
    }
    scopes
}

/// The conditions of a scope, on relations and on attributes.
fn when(dice: &mut Dice<'_>, kind: &Value) -> Value {
    let mut when = Fields::new();
    let relations = fields(kind, "relations");
    let on_relations = dice.weigh(&[(65, 1), (25, 2), (10, 0)]);
    for (name, of) in some_of(dice, &relations, on_relations) {
        when.insert(name, states(dice, &of));
    }
    let on_attributes = dice.weigh(&[(60, 0), (30, 1), (10, 2)]);
    for (name, of) in some_of(dice, &fields(kind, "attributes"), on_attributes) {
        when.insert(name, condition(dice, &of));
    }
    when.into()
}

fn states(dice: &mut Dice<'_>, relation_type: &str) -> Value {
    let all = STATES.map(str::to_owned);
    let of_groups = if relation_type == "group" { 40 } else { 0 };
    match dice.weigh(&[(45 + of_groups, 0), (20, 1), (35, 2)]) {
        0 => json!("me"),
        1 => json!(dice.pick(&STATES)),
        _ => json!(dice.some_of(&all, 2)),
    }
}

/// Implications may go anywhere, in rings too.
fn imply(taste: &Taste, drafts: &mut [Draft<'_>]) {
    let needs = drafts.iter().flat_map(Draft::needs);
    let impliable: Vec<String> =
        needs.filter(|(_, can_be_implied)| *can_be_implied).map(|(need, _)| need).collect();
    for draft in drafts {
        if draft.is_heading() {
            continue;
        }
        let implied = implied(&mut draft.dice, taste, &impliable);
        draft.node.insert("implies".to_owned(), implied);
        for scope in &mut draft.scopes {
            scope.insert("implies".to_owned(), self::implied(&mut draft.dice, taste, &impliable));
        }
    }
}

fn implied(dice: &mut Dice<'_>, taste: &Taste, impliable: &[String]) -> Value {
    if dice.chance(taste.implies) { json!(dice.some_of(impliable, 2)) } else { json!([]) }
}

fn assemble(drafts: &[Draft<'_>], above: Option<usize>) -> Vec<Value> {
    let numbered = drafts.iter().enumerate();
    let children = numbered.filter(|(_, draft)| draft.above == above);
    let whole = |(at, draft): (usize, &Draft<'_>)| {
        let mut node = draft.node.clone();
        if !draft.levels.is_empty() {
            node.insert("levels".to_owned(), json!(draft.levels));
        }
        let lists = [
            ("scopes", draft.scopes.iter().cloned().map(Value::from).collect()),
            ("children", assemble(drafts, Some(at))),
        ];
        for (name, list) in lists {
            node.insert(name.to_owned(), Value::Array(list));
        }
        node.retain(|_, value| *value != json!([]));
        Value::Object(node)
    };
    children.map(whole).collect()
}

fn settings(dice: &mut Dice<'_>) -> Fields {
    let values = [
        ("slots", Some(vec![json!(1), json!(2), json!(3)])),
        ("out_of_hours", Some(vec![json!(false), json!(true)])),
        ("template", None),
    ];
    let mut settings = Fields::new();
    for (name, values) in values {
        if !dice.chance(60) {
            continue;
        }
        let mut setting = Fields::new();
        if let Some(values) = values {
            if dice.chance(70) {
                setting.insert("default".to_owned(), dice.pick(&values).clone());
            }
            setting.insert("values".to_owned(), json!(values));
        }
        settings.insert(name.to_owned(), setting.into());
    }
    settings
}

fn world(
    taste: &'static Taste,
    drafts: &[Draft<'_>],
    objects: &Fields,
    settings: &Fields,
) -> World {
    let mut world = World {
        taste,
        needs: Vec::new(),
        kinds: Vec::new(),
        exact: Vec::new(),
        left_out: Vec::new(),
        children: Vec::new(),
        beneath: Vec::new(),
        roots: false,
        graded: Vec::new(),
        needed: BTreeMap::new(),
        headings: Vec::new(),
        attributes: Vec::new(),
        settings: Vec::new(),
        objects: objects.clone(),
        profiles: Vec::new(),
        roles: Fields::new(),
        approval_groups: Vec::new(),
        groups: Fields::new(),
        users: Fields::new(),
    };
    for (at, draft) in drafts.iter().enumerate() {
        name(&mut world, drafts, at, draft);
    }
    for (kind, object) in objects {
        let attributes = fields(object, "attributes").into_iter();
        world.attributes.extend(attributes.map(|(name, of)| (format!("{kind}.{name}"), of)));
    }
    for (name, setting) in settings {
        let texts = || ["", "standard", "rush"].map(Value::from).to_vec();
        let values = setting["values"].as_array().cloned().unwrap_or_else(texts);
        world.settings.push((name.clone(), values));
    }
    world
}

/// Adds the names by which a node can be meant.
fn name(world: &mut World, drafts: &[Draft<'_>], at: usize, draft: &Draft<'_>) {
    let path = &draft.path;
    for (need, _) in draft.needs() {
        world.needs.push(need);
        world.kinds.push(draft.kind.clone());
    }
    let is_above = |child: &Draft<'_>| child.above == Some(at) && !child.is_heading();
    if !draft.scopes.is_empty() || drafts.iter().any(is_above) {
        world.children.push(path.clone());
    }
    let within = format!("{path}.");
    let is_within = |other: &Draft<'_>| {
        (other.path == *path || other.path.starts_with(&within)) && !other.is_heading()
    };
    if drafts.iter().any(is_within) {
        world.beneath.push(path.clone());
    }
    if draft.is_heading() {
        world.headings.push(path.clone());
        return;
    }
    world.exact.push(path.clone());
    let mut needed = named(&draft.node);
    needed.extend(gate(drafts, draft.above).map(|gate| drafts[gate].path.clone()));
    world.needed.insert(path.clone(), needed.clone());
    for scope in &draft.scopes {
        let needed = [needed.clone(), named(scope)].concat();
        let scope = draft.scope_path(scope);
        world.needed.insert(scope.clone(), needed);
        world.exact.push(scope.clone());
        world.beneath.push(scope);
    }
    world.roots |= draft.above.is_none();
    if !draft.levels.is_empty() {
        world.graded.push((patterns_for(drafts, at), draft.levels.clone()));
    }
}

/// The paths that a node or a scope itself requires and implies.
fn named(node: &Fields) -> Vec<String> {
    let lists = ["requires", "implies"].into_iter().filter_map(|name| node.get(name)?.as_array());
    let needs = lists.flatten().filter_map(Value::as_str);
    needs.map(|need| need.split(':').next().unwrap_or(need).to_owned()).collect()
}

/// The nearest of the nodes above that is no heading.
fn gate(drafts: &[Draft<'_>], mut above: Option<usize>) -> Option<usize> {
    while let Some(at) = above.filter(|&at| drafts[at].is_heading()) {
        above = drafts[at].above;
    }
    above
}

/// The patterns that match a node which is not scoped.
fn patterns_for(drafts: &[Draft<'_>], node: usize) -> Vec<String> {
    let mut patterns = vec![drafts[node].path.clone()];
    match drafts[node].above {
        Some(above) => patterns.push(format!("{}.*", drafts[above].path)),
        None => patterns.push("*".to_owned()),
    }
    let mut base = Some(node);
    while let Some(at) = base {
        patterns.push(format!("{}.**", drafts[at].path));
        base = drafts[at].above;
    }
    patterns.push("**".to_owned());
    patterns
}

fn editions() -> Value {
    json!({
        "large": {"includes": ["medium"], "features": [FEATURES[2]]},
        "small": {"features": [FEATURES[0]]},
        "medium": {"includes": ["small"], "features": [FEATURES[1]]},
    })
}

/// Reads the rolls of a licence.
pub fn licence(dice: &mut Dice<'_>, catalogue: &Value) -> Value {
    let editions = catalogue["editions"].as_object().expect("editions");
    let edition = dice.weigh(&[(50, "large"), (15, ""), (20, "medium"), (15, "small")]);
    let mut licence = Fields::new();
    if editions.contains_key(edition) {
        licence.insert("edition".to_owned(), json!(edition));
    }
    if dice.chance(20) {
        licence.insert("features".to_owned(), json!(dice.some(&FEATURES, 2)));
    }
    licence.into()
}

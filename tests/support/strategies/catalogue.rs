//! Random catalogues and licences.

use grantree::document::{
    Accepted, BoundType, Catalogue, Edition, Licence, Map, ObjectKind, PermissionNode,
    RelationType, Scope, Setting, SettingValue,
};
use grantree::object::RelationState;

use super::Hand;
use super::dice::Dice;
use super::taste::Taste;

// Some keys are the beginning of others, or sort before the dot or the colon:
// nothing may take `a-b` for something beneath `a`.
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

const RELATIONS: [(&str, RelationType); 3] = [
    ("assignee", RelationType::User),
    ("team", RelationType::Group),
    ("requester", RelationType::User),
];

const ATTRIBUTES: [(&str, BoundType); 6] = [
    ("region", BoundType::OneOf),
    ("amount", BoundType::AtMost),
    ("floor", BoundType::AtLeast),
    ("starts", BoundType::NotBefore),
    ("ends", BoundType::NotAfter),
    ("archived", BoundType::Flag),
];

const STATES: [&[RelationState]; 6] = [
    &[RelationState::Me],
    &[RelationState::Other, RelationState::None],
    &[RelationState::None],
    &[RelationState::Other],
    &[RelationState::Me, RelationState::None],
    &[RelationState::Me, RelationState::Other, RelationState::None],
];

/// What statements and questions can name.
pub struct World {
    /// What the case is mostly about.
    pub taste: &'static Taste,
    /// What can be required or asked for, with every threshold.
    pub needs: Vec<String>,
    /// The kind of each of them, if any.
    pub kinds: Vec<Option<String>>,
    /// What can be allowed by its exact path, scoped nodes included.
    pub exact: Vec<String>,
    /// The bases of `base.*`.
    pub children: Vec<String>,
    /// The bases of `base.**`.
    pub beneath: Vec<String>,
    /// Whether `*` matches anything; `**` does so wherever anything can be
    /// allowed.
    pub roots: bool,
    /// Graded permissions: the patterns that match one, and its levels.
    pub graded: Vec<(Vec<String>, Vec<String>)>,
    /// The paths of headings.
    pub headings: Vec<String>,
    /// The attributes that bounds can be put on.
    pub attributes: Vec<(String, BoundType)>,
    /// The settings, each with values that it accepts.
    pub settings: Vec<(String, Vec<SettingValue>)>,
    /// The object kinds.
    pub objects: Map<ObjectKind>,
}

/// A node before the tree is put together. Its gates are among those before it.
struct Draft<'a> {
    permission: PermissionNode,
    above: Option<usize>,
    path: String,
    kind: Option<String>,
    /// For what may name any node, and so is decided once all are there.
    dice: Dice<'a>,
}

/// Reads the rolls of a catalogue.
pub fn read(
    taste: &'static Taste,
    misc: &mut Dice<'_>,
    kinds: &[Hand],
    nodes: &[Hand],
) -> (Catalogue, World) {
    let objects: Map<ObjectKind> = KINDS
        .iter()
        .zip(kinds)
        .map(|(name, hand)| (*name, object_kind(&mut Dice::new(hand))))
        .collect();
    let mut drafts: Vec<Draft<'_>> = Vec::new();
    let mut earlier = Earlier { taste, needs: Vec::new(), of_objects: Vec::new() };
    for hand in nodes {
        let draft = node(Dice::new(hand), &objects, &drafts, &earlier);
        for (need, _) in needs_of(&draft) {
            earlier.push(need, draft.kind.is_some());
        }
        drafts.push(draft);
    }
    imply(taste, &mut drafts);
    let settings = settings(misc);
    let world = world(taste, &drafts, &objects, &settings);
    let catalogue = Catalogue {
        editions: editions(&drafts),
        permissions: assemble(&drafts, None),
        objects,
        settings,
    };
    (catalogue, world)
}

fn object_kind(dice: &mut Dice<'_>) -> ObjectKind {
    let mut kind = ObjectKind::default();
    for (name, relation) in RELATIONS {
        if dice.chance(75) {
            kind.relations.push(name, relation);
        }
    }
    for (name, bound) in ATTRIBUTES {
        if dice.chance(50) {
            kind.attributes.push(name, bound);
        }
    }
    if dice.chance(20) {
        kind.checks = attribute_names(&kind);
        kind.checks.truncate(1);
    }
    if dice.chance(10) {
        kind.label = Some("A label".into());
    }
    kind
}

fn attribute_names(kind: &ObjectKind) -> Vec<String> {
    kind.attributes.iter().map(|(name, _)| name.to_owned()).collect()
}

#[derive(Clone, Copy)]
enum Form {
    Plain,
    Graded,
    Scoped,
    Heading,
}

fn node<'a>(
    mut dice: Dice<'a>,
    objects: &Map<ObjectKind>,
    drafts: &[Draft<'_>],
    earlier: &Earlier,
) -> Draft<'a> {
    let taste = earlier.taste;
    let above = dice.below(drafts.len() + 1).checked_sub(1);
    let siblings = || drafts.iter().filter(|draft| draft.above == above);
    let first = dice.below(KEYS.len());
    let key = (0..)
        .map(|at| match KEYS.get(first + at) {
            Some(key) => (*key).to_owned(),
            None => format!("k{at}"),
        })
        .find(|key| siblings().all(|sibling| sibling.permission.key != *key))
        .expect("there are more keys than siblings");
    let path = match above {
        Some(above) => format!("{}.{key}", drafts[above].path),
        None => key.clone(),
    };
    let mut permission = PermissionNode {
        key,
        feature: feature(&mut dice),
        label: dice.chance(5).then(|| "Ä label".to_owned()),
        ..PermissionNode::default()
    };

    let [plain, graded, scoped, heading] = taste.forms;
    let form = match dice.weigh(&[
        (plain, Form::Plain),
        (graded, Form::Graded),
        (scoped, Form::Scoped),
        (heading, Form::Heading),
    ]) {
        Form::Scoped if objects.is_empty() => Form::Plain,
        form => form,
    };
    if let Form::Heading = form {
        permission.heading = true;
        return Draft { permission, above, path, kind: None, dice };
    }

    let mut gate = above;
    while let Some(at) = gate.filter(|&at| drafts[at].permission.heading) {
        gate = drafts[at].above;
    }
    let mut kind = gate.and_then(|gate| drafts[gate].kind.clone());
    let scoped = matches!(form, Form::Scoped);
    if !objects.is_empty() && (scoped || dice.chance(taste.kind)) {
        // Mostly its gate parent's kind, so that gates are followed.
        if kind.is_none() || dice.chance(40) {
            let names: Vec<&str> = objects.iter().map(|(name, _)| name).collect();
            kind = Some((*dice.pick(&names)).to_owned());
        }
        permission.object.clone_from(&kind);
    }
    let object = kind.as_deref().and_then(|kind| objects.get(kind));
    if let Some(object) = object
        && dice.chance(taste.checks)
    {
        permission.checks = dice.some_of(&attribute_names(object), 2);
    }
    permission.requires = earlier.requires(&mut dice);
    match form {
        Form::Graded => {
            let levels = *dice.pick(&LEVELS);
            permission.levels = Some(levels.iter().map(|level| (*level).to_owned()).collect());
        }
        Form::Scoped => {
            let object = object.expect("a scoped node names its kind");
            permission.scopes = scopes(&mut dice, object, &path, earlier);
        }
        Form::Plain | Form::Heading => {}
    }
    Draft { permission, above, path, kind, dice }
}

fn feature(dice: &mut Dice<'_>) -> Option<String> {
    dice.chance(7).then(|| (*dice.pick(&FEATURES)).to_owned())
}

/// What a node may require: the nodes before it.
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
        let list = match dice.chance(self.taste.requires_object) {
            true => &self.of_objects,
            false => &self.needs,
        };
        dice.some_of(list, 2)
    }
}

fn scopes(dice: &mut Dice<'_>, kind: &ObjectKind, path: &str, earlier: &Earlier) -> Vec<Scope> {
    let relations: Vec<&str> = kind.relations.iter().map(|(name, _)| name).collect();
    let attributes: Vec<(&str, BoundType)> =
        kind.attributes.iter().map(|(name, &of)| (name, of)).collect();
    let mut earlier = earlier.clone();
    let count = dice.weigh(&[(45, 1), (35, 2), (20, 3)]);
    SCOPES
        .iter()
        .take(count)
        .map(|key| {
            let related = dice.some(&relations, 2).into_iter();
            let mut when: Map<Accepted> = related
                .map(|relation| (relation, dice.pick(&STATES).iter().copied().collect()))
                .collect();
            if dice.chance(25)
                && let Some((attribute, of)) = dice.some_of(&attributes, 1).pop()
            {
                when.push(attribute, accepted(dice, of));
            }
            let requires = earlier.requires(dice);
            let scope = Scope { key: (*key).to_owned(), when, requires, ..Scope::default() };
            // A scope may require the scopes before it, too.
            earlier.push(format!("{path}.{key}"), true);
            scope
        })
        .collect()
}

/// Values of an attribute that a scope accepts.
fn accepted(dice: &mut Dice<'_>, bound_type: BoundType) -> Accepted {
    match bound_type {
        BoundType::OneOf => {
            let texts = *dice.pick(&[&["north"][..], &["south", "east"], &["north", "", "me"]]);
            Accepted::OneOf(texts.iter().map(|text| (*text).to_owned()).collect())
        }
        BoundType::AtMost | BoundType::AtLeast => Accepted::Limit(*dice.pick(&[10, 0, 1000])),
        BoundType::NotBefore | BoundType::NotAfter => {
            Accepted::Date(dice.pick(&["2026-11-20", "2024-02-29"]).parse().expect("a date"))
        }
        BoundType::Flag => {
            dice.pick(&[Accepted::Flag(false), Accepted::Flag(true), Accepted::EitherFlag]).clone()
        }
    }
}

/// What of a node can be required, each with whether it can be implied: itself,
/// its thresholds, its scopes.
fn needs_of(draft: &Draft<'_>) -> impl Iterator<Item = (String, bool)> {
    let PermissionNode { heading, levels, scopes, .. } = &draft.permission;
    let path = &draft.path;
    let itself = (!heading).then(|| (path.clone(), scopes.is_empty()));
    let thresholds = levels.iter().flatten().skip(1);
    let thresholds = thresholds.map(move |level| (format!("{path}:{level}"), true));
    let scopes = scopes.iter().map(move |scope| (format!("{path}.{}", scope.key), true));
    itself.into_iter().chain(thresholds).chain(scopes)
}

/// Implications may go anywhere, in rings too.
fn imply(taste: &Taste, drafts: &mut [Draft<'_>]) {
    let impliable: Vec<String> = drafts
        .iter()
        .flat_map(needs_of)
        .filter(|(_, can_be_implied)| *can_be_implied)
        .map(|(need, _)| need)
        .collect();
    for draft in drafts {
        let Draft { permission, dice, .. } = draft;
        if permission.heading {
            continue;
        }
        let mut implies = || match dice.chance(taste.implies) {
            true => dice.some_of(&impliable, 2),
            false => Vec::new(),
        };
        permission.implies = implies();
        for scope in &mut permission.scopes {
            scope.implies = implies();
        }
    }
}

fn assemble(drafts: &[Draft<'_>], above: Option<usize>) -> Vec<PermissionNode> {
    drafts
        .iter()
        .enumerate()
        .filter(|(_, draft)| draft.above == above)
        .map(|(at, draft)| PermissionNode {
            children: assemble(drafts, Some(at)),
            ..draft.permission.clone()
        })
        .collect()
}

fn settings(dice: &mut Dice<'_>) -> Map<Setting> {
    let mut settings = Map::default();
    let integers: Vec<SettingValue> = [1, 2, 3].map(SettingValue::Integer).into();
    let booleans: Vec<SettingValue> = [false, true].map(SettingValue::Boolean).into();
    for (name, values) in
        [("slots", Some(integers)), ("out_of_hours", Some(booleans)), ("template", None)]
    {
        if dice.chance(70) {
            let default = values.as_ref().map(|values| dice.pick(values).clone());
            let setting = Setting {
                default: default.filter(|_| dice.chance(70)),
                values,
                ..Setting::default()
            };
            settings.push(name, setting);
        }
    }
    settings
}

fn world(
    taste: &'static Taste,
    drafts: &[Draft<'_>],
    objects: &Map<ObjectKind>,
    settings: &Map<Setting>,
) -> World {
    let mut world = World {
        taste,
        needs: Vec::new(),
        kinds: Vec::new(),
        exact: Vec::new(),
        children: Vec::new(),
        beneath: Vec::new(),
        roots: false,
        graded: Vec::new(),
        headings: Vec::new(),
        attributes: Vec::new(),
        settings: Vec::new(),
        objects: objects.clone(),
    };
    for (at, draft) in drafts.iter().enumerate() {
        let Draft { permission, path, .. } = draft;
        for (need, _) in needs_of(draft) {
            world.needs.push(need);
            world.kinds.push(draft.kind.clone());
        }
        let is_above = |child: &Draft<'_>| child.above == Some(at) && !child.permission.heading;
        if !permission.scopes.is_empty() || drafts.iter().any(is_above) {
            world.children.push(path.clone());
        }
        let within = format!("{path}.");
        let is_within = |other: &Draft<'_>| {
            (other.path == *path || other.path.starts_with(&within)) && !other.permission.heading
        };
        if drafts.iter().any(is_within) {
            world.beneath.push(path.clone());
        }
        if permission.heading {
            world.headings.push(path.clone());
            continue;
        }
        world.exact.push(path.clone());
        for scope in &permission.scopes {
            let scope = format!("{path}.{}", scope.key);
            world.exact.push(scope.clone());
            world.beneath.push(scope);
        }
        world.roots |= draft.above.is_none();
        if let Some(levels) = &permission.levels {
            world.graded.push((patterns_for(drafts, at), levels.clone()));
        }
    }
    for (kind, object) in objects.iter() {
        for (attribute, bound) in object.attributes.iter() {
            world.attributes.push((format!("{kind}.{attribute}"), *bound));
        }
    }
    for (name, setting) in settings.iter() {
        let texts = ["", "standard", "rush"].map(|text| SettingValue::Text(text.to_owned()));
        let values = setting.values.clone().unwrap_or(texts.into());
        world.settings.push((name.to_owned(), values));
    }
    world
}

/// The patterns that match a node which is not scoped.
fn patterns_for(drafts: &[Draft<'_>], node: usize) -> Vec<String> {
    let path = &drafts[node].path;
    let mut patterns = vec![path.clone()];
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

/// The editions, where any permission needs a feature.
fn editions(drafts: &[Draft<'_>]) -> Map<Edition> {
    if drafts.iter().all(|draft| draft.permission.feature.is_none()) {
        return Map::default();
    }
    let edition = |includes: &[&str], feature: &str| Edition {
        includes: includes.iter().map(|name| (*name).to_owned()).collect(),
        features: vec![feature.to_owned()],
        ..Edition::default()
    };
    Map::from_iter([
        ("large", edition(&["medium"], FEATURES[2])),
        ("small", edition(&[], FEATURES[0])),
        ("medium", edition(&["small"], FEATURES[1])),
    ])
}

/// Reads the rolls of a licence.
pub fn licence(dice: &mut Dice<'_>, catalogue: &Catalogue) -> Licence {
    let mut licence = Licence::default();
    if !catalogue.editions.is_empty() {
        let edition = dice.weigh(&[
            (15, None),
            (50, Some("large")),
            (20, Some("medium")),
            (15, Some("small")),
        ]);
        licence.edition = edition.map(str::to_owned);
        if dice.chance(30) {
            licence.features = dice.some(&FEATURES.map(str::to_owned), 2);
        }
    }
    licence
}

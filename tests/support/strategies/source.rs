//! Random sources, and the users and groups that go with them.

use grantree::Document;
use grantree::document::{
    Bound, BoundType, Fence, Group, Map, Role, Source, Statements, UserEntry, Weekday,
};

use grantree::SourceName;

use super::Hand;
use super::catalogue::World;
use super::dice::Dice;

const USERS: [&str; 5] = ["alice", "bob", "carol dé", "root", "dave"];
const GROUPS: [&str; 4] = ["uk", "leeds", "north team", "fr"];

/// A group that no document here declares.
pub const PLAIN_GROUP: &str = "night shift";

/// What a source says, to add to it.
pub fn said_by<'a>(source: &SourceName, document: &'a mut Document) -> &'a mut Statements {
    let known = "a source of the document";
    match source {
        SourceName::Global => &mut document.global,
        SourceName::Profile(name) => &mut document.profiles.get_mut(name).expect(known).statements,
        SourceName::Role(name) => &mut document.roles.get_mut(name).expect(known).source.statements,
        SourceName::ApprovalGroup(name) => {
            &mut document.approval_groups.get_mut(name).expect(known).statements
        }
        SourceName::User(name) => &mut document.users.get_mut(name).expect(known).statements,
    }
}

/// All sources of a document.
pub fn sources(document: &Document) -> Vec<SourceName> {
    fn names<V>(map: &Map<V>) -> impl Iterator<Item = String> {
        map.iter().map(|(name, _)| name.to_owned())
    }
    let mut all = vec![SourceName::Global];
    all.extend(names(&document.profiles).map(SourceName::Profile));
    all.extend(names(&document.roles).map(SourceName::Role));
    all.extend(names(&document.approval_groups).map(SourceName::ApprovalGroup));
    all.extend(names(&document.users).map(SourceName::User));
    all
}

/// Something that could be said besides.
#[derive(Clone, Debug)]
pub struct Tweak {
    /// Who would say it.
    pub source: SourceName,
    /// Of which permissions; `None` where the catalogue has none to grant.
    pub pattern: Option<String>,
    /// Of which attribute, `kind.attribute`; `None` where there is none.
    pub attribute: Option<String>,
}

/// Reads the rolls of a tweak.
pub fn tweak(dice: &mut Dice<'_>, world: &World, document: &Document) -> Tweak {
    let attributes: Vec<&String> = world.attributes.iter().map(|(name, _)| name).collect();
    Tweak {
        source: dice.pick(&sources(document)).clone(),
        pattern: pattern(dice, world),
        attribute: (!attributes.is_empty()).then(|| (*dice.pick(&attributes)).clone()),
    }
}

pub(super) fn pattern(dice: &mut Dice<'_>, world: &World) -> Option<String> {
    if world.exact.is_empty() {
        return None;
    }
    let forms = [(40, 0), (18, 1), (28, 2), (5, 3), (9, 4)];
    Some(match dice.weigh(&forms) {
        1 if !world.children.is_empty() => format!("{}.*", dice.pick(&world.children)),
        2 => format!("{}.**", dice.pick(&world.beneath)),
        3 if world.roots => "*".to_owned(),
        4 => "**".to_owned(),
        _ => dice.pick(&world.exact).clone(),
    })
}

/// Reads the rolls of the global source. Mostly it allows a good part, and is
/// generous with bounds: of a policy that says no to everything there is little
/// to ask.
pub fn global(dice: &mut Dice<'_>, world: &World, hands: &[Hand]) -> Statements {
    let mut statements = Statements::default();
    if !world.exact.is_empty() && dice.chance(world.taste.allow_all) {
        statements.allow.push("**".to_owned());
    }
    for (attribute, _) in &world.attributes {
        if dice.chance(60) {
            statements.bounds.push(attribute, Bound::Any);
        }
    }
    for hand in hands {
        state(&mut Dice::new(hand), world, &mut statements);
    }
    statements
}

/// Now and then, a pattern on the base of one that the same source has already,
/// so that they compete.
fn rival(dice: &mut Dice<'_>, world: &World, patterns: &[String]) -> Option<String> {
    if patterns.is_empty() || !dice.chance(35) {
        return None;
    }
    let base = dice.pick(patterns).trim_end_matches(".**").trim_end_matches(".*");
    let mut rivals = Vec::new();
    for (bases, suffix) in [(&world.exact, ""), (&world.children, ".*"), (&world.beneath, ".**")] {
        if bases.iter().any(|known| known == base) {
            rivals.push(format!("{base}{suffix}"));
        }
    }
    (!rivals.is_empty()).then(|| dice.pick(&rivals).clone())
}

#[derive(Clone, Copy)]
enum Said {
    Allow,
    Except,
    Deny,
    Forbid,
    Level,
    Bound,
    Setting,
}

/// Reads the rolls of statements, one hand each.
pub fn statements(world: &World, hands: &[Hand]) -> Statements {
    let mut statements = Statements::default();
    for hand in hands {
        state(&mut Dice::new(hand), world, &mut statements);
    }
    statements
}

pub(super) fn state(dice: &mut Dice<'_>, world: &World, statements: &mut Statements) {
    let [allow, except, deny, forbid, level, bounds, setting] = world.taste.statements;
    let said = dice.weigh(&[
        (allow, Said::Allow),
        (except, Said::Except),
        (deny, Said::Deny),
        (forbid, Said::Forbid),
        (level, Said::Level),
        (bounds, Said::Bound),
        (setting, Said::Setting),
    ]);
    match said {
        Said::Allow => {
            let pattern = rival(dice, world, &statements.deny).or_else(|| pattern(dice, world));
            statements.allow.extend(pattern);
        }
        // One that competes with nothing has no effect.
        Said::Except => {
            let wider = [&statements.allow, &statements.deny].map(|it| it.iter());
            let levels = statements.levels.iter().map(|(pattern, _)| pattern.to_owned());
            let known: Vec<String> = wider.into_iter().flatten().cloned().chain(levels).collect();
            let pattern = rival(dice, world, &known).or_else(|| pattern(dice, world));
            statements.except.extend(pattern);
        }
        Said::Deny => {
            let pattern = rival(dice, world, &statements.allow).or_else(|| pattern(dice, world));
            statements.deny.extend(pattern);
        }
        // A wide forbid leaves nothing.
        Said::Forbid if dice.chance(85) && !world.exact.is_empty() => {
            statements.forbid.push(dice.pick(&world.exact).clone());
        }
        Said::Forbid => statements.forbid.extend(pattern(dice, world)),
        Said::Level if !world.graded.is_empty() => {
            let (patterns, levels) = dice.pick(&world.graded);
            let (pattern, level) = (dice.pick(patterns), dice.pick(levels));
            if statements.levels.get(pattern).is_none() {
                statements.levels.push(pattern, level.clone());
            }
        }
        Said::Bound if !world.attributes.is_empty() => {
            let (attribute, bound_type) = dice.pick(&world.attributes);
            if statements.bounds.get(attribute).is_none() {
                statements.bounds.push(attribute, bound(dice, *bound_type));
            }
        }
        Said::Setting if !world.settings.is_empty() => {
            let (setting, values) = dice.pick(&world.settings);
            if statements.settings.get(setting).is_none() {
                statements.settings.push(setting, dice.pick(values).clone());
            }
        }
        Said::Level | Said::Bound | Said::Setting => {}
    }
}

pub(super) fn bound(dice: &mut Dice<'_>, bound_type: BoundType) -> Bound {
    if dice.chance(35) {
        return Bound::Any;
    }
    match bound_type {
        BoundType::OneOf => {
            let texts = *dice.pick(&[&["north"][..], &[], &["north", "south"], &["", "east"]]);
            Bound::OneOf(texts.iter().map(|text| (*text).to_owned()).collect())
        }
        BoundType::AtMost | BoundType::AtLeast => {
            Bound::Limit(*dice.pick(&[0, 10, -5, 1000, i64::MAX, i64::MIN]))
        }
        BoundType::NotBefore | BoundType::NotAfter => {
            let date = |text: &str| Fence::Date(text.parse().expect("a date"));
            let next = |weekday, plus_days| Fence::Next { weekday, plus_days };
            Bound::Fence(*dice.pick(&[
                date("2026-11-20"),
                Fence::PlusDays(0),
                date("2024-02-29"),
                Fence::PlusDays(3),
                Fence::PlusDays(-1),
                next(Weekday::Friday, 0),
                next(Weekday::Monday, -3),
                next(Weekday::Sunday, -7),
            ]))
        }
        BoundType::Flag => {
            dice.pick(&[Bound::Flag(false), Bound::Flag(true), Bound::EitherFlag]).clone()
        }
    }
}

/// Reads the rolls of a profile or an approval group.
pub fn source(world: &World, hands: &[Hand]) -> Source {
    Source { statements: statements(world, hands), ..Source::default() }
}

/// Things called `stem1`, `stem2`, ….
pub fn named<R, V>(stem: &str, rolls: &[R], read: impl Fn(&R) -> V) -> Map<V> {
    rolls.iter().enumerate().map(|(at, rolls)| (format!("{stem}{}", at + 1), read(rolls))).collect()
}

/// Reads the rolls of the roles. Each includes some of those before it.
pub fn roles(world: &World, rolls: &[(Hand, Vec<Hand>)]) -> Map<Role> {
    let mut roles: Map<Role> = Map::default();
    let mut names: Vec<String> = Vec::new();
    for (at, (hand, hands)) in rolls.iter().enumerate() {
        let mut dice = Dice::new(hand);
        let mut role = Role { source: source(world, hands), ..Role::default() };
        if dice.chance(60) {
            role.includes = dice.some_of(&names, 2);
        }
        if dice.chance(10) {
            role.unique = true;
            role.demoted_to = names.first().cloned();
        }
        role.source.protected = dice.chance(5);
        role.source.template = dice.chance(5);
        if dice.chance(5) {
            role.source.assignable_by = Some(dice.some(&names, 1));
        }
        let name = format!("role{}", at + 1);
        // A unique role can't be included.
        if !role.unique {
            names.push(name.clone());
        }
        roles.push(name, role);
    }
    roles
}

/// Reads the rolls of the groups. Each is beneath one of those before it, or
/// beneath one that is not declared, or beneath none.
pub fn groups(hands: &[Hand]) -> Map<Group> {
    let mut groups = Map::default();
    for (at, (name, hand)) in GROUPS.iter().zip(hands).enumerate() {
        let mut dice = Dice::new(hand);
        let parent = match dice.below(at + 2) {
            0 => None,
            parent => Some(GROUPS[..at].get(parent - 1).unwrap_or(&PLAIN_GROUP)),
        };
        let group = Group { parent: parent.map(|parent| (*parent).to_owned()), ..Group::default() };
        groups.push(*name, group);
    }
    groups
}

/// Reads the rolls of the users.
pub fn users(world: &World, document: &Document, rolls: &[(Hand, Vec<Hand>)]) -> Map<UserEntry> {
    fn names<V>(map: &Map<V>) -> Vec<String> {
        map.iter().map(|(name, _)| name.to_owned()).collect()
    }
    let profiles = names(&document.profiles);
    let approval_groups = names(&document.approval_groups);
    let mut roles = names(&document.roles);
    let mut groups = names(&document.groups);
    groups.push(PLAIN_GROUP.to_owned());
    let mut users = Map::default();
    for (name, (hand, hands)) in USERS.iter().zip(rolls) {
        let mut dice = Dice::new(hand);
        let mut user = UserEntry {
            statements: statements(world, hands),
            admin: dice.chance(7),
            suspended: dice.chance(5),
            ..UserEntry::default()
        };
        if !profiles.is_empty() && dice.chance(80) {
            user.profile = Some(dice.pick(&profiles).clone());
        }
        user.roles = dice.some(&roles, 3);
        user.approval_groups = dice.some(&approval_groups, 2);
        user.groups = dice.some(&groups, 2);
        // A unique role has one holder at most.
        roles.retain(|role| {
            let unique = document.roles.get(role).is_some_and(|role| role.unique);
            !(unique && user.roles.contains(role))
        });
        users.push(*name, user);
    }
    users
}

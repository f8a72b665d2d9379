//! Random changes of a document, by whomever. Most name what there is, and would
//! be made if nothing but their shape counted.

use grantree::Document;
use grantree::SourceName;
use grantree::change::{Change, OnConflict, OnHeld, Op, Set};
use grantree::document::{Bound, Licence, Map, Role, SettingValue, Source, Statements, UserEntry};
use grantree::document::{Bundle, NewUser};

use super::catalogue::World;
use super::dice::Dice;
use super::source::{PLAIN_GROUP, bound, pattern, state};

// What comes into being has one of few names, so that names meet.
const NEW: [&str; 6] = ["lead", "a.b: \"c\"", "clerk", "role1", "profile_2", "approvers1"];
const NEW_USERS: [&str; 4] = ["eve", "frank é", "alice", "bob"];
const NO_NAMES: [&str; 3] = ["no\tname", "", "a\u{85}b"];
const FEATURES: [&str; 4] = ["planner", "portal", "api", "unheard-of"];

/// A profile, a role or an approval group, to change.
pub fn body<'d>(document: &'d mut Document, source: &SourceName) -> Option<&'d mut Source> {
    match source {
        SourceName::Profile(name) => document.profiles.get_mut(name),
        SourceName::Role(name) => document.roles.get_mut(name).map(|role| &mut role.source),
        SourceName::ApprovalGroup(name) => document.approval_groups.get_mut(name),
        SourceName::Global | SourceName::User(_) => None,
    }
}

/// Reads the roll of who asks: the host, where nobody.
pub fn actor(dice: &mut Dice<'_>, document: &Document) -> Option<String> {
    let active = document.users.iter().filter(|(_, user)| !user.suspended);
    let (admins, others): (Vec<_>, Vec<_>) = active.partition(|(_, user)| user.admin);
    match dice.weigh(&[(28, 0), (15, 1), (52, 2), (3, 3), (2, 4)]) {
        0 => None,
        1 if !admins.is_empty() => Some(dice.pick(&admins).0.to_owned()),
        2 if !others.is_empty() => Some(dice.pick(&others).0.to_owned()),
        4 => Some("nobody".to_owned()),
        _ => Some(user(dice, document)),
    }
}

/// One of some names, or now and then an unknown one.
fn known(dice: &mut Dice<'_>, names: &[String], unknown: &str) -> String {
    match names.is_empty() || dice.chance(2) {
        true => unknown.to_owned(),
        false => dice.pick(names).clone(),
    }
}

fn user(dice: &mut Dice<'_>, document: &Document) -> String {
    known(dice, &names(&document.users), "nobody")
}

fn names<V>(map: &Map<V>) -> Vec<String> {
    map.iter().map(|(name, _)| name.to_owned()).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Profile,
    Role,
    ApprovalGroup,
}

fn kind(dice: &mut Dice<'_>) -> Kind {
    dice.weigh(&[(50, Kind::Role), (32, Kind::Profile), (18, Kind::ApprovalGroup)])
}

fn called(kind: Kind, name: String) -> SourceName {
    match kind {
        Kind::Profile => SourceName::Profile(name),
        Kind::Role => SourceName::Role(name),
        Kind::ApprovalGroup => SourceName::ApprovalGroup(name),
    }
}

fn names_of(kind: Kind, document: &Document) -> Vec<String> {
    match kind {
        Kind::Profile => names(&document.profiles),
        Kind::Role => names(&document.roles),
        Kind::ApprovalGroup => names(&document.approval_groups),
    }
}

/// A known profile, role or approval group, mostly of a kind of which there is
/// one.
fn bundled(dice: &mut Dice<'_>, document: &Document) -> SourceName {
    let mut kind = kind(dice);
    if names_of(kind, document).is_empty() {
        kind = Kind::Role;
    }
    if dice.chance(1) {
        return SourceName::Global;
    }
    let name = known(dice, &names_of(kind, document), "nope");
    called(kind, name)
}

fn new_name(dice: &mut Dice<'_>) -> String {
    let names: &[&str] = if dice.chance(3) { &NO_NAMES } else { &NEW };
    (*dice.pick(names)).to_owned()
}

fn new_user(dice: &mut Dice<'_>) -> String {
    let name = *dice.pick(&NEW_USERS);
    if dice.chance(2) { String::new() } else { name.to_owned() }
}

#[derive(Clone, Copy)]
enum Form {
    Create,
    Rename,
    RenameUser,
    Edit,
    Delete,
    AddUser,
    RemoveUser,
    Assign,
    Revoke,
    Transfer,
    SetDefaultProfile,
    SetAdmin,
    SetSuspended,
    SetGroups,
    SetGroup,
    SetLicence,
    Import,
}

const FORMS: [(usize, Form); 17] = [
    (26, Form::Edit),
    (8, Form::Create),
    (5, Form::Rename),
    (5, Form::RenameUser),
    (8, Form::Delete),
    (8, Form::AddUser),
    (4, Form::RemoveUser),
    (10, Form::Assign),
    (7, Form::Revoke),
    (7, Form::Transfer),
    (4, Form::SetDefaultProfile),
    (5, Form::SetAdmin),
    (6, Form::SetSuspended),
    (5, Form::SetGroups),
    (5, Form::SetGroup),
    (4, Form::SetLicence),
    (8, Form::Import),
];

/// Reads the rolls of a change.
pub fn read(dice: &mut Dice<'_>, world: &World, document: &Document) -> Change {
    match dice.weigh(&FORMS) {
        Form::Create => create(dice, document),
        Form::Rename => Change::Rename { source: bundled(dice, document), to: new_name(dice) },
        Form::RenameUser => {
            Change::Rename { source: SourceName::User(user(dice, document)), to: new_user(dice) }
        }
        Form::Edit => edit(dice, world, document),
        Form::Delete => delete(dice, document),
        Form::AddUser => Change::AddUser(Box::new(added(dice, world, document))),
        Form::RemoveUser => Change::RemoveUser { user: user(dice, document) },
        Form::Assign => {
            Change::Assign { user: user(dice, document), source: bundled(dice, document) }
        }
        Form::Revoke => revoke(dice, document),
        Form::Transfer => transfer(dice, document),
        Form::SetDefaultProfile => {
            let profile = known(dice, &names(&document.profiles), "nope");
            Change::SetDefaultProfile { profile: (!dice.chance(25)).then_some(profile) }
        }
        Form::SetAdmin => Change::SetAdmin { user: user(dice, document), admin: dice.chance(50) },
        Form::SetSuspended => {
            Change::SetSuspended { user: user(dice, document), suspended: dice.chance(40) }
        }
        Form::SetGroups => {
            let groups = dice.some(&groups(document), 2);
            Change::SetGroups { user: user(dice, document), groups }
        }
        Form::SetGroup => set_group(dice, document),
        Form::SetLicence => Change::SetLicence(licence(dice, document)),
        Form::Import => {
            let on_conflict = dice.weigh(&[
                (40, OnConflict::Replace),
                (35, OnConflict::Rename),
                (25, OnConflict::Refuse),
            ]);
            Change::Import { bundle: bundle(dice, world, document), on_conflict }
        }
    }
}

fn create(dice: &mut Dice<'_>, document: &Document) -> Change {
    let kind = kind(dice);
    let source = called(kind, new_name(dice));
    let from = dice.chance(60).then(|| match dice.chance(3) {
        true => bundled(dice, document),
        false => called(kind, known(dice, &names_of(kind, document), "nope")),
    });
    Change::Create { source, from }
}

fn delete(dice: &mut Dice<'_>, document: &Document) -> Change {
    let source = bundled(dice, document);
    let others = match &source {
        SourceName::Profile(_) => names(&document.profiles),
        SourceName::ApprovalGroup(_) => names(&document.approval_groups),
        _ => names(&document.roles),
    };
    let holders = match dice.weigh(&[(40, 0), (30, 1), (30, 2)]) {
        0 => OnHeld::Unassign,
        1 => OnHeld::Refuse,
        _ => OnHeld::Reassign(known(dice, &others, "nope")),
    };
    Change::Delete { source, holders }
}

/// Mostly of what the user has.
fn revoke(dice: &mut Dice<'_>, document: &Document) -> Change {
    let name = user(dice, document);
    let mut held: Vec<SourceName> = Vec::new();
    if let Some(user) = document.users.get(&name) {
        held.extend(user.profile.iter().cloned().map(SourceName::Profile));
        held.extend(user.roles.iter().cloned().map(SourceName::Role));
        held.extend(user.approval_groups.iter().cloned().map(SourceName::ApprovalGroup));
    }
    let source = match held.is_empty() || dice.chance(10) {
        true => bundled(dice, document),
        false => dice.pick(&held).clone(),
    };
    Change::Revoke { user: name, source }
}

/// Mostly of a unique role.
fn transfer(dice: &mut Dice<'_>, document: &Document) -> Change {
    let unique = document.roles.iter().filter(|(_, role)| role.unique);
    let unique: Vec<String> = unique.map(|(name, _)| name.to_owned()).collect();
    let role = match unique.is_empty() || dice.chance(10) {
        true => known(dice, &names(&document.roles), "nope"),
        false => dice.pick(&unique).clone(),
    };
    Change::Transfer { role, to: user(dice, document) }
}

fn groups(document: &Document) -> Vec<String> {
    let mut groups = names(&document.groups);
    groups.push(PLAIN_GROUP.to_owned());
    groups
}

fn set_group(dice: &mut Dice<'_>, document: &Document) -> Change {
    let mut groups = groups(document);
    let group = match dice.chance(25) {
        true => "paris".to_owned(),
        false => dice.pick(&groups).clone(),
    };
    groups.pop();
    let parent = (!groups.is_empty() && dice.chance(60)).then(|| known(dice, &groups, "nowhere"));
    Change::SetGroup { group, parent }
}

fn licence(dice: &mut Dice<'_>, document: &Document) -> Licence {
    let editions = names(&document.catalogue.editions);
    let mut licence = Licence {
        edition: dice.chance(60).then(|| known(dice, &editions, "nope")),
        features: dice.some(&FEATURES.map(str::to_owned), 2),
    };
    if editions.is_empty() && !dice.chance(5) {
        licence.edition = None;
    }
    if dice.chance(3) {
        licence.features.push("no name".to_owned());
    }
    licence
}

fn edit(dice: &mut Dice<'_>, world: &World, document: &Document) -> Change {
    let source = match dice.weigh(&[(55, 0), (30, 1), (15, 2)]) {
        0 => bundled(dice, document),
        1 => SourceName::User(user(dice, document)),
        _ => SourceName::Global,
    };
    let count = dice.weigh(&[(60, 1), (30, 2), (10, 3)]);
    let ops = (0..count).map(|_| op(dice, world, document, &source)).collect();
    Change::Edit { source, ops, cascade: dice.chance(50) }
}

fn op(dice: &mut Dice<'_>, world: &World, document: &Document, source: &SourceName) -> Op {
    let mut path = path(dice, world);
    let said = said_of(document, source);
    if !said.is_empty() && dice.chance(30) {
        path.clone_from(dice.pick(&said));
    }
    match dice.weigh(&[(36, 0), (14, 1), (4, 2), (8, 3), (12, 4), (10, 5), (4, 6), (12, 7), (8, 8)])
    {
        1 => Op::Deny(path),
        2 => Op::Forbid(path),
        3 if !world.graded.is_empty() => {
            let (patterns, levels) = dice.pick(&world.graded);
            let level = known(dice, levels, "nope");
            Op::Level { path: dice.pick(patterns).clone(), level }
        }
        4 => Op::Clear(path),
        5 if !world.attributes.is_empty() => {
            let (attribute, form) = dice.pick(&world.attributes);
            let bound = (!dice.chance(15)).then(|| match dice.chance(3) {
                true => Bound::OneOf(Vec::new()),
                false => bound(dice, *form),
            });
            let attribute = known(dice, std::slice::from_ref(attribute), "job.nope");
            Op::Bound { attribute, bound }
        }
        6 if !world.settings.is_empty() => {
            let (setting, values) = dice.pick(&world.settings);
            let value = (!dice.chance(15)).then(|| match dice.chance(5) {
                true => SettingValue::Text("nope".to_owned()),
                false => dice.pick(values).clone(),
            });
            let setting = known(dice, std::slice::from_ref(setting), "nope");
            Op::Setting { setting, value }
        }
        7 => Op::Set(set(dice, document, source)),
        8 => Op::Except(path),
        _ => Op::Allow(path),
    }
}

/// The patterns that a source names.
fn said_of(document: &Document, source: &SourceName) -> Vec<String> {
    let statements = match source {
        SourceName::Global => Some(&document.global),
        SourceName::Profile(name) => document.profiles.get(name).map(|it| &it.statements),
        SourceName::Role(name) => document.roles.get(name).map(|it| &it.source.statements),
        SourceName::ApprovalGroup(name) => {
            document.approval_groups.get(name).map(|it| &it.statements)
        }
        SourceName::User(name) => document.users.get(name).map(|it| &it.statements),
    };
    let Some(statements) = statements else { return Vec::new() };
    let Statements { allow, except, deny, forbid, levels, .. } = statements;
    let levels = names(levels);
    [allow, except, deny, forbid, &levels].into_iter().flatten().cloned().collect()
}

/// A pattern, now and then one that names nothing or matches nothing.
fn path(dice: &mut Dice<'_>, world: &World) -> String {
    let odd = ["nope", "nope.**", "view..*", "", "view:full", "*.a", "view.edit.*", "1.*"];
    match pattern(dice, world) {
        Some(path) if !dice.chance(3) => path,
        _ if dice.chance(30) && !world.headings.is_empty() => dice.pick(&world.headings).clone(),
        _ => (*dice.pick(&odd)).to_owned(),
    }
}

/// Mostly something that the source has.
fn set(dice: &mut Dice<'_>, document: &Document, source: &SourceName) -> Set {
    let mut set = Set::default();
    let roles = names(&document.roles);
    let removes = dice.chance(15);
    let (is_bundle, is_role) = match source {
        SourceName::Role(_) => (true, true),
        SourceName::Profile(_) | SourceName::ApprovalGroup(_) => (true, false),
        SourceName::Global | SourceName::User(_) => (false, false),
    };
    let odd = dice.chance(4);
    match dice.weigh(&[(25, 0), (10, 1), (10, 2), (40, 3), (15, 4)]) {
        2 if is_bundle || odd => set.template = Some((!removes).then(|| dice.chance(50))),
        3 if is_role || odd => {
            let mut includes = dice.some(&roles, 2);
            includes.extend(dice.chance(3).then(|| "nope".to_owned()));
            set.includes = Some((!removes).then_some(includes));
        }
        4 if is_bundle || odd => {
            let mut guard = dice.some(&roles, 2);
            guard.extend(dice.chance(3).then(|| "nope".to_owned()));
            set.assignable_by = Some((!removes).then_some(guard));
        }
        1 => set.description = Some((!removes).then(|| "Ä text".to_owned())),
        _ => set.label = Some((!removes).then(|| "Label".to_owned())),
    }
    set
}

/// Some statements, few of which do not fit.
fn said(dice: &mut Dice<'_>, world: &World, most: usize) -> Statements {
    let mut statements = Statements::default();
    for _ in 0..dice.below(most + 1) {
        state(dice, world, &mut statements);
    }
    if dice.chance(3) {
        statements.allow.push(path(dice, world));
    }
    statements
}

fn added(dice: &mut Dice<'_>, world: &World, document: &Document) -> NewUser {
    let profile = match dice.weigh(&[(55, 0), (15, 1), (30, 2)]) {
        0 => None,
        1 => Some(None),
        _ => Some(Some(known(dice, &names(&document.profiles), "nope"))),
    };
    let mut rest = UserEntry {
        admin: dice.chance(5),
        suspended: dice.chance(8),
        statements: said(dice, world, 1),
        ..UserEntry::default()
    };
    if dice.chance(40) {
        rest.roles = dice.some(&names(&document.roles), 2);
    }
    if dice.chance(20) {
        rest.approval_groups = dice.some(&names(&document.approval_groups), 1);
    }
    if dice.chance(30) {
        rest.groups = dice.some(&groups(document), 1);
    }
    NewUser { user: new_user(dice), profile, rest }
}

/// Up to three sources, now and then with something that does not fit here.
fn bundle(dice: &mut Dice<'_>, world: &World, document: &Document) -> Bundle {
    let mut bundle = Bundle::default();
    for _ in 0..dice.weigh(&[(50, 1), (35, 2), (15, 3)]) {
        let kind = kind(dice);
        let name = match dice.chance(50) {
            true => known(dice, &names_of(kind, document), "lead"),
            false => new_name(dice),
        };
        // Now and then as it is here, as an export has it.
        let here = document.roles.get(&name).filter(|_| dice.chance(35));
        let role = here.cloned().unwrap_or_else(|| imported(dice, world, document));
        match kind {
            Kind::Profile if bundle.profiles.get(&name).is_none() => {
                bundle.profiles.push(name, role.source);
            }
            Kind::ApprovalGroup if bundle.approval_groups.get(&name).is_none() => {
                bundle.approval_groups.push(name, role.source);
            }
            Kind::Role if bundle.roles.get(&name).is_none() => bundle.roles.push(name, role),
            _ => {}
        }
    }
    bundle
}

fn imported(dice: &mut Dice<'_>, world: &World, document: &Document) -> Role {
    let mut names = names(&document.roles);
    names.extend(NEW.map(str::to_owned));
    let mut role = Role::default();
    role.source.statements = said(dice, world, 2);
    role.source.template = dice.chance(5);
    role.source.protected = dice.chance(4);
    if dice.chance(40) {
        role.includes = dice.some(&names, 2);
    }
    if dice.chance(10) {
        role.unique = true;
        role.demoted_to = dice.some(&names, 1).pop();
    }
    if dice.chance(15) {
        role.source.assignable_by = Some(dice.some(&names, 2));
    }
    role
}

//! The laws of what a lint reports.
//!
//! What it says about all users that a policy could have is tried on users with
//! random combinations of its sources, under random licences.

use grantree::Document;
use grantree::document::{Map, PermissionNode, Role, Statements, UserEntry};
use grantree::explain::Effect;
use grantree::lint::{Code, Finding};
use grantree::{Engine, Moment, Policy, SourceName};

use super::case::{Case, engine, said_by, sources};

/// Leaving out what is without effect (all of it, some of it, or one statement)
/// changes no answer for any user that the policy could have.
pub fn what_is_without_effect_can_be_left_out(case: &Case) {
    let findings = lint(&case.document);
    let vain: Vec<&Finding> = findings
        .iter()
        .filter(|it| it.code.is_without_effect() || it.code == Code::Guard)
        .filter(|it| !it.place.contains(".assignments"))
        .collect();
    if vain.is_empty() {
        return;
    }
    let mut dice = case.dice();
    let before = &case.document;
    let combinations: Vec<Combination> = (0..10).map(|_| combination(&mut dice, before)).collect();
    let licences = dice.clone();
    let before_engines = engines(&mut licences.clone(), before, &combinations);
    let mut some: Vec<Vec<&str>> = vec![vain.iter().map(|it| &*it.place).collect()];
    some.push(some[0].iter().copied().filter(|_| dice.bool()).collect());
    let one = dice.usize(..vain.len());
    some.push(vec![&vain[one].place]);
    for places in some {
        let mut after = before.clone();
        assert_eq!(leave_out(&mut after, &places), places.len(), "{places:?}");
        let after_engines = engines(&mut licences.clone(), &after, &combinations);
        for (before, after) in before_engines.iter().zip(&after_engines) {
            answers_are_equal(before, after, &places);
        }
    }
}

/// What nobody can hold is held by no user that the policy could have, under any
/// edition, or under any licence if there are no editions.
pub fn what_nobody_can_hold_is_not_held(case: &Case) {
    let findings = lint(&case.document);
    if !findings.iter().any(|it| matches!(it.code, Code::NeverHeld | Code::NoBound)) {
        return;
    }
    let mut dice = case.dice();
    let combinations: Vec<Combination> =
        (0..20).map(|_| combination(&mut dice, &case.document)).collect();
    let mut licensed = vec![case.document.clone()];
    for (edition, _) in case.document.catalogue.editions.iter() {
        let mut document = case.document.clone();
        document.licence.edition = Some(edition.to_owned());
        licensed.push(document);
    }
    for document in licensed {
        let engines = match document.catalogue.editions.iter().next() {
            None => engines(&mut dice, &document, &combinations),
            Some(_) => vec![engine(&with_users(document.clone(), &combinations))],
        };
        for engine in engines {
            let document = Document::from(engine.policy());
            for (name, user) in document.users.iter().filter(|(_, user)| !user.admin) {
                let handle = engine.user(name).expect("a user");
                for finding in &findings {
                    match finding.code {
                        Code::NeverHeld => {
                            let held = engine.effective(handle);
                            let held = held
                                .iter()
                                .any(|held| finding.names.iter().any(|path| held.path() == *path));
                            assert!(!held, "{finding}: {name} {user:?}");
                        }
                        Code::NoBound => {
                            let action = engine.permission(&finding.names[1]).expect("known");
                            assert!(!engine.can_some(handle, action), "{finding}: {name} {user:?}");
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}

/// Everything else that is reported is true.
pub fn what_is_reported_is_so(case: &Case) {
    let document = &case.document;
    let findings = lint(document);
    for finding in &findings {
        let source = || {
            let known = sources(document);
            let of = |it: &&SourceName| finding.place.starts_with(&format!("{}.deny[", it.place()));
            known.iter().find(of).unwrap_or_else(|| panic!("{finding}")).clone()
        };
        let holders = |name: &str, of: fn(&UserEntry) -> &[String]| {
            document.users.iter().any(|(_, user)| of(user).iter().any(|it| it == name))
        };
        match finding.code {
            Code::Unused => {
                let known = sources(document);
                let unused = known.iter().find(|it| it.place() == finding.place);
                let held = match unused {
                    Some(SourceName::Role(name)) => holders(name, |user| &user.roles),
                    Some(SourceName::ApprovalGroup(name)) => {
                        holders(name, |user| &user.approval_groups)
                    }
                    Some(SourceName::Profile(name)) => {
                        document.users.iter().any(|(_, it)| it.profile.as_ref() == Some(name))
                    }
                    _ => false,
                };
                assert!(!held, "{finding}");
            }
            Code::AdminProfile => {
                let user = document.users.get(&finding.names[0]).expect("a user");
                assert!(user.admin && user.profile.as_ref() == Some(&finding.names[1]));
            }
            // Somebody who has this source and one more is granted the one, and
            // gated for want of the other.
            Code::Silences if !finding.place.contains(".assignments") => {
                let by = source();
                let mut more = free(document.clone());
                licence_all(&mut more);
                let users: Vec<Combination> = (sources(document).iter())
                    .filter(|it| !matches!(it, SourceName::User(_)))
                    .filter_map(|with| holder_of(&[&by, with]))
                    .collect();
                let engine = engine(&with_users(more, &users));
                let [_, granted] = &*finding.names else { panic!("{finding}") };
                let gated = (0..users.len()).any(|at| {
                    let user = engine.user(format!("synthetic{at}")).expect("a user");
                    let action = engine.permission(granted).expect("known");
                    engine.why(user, action, ()).code() == "gated"
                });
                assert!(gated, "{finding}");
            }
            _ => {}
        }
    }
    let places = findings.iter().map(ToString::to_string);
    assert!(places.clone().all(|line| !line.contains('\n')));
    assert_eq!(lint(document), findings);
}

/// A cell of a matrix shows what a user has who has just that source.
pub fn a_matrix_agrees_with_the_engine(case: &Case) {
    let document = &case.document;
    let users: Vec<Combination> = sources(document)
        .iter()
        .map(|source| match source {
            SourceName::User(name) => Combination { own: Some(name.clone()), ..Default::default() },
            _ => holder_of(&[source]).expect("one source"),
        })
        .collect();
    let engine = engine(&with_users(document.clone(), &users));
    let policy = Policy::try_from(document.clone()).expect("a valid policy");
    let matrix = policy.matrix(sources(document)).expect("known sources");
    for at in 0..matrix.columns.len() {
        let user = engine.user(format!("synthetic{at}")).expect("a user");
        let held: Vec<String> = engine.effective(user).iter().map(ToString::to_string).collect();
        let mut told: Vec<String> = Vec::new();
        for row in &matrix.rows {
            let Some(cell) = row.cell(at) else { continue };
            let action = engine.permission(&row.path).expect("a permission");
            let why = engine.why(user, action, ());
            let is_scoped = matrix.rows.iter().any(|it| {
                it.path.starts_with(&format!("{}.", row.path))
                    && engine.permission(&it.path).is_ok()
            });
            let level = engine.level(user, action, ());
            let code = match &cell.effect {
                _ if cell.without_effect => "gated",
                _ if !cell.licensed => "unlicensed",
                Some(Effect::Forbid) => "forbidden",
                Some(Effect::Deny) => "denied",
                Some(Effect::Level(at)) if level == Some(at) => {
                    let lowest = why.code() == "not_granted";
                    told.extend((!lowest).then(|| format!("{}:{at}", row.path)));
                    continue;
                }
                Some(Effect::Level(_)) => panic!("{row:?}"),
                Some(Effect::Allow) => {
                    told.push(row.path.clone());
                    continue;
                }
                Some(Effect::Except) | None => "not_granted",
            };
            assert!(is_scoped || why.code() == code, "{row:?} {at}: {why}");
        }
        told.sort_unstable();
        assert_eq!(told, held, "{:?}", matrix.columns[at]);
    }
    let lines = matrix.to_csv().matches("\r\n").count();
    assert_eq!(lines, matrix.rows.len() + 1);
}

/// The findings of a document.
pub fn lint(document: &Document) -> Vec<Finding> {
    Policy::try_from(document.clone()).expect("a valid policy").lint()
}

/// A user that a policy could have: with these sources, and the statements of one of
/// its users.
#[derive(Clone, Debug, Default)]
struct Combination {
    user: UserEntry,
    own: Option<String>,
}

fn combination(dice: &mut fastrand::Rng, document: &Document) -> Combination {
    fn names<V>(map: &Map<V>) -> Vec<String> {
        map.iter().map(|(name, _)| name.to_owned()).collect()
    }
    fn some(dice: &mut fastrand::Rng, mut names: Vec<String>) -> Vec<String> {
        dice.shuffle(&mut names);
        let count = dice.usize(..=names.len());
        names.truncate(count);
        names
    }
    let mut user = UserEntry::default();
    let profiles = names(&document.profiles);
    if dice.u8(..4) > 0 {
        user.profile = dice.choice(&profiles).cloned();
    }
    user.roles = some(dice, names(&document.roles));
    user.approval_groups = some(dice, names(&document.approval_groups));
    user.groups = some(dice, names(&document.groups));
    let own = match dice.u8(..3) {
        0 => dice.choice(names(&document.users)),
        _ => None,
    };
    Combination { user, own }
}

/// A user who has just these sources, if there can be one.
fn holder_of(sources: &[&SourceName]) -> Option<Combination> {
    let mut user = UserEntry::default();
    for source in sources {
        match source {
            SourceName::Profile(name) => match &user.profile {
                Some(other) if other != name => return None,
                _ => user.profile = Some(name.clone()),
            },
            SourceName::Role(name) => user.roles.push(name.clone()),
            SourceName::ApprovalGroup(name) => user.approval_groups.push(name.clone()),
            _ => {}
        }
    }
    Some(Combination { user, own: None })
}

/// Anybody may have any role.
fn free(mut document: Document) -> Document {
    let roles = std::mem::take(&mut document.roles);
    document.roles = roles
        .into_iter()
        .map(|(name, role)| (name, Role { unique: false, demoted_to: None, ..role }))
        .collect();
    document
}

fn with_users(document: Document, combinations: &[Combination]) -> Document {
    let mut document = free(document);
    for (at, Combination { user, own }) in combinations.iter().enumerate() {
        let own = own.as_ref().and_then(|own| document.users.get(own));
        let statements = own.map_or_else(Statements::default, |own| own.statements.clone());
        document.users.push(format!("synthetic{at}"), UserEntry { statements, ..user.clone() });
    }
    document
}

/// Engines of a document with more users, under several licences.
fn engines(
    dice: &mut fastrand::Rng,
    document: &Document,
    combinations: &[Combination],
) -> Vec<Engine> {
    let as_it_is = with_users(document.clone(), combinations);
    let (mut all, mut none, mut some) = (as_it_is.clone(), as_it_is.clone(), as_it_is.clone());
    licence_all(&mut all);
    none.licence = Default::default();
    licence_all(&mut some);
    some.licence.edition = None;
    some.licence.features.retain(|_| dice.bool());
    [as_it_is, all, none, some].iter().map(engine).collect()
}

fn licence_all(document: &mut Document) {
    fn features(permissions: &[PermissionNode], all: &mut Vec<String>) {
        for permission in permissions {
            all.extend(permission.feature.clone());
            features(&permission.children, all);
        }
    }
    features(&document.catalogue.permissions, &mut document.licence.features);
}

fn answers_are_equal(before: &Engine, after: &Engine, places: &[&str]) {
    let document = Document::from(before.policy());
    let today: Option<Moment> = serde_json::from_str("\"2026-11-21\"").ok();
    assert!(today.is_some());
    let mut actions: Vec<String> = Vec::new();
    paths(&document.catalogue.permissions, "", &mut actions);
    for (name, user) in document.users.iter() {
        let told = || format!("{name} {user:?} without {places:?}");
        let handles = [before.user(name).expect("a user"), after.user(name).expect("a user")];
        assert_eq!(before.effective(handles[0]), after.effective(handles[1]), "{}", told());
        for action in &actions {
            let asked = [before.permission(action), after.permission(action)];
            let [Ok(in_before), Ok(in_after)] = asked else { panic!("{action}") };
            assert_eq!(
                before.level(handles[0], in_before, ()),
                after.level(handles[1], in_after, ()),
                "{action}: {}",
                told()
            );
            assert_eq!(
                before.can_some(handles[0], in_before),
                after.can_some(handles[1], in_after),
                "{action}: {}",
                told()
            );
            assert_eq!(
                before.filter(handles[0], in_before, today),
                after.filter(handles[1], in_after, today),
                "{action}: {}",
                told()
            );
        }
        for (setting, _) in document.catalogue.settings.iter() {
            assert_eq!(
                before.setting(handles[0], setting),
                after.setting(handles[1], setting),
                "{setting}: {}",
                told()
            );
        }
    }
}

/// What can be asked for, thresholds included.
fn paths(permissions: &[PermissionNode], above: &str, all: &mut Vec<String>) {
    for permission in permissions {
        let path = format!("{above}{}", permission.key);
        match &permission.levels {
            _ if permission.heading => {}
            Some(levels) => all.extend(levels[1..].iter().map(|level| format!("{path}:{level}"))),
            None => all.push(path.clone()),
        }
        let beneath = format!("{path}.");
        all.extend(permission.scopes.iter().map(|scope| format!("{beneath}{}", scope.key)));
        paths(&permission.children, &beneath, all);
    }
}

/// Leaves out what is at some places (what is a user's, from all users who say the
/// same), and returns how many of the places there were.
fn leave_out(document: &mut Document, places: &[&str]) -> usize {
    let mut found = 0;
    for source in sources(document) {
        let place = source.place();
        let said = said_by(&source, document).clone();
        let mut left = said.clone();
        let mut out = |place: String| {
            let out = places.contains(&&*place);
            found += usize::from(out);
            !out
        };
        let mut list = |field: &str, entries: &mut Vec<String>| {
            let mut at = 0..;
            entries.retain(|_| out(format!("{place}.{field}[{}]", at.next().expect("a number"))));
        };
        list("allow", &mut left.allow);
        list("except", &mut left.except);
        list("deny", &mut left.deny);
        list("forbid", &mut left.forbid);
        left.levels.retain(|key, _| out(format!("{place}.levels.{key}")));
        left.bounds.retain(|key, _| out(format!("{place}.bounds.{key}")));
        left.settings.retain(|key, _| out(format!("{place}.settings.{key}")));
        if let SourceName::User(_) = source {
            for (name, user) in document.users.clone().iter() {
                if user.statements == said {
                    *said_by(&SourceName::User(name.to_owned()), document) = left.clone();
                }
            }
        } else {
            *said_by(&source, document) = left;
        }
    }
    found
}

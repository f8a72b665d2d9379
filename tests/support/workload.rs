//! A fictitious company of any size, for benches.

#![allow(dead_code, reason = "each bench takes what it needs")]

use std::collections::HashMap;

use fastrand::Rng;
use grantree::Document;
use grantree::document::{
    Assignment, Bound, BoundType, Group, Map, ObjectKind, PermissionNode, RelationType, Role,
    Scope, Source, Statements, UserEntry,
};
use grantree::object::RelationState;
use grantree::object::{Object, Subject, Value};

/// Areas of the product, each a permission with others beneath it.
pub const AREAS: usize = 12;
const TEAMS: usize = 50;
/// The role that every tenth user has.
pub const COMMON: &str = "r0";
/// The actions on jobs, each with three scopes and a bound on the region.
pub const ACTIONS: [&str; 4] = ["view", "edit", "delete", "assign"];

/// A job of a host that knows users and teams by number.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    pub assignee: Option<u32>,
    pub team: u32,
    pub region: &'static str,
}

impl Object for Job {
    fn kind(&self) -> &str {
        "job"
    }
    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
        match name {
            "assignee" => subject.users(self.assignee),
            "team" => subject.groups([self.team]),
            _ => None,
        }
    }
    fn attribute(&self, name: &str) -> Option<Value<'_>> {
        (name == "region").then_some(Value::Text(self.region))
    }
}

/// How far users are alike.
#[derive(Clone, Copy, Debug)]
pub enum Alike {
    /// They have this many combinations of profile, roles and team.
    Combinations(usize),
    /// Not at all: every one has some profile, up to three roles, and up to two
    /// grants of their own; one in a hundred is an admin.
    Hardly,
}

/// What a company is like.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Roughly how many permissions, apart from those on jobs.
    pub permissions: usize,
    pub users: usize,
    pub profiles: usize,
    pub roles: usize,
    /// A profile allows one permission in this many, and a role one in that many.
    pub one_in: (usize, usize),
    pub alike: Alike,
}

/// A policy with this many permissions apart from those on jobs, and this many
/// users, nearly all different: 40 profiles, 20 roles.
pub fn company(permissions: usize, users: usize) -> Document {
    let shape = Shape { profiles: 40, roles: 20, alike: Alike::Hardly, ..ENTERPRISE };
    document(Shape { permissions, users, ..shape })
}

/// A policy with this many permissions apart from those on jobs, and this many
/// users in 2,000 combinations of 100 profiles and 100 roles.
pub fn enterprise(permissions: usize, users: usize) -> Document {
    document(Shape { permissions, users, ..ENTERPRISE })
}

/// A medium-sized enterprise.
pub const ENTERPRISE: Shape = Shape {
    permissions: 1_000,
    users: 100_000,
    profiles: 100,
    roles: 100,
    one_in: (3, 10),
    alike: Alike::Combinations(2_000),
};

/// The paths of the permissions on no object, areas aside.
pub fn paths(permissions: usize) -> Vec<String> {
    let keys = permissions / AREAS - 1;
    (0..AREAS).flat_map(|area| (0..keys).map(move |key| format!("area{area}.k{key}"))).collect()
}

/// Which users have the same sources.
#[derive(Debug)]
pub struct Classes {
    /// The class of each user.
    pub of: Vec<u32>,
    /// A user of each class.
    pub examples: Vec<u32>,
}

/// The classes of a document's users, who are numbered in its order.
pub fn classes(document: &Document) -> Classes {
    let mut known = HashMap::new();
    let mut classes = Classes { of: Vec::new(), examples: Vec::new() };
    for ((_, user), number) in document.users.iter().zip(0..) {
        let sources = (&user.profile, &user.roles, user.admin, &user.statements.allow);
        let class = *known.entry(sources).or_insert_with(|| {
            classes.examples.push(number);
            classes.examples.len() as u32 - 1
        });
        classes.of.push(class);
    }
    classes
}

/// Gives every user some assignments, each of a role in one team for a year.
pub fn assign(document: &mut Document, assignments: usize) {
    let mut rng = Rng::with_seed(3);
    let names: Vec<String> = document.users.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let user = document.users.get_mut(&name).expect("a user");
        for at in 0..assignments {
            let team = Bound::OneOf(vec![rng.usize(..TEAMS).to_string()]);
            let on = Map::from_iter([("job", Map::from_iter([("team", team)]))]);
            let assignment = Assignment {
                roles: vec![format!("r{}", rng.usize(1..100))],
                on: Some(on),
                until: "2026-12-31".parse().ok(),
                ..Assignment::default()
            };
            user.assignments.push(format!("a{at}"), assignment);
        }
    }
}

/// An enterprise with a `head`, who may do everything in every team, is no admin, and
/// bound by all that governance has.
pub fn administered(permissions: usize, users: usize) -> Document {
    let mut document = enterprise(permissions, users);
    let teams = || (0..TEAMS).map(|team| team.to_string());
    for team in teams() {
        document.groups.push(team, Group::default());
    }
    let statements = Statements { allow: vec!["**".to_owned()], ..Statements::default() };
    let head = UserEntry { groups: teams().collect(), statements, ..UserEntry::default() };
    document.users.push("head", head);
    let kinds = ["assign_role", "edit_role", "set_group", "set_groups", "set_suspended"];
    document.governance.permissions =
        kinds.iter().map(|&kind| (kind, vec!["area0".to_owned()])).collect();
    document.governance.no_escalation = true;
    document.governance.protect_superiors = true;
    document
}

/// A policy of any shape.
pub fn document(shape: Shape) -> Document {
    let Shape { permissions, users, profiles, roles, one_in, alike } = shape;
    let mut rng = Rng::with_seed(7);
    let mut document = Document::default();
    catalogue(&mut document, permissions);
    let paths = paths(permissions);
    let some = |rng: &mut Rng, one_in: usize| -> Vec<String> {
        let mut allow: Vec<String> =
            paths.iter().filter(|_| rng.usize(..one_in) == 0).cloned().collect();
        allow.extend((0..AREAS).map(|area| format!("area{area}")));
        allow
    };
    for profile in 0..profiles {
        let statements = Statements {
            allow: some(&mut rng, one_in.0),
            bounds: regions(&mut rng, 3),
            ..Statements::default()
        };
        document.profiles.push(format!("p{profile}"), Source { statements, ..Source::default() });
    }
    for role in 0..roles {
        let mut allow = some(&mut rng, one_in.1);
        allow.push(format!("jobs.{}", rng.choice(ACTIONS).expect("there are some")));
        let statements =
            Statements { allow, bounds: regions(&mut rng, 2), ..Statements::default() };
        let source = Source { statements, ..Source::default() };
        document.roles.push(format!("r{role}"), Role { source, ..Role::default() });
    }
    let user = |rng: &mut Rng| {
        let mut held: Vec<String> =
            (0..rng.usize(..4)).map(|_| format!("r{}", 1 + rng.usize(..roles - 1))).collect();
        held.dedup();
        if rng.usize(..10) == 0 {
            held.push(COMMON.to_owned());
        }
        UserEntry {
            profile: Some(format!("p{}", rng.usize(..profiles))),
            roles: held,
            groups: vec![rng.usize(..TEAMS).to_string()],
            admin: rng.usize(..100) == 0,
            ..UserEntry::default()
        }
    };
    let combinations: Vec<UserEntry> = match alike {
        Alike::Combinations(count) => (0..count).map(|_| user(&mut rng)).collect(),
        Alike::Hardly => Vec::new(),
    };
    for number in 0..users {
        let user = match alike {
            Alike::Combinations(count) => combinations[rng.usize(..count)].clone(),
            Alike::Hardly => {
                let own = (0..rng.usize(..3)).filter_map(|_| rng.choice(&paths).cloned());
                let statements = Statements { allow: own.collect(), ..Statements::default() };
                UserEntry { statements, ..user(&mut rng) }
            }
        };
        document.users.push(number.to_string(), user);
    }
    document
}

/// Adds the permissions.
fn catalogue(document: &mut Document, permissions: usize) {
    for area in 0..AREAS {
        let keys = (0..permissions / AREAS - 1).map(|key| format!("k{key}"));
        let children: Vec<PermissionNode> =
            keys.map(|key| PermissionNode { key, ..PermissionNode::default() }).collect();
        let key = format!("area{area}");
        let area = PermissionNode { key, children, ..PermissionNode::default() };
        document.catalogue.permissions.push(area);
    }
    let scope = |key: &str, relation: &str, states: &[RelationState]| Scope {
        key: key.to_owned(),
        when: Map::from_iter([(relation, states.iter().copied().collect())]),
        ..Scope::default()
    };
    let actions = ACTIONS.iter().map(|&action| PermissionNode {
        key: action.to_owned(),
        scopes: vec![
            scope("mine", "assignee", &[RelationState::Me]),
            scope("team", "team", &[RelationState::Me]),
            scope("free", "assignee", &[RelationState::None]),
        ],
        ..PermissionNode::default()
    });
    document.catalogue.permissions.push(PermissionNode {
        key: "jobs".to_owned(),
        heading: true,
        children: actions
            .map(|action| PermissionNode { object: Some("job".to_owned()), ..action })
            .collect(),
        ..PermissionNode::default()
    });
    document.catalogue.objects.push(
        "job",
        ObjectKind {
            relations: Map::from_iter([
                ("assignee", RelationType::User),
                ("team", RelationType::Group),
            ]),
            attributes: Map::from_iter([("region", BoundType::OneOf)]),
            checks: vec!["region".to_owned()],
            ..ObjectKind::default()
        },
    );
    document.global.allow.push("jobs.**".to_owned());
    document.global.bounds.push("job.region", Bound::Any);
}

fn regions(rng: &mut Rng, most: usize) -> Map<Bound> {
    let regions = (0..1 + rng.usize(..most)).map(|_| format!("region{}", rng.usize(..8)));
    Map::from_iter([("job.region", Bound::OneOf(regions.collect()))])
}

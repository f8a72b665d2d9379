//! This crate.

use std::rc::Rc;

use grantree::Document;
use grantree::document::{
    Map, ObjectKind, PermissionNode as Declared, RelationType, Role, Scope as Scoped, Source,
    Statements, UserEntry as Member,
};
use grantree::object::{Object, RelationState, Subject, Value};
use grantree::{Engine, Permission, Policy, User};

use super::Peer;
use crate::world::{self, ACTIONS, Flat, JOBS, OnJob, SCOPES, Scope, World};

/// Asked with handles, which a host keeps.
pub struct Handles(Engine);

/// Asked by names.
pub struct Names(Engine);

impl Peer<Flat> for Handles {
    const NAME: &'static str = "grantree";
    const MODEL: &'static str = "profiles, roles and users' own grants; asked with handles";
    type Question = (User, Permission);

    fn build(world: &World) -> Handles {
        Handles(engine(world))
    }

    fn question(&self, world: &World, it: Flat) -> (User, Permission) {
        let path = &world.permissions[it.permission].path;
        (user(&self.0, it.user), permission(&self.0, path))
    }

    fn answer(&mut self, &(user, permission): &(User, Permission)) -> bool {
        self.0.can(user, permission, ())
    }
}

impl Peer<Flat> for Names {
    const NAME: &'static str = "grantree, by names";
    const MODEL: &'static str = "the same, asked by names";
    type Question = (String, Rc<str>);

    fn build(world: &World) -> Names {
        Names(engine(world))
    }

    fn question(&self, world: &World, it: Flat) -> (String, Rc<str>) {
        (world::User::name(it.user), world.permissions[it.permission].path.clone())
    }

    fn answer(&mut self, (user, permission): &(String, Rc<str>)) -> bool {
        self.0.check(user, permission, ()).expect("known names")
    }
}

impl Peer<OnJob> for Handles {
    const NAME: &'static str = "grantree";
    const MODEL: &'static str =
        "scopes; asked with handles, on the host's own struct, which has integer ids";
    type Question = (User, Permission, Job);

    fn build(world: &World) -> Handles {
        Handles(engine(world))
    }

    fn question(&self, world: &World, it: OnJob) -> (User, Permission, Job) {
        let action = permission(&self.0, ACTIONS[it.action]);
        (user(&self.0, it.user), action, Job(world.jobs[it.job]))
    }

    fn answer(&mut self, (user, permission, job): &(User, Permission, Job)) -> bool {
        self.0.can(*user, *permission, job)
    }
}

impl Peer<OnJob> for Names {
    const NAME: &'static str = "grantree, by names";
    const MODEL: &'static str = "the same, asked by names";
    type Question = (String, &'static str, Job);

    fn build(world: &World) -> Names {
        Names(engine(world))
    }

    fn question(&self, world: &World, it: OnJob) -> Self::Question {
        (world::User::name(it.user), ACTIONS[it.action], Job(world.jobs[it.job]))
    }

    fn answer(&mut self, (user, permission, job): &Self::Question) -> bool {
        self.0.check(user, permission, job).expect("known names")
    }
}

/// The host's struct.
pub struct Job(world::Job);

impl Object for Job {
    fn kind(&self) -> &str {
        "job"
    }
    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
        match name {
            "assignee" => subject.users(self.0.assignee),
            "requester" => subject.users([self.0.requester]),
            "team" => subject.groups([self.0.team]),
            _ => None,
        }
    }
    fn attribute(&self, _: &str) -> Option<Value<'_>> {
        None
    }
}

fn user(engine: &Engine, number: usize) -> User {
    engine.user(&world::User::name(number)).expect("a known user")
}

fn permission(engine: &Engine, path: &str) -> Permission {
    engine.permission(path).expect("a known permission")
}

fn engine(world: &World) -> Engine {
    Engine::new(&Policy::try_from(document(world)).expect("a valid policy"))
}

fn document(world: &World) -> Document {
    let mut document = Document::default();
    catalogue(&mut document, world);
    let allow = |numbers: &[usize]| Statements {
        allow: numbers.iter().map(|&it| world.permissions[it].path.to_string()).collect(),
        ..Statements::default()
    };
    for (number, grants) in world.profiles.iter().enumerate() {
        let source = Source { statements: allow(grants), ..Source::default() };
        document.profiles.push(format!("profile{number}"), source);
    }
    for (number, grants) in world.roles.iter().enumerate() {
        let source = Source { statements: allow(grants), ..Source::default() };
        document.roles.push(format!("role{number}"), Role { source, ..Role::default() });
    }
    for (number, user) in world.users.iter().enumerate() {
        let member = Member {
            profile: Some(format!("profile{}", user.profile)),
            roles: user.roles.iter().map(|role| format!("role{role}")).collect(),
            groups: vec![user.team.to_string()],
            admin: user.admin,
            statements: allow(&user.own),
            ..Member::default()
        };
        document.users.push(world::User::name(number), member);
    }
    document
}

/// A permission's needs are the permission above it; an action's scopes are
/// what the relations `assignee`, `requester` and `team` have to be.
fn catalogue(document: &mut Document, world: &World) {
    let roots = &mut document.catalogue.permissions;
    for (number, permission) in world.permissions.iter().enumerate().take(JOBS) {
        let key = permission.path.rsplit('.').next().unwrap_or_default().to_owned();
        let declared = Declared { key, ..Declared::default() };
        match roots.last_mut() {
            Some(area) if permission.needs != number => area.children.push(declared),
            _ => roots.push(declared),
        }
    }
    if world.jobs.is_empty() {
        return;
    }
    let actions = ACTIONS.map(|action| Declared {
        key: action.trim_start_matches("jobs.").to_owned(),
        object: Some("job".to_owned()),
        scopes: SCOPES.map(scope).into(),
        ..Declared::default()
    });
    roots.push(Declared {
        key: "jobs".to_owned(),
        children: actions.into(),
        ..Declared::default()
    });
    let relations = [
        ("assignee", RelationType::User),
        ("requester", RelationType::User),
        ("team", RelationType::Group),
    ];
    let job = ObjectKind { relations: Map::from_iter(relations), ..ObjectKind::default() };
    document.catalogue.objects.push("job", job);
}

fn scope(scope: Scope) -> Scoped {
    let relation = match scope {
        Scope::Any => None,
        Scope::Assigned => Some("assignee"),
        Scope::Requested => Some("requester"),
        Scope::Team => Some("team"),
    };
    Scoped {
        key: scope.key().to_owned(),
        when: relation.map(|it| (it, RelationState::Me.into())).into_iter().collect(),
        ..Scoped::default()
    }
}

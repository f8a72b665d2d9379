//! Cedar: one entity store, shared; policies and names parsed before.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, RestrictedExpression,
};

use super::Peer;
use crate::world::{ACTIONS, FIRST_ID, Flat, OnJob, SCOPES, TEAMS, User, World, scoped};

/// Users in roles in permissions; an admin is in a role that is in all of them.
pub struct Hierarchy {
    store: Store,
    names: Names,
    /// For each action, its permission in each scope.
    contexts: Vec<Context>,
}

impl Peer<Flat> for Hierarchy {
    const NAME: &'static str = "cedar-policy, hierarchy";
    const MODEL: &'static str = "one policy over users in roles in permissions, each permission \
        naming what it needs; the policy and all names parsed before, one entity store";
    // Every user's ancestors are kept.
    const MOST_USERS: usize = 100_000;
    type Question = Asked;

    fn build(world: &World) -> Hierarchy {
        let names = Names::new(world);
        let permissions = world.permissions.iter().zip(&names.permissions);
        let permissions = permissions
            .map(|(it, uid)| entity(uid.clone(), [("needs", names.value(it.needs))], []));
        let entities = permissions.chain(sources(&names, world)).chain(users(&names, world));
        let policy = r#"permit (principal, action == Action::"use", resource)
            when { principal in resource && principal in resource.needs };"#;
        Hierarchy { store: Store::new(policy, entities), names, contexts: Vec::new() }
    }

    fn question(&self, _: &World, it: Flat) -> Asked {
        self.names.on_permission(it)
    }

    fn answer(&mut self, asked: &Asked) -> bool {
        self.store.allows(asked)
    }
}

impl Peer<OnJob> for Hierarchy {
    const NAME: &'static str = "cedar-policy, hierarchy";
    const MODEL: &'static str = "one policy for the four scopes, whose permissions come with the \
        action, as a context parsed before; jobs are entities loaded before";
    const MOST_USERS: usize = 100_000;
    type Question = Asked;

    fn build(world: &World) -> Hierarchy {
        let names = Names::new(world);
        let permissions = names.permissions.iter().map(|uid| entity(uid.clone(), [], []));
        let teams = (0..TEAMS).map(|team| entity(names.team(team), [], []));
        let jobs = world.jobs.iter().enumerate().map(|(number, job)| {
            let attributes = [
                job.assignee.map(|id| ("assignee", names.user(id))),
                Some(("requester", names.user(job.requester))),
                Some(("team", names.team(job.team))),
            ];
            let attributes = attributes.into_iter().flatten();
            let attributes =
                attributes.map(|(key, uid)| (key, RestrictedExpression::new_entity_uid(uid)));
            entity(uid(&names.job, &number), attributes, [])
        });
        let fixed = permissions.chain(teams).chain(sources(&names, world));
        let entities = fixed.chain(users(&names, world)).chain(jobs);
        let policy = r#"permit (principal, action == Action::"act", resource)
            when {
                principal in Permission::"jobs" && (
                    principal in context.any ||
                    (resource has assignee && resource.assignee == principal &&
                        principal in context.assigned) ||
                    (resource.requester == principal && principal in context.requested) ||
                    (principal in resource.team && principal in context.team))
            };"#;
        let context = |action| {
            let scopes = SCOPES.map(|it| (it.key().to_owned(), names.value(scoped(action, it))));
            Context::from_pairs(scopes).expect("a valid context")
        };
        let contexts = (0..ACTIONS.len()).map(context).collect();
        Hierarchy { store: Store::new(policy, entities), contexts, names }
    }

    fn question(&self, _: &World, it: OnJob) -> Asked {
        Asked {
            principal: self.names.user(FIRST_ID + it.user as u32),
            action: self.names.act.clone(),
            resource: uid(&self.names.job, &it.job),
            context: self.contexts[it.action].clone(),
        }
    }

    fn answer(&mut self, asked: &Asked) -> bool {
        self.store.allows(asked)
    }
}

/// Sets of sources, a user's and a permission's, which have to meet.
pub struct Sets {
    store: Store,
    names: Names,
}

impl Peer<Flat> for Sets {
    const NAME: &'static str = "cedar-policy, sets";
    const MODEL: &'static str = "one policy over a set of sources for each user, and for each \
        permission and what it needs, which is lighter on memory";
    type Question = Asked;

    fn build(world: &World) -> Sets {
        let names = Names::new(world);
        let set = |uids: Vec<EntityUid>| {
            let uids = uids.into_iter().map(RestrictedExpression::new_entity_uid);
            RestrictedExpression::new_set(uids)
        };
        let permissions = world.permissions.iter().enumerate().map(|(number, permission)| {
            let permitted = &names.permissions[number];
            let mut sources = vec![permitted.clone(), names.admin.clone()];
            let granting = grants(&names, world).filter(|(_, grants)| grants.contains(&number));
            sources.extend(granting.map(|(source, _)| source));
            let needs = names.value(permission.needs);
            entity(permitted.clone(), [("sources", set(sources)), ("needs", needs)], [])
        });
        let users = world.users.iter().zip(FIRST_ID..).map(|(user, id)| {
            entity(names.user(id), [("sources", set(names.sources_of(user)))], [])
        });
        let policy = r#"permit (principal, action == Action::"use", resource)
            when {
                principal.sources.containsAny(resource.sources) &&
                principal.sources.containsAny(resource.needs.sources)
            };"#;
        Sets { store: Store::new(policy, permissions.chain(users)), names }
    }

    fn question(&self, _: &World, it: Flat) -> Asked {
        self.names.on_permission(it)
    }

    fn answer(&mut self, asked: &Asked) -> bool {
        self.store.allows(asked)
    }
}

/// What a request is made of.
pub struct Asked {
    principal: EntityUid,
    action: EntityUid,
    resource: EntityUid,
    context: Context,
}

struct Store {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
}

impl Store {
    fn new(policies: &str, entities: impl Iterator<Item = Entity>) -> Store {
        Store {
            authorizer: Authorizer::new(),
            policies: policies.parse().expect("a valid policy"),
            entities: Entities::from_entities(entities, None).expect("valid entities"),
        }
    }

    fn allows(&self, asked: &Asked) -> bool {
        let Asked { principal, action, resource, context } = asked;
        let (principal, action, resource) = (principal.clone(), action.clone(), resource.clone());
        let request = Request::new(principal, action, resource, context.clone(), None)
            .expect("a request without a schema is valid");
        let response = self.authorizer.is_authorized(&request, &self.policies, &self.entities);
        response.decision() == Decision::Allow
    }
}

/// Names that questions and entities share, parsed once.
struct Names {
    user: EntityTypeName,
    team: EntityTypeName,
    job: EntityTypeName,
    using: EntityUid,
    act: EntityUid,
    admin: EntityUid,
    profiles: Vec<EntityUid>,
    roles: Vec<EntityUid>,
    permissions: Vec<EntityUid>,
}

impl Names {
    fn new(world: &World) -> Names {
        let ty = |name: &str| -> EntityTypeName { name.parse().expect("a valid name") };
        let (action, profile, role, permission) =
            (ty("Action"), ty("Profile"), ty("Role"), ty("Permission"));
        Names {
            user: ty("User"),
            team: ty("Team"),
            job: ty("Job"),
            using: uid(&action, &"use"),
            act: uid(&action, &"act"),
            admin: uid(&role, &"admin"),
            profiles: (0..world.profiles.len()).map(|it| uid(&profile, &it)).collect(),
            roles: (0..world.roles.len()).map(|it| uid(&role, &it)).collect(),
            permissions: world.permissions.iter().map(|it| uid(&permission, &it.path)).collect(),
        }
    }

    fn user(&self, id: u32) -> EntityUid {
        uid(&self.user, &id)
    }

    fn team(&self, number: u32) -> EntityUid {
        uid(&self.team, &number)
    }

    /// The permission of that number as an attribute's value.
    fn value(&self, permission: usize) -> RestrictedExpression {
        RestrictedExpression::new_entity_uid(self.permissions[permission].clone())
    }

    /// The user's profile and roles, and the permissions of their own.
    fn sources_of(&self, user: &User) -> Vec<EntityUid> {
        let mut sources = vec![self.profiles[user.profile].clone()];
        sources.extend(user.roles.iter().map(|&role| self.roles[role].clone()));
        sources.extend(user.own.iter().map(|&permission| self.permissions[permission].clone()));
        sources.extend(user.admin.then(|| self.admin.clone()));
        sources
    }

    fn on_permission(&self, it: Flat) -> Asked {
        Asked {
            principal: self.user(FIRST_ID + it.user as u32),
            action: self.using.clone(),
            resource: self.permissions[it.permission].clone(),
            context: Context::empty(),
        }
    }
}

fn uid(ty: &EntityTypeName, id: &impl ToString) -> EntityUid {
    EntityUid::from_type_name_and_id(ty.clone(), EntityId::new(id.to_string()))
}

/// Every profile and role, and what it grants.
fn grants<'a>(
    names: &'a Names,
    world: &'a World,
) -> impl Iterator<Item = (EntityUid, &'a [usize])> {
    let profiles = names.profiles.iter().zip(&world.profiles);
    let roles = names.roles.iter().zip(&world.roles);
    profiles.chain(roles).map(|(source, grants)| (source.clone(), &**grants))
}

/// Every profile and role as an entity in what it grants, and the admins' role.
fn sources(names: &Names, world: &World) -> Vec<Entity> {
    let permission = |&number: &usize| names.permissions[number].clone();
    grants(names, world)
        .map(|(source, grants)| entity(source, [], grants.iter().map(permission)))
        .chain([entity(names.admin.clone(), [], names.permissions.iter().cloned())])
        .collect()
}

/// Every user as an entity in what the user has, and in a team if there are jobs.
fn users(names: &Names, world: &World) -> impl Iterator<Item = Entity> {
    world.users.iter().zip(FIRST_ID..).map(|(user, id)| {
        let team = (!world.jobs.is_empty()).then(|| names.team(user.team));
        entity(names.user(id), [], names.sources_of(user).into_iter().chain(team))
    })
}

fn entity(
    uid: EntityUid,
    attributes: impl IntoIterator<Item = (&'static str, RestrictedExpression)>,
    parents: impl IntoIterator<Item = EntityUid>,
) -> Entity {
    let attributes = attributes.into_iter().map(|(key, value)| (key.to_owned(), value));
    Entity::new(uid, HashMap::from_iter(attributes), HashSet::from_iter(parents))
        .expect("attributes without functions are valid")
}

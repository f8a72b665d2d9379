//! casbin: a role graph from users over roles to permissions, and a matcher.

use casbin::rhai::ImmutableString;
use casbin::{CoreApi, DefaultModel, Enforcer, MgmtApi};

use super::{Peer, now};
use crate::world::{self, Flat, OnJob, Scope, World, scoped};

/// The graph; it has a matcher and no rules, which would be scanned.
pub struct Graph {
    enforcer: Enforcer,
    /// The permissions' paths, each allocated once.
    paths: Vec<ImmutableString>,
}

impl Graph {
    fn new(world: &World, model: &str) -> Graph {
        let mut enforcer = now(async {
            let model = DefaultModel::from_str(model).await.expect("a valid model");
            Enforcer::new(model, ()).await.expect("an enforcer")
        });
        now(enforcer.add_grouping_policies(links(world))).expect("valid links");
        let paths = world.permissions.iter().map(|it| (&*it.path).into()).collect();
        Graph { enforcer, paths }
    }

    fn allows(&self, request: &[ImmutableString]) -> bool {
        self.enforcer.enforce(request.to_vec()).expect("a valid request")
    }
}

impl Peer<Flat> for Graph {
    const NAME: &'static str = "casbin";
    const MODEL: &'static str = "a role graph from users over roles to permissions, one matcher, \
        no rules to scan; texts interned before";
    type Question = [ImmutableString; 3];

    fn build(world: &World) -> Graph {
        Graph::new(
            world,
            "[request_definition]
            r = user, permission, needs
            [policy_definition]
            p = none
            [role_definition]
            g = _, _
            [policy_effect]
            e = some(where (p.eft == allow))
            [matchers]
            m = g(r.user, r.permission) && g(r.user, r.needs)",
        )
    }

    fn question(&self, world: &World, it: Flat) -> [ImmutableString; 3] {
        let path = |permission: usize| self.paths[permission].clone();
        let needs = world.permissions[it.permission].needs;
        [world::User::name(it.user).into(), path(it.permission), path(needs)]
    }

    fn answer(&mut self, request: &[ImmutableString; 3]) -> bool {
        self.allows(request)
    }
}

impl Peer<OnJob> for Graph {
    const NAME: &'static str = "casbin";
    const MODEL: &'static str = "the same graph; the matcher compares attributes of the job and \
        the user, which come with the request, beside the action's permission in each scope";
    type Question = [ImmutableString; 9];

    fn build(world: &World) -> Graph {
        Graph::new(
            world,
            "[request_definition]
            r = user, any, assigned, requested, team, assignee, requester, job_team, my_team
            [policy_definition]
            p = none
            [role_definition]
            g = _, _
            [policy_effect]
            e = some(where (p.eft == allow))
            [matchers]
            m = g(r.user, \"jobs\") && (g(r.user, r.any) \
                || r.user == r.assignee && g(r.user, r.assigned) \
                || r.user == r.requester && g(r.user, r.requested) \
                || r.my_team == r.job_team && g(r.user, r.team))",
        )
    }

    fn question(&self, world: &World, it: OnJob) -> [ImmutableString; 9] {
        let job = &world.jobs[it.job];
        let scope = |scope| self.paths[scoped(it.action, scope)].clone();
        [
            world::User::name(it.user).into(),
            scope(Scope::Any),
            scope(Scope::Assigned),
            scope(Scope::Requested),
            scope(Scope::Team),
            job.assignee.map(|id| id.to_string()).unwrap_or_default().into(),
            job.requester.to_string().into(),
            job.team.to_string().into(),
            world.users[it.user].team.to_string().into(),
        ]
    }

    fn answer(&mut self, request: &[ImmutableString; 9]) -> bool {
        self.allows(request)
    }
}

/// From users to what they have, and from that to what it grants.
fn links(world: &World) -> Vec<Vec<String>> {
    let path = |permission: usize| world.permissions[permission].path.to_string();
    let mut links = Vec::new();
    let mut link = |from: &str, to: String| links.push(vec![from.to_owned(), to]);
    for (number, grants) in world.profiles.iter().enumerate() {
        grants.iter().for_each(|&it| link(&format!("profile{number}"), path(it)));
    }
    for (number, grants) in world.roles.iter().enumerate() {
        grants.iter().for_each(|&it| link(&format!("role{number}"), path(it)));
    }
    (0..world.permissions.len()).for_each(|it| link("admin", path(it)));
    for (number, user) in world.users.iter().enumerate() {
        let name = world::User::name(number);
        link(&name, format!("profile{}", user.profile));
        user.roles.iter().for_each(|role| link(&name, format!("role{role}")));
        user.own.iter().for_each(|&it| link(&name, path(it)));
        if user.admin {
            link(&name, "admin".to_owned());
        }
    }
    links
}

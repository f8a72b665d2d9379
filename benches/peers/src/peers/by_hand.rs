//! What hosts write themselves: names to sets of names.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::Peer;
use crate::world::{FIRST_ID, Flat, Job, OnJob, SCOPES, Scope, User, World, scoped};

/// Of each user, all that the user holds.
pub struct Merged(HashMap<String, HashSet<String>>);

impl Merged {
    fn new(world: &World) -> Merged {
        let held = |user| world.held(user).map(|it| world.permissions[it].path.to_string());
        let users = 0..world.users.len();
        Merged(users.map(|user| (User::name(user), held(user).collect())).collect())
    }
}

impl Peer<Flat> for Merged {
    const NAME: &'static str = "by hand, merged";
    const MODEL: &'static str = "`HashMap<String, HashSet<String>>` of what each user holds, \
        roles and needs resolved before";
    type Question = (String, Rc<str>);

    fn build(world: &World) -> Merged {
        Merged::new(world)
    }

    fn question(&self, world: &World, it: Flat) -> (String, Rc<str>) {
        (User::name(it.user), world.permissions[it.permission].path.clone())
    }

    fn answer(&mut self, (user, permission): &(String, Rc<str>)) -> bool {
        self.0.get(user).is_some_and(|held| held.contains(&**permission))
    }
}

/// Who asks, as the host knows them by then.
pub struct Asker {
    name: String,
    id: u32,
    team: u32,
}

impl Peer<OnJob> for Merged {
    const NAME: &'static str = "by hand, merged";
    const MODEL: &'static str = "the same, a name for each action and scope; those of the scopes \
        that hold are looked up one by one";
    type Question = (Asker, [(Scope, Rc<str>); 4], Job);

    fn build(world: &World) -> Merged {
        Merged::new(world)
    }

    fn question(&self, world: &World, it: OnJob) -> Self::Question {
        let name = User::name(it.user);
        let user = Asker { name, id: FIRST_ID + it.user as u32, team: world.users[it.user].team };
        let path = |scope| world.permissions[scoped(it.action, scope)].path.clone();
        (user, SCOPES.map(|scope| (scope, path(scope))), world.jobs[it.job])
    }

    fn answer(&mut self, (user, action, job): &Self::Question) -> bool {
        self.0.get(&user.name).is_some_and(|held| {
            let mut scopes = action.iter().filter(|(it, _)| it.holds(user.id, user.team, job));
            scopes.any(|(_, path)| held.contains(&**path))
        })
    }
}

/// Of each user the sources, of each source what it grants.
pub struct Separate {
    admins: HashSet<String>,
    sources: HashMap<String, Vec<String>>,
    grants: HashMap<String, HashSet<String>>,
    needs: HashMap<String, String>,
}

impl Peer<Flat> for Separate {
    const NAME: &'static str = "by hand, roles apart";
    const MODEL: &'static str =
        "the same of roles, and each user's roles; roles and needs are resolved at the question";
    type Question = (String, Rc<str>);

    fn build(world: &World) -> Separate {
        let paths = |numbers: &Vec<usize>| -> HashSet<String> {
            numbers.iter().map(|&it| world.permissions[it].path.to_string()).collect()
        };
        let mut separate = Separate {
            admins: HashSet::new(),
            sources: HashMap::new(),
            grants: HashMap::new(),
            needs: HashMap::new(),
        };
        for (number, grants) in world.profiles.iter().enumerate() {
            separate.grants.insert(format!("profile{number}"), paths(grants));
        }
        for (number, grants) in world.roles.iter().enumerate() {
            separate.grants.insert(format!("role{number}"), paths(grants));
        }
        for (number, user) in world.users.iter().enumerate() {
            let mut sources = vec![format!("profile{}", user.profile)];
            sources.extend(user.roles.iter().map(|role| format!("role{role}")));
            let name = User::name(number);
            if !user.own.is_empty() {
                separate.grants.insert(name.clone(), paths(&user.own));
                sources.push(name.clone());
            }
            if user.admin {
                separate.admins.insert(name.clone());
            }
            separate.sources.insert(name, sources);
        }
        for permission in &world.permissions {
            let needs = world.permissions[permission.needs].path.to_string();
            separate.needs.insert(permission.path.to_string(), needs);
        }
        separate
    }

    fn question(&self, world: &World, it: Flat) -> (String, Rc<str>) {
        (User::name(it.user), world.permissions[it.permission].path.clone())
    }

    fn answer(&mut self, (user, permission): &(String, Rc<str>)) -> bool {
        let (Some(sources), Some(needs)) = (self.sources.get(user), self.needs.get(&**permission))
        else {
            return false;
        };
        let granted = |permission: &str| {
            let mut grants = sources.iter().filter_map(|source| self.grants.get(source));
            grants.any(|grants| grants.contains(permission))
        };
        self.admins.contains(user) || granted(permission) && granted(needs)
    }
}

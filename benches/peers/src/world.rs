//! A made-up company as plain data, what is asked of it, and the naive answers.

use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

use fastrand::Rng;

const AREAS: usize = 12;
const AREA_SIZE: usize = 10;
const PROFILES: usize = 40;
const ROLES: usize = 20;
/// So many teams there are.
pub const TEAMS: u32 = 50;
/// The first user's id; a user's name is the id as text, seven digits long.
pub const FIRST_ID: u32 = 1_000_000;
/// What can be done with a job, and, with `.any` and the like, on which.
pub const ACTIONS: [&str; 4] = ["jobs.view", "jobs.edit", "jobs.assign", "jobs.delete"];
/// The permission that every action on a job needs.
pub const JOBS: usize = AREAS * AREA_SIZE;
/// Every scope, by number.
pub const SCOPES: [Scope; 4] = [Scope::Any, Scope::Assigned, Scope::Requested, Scope::Team];

/// On which jobs an action is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// On all of them.
    Any,
    /// On those that are assigned to the user.
    Assigned,
    /// On those that the user requested.
    Requested,
    /// On those of the user's team.
    Team,
}

impl Scope {
    /// The last key of the permission's path.
    pub fn key(self) -> &'static str {
        match self {
            Scope::Any => "any",
            Scope::Assigned => "assigned",
            Scope::Requested => "requested",
            Scope::Team => "team",
        }
    }

    /// Whether the user is to the job what the scope asks.
    pub fn holds(self, user: u32, team: u32, job: &Job) -> bool {
        match self {
            Scope::Any => true,
            Scope::Assigned => job.assignee == Some(user),
            Scope::Requested => job.requester == user,
            Scope::Team => job.team == team,
        }
    }
}

/// The number of the permission for an action, by its number, in a scope.
pub fn scoped(action: usize, scope: Scope) -> usize {
    JOBS + 1 + action * SCOPES.len() + scope as usize
}

/// The company. Whatever has a number has the number of its place here.
#[derive(Debug)]
pub struct World {
    /// What can be granted.
    pub permissions: Vec<Permission>,
    /// What each profile grants.
    pub profiles: Vec<Vec<usize>>,
    /// What each role grants.
    pub roles: Vec<Vec<usize>>,
    /// Who asks.
    pub users: Vec<User>,
    /// What is acted on; as many as users, or none where the work is flat.
    pub jobs: Vec<Job>,
}

/// A permission.
#[derive(Debug)]
pub struct Permission {
    /// Its name, allocated once, like a text in a host's code.
    pub path: Rc<str>,
    /// The permission without which it has no effect; its own number for none.
    pub needs: usize,
}

/// A user.
#[derive(Debug)]
pub struct User {
    /// What most users get their permissions from.
    pub profile: usize,
    /// Up to three.
    pub roles: Vec<usize>,
    /// Up to two permissions granted to this user alone.
    pub own: Vec<usize>,
    /// Holds every permission.
    pub admin: bool,
    /// One of so many.
    pub team: u32,
}

impl User {
    /// The user's name.
    pub fn name(number: usize) -> String {
        (FIRST_ID as usize + number).to_string()
    }
}

/// A job, with the ids that a host's database has.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Who does it, if anybody.
    pub assignee: Option<u32>,
    /// Who asked for it.
    pub requester: u32,
    /// Whose it is.
    pub team: u32,
}

impl World {
    /// A company of so many users, the same at every call.
    pub fn new(users: usize, with_jobs: bool) -> World {
        let mut rng = Rng::with_seed(7);
        let permissions = permissions(with_jobs);
        let chosen = |rng: &mut Rng, chances: &Chances| -> Vec<usize> {
            (0..permissions.len()).filter(|&number| rng.f32() < chances.of(number)).collect()
        };
        let profiles = (0..PROFILES).map(|_| chosen(&mut rng, &PROFILE)).collect();
        let roles = (0..ROLES).map(|_| chosen(&mut rng, &ROLE)).collect();
        let some = |rng: &mut Rng, most: usize, among: usize| {
            let some: BTreeSet<usize> =
                (0..rng.usize(..=most)).map(|_| rng.usize(..among)).collect();
            Vec::from_iter(some)
        };
        let user = |rng: &mut Rng| User {
            profile: rng.usize(..PROFILES),
            roles: some(rng, 3, ROLES),
            own: some(rng, 2, permissions.len()),
            admin: rng.usize(..100) == 0,
            team: rng.u32(..TEAMS),
        };
        let job = |rng: &mut Rng| {
            let user = |rng: &mut Rng| FIRST_ID + rng.u32(..users as u32);
            Job {
                assignee: (rng.usize(..4) > 0).then(|| user(rng)),
                requester: user(rng),
                team: rng.u32(..TEAMS),
            }
        };
        World {
            profiles,
            roles,
            users: (0..users).map(|_| user(&mut rng)).collect(),
            jobs: (0..if with_jobs { users } else { 0 }).map(|_| job(&mut rng)).collect(),
            permissions,
        }
    }

    /// Whether the user is granted the permission and what it needs.
    pub fn holds(&self, user: usize, permission: usize) -> bool {
        let user = &self.users[user];
        let granted = |number: usize| {
            user.own.contains(&number)
                || self.profiles[user.profile].contains(&number)
                || user.roles.iter().any(|&role| self.roles[role].contains(&number))
        };
        user.admin || granted(permission) && granted(self.permissions[permission].needs)
    }

    /// All that the user holds, in order, for those who resolve it before.
    pub fn held(&self, user: usize) -> impl Iterator<Item = usize> {
        let user = &self.users[user];
        let mut granted = vec![user.admin; self.permissions.len()];
        let roles = user.roles.iter().map(|&role| &self.roles[role]);
        for source in roles.chain([&self.profiles[user.profile], &user.own]) {
            source.iter().for_each(|&permission| granted[permission] = true);
        }
        let needs = self.permissions.iter().map(|it| it.needs).enumerate();
        needs.filter(move |&(it, needs)| granted[it] && granted[needs]).map(|(it, _)| it)
    }
}

/// How often a source grants a permission.
struct Chances {
    /// One that others need.
    needed: f32,
    /// Any other.
    usual: f32,
    /// An action on any job.
    any_job: f32,
}

const PROFILE: Chances = Chances { needed: 0.75, usual: 0.33, any_job: 0.1 };
const ROLE: Chances = Chances { needed: 0.2, usual: 0.1, any_job: 0.03 };

impl Chances {
    fn of(&self, permission: usize) -> f32 {
        match permission {
            JOBS => self.needed,
            0..JOBS if permission.is_multiple_of(AREA_SIZE) => self.needed,
            0..JOBS => self.usual,
            _ if (permission - JOBS - 1).is_multiple_of(SCOPES.len()) => self.any_job,
            _ => self.usual,
        }
    }
}

fn permissions(with_jobs: bool) -> Vec<Permission> {
    let mut permissions = Vec::new();
    for area in 0..AREAS {
        let needs = permissions.len();
        permissions.push(Permission { path: format!("area{area}").into(), needs });
        let paths = (1..AREA_SIZE).map(|key| format!("area{area}.k{key}").into());
        permissions.extend(paths.map(|path| Permission { path, needs }));
    }
    if with_jobs {
        permissions.push(Permission { path: "jobs".into(), needs: JOBS });
        for action in ACTIONS {
            let paths = SCOPES.map(|scope| format!("{action}.{}", scope.key()).into());
            permissions.extend(paths.map(|path| Permission { path, needs: JOBS }));
        }
    }
    permissions
}

/// A kind of work: what is asked.
pub trait Work: Copy + fmt::Debug {
    /// What it is called.
    const NAME: &'static str;
    /// Whether it is about jobs.
    const JOBS: bool;

    /// Some question.
    fn draw(world: &World, rng: &mut Rng) -> Self;

    /// The answer, from the plain data and as plainly as can be.
    fn allowed(self, world: &World) -> bool;
}

/// May the user use the permission? Users and permissions are drawn at random.
#[derive(Clone, Copy, Debug)]
pub struct Flat {
    /// The user's number.
    pub user: usize,
    /// The permission's number.
    pub permission: usize,
}

impl Work for Flat {
    const NAME: &'static str = "flat";
    const JOBS: bool = false;

    fn draw(world: &World, rng: &mut Rng) -> Flat {
        Flat { user: rng.usize(..world.users.len()), permission: rng.usize(..JOBS) }
    }

    fn allowed(self, world: &World) -> bool {
        world.holds(self.user, self.permission)
    }
}

/// May the user do this to the job?
#[derive(Clone, Copy, Debug)]
pub struct OnJob {
    /// The user's number.
    pub user: usize,
    /// The action's number.
    pub action: usize,
    /// The job's number.
    pub job: usize,
}

impl Work for OnJob {
    const NAME: &'static str = "object";
    const JOBS: bool = true;

    /// Some job; and its assignee, its requester, one of its team, or anybody.
    fn draw(world: &World, rng: &mut Rng) -> OnJob {
        let number = rng.usize(..world.jobs.len());
        let job = &world.jobs[number];
        let number_of = |id: u32| (id - FIRST_ID) as usize;
        let anybody = rng.usize(..world.users.len());
        let user = match rng.usize(..4) {
            0 => job.assignee.map_or(anybody, number_of),
            1 => number_of(job.requester),
            2 => (0..10 * TEAMS)
                .map(|_| rng.usize(..world.users.len()))
                .find(|&user| world.users[user].team == job.team)
                .unwrap_or(anybody),
            _ => anybody,
        };
        OnJob { user, action: rng.usize(..ACTIONS.len()), job: number }
    }

    fn allowed(self, world: &World) -> bool {
        let id = FIRST_ID + self.user as u32;
        let team = world.users[self.user].team;
        world.users[self.user].admin
            || SCOPES.into_iter().any(|scope| {
                scope.holds(id, team, &world.jobs[self.job])
                    && world.holds(self.user, scoped(self.action, scope))
            })
    }
}

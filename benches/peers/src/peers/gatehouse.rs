//! gatehouse: policies are Rust code, and every decision brings its trace.

use gatehouse::{EvaluationSession, PermissionChecker, PolicyBuilder, PolicyDomain};

use super::{Peer, now};
use crate::world::{FIRST_ID, Flat, Job, OnJob, SCOPES, World, scoped};

/// A user as the host has loaded them: all that the user holds, in bits.
pub struct Subject {
    id: u32,
    team: u32,
    admin: bool,
    held: [u64; 3],
}

impl Subject {
    fn all(world: &World) -> Vec<Subject> {
        let subjects = world.users.iter().enumerate().map(|(number, user)| {
            let mut held = [0; 3];
            world.held(number).for_each(|it| held[it / 64] |= 1 << (it % 64));
            Subject { id: FIRST_ID + number as u32, team: user.team, admin: user.admin, held }
        });
        subjects.collect()
    }

    fn holds(&self, permission: usize) -> bool {
        self.held[permission / 64] >> (permission % 64) & 1 == 1
    }
}

/// A domain without objects: the action is a permission's number.
struct Product;

impl PolicyDomain for Product {
    type Subject = Subject;
    type Action = usize;
    type Resource = ();
    type Context = ();
}

/// Policies on permissions.
pub struct Permissions {
    checker: PermissionChecker<Product>,
    subjects: Vec<Subject>,
}

impl Peer<Flat> for Permissions {
    const NAME: &'static str = "gatehouse";
    const MODEL: &'static str = "two typed policies, admin and holder, over sets of bits resolved \
        before; its futures, which never wait, are polled in place";
    type Question = (usize, usize);

    fn build(world: &World) -> Permissions {
        let mut checker = PermissionChecker::new();
        let holder = PolicyBuilder::new("holder")
            .when(|user: &Subject, &permission: &usize, _, _| user.holds(permission));
        checker.add_policy(holder.build());
        checker
            .add_policy(PolicyBuilder::new("admin").subjects(|user: &Subject| user.admin).build());
        Permissions { checker, subjects: Subject::all(world) }
    }

    fn question(&self, _: &World, it: Flat) -> (usize, usize) {
        (it.user, it.permission)
    }

    fn answer(&mut self, (user, permission): &(usize, usize)) -> bool {
        let session = EvaluationSession::shared_empty();
        let bound = self.checker.bind(session, &self.subjects[*user], permission, &());
        now(bound.check(&())).is_granted()
    }
}

/// The domain of jobs: the action is an action's number.
struct OfJobs;

impl PolicyDomain for OfJobs {
    type Subject = Subject;
    type Action = usize;
    type Resource = Job;
    type Context = ();
}

/// Policies on jobs.
pub struct Jobs {
    checker: PermissionChecker<OfJobs>,
    subjects: Vec<Subject>,
}

impl Peer<OnJob> for Jobs {
    const NAME: &'static str = "gatehouse";
    const MODEL: &'static str =
        "five typed policies, admin and one for each scope, over the same sets of bits";
    type Question = (usize, usize, Job);

    fn build(world: &World) -> Jobs {
        let mut checker = PermissionChecker::new();
        for scope in SCOPES {
            let policy = PolicyBuilder::new(scope.key());
            let policy = policy.when(move |user: &Subject, &action: &usize, job: &Job, _| {
                scope.holds(user.id, user.team, job) && user.holds(scoped(action, scope))
            });
            checker.add_policy(policy.build());
        }
        checker
            .add_policy(PolicyBuilder::new("admin").subjects(|user: &Subject| user.admin).build());
        Jobs { checker, subjects: Subject::all(world) }
    }

    fn question(&self, world: &World, it: OnJob) -> (usize, usize, Job) {
        (it.user, it.action, world.jobs[it.job])
    }

    fn answer(&mut self, (user, action, job): &(usize, usize, Job)) -> bool {
        let session = EvaluationSession::shared_empty();
        let bound = self.checker.bind(session, &self.subjects[*user], action, &());
        now(bound.check(job)).is_granted()
    }
}

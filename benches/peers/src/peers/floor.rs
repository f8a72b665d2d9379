//! The least that a decision takes: a table by hand, asked by number.

use std::collections::HashMap;

use super::Peer;
use crate::world::{self, FIRST_ID, JOBS, Job, SCOPES, World};

/// A row of bits for each class of users that hold the same.
pub struct Bits {
    classes: Vec<u32>,
    rows: Vec<[u64; 2]>,
}

impl Peer<world::Flat> for Bits {
    const NAME: &'static str = "floor";
    const MODEL: &'static str =
        "a table written by hand, asked by number: the user's class, a word, a bit";
    type Question = (u32, u32);

    fn build(world: &World) -> Bits {
        let mut classes = Classes::default();
        for user in 0..world.users.len() {
            let mut row = [0; 2];
            world.held(user).for_each(|it| row[it / 64] |= 1 << (it % 64));
            classes.push(row);
        }
        Bits { classes: classes.of, rows: classes.rows }
    }

    fn question(&self, _: &World, it: world::Flat) -> (u32, u32) {
        (it.user as u32, it.permission as u32)
    }

    fn answer(&mut self, &(user, permission): &(u32, u32)) -> bool {
        let row = &self.rows[self.classes[user as usize] as usize];
        row[permission as usize / 64] >> (permission % 64) & 1 == 1
    }
}

/// Four bits for each action, one of each scope.
pub struct Masks {
    users: Vec<(u32, u32)>,
    rows: Vec<u16>,
}

impl Peer<world::OnJob> for Masks {
    const NAME: &'static str = "floor";
    const MODEL: &'static str =
        "the same; a mask of what the user is to the job against four bits for the action";
    type Question = (u32, u32, Job);

    fn build(world: &World) -> Masks {
        let mut classes = Classes::default();
        for user in 0..world.users.len() {
            let mut row = 0;
            world.held(user).filter(|&it| it > JOBS).for_each(|it| row |= 1 << (it - JOBS - 1));
            classes.push(row);
        }
        let teams = world.users.iter().map(|user| user.team);
        Masks { users: classes.of.into_iter().zip(teams).collect(), rows: classes.rows }
    }

    fn question(&self, world: &World, it: world::OnJob) -> (u32, u32, Job) {
        (it.user as u32, it.action as u32, world.jobs[it.job])
    }

    fn answer(&mut self, &(user, action, job): &(u32, u32, Job)) -> bool {
        let (class, team) = self.users[user as usize];
        let granted = self.rows[class as usize] >> (action * 4);
        let related = SCOPES.into_iter().fold(0, |mask, scope| {
            mask | u16::from(scope.holds(FIRST_ID + user, team, &job)) << scope as u16
        });
        granted & related != 0
    }
}

/// Rows, each once, and the row of each user.
struct Classes<R> {
    of: Vec<u32>,
    rows: Vec<R>,
    known: HashMap<R, u32>,
}

impl<R> Default for Classes<R> {
    fn default() -> Self {
        Classes { of: Vec::new(), rows: Vec::new(), known: HashMap::new() }
    }
}

impl<R: Copy + Eq + std::hash::Hash> Classes<R> {
    fn push(&mut self, row: R) {
        let class = *self.known.entry(row).or_insert_with(|| {
            self.rows.push(row);
            self.rows.len() as u32 - 1
        });
        self.of.push(class);
    }
}

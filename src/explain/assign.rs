//! Which sources would bring what is missing, and who may assign them.

use super::mend::{Assigned, Assignment, Mending, Step};
use crate::bits::BitSet;
use crate::catalogue::Bit;
use crate::engine::{Engine, effective};
use crate::names::number;
use crate::object::Object;
use crate::policy::{Inner, SourceId, User};
use crate::reason::Reason;

/// How many sources are combined at most, how many combinations of each size
/// are tried, and how many are told.
const LARGEST: usize = 3;
const TRIED: usize = 2_000;
const TOLD: usize = 16;

impl<O: Object + ?Sized> Mending<'_, O> {
    /// The sources that would do in the place of what a mend allows to the
    /// user: one, or else as few as it takes.
    pub(super) fn assignments(&self, mend: &[Step]) -> Vec<Assignment> {
        let user = self.holder.1;
        let besides: Vec<Step> = mend.iter().filter(|step| !step.is_grant()).cloned().collect();
        if besides.len() == mend.len() {
            return Vec::new();
        }
        let before = effective(self.policy, user);
        let brings = |set: &[SourceId]| {
            let user = with(user, set);
            let after = effective(self.policy, &user);
            let may = self.allows(&besides, &user) && !self.policy.separates(&before, &after);
            may.then(|| after.iter().filter(|&bit| !before.contains(bit)).count())
        };
        let mut candidates = self.policy.assignable(user);
        for size in 1..=LARGEST {
            let sets = combinations(candidates.len(), size).take(TRIED);
            let sets = sets.map(|set| set.into_iter().map(|at| candidates[at]).collect::<Vec<_>>());
            let mut found: Vec<(usize, Vec<SourceId>)> =
                sets.filter_map(|set| Some((brings(&set)?, set))).collect();
            if !found.is_empty() {
                found.sort_by_key(|(brings, _)| *brings);
                found.truncate(TOLD);
                let told = found.into_iter().map(|(brings, set)| self.assignment(&set, brings));
                return told.collect();
            }
            if size == 1 {
                candidates.retain(|&source| self.helps(mend, &besides, source));
            }
        }
        Vec::new()
    }

    /// Whether a source brings some of what a mend grants.
    fn helps(&self, mend: &[Step], besides: &[Step], source: SourceId) -> bool {
        self.try_walk(besides, &with(self.holder.1, &[source]), |walk| {
            mend.iter().any(|step| match step {
                Step::Allow(bit) => matches!(walk.held(*bit), Reason::Granted | Reason::Gated),
                Step::Widen(check, _) => walk.passes(*check),
                _ => false,
            })
        })
    }

    fn assignment(&self, set: &[SourceId], brings: usize) -> Assignment {
        let assigned = |&source: &SourceId| Assigned {
            source: self.policy.source_ref(source, self.holder.0),
            approvers: self.engine.approvers(self.holder.1, source),
        };
        Assignment { sources: set.iter().map(assigned).collect(), brings }
    }
}

/// The combinations of so many things, by number, in order.
fn combinations(of: usize, size: usize) -> impl Iterator<Item = Vec<usize>> {
    let first = (size <= of).then(|| (0..size).collect::<Vec<_>>());
    std::iter::successors(first, move |last| {
        let at = (0..size).rev().find(|&at| last[at] < of - size + at)?;
        let mut next = last.clone();
        for (place, value) in next[at..].iter_mut().zip(last[at] + 1..) {
            *place = value;
        }
        Some(next)
    })
}

/// The user with other sources besides; a profile takes the place of the user's
/// own.
fn with(user: &User, sources: &[SourceId]) -> User {
    let mut user = user.clone();
    let plus = |ids: &[u32], id: u32| ids.iter().copied().chain([id]).collect::<Box<[u32]>>();
    for &source in sources {
        match source {
            SourceId::Profile(id) => user.profile = Some(id),
            SourceId::Role(id) => user.roles = plus(&user.roles, id),
            SourceId::ApprovalGroup(id) => user.approval_groups = plus(&user.approval_groups, id),
            SourceId::Global | SourceId::Own => {}
        }
    }
    user
}

impl Inner {
    /// The sources that a user could be given: those that the user lacks, but
    /// for unique roles that somebody holds.
    fn assignable(&self, user: &User) -> Vec<SourceId> {
        let mut taken: Vec<bool> = vec![false; self.roles.len()];
        for role in self.closure(&user.roles) {
            taken[role as usize] = true;
        }
        if self.roles.values().any(|role| role.unique) {
            for &role in self.users.values().flat_map(|user| &user.roles) {
                taken[role as usize] |= self.roles[role as usize].unique;
            }
        }
        let roles = (0..number(self.roles.len())).filter(|&id| !taken[id as usize]);
        let profiles = 0..number(self.profiles.len());
        let profiles = profiles.filter(|&id| user.profile != Some(id));
        let groups = 0..number(self.approval_groups.len());
        let groups = groups.filter(|id| !user.approval_groups.contains(id));
        roles
            .map(SourceId::Role)
            .chain(profiles.map(SourceId::Profile))
            .chain(groups.map(SourceId::ApprovalGroup))
            .collect()
    }

    /// Whether a user would come to hold more of some separation's permissions
    /// than it lets one user hold.
    fn separates(&self, before: &BitSet, after: &BitSet) -> bool {
        self.governance.separation.iter().any(|separation| {
            let bits = separation.permissions.iter();
            let bits: Vec<Bit> =
                bits.filter_map(|name| self.catalogue.threshold(name).ok()).collect();
            let count = |held: &BitSet| bits.iter().filter(|&&bit| held.contains(bit)).count();
            count(after) > separation.at_most as usize && count(after) > count(before)
        })
    }

    /// The lists of roles of each of which an actor must hold one to give a
    /// source: its own, and those of the roles that it includes.
    fn guards(&self, source: SourceId) -> Vec<&[u32]> {
        let guards: Vec<&[u32]> = match source {
            SourceId::Profile(id) => vec![&self.profiles[id as usize].assignable_by],
            SourceId::ApprovalGroup(id) => vec![&self.approval_groups[id as usize].assignable_by],
            SourceId::Role(id) => {
                let roles = self.closure(&[id]).into_iter();
                roles.map(|id| &*self.roles[id as usize].source.assignable_by).collect()
            }
            SourceId::Global | SourceId::Own => Vec::new(),
        };
        guards.into_iter().filter(|roles| !roles.is_empty()).collect()
    }
}

impl Engine {
    /// Who may give a source to a user under `governance`, sorted.
    fn approvers(&self, to: &User, source: SourceId) -> Vec<String> {
        let policy = self.policy().inner();
        let change = match source {
            SourceId::Profile(_) => "assign_profile",
            SourceId::Role(_) => "assign_role",
            SourceId::ApprovalGroup(_) => "assign_approval_group",
            SourceId::Global | SourceId::Own => return Vec::new(),
        };
        let mut guards = policy.guards(source);
        if let (SourceId::Profile(_), Some(replaced)) = (source, to.profile) {
            guards.extend(policy.guards(SourceId::Profile(replaced)));
        }
        let needed = policy.governance.permissions.get(change).map(|names| {
            let bits = names.iter().filter_map(|name| policy.catalogue.threshold(name).ok());
            bits.collect::<Vec<Bit>>()
        });
        let may = |position: usize, user: &User| {
            let holds_one = |guard: &&[u32]| {
                policy.closure(&user.roles).iter().any(|role| guard.contains(role))
            };
            let holds_all =
                |needed: &Vec<Bit>| needed.iter().all(|&bit| self.holds_at(position, bit));
            !user.suspended
                && (user.admin
                    || (needed.as_ref().is_some_and(holds_all) && guards.iter().all(holds_one)))
        };
        let users = policy.users.iter().enumerate();
        let may = users.filter(|(position, (_, user))| may(*position, user));
        let mut names: Vec<String> = may.map(|(_, (name, _))| name.to_string()).collect();
        names.sort_unstable();
        names
    }
}

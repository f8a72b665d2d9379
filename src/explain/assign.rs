//! Which sources would grant what is missing, and who may assign them.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::mend::{Assigned, Assignment, Mending, Step};
use crate::bits::BitSet;
use crate::catalogue::Bit;
use crate::engine::{Engine, effective};
use crate::ids::SourceId;
use crate::object::Object;
use crate::policy::{Class, Holder, Inner, Origin, SourceKind};
use crate::reason::Reason;

/// The most sources that are combined, the most combinations of each size that
/// are tried, and the most that are reported.
const LARGEST: usize = 3;
const TRIED: usize = 2_000;
const TOLD: usize = 16;

impl<O: Object + ?Sized> Mending<'_, O> {
    /// The sources that would do in place of what a mend grants the user: one,
    /// or else as few as it takes.
    pub(super) fn assignments(&self, mend: &[Step]) -> Vec<Assignment> {
        let user = self.holder.class;
        let besides: Vec<Step> = mend.iter().filter(|step| !step.is_grant()).cloned().collect();
        if besides.len() == mend.len() {
            return Vec::new();
        }
        let before = effective(self.policy, user);
        let beyond = |set: &BitSet, other: &BitSet| -> Vec<Bit> {
            set.iter().filter(|&bit| !other.contains(bit)).collect()
        };
        let weigh = |set: Vec<SourceId>| {
            let user = with(self.policy, user, &set);
            if !self.allows(&besides, &user) {
                return None;
            }
            let after = effective(self.policy, &user);
            let (takes, brings) = (beyond(&before, &after).len(), beyond(&after, &before));
            let separates = self.policy.separates(&before, &after);
            (!separates).then_some(Weighed { set, takes, brings })
        };
        let mut candidates = self.policy.assignable(user);
        for size in 1..=LARGEST {
            let sets = combinations(candidates.len(), size).take(TRIED);
            let chosen = |at: usize| candidates.get(at).copied();
            let sets = sets.take_while(|_| self.may_look());
            let sets = sets.map(|set| set.into_iter().filter_map(chosen).collect());
            let mut found: Vec<Weighed> = sets.filter_map(weigh).collect();
            if !found.is_empty() {
                found.sort_by_key(|weighed| (weighed.takes, weighed.brings.len()));
                found.truncate(TOLD);
                return self.told_assignments(&found, &besides);
            }
            if size == 1 {
                candidates.retain(|&source| self.helps(mend, &besides, source));
            }
        }
        Vec::new()
    }

    /// Whether a source grants some of what a mend grants.
    fn helps(&self, mend: &[Step], besides: &[Step], source: SourceId) -> bool {
        self.try_walk(besides, &with(self.policy, self.holder.class, &[source]), |walk| {
            mend.iter().any(|step| match step {
                Step::Allow(bit) => matches!(walk.held(*bit), Reason::Granted | Reason::Gated),
                Step::Widen(check, _) => walk.passes(*check),
                _ => false,
            })
        })
    }

    fn told_assignments(&self, found: &[Weighed], besides: &[Step]) -> Vec<Assignment> {
        let Holder { name, class: user, .. } = self.holder;
        let asked = |weighed| {
            let Weighed { set, brings, .. }: &Weighed = weighed;
            set.iter().map(|&source| self.policy.approval(user, source, brings))
        };
        let approvals: Vec<Approval<'_>> = found.iter().flat_map(asked).collect();
        let mut approvers = self.engine.approvers(&approvals).into_iter();
        let told = found.iter().map(|Weighed { set, takes, brings }| {
            let assigned = set.iter().map(|&source| Assigned {
                source: self.policy.source_ref(Origin::Shared(source), name),
                approvers: approvers.next().unwrap_or_default(),
            });
            let sources = &self.policy.sources;
            let is_profile = |&id: &SourceId| sources[id].kind == SourceKind::Profile;
            let replaced = sources.profile(&user.sources);
            let replaced = replaced.filter(|_| set.iter().any(is_profile));
            Assignment {
                sources: assigned.collect(),
                besides: self.told(besides),
                replaces: replaced.map(|id| self.policy.source_ref(Origin::Shared(id), name)),
                brings: brings.len(),
                takes: *takes,
            }
        });
        told.collect()
    }
}

/// Sources that will do, how many permissions they take away and which they bring.
struct Weighed {
    set: Vec<SourceId>,
    takes: usize,
    brings: Vec<Bit>,
}

/// What an actor needs in order to give a source.
struct Approval<'p> {
    /// The permissions that an actor must hold; `None` where only admins may.
    permissions: Option<Vec<Bit>>,
    /// Lists of roles; an actor must hold one role from each list.
    guards: Vec<&'p [SourceId]>,
}

/// The combinations of `size` of the numbers below `of`, in order.
#[expect(clippy::indexing_slicing, reason = "of a combination, which has `size` places")]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "`size` is no greater than `of`, and what is chosen is below it"
)]
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

/// The user with these sources added; a profile replaces the user's own.
fn with(policy: &Inner, user: &Class, sources: &[SourceId]) -> Class {
    let mut user = user.clone();
    for &source in sources {
        user.sources = policy.sources.with(&user.sources, source);
    }
    user
}

impl Inner {
    /// The sources that a user could be given: those that the user lacks, except
    /// unique roles that somebody holds.
    fn assignable(&self, user: &Class) -> Vec<SourceId> {
        let sources = &self.sources;
        let mut taken: HashSet<SourceId, RandomState> =
            sources.closure(&user.sources).into_iter().collect();
        if sources.of(SourceKind::Role).any(|(.., role)| role.unique) {
            let held = self.users.classes().flat_map(|(_, class)| &class.sources).copied();
            taken.extend(held.filter(|&id| sources[id].unique));
        }
        [SourceKind::Role, SourceKind::Profile, SourceKind::ApprovalGroup]
            .into_iter()
            .flat_map(|kind| sources.of(kind).map(|(id, ..)| id))
            .filter(|id| !taken.contains(id))
            .collect()
    }

    /// Whether a user would gain permissions of some separation beyond the number
    /// that it lets one user hold.
    fn separates(&self, before: &BitSet, after: &BitSet) -> bool {
        self.governance.separation.iter().any(|separation| {
            let bits = separation.permissions.iter();
            let bits: Vec<Bit> =
                bits.filter_map(|name| self.catalogue.threshold(name).ok()).collect();
            let count = |held: &BitSet| bits.iter().filter(|&&bit| held.contains(bit)).count();
            count(after) > separation.at_most as usize && count(after) > count(before)
        })
    }

    /// The lists of roles that guard a source: its own, and those of the roles
    /// that it includes. To give it, an actor must hold one role from each.
    fn guards(&self, source: SourceId) -> Vec<&[SourceId]> {
        let given = self.sources.closure(&[source]).into_iter();
        given.filter_map(|id| self.sources[id].assignable_by.as_deref()).collect()
    }

    /// What an actor needs in order to give a source to a user, to whom it would
    /// bring these permissions.
    fn approval(&self, to: &Class, source: SourceId, brings: &[Bit]) -> Approval<'_> {
        let kind = self.sources[source].kind;
        let change = format!("assign_{}", kind.word());
        let mut guards = self.guards(source);
        if let (SourceKind::Profile, Some(replaced)) = (kind, self.sources.profile(&to.sources)) {
            guards.extend(self.guards(replaced));
        }
        let permissions = self.governance.permissions.get(&change).map(|names| {
            let bits = names.iter().filter_map(|name| self.catalogue.threshold(name).ok());
            // With `no_escalation`, the giver must hold what is given.
            let given = if self.governance.no_escalation { brings } else { &[] };
            bits.chain(given.iter().copied()).collect()
        });
        Approval { permissions, guards }
    }
}

impl Engine {
    /// The admins who are not suspended, sorted.
    pub(super) fn admins(&self) -> Vec<String> {
        let users = self.policy().inner().users.iter();
        let admins = users.filter(|(_, _, user)| user.admin && !user.suspended);
        let mut names: Vec<String> = admins.map(|(_, name, _)| name.to_owned()).collect();
        names.sort_unstable();
        names
    }

    /// For each approval, the users other than admins who meet it, sorted. Looks
    /// at each user once.
    fn approvers(&self, approvals: &[Approval<'_>]) -> Vec<Vec<String>> {
        let policy = self.policy().inner();
        let mut approvers = vec![Vec::new(); approvals.len()];
        if approvals.iter().all(|approval| approval.permissions.is_none()) {
            return approvers;
        }
        for (slot, name, user) in policy.users.iter() {
            if user.suspended || user.admin {
                continue;
            }
            let holds = |bits: &Vec<Bit>| bits.iter().all(|&bit| self.holds_at(slot, bit));
            let is_one_of = |guard: &&[SourceId]| {
                policy.sources.closure(&user.sources).iter().any(|id| guard.contains(id))
            };
            for (approval, names) in approvals.iter().zip(&mut approvers) {
                let permissions = approval.permissions.as_ref();
                if permissions.is_some_and(holds) && approval.guards.iter().all(is_one_of) {
                    names.push(name.to_owned());
                }
            }
        }
        for names in &mut approvers {
            names.sort_unstable();
        }
        approvers
    }
}

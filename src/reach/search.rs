//! A search for changes by which a user comes to hold something, shortest first.
//!
//! It goes level by level. From each policy reached, every actor tries the changes that may
//! lead on: giving one of these people a source that grants something wanted, editing or
//! making a source, and so on; [`Policy::apply`] judges each. What is wanted is the
//! permission with all that it needs, and what governance asks for kinds of change. A
//! policy in which these people hold nothing else that is wanted, nor another role that
//! guards a source, leads nowhere new, unless a source was made or edited on the way.

use std::collections::VecDeque;

use super::ActorChange;
use super::ceiling::{Granted, held};
use crate::bits::BitSet;
use crate::catalogue::Bit;
use crate::change::{Actor, Candidates, Change};
use crate::engine::Engine;
use crate::ids::SourceId;
use crate::names::{HashSet, IndexSet};
use crate::policy::{ChangeKind, Effect, Inner, Policy, SourceKind, SourceName, Statement};

/// The most changes in a row.
const MOST_STEPS: usize = 4;
/// The most changes to try in all towards a permission.
const MOST_TRIES: usize = 4_000;
/// The same towards any permission, for each of many users.
const FEWER_TRIES: usize = 1_000;
/// The most sources to edit from one policy that none of the people has yet.
const MOST_EDITED: usize = 4;
/// The name of what is made on the way.
const MADE: &str = "reach";

/// The kinds of change by which one of the people may come to hold something.
const OF_USERS: [ChangeKind; 14] = [
    ChangeKind::AddUser,
    ChangeKind::SetAdmin,
    ChangeKind::SetSuspended,
    ChangeKind::AssignProfile,
    ChangeKind::AssignRole,
    ChangeKind::Transfer,
    ChangeKind::AssignApprovalGroup,
    ChangeKind::EditUser,
    ChangeKind::SetAssignment,
    ChangeKind::RevokeProfile,
    ChangeKind::RevokeRole,
    ChangeKind::RevokeApprovalGroup,
    ChangeKind::RenameUser,
    ChangeKind::RemoveUser,
];

/// The kinds of change by which what people share may come to grant something.
const OF_SOURCES: [ChangeKind; 10] = [
    ChangeKind::EditGlobal,
    ChangeKind::EditProfile,
    ChangeKind::EditRole,
    ChangeKind::EditApprovalGroup,
    ChangeKind::CreateRole,
    ChangeKind::CreateProfile,
    ChangeKind::CreateApprovalGroup,
    ChangeKind::Import,
    ChangeKind::SetDefaultProfile,
    ChangeKind::SetLicence,
];

/// Returns whether a user may do something on some object.
pub(super) fn may(policy: &Inner, user: &str, bit: Bit) -> bool {
    policy.users.find(user).is_some_and(|slot| {
        let (engine, place) = Engine::of_user(policy, slot);
        engine.holds_some(place, bit)
    })
}

/// A policy on the way, and the changes that lead to it.
struct State {
    policy: Policy,
    changes: Vec<ActorChange>,
}

pub(super) struct Search<'p> {
    policy: &'p Policy,
    /// The user in question first.
    people: Vec<&'p str>,
    actors: Vec<&'p str>,
    /// The permission; if absent, any that the user does not hold.
    goal: Option<Bit>,
    /// The permissions to allow together, one list for each end.
    ends: Vec<Vec<String>>,
    wanted: BitSet,
    /// The permissions that let people make changes, and so lead on.
    powers: BitSet,
    /// The most that the user might come to hold.
    ceiling: BitSet,
    /// The roles that guard sources.
    guards: HashSet<SourceId>,
    granted: &'p Granted,
    /// The permissions that the user holds by the ways found.
    held: BitSet,
    seen: HashSet<Seen>,
    pub(super) tried: usize,
    /// The ways found, each with what it brings that no way before it does.
    pub(super) ways: Vec<(Vec<ActorChange>, BitSet)>,
}

/// The difference of a policy from others on the way: what each of the people holds of what is
/// wanted, the roles among theirs that guard sources, and the edits.
type Seen = (Vec<(BitSet, Vec<SourceId>, bool)>, Vec<String>);

impl<'p> Search<'p> {
    pub(super) fn new(
        policy: &'p Policy,
        people: Vec<&'p str>,
        actors: &[&'p str],
        goal: Option<Bit>,
        (ceiling, granted): (BitSet, &'p Granted),
    ) -> Search<'p> {
        let inner = policy.inner();
        let catalogue = &inner.catalogue;
        let (mut wanted, mut ends) = (BitSet::new(catalogue.bits()), Vec::new());
        let kinds: Vec<Vec<Bit>> =
            inner.governance.needed().map(|(_, needs)| needs.to_vec()).collect();
        let mut powers = BitSet::new(catalogue.bits());
        for needs in &kinds {
            inner.with_needs(needs).iter().for_each(|&bit| powers.insert(bit));
        }
        match goal {
            Some(bit) => {
                for needs in [vec![bit]].into_iter().chain(kinds) {
                    let all = inner.with_needs(&needs);
                    all.iter().for_each(|&bit| wanted.insert(bit));
                    let end: Vec<String> = all.iter().map(|&bit| inner.pattern(bit)).collect();
                    if !ends.contains(&end) {
                        ends.push(end);
                    }
                }
            }
            None => {
                wanted.union_with(&ceiling);
                ends.push(vec!["**".to_owned()]);
            }
        }
        if goal.is_some() {
            powers.union_with(&wanted);
        }
        let guards = inner.sources.iter().filter_map(|(_, _, it)| it.assignable_by.as_deref());
        let guards = guards.flatten().copied().collect();
        let held = people.first().map_or_else(|| held(inner, ""), |user| held(inner, user));
        let actors = actors.to_vec();
        let (seen, tried, ways) = (HashSet::default(), 0, Vec::new());
        Search {
            policy,
            people,
            actors,
            goal,
            ends,
            wanted,
            powers,
            ceiling,
            guards,
            granted,
            held,
            seen,
            tried,
            ways,
        }
    }

    pub(super) fn run(&mut self) {
        let first = State { policy: self.policy.clone(), changes: Vec::new() };
        self.seen.insert(self.seen_of(&first));
        let mut open = VecDeque::from([first]);
        let most = if self.goal.is_some() { MOST_TRIES } else { FEWER_TRIES };
        while let Some(state) = open.pop_front() {
            for &actor in &self.actors.clone() {
                for change in self.changes(&state, actor) {
                    if self.tried >= most {
                        return;
                    }
                    self.tried = self.tried.saturating_add(1);
                    let Ok(applied) = state.policy.apply(Actor::User(actor), &change) else {
                        continue;
                    };
                    let mut changes = state.changes.clone();
                    changes.push(ActorChange { actor: actor.to_owned(), change });
                    let next = State { policy: applied.policy, changes };
                    if self.arrives(&next) {
                        return;
                    }
                    let is_new = self.seen.insert(self.seen_of(&next));
                    if is_new && next.changes.len() < MOST_STEPS {
                        open.push_back(next);
                    }
                }
            }
        }
    }

    /// Notes the way to a policy if it is one; returns `true` at the end of the search.
    fn arrives(&mut self, state: &State) -> bool {
        let Some(&user) = self.people.first() else { return true };
        let policy = state.policy.inner();
        let mut gained = held(policy, user);
        match self.goal {
            Some(goal) => {
                if !gained.contains(goal) || !may(policy, user, goal) {
                    return false;
                }
            }
            None => {
                gained.subtract(&self.held);
                if gained.iter().next().is_none() {
                    return false;
                }
                self.held.union_with(&gained);
            }
        }
        self.ways.push((state.changes.clone(), gained));
        let mut left = self.ceiling.clone();
        left.subtract(&self.held);
        self.goal.is_some() || left.iter().next().is_none()
    }

    fn seen_of(&self, state: &State) -> Seen {
        let policy = state.policy.inner();
        let people = self.people.iter().map(|user| {
            let mut bits = held(policy, user);
            bits.intersect_with(&self.powers);
            let class = policy.users.find(user).and_then(|slot| policy.users.get(slot));
            let Some((_, class)) = class else { return (bits, Vec::new(), true) };
            let mut roles = policy.sources.closure(&class.sources).into_vec();
            roles.retain(|id| self.guards.contains(id));
            (bits, roles, class.suspended)
        });
        let edits = state.changes.iter().filter(|it| {
            matches!(
                it.change,
                Change::Edit { .. }
                    | Change::Create { .. }
                    | Change::Import { .. }
                    | Change::SetDefaultProfile { .. }
                    | Change::Rename { .. }
            )
        });
        let mut edits: Vec<String> = edits.map(|it| format!("{:?}", it.change)).collect();
        edits.sort_unstable();
        (people.collect(), edits)
    }

    /// Returns the changes that an actor might make towards an end, if governance leaves
    /// them to others than admins.
    fn changes(&self, state: &State, actor: &str) -> Vec<Change> {
        let policy = state.policy.inner();
        let Some(slot) = policy.users.find(actor) else { return Vec::new() };
        let Some((_, class)) = policy.users.get(slot) else { return Vec::new() };
        let own = held(policy, actor);
        let may = |kind: ChangeKind| {
            let needs = policy.governance.needs(kind);
            class.admin || needs.is_some_and(|it| it.iter().all(|&bit| own.contains(bit)))
        };
        let candidates = Candidates { policy, aims: &self.ends, made: MADE };
        let mut changes = Vec::new();
        for user in &self.people {
            let held = held(policy, user);
            for kind in OF_USERS.into_iter().filter(|&kind| may(kind)) {
                let of_kind = candidates.of(kind, user).into_iter();
                changes.extend(of_kind.filter(|it| self.leads_user(policy, user, &held, it)));
            }
        }
        let has: Vec<SourceId> = self.people.iter().flat_map(|user| has(policy, user)).collect();
        let mut others: IndexSet<SourceName> = IndexSet::default();
        for kind in OF_SOURCES.into_iter().filter(|&kind| may(kind)) {
            let of_kind = candidates.of(kind, "").into_iter();
            changes.extend(of_kind.filter(|it| self.leads_sources(policy, &has, it, &mut others)));
        }
        changes
    }

    /// Returns whether a change of one of the people may lead on.
    fn leads_user(&self, policy: &Inner, user: &str, held: &BitSet, change: &Change) -> bool {
        let find = |source: &SourceName| {
            source.shared().and_then(|(kind, name)| policy.sources.find(kind, name))
        };
        let gives = |id| !has(policy, user).contains(&id) && self.leads(id, held);
        match change {
            Change::Assign { source, .. } => find(source).is_some_and(gives),
            Change::Transfer { role, .. } => {
                policy.sources.find(SourceKind::Role, role).is_some_and(gives)
            }
            // What it denies or forbids, others may grant.
            Change::Revoke { source, .. } => find(source).is_some_and(|id| {
                let takes = |it: Statement<'_>| matches!(it.effect, Effect::Deny | Effect::Forbid);
                policy.sources[id].statements.all().any(takes)
            }),
            Change::SetAdmin { admin, .. } => *admin,
            Change::SetSuspended { suspended, .. } => !suspended,
            Change::SetAssignment { assignment, .. } => {
                assignment.as_ref().is_some_and(|it| it.roles.is_empty())
            }
            // Somebody else takes the name of one who is gone.
            Change::Rename { source, .. } => {
                source.user().is_some_and(|name| name == user || !self.people.contains(&name))
            }
            Change::RemoveUser { .. } => {
                policy.governance.needs(ChangeKind::AddUser).is_some()
                    && !has(policy, user).is_empty()
            }
            _ => true,
        }
    }

    /// Returns whether a change of what people share may lead on.
    fn leads_sources(
        &self,
        policy: &Inner,
        has: &[SourceId],
        change: &Change,
        others: &mut IndexSet<SourceName>,
    ) -> bool {
        match change {
            Change::Edit { source, .. } => {
                let known =
                    source.shared().and_then(|(kind, name)| policy.sources.find(kind, name));
                let Some(id) = known.filter(|&id| !policy.sources[id].protected) else {
                    return false;
                };
                if id == SourceId::GLOBAL || has.contains(&id) {
                    return true;
                }
                others.insert(source.clone());
                others.get_index_of(source).is_some_and(|at| at < MOST_EDITED)
            }
            Change::Create { from, .. } => from.is_none(),
            Change::SetDefaultProfile { profile } => profile.as_ref().is_some_and(|name| {
                let id = policy.sources.find(SourceKind::Profile, name);
                id.is_some_and(|id| self.leads(id, &self.held))
            }),
            Change::SetLicence(licence) => !licence.features.is_empty(),
            _ => true,
        }
    }

    /// Returns whether a source grants something wanted, or guards others, or is new.
    fn leads(&self, id: SourceId, held: &BitSet) -> bool {
        let Some(granted) = self.granted.get(&id) else { return true };
        let mut granted = granted.clone();
        granted.intersect_with(&self.wanted);
        granted.subtract(held);
        self.guards.contains(&id) || granted.iter().next().is_some()
    }
}

/// Returns the sources that a user has, with what they include.
fn has(policy: &Inner, user: &str) -> Vec<SourceId> {
    let class = policy.users.find(user).and_then(|slot| policy.users.get(slot));
    class.map(|(_, class)| policy.sources.closure(&class.sources).into_vec()).unwrap_or_default()
}

impl Inner {
    /// Returns some permissions with all that they need to be effective.
    fn with_needs(&self, bits: &[Bit]) -> Vec<Bit> {
        let mut all: Vec<Bit> = Vec::new();
        let mut open = bits.to_vec();
        while let Some(bit) = open.pop() {
            if !all.contains(&bit) {
                all.push(bit);
                let needs = self.catalogue.needs(self.catalogue.id_of(bit));
                open.extend(needs.map(|(_, bit)| bit));
            }
        }
        all
    }

    /// Returns the pattern that allows a permission.
    fn pattern(&self, bit: Bit) -> String {
        self.catalogue.node_of(bit).path.to_string()
    }
}

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
use crate::change::{Actor, Change, Op};
use crate::document::{
    Assignment, Bundle, Licence, Map, NewUser, Role, Source as StatedSource, Statements,
};
use crate::engine::Engine;
use crate::ids::SourceId;
use crate::names::{HashSet, IndexSet};
use crate::policy::{ChangeKind, Effect, Inner, Policy, Source, SourceKind, SourceName, Statement};

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
        let mut changes = Vec::new();
        for user in &self.people {
            self.of_user(policy, user, &may, &mut changes);
        }
        self.of_sources(policy, &may, &mut changes);
        if may(ChangeKind::SetLicence) {
            let nodes = policy.catalogue.nodes.values().iter();
            let features: IndexSet<String> =
                nodes.flat_map(|node| &node.feature).map(ToString::to_string).collect();
            let features = features.into_iter().collect();
            let edition = policy.licence.stated().edition.clone();
            changes.push(Change::SetLicence(Licence { edition, features }));
        }
        changes
    }

    /// Adds changes of one of the people.
    fn of_user(
        &self,
        policy: &Inner,
        user: &str,
        may: &dyn Fn(ChangeKind) -> bool,
        changes: &mut Vec<Change>,
    ) {
        let name = user.to_owned();
        let known = policy.users.find(user).and_then(|slot| policy.users.get(slot));
        let Some((_, class)) = known else {
            if may(ChangeKind::AddUser) {
                changes.push(Change::AddUser(Box::new(NewUser {
                    user: name.clone(),
                    ..NewUser::default()
                })));
            }
            if may(ChangeKind::RenameUser) {
                let users = policy.users.iter().filter(|(_, name, _)| !self.people.contains(name));
                changes.extend(users.map(|(_, other, _)| Change::Rename {
                    source: SourceName::User(other.to_owned()),
                    to: name.clone(),
                }));
            }
            return;
        };
        if may(ChangeKind::SetAdmin) && !class.admin {
            changes.push(Change::SetAdmin { user: name.clone(), admin: true });
        }
        if may(ChangeKind::SetSuspended) && class.suspended {
            changes.push(Change::SetSuspended { user: name.clone(), suspended: false });
        }
        let held = held(policy, user);
        let has = policy.sources.closure(&class.sources);
        for (id, _, source) in policy.sources.iter() {
            let assign = ChangeKind::on(ChangeKind::ASSIGN, source.kind);
            let may = may(assign) || source.unique && may(ChangeKind::Transfer);
            if source.kind != SourceKind::Global
                && may
                && !has.contains(&id)
                && self.leads(id, &held)
            {
                let to = policy.sources.name_of(id);
                changes.push(match &to {
                    SourceName::Role(role) if source.unique => {
                        Change::Transfer { role: role.clone(), to: name.clone() }
                    }
                    _ => Change::Assign { user: name.clone(), source: to },
                });
            }
        }
        if may(ChangeKind::EditUser) {
            changes.extend(self.edits(&SourceName::User(name.clone())));
        }
        if may(ChangeKind::SetAssignment) {
            for end in &self.ends {
                let statements = Statements { allow: end.clone(), ..Statements::default() };
                let assignment = Assignment { statements, ..Assignment::default() };
                changes.push(Change::SetAssignment {
                    user: name.clone(),
                    name: MADE.to_owned(),
                    assignment: Some(Box::new(assignment)),
                });
            }
        }
        for &id in &class.sources {
            // What it denies or forbids, others may grant.
            let Source { kind, statements, .. } = &policy.sources[id];
            let takes = |it: Statement<'_>| matches!(it.effect, Effect::Deny | Effect::Forbid);
            if may(ChangeKind::on(ChangeKind::REVOKE, *kind)) && statements.all().any(takes) {
                let source = policy.sources.name_of(id);
                changes.push(Change::Revoke { user: name.clone(), source });
            }
        }
        if may(ChangeKind::RenameUser) {
            let to = format!("{name} before");
            changes.push(Change::Rename { source: SourceName::User(name.clone()), to });
        }
        if may(ChangeKind::RemoveUser) && may(ChangeKind::AddUser) && !class.sources.is_empty() {
            changes.push(Change::RemoveUser { user: name });
        }
    }

    /// Adds changes of what people share.
    fn of_sources(
        &self,
        policy: &Inner,
        may: &dyn Fn(ChangeKind) -> bool,
        changes: &mut Vec<Change>,
    ) {
        let classes = self.people.iter().filter_map(|user| {
            let slot = policy.users.find(user)?;
            policy.users.get(slot).map(|(_, class)| class)
        });
        let has: Vec<SourceId> =
            classes.flat_map(|class| policy.sources.closure(&class.sources)).collect();
        if may(ChangeKind::EditGlobal) {
            changes.extend(self.edits(&SourceName::Global));
        }
        let mut others = 0;
        for (id, _, source) in policy.sources.iter() {
            let edit = ChangeKind::on(ChangeKind::EDIT, source.kind);
            if source.kind == SourceKind::Global || source.protected || !may(edit) {
                continue;
            }
            if !has.contains(&id) {
                others = usize::saturating_add(others, 1);
                if others > MOST_EDITED {
                    continue;
                }
            }
            changes.extend(self.edits(&policy.sources.name_of(id)));
        }
        for kind in [SourceKind::Role, SourceKind::Profile, SourceKind::ApprovalGroup] {
            let is_new = policy.sources.find(kind, MADE).is_none();
            if is_new && may(ChangeKind::on(ChangeKind::CREATE, kind)) {
                changes.push(Change::Create { source: kind.named(MADE), from: None });
            }
            if is_new && may(ChangeKind::Import) {
                changes.extend(self.ends.iter().map(|end| Change::Import {
                    bundle: bundle(kind, end),
                    on_conflict: Default::default(),
                }));
            }
            if kind == SourceKind::Profile && may(ChangeKind::SetDefaultProfile) {
                let profiles = policy.sources.of(kind).filter(|(id, ..)| {
                    policy.default_profile != Some(*id) && self.leads(*id, &self.held)
                });
                changes.extend(profiles.map(|(_, name, _)| Change::SetDefaultProfile {
                    profile: Some(name.to_owned()),
                }));
            }
        }
    }

    fn edits(&self, source: &SourceName) -> impl Iterator<Item = Change> {
        let source = source.clone();
        self.ends.iter().map(move |end| {
            let ops = end.iter().cloned().map(Op::Allow).collect();
            Change::Edit { source: source.clone(), ops, cascade: false }
        })
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

/// Returns a bundle of one source that allows some patterns.
fn bundle(kind: SourceKind, allow: &[String]) -> Bundle {
    let statements = Statements { allow: allow.to_vec(), ..Statements::default() };
    let source = StatedSource { statements, ..StatedSource::default() };
    let mut bundle = Bundle::default();
    match kind {
        SourceKind::Profile => bundle.profiles = Map::from_iter([(MADE, source)]),
        SourceKind::ApprovalGroup => bundle.approval_groups = Map::from_iter([(MADE, source)]),
        SourceKind::Role | SourceKind::Global => {
            bundle.roles = Map::from_iter([(MADE, Role { source, ..Role::default() })]);
        }
    }
    bundle
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

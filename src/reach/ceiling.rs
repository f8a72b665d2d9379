//! A ceiling on what some people may come to hold by changes of their own.

use crate::bits::BitSet;
use crate::catalogue::Bit;
use crate::change::{Abilities, compared_licences};
use crate::engine::Layers;
use crate::ids::{SourceId, UserSlot};
use crate::names::{HashMap, HashSet};
use crate::policy::{ChangeKind, Class, Inner, SourceKind};

/// Returns permissions that none of some people, of whom some are actors, will ever hold
/// more than, by whatever changes the actors may make.
pub(super) fn ceiling(
    policy: &Inner,
    people: &[&str],
    actors: &[&str],
    granted: &Granted,
) -> Vec<BitSet> {
    let names = people;
    let is_actor = people.iter().map(|name| actors.contains(name)).collect();
    let slots = people.iter().map(|name| policy.users.find(name)).collect();
    let people = People { policy, slots, is_actor };
    if people.any_admin() {
        let all = policy.catalogue.licensed(|_| true);
        return vec![all; people.slots.len()];
    }
    if let Some(shared) = people.shared() {
        return shared;
    }
    let ceiling = Coarse::new(&people, granted).close();
    // Where none of the actors will ever be let make a change, all stays as it is.
    let may = |at: usize| ceiling.get(at).is_some_and(|held| kinds(policy, held).next().is_some());
    if people.actors().any(may) {
        return ceiling;
    }
    names.iter().map(|name| held(policy, name)).collect()
}

/// The grants of each source by itself, with the global one beneath it, were every feature
/// licensed.
pub(super) type Granted = HashMap<SourceId, BitSet>;

pub(super) fn granted(policy: &Inner) -> Granted {
    let licensed = policy.catalogue.licensed(|_| true);
    let mut layers = Layers::new(policy, &licensed);
    let sources = policy.sources.iter().map(|(id, _, source)| {
        let sources = if source.kind == SourceKind::Global { vec![] } else { vec![id] };
        let class = Class { sources: sources.into(), ..Class::default() };
        let [_, unforbidden] = layers.grants_forbids_aside(&class, None);
        (id, unforbidden)
    });
    sources.collect()
}

/// Returns what a user holds in any capacity.
pub(super) fn held(policy: &Inner, user: &str) -> BitSet {
    let [licensed, _] = compared_licences(policy);
    let person = policy.users.find(user).and_then(|slot| policy.person(slot));
    person.map_or_else(
        || BitSet::new(policy.catalogue.bits()),
        |person| Abilities::new(policy, &licensed).had(&person),
    )
}

struct People<'p> {
    policy: &'p Inner,
    /// Of those who exist.
    slots: Vec<Option<UserSlot>>,
    is_actor: Vec<bool>,
}

impl People<'_> {
    fn actors(&self) -> impl Iterator<Item = usize> + use<'_> {
        let numbered = self.is_actor.iter().enumerate();
        numbered.filter(|(_, is_actor)| **is_actor).map(|(at, _)| at)
    }

    fn any_admin(&self) -> bool {
        self.slots.iter().flatten().any(|&slot| self.policy.users[slot].admin)
    }

    /// Returns a ceiling that holds because changes are compared; `None` if they are not.
    ///
    /// Under `no_escalation`, after a change by one of the actors each of these people
    /// holds, of any permission, what that one held before or what the actor did. So what
    /// they hold together never grows, however many changes there are. Comparisons are
    /// spared only to who holds all of `escalate` or of `bind`, and never for the actor's
    /// own gains: one alone is always compared.
    fn shared(&self) -> Option<Vec<BitSet>> {
        let policy = self.policy;
        if !policy.governance.no_escalation() {
            return None;
        }
        let [licensed, _] = compared_licences(policy);
        let mut abilities = Abilities::new(policy, &licensed);
        let nothing = BitSet::new(policy.catalogue.bits());
        let person = |slot: &Option<UserSlot>| slot.and_then(|slot| policy.person(slot));
        let of = |it| person(it).map_or_else(|| nothing.clone(), |it| abilities.had(&it));
        let mut held: Vec<BitSet> = self.slots.iter().map(of).collect();
        grow(&mut held, |held| {
            for actor in self.actors() {
                let Some(own) = held.get(actor).cloned() else { continue };
                if kinds(policy, &own).next().is_some() {
                    held.iter_mut().for_each(|it| it.union_with(&own));
                }
            }
        });
        let spares = |bits: Option<&[Bit]>| {
            let holds = |at: usize| {
                held.get(at).zip(bits).is_some_and(|(held, bits)| holds_all(held, bits))
            };
            self.actors().any(holds)
        };
        let governance = &policy.governance;
        let alone = self.slots.len() < 2;
        (alone || !(spares(governance.escalate()) || spares(governance.bind()))).then_some(held)
    }
}

/// Repeats something until nothing grows.
fn grow(held: &mut Vec<BitSet>, mut step: impl FnMut(&mut Vec<BitSet>)) {
    loop {
        let before = held.clone();
        step(held);
        if *held == before {
            return;
        }
    }
}

fn holds_all(held: &BitSet, bits: &[Bit]) -> bool {
    bits.iter().all(|&bit| held.contains(bit))
}

/// Returns the kinds of change for which it is enough to hold some permissions.
fn kinds<'p>(policy: &'p Inner, held: &BitSet) -> impl Iterator<Item = ChangeKind> + use<'p> {
    let needed = policy.governance.needed().filter(|(_, needs)| holds_all(held, needs));
    needed.map(|(kind, _)| kind).collect::<Vec<_>>().into_iter()
}

/// A ceiling where changes are not compared.
///
/// For each of the people it has the sources that they might get, and what they might be
/// granted. A source counts for itself, with the global one beneath it: what a user is
/// granted, some source of the user allows, or implies where no source states anything of
/// it; and that source, held alone, grants as much. (What others deny or forbid may be
/// taken away.) Whatever might be edited may allow anything. Suspension, superiors,
/// separation and the objects on which a right is had are left aside, since they only
/// refuse changes.
struct Coarse<'a, 'p> {
    people: &'a People<'p>,
    licensed: BitSet,
    granted: &'a Granted,
    /// By person: the sources, and what these and own statements grant.
    sources: Vec<HashSet<SourceId>>,
    held: Vec<BitSet>,
    /// Sources that may be edited.
    editable: HashSet<SourceId>,
    /// The kinds of which there may be a source that allows anything.
    free: HashSet<SourceKind>,
}

impl<'a, 'p> Coarse<'a, 'p> {
    fn new(people: &'a People<'p>, granted: &'a Granted) -> Coarse<'a, 'p> {
        let policy = people.policy;
        let [now, all] = compared_licences(policy);
        let may_license = policy.governance.needs(ChangeKind::SetLicence).is_some();
        let licensed = if may_license { all } else { now };
        let mut layers = Layers::new(policy, &licensed);
        let mut alone = |class: &Class| {
            let [_, unforbidden] = layers.grants_forbids_aside(class, None);
            unforbidden
        };
        let (mut sources, mut held) = (Vec::new(), Vec::new());
        for slot in &people.slots {
            let mut of_person = HashSet::default();
            let mut bits = BitSet::new(policy.catalogue.bits());
            for (ids, own) in slot.map(|slot| policy.holdings(slot)).unwrap_or_default() {
                of_person.extend(policy.sources.closure(&ids));
                bits.union_with(&alone(&own));
            }
            sources.push(of_person);
            held.push(bits);
        }
        let (editable, free) = (HashSet::default(), HashSet::default());
        let mut coarse =
            Coarse { people, licensed: licensed.clone(), granted, sources, held, editable, free };
        coarse.settle();
        coarse
    }

    /// Returns the ceiling: what would be effective of all that might be granted.
    fn close(mut self) -> Vec<BitSet> {
        loop {
            let before = (self.held.clone(), self.sources.clone(), self.editable.len());
            let free = self.free.len();
            for actor in self.people.actors() {
                let own = self.effective(actor);
                for kind in kinds(self.people.policy, &own) {
                    self.make(actor, kind);
                }
            }
            self.settle();
            let after = (&self.held, &self.sources, self.editable.len());
            if (&before.0, &before.1, before.2) == after && free == self.free.len() {
                break;
            }
        }
        (0..self.held.len()).map(|at| self.effective(at)).collect()
    }

    fn effective(&self, at: usize) -> BitSet {
        let layers = Layers::new(self.people.policy, &self.licensed);
        self.held.get(at).map_or_else(|| self.licensed.clone(), |held| layers.effective(held))
    }

    /// Adds what sources grant to those who might have them.
    fn settle(&mut self) {
        let policy = self.people.policy;
        for (sources, held) in self.sources.iter_mut().zip(&mut self.held) {
            let demoted = sources.iter().filter_map(|&id| policy.sources[id].demoted_to);
            let demoted: Vec<SourceId> = demoted.collect();
            sources.extend(policy.sources.closure(&demoted));
            for id in sources.iter().chain([&SourceId::GLOBAL]) {
                if self.editable.contains(id) {
                    held.union_with(&self.licensed);
                } else if let Some(granted) = self.granted.get(id) {
                    held.union_with(granted);
                }
            }
            held.intersect_with(&self.licensed);
        }
    }

    fn everything(&mut self) {
        self.held.iter_mut().for_each(|it| it.union_with(&self.licensed));
    }

    /// Returns whether somebody might have one of the roles that guard a source and all
    /// that it includes.
    fn satisfies(&self, actor: usize, id: SourceId, included: bool) -> bool {
        let sources = &self.people.policy.sources;
        let all = if included { sources.closure(&[id]).to_vec() } else { vec![id] };
        let held = self.sources.get(actor);
        all.iter().all(|&id| {
            sources[id].assignable_by.as_deref().is_none_or(|roles| {
                roles.iter().any(|role| held.is_some_and(|held| held.contains(role)))
            })
        })
    }

    /// Lets an actor make changes of a kind.
    fn make(&mut self, actor: usize, kind: ChangeKind) {
        let policy = self.people.policy;
        let of_kind = |kinds: [ChangeKind; 3]| {
            let known = [SourceKind::Profile, SourceKind::Role, SourceKind::ApprovalGroup];
            known.into_iter().find(|&known| ChangeKind::on(kinds, known) == kind)
        };
        match kind {
            ChangeKind::EditUser | ChangeKind::SetAssignment | ChangeKind::EditGlobal => {
                self.everything();
            }
            ChangeKind::Import => {
                for kind in [SourceKind::Profile, SourceKind::Role, SourceKind::ApprovalGroup] {
                    self.free.insert(kind);
                    self.edit(actor, kind);
                }
            }
            ChangeKind::AddUser | ChangeKind::SetDefaultProfile => {
                let profiles = policy.sources.of(SourceKind::Profile).map(|(id, ..)| id);
                let may_set = policy.governance.needs(ChangeKind::SetDefaultProfile).is_some();
                let given = profiles.filter(|&id| may_set || policy.default_profile == Some(id));
                let given: Vec<SourceId> = given.collect();
                self.sources.iter_mut().for_each(|it| it.extend(&given));
            }
            ChangeKind::RenameUser => {
                let users = policy.users.iter().map(|(slot, ..)| slot);
                let users: Vec<UserSlot> = users.filter(|&it| !policy.users[it].admin).collect();
                for slot in users {
                    self.rename(slot);
                }
            }
            ChangeKind::Transfer => self.assign(actor, SourceKind::Role),
            _ => {
                if let Some(kind) = of_kind(ChangeKind::ASSIGN) {
                    self.assign(actor, kind);
                } else if let Some(kind) = of_kind(ChangeKind::EDIT) {
                    self.edit(actor, kind);
                } else if let Some(kind) = of_kind(ChangeKind::CREATE) {
                    // It is empty or a clone, unless it can be edited too.
                    let edit = ChangeKind::on(ChangeKind::EDIT, kind);
                    if policy.governance.needs(edit).is_some() {
                        self.free.insert(kind);
                    }
                }
            }
        }
    }

    /// Gives everybody the sources of a kind that an actor may give.
    fn assign(&mut self, actor: usize, kind: SourceKind) {
        if self.free.contains(&kind) {
            self.everything();
        }
        let sources = &self.people.policy.sources;
        for (id, ..) in sources.of(kind) {
            if self.satisfies(actor, id, true) {
                let brought = sources.closure(&[id]);
                self.sources.iter_mut().for_each(|it| it.extend(&brought));
            }
        }
    }

    /// Lets the sources of a kind be edited that an actor may edit.
    fn edit(&mut self, actor: usize, kind: SourceKind) {
        for (id, _, source) in self.people.policy.sources.of(kind) {
            if !source.protected && self.satisfies(actor, id, false) {
                self.editable.insert(id);
            }
        }
    }

    /// Gives everybody what a user has, who may be given their names.
    fn rename(&mut self, slot: UserSlot) {
        let policy = self.people.policy;
        let mut layers = Layers::new(policy, &self.licensed);
        for (ids, own) in policy.holdings(slot) {
            let brought = policy.sources.closure(&ids);
            let [_, granted] = layers.grants_forbids_aside(&own, None);
            self.sources.iter_mut().for_each(|it| it.extend(&brought));
            self.held.iter_mut().for_each(|it| it.union_with(&granted));
        }
    }
}

impl Inner {
    /// Returns the sources that a user has in each capacity, with those who have only the
    /// user's own statements there.
    fn holdings(&self, slot: UserSlot) -> Vec<(Vec<SourceId>, Class)> {
        let Some((_, class)) = self.users.get(slot) else { return Vec::new() };
        let own =
            |statements: &Option<_>| Class { statements: statements.clone(), ..Class::default() };
        let mut holdings = vec![(class.sources.to_vec(), own(&class.statements))];
        for (_, assigned) in self.users.own_sources(slot) {
            holdings.push((assigned.sources.to_vec(), own(&assigned.statements)));
        }
        holdings
    }
}

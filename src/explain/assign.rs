//! The sources that would grant what is missing, and the users who may assign them.

use super::hypothesis::Step;
use super::remedy::{AssignedSource, Assignment};
use super::search::{Search, Traced};
use crate::bits::BitSet;
use crate::change::guard::{Gain, compared_licences, find_gain, judge, permit};
use crate::change::{Abilities, Ability, Actor, Change, Comparing, Plan};
use crate::engine::Engine;
use crate::ids::{ClassId, SourceId};
use crate::names::{HashMap, HashSet};
use crate::object::Object;
use crate::policy::{Class, Holder, Inner, Origin, SourceKind};
use crate::reason::Reason;

/// The most sources that are combined, the most combinations of each size that
/// are tried, and the most that are reported.
const LARGEST: usize = 3;
const TRIED: usize = 2_000;
const TOLD: usize = 16;

impl<O: Object + ?Sized> Search<'_, O> {
    /// The sources that would do in place of what a remedy grants the user: one,
    /// or else as few as it takes. Beside them, the admins who may assign all of these.
    pub(super) fn assignments(&self, remedy: &[Step]) -> (Vec<Assignment>, Vec<String>) {
        let user = self.holder.class;
        let besides: Vec<Step> = remedy.iter().filter(|step| !step.is_grant()).cloned().collect();
        if besides.len() == remedy.len() {
            return Default::default();
        }
        let before = self.effective(user);
        let beyond =
            |set: &BitSet, other: &BitSet| set.iter().filter(|&bit| !other.contains(bit)).count();
        self.with_layers(&besides, |layers| {
            let weigh = |set: Vec<SourceId>| {
                let user = with(self.policy, user, &set);
                if !self.look_at(layers, &besides, &user, |trace| self.is_allowed(trace)) {
                    return None;
                }
                let after = self.effective(&user);
                let (takes, brings) = (beyond(&before, &after), beyond(&after, &before));
                let separated = self.policy.governance.separated(Some(&before), &after);
                separated.is_none().then_some(Weighed { set, takes, brings })
            };
            let mut candidates = self.policy.assignable(user);
            for size in 1..=LARGEST {
                let sets = combinations(candidates.len(), size).take(TRIED);
                let chosen = |at: usize| candidates.get(at).copied();
                let sets = sets.take_while(|_| self.may_look());
                let sets = sets.map(|set| set.into_iter().filter_map(chosen).collect());
                let mut found: Vec<Weighed> = sets.filter_map(weigh).collect();
                if !found.is_empty() {
                    found.sort_by_key(|weighed| (weighed.takes, weighed.brings));
                    found.truncate(TOLD);
                    return self.describe_assignments(found, &besides);
                }
                if size == 1 {
                    candidates.retain(|&source| {
                        let user = with(self.policy, user, &[source]);
                        self.look_at(layers, &besides, &user, |trace| helps(trace, remedy))
                    });
                }
            }
            Default::default()
        })
    }

    /// The rights of users of a class in the policy as it is.
    fn effective(&self, class: &Class) -> BitSet {
        let mut layers = self.layers.borrow_mut();
        let granted = layers.grants(class).granted;
        layers.effective(&granted)
    }

    fn describe_assignments(
        &self,
        found: Vec<Weighed>,
        besides: &[Step],
    ) -> (Vec<Assignment>, Vec<String>) {
        let Holder { name, class: user, .. } = self.holder;
        let licences = compared_licences(self.policy);
        let mut approving = Approving::new(self.engine, self.policy, name, &licences);
        let (mut offered, mut approvers) = (Vec::new(), Vec::new());
        for weighed in found {
            // What would be refused whoever asks is not offered.
            if let Some(more) = approving.approvers(&weighed.set) {
                approvers.extend(more);
                offered.push(weighed);
            }
        }
        if offered.is_empty() {
            return Default::default();
        }
        let (admins, named) = approving.names(&approvers);
        let mut named = named.into_iter();
        let assignments = offered.into_iter().map(|Weighed { set, takes, brings }| {
            let assigned = set.iter().map(|&source| AssignedSource {
                source: self.policy.source_ref(Origin::Shared(source), name),
                approvers: named.next().unwrap_or_default(),
            });
            let sources = &self.policy.sources;
            let is_profile = |&id: &SourceId| sources[id].kind == SourceKind::Profile;
            let replaced = sources.profile(&user.sources);
            let replaced = replaced.filter(|_| set.iter().any(is_profile));
            Assignment {
                sources: assigned.collect(),
                besides: self.described(besides),
                replaces: replaced.map(|id| self.policy.source_ref(Origin::Shared(id), name)),
                brings,
                takes,
            }
        });
        (assignments.collect(), admins)
    }
}

/// Returns whether a user is granted a part of what a remedy grants.
fn helps<O: Object + ?Sized>(trace: &Traced<'_, '_, O>, remedy: &[Step]) -> bool {
    remedy.iter().any(|step| match step {
        Step::Allow(bit) => matches!(trace.rights.reason(*bit), Reason::Granted | Reason::Gated),
        Step::Widen(check, _) => trace.passes(*check),
        _ => false,
    })
}

/// Sources that will do, how many permissions they take away and which they bring.
struct Weighed {
    set: Vec<SourceId>,
    takes: usize,
    brings: usize,
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
        let mut taken: HashSet<SourceId> = sources.closure(&user.sources).into_iter().collect();
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
}

/// Asks the guards of changes who may assign sources to a user.
struct Approving<'e> {
    engine: &'e Engine,
    policy: &'e Inner,
    /// The user who is given something.
    name: &'e str,
    licences: &'e [BitSet; 2],
    abilities: [Abilities<'e>; 2],
    /// The abilities of classes that were asked for.
    known: HashMap<ClassId, [Ability; 2]>,
}

/// The users who may assign one source.
struct Approvers {
    /// The user who is given it may.
    user: bool,
    /// The classes whose other users may.
    classes: Vec<ClassId>,
}

impl<'e> Approving<'e> {
    fn new(
        engine: &'e Engine,
        policy: &'e Inner,
        name: &'e str,
        licences: &'e [BitSet; 2],
    ) -> Approving<'e> {
        let abilities = licences.each_ref().map(|licensed| Abilities::new(policy, licensed));
        Approving { engine, policy, name, licences, abilities, known: HashMap::default() }
    }

    /// The approvers of each of these sources, once the user has those before it; `None`
    /// if one of them would be refused whoever asks.
    fn approvers(&mut self, set: &[SourceId]) -> Option<Vec<Approvers>> {
        let mut version = self.policy.clone();
        let mut approvers = Vec::new();
        for &source in set {
            let source = self.policy.sources.name_of(source);
            let change = Change::Assign { user: self.name.to_owned(), source };
            let plan = Plan::new(&version, &change);
            judge(&plan, Actor::Host).ok()?;
            approvers.push(self.approvers_of(&plan));
            let next = plan.into_version();
            version = next;
        }
        Some(approvers)
    }

    /// The users whom the guards would let make a change.
    // Users of a class are alike to the guards, as assigning names no groups. Earlier
    // assignments changed the class of one user, who is asked about alone, and no source:
    // so all other classes may do what they may do in the policy as it is.
    fn approvers_of(&mut self, plan: &Plan<'_>) -> Approvers {
        let mut comparing = Comparing::new(&self.policy.catalogue);
        let mut gains: Vec<Gain> = Vec::new();
        if self.policy.governance.no_escalation() {
            find_gain(plan, self.licences, &mut comparing, |gain, _| {
                gains.push(gain);
                None::<()>
            });
        }
        let mut classes = Vec::new();
        for (id, class) in self.policy.users.classes() {
            if permit(plan, class, |bit| self.engine.class_holds(id, bit)).is_err() {
                continue;
            }
            if !class.admin && !gains.is_empty() {
                let abilities = &mut self.abilities;
                let known = self.known.entry(id);
                let actor = known.or_insert_with(|| abilities.each_mut().map(|it| it.of(class)));
                if gains.iter().any(|gain| gain.beyond(actor, &mut comparing).is_some()) {
                    continue;
                }
            }
            classes.push(id);
        }
        Approvers { user: judge(plan, Actor::User(self.name)).is_ok(), classes }
    }

    /// The admins who are among all of these approvers, and the names of the others of
    /// each, all sorted. Looks at each user once.
    fn names(&self, approvers: &[Approvers]) -> (Vec<String>, Vec<Vec<String>>) {
        let mut by_class: HashMap<ClassId, Vec<usize>> = HashMap::default();
        let mut by_user = Vec::new();
        for (at, Approvers { user, classes }) in approvers.iter().enumerate() {
            classes.iter().for_each(|&class| by_class.entry(class).or_default().push(at));
            by_user.extend(user.then_some(at));
        }
        let (mut admins, mut others) = (Vec::new(), vec![Vec::new(); approvers.len()]);
        let users = &self.policy.users;
        for (slot, name, class) in users.iter() {
            let by_class = by_class.get(&users.class_of(slot));
            let approves = if name == self.name { Some(&by_user) } else { by_class };
            let Some(approves) = approves else { continue };
            if class.admin && approves.len() == approvers.len() {
                admins.push(name.to_owned());
                continue;
            }
            for &at in approves {
                others.get_mut(at).into_iter().for_each(|names| names.push(name.to_owned()));
            }
        }
        admins.sort_unstable();
        others.iter_mut().for_each(|names| names.sort_unstable());
        (admins, others)
    }
}

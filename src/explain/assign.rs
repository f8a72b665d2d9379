//! The sources that would grant what is missing, and the users who may assign them.

use super::hypothesis::Step;
use super::remedy::{AssignedSource, Assignment};
use super::search::{Search, Traced};
use crate::bits::BitSet;
use crate::change::guard::{Gain, compared_licences, find_gain, judge, permit};
use crate::change::{Abilities, Actor, Change, Comparing, Plan, Requirements};
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
        mut found: Vec<Weighed>,
        besides: &[Step],
    ) -> (Vec<Assignment>, Vec<String>) {
        let Holder { name, class: user, .. } = self.holder;
        let licences = compared_licences(self.policy);
        let comparing = Comparing::new(&self.policy.catalogue);
        let (engine, policy, licences) = (self.engine, self.policy, &licences);
        let mut approving = Approving { engine, policy, name, licences, comparing };
        // What would be refused whoever asks is not offered.
        let mut asked = Vec::new();
        found.retain(|weighed| {
            let more = approving.asked(&weighed.set);
            more.map(|more| asked.extend(more)).is_some()
        });
        if found.is_empty() {
            return Default::default();
        }
        let (admins, named) = approving.names(&asked);
        let mut named = named.into_iter();
        let assignments = found.into_iter().map(|Weighed { set, takes, brings }| {
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
    comparing: Comparing<'e>,
}

/// An assignment that somebody would have to approve.
struct Asked {
    requirements: Requirements,
    /// The gains that an approver must not be short of.
    gains: Vec<Gain>,
    /// The user who is given the source may assign it.
    by_user: bool,
}

impl<'e> Approving<'e> {
    /// The assignments of these sources, each once the user has those before it; `None` if
    /// one of them would be refused whoever asks.
    fn asked(&mut self, set: &[SourceId]) -> Option<Vec<Asked>> {
        let mut version = self.policy.clone();
        let mut asked = Vec::new();
        for &source in set {
            let source = self.policy.sources.name_of(source);
            let change = Change::Assign { user: self.name.to_owned(), source };
            let plan = Plan::new(&version, &change);
            judge(&plan, Actor::Host).ok()?;
            let by_user = judge(&plan, Actor::User(self.name)).is_ok();
            let mut gains = Vec::new();
            if self.policy.governance.no_escalation() {
                find_gain(&plan, self.licences, &mut self.comparing, |gain, _| {
                    gains.push(gain);
                    None::<()>
                });
            }
            let (next, requirements) = plan.into_version();
            asked.push(Asked { requirements, gains, by_user });
            version = next;
        }
        Some(asked)
    }

    /// The numbers of the assignments that the users of each class may make, the user who
    /// is given something aside.
    // Users of a class are alike to the guards, as assigning names no groups. Earlier
    // assignments changed the class of one user, who is asked about alone, and no source:
    // so all other classes may do what they may do in the policy as it is.
    fn by_class(&mut self, asked: &[Asked]) -> HashMap<ClassId, Vec<usize>> {
        // There may be many classes, and most assignments require the same.
        let mut alike: HashMap<&Requirements, Vec<(usize, &[Gain])>> = HashMap::default();
        for (at, Asked { requirements, gains, .. }) in asked.iter().enumerate() {
            alike.entry(requirements).or_default().push((at, gains));
        }
        let mut abilities = self.licences.each_ref().map(|it| Abilities::new(self.policy, it));
        let mut by_class: HashMap<ClassId, Vec<usize>> = HashMap::default();
        for (id, class) in self.policy.users.classes() {
            let mut actor = None;
            let mut is_short_of = |gain: &Gain| {
                let of_class = || abilities.each_mut().map(|abilities| abilities.of(class));
                gain.beyond(actor.get_or_insert_with(of_class), &mut self.comparing).is_some()
            };
            for (requirements, asked) in &alike {
                let holds = |bit| self.engine.class_holds(id, bit);
                if permit(self.policy, requirements, class, holds).is_err() {
                    continue;
                }
                for &(at, gains) in asked {
                    if class.admin || !gains.iter().any(&mut is_short_of) {
                        by_class.entry(id).or_default().push(at);
                    }
                }
            }
        }
        by_class
    }

    /// The admins who may make all of these assignments, and the names of the others who
    /// may make each, all sorted.
    fn names(&mut self, asked: &[Asked]) -> (Vec<String>, Vec<Vec<String>>) {
        let by_class = self.by_class(asked);
        let by_user = asked.iter().enumerate().filter(|(_, it)| it.by_user);
        let by_user: Vec<usize> = by_user.map(|(at, _)| at).collect();
        let (mut admins, mut others) = (Vec::new(), vec![Vec::new(); asked.len()]);
        let users = &self.policy.users;
        let user = users.find(self.name);
        let slots = users.of_classes(|class| by_class.contains_key(&class));
        for slot in slots.filter(|&slot| Some(slot) != user).chain(user) {
            let by_class = by_class.get(&users.class_of(slot));
            let approves = if Some(slot) == user { Some(&by_user) } else { by_class };
            let Some((approves, (name, class))) = approves.zip(users.get(slot)) else { continue };
            if class.admin && approves.len() == asked.len() {
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

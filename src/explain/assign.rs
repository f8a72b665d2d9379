//! The sources that would grant what is missing, and the users who may assign them.

use super::hypothesis::Step;
use super::remedy::{AssignedSource, Assignment};
use super::search::{Search, Traced};
use crate::bits::BitSet;
use crate::change::guard::{Gain, does_less, find_gain, judge};
use crate::change::permit::{Asking, permit};
use crate::change::{Actor, Change, Plan, Requirements, Scales, Standing, compared_licences};
use crate::engine::Engine;
use crate::ids::{IdVec, SourceId, UserSlot};
use crate::names::{HashMap, HashSet};
use crate::object::Object;
use crate::policy::{Class, Holder, Inner, Likeness, Origin, SourceKind};
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
        let (engine, policy, licences) = (self.engine, self.policy, &licences);
        let scales = Scales::new(policy, licences);
        let mut approving = Approving { engine, policy, name, scales, licences };
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
    scales: Scales<'e>,
    licences: &'e [BitSet; 2],
}

/// An assignment that somebody would have to approve.
struct Asked {
    requirements: Requirements,
    /// The user would do less with the source.
    does_less: bool,
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
            let plan = Plan::new(&version, &change, Standing::Ordinary);
            judge(&plan, Actor::Host, None).ok()?;
            let by_user = judge(&plan, Actor::User(self.name), None).is_ok();
            let mut scales = Scales::new(&version, self.licences);
            let user = version.users.find(self.name);
            let does_less = user.is_some_and(|slot| does_less(&plan, slot, &mut scales));
            let mut gains = Vec::new();
            if self.policy.governance.no_escalation() {
                let comparing = &mut self.scales.comparing;
                find_gain(&plan, self.licences, None, comparing, &mut |gain, _| {
                    gains.push(gain.clone());
                    None::<()>
                });
            }
            let (next, requirements) = plan.into_version();
            asked.push(Asked { requirements, does_less, gains, by_user });
            version = next;
        }
        Some(asked)
    }

    /// The numbers of the assignments that users who are alike may make, the user who is
    /// given something aside.
    // Earlier assignments changed the class of one user, who is asked about alone, and no
    // source: so all others may do what they may do in the policy as it is.
    fn made_by(&mut self, slot: UserSlot, asked: &[Asked]) -> Vec<usize> {
        let asking = Asking::new(self.policy, slot, None).in_engine(self.engine);
        let is_admin = self.policy.users[slot].admin;
        let mut abilities = None;
        // There may be many users, and most assignments require the same.
        let mut permitted: HashMap<(&Requirements, bool), bool> = HashMap::default();
        let mut made = Vec::new();
        for (at, Asked { requirements, does_less, gains, .. }) in asked.iter().enumerate() {
            let scales = &mut self.scales;
            let is_permitted = permitted.entry((requirements, *does_less)).or_insert_with(|| {
                permit(&asking, requirements, scales, &mut |_, _| *does_less).is_ok()
            });
            if !*is_permitted {
                continue;
            }
            let scales = &mut self.scales;
            let mut is_short_of = |gain: &Gain| {
                let abilities = &*abilities.get_or_insert_with(|| scales.of(slot));
                gain.beyond(abilities, &mut scales.comparing).is_some()
            };
            if is_admin || asking.is_spared(requirements) || !gains.iter().any(&mut is_short_of) {
                made.push(at);
            }
        }
        made
    }

    /// The admins who may make all of these assignments, and the names of the others who
    /// may make each, all sorted.
    fn names(&mut self, asked: &[Asked]) -> (Vec<String>, Vec<Vec<String>>) {
        let by_user = asked.iter().enumerate().filter(|(_, it)| it.by_user);
        let by_user: Vec<usize> = by_user.map(|(at, _)| at).collect();
        let mut alike: HashMap<Likeness, Vec<usize>> = HashMap::default();
        let (mut admins, mut others) = (Vec::new(), vec![Vec::new(); asked.len()]);
        let users = &self.policy.users;
        // Most users could ask for none of these, and are not looked at.
        let mut open = IdVec::filled(users.class_slots(), false);
        for (id, class) in users.classes() {
            let holds = |bit| self.engine.class_holds(id, bit);
            let mut requirements = asked.iter().map(|it| &it.requirements);
            open[id] = requirements.any(|it| it.are_open_to(class, self.policy, holds));
        }
        let user = users.find(self.name);
        let slots = users.of_classes(|class| open.find(class) == Some(&true));
        let assigned = users.assigned_any(|_| true).into_iter();
        let assigned = assigned.filter(|&slot| !open[users.class_of(slot)]);
        let beside = slots.chain(assigned).filter(|&slot| Some(slot) != user);
        for slot in beside.chain(user) {
            let Some((name, class)) = users.get(slot) else { continue };
            let made = if Some(slot) == user {
                &by_user
            } else {
                let known = alike.entry(users.likeness(slot));
                known.or_insert_with(|| self.made_by(slot, asked))
            };
            if class.admin && made.len() == asked.len() {
                admins.push(name.to_owned());
                continue;
            }
            for &at in made {
                others.get_mut(at).into_iter().for_each(|names| names.push(name.to_owned()));
            }
        }
        admins.sort_unstable();
        others.iter_mut().for_each(|names| names.sort_unstable());
        (admins, others)
    }
}

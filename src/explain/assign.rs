//! The sources that would grant what is missing, and the users who may assign them.

use super::Named;
use super::changes::open_to;
use super::hypothesis::Step;
use super::remedy::{AssignedSource, Assignment, Remedies, Remedy};
use super::search::{Search, Traced};
use crate::bits::BitSet;
use crate::change::guard::{Gain, Losses, find_gain, judge};
use crate::change::permit::{Asking, permit};
use crate::change::{Actor, Change, Plan, Requirements, Scales, Standing, compared_licences};
use crate::engine::Engine;
use crate::ids::{SourceId, UserSlot};
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
    /// The sources that would do in place of what a remedy grants the user, or in place of the
    /// profile out of which it lifts something: one, or else as few as it takes. Beside them,
    /// the admins who may do all of this.
    pub(super) fn assignments(&self, remedy: &[Step]) -> (Vec<Assignment>, Vec<UserSlot>) {
        let user = self.holder.class;
        let mut besides: Vec<Step> =
            remedy.iter().filter(|step| !step.is_grant()).cloned().collect();
        if besides.len() == remedy.len() {
            let profile = self.policy.sources.profile(&user.sources);
            let profile: Option<HashSet<SourceId>> =
                profile.map(|it| self.policy.sources.closure(&[it]).into_iter().collect());
            let is_of_profile = |step: &Step| match (step, &profile) {
                (Step::Lift(Origin::Shared(id), ..), Some(profile)) => profile.contains(id),
                _ => false,
            };
            besides.retain(|step| !is_of_profile(step));
            if besides.len() == remedy.len() {
                return Default::default();
            }
        }
        let before = self.effective(user);
        let beyond =
            |set: &BitSet, other: &BitSet| set.iter().filter(|&bit| !other.contains(bit)).count();
        let found = self.with_layers(&besides, |layers| {
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
                    return found;
                }
                if size == 1 {
                    candidates.retain(|&source| {
                        let user = with(self.policy, user, &[source]);
                        self.look_at(layers, &besides, &user, |trace| helps(trace, remedy))
                    });
                }
            }
            Vec::new()
        });
        self.describe_assignments(found, &besides)
    }

    /// The steps that are needed besides some sources: a profile that is replaced may have
    /// been the one that forbids.
    fn needed_besides(&self, set: &[SourceId], besides: &[Step]) -> Vec<Step> {
        let user = with(self.policy, self.holder.class, set);
        let mut needed = besides.to_vec();
        for at in (0..needed.len()).rev() {
            let step = needed.remove(at);
            if !self.may_look() || !self.look(&needed, &user, |trace| self.is_allowed(trace)) {
                needed.insert(at, step);
            }
        }
        needed
    }

    /// The attributes of which more passes once the user has these sources.
    fn widened_by(&self, set: &[SourceId]) -> Vec<String> {
        let catalogue = &self.policy.catalogue;
        let limits = |class: &Class| {
            self.look(&[], class, |trace| {
                let all = catalogue.attributes.iter();
                all.map(|(id, _)| trace.limit(id).clone()).collect::<Vec<_>>()
            })
        };
        let before = limits(self.holder.class);
        let after = limits(&with(self.policy, self.holder.class, set));
        let wider = catalogue.attributes.iter().zip(before.iter().zip(&after));
        let wider = wider.filter(|(_, (before, after))| !before.contains(after));
        wider.map(|((_, attribute), _)| attribute.path.to_string()).collect()
    }

    /// The rights of users of a class in the policy as it is.
    pub(super) fn effective(&self, class: &Class) -> BitSet {
        let mut layers = self.layers.borrow_mut();
        let granted = layers.grants(class).granted;
        layers.effective(&granted)
    }

    fn describe_assignments(
        &self,
        found: Vec<Weighed>,
        besides: &[Step],
    ) -> (Vec<Assignment>, Vec<UserSlot>) {
        let Holder { name, class: user, .. } = self.holder;
        let licences = compared_licences(self.policy);
        let (engine, policy, licences) = (self.engine, self.policy, &licences);
        let scales = Scales::new(policy, licences);
        let mut approving = Approving { engine, policy, name, scales, licences };
        // What would be refused whoever asks is not offered.
        let (mut asked, mut offered) = (Vec::new(), Vec::new());
        let mut of_besides: Option<Vec<UserSlot>> = None;
        for weighed in found {
            let needed = self.needed_besides(&weighed.set, besides);
            let besides = if needed.is_empty() {
                None
            } else {
                let Some((besides, admins)) = self.remedy(self.described(&needed)) else {
                    continue;
                };
                if !besides.changes.is_empty() {
                    restrict(&mut of_besides, admins);
                }
                Some(besides)
            };
            let Some(more) = approving.asked(&weighed.set) else { continue };
            asked.extend(more);
            offered.push((weighed, besides));
        }
        if offered.is_empty() {
            return Default::default();
        }
        let (mut admins, named) = approving.names(&asked);
        if let Some(of_besides) = of_besides {
            let of_besides: HashSet<UserSlot> = of_besides.into_iter().collect();
            admins.retain(|admin| of_besides.contains(admin));
        }
        let mut named = named.into_iter();
        let assignments = offered.into_iter().map(|(Weighed { set, takes, brings }, besides)| {
            let assigned = set.iter().map(|&source| AssignedSource {
                source: self.policy.source_ref(Origin::Shared(source), name),
                change: assign(policy, name, source),
                approvers: self.named(named.next().unwrap_or_default()),
            });
            let sources = &self.policy.sources;
            let is_profile = |&id: &SourceId| sources[id].kind == SourceKind::Profile;
            let replaced = sources.profile(&user.sources);
            let replaced = replaced.filter(|_| set.iter().any(is_profile));
            Assignment {
                sources: assigned.collect(),
                besides,
                replaces: replaced.map(|id| self.policy.source_ref(Origin::Shared(id), name)),
                brings,
                takes,
                widens: self.widened_by(&set),
            }
        });
        (assignments.collect(), admins)
    }

    /// The remedies with those who may take them: the admins who may do all of this apart.
    pub(super) fn approved(
        &self,
        least: Vec<(Remedy, Vec<UserSlot>)>,
        (mut assignments, assigning): (Vec<Assignment>, Vec<UserSlot>),
    ) -> Remedies {
        let mut of_all = (!assignments.is_empty()).then(|| assigning.clone());
        for (_, admins) in least.iter().filter(|(remedy, _)| !remedy.changes.is_empty()) {
            restrict(&mut of_all, admins.clone());
        }
        let admins = of_all.unwrap_or_default();
        let of_all: HashSet<UserSlot> = admins.iter().copied().collect();
        let others = |of_one: Vec<UserSlot>| {
            self.named(of_one.into_iter().filter(|slot| !of_all.contains(slot)).collect())
        };
        let add = |approvers: &mut Vec<Named>, more: &[Named]| {
            approvers.extend_from_slice(more);
            approvers.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        };
        let assigning = others(assigning);
        for assigned in assignments.iter_mut().flat_map(|it| &mut it.sources) {
            add(&mut assigned.approvers, &assigning);
        }
        let least = least.into_iter().map(|(mut remedy, of_one)| {
            add(&mut remedy.approvers, &others(of_one));
            remedy
        });
        let (least, admins) = (least.collect(), self.named(admins));
        Remedies { least, assignments, admins, ask_about: None }
    }
}

/// Keeps those who are among others, too; all of the others if there was nobody yet.
fn restrict(all: &mut Option<Vec<UserSlot>>, others: Vec<UserSlot>) {
    match all {
        Some(all) => {
            let others: HashSet<UserSlot> = others.into_iter().collect();
            all.retain(|slot| others.contains(slot));
        }
        None => *all = Some(others),
    }
}

fn assign(policy: &Inner, user: &str, source: SourceId) -> Change {
    Change::Assign { user: user.to_owned(), source: policy.sources.name_of(source) }
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
            let change = assign(self.policy, self.name, source);
            let plan = Plan::new(&version, &change, Standing::Ordinary);
            judge(&plan, Actor::Host, None).ok()?;
            let by_user = judge(&plan, Actor::User(self.name), None).is_ok();
            let mut scales = Scales::new(&version, self.licences);
            let user = version.users.find(self.name);
            let mut losses = Losses::new(&plan, self.licences);
            let does_less = user.is_some_and(|slot| losses.has(slot, &mut scales));
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

    /// The admins who may make all of these assignments, and the others who may make each.
    fn names(&mut self, asked: &[Asked]) -> (Vec<UserSlot>, Vec<Vec<UserSlot>>) {
        let by_user = asked.iter().enumerate().filter(|(_, it)| it.by_user);
        let by_user: Vec<usize> = by_user.map(|(at, _)| at).collect();
        let mut alike: HashMap<Likeness, Vec<usize>> = HashMap::default();
        let (mut admins, mut others) = (Vec::new(), vec![Vec::new(); asked.len()]);
        let users = &self.policy.users;
        let requirements: Vec<&Requirements> = asked.iter().map(|it| &it.requirements).collect();
        let user = users.find(self.name);
        let open = open_to(self.policy, self.engine, &requirements).into_iter();
        for slot in open.filter(|&slot| Some(slot) != user).chain(user) {
            let made = if Some(slot) == user {
                &by_user
            } else {
                let known = alike.entry(users.likeness(slot));
                known.or_insert_with(|| self.made_by(slot, asked))
            };
            if users[slot].admin && made.len() == asked.len() {
                admins.push(slot);
                continue;
            }
            for &at in made {
                others.get_mut(at).into_iter().for_each(|slots| slots.push(slot));
            }
        }
        (admins, others)
    }
}

//! The changes that remedies come to, and the users who may make them.

use super::hypothesis::Step;
use super::remedy::{Remedy, RemedyStep};
use super::search::Search;
use super::{Effect, Named, Statement, named_user};
use crate::change::guard::judge;
use crate::change::{Actor, Change, Op, Plan, Requirements, Standing};
use crate::document::{self, Licence, Map, Statements};
use crate::engine::Engine;
use crate::ids::{IdVec, SourceId, UserSlot};
use crate::names::{HashSet, IndexMap};
use crate::object::Object;
use crate::policy::{Inner, Likeness, Origin, SourceName};

/// The users who may make some changes, each in their order.
#[derive(Default)]
pub(super) struct Approval {
    pub(super) admins: Vec<UserSlot>,
    pub(super) others: Vec<UserSlot>,
}

impl<O: Object + ?Sized> Search<'_, O> {
    /// The remedy of these steps and the admins who may take them; `None` if a step would be
    /// refused whoever asks.
    pub(super) fn remedy(&self, steps: Vec<RemedyStep>) -> Option<(Remedy, Vec<UserSlot>)> {
        let changes = self.changes(&steps);
        let Approval { admins, others } = self.approval(&changes)?;
        let approvers = self.named(others);
        Some((Remedy { steps, changes, approvers }, admins))
    }

    /// The changes that take these steps, in the order in which they can be made. A step that
    /// only asks about another object takes none.
    pub(super) fn changes(&self, steps: &[RemedyStep]) -> Vec<Change> {
        let user = self.holder.name;
        let own = SourceName::User(user.to_owned());
        let (mut changes, mut features, mut ops) = (Vec::new(), Vec::new(), Vec::new());
        let mut lifted: IndexMap<&SourceName, Vec<&Statement>> = IndexMap::default();
        let mut assignments = self.policy.assignments(self.assigned);
        let mut amended: Vec<&str> = Vec::new();
        for step in steps {
            match step {
                RemedyStep::Restore(_) => {
                    changes.push(Change::SetSuspended { user: user.to_owned(), suspended: false });
                }
                RemedyStep::Revoke { source, .. } => {
                    let source = source.source.clone();
                    changes.push(Change::Revoke { user: user.to_owned(), source });
                }
                RemedyStep::License(feature) => features.push(feature.clone()),
                RemedyStep::Lift(it) => lifted.entry(&it.source.source).or_default().push(it),
                RemedyStep::Allow(permission) => ops.push(allowing(&permission.name)),
                RemedyStep::Widen { attribute, to, .. } => {
                    let (attribute, bound) = (attribute.clone(), Some(to.clone()));
                    ops.push(Op::Bound { attribute, bound });
                }
                RemedyStep::WidenIn { assignment, .. }
                | RemedyStep::Prolong { assignment, .. }
                | RemedyStep::Cover { assignment, .. } => {
                    if let Some(stated) = assignments.get_mut(&assignment.name) {
                        amend(stated, step);
                    }
                    if !amended.contains(&&*assignment.name) {
                        amended.push(&assignment.name);
                    }
                }
                RemedyStep::Give { name, source, on } => {
                    assignments.push(name, given(&source.source, on.clone()));
                    amended.push(name);
                }
                RemedyStep::Relate { .. } | RemedyStep::Value { .. } => {}
            }
        }
        if !features.is_empty() {
            let stated = self.policy.licence.stated().clone();
            features.splice(0..0, stated.features);
            changes.push(Change::SetLicence(Licence { features, ..stated }));
        }
        for (source, lifted) in lifted {
            let stated = self.engine.policy().source(source);
            let stated = stated.map(|stated| stated.source.statements).unwrap_or_default();
            let lifting = lifting(&stated, &lifted);
            if *source == own {
                ops.splice(0..0, lifting);
            } else {
                changes.push(edit(source.clone(), lifting));
            }
        }
        if !ops.is_empty() {
            changes.push(edit(own, ops));
        }
        changes.extend(amended.into_iter().map(|name| Change::SetAssignment {
            user: user.to_owned(),
            name: name.to_owned(),
            assignment: assignments.get(name).cloned().map(Box::new),
        }));
        changes
    }

    /// The users who may make these changes, one after the other; `None` if one would be
    /// refused whoever asks. Where very many could ask, those are looked at for whom there is
    /// effort.
    // A change of one user's leaves all others alike who were, and so does one of a source. So
    // one user speaks for all who are like him, but for the one whom the changes are about.
    pub(super) fn approval(&self, changes: &[Change]) -> Option<Approval> {
        let users = &self.policy.users;
        let mut version = self.policy.clone();
        let mut asked: Option<Vec<Vec<UserSlot>>> = None;
        for change in changes {
            let plan = Plan::new(&version, change, Standing::Ordinary);
            judge(&plan, Actor::Host, None).ok()?;
            let asked = asked.get_or_insert_with(|| self.open_to(plan.requirements()));
            asked.retain(|alike| {
                self.spend(self.policy.catalogue.nodes.len());
                let first = alike.first().filter(|_| self.may_look());
                let actor = first.map(|&slot| Actor::User(users.name(slot)));
                actor.is_some_and(|actor| judge(&plan, actor, None).is_ok())
            });
            version = plan.into_version().0;
        }
        let asked = asked.into_iter().flatten().flatten();
        let (admins, others) = asked.partition(|&slot| users[slot].admin);
        Some(Approval { admins, others })
    }

    /// The users who could ask for a change that requires this, those together who are alike.
    fn open_to(&self, requirements: &Requirements) -> Vec<Vec<UserSlot>> {
        let users = &self.policy.users;
        let user = users.find(self.holder.name);
        let mut alike: IndexMap<(Likeness, bool), Vec<UserSlot>> = IndexMap::default();
        for slot in open_to(self.policy, self.engine, &[requirements]) {
            alike.entry((users.likeness(slot), Some(slot) == user)).or_default().push(slot);
        }
        alike.into_values().collect()
    }

    /// The users with their labels, sorted by name.
    pub(super) fn named(&self, slots: Vec<UserSlot>) -> Vec<Named> {
        let named = slots.into_iter().filter_map(|slot| self.policy.users.holder(slot));
        let mut named: Vec<Named> = named.map(named_user).collect();
        named.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        named
    }

    /// The sources that a user has directly and that bring one along.
    pub(super) fn bringing(&self, user: &[SourceId], source: Origin) -> Vec<Step> {
        let Origin::Shared(source) = source else { return Vec::new() };
        let sources = &self.policy.sources;
        self.spend(sources.including().len());
        let bringing = sources.with_including(HashSet::from_iter([source]));
        let brings = |held: &&SourceId| bringing.contains(held);
        user.iter().filter(brings).map(|&held| Step::Revoke(held)).collect()
    }
}

/// The users who could make some of the changes that require this: most could make none, and
/// are not looked at any closer.
pub(super) fn open_to(
    policy: &Inner,
    engine: &Engine,
    requirements: &[&Requirements],
) -> Vec<UserSlot> {
    let users = &policy.users;
    let mut open = IdVec::filled(users.class_slots(), false);
    for (id, class) in users.classes() {
        let holds = |bit| engine.class_holds(id, bit);
        open[id] = requirements.iter().any(|it| it.are_open_to(class, policy, holds));
    }
    let slots = users.of_classes(|class| open.find(class) == Some(&true));
    let assigned = users.assigned_any(|_| true).into_iter();
    slots.chain(assigned.filter(|&slot| !open[users.class_of(slot)])).collect()
}

fn edit(source: SourceName, ops: Vec<Op>) -> Change {
    Change::Edit { source, ops, cascade: false }
}

/// The op that allows exactly a permission, or sets it to exactly a level.
fn allowing(permission: &str) -> Op {
    match permission.split_once(':') {
        Some((path, level)) => Op::Level { path: path.to_owned(), level: level.to_owned() },
        None => Op::Allow(permission.to_owned()),
    }
}

/// The ops that take statements out of a source. Each replaces all that the source states of
/// exactly the pattern, so it states what would count then.
fn lifting(stated: &Statements, lifted: &[&Statement]) -> Vec<Op> {
    let mut ops: Vec<Op> = Vec::new();
    for pattern in lifted.iter().map(|it| &it.pattern) {
        let stays = |patterns: &[String], effect: &Effect| {
            let is_lifted = lifted.iter().any(|it| it.pattern == *pattern && it.effect == *effect);
            patterns.contains(pattern) && !is_lifted
        };
        let op = if stays(&stated.forbid, &Effect::Forbid) {
            Op::Forbid(pattern.clone())
        } else if stays(&stated.deny, &Effect::Deny) {
            Op::Deny(pattern.clone())
        } else if stays(&stated.except, &Effect::Except) {
            Op::Except(pattern.clone())
        } else if let Some(level) = stated.levels.get(pattern) {
            Op::Level { path: pattern.clone(), level: level.clone() }
        } else if stays(&stated.allow, &Effect::Allow) {
            Op::Allow(pattern.clone())
        } else {
            Op::Clear(pattern.clone())
        };
        if !ops.contains(&op) {
            ops.push(op);
        }
    }
    ops
}

/// Changes an assignment as a step says.
fn amend(assignment: &mut document::Assignment, step: &RemedyStep) {
    match step {
        RemedyStep::WidenIn { attribute, to, .. } => {
            let bounds = &mut assignment.statements.bounds;
            bounds.retain(|known, _| known != attribute);
            bounds.push(attribute, to.clone());
        }
        RemedyStep::Prolong { from, until, .. } => {
            (assignment.from, assignment.until) = (*from, *until);
        }
        RemedyStep::Cover { kind, name, to, .. } => {
            let Some(on) = &mut assignment.on else { return };
            if on.get(kind).is_none() {
                let others: Map<_> = on.get("*").cloned().unwrap_or_default();
                on.push(kind, others);
            }
            let condition = on.get_mut(kind).and_then(|conditions| conditions.get_mut(name));
            if let Some(condition) = condition {
                *condition = to.clone();
            }
        }
        _ => {}
    }
}

/// An assignment of a role or an approval group alone.
pub(super) fn given(source: &SourceName, on: document::Coverage) -> document::Assignment {
    let mut assignment = document::Assignment { on: Some(on), ..Default::default() };
    match source {
        SourceName::Role(name) => assignment.roles.push(name.clone()),
        SourceName::ApprovalGroup(name) => assignment.approval_groups.push(name.clone()),
        _ => {}
    }
    assignment
}

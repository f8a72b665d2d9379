//! Sequences of changes, each made of a few numbers: what a number stands for depends on the
//! policy at that point, so that most changes can be made.

use crate::change::{Actor, Candidates, Change, Op, Set};
use crate::document::{Assignment, Bound, Map};
use crate::engine::Engine;
use crate::names::IndexSet;
use crate::policy::{ChangeKind, Inner, Policy, SourceKind, SourceName};
use crate::policy_test::Edges;
use crate::reach::ActorChange;

/// The numbers of one change. Smaller ones stand for what comes first in a policy.
pub(super) type Choices = [u16; 8];

/// Numbers, of which each makes one choice.
struct Choosing(std::array::IntoIter<u16, 8>);

impl Choosing {
    fn one<T>(
        &mut self,
        of: impl IntoIterator<Item = T, IntoIter: ExactSizeIterator>,
    ) -> Option<T> {
        let mut of = of.into_iter();
        let number = usize::from(self.0.next().unwrap_or_default());
        of.nth(number.checked_rem(of.len())?)
    }
}

/// Plays the changes that some users choose, and passes over those that are refused. Returns
/// each with the policy that it leads to.
pub(super) fn play<'s>(
    policy: &Policy,
    actors: &'s [&'s str],
    steps: &'s [Choices],
) -> impl Iterator<Item = (ActorChange, Policy)> + use<'s> {
    let mut policy = policy.clone();
    steps.iter().filter_map(move |&choices| {
        let mut choosing = Choosing(choices.into_iter());
        let actor = choosing.one(actors.iter().copied())?;
        let change = choose(policy.inner(), Some(actor), &mut choosing)?;
        let change = ActorChange { actor: actor.to_owned(), change };
        policy = made(&policy, &change)?;
        Some((change, policy.clone()))
    })
}

/// Returns the policy that a change leads to, unless it is refused.
pub(super) fn made(policy: &Policy, change: &ActorChange) -> Option<Policy> {
    let applied = policy.apply(Actor::User(&change.actor), &change.change);
    applied.ok().map(|applied| applied.policy)
}

/// Returns a change of the host's.
pub(super) fn candidate(policy: &Policy, choices: Choices) -> Option<Change> {
    choose(policy.inner(), None, &mut Choosing(choices.into_iter()))
}

fn choose(policy: &Inner, actor: Option<&str>, choosing: &mut Choosing) -> Option<Change> {
    let kind = choosing.one(open_kinds(policy, actor))?;
    let node = choosing.one(policy.catalogue.nodes.values())?;
    let path = &node.path;
    let pattern = choosing.one([path.to_string(), format!("{path}.*"), format!("{path}.**")])?;
    let is_free = |name: &String| {
        let kinds = [SourceKind::Profile, SourceKind::Role, SourceKind::ApprovalGroup];
        policy.users.find(name).is_none()
            && kinds.iter().all(|&kind| policy.sources.find(kind, name).is_none())
    };
    let new = (1..=policy.users.len().saturating_add(policy.sources.slots()).saturating_add(1))
        .map(|number| format!("new_{number}"))
        .find(is_free)?;
    let users: Vec<&str> = policy.users.iter().map(|(_, name, _)| name).collect();
    let user = choosing.one(users);
    let user = if kind == ChangeKind::AddUser { new.as_str() } else { user.unwrap_or_default() };
    let aims = [vec![pattern.clone()]];
    let candidates = Candidates { policy, aims: &aims, made: &new };
    let mut change = choosing.one(candidates.of(kind, user))?;
    match &mut change {
        Change::Edit { source, ops, cascade } => {
            *ops = vec![choosing.one(self::ops(policy, source, &pattern))?];
            *cascade = choosing.one([false, false, true])?;
        }
        Change::SetAssignment { assignment: Some(assignment), .. } => {
            let Assignment { from, until, on, .. } = choosing.one(terms(policy))?;
            **assignment = Assignment { from, until, on, ..Assignment::clone(assignment) };
        }
        Change::AddUser(added) => {
            let roles = policy.sources.of(SourceKind::Role).map(|(_, name, _)| name.to_owned());
            let roles: Vec<Vec<String>> =
                [Vec::new()].into_iter().chain(roles.map(|role| vec![role])).collect();
            added.rest.roles = choosing.one(roles)?;
        }
        _ => {}
    }
    Some(change)
}

/// Returns the kinds of change that governance may let somebody make.
fn open_kinds(policy: &Inner, actor: Option<&str>) -> Vec<ChangeKind> {
    let all = ChangeKind::ALL.iter().copied();
    let Some(name) = actor else { return all.collect() };
    let Some(slot) = policy.users.find(name) else { return Vec::new() };
    if policy.users[slot].admin {
        return all.collect();
    }
    let (engine, place) = Engine::of_user(policy, slot);
    let may = |kind: &ChangeKind| {
        let needs = policy.governance.needs(*kind);
        needs.is_some_and(|needs| needs.iter().all(|&bit| engine.holds_some(place, bit)))
    };
    all.filter(may).collect()
}

/// Returns the ops that an edit might have.
fn ops(policy: &Inner, source: &SourceName, pattern: &str) -> Vec<Op> {
    let catalogue = &policy.catalogue;
    let path = || pattern.to_owned();
    let mut ops = vec![
        Op::Allow(path()),
        Op::Clear(path()),
        Op::Deny(path()),
        Op::Except(path()),
        Op::Forbid(path()),
    ];
    let levels = catalogue.nodes.values().iter().flat_map(|node| {
        (1..=node.width()).chain([0]).filter_map(|level| node.level_name(level as usize))
    });
    let levels: IndexSet<&str> = levels.collect();
    ops.extend(levels.iter().map(|level| Op::Level { path: path(), level: (*level).to_owned() }));
    let mut bounds: IndexSet<(String, Option<Bound>)> = IndexSet::default();
    for (.., stating) in policy.sources.iter() {
        for (id, bound) in &stating.statements.bounds {
            let attribute = catalogue.attribute_at(*id).path.to_string();
            bounds.extend(
                [Some(bound.clone()), Some(Bound::Any), None]
                    .map(|bound| (attribute.clone(), bound)),
            );
        }
    }
    ops.extend(bounds.into_iter().map(|(attribute, bound)| Op::Bound { attribute, bound }));
    for (setting, declared) in catalogue.document.settings.iter() {
        let values = declared.values.iter().flatten().cloned().map(Some).chain([None]);
        ops.extend(values.map(|value| Op::Setting { setting: setting.to_owned(), value }));
    }
    if let SourceName::Role(role) = source {
        let others = policy.sources.of(SourceKind::Role).filter(|(_, name, _)| name != role);
        let others = others.map(|(_, name, _)| vec![name.to_owned()]);
        let lists: Vec<Vec<String>> = others.chain([Vec::new()]).collect();
        ops.extend(
            lists
                .iter()
                .cloned()
                .map(|it| Op::Set(Set { includes: Some(Some(it)), ..Set::default() })),
        );
        ops.extend(
            lists
                .into_iter()
                .map(|it| Op::Set(Set { assignable_by: Some(Some(it)), ..Set::default() })),
        );
    }
    ops
}

/// Returns terms that an assignment might have; first, none.
fn terms(policy: &Inner) -> Vec<Assignment> {
    let mut all = vec![Assignment::default()];
    for day in Edges::week().take(2) {
        all.push(Assignment { until: Some(day.into()), ..Assignment::default() });
        all.push(Assignment { from: Some(day.into()), ..Assignment::default() });
    }
    for (kind, _) in policy.catalogue.document.objects.iter() {
        let on = Some(Map::from_iter([(kind, Map::default())]));
        all.push(Assignment { on, ..Assignment::default() });
    }
    all
}

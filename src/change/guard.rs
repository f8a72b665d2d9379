//! The guards of a change: who may ask for it, and what it must not result in (design,
//! section 5). Each is a function of the planned change.

use std::cell::LazyCell;

use super::ability::{Abilities, Ability, Comparing, Holdings};
use super::plan::{Plan, Requirements, Touched};
use super::{Actor, Refusal, Rule};
use crate::bits::BitSet;
use crate::catalogue::{Bit, NodeId};
use crate::ids::{ClassId, SourceId, UserSlot};
use crate::names::HashSet;
use crate::policy::{ChangeKind, Class, Difference, Holder, Inner, Source};
use crate::problem::quoted;

/// Refuses a planned change by the first of the rules that it breaks, in their order.
pub(crate) fn judge(plan: &Plan<'_>, actor: Actor<'_>) -> Result<(), Refusal> {
    let old = plan.old;
    let holder = match actor {
        Actor::Host => None,
        Actor::User(name) => old.users.find(name).and_then(|slot| old.users.holder(slot)),
    };
    let permitted = match (actor, holder) {
        (Actor::Host, _) => Ok(()),
        (Actor::User(name), None) => refuse(Rule::NotPermitted, format!("unknown actor `{name}`")),
        (Actor::User(name), Some(Holder { class, .. })) => {
            let held = Holdings::new(old, &licensed(old)).of(class);
            let permitted = permit(old, &plan.requirements, class, |bit| held.contains(bit));
            permitted.or_else(|why| refuse(Rule::NotPermitted, why.message(old, name)))
        }
    };
    let refusals = plan.refusals.iter().chain(permitted.as_ref().err());
    if let Some(first) = refusals.min_by_key(|refusal| refusal.rule) {
        return Err(first.clone());
    }
    last_admin(plan)?;
    separation(plan)?;
    holder.map_or(Ok(()), |actor| escalation(plan, actor))
}

fn refuse(rule: Rule, message: impl Into<String>) -> Result<(), Refusal> {
    Err(Refusal { rule, message: message.into() })
}

/// The permissions that a version's licence has.
fn licensed(policy: &Inner) -> BitSet {
    policy.catalogue.licensed(|feature| policy.is_licensed(feature))
}

/// The licences under which abilities are compared: that after the change, and one that
/// has every feature.
pub(crate) fn compared_licences(after: &Inner) -> [BitSet; 2] {
    [licensed(after), after.catalogue.licensed(|_| true)]
}

fn is_active_admin(user: &Class) -> bool {
    user.admin && !user.suspended
}

/// The reason why a user may not ask for a change, put into words only if it is told:
/// every user may be asked about.
pub(crate) enum NotPermitted<'p> {
    Suspended,
    Kind(ChangeKind),
    Assigning(SourceId),
    AdminsOnly(&'p str),
}

impl NotPermitted<'_> {
    fn message(self, policy: &Inner, name: &str) -> String {
        match self {
            NotPermitted::Suspended => format!("`{name}` is suspended"),
            NotPermitted::Kind(kind) => {
                let who = match policy.governance.needs(kind) {
                    None => "only admins may".to_owned(),
                    Some(needs) => {
                        let names = needs.iter().map(|&bit| policy.catalogue.name_of(bit));
                        let names: Vec<String> = names.collect();
                        format!("it requires {}", quoted(names.iter().map(String::as_str)))
                    }
                };
                format!("`{name}` may not `{}`: {who}", kind.code())
            }
            NotPermitted::Assigning(source) => {
                format!("`{name}` may not assign {}", policy.sources.name_of(source))
            }
            NotPermitted::AdminsOnly(message) => message.to_owned(),
        }
    }
}

/// Checks that a user may ask for a change that requires this, who holds the permissions that `holds`
/// accepts.
pub(crate) fn permit<'p>(
    old: &Inner,
    requirements: &'p Requirements,
    user: &Class,
    holds: impl Fn(Bit) -> bool,
) -> Result<(), NotPermitted<'p>> {
    if user.suspended {
        return Err(NotPermitted::Suspended);
    }
    let may = |kind: ChangeKind| {
        let needs = old.governance.needs(kind);
        user.admin || needs.is_some_and(|needs| needs.iter().all(|&bit| holds(bit)))
    };
    if let Some(&kind) = requirements.kinds.iter().find(|&&kind| !may(kind)) {
        return Err(NotPermitted::Kind(kind));
    }
    let held = LazyCell::new(|| old.sources.closure(&user.sources));
    let satisfies = |source: SourceId| {
        let guard = old.sources[source].assignable_by.as_deref();
        user.admin || guard.is_none_or(|guard| held.iter().any(|id| guard.contains(id)))
    };
    let has_right = |source: SourceId| {
        let Source { kind, assignable_by, .. } = &old.sources[source];
        let may_assign = || may(ChangeKind::on(ChangeKind::ASSIGN, *kind));
        assignable_by.is_none() || (satisfies(source) && may_assign())
    };
    let assigned = requirements.assigned.iter().find(|&&source| !satisfies(source));
    let without_right = || requirements.rights.iter().find(|&&source| !has_right(source));
    if let Some(&source) = assigned.or_else(without_right) {
        return Err(NotPermitted::Assigning(source));
    }
    match &requirements.admins_only {
        Some(message) if !user.admin => Err(NotPermitted::AdminsOnly(message)),
        _ => Ok(()),
    }
}

/// Refuses to leave a policy that has an active admin without one.
fn last_admin(plan: &Plan<'_>) -> Result<(), Refusal> {
    let has_admin = |policy: &Inner| policy.users.classes().any(|(_, it)| is_active_admin(it));
    if plan.effects.loses_admin && has_admin(plan.old) && !has_admin(&plan.new) {
        return refuse(Rule::LastAdmin, "the policy would lose its last active admin");
    }
    Ok(())
}

/// Users who are alike, before a change and after it.
struct Affected<'p> {
    before: Option<&'p Class>,
    after: &'p Class,
    who: Who,
}

/// Users who are alike: one of them, or their class.
#[derive(Clone, Copy)]
enum Who {
    User(UserSlot),
    OfClass(ClassId),
    Newcomer,
}

impl Who {
    fn name(self, policy: &Inner) -> String {
        let slot = match self {
            Who::User(slot) => Some(slot),
            Who::OfClass(class) => policy.users.of_classes(|known| known == class).next(),
            Who::Newcomer => None,
        };
        slot.map_or("a new user".to_owned(), |slot| format!("`{}`", policy.users.name(slot)))
    }
}

/// The users whose permissions a change may affect.
fn affected<'a>(plan: &'a Plan<'_>) -> Vec<Affected<'a>> {
    let (old, new) = (&plan.old.users, &plan.new.users);
    match &plan.effects.touched {
        Touched::Users(slots) => {
            let mut seen = HashSet::<(ClassId, ClassId, bool)>::default();
            let mut affected = Vec::new();
            for &slot in slots {
                let Some((_, after)) = new.get(slot) else { continue };
                let fresh = plan.effects.fresh == Some(slot);
                if seen.insert((old.class_of(slot), new.class_of(slot), fresh)) {
                    let before = old.get(slot).map(|(_, class)| class);
                    affected.push(Affected { before, after, who: Who::User(slot) });
                }
            }
            affected
        }
        // Such a change leaves everybody in the same class.
        Touched::Everybody => {
            let difference = Difference::new(plan.old, &plan.new);
            let classes = new.classes().filter(|(_, class)| difference.touches(class));
            let affected = classes.map(|(id, after)| Affected {
                before: old.class(id),
                after,
                who: Who::OfClass(id),
            });
            affected.collect()
        }
    }
}

/// Refuses to raise anyone but an admin above the limit of a separation.
fn separation(plan: &Plan<'_>) -> Result<(), Refusal> {
    let (old, new) = (plan.old, &plan.new);
    if !old.governance.has_separations() {
        return Ok(());
    }
    let (licensed_before, licensed_after) = (licensed(old), licensed(new));
    let mut before = Holdings::new(old, &licensed_before);
    let mut after = Holdings::new(new, &licensed_after);
    for Affected { before: known, after: user, who } in affected(plan) {
        // A suspended user holds nothing.
        if user.admin || user.suspended {
            continue;
        }
        let known = known.filter(|known| !known.suspended).map(|known| before.of(known));
        let separated = old.governance.separated(known.as_ref(), &after.of(user));
        if let Some((separation, count)) = separated {
            let (user, name) = (who.name(new), &separation.name);
            let message = format!(
                "{user} would hold {count} of the permissions that separation `{name}` keeps apart"
            );
            return refuse(Rule::Separation, message);
        }
    }
    Ok(())
}

/// With `no_escalation`, refuses to let anyone do what neither that user nor the actor
/// may, who is no admin.
fn escalation(plan: &Plan<'_>, actor: Holder<'_>) -> Result<(), Refusal> {
    let old = plan.old;
    if !old.governance.no_escalation() || is_active_admin(actor.class) {
        return Ok(());
    }
    let mut groups = plan.requirements.groups.iter();
    if let Some(group) = groups.find(|group| !old.groups.is_beneath(group, actor.groups)) {
        let message = format!("`{group}` is not one of the groups of `{}`", actor.name);
        return refuse(Rule::Escalation, message);
    }
    let licences = compared_licences(&plan.new);
    let abilities = licences.each_ref().map(|it| Abilities::new(old, it).of(actor.class));
    let mut comparing = Comparing::new(&old.catalogue);
    let beyond = find_gain(plan, &licences, &mut comparing, |gain, comparing| {
        Some((gain.who, gain.beyond(&abilities, comparing)?))
    });
    let Some((who, id)) = beyond else { return Ok(()) };
    let (user, path) = (who.name(&plan.new), &old.catalogue.node(id).path);
    let message =
        format!("this would let {user} do more with `{path}` than `{}` may do", actor.name);
    refuse(Rule::Escalation, message)
}

/// Permissions with which a change lets users who are alike do more than before.
pub(crate) struct Gain {
    who: Who,
    /// Under which of the licences.
    licence: usize,
    /// The abilities of the users after the change.
    ability: Ability,
    /// At least one.
    permissions: Vec<NodeId>,
}

impl Gain {
    /// The first of the permissions with which an actor may do less.
    pub(crate) fn beyond(
        &self,
        actor: &[Ability; 2],
        comparing: &mut Comparing<'_>,
    ) -> Option<NodeId> {
        let excess = comparing.excess(&self.ability, actor.get(self.licence)?);
        self.permissions.iter().copied().find(|&id| excess.includes(id))
    }
}

/// Asks of every gain that a change brings, one after the other, until there is an answer.
// Gains are not collected, as together they may be much larger than the policy.
pub(crate) fn find_gain<'c, R>(
    plan: &Plan<'_>,
    licences: &[BitSet; 2],
    comparing: &mut Comparing<'c>,
    mut ask: impl FnMut(Gain, &mut Comparing<'c>) -> Option<R>,
) -> Option<R> {
    let (old, new) = (plan.old, &plan.new);
    // One more user is compared, who holds the default profile and nothing else.
    let newcomer = |policy: &Inner| Class {
        sources: policy.default_profile.into_iter().collect(),
        ..Class::default()
    };
    let (newcomer_before, newcomer_after) = (newcomer(old), newcomer(new));
    let mut affected = affected(plan);
    let (before, after) = (Some(&newcomer_before), &newcomer_after);
    affected.push(Affected { before, after, who: Who::Newcomer });
    for (licence, licensed) in licences.iter().enumerate() {
        let mut before = Abilities::new(old, licensed);
        let mut after = Abilities::new(new, licensed);
        for &Affected { before: known, after: user, who } in &affected {
            let is_fresh = matches!(who, Who::User(slot) if plan.effects.fresh == Some(slot));
            let known = known.filter(|_| !is_fresh).map(|known| before.of(known));
            let ability = after.of(user);
            let permissions = match known {
                Some(known) => comparing.excess(&ability, &known).permissions().collect(),
                None => ability.permissions(&old.catalogue).collect::<Vec<_>>(),
            };
            if !permissions.is_empty() {
                let gain = Gain { who, licence, ability, permissions };
                if let Some(answer) = ask(gain, comparing) {
                    return Some(answer);
                }
            }
        }
    }
    None
}

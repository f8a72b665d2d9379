//! The guards of a change: what it must not result in, whoever asks, and what no actor may
//! let others do (design, section 5). Each is a function of the planned change.

use std::cell::LazyCell;

use super::ability::{Abilities, Ability, BehindGates, Comparing, Scales, compared_licences};
use super::compared::{Compared, Who, affected, given, groups_of_class, newcomer, of_slot};
use super::permit::{Asking, permit};
use super::plan::Plan;
use super::{Actor, Refusal, Rule};
use crate::bits::BitSet;
use crate::catalogue::{AttributeId, Bit, Limit, ScopeTest};
use crate::date::Moment;
use crate::document::RelationType;
use crate::ids::UserSlot;
use crate::names::HashMap;
use crate::policy::{Class, Inner, Likeness};

/// Refuses a planned change by the first of the rules that it breaks, in their order.
pub(crate) fn judge(
    plan: &Plan<'_>,
    actor: Actor<'_>,
    today: Option<Moment>,
) -> Result<(), Refusal> {
    let old = plan.old;
    // For the host there may be nothing to compare.
    let licences = LazyCell::new(|| compared_licences(&plan.new));
    let known = match actor {
        Actor::Host => None,
        Actor::User(name) => old.users.find(name),
    };
    let mut asking = known.map(|slot| (Asking::new(old, slot, today), Scales::new(old, &licences)));
    let permitted = match (actor, &mut asking) {
        (Actor::Host, _) => Ok(()),
        (Actor::User(name), None) => refuse(Rule::NotPermitted, format!("unknown actor `{name}`")),
        (Actor::User(name), Some((asking, scales))) => {
            let mut losses = Losses::new(plan, &licences);
            let permitted = permit(asking, &plan.requirements, scales, &mut |slot, scales| {
                losses.has(slot, scales)
            });
            permitted.or_else(|why| refuse(Rule::NotPermitted, why.message(old, name)))
        }
    };
    let refusals = plan.refusals.iter().chain(permitted.as_ref().err());
    if let Some(first) = refusals.min_by_key(|refusal| refusal.rule) {
        return Err(first.clone());
    }
    last_admin(plan)?;
    if old.governance.has_separations() {
        separation(plan, &licences)?;
    }
    asking.map_or(Ok(()), |(actor, mut scales)| escalation(plan, &actor, &mut scales))
}

fn refuse(rule: Rule, message: impl Into<String>) -> Result<(), Refusal> {
    Err(Refusal { rule, message: message.into() })
}

/// The users whom a change lets do less.
pub(crate) struct Losses<'p> {
    plan: &'p Plan<'p>,
    licences: &'p [BitSet; 2],
    /// The abilities after the change, under both licences, once they are asked for.
    after: Option<[Abilities<'p>; 2]>,
    /// The answers for users who are alike.
    known: HashMap<[Likeness; 2], bool>,
}

impl<'p> Losses<'p> {
    pub(crate) fn new(plan: &'p Plan<'p>, licences: &'p [BitSet; 2]) -> Losses<'p> {
        Losses { plan, licences, after: None, known: HashMap::default() }
    }

    /// Returns whether a user is among them, who exists before the change.
    pub(crate) fn has(&mut self, slot: UserSlot, scales: &mut Scales<'_>) -> bool {
        let Losses { plan, licences, after, known } = self;
        // The effect of some refused changes can't be told; that of others can, and whoever
        // may not act is not told what is unique or in use.
        if plan.refusals.iter().any(|refusal| refusal.rule < Rule::Protected) {
            return false;
        }
        let alike = [plan.old, &plan.new].map(|policy| policy.users.likeness(slot));
        *known.entry(alike).or_insert_with(|| {
            let Some(person) = plan.new.person(slot) else { return true };
            let after = after.get_or_insert_with(|| {
                licences.each_ref().map(|licensed| Abilities::new(&plan.new, licensed))
            });
            let (before, after) = (scales.of(slot), after.each_mut().map(|it| it.of(&person)));
            !scales.are_within(&before, &after)
        })
    }
}

/// Refuses to leave a policy that has an active admin without one.
fn last_admin(plan: &Plan<'_>) -> Result<(), Refusal> {
    let is_active_admin = |user: &Class| user.admin && !user.suspended;
    let has_admin = |policy: &Inner| policy.users.classes().any(|(_, it)| is_active_admin(it));
    if plan.effects.loses_admin && has_admin(plan.old) && !has_admin(&plan.new) {
        return refuse(Rule::LastAdmin, "the policy would lose its last active admin");
    }
    Ok(())
}

/// Refuses to raise anyone but an admin above the limit of a separation, suspension left
/// aside, under each of the licences. An admin held nothing.
fn separation(plan: &Plan<'_>, licences: &[BitSet; 2]) -> Result<(), Refusal> {
    let governance = &plan.old.governance;
    let affected = affected(plan);
    for licensed in licences {
        let mut before = Abilities::new(plan.old, licensed);
        let mut after = Abilities::new(&plan.new, licensed);
        for Compared { before: known, after: user, who, .. } in &affected {
            if user.class.admin {
                continue;
            }
            let known = known.as_ref().filter(|known| !known.class.admin);
            let known = known.map(|known| before.had(known));
            let separated = governance.separated(known.as_ref(), &after.had(user));
            if let Some((separation, count)) = separated {
                let (user, name) = (who.name(&plan.new), &separation.name);
                let message = format!(
                    "{user} would hold {count} of the permissions that separation `{name}` keeps apart"
                );
                return refuse(Rule::Separation, message);
            }
        }
    }
    Ok(())
}

/// With `no_escalation`, refuses to let anyone do what neither that user nor the actor
/// may, who is no admin.
fn escalation(plan: &Plan<'_>, actor: &Asking<'_>, scales: &mut Scales<'_>) -> Result<(), Refusal> {
    let (old, requirements) = (plan.old, &plan.requirements);
    if !old.governance.no_escalation() || actor.holder.class.admin {
        return Ok(());
    }
    if let Some(message) = requirements.escalates {
        return refuse(Rule::Escalation, message);
    }
    let mut groups = requirements.groups.iter();
    if let Some(group) = groups.find(|group| !old.groups.is_beneath(group, actor.holder.groups)) {
        let message = format!("`{group}` is not one of the groups of `{}`", actor.holder.name);
        return refuse(Rule::Escalation, message);
    }
    let spared = actor.is_spared(requirements).then_some(actor.slot);
    let Scales { licences, abilities, comparing, .. } = scales;
    let mut of_actor = None;
    let beyond = find_gain(plan, licences, spared, comparing, &mut |gain, comparing| {
        let person = || old.person(actor.slot).unwrap_or_default();
        let of_actor =
            of_actor.get_or_insert_with(|| abilities.each_mut().map(|it| it.of(&person())));
        let beyond = gain.beyond(of_actor, comparing)?;
        let of_actor = of_actor.get(gain.licence)?;
        let (who, name) = (gain.who.name(&plan.new), actor.holder.name);
        Some(match beyond {
            Beyond::Permission(bit) => {
                let node = old.catalogue.node_of(bit);
                let (path, extent) = (&node.path, of_actor.extent(node));
                format!("this would let {who} do more with `{path}` than `{name}`, who {extent}")
            }
            Beyond::Attribute(id) => {
                let attribute = old.catalogue.attribute_at(id);
                let (path, passing) = (&attribute.path, of_actor.passing(attribute.bound, id));
                format!("this would let {who} pass more of `{path}` than `{name}`, who {passing}")
            }
        })
    });
    beyond.map_or(Ok(()), |message| refuse(Rule::Escalation, message))
}

/// Permissions with which a change lets users who are alike do more than before.
#[derive(Clone)]
pub(crate) struct Gain {
    who: Who,
    /// Under which of the licences.
    licence: usize,
    /// The abilities of the users after the change.
    ability: Ability,
    /// The permissions of each of their capacities that are had, and that are only granted,
    /// each by its first bit.
    permissions: Vec<[BitSet; 2]>,
    /// The bounds that a source states.
    bounds: Vec<(AttributeId, Limit)>,
}

/// The object of a gain in which an actor may do less.
pub(crate) enum Beyond {
    Permission(Bit),
    Attribute(AttributeId),
}

impl Gain {
    /// Returns the first of the permissions and attributes with which an actor may do less.
    pub(crate) fn beyond(
        &self,
        actor: &[Ability; 2],
        comparing: &mut Comparing<'_>,
    ) -> Option<Beyond> {
        let actor = actor.get(self.licence)?;
        let ability = &self.ability;
        for (capability, gained) in ability.capacities.iter().zip(&self.permissions) {
            let one = (ability, capability);
            let beyond = comparing.beyond(one, Some(gained), actor, BehindGates::Had);
            if let Some(bit) = beyond.iter().flat_map(BitSet::iter).next() {
                return Some(Beyond::Permission(bit));
            }
        }
        let (_, capability) = ability.last()?;
        let covering = comparing.covering(ability, capability, actor);
        let mut bounds = self.bounds.iter();
        let beyond = bounds.find(|(attribute, limit)| {
            !covering.iter().any(|capability| capability.passes(*attribute, limit))
        });
        beyond.map(|(attribute, _)| Beyond::Attribute(*attribute))
    }

    fn is_empty(&self) -> bool {
        let mut permissions = self.permissions.iter().flatten();
        self.bounds.is_empty() && permissions.all(BitSet::is_empty)
    }

    /// Returns whether the users' groups matter for one of the permissions.
    fn looks_at_groups(&self, policy: &Inner) -> bool {
        let catalogue = &policy.catalogue;
        self.permissions.iter().flatten().flat_map(BitSet::iter).any(|bit| {
            let Some(condition) = catalogue.node_of(bit).condition.as_deref() else {
                return false;
            };
            let relations = &catalogue.kind(condition.kind).relations;
            let is_of_groups = |test: &ScopeTest| match test {
                ScopeTest::Relation(relation, _) => {
                    let declared = relations.get_index(*relation as usize);
                    declared.is_some_and(|(_, of)| *of == RelationType::Group)
                }
                ScopeTest::Values(_) => false,
            };
            condition.scopes().flat_map(|scope| &scope.when).any(is_of_groups)
        })
    }
}

/// Asks of every gain that a change brings, one after the other, until there is an answer.
/// If the actor is spared comparisons, only the actor's own gains.
// Gains are not collected, as together they may be much larger than the policy.
pub(crate) fn find_gain<R>(
    plan: &Plan<'_>,
    licences: &[BitSet; 2],
    spared: Option<UserSlot>,
    comparing: &mut Comparing<'_>,
    ask: &mut dyn FnMut(&Gain, &mut Comparing<'_>) -> Option<R>,
) -> Option<R> {
    let (old, new) = (plan.old, &plan.new);
    let mut compared = given(plan);
    match spared {
        Some(actor) => {
            compared.retain(|it| it.given_to == Some(actor));
            compared.extend(of_slot(plan, actor));
        }
        None => {
            compared.extend(affected(plan));
            compared.push(newcomer(plan));
        }
    }
    let bounding = [old, new].map(|policy| policy.sources.ways_to(policy.sources.bounding()));
    for (licence, licensed) in licences.iter().enumerate() {
        let mut before = Abilities::new(old, licensed);
        let mut after = Abilities::new(new, licensed);
        for it in &compared {
            let known = it.before.as_ref().map(|known| before.of(known));
            let ability = after.of(&it.after);
            let permissions = gained(&ability, known.as_ref(), comparing, new);
            let bounds = if licence == 0 {
                it.new_bounds(plan, &bounding, known.as_ref(), &ability, comparing)
            } else {
                Vec::new()
            };
            let who = it.who.clone();
            let mut gain = Gain { who, licence, ability, permissions, bounds };
            if gain.is_empty() {
                continue;
            }
            let lists = match it.who {
                Who::OfClass(class) if gain.looks_at_groups(new) => groups_of_class(new, class),
                _ => Vec::new(),
            };
            if lists.is_empty()
                && let Some(answer) = ask(&gain, comparing)
            {
                return Some(answer);
            }
            for groups in lists {
                gain.ability.groups = groups.into();
                if let Some(answer) = ask(&gain, comparing) {
                    return Some(answer);
                }
            }
        }
    }
    None
}

/// Returns the permissions of each capacity that a user did not have before, nor, of those
/// that are only granted, was granted.
fn gained(
    ability: &Ability,
    before: Option<&Ability>,
    comparing: &mut Comparing<'_>,
    policy: &Inner,
) -> Vec<[BitSet; 2]> {
    let gained = ability.capacities.iter().map(|capability| match before {
        None => capability.permissions(&policy.catalogue),
        Some(before) => comparing.beyond((ability, capability), None, before, BehindGates::Granted),
    });
    gained.collect()
}

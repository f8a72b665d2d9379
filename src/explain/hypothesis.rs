//! A policy, a user and an object as they would be if some steps were taken.

use std::borrow::Cow;
use std::sync::Arc;

use crate::bits::BitSet;
use crate::catalogue::{AttributeId, Bit, Catalogue, Limit, Pattern};
use crate::document::Bound;
use crate::ids::SourceId;
use crate::names::HashSet;
use crate::object::{Object, Subject, Value};
use crate::policy::{Class, Draft, Effect, Holder, Inner, Licence, Origin, Statements};
use crate::relation::{RelationState, RelationType};

/// A step of a remedy, in numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Restore,
    License(Box<str>),
    Allow(Bit),
    /// Takes the statements that deny, or forbid, with that pattern out of a source.
    Lift(Origin, Effect<'static>, Pattern),
    Widen(AttributeId, Bound),
    /// Takes a source from the user that the user has directly.
    Revoke(SourceId),
    Relate(u32, RelationState),
    Values(AttributeId, Limit),
}

impl Step {
    /// Returns whether it grants the user something that a source could grant instead.
    pub(super) fn is_grant(&self) -> bool {
        match self {
            Step::Allow(_) | Step::Widen(..) => true,
            Step::Lift(_, effect, _) => *effect != Effect::Forbid,
            Step::Restore
            | Step::License(_)
            | Step::Revoke(_)
            | Step::Relate(..)
            | Step::Values(..) => false,
        }
    }
}

/// The policy as it would be, with what its licence covers; `None` if no step is about it.
/// `sources` is the policy without its users, which is copied.
pub(super) fn policy_after(sources: &Inner, steps: &[Step]) -> Option<(Inner, BitSet)> {
    let mut policy = Cow::Borrowed(sources);
    for step in steps {
        match step {
            Step::License(feature) => {
                let policy = policy.to_mut();
                let mut stated = policy.licence.stated().clone();
                stated.features.push(feature.to_string());
                policy.licence = Arc::new(Licence::new(stated, &policy.catalogue));
            }
            Step::Lift(Origin::Shared(id), effect, pattern) => {
                let sources = &mut policy.to_mut().sources;
                sources.change(*id, |source| lift(&mut source.statements, *effect, *pattern));
            }
            _ => {}
        }
    }
    let Cow::Owned(policy) = policy else { return None };
    let licensed = policy.catalogue.licensed(|feature| policy.is_licensed(feature));
    Some((policy, licensed))
}

/// The class of the user as it would be.
pub(super) fn class_after(class: &Class, steps: &[Step], catalogue: &Catalogue) -> Class {
    let mut class = class.clone();
    let (mut allowed, mut widened) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Restore => class.suspended = false,
            Step::Allow(bit) => allowed.push(*bit),
            Step::Lift(Origin::Own | Origin::Assignment, effect, pattern) => {
                lift(class.statements.get_or_insert_default(), *effect, *pattern);
            }
            Step::Widen(attribute, to) => widened.push((*attribute, to)),
            Step::Revoke(source) => {
                let kept = class.sources.iter().copied().filter(|held| held != source);
                class.sources = kept.collect();
            }
            _ => {}
        }
    }
    if !widened.is_empty() {
        let own = class.statements.get_or_insert_default();
        let mut draft = Draft::new(own);
        for (attribute, to) in widened {
            draft.set_bound(attribute, Some(to));
        }
        **own = draft.finish();
    }
    if !allowed.is_empty() {
        allow_exactly(class.statements.get_or_insert_default(), &allowed, catalogue);
    }
    class
}

/// Removes the statements that deny, or forbid, with a pattern.
fn lift(statements: &mut Statements, effect: Effect<'_>, pattern: Pattern) {
    let list = match effect {
        Effect::Forbid => &mut statements.forbid,
        _ => &mut statements.deny,
    };
    *list = list.iter().copied().filter(|&known| known != pattern).collect();
}

/// Allows exactly these permissions, or levels of them, in place of whatever is stated of
/// exactly them: all at once, as there may be hundreds, and a changed list is copied.
fn allow_exactly(statements: &mut Statements, bits: &[Bit], catalogue: &Catalogue) {
    let exactly = |bit: Bit| Pattern::exactly(catalogue.id_of(bit));
    let replaced: HashSet<Pattern> = bits.iter().copied().map(exactly).collect();
    let Statements { allow, except, deny, forbid, .. } = statements;
    for list in [allow, except, deny, forbid] {
        let left = list.iter().copied();
        *list = left.filter(|pattern| !replaced.contains(pattern)).collect();
    }
    let mut allow = std::mem::take(&mut statements.allow).into_vec();
    let mut levels = std::mem::take(&mut statements.levels).into_vec();
    levels.retain(|(pattern, _)| !replaced.contains(pattern));
    for &bit in bits {
        let node = catalogue.node_of(bit);
        match Effect::granting(node, node.level_of(bit)) {
            Effect::Level(level) => levels.push((exactly(bit), level.into())),
            _ => allow.push(exactly(bit)),
        }
    }
    (statements.allow, statements.levels) = (allow.into(), levels.into());
}

/// An object some of whose relations are in other states, and some of whose attributes have
/// values within a limit.
pub(super) struct Related<'a, O: ?Sized> {
    object: &'a O,
    /// The user who asks, and the user's groups.
    user: &'a str,
    groups: Vec<&'a str>,
    relations: Vec<(Box<str>, RelationState)>,
    attributes: Vec<(Box<str>, Limit)>,
}

impl<'a, O: Object + ?Sized> Related<'a, O> {
    /// The object as it would be.
    pub(super) fn new(
        object: &'a O,
        steps: &[Step],
        holder: Holder<'a>,
        policy: &'a Inner,
    ) -> Related<'a, O> {
        let catalogue = &policy.catalogue;
        let kind = catalogue.kinds.get(object.kind());
        let relations = steps.iter().filter_map(|step| match step {
            Step::Relate(relation, state) => {
                let (name, _) = kind?.relations.get_index(*relation as usize)?;
                Some((name.clone(), *state))
            }
            _ => None,
        });
        let attributes = steps.iter().filter_map(|step| match step {
            Step::Values(attribute, limit) => {
                Some((catalogue.attribute_at(*attribute).name.clone(), limit.clone()))
            }
            _ => None,
        });
        let groups = holder.groups.iter().map(|&id| policy.groups.name(id)).collect();
        let (relations, attributes) = (relations.collect(), attributes.collect());
        Related { object, user: holder.name, groups, relations, attributes }
    }

    /// The state of a relation that names the user, or one of the user's groups, whichever.
    // An assignment may ask for other groups than the user's, or for some of them.
    fn naming_user(&self, subject: &Subject<'_>) -> Option<RelationState> {
        match subject.relation {
            RelationType::User => subject.users([self.user]),
            RelationType::Group => {
                let mut states = self.groups.iter().map(|&group| subject.groups([group]));
                let is_any = states.all(|state| state == Some(RelationState::Me));
                Some(if is_any { RelationState::Me } else { RelationState::Other })
            }
        }
    }
}

impl<O: Object + ?Sized> Object for Related<'_, O> {
    fn kind(&self) -> &str {
        self.object.kind()
    }
    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
        match self.relations.iter().find(|(known, _)| **known == *name) {
            Some((_, RelationState::Me)) => self.naming_user(subject),
            Some(&(_, state)) => Some(state),
            None => self.object.relation(name, subject),
        }
    }
    fn attribute(&self, name: &str) -> Option<Value<'_>> {
        match self.attributes.iter().find(|(known, _)| **known == *name) {
            Some((_, limit)) => limit.example(),
            None => self.object.attribute(name),
        }
    }
}

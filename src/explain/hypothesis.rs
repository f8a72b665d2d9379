//! A policy, a user and an object as they would be if some steps were taken.

use std::sync::Arc;

use super::trace::Trace;
use crate::bits::BitSet;
use crate::catalogue::{AttributeId, Bit, Pattern};
use crate::date::Date;
use crate::document::Bound;
use crate::engine::Layers;
use crate::names::HashSet;
use crate::object::{Object, Subject, Value};
use crate::policy::{Class, Effect, Holder, Inner, Licence, Origin, Statements};
use crate::relation::RelationState;

/// A step of a remedy, in numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Restore,
    License(Box<str>),
    Allow(Bit),
    /// Takes the statements that deny, or forbid, with that pattern out of a source.
    Lift(Origin, Effect<'static>, Pattern),
    Widen(AttributeId, Bound),
    Relate(u32, RelationState),
}

impl Step {
    /// Returns whether it grants the user something that a source could grant instead.
    pub(super) fn is_grant(&self) -> bool {
        match self {
            Step::Allow(_) | Step::Widen(..) => true,
            Step::Lift(_, effect, _) => *effect != Effect::Forbid,
            Step::Restore | Step::License(_) | Step::Relate(..) => false,
        }
    }
}

/// A policy, a user and an object with the differences that some steps make.
pub(super) struct Hypothesis<'a, O: ?Sized> {
    policy: Inner,
    licensed: BitSet,
    class: Class,
    object: Option<Related<'a, O>>,
}

impl<'a, O: Object + ?Sized> Hypothesis<'a, O> {
    pub(super) fn new(
        (policy, licensed): (&Inner, &BitSet),
        class: &Class,
        object: Option<&'a O>,
        steps: &[Step],
    ) -> Hypothesis<'a, O> {
        let related = |object| Related { object, relations: Vec::new() };
        let mut hypothesis = Hypothesis {
            policy: policy.clone(),
            licensed: licensed.clone(),
            class: class.clone(),
            object: object.map(related),
        };
        for step in steps {
            hypothesis.take(step);
        }
        let allowed = steps.iter().filter_map(|step| match step {
            Step::Allow(bit) => Some(*bit),
            _ => None,
        });
        hypothesis.allow(&allowed.collect::<Vec<Bit>>());
        if hypothesis.policy.licence != policy.licence {
            let policy = &hypothesis.policy;
            hypothesis.licensed = policy.catalogue.licensed(|feature| policy.is_licensed(feature));
        }
        hypothesis
    }

    fn take(&mut self, step: &Step) {
        let policy = &mut self.policy;
        match step {
            Step::Restore => self.class.suspended = false,
            Step::License(feature) => {
                let mut stated = policy.licence.stated().clone();
                stated.features.push(feature.to_string());
                policy.licence = Arc::new(Licence::new(stated, &policy.catalogue));
            }
            // All at once, below.
            Step::Allow(_) => {}
            Step::Lift(source, effect, pattern) => self.edit(*source, |statements| {
                let list = match effect {
                    Effect::Forbid => &mut statements.forbid,
                    _ => &mut statements.deny,
                };
                *list = list.iter().copied().filter(|known| known != pattern).collect();
            }),
            Step::Widen(attribute, to) => {
                let own = self.class.statements.get_or_insert_default();
                own.set_bound(*attribute, Some(to));
            }
            Step::Relate(relation, state) => {
                let of = self.object.as_ref().map(|related| related.object.kind());
                let kind = of.and_then(|kind| policy.catalogue.kinds.get(kind));
                let name = kind.and_then(|kind| kind.relations.get_index(*relation as usize));
                if let (Some(object), Some((name, _))) = (&mut self.object, name) {
                    object.relations.push((name.clone(), *state));
                }
            }
        }
    }

    /// Allows the user exactly these permissions, or levels of them, in place of whatever
    /// the user's own statements state of exactly them.
    fn allow(&mut self, bits: &[Bit]) {
        if bits.is_empty() {
            return;
        }
        // There may be hundreds, and each change of a list copies it.
        let catalogue = &self.policy.catalogue;
        let exactly = |bit: Bit| Pattern::exactly(catalogue.id_of(bit));
        let replaced: HashSet<Pattern> = bits.iter().copied().map(exactly).collect();
        let own = self.class.statements.get_or_insert_default();
        for list in [&mut own.allow, &mut own.deny, &mut own.forbid] {
            let left = list.iter().copied();
            *list = left.filter(|pattern| !replaced.contains(pattern)).collect();
        }
        let mut allow = std::mem::take(&mut own.allow).into_vec();
        let mut levels = std::mem::take(&mut own.levels).into_vec();
        levels.retain(|(pattern, _)| !replaced.contains(pattern));
        for &bit in bits {
            let node = catalogue.node_of(bit);
            match Effect::granting(node, node.level_of(bit)) {
                Effect::Level(level) => levels.push((exactly(bit), level.into())),
                _ => allow.push(exactly(bit)),
            }
        }
        (own.allow, own.levels) = (allow.into(), levels.into());
    }

    /// Edits the statements of a source.
    fn edit(&mut self, source: Origin, edit: impl FnOnce(&mut Statements)) {
        match source {
            Origin::Own => edit(self.class.statements.get_or_insert_default()),
            Origin::Shared(id) => {
                self.policy.sources.change(id, |source| edit(&mut source.statements));
            }
        }
    }

    /// The user with the given name and groups.
    pub(super) fn trace<'h>(
        &'h self,
        holder: Holder<'h>,
        today: Option<Date>,
    ) -> Trace<'h, Related<'a, O>> {
        let mut layers = Layers::new(&self.policy, &self.licensed);
        let holder = Holder { class: &self.class, ..holder };
        Trace::new(&mut layers, holder, self.object.as_ref(), today)
    }
}

/// An object some of whose relations are in other states.
pub(super) struct Related<'a, O: ?Sized> {
    object: &'a O,
    relations: Vec<(Box<str>, RelationState)>,
}

impl<O: Object + ?Sized> Object for Related<'_, O> {
    fn kind(&self) -> &str {
        self.object.kind()
    }
    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
        match self.relations.iter().find(|(known, _)| **known == *name) {
            Some(&(_, state)) => Some(state),
            None => self.object.relation(name, subject),
        }
    }
    fn attribute(&self, name: &str) -> Option<Value<'_>> {
        self.object.attribute(name)
    }
}

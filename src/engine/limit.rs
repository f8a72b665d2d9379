//! Bounds as resolved for a user (design, rule 8).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::catalogue::AttributeId;
use crate::date::Date;
use crate::document::{Bound, BoundType, Fence};
use crate::ids::SourceId;
use crate::names::is_among;
use crate::object::Value;
use crate::policy::{Class, Held, Inner, Tier};

/// Which values of an attribute pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Limit {
    /// None, because no bound is stated.
    Nothing,
    /// Whatever the object says or leaves out.
    Any,
    /// These texts, sorted.
    OneOf(Vec<Box<str>>),
    AtMost(i64),
    AtLeast(i64),
    /// Dates not before one of these.
    NotBefore(Vec<Fence>),
    /// Dates not after one of these.
    NotAfter(Vec<Fence>),
}

impl Limit {
    pub(crate) fn new(of: BoundType, bound: &Bound) -> Limit {
        match (of, bound) {
            (_, Bound::Any) => Limit::Any,
            (BoundType::OneOf, Bound::OneOf(texts)) => {
                let mut texts: Vec<Box<str>> = texts.iter().map(|text| (**text).into()).collect();
                texts.sort_unstable();
                texts.dedup();
                Limit::OneOf(texts)
            }
            (BoundType::AtMost, Bound::Limit(limit)) => Limit::AtMost(*limit),
            (BoundType::AtLeast, Bound::Limit(limit)) => Limit::AtLeast(*limit),
            (BoundType::NotBefore, Bound::Fence(fence)) => Limit::NotBefore(vec![*fence]),
            (BoundType::NotAfter, Bound::Fence(fence)) => Limit::NotAfter(vec![*fence]),
            // A policy never has a bound of another form.
            _ => Limit::Nothing,
        }
    }

    /// Extends it to what passes either of two bounds on one attribute.
    pub(crate) fn join(&mut self, other: Limit) {
        self.gather(other);
        self.settle();
    }

    /// What passes any of several bounds on one attribute.
    pub(crate) fn any_of(limits: impl IntoIterator<Item = Limit>) -> Option<Limit> {
        let mut limits = limits.into_iter();
        let mut joined = limits.next()?;
        limits.for_each(|limit| joined.gather(limit));
        joined.settle();
        Some(joined)
    }

    /// Sorts gathered texts.
    fn settle(&mut self) {
        if let Limit::OneOf(texts) = self {
            // A stable sort, because it merges what is already sorted.
            texts.sort();
            texts.dedup();
        }
    }

    /// Joins another bound, leaving its texts unsorted.
    fn gather(&mut self, other: Limit) {
        match (&mut *self, other) {
            (Limit::Any, _) | (_, Limit::Nothing) => {}
            (Limit::OneOf(texts), Limit::OneOf(more)) => texts.extend(more),
            (Limit::AtMost(limit), Limit::AtMost(other)) => *limit = other.max(*limit),
            (Limit::AtLeast(limit), Limit::AtLeast(other)) => *limit = other.min(*limit),
            (Limit::NotBefore(fences), Limit::NotBefore(more))
            | (Limit::NotAfter(fences), Limit::NotAfter(more)) => {
                for fence in more {
                    if !fences.contains(&fence) {
                        fences.push(fence);
                    }
                }
            }
            (limit, other) => *limit = other,
        }
    }

    /// Whether a value, or a missing one, passes.
    pub(crate) fn passes(&self, value: Option<Value<'_>>, today: Option<Date>) -> bool {
        match (self, value) {
            (Limit::Any, _) => true,
            (Limit::OneOf(texts), Some(Value::Text(value))) => is_among(texts, value),
            (Limit::AtMost(limit), Some(Value::Integer(value))) => value <= *limit,
            (Limit::AtLeast(limit), Some(Value::Integer(value))) => value >= *limit,
            (Limit::NotBefore(fences), Some(value)) => value.date().is_some_and(|date| {
                fences.iter().any(|&fence| day(fence, today).is_some_and(|day| date >= day))
            }),
            (Limit::NotAfter(fences), Some(value)) => value.date().is_some_and(|date| {
                fences.iter().any(|&fence| day(fence, today).is_some_and(|day| date <= day))
            }),
            _ => false,
        }
    }

    /// Whether some value could pass on some day.
    pub(crate) fn passable(&self) -> bool {
        match self {
            Limit::Nothing => false,
            Limit::OneOf(texts) => !texts.is_empty(),
            _ => true,
        }
    }
}

/// The day that a fence resolves to; `None` if it is relative and today is not
/// given, or if it lies beyond the calendar.
pub(crate) fn day(fence: Fence, today: Option<Date>) -> Option<Date> {
    match fence {
        Fence::Date(date) => Some(date),
        Fence::PlusDays(days) => today?.plus_days(days),
        Fence::Next { weekday, plus_days } => today?.next(weekday)?.plus_days(plus_days),
    }
}

/// What passes of each attribute for users of a class.
pub(crate) type Limits = Arc<[Limit]>;

/// What passes of one attribute: nothing if it is not listed.
pub(crate) fn limit_of(limits: &[Limit], attribute: AttributeId) -> &Limit {
    limits.get(attribute as usize).unwrap_or(&Limit::Nothing)
}

/// Computes the limits of classes, sharing equal ones.
#[derive(Debug)]
pub(crate) struct Bounding<'p> {
    policy: &'p Inner,
    known: HashSet<Limits, RandomState>,
    /// Those of classes without bounds of their own, by their sources.
    shared: HashMap<&'p [SourceId], Limits, RandomState>,
}

impl<'p> Bounding<'p> {
    pub(crate) fn new(policy: &'p Inner) -> Bounding<'p> {
        Bounding { policy, known: HashSet::default(), shared: HashMap::default() }
    }

    /// Rule 8: the most specific tier that states a bound on an attribute decides, and
    /// in the role tier bounds join.
    pub(crate) fn limits(&mut self, class: &'p Class) -> Limits {
        let has_own = class.statements.as_deref().is_some_and(|own| !own.bounds.is_empty());
        if !has_own && let Some(known) = self.shared.get(&*class.sources) {
            return Arc::clone(known);
        }
        let catalogue = &self.policy.catalogue;
        let mut limits = vec![Limit::Nothing; catalogue.attributes.len()];
        let mut stated: Vec<(AttributeId, Tier, Limit)> = Vec::new();
        for Held { tier, statements, .. } in self.policy.sources_of(class) {
            for (attribute, bound) in &statements.bounds {
                let limit = Limit::new(catalogue.attribute_at(*attribute).bound, bound);
                stated.push((*attribute, tier, limit));
            }
        }
        // Stable, so that fences keep their order. Of each attribute, more specific tiers
        // come later and replace what more general ones state.
        stated.sort_by_key(|&(attribute, tier, _)| (attribute, tier));
        let mut stated = stated.into_iter().peekable();
        while let Some((attribute, tier, first)) = stated.next() {
            let more = std::iter::from_fn(|| {
                stated.next_if(|&(next, of, _)| (next, of) == (attribute, tier))
            });
            let all = std::iter::once(first).chain(more.map(|(_, _, limit)| limit));
            if let Some(limit) = Limit::any_of(all) {
                limits[attribute as usize] = limit;
            }
        }
        let limits = match self.known.get(&*limits) {
            Some(known) => Arc::clone(known),
            None => {
                let limits: Limits = limits.into();
                self.known.insert(Arc::clone(&limits));
                limits
            }
        };
        if !has_own {
            self.shared.insert(&class.sources, Arc::clone(&limits));
        }
        limits
    }
}

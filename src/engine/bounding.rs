//! The limits of users: their bounds resolved (design, rule 8).

use std::sync::Arc;

use crate::catalogue::{AttributeId, Limit};
use crate::ids::{Key, SourceId};
use crate::names::{HashMap, HashSet};
use crate::policy::{Class, Held, Inner, OwnSources, Tier};

/// The limits on all attributes for users of a class.
pub(crate) type Limits = Arc<[Limit]>;

/// Returns the limit on one attribute: nothing passes if it is not listed.
pub(crate) fn limit_of(limits: &[Limit], attribute: AttributeId) -> &Limit {
    limits.get(attribute.index()).unwrap_or(&Limit::Nothing)
}

/// Computes the limits of classes, sharing equal ones.
#[derive(Debug)]
pub(crate) struct Bounding<'p> {
    policy: &'p Inner,
    known: HashSet<Limits>,
    /// The limits of classes without bounds of their own, by their sources.
    shared: HashMap<Box<[SourceId]>, Limits>,
}

impl<'p> Bounding<'p> {
    pub(crate) fn new(policy: &'p Inner) -> Bounding<'p> {
        Bounding { policy, known: HashSet::default(), shared: HashMap::default() }
    }

    /// Computes the limits of a class by rule 8: the most specific tier that states a bound
    /// on an attribute decides, and in the role tier bounds join.
    pub(crate) fn limits(&mut self, class: &Class) -> Limits {
        let has_own = class.statements.as_deref().is_some_and(|own| !own.bounds.is_empty());
        if !has_own && let Some(known) = self.shared.get(&*class.sources) {
            return Arc::clone(known);
        }
        let policy = self.policy;
        let limits = self.resolve(policy.sources_of(class));
        if !has_own {
            self.shared.insert(class.sources.clone(), Arc::clone(&limits));
        }
        limits
    }

    /// Computes the limits on what an assignment carries, by rule 9: the bounds of its own
    /// sources are a tier below the user's. `None` if they state none, so that the limits
    /// of the class hold.
    pub(crate) fn limits_in(&mut self, class: &Class, own: &OwnSources) -> Option<Limits> {
        let policy = self.policy;
        let own = policy.own_sources(own);
        let states_bounds = own.clone().any(|held| !held.statements.bounds.is_empty());
        states_bounds.then(|| self.resolve(policy.sources_of(class).chain(own)))
    }

    fn resolve<'s>(&mut self, sources: impl Iterator<Item = Held<'s>>) -> Limits {
        let catalogue = &self.policy.catalogue;
        let mut limits = vec![Limit::Nothing; catalogue.attributes.values().len()];
        let mut stated: Vec<(AttributeId, Tier, Limit)> = Vec::new();
        for Held { tier, statements, .. } in sources {
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
            let place = limits.get_mut(attribute.index());
            if let (Some(limit), Some(place)) = (Limit::any_of(all), place) {
                *place = limit;
            }
        }
        match self.known.get(&*limits) {
            Some(known) => Arc::clone(known),
            None => {
                let limits: Limits = limits.into();
                self.known.insert(Arc::clone(&limits));
                limits
            }
        }
    }
}

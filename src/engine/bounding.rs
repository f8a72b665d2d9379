//! The limits of users: their bounds resolved (design, rule 8).

use std::cell::OnceCell;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::catalogue::{AttributeId, Limit};
use crate::ids::SourceId;
use crate::names::{HashMap, HashSet};
use crate::policy::{Class, Held, Inner, Origin, OwnSources, Statements, Tier, Ways};

/// Limits on attributes, sorted by them. Nothing passes of an attribute that is not listed.
type Listed = Arc<[(AttributeId, Limit)]>;

/// The number of limits up to which those of users are copied to hold those of their own.
const FEW: usize = 16;

/// The limits for users of a class, or for those in an assignment.
// Many users share what the same sources state, and each states little. So what is a user's
// own is kept apart, and sets are compared by where the shared limits are.
#[derive(Debug, Default)]
pub(crate) struct LimitSet {
    shared: Listed,
    /// The limits that user or assignment state themselves, in place of shared ones.
    own: Listed,
}

/// A set of limits that equal ones share.
pub(crate) type Limits = Arc<LimitSet>;

impl LimitSet {
    /// Returns the limit on an attribute.
    #[inline]
    pub(crate) fn on(&self, attribute: AttributeId) -> &Limit {
        find(&self.own, attribute)
            .or_else(|| find(&self.shared, attribute))
            .unwrap_or(&Limit::Nothing)
    }

    /// Returns whether the same limits are listed, of whichever version of the policy.
    pub(crate) fn lists_same(&self, other: &LimitSet) -> bool {
        let is_same = |one: &Listed, other: &Listed| Arc::ptr_eq(one, other) || one == other;
        is_same(&self.shared, &other.shared) && is_same(&self.own, &other.own)
    }

    /// Estimates its size, in bytes; shared limits are divided by how often they are shared.
    pub(super) fn bytes(&self) -> usize {
        let shared = size_of_val(&*self.shared) / Arc::strong_count(&self.shared).max(1);
        size_of::<LimitSet>() + size_of_val(&*self.own) + shared
    }

    /// Returns the attributes of which some value may pass, in order.
    pub(crate) fn attributes(&self) -> Vec<AttributeId> {
        let listed = self.own.iter().chain(&*self.shared);
        let mut attributes: Vec<AttributeId> = listed.map(|&(attribute, _)| attribute).collect();
        attributes.sort_unstable();
        attributes.dedup();
        attributes
    }
}

#[inline]
fn find(listed: &[(AttributeId, Limit)], attribute: AttributeId) -> Option<&Limit> {
    // There is mostly one.
    if let [(only, limit)] = listed {
        return (*only == attribute).then_some(limit);
    }
    let at = listed.binary_search_by_key(&attribute, |&(listed, _)| listed).ok()?;
    listed.get(at).map(|(_, limit)| limit)
}

impl PartialEq for LimitSet {
    fn eq(&self, other: &LimitSet) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared) && self.own == other.own
    }
}

impl Eq for LimitSet {}

impl Hash for LimitSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.shared.as_ptr().hash(state);
        self.own.hash(state);
    }
}

/// Computes the limits of classes, sharing equal ones.
#[derive(Debug)]
pub(crate) struct Bounding<'p> {
    policy: &'p Inner,
    /// The ways to the sources that state bounds; `None` if no source includes another.
    bounding: OnceCell<Option<Ways<'p>>>,
    known: HashSet<Limits>,
    listed: HashSet<Listed>,
    /// The limits that shared sources state together.
    of_sources: HashMap<Box<[SourceId]>, Listed>,
    /// The limits that each of them states.
    stated: HashMap<SourceId, Listed>,
}

impl<'p> Bounding<'p> {
    pub(crate) fn new(policy: &'p Inner) -> Bounding<'p> {
        Bounding {
            policy,
            bounding: OnceCell::new(),
            known: HashSet::default(),
            listed: HashSet::default(),
            of_sources: HashMap::default(),
            stated: HashMap::default(),
        }
    }

    /// Computes the limits of a class by rule 8: the most specific tier that states a bound
    /// on an attribute decides, and in the role tier bounds join.
    pub(crate) fn limits(&mut self, class: &Class) -> Limits {
        let shared = self.shared(&class.sources);
        self.set(shared, self.own(class))
    }

    /// Computes the limits on what an assignment carries, by rule 9: the bounds of its own
    /// sources are a tier below the user's. `None` if they state none, so that the limits
    /// of the class hold.
    pub(crate) fn limits_in(&mut self, class: &Class, own: &OwnSources) -> Option<Limits> {
        let assigned = self.joined(self.policy.own_sources(own));
        if assigned.is_empty() {
            return None;
        }
        let shared = self.shared(&class.sources);
        Some(self.set(shared, overlaid(&assigned, self.own(class))))
    }

    /// The limits that a user states, sorted by attribute.
    fn own(&self, class: &Class) -> Vec<(AttributeId, Limit)> {
        class.statements.as_deref().map_or_else(Vec::new, |own| limits_of(own, self.policy))
    }

    /// Returns the set of some limits and others that replace them: of a few as one list, so
    /// that equal ones are found wherever they are stated.
    fn set(&mut self, shared: Listed, own: Vec<(AttributeId, Limit)>) -> Limits {
        let (shared, own) = if !own.is_empty() && shared.len() <= FEW {
            (interned(&mut self.listed, overlaid(&shared, own).into()), Vec::new())
        } else {
            (shared, own)
        };
        interned(&mut self.known, Arc::new(LimitSet { shared, own: own.into() }))
    }

    fn shared(&mut self, sources: &[SourceId]) -> Listed {
        if let Some(known) = self.of_sources.get(sources) {
            return Arc::clone(known);
        }
        let policy = self.policy;
        let ways = self.bounding.get_or_init(|| {
            let includes = !policy.sources.including().is_empty();
            includes.then(|| policy.sources.ways_to(policy.sources.bounding()))
        });
        let closure = ways.as_ref().map_or_else(|| sources.to_vec(), |ways| ways.closure(sources));
        let shared = [SourceId::GLOBAL].into_iter().chain(closure);
        let joined = self.joined(shared.map(|id| policy.sources.held(id)));
        let listed = interned(&mut self.listed, joined.into());
        self.of_sources.insert(sources.into(), Arc::clone(&listed));
        listed
    }

    /// Resolves the limits of some sources. Of each attribute, a more specific tier replaces
    /// what more general ones state.
    fn joined<'s>(&mut self, sources: impl Iterator<Item = Held<'s>>) -> Vec<(AttributeId, Limit)> {
        let mut stated: Vec<(AttributeId, Tier, Limit)> = Vec::new();
        for Held { origin, tier, statements } in sources {
            let of_source = || limits_of(statements, self.policy).into();
            let limits = match origin {
                Origin::Shared(source) => {
                    Arc::clone(self.stated.entry(source).or_insert_with(of_source))
                }
                Origin::Own | Origin::Assignment => of_source(),
            };
            stated.extend(limits.iter().map(|(of, limit)| (*of, tier, limit.clone())));
        }
        // Stable, so that fences keep their order.
        stated.sort_by_key(|&(attribute, tier, _)| (attribute, tier));
        let tiers = stated.chunk_by(|one, next| (one.0, one.1) == (next.0, next.1));
        let mut joined: Vec<(AttributeId, Limit)> = Vec::new();
        for tier in tiers {
            let limits = tier.iter().map(|(_, _, limit)| limit.clone());
            let Some((&(attribute, ..), limit)) = tier.first().zip(Limit::any_of(limits)) else {
                continue;
            };
            joined.pop_if(|(of, _)| *of == attribute);
            joined.push((attribute, limit));
        }
        joined
    }
}

/// Returns some limits and others that replace them, sorted by attribute.
fn overlaid(
    under: &[(AttributeId, Limit)],
    mut over: Vec<(AttributeId, Limit)>,
) -> Vec<(AttributeId, Limit)> {
    let left = under.iter().filter(|(attribute, _)| find(&over, *attribute).is_none());
    let left: Vec<(AttributeId, Limit)> = left.cloned().collect();
    over.extend(left);
    over.sort_unstable_by_key(|&(attribute, _)| attribute);
    over
}

/// Returns what is equal and known already, or else makes it known.
fn interned<T: ?Sized + Hash + Eq>(known: &mut HashSet<Arc<T>>, new: Arc<T>) -> Arc<T> {
    if let Some(known) = known.get(&new) {
        return Arc::clone(known);
    }
    known.insert(Arc::clone(&new));
    new
}

/// Returns the limits that some statements state, sorted by attribute.
fn limits_of(statements: &Statements, policy: &Inner) -> Vec<(AttributeId, Limit)> {
    let catalogue = &policy.catalogue;
    let bounds = statements.bounds.iter();
    let mut limits: Vec<(AttributeId, Limit)> = bounds
        .map(|(of, bound)| (*of, Limit::new(catalogue.attribute_at(*of).bound, bound)))
        .collect();
    limits.sort_by_key(|&(attribute, _)| attribute);
    limits
}

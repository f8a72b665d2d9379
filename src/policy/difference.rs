//! The difference between two versions of a policy for users of each class.

use super::{Class, Inner};
use crate::ids::{IdVec, Number, SourceId};

/// The sources that state different things in two versions.
#[derive(Debug)]
pub(crate) struct Difference {
    /// The global source or the licence differs.
    everybody: bool,
    /// A source differs also if what it includes does.
    sources: IdVec<SourceId, bool>,
    /// The bounds of some source may differ, or what it includes.
    bounds: bool,
}

impl Difference {
    /// Compares two versions with the same catalogue. What they share is not
    /// examined.
    pub(crate) fn new(before: &Inner, after: &Inner) -> Difference {
        let mut sources: IdVec<SourceId, bool> = SourceId::first(after.sources.slots())
            .map(|id| !after.sources.is_shared(id, &before.sources))
            .collect();
        for &id in after.sources.including() {
            let mut includes = after.sources[id].includes.iter();
            sources[id] |= includes.any(|&included| sources[included]);
        }
        let everybody = sources[SourceId::GLOBAL] || before.licence != after.licence;
        let bounds = SourceId::first(after.sources.slots()).any(|id| {
            if after.sources.is_shared(id, &before.sources) {
                return false;
            }
            if !before.sources.exists(id) || !after.sources.exists(id) {
                return before.sources.exists(id) != after.sources.exists(id);
            }
            let (one, other) = (&before.sources[id], &after.sources[id]);
            one.statements.bounds != other.statements.bounds || one.includes != other.includes
        });
        Difference { everybody, sources, bounds }
    }

    /// Returns `true` if nothing differs for anybody.
    pub(crate) fn is_empty(&self) -> bool {
        !self.everybody && !self.sources.values().contains(&true)
    }

    /// Returns `true` if the sources of users of a class state different things.
    pub(crate) fn touches(&self, class: &Class) -> bool {
        self.everybody || self.touches_sources(&class.sources)
    }

    /// Returns `true` if users of a class that both versions have may have other limits.
    pub(crate) fn touches_limits(&self) -> bool {
        self.bounds
    }

    /// Returns `true` if one of some sources says something else, or brings along one
    /// that does.
    pub(crate) fn touches_sources(&self, sources: &[SourceId]) -> bool {
        sources.iter().any(|&id| self.sources.find(id) == Some(&true))
    }
}

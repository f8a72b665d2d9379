//! Advice for a policy that has more roles than it needs: sources that are alike, a smaller set
//! of roles with the same answers, and grants that nobody uses.
//!
//! It is advice: nothing is changed. What [`Policy::fewer_roles`](crate::Policy::fewer_roles) suggests is proved to change
//! nobody's answers, but not that the roles mean something to people.

mod cover;
mod fewer;
mod similar;
mod unused;

pub use fewer::{FewerRoles, SuggestedRole};
pub use similar::{Similar, Similarity};
pub use unused::UnusedGrants;

use crate::bits::BitSet;
use crate::catalogue::Catalogue;
use crate::engine::Layer;
use crate::policy::Statements;

/// The permissions, and levels, that a source grants.
struct Granted {
    bits: BitSet,
    /// True if it states nothing else, be it only that a permission has its lowest level.
    is_all: bool,
}

impl Granted {
    fn by(statements: &Statements, catalogue: &Catalogue) -> Granted {
        let Layer { said, granted, forbidden, .. } = Layer::of(statements, catalogue);
        let mut bits = granted;
        bits.intersect_with(&catalogue.grantable);
        let is_granted = |bit| bits.contains(catalogue.node_of(bit).bit);
        let mut stated = catalogue.grantable.iter().filter(|&bit| said.contains(bit));
        let is_all = forbidden.is_empty()
            && statements.bounds.is_empty()
            && statements.settings.is_empty()
            && stated.all(is_granted);
        Granted { bits, is_all }
    }
}

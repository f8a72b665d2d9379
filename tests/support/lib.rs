//! What the tests and the fuzz targets share: the oracle, random policies, and the laws that
//! the engine keeps.

#![allow(missing_docs, missing_debug_implementations, reason = "only tests see it")]

pub mod adoption_laws;
pub mod ask;
pub mod assignment_diff_laws;
pub mod bulk_laws;
pub mod by_name;
pub mod case;
pub mod change_laws;
pub mod checking;
pub mod compact_laws;
pub mod days;
pub mod diff_laws;
pub mod erosion;
pub mod explaining;
pub mod explanation_laws;
pub mod filter_laws;
pub mod laws;
pub mod linting;
pub mod mending;
pub mod oracle;
pub mod prune;
pub mod random;
pub mod remedy_laws;
pub mod renaming;
pub mod small;
#[cfg(feature = "sql")]
pub mod sql_laws;
pub mod targets;
pub mod tree_laws;

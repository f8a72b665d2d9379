//! What the tests share: the oracle, random policies, and the laws that the
//! engine keeps.

pub mod ask;
pub mod bulk_laws;
pub mod by_name;
pub mod change_laws;
pub mod days;
pub mod diff_laws;
pub mod diff_laws2;
pub mod erosion;
pub mod explaining;
pub mod laws;
pub mod mending;
pub mod oracle;
mod prune;
pub mod renaming;
#[cfg(feature = "sql")]
pub mod sql_laws;
pub mod strategies;
pub mod targets;

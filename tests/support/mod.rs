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
#[allow(dead_code, reason = "not every test asks for all of it")]
mod oracle2;
mod prune;
pub mod random2;
pub mod renaming;
#[cfg(feature = "sql")]
pub mod sql_laws;
pub mod strategies;
pub mod targets;

//! What the tests share: the oracle, random policies, and the laws that the
//! engine keeps.

pub mod laws;
pub mod mending;
pub mod oracle;
pub mod strategies;
pub mod targets;

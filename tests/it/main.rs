//! The tests that see the crate from outside, in one binary.

#[path = "../support/mod.rs"]
mod support;

// Not among what the fuzz targets share.
#[path = "../support/linting.rs"]
mod linting;
#[path = "../support/small.rs"]
mod small;

mod adoption;
mod allocation;
mod changes;
mod corpus;
mod diffs;
mod examples;
mod exhaustion;
mod explanations;
mod filter;
mod host;
mod hostile;
mod lint;
mod live;
mod matrix;
mod minimal;
mod properties;
mod reading;
mod refusals;
mod rules;
#[cfg(feature = "sql")]
mod sql;
mod targets;
mod tree;

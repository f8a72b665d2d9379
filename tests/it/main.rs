//! The tests that see the crate from outside, in one binary.

#![expect(clippy::duplicate_mod, reason = "the dice of both editions' strategies are the same")]

#[path = "../support/mod.rs"]
mod support;

// Not among what the fuzz targets share.
#[path = "../support/files.rs"]
mod files;
#[path = "../support/linting.rs"]
mod linting;
#[path = "../support/real.rs"]
mod real;
#[path = "../support/small.rs"]
mod small;
#[path = "../support/workload.rs"]
mod workload;

mod adoption;
mod allocation;
mod api;
mod architecture;
mod assignment_diffs;
mod changes;
mod corpus;
mod diffs;
mod effort;
mod examples;
mod exhaustion;
mod explanations;
mod filter;
mod host;
mod hostile;
mod lint;
mod live;
mod matrix;
mod memory;
mod minimal;
mod properties;
mod reading;
mod readme;
mod real_data;
mod refusals;
mod rules;
mod second;
#[cfg(feature = "sql")]
mod sql;
mod targets;
mod tree;

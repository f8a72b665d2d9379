//! The tests that see the crate from outside, in one binary.

#[path = "../support/files.rs"]
mod files;
#[path = "../support/real.rs"]
mod real;
#[path = "../support/workload.rs"]
mod workload;

mod adoption;
mod allocation;
mod api;
mod architecture;
mod assignment_diffs;
mod changes;
mod configuration;
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
#[cfg(feature = "sql")]
mod sql;
mod targets;
mod tree;

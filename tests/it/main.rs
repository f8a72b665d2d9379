//! The tests that see the crate from outside, in one binary.

#[path = "../support/mod.rs"]
mod support;

mod adoption;
mod allocation;
mod changes;
mod corpus;
mod diffs;
mod examples;
mod explanations;
mod filter;
mod host;
mod live;
mod properties;
mod reading;
mod refusals;
mod rules;
mod targets;
mod tree;

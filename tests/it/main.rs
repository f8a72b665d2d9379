//! The tests that see the crate from outside, in one binary.

#[path = "../support/mod.rs"]
mod support;

mod corpus;
mod properties;
mod rules;
mod targets;

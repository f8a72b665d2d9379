//! Bytes as the rolls behind a random policy and objects: filters match where
//! `can` says yes.

#![no_main]

#[allow(dead_code, reason = "shared with the tests, which use it all")]
#[path = "../../tests/support/mod.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| support::targets::filters(bytes));

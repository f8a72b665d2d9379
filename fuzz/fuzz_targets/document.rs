//! Bytes as a document: refused, or a policy that keeps the basic laws.

#![no_main]

#[allow(dead_code, reason = "shared with the tests, which use it all")]
#[path = "../../tests/support/mod.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| support::targets::document(bytes));

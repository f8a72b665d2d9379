//! Bytes as a document and changes of it: refused, or as if written anew.

#![no_main]

#[allow(dead_code, reason = "shared with the tests, which use it all")]
#[path = "../../tests/support/mod.rs"]
mod support;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| support::targets::apply(bytes));

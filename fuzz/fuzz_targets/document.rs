//! Bytes as a document: refused, or a policy that keeps the basic laws.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| support::targets::document(bytes));

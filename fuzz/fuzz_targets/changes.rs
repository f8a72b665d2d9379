//! Bytes as the rolls behind a random policy and changes of it: they go as the
//! model says.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| support::targets::changes(bytes));

//! Bytes as the rolls behind a random policy and objects: filters match where
//! `can` says yes.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| support::targets::filters(bytes));

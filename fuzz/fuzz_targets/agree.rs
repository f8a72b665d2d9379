//! Bytes as the rolls behind a random policy and its questions: the engine
//! answers as the oracle does.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| support::targets::agree(bytes));

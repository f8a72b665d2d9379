//! Bytes as the rolls behind a random policy and its questions: explanations
//! tell what `can` and `why` answer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| support::targets::explain(bytes));

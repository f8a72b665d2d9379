//! Bytes as a document and changes of it: refused, or as if written anew.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| support::targets::apply(bytes));

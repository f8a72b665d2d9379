//! Bytes as the rolls behind a random policy and tables: SQLite selects the rows
//! on which `can` says yes.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| support::targets::sql(bytes));

//! Policies that prove themselves: the products' test documents leave no mutant alive.

#[path = "../support/files.rs"]
mod files;
mod mutants;

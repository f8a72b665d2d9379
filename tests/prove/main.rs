//! Policies that prove themselves: the products' test documents leave no mutant alive, and
//! what users could come to do by changes of their own.

mod access;
mod attempts;
#[cfg(feature = "testing")]
mod explore;
#[path = "../support/files.rs"]
#[allow(dead_code, reason = "other tests look for files")]
mod files;
mod mutants;
mod properties;
mod reach;
mod roles;

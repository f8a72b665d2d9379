//! Processes that share a log: killed at every point, interleaved in every way, with
//! catalogues of different age.

mod interleaved;
mod killed;
mod parted;
mod sqlite;
mod store;

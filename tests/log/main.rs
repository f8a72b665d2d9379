//! Processes that share a log: killed at every point, interleaved in every way, with
//! catalogues of different age. And what hosts read of a policy.

mod interleaved;
mod killed;
mod parted;
mod reading;
mod sqlite;
mod store;
mod tidy;

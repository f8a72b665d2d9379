//! Handles: the policies for which they are valid, and what that costs in memory.

#[path = "../support/tenants.rs"]
mod installation;
mod reuse;
mod tenants;

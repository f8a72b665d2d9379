#![forbid(unsafe_code)]
mod date;
pub mod document;
mod problem;
pub use date::{Date, DateError};
mod object;
pub use document::Document;
pub use document::RelationState;
pub use object::*;
pub use problem::{Problem, ProblemKind, Problems};
pub mod policy_test;
mod reason;
pub use reason::Reason;

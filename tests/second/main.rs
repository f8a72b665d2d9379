//! The second edition's oracle, held to test documents, and its random policies. It needs
//! nothing of the library.

#[path = "../support/oracle2/mod.rs"]
mod oracle2;
#[path = "../support/random2/mod.rs"]
mod random2;

mod documents;
mod laws;
mod shares;

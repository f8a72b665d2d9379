//! The oracle, held to test documents and to general statements of the design, and the
//! random policies, held to meet every rule. It asks nothing of the library.

mod documents;
mod laws;
mod shares;

//! Permission trees, compiled: an embeddable authorization engine.
//!
//! Business software controls access with *profiles*: a tree of permissions (menus,
//! screens, tabs, buttons, fields) with a tick for everything that a profile allows.
//! Roles and approval groups come on top, single users have grants of their own, admins
//! may do everything, and a licence limits what there is. grantree is that engine. It
//! does no I/O, reads no clock and starts no thread: a host gives it a document and asks
//! questions.
//!
//! # A tour
//!
//! A **[`Document`]** is the policy as written: plain data, read by any serde
//! format. A **[`Policy`]** is a document without problems; a document that has
//! some is refused with all of them, each with its place. An **[`Engine`]** is a
//! compiled policy: immutable, cheap to clone, shared by any number of threads.
//!
//! ```
//! use grantree::{Document, Engine, Policy};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = r#"{
//!     "format": 1,
//!     "catalogue": {"permissions": [
//!         {"key": "orders", "children": [
//!             {"key": "quotes"},
//!             {"key": "export", "requires": ["orders.quotes"]}]}]},
//!     "profiles": {"planner": {"allow": ["orders.**"]}},
//!     "users": {
//!         "alice": {"profile": "planner"},
//!         "bob": {"profile": "planner", "deny": ["orders.quotes"]}}
//! }"#;
//! let document: Document = serde_json::from_str(text)?;
//! let policy = Policy::try_from(document)?;
//! let engine = Engine::new(&policy);
//!
//! // Names become handles once; decisions on handles look up no names.
//! let (alice, bob) = (engine.user("alice")?, engine.user("bob")?);
//! let export = engine.permission("orders.export")?;
//! assert!(engine.can(alice, export, ()));
//! assert!(!engine.can(bob, export, ()));
//!
//! // Every answer has its reason.
//! assert_eq!(engine.why(bob, export, ()).code(), "gated");
//! # Ok(())
//! # }
//! ```
//!
//! A permission may be exercised on an **[`Object`](object::Object)**: a host's own struct that
//! reports its relations and attributes, or a [`DynamicObject`](object::DynamicObject). Today's date
//! comes with the question, `(&job, today)`; a question without an object is
//! asked on `()`.
//!
//! Besides [`Engine::can`] there are [`Engine::can_some`] for menus and buttons,
//! [`Engine::level`] for graded permissions, [`Engine::setting`],
//! [`Engine::effective`], [`Engine::who_can`] and [`Engine::why`].
//! [`Engine::explain`] explains a decision to a person, [`Engine::decide`] records it for an
//! audit log, and [`Engine::remedies`] says
//! what would turn a no into a yes. [`Engine::filter`] makes a predicate that
//! matches the objects of a list on which a user may act; with the feature `sql`,
//! it is a condition of a database query too.
//! An [`Asker`] is one user, found once for a request and asked everything; it also asks
//! about many actions or many objects at once, as
//! [`Filter::select`](filter::Filter::select) does for a table in memory.
//! [`Policy::tree`] is what an editor shows of one source, as a tree of tick boxes;
//! [`Policy::matrix`] shows sources side by side; [`Engine::review`] lists who may do what,
//! and by which source; [`Policy::lint`] finds what is
//! probably a mistake. The module [`policy_test`] runs test documents, which a
//! policy's authors keep beside it, and [`schema`] has what editors need to check and complete
//! all of these. [`design`] defines exactly what policies and
//! questions mean; [`guide`] shows how to model, port, delegate and review;
//! [`architecture`] describes the source.
//!
//! A policy is changed by [`change`]s, which [`Policy::apply`] makes or refuses,
//! and an engine [follows](Engine::updated) in microseconds. [`Live`] serves many
//! readers meanwhile, and with a [`journal`] stores each change before anybody sees it, for any
//! number of processes.
//! [`Engine::what_if`] says who would gain and lose what by a change, before it is
//! made; [`Engine::diff`] compares any two engines, and [`Policy::reach`] says what some
//! users could come to do by changes of their own. [`PolicyBuilder::adopt`] fits a stored
//! document to a newer catalogue, [`Policy::export`] carries sources to another
//! policy, and [`Policy::extract`] one user's part of it to a browser.
//!
//! # When in doubt, no
//!
//! An unknown user, a handle of another policy, an object of the wrong kind or
//! with a value of the wrong type, a relative fence without a date: the answer is
//! always no. Nothing that is read or asked makes this crate panic. How much a
//! document may hold is set by [`Limits`](problem::Limits).
//!
//! # Features
//!
//! No feature changes a decision.
//!
//! - `look-alikes`, on by default: [`Policy::lint`] finds
//!   [names that look alike](lint::Code::LookAlike), with `unicode-security`.
//! - `sql`: the module `sql` turns filters into conditions of queries, as text and values.
//! - `sea-query`: and as expressions of the query builder `sea-query`.
//! - `testing`: the module `testing`, for hosts' own property tests with `proptest`.

#![deny(unreachable_pub)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]

// Each module names only modules above it.
mod limits;
mod names;
pub mod problem;

mod ids;

mod bits;
mod chunked;
mod date;
mod graph;
mod index;
mod relation;
mod slots;

pub mod document;

pub mod schema;

pub mod object;

mod catalogue;
mod policy;

mod reason;

mod engine;

pub mod filter;

#[cfg(feature = "sql")]
pub mod sql;

pub mod change;

pub mod journal;

pub mod explain;

pub mod tree;

mod extract;

pub mod diff;

pub mod lint;

pub mod matrix;

pub mod review;

pub mod reach;

pub mod roles;

mod live;

mod request;

mod names_once;

mod object_once;

pub mod policy_test;

#[cfg(feature = "testing")]
pub mod testing;

pub use date::{Date, DateError, Moment};
pub use document::whole::Document;
pub use engine::{
    Asker, Effective, Engine, Expiring, OwnedAsker, Permission, Stats, Unknown, UnknownNames, User,
    UserSet, Violation,
};
pub use live::Live;
pub use object_once::{KindProblem, KindProblems};
pub use policy::{
    Adopted, Digest, PermissionForm, PermissionView, Policy, PolicyBuilder, Revised, SourceHolder,
    SourceName, Upgrade,
};
pub use reason::Reason;
pub use request::Denied;

/// [`CompactDocument`]: crate::document::CompactDocument
/// [`design`]: crate::design
/// [`Limits`]: crate::problem::Limits
/// [`Live`]: crate::Live
/// [the same function]: crate::Engine::can
///
#[doc = include_str!("architecture.md")]
pub mod architecture {}

#[doc = include_str!("design.md")]
pub mod design {}

pub mod guide;

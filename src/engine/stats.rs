//! The size of an engine.

use std::sync::Arc;

use serde::Serialize;

use super::{Engine, Limits};
use crate::chunked::Chunked;

/// The size of an engine, by part.
///
/// The contents of sources, texts and patterns, are not counted.
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "users": {"ann": {"allow": ["orders"]}, "bob": {"allow": ["orders"]}, "eve": {}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let stats = engine.stats();
/// // Ann and Bob have the same row.
/// assert_eq!((stats.users, stats.rows), (3, 2));
/// assert!(stats.row_bytes > 0 && stats.name_bytes > 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// The number of users.
    pub users: usize,
    /// The number of different rows of permissions: users with the same sources share
    /// one.
    pub rows: usize,
    /// The number of capacities: users with the same sources, whose assignments give the
    /// same, share one. Each has two more rows.
    pub capacities: usize,
    /// The bytes of all rows.
    pub row_bytes: usize,
    /// The bytes of the users, names aside: for each, the numbers of its row and of
    /// its lists of groups and assignments.
    pub user_bytes: usize,
    /// The bytes of what belongs to rows besides: bounds, and lists of groups and
    /// assignments, their terms aside.
    pub fact_bytes: usize,
    /// The bytes of the users' names and their index, texts of long names aside.
    pub name_bytes: usize,
}

impl Engine {
    /// Measures the engine. Costs a pass over the rows.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "roles": {"clerk": {"allow": ["orders"]}},
    /// #     "users": {"ann": {"roles": ["clerk"]}, "bob": {"roles": ["clerk"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let stats = engine.stats();
    /// assert_eq!((stats.users, stats.rows), (2, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stats(&self) -> Stats {
        let compiled = &self.0;
        let users = &compiled.policy().users;
        let shared = |limits: &Limits| limits.bytes() / Arc::strong_count(limits).max(1);
        let all_limits = [&compiled.limits, &compiled.own_limits];
        let limits = all_limits.iter().flat_map(|it| it.iter()).flatten().map(shared);
        let limits = limits.chain(all_limits.map(Chunked::bytes)).sum::<usize>();
        let (effective, carried) = (compiled.effective.bytes(), compiled.carried.bytes());
        Stats {
            users: users.len(),
            rows: users.classes().count(),
            capacities: users.capacities().count(),
            row_bytes: compiled.rows.bytes() + effective + carried,
            user_bytes: users.number_bytes(),
            fact_bytes: limits + compiled.memberships.bytes() + users.class_bytes(),
            name_bytes: users.name_bytes(),
        }
    }
}

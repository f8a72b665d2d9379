//! Property tests of a host's own policies and objects, with `proptest`.
//!
//! [`Strategies`] are of what one policy knows: its users and permissions, objects with values
//! on each side of its bounds, days at the ends of its terms, changes, and sequences of changes
//! by some users. [`laws`] hold for every policy; a host holds its own objects and its database
//! to them. An [`Explorer`] looks for changes by which some users break an invariant of the
//! host's. [`bench()`] times its questions.
//!
//! An invariant: whatever a manager changes, nobody with the profile `clerk` can export.
//!
//! ```
//! use grantree::testing::Explorer;
//! use grantree::{Document, Engine, Policy};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let text = r#"{
//! #     "format": 1,
//! #     "catalogue": {"permissions": [{"key": "users"}, {"key": "export"}]},
//! #     "profiles": {"clerk": {}, "manager": {"allow": ["users"]}, "auditor": {"allow": ["export"]}},
//! #     "users": {"mona": {"profile": "manager"}, "bob": {"profile": "clerk"}},
//! #     "governance": {"permissions": {"assign_profile": ["users"], "edit_profile": ["users"]}, "no_escalation": true}
//! # }"#;
//! let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
//! let no_clerk_exports = |engine: &Engine| {
//!     let export = engine.permission("export").unwrap();
//!     engine.who_can(export, ()).iter().all(|user| {
//!         let profile = engine.policy().user(*user).and_then(|user| user.profile);
//!         profile.as_deref() != Some("clerk")
//!     })
//! };
//! Explorer::new(&policy).run(&["mona"], 100, no_clerk_exports)?;
//!
//! // Without `no_escalation`, it finds the one change that breaks it.
//! let mut document = Document::from(&policy);
//! document.governance.no_escalation = false;
//! let broken = Explorer::new(&Policy::try_from(document)?).run(&["mona"], 100, no_clerk_exports);
//! let changes = broken.unwrap_err().changes;
//! assert_eq!(changes.len(), 1);
//! assert!(changes[0].to_string().starts_with("`mona`: edit profile `clerk`: "));
//! # Ok(())
//! # }
//! ```

mod bench;
mod explorer;
pub mod laws;
mod sequence;
mod values;

pub use bench::{Timing, Timings, TooSlow, bench};
pub use explorer::{Counterexample, Explored, Explorer};

use std::sync::Arc;

use proptest::arbitrary::any;
use proptest::collection::vec;
use proptest::sample::select;
use proptest::strategy::Strategy;

use crate::change::Change;
use crate::date::Moment;
use crate::document::Document;
use crate::engine::Unknown;
use crate::object::DynamicObject;
use crate::policy::Policy;
use crate::policy_test::Edges;
use crate::reach::ActorChange;
use sequence::{Choices, candidate, play};

/// Strategies for what one policy knows. Values shrink towards simple ones: the first user, an
/// object that says nothing, no change at all.
///
/// ```
/// use grantree::testing::{Strategies, laws};
/// use grantree::{Document, Engine, Policy};
/// use proptest::test_runner::TestRunner;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"order": {"attributes": {"amount": "at_most"}}},
/// #         "permissions": [{"key": "approve", "object": "order", "checks": ["amount"]}]},
/// #     "users": {"ann": {"allow": ["approve"], "bounds": {"order.amount": 5000}}}
/// # }"#;
/// let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// let (engine, all) = (Engine::new(&policy), Strategies::new(&policy));
/// let asked = (all.users(), all.permissions(), all.objects("order")?);
/// TestRunner::default().run(&asked, |(user, action, order)| {
///     let (user, action) = (engine.user(&user).unwrap(), engine.permission(&action).unwrap());
///     Ok(laws::can_implies_can_some(&engine, user, action, &order)?)
/// })?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Strategies {
    policy: Policy,
    document: Arc<Document>,
    edges: Arc<Edges>,
}

impl Strategies {
    /// Makes strategies for a policy.
    pub fn new(policy: &Policy) -> Strategies {
        let document = Document::from(policy);
        let mut edges = Edges::default();
        edges.add(&document);
        let (document, edges) = (Arc::new(document), Arc::new(edges));
        Strategies { policy: policy.clone(), document, edges }
    }

    /// Returns a strategy for the names of the policy's users; of a policy without users, for
    /// one name that it does not know.
    pub fn users(&self) -> impl Strategy<Value = String> + use<> {
        let users = self.policy.users().map(str::to_owned).collect();
        select(or(users, "nobody".to_owned()))
    }

    /// Returns a strategy for permissions, as `path` or `path:level`.
    pub fn permissions(&self) -> impl Strategy<Value = String> + use<> {
        let permissions = self.policy.inner().catalogue.thresholds().collect();
        select(or(permissions, String::new()))
    }

    /// Returns a strategy for objects of a kind. Their attributes are on each side of the bounds
    /// that the policy states, or missing; their relations name its users and groups, somebody
    /// else or nobody, or are missing.
    ///
    /// # Errors
    ///
    /// When the kind is unknown.
    pub fn objects(
        &self,
        kind: &str,
    ) -> Result<impl Strategy<Value = DynamicObject> + use<>, Unknown> {
        let samples = values::Samples::new(kind, &self.document, &self.edges)?;
        let relations: Vec<_> = samples.relations.into_iter().map(select).collect();
        let attributes: Vec<_> = samples.attributes.into_iter().map(select).collect();
        let kind = kind.to_owned();
        Ok((relations, attributes).prop_map(move |(relations, attributes)| {
            let mut object = DynamicObject::new(kind.clone());
            for (name, names) in relations {
                object = names.into_iter().fold(object, |it, names| it.with_relation(&name, names));
            }
            attributes.iter().fold(object, |object, (name, sample)| sample.put(object, name))
        }))
    }

    /// Returns a strategy for days at the ends of the policy's terms and fences, and next to
    /// them.
    pub fn days(&self) -> impl Strategy<Value = Moment> + use<> {
        let mut days: Vec<Moment> = self.edges.days().into_iter().flatten().collect();
        if days.is_empty() {
            days.extend(Edges::week().map(Moment::from));
        }
        select(days)
    }

    /// Returns a strategy for changes of all kinds, most of which the host may make.
    pub fn changes(&self) -> impl Strategy<Value = Change> + use<> {
        let policy = self.policy.clone();
        any::<Choices>().prop_filter_map("there is nothing to change", move |choices| {
            candidate(&policy, choices)
        })
    }

    /// Returns a strategy for sequences of changes by some users, of no more than so many: each
    /// one is accepted after those before it.
    pub fn sequences(
        &self,
        actors: &[&str],
        most: usize,
    ) -> impl Strategy<Value = Vec<ActorChange>> + use<> {
        let policy = self.policy.clone();
        let actors: Vec<String> = actors.iter().map(|it| (*it).to_owned()).collect();
        vec(any::<Choices>(), 0..=most).prop_map(move |steps| {
            let actors: Vec<&str> = actors.iter().map(String::as_str).collect();
            play(&policy, &actors, &steps).map(|(change, _)| change).collect()
        })
    }
}

/// Returns what there is to choose from, or a single value where there is nothing.
fn or<T>(mut values: Vec<T>, only: T) -> Vec<T> {
    if values.is_empty() {
        values.push(only);
    }
    values
}

//! One asker for each request, and the error of who may not.

use serde::Serialize;

use crate::document::UserEntry;
use crate::engine::{Asker, OwnedAsker, Permission, User};
use crate::explain::Remedies;
use crate::live::Live;
use crate::object::{Id, Target};
use crate::problem::Problems;
use crate::reason::Reason;

/// The error of a user who may not do something, to be answered with a 403.
///
/// Displays as a sentence for people that tells nothing of the policy but the permission;
/// serializes as `action`, `reason` and `text`. [`Asker::explain`] and [`Asker::remedies`] tell
/// more, and take longer: a host that lets users see who could help them adds remedies.
///
/// ```
/// use grantree::{Document, Engine, Policy};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders", "label": "Orders"}]},
/// #     "users": {"bob": {}}
/// # }"#;
/// let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let bob = engine.asker(engine.user("bob")?);
/// let denied = bob.require(engine.permission("orders")?, ()).unwrap_err();
/// let text = "user `bob` may not `orders` (Orders), because it is not granted";
/// assert_eq!(denied.to_string(), text);
/// let expected = format!(r#"{{"action":"orders","reason":"not_granted","text":"{text}"}}"#);
/// assert_eq!(serde_json::to_string(&denied)?, expected);
///
/// let denied = denied.with_remedies(bob.remedies(engine.permission("orders")?, ()));
/// let body = serde_json::to_value(&denied)?;
/// assert_eq!(body["remedies"]["least"][0]["steps"][0]["allow"]["name"], "orders");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{text}")]
#[non_exhaustive]
pub struct Denied {
    /// The permission asked for, as `path` or `path:level`; empty for a handle of another
    /// policy.
    pub action: String,
    /// The reason.
    pub reason: Reason,
    /// A sentence for people.
    pub text: String,
    /// The remedies, if they were [added](Denied::with_remedies).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedies: Option<Box<Remedies>>,
}

impl Denied {
    /// Adds remedies, to be serialized too.
    #[must_use]
    pub fn with_remedies(self, remedies: Remedies) -> Denied {
        Denied { remedies: Some(Box::new(remedies)), ..self }
    }
}

impl Live {
    /// Returns a user as somebody who asks the newest version of the policy: one for each
    /// request, whose questions are all answered by one version. Somebody whom the policy
    /// does not know may do nothing.
    ///
    /// ```
    /// use grantree::{Denied, Document, Engine, Live, OwnedAsker, Permission, Policy};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "users": {"7": {"allow": ["orders"]}}
    /// # }"#;
    /// # let live = Live::new(Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?));
    /// let orders = live.load().permission("orders")?;
    ///
    /// // As an extractor of a web framework makes it, of the id of a session.
    /// let asker = live.asker(7);
    ///
    /// // In a handler.
    /// fn list(asker: &OwnedAsker, orders: Permission) -> Result<String, Denied> {
    ///     asker.asker().require(orders, ())?;
    ///     Ok("all orders".into())
    /// }
    /// assert!(list(&asker, orders).is_ok());
    /// assert!(list(&live.asker("a stranger"), orders).is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn asker(&self, user: impl Id) -> OwnedAsker {
        let engine = self.snapshot();
        let user = user.with_text(|name| engine.user(name)).unwrap_or(User::NOBODY);
        OwnedAsker::new(engine, user)
    }

    /// Returns a user whom the policy does not have as somebody who asks its newest version:
    /// [`Engine::subject`](crate::Engine::subject).
    ///
    /// # Errors
    ///
    /// All problems of the entry.
    pub fn subject(&self, name: impl Id, entry: &UserEntry) -> Result<OwnedAsker, Problems> {
        self.load().subject(name, entry)
    }
}

impl Asker<'_> {
    /// Returns an error unless the asker may do this.
    ///
    /// # Errors
    ///
    /// When the asker may not.
    pub fn require<T: Target>(&self, action: Permission, on: T) -> Result<(), Denied> {
        if self.can(action, on) { Ok(()) } else { Err(self.denied(action, on)) }
    }

    #[cold]
    fn denied<T: Target>(&self, action: Permission, on: T) -> Denied {
        let explanation = self.explain(action, on);
        let text = explanation.to_string();
        let sentence = text.lines().next().unwrap_or_default();
        let sentence = sentence.split_once(": ").map_or(sentence, |(_, sentence)| sentence);
        let (action, reason) = (explanation.action.name, explanation.reason);
        Denied { action, reason, text: sentence.to_owned(), remedies: None }
    }
}

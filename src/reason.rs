//! The reason for a decision, as a code.

use std::fmt;

use serde::Serialize;

/// The reason why a question is answered yes or no: the first of these, in this order,
/// that applies.
///
/// Displays, and serializes, as its code.
///
/// ```
/// # use grantree::{Document, Engine, Policy, Reason};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "users": {"bob": {"allow": ["orders"], "suspended": true}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let why = engine.why(engine.user("bob")?, engine.permission("orders")?, ());
/// assert_eq!(why, Reason::Suspended);
/// assert_eq!(why.to_string(), "suspended");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No: the policy does not know the user.
    UnknownUser,
    /// No: the user is suspended.
    Suspended,
    /// No: the handle to the permission is of another policy, or the permission is gone.
    UnknownPermission,
    /// No: a feature that covers the permission is not licensed.
    Unlicensed,
    /// Yes: the user is an admin.
    Admin,
    /// No: a source of the user forbids it.
    Forbidden,
    /// No: the most specific tier that says anything denies it.
    Denied,
    /// No: nobody grants it, or only a lower level of it.
    NotGranted,
    /// No: something that it answers to is not effective, or not allowed on
    /// this object.
    Gated,
    /// No: it depends on an object, and there is none.
    ObjectRequired,
    /// No: the object is of another kind.
    WrongKind,
    /// An assignment would allow it, but today or the object lies outside its terms.
    OutOfTerms,
    /// No: the object's relations match no effective scope.
    NoScope,
    /// No: an attribute of the object does not satisfy the user's bound.
    OutOfBounds,
    /// Yes: it is granted, and nothing stands in the way.
    Granted,
}

impl Reason {
    /// Returns whether the answer is yes.
    ///
    /// ```
    /// use grantree::Reason;
    ///
    /// assert!(Reason::Admin.allowed() && Reason::Granted.allowed());
    /// assert!(!Reason::Gated.allowed());
    /// ```
    #[must_use]
    pub fn allowed(self) -> bool {
        matches!(self, Reason::Admin | Reason::Granted)
    }

    /// The point that a question reached before it was decided: the position of its reason
    /// in the order of the design's section 7. Where several permissions might explain an
    /// answer, the one that came furthest does.
    pub(crate) fn progress(self) -> usize {
        const IN_ORDER: [Reason; 15] = [
            Reason::UnknownUser,
            Reason::Suspended,
            Reason::UnknownPermission,
            Reason::Unlicensed,
            Reason::Admin,
            Reason::Forbidden,
            Reason::Denied,
            Reason::NotGranted,
            Reason::Gated,
            Reason::ObjectRequired,
            Reason::WrongKind,
            Reason::OutOfTerms,
            Reason::NoScope,
            Reason::OutOfBounds,
            Reason::Granted,
        ];
        IN_ORDER.iter().position(|&known| known == self).unwrap_or(IN_ORDER.len())
    }

    /// The code, as in the design and in test documents.
    ///
    /// ```
    /// use grantree::Reason;
    ///
    /// assert_eq!(Reason::OutOfBounds.code(), "out_of_bounds");
    /// ```
    pub fn code(self) -> &'static str {
        match self {
            Reason::UnknownUser => "unknown_user",
            Reason::Suspended => "suspended",
            Reason::UnknownPermission => "unknown_permission",
            Reason::Unlicensed => "unlicensed",
            Reason::Admin => "admin",
            Reason::Forbidden => "forbidden",
            Reason::Denied => "denied",
            Reason::NotGranted => "not_granted",
            Reason::Gated => "gated",
            Reason::ObjectRequired => "object_required",
            Reason::WrongKind => "wrong_kind",
            Reason::OutOfTerms => "out_of_terms",
            Reason::NoScope => "no_scope",
            Reason::OutOfBounds => "out_of_bounds",
            Reason::Granted => "granted",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

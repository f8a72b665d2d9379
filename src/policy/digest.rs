//! A short value that identifies a policy's contents.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use super::canonical::bytes_of;
use super::{Inner, Policy, hex};
use crate::ids::{AssignmentListId, ClassId, IdVec, UserSlot};

/// Tells whether two policies are equal: a SHA-256 hash of all that their documents
/// state, regardless of the order of maps.
///
/// It is the same on every platform and, for what both can hold, in every version of this
/// crate.
///
/// Displays, and serializes, as 64 hexadecimal digits.
///
/// ```
/// # use grantree::{Document, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {},
/// #     "users": {"bob": {}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// let digest = policy.digest();
/// assert_eq!(digest.to_string().len(), 64);
/// // Of what the policy states, not of how it came about.
/// let again = policy.revise(Document::from(&policy))?.policy;
/// assert_eq!(digest, again.digest());
/// assert_ne!(policy.version(), again.version());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Digests the canonical form of part of a policy or of a change.
    pub(crate) fn of(part: &impl Serialize) -> Digest {
        let mut all = Sha256::new();
        feed(&mut all, part);
        Digest(all.finalize().into())
    }

    /// The bytes.
    ///
    /// ```
    /// # use grantree::{Document, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {},
    /// #     "users": {"bob": {}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let digest = policy.digest();
    /// let first = format!("{:02x}", digest.as_bytes()[0]);
    /// assert!(digest.to_string().starts_with(&first));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::display(&self.0, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let bytes = hex::read(&String::deserialize(deserializer)?);
        let wanted = "expected a digest: 64 hexadecimal digits";
        bytes.map(Digest).ok_or_else(|| de::Error::custom(wanted))
    }
}

impl Policy {
    /// The digest of the policy, whatever its revision: equal if and only if the
    /// policies are.
    ///
    /// The first call costs a pass over the policy: a quarter of a second for a million users
    /// in a few thousand combinations of sources.
    ///
    /// ```
    /// # use grantree::{Document, Policy};
    /// let policy = |text: &str| {
    ///     Policy::try_from(serde_json::from_str::<Document>(text).unwrap()).unwrap()
    /// };
    /// let catalogue = r#""format": 1, "catalogue": {"permissions": [{"key": "orders"}]}"#;
    /// let a = policy(&format!(r#"{{{catalogue}, "users": {{"ann": {{}}, "bob": {{}}}}}}"#));
    /// let b = policy(&format!(r#"{{{catalogue}, "users": {{"bob": {{}}, "ann": {{}}}}}}"#));
    /// let c = policy(&format!(r#"{{{catalogue}, "users": {{"bob": {{"admin": true}}, "ann": {{}}}}}}"#));
    /// assert_eq!(a.digest(), b.digest());
    /// assert_ne!(a.digest(), c.digest());
    /// ```
    pub fn digest(&self) -> Digest {
        let policy = self.inner();
        *policy.past.digest.get_or_init(|| policy.digest())
    }
}

impl Inner {
    fn digest(&self) -> Digest {
        let mut all = Sha256::new();
        feed(&mut all, &self.without_users());
        // What users who are alike have in common is digested once.
        let mut classes: IdVec<ClassId, [u8; 32]> =
            IdVec::filled(self.users.class_slots(), [0; 32]);
        for (id, class) in self.users.classes() {
            let mut digest = Sha256::new();
            feed(&mut digest, &self.class(class));
            classes[id] = digest.finalize().into();
        }
        let mut assignments: IdVec<AssignmentListId, [u8; 32]> =
            IdVec::filled(self.users.assignment_slots(), [0; 32]);
        for (id, list) in self.users.assignment_lists() {
            let mut digest = Sha256::new();
            feed(&mut digest, &self.assignments(list));
            assignments[id] = digest.finalize().into();
        }
        let mut users: Vec<(&str, UserSlot)> =
            self.users.iter().map(|(slot, name, _)| (name, slot)).collect();
        users.sort_unstable();
        for (name, slot) in users {
            text(&mut all, Some(name));
            all.update(classes[self.users.class_of(slot)]);
            all.update(assignments[self.users.assignments_of(slot)]);
            let groups = self.users.groups(slot);
            all.update((groups.len() as u64).to_le_bytes());
            for &group in groups {
                text(&mut all, Some(self.groups.name(group)));
            }
            let texts = self.users.texts(slot);
            text(&mut all, texts.and_then(|texts| texts.label.as_deref()));
            text(&mut all, texts.and_then(|texts| texts.description.as_deref()));
        }
        Digest(all.finalize().into())
    }
}

/// Feeds a text such that no two different lists of texts are fed alike.
fn text(digest: &mut Sha256, text: Option<&str>) {
    match text {
        Some(text) => {
            digest.update((text.len() as u64 + 1).to_le_bytes());
            digest.update(text);
        }
        None => digest.update(0u64.to_le_bytes()),
    }
}

/// Feeds the canonical form of a part of a policy or of a change.
#[expect(
    clippy::unreachable,
    reason = "only a document that could not be read in full refuses to be serialized, and \
              neither a policy nor a change has one"
)]
fn feed(digest: &mut Sha256, part: &impl Serialize) {
    match bytes_of(part) {
        Ok(bytes) => digest.update(bytes),
        Err(error) => unreachable!("a policy refuses to be serialized: {error}"),
    }
}

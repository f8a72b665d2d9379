//! Versions as they are stored.

use serde::{Deserialize, Serialize};

use super::{Digest, Past, Policy, PolicyBuilder, Version, VersionId};
use crate::document::Document;
use crate::problem::Problems;

/// A version of a policy, to be stored: the document, and its place in the history of the
/// policy.
///
/// A process that starts makes a policy of it again, and goes on with the entries of the log
/// that come after it.
///
/// ```
/// use grantree::change::{Actor, Change};
/// use grantree::journal::Snapshot;
/// use grantree::{Document, Policy};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let text = r#"{"format": 1, "catalogue": {}, "users": {"bob": {}, "ann": {}}}"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// let policy = policy.apply(Actor::Host, &Change::RemoveUser { user: "bob".into() })?.policy;
/// let stored = serde_json::to_string(&Snapshot::from(&policy))?;
///
/// let snapshot: Snapshot = serde_json::from_str(&stored)?;
/// assert_eq!(Policy::try_from(snapshot)?.version(), policy.version());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Snapshot {
    /// The number of the version.
    pub revision: u64,
    /// The id of the version.
    pub id: VersionId,
    /// The catalogues that newer ones have taken the place of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded: Vec<Digest>,
    /// The policy.
    pub document: Document,
}

impl Snapshot {
    /// Returns the version that it is of.
    pub fn version(&self) -> Version {
        Version { revision: self.revision, id: self.id }
    }
}

impl From<&Policy> for Snapshot {
    fn from(policy: &Policy) -> Snapshot {
        let Version { revision, id } = policy.version();
        let superseded = policy.inner().past.superseded().to_vec();
        Snapshot { revision, id, superseded, document: Document::from(policy) }
    }
}

impl TryFrom<Snapshot> for Policy {
    type Error = Problems;

    /// Makes the stored version of a policy again.
    ///
    /// # Errors
    ///
    /// Every problem that its document has.
    fn try_from(snapshot: Snapshot) -> Result<Policy, Problems> {
        Policy::builder().restore(snapshot)
    }
}

impl PolicyBuilder<'_> {
    /// Makes the stored version of a policy again.
    ///
    /// # Errors
    ///
    /// Every problem that its document has.
    pub fn restore(self, snapshot: Snapshot) -> Result<Policy, Problems> {
        let past = Past::stored(snapshot.version(), &snapshot.superseded);
        let mut inner = self.build(snapshot.document)?.inner().clone();
        inner.past = past;
        Ok(Policy::from_inner(inner))
    }
}

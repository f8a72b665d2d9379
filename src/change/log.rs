//! Changes, sent to other processes.

use serde::{Deserialize, Serialize};

use super::{Actor, Applied, Change, Refusal};
use crate::policy::Policy;

/// The changes that one applied change made, for other processes that have the policy.
///
/// It is data: send it over whatever log or queue there is, along with who made the
/// change and when, if that matters. A change that changed nothing makes an entry
/// too, so that revisions have no gaps. See [`Policy::replay`].
///
/// ```
/// # use grantree::{Document, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "users": {"bob": {}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{Actor, Change, LogEntry};
///
/// let suspend = Change::SetSuspended { user: "bob".into(), suspended: true };
/// let entry = policy.apply(Actor::Host, &suspend)?.log_entry();
/// assert_eq!(entry, LogEntry { revision: 1, changes: vec![suspend] });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogEntry {
    /// The revision of the resulting policy.
    pub revision: u64,
    /// The changes, in order.
    pub changes: Vec<Change>,
}

/// Why an entry was not replayed.
///
/// ```
/// # use grantree::{Document, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{LogEntry, ReplayError};
///
/// let late = LogEntry { revision: 5, changes: vec![] };
/// let error = policy.replay(&late).unwrap_err();
/// assert_eq!(error, ReplayError::Early { entry: 5, policy: 0 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The policy already has this revision, by this entry or otherwise.
    #[error("entry {entry} comes too late: the policy is at revision {policy} already")]
    Already {
        /// The entry's revision.
        entry: u64,
        /// The policy's.
        policy: u64,
    },
    /// Other entries come before it.
    #[error("entry {entry} comes too early: the policy is at revision {policy}")]
    Early {
        /// The entry's revision.
        entry: u64,
        /// The policy's.
        policy: u64,
    },
    /// The policy is not the one that the entry was made from, and refuses it.
    #[error("this policy is not the one that the entry was made from: {0}")]
    Refused(#[from] Refusal),
}

impl Applied {
    /// The entry for other processes to replay.
    ///
    /// ```
    /// # use grantree::{Document, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {},
    /// #     "users": {"bob": {}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// use grantree::change::{Actor, Change};
    ///
    /// let applied = policy.apply(Actor::Host, &Change::RemoveUser { user: "bob".into() })?;
    /// let elsewhere = policy.replay(&applied.log_entry())?;
    /// assert_eq!(Document::from(&elsewhere), Document::from(&applied.policy));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn log_entry(&self) -> LogEntry {
        LogEntry { revision: self.policy.revision(), changes: self.changed.clone() }
    }
}

impl Policy {
    /// Makes the next version of this policy from what changed in another process that
    /// has it. Governance is not checked again.
    ///
    /// Processes stay in step over an ordered log, such as a table with an increasing
    /// key, a Kafka partition or a Redis stream: one process applies changes and appends
    /// [`Applied::log_entry`], all others replay what they read. An entry has the number
    /// of the revision that it leads to, which tells a repeated entry from one that
    /// comes too early; and a writer that was overtaken fails to append if the log
    /// refuses a number that it already has. A process that starts takes a stored
    /// document with its [revision](Policy::revision), [sets it](Policy::with_revision)
    /// and reads the log from there. Equal policies have equal
    /// [digests](Policy::digest); compare them now and then.
    ///
    /// A [`Policy::revise`] takes a revision too, but has no entry: send the edited
    /// document itself with its revision, and let every process revise with it.
    ///
    /// # Errors
    ///
    /// When the entry is not the next one, or this policy refuses it.
    ///
    /// An entry identifies the version that it leads to only by number. A different
    /// policy of the right revision is an error only if it refuses the changes, and any
    /// entry with a past number is [`ReplayError::Already`], even one that was never
    /// replayed. Digests reveal such differences.
    ///
    /// ```
    /// use grantree::change::{Actor, Change, LogEntry, ReplayError};
    /// use grantree::{Document, Policy};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "roles": {"clerk": {"allow": ["orders"]}},
    /// #     "users": {"bob": {}}
    /// # }"#;
    /// let load = || -> Result<Policy, Box<dyn std::error::Error>> {
    ///     Ok(Policy::try_from(serde_json::from_str::<Document>(text)?)?)
    /// };
    /// let (here, there) = (load()?, load()?);
    ///
    /// let change: Change =
    ///     serde_json::from_str(r#"{"assign": {"user": "bob", "source": {"role": "clerk"}}}"#)?;
    /// let applied = here.apply(Actor::Host, &change)?;
    /// let message = serde_json::to_string(&applied.log_entry())?;
    ///
    /// let entry: LogEntry = serde_json::from_str(&message)?;
    /// let there = there.replay(&entry)?;
    /// assert_eq!(Document::from(&there), Document::from(&applied.policy));
    /// assert!(matches!(there.replay(&entry), Err(ReplayError::Already { .. })));
    /// # Ok(())
    /// # }
    /// ```
    pub fn replay(&self, entry: &LogEntry) -> Result<Policy, ReplayError> {
        let (policy, next) = (self.revision(), self.revision().saturating_add(1));
        if entry.revision < next {
            return Err(ReplayError::Already { entry: entry.revision, policy });
        }
        if entry.revision > next {
            return Err(ReplayError::Early { entry: entry.revision, policy });
        }
        let mut replayed = self.clone();
        for change in &entry.changes {
            replayed = replayed.apply(Actor::Host, change)?.policy;
        }
        Ok(replayed.with_revision(entry.revision))
    }
}

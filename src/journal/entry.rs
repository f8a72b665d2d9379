//! The entries of a log.

use serde::{Deserialize, Serialize};

use crate::change::{Actor, Applied, Change, Refusal};
use crate::document::{Catalogue, Document};
use crate::policy::{Digest, Policy, Revised, Upgrade, Version, VersionId, Whole};
use crate::problem::Problems;

/// The step from one version of a policy to the next, for the log.
///
/// It is data: store it or send it, along with when it was made, if that matters. A
/// change that changed nothing makes an entry too, so that revisions have no gaps. See
/// [`Policy::replay`].
///
/// ```
/// # use grantree::{Document, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {},
/// #     "users": {"bob": {}, "ann": {"admin": true}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{Actor, Change};
/// use grantree::journal::Step;
///
/// let suspend = Change::SetSuspended { user: "bob".into(), suspended: true };
/// let entry = policy.apply(Actor::User("ann"), &suspend)?.log_entry();
/// assert_eq!((entry.revision, entry.after), (1, policy.version().id));
/// assert_eq!(entry.by.as_deref(), Some("ann"));
/// assert_eq!(entry.step, Step::Changes(vec![suspend]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LogEntry {
    /// The revision of the version that it leads to.
    pub revision: u64,
    /// The id of the version that it leads to.
    pub id: VersionId,
    /// The id of the version that it was made from.
    pub after: VersionId,
    /// The user on whose behalf it was made; the host, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The difference between these versions.
    pub step: Step,
}

/// The difference between a version and the one before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// Changes, in order: all that [one change](Policy::apply) did, cascades included.
    Changes(Vec<Change>),
    /// Another document ([`Policy::revise`]).
    Document(Box<Document>),
    /// A newer catalogue ([`Policy::upgrade`]).
    Catalogue(Box<Catalogue>),
}

/// The reason why an entry was not replayed.
///
/// ```
/// # use grantree::{Document, Policy};
/// # let text = r#"{"format": 1, "catalogue": {}, "users": {"ann": {}, "bob": {}}}"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// use grantree::change::{Actor, Change};
/// use grantree::journal::ReplayError;
///
/// let remove = |policy: &Policy, user: &str| {
///     policy.apply(Actor::Host, &Change::RemoveUser { user: user.into() })
/// };
/// let here = remove(&policy, "ann")?.policy;
/// let there = remove(&policy, "bob")?.policy;
/// let next = remove(&there, "ann")?.log_entry();
/// assert_eq!(policy.replay(&next).unwrap_err(), ReplayError::Early { entry: 2, policy: 0 });
/// assert_eq!(here.replay(&next).unwrap_err(), ReplayError::Parted { entry: 2, at: 1 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The entry led to this version or to one before it.
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
    /// The entry belongs to another past than the policy's.
    #[error(
        "entry {entry} belongs to another past, which parts from the policy's at revision {at} \
         or before"
    )]
    Parted {
        /// The entry's revision.
        entry: u64,
        /// The earliest revision that is known to differ.
        at: u64,
    },
    /// The entry does not lead to the version whose id it has: it was altered, or what it
    /// does is not the same in this version of the crate.
    #[error("entry {0} does not lead to the version whose id it has")]
    Altered(u64),
    /// The policy refuses the changes.
    #[error("the policy refuses the next entry: {0}")]
    Refused(#[from] Refusal),
    /// The document or catalogue has problems.
    #[error("the next entry has problems: {0}")]
    Problems(#[from] Problems),
}

impl LogEntry {
    fn new(policy: &Policy, by: Option<String>, step: Step) -> LogEntry {
        let Version { revision, id } = policy.version();
        let after = policy.id_at(revision.saturating_sub(1)).unwrap_or(id);
        LogEntry { revision, id, after, by, step }
    }

    /// Returns the version that it leads to.
    pub fn version(&self) -> Version {
        Version { revision: self.revision, id: self.id }
    }
}

impl Applied {
    /// Returns the entry for the log, which other processes replay.
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
        LogEntry::new(&self.policy, self.by.clone(), Step::Changes(self.changed.clone()))
    }
}

impl Revised {
    /// Returns the entry for the log, which other processes replay.
    pub fn log_entry(&self) -> LogEntry {
        let step = match self.whole {
            Whole::Document => Step::Document(Box::new(Document::from(&self.policy))),
            Whole::Catalogue => {
                Step::Catalogue(Box::new(self.policy.inner().catalogue.document.clone()))
            }
        };
        LogEntry::new(&self.policy, None, step)
    }
}

impl Policy {
    /// Makes the next version of this policy from an entry of the log, which another process
    /// made or this one. Governance is not checked again.
    ///
    /// [`Live::commit`](crate::Live::commit) and [`Live::catch_up`](crate::Live::catch_up) do
    /// this for a host that implements [`Journal`](super::Journal). By hand: whoever makes
    /// a version stores its entry, in a log that takes each revision once, before anybody
    /// has the version; all others replay what they read. An entry fits only the version that
    /// it was made from. A process that starts takes a stored
    /// [`Snapshot`](super::Snapshot), and the entries after it.
    ///
    /// # Errors
    ///
    /// When the entry is not the next one, or this policy can't hold it. This policy stays
    /// as it is: to skip an entry is to part from everybody else.
    ///
    /// ```
    /// use grantree::change::{Actor, Change};
    /// use grantree::journal::{LogEntry, ReplayError};
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
        self.expects(entry)?;
        let next = match &entry.step {
            Step::Changes(changes) => self.repeated(changes, entry)?,
            Step::Document(document) => self.revise(Document::clone(document))?.policy,
            Step::Catalogue(catalogue) => match self.upgrade(Catalogue::clone(catalogue))? {
                Upgrade::Done(upgraded) => upgraded.policy,
                Upgrade::Present | Upgrade::Superseded => {
                    return Err(ReplayError::Altered(entry.revision));
                }
            },
        };
        if next.version() != entry.version() {
            return Err(ReplayError::Altered(entry.revision));
        }
        Ok(next)
    }

    fn repeated(&self, changes: &[Change], entry: &LogEntry) -> Result<Policy, Refusal> {
        let mut next = self.clone();
        for change in changes {
            next = next.apply(Actor::Host, change)?.policy;
        }
        let mut next = next.inner().clone();
        next.past = self.past_after(Digest::of(&(&entry.by, changes)));
        Ok(Policy::from_inner(next))
    }

    /// Checks that an entry was made from this version.
    pub(crate) fn expects(&self, entry: &LogEntry) -> Result<(), ReplayError> {
        let Version { revision: policy, id } = self.version();
        let &LogEntry { revision, after, .. } = entry;
        let differs = |revision, id| self.id_at(revision).is_some_and(|own| own != id);
        let parted = |at| Err(ReplayError::Parted { entry: revision, at });
        let before = revision.saturating_sub(1);
        if before > policy {
            Err(ReplayError::Early { entry: revision, policy })
        } else if before == policy {
            if after == id { Ok(()) } else { parted(policy) }
        } else if differs(before, after) {
            parted(before)
        } else if differs(revision, entry.id) {
            parted(revision)
        } else {
            Err(ReplayError::Already { entry: revision, policy })
        }
    }
}

//! Versions of a policy, and the chain that they form.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use super::digest::Digest;
use super::{Inner, Policy, hex};

/// A version of a policy: its number, and the id that tells it from every other version of
/// that number.
///
/// ```
/// use grantree::{Document, Policy};
///
/// let document: Document = serde_json::from_str(r#"{"format": 1, "catalogue": {}}"#)?;
/// let policy = Policy::try_from(document)?;
/// let version = policy.version();
/// assert_eq!(version.revision, policy.revision());
/// assert_eq!(version.to_string(), format!("0:{}", version.id));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// The number of versions before it.
    pub revision: u64,
    /// The hash of it and of all versions before it.
    pub id: VersionId,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.revision, self.id)
    }
}

/// The id of a version of a policy: a hash of the version before and of the step from there.
///
/// Two versions have the same id if and only if they were made of the same document by the
/// same steps. Ids are the same on every platform and, for documents and steps that both can
/// hold, in every version of this crate.
///
/// Displays, and serializes, as 32 hexadecimal digits, from which it is read again.
///
/// ```
/// use grantree::journal::VersionId;
///
/// let id: VersionId = "00112233445566778899aabbccddeeff".parse()?;
/// assert_eq!(id.to_string(), "00112233445566778899aabbccddeeff");
/// # Ok::<(), grantree::journal::VersionIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct VersionId([u8; 16]);

impl VersionId {
    /// Stands before the first version.
    const NONE: VersionId = VersionId([0; 16]);

    /// The id of the version of a number that a step leads to.
    fn after(before: VersionId, revision: u64, step: Digest) -> VersionId {
        let mut all = Sha256::new();
        all.update(b"grantree version 1");
        all.update(before.0);
        all.update(revision.to_le_bytes());
        all.update(step.as_bytes());
        let mut id = [0; 16];
        id.iter_mut().zip(all.finalize()).for_each(|(byte, from)| *byte = from);
        VersionId(id)
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::display(&self.0, f)
    }
}

impl fmt::Debug for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VersionId {
    type Err = VersionIdError;

    fn from_str(text: &str) -> Result<VersionId, VersionIdError> {
        hex::read(text).map(VersionId).ok_or(VersionIdError)
    }
}

impl Serialize for VersionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VersionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<VersionId, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The error of a text that is not the id of a version.
///
/// ```
/// use grantree::journal::VersionId;
///
/// let error = "7".parse::<VersionId>().unwrap_err();
/// assert_eq!(error.to_string(), "expected the id of a version: 32 hexadecimal digits");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the id of a version: 32 hexadecimal digits")]
pub struct VersionIdError;

/// The place of a version in the history of its policy.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    pub(crate) revision: u64,
    /// Worked out when it is first wanted: that of a whole document takes a pass over it.
    chain: OnceLock<Chain>,
    before: Before,
    /// The digest of the version, once it was wanted.
    pub(super) digest: OnceLock<Digest>,
    /// The digest of the step that led here; that of the version itself, if absent.
    step: Option<Digest>,
    /// The catalogues that newer ones have taken the place of.
    superseded: Arc<[Digest]>,
}

/// The ids of a version and of the latest ones before it.
#[derive(Clone, Debug)]
struct Chain {
    id: VersionId,
    /// The ids of the revisions just before, in their order.
    recent: Arc<[VersionId]>,
}

/// The version before, as far as it is needed to work out a chain.
///
/// INVARIANT: a version that is held here does not hold one itself, so that nothing keeps
/// a series of versions alive.
#[derive(Clone, Debug)]
enum Before {
    Nothing,
    Known(Chain),
    Held(Policy),
}

impl Chain {
    /// The number of versions before that are known by their ids.
    const RECENT: usize = 64;

    /// The ids up to and including this one's.
    fn all(&self) -> Arc<[VersionId]> {
        let skipped = (self.recent.len() + 1).saturating_sub(Chain::RECENT);
        self.recent.iter().skip(skipped).chain([&self.id]).copied().collect()
    }
}

impl Past {
    /// The past of a policy that is made of a document.
    pub(crate) fn none() -> Past {
        Past {
            revision: 0,
            chain: OnceLock::new(),
            before: Before::Nothing,
            digest: OnceLock::new(),
            step: None,
            superseded: Arc::default(),
        }
    }

    /// The past of a policy that was stored.
    pub(crate) fn stored(version: Version, superseded: &[Digest]) -> Past {
        let chain = Chain { id: version.id, recent: Arc::default() };
        Past {
            revision: version.revision,
            chain: chain.into(),
            superseded: superseded.into(),
            ..Past::none()
        }
    }

    pub(crate) fn superseded(&self) -> &[Digest] {
        &self.superseded
    }
}

impl Policy {
    /// Returns the version that this is: its [revision](Policy::revision), and an id that
    /// stands for everything that led to it.
    ///
    /// The first call for a version made of a whole document takes a pass over it, as
    /// [`Policy::digest`] does.
    pub fn version(&self) -> Version {
        Version { revision: self.revision(), id: self.chain().id }
    }

    /// Returns the id of an earlier version, or of this one, if it is among the latest.
    pub(crate) fn id_at(&self, revision: u64) -> Option<VersionId> {
        let chain = self.chain();
        match usize::try_from(self.revision().checked_sub(revision)?).ok()? {
            0 => Some(chain.id),
            back => chain.recent.get(chain.recent.len().checked_sub(back)?).copied(),
        }
    }

    /// Returns the earliest revision that is known by its id.
    pub(crate) fn oldest_known(&self) -> u64 {
        self.revision().saturating_sub(self.chain().recent.len() as u64)
    }

    fn chain(&self) -> &Chain {
        let past = &self.inner().past;
        past.chain.get_or_init(|| {
            let (before, recent) = match &past.before {
                Before::Nothing => (VersionId::NONE, Arc::default()),
                Before::Known(chain) => (chain.id, chain.all()),
                Before::Held(policy) => (policy.chain().id, policy.chain().all()),
            };
            let step = past.step.unwrap_or_else(|| self.digest());
            Chain { id: VersionId::after(before, past.revision, step), recent }
        })
    }

    /// The past of the next version, which a change leads to; it is not worked out yet.
    pub(crate) fn past_after(&self, changes: Digest) -> Past {
        let past = &self.inner().past;
        let before = match (past.chain.get(), &past.before) {
            (Some(chain), _) => Before::Known(chain.clone()),
            (None, Before::Held(_)) => Before::Known(self.chain().clone()),
            (None, _) => Before::Held(self.clone()),
        };
        Past { before, step: Some(changes), ..self.past_of_next() }
    }

    /// The past of the next version, which is made of a whole document that has this
    /// catalogue.
    pub(super) fn past_of_whole(&self, after: &Inner) -> Past {
        let (was, is) = (&self.inner().catalogue.document, &after.catalogue.document);
        let mut past = Past { before: Before::Known(self.chain().clone()), ..self.past_of_next() };
        if was != is {
            let (was, is) = (Digest::of(was), Digest::of(is));
            let others = past.superseded.iter().filter(|&&it| it != was && it != is);
            past.superseded = others.copied().chain((was != is).then_some(was)).collect();
        }
        past
    }

    fn past_of_next(&self) -> Past {
        let past = &self.inner().past;
        let (revision, superseded) = (past.revision.saturating_add(1), past.superseded.clone());
        Past { revision, superseded, ..Past::none() }
    }
}

//! Persisting: the log of everything that changes a policy, and what a host stores it with.
//!
//! Whatever takes a revision is an [entry](LogEntry) of one log: [changes](Step::Changes),
//! a [whole document](Step::Document), a [newer catalogue](Step::Catalogue). Each version
//! has an [id](VersionId), a hash of the id before and of the step from there, so that an
//! entry fits exactly the version that it was made from and no other.
//!
//! A host stores the log where it likes by implementing [`Journal`], or [`AsyncJournal`];
//! the protocol is [`Live`](crate::Live)'s: [`open`](crate::Live::open),
//! [`commit`](crate::Live::commit), [`catch_up`](crate::Live::catch_up).
//! [`guide::persisting`](crate::guide::persisting) has one for SQLite and one for PostgreSQL.
//!
//! # The protocol
//!
//! 1. A process that starts takes the snapshot, if there is one, and replays the entries
//!    after it. If nothing is stored, the first document becomes entry 1.
//! 2. To commit, a process catches up, applies the change to the newest version, and appends
//!    the entry. The journal stores it only if the version that the log ends with is the one
//!    that the entry was made [after](LogEntry::after).
//! 3. If it is stored, the new version is published. If the place was taken, it begins again,
//!    unless the entry there is its own, stored by an attempt that was thought to have failed.
//! 4. Nothing is published that is not stored, and only what is stored is acknowledged.
//! 5. A process that is killed before its entry was stored has changed nothing; after, its
//!    change counts, and every process finds it in the log.
//! 6. An attempt that ends with an error of the journal may have been stored. It is then
//!    found by the next one who catches up.
//! 7. Everybody catches up now and then, or when notified. A version that the log does not
//!    have, or has differently, is noticed at once: [`JournalError`] has where they part.
//! 8. A newer catalogue is an entry, too. Every process follows it, older ones as well, so that
//!    all processes have the catalogue of the log; one that the policy had before is not
//!    brought back by a process that starts late.
//! 9. A process that can't hold an entry (made by a newer version of this crate, say, or
//!    beyond its limits) stays at its last version and goes on answering. It reports an error
//!    each time that it catches up, commits nothing, and never skips the entry.
//! 10. Snapshots only save time. Entries may be deleted up to that of a snapshot's own
//!     revision, which is kept.

mod entry;
mod memory;

use std::error::Error;
use std::future::Future;

pub use crate::policy::{Snapshot, Version, VersionId, VersionIdError};
pub use entry::{LogEntry, ReplayError, Step};
pub use memory::MemoryJournal;

use crate::change::Refusal;
use crate::problem::Problems;

/// An error of a journal's store, whatever it is: in a journal, `?` makes it of any error.
pub type StoreError = Box<dyn Error + Send + Sync>;

/// The outcome of appending an entry to a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Append {
    /// The entry is stored.
    Done,
    /// The log does not end with the version that the entry was made after, and stays as it
    /// was.
    Taken,
}

/// A log that is stored, and read and written by calls that wait.
///
/// Take it as a connection rather than as a table: make one for each piece of work.
/// [`guide::persisting`](crate::guide::persisting) has one for SQLite, and
/// [`MemoryJournal`] is one in memory.
pub trait Journal {
    /// Returns the newest snapshot, if any is stored.
    ///
    /// # Errors
    ///
    /// Errors of the store.
    fn snapshot(&mut self) -> Result<Option<Snapshot>, StoreError>;

    /// Returns the version that the log ends with: that of the last entry, or of the newest
    /// snapshot if no entry is stored; nothing, if nothing is.
    ///
    /// This is asked often, and should be cheap.
    ///
    /// # Errors
    ///
    /// Errors of the store.
    fn head(&mut self) -> Result<Option<Version>, StoreError>;

    /// Returns all entries above a revision, in their order.
    ///
    /// # Errors
    ///
    /// Errors of the store, and the error of an entry that can't be read.
    fn after(&mut self, revision: u64) -> Result<Vec<LogEntry>, StoreError>;

    /// Stores an entry for good, in one step that nothing can come between, if the log ends
    /// with the version that the entry was made [after](LogEntry::after), or if nothing is
    /// stored yet.
    ///
    /// # Errors
    ///
    /// Errors of the store. The entry may have been stored or not.
    fn append(&mut self, entry: &LogEntry) -> Result<Append, StoreError>;
}

/// A log that is stored, and read and written by calls that are awaited: [`Journal`] with
/// futures, whatever runs them. An implementation may write `async fn`.
/// [`guide::persisting`](crate::guide::persisting) has one for PostgreSQL.
pub trait AsyncJournal {
    /// [`Journal::snapshot`].
    ///
    /// # Errors
    ///
    /// Errors of the store.
    fn snapshot(&mut self) -> impl Future<Output = Result<Option<Snapshot>, StoreError>> + Send;

    /// [`Journal::head`].
    ///
    /// # Errors
    ///
    /// Errors of the store.
    fn head(&mut self) -> impl Future<Output = Result<Option<Version>, StoreError>> + Send;

    /// [`Journal::after`].
    ///
    /// # Errors
    ///
    /// Errors of the store, and the error of an entry that can't be read.
    fn after(
        &mut self,
        revision: u64,
    ) -> impl Future<Output = Result<Vec<LogEntry>, StoreError>> + Send;

    /// [`Journal::append`].
    ///
    /// # Errors
    ///
    /// Errors of the store. The entry may have been stored or not.
    fn append(
        &mut self,
        entry: &LogEntry,
    ) -> impl Future<Output = Result<Append, StoreError>> + Send;
}

/// The reason why a policy was not opened, changed or brought up to date. It stays at its
/// last version, and goes on answering.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The journal failed. An entry that was to be appended may have been stored, and will
    /// then be found when catching up.
    #[error("the journal failed: {0}")]
    Failed(#[from] StoreError),
    /// A rule refuses the change.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The document or catalogue has problems.
    #[error("{0}")]
    Problems(#[from] Problems),
    /// The policy can't hold the next entry of the log.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The log ends before the version that the policy has: it was restored from a copy,
    /// perhaps, or the policy was changed without it.
    #[error(
        "the log ends at revision {log}, but the policy is at revision {policy}: \
         open it again to go on from the log"
    )]
    Ahead {
        /// The revision that the log ends with.
        log: u64,
        /// The policy's.
        policy: u64,
    },
    /// The document was edited from another version than the policy has now.
    #[error(
        "the document was edited from revision {after}, and the policy is at revision {policy}: \
         edit it again from there"
    )]
    Superseded {
        /// The revision that it was edited from.
        after: u64,
        /// The policy's.
        policy: u64,
    },
    /// Entries are missing from the log, and no snapshot has what they did.
    #[error("the log lacks the entry of revision {0}")]
    Missing(u64),
}

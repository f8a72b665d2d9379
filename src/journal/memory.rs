//! A log in memory.

use std::future::{self, Future};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Append, AsyncJournal, Journal, LogEntry, Snapshot, StoreError, Version};

/// A log in memory, for tests and first steps. Its clones share it, as processes do a
/// database.
///
/// ```
/// use grantree::change::{Actor, Change};
/// use grantree::journal::MemoryJournal;
/// use grantree::{Document, Live};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let first: Document = serde_json::from_str(r#"{"format": 1, "catalogue": {}}"#)?;
/// let mut journal = MemoryJournal::default();
/// let here = Live::open(&mut journal, first.clone())?;
/// let there = Live::open(&mut journal.clone(), first)?;
///
/// let add: Change = serde_json::from_str(r#"{"add_user": {"user": "ann"}}"#)?;
/// here.commit(&mut journal, Actor::Host, &add, ())?;
/// there.catch_up(&mut journal)?;
/// assert!(there.load().user("ann").is_ok());
/// // The first document, and the change.
/// assert_eq!(journal.entries().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal(Arc<Mutex<Vec<LogEntry>>>);

impl MemoryJournal {
    /// Returns all entries.
    pub fn entries(&self) -> Vec<LogEntry> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<LogEntry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        Ok(None)
    }

    fn head(&mut self) -> Result<Option<Version>, StoreError> {
        Ok(self.lock().last().map(LogEntry::version))
    }

    fn after(&mut self, revision: u64) -> Result<Vec<LogEntry>, StoreError> {
        Ok(self.lock().iter().filter(|entry| entry.revision > revision).cloned().collect())
    }

    fn append(&mut self, entry: &LogEntry) -> Result<Append, StoreError> {
        let mut entries = self.lock();
        if entries.last().is_some_and(|last| last.id != entry.after) {
            return Ok(Append::Taken);
        }
        entries.push(entry.clone());
        Ok(Append::Done)
    }
}

impl AsyncJournal for MemoryJournal {
    fn snapshot(&mut self) -> impl Future<Output = Result<Option<Snapshot>, StoreError>> + Send {
        future::ready(Journal::snapshot(self))
    }

    fn head(&mut self) -> impl Future<Output = Result<Option<Version>, StoreError>> + Send {
        future::ready(Journal::head(self))
    }

    fn after(
        &mut self,
        revision: u64,
    ) -> impl Future<Output = Result<Vec<LogEntry>, StoreError>> + Send {
        future::ready(Journal::after(self, revision))
    }

    fn append(
        &mut self,
        entry: &LogEntry,
    ) -> impl Future<Output = Result<Append, StoreError>> + Send {
        future::ready(Journal::append(self, entry))
    }
}

//! The log of the policy, in SQLite.

use grantree::journal::{Append, Journal, LogEntry, Snapshot, StoreError, Version};
use rusqlite::{Connection, OptionalExtension, params};

/// The log, up to a revision.
pub struct SqliteJournal<'c> {
    connection: &'c Connection,
    until: i64,
}

impl SqliteJournal<'_> {
    /// Returns the log.
    pub fn new(connection: &Connection) -> SqliteJournal<'_> {
        SqliteJournal { connection, until: i64::MAX }
    }

    /// Returns the log as it was at a revision.
    pub fn at(connection: &Connection, revision: u64) -> SqliteJournal<'_> {
        SqliteJournal { connection, until: revision.cast_signed() }
    }
}

impl Journal for SqliteJournal<'_> {
    // A log of a help desk stays short: see the guide for snapshots.
    fn snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        Ok(None)
    }

    fn head(&mut self) -> Result<Option<Version>, StoreError> {
        let last = "SELECT revision, id FROM policy_log WHERE revision <= ?1
            ORDER BY revision DESC LIMIT 1";
        let head: Option<(i64, String)> = self
            .connection
            .query_row(last, [self.until], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((revision, id)) = head else {
            return Ok(None);
        };
        Ok(Some(Version { revision: revision.try_into()?, id: id.parse()? }))
    }

    fn after(&mut self, revision: u64) -> Result<Vec<LogEntry>, StoreError> {
        let later = "SELECT entry FROM policy_log WHERE revision > ?1 AND revision <= ?2
            ORDER BY revision";
        let mut statement = self.connection.prepare(later)?;
        let texts = statement
            .query_map([revision.cast_signed(), self.until], |row| row.get::<_, String>(0))?;
        texts.map(|text| Ok(serde_json::from_str(&text?)?)).collect()
    }

    fn append(&mut self, entry: &LogEntry) -> Result<Append, StoreError> {
        let append = "INSERT INTO policy_log (revision, id, entry) SELECT ?1, ?2, ?3
            WHERE coalesce((SELECT id FROM policy_log ORDER BY revision DESC LIMIT 1), ?4) = ?4";
        let (id, after) = (entry.id.to_string(), entry.after.to_string());
        let (revision, text) = (entry.revision.cast_signed(), serde_json::to_string(entry)?);
        let stored = self.connection.execute(append, params![revision, id, text, after])?;
        Ok(if stored == 1 { Append::Done } else { Append::Taken })
    }
}

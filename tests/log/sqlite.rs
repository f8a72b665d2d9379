//! The journal of the guide to persisting, on SQLite, with processes that race.

use std::thread;
use std::time::Duration;

use grantree::change::{Actor, Change};
use grantree::journal::{Append, Journal, LogEntry, Snapshot, StoreError, Version};
use grantree::{Document, Live};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::store::first;

const GUIDE: &str = include_str!("../../src/guide/persisting.md");

struct SqliteJournal<'c>(&'c Connection);

impl Journal for SqliteJournal<'_> {
    fn snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        let newest = "SELECT snapshot FROM policy_snapshot ORDER BY revision DESC LIMIT 1";
        let text = self.0.query_row(newest, [], |row| row.get::<_, String>(0)).optional()?;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    fn head(&mut self) -> Result<Option<Version>, StoreError> {
        let last = "SELECT revision, id FROM policy_log ORDER BY revision DESC LIMIT 1";
        let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
        let Some((revision, id)) = self.0.query_row(last, [], row).optional()? else {
            return Ok(None);
        };
        Ok(Some(Version { revision: revision.try_into()?, id: id.parse()? }))
    }

    fn after(&mut self, revision: u64) -> Result<Vec<LogEntry>, StoreError> {
        let later = "SELECT entry FROM policy_log WHERE revision > ?1 ORDER BY revision";
        let mut statement = self.0.prepare(later)?;
        let texts = statement.query_map([revision.cast_signed()], |row| row.get::<_, String>(0))?;
        texts.map(|text| Ok(serde_json::from_str(&text?)?)).collect()
    }

    fn append(&mut self, entry: &LogEntry) -> Result<Append, StoreError> {
        let append = "INSERT INTO policy_log (revision, id, entry) SELECT ?1, ?2, ?3
            WHERE coalesce((SELECT id FROM policy_log ORDER BY revision DESC LIMIT 1), ?4) = ?4";
        let (id, after) = (entry.id.to_string(), entry.after.to_string());
        let (revision, text) = (entry.revision.cast_signed(), serde_json::to_string(entry)?);
        let stored = self.0.execute(append, params![revision, id, text, after])?;
        Ok(if stored == 1 { Append::Done } else { Append::Taken })
    }
}

#[test]
fn the_guide_shows_this_journal() {
    let here = include_str!("sqlite.rs");
    let start = here.find("struct SqliteJournal").expect("the journal");
    let end = start + here[start..].find("\n}\n\n#[test]").expect("its end");
    assert!(GUIDE.contains(&here[start..end]));
}

#[test]
fn threads_with_connections_of_their_own_lose_nothing() {
    const EACH: usize = 25;
    let folder = std::env::temp_dir().join(format!("grantree-log-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("policy.sqlite");
    let connect = &|| {
        let connection = Connection::open(&file).expect("a database");
        connection.busy_timeout(Duration::from_secs(30)).expect("it can be set");
        connection
    };
    let schema = GUIDE.split("```sql\n").nth(1).and_then(|rest| rest.split("```").next());
    let setup = connect();
    setup.execute_batch("PRAGMA journal_mode = WAL").expect("it can be set");
    setup.execute_batch(schema.expect("the tables")).expect("the tables are made");

    thread::scope(|scope| {
        for writer in 0..4 {
            scope.spawn(move || {
                let connection = connect();
                let mut journal = SqliteJournal(&connection);
                let live = Live::open(&mut journal, first()).expect("it opens");
                for number in 0..EACH {
                    let add = format!(r#"{{"add_user": {{"user": "u{writer}-{number}"}}}}"#);
                    let add: Change = serde_json::from_str(&add).expect("a change");
                    let applied = live.commit(&mut journal, Actor::User("root"), &add, ());
                    let revision = applied.expect("it is stored").policy.revision();
                    assert!(live.load().revision() >= revision);
                    if number == 10 {
                        let snapshot = Snapshot::from(live.load().policy());
                        let text = serde_json::to_string(&snapshot).expect("JSON");
                        let insert = "INSERT INTO policy_snapshot VALUES (?1, ?2)";
                        let delete = "DELETE FROM policy_log WHERE revision < ?1";
                        let revision = snapshot.revision.cast_signed();
                        connection.execute(insert, params![revision, text]).expect("it is stored");
                        connection.execute(delete, [revision]).expect("they are deleted");
                    }
                }
            });
        }
    });
    let connection = connect();
    let live = Live::open(&mut SqliteJournal(&connection), Document::default()).expect("it opens");
    let users = first().users.len() + 4 * EACH;
    assert_eq!((live.load().stats().users, live.load().revision()), (users, 1 + 4 * EACH as u64));
    std::fs::remove_dir_all(&folder).expect("it is removed");
}

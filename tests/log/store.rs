//! A log in memory that fails when it is told to, for any number of processes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use grantree::journal::{Append, Journal, LogEntry, Snapshot, StoreError, Version};
use grantree::{Document, Live, Policy};

/// What is stored, as text, so that all of it goes through serde.
#[derive(Default)]
pub struct Stored {
    pub entries: BTreeMap<u64, String>,
    pub snapshot: Option<String>,
    /// Every entry there ever was, those that a snapshot made needless too.
    pub all: Vec<LogEntry>,
}

#[derive(Clone, Default)]
pub struct Store(Arc<Mutex<Stored>>);

impl Store {
    pub fn lock(&self) -> MutexGuard<'_, Stored> {
        self.0.lock().expect("nobody panicked")
    }

    /// The state of a process that reads everything from the beginning.
    pub fn replayed(&self) -> Policy {
        let first = Policy::try_from(Document::default()).expect("a policy");
        let entries = &self.lock().all;
        entries.iter().fold(first, |policy, entry| policy.replay(entry).expect("the next entry"))
    }

    pub fn holds(&self, version: Version) -> bool {
        version.revision == 0 || self.lock().all.iter().any(|entry| entry.version() == version)
    }

    /// Stores a version as the newest snapshot, and deletes the entries before it.
    pub fn keep(&self, policy: &Policy) {
        let mut stored = self.lock();
        let newest = stored.snapshot().map_or(0, |newest| newest.revision);
        if policy.revision() > newest {
            let text = serde_json::to_string(&Snapshot::from(policy)).expect("JSON");
            stored.snapshot = Some(text);
            stored.entries.retain(|&revision, _| revision >= policy.revision());
        }
    }
}

impl Stored {
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.snapshot.as_ref().map(|text| serde_json::from_str(text).expect("a snapshot"))
    }

    pub fn head(&self) -> Option<Version> {
        let last = self.entries.values().next_back().map(|text| read(text).version());
        last.or(self.snapshot().map(|snapshot| snapshot.version()))
    }

    pub fn after(&self, revision: u64) -> Vec<LogEntry> {
        self.entries.range(revision + 1..).map(|(_, text)| read(text)).collect()
    }

    pub fn append(&mut self, entry: &LogEntry) -> Append {
        if self.head().is_some_and(|head| head.id != entry.after) {
            return Append::Taken;
        }
        self.entries.insert(entry.revision, serde_json::to_string(entry).expect("JSON"));
        self.all.push(entry.clone());
        Append::Done
    }
}

pub fn read(text: &str) -> LogEntry {
    serde_json::from_str(text).expect("an entry")
}

#[derive(Debug)]
pub struct Outage;

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the power is off")
    }
}

impl std::error::Error for Outage {}

/// The moment at which a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before it does anything.
    Before,
    /// After it has done all of it.
    After,
}

/// One process's way to the store, whose next call can be made to fail.
#[derive(Clone)]
pub struct Connection {
    pub store: Store,
    /// The number of calls that go well before one fails, and the moment at which it does.
    fails: Arc<Mutex<Option<(usize, Moment)>>>,
}

impl Connection {
    pub fn new(store: &Store) -> Connection {
        Connection { store: store.clone(), fails: Arc::default() }
    }

    pub fn failing(store: &Store, after: usize, moment: Moment) -> Connection {
        let connection = Connection::new(store);
        connection.fail(Some((after, moment)));
        connection
    }

    pub fn fail(&self, fails: Option<(usize, Moment)>) {
        *self.fails.lock().expect("nobody panicked") = fails;
    }

    /// Returns `true` if a failure is still to come.
    pub fn will_fail(&self) -> bool {
        self.fails.lock().expect("nobody panicked").is_some()
    }

    pub fn call<T>(&self, work: impl FnOnce(&mut Stored) -> T) -> Result<T, StoreError> {
        let mut fails = self.fails.lock().expect("nobody panicked");
        let due = match &mut *fails {
            Some((0, _)) => fails.take().map(|(_, moment)| moment),
            Some((calls, _)) => {
                *calls -= 1;
                None
            }
            None => None,
        };
        if due == Some(Moment::Before) {
            return Err(Outage.into());
        }
        let result = work(&mut self.store.lock());
        if due == Some(Moment::After) { Err(Outage.into()) } else { Ok(result) }
    }
}

impl Journal for Connection {
    fn snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        self.call(|stored| stored.snapshot())
    }
    fn head(&mut self) -> Result<Option<Version>, StoreError> {
        self.call(|stored| stored.head())
    }
    fn after(&mut self, revision: u64) -> Result<Vec<LogEntry>, StoreError> {
        self.call(|stored| stored.after(revision))
    }
    fn append(&mut self, entry: &LogEntry) -> Result<Append, StoreError> {
        self.call(|stored| stored.append(entry))
    }
}

pub fn first() -> Document {
    let text = r#"{
        "format": 1,
        "catalogue": {"permissions": [{"key": "orders"}, {"key": "fax"}]},
        "roles": {"clerk": {"allow": ["orders", "fax"]}},
        "users": {"root": {"admin": true}, "bob": {"roles": ["clerk"], "deny": ["fax"]}}
    }"#;
    serde_json::from_str(text).expect("JSON")
}

/// The catalogues of three releases.
pub const CATALOGUES: [&str; 3] = [
    r#"{"permissions": [{"key": "orders"}, {"key": "fax"}]}"#,
    r#"{"permissions": [{"key": "orders"}, {"key": "mail", "was": ["fax"]}]}"#,
    r#"{"permissions": [{"key": "orders"}, {"key": "chat"}]}"#,
];

pub fn catalogue(release: usize) -> grantree::document::Catalogue {
    serde_json::from_str(CATALOGUES[release]).expect("JSON")
}

pub fn open(store: &Store) -> Live {
    Live::open(&mut Connection::new(store), first()).expect("it opens")
}

/// A process has what the log says, whichever way it got there.
pub fn agrees(live: &Live, store: &Store) {
    let engine = live.load();
    let (here, log) = (engine.policy(), store.replayed());
    assert_eq!(here.version(), log.version());
    assert_eq!(here.digest(), log.digest());
    let again = open(store);
    assert_eq!(again.load().policy().version(), log.version());
    assert_eq!(again.load().policy().digest(), log.digest());
}

//! Processes whose calls to one journal come in any order, which fail, are killed, start
//! again, take snapshots and bring catalogues: no acknowledged change is lost, and all of
//! them converge.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use grantree::change::{Actor, Change};
use grantree::journal::{
    Append, AsyncJournal, JournalError, LogEntry, Snapshot, StoreError, Version,
};
use grantree::{Live, Upgrade};
use proptest::prelude::*;

use crate::store::{Connection, Moment, Store, agrees, catalogue, first, open};

/// A connection each of whose calls is a turn of its own.
struct Turns(Connection);

impl AsyncJournal for Turns {
    async fn snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        turn().await;
        self.0.call(|stored| stored.snapshot())
    }
    async fn head(&mut self) -> Result<Option<Version>, StoreError> {
        turn().await;
        self.0.call(|stored| stored.head())
    }
    async fn after(&mut self, revision: u64) -> Result<Vec<LogEntry>, StoreError> {
        turn().await;
        self.0.call(|stored| stored.after(revision))
    }
    async fn append(&mut self, entry: &LogEntry) -> Result<Append, StoreError> {
        turn().await;
        self.0.call(|stored| stored.append(entry))
    }
}

/// Waits until it is polled again.
fn turn() -> impl Future<Output = ()> + Send {
    let mut waited = false;
    poll_fn(
        move |_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending },
    )
}

/// A thing that a process is asked to do.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// Adds a user whom nobody else adds.
    Add,
    Suspend(bool),
    /// Removes a user whom it may have added.
    Remove(u8),
    Upgrade(usize),
    Reload,
    CatchUp,
}

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A process goes on to its next call.
    Turn(usize),
    Kill(usize),
    Fail(usize, Moment),
    /// A process stores its version as a snapshot, and deletes what came before.
    Keep(usize),
}

const PROCESSES: usize = 3;

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => Just(Deed::Add),
        2 => any::<bool>().prop_map(Deed::Suspend),
        2 => (0..20u8).prop_map(Deed::Remove),
        2 => (0..3usize).prop_map(Deed::Upgrade),
        1 => Just(Deed::Reload),
        1 => Just(Deed::CatchUp),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let process = 0..PROCESSES;
    let moment = prop_oneof![Just(Moment::Before), Just(Moment::After)];
    prop_oneof![
        30 => process.clone().prop_map(Event::Turn),
        1 => process.clone().prop_map(Event::Kill),
        2 => (process.clone(), moment).prop_map(|(process, moment)| Event::Fail(process, moment)),
        1 => process.prop_map(Event::Keep),
    ]
}

type Acknowledged = Option<Version>;
type Task = Pin<Box<dyn Future<Output = (Option<Arc<Live>>, Result<Acknowledged, JournalError>)>>>;

struct Process {
    store: Store,
    connection: Connection,
    live: Option<Arc<Live>>,
    task: Option<Task>,
    deeds: Vec<Deed>,
    added: usize,
    name: usize,
    acknowledged: Vec<Version>,
    published: u64,
}

impl Process {
    fn new(name: usize, store: &Store, deeds: Vec<Deed>) -> Process {
        Process {
            store: store.clone(),
            connection: Connection::new(store),
            live: None,
            task: None,
            deeds,
            added: 0,
            name,
            acknowledged: Vec::new(),
            published: 0,
        }
    }

    fn kill(&mut self) {
        (self.live, self.task, self.published) = (None, None, 0);
        self.connection = Connection::new(&self.store);
    }

    /// Begins the next thing to do, if there is any.
    fn begin(&mut self) -> Option<Task> {
        let mut journal = Turns(self.connection.clone());
        let Some(live) = self.live.clone() else {
            return Some(Box::pin(async move {
                match Live::open_async(&mut journal, first()).await {
                    Ok(live) => (Some(Arc::new(live)), Ok(None)),
                    Err(error) => (None, Err(error)),
                }
            }));
        };
        let change = match self.deeds.pop()? {
            Deed::Add => {
                self.added += 1;
                let text =
                    format!(r#"{{"add_user": {{"user": "p{}-{}"}}}}"#, self.name, self.added);
                serde_json::from_str::<Change>(&text).expect("a change")
            }
            Deed::Suspend(suspended) => Change::SetSuspended { user: "bob".into(), suspended },
            Deed::Remove(number) => Change::RemoveUser { user: format!("p{}-{number}", self.name) },
            Deed::Upgrade(release) => {
                return Some(Box::pin(async move {
                    let done = live.upgrade_async(&mut journal, &catalogue(release)).await;
                    let version = done.map(|done| match done {
                        Upgrade::Done(revised) => Some(revised.policy.version()),
                        _ => None,
                    });
                    (Some(live), version)
                }));
            }
            Deed::Reload => {
                let mut document = grantree::Document::from(live.load().policy());
                let name = format!("r{}", document.roles.len());
                document.roles.push(name, grantree::document::Role::default());
                return Some(Box::pin(async move {
                    let done = live.commit_document_async(&mut journal, document).await;
                    (Some(live), done.map(|()| None))
                }));
            }
            Deed::CatchUp => {
                return Some(Box::pin(async move {
                    let done = live.catch_up_async(&mut journal).await;
                    (Some(live), done.map(|()| None))
                }));
            }
        };
        Some(Box::pin(async move {
            let done = live.commit_async(&mut journal, Actor::User("root"), &change, ()).await;
            let version = done.map(|applied| Some(applied.policy.version()));
            (Some(live), version)
        }))
    }

    /// Goes on to the next call to the journal. Returns whether there was anything to do.
    fn turn(&mut self) -> bool {
        if self.task.is_none() {
            self.task = self.begin();
        }
        let Some(task) = &mut self.task else { return false };
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready((live, done)) = task.as_mut().poll(&mut context) {
            self.task = None;
            self.live = live;
            match done {
                Ok(version) => self.acknowledged.extend(version),
                Err(JournalError::Failed(_) | JournalError::Refused(_)) => {}
                // A document that was edited while others changed the catalogue.
                Err(JournalError::Problems(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        if let Some(live) = &self.live {
            let version = live.load().policy().version();
            assert!(version.revision >= self.published, "it went back");
            self.published = version.revision;
            assert!(self.store.holds(version), "it is published, and not stored");
        }
        true
    }
}

proptest! {
    #[test]
    fn no_acknowledged_change_is_lost_and_all_converge(
        deeds in prop::collection::vec(prop::collection::vec(deed(), 0..8), PROCESSES),
        events in prop::collection::vec(event(), 0..120),
    ) {
        let store = Store::default();
        let mut processes: Vec<Process> = deeds
            .into_iter()
            .enumerate()
            .map(|(name, deeds)| Process::new(name, &store, deeds))
            .collect();
        for event in events {
            match event {
                Event::Turn(at) => {
                    processes[at].turn();
                }
                Event::Kill(at) => processes[at].kill(),
                Event::Fail(at, moment) => processes[at].connection.fail(Some((0, moment))),
                Event::Keep(at) => {
                    if let Some(live) = &processes[at].live {
                        store.keep(live.load().policy());
                    }
                }
            }
        }
        for process in &mut processes {
            process.connection.fail(None);
        }
        // All go on, in turn, to the end of what they have to do.
        let mut turns = 0;
        while processes.iter_mut().fold(false, |any, process| process.turn() | any) {
            turns += 1;
            prop_assert!(turns < 1_000, "they go on forever");
        }
        for process in &processes {
            let live = process.live.as_ref().expect("it was opened");
            live.catch_up(&mut Connection::new(&store)).expect("it goes well");
            agrees(live, &store);
            for &version in &process.acknowledged {
                prop_assert!(store.holds(version), "{version} was acknowledged");
            }
        }
        // One past, whose entries follow from each other.
        prop_assert_eq!(open(&store).load().policy().version(), store.replayed().version());
    }
}

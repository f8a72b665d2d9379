//! The state of the application: the policy, the permissions that it asks for, the database.

use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use grantree::change::{Actor, Applied, Change};
use grantree::journal::JournalError;
use grantree::{Date, Document, Live, Moment};
use jiff::{ToSpan, Zoned};
use rusqlite::Connection;

use crate::journal::SqliteJournal;
use crate::ticket::Ticket;

grantree::permissions! {
    /// The permissions that the application asks for: a misspelt one stops it at the start.
    pub struct Actions {
        tickets: "tickets",
        view: "tickets.view",
        answer: "tickets.answer",
        close: "tickets.close",
        refund: "tickets.refund",
        subject: "tickets.fields.subject",
        priority: "tickets.fields.priority",
        phone: "tickets.fields.phone",
        note: "tickets.fields.note",
        people: "people",
        give_roles: "people.roles",
        view_as: "people.view_as",
        profiles: "profiles",
        edit_profiles: "profiles.edit",
        log: "log",
        undo: "log.undo",
    }
}

/// The state that all requests share.
pub struct App {
    /// The policy.
    pub live: Live,
    /// The permissions.
    pub actions: Actions,
    connection: Mutex<Connection>,
}

impl App {
    /// Opens the database, and the policy that is stored in it.
    pub fn open(database: &Path) -> Result<Arc<App>, Box<dyn Error>> {
        let connection = Connection::open(database)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.execute_batch(include_str!("../schema.sql"))?;

        let first: Document = serde_json::from_str(include_str!("../policy.json"))?;
        let catalogue = first.catalogue.clone();
        let mut journal = SqliteJournal::new(&connection);
        let live = Live::open(&mut journal, first)?;
        live.upgrade(&mut journal, &catalogue)?;

        live.load().check_kind_of::<Ticket>()?;
        let actions = Actions::new(&live.load())?;
        Ok(Arc::new(App { live, actions, connection: Mutex::new(connection) }))
    }

    /// Follows the log, so that changes of other processes arrive.
    pub async fn follow(self: Arc<App>) {
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let followed = self.store(|store| self.live.catch_up(&mut SqliteJournal::new(store)));
            if let Err(error) = followed {
                eprintln!("the policy stays at revision {}: {error}", self.live.load().revision());
            }
        }
    }

    /// Works with the database, which waits for the disk.
    pub fn store<T>(&self, work: impl FnOnce(&Connection) -> T) -> T {
        tokio::task::block_in_place(|| {
            work(&self.connection.lock().unwrap_or_else(PoisonError::into_inner))
        })
    }

    /// Changes the policy in a user's name: stored first, then seen.
    pub fn commit(&self, user: &str, change: &Change) -> Result<Applied, JournalError> {
        self.store(|store| {
            let mut journal = SqliteJournal::new(store);
            self.live.commit(&mut journal, Actor::User(user), change, now())
        })
    }
}

/// Returns the time of a question.
pub fn now() -> Option<Moment> {
    moment(&Zoned::now())
}

/// Returns the time in some days.
pub fn in_days(days: i64) -> Option<Moment> {
    moment(&Zoned::now().checked_add(days.days()).ok()?)
}

fn moment(time: &Zoned) -> Option<Moment> {
    let [hour, minute, second] = [time.hour(), time.minute(), time.second()].map(i8::cast_unsigned);
    Date::new(time.year(), time.month(), time.day())?.at(hour, minute, second)
}

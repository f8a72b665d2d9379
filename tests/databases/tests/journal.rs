//! The journal of the guide to persisting, on PostgreSQL, with processes that race and one
//! that follows by notifications alone.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use grantree::change::{Actor, Change};
use grantree::journal::{Append, AsyncJournal, LogEntry, Snapshot, StoreError, Version};
use grantree::{Document, Live};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client, NoTls};

const GUIDE: &str = include_str!("../../../src/guide/persisting.md");

struct PostgresJournal<'c>(&'c Client);

impl AsyncJournal for PostgresJournal<'_> {
    async fn snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        let newest = "SELECT snapshot FROM policy_snapshot ORDER BY revision DESC LIMIT 1";
        let row = self.0.query_opt(newest, &[]).await?;
        Ok(row.map(|row| serde_json::from_str(row.get(0))).transpose()?)
    }

    async fn head(&mut self) -> Result<Option<Version>, StoreError> {
        let last = "SELECT revision, id FROM policy_log ORDER BY revision DESC LIMIT 1";
        let Some(row) = self.0.query_opt(last, &[]).await? else { return Ok(None) };
        let (revision, id): (i64, &str) = (row.get(0), row.get(1));
        Ok(Some(Version { revision: revision.try_into()?, id: id.parse()? }))
    }

    async fn after(&mut self, revision: u64) -> Result<Vec<LogEntry>, StoreError> {
        let later = "SELECT entry FROM policy_log WHERE revision > $1 ORDER BY revision";
        let rows = self.0.query(later, &[&revision.cast_signed()]).await?;
        rows.iter().map(|row| Ok(serde_json::from_str(row.get(0))?)).collect()
    }

    async fn append(&mut self, entry: &LogEntry) -> Result<Append, StoreError> {
        let append = "WITH stored AS (
                INSERT INTO policy_log (revision, id, entry) SELECT $1, $2, $3
                WHERE coalesce((SELECT id FROM policy_log ORDER BY revision DESC LIMIT 1), $4) = $4
                ON CONFLICT (revision) DO NOTHING
                RETURNING revision
            )
            SELECT pg_notify('policy', revision::text) FROM stored";
        let (id, after) = (entry.id.to_string(), entry.after.to_string());
        let (revision, text) = (entry.revision.cast_signed(), serde_json::to_string(entry)?);
        let stored = self.0.query_opt(append, &[&revision, &id, &text, &after]).await?;
        Ok(if stored.is_some() { Append::Done } else { Append::Taken })
    }
}

/// Connects, and wakes a follower whenever an entry is stored.
async fn connect(url: &str, stored: Arc<Notify>) -> Result<Client, tokio_postgres::Error> {
    let (client, mut connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(_) = message {
                stored.notify_one();
            }
        }
    });
    Ok(client)
}

#[test]
fn the_guide_shows_this_journal() {
    let here = include_str!("journal.rs");
    let start = here.find("struct PostgresJournal").expect("the journal");
    let end = start + here[start..].find("\n\n#[test]").expect("its end");
    assert!(GUIDE.contains(&here[start..end]));
}

const WRITERS: u64 = 4;
const EACH: u64 = 15;

fn first() -> Document {
    let text = r#"{"format": 1, "catalogue": {}, "users": {"root": {"admin": true}}}"#;
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn processes_on_one_log_lose_nothing_and_are_notified() {
    let Ok(url) = std::env::var("GRANTREE_POSTGRES") else {
        println!("PostgreSQL is left out: GRANTREE_POSTGRES is not set");
        return;
    };
    Runtime::new().expect("a runtime").block_on(race(&url));
}

async fn client(url: &str, stored: Arc<Notify>) -> Client {
    let client = connect(url, stored).await.expect("a PostgreSQL server");
    client.batch_execute("SET search_path TO grantree_journal").await.expect("the schema is set");
    client
}

async fn race(url: &str) {
    // The tables of the guide.
    let tables = GUIDE.split("```sql\n").nth(2).and_then(|rest| rest.split("```").next());
    let client_of = |stored| client(url, stored);
    let setup = client_of(Arc::default()).await;
    let schema = "DROP SCHEMA IF EXISTS grantree_journal CASCADE; CREATE SCHEMA grantree_journal";
    setup.batch_execute(schema).await.expect("a schema");
    setup.batch_execute(tables.expect("the tables")).await.expect("the tables are made");

    // Catches up when it is notified, and at no other time.
    let stored = Arc::new(Notify::new());
    let listening = client_of(stored.clone()).await;
    let following = Live::open_async(&mut PostgresJournal(&listening), first()).await;
    let following = following.expect("it opens");
    listening.batch_execute("LISTEN policy").await.expect("it listens");

    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let url = url.to_owned();
            tokio::spawn(async move {
                let client = client(&url, Arc::default()).await;
                let mut journal = PostgresJournal(&client);
                let live = Live::open_async(&mut journal, first()).await.expect("it opens");
                for number in 0..EACH {
                    let add = format!(r#"{{"add_user": {{"user": "u{writer}-{number}"}}}}"#);
                    let add: Change = serde_json::from_str(&add).expect("a change");
                    let actor = Actor::User("root");
                    let applied = live.commit_async(&mut journal, actor, &add, ()).await;
                    let revision = applied.expect("it is stored").policy.revision();
                    assert!(live.load().revision() >= revision);
                    if writer == 0 && number == EACH / 2 {
                        store_snapshot(&client, &live).await;
                    }
                }
            })
        })
        .collect();
    let last = 1 + WRITERS * EACH;
    let started = Instant::now();
    while following.load().revision() < last {
        let notified = timeout(Duration::from_secs(60), stored.notified()).await;
        notified.expect("it is notified of every entry");
        following.catch_up_async(&mut PostgresJournal(&listening)).await.expect("it catches up");
    }
    println!("PostgreSQL: {} entries by {WRITERS} processes in {:?}", last, started.elapsed());
    for writer in writers {
        writer.await.expect("no writer fails");
    }
    let again = Live::open_async(&mut PostgresJournal(&setup), Document::default()).await;
    let again = again.expect("it opens");
    assert_eq!(again.load().policy().version(), following.load().policy().version());
    assert_eq!(again.load().stats().users as u64, 1 + WRITERS * EACH);
}

/// As the guide has it, with the entries before it deleted.
async fn store_snapshot(client: &Client, live: &Live) {
    let snapshot = Snapshot::from(live.load().policy());
    let (revision, text) = (snapshot.revision.cast_signed(), serde_json::to_string(&snapshot));
    let insert = "INSERT INTO policy_snapshot VALUES ($1, $2)";
    let stored = client.execute(insert, &[&revision, &text.expect("JSON")]).await;
    assert_eq!(stored.expect("it is stored"), 1);
    let delete = "DELETE FROM policy_log WHERE revision < $1";
    client.execute(delete, &[&revision]).await.expect("they are deleted");
}

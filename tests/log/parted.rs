//! Logs and policies that do not fit together are noticed, and nothing is skipped.

use grantree::change::{Actor, Change};
use grantree::journal::{JournalError, LogEntry, ReplayError, Step};
use grantree::{Document, Live, Policy};

use crate::store::{Connection, Store, agrees, first, open};

fn add(user: &str) -> Change {
    serde_json::from_str(&format!(r#"{{"add_user": {{"user": "{user}"}}}}"#)).expect("a change")
}

fn commit(live: &Live, store: &Store, user: &str) {
    let mut journal = Connection::new(store);
    live.commit(&mut journal, Actor::Host, &add(user), ()).expect("it goes well");
}

/// What is made without the log is noticed by whoever reads or writes it next.
#[test]
fn a_version_that_was_not_stored_is_noticed() {
    let store = Store::default();
    let (here, there) = (open(&store), open(&store));
    let mut journal = Connection::new(&store);
    commit(&here, &store, "u2");
    here.apply(Actor::Host, &add("secret")).expect("it is applied");
    let error = here.catch_up(&mut journal).unwrap_err();
    assert!(matches!(error, JournalError::Ahead { log: 2, policy: 3 }), "{error}");
    let error = here.commit(&mut journal, Actor::Host, &add("u3"), ()).unwrap_err();
    assert!(matches!(error, JournalError::Ahead { .. }), "{error}");

    // The log has grown past it.
    for user in ["u3", "u4", "u5"] {
        commit(&there, &store, user);
    }
    let error = here.catch_up(&mut journal).unwrap_err();
    let parted = ReplayError::Parted { entry: 4, at: 3 };
    assert!(matches!(&error, JournalError::Replay(replay) if *replay == parted), "{error}");
    // It goes on answering, from the version that it has.
    assert!(here.load().user("secret").is_ok() && here.load().user("u3").is_err());

    let bob = here.load().user("bob").expect("bob");
    here.reopen(&mut journal).expect("it opens");
    assert!(here.load().user("secret").is_err());
    assert_eq!(here.load().user("bob"), Ok(bob));
    agrees(&here, &store);
}

/// A document that was edited from an older version would take back what came between.
#[test]
fn an_edit_of_an_older_version_is_refused() {
    let store = Store::default();
    let (here, there) = (open(&store), open(&store));
    let edited_from = there.load().policy().version();
    let mut document = Document::from(there.load().policy());
    document.global.allow.push("orders".into());
    commit(&here, &store, "u2");
    let mut journal = Connection::new(&store);
    let mut edit = |from| there.commit_document_after(&mut journal, &document, from);
    let error = edit(edited_from).unwrap_err();
    assert!(matches!(error, JournalError::Superseded { after: 1, policy: 2 }), "{error}");
    assert!(there.load().user("u2").is_ok());

    let newest = there.load().policy().version();
    edit(newest).expect("nothing came between");
    assert!(there.load().user("u2").is_err());
    // Once more, as after an error of the store: it is stored already.
    edit(newest).expect("it is stored");
    assert_eq!(there.load().revision(), 3);
    here.catch_up(&mut Connection::new(&store)).expect("it catches up");
    agrees(&here, &store);
}

/// The place is found among the latest versions, however far they went apart.
#[test]
fn the_error_says_where_the_pasts_part() {
    let store = Store::default();
    let here = open(&store);
    for number in 2..20 {
        commit(&here, &store, &format!("u{number}"));
    }
    let other = Store::default();
    for entry in store.lock().all.iter().take(7) {
        other.lock().append(entry);
    }
    let there = open(&other);
    for number in 8..30 {
        commit(&there, &other, &format!("v{number}"));
    }
    let error = here.catch_up(&mut Connection::new(&other)).unwrap_err();
    let text =
        "entry 20 belongs to another past, which parts from the policy's at revision 8 or before";
    assert_eq!(error.to_string(), text);
    // From the beginning, entry by entry.
    let policy = here.load().policy().clone();
    let parted = other.lock().all.iter().find_map(|entry| match policy.replay(entry) {
        Err(ReplayError::Already { .. }) => None,
        other => Some(other.map(drop)),
    });
    assert_eq!(parted, Some(Err(ReplayError::Parted { entry: 8, at: 8 })));
}

#[test]
fn an_entry_that_was_altered_is_refused() {
    let store = Store::default();
    let here = open(&store);
    let there = open(&store);
    commit(&there, &store, "u2");
    let text = store.lock().entries[&2].replace("u2", "u9");
    store.lock().entries.insert(2, text);
    let error = here.catch_up(&mut Connection::new(&store)).unwrap_err();
    assert!(matches!(error, JournalError::Replay(ReplayError::Altered(2))), "{error}");
    assert_eq!(here.load().revision(), 1);
}

/// An entry that a process can't hold stops it, however many come after.
#[test]
fn an_entry_that_does_not_fit_is_not_skipped() {
    let store = Store::default();
    let there = open(&store);
    let mut limits = grantree::problem::Limits::default();
    limits.users = 3;
    let empty = Policy::builder().limits(limits).build(Document::default()).expect("a policy");
    let small = Live::new(grantree::Engine::new(&empty));
    let mut journal = Connection::new(&store);
    small.reopen(&mut journal).expect("it opens");
    for user in ["u2", "u3", "u4"] {
        commit(&there, &store, user);
    }
    let remove = Change::RemoveUser { user: "u3".into() };
    there.commit(&mut journal, Actor::Host, &remove, ()).expect("it goes well");
    for _ in 0..2 {
        let error = small.catch_up(&mut journal).unwrap_err();
        assert!(matches!(error, JournalError::Replay(ReplayError::Refused(_))), "{error}");
        assert_eq!(small.load().revision(), 2);
        assert!(small.load().user("u2").is_ok());
        let error = small.commit(&mut journal, Actor::Host, &remove, ()).unwrap_err();
        assert!(matches!(error, JournalError::Replay(ReplayError::Refused(_))), "{error}");
    }
    assert_eq!(there.load().revision(), 5);
}

#[test]
fn missing_entries_are_noticed() {
    let store = Store::default();
    let here = open(&store);
    let there = open(&store);
    for user in ["u2", "u3", "u4"] {
        commit(&there, &store, user);
    }
    let gone = store.lock().entries.remove(&3).expect("an entry");
    let error = here.catch_up(&mut Connection::new(&store)).unwrap_err();
    assert!(matches!(error, JournalError::Missing(3)), "{error}");
    assert_eq!(here.load().revision(), 2);
    store.lock().entries.insert(3, gone);
    here.catch_up(&mut Connection::new(&store)).expect("it goes well");
    agrees(&here, &store);
}

/// A process that was away while entries were deleted goes on from the snapshot.
#[test]
fn a_process_that_was_away_goes_on_from_a_snapshot() {
    let store = Store::default();
    let (here, there) = (open(&store), open(&store));
    let bob = here.load().user("bob").expect("bob");
    for user in ["u2", "u3", "u4"] {
        commit(&there, &store, user);
    }
    store.keep(there.load().policy());
    commit(&there, &store, "u5");
    here.catch_up(&mut Connection::new(&store)).expect("it goes well");
    assert_eq!(here.load().user("bob"), Ok(bob));
    agrees(&here, &store);
    let late = open(&store);
    commit(&late, &store, "u6");
    agrees(&late, &store);
}

/// Ids are part of the stored format: these must never change.
#[test]
fn ids_and_entries_are_as_they_always_were() {
    let store = Store::default();
    let here = open(&store);
    let mut journal = Connection::new(&store);
    commit(&here, &store, "ann");
    let assign: Change =
        serde_json::from_str(r#"{"assign": {"user": "ann", "source": {"role": "clerk"}}}"#)
            .expect("a change");
    here.commit(&mut journal, Actor::User("root"), &assign, ()).expect("it goes well");
    here.upgrade(&mut journal, &crate::store::catalogue(1)).expect("it goes well");
    let texts: Vec<String> = store.lock().entries.values().skip(1).cloned().collect();
    let ids: Vec<String> = store.lock().all.iter().map(|entry| entry.id.to_string()).collect();
    let expected = [
        "066d06f8a2d61a995ffdca6382de937c",
        "4e4b3d7756cb5e5e97967501a66ae725",
        "63b5b38b257a4d99cbbca96bed34becf",
        "92677e3d7536eb5392e30f7a11d1c26f",
    ];
    assert_eq!(ids, expected);
    let expected = [
        r#"{"revision":2,"id":"4e4b3d7756cb5e5e97967501a66ae725","after":"066d06f8a2d61a995ffdca6382de937c","step":{"changes":[{"add_user":{"user":"ann","profile":null}}]}}"#,
        r#"{"revision":3,"id":"63b5b38b257a4d99cbbca96bed34becf","after":"4e4b3d7756cb5e5e97967501a66ae725","by":"root","step":{"changes":[{"assign":{"user":"ann","source":{"role":"clerk"}}}]}}"#,
        r#"{"revision":4,"id":"92677e3d7536eb5392e30f7a11d1c26f","after":"63b5b38b257a4d99cbbca96bed34becf","step":{"catalogue":{"permissions":[{"key":"orders"},{"key":"mail","was":["fax"]}]}}}"#,
    ];
    assert_eq!(texts, expected);
}

/// Each kind of step survives its text.
#[test]
fn steps_are_read_as_they_were_written() {
    let policy = Policy::try_from(first()).expect("a policy");
    let changed = policy.apply(Actor::User("root"), &add("ann")).expect("it is applied");
    let revised = policy.revise(Document::default()).expect("a policy");
    let grantree::Upgrade::Done(upgraded) =
        policy.upgrade(crate::store::catalogue(2)).expect("a catalogue")
    else {
        panic!("it is new")
    };
    let entries = [changed.log_entry(), revised.log_entry(), upgraded.log_entry()];
    assert!(matches!(
        entries.each_ref().map(|entry| &entry.step),
        [Step::Changes(_), Step::Document(_), Step::Catalogue(_)]
    ));
    for entry in entries {
        let text = serde_json::to_string(&entry).expect("JSON");
        assert_eq!(serde_json::from_str::<LogEntry>(&text).expect("an entry"), entry);
        let next = policy.replay(&entry).expect("the next entry");
        assert_eq!(next.version(), entry.version());
    }
}

//! One process fails or is killed at every call to the journal, while another goes on.

use grantree::change::{Actor, Change};
use grantree::journal::JournalError;
use grantree::{Live, Upgrade};

use crate::store::{Connection, Moment, Store, agrees, catalogue, first, open};

/// A thing that a process does, and an answer to whether it was done.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Open,
    Suspend,
    Upgrade,
    Reload,
    CatchUp,
    Reopen,
}

type Done = Result<(), JournalError>;

fn suspend(user: &str) -> Change {
    Change::SetSuspended { user: user.into(), suspended: true }
}

fn add(user: &str) -> Change {
    serde_json::from_str(&format!(r#"{{"add_user": {{"user": "{user}"}}}}"#)).expect("a change")
}

fn perform(deed: Deed, live: &Live, journal: &mut Connection) -> Done {
    match deed {
        Deed::Open => Live::open(journal, first()).map(drop),
        Deed::Suspend => live.commit(journal, Actor::User("root"), &suspend("bob"), ()).map(drop),
        Deed::Upgrade => live.upgrade(journal, &catalogue(1)).map(drop),
        Deed::Reload => {
            let mut document = first();
            document.roles.push("lead", grantree::document::Role::default());
            live.commit_document(journal, document)
        }
        Deed::CatchUp => live.catch_up(journal),
        Deed::Reopen => live.reopen(journal),
    }
}

/// Returns `true` if it has been done, as far as the log knows.
fn is_done(deed: Deed, store: &Store) -> bool {
    let document = grantree::Document::from(&store.replayed());
    match deed {
        Deed::Suspend => document.users.get("bob").is_some_and(|bob| bob.suspended),
        Deed::Upgrade => document.catalogue == catalogue(1),
        Deed::Reload => document.roles.get("lead").is_some(),
        Deed::Open | Deed::CatchUp | Deed::Reopen => true,
    }
}

/// For each deed, with and without another process that is faster by a change, and each
/// call that it makes: the call fails before or after its work. Then the process goes on,
/// or is killed and starts again; either way it does the deed again.
#[test]
fn nothing_is_lost_at_any_point() {
    let deeds =
        [Deed::Open, Deed::Suspend, Deed::Upgrade, Deed::Reload, Deed::CatchUp, Deed::Reopen];
    let mut points = 0;
    for deed in deeds {
        for (is_late, is_killed) in [(false, false), (false, true), (true, false), (true, true)] {
            for moment in [Moment::Before, Moment::After] {
                for call in 0.. {
                    let store = Store::default();
                    let (here, there) = (open(&store), open(&store));
                    if is_late {
                        let mut journal = Connection::new(&store);
                        there.commit(&mut journal, Actor::Host, &add("ann"), ()).expect("it is");
                    }
                    let mut journal = Connection::failing(&store, call, moment);
                    let before = here.load().policy().version();
                    let done = perform(deed, &here, &mut journal);
                    let is_over = journal.will_fail();
                    match done {
                        Ok(()) => assert!(is_over && is_done(deed, &store), "{deed:?} {call}"),
                        Err(JournalError::Failed(_)) => assert!(!is_over),
                        Err(other) => panic!("{deed:?} {call}: {other}"),
                    }
                    // Whatever is published is stored, and nothing has gone back.
                    let now = here.load().policy().version();
                    assert!(store.holds(now) && now.revision >= before.revision);

                    let here = if is_killed { open(&store) } else { here };
                    let mut journal = Connection::new(&store);
                    perform(deed, &here, &mut journal).expect("it goes well");
                    assert!(is_done(deed, &store), "{deed:?} {call}");
                    there.catch_up(&mut journal).expect("it goes well");
                    here.catch_up(&mut journal).expect("it goes well");
                    agrees(&here, &store);
                    agrees(&there, &store);
                    let ann = there.load().user("ann");
                    // A reload states all users.
                    assert!(!is_late || matches!(deed, Deed::Reload) || ann.is_ok());
                    if is_over {
                        break;
                    }
                    points += 1;
                }
            }
        }
    }
    assert!(points > 60, "{points}");
}

/// The story of the suspension that was lost: a newer process brings its catalogue while
/// an older one suspends a user.
#[test]
fn an_upgrade_and_a_suspension_at_once_both_count() {
    let store = Store::default();
    let (old, new) = (open(&store), open(&store));
    let mut journal = Connection::new(&store);
    let upgraded = new.upgrade(&mut journal, &catalogue(1)).expect("it goes well");
    assert!(matches!(upgraded, Upgrade::Done(_)));
    // The older one has not heard of it.
    assert_eq!(old.load().revision(), 1);
    let bob = old.load().user("bob").expect("bob");
    let orders = old.load().permission("orders").expect("orders");
    assert!(old.load().can(bob, orders, ()));
    old.commit(&mut journal, Actor::User("root"), &suspend("bob"), ()).expect("it goes well");
    assert!(!old.load().can(bob, orders, ()));

    new.catch_up(&mut journal).expect("it goes well");
    agrees(&old, &store);
    agrees(&new, &store);
    let started = open(&store);
    assert_eq!(
        started.load().why(started.load().user("bob").unwrap(), orders_of(&started), ()).code(),
        "suspended"
    );

    // An older process that starts late takes nothing back; a newer one adds nothing.
    let older = started.upgrade(&mut journal, &catalogue(0)).expect("it goes well");
    assert!(matches!(older, Upgrade::Superseded));
    let newer = started.upgrade(&mut journal, &catalogue(1)).expect("it goes well");
    assert!(matches!(newer, Upgrade::Present));
    assert_eq!(store.lock().all.len(), 3);
    // Nor after a snapshot.
    store.keep(started.load().policy());
    let late = open(&store);
    assert!(matches!(late.upgrade(&mut journal, &catalogue(0)), Ok(Upgrade::Superseded)));
    // On purpose, by a document.
    let mut document = grantree::Document::from(late.load().policy());
    document.catalogue = catalogue(0);
    document.roles = first().roles;
    document.users = first().users;
    late.commit_document(&mut journal, document).expect("it goes well");
    assert!(matches!(late.upgrade(&mut journal, &catalogue(1)), Ok(Upgrade::Superseded)));
    assert!(matches!(late.upgrade(&mut journal, &catalogue(0)), Ok(Upgrade::Present)));
}

fn orders_of(live: &Live) -> grantree::Permission {
    live.load().permission("orders").expect("orders")
}

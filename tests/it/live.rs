//! Readers on many threads while the policy changes, and processes that stay
//! in step over a log.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use grantree::change::{Actor, Change, Rule};
use grantree::document::{Role, SettingValue};
use grantree::journal::{LogEntry, ReplayError, Snapshot};
use grantree::{Digest, Document, Engine, Live, Policy};

fn policy(text: &str) -> Policy {
    Policy::try_from(serde_json::from_str::<Document>(text).expect("a document")).expect("a policy")
}

fn change(text: &str) -> Change {
    serde_json::from_str(text).expect("a change")
}

/// Either `left` or `right` is allowed to everybody with the role, never both
/// and never neither.
const SWITCH: &str = r#"{
    "format": 1,
    "catalogue": {"permissions": [{"key": "left"}, {"key": "right"}]},
    "roles": {"a": {"allow": ["left"]}, "b": {}},
    "users": {"ann": {"roles": ["a"]}, "bob": {"roles": ["a", "b"]}, "root": {"admin": true}}
}"#;

#[test]
fn readers_see_whole_versions_in_their_order() {
    const CHANGES: u64 = 400;
    let live = Live::new(Engine::new(&policy(SWITCH)));
    let turn = |to: &str, from: &str| {
        change(&format!(
            r#"{{"edit": {{"source": {{"role": "a"}}, "ops": [{{"allow": "{to}"}}, {{"deny": "{from}"}}]}}}}"#
        ))
    };
    let (right, left) = (turn("right", "left"), turn("left", "right"));
    let started = live.load().clone();
    let (ann, bob) = (started.user("ann").unwrap(), started.user("bob").unwrap());
    let (is_left, is_right) =
        (started.permission("left").unwrap(), started.permission("right").unwrap());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let (mut last, mut versions) = (0, 0);
                    while !done.load(Ordering::Acquire) || last < CHANGES {
                        let engine = live.load();
                        let revision = engine.revision();
                        assert!(revision >= last, "{revision} after {last}");
                        versions += u64::from(revision != last);
                        last = revision;
                        let to_the_right = revision % 2 == 1;
                        for user in [ann, bob] {
                            assert_eq!(engine.can(user, is_right, ()), to_the_right);
                            assert_eq!(engine.can(user, is_left, ()), !to_the_right);
                        }
                    }
                    versions
                })
            })
            .collect();
        for number in 0..CHANGES {
            let change = if number % 2 == 0 { &right } else { &left };
            live.apply(Actor::Host, change).expect("it is applied");
            thread::yield_now();
        }
        done.store(true, Ordering::Release);
        let seen: u64 = readers.into_iter().map(|reader| reader.join().expect("a reader")).sum();
        assert!(seen > 0);
    });
    // An engine that is kept stays at its version.
    assert_eq!((started.revision(), live.load().revision()), (0, CHANGES));
    assert!(started.can(ann, is_left, ()) && !started.can(ann, is_right, ()));
}

/// Two writers each switch a role of their own back and forth, and count the switches
/// in a setting of it. So a version is distinct from any other, and from a mixture of
/// two: its revision is the sum of both counts, and each role is switched as its count
/// says.
///
/// All state that threads share and change is covered: the pointer to the newest
/// engine, which is `arc-swap`'s; the lock for making the next one; and counters that
/// hand out numbers, each by itself, so that no order between them matters. A model
/// checker would need the first two replaced by its own, and would then have nothing of
/// ours to interleave but one load and one store within a lock.
#[test]
fn versions_are_whole_whoever_makes_and_reads_them() {
    const TURNS: i64 = 10_000;
    let live = Live::new(Engine::new(&policy(
        r#"{
        "format": 1,
        "catalogue": {
            "permissions": [{"key": "left"}, {"key": "right"}],
            "settings": {"turns": {"default": 0}}},
        "roles": {"r0": {"allow": ["left"]}, "r1": {"allow": ["left"]}},
        "users": {"u0": {"roles": ["r0"]}, "u1": {"roles": ["r1"]}}
    }"#,
    )));
    let started = live.load().clone();
    let users = ["u0", "u1"].map(|name| started.user(name).expect("a user"));
    let sides = ["left", "right"].map(|name| started.permission(name).expect("a permission"));
    let turns = |engine: &Engine| {
        users.map(|user| match engine.setting(user, "turns") {
            Ok(Some(&SettingValue::Integer(turns))) => turns,
            other => panic!("{other:?}"),
        })
    };
    let (writing, versions) = (AtomicUsize::new(2), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let (mut last, mut before) = (0, [0, 0]);
                // Once more after the last change.
                let mut over = false;
                while !over {
                    over = writing.load(Ordering::Acquire) == 0;
                    let engine = live.load();
                    let (revision, turns) = (engine.revision(), turns(&engine));
                    assert!(revision >= last, "{revision} after {last}");
                    assert!((0..2).all(|at| turns[at] >= before[at]), "{turns:?} after {before:?}");
                    assert_eq!(revision as i64, turns[0] + turns[1], "{turns:?}");
                    for (user, turns) in users.into_iter().zip(turns) {
                        let held = sides.map(|side| engine.can(user, side, ()));
                        assert_eq!(held, [turns % 2 == 0, turns % 2 == 1], "{revision}");
                    }
                    versions.fetch_add(usize::from(revision != last), Ordering::Relaxed);
                    (last, before) = (revision, turns);
                }
                assert_eq!(before, [TURNS, TURNS]);
            });
        }
        for writer in 0..2 {
            let (live, writing) = (&live, &writing);
            scope.spawn(move || {
                let mut last = 0;
                for turn in 1..=TURNS {
                    let [to, from] =
                        if turn % 2 == 1 { ["right", "left"] } else { ["left", "right"] };
                    let turn = change(&format!(
                        r#"{{"edit": {{"source": {{"role": "r{writer}"}}, "ops": [
                            {{"allow": "{to}"}}, {{"deny": "{from}"}},
                            {{"setting": {{"setting": "turns", "value": {turn}}}}}]}}}}"#
                    ));
                    let applied = live.apply(Actor::Host, &turn).expect("it is applied");
                    let revision = applied.policy.revision();
                    assert!(revision > last && live.load().revision() >= revision);
                    last = revision;
                }
                writing.fetch_sub(1, Ordering::Release);
            });
        }
    });
    assert_eq!(live.load().revision() as i64, 2 * TURNS);
    // They overlapped, and did not merely read the end result.
    assert!(versions.into_inner() > 8);
    assert_eq!((started.revision(), turns(&started)), (0, [0, 0]));
}

#[test]
fn writers_wait_for_each_other() {
    let live = Live::new(Engine::new(&policy(SWITCH)));
    thread::scope(|scope| {
        for writer in 0..4 {
            let live = &live;
            scope.spawn(move || {
                for number in 0..50 {
                    let add = format!(r#"{{"add_user": {{"user": "u{writer}-{number}"}}}}"#);
                    live.apply(Actor::Host, &change(&add)).expect("it is applied");
                }
            });
        }
    });
    let engine = live.load();
    assert_eq!((engine.revision(), engine.stats().users), (200, 203));
    assert!(engine.user("u3-49").is_ok() && engine.user("u0-0").is_ok());
}

/// An update of the present engine loses no change made meanwhile.
#[test]
fn updates_and_changes_wait_for_each_other() {
    let live = Live::new(Engine::new(&policy(SWITCH)));
    let roles = live.load().policy().export_all().roles.len();
    thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..50 {
                let add = format!(r#"{{"add_user": {{"user": "u{number}"}}}}"#);
                live.apply(Actor::Host, &change(&add)).expect("it is applied");
            }
        });
        scope.spawn(|| {
            for number in 0..50 {
                let update = live.update(|engine| {
                    let mut document = Document::from(engine.policy());
                    document.roles.push(format!("r{number}"), Role::default());
                    let revised = engine.policy().revise(document);
                    revised.map(|revised| engine.updated(&revised.policy))
                });
                assert!(update.is_ok());
            }
        });
    });
    let engine = live.load();
    assert_eq!((engine.revision(), engine.stats().users), (100, 53));
    assert_eq!(engine.policy().export_all().roles.len(), roles + 50);

    assert_eq!(live.update(|_| Err("not this")), Err("not this"));
    assert_eq!(live.load().revision(), 100);
}

#[test]
fn what_is_stored_is_what_is_read() {
    let live = Live::new(Engine::new(&policy(SWITCH)));
    let later = policy(SWITCH);
    let later = later.apply(Actor::Host, &change(r#"{"add_user": {"user": "cyd"}}"#)).unwrap();
    let engine = Engine::new(&later.policy);
    live.replace_lineage(engine.clone());
    assert_eq!(live.load().revision(), 1);
    assert_eq!(format!("{live:?}"), "Live { revision: 1, .. }");
    assert_eq!(format!("{:?}", live.load()), format!("{engine:?}"));
}

#[test]
fn a_refused_change_publishes_nothing() {
    let live = Live::new(Engine::new(&policy(SWITCH)));
    let refusal = live.apply(Actor::User("ann"), &change(r#"{"remove_user": {"user": "bob"}}"#));
    assert_eq!(refusal.unwrap_err().rule, Rule::NotPermitted);
    let refusal = live.apply(Actor::Host, &change(r#"{"remove_user": {"user": "root"}}"#));
    assert_eq!(refusal.unwrap_err().rule, Rule::LastAdmin);
    assert_eq!(live.load().revision(), 0);
}

/// Applies changes here, sends what changed over a channel as text, and replays
/// it there.
#[test]
fn processes_keep_in_step_over_a_log() {
    let text = include_str!("../../examples/policies/gruntify.json");
    let here = Live::new(Engine::new(&policy(text)));
    let there = Live::new(Engine::new(&policy(text)));
    let digest = |live: &Live| -> Digest { live.load().policy().digest() };
    assert_eq!(digest(&here), digest(&there));

    let (log, follower) = mpsc::channel::<String>();
    let changes = [
        r#"{"add_user": {"user": "zelda", "roles": ["form_designer"], "groups": ["perth"]}}"#,
        r#"{"create": {"source": {"role": "scout"}, "from": {"role": "form_designer"}}}"#,
        r#"{"edit": {"source": {"role": "scout"}, "cascade": true, "ops": [{"clear": "forms.read"}]}}"#,
        r#"{"assign": {"user": "zelda", "source": {"role": "scout"}}}"#,
        r#"{"delete": {"source": {"role": "scout"}, "holders": {"reassign": "form_designer"}}}"#,
        r#"{"rename": {"source": {"user": "zelda"}, "to": "Zelda O'Neil"}}"#,
        r#"{"set_suspended": {"user": "Zelda O'Neil", "suspended": true}}"#,
    ];
    for text in changes {
        let applied = here.apply(Actor::Host, &change(text)).unwrap_or_else(|refusal| {
            panic!("{text}: {refusal}");
        });
        log.send(serde_json::to_string(&applied.log_entry()).expect("JSON")).expect("it is open");
    }
    drop(log);
    for message in follower {
        let entry: LogEntry = serde_json::from_str(&message).expect("an entry");
        let before = digest(&there);
        let mut early = entry.clone();
        early.revision += 1;
        assert!(matches!(there.replay(&early), Err(ReplayError::Early { .. })));
        there.replay(&entry).expect("the next entry");
        assert!(matches!(there.replay(&entry), Err(ReplayError::Already { .. })));
        assert_ne!(before, digest(&there));
    }
    assert_eq!(digest(&here), digest(&there));
    assert_eq!(here.load().revision(), there.load().revision());

    // A process that starts later takes a snapshot.
    let stored = serde_json::to_string(&Snapshot::from(here.load().policy())).expect("JSON");
    let stored: Snapshot = serde_json::from_str(&stored).expect("a snapshot");
    let late = Policy::try_from(stored).expect("a policy");
    assert_eq!(late.digest(), digest(&here));
    assert_eq!(late.version(), here.load().policy().version());
    let remove = change(r#"{"remove_user": {"user": "Zelda O'Neil"}}"#);
    let entry = here.apply(Actor::Host, &remove).expect("it is applied").log_entry();
    assert!(late.replay(&entry).is_ok());

    // A different policy of that revision is reported as such.
    let other = there.apply(Actor::Host, &change(r#"{"add_user": {"user": "cyd"}}"#)).unwrap();
    let parted = ReplayError::Parted { entry: entry.revision, at: entry.revision };
    assert_eq!(other.policy.replay(&entry).unwrap_err(), parted);
}

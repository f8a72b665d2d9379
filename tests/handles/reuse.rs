//! Slots that users have left, and the handles of those who had them before.

use std::collections::HashSet;

use allocation_counter::{AllocationInfo, measure};
use grantree::change::{Actor, Change};
use grantree::journal::{Journal, MemoryJournal};
use grantree::problem::Limits;
use grantree::{Document, Engine, Live, Permission, Policy, User};

const POLICY: &str = r#"{
  "format": 1,
  "catalogue": {
    "objects": {"job": {"relations": {"assignee": "user"}}},
    "permissions": [
      {"key": "view"},
      {"key": "edit", "object": "job", "scopes": [{"key": "own", "when": {"assignee": "me"}}]}]},
  "roles": {"clerk": {"allow": ["view", "edit.own"]}, "other": {"allow": ["edit"]}},
  "users": {"root": {"admin": true}, "ann": {"roles": ["clerk"]}, "bob": {}, "cyd": {"roles": ["other"]}}
}"#;

fn policy() -> Policy {
    Policy::try_from(serde_json::from_str::<Document>(POLICY).expect("JSON")).expect("valid")
}

/// A policy of a thousand users at most: their slots have thousands of generations.
fn small() -> Policy {
    let mut limits = Limits::default();
    limits.users = 2_000;
    let document: Document = serde_json::from_str(POLICY).expect("JSON");
    Policy::builder().limits(limits).build(document).expect("valid")
}

fn add(user: &str) -> Change {
    let text = format!(r#"{{"add_user": {{"user": "{user}", "roles": ["clerk"]}}}}"#);
    serde_json::from_str(&text).expect("JSON")
}

fn remove(user: &str) -> Change {
    Change::RemoveUser { user: user.to_owned() }
}

fn apply(policy: &Policy, change: &Change) -> Policy {
    policy.apply(Actor::Host, change).expect("it is applied").policy
}

fn view(engine: &Engine) -> Permission {
    engine.permission("view").expect("a permission")
}

/// Returns whether an engine knows nobody by a handle, however it is asked.
fn is_nobody(engine: &Engine, user: User) -> bool {
    let (view, edit) = (view(engine), engine.permission("edit.own").expect("a permission"));
    let job = grantree::object::DynamicObject::new("job").with_relation("assignee", ["dan"]);
    let asker = engine.asker(user);
    let answers = [
        engine.can(user, view, ()),
        engine.can(user, edit, &job),
        engine.can_some(user, edit),
        asker.can(view, ()),
        asker.can(edit, &job),
        !engine.effective(user).is_empty(),
        engine.filter(user, edit, ()).matches(&job),
        engine.why(user, view, ()) != grantree::Reason::UnknownUser,
        engine.explain(user, view, ()).to_string().contains("dan"),
    ];
    answers == [false; 9]
}

#[test]
fn a_slot_is_used_again_and_its_former_users_stay_nobody() {
    let mut policy = policy();
    let mut engine = Engine::new(&policy);
    let mut former: Vec<User> = Vec::new();
    for turn in 0..200 {
        let change = if turn % 2 == 0 { add("dan") } else { remove("dan") };
        policy = apply(&policy, &change);
        engine = engine.updated(&policy);
        assert!(former.iter().all(|&user| is_nobody(&engine, user)));
        let anew = Engine::new(&policy);
        assert!(former.iter().all(|&user| is_nobody(&anew, user)));
        if let Ok(dan) = engine.user("dan") {
            assert!(engine.can(dan, view(&engine), ()) && anew.can(dan, view(&engine), ()));
            assert!(!former.contains(&dan));
            former.push(dan);
        }
    }
    assert_eq!(former.len(), 100);
    // Those who were there all the time are who they were.
    let ann = Engine::new(&self::policy()).user("ann").expect("a user");
    assert!(is_nobody(&engine, ann));
    let ann = engine.user("ann").expect("a user");
    assert!(engine.can(ann, view(&engine), ()));
}

#[test]
fn versions_that_were_discarded_lend_nobody_their_handles() {
    let base = apply(&policy(), &remove("cyd"));
    let mut seen: HashSet<User> = HashSet::new();
    let mut handles = Vec::new();
    for turn in 0..300 {
        let name = format!("user{turn}");
        let version = if turn % 3 == 0 {
            let mut document = Document::from(&base);
            let ann = document.users.get("ann").expect("a user").clone();
            document.users.push(name.as_str(), ann);
            base.revise(document).expect("valid").policy
        } else {
            apply(&base, &add(&name))
        };
        let engine = Engine::new(&version);
        let user = engine.user(&name).expect("a user");
        assert!(seen.insert(user), "{turn}");
        assert!(handles.iter().all(|&other| is_nobody(&engine, other)), "{turn}");
        assert!(engine.can(user, view(&engine), ()));
        handles.push(user);
    }
    // A subject is of its own engine.
    let entry = serde_json::from_str(r#"{"roles": ["clerk"]}"#).expect("JSON");
    let subject = Engine::new(&base).subject("dan", &entry).expect("valid");
    assert!(subject.asker().can(view(&Engine::new(&base)), ()));
}

#[test]
fn a_handle_is_one_word() {
    assert_eq!((size_of::<User>(), size_of::<Permission>()), (8, 8));
}

#[test]
fn a_refused_user_takes_nothing() {
    let base = policy();
    let handle = |policy: &Policy| Engine::new(policy).user("dan").expect("a user");
    let before = handle(&apply(&base, &add("dan")));
    let document = || {
        let mut document = Document::from(&base);
        document.governance.permissions.push("add_user", vec!["view".to_owned()]);
        document
    };
    // Of one lineage, with the same history: one in which a thousand were refused.
    let (one, other) = (policy_of(document()), policy_of(document()));
    for _ in 0..1_000 {
        assert!(other.apply(Actor::User("bob"), &add("dan")).is_err());
    }
    let sizes = [&one, &other].map(|policy| {
        let applied = apply(policy, &add("dan"));
        measure(|| drop(Engine::new(&applied))).bytes_max
    });
    assert_eq!(sizes[0], sizes[1]);
    assert!(is_nobody(&Engine::new(&base), before));
}

fn policy_of(document: Document) -> Policy {
    Policy::try_from(document).expect("valid")
}

#[test]
fn processes_may_use_other_slots_for_the_same_log() {
    let mut journal = MemoryJournal::default();
    let here = Live::open(&mut journal, Document::from(&policy())).expect("it is opened");
    let there = Live::open(&mut journal, Document::default()).expect("it is opened");
    let mut stale: Vec<User> = Vec::new();
    for turn in 0..40 {
        let change = if turn % 2 == 0 { add("dan") } else { remove("dan") };
        // What is previewed here is not there.
        let _ = here.load().what_if(Actor::Host, &add("eve"));
        here.commit(&mut journal, Actor::Host, &change, ()).expect("it is stored");
        there.catch_up(&mut journal).expect("it follows");
        let (ours, theirs) = (here.load(), there.load());
        assert_eq!(ours.policy().version(), theirs.policy().version());
        assert!(stale.iter().all(|&user| is_nobody(&ours, user) && is_nobody(&theirs, user)));
        for engine in [&ours, &theirs] {
            if let Ok(dan) = engine.user("dan") {
                assert!(engine.can(dan, view(engine), ()));
                stale.push(dan);
            }
        }
    }
    // One that starts now has a user in other slots, and the same policy.
    let late = Live::open(&mut journal, Document::default()).expect("it is opened");
    assert_eq!(late.load().policy().version(), here.load().policy().version());
    assert!(stale.iter().all(|&user| is_nobody(&late.load(), user)));
    assert!(journal.head().expect("it is read").is_some());
}

/// The costs of a day of a long-lived process: a thousand users are added, and removed in the
/// end, and changes are seen by an engine that follows.
struct Day {
    adding: AllocationInfo,
    asking: u64,
    bytes: usize,
}

fn day(policy: &mut Policy, engine: &mut Engine, number: usize) -> Day {
    let names: Vec<String> = (0..1_000).map(|at| format!("u{number}-{at}")).collect();
    let mut yes = 0;
    let mut asking = 0;
    let adding = measure(|| {
        for name in &names {
            *policy = apply(policy, &add(name));
        }
        *engine = engine.updated(policy);
    });
    for name in &names {
        let user = engine.user(name).expect("a user");
        let view = view(engine);
        asking += measure(|| yes += usize::from(engine.can(user, view, ()))).count_total;
    }
    assert_eq!(yes, 1_000);
    for name in &names {
        *policy = apply(policy, &remove(name));
    }
    *engine = engine.updated(policy);
    let stats = engine.stats();
    Day { adding, asking, bytes: stats.user_bytes + stats.name_bytes + stats.row_bytes }
}

// After a day, all is as it was the day before, but for the generations of the slots, which go
// up by one: so a year later, too. Ten years of these are counted in a test of their own, in
// `policy/generation.rs`: that many changes would take minutes.
#[test]
fn a_process_that_adds_and_removes_users_for_years_stays_as_it_was() {
    let mut policy = small();
    let mut engine = Engine::new(&policy);
    let mut day = |number| {
        let day = day(&mut policy, &mut engine, number);
        (day, Document::from(&policy), policy.digest())
    };
    let (first, document, digest) = (0..3).map(&mut day).last().expect("a day");
    let (last, again, same) = (3..12).map(&mut day).last().expect("a day");
    assert!(document == again && digest == same);
    assert_eq!((first.asking, last.asking), (0, 0));
    assert_eq!(first.bytes, last.bytes);
    let grown = last.adding.bytes_total.abs_diff(first.adding.bytes_total);
    assert!(grown < first.adding.bytes_total / 10, "{:?} {:?}", first.adding, last.adding);
    let grown = last.adding.count_total.abs_diff(first.adding.count_total);
    assert!(grown < first.adding.count_total / 50, "{:?} {:?}", first.adding, last.adding);
}

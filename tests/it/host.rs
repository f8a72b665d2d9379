//! Hosts: their own objects, and the handles that they keep.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use grantree::Document;
use grantree::document::{Bound, BoundType, RelationType, UserEntry};
use grantree::object::{DisplayId, DynamicObject, Object, RelationState, Subject, Value};
use grantree::policy_test::Question;
use grantree::{Date, Engine, Permission, Policy};
use support::case::{Case, each};
use support::checking::cases;

// Objects of a host's own.

/// An id that is no text and no integer, and displays itself.
#[derive(Clone, Copy)]
struct Uuid(u128);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        write!(f, "{}-{}-{}-", &hex[..8], &hex[8..12], &hex[12..16])?;
        write!(f, "{}-{}", &hex[16..20], &hex[20..])
    }
}

/// How a host has its users and groups, and the policy their names.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ids {
    Text,
    Integer,
    Uuid,
}

impl Ids {
    /// The policy's name for what the case calls by this name.
    fn name(self, name: &str) -> String {
        match self {
            Ids::Text => name.to_owned(),
            Ids::Integer => number(name).to_string(),
            Ids::Uuid => Uuid(number(name).into()).to_string(),
        }
    }
}

/// A number for a name, different for each.
fn number(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// A host's object: ids in the host's types, dates as dates.
struct Record<'a> {
    kind: &'a str,
    relations: BTreeMap<&'a str, (RelationType, Related<'a>)>,
    attributes: BTreeMap<&'a str, Value<'a>>,
}

enum Related<'a> {
    Texts(&'a [String]),
    Integers(Vec<u64>),
    Uuids(Vec<Uuid>),
}

impl<'a> Record<'a> {
    /// The same object as the host has it.
    fn new(object: &'a DynamicObject, document: &'a Document, ids: Ids) -> Option<Record<'a>> {
        let declared = document.catalogue.objects.get(object.kind())?;
        let mut record =
            Record { kind: object.kind(), relations: BTreeMap::new(), attributes: BTreeMap::new() };
        for name in object.relations() {
            let names = object.related(name)?;
            let related = match ids {
                Ids::Text => Related::Texts(names),
                Ids::Integer => Related::Integers(names.iter().map(|name| number(name)).collect()),
                Ids::Uuid => {
                    Related::Uuids(names.iter().map(|name| Uuid(number(name).into())).collect())
                }
            };
            record.relations.insert(name, (*declared.relations.get(name)?, related));
        }
        for name in object.attributes() {
            let value = match (declared.attributes.get(name)?, object.attribute(name)?) {
                (BoundType::NotBefore | BoundType::NotAfter, Value::Text(text)) => {
                    text.parse().map_or(Value::Text(text), Value::Date)
                }
                (_, value) => value,
            };
            record.attributes.insert(name, value);
        }
        Some(record)
    }
}

impl Object for Record<'_> {
    fn kind(&self) -> &str {
        self.kind
    }
    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
        let (of, related) = self.relations.get(name)?;
        match (of, related) {
            (RelationType::User, Related::Texts(ids)) => subject.users(*ids),
            (RelationType::User, Related::Integers(ids)) => subject.users(ids),
            (RelationType::User, Related::Uuids(ids)) => subject.users(ids.iter().map(DisplayId)),
            (RelationType::Group, Related::Texts(ids)) => subject.groups(*ids),
            (RelationType::Group, Related::Integers(ids)) => subject.groups(ids),
            (RelationType::Group, Related::Uuids(ids)) => subject.groups(ids.iter().map(DisplayId)),
        }
    }
    fn attribute(&self, name: &str) -> Option<Value<'_>> {
        self.attributes.get(name).copied()
    }
}

/// The policy with the names that the host's ids have.
fn renamed(document: &Document, ids: Ids) -> Document {
    let mut renamed = document.clone();
    let kinds = &renamed.catalogue.objects;
    let is_relation = |name: &str| kinds.iter().any(|(_, it)| it.relations.get(name).is_some());
    let condition = |name: String, bound| match bound {
        Bound::OneOf(names) if is_relation(&name) => {
            (name, Bound::OneOf(names.iter().map(|name| ids.name(name)).collect()))
        }
        bound => (name, bound),
    };
    let users = std::mem::take(&mut renamed.users).into_iter().map(|(name, mut user)| {
        user.groups.iter_mut().for_each(|group| *group = ids.name(group));
        user.assignments = each(user.assignments, |assignment| {
            assignment.on = assignment.on.take().map(|on| {
                let kinds = on.into_iter();
                let kinds = kinds.map(|(kind, conditions)| {
                    (kind, conditions.into_iter().map(|(name, it)| condition(name, it)).collect())
                });
                kinds.collect()
            });
        });
        (ids.name(&name), user)
    });
    renamed.users = users.collect();
    let groups = std::mem::take(&mut renamed.groups).into_iter().map(|(name, mut group)| {
        group.parent = group.parent.map(|parent| ids.name(&parent));
        (ids.name(&name), group)
    });
    renamed.groups = groups.collect();
    renamed
}

/// Asks the random questions of a case on dynamic objects and on the host's,
/// and returns how many had each answer.
fn compare(case: &Case, ids: Ids) -> [usize; 2] {
    let plain = engine(case.document.clone());
    let own = engine(renamed(&case.document, ids));
    let mut answers = [0; 2];
    for question in &case.questions {
        let (user, action, object, today) = match question {
            Question::Can { user, action, object, today, .. }
            | Question::Why { user, action, object, today, .. } => {
                (Some(user.name()), action, object, today)
            }
            Question::WhoCan { action, object, today } => (None, action, object, today),
            _ => continue,
        };
        let Some(object) = object else { continue };
        let Some(record) = Record::new(object, &case.document, ids) else { continue };
        let Ok(asked) = plain.permission(action) else { continue };
        let own_asked = own.permission(action).expect("the catalogue is the same");

        let today = today.value().copied();
        let may = plain.who_can(asked, (Some(object), today)).into_iter();
        let expected: BTreeSet<String> = may.map(|name| ids.name(name)).collect();
        let who = own.who_can(own_asked, (Some(&record), today)).into_iter();
        let who: BTreeSet<String> = who.map(str::to_owned).collect();
        assert_eq!(who, expected, "{ids:?}: {question}");

        let Some(user) = user else { continue };
        let (Ok(name), Ok(own_name)) = (plain.user(user), own.user(ids.name(user))) else {
            continue;
        };
        let expected = plain.can(name, asked, (Some(object), today));
        let can = own.can(own_name, own_asked, (Some(&record), today));
        assert_eq!(can, expected, "{ids:?}: {question}");
        let expected = plain.why(name, asked, (Some(object), today));
        let why = own.why(own_name, own_asked, (Some(&record), today));
        assert_eq!(why, expected, "{ids:?}: {question}");
        let filter = own.filter(own_name, own_asked, today);
        assert_eq!(filter.matches(&record), can, "{ids:?}: {question}: {filter}");
        answers[usize::from(can)] += 1;
    }
    answers
}

#[test]
fn a_hosts_objects_are_decided_as_dynamic_ones_are() {
    let mut answers = [0; 2];
    for (at, case) in cases(300).enumerate() {
        let ids = [Ids::Text, Ids::Integer, Ids::Uuid][at % 3];
        // Where one name is a relation here and an attribute there, conditions on it are of
        // either.
        let kinds = || case.document.catalogue.objects.iter().map(|(_, kind)| kind);
        let is_relation = |name: &str| kinds().any(|kind| kind.relations.get(name).is_some());
        let mut attributes = kinds().flat_map(|kind| kind.attributes.iter());
        let is_mixed = attributes.any(|(name, _)| is_relation(name));
        let case = if is_mixed { Arc::new(case.ordinary()) } else { case.clone() };
        let more = compare(&case, ids);
        answers = [answers[0] + more[0], answers[1] + more[1]];
    }
    assert!(answers.iter().all(|&count| count > 500), "{answers:?}");
}

const JOBS: &str = r#""catalogue": {
    "objects": {
      "job": {"relations": {"assignee": "user", "watcher": "user", "team": "group"},
              "attributes": {"region": "one_of", "size": "at_most", "starts": "not_before"}},
      "order": {"relations": {"assignee": "user"}}},
    "permissions": [
      {"key": "mine", "object": "job", "scopes": [{"key": "s", "when": {"assignee": "me"}}]},
      {"key": "nobodys", "object": "job", "scopes": [{"key": "s", "when": {"assignee": "none"}}]},
      {"key": "others", "object": "job", "scopes": [{"key": "s", "when": {"assignee": "other"}}]},
      {"key": "watched", "object": "job", "scopes": [{"key": "s", "when": {"watcher": "me"}}]},
      {"key": "teams", "object": "job", "scopes": [{"key": "s", "when": {"team": "me"}}]},
      {"key": "near", "object": "job", "checks": ["region"]},
      {"key": "small", "object": "job", "checks": ["size"]},
      {"key": "soon", "object": "job", "checks": ["starts"]},
      {"key": "any", "object": "job"}]},
  "groups": {"north": {"parent": "00000000-0000-0000-0000-0000000000ff"}},
  "users": {"18446744073709551615": {
    "groups": ["00000000-0000-0000-0000-0000000000ff"], "allow": ["**"],
    "bounds": {"job.region": ["north"], "job.size": 10, "job.starts": {"plus_days": 1}}}}"#;

const ACTIONS: [&str; 9] =
    ["mine", "nobodys", "others", "watched", "teams", "near", "small", "soon", "any"];

/// A job as a host has it.
#[derive(Default)]
struct Job {
    assignee: Option<u64>,
    watchers: Vec<String>,
    team: Option<Uuid>,
    region: Option<String>,
    size: Option<i64>,
    starts: Option<Date>,
}

impl Object for Job {
    fn kind(&self) -> &str {
        "job"
    }
    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
        match name {
            "assignee" => subject.users(self.assignee),
            "watcher" => subject.users(&self.watchers),
            "team" => subject.groups(self.team.map(DisplayId)),
            _ => None,
        }
    }
    fn attribute(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "region" => self.region.as_deref().map(Value::Text),
            "size" => self.size.map(Value::Integer),
            "starts" => self.starts.map(Value::Date),
            _ => None,
        }
    }
}

/// Which of the permissions on jobs the one user has on an object.
fn check(object: &impl Object, expected: &str) {
    let engine = engine(document(JOBS));
    let user = engine.user("18446744073709551615").expect("a user");
    let today = "2026-11-20".parse().ok();
    let allowed: Vec<&str> = ACTIONS
        .into_iter()
        .filter(|key| {
            let action = engine.permission(key).expect("a permission");
            let can = engine.can(user, action, (Some(object), today));
            // Behind a reference it is the same object.
            assert_eq!(engine.can(user, action, (Some(&object), today)), can);
            can
        })
        .collect();
    assert_eq!(allowed.join(" "), expected);
}

#[test]
fn a_struct_answers_with_ids_of_its_own() {
    check(&Job::default(), "nobodys any");
    check(&Job { assignee: Some(u64::MAX), ..Job::default() }, "mine any");
    check(&Job { assignee: Some(u64::MAX - 1), ..Job::default() }, "others any");
    let watchers = vec!["1".to_owned(), u64::MAX.to_string()];
    check(&Job { watchers, ..Job::default() }, "nobodys watched any");
    check(&Job { team: Some(Uuid(0xff)), ..Job::default() }, "nobodys teams any");
    check(&Job { team: Some(Uuid(0xfe)), ..Job::default() }, "nobodys any");
    let starts = Date::new(2026, 11, 21);
    let region = Some("north".to_owned());
    check(&Job { region, size: Some(10), starts, ..Job::default() }, "nobodys near small soon any");
    let (region, starts) = (Some("North".to_owned()), Date::new(2026, 11, 20));
    check(&Job { region, size: Some(11), starts, ..Job::default() }, "nobodys any");
}

#[test]
fn objects_and_who_asks_can_be_shown() {
    let job = DynamicObject::new("job")
        .with_relation("team", ["leeds", "york"])
        .with_relation("assignee", Vec::<String>::new())
        .with_attribute("region", "north\n")
        .with_attribute("size", 3)
        .with_attribute("starts", Date::new(2026, 11, 21).expect("a date"));
    assert_eq!(
        job.to_string(),
        "job(team: leeds, york; assignee: ; region = north\\n; size = 3; starts = 2026-11-21)"
    );
    assert_eq!(DynamicObject::new("job").to_string(), "job()");
    check(
        &Liar {
            kind: "job",
            relation: |subject| {
                let shown = format!("{subject:?}");
                let expected = "Subject { relation: ";
                (!shown.starts_with(expected)).then_some(RelationState::Me)
            },
            attribute: None,
        },
        "any",
    );
}

/// An object that answers the same whatever it is asked.
struct Liar {
    kind: &'static str,
    relation: fn(&Subject<'_>) -> Option<RelationState>,
    attribute: Option<Value<'static>>,
}

impl Object for Liar {
    fn kind(&self) -> &str {
        self.kind
    }
    fn relation(&self, _: &str, subject: &Subject<'_>) -> Option<RelationState> {
        (self.relation)(subject)
    }
    fn attribute(&self, _: &str) -> Option<Value<'_>> {
        self.attribute
    }
}

#[test]
fn an_object_that_answers_wrongly_in_kind_or_type_is_denied() {
    let none: fn(&Subject<'_>) -> Option<RelationState> = |_| None;
    let users: fn(&Subject<'_>) -> Option<RelationState> = |subject| subject.users([u64::MAX]);
    let groups: fn(&Subject<'_>) -> Option<RelationState> =
        |subject| subject.groups([DisplayId(Uuid(0xff))]);
    let liar = |kind, relation, attribute| Liar { kind, relation, attribute };

    for kind in ["order", "planet", "", "Job", "job ", "job\0"] {
        check(&liar(kind, users, Some(Value::Integer(1))), "");
    }
    // A relation to users that is asked for groups has no state, and the other
    // way round.
    check(&liar("job", users, None), "mine watched any");
    check(&liar("job", groups, None), "teams any");
    check(&liar("job", none, None), "any");

    for (value, passes) in [
        (Value::Text("north"), "near any"),
        (Value::Text("10"), "any"),
        (Value::Text("2026-11-21"), "soon any"),
        (Value::Text("2026-11-21T00:00"), "any"),
        (Value::Text("2026-02-30"), "any"),
        (Value::Integer(10), "small any"),
        (Value::Integer(20_261_121), "any"),
        (Value::Other, "any"),
    ] {
        check(&liar("job", none, Some(value)), passes);
    }
    let date = Value::Date(Date::new(2026, 11, 21).expect("a date"));
    check(&liar("job", none, Some(date)), "soon any");
}

/// An object that is of another kind each time it is asked.
struct Fickle(Cell<usize>);

impl Object for Fickle {
    fn kind(&self) -> &str {
        self.0.set(self.0.get() + 1);
        ["order", "job", "planet"][self.0.get() % 3]
    }
    fn relation(&self, _: &str, _: &Subject<'_>) -> Option<RelationState> {
        None
    }
    fn attribute(&self, _: &str) -> Option<Value<'_>> {
        Some([Value::Other, Value::Integer(0)][self.0.get() % 2])
    }
}

#[test]
fn an_object_that_changes_its_mind_does_no_harm() {
    let engine = engine(document(JOBS));
    let fickle = Fickle(Cell::new(0));
    let user = engine.user("18446744073709551615").expect("a user");
    for _ in 0..10 {
        for key in ACTIONS {
            let action = engine.permission(key).expect("a permission");
            let can = engine.can(user, action, &fickle);
            assert!(!can || ["near", "small", "soon", "any"].contains(&key), "{key}");
            engine.why(user, action, &fickle);
            engine.who_can(action, &fickle);
            engine.check("nobody", key, &fickle).unwrap_or_default();
        }
    }
}

#[test]
fn an_id_of_any_length_is_compared_whole() {
    let long = "x".repeat(200);
    let mut document = document(
        r#""catalogue": {"objects": {"k": {"relations": {"r": "user"}}},
        "permissions": [{"key": "a", "object": "k", "scopes": [{"key": "s", "when": {"r": "me"}}]}]}"#,
    );
    let mut user = UserEntry::default();
    user.statements.allow.push("a".into());
    for len in [63, 64, 65, 200] {
        document.users.push(&long[..len], user.clone());
    }
    let engine = engine(document);
    let a = engine.permission("a").expect("a permission");
    struct Named(String);
    impl Object for Named {
        fn kind(&self) -> &str {
            "k"
        }
        fn relation(&self, _: &str, subject: &Subject<'_>) -> Option<RelationState> {
            subject.users([DisplayId(&self.0)])
        }
        fn attribute(&self, _: &str) -> Option<Value<'_>> {
            None
        }
    }
    for len in [63, 64, 65, 200] {
        assert_eq!(engine.who_can(a, &Named(long[..len].to_owned())), [&long[..len]]);
    }
    assert!(engine.who_can(a, &Named("é".repeat(100))).is_empty());
}

/// An id that can't be displayed is nobody's.
#[test]
fn an_id_that_fails_to_display_is_nobodys() {
    struct Broken;
    impl fmt::Display for Broken {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    let relation = |subject: &Subject<'_>| subject.users([DisplayId(Broken)]);
    let engine = engine(document(JOBS));
    let user = engine.user("18446744073709551615").expect("a user");
    let mine = engine.permission("mine").expect("a permission");
    assert!(!engine.can(user, mine, &Liar { kind: "job", relation, attribute: None }));
}

// Handles.

const TEAM: &str = r#""catalogue": {"settings": {"s": {}}, "permissions": [
    {"key": "a"}, {"key": "b"}, {"key": "g", "levels": ["none", "some", "all"]}, {"key": "c"}]},
  "users": {
    "alice": {"allow": ["a"], "levels": {"g": "some"}, "settings": {"s": 1}},
    "bob": {"allow": ["b"]}, "carol": {"allow": ["c"]}, "root": {"admin": true}}"#;

/// What a user may do by these handles, `level` and all.
fn held(engine: &Engine, user: grantree::User, actions: &[Permission]) -> Vec<bool> {
    let can: Vec<bool> = actions.iter().map(|&action| engine.can(user, action, ())).collect();
    for (&action, &can) in actions.iter().zip(&can) {
        assert_eq!(engine.can_some(user, action), can);
        assert_eq!(engine.why(user, action, ()).allowed(), can);
    }
    can
}

fn handles(engine: &Engine) -> ([grantree::User; 4], [Permission; 5]) {
    let users = ["alice", "bob", "carol", "root"];
    let actions = ["a", "b", "g:some", "g:all", "c"];
    (
        users.map(|name| engine.user(name).expect("a user")),
        actions.map(|name| engine.permission(name).expect("a permission")),
    )
}

const ALICE: [bool; 5] = [true, false, true, false, false];
const BOB: [bool; 5] = [false, true, false, false, false];
const CAROL: [bool; 5] = [false, false, false, false, true];
const NOTHING: [bool; 5] = [false; 5];

#[test]
fn a_clone_of_an_engine_is_the_engine() {
    let engine = engine(document(TEAM));
    let ([alice, bob, ..], actions) = handles(&engine);
    let clone = engine.clone();
    drop(engine);
    assert_eq!(held(&clone, alice, &actions), ALICE);
    assert_eq!(held(&clone, bob, &actions), BOB);
    assert_eq!(clone.user("alice"), Ok(alice));
    assert_eq!(clone.level(alice, actions[2], ()), Some("some"));
    // And so is another engine of the same policy.
    let again = Engine::new(clone.policy());
    assert_eq!(held(&again, alice, &actions), ALICE);
}

#[test]
fn handles_outlive_a_revision_by_name() {
    let policy = policy(document(TEAM));
    let (users, actions) = handles(&Engine::new(&policy));
    let [alice, bob, carol, root] = users;

    // Everything is elsewhere, bob and `a` are gone, and dora is new.
    let mut document = Document::from(&policy);
    document.catalogue.permissions.reverse();
    document.catalogue.permissions.retain(|permission| permission.key != "a");
    document.users = document.users.into_iter().rev().collect();
    document.users.retain(|name, _| name != "bob");
    document.users.get_mut("alice").expect("alice").statements.allow.clear();
    document.users.push("dora", UserEntry { admin: true, ..UserEntry::default() });
    let second = policy.revise(document).expect("a policy").policy;
    let engine = Engine::new(&second);
    assert_eq!(held(&engine, alice, &actions), [false, false, true, false, false]);
    assert_eq!(held(&engine, carol, &actions), CAROL);
    assert_eq!(held(&engine, root, &actions), [false, true, true, true, true]);
    assert_eq!(held(&engine, bob, &actions), NOTHING);
    assert_eq!(engine.why(bob, actions[1], ()).code(), "unknown_user");
    assert!(engine.effective(bob).is_empty());
    assert_eq!(engine.setting(bob, "s"), Ok(None));
    assert!(engine.who_can(actions[0], ()).is_empty());
    assert_eq!(engine.level(alice, actions[3], ()), Some("some"));
    assert!(engine.user("bob").is_err() && engine.permission("a").is_err());
    assert_eq!(engine.user("alice"), Ok(alice));
    assert_eq!(engine.permission("g:all"), Ok(actions[3]));
    let dora = engine.user("dora").expect("dora");
    assert!(!users.contains(&dora));
    // The engine before does not know her.
    assert_eq!(held(&Engine::new(&policy), dora, &actions), NOTHING);

    // A permission that comes back has its former handle; a user who comes back is
    // somebody else.
    let third = second.revise(Document::from(&policy)).expect("a policy").policy;
    let engine = Engine::new(&third);
    let ([alice_again, bob_again, ..], actions_again) = handles(&engine);
    assert_eq!((alice_again, actions_again), (alice, actions));
    assert_eq!(held(&engine, alice, &actions), ALICE);
    assert_eq!(held(&engine, bob_again, &actions), BOB);
    assert_eq!(held(&engine, bob, &actions), NOTHING);
    assert_eq!(held(&engine, dora, &actions), NOTHING);
}

#[test]
fn a_level_that_is_gone_is_none() {
    let policy = policy(document(
        r#""catalogue": {"permissions": [{"key": "g", "levels": ["none", "all"]}, {"key": "h", "levels": ["off", "on"]}]},
           "users": {"alice": {"levels": {"g": "all"}}}"#,
    ));
    let engine = Engine::new(&policy);
    let (alice, h) = (engine.user("alice").expect("alice"), engine.permission("h").expect("h"));
    let mut document = Document::from(&policy);
    document.catalogue.permissions.pop();
    let next = policy.revise(document.clone()).expect("a policy").policy;
    assert_eq!(Engine::new(&next).level(alice, h, ()), None);
    document.catalogue.permissions.clear();
    document.users.get_mut("alice").expect("alice").statements.levels = Default::default();
    let last = next.revise(document).expect("a policy").policy;
    assert_eq!(Engine::new(&last).level(alice, h, ()), None);
}

#[test]
fn a_permission_that_is_gone_is_nobodys_in_assignments_too() {
    let policy = policy(document(
        r#""catalogue": {"permissions": [{"key": "g"}, {"key": "h"}]},
           "users": {"alice": {"assignments": {"x": {"allow": ["g"]}}}}"#,
    ));
    let engine = Engine::new(&policy);
    let (alice, h) = (engine.user("alice").expect("alice"), engine.permission("h").expect("h"));
    let g = engine.permission("g").expect("g");
    assert!(engine.can(alice, g, ()) && engine.can_some(alice, g) && !engine.can_some(alice, h));
    let mut document = Document::from(&policy);
    document.catalogue.permissions.pop();
    let next = Engine::new(&policy.revise(document).expect("a policy").policy);
    assert!(next.can(alice, g, ()) && next.can_some(alice, g));
    assert!(!next.can(alice, h, ()) && !next.can_some(alice, h));
    assert_eq!(next.can_actions(alice, &[g, h], ()), [true, false]);
    assert_eq!(next.why(alice, h, ()).code(), "unknown_permission");
    assert_eq!(next.filter(alice, h, ()).to_string(), "nothing");
    assert!(next.who_can(h, ()).is_empty());
}

#[test]
fn handles_of_another_policy_are_nobodys() {
    let ours = engine(document(TEAM));
    // Their numbers are the same.
    let theirs = engine(document(TEAM));
    let ((our_users, our_actions), (their_users, their_actions)) =
        (handles(&ours), handles(&theirs));
    assert_eq!(held(&ours, our_users[0], &our_actions), ALICE);
    for (ours_at, theirs_at) in our_users.into_iter().zip(their_users) {
        assert_ne!(ours_at, theirs_at);
        assert_eq!(held(&ours, theirs_at, &our_actions), NOTHING);
        assert_eq!(held(&ours, ours_at, &their_actions), NOTHING);
        assert_eq!(held(&ours, theirs_at, &their_actions), NOTHING);
        assert!(ours.effective(theirs_at).is_empty());
        assert_eq!(ours.level(theirs_at, our_actions[2], ()), Some("none"));
        assert_eq!(ours.level(ours_at, their_actions[2], ()), None);
        assert_eq!(ours.setting(theirs_at, "s"), Ok(None));
        assert_eq!(ours.why(theirs_at, our_actions[0], ()).code(), "unknown_user");
    }
    for action in their_actions {
        assert!(ours.who_can(action, ()).is_empty());
    }
    // A policy made from another's document is another one.
    let copy = engine(Document::from(ours.policy()));
    assert_eq!(held(&copy, our_users[0], &our_actions), NOTHING);
}

/// Two versions that follow one policy are not versions of each other.
#[test]
fn handles_of_another_branch_are_nobodys() {
    let policy = policy(document(TEAM));
    let branch = |name: &str, allow: &str| {
        let mut document = Document::from(&policy);
        let mut user = UserEntry::default();
        user.statements.allow.push(allow.to_owned());
        document.users.push(name, user);
        Engine::new(&policy.revise(document).expect("a policy").policy)
    };
    let (with_dora, with_eve) = (branch("dora", "a"), branch("eve", "b"));
    let dora = with_dora.user("dora").expect("dora");
    let actions = handles(&with_eve).1;
    assert_eq!(held(&with_eve, dora, &actions), NOTHING);
    assert_eq!(held(&with_eve, dora, &handles(&with_dora).1), NOTHING);
}

// What a host passes between threads.

#[test]
fn what_hosts_keep_is_shared_between_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Engine>();
    check::<Policy>();
    check::<Document>();
    check::<grantree::User>();
    check::<Permission>();
    check::<grantree::Effective<'static>>();
    check::<grantree::Reason>();
    check::<grantree::Unknown>();
    check::<grantree::problem::Problems>();
    check::<grantree::problem::Problem>();
    check::<grantree::problem::ProblemKind>();
    check::<DynamicObject>();
    check::<Value<'static>>();
    check::<Date>();
    check::<grantree::DateError>();
    check::<grantree::policy_test::TestDocument>();
    check::<grantree::policy_test::Report>();
    check::<grantree::policy_test::RunError>();

    let engine = engine(document(TEAM));
    let (users, actions) = handles(&engine);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(held(&engine, users[0], &actions), ALICE));
        }
    });
}

/// An object that names a user and a group by number.
struct Numbered {
    owner: i128,
    team: u64,
}

impl Object for Numbered {
    fn kind(&self) -> &str {
        "o"
    }
    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
        match name {
            "owner" => subject.users([self.owner]),
            _ => subject.groups([self.team]),
        }
    }
    fn attribute(&self, _: &str) -> Option<Value<'_>> {
        None
    }
}

/// A number means the user or group with just those digits as its name, however many
/// groups a user has.
#[test]
fn a_number_is_its_decimal_form_and_no_other() {
    let names = ["0", "7", "10", "70", "07", "-7", "+7", "7 ", "18446744073709551616"];
    let users: Vec<String> = names.iter().map(|name| format!("{name:?}: {{}}")).collect();
    let groups = (1..=30).map(|at| format!(r#""{at}": {{"parent": "{}"}}"#, at / 2));
    let groups: Vec<String> = groups.collect();
    let engine = engine(document(&format!(
        r#""catalogue": {{
            "objects": {{"o": {{"relations": {{"owner": "user", "team": "group"}}}}}},
            "permissions": [
                {{"key": "own", "object": "o", "scopes": [{{"key": "s", "when": {{"owner": "me"}}}}]}},
                {{"key": "lead", "object": "o", "scopes": [{{"key": "s", "when": {{"team": "me"}}}}]}}]}},
        "global": {{"allow": ["**"]}}, "groups": {{{}}},
        "users": {{"all": {{"groups": ["0"]}}, "some": {{"groups": ["14", "15", "13"]}}, {}}}"#,
        groups.join(","),
        users.join(","),
    )));
    let (own, lead) = (engine.permission("own").unwrap(), engine.permission("lead").unwrap());
    for name in names {
        let user = engine.user(name).unwrap();
        for owner in [0, 7, 10, 70, 77, -7, i128::from(u64::MAX) + 1, i128::from(u64::MAX)] {
            let can = engine.can(user, own, &Numbered { owner, team: 0 });
            assert_eq!(can, owner.to_string() == name, "{owner} as {name:?}");
        }
    }
    let beneath = |group: u64, of: &[u64]| {
        std::iter::successors(Some(group), |&at| (at > 0).then_some(at / 2))
            .any(|at| of.contains(&at))
    };
    for team in 0..40 {
        let object = Numbered { owner: 0, team };
        let can = |user: &str| engine.can(engine.user(user).unwrap(), lead, &object);
        assert_eq!(can("all"), team <= 30, "{team}");
        assert_eq!(can("some"), team <= 30 && beneath(team, &[13, 14, 15]), "{team}");
        assert!(!can("7"));
    }
}

// What the tests are written with.

fn document(text: &str) -> Document {
    let text = format!("{{\"format\": 1, {text}}}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn policy(document: Document) -> Policy {
    Policy::try_from(document).unwrap_or_else(|problems| panic!("{problems}"))
}

fn engine(document: Document) -> Engine {
    Engine::new(&policy(document))
}

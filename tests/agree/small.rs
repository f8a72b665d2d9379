//! Every small policy: the engine answers as the oracle does.
//!
//! Where the other tests of this target judge random policies, these judge all there are,
//! up to a size, so that whatever takes two sources and an edge between two permissions to
//! show has nowhere to hide. [`catalogues`] enumerates trees of nodes that are headings,
//! plain, graded, checked on jobs, or scoped on jobs; "an edge" is one `requires` or
//! `implies` from any node or scope to any node, scope or threshold. A statement is an
//! allow, except, deny, forbid or level of any pattern that matches something.
//!
//! Of every user all is asked: `can`, `why`, `can_some`, `level` and `effective`; of every
//! policy each `who_can`. Where a permission is on jobs, it is asked too on jobs that are
//! the user's or another's, within the bounds and beyond them.
//!
//! | test | sources |
//! | --- | --- |
//! | `sources` | every source of one or two statements, in every place that a user's source can have: global, profile, role, included role, approval group, own. Law: a source is the exact statements of what it says of each permission, so one with an `except` is the one without what it leaves out |
//! | `pairs` | every pair of sources of one statement, in every two of those places |
//! | `carried` | every assignment of one or two statements of its own, or with a role or an approval group of one, beside every ordinary source of one statement or none, in every place |
//! | `terms` | every assignment of one statement, with bounds of its own or without, beside every ordinary source of one statement or none, as a profile and as the user's own; with each of some dates and each of some `on`; asked before, at, in and after the dates |
//!
//! Not covered: features, settings, several assignments of one user, `within`, and edges
//! where the table at the end has none. A plain run takes seconds; the full one goes
//! further:
//!
//! ```sh
//! cargo test --release --test agree -- --ignored all_that_is_small
//! ```

mod catalogues;

use std::ops::AddAssign;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use grantree::policy_test::{Answer, Question, Step, TestDocument};
use grantree::{Document, Policy};
use serde_json::{Value, json};

use catalogues::Form::{self, Checked, Graded, Heading, Plain, Scoped};
use catalogues::{Small, one, one_or_two, two, with_edges};
use support::oracle::Oracle;
use support::oracle::catalogue::{Catalogue, Form as Kind};
use support::oracle::source::{Said, said};

/// The number of cases examined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    catalogues: usize,
    policies: usize,
    users: usize,
    answers: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Counts) {
        self.catalogues += more.catalogues;
        self.policies += more.policies;
        self.users += more.users;
        self.answers += more.answers;
    }
}

/// A place that a source of a user can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Profile,
    Role,
    /// A role that says nothing includes it.
    Included,
    Group,
    Own,
}

use Place::{Group, Included, Own, Profile, Role};

const PLACES: [Place; 5] = [Profile, Role, Included, Group, Own];

/// Gives a user a source, by its number among the named ones.
fn give(user: &mut Value, place: Place, sources: &[Value], number: usize) {
    let mut push = |field: &str, name: String| match user[field].as_array_mut() {
        Some(list) => list.push(json!(name)),
        None => user[field] = json!([name]),
    };
    match place {
        Profile => user["profile"] = json!(number.to_string()),
        Role => push("roles", number.to_string()),
        Included => push("roles", format!("with {number}")),
        Group => push("approval_groups", number.to_string()),
        Own => add(user, &sources[number]),
    }
}

/// Adds the fields of a source to what has none of them.
fn add(holder: &mut Value, source: &Value) {
    for (field, said) in source.as_object().expect("a source") {
        holder[field] = said.clone();
    }
}

/// The policy with every source as a profile, a role, an included role and an approval
/// group.
fn with_named(policy: &Value, sources: &[Value]) -> Value {
    let mut policy = policy.clone();
    for (number, source) in sources.iter().enumerate() {
        let name = number.to_string();
        for field in ["profiles", "roles", "approval_groups"] {
            policy[field][&name] = source.clone();
        }
        policy["roles"][format!("with {number}")] = json!({"includes": [name]});
    }
    policy
}

/// The policy with statements of its global source.
fn with_global(policy: &Value, source: &Value) -> Value {
    let mut policy = policy.clone();
    add(&mut policy["global"], source);
    policy
}

/// The policy with numbered users.
fn with_users(policy: &Value, users: impl IntoIterator<Item = Value>) -> Value {
    let mut policy = policy.clone();
    policy["users"] = users
        .into_iter()
        .enumerate()
        .map(|(number, user)| (number.to_string(), user))
        .collect::<serde_json::Map<_, _>>()
        .into();
    policy
}

/// An object and a day to ask about.
#[derive(Clone, Copy)]
struct Asked {
    /// The job's assignee, where the user stands for `None`, and its cost.
    job: Option<(Option<&'static str>, i64)>,
    today: Option<&'static str>,
}

const NOTHING: Asked = Asked { job: None, today: None };

/// The jobs that differ in what scopes, the terms and bounds here ask of them.
const JOBS: [(Option<&str>, i64); 4] = [(None, 5), (None, 6), (Some("else"), 5), (Some("else"), 9)];

impl Asked {
    /// Without an object, and on every job if anything is on jobs.
    fn of(small: &Small, today: Option<&'static str>) -> Vec<Asked> {
        let jobs = JOBS.iter().filter(|_| small.on_jobs);
        let on_jobs = jobs.map(|&job| Asked { job: Some(job), today });
        [Asked { job: None, today }].into_iter().chain(on_jobs).collect()
    }

    fn fill(self, question: &mut Value, user: &str) {
        if let Some((assignee, cost)) = self.job {
            question["object"] = json!({
                "kind": "job",
                "relations": {"assignee": [assignee.unwrap_or(user)]},
                "attributes": {"cost": cost}});
        }
        if let Some(today) = self.today {
            question["today"] = json!(today);
        }
    }
}

/// Asks the engine and the oracle everything about every user.
fn agree(small: &Small, policy: &Value, asked: &[Asked], counts: &mut Counts) -> TestDocument {
    let oracle = Oracle::new(policy);
    let mut steps = Vec::new();
    let mut ask = |step: Value| {
        let expect = oracle.ask(&step);
        // Who may is granted, and nobody else: here is no admin.
        if let Some(question) = step.get("why") {
            steps.push(read(json!({"can": question}), json!(expect == "granted")));
        }
        steps.push(read(step, expect));
    };
    let users = policy["users"].as_object().expect("users");
    for (name, user) in users {
        ask(json!({"effective": {"user": name}}));
        if user.get("assignments").is_some() {
            ask(json!({"effective": {"user": name, "assignment": "x"}}));
        }
        for action in &small.actions {
            ask(json!({"can_some": {"user": name, "action": action}}));
        }
        for asked in asked {
            let about = |mut question: Value| {
                asked.fill(&mut question, name);
                question
            };
            for action in &small.actions {
                ask(json!({"why": about(json!({"user": name, "action": action}))}));
            }
            for path in &small.graded {
                ask(json!({"level": about(json!({"user": name, "permission": path}))}));
            }
        }
    }
    for action in &small.actions {
        ask(json!({"who_can": {"action": action}}));
        for asked in asked.iter().filter(|asked| asked.job.is_some()) {
            let mut question = json!({"action": action});
            asked.fill(&mut question, "0");
            ask(json!({"who_can": question}));
        }
    }
    let document = TestDocument { policy: None, steps };
    run(&document, policy);
    counts.policies += 1;
    counts.users += users.len();
    counts.answers += document.steps.len();
    document
}

fn read(question: Value, expect: Value) -> Step {
    let question: Question = serde_json::from_value(question).expect("a question");
    Step { question, expect: serde_json::from_value::<Answer>(expect).expect("an answer") }
}

fn run(document: &TestDocument, policy: &Value) {
    let read: Document = serde_json::from_value(policy.clone()).expect("a document");
    let read = Policy::try_from(read).expect("a policy");
    let report = document.run(Some(&read)).expect("a policy");
    if let Some(failure) = report.failures.first() {
        let question = serde_json::to_value(&failure.question).expect("JSON");
        let user = question.as_object().and_then(|it| it.values().next()?["user"].as_str());
        panic!("{failure}\n{}", alone(policy, user));
    }
}

/// The policy with one user and the sources that are named by the user, for a message.
fn alone(policy: &Value, user: Option<&str>) -> Value {
    let Some(name) = user else { return policy.clone() };
    let mut policy = policy.clone();
    let user = policy["users"][name].clone();
    let text = user.to_string();
    policy["users"] = json!({name: user});
    for field in ["profiles", "roles", "approval_groups"] {
        if let Some(sources) = policy[field].as_object_mut() {
            sources.retain(|name, _| {
                let with = name.strip_prefix("with ").unwrap_or(name);
                [with.to_owned(), format!("with {with}")]
                    .iter()
                    .any(|name| text.contains(&format!("\"{name}\"")))
            });
        }
    }
    policy
}

/// Rule 1: every source of at most two statements, in every place.
fn sources(small: &Small, counts: &mut Counts) {
    let all = small.sources_of_two();
    let catalogue = Catalogue::new(&small.policy);
    let exact: Vec<Value> = all.iter().map(|source| exactly(&catalogue, source)).collect();
    let users =
        || PLACES.into_iter().flat_map(|place| (0..all.len()).map(move |number| (place, number)));
    let made = |sources: &[Value]| {
        let users = users().map(|(place, number)| {
            let mut user = json!({});
            give(&mut user, place, sources, number);
            user
        });
        with_users(&with_named(&small.policy, sources), users)
    };
    let asked = Asked::of(small, None);
    let expected = agree(small, &made(&all), &asked, counts);
    run(&expected, &made(&exact));
    for (source, exact) in all.iter().zip(&exact) {
        let global = |source| with_users(&with_global(&small.policy, source), [json!({})]);
        let expected = agree(small, &global(source), &asked, counts);
        run(&expected, &global(exact));
    }
}

/// The exact statements of what a source says of each permission, and its forbids.
fn exactly(catalogue: &Catalogue, source: &Value) -> Value {
    let (mut allow, mut deny, mut levels) = (Vec::new(), Vec::new(), json!({}));
    for path in catalogue.grantable() {
        let node = catalogue.node(path);
        match said(catalogue, source, path) {
            Some(Said::Deny) => deny.push(path),
            Some(Said::Level(level)) if node.form == Kind::Graded => {
                levels[path] = json!(node.levels[level]);
            }
            Some(Said::Level(_)) => allow.push(path),
            None => {}
        }
    }
    let forbid = source.get("forbid").cloned().unwrap_or_else(|| json!([]));
    json!({"allow": allow, "deny": deny, "levels": levels, "forbid": forbid})
}

/// Rules 2 to 5: every pair of sources of one statement, in every two places.
fn pairs(small: &Small, counts: &mut Counts) {
    let all = small.sources_of_one();
    let asked = Asked::of(small, None);
    let numbers = || (0..all.len()).flat_map(|one| (0..all.len()).map(move |two| (one, two)));
    let mut policy = with_named(&small.policy, &all);
    let mut users = Vec::new();
    for (at, upper) in PLACES.into_iter().enumerate() {
        // Two roles or groups, in either order; there is one profile, and one own source.
        let is_single = matches!(upper, Profile | Own);
        for &lower in &PLACES[at + usize::from(is_single)..] {
            for (one, two) in numbers() {
                let mut user = json!({});
                give(&mut user, upper, &all, one);
                give(&mut user, lower, &all, two);
                users.push(user);
            }
        }
    }
    for (one, two) in numbers() {
        let name = format!("{one} with {two}");
        policy["roles"][&name] = all[one].clone();
        policy["roles"][&name]["includes"] = json!([two.to_string()]);
        users.push(json!({"roles": [name]}));
    }
    agree(small, &with_users(&policy, users), &asked, counts);

    for global in &all {
        let policy = with_named(&with_global(&small.policy, global), &all);
        let users = PLACES.into_iter().flat_map(|place| {
            let all = &all;
            (0..all.len()).map(move |number| {
                let mut user = json!({});
                give(&mut user, place, all, number);
                user
            })
        });
        agree(small, &with_users(&policy, users), &asked, counts);
    }
}

/// An ordinary source beside an assignment: none, or one of those by number in a place.
fn ordinary<'a>(places: &'a [Place], all: &'a [Value]) -> impl Iterator<Item = Value> + 'a {
    let each = places.iter().flat_map(move |&place| {
        (0..all.len()).map(move |number| {
            let mut user = json!({});
            give(&mut user, place, all, number);
            user
        })
    });
    [json!({})].into_iter().chain(each)
}

/// The part of the cases that is examined, where all of them take long.
#[derive(Clone, Copy)]
enum Extent {
    Some,
    All,
}

/// Rule 9 without terms: every assignment beside every ordinary source. Some of them are
/// those of one statement, beside sources whose place is not like another.
fn carried(small: &Small, extent: Extent, counts: &mut Counts) {
    let all = small.sources_of_one();
    let policy = with_named(&small.policy, &all);
    let (mut assignments, places) = match extent {
        Extent::Some => (all.clone(), &[Profile, Role, Own][..]),
        Extent::All => (small.sources_of_two(), &PLACES[..]),
    };
    for place in [Role, Included, Group] {
        assignments.extend(ordinary(&[place], &all).skip(1));
    }
    let assigned = |mut user: Value, assignment: &Value| {
        user["assignments"] = json!({"x": assignment});
        user
    };
    let users = ordinary(places, &all)
        .flat_map(|user| assignments.iter().map(move |it| assigned(user.clone(), it)));
    agree(small, &with_users(&policy, users), &[NOTHING], counts);
    for global in &all {
        let users = assignments.iter().map(|it| assigned(json!({}), it));
        agree(small, &with_users(&with_global(&policy, global), users), &[NOTHING], counts);
    }
}

/// Dates of an assignment, by their fields, and days on which to ask.
type Dates = (&'static [(&'static str, &'static str)], &'static [Option<&'static str>]);

/// The dates of an assignment, each with the days before, at, in and after.
const DATES: [Dates; 4] = [
    (&[], &[None]),
    (
        &[("from", "2026-12-01")],
        &[None, Some("2026-11-30"), Some("2026-11-30T23:59:59"), Some("2026-12-01")],
    ),
    (
        &[("until", "2026-12-24T18:00")],
        &[
            Some("2026-12-23"),
            Some("2026-12-24"),
            Some("2026-12-24T17:59:59"),
            Some("2026-12-24T18:00"),
        ],
    ),
    (
        &[("from", "2026-12-01T09:00"), ("until", "2026-12-01")],
        &[Some("2026-12-01"), Some("2026-12-01T09:00"), Some("2026-12-02T00:00")],
    ),
];

/// Rule 9: every assignment of one statement, with every terms. Some of them are those with
/// dates or an `on`, not both.
fn terms(small: &Small, extent: Extent, counts: &mut Counts) {
    let all = small.sources_of_one();
    let policy = with_named(&small.policy, &all);
    let on = [
        json!({}),
        json!({"on": {"job": {}}}),
        json!({"on": {"job": {"assignee": ["else"]}}}),
        json!({"on": {"job": {"cost": 5}}}),
        json!({"on": {"*": {"cost": "any"}}}),
    ];
    let bounds = [json!({}), json!({"bounds": {"job.cost": 8}})];
    for (dates, days) in DATES {
        let asked = days.iter().flat_map(|&today| Asked::of(small, today));
        let asked: Vec<Asked> = asked.collect();
        let is_short = matches!(extent, Extent::Some) && !dates.is_empty();
        let on = if is_short { &on[..1] } else { &on };
        let bounds = if is_short || !small.on_jobs { &bounds[..1] } else { &bounds };
        let mut users = Vec::new();
        for (on, bounds) in on.iter().flat_map(|on| bounds.iter().map(move |it| (on, it))) {
            for source in &all {
                let mut assignment = source.clone();
                add(&mut assignment, on);
                add(&mut assignment, bounds);
                for &(field, date) in dates {
                    assignment[field] = json!(date);
                }
                for mut user in ordinary(&[Profile, Own], &all) {
                    user["assignments"] = json!({"x": assignment});
                    users.push(user);
                }
            }
        }
        agree(small, &with_users(&policy, users), &asked, counts);
    }
}

/// Checks every one of these policies that is valid, on this many threads, and returns how
/// much that was.
fn every(
    threads: usize,
    what: &str,
    policies: &[Value],
    check: impl Fn(&Small, &mut Counts) + Sync,
) -> Counts {
    let started = Instant::now();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Counts::default()));
    let work = || {
        while let Some(policy) = policies.get(next.fetch_add(1, Ordering::Relaxed)) {
            let document: Document = serde_json::from_value(policy.clone()).expect("a document");
            if Policy::try_from(document).is_err() {
                continue;
            }
            let mut counts = Counts { catalogues: 1, ..Counts::default() };
            check(&Small::new(policy.clone()), &mut counts);
            *done.lock().expect("no other has failed") += counts;
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        work();
        others.into_iter().for_each(|other| other.join().expect("no other has failed"));
    });
    let counts = done.into_inner().expect("none has failed");
    println!("{what}: {counts:?}, {:.1} s", started.elapsed().as_secs_f32());
    counts
}

/// The numbers of catalogues, policies, users and answers.
fn told(counts: Counts) -> [usize; 4] {
    [counts.catalogues, counts.policies, counts.users, counts.answers]
}

const ALL: [Form; 5] = [Heading, Plain, Graded, Checked, Scoped];
const MOST: [Form; 4] = [Heading, Plain, Graded, Checked];
const FEW: [Form; 3] = [Plain, Graded, Checked];

const REQUIRES: &[&str] = &["requires"];
const IMPLIES: &[&str] = &["implies"];

fn some(check: fn(&Small, Extent, &mut Counts)) -> impl Fn(&Small, &mut Counts) + Sync {
    move |small, counts| check(small, Extent::Some, counts)
}

fn all(check: fn(&Small, Extent, &mut Counts)) -> impl Fn(&Small, &mut Counts) + Sync {
    move |small, counts| check(small, Extent::All, counts)
}

// A permission that implies itself is as one that implies nothing, so that a plain run of
// two nodes with an edge is one without, too.

#[test]
fn small_sources_agree() {
    let done = [
        every(1, "sources, 1 node", &one(&MOST), sources),
        every(1, "sources, 2 nodes", &two(&[Heading, Plain]), sources),
        every(1, "sources, requires", &with_edges(&two(&[Plain]), REQUIRES), sources),
        every(1, "sources, implies", &with_edges(&two(&[Plain]), IMPLIES), sources),
    ];
    let expected = [
        [4, 670, 3_996, 33_580],
        [8, 1_332, 7_944, 46_522],
        [3, 1_009, 6_036, 44_270],
        [8, 2_832, 16_944, 124_272],
    ];
    assert_eq!(done.map(told), expected);
}

#[test]
fn small_pairs_agree() {
    let done = [
        every(1, "pairs, 1 node", &one(&FEW), pairs),
        every(1, "pairs, implies", &with_edges(&two(&[Plain]), IMPLIES), pairs),
    ];
    assert_eq!(done.map(told), [[3, 63, 24_624, 197_152], [8, 216, 103_360, 723_952]]);
}

#[test]
fn small_assignments_agree() {
    let done = [
        every(1, "carried, 1 node", &one(&[Plain, Checked]), all(carried)),
        every(1, "carried, graded", &one(&[Graded]), some(carried)),
        every(1, "carried, implies", &with_edges(&two(&[Plain]), IMPLIES), some(carried)),
    ];
    let expected = [[2, 34, 35_696, 178_514], [1, 29, 12_656, 113_962], [8, 216, 87_872, 703_408]];
    assert_eq!(done.map(told), expected);
}

#[test]
fn small_terms_agree() {
    let done = every(1, "terms", &one(&[Plain, Checked]), some(terms));
    assert_eq!(told(done), [2, 8, 11_088, 161_096]);
}

#[test]
#[ignore = "takes minutes, and an optimised build"]
fn all_that_is_small() {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let edges = [REQUIRES, IMPLIES].concat();
    let done = [
        every(threads, "terms", &one(&ALL), all(terms)),
        every(threads, "terms, 2 nodes", &two(&[Plain, Checked]), some(terms)),
        every(threads, "carried, 1 node", &one(&ALL), all(carried)),
        every(threads, "carried, an edge", &with_edges(&two(&[Plain]), &edges), some(carried)),
        every(threads, "carried, 2 nodes", &two(&FEW), some(carried)),
        every(threads, "pairs, 1 node", &one(&ALL), pairs),
        every(threads, "pairs, an edge", &with_edges(&two(&[Plain]), &edges), pairs),
        every(threads, "pairs, 2 nodes", &two(&FEW), pairs),
        every(threads, "sources", &one_or_two(&ALL), sources),
        every(threads, "sources, an edge", &with_edges(&two(&[Plain, Graded]), &edges), sources),
    ];
    let expected = [
        [5, 20, 168_720, 11_385_100],
        [8, 32, 130_284, 4_191_904],
        [5, 101, 284_436, 2_753_259],
        [11, 295, 119_152, 953_806],
        [18, 627, 349_428, 4_111_422],
        [5, 101, 49_248, 1_034_923],
        [11, 295, 140_144, 981_598],
        [18, 627, 412_053, 8_894_777],
        [55, 37_438, 224_298, 9_297_404],
        [66, 51_309, 307_458, 4_006_726],
    ];
    assert_eq!(done.map(told), expected);
}

//! Every small policy: the engine answers as the oracle does, and the laws hold.
//!
//! Where the other laws are held to random policies, these are held to all there
//! are, up to a size. A bug that takes two sources and an edge between three
//! permissions to show has nowhere to hide here.
//!
//! [`small`](support::small) enumerates catalogues: every tree of a number of nodes, each
//! of any of some forms, and between them every set of a number of edges, `requires`
//! and `implies`, from any node or scope to any node, scope or threshold, itself
//! included. If those make a cycle that the design forbids, the engine must refuse the
//! catalogue. Nothing is left out for symmetry.
//!
//! All questions are asked: `can`, `why`, `can_some` and `level` for every user and
//! permission, every `effective`, and every `who_can`.
//!
//! | what | sources and users | laws |
//! | --- | --- | --- |
//! | `one_source` | every source of at most two statements, of any pattern | a statement repeated changes nothing; granting never revokes, denying and forbidding never add |
//! | `two_sources` | every pair of sources of at most one statement, in every two places that a user's sources can have: global, profile, role, included role, approval group, the user's own | nor does it matter in what order sources of a tier are, whether a role, a group or an included role brings them, or that one is there twice |
//! | `whole_sources` | the same for sources that say anything, or nothing, about each permission by its path | the same |
//! | `closing` | every such source by itself | an admin holds all, a suspended user nothing; granting just what is effective makes just that effective, and granting it in addition changes nothing |
//! | `licences` | the same, for catalogues in which each node has a feature or not, licensed or not | a feature that lapses adds nothing, unless what lapses was implied |
//! | `clones` | every source of one statement | cloning it changes nobody, and the clone is as good |
//! | `objects` | every set of permissions allowed; the bound stated, `"any"` or absent; on every object that differs in what is asked of it; jobs with a check of their kind or without | `filter` matches where `can` says yes |
//!
//! So who says what about a permission (rules 1 to 3) is covered without edges, up to
//! four nodes; what follows (rules 4 and 5) with edges, on one source, which can have
//! whatever effect several have. With scopes, checks and kinds there are up to three
//! nodes. Settings, groups, dates, and bounds of several sources are not covered.
//!
//! How many nodes and edges is at the end. A plain run goes as far as seconds
//! allow. The full one takes twenty core-minutes, on all cores:
//!
//! ```sh
//! cargo test --release -- --ignored all_that_is_small
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::ops::AddAssign;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use grantree::Document;
use grantree::change::{Actor, Change};
use grantree::document::{Bound, Map, Role, Source, Statements, UserEntry};
use grantree::object::DynamicObject;
use grantree::policy_test::{Answer, Question};
use grantree::{Engine, Permission, Policy, SourceName};
use serde_json::{Value as Json, json};

use support::case::{ask, engine, json as text, value};
use support::oracle::Oracle;
use support::oracle::catalogue::{Catalogue, Form as Kind};
use support::small::Form::{self, Checked, Graded, Heading, OnJob, OnOrder, Plain, Scoped, Switch};
use support::small::{
    Edge, Statement, Tree, actions, edges, is_acyclic, layers, source, statements, subsets, trees,
    with_features,
};

/// How much of each was examined.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    catalogues: u64,
    policies: u64,
    users: u64,
    answers: u64,
    /// Comparisons by laws, each of all that a user holds.
    laws: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Counts) {
        self.catalogues += more.catalogues;
        self.policies += more.policies;
        self.users += more.users;
        self.answers += more.answers;
        self.laws += more.laws;
    }
}

/// Examines a tree with every set of at most this many edges.
type Check = fn(&Tree, usize, &mut Counts);

/// A run on this many threads.
struct Run {
    threads: usize,
}

impl Run {
    /// Checks every tree, and reports how many cases that was.
    fn every(&self, what: &str, trees: &[Tree], edges: usize, check: Check) {
        let started = Instant::now();
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Counts::default()));
        let work = || {
            while let Some(tree) = trees.get(next.fetch_add(1, Ordering::Relaxed)) {
                let mut counts = Counts::default();
                check(tree, edges, &mut counts);
                *done.lock().expect("no other has failed") += counts;
            }
        };
        thread::scope(|scope| {
            let others: Vec<_> = (1..self.threads).map(|_| scope.spawn(work)).collect();
            work();
            others.into_iter().for_each(|other| other.join().expect("no other has failed"));
        });
        let Counts { catalogues, policies, users, answers, laws } =
            done.into_inner().expect("none has failed");
        // Past what the test harness captures.
        writeln!(
            std::io::stderr(),
            "exhaustion, {what}: {catalogues} catalogues, {policies} policies, {users} users, \
             {answers} answers, {laws} by laws, {:.1} s",
            started.elapsed().as_secs_f32()
        )
        .expect("it is written");
    }
}

/// A catalogue, and what can be asked of it.
struct Small {
    /// With nobody in it.
    document: Document,
    actions: Vec<String>,
    graded: Vec<String>,
    /// All statements with one pattern.
    statements: Vec<Statement>,
    /// All statements with exact paths, permission by permission.
    layers: Vec<Vec<Statement>>,
}

/// What a user holds: a bit for each action.
type Held = u64;

impl Small {
    /// `None` where the design forbids the edges, as the engine then has to.
    fn new(tree: &Tree, edges: &[Edge], counts: &mut Counts) -> Option<Small> {
        let document = tree.document(edges);
        let catalogue = Catalogue::new(&value(&document));
        counts.catalogues += 1;
        let fine = is_acyclic(&catalogue);
        assert_eq!(Policy::try_from(document.clone()).is_ok(), fine, "{}", text(&document));
        fine.then(|| Small {
            actions: actions(&catalogue),
            graded: catalogue
                .nodes()
                .filter(|(_, node)| node.form == Kind::Graded)
                .map(|(path, _)| path.to_owned())
                .collect(),
            statements: statements(&catalogue),
            layers: layers(&catalogue),
            document: document.clone(),
        })
    }

    fn with_users(&self, users: impl IntoIterator<Item = (String, UserEntry)>) -> Document {
        let mut document = self.document.clone();
        document.users = users.into_iter().collect();
        document
    }

    fn permissions(&self, engine: &Engine) -> Vec<Permission> {
        let known = |action: &String| engine.permission(action).expect("a known permission");
        self.actions.iter().map(known).collect()
    }

    /// What each user holds, in the order of the document.
    fn held(&self, document: &Document, engine: &Engine) -> Vec<Held> {
        let permissions = self.permissions(engine);
        let users = document.users.iter().map(|(name, _)| {
            let user = engine.user(name).expect("a user of the document");
            let bit = |(at, &action)| Held::from(engine.can_some(user, action)) << at;
            permissions.iter().enumerate().map(bit).sum()
        });
        users.collect()
    }

    /// Statements that grant exactly this.
    fn granting(&self, held: Held) -> Statements {
        let catalogue = Catalogue::new(&value(&self.document));
        let mut source = Statements::default();
        for (at, action) in self.actions.iter().enumerate() {
            if held >> at & 1 == 0 {
                continue;
            }
            match action.split_once(':') {
                Some((path, level)) => {
                    source.levels.retain(|known, _| known != path);
                    source.levels.push(path, level.to_owned());
                }
                None if catalogue.node(action).form == Kind::Scoped => {}
                None => source.allow.push(action.clone()),
            }
        }
        source
    }

    /// Asks the engine and the oracle everything without an object. Returns what each
    /// user holds, in the order of the document.
    fn agree(&self, document: &Document, counts: &mut Counts) -> Vec<Held> {
        let engine = engine(document);
        let oracle = Oracle::new(&value(document));
        let permissions = self.permissions(&engine);
        counts.policies += 1;
        for (name, _) in document.users.iter() {
            counts.users += 1;
            let user = engine.user(name).expect("a user of the document");
            let mut agree = |step: Json, engine: Json| {
                counts.answers += 1;
                let oracle = oracle.ask(&step);
                assert!(
                    engine == oracle,
                    "{step}: the engine says {engine}, the oracle {oracle}, of {}",
                    text(&alone(document, name))
                );
            };
            for (action, &permission) in self.actions.iter().zip(&permissions) {
                let why = engine.why(user, permission, ());
                let can = engine.can(user, permission, ());
                assert_eq!(can, why.allowed(), "{action}, of {}", text(&alone(document, name)));
                let asked = json!({"user": name, "action": action});
                agree(json!({"can_some": asked}), engine.can_some(user, permission).into());
                agree(json!({"why": asked}), why.code().into());
            }
            for path in &self.graded {
                let permission = engine.permission(path).expect("a known permission");
                let level = engine.level(user, permission, ());
                agree(json!({"level": {"user": name, "permission": path}}), level.into());
            }
            let held = engine.effective(user);
            let held: Vec<String> = held.iter().map(ToString::to_string).collect();
            agree(json!({"effective": {"user": name}}), held.into());
        }
        for action in &self.actions {
            counts.answers += 1;
            let step = json!({"who_can": {"action": action}});
            let question: Question = serde_json::from_value(step.clone()).expect("a question");
            let oracle: Answer = serde_json::from_value(oracle.ask(&step)).expect("an answer");
            assert!(ask(&engine, &question) == oracle, "{question}");
        }
        self.held(document, &engine)
    }
}

impl Small {
    /// Asks the engine and the oracle everything, on every object.
    fn agree_on(&self, document: &Document, counts: &mut Counts) {
        self.agree(document, counts);
        let engine = engine(document);
        let oracle = Oracle::new(&value(document));
        let permissions = self.permissions(&engine);
        for (name, _) in document.users.iter() {
            let user = engine.user(name).expect("a user of the document");
            let objects = objects_seen_by(name);
            for (action, &permission) in self.actions.iter().zip(&permissions) {
                let filter = engine.filter(user, permission, None);
                for object in &objects {
                    let why = engine.why(user, permission, object);
                    let asked = json!({"user": name, "action": action, "object": object});
                    let question = json!({"why": asked});
                    counts.answers += 1;
                    let oracle = oracle.ask(&question);
                    assert!(
                        oracle == why.code(),
                        "{question}: the engine says {why}, the oracle {oracle}, of {}",
                        text(&alone(document, name))
                    );
                    assert_eq!(engine.can(user, permission, object), why.allowed(), "{question}");
                    assert_eq!(filter.matches(object), why.allowed(), "{question}: {filter}");
                    counts.laws += 2;
                }
            }
        }
    }
}

/// Every object that these policies may treat differently for a user.
fn objects_seen_by(user: &str) -> Vec<DynamicObject> {
    let mut all = vec![DynamicObject::new("order")];
    for assignee in [None, Some(&[][..]), Some(&["somebody"]), Some(&[user])] {
        for cost in [None, Some(5), Some(6)] {
            let mut job = DynamicObject::new("job");
            if let Some(names) = assignee {
                job = job.with_relation("assignee", names.iter().copied());
            }
            if let Some(cost) = cost {
                job = job.with_attribute("cost", cost);
            }
            all.push(job);
        }
    }
    all
}

/// The document with one user only, for a message.
fn alone(document: &Document, user: &str) -> Document {
    let mut document = document.clone();
    document.users.retain(|name, _| name == user);
    let (_, user) = document.users.iter().next().expect("a user");
    let (profile, roles) = (user.profile.clone(), user.roles.clone());
    let groups = user.approval_groups.clone();
    let included: Vec<String> = document
        .roles
        .iter()
        .filter(|(name, _)| roles.iter().any(|role| role == name))
        .flat_map(|(_, role)| role.includes.clone())
        .collect();
    document.profiles.retain(|name, _| profile.as_deref() == Some(name));
    document.roles.retain(|name, _| roles.iter().chain(&included).any(|role| role == name));
    document.approval_groups.retain(|name, _| groups.iter().any(|group| group == name));
    document
}

fn own(statements: Statements) -> UserEntry {
    UserEntry { statements, ..UserEntry::default() }
}

/// Checks the laws on what one more statement makes of what was held before.
fn one_more(statement: &Statement, before: Held, after: Held, counts: &mut Counts) {
    counts.laws += 1;
    match statement {
        Statement::Allow(_) => assert_eq!(before & !after, 0, "{statement:?} takes away"),
        Statement::Deny(_) | Statement::Forbid(_) => {
            assert_eq!(after & !before, 0, "{statement:?} adds");
        }
        // It may replace a higher level, or a lower one.
        Statement::Level(..) => {}
        // It may take an allow out, or a denial where an implication then fills the gap.
        Statement::Except(_) => {}
    }
}

/// Rule 1.
fn one_source(tree: &Tree, at_most: usize, counts: &mut Counts) {
    for edges in edge_sets(tree, at_most) {
        if let Some(small) = Small::new(tree, &edges, counts) {
            singles(&small, counts);
        }
    }
}

/// Every source of at most two statements.
fn singles(small: &Small, counts: &mut Counts) {
    let all = &small.statements;
    let mut pairs: Vec<(usize, usize)> = (0..all.len()).map(|at| (at, at)).collect();
    for first in 0..all.len() {
        pairs.extend((first + 1..all.len()).map(|second| (first, second)));
    }
    let users = pairs.iter().filter_map(|&(first, second)| {
        let mut said = Statements::default();
        let both = all[first].say(&mut said) && (first == second || all[second].say(&mut said));
        both.then(|| (format!("{first} {second}"), own(said)))
    });
    let document = small.with_users(users);
    let held = small.agree(&document, counts);

    // Users are in the order of the pairs, those with one statement first.
    for ((name, _), &both) in document.users.iter().zip(&held) {
        let (first, second) = name.split_once(' ').expect("two numbers");
        let number = |text: &str| text.parse::<usize>().expect("a number");
        let (first, second) = (number(first), number(second));
        one_more(&all[first], held[second], both, counts);
        one_more(&all[second], held[first], both, counts);
    }
    let mut repeated = document.clone();
    repeated.users = each_user(&document, |user| {
        user.statements.allow.extend_from_within(..);
        user.statements.except.extend_from_within(..);
        user.statements.deny.extend_from_within(..);
        user.statements.forbid.extend_from_within(..);
    });
    assert_eq!(small.held(&repeated, &engine(&repeated)), held);
    counts.laws += held.len() as u64;
}

fn each_user(document: &Document, change: impl Fn(&mut UserEntry)) -> Map<UserEntry> {
    let users = document.users.clone().into_iter();
    users
        .map(|(name, mut user)| {
            change(&mut user);
            (name, user)
        })
        .collect()
}

/// A place that a user's source can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Profile,
    Role,
    Group,
    Own,
}

/// Gives a user a source by its number, in a place.
fn give(user: &mut UserEntry, place: Place, number: usize, all: &[Statements]) {
    match place {
        Place::Profile => user.profile = Some(number.to_string()),
        Place::Role => user.roles.push(number.to_string()),
        Place::Group => user.approval_groups.push(number.to_string()),
        Place::Own => user.statements = all[number].clone(),
    }
}

/// Rules 2 and 3, and what follows from them by 4 and 5: every pair of these sources,
/// the first of which says nothing.
fn pairs(small: &Small, sources: &[Vec<Statement>], counts: &mut Counts) {
    use Place::{Group, Own, Profile, Role};
    let said: Vec<Statements> = sources.iter().map(|said| source(said)).collect();
    let mut document = small.document.clone();
    let named =
        |statements: &Statements| Source { statements: statements.clone(), ..Source::default() };
    let numbered = || said.iter().enumerate().map(|(at, said)| (at.to_string(), named(said)));
    document.profiles = numbered().collect();
    document.approval_groups = numbered().collect();
    document.roles = numbered().map(|(name, source)| (name, role(source, &[]))).collect();

    // The tiers above the global one. Within the role tier, in every order.
    let places = [
        (Own, Role),
        (Own, Group),
        (Own, Profile),
        (Role, Profile),
        (Group, Profile),
        (Role, Role),
        (Role, Group),
        (Group, Group),
    ];
    let mut users = Vec::new();
    for (of, (upper, lower)) in places.into_iter().enumerate() {
        for first in 0..said.len() {
            for second in 0..said.len() {
                let mut user = UserEntry::default();
                give(&mut user, upper, first, &said);
                give(&mut user, lower, second, &said);
                users.push((format!("{of} {first} {second}"), user));
            }
        }
    }
    document.users = users.into_iter().collect();
    let held = small.agree(&document, counts);
    let lesser = lesser(sources);
    let at = |of: usize, first: usize, second: usize| {
        held[(of * said.len() + first) * said.len() + second]
    };
    for first in 0..said.len() {
        for second in 0..said.len() {
            // Two roles, in either order; a role and a group; two groups.
            let both = at(5, first, second);
            let alike = [at(5, second, first), at(6, first, second), at(7, first, second)];
            assert_eq!(alike, [both; 3], "{:?} {:?}", sources[first], sources[second]);
            counts.laws += 3;
            if first == second {
                // The same once, beside a source that says nothing.
                assert_eq!(both, at(5, 0, first), "{:?}", sources[first]);
                counts.laws += 1;
            }
            for of in 0..places.len() {
                let both = at(of, first, second);
                for &(statement, less) in &lesser[first] {
                    one_more(statement, at(of, less, second), both, counts);
                }
                for &(statement, less) in &lesser[second] {
                    one_more(statement, at(of, first, less), both, counts);
                }
            }
        }
    }

    // Below them the global source, and beside them roles that include.
    for (first, global) in said.iter().enumerate() {
        let mut beneath = document.clone();
        beneath.global = global.clone();
        let mut users = Vec::new();
        for place in [Profile, Role, Group, Own] {
            for second in 0..said.len() {
                let mut user = UserEntry::default();
                give(&mut user, place, second, &said);
                users.push((format!("{place:?} {second}"), user));
            }
        }
        beneath.users = users.into_iter().collect();
        let over = small.agree(&beneath, counts);
        assert!(over.chunks(said.len()).all(|place| place == &over[..said.len()]));
        counts.laws += over.len() as u64;

        let mut including = document.clone();
        let mut users = Vec::new();
        for second in 0..said.len() {
            let name = format!("with-{second}");
            including.roles.push(&*name, role(named(global), &[second]));
            users.push((name.clone(), UserEntry { roles: vec![name], ..UserEntry::default() }));
        }
        including.users = users.into_iter().collect();
        for (second, both) in small.agree(&including, counts).into_iter().enumerate() {
            assert_eq!(both, at(5, first, second), "{:?} {:?}", sources[first], sources[second]);
            counts.laws += 1;
        }
    }
}

fn role(source: Source, includes: &[usize]) -> Role {
    Role { source, includes: includes.iter().map(usize::to_string).collect(), ..Role::default() }
}

/// The statements of each source, each with the number of the source that says all but
/// that one, if there is such a source.
fn lesser(sources: &[Vec<Statement>]) -> Vec<Vec<(&Statement, usize)>> {
    let numbers: BTreeMap<&[Statement], usize> =
        sources.iter().enumerate().map(|(at, said)| (&said[..], at)).collect();
    let less = |said: &'_ Vec<Statement>, at: usize| {
        let rest = [&said[..at], &said[at + 1..]].concat();
        numbers.get(&rest[..]).copied()
    };
    sources
        .iter()
        .map(|said| {
            let each = said.iter().enumerate();
            each.filter_map(|(at, statement)| Some((statement, less(said, at)?))).collect()
        })
        .collect()
}

/// Every pair of sources of at most one statement.
fn two_sources(tree: &Tree, at_most: usize, counts: &mut Counts) {
    for edges in edge_sets(tree, at_most) {
        let Some(small) = Small::new(tree, &edges, counts) else { continue };
        let mut sources = vec![Vec::new()];
        sources.extend(small.statements.iter().map(|said| vec![said.clone()]));
        pairs(&small, &sources, counts);
    }
}

/// Every pair of sources that say something about any permissions, by their paths.
fn whole_sources(tree: &Tree, at_most: usize, counts: &mut Counts) {
    for edges in edge_sets(tree, at_most) {
        let Some(small) = Small::new(tree, &edges, counts) else { continue };
        pairs(&small, &small.layers, counts);
    }
}

fn edge_sets(tree: &Tree, at_most: usize) -> Vec<Vec<Edge>> {
    subsets(&edges(&Catalogue::new(&value(&tree.document(&[])))), at_most)
}

/// Rules 4 to 6: what becomes of all that can be said about each permission.
fn closing(tree: &Tree, at_most: usize, counts: &mut Counts) {
    for edges in edge_sets(tree, at_most) {
        if let Some(small) = Small::new(tree, &edges, counts) {
            close(&small, counts);
        }
    }
}

fn close(small: &Small, counts: &mut Counts) -> Vec<Held> {
    let layers = &small.layers;
    let users = layers.iter().map(|layer| own(source(layer)));
    let users = || users.clone().enumerate().map(|(at, user)| (at.to_string(), user));
    // Two more users: an admin about whom nothing is said, and a suspended one.
    let admin = || ("admin".to_owned(), UserEntry { admin: true, ..UserEntry::default() });
    let suspended = UserEntry { suspended: true, ..UserEntry::default() };
    let others = [admin(), ("suspended".to_owned(), suspended)];
    let document = small.with_users(users().chain(others));
    let mut held = small.agree(&document, counts);
    let all = held[layers.len()];
    held.truncate(layers.len());
    for (lesser, &held_by) in lesser(layers).iter().zip(&held) {
        for &(statement, less) in lesser {
            one_more(statement, held[less], held_by, counts);
        }
    }

    let admins = users().map(|(name, user)| (name, UserEntry { admin: true, ..user }));
    let admins = small.with_users(admins);
    assert!(small.held(&admins, &engine(&admins)).iter().all(|top| *top == all));
    assert!(held.iter().all(|held| held & !all == 0));
    let suspended = users().map(|(name, user)| (name, UserEntry { suspended: true, ..user }));
    let suspended = small.with_users(
        suspended
            .chain([admin()].map(|(name, admin)| (name, UserEntry { suspended: true, ..admin }))),
    );
    assert!(small.held(&suspended, &engine(&suspended)).iter().all(|bottom| *bottom == 0));
    counts.laws += 2 * layers.len() as u64;

    let distinct: BTreeSet<Held> = held.iter().copied().collect();
    let just = distinct.iter().map(|&held| (held.to_string(), own(small.granting(held))));
    let just = small.with_users(just);
    assert!(small.held(&just, &engine(&just)).iter().eq(&distinct), "{}", text(&just));
    let mut besides = small.document.clone();
    let roles = layers.iter().zip(&held).enumerate();
    for (at, (layer, &held)) in roles {
        let statements = source(layer);
        besides.roles.push(at.to_string(), role(Source { statements, ..Source::default() }, &[]));
        let user = UserEntry { roles: vec![at.to_string()], ..own(small.granting(held)) };
        besides.users.push(at.to_string(), user);
    }
    assert_eq!(small.held(&besides, &engine(&besides)), held, "{}", text(&besides));
    counts.laws += (distinct.len() + layers.len()) as u64;
    held
}

/// Rules 3 to 5, of what is not licensed.
fn licences(tree: &Tree, at_most: usize, counts: &mut Counts) {
    for edges in edge_sets(tree, at_most) {
        for tree in with_features(tree) {
            let Some(lapsed) = Small::new(&tree, &edges, counts) else { continue };
            let mut licensed = Small::new(&tree, &edges, counts).expect("it was fine");
            licensed.document.licence.features.push("extra".into());
            let without = close(&lapsed, counts);
            let with = close(&licensed, counts);
            // What is implied but not licensed gates nothing.
            let known = Catalogue::new(&value(&lapsed.document));
            let lapses =
                |text: &String| known.need(text).is_some_and(|need| !known.is_licensed(&need.path));
            if !known.nodes().any(|(_, node)| node.implies.iter().any(lapses)) {
                let adds = without.iter().zip(&with).any(|(without, with)| without & !with != 0);
                assert!(!adds, "{}", text(&lapsed.document));
                counts.laws += with.len() as u64;
            }
        }
    }
}

/// Section 5: a clone keeps the statements, and nothing else changes.
fn clones(tree: &Tree, at_most: usize, counts: &mut Counts) {
    type Named = fn(String) -> SourceName;
    let kinds: [(Named, Place); 3] = [
        (SourceName::Profile, Place::Profile),
        (SourceName::Role, Place::Role),
        (SourceName::ApprovalGroup, Place::Group),
    ];
    for edges in edge_sets(tree, at_most) {
        let Some(small) = Small::new(tree, &edges, counts) else { continue };
        let said: Vec<Statements> =
            small.statements.iter().map(|said| source(std::slice::from_ref(said))).collect();
        let mut document = small.document.clone();
        for (at, statements) in said.iter().enumerate() {
            let (name, statements) = (at.to_string(), statements.clone());
            let source = Source { statements, ..Source::default() };
            document.profiles.push(&*name, source.clone());
            document.approval_groups.push(&*name, source.clone());
            document.roles.push(&*name, role(source, &[]));
            for (_, place) in kinds {
                let mut user = UserEntry::default();
                give(&mut user, place, at, &said);
                document.users.push(format!("{place:?} {at}"), user);
            }
        }
        document.users.push("nobody", UserEntry::default());
        counts.policies += 1;
        let policy = Policy::try_from(document.clone()).expect("a policy");
        let engine = Engine::new(&policy);
        let held = small.held(&document, &engine);
        for at in 0..said.len() {
            for (of, (kind, _)) in kinds.into_iter().enumerate() {
                let (from, clone) = (kind(at.to_string()), kind("clone".to_owned()));
                let create = Change::Create { source: clone.clone(), from: Some(from) };
                let created = policy.apply(Actor::Host, &create).expect("nothing is in the way");
                let after = engine.updated(&created.policy);
                assert_eq!(small.held(&document, &after), held);
                let assign = Change::Assign { user: "nobody".into(), source: clone };
                let assigned =
                    created.policy.apply(Actor::Host, &assign).expect("nothing is in the way");
                let after = small.held(&document, &after.updated(&assigned.policy));
                let (nobody, others) = after.split_last().expect("nobody");
                assert_eq!(others, &held[..others.len()]);
                assert_eq!(*nobody, held[at * kinds.len() + of], "{create:?}");
                counts.laws += 2 * held.len() as u64;
            }
        }
    }
}

/// Rules 7 and 8.
fn objects(tree: &Tree, at_most: usize, counts: &mut Counts) {
    for edges in edge_sets(tree, at_most) {
        for checked in [false, true] {
            let Some(mut small) = Small::new(tree, &edges, counts) else { continue };
            let kinds = &mut small.document.catalogue.objects;
            let job = kinds.get_mut("job").expect("it is there");
            job.checks.extend(checked.then(|| "cost".to_owned()));
            let document = small.with_users(bound_users(&small));
            small.agree_on(&document, counts);
        }
    }
}

/// A user for each set of permissions, with each bound, or none.
fn bound_users(small: &Small) -> Vec<(String, UserEntry)> {
    let catalogue = Catalogue::new(&value(&small.document));
    let paths: Vec<String> = catalogue.grantable().map(str::to_owned).collect();
    let mut users = Vec::new();
    for allow in subsets(&paths, paths.len()) {
        for bound in [None, Some(Bound::Any), Some(Bound::Limit(5))] {
            let mut said = Statements { allow: allow.clone(), ..Statements::default() };
            said.bounds = bound.map(|bound| ("job.cost", bound)).into_iter().collect();
            users.push((users.len().to_string(), own(said)));
        }
    }
    users
}

/// Trees of one node, two, and so on up to this many.
fn up_to(nodes: usize, forms: &[Form]) -> Vec<Tree> {
    (1..=nodes).flat_map(|nodes| trees(nodes, forms)).collect()
}

const ALL: [Form; 5] = [Heading, Plain, Graded, Switch, Scoped];
const MOST: [Form; 4] = [Heading, Plain, Graded, Scoped];
const FEW: [Form; 3] = [Heading, Plain, Graded];
const TWO: [Form; 2] = [Heading, Plain];
const ON_OBJECTS: [Form; 6] = [Heading, Plain, OnJob, Checked, Scoped, OnOrder];

#[test]
fn the_smallest() {
    let run = Run { threads: 1 };
    run.every("one_source", &up_to(2, &ALL), 0, one_source);
    run.every("one_source, 3 nodes", &trees(3, &FEW), 0, one_source);
    run.every("two_sources", &up_to(2, &TWO), 1, two_sources);
    run.every("two_sources, 1 node", &trees(1, &FEW), 1, two_sources);
    run.every("whole_sources", &up_to(2, &TWO), 1, whole_sources);
    run.every("closing", &up_to(2, &FEW), 2, closing);
    run.every("closing, 3 nodes", &trees(3, &TWO), 1, closing);
    run.every("licences", &up_to(2, &FEW), 1, licences);
    run.every("clones", &up_to(2, &FEW), 0, clones);
    run.every("objects", &up_to(2, &ON_OBJECTS), 1, objects);
}

#[test]
#[ignore = "takes minutes, and an optimised build"]
fn all_that_is_small() {
    let run = Run { threads: thread::available_parallelism().map_or(1, usize::from) };
    run.every("one_source", &up_to(3, &ALL), 0, one_source);
    run.every("one_source, 4 nodes", &trees(4, &MOST), 0, one_source);
    run.every("two_sources", &up_to(2, &MOST), 0, two_sources);
    run.every("two_sources, an edge", &up_to(2, &FEW), 1, two_sources);
    run.every("two_sources, 3 nodes", &trees(3, &FEW), 0, two_sources);
    run.every("two_sources, 4 nodes", &trees(4, &TWO), 0, two_sources);
    run.every("whole_sources", &up_to(2, &FEW), 2, whole_sources);
    run.every("whole_sources, 3 nodes", &trees(3, &TWO), 0, whole_sources);
    run.every("closing, scopes", &up_to(2, &MOST), 2, closing);
    // As many as there can be.
    run.every("closing, all edges", &up_to(3, &TWO), 18, closing);
    run.every("closing, 3 nodes", &trees(3, &FEW), 2, closing);
    run.every("closing, 4 nodes", &trees(4, &FEW), 1, closing);
    run.every("closing, 4 nodes, 2 edges", &trees(4, &TWO), 2, closing);
    run.every("licences", &up_to(2, &MOST), 1, licences);
    run.every("licences, 3 nodes", &trees(3, &FEW), 1, licences);
    run.every("clones", &up_to(3, &MOST), 0, clones);
    run.every("objects", &up_to(2, &ON_OBJECTS), 2, objects);
    run.every("objects, 3 nodes", &trees(3, &ON_OBJECTS), 0, objects);
    run.every(
        "objects, 3 nodes, an edge",
        &trees(3, &[Plain, Checked, Scoped, OnOrder]),
        1,
        objects,
    );
}

//! Every public call that takes a document, a change or a question.

use std::hint::black_box;

use grantree::change::{Actor, Change};
use grantree::document::CompactDocument;
use grantree::explain::SourceRef;
use grantree::journal::Snapshot;
use grantree::object::DynamicObject;
use grantree::policy_test::TestDocument;
use grantree::{Document, Engine, Moment, Permission, Policy, SourceName, User};
use serde_json::{Value, json};

use crate::shapes::{Shape, paths};

/// A document of some size, and all that is asked of it.
pub struct World {
    text: String,
    document: Document,
    policy: Policy,
    engine: Engine,
    /// The same with more allowed to everybody.
    wider: Engine,
    /// The same as a policy of its own, with another catalogue.
    other: Engine,
    users: Vec<User>,
    actions: Vec<Permission>,
    all: Vec<Permission>,
    object: DynamicObject,
    today: Moment,
    changes: Vec<(&'static str, Change)>,
    tests: TestDocument,
}

fn read(document: &Value) -> Document {
    serde_json::from_value(document.clone()).expect("a document")
}

fn policy(document: &Value) -> Policy {
    Policy::try_from(read(document)).unwrap_or_else(|problems| panic!("{problems}"))
}

impl World {
    pub fn new(shape: &Shape, n: usize) -> World {
        let document = shape.document(n);
        let known = policy(&document);
        let engine = Engine::new(&known);
        let mut paths = paths(&document["catalogue"]["permissions"]);
        paths.retain(|path| engine.permission(path).is_ok());
        let mut other = document.clone();
        let permissions = other["catalogue"]["permissions"].as_array_mut().expect("a list");
        permissions.push(json!({"key": "novel"}));
        other["roles"]["novel"] = json!({"allow": ["novel"]});
        let mut changes = changes(&paths);
        changes.push(("import", {
            let bundle = serde_json::to_value(known.export_all()).expect("JSON");
            change(json!({"import": {"bundle": bundle, "on_conflict": "rename"}}))
        }));
        changes.push(("import that replaces", {
            let bundle = serde_json::to_value(known.export_all()).expect("JSON");
            change(json!({"import": {"bundle": bundle, "on_conflict": "replace"}}))
        }));
        changes.push(("import of roles that include more", {
            let mut bundle = serde_json::to_value(known.export_all()).expect("JSON");
            let roles = bundle["roles"].as_object_mut().expect("roles");
            roles.retain(|name, _| name != "spare" && name != "boss");
            for role in roles.values_mut() {
                let mut includes = role["includes"].as_array().cloned().unwrap_or_default();
                includes.push("spare".into());
                role["includes"] = includes.into();
            }
            change(json!({"import": {"bundle": bundle, "on_conflict": "replace"}}))
        }));
        let wider = change(json!({"edit": {"source": "global", "ops": [{"allow": "**"}]}}));
        let wider = known
            .apply(Actor::Host, &wider)
            .map_or_else(|_| known.clone(), |applied| applied.policy);
        let kinds = document["catalogue"]["permissions"].as_array().into_iter().flatten();
        let kind = kinds.filter_map(|it| it["object"].as_str()).next().unwrap_or("other");
        let (first, last) = (paths.first().expect("one"), paths.last().expect("one"));
        let everybody = document["users"].as_object().expect("users").keys();
        let everybody: Vec<&String> = everybody.collect();
        let tests = json!({"steps": [
            {"can": {"user": "first", "action": first}, "expect": false},
            {"never": {"action": last, "except": everybody}, "expect": true},
            {"why": {"user": "first", "action": last}, "expect": "gated"},
            {"effective": {"user": "boss"}, "expect": []}]});
        let names = document["users"].as_object().expect("users");
        let names: Vec<&String> = names.keys().filter(|name| name.starts_with('u')).collect();
        let chosen = |count: usize| [0, count / 2, count - 1];
        World {
            text: document.to_string(),
            document: read(&document),
            users: chosen(names.len())
                .into_iter()
                .filter_map(|at| engine.user(names.get(at)?).ok())
                .collect(),
            actions: chosen(paths.len())
                .into_iter()
                .filter_map(|at| engine.permission(&paths[at]).ok())
                .collect(),
            all: paths.iter().filter_map(|path| engine.permission(path).ok()).collect(),
            object: DynamicObject::new(kind)
                .with_relation("own", ["u0"])
                .with_relation("team", ["g0"])
                .with_attribute("region", "north")
                .with_attribute("kind", "k0")
                .with_attribute("a0", 5)
                .with_attribute("size", 3),
            wider: Engine::new(&wider),
            other: Engine::new(&policy(&other)),
            policy: known,
            engine,
            today: "2026-11-21".parse().expect("a date"),
            changes,
            tests: serde_json::from_value(tests).expect("a test document"),
        }
    }

    fn ask<T>(&self, ask: impl Fn(User, Permission) -> T) {
        for &user in &self.users {
            for &action in &self.actions {
                black_box(ask(user, action));
            }
        }
    }
}

fn change(value: Value) -> Change {
    serde_json::from_value(value).expect("a change")
}

fn changes(paths: &[String]) -> Vec<(&'static str, Change)> {
    let (role, user) = (json!({"role": "r0"}), "u0");
    let (first, last) = (paths.first().expect("one"), paths.last().expect("one"));
    let ops = |ops: &dyn Fn(&String) -> Value| paths.iter().map(ops).collect::<Vec<_>>();
    let edit = |source: &Value, ops: Value, cascade: bool| json!({"edit": {"source": source, "ops": ops, "cascade": cascade}});
    let (global, own) = (json!("global"), json!({"user": user}));
    let all = |kind: &str| json!(ops(&|path| json!({kind: path})));
    let changes = [
        ("allow everybody all", edit(&global, json!([{"allow": "**"}]), false)),
        ("deny everybody one", edit(&global, json!([{"deny": first}]), false)),
        ("allow a role one", edit(&role, json!([{"allow": last}]), true)),
        ("allow a role each", edit(&role, all("allow"), true)),
        ("withdraw each from a role", edit(&role, all("except"), true)),
        ("clear each of a role", edit(&role, all("clear"), true)),
        ("deny a user each", edit(&own, all("deny"), false)),
        ("include a role", edit(&role, json!([{"set": {"includes": ["spare"]}}]), false)),
        ("create a role", json!({"create": {"source": {"role": "new"}, "from": role}})),
        ("rename a role", json!({"rename": {"source": role, "to": "other"}})),
        ("delete a role", json!({"delete": {"source": role, "holders": "unassign"}})),
        ("reassign a role", json!({"delete": {"source": role, "holders": {"reassign": "spare"}}})),
        ("assign a role", json!({"assign": {"user": "first", "source": role}})),
        ("revoke a role", json!({"revoke": {"user": user, "source": role}})),
        ("transfer a role", json!({"transfer": {"role": "boss", "to": "first"}})),
        ("set the default profile", json!({"set_default_profile": {"profile": "spare"}})),
        ("add a user", json!({"add_user": {"user": "new", "allow": [first], "roles": ["spare"]}})),
        ("remove a user", json!({"remove_user": {"user": user}})),
        ("rename a user", json!({"rename": {"source": {"user": user}, "to": "other"}})),
        ("make an admin", json!({"set_admin": {"user": user, "admin": true}})),
        ("suspend a user", json!({"set_suspended": {"user": user, "suspended": true}})),
        ("set groups", json!({"set_groups": {"user": user, "groups": ["uk", "g0"]}})),
        ("set a group", json!({"set_group": {"group": "g0", "parent": "uk"}})),
        ("set the licence", json!({"set_licence": {"edition": "extra"}})),
        (
            "set an assignment",
            json!({"set_assignment": {"user": user, "name": "new",
            "assignment": {"roles": ["spare"], "from": "2026-11-01"}}}),
        ),
        ("expire", json!({"expire": {"before": "2027-01-10"}})),
    ];
    changes.into_iter().map(|(name, value)| (name, change(value))).collect()
}

type Call = (String, Box<dyn Fn(&World)>);

fn call(name: &str, call: impl Fn(&World) + 'static) -> Call {
    (name.to_owned(), Box::new(call))
}

/// All calls, by name.
pub fn calls(changes: &[&'static str]) -> Vec<Call> {
    let mut calls = vec![
        call("read", |it| drop(serde_json::from_str::<Document>(&it.text).expect("read"))),
        call("try_from", |it| drop(Policy::try_from(it.document.clone()).expect("a policy"))),
        call("adopt", |it| {
            drop(Policy::builder().adopt(it.document.clone()).expect("a policy"));
        }),
        call("revise", |it| drop(it.policy.revise(it.document.clone()).expect("a policy"))),
        call("document", |it| drop(Document::from(&it.policy))),
        call("Engine::new", |it| drop(Engine::new(&it.policy))),
        call("updated", |it| drop(it.engine.updated(it.wider.policy()))),
        call("digest", |it| _ = black_box(it.policy.digest())),
        call("lint", |it| drop(it.policy.lint())),
        call("stats", |it| _ = black_box(it.engine.stats())),
        call("violations", |it| drop(it.engine.violations())),
        call("export_all", |it| drop(it.policy.export_all())),
        call("matrix of roles", |it| {
            let roles = it.policy.sources().into_iter().take(8);
            let matrix = it.policy.matrix(roles).expect("a matrix");
            drop((matrix.to_csv(), matrix.to_string()));
        }),
        call("matrix of all", |it| {
            use std::fmt::Write;
            let matrix = it.policy.matrix(it.policy.sources()).expect("a matrix");
            write!(Counted::default(), "{}", matrix.csv()).expect("it is counted");
        }),
        call("matrix of users", |it| {
            let users = ["boss", "first"].map(|name| SourceName::User(name.into()));
            drop(it.policy.matrix(users).expect("a matrix").to_csv());
        }),
        call("tree of a role", |it| {
            let tree = it.policy.tree(SourceName::Role("spare".into())).expect("a tree");
            drop(tree.to_string());
        }),
        call("tree of a user", |it| {
            drop(it.policy.tree(SourceName::User("u0".into())).expect("a tree").to_string());
        }),
        call("tree of an assignment", |it| {
            let tree = it.policy.tree(SourceRef::of_assignment("second", "cover"));
            drop(tree.expect("a tree").to_string());
        }),
        call("handles", |it| {
            for (name, _) in it.document.users.iter() {
                black_box(it.engine.user(name).expect("known"));
            }
            drop(it.engine.user("nobody here"));
            drop(it.engine.permission("nothing.here"));
        }),
        call("can", |it| it.ask(|user, action| it.engine.can(user, action, ()))),
        call("can on an object", |it| {
            it.ask(|user, action| it.engine.can(user, action, (&it.object, it.today)));
        }),
        call("can_some", |it| it.ask(|user, action| it.engine.can_some(user, action))),
        call("can_some_beneath", |it| {
            it.ask(|user, _| it.engine.can_some_beneath(user, "menu"));
        }),
        call("can_actions", |it| {
            drop(it.engine.can_actions(it.users[0], &it.all, &it.object));
        }),
        call("can_objects", |it| {
            it.ask(|user, action| it.engine.can_objects(user, action, [&it.object], it.today));
        }),
        call("why", |it| it.ask(|user, action| it.engine.why(user, action, ()))),
        call("why on an object", |it| {
            it.ask(|user, action| it.engine.why(user, action, (&it.object, it.today)));
        }),
        call("level", |it| {
            it.ask(|user, action| it.engine.level(user, action, ()).map(str::len));
        }),
        call("setting", |it| it.ask(|user, _| it.engine.setting(user, "colour").is_ok())),
        call("effective", |it| drop(it.engine.effective(it.users[0]))),
        call("effective_in", |it| {
            let second = it.engine.user("second").expect("known");
            drop(it.engine.effective_in(second, "cover"));
        }),
        call("at_least", |it| {
            let boss = it.engine.user("boss").expect("known");
            for &user in &it.users {
                black_box((it.engine.at_least(boss, user), it.engine.at_least(user, boss)));
            }
        }),
        call("expiring", |it| {
            let until: Moment = "2027-02-01".parse().expect("a date");
            drop(it.engine.expiring(it.today, until));
        }),
        call("who_can", |it| {
            for &action in &it.actions {
                drop(it.engine.who_can(action, ()));
                drop(it.engine.who_can(action, (&it.object, it.today)));
            }
        }),
        call("who_can_by_source", |it| {
            for &action in &it.actions {
                drop(it.engine.who_can_by_source(action, ()));
            }
        }),
        call("who_can_by_source on an object", |it| {
            for &action in &it.actions {
                drop(it.engine.who_can_by_source(action, (&it.object, it.today)));
            }
        }),
        call("explain", |it| {
            it.ask(|user, action| {
                let explanation = it.engine.explain(user, action, ());
                (explanation.to_string().len(), json!(explanation))
            });
        }),
        call("explain on an object", |it| {
            it.ask(|user, action| {
                let explanation = it.engine.explain(user, action, (&it.object, it.today));
                (explanation.to_string().len(), json!(explanation))
            });
        }),
        call("remedies", |it| {
            it.ask(|user, action| it.engine.remedies(user, action, ()).to_string());
        }),
        call("remedies on an object", |it| {
            it.ask(|user, action| {
                it.engine.remedies(user, action, (&it.object, it.today)).to_string()
            });
        }),
        call("access_request", |it| {
            it.ask(|user, action| it.engine.access_request(user, action, ()).is_some());
        }),
        call("filter", |it| {
            it.ask(|user, action| {
                let filter = it.engine.filter(user, action, it.today);
                (filter.to_string().len(), filter.matches(&it.object))
            });
        }),
        call("levels", |it| {
            drop(it.engine.asker(it.users[0]).levels(&it.all, &it.object));
        }),
        call("decide", |it| {
            it.ask(|user, action| json!(it.engine.decide(user, action, (&it.object, it.today))));
        }),
        call("view", |it| {
            let paths = it.policy.permissions().map(|it| it.path().len()).sum::<usize>();
            let holders = it.policy.holders(&SourceName::Role("r0".into())).len();
            let known = it.policy.user("u0").is_some();
            let source = it.policy.source(&SourceName::Role("r0".into())).is_some();
            black_box((paths, holders, known, source, it.policy.users().count()));
        }),
        call("review", |it| drop(it.engine.review(it.today).csv().to_string())),
        call("extract", |it| drop(it.policy.extract("u0"))),
        call("tidy", |it| {
            drop(it.policy.tidy(&SourceName::Role("r0".into())));
            drop(it.policy.tidy(&SourceName::User("u0".into())));
        }),
        call("unused_grants", |it| drop(it.policy.unused_grants([("u0", "menu.item")]))),
        call("compact", |it| {
            let document: CompactDocument = serde_json::from_str(&it.text).expect("read");
            drop(Policy::builder().build(document).expect("a policy"));
        }),
        call("snapshot", |it| {
            let snapshot = serde_json::to_string(&Snapshot::from(&it.policy)).expect("JSON");
            let snapshot = serde_json::from_str(&snapshot).expect("a snapshot");
            drop(Policy::builder().restore(snapshot).expect("a policy"));
        }),
        call("upgrade", |it| {
            let newer = it.other.policy().catalogue().clone();
            drop(it.policy.upgrade(newer).expect("a newer catalogue"));
        }),
        call("subject", |it| {
            let entry = it.document.users.get("u0").expect("one");
            let guest = it.engine.subject("guest", entry).expect("a subject");
            black_box(guest.asker().can_some(it.actions[0]));
            let within = guest.asker().within(entry).expect("within");
            drop(within.asker().effective());
        }),
        call("diff", |it| {
            let diff = it.engine.diff(&it.wider);
            drop((diff.to_string(), serde_json::to_string(&diff).expect("JSON")));
            drop((diff.by_permission(), diff.of("u0").count()));
        }),
        call("diff of nothing", |it| drop(it.engine.diff(&it.engine))),
        call("diff with another catalogue", |it| drop(it.engine.diff(&it.other))),
        call("test document", |it| drop(it.tests.run(Some(&it.policy)).expect("a run"))),
        call("coverage", |it| drop(it.tests.coverage(Some(&it.policy)).expect("a run"))),
    ];
    for (at, name) in changes.iter().enumerate() {
        let change = move |it: &World| it.changes[at].1.clone();
        calls.push(call(&format!("host: {name}"), move |it| {
            drop(it.policy.apply_on(Actor::Host, &change(it), it.today));
        }));
        calls.push(call(&format!("undo: {name}"), move |it| {
            let Ok(applied) = it.policy.apply_on(Actor::Host, &change(it), it.today) else {
                return;
            };
            drop(applied.undo());
            drop(it.policy.replay(&applied.log_entry()).expect("it follows"));
        }));
        calls.push(call(&format!("actor: {name}"), move |it| {
            drop(it.policy.apply_on(Actor::User("boss"), &change(it), it.today));
        }));
        calls.push(call(&format!("what_if: {name}"), move |it| {
            drop(it.engine.what_if(Actor::Host, &change(it)));
        }));
    }
    calls
}

/// A text of which only the length is kept.
#[derive(Default)]
struct Counted(usize);

impl std::fmt::Write for Counted {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

impl World {
    /// The names of the changes that are asked for.
    pub fn changes(&self) -> Vec<&'static str> {
        self.changes.iter().map(|(name, _)| *name).collect()
    }
}

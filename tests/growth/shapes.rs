//! Generated documents: catalogues of many shapes, each with users of many shapes; and
//! documents in which something else grows.

use serde_json::{Map, Value, json};

/// A shape of documents, by its name.
pub struct Shape {
    pub name: String,
    document: Box<dyn Fn(usize) -> Value + Send + Sync>,
}

impl Shape {
    fn new(
        name: impl Into<String>,
        document: impl Fn(usize) -> Value + Send + Sync + 'static,
    ) -> Shape {
        Shape { name: name.into(), document: Box::new(document) }
    }

    /// A document of that size, with what each call needs of one.
    pub fn document(&self, n: usize) -> Value {
        let mut document = (self.document)(n);
        document["format"] = 1.into();
        let catalogue = &mut document["catalogue"];
        let permissions = list(&mut catalogue["permissions"]);
        permissions.push(json!({"key": "boss"}));
        permissions.push(json!({"key": "menu", "heading": true, "children": [{"key": "item"}]}));
        let objects = map(&mut catalogue["objects"]);
        let other = json!({"relations": {"team": "group"}, "attributes": {"size": "at_most"}});
        objects.insert("other".into(), other);
        let settings = map(&mut catalogue["settings"]);
        settings.insert("colour".into(), json!({"values": ["red", "blue"], "default": "red"}));
        let features = json!({"features": ["extra"]});
        map(&mut catalogue["editions"]).insert("extra".into(), features);
        let roles = map(&mut document["roles"]);
        roles.insert("spare".into(), json!({"allow": ["menu.item"]}));
        roles.insert("boss".into(), json!({"allow": ["boss"], "unique": true}));
        let profiles = map(&mut document["profiles"]);
        profiles.insert("spare".into(), json!({}));
        let cover = json!({"roles": ["spare"], "until": "2026-12-24"});
        let users = map(&mut document["users"]);
        users.insert("first".into(), json!({"roles": ["spare"], "groups": ["uk"]}));
        users.insert("second".into(), json!({"assignments": {"cover": cover}}));
        users.insert("boss".into(), json!({"allow": ["**"], "roles": ["boss"], "groups": ["uk"]}));
        map(&mut document["groups"]).insert("uk".into(), json!({}));
        let governance = map(&mut document["governance"]);
        governance.insert("no_escalation".into(), true.into());
        governance.insert("protect_superiors".into(), true.into());
        let kinds = KINDS.iter().map(|kind| ((*kind).to_owned(), json!(["boss"])));
        governance.insert("permissions".into(), Value::Object(kinds.collect()));
        document
    }
}

const KINDS: [&str; 15] = [
    "create_role",
    "edit_role",
    "edit_user",
    "edit_global",
    "delete_role",
    "assign_role",
    "revoke_role",
    "add_user",
    "remove_user",
    "set_default_profile",
    "set_suspended",
    "set_groups",
    "set_group",
    "import",
    "set_assignment",
];

fn list(value: &mut Value) -> &mut Vec<Value> {
    if value.is_null() {
        *value = json!([]);
    }
    value.as_array_mut().expect("a list")
}

fn map(value: &mut Value) -> &mut Map<String, Value> {
    if value.is_null() {
        *value = json!({});
    }
    value.as_object_mut().expect("a map")
}

fn each(n: usize, item: impl Fn(usize) -> Value) -> Vec<Value> {
    (0..n).map(item).collect()
}

fn named(prefix: &str, n: usize, value: impl Fn(usize) -> Value) -> Value {
    Value::Object((0..n).map(|at| (format!("{prefix}{at}"), value(at))).collect())
}

fn names(prefix: &str, n: usize) -> Vec<String> {
    (0..n).map(|at| format!("{prefix}{at}")).collect()
}

fn key(at: usize) -> String {
    format!("p{at}")
}

/// All shapes.
pub fn shapes() -> Vec<Shape> {
    let mut shapes = Vec::new();
    for (catalogue, build) in CATALOGUES {
        for (users, add) in USERS {
            shapes.push(Shape::new(format!("{catalogue}, {users}"), move |n| {
                let mut document = json!({"catalogue": build(n)});
                let paths = paths(&document["catalogue"]["permissions"]);
                add(&mut document, n, &paths);
                document
            }));
        }
    }
    shapes.extend(OTHERS.iter().map(|&(name, build)| Shape::new(name, build)));
    shapes
}

/// The paths of the permissions that can be granted.
pub fn paths(permissions: &Value) -> Vec<String> {
    fn add(permissions: &Value, above: &str, paths: &mut Vec<String>) {
        for permission in permissions.as_array().into_iter().flatten() {
            let key = permission["key"].as_str().expect("a key");
            let path = if above.is_empty() { key.to_owned() } else { format!("{above}.{key}") };
            if permission["heading"] != true {
                paths.push(path.clone());
            }
            add(&permission["children"], &path, paths);
        }
    }
    let mut paths = Vec::new();
    add(permissions, "", &mut paths);
    paths
}

type Catalogue = fn(usize) -> Value;

const CATALOGUES: [(&str, Catalogue); 17] = [
    ("flat", |n| json!({"permissions": each(n, |at| json!({"key": key(at)}))})),
    ("requires in a chain", |n| {
        let requires = |at: usize| (at > 0).then(|| key(at - 1)).into_iter().collect::<Vec<_>>();
        json!({"permissions": each(n, |at| json!({"key": key(at), "requires": requires(at)}))})
    }),
    ("implies in a chain", |n| {
        let implies = |at: usize| (at + 1 < n).then(|| key(at + 1)).into_iter().collect::<Vec<_>>();
        json!({"permissions": each(n, |at| json!({"key": key(at), "implies": implies(at)}))})
    }),
    ("implies in a ring on objects", |n| {
        json!({"objects": {"job": {}}, "permissions": each(n, |at| {
            json!({"key": key(at), "object": "job", "implies": [key((at + 1) % n)]})
        })})
    }),
    ("a hub", |n| {
        let half = n / 2;
        let mut permissions = each(half, |at| json!({"key": key(at), "object": "job"}));
        permissions.push(json!({"key": "hub", "object": "job", "requires": names("p", half)}));
        permissions.extend(each(
            half,
            |at| json!({"key": format!("q{at}"), "object": "job", "requires": ["hub"]}),
        ));
        json!({"objects": {"job": {}}, "permissions": permissions})
    }),
    ("one that implies all, unlicensed", |n| {
        let mut permissions = each(n, |at| json!({"key": key(at), "feature": "extra"}));
        permissions.push(json!({"key": "all", "implies": names("p", n)}));
        json!({"permissions": permissions})
    }),
    ("deep", |n| {
        let tree = |at: usize| {
            let mut node = json!({"key": "x", "children": []});
            for depth in 0..16 {
                node = json!({"key": format!("d{depth}"), "children": [node]});
            }
            json!({"key": key(at), "children": [node]})
        };
        json!({"permissions": each(n.div_ceil(18), tree)})
    }),
    ("many children", |n| {
        json!({"permissions": [
            {"key": "top", "children": each(n, |at| json!({"key": key(at)}))}]})
    }),
    ("scopes", |n| {
        json!({
            "objects": {"job": {"relations": {"own": "user", "team": "group"}}},
            "permissions": each(n, |at| json!({"key": key(at), "object": "job", "scopes": [
                {"key": "mine", "when": {"own": "me"}}, {"key": "team", "when": {"team": "me"}}]}))
        })
    }),
    ("one with many scopes", |n| {
        json!({
            "objects": {"job": {"attributes": {"kind": "one_of"}}},
            "permissions": [{"key": "p0", "object": "job", "scopes": each(n, |at| {
                json!({"key": format!("s{at}"), "when": {"kind": [format!("k{at}")]}})
            })}]
        })
    }),
    (
        "graded",
        |n| json!({"permissions": each(n, |at| json!({"key": key(at), "levels": ["no", "some", "all"]}))}),
    ),
    (
        "one with many levels",
        |n| json!({"permissions": [{"key": "p0", "levels": names("l", n.max(2))}]}),
    ),
    ("checked, in a chain", |n| {
        json!({
            "objects": {"job": {"attributes": {"region": "one_of"}, "checks": ["region"]}},
            "permissions": each(n, |at| {
                let requires: Vec<String> = (at > 0).then(|| key(at - 1)).into_iter().collect();
                json!({"key": key(at), "object": "job", "requires": requires})
            })
        })
    }),
    ("a check each", |n| {
        json!({
            "objects": {"job": {"attributes": named("a", n, |_| json!("at_most"))}},
            "permissions": each(n, |at| {
                json!({"key": key(at), "object": "job", "checks": [format!("a{at}")]})
            })
        })
    }),
    ("a kind each", |n| {
        json!({
            "objects": named("job", n, |_| json!({
                "relations": {"own": "user"}, "attributes": {"size": "at_most"}, "checks": ["size"]})),
            "permissions": each(n, |at| json!({"key": key(at), "object": format!("job{at}")}))
        })
    }),
    ("a feature each", |n| {
        json!({
            "editions": named("e", n, |at| {
                let includes: Vec<String> =
                    (at > 0).then(|| format!("e{}", at - 1)).into_iter().collect();
                json!({"includes": includes, "features": [format!("f{at}")]})
            }),
            "permissions": each(n, |at| json!({"key": key(at), "feature": format!("f{at}")}))
        })
    }),
    ("many settings", |n| {
        json!({
            "settings": named("s", n, |at| json!({"default": at})),
            "permissions": [{"key": "p0"}]
        })
    }),
];

type AddUsers = fn(&mut Value, usize, &[String]);

const USERS: [(&str, AddUsers); 5] = [
    ("all alike", |document, n, _| {
        document["roles"] = json!({"r0": {"allow": ["**"]}});
        document["users"] = named("u", n, |_| json!({"roles": ["r0"]}));
    }),
    ("an allow each", |document, n, paths| {
        document["roles"] = json!({"r0": {}});
        document["users"] =
            named("u", n, |at| json!({"allow": [paths[at % paths.len()]], "roles": ["r0"]}));
    }),
    ("a deny each", |document, n, paths| {
        document["roles"] = json!({"r0": {"allow": ["**"]}});
        document["users"] =
            named("u", n, |at| json!({"deny": [paths[at % paths.len()]], "roles": ["r0"]}));
    }),
    ("a role each, in a chain", |document, n, paths| {
        document["roles"] = named("r", n, |at| {
            let includes: Vec<String> =
                (at + 1 < n).then(|| format!("r{}", at + 1)).into_iter().collect();
            json!({"allow": [paths[at % paths.len()]], "includes": includes})
        });
        document["users"] = named("u", n, |at| json!({"roles": [format!("r{at}")]}));
    }),
    ("one with many roles", |document, n, paths| {
        document["roles"] = named("r", n, |at| json!({"allow": [paths[at % paths.len()]]}));
        document["users"] = json!({"u0": {"roles": names("r", n)}});
    }),
];

#[expect(clippy::needless_pass_by_value, reason = "it is always made for this")]
fn job(attributes: Value, n: usize, users: impl Fn(usize) -> Value) -> Value {
    json!({
        "catalogue": {
            "objects": {"job": {
                "relations": {"own": "user", "team": "group"}, "attributes": attributes}},
            "permissions": [{"key": "p0", "object": "job", "checks": ["a0"]}, {"key": "p1"}]},
        "roles": {"r0": {"allow": ["**"]}},
        "users": named("u", n, users)
    })
}

/// Adds roles each of which includes the next.
fn chain(document: &mut Value, n: usize) {
    for at in 0..n {
        let includes: Vec<String> =
            (at + 1 < n).then(|| format!("c{}", at + 1)).into_iter().collect();
        document["roles"][format!("c{at}")] = json!({"allow": ["p1"], "includes": includes});
    }
}

const OTHERS: [(&str, Catalogue); 24] = [
    ("an assignment of a role each, in a chain", |n| {
        let mut document = job(
            json!({"a0": "at_most"}),
            n,
            |at| json!({"assignments": {"cover": {"roles": [format!("c{at}")], "until": "2027-01-01"}}}),
        );
        chain(&mut document, n);
        document
    }),
    ("a role of all, and one of a chain each", |n| {
        let mut document =
            job(json!({"a0": "at_most"}), n, |at| json!({"roles": ["r0", format!("c{at}")]}));
        chain(&mut document, n);
        document
    }),
    ("an assignment on each kind", |n| {
        let on = named("k", n, |at| json!({"own": [format!("u{at}")]}));
        json!({
            "catalogue": {
                "objects": named("k", n, |_| json!({"relations": {"own": "user"}})),
                "permissions": each(n, |at| json!({"key": key(at), "object": format!("k{at}")}))},
            "roles": {"r0": {"allow": ["**"]}},
            "users": {"u0": {"assignments": {
                "one": {"roles": ["r0"], "on": on}, "other": {"roles": ["r0"], "on": on}}}}
        })
    }),
    ("an assignment with many conditions", |n| {
        let mut document = job(named("a", n, |_| json!("at_most")), n, |_| json!({}));
        let on = json!({"job": named("a", n, |at| json!(at))});
        document["users"]["u0"]["assignments"] = json!({
            "one": {"roles": ["r0"], "on": on}, "other": {"roles": ["r0"], "on": on}});
        document
    }),
    ("roles that deny what others imply", |n| {
        let mut permissions =
            each(n, |at| json!({"key": key(at), "implies": [format!("top.q{at}")]}));
        let beneath = each(n, |at| json!({"key": format!("q{at}")}));
        permissions.push(json!({"key": "top", "children": beneath}));
        json!({
            "catalogue": {"permissions": permissions},
            "roles": named("r", n, |at| {
                json!({"allow": [key(at)], "deny": ["top.**"], "forbid": [key((at + 1) % n)]})
            }),
            "users": named("u", n, |at| json!({"roles": [format!("r{at}")]}))
        })
    }),
    ("headings that are denied, each by its own pattern", |n| {
        let heading = |at: usize| {
            json!({"key": format!("h{at}"), "heading": true, "children": [
                {"key": "q"}, {"key": "g", "heading": true, "children": [{"key": "p"}]}]})
        };
        let mut permissions = each(n, heading);
        permissions.push(json!({"key": "p0"}));
        json!({
            "catalogue": {"permissions": permissions},
            "roles": {"r0": {"allow": ["**"],
                "deny": each(n, |at| json!(format!("h{at}.*")))}},
            "users": {"u0": {"roles": ["r0"]}}
        })
    }),
    ("a bound each, of other attributes", |n| {
        job(
            named("a", n, |_| json!("at_most")),
            n,
            |at| json!({"roles": ["r0"], "bounds": {(format!("job.a{at}")): 5}}),
        )
    }),
    ("a bound each, of one attribute", |n| {
        job(json!({"a0": "at_most"}), n, |at| json!({"roles": ["r0"], "bounds": {"job.a0": at}}))
    }),
    ("a bound of many texts, and one of another attribute each", |n| {
        let mut document = job(
            json!({"a0": "one_of", "a1": "at_most"}),
            n,
            |at| json!({"roles": ["r0"], "bounds": {"job.a1": at}}),
        );
        document["roles"]["r0"]["bounds"] = json!({"job.a0": names("t", n)});
        document
    }),
    ("a bound of a text each in a role of one user", |n| {
        let mut document = job(json!({"a0": "one_of"}), 0, |_| json!({}));
        document["roles"] =
            named("r", n, |at| json!({"allow": ["**"], "bounds": {"job.a0": [format!("t{at}")]}}));
        document["users"] = json!({"u0": {"roles": names("r", n)}});
        document
    }),
    ("groups in a chain", |n| {
        let mut document =
            job(json!({"a0": "at_most"}), n, |at| json!({"groups": [format!("g{at}")]}));
        document["groups"] = named("g", n, |at| {
            if at > 0 { json!({"parent": format!("g{}", at - 1)}) } else { json!({}) }
        });
        document
    }),
    ("one in many groups", |n| {
        let mut document = job(json!({"a0": "at_most"}), 1, |_| json!({"roles": ["r0"]}));
        document["users"]["u0"]["groups"] = json!(names("g", n));
        document
    }),
    ("one with many assignments", |n| {
        let mut document = job(json!({"a0": "at_most"}), 1, |_| json!({}));
        document["users"]["u0"]["assignments"] = named(
            "a",
            n,
            |at| json!({"roles": ["r0"], "until": format!("2027-01-{:02}", at % 28 + 1)}),
        );
        document
    }),
    ("an assignment each, alike", |n| {
        job(
            json!({"a0": "at_most"}),
            n,
            |_| json!({"assignments": {"cover": {"roles": ["r0"], "until": "2027-01-01"}}}),
        )
    }),
    ("an assignment each, of other objects", |n| {
        job(json!({"a0": "at_most"}), n, |at| {
            let on = json!({"job": {"own": [format!("u{at}")], "a0": at}});
            json!({"assignments": {"cover": {"roles": ["r0"], "on": on}}})
        })
    }),
    ("an assignment of many names", |n| {
        let mut document = job(json!({"a0": "at_most"}), n, |_| json!({}));
        document["users"]["u0"]["assignments"] =
            json!({"cover": {"roles": ["r0"], "on": {"job": {"own": names("u", n)}}}});
        document
    }),
    ("a separation of all", |n| {
        json!({
            "catalogue": {"permissions": each(n, |at| json!({"key": key(at)}))},
            "roles": {"r0": {}},
            "users": named("u", n, |at| json!({"allow": [key(at)]})),
            "governance": {"separation": [
                {"name": "apart", "permissions": names("p", n), "at_most": 3}]}
        })
    }),
    ("many separations", |n| {
        json!({
            "catalogue": {"permissions": each(n, |at| json!({"key": key(at)}))},
            "roles": {"r0": {}},
            "users": named("u", 4, |at| json!({"allow": [key(at)]})),
            "governance": {"separation": each(n - 1, |at| {
                json!({"name": format!("s{at}"), "permissions": [key(at), key(at + 1)], "at_most": 1})
            })}
        })
    }),
    ("roles that many may assign", |n| {
        json!({
            "catalogue": {"permissions": [{"key": "p0"}]},
            "roles": named("r", n, |at| json!({"assignable_by": [format!("r{}", (at + 1) % n)]})),
            "users": named("u", n, |at| json!({"roles": [format!("r{at}")]}))
        })
    }),
    ("former paths", |n| {
        json!({
            "catalogue": {"permissions": each(n, |at| {
                json!({"key": key(at), "was": [format!("old{at}"), "older"]})
            })},
            "roles": {"r0": {"allow": names("p", n)}},
            "users": named("u", n, |_| json!({"roles": ["r0"]}))
        })
    }),
    ("a setting each", |n| {
        json!({
            "catalogue": {"settings": named("s", n, |_| json!({})), "permissions": [{"key": "p0"}]},
            "roles": {"r0": {"settings": named("s", n, |at| json!(at))}},
            "users": named("u", n, |at| {
                json!({"roles": ["r0"], "settings": {(format!("s{at}")): -1}})
            })
        })
    }),
    ("approval groups", |n| {
        json!({
            "catalogue": {"permissions": each(n, |at| json!({"key": key(at)}))},
            "approval_groups": named("g", n, |at| json!({"allow": [key(at)]})),
            "roles": {"r0": {}},
            "users": named("u", n, |at| json!({"approval_groups": [format!("g{at}")]}))
        })
    }),
    ("one that states everything", |n| {
        json!({
            "catalogue": {"permissions": each(n, |at| json!({"key": key(at)}))},
            "roles": {"r0": {"allow": names("p", n), "deny": names("p", n / 2),
                "forbid": names("p", n / 4)}},
            "users": {"u0": {"roles": ["r0"], "allow": names("p", n)}}
        })
    }),
    ("roles that include the next two", |n| {
        json!({
            "catalogue": {"permissions": [{"key": "p0"}, {"key": "p1"}]},
            "roles": named("r", n, |at| {
                let includes: Vec<String> =
                    (at + 1..n.min(at + 3)).map(|at| format!("r{at}")).collect();
                json!({"includes": includes, "allow": [key(at % 2)]})
            }),
            "users": {"u0": {"roles": ["r0"]}}
        })
    }),
];

//! Every catalogue of a few nodes, and every statement about one.
//!
//! Nothing is left out because it is like something else. Nodes differ only in their
//! places in the document: they are `a` and `b`, in its order.

use serde_json::{Value, json};

use support::oracle::catalogue::{Catalogue, Form as Kind};
use support::oracle::source::nearness;

/// The form of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Heading,
    Plain,
    /// `none`, `read` and `write`.
    Graded,
    /// On a job, with a check of its cost.
    Checked,
    /// On a job, `mine` or `rest`.
    Scoped,
}

impl Form {
    fn node(self, key: &str) -> Value {
        match self {
            Form::Heading => json!({"key": key, "heading": true}),
            Form::Plain => json!({"key": key}),
            Form::Graded => json!({"key": key, "levels": ["none", "read", "write"]}),
            Form::Checked => json!({"key": key, "object": "job", "checks": ["cost"]}),
            Form::Scoped => json!({"key": key, "object": "job", "scopes": [
                {"key": "mine", "when": {"assignee": "me"}},
                {"key": "rest", "when": {"assignee": ["other", "none"]}}]}),
        }
    }
}

/// A statement with one pattern.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The list or map that it stands in.
    field: &'static str,
    pattern: String,
    level: Option<String>,
}

/// A policy that has a catalogue and no users, and everything that can be asked of it and
/// said in it.
pub struct Small {
    pub policy: Value,
    /// Every permission and threshold.
    pub actions: Vec<String>,
    /// The paths of graded permissions.
    pub graded: Vec<String>,
    /// Every statement.
    pub statements: Vec<Statement>,
    /// `true` if a permission is on jobs.
    pub on_jobs: bool,
}

/// Every tree of one node and of two, the second beside the first or beneath it.
pub fn one_or_two(forms: &[Form]) -> Vec<Value> {
    [one(forms), two(forms)].concat()
}

/// Every tree of one node.
pub fn one(forms: &[Form]) -> Vec<Value> {
    forms.iter().map(|form| policy(&[form.node("a")])).collect()
}

/// Every tree of two nodes.
pub fn two(forms: &[Form]) -> Vec<Value> {
    let pairs = forms.iter().flat_map(|a| forms.iter().map(move |b| (a.node("a"), b.node("b"))));
    let trees = pairs.flat_map(|(a, b)| {
        let mut above = a.clone();
        above["children"] = json!([b]);
        [policy(&[a, b]), policy(&[above])]
    });
    trees.collect()
}

/// Everybody may do with jobs what costs up to five.
fn policy(permissions: &[Value]) -> Value {
    json!({
        "format": 1,
        "catalogue": {
            "permissions": permissions,
            "objects": {"job": {
                "relations": {"assignee": "user"}, "attributes": {"cost": "at_most"}}}},
        "global": {"bounds": {"job.cost": 5}}})
}

/// Each policy with every one edge, of these fields, that can stand in its catalogue, from
/// any node or scope to any node, scope or threshold; some make cycles, which are refused.
pub fn with_edges(policies: &[Value], fields: &[&str]) -> Vec<Value> {
    policies.iter().flat_map(|policy| with_an_edge(policy, fields)).collect()
}

fn with_an_edge(policy: &Value, fields: &[&str]) -> Vec<Value> {
    let catalogue = Catalogue::new(policy);
    let mut all = Vec::new();
    for pointer in pointers(policy) {
        for to in actions(&catalogue) {
            for field in fields {
                let mut policy = policy.clone();
                policy.pointer_mut(&pointer).expect("a node or scope")[field] = json!([to]);
                all.push(policy);
            }
        }
    }
    all
}

/// The places of nodes that are no headings, and of scopes.
fn pointers(policy: &Value) -> Vec<String> {
    let roots = ["/catalogue/permissions/0", "/catalogue/permissions/1"];
    let nodes = roots.into_iter().map(str::to_owned);
    let nodes = nodes.chain(["/catalogue/permissions/0/children/0".to_owned()]);
    let with_scopes = nodes.flat_map(|node| {
        let scopes = [0, 1].map(|at| format!("{node}/scopes/{at}"));
        [node].into_iter().chain(scopes)
    });
    let is_there = |at: &String| policy.pointer(at).is_some_and(|it| it["heading"] != true);
    with_scopes.filter(is_there).collect()
}

fn actions(catalogue: &Catalogue) -> Vec<String> {
    let of = catalogue.nodes().flat_map(|(path, node)| match node.form {
        Kind::Heading => Vec::new(),
        Kind::Graded => node.levels[1..].iter().map(|level| format!("{path}:{level}")).collect(),
        Kind::Plain | Kind::Scoped | Kind::Scope => vec![path.to_owned()],
    });
    of.collect()
}

/// Every statement whose pattern matches a permission; of `levels`, one that has the level.
fn statements(catalogue: &Catalogue) -> Vec<Statement> {
    let of_nodes = catalogue
        .nodes()
        .flat_map(|(path, _)| ["", ".*", ".**"].map(|reach| format!("{path}{reach}")));
    let mut all = Vec::new();
    for pattern in ["*", "**"].map(str::to_owned).into_iter().chain(of_nodes) {
        let matched =
            catalogue.grantable().filter(|path| nearness(catalogue, &pattern, path).is_some());
        let matched: Vec<&str> = matched.collect();
        if matched.is_empty() {
            continue;
        }
        for field in ["allow", "except", "deny", "forbid"] {
            all.push(Statement { field, pattern: pattern.clone(), level: None });
        }
        let graded = matched.iter().find(|path| !catalogue.node(path).levels.is_empty());
        for level in graded.into_iter().flat_map(|path| &catalogue.node(path).levels) {
            let level = Some(level.clone());
            all.push(Statement { field: "levels", pattern: pattern.clone(), level });
        }
    }
    all
}

impl Small {
    pub fn new(policy: Value) -> Small {
        let catalogue = Catalogue::new(&policy);
        let graded = catalogue.nodes().filter(|(_, node)| node.form == Kind::Graded);
        Small {
            actions: actions(&catalogue),
            graded: graded.map(|(path, _)| path.to_owned()).collect(),
            statements: statements(&catalogue),
            on_jobs: catalogue.nodes().any(|(_, node)| node.kind.is_some()),
            policy,
        }
    }

    /// Every source of one statement.
    pub fn sources_of_one(&self) -> Vec<Value> {
        self.statements.iter().filter_map(|statement| source(&[statement])).collect()
    }

    /// Every source of one statement or of two different ones.
    pub fn sources_of_two(&self) -> Vec<Value> {
        let mut all = self.sources_of_one();
        for (at, first) in self.statements.iter().enumerate() {
            let later = self.statements[at + 1..].iter();
            all.extend(later.filter_map(|second| source(&[first, second])));
        }
        all
    }
}

/// A source of these statements; `None` if it would need two levels for one pattern.
fn source(statements: &[&Statement]) -> Option<Value> {
    let mut source = json!({});
    for Statement { field, pattern, level } in statements {
        match level {
            Some(level) => {
                if source[field].get(pattern).is_some() {
                    return None;
                }
                source[field][pattern] = json!(level);
            }
            None => match source[field].as_array_mut() {
                Some(list) => list.push(json!(pattern)),
                None => source[field] = json!([pattern]),
            },
        }
    }
    Some(source)
}

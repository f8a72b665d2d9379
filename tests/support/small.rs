//! All that is small: every catalogue of a few nodes, and everything that a source
//! can say about one.
//!
//! Nothing is left out because it is like something else. Nodes differ only in
//! their places in the document: they are `a` to `d`, in its order.

use std::collections::BTreeSet;

use grantree::Document;
use grantree::document::{
    Accepted, BoundType, Map, ObjectKind, PermissionNode, RelationType, Scope, Statements,
};
use grantree::object::RelationState::{Me, None as Nobody, Other};

use crate::oracle::catalogue::{Catalogue, Form as Kind};
use crate::oracle::source::nearness;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Heading,
    Plain,
    /// `none`, `read` and `write`.
    Graded,
    /// `none` and `write`: statements of `read` pass over it.
    Switch,
    /// On a job, `mine` or `others`.
    Scoped,
    /// On a job, whatever that is.
    OnJob,
    /// On a job, with a check of its own.
    Checked,
    /// On an order; nothing constrains orders.
    OnOrder,
}

/// A tree of nodes, in the order of the document, some of which have a feature.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The node above each.
    above: Vec<Option<usize>>,
    forms: Vec<Form>,
    featured: Vec<bool>,
}

/// `from` requires or implies `to`, which may be a threshold.
#[derive(Clone, Debug)]
pub struct Edge {
    from: String,
    implies: bool,
    to: String,
}

/// Every tree of that many nodes of these forms, without features.
pub fn trees(nodes: usize, forms: &[Form]) -> Vec<Tree> {
    let mut all = Vec::new();
    for above in shapes(nodes) {
        for forms in tuples(nodes, forms) {
            all.push(Tree { above: above.clone(), forms, featured: vec![false; nodes] });
        }
    }
    all
}

/// The tree with a feature at every choice of its nodes, and at none.
pub fn with_features(tree: &Tree) -> Vec<Tree> {
    let choices = tuples(tree.forms.len(), &[false, true]);
    choices.into_iter().map(|featured| Tree { featured, ..tree.clone() }).collect()
}

/// Every shape: the node above each. In the order of the document, a node is
/// beneath the one before it, or beneath one of those that this one is beneath, or
/// a root.
fn shapes(nodes: usize) -> Vec<Vec<Option<usize>>> {
    let Some(last) = nodes.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let mut all = Vec::new();
    for shape in shapes(last) {
        let mut above = last.checked_sub(1);
        loop {
            all.push([&shape[..], &[above]].concat());
            match above {
                Some(node) => above = shape[node],
                None => break,
            }
        }
    }
    all
}

/// Every list of that many of these.
fn tuples<T: Clone>(length: usize, of: &[T]) -> Vec<Vec<T>> {
    (0..length).fold(vec![Vec::new()], |shorter, _| {
        let longer = |list: &Vec<T>| {
            let list = list.clone();
            of.iter().map(move |item| [&list[..], std::slice::from_ref(item)].concat())
        };
        shorter.iter().flat_map(longer).collect()
    })
}

/// Every set of at most that many of these.
pub fn subsets<T: Clone>(of: &[T], at_most: usize) -> Vec<Vec<T>> {
    let mut all = vec![Vec::new()];
    if at_most == 0 {
        return all;
    }
    for (at, first) in of.iter().enumerate() {
        for mut rest in subsets(&of[at + 1..], at_most - 1) {
            rest.insert(0, first.clone());
            all.push(rest);
        }
    }
    all
}

impl Tree {
    /// The tree as a document that has nothing else.
    pub fn document(&self, edges: &[Edge]) -> Document {
        let mut document = Document::default();
        document.catalogue.permissions = self.beneath(None, "", edges);
        document.catalogue.objects = Map::from_iter([
            (
                "job",
                ObjectKind {
                    relations: Map::from_iter([("assignee", RelationType::User)]),
                    attributes: Map::from_iter([("cost", BoundType::AtMost)]),
                    ..ObjectKind::default()
                },
            ),
            ("order", ObjectKind::default()),
        ]);
        document
    }

    fn beneath(&self, above: Option<usize>, base: &str, edges: &[Edge]) -> Vec<PermissionNode> {
        let children = (0..self.forms.len()).filter(|&node| self.above[node] == above);
        children
            .map(|node| {
                let key = ["a", "b", "c", "d"][node];
                let path = format!("{base}{key}");
                let form = self.forms[node];
                let levels: &[&str] = match form {
                    Form::Graded => &["none", "read", "write"],
                    Form::Switch => &["none", "write"],
                    _ => &[],
                };
                let levels: Vec<String> = levels.iter().map(|&level| level.into()).collect();
                let scopes = [
                    ("mine", Accepted::from(Me)),
                    ("others", [Other, Nobody].into_iter().collect()),
                ];
                let scope = |(key, states): (&str, _)| Scope {
                    key: key.into(),
                    when: Map::from_iter([("assignee", states)]),
                    requires: named(edges, &format!("{path}.{key}"), false),
                    implies: named(edges, &format!("{path}.{key}"), true),
                    ..Scope::default()
                };
                PermissionNode {
                    key: key.into(),
                    heading: form == Form::Heading,
                    feature: self.featured[node].then(|| "extra".into()),
                    object: match form {
                        Form::Scoped | Form::OnJob | Form::Checked => Some("job".into()),
                        Form::OnOrder => Some("order".into()),
                        _ => None,
                    },
                    checks: (form == Form::Checked).then(|| "cost".into()).into_iter().collect(),
                    levels: (!levels.is_empty()).then_some(levels),
                    requires: named(edges, &path, false),
                    implies: named(edges, &path, true),
                    scopes: match form {
                        Form::Scoped => scopes.into_iter().map(scope).collect(),
                        _ => Vec::new(),
                    },
                    children: self.beneath(Some(node), &format!("{path}."), edges),
                    ..PermissionNode::default()
                }
            })
            .collect()
    }
}

fn named(edges: &[Edge], from: &str, implies: bool) -> Vec<String> {
    let edges = edges.iter().filter(|edge| edge.from == from && edge.implies == implies);
    edges.map(|edge| edge.to.clone()).collect()
}

/// Every edge that there can be between the nodes, scopes and thresholds of a
/// catalogue, cycles of one among them.
pub fn edges(catalogue: &Catalogue) -> Vec<Edge> {
    let mut all = Vec::new();
    for (from, node) in catalogue.nodes() {
        for to in actions(catalogue).iter().filter(|_| node.form != Kind::Heading) {
            let edge = |implies| Edge { from: from.to_owned(), implies, to: to.clone() };
            all.push(edge(false));
            if catalogue.get(to).is_none_or(|node| node.form != Kind::Scoped) {
                all.push(edge(true));
            }
        }
    }
    all
}

/// Whether "`requires` and gate parents together form no cycle, a scoped node
/// counting as answering to its scopes".
pub fn is_acyclic(catalogue: &Catalogue) -> bool {
    let mut fine = BTreeSet::new();
    // A node that only answers to nodes on no cycle is on none.
    loop {
        let fine_too: Vec<&str> = catalogue
            .nodes()
            .map(|(path, _)| path)
            .filter(|path| !fine.contains(*path))
            .filter(|path| {
                let gates = catalogue.gates(path);
                gates.iter().all(|gate| fine.contains(&gate.path))
                    && catalogue.scopes(path).iter().all(|scope| fine.contains(*scope))
            })
            .collect();
        if fine_too.is_empty() {
            return catalogue.nodes().all(|(path, _)| fine.contains(path));
        }
        fine.extend(fine_too.into_iter().map(str::to_owned));
    }
}

/// All that can be asked for: nodes, scopes, and thresholds by their levels.
pub fn actions(catalogue: &Catalogue) -> Vec<String> {
    let of = catalogue.nodes().flat_map(|(path, node)| match node.form {
        Kind::Heading => Vec::new(),
        Kind::Graded => node.levels[1..].iter().map(|level| format!("{path}:{level}")).collect(),
        Kind::Plain | Kind::Scoped | Kind::Scope => vec![path.to_owned()],
    });
    of.collect()
}

/// One thing that a source says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Statement {
    Allow(String),
    Except(String),
    Deny(String),
    Forbid(String),
    Level(String, String),
}

impl Statement {
    /// Adds it to a source, unless that has another level for the pattern: there can be
    /// only one.
    pub fn say(&self, by: &mut Statements) -> bool {
        match self {
            Statement::Allow(pattern) => by.allow.push(pattern.clone()),
            Statement::Except(pattern) => by.except.push(pattern.clone()),
            Statement::Deny(pattern) => by.deny.push(pattern.clone()),
            Statement::Forbid(pattern) => by.forbid.push(pattern.clone()),
            Statement::Level(pattern, _) if by.levels.get(pattern).is_some() => return false,
            Statement::Level(pattern, level) => by.levels.push(pattern, level.clone()),
        }
        true
    }
}

/// Everything that a source can say with one pattern.
pub fn statements(catalogue: &Catalogue) -> Vec<Statement> {
    let mut patterns = vec!["*".to_owned(), "**".to_owned()];
    for (path, _) in catalogue.nodes() {
        patterns.extend(["", ".*", ".**"].map(|reach| format!("{path}{reach}")));
    }
    let mut all = Vec::new();
    for pattern in patterns {
        let matched: Vec<&str> = catalogue
            .grantable()
            .filter(|path| nearness(catalogue, &pattern, path).is_some())
            .collect();
        if matched.is_empty() {
            continue;
        }
        all.push(Statement::Allow(pattern.clone()));
        all.push(Statement::Except(pattern.clone()));
        all.push(Statement::Deny(pattern.clone()));
        all.push(Statement::Forbid(pattern.clone()));
        let levels: BTreeSet<&String> =
            matched.iter().flat_map(|path| &catalogue.node(path).levels).collect();
        all.extend(
            levels.into_iter().map(|level| Statement::Level(pattern.clone(), level.clone())),
        );
    }
    all
}

/// Everything that a source can make of a catalogue, permission by permission:
/// nothing, a denial, a forbid, or a level; of one that is not graded, an allow.
pub fn layers(catalogue: &Catalogue) -> Vec<Vec<Statement>> {
    let mut all = vec![Vec::new()];
    for path in catalogue.grantable() {
        let path = path.to_owned();
        let mut said = vec![Statement::Deny(path.clone()), Statement::Forbid(path.clone())];
        let levels = catalogue.node(&path).levels.iter();
        said.extend(levels.map(|level| Statement::Level(path.clone(), level.clone())));
        if catalogue.node(&path).form != Kind::Graded {
            said.push(Statement::Allow(path));
        }
        let more = |layer: &Vec<Statement>| {
            let layer = layer.clone();
            said.iter().map(move |said| [&layer[..], std::slice::from_ref(said)].concat())
        };
        let more: Vec<_> = all.iter().flat_map(more).collect();
        all.extend(more);
    }
    all
}

/// A source that says these.
pub fn source(said: &[Statement]) -> Statements {
    let mut source = Statements::default();
    for statement in said {
        statement.say(&mut source);
    }
    source
}

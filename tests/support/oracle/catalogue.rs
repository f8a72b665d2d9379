//! The catalogue, every permission by its path (section 2).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::json::{entries, is_true, items, list, text};

/// The form of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Heading,
    Plain,
    Graded,
    Scoped,
    Scope,
}

/// A node or a scope.
pub struct Node {
    pub form: Form,
    /// The parent for patterns and features: the node above it, and of a scope its
    /// scoped node.
    pub above: Option<String>,
    /// The parent for gates: the nearest node above it that is no heading, and of a
    /// scope the gate parent of its scoped node.
    pub gate: Option<String>,
    pub feature: Option<String>,
    /// The kind of object that it is exercised on, named or inherited.
    pub kind: Option<String>,
    /// The attributes that it checks: its kind's, then its own.
    pub checks: Vec<String>,
    /// Of a graded permission, the lowest first.
    pub levels: Vec<String>,
    /// Required by the node; of a scope, by its scoped node.
    pub requires: Vec<String>,
    /// Required by a scope itself, besides.
    pub scope_requires: Vec<String>,
    /// Implied by the node; of a scope, by its scoped node too.
    pub implies: Vec<String>,
    /// The conditions of a scope.
    pub when: Vec<(String, Value)>,
    /// The paths that it had before.
    was: Vec<String>,
}

/// A permission as something needs it: from which level on. One that is not graded has
/// two levels, nothing (0) and granted (1), so that `path` alone means level 1 of either.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    pub path: String,
    pub level: usize,
}

impl Need {
    pub fn plain(path: &str) -> Need {
        Need { path: path.to_owned(), level: 1 }
    }
}

/// A level by path; only levels above the lowest stand in it.
pub type Levels = BTreeMap<String, usize>;

/// A kind of object.
pub struct Kind {
    /// The type of each relation.
    pub relations: BTreeMap<String, String>,
    /// The type of each attribute.
    pub attributes: BTreeMap<String, String>,
    checks: Vec<String>,
}

/// All nodes and scopes by path, the kinds, and the features that are licensed.
pub struct Catalogue {
    nodes: BTreeMap<String, Node>,
    pub kinds: BTreeMap<String, Kind>,
    features: BTreeSet<String>,
}

impl Catalogue {
    pub fn new(policy: &Value) -> Catalogue {
        let document = &policy["catalogue"];
        let mut catalogue = Catalogue {
            nodes: BTreeMap::new(),
            kinds: entries(&document["objects"])
                .map(|(name, kind)| (name.to_owned(), Kind::read(kind)))
                .collect(),
            features: licensed_features(policy),
        };
        for root in items(document, "permissions") {
            catalogue.add(root, None, None);
        }
        catalogue
    }

    fn add(&mut self, permission: &Value, above: Option<&str>, gate: Option<&str>) {
        let path = join(above, permission);
        let heading = is_true(permission, "heading");
        // "A permission that names none takes its gate parent's."
        let inherited = gate.and_then(|gate| self.nodes[gate].kind.clone());
        let kind = text(permission, "object").or(inherited).filter(|_| !heading);
        // "The bounds that *every* permission on this kind must satisfy."
        let kind_checks = kind.as_ref().map(|kind| self.kinds[kind].checks.clone());
        let node = Node {
            form: form(permission),
            above: above.map(str::to_owned),
            gate: gate.map(str::to_owned),
            feature: text(permission, "feature"),
            checks: [kind_checks.unwrap_or_default(), list(permission, "checks")].concat(),
            kind,
            levels: list(permission, "levels"),
            requires: list(permission, "requires"),
            scope_requires: Vec::new(),
            implies: list(permission, "implies"),
            when: Vec::new(),
            was: list(permission, "was"),
        };
        for scope in items(permission, "scopes") {
            self.nodes.insert(join(Some(&path), scope), Node::scope(scope, &path, &node));
        }
        self.nodes.insert(path.clone(), node);
        // A heading "gates nothing: its children answer to its own gate parent".
        let gate = if heading { gate } else { Some(path.as_str()) };
        for child in items(permission, "children") {
            self.add(child, Some(&path), gate);
        }
    }

    pub fn nodes(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.nodes.iter().map(|(path, node)| (path.as_str(), node))
    }

    pub fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path)
    }

    pub fn node(&self, path: &str) -> &Node {
        &self.nodes[path]
    }

    /// The permissions that had a path before.
    pub fn formerly(&self, path: &str) -> Vec<String> {
        let had = self.nodes().filter(|(_, node)| node.was.iter().any(|was| was == path));
        had.map(|(path, _)| path.to_owned()).collect()
    }

    /// The scopes of a scoped node.
    pub fn scopes(&self, scoped: &str) -> Vec<&str> {
        let beneath = self.beneath(scoped);
        let own = beneath
            .filter(|(_, node)| node.form == Form::Scope && node.above.as_deref() == Some(scoped));
        own.map(|(path, _)| path).collect()
    }

    /// The nodes and scopes beneath a node.
    pub fn beneath(&self, base: &str) -> impl Iterator<Item = (&str, &Node)> {
        let within = format!("{base}.");
        self.nodes
            .range(within.clone()..)
            .take_while(move |(path, _)| path.starts_with(&within))
            .map(|(path, node)| (path.as_str(), node))
    }

    /// The permissions that can be granted: neither headings nor scoped nodes.
    pub fn grantable(&self) -> impl Iterator<Item = &str> {
        let nodes = self.nodes();
        nodes
            .filter(|(_, node)| !matches!(node.form, Form::Heading | Form::Scoped))
            .map(|(path, _)| path)
    }

    /// The highest level of a permission.
    pub fn highest(&self, path: &str) -> usize {
        match self.node(path).form {
            Form::Graded => self.node(path).levels.len() - 1,
            _ => 1,
        }
    }

    /// Reads `path` or `path:level`: "`path` alone means the second level". `None` for
    /// "an unknown permission, … a heading, or a level that the permission has not
    /// above its lowest".
    pub fn need(&self, text: &str) -> Option<Need> {
        let (path, level) = match text.split_once(':') {
            Some((path, level)) => (path, Some(level)),
            None => (text, None),
        };
        let node = self.get(path)?;
        if node.form == Form::Heading {
            return None;
        }
        let level = match level {
            None => 1,
            Some(level) => node.levels.iter().position(|known| known == level)?,
        };
        (level > 0).then(|| Need { path: path.to_owned(), level })
    }

    /// The gates of a permission: its gate parent and everything that it requires.
    pub fn gates(&self, path: &str) -> Vec<Need> {
        [self.node_gates(path), self.scope_gates(path)].concat()
    }

    /// The gates of a node, and of a scope those that it has from its scoped node.
    pub fn node_gates(&self, path: &str) -> Vec<Need> {
        let node = self.node(path);
        let parent = node.gate.iter().map(|gate| Need::plain(gate));
        parent.chain(self.needs(&node.requires)).collect()
    }

    /// The requirements of a scope itself; none of a node.
    pub fn scope_gates(&self, path: &str) -> Vec<Need> {
        self.needs(&self.node(path).scope_requires)
    }

    /// The permissions that one implies, each at the level that it grants.
    pub fn implied(&self, path: &str) -> Vec<Need> {
        self.needs(&self.node(path).implies)
    }

    fn needs(&self, list: &[String]) -> Vec<Need> {
        list.iter().map(|text| self.need(text).expect("a known permission")).collect()
    }

    /// "It and all beneath it exist only under a licence that has the feature."
    pub fn is_licensed(&self, path: &str) -> bool {
        let node = self.node(path);
        node.feature.as_ref().is_none_or(|feature| self.features.contains(feature))
            && node.above.as_deref().is_none_or(|above| self.is_licensed(above))
    }

    /// Returns `true` if the licence has a feature.
    pub fn has_feature(&self, feature: &str) -> bool {
        self.features.contains(feature)
    }

    /// Every feature that a permission needs.
    pub fn all_features(&self) -> BTreeSet<String> {
        self.nodes().filter_map(|(_, node)| node.feature.clone()).collect()
    }

    /// The levels at which a need is met: of a graded permission its own, and "a scoped
    /// node is effective where any of its scopes is". Each of those that meet it is a
    /// *door*: a scope, or the permission itself.
    pub fn doors(&self, need: &Need, levels: &Levels) -> Vec<Need> {
        let doors = match self.node(&need.path).form {
            Form::Scoped => self.scopes(&need.path).into_iter().map(Need::plain).collect(),
            _ => vec![need.clone()],
        };
        let is_met = |door: &Need| levels.get(&door.path).is_some_and(|&it| it >= door.level);
        doors.into_iter().filter(is_met).collect()
    }

    /// Returns `true` if a need is met.
    pub fn is_met(&self, need: &Need, levels: &Levels) -> bool {
        !self.doors(need, levels).is_empty()
    }
}

impl Kind {
    fn read(kind: &Value) -> Kind {
        let types = |map: &Value| {
            entries(map)
                .map(|(name, of)| (name.to_owned(), of.as_str().expect("a type").to_owned()))
                .collect()
        };
        Kind {
            relations: types(&kind["relations"]),
            attributes: types(&kind["attributes"]),
            checks: list(kind, "checks"),
        }
    }
}

impl Node {
    /// "What it `requires` and `implies`, its `feature` and `checks` hold for each scope."
    fn scope(scope: &Value, scoped: &str, node: &Node) -> Node {
        Node {
            form: Form::Scope,
            above: Some(scoped.to_owned()),
            gate: node.gate.clone(),
            feature: None,
            kind: node.kind.clone(),
            checks: node.checks.clone(),
            levels: Vec::new(),
            requires: node.requires.clone(),
            scope_requires: list(scope, "requires"),
            implies: [node.implies.clone(), list(scope, "implies")].concat(),
            when: entries(&scope["when"])
                .map(|(name, accepted)| (name.to_owned(), accepted.clone()))
                .collect(),
            was: list(scope, "was"),
        }
    }
}

fn form(permission: &Value) -> Form {
    if is_true(permission, "heading") {
        Form::Heading
    } else if !list(permission, "levels").is_empty() {
        Form::Graded
    } else if items(permission, "scopes").next().is_some() {
        Form::Scoped
    } else {
        Form::Plain
    }
}

fn join(above: Option<&str>, node: &Value) -> String {
    let key = node["key"].as_str().expect("a key");
    match above {
        Some(above) => format!("{above}.{key}"),
        None => key.to_owned(),
    }
}

/// "The document's `licence` names an edition and extra features; no licence, no
/// features."
fn licensed_features(policy: &Value) -> BTreeSet<String> {
    let licence = &policy["licence"];
    let mut features: BTreeSet<String> = list(licence, "features").into_iter().collect();
    let mut editions = Vec::from_iter(text(licence, "edition"));
    let mut at = 0;
    while let Some(name) = editions.get(at) {
        let edition = &policy["catalogue"]["editions"][name];
        features.extend(list(edition, "features"));
        let included = list(edition, "includes");
        editions.extend(included);
        at += 1;
    }
    features
}

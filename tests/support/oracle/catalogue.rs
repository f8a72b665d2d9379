//! The catalogue, every permission by its path (design, section 2).

use std::collections::{BTreeMap, BTreeSet};

use grantree::Document;
use grantree::document::{Accepted, Map, ObjectKind, PermissionNode};

/// What kind of node a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    Heading,
    Plain,
    Graded,
    Scoped,
    Scope,
}

/// A node or a scope.
pub struct Node<'a> {
    pub form: Form,
    /// Its parent for patterns and features: the node above it, and of a scope
    /// its scoped node.
    pub above: Option<String>,
    /// Its parent for gates: the nearest node above it that is no heading, and
    /// of a scope the gate parent of its scoped node.
    pub gate: Option<String>,
    /// The feature that it names.
    pub feature: Option<&'a str>,
    /// The kind of object that it is exercised on, named or inherited.
    pub kind: Option<&'a str>,
    /// The attributes that it checks: its kind's, then its own.
    pub checks: Vec<&'a str>,
    /// Of a graded permission.
    pub levels: &'a [String],
    /// What it requires; of a scope, what its scoped node requires.
    pub requires: &'a [String],
    /// What a scope itself requires, besides.
    pub scope_requires: &'a [String],
    /// What it implies; of a scope, what its scoped node implies too.
    pub implies: Vec<&'a str>,
    /// Of a scope.
    pub when: Option<&'a Map<Accepted>>,
}

/// A permission as something needs it: from which level on. One that is not
/// graded has two levels, nothing (0) and granted (1), so that `path` alone
/// means level 1 of either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    pub path: String,
    pub level: usize,
}

impl Need {
    pub fn plain(path: &str) -> Need {
        Need { path: path.to_owned(), level: 1 }
    }
}

/// All nodes and scopes by path, and the features that are licensed.
pub struct Catalogue<'a> {
    nodes: BTreeMap<String, Node<'a>>,
    features: BTreeSet<&'a str>,
}

impl<'a> Catalogue<'a> {
    pub fn new(document: &'a Document) -> Catalogue<'a> {
        let mut catalogue =
            Catalogue { nodes: BTreeMap::new(), features: licensed_features(document) };
        for root in &document.catalogue.permissions {
            catalogue.add(&document.catalogue.objects, root, None, None);
        }
        catalogue
    }

    fn add(
        &mut self,
        kinds: &'a Map<ObjectKind>,
        permission: &'a PermissionNode,
        above: Option<&str>,
        gate: Option<&str>,
    ) {
        let path = join(above, &permission.key);
        // "A permission that names none takes its gate parent's."
        let kind = match (&permission.object, gate) {
            _ if permission.heading => None,
            (Some(kind), _) => Some(kind.as_str()),
            (None, Some(gate)) => self.nodes[gate].kind,
            (None, None) => None,
        };
        let kind_checks =
            kind.map_or(&[][..], |kind| &kinds.get(kind).expect("a known kind").checks);
        let node = Node {
            form: match permission {
                PermissionNode { heading: true, .. } => Form::Heading,
                PermissionNode { levels: Some(_), .. } => Form::Graded,
                PermissionNode { scopes, .. } if !scopes.is_empty() => Form::Scoped,
                _ => Form::Plain,
            },
            above: above.map(str::to_owned),
            gate: gate.map(str::to_owned),
            feature: permission.feature.as_deref(),
            kind,
            checks: texts(kind_checks).chain(texts(&permission.checks)).collect(),
            levels: permission.levels.as_deref().unwrap_or_default(),
            requires: &permission.requires,
            scope_requires: &[],
            implies: texts(&permission.implies).collect(),
            when: None,
        };
        // "What it `requires` and `implies`, its `feature` and `checks` hold for
        // each scope."
        for scope in &permission.scopes {
            let scope_node = Node {
                form: Form::Scope,
                above: Some(path.clone()),
                gate: node.gate.clone(),
                feature: None,
                kind,
                checks: node.checks.clone(),
                levels: &[],
                requires: node.requires,
                scope_requires: &scope.requires,
                implies: texts(&permission.implies).chain(texts(&scope.implies)).collect(),
                when: Some(&scope.when),
            };
            self.nodes.insert(join(Some(&path), &scope.key), scope_node);
        }
        self.nodes.insert(path.clone(), node);
        // A heading "gates nothing: its children answer to its own gate parent".
        let gate = if permission.heading { gate } else { Some(path.as_str()) };
        for child in &permission.children {
            self.add(kinds, child, Some(&path), gate);
        }
    }

    pub fn nodes(&self) -> impl Iterator<Item = (&str, &Node<'a>)> {
        self.nodes.iter().map(|(path, node)| (path.as_str(), node))
    }

    pub fn get(&self, path: &str) -> Option<&Node<'a>> {
        self.nodes.get(path)
    }

    pub fn node(&self, path: &str) -> &Node<'a> {
        &self.nodes[path]
    }

    pub fn scopes(&self, scoped: &str) -> impl Iterator<Item = &str> {
        self.nodes()
            .filter(move |(_, node)| {
                node.form == Form::Scope && node.above.as_deref() == Some(scoped)
            })
            .map(|(path, _)| path)
    }

    /// What can be granted: neither headings nor scoped nodes.
    pub fn grantable(&self) -> impl Iterator<Item = &str> {
        self.nodes()
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

    /// Reads `path` or `path:level`: "effective where the user's level is that
    /// level or a higher one; `path` alone means the second level". `None` for
    /// what is unknown, for a heading, and for a level that the permission has
    /// not above its lowest.
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

    /// What has to be effective for a permission to be: its gate parent and all
    /// that it requires.
    pub fn gates(&self, path: &str) -> Vec<Need> {
        let mut gates = self.node_gates(path);
        gates.extend(self.own_requires(path));
        gates
    }

    /// The same of a node, and of a scope what it has from its scoped node.
    pub fn node_gates(&self, path: &str) -> Vec<Need> {
        let node = self.node(path);
        let mut gates: Vec<Need> = node.gate.iter().map(|gate| Need::plain(gate)).collect();
        gates.extend(self.needs(node.requires));
        gates
    }

    /// What a scope itself requires.
    pub fn own_requires(&self, path: &str) -> Vec<Need> {
        self.needs(self.node(path).scope_requires)
    }

    fn needs(&self, list: &[String]) -> Vec<Need> {
        list.iter().map(|text| self.need(text).expect("a known permission")).collect()
    }

    /// "`feature: name`: it and all beneath it exist only under a licence that
    /// has the feature."
    pub fn is_licensed(&self, path: &str) -> bool {
        let node = self.node(path);
        node.feature.is_none_or(|feature| self.features.contains(feature))
            && node.above.as_deref().is_none_or(|above| self.is_licensed(above))
    }

    /// Whether the licence has a feature.
    pub fn has_feature(&self, feature: &str) -> bool {
        self.features.contains(feature)
    }

    /// Rule 1: whether a pattern matches a permission, and how near it is: the
    /// longer base first, and on the same base exact (2) before `*` (1) before
    /// `**` (0).
    pub fn nearness(&self, pattern: &str, path: &str) -> Option<(usize, u8)> {
        let node = self.node(path);
        let (base, form) = match pattern.rsplit_once('.') {
            _ if pattern == "*" => (None, 1),
            _ if pattern == "**" => (None, 0),
            Some((base, "*")) => (Some(base), 1),
            Some((base, "**")) => (Some(base), 0),
            _ => (Some(pattern), 2),
        };
        let matches = match form {
            2 => base == Some(path),
            1 => base == node.above.as_deref(),
            _ => base.is_none_or(|base| path == base || is_beneath(path, base)),
        };
        if matches {
            return Some((base.map_or(0, |base| base.split('.').count()), form));
        }
        // "A pattern that matches a scoped node matches its scopes (its exact
        // path counting as `base.*` over them)."
        match (node.form, &node.above) {
            (Form::Scope, Some(scoped)) => {
                let (base, form) = self.nearness(pattern, scoped)?;
                Some((base, form.min(1)))
            }
            _ => None,
        }
    }
}

fn licensed_features(document: &Document) -> BTreeSet<&str> {
    let mut features: BTreeSet<&str> = texts(&document.licence.features).collect();
    let mut reached: Vec<&str> = document.licence.edition.as_deref().into_iter().collect();
    let mut at = 0;
    while let Some(name) = reached.get(at) {
        let edition = document.catalogue.editions.get(name).expect("a known edition");
        features.extend(texts(&edition.features));
        for included in &edition.includes {
            if !reached.contains(&included.as_str()) {
                reached.push(included);
            }
        }
        at += 1;
    }
    features
}

fn is_beneath(path: &str, base: &str) -> bool {
    path.strip_prefix(base).is_some_and(|rest| rest.starts_with('.'))
}

fn join(above: Option<&str>, key: &str) -> String {
    match above {
        Some(above) => format!("{above}.{key}"),
        None => key.to_owned(),
    }
}

pub fn texts(list: &[String]) -> impl Iterator<Item = &str> {
    list.iter().map(String::as_str)
}

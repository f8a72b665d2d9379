//! The roles of two clouds, as policies, if their tables are at hand.

#![allow(dead_code, reason = "benches and tests take what they need")]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use grantree::Document;
use grantree::document::{PermissionNode, Role, Source, Statements};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The roles of a cloud, as a policy without users.
pub struct Cloud {
    pub name: &'static str,
    pub document: Document,
    /// The path of each permission, by its number in the table.
    pub paths: Vec<String>,
    /// What the table says that each role grants, by its name in the policy.
    pub grants: Vec<(String, Vec<usize>)>,
}

/// Google's table: each role lists its permissions.
#[derive(Deserialize)]
pub struct Google {
    pub permissions: Vec<String>,
    pub roles: BTreeMap<String, Granted>,
}

#[derive(Deserialize)]
pub struct Granted {
    pub grants: Vec<usize>,
}

/// Azure's table: each role has patterns, and the permissions that these match.
#[derive(Deserialize)]
pub struct Azure {
    pub permissions: Vec<String>,
    pub roles: BTreeMap<String, Rules>,
}

#[derive(Deserialize)]
pub struct Rules {
    pub blocks: Vec<Block>,
    pub permits: Vec<usize>,
}

/// A role permits what any of its blocks permits: its actions but for those
/// that are not.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Block {
    pub actions: Vec<String>,
    pub not_actions: Vec<String>,
    pub data_actions: Vec<String>,
    pub not_data_actions: Vec<String>,
}

pub fn google() -> Option<Google> {
    read("gcp_iam/role_table.json")
}

pub fn azure() -> Option<Azure> {
    read("azure_rbac/role_rules.json")
}

/// A table beside the crate's directory; if there is none, says so.
fn read<T: DeserializeOwned>(file: &str) -> Option<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(file);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: there is no {file} in ../shared/data");
        return None;
    };
    Some(serde_json::from_str(&text).expect("a table of roles"))
}

impl Google {
    pub fn cloud(&self) -> Cloud {
        let paths = paths(&self.permissions);
        let statements = |granted: &Granted| Statements {
            allow: granted.grants.iter().map(|&at| paths[at].clone()).collect(),
            ..Statements::default()
        };
        let roles = self.roles.iter().map(|(name, granted)| (&**name, statements(granted)));
        let grants = self.roles.iter().map(|(name, granted)| (key(name), granted.grants.clone()));
        Cloud {
            name: "Google Cloud",
            document: document(&paths, roles),
            grants: grants.collect(),
            paths,
        }
    }
}

impl Azure {
    pub fn cloud(&self) -> Cloud {
        let paths = paths(&self.permissions);
        let translate = Translate::new(&self.permissions, &paths);
        let roles = self.roles.iter().map(|(name, rules)| (&**name, translate.rules(rules)));
        let grants = self.roles.iter().map(|(name, rules)| (key(name), rules.permits.clone()));
        Cloud { name: "Azure", document: document(&paths, roles), grants: grants.collect(), paths }
    }
}

impl Block {
    /// What is permitted and what is not, each beneath one root of the table.
    pub fn parts(&self) -> [(&'static str, &[String], &[String]); 2] {
        [
            ("ctl", &self.actions, &self.not_actions),
            ("data", &self.data_actions, &self.not_data_actions),
        ]
    }
}

/// A pattern of Azure's as the table would spell it, in lower case.
pub fn spelled(root: &str, pattern: &str) -> String {
    format!("{root}.{}", pattern.replace('.', "_").replace('/', ".").to_lowercase())
}

/// Whether a pattern matches a text, where `*` stands for any text.
pub fn covers(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(first) else {
        return false;
    };
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    ends.into_iter().any(|at| covers(rest, &text[at..]))
}

/// Azure's patterns as statements.
struct Translate<'t> {
    /// The permissions, in lower case.
    permissions: Vec<String>,
    by_name: HashMap<String, usize>,
    paths: &'t [String],
    /// The nodes above permissions, by their spelling in lower case.
    above: HashMap<String, &'t str>,
}

impl<'t> Translate<'t> {
    fn new(permissions: &[String], paths: &'t [String]) -> Translate<'t> {
        let lower = |(at, name): (usize, &String)| (name.to_lowercase(), at);
        let by_name: HashMap<String, usize> = permissions.iter().enumerate().map(lower).collect();
        let above = permissions.iter().zip(paths).flat_map(|(permission, path)| {
            let dots = permission.match_indices('.').zip(path.match_indices('.'));
            dots.map(|((its, _), dot)| (permission[..its].to_lowercase(), &path[..dot.0]))
        });
        let permissions = permissions.iter().map(|name| name.to_lowercase()).collect();
        Translate { permissions, by_name, paths, above: above.collect() }
    }

    fn matched(&self, pattern: &str) -> Vec<usize> {
        if !pattern.contains('*') {
            return self.by_name.get(pattern).copied().into_iter().collect();
        }
        let numbered = self.permissions.iter().enumerate();
        numbered.filter(|(_, name)| covers(pattern, name)).map(|(at, _)| at).collect()
    }

    /// The pattern for a whole subtree, if this one covers exactly that.
    fn subtree(&self, pattern: &str) -> Option<String> {
        let base = self.above.get(pattern.strip_suffix(".*")?)?;
        Some(format!("{base}.**"))
    }

    fn rules(&self, rules: &Rules) -> Statements {
        let permitted: HashSet<usize> = rules.permits.iter().copied().collect();
        let (mut allow, mut deny) = (BTreeSet::new(), BTreeSet::new());
        for (root, actions, not_actions) in rules.blocks.iter().flat_map(Block::parts) {
            let mut denied: HashSet<usize> = HashSet::new();
            for pattern in not_actions.iter().map(|pattern| spelled(root, pattern)) {
                let matched = self.matched(&pattern);
                denied.extend(&matched);
                match self.subtree(&pattern) {
                    Some(subtree) => drop(deny.insert(subtree)),
                    // What another block permits is not denied.
                    None => deny.extend(self.named(&matched, |at| !permitted.contains(&at))),
                }
            }
            for pattern in actions.iter().map(|pattern| spelled(root, pattern)) {
                let matched = self.matched(&pattern);
                // Here the nearest statement would win, so none is made for what is denied.
                let is_left = matched.iter().any(|at| !denied.contains(at));
                match self.subtree(&pattern) {
                    Some(subtree) if is_left => drop(allow.insert(subtree)),
                    _ => allow.extend(self.named(&matched, |at| !denied.contains(&at))),
                }
            }
        }
        Statements {
            allow: allow.into_iter().collect(),
            deny: deny.into_iter().collect(),
            ..Statements::default()
        }
    }

    fn named(&self, numbers: &[usize], keep: impl Fn(usize) -> bool) -> Vec<String> {
        let kept = numbers.iter().filter(|&&at| keep(at));
        kept.map(|&at| self.paths[at].clone()).collect()
    }
}

/// A name without characters that a key can't have.
fn key(name: &str) -> String {
    if name.is_empty() {
        return "_".to_owned();
    }
    let fits = |char: char| char.is_ascii_alphanumeric() || char == '-';
    name.chars().map(|char| if fits(char) { char } else { '_' }).collect()
}

/// The paths of a table's permissions in a catalogue. One that has others
/// beneath it does not gate them there, and so stands beside them.
fn paths(permissions: &[String]) -> Vec<String> {
    let path = |name: &String| name.split('.').map(key).collect::<Vec<_>>().join(".");
    let paths: Vec<String> = permissions.iter().map(path).collect();
    let dots = |path: &str| path.match_indices('.').map(|(dot, _)| dot).collect::<Vec<_>>();
    let above: HashSet<&str> =
        paths.iter().flat_map(|path| dots(path).into_iter().map(|dot| &path[..dot])).collect();
    let beside = |path: &String| match above.contains(&**path) {
        true => format!("{path}_"),
        false => path.clone(),
    };
    paths.iter().map(beside).collect()
}

/// A catalogue of those paths, headings above them, and roles.
fn document<'r>(paths: &[String], roles: impl Iterator<Item = (&'r str, Statements)>) -> Document {
    let mut split: Vec<Vec<&str>> = paths.iter().map(|path| path.split('.').collect()).collect();
    split.sort_unstable();
    let split: Vec<&[&str]> = split.iter().map(Vec::as_slice).collect();
    let mut document = Document::default();
    document.catalogue.permissions = tree(&split);
    for (name, statements) in roles {
        let source = Source { label: Some(name.to_owned()), statements, ..Source::default() };
        document.roles.push(key(name), Role { source, ..Role::default() });
    }
    document
}

/// The nodes of sorted paths.
fn tree(paths: &[&[&str]]) -> Vec<PermissionNode> {
    let alike = paths.chunk_by(|a, b| a[0] == b[0]);
    alike
        .map(|alike| {
            let beneath: Vec<&[&str]> =
                alike.iter().map(|path| &path[1..]).filter(|rest| !rest.is_empty()).collect();
            let children = tree(&beneath);
            let key = alike[0][0].to_owned();
            PermissionNode {
                key,
                heading: !children.is_empty(),
                children,
                ..PermissionNode::default()
            }
        })
        .collect()
}

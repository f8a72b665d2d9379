//! A policy, read.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;

use super::catalogue::Catalogue;
use super::json::{entries, is_true, list, text};
use super::source::Source;

/// Sources of one tier, in the order of rule 8.
pub type Tier = Vec<Rc<Source>>;

/// A policy, with its users as they stand in the document.
pub struct Policy {
    pub catalogue: Catalogue,
    pub global: Rc<Source>,
    pub profiles: BTreeMap<String, Rc<Source>>,
    pub roles: BTreeMap<String, Role>,
    pub approval_groups: BTreeMap<String, Rc<Source>>,
    pub settings: BTreeMap<String, Value>,
    pub users: BTreeMap<String, Value>,
    parents: BTreeMap<String, String>,
}

/// A role: its own statements, and the roles that it includes.
pub struct Role {
    source: Rc<Source>,
    pub includes: Vec<String>,
    pub unique: bool,
}

impl Policy {
    pub fn new(document: &Value) -> Policy {
        let catalogue = Catalogue::new(document);
        let source = |value: &Value| Rc::new(Source::read(&catalogue, value));
        let sources =
            |map: &Value| entries(map).map(|(name, it)| (name.to_owned(), source(it))).collect();
        let role = |value: &Value| Role {
            source: source(value),
            includes: list(value, "includes"),
            unique: is_true(value, "unique"),
        };
        Policy {
            global: source(&document["global"]),
            profiles: sources(&document["profiles"]),
            roles: entries(&document["roles"])
                .map(|(name, value)| (name.to_owned(), role(value)))
                .collect(),
            approval_groups: sources(&document["approval_groups"]),
            settings: owned(&document["catalogue"]["settings"]),
            users: owned(&document["users"]),
            parents: entries(&document["groups"])
                .filter_map(|(name, group)| Some((name.to_owned(), text(group, "parent")?)))
                .collect(),
            catalogue,
        }
    }

    /// The roles and approval groups that a user or an assignment holds. Rule 8: roles
    /// in order, "each role before those that it includes (depth first, first visit),
    /// approval groups last".
    pub fn role_tier(&self, holder: &Value) -> Tier {
        let roles = self.with_included(&list(holder, "roles"));
        let roles = roles.iter().map(|name| self.roles[name].source.clone());
        let groups = list(holder, "approval_groups");
        let groups = groups.iter().map(|name| self.approval_groups[name].clone());
        roles.chain(groups).collect()
    }

    /// Roles, and those that they include, transitively.
    pub fn with_included(&self, roles: &[String]) -> Vec<String> {
        let mut visited = Vec::new();
        for role in roles {
            self.visit(role, &mut visited);
        }
        visited
    }

    fn visit(&self, role: &str, visited: &mut Vec<String>) {
        if visited.iter().any(|known| known == role) {
            return;
        }
        visited.push(role.to_owned());
        for included in &self.roles[role].includes {
            self.visit(included, visited);
        }
    }

    /// Groups, and all declared ones beneath them.
    pub fn with_beneath(&self, groups: &[String]) -> BTreeSet<String> {
        let is_beneath = |group: &&String| groups.iter().any(|above| self.is_within(group, above));
        let beneath = self.parents.keys().filter(is_beneath);
        groups.iter().chain(beneath).cloned().collect()
    }

    /// Returns `true` for a group itself and for a group beneath it.
    pub fn is_within(&self, group: &str, above: &str) -> bool {
        let parent = self.parents.get(group);
        group == above || parent.is_some_and(|parent| self.is_within(parent, above))
    }
}

fn owned(map: &Value) -> BTreeMap<String, Value> {
    entries(map).map(|(name, value)| (name.to_owned(), value.clone())).collect()
}

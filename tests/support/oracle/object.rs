//! Permissions on one object: rule 7.

use std::iter;

use serde_json::Value;

use super::bound::passes;
use super::capacity::Capacity;
use super::catalogue::{Catalogue, Form, Need};
use super::date::Today;
use super::json::texts;
use super::person::Person;
use super::policy::Policy;
use super::reason::Reason;

/// An asker in one capacity, an object and a day.
pub struct Situation<'a> {
    pub policy: &'a Policy,
    pub person: &'a Person,
    pub capacity: &'a Capacity,
    pub object: &'a Value,
    pub today: Option<Today>,
}

/// "Needs an object: a permission on a kind where it, or a permission of the same kind
/// that it answers to in this way, has scopes or checks." A scope has what its scoped node
/// has. Through a scoped node of another kind it answers to what any scope requires.
pub fn needs_object(catalogue: &Catalogue, path: &str, kind: &str) -> bool {
    let node = catalogue.node(path);
    let is_split = matches!(node.form, Form::Scoped | Form::Scope);
    if node.kind.as_deref() == Some(kind) && (is_split || !node.checks.is_empty()) {
        return true;
    }
    // "A single scope named in `requires` need only be effective; nothing is followed
    // beyond it."
    gates_of_all(catalogue, path)
        .iter()
        .filter(|gate| catalogue.node(&gate.path).form != Form::Scope)
        .any(|gate| needs_object(catalogue, &gate.path, kind))
}

/// Returns `true` if a permission answers to another, "through gate parents and
/// `requires`".
pub fn answers_to(catalogue: &Catalogue, path: &str, other: &str) -> bool {
    gates_of_all(catalogue, path)
        .iter()
        .any(|gate| gate.path == other || answers_to(catalogue, &gate.path, other))
}

/// The gates of a permission, and of a scoped node those of every scope: "a scoped node
/// counting as answering to its scopes".
fn gates_of_all(catalogue: &Catalogue, path: &str) -> Vec<Need> {
    let of_scopes = catalogue.scopes(path).into_iter();
    let paths = iter::once(path).chain(of_scopes);
    paths.flat_map(|path| catalogue.gates(path)).collect()
}

impl Situation<'_> {
    /// The reason for an effective permission that is asked for on an object of its kind,
    /// through what the capacity answers.
    pub fn why(&self, need: &Need) -> Reason {
        self.why_through(need, self.catalogue().doors(need, self.capacity.answered()))
    }

    /// The first that applies of `no_scope`, `out_of_bounds` and `gated`, where one and the
    /// same door has to pass all three.
    fn why_through(&self, need: &Need, mut doors: Vec<Need>) -> Reason {
        // "It has scopes: the object carries what some effective scope's `when` asks …;
        // asked for one scope, that scope alone."
        doors.retain(|door| self.matches(door));
        if doors.is_empty() {
            return Reason::NoScope;
        }
        // "Every check holds, the kind's and then its own." For carried scopes by the
        // assignment's bounds, "for scopes one by one".
        doors.retain(|door| self.passes_checks(door));
        if doors.is_empty() {
            return Reason::OutOfBounds;
        }
        if self.is_passable(need, &doors) { Reason::Granted } else { Reason::GatedOnObject }
    }

    /// "What that scope itself requires is allowed as below", and "its gate parent and what
    /// it `requires`".
    fn is_passable(&self, need: &Need, doors: &[Need]) -> bool {
        let is_allowed = |gates: Vec<Need>| gates.iter().all(|gate| self.is_followed(gate));
        let gates_of = |door: &Need| self.catalogue().scope_gates(&door.path);
        doors.iter().any(|door| is_allowed(gates_of(door)))
            && is_allowed(self.catalogue().node_gates(&need.path))
    }

    /// "… are allowed *on this object*, where they are permissions on the same kind of
    /// object; where they are not, their own gates are followed in the same way. (A single
    /// scope named in `requires` need only be effective; nothing is followed beyond it.)"
    pub fn is_followed(&self, gate: &Need) -> bool {
        let node = self.catalogue().node(&gate.path);
        let doors = self.catalogue().doors(gate, &self.capacity.effective);
        if doors.is_empty() || node.form == Form::Scope {
            return !doors.is_empty();
        }
        if node.kind.as_deref() == self.object["kind"].as_str() {
            return self.why_through(gate, doors) == Reason::Granted;
        }
        // Of a scoped node on another kind some effective scope's requirements are
        // followed, though there is no object of that kind for its `when`.
        self.is_passable(gate, &doors)
    }

    fn catalogue(&self) -> &Catalogue {
        &self.policy.catalogue
    }

    /// "`when` maps relations to the states it accepts, and attributes to the values it
    /// accepts, all of which must hold." A door that is no scope asks nothing.
    fn matches(&self, door: &Need) -> bool {
        let node = self.catalogue().node(&door.path);
        node.when.iter().all(|(name, accepted)| self.accepts(name, accepted))
    }

    pub fn accepts(&self, name: &str, accepted: &Value) -> bool {
        let kind = self.object["kind"].as_str().expect("a kind");
        let kind = &self.catalogue().kinds[kind];
        if let Some(bound_type) = kind.attributes.get(name) {
            // "The attribute must satisfy it, and one that is missing or of the wrong type
            // does not."
            return passes(accepted, bound_type, self.attribute(name), self.today);
        }
        let Some(state) = self.state(name) else { return false };
        // One state may stand without a list.
        accepted == state
            || accepted.as_array().is_some_and(|list| list.iter().any(|it| it == state))
    }

    pub fn attribute(&self, name: &str) -> Option<&Value> {
        self.object["attributes"].get(name)
    }

    /// "A relation's state is `me` if it names the user (type user), or one of the user's
    /// groups or a group beneath one of them (type group); else `other` if it names
    /// anybody; else (an empty list) `none`. A relation that the object does not carry has
    /// no state and matches nothing."
    pub fn state(&self, relation: &str) -> Option<&'static str> {
        let kind = self.object["kind"].as_str().expect("a kind");
        let relation_type = self.catalogue().kinds[kind].relations[relation].as_str();
        let names = texts(self.object["relations"].get(relation)?);
        let is_me = |name: &String| match relation_type {
            "user" => *name == self.person.name,
            "group" => {
                let mut groups = self.person.groups.iter();
                groups.any(|group| self.policy.is_within(name, group))
            }
            _ => panic!("an unknown type: {relation_type}"),
        };
        Some(if names.iter().any(is_me) {
            "me"
        } else if names.is_empty() {
            "none"
        } else {
            "other"
        })
    }

    /// "The object's attribute satisfies the user's bound"; "a value passes that passes any
    /// of them"; "no bound stated: nothing passes".
    fn passes_checks(&self, door: &Need) -> bool {
        let catalogue = self.catalogue();
        let node = catalogue.node(&door.path);
        node.checks.iter().all(|attribute| {
            let kind = node.kind.as_ref().expect("checks are on a kind");
            let bound_type = &catalogue.kinds[kind].attributes[attribute];
            let value = self.attribute(attribute);
            let bounds = self.capacity.bounds(catalogue, door, attribute);
            bounds.iter().any(|bound| passes(bound, bound_type, value, self.today))
        })
    }
}

//! What a user may do with one object: rule 7.

use grantree::Date;
use grantree::document::{Accepted, BoundType, RelationType};
use grantree::object::{DynamicObject, Object, RelationState};

use super::Oracle;
use super::bound;
use super::catalogue::{Form, Need};
use super::holder::Holder;

/// What a question says of the object, and who asks.
pub struct Situation<'a> {
    pub holder: &'a Holder<'a>,
    pub object: &'a DynamicObject,
    pub today: Option<Date>,
}

impl Oracle<'_> {
    /// "Needs an object: a permission on a kind where it, or a permission of the
    /// same kind that it answers to in this way, has scopes or checks." A scope
    /// has what its scoped node has. Through a scoped node of another kind it
    /// answers to what any of the scopes requires.
    pub(super) fn needs_object(&self, path: &str, kind: &str) -> bool {
        let node = self.catalogue.node(path);
        let split = matches!(node.form, Form::Scoped | Form::Scope);
        if node.kind == Some(kind) && (split || !node.checks.is_empty()) {
            return true;
        }
        let mut gates = self.catalogue.gates(path);
        if node.form == Form::Scoped {
            for scope in self.catalogue.scopes(path) {
                gates.extend(self.catalogue.own_requires(scope));
            }
        }
        // "A single scope named in `requires` need only be effective; nothing is
        // followed beyond it."
        gates
            .iter()
            .filter(|need| self.catalogue.node(&need.path).form != Form::Scope)
            .any(|need| self.needs_object(&need.path, kind))
    }

    /// The code for an effective permission on an object of its kind: the first
    /// that applies of `no_scope`, `out_of_bounds` and `gated`, else `granted`.
    pub fn why_on(&self, path: &str, at: &Situation<'_>) -> &'static str {
        let node = self.catalogue.node(path);
        // "It has scopes: the object carries what some effective scope's `when`
        // asks …; asked for one scope, that scope alone."
        let has_scopes = matches!(node.form, Form::Scoped | Form::Scope);
        let mut scopes = self.effective_scopes(path, at.holder);
        scopes.retain(|scope| self.matches(scope, at));
        if has_scopes && scopes.is_empty() {
            return "no_scope";
        }
        // "Every check holds, the kind's and then its own."
        if !node.checks.iter().all(|attribute| self.holds(attribute, at)) {
            return "out_of_bounds";
        }
        // "… and what that scope itself requires is allowed as below": of one
        // and the same scope whose `when` matches.
        if has_scopes && !self.some_scope_is_open(&scopes, at) {
            return "gated";
        }
        if self.all_followed(&self.catalogue.node_gates(path), at) { "granted" } else { "gated" }
    }

    /// "Its gate parent and what it `requires` are allowed *on this object*,
    /// where they are permissions on the same kind of object; where they are
    /// not, their own gates are followed in the same way. (A single scope named
    /// in `requires` need only be effective; nothing is followed beyond it.)"
    pub fn is_followed(&self, need: &Need, at: &Situation<'_>) -> bool {
        let node = self.catalogue.node(&need.path);
        if !at.holder.has(&self.catalogue, need) {
            return false;
        }
        if node.form == Form::Scope {
            return true;
        }
        if node.kind == Some(at.object.kind()) {
            return self.why_on(&need.path, at) == "granted";
        }
        // The gates of a scoped node are also those of some effective scope,
        // though there is no object of that kind for its `when`: the safe
        // reading of "in the same way".
        let scopes = self.effective_scopes(&need.path, at.holder);
        (node.form != Form::Scoped || self.some_scope_is_open(&scopes, at))
            && self.all_followed(&self.catalogue.node_gates(&need.path), at)
    }

    fn all_followed(&self, needs: &[Need], at: &Situation<'_>) -> bool {
        needs.iter().all(|need| self.is_followed(need, at))
    }

    fn some_scope_is_open(&self, scopes: &[&str], at: &Situation<'_>) -> bool {
        scopes.iter().any(|scope| self.all_followed(&self.catalogue.own_requires(scope), at))
    }

    /// The effective ones of the scopes of a scoped node, or of a single scope.
    fn effective_scopes<'a>(&'a self, path: &'a str, holder: &Holder<'_>) -> Vec<&'a str> {
        let scopes: Vec<&str> = match self.catalogue.node(path).form {
            Form::Scoped => self.catalogue.scopes(path).collect(),
            Form::Scope => vec![path],
            _ => Vec::new(),
        };
        scopes.into_iter().filter(|scope| holder.effective.contains_key(*scope)).collect()
    }

    /// "`when` maps relations to the states it accepts, and attributes to the values it
    /// accepts, all of which must hold."
    fn matches(&self, scope: &str, at: &Situation<'_>) -> bool {
        let when = self.catalogue.node(scope).when.expect("a scope");
        when.iter().all(|(name, accepted)| self.accepts(accepted, name, at))
    }

    /// Whether a scope accepts the state of a relation or the value of an attribute.
    pub fn accepts(&self, accepted: &Accepted, name: &str, at: &Situation<'_>) -> bool {
        let kind = at.object.kind();
        let declared = self.document.catalogue.objects.get(kind).expect("a known kind");
        if declared.relations.get(name).is_none() {
            let value = at.object.attribute(name);
            return bound::accepts(accepted, self.bound_type(kind, name), value);
        }
        let state = match self.state(name, at) {
            Some(RelationState::Me) => "me",
            Some(RelationState::Other) => "other",
            Some(RelationState::None) => "none",
            None => return false,
        };
        match accepted {
            Accepted::State(accepted) => accepted == state,
            Accepted::OneOf(accepted) => accepted.iter().any(|accepted| accepted == state),
            other => panic!("no states: {other:?}"),
        }
    }

    /// "A relation's state is `me` if it names the user (type user), or one of
    /// the user's groups or a group beneath one of them (type group); else
    /// `other` if it names anybody; else (an empty list) `none`. A relation that
    /// the object does not carry has no state and matches nothing."
    pub fn state(&self, relation: &str, at: &Situation<'_>) -> Option<RelationState> {
        let names = at.object.related(relation)?;
        let kind = self.document.catalogue.objects.get(at.object.kind())?;
        let is_me = |name: &String| match kind.relations.get(relation) {
            Some(RelationType::User) => name == at.holder.name,
            Some(RelationType::Group) => at.holder.groups.contains(name.as_str()),
            None => panic!("an unknown relation: {relation}"),
        };
        Some(if names.iter().any(is_me) {
            RelationState::Me
        } else if names.is_empty() {
            RelationState::None
        } else {
            RelationState::Other
        })
    }

    /// "The object's attribute satisfies the user's bound": in the role tier "a
    /// value passes that passes any of them"; "no bound stated: nothing passes".
    fn holds(&self, attribute: &str, at: &Situation<'_>) -> bool {
        let kind = at.object.kind();
        let value = at.object.attribute(attribute);
        let bound_type = self.bound_type(kind, attribute);
        at.holder
            .bounds(kind, attribute)
            .into_iter()
            .any(|bound| bound::passes(bound, bound_type, value, at.today))
    }

    pub fn bound_type(&self, kind: &str, attribute: &str) -> BoundType {
        let kinds = &self.document.catalogue.objects;
        let kind = kinds.get(kind).expect("a known kind");
        *kind.attributes.get(attribute).expect("a known attribute")
    }
}

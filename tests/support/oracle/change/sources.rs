//! Changes of sources: creating, renaming, editing and deleting them.

use serde_json::{Map, Value, json};

use super::super::json::{entries, is_true, items, list, text};
use super::super::terms::fits;
use super::fit::{STATEMENTS, is_free_name};
use super::name::{self, Kind, Name};
use super::{Attempt, Given, Rule};

impl Attempt<'_> {
    /// "A new profile, role or approval group, empty or cloned. A clone keeps statements,
    /// `includes` and `assignable_by`; it is never protected, unique or a template."
    pub(super) fn create(&mut self, body: &Value) {
        let Some(source) = self.bundled(&body["source"]) else { return };
        self.need_for("create", source.kind);
        self.needs.spared_by = Some("escalate");
        self.refuse_if(!is_free_name(&source.name), Rule::Invalid);
        self.refuse_if(source.find(self.old).is_some(), Rule::Exists);
        let mut created = Map::new();
        if let Some(from) = body.get("from") {
            let from = Name::read(from);
            if from.kind != source.kind {
                return self.refuse(Rule::Invalid);
            }
            if !self.knows(&from) {
                return;
            }
            let origin = from.find(self.old).expect("a known source");
            for field in STATEMENTS.iter().chain(&["includes", "assignable_by"]) {
                if let Some(value) = origin.get(field) {
                    created.insert((*field).to_owned(), value.clone());
                }
            }
            // "A clone and an import state the `assignable_by` that they keep."
            self.states(origin);
            for role in list(origin, "includes") {
                self.includes(&role);
            }
        }
        source.put(&mut self.new, created.into());
        self.given.push(Given::Source(source));
    }

    /// Notes an `assignable_by`.
    pub(super) fn states(&mut self, source: &Value) {
        let is_guarded = source["assignable_by"].is_array();
        self.needs.stated.extend(is_guarded.then(|| list(source, "assignable_by")));
    }

    /// "Including a guarded role … needs the right to assign it", and what it includes.
    fn includes(&mut self, role: &str) {
        self.needs.rights.extend(Name::new(Kind::Role, role).with_included(&self.policy));
    }

    /// "Keeps every reference."
    pub(super) fn rename(&mut self, body: &Value) {
        let to = text(body, "to").expect("a name");
        let name = Name::read(&body["source"]);
        if name.kind == Kind::User {
            return self.rename_user(&name, &to);
        }
        let Some(source) = self.bundled(&body["source"]) else { return };
        self.need_for("rename", source.kind);
        self.refuse_if(!is_free_name(&to), Rule::Invalid);
        if !self.knows(&source) {
            return;
        }
        self.refuse_if(source.alike(&to).find(self.old).is_some(), Rule::Exists);
        self.must_be_unprotected(&source);
        self.needs.guarded.push(source.clone());
        self.rename_everywhere(&source, &to);
    }

    /// "`rename` follows into [assignments]."
    fn rename_everywhere(&mut self, source: &Name, to: &str) {
        let (kind, from) = (source.kind, source.name.as_str());
        let held = if kind == Kind::Profile { "profile" } else { kind.field() };
        for user in values(&mut self.new, "users") {
            name::rename_in(user, held, from, to);
            for assignment in values(user, "assignments") {
                name::rename_in(assignment, held, from, to);
            }
        }
        if kind == Kind::Profile {
            name::rename_in(&mut self.new, "default_profile", from, to);
        }
        if kind == Kind::Role {
            for other in Kind::BUNDLED {
                for body in values(&mut self.new, other.field()) {
                    for field in ["assignable_by", "includes", "demoted_to"] {
                        name::rename_in(body, field, from, to);
                    }
                }
            }
        }
        name::rename_key(&mut self.new[kind.field()], from, to);
    }

    fn rename_user(&mut self, user: &Name, to: &str) {
        self.need("rename_user");
        self.needs.escalates = true;
        self.needs.renames = true;
        self.refuse_if(!is_free_name(to), Rule::Invalid);
        if !self.concerns(&user.name) {
            return;
        }
        self.refuse_if(user.alike(to).find(self.old).is_some(), Rule::Exists);
        name::rename_key(&mut self.new["users"], &user.name, to);
        self.renamed = Some((user.name.clone(), to.to_owned()));
        // "A user's name [follows] into the relations to users that `on` names."
        let kinds = &self.policy.catalogue.kinds;
        for entry in values(&mut self.new, "users") {
            for assignment in values(entry, "assignments") {
                let Some(on) = assignment.get_mut("on") else { continue };
                // `*` may be of users for one kind and of something else for another.
                let others = on.as_object_mut().and_then(|on| on.remove("*"));
                if let Some(others) = others {
                    for (name, kind) in kinds {
                        let fit = entries(&others).all(|(name, it)| fits(kind, name, it));
                        if fit && on.get(name).is_none() {
                            on[name] = others.clone();
                        }
                    }
                }
                for (name, kind) in kinds {
                    let of_users = kind.relations.iter().filter(|(_, of)| *of == "user");
                    for (relation, _) in of_users {
                        if let Some(stated) = on.get_mut(name) {
                            name::rename_in(stated, relation, &user.name, to);
                        }
                    }
                }
            }
        }
    }

    pub(super) fn edit(&mut self, body: &Value) {
        let source = Name::read(&body["source"]);
        self.need_for("edit", source.kind);
        if source.kind.is_bundled() {
            self.needs.spared_by = Some("escalate");
            self.needs.guarded.push(source.clone());
            self.must_be_unprotected(&source);
        }
        let known = match source.kind {
            Kind::User => self.concerns(&source.name),
            _ => self.knows(&source),
        };
        self.given.push(match source.kind {
            Kind::User => Given::Own(source.name.clone()),
            _ => Given::Source(source.clone()),
        });
        // Even if the source is unknown, the ops are judged.
        let mut edited = source.find(self.old).filter(|_| known).cloned().unwrap_or(json!({}));
        if edited.is_null() {
            edited = json!({});
        }
        for op in items(body, "ops") {
            match op.get("set") {
                Some(set) => self.set(&source, &mut edited, set),
                None => self.op(&mut edited, op, is_true(body, "cascade")),
            }
        }
        if let Some(place) = source.find_mut(&mut self.new).filter(|_| known) {
            *place = edited;
        }
        self.must_have_no_ring_of_roles();
    }

    /// "`{"set": {…}}` for `label`, `description`, `template`, `includes`, `assignable_by`
    /// (null removes)", each of what has it.
    fn set(&mut self, source: &Name, edited: &mut Value, set: &Value) {
        let has = match source.kind {
            Kind::Global => &[][..],
            Kind::User => &["label", "description"],
            Kind::Role => &["label", "description", "template", "includes", "assignable_by"],
            _ => &["label", "description", "template", "assignable_by"],
        };
        for (field, value) in entries(set) {
            self.refuse_if(!has.contains(&field), Rule::Invalid);
            match field {
                "assignable_by" => {
                    for role in list(set, field) {
                        self.knows_role(&role);
                    }
                    self.states(set);
                    // "Changing its `assignable_by` needs the right to assign it."
                    if source.find(self.old).is_some_and(|it| it["assignable_by"].is_array()) {
                        self.needs.rights.push(source.clone());
                    }
                }
                "includes" => {
                    for role in list(set, field) {
                        self.knows_role(&role);
                        let unique = self.is_unique(&Name::new(Kind::Role, &role));
                        self.refuse_if(unique, Rule::Invalid);
                        self.includes(&role);
                    }
                }
                _ => {}
            }
            if value.is_null() || *value == json!(false) {
                name::remove(edited, field);
            } else {
                edited[field] = value.clone();
            }
        }
    }

    /// "`holders`, where users have it: `"refuse"` (the default), `"unassign"`,
    /// `{"reassign": "b"}`. What other sources or `default_profile` name is not deleted."
    pub(super) fn delete(&mut self, body: &Value) {
        let Some(source) = self.bundled(&body["source"]) else { return };
        self.need_for("delete", source.kind);
        let instead = text(&body["holders"], "reassign").map(|other| source.alike(&other));
        // Its holders would get what is deleted.
        self.refuse_if(instead.as_ref() == Some(&source), Rule::Invalid);
        if let Some(instead) = &instead {
            self.knows(instead);
        }
        if !self.knows(&source) {
            return;
        }
        self.must_be_unprotected(&source);
        self.needs.guarded.push(source.clone());
        // "Once held, is only transferred (not … the role deleted)."
        self.refuse_if(!self.unique_holders(&source).is_empty(), Rule::Unique);
        self.refuse_if(self.is_named_elsewhere(&source), Rule::InUse);
        let held_by = name::holders(self.old, &source);
        let assigned_to = name::assigned_to(self.old, &source);
        if !held_by.is_empty() || !assigned_to.is_empty() {
            let refuses = body.get("holders").is_none_or(|it| it == "refuse");
            if refuses {
                self.refuse(Rule::InUse);
            } else {
                self.take_from_holders(&source, instead.as_ref(), &held_by, &assigned_to);
            }
        }
        source.remove(&mut self.new);
    }

    /// "`delete` with holders [needs] what revoking and assigning need"; "a delete treats
    /// what assignments hold as held".
    fn take_from_holders(
        &mut self,
        source: &Name,
        instead: Option<&Name>,
        held_by: &[String],
        assigned_to: &[String],
    ) {
        self.need_for("revoke", source.kind);
        self.moves(source);
        for user in held_by.iter().chain(assigned_to) {
            self.concerns(user);
        }
        if let Some(instead) = instead {
            self.need_for("assign", source.kind);
            self.moves(instead);
            if self.is_unique(instead) {
                self.refuse_if(!assigned_to.is_empty(), Rule::Invalid);
                let mut all = name::holders(self.old, instead);
                all.extend(
                    held_by.iter().filter(|user| !all.contains(user)).cloned().collect::<Vec<_>>(),
                );
                self.refuse_if(all.len() > 1, Rule::Unique);
            }
        }
        let other = instead.map(|instead| instead.name.as_str());
        for user in held_by {
            name::take(&mut self.new["users"][user], source, other);
            self.given.extend(instead.map(|it| Given::To(user.clone(), it.clone())));
        }
        for user in assigned_to {
            let assignments = &mut self.new["users"][user]["assignments"];
            for (name, assignment) in assignments.as_object_mut().into_iter().flatten() {
                if source.is_held_by(assignment) {
                    name::take(assignment, source, other);
                    let given = Given::Assignment(user.clone(), name.clone());
                    self.given.extend(instead.map(|_| given));
                }
            }
            // "… and removes one that is left without roles, approval groups and statements".
            if let Some(assignments) = assignments.as_object_mut() {
                assignments
                    .retain(|_, it| !name::held(it).is_empty() || super::fit::has_statements(it));
            }
        }
    }

    fn is_named_elsewhere(&self, source: &Name) -> bool {
        if self.old["default_profile"] == *source.name && source.kind == Kind::Profile {
            return true;
        }
        let names = |body: &Value| {
            list(body, "assignable_by").contains(&source.name)
                || list(body, "includes").contains(&source.name)
                || body["demoted_to"] == *source.name
        };
        source.kind == Kind::Role
            && Kind::BUNDLED.into_iter().any(|kind| {
                let mut others = entries(&self.old[kind.field()]);
                others.any(|(name, body)| *source != Name::new(kind, name) && names(body))
            })
    }
}

/// The values of a map; none where it is absent.
fn values<'v>(holder: &'v mut Value, field: &str) -> impl Iterator<Item = &'v mut Value> + use<'v> {
    let map = holder.get_mut(field).and_then(Value::as_object_mut);
    map.into_iter().flatten().map(|(_, value)| value)
}

//! Changes of users and of what they have, of groups and of the licence.

use serde_json::{Map, Value, json};

use super::super::date::Today;
use super::super::json::{entries, is_true, list, text};
use super::super::terms::Terms;
use super::fit::{has_statements, is_free_name, is_name};
use super::name::{self, Kind, Name};
use super::{Attempt, Given, Rule, is_in_ring};

impl Attempt<'_> {
    /// "Without `profile`: `default_profile`; `null`: none."
    pub(super) fn add_user(&mut self, body: &Value) {
        let name = text(body, "user").expect("a name");
        self.need("add_user");
        self.refuse_if(!is_free_name(&name), Rule::Invalid);
        self.refuse_if(self.old["users"].get(&name).is_some(), Rule::Exists);
        let mut user: Map<String, Value> = body.as_object().expect("a map").clone();
        user.remove("user");
        let profile = user.remove("profile");
        let is_given = profile.is_some();
        let profile = profile.unwrap_or_else(|| self.old["default_profile"].clone());
        if profile.is_string() {
            user.insert("profile".to_owned(), profile);
        }
        let user = Value::Object(user);
        // "`add_user` with sources, statements, groups or assignments [needs] what assigning,
        // editing, `set_groups` and `set_assignment` need." The default profile is none of
        // them, but it is given: a guard on it holds.
        for source in name::held(&user) {
            self.given.push(Given::To(name.clone(), source.clone()));
            if is_given || source.kind != Kind::Profile {
                self.need_for("assign", source.kind);
            }
            if self.knows(&source) {
                self.moves(&source);
                self.refuse_if(!self.unique_holders(&source).is_empty(), Rule::Unique);
            }
        }
        if has_statements(&user) {
            self.need("edit_user");
            self.must_fit(&user);
            self.given.push(Given::Own(name.clone()));
        }
        let groups = list(&user, "groups");
        if !groups.is_empty() {
            self.need("set_groups");
            self.needs.groups.clone_from(&groups);
            self.refuse_if(!groups.iter().all(|group| is_free_name(group)), Rule::Invalid);
        }
        for (assignment, entry) in entries(&user["assignments"]) {
            self.need("set_assignment");
            self.refuse_if(!is_free_name(assignment), Rule::Invalid);
            self.must_be_an_assignment(entry);
            self.moves_content(entry);
            self.given.push(Given::Assignment(name.clone(), assignment.to_owned()));
        }
        if is_true(&user, "suspended") {
            self.need("set_suspended");
        }
        if is_true(&user, "admin") {
            self.need("set_admin");
            self.needs.for_admins = true;
        }
        self.needs.settled = Some((name.clone(), groups));
        self.new["users"][&name] = user;
        self.added = Some(name);
    }

    pub(super) fn remove_user(&mut self, name: &Value) {
        let name = name.as_str().expect("a name");
        self.need("remove_user");
        self.needs.displaces = true;
        if !self.concerns(name) {
            return;
        }
        for source in name::held(&self.old["users"][name]) {
            // "Once held, is only transferred (not …, nor its holder removed)."
            self.refuse_if(self.is_unique(&source), Rule::Unique);
        }
        Name::new(Kind::User, name).remove(&mut self.new);
    }

    /// The user and the source of an `assign` or a `revoke`, if both are known.
    fn moving(&mut self, verb: &str, body: &Value) -> Option<(String, Name)> {
        let source = self.bundled(&body["source"])?;
        let user = text(body, "user").expect("a name");
        self.need_for(verb, source.kind);
        self.moves(&source);
        let known = [self.concerns(&user), self.knows(&source)];
        (known == [true, true]).then_some((user, source))
    }

    /// "A profile takes the place of the one before. Giving what is held … changes nothing
    /// and is no error."
    pub(super) fn assign(&mut self, body: &Value) {
        self.needs.spared_by = Some("bind");
        let Some((user, source)) = self.moving("assign", body) else { return };
        let entry = &self.old["users"][&user];
        if source.is_held_by(entry) {
            return;
        }
        self.refuse_if(!self.unique_holders(&source).is_empty(), Rule::Unique);
        if let (Kind::Profile, Some(former)) = (source.kind, text(entry, "profile")) {
            self.moves(&source.alike(&former));
        }
        name::give(&mut self.new["users"][&user], &source);
        self.given.push(Given::To(user, source));
    }

    /// "Taking what is not [held] changes nothing and is no error."
    pub(super) fn revoke(&mut self, body: &Value) {
        let Some((user, source)) = self.moving("revoke", body) else { return };
        if source.is_held_by(&self.old["users"][&user]) {
            self.refuse_if(self.is_unique(&source), Rule::Unique);
            name::take(&mut self.new["users"][&user], &source, None);
        }
    }

    /// "Moves a unique role, or gives it where nobody holds it; who held it gets its
    /// `demoted_to`."
    pub(super) fn transfer(&mut self, body: &Value) {
        self.need("transfer");
        self.needs.spared_by = Some("bind");
        let role = Name::new(Kind::Role, body["role"].as_str().expect("a name"));
        let to = text(body, "to").expect("a name");
        self.moves(&role);
        let known = [self.knows(&role), self.concerns(&to)];
        if !known[0] {
            return;
        }
        if !self.is_unique(&role) {
            return self.refuse(Rule::Unique);
        }
        // "To a user who is not suspended."
        let suspended = known[1] && is_true(&self.old["users"][&to], "suspended");
        self.refuse_if(suspended, Rule::Unique);
        let holder = self.unique_holders(&role).into_iter().next();
        if holder.as_ref() == Some(&to) {
            return;
        }
        if let Some(holder) = holder {
            let lower = role.find(self.old).and_then(|it| text(it, "demoted_to"));
            let lower = lower.map(|name| role.alike(&name));
            if let Some(lower) = &lower {
                self.moves(lower);
                let others = self.unique_holders(lower);
                self.refuse_if(others.iter().any(|other| *other != holder), Rule::Unique);
                self.given.push(Given::To(holder.clone(), lower.clone()));
            }
            // Who holds it is concerned, whoever is to get it.
            self.concerns(&holder);
            if !known[1] {
                return;
            }
            let lower = lower.as_ref().map(|lower| lower.name.as_str());
            name::take(&mut self.new["users"][&holder], &role, lower);
        }
        if known[1] {
            name::give(&mut self.new["users"][&to], &role);
            self.given.push(Given::To(to, role));
        }
    }

    /// "Adds the assignment, or puts it in the place of the one of that name; `null` removes
    /// it."
    pub(super) fn set_assignment(&mut self, body: &Value) {
        let (user, name) =
            (text(body, "user").expect("a name"), text(body, "name").expect("a name"));
        let assignment = &body["assignment"];
        self.need("set_assignment");
        self.refuse_if(!is_free_name(&name), Rule::Invalid);
        // "A `set_assignment` whose assignment has no statements of its own."
        if assignment.is_object() && !has_statements(assignment) {
            self.needs.spared_by = Some("bind");
        }
        if assignment.is_object() {
            self.must_be_an_assignment(assignment);
            self.moves_content(assignment);
        }
        if !self.concerns(&user) {
            return;
        }
        let before = self.old["users"][&user]["assignments"].get(&name).cloned();
        self.moves_content(&before.unwrap_or_default());
        let assignments = &mut self.new["users"][&user]["assignments"];
        if assignment.is_object() {
            assignments[&name] = assignment.clone();
        } else {
            name::remove(assignments, &name);
            if assignments.is_null() {
                name::remove(&mut self.new["users"][&user], "assignments");
            }
        }
        self.given.push(Given::Assignment(user, name));
    }

    /// "Removes every assignment whose last moment lies before that date or time."
    pub(super) fn expire(&mut self, body: &Value) {
        self.need("expire");
        let before = Today::read(body["before"].as_str().expect("a text")).expect("a moment");
        self.needs.before = Some(before);
        for (user, entry) in entries(self.old.get("users").unwrap_or(&Value::Null)) {
            for (name, assignment) in entries(&entry["assignments"]) {
                let ended = Terms::read(assignment).end().is_some_and(|end| end <= before.start);
                if ended {
                    self.touches(user);
                    self.moves_content(assignment);
                    name::remove(&mut self.new["users"][user]["assignments"], name);
                }
            }
        }
    }

    pub(super) fn set_default_profile(&mut self, profile: &Value) {
        self.need("set_default_profile");
        match profile.as_str() {
            Some(name) => {
                let profile = Name::new(Kind::Profile, name);
                self.knows(&profile);
                self.needs.guarded.push(profile);
                self.new["default_profile"] = json!(name);
            }
            None => name::remove(&mut self.new, "default_profile"),
        }
    }

    pub(super) fn set_admin(&mut self, body: &Value) {
        self.need("set_admin");
        self.needs.for_admins |= is_true(body, "admin");
        self.set_flag(body, "admin");
    }

    pub(super) fn set_suspended(&mut self, body: &Value) {
        self.need("set_suspended");
        self.needs.displaces = true;
        self.set_flag(body, "suspended");
    }

    fn set_flag(&mut self, body: &Value, flag: &str) {
        let user = text(body, "user").expect("a name");
        if self.concerns(&user) {
            self.new["users"][&user][flag] = body[flag].clone();
        }
    }

    pub(super) fn set_groups(&mut self, body: &Value) {
        let (user, groups) = (text(body, "user").expect("a name"), list(body, "groups"));
        self.need("set_groups");
        self.needs.groups.clone_from(&groups);
        self.needs.settled = Some((user.clone(), groups.clone()));
        self.refuse_if(!groups.iter().all(|group| is_free_name(group)), Rule::Invalid);
        if self.concerns(&user) {
            name::set_list(&mut self.new["users"][&user], "groups", &groups);
        }
    }

    /// The group is declared if it was not; the one above it need not be.
    pub(super) fn set_group(&mut self, body: &Value) {
        let (group, parent) = (text(body, "group").expect("a name"), text(body, "parent"));
        self.need("set_group");
        self.needs.groups = [&group].into_iter().chain(&parent).cloned().collect();
        let named = self.needs.groups.iter().all(|group| is_free_name(group));
        self.refuse_if(!named, Rule::Invalid);
        let entry = &mut self.new["groups"][&group];
        if entry.is_null() {
            *entry = json!({});
        }
        match parent {
            Some(parent) => entry["parent"] = json!(parent),
            None => name::remove(entry, "parent"),
        }
        let above = |name: &str| text(&self.new["groups"][name], "parent").into_iter().collect();
        self.refuse_if(is_in_ring(&group, above), Rule::Invalid);
    }

    pub(super) fn set_licence(&mut self, body: &Value) {
        self.need("set_licence");
        self.needs.escalates = true;
        let features = list(body, "features");
        self.refuse_if(!features.iter().all(|feature| is_name(feature)), Rule::Invalid);
        if let Some(edition) = text(body, "edition") {
            let known = self.old["catalogue"]["editions"].get(&edition).is_some();
            self.refuse_if(!known, Rule::Unknown);
        }
        self.new["licence"] = body.clone();
    }
}

//! Edits of a document in one place, each of which makes another policy of it.

use std::fmt;

use serde::Serialize;

use crate::date::{Date, Moment};
use crate::document::{
    Accepted, Assignment, Bound, Coverage, Document, Fence, Map, ObjectKind, PermissionNode, Role,
    Scope, Setting, SettingValue, Statements, UserEntry,
};
use crate::names::IndexSet;
use crate::problem::{Line, Place, PlaceOf};

/// An edit of a policy's document in one place.
///
/// ```
/// # use grantree::{Document, Policy};
/// use grantree::policy_test::{Mutants, TestDocument};
///
/// let text = r#"{
///     "policy": {
///         "format": 1,
///         "catalogue": {"permissions": [{"key": "orders"}]},
///         "users": {"bob": {"allow": ["orders"]}}
///     },
///     "steps": []
/// }"#;
/// let document: TestDocument = serde_json::from_str(text)?;
/// let mutations = document.mutants(None)?.map(|mutant| mutant.mutation.to_string());
/// assert!(mutations.eq([
///     "users.bob.allow[0]: drop `orders`",
///     "users.bob.allow[0]: deny `orders` instead",
/// ]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Mutation {
    /// The place of the edit in the document.
    pub place: String,
    /// The edit, in words.
    pub edit: String,
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Line(&self.place), Line(&self.edit))
    }
}

const KEY: PlaceOf = |place, key| place.key(key);
const NAME: PlaceOf = |place, name| place.name(name);

/// Returns the number of edits that a document offers.
pub(super) fn count(document: &Document) -> usize {
    let mut editor = Editor { left: usize::MAX, made: None };
    editor.document(&mut document.clone());
    usize::MAX.saturating_sub(editor.left)
}

/// Returns a document with the edit of that number made.
pub(super) fn mutate(document: &Document, number: usize) -> Option<(Mutation, Document)> {
    let mut document = document.clone();
    let mut editor = Editor { left: number, made: None };
    editor.document(&mut document);
    Some((editor.made?, document))
}

/// Walks through a document, passes over as many edits as it is given, and makes the next.
///
/// So that edits are made where they are counted, each has its number by the order in
/// which the walk meets it, and there is no second description of where they are.
struct Editor {
    left: usize,
    made: Option<Mutation>,
}

impl Editor {
    /// Returns whether this edit is the one to make.
    fn makes(&mut self, place: &Place<'_>, edit: impl FnOnce() -> String) -> bool {
        if self.made.is_some() {
            return false;
        }
        let Some(left) = self.left.checked_sub(1) else {
            self.made = Some(Mutation { place: place.to_string(), edit: edit() });
            return true;
        };
        self.left = left;
        false
    }

    fn document(&mut self, document: &mut Document) {
        let root = &Place::Root;
        let catalogue = root.key("catalogue");
        let grades = grades(&document.catalogue.permissions);
        let settings = document.catalogue.settings.clone();
        let known = Known { grades: &grades, settings: &settings };
        self.nodes(&catalogue.key("permissions"), &mut document.catalogue.permissions);
        for (name, kind) in document.catalogue.objects.iter_mut() {
            let ObjectKind { checks, .. } = kind;
            self.drops(&catalogue.key("objects").name(name).key("checks"), checks);
        }
        for (name, setting) in document.catalogue.settings.iter_mut() {
            let place = catalogue.key("settings");
            let place = place.name(name);
            self.value(&place.key("default"), &settings, name, &mut setting.default);
        }
        for (name, edition) in document.catalogue.editions.iter_mut() {
            let place = catalogue.key("editions");
            let place = place.name(name);
            self.drops(&place.key("includes"), &mut edition.includes);
            self.drops(&place.key("features"), &mut edition.features);
        }
        let licence = root.key("licence");
        self.drop(&licence.key("edition"), &mut document.licence.edition);
        self.drops(&licence.key("features"), &mut document.licence.features);
        self.statements(&root.key("global"), &known, &mut document.global);
        for (name, source) in document.profiles.iter_mut() {
            self.statements(&root.key("profiles").name(name), &known, &mut source.statements);
        }
        for (name, role) in document.roles.iter_mut() {
            let Role { source, includes, .. } = role;
            let place = root.key("roles");
            let place = place.name(name);
            self.drops(&place.key("includes"), includes);
            self.statements(&place, &known, &mut source.statements);
        }
        for (name, source) in document.approval_groups.iter_mut() {
            let place = root.key("approval_groups");
            self.statements(&place.name(name), &known, &mut source.statements);
        }
        for (name, group) in document.groups.iter_mut() {
            self.drop(&root.key("groups").name(name).key("parent"), &mut group.parent);
        }
        for (name, user) in document.users.iter_mut() {
            self.user(&root.key("users").name(name), &known, user);
        }
    }

    fn nodes(&mut self, place: &Place<'_>, nodes: &mut [PermissionNode]) {
        for (at, node) in nodes.iter_mut().enumerate() {
            let place = &place.item(at);
            self.drop(&place.key("feature"), &mut node.feature);
            self.drops(&place.key("checks"), &mut node.checks);
            self.drops(&place.key("requires"), &mut node.requires);
            self.drops(&place.key("implies"), &mut node.implies);
            for (at, scope) in node.scopes.iter_mut().enumerate() {
                self.scope(&place.key("scopes").item(at), scope);
            }
            self.nodes(&place.key("children"), &mut node.children);
        }
    }

    fn scope(&mut self, place: &Place<'_>, scope: &mut Scope) {
        self.drops(&place.key("requires"), &mut scope.requires);
        self.drops(&place.key("implies"), &mut scope.implies);
        let place = place.key("when");
        self.drop_entries((&place, KEY), &mut scope.when, "condition");
        for (name, accepted) in scope.when.iter_mut() {
            let place = &place.key(name);
            match accepted {
                Accepted::State(state) => {
                    let other = if state == "me" { "other" } else { "me" };
                    if self.makes(place, || format!("accept `{other}` instead of `{state}`")) {
                        *state = other.to_owned();
                    }
                }
                Accepted::OneOf(texts) => self.drops(place, texts),
                Accepted::Limit(limit) => self.limit(place, limit),
                Accepted::Date(date) => self.date(place, date),
                Accepted::Flag(flag) => self.flip(place, flag),
                Accepted::EitherFlag => {
                    if self.makes(place, || "accept only `true`".to_owned()) {
                        *accepted = Accepted::Flag(true);
                    } else if self.makes(place, || "accept only `false`".to_owned()) {
                        *accepted = Accepted::Flag(false);
                    }
                }
            }
        }
    }

    fn user(&mut self, place: &Place<'_>, known: &Known<'_>, user: &mut UserEntry) {
        self.drop(&place.key("profile"), &mut user.profile);
        self.drops(&place.key("roles"), &mut user.roles);
        self.drops(&place.key("approval_groups"), &mut user.approval_groups);
        self.drops(&place.key("groups"), &mut user.groups);
        for (key, flag) in [("admin", &mut user.admin), ("suspended", &mut user.suspended)] {
            if *flag && self.makes(&place.key(key), || format!("drop `{key}`")) {
                *flag = false;
            }
        }
        self.statements(place, known, &mut user.statements);
        let place = place.key("assignments");
        self.drop_entries((&place, NAME), &mut user.assignments, "assignment");
        for (name, assignment) in user.assignments.iter_mut() {
            self.assignment(&place.name(name), known, assignment);
        }
    }

    fn assignment(&mut self, place: &Place<'_>, known: &Known<'_>, assignment: &mut Assignment) {
        self.drops(&place.key("roles"), &mut assignment.roles);
        self.drops(&place.key("approval_groups"), &mut assignment.approval_groups);
        self.statements(place, known, &mut assignment.statements);
        self.coverage(&place.key("on"), &mut assignment.on);
        self.term(&place.key("from"), &mut assignment.from);
        self.term(&place.key("until"), &mut assignment.until);
    }

    fn coverage(&mut self, place: &Place<'_>, on: &mut Option<Coverage>) {
        if on.is_some() && self.makes(place, || "drop the terms".to_owned()) {
            *on = None;
        }
        let Some(on) = on else { return };
        self.drop_entries((place, NAME), on, "kind");
        for (kind, conditions) in on.iter_mut() {
            let place = &place.name(kind);
            self.drop_entries((place, KEY), conditions, "condition");
            for (name, condition) in conditions.iter_mut() {
                self.bound(&place.key(name), condition);
            }
        }
    }

    /// Drops the date of a term, or moves it by a day.
    fn term(&mut self, place: &Place<'_>, term: &mut Option<Moment>) {
        self.drop(place, term);
        for (days, to) in [(1, "a day later"), (-1, "a day earlier")] {
            let moved = term.and_then(|moment| moment.plus_days(days));
            if moved.is_some() && self.makes(place, || format!("move it {to}")) {
                *term = moved;
            }
        }
    }

    fn statements(&mut self, place: &Place<'_>, known: &Known<'_>, statements: &mut Statements) {
        let Statements { allow, except, deny, forbid, levels, bounds, settings } = statements;
        self.patterns(&place.key("allow"), allow, ("deny", deny));
        self.patterns(&place.key("except"), except, ("deny", deny));
        self.patterns(&place.key("deny"), deny, ("allow", allow));
        self.patterns(&place.key("forbid"), forbid, ("deny", deny));
        let place_of_levels = place.key("levels");
        self.drop_entries((&place_of_levels, KEY), levels, "level of");
        for (pattern, level) in levels.iter_mut() {
            for other in known.beside(level) {
                let edit = || format!("`{other}` instead of `{level}`");
                if self.makes(&place_of_levels.key(pattern), edit) {
                    *level = other.to_owned();
                    break;
                }
            }
        }
        let place_of_bounds = place.key("bounds");
        self.drop_entries((&place_of_bounds, KEY), bounds, "bound on");
        for (attribute, bound) in bounds.iter_mut() {
            let place = &place_of_bounds.key(attribute);
            if *bound != Bound::Any && self.makes(place, || "`any` instead".to_owned()) {
                *bound = Bound::Any;
            }
            self.bound(place, bound);
        }
        let place_of_settings = place.key("settings");
        self.drop_entries((&place_of_settings, NAME), settings, "value of");
        for (name, value) in settings.iter_mut() {
            let mut stated = Some(value.clone());
            self.flip_value(&place_of_settings.name(name), known.settings, name, &mut stated);
            *value = stated.unwrap_or_else(|| value.clone());
        }
    }

    /// Drops a pattern, or states the contrary of it.
    fn patterns(
        &mut self,
        place: &Place<'_>,
        patterns: &mut Vec<String>,
        (contrary, others): (&str, &mut Vec<String>),
    ) {
        self.drops(place, patterns);
        for at in 0..patterns.len() {
            let Some(pattern) = patterns.get(at) else { return };
            if self.makes(&place.item(at), || format!("{contrary} `{pattern}` instead")) {
                others.push(patterns.remove(at));
            }
        }
    }

    /// Takes a text out of a list, or moves a limit by one.
    fn bound(&mut self, place: &Place<'_>, bound: &mut Bound) {
        match bound {
            Bound::Any => {}
            Bound::OneOf(texts) => self.drops(place, texts),
            Bound::Limit(limit) => self.limit(place, limit),
            Bound::Fence(Fence::Date(date)) => self.date(place, date),
            Bound::Fence(Fence::PlusDays(days) | Fence::Next { plus_days: days, .. }) => {
                self.limit(place, days);
            }
            Bound::Flag(flag) => self.flip(place, flag),
            Bound::EitherFlag => {
                if self.makes(place, || "accept only `true`".to_owned()) {
                    *bound = Bound::Flag(true);
                } else if self.makes(place, || "accept only `false`".to_owned()) {
                    *bound = Bound::Flag(false);
                }
            }
        }
    }

    fn limit(&mut self, place: &Place<'_>, limit: &mut i64) {
        for other in [limit.saturating_add(1), limit.saturating_sub(1)] {
            if self.makes(place, || format!("`{other}` instead of `{limit}`")) {
                *limit = other;
            }
        }
    }

    fn date(&mut self, place: &Place<'_>, date: &mut Date) {
        let stated = *date;
        for other in [1, -1].into_iter().filter_map(|days| stated.plus_days(days)) {
            if self.makes(place, || format!("`{other}` instead of `{date}`")) {
                *date = other;
            }
        }
    }

    fn flip(&mut self, place: &Place<'_>, flag: &mut bool) {
        if self.makes(place, || format!("`{}` instead of `{flag}`", !*flag)) {
            *flag = !*flag;
        }
    }

    fn drop<T: fmt::Display>(&mut self, place: &Place<'_>, value: &mut Option<T>) {
        if let Some(stated) = value
            && self.makes(place, || format!("drop `{stated}`"))
        {
            *value = None;
        }
    }

    fn drops(&mut self, place: &Place<'_>, texts: &mut Vec<String>) {
        for at in 0..texts.len() {
            let Some(text) = texts.get(at) else { return };
            if self.makes(&place.item(at), || format!("drop `{text}`")) {
                texts.remove(at);
            }
        }
    }

    fn drop_entries<V>(&mut self, place: (&Place<'_>, PlaceOf), map: &mut Map<V>, what: &str) {
        let (place, place_of) = place;
        let names: Vec<String> = map.iter().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            if self.makes(&place_of(place, &name), || format!("drop the {what} `{name}`")) {
                map.retain(|known, _| known != name);
            }
        }
    }

    /// Drops the value of a setting, or replaces it by another.
    fn value(
        &mut self,
        place: &Place<'_>,
        settings: &Map<Setting>,
        name: &str,
        value: &mut Option<SettingValue>,
    ) {
        self.drop(place, value);
        self.flip_value(place, settings, name, value);
    }

    fn flip_value(
        &mut self,
        place: &Place<'_>,
        settings: &Map<Setting>,
        name: &str,
        value: &mut Option<SettingValue>,
    ) {
        let Some(stated) = value else { return };
        let accepted = settings.get(name).and_then(|it| it.values.as_ref());
        let other = match (accepted, &*stated) {
            (Some(values), stated) => values.iter().find(|it| *it != stated).cloned(),
            (None, SettingValue::Boolean(flag)) => Some(SettingValue::Boolean(!flag)),
            (None, SettingValue::Integer(it)) => Some(SettingValue::Integer(it.saturating_add(1))),
            (None, SettingValue::Text(_)) => None,
        };
        if let Some(other) = other
            && self.makes(place, || format!("`{other}` instead of `{stated}`"))
        {
            *stated = other;
        }
    }
}

/// Names of the catalogue that statements use.
struct Known<'c> {
    /// The lists of levels, each once.
    grades: &'c IndexSet<Vec<String>>,
    settings: &'c Map<Setting>,
}

impl Known<'_> {
    /// Returns the levels next to a level.
    fn beside(&self, level: &str) -> Vec<&str> {
        let mut beside: Vec<&str> = Vec::new();
        for levels in self.grades {
            for pair in levels.windows(2) {
                let [lower, higher] = pair else { continue };
                if lower == level {
                    beside.push(higher);
                } else if higher == level {
                    beside.push(lower);
                }
            }
        }
        beside.sort_unstable();
        beside.dedup();
        beside
    }
}

fn grades(nodes: &[PermissionNode]) -> IndexSet<Vec<String>> {
    let mut all = IndexSet::default();
    let mut open: Vec<&PermissionNode> = nodes.iter().collect();
    while let Some(node) = open.pop() {
        all.extend(node.levels.clone());
        open.extend(&node.children);
    }
    all
}

//! Ops, and the tick-box tree.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::catalogue::{Catalogue, Form, Need};
use super::super::json::{list, text};
use super::super::source::{Said, nearness, said};
use super::Attempt;
use super::fit::{self, LISTS};
use super::name;

impl Attempt<'_> {
    /// What an op makes of a source's statements. Those about the source itself are not for
    /// here.
    pub(super) fn op(&mut self, source: &mut Value, op: &Value, cascade: bool) {
        let catalogue = &self.policy.catalogue;
        if let Some(stated) = op.get("bound") {
            let attribute = text(stated, "attribute").expect("an attribute");
            let judged = fit::bound(&self.policy, &attribute, &stated["bound"]);
            put(source, "bounds", &attribute, &stated["bound"]);
            return self.must(judged);
        }
        if let Some(stated) = op.get("setting") {
            let setting = text(stated, "setting").expect("a setting");
            let judged = fit::setting(&self.policy, &setting, &stated["value"]);
            put(source, "settings", &setting, &stated["value"]);
            return self.must(judged);
        }
        if let Some(stated) = op.get("level") {
            let path = text(stated, "path").expect("a path");
            let judged = fit::level(catalogue, &path, &stated["level"]);
            clear(source, &path);
            source["levels"][&path] = stated["level"].clone();
            return self.must(judged);
        }
        let (verb, path) = super::entries(op).next().expect("an op");
        let path = path.as_str().expect("a path");
        let judged = fit::pattern(catalogue, path);
        if judged.is_err() {
            return self.must(judged);
        }
        clear(source, path);
        if verb != "clear" {
            push(source, verb, path);
        }
        // "The other ops don't cascade."
        match verb {
            "allow" if cascade => {
                let unmet = allow_needed(catalogue, source, path);
                self.notes.extend(unmet.into_iter().map(|path| format!("unmet {path}")));
            }
            "except" | "deny" | "clear" if cascade => withdraw(catalogue, source, path),
            _ => {}
        }
    }
}

fn push(source: &mut Value, field: &str, path: &str) {
    let mut patterns = list(source, field);
    patterns.push(path.to_owned());
    name::set_list(source, field, &patterns);
}

/// Takes a pattern out of a list.
fn drop_from(source: &mut Value, field: &str, path: &str) {
    let mut patterns = list(source, field);
    patterns.retain(|known| known != path);
    name::set_list(source, field, &patterns);
}

/// "(null clears)"
fn put(source: &mut Value, map: &str, name: &str, value: &Value) {
    if !value.is_null() {
        source[map][name] = value.clone();
    } else if let Some(map) = source.get_mut(map) {
        name::remove(map, name);
    }
}

/// "Each takes the place of all that this source says of exactly `p`, a forbid too; `clear`
/// leaves nothing."
fn clear(source: &mut Value, path: &str) {
    for (field, _) in LISTS {
        drop_from(source, field, path);
    }
    put(source, "levels", path, &Value::Null);
}

/// The permissions that a pattern matches.
fn members(catalogue: &Catalogue, pattern: &str) -> BTreeSet<String> {
    let matched = catalogue.grantable().filter(|path| nearness(catalogue, pattern, path).is_some());
    matched.map(str::to_owned).collect()
}

/// The level that a source allows, its forbids aside.
fn level_of(catalogue: &Catalogue, source: &Value, path: &str) -> usize {
    match said(catalogue, source, path) {
        Some(Said::Level(level)) => level,
        Some(Said::Deny) | None => 0,
    }
}

/// "A permission *needs* its gate parent, what it requires and what it implies."
fn needs(catalogue: &Catalogue, path: &str) -> Vec<Need> {
    [catalogue.gates(path), catalogue.implied(path)].concat()
}

/// "Allowing `p` allows all that it needs, transitively": what a pattern stands for is what
/// it matches and the source then allows. Returns what is not met.
fn allow_needed(catalogue: &Catalogue, source: &mut Value, pattern: &str) -> BTreeSet<String> {
    let levels: BTreeMap<String, usize> = catalogue
        .grantable()
        .map(|path| (path.to_owned(), level_of(catalogue, source, path)))
        .collect();
    let mut reached = members(catalogue, pattern);
    reached.retain(|path| levels[path] > 0);
    let mut needed: BTreeMap<String, usize> = BTreeMap::new();
    let mut unmet;
    loop {
        let before = (needed.clone(), reached.clone());
        unmet = BTreeSet::new();
        for Need { path, level } in reached.clone().iter().flat_map(|path| needs(catalogue, path)) {
            if catalogue.node(&path).form != Form::Scoped {
                let known = needed.entry(path.clone()).or_default();
                *known = level.max(*known);
                reached.insert(path);
                continue;
            }
            // "A needed scoped node none of whose scopes is allowed is reported, not met";
            // it "asks whether any of its scopes is allowed and follows no scope further".
            let mut scopes = catalogue.scopes(&path).into_iter();
            if scopes.any(|scope| needed.contains_key(scope) || levels[scope] > 0) {
                reached.insert(path);
            } else {
                unmet.insert(path);
            }
        }
        if before == (needed.clone(), reached.clone()) {
            break;
        }
    }
    for (path, level) in needed {
        let now = levels[&path];
        // "… a forbid too".
        if now >= level && !list(source, "forbid").contains(&path) {
            continue;
        }
        clear(source, &path);
        // "A needed graded permission gets the level needed."
        match catalogue.node(&path).levels.get(level.max(now)) {
            Some(level) => source["levels"][&path] = json!(level),
            None => push(source, "allow", &path),
        }
    }
    unmet
}

/// "Denying or clearing `p` withdraws what `p` matches and all that needs it, wherever this
/// source allows it: the exact allow goes, and where a pattern still allows it, an exact
/// `except` comes." An exact forbid stays in its place.
fn withdraw(catalogue: &Catalogue, source: &mut Value, pattern: &str) {
    let mut gone = members(catalogue, pattern);
    loop {
        // A scoped node goes with the last of its scopes that is allowed.
        let is_gone = |need: &Need| match catalogue.node(&need.path).form {
            Form::Scoped => {
                let scopes = catalogue.scopes(&need.path);
                scopes.iter().any(|scope| gone.contains(*scope))
                    && scopes.iter().all(|scope| {
                        gone.contains(*scope) || level_of(catalogue, source, scope) == 0
                    })
            }
            _ => gone.contains(&need.path),
        };
        let more: Vec<String> = catalogue
            .grantable()
            .filter(|path| !gone.contains(*path) && needs(catalogue, path).iter().any(is_gone))
            .map(str::to_owned)
            .collect();
        if more.is_empty() {
            break;
        }
        gone.extend(more);
    }
    let scoped = catalogue.nodes().filter(|(_, node)| node.form == Form::Scoped);
    for (path, _) in scoped {
        if catalogue.scopes(path).iter().all(|scope| gone.contains(*scope)) {
            drop_from(source, "allow", path);
        }
    }
    for path in gone {
        if level_of(catalogue, source, &path) == 0 {
            continue;
        }
        drop_from(source, "allow", &path);
        put(source, "levels", &path, &Value::Null);
        // What is forbidden by name need not be left out, and no op could say both.
        let is_forbidden = list(source, "forbid").contains(&path);
        if level_of(catalogue, source, &path) > 0 && !is_forbidden {
            push(source, "except", &path);
        }
    }
}

//! Ops, and the tick-box tree.

use std::collections::{BTreeMap, BTreeSet};

use grantree::change::{Note, Op};
use grantree::document::{Map, Statements};

use super::super::oracle::{Catalogue, Form, Need, Said, says};
use super::{Attempt, fit, json};

impl Attempt<'_> {
    /// What an op makes of a source's statements. Those about the source itself
    /// are not for here.
    pub(super) fn op(&mut self, statements: &mut Statements, op: &Op, cascade: bool) {
        let judged = match op {
            Op::Allow(path)
            | Op::Except(path)
            | Op::Deny(path)
            | Op::Forbid(path)
            | Op::Clear(path) => fit::pattern(&self.catalogue, path),
            Op::Level { path, level } => fit::level(&self.catalogue, path, level),
            Op::Bound { attribute, bound } => fit::bound(self.old, attribute, bound.as_ref()),
            Op::Setting { setting, value } => fit::setting(self.old, setting, value.as_ref()),
            Op::Set(_) => Ok(()),
        };
        if let Err(rule) = judged {
            return self.refuse(rule);
        }
        match op {
            Op::Allow(path) => {
                clear(statements, path);
                statements.allow.push(path.clone());
            }
            Op::Except(path) => {
                clear(statements, path);
                statements.except.push(path.clone());
            }
            Op::Deny(path) => {
                clear(statements, path);
                statements.deny.push(path.clone());
            }
            Op::Forbid(path) => {
                clear(statements, path);
                statements.forbid.push(path.clone());
            }
            Op::Level { path, level } => {
                clear(statements, path);
                statements.levels.push(path.clone(), level.clone());
            }
            Op::Clear(path) => clear(statements, path),
            Op::Bound { attribute, bound } => {
                set_or_clear(&mut statements.bounds, attribute, bound.as_ref());
            }
            Op::Setting { setting, value } => {
                set_or_clear(&mut statements.settings, setting, value.as_ref());
            }
            Op::Set(_) => {}
        }
        // "The other ops don't cascade."
        match op {
            Op::Allow(path) if cascade => {
                let unmet = allow_needed(&self.catalogue, statements, path);
                self.notes
                    .extend(unmet.into_iter().map(|permission| json(&Note::Unmet { permission })));
            }
            Op::Except(path) | Op::Deny(path) | Op::Clear(path) if cascade => {
                withdraw(&self.catalogue, statements, path);
            }
            _ => {}
        }
    }
}

/// "Each takes the place of all that this source says of exactly `p`, a forbid
/// too; `clear` leaves nothing."
fn clear(statements: &mut Statements, path: &str) {
    let Statements { allow, except, deny, forbid, .. } = statements;
    for list in [allow, except, deny, forbid] {
        list.retain(|known| known != path);
    }
    statements.levels.retain(|known, _| known != path);
}

/// "(null clears)"
fn set_or_clear<V: Clone>(map: &mut Map<V>, name: &str, value: Option<&V>) {
    map.retain(|known, _| known != name);
    if let Some(value) = value {
        map.push(name, value.clone());
    }
}

/// The permissions that a pattern matches.
fn members(catalogue: &Catalogue<'_>, pattern: &str) -> BTreeSet<String> {
    let matched = catalogue.grantable().filter(|path| catalogue.nearness(pattern, path).is_some());
    matched.map(str::to_owned).collect()
}

/// The level that a source allows, its forbids aside.
fn level_of(catalogue: &Catalogue<'_>, statements: &Statements, path: &str) -> usize {
    match says(catalogue, statements, path) {
        Some(Said::Level(level)) => level,
        Some(Said::Deny) | None => 0,
    }
}

/// "A permission *needs* its gate parent, what it requires and what it implies."
fn needs(catalogue: &Catalogue<'_>, path: &str) -> Vec<Need> {
    let mut needs = catalogue.gates(path);
    let implied = catalogue.node(path).implies.iter();
    needs.extend(implied.map(|text| catalogue.need(text).expect("a known permission")));
    needs
}

/// "Allowing `p` allows all that it needs, transitively": what a pattern stands
/// for is what it matches and the source then allows. Returns what is not met.
fn allow_needed(
    catalogue: &Catalogue<'_>,
    statements: &mut Statements,
    pattern: &str,
) -> BTreeSet<String> {
    let mut start = members(catalogue, pattern);
    start.retain(|path| level_of(catalogue, statements, path) > 0);
    let mut needed: BTreeMap<String, usize> = BTreeMap::new();
    let mut unmet: BTreeSet<String>;
    let mut with_needs = start.clone();
    loop {
        let before = (needed.clone(), with_needs.clone());
        unmet = BTreeSet::new();
        for Need { path, level } in
            with_needs.clone().iter().flat_map(|path| needs(catalogue, path))
        {
            if catalogue.node(&path).form != Form::Scoped {
                let known = needed.entry(path.clone()).or_default();
                *known = level.max(*known);
                with_needs.insert(path);
                continue;
            }
            // "A needed scoped node none of whose scopes is allowed is reported,
            // not met": by the source before, or by this cascade.
            let is_met = catalogue.scopes(&path).any(|scope| {
                start.contains(scope)
                    || needed.contains_key(scope)
                    || level_of(catalogue, statements, scope) > 0
            });
            if is_met {
                with_needs.insert(path)
            } else {
                unmet.insert(path)
            };
        }
        if before == (needed.clone(), with_needs.clone()) {
            break;
        }
    }
    for (path, level) in needed {
        let now = level_of(catalogue, statements, &path);
        // "… a forbid too".
        if now >= level && !statements.forbid.contains(&path) {
            continue;
        }
        clear(statements, &path);
        // "A needed graded permission gets the level needed."
        match catalogue.node(&path).levels.get(level.max(now)) {
            Some(level) => statements.levels.push(path, level.clone()),
            None => statements.allow.push(path),
        }
    }
    unmet
}

/// "Denying or clearing `p` withdraws what `p` matches and all that needs it,
/// wherever this source allows it: the exact allow goes, and where a pattern still
/// allows it, an exact `except` comes." An exact forbid stays in its place.
fn withdraw(catalogue: &Catalogue<'_>, statements: &mut Statements, pattern: &str) {
    let allows = |statements: &Statements, path: &str| level_of(catalogue, statements, path) > 0;
    let mut gone = members(catalogue, pattern);
    loop {
        // A scoped node goes with the last of its scopes that is allowed.
        let is_gone = |need: &Need| {
            let mut scopes = catalogue.scopes(&need.path);
            match catalogue.node(&need.path).form {
                Form::Scoped => {
                    catalogue.scopes(&need.path).any(|scope| gone.contains(scope))
                        && scopes.all(|scope| gone.contains(scope) || !allows(statements, scope))
                }
                _ => gone.contains(&need.path),
            }
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
        if catalogue.scopes(path).all(|scope| gone.contains(scope)) {
            statements.allow.retain(|known| known != path);
        }
    }
    for path in gone {
        if !allows(statements, &path) {
            continue;
        }
        statements.allow.retain(|known| *known != path);
        statements.levels.retain(|known, _| known != path);
        // What is forbidden by name need not be left out, and no op could say both.
        if allows(statements, &path) && !statements.forbid.contains(&path) {
            statements.except.push(path);
        }
    }
}

//! Documents whose permissions have other paths.

use std::collections::{BTreeMap, BTreeSet};

use grantree::Document;
use grantree::document::{Map, PermissionNode, Statements};

/// The present paths, by the former ones.
type Paths = BTreeMap<String, String>;

/// The same document with other keys, but of headings and what they are beneath, as a
/// heading can't list its former path; its permissions list theirs.
pub fn renamed(document: &Document) -> Document {
    let mut renamed = document.clone();
    let mut paths = Paths::new();
    let roots = &mut renamed.catalogue.permissions;
    rename(roots, ("", ""), &mut paths);
    needs(roots, &paths);
    let stated = |statements: &mut Statements| {
        let Statements { allow, except, deny, forbid, levels, .. } = statements;
        [allow, except, deny, forbid].into_iter().for_each(|list| patterns(list, &paths));
        let all = std::mem::take(levels).into_iter();
        *levels = all.map(|(path, level)| (text(&path, &paths), level)).collect();
    };
    stated(&mut renamed.global);
    renamed.profiles = each(renamed.profiles, |source| stated(&mut source.statements));
    renamed.roles = each(renamed.roles, |role| stated(&mut role.source.statements));
    let groups = renamed.approval_groups;
    renamed.approval_groups = each(groups, |source| stated(&mut source.statements));
    renamed.users = each(renamed.users, |user| {
        stated(&mut user.statements);
        let assignments = std::mem::take(&mut user.assignments);
        user.assignments = each(assignments, |it| stated(&mut it.statements));
    });
    let governance = &mut renamed.governance;
    let kinds = std::mem::take(&mut governance.permissions);
    governance.permissions = each(kinds, |needs| texts(needs, &paths));
    texts(&mut governance.escalate, &paths);
    texts(&mut governance.bind, &paths);
    governance.separation.iter_mut().for_each(|it| texts(&mut it.permissions, &paths));
    renamed
}

/// Gives nodes other keys, given the former and the present path above them.
fn rename(nodes: &mut [PermissionNode], (former, present): (&str, &str), paths: &mut Paths) {
    for node in nodes {
        let before = format!("{former}{}", node.key);
        if !has_heading(node) {
            node.key.push_str("-now");
            node.was = vec![before.clone()];
        }
        let after = format!("{present}{}", node.key);
        for scope in &mut node.scopes {
            let before = format!("{before}.{}", scope.key);
            scope.key.push_str("-now");
            scope.was = vec![before.clone()];
            paths.insert(before, format!("{after}.{}", scope.key));
        }
        let above = (&*format!("{before}."), &*format!("{after}."));
        rename(&mut node.children, above, paths);
        paths.insert(before, after);
    }
}

fn has_heading(node: &PermissionNode) -> bool {
    node.heading || node.children.iter().any(has_heading)
}

/// Gives other paths to what nodes require and imply.
fn needs(nodes: &mut [PermissionNode], paths: &Paths) {
    for node in nodes {
        texts(&mut node.requires, paths);
        texts(&mut node.implies, paths);
        for scope in &mut node.scopes {
            texts(&mut scope.requires, paths);
            texts(&mut scope.implies, paths);
        }
        needs(&mut node.children, paths);
    }
}

fn texts(texts: &mut [String], paths: &Paths) {
    texts.iter_mut().for_each(|it| *it = text(it, paths));
}

/// Those of a list in which some path is a former one stand in it once.
fn patterns(list: &mut Vec<String>, paths: &Paths) {
    let before = list.clone();
    texts(list, paths);
    if *list != before {
        let mut seen = BTreeSet::new();
        list.retain(|pattern| seen.insert(pattern.clone()));
    }
}

/// A pattern or a threshold with the present path.
fn text(text: &str, paths: &Paths) -> String {
    let base = text.trim_end_matches('*').trim_end_matches('.').split(':').next().expect("a part");
    let rest = &text[base.len()..];
    paths.get(base).map_or_else(|| text.to_owned(), |path| format!("{path}{rest}"))
}

fn each<V>(map: Map<V>, mut change: impl FnMut(&mut V)) -> Map<V> {
    let changed = map.into_iter().map(|(name, mut value)| {
        change(&mut value);
        (name, value)
    });
    changed.collect()
}

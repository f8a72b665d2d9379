//! The text of trees, for people.

use std::fmt::{self, Display, Formatter, Write};

use super::{Form, Lack, Node, Stated, Tree};
use crate::explain::{Effect, Link, Named, verdict};
use crate::problem::OneLine;
use crate::reason::Reason;

impl Display for Tree {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source)?;
        if self.admin {
            f.write_str(", an admin, who holds every licensed permission")?;
        }
        if self.suspended {
            f.write_str(", suspended, who holds nothing for now")?;
        }
        f.write_str("\n")?;
        self.iter().try_for_each(|node| line(f, node))
    }
}

fn line(f: &mut Formatter<'_>, node: &Node) -> fmt::Result {
    let Named { name, label } = &node.permission;
    let key = name.rsplit('.').next().unwrap_or_default();
    for _ in name.split('.') {
        f.write_str("  ")?;
    }
    let mut line = OneLine(f);
    write!(line, "{} {key}", mark(node))?;
    if let Some(label) = label
        && label != key
    {
        write!(line, " ({label})")?;
    }
    let remarks = remarks(node);
    if !remarks.is_empty() {
        write!(line, ": {}", remarks.join("; "))?;
    }
    f.write_str("\n")
}

fn remarks(node: &Node) -> Vec<String> {
    let mut remarks = Vec::new();
    let is_stated = node.own != Stated::default();
    if !node.own.by.is_empty() {
        // An exact pattern would repeat the start of the line.
        let by = node.own.by.iter().map(|by| {
            if by.pattern == node.permission.name {
                format!("[{}]", by.place)
            } else {
                format!("`{}` [{}]", by.pattern, by.place)
            }
        });
        remarks.push(by.collect::<Vec<_>>().join(", "));
    }
    if !is_stated || node.own.effect == Some(Effect::Except) {
        remarks.extend(node.inherited.by.iter().map(ToString::to_string));
    }
    if let Some(by) = node.implied_by.first() {
        remarks.push(format!("implied by {by}"));
    }
    if node.form == Form::Scoped {
        let scopes = || node.children.iter().filter(|node| node.form == Form::Scope);
        let (all, held) = (scopes().count(), scopes().filter(|scope| scope.has_effect()).count());
        if 0 < held && held < all {
            remarks.push(format!("{held} of {all} scopes have effect"));
        }
    }
    if let Some(obstacle) = obstacle(node) {
        let prefix = if is_stated || node.unlicensed.is_none() { "no effect: " } else { "" };
        remarks.push(format!("{prefix}{obstacle}"));
    }
    remarks
}

/// The reason why a grant of the permission has no effect.
fn obstacle(node: &Node) -> Option<String> {
    if let Some(unlicensed) = &node.unlicensed {
        let (feature, by) = (&unlicensed.feature, &unlicensed.needed_by);
        let text = format!("the licence has no feature `{feature}`");
        if by.name == node.permission.name {
            return Some(text);
        }
        // Of the nodes under that one, only those that are ticked.
        return node.is_idle().then(|| format!("{text}, which {by} needs"));
    }
    if let Some(Lack { link, permission, reason }) = node.lacks.first() {
        let which = match link {
            Link::Parent => "which is above it",
            Link::Requires => "which it requires",
            Link::Implies => "which it implies",
        };
        return Some(format!("{permission}, {which}, {}", verdict(*reason)));
    }
    // Forbidden or denied by others.
    node.inherited.by.first().filter(|_| node.is_idle()).map(ToString::to_string)
}

/// The box of a node with its tick: in brackets what the source itself states, else in
/// parentheses what is implied, what an admin holds or what others state.
fn mark(node: &Node) -> String {
    if let Some(own) = sign(&node.own, node) {
        return format!("[{own}]");
    }
    let is_admin = node.reason == Some(Reason::Admin);
    let granted = match &node.level {
        _ if !is_admin && node.implied_by.is_empty() => sign(&node.inherited, node),
        Some(level) if is_admin || node.has_effect() => Some(level.as_str()),
        _ => Some("x"),
    };
    granted.map_or_else(|| "[ ]".to_owned(), |granted| format!("({granted})"))
}

fn sign<'n>(stated: &'n Stated, node: &'n Node) -> Option<&'n str> {
    Some(match &stated.effect {
        None if stated.mixed => "~",
        None => return None,
        Some(Effect::Allow) => node.levels.last().map_or("x", String::as_str),
        Some(Effect::Except) => ".",
        Some(Effect::Deny) => "-",
        Some(Effect::Forbid) => "!",
        Some(Effect::Level(level)) => level,
    })
}

//! Trees as text for people.

use std::fmt::{self, Display, Formatter, Write};

use super::{Form, Lack, Node, Says, Tree};
use crate::explain::{Link, Named, verdict};
use crate::problem::OneLine;
use crate::reason::Reason;

impl Display for Tree {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source)?;
        if self.admin {
            f.write_str(", an admin, who holds all that is licensed")?;
        }
        if self.suspended {
            f.write_str(", suspended, who holds nothing for now")?;
        }
        f.write_str("\n")?;
        let mut open: Vec<(&Node, usize)> = self.roots.iter().rev().map(|node| (node, 1)).collect();
        while let Some((node, depth)) = open.pop() {
            line(f, node, depth)?;
            open.extend(node.children.iter().rev().map(|node| (node, depth.saturating_add(1))));
        }
        Ok(())
    }
}

fn line(f: &mut Formatter<'_>, node: &Node, depth: usize) -> fmt::Result {
    let Named { name, label } = &node.permission;
    let key = name.rsplit('.').next().unwrap_or_default();
    for _ in 0..depth {
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
    if !node.own.by.is_empty() {
        // An exact pattern would repeat the start of the line.
        let by = node.own.by.iter().map(|by| match by.pattern == node.permission.name {
            true => format!("[{}]", by.place),
            false => format!("`{}` [{}]", by.pattern, by.place),
        });
        remarks.push(by.collect::<Vec<_>>().join(", "));
    } else if node.own.says == Says::Nothing {
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
    match (node.own.says != Says::Nothing, obstacle(node)) {
        (_, None) => {}
        (false, Some(why)) if node.unlicensed.is_some() => remarks.push(why),
        (_, Some(why)) => remarks.push(format!("no effect: {why}")),
    }
    remarks
}

/// Why what grants a permission has no effect.
fn obstacle(node: &Node) -> Option<String> {
    if let Some(unlicensed) = &node.unlicensed {
        let (feature, by) = (&unlicensed.feature, &unlicensed.needed_by);
        // Of the nodes beneath, only those that are ticked.
        return match by.name == node.permission.name {
            true => Some(format!("the licence has no feature `{feature}`")),
            false if !node.is_idle() => None,
            false => Some(format!("the licence has no feature `{feature}`, which {by} needs")),
        };
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

/// The box of a node with its tick: in brackets what the source itself says, else
/// in parentheses what others say, what is implied or what an admin holds.
fn mark(node: &Node) -> String {
    let granted = match (node.reason, &node.level) {
        (Some(Reason::Admin), Some(level)) => Some(level.as_str()),
        (Some(Reason::Admin), None) => Some("x"),
        _ if node.implied_by.is_empty() => None,
        (_, Some(level)) if node.has_effect() => Some(level.as_str()),
        _ => Some("x"),
    };
    let sign = |says: &Says| {
        Some(match says {
            Says::Nothing => return None,
            Says::Allowed => node.levels.last().map_or("x", String::as_str).to_owned(),
            Says::Denied => "-".to_owned(),
            Says::Forbidden => "!".to_owned(),
            Says::Level(level) => level.clone(),
            Says::Mixed => "~".to_owned(),
        })
    };
    match (sign(&node.own.says), sign(&node.inherited.says), granted) {
        (Some(own), ..) => format!("[{own}]"),
        (None, _, Some(granted)) => format!("({granted})"),
        (None, Some(inherited), None) => format!("({inherited})"),
        (None, None, None) => "[ ]".to_owned(),
    }
}

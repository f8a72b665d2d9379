//! The tick-box tree: what a permission needs comes with it, and what needs it goes
//! with it (design, section 5).

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::statement::{Word, says};
use crate::catalogue::{Bit, Catalogue, Form, NodeId, Pattern};
use crate::policy::Statements;

/// A statement made by a cascade: a pattern, and the word on it.
pub(super) type Said = (Pattern, Word);

/// Allows what is needed by what a pattern allows. Returns the statements made, and
/// the scoped permissions that are needed but not met.
pub(super) fn allow(
    statements: &mut Statements,
    pattern: Pattern,
    catalogue: &Catalogue,
) -> (Vec<Said>, Vec<NodeId>) {
    let allows = |statements: &Statements, id| says(statements, id, catalogue).flatten() > Some(0);
    let start: Vec<NodeId> =
        members(pattern, catalogue).filter(|&id| allows(statements, id)).collect();
    let mut needed: HashMap<NodeId, u32, RandomState> = HashMap::default();
    let mut order: Vec<NodeId> = Vec::new();
    let mut unmet: Vec<NodeId>;
    // A scoped permission may be met by a scope that is itself needed, and then
    // what it needs comes too.
    loop {
        let before = (order.len(), needed.values().map(|&level| level as usize).sum::<usize>());
        unmet = Vec::new();
        let mut seen: HashSet<Bit, RandomState> = HashSet::default();
        let mut open: Vec<Bit> = start.iter().flat_map(|&id| needs(id, catalogue)).collect();
        open.reverse();
        while let Some(bit) = open.pop() {
            if !seen.insert(bit) {
                continue;
            }
            let id = catalogue.id_of(bit);
            let node = catalogue.node(id);
            let scopes = catalogue.scopes(id);
            if scopes.is_empty() {
                let level = node.level_of(bit);
                let known = needed.entry(id).or_insert_with(|| {
                    order.push(id);
                    0
                });
                *known = level.max(*known);
            } else if !scopes.into_iter().any(|scope| {
                needed.contains_key(&scope) || start.contains(&scope) || allows(statements, scope)
            }) {
                unmet.push(id);
                continue;
            }
            open.extend(needs(id, catalogue));
        }
        let after = (order.len(), needed.values().map(|&level| level as usize).sum::<usize>());
        if after == before {
            break;
        }
    }
    let mut said = Vec::new();
    for id in order {
        let level = needed.get(&id).copied().unwrap_or(1);
        let exactly = Pattern::exactly(id);
        let now = says(statements, id, catalogue).flatten();
        let forbidden = statements.forbid.contains(&exactly);
        if now >= Some(level) && !forbidden {
            continue;
        }
        let word = match &catalogue.node(id).form {
            Form::Graded(levels) => {
                let level = level.max(now.unwrap_or(0));
                levels.get(level as usize).map_or(Word::Allow, |level| Word::Level(level.clone()))
            }
            _ => Word::Allow,
        };
        if statements.say(exactly, &word) {
            said.push((exactly, word));
        }
    }
    (said, unmet)
}

/// Withdraws what a pattern matches and all that needs it, wherever the source
/// allows it. Returns the statements made.
pub(super) fn withdraw(
    statements: &mut Statements,
    pattern: Pattern,
    catalogue: &Catalogue,
) -> Vec<Said> {
    let allows = |statements: &Statements, id| says(statements, id, catalogue).flatten() > Some(0);
    let mut gone: HashSet<NodeId, RandomState> = members(pattern, catalogue).collect();
    let mut open: Vec<NodeId> = gone.iter().copied().collect();
    while let Some(id) = open.pop() {
        let mut lost = vec![id];
        if let Form::Scope(of, _) = catalogue.node(id).form {
            let mut scopes = catalogue.scopes(of);
            if !scopes.any(|scope| !gone.contains(&scope) && allows(statements, scope)) {
                lost.push(of);
            }
        }
        for id in lost {
            for &dependent in catalogue.dependents(id) {
                if gone.insert(dependent) {
                    open.push(dependent);
                }
            }
        }
    }
    let mut order: Vec<NodeId> = gone.iter().copied().collect();
    order.sort_unstable();
    let mut said = Vec::new();
    let mut say = |statements: &mut Statements, pattern, word: Word| {
        if statements.say(pattern, &word) {
            said.push((pattern, word));
        }
    };
    // The exact allow of a scoped node goes if all its scopes go; a deny beside it
    // stays, as it may be all that withholds a scope.
    for (id, node) in (0..).zip(&catalogue.nodes) {
        let exactly = Pattern::exactly(id);
        if matches!(node.form, Form::Scoped(_))
            && catalogue.scopes(id).all(|scope| gone.contains(&scope))
            && statements.allow.contains(&exactly)
        {
            let rest = match statements.deny.contains(&exactly) {
                true => Word::Deny,
                false => Word::Nothing,
            };
            say(statements, exactly, forbid_or(statements, exactly, rest));
        }
    }
    for id in order {
        if !allows(statements, id) {
            continue;
        }
        let exactly = Pattern::exactly(id);
        if !statements.exactly(exactly).is_empty() {
            let word = forbid_or(statements, exactly, Word::Nothing);
            say(statements, exactly, word);
        }
        if allows(statements, id) {
            // What is forbidden by name needs no deny.
            let word = forbid_or(statements, exactly, Word::Deny);
            say(statements, exactly, word);
        }
    }
    said
}

/// Keeps a forbid of exactly that pattern; otherwise, that word.
fn forbid_or(statements: &Statements, pattern: Pattern, word: Word) -> Word {
    if statements.forbid.contains(&pattern) { Word::Forbid } else { word }
}

/// What a pattern matches among the permissions that can be granted.
fn members(pattern: Pattern, catalogue: &Catalogue) -> impl Iterator<Item = NodeId> {
    (0..).zip(&catalogue.nodes).filter_map(move |(id, node)| {
        let grantable = !matches!(node.form, Form::Heading | Form::Scoped(_));
        (grantable && pattern.matches(id, catalogue)).then_some(id)
    })
}

/// What a permission needs: its gate parent, what it requires and what it
/// implies.
fn needs(id: NodeId, catalogue: &Catalogue) -> impl Iterator<Item = Bit> {
    let node = catalogue.node(id);
    let gate = node.gate.map(|gate| catalogue.node(gate).bit);
    gate.into_iter().chain(node.requires.iter().copied()).chain(node.implies.iter().copied())
}

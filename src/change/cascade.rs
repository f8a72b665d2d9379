//! The tick-box tree: what a permission needs comes with it, and what needs it goes
//! with it (design, section 5).

use crate::catalogue::{Bit, Catalogue, Form, NodeId, Pattern};
use crate::names::{HashMap, HashSet};
use crate::policy::{Effect, Statement, StatementIndex, Statements, nearest};

/// A pattern, and the effect of the only statement of exactly it.
pub(super) type Stated<'c> = (Pattern, Option<Effect<'c>>);

/// Allows what is needed by what a pattern allows. Returns the statements made, and
/// the scoped permissions that are needed but not met.
pub(super) fn allow<'c>(
    statements: &mut Statements,
    pattern: Pattern,
    catalogue: &'c Catalogue,
) -> (Vec<Stated<'c>>, Vec<NodeId>) {
    let index = StatementIndex::new(statements);
    let allows = |id| index.said_of(id, catalogue).level() > 0;
    let start: Vec<NodeId> = members(pattern, catalogue).filter(|&id| allows(id)).collect();
    let mut needed: HashMap<NodeId, u32> = HashMap::default();
    let mut order: Vec<NodeId> = Vec::new();
    let mut unmet: Vec<NodeId>;
    // A scoped permission may be met by a scope that is itself needed, and then
    // what it needs comes too.
    loop {
        let before = (order.len(), needed.values().map(|&level| level as usize).sum::<usize>());
        unmet = Vec::new();
        let mut seen: HashSet<Bit> = HashSet::default();
        let mut open: Vec<Bit> =
            start.iter().flat_map(|&id| catalogue.needs(id)).map(|(_, bit)| bit).collect();
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
            } else if !scopes
                .into_iter()
                .any(|scope| needed.contains_key(&scope) || start.contains(&scope) || allows(scope))
            {
                unmet.push(id);
                continue;
            }
            open.extend(catalogue.needs(id).map(|(_, bit)| bit));
        }
        let after = (order.len(), needed.values().map(|&level| level as usize).sum::<usize>());
        if after == before {
            break;
        }
    }
    let mut stated = Vec::new();
    for id in order {
        let level = needed.get(&id).copied().unwrap_or(1);
        let exactly = Pattern::exactly(id);
        let now = index.said_of(id, catalogue).level();
        if now < level || statements.forbid.contains(&exactly) {
            let effect = Effect::granting(catalogue.node(id), level.max(now));
            stated.push((exactly, Some(effect)));
        }
    }
    stated.retain(|&(pattern, effect)| statements.set_exactly(pattern, effect));
    (stated, unmet)
}

/// Withdraws what a pattern matches and all that needs it, wherever the source
/// allows it. Returns the statements made.
pub(super) fn withdraw<'c>(
    statements: &mut Statements,
    pattern: Pattern,
    catalogue: &'c Catalogue,
) -> Vec<Stated<'c>> {
    let index = StatementIndex::new(statements);
    let mut gone: HashSet<NodeId> = members(pattern, catalogue).collect();
    let mut open: Vec<NodeId> = gone.iter().copied().collect();
    while let Some(id) = open.pop() {
        let mut lost = vec![id];
        if let Form::Scope(of, _) = catalogue.node(id).form {
            let allowed = |id| !gone.contains(&id) && index.said_of(id, catalogue).level() > 0;
            if !catalogue.scopes(of).any(allowed) {
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
    // The exact allow of a scoped node goes if all its scopes go; a deny beside it
    // stays, as it may be all that withholds a scope.
    let mut stated = Vec::new();
    for &id in &catalogue.scoped {
        let exactly = Pattern::exactly(id);
        if catalogue.scopes(id).all(|scope| gone.contains(&scope))
            && statements.allow.contains(&exactly)
        {
            let denied = statements.deny.contains(&exactly).then_some(Effect::Deny);
            stated.push((exactly, forbid_or(statements, exactly, denied)));
        }
    }
    stated.retain(|&(pattern, effect)| statements.set_exactly(pattern, effect));

    let index = StatementIndex::new(statements);
    let mut order: Vec<NodeId> = gone.into_iter().collect();
    order.sort_unstable();
    let mut more = Vec::new();
    for id in order {
        let exactly = Pattern::exactly(id);
        let allows = |matching: &[Statement<'_>]| {
            let nearest = nearest(matching.iter().copied(), catalogue);
            nearest.is_some_and(|it| it.effect.result(catalogue.node(id)).level() > 0)
        };
        let mut matching: Vec<Statement<'_>> = index.matching(id, catalogue).collect();
        if !allows(&matching) {
            continue;
        }
        let count = matching.len();
        matching.retain(|statement| statement.pattern != exactly);
        if matching.len() < count {
            more.push((exactly, forbid_or(statements, exactly, None)));
        }
        if allows(&matching) {
            // What is forbidden by name needs no deny.
            more.push((exactly, forbid_or(statements, exactly, Some(Effect::Deny))));
        }
    }
    more.retain(|&(pattern, effect)| statements.set_exactly(pattern, effect));
    stated.extend(more);
    stated
}

/// A forbid if exactly that pattern is forbidden, so that it stays; else that effect.
fn forbid_or<'c>(
    statements: &Statements,
    pattern: Pattern,
    effect: Option<Effect<'c>>,
) -> Option<Effect<'c>> {
    if statements.forbid.contains(&pattern) { Some(Effect::Forbid) } else { effect }
}

/// What a pattern matches among the permissions that can be granted.
fn members(pattern: Pattern, catalogue: &Catalogue) -> impl Iterator<Item = NodeId> {
    (0..).zip(&catalogue.nodes).filter_map(move |(id, node)| {
        let grantable = !matches!(node.form, Form::Heading | Form::Scoped(_));
        (grantable && pattern.matches(id, catalogue)).then_some(id)
    })
}

//! The cascades of the tick-box tree (design, section 5): the needs of a permission come
//! with it, and the permissions that need it go with it.

use crate::catalogue::{Bit, Catalogue, Form, NodeId, Pattern};
use crate::names::{HashMap, HashSet};
use crate::policy::{Effect, Statement, StatementIndex, Statements, nearest};

/// A pattern, and the effect of the only statement of exactly it.
pub(super) type Stated<'c> = (Pattern, Option<Effect<'c>>);

/// Allows what the permissions need that a pattern allows. Returns the statements made,
/// and the scoped permissions that are needed but not met.
pub(super) fn allow<'c>(
    statements: &mut Statements,
    pattern: Pattern,
    catalogue: &'c Catalogue,
) -> (Vec<Stated<'c>>, Vec<NodeId>) {
    let index = StatementIndex::new(statements);
    let allows = |id| index.said_of(id, catalogue).level() > 0;
    let needs = |id| catalogue.needs(id).map(|(_, bit)| bit);
    let mut open: Vec<Bit> =
        members(pattern, catalogue).filter(|&id| allows(id)).flat_map(needs).collect();
    open.reverse();
    let mut seen: HashSet<Bit> = HashSet::default();
    // The level needed of each permission, and their order.
    let mut needed: HashMap<NodeId, u32> = HashMap::default();
    let mut order: Vec<NodeId> = Vec::new();
    let mut unmet: Vec<NodeId> = Vec::new();
    loop {
        // A scoped permission is met by a scope that is allowed, or that is needed
        // itself; then the needs of the scoped permission come too. Scopes needed later
        // may meet one that was passed over, so those are looked at again at the end.
        let is_met = |id, needed: &HashMap<NodeId, u32>| {
            catalogue.scopes(id).any(|scope| needed.contains_key(&scope) || allows(scope))
        };
        while let Some(bit) = open.pop() {
            if !seen.insert(bit) {
                continue;
            }
            let id = catalogue.id_of(bit);
            if catalogue.scopes(id).len() == 0 {
                let level = catalogue.node(id).level_of(bit);
                let known = needed.entry(id).or_insert_with(|| {
                    order.push(id);
                    0
                });
                *known = level.max(*known);
            } else if !is_met(id, &needed) {
                unmet.push(id);
                continue;
            }
            open.extend(needs(id));
        }
        let met: Vec<NodeId> = unmet.extract_if(.., |id| is_met(*id, &needed)).collect();
        if met.is_empty() {
            break;
        }
        open.extend(met.into_iter().rev().flat_map(needs));
    }
    let mut stated = Vec::new();
    for id in order {
        let level = needed.get(&id).copied().unwrap_or(1);
        let now = index.said_of(id, catalogue).level();
        let exactly = Pattern::exactly(id);
        if now < level || index.has(exactly, Effect::Forbid) {
            let effect = Effect::granting(catalogue.node(id), level.max(now));
            stated.push((exactly, Some(effect)));
        }
    }
    stated.retain(|&(pattern, effect)| statements.set_exactly(pattern, effect));
    (stated, unmet)
}

/// Withdraws the permissions that a pattern matches and everything that needs them,
/// wherever the source allows it. Returns the statements made.
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
        for &dependent in lost.into_iter().flat_map(|id| catalogue.dependents(id)) {
            if gone.insert(dependent) {
                open.push(dependent);
            }
        }
    }
    // The exact allow of a scoped node goes if all its scopes go; a restriction beside it
    // stays, as it may be all that withholds a scope.
    let mut stated = Vec::new();
    for &id in &catalogue.scoped {
        let exactly = Pattern::exactly(id);
        if index.has(exactly, Effect::Allow)
            && catalogue.scopes(id).all(|scope| gone.contains(&scope))
        {
            let left = [Effect::Forbid, Effect::Deny, Effect::Except].into_iter();
            let left = left.filter(|&effect| index.has(exactly, effect)).min();
            stated.push((exactly, left));
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
            let nearest = nearest(matching.iter().copied(), id, catalogue);
            let said = nearest.and_then(|it| it.effect.result(catalogue.node(id)));
            said.is_some_and(|said| said.level() > 0)
        };
        let mut matching: Vec<Statement<'_>> = index.matching(id, catalogue).collect();
        if !allows(&matching) {
            continue;
        }
        // A forbid of exactly this permission stays, and makes an `except` needless.
        let forbid = index.has(exactly, Effect::Forbid).then_some(Effect::Forbid);
        let count = matching.len();
        matching.retain(|statement| statement.pattern != exactly);
        if matching.len() < count {
            more.push((exactly, forbid));
        }
        if allows(&matching) {
            more.push((exactly, forbid.or(Some(Effect::Except))));
        }
    }
    more.retain(|&(pattern, effect)| statements.set_exactly(pattern, effect));
    stated.extend(more);
    stated
}

/// Returns the permissions that a pattern matches and that can be granted.
fn members(pattern: Pattern, catalogue: &Catalogue) -> impl Iterator<Item = NodeId> {
    catalogue.nodes.iter().filter_map(move |(id, node)| {
        let grantable = !matches!(node.form, Form::Heading | Form::Scoped(_));
        (grantable && Pattern::that_match(id, catalogue)(pattern)).then_some(id)
    })
}

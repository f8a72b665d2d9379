//! Fewer statements that say the same of every permission.

use super::sources::stating;
use super::{Change, Op};
use crate::catalogue::{Catalogue, NodeId, Pattern, Reach};
use crate::ids::{IdVec, SourceId, each};
use crate::names::HashSet;
use crate::policy::{Draft, Effect, Policy, Said, SourceName, Statements, nearest};

impl Policy {
    /// Returns an edit that says the same of every permission with fewer statements; `None`
    /// where none was found.
    ///
    /// Ticking boxes one by one leaves patterns with many exceptions, or many boxes that one
    /// pattern would tick. Levels, forbids, bounds and settings stay as they are, and so does
    /// every answer. (A later catalogue may have more permissions, which a pattern would cover
    /// and a list would not: look at the edit before it is applied.)
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy, SourceName};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders", "children": [
    /// #         {"key": "quotes"}, {"key": "export"}, {"key": "approve"}, {"key": "archive"}]}]},
    /// #     "roles": {"clerk": {
    /// #         "allow": ["orders.**"],
    /// #         "except": ["orders.quotes", "orders.export", "orders.approve"]}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// use grantree::change::Actor;
    ///
    /// let clerk = SourceName::Role("clerk".into());
    /// assert_eq!(policy.source(&clerk).unwrap().source.statements.except.len(), 3);
    /// let edit = policy.tidy(&clerk).unwrap();
    /// let tidy = policy.apply(Actor::Host, &edit)?.policy;
    /// let statements = tidy.source(&clerk).unwrap().source.statements;
    /// assert_eq!(statements.allow, ["orders", "orders.archive"]);
    /// assert!(statements.except.is_empty());
    /// assert!(Engine::new(&policy).diff(&Engine::new(&tidy)).is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn tidy(&self, source: &SourceName) -> Option<Change> {
        let policy = self.inner();
        let stated = match source {
            SourceName::Global => &policy.sources[SourceId::GLOBAL].statements,
            SourceName::User(name) => {
                policy.users[policy.users.find(name)?].statements.as_deref()?
            }
            shared => {
                let (kind, name) = shared.assignable()?;
                &policy.sources[policy.sources.find(kind, name)?].statements
            }
        };
        let ops = shorter(stated, &policy.catalogue)?;
        Some(Change::Edit { source: source.clone(), ops, cascade: false })
    }
}

/// The effects that a statement on everything beneath a node may have. An `except` says nothing,
/// as does no statement at all.
const DEFAULTS: [Effect<'static>; 3] = [Effect::Except, Effect::Deny, Effect::Allow];

/// Returns the ops that make of statements fewer ones that say the same.
fn shorter(stated: &Statements, catalogue: &Catalogue) -> Option<Vec<Op>> {
    let mut draft = Draft::new(stated);
    let before = meaning(&draft, catalogue);
    let least = Least::new(&draft, catalogue).statements();
    let lists = [&stated.allow, &stated.except, &stated.deny];
    if least.len() >= lists.iter().map(|list| list.len()).sum() {
        return None;
    }
    let is_left: HashSet<Pattern> = least.iter().map(|(pattern, _)| *pattern).collect();
    let cleared = lists.into_iter().flatten().filter(|pattern| !is_left.contains(pattern));
    let cleared = cleared.map(|&pattern| (pattern, None));
    let left = least.iter().map(|&(pattern, effect)| (pattern, Some(effect)));
    // An op replaces whatever shares its pattern.
    let levels = stated.levels.iter().map(|(pattern, _)| pattern);
    let kept: HashSet<&Pattern> = levels.chain(stated.forbid.iter()).collect();
    let mut ops = Vec::new();
    for (pattern, effect) in cleared.chain(left) {
        if draft.set_exactly(pattern, effect) {
            if kept.contains(&pattern) {
                return None;
            }
            ops.push(stating(pattern, effect, catalogue));
        }
    }
    // What stands above levels may say something else now.
    (meaning(&draft, catalogue) == before).then_some(ops)
}

/// Returns what statements say of each permission.
fn meaning(draft: &Draft<'_>, catalogue: &Catalogue) -> Vec<(Said, bool)> {
    let nodes = each(catalogue.subtree(None));
    let grantable = nodes.filter(|&id| catalogue.grantable.contains(catalogue.node(id).bit));
    grantable.map(|id| draft.said(id, catalogue).0).collect()
}

/// The fewest statements, each on a permission or on everything beneath a node, by which each
/// permission has its effect.
// By dynamic programming: the fewest for a subtree, given the effect that it has by default, are
// those for the node and for each child's subtree given the same default, or else one more,
// which sets another default. So counts are made from the leaves up.
struct Least<'c> {
    catalogue: &'c Catalogue,
    /// The effect that each node must have; `None` where a level decides, or nothing can.
    effects: IdVec<NodeId, Option<Effect<'static>>>,
    /// The number of statements for each node's subtree, by its default.
    counts: IdVec<NodeId, [usize; 3]>,
}

impl<'c> Least<'c> {
    fn new(draft: &Draft<'_>, catalogue: &'c Catalogue) -> Least<'c> {
        let nodes: Vec<NodeId> = each(catalogue.subtree(None)).collect();
        let effects = nodes.iter().map(|&id| {
            let is_stated = catalogue.grantable.contains(catalogue.node(id).bit);
            let nearest = nearest(draft.matching(id, catalogue), id, catalogue);
            match nearest.map_or(Effect::Except, |it| it.effect) {
                _ if !is_stated => None,
                Effect::Deny => Some(Effect::Deny),
                Effect::Allow => Some(Effect::Allow),
                Effect::Except => Some(Effect::Except),
                Effect::Level(_) | Effect::Forbid => None,
            }
        });
        let effects = effects.collect();
        let counts = IdVec::filled(nodes.len(), [0; 3]);
        let mut least = Least { catalogue, effects, counts };
        for id in nodes.into_iter().rev() {
            let count = [0, 1, 2].map(|default| least.best(Some(id), default).0);
            least.counts[id] = count;
        }
        least
    }

    /// The fewest statements for a subtree, or for everything, and the default that it is
    /// given then.
    fn best(&self, of: Option<NodeId>, default: usize) -> (usize, usize) {
        let with = |default: usize| {
            let own = of.and_then(|id| self.own(id, default)).map_or(0, |_| 1);
            let children = self.catalogue.children(of);
            children.fold(own, |sum: usize, child| {
                let count = self.counts[child].get(default);
                sum.saturating_add(count.copied().unwrap_or(0))
            })
        };
        let others = (0..DEFAULTS.len()).filter(|&other| other != default);
        let others = others.map(|other| (with(other).saturating_add(1), other));
        // The one that is given already, if another is no better.
        let kept = (with(default), default);
        others.fold(kept, |best, other| if other.0 < best.0 { other } else { best })
    }

    /// The effect that must be stated of a node itself, given a default.
    fn own(&self, id: NodeId, default: usize) -> Option<Effect<'static>> {
        self.effects[id].filter(|effect| DEFAULTS.get(default) != Some(effect))
    }

    /// The statements, in the order of the catalogue.
    fn statements(&self) -> Vec<(Pattern, Effect<'static>)> {
        let mut statements = Vec::new();
        let mut open = vec![(None, 0)];
        while let Some((of, given)) = open.pop() {
            let (_, default) = self.best(of, given);
            if default != given
                && let Some(&effect) = DEFAULTS.get(default)
            {
                statements.push((Pattern { base: of, reach: Reach::Subtree }, effect));
            }
            if let Some(id) = of
                && let Some(effect) = self.own(id, default)
            {
                statements.push((Pattern::exactly(id), effect));
            }
            open.extend(self.catalogue.children(of).map(|child| (Some(child), default)));
        }
        statements.sort_unstable_by_key(|(pattern, _)| (pattern.base, pattern.reach));
        statements
    }
}

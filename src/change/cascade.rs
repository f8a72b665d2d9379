//! The cascades of the tick-box tree (design, section 5): the needs of a permission come
//! with it, and the permissions that need it go with it.

// An edit may have as many ops as a source has statements, and each may have to do with every
// permission. So what one op has settled, the next ones do not look at again: `met` and `gone`
// hold what is closed, in that a permission is there along with all that it must bring or take
// with it. What is allowed may then rise without harm to `met`, and fall without harm to
// `gone`; an edit that does the other forgets them.

use crate::catalogue::{Bit, Catalogue, Dependent, Form, NodeId, Pattern};
use crate::ids::each;
use crate::names::{HashMap, HashSet};
use crate::policy::{Draft, Effect, Statement, nearest};

/// A pattern, and the effect of the only statement of exactly it.
pub(super) type Stated<'s> = (Pattern, Option<Effect<'s>>);

/// The statements of a source that cascades edit.
pub(super) struct Cascading<'s> {
    pub(super) draft: Draft<'s>,
    catalogue: &'s Catalogue,
    /// The permissions allowed along with everything that they need.
    met: HashSet<Bit>,
    /// The patterns of which that holds of all members.
    allowed: HashSet<Pattern>,
    /// The permissions not allowed, nor anything that needs them.
    gone: HashSet<NodeId>,
    /// The patterns of which that holds of all members.
    withdrawn: HashSet<Pattern>,
}

impl<'s> Cascading<'s> {
    pub(super) fn new(draft: Draft<'s>, catalogue: &'s Catalogue) -> Cascading<'s> {
        let (met, gone) = (HashSet::default(), HashSet::default());
        let (allowed, withdrawn) = (HashSet::default(), HashSet::default());
        Cascading { draft, catalogue, met, allowed, gone, withdrawn }
    }

    /// Replaces all statements with exactly a pattern by one with that effect, or by none;
    /// returns whether that makes a difference.
    pub(super) fn state(&mut self, pattern: Pattern, effect: Option<Effect<'s>>) -> bool {
        let mut before = self.draft.effects(pattern);
        let withholds = before.any(|it| !matches!(it, Effect::Allow | Effect::Forbid));
        let differs = self.draft.set_exactly(pattern, effect);
        if differs && effect != Some(Effect::Allow) {
            self.forget_met();
        }
        match effect {
            _ if !differs => {}
            // Whoever clears or withdraws these goes on to withdraw their members.
            None | Some(Effect::Except | Effect::Deny) => {
                self.withdrawn.remove(&pattern);
                if withholds {
                    for id in members(pattern, self.catalogue) {
                        self.gone.remove(&id);
                    }
                }
            }
            Some(Effect::Forbid) if !withholds => {}
            Some(Effect::Allow | Effect::Level(_) | Effect::Forbid) => self.forget_gone(),
        }
        differs
    }

    fn forget_met(&mut self) {
        self.met.clear();
        self.allowed.clear();
    }

    fn forget_gone(&mut self) {
        self.gone.clear();
        self.withdrawn.clear();
    }

    fn level(&self, id: NodeId) -> u32 {
        self.draft.level(id, self.catalogue)
    }

    fn allows(&self, id: NodeId) -> bool {
        self.level(id) > 0
    }

    /// Makes statements; returns those that make a difference.
    fn make(&mut self, mut stated: Vec<Stated<'s>>) -> Vec<Stated<'s>> {
        stated.retain(|&(pattern, effect)| self.draft.set_exactly(pattern, effect));
        stated
    }

    /// Allows what the permissions need that a pattern allows. Returns the statements made,
    /// and the scoped permissions that are needed but not met.
    pub(super) fn allow(&mut self, pattern: Pattern) -> (Vec<Stated<'s>>, Vec<NodeId>) {
        if self.allowed.contains(&pattern) {
            return Default::default();
        }
        let catalogue = self.catalogue;
        let needs = |id| catalogue.needs(id).map(|(_, bit)| bit);
        let allowed = members(pattern, catalogue).filter(|&id| self.allows(id));
        let mut open: Vec<Bit> = allowed.flat_map(needs).collect();
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
                catalogue.scopes(id).any(|scope| needed.contains_key(&scope) || self.allows(scope))
            };
            while let Some(bit) = open.pop() {
                if self.met.contains(&bit) || !seen.insert(bit) {
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
            let now = self.level(id);
            let exactly = Pattern::exactly(id);
            if now < level || self.draft.has(exactly, Effect::Forbid) {
                let effect = Effect::granting(catalogue.node(id), level.max(now));
                stated.push((exactly, Some(effect)));
            }
        }
        let stated = self.make(stated);
        if !stated.is_empty() {
            self.forget_gone();
        }
        if unmet.is_empty() {
            self.met.extend(seen);
            self.allowed.insert(pattern);
        } else {
            // Each op tells again of what is not met.
            self.allowed.clear();
        }
        (stated, unmet)
    }

    /// Withdraws the permissions that a pattern matches and everything that needs them,
    /// wherever the source allows it. Returns the statements made.
    pub(super) fn withdraw(&mut self, pattern: Pattern) -> Vec<Stated<'s>> {
        if self.withdrawn.contains(&pattern) {
            return Vec::new();
        }
        let catalogue = self.catalogue;
        let members = members(pattern, catalogue).filter(|id| !self.gone.contains(id));
        let mut gone: HashSet<NodeId> = members.collect();
        let mut open: Vec<NodeId> = gone.iter().copied().collect();
        let mut scoped: Vec<NodeId> = Vec::new();
        while let Some(id) = open.pop() {
            let mut lost = vec![id];
            if let Form::Scope(of, _) = catalogue.node(id).form {
                scoped.push(of);
                let allowed = |id| !gone.contains(&id) && self.allows(id);
                if !catalogue.scopes(of).any(allowed) {
                    lost.push(of);
                }
            }
            let dependents = lost.into_iter().flat_map(|id| catalogue.dependents(id));
            for &Dependent { id: dependent, .. } in dependents {
                if !self.gone.contains(&dependent) && gone.insert(dependent) {
                    open.push(dependent);
                }
            }
        }
        let mut stated = self.withdraw_scoped(scoped, &mut gone);
        let mut order: Vec<NodeId> = gone.iter().copied().collect();
        order.sort_unstable();
        let more = order.into_iter().flat_map(|id| self.withdrawing(id)).collect();
        stated.extend(self.make(more));
        if !stated.is_empty() {
            self.forget_met();
        }
        self.gone.extend(gone);
        self.withdrawn.insert(pattern);
        stated
    }

    /// Removes the exact allow of each of some scoped permissions all of whose scopes go; a
    /// restriction beside it stays, as it may be all that withholds a scope.
    fn withdraw_scoped(
        &mut self,
        mut scoped: Vec<NodeId>,
        gone: &mut HashSet<NodeId>,
    ) -> Vec<Stated<'s>> {
        scoped.sort_unstable();
        scoped.dedup();
        let mut stated = Vec::new();
        for id in scoped {
            let exactly = Pattern::exactly(id);
            let mut scopes = self.catalogue.scopes(id);
            let all_go = scopes.all(|scope| gone.contains(&scope) || self.gone.contains(&scope));
            if all_go && self.draft.has(exactly, Effect::Allow) {
                let left = [Effect::Forbid, Effect::Deny, Effect::Except].into_iter();
                let left = left.filter(|&effect| self.draft.has(exactly, effect)).min();
                stated.push((exactly, left));
                // Of several restrictions one is left, and another may have withheld them.
                gone.extend(self.catalogue.scopes(id));
            }
        }
        self.make(stated)
    }

    /// Returns the statements that withdraw a permission by itself, if it is allowed.
    fn withdrawing(&self, id: NodeId) -> Vec<Stated<'s>> {
        let catalogue = self.catalogue;
        let exactly = Pattern::exactly(id);
        let allows = |matching: &[Statement<'_>]| {
            let nearest = nearest(matching.iter().copied(), id, catalogue);
            let said = nearest.and_then(|it| it.effect.result(catalogue.node(id)));
            said.is_some_and(|said| said.level() > 0)
        };
        let mut stated = Vec::new();
        if !self.allows(id) {
            return stated;
        }
        let mut matching: Vec<Statement<'_>> = self.draft.matching(id, catalogue).collect();
        // A forbid of exactly this permission stays, and makes an `except` needless.
        let forbid = self.draft.has(exactly, Effect::Forbid).then_some(Effect::Forbid);
        let count = matching.len();
        matching.retain(|statement| statement.pattern != exactly);
        if matching.len() < count {
            stated.push((exactly, forbid));
        }
        if allows(&matching) {
            stated.push((exactly, forbid.or(Some(Effect::Except))));
        }
        stated
    }
}

/// Returns the permissions that a pattern matches and that can be granted.
fn members(pattern: Pattern, catalogue: &Catalogue) -> impl Iterator<Item = NodeId> {
    let bits = pattern.ranges(catalogue).flat_map(each);
    bits.filter(|&bit| catalogue.grantable.contains(bit)).filter_map(|bit| {
        let id = catalogue.id_of(bit);
        (catalogue.node(id).bit == bit).then_some(id)
    })
}

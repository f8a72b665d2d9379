//! The statements of a source while they are edited: each edit costs the same, however many
//! statements there are.

use std::collections::BTreeMap;
use std::hash::Hash;

use smallvec::SmallVec;

use super::statements::{Effect, Said, Statement, StatementIndex, Statements, matching, nearest};
use crate::catalogue::{AttributeId, Catalogue, NodeId, Pattern};
use crate::document::Bound;
use crate::document::SettingValue;
use crate::names::{HashMap, HashSet};

/// Statements, and edits of them.
#[derive(Debug)]
pub(crate) struct Draft<'s> {
    stated: &'s Statements,
    index: StatementIndex<'s>,
    /// The patterns that lists repeat.
    repeated: HashSet<Pattern>,
    /// The patterns that edits gave one statement, or none, with the number of the edit.
    edited: HashMap<Pattern, (usize, Option<Effect<'s>>)>,
    edits: usize,
    bounds: Entries<'s, AttributeId, Bound>,
    settings: Entries<'s, u32, SettingValue>,
}

impl<'s> Draft<'s> {
    pub(crate) fn new(stated: &'s Statements) -> Draft<'s> {
        let (index, repeated) = StatementIndex::with_repeated(stated);
        Draft {
            stated,
            index,
            repeated: repeated.into_iter().collect(),
            edited: HashMap::default(),
            edits: 0,
            bounds: Entries::new(&stated.bounds),
            settings: Entries::new(&stated.settings),
        }
    }

    /// Returns the statements with exactly a pattern, forbids included; of repeated ones the
    /// first.
    fn exactly(&self, pattern: Pattern) -> SmallVec<[Statement<'s>; 2]> {
        match self.edited.get(&pattern) {
            Some(&(at, effect)) => {
                effect.into_iter().map(|effect| Statement { effect, pattern, at }).collect()
            }
            None => self.index.exactly(pattern).collect(),
        }
    }

    /// Returns the effects of the statements with exactly a pattern.
    pub(crate) fn effects(&self, pattern: Pattern) -> impl Iterator<Item = Effect<'s>> + use<'s> {
        self.exactly(pattern).into_iter().map(|statement| statement.effect)
    }

    /// Returns whether there is a statement of exactly that pattern and effect.
    pub(crate) fn has(&self, pattern: Pattern, effect: Effect<'_>) -> bool {
        self.effects(pattern).any(|known| known == effect)
    }

    /// Returns the statements that match a permission, forbids included.
    pub(crate) fn matching(
        &self,
        id: NodeId,
        catalogue: &Catalogue,
    ) -> impl Iterator<Item = Statement<'s>> {
        matching(id, catalogue, |pattern| self.exactly(pattern))
    }

    /// Returns whether the statements allow a permission, at whatever level, forbids aside.
    pub(crate) fn level(&self, id: NodeId, catalogue: &Catalogue) -> u32 {
        let nearest = nearest(self.matching(id, catalogue), id, catalogue);
        let said = nearest.and_then(|it| it.effect.result(catalogue.node(id)));
        said.map_or(0, Said::level)
    }

    /// Returns what the statements say of a permission and if they forbid it, and the pattern
    /// that decides the former.
    pub(crate) fn said(
        &self,
        id: NodeId,
        catalogue: &Catalogue,
    ) -> ((Said, bool), Option<Pattern>) {
        let nearest = nearest(self.matching(id, catalogue), id, catalogue);
        let said = nearest.and_then(|it| it.effect.result(catalogue.node(id)));
        let is_forbidden = self.matching(id, catalogue).any(|it| it.effect == Effect::Forbid);
        ((said.unwrap_or(Said::Nothing), is_forbidden), nearest.map(|it| it.pattern))
    }

    /// Replaces all statements with exactly a pattern by one with that effect, or by
    /// none; returns whether that makes a difference.
    pub(crate) fn set_exactly(&mut self, pattern: Pattern, effect: Option<Effect<'s>>) -> bool {
        let is_repeated = !self.edited.contains_key(&pattern) && self.repeated.contains(&pattern);
        if !is_repeated && self.effects(pattern).eq(effect) {
            return false;
        }
        self.edits = self.edits.saturating_add(1);
        self.edited.insert(pattern, (self.edits, effect));
        true
    }

    /// Sets the bound of an attribute, or removes it if `None`; returns whether that makes a
    /// difference.
    pub(crate) fn set_bound(&mut self, attribute: AttributeId, bound: Option<&'s Bound>) -> bool {
        self.bounds.set(attribute, bound)
    }

    /// Sets the value of a setting, or removes it if `None`; returns whether that makes a
    /// difference.
    pub(crate) fn set_setting(&mut self, setting: u32, value: Option<&'s SettingValue>) -> bool {
        self.settings.set(setting, value)
    }

    /// Returns the statements as edited: new ones come last, in the order of the edits.
    pub(crate) fn finish(self) -> Statements {
        let mut edited: Vec<_> = self.edited.iter().map(|(&pattern, &it)| (it, pattern)).collect();
        edited.sort_unstable_by_key(|&((at, _), _)| at);
        let is_left = |pattern: &Pattern| !self.edited.contains_key(pattern);
        let list = |stated: &[Pattern], effect: Effect<'_>| {
            let new = edited.iter().filter(|((_, known), _)| *known == Some(effect));
            let left = stated.iter().copied().filter(is_left);
            left.chain(new.map(|&(_, pattern)| pattern)).collect()
        };
        let levels = self.stated.levels.iter().filter(|(pattern, _)| is_left(pattern)).cloned();
        let new = edited.iter().filter_map(|&((_, effect), pattern)| match effect {
            Some(Effect::Level(level)) => Some((pattern, level.into())),
            _ => None,
        });
        Statements {
            allow: list(&self.stated.allow, Effect::Allow),
            except: list(&self.stated.except, Effect::Except),
            deny: list(&self.stated.deny, Effect::Deny),
            forbid: list(&self.stated.forbid, Effect::Forbid),
            levels: levels.chain(new).collect(),
            bounds: self.bounds.finish(),
            settings: self.settings.finish(),
        }
    }
}

impl Statements {
    /// A single statement about permissions.
    pub(crate) fn of(pattern: Pattern, effect: Effect<'_>) -> Statements {
        let nothing = Statements::default();
        let mut draft = Draft::new(&nothing);
        draft.set_exactly(pattern, Some(effect));
        draft.finish()
    }
}

/// A list of keys and values, and edits of it.
#[derive(Debug)]
struct Entries<'s, K, V> {
    places: HashMap<K, usize>,
    /// By their places: those that are new come last.
    listed: BTreeMap<usize, (K, &'s V)>,
    next: usize,
}

impl<'s, K: Copy + Eq + Hash, V: Clone + PartialEq> Entries<'s, K, V> {
    fn new(stated: &'s [(K, V)]) -> Entries<'s, K, V> {
        let listed = stated.iter().enumerate();
        Entries {
            places: listed.clone().map(|(at, &(key, _))| (key, at)).collect(),
            listed: listed.map(|(at, (key, value))| (at, (*key, value))).collect(),
            next: stated.len(),
        }
    }

    /// Sets the value of a key, or removes it; returns whether that makes a difference.
    fn set(&mut self, key: K, value: Option<&'s V>) -> bool {
        let place = self.places.get(&key).copied();
        let known = place.and_then(|at| self.listed.get(&at)).map(|&(_, value)| value);
        if known == value {
            return false;
        }
        match value {
            None => {
                self.places.remove(&key);
                place.map(|at| self.listed.remove(&at));
            }
            Some(value) => {
                let at = place.unwrap_or(self.next);
                self.next = self.next.max(at.saturating_add(1));
                self.places.insert(key, at);
                self.listed.insert(at, (key, value));
            }
        }
        true
    }

    fn finish(self) -> Box<[(K, V)]> {
        self.listed.into_values().map(|(key, value)| (key, value.clone())).collect()
    }
}

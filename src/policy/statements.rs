//! The statements of a source, and which of them decides about a permission
//! (design, rule 1).

use std::cmp::Reverse;

use crate::catalogue::{AttributeId, Catalogue, Form, Node, NodeId, Pattern, Reach};
use crate::document::{self, Bound, SettingValue};
use crate::ids::each;
use crate::names::HashSet;

/// The statements of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Statements {
    pub(crate) allow: Box<[Pattern]>,
    pub(crate) except: Box<[Pattern]>,
    pub(crate) deny: Box<[Pattern]>,
    pub(crate) forbid: Box<[Pattern]>,
    pub(crate) levels: Box<[(Pattern, Box<str>)]>,
    pub(crate) bounds: Box<[(AttributeId, Bound)]>,
    pub(crate) settings: Box<[(u32, SettingValue)]>,
}

/// A list of statements about permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum List {
    Allow,
    Except,
    Deny,
    Forbid,
    Levels,
}

impl List {
    /// Returns the key of the list in a document.
    pub(crate) fn key(self) -> &'static str {
        match self {
            List::Allow => "allow",
            List::Except => "except",
            List::Deny => "deny",
            List::Forbid => "forbid",
            List::Levels => "levels",
        }
    }
}

/// The effect of a statement on the permissions that it matches, the lowest first:
/// of equally near statements the lowest wins, but an `except` wins over a level above
/// the lowest.
///
/// Forbids are not among those that compete: any that matches forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Effect<'s> {
    Forbid,
    Deny,
    Level(&'s str),
    Except,
    Allow,
}

impl<'s> Effect<'s> {
    /// Returns the effect that grants a permission at a level above the lowest.
    pub(crate) fn granting(node: &'s Node, level: u32) -> Effect<'s> {
        node.level_name(level as usize).map_or(Effect::Allow, Effect::Level)
    }

    /// Returns the list of the statements with this effect.
    pub(crate) fn list(self) -> List {
        match self {
            Effect::Forbid => List::Forbid,
            Effect::Deny => List::Deny,
            Effect::Level(_) => List::Levels,
            Effect::Except => List::Except,
            Effect::Allow => List::Allow,
        }
    }

    /// Returns the result for a permission that is matched; `None` if that one is passed
    /// over, as it does not have the level. A forbid denies.
    pub(crate) fn result(self, node: &Node) -> Option<Said> {
        match (self, &node.form) {
            (Effect::Forbid | Effect::Deny, _) => Some(Said::Deny),
            (Effect::Except, _) => Some(Said::Nothing),
            (Effect::Allow, _) => Some(Said::Level(node.width())),
            (Effect::Level(level), Form::Graded(levels)) => {
                let at = levels.iter().position(|known| **known == *level)?;
                Some(Said::Level(at as u32))
            }
            (Effect::Level(_), _) => None,
        }
    }
}

/// The result of the statements of a source, a tier or all tiers for one permission,
/// forbids aside. Of two in the role tier, the greater wins (rule 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Said {
    Nothing,
    /// This level is granted; of a permission that is not graded, 1 is all of it.
    Level(u32),
    Deny,
}

impl Said {
    /// Returns the place in the order of rule 1: of equally near statements the one with
    /// the lowest result wins.
    fn order(self) -> u32 {
        match self {
            Said::Deny => 0,
            Said::Level(0) => 1,
            Said::Nothing => 2,
            Said::Level(level) => level.saturating_add(2),
        }
    }

    /// Returns the level that is granted: 0 for none.
    pub(crate) fn level(self) -> u32 {
        match self {
            Said::Level(level) => level,
            Said::Nothing | Said::Deny => 0,
        }
    }
}

/// A statement about permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Statement<'s> {
    pub(crate) effect: Effect<'s>,
    pub(crate) pattern: Pattern,
    /// Its position in its list.
    pub(crate) at: usize,
}

impl<'s> Statement<'s> {
    /// Returns its place in a document, given that of its source.
    pub(crate) fn place(self, source: &str, catalogue: &Catalogue) -> String {
        let list = self.effect.list();
        match list {
            List::Levels => format!("{source}.{}.{}", list.key(), self.pattern.text(catalogue)),
            _ => format!("{source}.{}[{}]", list.key(), self.at),
        }
    }

    /// Returns the permissions that it matches, each with the result for it.
    pub(crate) fn results(self, catalogue: &Catalogue) -> impl Iterator<Item = (NodeId, Said)> {
        let ids = self.pattern.ranges(catalogue).flat_map(each).filter_map(|bit| {
            let id = catalogue.id_of(bit);
            let first = catalogue.node(id).bit == bit && catalogue.grantable.contains(bit);
            first.then_some(id)
        });
        ids.filter_map(move |id| Some((id, self.effect.result(catalogue.node(id))?)))
    }

    /// Rule 1: of two statements that match a permission, the one of the greater rank
    /// wins; equal ranks have equal results.
    pub(crate) fn rank(self, id: NodeId, catalogue: &Catalogue) -> Rank<'s> {
        let order = self.effect.result(catalogue.node(id)).map(Said::order);
        (self.pattern.nearness(catalogue), Reverse((order, self.effect)))
    }

    /// Returns its rank for all permissions at once. Only between an `except` and a level
    /// of the same pattern it depends on the permission: this rank puts the level first,
    /// which holds where it is the lowest one.
    fn common_rank(self, catalogue: &Catalogue) -> ((u32, Reach), Reverse<Effect<'s>>) {
        (self.pattern.nearness(catalogue), Reverse(self.effect))
    }
}

/// The rank of a statement among those that match a permission.
type Rank<'s> = ((u32, Reach), Reverse<(Option<u32>, Effect<'s>)>);

/// Returns the statements that match a permission, given those with exactly a pattern.
pub(super) fn matching<'s, I: IntoIterator<Item = Statement<'s>>>(
    id: NodeId,
    catalogue: &Catalogue,
    exactly: impl Fn(Pattern) -> I,
) -> impl Iterator<Item = Statement<'s>> {
    let matching = Pattern::all_that_match(id, catalogue).into_iter().flat_map(exactly);
    matching.filter(move |it| it.effect.result(catalogue.node(id)).is_some())
}

/// Returns the statement that decides about a permission, of those that match it.
/// Forbids are passed over.
pub(crate) fn nearest<'s>(
    matching: impl Iterator<Item = Statement<'s>>,
    id: NodeId,
    catalogue: &Catalogue,
) -> Option<Statement<'s>> {
    let competing = matching.filter(|statement| statement.effect != Effect::Forbid);
    competing.max_by_key(|statement| (statement.rank(id, catalogue), Reverse(statement.at)))
}

impl Statements {
    pub(crate) fn is_empty(&self) -> bool {
        self.all().next().is_none() && self.bounds.is_empty() && self.settings.is_empty()
    }

    /// Returns the number of statements.
    pub(crate) fn len(&self) -> usize {
        self.all().count().saturating_add(self.bounds.len()).saturating_add(self.settings.len())
    }

    /// Returns all statements about permissions, list by list.
    pub(crate) fn all(&self) -> impl Iterator<Item = Statement<'_>> + Clone {
        let lists = [
            (Effect::Allow, &self.allow),
            (Effect::Except, &self.except),
            (Effect::Deny, &self.deny),
            (Effect::Forbid, &self.forbid),
        ];
        let stated = lists.into_iter().flat_map(|(effect, patterns)| {
            let numbered = patterns.iter().enumerate();
            numbered.map(move |(at, &pattern)| Statement { effect, pattern, at })
        });
        let levels = self.levels.iter().enumerate().map(|(at, (pattern, level))| Statement {
            effect: Effect::Level(level),
            pattern: *pattern,
            at,
        });
        stated.chain(levels)
    }

    /// The same in a vector, which is filled in one go.
    fn to_vec(&self) -> Vec<Statement<'_>> {
        let lists = [&self.allow, &self.except, &self.deny, &self.forbid].map(|list| list.len());
        let count = lists.iter().fold(self.levels.len(), |sum, len| sum.saturating_add(*len));
        let mut all = Vec::with_capacity(count);
        self.all().for_each(|statement| all.push(statement));
        all
    }

    /// The statements that match a permission, forbids included.
    pub(crate) fn matching(
        &self,
        id: NodeId,
        catalogue: &Catalogue,
    ) -> impl Iterator<Item = Statement<'_>> {
        let matches = Pattern::that_match(id, catalogue);
        let matching = self.all().filter(move |it| matches(it.pattern));
        matching.filter(move |it| it.effect.result(catalogue.node(id)).is_some())
    }

    /// Returns the statements about permissions as rule 1 ranks them, the farthest first:
    /// of those that match a permission the last one wins, forbids aside, unless it is a
    /// level above the lowest, and there is an `except` of the same pattern.
    pub(crate) fn ranked(&self, catalogue: &Catalogue) -> Vec<Statement<'_>> {
        let mut ranked = self.to_vec();
        ranked.sort_by_cached_key(|statement| statement.common_rank(catalogue));
        ranked
    }

    /// Passes on the same without repetitions: a hostile list may repeat `**` many times,
    /// and each would be applied to all permissions. Those of one permission may recur.
    pub(crate) fn each_distinct<'s>(
        &'s self,
        catalogue: &Catalogue,
        call: impl FnMut(Statement<'s>),
    ) {
        let lists = [&self.allow, &self.except, &self.deny].map(|list| list.is_empty());
        if self.levels.is_empty() && lists.iter().filter(|is_empty| !**is_empty).count() < 2 {
            // Nothing competes, and the order of what does the same is of no account.
            let mut seen = HashSet::<(Effect<'s>, Pattern)>::default();
            let is_new = |it: &Statement<'s>| {
                it.pattern.is_single(catalogue) || seen.insert((it.effect, it.pattern))
            };
            return self.all().filter(is_new).for_each(call);
        }
        let mut ranked = self.to_vec();
        ranked.sort_by_cached_key(|it| (it.common_rank(catalogue), it.pattern));
        ranked.dedup_by_key(|statement| (statement.effect, statement.pattern));
        ranked.into_iter().for_each(call);
    }

    /// Returns the bound that is stated for an attribute.
    pub(crate) fn bound(&self, attribute: AttributeId) -> Option<&Bound> {
        find(&self.bounds, attribute)
    }

    /// Returns the value that is stated for a setting.
    pub(crate) fn setting(&self, setting: u32) -> Option<&SettingValue> {
        find(&self.settings, setting)
    }

    /// Returns the statements as a document has them.
    pub(crate) fn to_document(&self, catalogue: &Catalogue) -> document::Statements {
        let texts = |patterns: &[Pattern]| {
            patterns.iter().map(|pattern| pattern.text(catalogue)).collect::<Vec<_>>()
        };
        let setting =
            |number: u32| catalogue.settings.get_index(number as usize).map(|(name, _)| &**name);
        document::Statements {
            allow: texts(&self.allow),
            except: texts(&self.except),
            deny: texts(&self.deny),
            forbid: texts(&self.forbid),
            levels: self
                .levels
                .iter()
                .map(|(pattern, level)| (pattern.text(catalogue), level.to_string()))
                .collect(),
            bounds: self
                .bounds
                .iter()
                .map(|(id, bound)| (&*catalogue.attribute_at(*id).path, bound.clone()))
                .collect(),
            settings: self
                .settings
                .iter()
                .map(|(number, value)| (setting(*number).unwrap_or_default(), value.clone()))
                .collect(),
        }
    }
}

/// The statements of a source about permissions, found by the permission.
#[derive(Debug)]
pub(crate) struct StatementIndex<'s> {
    /// Without repetitions, sorted by pattern.
    statements: Vec<Statement<'s>>,
}

impl<'s> StatementIndex<'s> {
    pub(crate) fn new(statements: &'s Statements) -> StatementIndex<'s> {
        StatementIndex::with_repeated(statements).0
    }

    /// Returns the index, and the patterns of repeated statements.
    pub(super) fn with_repeated(statements: &'s Statements) -> (StatementIndex<'s>, Vec<Pattern>) {
        let mut statements = statements.to_vec();
        statements.sort_unstable_by_key(|it| (it.pattern, it.effect, it.at));
        let mut repeated = Vec::new();
        statements.dedup_by(|next, one| {
            let repeats = (next.pattern, next.effect) == (one.pattern, one.effect);
            repeated.extend(repeats.then_some(one.pattern));
            repeats
        });
        (StatementIndex { statements }, repeated)
    }

    /// Returns the statements with exactly a pattern.
    pub(super) fn exactly(&self, pattern: Pattern) -> impl Iterator<Item = Statement<'s>> {
        let from = self.statements.partition_point(|it| it.pattern < pattern);
        let rest = self.statements.get(from..).unwrap_or_default().iter().copied();
        rest.take_while(move |it| it.pattern == pattern)
    }

    /// Returns the statements that match a permission, forbids included; of repeated
    /// ones the first.
    pub(crate) fn matching(
        &self,
        id: NodeId,
        catalogue: &Catalogue,
    ) -> impl Iterator<Item = Statement<'s>> {
        matching(id, catalogue, |pattern| self.exactly(pattern))
    }

    /// Returns the statement that decides about a permission, forbids aside.
    pub(crate) fn nearest(&self, id: NodeId, catalogue: &Catalogue) -> Option<Statement<'s>> {
        nearest(self.matching(id, catalogue), id, catalogue)
    }
}

fn find<K: Copy + PartialEq, V>(list: &[(K, V)], key: K) -> Option<&V> {
    list.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
}

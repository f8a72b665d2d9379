//! The sources that users share: the global one, profiles, roles and approval
//! groups, all in one table.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{Class, Inner, OwnSources, SourceName, Statements};
use crate::bits::BitSet;
use crate::chunked::Chunked;
use crate::document;
use crate::graph;
use crate::ids::{Bit, IdVec, Key, Number, SourceId};
use crate::names::{HashMap, HashSet, IndexSet};
use crate::slots::Names;

/// The kinds of shared sources, the more general first: also the order in which a
/// user's sources are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum SourceKind {
    Global,
    Profile,
    Role,
    ApprovalGroup,
}

/// The specificity of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    Global,
    Profile,
    /// Of roles and approval groups.
    Role,
    /// Of an assignment's own sources, for the bounds on what it carries; for what they
    /// grant, they belong to the tier of roles (rule 9).
    Assignment,
    User,
}

impl Key for SourceKind {
    fn index(self) -> usize {
        self as usize
    }
}

impl SourceKind {
    /// The kinds in the order of a document. There is one global source, and it has
    /// no name.
    pub(crate) const ALL: [SourceKind; 4] =
        [SourceKind::Global, SourceKind::Profile, SourceKind::Role, SourceKind::ApprovalGroup];

    pub(crate) fn tier(self) -> Tier {
        match self {
            SourceKind::Global => Tier::Global,
            SourceKind::Profile => Tier::Profile,
            SourceKind::Role | SourceKind::ApprovalGroup => Tier::Role,
        }
    }

    /// The kind as kinds of change have it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            SourceKind::Global => "global",
            SourceKind::Profile => "profile",
            SourceKind::Role => "role",
            SourceKind::ApprovalGroup => "approval_group",
        }
    }

    /// The kind as people read it.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            SourceKind::ApprovalGroup => "approval group",
            other => other.word(),
        }
    }

    /// The field of a document that has the sources of this kind.
    pub(crate) fn field(self) -> &'static str {
        match self {
            SourceKind::Global => "global",
            SourceKind::Profile => "profiles",
            SourceKind::Role => "roles",
            SourceKind::ApprovalGroup => "approval_groups",
        }
    }

    /// The name of a source of this kind.
    pub(crate) fn named(self, name: impl Into<String>) -> SourceName {
        match self {
            SourceKind::Global => SourceName::Global,
            SourceKind::Profile => SourceName::Profile(name.into()),
            SourceKind::Role => SourceName::Role(name.into()),
            SourceKind::ApprovalGroup => SourceName::ApprovalGroup(name.into()),
        }
    }
}

/// A source that users share, with its references resolved.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) kind: SourceKind,
    pub(crate) label: Option<Box<str>>,
    pub(crate) description: Option<Box<str>>,
    pub(crate) template: bool,
    pub(crate) protected: bool,
    /// The roles whose holders alone may assign it, besides admins; `None` if any
    /// actor may who may assign sources of this kind.
    pub(crate) assignable_by: Option<Box<[SourceId]>>,
    pub(crate) statements: Statements,
    /// The roles that a role includes by name.
    pub(crate) includes: Box<[SourceId]>,
    /// Only one user may have the role.
    pub(crate) unique: bool,
    pub(crate) demoted_to: Option<SourceId>,
}

impl Source {
    /// A source that states nothing.
    pub(crate) fn new(kind: SourceKind) -> Source {
        Source {
            kind,
            label: None,
            description: None,
            template: false,
            protected: false,
            assignable_by: None,
            statements: Statements::default(),
            includes: Box::default(),
            unique: false,
            demoted_to: None,
        }
    }

    /// A source without statements and references, described as a document does.
    pub(crate) fn described(kind: SourceKind, stated: &document::Source) -> Source {
        Source {
            label: stated.label.as_deref().map(Into::into),
            description: stated.description.as_deref().map(Into::into),
            template: stated.template,
            protected: stated.protected,
            ..Source::new(kind)
        }
    }
}

/// The shared sources of a policy.
///
/// Versions share every source that they do not change. A source keeps its number
/// as long as it exists, and no number is used again. Names are unique within a
/// kind.
///
/// INVARIANT: [`SourceId::GLOBAL`] is the global source and the only one of its kind;
/// within a kind, numbers are in document order; and no source refers to a number
/// that is vacant.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    names: IdVec<SourceKind, Names<SourceId>>,
    all: Chunked<Option<Arc<Source>>, 32>,
    /// The sources that include others, each after the ones that it includes.
    including: Arc<[SourceId]>,
}

impl Sources {
    /// A global source that states nothing, and no other sources.
    pub(crate) fn new() -> Sources {
        let names = SourceKind::ALL.map(|_| Names::default()).into_iter().collect();
        let mut sources = Sources { names, all: Chunked::default(), including: Arc::default() };
        sources.insert("", Source::new(SourceKind::Global));
        sources
    }

    /// The number of numbers given so far, vacant ones included.
    pub(crate) fn slots(&self) -> usize {
        self.all.len()
    }

    /// The number of sources of a kind.
    pub(crate) fn count(&self, kind: SourceKind) -> usize {
        self.names[kind].len()
    }

    pub(crate) fn find(&self, kind: SourceKind, name: &str) -> Option<SourceId> {
        self.names[kind].find(name)
    }

    /// A source; `None` for a vacant number. (Not named `get`, with which Clippy would take
    /// indexing, which is for numbers known to exist, for a mistake.)
    fn slot(&self, id: SourceId) -> Option<&Source> {
        self.all.get(id.index())?.as_deref()
    }

    /// Returns whether a number is of a source, not vacant.
    pub(crate) fn exists(&self, id: SourceId) -> bool {
        self.slot(id).is_some()
    }

    /// The statements of the global source.
    pub(crate) fn global(&self) -> &Statements {
        &self[SourceId::GLOBAL].statements
    }

    /// The name of a source; empty for the global one and for a vacant number.
    pub(crate) fn name(&self, id: SourceId) -> &str {
        let name = |source: &Source| self.names[source.kind].get(id);
        self.slot(id).and_then(name).unwrap_or_default()
    }

    /// The kind and name of a source that exists.
    pub(crate) fn name_of(&self, id: SourceId) -> SourceName {
        self[id].kind.named(self.name(id))
    }

    /// The sources of a kind, in document order.
    pub(crate) fn of(
        &self,
        kind: SourceKind,
    ) -> impl Iterator<Item = (SourceId, &str, &Source)> + use<'_> {
        self.names[kind].iter().filter_map(|(id, name)| Some((id, name, self.slot(id)?)))
    }

    /// All sources: the global one, then the others by kind, in document order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SourceId, &str, &Source)> + use<'_> {
        SourceKind::ALL.into_iter().flat_map(|kind| self.of(kind))
    }

    /// The sources of one kind among a user's.
    pub(crate) fn only<'s>(&self, held: &'s [SourceId], kind: SourceKind) -> &'s [SourceId] {
        let (_, rest) = held.split_at(held.partition_point(|&id| self[id].kind < kind));
        let (of_kind, _) = rest.split_at(rest.partition_point(|&id| self[id].kind == kind));
        of_kind
    }

    /// The names of sources of a kind.
    pub(crate) fn names(&self, kind: SourceKind, sources: &[SourceId]) -> Vec<String> {
        let name = |&id: &SourceId| self.names[kind].get(id).unwrap_or_default().to_owned();
        sources.iter().map(name).collect()
    }

    /// A source, as its holders have it.
    pub(crate) fn held(&self, id: SourceId) -> Held<'_> {
        let Source { kind, statements, .. } = &self[id];
        Held { origin: Origin::Shared(id), tier: kind.tier(), statements }
    }

    /// Adds a source, whose name must be new to its kind.
    pub(crate) fn insert(&mut self, name: &str, source: Source) -> SourceId {
        let id = SourceId::new(self.slots());
        self.names[source.kind].insert(id, name);
        self.set(id, source);
        id
    }

    /// Puts another source of the same kind in the place of one.
    pub(crate) fn set(&mut self, id: SourceId, source: Source) {
        self.all.set(id.index(), Some(Arc::new(source)));
    }

    pub(crate) fn change(&mut self, id: SourceId, change: impl FnOnce(&mut Source)) {
        let mut source = self[id].clone();
        change(&mut source);
        self.set(id, source);
    }

    /// Removes a source that nothing refers to; its number then stays vacant.
    pub(crate) fn remove(&mut self, id: SourceId) {
        let kind = self[id].kind;
        self.names[kind].remove(id);
        self.all.set(id.index(), None);
        self.including = self.including.iter().copied().filter(|&known| known != id).collect();
    }

    /// Renames a source; the name must be new to its kind.
    pub(crate) fn rename(&mut self, id: SourceId, to: &str) {
        let kind = self[id].kind;
        self.names[kind].rename(id, to);
    }

    /// Returns `true` if another version has the same source at a number, in the same
    /// memory.
    pub(crate) fn is_shared(&self, id: SourceId, other: &Sources) -> bool {
        match (self.all.get(id.index()), other.all.get(id.index())) {
            (Some(Some(a)), Some(Some(b))) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// Brings the order of [`Sources::including`] up to date, after changes of
    /// `includes`. Returns `false` if sources include each other in a cycle.
    pub(crate) fn order_includes(&mut self) -> bool {
        let walk = graph::walk(self.slots(), |source, at| {
            let source = self.slot(SourceId::new(source))?;
            source.includes.get(at).map(|included| included.index())
        });
        let order = walk.order.into_iter().map(SourceId::new);
        let includes = |id: &SourceId| self.slot(*id).is_some_and(|it| !it.includes.is_empty());
        self.including = order.filter(includes).collect();
        walk.cycles.is_empty()
    }

    /// The sources that include others, each after those that it includes.
    pub(crate) fn including(&self) -> &[SourceId] {
        &self.including
    }

    /// The sources that state a bound.
    pub(crate) fn bounding(&self) -> HashSet<SourceId> {
        let all = self.iter().filter(|(.., source)| !source.statements.bounds.is_empty());
        all.map(|(id, ..)| id).collect()
    }

    /// Adds the roles that include any of some sources, directly or by others.
    pub(crate) fn with_including(&self, mut sources: HashSet<SourceId>) -> HashSet<SourceId> {
        for &role in self.including() {
            if self[role].includes.iter().any(|included| sources.contains(included)) {
                sources.insert(role);
            }
        }
        sources
    }

    /// Returns, for each source that leads to some others by including them, or is one of them,
    /// a set with the positions of these.
    pub(crate) fn leading_to(&self, others: &IndexSet<SourceId>) -> HashMap<SourceId, BitSet> {
        let mut leading: HashMap<SourceId, BitSet> = HashMap::default();
        let alone = |at: usize| {
            let mut set = BitSet::new(others.len());
            set.insert(Bit::new(at));
            set
        };
        leading.extend(others.iter().enumerate().map(|(at, &id)| (id, alone(at))));
        for &role in self.including() {
            let mut all = leading.get(&role).cloned();
            for led_to in self[role].includes.iter().filter_map(|id| leading.get(id)) {
                all.get_or_insert_with(|| BitSet::new(others.len())).union_with(led_to);
            }
            leading.extend(all.map(|all| (role, all)));
        }
        leading
    }

    /// Returns the ways to some sources from those that include them.
    pub(crate) fn ways_to(&self, wanted: HashSet<SourceId>) -> Ways<'_> {
        let mut nearest: HashMap<SourceId, SourceId> = wanted.iter().map(|&id| (id, id)).collect();
        for &role in self.including().iter().filter(|role| !wanted.contains(role)) {
            let mut includes = self[role].includes.iter().filter_map(|id| nearest.get(id));
            let Some(&first) = includes.next() else { continue };
            let is_one = includes.all(|&other| other == first);
            nearest.insert(role, if is_one { first } else { role });
        }
        Ways { sources: self, wanted, nearest }
    }

    /// Sources and all that they include, each before what it includes: depth first,
    /// at its first visit.
    pub(crate) fn closure(&self, sources: &[SourceId]) -> SmallVec<[SourceId; 16]> {
        let mut closure = SmallVec::new();
        let mut seen = HashSet::<SourceId>::default();
        let mut open: SmallVec<[SourceId; 16]> = sources.iter().rev().copied().collect();
        while let Some(id) = open.pop() {
            // A few sources are scanned faster than hashed.
            let is_new = if closure.spilled() {
                if seen.is_empty() {
                    seen.extend(closure.iter().copied());
                }
                seen.insert(id)
            } else {
                !closure.contains(&id)
            };
            if is_new {
                closure.push(id);
                open.extend(self[id].includes.iter().rev().copied());
            }
        }
        closure
    }

    /// A user's sources with one more in its place: a profile replaces another one,
    /// and others come after those of their kind.
    pub(crate) fn with(&self, held: &[SourceId], added: SourceId) -> Box<[SourceId]> {
        let kind = self[added].kind;
        let replaced = |id: &SourceId| kind == SourceKind::Profile && self[*id].kind == kind;
        let mut sources: Vec<_> = held.iter().copied().filter(|id| !replaced(id)).collect();
        let at = sources.partition_point(|&id| self[id].kind <= kind);
        sources.insert(at, added);
        sources.into()
    }

    /// The profile among a user's sources.
    pub(crate) fn profile(&self, held: &[SourceId]) -> Option<SourceId> {
        self.only(held, SourceKind::Profile).first().copied()
    }
}

/// The ways to some wanted sources, from all that lead to them by including others.
// Most roles on such a way are passed through: they are not wanted, and all that they include
// leads to one and the same place. So from each role the way goes on at the nearest one that is
// wanted, or from which it forks.
#[derive(Debug)]
pub(crate) struct Ways<'p> {
    sources: &'p Sources,
    wanted: HashSet<SourceId>,
    nearest: HashMap<SourceId, SourceId>,
}

impl Ways<'_> {
    /// Returns those of [`Sources::closure`] that are wanted.
    pub(crate) fn closure(&self, sources: &[SourceId]) -> Vec<SourceId> {
        let nearest = |id: &SourceId| self.nearest.get(id).copied();
        let mut found = Vec::new();
        let mut open: Vec<SourceId> = sources.iter().rev().filter_map(nearest).collect();
        // A source that is not included by others, nor repeated, can't be met again.
        if let [id] = *open.as_slice()
            && self.sources[id].includes.is_empty()
        {
            return open;
        }
        let mut seen = HashSet::<SourceId>::default();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            found.extend(Some(id).filter(|id| self.wanted.contains(id)));
            open.extend(self.sources[id].includes.iter().rev().filter_map(nearest));
        }
        found
    }
}

impl std::ops::Index<SourceId> for Sources {
    type Output = Source;

    /// A source that is known to exist, as those that a policy refers to do.
    #[expect(
        clippy::unreachable,
        reason = "nothing is deleted that a policy refers to, and numbers are of the same version"
    )]
    fn index(&self, id: SourceId) -> &Source {
        match self.slot(id) {
            Some(source) => source,
            None => unreachable!("a reference to a vacant number"),
        }
    }
}

/// The identity of one of a user's sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    Shared(SourceId),
    /// A user's own.
    Own,
    /// An assignment's own.
    Assignment,
}

/// One of a user's sources.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held<'p> {
    pub(crate) origin: Origin,
    pub(crate) tier: Tier,
    pub(crate) statements: &'p Statements,
}

impl<'p> Held<'p> {
    /// The statements of a user's own.
    pub(crate) fn own(statements: &'p Statements) -> Held<'p> {
        Held { origin: Origin::Own, tier: Tier::User, statements }
    }
}

impl Inner {
    /// A user's sources that state anything, tier by tier, the more general first: within the
    /// role tier each role before those that it includes, and approval groups last.
    ///
    /// Permissions, bounds and settings (rules 2 and 8) are decided in this order.
    pub(crate) fn sources_of<'p>(&'p self, user: &'p Class) -> impl Iterator<Item = Held<'p>> {
        let closure = self.sources.closure(&user.sources).into_iter();
        let shared = [SourceId::GLOBAL].into_iter().chain(closure);
        let stating = shared.map(|id| self.sources.held(id)).filter(|it| !it.statements.is_empty());
        stating.chain(user.statements.as_deref().map(Held::own))
    }

    /// A user's sources that state anything, in the ordinary capacity or in that of an
    /// assignment: its own sources are roles of the user then, after the others. Of shared
    /// ones those that `closure` finds.
    pub(crate) fn acting_sources<'p>(
        &'p self,
        user: &'p Class,
        own: Option<&'p OwnSources>,
        closure: impl Fn(&[SourceId]) -> Vec<SourceId>,
    ) -> Vec<Held<'p>> {
        let all: Vec<SourceId> = [&user.sources[..], own.map_or(&[], |own| &own.sources)].concat();
        let shared = [SourceId::GLOBAL].into_iter().chain(closure(&all));
        let mut sources: Vec<Held<'p>> = shared.map(|id| self.sources.held(id)).collect();
        sources.extend(own.and_then(OwnSources::held).map(|own| Held { tier: Tier::Role, ..own }));
        sources.extend(user.statements.as_deref().map(Held::own));
        sources.retain(|it| !it.statements.is_empty());
        sources
    }

    /// The sources of an assignment's own, each role before those that it includes, and
    /// its statements last.
    pub(crate) fn own_sources<'p>(
        &'p self,
        own: &'p OwnSources,
    ) -> impl Iterator<Item = Held<'p>> + Clone {
        let closure = self.sources.closure(&own.sources).into_iter();
        let shared = closure.map(|id| Held { tier: Tier::Assignment, ..self.sources.held(id) });
        shared.chain(own.held())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(sources: &Sources) -> Vec<String> {
        let named = sources.iter().skip(1);
        named.map(|(id, name, _)| format!("{}{name}", id.index())).collect()
    }

    #[test]
    fn a_version_leaves_the_one_before_as_it_is() {
        let mut before = Sources::new();
        let [profile, role, other] = [SourceKind::Profile, SourceKind::Role, SourceKind::Role]
            .map(Source::new)
            .map(|source| before.insert(&format!("n{}", before.slots()), source));
        let mut after = before.clone();
        after.remove(role);
        after.rename(profile, "z");
        after.change(other, |role| role.unique = true);
        let again = after.insert("n2", Source::new(SourceKind::Role));
        assert_eq!(listed(&before), ["1n1", "2n2", "3n3"]);
        assert_eq!(listed(&after), ["1z", "3n3", "4n2"]);
        let find = |sources: &Sources, name| sources.find(SourceKind::Role, name);
        assert_eq!((find(&before, "n2"), find(&after, "n2")), (Some(role), Some(again)));
        assert_eq!(after.find(SourceKind::Profile, "n2"), None);
        assert!(after.is_shared(profile, &before) && !after.is_shared(other, &before));
        assert_eq!((before.slots(), after.slots()), (4, 5));
    }

    #[test]
    fn sources_come_before_what_they_include_and_are_ordered_after_it() {
        let mut sources = Sources::new();
        let ids: Vec<SourceId> = (0..100)
            .map(|at| sources.insert(&at.to_string(), Source::new(SourceKind::Role)))
            .collect();
        for (at, &id) in ids.iter().enumerate() {
            let includes = ids.get(at + 1..).unwrap_or_default().iter().rev().copied().collect();
            sources.change(id, |role| role.includes = includes);
        }
        assert!(sources.order_includes());
        let closure = sources.closure(&ids[98..]);
        assert_eq!(closure.as_slice(), &ids[98..]);
        assert_eq!(sources.closure(&ids).len(), 100);
        assert_eq!(sources.closure(&ids[..1])[..3], [ids[0], ids[99], ids[98]]);
        let order: Vec<SourceId> = ids[..99].iter().rev().copied().collect();
        assert_eq!(sources.including(), order);
        sources.change(ids[99], |role| role.includes = [ids[0]].into());
        assert!(!sources.order_includes());
    }

    #[test]
    fn a_source_is_added_in_its_place() {
        let mut sources = Sources::new();
        let mut add = |name, kind| sources.insert(name, Source::new(kind));
        let (group, role) = (add("g", SourceKind::ApprovalGroup), add("r", SourceKind::Role));
        let (profile, other) = (add("p", SourceKind::Profile), add("q", SourceKind::Profile));
        let held = [group, role, profile, other]
            .into_iter()
            .fold(Box::default(), |held, id| sources.with(&held, id));
        assert_eq!(*held, [other, role, group]);
        assert_eq!(sources.profile(&held), Some(other));
    }
}

//! The catalogue with its references resolved: what can be protected.
//!
//! Nodes are numbered in pre-order: a node before its scopes, and those before its
//! children. Each node that can be asked for has bits of its own, in the same
//! order: one, or for a graded permission one for each level above the lowest, set
//! from the first up to the level held. So a subtree is a range of nodes and a
//! range of bits, and a level is reached if its bit is set.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "there are at most `MOST / 2` nodes, and as many bits"
)]

mod acting;
mod build;
mod condition;
mod includes;
mod limit;
mod pattern;

pub(crate) use acting::Capacity as CapacityRows;
pub(crate) use condition::{Condition, Evaluator, Op, Scope, Step, Truth};
pub(crate) use includes::includes;
pub(crate) use limit::{Limit, compares, fence_day};
pub(crate) use pattern::{Pattern, Reach};

use std::ops::Range;

use crate::bits::BitSet;
use crate::document::{self, Accepted, Bound, BoundType, RelationType, StandsFor};
pub(crate) use crate::ids::{AttributeId, Bit, KindId, NodeId, ValuesId};
use crate::ids::{IdVec, Key, Number, each};
use crate::names::{HashMap, HashSet, NameMap};
use crate::problem::{Faults, Place, ProblemKind, nearest, truncate_list};
use crate::relation::RelationState;

/// The catalogue.
#[derive(Debug)]
pub(crate) struct Catalogue {
    /// As it was written, to be written out again.
    pub(crate) document: document::Catalogue,
    pub(crate) nodes: IdVec<NodeId, Node>,
    by_path: NameMap<Named>,
    /// The permissions that take the place of paths of earlier catalogues.
    successors: HashMap<Box<str>, Vec<NodeId>>,
    /// The node of each bit.
    pub(crate) bit_nodes: IdVec<Bit, NodeId>,
    /// The bits that statements reach: all but the scoped nodes' own.
    pub(crate) grantable: BitSet,
    pub(crate) kinds: NameMap<Kind>,
    pub(crate) attributes: IdVec<AttributeId, Attribute>,
    /// The values of attributes that scopes accept.
    values: Vec<Values>,
    /// The settings as declared, by name.
    pub(crate) settings: NameMap<document::Setting>,
    pub(crate) editions: NameMap<Edition>,
    /// For each node, those that have it as their gate parent, require or imply it,
    /// and so lose their effect with it.
    dependents: IdVec<NodeId, Vec<Dependent>>,
    /// The bits that some node needs for its effect.
    pub(crate) gating: BitSet,
    /// The bits of nodes that look at the object.
    pub(crate) on_objects: BitSet,
    /// The bits of scopes.
    pub(crate) scope_bits: BitSet,
    /// The bits of graded nodes.
    graded: BitSet,
    /// The first bits of nodes that imply something.
    pub(crate) implying: BitSet,
    /// The nodes that have scopes.
    pub(crate) scoped: Vec<NodeId>,
}

/// A node of the tree.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) path: Box<str>,
    pub(crate) label: Option<Box<str>>,
    /// Its position in its list in the document.
    at: usize,
    pub(crate) form: Form,
    /// The end of its subtree.
    pub(crate) end: NodeId,
    /// The number of keys in its path.
    pub(crate) depth: u32,
    /// Its first bit; for a heading, where the bits of its subtree begin.
    pub(crate) bit: Bit,
    /// The node above it; for a scope, its scoped node.
    pub(crate) above: Option<NodeId>,
    /// The nearest node above it that is no heading; for a scope, its scoped
    /// node's.
    pub(crate) gate: Option<NodeId>,
    pub(crate) kind: Option<KindId>,
    pub(crate) feature: Option<Box<str>>,
    /// The permissions that it requires; for a scope, also those that its scoped node
    /// requires.
    pub(crate) requires: Vec<Bit>,
    /// For a scope, how many of those it requires itself: the first ones.
    pub(crate) own_requires: usize,
    pub(crate) implies: Vec<Bit>,
    /// Its own checks; for a scope, its scoped node's.
    pub(crate) checks: Vec<AttributeId>,
    /// The objects on which it is allowed; `None` if it does not look at the
    /// object.
    pub(crate) condition: Option<Box<Condition>>,
}

/// The node of a path and its first bit, unless it is a heading.
// The bit beside the path, so that questions by name do not look at the node.
#[derive(Clone, Copy, Debug)]
struct Named {
    id: NodeId,
    bit: Option<Bit>,
}

/// The way in which one permission answers to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// The other is above it in the tree.
    Parent,
    /// It requires the other.
    Requires,
    /// It implies the other, and has no effect without it.
    Implies,
}

/// A permission that needs another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dependent {
    pub(crate) id: NodeId,
    pub(crate) link: Link,
    /// The bit that it needs of the other.
    pub(crate) bit: Bit,
}

/// The form of a node.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Heading,
    Plain,
    Graded(Box<[Box<str>]>),
    /// With the number of its scopes, which follow it.
    Scoped(u32),
    /// With its scoped node, and what an object must be like.
    Scope(NodeId, Box<[ScopeTest]>),
}

/// A test that a scope makes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScopeTest {
    /// The relation must be in one of these states.
    Relation(u32, States),
    /// The attribute must have one of these values.
    Values(ValuesId),
}

/// The values of an attribute that scopes accept.
#[derive(Debug)]
pub(crate) struct Values {
    pub(crate) attribute: AttributeId,
    /// The same on every day.
    pub(crate) limit: Limit,
}

/// A set of states of a relation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct States(u8);

impl States {
    pub(crate) const ME: States = States(1 << RelationState::Me as u8);
    pub(crate) const NOBODY: States = States(1 << RelationState::None as u8);
    /// The state of a relation that an object does not carry, which nothing accepts.
    pub(crate) const MISSING: States = States(1 << 3);

    /// The states in the lowest four bits.
    #[inline]
    pub(crate) fn bits(self) -> u64 {
        self.0.into()
    }

    #[inline]
    pub(crate) fn from_bits(bits: u64) -> States {
        States(bits as u8)
    }

    #[inline]
    pub(crate) fn with(self, state: RelationState) -> States {
        States(self.0 | 1 << state as u8)
    }

    pub(crate) fn accepts(self, state: RelationState) -> bool {
        self.meet(States::default().with(state))
    }

    #[inline]
    pub(crate) fn meet(self, other: States) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) fn union(self, other: States) -> States {
        States(self.0 | other.0)
    }

    pub(crate) fn intersection(self, other: States) -> States {
        States(self.0 & other.0)
    }

    pub(crate) fn without(self, other: States) -> States {
        States(self.0 & !other.0)
    }

    /// Lists the states in their order.
    pub(crate) fn list(self) -> Vec<RelationState> {
        use RelationState::{Me, None, Other};
        [Me, Other, None].into_iter().filter(|&state| self.accepts(state)).collect()
    }
}

/// An edition.
#[derive(Debug)]
pub(crate) struct Edition {
    /// Its own features.
    pub(crate) features: Vec<Box<str>>,
    /// The editions that it includes.
    includes: Vec<usize>,
}

/// A kind of object.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) relations: NameMap<RelationType>,
    pub(crate) attributes: NameMap<AttributeId>,
    pub(crate) checks: Vec<AttributeId>,
}

/// An attribute of a kind.
#[derive(Debug)]
pub(crate) struct Attribute {
    pub(crate) name: Box<str>,
    /// `kind.attribute`.
    pub(crate) path: Box<str>,
    pub(crate) bound: BoundType,
}

impl Attribute {
    /// Checks that it takes a bound of that form; the error is the problem.
    pub(crate) fn takes(&self, bound: &Bound) -> Result<(), ProblemKind> {
        let expected = self.expected();
        match (found(bound), bound) {
            (Some(found), _) if found != expected => {
                Err(self.wrong_form(format!("{expected}, or \"any\""), found))
            }
            (_, Bound::Fence(fence)) if !fence.is_within_reach() => {
                let what = "`plus_days` is more than 100000 days before or after";
                Err(ProblemKind::Unfit { what })
            }
            _ => Ok(()),
        }
    }

    /// Returns the values that a scope accepts of it; the error is the problem.
    pub(crate) fn accepts(&self, accepted: &Accepted) -> Result<Limit, ProblemKind> {
        let (expected, bound) = (self.expected(), accepted.bound());
        let found = bound.as_ref().and_then(found).unwrap_or("a text");
        match bound.filter(|_| found == expected) {
            Some(bound) => Ok(Limit::new(self.bound, &bound)),
            None => Err(self.wrong_form(expected.to_owned(), found)),
        }
    }

    /// Describes the form of its bounds other than `"any"`.
    fn expected(&self) -> &'static str {
        match self.bound {
            BoundType::OneOf => TEXTS,
            BoundType::AtMost | BoundType::AtLeast => INTEGER,
            BoundType::NotBefore | BoundType::NotAfter => DATE,
            BoundType::Flag => FLAG,
        }
    }

    fn wrong_form(&self, expected: String, found: &str) -> ProblemKind {
        let (attribute, found) = (self.path.to_string(), found.to_owned());
        ProblemKind::BoundForm { attribute, expected, found }
    }
}

const TEXTS: &str = "a list of texts";
const INTEGER: &str = "an integer";
const DATE: &str = "a date";
const FLAG: &str = "true, false or [true, false]";

/// Describes the form of a bound; `None` for one that every attribute takes.
fn found(bound: &Bound) -> Option<&'static str> {
    match bound {
        Bound::Any => None,
        Bound::OneOf(_) => Some(TEXTS),
        Bound::Limit(_) => Some(INTEGER),
        Bound::Fence(_) => Some(DATE),
        Bound::Flag(_) | Bound::EitherFlag => Some(FLAG),
    }
}

/// Checks that a setting accepts a value; the error is the problem.
pub(crate) fn check_value(
    name: &str,
    setting: &document::Setting,
    value: &document::SettingValue,
) -> Result<(), ProblemKind> {
    match &setting.values {
        Some(values) if !values.contains(value) => {
            let quote = |value: &document::SettingValue| match value {
                document::SettingValue::Text(text) => format!("`{text:?}`"),
                value => format!("`{value}`"),
            };
            Err(ProblemKind::SettingValue {
                setting: name.to_owned(),
                value: quote(value),
                accepted: truncate_list(values.iter().map(quote).collect()),
            })
        }
        _ => Ok(()),
    }
}

impl Node {
    pub(crate) fn width(&self) -> u32 {
        match &self.form {
            Form::Heading => 0,
            Form::Graded(levels) => levels.len().saturating_sub(1) as u32,
            Form::Plain | Form::Scoped(_) | Form::Scope(..) => 1,
        }
    }

    /// Its own bits.
    pub(crate) fn bits(&self) -> Range<Bit> {
        self.bits_up_to(self.width())
    }

    /// The level that one of its bits stands for: 1, or higher for a graded one.
    pub(crate) fn level_of(&self, bit: Bit) -> u32 {
        bit.number().saturating_sub(self.bit.number()) + 1
    }

    /// Returns the number of its bits that are held: of a graded one, the level.
    pub(crate) fn level(&self, mut holds: impl FnMut(Bit) -> bool) -> usize {
        each(self.bits()).filter(|&bit| holds(bit)).count()
    }

    /// The name of a level of a graded node: the lowest is 0.
    pub(crate) fn level_name(&self, level: usize) -> Option<&str> {
        let Form::Graded(levels) = &self.form else { return None };
        levels.get(level).map(|level| &**level)
    }

    /// Its bits up to that level.
    pub(crate) fn bits_up_to(&self, level: u32) -> Range<Bit> {
        self.bit..self.bit.plus(level)
    }

    /// The bits that a statement about it affects: for a scoped node, those of its
    /// scopes.
    pub(crate) fn statement_bits(&self) -> Range<Bit> {
        match self.form {
            Form::Scoped(scopes) => self.bit.plus(1)..self.bit.plus(1 + scopes),
            _ => self.bits(),
        }
    }

    /// Returns the permissions that a scope requires itself, and those that its scoped
    /// node requires; for any other node, the second are empty.
    pub(crate) fn requirements(&self) -> (&[Bit], &[Bit]) {
        self.requires.split_at_checked(self.own_requires).unwrap_or((&self.requires, &[]))
    }
}

impl Catalogue {
    pub(crate) fn build(document: document::Catalogue, faults: &mut Faults) -> Catalogue {
        build::build(document, faults)
    }

    #[inline]
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    #[inline]
    pub(crate) fn node_of(&self, bit: Bit) -> &Node {
        self.node(self.id_of(bit))
    }

    /// The number of the node of a bit.
    #[inline]
    pub(crate) fn id_of(&self, bit: Bit) -> NodeId {
        self.bit_nodes[bit]
    }

    /// Returns the nodes of which a set has any bit, each by its first bit.
    pub(crate) fn firsts(&self, set: &BitSet) -> BitSet {
        let mut firsts = set.clone();
        if set.meets(&self.graded) {
            firsts.subtract(&self.graded);
            let graded = set.iter().filter(|&bit| self.graded.contains(bit));
            graded.for_each(|bit| firsts.insert(self.node_of(bit).bit));
        }
        firsts
    }

    #[expect(clippy::indexing_slicing, reason = "kinds have their numbers from the catalogue")]
    pub(crate) fn kind(&self, id: KindId) -> &Kind {
        &self.kinds[id.index()]
    }

    pub(crate) fn kind_name(&self, id: KindId) -> Option<&str> {
        self.kinds.get_index(id.index()).map(|(name, _)| &**name)
    }

    #[inline]
    pub(crate) fn attribute_at(&self, id: AttributeId) -> &Attribute {
        &self.attributes[id]
    }

    #[expect(clippy::indexing_slicing, reason = "as kinds do accepted values")]
    pub(crate) fn values_at(&self, id: ValuesId) -> &Values {
        &self.values[id.index()]
    }

    /// The nodes that require or imply a node, or have it as their gate parent:
    /// those that lose their effect with it.
    pub(crate) fn dependents(&self, id: NodeId) -> &[Dependent] {
        &self.dependents[id]
    }

    /// Returns the number of bits.
    pub(crate) fn bits(&self) -> usize {
        self.bit_nodes.len()
    }

    pub(crate) fn find(&self, path: &str) -> Option<NodeId> {
        Some(self.by_path.get(path)?.id)
    }

    /// The permissions that list a path in `was`.
    pub(crate) fn successors(&self, path: &str) -> &[NodeId] {
        self.successors.get(path).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.by_path.keys().map(|path| &**path)
    }

    /// Returns a node and everything under it, or all nodes.
    pub(crate) fn subtree(&self, of: Option<NodeId>) -> Range<NodeId> {
        match of {
            Some(node) => node..self.node(node).end,
            None => NodeId::default()..NodeId::new(self.nodes.len()),
        }
    }

    /// Returns the nodes directly under a node, or the roots.
    pub(crate) fn children(&self, of: Option<NodeId>) -> impl Iterator<Item = NodeId> {
        let Range { start, end } = self.subtree(of);
        let mut next = if of.is_some() { start.plus(1) } else { start };
        std::iter::from_fn(move || {
            let child = (next < end).then_some(next)?;
            next = self.node(child).end;
            Some(child)
        })
    }

    /// Returns the bits of a node and of everything under it.
    pub(crate) fn subtree_bits(&self, of: Option<NodeId>) -> Range<Bit> {
        let Range { start, end } = self.subtree(of);
        let first = |id| self.nodes.find(id).map_or(Bit::new(self.bits()), |node| node.bit);
        first(start)..first(end)
    }

    /// The scopes of a scoped node.
    pub(crate) fn scopes(&self, id: NodeId) -> impl ExactSizeIterator<Item = NodeId> + Clone {
        let scopes = if let Form::Scoped(scopes) = self.node(id).form { scopes } else { 0 };
        each(id.plus(1)..id.plus(1 + scopes))
    }

    /// The scoped node of a scope.
    pub(crate) fn scoped_of(&self, scope: NodeId) -> Option<NodeId> {
        match self.node(scope).form {
            Form::Scope(of, _) => Some(of),
            _ => None,
        }
    }

    /// The scopes of which one must match on an object: for a scope, it alone.
    pub(crate) fn scopes_or_itself(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let itself = matches!(self.node(id).form, Form::Scope(..)).then_some(id);
        itself.into_iter().chain(self.scopes(id))
    }

    /// The permission, or threshold of one, that a text names: `path`, or
    /// `path:level` with a level above the lowest.
    ///
    /// A graded permission without a level means its second level.
    pub(crate) fn threshold(&self, text: &str) -> Result<Bit, Unresolved> {
        // A path has no colon, and most texts are paths.
        if let Some(named) = self.by_path.get(text) {
            return named.bit.ok_or(Unresolved::Heading);
        }
        let (path, level) = text.split_once(':').ok_or(Unresolved::Permission)?;
        let node = self.node(self.find(path).ok_or(Unresolved::Permission)?);
        match &node.form {
            Form::Heading => Err(Unresolved::Heading),
            Form::Graded(levels) => match levels.iter().position(|known| **known == *level) {
                None => Err(Unresolved::Level),
                Some(0) => Err(Unresolved::LowestLevel),
                Some(at) => Ok(node.bit.plus(at as u32 - 1)),
            },
            _ => Err(Unresolved::Level),
        }
    }

    /// The name of a bit: the inverse of [`Catalogue::threshold`], always with the
    /// level if the permission is graded.
    pub(crate) fn name_of(&self, bit: Bit) -> String {
        let node = self.node_of(bit);
        match node.level_name(node.level_of(bit) as usize) {
            Some(level) => format!("{}:{level}", node.path),
            None => node.path.to_string(),
        }
    }

    /// The names of all bits, in order.
    pub(crate) fn thresholds(&self) -> impl Iterator<Item = String> {
        self.bit_nodes.iter().map(|(bit, _)| self.name_of(bit))
    }

    /// Everything that a permission needs to be effective (rule 5): its gate parent,
    /// what it requires, and what it implies.
    pub(crate) fn needs(&self, id: NodeId) -> impl Iterator<Item = (Link, Bit)> {
        let node = self.node(id);
        let gate = node.gate.map(|gate| (Link::Parent, self.node(gate).bit));
        let requires = node.requires.iter().map(|&bit| (Link::Requires, bit));
        let implies = node.implies.iter().map(|&bit| (Link::Implies, bit));
        gate.into_iter().chain(requires).chain(implies)
    }

    /// Calls back with the place of a node in the document.
    pub(crate) fn with_place(&self, id: NodeId, call: &mut dyn FnMut(&Place<'_>)) {
        let Node { above, at, ref form, .. } = *self.node(id);
        let list = if matches!(form, Form::Scope(..)) { "scopes" } else { "children" };
        match above {
            None => call(&Place::Root.key("catalogue").key("permissions").item(at)),
            Some(of) => self.with_place(of, &mut |place| call(&place.key(list).item(at))),
        }
    }

    /// The place of a node in the document.
    pub(crate) fn place(&self, id: NodeId) -> String {
        let mut text = String::new();
        self.with_place(id, &mut |place| text = place.to_string());
        text
    }

    /// Iterates over the permissions that must be allowed on an object along with one (rule
    /// 7): its gate parent and those that it requires. A single scope that it requires need
    /// only be effective.
    pub(crate) fn followed(&self, id: NodeId) -> impl Iterator<Item = (Link, Bit)> {
        let needs = self.needs(id);
        needs.filter(|&(link, bit)| link != Link::Implies && !self.is_scope(bit))
    }

    /// Returns the permissions whose gate parent is this one, or that require it. A scoped
    /// node answers to what its scopes answer to.
    pub(crate) fn answering(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let dependents = self.dependents(id).iter().filter(|it| it.link != Link::Implies);
        let dependents = dependents.map(|it| it.id);
        dependents.chain(self.scoped_of(id))
    }

    /// The same for what a scope itself requires.
    pub(crate) fn followed_by_scope(&self, scope: NodeId) -> impl Iterator<Item = Bit> {
        let own = self.node(scope).requirements().0.iter().copied();
        own.filter(|&bit| !self.is_scope(bit))
    }

    fn is_scope(&self, bit: Bit) -> bool {
        matches!(self.node_of(bit).form, Form::Scope(..))
    }

    /// Returns whether a permission is denied without an object.
    pub(crate) fn needs_object(&self, bit: Bit) -> bool {
        self.node_of(bit).condition.as_deref().is_some_and(|condition| condition.needs_object)
    }

    /// The kind that stands for the policy's users, if there is one.
    pub(crate) fn users_kind(&self) -> Option<&str> {
        let mut kinds = self.document.objects.iter();
        let users = kinds.find(|(_, kind)| kind.stands_for == Some(StandsFor::Users));
        users.map(|(name, _)| name)
    }

    /// Returns whether a permission is exercised on the policy's users.
    pub(crate) fn is_on_users(&self, bit: Bit) -> bool {
        let kind = self.node_of(bit).kind.and_then(|kind| self.kinds.get_index(kind.index()));
        kind.is_some_and(|(name, _)| self.users_kind() == Some(name))
    }

    /// The number of an attribute, given as `kind.attribute`.
    pub(crate) fn attribute(&self, path: &str) -> Option<AttributeId> {
        let (kind, attribute) = path.split_once('.')?;
        self.kinds.get(kind)?.attributes.get(attribute).copied()
    }

    /// Returns the features of an edition and of those that it includes.
    pub(crate) fn features_of(&self, edition: &str) -> impl Iterator<Item = &str> {
        let mut seen = HashSet::default();
        let mut open: Vec<usize> = self.editions.get_index_of(edition).into_iter().collect();
        let editions = std::iter::from_fn(move || {
            loop {
                let next = open.pop()?;
                if let Some((name, edition)) = self.editions.get_index(next)
                    && seen.insert(name)
                {
                    open.extend(&edition.includes);
                    return Some(edition);
                }
            }
        });
        editions.flat_map(|edition| &edition.features).map(|feature| &**feature)
    }

    /// The bits of the nodes that need no features but the licensed ones, neither
    /// themselves nor through a node above them.
    pub(crate) fn licensed(&self, features: impl Fn(&str) -> bool) -> BitSet {
        let mut licensed = BitSet::new(self.bits());
        licensed.insert_range(self.subtree_bits(None));
        for (id, node) in self.nodes.iter() {
            if node.feature.as_deref().is_some_and(|feature| !features(feature)) {
                licensed.remove_range(self.subtree_bits(Some(id)));
            }
        }
        licensed
    }
}

/// Why a text does not name a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unresolved {
    Permission,
    Heading,
    Level,
    LowestLevel,
}

impl Unresolved {
    /// The resulting problem, or else the path that is unknown.
    pub(crate) fn problem<'t>(
        self,
        text: &'t str,
        catalogue: &Catalogue,
    ) -> Result<ProblemKind, &'t str> {
        let name = text.to_owned();
        let (path, level) = text.split_once(':').unwrap_or((text, ""));
        match self {
            Unresolved::Permission => Err(path),
            Unresolved::Heading => Ok(ProblemKind::Heading { name: path.to_owned() }),
            Unresolved::LowestLevel => Ok(ProblemKind::LowestLevel { name }),
            Unresolved::Level => {
                let levels = match catalogue.find(path).map(|id| &catalogue.node(id).form) {
                    Some(Form::Graded(levels)) => levels.get(1..).unwrap_or_default(),
                    _ => &[],
                };
                let full = |level: &str| format!("{path}:{level}");
                let nearest = nearest(level, levels.iter().map(|level| &**level));
                Ok(ProblemKind::Unknown {
                    what: "level",
                    name,
                    nearest: nearest.as_deref().map(full),
                    known: truncate_list(levels.iter().map(|level| full(level)).collect()),
                    found_as: None,
                })
            }
        }
    }
}

//! Compares the rights of one class of users before with those of one after.

#![expect(
    clippy::indexing_slicing,
    reason = "the numbers of formulas are given here, and none is taken away"
)]

use smallvec::SmallVec;

use super::diagram::{
    ABSENT, Answers, Asked, Diagram, Diagrams, FAILS, ME, NOBODY, NONE, OTHER, Overlap, PASSES,
    Variable, What,
};
use super::pairs::{Named as NamedBy, Pair, Related};
use super::values::{Outcomes, Passing, outcomes, passing};
use super::{BeforeAfter, Extent, Shift};
use crate::bits::{ones, test};
use crate::catalogue::{Bit, Catalogue, Form, Kind, Node, NodeId};
use crate::document::SettingValue;
use crate::engine::{Engine, Limit, Verdict};
use crate::filter::{Day, Formula, Formulas};
use crate::ids::ClassId;
use crate::names::HashMap;
use crate::policy::Inner;

/// The changes for the users of a pair, by numbers and in a fixed order: equal
/// values also read the same for people.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Changes {
    pub(super) presence: super::Presence,
    pub(super) permissions: Vec<Line>,
    pub(super) settings: Vec<(usize, BeforeAfter<Option<SettingValue>>)>,
}

/// The changes of a permission, by numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Line {
    /// An index into [`Comparison::nodes`].
    pub(super) node: usize,
    pub(super) shift: Shift,
    /// The number of levels above the lowest that are held.
    pub(super) levels: BeforeAfter<usize>,
    pub(super) can_some: BeforeAfter<bool>,
    /// Numbers for [`Comparison::extent`].
    pub(super) on: BeforeAfter<usize>,
}

/// A permission before and after: present on at least one side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nodes {
    pub(super) before: Option<NodeId>,
    pub(super) after: Option<NodeId>,
}

/// One of the two engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Side {
    Before,
    After,
}

/// The objects on which a permission may be exercised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Nowhere,
    Everywhere,
    /// An index into [`Comparison::formulas`].
    On(usize),
}

/// The condition on an object, and its diagram.
struct Known<'e> {
    kind: (&'e str, &'e Kind),
    /// True if the permission may be exercised without an object.
    without: bool,
    formulas: Formulas<'e>,
    diagram: Option<Diagram>,
    extent: Option<usize>,
}

/// The ingredients of a formula: a permission, the user's limits, the scopes held.
type Recipe = (Side, NodeId, usize, SmallVec<[Bit; 8]>);

/// Two engines being compared.
pub(super) struct Comparison<'e> {
    before: &'e Engine,
    after: &'e Engine,
    /// True if they number permissions and attributes alike.
    aligned: bool,
    /// The permissions, in the order after, followed by those that are gone.
    pub(super) nodes: Vec<Nodes>,
    /// The permissions on kinds of objects, if both engines have the same catalogue.
    on_objects: Vec<NodeId>,
    /// The settings that both have.
    pub(super) settings: Vec<(u32, u32)>,
    diagrams: Diagrams<'e>,
    formulas: Vec<Known<'e>>,
    recipes: HashMap<Recipe, usize>,
    overlaps: HashMap<(usize, usize, usize, usize, Related), Overlap>,
    extents: Vec<Extent>,
    extent_numbers: HashMap<Extent, usize>,
}

impl<'e> Comparison<'e> {
    pub(super) fn new(before: &'e Engine, after: &'e Engine, aligned: bool) -> Comparison<'e> {
        let (old, new) = (catalogue(before), catalogue(after));
        let grantable = |node: &Node| node.form != Form::Heading;
        let find = |catalogue: &Catalogue, node: &Node| {
            catalogue.find(&node.path).filter(|&id| grantable(catalogue.node(id)))
        };
        let numbered = |catalogue: &'e Catalogue| {
            (0..).zip(&catalogue.nodes).filter(move |(_, node)| grantable(node))
        };
        let nodes = if aligned {
            (0..crate::names::number(new.nodes.len()))
                .map(|id| Nodes { before: Some(id), after: Some(id) })
                .collect()
        } else {
            let after =
                numbered(new).map(|(id, node)| Nodes { before: find(old, node), after: Some(id) });
            let gone = numbered(old).filter(|(_, node)| find(new, node).is_none());
            after.chain(gone.map(|(id, _)| Nodes { before: Some(id), after: None })).collect()
        };
        let on_objects = numbered(new).filter(|(_, node)| aligned && node.condition.is_some());
        let settings = old.settings.keys().zip(0..).filter_map(|(name, was)| {
            let is = new.settings.get_index_of(name)?;
            Some((was, crate::names::number(is)))
        });
        let mut comparison = Comparison {
            before,
            after,
            aligned,
            nodes,
            on_objects: on_objects.map(|(id, _)| id).collect(),
            settings: settings.collect(),
            diagrams: Diagrams::new(),
            formulas: Vec::new(),
            recipes: HashMap::default(),
            overlaps: HashMap::default(),
            extents: Vec::new(),
            extent_numbers: HashMap::default(),
        };
        comparison.number(Extent::Nothing);
        comparison.number(Extent::Everything);
        comparison
    }

    /// Returns the objects to show for a permission, by their number.
    pub(super) fn extent(&self, number: usize) -> Extent {
        self.extents.get(number).cloned().unwrap_or(Extent::Nothing)
    }

    /// Returns the changes for the users of a pair, if there are any.
    pub(super) fn changes(&mut self, pair: &Pair) -> Option<Changes> {
        let presence = match (pair.before, pair.after) {
            (ClassId::VACANT, _) => super::Presence::New,
            (_, ClassId::VACANT) => super::Presence::Gone,
            _ => super::Presence::Stays,
        };
        let permissions = self.candidates(pair);
        let permissions: Vec<Line> =
            permissions.into_iter().filter_map(|node| self.line(pair, node)).collect();
        let settings = self.setting_changes(pair);
        let otherwise =
            presence != super::Presence::Stays || !permissions.is_empty() || !settings.is_empty();
        otherwise.then_some(Changes { presence, permissions, settings })
    }

    /// Returns the permissions that may have changed, as indexes into `nodes`.
    fn candidates(&self, pair: &Pair) -> Vec<usize> {
        if !self.aligned {
            return (0..self.nodes.len()).collect();
        }
        let (before, after) = (self.before.row(pair.before), self.after.row(pair.after));
        let catalogue = catalogue(self.after);
        let words = before.len().max(after.len());
        let word = |row: &[u64], at: usize| row.get(at).copied().unwrap_or(0);
        let differing: Vec<u64> =
            (0..words).map(|at| word(&before, at) ^ word(&after, at)).collect();
        let mut nodes: Vec<usize> =
            ones(differing.iter().copied()).map(|bit| catalogue.id_of(bit) as usize).collect();
        let (limits, others) = (self.before.limits(pair.before), self.after.limits(pair.after));
        let alike = pair.related.is_same()
            && self.before.is_admin(pair.before) == self.after.is_admin(pair.after)
            && (std::ptr::eq(limits, others) || limits == others);
        if !alike || !nodes.is_empty() {
            let held = self.on_objects.iter().filter(|&&id| {
                let bit = catalogue.node(id).bit;
                test(&before, bit) && test(&after, bit)
            });
            nodes.extend(
                held.filter(|&&id| !alike || self.looks_at(id, &differing)).map(|&id| id as usize),
            );
        }
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// Returns whether the condition of a permission looks at any of these bits.
    fn looks_at(&self, id: NodeId, bits: &[u64]) -> bool {
        let condition = catalogue(self.after).node(id).condition.as_deref();
        condition.is_some_and(|it| it.scopes().any(|scope| test(bits, scope.bit)))
    }

    /// Returns the changes of a permission, if there are any.
    fn line(&mut self, pair: &Pair, number: usize) -> Option<Line> {
        let nodes = *self.nodes.get(number)?;
        let reach = BeforeAfter {
            before: self.reach(Side::Before, pair.before, nodes.before),
            after: self.reach(Side::After, pair.after, nodes.after),
        };
        let levels = BeforeAfter {
            before: held(self.before, pair.before, nodes.before),
            after: held(self.after, pair.after, nodes.after),
        };
        let can_some = BeforeAfter {
            before: can_some(self.before, pair.before, nodes.before),
            after: can_some(self.after, pair.after, nodes.after),
        };
        let mut overlap = Overlap::default();
        for (before, after) in self.thresholds(nodes, levels) {
            let reach = BeforeAfter {
                before: if before { reach.before } else { Reach::Nowhere },
                after: if after { reach.after } else { Reach::Nowhere },
            };
            overlap = overlap.union(self.overlap(pair, reach));
        }
        let shift = match (overlap.before_only, overlap.after_only, overlap.both) {
            (false, false, _) => Shift::Same,
            (false, true, false) => Shift::Gained,
            (true, false, false) => Shift::Lost,
            (false, true, true) => Shift::More,
            (true, false, true) => Shift::Fewer,
            (true, true, _) => Shift::Other,
        };
        let level_of = |engine: &'e Engine, node: Option<NodeId>, held: usize| {
            node.and_then(|id| level(catalogue(engine).node(id), held))
        };
        let was = level_of(self.before, nodes.before, levels.before);
        let is = level_of(self.after, nodes.after, levels.after);
        let level_differs = match (was, is) {
            (Some(was), Some(is)) => was != is,
            (None, None) => false,
            // That it is graded on one side only is reported with the names; here it
            // matters only if it is held.
            _ => levels.before > 0 || levels.after > 0,
        };
        let changes = shift != Shift::Same
            || can_some.before != can_some.after
            || (levels.before > 0) != (levels.after > 0)
            || level_differs;
        if !changes {
            return None;
        }
        let on = BeforeAfter {
            before: self.extent_of(Side::Before, pair.before, reach.before),
            after: self.extent_of(Side::After, pair.after, reach.after),
        };
        Some(Line { node: number, shift, levels, can_some, on })
    }

    /// Returns, for each name that the permission has in both engines, or in the only
    /// one that has it, whether it is held before and after.
    fn thresholds(&self, nodes: Nodes, levels: BeforeAfter<usize>) -> Vec<(bool, bool)> {
        let above = |engine: &'e Engine, node: Option<NodeId>| -> &'e [Box<str>] {
            match node.map(|id| &catalogue(engine).node(id).form) {
                Some(Form::Graded(levels)) => levels.get(1..).unwrap_or_default(),
                _ => &[],
            }
        };
        let (Some(_), Some(_)) = (nodes.before, nodes.after) else {
            return vec![(levels.before > 0, levels.after > 0)];
        };
        let (befores, afters) = (above(self.before, nodes.before), above(self.after, nodes.after));
        let path = (levels.before > 0, levels.after > 0);
        let common = befores.iter().enumerate().filter_map(|(was, level)| {
            let is = afters.iter().position(|known| known == level)?;
            Some((levels.before > was, levels.after > is))
        });
        std::iter::once(path).chain(common).collect()
    }

    /// Returns the objects on which users of a class may exercise a permission.
    fn reach(&mut self, side: Side, class: ClassId, node: Option<NodeId>) -> Reach {
        let engine = self.engine(side);
        let Some(id) = node else { return Reach::Nowhere };
        let node = catalogue(engine).node(id);
        let conditional = match engine.verdict_of_class(class, node.bit) {
            Verdict::Denied => return Reach::Nowhere,
            Verdict::Allowed => return Reach::Everywhere,
            Verdict::Conditional(conditional) => conditional,
        };
        let scopes = conditional.condition.scopes().map(|scope| scope.bit);
        let scopes = scopes.filter(|&bit| conditional.holds(bit)).collect();
        let limits = engine.limits(class).as_ptr().addr();
        let recipe = (side, id, limits, scopes);
        if let Some(&known) = self.recipes.get(&recipe) {
            return Reach::On(known);
        }
        let formulas = Formulas::new(&conditional, Day::Any);
        let number = self.formulas.len();
        self.formulas.push(Known {
            kind: conditional.kind,
            without: !conditional.condition.needs_object,
            diagram: self.diagrams.of(conditional.kind.0, &formulas),
            formulas,
            extent: None,
        });
        self.recipes.insert(recipe, number);
        Reach::On(number)
    }

    /// Compares the objects on which a permission may be exercised before and after.
    fn overlap(&mut self, pair: &Pair, reach: BeforeAfter<Reach>) -> Overlap {
        let number = |reach| match reach {
            Reach::Nowhere => usize::MAX,
            Reach::Everywhere => usize::MAX - 1,
            Reach::On(formula) => formula,
        };
        let limits = |engine: &Engine, class| engine.limits(class).as_ptr().addr();
        let key = (
            number(reach.before),
            number(reach.after),
            limits(self.before, pair.before),
            limits(self.after, pair.after),
            pair.related,
        );
        if let Some(&known) = self.overlaps.get(&key) {
            return known;
        }
        // Without an object, and on an object of a kind that neither asks about.
        let without = |reach| match reach {
            Reach::Nowhere => false,
            Reach::Everywhere => true,
            Reach::On(formula) => self.formulas[formula].without,
        };
        let everywhere = |reach| reach == Reach::Everywhere;
        let mut overlap = Overlap::of(without(reach.before), without(reach.after))
            .union(Overlap::of(everywhere(reach.before), everywhere(reach.after)));
        let kind = |reach| match reach {
            Reach::On(formula) => Some(self.formulas[formula].kind.0),
            _ => None,
        };
        let mut kinds: Vec<&'e str> =
            [kind(reach.before), kind(reach.after)].into_iter().flatten().collect();
        kinds.dedup();
        for kind in kinds {
            overlap = overlap.union(self.overlap_on(pair, reach, kind));
        }
        self.overlaps.insert(key, overlap);
        overlap
    }

    /// The same, on objects of a kind.
    fn overlap_on(&self, pair: &Pair, reach: BeforeAfter<Reach>, kind: &'e str) -> Overlap {
        let diagram = |reach| match reach {
            Reach::Nowhere => Some(NONE),
            Reach::Everywhere => Some(super::diagram::ALL),
            Reach::On(formula) if self.formulas[formula].kind.0 == kind => {
                self.formulas[formula].diagram
            }
            Reach::On(_) => Some(NONE),
        };
        let (Some(before), Some(after)) = (diagram(reach.before), diagram(reach.after)) else {
            if self.is_written_alike(pair, reach) {
                return Overlap { both: true, ..Overlap::default() };
            }
            return Overlap {
                before_only: diagram(reach.before) != Some(NONE),
                after_only: diagram(reach.after) != Some(NONE),
                both: reach.before != Reach::Nowhere && reach.after != Reach::Nowhere,
            };
        };
        let mut answers: HashMap<Variable, Answers> = HashMap::default();
        let mut attributes = Vec::new();
        for variable in self.diagrams.asks(&[before, after]) {
            match self.diagrams.asked(variable) {
                Some(Asked { what: What::Relation(name), .. }) => {
                    answers.insert(variable, self.states(kind, name, pair.related));
                }
                Some(Asked { what: What::Attribute(name), .. }) => {
                    let limits = (
                        limit(self.before, pair.before, kind, name),
                        limit(self.after, pair.after, kind, name),
                    );
                    attributes.push((variable, limits));
                }
                None => {}
            }
        }
        let limits: Vec<(&Limit, &Limit)> = attributes.iter().map(|(_, limits)| *limits).collect();
        let Outcomes { rows, at_the_end } = outcomes(&limits);
        let mut over = |rows: &[Vec<Passing>]| -> Option<Overlap> {
            let mut overlap = Overlap::default();
            for row in rows {
                for ((variable, _), found) in attributes.iter().zip(row) {
                    answers.insert(*variable, checks(*found));
                }
                overlap = overlap.union(self.diagrams.overlap(before, after, &answers)?);
            }
            Some(overlap)
        };
        let overlap = match over(&rows) {
            Some(Overlap { before_only: false, after_only: false, both }) => {
                let same = Overlap { both, ..Overlap::default() };
                over(&at_the_end).map(|more| same.union(more))
            }
            overlap => overlap,
        };
        match overlap {
            Some(overlap) => overlap,
            None if self.is_written_alike(pair, reach) => {
                Overlap { both: true, ..Overlap::default() }
            }
            None => Overlap::UNKNOWN,
        }
    }

    /// Returns whether two formulas and their bounds are identical: for formulas whose
    /// meaning would take too long to compare.
    fn is_written_alike(&self, pair: &Pair, reach: BeforeAfter<Reach>) -> bool {
        let (Reach::On(before), Reach::On(after)) = (reach.before, reach.after) else {
            return false;
        };
        let (before, after) = (&self.formulas[before], &self.formulas[after]);
        self.aligned
            && pair.related.is_same()
            && self.before.limits(pair.before) == self.after.limits(pair.after)
            && before.formulas == after.formulas
    }

    /// Returns the combinations of states that a relation can have for the user before
    /// and after.
    fn states(&self, kind: &str, name: &str, related: Related) -> Answers {
        let names = |engine: &Engine| {
            catalogue(engine).kinds.get(kind).and_then(|kind| kind.relations.get(name).copied())
        };
        let NamedBy { both, before_only, after_only } =
            match (names(self.before), names(self.after)) {
                (Some(before), Some(after)) => related.of(before, after),
                // The other engine does not ask about it.
                (Some(names), None) | (None, Some(names)) => related.of(names, names),
                (None, None) => related
                    .of(crate::document::RelationType::User, crate::document::RelationType::User),
            };
        let each = [
            (true, (ABSENT, ABSENT)),
            (true, (NOBODY, NOBODY)),
            (true, (OTHER, OTHER)),
            (both, (ME, ME)),
            (before_only, (ME, OTHER)),
            (after_only, (OTHER, ME)),
        ];
        each.into_iter().filter(|(possible, _)| *possible).map(|(_, states)| states).collect()
    }

    fn setting_changes(&self, pair: &Pair) -> Vec<(usize, BeforeAfter<Option<SettingValue>>)> {
        let value = |engine: &'e Engine, class, setting: u32| -> Option<&'e SettingValue> {
            let policy = engine.policy().inner();
            let stated = policy.users.class(class).and_then(|class| policy.setting(class, setting));
            let declared = policy.catalogue.settings.get_index(setting as usize);
            stated.or(declared.and_then(|(_, declared)| declared.default.as_ref()))
        };
        let settings = self.settings.iter().enumerate();
        let changes = settings.filter_map(|(at, &(was, is))| {
            let before = value(self.before, pair.before, was);
            let after = value(self.after, pair.after, is);
            let value = BeforeAfter { before: before.cloned(), after: after.cloned() };
            (before != after).then_some((at, value))
        });
        changes.collect()
    }

    fn engine(&self, side: Side) -> &'e Engine {
        match side {
            Side::Before => self.before,
            Side::After => self.after,
        }
    }

    fn number(&mut self, extent: Extent) -> usize {
        if let Some(&known) = self.extent_numbers.get(&extent) {
            return known;
        }
        let number = self.extents.len();
        self.extents.push(extent.clone());
        self.extent_numbers.insert(extent, number);
        number
    }

    /// Returns the number of the objects to show.
    fn extent_of(&mut self, side: Side, class: ClassId, reach: Reach) -> usize {
        let at = match reach {
            Reach::Nowhere => return 0,
            Reach::Everywhere => return 1,
            Reach::On(at) => at,
        };
        let known = &self.formulas[at];
        if let Some(number) = known.extent {
            return number;
        }
        let limits = self.engine(side).limits(class);
        let extent = if known.formulas.main == Formula::NONE || known.diagram == Some(NONE) {
            Extent::Nothing
        } else {
            let (kind, declared) = known.kind;
            let (condition, definitions) = known.formulas.predicates(declared, limits, Day::Any);
            Extent::Objects { kind: kind.to_owned(), condition, definitions }
        };
        let number = self.number(extent);
        self.formulas[at].extent = Some(number);
        number
    }
}

/// The possible combinations of a check's answers before and after.
fn checks(found: Passing) -> Answers {
    let each = [(FAILS, FAILS), (FAILS, PASSES), (PASSES, FAILS), (PASSES, PASSES)];
    let possible = each
        .into_iter()
        .filter(|&(before, after)| found & passing(before == PASSES, after == PASSES) != 0);
    possible.collect()
}

fn catalogue(engine: &Engine) -> &Catalogue {
    &engine.policy().inner().catalogue
}

/// Returns the number of a permission's bits that users of a class hold.
fn held(engine: &Engine, class: ClassId, node: Option<NodeId>) -> usize {
    let node = node.map(|id| catalogue(engine).node(id));
    node.map_or(0, |node| node.bits().filter(|&bit| engine.class_holds(class, bit)).count())
}

fn can_some(engine: &Engine, class: ClassId, node: Option<NodeId>) -> bool {
    node.map(|id| catalogue(engine).node(id)).is_some_and(|node| {
        let condition = node.condition.as_deref();
        engine.class_holds(class, node.bit)
            && condition.is_none_or(|condition| engine.is_passable(class, condition))
    })
}

/// The level of a graded permission of which this many bits are held.
pub(super) fn level(node: &Node, held: usize) -> Option<&str> {
    match &node.form {
        Form::Graded(levels) => levels.get(held).map(|level| &**level),
        _ => None,
    }
}

/// Returns the limit of a class on an attribute; nothing passes if the engine does not
/// know the attribute.
fn limit<'e>(engine: &'e Engine, class: ClassId, kind: &str, name: &str) -> &'e Limit {
    let kind = catalogue(engine).kinds.get(kind);
    let attribute = kind.and_then(|kind| kind.attributes.get(name).copied());
    let limit = attribute.and_then(|at| engine.limits(class).get(at as usize));
    limit.unwrap_or(&Limit::Nothing)
}

impl Inner {
    /// Returns whether another policy numbers permissions, attributes and settings
    /// alike, because it has the same catalogue.
    pub(super) fn is_aligned(&self, other: &Inner) -> bool {
        std::sync::Arc::ptr_eq(&self.catalogue, &other.catalogue)
            || self.catalogue.document == other.catalogue.document
    }
}

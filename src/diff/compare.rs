//! Compares the rights of one class of users before with those of one after.

use smallvec::SmallVec;

use super::days::Days;
use super::grouping::{Grouped, SettingLine};
use super::overlap::{Answers, Overlap};
use super::pairs::{Pair, Related};
use super::plain::{PlainChange, PlainChanges};
use super::relations;
use super::settings::Settings;
use super::values::{Attribute, Outcomes, outcomes};
use super::{BeforeAfter, Extent, Presence, Shift};
use crate::bits::{Word, ones, test};
use crate::catalogue::{Bit, Catalogue, Form, Kind, Limit, Node, NodeId};
use crate::document::RelationType;
use crate::engine::{Engine, LimitSet, Verdict};
use crate::filter::diagram::{
    ABSENT, ALL, Asked, Diagram, Diagrams, FAILS, ME, NOBODY, NONE, OTHER, PASSES, Variable,
};
use crate::filter::{Day, Formula, Formulas};
use crate::ids::{ClassId, GroupListId, Key, Number, UserSlot, each};
use crate::names::{HashMap, IndexMap, IndexSet};
use crate::policy::Inner;

/// The greatest number of changes that a diff lists.
const MOST_CHANGES: usize = 1 << 17;

/// The number of permissions that are compared one by one: at least, and for each permission
/// and each user.
const LEAST_EFFORT: usize = 1 << 18;
const EFFORT_EACH: usize = 16;

/// The changes for the users of a pair, by numbers and in a fixed order: equal
/// values also read the same for people.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Changes {
    pub(super) presence: Presence,
    /// The number of a change of [`PlainChanges`].
    plain: usize,
    /// The changes of all other permissions.
    permissions: Vec<Line>,
    settings: Vec<SettingLine>,
}

/// There is no more effort to spend, or no room for more changes.
pub(super) struct TooMany;

/// The changes of a permission, by numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Line {
    /// An index into [`Comparison::nodes`].
    pub(super) node: usize,
    pub(super) shift: Shift,
    /// True if the permission is effective in the ordinary capacity.
    pub(super) effective: BeforeAfter<bool>,
    /// The number of levels above the lowest that are held; by users with assignments, on
    /// the first of the days on which it differs.
    pub(super) levels: BeforeAfter<usize>,
    pub(super) can_some: BeforeAfter<bool>,
    /// Numbers for [`Comparison::extent`].
    pub(super) on: BeforeAfter<usize>,
}

/// A permission before and after: present on at least one side.
pub(super) type Ids = BeforeAfter<Option<NodeId>>;
pub(super) type Nodes<'e> = BeforeAfter<Option<&'e Node>>;

/// A class of users of one of the engines.
#[derive(Clone, Copy)]
pub(super) struct Side<'e> {
    pub(super) engine: &'e Engine,
    pub(super) class: ClassId,
}

/// The objects on which a permission may be exercised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Reach {
    Nowhere,
    Everywhere,
    /// An index into [`Reaches::known`].
    On(usize),
}

/// The condition on an object, and its diagram.
pub(super) struct Known<'e> {
    kind: (&'e str, &'e Kind),
    /// True if the permission may be exercised without an object.
    without: bool,
    formulas: Formulas<'e>,
    diagram: Option<Diagram>,
    extent: Option<usize>,
}

/// Conditions that are compared with each other.
#[derive(Default)]
pub(super) struct Reaches<'e> {
    diagrams: Diagrams<'e>,
    known: Vec<Known<'e>>,
    by_recipe: HashMap<Recipe, usize>,
}

impl<'e> Reaches<'e> {
    /// Adds a condition on objects of a kind.
    pub(super) fn add(
        &mut self,
        kind: (&'e str, &'e Kind),
        without: bool,
        formulas: Formulas<'e>,
    ) -> Reach {
        let diagram = self.diagrams.of(kind.0, &formulas);
        self.known.push(Known { kind, without, formulas, diagram, extent: None });
        Reach::On(self.known.len().saturating_sub(1))
    }
}

/// A user with assignments, on some days.
pub(super) struct OnDays<'a> {
    pub(super) user: &'a str,
    pub(super) groups: BeforeAfter<GroupListId>,
    pub(super) days: &'a Days,
}

/// Answers of some variables that are possible together.
type Way = Vec<(Variable, (usize, usize))>;

/// The variables that ask about a relation: for its state, and for its names.
#[derive(Default)]
struct RelationTests<'v> {
    state: Option<Variable>,
    names: Vec<(Variable, &'v [&'v str])>,
}

/// The ingredients of a formula: the addresses of a permission and of the user's limits,
/// and the scopes held.
type Recipe = (*const Node, *const LimitSet, SmallVec<[Bit; 8]>);

/// The ingredients of an overlap: the reach and the address of the limits on both sides.
type Question = (BeforeAfter<(Reach, *const LimitSet)>, Related);

/// Two engines being compared.
pub(super) struct Comparison<'e> {
    pub(super) engines: BeforeAfter<&'e Engine>,
    /// True if they number permissions and attributes alike.
    pub(super) aligned: bool,
    /// The permissions, in the order after, followed by those that are gone.
    pub(super) nodes: Vec<Ids>,
    plain: PlainChanges,
    pub(super) settings: Settings<'e>,
    pub(super) reaches: Reaches<'e>,
    /// The number of permissions that may still be compared one by one.
    effort: usize,
    /// The number of changes that there is still room for.
    room: usize,
    overlaps: HashMap<Question, Overlap>,
    pub(super) extents: IndexSet<Extent>,
}

impl<'e> Comparison<'e> {
    pub(super) fn new(engines: BeforeAfter<&'e Engine>, aligned: bool) -> Comparison<'e> {
        let BeforeAfter { before: old, after: new } = engines.map(catalogue);
        let numbered = |catalogue: &'e Catalogue| catalogue.nodes.iter().filter(is_permission);
        let nodes: Vec<Ids> = if aligned {
            let ids = NodeId::first(new.nodes.len()).map(Some);
            ids.map(|id| Ids { before: id, after: id }).collect()
        } else {
            let find = |catalogue: &Catalogue, node: &Node| {
                let id = catalogue.find(&node.path)?;
                is_permission(&(id, catalogue.node(id))).then_some(id)
            };
            let after =
                numbered(new).map(|(id, node)| Ids { before: find(old, node), after: Some(id) });
            let gone = numbered(old).filter(|(_, node)| find(new, node).is_none());
            after.chain(gone.map(|(id, _)| Ids { before: Some(id), after: None })).collect()
        };
        let users = engines.map(|engine| engine.policy().inner().users.len());
        let size = nodes.len().saturating_add(users.before).saturating_add(users.after);
        Comparison {
            engines,
            aligned,
            plain: PlainChanges::new(engines, &nodes, aligned),
            nodes,
            settings: Settings::new(engines),
            reaches: Reaches::default(),
            effort: size.saturating_mul(EFFORT_EACH).saturating_add(LEAST_EFFORT),
            room: MOST_CHANGES,
            overlaps: HashMap::default(),
            extents: [Extent::Nothing, Extent::Everything].into_iter().collect(),
        }
    }

    /// Returns the objects to show for a permission, by their number.
    pub(super) fn extent(&self, number: usize) -> Extent {
        self.extents.get_index(number).cloned().unwrap_or(Extent::Nothing)
    }

    /// Returns the changes for the users of a pair, of whom one is given, if there are any.
    ///
    /// # Errors
    ///
    /// If it takes too much effort to find out, or there are too many.
    pub(super) fn changes(
        &mut self,
        pair: &Pair,
        one: BeforeAfter<Option<UserSlot>>,
    ) -> Result<Option<Changes>, TooMany> {
        let presence = match (pair.classes.before, pair.classes.after) {
            (ClassId::VACANT, _) => Presence::New,
            (_, ClassId::VACANT) => Presence::Gone,
            _ => Presence::Stays,
        };
        let sides = self.sides(pair);
        let (plain, permissions) = match &pair.assigned {
            Some(assigned) => (0, self.lines_in_all(pair, assigned, one)?),
            None => {
                let candidates = self.candidates(pair);
                self.spend(candidates.len())?;
                let plain = match self.plain.compare(sides) {
                    PlainChange::Known(number) => number,
                    PlainChange::New(count, _) if count > self.room => return Err(TooMany),
                    PlainChange::New(_, sets) => self.plain.add(sets),
                };
                let lines = candidates.into_iter().filter_map(|node| self.line(pair, node));
                (plain, lines.collect())
            }
        };
        let settings = self.settings.changes(sides);
        let any = plain > 0 || !permissions.is_empty() || !settings.is_empty();
        let differs = presence != Presence::Stays || any;
        Ok(differs.then_some(Changes { presence, plain, permissions, settings }))
    }

    /// Spends effort on some permissions.
    pub(super) fn spend(&mut self, permissions: usize) -> Result<(), TooMany> {
        self.effort = self.effort.checked_sub(permissions).ok_or(TooMany)?;
        Ok(())
    }

    /// Makes room for the changes of more users.
    pub(super) fn list(&mut self, changes: &Changes) -> Result<(), TooMany> {
        let Changes { plain, permissions, settings, .. } = changes;
        let lists = [self.plain.lines(*plain).len(), permissions.len(), settings.len()];
        let count = lists.into_iter().sum();
        self.room = self.room.checked_sub(count).ok_or(TooMany)?;
        Ok(())
    }

    /// Lists the changes of the users in some slots.
    pub(super) fn grouped(&self, changes: Changes, slots: Vec<UserSlot>) -> Grouped {
        let Changes { presence, plain, mut permissions, settings } = changes;
        permissions.extend(self.plain.lines(plain));
        permissions.sort_unstable_by_key(|line| line.node);
        Grouped { presence, slots, permissions, settings }
    }

    /// Returns the permissions that may have changed, plain ones aside, as indexes into
    /// `nodes`.
    fn candidates(&self, pair: &Pair) -> Vec<usize> {
        if !self.aligned {
            return self.plain.others.clone();
        }
        let sides = self.sides(pair);
        let BeforeAfter { before, after } = sides.map(|side| side.engine.row(side.class));
        let catalogue = catalogue(self.engines.after);
        let words = before.len().max(after.len());
        let word = |row: &[Word], at: usize| row.get(at).copied().unwrap_or(0);
        let differing: Vec<Word> =
            (0..words).map(|at| word(&before, at) ^ word(&after, at)).collect();
        let plain = self.plain.words();
        let others = differing.iter().enumerate().map(|(at, bits)| bits & !word(plain, at));
        let mut nodes: Vec<usize> = ones(others).map(|bit| catalogue.id_of(bit).index()).collect();
        let alike = pair.related.is_same()
            && !sides.map(|side| side.engine.is_admin(side.class)).differs()
            && has_same_limits(sides);
        let scopes = catalogue.scope_bits.words();
        let scopes_differ = differing.iter().zip(scopes).any(|(bits, scopes)| bits & scopes != 0);
        if !alike || scopes_differ {
            let on_objects = catalogue.on_objects.words().iter().enumerate();
            let held = on_objects.map(|(at, bits)| bits & word(&before, at) & word(&after, at));
            let held = ones(held).map(|bit| catalogue.id_of(bit));
            nodes
                .extend(held.filter(|&id| !alike || self.looks_at(id, &differing)).map(Key::index));
        }
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// Returns whether the condition of a permission looks at any of these bits.
    pub(super) fn looks_at(&self, id: NodeId, bits: &[Word]) -> bool {
        let condition = catalogue(self.engines.after).node(id).condition.as_deref();
        condition.is_some_and(|it| it.scopes().any(|scope| test(bits, scope.bit)))
    }

    /// Returns the changes of a permission, if there are any.
    fn line(&mut self, pair: &Pair, number: usize) -> Option<Line> {
        let sides = self.sides(pair);
        let ids = sides.zip(*self.nodes.get(number)?);
        let nodes: Nodes<'e> = ids.map(|(side, id)| Some(catalogue(side.engine).node(id?)));
        let at = sides.zip(nodes);
        let reach = at.map(|(side, node)| self.reach(side, node));
        let levels = at.map(|(side, node)| side.held(node));
        let can_some = at.map(|(side, node)| side.can_some(node));
        let mut overlap = Overlap::default();
        for bits in thresholds(nodes) {
            let reach = at.zip(bits).zip(reach);
            let reach = reach.map(|(((side, _), bit), reach)| {
                let held = bit.is_some_and(|bit| side.engine.class_holds(side.class, bit));
                if held { reach } else { Reach::Nowhere }
            });
            overlap = overlap | self.overlap(pair, reach);
        }
        let shift = Shift::of(overlap);
        let effective = levels.map(|held| held > 0);
        let changes = shift != Shift::Same
            || can_some.differs()
            || effective.differs()
            || level_differs(nodes, levels);
        if !changes {
            return None;
        }
        let on = sides.zip(reach).map(|(side, reach)| self.extent_of(side, reach));
        Some(Line { node: number, shift, effective, levels, can_some, on })
    }

    /// Returns the objects on which users of a class may exercise a permission.
    fn reach(&mut self, side: Side<'e>, node: Option<&'e Node>) -> Reach {
        let Some(node) = node else { return Reach::Nowhere };
        let conditional = match side.engine.verdict_of_class(side.class, node.bit) {
            Verdict::Denied => return Reach::Nowhere,
            Verdict::Allowed => return Reach::Everywhere,
            Verdict::Conditional(conditional) => conditional,
        };
        let scopes = conditional.condition().scopes().map(|scope| scope.bit);
        let scopes = scopes.filter(|&bit| conditional.holds(bit)).collect();
        let recipe = (std::ptr::from_ref(node), std::ptr::from_ref(side.limits()), scopes);
        let next = self.reaches.known.len();
        let known = *self.reaches.by_recipe.entry(recipe).or_insert(next);
        if known < next {
            return Reach::On(known);
        }
        let formulas = Formulas::of_class(&conditional);
        self.reaches.add(conditional.kind(), conditional.allows_without_object(), formulas)
    }

    /// Returns the formula of a reach that has one.
    fn known(&self, reach: Reach) -> Option<&Known<'e>> {
        let Reach::On(formula) = reach else { return None };
        self.reaches.known.get(formula)
    }

    /// Compares the objects on which a permission may be exercised before and after.
    fn overlap(&mut self, pair: &Pair, reach: BeforeAfter<Reach>) -> Overlap {
        let sides = self.sides(pair);
        let key = (reach.zip(sides.map(|side| std::ptr::from_ref(side.limits()))), pair.related);
        if let Some(&known) = self.overlaps.get(&key) {
            return known;
        }
        let overlap = self.overlap_in(pair, reach, None);
        self.overlaps.insert(key, overlap);
        overlap
    }

    /// Compares them for a user with assignments on some days, or else for users who have
    /// none.
    pub(super) fn overlap_in(
        &self,
        pair: &Pair,
        reach: BeforeAfter<Reach>,
        acting: Option<&OnDays<'_>>,
    ) -> Overlap {
        // Without an object, and on an object of a kind that neither asks about.
        let everywhere = reach.map(|reach| reach == Reach::Everywhere);
        let known = reach.map(|reach| self.known(reach));
        let without = everywhere.zip(known);
        let without = without.map(|(all, known)| known.map_or(all, |known| known.without));
        let mut overlap = Overlap::of(without.before, without.after)
            | Overlap::of(everywhere.before, everywhere.after);
        let known = known.before.into_iter().chain(known.after);
        let mut kinds: Vec<&'e str> = known.map(|known| known.kind.0).collect();
        kinds.dedup();
        for kind in kinds {
            overlap = overlap | self.overlap_on(pair, reach, kind, acting);
        }
        overlap
    }

    /// Compares them on objects of a kind.
    fn overlap_on(
        &self,
        pair: &Pair,
        reach: BeforeAfter<Reach>,
        kind: &'e str,
        acting: Option<&OnDays<'_>>,
    ) -> Overlap {
        let diagrams = reach.map(|reach| match self.known(reach) {
            Some(known) if known.kind.0 == kind => known.diagram,
            None if reach == Reach::Everywhere => Some(ALL),
            _ => Some(NONE),
        });
        if let BeforeAfter { before: Some(before), after: Some(after) } = diagrams
            && let Some(overlap) = self.overlap_of(pair, before, after, acting)
        {
            return overlap;
        }
        // It would take too long to find out: anything is possible.
        if self.is_written_alike(pair, reach) {
            return Overlap::BOTH;
        }
        match (diagrams.before != Some(NONE), diagrams.after != Some(NONE)) {
            (true, true) => Overlap::ALL,
            (before, after) => Overlap::of(before, after),
        }
    }

    /// Compares two diagrams; `None` if that would take too long.
    fn overlap_of(
        &self,
        pair: &Pair,
        before: Diagram,
        after: Diagram,
        acting: Option<&OnDays<'_>>,
    ) -> Option<Overlap> {
        let diagrams = &self.reaches.diagrams;
        /// The most combinations of values and names to try.
        const MOST_WAYS: usize = 1 << 11;

        let mut answers: HashMap<Variable, Answers> = HashMap::default();
        let mut attributes: IndexMap<(&str, &str), Attribute<'_>> = IndexMap::default();
        // The places of variables among the attributes, and among the fixed limits of each.
        let (mut bounds, mut values) = (Vec::new(), Vec::new());
        let mut relations: IndexMap<(&str, &str), RelationTests<'_>> = IndexMap::default();
        for variable in diagrams.asks(&[before, after]) {
            match diagrams.asked(variable)? {
                Asked::Relation(kind, name) => {
                    relations.entry((kind, name)).or_default().state = Some(variable);
                }
                Asked::Names(kind, name, any_of) => {
                    relations.entry((kind, name)).or_default().names.push((variable, any_of));
                }
                Asked::Bound(kind, name) => {
                    let (at, attribute) = place(&mut attributes, kind, name);
                    let limits = self.sides(pair).map(|side| side.limit(kind, name));
                    attribute.bounds = (limits.before, limits.after);
                    bounds.push((variable, at));
                }
                Asked::Values(kind, name, limit) => {
                    let (at, attribute) = place(&mut attributes, kind, name);
                    values.push((variable, at, attribute.fixed.len()));
                    attribute.fixed.push(limit);
                }
            }
        }
        let attributes: Vec<Attribute<'_>> = attributes.into_values().collect();
        let Outcomes { rows, at_the_end } = outcomes(&attributes, acting.map(|it| it.days))?;
        let mut ways: Vec<Way> = vec![Vec::new()];
        for ((kind, name), tests) in &relations {
            match (tests.state, tests.names.is_empty()) {
                (Some(variable), true) => {
                    answers.insert(variable, self.states(kind, name, pair.related));
                }
                _ => {
                    let more = self.ways(kind, name, tests, acting?)?;
                    ways = ways
                        .iter()
                        .flat_map(|way| more.iter().map(|more| [&**way, more].concat()))
                        .collect();
                }
            }
            if rows.len().saturating_mul(ways.len()) > MOST_WAYS {
                return None;
            }
        }
        // Near the end of the calendar the normal form of terms is not exact.
        let at_the_end = if acting.is_some() { Vec::new() } else { at_the_end };
        let mut overlap = Overlap::default();
        for rows in [rows, at_the_end] {
            for row in rows {
                for &(variable, at) in &bounds {
                    answers.insert(variable, checks(row.get(at)?.outcomes));
                }
                for &(variable, at, place) in &values {
                    let passes = *row.get(at)?.passes.get(place)?;
                    let found = if passes { Overlap::BOTH } else { Overlap::NEITHER };
                    answers.insert(variable, checks(found));
                }
                for way in &ways {
                    answers.extend(
                        way.iter().map(|&(variable, it)| (variable, Answers::from_slice(&[it]))),
                    );
                    let mut known = HashMap::default();
                    overlap = overlap | diagrams.overlap(before, after, &answers, &mut known)?;
                }
            }
            // The last days of the calendar count only where nothing else differs.
            if !overlap.is_same() {
                break;
            }
        }
        Some(overlap)
    }

    /// Returns whether two formulas and their bounds are identical: for formulas whose
    /// meaning would take too long to compare.
    fn is_written_alike(&self, pair: &Pair, reach: BeforeAfter<Reach>) -> bool {
        let (Some(before), Some(after)) = (self.known(reach.before), self.known(reach.after))
        else {
            return false;
        };
        // With assignments, formulas have the limits in them.
        self.aligned
            && pair.related.is_same()
            && (pair.assigned.is_some() || has_same_limits(self.sides(pair)))
            && before.formulas == after.formulas
    }

    /// Returns the answers that the tests of a relation can have together.
    fn ways(
        &self,
        kind: &str,
        name: &str,
        tests: &RelationTests<'_>,
        acting: &OnDays<'_>,
    ) -> Option<Vec<Way>> {
        let sides = self.engines.zip(self.relation(kind, name)).zip(acting.groups);
        let me = sides.map(|((engine, names), groups)| match names {
            RelationType::User => vec![acting.user],
            RelationType::Group => engine.groups_of_list(groups),
        });
        let lists: Vec<&[&str]> = tests.names.iter().map(|(_, any_of)| *any_of).collect();
        let possible =
            relations::possible(BeforeAfter { before: &me.before, after: &me.after }, &lists)?;
        let way = |state: (usize, usize), passes: &dyn Fn(usize) -> bool| {
            let names = tests.names.iter().enumerate().map(|(at, &(variable, _))| {
                let answer = if passes(at) { PASSES } else { FAILS };
                (variable, (answer, answer))
            });
            tests.state.map(|variable| (variable, state)).into_iter().chain(names).collect()
        };
        let mut ways = vec![way((ABSENT, ABSENT), &|_| false), way((NOBODY, NOBODY), &|_| false)];
        for named in possible {
            let BeforeAfter { before, after } = named.me().map(|me| if me { ME } else { OTHER });
            ways.push(way((before, after), &|test| named.is_of(test)));
        }
        Some(ways)
    }

    /// Returns the type of a relation before and after.
    fn relation(&self, kind: &str, name: &str) -> BeforeAfter<RelationType> {
        let names = self.engines.map(|engine| {
            catalogue(engine).kinds.get(kind).and_then(|kind| kind.relations.get(name).copied())
        });
        // If only one engine knows it, the other does not ask about it.
        let known = names.before.or(names.after).unwrap_or(RelationType::User);
        names.map(|names| names.unwrap_or(known))
    }

    /// Returns the combinations of states that a relation can have for the user before
    /// and after.
    fn states(&self, kind: &str, name: &str, related: Related) -> Answers {
        let names = self.relation(kind, name);
        let tied = related.of(names.before, names.after) | Overlap::NEITHER;
        tied.select([
            (Overlap::NEITHER, (ABSENT, ABSENT)),
            (Overlap::NEITHER, (NOBODY, NOBODY)),
            (Overlap::NEITHER, (OTHER, OTHER)),
            (Overlap::BOTH, (ME, ME)),
            (Overlap::BEFORE, (ME, OTHER)),
            (Overlap::AFTER, (OTHER, ME)),
        ])
    }

    pub(super) fn sides(&self, pair: &Pair) -> BeforeAfter<Side<'e>> {
        self.engines.zip(pair.classes).map(|(engine, class)| Side { engine, class })
    }

    /// Returns the number of the objects to show.
    fn extent_of(&mut self, side: Side<'e>, reach: Reach) -> usize {
        let known = match reach {
            Reach::Nowhere => None,
            Reach::Everywhere => return 1,
            Reach::On(formula) => self.reaches.known.get_mut(formula),
        };
        let Some(known) = known else { return 0 };
        if let Some(number) = known.extent {
            return number;
        }
        let formulas = known.formulas.within(side.limits());
        let extent = if formulas.main == Formula::NONE || known.diagram == Some(NONE) {
            Extent::Nothing
        } else {
            let (kind, declared) = known.kind;
            let (condition, definitions) = formulas.predicates(declared, Day::Any);
            Extent::Objects { kind: kind.to_owned(), condition, definitions }
        };
        let (number, _) = self.extents.insert_full(extent);
        known.extent = Some(number);
        number
    }
}

/// Returns an attribute, and its place among those that are asked about.
fn place<'a, 'l>(
    attributes: &'a mut IndexMap<(&'l str, &'l str), Attribute<'l>>,
    kind: &'l str,
    name: &'l str,
) -> (usize, &'a mut Attribute<'l>) {
    let entry = attributes.entry((kind, name));
    let (at, nothing) = (entry.index(), (&Limit::Nothing, &Limit::Nothing));
    (at, entry.or_insert_with(|| Attribute { bounds: nothing, fixed: Vec::new() }))
}

/// The possible combinations of a check's answers before and after.
fn checks(found: Overlap) -> Answers {
    found.select([
        (Overlap::NEITHER, (FAILS, FAILS)),
        (Overlap::AFTER, (FAILS, PASSES)),
        (Overlap::BEFORE, (PASSES, FAILS)),
        (Overlap::BOTH, (PASSES, PASSES)),
    ])
}

pub(super) fn is_permission((_, node): &(NodeId, &Node)) -> bool {
    node.form != Form::Heading
}

pub(super) fn catalogue(engine: &Engine) -> &Catalogue {
    &engine.policy().inner().catalogue
}

/// Returns the bits of each name that a permission has on both sides, or on the only one
/// that has it.
pub(super) fn thresholds(nodes: Nodes<'_>) -> Vec<BeforeAfter<Option<Bit>>> {
    let mut bits = vec![nodes.map(|node| node.map(|node| node.bit))];
    if let BeforeAfter { before: Some(before), after: Some(after) } = nodes
        && let (Form::Graded(befores), Form::Graded(afters)) = (&before.form, &after.form)
    {
        // The lowest level is no threshold.
        let others = afters.iter().skip(1).zip(each(after.bits()));
        let others: HashMap<&Box<str>, Bit> = others.collect();
        for (name, bit) in befores.iter().skip(1).zip(each(before.bits())) {
            let other = others.get(name);
            bits.extend(other.map(|&other| BeforeAfter { before: Some(bit), after: Some(other) }));
        }
    }
    bits
}

/// Returns whether the levels that are held have different names.
pub(super) fn level_differs(nodes: Nodes<'_>, levels: BeforeAfter<usize>) -> bool {
    match nodes.zip(levels).map(|(node, held)| node?.level_name(held)) {
        BeforeAfter { before: Some(was), after: Some(is) } => was != is,
        BeforeAfter { before: None, after: None } => false,
        // That it is graded on one side only is reported with the names; here it
        // matters only if it is held.
        _ => levels.before > 0 || levels.after > 0,
    }
}

impl Shift {
    pub(super) fn of(overlap: Overlap) -> Shift {
        let outcomes = [Overlap::BEFORE, Overlap::AFTER, Overlap::BOTH];
        match outcomes.map(|outcome| overlap.meets(outcome)) {
            [false, false, _] => Shift::Same,
            [false, true, false] => Shift::Gained,
            [true, false, false] => Shift::Lost,
            [false, true, true] => Shift::More,
            [true, false, true] => Shift::Fewer,
            [true, true, _] => Shift::Other,
        }
    }
}

pub(super) fn has_same_limits(sides: BeforeAfter<Side<'_>>) -> bool {
    let BeforeAfter { before, after } = sides.map(Side::limits);
    std::ptr::eq(before, after) || before.lists_same(after)
}

impl<'e> Side<'e> {
    fn limits(self) -> &'e LimitSet {
        self.engine.limits(self.class)
    }

    /// Returns the limit on an attribute; nothing passes if the engine does not know it.
    fn limit(self, kind: &str, name: &str) -> &'e Limit {
        let kind = catalogue(self.engine).kinds.get(kind);
        let attribute = kind.and_then(|kind| kind.attributes.get(name).copied());
        attribute.map_or(&Limit::Nothing, |attribute| self.limits().on(attribute))
    }

    /// Returns the number of a permission's bits that are held.
    pub(super) fn held(self, node: Option<&Node>) -> usize {
        node.map_or(0, |node| node.level(|bit| self.engine.class_holds(self.class, bit)))
    }

    fn can_some(self, node: Option<&Node>) -> bool {
        node.is_some_and(|node| {
            let condition = node.condition.as_deref();
            self.engine.class_holds(self.class, node.bit)
                && condition.is_none_or(|it| self.engine.is_passable(self.class, it))
        })
    }
}

impl Inner {
    /// Returns whether another policy numbers permissions, attributes and settings
    /// alike, because it has the same catalogue.
    pub(super) fn is_aligned(&self, other: &Inner) -> bool {
        std::sync::Arc::ptr_eq(&self.catalogue, &other.catalogue)
            || self.catalogue.document == other.catalogue.document
    }
}

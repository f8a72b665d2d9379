//! Compares the rights of users who have assignments, in all their capacities together.
//!
//! A capacity is one more way to be allowed something: the objects on which a user may
//! exercise a permission are those of any capacity whose dates hold. So two users are
//! compared as elsewhere, by two conditions, but on each kind of day by itself.

use super::compare::{
    Comparison, Line, Nodes, OnDays, Reach, Side, TooMany, catalogue, has_same_limits,
    is_permission, level_differs, thresholds,
};
use super::days::{Days, Holding, days_by_holding};
use super::overlap::Overlap;
use super::pairs::{AssignedPair, Pair};
use super::{BeforeAfter, Dated, Extent, Shift};
use crate::bits::{Word, ones};
use crate::catalogue::{Bit, CapacityRows, Node};
use crate::date::Moment;
use crate::engine::{Acting, Conditional, Verdict};
use crate::filter::{Day, Formula, Formulas};
use crate::ids::{GroupListId, Key, UserSlot};
use crate::names::IndexMap;
use crate::policy::Terms;

/// A user in all capacities; nobody, if there is no such user on that side.
struct Capacities<'e> {
    side: Side<'e>,
    slot: Option<UserSlot>,
    acting: Vec<Acting<'e>>,
}

type Answer<'e> = Verdict<Conditional<'e>>;

impl<'e> Capacities<'e> {
    fn new(side: Side<'e>, slot: Option<UserSlot>) -> Capacities<'e> {
        let acting = slot.into_iter().flat_map(|slot| side.engine.acting(slot)).collect();
        Capacities { side, slot, acting }
    }

    fn terms(&self) -> Vec<&'e Terms> {
        self.acting.iter().map(|acting| &*acting.assigned.terms).collect()
    }

    /// Returns the answer in the ordinary capacity, and then in each assignment, dates left
    /// aside.
    fn answers(&self, bit: Option<Bit>) -> Vec<Answer<'e>> {
        let (Some(slot), Some(bit)) = (self.slot, bit) else { return Vec::new() };
        let ordinary = self.side.engine.verdict_of_class(self.side.class, bit);
        let assigned = self.acting.iter().map(|acting| acting.verdict(slot, bit));
        std::iter::once(ordinary).chain(assigned).collect()
    }

    fn can_some(&self, bit: Option<Bit>) -> bool {
        let known = self.slot.zip(bit);
        known.is_some_and(|(slot, bit)| self.side.engine.allows_some(slot, bit))
    }

    /// Returns the number of a permission's bits that are held without an object, while
    /// some assignments hold.
    fn held(&self, node: Option<&Node>, holding: &[bool]) -> usize {
        let Some(node) = node else { return 0 };
        let acting = self.acting.iter().zip(holding);
        let acting = acting.filter(|(it, holds)| **holds && !it.assigned.terms.are_on_objects());
        let carried = acting.map(|(acting, _)| node.level(|bit| acting.carries(bit)));
        carried.fold(self.side.held(Some(node)), usize::max)
    }

    /// Returns the groups that terms name, with those beneath them.
    fn groups_named(&self) -> Vec<Vec<&'e str>> {
        let groups = self.acting.iter().flat_map(|acting| acting.assigned.terms.groups());
        groups.map(|groups| self.side.engine.with_beneath(groups)).collect()
    }
}

fn is_denied(answers: &[Answer<'_>]) -> bool {
    answers.iter().all(|it| matches!(it, Verdict::Denied))
}

impl<'e> Comparison<'e> {
    /// Returns the changes of permissions for the users of a pair, of whom one is given.
    pub(super) fn lines_in_all(
        &mut self,
        pair: &Pair,
        assigned: &AssignedPair,
        one: BeforeAfter<Option<UserSlot>>,
    ) -> Result<Vec<Line>, TooMany> {
        let sides = self.sides(pair).zip(one);
        let users = sides.map(|(side, slot)| Capacities::new(side, slot));
        let users = &users;
        let candidates = self.candidates_in_all(pair, users);
        self.spend(candidates.len())?;
        if candidates.is_empty() {
            return Ok(Vec::new());
        }
        let days = days_by_holding(&users.each_ref().map(Capacities::terms));
        let named = sides.map(|(side, slot)| Some(side.engine.policy().inner().users.name(slot?)));
        let user = named.after.or(named.before).unwrap_or_default();
        let subject = Subject { pair, user, groups: assigned.groups, users, days };
        // Few users have the same terms, so nothing is kept for others.
        let kept = std::mem::take(&mut self.reaches);
        let mut lines = Vec::new();
        for node in candidates {
            lines.extend(self.line_in_all(&subject, node));
        }
        self.reaches = kept;
        Ok(lines)
    }

    /// Returns the permissions that may have changed, as indexes into `nodes`.
    fn candidates_in_all(&self, pair: &Pair, users: &BeforeAfter<Capacities<'e>>) -> Vec<usize> {
        let all = || (0..self.nodes.len()).filter(|&at| !self.is_heading(at)).collect();
        let Some(differing) = self.differing(pair, users) else { return all() };
        if differing.iter().all(|&bits| bits == 0) {
            return Vec::new();
        }
        // A menu may be shown for what leads to something, and a bound of an assignment
        // apply or not for what it carries.
        let acting = &users.after.acting;
        if acting.iter().any(|it| it.assigned.terms.are_on_objects() || it.own_limits().is_some()) {
            return all();
        }
        let catalogue = catalogue(self.engines.after);
        let bits = ones(differing.iter().copied());
        let mut nodes: Vec<usize> = bits.map(|bit| catalogue.id_of(bit).index()).collect();
        let looking = catalogue.on_objects.iter().map(|bit| catalogue.id_of(bit));
        nodes.extend(looking.filter(|&id| self.looks_at(id, &differing)).map(Key::index));
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    /// Returns whether a node is a heading, which only nodes of a shared catalogue are.
    fn is_heading(&self, at: usize) -> bool {
        let node = self.nodes.get(at).and_then(|ids| ids.after);
        node.is_some_and(|id| !is_permission(&(id, catalogue(self.engines.after).node(id))))
    }

    /// Returns the bits that differ in some capacity; `None` if there are other differences.
    fn differing(&self, pair: &Pair, users: &BeforeAfter<Capacities<'e>>) -> Option<Vec<Word>> {
        let BeforeAfter { before, after } = users;
        let sides = self.sides(pair);
        let limits = |it: &Acting<'e>| it.own_limits();
        let alike = self.aligned
            && pair.related.is_same()
            && !sides.map(|side| side.engine.is_admin(side.class)).differs()
            && has_same_limits(sides)
            && before.terms() == after.terms()
            && before.acting.iter().map(limits).eq(after.acting.iter().map(limits))
            && before.groups_named() == after.groups_named();
        if !alike {
            return None;
        }
        let rows = users.each_ref().map(|user| {
            let rows = user.acting.iter().flat_map(Acting::rows);
            std::iter::once(user.side.engine.row(user.side.class)).chain(rows).collect::<Vec<_>>()
        });
        let mut differing = Vec::new();
        for (before, after) in rows.before.iter().zip(&rows.after) {
            let words = before.len().max(after.len());
            differing.resize(words.max(differing.len()), 0);
            let word = |row: &[Word], at: usize| row.get(at).copied().unwrap_or(0);
            for (at, all) in differing.iter_mut().enumerate() {
                *all |= word(before, at) ^ word(after, at);
            }
        }
        Some(differing)
    }

    /// Returns the changes of a permission, if there are any.
    fn line_in_all(&mut self, subject: &Subject<'_, 'e>, number: usize) -> Option<Line> {
        let users = subject.users.each_ref();
        let ids = users.zip(*self.nodes.get(number)?);
        let nodes: Nodes<'e> = ids.map(|(user, id)| Some(catalogue(user.side.engine).node(id?)));
        let mut overlap = Overlap::default();
        let mut can_some_differs = false;
        for bits in thresholds(nodes) {
            let can_some = users.zip(bits).map(|(user, bit)| user.can_some(bit));
            can_some_differs |= can_some.differs();
            let answers = users.zip(bits).map(|(user, bit)| user.answers(bit));
            overlap = overlap | self.overlap_in_all(subject, &answers);
        }
        let shift = Shift::of(overlap);
        let can_some = users.zip(nodes).map(|(user, node)| user.can_some(node.map(|it| it.bit)));
        let effective = users.zip(nodes).map(|(user, node)| user.side.held(node) > 0);
        let levels = subject.levels(nodes);
        let changes = shift != Shift::Same
            || can_some_differs
            || effective.differs()
            || level_differs(nodes, levels);
        if !changes {
            return None;
        }
        let on = users.zip(nodes).map(|(user, node)| {
            let extent = extent(user, &user.answers(node.map(|node| node.bit)));
            self.extents.insert_full(extent).0
        });
        Some(Line { node: number, shift, effective, levels, can_some, on })
    }

    /// Compares the objects on which a permission may be exercised, on all days.
    fn overlap_in_all(
        &mut self,
        subject: &Subject<'_, 'e>,
        answers: &BeforeAfter<Vec<Answer<'e>>>,
    ) -> Overlap {
        let denied = answers.each_ref().map(|answers| is_denied(answers));
        if denied.before && denied.after {
            return Overlap::NEITHER;
        }
        let Some(days) = &subject.days else {
            return match (denied.before, denied.after) {
                (false, false) => Overlap::ALL,
                (before, after) => Overlap::NEITHER | Overlap::of(!before, !after),
            };
        };
        let mut known: BeforeAfter<IndexMap<&[bool], Reach>> = BeforeAfter::default();
        let mut overlap = Overlap::default();
        for (holding, days) in days {
            let sides = known.each_mut().zip(answers.each_ref()).zip(holding.each_ref());
            let reach = sides.map(|((known, answers), holding)| {
                *known.entry(holding).or_insert_with(|| self.reach_of(answers, holding))
            });
            let on = OnDays { user: subject.user, groups: subject.groups, days };
            overlap = overlap | self.overlap_in(subject.pair, reach, Some(&on));
        }
        overlap
    }

    /// Returns the objects of all capacities while some assignments hold.
    fn reach_of(&mut self, answers: &[Answer<'e>], holding: &[bool]) -> Reach {
        let holding = std::iter::once(&true).chain(holding);
        let holding = answers.iter().zip(holding).filter(|(_, holds)| **holds);
        match joined(holding.map(|(answer, _)| answer)) {
            Verdict::Denied => Reach::Nowhere,
            Verdict::Allowed => Reach::Everywhere,
            Verdict::Conditional((first, all)) => {
                let without = all.iter().any(|it| it.allows_without_object());
                self.reaches.add(first.kind(), without, Formulas::of_any(&all))
            }
        }
    }
}

/// Joins the answers of several capacities: the conditions, and the first of them.
fn joined<'a, 'e>(
    answers: impl Iterator<Item = &'a Answer<'e>>,
) -> Verdict<(&'a Conditional<'e>, Vec<&'a Conditional<'e>>)> {
    let mut conditions = Vec::new();
    for answer in answers {
        match answer {
            Verdict::Denied => {}
            Verdict::Allowed => return Verdict::Allowed,
            Verdict::Conditional(conditional) => conditions.push(conditional),
        }
    }
    match conditions.first() {
        None => Verdict::Denied,
        Some(&first) => Verdict::Conditional((first, conditions)),
    }
}

/// Returns the objects to show, by the dates on which they are allowed.
fn extent<'e>(user: &Capacities<'e>, answers: &[Answer<'e>]) -> Extent {
    let dates = user.acting.iter().map(|it| (it.assigned.terms.from, it.assigned.terms.until));
    let dates = std::iter::once((None, None)).chain(dates);
    let mut by_dates: IndexMap<(Option<Moment>, Option<Moment>), Vec<&Answer<'e>>> =
        IndexMap::default();
    for (dates, answer) in dates.zip(answers) {
        by_dates.entry(dates).or_default().push(answer);
    }
    by_dates.sort_by_cached_key(|(from, until), _| {
        (from.map(|from| from.seconds().start), until.map(Moment::end))
    });
    let mut dated = Vec::new();
    for ((from, until), answers) in by_dates {
        let on = match joined(answers.into_iter()) {
            Verdict::Denied => continue,
            Verdict::Allowed => Extent::Everything,
            Verdict::Conditional((first, all)) => {
                let formulas = Formulas::of_any(&all);
                if formulas.main == Formula::NONE {
                    continue;
                }
                let (kind, declared) = first.kind();
                let (condition, definitions) = formulas.predicates(declared, Day::Any);
                Extent::Objects { kind: kind.to_owned(), condition, definitions }
            }
        };
        // Without dates, it comes first.
        if (from, until) == (None, None) && on == Extent::Everything {
            return on;
        }
        dated.push(Dated { from, until, on });
    }
    match &*dated {
        [] => Extent::Nothing,
        [Dated { from: None, until: None, on }] => on.clone(),
        _ => Extent::ByDate(dated),
    }
}

/// Users of a pair, and the kinds of days for them.
struct Subject<'s, 'e> {
    pair: &'s Pair,
    /// The name of one of them.
    user: &'e str,
    groups: BeforeAfter<GroupListId>,
    users: &'s BeforeAfter<Capacities<'e>>,
    /// `None` if there are too many.
    days: Option<IndexMap<Holding, Days>>,
}

impl<'e> Subject<'_, 'e> {
    /// Returns the levels of a permission, on the first of the days on which they differ.
    fn levels(&self, nodes: Nodes<'e>) -> BeforeAfter<usize> {
        let on = |holding: BeforeAfter<&[bool]>| {
            let sides = self.users.each_ref().zip(nodes).zip(holding);
            sides.map(|((user, node), holding)| user.held(node, holding))
        };
        let always = self.users.each_ref().map(|user| vec![true; user.acting.len()]);
        let mut levels = on(always.each_ref().map(|it| &**it));
        if level_differs(nodes, levels) {
            return levels;
        }
        for holding in self.days.iter().flat_map(IndexMap::keys) {
            levels = on(holding.each_ref().map(|it| &**it));
            if level_differs(nodes, levels) {
                break;
            }
        }
        levels
    }
}

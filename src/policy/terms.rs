//! Assignments: roles, approval groups and statements that a user has under some terms
//! (design, rule 9).

use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use super::{Assignment, Groups, Held, Origin, Resolver, SourceKind, Statements, Texts, Tier};
use crate::catalogue::{Catalogue, Kind, Limit};
use crate::date::{Date, Moment};
use crate::document::{self, Bound, BoundType, Coverage, Map, RelationType};
use crate::ids::{GroupId, KindId, Number, SourceId};
use crate::names::{HashMap, HashSet, is_among, keys};
use crate::object::{Identity, Object, RelationState, Subject};
use crate::problem::{Place, ProblemKind, Seen};

/// The sources of an assignment's own: its roles, then its approval groups, each in
/// order, and its statements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct OwnSources {
    pub(crate) sources: Box<[SourceId]>,
    pub(crate) statements: Option<Box<Statements>>,
}

impl OwnSources {
    pub(crate) fn is_empty(&self) -> bool {
        self.sources.is_empty() && self.statements.is_none()
    }

    /// The statements, as who acts in the assignment has them.
    pub(crate) fn held(&self) -> Option<Held<'_>> {
        let origin = Origin::Assignment;
        let statements = self.statements.as_deref()?;
        Some(Held { origin, tier: Tier::Assignment, statements })
    }
}

/// The terms under which an assignment holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    pub(crate) from: Option<Moment>,
    pub(crate) until: Option<Moment>,
    /// The coverage as it is written; `None` if the terms do not look at objects.
    pub(crate) stated: Option<Coverage>,
    /// The same, resolved, in the order of the kinds: that of all other kinds is first.
    covered: Box<[Covered]>,
}

/// The objects of one kind on which an assignment holds, or those of all other kinds that
/// declare what the conditions name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Covered {
    /// `None` for all other kinds.
    kind: Option<KindId>,
    conditions: Box<[Condition]>,
}

/// A condition on a relation or an attribute of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Condition {
    name: Box<str>,
    /// The tests that it can mean, by what a kind declares under its name.
    tests: Box<[TermTest]>,
}

/// The test of a condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TermTest {
    /// The relation must name one of these users, sorted.
    Users(Box<[Box<str>]>),
    /// The relation must name one of these groups, or one beneath them.
    Groups(Box<[GroupId]>),
    /// The attribute must be within this limit.
    Limit(Limit),
}

/// Conditions on objects of a kind: names of relations and attributes, each with its test.
pub(crate) type Conditions<'t> = SmallVec<[(&'t str, &'t TermTest); 4]>;

impl PartialEq for Terms {
    fn eq(&self, other: &Terms) -> bool {
        (self.from, self.until, &self.stated) == (other.from, other.until, &other.stated)
    }
}

impl Eq for Terms {}

impl Hash for Terms {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.from, self.until, &self.covered).hash(state);
    }
}

impl Terms {
    /// Resolves terms; what does not fit the catalogue must have been left out.
    pub(crate) fn new(
        (from, until): (Option<Moment>, Option<Moment>),
        stated: Option<Coverage>,
        catalogue: &Catalogue,
        groups: &mut Groups,
    ) -> Terms {
        let coverage = stated.iter().flat_map(Coverage::iter);
        let covered = coverage.map(|(name, conditions)| {
            let kind = catalogue.kinds.get_index_of(name).map(KindId::new);
            let declared = kind.map(|kind| catalogue.kind(kind));
            let conditions = conditions.iter().map(|(name, bound)| {
                let fits = |test: &TermTest| match declared {
                    Some(kind) => test.fits(name, kind, catalogue),
                    None => catalogue.kinds.values().any(|kind| test.fits(name, kind, catalogue)),
                };
                Condition { name: name.into(), tests: tests(bound, groups, fits).into() }
            });
            Covered { kind, conditions: conditions.collect() }
        });
        let mut covered: Box<[Covered]> = covered.collect();
        covered.sort_by_key(|covered| covered.kind);
        Terms { from, until, stated, covered }
    }

    /// Returns whether it has a moment at which the terms hold.
    pub(crate) fn has_moment(&self) -> bool {
        self.from.zip(self.until).is_none_or(|(from, until)| from.seconds().start < until.end())
    }

    /// Returns whether the last moment lies before a date or time.
    pub(crate) fn have_ended(&self, before: Moment) -> bool {
        self.until.is_some_and(|until| until.end() <= before.seconds().start)
    }

    /// Returns whether today lies within the dates, all of it.
    pub(crate) fn hold_on_day(&self, today: Option<Moment>) -> bool {
        match today {
            None => self.from.is_none() && self.until.is_none(),
            Some(today) => self.hold_throughout(&today.seconds()),
        }
    }

    /// Returns whether all of some seconds lie within the dates.
    pub(crate) fn hold_throughout(&self, seconds: &Range<i64>) -> bool {
        self.from.is_none_or(|from| from.seconds().start <= seconds.start)
            && self.until.is_none_or(|until| seconds.end <= until.end())
    }

    /// Returns whether the terms look at objects.
    pub(crate) fn are_on_objects(&self) -> bool {
        self.stated.is_some()
    }

    /// Returns the conditions on objects of a kind; `None` if the terms do not cover the
    /// kind. Each has the name of a relation or an attribute.
    pub(crate) fn conditions<'t>(
        &'t self,
        kind: KindId,
        catalogue: &Catalogue,
    ) -> Option<Conditions<'t>> {
        if self.stated.is_none() {
            return Some(Conditions::new());
        }
        let named = self.covered.binary_search_by_key(&Some(kind), |covered| covered.kind);
        let covered = match named {
            Ok(at) => self.covered.get(at)?,
            Err(_) => self.covered.first().filter(|it| it.kind.is_none())?,
        };
        let conditions = covered.conditions.iter();
        // The tests for a kind that is named fit it.
        let test = |condition: &'t Condition| match covered.kind {
            Some(_) => condition.tests.first(),
            None => condition.test(catalogue.kind(kind), catalogue),
        };
        conditions.map(|condition| Some((&*condition.name, test(condition)?))).collect()
    }

    /// Returns whether the terms cover an object of a kind.
    pub(crate) fn hold_on<O: Object + ?Sized>(
        &self,
        (kind, object): (KindId, &O),
        today: Option<Date>,
        catalogue: &Catalogue,
        groups: &Groups,
    ) -> bool {
        let Some(conditions) = self.conditions(kind, catalogue) else { return false };
        conditions.iter().all(|(name, test)| test.passes(name, object, today, groups))
    }

    /// Returns whether these terms hold wherever and whenever others do. The groups of two
    /// tests are compared by `within`, those of the others first.
    pub(crate) fn cover(
        &self,
        others: &Terms,
        catalogue: &Catalogue,
        mut within: impl FnMut(&[GroupId], &[GroupId]) -> bool,
    ) -> bool {
        let start = |terms: &Terms| terms.from.map_or(i64::MIN, |from| from.seconds().start);
        let end = |terms: &Terms| terms.until.map_or(i64::MAX, Moment::end);
        if start(self) > start(others) || end(self) < end(others) {
            return false;
        }
        if self.stated.is_none() || others.stated.is_none() {
            return self.stated.is_none();
        }
        KindId::first(catalogue.kinds.len()).all(|kind| {
            let Some(narrower) = others.conditions(kind, catalogue) else { return true };
            let Some(wider) = self.conditions(kind, catalogue) else { return false };
            let narrower: HashMap<&str, &TermTest> = narrower.into_iter().collect();
            wider.into_iter().all(|(name, test)| {
                narrower.get(name).is_some_and(|other| test.contains(other, &mut within))
            })
        })
    }

    /// Returns whether the terms look at groups.
    pub(crate) fn look_at_groups(&self) -> bool {
        let mut tests = self.covered.iter().flat_map(|it| &it.conditions).flat_map(|it| &it.tests);
        tests.any(|test| matches!(test, TermTest::Groups(_)))
    }

    /// Returns the terms with another name for a user whom they name.
    // A list of names beneath `*` can be of users for one kind, and of groups or of texts
    // for another. Then the kinds for which it is of users get conditions of their own.
    pub(crate) fn with_user_renamed(
        &self,
        from: &str,
        to: &str,
        catalogue: &Catalogue,
        groups: &mut Groups,
    ) -> Terms {
        let Some(stated) = &self.stated else { return self.clone() };
        let mut renamed = Coverage::default();
        for (name, conditions) in stated.iter() {
            let covered: Vec<(&str, &Kind)> = match catalogue.kinds.get_key_value(name) {
                Some((name, kind)) => vec![(name, kind)],
                None => self.others(catalogue).collect(),
            };
            let mut told_apart: Vec<(&str, Map<Bound>)> = Vec::new();
            for (kind, declared) in covered {
                told_apart.push((kind, with_user_renamed(conditions, declared, from, to)));
            }
            match &*told_apart {
                [(_, first), rest @ ..] if rest.iter().all(|(_, it)| it == first) => {
                    renamed.push(name, first.clone());
                }
                _ => {
                    let (others, named): (Vec<_>, Vec<_>) =
                        told_apart.into_iter().partition(|(_, it)| it == conditions);
                    named.into_iter().for_each(|(kind, it)| renamed.push(kind, it));
                    if !others.is_empty() {
                        renamed.push(name, conditions.clone());
                    }
                }
            }
        }
        Terms::new((self.from, self.until), Some(renamed), catalogue, groups)
    }

    /// Returns the kinds that the terms cover without naming them.
    fn others<'c>(&self, catalogue: &'c Catalogue) -> impl Iterator<Item = (&'c str, &'c Kind)> {
        let kinds = KindId::first(catalogue.kinds.len()).zip(&catalogue.kinds);
        kinds
            .filter(move |&(id, _)| {
                let named = self.covered.binary_search_by_key(&Some(id), |it| it.kind);
                named.is_err() && self.conditions(id, catalogue).is_some()
            })
            .map(|(_, (name, kind))| (&**name, kind))
    }

    /// Returns the users whom the terms name.
    pub(crate) fn users(&self) -> impl Iterator<Item = &str> {
        let users = self.tests().filter_map(|test| match test {
            TermTest::Users(users) => Some(users),
            _ => None,
        });
        users.flatten().map(|user| &**user)
    }

    /// Returns the lists of groups that the terms name.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &[GroupId]> {
        self.tests().filter_map(|test| match test {
            TermTest::Groups(groups) => Some(&**groups),
            _ => None,
        })
    }

    fn tests(&self) -> impl Iterator<Item = &TermTest> {
        self.covered.iter().flat_map(|it| &it.conditions).flat_map(|it| &it.tests)
    }
}

/// Returns conditions with another name for a user in the relations to users.
fn with_user_renamed(conditions: &Map<Bound>, kind: &Kind, from: &str, to: &str) -> Map<Bound> {
    let renamed = conditions.iter().map(|(name, bound)| {
        let bound = match (bound, kind.relations.get(name)) {
            (Bound::OneOf(users), Some(RelationType::User))
                if users.iter().any(|it| it == from) =>
            {
                let kept = users.iter().filter(|user| *user != to);
                Bound::OneOf(kept.map(|it| if it == from { to } else { it }.to_owned()).collect())
            }
            _ => bound.clone(),
        };
        (name, bound)
    });
    renamed.collect()
}

impl Resolver<'_> {
    /// Resolves the assignments of a user, who is at that place.
    pub(crate) fn assignments(
        &mut self,
        stated: &Map<document::Assignment>,
        place: &Place<'_>,
        groups: &mut Groups,
    ) -> Vec<Assignment> {
        let map = place.key("assignments");
        let mut seen = Seen::default();
        let resolved = stated.iter().filter_map(|(name, assignment)| {
            let place = map.name(name);
            self.faults.check_text(&place, name);
            seen.insert(name, &place, self.faults);
            self.assignment(name, assignment, &place, groups)
        });
        resolved.collect()
    }

    /// Resolves an assignment; `None` if nothing is left of it, or no term that would
    /// limit it.
    pub(crate) fn assignment(
        &mut self,
        name: &str,
        stated: &document::Assignment,
        place: &Place<'_>,
        groups: &mut Groups,
    ) -> Option<Assignment> {
        if !stated.statements.settings.is_empty() {
            let what = "an assignment has no settings of its own";
            self.faults.push(&place.key("settings"), ProblemKind::Unfit { what });
        }
        let mut sources = Vec::new();
        for (kind, names) in [
            (SourceKind::Role, &stated.roles),
            (SourceKind::ApprovalGroup, &stated.approval_groups),
        ] {
            let list = place.key(kind.field());
            for (at, name) in names.iter().enumerate() {
                let place = list.item(at);
                let Some(id) = self.source(kind, name, &place) else { continue };
                if self.leads_to_unique(id) {
                    let what = if self.sources[id].unique {
                        "a unique role can't be given by an assignment"
                    } else {
                        "a role that includes a unique one can't be given by an assignment"
                    };
                    self.faults.push(&place, ProblemKind::Unfit { what });
                    continue;
                }
                sources.push(id);
            }
        }
        let mut statements = self.counted(&stated.statements, place);
        statements.settings = Box::default();
        let statements = (!statements.is_empty()).then(|| Box::new(statements));
        let own = OwnSources { sources: sources.into(), statements };
        let on = match &stated.on {
            Some(on) => Some(self.coverage(on, &place.key("on"))?),
            None => None,
        };
        let terms = Terms::new((stated.from, stated.until), on, self.catalogue, groups);
        if !terms.has_moment() {
            let what = "the assignment ends before it begins";
            self.faults.push(&place.key("until"), ProblemKind::Unfit { what });
            return None;
        }
        if own.is_empty() {
            let is_empty = stated.roles.is_empty()
                && stated.approval_groups.is_empty()
                && stated.statements.is_empty();
            // Unknown names are problems of their own.
            if is_empty || self.faults.leaves_out() {
                let what = "an assignment needs roles, approval groups or statements";
                self.faults.push(place, ProblemKind::Unfit { what });
            }
            return None;
        }
        let texts = Texts::new(stated.label.clone(), stated.description.clone());
        Some(Assignment { name: name.into(), texts, terms: Arc::new(terms), own })
    }

    /// Returns whether a source is unique or includes one that is, which is a problem of its
    /// own: so those that are not are looked at once.
    fn leads_to_unique(&mut self, id: SourceId) -> bool {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if self.sources[id].unique {
                self.faults.not_unique.clear();
                return true;
            }
            if self.faults.not_unique.insert(id.number()) {
                open.extend(&self.sources[id].includes);
            }
        }
        false
    }

    /// Returns the part of a coverage that fits; `None` if there is none. A kind with a
    /// condition that does not fit is left out: without the condition it would cover
    /// more. So is `*` then, which would come to cover that kind.
    fn coverage(&mut self, on: &Coverage, place: &Place<'_>) -> Option<Coverage> {
        if on.is_empty() {
            let what = "an assignment without `on` holds everywhere, with an empty one nowhere";
            self.faults.push(place, ProblemKind::Unfit { what });
        }
        let mut fitting = Coverage::default();
        let mut leaves_kinds_out = false;
        let mut kinds = Seen::default();
        for (name, conditions) in on.iter() {
            let place = place.name(name);
            kinds.insert(name, &place, self.faults);
            let kind = self.catalogue.kinds.get(name);
            if kind.is_none() && name != OTHERS {
                let known = keys(&self.catalogue.kinds);
                self.faults.unknown(&place, "object kind", name, known);
                continue;
            }
            let mut fits = true;
            let mut seen = Seen::default();
            for (name, bound) in conditions.iter() {
                let place = place.name(name);
                seen.insert(name, &place, self.faults);
                if matches!(bound, Bound::OneOf(texts) if texts.is_empty()) {
                    let what = "nothing is among none";
                    self.faults.push(&place, ProblemKind::Unfit { what });
                    fits = false;
                } else if let Some(kind) = kind {
                    fits &= self.condition(kind, name, bound, &place);
                }
            }
            if kind.is_none() && fits {
                let named: HashSet<&str> = on.iter().map(|(kind, _)| kind).collect();
                let kinds = self.catalogue.kinds.iter();
                let mut others = kinds.filter(|(kind, _)| !named.contains(&***kind));
                fits = others.any(|(_, kind)| {
                    conditions.iter().all(|(name, bound)| self.takes(kind, name, bound))
                });
                if !fits {
                    let what = "no other kind of object declares this";
                    self.faults.push(&place, ProblemKind::Unfit { what });
                }
                // Where no attribute takes them, texts are names of users or groups.
                let declares = |name: &str| {
                    self.catalogue.kinds.values().any(|kind| kind.attributes.contains_key(name))
                };
                for (name, bound) in conditions.iter().filter(|(name, _)| !declares(name)) {
                    self.check_names(bound, &place.name(name));
                }
            }
            if fits {
                fitting.push(name, conditions.clone());
            }
            leaves_kinds_out |= !fits && kind.is_some();
        }
        if leaves_kinds_out && self.faults.leaves_out() && fitting.get(OTHERS).is_some() {
            let what = "it would come to cover a kind that is left out";
            self.faults.put_aside(&place.name(OTHERS), ProblemKind::Unfit { what });
            fitting.retain(|name, _| name != OTHERS);
        }
        (!fitting.is_empty()).then_some(fitting)
    }

    /// Returns whether a condition fits a kind, and reports it if not.
    fn condition(&mut self, kind: &Kind, name: &str, bound: &Bound, place: &Place<'_>) -> bool {
        if let Some(&attribute) = kind.attributes.get(name) {
            let taken = self.catalogue.attribute_at(attribute).takes(bound);
            return self.accept(taken, place).is_some();
        }
        if !kind.relations.contains_key(name) {
            let known = keys(&kind.relations).chain(keys(&kind.attributes));
            self.faults.unknown(place, "relation or attribute", name, known);
            return false;
        }
        if !matches!(bound, Bound::OneOf(_)) {
            let what = "a relation takes a list of users or groups";
            self.faults.push(place, ProblemKind::Unfit { what });
            return false;
        }
        self.check_names(bound, place);
        true
    }

    /// Checks names of users or groups.
    fn check_names(&mut self, bound: &Bound, place: &Place<'_>) {
        if let Bound::OneOf(names) = bound {
            for (at, name) in names.iter().enumerate() {
                self.faults.check_text(&place.item(at), name);
            }
        }
    }

    /// Returns whether a kind declares a name as something that takes a bound, or a list
    /// of names.
    fn takes(&self, kind: &Kind, name: &str, bound: &Bound) -> bool {
        match kind.attributes.get(name) {
            Some(&attribute) => self.catalogue.attribute_at(attribute).takes(bound).is_ok(),
            None => kind.relations.contains_key(name) && matches!(bound, Bound::OneOf(_)),
        }
    }
}

/// Stands in a coverage for all kinds that it does not name.
const OTHERS: &str = "*";

impl Condition {
    fn test(&self, kind: &Kind, catalogue: &Catalogue) -> Option<&TermTest> {
        self.tests.iter().find(|test| test.fits(&self.name, kind, catalogue))
    }
}

/// Returns the tests that a bound can mean, of those that fit.
fn tests(bound: &Bound, groups: &mut Groups, fits: impl Fn(&TermTest) -> bool) -> Vec<TermTest> {
    let limits = BoundType::ALL.into_iter().map(|of| Limit::new(of, bound));
    let mut tests: Vec<TermTest> = Vec::new();
    for limit in limits.filter(|limit| *limit != Limit::Nothing).map(TermTest::Limit) {
        if !tests.contains(&limit) && fits(&limit) {
            tests.push(limit);
        }
    }
    if let Bound::OneOf(names) = bound {
        let mut users: Vec<Box<str>> = names.iter().map(|name| name.as_str().into()).collect();
        users.sort_unstable();
        users.dedup();
        let users = TermTest::Users(users.into());
        if fits(&users) {
            tests.push(users);
        }
        // Only names of groups are numbered as such.
        if fits(&TermTest::Groups(Box::default())) {
            tests.push(TermTest::Groups(names.iter().map(|name| groups.number(name)).collect()));
        }
    }
    tests
}

impl TermTest {
    /// Returns whether a kind declares the name as something that the test is of.
    fn fits(&self, name: &str, kind: &Kind, catalogue: &Catalogue) -> bool {
        match self {
            TermTest::Users(_) => kind.relations.get(name) == Some(&RelationType::User),
            TermTest::Groups(_) => kind.relations.get(name) == Some(&RelationType::Group),
            TermTest::Limit(limit) => {
                let attribute = kind.attributes.get(name);
                attribute.is_some_and(|&it| limit.is_of(catalogue.attribute_at(it).bound))
            }
        }
    }

    /// Returns whether everything passes that passes another test of the same relation or
    /// attribute.
    fn contains(
        &self,
        other: &TermTest,
        within: &mut impl FnMut(&[GroupId], &[GroupId]) -> bool,
    ) -> bool {
        match (self, other) {
            (TermTest::Users(users), TermTest::Users(others)) => {
                others.iter().all(|user| is_among(users, user))
            }
            (TermTest::Groups(groups), TermTest::Groups(others)) => within(others, groups),
            (TermTest::Limit(limit), TermTest::Limit(other)) => limit.contains(other),
            _ => false,
        }
    }

    /// Returns whether what an object has under a name passes.
    pub(crate) fn passes<O: Object + ?Sized>(
        &self,
        name: &str,
        object: &O,
        today: Option<Date>,
        groups: &Groups,
    ) -> bool {
        let relation = match self {
            TermTest::Limit(limit) => return limit.passes(object.attribute(name), today),
            TermTest::Users(_) => RelationType::User,
            TermTest::Groups(_) => RelationType::Group,
        };
        let subject = Subject { asker: &Named { test: self, groups }, relation };
        object.relation(name, &subject) == Some(RelationState::Me)
    }
}

/// The users or groups of a test, one of whom an object must name.
struct Named<'t> {
    test: &'t TermTest,
    groups: &'t Groups,
}

impl Identity for Named<'_> {
    fn is_user(&self, name: &str) -> bool {
        matches!(self.test, TermTest::Users(users) if is_among(users, name))
    }
    fn belongs(&self, group: &str) -> bool {
        matches!(self.test, TermTest::Groups(of) if self.groups.is_beneath(group, of))
    }
}

//! Collects the problems of a document while it is resolved.

use super::nearest::nearest_within;
use super::{LeftOut, Place, Problem, ProblemKind, ReportBudget};
use crate::limits::Limits;
use crate::names::{HashSet, is_free_name, is_name};

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    problems: Vec<Problem>,
    /// The number of them that were found while reading.
    read: usize,
    /// The number of letters compared so far to find suggestions.
    compared: usize,
    /// Misfits that are left out, unless they are to be problems.
    left_out: Option<Vec<LeftOut>>,
    restricts: bool,
    budget: ReportBudget,
    pub(crate) limits: Limits,
    /// The numbers of sources that were found to lead to no unique one.
    pub(crate) not_unique: HashSet<u32>,
    /// The number of statements so far.
    statements: usize,
    /// The number of permissions so far that took the place of a former path.
    succeeded: usize,
}

impl Faults {
    /// Starts with the problems found while reading a document.
    pub(crate) fn new(problems: Vec<Problem>, limits: Limits) -> Faults {
        Faults { read: problems.len(), problems, limits, ..Faults::default() }
    }

    /// From here on, leaves misfits out instead of making them problems.
    pub(crate) fn leave_out(&mut self) {
        self.left_out = Some(Vec::new());
    }

    /// Returns `true` if misfits are left out: what is resolved was made for another catalogue
    /// or policy.
    pub(crate) fn leaves_out(&self) -> bool {
        self.left_out.is_some()
    }

    /// Leaves something out that is no misfit by itself.
    pub(crate) fn put_aside(&mut self, place: &Place<'_>, kind: ProblemKind) {
        let problem = self.budget.admit(place, kind);
        let left_out = problem.map(|problem| LeftOut { problem, restriction: self.restricts });
        self.left_out.get_or_insert_default().extend(left_out);
    }

    /// Returns a mark that changes with whatever is reported or counted, statements aside.
    pub(crate) fn mark(&self) -> (usize, usize, usize, usize) {
        let left_out = self.left_out.as_ref().map_or(0, Vec::len);
        (self.problems.len(), left_out, self.compared, self.succeeded)
    }

    /// The number of statements so far.
    pub(crate) fn statements(&self) -> usize {
        self.statements
    }

    /// Returns whether so many more statements can be counted without a report.
    pub(crate) fn has_room_for(&self, statements: usize) -> bool {
        let limit = self.limits.statements;
        self.statements > limit || self.statements.saturating_add(statements) <= limit
    }

    /// Takes the misfits that are left out.
    pub(crate) fn take_left_out(&mut self) -> Vec<LeftOut> {
        self.left_out.take().unwrap_or_default()
    }

    /// Checks something that restricts what users may do.
    pub(crate) fn restricting<T>(&mut self, check: impl FnOnce(&mut Faults) -> T) -> T {
        self.restricts = true;
        let checked = check(self);
        self.restricts = false;
        checked
    }

    /// Returns the problems, without those that merely follow from a value that could
    /// not be read.
    ///
    /// Such a value is empty in the document. A later problem at its place, or about a
    /// name that it would have declared, is dropped: it may not be a problem once the
    /// value is mended.
    pub(crate) fn into_problems(mut self) -> Vec<Problem> {
        let resolved = self.problems.split_off(self.read);
        let unread: HashSet<&str> = self
            .problems
            .iter()
            .filter(|problem| !matches!(problem.kind(), ProblemKind::Duplicate { .. }))
            .map(Problem::place)
            .collect();
        let lists = unread.iter().filter_map(|place| list_of(place));
        // An assignment may state nothing for want of a bound.
        let bounded = unread.iter().filter_map(|place| Some(place.rsplit_once(".bounds")?.0));
        let lists: HashSet<&str> = lists.chain(bounded).collect();
        let independent = |problem: &Problem| {
            // A list may be too short for want of an item that could not be read.
            let is_short =
                matches!(problem.kind(), ProblemKind::Form { .. } | ProblemKind::Unfit { .. })
                    && lists.contains(problem.place());
            !is_short && !follows_from(problem, &unread)
        };
        let independent: Vec<Problem> = resolved.into_iter().filter(independent).collect();
        self.problems.extend(independent);
        self.problems
    }

    /// Adds a problem or, if misfits are left out and it is one, leaves it out.
    pub(crate) fn push(&mut self, place: &Place<'_>, kind: ProblemKind) {
        let Some(problem) = self.budget.admit(place, kind) else { return };
        match &mut self.left_out {
            // The last problem of the budget, which is no misfit, takes the place of any other.
            Some(left_out) if problem.kind().is_misfit() => {
                left_out.push(LeftOut { problem, restriction: self.restricts });
            }
            _ => self.problems.push(problem),
        }
    }

    pub(crate) fn unknown<'a>(
        &mut self,
        place: &Place<'_>,
        what: &'static str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) {
        let nearest = self.nearest(name, known);
        let (name, known, found_as) = (name.to_owned(), Vec::new(), None);
        self.push(place, ProblemKind::Unknown { what, name, nearest, known, found_as });
    }

    /// Returns the nearest known name, as long as there is time to look for one.
    pub(crate) fn nearest<'a>(
        &mut self,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Option<String> {
        nearest_within(name, known, &mut self.compared)
    }

    pub(crate) fn too_many(&mut self, place: &Place<'_>, what: &'static str, limit: usize) {
        self.push(place, ProblemKind::TooMany { what, limit });
    }

    /// Counts statements, and reports exceeding their limit, once.
    pub(crate) fn count_statements(&mut self, place: &Place<'_>, more: usize) {
        let (limit, before) = (self.limits.statements, self.statements);
        self.statements = before.saturating_add(more);
        if before <= limit && self.statements > limit {
            self.too_many(place, "statements", limit);
        }
    }

    /// Counts permissions that take the place of a former path; returns `false` if there are
    /// more than dependencies may be, which it reports once.
    pub(crate) fn count_successors(&mut self, place: &Place<'_>, more: usize) -> bool {
        let (limit, before) = (self.limits.dependencies, self.succeeded);
        self.succeeded = before.saturating_add(more);
        if before <= limit && self.succeeded > limit {
            self.too_many(place, "dependencies", limit);
        }
        self.succeeded <= limit
    }

    fn check_length(&mut self, place: &Place<'_>, name: &str) {
        let limit = self.limits.name;
        if name.len() > limit {
            self.too_long(place, limit);
        }
    }

    pub(crate) fn too_long(&mut self, place: &Place<'_>, limit: usize) {
        self.push(place, ProblemKind::TooLong { limit });
    }

    /// Reports a name that is not `[A-Za-z0-9_-]+`.
    pub(crate) fn check_name(&mut self, place: &Place<'_>, name: &str) {
        self.check_length(place, name);
        if !is_name(name) {
            let expected = "letters, digits, `_` and `-`";
            self.push(place, ProblemKind::InvalidName { name: name.to_owned(), expected });
        }
    }

    /// Reports a name that is empty or has control characters: one of a source, a user or
    /// a group.
    pub(crate) fn check_text(&mut self, place: &Place<'_>, name: &str) {
        self.check_length(place, name);
        if !is_free_name(name) {
            let expected = "a text that is not empty, without control characters";
            self.push(place, ProblemKind::InvalidName { name: name.to_owned(), expected });
        }
    }

    pub(crate) fn duplicate(&mut self, place: &Place<'_>, name: &str) {
        self.push(place, ProblemKind::Duplicate { name: name.to_owned() });
    }
}

/// Returns the place of the list that a place is an item of.
fn list_of(place: &str) -> Option<&str> {
    place.strip_suffix(']')?.rsplit_once('[').map(|(list, _)| list)
}

/// Returns `true` if a problem may merely follow from one at these places.
fn follows_from(problem: &Problem, unread: &HashSet<&str>) -> bool {
    let is_unread = |place: &str| {
        // Some of these ends are inside a name, but nothing that was not read ends there.
        let ends = place.match_indices(['.', '[']).map(|(end, _)| end).chain([place.len()]);
        ends.into_iter().any(|end| place.get(..end).is_some_and(|above| unread.contains(above)))
    };
    if is_unread(problem.place()) {
        return true;
    }
    match problem.kind() {
        ProblemKind::Unknown { what, .. } => declared_in(what).is_some_and(is_unread),
        ProblemKind::BoundForm { attribute, .. } => {
            let (kind, name) = attribute.split_once('.').unwrap_or_default();
            let catalogue = Place::Root.key("catalogue");
            let objects = catalogue.key("objects");
            let place = objects.name(kind).key("attributes").name(name).to_string();
            unread.contains(&*place)
        }
        _ => false,
    }
}

/// Returns the part of a document that declares names of a kind.
fn declared_in(what: &str) -> Option<&'static str> {
    Some(match what {
        "permission" => "catalogue.permissions",
        "object kind" => "catalogue.objects",
        "setting" => "catalogue.settings",
        "edition" => "catalogue.editions",
        "profile" => "profiles",
        "role" => "roles",
        "approval group" => "approval_groups",
        _ => return None,
    })
}

/// The names met so far in a map or list.
#[derive(Debug, Default)]
pub(crate) struct Seen<'d>(HashSet<&'d str>);

impl<'d> Seen<'d> {
    /// Adds a name, or reports it if it is there already.
    pub(crate) fn insert(&mut self, name: &'d str, place: &Place<'_>, faults: &mut Faults) {
        if !self.0.insert(name) {
            faults.duplicate(place, name);
        }
    }
}

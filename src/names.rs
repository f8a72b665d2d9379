//! Names to dense numbers.

use std::collections::HashSet;
use std::ops::Deref;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use crate::limits::Limits;
use crate::problem::{LeftOut, Place, Problem, ProblemKind, Room, nearest_within};

/// Values by name, numbered in order of insertion.
///
/// The hash is seeded at random, so that names can't be chosen to collide.
pub(crate) type NameMap<V> = IndexMap<Box<str>, V, RandomState>;

/// The names, in order.
pub(crate) fn keys<V>(map: &NameMap<V>) -> impl Iterator<Item = &str> {
    map.keys().map(|name| &**name)
}

/// Whether a text is among sorted ones.
#[inline]
pub(crate) fn is_among<T: Deref<Target = str>>(sorted: &[T], text: &str) -> bool {
    // Of a few texts, different ones mostly differ in length or at the end.
    let is = |known: &T| {
        known.len() == text.len()
            && known.as_bytes().last() == text.as_bytes().last()
            && **known == *text
    };
    match sorted.len() {
        ..=8 => sorted.iter().any(is),
        _ => sorted.binary_search_by(|known| (**known).cmp(text)).is_ok(),
    }
}

/// A dense number, for an index that is known to be small.
///
/// Saturates, so that what could never be stored is simply not found; building
/// refuses to number more than [`MOST`] things of a kind.
pub(crate) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// The most things of one kind that are numbered.
pub(crate) const MOST: usize = 1 << 31;

/// The names met so far in a map or list.
#[derive(Debug, Default)]
pub(crate) struct Seen<'d>(HashSet<&'d str, RandomState>);

impl<'d> Seen<'d> {
    /// Adds a name, or reports it if it is there already.
    pub(crate) fn insert(&mut self, name: &'d str, place: &Place<'_>, faults: &mut Faults) {
        if !self.0.insert(name) {
            faults.duplicate(place, name);
        }
    }
}

/// The part of a document that declares names of a kind.
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

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    problems: Vec<Problem>,
    /// How many of them were found while reading.
    read: usize,
    /// How much names were compared so far to find suggestions.
    compared: usize,
    /// What does not fit and is left out, if that is not to be a problem.
    left_out: Option<Vec<LeftOut>>,
    restricts: bool,
    room: Room,
    pub(crate) limits: Limits,
    /// How many statements there have been so far.
    statements: usize,
}

impl Faults {
    /// The faults of a document, given the problems found while reading it.
    pub(crate) fn new(problems: Vec<Problem>, limits: Limits) -> Faults {
        Faults { read: problems.len(), problems, limits, ..Faults::default() }
    }

    /// From here on, what does not fit is left out instead of being a problem.
    pub(crate) fn leave_out(&mut self) {
        self.left_out = Some(Vec::new());
    }

    /// All that is left out.
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

    /// All problems. What could not be read is empty in the document, so later
    /// problems about it, or about what it would have declared, are dropped.
    pub(crate) fn into_problems(mut self) -> Vec<Problem> {
        let resolved = self.problems.split_off(self.read);
        let is_form = |problem: &&Problem| !matches!(problem.kind(), ProblemKind::Duplicate { .. });
        let read: HashSet<&str, RandomState> =
            self.problems.iter().filter(is_form).map(Problem::place).collect();
        let told = |place: &str| {
            let ends = place.match_indices(['.', '[']).map(|(end, _)| end).chain([place.len()]);
            ends.into_iter().any(|end| place.get(..end).is_some_and(|above| read.contains(above)))
        };
        let follows = |kind: &ProblemKind| match kind {
            ProblemKind::Unknown { what, .. } => declared_in(what).is_some_and(told),
            ProblemKind::BoundForm { attribute, .. } => {
                let (kind, name) = attribute.split_once('.').unwrap_or_default();
                read.contains(&*format!("catalogue.objects.{kind}.attributes.{name}"))
            }
            _ => false,
        };
        let first = |problem: &Problem| !told(problem.place()) && !follows(problem.kind());
        let resolved: Vec<Problem> = resolved.into_iter().filter(first).collect();
        self.problems.extend(resolved);
        self.problems
    }

    pub(crate) fn push(&mut self, place: &Place<'_>, kind: ProblemKind) {
        let misfit = kind.is_misfit();
        let Some(problem) = self.room.tell(place, kind) else { return };
        match &mut self.left_out {
            Some(left_out) if misfit && problem.kind().is_misfit() => {
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
        let (name, known) = (name.to_owned(), Vec::new());
        self.push(place, ProblemKind::Unknown { what, name, nearest, known });
    }

    /// The nearest known name, as long as there is time to look for one.
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
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if name.is_empty() || !name.bytes().all(fits) {
            let expected = "letters, digits, `_` and `-`";
            self.push(place, ProblemKind::InvalidName { name: name.to_owned(), expected });
        }
    }

    /// Reports an empty name.
    pub(crate) fn check_text(&mut self, place: &Place<'_>, name: &str) {
        self.check_length(place, name);
        if name.is_empty() {
            let expected = "a text that is not empty";
            self.push(place, ProblemKind::InvalidName { name: String::new(), expected });
        }
    }

    pub(crate) fn duplicate(&mut self, place: &Place<'_>, name: &str) {
        self.push(place, ProblemKind::Duplicate { name: name.to_owned() });
    }
}

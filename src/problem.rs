//! Problems of a document, each with its place.

mod faults;
mod kind;
mod line;
mod nearest;

use std::fmt::{self, Write};

use serde::ser::{Serialize, SerializeStruct, Serializer};

pub use crate::limits::Limits;
use crate::names::is_name;
pub(crate) use faults::{Faults, Seen};
pub use kind::ProblemKind;
pub(crate) use kind::{MAX_LISTED, truncate_list};
use line::Json;
pub(crate) use line::{Line, OneLine, quoted};
pub(crate) use nearest::{nearest, nearest_within, suggestion};

/// A place in a document: a list on the call stack, spelled out only if there is
/// something to report.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// The document itself.
    Root,
    /// The value of a field, or of a pattern or path in a map of these.
    Key(&'a Place<'a>, &'a str),
    /// The value of a name.
    Name(&'a Place<'a>, &'a str),
    /// An item of a list.
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    pub(crate) fn key<'a>(&'a self, key: &'a str) -> Place<'a> {
        Place::Key(self, key)
    }

    pub(crate) fn name<'a>(&'a self, name: &'a str) -> Place<'a> {
        Place::Name(self, name)
    }

    pub(crate) fn item(&self, index: usize) -> Place<'_> {
        Place::Item(self, index)
    }
}

/// Returns the place of a value in a map, given those of the map and the key.
pub(crate) type PlaceOf = for<'a> fn(&'a Place<'_>, &'a str) -> Place<'a>;

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Root => Ok(()),
            Place::Key(Place::Root, key) => f.write_str(key),
            Place::Key(above, key) => write!(f, "{above}.{key}"),
            Place::Name(above, name) if is_name(name) => write!(f, "{above}.{name}"),
            Place::Name(above, name) => write!(f, "{above}[{}]", Json(name)),
            Place::Item(above, index) => write!(f, "{above}[{index}]"),
        }
    }
}

/// The problems of one document, at least one: first values that do not have the form
/// of the format, then names and statements that do not fit together.
///
/// Displays as one problem per line.
///
/// ```
/// use grantree::{Document, Policy};
///
/// let text = r#"{
///     "format": 1,
///     "catalogue": {"permissions": [{"key": "orders"}]},
///     "roles": {"clerk": {"allow": ["ordres"], "includes": ["lead"]}}
/// }"#;
/// let problems = Policy::try_from(serde_json::from_str::<Document>(text)?).unwrap_err();
/// assert_eq!(problems.to_string(), "\
/// roles.clerk.includes[0]: unknown role `lead`
/// roles.clerk.allow[0]: unknown permission `ordres`; did you mean `orders`?");
/// // As is the error that a program's `main` returns.
/// assert_eq!(format!("{problems:?}"), format!("Problems(\n{problems}\n)"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Wraps the problems, if there are any.
    pub(crate) fn new(problems: Vec<Problem>) -> Option<Problems> {
        (!problems.is_empty()).then_some(Problems(problems))
    }
}

/// Makes a list of errors an error itself, on as many lines, and lets it be iterated over.
macro_rules! error_list {
    ($list:ident of $item:ty) => {
        impl $list {
            /// Iterates over them.
            pub fn iter(&self) -> std::slice::Iter<'_, $item> {
                self.0.iter()
            }
        }

        impl IntoIterator for $list {
            type Item = $item;
            type IntoIter = std::vec::IntoIter<$item>;

            fn into_iter(self) -> Self::IntoIter {
                self.0.into_iter()
            }
        }

        impl<'a> IntoIterator for &'a $list {
            type Item = &'a $item;
            type IntoIter = std::slice::Iter<'a, $item>;

            fn into_iter(self) -> Self::IntoIter {
                self.iter()
            }
        }

        impl std::fmt::Display for $list {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                for (at, item) in self.0.iter().enumerate() {
                    let line_break = if at > 0 { "\n" } else { "" };
                    write!(f, "{line_break}{item}")?;
                }
                Ok(())
            }
        }

        /// Each on a line of its own, as the error of a program's `main` is shown.
        impl std::fmt::Debug for $list {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($list), "(\n{}\n)"), self)
            }
        }

        impl std::error::Error for $list {}
    };
}

pub(crate) use error_list;

error_list!(Problems of Problem);

/// A problem of a document.
///
/// ```
/// use grantree::problem::ProblemKind;
/// use grantree::{Document, Policy};
///
/// let text = r#"{"format": 1, "catalogue": {}, "users": {"bob": {"roles": ["clerk"]}}}"#;
/// let problems = Policy::try_from(serde_json::from_str::<Document>(text)?).unwrap_err();
/// let problem = problems.iter().next().unwrap();
/// assert_eq!(problem.place(), "users.bob.roles[0]");
/// assert!(matches!(problem.kind(), ProblemKind::Unknown { what: "role", nearest: None, .. }));
/// assert_eq!(problem.to_string(), "users.bob.roles[0]: unknown role `clerk`");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    place: String,
    kind: ProblemKind,
}

impl Problem {
    pub(crate) fn new(place: &Place<'_>, kind: ProblemKind) -> Problem {
        Problem { place: place.to_string(), kind }
    }

    /// Returns its place: keys joined by dots, list positions in brackets, such as
    /// `catalogue.permissions[0].requires[1]`. A name that is not `[A-Za-z0-9_-]+` stands
    /// in brackets too, as a JSON string: `roles["system:admin"].allow[0]`.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Returns its kind, with the names involved.
    pub fn kind(&self) -> &ProblemKind {
        &self.kind
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = OneLine(f);
        if !self.place.is_empty() {
            write!(line, "{}: ", self.place)?;
        }
        write!(line, "{}", self.kind)
    }
}

/// Limits the total size of the places of reported problems: names may be long, and a
/// place repeats every name on the way to it.
#[derive(Debug, Default)]
pub(crate) struct ReportBudget {
    used: usize,
}

impl ReportBudget {
    const BYTES: usize = 1 << 26;

    /// Makes a problem while the budget lasts, then one last problem that says so, then
    /// none.
    pub(crate) fn admit(&mut self, place: &Place<'_>, kind: ProblemKind) -> Option<Problem> {
        if self.used > Self::BYTES {
            return None;
        }
        let problem = Problem::new(place, kind);
        self.used = self.used.saturating_add(problem.place.len());
        if self.used <= Self::BYTES {
            return Some(problem);
        }
        let (what, limit) = ("bytes of places to report", Self::BYTES);
        Some(Problem::new(&Place::Root, ProblemKind::TooMany { what, limit }))
    }
}

/// A part of a stored document or of a bundle that does not fit, and that
/// [`PolicyBuilder::adopt`](crate::PolicyBuilder::adopt) or
/// [`Change::Import`](crate::change::Change::Import) left out.
///
/// Displays as the problem that it would be for
/// [`Policy::try_from`](crate::Policy), and serializes as `place`, `why` and
/// `restriction`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// The problem that it would be, with its place in the stored document or bundle.
    pub problem: Problem,
    /// `true` if it was a restriction, so that leaving it out may widen: an except, a deny, a
    /// forbid, a bound, or a permission kept apart by a separation.
    pub restriction: bool,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widens = if self.restriction { ", which may widen" } else { "" };
        write!(f, "{} (left out{widens})", self.problem)
    }
}

impl Serialize for LeftOut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("LeftOut", 3)?;
        fields.serialize_field("place", &self.problem.place)?;
        fields.serialize_field("why", &Line(&self.problem.kind).to_string())?;
        fields.serialize_field("restriction", &self.restriction)?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_need_it_stand_in_brackets() {
        let place = |name| Place::Root.key("users").name(name).key("roles").item(0).to_string();
        assert_eq!(place("ann-2_B"), "users.ann-2_B.roles[0]");
        for name in ["", "a.b", "a b", "é", "\"\\", "\u{1}\n\r\t\u{8}\u{c}\u{7f}"] {
            let json = serde_json::to_string(name).expect("a text");
            assert_eq!(place(name), format!("users[{json}].roles[0]"));
        }
    }

    fn unknown(what: &'static str, name: &str, nearest: Option<&str>) -> ProblemKind {
        let nearest = nearest.map(str::to_owned);
        let (name, known, found_as) = (name.to_owned(), Vec::new(), None);
        ProblemKind::Unknown { what, name, nearest, known, found_as }
    }

    #[test]
    fn a_problem_displays_on_one_line() {
        let roles = Place::Root.key("roles");
        let dispatcher = roles.key("dispatcher");
        let allow = dispatcher.key("allow");
        let kind = unknown("permission", "jobs.edti", Some("jobs.edit"));
        assert_eq!(
            Problem::new(&allow.item(0), kind).to_string(),
            "roles.dispatcher.allow[0]: unknown permission `jobs.edti`; did you mean `jobs.edit`?"
        );
        let users = Place::Root.key("users");
        assert_eq!(
            Problem::new(&users.name("\n"), unknown("role", "a\n\tb", None)).to_string(),
            "users[\"\\n\"]: unknown role `a\\n\\tb`"
        );
        let kind = ProblemKind::Cycle { what: "roles", names: vec!["a".into(), "b".into()] };
        assert_eq!(kind.to_string(), "a cycle of roles: `a` > `b` > `a`");
    }
}

//! What is wrong with a document, and where.

use std::fmt::{self, Write};

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// Where something is in a document, as the reader went: a list on the call stack,
/// spelled out only if there is something to report.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// The document itself.
    Root,
    /// The value of a key.
    Key(&'a Place<'a>, &'a str),
    /// An item of a list.
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    pub(crate) fn key<'a>(&'a self, key: &'a str) -> Place<'a> {
        Place::Key(self, key)
    }

    pub(crate) fn item(&self, index: usize) -> Place<'_> {
        Place::Item(self, index)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Root => Ok(()),
            Place::Key(Place::Root, key) => f.write_str(key),
            Place::Key(above, key) => write!(f, "{above}.{key}"),
            Place::Item(above, index) => write!(f, "{above}[{index}]"),
        }
    }
}

/// Everything that is wrong with one document, at least one problem: first what
/// does not have the form of the format, then what does not fit together.
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
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The problems, if there are any.
    pub(crate) fn new(problems: Vec<Problem>) -> Option<Problems> {
        (!problems.is_empty()).then_some(Problems(problems))
    }

    /// The problems one by one.
    ///
    /// ```
    /// use grantree::{Document, Policy};
    ///
    /// let text = r#"{"format": 1, "catalogue": {}, "default_profile": "planner", "users": {"": {}}}"#;
    /// let problems = Policy::try_from(serde_json::from_str::<Document>(text)?).unwrap_err();
    /// let mut places: Vec<&str> = problems.iter().map(|problem| problem.place()).collect();
    /// places.sort_unstable();
    /// assert_eq!(places, ["default_profile", "users."]);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// One thing that is wrong with a document.
///
/// ```
/// use grantree::{Document, Policy};
///
/// let text = r#"{"format": 1, "catalogue": {}, "users": {"bob": {"roles": ["clerk"]}}}"#;
/// let problems = Policy::try_from(serde_json::from_str::<Document>(text)?).unwrap_err();
/// let problem = problems.iter().next().unwrap();
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

    /// Where it is: keys joined by dots, list positions in brackets, such as
    /// `catalogue.permissions[0].requires[1]`.
    ///
    /// ```
    /// use grantree::{Document, Policy};
    ///
    /// let text = r#"{"format": 1, "catalogue": {}, "users": {"bob": {"roles": ["clerk"]}}}"#;
    /// let problems = Policy::try_from(serde_json::from_str::<Document>(text)?).unwrap_err();
    /// assert_eq!(problems.iter().next().unwrap().place(), "users.bob.roles[0]");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is wrong.
    ///
    /// ```
    /// use grantree::{Document, Policy, ProblemKind};
    ///
    /// let text = r#"{"format": 1, "catalogue": {}, "users": {"bob": {"roles": ["clerk"]}}}"#;
    /// let problems = Policy::try_from(serde_json::from_str::<Document>(text)?).unwrap_err();
    /// let kind = problems.iter().next().unwrap().kind();
    /// assert!(matches!(kind, ProblemKind::Unknown { what: "role", nearest: None, .. }));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn kind(&self) -> &ProblemKind {
        &self.kind
    }
}

/// The space that the places of problems may take: names may be long, and a place
/// contains all that lead to it.
#[derive(Debug, Default)]
pub(crate) struct Room(usize);

impl Room {
    const MOST: usize = 1 << 26;

    /// The problem, as long as there is room; beyond that, one problem that says
    /// so.
    pub(crate) fn tell(&mut self, place: &Place<'_>, kind: ProblemKind) -> Option<Problem> {
        if self.0 > Self::MOST {
            return None;
        }
        let problem = Problem::new(place, kind);
        self.0 = self.0.saturating_add(problem.place.len());
        if self.0 <= Self::MOST {
            return Some(problem);
        }
        let kind = ProblemKind::TooMany { what: "bytes of places to report", limit: Self::MOST };
        Some(Problem::new(&Place::Root, kind))
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

/// Something in a stored document that does not fit a newer catalogue, and that
/// [`Policy::adopt`](crate::Policy::adopt) left out.
///
/// Displays as the problem that it would be for
/// [`Policy::try_from`](crate::Policy), and serializes as `place`, `why` and
/// `restriction`.
///
/// ```
/// use grantree::{Document, Policy};
///
/// let stored = r#"{
///     "format": 1,
///     "catalogue": {"permissions": [{"key": "orders"}]},
///     "roles": {"clerk": {"allow": ["**"], "deny": ["exports"]}}
/// }"#;
/// let adopted = Policy::adopt(serde_json::from_str::<Document>(stored)?)?;
/// // The clerk may do more without it: somebody should check.
/// assert!(adopted.left_out[0].restriction);
/// assert_eq!(adopted.left_out[0].problem.place(), "roles.clerk.deny[0]");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// What does not fit, and where it was in the stored document.
    pub problem: Problem,
    /// Whether it was a restriction, so that leaving it out may widen: a deny, a
    /// forbid, a bound, or what a separation keeps apart.
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
        fields.serialize_field("why", &self.problem.kind.to_string())?;
        fields.serialize_field("restriction", &self.restriction)?;
        fields.end()
    }
}

/// Writes on one line, whatever names are in the text: control characters are
/// escaped.
pub(crate) struct OneLine<'a, 'f>(pub(crate) &'a mut fmt::Formatter<'f>);

impl Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive(char::is_control) {
            let end = part.trim_end_matches(char::is_control);
            self.0.write_str(end)?;
            let controls = part.strip_prefix(end).unwrap_or_default();
            write!(self.0, "{}", controls.escape_debug())?;
        }
        Ok(())
    }
}

/// Displays as the same text on one line.
pub(crate) struct Line<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for Line<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(OneLine(f), "{}", self.0)
    }
}

/// What can be wrong with a document.
///
/// ```
/// use grantree::{Document, Policy, ProblemKind};
///
/// let text = r#"{
///     "format": 1,
///     "catalogue": {},
///     "roles": {"clerk": {"includes": ["lead"]}, "lead": {"includes": ["clerk"]}}
/// }"#;
/// let problems = Policy::try_from(serde_json::from_str::<Document>(text)?).unwrap_err();
/// let kind = problems.iter().next().unwrap().kind();
/// assert!(matches!(kind, ProblemKind::Cycle { names, .. } if names.len() == 2));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A key, or a name among its siblings, occurs twice.
    #[error("`{name}` occurs here a second time")]
    Duplicate {
        /// The key.
        name: String,
    },
    /// A field that the format does not have.
    #[error("unknown field `{name}`{}", suggest(.nearest))]
    UnknownField {
        /// The field.
        name: String,
        /// The nearest field that would fit here.
        nearest: Option<String>,
    },
    /// A field that the format requires is absent.
    #[error("missing; expected {expected}")]
    Missing {
        /// What is expected here.
        expected: &'static str,
    },
    /// A value whose form is not the one expected here.
    #[error("expected {expected}, found {found}")]
    Form {
        /// What is expected here.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// Lists and maps nested beyond the limit.
    #[error("nested more than {limit} deep")]
    TooDeep {
        /// How deep a document may nest.
        limit: usize,
    },
    /// More of something than the limit: see [`Limits`](crate::Limits).
    #[error("more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there may be.
        limit: usize,
    },
    /// A name or a path that is longer than the limit.
    #[error("longer than {limit} bytes")]
    TooLong {
        /// How many bytes it may have.
        limit: usize,
    },
    /// A name that is not `[A-Za-z0-9_-]+` or, for users and groups, is empty.
    #[error("`{name}` is not a name; expected {expected}")]
    InvalidName {
        /// The name.
        name: String,
        /// What a name must be here.
        expected: &'static str,
    },
    /// A name that the document does not declare.
    #[error("unknown {what} `{name}`{}", suggest_of(.nearest, .known))]
    Unknown {
        /// What the name should denote: `permission`, `role`, `relation`, …
        what: &'static str,
        /// The name.
        name: String,
        /// The nearest known one.
        nearest: Option<String>,
        /// If there are only a few, such as levels: all known ones.
        known: Vec<String>,
    },
    /// A heading where a permission is needed.
    #[error("`{name}` is a heading, not a permission; all beneath it is `{name}.**`")]
    Heading {
        /// The heading's path.
        name: String,
    },
    /// A scoped node that is implied; only one of its scopes can be.
    #[error("`{name}` is a scoped node, which is granted through its scopes and can't be implied")]
    ImpliesScoped {
        /// The node's path.
        name: String,
    },
    /// The lowest level, where only a threshold above it is accepted.
    #[error("`{name}` names the lowest level, which means nothing granted; expected a higher one")]
    LowestLevel {
        /// The path with its level.
        name: String,
    },
    /// A field that does not go with the rest of its node.
    #[error("{what}")]
    Unfit {
        /// Why it does not fit.
        what: &'static str,
    },
    /// A pattern that matches no grantable permission.
    #[error("pattern `{pattern}` matches no permission that can be granted")]
    MatchesNothing {
        /// The pattern.
        pattern: String,
    },
    /// A level that no permission matched by the pattern has.
    #[error("no permission matched by `{pattern}` has a level `{level}`{}", suggest_of(.nearest, .known))]
    NoSuchLevel {
        /// The pattern.
        pattern: String,
        /// The level.
        level: String,
        /// The nearest level that some matched permission has.
        nearest: Option<String>,
        /// The levels that they have; of many, the first ones and `…`.
        known: Vec<String>,
    },
    /// A bound that the attribute's type does not take.
    #[error("`{attribute}` takes {expected}, or \"any\"; found {found}")]
    BoundForm {
        /// The attribute.
        attribute: String,
        /// What form its bounds have.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// A value that is not among those that a setting lists.
    #[error("setting `{setting}` does not accept {value}{}", accepts(.accepted))]
    SettingValue {
        /// The setting.
        setting: String,
        /// The value.
        value: String,
        /// What it accepts; of many values, the first ones and `…`.
        accepted: Vec<String>,
    },
    /// Things that name each other in a cycle.
    #[error("a cycle of {what}: {}", ring(.names))]
    Cycle {
        /// What names each other.
        what: &'static str,
        /// The names on the cycle, each naming the next and the last the first; in
        /// a long one, `…` replaces some.
        names: Vec<String>,
    },
    /// A unique role that another role includes.
    #[error("`{role}` is unique, and can't be included")]
    UniqueIncluded {
        /// The role.
        role: String,
    },
    /// A unique role with a second holder.
    #[error("`{role}` is unique, and held by `{holder}` already")]
    UniqueHeld {
        /// The role.
        role: String,
        /// Its first holder.
        holder: String,
    },
}

impl ProblemKind {
    /// Whether something names what the catalogue or the rest of the document does
    /// not have, or does not have in that form: the document would fit together
    /// without it.
    pub(crate) fn is_misfit(&self) -> bool {
        match self {
            ProblemKind::Unknown { .. }
            | ProblemKind::Heading { .. }
            | ProblemKind::LowestLevel { .. }
            | ProblemKind::Unfit { .. }
            | ProblemKind::MatchesNothing { .. }
            | ProblemKind::NoSuchLevel { .. }
            | ProblemKind::BoundForm { .. }
            | ProblemKind::SettingValue { .. } => true,
            ProblemKind::Duplicate { .. }
            | ProblemKind::UnknownField { .. }
            | ProblemKind::Missing { .. }
            | ProblemKind::Form { .. }
            | ProblemKind::TooDeep { .. }
            | ProblemKind::TooMany { .. }
            | ProblemKind::TooLong { .. }
            | ProblemKind::InvalidName { .. }
            | ProblemKind::ImpliesScoped { .. }
            | ProblemKind::Cycle { .. }
            | ProblemKind::UniqueIncluded { .. }
            | ProblemKind::UniqueHeld { .. } => false,
        }
    }
}

fn suggest(nearest: &Option<String>) -> String {
    match nearest {
        Some(name) => format!("; did you mean `{name}`?"),
        None => String::new(),
    }
}

/// The end of a message about an unknown name: the nearest known one, if any.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    suggest(&nearest(name, known))
}

/// The nearest name or, if none is near, all.
fn suggest_of(nearest: &Option<String>, known: &[String]) -> String {
    match (nearest, known) {
        (None, [_, ..]) => format!("; expected {}", or(known)),
        _ => suggest(nearest),
    }
}

fn or(names: &[String]) -> String {
    let quoted = |name: &String| match name.as_str() {
        SOME_MORE => name.clone(),
        name => format!("`{name}`"),
    };
    match names {
        [] => String::new(),
        [only] => quoted(only),
        [others @ .., last] => {
            let others: Vec<String> = others.iter().map(quoted).collect();
            format!("{} or {}", others.join(", "), quoted(last))
        }
    }
}

/// Names in backticks, joined by commas.
pub(crate) fn quoted<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let mut text = String::new();
    for name in names {
        let comma = if text.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(text, "{comma}`{name}`");
    }
    text
}

fn accepts(values: &[String]) -> String {
    if values.is_empty() {
        return String::new();
    }
    format!("; it accepts {}", values.join(", "))
}

fn ring(names: &[String]) -> String {
    let quoted = names.iter().chain(names.first()).map(|name| match name.as_str() {
        SOME_MORE => name.clone(),
        name => format!("`{name}`"),
    });
    quoted.collect::<Vec<_>>().join(" > ")
}

/// Stands for names that are left out.
const SOME_MORE: &str = "…";

/// How many names of a list are shown.
pub(crate) const FEW: usize = 12;

/// The first few of a list: a problem of a document must not be as long as the
/// document.
pub(crate) fn few(mut names: Vec<String>) -> Vec<String> {
    if names.len() > FEW {
        names.truncate(FEW);
        names.push(SOME_MORE.to_owned());
    }
    names
}

/// The known name that is nearest to an unknown one, if any is near.
///
/// Measured by the optimal string alignment distance: letters omitted, inserted,
/// replaced or swapped. At most a third of the name may differ, or one letter.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest_within(name, known, &mut 0)
}

/// How much names are compared before suggestions stop, counting the length of one
/// times the length of the other: a document may be wrong a million times over, and
/// comparing long names is slow.
const MOST_COMPARED: usize = 20_000_000;

/// [`nearest`], unless too much was `compared` before.
pub(crate) fn nearest_within<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
    compared: &mut usize,
) -> Option<String> {
    // The distance takes quadratic time, and nobody mistypes a whole page.
    const LONGEST: usize = 200;
    if name.len() > LONGEST {
        return None;
    }
    let within = (name.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|known| {
            known.len().abs_diff(name.len()) <= within.saturating_mul(4) && known.len() <= LONGEST
        })
        .map_while(|known| {
            *compared = compared.saturating_add(name.len().saturating_mul(known.len()).max(1));
            let distance = || (strsim::osa_distance(name, known), known);
            (*compared <= MOST_COMPARED).then(distance)
        })
        .filter(|&(distance, _)| distance <= within)
        .min()
        .map(|(_, known)| known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let known = ["jobs.edit", "jobs.delete", "orders"];
        assert_eq!(nearest("jobs.edti", known), Some("jobs.edit".into()));
        assert_eq!(nearest("invoices", known), None);
        assert_eq!(nearest("", known), None);
    }

    #[test]
    fn a_problem_reads_as_one_line() {
        let (roles, dispatcher) = (Place::Root.key("roles"), "dispatcher");
        let (source, list) = (roles.key(dispatcher), "allow");
        let (list, first) = (source.key(list), 0);
        let place = list.item(first);
        let kind = ProblemKind::Unknown {
            what: "permission",
            name: "jobs.edti".into(),
            nearest: Some("jobs.edit".into()),
            known: vec![],
        };
        assert_eq!(
            Problem::new(&place, kind).to_string(),
            "roles.dispatcher.allow[0]: unknown permission `jobs.edti`; did you mean `jobs.edit`?"
        );
        let kind = ProblemKind::Unknown {
            what: "role",
            name: "a\n\tb".into(),
            nearest: None,
            known: vec![],
        };
        let users = Place::Root.key("users");
        assert_eq!(
            Problem::new(&users.key("\n"), kind).to_string(),
            "users.\\n: unknown role `a\\n\\tb`"
        );
        let kind = ProblemKind::Cycle { what: "roles", names: vec!["a".into(), "b".into()] };
        assert_eq!(kind.to_string(), "a cycle of roles: `a` > `b` > `a`");
    }
}

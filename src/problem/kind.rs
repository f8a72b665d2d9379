//! The kinds of problem, and their messages.

use super::nearest::suggestion;

/// The kind of a problem of a document.
///
/// ```
/// use grantree::problem::ProblemKind;
/// use grantree::{Document, Policy};
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
    /// A key, or a name among its siblings, that occurs twice.
    #[error("duplicate name `{name}`")]
    Duplicate {
        /// The key.
        name: String,
    },
    /// A field that the format does not have.
    #[error("unknown field `{name}`{}", suggestion(.nearest.as_deref()))]
    UnknownField {
        /// The field.
        name: String,
        /// The nearest field that would fit here.
        nearest: Option<String>,
    },
    /// A field that the format requires is absent.
    #[error("required field is missing")]
    Missing,
    /// A value whose form is not the one expected here.
    #[error("expected {expected}, found {found}")]
    Form {
        /// The form expected here.
        expected: &'static str,
        /// A description of the value.
        found: String,
    },
    /// Lists and maps nested beyond the limit.
    #[error("nested too deep: the limit is {limit}")]
    TooDeep {
        /// The greatest depth.
        limit: usize,
    },
    /// More of something than the limit: see [`Limits`](crate::problem::Limits).
    #[error("too many {what}: the limit is {limit}")]
    TooMany {
        /// A noun for the excess: `users`, `permissions`, …
        what: &'static str,
        /// The greatest number.
        limit: usize,
    },
    /// A name or a path that is longer than the limit.
    #[error("too long: the limit is {limit} bytes")]
    TooLong {
        /// The greatest length in bytes.
        limit: usize,
    },
    /// A name that is not `[A-Za-z0-9_-]+` or, of a profile, role, approval group, user or
    /// group, one that is empty or has control characters.
    #[error("`{name}` is not a name; expected {expected}")]
    InvalidName {
        /// The name.
        name: String,
        /// The form of a name here.
        expected: &'static str,
    },
    /// A name that the document does not declare.
    #[error("unknown {what} `{name}`{}", hint(*.found_as, .name, .nearest, .known))]
    Unknown {
        /// The kind of thing that the name should denote: `permission`, `role`, …
        what: &'static str,
        /// The name.
        name: String,
        /// The nearest known one.
        nearest: Option<String>,
        /// All known ones, if there are only a few, such as levels.
        known: Vec<String>,
        /// Another kind of thing that has this name: a `role`, where a profile is named.
        found_as: Option<&'static str>,
    },
    /// A heading where a permission is needed.
    #[error(
        "`{name}` is a heading, not a permission; `{name}.**` matches the permissions below it"
    )]
    Heading {
        /// The heading's path.
        name: String,
    },
    /// A former path that a node of the catalogue has.
    #[error("`{name}` is a path of this catalogue, so it is no former one")]
    StillThere {
        /// The path.
        name: String,
    },
    /// A scoped node that is implied; only one of its scopes can be.
    #[error("`{name}` is granted through its scopes and can't be implied; imply one of its scopes")]
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
        /// The reason.
        what: &'static str,
    },
    /// A second kind of object that stands for the same.
    #[error("`{other}` already stands for the {what}")]
    StoodFor {
        /// A noun for what it stands for: `users`.
        what: &'static str,
        /// The kind that does already.
        other: String,
    },
    /// A pattern that matches no grantable permission.
    #[error("pattern `{pattern}` matches no permission that can be granted")]
    MatchesNothing {
        /// The pattern.
        pattern: String,
    },
    /// A level that no permission matched by the pattern has.
    #[error(
        "no permission matched by `{pattern}` has a level `{level}`{}",
        suggestion_from(.nearest, .known)
    )]
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
    #[error("`{attribute}` takes {expected}; found {found}")]
    BoundForm {
        /// The attribute.
        attribute: String,
        /// The forms that are taken here.
        expected: String,
        /// A description of the bound.
        found: String,
    },
    /// A value that is not among those that a setting lists.
    #[error("setting `{setting}` does not accept {value}{}", accepts(.accepted))]
    SettingValue {
        /// The setting.
        setting: String,
        /// The value.
        value: String,
        /// The accepted values; of many, the first ones and `…`.
        accepted: Vec<String>,
    },
    /// Names that lead to each other in a cycle.
    #[error("a cycle of {what}: {}", ring(.names))]
    Cycle {
        /// The kind of thing that they name: `roles`, `groups`, …
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
    #[error("`{role}` is unique, and `{holder}` already has it")]
    UniqueHeld {
        /// The role.
        role: String,
        /// Its first holder.
        holder: String,
    },
}

impl ProblemKind {
    /// Returns `true` for a reference to something that the catalogue or the rest of
    /// the document does not have, or not in that form: the document would fit together
    /// without it.
    pub(super) fn is_misfit(&self) -> bool {
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
            | ProblemKind::Missing
            | ProblemKind::Form { .. }
            | ProblemKind::TooDeep { .. }
            | ProblemKind::TooMany { .. }
            | ProblemKind::TooLong { .. }
            | ProblemKind::InvalidName { .. }
            | ProblemKind::ImpliesScoped { .. }
            | ProblemKind::StillThere { .. }
            | ProblemKind::StoodFor { .. }
            | ProblemKind::Cycle { .. }
            | ProblemKind::UniqueIncluded { .. }
            | ProblemKind::UniqueHeld { .. } => false,
        }
    }
}

/// The greatest number of names that a message lists.
pub(crate) const MAX_LISTED: usize = 12;

/// Stands for names that are left out.
const ELLIPSIS: &str = "…";

/// Shortens a long list: a problem of a document must not be as long as the document.
pub(crate) fn truncate_list(mut names: Vec<String>) -> Vec<String> {
    if names.len() > MAX_LISTED {
        names.truncate(MAX_LISTED);
        names.push(ELLIPSIS.to_owned());
    }
    names
}

/// Puts a name of a truncated list in backticks.
fn quote(name: &String) -> String {
    if name == ELLIPSIS { name.clone() } else { format!("`{name}`") }
}

/// Names the kind of thing that has the name, or else suggests a known one.
fn hint(found_as: Option<&str>, name: &str, nearest: &Option<String>, known: &[String]) -> String {
    match found_as {
        Some("approval group") => format!("; there is an approval group `{name}`"),
        Some(noun) => format!("; there is a {noun} `{name}`"),
        None => suggestion_from(nearest, known),
    }
}

/// Suggests the nearest name or, if none is near, all.
fn suggestion_from(nearest: &Option<String>, known: &[String]) -> String {
    match known {
        [others @ .., last] if nearest.is_none() => {
            let mut list = others.iter().map(quote).collect::<Vec<_>>().join(", ");
            if !list.is_empty() {
                list.push_str(" or ");
            }
            format!("; expected {list}{}", quote(last))
        }
        _ => suggestion(nearest.as_deref()),
    }
}

fn accepts(values: &[String]) -> String {
    if values.is_empty() { String::new() } else { format!("; it accepts {}", values.join(", ")) }
}

fn ring(names: &[String]) -> String {
    let around: Vec<String> = names.iter().chain(names.first()).map(quote).collect();
    around.join(" > ")
}

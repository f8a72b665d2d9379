//! The assignment in which a user may do something, or came furthest, and its terms.

use std::cell::RefCell;
use std::fmt::{self, Display, Formatter, Write};

use serde::Serialize;

use super::trace::Trace;
use super::{AttributeCondition, Named, builder};
use crate::catalogue::Bit;
use crate::date::Moment;
use crate::document::{Bound, BoundType, Coverage, RelationType};
use crate::filter::bound;
use crate::object::{Identity, Object, Subject};
use crate::policy::{Assigned, TermTest};
use crate::problem::OneLine;

/// The most names of a relation that are listed.
const LISTED: usize = 8;

/// An assignment, and its terms as they apply to a question.
///
/// ```
/// # use grantree::object::DynamicObject;
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"job": {"relations": {"team": "group"}}},
/// #         "permissions": [{"key": "edit", "object": "job"}]},
/// #     "users": {"carol": {"assignments": {
/// #         "leeds cover": {"allow": ["edit"], "on": {"job": {"team": ["leeds"]}}}}}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let job = DynamicObject::new("job").with_relation("team", ["york"]);
/// let explanation = engine.explain(engine.user("carol")?, engine.permission("edit")?, &job);
/// assert_eq!(explanation.reason.code(), "out_of_terms");
/// let assignment = explanation.assignment.unwrap();
/// assert_eq!(assignment.assignment.name, "leeds cover");
/// assert!(assignment.dates_hold && !assignment.covers);
/// let team = &assignment.relations[0];
/// assert_eq!((&*team.accepts, team.found.as_deref()), (&["leeds".into()][..], Some(&["york".into()][..])));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AssignmentTrace {
    /// The assignment.
    #[serde(flatten)]
    pub assignment: Named,
    /// The first date or time at which it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Moment>,
    /// The last date on which it holds, or the time at which it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// Today lies within these dates, if there are any.
    pub dates_hold: bool,
    /// The objects on which it holds; if absent, it looks at no object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<Coverage>,
    /// The object is one of these, or it looks at no object.
    pub covers: bool,
    /// The conditions on relations of an object of this kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<RelationTerm>,
    /// The conditions on attributes of an object of this kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<AttributeCondition>,
}

/// The users or groups one of whom a relation must name, and those that it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RelationTerm {
    /// The relation.
    pub relation: String,
    /// The type of the relation.
    pub names: RelationType,
    /// The users, or the groups, also those beneath them.
    pub accepts: Vec<String>,
    /// The first of those that the object names; none where it does not carry the
    /// relation.
    pub found: Option<Vec<String>>,
    /// The relation names one that is accepted.
    pub matches: bool,
}

impl<O: Object + ?Sized> Trace<'_, O> {
    /// Traces the terms of an assignment that carries a permission.
    pub(super) fn terms(&self, bit: Bit, assigned: &Assigned) -> AssignmentTrace {
        let terms = &assigned.terms;
        let mut trace = AssignmentTrace {
            assignment: Named {
                name: assigned.name.to_string(),
                label: assigned.texts.label.as_deref().map(Into::into),
            },
            from: terms.from,
            until: terms.until,
            dates_hold: terms.hold_on_day(self.today),
            on: terms.stated.clone(),
            covers: !terms.are_on_objects(),
            relations: Vec::new(),
            attributes: Vec::new(),
        };
        let kind = self.catalogue().node_of(bit).kind;
        let kind = kind.filter(|_| self.is_on_kind(self.catalogue().id_of(bit)));
        let Some((kind, object)) = kind.zip(self.object) else { return trace };
        let (catalogue, groups) = (self.catalogue(), &self.policy().groups);
        let today = self.today.map(Moment::date);
        trace.covers = terms.hold_on((kind, object), today, catalogue, groups);
        for (name, test) in terms.conditions(kind, catalogue).into_iter().flatten() {
            let matches = test.passes(name, object, today, groups);
            let (names, accepts) = match test {
                TermTest::Users(users) => {
                    (RelationType::User, users.iter().map(ToString::to_string).collect())
                }
                TermTest::Groups(of) => {
                    let names = of.iter().map(|&id| groups.name(id).to_owned());
                    (RelationType::Group, names.collect())
                }
                TermTest::Limit(limit) => {
                    let declared = catalogue.kind(kind).attributes.get(name);
                    trace.attributes.extend(declared.map(|&it| AttributeCondition {
                        attribute: name.to_owned(),
                        form: catalogue.attribute_at(it).bound,
                        accepts: limit.bounds().into_iter().next().unwrap_or(Bound::Any),
                        found: object.attribute(name).map(builder::text_of),
                        mistyped: self.is_mistyped(it),
                        matches,
                    }));
                    continue;
                }
            };
            let found = named_by(object, name, names);
            let relation = name.to_owned();
            trace.relations.push(RelationTerm { relation, names, accepts, found, matches });
        }
        trace
    }
}

/// The first users or groups that a relation of an object names; `None` if the object does
/// not carry it.
pub(super) fn named_by<O: Object + ?Sized>(
    object: &O,
    name: &str,
    relation: RelationType,
) -> Option<Vec<String>> {
    let listing = Listing(RefCell::default());
    object.relation(name, &Subject { asker: &listing, relation })?;
    Some(listing.0.into_inner())
}

/// Nobody, who takes down the names that an object asks about: those that its relation
/// names.
struct Listing(RefCell<Vec<String>>);

impl Identity for Listing {
    fn is_user(&self, name: &str) -> bool {
        let mut names = self.0.borrow_mut();
        if names.len() < LISTED {
            names.push(name.to_owned());
        }
        false
    }
    fn belongs(&self, group: &str) -> bool {
        self.is_user(group)
    }
}

impl Display for AssignmentTrace {
    /// Writes the assignment with its label and dates.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Named { name, label } = &self.assignment;
        let mut line = OneLine(f);
        write!(line, "the assignment `{name}`")?;
        let label = label.iter().filter(|label| *label != name).cloned();
        let details: Vec<String> = label.chain(dates(self.from, self.until)).collect();
        match &details[..] {
            [] => Ok(()),
            details => write!(line, " ({})", details.join(", ")),
        }
    }
}

/// Returns dates in words, to follow what holds within them; `None` if there are none.
pub(super) fn dates(from: Option<Moment>, until: Option<Moment>) -> Option<String> {
    match (from, until) {
        (Some(from), Some(until)) => Some(format!("from {from} until {until}")),
        (Some(from), None) => Some(format!("from {from}")),
        (None, Some(until)) => Some(format!("until {until}")),
        (None, None) => None,
    }
}

/// Returns a condition on a relation, or on an attribute of a form, in words.
pub(super) fn condition(name: &str, form: Option<BoundType>, accepted: &Bound) -> String {
    match (form, accepted) {
        (Some(form), _) => format!("whose `{name}` is {}", bound(form, accepted)),
        (None, Bound::OneOf(names)) => format!("whose `{name}` is {}", quoted(names, " or ")),
        (None, _) => format!("with a `{name}`"),
    }
}

impl AssignmentTrace {
    /// Returns the terms that do not hold, in words; `None` if all do.
    pub(super) fn failing(
        &self,
        kind: Option<&str>,
        object: Option<&str>,
        today: Option<Moment>,
    ) -> Option<String> {
        if !self.dates_hold {
            return Some(match today {
                Some(today) => format!("today is {today}"),
                None => "today's date was not given".to_owned(),
            });
        }
        if self.covers {
            return None;
        }
        let Some(kind) = kind else {
            return Some("it covers only objects, and this is about none".to_owned());
        };
        if object.is_none() {
            return Some("it covers only some objects, and none is given".to_owned());
        }
        if self.relations.is_empty() && self.attributes.is_empty() {
            return Some(format!("it covers no `{kind}`"));
        }
        let relations = self.relations.iter();
        let conditions =
            relations.map(|it| condition(&it.relation, None, &Bound::OneOf(it.accepts.clone())));
        let values = self.attributes.iter();
        let values = values.map(|it| condition(&it.attribute, Some(it.form), &it.accepts));
        let conditions: Vec<String> = conditions.chain(values).collect();
        let found = self.relations.iter().filter(|it| !it.matches).map(RelationTerm::finding);
        let values = self.attributes.iter().filter(|it| !it.matches);
        let values = values.map(|it| finding(&it.attribute, it.found.as_deref()));
        let found: Vec<String> = found.chain(values).collect();
        Some(format!(
            "it covers each `{kind}` {}, and {}",
            conditions.join(" and "),
            found.join(" and ")
        ))
    }
}

impl RelationTerm {
    fn finding(&self) -> String {
        let found = self.found.as_ref().map(|names| match (&names[..], self.names) {
            ([], RelationType::User) => "nobody".to_owned(),
            ([], RelationType::Group) => "no group".to_owned(),
            _ => quoted(names, " and "),
        });
        finding(&self.relation, found.as_deref())
    }
}

/// Returns a finding about this object, in words.
fn finding(name: &str, found: Option<&str>) -> String {
    match found {
        Some(found) => format!("this one's `{name}` is {found}"),
        None => format!("this one has no `{name}`"),
    }
}

fn quoted(names: &[String], separator: &str) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(separator)
}

//! Access reviews: what each user may do, by which sources, and until when.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::date::Moment;
use crate::diff::write_users;
use crate::engine::{Effective, Engine, Layers};
use crate::explain::AccessSource;
use crate::ids::UserSlot;
use crate::matrix::write_field;
use crate::names::IndexMap;
use crate::object::Today;
use crate::policy::{Digest, Holder, Terms};
use crate::problem::Line;

/// The access of all users, by which sources they have it and until when: for those who have
/// to approve it from time to time.
///
/// It states the revision and the [digest](crate::Policy::digest) of the policy that it is
/// of, so that a copy shows later if that is still so. It displays as text, of which `{:#}`
/// names all users; [`Review::csv`] has a line for each user and permission. Since when a
/// user has something is not known to a policy: keep a review, and compare the policies with
/// [`Engine::diff`]. A host that keeps a log [replays](crate::Policy::replay) it, asks the
/// engine of each version, and takes the last revision at which the answer became yes: the
/// entry of that revision shows who asked for which change.
///
/// ```
/// use grantree::{Document, Engine, Policy};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = r#"{
///     "format": 1,
///     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
///     "roles": {"clerk": {"allow": ["orders"]}},
///     "users": {
///         "ann": {"roles": ["clerk"], "assignments": {
///             "audit": {"allow": ["orders.export"], "until": "2026-12-24"}}},
///         "bob": {"roles": ["clerk"], "allow": ["orders.export"]},
///         "root": {"admin": true}}
/// }"#;
/// let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let review = engine.review(());
/// let text = review.to_string();
/// assert_eq!(text.split_once('\n').unwrap().1, "\
/// 1 user: `ann`
///   orders: by role `clerk`
///   in assignment `audit` until 2026-12-24
///     orders.export: by assignment `audit`
/// 1 user: `bob`
///   orders: by role `clerk`
///   orders.export: by their own grants
/// 1 user: `root`
///   admin: everything
/// ");
/// assert_eq!(review.csv().to_string().lines().nth(2), Some(
///     "ann,,orders.export,assignment `audit`,audit,,2026-12-24,",
/// ));
/// assert_eq!(review.digest, engine.policy().digest());
/// // The assignment has ended by then.
/// assert_eq!(engine.review("2026-12-25".parse::<grantree::Date>()?).of("ann").unwrap().access.len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Review<'e> {
    /// The revision of the policy.
    pub revision: u64,
    /// The digest of the policy.
    pub digest: Digest,
    /// The day of the review, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub today: Option<Moment>,
    /// The users, those who have the same together, in the order of the first of them.
    pub groups: Vec<Reviewed<'e>>,
}

/// Users who have the same, and what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reviewed<'e> {
    /// The users, in the policy's order.
    pub users: Vec<&'e str>,
    /// `true` if they are admins, who hold everything that is licensed.
    pub admin: bool,
    /// `true` if they are suspended, and hold nothing.
    pub suspended: bool,
    /// Their access, that of each capacity sorted by permission, the ordinary one first.
    pub access: Vec<Access<'e>>,
}

/// A permission, and the way in which users have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Access<'e> {
    /// The permission or scope, with its level if it is graded.
    pub permission: Effective<'e>,
    /// The sources that let them in, the more general first.
    pub sources: Vec<AccessSource>,
    /// The assignment that carries it; none in the ordinary capacity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignment: Option<&'e str>,
    /// The first day or moment of the assignment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Moment>,
    /// The last day, or the moment at which it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// `true` if it depends on the object.
    pub on_objects: bool,
}

impl Engine {
    /// Returns what each user may do, by which sources, and until when. Given a day,
    /// assignments that ended before it are left out.
    ///
    /// Users who have the same are reviewed once: it costs some microseconds for each
    /// permission of each combination of sources, and the digest.
    ///
    /// See [`Review`] for an example.
    pub fn review(&self, today: impl Today) -> Review<'_> {
        let users = &self.policy().inner().users;
        let today = today.moment();
        let mut alike: IndexMap<_, Vec<UserSlot>> = IndexMap::default();
        for (slot, ..) in users.iter() {
            alike.entry((users.class_of(slot), users.assignments_of(slot))).or_default().push(slot);
        }
        let mut layers = Layers::new(self.policy().inner(), self.licensed());
        let groups = alike.into_values().filter_map(|slots| {
            let holder = users.holder(*slots.first()?)?;
            let (admin, suspended) = (holder.class.admin, holder.class.suspended);
            let access = if admin || suspended {
                Vec::new()
            } else {
                self.reviewed(&mut layers, *slots.first()?, holder, today)
            };
            let users = slots.into_iter().map(|slot| users.name(slot)).collect();
            Some(Reviewed { users, admin, suspended, access })
        });
        Review {
            revision: self.revision(),
            digest: self.policy().digest(),
            today,
            groups: groups.collect(),
        }
    }

    /// Returns what a user may do in each capacity.
    fn reviewed<'e>(
        &'e self,
        layers: &mut Layers<'e>,
        slot: UserSlot,
        holder: Holder<'e>,
        today: Option<Moment>,
    ) -> Vec<Access<'e>> {
        let (users, catalogue) = (&self.policy().inner().users, &self.policy().inner().catalogue);
        let assigned = users.assigned(slot).iter();
        let lasting = assigned.filter(|it| !today.is_some_and(|today| it.terms.have_ended(today)));
        let mut all = Vec::new();
        for assigned in [None].into_iter().chain(lasting.map(Some)) {
            let terms = assigned.map(|it| &*it.terms);
            let granted = self.granted_by(layers, holder, assigned).into_iter();
            let mut access: Vec<Access<'_>> = granted
                .map(|(bit, sources)| Access {
                    permission: self.effective_at(bit),
                    sources,
                    assignment: assigned.map(|it| &*it.name),
                    from: terms.and_then(|it| it.from),
                    until: terms.and_then(|it| it.until),
                    on_objects: catalogue.needs_object(bit)
                        || terms.is_some_and(Terms::are_on_objects),
                })
                .collect();
            access.sort_by(|a, b| a.permission.cmp_as_text(&b.permission));
            all.append(&mut access);
        }
        all
    }
}

impl Review<'_> {
    /// Returns what a user may do.
    pub fn of(&self, user: &str) -> Option<&Reviewed<'_>> {
        self.groups.iter().find(|group| group.users.contains(&user))
    }

    /// Returns the review as comma-separated values (RFC 4180), to be displayed: it is written
    /// as it is made, to whatever `write!` takes. A header comes first, then a line for each
    /// user and permission; a user who may do nothing has a line, too. Fields that a
    /// spreadsheet would take for formulas are guarded as in [`Matrix::to_csv`].
    ///
    /// [`Matrix::to_csv`]: crate::matrix::Matrix::to_csv
    pub fn csv(&self) -> impl Display {
        Csv(self)
    }
}

/// A review as comma-separated values.
struct Csv<'r>(&'r Review<'r>);

impl Display for Csv<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("user,state,permission,sources,assignment,from,until,on\r\n")?;
        for group in &self.0.groups {
            let state = group.state().unwrap_or_default();
            // Written once for all who have the same.
            let lines: Vec<[String; 6]> = group.access.iter().map(Access::fields).collect();
            for user in &group.users {
                if lines.is_empty() {
                    write_line(f, user, state, &[const { String::new() }; 6])?;
                }
                lines.iter().try_for_each(|line| write_line(f, user, state, line))?;
            }
        }
        Ok(())
    }
}

fn write_line(f: &mut Formatter<'_>, user: &str, state: &str, fields: &[String]) -> fmt::Result {
    write_field(f, user)?;
    for field in [state].into_iter().chain(fields.iter().map(String::as_str)) {
        f.write_str(",")?;
        write_field(f, field)?;
    }
    f.write_str("\r\n")
}

impl Reviewed<'_> {
    fn state(&self) -> Option<&'static str> {
        if self.suspended {
            Some("suspended")
        } else if self.admin {
            Some("admin")
        } else {
            None
        }
    }
}

impl Access<'_> {
    fn fields(&self) -> [String; 6] {
        let moment = |it: Option<Moment>| it.map_or_else(String::new, |it| it.to_string());
        [
            self.permission.to_string(),
            self.source_names(),
            self.assignment.unwrap_or_default().to_owned(),
            moment(self.from),
            moment(self.until),
            if self.on_objects { "some objects" } else { "" }.to_owned(),
        ]
    }

    fn source_names(&self) -> String {
        let names: Vec<String> = self.sources.iter().map(ToString::to_string).collect();
        names.join(", ")
    }
}

impl Display for Review<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "revision {} ({})", self.revision, self.digest)?;
        match self.today {
            Some(today) => writeln!(f, " on {today}")?,
            None => f.write_str("\n")?,
        }
        for group in &self.groups {
            write_users(f, group.users.len(), group.users.iter().copied())?;
            match group.state() {
                Some("admin") => f.write_str("  admin: everything\n")?,
                Some(state) => writeln!(f, "  {state}: nothing")?,
                None if group.access.is_empty() => f.write_str("  nothing\n")?,
                None => {}
            }
            let mut capacity = None;
            for access in &group.access {
                if access.assignment != capacity {
                    capacity = access.assignment;
                    write_assignment(f, access)?;
                }
                let indent = if capacity.is_some() { "    " } else { "  " };
                let on = if access.on_objects { ", on some objects" } else { "" };
                let sources = access.source_names();
                writeln!(f, "{indent}{}: by {}{on}", access.permission, Line(sources))?;
            }
        }
        Ok(())
    }
}

fn write_assignment(f: &mut Formatter<'_>, access: &Access<'_>) -> fmt::Result {
    write!(f, "  in assignment `{}`", Line(access.assignment.unwrap_or_default()))?;
    if let Some(from) = access.from {
        write!(f, " from {from}")?;
    }
    if let Some(until) = access.until {
        write!(f, " until {until}")?;
    }
    f.write_str("\n")
}

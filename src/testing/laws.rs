//! Laws that hold for every policy, for a host to hold its own objects and its database to.
//!
//! Each is a function that returns a [`BrokenLaw`] where the law does not hold, which `?` makes
//! a failed case of a property test.

use std::collections::BTreeSet;
use std::fmt;

use crate::document::Document;
use crate::engine::{Engine, Permission, User};
use crate::filter::Filter;
use crate::object::{Object, Target, Today};
use crate::policy::SourceName;
use crate::problem::Line;

/// The error of a law that does not hold: an object or a mapping is not what it ought to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokenLaw {
    /// The name of the law.
    pub law: &'static str,
    /// The case that shows it.
    pub message: String,
}

impl fmt::Display for BrokenLaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.law, Line(&self.message))
    }
}

impl std::error::Error for BrokenLaw {}

/// Checks that a database selects by a filter those rows on which the user may act: that the
/// host's [`Object`] and its mapping of columns agree.
///
/// `rows` are all rows of the table, as objects and with their ids; `select` asks the database
/// for the ids that a filter lets through, or [`Filter::matches`] whatever stands for it.
///
/// # Errors
///
/// When an id is selected whose object the user may not act on, or is not selected.
///
/// ```
/// use grantree::object::DynamicObject;
/// use grantree::testing::laws;
/// use grantree::{Document, Engine, Policy};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"job": {"relations": {"assignee": "user"}}},
/// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
/// #             {"key": "own", "when": {"assignee": "me"}}]}]},
/// #     "users": {"bob": {"allow": ["edit"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let job = |assignee| DynamicObject::new("job").with_relation("assignee", [assignee]);
/// let rows = [(1, job("bob")), (2, job("ann"))];
/// let (bob, edit) = (engine.user("bob")?, engine.permission("edit")?);
/// // A query whose condition was lost.
/// let broken = laws::filter_selects_what_can_allows(&engine, bob, edit, (), &rows, |_| vec![1, 2]);
/// assert_eq!(broken.unwrap_err().message, "2 is selected, and `can` says no");
/// # Ok(())
/// # }
/// ```
pub fn filter_selects_what_can_allows<I, O>(
    engine: &Engine,
    user: User,
    action: Permission,
    today: impl Today,
    rows: &[(I, O)],
    select: impl FnOnce(&Filter) -> Vec<I>,
) -> Result<(), BrokenLaw>
where
    I: Ord + fmt::Debug,
    O: Object,
{
    let selected = select(&engine.filter(user, action, today));
    let selected: BTreeSet<&I> = selected.iter().collect();
    for (id, object) in rows {
        let said = match (selected.contains(id), engine.can(user, action, (object, today.moment())))
        {
            (true, false) => "is selected, and `can` says no",
            (false, true) => "is not selected, and `can` says yes",
            _ => continue,
        };
        let law = "filter_selects_what_can_allows";
        return Err(BrokenLaw { law, message: format!("{id:?} {said}") });
    }
    Ok(())
}

/// Checks that a menu is shown where something in it can be done: where [`Engine::can`] says
/// yes, [`Engine::can_some`] does.
///
/// # Errors
///
/// When it does not.
pub fn can_implies_can_some<T: Target>(
    engine: &Engine,
    user: User,
    action: Permission,
    on: T,
) -> Result<(), BrokenLaw> {
    if engine.can(user, action, on) && !engine.can_some(user, action) {
        let message = engine.decide(user, action, on).to_string();
        return Err(BrokenLaw { law: "can_implies_can_some", message });
    }
    Ok(())
}

/// Checks that nobody may do more on an object when a source denies one pattern more.
///
/// # Errors
///
/// When somebody may, or if the source or the pattern is unknown.
pub fn deny_never_widens<T: Target>(
    engine: &Engine,
    source: &SourceName,
    pattern: &str,
    action: &str,
    on: T,
) -> Result<(), BrokenLaw> {
    let broken = |message: String| BrokenLaw { law: "deny_never_widens", message };
    let mut document = Document::from(engine.policy());
    let statements = document.statements_of(source);
    let statements = statements.ok_or_else(|| broken(format!("{source} is unknown")))?;
    statements.deny.push(pattern.to_owned());
    let denied =
        engine.policy().revise(document).map_err(|problems| broken(problems.to_string()))?;
    let denied = Engine::new(&denied.policy);
    let permission =
        |engine: &Engine| engine.permission(action).map_err(|unknown| broken(unknown.to_string()));
    let (before, after) = (permission(engine)?, permission(&denied)?);
    for name in engine.policy().users() {
        let (Ok(was), Ok(is)) = (engine.user(name), denied.user(name)) else { continue };
        if denied.can(is, after, on) && !engine.can(was, before, on) {
            return Err(broken(denied.decide(is, after, on).to_string()));
        }
    }
    Ok(())
}

impl Document {
    fn statements_of(&mut self, source: &SourceName) -> Option<&mut crate::document::Statements> {
        match source {
            SourceName::Global => Some(&mut self.global),
            SourceName::Profile(name) => self.profiles.get_mut(name).map(|it| &mut it.statements),
            SourceName::Role(name) => self.roles.get_mut(name).map(|it| &mut it.source.statements),
            SourceName::ApprovalGroup(name) => {
                self.approval_groups.get_mut(name).map(|it| &mut it.statements)
            }
            SourceName::User(name) => self.users.get_mut(name).map(|it| &mut it.statements),
        }
    }
}

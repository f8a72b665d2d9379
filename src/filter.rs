//! The objects on which a user may do something, as a predicate.
//!
//! [`Engine::can`](crate::Engine::can) answers for one object. A page of a list
//! needs all objects that are allowed, and asking one by one reads the whole table.
//! [`Engine::filter`](crate::Engine::filter) decides everything that does not depend
//! on an object, and leaves a [`Filter`]: a small [`Predicate`] on the object's
//! relations and attributes. It matches exactly the objects that `can` allows.
//!
//! ```
//! use grantree::{Document, Engine, Policy};
//! use grantree::object::DynamicObject;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = r#"{
//!     "format": 1,
//!     "catalogue": {
//!         "objects": {"job": {
//!             "relations": {"assignee": "user", "team": "group"},
//!             "attributes": {"region": "one_of"}, "checks": ["region"]}},
//!         "permissions": [{"key": "edit", "object": "job", "scopes": [
//!             {"key": "own", "when": {"assignee": "me"}},
//!             {"key": "team", "when": {"team": "me"}}]}]
//!     },
//!     "global": {"allow": ["edit"]},
//!     "roles": {"north": {"bounds": {"job.region": ["north"]}},
//!               "south": {"bounds": {"job.region": ["south"]}}},
//!     "users": {"alice": {"roles": ["north", "south"], "groups": ["leeds"]},
//!               "root": {"admin": true}}
//! }"#;
//! let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
//! let filter = engine.filter(engine.user("alice")?, engine.permission("edit")?, ());
//! assert_eq!(
//!     filter.to_string(),
//!     r#"every job where region is one of "north", "south" and (assignee is me or team is me)"#,
//! );
//!
//! let job = DynamicObject::new("job")
//!     .with_relation("team", ["leeds"])
//!     .with_attribute("region", "south");
//! assert!(filter.matches(&job));
//! assert!(!filter.matches(&job.with_attribute("region", "east")));
//!
//! assert_eq!(engine.filter(engine.user("root")?, engine.permission("edit")?, ()).to_string(), "everything");
//! # Ok(())
//! # }
//! ```

mod columns;
pub(crate) mod diagram;
mod formula;
mod predicate;
mod search;
mod shortened;
mod text;

use serde::Serialize;

use crate::date::Moment;
use crate::document::RelationType;
use crate::engine::{Asker, Conditional, Engine, Permission, User, Verdict};
use crate::names::is_among;
use crate::object::{Identity, Object, RelationState, Subject, Today};
pub use columns::{ColumnRelation, ColumnValue, Columns, Me};
pub(crate) use formula::{Formula, Test};
pub use predicate::Predicate;
pub(crate) use search::{Day, Formulas};
pub(crate) use text::{Quoted, bound, value_noun, write_objects};

/// The objects on which a user may do something.
///
/// It holds only for the engine that made it and the day that it was made for:
/// when the policy changes, make another.
///
/// Filters that are equal match the same objects. It displays as text, and
/// serializes as data, with the user's name and groups if the predicate needs
/// them. (It cannot be deserialized: a filter that a client could send would be
/// a filter that a client could choose.)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    predicate: Predicate,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    definitions: Vec<Predicate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
}

impl Engine {
    /// Returns a filter for the objects on which a user may do this: it matches
    /// exactly those that [`Engine::can`] allows on that day.
    ///
    /// Without a day, a relative fence passes nothing. An admin's filter
    /// matches every object of every kind, and so does that of a permission on
    /// no kind that the user holds. With a handle of another policy, the filter
    /// matches nothing. The terms of assignments are part of it, as they hold on that
    /// day: groups that they name are listed with all groups below these.
    ///
    /// It takes microseconds, and longer the larger the filter: make it once for
    /// a page, not once for an object.
    ///
    /// ```
    /// # use grantree::{Date, Document, Engine, Policy};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"slot": {"attributes": {"starts": "not_before"}, "checks": ["starts"]}},
    /// #         "permissions": [{"key": "book", "object": "slot"}]
    /// #     },
    /// #     "users": {"bob": {"allow": ["book"], "bounds": {"slot.starts": {"plus_days": 3}}}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let (bob, book) = (engine.user("bob")?, engine.permission("book")?);
    /// let today: Date = "2026-11-20".parse()?;
    /// let filter = engine.filter(bob, book, today);
    /// assert_eq!(filter.to_string(), "every slot where starts is not before 2026-11-23");
    /// assert_eq!(engine.filter(bob, book, ()).to_string(), "nothing");
    /// # Ok(())
    /// # }
    /// ```
    pub fn filter(&self, user: User, action: Permission, today: impl Today) -> Filter {
        let today = today.moment();
        Filter::of_all([self.verdict(user, action, today)], today)
    }
}

impl Asker<'_> {
    /// [`Engine::filter`], of what the asker may do in every respect.
    pub fn filter(&self, action: Permission, today: impl Today) -> Filter {
        let today = today.moment();
        let verdicts = self.users().map(|(engine, user)| engine.verdict(user, action, today));
        Filter::of_all(verdicts, today)
    }
}

impl Filter {
    /// Returns the filter of what all of some answers allow, for one user.
    fn of_all<'e>(
        verdicts: impl IntoIterator<Item = Verdict<Vec<Conditional<'e>>>>,
        today: Option<Moment>,
    ) -> Filter {
        let mut all = Vec::new();
        for verdict in verdicts {
            match verdict {
                Verdict::Denied => return Filter::of(None, Predicate::None),
                Verdict::Allowed => {}
                Verdict::Conditional(conditionals) => all.push(conditionals),
            }
        }
        let Some(conditional) = all.iter().flatten().next() else {
            return Filter::of(None, Predicate::All);
        };
        let today = today.map(Moment::date);
        let formulas = Formulas::of_all(&all, today);
        if formulas.main == Formula::NONE {
            return Filter::of(None, Predicate::None);
        }
        let (kind, declared) = conditional.kind();
        let (predicate, definitions) = formulas.predicates(declared, Day::Of(today));
        let tested = std::iter::once(&predicate).chain(&definitions);
        let asks_for = |names| tested.clone().any(|predicate| predicate.asks_for(names));
        let user = asks_for(RelationType::User).then(|| conditional.user().to_owned());
        let groups = if asks_for(RelationType::Group) { conditional.groups() } else { Vec::new() };
        let groups = groups.into_iter().map(str::to_owned).collect();
        Filter { kind: Some(kind.to_owned()), predicate, definitions, user, groups }
    }

    fn of(kind: Option<String>, predicate: Predicate) -> Filter {
        Filter { kind, predicate, definitions: Vec::new(), user: None, groups: Vec::new() }
    }

    /// Returns the kind of the objects that it matches; `None` where the kind makes no
    /// difference, because every object matches or none does.
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// Returns the condition on objects of that kind.
    pub fn predicate(&self) -> &Predicate {
        &self.predicate
    }

    /// Returns the definitions to which [`Predicate::Defined`] refers by number, in the
    /// predicate and in definitions of higher numbers.
    ///
    /// There are none unless a catalogue's scopes require scoped permissions
    /// that are large or many levels deep, or have hundreds of tests: written out wherever
    /// they are required, those could double the predicate's size at every step, or nest it
    /// deeply.
    pub fn definitions(&self) -> &[Predicate] {
        &self.definitions
    }

    /// Returns the user's name: a relation that names it is [`Me`][me]. `None` where no
    /// relation to users is tested.
    ///
    /// [me]: crate::object::RelationState::Me
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Returns the user's groups and their descendants, sorted: a relation that names one
    /// is [`Me`][me]. Empty where no relation to groups is tested.
    ///
    /// [me]: crate::object::RelationState::Me
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Returns the users or groups that are [`Me`](RelationState::Me).
    pub(crate) fn me(&self, names: RelationType) -> &[String] {
        match names {
            RelationType::User => self.user.as_slice(),
            RelationType::Group => &self.groups,
        }
    }

    /// Returns whether the filter matches the object.
    ///
    /// It needs no engine, and allocates only for
    /// [definitions](Filter::definitions). The object may be asked more than
    /// once for a relation or attribute, and should always answer the same.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # use grantree::object::DynamicObject;
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"assignee": "user"}}},
    /// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
    /// #             {"key": "free", "when": {"assignee": ["me", "none"]}}]}]
    /// #     },
    /// #     "users": {"bob": {"allow": ["edit"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let filter = engine.filter(engine.user("bob")?, engine.permission("edit")?, ());
    /// let jobs = [["bob"], ["eve"]].map(|names| DynamicObject::new("job").with_relation("assignee", names));
    /// assert_eq!(jobs.map(|job| filter.matches(&job)), [true, false]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn matches<O: Object + ?Sized>(&self, object: &O) -> bool {
        if self.kind().is_some_and(|kind| object.kind() != kind) {
            return false;
        }
        let mut known = Vec::new();
        for definition in &self.definitions {
            known.push(self.holds(definition, object, &known));
        }
        self.holds(&self.predicate, object, &known)
    }

    /// `known` holds the answers of the definitions.
    fn holds<O: Object + ?Sized>(&self, predicate: &Predicate, object: &O, known: &[bool]) -> bool {
        match predicate {
            Predicate::All => true,
            Predicate::None => false,
            Predicate::And(parts) => parts.iter().all(|part| self.holds(part, object, known)),
            Predicate::Or(parts) => parts.iter().any(|part| self.holds(part, object, known)),
            Predicate::Relation { name, names, states } => {
                let subject = Subject { asker: self, relation: *names };
                object.relation(name, &subject).is_some_and(|state| states.contains(&state))
            }
            Predicate::Names { name, names, any_of } => {
                let subject = Subject { asker: &AnyOf(any_of), relation: *names };
                object.relation(name, &subject) == Some(RelationState::Me)
            }
            Predicate::Defined(number) => known.get(*number) == Some(&true),
            test => test.attribute().is_some_and(|name| test.passes(object.attribute(name))),
        }
    }
}

impl Identity for Filter {
    fn is_user(&self, name: &str) -> bool {
        self.user.as_deref() == Some(name)
    }
    fn belongs(&self, group: &str) -> bool {
        is_among(&self.groups, group)
    }
}

/// Users or groups, one of whom a relation must name.
struct AnyOf<'f>(&'f [String]);

impl Identity for AnyOf<'_> {
    fn is_user(&self, name: &str) -> bool {
        is_among(self.0, name)
    }
    fn belongs(&self, group: &str) -> bool {
        is_among(self.0, group)
    }
}

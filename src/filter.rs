//! The objects on which a user may do something, as a predicate.
//!
//! [`Engine::can`](crate::Engine::can) answers for one object. A page of a list
//! needs all objects for which it says yes, and asking one by one reads the
//! whole table. [`Engine::filter`](crate::Engine::filter) settles what can be
//! settled without an object. What is left is a [`Filter`]: a small
//! [`Predicate`] on the object's relations and attributes. It matches an object
//! exactly if `can` says yes.
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
//! let filter = engine.filter_by_name("alice", "edit", None)?;
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
//! assert_eq!(engine.filter_by_name("root", "edit", None)?.to_string(), "everything");
//! # Ok(())
//! # }
//! ```

mod columns;
mod formula;
mod text;

use serde::Serialize;

use crate::catalogue::{AttributeId, Bit, Evaluator, Op, States, Step};
use crate::date::Date;
use crate::document::RelationType;
use crate::engine::{Engine, Limit, Open, Permission, Standing, Unknown, User, fence_day};
use crate::names::is_among;
use crate::object::{Asker, Object, Subject, Value};
use crate::relation::RelationState;
pub use columns::{Cell, Columns, Me, Related};
use formula::Effort;
pub(crate) use formula::{Formula, Test};
pub(crate) use text::{Quoted, State, listed_as};

/// The objects on which a user may do something.
///
/// It holds only for the engine that made it and the day that it was made for:
/// when the policy changes, make another.
///
/// Filters that are equal match the same objects. It displays as text, and
/// serializes as data, with the user's name and groups if the predicate needs
/// them. (It cannot be deserialized: a filter that a client could send would be
/// a filter that a client could choose.)
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"job": {"relations": {"team": "group"},
/// #             "attributes": {"cost": "at_most"}, "checks": ["cost"]}},
/// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
/// #             {"key": "team", "when": {"team": "me"}}]}]},
/// #     "users": {"bob": {"allow": ["edit"], "bounds": {"job.cost": 5000}, "groups": ["leeds"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let filter = engine.filter_by_name("bob", "edit", None)?;
/// assert_eq!(filter.to_string(), "every job where team is me and cost is at most 5000");
/// let data = serde_json::to_value(&filter)?;
/// assert_eq!((&data["kind"], &data["groups"][0]), (&"job".into(), &"leeds".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

/// What an object must be like.
///
/// It is in normal form. `All` and `None` occur only alone. A join has two or
/// more parts, all different, sorted, and none of them a join of the same kind.
/// A join tests a relation once, no part of it follows from another, and what
/// parts have in common is factored out. (The last two may fail in a filter that
/// would take more than a few milliseconds to simplify, with dozens of scopes
/// that differ in dozens of relations: it means the same, at greater length.)
///
/// A host translates it into the query language of its own store:
///
/// ```
/// # use grantree::{Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"job": {
/// #             "attributes": {"cost": "at_most", "region": "one_of"}, "checks": ["cost", "region"]}},
/// #         "permissions": [{"key": "edit", "object": "job"}]},
/// #     "users": {"bob": {"allow": ["edit"], "bounds": {"job.cost": 5000, "job.region": ["north"]}}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use grantree::filter::Predicate;
///
/// fn query(predicate: &Predicate) -> String {
///     match predicate {
///         Predicate::And(parts) => parts.iter().map(query).collect::<Vec<_>>().join(" AND "),
///         Predicate::AtMost { attribute, value } => format!("{attribute}:[* TO {value}]"),
///         Predicate::OneOf { attribute, values } => format!("{attribute}:({})", values.join(" OR ")),
///         other => todo!("{other:?}"),
///     }
/// }
///
/// let filter = engine.filter_by_name("bob", "edit", None)?;
/// assert_eq!(query(filter.predicate()), "cost:[* TO 5000] AND region:(north)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Predicate {
    /// Every object passes.
    All,
    /// No object passes.
    None,
    /// All of these hold.
    And(Vec<Predicate>),
    /// At least one of these holds.
    Or(Vec<Predicate>),
    /// The object carries the relation, in one of these states. Even all three
    /// do not match every object: one that does not carry the relation has no
    /// state.
    Relation {
        /// The relation.
        name: String,
        /// What it names.
        names: RelationType,
        /// The states, in their order, each once.
        states: Vec<RelationState>,
    },
    /// The attribute is a text, one of these.
    OneOf {
        /// The attribute.
        attribute: String,
        /// The texts, sorted, each once.
        values: Vec<String>,
    },
    /// The attribute is an integer, no greater than this.
    AtMost {
        /// The attribute.
        attribute: String,
        /// The greatest that passes.
        value: i64,
    },
    /// The attribute is an integer, no less than this.
    AtLeast {
        /// The attribute.
        attribute: String,
        /// The least that passes.
        value: i64,
    },
    /// The attribute is a date, or the text of one, no earlier than this.
    NotBefore {
        /// The attribute.
        attribute: String,
        /// The first day that passes.
        date: Date,
    },
    /// The attribute is a date, or the text of one, no later than this.
    NotAfter {
        /// The attribute.
        attribute: String,
        /// The last day that passes.
        date: Date,
    },
    /// The definition of that number in [`Filter::definitions`] holds.
    Defined(usize),
}

impl Engine {
    /// The objects on which a user may do this: the filter matches an object
    /// exactly if [`Engine::can`] says yes on it, on that day.
    ///
    /// Without a day, a relative fence passes nothing. An admin's filter
    /// matches every object of every kind, and so does that of a permission on
    /// no kind that the user holds. With a handle of another policy, the filter
    /// matches nothing.
    ///
    /// It takes microseconds, and longer the larger the filter: make it once for
    /// a page, not once for an object.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
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
    /// let today = "2026-11-20".parse()?;
    /// let filter = engine.filter(bob, book, Some(today));
    /// assert_eq!(filter.to_string(), "every slot where starts is not before 2026-11-23");
    /// assert_eq!(engine.filter(bob, book, None).to_string(), "nothing");
    /// # Ok(())
    /// # }
    /// ```
    pub fn filter(&self, user: User, action: Permission, today: Option<Date>) -> Filter {
        match self.standing(user, action) {
            Standing::Denied => Filter::of(None, Predicate::None),
            Standing::Allowed => Filter::of(None, Predicate::All),
            Standing::Open(open) => Search::new(open, Day::Of(today)).filter(),
        }
    }

    /// [`Engine::filter`], by name. An unknown user's filter matches nothing.
    ///
    /// # Errors
    ///
    /// Where the permission or its level is unknown.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "users": {"bob": {"allow": ["orders"]}}
    /// # }"#;
    /// # let document: Document = serde_json::from_str(text).unwrap();
    /// # let engine = Engine::new(&Policy::try_from(document).unwrap());
    /// assert_eq!(engine.filter_by_name("bob", "orders", None).unwrap().to_string(), "everything");
    /// assert_eq!(engine.filter_by_name("nobody", "orders", None).unwrap().to_string(), "nothing");
    /// assert!(engine.filter_by_name("bob", "ordres", None).is_err());
    /// ```
    pub fn filter_by_name(
        &self,
        user: &str,
        action: &str,
        today: Option<Date>,
    ) -> Result<Filter, Unknown> {
        let action = self.permission(action)?;
        Ok(match self.user(user) {
            Ok(user) => self.filter(user, action, today),
            Err(_) => Filter::of(None, Predicate::None),
        })
    }
}

impl Filter {
    fn of(kind: Option<String>, predicate: Predicate) -> Filter {
        Filter { kind, predicate, definitions: Vec::new(), user: None, groups: Vec::new() }
    }

    /// The kind of the objects that it matches. `None` where the kind makes no
    /// difference, because every object matches or none does.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"objects": {"job": {}}, "permissions": [{"key": "view", "object": "job"}]},
    /// #     "users": {"bob": {"allow": ["view"]}, "root": {"admin": true}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// assert_eq!(engine.filter_by_name("bob", "view", None)?.kind(), Some("job"));
    /// assert_eq!(engine.filter_by_name("root", "view", None)?.kind(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// What an object of that kind must be like.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"attributes": {"cost": "at_most"}, "checks": ["cost"]}},
    /// #         "permissions": [{"key": "approve", "object": "job"}]},
    /// #     "users": {"bob": {"allow": ["approve"], "bounds": {"job.cost": 5000}}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::filter::Predicate;
    ///
    /// let filter = engine.filter_by_name("bob", "approve", None)?;
    /// let cost = Predicate::AtMost { attribute: "cost".into(), value: 5000 };
    /// assert_eq!(filter.predicate(), &cost);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn predicate(&self) -> &Predicate {
        &self.predicate
    }

    /// What [`Predicate::Defined`] refers to, by number, in the predicate and in
    /// definitions of higher numbers.
    ///
    /// There are none unless a catalogue's scopes require scoped permissions
    /// that are large or many levels deep: written out wherever they are
    /// required, those could double the predicate's size at every step.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"assignee": "user"}}},
    /// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
    /// #             {"key": "own", "when": {"assignee": "me"}}]}]},
    /// #     "users": {"bob": {"allow": ["edit"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let filter = engine.filter_by_name("bob", "edit", None)?;
    /// assert!(filter.definitions().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn definitions(&self) -> &[Predicate] {
        &self.definitions
    }

    /// The user's name: a relation that names it is [`RelationState::Me`].
    /// `None` where no relation to users is tested.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"assignee": "user"}}},
    /// #         "permissions": [
    /// #             {"key": "view", "object": "job"}, {"key": "edit", "object": "job", "scopes": [
    /// #             {"key": "own", "when": {"assignee": "me"}}]}]},
    /// #     "users": {"bob": {"allow": ["view", "edit"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// assert_eq!(engine.filter_by_name("bob", "edit", None)?.user(), Some("bob"));
    /// assert_eq!(engine.filter_by_name("bob", "view", None)?.user(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The user's groups and all beneath them, sorted: a relation that names
    /// one of them is [`RelationState::Me`]. Empty where no relation to groups
    /// is tested.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"team": "group"}}},
    /// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
    /// #             {"key": "team", "when": {"team": "me"}}]}]},
    /// #     "groups": {"uk": {}, "leeds": {"parent": "uk"}},
    /// #     "users": {"bob": {"allow": ["edit"], "groups": ["uk"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// assert_eq!(engine.filter_by_name("bob", "edit", None)?.groups(), ["leeds", "uk"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Whether the filter matches the object.
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
    /// # let document: Document = serde_json::from_str(text).unwrap();
    /// # let engine = Engine::new(&Policy::try_from(document).unwrap());
    /// let filter = engine.filter_by_name("bob", "edit", None).unwrap();
    /// let jobs = [["bob"], ["eve"]].map(|names| DynamicObject::new("job").with_relation("assignee", names));
    /// assert_eq!(jobs.map(|job| filter.matches(&job)), [true, false]);
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

    /// `known` says which of the definitions hold.
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
            Predicate::Defined(number) => known.get(*number) == Some(&true),
            Predicate::OneOf { attribute, .. }
            | Predicate::AtMost { attribute, .. }
            | Predicate::AtLeast { attribute, .. }
            | Predicate::NotBefore { attribute, .. }
            | Predicate::NotAfter { attribute, .. } => {
                passes(predicate, object.attribute(attribute))
            }
        }
    }
}

/// Whether a value passes, if that is what a predicate tests.
fn passes(predicate: &Predicate, value: Option<Value<'_>>) -> bool {
    match (predicate, value) {
        (Predicate::OneOf { values, .. }, Some(Value::Text(text))) => is_among(values, text),
        (Predicate::AtMost { value: most, .. }, Some(Value::Integer(value))) => value <= *most,
        (Predicate::AtLeast { value: least, .. }, Some(Value::Integer(value))) => value >= *least,
        (Predicate::NotBefore { date: first, .. }, Some(value)) => {
            value.date().is_some_and(|date| date >= *first)
        }
        (Predicate::NotAfter { date: last, .. }, Some(value)) => {
            value.date().is_some_and(|date| date <= *last)
        }
        _ => false,
    }
}

impl Asker for Filter {
    fn name(&self) -> &str {
        self.user.as_deref().unwrap_or_default()
    }
    fn belongs(&self, group: &str) -> bool {
        is_among(&self.groups, group)
    }
}

/// What is asked of an object, whatever the day: a formula, and the definitions
/// that it refers to. A bound other than `"any"` is one test, if some value could
/// pass it.
pub(crate) fn on_any_day<'e>(open: &Open<'e>) -> (Formula<'e>, Vec<Formula<'e>>) {
    let mut search = Search::new(open.clone(), Day::Any);
    (open.condition.evaluate(&mut search), search.definitions)
}

/// The making of a filter.
struct Search<'e> {
    open: Open<'e>,
    day: Day,
    effort: Effort,
    /// The steps that are referred to by number.
    definitions: Vec<Formula<'e>>,
}

/// The day that a filter is made for.
#[derive(Clone, Copy)]
enum Day {
    /// That day, or none.
    Of(Option<Date>),
    /// Whatever day it is.
    Any,
}

impl<'e> Search<'e> {
    /// A step with more tests than this becomes a definition, rather than being
    /// written out wherever it is required, so that filters stay in proportion
    /// to the catalogue.
    const MOST_TESTS: usize = 64;
    /// So does one that is deeper than this, so that the normal form is found in
    /// time and nothing is ever nested deeply.
    const MOST_DEPTH: usize = 8;
    /// What may be spent on normal forms: a few milliseconds. A dozen scopes that
    /// test a dozen relations each take a tenth of it.
    const MOST_EFFORT: usize = 1_048_576;
    /// The same where formulas are compared, of which there are many.
    const MOST_EFFORT_COMPARED: usize = 65_536;

    fn new(open: Open<'e>, day: Day) -> Search<'e> {
        let most = match day {
            Day::Of(_) => Self::MOST_EFFORT,
            Day::Any => Self::MOST_EFFORT_COMPARED,
        };
        Search { open, day, effort: Effort::new(most), definitions: Vec::new() }
    }

    fn filter(mut self) -> Filter {
        let formula = self.open.condition.evaluate(&mut self);
        let definitions = &self.definitions;
        if formula == Formula::NONE {
            return Filter::of(None, Predicate::None);
        }

        // Keeps the definitions that are referred to, and renumbers them.
        let mut used = vec![false; definitions.len()];
        let refer = |formula: &Formula<'_>, used: &mut Vec<bool>| {
            formula.defined(&mut |number| {
                if let Some(used) = used.get_mut(number) {
                    *used = true;
                }
            });
        };
        refer(&formula, &mut used);
        // A definition refers to those of lower numbers.
        for (at, definition) in definitions.iter().enumerate().rev() {
            if used.get(at) == Some(&true) {
                refer(definition, &mut used);
            }
        }
        let mut next = 0..;
        let numbers = used.iter().map(|&used| if used { next.next() } else { None });
        let numbers: Vec<Option<usize>> = numbers.collect();

        let kind = self.open.kind.0.to_owned();
        let mut filter = Filter::of(Some(kind), self.predicate(&formula, &numbers));
        let definitions = definitions.iter().zip(used).filter(|(_, used)| *used);
        filter.definitions =
            definitions.map(|(formula, _)| self.predicate(formula, &numbers)).collect();
        let asks_for = |names| {
            let mut all = std::iter::once(&filter.predicate).chain(&filter.definitions);
            all.any(|predicate| predicate.asks_for(names))
        };
        if asks_for(RelationType::User) {
            filter.user = Some(self.open.user.to_owned());
        }
        if asks_for(RelationType::Group) {
            filter.groups = self.open.groups().into_iter().map(str::to_owned).collect();
        }
        filter
    }

    /// The test that the user's bound on an attribute comes to on that day.
    fn test(&self, attribute: AttributeId, today: Option<Date>) -> Predicate {
        let (declared, limit) = self.open.limit(attribute);
        let attribute = declared.name.to_string();
        match limit {
            Limit::Any => Predicate::All,
            Limit::Nothing => Predicate::None,
            Limit::OneOf(texts) if texts.is_empty() => Predicate::None,
            Limit::OneOf(texts) => Predicate::OneOf {
                attribute,
                values: texts.iter().map(ToString::to_string).collect(),
            },
            Limit::AtMost(most) => Predicate::AtMost { attribute, value: *most },
            Limit::AtLeast(least) => Predicate::AtLeast { attribute, value: *least },
            // Not before one of several days is not before the first.
            Limit::NotBefore(fences) => {
                let days = fences.iter().filter_map(|&fence| fence_day(fence, today));
                match days.min() {
                    Some(date) => Predicate::NotBefore { attribute, date },
                    None => Predicate::None,
                }
            }
            Limit::NotAfter(fences) => {
                let days = fences.iter().filter_map(|&fence| fence_day(fence, today));
                match days.max() {
                    Some(date) => Predicate::NotAfter { attribute, date },
                    None => Predicate::None,
                }
            }
        }
    }

    /// A formula as a predicate; `numbers` are the definitions' new ones.
    fn predicate(&self, formula: &Formula<'e>, numbers: &[Option<usize>]) -> Predicate {
        let each = |parts: &[Formula<'e>]| {
            parts.iter().map(|part| self.predicate(part, numbers)).collect()
        };
        match formula {
            Formula::Join(Op::And, parts) if parts.is_empty() => Predicate::All,
            Formula::Join(Op::Or, parts) if parts.is_empty() => Predicate::None,
            Formula::Join(Op::And, parts) => Predicate::And(each(parts)),
            Formula::Join(Op::Or, parts) => Predicate::Or(each(parts)),
            Formula::Test(Test::Attribute(_, attribute)) => match self.day {
                Day::Of(today) => self.test(*attribute, today),
                // No filter is made for any day.
                Day::Any => Predicate::None,
            },
            Formula::Test(Test::Relation(name, states)) => {
                match self.open.kind.1.relations.get(*name) {
                    Some(&names) => Predicate::Relation {
                        name: (*name).to_owned(),
                        names,
                        states: listed(*states),
                    },
                    None => Predicate::None,
                }
            }
            Formula::Test(Test::Defined(number)) => match numbers.get(*number) {
                Some(&Some(number)) => Predicate::Defined(number),
                _ => Predicate::None,
            },
        }
    }
}

impl<'e> Evaluator for Search<'e> {
    type Truth = Formula<'e>;

    fn holds(&self, scope: Bit) -> bool {
        self.open.holds(scope)
    }

    fn relation(&mut self, relation: u32, states: States) -> Formula<'e> {
        match self.open.kind.1.relations.get_index(relation as usize) {
            Some((name, _)) => Formula::Test(Test::Relation(name, states)),
            None => Formula::NONE,
        }
    }

    fn check(&mut self, attribute: AttributeId) -> Formula<'e> {
        let (declared, limit) = self.open.limit(attribute);
        let (all, none) = match self.day {
            Day::Any => (*limit == Limit::Any, !limit.passable()),
            Day::Of(today) => {
                let test = self.test(attribute, today);
                (test == Predicate::All, test == Predicate::None)
            }
        };
        if all || none {
            all.into()
        } else {
            Formula::Test(Test::Attribute(&declared.name, attribute))
        }
    }

    fn join(&mut self, op: Op, parts: Vec<Formula<'e>>) -> Formula<'e> {
        Formula::join(op, parts, &self.effort)
    }

    /// Makes a definition of a large step that several scopes may require.
    fn step(&mut self, step: &Step, allowed: Formula<'e>) -> Formula<'e> {
        let is_large = allowed.tests() > Self::MOST_TESTS || allowed.depth() > Self::MOST_DEPTH;
        if step.always || !is_large {
            return allowed;
        }
        self.definitions.push(allowed);
        Formula::Test(Test::Defined(self.definitions.len().saturating_sub(1)))
    }
}

impl Predicate {
    /// Whether it tests a relation to users, or to groups.
    fn asks_for(&self, those: RelationType) -> bool {
        match self {
            Predicate::And(parts) | Predicate::Or(parts) => {
                parts.iter().any(|part| part.asks_for(those))
            }
            Predicate::Relation { names, .. } => *names == those,
            _ => false,
        }
    }
}

/// States, in their order.
pub(crate) fn listed(states: States) -> Vec<RelationState> {
    let all = [RelationState::Me, RelationState::Other, RelationState::None];
    all.into_iter().filter(|&state| states.accepts(state)).collect()
}

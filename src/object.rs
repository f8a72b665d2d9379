//! The thing acted on: a host's own struct, or a ready-made one.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::rc::Rc;
use std::sync::Arc;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::date::Date;
use crate::document::{Map, RelationState, RelationType};
use crate::problem::OneLine;

/// An object as the host has it.
///
/// A question asks it only for what decides: its kind, and the relations and
/// attributes that the policy names for the permission in question. Nothing is
/// copied, and ids stay in the host's own types.
///
/// Answers of the wrong kind do no harm: an object of another kind than the
/// permission's, or a relation to users where groups are declared, matches
/// nothing, and a value of the wrong type passes no bound but `"any"`.
///
/// ```
/// use grantree::{Object, RelationState, Subject, Value};
///
/// struct Job {
///     assignee: Option<u64>,      // an id of the host's database
///     watchers: Vec<String>,
///     team: &'static str,
///     region: String,
/// }
///
/// impl Object for Job {
///     fn kind(&self) -> &str {
///         "job"
///     }
///     fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
///         match name {
///             "assignee" => subject.users(&self.assignee),
///             "watcher" => subject.users(&self.watchers),
///             "team" => subject.groups([self.team]),
///             _ => None,
///         }
///     }
///     fn attribute(&self, name: &str) -> Option<Value<'_>> {
///         match name {
///             "region" => Some(Value::Text(&self.region)),
///             _ => None,
///         }
///     }
/// }
/// ```
pub trait Object {
    /// The kind of object, as the catalogue names it.
    ///
    /// ```
    /// use grantree::{DynamicObject, Object};
    ///
    /// assert_eq!(DynamicObject::new("order").kind(), "order");
    /// ```
    fn kind(&self) -> &str;

    /// The state of that relation for the user who asks; `None` where the object
    /// does not carry the relation. [`Subject::users`] and [`Subject::groups`]
    /// work it out from the ids that the relation names.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Object, Policy, RelationState, Subject, Value};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"order": {"relations": {"depot": "group"}}},
    /// #         "permissions": [{"key": "view", "object": "order", "scopes": [
    /// #             {"key": "own", "when": {"depot": ["me", "none"]}}]}]},
    /// #     "users": {"bob": {"allow": ["view"], "groups": ["leeds"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// struct Order {
    ///     depot: Option<&'static str>,
    /// }
    ///
    /// impl Object for Order {
    ///     fn kind(&self) -> &str {
    ///         "order"
    ///     }
    ///     fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
    ///         match name {
    ///             "depot" => subject.groups(self.depot),
    ///             _ => None,
    ///         }
    ///     }
    ///     fn attribute(&self, _: &str) -> Option<Value<'_>> {
    ///         None
    ///     }
    /// }
    ///
    /// assert!(engine.can_by_name("bob", "view", &Order { depot: Some("leeds") })?);
    /// assert!(engine.can_by_name("bob", "view", &Order { depot: None })?);
    /// assert!(!engine.can_by_name("bob", "view", &Order { depot: Some("york") })?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState>;

    /// The value of that attribute; `None` where the object has none.
    ///
    /// ```
    /// use grantree::{DynamicObject, Object, Value};
    ///
    /// let invoice = DynamicObject::new("invoice").with_attribute("total", 1_250);
    /// assert_eq!(invoice.attribute("total"), Some(Value::Integer(1_250)));
    /// assert_eq!(invoice.attribute("region"), None);
    /// ```
    fn attribute(&self, name: &str) -> Option<Value<'_>>;
}

impl<T: Object + ?Sized> Object for &T {
    fn kind(&self) -> &str {
        T::kind(self)
    }
    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
        T::relation(self, name, subject)
    }
    fn attribute(&self, name: &str) -> Option<Value<'_>> {
        T::attribute(self, name)
    }
}

/// The value of an attribute.
///
/// ```
/// use grantree::{DynamicObject, Object, Value};
///
/// let job = DynamicObject::new("job").with_attribute("cost", 4_000).with_attribute("region", "north");
/// assert_eq!(job.attribute("cost"), Some(Value::Integer(4_000)));
/// assert_eq!(job.attribute("region"), Some(Value::from("north")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value<'a> {
    /// A text; for a date attribute, one of the form `YYYY-MM-DD`.
    Text(&'a str),
    /// An integer.
    Integer(i64),
    /// A date.
    Date(Date),
    /// A value of any other type, which passes no bound but `"any"`.
    Other,
}

impl Value<'_> {
    /// The value as a date, if it is one.
    pub(crate) fn date(self) -> Option<Date> {
        match self {
            Value::Date(date) => Some(date),
            Value::Text(text) => text.parse().ok(),
            Value::Integer(_) | Value::Other => None,
        }
    }
}

/// The user who asks, as an object's relations see them.
///
/// It is passed to [`Object::relation`], and used there:
///
/// ```
/// # use grantree::{Document, Engine, Object, Policy, RelationState, Subject, Value};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"booking": {"relations": {"carrier": "group", "booker": "user"}}},
/// #         "permissions": [{"key": "cancel", "object": "booking", "scopes": [
/// #             {"key": "own", "when": {"booker": "me"}},
/// #             {"key": "carried", "when": {"carrier": "me"}}]}]},
/// #     "users": {"7": {"allow": ["cancel"]}, "8": {"allow": ["cancel"], "groups": ["swift"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// struct Booking {
///     booker: u64,
///     carrier: &'static str,
/// }
///
/// impl Object for Booking {
///     fn kind(&self) -> &str {
///         "booking"
///     }
///     fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
///         match name {
///             "booker" => subject.users([self.booker]),
///             "carrier" => subject.groups([self.carrier]),
///             _ => None,
///         }
///     }
///     fn attribute(&self, _: &str) -> Option<Value<'_>> {
///         None
///     }
/// }
///
/// let booking = Booking { booker: 7, carrier: "swift" };
/// assert!(engine.can_by_name("7", "cancel.own", &booking)?);
/// assert!(engine.can_by_name("8", "cancel.carried", &booking)?);
/// assert!(!engine.can_by_name("8", "cancel.own", &booking)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Subject<'a> {
    pub(crate) asker: &'a dyn Asker,
    /// What the relation in question is declared to name.
    pub(crate) relation: RelationType,
}

/// What an object may need to know of the user who asks. Nothing is looked up
/// before it is needed.
pub(crate) trait Asker {
    fn name(&self) -> &str;

    /// Whether a group of that name is one of the user's, or beneath one.
    fn belongs(&self, group: &str) -> bool;

    /// The same for a group whose name is that number.
    fn belongs_to_number(&self, group: u64) -> bool {
        Displayed(group).with_text(|name| self.belongs(name))
    }
}

impl Subject<'_> {
    /// The state of a relation that names these users.
    ///
    /// An `Option`, a slice or a list of ids will do. Returns `None`, which matches
    /// nothing, where the policy declares the relation to name groups.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Object, Policy, RelationState, Subject, Value};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"assignee": "user"}}},
    /// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
    /// #             {"key": "free", "when": {"assignee": ["me", "none"]}}]}]},
    /// #     "users": {"7": {"allow": ["edit"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// struct Job {
    ///     assignees: Vec<u64>,
    /// }
    ///
    /// impl Object for Job {
    ///     fn relation(&self, _: &str, subject: &Subject<'_>) -> Option<RelationState> {
    ///         subject.users(&self.assignees)
    ///     }
    /// #     fn kind(&self) -> &str {
    /// #         "job"
    /// #     }
    /// #     fn attribute(&self, _: &str) -> Option<Value<'_>> {
    /// #         None
    /// #     }
    ///     // …
    /// }
    ///
    /// assert!(engine.can_by_name("7", "edit", &Job { assignees: vec![8, 7] })?);
    /// assert!(engine.can_by_name("7", "edit", &Job { assignees: vec![] })?);
    /// assert!(!engine.can_by_name("7", "edit", &Job { assignees: vec![8] })?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn users<I: IntoIterator<Item: Id>>(&self, ids: I) -> Option<RelationState> {
        if self.relation != RelationType::User {
            return None;
        }
        let me = self.asker.name();
        Some(state(ids, |number| is_decimal(me, number), |name| name == me))
    }

    /// The state of a relation that names these groups.
    ///
    /// Returns `None`, which matches nothing, where the policy declares the
    /// relation to name users.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Object, Policy, RelationState, Subject, Value};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {
    /// #         "objects": {"job": {"relations": {"team": "group"}}},
    /// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
    /// #             {"key": "team", "when": {"team": "me"}}]}]},
    /// #     "groups": {"uk": {}, "leeds": {"parent": "uk"}},
    /// #     "users": {"7": {"allow": ["edit"], "groups": ["uk"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// struct Job {
    ///     team: &'static str,
    /// }
    ///
    /// impl Object for Job {
    ///     fn relation(&self, _: &str, subject: &Subject<'_>) -> Option<RelationState> {
    ///         subject.groups([self.team])
    ///     }
    /// #     fn kind(&self) -> &str {
    /// #         "job"
    /// #     }
    /// #     fn attribute(&self, _: &str) -> Option<Value<'_>> {
    /// #         None
    /// #     }
    ///     // …
    /// }
    ///
    /// // Leeds is beneath the UK.
    /// assert!(engine.can_by_name("7", "edit", &Job { team: "leeds" })?);
    /// assert!(!engine.can_by_name("7", "edit", &Job { team: "berlin" })?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn groups<I: IntoIterator<Item: Id>>(&self, ids: I) -> Option<RelationState> {
        if self.relation != RelationType::Group {
            return None;
        }
        let asker = self.asker;
        Some(state(ids, |number| asker.belongs_to_number(number), |name| asker.belongs(name)))
    }
}

/// The state of a relation that names these ids, given how to tell which are the
/// asker's.
fn state<I: IntoIterator<Item: Id>>(
    ids: I,
    is_number: impl Fn(u64) -> bool,
    is_text: impl Fn(&str) -> bool,
) -> RelationState {
    let mut state = RelationState::None;
    for id in ids {
        let is_me = match id.as_number() {
            Some(number) => is_number(number),
            None => id.with_text(&is_text),
        };
        if is_me {
            return RelationState::Me;
        }
        state = RelationState::Other;
    }
    state
}

/// The number whose decimal form a text is.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|&number| is_decimal(text, number))
}

/// Whether a text is the decimal form of a number. It starts at the last digit,
/// where two numbers mostly differ.
fn is_decimal(text: &str, mut number: u64) -> bool {
    for (at, &digit) in text.as_bytes().iter().enumerate().rev() {
        if u64::from(digit) != u64::from(b'0').wrapping_add(number % 10) {
            return false;
        }
        number /= 10;
        if number == 0 {
            return at == 0;
        }
    }
    false
}

impl fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("name", &self.asker.name())
            .field("relation", &self.relation)
            .finish_non_exhaustive()
    }
}

/// A host's id of a user or group, whose text is the policy's name for it.
///
/// Texts and integers are ids; so is anything that implements `Display`, wrapped
/// in [`Displayed`].
///
/// ```
/// use grantree::Id;
///
/// /// A user in the host's database, whom the policy names `u7`.
/// struct UserId(u32);
///
/// impl Id for UserId {
///     fn with_text<R>(&self, use_text: impl FnOnce(&str) -> R) -> R {
///         use_text(&format!("u{}", self.0))
///     }
/// }
///
/// assert!(UserId(7).with_text(|text| text == "u7"));
/// assert_eq!(UserId(7).as_number(), None);
/// ```
pub trait Id {
    /// Calls `use_text` once with the id's text, and returns its answer.
    ///
    /// ```
    /// use grantree::Id;
    ///
    /// assert_eq!(7_u64.with_text(str::len), 1);
    /// assert!("alice".with_text(|text| text == "alice"));
    /// ```
    fn with_text<R>(&self, use_text: impl FnOnce(&str) -> R) -> R;

    /// The number whose decimal form, without sign or leading zeros, is the id's
    /// text, where it is known without the text: numbers are compared faster.
    ///
    /// ```
    /// use grantree::Id;
    ///
    /// assert_eq!(7_i64.as_number(), Some(7));
    /// // Compared as texts.
    /// assert_eq!((-7_i64).as_number(), None);
    /// assert_eq!("7".as_number(), None);
    /// ```
    fn as_number(&self) -> Option<u64> {
        None
    }
}

impl Id for str {
    fn with_text<R>(&self, use_text: impl FnOnce(&str) -> R) -> R {
        use_text(self)
    }
}

macro_rules! id_by_reference {
    ($($(#[$generic:ident])? $type:ty),* $(,)?) => {$(
        impl $(<$generic: Id + ?Sized>)? Id for $type {
            fn with_text<R>(&self, use_text: impl FnOnce(&str) -> R) -> R {
                (**self).with_text(use_text)
            }
            fn as_number(&self) -> Option<u64> {
                (**self).as_number()
            }
        }
    )*};
}

id_by_reference!(String, Cow<'_, str>, #[T] &T, #[T] Box<T>, #[T] Rc<T>, #[T] Arc<T>);

macro_rules! integer_ids {
    ($($type:ty),*) => {$(
        impl Id for $type {
            fn with_text<R>(&self, use_text: impl FnOnce(&str) -> R) -> R {
                Displayed(self).with_text(use_text)
            }
            #[inline]
            fn as_number(&self) -> Option<u64> {
                u64::try_from(*self).ok()
            }
        }
    )*};
}

integer_ids!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

/// An id whose text is what it displays: a UUID, say.
///
/// Up to 64 bytes of text are compared without allocation.
///
/// ```
/// # use grantree::{Displayed, Document, Engine, Object, Policy, RelationState, Subject, Value};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"job": {"relations": {"assignee": "user"}}},
/// #         "permissions": [{"key": "edit", "object": "job", "scopes": [
/// #             {"key": "own", "when": {"assignee": "me"}}]}]},
/// #     "users": {"10.0.0.7": {"allow": ["edit"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use std::net::Ipv4Addr;
///
/// /// A job for a machine, which the policy knows by its address.
/// struct Job(Ipv4Addr);
///
/// impl Object for Job {
///     fn kind(&self) -> &str {
///         "job"
///     }
///     fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
///         (name == "assignee").then(|| subject.users([Displayed(self.0)]))?
///     }
///     fn attribute(&self, _: &str) -> Option<Value<'_>> {
///         None
///     }
/// }
///
/// assert!(engine.can_by_name("10.0.0.7", "edit", &Job([10, 0, 0, 7].into()))?);
/// assert!(!engine.can_by_name("10.0.0.7", "edit", &Job([10, 0, 0, 8].into()))?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Displayed<T>(pub T);

impl<T: fmt::Display> Id for Displayed<T> {
    fn with_text<R>(&self, use_text: impl FnOnce(&str) -> R) -> R {
        let mut short = Short { bytes: [0; 64], len: 0 };
        if let Some(text) = write!(short, "{}", self.0).ok().and_then(|()| short.as_str()) {
            return use_text(text);
        }
        let mut long = String::new();
        match write!(long, "{}", self.0) {
            Ok(()) => use_text(&long),
            // An id that can't be displayed is nobody's: no name is empty.
            Err(fmt::Error) => use_text(""),
        }
    }
}

/// A text on the stack.
struct Short {
    bytes: [u8; 64],
    len: usize,
}

impl Short {
    fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes.get(..self.len)?).ok()
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len.saturating_add(text.len());
        let room = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// An object as data: what a test document or a message carries.
///
/// A date serializes as its text, and reads back as a text, which passes the same
/// date bounds.
///
/// ```
/// use grantree::DynamicObject;
///
/// let job = DynamicObject::new("job")
///     .with_relation("assignee", ["alice"])
///     .with_attribute("region", "north");
/// let read: DynamicObject = serde_json::from_str(
///     r#"{"kind": "job", "relations": {"assignee": ["alice"]}, "attributes": {"region": "north"}}"#,
/// )?;
/// assert_eq!(job, read);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct DynamicObject {
    kind: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    relations: Map<Vec<String>>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    attributes: Map<OwnedValue>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum OwnedValue {
    Text(String),
    Integer(i64),
    Date(Date),
    Other,
}

impl DynamicObject {
    /// An object of that kind, without relations or attributes.
    ///
    /// ```
    /// use grantree::{DynamicObject, Object};
    ///
    /// let job = DynamicObject::new("job");
    /// assert_eq!(job.kind(), "job");
    /// assert_eq!(job.relations().count() + job.attributes().count(), 0);
    /// ```
    pub fn new(kind: impl Into<String>) -> DynamicObject {
        DynamicObject { kind: kind.into(), relations: Map::default(), attributes: Map::default() }
    }

    /// The object with that relation, which names these users or groups, or
    /// nobody. They replace those that it named before.
    ///
    /// ```
    /// use grantree::DynamicObject;
    ///
    /// let job = DynamicObject::new("job")
    ///     .with_relation("assignee", ["alice"])
    ///     .with_relation("watcher", [""; 0])
    ///     .with_relation("assignee", ["bob"]);
    /// assert_eq!(job.to_string(), "job(watcher: ; assignee: bob)");
    /// ```
    #[must_use]
    pub fn with_relation<I>(mut self, name: &str, names: I) -> DynamicObject
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.relations.retain(|known, _| known != name);
        self.relations.push(name, names.into_iter().map(Into::into).collect());
        self
    }

    /// The object with that attribute. It replaces any earlier value.
    ///
    /// ```
    /// use grantree::{Date, DynamicObject, Object, Value};
    ///
    /// let starts = Date::new(2026, 11, 21).unwrap();
    /// let job = DynamicObject::new("job").with_attribute("cost", 4_000).with_attribute("starts", starts);
    /// assert_eq!(job.attribute("cost"), Some(Value::Integer(4_000)));
    /// assert_eq!(job.attribute("starts"), Some(Value::Date(starts)));
    /// ```
    #[must_use]
    pub fn with_attribute<'a>(mut self, name: &str, value: impl Into<Value<'a>>) -> DynamicObject {
        let value = match value.into() {
            Value::Text(text) => OwnedValue::Text(text.to_owned()),
            Value::Integer(integer) => OwnedValue::Integer(integer),
            Value::Date(date) => OwnedValue::Date(date),
            Value::Other => OwnedValue::Other,
        };
        self.attributes.retain(|known, _| known != name);
        self.attributes.push(name, value);
        self
    }

    /// The names of the relations that it carries.
    ///
    /// ```
    /// use grantree::DynamicObject;
    ///
    /// let job = DynamicObject::new("job")
    ///     .with_relation("assignee", ["alice"])
    ///     .with_relation("team", ["leeds"]);
    /// assert!(job.relations().eq(["assignee", "team"]));
    /// ```
    pub fn relations(&self) -> impl Iterator<Item = &str> {
        self.relations.iter().map(|(name, _)| name)
    }

    /// The names of the attributes that it has.
    ///
    /// ```
    /// use grantree::DynamicObject;
    ///
    /// let job = DynamicObject::new("job").with_attribute("region", "north").with_attribute("cost", 4_000);
    /// assert!(job.attributes().eq(["region", "cost"]));
    /// ```
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(name, _)| name)
    }

    /// The users or groups that a relation names; `None` where the object does
    /// not carry it.
    ///
    /// ```
    /// use grantree::DynamicObject;
    ///
    /// let job = DynamicObject::new("job").with_relation("team", ["leeds", "york"]);
    /// assert_eq!(job.related("team").unwrap(), ["leeds", "york"]);
    /// assert_eq!(job.related("assignee"), None);
    /// ```
    pub fn related(&self, name: &str) -> Option<&[String]> {
        self.relations.get(name).map(Vec::as_slice)
    }
}

impl fmt::Display for DynamicObject {
    /// `job(assignee: alice; region = north)`, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = OneLine(f);
        write!(line, "{}(", self.kind)?;
        let mut separator = "";
        for (name, names) in self.relations.iter() {
            write!(line, "{separator}{name}: {}", names.join(", "))?;
            separator = "; ";
        }
        for (name, value) in self.attributes.iter() {
            write!(line, "{separator}{name} = ")?;
            separator = "; ";
            match value {
                OwnedValue::Text(text) => write!(line, "{text}")?,
                OwnedValue::Integer(integer) => write!(line, "{integer}")?,
                OwnedValue::Date(date) => write!(line, "{date}")?,
                OwnedValue::Other => line.write_str("a value of an unsupported type")?,
            }
        }
        line.write_str(")")
    }
}

impl Object for DynamicObject {
    fn kind(&self) -> &str {
        &self.kind
    }

    fn relation(&self, name: &str, subject: &Subject<'_>) -> Option<RelationState> {
        let names = self.relations.get(name)?;
        match subject.relation {
            RelationType::User => subject.users(names),
            RelationType::Group => subject.groups(names),
        }
    }

    fn attribute(&self, name: &str) -> Option<Value<'_>> {
        Some(match self.attributes.get(name)? {
            OwnedValue::Text(text) => Value::Text(text),
            OwnedValue::Integer(integer) => Value::Integer(*integer),
            OwnedValue::Date(date) => Value::Date(*date),
            OwnedValue::Other => Value::Other,
        })
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Value<'a> {
        Value::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(integer: i64) -> Self {
        Value::Integer(integer)
    }
}

impl From<Date> for Value<'_> {
    fn from(date: Date) -> Self {
        Value::Date(date)
    }
}

impl<'de> Deserialize<'de> for OwnedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OwnedValue, D::Error> {
        struct AnyValue;

        impl<'de> Visitor<'de> for AnyValue {
            type Value = OwnedValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_str<E>(self, text: &str) -> Result<OwnedValue, E> {
                Ok(OwnedValue::Text(text.to_owned()))
            }
            fn visit_i64<E>(self, integer: i64) -> Result<OwnedValue, E> {
                Ok(OwnedValue::Integer(integer))
            }
            fn visit_u64<E>(self, integer: u64) -> Result<OwnedValue, E> {
                Ok(i64::try_from(integer).map_or(OwnedValue::Other, OwnedValue::Integer))
            }
            fn visit_i128<E>(self, _: i128) -> Result<OwnedValue, E> {
                Ok(OwnedValue::Other)
            }
            fn visit_u128<E>(self, _: u128) -> Result<OwnedValue, E> {
                Ok(OwnedValue::Other)
            }
            fn visit_f64<E>(self, _: f64) -> Result<OwnedValue, E> {
                Ok(OwnedValue::Other)
            }
            fn visit_bool<E>(self, _: bool) -> Result<OwnedValue, E> {
                Ok(OwnedValue::Other)
            }
            fn visit_unit<E>(self) -> Result<OwnedValue, E> {
                Ok(OwnedValue::Other)
            }
            fn visit_none<E>(self) -> Result<OwnedValue, E> {
                Ok(OwnedValue::Other)
            }
            fn visit_bytes<E>(self, _: &[u8]) -> Result<OwnedValue, E> {
                Ok(OwnedValue::Other)
            }
            fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<OwnedValue, D::Error> {
                Deserialize::deserialize(inner)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OwnedValue, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(OwnedValue::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OwnedValue, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(OwnedValue::Other)
            }
        }

        deserializer.deserialize_any(AnyValue)
    }
}

/// What a question is asked on: nothing, `()`; an object, `&job`; or an object
/// on a day, `(&job, today)`, which relative fences need.
///
/// Implemented here for those forms, and for `(Option<&object>, Option<Date>)`.
///
/// A host's own form, for a request that carries its day:
///
/// ```
/// # use grantree::{Date, Document, DynamicObject, Engine, Policy, Target};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"slot": {"attributes": {"starts": "not_before"}, "checks": ["starts"]}},
/// #         "permissions": [{"key": "book", "object": "slot"}]},
/// #     "users": {"bob": {"allow": ["book"], "bounds": {"slot.starts": {"plus_days": 3}}}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// #[derive(Clone, Copy)]
/// struct Request<'a> {
///     slot: &'a DynamicObject,
///     today: Date,
/// }
///
/// impl<'a> Target for Request<'a> {
///     type Object = DynamicObject;
///
///     fn parts(&self) -> (Option<&DynamicObject>, Option<Date>) {
///         (Some(self.slot), Some(self.today))
///     }
/// }
///
/// let slot = DynamicObject::new("slot").with_attribute("starts", "2026-11-24");
/// let request = Request { slot: &slot, today: "2026-11-21".parse()? };
/// assert!(engine.can_by_name("bob", "book", request)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Target: Copy {
    /// The type of the object.
    type Object: Object + ?Sized;

    /// The object and the day, if given.
    ///
    /// ```
    /// use grantree::{DynamicObject, Target};
    ///
    /// let job = DynamicObject::new("job");
    /// let today = "2026-11-21".parse()?;
    /// assert_eq!((&job, today).parts(), (Some(&job), Some(today)));
    /// assert!(().parts().0.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn parts(&self) -> (Option<&Self::Object>, Option<Date>);
}

/// The object of a question without one.
///
/// ```
/// use grantree::{NoObject, Target};
///
/// fn asked_on<T: Target<Object = NoObject>>(on: T) -> bool {
///     on.parts().0.is_some()
/// }
///
/// assert!(!asked_on(()));
/// ```
#[derive(Clone, Copy, Debug)]
pub enum NoObject {}

impl Object for NoObject {
    fn kind(&self) -> &str {
        match *self {}
    }
    fn relation(&self, _: &str, _: &Subject<'_>) -> Option<RelationState> {
        match *self {}
    }
    fn attribute(&self, _: &str) -> Option<Value<'_>> {
        match *self {}
    }
}

impl Target for () {
    type Object = NoObject;
    #[inline]
    fn parts(&self) -> (Option<&NoObject>, Option<Date>) {
        (None, None)
    }
}

impl<O: Object + ?Sized> Target for &O {
    type Object = O;
    #[inline]
    fn parts(&self) -> (Option<&O>, Option<Date>) {
        (Some(self), None)
    }
}

impl<O: Object + ?Sized> Target for (&O, Date) {
    type Object = O;
    #[inline]
    fn parts(&self) -> (Option<&O>, Option<Date>) {
        (Some(self.0), Some(self.1))
    }
}

impl<O: Object + ?Sized> Target for (Option<&O>, Option<Date>) {
    type Object = O;
    #[inline]
    fn parts(&self) -> (Option<&O>, Option<Date>) {
        *self
    }
}

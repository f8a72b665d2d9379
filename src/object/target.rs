//! The object and the day of a question.

use super::{Object, RelationState, Subject, Value};
use crate::date::Date;

/// The object and the day of a question.
///
/// | form | question |
/// | --- | --- |
/// | `()` | without an object |
/// | `&job` | on an object, without a day |
/// | `(&job, today)` | on an object and a day, which relative fences need |
/// | `(object, today)` | on an `Option<&O>`, where a question may have none |
///
/// `today` is a [`Date`], an `Option<Date>` or `()` for none, as it is in questions that
/// take no object ([`Engine::filter`](crate::Engine::filter)) or many
/// ([`Engine::can_objects`](crate::Engine::can_objects)).
///
/// ```
/// # use grantree::{Date, Document, Engine, Policy};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {
/// #         "objects": {"slot": {"attributes": {"starts": "not_before"}, "checks": ["starts"]}},
/// #         "permissions": [{"key": "book", "object": "slot"}]},
/// #     "users": {"bob": {"allow": ["book"], "bounds": {"slot.starts": {"plus_days": 3}}}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// use grantree::object::DynamicObject;
///
/// let (bob, book) = (engine.user("bob")?, engine.permission("book")?);
/// let slot = DynamicObject::new("slot").with_attribute("starts", "2026-11-24");
/// let today: Date = "2026-11-21".parse()?;
/// assert!(engine.can(bob, book, (&slot, today)));
/// // Three days from an unknown day is no day.
/// assert!(!engine.can(bob, book, &slot));
/// assert!(!engine.can(bob, book, ()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Target: Copy {
    /// The type of the object.
    type Object: Object + ?Sized;

    /// Returns the object and the day, if given. For the engine: the type of a day will
    /// grow a time.
    #[doc(hidden)]
    fn parts(&self) -> (Option<&Self::Object>, Option<Date>);
}

/// The day of a question: a [`Date`], an `Option<Date>`, or `()` for none.
pub trait Today: Copy {
    /// Returns the day, if given.
    #[doc(hidden)]
    fn date(self) -> Option<Date>;
}

impl Today for Date {
    #[inline]
    fn date(self) -> Option<Date> {
        Some(self)
    }
}

impl Today for () {
    #[inline]
    fn date(self) -> Option<Date> {
        None
    }
}

impl Today for Option<Date> {
    #[inline]
    fn date(self) -> Option<Date> {
        self
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

impl<O: Object + ?Sized, D: Today> Target for (&O, D) {
    type Object = O;
    #[inline]
    fn parts(&self) -> (Option<&O>, Option<Date>) {
        (Some(self.0), self.1.date())
    }
}

impl<O: Object + ?Sized, D: Today> Target for (Option<&O>, D) {
    type Object = O;
    #[inline]
    fn parts(&self) -> (Option<&O>, Option<Date>) {
        (self.0, self.1.date())
    }
}

/// The object of a question without one.
#[doc(hidden)]
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

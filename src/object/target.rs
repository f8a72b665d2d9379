//! The object and the day of a question.

use super::{Object, RelationState, Subject, Value};
use crate::date::{Date, Moment};

/// The object and the day of a question.
///
/// | form | question |
/// | --- | --- |
/// | `()` | without an object |
/// | `today` | without an object, on a day, which roles that end need |
/// | `&job` | on an object, without a day |
/// | `(&job, today)` | on an object and a day, which relative fences need too |
/// | `(object, today)` | on an `Option<&O>`, where a question may have none |
///
/// `today` is a [`Date`], a [`Moment`] (a date, perhaps with a time), an `Option<Moment>`,
/// or `()` for none, as it is in questions that take no object
/// ([`Engine::filter`](crate::Engine::filter)) or many
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

    /// Returns the object and the day, if given. For the engine.
    #[doc(hidden)]
    fn parts(&self) -> (Option<&Self::Object>, Option<Moment>);
}

/// The day of a question: a [`Date`] or [`Moment`], an `Option<Moment>`, or `()` for none.
#[diagnostic::on_unimplemented(
    note = "a day is a `Date`, a `Moment`, an `Option<Moment>` or `()`; \
            of an `Option<Date>`, take `.map(Moment::from)`"
)]
pub trait Today: Copy {
    /// Returns the day, if given. For the engine.
    #[doc(hidden)]
    fn moment(self) -> Option<Moment>;
}

/// Implements both traits for a type of the day: without an object, it is the whole
/// target.
macro_rules! days {
    ($($type:ty: $day:ident => $moment:expr;)*) => {$(
        impl Today for $type {
            #[inline]
            fn moment(self) -> Option<Moment> {
                let $day = self;
                $moment
            }
        }

        impl Target for $type {
            type Object = NoObject;
            #[inline]
            fn parts(&self) -> (Option<&NoObject>, Option<Moment>) {
                (None, self.moment())
            }
        }
    )*};
}

days! {
    (): _day => None;
    Date: day => Some(day.into());
    Moment: day => Some(day);
    Option<Moment>: day => day;
}

impl<O: Object + ?Sized> Target for &O {
    type Object = O;
    #[inline]
    fn parts(&self) -> (Option<&O>, Option<Moment>) {
        (Some(self), None)
    }
}

impl<O: Object + ?Sized, D: Today> Target for (&O, D) {
    type Object = O;
    #[inline]
    fn parts(&self) -> (Option<&O>, Option<Moment>) {
        (Some(self.0), self.1.moment())
    }
}

impl<O: Object + ?Sized, D: Today> Target for (Option<&O>, D) {
    type Object = O;
    #[inline]
    fn parts(&self) -> (Option<&O>, Option<Moment>) {
        (self.0, self.1.moment())
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

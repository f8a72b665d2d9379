//! A host's ids of users and groups.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::rc::Rc;
use std::sync::Arc;

/// A host's id of a user or group, whose text is the policy's name for it.
///
/// Texts and integers are ids; so is any type that implements `Display`, wrapped
/// in [`DisplayId`].
///
/// ```
/// use grantree::object::Id;
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
    fn with_text<R>(&self, use_text: impl FnOnce(&str) -> R) -> R;

    /// Returns the number whose decimal form, without sign or leading zeros, is the
    /// id's text, where it is known without the text: numbers are compared faster.
    ///
    /// ```
    /// use grantree::object::Id;
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
                DisplayId(self).with_text(use_text)
            }
            #[inline]
            fn as_number(&self) -> Option<u64> {
                u64::try_from(*self).ok()
            }
        }
    )*};
}

integer_ids!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

/// An id whose text is its `Display` form, such as a UUID.
///
/// Up to 64 bytes of text are compared without allocation.
///
/// ```
/// use grantree::object::{DisplayId, Id};
/// use std::net::Ipv4Addr;
///
/// let machine = DisplayId(Ipv4Addr::new(10, 0, 0, 7));
/// assert!(machine.with_text(|text| text == "10.0.0.7"));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DisplayId<T>(pub T);

impl<T: fmt::Display> Id for DisplayId<T> {
    fn with_text<R>(&self, use_text: impl FnOnce(&str) -> R) -> R {
        let mut short = ShortText { bytes: [0; 64], len: 0 };
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
struct ShortText {
    bytes: [u8; 64],
    len: usize,
}

impl ShortText {
    fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes.get(..self.len)?).ok()
    }
}

impl Write for ShortText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len.saturating_add(text.len());
        let free = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        free.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Returns the number whose decimal form a text is.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|&number| is_decimal(text, number))
}

/// Returns `true` if a text is the decimal form of a number.
///
/// It starts at the last digit, where two numbers mostly differ.
pub(crate) fn is_decimal(text: &str, mut number: u64) -> bool {
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

//! Maps from names to dense numbers.

use std::fmt;
use std::ops::Deref;

use foldhash::fast::RandomState;

/// A map whose hash is seeded at random, so that keys can't be chosen to collide.
///
/// Where there are neither random addresses nor a clock, as on
/// `wasm32-unknown-unknown`, the seed is the same in each run of a build.
pub(crate) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;

/// A set whose hash is seeded at random.
pub(crate) type HashSet<K> = std::collections::HashSet<K, RandomState>;

/// A map in order of insertion, whose hash is seeded at random.
pub(crate) type IndexMap<K, V> = indexmap::IndexMap<K, V, RandomState>;

/// A set in the order of insertion, whose elements are numbered by it.
pub(crate) type IndexSet<T> = indexmap::IndexSet<T, RandomState>;

/// Values by name, numbered in order of insertion.
pub(crate) type NameMap<V> = IndexMap<Box<str>, V>;

/// Iterates over the names in order.
pub(crate) fn keys<V>(map: &NameMap<V>) -> impl Iterator<Item = &str> {
    map.keys().map(|name| &**name)
}

/// Returns `true` if a text is among sorted ones.
#[inline]
pub(crate) fn is_among<T: Deref<Target = str>>(sorted: &[T], text: &str) -> bool {
    // Of a few, different ones mostly differ in length or at the end. That is seen without a
    // call.
    let last = text.as_bytes().last();
    let ends_alike = |known: &T| known.len() == text.len() && known.as_bytes().last() == last;
    (sorted.len() > FEW || sorted.iter().any(ends_alike)) && contains(sorted, text)
}

/// The number of texts up to which looking at each is faster than a search.
const FEW: usize = 8;

#[inline(never)]
fn contains<T: Deref<Target = str>>(sorted: &[T], text: &str) -> bool {
    if sorted.len() > FEW {
        sorted.binary_search_by(|known| (**known).cmp(text)).is_ok()
    } else {
        sorted.iter().any(|known| **known == *text)
    }
}

/// Returns whether a sorted list contains all of another one.
pub(crate) fn is_sorted_subset<T: Ord>(some: &[T], all: &[T]) -> bool {
    // A few are looked up, so that many lists may be compared with a long one.
    if some.len() < all.len() / 16 {
        return some.iter().all(|text| all.binary_search(text).is_ok());
    }
    let mut all = all.iter();
    some.iter().all(|text| all.find(|known| *known >= text) == Some(text))
}

/// Returns `true` if a text is a name: `[A-Za-z0-9_-]+`.
pub(crate) fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !text.is_empty() && text.bytes().all(fits)
}

/// Returns `true` if a text may name a profile, role, approval group, user or group: any
/// that is not empty, without control characters.
pub(crate) fn is_free_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

/// Returns `true` for a character that nobody sees: a control character, or one without
/// width, or one that changes the order in which others are shown.
pub(crate) fn is_hidden(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        || letter.is_control()
}

/// Writes a text as people are to see it: on one line, with an escape in the place of each
/// hidden character, so that no two names are shown alike that differ in these alone.
pub(crate) fn write_shown(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    for part in text.split_inclusive(is_hidden) {
        let shown = part.trim_end_matches(is_hidden);
        out.write_str(shown)?;
        for hidden in part.strip_prefix(shown).unwrap_or_default().chars() {
            if hidden.is_control() {
                write!(out, "{}", hidden.escape_debug())?;
            } else {
                write!(out, "{}", hidden.escape_unicode())?;
            }
        }
    }
    Ok(())
}

/// Converts an index that is known to be small to a dense number.
///
/// Saturates, so that an index that could never be stored is not found; building
/// refuses to number more than [`MOST`] things of a kind.
pub(crate) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// The greatest number of things of one kind.
pub(crate) const MOST: usize = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_shown_as_escapes() {
        let shown = |text: &str| {
            let mut out = String::new();
            write_shown(&mut out, text).expect("a string takes any text");
            out
        };
        assert_eq!(shown("Zoë `orders.*` 7"), "Zoë `orders.*` 7");
        assert_eq!(shown("a\n\tb"), "a\\n\\tb");
        assert_eq!(shown("\u{202e}nimda\u{200b}\u{feff}"), "\\u{202e}nimda\\u{200b}\\u{feff}");
        assert_eq!(shown(&shown("a\u{2028}b")), shown("a\u{2028}b"));
    }
}

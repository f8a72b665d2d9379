//! Values of any form as bytes, to be read again by the same shapes.
//!
//! | value | bytes |
//! | --- | --- |
//! | end of a list or map | 0 |
//! | null | 1 |
//! | `false`, `true` | 2, 3 |
//! | an integer | 4, as 8 bytes |
//! | one that exceeds these | 5, as 16 bytes; without a sign 6, as 16 bytes |
//! | a float | 7, its bits as 8 bytes |
//! | bytes | 8 |
//! | a text | 9, its length as 1 byte, or 255 and 8 bytes, UTF-8 |
//! | a list | 10, each item, 0 |
//! | a map | 11, each key as a text and its value, 0 |
//!
//! Numbers are little-endian. Equal values have equal bytes, where maps have the same order.

use std::fmt;

use serde::de::value::Error;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::{skip_list, skip_map};
use crate::document::compact::Texts;

const END: u8 = 0;
const NULL: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const INTEGER: u8 = 4;
const SIGNED: u8 = 5;
const UNSIGNED: u8 = 6;
const FLOAT: u8 = 7;
const BYTES: u8 = 8;
const TEXT: u8 = 9;
const LIST: u8 = 10;
const MAP: u8 = 11;

/// The depth in an entry from which lists and maps are recorded as empty ones. Nothing in an
/// entry has items there: whoever reads it reads over them. (And some formats take less
/// nesting where it is not read over.)
const DEEPEST: usize = 8;

/// The keys of the texts of an entry, as recorded.
const LABEL: &[u8] = b"\x09\x05label";
const DESCRIPTION: &[u8] = b"\x09\x0bdescription";

/// Records any value.
pub(super) struct Recorder<'r> {
    recording: &'r mut Vec<u8>,
    /// The depth of the value in the entry.
    depth: usize,
    /// The place for the texts of the value, if it is an entry.
    texts: Option<&'r mut Texts>,
}

impl<'r> Recorder<'r> {
    /// Records an entry, apart from its texts.
    pub(super) fn of_entry(recording: &'r mut Vec<u8>, texts: &'r mut Texts) -> Recorder<'r> {
        Recorder { recording, depth: 0, texts: Some(texts) }
    }

    fn fixed<const SIZE: usize>(self, tag: u8, bytes: [u8; SIZE]) {
        self.recording.push(tag);
        self.recording.extend(bytes);
    }
}

fn record_text(recording: &mut Vec<u8>, text: &str) {
    match u8::try_from(text.len()) {
        Ok(length) if length < u8::MAX => recording.extend([TEXT, length]),
        _ => {
            recording.extend([TEXT, u8::MAX]);
            recording.extend((text.len() as u64).to_le_bytes());
        }
    }
    recording.extend(text.as_bytes());
}

/// Takes the last entry of a recorded map, which begins there and has its value there, out
/// of it again, if it is a text to be kept apart.
///
/// One that stands twice, or is no text, is left in the map with any before it, for the
/// reader of the recording to report.
fn take_text(texts: &mut Texts, recording: &mut Vec<u8>, begin: usize, value: usize) {
    let place = match recording.get(begin..value) {
        Some(LABEL) => &mut texts.label,
        Some(DESCRIPTION) => &mut texts.description,
        _ => return,
    };
    let mut replay = Replay { rest: recording.get(value..).unwrap_or_default() };
    if place.is_none() && !texts.are_irregular && replay.tag() == Some(TEXT) {
        *place = replay.text().ok().map(Into::into);
        recording.truncate(begin);
        return;
    }
    texts.are_irregular = true;
    if let Some(before) = place.take() {
        let last = recording.split_off(begin);
        let key = last.get(..value.saturating_sub(begin)).unwrap_or_default();
        recording.extend(key);
        record_text(recording, &before);
        recording.extend(last);
    }
}

impl<'de> DeserializeSeed<'de> for Recorder<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Recorder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a user")
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        self.recording.push(NULL);
        Ok(())
    }
    fn visit_none<E>(self) -> Result<(), E> {
        self.recording.push(NULL);
        Ok(())
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.deserialize(deserializer)
    }
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<(), D::Error> {
        self.deserialize(inner)
    }
    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.recording.push(if value { TRUE } else { FALSE });
        Ok(())
    }
    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.fixed(INTEGER, value.to_le_bytes());
        Ok(())
    }
    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.fixed(INTEGER, value.to_le_bytes()),
            Err(_) => self.fixed(UNSIGNED, u128::from(value).to_le_bytes()),
        }
        Ok(())
    }
    fn visit_i128<E>(self, value: i128) -> Result<(), E> {
        self.fixed(SIGNED, value.to_le_bytes());
        Ok(())
    }
    fn visit_u128<E>(self, value: u128) -> Result<(), E> {
        self.fixed(UNSIGNED, value.to_le_bytes());
        Ok(())
    }
    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.fixed(FLOAT, value.to_le_bytes());
        Ok(())
    }
    fn visit_bytes<E>(self, _: &[u8]) -> Result<(), E> {
        self.recording.push(BYTES);
        Ok(())
    }
    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        record_text(self.recording, value);
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Recorder { recording, depth, .. } = self;
        recording.push(LIST);
        if depth < DEEPEST {
            let depth = depth.saturating_add(1);
            while list.next_element_seed(Recorder { recording, depth, texts: None })?.is_some() {}
        } else {
            skip_list(list)?;
        }
        recording.push(END);
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Recorder { recording, depth, mut texts } = self;
        recording.push(MAP);
        if depth < DEEPEST {
            let mut begin = recording.len();
            while map.next_key_seed(KeyRecorder(recording))?.is_some() {
                let (value, depth) = (recording.len(), depth.saturating_add(1));
                map.next_value_seed(Recorder { recording, depth, texts: None })?;
                if let Some(texts) = &mut texts {
                    take_text(texts, recording, begin, value);
                }
                begin = recording.len();
            }
        } else {
            skip_map(map)?;
        }
        recording.push(END);
        Ok(())
    }
}

/// Records the key of a map.
struct KeyRecorder<'r>(&'r mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for KeyRecorder<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyRecorder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, key: &str) -> Result<(), E> {
        record_text(self.0, key);
        Ok(())
    }
}

/// Reads a recorded value.
pub(super) struct Replay<'r> {
    rest: &'r [u8],
}

impl<'r> Replay<'r> {
    pub(super) fn of(recording: &'r [u8]) -> Replay<'r> {
        Replay { rest: recording }
    }

    fn tag(&mut self) -> Option<u8> {
        let (&tag, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(tag)
    }

    /// Returns whether a list or map ends here, which is then read.
    fn ends(&mut self) -> bool {
        let rest = self.rest.strip_prefix(&[END]);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn fixed<const SIZE: usize>(&mut self) -> Result<[u8; SIZE], Error> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(incomplete)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// The text after its tag.
    fn text(&mut self) -> Result<&'r str, Error> {
        let length = match self.tag() {
            Some(u8::MAX) => u64::from_le_bytes(self.fixed()?),
            length => length.ok_or_else(incomplete)?.into(),
        };
        let length = usize::try_from(length).map_err(Error::custom)?;
        let (text, rest) = self.rest.split_at_checked(length).ok_or_else(incomplete)?;
        self.rest = rest;
        str::from_utf8(text).map_err(Error::custom)
    }
}

fn incomplete() -> Error {
    Error::custom("an incomplete recording")
}

impl<'de> Deserializer<'de> for &mut Replay<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.tag().ok_or_else(incomplete)? {
            FALSE => visitor.visit_bool(false),
            TRUE => visitor.visit_bool(true),
            INTEGER => visitor.visit_i64(i64::from_le_bytes(self.fixed()?)),
            SIGNED => visitor.visit_i128(i128::from_le_bytes(self.fixed()?)),
            UNSIGNED => visitor.visit_u128(u128::from_le_bytes(self.fixed()?)),
            FLOAT => visitor.visit_f64(f64::from_le_bytes(self.fixed()?)),
            BYTES => visitor.visit_bytes(&[]),
            TEXT => visitor.visit_borrowed_str(self.text()?),
            LIST => visitor.visit_seq(Items(self)),
            MAP => visitor.visit_map(Items(self)),
            _ => visitor.visit_unit(),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

/// The items of a recorded list, or the entries of a map.
struct Items<'a, 'r>(&'a mut Replay<'r>);

impl<'r> SeqAccess<'r> for Items<'_, 'r> {
    type Error = Error;

    fn next_element_seed<S>(&mut self, seed: S) -> Result<Option<S::Value>, Error>
    where
        S: DeserializeSeed<'r>,
    {
        if self.0.ends() { Ok(None) } else { seed.deserialize(&mut *self.0).map(Some) }
    }
}

impl<'r> MapAccess<'r> for Items<'_, 'r> {
    type Error = Error;

    fn next_key_seed<S>(&mut self, seed: S) -> Result<Option<S::Value>, Error>
    where
        S: DeserializeSeed<'r>,
    {
        self.next_element_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'r>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(&mut *self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::IntoDeserializer;
    use serde_json::Value;

    use super::*;
    use crate::document::{CompactDocument, Document};

    fn recorded(value: &Value) -> (Vec<u8>, Texts) {
        let (mut recording, mut texts) = (Vec::new(), Texts::default());
        let recorder = Recorder::of_entry(&mut recording, &mut texts);
        recorder.deserialize(value).expect("a value");
        (recording, texts)
    }

    #[test]
    fn values_are_read_again_as_they_were() {
        let long = "é".repeat(200);
        let text = format!(
            r#"{{"null": null, "flags": [true, false], "integers": [0, -9223372036854775808],
                "greater": 18446744073709551615, "float": -0.5, "": ["", "{long}"],
                "map": {{"label": "inside", "list": []}}}}"#
        );
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let (recording, texts) = recorded(&value);
        assert!(!texts.are_any());
        let mut replay = Replay::of(&recording);
        // Read from a recording, an integer that exceeds 64 bits is one of 128 bits.
        let again = Value::deserialize(&mut replay);
        assert!(again.is_ok_and(|again| again == value) && replay.rest.is_empty());
        for end in 0..recording.len() {
            assert!(Value::deserialize(&mut Replay::of(&recording[..end])).is_err());
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_read_over() {
        let lists = format!("{}null{}", "[".repeat(10_000), "]".repeat(10_000));
        for field in ["groups", "label", "nope", "bounds"] {
            let text = format!(r#"{{"users": {{"ann": {{"{field}": {lists}}}}}}}"#);
            let compact: CompactDocument = serde_json::from_str(&text).expect("JSON");
            let document: Document = serde_json::from_str(&text).expect("JSON");
            assert!(Document::from(compact) == document, "{field}");
        }
    }

    #[test]
    fn what_json_does_not_have_is_recorded_too() {
        let mut recording = Vec::new();
        let mut record = |record: &dyn Fn(Recorder<'_>) -> Result<(), Error>| {
            recording.clear();
            let recorder = Recorder { recording: &mut recording, depth: 0, texts: None };
            record(recorder).expect("a value");
            recording.clone()
        };
        let huge = i128::MAX;
        let signed = record(&|it| it.deserialize((-huge).into_deserializer()));
        assert_eq!(i128::deserialize(&mut Replay::of(&signed)), Ok(-huge));
        let unsigned = record(&|it| it.deserialize(u128::MAX.into_deserializer()));
        assert_eq!(u128::deserialize(&mut Replay::of(&unsigned)), Ok(u128::MAX));
        assert_eq!(record(&|it| it.visit_bytes(b"abc")), [BYTES]);
        assert_eq!(record(&|it| it.visit_none()), [NULL]);
        assert_eq!(record(&|it| it.visit_some(true.into_deserializer())), [TRUE]);
        assert_eq!(record(&|it| it.visit_newtype_struct(false.into_deserializer())), [FALSE]);
    }

    #[test]
    fn texts_are_kept_apart_unless_they_are_irregular() {
        let texts_of = |text: &str| {
            let (mut recording, mut texts) = (Vec::new(), Texts::default());
            let recorder = Recorder::of_entry(&mut recording, &mut texts);
            recorder.deserialize(&mut serde_json::Deserializer::from_str(text)).expect("JSON");
            let Texts { label, description, .. } = texts;
            let mut keys = Vec::new();
            let mut replay = Replay::of(&recording);
            assert_eq!(replay.tag(), Some(MAP));
            while !replay.ends() {
                keys.push(String::deserialize(&mut replay).expect("a key"));
                serde::de::IgnoredAny::deserialize(&mut replay).expect("a value");
            }
            (label, description, keys.join(" "))
        };
        let some = |text: &str| Some(text.into());
        let regular = r#"{"a": 1, "label": "x", "b": 1, "description": "y"}"#;
        assert_eq!(texts_of(regular), (some("x"), some("y"), "a b".into()));
        let twice = r#"{"description": "y", "label": "x", "a": 1, "label": "z", "label": "x"}"#;
        assert_eq!(texts_of(twice), (None, some("y"), "a label label label".into()));
        let null = r#"{"a": 1, "label": null, "label": "x", "description": "y"}"#;
        assert_eq!(texts_of(null), (None, None, "a label label description".into()));
        let late = r#"{"label": "x", "a": 1, "label": 1}"#;
        assert_eq!(texts_of(late), (None, None, "a label label".into()));
    }
}

//! The canonical form of values: equal values have equal bytes, and values that differ
//! have different ones.
//!
//! | value | bytes |
//! | --- | --- |
//! | end of a sequence or map | 0 |
//! | `None`, `()`, a unit struct | 1 |
//! | `Some` | 2, the value |
//! | `false`, `true` | 3, 4 |
//! | an integer | 5, as 16 bytes |
//! | a float | 6, the bits of an `f64` as 8 bytes |
//! | a text, a character | 7, its length as 8 bytes, UTF-8 |
//! | bytes | 8, their number as 8 bytes, the bytes |
//! | a sequence, a tuple | 9, each item, 0 |
//! | a map, a struct | 10, each key and its value, by the bytes of the keys, 0 |
//! | a variant of an enum | 11, its name as a text, then a unit, a value, a tuple or a struct |
//!
//! A newtype struct has the form of its value. Numbers are little-endian. Each form
//! shows where it ends, so a sequence of forms can be read in one way only.

use std::fmt::{self, Display};
use std::mem;

use serde::ser::{self, Serialize, Serializer};

const END: u8 = 0;
const NONE: u8 = 1;
const SOME: u8 = 2;
const FALSE: u8 = 3;
const TRUE: u8 = 4;
const INTEGER: u8 = 5;
const FLOAT: u8 = 6;
const TEXT: u8 = 7;
const BYTES: u8 = 8;
const SEQUENCE: u8 = 9;
const MAP: u8 = 10;
const VARIANT: u8 = 11;

/// Returns the canonical form of a value; fails only if the value's `Serialize` does.
pub(super) fn bytes_of<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Unwritten> {
    let mut bytes = Vec::new();
    value.serialize(Writer(&mut bytes))?;
    Ok(bytes)
}

/// The error of a value that refuses to be serialized.
#[derive(Debug)]
pub(super) struct Unwritten(String);

impl Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unwritten {}

impl ser::Error for Unwritten {
    fn custom<T: Display>(message: T) -> Unwritten {
        Unwritten(message.to_string())
    }
}

/// Appends the form of a value.
struct Writer<'b>(&'b mut Vec<u8>);

impl<'b> Writer<'b> {
    fn tag(self, tag: u8) -> Result<(), Unwritten> {
        self.0.push(tag);
        Ok(())
    }

    fn integer(self, value: i128) -> Result<(), Unwritten> {
        self.0.push(INTEGER);
        self.0.extend(value.to_le_bytes());
        Ok(())
    }

    fn counted(self, tag: u8, bytes: &[u8]) -> Result<(), Unwritten> {
        self.0.push(tag);
        self.0.extend((bytes.len() as u64).to_le_bytes());
        self.0.extend(bytes);
        Ok(())
    }

    /// Writes the name of a variant, whose contents follow.
    fn variant(self, name: &str) -> Result<Writer<'b>, Unwritten> {
        self.0.push(VARIANT);
        Writer(&mut *self.0).counted(TEXT, name.as_bytes())?;
        Ok(self)
    }

    fn items(self) -> Items<'b> {
        self.0.push(SEQUENCE);
        Items(self.0)
    }

    fn entries(self) -> Entries<'b> {
        self.0.push(MAP);
        Entries { bytes: self.0, entries: Vec::new(), key: Vec::new() }
    }
}

macro_rules! integers {
    ($($of:ident($integer:ty))*) => {$(
        fn $of(self, value: $integer) -> Result<(), Unwritten> {
            self.integer(value.into())
        }
    )*};
}

impl<'b> Serializer for Writer<'b> {
    type Ok = ();
    type Error = Unwritten;
    type SerializeSeq = Items<'b>;
    type SerializeTuple = Items<'b>;
    type SerializeTupleStruct = Items<'b>;
    type SerializeTupleVariant = Items<'b>;
    type SerializeMap = Entries<'b>;
    type SerializeStruct = Entries<'b>;
    type SerializeStructVariant = Entries<'b>;

    fn serialize_bool(self, value: bool) -> Result<(), Unwritten> {
        if value { self.tag(TRUE) } else { self.tag(FALSE) }
    }

    integers! {
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
    }

    fn serialize_f32(self, value: f32) -> Result<(), Unwritten> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Unwritten> {
        self.0.push(FLOAT);
        self.0.extend(value.to_bits().to_le_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Unwritten> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Unwritten> {
        self.counted(TEXT, value.as_bytes())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Unwritten> {
        self.counted(BYTES, value)
    }

    fn serialize_none(self) -> Result<(), Unwritten> {
        self.tag(NONE)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unwritten> {
        self.0.push(SOME);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Unwritten> {
        self.tag(NONE)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unwritten> {
        self.tag(NONE)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Unwritten> {
        self.variant(variant)?.tag(NONE)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unwritten> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unwritten> {
        value.serialize(self.variant(variant)?)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'b>, Unwritten> {
        Ok(self.items())
    }

    fn serialize_tuple(self, _: usize) -> Result<Items<'b>, Unwritten> {
        Ok(self.items())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'b>, Unwritten> {
        Ok(self.items())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items<'b>, Unwritten> {
        Ok(self.variant(variant)?.items())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'b>, Unwritten> {
        Ok(self.entries())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries<'b>, Unwritten> {
        Ok(self.entries())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Entries<'b>, Unwritten> {
        Ok(self.variant(variant)?.entries())
    }

    /// Fixed, as it decides how some values are serialized.
    fn is_human_readable(&self) -> bool {
        true
    }
}

/// Appends the items of a sequence.
struct Items<'b>(&'b mut Vec<u8>);

macro_rules! items {
    ($($of:ident::$item:ident)*) => {$(
        impl ser::$of for Items<'_> {
            type Ok = ();
            type Error = Unwritten;

            fn $item<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Unwritten> {
                item.serialize(Writer(self.0))
            }

            fn end(self) -> Result<(), Unwritten> {
                self.0.push(END);
                Ok(())
            }
        }
    )*};
}

items! {
    SerializeSeq::serialize_element
    SerializeTuple::serialize_element
    SerializeTupleStruct::serialize_field
    SerializeTupleVariant::serialize_field
}

/// Collects the entries of a map, to append them in order.
struct Entries<'b> {
    bytes: &'b mut Vec<u8>,
    /// The forms of the keys and values.
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    /// The form of the key whose value comes next.
    key: Vec<u8>,
}

impl Entries<'_> {
    fn finish(mut self) -> Result<(), Unwritten> {
        self.entries.sort();
        for (key, value) in self.entries {
            self.bytes.extend(key);
            self.bytes.extend(value);
        }
        self.bytes.push(END);
        Ok(())
    }
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Unwritten;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritten> {
        self.key = bytes_of(key)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritten> {
        self.entries.push((mem::take(&mut self.key), bytes_of(value)?));
        Ok(())
    }

    fn end(self) -> Result<(), Unwritten> {
        self.finish()
    }
}

macro_rules! fields {
    ($($of:ident)*) => {$(
        impl ser::$of for Entries<'_> {
            type Ok = ();
            type Error = Unwritten;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Unwritten> {
                self.entries.push((bytes_of(name)?, bytes_of(value)?));
                Ok(())
            }

            fn end(self) -> Result<(), Unwritten> {
                self.finish()
            }
        }
    )*};
}

fields! { SerializeStruct SerializeStructVariant }

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;

    use super::bytes_of;
    use crate::document::Map;

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    struct Wrapped(i64);

    #[derive(Serialize)]
    struct Pair(u8, &'static str);

    #[derive(Serialize)]
    struct Fields {
        b: Option<bool>,
        a: char,
    }

    #[derive(Serialize)]
    enum Variants {
        Unit,
        Value(u8),
        Tuple(u8, u8),
        Fields { x: f64 },
    }

    fn hex(value: &impl Serialize) -> String {
        let bytes = bytes_of(value).expect("a form");
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn forms_are_as_they_are_documented() {
        let integer = |low: &str| format!("05{low:0<32}");
        let text = |text: &str| {
            let bytes: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("07{:02x}00000000000000{bytes}", text.len())
        };
        let variant = |name, contents| format!("0b{}{contents}", text(name));

        assert_eq!([hex(&()), hex(&Unit), hex(&None::<u8>)], ["01", "01", "01"]);
        assert_eq!([hex(&false), hex(&Some(true))], ["03", "0204"]);
        assert_eq!([hex(&3u8), hex(&3u64), hex(&Wrapped(3))], [(); 3].map(|()| integer("03")));
        assert_eq!(hex(&-1i8), format!("05{}", "ff".repeat(16)));
        assert_eq!([hex(&-2.0f32), hex(&-2.0f64)], ["0600000000000000c0"; 2]);
        assert_eq!([hex(&"é"), hex(&'é')], [(); 2].map(|()| text("é")));
        assert_eq!(hex(&[[1u8], [2]]), format!("0909{}0009{}0000", integer("01"), integer("02")));
        assert_eq!(hex(&Pair(1, "b")), format!("09{}{}00", integer("01"), text("b")));
        let fields = hex(&Fields { b: None, a: 'c' });
        assert_eq!(fields, format!("0a{}{}{}0100", text("a"), text("c"), text("b")));
        assert_eq!(hex(&Variants::Unit), variant("Unit", "01".to_owned()));
        assert_eq!(hex(&Variants::Value(1)), variant("Value", integer("01")));
        let tuple = variant("Tuple", format!("09{}{}00", integer("01"), integer("02")));
        assert_eq!(hex(&Variants::Tuple(1, 2)), tuple);
        let fields = format!("0a{}06{:0>16}00", text("x"), "0");
        assert_eq!(hex(&Variants::Fields { x: 0.0 }), variant("Fields", fields));
    }

    #[test]
    fn maps_have_one_form_in_any_order() {
        let names = ["b", "aa", "c", "a"];
        let map = |names: [&'static str; 4]| names.map(|name| (name, name.len())).into_iter();
        let sorted: BTreeMap<&str, usize> = map(names).collect();
        let mut turned = names;
        turned.reverse();
        let (one, other): (Map<usize>, Map<usize>) = (map(names).collect(), map(turned).collect());
        assert_eq!(hex(&one), hex(&sorted));
        assert_eq!(hex(&one), hex(&other));
        // Sequences keep their order.
        assert_ne!(hex(&names), hex(&turned));
    }

    #[test]
    fn a_value_that_refuses_is_an_error() {
        struct Refuses;

        impl Serialize for Refuses {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("it refuses"))
            }
        }

        assert_eq!(bytes_of(&vec![Some(Refuses)]).unwrap_err().to_string(), "it refuses");
    }
}

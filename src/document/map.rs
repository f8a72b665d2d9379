//! Maps as in a document: ordered, and with any duplicate keys.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::{Serialize, Serializer};

/// Values by name, in document order.
///
/// It can hold a name twice, because a document can; a [`Policy`](crate::Policy)
/// refuses that. Look-ups are linear: ask a compiled
/// [`Engine`](crate::Engine), not the raw document.
///
/// ```
/// use grantree::document::{Group, Map};
///
/// let mut groups = Map::default();
/// groups.push("uk", Group::default());
/// groups.push("leeds", Group { parent: Some("uk".into()), ..Group::default() });
/// assert_eq!(groups.get("leeds").unwrap().parent.as_deref(), Some("uk"));
/// assert!(groups.iter().map(|(name, _)| name).eq(["uk", "leeds"]));
///
/// groups.push("leeds", Group::default());
/// assert_eq!(groups.len(), 3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Map<V>(Vec<(String, V)>);

impl<V> Map<V> {
    /// Adds an entry at the end, even if the name is there already.
    pub fn push(&mut self, name: impl Into<String>, value: V) {
        self.0.push((name.into(), value));
    }

    /// Takes no more memory than it needs, for long.
    pub(crate) fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// Returns the first value of that name.
    pub fn get(&self, name: &str) -> Option<&V> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Returns the first value of that name, mutably.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        self.0.iter_mut().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Iterates over the entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &V)> + DoubleEndedIterator {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Iterates over the entries in order, to edit the values.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut V)> {
        self.0.iter_mut().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns `true` if there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops every entry for which `keep` returns `false`.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &V) -> bool) {
        self.0.retain(|(name, value)| keep(name, value));
    }
}

impl<V> Default for Map<V> {
    fn default() -> Map<V> {
        Map(Vec::new())
    }
}

impl<V> IntoIterator for Map<V> {
    type Item = (String, V);
    type IntoIter = std::vec::IntoIter<(String, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, V> IntoIterator for &'a Map<V> {
    type Item = (&'a str, &'a V);
    type IntoIter =
        std::iter::Map<std::slice::Iter<'a, (String, V)>, fn(&'a (String, V)) -> (&'a str, &'a V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl<N: Into<String>, V> Extend<(N, V)> for Map<V> {
    /// Adds entries at the end, even if their names are there already.
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, entries: I) {
        self.0.extend(entries.into_iter().map(|(name, value)| (name.into(), value)));
    }
}

impl<N: Into<String>, V> FromIterator<(N, V)> for Map<V> {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Map<V> {
        Map(entries.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl<V: Serialize> Serialize for Map<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Map<V> {
    /// Reads a map, and refuses duplicate names.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Map<V>, D::Error> {
        struct Entries<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = Map<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Map<V>, A::Error> {
                let mut out = indexmap::IndexMap::<String, V>::new();
                while let Some((name, value)) = map.next_entry()? {
                    if let Some(twice) = out.get_full(&name) {
                        return Err(A::Error::custom(format_args!("duplicate key `{}`", twice.1)));
                    }
                    out.insert(name, value);
                }
                Ok(out.into_iter().collect())
            }
        }

        deserializer.deserialize_map(Entries(PhantomData))
    }
}

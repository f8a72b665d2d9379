//! Sources that grant nearly the same.

use serde::Serialize;

use crate::bits::BitSet;
use crate::catalogue::{AttributeId, Bit};
use crate::document::{Bound, SettingValue};
use crate::engine::{Layer, Layers};
use crate::policy::{Class, Inner, Policy, SourceKind, SourceName};

/// Two sources of a kind that grant nearly the same, and state the same besides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Similar {
    /// The first.
    pub one: SourceName,
    /// The other.
    pub other: SourceName,
    /// The relation of what they grant.
    pub similarity: Similarity,
    /// The permissions that only the first grants, as `path` or `path:level`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only_one: Vec<String>,
    /// The permissions that only the other grants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only_other: Vec<String>,
}

/// The relation of what two sources grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Similarity {
    /// They grant the same.
    Same,
    /// The other grants everything that the first one does, and more. Of several, it is the one with
    /// the least more.
    Contained,
    /// They differ in few permissions.
    Near,
}

/// The rights of users who have a source alone.
struct Profile<'p> {
    name: SourceName,
    kind: SourceKind,
    layer: Layer,
    /// The number of permissions, and levels, that are granted.
    size: usize,
    bounds: Vec<(AttributeId, &'p Bound)>,
    settings: Vec<(u32, &'p SettingValue)>,
}

impl Profile<'_> {
    /// Returns whether two sources differ only in what they grant.
    fn is_alike(&self, other: &Profile<'_>) -> bool {
        let (a, b) = (&self.layer, &other.layer);
        self.kind == other.kind
            && a.denied == b.denied
            && a.forbidden == b.forbidden
            && self.bounds == other.bounds
            && self.settings == other.settings
    }
}

impl Policy {
    /// Returns pairs of profiles, of roles and of approval groups that grant the same, one of
    /// which contains the other, or that differ in no more than so many permissions, levels
    /// counting as permissions. Each is compared with what it includes, on top of the global
    /// source; sources that grant nothing besides are left out. Of several that grant the same,
    /// each is listed with the first of them, and only that one with others.
    ///
    /// A user who has both a source and one that contains it needs only the latter.
    ///
    /// Costs a comparison of sets for each pair: a second for two thousand roles.
    ///
    /// ```
    /// use grantree::roles::Similarity;
    /// use grantree::{Document, Policy};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [{"key": "a"}, {"key": "b"}, {"key": "c"}]},
    ///     "roles": {
    ///         "clerk": {"allow": ["a", "b"]}, "typist": {"allow": ["b", "a"]},
    ///         "lead": {"allow": ["a", "b", "c"]}, "guest": {"allow": ["c"]}}
    /// }"#;
    /// let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let found: Vec<_> = policy.similar_sources(1).into_iter().map(|it| {
    ///     (it.one.to_string(), it.similarity, it.other.to_string(), it.only_other)
    /// }).collect();
    /// assert_eq!(found, [
    ///     ("role `typist`".into(), Similarity::Same, "role `clerk`".into(), vec![]),
    ///     ("role `clerk`".into(), Similarity::Contained, "role `lead`".into(), vec!["c".into()]),
    ///     ("role `guest`".into(), Similarity::Contained, "role `lead`".into(), vec!["a".into(), "b".into()]),
    /// ]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn similar_sources(&self, most: usize) -> Vec<Similar> {
        let policy = self.inner();
        let profiles = profiles(policy);
        let (mut similar, mut distinct) = (Vec::new(), Vec::<&Profile<'_>>::new());
        for one in &profiles {
            let mut known = distinct.iter();
            match known.find(|it| {
                it.size == one.size && it.layer.granted == one.layer.granted && it.is_alike(one)
            }) {
                Some(first) => similar.push(pair(policy, one, first, Similarity::Same)),
                None => distinct.push(one),
            }
        }
        for (at, one) in distinct.iter().enumerate() {
            let mut container: Option<&Profile<'_>> = None;
            for (of, other) in distinct.iter().enumerate() {
                // The sizes decide of most pairs, and cost least.
                let (size, larger) = (one.size, other.size);
                let is_near = of > at && size.abs_diff(larger) <= most;
                let is_closer = container.is_none_or(|least| larger < least.size);
                if of == at || !(is_near || larger > size && is_closer) || !one.is_alike(other) {
                    continue;
                }
                let (granted, others) = (&one.layer.granted, &other.layer.granted);
                if granted.is_within(others) {
                    if is_closer {
                        container = Some(other);
                    }
                } else if is_near
                    && !others.is_within(granted)
                    && differences(granted, others) <= most
                {
                    similar.push(pair(policy, one, other, Similarity::Near));
                }
            }
            similar.extend(container.map(|it| pair(policy, one, it, Similarity::Contained)));
        }
        similar
    }
}

fn profiles(policy: &Inner) -> Vec<Profile<'_>> {
    let licensed = policy.catalogue.licensed(|_| true);
    let mut layers = Layers::new(policy, &licensed);
    let global = layers.grants(&Class::default()).granted;
    let mut profiles = Vec::new();
    for (id, _, source) in policy.sources.iter().filter(|(.., it)| it.kind != SourceKind::Global) {
        let closure = policy.sources.closure(&[id]);
        let class = Class { sources: [id].into(), ..Class::default() };
        let mut layer = layers.grants(&class);
        layer.granted.intersect_with(&policy.catalogue.grantable);
        if layer.granted.is_within(&global) {
            continue;
        }
        let stated = || closure.iter().map(|&id| &policy.sources[id].statements);
        let bounds = stated().flat_map(|it| it.bounds.iter().map(|(id, bound)| (*id, bound)));
        let settings = stated().flat_map(|it| it.settings.iter().map(|(id, it)| (*id, it)));
        let mut bounds: Vec<_> = bounds.collect();
        bounds.sort_by_key(|(id, _)| *id);
        profiles.push(Profile {
            name: policy.sources.name_of(id),
            kind: source.kind,
            size: layer.granted.iter().count(),
            layer,
            bounds,
            settings: settings.collect(),
        });
    }
    profiles
}

/// Counts the bits that only one of the two has.
fn differences(one: &BitSet, other: &BitSet) -> usize {
    one.pairs(other).map(|(a, b)| (a ^ b).count_ones() as usize).sum()
}

fn pair(policy: &Inner, one: &Profile<'_>, other: &Profile<'_>, similarity: Similarity) -> Similar {
    let only = |a: &Profile<'_>, b: &Profile<'_>| {
        let mut only = a.layer.granted.clone();
        only.subtract(&b.layer.granted);
        let names = only.iter().map(|bit: Bit| policy.catalogue.name_of(bit));
        names.collect()
    };
    Similar {
        one: one.name.clone(),
        other: other.name.clone(),
        similarity,
        only_one: only(one, other),
        only_other: only(other, one),
    }
}

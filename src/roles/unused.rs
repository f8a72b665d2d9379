//! Grants that nobody uses.

use serde::Serialize;

use super::Granted;
use crate::bits::BitSet;
use crate::catalogue::Bit;
use crate::ids::{Number, SourceId, UserSlot};
use crate::names::{HashMap, HashSet};
use crate::policy::{Inner, Policy, SourceName};

/// Grants of a source that none of its holders uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnusedGrants {
    /// The source.
    pub source: SourceName,
    /// The permissions, as `path` or `path:level`, in the order of the catalogue.
    pub permissions: Vec<String>,
    /// `true` if it grants nothing else.
    pub all: bool,
}

impl Policy {
    /// Returns the grants of each source that none of its holders has used, given a host's
    /// record of who did what: users and permissions, as `path` or `path:level`. Names that the
    /// policy does not know are passed over.
    ///
    /// A permission that is used uses those that it needs, and counts as used for each of the
    /// user's sources; of a scoped permission all scopes.
    ///
    /// ```
    /// use grantree::{Document, Policy};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}, {"key": "fax"}]}]},
    ///     "roles": {"clerk": {"allow": ["orders.**"]}},
    ///     "users": {"ann": {"roles": ["clerk"]}, "bob": {"roles": ["clerk"]}}
    /// }"#;
    /// let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let unused = policy.unused_grants([("ann", "orders.export"), ("bob", "orders")]);
    /// assert_eq!((unused.len(), &*unused[0].permissions), (1, &["orders.fax".to_owned()][..]));
    /// # Ok(())
    /// # }
    /// ```
    pub fn unused_grants<'u>(
        &self,
        used: impl IntoIterator<Item = (&'u str, &'u str)>,
    ) -> Vec<UnusedGrants> {
        let policy = self.inner();
        let used = policy.used(used);
        let mut by_source: HashMap<SourceId, BitSet> = HashMap::default();
        for (&slot, used) in &used {
            for id in policy.sources_in_any_capacity(slot) {
                by_source.entry(id).or_insert_with(|| policy.no_bits()).union_with(used);
            }
        }
        let mut unused = Vec::new();
        let mut add = |source: SourceName, granted: Granted, used: Option<&BitSet>| {
            let mut left = granted.bits.clone();
            used.into_iter().for_each(|used| left.subtract(used));
            if !left.is_empty() {
                let all = left == granted.bits;
                let names = left.iter().map(|bit| policy.catalogue.name_of(bit));
                unused.push(UnusedGrants { source, permissions: names.collect(), all });
            }
        };
        for (id, _, source) in policy.sources.iter() {
            let granted = Granted::by(&source.statements, &policy.catalogue);
            add(policy.sources.name_of(id), granted, by_source.get(&id));
        }
        for (slot, name, class) in policy.users.iter() {
            if let Some(own) = &class.statements {
                let granted = Granted::by(own, &policy.catalogue);
                add(SourceName::User(name.to_owned()), granted, used.get(&slot));
            }
        }
        unused
    }
}

impl Inner {
    fn no_bits(&self) -> BitSet {
        BitSet::new(self.catalogue.bits())
    }

    /// Returns the permissions that each user has used, with those that these need.
    fn used<'u>(
        &self,
        used: impl IntoIterator<Item = (&'u str, &'u str)>,
    ) -> HashMap<UserSlot, BitSet> {
        let mut by_user: HashMap<UserSlot, BitSet> = HashMap::default();
        for (user, action) in used {
            let (Some(slot), Ok(bit)) = (self.users.find(user), self.catalogue.threshold(action))
            else {
                continue;
            };
            let bits = by_user.entry(slot).or_insert_with(|| self.no_bits());
            let mut open: Vec<Bit> = vec![bit];
            while let Some(bit) = open.pop() {
                let id = self.catalogue.id_of(bit);
                let itself = (self.catalogue.scopes(id).len() == 0).then_some(id);
                for of in itself.into_iter().chain(self.catalogue.scopes(id)) {
                    let first = self.catalogue.node(of).bit;
                    let last = if of == id { bit.max(first) } else { first };
                    if !bits.contains(last) {
                        bits.insert_range(first..last.plus(1));
                        open.extend(self.catalogue.needs(of).map(|(_, bit)| bit));
                    }
                }
            }
        }
        by_user
    }

    /// Returns the sources that a user has in any capacity, with the global one.
    fn sources_in_any_capacity(&self, slot: UserSlot) -> HashSet<SourceId> {
        let mut held = vec![SourceId::GLOBAL];
        held.extend(self.users.get(slot).into_iter().flat_map(|(_, class)| class.sources.iter()));
        held.extend(self.users.own_sources(slot).flat_map(|(_, own)| own.sources.iter()));
        self.sources.closure(&held).into_iter().collect()
    }
}

//! Sources of this policy, for another.

use super::{Bundle, Refusal, Rule};
use crate::ids::SourceId;
use crate::names::HashSet;
use crate::policy::{Policy, SourceName};

impl Policy {
    /// All profiles, roles and approval groups, to be imported elsewhere
    /// ([`Change::Import`](super::Change::Import)). A policy with the same catalogue and
    /// no sources gets them exactly as they are here.
    ///
    /// ```
    /// use grantree::change::{Actor, Change, OnConflict};
    /// use grantree::{Document, Policy};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [{"key": "orders"}]},
    ///     "profiles": {"clerk": {"allow": ["orders"]}}
    /// }"#;
    /// let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let empty = r#"{"format": 1, "catalogue": {"permissions": [{"key": "orders"}]}}"#;
    /// let other = Policy::try_from(serde_json::from_str::<Document>(empty)?)?;
    ///
    /// let bundle = policy.export_all();
    /// let import = Change::Import { bundle, on_conflict: OnConflict::Refuse };
    /// let other = other.apply(Actor::Host, &import)?.policy;
    /// assert_eq!(Document::from(&other).profiles, Document::from(&policy).profiles);
    /// # Ok(())
    /// # }
    /// ```
    pub fn export_all(&self) -> Bundle {
        self.inner().bundle(|_| true)
    }

    /// Some profiles, roles and approval groups, to be imported elsewhere.
    ///
    /// A role comes with all the roles that it includes, as it would mean something
    /// else without them. Other references do not bring a role along: `assignable_by`
    /// and `demoted_to` are about who is who in a workspace. If the other policy has a
    /// role of that name, that one is meant; otherwise the import reports it, and a
    /// guard that loses its last name stays, for admins only.
    ///
    /// Sources come in the policy's order, each once.
    ///
    /// # Errors
    ///
    /// [`Rule::Unknown`] if the policy has no such source, and [`Rule::Invalid`] for the
    /// global source and for users, which belong to one policy.
    ///
    /// ```
    /// # use grantree::{Document, Policy, SourceName};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [{"key": "orders"}]},
    ///     "roles": {
    ///         "clerk": {"allow": ["orders"]},
    ///         "lead": {"includes": ["clerk"], "assignable_by": ["owner"]},
    ///         "owner": {"unique": true}}
    /// }"#;
    /// let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let bundle = policy.export([&SourceName::Role("lead".into())])?;
    /// let roles: Vec<&str> = bundle.roles.iter().map(|(name, _)| name).collect();
    /// assert_eq!(roles, ["clerk", "lead"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn export<'s>(
        &self,
        sources: impl IntoIterator<Item = &'s SourceName>,
    ) -> Result<Bundle, Refusal> {
        let policy = self.inner();
        let mut wanted = Vec::new();
        for source in sources {
            let Some((kind, name)) = source.assignable() else {
                let message = format!("{source} can't be exported");
                return Err(Refusal { rule: Rule::Invalid, message });
            };
            let (id, refusals) = policy.resolve(|it, place| it.source(kind, name, place));
            if let Some(refusal) = refusals.into_iter().next() {
                return Err(refusal);
            }
            wanted.extend(id);
        }
        let wanted = policy.sources.closure(&wanted).into_iter();
        let wanted: HashSet<SourceId> = wanted.collect();
        Ok(policy.bundle(|source| wanted.contains(&source)))
    }
}

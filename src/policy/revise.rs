//! Versions that are made of whole documents.

use std::sync::Arc;

use super::validate::{self, KnownCatalogue, Misfits};
use super::{Digest, HandleRange, Inner, Past, Policy, SharedCatalogue, Snapshot};
use crate::document::{Catalogue, CompactDocument, Document};
use crate::problem::{Faults, LeftOut, Place, Problems};

/// The next version of a policy, made by [`Policy::revise`] or [`Policy::upgrade`].
///
/// ```
/// # use grantree::{Document, Policy};
/// # let text = r#"{"format": 1, "catalogue": {}}"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// let text = r#"{"format": 1, "catalogue": {}, "users": {"ann": {}}}"#;
/// let revised = policy.revise(serde_json::from_str::<Document>(text)?)?;
/// assert_eq!(revised.policy.revision(), 1);
/// assert!(revised.left_out.is_empty());
/// // As an entry of a log it leads there from the version before.
/// assert_eq!(policy.replay(&revised.log_entry())?.version(), revised.policy.version());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Revised {
    /// The next version.
    pub policy: Policy,
    /// Everything that does not fit a new catalogue and was left out, in the order in
    /// which [`Policy::try_from`] would report it.
    pub left_out: Vec<LeftOut>,
    pub(crate) whole: Whole,
}

/// The form in which the log states a version that is made of a whole document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    Document,
    /// The rest follows from the version before.
    Catalogue,
}

/// The result of [`Policy::upgrade`].
#[derive(Clone, Debug)]
pub enum Upgrade {
    /// The policy has this catalogue already.
    Present,
    /// The policy had this catalogue before, and a newer one has taken its place since:
    /// whoever brings it is older than the policy.
    Superseded,
    /// The next version, with this catalogue.
    Done(Revised),
}

impl Policy {
    /// Makes the next version of this policy from an edited document: a
    /// [`Document`] or, which takes less time and memory where there are many users, a
    /// [`CompactDocument`].
    ///
    /// It gives the answers of any other policy made from that document. But handles to
    /// users and permissions from engines of this version stay valid for engines of the
    /// next one, for every name that it still has.
    ///
    /// Users keep this version's order, whatever their order in the document; new ones take
    /// the places of those who were removed before, and come last where there are none: so they
    /// come in [`Engine::who_can`](crate::Engine::who_can), and when
    /// the policy is converted into a document again.
    ///
    /// # Errors
    ///
    /// All that is wrong with the document. This policy stays as it is in any case.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [{"key": "orders"}]},
    ///     "users": {"alice": {}, "bob": {"allow": ["orders"]}}
    /// }"#;
    /// let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let engine = Engine::new(&policy);
    /// let (bob, orders) = (engine.user("bob")?, engine.permission("orders")?);
    ///
    /// let mut document = Document::from(&policy);
    /// document.users.retain(|name, _| name != "alice");
    /// let engine = Engine::new(&policy.revise(document)?.policy);
    /// assert!(engine.can(bob, orders, ()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn revise(&self, document: impl Into<CompactDocument>) -> Result<Revised, Problems> {
        self.next_whole(document.into(), &self.shared_catalogue(), Whole::Document)
    }

    /// Makes the next version of this policy by giving it a newer catalogue, in place:
    /// handles stay valid as with [`Policy::revise`].
    ///
    /// What no longer fits is left out and reported, as by
    /// [`PolicyBuilder::adopt`](crate::PolicyBuilder::adopt). A catalogue that the policy has,
    /// or had before, makes no version: so every process may bring its own when it starts,
    /// and an old one that starts late takes nothing back. To return to an older catalogue
    /// on purpose, revise a document that has it.
    ///
    /// # Errors
    ///
    /// Problems of the catalogue itself, and those that leaving out does not mend.
    ///
    /// ```
    /// use grantree::document::Catalogue;
    /// use grantree::{Document, Engine, Policy, Upgrade};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [{"key": "orders"}, {"key": "fax"}]},
    ///     "users": {"bob": {"allow": ["orders"], "deny": ["fax"]}}
    /// }"#;
    /// let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let engine = Engine::new(&policy);
    /// let (bob, orders) = (engine.user("bob")?, engine.permission("orders")?);
    ///
    /// let newer: Catalogue = serde_json::from_str(r#"{"permissions": [{"key": "orders"}, {"key": "mail"}]}"#)?;
    /// let Upgrade::Done(upgraded) = policy.upgrade(newer.clone())? else { panic!("it is new") };
    /// assert_eq!(upgraded.left_out[0].to_string(), "users.bob.deny[0]: unknown permission `fax` (left out, which may widen)");
    /// assert!(Engine::new(&upgraded.policy).can(bob, orders, ()));
    ///
    /// let older = Document::from(&policy).catalogue;
    /// assert!(matches!(upgraded.policy.upgrade(newer)?, Upgrade::Present));
    /// assert!(matches!(upgraded.policy.upgrade(older)?, Upgrade::Superseded));
    /// # Ok(())
    /// # }
    /// ```
    pub fn upgrade(&self, catalogue: Catalogue) -> Result<Upgrade, Problems> {
        self.upgrade_by(catalogue, &self.shared_catalogue())
    }

    /// [`Policy::upgrade`] to the catalogue of another policy, which it then shares as with
    /// [`PolicyBuilder::catalogue_of`](crate::PolicyBuilder::catalogue_of): from then on,
    /// handles to permissions are those of that policy.
    ///
    /// Handles taken before stay valid if it is a later version of the policy whose
    /// catalogue was shared, and are nobody's otherwise.
    ///
    /// # Errors
    ///
    /// The problems that leaving out does not mend.
    ///
    /// ```
    /// use grantree::{Document, Engine, Policy, Upgrade};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"{"format": 1, "catalogue": {"permissions": [{"key": "orders"}]}}"#;
    /// let product = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let tenant = Policy::builder().catalogue_of(&product).build(Document::default())?;
    ///
    /// // A new release: once for the product, then for each tenant.
    /// let newer = serde_json::from_str(r#"{"permissions": [{"key": "orders"}, {"key": "mail"}]}"#)?;
    /// let Upgrade::Done(product) = product.upgrade(newer)? else { panic!("it is new") };
    /// let Upgrade::Done(tenant) = tenant.upgrade_to(&product.policy)? else { panic!("it is new") };
    /// let mail = Engine::new(&product.policy).permission("mail")?;
    /// assert_eq!(Engine::new(&tenant.policy).name_of(mail).as_deref(), Some("mail"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn upgrade_to(&self, product: &Policy) -> Result<Upgrade, Problems> {
        let shared = product.shared_catalogue();
        self.upgrade_by(shared.catalogue.document.clone(), &shared)
    }

    fn upgrade_by(
        &self,
        catalogue: Catalogue,
        known: &SharedCatalogue,
    ) -> Result<Upgrade, Problems> {
        let digest = Digest::of(&catalogue);
        if digest == Digest::of(&self.inner().catalogue.document) {
            return Ok(Upgrade::Present);
        }
        if self.inner().past.superseded().contains(&digest) {
            return Ok(Upgrade::Superseded);
        }
        let mut document = Document::from(self);
        document.catalogue = catalogue;
        Ok(Upgrade::Done(self.next_whole(document.into(), known, Whole::Catalogue)?))
    }

    /// The catalogue, for later versions and other policies.
    pub(super) fn shared_catalogue(&self) -> SharedCatalogue {
        let inner = self.inner();
        SharedCatalogue {
            catalogue: Arc::clone(&inner.catalogue),
            lineage: inner.permissions.clone(),
        }
    }

    /// Returns this version with the catalogue of another policy, if that is equal but not
    /// shared yet.
    pub(crate) fn sharing(&self, product: &Policy) -> Option<Policy> {
        let (inner, SharedCatalogue { catalogue, lineage }) =
            (self.inner(), product.shared_catalogue());
        let is_equal = inner.catalogue.document == catalogue.document;
        (is_equal && !Arc::ptr_eq(&inner.catalogue, &catalogue))
            .then(|| Policy::from_inner(Inner { catalogue, permissions: lineage, ..inner.clone() }))
    }

    fn next_whole(
        &self,
        document: CompactDocument,
        known: &SharedCatalogue,
        whole: Whole,
    ) -> Result<Revised, Problems> {
        let misfits = match whole {
            Whole::Document => Misfits::AreProblems,
            Whole::Catalogue => Misfits::AreLeftOut,
        };
        let (mut after, left_out) = self.resolve_in_place(document, known, misfits)?;
        after.past = self.past_of_whole(&after);
        Ok(Revised { policy: Policy::from_inner(after), left_out, whole })
    }

    /// Puts a stored version in the place of this one, and keeps the lineage.
    pub(crate) fn replaced(&self, snapshot: Snapshot) -> Result<Policy, Problems> {
        let past = Past::stored(snapshot.version(), &snapshot.superseded);
        let known = self.shared_catalogue();
        let (after, _) =
            self.resolve_in_place(snapshot.document.into(), &known, Misfits::AreProblems)?;
        Ok(Policy::from_inner(Inner { past, ..after }))
    }

    /// Resolves a document such that the names that it shares with this version keep
    /// their numbers. If it has a catalogue that is known, that serves.
    fn resolve_in_place(
        &self,
        document: CompactDocument,
        known: &SharedCatalogue,
        misfits: Misfits,
    ) -> Result<(Inner, Vec<LeftOut>), Problems> {
        let before = self.inner();
        let known_one = KnownCatalogue::IfSame(known);
        let (mut after, left_out) =
            validate::resolve(document, known_one, &before.limits, misfits, &mut |_, _| {})?;
        let users = std::mem::take(&mut after.users);
        let mut faults = Faults::new(Vec::new(), before.limits);
        match users.seated(&before.users, |users| before.lineage.seat(users)) {
            Some(users) => after.users = users,
            None => faults.too_many(&Place::Root.key("users"), "users", HandleRange::SIZE),
        }
        if let Some(problems) = Problems::new(faults.into_problems()) {
            return Err(problems);
        }
        if !Arc::ptr_eq(&after.catalogue, &known.catalogue) {
            after.permissions = before.permissions.follow(&before.catalogue, &after.catalogue);
        }
        after.lineage = before.lineage.clone();
        Ok((after, left_out))
    }
}

//! Makes policies of documents.

use std::fmt;
use std::sync::Arc;

use super::validate::{self, KnownCatalogue, Misfits};
use super::{Adopted, Policy, SharedCatalogue};
use crate::document::CompactDocument;
use crate::limits::Limits;
use crate::problem::Problems;

/// Makes policies with other than the default limits, or of documents that may not fit
/// their catalogue; see [`Policy::builder`].
///
/// ```
/// use grantree::problem::Limits;
/// use grantree::{Document, Policy};
///
/// let text = r#"{"format": 1, "catalogue": {}, "users": {"ann": {}, "bob": {}}}"#;
/// let document: Document = serde_json::from_str(text).unwrap();
/// let mut limits = Limits::default();
/// limits.users = 1;
/// let problems = Policy::builder().limits(limits).build(document).unwrap_err();
/// assert_eq!(problems.to_string(), "users: too many users: the limit is 1");
/// ```
#[must_use]
#[derive(Default)]
pub struct PolicyBuilder<'p> {
    limits: Limits,
    shared: Option<SharedCatalogue>,
    progress: Option<Box<dyn FnMut(usize, usize) + 'p>>,
}

impl fmt::Debug for PolicyBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyBuilder").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Policy {
    /// Returns a builder with the default limits.
    ///
    /// [`Policy::try_from`] is short for [`PolicyBuilder::build`] with these.
    pub fn builder<'p>() -> PolicyBuilder<'p> {
        PolicyBuilder::default()
    }
}

impl<'p> PolicyBuilder<'p> {
    /// Sets the limits on the size of a document. They hold for later versions of the
    /// policy too.
    pub fn limits(mut self, limits: Limits) -> PolicyBuilder<'p> {
        self.limits = limits;
        self
    }

    /// Takes the catalogue of another policy, compiled already, rather than one of the
    /// document's own: so the tenants of an installation share one, and a handle to a
    /// permission from any of them is valid for all. Handles to users stay with their policy.
    ///
    /// A document to [build](PolicyBuilder::build) or to [restore](PolicyBuilder::restore)
    /// leaves its catalogue empty, or has the same; one to [adopt](PolicyBuilder::adopt) may
    /// have any, of which nothing is taken. Later versions go on sharing it until they get
    /// another one. See [tenants](crate::guide::tenants).
    ///
    /// ```
    /// use grantree::{Document, Engine, Policy};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"{"format": 1, "catalogue": {"permissions": [{"key": "orders"}]}}"#;
    /// let product = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let orders = Engine::new(&product).permission("orders")?;
    ///
    /// let text = r#"{"format": 1, "catalogue": {}, "users": {"bob": {"allow": ["orders"]}}}"#;
    /// let tenant: Document = serde_json::from_str(text)?;
    /// let tenant = Engine::new(&Policy::builder().catalogue_of(&product).build(tenant)?);
    /// assert!(tenant.can(tenant.user("bob")?, orders, ()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn catalogue_of(mut self, policy: &Policy) -> PolicyBuilder<'p> {
        self.shared = Some(policy.shared_catalogue());
        self
    }

    /// Sets what is called now and then, and at the end, with the number of users done
    /// and of all users. A million users take about a second, or a tenth of one where they
    /// were read as a [`CompactDocument`] and many are alike.
    ///
    /// ```
    /// use grantree::{Document, Policy};
    ///
    /// let text = r#"{"format": 1, "catalogue": {}, "users": {"ann": {}, "bob": {}}}"#;
    /// let document: Document = serde_json::from_str(text).unwrap();
    /// let mut last = (0, 0);
    /// let report = |done, total| last = (done, total);
    /// Policy::builder().on_progress(report).build(document).unwrap();
    /// assert_eq!(last, (2, 2));
    /// ```
    pub fn on_progress(mut self, report: impl FnMut(usize, usize) + 'p) -> PolicyBuilder<'p> {
        self.progress = Some(Box::new(report));
        self
    }

    /// Makes a policy of a [`Document`](crate::Document) or, which takes less time and
    /// memory where there are many users, of a [`CompactDocument`].
    ///
    /// # Errors
    ///
    /// Every problem that the document has.
    pub fn build(self, document: impl Into<CompactDocument>) -> Result<Policy, Problems> {
        Ok(self.resolve(document.into(), Misfits::AreProblems)?.policy)
    }

    /// Makes a policy from a stored document whose catalogue was replaced by a newer
    /// one: what no longer fits is left out, and reported.
    ///
    /// Whatever refers to something that is gone, or has changed so that it no longer
    /// fits, is left out:
    ///
    /// - Statements whose pattern no longer matches anything, levels and values that
    ///   are gone, bounds of another form. Restrictions among these are marked,
    ///   because without them a source may be wider: somebody should review them.
    /// - In an assignment's `on`, a kind of object with a condition that no longer fits, and
    ///   then `*`, which would come to cover that kind. An assignment of whose `on`, or of
    ///   whose sources and statements, nothing is left is left out.
    /// - The whole entry of a kind of change in `governance.permissions` that needs a
    ///   permission that is gone, which leaves that kind to admins. A separation keeps
    ///   the permissions that are left.
    /// - The licence's edition, the default profile, and any role, profile or approval
    ///   group that a source or user names, if the document lacks it. A source whose
    ///   `assignable_by` has no name left is for admins to assign.
    ///
    /// What names a path that permissions of the catalogue list in `was` is first made to
    /// name those permissions instead: in patterns the base becomes theirs, and a threshold
    /// keeps its level. Where there are several, each gets the statement, and a kind of
    /// change needs all of them. If two levels are then stated of one pattern, the lower
    /// one stays and the other is reported. Nothing is guessed: what was renamed without
    /// such a note is left out.
    ///
    /// What `*` in an assignment's `on` covers follows the catalogue: a kind that is new, or
    /// that newly declares what `*` states, is covered from now on. Which kinds these are
    /// is not told, since the catalogue before is not at hand;
    /// [`Engine::diff`](crate::Engine::diff) compares with the policy before.
    ///
    /// Costs as much as [`Policy::try_from`], and leaves nothing out if that would
    /// accept the document.
    ///
    /// The policy is a new one, at revision 0. If engines are running, make it the
    /// next version of their policy, so that handles stay valid:
    /// `policy.revise(Document::from(&adopted.policy))`.
    ///
    /// # Errors
    ///
    /// Problems that leaving out does not mend: those of the catalogue itself, mistakes in the
    /// form of the document, duplicate or invalid names, excesses over limits, cycles,
    /// and unique roles that are included or have two holders.
    ///
    /// ```
    /// use grantree::{Document, Policy};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let stored = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [
    ///         {"key": "orders", "children": [{"key": "export"}, {"key": "fax"}]}]},
    ///     "roles": {"clerk": {"allow": ["orders", "orders.fax"], "deny": ["orders.export"]}},
    ///     "governance": {"permissions": {"assign_role": ["orders", "orders.fax"]}}
    /// }"#;
    /// let newer = r#"{"permissions": [{"key": "orders", "children": [{"key": "exports"}]}]}"#;
    /// let mut document: Document = serde_json::from_str(stored)?;
    /// document.catalogue = serde_json::from_str(newer)?;
    ///
    /// let adopted = Policy::builder().adopt(document)?;
    /// let told: Vec<String> = adopted.left_out.iter().map(ToString::to_string).collect();
    /// assert_eq!(told, [
    ///     "governance.permissions.assign_role[1]: unknown permission `orders.fax` (left out)",
    ///     "roles.clerk.allow[1]: unknown permission `orders.fax` (left out)",
    ///     "roles.clerk.deny[0]: unknown permission `orders.export`; \
    ///      did you mean `orders.exports`? (left out, which may widen)",
    /// ]);
    /// let document = Document::from(&adopted.policy);
    /// assert_eq!(document.roles.get("clerk").unwrap().source.statements.allow, ["orders"]);
    /// // Assigning a role is for admins now.
    /// assert!(document.governance.permissions.is_empty());
    ///
    /// // The new path, if the catalogue says what it was.
    /// let newer = r#"{"permissions": [{"key": "orders", "children": [
    ///     {"key": "exports", "was": ["orders.export"]}, {"key": "fax"}]}]}"#;
    /// let mut document: Document = serde_json::from_str(stored)?;
    /// document.catalogue = serde_json::from_str(newer)?;
    /// let adopted = Policy::builder().adopt(document)?;
    /// assert!(adopted.left_out.is_empty());
    /// let document = Document::from(&adopted.policy);
    /// assert_eq!(document.roles.get("clerk").unwrap().source.statements.deny, ["orders.exports"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn adopt(self, document: impl Into<CompactDocument>) -> Result<Adopted, Problems> {
        self.resolve(document.into(), Misfits::AreLeftOut)
    }

    fn resolve(self, document: CompactDocument, misfits: Misfits) -> Result<Adopted, Problems> {
        let mut report = self.progress.unwrap_or_else(|| Box::new(|_, _| {}));
        let known = self.shared.as_ref().map_or(KnownCatalogue::None, KnownCatalogue::InPlace);
        let (inner, left_out) =
            validate::resolve(document, known, &self.limits, misfits, &mut report)?;
        Ok(Adopted { policy: Policy(Arc::new(inner)), left_out })
    }
}

//! A document whose every reference resolves.

#![expect(clippy::arithmetic_side_effects, reason = "counts and sizes of what is in memory")]

mod builder;
mod canonical;
mod difference;
mod digest;
mod draft;
mod entries;
mod generation;
mod governance;
mod hex;
mod lineage;
mod resolve;
mod revise;
mod snapshot;
mod source;
mod sources;
mod statements;
mod subject;
mod terms;
mod users;
mod validate;
mod version;
mod view;

use std::fmt;
use std::sync::Arc;

pub use builder::PolicyBuilder;
pub(crate) use difference::Difference;
pub use digest::Digest;
pub(crate) use draft::Draft;
pub(crate) use generation::Seat;
pub(crate) use governance::{ByKind, ChangeKind, Governance, Separation};
pub(crate) use lineage::{HandleRange, PermissionLineage, SharedCatalogue, UserLineage};
pub(crate) use resolve::Resolver;
pub(crate) use revise::Whole;
pub use revise::{Revised, Upgrade};
pub use snapshot::Snapshot;
pub use source::SourceName;
pub(crate) use sources::{Held, Origin, Source, SourceKind, Sources, Tier, Ways};
pub(crate) use statements::{Effect, List, Said, Statement, StatementIndex, Statements, nearest};
pub(crate) use terms::{Conditions, OwnSources, TermTest, Terms};
pub(crate) use users::{Assigned, Assignment, Capacity, Class, Holder, Likeness, Texts, Users};
pub(crate) use version::Past;
pub use version::{Version, VersionId, VersionIdError};
pub use view::{PermissionForm, PermissionView, SourceHolder};

use smallvec::SmallVec;

use crate::catalogue::{AttributeId, Catalogue};
use crate::document::{self, Bundle, Document};
use crate::graph;
use crate::ids::{ClassId, GroupId, Key, Number, SourceId, UserSlot};
use crate::limits::Limits;
use crate::names::{HashSet, NameMap};
use crate::problem::LeftOut;

/// A policy: a document that has no problems.
///
/// It is proof of that: nothing that was checked is checked again. It is cheap to
/// clone. Made directly from a document, it converts back into an equal one.
///
/// ```
/// use grantree::{Document, Policy};
///
/// let text = r#"{
///     "format": 1,
///     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
///     "roles": {"clerk": {"allow": ["orders", "orders.exprot"]}}
/// }"#;
/// let document: Document = serde_json::from_str(text).unwrap();
/// let problems = Policy::try_from(document).unwrap_err();
/// assert_eq!(
///     problems.to_string(),
///     "roles.clerk.allow[1]: unknown permission `orders.exprot`; did you mean `orders.export`?",
/// );
/// ```
#[derive(Clone)]
pub struct Policy(Arc<Inner>);

/// One line, however large the policy is; convert it into a [`Document`] to see all.
impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy = &*self.0;
        f.debug_struct("Policy")
            .field("revision", &policy.past.revision)
            .field("profiles", &policy.sources.count(SourceKind::Profile))
            .field("roles", &policy.sources.count(SourceKind::Role))
            .field("approval_groups", &policy.sources.count(SourceKind::ApprovalGroup))
            .field("users", &policy.users.len())
            .finish_non_exhaustive()
    }
}

/// A stored document, fitted to a newer catalogue.
///
/// ```
/// use grantree::{Document, Policy};
///
/// let stored = r#"{
///     "format": 1,
///     "catalogue": {"permissions": [{"key": "orders"}]},
///     "roles": {"clerk": {"allow": ["orders", "orders.fax"]}}
/// }"#;
/// let adopted = Policy::builder().adopt(serde_json::from_str::<Document>(stored)?)?;
/// assert_eq!(adopted.left_out.len(), 1);
/// let document = Document::from(&adopted.policy);
/// assert_eq!(document.roles.get("clerk").unwrap().source.statements.allow, ["orders"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Adopted {
    /// The policy of what fits.
    pub policy: Policy,
    /// Everything that does not fit and was left out, in the order in which
    /// [`Policy::try_from`] would report it.
    pub left_out: Vec<LeftOut>,
}

#[derive(Clone, Debug)]
pub(crate) struct Inner {
    /// The limits that the document was held to.
    pub(crate) limits: Limits,
    pub(crate) lineage: UserLineage,
    pub(crate) permissions: PermissionLineage,
    pub(crate) past: Past,
    /// The schema that the document names.
    pub(crate) schema: Option<Box<str>>,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) licence: Arc<Licence>,
    pub(crate) sources: Sources,
    pub(crate) default_profile: Option<SourceId>,
    pub(crate) groups: Arc<Groups>,
    pub(crate) users: Users,
    pub(crate) governance: Arc<Governance>,
}

/// The features that are licensed.
#[derive(Debug, PartialEq)]
pub(crate) struct Licence {
    stated: document::Licence,
    /// The stated features and those of the edition.
    features: HashSet<Box<str>>,
}

impl Licence {
    pub(crate) fn new(stated: document::Licence, catalogue: &Catalogue) -> Licence {
        let edition = stated.edition.as_deref().unwrap_or_default();
        let listed = stated.features.iter().map(String::as_str);
        let features = listed.chain(catalogue.features_of(edition)).map(Into::into).collect();
        Licence { stated, features }
    }

    /// The licence as the document has it.
    pub(crate) fn stated(&self) -> &document::Licence {
        &self.stated
    }
}

/// The groups that the policy names, whether declared or not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Groups {
    /// Each with the group that it is beneath.
    pub(crate) parents: NameMap<Option<GroupId>>,
    /// The declarations, as written.
    pub(crate) declared: document::Map<document::Group>,
}

impl Groups {
    pub(crate) fn name(&self, id: GroupId) -> &str {
        self.parents.get_index(id.index()).map_or("", |(name, _)| name)
    }

    fn parent(&self, id: GroupId) -> Option<GroupId> {
        self.parents.get_index(id.index()).and_then(|(_, parent)| *parent)
    }

    /// The number of a group, which need not be declared.
    pub(crate) fn number(&mut self, name: &str) -> GroupId {
        let known = self.parents.get_index_of(name);
        GroupId::new(known.unwrap_or_else(|| self.parents.insert_full(name.into(), None).0))
    }

    /// The groups that are beneath each other in a cycle, cycle by cycle.
    pub(crate) fn cycles(&self) -> Vec<Vec<GroupId>> {
        let walk = graph::walk(self.parents.len(), |group, at| match at {
            0 => self.parent(GroupId::new(group)).map(Key::index),
            _ => None,
        });
        let groups = |ring: Vec<(usize, usize)>| {
            ring.into_iter().map(|(group, _)| GroupId::new(group)).collect()
        };
        walk.cycles.into_iter().map(groups).collect()
    }

    /// Returns `true` if a group is one of these or a descendant of one.
    pub(crate) fn is_beneath(&self, group: &str, of: &[GroupId]) -> bool {
        self.parents.get_index_of(group).is_some_and(|group| self.reaches(GroupId::new(group), of))
    }

    /// The same, of a group's number, which may be new to this version.
    pub(crate) fn reaches(&self, group: GroupId, of: &[GroupId]) -> bool {
        std::iter::successors(Some(group), |&group| self.parent(group)).any(|it| of.contains(&it))
    }

    /// The groups that have another parent than in another version.
    pub(crate) fn moved(&self, other: &Groups) -> Vec<GroupId> {
        let all = GroupId::first(self.parents.len().max(other.parents.len()));
        all.filter(|&group| self.parent(group) != other.parent(group)).collect()
    }
}

impl Policy {
    pub(crate) fn from_inner(inner: Inner) -> Policy {
        Policy(Arc::new(inner))
    }

    #[inline]
    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }

    /// Returns the number of versions of this policy before this one: 0 for one that
    /// was made from a document, and one more with every change and every
    /// [`Policy::revise`].
    ///
    /// ```
    /// # use grantree::{Document, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {},
    /// #     "users": {"bob": {}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// use grantree::change::{Actor, Change};
    ///
    /// let next = policy.apply(Actor::Host, &Change::RemoveUser { user: "bob".into() })?.policy;
    /// assert_eq!((policy.revision(), next.revision()), (0, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn revision(&self) -> u64 {
        self.inner().past.revision
    }
}

impl From<&Policy> for Document {
    /// The policy as a document, equal to the one that it was directly made from.
    /// After [`Policy::revise`], users may come in another order.
    fn from(policy: &Policy) -> Document {
        let inner = policy.inner();
        let users = inner.users.iter().map(|(slot, name, _)| (name, inner.user(slot)));
        Document { users: users.collect(), ..inner.without_users() }
    }
}

impl Inner {
    /// The policy as a document, users aside.
    fn without_users(&self) -> Document {
        let catalogue = &self.catalogue;
        let Bundle { profiles, roles, approval_groups } = self.bundle(|_| true);
        Document {
            schema: self.schema.as_deref().map(Into::into),
            catalogue: catalogue.document.clone(),
            licence: self.licence.stated.clone(),
            global: self.sources.global().to_document(catalogue),
            default_profile: self.default_profile.map(|id| self.sources.name(id).to_owned()),
            profiles,
            roles,
            approval_groups,
            groups: self.groups.declared.clone(),
            governance: self.governance.stated().clone(),
            ..Document::default()
        }
    }

    /// Returns `true` if the licence has a feature.
    pub(crate) fn is_licensed(&self, feature: &str) -> bool {
        self.licence.features.contains(feature)
    }

    /// Rule 8: the bounds on an attribute that decide for a user, each with its source;
    /// a value must pass one of them. For what an assignment carries, with its own sources
    /// (rule 9).
    pub(crate) fn bounds_of<'p>(
        &'p self,
        user: &'p Class,
        own: Option<&'p OwnSources>,
        attribute: AttributeId,
    ) -> impl Iterator<Item = (Origin, &'p document::Bound)> {
        let mut stated: SmallVec<[(Held<'_>, &document::Bound); 8]> = SmallVec::new();
        let own = own.into_iter().flat_map(|own| self.own_sources(own));
        let mut sources: Vec<Held<'_>> = self.sources_of(user).chain(own).collect();
        sources.sort_by_key(|source| source.tier);
        for source in sources {
            let bounds = source.statements.bounds.iter().filter(|(of, _)| *of == attribute);
            stated.extend(bounds.map(|(_, bound)| (source, bound)));
        }
        let decisive = stated.last().map(|(source, _)| source.tier);
        let decides = move |&(source, _): &(Held<'_>, _)| Some(source.tier) == decisive;
        stated.into_iter().filter(decides).map(|(source, bound)| (source.origin, bound))
    }

    /// The wanted profiles, roles and approval groups, as a document has them.
    pub(crate) fn bundle(&self, wanted: impl Fn(SourceId) -> bool) -> Bundle {
        let of = |kind| self.sources.of(kind).filter(|&(id, ..)| wanted(id));
        let source = |(_, name, source)| (name, self.source(source));
        let role = |(_, name, role)| (name, self.role(role));
        Bundle {
            profiles: of(SourceKind::Profile).map(source).collect(),
            roles: of(SourceKind::Role).map(role).collect(),
            approval_groups: of(SourceKind::ApprovalGroup).map(source).collect(),
        }
    }

    /// A source as a document has a role.
    fn role(&self, role: &Source) -> document::Role {
        let demoted_to = role.demoted_to.map(|id| self.sources.name(id).to_owned());
        let includes = self.sources.names(SourceKind::Role, &role.includes);
        document::Role { source: self.source(role), includes, unique: role.unique, demoted_to }
    }

    fn source(&self, source: &Source) -> document::Source {
        let guard = source.assignable_by.as_deref();
        document::Source {
            label: source.label.as_deref().map(Into::into),
            description: source.description.as_deref().map(Into::into),
            template: source.template,
            protected: source.protected,
            assignable_by: guard.map(|guard| self.sources.names(SourceKind::Role, guard)),
            statements: source.statements.to_document(&self.catalogue),
        }
    }

    /// The users who have a source.
    pub(crate) fn holders(&self, id: SourceId) -> Vec<UserSlot> {
        let classes = self.users.classes().filter(|(_, class)| class.sources.contains(&id));
        let classes: HashSet<ClassId> = classes.map(|(class, _)| class).collect();
        if classes.is_empty() {
            return Vec::new();
        }
        self.users.of_classes(|class| classes.contains(&class)).collect()
    }

    /// The users who have a source in an assignment.
    pub(crate) fn assigned_to(&self, id: SourceId) -> Vec<UserSlot> {
        let holds = |assigned: &Assigned| {
            let capacity = self.users.capacity(assigned.capacity);
            capacity.is_some_and(|it| it.own.sources.contains(&id))
        };
        self.users.assigned_any(holds)
    }

    /// Assignments, as a document has them.
    pub(crate) fn assignments(&self, assigned: &[Assigned]) -> document::Map<document::Assignment> {
        let stated = assigned.iter().map(|assigned| {
            let own = self.users.capacity(assigned.capacity).map(|it| it.own.clone());
            let own = own.unwrap_or_default();
            let names = |kind| self.sources.names(kind, self.sources.only(&own.sources, kind));
            let assignment = document::Assignment {
                label: assigned.texts.label.as_deref().map(Into::into),
                description: assigned.texts.description.as_deref().map(Into::into),
                roles: names(SourceKind::Role),
                approval_groups: names(SourceKind::ApprovalGroup),
                on: assigned.terms.stated.clone(),
                from: assigned.terms.from,
                until: assigned.terms.until,
                statements: own
                    .statements
                    .map_or_else(Default::default, |own| own.to_document(&self.catalogue)),
            };
            (&*assigned.name, assignment)
        });
        stated.collect()
    }

    /// A user of a class, as a document has it.
    fn class(&self, class: &Class) -> document::UserEntry {
        let statements = class.statements.as_deref();
        let names = |kind| self.sources.names(kind, self.sources.only(&class.sources, kind));
        document::UserEntry {
            profile: names(SourceKind::Profile).pop(),
            roles: names(SourceKind::Role),
            approval_groups: names(SourceKind::ApprovalGroup),
            admin: class.admin,
            suspended: class.suspended,
            statements: statements
                .map_or_else(Default::default, |own| own.to_document(&self.catalogue)),
            ..document::UserEntry::default()
        }
    }
}

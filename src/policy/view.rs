//! Reads what a policy states, without a copy of its document.

use std::fmt;

use super::{Assigned, Inner, Policy, SourceName, Texts};
use crate::catalogue::{Catalogue, Form, NodeId};
use crate::document::{self, Governance, Licence, Role, UserEntry};
use crate::ids::{SourceId, UserSlot, each};
use crate::object::Id;

/// A node of a policy's catalogue: a permission, a heading or a scope.
///
/// ```
/// use grantree::{Document, Policy, PermissionForm};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = r#"{
///     "format": 1,
///     "catalogue": {"permissions": [{"key": "jobs", "label": "Jobs", "children": [
///         {"key": "title", "levels": ["hidden", "read_only", "read_write"]}]}]}
/// }"#;
/// let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// let jobs = policy.permission("jobs").unwrap();
/// assert_eq!((jobs.label(), jobs.form()), (Some("Jobs"), PermissionForm::Plain));
/// let title = jobs.children().next().unwrap();
/// assert_eq!(title.path(), "jobs.title");
/// let PermissionForm::Graded(levels) = title.form() else { panic!("{title:?}") };
/// assert_eq!(levels.len(), 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct PermissionView<'p> {
    catalogue: &'p Catalogue,
    id: NodeId,
}

/// The form of a node of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PermissionForm<'p> {
    /// It only groups others.
    Heading,
    /// It is granted or not.
    Plain,
    /// It is granted at one of these levels, of which the lowest comes first.
    Graded(&'p [Box<str>]),
    /// It splits into scopes, which are its first children.
    Scoped,
    /// It is a scope of the permission above it.
    Scope,
}

impl fmt::Debug for PermissionView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PermissionView").field(&self.path()).finish()
    }
}

impl<'p> PermissionView<'p> {
    /// Returns its path.
    pub fn path(self) -> &'p str {
        &self.catalogue.node(self.id).path
    }

    /// Returns its short text for people.
    pub fn label(self) -> Option<&'p str> {
        self.catalogue.node(self.id).label.as_deref()
    }

    /// Returns its form.
    pub fn form(self) -> PermissionForm<'p> {
        match &self.catalogue.node(self.id).form {
            Form::Heading => PermissionForm::Heading,
            Form::Plain => PermissionForm::Plain,
            Form::Graded(levels) => PermissionForm::Graded(levels),
            Form::Scoped(_) => PermissionForm::Scoped,
            Form::Scope(..) => PermissionForm::Scope,
        }
    }

    /// Returns the kind of object that it is exercised on.
    pub fn object(self) -> Option<&'p str> {
        let kind = self.catalogue.node(self.id).kind?;
        self.catalogue.kind_name(kind)
    }

    /// Returns the node above it, unless it is a root.
    pub fn parent(self) -> Option<PermissionView<'p>> {
        let above = self.catalogue.node(self.id).above?;
        Some(PermissionView { id: above, ..self })
    }

    /// Iterates over the nodes directly beneath it, scopes included, in document order.
    pub fn children(self) -> impl Iterator<Item = PermissionView<'p>> {
        self.catalogue.children(Some(self.id)).map(move |id| PermissionView { id, ..self })
    }
}

/// A user who has a source, in general or in an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceHolder<'p> {
    /// The user.
    pub user: &'p str,
    /// The assignment that holds it, if it is one.
    pub assignment: Option<&'p str>,
}

impl Policy {
    /// Returns a node of the catalogue by its path.
    pub fn permission(&self, path: &str) -> Option<PermissionView<'_>> {
        let catalogue = &*self.inner().catalogue;
        Some(PermissionView { catalogue, id: catalogue.find(path)? })
    }

    /// Iterates over all nodes of the catalogue, headings and scopes included, each before
    /// what is beneath it.
    pub fn permissions(&self) -> impl Iterator<Item = PermissionView<'_>> {
        let catalogue = &*self.inner().catalogue;
        each(catalogue.subtree(None)).map(|id| PermissionView { catalogue, id })
    }

    /// Returns the catalogue as written, with its settings, kinds of objects and editions.
    pub fn catalogue(&self) -> &document::Catalogue {
        &self.inner().catalogue.document
    }

    /// Returns the licence.
    pub fn licence(&self) -> &Licence {
        self.inner().licence.stated()
    }

    /// Returns the rules for changing the policy.
    pub fn governance(&self) -> &Governance {
        self.inner().governance.stated()
    }

    /// Iterates over the names of all users, in the policy's order.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.inner().users.iter().map(|(_, name, _)| name)
    }

    /// Returns a user as a document has it: profile, roles, groups, assignments, own
    /// statements.
    ///
    /// ```
    /// # use grantree::{Document, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {},
    /// #     "roles": {"clerk": {}},
    /// #     "users": {"7": {"roles": ["clerk"], "suspended": true}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let user = policy.user(7).unwrap();
    /// assert!(user.suspended && user.roles == ["clerk"]);
    /// assert!(policy.user(8).is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn user(&self, name: impl Id) -> Option<UserEntry> {
        let inner = self.inner();
        let slot = name.with_text(|name| inner.users.find(name))?;
        Some(inner.user(slot))
    }

    /// Returns a source as a document has a role: what only roles have is empty for
    /// others.
    pub fn source(&self, source: &SourceName) -> Option<Role> {
        let inner = self.inner();
        let statements = match source {
            SourceName::Global => inner.sources.global().to_document(&inner.catalogue),
            SourceName::User(name) => self.user(name)?.statements,
            _ => {
                let id = self.find(source)?;
                return Some(inner.role(&inner.sources[id]));
            }
        };
        let source = document::Source { statements, ..document::Source::default() };
        Some(Role { source, ..Role::default() })
    }

    /// Returns the users who have a profile, role or approval group, in general or in an
    /// assignment, in the policy's order; those who have a role that includes it aside.
    ///
    /// ```
    /// # use grantree::{Document, Policy, SourceName};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {},
    /// #     "roles": {"clerk": {}},
    /// #     "users": {
    /// #         "ann": {"roles": ["clerk"]},
    /// #         "bob": {"assignments": {"cover": {"roles": ["clerk"], "until": "2026-12-24"}}}}
    /// # }"#;
    /// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
    /// let holders = policy.holders(&SourceName::Role("clerk".into()));
    /// let holders = holders.iter().map(|it| (it.user, it.assignment));
    /// assert!(holders.eq([("ann", None), ("bob", Some("cover"))]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn holders(&self, source: &SourceName) -> Vec<SourceHolder<'_>> {
        let (inner, Some(id)) = (self.inner(), self.find(source)) else { return Vec::new() };
        let users = &inner.users;
        let mut holders: Vec<(UserSlot, Option<&str>)> = Vec::new();
        holders.extend(inner.holders(id).into_iter().map(|slot| (slot, None)));
        for slot in inner.assigned_to(id) {
            let holds = |assigned: &&Assigned| {
                let capacity = users.capacity(assigned.capacity);
                capacity.is_some_and(|it| it.own.sources.contains(&id))
            };
            let assigned = users.assigned(slot).iter().filter(holds);
            holders.extend(assigned.map(|assigned| (slot, Some(&*assigned.name))));
        }
        // Users are in the order of their slots, and keep that of their assignments.
        holders.sort_by_key(|&(slot, _)| slot);
        let named = |(slot, assignment)| SourceHolder { user: users.name(slot), assignment };
        holders.into_iter().map(named).collect()
    }

    fn find(&self, source: &SourceName) -> Option<SourceId> {
        let (kind, name) = source.assignable()?;
        self.inner().sources.find(kind, name)
    }
}

impl Inner {
    /// A user, as a document has it.
    pub(super) fn user(&self, slot: UserSlot) -> UserEntry {
        let texts = self.users.texts(slot);
        let text = |text: fn(&Texts) -> &Option<Box<str>>| {
            texts.and_then(|texts| text(texts).as_deref()).map(Into::into)
        };
        let groups = self.users.groups(slot).iter();
        let of_class = self.users.get(slot).map(|(_, class)| self.class(class));
        UserEntry {
            label: text(|texts| &texts.label),
            description: text(|texts| &texts.description),
            groups: groups.map(|&id| self.groups.name(id).to_owned()).collect(),
            assignments: self.assignments(self.users.assigned(slot)),
            ..of_class.unwrap_or_default()
        }
    }
}

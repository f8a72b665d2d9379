//! The changes of each kind that somebody might ask for: a search tries those that lead on,
//! and random sessions take one of them.

use super::{Bundle, Change, OnConflict, OnHeld, Op};
use crate::document::{Assignment, Licence, Map, NewUser, Role, Source, Statements};
use crate::ids::SourceId;
use crate::names::IndexSet;
use crate::policy::{ChangeKind, Class, Inner, SourceKind, SourceName};

/// The changes that come into question in a version of a policy.
pub(crate) struct Candidates<'p> {
    pub(crate) policy: &'p Inner,
    /// Lists of patterns, of which statements may come to allow one.
    pub(crate) aims: &'p [Vec<String>],
    /// The name of what is made.
    pub(crate) made: &'p str,
}

impl<'p> Candidates<'p> {
    /// Returns the changes of a kind; those that are about a user, about this one, who need
    /// not exist.
    pub(crate) fn of(&self, kind: ChangeKind, user: &str) -> Vec<Change> {
        let of_kind = |kinds: [ChangeKind; 3]| {
            let at = kinds.iter().position(|it| *it == kind)?;
            [SourceKind::Profile, SourceKind::Role, SourceKind::ApprovalGroup].get(at).copied()
        };
        if let Some(of) = of_kind(ChangeKind::CREATE) {
            self.creations(of)
        } else if let Some(of) = of_kind(ChangeKind::RENAME) {
            let to = || self.made.to_owned();
            self.names(of).map(|source| Change::Rename { source, to: to() }).collect()
        } else if let Some(of) = of_kind(ChangeKind::EDIT) {
            self.names(of).flat_map(|source| self.edits(source)).collect()
        } else if let Some(of) = of_kind(ChangeKind::DELETE) {
            self.deletions(of)
        } else if let Some(of) = of_kind(ChangeKind::ASSIGN) {
            let held = self.class(user).map(|class| &*class.sources);
            let Some(held) = held else { return Vec::new() };
            let others = self.policy.sources.of(of).filter(|(id, ..)| !held.contains(id));
            let others = others.map(|(id, ..)| self.policy.sources.name_of(id));
            others.map(|source| Change::Assign { user: user.to_owned(), source }).collect()
        } else if let Some(of) = of_kind(ChangeKind::REVOKE) {
            let held = self.class(user).map(|class| self.policy.sources.only(&class.sources, of));
            let held = held.into_iter().flatten().map(|&id| self.policy.sources.name_of(id));
            held.map(|source| Change::Revoke { user: user.to_owned(), source }).collect()
        } else if kind.concerns_users() {
            self.of_user(kind, user)
        } else {
            self.of_all(kind)
        }
    }

    fn class(&self, user: &str) -> Option<&'p Class> {
        let slot = self.policy.users.find(user)?;
        self.policy.users.get(slot).map(|(_, class)| class)
    }

    fn names(&self, kind: SourceKind) -> impl Iterator<Item = SourceName> {
        self.policy.sources.of(kind).map(move |(_, name, _)| kind.named(name))
    }

    /// Returns an edit that allows each of the lists of patterns.
    fn edits(&self, source: SourceName) -> impl Iterator<Item = Change> {
        self.aims.iter().map(move |aim| {
            let ops = aim.iter().cloned().map(Op::Allow).collect();
            Change::Edit { source: source.clone(), ops, cascade: false }
        })
    }

    fn creations(&self, kind: SourceKind) -> Vec<Change> {
        if self.policy.sources.find(kind, self.made).is_some() {
            return Vec::new();
        }
        let create = |from| Change::Create { source: kind.named(self.made), from };
        let clones = self.names(kind).map(|from| create(Some(from)));
        [create(None)].into_iter().chain(clones).collect()
    }

    fn deletions(&self, kind: SourceKind) -> Vec<Change> {
        let of = |source: SourceName| {
            let other = self.names(kind).find(|other| *other != source);
            let other = other.and_then(|it| it.name().map(str::to_owned));
            let reassign = other.map(OnHeld::Reassign);
            let ways = [OnHeld::Refuse, OnHeld::Unassign].into_iter().chain(reassign);
            ways.map(move |holders| Change::Delete { source: source.clone(), holders })
        };
        self.names(kind).flat_map(of).collect()
    }

    /// Returns the other changes that concern a user.
    fn of_user(&self, kind: ChangeKind, user: &str) -> Vec<Change> {
        let policy = self.policy;
        let name = || user.to_owned();
        let Some(class) = self.class(user) else { return self.of_newcomer(kind, user) };
        match kind {
            ChangeKind::RemoveUser => vec![Change::RemoveUser { user: name() }],
            ChangeKind::RenameUser => {
                let to = format!("{user} before");
                vec![Change::Rename { source: SourceName::User(name()), to }]
            }
            ChangeKind::EditUser => self.edits(SourceName::User(name())).collect(),
            ChangeKind::SetAdmin => {
                vec![Change::SetAdmin { user: name(), admin: !class.admin }]
            }
            ChangeKind::SetSuspended => {
                vec![Change::SetSuspended { user: name(), suspended: !class.suspended }]
            }
            ChangeKind::SetGroups => {
                let known = policy.groups.parents.keys().map(|group| vec![group.to_string()]);
                let all = known.chain([Vec::new()]);
                all.map(|groups| Change::SetGroups { user: name(), groups }).collect()
            }
            ChangeKind::Transfer => {
                let roles = policy.sources.of(SourceKind::Role);
                let unique =
                    roles.filter(|(id, _, role)| role.unique && !class.sources.contains(id));
                unique
                    .map(|(_, role, _)| Change::Transfer { role: role.to_owned(), to: name() })
                    .collect()
            }
            ChangeKind::SetAssignment => self.assignments(user),
            _ => Vec::new(),
        }
    }

    fn of_newcomer(&self, kind: ChangeKind, user: &str) -> Vec<Change> {
        match kind {
            ChangeKind::AddUser => {
                let added = NewUser { user: user.to_owned(), ..NewUser::default() };
                vec![Change::AddUser(Box::new(added))]
            }
            ChangeKind::RenameUser => {
                let others = self.policy.users.iter();
                let rename = |(_, other, _): (_, &str, _)| Change::Rename {
                    source: SourceName::User(other.to_owned()),
                    to: user.to_owned(),
                };
                others.map(rename).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns assignments of statements and of roles that a user might get, and those that
    /// the user might lose.
    fn assignments(&self, user: &str) -> Vec<Change> {
        let sources = &self.policy.sources;
        let set = |name: &str, assignment: Option<Assignment>| Change::SetAssignment {
            user: user.to_owned(),
            name: name.to_owned(),
            assignment: assignment.map(Box::new),
        };
        let allowing = |allow: &Vec<String>| {
            let statements = Statements { allow: allow.clone(), ..Statements::default() };
            Assignment { statements, ..Assignment::default() }
        };
        let of_role = |(_, role, _): (SourceId, &str, _)| Assignment {
            roles: vec![role.to_owned()],
            ..Assignment::default()
        };
        let roles = sources.of(SourceKind::Role).filter(|(.., role)| !role.unique);
        let given = self.aims.iter().map(allowing).chain(roles.map(of_role));
        let slot = self.policy.users.find(user);
        let known = slot.into_iter().flat_map(|slot| self.policy.users.assigned(slot));
        let taken = known.map(|assigned| set(&assigned.name, None));
        given.map(|it| set(self.made, Some(it))).chain(taken).collect()
    }

    /// Returns the other changes of what users share.
    fn of_all(&self, kind: ChangeKind) -> Vec<Change> {
        let policy = self.policy;
        match kind {
            ChangeKind::EditGlobal => self.edits(SourceName::Global).collect(),
            ChangeKind::SetDefaultProfile => {
                let profiles = policy.sources.of(SourceKind::Profile);
                let others = profiles.filter(|(id, ..)| policy.default_profile != Some(*id));
                let others = others.map(|(_, name, _)| Some(name.to_owned()));
                let none = policy.default_profile.map(|_| None);
                let all = others.chain(none);
                all.map(|profile| Change::SetDefaultProfile { profile }).collect()
            }
            ChangeKind::SetGroup => {
                let names = || policy.groups.parents.keys().map(ToString::to_string);
                let parents = || names().map(Some).chain([None]);
                let pairs = names().flat_map(|group| {
                    let above = parents().filter(|parent| parent.as_ref() != Some(&group));
                    let above: Vec<Option<String>> = above.collect();
                    above.into_iter().map(move |parent| (group.clone(), parent))
                });
                pairs.map(|(group, parent)| Change::SetGroup { group, parent }).collect()
            }
            ChangeKind::SetLicence => self.licences(),
            ChangeKind::Import => {
                let kinds = [SourceKind::Role, SourceKind::Profile, SourceKind::ApprovalGroup];
                let of = |kind| {
                    self.aims.iter().map(move |aim| Change::Import {
                        bundle: self.bundle(kind, aim),
                        on_conflict: OnConflict::Refuse,
                    })
                };
                kinds.into_iter().flat_map(of).collect()
            }
            ChangeKind::Expire => {
                let lists = policy.users.assignment_lists().flat_map(|(_, list)| list);
                let ends = lists.filter_map(|assigned| assigned.terms.until?.plus_days(1));
                let ends: IndexSet<_> = ends.collect();
                ends.into_iter().map(|before| Change::Expire { before }).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns the licence with every feature, then each edition, and none.
    fn licences(&self) -> Vec<Change> {
        let catalogue = &self.policy.catalogue;
        let nodes = catalogue.nodes.values().iter();
        let features: IndexSet<String> =
            nodes.flat_map(|node| &node.feature).map(ToString::to_string).collect();
        let edition = self.policy.licence.stated().edition.clone();
        let all = Licence { edition, features: features.into_iter().collect() };
        let editions = catalogue.document.editions.iter().map(|(edition, _)| Licence {
            edition: Some(edition.to_owned()),
            ..Licence::default()
        });
        let all = [all].into_iter().chain(editions).chain([Licence::default()]);
        all.map(Change::SetLicence).collect()
    }

    /// Returns a bundle of one source that allows some patterns.
    fn bundle(&self, kind: SourceKind, allow: &[String]) -> Bundle {
        let statements = Statements { allow: allow.to_vec(), ..Statements::default() };
        let source = Source { statements, ..Source::default() };
        let mut bundle = Bundle::default();
        match kind {
            SourceKind::Profile => bundle.profiles = Map::from_iter([(self.made, source)]),
            SourceKind::ApprovalGroup => {
                bundle.approval_groups = Map::from_iter([(self.made, source)]);
            }
            SourceKind::Role | SourceKind::Global => {
                bundle.roles = Map::from_iter([(self.made, Role { source, ..Role::default() })]);
            }
        }
        bundle
    }
}

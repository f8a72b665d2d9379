//! From a document to a policy: every name resolved, every problem reported.

use std::sync::Arc;

use indexmap::map::Entry;
use serde::de::{Deserialize, Deserializer, Error};

use super::{
    ChangeKind, Governance, Groups, Inner, Licence, Past, PermissionLineage, Policy, Resolver,
    SharedCatalogue, Source, SourceKind, Sources, Statements, UserLineage,
};
use crate::catalogue::{Bit, Catalogue, includes};
use crate::document::{self, CompactDocument, Document, Map, Role};
use crate::ids::{Number, SourceId};
use crate::limits::Limits;
use crate::names::{MOST, NameMap};
use crate::problem::{Faults, LeftOut, Place, ProblemKind, Problems, Seen, truncate_list};

impl TryFrom<Document> for Policy {
    type Error = Problems;

    /// Resolves every reference of a document.
    ///
    /// # Errors
    ///
    /// Every problem that it has.
    fn try_from(document: Document) -> Result<Policy, Problems> {
        Policy::builder().build(document)
    }
}

impl TryFrom<CompactDocument> for Policy {
    type Error = Problems;

    /// Resolves every reference of a document.
    ///
    /// # Errors
    ///
    /// Every problem that it has.
    fn try_from(document: CompactDocument) -> Result<Policy, Problems> {
        Policy::builder().build(document)
    }
}

impl<'de> Deserialize<'de> for Policy {
    /// Reads a document and resolves every reference of it, in one step.
    ///
    /// ```
    /// use grantree::Policy;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Configuration {
    ///     policy: Policy,
    /// }
    ///
    /// let text = r#"{"policy": {
    ///     "format": 1,
    ///     "catalogue": {"permissions": [{"key": "orders", "colour": "red"}]},
    ///     "roles": {"clerk": {"allow": ["ordres"]}}
    /// }}"#;
    /// let error = serde_json::from_str::<Configuration>(text).err().unwrap().to_string();
    /// assert!(error.starts_with("\
    /// catalogue.permissions[0].colour: unknown field `colour`
    /// roles.clerk.allow[0]: unknown permission `ordres`; did you mean `orders`?"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Every problem that it has, in one error of the format's reader.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Policy, D::Error> {
        let document = CompactDocument::deserialize(deserializer)?;
        Policy::try_from(document).map_err(D::Error::custom)
    }
}

/// The treatment of references that do not fit the rest of a document.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfits {
    AreProblems,
    AreLeftOut,
}

/// A catalogue that is there, for a document to be resolved by.
#[derive(Clone, Copy)]
pub(super) enum KnownCatalogue<'c> {
    None,
    /// Serves if the document has the same.
    IfSame(&'c SharedCatalogue),
    /// Takes the place of the document's, which must be the same, or else there is none or
    /// it does not matter.
    InPlace(&'c SharedCatalogue),
}

/// Resolves a document, or returns its problems; beside it, the misfits left out.
pub(super) fn resolve(
    document: CompactDocument,
    known: KnownCatalogue<'_>,
    limits: &Limits,
    misfits: Misfits,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(Inner, Vec<LeftOut>), Problems> {
    let (document, users) = document.into_parts();
    let mut faults = Faults::new(document.faults.0, *limits);
    let root = Place::Root;
    let SharedCatalogue { catalogue, lineage } =
        known.serving(document.catalogue, misfits, &mut faults);
    // A catalogue is accepted whole or not at all.
    if misfits == Misfits::AreLeftOut {
        faults.leave_out();
    }

    let mut sources = Sources::new();
    let mut declare_all = |kind, map| declare(kind, map, &mut sources, &mut faults);
    let profiles = declare_all(SourceKind::Profile, as_roles(document.profiles));
    let roles = declare_all(SourceKind::Role, document.roles);
    let approval_groups =
        declare_all(SourceKind::ApprovalGroup, as_roles(document.approval_groups));
    let mut resolver = Resolver { catalogue: &catalogue, sources: &sources, faults: &mut faults };

    let licence = resolver.licence(document.licence, &root.key("licence"));
    let global = resolver.counted(&document.global, &root.key("global"));
    let default_profile = document
        .default_profile
        .and_then(|name| resolver.source(SourceKind::Profile, &name, &root.key("default_profile")));
    let place = root.key("roles");
    let listed = roles.iter().map(|(name, role)| (&**name, role.includes.as_slice()));
    includes("role", "roles", listed, &roles, &place, resolver.faults);
    unique_included(&roles, &place, resolver.faults);
    let groups = groups(document.groups, &root.key("groups"), resolver.faults);
    let place = root.key("users");
    let (users, groups) = resolver.users(users, groups, &place, progress);
    let place = root.key("governance");
    let governance = resolver.governance(&document.governance, &place);

    let mut resolved = vec![Source { statements: global, ..Source::new(SourceKind::Global) }];
    for (kind, declared) in [
        (SourceKind::Profile, &profiles),
        (SourceKind::Role, &roles),
        (SourceKind::ApprovalGroup, &approval_groups),
    ] {
        let place = root.key(kind.field());
        resolved.extend(
            declared.iter().map(|(name, role)| resolver.role(kind, role, &place.name(name))),
        );
    }
    for (id, source) in SourceId::first(resolved.len()).zip(resolved) {
        sources.set(id, source);
    }
    sources.order_includes();

    let left_out = faults.take_left_out();
    if let Some(problems) = Problems::new(faults.into_problems()) {
        return Err(problems);
    }
    Ok((
        Inner {
            limits: *limits,
            past: Past::none(),
            schema: document.schema.map(Into::into),
            lineage: UserLineage::first(&users),
            permissions: lineage,
            licence: Arc::new(Licence::new(licence, &catalogue)),
            sources,
            default_profile,
            groups: Arc::new(groups),
            users,
            governance: Arc::new(governance),
            catalogue,
        },
        left_out,
    ))
}

impl KnownCatalogue<'_> {
    /// The catalogue of a document: one that is known, or the document's own.
    fn serving(
        self,
        stated: document::Catalogue,
        misfits: Misfits,
        faults: &mut Faults,
    ) -> SharedCatalogue {
        let is_same = |shared: &SharedCatalogue| shared.catalogue.document == stated;
        match self {
            KnownCatalogue::InPlace(shared) => {
                let is_none = stated == document::Catalogue::default();
                if misfits == Misfits::AreProblems && !is_none && !is_same(shared) {
                    let what = "another catalogue than the one that the policy is to share; \
                                leave it empty, or adopt the document";
                    faults.push(&Place::Root.key("catalogue"), ProblemKind::Unfit { what });
                }
                shared.clone()
            }
            KnownCatalogue::IfSame(shared) if is_same(shared) => shared.clone(),
            _ => {
                let catalogue = Arc::new(Catalogue::build(stated, faults));
                SharedCatalogue { lineage: PermissionLineage::first(&catalogue), catalogue }
            }
        }
    }
}

/// Profiles and approval groups as roles that have no more than these.
fn as_roles(sources: Map<document::Source>) -> Map<Role> {
    sources.into_iter().map(|(name, source)| (name, Role { source, ..Role::default() })).collect()
}

/// Gives the sources of a kind their numbers, in the order of the map.
fn declare(
    kind: SourceKind,
    map: Map<Role>,
    sources: &mut Sources,
    faults: &mut Faults,
) -> NameMap<Role> {
    let place = Place::Root.key(kind.field());
    let mut out = NameMap::with_capacity_and_hasher(map.len(), Default::default());
    let most = faults.limits.sources.min(MOST);
    if map.len() > most {
        faults.too_many(&place, "entries", most);
    }
    for (name, role) in map {
        let place = place.name(&name);
        faults.check_text(&place, &name);
        insert(&mut out, &name, role, &place, faults);
    }
    for (name, role) in &out {
        sources.insert(name, Source { unique: role.unique, ..Source::new(kind) });
    }
    // Assignments look at what a role includes.
    for (name, role) in out.iter().filter(|(_, role)| !role.includes.is_empty()) {
        let Some(id) = sources.find(kind, name) else { continue };
        let includes = included(role, sources);
        sources.change(id, |source| source.includes = includes);
    }
    out
}

/// Finds the roles that a role includes. Unknown names are reported elsewhere.
fn included(role: &Role, sources: &Sources) -> Box<[SourceId]> {
    let includes = role.includes.iter();
    includes.filter_map(|name| sources.find(SourceKind::Role, name)).collect()
}

/// Adds an entry, or reports a duplicate name.
fn insert<V>(out: &mut NameMap<V>, name: &str, value: V, place: &Place<'_>, faults: &mut Faults) {
    match out.entry(name.into()) {
        Entry::Occupied(_) => faults.duplicate(place, name),
        Entry::Vacant(vacant) => {
            vacant.insert(value);
        }
    }
}

fn groups(declared: Map<document::Group>, place: &Place<'_>, faults: &mut Faults) -> Groups {
    let mut groups = Groups::default();
    for (name, _) in declared.iter() {
        let place = place.name(name);
        faults.check_text(&place, name);
        insert(&mut groups.parents, name, None, &place, faults);
    }
    for (name, group) in declared.iter() {
        let Some(parent) = &group.parent else { continue };
        faults.check_text(&place.name(name).key("parent"), parent);
        let parent = groups.number(parent);
        if let Some(own) = groups.parents.get_mut(name) {
            *own = Some(parent);
        }
    }
    for ring in groups.cycles() {
        let names: Vec<_> = ring.iter().map(|&group| groups.name(group).to_owned()).collect();
        if let Some(last) = names.last() {
            let place = place.name(last);
            let kind = ProblemKind::Cycle { what: "groups", names: truncate_list(names.clone()) };
            faults.push(&place.key("parent"), kind);
        }
    }
    Groups { declared, ..groups }
}

/// Reports unique roles that are included.
fn unique_included(roles: &NameMap<Role>, place: &Place<'_>, faults: &mut Faults) {
    for (name, role) in roles {
        let place = place.name(name);
        let list = place.key("includes");
        for (at, role) in role.includes.iter().enumerate() {
            if roles.get(role.as_str()).is_some_and(|included| included.unique) {
                faults.push(&list.item(at), ProblemKind::UniqueIncluded { role: role.clone() });
            }
        }
    }
}

impl Resolver<'_> {
    fn licence(&mut self, mut licence: document::Licence, place: &Place<'_>) -> document::Licence {
        let edition = licence.edition.take();
        licence.edition = edition.filter(|name| self.edition(name, &place.key("edition")));
        let list = place.key("features");
        for (at, feature) in licence.features.iter().enumerate() {
            self.faults.check_name(&list.item(at), feature);
        }
        licence
    }

    /// Resolves a role, or a profile or approval group [as one](as_roles).
    fn role(&mut self, kind: SourceKind, role: &Role, place: &Place<'_>) -> Source {
        let (source, sources) = (&role.source, self.sources);
        let list = place.key("assignable_by");
        let demoted_to = role.demoted_to.as_deref();
        Source {
            assignable_by: (source.assignable_by.as_deref())
                .map(|guard| self.sources(SourceKind::Role, guard, &list).collect()),
            statements: self.counted(&source.statements, place),
            includes: included(role, sources),
            unique: role.unique,
            demoted_to: demoted_to
                .and_then(|name| self.source(SourceKind::Role, name, &place.key("demoted_to"))),
            ..Source::described(kind, source)
        }
    }

    /// Resolves the statements of a document, which may have only so many.
    pub(super) fn counted(
        &mut self,
        stated: &document::Statements,
        place: &Place<'_>,
    ) -> Statements {
        let lists = [&stated.allow, &stated.except, &stated.deny, &stated.forbid];
        let patterns: usize = lists.map(Vec::len).iter().sum();
        let entries = stated.levels.len() + stated.bounds.len() + stated.settings.len();
        self.faults.count_statements(place, patterns + entries);
        self.statements(stated, place)
    }

    /// Governance without unknown names. A kind of change that needs an unknown
    /// permission is dropped, which leaves it to admins: merely needing one permission
    /// less would let more actors make it.
    fn governance(&mut self, governance: &document::Governance, place: &Place<'_>) -> Governance {
        let (escalate, escalating) = self.all_of(&governance.escalate, &place.key("escalate"));
        let (bind, binding) = self.all_of(&governance.bind, &place.key("bind"));
        let mut fitting = document::Governance {
            permissions: Map::default(),
            no_escalation: governance.no_escalation,
            protect_superiors: governance.protect_superiors,
            escalate,
            bind,
            separation: Vec::new(),
        };
        let (mut needs, mut separated) = (Vec::new(), Vec::new());
        let mut changes = Seen::default();
        let map = place.key("permissions");
        for (change, names) in governance.permissions.iter() {
            let place = map.name(change);
            changes.insert(change, &place, self.faults);
            let kind = ChangeKind::parse(change);
            if kind.is_none() {
                let known = ChangeKind::ALL.iter().map(|kind| kind.code());
                self.faults.unknown(&place, "kind of change", change, known);
            } else if names.is_empty() {
                let what =
                    "an empty list names no permission; a kind that is left out is for admins";
                self.faults.push(&place, ProblemKind::Unfit { what });
            }
            let (fits, bits) = self.all_of(names, &place);
            let on_users = kind.map_or(Vec::new(), |kind| self.on_users_in_vain(kind, &bits));
            for &at in &on_users {
                let what = "this kind of change concerns no user, whom the permission needs";
                self.faults.push(&place.item(at), ProblemKind::Unfit { what });
            }
            if let Some(kind) = kind.filter(|_| !fits.is_empty() && on_users.is_empty()) {
                fitting.permissions.push(change, fits);
                needs.push((kind, bits));
            }
        }
        let list = place.key("separation");
        let mut seen = Seen::default();
        for (at, separation) in governance.separation.iter().enumerate() {
            let place = list.item(at);
            let name = place.key("name");
            self.faults.check_name(&name, &separation.name);
            seen.insert(&separation.name, &name, self.faults);
            let (names, place) = (&separation.permissions, place.key("permissions"));
            let (permissions, bits, _) = self.restricting(|it| it.thresholds(names, &place));
            fitting.separation.push(document::Separation { permissions, ..separation.clone() });
            separated.push(bits);
        }
        fitting.permissions.shrink();
        Governance::new(fitting, needs, separated, [escalating, binding])
    }

    /// Returns which of the permissions that a kind of change needs could only be asked of a
    /// user, if it concerns none.
    fn on_users_in_vain(&self, kind: ChangeKind, bits: &[Bit]) -> Vec<usize> {
        let catalogue = self.catalogue;
        let is_in_vain = |bit: Bit| {
            !kind.concerns_users() && catalogue.is_on_users(bit) && catalogue.needs_object(bit)
        };
        (0..).zip(bits).filter(|&(_, &bit)| is_in_vain(bit)).map(|(at, _)| at).collect()
    }

    /// Resolves thresholds all of which an actor must hold: none, if any is unknown.
    fn all_of(&mut self, names: &[String], place: &Place<'_>) -> (Vec<String>, Box<[Bit]>) {
        let (fits, bits, all_fit) = self.thresholds(names, place);
        if all_fit { (fits, bits) } else { Default::default() }
    }

    /// Resolves the names of thresholds, and returns those that are known with their bits,
    /// and `true` if that is all of them; any others are reported.
    fn thresholds(
        &mut self,
        names: &[String],
        place: &Place<'_>,
    ) -> (Vec<String>, Box<[Bit]>, bool) {
        let (mut fits, mut bits, mut all_fit) = (Vec::new(), Vec::new(), true);
        for (at, name) in names.iter().enumerate() {
            let place = place.item(at);
            for name in self.present(name, &place) {
                let bit = self.catalogue.reference(&name, &place, self.faults);
                all_fit &= bit.is_some();
                fits.extend(bit.map(|_| name.into_owned()));
                bits.extend(bit);
            }
        }
        fits.shrink_to_fit();
        (fits, bits.into(), all_fit)
    }
}

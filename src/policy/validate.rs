//! From a document to a policy: every name resolved, every problem reported.

use std::sync::Arc;

use indexmap::map::Entry;
use smallvec::SmallVec;

use super::{
    ChangeKind, Class, Governance, Groups, Inner, Licence, Lineage, Policy, Source, SourceKind,
    Sources, Statements, Texts, Users,
};
use crate::catalogue::{Bit, Catalogue, Pattern, check_value, includes};
use crate::document::{self, Bound, Document, Map};
use crate::graph;
use crate::ids::{GroupId, IdVec, Key, Number, SourceId, UserSlot};
use crate::limits::Limits;
use crate::names::{MOST, NameMap, keys, number};
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

/// Resolves a document, or returns its problems.
pub(super) fn resolve(
    document: Document,
    limits: &Limits,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Inner, Problems> {
    resolve_or(document, limits, Misfits::AreProblems, progress).map(|(inner, _)| inner)
}

/// Resolves a document, and leaves out and reports statements and references that do not
/// fit its catalogue.
pub(super) fn fit(
    document: Document,
    limits: &Limits,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(Inner, Vec<LeftOut>), Problems> {
    resolve_or(document, limits, Misfits::AreLeftOut, progress)
}

/// The treatment of references that do not fit.
#[derive(Clone, Copy)]
enum Misfits {
    AreProblems,
    AreLeftOut,
}

fn resolve_or(
    document: Document,
    limits: &Limits,
    misfits: Misfits,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(Inner, Vec<LeftOut>), Problems> {
    let mut faults = Faults::new(document.faults, *limits);
    let root = Place::Root;
    let catalogue = Catalogue::build(document.catalogue, &mut faults);
    // A catalogue is accepted whole or not at all.
    if let Misfits::AreLeftOut = misfits {
        faults.leave_out();
    }

    let mut sources = Sources::new();
    let profiles = declare(SourceKind::Profile, document.profiles, &mut sources, &mut faults);
    let roles = declare(SourceKind::Role, document.roles, &mut sources, &mut faults);
    let approval_groups =
        declare(SourceKind::ApprovalGroup, document.approval_groups, &mut sources, &mut faults);
    for (name, role) in &roles {
        let id = sources.find(SourceKind::Role, name);
        id.into_iter().for_each(|id| sources.change(id, |source| source.unique = role.unique));
    }
    let names = Names { catalogue: &catalogue, sources };

    let licence = names.licence(document.licence, &root.key("licence"), &mut faults);
    let global = names.statements(&document.global, &root.key("global"), &mut faults);
    let default_profile = document.default_profile.and_then(|name| {
        names.find(SourceKind::Profile, &name, &root.key("default_profile"), &mut faults)
    });
    let place = root.key("roles");
    let listed = roles.iter().map(|(name, role)| (&**name, role.includes.as_slice()));
    let included = includes("role", "roles", listed, &roles, &place, &mut faults);
    unique_included(&roles, &included, &place, &mut faults);
    let groups = groups(document.groups, &root.key("groups"), &mut faults);
    let place = root.key("users");
    let (users, groups) = names.users(document.users, groups, &place, &mut faults, progress);
    let place = root.key("governance");
    let governance = names.governance(&document.governance, &place, &mut faults);

    let mut resolved = vec![Source { statements: global, ..Source::new(SourceKind::Global) }];
    let place = root.key("profiles");
    resolved.extend(profiles.iter().map(|(name, profile)| {
        names.source(SourceKind::Profile, profile, &place.key(name), &mut faults)
    }));
    let place = root.key("roles");
    for ((name, role), included) in roles.iter().zip(&included) {
        let place = place.key(name);
        let source = names.source(SourceKind::Role, &role.source, &place, &mut faults);
        let included = included.iter().filter_map(|&at| Some(&**roles.get_index(at)?.0));
        let includes = included.filter_map(|name| names.sources.find(SourceKind::Role, name));
        let demoted_to = role.demoted_to.as_deref().and_then(|name| {
            names.find(SourceKind::Role, name, &place.key("demoted_to"), &mut faults)
        });
        let (includes, unique) = (includes.collect(), role.unique);
        resolved.push(Source { includes, unique, demoted_to, ..source });
    }
    let place = root.key("approval_groups");
    resolved.extend(approval_groups.iter().map(|(name, group)| {
        names.source(SourceKind::ApprovalGroup, group, &place.key(name), &mut faults)
    }));
    let mut sources = names.sources;
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
            revision: 0,
            lineage: Lineage::first(users.len(), catalogue.bits()),
            licence: Arc::new(Licence::new(licence, &catalogue)),
            sources,
            default_profile,
            groups: Arc::new(groups),
            users,
            governance: Arc::new(governance),
            catalogue: Arc::new(catalogue),
        },
        left_out,
    ))
}

/// Gives the sources of a kind their numbers, in the order of the map.
fn declare<V>(
    kind: SourceKind,
    map: Map<V>,
    sources: &mut Sources,
    faults: &mut Faults,
) -> NameMap<V> {
    let place = Place::Root.key(kind.field());
    let mut out = NameMap::with_capacity_and_hasher(map.len(), Default::default());
    let most = faults.limits.sources.min(MOST);
    if map.len() > most {
        faults.too_many(&place, "entries", most);
    }
    for (name, value) in map {
        let place = place.key(&name);
        faults.check_name(&place, &name);
        insert(&mut out, &name, value, &place, faults);
    }
    for name in keys(&out) {
        sources.insert(name, Source::new(kind));
    }
    out
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

/// Returns the number of a name, or reports that it is unknown.
fn find<V>(
    what: &'static str,
    known: &NameMap<V>,
    name: &str,
    place: &Place<'_>,
    faults: &mut Faults,
) -> Option<u32> {
    let found = known.get_index_of(name).map(number);
    if found.is_none() {
        faults.unknown(place, what, name, keys(known));
    }
    found
}

fn groups(declared: Map<document::Group>, place: &Place<'_>, faults: &mut Faults) -> Groups {
    let mut parents: NameMap<Option<GroupId>> = NameMap::default();
    for (name, _) in declared.iter() {
        let place = place.key(name);
        faults.check_text(&place, name);
        insert(&mut parents, name, None, &place, faults);
    }
    for (name, group) in declared.iter() {
        let Some(parent) = &group.parent else { continue };
        faults.check_text(&place.key(name).key("parent"), parent);
        let parent = parents.entry(parent.as_str().into());
        let at = GroupId::new(parent.index());
        parent.or_default();
        if let Some(own) = parents.get_mut(name) {
            *own = Some(at);
        }
    }
    let parent = |group: usize, at: usize| match at {
        0 => parents[group].map(Key::index),
        _ => None,
    };
    for ring in graph::walk(parents.len(), parent).cycles {
        let names: Vec<_> = ring
            .iter()
            .filter_map(|&(group, _)| Some(parents.get_index(group)?.0.to_string()))
            .collect();
        if let Some(last) = names.last() {
            let place = place.key(last);
            let kind = ProblemKind::Cycle { what: "groups", names: truncate_list(names.clone()) };
            faults.push(&place.key("parent"), kind);
        }
    }
    Groups { parents, declared }
}

/// Reports unique roles that are included.
fn unique_included(
    roles: &NameMap<document::Role>,
    includes: &[Vec<usize>],
    place: &Place<'_>,
    faults: &mut Faults,
) {
    for ((name, of), included) in roles.iter().zip(includes) {
        let place = place.key(name);
        let list = place.key("includes");
        // Unknown ones were reported, and have no numbers.
        let known = |name: &&String| roles.contains_key(name.as_str());
        let positions = of.includes.iter().enumerate().filter(|(_, name)| known(name));
        for (&included, (at, name)) in included.iter().zip(positions) {
            if roles[included].unique {
                faults.push(&list.item(at), ProblemKind::UniqueIncluded { role: name.clone() });
            }
        }
    }
}

/// The names that statements and references resolve against.
struct Names<'n> {
    catalogue: &'n Catalogue,
    /// Of the sources, no more than kind, name and uniqueness is known yet.
    sources: Sources,
}

impl Names<'_> {
    fn licence(
        &self,
        mut licence: document::Licence,
        place: &Place<'_>,
        faults: &mut Faults,
    ) -> document::Licence {
        let (known, of) = (&self.catalogue.editions, place.key("edition"));
        licence.edition = (licence.edition)
            .filter(|edition| find("edition", known, edition, &of, faults).is_some());
        let list = place.key("features");
        for (at, feature) in licence.features.iter().enumerate() {
            faults.check_name(&list.item(at), feature);
        }
        licence
    }

    /// The number of a profile, role or approval group, which is reported if unknown.
    fn find(
        &self,
        kind: SourceKind,
        name: &str,
        place: &Place<'_>,
        faults: &mut Faults,
    ) -> Option<SourceId> {
        let found = self.sources.find(kind, name);
        if found.is_none() {
            let known = self.sources.of(kind).map(|(_, name, _)| name);
            faults.unknown(place, kind.noun(), name, known);
        }
        found
    }

    /// The numbers of a list of sources; unknown ones are reported.
    fn find_all(
        &self,
        kind: SourceKind,
        names: &[String],
        place: &Place<'_>,
        faults: &mut Faults,
    ) -> impl Iterator<Item = SourceId> {
        let names = names.iter().enumerate();
        names.filter_map(move |(at, name)| self.find(kind, name, &place.item(at), faults))
    }

    fn source(
        &self,
        kind: SourceKind,
        source: &document::Source,
        place: &Place<'_>,
        faults: &mut Faults,
    ) -> Source {
        let list = place.key("assignable_by");
        Source {
            label: source.label.as_deref().map(Into::into),
            description: source.description.as_deref().map(Into::into),
            template: source.template,
            protected: source.protected,
            assignable_by: (source.assignable_by.as_deref())
                .map(|guard| self.find_all(SourceKind::Role, guard, &list, faults).collect()),
            statements: self.statements(&source.statements, place, faults),
            ..Source::new(kind)
        }
    }

    fn statements(
        &self,
        statements: &document::Statements,
        place: &Place<'_>,
        faults: &mut Faults,
    ) -> Statements {
        let patterns = |field: &str, texts: &[String], faults: &mut Faults| -> Box<[Pattern]> {
            let list = place.key(field);
            let texts = texts.iter().enumerate();
            texts.filter_map(|(at, text)| self.pattern(text, &list.item(at), faults)).collect()
        };
        let patterns_said =
            statements.allow.len() + statements.deny.len() + statements.forbid.len();
        let said = statements.levels.len() + statements.bounds.len() + statements.settings.len();
        faults.count_statements(place, patterns_said + said);
        Statements {
            allow: patterns("allow", &statements.allow, faults),
            deny: faults.restricting(|faults| patterns("deny", &statements.deny, faults)),
            forbid: faults.restricting(|faults| patterns("forbid", &statements.forbid, faults)),
            levels: self.levels(&statements.levels, &place.key("levels"), faults),
            bounds: faults.restricting(|faults| {
                self.bounds(&statements.bounds, &place.key("bounds"), faults)
            }),
            settings: self.settings(&statements.settings, &place.key("settings"), faults),
        }
    }

    fn pattern(&self, text: &str, place: &Place<'_>, faults: &mut Faults) -> Option<Pattern> {
        match Pattern::parse(text, self.catalogue) {
            Ok(pattern) => return Some(pattern),
            Err(Ok(kind)) => faults.push(place, kind),
            Err(Err(path)) if self.catalogue.threshold(path).is_ok() => {
                let what = "a level must be stated in `levels`, not with the path";
                faults.push(place, ProblemKind::Unfit { what });
            }
            Err(Err(path)) => faults.unknown(place, "permission", path, self.catalogue.paths()),
        }
        None
    }

    fn levels(
        &self,
        levels: &Map<String>,
        place: &Place<'_>,
        faults: &mut Faults,
    ) -> Box<[(Pattern, Box<str>)]> {
        let mut out = Vec::new();
        let mut seen = Seen::default();
        for (text, level) in levels.iter() {
            let place = place.key(text);
            seen.insert(text, &place, faults);
            let Some(pattern) = self.pattern(text, &place, faults) else {
                continue;
            };
            if pattern.graded(level, self.catalogue).next().is_none() {
                let nearest = faults.nearest(level, pattern.levels(self.catalogue));
                faults.push(&place, pattern.no_such_level(level, nearest, self.catalogue));
                continue;
            }
            out.push((pattern, level.as_str().into()));
        }
        out.into()
    }

    fn bounds(
        &self,
        bounds: &Map<Bound>,
        place: &Place<'_>,
        faults: &mut Faults,
    ) -> Box<[(u32, Bound)]> {
        let mut out = Vec::new();
        let mut seen = Seen::default();
        for (path, bound) in bounds.iter() {
            let place = place.key(path);
            seen.insert(path, &place, faults);
            let attributes = &self.catalogue.attributes;
            let Some(id) = self.catalogue.attribute(path) else {
                let known = attributes.iter().map(|attribute| &*attribute.path);
                faults.unknown(&place, "attribute", path, known);
                continue;
            };
            match attributes[id as usize].takes(bound) {
                Ok(()) => out.push((id, bound.clone())),
                Err(kind) => faults.push(&place, kind),
            }
        }
        out.into()
    }

    fn settings(
        &self,
        settings: &Map<document::SettingValue>,
        place: &Place<'_>,
        faults: &mut Faults,
    ) -> Box<[(u32, document::SettingValue)]> {
        let mut out = Vec::new();
        let mut seen = Seen::default();
        for (name, value) in settings.iter() {
            let place = place.key(name);
            seen.insert(name, &place, faults);
            let known = &self.catalogue.settings;
            let Some(number) = find("setting", known, name, &place, faults) else {
                continue;
            };
            match check_value(name, &known[number as usize], value) {
                Ok(()) => out.push((number, value.clone())),
                Err(kind) => faults.push(&place, kind),
            }
        }
        out.into()
    }

    /// Governance without unknown names. A kind of change that needs an unknown
    /// permission is dropped, which leaves it to admins: merely needing one permission
    /// less would let more actors make it.
    fn governance(
        &self,
        governance: &document::Governance,
        place: &Place<'_>,
        faults: &mut Faults,
    ) -> Governance {
        let mut fitting = document::Governance {
            no_escalation: governance.no_escalation,
            ..document::Governance::default()
        };
        let (mut needs, mut separated) = (Vec::new(), Vec::new());
        let mut changes = Seen::default();
        let map = place.key("permissions");
        for (change, names) in governance.permissions.iter() {
            let place = map.key(change);
            changes.insert(change, &place, faults);
            let kind = ChangeKind::parse(change);
            if kind.is_none() {
                let known = ChangeKind::ALL.iter().map(|kind| kind.code());
                faults.unknown(&place, "kind of change", change, known);
            }
            let (fits, bits) = self.thresholds(names, &place, faults);
            if let Some(kind) = kind.filter(|_| fits.len() == names.len()) {
                fitting.permissions.push(change, fits);
                needs.push((kind, bits));
            }
        }
        let list = place.key("separation");
        let mut seen = Seen::default();
        for (at, separation) in governance.separation.iter().enumerate() {
            let place = list.item(at);
            let name = place.key("name");
            faults.check_name(&name, &separation.name);
            seen.insert(&separation.name, &name, faults);
            let (names, place) = (&separation.permissions, place.key("permissions"));
            let (permissions, bits) =
                faults.restricting(|faults| self.thresholds(names, &place, faults));
            fitting.separation.push(document::Separation { permissions, ..separation.clone() });
            separated.push(bits);
        }
        Governance::new(fitting, needs, separated)
    }

    /// Resolves the names of thresholds, and returns those that are known with their bits;
    /// any others are reported.
    fn thresholds(
        &self,
        names: &[String],
        place: &Place<'_>,
        faults: &mut Faults,
    ) -> (Vec<String>, Box<[Bit]>) {
        let (mut fits, mut bits) = (Vec::new(), Vec::new());
        for (at, name) in names.iter().enumerate() {
            if let Some(bit) = self.catalogue.reference(name, &place.item(at), faults) {
                fits.push(name.clone());
                bits.push(bit);
            }
        }
        (fits, bits.into())
    }
}

impl Names<'_> {
    fn users(
        &self,
        users: Map<document::UserEntry>,
        mut groups: Groups,
        place: &Place<'_>,
        faults: &mut Faults,
        progress: &mut dyn FnMut(usize, usize),
    ) -> (Users, Groups) {
        let sources = &self.sources;
        let any_unique = sources.of(SourceKind::Role).any(|(.., role)| role.unique);
        let mut holders: IdVec<SourceId, Option<Box<str>>> = IdVec::filled(sources.slots(), None);
        let mut out = Users::with_capacity(users.len());
        let most = faults.limits.users.min(MOST);
        if users.len() > most {
            faults.too_many(place, "users", most);
        }
        let total = users.len();
        for (done, (name, user)) in users.into_iter().take(MOST).enumerate() {
            if done > 0 && done.is_multiple_of(1 << 13) {
                progress(done, total);
            }
            let place = place.key(&name);
            faults.check_text(&place, &name);
            let class = self.class(&user, &place, faults);
            let belongs = user_groups(&user, &mut groups, &place, faults);
            let list = place.key("roles");
            let listed = if any_unique { &user.roles[..] } else { &[] };
            for (at, role) in listed.iter().enumerate() {
                let found = sources.find(SourceKind::Role, role);
                let Some(id) = found.filter(|&id| sources[id].unique) else { continue };
                let holder = holders[id].get_or_insert_with(|| name.as_str().into());
                if **holder != *name {
                    let (role, holder) = (role.clone(), holder.to_string());
                    faults.push(&list.item(at), ProblemKind::UniqueHeld { role, holder });
                }
            }
            if out.find(&name).is_some() {
                faults.duplicate(&place, &name);
                continue;
            }
            let slot = UserSlot::new(out.slots());
            out.insert(slot, &name, &class, &belongs);
            out.set_texts(slot, texts(user.label, user.description));
        }
        progress(total, total);
        let most = faults.limits.groups.min(MOST);
        if groups.parents.len() > most {
            faults.too_many(&Place::Root.key("groups"), "groups", most);
        }
        (out, groups)
    }

    fn class(&self, user: &document::UserEntry, place: &Place<'_>, faults: &mut Faults) -> Class {
        let mut sources: SmallVec<[SourceId; 16]> = SmallVec::new();
        let of = place.key("profile");
        let profile = user.profile.as_deref();
        sources.extend(profile.and_then(|name| self.find(SourceKind::Profile, name, &of, faults)));
        let list = place.key("roles");
        sources.extend(self.find_all(SourceKind::Role, &user.roles, &list, faults));
        let (list, groups) = (place.key("approval_groups"), &user.approval_groups);
        sources.extend(self.find_all(SourceKind::ApprovalGroup, groups, &list, faults));
        Class {
            sources: sources.as_slice().into(),
            admin: user.admin,
            suspended: user.suspended,
            statements: (!user.statements.is_empty())
                .then(|| Box::new(self.statements(&user.statements, place, faults))),
        }
    }
}

/// The numbers of a user's groups, which need not be declared.
fn user_groups(
    user: &document::UserEntry,
    groups: &mut Groups,
    place: &Place<'_>,
    faults: &mut Faults,
) -> SmallVec<[GroupId; 8]> {
    let list = place.key("groups");
    let named = user.groups.iter().enumerate();
    let mut belongs = SmallVec::new();
    for (at, name) in named {
        faults.check_text(&list.item(at), name);
        let known = groups.parents.get_index_of(name.as_str());
        let add = || groups.parents.insert_full(name.as_str().into(), None).0;
        belongs.push(GroupId::new(known.unwrap_or_else(add)));
    }
    belongs
}

fn texts(label: Option<String>, description: Option<String>) -> Texts {
    Texts { label: label.map(Into::into), description: description.map(Into::into) }
}

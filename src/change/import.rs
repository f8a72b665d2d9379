//! Sources of another policy, fitted into this one.

use super::plan::{Given, Plan, Sparing, Standing, Touched};
use super::sources::replace;
use super::{Bundle, Change, Note, OnConflict, Rule};
use crate::bits::BitSet;
use crate::document;
use crate::ids::{Key, SourceId};
use crate::names::{HashMap, HashSet, IndexSet};
use crate::policy::{ChangeKind, Resolver, Source, SourceKind};
use crate::problem::{Faults, Place, ProblemKind};

/// A source of a bundle, on its way into the policy.
struct Coming<'b> {
    kind: SourceKind,
    name: &'b str,
    /// Its name here.
    here: String,
    replaces: Option<SourceId>,
    source: &'b document::Source,
    role: Option<&'b document::Role>,
}

/// The roles of a bundle, by their names there.
struct OwnRoles<'b> {
    by_name: HashMap<&'b str, SourceId>,
    ids: HashSet<SourceId>,
}

impl Plan<'_> {
    pub(super) fn import(&mut self, bundle: &Bundle, on_conflict: OnConflict) {
        self.require(ChangeKind::Import);
        self.requirements.spared_by = Some(Sparing::Escalate);
        self.effects.touched = Touched::Everybody;
        let bundle = &self.permissible(bundle, on_conflict);
        let coming = self.coming(bundle, on_conflict);
        // Every source gets its slot before references between them are resolved.
        let mut ids = Vec::new();
        for source in &coming {
            ids.push(source.replaces.unwrap_or_else(|| {
                self.new.sources.insert(&source.here, Source::new(source.kind))
            }));
        }
        let own = coming.iter().zip(&ids).filter(|(source, _)| source.kind == SourceKind::Role);
        let by_name: HashMap<&str, SourceId> =
            own.rev().map(|(source, &id)| (source.name, id)).collect();
        let roles = OwnRoles { ids: by_name.values().copied().collect(), by_name };
        let mut faults = Faults::new(Vec::new(), self.old.limits);
        faults.leave_out();
        for (source, &id) in coming.iter().zip(&ids) {
            self.bring(source, id, &roles, &mut faults);
        }
        self.notes.extend(faults.take_left_out().into_iter().map(Note::LeftOut));
        for problem in faults.into_problems() {
            self.refuse(Rule::Invalid, problem.to_string());
        }
        let has_order = self.new.sources.order_includes();
        self.include(&ids);
        if self.conflicts() {
            // There is no result to judge.
            return;
        }
        self.check_includes(has_order);
        let sources = &self.new.sources;
        let unique_included = sources.iter().find_map(|(.., source)| {
            source.includes.iter().copied().find(|&included| sources[included].unique)
        });
        if let Some(included) = unique_included {
            let role = self.new.sources.name_of(included);
            self.refuse(Rule::Invalid, format!("{role} is unique and can't be included"));
        }
        if !coming.is_empty() {
            self.changed.push(Change::Import { bundle: bundle.clone(), on_conflict });
        }
    }

    /// A bundle as an actor may import it: for all but admins, `protected`, `unique` and
    /// `demoted_to` stay as they are here.
    fn permissible(&mut self, bundle: &Bundle, on_conflict: OnConflict) -> Bundle {
        let mut bundle = bundle.clone();
        if self.standing == Standing::Trusted {
            return bundle;
        }
        let sources = &self.old.sources;
        let here = |kind, name: &str| {
            let id = sources.find(kind, name).filter(|_| on_conflict == OnConflict::Replace);
            id.map(|id| &sources[id])
        };
        let mut left = Vec::new();
        for (kind, brought) in [
            (SourceKind::Profile, &mut bundle.profiles),
            (SourceKind::ApprovalGroup, &mut bundle.approval_groups),
        ] {
            *brought = std::mem::take(brought)
                .into_iter()
                .map(|(name, mut source)| {
                    let protected = here(kind, &name).is_some_and(|it| it.protected);
                    let differs = replace(&mut source.protected, protected);
                    left.extend(differs.then(|| (kind, name.clone(), "protected")));
                    (name, source)
                })
                .collect();
        }
        let kind = SourceKind::Role;
        bundle.roles = std::mem::take(&mut bundle.roles)
            .into_iter()
            .map(|(name, mut role)| {
                let here = here(kind, &name);
                let [protected, unique] =
                    [here.is_some_and(|it| it.protected), here.is_some_and(|it| it.unique)];
                let demoted_to =
                    here.and_then(|it| it.demoted_to).map(|id| sources.name(id).to_owned());
                let fields = [
                    ("protected", replace(&mut role.source.protected, protected)),
                    ("unique", replace(&mut role.unique, unique)),
                    ("demoted_to", replace(&mut role.demoted_to, demoted_to)),
                ];
                let differing = fields.into_iter().filter(|&(_, differs)| differs);
                left.extend(differing.map(|(field, _)| (kind, name.clone(), field)));
                (name, role)
            })
            .collect();
        let mut faults = Faults::new(Vec::new(), self.old.limits);
        faults.leave_out();
        for (kind, name, field) in left {
            let what = "only an admin may import this";
            let (map, kind) = (Place::Root.key(kind.field()), ProblemKind::Unfit { what });
            faults.push(&map.name(&name).key(field), kind);
        }
        self.notes.extend(faults.take_left_out().into_iter().map(Note::LeftOut));
        bundle
    }

    /// The sources of a bundle, each with its name here.
    fn coming<'b>(&mut self, bundle: &'b Bundle, on_conflict: OnConflict) -> Vec<Coming<'b>> {
        let profiles = bundle.profiles.iter();
        let profiles = profiles.map(|(name, it)| (SourceKind::Profile, name, it, None));
        let roles = bundle.roles.iter();
        let roles = roles.map(|(name, it)| (SourceKind::Role, name, &it.source, Some(it)));
        let groups = bundle.approval_groups.iter();
        let groups = groups.map(|(name, it)| (SourceKind::ApprovalGroup, name, it, None));
        let all: Vec<_> = profiles.chain(roles).chain(groups).collect();
        let mut seen = HashSet::<(SourceKind, &str)>::default();
        if !all.iter().all(|&(kind, name, ..)| seen.insert((kind, name))) {
            self.refuse(Rule::Invalid, "a name occurs twice in the bundle");
        }
        let mut coming = Vec::new();
        for &(kind, name, source, role) in &all {
            self.check_text(name);
            let known = self.old.sources.find(kind, name);
            let (mut here, mut replaces) = (name.to_owned(), None);
            match (known, on_conflict) {
                (None, _) => {}
                (Some(id), OnConflict::Refuse) => {
                    replaces = Some(id);
                    let source = kind.named(name);
                    self.refuse(Rule::Conflict, format!("{source} already exists"));
                }
                (Some(_), OnConflict::Rename) => {
                    let taken = |here: &str| {
                        self.old.sources.find(kind, here).is_some() || seen.contains(&(kind, here))
                    };
                    let mut names = (2..).map(|at| format!("{name}_{at}"));
                    here = names.find(|here| !taken(here)).unwrap_or_default();
                    let source = kind.named(name);
                    self.notes.push(Note::Renamed { source, to: here.clone() });
                }
                (Some(id), OnConflict::Replace) => {
                    replaces = Some(id);
                    self.unprotected(id, "replaced");
                    self.require_own_guard(id);
                }
            }
            coming.push(Coming { kind, name, here, replaces, source, role });
        }
        coming
    }

    /// Returns `true` if a name of the bundle is taken and the import is to refuse that.
    fn conflicts(&self) -> bool {
        self.refusals.iter().any(|refusal| refusal.rule == Rule::Conflict)
    }

    /// Notes the roles that become included, directly or through others, and were not
    /// before: the actor needs the right to assign them. Roles of the bundle itself are
    /// left out here.
    // What a role comes to include, it includes through one that includes another directly
    // that it did not. So only these are looked at: a role that merely leads to one of them
    // brings nothing that this one does not. They may be as many as the bundle has, each with
    // all that it includes, which is noted in bits, one for each role that they lead to out of
    // the bundle: often there is none.
    fn include(&mut self, ids: &[SourceId]) {
        let own: HashSet<SourceId> = ids.iter().copied().collect();
        let (old, new) = (&self.old.sources, &self.new.sources);
        let differing = ids.iter().copied().filter(|&id| {
            let before = if old.exists(id) { &old[id].includes[..] } else { &[] };
            let before: HashSet<&SourceId> = before.iter().collect();
            new[id].includes.iter().any(|id| !before.contains(id))
        });
        let differing: Vec<SourceId> = differing.collect();
        let others = new.closure(&differing).into_iter().filter(|id| !own.contains(id));
        let others: IndexSet<SourceId> = others.collect();
        let [before, after] = [old, new].map(|sources| sources.leading_to(&others));
        let mut brought = BitSet::new(others.len());
        for id in differing {
            let Some(mut more) = after.get(&id).cloned() else { continue };
            before.get(&id).into_iter().for_each(|known| more.subtract(known));
            brought.union_with(&more);
        }
        let brought = brought.iter().filter_map(|at| others.get_index(at.index()));
        self.requirements.rights.extend(brought);
    }

    /// Puts a source into its slot, without what does not fit.
    fn bring(
        &mut self,
        coming: &Coming<'_>,
        id: SourceId,
        roles: &OwnRoles<'_>,
        faults: &mut Faults,
    ) {
        let &Coming { kind, name, source, role, .. } = coming;
        let sources = Place::Root.key(kind.field());
        let place = sources.name(name);
        let mut resolver = self.old.resolver(faults);
        let mut brought = Source {
            statements: resolver.statements(&source.statements, &place),
            ..Source::described(kind, source)
        };
        let list = place.key("assignable_by");
        brought.assignable_by = (source.assignable_by.as_deref()).map(|names| {
            distinct(names, |at, name| find(roles, name, &list.item(at), &mut resolver))
        });
        if let Some(role) = role {
            let list = place.key("includes");
            brought.includes = distinct(&role.includes, |at, name| {
                let place = list.item(at);
                let found = find(roles, name, &place, &mut resolver)?;
                if !roles.ids.contains(&found) && self.old.sources[found].unique {
                    let what = "a unique role can't be included";
                    resolver.faults.push(&place, ProblemKind::Unfit { what });
                    return None;
                }
                Some(found)
            });
            brought.unique = role.unique;
            brought.demoted_to = (role.demoted_to.as_deref())
                .and_then(|name| find(roles, name, &place.key("demoted_to"), &mut resolver));
        }
        let replaced = coming.replaces.filter(|_| !self.conflicts());
        let was_unique = replaced.is_some_and(|id| self.old.sources[id].unique);
        if let Some(id) = replaced
            && (brought.unique || was_unique)
        {
            let held = self.old.holders(id);
            if let Some(&holder) = held.first()
                && (held.len() > 1 || !brought.unique)
            {
                self.refuse_held(id, holder);
            }
            if brought.unique && !self.old.assigned_to(id).is_empty() {
                self.refuse_in_assignment(id);
            }
        }
        self.requirements.stated.extend(brought.assignable_by.clone());
        let is_guarded_otherwise =
            |&id: &SourceId| self.old.sources[id].assignable_by != brought.assignable_by;
        self.requirements.rights.extend(replaced.filter(is_guarded_otherwise));
        self.new.sources.set(id, brought);
        self.hand_out(Given::Source(id));
    }
}

/// Finds a role that a bundle names: its own one, whatever its name here, or one that
/// is here already.
fn find(
    own: &OwnRoles<'_>,
    name: &str,
    place: &Place<'_>,
    resolver: &mut Resolver<'_>,
) -> Option<SourceId> {
    own.by_name.get(name).copied().or_else(|| resolver.source(SourceKind::Role, name, place))
}

/// Resolves a list of names, and keeps each source once.
fn distinct(
    names: &[String],
    mut find: impl FnMut(usize, &str) -> Option<SourceId>,
) -> Box<[SourceId]> {
    let mut seen = HashSet::<SourceId>::default();
    let ids = names.iter().enumerate().filter_map(|(at, name)| find(at, name));
    ids.filter(|&id| seen.insert(id)).collect()
}

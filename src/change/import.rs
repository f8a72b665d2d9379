//! Sources of another policy, fitted into this one.

use super::attempt::{Plan, Touched};
use super::statement::{Misfit, is_name};
use super::{Bundle, Change, Note, OnConflict, Rule};
use crate::document::{self, Map};
use crate::ids::SourceId;
use crate::names::HashSet;
use crate::policy::{ChangeKind, Inner, Source, SourceKind, Statements, push};

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

/// Something that does not fit: why, in which field, what, and whether it
/// restricts.
type LeftOut = (Misfit, &'static str, String, bool);

impl Inner {
    /// Statements without what does not fit, which is returned beside them.
    pub(super) fn fitting(&self, given: &document::Statements) -> (Statements, Vec<LeftOut>) {
        let mut fitting = Statements::default();
        let mut left_out: Vec<LeftOut> = Vec::new();
        let patterns = [
            (&given.allow, &mut fitting.allow, "allow", false),
            (&given.deny, &mut fitting.deny, "deny", true),
            (&given.forbid, &mut fitting.forbid, "forbid", true),
        ];
        for (given, into, field, restricts) in patterns {
            for text in given {
                match self.pattern(text) {
                    Ok(pattern) => push(into, pattern),
                    Err(misfit) => left_out.push((misfit, field, text.clone(), restricts)),
                }
            }
        }
        for (text, level) in given.levels.iter() {
            match self.level_pattern(text, level) {
                Ok(pattern) => {
                    push(&mut fitting.levels, (pattern, level.as_str().into()));
                }
                Err(misfit) => left_out.push((misfit, "levels", text.to_owned(), false)),
            }
        }
        for (attribute, bound) in given.bounds.iter() {
            match self.bounded(attribute, Some(bound)) {
                Ok(id) => drop(fitting.set_bound(id, Some(bound))),
                Err(misfit) => left_out.push((misfit, "bounds", attribute.to_owned(), true)),
            }
        }
        for (setting, value) in given.settings.iter() {
            match self.stated(setting, Some(value)) {
                Ok(id) => drop(fitting.set_setting(id, Some(value))),
                Err(misfit) => left_out.push((misfit, "settings", setting.to_owned(), false)),
            }
        }
        (fitting, left_out)
    }
}

/// Returns `true` if a map has duplicate names, which no policy has.
fn has_duplicates<V>(map: &Map<V>) -> bool {
    let mut seen = HashSet::<&str>::default();
    !map.iter().all(|(name, _)| seen.insert(name))
}

/// Returns `true` if a map of statements has duplicate names.
pub(super) fn repeats(said: &document::Statements) -> bool {
    has_duplicates(&said.levels) || has_duplicates(&said.bounds) || has_duplicates(&said.settings)
}

impl Plan<'_> {
    pub(super) fn import(&mut self, bundle: &Bundle, on_conflict: OnConflict) {
        self.require(ChangeKind::Import);
        self.effects.touched = Touched::Everybody;
        let coming = self.coming(bundle, on_conflict);
        // Every source gets its slot before references between them are resolved.
        let mut ids = Vec::new();
        for source in &coming {
            ids.push(source.replaces.unwrap_or_else(|| {
                self.new.sources.insert(&source.here, Source::new(source.kind))
            }));
        }
        let roles: Vec<(&str, SourceId)> = (coming.iter().zip(&ids))
            .filter(|(source, _)| source.kind == SourceKind::Role)
            .map(|(source, &id)| (source.name, id))
            .collect();
        for (source, &id) in coming.iter().zip(&ids) {
            self.bring(source, id, &roles);
        }
        self.include(&coming, &ids);
        if self.conflicts() {
            // There is no result to judge.
            return;
        }
        self.check_includes();
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

    /// The sources of a bundle, each with its name here.
    fn coming<'b>(&mut self, bundle: &'b Bundle, on_conflict: OnConflict) -> Vec<Coming<'b>> {
        let profiles = bundle.profiles.iter();
        let profiles = profiles.map(|(name, it)| (SourceKind::Profile, name, it, None));
        let roles = bundle.roles.iter();
        let roles = roles.map(|(name, it)| (SourceKind::Role, name, &it.source, Some(it)));
        let groups = bundle.approval_groups.iter();
        let groups = groups.map(|(name, it)| (SourceKind::ApprovalGroup, name, it, None));
        if has_duplicates(&bundle.profiles)
            || has_duplicates(&bundle.roles)
            || has_duplicates(&bundle.approval_groups)
        {
            self.refuse(Rule::Invalid, "a name occurs twice in the bundle");
        }
        let all: Vec<_> = profiles.chain(roles).chain(groups).collect();
        let mut coming = Vec::new();
        for &(kind, name, source, role) in &all {
            if !is_name(name) {
                self.refuse(Rule::Invalid, format!("`{name}` is not a name"));
            }
            self.check_length(name);
            if repeats(&source.statements) {
                let source = kind.named(name);
                self.refuse(Rule::Invalid, format!("{source} repeats a statement"));
            }
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
                        self.old.sources.find(kind, here).is_some()
                            || all.iter().any(|&(of, name, ..)| of == kind && name == here)
                    };
                    let mut names = (2..).map(|at| format!("{name}_{at}"));
                    here = names.find(|here| !taken(here)).unwrap_or_default();
                    let source = kind.named(name);
                    self.notes.push(Note::Renamed { source, to: here.clone() });
                }
                (Some(id), OnConflict::Replace) => {
                    replaces = Some(id);
                    self.unprotected(id, "replaced");
                    self.requirements.rights.push(id);
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
    fn include(&mut self, coming: &[Coming<'_>], ids: &[SourceId]) {
        let is_own = |role: &SourceId| ids.contains(role);
        for (source, id) in coming.iter().zip(ids) {
            let before = self.old.sources.closure(source.replaces.as_slice());
            let brought = self.new.sources.closure(&[*id]).into_iter();
            self.requirements
                .rights
                .extend(brought.filter(|id| !before.contains(id) && !is_own(id)));
        }
    }

    /// Puts a source into its slot, without what does not fit.
    fn bring(&mut self, coming: &Coming<'_>, id: SourceId, roles: &[(&str, SourceId)]) {
        let &Coming { kind, source, role, .. } = coming;
        let here = kind.named(&*coming.here);
        let (statements, left_out) = self.old.fitting(&source.statements);
        let leave = |plan: &mut Self, field, what, restriction| {
            plan.notes.push(Note::LeftOut { source: here.clone(), field, what, restriction });
        };
        for (_, field, what, restriction) in left_out {
            leave(self, field, what, restriction);
        }
        // A name in the bundle means the bundle's own role, whatever its name here.
        let find = |plan: &Self, name: &str| {
            let own = roles.iter().find(|(known, _)| *known == name).map(|&(_, id)| id);
            own.or_else(|| plan.old.sources.find(SourceKind::Role, name))
        };
        let is_own = |id: SourceId| roles.iter().any(|&(_, own)| own == id);
        let assignable_by = source.assignable_by.as_ref().map(|names| {
            let mut guard = Vec::new();
            for name in names {
                match find(self, name) {
                    Some(id) if guard.contains(&id) => {}
                    Some(id) => guard.push(id),
                    None => leave(self, "assignable_by", name.clone(), false),
                }
            }
            guard.into()
        });
        let mut brought = Source {
            label: source.label.as_deref().map(Into::into),
            description: source.description.as_deref().map(Into::into),
            template: source.template,
            protected: source.protected,
            assignable_by,
            statements,
            ..Source::new(kind)
        };
        if let Some(role) = role {
            let mut includes: Vec<SourceId> = Vec::new();
            for name in &role.includes {
                match find(self, name) {
                    Some(included) if !is_own(included) && self.old.sources[included].unique => {
                        leave(self, "includes", name.clone(), false);
                    }
                    Some(included) if includes.contains(&included) => {}
                    Some(included) => includes.push(included),
                    None => leave(self, "includes", name.clone(), false),
                }
            }
            brought.includes = includes.into();
            brought.unique = role.unique;
            brought.demoted_to = role.demoted_to.as_ref().and_then(|name| {
                let found = find(self, name);
                if found.is_none() {
                    leave(self, "demoted_to", name.clone(), false);
                }
                found
            });
        }
        let was_unique = coming.replaces.is_some_and(|id| self.old.sources[id].unique);
        if (brought.unique || was_unique) && !self.conflicts() {
            let held = coming.replaces.map_or_else(Vec::new, |id| self.old.holders(id));
            if let Some(&holder) = held.first()
                && (held.len() > 1 || !brought.unique)
            {
                self.refuse_held(id, holder);
            }
        }
        self.new.sources.set(id, brought);
    }
}

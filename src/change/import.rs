//! Sources of another policy, fitted into this one.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::attempt::{Attempt, Kind, Touched};
use super::statement::{Misfit, is_name};
use super::{Bundle, Change, Note, OnConflict, Rule};
use crate::document::{self, Map};
use crate::policy::{Inner, Role, Source, SourceId, Statements, push};

/// A source of a bundle, on its way into the policy.
struct Coming<'b> {
    kind: Kind,
    name: &'b str,
    /// Its name here.
    here: String,
    replaces: Option<u32>,
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

/// Whether a map has duplicate names, which no policy has.
fn has_duplicates<V>(map: &Map<V>) -> bool {
    let mut seen = HashSet::<&str, RandomState>::default();
    !map.iter().all(|(name, _)| seen.insert(name))
}

/// Whether a map of statements has duplicate names.
pub(super) fn repeats(said: &document::Statements) -> bool {
    has_duplicates(&said.levels) || has_duplicates(&said.bounds) || has_duplicates(&said.settings)
}

impl Attempt<'_> {
    pub(super) fn import(&mut self, bundle: &Bundle, on_conflict: OnConflict) {
        self.kinds.push("import".to_owned());
        self.touched = Touched::Everybody;
        let coming = self.coming(bundle, on_conflict);
        // Every source gets its slot before references between them are resolved.
        let mut ids = Vec::new();
        for source in &coming {
            ids.push(match source.replaces {
                Some(id) => id,
                None => self.insert_source(source.kind, &source.here, Role::default()),
            });
        }
        let roles: Vec<(&str, u32)> = (coming.iter().zip(&ids))
            .filter(|(source, _)| source.kind == Kind::Role)
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
        let unique_included = self.new.roles.iter().find_map(|(_, _, role)| {
            role.includes.iter().copied().find(|&included| self.new.roles[included].unique)
        });
        if let Some(included) = unique_included {
            let name = self.new.roles.name(included);
            let message = format!("role `{name}` is unique and can't be included");
            self.refuse(Rule::Invalid, message);
        }
        if !coming.is_empty() {
            self.changed.push(Change::Import { bundle: bundle.clone(), on_conflict });
        }
    }

    /// The sources of a bundle, each with its name here.
    fn coming<'b>(&mut self, bundle: &'b Bundle, on_conflict: OnConflict) -> Vec<Coming<'b>> {
        let profiles = bundle.profiles.iter().map(|(name, it)| (Kind::Profile, name, it, None));
        let roles = bundle.roles.iter().map(|(name, it)| (Kind::Role, name, &it.source, Some(it)));
        let groups =
            bundle.approval_groups.iter().map(|(name, it)| (Kind::ApprovalGroup, name, it, None));
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
                let source = kind.name(name.to_owned());
                self.refuse(Rule::Invalid, format!("{source} repeats a statement"));
            }
            let known = self.old.find_source(kind, name);
            let (mut here, mut replaces) = (name.to_owned(), None);
            match (known, on_conflict) {
                (None, _) => {}
                (Some(id), OnConflict::Refuse) => {
                    replaces = Some(id);
                    let source = kind.name(name.to_owned());
                    self.refuse(Rule::Conflict, format!("{source} already exists"));
                }
                (Some(_), OnConflict::Rename) => {
                    let taken = |here: &str| {
                        self.old.find_source(kind, here).is_some()
                            || all.iter().any(|&(of, name, ..)| of == kind && name == here)
                    };
                    let mut names = (2..).map(|at| format!("{name}_{at}"));
                    here = names.find(|here| !taken(here)).unwrap_or_default();
                    let source = kind.name(name.to_owned());
                    self.notes.push(Note::Renamed { source, to: here.clone() });
                }
                (Some(id), OnConflict::Replace) => {
                    replaces = Some(id);
                    if self.old.source_at(kind.id(id)).is_some_and(|source| source.protected) {
                        let source = kind.name(name.to_owned());
                        let message = format!("{source} is protected and can't be replaced");
                        self.refuse(Rule::Protected, message);
                    }
                    self.rights.push(kind.id(id));
                }
            }
            coming.push(Coming { kind, name, here, replaces, source, role });
        }
        coming
    }

    /// Whether a name of the bundle is taken here, and the import is to refuse that.
    fn conflicts(&self) -> bool {
        self.refusals.iter().any(|refusal| refusal.rule == Rule::Conflict)
    }

    /// Notes the roles that become included, directly or through others, and were not
    /// before: the actor needs the right to assign them. Roles of the bundle itself are
    /// left out here.
    fn include(&mut self, coming: &[Coming<'_>], ids: &[u32]) {
        let roles: Vec<(u32, Option<u32>)> = (coming.iter().zip(ids))
            .filter(|(source, _)| source.kind == Kind::Role)
            .map(|(source, &id)| (id, source.replaces))
            .collect();
        for &(id, replaces) in &roles {
            let before = self.old.closure(replaces.as_slice());
            let brought = self.new.closure(&[id]).into_iter();
            let brought = brought.filter(|role| !before.contains(role));
            let brought = brought.filter(|role| roles.iter().all(|(own, _)| own != role));
            self.rights.extend(brought.map(SourceId::Role));
        }
    }

    /// Puts a source into its slot, without what does not fit.
    fn bring(&mut self, coming: &Coming<'_>, id: u32, roles: &[(&str, u32)]) {
        let &Coming { kind, source, role, .. } = coming;
        let here = kind.name(coming.here.clone());
        let (statements, left_out) = self.old.fitting(&source.statements);
        let leave = |attempt: &mut Self, field, what, restriction| {
            attempt.notes.push(Note::LeftOut { source: here.clone(), field, what, restriction });
        };
        for (_, field, what, restriction) in left_out {
            leave(self, field, what, restriction);
        }
        // A name in the bundle means the bundle's own role, whatever its name here.
        let find = |attempt: &Self, name: &str| {
            let own = roles.iter().find(|(known, _)| *known == name).map(|&(_, id)| id);
            own.or_else(|| attempt.old.roles.find(name))
        };
        let is_own = |id: u32| roles.iter().any(|&(_, own)| own == id);
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
        let body = Source {
            label: source.label.as_deref().map(Into::into),
            description: source.description.as_deref().map(Into::into),
            template: source.template,
            protected: source.protected,
            assignable_by,
            statements,
        };
        let Some(role) = role else {
            match kind {
                Kind::ApprovalGroup => self.new.approval_groups.set(id, body),
                _ => self.new.profiles.set(id, body),
            }
            return;
        };
        let mut includes: Vec<u32> = Vec::new();
        for name in &role.includes {
            match find(self, name) {
                Some(included) if !is_own(included) && self.old.roles[included].unique => {
                    leave(self, "includes", name.clone(), false);
                }
                Some(included) if includes.contains(&included) => {}
                Some(included) => includes.push(included),
                None => leave(self, "includes", name.clone(), false),
            }
        }
        let demoted_to = role.demoted_to.as_ref().and_then(|name| {
            let found = find(self, name);
            if found.is_none() {
                leave(self, "demoted_to", name.clone(), false);
            }
            found
        });
        let held = coming.replaces.map_or_else(Vec::new, |id| self.old.holders(Kind::Role, id));
        let was_unique = coming.replaces.is_some_and(|id| self.old.roles[id].unique);
        if let (Some(&holder), false) = (held.first(), self.conflicts())
            && ((role.unique && held.len() > 1) || (was_unique && !role.unique))
        {
            self.refuse_held(id, holder);
        }
        let includes = includes.into();
        let role = Role { source: body, includes, unique: role.unique, demoted_to };
        self.new.roles.set(id, role);
    }
}

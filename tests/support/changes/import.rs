//! "From another workspace. What this one does not know, or what does not fit
//! here, is left out and **reported**, never guessed; restrictions apart."

use grantree::SourceName;
use grantree::change::{Note, OnConflict, Rule};
use grantree::document::Bundle;
use grantree::document::{Role, Source};

use super::source::{find, holders, name_of, of_same_kind, put, with_included};
use super::{Attempt, Given, fit, json, left_out};

/// A source of a bundle.
struct Coming {
    /// As the bundle calls it.
    there: SourceName,
    /// As it is called here.
    here: SourceName,
    /// Of what is no role, only what it has in common with one.
    body: Role,
}

impl Attempt<'_> {
    pub(super) fn import(&mut self, bundle: &Bundle, on_conflict: OnConflict) {
        self.kinds.push("import".to_owned());
        let twice = fit::stands_twice(&bundle.profiles)
            || fit::stands_twice(&bundle.roles)
            || fit::stands_twice(&bundle.approval_groups);
        self.refuse_if(twice, Rule::Invalid);
        let bundle = &self.permissible(bundle, on_conflict);
        let coming = self.coming(bundle, on_conflict);
        for source in &coming {
            let body = self.fitted(source, &coming);
            // Nothing else takes the place of what is there.
            if let (SourceName::Role(_), OnConflict::Replace) = (&source.here, on_conflict) {
                self.must_stay_with_its_holder(&source.here, &body);
            }
            self.stated.extend(body.source.assignable_by.clone());
            self.given.push(Given::Source(source.here.clone()));
            put(&mut self.new, &source.here, body);
        }
        self.needs_the_right_to_include(&coming);
        // Where a name stands here already there is no result to judge.
        if !self.refusals.contains(&Rule::Conflict) {
            self.must_have_no_ring_of_roles();
            let roles = &self.new.roles;
            let is_unique = |name: &String| roles.get(name).is_some_and(|role| role.unique);
            let unique_included = roles.iter().any(|(_, role)| role.includes.iter().any(is_unique));
            self.refuse_if(unique_included, Rule::Invalid);
        }
    }

    /// "Where an actor who is no admin imports, `protected`, `unique` and `demoted_to` stay as
    /// they are here, absent for what is new, and that is reported."
    fn permissible(&mut self, bundle: &Bundle, on_conflict: OnConflict) -> Bundle {
        let mut bundle = bundle.clone();
        if self.is_trusted {
            return bundle;
        }
        let replaces = on_conflict == OnConflict::Replace;
        let mut differing = Vec::new();
        let mut protect = |source: SourceName, body: &mut Source| {
            let here = find(self.old, &source).filter(|_| replaces);
            let protected = here.is_some_and(|here| here.protected);
            if body.protected != protected {
                differing.push(format!("{}.protected", source.place()));
            }
            body.protected = protected;
        };
        let names = |map: Vec<&str>| map.into_iter().map(str::to_owned).collect::<Vec<_>>();
        for name in names(bundle.profiles.iter().map(|(name, _)| name).collect()) {
            let body = bundle.profiles.get_mut(&name).expect("a profile");
            protect(SourceName::Profile(name), body);
        }
        for name in names(bundle.approval_groups.iter().map(|(name, _)| name).collect()) {
            let body = bundle.approval_groups.get_mut(&name).expect("an approval group");
            protect(SourceName::ApprovalGroup(name), body);
        }
        for name in names(bundle.roles.iter().map(|(name, _)| name).collect()) {
            let role = bundle.roles.get_mut(&name).expect("a role");
            protect(SourceName::Role(name), &mut role.source);
        }
        for name in names(bundle.roles.iter().map(|(name, _)| name).collect()) {
            let here = self.old.roles.get(&name).filter(|_| replaces);
            let role = bundle.roles.get_mut(&name).expect("a role");
            let place = SourceName::Role(name).place();
            let unique = here.is_some_and(|here| here.unique);
            let demoted_to = here.and_then(|here| here.demoted_to.clone());
            if role.unique != unique {
                differing.push(format!("{place}.unique"));
            }
            if role.demoted_to != demoted_to {
                differing.push(format!("{place}.demoted_to"));
            }
            (role.unique, role.demoted_to) = (unique, demoted_to);
        }
        self.notes.extend(differing.iter().map(|place| left_out(place, false)));
        bundle
    }

    /// "`on_conflict`: `refuse`, `rename` (`name_2`), `replace`."
    fn coming(&mut self, bundle: &Bundle, on_conflict: OnConflict) -> Vec<Coming> {
        let plain = |body| Role { source: body, ..Role::default() };
        let profiles = bundle.profiles.iter();
        let profiles =
            profiles.map(|(name, it)| (SourceName::Profile(name.to_owned()), plain(it.clone())));
        let roles =
            bundle.roles.iter().map(|(name, it)| (SourceName::Role(name.to_owned()), it.clone()));
        let groups = bundle.approval_groups.iter();
        let groups = groups
            .map(|(name, it)| (SourceName::ApprovalGroup(name.to_owned()), plain(it.clone())));
        let all: Vec<(SourceName, Role)> = profiles.chain(roles).chain(groups).collect();
        let in_bundle = |name: &SourceName| all.iter().any(|(known, _)| known == name);
        let mut coming = Vec::new();
        for (there, body) in &all {
            self.refuse_if(!fit::is_free_name(name_of(there)), Rule::Invalid);
            self.refuse_if(fit::says_twice(&body.source.statements), Rule::Invalid);
            let mut here = there.clone();
            match (find(self.old, there), on_conflict) {
                (None, _) => {}
                (Some(_), OnConflict::Refuse) => self.refuse(Rule::Conflict),
                (Some(_), OnConflict::Rename) => {
                    let name = name_of(there);
                    let mut others = (2..).map(|at| of_same_kind(there, &format!("{name}_{at}")));
                    let is_free =
                        |name: &SourceName| find(self.old, name).is_none() && !in_bundle(name);
                    here = others.find(is_free).expect("there are names enough");
                    let (source, to) = (there.clone(), name_of(&here).to_owned());
                    self.notes.push(json(&Note::Renamed { source, to }));
                }
                (Some(_), OnConflict::Replace) => {
                    self.must_be_unprotected(there);
                    // "Importing over it … needs the right to assign it."
                    self.to_assign.push(there.clone());
                }
            }
            coming.push(Coming { there: there.clone(), here, body: body.clone() });
        }
        coming
    }

    /// A source without what does not fit, its roles as they are called here.
    fn fitted(&mut self, source: &Coming, coming: &[Coming]) -> Role {
        let Coming { there, body, .. } = source;
        let mut fitted = body.clone();
        let (statements, misfits) =
            fit::fitting(self.old, &self.catalogue, &body.source.statements);
        fitted.source.statements = statements;
        for (_, at, restriction) in misfits {
            self.notes.push(left_out(&format!("{}.{at}", there.place()), restriction));
        }
        let mut leave_out = |at: String| {
            self.notes.push(left_out(&format!("{}.{at}", there.place()), false));
        };
        // A name of the bundle is that one, whatever it is called here.
        let own = |name: &str| {
            let wanted = SourceName::Role(name.to_owned());
            let own = coming.iter().find(|source| source.there == wanted);
            own.map(|source| name_of(&source.here).to_owned())
        };
        let find_role =
            |name: &str| own(name).or_else(|| self.old.roles.get(name).map(|_| name.to_owned()));
        // "A unique role that is included" does not fit; of the bundle's own,
        // leaving out one or the other would be guessing.
        let is_unique_here = |name: &str| {
            own(name).is_none() && self.old.roles.get(name).is_some_and(|role| role.unique)
        };
        if let Some(guard) = &mut fitted.source.assignable_by {
            // "An `assignable_by` that loses its last name stays, for admins
            // only."
            *guard = Vec::new();
            for (at, name) in body.source.assignable_by.iter().flatten().enumerate() {
                match find_role(name) {
                    Some(known) if guard.contains(&known) => {}
                    Some(known) => guard.push(known),
                    None => leave_out(format!("assignable_by[{at}]")),
                }
            }
        }
        fitted.includes = Vec::new();
        for (at, name) in body.includes.iter().enumerate() {
            match find_role(name).filter(|_| !is_unique_here(name)) {
                Some(known) if fitted.includes.contains(&known) => {}
                Some(known) => fitted.includes.push(known),
                None => leave_out(format!("includes[{at}]")),
            }
        }
        if let Some(name) = &body.demoted_to {
            fitted.demoted_to = find_role(name);
            if fitted.demoted_to.is_none() {
                leave_out("demoted_to".to_owned());
            }
        }
        fitted
    }

    /// "A `unique` role has at most one holder and, once held, is only
    /// transferred": no bundle makes it an ordinary one.
    fn must_stay_with_its_holder(&mut self, role: &SourceName, body: &Role) {
        let holders = holders(self.old, role).len();
        let was_unique = self.is_unique(name_of(role));
        self.refuse_if(body.unique && holders > 1, Rule::Unique);
        self.refuse_if(was_unique && holders > 0 && !body.unique, Rule::Unique);
    }

    /// "Including a guarded role … needs the right to assign it": each role that
    /// comes brings along all that it includes now and did not before, but for
    /// what comes with it.
    fn needs_the_right_to_include(&mut self, coming: &[Coming]) {
        for source in coming {
            let before = with_included(self.old, &source.here);
            let mut brought = with_included(&self.new, &source.here);
            brought.retain(|role| {
                !before.contains(role) && coming.iter().all(|other| other.here != *role)
            });
            self.to_assign.extend(brought);
        }
    }
}

//! "From another workspace. What this one does not know, or what does not fit here, is left
//! out and **reported**, never guessed; restrictions apart."

use serde_json::{Map, Value, json};

use super::super::catalogue::Catalogue;
use super::super::json::{entries, is_true, list, text};
use super::fit::{self, is_free_name};
use super::name::{self, Kind, Name};
use super::{Attempt, Given, Rule};

/// A source of a bundle.
struct Coming {
    /// As the bundle calls it.
    there: Name,
    /// As it is called here.
    here: Name,
    body: Value,
}

impl Attempt<'_> {
    pub(super) fn import(&mut self, body: &Value) {
        self.need("import");
        self.needs.spared_by = Some("escalate");
        let on_conflict = text(body, "on_conflict").unwrap_or("refuse".to_owned());
        let coming = self.coming(&body["bundle"], &on_conflict);
        for source in &coming {
            let mut body = self.fitted(source, &coming);
            if on_conflict == "replace" {
                self.must_stay_with_its_holder(&source.here, &body);
                // "Changing its `assignable_by` needs the right to assign it."
                let guard = source.here.find(self.old).map(|here| list(here, "assignable_by"));
                let stated = body.get("assignable_by").map(super::super::json::texts);
                if guard != stated {
                    self.needs.rights.push(source.here.clone());
                }
            }
            self.states(&Value::Object(body.clone()));
            self.given.push(Given::Source(source.here.clone()));
            body.retain(|_, value| *value != json!(false) && !value.is_null());
            source.here.put(&mut self.new, body.into());
        }
        self.needs_the_right_to_include(&coming);
        // Where a name stands here already there is no result to judge.
        if !self.refusals.contains(&Rule::Conflict) {
            self.must_have_no_ring_of_roles();
            let roles = &self.new["roles"];
            let includes_unique = entries(roles).any(|(_, role)| {
                list(role, "includes").iter().any(|name| is_true(&roles[name], "unique"))
            });
            self.refuse_if(includes_unique, Rule::Invalid);
        }
    }

    /// "`on_conflict`: `refuse`, `rename` (`name_2`), `replace`."
    fn coming(&mut self, bundle: &Value, on_conflict: &str) -> Vec<Coming> {
        let mut coming = Vec::new();
        for kind in Kind::BUNDLED {
            for (name, body) in entries(&bundle[kind.field()]) {
                let there = Name::new(kind, name);
                self.refuse_if(!is_free_name(name), Rule::Invalid);
                let known = there.find(self.old);
                let body =
                    self.permissible(&there, body, known.filter(|_| on_conflict == "replace"));
                let mut here = there.clone();
                match on_conflict {
                    _ if known.is_none() => {}
                    "refuse" => self.refuse(Rule::Conflict),
                    "rename" => {
                        let mut others = (2..).map(|at| there.alike(&format!("{name}_{at}")));
                        let is_free = |name: &Name| {
                            name.find(self.old).is_none() && name.find(bundle).is_none()
                        };
                        here = others.find(is_free).expect("there are names enough");
                        self.notes.insert(format!("renamed {} {}", there.place(), here.name));
                    }
                    _ => {
                        self.must_be_unprotected(&there);
                        self.needs.guarded.push(there.clone());
                    }
                }
                coming.push(Coming { there, here, body });
            }
        }
        coming
    }

    /// "Where an actor who is no admin imports, `protected`, `unique` and `demoted_to` stay as
    /// they are here, absent for what is new, and that is reported."
    fn permissible(&mut self, there: &Name, body: &Value, here: Option<&Value>) -> Value {
        let mut body = body.clone();
        if self.is_trusted {
            return body;
        }
        let fields = if there.kind == Kind::Role {
            &["protected", "unique", "demoted_to"][..]
        } else {
            &["protected"]
        };
        for field in fields {
            let stays = here.map_or(Value::Null, |here| here[*field].clone());
            let is_set = |value: &Value| !value.is_null() && *value != json!(false);
            if is_set(&stays) != is_set(&body[*field]) || is_set(&stays) && stays != body[*field] {
                self.leave_out(&format!("{}.{field}", there.place()), false);
            }
            body[*field] = stays;
        }
        body
    }

    fn leave_out(&mut self, place: &str, restricts: bool) {
        self.notes.insert(format!("left out {place} {restricts}"));
    }

    /// A source without what does not fit, its roles as they are called here.
    fn fitted(&mut self, source: &Coming, coming: &[Coming]) -> Map<String, Value> {
        let Coming { there, body, .. } = source;
        let catalogue = &self.policy.catalogue;
        let named = |pattern: &str| present(catalogue, pattern);
        let (mut fitted, misfits) = fit::fitting(&self.policy, body, named);
        for misfit in misfits {
            self.leave_out(&format!("{}.{}", there.place(), misfit.place), misfit.restricts);
        }
        for field in ["label", "description", "template", "protected", "unique"] {
            fitted.insert(field.to_owned(), body[field].clone());
        }
        // A name of the bundle is that one, whatever it is called here.
        let own = |name: &str| {
            let wanted = Name::new(Kind::Role, name);
            coming
                .iter()
                .find(|source| source.there == wanted)
                .map(|source| source.here.name.clone())
        };
        let old = self.old;
        let here =
            |name: &str| own(name).or_else(|| old["roles"].get(name).map(|_| name.to_owned()));
        // "A unique role that is included" does not fit; of the bundle's own, leaving out one
        // or the other would be guessing.
        let is_unique_here =
            |name: &str| own(name).is_none() && is_true(&old["roles"][name], "unique");
        let mut left = Vec::new();
        if body["assignable_by"].is_array() {
            // "An `assignable_by` that loses its last name stays, for admins only."
            let mut guard: Vec<String> = Vec::new();
            for (at, name) in list(body, "assignable_by").iter().enumerate() {
                match here(name) {
                    Some(known) if guard.contains(&known) => {}
                    Some(known) => guard.push(known),
                    None => left.push(format!("assignable_by[{at}]")),
                }
            }
            fitted.insert("assignable_by".to_owned(), json!(guard));
        }
        let mut includes: Vec<String> = Vec::new();
        for (at, name) in list(body, "includes").iter().enumerate() {
            match here(name).filter(|_| !is_unique_here(name)) {
                Some(known) if includes.contains(&known) => {}
                Some(known) => includes.push(known),
                None => left.push(format!("includes[{at}]")),
            }
        }
        if !includes.is_empty() {
            fitted.insert("includes".to_owned(), json!(includes));
        }
        if let Some(name) = text(body, "demoted_to") {
            match here(&name) {
                Some(known) => drop(fitted.insert("demoted_to".to_owned(), json!(known))),
                None => left.push("demoted_to".to_owned()),
            }
        }
        for place in left {
            self.leave_out(&format!("{}.{place}", there.place()), false);
        }
        fitted
    }

    /// "A `unique` role has at most one holder and, once held, is only transferred": no
    /// bundle makes it an ordinary one; and none is in an assignment.
    fn must_stay_with_its_holder(&mut self, role: &Name, body: &Map<String, Value>) {
        let unique = body.get("unique") == Some(&json!(true));
        let holders = name::holders(self.old, role).len();
        self.refuse_if(unique && holders > 1, Rule::Unique);
        self.refuse_if(self.is_unique(role) && holders > 0 && !unique, Rule::Unique);
        let assigned = !name::assigned_to(self.old, role).is_empty();
        self.refuse_if(unique && assigned, Rule::Invalid);
    }

    /// "Including a guarded role … needs the right to assign it": each role that comes brings
    /// along all that it includes now and did not before, but for what comes with it.
    fn needs_the_right_to_include(&mut self, coming: &[Coming]) {
        for source in coming.iter().filter(|source| source.here.kind == Kind::Role) {
            let before = source.here.with_included(&self.policy);
            let mut brought = vec![source.here.name.clone()];
            let mut at = 0;
            while let Some(role) = brought.get(at) {
                let included = list(&self.new["roles"][role], "includes");
                for role in included {
                    if !brought.contains(&role) {
                        brought.push(role);
                    }
                }
                at += 1;
            }
            let brought = brought.into_iter().map(|role| Name::new(Kind::Role, &role));
            self.needs.rights.extend(brought.filter(|role| {
                !before.contains(role) && coming.iter().all(|other| other.here != *role)
            }));
        }
    }
}

/// Section 4: "wherever it names a path that some permissions list in `was`, those
/// permissions take its place: in patterns the base is replaced, keeping `.*` and `.**`;
/// where several list it, each gets a statement."
fn present(catalogue: &Catalogue, pattern: &str) -> Vec<String> {
    let (base, rest) = fit::parts(pattern);
    let now = base.map_or(Vec::new(), |base| catalogue.formerly(base));
    if now.is_empty() {
        return vec![pattern.to_owned()];
    }
    now.into_iter().map(|path| format!("{path}{rest}")).collect()
}

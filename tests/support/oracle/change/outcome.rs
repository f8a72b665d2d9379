//! What a change must not result in.

use serde_json::{Value, json};

use super::super::json::{entries, is_true, list, text};
use super::super::terms::Terms;
use super::bounds::{Joined, is_within};
use super::compare::{
    Ability, Likely, Side, covering_bounds, gains_behind_gates, had, last_covers, lies_within,
};
use super::name::{self, Kind, Name};
use super::{Attempt, Given, Rule};

/// Somebody who is compared, before and after the change.
struct Compared {
    /// `None` where there was nobody: "a new user had nothing".
    before: Option<Value>,
    after: Value,
    /// The sources whose bounds are compared for themselves, before and after, and the terms
    /// under which they are given.
    stated: Option<([Vec<Value>; 2], Value)>,
    /// The user to whom something is given.
    given_to: Option<String>,
}

impl Attempt<'_> {
    /// "A policy that has an active admin never loses the last one."
    pub(super) fn keep_last_admin(&mut self) {
        let is_active = |user: &Value| is_true(user, "admin") && !is_true(user, "suspended");
        let has_admin = |policy: &Value| entries(&policy["users"]).any(|(_, it)| is_active(it));
        self.refuse_if(has_admin(self.old) && !has_admin(&self.new), Rule::LastAdmin);
    }

    /// "No change raises anyone but an admin above `at_most` of a `separation`'s permissions,
    /// counting what is effective in the ordinary capacity, or carried in an assignment …; who
    /// was an admin before held nothing."
    pub(super) fn keep_separation(&mut self) {
        let separations = &self.old["governance"]["separation"];
        let separations: Vec<Value> = separations.as_array().cloned().unwrap_or_default();
        if separations.is_empty() {
            return;
        }
        let sides = [Side::both(self.old, &self.new), Side::both(&self.new, &self.new)];
        let mut raised = false;
        for (before, after) in sides[0].iter().zip(&sides[1]) {
            let users = after.policy.users.iter();
            for (user, entry) in users.filter(|(_, entry)| !is_true(entry, "admin")) {
                let known = before.policy.users.get(self.former(user));
                let known = known.filter(|entry| !is_true(entry, "admin"));
                let known = known.map(|entry| before.ability(entry));
                let now = after.ability(entry);
                raised |= separations.iter().any(|separation| {
                    let most = separation["at_most"].as_u64().expect("a number") as usize;
                    let had = known.as_ref().map_or(0, |it| self.held_of(it, separation));
                    self.held_of(&now, separation) > most.max(had)
                });
            }
        }
        self.refuse_if(raised, Rule::Separation);
    }

    fn held_of(&self, ability: &Ability<'_>, separation: &Value) -> usize {
        let catalogue = &self.policy.catalogue;
        let permissions = list(separation, "permissions");
        let needs = permissions.iter().map(|text| catalogue.need(text).expect("known"));
        let is_held = |need: &_| ability.capacities.iter().any(|it| it.is_met(catalogue, need));
        needs.filter(is_held).count()
    }

    /// The name that a user had before.
    fn former<'n>(&'n self, user: &'n str) -> &'n str {
        let renamed = self.renamed.as_ref().filter(|(_, to)| to == user);
        renamed.map_or(user, |(from, _)| from)
    }

    /// "With `no_escalation`, no change by anyone but an admin lets any user do what neither
    /// that user before nor the actor may."
    pub(super) fn does_not_escalate(&self, name: &str) -> Likely {
        let actor = self.actor(name).expect("a permitted actor");
        if !is_true(&self.old["governance"], "no_escalation") || actor.is_admin() {
            return Likely::Yes;
        }
        // "Only an admin renames a user … and changes the licence."
        if self.needs.escalates {
            return Likely::No;
        }
        // "`set_groups`, `add_user` and `set_group` name only the actor's groups or groups
        // beneath them."
        let own = list(&self.old["users"][name], "groups");
        let is_own = |group: &String| own.iter().any(|above| self.policy.is_within(group, above));
        if !self.needs.groups.iter().all(is_own) {
            return Likely::No;
        }
        let mut compared = self.given();
        if self.is_spared(&actor) {
            // "The actor itself is always compared."
            compared.retain(|it| it.given_to.as_deref() == Some(name));
            compared.push(self.user(name));
        } else {
            let users = entries(&self.new["users"]).map(|(user, _)| self.user(user));
            compared.extend(users);
            compared.push(self.newcomer());
        }
        let sides = [Side::both(self.old, &self.new), Side::both(&self.new, &self.new)];
        Likely::all(sides[0].iter().zip(&sides[1]).map(|(before, after)| {
            let actor = before.ability(&before.policy.users[name]);
            let gains = compared.iter().map(|it| is_no_gain(it, before, after, &actor));
            Likely::all(gains)
        }))
    }

    fn user(&self, user: &str) -> Compared {
        let before = self.old["users"].get(user).filter(|_| self.added.as_deref() != Some(user));
        Compared {
            before: before.cloned(),
            after: self.new["users"][user].clone(),
            stated: None,
            given_to: None,
        }
    }

    /// "One more user is compared, who holds the default profile and nothing else, so that
    /// neither another default profile nor an edit of it gives the next newcomer more": nor
    /// wider bounds.
    fn newcomer(&self) -> Compared {
        let of = |document: &Value| {
            let profile = text(document, "default_profile");
            let profile = profile.map(|profile| Name::new(Kind::Profile, &profile));
            let entry = profile.as_ref().map_or(json!({}), |it| holding(json!({}), it));
            (entry, profile.map_or(Vec::new(), |it| self.stated(document, &it)))
        };
        let [(before, known), (after, stated)] = [self.old, &self.new].map(of);
        // Nor does another default profile state more.
        let stated = Some(([known, stated], Value::Null));
        Compared { before: Some(before), after, stated, given_to: None }
    }

    /// "For each, one more user, who holds it and nothing else (but that user's groups, where
    /// it is given to one), is compared before (what is new, or was not held, counts as empty)
    /// and after."
    fn given(&self) -> Vec<Compared> {
        let mut compared = Vec::new();
        let mut edited: Vec<Name> = Vec::new();
        for given in &self.given {
            let documents = [self.old, &self.new];
            match given {
                Given::Source(source) => edited.push(source.clone()),
                // "What … was not held counts as empty": what was held is as before.
                Given::To(user, source) if source.is_held_by(&self.old["users"][user]) => {}
                Given::To(user, source) => {
                    let [before, after] = documents.map(|it| groups_of(it, user));
                    let stated = [Vec::new(), self.stated(&self.new, source)];
                    compared.push(Compared {
                        before: Some(before),
                        after: holding(after, source),
                        stated: Some((stated, Value::Null)),
                        given_to: Some(user.clone()),
                    });
                }
                Given::Own(user) => {
                    let [before, after] = documents.map(|document| {
                        let mut own = groups_of(document, user);
                        for field in super::fit::STATEMENTS {
                            if let Some(stated) = document["users"][user].get(field) {
                                own[field] = stated.clone();
                            }
                        }
                        own
                    });
                    let stated = [vec![before.clone()], vec![after.clone()]];
                    compared.push(Compared {
                        before: Some(before),
                        after,
                        stated: Some((stated, Value::Null)),
                        given_to: Some(user.clone()),
                    });
                }
                Given::Assignment(user, name) => {
                    let assigned =
                        documents.map(|it| it["users"][user]["assignments"].get(name).cloned());
                    let [before, after] = [0, 1].map(|at| {
                        let mut entry = groups_of(documents[at], user);
                        if let Some(assignment) = &assigned[at] {
                            entry["assignments"] = json!({name: assignment});
                        }
                        entry
                    });
                    let stated = [0, 1].map(|at| {
                        let Some(assignment) = &assigned[at] else { return Vec::new() };
                        let held = name::held(assignment);
                        let mut stated: Vec<Value> =
                            held.iter().flat_map(|it| self.stated(documents[at], it)).collect();
                        stated.push(assignment.clone());
                        stated
                    });
                    let terms = assigned[1].clone().unwrap_or_default();
                    compared.push(Compared {
                        before: Some(before),
                        after,
                        stated: Some((stated, terms)),
                        given_to: Some(user.clone()),
                    });
                }
            }
        }
        // "Each role that includes one of these."
        for (name, _) in entries(&self.new["roles"]) {
            let role = Name::new(Kind::Role, name);
            let included = included(&self.new, &role);
            if !edited.contains(&role) && included.iter().any(|it| edited.contains(it)) {
                edited.push(role);
            }
        }
        for source in &edited {
            let of = |document: &Value| match source.find(document) {
                Some(_) => holding(json!({}), source),
                None => json!({}),
            };
            let stated = [self.old, &self.new].map(|it| self.stated(it, source));
            compared.push(Compared {
                before: Some(of(self.old)),
                after: of(&self.new),
                stated: Some((stated, Value::Null)),
                given_to: None,
            });
        }
        compared
    }

    /// A source with what it includes.
    fn stated(&self, document: &Value, source: &Name) -> Vec<Value> {
        let all = included(document, source);
        all.iter().filter_map(|it| it.find(document)).cloned().collect()
    }
}

/// A source and, of a role, all that it includes.
fn included(document: &Value, source: &Name) -> Vec<Name> {
    let mut all = vec![source.clone()];
    let mut at = 0;
    while let Some(source) = all.get(at).filter(|it| it.kind == Kind::Role) {
        for role in list(source.find(document).unwrap_or(&Value::Null), "includes") {
            let role = Name::new(Kind::Role, &role);
            if !all.contains(&role) {
                all.push(role);
            }
        }
        at += 1;
    }
    all
}

/// Somebody with a user's groups and nothing else.
fn groups_of(document: &Value, user: &str) -> Value {
    json!({"groups": list(&document["users"][user], "groups")})
}

/// The global source is everybody's without being held.
fn holding(mut entry: Value, source: &Name) -> Value {
    if source.kind != Kind::Global {
        name::give(&mut entry, source);
    }
    entry
}

fn is_no_gain(it: &Compared, before: &Side, after: &Side, actor: &Ability<'_>) -> Likely {
    let known = it.before.as_ref().map(|entry| before.ability(entry));
    let user = after.ability(&it.after);
    let gained = Likely::all(user.capacities.iter().flat_map(|acting| {
        let within = had(&user, acting).map(|path| {
            let own = known.as_ref().map_or(Likely::No, |it| lies_within(path, &user, acting, it));
            Likely::any([
                own,
                if own == Likely::Yes { own } else { lies_within(path, &user, acting, actor) },
            ])
        });
        let behind = gains_behind_gates(&user, acting, known.as_ref(), actor);
        within.chain([Likely::from(!behind)]).collect::<Vec<_>>()
    }));
    gained.min(Likely::from(!states_more(it, known.as_ref(), after, actor)))
}

/// "Each bound that it, or what it includes or holds, states after lies within those that it
/// and these stated before, joined as in rule 8, or within the actor's in a capacity whose
/// terms cover (what is given outside an assignment has no terms)." Of an assignment those
/// before count whose terms cover, too.
fn states_more(
    it: &Compared,
    known_as: Option<&Ability<'_>>,
    after: &Side,
    actor: &Ability<'_>,
) -> bool {
    let Some(([known, stated], terms)) = &it.stated else { return false };
    let terms = terms.is_object().then(|| Terms::read(terms));
    let is_covered =
        terms.is_none() || known_as.is_some_and(|known| last_covers(known, after, terms.as_ref()));
    let known = if is_covered { known.as_slice() } else { &[] };
    stated.iter().flat_map(|source| entries(&source["bounds"])).any(|(name, bound)| {
        let (kind, attribute) = name.split_once('.').expect("a kind and an attribute");
        let bound_type = &after.policy.catalogue.kinds[kind].attributes[attribute];
        let known: Joined =
            known.iter().filter_map(|source| source["bounds"].get(name)).cloned().collect();
        let within = |others: &Joined| is_within(&[vec![bound.clone()]], others, bound_type);
        let of_actor = covering_bounds(actor, after, terms.as_ref(), name);
        !within(&known) && !of_actor.iter().any(within)
    })
}

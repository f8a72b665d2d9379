//! What an actor may do.

use serde_json::{Value, json};

use super::super::catalogue::Levels;
use super::super::json::{entries, is_true, list};
use super::super::object::needs_object;
use super::super::person::{Asked, Person};
use super::super::terms::Terms;
use super::Attempt;
use super::compare::{Likely, Side, may_no_more};
use super::name::{self, Name};

/// A user who asks for a change.
pub struct Actor {
    person: Person,
    is_admin: bool,
    /// The permissions that count: "in the ordinary capacity and in assignments without `on`
    /// whose dates hold on the change's `today`".
    holding: Vec<Levels>,
    /// The roles in the same capacities, those by inclusion too.
    roles: Vec<String>,
}

impl Attempt<'_> {
    pub(super) fn actor(&self, name: &str) -> Option<Actor> {
        let entry = self.policy.users.get(name)?;
        let person = Person::of_document(&self.policy, name)?;
        let mut roles = list(entry, "roles");
        for (_, assignment) in entries(&entry["assignments"]) {
            let terms = Terms::read(assignment);
            if !terms.name_objects() && terms.dates_hold(self.today) {
                roles.extend(list(assignment, "roles"));
            }
        }
        Some(Actor {
            holding: person.holding(&self.policy.catalogue, self.today),
            person,
            is_admin: is_true(entry, "admin"),
            roles: self.policy.with_included(&roles),
        })
    }

    /// Returns if the actor may ask for this.
    pub(super) fn permits(&self, name: &str) -> Likely {
        // "(An unknown actor too.)" And a suspended user has nothing.
        let Some(actor) = self.actor(name) else { return Likely::No };
        if is_true(&self.policy.users[name], "suspended") {
            return Likely::No;
        }
        if actor.is_admin {
            return Likely::Yes;
        }
        let needs = &self.needs;
        let permitted = !needs.for_admins
            && needs.guarded.iter().all(|source| self.satisfies(&actor, source))
            && needs.rights.iter().all(|source| self.has_right(&actor, source))
            && needs.stated.iter().all(|guard| actor.has_any(guard))
            && self.is_over();
        if !permitted {
            return Likely::No;
        }
        let kinds = Likely::all(needs.kinds.iter().map(|kind| self.permits_kind(&actor, kind)));
        kinds.min(self.permits_on_users(&actor, name))
    }

    /// "For an actor who is no admin that is not after the change's `today` (a date counting
    /// from its first moment), else, and without a `today`, it is `not_permitted`."
    fn is_over(&self) -> bool {
        let is_over = |before: super::Today| self.today.is_some_and(|it| before.start <= it.start);
        self.needs.before.is_none_or(is_over)
    }

    /// "`governance.permissions` maps a kind of change to the permissions that the actor must
    /// hold, all of them; a kind that is not listed is for admins."
    fn may(&self, actor: &Actor, kind: &str, concerned: Option<&[Value]>) -> bool {
        let governed = &self.old["governance"]["permissions"];
        let Some(needed) = governed.get(kind) else { return false };
        super::super::json::texts(needed).iter().all(|text| {
            let catalogue = &self.policy.catalogue;
            let need = catalogue.need(text).expect("a known permission");
            let users = self.users_kind();
            let on_users =
                catalogue.node(&need.path).kind.as_ref().filter(|it| Some(*it) == users.as_ref());
            match (on_users, concerned) {
                // "… is asked, as by `can` in any capacity, on each user whom the change
                // concerns."
                (Some(_), Some(objects)) => objects.iter().all(|object| {
                    let asked = Asked { object: Some(object), today: self.today };
                    actor.person.why(&self.policy, &need, asked).is_yes()
                }),
                (Some(kind), None) if needs_object(catalogue, &need.path, kind) => false,
                _ => actor.holding.iter().any(|levels| catalogue.is_met(&need, levels)),
            }
        })
    }

    /// The kind of object that stands for users.
    fn users_kind(&self) -> Option<String> {
        let mut kinds = entries(&self.old["catalogue"]["objects"]);
        let found = kinds.find(|(_, kind)| kind["stands_for"] == "users");
        found.map(|(name, _)| name.to_owned())
    }

    fn permits_kind(&self, actor: &Actor, kind: &str) -> Likely {
        // "A kind of change that concerns no user (a `delete_` kind, too)."
        let objects = self.concerned_objects();
        let concerned = (!kind.starts_with("delete_")
            && (!objects.is_empty() || self.needs.concerns_unknown))
            .then_some(&objects[..]);
        if !self.may(actor, kind, concerned) {
            return Likely::No;
        }
        // Of a user who is not known, it is open what may be asked.
        if concerned.is_some() && self.needs.concerns_unknown && !self.may(actor, kind, None) {
            return Likely::Open;
        }
        Likely::Yes
    }

    /// "As an object with `self` naming the user and `group` the user's groups: before the
    /// change (a new user only after it) and, where the change gives the user other groups,
    /// after it."
    fn concerned_objects(&self) -> Vec<Value> {
        let Some(kind) = self.users_kind() else { return Vec::new() };
        let object = |(user, groups): (&String, Vec<String>)| json!({"kind": kind, "relations": {"self": [user], "group": groups}});
        let before = self.needs.concerned.iter();
        let before = before.map(|user| (user, list(&self.old["users"][user], "groups")));
        let after = self.needs.settled.iter().map(|(user, groups)| (user, groups.clone()));
        before.chain(after).map(object).collect()
    }

    /// "Only by holders of one of those roles (directly or by inclusion) and by admins."
    fn satisfies(&self, actor: &Actor, source: &Name) -> bool {
        let guard = source.find(self.old).filter(|source| source["assignable_by"].is_array());
        guard.is_none_or(|source| actor.has_any(&list(source, "assignable_by")))
    }

    /// To give it: "the kind of change", and its guard. What is not guarded needs neither.
    fn has_right(&self, actor: &Actor, source: &Name) -> bool {
        let is_guarded =
            source.find(self.old).is_some_and(|source| source["assignable_by"].is_array());
        let kind = format!("assign_{}", source.kind.word());
        !is_guarded || self.satisfies(actor, source) && self.may(actor, &kind, None)
    }

    /// "So does, for a user who holds [a guarded source] in any capacity, directly or by
    /// inclusion, oneself too, whatever suspends, restores or removes that user, or concerns
    /// and lets that user do less." And with `protect_superiors`, what is done to another who
    /// "may do what the actor may not".
    fn permits_on_users(&self, actor: &Actor, name: &str) -> Likely {
        let protects = is_true(&self.old["governance"], "protect_superiors");
        let before = Side::both(self.old, &self.new);
        let mut permitted = Likely::Yes;
        for user in &self.needs.concerned {
            let is_holder = self.held_by(user).iter().any(|source| !self.satisfies(actor, source));
            let is_superior = if protects && user != name {
                self.is_within(&before, user, &before, name).not()
            } else {
                Likely::No
            };
            if !is_holder && is_superior == Likely::No {
                continue;
            }
            let acts = self.needs.displaces || is_superior == Likely::Yes && self.needs.renames;
            let acted = if acts { Likely::Yes } else { self.does_less(&before, user) };
            let wronged = if is_holder { acted } else { acted.min(is_superior) };
            permitted = permitted.min(wronged.not());
        }
        permitted
    }

    /// Returns if the change "lets that one do less". What is refused has no effect to tell:
    /// there it is open.
    fn does_less(&self, before: &[Side; 2], user: &str) -> Likely {
        if !self.refusals.is_empty() {
            return Likely::Open;
        }
        let renamed = self.renamed.as_ref().filter(|(from, _)| from == user);
        let now = renamed.map_or(user, |(_, to)| to.as_str());
        self.is_within(before, user, &Side::both(&self.new, &self.new), now).not()
    }

    /// Returns if one may do no more than another, under both licences.
    fn is_within(&self, sides: &[Side; 2], one: &str, of: &[Side; 2], other: &str) -> Likely {
        Likely::all(sides.iter().zip(of).map(|(side, other_side)| {
            let Some(entry) = other_side.policy.users.get(other) else { return Likely::No };
            may_no_more(&side.ability(&side.policy.users[one]), &other_side.ability(entry))
        }))
    }

    /// All that a user holds in any capacity, directly or by inclusion.
    fn held_by(&self, user: &str) -> Vec<Name> {
        let entry = &self.policy.users[user];
        let assigned = entries(&entry["assignments"]).flat_map(|(_, it)| name::held(it));
        let held = name::held(entry).into_iter().chain(assigned);
        held.flat_map(|source| source.with_included(&self.policy)).collect()
    }

    /// Returns `true` for an actor who holds all that a list of governance names. "An absent
    /// or empty list spares nobody."
    pub(super) fn is_spared(&self, actor: &Actor) -> bool {
        let Some(list_name) = self.needs.spared_by else { return false };
        let named = list(&self.old["governance"], list_name);
        let catalogue = &self.policy.catalogue;
        let holds = |text: &String| {
            let need = catalogue.need(text).expect("a known permission");
            actor.holding.iter().any(|levels| catalogue.is_met(&need, levels))
        };
        !named.is_empty() && named.iter().all(holds)
    }
}

impl Actor {
    pub(super) fn is_admin(&self) -> bool {
        self.is_admin
    }

    fn has_any(&self, roles: &[String]) -> bool {
        roles.iter().any(|role| self.roles.contains(role))
    }
}

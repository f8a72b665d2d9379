//! What an actor may do.

use grantree::Document;
use grantree::SourceName;
use grantree::change::Rule;
use grantree::document::UserEntry;

use super::super::oracle::{Catalogue, Holder, visit};
use super::Attempt;
use super::source::{guard, held_by_inclusion, kind_of};

/// An admin who is suspended "holds nothing".
pub fn is_active_admin(user: &UserEntry) -> bool {
    user.admin && !user.suspended
}

/// A user who asks for a change.
struct Actor<'a> {
    document: &'a Document,
    catalogue: &'a Catalogue<'a>,
    holder: Holder<'a>,
    is_admin: bool,
    /// The roles, those by inclusion too.
    roles: Vec<&'a str>,
}

impl Attempt<'_> {
    /// Refuses what the actor may not do.
    pub(super) fn permit(&mut self, name: &str) {
        // "(An unknown actor too.)"
        let Some(user) = self.old.users.get(name) else {
            return self.refuse(Rule::NotPermitted);
        };
        let mut roles = Vec::new();
        for role in &user.roles {
            visit(self.old, role, &mut roles);
        }
        let actor = Actor {
            document: self.old,
            catalogue: &self.catalogue,
            holder: Holder::new(self.old, &self.catalogue, name, user),
            is_admin: is_active_admin(user),
            roles,
        };
        // "So does, for a user who holds it …, whatever suspends, restores or removes that
        // user, or concerns and lets that user do less."
        let mut acted_on = self.concerned.iter().filter(|user| {
            let held = held_by_inclusion(self.old, user);
            held.iter().any(|source| !actor.is_within_guard(source))
        });
        // What is refused has no effect to tell.
        let is_told = self.refusals.is_empty();
        let is_out_of_guard =
            acted_on.any(|user| self.displaces || is_told && self.does_less(user));
        let states = |roles: &Vec<String>| {
            actor.is_admin || roles.iter().any(|role| actor.roles.contains(&role.as_str()))
        };
        let permitted = !user.suspended
            && !is_out_of_guard
            && self.stated.iter().all(states)
            && self.guarded.iter().all(|source| actor.is_within_guard(source))
            && self.kinds.iter().all(|kind| actor.may(kind))
            && self.moved.iter().all(|source| actor.is_within_guard(source))
            && self.to_assign.iter().all(|source| actor.has_the_right_to_assign(source))
            && (actor.is_admin || !self.is_for_admins);
        self.refuse_if(!permitted, Rule::NotPermitted);
    }
}

impl Actor<'_> {
    /// "`governance.permissions` maps a kind of change to the permissions that
    /// the actor must hold, all of them; a kind that is not listed is for
    /// admins, … and an admin may make every kind."
    fn may(&self, kind: &str) -> bool {
        let holds = |text: &String| {
            let need = self.catalogue.need(text).expect("a known permission");
            self.holder.has(self.catalogue, &need)
        };
        let permissions = self.document.governance.permissions.get(kind);
        self.is_admin || permissions.is_some_and(|permissions| permissions.iter().all(holds))
    }

    /// "… only by holders of one of those roles (directly or by inclusion) and
    /// by admins."
    fn is_within_guard(&self, source: &SourceName) -> bool {
        let is_held = |roles: &[String]| roles.iter().any(|it| self.roles.contains(&it.as_str()));
        self.is_admin || guard(self.document, source).is_none_or(is_held)
    }

    /// Of what is guarded: to be within its guard, and to be one who may assign.
    fn has_the_right_to_assign(&self, source: &SourceName) -> bool {
        let kind = kind_of(source).expect("a source that users have");
        guard(self.document, source).is_none()
            || self.is_within_guard(source) && self.may(&format!("assign_{kind}"))
    }
}

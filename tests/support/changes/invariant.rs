//! The invariants that hold whoever asks, of the result.

use grantree::Document;
use grantree::change::Rule;
use grantree::document::{Licence, Separation};

use super::super::oracle::Oracle;
use super::Attempt;
use super::actor::is_active_admin;
use super::reach::{features, seen};

impl Attempt<'_> {
    /// "A policy that has an active admin never loses the last one."
    pub(super) fn keep_last_admin(&mut self) {
        let lost = has_active_admin(self.old) && !has_active_admin(&self.new);
        self.refuse_if(lost, Rule::LastAdmin);
    }

    /// "No change raises anyone but an admin above `at_most` of a `separation`'s
    /// permissions, … suspension left aside, under the licence after the change or under one
    /// that has every feature, before and after under the same; who was an admin before held
    /// nothing." Who is above it already is not raised further. A renamed user is the same one.
    pub(super) fn keep_separation(&mut self) {
        if self.old.governance.separation.is_empty() {
            return;
        }
        let every = Licence { features: features(self.old), ..Licence::default() };
        let raised = [&every, &self.new.licence].map(|licence| self.raises(licence));
        self.refuse_if(raised.contains(&true), Rule::Separation);
    }

    fn raises(&self, licence: &Licence) -> bool {
        let (before, after) = (seen(self.old, licence), seen(&self.new, licence));
        let (before, after) = (Oracle::new(&before), Oracle::new(&after));
        let mut raised = false;
        for (name, _) in self.new.users.iter().filter(|(_, user)| !user.admin) {
            let former = match &self.renamed {
                Some((from, to)) if to == name => from,
                _ => name,
            };
            for separation in &self.old.governance.separation {
                let now = held_of(&after, name, separation);
                raised |=
                    now > separation.at_most as usize && now > held_of(&before, former, separation);
            }
        }
        raised
    }
}

pub fn has_active_admin(document: &Document) -> bool {
    document.users.iter().any(|(_, user)| is_active_admin(user))
}

/// How many of the permissions that are kept apart a user holds; an admin none.
pub fn held_of(oracle: &Oracle<'_>, user: &str, separation: &Separation) -> usize {
    let Some(holder) = oracle.holder(user).filter(|it| !it.user.admin) else { return 0 };
    let catalogue = oracle.catalogue();
    let needs = separation.permissions.iter().map(|text| catalogue.need(text).expect("known"));
    needs.filter(|need| holder.has(catalogue, need)).count()
}

//! The invariants that hold whoever asks, of the result.

use grantree::Document;
use grantree::change::Rule;
use grantree::document::Separation;

use super::super::oracle::Oracle;
use super::Attempt;
use super::actor::is_active_admin;

impl Attempt<'_> {
    /// "A policy that has an active admin never loses the last one."
    pub(super) fn keep_last_admin(&mut self) {
        let lost = has_active_admin(self.old) && !has_active_admin(&self.new);
        self.refuse_if(lost, Rule::LastAdmin);
    }

    /// "No change raises anyone but an admin above `at_most` of a `separation`'s
    /// permissions." Who is above it already is not raised further. A renamed
    /// user is the same one.
    pub(super) fn keep_separation(&mut self) {
        if self.old.governance.separation.is_empty() {
            return;
        }
        let (before, after) = (Oracle::new(self.old), Oracle::new(&self.new));
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
        self.refuse_if(raised, Rule::Separation);
    }
}

pub fn has_active_admin(document: &Document) -> bool {
    document.users.iter().any(|(_, user)| is_active_admin(user))
}

/// How many of the permissions that are kept apart a user holds.
pub fn held_of(oracle: &Oracle<'_>, user: &str, separation: &Separation) -> usize {
    let Some(holder) = oracle.holder(user) else { return 0 };
    let catalogue = oracle.catalogue();
    let needs = separation.permissions.iter().map(|text| catalogue.need(text).expect("known"));
    needs.filter(|need| holder.has(catalogue, need)).count()
}

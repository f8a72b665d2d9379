//! Assignments that end, for reminders.

use serde::Serialize;

use super::{Effective, Engine};
use crate::bits::Word;
use crate::date::Moment;
use crate::ids::ClassId;
use crate::policy::Assigned;

/// An assignment that ends, and what its user has in nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Expiring<'e> {
    /// The user.
    pub user: &'e str,
    /// The assignment's name.
    pub assignment: &'e str,
    /// Its label for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<&'e str>,
    /// The end of its term.
    pub until: Moment,
    /// The permissions that it carries, and neither the ordinary capacity has nor an
    /// assignment that stays, objects and terms left aside. Empty if the user is suspended
    /// or an admin.
    pub loses: Vec<Effective<'e>>,
}

impl Engine {
    /// Returns the assignments that have not ended today and end before a date or time:
    /// those that [`Change::Expire`](crate::change::Change::Expire) removes then. The first
    /// to end come first, and of one end in the order of users.
    ///
    /// Costs a look at every user.
    ///
    /// To see what users lose on which objects, ask [`Engine::what_if`] about that change.
    ///
    /// ```
    /// use grantree::{Document, Engine, Policy};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let text = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [{"key": "jobs", "children": [{"key": "edit"}]}]},
    ///     "users": {"carol": {"allow": ["jobs"], "assignments": {
    ///         "cover": {"allow": ["jobs.**"], "until": "2026-12-24T18:00"},
    ///         "one-off": {"allow": ["jobs.edit"], "until": "2027-01-31"}}}}
    /// }"#;
    /// let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let ends = engine.expiring("2026-12-01".parse()?, "2026-12-25".parse()?);
    /// assert_eq!((ends.len(), ends[0].user, ends[0].assignment), (1, "carol", "cover"));
    /// // She may still edit jobs, as long as the other one lasts.
    /// assert!(ends[0].loses.is_empty());
    /// let ends = engine.expiring("2026-12-01".parse()?, "2027-02-01".parse()?);
    /// assert_eq!(ends[1].loses[0].to_string(), "jobs.edit");
    /// # Ok(())
    /// # }
    /// ```
    pub fn expiring(&self, today: Moment, before: Moment) -> Vec<Expiring<'_>> {
        let users = &self.0.policy().users;
        let ends = |it: &Assigned| it.terms.have_ended(before) && !it.terms.have_ended(today);
        let mut all = Vec::new();
        for slot in users.assigned_any(ends) {
            let assigned = users.assigned(slot);
            let staying = assigned.iter().filter(|it| !it.terms.have_ended(before));
            let staying: Vec<&Assigned> = staying.collect();
            for ending in assigned.iter().filter(|it| ends(it)) {
                let Some(until) = ending.terms.until else { continue };
                all.push(Expiring {
                    user: users.name(slot),
                    assignment: &ending.name,
                    label: ending.texts.label.as_deref(),
                    until,
                    loses: self.listed(self.lost(users.class_of(slot), ending, &staying)),
                });
            }
        }
        all.sort_by_key(|it| it.until.end());
        all
    }

    /// Returns the permissions that an assignment carries, without those that the ordinary
    /// capacity or others have.
    fn lost(
        &self,
        class: ClassId,
        ending: &Assigned,
        staying: &[&Assigned],
    ) -> impl Iterator<Item = Word> {
        let mut lost: Vec<Word> = self.0.carried.row(ending.capacity).collect();
        let mut keep = |kept: &mut dyn Iterator<Item = Word>| {
            lost.iter_mut().zip(kept).for_each(|(lost, kept)| *lost &= !kept);
        };
        keep(&mut self.0.rows.row(class));
        staying.iter().for_each(|it| keep(&mut self.0.carried.row(it.capacity)));
        lost.into_iter()
    }
}

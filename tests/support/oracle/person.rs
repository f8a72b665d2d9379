//! Somebody who asks, in all capacities: rules 6 and 9.

use std::collections::BTreeMap;

use serde_json::Value;

use super::capacity::Capacity;
use super::catalogue::{Catalogue, Form, Levels, Need};
use super::date::Today;
use super::json::{entries, is_true, list};
use super::object::{Situation, answers_to, needs_object};
use super::policy::Policy;
use super::reason::Reason;

/// A user of the document, a subject, or a `within`.
pub struct Person {
    pub name: String,
    pub groups: Vec<String>,
    pub admin: bool,
    pub suspended: bool,
    ordinary: Capacity,
    assignments: BTreeMap<String, Capacity>,
}

/// The object and the day of a question.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub object: Option<&'a Value>,
    pub today: Option<Today>,
}

impl Person {
    /// Reads a user's entry.
    pub fn read(policy: &Policy, name: &str, groups: Vec<String>, entry: &Value) -> Person {
        let ordinary = Capacity::ordinary(policy, entry);
        let assigned = |assignment| Capacity::assigned(policy, &ordinary, assignment);
        Person {
            name: name.to_owned(),
            groups,
            admin: is_true(entry, "admin"),
            suspended: is_true(entry, "suspended"),
            assignments: entries(&entry["assignments"])
                .map(|(name, assignment)| (name.to_owned(), assigned(assignment)))
                .collect(),
            ordinary,
        }
    }

    /// Reads a user of the document.
    pub fn of_document(policy: &Policy, name: &str) -> Option<Person> {
        let entry = policy.users.get(name)?;
        Some(Person::read(policy, name, list(entry, "groups"), entry))
    }

    /// The ordinary capacity.
    pub fn ordinary(&self) -> &Capacity {
        &self.ordinary
    }

    /// The capacities that answer besides the ordinary one: "an admin needs no assignment;
    /// a suspended user has none".
    fn assignments(&self) -> impl Iterator<Item = &Capacity> {
        self.assignments.values().filter(|_| !self.admin && !self.suspended)
    }

    /// The permissions of the ordinary capacity. Rule 6: "An admin holds every licensed
    /// permission, graded ones at the highest level. A suspended user holds nothing, admin
    /// or not."
    fn held(&self, catalogue: &Catalogue) -> Levels {
        if self.suspended {
            return Levels::new();
        }
        if self.admin {
            let licensed = catalogue.grantable().filter(|path| catalogue.is_licensed(path));
            return licensed.map(|path| (path.to_owned(), catalogue.highest(path))).collect();
        }
        self.ordinary.effective.clone()
    }

    /// The permissions of the ordinary capacity or of an assignment: "what it carries,
    /// terms left aside; an admin's is everything and a suspended user's nothing". `None`
    /// for an unknown assignment.
    pub fn effective(&self, catalogue: &Catalogue, assignment: Option<&str>) -> Option<Levels> {
        let Some(name) = assignment else { return Some(self.held(catalogue)) };
        let capacity = self.assignments.get(name)?;
        if self.admin || self.suspended {
            return Some(self.held(catalogue));
        }
        Some(capacity.answered().clone())
    }

    /// "A question is answered yes if it is in the ordinary capacity, or in an assignment
    /// whose terms hold." Section 7: "Of several capacities the one that comes furthest in
    /// this list gives the reason, where an assignment speaks only of what it carries, at
    /// the level asked."
    pub fn why(&self, policy: &Policy, need: &Need, asked: Asked<'_>) -> Reason {
        let ordinary = self.why_ordinary(policy, need, asked);
        let assignments = self.assignments();
        let assigned =
            assignments.filter_map(|capacity| self.why_assigned(policy, capacity, need, asked));
        assigned.fold(ordinary, Reason::max)
    }

    fn why_ordinary(&self, policy: &Policy, need: &Need, asked: Asked<'_>) -> Reason {
        if self.suspended {
            return Reason::Suspended;
        }
        if self.admin {
            let is_held = policy.catalogue.is_met(need, &self.held(&policy.catalogue));
            return if is_held { Reason::Admin } else { Reason::Unlicensed };
        }
        let reason = self.ordinary.why(&policy.catalogue, need);
        if !reason.is_yes() {
            return reason;
        }
        self.why_asked(policy, &self.ordinary, need, asked)
    }

    fn why_assigned(
        &self,
        policy: &Policy,
        capacity: &Capacity,
        need: &Need,
        asked: Asked<'_>,
    ) -> Option<Reason> {
        let is_carried = policy.catalogue.is_met(need, capacity.answered());
        is_carried.then(|| self.why_asked(policy, capacity, need, asked))
    }

    /// The reason for a permission that a capacity answers, from `object_required` on.
    fn why_asked(
        &self,
        policy: &Policy,
        capacity: &Capacity,
        need: &Need,
        asked: Asked<'_>,
    ) -> Reason {
        let catalogue = &policy.catalogue;
        let is_within_terms = terms_hold(policy, capacity, need, asked);
        let Some(kind) = &catalogue.node(&need.path).kind else {
            // "A permission on no kind does not look at the object."
            return if is_within_terms { Reason::Granted } else { Reason::OutOfTerms };
        };
        match asked.object {
            None if needs_object(catalogue, &need.path, kind) => Reason::ObjectRequired,
            Some(object) if object["kind"] != **kind => Reason::WrongKind,
            _ if !is_within_terms => Reason::OutOfTerms,
            None => Reason::Granted,
            Some(object) => {
                let today = asked.today;
                Situation { policy, person: self, capacity, object, today }.why(need)
            }
        }
    }

    /// "`can_some` asks *on some object, on some day*, in any capacity, terms left aside."
    pub fn can_some(&self, policy: &Policy, need: &Need) -> bool {
        let catalogue = &policy.catalogue;
        if self.admin || self.suspended {
            // Rule 6: of an admin "the object is not looked at".
            return catalogue.is_met(need, &self.held(catalogue));
        }
        let opens = |capacity: &Capacity| match (&capacity.assignment, kind(catalogue, need)) {
            (Some(it), None) if it.terms.name_objects() => shows(policy, capacity, need),
            _ => capacity.is_open(catalogue, need),
        };
        opens(&self.ordinary) || self.assignments().any(opens)
    }

    /// The highest level "of the ordinary capacity and of what assignments without `on`
    /// carry whose dates hold".
    pub fn level(&self, catalogue: &Catalogue, path: &str, today: Option<Today>) -> usize {
        let levels = self.holding(catalogue, today).into_iter();
        levels.filter_map(|levels| levels.get(path).copied()).max().unwrap_or(0)
    }

    /// The permissions of the ordinary capacity, and those that assignments carry which do
    /// not look at objects and hold on a day.
    pub fn holding(&self, catalogue: &Catalogue, today: Option<Today>) -> Vec<Levels> {
        let assigned = self.assignments().filter(|capacity| {
            let terms = &capacity.assignment.as_ref().expect("an assignment").terms;
            !terms.name_objects() && terms.dates_hold(today)
        });
        let carried = assigned.map(|capacity| capacity.answered().clone());
        [self.held(catalogue)].into_iter().chain(carried).collect()
    }

    /// "A suspended user's settings resolve as ever." "Settings are those of the ordinary
    /// capacity."
    pub fn setting(&self, name: &str) -> Option<Value> {
        self.ordinary.setting(name)
    }
}

fn kind<'a>(catalogue: &'a Catalogue, need: &Need) -> Option<&'a String> {
    catalogue.node(&need.path).kind.as_ref()
}

/// "An assignment whose terms hold"; the ordinary capacity has none. "For a permission on
/// no kind `on` never holds."
fn terms_hold(policy: &Policy, capacity: &Capacity, need: &Need, asked: Asked<'_>) -> bool {
    let Some(assignment) = &capacity.assignment else { return true };
    let terms = &assignment.terms;
    let object = asked.object.filter(|_| kind(&policy.catalogue, need).is_some());
    terms.dates_hold(asked.today) && terms.fit(policy, object, asked.today)
}

/// "Of a permission on no kind, in an assignment with `on`, whether it holds there of any
/// permission on a kind that `on` covers and that answers to this one, through gate parents
/// and `requires`, whether or not this one is carried": effective it is.
fn shows(policy: &Policy, capacity: &Capacity, need: &Need) -> bool {
    let catalogue = &policy.catalogue;
    let terms = &capacity.assignment.as_ref().expect("an assignment").terms;
    let is_covered = |path: &str| {
        let kind = catalogue.node(path).kind.as_ref();
        kind.is_some_and(|kind| terms.cover(policy, kind))
    };
    let mut nodes = catalogue.nodes().filter(|(_, node)| node.form != Form::Heading);
    catalogue.is_met(need, &capacity.effective)
        && nodes.any(|(path, _)| {
            is_covered(path)
                && answers_to(catalogue, path, &need.path)
                && capacity.is_open(catalogue, &Need::plain(path))
        })
}

//! Changes of assignments.

use std::sync::Arc;

use super::plan::{Given, Plan, Sparing};
use super::{Change, ChangedAssignment, Rule};
use crate::date::Moment;
use crate::document::{self, Map};
use crate::ids::{SourceId, UserSlot};
use crate::policy::{Assignment, ChangeKind, Groups, Resolver};
use crate::problem::Place;

impl Plan<'_> {
    pub(super) fn set_assignment(
        &mut self,
        user: &str,
        name: &str,
        stated: Option<&document::Assignment>,
    ) {
        self.check_text(name);
        self.require(ChangeKind::SetAssignment);
        let slot = self.concerned(user, "give to or take from");
        if stated.is_some_and(|it| it.statements.is_empty()) {
            self.requirements.spared_by = Some(Sparing::Bind);
        }
        let looks_at_objects = stated.is_some_and(|it| it.on.is_some());
        let assignment = stated.and_then(|stated| {
            self.resolve_assignments(looks_at_objects, |it, place, groups| {
                it.assignment(name, stated, place, groups)
            })
        });
        let known = slot.map(|slot| self.old.users.assignments(slot)).unwrap_or_default();
        let at = known.iter().position(|it| *it.name == *name);
        let before = at.and_then(|at| known.get(at));
        before.into_iter().chain(&assignment).for_each(|it| self.require_content(it));
        let Some(slot) = slot else { return };
        if !self.refusals.is_empty() || before == assignment.as_ref() {
            return;
        }
        let removed = assignment.is_none();
        let mut assignments = known.clone();
        match (at, assignment) {
            (Some(at), assignment) => drop(assignments.splice(at..=at, assignment)),
            (None, assignment) => assignments.extend(assignment),
        }
        self.put_assignments(slot, &assignments);
        self.hand_out(Given::Assignment(slot, name.into()));
        self.note_assignment(slot, name, removed);
        let (user, name) = (user.to_owned(), name.to_owned());
        let assignment = stated.cloned().map(Box::new);
        self.changed.push(Change::SetAssignment { user, name, assignment });
    }

    pub(super) fn expire(&mut self, before: Moment) {
        self.require(ChangeKind::Expire);
        self.requirements.before = Some(before);
        let slots = self.old.users.assigned_any(|it| it.terms.have_ended(before));
        for &slot in &slots {
            let assignments = self.old.users.assignments(slot);
            let (ended, left): (Vec<_>, Vec<_>) =
                assignments.into_iter().partition(|it| it.terms.have_ended(before));
            self.touches_admin(slot, "take from");
            for assignment in &ended {
                self.require_content(assignment);
                self.note_assignment(slot, &assignment.name, true);
            }
            self.put_assignments(slot, &left);
        }
        if !slots.is_empty() {
            self.changed.push(Change::Expire { before });
        }
    }

    /// The assignments of a new user.
    pub(super) fn new_assignments(
        &mut self,
        stated: &Map<document::Assignment>,
    ) -> Vec<Assignment> {
        if stated.is_empty() {
            return Vec::new();
        }
        self.require(ChangeKind::SetAssignment);
        let looks_at_objects = stated.iter().any(|(_, it)| it.on.is_some());
        let assignments = self.resolve_assignments(looks_at_objects, |it, place, groups| {
            it.assignments(stated, place, groups)
        });
        assignments.iter().for_each(|it| self.require_content(it));
        assignments
    }

    /// Takes a source out of a user's assignments, in which another may take its place. One
    /// that is left without content is removed.
    pub(super) fn take_from_assignments(
        &mut self,
        slot: UserSlot,
        id: SourceId,
        instead: Option<SourceId>,
    ) {
        let mut assignments = self.new.users.assignments(slot);
        for assignment in &mut assignments {
            let own = &mut assignment.own;
            if !own.sources.contains(&id) {
                continue;
            }
            let new = instead.filter(|instead| !own.sources.contains(instead));
            let kept = |&known: &SourceId| if known == id { new } else { Some(known) };
            own.sources = own.sources.iter().filter_map(kept).collect();
            self.note_assignment(slot, &assignment.name, assignment.own.is_empty());
            if instead.is_some() {
                self.hand_out(Given::Assignment(slot, assignment.name.clone()));
            }
        }
        assignments.retain(|assignment| !assignment.own.is_empty());
        self.put_assignments(slot, &assignments);
    }

    /// Gives a user a new name in the terms of all assignments that name the user.
    pub(super) fn rename_in_terms(&mut self, from: &str, to: &str) {
        let slots = self.old.users.assigned_any(|it| it.terms.users().any(|user| user == from));
        if slots.is_empty() {
            return;
        }
        let catalogue = &*self.old.catalogue;
        self.with_groups(|plan, groups| {
            for slot in slots {
                let mut assignments = plan.new.users.assignments(slot);
                for assignment in &mut assignments {
                    let terms = assignment.terms.with_user_renamed(from, to, catalogue, groups);
                    assignment.terms = Arc::new(terms);
                }
                plan.new.users.set_assignments(slot, &assignments);
            }
        });
    }

    pub(super) fn refuse_in_assignment(&mut self, role: SourceId) {
        let role = self.old.sources.name_of(role);
        self.refuse(Rule::Invalid, format!("{role} is unique and can't be in an assignment"));
    }

    /// Notes that an actor must satisfy the `assignable_by` of everything in an assignment,
    /// which is given or taken.
    fn require_content(&mut self, assignment: &Assignment) {
        assignment.own.sources.iter().for_each(|&id| self.require_assignable(id));
    }

    fn put_assignments(&mut self, slot: UserSlot, assignments: &[Assignment]) {
        self.new.users.set_assignments(slot, assignments);
        self.touch(slot);
    }

    fn note_assignment(&mut self, slot: UserSlot, name: &str, removed: bool) {
        let user = self.old.users.name(slot).to_owned();
        self.assignments.push(ChangedAssignment { user, name: name.to_owned(), removed });
    }

    /// Resolves assignments with the groups of the next version, or with none where they do
    /// not look at objects.
    fn resolve_assignments<T>(
        &mut self,
        look_at_objects: bool,
        resolve: impl FnOnce(&mut Resolver<'_>, &Place<'_>, &mut Groups) -> T,
    ) -> T {
        if look_at_objects {
            self.with_groups(|plan, groups| plan.resolve(|it, place| resolve(it, place, groups)))
        } else {
            self.resolve(|it, place| resolve(it, place, &mut Groups::default()))
        }
    }
}

//! The users whom a change may let do more or less, and those who are compared beside them:
//! each as before the change and as after it.

use std::borrow::Cow;
use std::sync::Arc;

use super::ability::{Ability, Comparing, Person};
use super::plan::{Given, Plan, Touched};
use crate::catalogue::{AttributeId, Catalogue, Limit};
use crate::ids::{ClassId, GroupId, GroupListId, SourceId, UserSlot};
use crate::names::{HashMap, HashSet};
use crate::policy::{Assigned, Class, Difference, Inner, Likeness, Statements, Ways};

/// Somebody who is compared, before a change and after it.
pub(super) struct Compared<'p> {
    pub(super) who: Who,
    /// The user to whom something is given that is compared for itself.
    pub(super) given_to: Option<UserSlot>,
    /// `None` for a new user.
    pub(super) before: Option<Person<'p>>,
    pub(super) after: Person<'p>,
}

/// Users who are alike, one of them, or one more who has only what is compared for itself.
#[derive(Clone, Debug)]
pub(super) enum Who {
    User(UserSlot),
    /// The users of a class who have no assignments. Their groups are left aside.
    OfClass(ClassId),
    Newcomer,
    Holder(SourceId),
    Own(UserSlot),
    Assignment(UserSlot, Box<str>),
}

impl Who {
    /// Returns whether bounds are compared for themselves.
    pub(super) fn is_one_more(&self) -> bool {
        matches!(self, Who::Newcomer | Who::Holder(_) | Who::Own(_) | Who::Assignment(..))
    }

    /// Describes them in the version after the change.
    pub(super) fn name(&self, policy: &Inner) -> String {
        let user = |slot: UserSlot| format!("`{}`", policy.users.name(slot));
        match self {
            Who::User(slot) => user(*slot),
            Who::OfClass(class) => {
                let first = policy.users.of_classes(|known| known == *class).next();
                first.map_or("a new user".to_owned(), user)
            }
            Who::Newcomer => "a new user".to_owned(),
            Who::Holder(SourceId::GLOBAL) => "everybody".to_owned(),
            Who::Holder(source) => format!("whoever has {}", policy.sources.name_of(*source)),
            Who::Own(slot) => format!("the own statements of {}", user(*slot)),
            Who::Assignment(slot, name) => format!("assignment `{name}` of {}", user(*slot)),
        }
    }
}

/// Returns the users whose permissions a change may affect, and none twice who are alike.
pub(super) fn affected<'a>(plan: &'a Plan<'_>) -> Vec<Compared<'a>> {
    match &plan.effects.touched {
        Touched::Users(slots) => of_slots(plan, slots.iter().copied()),
        Touched::Everybody => of_difference(plan),
    }
}

/// Returns one user among them, if that user exists after the change.
pub(super) fn of_slot<'a>(plan: &'a Plan<'_>, slot: UserSlot) -> Option<Compared<'a>> {
    let (before, after) = (plan.old.person(slot), plan.new.person(slot)?);
    Some(Compared { who: Who::User(slot), given_to: None, before, after })
}

fn of_slots<'a>(plan: &'a Plan<'_>, slots: impl Iterator<Item = UserSlot>) -> Vec<Compared<'a>> {
    let (old, new) = (&plan.old.users, &plan.new.users);
    let mut seen = HashSet::<(bool, Likeness, Likeness)>::default();
    let distinct = slots.filter(|&slot| {
        let is_new = old.get(slot).is_none();
        seen.insert((is_new, old.likeness(slot), new.likeness(slot)))
    });
    distinct.filter_map(|slot| of_slot(plan, slot)).collect()
}

/// Such a change leaves everybody in the same class, with the same groups and assignments.
fn of_difference<'a>(plan: &'a Plan<'_>) -> Vec<Compared<'a>> {
    let (old, new) = (&plan.old.users, &plan.new.users);
    let difference = Difference::new(plan.old, &plan.new);
    let mut assigned: HashMap<ClassId, usize> = HashMap::default();
    let mut slots = Vec::new();
    for slot in new.assigned_any(|_| true) {
        let count = assigned.entry(new.class_of(slot)).or_default();
        *count = count.saturating_add(1);
        let own = |it: &Assigned| new.capacity(it.capacity).map(|it| &it.own.sources);
        let mut all = new.assigned(slot).iter().filter_map(own);
        if new.get(slot).is_some_and(|(_, class)| difference.touches(class))
            || all.any(|sources| difference.touches_sources(sources))
        {
            slots.push(slot);
        }
    }
    let mut affected = of_slots(plan, slots.into_iter());
    let classes = new.classes().filter(|(_, class)| difference.touches(class));
    let has_others =
        |id: ClassId| new.count_of(id) > assigned.get(&id).copied().unwrap_or_default();
    let person = |class: &'a Class| Person { class: Cow::Borrowed(class), ..Person::default() };
    affected.extend(classes.filter(|&(id, _)| has_others(id)).map(|(id, after)| Compared {
        who: Who::OfClass(id),
        given_to: None,
        before: old.class(id).map(person),
        after: person(after),
    }));
    affected
}

/// Returns the lists of groups of the users of a class.
pub(super) fn groups_of_class(policy: &Inner, class: ClassId) -> Vec<&[GroupId]> {
    let slots = policy.users.of_classes(|known| known == class);
    let mut lists = HashSet::<GroupListId>::default();
    let distinct = slots.filter(|&slot| lists.insert(policy.users.groups_of(slot)));
    distinct.map(|slot| policy.users.groups(slot)).collect()
}

/// Returns the one more user who holds the default profile and nothing else.
pub(super) fn newcomer<'a>(plan: &'a Plan<'_>) -> Compared<'a> {
    let [before, after] = [plan.old, &plan.new].map(|policy| holder(policy.default_profile, &[]));
    Compared { who: Who::Newcomer, given_to: None, before: Some(before), after }
}

fn holder(source: Option<SourceId>, groups: &[GroupId]) -> Person<'_> {
    let class = Class { sources: source.into_iter().collect(), ..Class::default() };
    let groups = Cow::Borrowed(groups);
    Person { class: Cow::Owned(class), groups, assigned: Vec::new() }
}

/// Returns the one more user for each thing that a change creates, edits or gives, who has
/// it and nothing else. Of a thing that is new, or was not had, there was nothing before.
pub(super) fn given<'a>(plan: &'a Plan<'_>) -> Vec<Compared<'a>> {
    let mut given = Vec::new();
    let mut sources = HashSet::<SourceId>::default();
    let mut to = HashSet::<(SourceId, GroupListId)>::default();
    for one in &plan.effects.given {
        match one {
            Given::Source(source) => sources.extend([*source]),
            Given::To(slot, source) => {
                if to.insert((*source, plan.new.users.groups_of(*slot))) {
                    let groups = [plan.old, &plan.new].map(|policy| policy.users.groups(*slot));
                    let [before, after] = groups;
                    given.push(Compared {
                        who: Who::Holder(*source),
                        given_to: Some(*slot),
                        before: Some(holder(None, before)),
                        after: holder(Some(*source), after),
                    });
                }
            }
            Given::Own(slot) => {
                let own = |policy: &'a Inner| {
                    let class = policy.users.get(*slot).map(|(_, class)| class);
                    let statements = class.and_then(|class| class.statements.clone());
                    let class = Class { statements, ..Class::default() };
                    Person { class: Cow::Owned(class), ..holder(None, policy.users.groups(*slot)) }
                };
                let (before, after) = (Some(own(plan.old)), own(&plan.new));
                given.push(Compared { who: Who::Own(*slot), given_to: Some(*slot), before, after });
            }
            Given::Assignment(slot, name) => {
                let assignment = |policy: &'a Inner| {
                    let assigned = policy.users.assigned(*slot).iter().find(|it| it.name == *name);
                    let assigned = assigned.and_then(|it| {
                        let own = Cow::Borrowed(&policy.users.capacity(it.capacity)?.own);
                        Some((Arc::clone(&it.terms), own))
                    });
                    let groups = policy.users.groups(*slot);
                    Person { assigned: assigned.into_iter().collect(), ..holder(None, groups) }
                };
                let (before, after) = (Some(assignment(plan.old)), assignment(&plan.new));
                let who = Who::Assignment(*slot, name.clone());
                given.push(Compared { who, given_to: Some(*slot), before, after });
            }
        }
    }
    let sources = plan.new.sources.with_including(sources);
    let mut sources: Vec<SourceId> = sources.into_iter().collect();
    sources.sort_unstable();
    given.extend(sources.into_iter().map(|source| {
        let known = plan.old.sources.exists(source).then_some(source);
        Compared {
            who: Who::Holder(source),
            given_to: None,
            before: Some(holder(shared(known), &[])),
            after: holder(shared(Some(source)), &[]),
        }
    }));
    given
}

/// The global source is everybody's without being held.
fn shared(source: Option<SourceId>) -> Option<SourceId> {
    source.filter(|&source| source != SourceId::GLOBAL)
}

impl Compared<'_> {
    /// Returns the bounds that the thing itself states after the change and that are not
    /// within those that it stated before, joined, under terms that cover its own, by the ways
    /// to the sources that state bounds before and after.
    pub(super) fn new_bounds(
        &self,
        plan: &Plan<'_>,
        bounding: &[Ways<'_>; 2],
        known: Option<&Ability>,
        ability: &Ability,
        comparing: &mut Comparing<'_>,
    ) -> Vec<(AttributeId, Limit)> {
        let [bounding_before, bounding_after] = bounding;
        if !self.who.is_one_more() {
            return Vec::new();
        }
        let is_global = matches!(self.who, Who::Holder(SourceId::GLOBAL));
        let mut terms = ability.last().zip(known.and_then(Ability::last)).into_iter();
        let is_covered = terms.any(|(after, before)| comparing.covers(after, before));
        let before = self.before.as_ref().filter(|_| is_covered);
        let before =
            before.map(|it| it.bounds(plan.old, bounding_before, is_global)).unwrap_or_default();
        let mut known: HashMap<AttributeId, Vec<Limit>> = HashMap::default();
        for (attribute, limit) in before {
            known.entry(attribute).or_default().push(limit);
        }
        let joined =
            known.into_iter().filter_map(|(of, limits)| Some((of, Limit::any_of(limits)?)));
        let joined: HashMap<AttributeId, Limit> = joined.collect();
        let mut after = self.after.bounds(&plan.new, bounding_after, is_global);
        after.retain(|(of, limit)| !joined.get(of).unwrap_or(&Limit::Nothing).contains(limit));
        after
    }
}

impl Person<'_> {
    /// Returns the bounds that the person's own sources state; those of the global source only
    /// if that is what is compared.
    fn bounds(
        &self,
        policy: &Inner,
        bounding: &Ways<'_>,
        global: bool,
    ) -> Vec<(AttributeId, Limit)> {
        let shared = bounding.closure(&self.class.sources);
        let shared = shared.iter().chain(global.then_some(&SourceId::GLOBAL));
        let mut bounds = Vec::new();
        let mut add = |statements: &Statements| {
            bounds.extend(limits(statements, &policy.catalogue));
        };
        shared.for_each(|&id| add(&policy.sources[id].statements));
        self.class.statements.iter().for_each(|own| add(own));
        for (_, own) in &self.assigned {
            policy.own_sources(own).for_each(|held| add(held.statements));
        }
        bounds
    }
}

fn limits<'s>(
    statements: &'s Statements,
    catalogue: &'s Catalogue,
) -> impl Iterator<Item = (AttributeId, Limit)> + 's {
    let limit = |(attribute, bound): &(AttributeId, _)| {
        (*attribute, Limit::new(catalogue.attribute_at(*attribute).bound, bound))
    };
    statements.bounds.iter().map(limit)
}

//! The abilities of users, and the relation *may do no more than* between them (design,
//! section 5, `no_escalation`).
//!
//! A user acts in capacities: the ordinary one, and one for each assignment. A permission
//! that is had in one of them is within another user's abilities if one capacity of that
//! user has it too, under terms that cover those of the first, with no fewer objects.

use std::borrow::Cow;
use std::sync::Arc;

use crate::bits::{BitSet, any};
use crate::catalogue::{
    AttributeId, Bit, Catalogue, Condition, Form, Limit, Node, NodeId, Scope, ScopeTest,
};
use crate::document::{BoundType, RelationType};
use crate::engine::{Bounding, Layers, LimitSet, Limits};
use crate::filter;
use crate::ids::{GroupId, UserSlot};
use crate::names::{HashMap, HashSet};
use crate::policy::{Class, Groups, Inner, OwnSources, Terms};
use crate::relation::RelationState;

/// A user whose abilities are compared, suspension left aside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Person<'p> {
    pub(crate) class: Cow<'p, Class>,
    pub(crate) groups: Cow<'p, [GroupId]>,
    pub(crate) assigned: Vec<(Arc<Terms>, Cow<'p, OwnSources>)>,
}

impl Inner {
    /// Returns a user as one whose abilities are compared.
    pub(crate) fn person(&self, slot: UserSlot) -> Option<Person<'_>> {
        let (_, class) = self.users.get(slot)?;
        let assigned = self.users.assigned(slot).iter().filter_map(|assigned| {
            let own = &self.users.capacity(assigned.capacity)?.own;
            Some((Arc::clone(&assigned.terms), Cow::Borrowed(own)))
        });
        let groups = Cow::Borrowed(self.users.groups(slot));
        Some(Person { class: Cow::Borrowed(class), groups, assigned: assigned.collect() })
    }
}

/// The abilities of a user under a licence.
#[derive(Clone)]
pub(crate) struct Ability {
    pub(super) groups: Box<[GroupId]>,
    /// The groups of the version that the user is of.
    tree: Arc<Groups>,
    pub(super) capacities: Vec<Capability>,
}

/// The abilities of a user in one capacity.
#[derive(Clone)]
pub(crate) struct Capability {
    /// The terms, if it is an assignment.
    terms: Option<Arc<Terms>>,
    admin: bool,
    /// The permissions that count: those that are effective, in an assignment those that it
    /// carries.
    had: BitSet,
    /// The effective permissions.
    effective: BitSet,
    /// The permissions that would count if there were neither gates nor forbids.
    granted: BitSet,
    /// The limits on what counts, and on other gates.
    limits: [Limits; 2],
}

impl Ability {
    /// Returns the capacity of what is compared for itself: an assignment is that of somebody
    /// who has nothing else.
    pub(super) fn last(&self) -> Option<(&Ability, &Capability)> {
        Some((self, self.capacities.last()?))
    }

    /// Describes what the user has of a permission, to follow "who".
    pub(super) fn extent(&self, node: &Node) -> String {
        let levels = self.capacities.iter().map(|it| node.level(|bit| it.had.contains(bit)));
        match levels.max().unwrap_or_default() {
            0 => "has none of it".to_owned(),
            level if level < node.width() as usize => {
                format!("has it up to `{}`", node.level_name(level).unwrap_or_default())
            }
            _ => "has it for fewer objects, or for less time".to_owned(),
        }
    }

    /// Describes the values of an attribute that pass for the user, to follow "who".
    pub(super) fn passing(&self, form: BoundType, attribute: AttributeId) -> String {
        let limits = self.capacities.iter().map(|it| it.limits_on(true).on(attribute));
        let bounds = limits.flat_map(Limit::bounds);
        let mut texts: Vec<String> = bounds.map(|bound| filter::bound(form, &bound)).collect();
        texts.dedup();
        match texts.as_slice() {
            [] => "passes no value".to_owned(),
            _ => format!("passes {}", texts.join(" or ")),
        }
    }
}

impl Capability {
    /// Returns the permissions that count, and those that are only granted or had at a lower
    /// level than granted, each by its first bit.
    pub(super) fn permissions(&self, catalogue: &Catalogue) -> [BitSet; 2] {
        [self.exceeding(&[], catalogue), self.granted_beyond(&[], catalogue)]
    }

    /// Returns the permissions that are had with which all the excesses of this capacity allow
    /// more, each by its first bit.
    // What can be told of all permissions at once is read off whole sets: only those that
    // both have, and with which the one may do more on some object, are looked at one by one.
    fn exceeding(&self, excesses: &[Excess<'_>], catalogue: &Catalogue) -> BitSet {
        let mut exceeding = catalogue.firsts(&self.had);
        exceeding.intersect_with(&self.had);
        let mut possible = exceeding.clone();
        for excess in excesses {
            let mut had = catalogue.firsts(&excess.had);
            exceeding.intersect_with(&had);
            if excess.is_on_objects {
                had.union_with(&catalogue.on_objects);
            }
            possible.intersect_with(&had);
        }
        possible.subtract(&exceeding);
        let includes = |&bit: &Bit| {
            let id = catalogue.id_of(bit);
            excesses.iter().all(|excess| excess.includes(id))
        };
        possible.iter().filter(includes).for_each(|bit| exceeding.insert(bit));
        exceeding
    }

    /// Returns the permissions that are only granted, or had at a lower level than granted,
    /// and that all the excesses of this capacity include, each by its first bit.
    // A scoped permission is not granted itself: its scopes are.
    fn granted_beyond(&self, excesses: &[Excess<'_>], catalogue: &Catalogue) -> BitSet {
        let mut granted = self.granted.clone();
        granted.subtract(&self.had);
        let mut beyond = catalogue.firsts(&granted);
        beyond.intersect_with(&catalogue.grantable);
        for excess in excesses {
            beyond.intersect_with(&catalogue.firsts(&excess.granted));
        }
        beyond
    }

    /// Returns whether a value that passes a limit always passes in this capacity.
    pub(super) fn passes(&self, attribute: AttributeId, limit: &Limit) -> bool {
        self.admin || self.limits_on(true).on(attribute).contains(limit)
    }

    fn limits_on(&self, counts: bool) -> &Limits {
        let [own, ordinary] = &self.limits;
        if counts { own } else { ordinary }
    }

    /// Returns whether all that is effective has the same limits.
    fn is_plain(&self) -> bool {
        Arc::ptr_eq(self.limits_on(true), self.limits_on(false))
    }
}

/// Computes abilities of users of a policy under a licence.
pub(crate) struct Abilities<'p> {
    policy: &'p Inner,
    licensed: &'p BitSet,
    layers: Layers<'p>,
    bounding: Bounding<'p>,
}

impl<'p> Abilities<'p> {
    pub(crate) fn new(policy: &'p Inner, licensed: &'p BitSet) -> Abilities<'p> {
        let (layers, bounding) = (Layers::new(policy, licensed), Bounding::new(policy));
        Abilities { policy, licensed, layers, bounding }
    }

    pub(crate) fn of(&mut self, person: &Person<'_>) -> Ability {
        let class = &*person.class;
        let ordinary = self.bounding.limits(class);
        let mut capacities = vec![self.ordinary(class, &ordinary)];
        // Assignments make no difference to an admin.
        let assigned = if class.admin { &[][..] } else { &person.assigned };
        for (terms, own) in assigned {
            let layer = self.layers.of_own(own);
            let [granted, unforbidden] = self.layers.grants_forbids_aside(class, Some(&layer));
            let effective = self.layers.effective(&granted);
            let limits = self.bounding.limits_in(class, own);
            capacities.push(Capability {
                terms: Some(Arc::clone(terms)),
                admin: false,
                had: self.layers.carried(&layer, &effective),
                effective,
                granted: self.layers.carried(&layer, &unforbidden),
                limits: [limits.unwrap_or_else(|| Arc::clone(&ordinary)), Arc::clone(&ordinary)],
            });
        }
        let (groups, tree) = ((*person.groups).into(), Arc::clone(&self.policy.groups));
        Ability { groups, tree, capacities }
    }

    fn ordinary(&mut self, class: &Class, limits: &Limits) -> Capability {
        let (had, granted) = if class.admin {
            (self.licensed.clone(), self.licensed.clone())
        } else {
            let [granted, unforbidden] = self.layers.grants_forbids_aside(class, None);
            (self.layers.effective(&granted), unforbidden)
        };
        let limits = [Arc::clone(limits), Arc::clone(limits)];
        let (terms, admin) = (None, class.admin);
        Capability { terms, admin, effective: had.clone(), had, granted, limits }
    }

    /// Returns all permissions that a user has in some capacity.
    pub(crate) fn had(&mut self, person: &Person<'_>) -> BitSet {
        let mut had = BitSet::new(self.policy.catalogue.bits());
        self.of(person).capacities.iter().for_each(|capacity| had.union_with(&capacity.had));
        had
    }
}

/// The permissions with which a granted one is compared that no gate lets through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BehindGates {
    /// Granted ones.
    Granted,
    /// Permissions that are had.
    Had,
}

/// Two limits, and the attributes of which the first pass more.
type Compared = ([Limits; 2], Arc<[AttributeId]>);

/// Compares abilities, and each pair of limits once, however many users share them.
pub(crate) struct Comparing<'c> {
    catalogue: &'c Catalogue,
    /// By the addresses of two limits, which are kept so that they stay what they are.
    compared: HashMap<[*const LimitSet; 2], Compared>,
    /// The groups with different parents in two versions.
    moved: Option<([Arc<Groups>; 2], Vec<GroupId>)>,
}

impl<'c> Comparing<'c> {
    pub(crate) fn new(catalogue: &'c Catalogue) -> Comparing<'c> {
        Comparing { catalogue, compared: HashMap::default(), moved: None }
    }

    /// Returns whether one may do no more than another.
    pub(crate) fn is_within(&mut self, one: &Ability, other: &Ability) -> bool {
        one.capacities.iter().all(|capability| {
            let excesses = self.excesses(one, capability, other, BehindGates::Had);
            excesses.iter().any(|excess| excess.is_empty)
                || capability.exceeding(&excesses, self.catalogue).is_empty()
        })
    }

    /// Returns the permissions that are had in one capacity with which one may do more than
    /// another in any capacity, and those that are only granted in it which another neither
    /// has nor, if that counts, is granted; of those given, if any are. Each by its first bit.
    pub(super) fn beyond(
        &mut self,
        (one, capability): (&Ability, &Capability),
        given: Option<&[BitSet; 2]>,
        other: &Ability,
        behind: BehindGates,
    ) -> [BitSet; 2] {
        let catalogue = self.catalogue;
        let excesses = self.excesses(one, capability, other, behind);
        if excesses.iter().any(|excess| excess.is_empty) {
            return [(); 2].map(|()| BitSet::new(catalogue.bits()));
        }
        let mut beyond = [
            capability.exceeding(&excesses, catalogue),
            capability.granted_beyond(&excesses, catalogue),
        ];
        for (beyond, given) in beyond.iter_mut().zip(given.into_iter().flatten()) {
            beyond.intersect_with(given);
        }
        beyond
    }

    /// Returns what one may do in a capacity and another may not, in each of the other's
    /// whose terms cover it.
    fn excesses<'a>(
        &mut self,
        one: &Ability,
        capability: &'a Capability,
        other: &'a Ability,
        behind: BehindGates,
    ) -> Vec<Excess<'a>>
    where
        'c: 'a,
    {
        let covering = self.covering(one, capability, other);
        let groups = [
            !self.are_within([(&one.tree, &one.groups), (&other.tree, &other.groups)]),
            !self.are_within([(&other.tree, &other.groups), (&one.tree, &one.groups)]),
        ];
        covering.into_iter().map(|other| self.excess([capability, other], groups, behind)).collect()
    }

    /// Returns the capacities of another whose terms cover those of one.
    pub(super) fn covering<'a>(
        &mut self,
        one: &Ability,
        capability: &Capability,
        other: &'a Ability,
    ) -> Vec<&'a Capability> {
        let capacities = other.capacities.iter();
        capacities.filter(|wider| self.covers((one, capability), (other, wider))).collect()
    }

    /// Returns whether the terms of one's capacity are covered by those of another's.
    pub(super) fn covers(
        &mut self,
        (one, capability): (&Ability, &Capability),
        (other, wider): (&Ability, &Capability),
    ) -> bool {
        let any = Terms::default();
        let terms = capability.terms.as_deref().unwrap_or(&any);
        let catalogue = self.catalogue;
        wider.terms.as_deref().is_none_or(|wider| {
            wider.cover(terms, catalogue, |narrow, wide| {
                self.are_within([(&one.tree, narrow), (&other.tree, wide)])
            })
        })
    }

    /// Returns whether some groups, and all beneath them, are among others, each by the tree
    /// of its own version.
    // Where both trees have the same parents, it is enough to look at the groups themselves.
    // Otherwise let a group be beneath one of the first. On the way up to that one there is
    // either no group with another parent: then the second tree has this way too. Or the
    // first such group on it is beneath one of the first groups; if that one is among the
    // others, then so is all that the second tree, too, has beneath it.
    fn are_within(
        &mut self,
        [(tree, some), (of, others)]: [(&Arc<Groups>, &[GroupId]); 2],
    ) -> bool {
        if !some.iter().all(|&group| of.reaches(group, others)) {
            return false;
        }
        if Arc::ptr_eq(tree, of) {
            return true;
        }
        let is_known = |trees: &[Arc<Groups>; 2]| {
            [tree, of].iter().all(|tree| trees.iter().any(|known| Arc::ptr_eq(known, tree)))
        };
        if !self.moved.as_ref().is_some_and(|(trees, _)| is_known(trees)) {
            self.moved = Some(([Arc::clone(tree), Arc::clone(of)], tree.moved(of)));
        }
        let moved = self.moved.as_ref().map_or(&[][..], |(_, moved)| moved);
        moved.iter().all(|&group| !tree.reaches(group, some) || of.reaches(group, others))
    }

    fn excess<'a>(
        &mut self,
        [one, other]: [&'a Capability; 2],
        groups: [bool; 2],
        behind: BehindGates,
    ) -> Excess<'a>
    where
        'c: 'a,
    {
        let (mut had, mut effective) = (one.had.clone(), one.effective.clone());
        // Objects make no difference to an admin, so none may do as much who is no admin.
        if other.admin || !one.admin {
            had.subtract(&other.had);
            effective.subtract(&other.effective);
        }
        let mut granted = one.granted.clone();
        granted.subtract(&one.had);
        granted.subtract(&other.had);
        if behind == BehindGates::Granted {
            granted.subtract(&other.granted);
        }
        let neither = !one.admin && !other.admin;
        let wider = [true, false].map(|of_one| {
            [true, false].map(|of_other| {
                if neither {
                    self.wider(one.limits_on(of_one), other.limits_on(of_other))
                } else {
                    Arc::default()
                }
            })
        });
        let groups = groups.map(|differ| differ && neither);
        let catalogue = self.catalogue;
        let passes_more = wider.iter().flatten().any(|it| !it.is_empty()) || groups != [false; 2];
        let has_scopes = [&had, &effective].iter().any(|set| set.meets(&catalogue.scope_bits));
        let is_on_objects = !one.admin && (passes_more || has_scopes);
        let is_empty =
            !passes_more && [&had, &effective, &granted].iter().all(|set| set.is_empty());
        Excess {
            catalogue,
            one,
            other,
            had,
            effective,
            granted,
            wider,
            groups,
            is_on_objects,
            is_empty,
        }
    }

    /// Returns the attributes of which the one limits pass a value that the others don't.
    fn wider(&mut self, one: &Limits, other: &Limits) -> Arc<[AttributeId]> {
        let pair = [one, other].map(Arc::as_ptr);
        let (_, wider) = self.compared.entry(pair).or_insert_with(|| {
            let passes_more = |&it: &AttributeId| !other.on(it).contains(one.on(it));
            let wider = one.attributes().into_iter().filter(passes_more).collect();
            ([Arc::clone(one), Arc::clone(other)], wider)
        });
        Arc::clone(wider)
    }
}

/// The licences under which abilities are compared: that after the change, and one that
/// has every feature.
pub(crate) fn compared_licences(after: &Inner) -> [BitSet; 2] {
    let licensed = after.catalogue.licensed(|feature| after.is_licensed(feature));
    [licensed, after.catalogue.licensed(|_| true)]
}

/// The abilities of users before a change, under both licences, and their comparison.
pub(crate) struct Scales<'p> {
    policy: &'p Inner,
    pub(super) licences: &'p [BitSet; 2],
    pub(super) abilities: [Abilities<'p>; 2],
    pub(crate) comparing: Comparing<'p>,
}

impl<'p> Scales<'p> {
    pub(crate) fn new(policy: &'p Inner, licences: &'p [BitSet; 2]) -> Scales<'p> {
        let abilities = licences.each_ref().map(|licensed| Abilities::new(policy, licensed));
        Scales { policy, licences, abilities, comparing: Comparing::new(&policy.catalogue) }
    }

    /// Returns the abilities of a user.
    pub(crate) fn of(&mut self, slot: UserSlot) -> [Ability; 2] {
        let person = self.policy.person(slot).unwrap_or_default();
        self.abilities.each_mut().map(|abilities| abilities.of(&person))
    }

    /// Returns whether one may do no more than another, under each of the licences.
    pub(crate) fn are_within(&mut self, one: &[Ability; 2], other: &[Ability; 2]) -> bool {
        let mut pairs = one.iter().zip(other);
        pairs.all(|(one, other)| self.comparing.is_within(one, other))
    }
}

/// The abilities of one user in one capacity that another does not have in one of theirs: if
/// it is empty, the one may do no more than the other.
struct Excess<'a> {
    catalogue: &'a Catalogue,
    one: &'a Capability,
    other: &'a Capability,
    /// The permissions that only the one has.
    had: BitSet,
    /// The permissions that are effective only for the one.
    effective: BitSet,
    /// The permissions that are only granted, and not to the other.
    granted: BitSet,
    /// The attributes of which some value passes for the one only, in order: by the limits of
    /// the one on what counts and on other gates, and by those of the other.
    wider: [[Arc<[AttributeId]>; 2]; 2],
    /// True if some group of the one is not the other's, and the other way round.
    groups: [bool; 2],
    /// True if the one may do more on some object with a permission that both have.
    is_on_objects: bool,
    is_empty: bool,
}

impl Excess<'_> {
    /// Returns whether the one may do more with a permission that it has: reach a higher level
    /// or, with it and everything that it answers to on the object, have more scopes or pass
    /// more values.
    fn includes(&self, id: NodeId) -> bool {
        let node = self.catalogue.node(id);
        if self.is_empty {
            return false;
        }
        if any(self.had.words(), node.bits()) {
            return true;
        }
        let Some(condition) = node.condition.as_deref().filter(|_| self.is_on_objects) else {
            return false;
        };
        if self.one.is_plain() && self.other.is_plain() {
            self.widens(id, condition)
        } else {
            self.widens_by_parts(id, condition)
        }
    }

    /// Returns whether more objects meet a condition for the one.
    fn widens(&self, id: NodeId, condition: &Condition) -> bool {
        let passes_more =
            |checks: &[AttributeId]| checks.iter().any(|&check| self.passes_more([true; 2], check));
        passes_more(&condition.checks)
            || condition.steps_for(|scope| self.holds(id, scope)).into_iter().any(|step| {
                let mut scopes = step.scopes.iter().flat_map(|scopes| scopes.iter());
                passes_more(&step.checks)
                    || (step.on_kind && scopes.any(|scope| self.reaches_more(id, scope, condition)))
            })
    }

    /// The same where limits depend on what the capacities carry: of each permission that
    /// this one answers to by itself.
    fn widens_by_parts(&self, asked: NodeId, condition: &Condition) -> bool {
        let catalogue = self.catalogue;
        let mut seen = HashSet::<Bit>::default();
        let mut open = vec![catalogue.node(asked).bit];
        while let Some(bit) = open.pop() {
            if !seen.insert(bit) {
                continue;
            }
            let id = catalogue.id_of(bit);
            open.extend(catalogue.followed(id).map(|(_, bit)| bit));
            let is_scoped = matches!(catalogue.node(id).form, Form::Scoped(_) | Form::Scope(..));
            if !is_scoped && self.passes_more_of(asked, bit, condition) {
                return true;
            }
            let bit_of = |scope: NodeId| catalogue.node(scope).bit;
            let held = catalogue.scopes_or_itself(id).filter(|&it| self.holds(asked, bit_of(it)));
            for scope in held {
                if self.passes_more_of(asked, bit_of(scope), condition) {
                    return true;
                }
                open.extend(catalogue.followed_by_scope(scope));
            }
        }
        let steps = condition.steps_for(|scope| self.holds(asked, scope)).into_iter();
        let mut scopes = steps.filter(|step| step.on_kind).flat_map(|step| step.scopes.iter());
        scopes.any(|of| of.iter().any(|scope| self.reaches_more(asked, scope, condition)))
    }

    /// Returns whether more values pass the checks of a permission, or of a scope, that
    /// another answers to.
    // The one also has to pass the checks of the permission asked for, which counts.
    fn passes_more_of(&self, asked: NodeId, bit: Bit, condition: &Condition) -> bool {
        let node = self.catalogue.node_of(bit);
        if node.kind != Some(condition.kind) {
            return false;
        }
        let counts = |of: &Capability| self.catalogue.id_of(bit) == asked || of.had.contains(bit);
        let (one, other) = (counts(self.one), counts(self.other));
        let kind_checks = self.catalogue.kind(condition.kind).checks.iter();
        kind_checks.chain(&node.checks).any(|&check| {
            let is_asked = condition.own_checks.contains(&check);
            self.passes_more([one, other], check)
                && (!is_asked || self.passes_more([true, other], check))
        })
    }

    /// Returns whether a value passes for the one and not for the other, by the limits on
    /// what counts or on other gates.
    fn passes_more(&self, [of_one, of_other]: [bool; 2], check: AttributeId) -> bool {
        let [counting, gating] = &self.wider;
        let [own, ordinary] = if of_one { counting } else { gating };
        let wider = if of_other { own } else { ordinary };
        wider.binary_search(&check).is_ok()
    }

    /// Returns whether the one has a scope: of the permission asked for it must count.
    fn holds(&self, asked: NodeId, scope: Bit) -> bool {
        let is_asked = self.catalogue.node(asked).statement_bits().contains(&scope);
        if is_asked { self.one.had.contains(scope) } else { self.one.effective.contains(scope) }
    }

    /// Returns whether the one has a scope that the other has not, or one that matches more
    /// by the one's groups.
    fn reaches_more(&self, asked: NodeId, scope: &Scope, condition: &Condition) -> bool {
        if !self.holds(asked, scope.bit) {
            return false;
        }
        let is_asked = self.catalogue.node(asked).statement_bits().contains(&scope.bit);
        let only = if is_asked { &self.had } else { &self.effective };
        let [more, fewer] = self.groups;
        let relations = &self.catalogue.kind(condition.kind).relations;
        only.contains(scope.bit)
            || scope.when.iter().any(|&test| {
                let ScopeTest::Relation(relation, states) = test else { return false };
                let declared = relations.get_index(relation as usize);
                let is_others =
                    states.accepts(RelationState::Other) || states.accepts(RelationState::None);
                declared.is_some_and(|(_, of)| *of == RelationType::Group)
                    && (more && states.accepts(RelationState::Me) || fewer && is_others)
            })
    }
}

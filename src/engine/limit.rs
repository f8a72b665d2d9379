//! Bounds, resolved for a user (design, rule 8).

use indexmap::IndexSet;

use crate::catalogue::AttributeId;
use crate::date::Date;
use crate::document::{Bound, BoundType, Fence};
use crate::object::Value;
use crate::policy::{Inner, Statements, User};

/// Which values of an attribute pass.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Limit {
    /// None, because no bound is stated.
    Nothing,
    /// Whatever the object says or leaves out.
    Any,
    /// These texts, sorted.
    OneOf(Vec<Box<str>>),
    AtMost(i64),
    AtLeast(i64),
    /// What is not before one of these.
    NotBefore(Vec<Fence>),
    /// What is not after one of these.
    NotAfter(Vec<Fence>),
}

impl Limit {
    pub(crate) fn new(of: BoundType, bound: &Bound) -> Limit {
        match (of, bound) {
            (_, Bound::Any) => Limit::Any,
            (BoundType::OneOf, Bound::OneOf(texts)) => {
                let mut texts: Vec<Box<str>> = texts.iter().map(|text| (**text).into()).collect();
                texts.sort_unstable();
                texts.dedup();
                Limit::OneOf(texts)
            }
            (BoundType::AtMost, Bound::Limit(limit)) => Limit::AtMost(*limit),
            (BoundType::AtLeast, Bound::Limit(limit)) => Limit::AtLeast(*limit),
            (BoundType::NotBefore, Bound::Fence(fence)) => Limit::NotBefore(vec![*fence]),
            (BoundType::NotAfter, Bound::Fence(fence)) => Limit::NotAfter(vec![*fence]),
            // A policy has no bound of another form.
            _ => Limit::Nothing,
        }
    }

    /// What passes either of two bounds on one attribute.
    fn join(&mut self, other: Limit) {
        match (&mut *self, other) {
            (Limit::Any, _) | (_, Limit::Nothing) => {}
            (Limit::OneOf(texts), Limit::OneOf(more)) => {
                texts.extend(more);
                texts.sort_unstable();
                texts.dedup();
            }
            (Limit::AtMost(limit), Limit::AtMost(other)) => *limit = other.max(*limit),
            (Limit::AtLeast(limit), Limit::AtLeast(other)) => *limit = other.min(*limit),
            (Limit::NotBefore(fences), Limit::NotBefore(more))
            | (Limit::NotAfter(fences), Limit::NotAfter(more)) => {
                for fence in more {
                    if !fences.contains(&fence) {
                        fences.push(fence);
                    }
                }
            }
            (limit, other) => *limit = other,
        }
    }

    /// Whether a value passes, or the want of one.
    pub(crate) fn passes(&self, value: Option<Value<'_>>, today: Option<Date>) -> bool {
        match (self, value) {
            (Limit::Any, _) => true,
            (Limit::OneOf(texts), Some(Value::Text(value))) => {
                texts.binary_search_by(|text| (**text).cmp(value)).is_ok()
            }
            (Limit::AtMost(limit), Some(Value::Integer(value))) => value <= *limit,
            (Limit::AtLeast(limit), Some(Value::Integer(value))) => value >= *limit,
            (Limit::NotBefore(fences), Some(value)) => value.date().is_some_and(|date| {
                fences.iter().any(|&fence| day(fence, today).is_some_and(|day| date >= day))
            }),
            (Limit::NotAfter(fences), Some(value)) => value.date().is_some_and(|date| {
                fences.iter().any(|&fence| day(fence, today).is_some_and(|day| date <= day))
            }),
            _ => false,
        }
    }

    /// Whether some value could pass on some day.
    pub(crate) fn passable(&self) -> bool {
        match self {
            Limit::Nothing => false,
            Limit::OneOf(texts) => !texts.is_empty(),
            _ => true,
        }
    }
}

/// The day that a fence names; none where it counts from a day that is not
/// said, or runs out of the calendar.
pub(crate) fn day(fence: Fence, today: Option<Date>) -> Option<Date> {
    match fence {
        Fence::Date(date) => Some(date),
        Fence::PlusDays(days) => today?.plus_days(days),
        Fence::Next { weekday, plus_days } => today?.next(weekday)?.plus_days(plus_days),
    }
}

/// The limits of users on all attributes: a row for each combination, of
/// numbers of the limits that there are.
#[derive(Debug)]
pub(crate) struct Limits {
    limits: IndexSet<Limit, foldhash::fast::RandomState>,
    rows: Vec<u32>,
    attributes: usize,
}

impl Limits {
    /// The limit of a row of users on an attribute.
    pub(crate) fn get(&self, row: u32, attribute: AttributeId) -> &Limit {
        let cell = self.rows.get(row as usize * self.attributes + attribute as usize);
        let limit = cell.and_then(|&limit| self.limits.get_index(limit as usize));
        limit.unwrap_or(&Limit::Nothing)
    }

    /// An empty table, of which the limits of users are rows to come.
    pub(crate) fn build(policy: &Inner) -> Building<'_> {
        let attributes = policy.catalogue.attributes.len();
        let mut limits = Limits { limits: IndexSet::default(), rows: Vec::new(), attributes };
        limits.limits.insert(Limit::Nothing);
        Building { policy, limits, known: IndexSet::default(), row: Vec::new() }
    }
}

/// Limits in the making.
#[derive(Debug)]
pub(crate) struct Building<'p> {
    policy: &'p Inner,
    limits: Limits,
    known: IndexSet<Vec<u32>, foldhash::fast::RandomState>,
    row: Vec<u32>,
}

impl Building<'_> {
    /// The row of a user: the most specific tier that states a bound decides
    /// it, and in the role tier bounds join.
    pub(crate) fn row(&mut self, user: &User) -> u32 {
        let policy = self.policy;
        self.row.clear();
        self.row.resize(self.limits.attributes, 0);
        self.overlay([&*policy.global]);
        if let Some(profile) = user.profile {
            self.overlay([&policy.profiles[profile].statements]);
        }
        let roles = policy.closure(&user.roles).into_iter();
        let roles = roles.map(|role| &policy.roles[role].source.statements);
        let groups = user.approval_groups.iter();
        let groups = groups.map(|&id| &policy.approval_groups[id].statements);
        self.overlay(roles.chain(groups));
        if let Some(own) = &user.statements {
            self.overlay([&**own]);
        }
        let (at, new) = self.known.insert_full(self.row.clone());
        if new {
            self.limits.rows.extend_from_slice(&self.row);
        }
        crate::names::number(at)
    }

    fn overlay<'s>(&mut self, tier: impl IntoIterator<Item = &'s Statements>) {
        let mut stated: Vec<(AttributeId, Limit)> = Vec::new();
        for (attribute, bound) in tier.into_iter().flat_map(|source| &source.bounds) {
            let of = self.policy.catalogue.attributes[*attribute as usize].bound;
            let limit = Limit::new(of, bound);
            match stated.iter_mut().find(|(known, _)| known == attribute) {
                Some((_, joined)) => joined.join(limit),
                None => stated.push((*attribute, limit)),
            }
        }
        for (attribute, limit) in stated {
            let (at, _) = self.limits.limits.insert_full(limit);
            self.row[attribute as usize] = crate::names::number(at);
        }
    }

    pub(crate) fn finish(self) -> Limits {
        self.limits
    }
}

//! Finds users the bounds of whose roles let more pass together than any of the roles does.
//!
//! In the role tier bounds join attribute by attribute (rule 8), whatever the roles grant.
//! So somebody with a role for up to 10 in the north and one for up to 1,000 in the south may
//! act on 1,000 in the north, and a role that looks at everything widens another that edits.
//! Here the *reach* of a source is what passes its bounds, each attribute on which it
//! states none left aside. A permission reaches too far if some values pass the joined
//! bounds, but not those of any source that may be meant for it: one that grants it, or one
//! that grants nothing and so limits what others grant. If no source grants it, any may be
//! meant.

use super::{Code, Linter, so_for_others};
use crate::bits::{BitSet, any, ones};
use crate::catalogue::{AttributeId, Bit, Catalogue, Form, Limit, NodeId, Pattern};
use crate::document::Fence;
use crate::engine::{Bounding, Layers, LimitSet};
use crate::filter::Quoted;
use crate::ids::{SourceId, UserSlot};
use crate::names::{HashMap, HashSet};
use crate::policy::{Class, Effect, Inner, OwnSources, SourceName, Statements, Tier};
use crate::problem::Place;

/// The number of values that are tried in all; when they are used up, the users that are
/// left are not examined.
const BUDGET: usize = 1 << 22;

/// The bounds of a source, those of the roles that it includes among them.
type Bounds = HashMap<AttributeId, Limit>;

/// Values of attributes that pass together, each with the number of a source that lets it
/// pass.
type Values = Vec<(AttributeId, Limit, usize)>;

/// A permission that reaches too far.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Joined {
    permission: Bit,
    values: Vec<(AttributeId, Limit)>,
    /// The sources that let the values pass, and one that grants the permission.
    sources: Vec<SourceId>,
}

impl Linter<'_> {
    /// Reports users whose permissions reach too far, at the first of those with the same
    /// roles.
    pub(super) fn joined(&mut self) {
        let policy = self.policy;
        let catalogue = self.catalogue();
        let licensed = catalogue.licensed(|feature| policy.is_licensed(feature));
        let mut examiner = Examiner {
            policy,
            layers: Layers::new(policy, &licensed),
            bounding: Bounding::new(policy),
            bounds: HashMap::default(),
            checking: checking(catalogue),
            budget: BUDGET,
        };
        let bearing = bearing_on(catalogue, &examiner.checking);
        // What is found of those who have the same sources, and state nothing that bears on it.
        let mut of_sources: HashMap<&[SourceId], Vec<usize>> = HashMap::default();
        let mut numbers: HashMap<Joined, usize> = HashMap::default();
        let mut found: Vec<(UserSlot, Joined, usize)> = Vec::new();
        for (slot, id) in policy.users.first_of_classes() {
            let Some(class) = policy.users.class(id).filter(|class| !class.admin) else { continue };
            let alike = policy.users.count_of(id);
            let mut examine = || -> Vec<usize> {
                let joined = examiner.examine(class).into_iter();
                let number = joined.map(|joined| {
                    *numbers.entry(joined).or_insert_with_key(|joined| {
                        found.push((slot, joined.clone(), 0));
                        found.len().saturating_sub(1)
                    })
                });
                number.collect()
            };
            let bears = |own: &Statements| {
                let mut ranges = own.all().flat_map(|it| it.pattern.ranges(catalogue));
                !own.bounds.is_empty() || ranges.any(|range| any(bearing.words(), range))
            };
            let of_class;
            let joined = if class.statements.as_deref().is_some_and(bears) {
                of_class = examine();
                &of_class
            } else {
                of_sources.entry(&class.sources).or_insert_with(examine)
            };
            for &number in joined {
                if let Some((first, _, others)) = found.get_mut(number) {
                    let alike = alike.saturating_sub(usize::from(*first == slot));
                    *others = others.saturating_add(alike);
                }
            }
        }
        for (slot, joined, others) in found {
            self.report_joined(slot, &joined, others, &mut examiner);
        }
    }

    fn report_joined(
        &mut self,
        slot: UserSlot,
        joined: &Joined,
        others: usize,
        examiner: &mut Examiner<'_>,
    ) {
        let (policy, catalogue) = (self.policy, self.catalogue());
        let Some((user, class)) = policy.users.get(slot) else { return };
        let path = catalogue.name_of(joined.permission);
        let values = joined.values.iter().map(|(attribute, limit)| {
            let path = &catalogue.attribute_at(*attribute).path;
            match value(limit) {
                Some(value) => format!("where `{path}` is {value}"),
                None => format!("whatever `{path}` is"),
            }
        });
        let values: Vec<String> = values.collect();
        let named: Vec<SourceName> =
            joined.sources.iter().map(|&id| policy.sources.name_of(id)).collect();
        let sources: Vec<String> = named.iter().map(ToString::to_string).collect();
        let message = format!(
            "the bounds of {} join: together they let `{user}` do `{path}` {}, which none of \
             them does by itself{}",
            sources.join(" and "),
            values.join(" and "),
            so_for_others(others, "user"),
        );
        let advice = match examiner.assigned(class, joined) {
            Some((source, grants)) => {
                let name = policy.sources.name_of(source);
                let field = policy.sources[source].kind.field();
                let mut assignment =
                    format!("{{\"{field}\": [{}]", Quoted(policy.sources.name(source)));
                if !grants {
                    let node = catalogue.node_of(joined.permission);
                    let stated = match node.level_name(node.level_of(joined.permission) as usize) {
                        Some(level) => format!("\"levels\": {{\"{}\": \"{level}\"}}", node.path),
                        None => format!("\"allow\": [\"{}\"]", node.path),
                    };
                    assignment.push_str(&format!(", {stated}"));
                }
                format!(
                    "if its bounds belong to what it grants, give {name} by an assignment instead: `{assignment}}}`"
                )
            }
            None => "give each by an assignment, if its bounds belong to what it grants".to_owned(),
        };
        let users = Place::Root.key("users");
        let place = users.name(user).to_string();
        let names = [user.to_owned(), path].into_iter();
        let names = names.chain(named.iter().filter_map(|it| it.name().map(str::to_owned)));
        self.find(Code::JoinedBounds, place, message, &advice, names.collect());
    }
}

/// Returns a single value in words, to follow "is"; `None` if it may be any, or none.
fn value(limit: &Limit) -> Option<String> {
    Some(match limit {
        Limit::OneOf(texts) => Quoted(texts.first()?).to_string(),
        Limit::AtMost(limit) | Limit::AtLeast(limit) => limit.to_string(),
        Limit::NotBefore(fences) | Limit::NotAfter(fences) => match &**fences {
            [Fence::Date(date)] => date.to_string(),
            [Fence::PlusDays(1)] => "tomorrow".to_owned(),
            [Fence::PlusDays(days)] => format!("{days} days after today"),
            _ => return None,
        },
        Limit::Flag(flag) => flag.to_string(),
        Limit::Nothing | Limit::Any | Limit::EitherFlag => return None,
    })
}

/// A source in the role tier of a user.
struct Held {
    id: SourceId,
    /// The effective permissions that it grants.
    carried: BitSet,
    grants_nothing: bool,
}

struct Examiner<'p> {
    policy: &'p Inner,
    layers: Layers<'p>,
    bounding: Bounding<'p>,
    bounds: HashMap<SourceId, Bounds>,
    /// The permissions that check a bound of their own.
    checking: BitSet,
    budget: usize,
}

impl Examiner<'_> {
    /// Returns the permissions of a class that reach too far, one for the same values.
    fn examine(&mut self, class: &Class) -> Vec<Joined> {
        let policy = self.policy;
        let catalogue = &policy.catalogue;
        let is_role = |id: &&SourceId| policy.sources[**id].kind.tier() == Tier::Role;
        let roles: Vec<SourceId> = class.sources.iter().filter(is_role).copied().collect();
        let joining = self.joining(class, &roles);
        if joining.is_empty() {
            return Vec::new();
        }
        let effective = self.effective(class);
        let held: Vec<Held> = roles.iter().map(|&id| self.held(id, &effective)).collect();
        let mut known: HashMap<(Vec<AttributeId>, Vec<usize>), Option<Values>> = HashMap::default();
        let mut seen: HashSet<Vec<(AttributeId, Limit)>> = HashSet::default();
        let mut found = Vec::new();
        for bit in ones(effective.pairs(&self.checking).map(|(held, checking)| held & checking)) {
            let Some(condition) = catalogue.node_of(bit).condition.as_deref() else { continue };
            let checks = condition.own_checks.iter().copied();
            let checks: Vec<AttributeId> = checks.filter(|it| joining.contains_key(it)).collect();
            if checks.is_empty() {
                continue;
            }
            let all = || held.iter().enumerate();
            let granting = all().find(|(_, it)| it.carried.contains(bit)).map(|(at, _)| at);
            let states = |at: usize| {
                let mut limits = checks.iter().filter_map(|it| joining.get(it)?.get(at));
                limits.any(Option::is_some)
            };
            let meant = all().filter(|&(at, it)| {
                let limits_others = it.grants_nothing || granting.is_none();
                it.carried.contains(bit) || limits_others && states(at)
            });
            let meant: Vec<usize> = meant.map(|(at, _)| at).collect();
            let values = known.entry((checks, meant)).or_insert_with_key(|(checks, meant)| {
                let mut values = Values::new();
                let budget = &mut self.budget;
                search(checks, meant, &joining, &mut values, budget).then_some(values)
            });
            let Some(values) = values else { continue };
            let mut involved: Vec<usize> =
                values.iter().map(|&(.., at)| at).chain(granting).collect();
            involved.sort_unstable();
            involved.dedup();
            let values: Vec<(AttributeId, Limit)> =
                values.iter().map(|(attribute, limit, _)| (*attribute, limit.clone())).collect();
            if involved.len() > 1 && seen.insert(values.clone()) {
                let involved = involved.into_iter().filter_map(|at| held.get(at));
                let sources = involved.map(|it| it.id).collect();
                found.push(Joined { permission: bit, values, sources });
            }
        }
        found
    }

    fn effective(&mut self, class: &Class) -> BitSet {
        let granted = self.layers.grants(class).granted;
        self.layers.effective(&granted)
    }

    fn held(&mut self, id: SourceId, effective: &BitSet) -> Held {
        let own = self.layers.of_source(id).clone();
        let carried = self.layers.carried(&own, effective);
        Held { id, carried, grants_nothing: own.granted.is_empty() }
    }

    /// Returns the attributes on which several roles state different bounds that decide for
    /// a class: for each, the bound of each role.
    fn joining(
        &mut self,
        class: &Class,
        roles: &[SourceId],
    ) -> HashMap<AttributeId, Vec<Option<Limit>>> {
        for &role in roles {
            if !self.bounds.contains_key(&role) {
                let bounds = self.bounds_of(role);
                self.bounds.insert(role, bounds);
            }
        }
        let bounds: Vec<&Bounds> = roles.iter().filter_map(|role| self.bounds.get(role)).collect();
        let mut joining: HashMap<AttributeId, Vec<Option<Limit>>> = HashMap::default();
        for &attribute in bounds.iter().flat_map(|bounds| bounds.keys()) {
            let overridden =
                class.statements.as_deref().is_some_and(|own| own.bound(attribute).is_some());
            if overridden || joining.contains_key(&attribute) {
                continue;
            }
            let limits = bounds.iter().map(|bounds| bounds.get(&attribute));
            let mut stated = limits.clone().flatten();
            let first = stated.next();
            let differ = stated.any(|it| Some(it) != first);
            if differ && !limits.clone().flatten().any(has_weekday) {
                joining.insert(attribute, limits.map(Option::<&Limit>::cloned).collect());
            }
        }
        joining
    }

    fn bounds_of(&self, role: SourceId) -> Bounds {
        let (catalogue, sources) = (&self.policy.catalogue, &self.policy.sources);
        let mut stated: HashMap<AttributeId, Vec<Limit>> = HashMap::default();
        for id in sources.closure(&[role]) {
            for (attribute, bound) in &sources[id].statements.bounds {
                let limit = Limit::new(catalogue.attribute_at(*attribute).bound, bound);
                stated.entry(*attribute).or_default().push(limit);
            }
        }
        let joined = stated.into_iter();
        joined.filter_map(|(attribute, limits)| Some((attribute, Limit::any_of(limits)?))).collect()
    }

    /// Returns the source that, given by an assignment instead, leaves the user all
    /// permissions, but none with those values. Returns `true` beside it if it grants the
    /// permission itself.
    fn assigned(&mut self, class: &Class, joined: &Joined) -> Option<(SourceId, bool)> {
        let catalogue = &self.policy.catalogue;
        let Joined { permission, ref values, ref sources } = *joined;
        let effective = self.effective(class);
        let passes = |limits: &LimitSet| {
            values.iter().all(|(attribute, value)| limits.on(*attribute).contains(value))
        };
        // A unique role is in no assignment.
        for &id in sources.iter().rev().filter(|&&id| !self.policy.sources[id].unique) {
            let held = self.held(id, &effective);
            let grants = held.carried.contains(permission);
            let granting = || {
                let node = catalogue.node_of(permission);
                let effect = Effect::granting(node, node.level_of(permission));
                Statements::of(Pattern::exactly(catalogue.id_of(permission)), effect)
            };
            let own = OwnSources {
                sources: [held.id].into(),
                statements: (!grants).then(|| Box::new(granting())),
            };
            let others = class.sources.iter().copied().filter(|&id| id != held.id);
            let left = Class { sources: others.collect(), ..class.clone() };
            let mut kept = self.effective(&left);
            let is_ordinary = kept.contains(permission);
            let layer = self.layers.of_own(&own);
            let granted = self.layers.grants_in(&left, &layer).granted;
            let in_assignment = self.layers.effective(&granted);
            kept.union_with(&self.layers.carried(&layer, &in_assignment));
            let ordinary = self.bounding.limits(&left);
            let limits = self.bounding.limits_in(&left, &own);
            let reaches =
                is_ordinary && passes(&ordinary) || passes(limits.as_ref().unwrap_or(&ordinary));
            if effective.is_within(&kept) && !reaches {
                return Some((held.id, grants));
            }
        }
        None
    }
}

/// Returns the permissions that check a bound of their own and can be granted.
fn checking(catalogue: &Catalogue) -> BitSet {
    let mut checking = BitSet::new(catalogue.bits());
    for bit in catalogue.grantable.iter() {
        let condition = catalogue.node_of(bit).condition.as_deref();
        if condition.is_some_and(|it| !it.own_checks.is_empty()) {
            checking.insert(bit);
        }
    }
    checking
}

/// Returns the permissions that bear on the effect of some: all that these need or consist of,
/// and all that imply them.
fn bearing_on(catalogue: &Catalogue, some: &BitSet) -> BitSet {
    let mut implying: HashMap<NodeId, Vec<NodeId>> = HashMap::default();
    for (id, node) in catalogue.nodes.iter() {
        for &bit in &node.implies {
            implying.entry(catalogue.id_of(bit)).or_default().push(id);
        }
    }
    let mut bearing = BitSet::new(catalogue.bits());
    let mut seen: HashSet<NodeId> = HashSet::default();
    let mut open: Vec<NodeId> = some.iter().map(|bit| catalogue.id_of(bit)).collect();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let node = catalogue.node(id);
        bearing.insert_range(node.bits());
        bearing.insert_range(node.statement_bits());
        open.extend(catalogue.needs(id).map(|(_, bit)| catalogue.id_of(bit)));
        open.extend(implying.get(&id).into_iter().flatten());
        open.extend(catalogue.scopes(id));
        if let Form::Scope(of, _) = node.form {
            open.push(of);
        }
    }
    bearing
}

/// Finds values that pass together, but none of the sources that may be meant, and adds them
/// to others. Attributes are passed over where that will do.
fn search(
    checks: &[AttributeId],
    meant: &[usize],
    joining: &HashMap<AttributeId, Vec<Option<Limit>>>,
    values: &mut Values,
    budget: &mut usize,
) -> bool {
    if meant.is_empty() {
        return true;
    }
    let Some((&attribute, others)) = checks.split_first() else { return false };
    if search(others, meant, joining, values, budget) {
        return true;
    }
    let Some(limits) = joining.get(&attribute) else { return false };
    let mut seen: HashSet<Limit> = HashSet::default();
    for (at, limit) in limits.iter().enumerate() {
        for value in limit.iter().flat_map(single_values) {
            let Some(left) = budget.checked_sub(limits.len()) else { return false };
            *budget = left;
            if !seen.insert(value.clone()) {
                continue;
            }
            let lets_pass = |&at: &usize| {
                let limit = limits.get(at).and_then(Option::as_ref);
                limit.is_none_or(|limit| limit.contains(&value))
            };
            let rest: Vec<usize> = meant.iter().copied().filter(lets_pass).collect();
            if rest.len() == meant.len() {
                continue;
            }
            values.push((attribute, value.clone(), at));
            if search(others, &rest, joining, values, budget) {
                return true;
            }
            values.pop();
        }
    }
    false
}

/// Returns whether a limit depends on the day of the week. Which of two such reaches further
/// differs from day to day.
fn has_weekday(limit: &Limit) -> bool {
    let (Limit::NotBefore(fences) | Limit::NotAfter(fences)) = limit else { return false };
    fences.iter().any(|fence| matches!(fence, Fence::Next { .. }))
}

/// Returns the values that pass a limit and are the least likely to pass others, each as a
/// limit.
fn single_values(limit: &Limit) -> Vec<Limit> {
    let single = |fences: &[Fence], limit: fn(Vec<Fence>) -> Limit| {
        fences.iter().map(|&fence| limit(vec![fence])).collect()
    };
    match limit {
        Limit::Nothing => Vec::new(),
        Limit::OneOf(texts) => {
            texts.iter().map(|it| Limit::OneOf([it.clone()].into_iter().collect())).collect()
        }
        Limit::NotBefore(fences) => single(fences, Limit::NotBefore),
        Limit::NotAfter(fences) => single(fences, Limit::NotAfter),
        Limit::EitherFlag => [true, false].map(Limit::Flag).into(),
        Limit::Any | Limit::AtMost(_) | Limit::AtLeast(_) | Limit::Flag(_) => vec![limit.clone()],
    }
}

//! Finds statements without effect.
//!
//! Of the statements of a source that match a permission, the nearest decides (rule 1),
//! and so a source has an *outcome* for whoever has it. Seen from the nearest, the
//! matching statements begin with some that all have this outcome: the *front*. Which
//! of the front decides makes no difference, so all but one of it can be left out; and
//! so can everything behind the front, which decides nothing. If the outcome would be
//! the same without any of these statements, because of what lies below (the global
//! source) or beside (the roles that a role includes), the whole front can be left out.
//! A statement is without effect if this holds for every permission that it matches.
//!
//! INVARIANT: whichever of the findings are left out, the outcome of every source stays
//! the same for every permission in reach. A front keeps at least one statement that is
//! not found, unless the outcome needs none; so its outcome still decides, and nothing
//! behind it decides. Hence each statement can be examined as if all others
//! stayed, apart from counting how many each front has left.

#![expect(
    clippy::indexing_slicing,
    reason = "numbers of nodes of the catalogue, of sources of the policy, and of statements and \
              fronts of this search"
)]
#![expect(
    clippy::arithmetic_side_effects,
    reason = "counts of users and statements, none of which is brought below what it counts"
)]

use super::{Code, Linter, Reach};
use crate::bits::BitSet;
use crate::catalogue::{AttributeId, Catalogue, Node, NodeId, Pattern};
use crate::document::{Bound, SettingValue};
use crate::engine::{Layer, Layers, Limit};
use crate::ids::{ClassId, SourceId, UserSlot};
use crate::names::{HashMap, HashSet};
use crate::policy::{
    Effect, Held, Inner, List, Origin, Said, SourceName, Statement, Statements, Tier,
};

/// A statement without effect.
#[derive(Clone, Debug)]
struct Useless<'s> {
    stated: Stated<'s>,
    cause: Cause,
}

/// A statement of a source.
#[derive(Clone, Copy, Debug)]
enum Stated<'s> {
    Permissions(Statement<'s>),
    Bound(AttributeId),
    Setting(u32),
}

/// The reason why a statement is without effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// The same statement occurs earlier in its list.
    Repeated,
    /// Nearer statements decide about every permission that it matches.
    Overridden,
    /// Other statements of the source have the same effect.
    SameBeside,
    /// The sources below, or the included ones, have the same effect.
    SameBelow,
    /// The source itself, or one below, forbids every permission that it matches.
    Forbidden,
    /// Nobody is granted a permission that it matches.
    NeverGranted,
    /// Every permission that it matches needs one that nobody can hold.
    NeverEffective,
    /// It denies nothing that would be granted without it.
    NothingToDeny,
    /// No permission in reach checks the attribute.
    Unchecked,
}

impl<'p> Linter<'p> {
    /// Reports the statements without effect.
    pub(super) fn effects(&mut self) {
        let policy = self.policy;
        let licensed = policy.catalogue.licensed(|_| true);
        let mut sources = Sources {
            policy,
            reach: self.reach,
            layers: Layers::new(policy, &licensed),
            checked: checked(policy, &self.reach.effective),
            matching: vec![Vec::new(); policy.catalogue.nodes.len()],
        };
        for (id, name, _) in self.common() {
            for useless in sources.useless(policy.sources.held(id)) {
                self.report(&useless, &name, 0);
            }
        }
        // Users' own statements mean the same whatever else they have: equal ones are
        // examined once. The first user of each class, and how many there are.
        let mut users: HashMap<ClassId, (UserSlot, u32)> = HashMap::default();
        for (slot, ..) in policy.users.iter() {
            users.entry(policy.users.class_of(slot)).or_insert((slot, 0)).1 += 1;
        }
        let mut owned: HashMap<&Statements, (UserSlot, u32)> = HashMap::default();
        for (class, of) in policy.users.classes() {
            if let (Some(own), Some(&(first, count))) =
                (of.statements.as_deref(), users.get(&class))
            {
                let known = owned.entry(own).or_insert((first, 0));
                *known = (first.min(known.0), count + known.1);
            }
        }
        let mut owned: Vec<_> = owned.into_iter().collect();
        owned.sort_unstable_by_key(|(_, (first, _))| *first);
        for (own, (first, count)) in owned {
            let name = SourceName::User(policy.users.name(first).to_owned());
            for useless in sources.useless(Held::own(own)) {
                self.report(&useless, &name, count - 1);
            }
        }
    }

    fn report(&mut self, useless: &Useless<'_>, source: &SourceName, other_users: u32) {
        let catalogue = self.catalogue();
        let Useless { stated, cause } = *useless;
        let place = source.place();
        let (what, place, of) = match stated {
            Stated::Permissions(it) => {
                (it.pattern.text(catalogue), it.place(&place, catalogue), "on everything that")
            }
            Stated::Bound(attribute) => {
                let path = &catalogue.attribute_at(attribute).path;
                (path.to_string(), format!("{place}.bounds.{path}"), "on")
            }
            Stated::Setting(setting) => {
                let name = catalogue.settings.get_index(setting as usize);
                let name = name.map_or("", |(name, _)| name);
                (name.to_owned(), format!("{place}.settings.{name}"), "on")
            }
        };
        let below = match source {
            SourceName::Role(_) => "a role that this one includes",
            _ => "the global source",
        };
        let whom = match source {
            SourceName::Global => "everybody",
            _ => "whoever has this source",
        };
        let mut message = match cause {
            Cause::Repeated => format!("duplicate `{what}`"),
            Cause::Overridden => {
                format!("more specific statements of this source override `{what}` everywhere")
            }
            Cause::SameBeside => format!(
                "other statements of this source have the same effect {of} `{what}` matches"
            ),
            Cause::SameBelow if matches!(stated, Stated::Permissions(_)) => {
                format!("{below} has the same effect {of} `{what}` matches")
            }
            Cause::SameBelow => format!("{below} states the same for `{what}`"),
            Cause::Forbidden => format!("everything that `{what}` matches is forbidden to {whom}"),
            Cause::NeverGranted => format!("nobody is granted anything that `{what}` matches"),
            Cause::NeverEffective => {
                format!("everything that `{what}` matches needs a permission that nobody can hold")
            }
            Cause::NothingToDeny => {
                format!("`{what}` denies nothing that would otherwise be granted")
            }
            Cause::Unchecked => format!("no permission that anybody can hold checks `{what}`"),
        };
        match other_users {
            0 => {}
            1 => message.push_str(" (so for another user)"),
            _ => message.push_str(&format!(" (so for {other_users} other users)")),
        }
        let advice =
            match stated {
                Stated::Permissions(Statement {
                    effect: Effect::Allow | Effect::Level(_), ..
                }) if cause == Cause::NeverEffective => "allow what it needs too, or leave it out",
                _ => "leave it out",
            };
        self.find_about(cause.code(), place, message, advice, vec![what]);
    }
}

impl Cause {
    fn code(self) -> Code {
        match self {
            Cause::Repeated => Code::Repeated,
            Cause::Overridden => Code::Overridden,
            Cause::SameBeside | Cause::SameBelow => Code::Redundant,
            Cause::Forbidden
            | Cause::NeverGranted
            | Cause::NeverEffective
            | Cause::NothingToDeny
            | Cause::Unchecked => Code::Idle,
        }
    }
}

/// Returns the attributes that permissions in reach check.
fn checked(policy: &Inner, effective: &BitSet) -> HashSet<AttributeId> {
    let catalogue = &policy.catalogue;
    let nodes = catalogue.nodes.iter().filter(|node| {
        // A heading has no bit of its own.
        node.width() > 0 && effective.contains(node.bit)
    });
    nodes
        .filter_map(|node| node.condition.as_deref())
        .flat_map(|it| &it.own_checks)
        .copied()
        .collect()
}

/// The sources, examined one after the other.
struct Sources<'p> {
    policy: &'p Inner,
    reach: &'p Reach,
    layers: Layers<'p>,
    checked: HashSet<AttributeId>,
    /// For each node, the statements about it of the source under examination, the
    /// farthest first: their numbers and results.
    matching: Vec<Vec<(u32, Said)>>,
}

impl<'p> Sources<'p> {
    fn catalogue(&self) -> &'p Catalogue {
        &self.policy.catalogue
    }

    /// Returns the statements without effect of a source.
    fn useless<'s>(&mut self, source: Held<'s>) -> Vec<Useless<'s>> {
        let mut found = Vec::new();
        self.permissions(source, &mut found);
        self.bounds(source, &mut found);
        self.settings(source, &mut found);
        found
    }

    fn permissions<'s>(&mut self, source: Held<'s>, found: &mut Vec<Useless<'s>>) {
        let Held { origin, tier, statements } = source;
        let catalogue = self.catalogue();
        let forbids: Vec<_> = statements.all().filter(|it| it.effect == Effect::Forbid).collect();
        let mut competing = statements.ranked(catalogue);
        competing.retain(|statement| statement.effect != Effect::Forbid);
        if forbids.is_empty() && competing.is_empty() {
            return;
        }
        let beside = match origin {
            Origin::Shared(id) => self.layers.of_included(id),
            Origin::Own => Layer::new(catalogue.bits()),
        };
        let global = match tier {
            Tier::Global => Layer::new(catalogue.bits()),
            _ => self.layers.of_source(SourceId::GLOBAL).clone(),
        };

        let mut forbidden = beside.forbidden.clone();
        forbidden.union_with(&global.forbidden);
        let outcome = |id: NodeId, said: Said| {
            if forbidden.contains(catalogue.node(id).bit) { Said::Deny } else { said }
        };
        self.weigh(&forbids, &BitSet::new(catalogue.bits()), outcome, found);

        forbidden.union_with(&Layer::of(statements, catalogue).forbidden);
        let of = Surroundings { tier, reach: self.reach, global: &global, beside: &beside };
        let outcome = |id, said| of.outcome(catalogue.node(id), said);
        self.weigh(&competing, &forbidden, outcome, found);
    }

    /// Finds the statements that can be left out, of some given the farthest first.
    fn weigh<'s>(
        &mut self,
        statements: &[Statement<'s>],
        forbidden: &BitSet,
        outcome: impl Fn(NodeId, Said) -> Said,
        found: &mut Vec<Useless<'s>>,
    ) {
        let catalogue = self.catalogue();
        let mut weighed: Vec<Weighed> = Vec::with_capacity(statements.len());
        let mut seen: HashSet<(List, Pattern)> = HashSet::default();
        let mut touched: Vec<NodeId> = Vec::new();
        for (number, statement) in (0..).zip(statements) {
            let mut of = Weighed::default();
            if seen.insert((statement.effect.list(), statement.pattern)) {
                for (id, said) in statement.results(catalogue) {
                    let bit = catalogue.node(id).bit;
                    if !self.reach.matters(catalogue, id) {
                        of.granted |= self.reach.granted.contains(bit);
                    } else if forbidden.contains(bit) {
                        of.forbidden = true;
                    } else {
                        of.touches = true;
                        let matching = &mut self.matching[id as usize];
                        if matching.is_empty() {
                            touched.push(id);
                        }
                        matching.push((number, said));
                    }
                }
            } else {
                of.repeated = true;
            }
            weighed.push(of);
        }
        // The number of statements left in each front of which one must stay.
        let mut left: Vec<u32> = Vec::new();
        for id in touched {
            let matching = std::mem::take(&mut self.matching[id as usize]);
            let Some(&(_, nearest)) = matching.last() else { continue };
            let decided = outcome(id, nearest);
            let same = |said| outcome(id, said) == decided;
            let front = matching.iter().rev().take_while(|(_, said)| same(*said));
            let front: Vec<usize> = front.map(|&(number, _)| number as usize).collect();
            let must_stay = front.len() < matching.len() || !same(Said::Nothing);
            for &number in &front {
                let of = &mut weighed[number];
                of.decides = true;
                if must_stay {
                    of.fronts.push(left.len());
                } else {
                    of.same_below |= decided != Said::Level(0);
                }
            }
            if must_stay {
                left.push(front.len() as u32);
            }
        }
        // The nearest first, so that farther statements, which cover more, stay.
        for (statement, of) in statements.iter().zip(&weighed).rev() {
            if of.fronts.iter().any(|&front| left[front] < 2) {
                continue;
            }
            of.fronts.iter().for_each(|&front| left[front] -= 1);
            let cause = match of {
                Weighed { repeated: true, .. } => Cause::Repeated,
                Weighed { touches: false, forbidden: true, .. } => Cause::Forbidden,
                Weighed { touches: false, granted: true, .. } => Cause::NeverEffective,
                Weighed { touches: false, .. } => Cause::NeverGranted,
                Weighed { decides: false, .. } => Cause::Overridden,
                Weighed { fronts, .. } if !fronts.is_empty() => Cause::SameBeside,
                Weighed { same_below: true, .. } => Cause::SameBelow,
                _ => Cause::NothingToDeny,
            };
            found.push(Useless { stated: Stated::Permissions(*statement), cause });
        }
    }

    fn bounds(&mut self, source: Held<'_>, found: &mut Vec<Useless<'_>>) {
        let policy = self.policy;
        let limit = |attribute: AttributeId, bound: &Bound| {
            Limit::new(policy.catalogue.attribute_at(attribute).bound, bound)
        };
        let stated = |of: &'p Statements, attribute| {
            of.bound(attribute).map(|bound| limit(attribute, bound))
        };
        for &(attribute, ref bound) in &source.statements.bounds {
            let same_below = || match source.tier {
                Tier::Profile => {
                    stated(policy.sources.global(), attribute) == Some(limit(attribute, bound))
                }
                _ => {
                    let included = self.included(source.origin).into_iter();
                    let included = included.filter_map(|of| stated(of, attribute));
                    Limit::any_of(included)
                        .is_some_and(|joined| joined.contains(&limit(attribute, bound)))
                }
            };
            let cause = if !self.checked.contains(&attribute) {
                Cause::Unchecked
            } else if same_below() {
                Cause::SameBelow
            } else {
                continue;
            };
            found.push(Useless { stated: Stated::Bound(attribute), cause });
        }
    }

    fn settings(&self, source: Held<'_>, found: &mut Vec<Useless<'_>>) {
        let policy = self.policy;
        for (setting, value) in &source.statements.settings {
            // Stating the default keeps it, even if the catalogue's changes some
            // day.
            let said: Option<&SettingValue> = match source.tier {
                Tier::Profile => policy.sources.global().setting(*setting),
                // Without it, the next role in the order decides.
                _ => self.included(source.origin).iter().find_map(|of| of.setting(*setting)),
            };
            if said == Some(value) {
                found.push(Useless { stated: Stated::Setting(*setting), cause: Cause::SameBelow });
            }
        }
    }

    /// Returns the statements of the roles that a source includes.
    fn included(&self, source: Origin) -> Vec<&'p Statements> {
        let Origin::Shared(id) = source else { return Vec::new() };
        let sources = &self.policy.sources;
        sources.closure(&[id]).iter().skip(1).map(|&id| &sources[id].statements).collect()
    }
}

impl Reach {
    /// Returns whether statements about a permission can matter.
    fn matters(&self, catalogue: &Catalogue, id: NodeId) -> bool {
        let node = catalogue.node(id);
        // A permission without effect may still imply one that has effect.
        self.granted.contains(node.bit)
            && (self.effective.contains(node.bit) || !node.implies.is_empty())
    }
}

/// A tier, and the sources that decide where a source of it states nothing.
struct Surroundings<'l> {
    tier: Tier,
    reach: &'l Reach,
    /// The statements of the global source.
    global: &'l Layer,
    /// The statements of the roles that the source includes.
    beside: &'l Layer,
}

impl Surroundings<'_> {
    /// The outcome, for whoever has the source, of a result of its own statements:
    /// results of the same outcome make no difference to anybody.
    fn outcome(&self, node: &Node, said: Said) -> Said {
        const NOTHING_GRANTED: Said = Said::Level(0);
        // Stating anything matters to the tiers below, and to implications.
        let implied = self.reach.implied.contains(node.bit);
        let never_common = !implied && !self.reach.common.contains(node.bit);
        match (self.tier, said) {
            (Tier::Global, Said::Nothing) if implied => Said::Nothing,
            (Tier::Profile, Said::Nothing) => {
                let global = Surroundings { tier: Tier::Global, ..*self };
                global.outcome(node, self.global.said_of(node))
            }
            (Tier::User, Said::Nothing) if !never_common => Said::Nothing,
            (Tier::Role, _) if never_common => NOTHING_GRANTED,
            (Tier::Role, said) => said.max(self.beside.said_of(node)),
            (_, Said::Nothing | Said::Deny) => NOTHING_GRANTED,
            (_, said) => said,
        }
    }
}

/// The findings about a statement so far.
#[derive(Debug, Default)]
struct Weighed {
    repeated: bool,
    /// True if it matches a permission that matters.
    touches: bool,
    /// True if it matches one that matters but is forbidden.
    forbidden: bool,
    /// True if it matches one that is granted but does not matter.
    granted: bool,
    /// True if it is in the front of any permission.
    decides: bool,
    /// True if the outcome of such a front is the same without it, and more than just
    /// nothing granted.
    same_below: bool,
    /// The fronts that it is in, of each of which one statement must stay.
    fronts: Vec<usize>,
}

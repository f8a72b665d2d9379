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
//! The outcome of an `except` is that of a source without any of these statements.
//!
//! INVARIANT: whichever of the findings are left out, the outcome of every source stays
//! the same for every permission in reach. A front keeps at least one statement that is
//! not found, unless the outcome needs none; so its outcome still decides, and nothing
//! behind it decides. Hence each statement can be examined as if all others
//! stayed, apart from counting how many each front has left.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "counts of users and statements, none of which is brought below what it counts"
)]

use super::{Code, Linter, Reach, Stated, checks, so_for_others};
use crate::bits::BitSet;
use crate::catalogue::{AttributeId, Limit, Node, NodeId, Pattern};
use crate::engine::{Layer, Layers};
use crate::ids::SourceId;
use crate::names::{HashMap, HashSet};
use crate::policy::{Effect, Held, Inner, List, Origin, Said, Statement, Statements, Tier};

/// A statement of a source.
#[derive(Clone, Copy)]
enum Stating<'s> {
    Permissions(Statement<'s>),
    Bound(AttributeId),
    Setting(u32),
}

/// The reason why a statement is without effect.
///
/// Of the reasons that the permissions which a statement matches give, the last in this
/// order is that of the statement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// Nobody is granted a permission that it matches.
    NeverGranted,
    /// Every permission that it matches needs one that nobody can hold.
    NeverEffective,
    /// The source itself, or one below, forbids every permission that it matches.
    Forbidden,
    /// Nearer statements decide about every permission that it matches.
    Overridden,
    /// It denies nothing that would be granted without it.
    NothingToDeny,
    /// It leaves out nothing that makes a difference.
    NothingToLeaveOut,
    /// The sources below, or the included ones, have the same effect.
    SameBelow,
    /// Other statements of the source have the same effect.
    SameBeside,
    /// The same statement occurs earlier in its list.
    Repeated,
    /// No permission in reach checks the attribute.
    Unchecked,
}

impl<'p> Linter<'p> {
    /// Reports the statements without effect.
    pub(super) fn effects(&mut self) {
        let catalogue = self.catalogue();
        let licensed = catalogue.licensed(|_| true);
        let mut layers = Layers::new(self.policy, &licensed);
        let mut sources = Sources {
            policy: self.policy,
            reach: self.reach,
            nothing: Layer::new(catalogue.bits()),
            global: layers.of_source(SourceId::GLOBAL).clone(),
            layers,
            checked: checks(self.catalogue(), &self.reach.effective).map(|(id, _)| id).collect(),
        };
        for stated in self.stated {
            let mut found = Vec::new();
            sources.permissions(stated.held, &mut found);
            sources.values(stated.held, &mut found);
            let idle = found.iter().filter(|(stating, cause)| !is_guard(*stating, *cause)).count();
            if stated.alone && idle == stated.held.statements.len() {
                found.retain(|(stating, cause)| is_guard(*stating, *cause));
            }
            for (stating, cause) in found {
                self.report(stated, stating, cause);
            }
        }
    }

    fn report(&mut self, stated: &Stated<'_>, stating: Stating<'_>, cause: Cause) {
        let catalogue = self.catalogue();
        let place = &stated.place;
        let (what, place) = match stating {
            Stating::Permissions(it) => (it.pattern.text(catalogue), it.place(place, catalogue)),
            Stating::Bound(attribute) => {
                let path = &catalogue.attribute_at(attribute).path;
                (path.to_string(), format!("{place}.bounds.{path}"))
            }
            Stating::Setting(setting) => {
                let name = catalogue.settings.get_index(setting as usize);
                let name = name.map_or("", |(name, _)| name);
                (name.to_owned(), format!("{place}.settings.{name}"))
            }
        };
        let below = match stated.held.tier {
            Tier::Role => "a role that this one includes",
            _ => "the global source",
        };
        let whom = match stated.held.tier {
            Tier::Global => "everybody",
            Tier::Assignment => "whoever acts in this assignment",
            _ => "whoever has this source",
        };
        let code = match cause {
            Cause::Repeated => Code::Repeated,
            Cause::Overridden => Code::Overridden,
            Cause::SameBeside | Cause::SameBelow => Code::Redundant,
            _ if is_guard(stating, cause) => Code::Guard,
            _ => Code::Idle,
        };
        let mut message = match cause {
            Cause::Repeated => format!("duplicate `{what}`"),
            Cause::Overridden => {
                format!("more specific statements of this source override `{what}` everywhere")
            }
            Cause::SameBeside => format!(
                "other statements of this source have the same effect on everything that `{what}` \
                 matches"
            ),
            Cause::SameBelow if matches!(stating, Stating::Permissions(_)) => {
                format!("{below} has the same effect on everything that `{what}` matches")
            }
            Cause::SameBelow => format!("{below} states the same for `{what}`"),
            Cause::Forbidden => format!("everything that `{what}` matches is forbidden to {whom}"),
            Cause::NeverGranted => format!("nobody is granted anything that `{what}` matches"),
            Cause::NeverEffective => {
                format!("everything that `{what}` matches needs a permission that nobody can hold")
            }
            Cause::NothingToDeny => {
                let takes = match stating {
                    Stating::Permissions(Statement { effect: Effect::Level(_), .. }) => {
                        "takes away"
                    }
                    _ => "denies",
                };
                format!("`{what}` {takes} nothing that would otherwise be granted")
            }
            Cause::NothingToLeaveOut => format!("it makes no difference that `{what}` is left out"),
            Cause::Unchecked => format!("no permission that anybody can hold checks `{what}`"),
        };
        let noun = if stated.held.tier == Tier::User { "user" } else { "assignment" };
        message.push_str(&so_for_others(stated.others, noun));
        let advice = match stating {
            _ if code == Code::Guard => "it only guards against what may be granted later",
            Stating::Permissions(Statement {
                effect: Effect::Allow | Effect::Level(_), ..
            }) if cause == Cause::NeverEffective => "allow what it needs too, or leave it out",
            Stating::Permissions(Statement { effect: Effect::Except, .. }) => "remove it",
            _ => "leave it out",
        };
        self.find(code, place, message, advice, vec![what]);
    }
}

/// Returns whether a statement is a denial with nothing to deny for now.
fn is_guard(stating: Stating<'_>, cause: Cause) -> bool {
    let Stating::Permissions(statement) = stating else { return false };
    matches!(statement.effect, Effect::Deny | Effect::Forbid)
        && matches!(cause, Cause::NeverGranted | Cause::NeverEffective | Cause::NothingToDeny)
}

/// The sources, examined one after the other.
struct Sources<'p> {
    policy: &'p Inner,
    reach: &'p Reach,
    layers: Layers<'p>,
    /// Statements that are none.
    nothing: Layer,
    /// The statements of the global source.
    global: Layer,
    /// The attributes that permissions in reach check.
    checked: HashSet<AttributeId>,
}

/// The statements without effect found so far.
type Found<'s> = Vec<(Stating<'s>, Cause)>;

impl<'p> Sources<'p> {
    fn permissions<'s>(&mut self, held: Held<'s>, found: &mut Found<'s>) {
        let Held { origin, tier, statements } = held;
        let catalogue = &self.policy.catalogue;
        let forbids: Vec<_> = statements.all().filter(|it| it.effect == Effect::Forbid).collect();
        let mut competing = statements.ranked(catalogue);
        competing.retain(|statement| statement.effect != Effect::Forbid);
        if forbids.is_empty() && competing.is_empty() {
            return;
        }
        let included = match origin {
            Origin::Shared(id) => Some(self.layers.of_included(id)),
            Origin::Own | Origin::Assignment => None,
        };
        let beside = included.as_ref().unwrap_or(&self.nothing);
        let global = if tier == Tier::Global { &self.nothing } else { &self.global };

        let mut forbidden = beside.forbidden.clone();
        forbidden.union_with(&global.forbidden);
        let outcome = |id: NodeId, said: Said| {
            if forbidden.contains(catalogue.node(id).bit) { Said::Deny } else { said }
        };
        self.weigh(&forbids, &self.nothing.forbidden, outcome, found);

        if !forbids.is_empty() {
            forbidden.union_with(&Layer::of(statements, catalogue).forbidden);
        }
        let of = Surroundings { tier, reach: self.reach, global, beside };
        let outcome = |id, said| of.outcome(catalogue.node(id), said);
        self.weigh(&competing, &forbidden, outcome, found);
    }

    /// Finds the statements that can be left out, of some given the farthest first.
    #[expect(clippy::indexing_slicing, reason = "numbers of the statements and of their fronts")]
    fn weigh<'s>(
        &self,
        statements: &[Statement<'s>],
        forbidden: &BitSet,
        outcome: impl Fn(NodeId, Said) -> Said,
        found: &mut Found<'s>,
    ) {
        if statements.is_empty() {
            return;
        }
        let catalogue = &self.policy.catalogue;
        // For each statement, its cause, and the fronts that it is in of which one
        // statement must stay.
        let mut weighed: Vec<(Cause, Vec<usize>)> = Vec::with_capacity(statements.len());
        // For each permission, the statements about it, the farthest first: their numbers
        // and results.
        let mut matching: HashMap<NodeId, Vec<(usize, Said)>> = HashMap::default();
        let mut seen: HashSet<(List, Pattern)> = HashSet::default();
        for (number, statement) in statements.iter().enumerate() {
            let mut cause = Cause::NeverGranted;
            if seen.insert((statement.effect.list(), statement.pattern)) {
                for (id, said) in statement.results(catalogue) {
                    let bit = catalogue.node(id).bit;
                    cause = cause.max(if !self.reach.granted.contains(bit) {
                        Cause::NeverGranted
                    } else if !self.reach.matters(catalogue.node(id)) {
                        Cause::NeverEffective
                    } else if forbidden.contains(bit) {
                        Cause::Forbidden
                    } else {
                        matching.entry(id).or_default().push((number, said));
                        Cause::Overridden
                    });
                }
            } else {
                cause = Cause::Repeated;
            }
            weighed.push((cause, Vec::new()));
        }
        // The number of statements left in each front of which one must stay.
        let mut left: Vec<usize> = Vec::new();
        for (id, mut matching) in matching {
            // The order of an `except` and a level differs from permission to permission.
            matching.sort_by_key(|&(number, _)| statements[number].rank(id, catalogue));
            let Some(&(_, nearest)) = matching.last() else { continue };
            let decided = outcome(id, nearest);
            let same = |said| outcome(id, said) == decided;
            let front = matching.iter().rev().take_while(|(_, said)| same(*said)).count();
            let must_stay = front < matching.len() || !same(Said::Nothing);
            let cause_in_front = if must_stay {
                Cause::SameBeside
            } else if decided == Said::Level(0) {
                Cause::NothingToDeny
            } else {
                Cause::SameBelow
            };
            for &(number, _) in matching.iter().rev().take(front) {
                let (cause, fronts) = &mut weighed[number];
                let is_except = statements[number].effect == Effect::Except;
                *cause = (*cause).max(match cause_in_front {
                    Cause::NothingToDeny | Cause::SameBelow if is_except => {
                        Cause::NothingToLeaveOut
                    }
                    cause => cause,
                });
                if must_stay {
                    fronts.push(left.len());
                }
            }
            if must_stay {
                left.push(front);
            }
        }
        // The nearest first, so that farther statements, which cover more, stay.
        for (statement, (cause, fronts)) in statements.iter().zip(weighed).rev() {
            if fronts.iter().all(|&front| left[front] > 1) {
                fronts.iter().for_each(|&front| left[front] -= 1);
                found.push((Stating::Permissions(*statement), cause));
            }
        }
    }

    /// Finds the bounds and settings that can be left out.
    fn values(&self, held: Held<'_>, found: &mut Found<'_>) {
        let Held { origin, tier, statements } = held;
        if statements.bounds.is_empty() && statements.settings.is_empty() {
            return;
        }
        let (catalogue, sources) = (&self.policy.catalogue, &self.policy.sources);
        // The sources that decide where this one states nothing.
        let below: Vec<&Statements> = match (tier, origin) {
            (Tier::Profile, _) => vec![sources.global()],
            (_, Origin::Shared(id)) => {
                sources.closure(&[id]).iter().skip(1).map(|&id| &sources[id].statements).collect()
            }
            (_, Origin::Own | Origin::Assignment) => Vec::new(),
        };
        for &(attribute, ref bound) in &statements.bounds {
            let limit = |bound| Limit::new(catalogue.attribute_at(attribute).bound, bound);
            let stated = below.iter().filter_map(|of| of.bound(attribute));
            let cause = if !self.checked.contains(&attribute) {
                Cause::Unchecked
            } else if Limit::any_of(stated.map(limit)).is_some_and(|below| match tier {
                Tier::Profile => below == limit(bound),
                // The bounds of roles join.
                _ => below.contains(&limit(bound)),
            }) {
                Cause::SameBelow
            } else {
                continue;
            };
            found.push((Stating::Bound(attribute), cause));
        }
        for &(setting, ref value) in &statements.settings {
            // Stating the default keeps it, even if the catalogue's changes some day.
            if below.iter().find_map(|of| of.setting(setting)) == Some(value) {
                found.push((Stating::Setting(setting), Cause::SameBelow));
            }
        }
    }
}

impl Reach {
    /// Returns whether statements about a permission can matter.
    fn matters(&self, node: &Node) -> bool {
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
            (Tier::Role | Tier::Assignment, _) if never_common => NOTHING_GRANTED,
            (Tier::Role | Tier::Assignment, said) => match said.max(self.beside.said_of(node)) {
                // There is nothing below that granting nothing would override.
                Said::Nothing if !implied && !self.reach.lower.contains(node.bit) => {
                    NOTHING_GRANTED
                }
                said => said,
            },
            (_, Said::Nothing | Said::Deny) => NOTHING_GRANTED,
            (_, said) => said,
        }
    }
}

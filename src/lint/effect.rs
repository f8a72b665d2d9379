//! Statements without effect.
//!
//! For every permission, a source's statements that match it are ranked (rule 1),
//! and the first of them decides. Those at the front of the ranking that come to
//! the same can all be left out but one, and so can all behind them. What "comes to
//! the same" means depends on the tier: beneath a profile lies what the global
//! source states, beside a role what it includes.
//!
//! INVARIANT: whichever of the findings are left out, what every source comes to
//! stays the same for all that is in reach. So each can be examined as if all
//! others stayed.

#![expect(
    clippy::indexing_slicing,
    reason = "numbers of nodes of the catalogue, of sources of the policy, and of statements and \
              sets of this search"
)]
#![expect(
    clippy::arithmetic_side_effects,
    reason = "counts of users and statements, none of which is brought below what it counts"
)]

use super::{Code, Linter, Reach};
use crate::bits::BitSet;
use crate::catalogue::{AttributeId, Catalogue, NodeId, Pattern};
use crate::document::{Bound, SettingValue};
use crate::engine::{Layer, Layers, Limit};
use crate::ids::{ClassId, SourceId, UserSlot};
use crate::names::{HashMap, HashSet};
use crate::policy::{
    Effect, Held, Inner, List, Origin, Said, SourceName, Statement, Statements, Tier,
};

/// A statement of a source.
#[derive(Clone, Copy, Debug)]
enum Stated<'s> {
    Permissions(Statement<'s>),
    Bound(AttributeId),
    Setting(u32),
}

/// A statement without effect, and why.
#[derive(Clone, Debug)]
struct Useless<'s> {
    stated: Stated<'s>,
    why: Why,
}

/// Why a statement is without effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The same statement occurs earlier.
    Repeated,
    /// Nearer statements decide all that it matches.
    Overridden,
    /// Other statements of the source come to the same.
    SaidBesides,
    /// What lies beneath the source, or beside it, comes to the same.
    SaidBeneath,
    /// The source itself, or what lies beneath, forbids all that it matches.
    Forbidden,
    /// Nobody is granted what it matches.
    NeverGranted,
    /// What it grants lacks something that it answers to.
    NeverEffective,
    /// It denies what is not granted without it.
    NothingToDeny,
    /// Nothing checks the attribute.
    Unchecked,
}

/// A statement and its effect on one permission.
type Saying = (u32, Said);

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
            for vain in sources.useless(policy.sources.held(id)) {
                self.report(&vain, &name, 0);
            }
        }
        // Users' own statements mean the same whatever else they have.
        let mut alike: HashMap<&Statements, Vec<ClassId>> = HashMap::default();
        let mut of_class: HashMap<ClassId, (UserSlot, u32)> = HashMap::default();
        for (slot, ..) in policy.users.iter() {
            let class = policy.users.class_of(slot);
            of_class.entry(class).or_insert((slot, 0)).1 += 1;
        }
        for (class, of) in policy.users.classes() {
            if let Some(own) = of.statements.as_deref() {
                alike.entry(own).or_default().push(class);
            }
        }
        let mut owned: Vec<(UserSlot, u32, &Statements)> = alike
            .into_iter()
            .filter_map(|(own, classes)| {
                let users = classes.iter().filter_map(|class| of_class.get(class));
                let first = users.clone().map(|&(first, _)| first).min()?;
                Some((first, users.map(|&(_, count)| count).sum(), own))
            })
            .collect();
        owned.sort_unstable_by_key(|&(first, ..)| first);
        for (first, count, own) in owned {
            let name = SourceName::User(policy.users.name(first).to_owned());
            for vain in sources.useless(Held::own(own)) {
                self.report(&vain, &name, count - 1);
            }
        }
    }

    fn report(&mut self, useless: &Useless<'_>, source: &SourceName, others: u32) {
        let catalogue = self.catalogue();
        let Useless { stated, why } = *useless;
        let place = source.place();
        let (what, place) = match stated {
            Stated::Permissions(statement) => {
                (statement.pattern.text(catalogue), statement.place(&place, catalogue))
            }
            Stated::Bound(attribute) => {
                let path = catalogue.attribute_at(attribute).path.to_string();
                let place = format!("{place}.bounds.{path}");
                (path, place)
            }
            Stated::Setting(setting) => {
                let name = catalogue.settings.get_index(setting as usize);
                let name = name.map_or_else(String::new, |(name, _)| name.to_string());
                let place = format!("{place}.settings.{name}");
                (name, place)
            }
        };
        let beneath = match source {
            SourceName::Role(_) => "what the role includes",
            _ => "the global source",
        };
        let whoever = match source {
            SourceName::Global => "everybody",
            _ => "whoever has this source",
        };
        let mut message = match why {
            Why::Repeated => format!("`{what}` occurs here a second time"),
            Why::Overridden => {
                format!("nearer statements of this source decide all that `{what}` matches")
            }
            Why::SaidBesides => {
                format!(
                    "other statements of this source already decide the same for all that `{what}` matches"
                )
            }
            Why::SaidBeneath if !matches!(stated, Stated::Permissions(_)) => {
                format!("{beneath} says the same of `{what}`")
            }
            Why::SaidBeneath => {
                format!("{beneath} says the same of what `{what}` matches")
            }
            Why::Forbidden => format!("what `{what}` matches is forbidden to {whoever}"),
            Why::NeverGranted => format!("nobody is granted what `{what}` matches"),
            Why::NeverEffective => {
                format!(
                    "nobody can hold what `{what}` matches, because something that it answers to can't be held"
                )
            }
            Why::NothingToDeny => {
                format!("what `{what}` matches would not be granted anyway")
            }
            Why::Unchecked => format!("no permission that anybody can hold checks `{what}`"),
        };
        match others {
            0 => {}
            1 => message.push_str(" (another user says the same)"),
            _ => message.push_str(&format!(" ({others} other users say the same)")),
        }
        let grants = match stated {
            Stated::Permissions(it) => matches!(it.effect, Effect::Allow | Effect::Level(_)),
            Stated::Bound(_) | Stated::Setting(_) => false,
        };
        let advice = if why == Why::NeverEffective && grants {
            "allow what it needs too, or leave it out"
        } else {
            "leave it out"
        };
        self.find_about(why.code(), place, message, advice, vec![what]);
    }
}

impl Why {
    fn code(self) -> Code {
        match self {
            Why::Repeated => Code::Repeated,
            Why::Overridden => Code::Overridden,
            Why::SaidBesides | Why::SaidBeneath => Code::Redundant,
            Why::Forbidden
            | Why::NeverGranted
            | Why::NeverEffective
            | Why::NothingToDeny
            | Why::Unchecked => Code::Idle,
        }
    }
}

/// The attributes that permissions in reach check.
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
    /// For each node, the current source's statements about it, the farthest first.
    matching: Vec<Vec<Saying>>,
}

impl<'p> Sources<'p> {
    fn catalogue(&self) -> &'p Catalogue {
        &self.policy.catalogue
    }

    /// The statements without effect of a source.
    fn useless<'s>(&mut self, source: Held<'s>) -> Vec<Useless<'s>> {
        let mut vain = Vec::new();
        self.permissions(source, &mut vain);
        self.bounds(source, &mut vain);
        self.settings(source, &mut vain);
        vain
    }

    fn permissions<'s>(&mut self, source: Held<'s>, vain: &mut Vec<Useless<'s>>) {
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

        let forbidden_beneath =
            |bit| beside.forbidden.contains(bit) || global.forbidden.contains(bit);
        let comes_to = |id: NodeId, said: Said| match said {
            Said::Nothing if forbidden_beneath(catalogue.node(id).bit) => Said::Deny,
            said => said,
        };
        self.weigh(&forbids, &BitSet::new(catalogue.bits()), comes_to, vain);

        let mut forbidden = Layer::of(statements, catalogue).forbidden;
        forbidden.union_with(&beside.forbidden);
        forbidden.union_with(&global.forbidden);
        let reach = self.reach;
        let comes_to = |id, said| comes_to_in(tier, reach, catalogue, &global, &beside, id, said);
        self.weigh(&competing, &forbidden, comes_to, vain);
    }

    /// Finds which of some statements, the farthest first, can be left out.
    fn weigh<'s>(
        &mut self,
        statements: &[Statement<'s>],
        forbidden: &BitSet,
        comes_to: impl Fn(NodeId, Said) -> Said,
        vain: &mut Vec<Useless<'s>>,
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
        // How many statements are left in each set of which one must stay.
        let mut left: Vec<u32> = Vec::new();
        for id in touched {
            let matching = std::mem::take(&mut self.matching[id as usize]);
            let Some(&(_, last)) = matching.last() else { continue };
            let decided = comes_to(id, last);
            let front =
                matching.iter().rev().take_while(|(_, said)| comes_to(id, *said) == decided);
            let front: Vec<u32> = front.map(|&(number, _)| number).collect();
            let beneath = front.len() == matching.len() && comes_to(id, Said::Nothing) == decided;
            for &number in &front {
                let of = &mut weighed[number as usize];
                of.decides = true;
                match beneath {
                    true => of.said_beneath |= decided != Said::Level(0),
                    false => of.sets.push(left.len() as u32),
                }
            }
            if !beneath {
                left.push(front.len() as u32);
            }
        }
        // The nearest first, so that farther statements, which cover more, stay.
        for (statement, of) in statements.iter().zip(&weighed).rev() {
            if of.sets.iter().any(|&set| left[set as usize] < 2) {
                continue;
            }
            of.sets.iter().for_each(|&set| left[set as usize] -= 1);
            let why = match of {
                Weighed { repeated: true, .. } => Why::Repeated,
                Weighed { touches: false, forbidden: true, .. } => Why::Forbidden,
                Weighed { touches: false, granted: true, .. } => Why::NeverEffective,
                Weighed { touches: false, .. } => Why::NeverGranted,
                Weighed { decides: false, .. } => Why::Overridden,
                Weighed { sets, .. } if !sets.is_empty() => Why::SaidBesides,
                Weighed { said_beneath: true, .. } => Why::SaidBeneath,
                _ => Why::NothingToDeny,
            };
            vain.push(Useless { stated: Stated::Permissions(*statement), why });
        }
    }

    fn bounds(&mut self, source: Held<'_>, vain: &mut Vec<Useless<'_>>) {
        let policy = self.policy;
        let limit = |attribute: AttributeId, bound: &Bound| {
            Limit::new(policy.catalogue.attribute_at(attribute).bound, bound)
        };
        let stated = |of: &'p Statements, attribute| {
            of.bound(attribute).map(|bound| limit(attribute, bound))
        };
        for &(attribute, ref bound) in &source.statements.bounds {
            let said_beneath = || match source.tier {
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
            let why = match self.checked.contains(&attribute) {
                false => Why::Unchecked,
                true if said_beneath() => Why::SaidBeneath,
                true => continue,
            };
            vain.push(Useless { stated: Stated::Bound(attribute), why });
        }
    }

    fn settings(&self, source: Held<'_>, vain: &mut Vec<Useless<'_>>) {
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
                vain.push(Useless { stated: Stated::Setting(*setting), why: Why::SaidBeneath });
            }
        }
    }

    /// The statements of all that a source includes.
    fn included(&self, source: Origin) -> Vec<&'p Statements> {
        let Origin::Shared(id) = source else { return Vec::new() };
        let sources = &self.policy.sources;
        sources.closure(&[id]).iter().skip(1).map(|&id| &sources[id].statements).collect()
    }
}

impl Reach {
    /// Whether statements about a permission can matter.
    fn matters(&self, catalogue: &Catalogue, id: NodeId) -> bool {
        let node = catalogue.node(id);
        // What has no effect itself may still imply what has.
        self.granted.contains(node.bit)
            && (self.effective.contains(node.bit) || !node.implies.is_empty())
    }
}

/// What `said`, a source's word on a permission, comes to for whoever has the
/// source: two that come to the same make no difference to anybody.
fn comes_to_in(
    tier: Tier,
    reach: &Reach,
    catalogue: &Catalogue,
    global: &Layer,
    beside: &Layer,
    id: NodeId,
    said: Said,
) -> Said {
    const NOTHING_GRANTED: Said = Said::Level(0);
    let node = catalogue.node(id);
    // Whether anything is said matters to the tiers beneath, and to implications.
    let implied = reach.implied.contains(node.bit);
    let never_common = !implied && !reach.common.contains(node.bit);
    match (tier, said) {
        (Tier::Global, Said::Nothing) if implied => Said::Nothing,
        (Tier::Profile, Said::Nothing) => {
            let said = global.said_of(node);
            comes_to_in(Tier::Global, reach, catalogue, global, beside, id, said)
        }
        (Tier::User, Said::Nothing) if !never_common => Said::Nothing,
        (Tier::Role, _) if never_common => NOTHING_GRANTED,
        (Tier::Role, said) => said.max(beside.said_of(node)),
        (_, Said::Nothing | Said::Deny) => NOTHING_GRANTED,
        (_, said) => said,
    }
}

/// What has been found out about a statement.
#[derive(Debug, Default)]
struct Weighed {
    repeated: bool,
    /// Whether it matches anything that matters.
    touches: bool,
    /// Whether it matches something that matters except that it is forbidden.
    forbidden: bool,
    /// Whether it matches something that is granted but does not matter.
    granted: bool,
    /// Whether it is at the front of the ranking of anything that it matches.
    decides: bool,
    /// Whether what lies beneath says the same, rather than merely granting as
    /// little.
    said_beneath: bool,
    /// The sets that it is in, of each of which one statement must stay.
    sets: Vec<u32>,
}

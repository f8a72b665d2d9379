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

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::{Code, Linter, Reach};
use crate::bits::BitSet;
use crate::catalogue::{AttributeId, Catalogue, NodeId, Pattern};
use crate::document::SettingValue;
use crate::engine::{Effect, Layer, Layers, Limit, Ranked, Said, distinct, ranked};
use crate::policy::{Inner, SourceId, SourceName, Statements};

/// The list of a source that contains a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum List {
    Allow,
    Deny,
    Forbid,
    Levels,
    Bounds,
    Settings,
}

/// A statement without effect: its position in its source, and why.
#[derive(Clone, Debug)]
struct Vain {
    list: List,
    at: usize,
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
        for (id, name, statements) in self.common() {
            for vain in sources.vain(id, statements) {
                self.report(&vain, &name, statements, 0);
            }
        }
        // Users' own statements mean the same whatever else they have.
        let mut alike: HashMap<&Statements, Vec<u32>, RandomState> = HashMap::default();
        let mut of_class: HashMap<u32, (u32, u32), RandomState> = HashMap::default();
        for (slot, ..) in policy.users.iter() {
            let class = policy.users.class_of(slot);
            of_class.entry(class).or_insert((slot, 0)).1 += 1;
        }
        for (class, of) in policy.users.classes() {
            if let Some(own) = of.statements.as_deref() {
                alike.entry(own).or_default().push(class);
            }
        }
        let mut owned: Vec<(u32, u32, &Statements)> = alike
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
            for vain in sources.vain(SourceId::Own, own) {
                self.report(&vain, &name, own, count - 1);
            }
        }
    }

    fn report(&mut self, vain: &Vain, source: &SourceName, statements: &Statements, others: u32) {
        let catalogue = self.catalogue();
        let Vain { list, at, why } = *vain;
        let (field, what) = match list {
            List::Allow => ("allow", statements.allow.get(at).map(|it| it.text(catalogue))),
            List::Deny => ("deny", statements.deny.get(at).map(|it| it.text(catalogue))),
            List::Forbid => ("forbid", statements.forbid.get(at).map(|it| it.text(catalogue))),
            List::Levels => ("levels", statements.levels.get(at).map(|it| it.0.text(catalogue))),
            List::Bounds => {
                let path = |id: AttributeId| catalogue.attribute_at(id).path.to_string();
                ("bounds", statements.bounds.get(at).map(|it| path(it.0)))
            }
            List::Settings => {
                let name = |id: u32| catalogue.settings.get_index(id as usize);
                let name = |id: u32| name(id).map(|(name, _)| name.to_string());
                ("settings", statements.settings.get(at).and_then(|it| name(it.0)))
            }
        };
        let what = what.unwrap_or_default();
        let place = match list {
            List::Levels | List::Bounds | List::Settings => {
                format!("{}.{field}.{what}", source.place())
            }
            _ => format!("{}.{field}[{at}]", source.place()),
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
            Why::SaidBeneath if list == List::Settings || list == List::Bounds => {
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
        let advice = match (why, list) {
            (Why::NeverEffective, List::Allow | List::Levels) => {
                "allow what it needs too, or leave it out"
            }
            _ => "leave it out",
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
fn checked(policy: &Inner, effective: &BitSet) -> HashSet<AttributeId, RandomState> {
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
    checked: HashSet<AttributeId, RandomState>,
    /// For each node, the current source's statements about it, the farthest first.
    matching: Vec<Vec<Saying>>,
}

impl<'p> Sources<'p> {
    fn catalogue(&self) -> &'p Catalogue {
        &self.policy.catalogue
    }

    /// The statements without effect of a source.
    fn vain(&mut self, source: SourceId, statements: &Statements) -> Vec<Vain> {
        let mut vain = Vec::new();
        self.permissions(source, statements, &mut vain);
        self.bounds(source, statements, &mut vain);
        self.settings(source, statements, &mut vain);
        vain
    }

    fn permissions(&mut self, source: SourceId, statements: &Statements, vain: &mut Vec<Vain>) {
        let catalogue = self.catalogue();
        let Statements { allow, deny, forbid, levels, .. } = statements;
        if allow.is_empty() && deny.is_empty() && forbid.is_empty() && levels.is_empty() {
            return;
        }
        let beside = match source {
            SourceId::Role(id) => self.layers.of_included(id),
            _ => Layer::new(catalogue.bits()),
        };
        let global = match source {
            SourceId::Global => Layer::new(catalogue.bits()),
            _ => self.layers.of_source(SourceId::Global).cloned().unwrap_or_else(|| beside.clone()),
        };

        let forbids: Vec<Statement> = (forbid.iter().enumerate())
            .map(|(at, &pattern)| Statement {
                list: List::Forbid,
                at,
                pattern,
                effect: Effect::Deny,
            })
            .collect();
        let forbidden_beneath =
            |bit| beside.forbidden.contains(bit) || global.forbidden.contains(bit);
        let comes_to = |id: NodeId, said: Said| match said {
            Said::Nothing if forbidden_beneath(catalogue.node(id).bit) => Said::Deny,
            said => said,
        };
        self.weigh(&forbids, &BitSet::new(catalogue.bits()), comes_to, vain);

        let mut forbidden = Layer::new(catalogue.bits()).forbidden;
        for bits in distinct(forbid).iter().flat_map(|pattern| pattern.ranges(catalogue)) {
            forbidden.insert_range(bits);
        }
        forbidden.union_with(&beside.forbidden);
        forbidden.union_with(&global.forbidden);
        let said: Vec<Statement> =
            ranked(statements, catalogue).into_iter().map(Into::into).collect();
        let reach = self.reach;
        let comes_to = |id, said| comes_to_in(source, reach, catalogue, &global, &beside, id, said);
        self.weigh(&said, &forbidden, comes_to, vain);
    }

    /// Finds which of some statements, the farthest first, can be left out.
    fn weigh(
        &mut self,
        statements: &[Statement<'_>],
        forbidden: &BitSet,
        comes_to: impl Fn(NodeId, Said) -> Said,
        vain: &mut Vec<Vain>,
    ) {
        let catalogue = self.catalogue();
        let mut weighed: Vec<Weighed> = Vec::with_capacity(statements.len());
        let mut seen: HashSet<(List, Pattern), RandomState> = HashSet::default();
        let mut touched: Vec<NodeId> = Vec::new();
        for (number, statement) in (0..).zip(statements) {
            let mut of = Weighed::default();
            if seen.insert((statement.list, statement.pattern)) {
                statement.each(catalogue, |id, said| {
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
                });
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
            vain.push(Vain { list: statement.list, at: statement.at, why });
        }
    }

    fn bounds(&mut self, source: SourceId, statements: &Statements, vain: &mut Vec<Vain>) {
        let policy = self.policy;
        let limit = |&(attribute, ref bound): &(AttributeId, _)| {
            Limit::new(policy.catalogue.attribute_at(attribute).bound, bound)
        };
        let stated = |of: &'p Statements, attribute| {
            of.bounds.iter().find(|(known, _)| *known == attribute).map(limit)
        };
        for (at, bound) in statements.bounds.iter().enumerate() {
            let said_beneath = || match source {
                SourceId::Profile(_) => stated(&policy.global, bound.0) == Some(limit(bound)),
                SourceId::Role(id) => {
                    let included = (policy.closure(&[id]).into_iter().skip(1))
                        .filter_map(|id| stated(&policy.roles[id].source.statements, bound.0));
                    Limit::any_of(included).is_some_and(|joined| {
                        let mut more = joined.clone();
                        more.join(limit(bound));
                        more == joined
                    })
                }
                _ => false,
            };
            let why = match self.checked.contains(&bound.0) {
                false => Why::Unchecked,
                true if said_beneath() => Why::SaidBeneath,
                true => continue,
            };
            vain.push(Vain { list: List::Bounds, at, why });
        }
    }

    fn settings(&self, source: SourceId, statements: &Statements, vain: &mut Vec<Vain>) {
        let policy = self.policy;
        for (at, (setting, value)) in statements.settings.iter().enumerate() {
            // Stating the default keeps it, even if the catalogue's changes some
            // day.
            let said: Option<&SettingValue> = match source {
                SourceId::Profile(_) => policy.global.setting(*setting),
                // Without it, the next role in the order decides.
                SourceId::Role(id) => (policy.closure(&[id]).into_iter().skip(1))
                    .find_map(|id| policy.roles[id].source.statements.setting(*setting)),
                SourceId::Global | SourceId::ApprovalGroup(_) | SourceId::Own => None,
            };
            if said == Some(value) {
                vain.push(Vain { list: List::Settings, at, why: Why::SaidBeneath });
            }
        }
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
    source: SourceId,
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
    match (source, said) {
        (SourceId::Global, Said::Nothing) if implied => Said::Nothing,
        (SourceId::Profile(_), Said::Nothing) => {
            let said = global.said_of(node);
            comes_to_in(SourceId::Global, reach, catalogue, global, beside, id, said)
        }
        (SourceId::Own, Said::Nothing) if !never_common => Said::Nothing,
        (SourceId::Role(_) | SourceId::ApprovalGroup(_), _) if never_common => NOTHING_GRANTED,
        (SourceId::Role(_) | SourceId::ApprovalGroup(_), said) => said.max(beside.said_of(node)),
        (_, Said::Nothing | Said::Deny) => NOTHING_GRANTED,
        (_, said) => said,
    }
}

/// A statement about permissions.
#[derive(Clone, Copy, Debug)]
struct Statement<'s> {
    list: List,
    at: usize,
    pattern: Pattern,
    effect: Effect<'s>,
}

impl<'s> From<Ranked<'s>> for Statement<'s> {
    fn from(ranked: Ranked<'s>) -> Statement<'s> {
        let Ranked { effect, pattern, at, .. } = ranked;
        let list = match effect {
            Effect::Allow => List::Allow,
            Effect::Level(_) => List::Levels,
            Effect::Deny => List::Deny,
        };
        Statement { list, at, pattern, effect }
    }
}

impl Statement<'_> {
    /// Calls back with what it says of each permission that it matches.
    fn each(&self, catalogue: &Catalogue, mut say: impl FnMut(NodeId, Said)) {
        if let Effect::Level(level) = self.effect {
            for (id, level) in self.pattern.graded(level, catalogue) {
                say(id, Said::Level(level as u32));
            }
            return;
        }
        for bit in self.pattern.ranges(catalogue).flatten() {
            let id = catalogue.id_of(bit);
            let node = catalogue.node(id);
            if node.bit == bit && catalogue.grantable.contains(bit) {
                let allowed = Said::Level(node.width());
                say(id, if self.effect == Effect::Allow { allowed } else { Said::Deny });
            }
        }
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

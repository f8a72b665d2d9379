//! The rules once more, for one user and one permission at a time.
//!
//! What the engine settles for all permissions at once, on bits, is worked out
//! here from the statements, and only for what the question leads to. Nothing
//! is shared with the compiled rows, so that each exposes mistakes in the other.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::catalogue::{AttributeId, Bit, Catalogue, Form, Link, NodeId, Pattern};
use crate::date::Date;
use crate::engine::Limit;
use crate::object::{Asker, Object, Subject, Value};
use crate::policy::{Class, Held, Holder, Inner, Origin};
use crate::reason::Reason;
use crate::relation::RelationState;

/// The list of a source that contains a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum List {
    Allow,
    Deny,
    Forbid,
    Levels,
}

/// What a statement does, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    Deny,
    /// Grants that level; 1 for a permission that is not graded.
    Level(u32),
}

/// A statement about a permission.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stated {
    /// The source, by its position among the user's.
    pub(super) source: usize,
    pub(super) list: List,
    /// Its position in the list.
    pub(super) at: usize,
    pub(super) pattern: Pattern,
    pub(super) effect: Effect,
    /// Whether it is one of those that decide.
    pub(super) decides: bool,
}

/// From this many permissions on, it pays to note the positions of patterns.
const MANY: usize = 32;

/// What is said of a permission, and what that grants before any gate.
#[derive(Debug, Default)]
pub(super) struct Grant {
    /// The node itself, or one above it, whose feature is not licensed.
    pub(super) unlicensed: Option<NodeId>,
    pub(super) forbids: Vec<Stated>,
    /// The nearest statement of each source, the more general tier first.
    pub(super) stated: Vec<Stated>,
    pub(super) said: Option<Effect>,
    /// The level that is granted, 0 for none.
    pub(super) level: u32,
    /// Where nothing is said of it, what implied it first.
    pub(super) implied_by: Option<NodeId>,
}

impl Grant {
    /// Whether an implication can grant it.
    pub(super) fn is_open(&self) -> bool {
        self.said.is_none() && self.forbids.is_empty() && self.unlicensed.is_none()
    }
}

/// What is supposed to differ from what the policy and the object say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Supposed {
    pub(super) features: Vec<Box<str>>,
    /// Patterns that sources other than the user's own no longer list.
    pub(super) lifted: Vec<(Origin, List, Pattern)>,
    pub(super) relations: Vec<(u32, RelationState)>,
}

impl Supposed {
    /// No difference.
    pub(super) const NOTHING: Supposed =
        Supposed { features: Vec::new(), lifted: Vec::new(), relations: Vec::new() };
}

/// What becomes of an effective permission on the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OnObject {
    Allowed,
    NoScope,
    OutOfBounds,
    /// By something that it answers to.
    Gated(Link, Bit),
}

/// One user, and one object or none, walked through as far as was asked.
pub(super) struct Walk<'a, O: ?Sized> {
    pub(super) policy: &'a Inner,
    holder: Holder<'a>,
    pub(super) user: &'a Class,
    supposed: &'a Supposed,
    pub(super) object: Option<&'a O>,
    pub(super) today: Option<Date>,
    /// The user's sources, the more general first.
    pub(super) sources: Vec<Held<'a>>,
    grants: HashMap<NodeId, Grant, RandomState>,
    /// The round in which each permission fell; `None` if it is effective.
    settled: HashMap<NodeId, Option<u32>, RandomState>,
    round: u32,
    on_object: HashMap<NodeId, OnObject, RandomState>,
    /// The positions of patterns in the sources' lists, once that pays.
    places: HashMap<(usize, List, Pattern), usize, RandomState>,
}

impl<'a, O: Object + ?Sized> Walk<'a, O> {
    pub(super) fn new(
        policy: &'a Inner,
        holder: Holder<'a>,
        supposed: &'a Supposed,
        object: Option<&'a O>,
        today: Option<Date>,
    ) -> Walk<'a, O> {
        Walk {
            policy,
            holder,
            user: holder.class,
            supposed,
            object,
            today,
            sources: policy.sources_of(holder.class).collect(),
            grants: HashMap::default(),
            settled: HashMap::default(),
            round: 0,
            on_object: HashMap::default(),
            places: HashMap::default(),
        }
    }

    pub(super) fn catalogue(&self) -> &'a Catalogue {
        &self.policy.catalogue
    }

    /// The reason for the answer about a permission at some level.
    pub(super) fn reason(&mut self, bit: Bit) -> Reason {
        if self.user.suspended {
            return Reason::Suspended;
        }
        let held = self.held(bit);
        if held != Reason::Granted {
            return held;
        }
        let id = self.catalogue().id_of(bit);
        let Some(kind) = self.catalogue().node(id).kind else {
            return Reason::Granted;
        };
        let Some(object) = self.object else {
            return match self.needs_object(id) {
                true => Reason::ObjectRequired,
                false => Reason::Granted,
            };
        };
        match self.catalogue().kinds.get_index(kind as usize) {
            Some((name, _)) if **name == *object.kind() => self.allowed(id),
            _ => Reason::WrongKind,
        }
    }

    /// Rules 1 to 6: whether a permission is held, whatever the object. For a
    /// scoped node, the scope that came furthest is reported.
    pub(super) fn held(&mut self, bit: Bit) -> Reason {
        let id = self.catalogue().id_of(bit);
        if let Form::Scoped(_) = self.catalogue().node(id).form {
            return self.furthest_scope(id).map_or(Reason::NotGranted, |(_, reason)| reason);
        }
        let level = self.level_of(bit);
        let admin = self.user.admin;
        let grant = self.grant(id);
        if grant.unlicensed.is_some() {
            Reason::Unlicensed
        } else if admin {
            Reason::Admin
        } else if !grant.forbids.is_empty() {
            Reason::Forbidden
        } else if grant.said == Some(Effect::Deny) {
            Reason::Denied
        } else if grant.level < level {
            Reason::NotGranted
        } else if self.fell(id).is_some() {
            Reason::Gated
        } else {
            Reason::Granted
        }
    }

    /// The scope of a scoped node that came furthest, and how far.
    pub(super) fn furthest_scope(&mut self, id: NodeId) -> Option<(NodeId, Reason)> {
        let scopes: Vec<NodeId> = self.catalogue().scopes(id).collect();
        let reasons = scopes.into_iter().map(|id| {
            let bit = self.catalogue().node(id).bit;
            (id, self.held(bit))
        });
        reasons.max_by_key(|&(_, reason)| reason as u8)
    }

    /// Which level of its node a bit is: 1, or more for a graded one.
    pub(super) fn level_of(&self, bit: Bit) -> u32 {
        self.catalogue().node_of(bit).level_of(bit)
    }

    // Rules 1 to 4: what is said and granted.

    /// What is said of a grantable permission, implications included.
    pub(super) fn grant(&mut self, id: NodeId) -> &Grant {
        if !self.grants.contains_key(&id) {
            if self.grants.len() >= MANY && self.places.is_empty() {
                self.note_places();
            }
            self.load(id);
        }
        self.grants.entry(id).or_default()
    }

    /// Works out a permission and all that could imply it.
    fn load(&mut self, id: NodeId) {
        let catalogue = self.catalogue();
        let mut region = vec![id];
        self.grants.insert(id, self.stated(id));
        let mut places = 0..;
        let mut spread: Vec<NodeId> = Vec::new();
        while let Some(&id) = places.next().and_then(|at| region.get(at)) {
            let grant = self.grants.entry(id).or_default();
            if grant.level > 0 {
                spread.push(id);
            }
            if !grant.is_open() {
                continue;
            }
            for &by in catalogue.dependents(id) {
                let implies = &catalogue.node(by).implies;
                if !implies.iter().any(|&bit| catalogue.id_of(bit) == id) {
                    continue;
                }
                match self.grants.get(&by) {
                    Some(known) if known.level > 0 => spread.push(by),
                    Some(_) => {}
                    None => {
                        self.grants.insert(by, self.stated(by));
                        region.push(by);
                    }
                }
            }
        }
        while let Some(by) = spread.pop() {
            for &bit in &catalogue.node(by).implies {
                let (id, level) = (catalogue.id_of(bit), self.level_of(bit));
                let Some(grant) = self.grants.get_mut(&id) else { continue };
                if !grant.is_open() || grant.level >= level {
                    continue;
                }
                if grant.level == 0 {
                    grant.implied_by = Some(by);
                    spread.push(id);
                }
                grant.level = level;
            }
        }
    }

    /// The effort so far, in matches of a pattern against a permission.
    pub(super) fn effort(&self) -> usize {
        let patterns = |source: &Held<'_>| {
            let said = source.statements;
            let lists = [said.allow.len(), said.deny.len(), said.forbid.len(), said.levels.len()];
            lists.into_iter().fold(1usize, usize::saturating_add)
        };
        let patterns = self.sources.iter().map(patterns).fold(4, usize::saturating_add);
        let looked_at = self.grants.len().saturating_add(self.settled.len());
        let looked_at = looked_at.saturating_add(self.on_object.len());
        match self.places.is_empty() {
            true => looked_at.saturating_mul(patterns),
            // Finding a pattern takes as long as looking at several.
            false => {
                let finding = self.sources.len().saturating_mul(64);
                patterns.saturating_mul(16).saturating_add(looked_at.saturating_mul(finding))
            }
        }
    }

    /// A source of the user, by its position.
    pub(super) fn source_of(&self, at: usize) -> Origin {
        // `Stated::source` is a position in `sources`, which never changes.
        self.sources.get(at).map_or(Origin::Own, |source| source.origin)
    }

    /// The patterns of a list of a source, in order.
    fn patterns(&self, source: usize, list: List) -> impl Iterator<Item = Pattern> + use<'a, O> {
        let said = self.sources.get(source).map(|source| source.statements);
        let (patterns, levels) = match (said, list) {
            (None, _) => (&[][..], &[][..]),
            (Some(said), List::Allow) => (&*said.allow, &[][..]),
            (Some(said), List::Deny) => (&*said.deny, &[][..]),
            (Some(said), List::Forbid) => (&*said.forbid, &[][..]),
            (Some(said), List::Levels) => (&[][..], &*said.levels),
        };
        patterns.iter().copied().chain(levels.iter().map(|(pattern, _)| *pattern))
    }

    /// The patterns of a list of a source that match a permission, each with its
    /// position: the first, if it is repeated.
    fn matching(&self, id: NodeId, source: usize, list: List) -> Vec<(usize, Pattern)> {
        let catalogue = self.catalogue();
        let mut matching: Vec<(usize, Pattern)> = Vec::new();
        if self.places.is_empty() {
            for (at, pattern) in self.patterns(source, list).enumerate() {
                if pattern.matches(id, catalogue)
                    && !matching.iter().any(|(_, known)| *known == pattern)
                {
                    matching.push((at, pattern));
                }
            }
            return matching;
        }
        for pattern in Pattern::all_that_match(id, catalogue) {
            let place = self.places.get(&(source, list, pattern));
            matching.extend(place.map(|&at| (at, pattern)));
        }
        matching.sort_unstable();
        matching
    }

    /// Notes the position of each pattern: for many permissions, that is less work
    /// than looking through all patterns for each.
    fn note_places(&mut self) {
        for source in 0..self.sources.len() {
            for list in [List::Allow, List::Deny, List::Forbid, List::Levels] {
                for (at, pattern) in self.patterns(source, list).enumerate() {
                    self.places.entry((source, list, pattern)).or_insert(at);
                }
            }
        }
    }

    /// What the user's sources say of a permission.
    fn stated(&self, id: NodeId) -> Grant {
        let catalogue = self.catalogue();
        let mut grant = Grant { unlicensed: self.unlicensed(id), ..Grant::default() };
        for (source, &Held { origin, statements, .. }) in self.sources.iter().enumerate() {
            let matching = |list: List| {
                let mut matching = self.matching(id, source, list);
                matching.retain(|&(_, pattern)| {
                    !self.supposed.lifted.contains(&(origin, list, pattern))
                });
                matching
            };
            let stated = |list, effect: Effect| {
                move |(at, pattern): (usize, Pattern)| Stated {
                    source,
                    list,
                    at,
                    pattern,
                    effect,
                    decides: false,
                }
            };
            let forbids = matching(List::Forbid);
            grant.forbids.extend(forbids.into_iter().map(stated(List::Forbid, Effect::Deny)));

            let node = catalogue.node(id);
            let (highest, levels) = match &node.form {
                Form::Graded(levels) => (node.width(), &**levels),
                _ => (1, &[][..]),
            };
            let mut said: Vec<Stated> = Vec::new();
            let allow = matching(List::Allow).into_iter();
            said.extend(allow.map(stated(List::Allow, Effect::Level(highest))));
            let deny = matching(List::Deny).into_iter();
            said.extend(deny.map(stated(List::Deny, Effect::Deny)));
            for (at, pattern) in self.matching(id, source, List::Levels) {
                let level = statements.levels.get(at).map(|(_, level)| level);
                if let Some(level) = levels.iter().position(|known| Some(known) == level) {
                    let effect = Effect::Level(level as u32);
                    said.push(stated(List::Levels, effect)((at, pattern)));
                }
            }
            // The nearest wins; on a tie, the lowest.
            let nearness = |stated: &Stated| stated.pattern.nearness(catalogue);
            let nearest = said.iter().map(nearness).max();
            let of_nearest = said.into_iter().filter(|stated| Some(nearness(stated)) == nearest);
            grant.stated.extend(of_nearest.min_by_key(|stated| stated.effect));
        }
        // The most specific tier that says anything decides: in the role tier by
        // any deny, else by the most generous statement.
        let tier_of = |stated: &Stated| self.sources.get(stated.source).map(|source| source.tier);
        let decisive = grant.stated.last().and_then(tier_of);
        let in_tier = |stated: &Stated| tier_of(stated) == decisive;
        let effects = || grant.stated.iter().filter(|stated| in_tier(stated));
        grant.said = match effects().any(|stated| stated.effect == Effect::Deny) {
            true => Some(Effect::Deny),
            false => effects().map(|stated| stated.effect).max(),
        };
        for stated in &mut grant.stated {
            stated.decides = in_tier(stated) && Some(stated.effect) == grant.said;
        }
        if let (Some(Effect::Level(level)), true) =
            (grant.said, grant.forbids.is_empty() && grant.unlicensed.is_none())
        {
            grant.level = level;
        }
        grant
    }

    /// The node whose feature is missing for a permission to exist.
    pub(super) fn unlicensed(&self, id: NodeId) -> Option<NodeId> {
        let mut next = Some(id);
        while let Some(id) = next {
            let node = self.catalogue().node(id);
            if node.feature.as_deref().is_some_and(|feature| !self.is_licensed(feature)) {
                return Some(id);
            }
            next = node.above;
        }
        None
    }

    fn is_licensed(&self, feature: &str) -> bool {
        self.policy.is_licensed(feature)
            || self.supposed.features.iter().any(|known| **known == *feature)
    }

    // Rule 5: which of that is effective.

    /// What a permission needs to be effective: its gate parent, what it
    /// requires and what it implies, unlicensed ones aside.
    pub(super) fn needs(&self, id: NodeId) -> Vec<(Link, Bit)> {
        let catalogue = self.catalogue();
        let node = catalogue.node(id);
        let implied =
            node.implies.iter().filter(|&&bit| self.unlicensed(catalogue.id_of(bit)).is_none());
        self.gates(id).chain(implied.map(|&bit| (Link::Implies, bit))).collect()
    }

    /// Its gate parent and what it requires.
    fn gates(&self, id: NodeId) -> impl Iterator<Item = (Link, Bit)> + use<'a, O> {
        let catalogue = self.catalogue();
        let node = catalogue.node(id);
        let parent = node.gate.map(|gate| (Link::Parent, catalogue.node(gate).bit));
        parent.into_iter().chain(node.requires.iter().map(|&bit| (Link::Requires, bit)))
    }

    /// The round in which a permission fell, if it is not effective: 0 if it is
    /// not granted, else later than something that it needs.
    pub(super) fn fell(&mut self, id: NodeId) -> Option<u32> {
        if !self.settled.contains_key(&id) {
            self.settle(id);
        }
        self.settled.get(&id).copied().flatten()
    }

    /// Whether a permission is effective at the level needed.
    pub(super) fn is_effective(&mut self, bit: Bit) -> bool {
        let id = self.catalogue().id_of(bit);
        self.fell(id).is_none() && self.reaches(bit)
    }

    /// Whether what is granted of a permission reaches the level needed.
    fn reaches(&mut self, bit: Bit) -> bool {
        let id = self.catalogue().id_of(bit);
        match self.catalogue().node(id).form {
            Form::Scoped(_) => true,
            _ => self.grant(id).level >= self.level_of(bit),
        }
    }

    /// Finds the largest set in which all gates hold, of a permission and all that
    /// it leads to: what fails falls, round by round, until nothing does.
    fn settle(&mut self, id: NodeId) {
        let catalogue = self.catalogue();
        let mut all = Vec::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if self.settled.contains_key(&id) {
                continue;
            }
            all.push(id);
            self.settled.insert(id, None);
            open.extend(catalogue.scopes(id));
            if catalogue.scopes(id).is_empty() {
                let needs = self.needs(id).into_iter();
                open.extend(needs.map(|(_, bit)| catalogue.id_of(bit)));
            }
        }
        for &id in &all {
            let scopes = catalogue.scopes(id);
            let granted = match scopes.is_empty() {
                true => self.grant(id).level > 0,
                false => scopes.into_iter().any(|scope| self.grant(scope).level > 0),
            };
            if !granted {
                self.settled.insert(id, Some(0));
            }
        }
        let mut unsure = all;
        while !unsure.is_empty() {
            // A round fells something or is the last.
            self.round = self.round.saturating_add(1);
            let standing = |walk: &Self, id: NodeId| walk.settled.get(&id) == Some(&None);
            unsure.retain(|&id| standing(self, id));
            let fallen: Vec<NodeId> = unsure
                .into_iter()
                .filter(|&id| match catalogue.scopes(id) {
                    scopes if !scopes.is_empty() => {
                        !scopes.into_iter().any(|scope| standing(self, scope))
                    }
                    _ => self.needs(id).into_iter().any(|(_, bit)| {
                        let need = catalogue.id_of(bit);
                        !standing(self, need) || !self.reaches(bit)
                    }),
                })
                .collect();
            unsure = Vec::new();
            for &id in &fallen {
                self.settled.insert(id, Some(self.round));
            }
            for id in fallen {
                unsure.extend(catalogue.dependents(id));
                if let Form::Scope(of, _) = catalogue.node(id).form {
                    unsure.push(of);
                }
            }
            unsure.sort_unstable();
            unsure.dedup();
        }
    }

    /// All that a fallen permission needs and that is not effective, in the order
    /// in which it fell: the first was not granted, or fell before the permission.
    pub(super) fn failing(&mut self, id: NodeId) -> Vec<(Link, Bit)> {
        let mut failing = self.needs(id);
        failing.retain(|&(_, bit)| !self.is_effective(bit));
        failing.sort_by_key(|&(_, bit)| match self.reaches(bit) {
            true => self.fell(self.catalogue().id_of(bit)),
            false => None,
        });
        failing
    }

    // Rule 7: what is allowed on the object.

    /// Whether a permission on a kind depends on the object: it, or one of the
    /// same kind that it answers to, has scopes or checks.
    fn needs_object(&self, id: NodeId) -> bool {
        let catalogue = self.catalogue();
        let kind = catalogue.node(id).kind;
        let mut seen: Vec<NodeId> = Vec::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if seen.contains(&id) {
                continue;
            }
            seen.push(id);
            let node = catalogue.node(id);
            let split = matches!(node.form, Form::Scoped(_) | Form::Scope(..));
            if node.kind == kind && (split || self.checks(id).next().is_some()) {
                return true;
            }
            open.extend(self.followed(id).map(|(_, bit)| catalogue.id_of(bit)));
            for scope in catalogue.scopes(id) {
                let own = self.own_requirements(scope);
                open.extend(own.map(|(_, bit)| catalogue.id_of(bit)));
            }
        }
        false
    }

    /// The attributes that a permission checks, its kind's first.
    pub(super) fn checks(&self, id: NodeId) -> impl Iterator<Item = AttributeId> + use<'a, O> {
        let catalogue = self.catalogue();
        let node = catalogue.node(id);
        let of_kind = node.kind.map(|kind| &*catalogue.kind(kind).checks);
        let of_kind = of_kind.unwrap_or_default();
        let own = node.checks.iter().filter(|check| !of_kind.contains(check));
        of_kind.iter().chain(own).copied()
    }

    /// Those of its gates that are followed on an object: a single required scope
    /// need only be effective.
    fn followed(&self, id: NodeId) -> impl Iterator<Item = (Link, Bit)> + use<'a, O> {
        let catalogue = self.catalogue();
        let node = catalogue.node(id);
        let parent = node.gate.map(|gate| (Link::Parent, catalogue.node(gate).bit));
        let required = node.requires.iter().map(|&bit| (Link::Requires, bit));
        parent.into_iter().chain(required).filter(|&(_, bit)| is_followed(catalogue, bit))
    }

    fn own_requirements(&self, scope: NodeId) -> impl Iterator<Item = (Link, Bit)> + use<'a, O> {
        let catalogue = self.catalogue();
        let own = catalogue.node(scope).requirements().0.iter();
        own.map(|&bit| (Link::Requires, bit)).filter(|&(_, bit)| is_followed(catalogue, bit))
    }

    /// The effective scopes of a scoped node, or a single scope if effective.
    pub(super) fn effective_scopes(&mut self, id: NodeId) -> Vec<NodeId> {
        let scopes = self.catalogue().scopes_or_itself(id);
        scopes.filter(|&scope| self.fell(scope).is_none()).collect()
    }

    /// Why an effective permission is, or is not, allowed on the object.
    fn allowed(&mut self, id: NodeId) -> Reason {
        match self.on_object(id) {
            OnObject::Allowed => Reason::Granted,
            OnObject::NoScope => Reason::NoScope,
            OnObject::OutOfBounds => Reason::OutOfBounds,
            OnObject::Gated(..) => Reason::Gated,
        }
    }

    /// What an effective permission is gated by on the object.
    pub(super) fn gated_on_object(&mut self, id: NodeId) -> Option<(Link, Bit)> {
        match self.on_object(id) {
            OnObject::Gated(link, bit) => Some((link, bit)),
            _ => None,
        }
    }

    /// Why a permission that another one answers to is, or is not, allowed.
    pub(super) fn reason_on_object(&mut self, bit: Bit) -> Reason {
        match self.held(bit) {
            Reason::Granted => self.allowed(self.catalogue().id_of(bit)),
            held => held,
        }
    }

    fn on_object(&mut self, id: NodeId) -> OnObject {
        // What it answers to comes first; on our own stack, as the chain may be
        // long.
        let mut open = vec![id];
        while let Some(&id) = open.last() {
            if self.on_object.contains_key(&id) {
                open.pop();
                continue;
            }
            let before = open.len();
            let scopes = self.effective_scopes(id).into_iter();
            let own = scopes.flat_map(|scope| self.own_requirements(scope));
            for (_, bit) in self.followed(id).chain(own) {
                let need = self.catalogue().id_of(bit);
                if !self.on_object.contains_key(&need) {
                    open.push(need);
                }
            }
            if open.len() == before {
                let verdict = self.judge(id);
                self.on_object.insert(id, verdict);
                open.pop();
            }
        }
        self.on_object.get(&id).copied().unwrap_or(OnObject::NoScope)
    }

    /// Judges an effective permission once all that it answers to is judged.
    fn judge(&mut self, id: NodeId) -> OnObject {
        let node = self.catalogue().node(id);
        let has_scopes = matches!(node.form, Form::Scoped(_) | Form::Scope(..));
        let mut scopes = self.effective_scopes(id);
        // An object of another kind is asked nothing, but gates are followed.
        if self.is_on_kind(id) {
            scopes.retain(|&scope| self.matches(scope));
            if has_scopes && scopes.is_empty() {
                return OnObject::NoScope;
            }
            if !self.checks(id).all(|check| self.passes(check)) {
                return OnObject::OutOfBounds;
            }
        }
        let mut closed = None;
        for &scope in &scopes {
            let Some(gate) = self.closed_by(scope) else {
                closed = None;
                break;
            };
            closed = closed.or(Some(gate));
        }
        let gate = closed.or_else(|| self.gated_by(id));
        gate.map_or(OnObject::Allowed, |(link, bit)| OnObject::Gated(link, bit))
    }

    /// What an effective scope itself requires and is not allowed, once all that
    /// it answers to is judged.
    pub(super) fn closed_by(&mut self, scope: NodeId) -> Option<(Link, Bit)> {
        self.own_requirements(scope).find(|&(_, bit)| !self.is_allowed(bit))
    }

    /// What else an effective permission answers to and is not allowed, once all
    /// of that is judged.
    pub(super) fn gated_by(&mut self, id: NodeId) -> Option<(Link, Bit)> {
        self.followed(id).find(|&(_, bit)| !self.is_allowed(bit))
    }

    fn is_allowed(&mut self, bit: Bit) -> bool {
        let id = self.catalogue().id_of(bit);
        self.is_effective(bit) && self.on_object.get(&id) == Some(&OnObject::Allowed)
    }

    /// Whether a permission is on the object's kind.
    pub(super) fn is_on_kind(&self, id: NodeId) -> bool {
        let kinds = &self.catalogue().kinds;
        let kind = self.catalogue().node(id).kind;
        let kind = kind.and_then(|kind| kinds.get_index(kind as usize));
        kind.is_some_and(|(kind, _)| self.object.is_some_and(|object| **kind == *object.kind()))
    }

    /// Whether the object's relations are in the states that a scope accepts.
    pub(super) fn matches(&self, scope: NodeId) -> bool {
        let node = self.catalogue().node(scope);
        let (Form::Scope(_, when), Some(kind)) = (&node.form, node.kind) else {
            return false;
        };
        when.iter().all(|&(relation, accepted)| {
            let state = self.state(kind, relation);
            state.is_some_and(|state| accepted.accepts(state))
        })
    }

    /// The state of a relation of the object.
    pub(super) fn state(&self, kind: u32, relation: u32) -> Option<RelationState> {
        let supposed = self.supposed.relations.iter().find(|(known, _)| *known == relation);
        if let Some(&(_, state)) = supposed {
            return Some(state);
        }
        let relations = &self.catalogue().kind(kind).relations;
        let (name, &of) = relations.get_index(relation as usize)?;
        let asker = &Asking { policy: self.policy, holder: self.holder };
        self.object?.relation(name, &Subject { asker, relation: of })
    }

    /// Whether the object's attribute is within the user's bound.
    pub(super) fn passes(&self, check: AttributeId) -> bool {
        let of = self.catalogue().attribute_at(check).bound;
        let bounds = self.policy.bounds_of(self.user, check);
        let mut limits = bounds.map(|(_, bound)| Limit::new(of, bound));
        limits.any(|limit| limit.passes(self.value(check), self.today))
    }

    pub(super) fn value(&self, check: AttributeId) -> Option<Value<'a>> {
        self.object?.attribute(&self.catalogue().attribute_at(check).name)
    }
}

/// A single required scope need only be effective.
fn is_followed(catalogue: &Catalogue, bit: Bit) -> bool {
    !matches!(catalogue.node_of(bit).form, Form::Scope(..))
}

/// The user who asks.
struct Asking<'a> {
    policy: &'a Inner,
    holder: Holder<'a>,
}

impl Asker for Asking<'_> {
    fn name(&self) -> &str {
        self.holder.name
    }
    fn belongs(&self, group: &str) -> bool {
        self.policy.groups.is_beneath(group, self.holder.groups)
    }
}

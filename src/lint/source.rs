//! Finds unused and equal sources, and denials that miss their aim.

use std::cmp::Ordering;
use std::collections::hash_map::Entry;

use super::{Code, Linter, Stated};
use crate::catalogue::{Bit, Form, Node, NodeId, Reach};
use crate::engine::{Layer, Layers};
use crate::ids::{ClassId, SourceId, each};
use crate::names::{HashMap, HashSet};
use crate::policy::{
    Effect, Said, Source, SourceName, Statement, StatementIndex, Statements, Tier,
};
use crate::problem::quoted;

impl<'p> Linter<'p> {
    /// Reports unused sources, equal sources, admins with a profile, and denials that
    /// reach less or more far than they seem to.
    pub(super) fn sources(&mut self) {
        self.unused();
        self.same();
        self.admins();
        for Stated { place, held, .. } in self.stated {
            self.passed_headings(place, held.statements);
        }
        self.silences();
    }

    fn unused(&mut self) {
        let policy = self.policy;
        if policy.users.len() == 0 {
            return;
        }
        let mut used: HashSet<SourceId> = HashSet::default();
        used.extend(policy.default_profile);
        used.extend(policy.users.classes().flat_map(|(_, class)| &class.sources));
        used.extend(policy.users.capacities().flat_map(|(_, it)| &it.own.sources));
        for (.., source) in policy.sources.iter() {
            used.extend(source.includes.iter().copied().chain(source.demoted_to));
        }
        for (id, name, source) in self.common().filter(|(id, ..)| *id != SourceId::GLOBAL) {
            if !source.template && !used.contains(&id) {
                let message = format!("no user has {name}");
                let advice = "give it to somebody, or delete it";
                self.find(Code::Unused, name.place(), message, advice, Vec::new());
            }
        }
    }

    fn same(&mut self) {
        let mut first: HashMap<_, SourceName> = HashMap::default();
        for (id, name, source) in self.common() {
            let Source { kind, template, unique, ref includes, ref statements, .. } = *source;
            // A source without statements is a name to assign, or a starting point.
            let is_name = statements.is_empty() && includes.is_empty();
            if id == SourceId::GLOBAL || template || unique || is_name {
                continue;
            }
            let Statements { bounds, settings, .. } = statements;
            let content = (
                sorted(statements.all().map(|it| (it.effect, it.pattern)), |it| *it),
                sorted(bounds, |(id, _)| *id),
                sorted(settings, |(id, _)| *id),
                sorted(includes, |id| **id),
            );
            match first.entry((kind, content)) {
                Entry::Vacant(entry) => {
                    entry.insert(name);
                }
                Entry::Occupied(entry) => {
                    let other = entry.get();
                    let message = format!("{name} states the same as {other}");
                    let names = vec![bare(other), bare(&name)];
                    let advice = "keep one of them, unless they are meant to differ later";
                    self.find(Code::Same, name.place(), message, advice, names);
                }
            }
        }
    }

    fn admins(&mut self) {
        let policy = self.policy;
        let profile = |class: ClassId| {
            let class = policy.users.class(class).filter(|class| class.admin)?;
            policy.sources.profile(&class.sources)
        };
        let classes = policy.users.classes();
        let found: HashMap<ClassId, SourceId> =
            classes.filter_map(|(id, _)| Some((id, profile(id)?))).collect();
        if found.is_empty() {
            return;
        }
        for slot in policy.users.of_classes(|class| found.contains_key(&class)) {
            let Some(&profile) = found.get(&policy.users.class_of(slot)) else { continue };
            let (user, profile) = (policy.users.name(slot), policy.sources.name(profile));
            let place = format!("{}.profile", SourceName::User(user.to_owned()).place());
            let message = format!(
                "user `{user}` is an admin: profile `{profile}` gives nothing but its settings"
            );
            let names = vec![user.to_owned(), profile.to_owned()];
            self.find(Code::AdminProfile, place, message, "take the profile away", names);
        }
    }

    /// Reports denials of direct children that pass over a heading.
    fn passed_headings(&mut self, source: &str, statements: &Statements) {
        let catalogue = self.catalogue();
        let shallow = |it: &Statement<'_>| {
            matches!(it.effect, Effect::Deny | Effect::Forbid)
                && it.pattern.reach == Reach::Children
        };
        if !statements.all().any(|it| shallow(&it)) {
            return;
        }
        let mut bases: Vec<NodeId> = statements.all().filter_map(|it| it.pattern.base).collect();
        bases.sort_unstable();
        let mut withheld = Layer::of(statements, catalogue);
        withheld.denied.union_with(&withheld.forbidden);
        for statement in statements.all().filter(shallow) {
            let text = statement.pattern.text(catalogue);
            let verb = if statement.effect == Effect::Deny { "denies" } else { "forbids" };
            for heading in catalogue.children(statement.pattern.base) {
                let Node { form, path, .. } = catalogue.node(heading);
                // A source with statements about permissions under the heading is aware
                // of it.
                let within = catalogue.subtree(Some(heading));
                let at = bases.partition_point(|base| *base < within.start);
                if *form != Form::Heading || bases.get(at).is_some_and(|base| within.contains(base))
                {
                    continue;
                }
                let open = each(catalogue.subtree_bits(Some(heading))).find(|&bit| {
                    catalogue.grantable.contains(bit) && !withheld.denied.contains(bit)
                });
                let Some(open) = open else { continue };
                let open = &catalogue.node_of(open).path;
                let message = format!(
                    "`{text}` passes over heading `{path}`: it {verb} nothing under it, such as \
                     `{open}`"
                );
                let advice = format!("add `{path}.**` too, if that is intended");
                let place = statement.place(source, catalogue);
                let names = vec![path.to_string(), open.to_string()];
                self.find(Code::PassesHeading, place, message, &advice, names);
            }
        }
    }

    /// Reports denials by pattern of permissions that another one implies, if some user
    /// could be granted that one.
    fn silences(&mut self) {
        let (policy, catalogue) = (self.policy, self.catalogue());
        let mut pairs: Vec<(Bit, Bit)> = Vec::new();
        for node in catalogue.nodes.values() {
            if !matches!(node.form, Form::Heading | Form::Scoped(_))
                && self.reach.effective.contains(node.bit)
            {
                pairs.extend(node.implies.iter().map(|&implied| (node.bit, implied)));
            }
        }
        if pairs.is_empty() {
            return;
        }
        let licensed = catalogue.licensed(|_| true);
        let mut layers = Layers::new(policy, &licensed);
        let sources: Vec<(SourceId, SourceName, Layer)> =
            self.common().map(|(id, name, _)| (id, name, layers.of_source(id).clone())).collect();
        let Some((_, _, global)) = sources.first() else { return };
        let tier = |id: SourceId| policy.sources[id].kind.tier();
        let mut granting_to: HashMap<(Bit, Bit), Vec<(Tier, usize)>> = HashMap::default();
        for (own, &(by, ref name, ref layer)) in sources.iter().enumerate() {
            let statements = &policy.sources[by].statements;
            if !statements.all().any(is_wide_denial) {
                continue;
            }
            let index = StatementIndex::new(statements);
            let mut found: HashSet<usize> = HashSet::default();
            for &(granting, implied) in &pairs {
                let (grants, denies) = (catalogue.node_of(granting), catalogue.node_of(implied));
                if layer.said_of(denies) != Said::Deny
                    || [layer, global].iter().any(|it| it.forbidden.contains(granting))
                    || global.forbidden.contains(implied)
                {
                    continue;
                }
                let nearest = index.nearest(catalogue.id_of(implied), catalogue);
                let Some(nearest) = nearest.filter(|it| is_wide_denial(*it)) else { continue };
                if found.contains(&nearest.at) {
                    continue;
                }
                let here = layer.said_of(grants);
                // The first source of each tier that grants it and leaves what it implies.
                let granting_to = granting_to.entry((granting, implied)).or_insert_with(|| {
                    let mut first: Vec<(Tier, usize)> = Vec::new();
                    for (at, &(id, _, ref other)) in sources.iter().enumerate() {
                        if other.granted.contains(granting)
                            && !other.forbidden.contains(granting)
                            && other.said_of(denies) == Said::Nothing
                            && first.iter().all(|(known, _)| *known != tier(id))
                        {
                            first.push((tier(id), at));
                        }
                    }
                    first
                });
                // For a user who has both, and nothing else.
                let together = granting_to.iter().filter(|(of, _)| match tier(by).cmp(of) {
                    Ordering::Less => true,
                    Ordering::Equal => *of != Tier::Profile && here != Said::Deny,
                    Ordering::Greater => matches!(here, Said::Nothing | Said::Level(1..)),
                });
                let alone = layer.granted.contains(granting).then_some(own);
                let with = together.map(|&(_, at)| at).chain(alone).min();
                let Some((with, whose, _)) = with.and_then(|at| sources.get(at)) else { continue };
                found.insert(nearest.at);
                let text = nearest.pattern.text(catalogue);
                let whose = if *with == by { "this source".to_owned() } else { whose.to_string() };
                let (denied, granted) = (quoted([&*denies.path]), quoted([&*grants.path]));
                let message = format!(
                    "`{text}` denies {denied}, which {granted} implies: so where {whose} grants \
                     {granted}, that has no effect",
                );
                let advice = format!("except or allow `{}` too, or deny less", denies.path);
                let place = nearest.place(&name.place(), catalogue);
                let names = vec![denies.path.to_string(), grants.path.to_string()];
                self.find(Code::Silences, place, message, &advice, names);
            }
        }
    }
}

/// Returns whether a statement denies by a pattern of several permissions.
fn is_wide_denial(statement: Statement<'_>) -> bool {
    statement.effect == Effect::Deny && statement.pattern.reach != Reach::Exact
}

/// Returns items sorted by their keys, each once.
fn sorted<T, K: Ord>(items: impl IntoIterator<Item = T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    items.sort_by_key(&key);
    items.dedup_by_key(|item| key(item));
    items
}

fn bare(source: &SourceName) -> String {
    source.name().unwrap_or("global").to_owned()
}

//! Sources that nobody has, and statements that do what is hardly intended.

use super::{Code, Linter};
use crate::catalogue::{Bit, Form, NodeId, Reach};
use crate::engine::{Layer, Layers};
use crate::ids::SourceId;
use crate::names::{HashMap, HashSet};
use crate::policy::{
    Effect, Said, Source, SourceKind, SourceName, Statement, StatementIndex, Statements, Tier,
};
use crate::problem::quoted;

impl<'p> Linter<'p> {
    /// Reports unused sources, identical sources, admins with a profile, and
    /// denials that reach less or more far than they seem to.
    pub(super) fn sources(&mut self) {
        self.unused();
        self.same();
        self.admins();
        for (_, name, statements) in self.common() {
            self.headings(&name, statements);
        }
        let mut seen: HashSet<&Statements> = HashSet::default();
        let policy = self.policy;
        for (_, user, class) in policy.users.iter() {
            if let Some(own) = class.statements.as_deref()
                && seen.insert(own)
            {
                self.headings(&SourceName::User(user.to_owned()), own);
            }
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
        for (.., source) in policy.sources.iter() {
            used.extend(source.includes.iter().copied().chain(source.demoted_to));
        }
        for (id, name, _) in self.common().filter(|(id, ..)| *id != SourceId::GLOBAL) {
            if !policy.sources[id].template && !used.contains(&id) {
                let message = format!("no user has {name}");
                self.find(Code::Unused, name.place(), message, "give it to somebody, or delete it");
            }
        }
    }

    fn same(&mut self) {
        let policy = self.policy;
        let mut first: HashMap<(SourceKind, Statements, Vec<SourceId>), SourceName> =
            HashMap::default();
        for (id, name, statements) in self.common().filter(|(id, ..)| *id != SourceId::GLOBAL) {
            let Source { kind, template, unique, .. } = policy.sources[id];
            let mut includes = policy.sources[id].includes.to_vec();
            // A source without statements is a name to assign, or a starting point.
            if template || unique || (statements.is_empty() && includes.is_empty()) {
                continue;
            }
            includes.sort_unstable();
            includes.dedup();
            match first.get(&(kind, normal(statements), includes.clone())) {
                Some(other) => {
                    let message = format!("{name} says the same as {other}");
                    let names = vec![bare(other), bare(&name)];
                    let advice = "keep one of them, unless they are meant to differ later";
                    self.find_about(Code::Same, name.place(), message, advice, names);
                }
                None => {
                    first.insert((kind, normal(statements), includes), name);
                }
            }
        }
    }

    fn admins(&mut self) {
        let policy = self.policy;
        for (_, user, class) in policy.users.iter() {
            let profile = policy.sources.profile(&class.sources).filter(|_| class.admin);
            let Some(profile) = profile.map(|id| policy.sources.name(id)) else { continue };
            let place = format!("{}.profile", SourceName::User(user.to_owned()).place());
            let message = format!(
                "user `{user}` is an admin: profile `{profile}` gives nothing but its settings"
            );
            let names = vec![user.to_owned(), profile.to_owned()];
            self.find_about(Code::AdminProfile, place, message, "take the profile away", names);
        }
    }

    /// Denials of direct children that pass over a heading.
    fn headings(&mut self, name: &SourceName, statements: &Statements) {
        let catalogue = self.catalogue();
        let shallow = |it: &Statement<'_>| {
            matches!(it.effect, Effect::Deny | Effect::Forbid)
                && it.pattern.reach == Reach::Children
        };
        if !statements.all().any(|it| shallow(&it)) {
            return;
        }
        let mut layer = Layer::of(statements, catalogue);
        layer.denied.union_with(&layer.forbidden);
        for statement in statements.all().filter(shallow) {
            let pattern = statement.pattern;
            let verb = if statement.effect == Effect::Deny { "denies" } else { "forbids" };
            let text = pattern.text(catalogue);
            for heading in catalogue.children(pattern.base) {
                if catalogue.node(heading).form != Form::Heading {
                    continue;
                }
                // A source with statements about what is beneath the heading is
                // aware of it.
                let within = |id: NodeId| (heading..catalogue.node(heading).end).contains(&id);
                if statements.all().any(|it| it.pattern.base.is_some_and(within)) {
                    continue;
                }
                let open = catalogue
                    .subtree_bits(Some(heading))
                    .find(|&bit| catalogue.grantable.contains(bit) && !layer.denied.contains(bit));
                let Some(open) = open else { continue };
                let (path, open) = (&catalogue.node(heading).path, &catalogue.node_of(open).path);
                let message = format!(
                    "`{text}` passes over heading `{path}`: it {verb} nothing beneath it, \
                         such as `{open}`"
                );
                let advice = format!("add `{path}.**` too, if that is intended");
                let place = statement.place(&name.place(), catalogue);
                let names = vec![path.to_string(), open.to_string()];
                self.find_about(Code::PassesHeading, place, message, &advice, names);
            }
        }
    }

    /// Denials by pattern of what something granted implies.
    fn silences(&mut self) {
        let (policy, catalogue) = (self.policy, self.catalogue());
        let mut pairs: Vec<(Bit, Bit)> = Vec::new();
        for node in &catalogue.nodes {
            if node.form != Form::Heading && self.reach.effective.contains(node.bit) {
                let bit = if matches!(node.form, Form::Scoped(_)) { continue } else { node.bit };
                pairs.extend(node.implies.iter().map(|&implied| (bit, implied)));
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
        for (by, name, statements) in self.common() {
            let wide =
                |it: &Statement<'_>| it.effect == Effect::Deny && it.pattern.reach != Reach::Exact;
            if !statements.all().any(|it| wide(&it)) {
                continue;
            }
            let Some((_, _, layer)) = sources.iter().find(|(id, ..)| *id == by) else { continue };
            let index = StatementIndex::new(statements);
            let mut told: HashSet<usize> = HashSet::default();
            for &(granting, implied) in &pairs {
                let (grants, denies) = (catalogue.node_of(granting), catalogue.node_of(implied));
                if layer.said_of(denies) != Said::Deny
                    || [layer, global].iter().any(|it| it.forbidden.contains(granting))
                    || global.forbidden.contains(implied)
                {
                    continue;
                }
                let id = catalogue.id_of(implied);
                let nearest = index.nearest(id, catalogue);
                let Some(nearest) = nearest.filter(wide) else { continue };
                if told.contains(&nearest.at) {
                    continue;
                }
                let here = layer.said_of(grants);
                let with = sources.iter().find(|(id, _, other)| {
                    if *id == by {
                        return other.granted.contains(granting);
                    }
                    // A user who has both, and nothing else.
                    let tier = |id: SourceId| policy.sources[id].kind.tier();
                    let together = match (tier(by), tier(*id)) {
                        (Tier::Profile, Tier::Profile) => false,
                        (more, less) if more > less => {
                            matches!(here, Said::Nothing | Said::Level(1..))
                        }
                        (more, less) if more == less => here != Said::Deny,
                        _ => true,
                    };
                    together
                        && other.granted.contains(granting)
                        && !other.forbidden.contains(granting)
                        && other.said_of(denies) == Said::Nothing
                });
                let Some((with, whose, _)) = with else { continue };
                told.insert(nearest.at);
                let text = nearest.pattern.text(catalogue);
                let whose = match *with == by {
                    true => "this source".to_owned(),
                    false => whose.to_string(),
                };
                let (denied, granted) = (quoted([&*denies.path]), quoted([&*grants.path]));
                let message = format!(
                    "`{text}` denies {denied}, which {granted} implies: so where {whose} grants \
                     {granted}, that has no effect",
                );
                let advice = format!("allow `{}` too, or deny less", denies.path);
                let place = nearest.place(&name.place(), catalogue);
                let names = vec![denies.path.to_string(), grants.path.to_string()];
                self.find_about(Code::Silences, place, message, &advice, names);
            }
        }
    }
}

/// A source's statements in a canonical order.
fn normal(statements: &Statements) -> Statements {
    let mut statements = statements.clone();
    let Statements { allow, deny, forbid, levels, bounds, settings } = &mut statements;
    for list in [allow, deny, forbid] {
        let mut patterns = std::mem::take(list).into_vec();
        patterns.sort_unstable();
        patterns.dedup();
        *list = patterns.into();
    }
    levels.sort_unstable();
    bounds.sort_by_key(|(id, _)| *id);
    settings.sort_by_key(|(id, _)| *id);
    statements
}

fn bare(source: &SourceName) -> String {
    source.name().unwrap_or("global").to_owned()
}

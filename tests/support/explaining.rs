//! The oracle as the judge of explanations: every statement, gate, scope and bound
//! that one names is in the document, and brings about the reason that it gives.

use std::collections::BTreeSet;

use super::ask::Ask;
use grantree::Document;
use grantree::document::{Accepted, Statements};
use grantree::explain::{
    Check, Effect, Explanation, Gate, Grant, Link, PermissionTrace, ScopeTrace, Statement,
};
use grantree::object::{Object, RelationState};
use grantree::{Reason, SourceName};

use super::oracle::{
    Catalogue, Form, Holder, Need, Node, Oracle, Said, Situation, passes, says, visit,
};

/// One explanation, and what the oracle knows about its question.
pub struct Judge<'a> {
    oracle: &'a Oracle<'a>,
    holder: &'a Holder<'a>,
    ask: &'a Ask,
    /// Whether the decision depends on the object.
    on_object: bool,
    /// The user's sources with their tiers, the more general first.
    sources: Vec<(usize, SourceName, &'a Statements)>,
}

impl<'a> Judge<'a> {
    pub fn new(
        oracle: &'a Oracle<'a>,
        document: &'a Document,
        holder: &'a Holder<'a>,
        ask: &'a Ask,
    ) -> Judge<'a> {
        let need = oracle.catalogue().need(&ask.action).expect("a known permission");
        let on_object = !holder.user.admin && holder.has(oracle.catalogue(), &need);
        let sources = sources(document, holder);
        Judge { oracle, holder, ask, on_object, sources }
    }

    fn catalogue(&self) -> &'a Catalogue<'a> {
        self.oracle.catalogue()
    }

    /// Judges what is found about each permission, and that one leads to the next.
    pub fn judge(&self, explanation: &Explanation) {
        let traces = &explanation.permissions;
        let first = traces.first().expect("a permission");
        assert_eq!(first.permission, explanation.action);
        assert_eq!(first.reason, explanation.reason);
        for (at, trace) in traces.iter().enumerate() {
            let need = self.need(&trace.permission.name);
            if at > 0 {
                assert_eq!(trace.reason.code(), self.reason(&need));
            }
            let next = traces.get(at + 1).map(|next| &next.permission);
            let cause = trace.gates.first().map(|gate| &gate.permission);
            assert_eq!(next, cause.filter(|_| trace.reason == Reason::Gated));
            self.permission(&need, trace);
        }
        assert_ne!(traces.last().map(|last| last.reason), Some(Reason::Gated));
    }

    fn need(&self, name: &str) -> Need {
        self.catalogue().need(name).expect("a known permission")
    }

    fn situation(&self) -> Option<Situation<'_>> {
        let object = self.ask.object.as_ref()?;
        Some(Situation {
            holder: self.holder,
            object,
            today: self.ask.today.map(grantree::Moment::date),
        })
    }

    /// The situation, if a permission is on the object's kind.
    fn on_kind(&self, path: &str) -> Option<Situation<'_>> {
        let kind = self.catalogue().node(path).kind;
        self.situation().filter(|at| kind == Some(at.object.kind()))
    }

    /// The reason for a permission that another one answers to.
    fn reason(&self, need: &Need) -> &'static str {
        match (self.on_object, self.on_kind(&need.path)) {
            (false, _) => self.oracle.why_held(self.holder, need),
            (true, Some(at)) => self.oracle.why_on(&need.path, &at),
            (true, None) if self.is_open(need) => "granted",
            (true, None) => "gated",
        }
    }

    /// Whether what something answers to is effective or, on the object, allowed.
    fn is_open(&self, need: &Need) -> bool {
        match self.situation().filter(|_| self.on_object) {
            Some(at) => self.oracle.is_followed(need, &at),
            None => self.holder.has(self.catalogue(), need),
        }
    }

    fn permission(&self, need: &Need, trace: &PermissionTrace) {
        let node = self.catalogue().node(&need.path);
        assert_eq!(trace.object.as_deref(), node.kind);
        self.grant(&need.path, &trace.grant);
        if trace.reason == Reason::Admin {
            assert!(trace.gates.is_empty() && trace.scopes.is_empty() && trace.checks.is_empty());
            return;
        }
        self.gates(&need.path, node, trace);
        self.scopes(&need.path, node, &trace.scopes);
        self.checks(&need.path, node, trace);
    }

    fn grant(&self, path: &str, grant: &Grant) {
        let (catalogue, holder) = (self.catalogue(), self.holder);
        let node = catalogue.node(path);
        if node.form == Form::Scoped {
            assert_eq!(*grant, Grant::default());
            return;
        }
        let is_said = |path: &str| holder.said.contains_key(path);
        assert_eq!(
            !grant.implied_by.is_empty(),
            !is_said(path) && holder.granted.contains_key(path)
        );
        let mut stated_of = path;
        for by in &grant.implied_by {
            let implies = &catalogue.node(&by.name).implies;
            assert!(implies.iter().any(|text| self.need(text).path == stated_of), "{}", by.name);
            assert!(holder.granted.contains_key(&by.name) && !is_said(stated_of));
            stated_of = &by.name;
        }
        assert!(grant.implied_by.is_empty() || is_said(stated_of));
        self.statements(stated_of, &grant.statements);
        self.left_out(path, &grant.left_out_by);

        let forbids = self.sources.iter().flat_map(|(_, name, said)| {
            let mut known = BTreeSet::new();
            let matching = said.forbid.iter().enumerate().filter(|(_, pattern)| {
                catalogue.nearness(pattern, path).is_some() && known.insert(*pattern)
            });
            let matching = matching
                .map(|(at, pattern)| (format!("{}.forbid[{at}]", name.place()), pattern.as_str()));
            matching.collect::<Vec<_>>()
        });
        let told = grant.forbidden_by.iter();
        let told = told.map(|statement| (statement.place.clone(), statement.pattern.as_str()));
        assert_eq!(told.collect::<Vec<_>>(), forbids.collect::<Vec<_>>());
        let mut told = grant.forbidden_by.iter();
        assert!(told.all(|statement| statement.effect == Effect::Forbid && statement.decides));

        let level = holder.granted.get(path).copied().unwrap_or(0);
        assert_eq!(grant.level.as_ref(), node.levels.get(level));
        let unlicensed = grant.unlicensed.as_ref();
        assert_eq!(unlicensed.is_none(), catalogue.is_licensed(path));
        if let Some(unlicensed) = unlicensed {
            let by = &unlicensed.needed_by.name;
            assert!(path == by || path.starts_with(&format!("{by}.")));
            assert_eq!(catalogue.node(by).feature, Some(unlicensed.feature.as_str()));
            assert!(!catalogue.has_feature(&unlicensed.feature));
        }
    }

    /// The nearest statement of each source that leaves a permission out.
    fn left_out(&self, path: &str, told: &[Statement]) {
        let catalogue = self.catalogue();
        let nearest = self.sources.iter().filter_map(|(_, name, source)| {
            let nearness = |pattern: &String| catalogue.nearness(pattern, path);
            let matching = source.except.iter().filter(|pattern| nearness(pattern).is_some());
            let nearest = matching.rev().max_by_key(|pattern| nearness(pattern))?;
            let place = place_in("except", &source.except, nearest);
            let is_left_out = says(catalogue, source, path).is_none();
            is_left_out.then(|| format!("{}.{place}", name.place()))
        });
        assert_eq!(
            told.iter().map(|statement| statement.place.clone()).collect::<Vec<_>>(),
            nearest.collect::<Vec<_>>()
        );
        let is_except = |it: &Statement| it.effect == Effect::Except && !it.decides;
        assert!(told.iter().all(is_except));
    }

    /// The nearest statement of each source that states anything, those that decide marked.
    fn statements(&self, path: &str, told: &[Statement]) {
        let catalogue = self.catalogue();
        let said = |source: &Statements| says(catalogue, source, path);
        let expected = self.sources.iter();
        let expected = expected.filter_map(|(_, name, source)| Some((name, said(source)?)));
        let found = told.iter().map(|statement| {
            let said = match &statement.effect {
                Effect::Allow => Said::Level(catalogue.highest(path)),
                Effect::Deny => Said::Deny,
                Effect::Level(level) => {
                    let levels = catalogue.node(path).levels.iter();
                    Said::Level(levels.clone().position(|known| known == level).expect("a level"))
                }
                Effect::Except | Effect::Forbid => panic!("{statement} decides nothing"),
            };
            (&statement.source.source, said)
        });
        let found: Vec<_> = found.collect();
        assert_eq!(found, expected.collect::<Vec<_>>());
        let tier = |name: &SourceName| self.sources.iter().find(|(_, known, _)| known == name);
        let tiers: Vec<usize> =
            found.iter().map(|(name, _)| tier(name).expect("a source of the user").0).collect();
        for (statement, ((name, said), of)) in told.iter().zip(found.iter().zip(&tiers)) {
            let decides = Some(of) == tiers.last() && self.holder.said.get(path) == Some(said);
            assert_eq!(statement.decides, decides, "{statement}");
            let source = tier(name).expect("a source of the user").2;
            let pattern = &statement.pattern;
            let listed = match &statement.effect {
                Effect::Allow => place_in("allow", &source.allow, pattern),
                Effect::Deny => place_in("deny", &source.deny, pattern),
                Effect::Except | Effect::Forbid => panic!("{statement} decides nothing"),
                Effect::Level(level) => {
                    assert_eq!(source.levels.get(pattern), Some(level));
                    format!("levels.{pattern}")
                }
            };
            assert_eq!(statement.place, format!("{}.{listed}", name.place()));
            // It is the nearest that there is.
            let levels = source
                .levels
                .iter()
                .filter(|(_, level)| catalogue.node(path).levels.contains(level));
            let lists = [&source.allow, &source.except, &source.deny];
            let patterns = lists.into_iter().flatten().map(String::as_str);
            let patterns = patterns.chain(levels.map(|(pattern, _)| pattern));
            let nearest = patterns.filter_map(|pattern| catalogue.nearness(pattern, path)).max();
            assert_eq!(catalogue.nearness(pattern, path), nearest);
        }
    }

    /// Everything that a permission needs to be effective.
    fn needs(&self, path: &str) -> Vec<(Link, Need)> {
        let catalogue = self.catalogue();
        let node = catalogue.node(path);
        let gate = node.gate.iter().map(|gate| (Link::Parent, Need::plain(gate)));
        let requires = node.requires.iter().chain(node.scope_requires);
        let requires = requires.map(|text| (Link::Requires, self.need(text)));
        let implies = node.implies.iter().map(|text| (Link::Implies, self.need(text)));
        let implies = implies.filter(|(_, need)| catalogue.is_licensed(&need.path));
        gate.chain(requires).chain(implies).collect()
    }

    fn gates(&self, path: &str, node: &Node<'_>, trace: &PermissionTrace) {
        let told = |gate: &Gate| (gate.link, self.need(&gate.permission.name));
        let told: Vec<(Link, Need)> = trace.gates.iter().map(told).collect();
        assert!(trace.gates.iter().all(|gate| gate.holds == (trace.reason == Reason::Granted)));
        let needs = self.needs(path);
        match trace.reason {
            Reason::Granted => assert!(is_same(&told, &needs)),
            Reason::Gated => {
                let scopes = self.catalogue().scopes(path);
                let by_scopes = scopes.flat_map(|scope| self.needs(scope));
                let all: Vec<_> = needs.iter().cloned().chain(by_scopes).collect();
                assert!(told.iter().all(|need| all.contains(need) && !self.is_open(&need.1)));
                let lacks: Vec<_> =
                    needs.into_iter().filter(|(_, need)| !self.is_open(need)).collect();
                if self.on_object {
                    assert_eq!(told.len(), 1);
                } else if node.form != Form::Scoped {
                    assert!(is_same(&told, &lacks));
                }
            }
            _ => assert!(told.is_empty()),
        }
    }

    fn scopes(&self, path: &str, node: &Node<'_>, told: &[ScopeTrace]) {
        let (catalogue, at) = (self.catalogue(), self.on_kind(path));
        let is_effective = |scope: &&str| self.holder.effective.contains_key(*scope);
        let expected: BTreeSet<&str> = match (node.form, self.on_object) {
            (Form::Scoped, true) => catalogue.scopes(path).filter(is_effective).collect(),
            (Form::Scoped, false) => catalogue.scopes(path).collect(),
            (Form::Scope, true) if at.is_some() => [path].into(),
            _ => BTreeSet::new(),
        };
        let names = told.iter().map(|scope| scope.permission.name.as_str());
        assert_eq!(names.collect::<BTreeSet<_>>(), expected);
        for scope in told {
            let name = &scope.permission.name;
            assert_eq!(scope.reason.code(), self.oracle.why_held(self.holder, &Need::plain(name)));
            if name == path {
                assert_eq!(scope.grant, Grant::default());
            } else {
                self.grant(name, &scope.grant);
            }
            let Some(at) = &at else {
                assert!(scope.when.is_empty() && scope.values.is_empty());
                continue;
            };
            let when = catalogue.node(name).when.expect("a scope");
            assert_eq!(scope.when.len() + scope.values.len(), when.iter().count());
            for condition in &scope.when {
                let accepts = when.get(&condition.relation).expect("a relation of the scope");
                let states = [RelationState::Me, RelationState::Other, RelationState::None];
                let Accepted::OneOf(accepts) = accepts else { panic!("a list of states") };
                let names = states.into_iter().zip(["me", "other", "none"]);
                let accepted = names.filter(|(_, name)| accepts.iter().any(|it| it == name));
                assert!(accepted.map(|(state, _)| state).eq(condition.accepts.iter().copied()));
                assert_eq!(condition.found, self.oracle.state(&condition.relation, at));
            }
            for condition in &scope.values {
                let accepted = when.get(&condition.attribute).expect("an attribute of the scope");
                let matches = self.oracle.accepts(accepted, &condition.attribute, at);
                assert_eq!(condition.matches, matches);
                let is_there = at.object.attribute(&condition.attribute).is_some();
                assert_eq!(condition.found.is_some(), is_there);
            }
        }
    }

    fn checks(&self, path: &str, node: &Node<'_>, trace: &PermissionTrace) {
        let at = self.on_kind(path).filter(|_| {
            let reason = trace.reason;
            self.on_object
                && matches!(reason, Reason::OutOfBounds | Reason::Granted | Reason::Gated)
        });
        let Some(at) = at else {
            assert!(trace.checks.is_empty());
            return;
        };
        let kind = at.object.kind();
        let expected: BTreeSet<String> =
            node.checks.iter().map(|attribute| format!("{kind}.{attribute}")).collect();
        assert_eq!(trace.checks.len(), expected.len());
        for check in &trace.checks {
            let Check { attribute, form, bounds, passes: told, .. } = check;
            assert!(expected.contains(attribute));
            let (_, name) = attribute.split_once('.').expect("a kind and an attribute");
            assert_eq!(*form, self.oracle.bound_type(kind, name));
            let value = at.object.attribute(name);
            assert_eq!(check.value.is_some(), value.is_some());
            let stated = self.holder.bounds(kind, name);
            assert!(bounds.iter().map(|bound| &bound.bound).eq(stated.iter().copied()));
            for bound in bounds {
                let source = self.sources.iter().find(|(_, name, _)| *name == bound.source.source);
                let (_, source, statements) = source.expect("a source of the user");
                assert_eq!(statements.bounds.get(attribute), Some(&bound.bound));
                assert_eq!(bound.place, format!("{}.bounds.{attribute}", source.place()));
            }
            let mut bounds = stated.into_iter();
            assert_eq!(*told, bounds.any(|bound| passes(bound, *form, value, at.today)));
        }
    }
}

/// Whether two lists hold the same, whatever the order.
fn is_same<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    one.iter().all(|item| other.contains(item)) && other.iter().all(|item| one.contains(item))
}

/// The place of a pattern in a list of its source: where it is listed first.
fn place_in(list: &str, patterns: &[String], pattern: &str) -> String {
    let at = patterns.iter().position(|known| known == pattern).expect("a listed pattern");
    format!("{list}[{at}]")
}

fn sources<'a>(
    document: &'a Document,
    holder: &Holder<'a>,
) -> Vec<(usize, SourceName, &'a Statements)> {
    let user = holder.user;
    let mut sources = vec![(0, SourceName::Global, &document.global)];
    if let Some(name) = &user.profile {
        let profile = document.profiles.get(name).expect("a known profile");
        sources.push((1, SourceName::Profile(name.clone()), &profile.statements));
    }
    let mut roles = Vec::new();
    for role in &user.roles {
        visit(document, role, &mut roles);
    }
    for name in roles {
        let role = document.roles.get(name).expect("a known role");
        sources.push((2, SourceName::Role(name.to_owned()), &role.source.statements));
    }
    for name in &user.approval_groups {
        let group = document.approval_groups.get(name).expect("a known approval group");
        sources.push((2, SourceName::ApprovalGroup(name.clone()), &group.statements));
    }
    sources.push((3, SourceName::User(holder.name.to_owned()), &user.statements));
    sources
}

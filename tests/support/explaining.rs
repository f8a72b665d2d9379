//! The oracle as the judge of explanations: every statement, gate, scope and bound
//! that one names is in the document, and brings about the reason that it gives.

use std::collections::BTreeSet;

use grantree::document::Statements;
use grantree::explain::{
    Check, Effect, Explanation, Gate, Grant, Link, PermissionTrace, ScopeTrace, Statement,
};
use grantree::object::RelationState;
use grantree::{Document, Reason, SourceName};
use serde_json::{Value, json};

use super::ask::Ask;
use super::oracle::bound::passes;
use super::oracle::capacity::Capacity;
use super::oracle::catalogue::{Catalogue, Form, Levels, Need, Node};
use super::oracle::date::Today;
use super::oracle::object::Situation;
use super::oracle::person::Person;
use super::oracle::policy::Policy;
use super::oracle::source::{Said, nearness, said};

/// One explanation of the ordinary capacity of a user, and what the oracle knows about its
/// question.
pub struct Judge<'a> {
    policy: &'a Policy,
    person: &'a Person,
    capacity: &'a Capacity,
    object: Option<Value>,
    today: Option<Today>,
    /// `true` if the decision depends on the object.
    on_object: bool,
    /// The user's sources with their tiers, the more general first.
    sources: Vec<Told<'a>>,
}

/// A source of the user, with the number of its tier.
struct Told<'a> {
    tier: usize,
    name: SourceName,
    statements: &'a Statements,
    value: Value,
}

impl<'a> Judge<'a> {
    pub fn new(
        policy: &'a Policy,
        document: &'a Document,
        person: &'a Person,
        ask: &'a Ask,
    ) -> Judge<'a> {
        let need = policy.catalogue.need(&ask.action).expect("a known permission");
        let capacity = person.ordinary();
        let is_held = policy.catalogue.is_met(&need, &capacity.effective);
        Judge {
            policy,
            person,
            capacity,
            object: ask.object.as_ref().map(|it| serde_json::to_value(it).expect("JSON")),
            today: ask.today.and_then(|today| Today::read(&today.to_string())),
            on_object: !person.admin && is_held,
            sources: sources(policy, document, &person.name),
        }
    }

    fn catalogue(&self) -> &'a Catalogue {
        &self.policy.catalogue
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
        let Judge { policy, person, capacity, today, .. } = *self;
        self.object.as_ref().map(|object| Situation { policy, person, capacity, object, today })
    }

    /// The situation, if a permission is on the object's kind.
    fn on_kind(&self, path: &str) -> Option<Situation<'_>> {
        let kind = self.catalogue().node(path).kind.as_deref();
        self.situation().filter(|at| kind == at.object["kind"].as_str())
    }

    /// The reason for a permission that another one answers to.
    fn reason(&self, need: &Need) -> &'static str {
        match self.on_kind(&need.path).filter(|_| self.on_object) {
            None if !self.on_object => self.why_held(need),
            None if self.is_open(need) => "granted",
            None => "gated",
            Some(at) => at.why(need).code(),
        }
    }

    /// The reason, objects left aside.
    fn why_held(&self, need: &Need) -> &'static str {
        if !self.person.admin {
            return self.capacity.why(self.catalogue(), need).code();
        }
        let is_licensed = |path: &str| self.catalogue().is_licensed(path);
        let scopes = self.catalogue().scopes(&need.path);
        let is_held = if scopes.is_empty() {
            is_licensed(&need.path)
        } else {
            scopes.into_iter().any(is_licensed)
        };
        if is_held { "admin" } else { "unlicensed" }
    }

    /// Returns `true` if what something answers to is effective or, on the object, allowed.
    fn is_open(&self, need: &Need) -> bool {
        match self.situation().filter(|_| self.on_object) {
            Some(at) => at.is_followed(need),
            None => self.catalogue().is_met(need, &self.capacity.effective),
        }
    }

    fn permission(&self, need: &Need, trace: &PermissionTrace) {
        let node = self.catalogue().node(&need.path);
        assert_eq!(trace.object, node.kind);
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
        let (catalogue, capacity) = (self.catalogue(), self.capacity);
        let node = catalogue.node(path);
        let granted: &Levels = capacity.granted();
        if node.form == Form::Scoped {
            assert_eq!(*grant, Grant::default());
            return;
        }
        let is_said = |path: &str| capacity.said(path).is_some();
        assert_eq!(!grant.implied_by.is_empty(), !is_said(path) && granted.contains_key(path));
        let mut stated_of = path;
        for by in &grant.implied_by {
            let implies = &catalogue.node(&by.name).implies;
            assert!(implies.iter().any(|text| self.need(text).path == stated_of), "{}", by.name);
            assert!(granted.contains_key(&by.name) && !is_said(stated_of));
            stated_of = &by.name;
        }
        assert!(grant.implied_by.is_empty() || is_said(stated_of));
        self.statements(stated_of, &grant.statements);
        self.left_out(path, &grant.left_out_by);

        let forbids = self.sources.iter().flat_map(|Told { name, statements, .. }| {
            let mut known = BTreeSet::new();
            let matching = statements.forbid.iter().enumerate().filter(|(_, pattern)| {
                nearness(catalogue, pattern, path).is_some() && known.insert(*pattern)
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

        let level = granted.get(path).copied().unwrap_or(0);
        assert_eq!(grant.level.as_ref(), node.levels.get(level));
        let unlicensed = grant.unlicensed.as_ref();
        assert_eq!(unlicensed.is_none(), catalogue.is_licensed(path));
        if let Some(unlicensed) = unlicensed {
            let by = &unlicensed.needed_by.name;
            assert!(path == by || path.starts_with(&format!("{by}.")));
            assert_eq!(catalogue.node(by).feature.as_ref(), Some(&unlicensed.feature));
            assert!(!catalogue.has_feature(&unlicensed.feature));
        }
    }

    /// The nearest statement of each source that leaves a permission out.
    fn left_out(&self, path: &str, told: &[Statement]) {
        let catalogue = self.catalogue();
        let nearest =
            self.sources.iter().filter_map(|Told { name, statements: source, value, .. }| {
                let nearness = |pattern: &String| nearness(catalogue, pattern, path);
                let matching = source.except.iter().filter(|pattern| nearness(pattern).is_some());
                let nearest = matching.rev().max_by_key(|pattern| nearness(pattern))?;
                let place = place_in("except", &source.except, nearest);
                let is_left_out = said(catalogue, value, path).is_none();
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
        let expected = self
            .sources
            .iter()
            .filter_map(|Told { name, value, .. }| Some((name, said(catalogue, value, path)?)));
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
        let source = |name: &SourceName| {
            let mut sources = self.sources.iter();
            sources.find(|known| known.name == *name).expect("a source of the user")
        };
        let tiers: Vec<usize> = found.iter().map(|(name, _)| source(name).tier).collect();
        for (statement, ((name, said), of)) in told.iter().zip(found.iter().zip(&tiers)) {
            let decides = Some(of) == tiers.last() && self.capacity.said(path) == Some(*said);
            assert_eq!(statement.decides, decides, "{statement}");
            let source = source(name).statements;
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
            let nearest = patterns.filter_map(|pattern| nearness(catalogue, pattern, path)).max();
            assert_eq!(nearness(catalogue, pattern, path), nearest);
        }
    }

    /// Everything that a permission needs to be effective.
    fn needs(&self, path: &str) -> Vec<(Link, Need)> {
        let catalogue = self.catalogue();
        let node = catalogue.node(path);
        let gate = node.gate.iter().map(|gate| (Link::Parent, Need::plain(gate)));
        let requires = node.requires.iter().chain(&node.scope_requires);
        let requires = requires.map(|text| (Link::Requires, self.need(text)));
        let implies = node.implies.iter().map(|text| (Link::Implies, self.need(text)));
        let implies = implies.filter(|(_, need)| catalogue.is_licensed(&need.path));
        gate.chain(requires).chain(implies).collect()
    }

    fn gates(&self, path: &str, node: &Node, trace: &PermissionTrace) {
        let told = |gate: &Gate| (gate.link, self.need(&gate.permission.name));
        let told: Vec<(Link, Need)> = trace.gates.iter().map(told).collect();
        assert!(trace.gates.iter().all(|gate| gate.holds == (trace.reason == Reason::Granted)));
        let needs = self.needs(path);
        match trace.reason {
            Reason::Granted => assert!(is_same(&told, &needs)),
            Reason::Gated => {
                let scopes = self.catalogue().scopes(path);
                let by_scopes = scopes.into_iter().flat_map(|scope| self.needs(scope));
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

    fn scopes(&self, path: &str, node: &Node, told: &[ScopeTrace]) {
        let (catalogue, at) = (self.catalogue(), self.on_kind(path));
        let is_effective = |scope: &&str| self.capacity.effective.contains_key(*scope);
        let expected: BTreeSet<&str> = match (node.form, self.on_object) {
            (Form::Scoped, true) => {
                catalogue.scopes(path).into_iter().filter(is_effective).collect()
            }
            (Form::Scoped, false) => catalogue.scopes(path).into_iter().collect(),
            (Form::Scope, true) if at.is_some() => [path].into(),
            _ => BTreeSet::new(),
        };
        let names = told.iter().map(|scope| scope.permission.name.as_str());
        assert_eq!(names.collect::<BTreeSet<_>>(), expected);
        for scope in told {
            let name = &scope.permission.name;
            assert_eq!(scope.reason.code(), self.why_held(&Need::plain(name)));
            if name == path {
                assert_eq!(scope.grant, Grant::default());
            } else {
                self.grant(name, &scope.grant);
            }
            let Some(at) = &at else {
                assert!(scope.when.is_empty() && scope.values.is_empty());
                continue;
            };
            let when = &catalogue.node(name).when;
            assert_eq!(scope.when.len() + scope.values.len(), when.len());
            let accepts = |name: &str| {
                let mut conditions = when.iter().filter(|(known, _)| known == name);
                &conditions.next().expect("a condition of the scope").1
            };
            let code = |state: RelationState| match state {
                RelationState::Me => "me",
                RelationState::Other => "other",
                RelationState::None => "none",
            };
            for condition in &scope.when {
                let accepted = accepts(&condition.relation);
                let is_accepted = |state: RelationState| {
                    let mut list = accepted.as_array().into_iter().flatten();
                    accepted == code(state) || list.any(|it| it == code(state))
                };
                let states = [RelationState::Me, RelationState::Other, RelationState::None];
                let states: Vec<_> = states.into_iter().filter(|&it| is_accepted(it)).collect();
                assert_eq!(states, condition.accepts);
                assert_eq!(condition.found.map(code), at.state(&condition.relation));
            }
            for condition in &scope.values {
                let attribute = &condition.attribute;
                assert_eq!(condition.matches, at.accepts(attribute, accepts(attribute)));
                assert_eq!(condition.found.is_some(), at.attribute(attribute).is_some());
            }
        }
    }

    fn checks(&self, path: &str, node: &Node, trace: &PermissionTrace) {
        let at = self.on_kind(path).filter(|_| {
            let reason = trace.reason;
            self.on_object
                && matches!(reason, Reason::OutOfBounds | Reason::Granted | Reason::Gated)
        });
        let Some(at) = at else {
            assert!(trace.checks.is_empty());
            return;
        };
        let kind = at.object["kind"].as_str().expect("a kind");
        let expected: BTreeSet<String> =
            node.checks.iter().map(|attribute| format!("{kind}.{attribute}")).collect();
        assert_eq!(trace.checks.len(), expected.len());
        for check in &trace.checks {
            let Check { attribute, form, bounds, passes: told, .. } = check;
            assert!(expected.contains(attribute));
            let (_, name) = attribute.split_once('.').expect("a kind and an attribute");
            let bound_type = &self.catalogue().kinds[kind].attributes[name];
            assert_eq!(json!(form), **bound_type);
            let value = at.attribute(name);
            assert_eq!(check.value.is_some(), value.is_some());
            let stated = self.capacity.own_bounds(attribute);
            let found: Vec<Value> = bounds.iter().map(|bound| json!(bound.bound)).collect();
            assert_eq!(found.len(), stated.len());
            for bound in bounds {
                let mut sources = self.sources.iter();
                let source = sources.find(|known| known.name == bound.source.source);
                let Told { name, statements, .. } = source.expect("a source of the user");
                assert_eq!(statements.bounds.get(attribute), Some(&bound.bound));
                assert_eq!(bound.place, format!("{}.bounds.{attribute}", name.place()));
            }
            let mut bounds = stated.iter();
            assert_eq!(*told, bounds.any(|bound| passes(bound, bound_type, value, at.today)));
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

fn sources<'a>(policy: &Policy, document: &'a Document, user: &str) -> Vec<Told<'a>> {
    let entry = document.users.get(user).expect("a known user");
    let mut sources = vec![(0, SourceName::Global, &document.global)];
    if let Some(name) = &entry.profile {
        let profile = document.profiles.get(name).expect("a known profile");
        sources.push((1, SourceName::Profile(name.clone()), &profile.statements));
    }
    for name in policy.with_included(&entry.roles) {
        let role = document.roles.get(&name).expect("a known role");
        sources.push((2, SourceName::Role(name), &role.source.statements));
    }
    for name in &entry.approval_groups {
        let group = document.approval_groups.get(name).expect("a known approval group");
        sources.push((2, SourceName::ApprovalGroup(name.clone()), &group.statements));
    }
    sources.push((3, SourceName::User(user.to_owned()), &entry.statements));
    let told = sources.into_iter().map(|(tier, name, statements)| Told {
        tier,
        name,
        statements,
        value: serde_json::to_value(statements).expect("statements serialize"),
    });
    told.collect()
}

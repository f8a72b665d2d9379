//! Laws of trees.

use grantree::change::{Actor, Applied, Change, Note, Op, Rule};
use grantree::document::{Map, Statements, UserEntry};
use grantree::explain::Effect;
use grantree::tree::{Form as TreeForm, Node, Stated, Tree};
use grantree::{Document, Policy, Reason, SourceName};

use super::case::{Case, Tweak, engine, said_by, sources, value};
use super::oracle;
use super::oracle::capacity::Capacity;
use super::oracle::source::{Said, nearness, said};

/// What has effect according to a source's tree is what the engine gives a user who
/// holds just that source, for the same reasons; a user's tree shows what that user
/// holds.
pub fn a_tree_says_what_is_effective(case: &Case) {
    let policy = &case.policy;
    for source in sources(&case.document) {
        let tree = tree(policy, &source);
        let engine = engine(&holding(&case.document, &source));
        let holder = engine.user(holder_of(&source)).expect("the one user");
        let mut effective: Vec<String> = Vec::new();
        for node in tree.iter() {
            let path = &node.permission.name;
            let Some(reason) = node.reason else {
                assert!(node.form == TreeForm::Heading && engine.permission(path).is_err());
                continue;
            };
            let permission = engine.permission(path).expect("no heading");
            match engine.why(holder, permission, ()) {
                Reason::ObjectRequired => assert_eq!(reason, Reason::Granted, "{path}\n{tree}"),
                why => assert_eq!(reason, why, "{path}\n{tree}"),
            }
            assert_eq!(
                node.level.as_deref(),
                engine.level(holder, permission, ()),
                "{path}\n{tree}"
            );
            if node.has_effect() {
                let level = node.level.iter().map(|level| format!(":{level}"));
                effective.push(format!("{path}{}", level.collect::<String>()));
            }
            assert_eq!(reason == Reason::Gated, !node.lacks.is_empty(), "{path}\n{tree}");
            for lack in &node.lacks {
                let needed = engine.permission(&lack.permission.name).expect("what it needs");
                assert_eq!(lack.reason, engine.why(holder, needed, ()), "{path}\n{tree}");
                assert!(!lack.reason.allowed() && lack.reason != Reason::ObjectRequired);
            }
        }
        effective.sort();
        let expected = engine.effective(holder);
        let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(effective, expected, "{tree}");
    }
}

/// What a source's tree says about its own statements, and about those of others, is
/// what the oracle finds; and it names the statements that decide.
pub fn a_tree_names_the_statements_that_decide(case: &Case) {
    let policy = &case.policy;
    let catalogue = case.catalogue();
    for source in sources(&case.document) {
        let tree = tree(policy, &source);
        let mut document = holding(&case.document, &source);
        let own = said_by(&source, &mut document).clone();
        let mut others = document.users.iter().next().expect("one user").1.clone();
        match &source {
            SourceName::Profile(_) => others.profile = None,
            SourceName::Role(name) => {
                others.roles = document.roles.get(name).expect("a role").includes.clone();
            }
            SourceName::ApprovalGroup(_) => others.approval_groups.clear(),
            SourceName::User(_) => others.statements = Statements::default(),
            SourceName::Global => document.global = Statements::default(),
        }
        let others = serde_json::to_value(&others).expect("a user serializes");
        let others = Capacity::ordinary(&oracle::policy::Policy::new(&value(&document)), &others);
        let stated_by_it = serde_json::to_value(&own).expect("statements serialize");
        for node in tree.iter() {
            let path = node.permission.name.as_str();
            match node.form {
                TreeForm::Heading | TreeForm::Scoped => {
                    of_what_is_beneath(node, |node| &node.own);
                    of_what_is_beneath(node, |node| &node.inherited);
                    continue;
                }
                _ => {}
            }
            let allows = |stated: &Stated| match stated.effect.as_ref()? {
                Effect::Allow => Some(Said::Level(catalogue.highest(path))),
                Effect::Level(level) => {
                    node.levels.iter().position(|known| known == level).map(Said::Level)
                }
                Effect::Deny => Some(Said::Deny),
                Effect::Except | Effect::Forbid => None,
            };
            let forbidden = own.forbid.iter().any(|by| nearness(&catalogue, by, path).is_some());
            assert_eq!((node.own.effect == Some(Effect::Forbid)), forbidden, "{path}\n{tree}");
            if !forbidden {
                assert_eq!(
                    allows(&node.own),
                    said(&catalogue, &stated_by_it, path),
                    "{path}\n{tree}"
                );
            }
            let forbidden = others.is_forbidden(path);
            assert_eq!(
                (node.inherited.effect == Some(Effect::Forbid)),
                forbidden,
                "{path}\n{tree}"
            );
            if !forbidden {
                let others = others.said(path);
                assert_eq!(allows(&node.inherited), others, "{path}\n{tree}");
            }
            assert!(node.own.by.iter().all(|by| by.source.source == source));
            for shown in [&node.own, &node.inherited] {
                assert_eq!(shown.effect.is_none(), shown.by.is_empty(), "{path}\n{tree}");
                for by in &shown.by {
                    let (pattern, place) = (&by.pattern, by.source.source.place());
                    let known = said_by(&by.source.source, &mut case.document.clone()).clone();
                    assert!(
                        stated(&known, &place).any(|(at, text)| at == by.place && text == *pattern)
                    );
                    assert!(nearness(&catalogue, pattern, path).is_some());
                }
            }
            let granted = matches!(node.reason, Some(Reason::Granted | Reason::Gated));
            assert_ne!(node.inherited.effect, Some(Effect::Except), "{path}\n{tree}");
            let own = node.own.effect.as_ref().filter(|effect| **effect != Effect::Except);
            let said = own.is_some() || node.inherited.effect.is_some();
            let implied = !node.implied_by.is_empty();
            assert!(tree.admin || implied == (granted && !said), "{path}\n{tree}");
        }
    }
}

/// All patterns of a source's statements, each with its place.
fn stated(said: &Statements, place: &str) -> impl Iterator<Item = (String, String)> {
    let Statements { allow, except, deny, forbid, .. } = said;
    let lists = [("allow", allow), ("except", except), ("deny", deny), ("forbid", forbid)];
    let lists = lists.into_iter().flat_map(|(field, list)| {
        let texts = list.iter().enumerate();
        texts.map(move |(at, text)| (format!("{place}.{field}[{at}]"), text.clone()))
    });
    let levels = said.levels.iter();
    let levels = levels.map(|(text, _)| (format!("{place}.levels.{text}"), text.to_owned()));
    lists.chain(levels).collect::<Vec<_>>().into_iter()
}

/// A scoped node shows what is stated of all its scopes, a heading that of all nodes
/// under it.
fn of_what_is_beneath(node: &Node, stated: fn(&Node) -> &Stated) {
    let mut beneath: Vec<&Node> = node.children.iter().collect();
    let mut effects: Vec<&Option<Effect>> = Vec::new();
    while let Some(below) = beneath.pop() {
        match (node.form, below.form) {
            (TreeForm::Scoped, TreeForm::Scope) => effects.push(&stated(below).effect),
            (TreeForm::Scoped, _) => {}
            (_, TreeForm::Heading | TreeForm::Scoped) => beneath.extend(&below.children),
            _ => {
                effects.push(&stated(below).effect);
                beneath.extend(&below.children);
            }
        }
    }
    effects.dedup();
    let Stated { effect, mixed, .. } = stated(node);
    match effects[..] {
        [] => assert_eq!((effect, *mixed), (&None, false)),
        [common] => assert_eq!((effect, *mixed), (common, false)),
        _ => assert_eq!((effect, *mixed), (&None, true)),
    }
}

/// What an edit with `cascade` allows has effect for a user who holds the source. If
/// it has none, the cause is one that no allow of the source undoes (a licence, a
/// forbid, a deny of an included role), or a scoped permission to which the source
/// gives no effect: none of its scopes was allowed, which the change notes, or one was
/// that lacks what it needs itself.
pub fn what_a_cascade_allows_has_effect(case: &Case) {
    let policy = &case.policy;
    let catalogue = case.catalogue();
    for Tweak { source, pattern, .. } in case.tweaks() {
        let Some(pattern) = pattern else { continue };
        let ops = vec![Op::Allow(pattern.clone())];
        let change = Change::Edit { source: source.clone(), ops, cascade: true };
        let Applied { policy, notes, .. } = match policy.apply(Actor::Host, &change) {
            Ok(applied) => applied,
            Err(refusal) => {
                assert!(matches!(refusal.rule, Rule::Protected | Rule::Separation), "{refusal}");
                continue;
            }
        };
        let tree = tree(&policy, &source);
        let node = |path: &str| {
            let path = path.split(':').next().expect("a path");
            tree.iter().find(|node| node.permission.name == path).expect("a node")
        };
        for ticked in tree.iter().filter(|node| node.is_idle()) {
            if nearness(&catalogue, &pattern, &ticked.permission.name).is_none() {
                continue;
            }
            let mut cause = ticked;
            let mut reason = ticked.reason;
            let mut by_scope = false;
            while let (Some(Reason::Gated), Some(lack)) = (reason, cause.lacks.first()) {
                by_scope |= cause.form == TreeForm::Scoped;
                cause = node(&lack.permission.name);
                reason = Some(lack.reason);
            }
            let noted = notes.iter().any(|note| {
                matches!(note, Note::Unmet { permission } if *permission == cause.permission.name)
            });
            let told = match reason {
                Some(Reason::Unlicensed) => cause.unlicensed.is_some(),
                Some(Reason::Forbidden) => true,
                Some(Reason::Denied) if cause.inherited.effect == Some(Effect::Deny) => true,
                _ => noted || by_scope,
            };
            let path = &ticked.permission.name;
            assert!(told, "{path} for want of {}: {notes:?}\n{tree}", cause.permission);
        }
    }
}

fn tree(policy: &Policy, source: &SourceName) -> Tree {
    policy.tree(source).expect("a source of the policy")
}

/// The name of the one user in [`holding`].
fn holder_of(source: &SourceName) -> &str {
    match source {
        SourceName::User(name) => name,
        _ => "holder",
    }
}

/// The document with one user, who holds just that source; or is that user, not
/// suspended.
fn holding(document: &Document, source: &SourceName) -> Document {
    let mut user = UserEntry::default();
    match source {
        SourceName::Global => {}
        SourceName::Profile(name) => user.profile = Some(name.clone()),
        SourceName::Role(name) => user.roles.push(name.clone()),
        SourceName::ApprovalGroup(name) => user.approval_groups.push(name.clone()),
        SourceName::User(name) => user = document.users.get(name).expect("a user").clone(),
    }
    user.suspended = false;
    user.assignments = Map::default();
    let mut document = document.clone();
    document.users = Map::from_iter([(holder_of(source), user)]);
    document
}

//! Laws of remedies.

use grantree::change::{Actor, Change, Refusal};
use grantree::explain::{Remedies, RemedyStep};
use grantree::policy_test::Question;
use grantree::{Document, Engine, Policy};

use super::ask::Ask;
use super::case::{Case, json};
use super::mending;
use super::random::change::Session;

/// A mend makes the answer yes, and no part of it can be left out. So does an
/// assignment, in place of what the first mend would grant.
pub fn a_mend_mends_and_nothing_less_does(case: &Case) {
    let engine = case.engine();
    let mut denials = 0;
    for question in &case.questions {
        let Some(ask) = &Ask::of(question) else { continue };
        let (Ok(user), Ok(action)) = (engine.user(&ask.user), engine.permission(&ask.action))
        else {
            continue;
        };
        let on = (ask.object.as_ref(), ask.today);
        let remedies = engine.remedies(user, action, on);
        match engine.check(&ask.user, &ask.action, on) {
            Err(_) => continue,
            Ok(true) => assert_eq!(remedies, Remedies::default()),
            Ok(false) => denials += 1,
        }
        let unmended = remedies.least.is_empty()
            && remedies.assignments.is_empty()
            && !engine.can(user, action, on)
            && !refuses_some_mends(&case.document);
        assert!(
            !unmended || !mending::is_within_reach(&case.document, ask),
            "no mend is found for {}",
            json(question)
        );
        // Each takes a policy or two for every part.
        if denials > 4 {
            break;
        }
        for remedy in remedies.least.iter().take(3) {
            let says = |parts: &[RemedyStep]| mending::can_after(&case.document, ask, parts);
            assert!(says(&remedy.steps), "{} does not mend {}", remedies, json(question));
            for at in 0..remedy.steps.len() {
                let mut less = remedy.steps.clone();
                less.remove(at);
                assert!(!says(&less), "part {at} is not needed: {remedies}{}", json(question));
            }
        }
        for assignment in remedies.assignments.iter().take(2) {
            let says = mending::can_with(&case.document, ask, assignment);
            assert!(says, "{remedies} assigns in vain for {}", json(question));
        }
    }
}

/// Whether a mend may be one that no change makes, whoever asks.
fn refuses_some_mends(document: &Document) -> bool {
    let Document { profiles, roles, approval_groups, governance, .. } = document;
    let sources = roles.iter().map(|(_, role)| &role.source);
    let mut sources =
        sources.chain(profiles.iter().chain(approval_groups.iter()).map(|(_, source)| source));
    sources.any(|source| source.protected)
        || roles.iter().any(|(_, role)| role.unique)
        || !governance.separation.is_empty()
}

/// Of each assignment that a remedy offers, the users named as approvers of a source, and
/// the admins, are those who may assign it, once the sources before it are assigned.
/// Returns how many were named, and how many were not.
pub fn approvers_are_exactly_who_may_apply(session: &Session) -> [usize; 2] {
    let mut named = [0; 2];
    let document: Document = serde_json::from_value(session.policy.clone()).expect("a document");
    let Ok(policy) = Policy::try_from(document.clone()) else { return named };
    let engine = Engine::new(&policy);
    let questions = session.questions(&session.policy);
    let questions = questions.into_iter().filter_map(|it| serde_json::from_value(it).ok());
    for question in &questions.take(4).collect::<Vec<Question>>() {
        let Some(ask) = &Ask::of(question) else { continue };
        let Ok(action) = engine.permission(&ask.action) else { continue };
        for (user, _) in document.users.iter().take(4) {
            let on = (ask.object.as_ref(), ask.today);
            let remedies = engine.remedies(engine.user(user).expect("a user"), action, on);
            for assignment in remedies.assignments.iter().take(3) {
                let mut policy = engine.policy().clone();
                for assigned in &assignment.sources {
                    let source = assigned.source.source.clone();
                    let assign = Change::Assign { user: user.to_owned(), source };
                    for (name, _) in document.users.iter().take(8) {
                        let is_named = [&assigned.approvers, &remedies.admins]
                            .iter()
                            .any(|names| names.iter().any(|known| known.name == *name));
                        let outcome = policy.apply(Actor::User(name), &assign).map(|_| ());
                        assert!(
                            is_named == outcome.is_ok(),
                            "`{name}` is {}named, and gets {outcome:?} for {}: {remedies}",
                            if is_named { "" } else { "not " },
                            json(&assign)
                        );
                        named[usize::from(!is_named)] += 1;
                    }
                    assert_eq!(assigned.change, assign);
                    assert!(assigned.approvers.is_sorted_by_key(|it| &it.name));
                    assert!(remedies.admins.is_sorted_by_key(|it| &it.name));
                    policy = policy.apply(Actor::Host, &assign).expect("the host may").policy;
                }
            }
            for remedy in remedies.least.iter().filter(|it| !it.changes.is_empty()).take(3) {
                for (name, _) in document.users.iter().take(8) {
                    let is_named = [&remedy.approvers, &remedies.admins]
                        .iter()
                        .any(|names| names.iter().any(|known| known.name == *name));
                    let outcome = made(&engine, Actor::User(name), &remedy.changes).map(|_| ());
                    assert!(
                        is_named == outcome.is_ok(),
                        "`{name}` is {}named, and gets {outcome:?} for {}: {remedies}",
                        if is_named { "" } else { "not " },
                        json(&remedy.changes)
                    );
                    named[usize::from(!is_named)] += 1;
                }
                let is_about = |step: &RemedyStep| {
                    !matches!(step, RemedyStep::Relate { .. } | RemedyStep::Value { .. })
                };
                if !remedy.steps.iter().all(is_about) {
                    continue;
                }
                let says = |changes: &[Change]| {
                    made(&engine, Actor::Host, changes)
                        .is_ok_and(|after| after.check(user, &ask.action, on) == Ok(true))
                };
                assert!(
                    says(&remedy.changes),
                    "{} does not mend: {remedies}",
                    json(&remedy.changes)
                );
                for less in parts(&remedy.changes) {
                    assert!(!says(&less), "{} is enough: {remedies}", json(&less));
                }
            }
        }
    }
    named
}

/// The engine once some changes are made.
fn made(engine: &Engine, actor: Actor<'_>, changes: &[Change]) -> Result<Engine, Refusal> {
    let mut policy = engine.policy().clone();
    for change in changes {
        policy = policy.apply(actor, change)?.policy;
    }
    Ok(engine.updated(&policy))
}

/// The same changes without one of them, or without one op.
fn parts(changes: &[Change]) -> Vec<Vec<Change>> {
    let mut parts = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        let mut less = changes.to_vec();
        match change {
            Change::Edit { source, ops, cascade } if ops.len() > 1 => {
                for op in 0..ops.len() {
                    let mut ops = ops.clone();
                    ops.remove(op);
                    less[at] = Change::Edit { source: source.clone(), ops, cascade: *cascade };
                    parts.push(less.clone());
                }
            }
            _ => {
                less.remove(at);
                parts.push(less);
            }
        }
    }
    parts
}

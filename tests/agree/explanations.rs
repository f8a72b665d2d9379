//! Explanations held to the answers that they explain, on random policies.

use std::cell::Cell;

use grantree::document::{Assignment, Statements, UserEntry};
use grantree::explain::{Explanation, PermissionTrace, Remedies, RemedyStep};
use grantree::object::DynamicObject;
use grantree::policy_test::{Given, Principal, Question};
use grantree::{Document, Engine, Moment, OwnedAsker, Policy, Reason, SourceName};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use support::random::{Case, case};

/// Calls back with random policies and their questions.
pub(crate) fn check(law: impl Fn(&Case, &Engine, Question) -> Option<()>) {
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(3), ..Config::default() });
    let mut judged = 0;
    for _ in 0..400 {
        let case = case().new_tree(&mut runner).expect("a case").current();
        let document: Document = serde_json::from_value(case.policy.clone()).expect("a document");
        let Ok(policy) = Policy::try_from(document) else { continue };
        let engine = Engine::new(&policy);
        for step in &case.steps {
            let Ok(question) = serde_json::from_value::<Question>(step.clone()) else { continue };
            judged += usize::from(law(&case, &engine, question).is_some());
        }
    }
    assert!(judged > 100, "{judged} questions");
}

/// A part of a question that may be absent; `None` if it can't be read.
pub(crate) fn given<T: Clone>(part: &Given<T>) -> Option<Option<T>> {
    match part {
        Given::Value(value) => Some(Some(value.clone())),
        Given::Absent => Some(None),
        Given::Malformed(_) => None,
    }
}

/// Who asks, unless an unknown name makes the question an error.
pub(crate) fn asker(engine: &Engine, user: Principal) -> Option<OwnedAsker> {
    match user {
        Principal::User(name) => Some(engine.asker(engine.user(&name).ok()?).owned()),
        Principal::Subject(subject) => engine.subject(&subject.name, &subject.entry).ok(),
        Principal::Malformed(_) => None,
    }
}

/// An explanation has the reason that `why` gives, and particulars that bear it out.
#[test]
fn an_explanation_has_the_reason_of_why() {
    check(|case, engine, question| {
        let (Question::Can { user, within, action, object, today }
        | Question::Why { user, within, action, object, today }) = question
        else {
            return None;
        };
        let mut asker = asker(engine, user)?;
        if let Some(within) = given(&within)? {
            asker = asker.asker().within(&within).ok()?;
        }
        let asker = asker.asker();
        let permission = engine.permission(&action).ok()?;
        let today = given(&today)?;
        let on = (object.as_ref(), today);
        let explanation = asker.explain(permission, on);
        let told = || format!("{explanation}{object:?} {today:?}\n{}", case.policy);
        assert_eq!(explanation.reason, asker.why(permission, on), "{}", told());
        assert!(is_borne_out(&explanation, object.as_ref(), today), "{}", told());
        Some(())
    });
}

fn is_borne_out(
    explanation: &Explanation,
    object: Option<&DynamicObject>,
    today: Option<Moment>,
) -> bool {
    let Explanation { reason, assignment, permissions, .. } = explanation;
    let Some((first, rest)) = permissions.split_first() else {
        return matches!(reason, Reason::UnknownUser | Reason::Suspended);
    };
    let terms_hold = assignment.as_ref().is_none_or(|it| it.dates_hold && it.covers);
    let terms_fit = match reason {
        Reason::OutOfTerms => !terms_hold,
        Reason::ObjectRequired | Reason::WrongKind => true,
        _ => terms_hold,
    };
    let is_judged = assignment.as_ref().is_none_or(|it| {
        let relations = it.relations.iter().all(|it| it.matches);
        let covers = relations && it.attributes.iter().all(|it| it.matches);
        let has_conditions = it.relations.len() + it.attributes.len() > 0;
        (!has_conditions || covers == it.covers)
            && (object.is_some() || it.covers == it.on.is_none())
            && (today.is_some() || it.dates_hold == (it.from.is_none() && it.until.is_none()))
    });
    // Whatever the asked permission's own checks are, they are against one limit.
    let passes = first.checks.iter().all(|check| check.passes);
    let checks_fit = matches!(reason, Reason::OutOfBounds) || passes;
    terms_fit
        && is_judged
        && checks_fit
        && first.reason == *reason
        && rest.last().unwrap_or(first).reason != Reason::Gated
        && permissions.iter().all(has_cause)
}

/// A trace shows what its reason is about.
fn has_cause(trace: &PermissionTrace) -> bool {
    match trace.reason {
        Reason::OutOfBounds => trace.checks.iter().any(|check| !check.passes),
        Reason::NoScope => !trace.scopes.iter().any(grantree::explain::ScopeTrace::fits),
        Reason::Gated => !trace.gates.is_empty(),
        _ => true,
    }
}

/// Users are listed with their sources who are listed without.
#[test]
fn sources_let_in_who_can() {
    check(|case, engine, question| {
        let Question::WhoCan { action, object, today } = question else { return None };
        let permission = engine.permission(&action).ok()?;
        let today = given(&today)?;
        let on = (object.as_ref(), today);
        let found = engine.who_can_by_source(permission, on);
        let mut listed: Vec<&str> = found.iter().flat_map(|it| it.users.clone()).collect();
        let mut expected = engine.who_can(permission, on);
        listed.sort_unstable();
        expected.sort_unstable();
        assert_eq!(listed, expected, "{}", case.policy);
        assert!(found.iter().all(|it| !it.sources.is_empty()), "{found:?}\n{}", case.policy);
        Some(())
    });
}

/// A remedy makes the answer yes, and none of its steps can be left out: of those that are
/// about assignments, which are applied to the document.
#[test]
fn a_remedy_by_an_assignment_mends_and_nothing_less_does() {
    let mended = Cell::new(0);
    check(|case, engine, question| {
        let (Question::Can {
            user: Principal::User(user),
            within: Given::Absent,
            action,
            object,
            today,
        }
        | Question::Why {
            user: Principal::User(user),
            within: Given::Absent,
            action,
            object,
            today,
        }) = question
        else {
            return None;
        };
        let (holder, permission) = (engine.user(&user).ok()?, engine.permission(&action).ok()?);
        let today = given(&today)?;
        let on = (object.as_ref(), today);
        let is_yes = engine.check(&user, &action, on).ok()?;
        let remedies = engine.remedies(holder, permission, on);
        assert!(!is_yes || remedies == Remedies::default(), "{remedies}{}", case.policy);
        for remedy in &remedies.least {
            let may_with = |steps: &[&RemedyStep]| {
                let mut document: Document = serde_json::from_value(case.policy.clone()).ok()?;
                let entry = document.users.get_mut(&user)?;
                steps.iter().try_for_each(|step| take(entry, step))?;
                let policy = Policy::try_from(document).unwrap_or_else(|it| panic!("{it}"));
                Some(Engine::new(&policy).check(&user, &action, on) == Ok(true))
            };
            let steps: Vec<&RemedyStep> = remedy.steps.iter().collect();
            let Some(mends) = may_with(&steps) else { continue };
            let told =
                || format!("{remedies}{user} {action} {object:?} {today:?}\n{}", case.policy);
            assert!(mends, "{}", told());
            for at in 0..steps.len() {
                let mut less = steps.clone();
                less.remove(at);
                assert_eq!(may_with(&less), Some(false), "{at} is not needed: {}", told());
            }
            mended.set(mended.get() + 1);
        }
        Some(())
    });
    assert!(mended.get() > 100, "{} remedies", mended.get());
}

/// Takes a step that is about a user; `None` if it is about something else.
fn take(user: &mut UserEntry, step: &RemedyStep) -> Option<()> {
    match step {
        RemedyStep::Restore(_) => user.suspended = false,
        RemedyStep::WidenIn { assignment, attribute, to, .. } => {
            let bounds = &mut user.assignments.get_mut(&assignment.name)?.statements.bounds;
            bounds.retain(|name, _| name != attribute);
            bounds.push(attribute, to.clone());
        }
        RemedyStep::Prolong { assignment, from, until } => {
            let assignment = user.assignments.get_mut(&assignment.name)?;
            (assignment.from, assignment.until) = (*from, *until);
        }
        RemedyStep::Cover { assignment, kind, name, to, .. } => {
            let on = user.assignments.get_mut(&assignment.name)?.on.as_mut()?;
            if on.get(kind).is_none() {
                let others = on.get("*")?.clone();
                on.push(kind, others);
            }
            *on.get_mut(kind)?.get_mut(name)? = to.clone();
        }
        RemedyStep::Give { name, source, on } => {
            let mut assignment = Assignment { on: Some(on.clone()), ..Assignment::default() };
            match &source.source {
                SourceName::Role(role) => assignment.roles.push(role.clone()),
                SourceName::ApprovalGroup(of) => assignment.approval_groups.push(of.clone()),
                other => panic!("{other} is not given by an assignment"),
            }
            assert_eq!(user.assignments.get(name), None);
            user.assignments.push(name, assignment);
        }
        RemedyStep::Allow(permission) => {
            let path = &permission.name;
            let Statements { allow, except, deny, forbid, levels, .. } = &mut user.statements;
            for patterns in [&mut *allow, except, deny, forbid] {
                patterns.retain(|pattern| pattern != path.split(':').next().unwrap_or(path));
            }
            levels.retain(|pattern, _| pattern != path.split(':').next().unwrap_or(path));
            match path.split_once(':') {
                Some((path, level)) => levels.push(path, level.to_owned()),
                None => allow.push(path.clone()),
            }
        }
        RemedyStep::Widen { attribute, to, .. } => {
            user.statements.bounds.retain(|name, _| name != attribute);
            user.statements.bounds.push(attribute, to.clone());
        }
        RemedyStep::Revoke { source, .. } => match &source.source {
            SourceName::Profile(_) => user.profile = None,
            SourceName::Role(name) => user.roles.retain(|held| held != name),
            SourceName::ApprovalGroup(name) => user.approval_groups.retain(|held| held != name),
            other => panic!("{other} is not revoked"),
        },
        _ => return None,
    }
    Some(())
}

/// Where an assignment carries what is asked, its own bound can be widened.
#[test]
fn the_bound_of_an_assignment_is_widened() {
    let text = r#"{"format": 1,
        "catalogue": {
            "permissions": [{"key": "view", "object": "order", "children": [
                {"key": "approve", "object": "order", "checks": ["amount"]}]}],
            "objects": {"order": {"attributes": {"amount": "at_most", "region": "one_of"},
                                  "checks": ["region"]}}},
        "global": {"bounds": {"order.region": ["north"]}},
        "roles": {"buyer": {"allow": ["view"]}},
        "users": {"ann": {"roles": ["buyer"], "assignments": {
            "cover": {"label": "Cover", "allow": ["view", "view.approve"],
                      "bounds": {"order.amount": 500}, "until": "2026-12-24"}}}}}"#;
    let document: Document = serde_json::from_str(text).expect("a document");
    let engine = Engine::new(&Policy::try_from(document).expect("a policy"));
    let (ann, approve) =
        (engine.user("ann").expect("a user"), engine.permission("view.approve").expect("known"));
    let order = |amount: i64, region: &str| {
        DynamicObject::new("order")
            .with_attribute("amount", amount)
            .with_attribute("region", region)
    };
    let steps = |amount, region, day: &str| {
        let today: Moment = day.parse().expect("a day");
        let remedies = engine.remedies(ann, approve, (&order(amount, region), today));
        let is_in = |it: &&grantree::explain::Remedy| {
            it.steps.iter().any(|step| matches!(step, RemedyStep::WidenIn { .. }))
        };
        let steps = remedies.least.iter().find(is_in).map(|it| it.steps.clone());
        steps.into_iter().flatten().map(|step| step.to_string()).collect::<Vec<_>>()
    };
    let raise =
        "raise the bound on `order.amount` of the assignment `cover` (Cover) to at most 900";
    assert_eq!(steps(900, "north", "2026-12-01"), [raise]);
    assert_eq!(
        steps(900, "south", "2026-12-01"),
        [
            "raise the bound on `order.amount` of the assignment `cover` (Cover) to at most 900",
            "set the bound on `order.region` of the assignment `cover` (Cover) to one of \
             \"north\", \"south\""
        ]
    );
    assert_eq!(steps(900, "north", "2026-12-25").len(), 2);
    assert_eq!(steps(500, "north", "2026-12-25"), Vec::<String>::new());
}

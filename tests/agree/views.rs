//! Laws of what is derived from random policies.

use std::cell::Cell;
use std::collections::BTreeSet;

use grantree::lint::{Code, Finding};
use grantree::{Document, Engine, Moment, PermissionForm, Policy};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};
use serde_json::{Value, json};

use crate::{CASES, check, expected};
use support::prune::prune;
use support::random::Case;

/// Leaving out what is without effect, all of it or one statement, changes no answer. What
/// is unused, or held by nobody, is in no assignment.
#[test]
fn lint_is_right_about_assignments() {
    let found = Cell::new(0);
    check(CASES, |case, policy| {
        let findings = policy.lint();
        is_in_no_assignment(case, policy, &findings)?;
        // An assignment of guards alone needs one of them.
        let vain = findings.iter().filter(|it| {
            it.code.is_without_effect()
                || it.code == Code::Guard && !it.place.contains(".assignments")
        });
        let vain: Vec<&str> = vain.map(|finding| &*finding.place).collect();
        let in_assignments = vain.iter().filter(|place| place.contains(".assignments")).count();
        found.set(found.get() + in_assignments);
        if vain.is_empty() {
            return Ok(0);
        }
        let one = answers_stay_without(case, policy, &vain[..1])?;
        Ok(one + answers_stay_without(case, policy, &vain)?)
    });
    assert!(found.get() > 10, "{} in assignments", found.get());
}

/// A review lists what everybody holds in each capacity, and by which sources.
#[test]
fn a_review_lists_what_is_held() {
    check(CASES / 2, |_, policy| {
        let engine = Engine::new(policy);
        let review = engine.review(());
        let is_scoped = |path: &str| {
            policy.permission(path).is_some_and(|it| it.form() == PermissionForm::Scoped)
        };
        let mut compared = 0;
        for user in policy.users() {
            let (reviewed, entry) = (review.of(user).expect("it"), policy.user(user).expect("it"));
            prop_assert_eq!((reviewed.admin, reviewed.suspended), (entry.admin, entry.suspended));
            if entry.admin || entry.suspended {
                prop_assert!(reviewed.access.is_empty());
                continue;
            }
            let handle = engine.user(user).expect("a known user");
            let assignments = entry.assignments.iter().map(|(name, _)| Some(name));
            for capacity in [None].into_iter().chain(assignments) {
                let held = match capacity {
                    None => engine.effective(handle),
                    Some(name) => engine.effective_in(handle, name).expect("an assignment"),
                };
                let held: Vec<_> = held.into_iter().filter(|it| !is_scoped(it.path())).collect();
                let listed = reviewed.access.iter().filter(|it| it.assignment == capacity);
                prop_assert!(listed.clone().all(|it| !it.sources.is_empty()), "{}", review);
                let listed: Vec<_> = listed.map(|it| it.permission).collect();
                compared += held.len();
                prop_assert_eq!(listed, held, "`{}` in {:?}", user, capacity);
            }
        }
        Ok(compared + 6)
    });
}

/// An assignment that is said to allow nothing can be taken away.
#[test]
fn assignments_that_allow_nothing_can_be_left_out() {
    let found = Cell::new(0);
    check(CASES, |case, policy| {
        let findings = policy.lint();
        let vain = findings.iter().filter(|finding| finding.code == Code::CarriesNothing);
        let vain: Vec<&str> = vain.map(|finding| &*finding.place).collect();
        found.set(found.get() + vain.len());
        if vain.is_empty() {
            return Ok(0);
        }
        // What is asked of some object leaves terms aside.
        let mut case = case.clone();
        case.steps.retain(|asked| {
            let of_some = ["who_can", "never"].map(|it| asked.get(it));
            let of_some = of_some.iter().flatten().any(|it| it.get("object").is_none());
            asked.get("can_some").is_none() && !of_some
        });
        answers_stay_without(&case, policy, &vain)
    });
    assert!(found.get() > 10, "{}", found.get());
}

/// Where bounds are said to join, the assignment that is advised leaves the user all
/// permissions, and mends it.
#[test]
fn bounds_that_join_can_be_given_by_an_assignment() {
    check(CASES, |case, policy| {
        let joined = |policy: &Policy| {
            let findings = policy.lint().into_iter();
            findings.filter(|it| it.code == Code::JoinedBounds).collect::<Vec<Finding>>()
        };
        let findings = policy.lint();
        let is_line = |it: &Finding| !it.to_string().contains('\n');
        prop_assert!(findings.iter().all(is_line), "{:?}", findings);
        let mut compared = findings.len();
        for finding in joined(policy) {
            let Some((_, assignment)) = finding.advice.split_once("instead: `") else { continue };
            let assignment: Value =
                serde_json::from_str(assignment.trim_end_matches('`')).expect("an assignment");
            let user = &finding.names[0];
            let mut mended = case.policy.clone();
            let entry = &mut mended["users"][user];
            for field in ["roles", "approval_groups"] {
                let given = assignment[field].as_array().into_iter().flatten();
                for name in given {
                    let held = entry[field].as_array_mut().expect("a list");
                    held.retain(|it| it != name);
                }
            }
            entry["assignments"]["advised"] = assignment;
            let after = self::policy(&mended);
            let engines = [policy, &after].map(Engine::new);
            let [before, after] = engines.each_ref().map(|it| it.user(user).expect("a user"));
            if case.policy["users"][user]["suspended"] == true {
                continue;
            }
            let mut kept = engines[1].effective(after);
            kept.extend(engines[1].effective_in(after, "advised").expect("an assignment"));
            for held in engines[0].effective(before) {
                let is_kept = kept.iter().any(|it| it.path() == held.path());
                prop_assert!(is_kept, "{finding}: {}", held.path());
                compared += 1;
            }
            let again = joined(engines[1].policy());
            prop_assert!(!again.iter().any(|it| it.message == finding.message), "{}", finding);
        }
        Ok(compared)
    });
}

/// Compares the answers to a case's questions with those without what is at these places.
fn answers_stay_without(
    case: &Case,
    policy: &Policy,
    places: &[&str],
) -> Result<usize, TestCaseError> {
    let mut mended = case.policy.clone();
    prune(&mut mended, "", &places.iter().copied().collect::<BTreeSet<_>>());
    let mended = Policy::try_from(read(&mended)).expect("it stays valid");
    let engines = [policy, &mended].map(Engine::new);
    let mut compared = 0;
    for (step, asked) in expected(case).steps.iter().zip(&case.steps) {
        // Explanations are no answers, an assignment that is gone has none, and what a subject
        // brings along is in no policy.
        let names = |field: &str| {
            asked.as_object().into_iter().flatten().any(|(_, it)| it.get(field).is_some())
        };
        if asked.get("why").is_some() || ["assignment", "subject", "within"].into_iter().any(names)
        {
            continue;
        }
        let [before, after] = engines.each_ref().map(|engine| step.question.ask(engine));
        prop_assert_eq!(before, after, "{} without {:?}", step.question, places);
        compared += 1;
    }
    Ok(compared)
}

fn is_in_no_assignment(
    case: &Case,
    policy: &Policy,
    findings: &[Finding],
) -> Result<(), TestCaseError> {
    let engine = Engine::new(policy);
    let nothing = serde_json::Map::new();
    let users = case.policy["users"].as_object().unwrap_or(&nothing);
    for (name, user) in users.iter().filter(|(_, user)| user["admin"] != true) {
        for (assignment, entry) in user["assignments"].as_object().unwrap_or(&nothing) {
            let handle = engine.user(name).expect("a user");
            let carried = engine.effective_in(handle, assignment).expect("an assignment");
            for finding in findings {
                let is_true = match finding.code {
                    Code::Unused => !holds(entry, finding),
                    Code::NeverHeld => carried.iter().all(|it| it.path() != finding.names[0]),
                    _ => true,
                };
                prop_assert!(is_true, "{}: {} {}", finding, name, assignment);
            }
        }
    }
    Ok(())
}

/// Returns whether an assignment names the source that a finding is about.
fn holds(assignment: &Value, finding: &Finding) -> bool {
    ["roles", "approval_groups"].iter().any(|&field| {
        let names = assignment[field].as_array().into_iter().flatten();
        let mut places = names.filter_map(Value::as_str).map(|name| match field {
            "roles" => grantree::SourceName::Role(name.into()).place(),
            _ => grantree::SourceName::ApprovalGroup(name.into()).place(),
        });
        places.any(|place| place == finding.place)
    })
}

fn read(policy: &Value) -> Document {
    serde_json::from_value(policy.clone()).expect("a document")
}

fn policy(document: &Value) -> Policy {
    Policy::try_from(read(document)).expect("a valid policy")
}

/// A policy in which `ann` has these assignments.
#[expect(clippy::needless_pass_by_value, reason = "they are written where they are passed")]
fn assigned(assignments: Value) -> Value {
    json!({
        "format": 1,
        "catalogue": {
            "permissions": [
                {"key": "jobs", "object": "job", "children": [{"key": "edit"}]},
                {"key": "orders", "object": "order"}],
            "objects": {
                "job": {"relations": {"team": "group"}, "attributes": {"region": "one_of"}},
                "order": {"attributes": {"size": "at_most"}}}},
        "global": {"allow": ["jobs"]},
        "roles": {"lead": {"allow": ["jobs.edit"]}, "buyer": {"allow": ["orders"]}},
        "users": {"ann": {"assignments": assignments}, "bob": {}}})
}

fn moment(text: &str) -> Moment {
    text.parse().expect("a moment")
}

fn lint(document: &Value) -> Vec<String> {
    policy(document).lint().iter().map(|it| format!("{} {}", it.code, it.place)).collect()
}

#[test]
fn lint_looks_at_assignments() {
    let held = json!({
        "a": {"roles": ["lead", "lead"], "allow": ["orders", "orders"], "forbid": ["jobs.edit"]},
        "b c": {"roles": ["buyer"], "deny": ["orders"], "bounds": {"job.region": "any"}}});
    assert_eq!(
        lint(&assigned(held)),
        [
            "repeated users.ann.assignments.a.allow[1]",
            "repeated users.ann.assignments.a.roles[1]",
            "carries_nothing users.ann.assignments[\"b c\"]",
            "idle users.ann.assignments[\"b c\"].bounds.job.region",
        ]
    );
    // Nothing else grants what the assignment does.
    let mut alone = assigned(json!({"a": {"allow": ["orders"]}}));
    alone["roles"] = json!({"lead": {"allow": ["jobs.edit"], "deny": ["orders"]}});
    alone["users"]["bob"] = json!({"roles": ["lead"]});
    assert_eq!(lint(&alone), Vec::<String>::new());
    alone["users"]["ann"] = json!({});
    assert_eq!(lint(&alone), ["never_held catalogue.permissions[1]", "guard roles.lead.deny[0]"]);
}

/// An assignment keeps a statement: without any, it would be a problem.
#[test]
fn an_assignment_of_idle_statements_keeps_them() {
    let mut document = assigned(json!({"a": {"bounds": {"job.region": "any"}}}));
    document["users"]["bob"] = json!({"roles": ["lead", "buyer"]});
    assert_eq!(lint(&document), ["carries_nothing users.ann.assignments.a"]);
}

/// Adoption leaves no assignment with fewer conditions, nor on more objects, than it had.
#[test]
fn adoption_does_not_widen_assignments() {
    let document = assigned(json!({
        "all": {"roles": ["lead"], "on": {"job": {"gone": ["north"]}, "*": {}}},
        "other": {"roles": ["lead"], "on": {"*": {}, "gone": {}}},
        "orders": {"roles": ["buyer", "gone"], "on": {"job": {"region": 3}, "order": {"size": 5}}},
        "sourceless": {"roles": ["gone"]}}));
    let adopted = Policy::builder().adopt(read(&document)).expect("it is adopted");
    let mut left_out: Vec<&str> = adopted.left_out.iter().map(|it| it.problem.place()).collect();
    left_out.sort_unstable();
    assert_eq!(
        left_out,
        [
            "users.ann.assignments.all.on.job.gone",
            "users.ann.assignments.all.on[\"*\"]",
            "users.ann.assignments.orders.on.job.region",
            "users.ann.assignments.orders.roles[1]",
            "users.ann.assignments.other.on.gone",
            "users.ann.assignments.sourceless",
            "users.ann.assignments.sourceless.roles[0]",
        ]
    );
    let kept = serde_json::to_value(Document::from(&adopted.policy)).expect("JSON");
    assert_eq!(
        kept["users"]["ann"]["assignments"],
        json!({
            "other": {"roles": ["lead"], "on": {"*": {}}},
            "orders": {"roles": ["buyer"], "on": {"order": {"size": 5}}}})
    );
    let again = Policy::builder().adopt(Document::from(&adopted.policy)).expect("it is adopted");
    assert_eq!(again.left_out, []);
}

/// An assignment that never held is not taken into a policy either.
#[test]
fn adoption_leaves_out_assignments_that_never_hold() {
    let document = assigned(json!({
        "never": {"roles": ["lead"], "from": "2026-12-02", "until": "2026-12-01"},
        "nowhere": {"roles": ["lead"], "on": {"job": {"region": []}}}}));
    assert!(Policy::try_from(read(&document)).is_err());
    let adopted = Policy::builder().adopt(read(&document)).expect("it is adopted");
    assert_eq!(adopted.left_out.len(), 2, "{:?}", adopted.left_out);
    assert_eq!(Document::from(&adopted.policy), read(&assigned(json!({}))));
}

#[test]
fn policies_that_differ_in_a_term_have_different_digests() {
    let cover = json!({
        "roles": ["lead"], "on": {"job": {"team": ["leeds"], "region": ["north"]}},
        "from": "2026-12-01", "until": "2026-12-24T18:00"});
    let mut all = vec![assigned(json!({"cover": cover})), assigned(json!({"other": cover}))];
    for (at, value) in [
        ("/roles/0", json!("buyer")),
        ("/from", json!("2026-12-01T00:00")),
        ("/until", json!("2026-12-24T18:00:01")),
        ("/on/job/team/0", json!("york")),
        ("/on/job/region", json!("any")),
        ("/on/job", json!({})),
    ] {
        let mut changed = cover.clone();
        *changed.pointer_mut(at).expect(at) = value;
        all.push(assigned(json!({"cover": changed})));
    }
    for (field, value) in [
        ("label", json!("Cover")),
        ("description", json!("Cover")),
        ("approval_groups", json!([])),
        ("allow", json!(["orders"])),
        ("deny", json!(["orders"])),
        ("bounds", json!({"job.region": "any"})),
    ] {
        let mut changed = cover.clone();
        changed[field] = value;
        all.push(assigned(json!({"cover": changed})));
    }
    let digests: BTreeSet<String> =
        all.iter().map(|document| policy(document).digest().to_string()).collect();
    // An empty list is none.
    assert_eq!(digests.len(), all.len() - 1);
}

#[test]
fn capacities_are_counted() {
    let lead = json!({"a": {"roles": ["lead"], "until": "2026-12-01"}});
    let mut document = assigned(lead.clone());
    let one = Engine::new(&policy(&document)).stats();
    document["users"]["bob"] = json!({"assignments": lead});
    let shared = Engine::new(&policy(&document)).stats();
    document["users"]["bob"]["assignments"]["b"] = json!({"roles": ["lead", "buyer"]});
    let two = Engine::new(&policy(&document)).stats();
    assert_eq!([one.capacities, shared.capacities, two.capacities], [1, 1, 2]);
    assert_eq!([one.rows, two.rows], [1, 1]);
    assert!(two.row_bytes >= shared.row_bytes && two.fact_bytes > shared.fact_bytes);
}

#[test]
fn what_ends_is_listed_with_what_is_lost() {
    let mut document = assigned(json!({
        "over": {"roles": ["buyer"], "until": "2026-11-30"},
        "late": {"roles": ["buyer"], "until": "2026-12-24"},
        "early": {"roles": ["lead"], "until": "2026-12-24T18:00", "label": "Cover"},
        "for good": {"allow": ["jobs.edit"], "from": "2026-12-01"}}));
    document["users"]["bob"] = json!({
        "suspended": true,
        "assignments": {"x": {"roles": ["lead"], "until": "2026-12-01"}}});
    let engine = Engine::new(&policy(&document));
    let told = |today, before| -> Vec<String> {
        let ending = engine.expiring(moment(today), moment(before));
        let line = ending.iter().map(|it| {
            let lost: Vec<String> = it.loses.iter().map(ToString::to_string).collect();
            format!("{} {} {} {:?} {}", it.user, it.assignment, it.until, it.label, lost.join(" "))
        });
        line.collect()
    };
    assert_eq!(
        told("2026-12-01", "2026-12-25"),
        [
            "bob x 2026-12-01 None ",
            "ann early 2026-12-24T18:00 Some(\"Cover\") ",
            "ann late 2026-12-24 None orders",
        ]
    );
    assert_eq!(told("2026-12-02", "2026-12-24T18:00").len(), 1);
    assert_eq!(told("2026-12-02", "2026-12-24T17:59").len(), 0);
    assert_eq!(told("2026-11-30", "2026-12-01"), ["ann over 2026-11-30 None "]);
}

/// What is carried in an assignment counts, and suspension does not.
#[test]
fn separations_that_are_broken_or_cannot_be_are_found() {
    let mut document = assigned(json!({"a": {"roles": ["buyer"], "until": "2026-12-01"}}));
    document["users"]["ann"]["roles"] = json!(["lead"]);
    document["users"]["bob"] = json!({"roles": ["lead", "buyer"], "suspended": true});
    document["users"]["root"] = json!({"admin": true});
    document["users"]["zoe"] = json!({"roles": ["buyer"]});
    document["governance"] = json!({"separation": [
        {"name": "broken", "permissions": ["jobs.edit", "orders"], "at_most": 1},
        {"name": "held", "permissions": ["jobs", "orders"], "at_most": 2},
        {"name": "none", "permissions": ["orders"], "at_most": 0}]});
    let policy = policy(&document);
    let engine = Engine::new(&policy);
    let violations = engine.violations();
    let told = violations.iter().map(|it| (it.separation, it.user, it.permissions.join(" ")));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("broken", "ann", "jobs.edit orders".to_owned()),
            ("broken", "bob", "jobs.edit orders".to_owned()),
            ("none", "ann", "orders".to_owned()),
            ("none", "bob", "orders".to_owned()),
            ("none", "zoe", "orders".to_owned()),
        ]
    );
    let findings: Vec<String> = policy.lint().iter().map(ToString::to_string).collect();
    assert_eq!(
        findings,
        [
            "governance.separation[0]: `ann` holds `jobs.edit`, `orders`, which `broken` keeps \
             apart (so does another user); take some of them away",
            "governance.separation[1]: nobody can hold as much as `held` keeps apart; lower \
             `at_most`, or grant its permissions somewhere",
            "governance.separation[2]: `ann` holds `orders`, which `none` keeps apart (so do 2 \
             other users); take some of them away",
        ]
    );
}

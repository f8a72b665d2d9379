//! One user's part of a policy answers about that user as the policy does, and has nothing of
//! anybody else.

use std::collections::{BTreeSet, HashMap};

use grantree::document::UserEntry;
use grantree::policy_test::{Answer, Given, Principal, Question};
use grantree::{Document, Engine, PermissionForm, Policy, SourceName};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use crate::{CASES, check};

#[test]
fn a_users_part_answers_as_the_policy_does() {
    check(CASES, |case, policy| {
        let engine = Engine::new(policy);
        let mut parts: HashMap<String, Engine> = HashMap::new();
        let mut compared = 0;
        for step in &case.steps {
            let Ok(question) = serde_json::from_value::<Question>(step.clone()) else { continue };
            let Some(user) = asked_of(&question) else { continue };
            let Ok(answer) = question.ask(&engine) else { continue };
            if !parts.contains_key(user) {
                let Some(part) = policy.extract(user) else { continue };
                parts.insert(user.to_owned(), Engine::new(&made_of(&part)?));
            }
            compared += 1;
            match question.ask(&parts[user]) {
                Ok(of_part) => prop_assert_eq!(of_part, answer, "{}", question),
                // Of what it does not know, everything is denied.
                Err(_) => prop_assert!(is_no(policy, &question, &answer), "{question}: {answer:?}"),
            }
        }
        Ok(compared)
    });
}

#[test]
fn a_users_part_has_nothing_of_others() {
    check(CASES / 4, |_, policy| {
        let mut compared = 0;
        for user in policy.users() {
            let entry = policy.user(user).expect("a user of the policy");
            let part = policy.extract(user).expect("a part");
            prop_assert!(part.users.iter().map(|(name, _)| name).eq([user]));
            let held = held(policy, &entry);
            let profiles = part.profiles.iter().map(|(name, _)| SourceName::Profile(name.into()));
            let roles = part.roles.iter().map(|(name, _)| SourceName::Role(name.into()));
            let groups = part.approval_groups.iter();
            let groups = groups.map(|(name, _)| SourceName::ApprovalGroup(name.into()));
            let all: BTreeSet<String> =
                profiles.chain(roles).chain(groups).map(|it| it.to_string()).collect();
            prop_assert_eq!(all, held, "{}", user);
            prop_assert_eq!(&part.governance, &Default::default());
            prop_assert_eq!(&part.default_profile, &None);
            // Nothing more can be left out.
            prop_assert_eq!(made_of(&part)?.extract(user), Some(part));
            compared += 10;
        }
        Ok(compared)
    });
}

/// Makes a policy of a document that was written and read.
fn made_of(part: &Document) -> Result<Policy, TestCaseError> {
    let text = serde_json::to_string(part).expect("JSON");
    let document: Document = serde_json::from_str(&text).expect("a document");
    Policy::try_from(document).map_err(|it| TestCaseError::fail(format!("{it}: {text}")))
}

/// The user of a question about one user alone.
fn asked_of(question: &Question) -> Option<&str> {
    let (user, within) = match question {
        Question::Can { user, within, .. }
        | Question::CanSome { user, within, .. }
        | Question::Level { user, within, .. }
        | Question::Effective { user, within, .. }
        | Question::Why { user, within, .. }
        | Question::Filter { user, within, .. } => (user, matches!(within, Given::Absent)),
        Question::Setting { user, .. } => (user, true),
        _ => return None,
    };
    match user {
        Principal::User(user) if within => Some(user),
        _ => None,
    }
}

fn is_no(policy: &Policy, question: &Question, answer: &Answer) -> bool {
    match (question, answer) {
        (Question::Level { permission, .. }, Answer::Text(level)) => {
            let node = policy.permission(permission).expect("the policy knows it");
            matches!(node.form(), PermissionForm::Graded([lowest, ..]) if **lowest == **level)
        }
        (Question::Why { .. }, Answer::Text(reason)) => reason != "granted" && reason != "admin",
        (_, Answer::Boolean(yes)) => !yes,
        (_, Answer::List(all)) => all.iter().all(|it| *it == Answer::Boolean(false)),
        _ => false,
    }
}

/// The sources of a user, those of assignments and included ones as well.
fn held(policy: &Policy, entry: &UserEntry) -> BTreeSet<String> {
    let assignments = || entry.assignments.iter().map(|(_, assignment)| assignment);
    let profiles = entry.profile.iter().cloned().map(SourceName::Profile);
    let roles = entry.roles.iter().chain(assignments().flat_map(|it| &it.roles)).cloned();
    let groups = entry.approval_groups.iter();
    let groups = groups.chain(assignments().flat_map(|it| &it.approval_groups)).cloned();
    let groups = groups.map(SourceName::ApprovalGroup);
    let mut open: Vec<SourceName> =
        profiles.chain(roles.map(SourceName::Role)).chain(groups).collect();
    let mut held = BTreeSet::new();
    while let Some(source) = open.pop() {
        if held.insert(source.to_string()) {
            let included = policy.source(&source).expect("a source of the policy").includes;
            open.extend(included.into_iter().map(SourceName::Role));
        }
    }
    held
}

//! Many questions of one asker, held to the same ones each by itself, which test documents
//! ask and the oracle answers.

use std::collections::BTreeSet;

use grantree::object::DynamicObject;
use grantree::policy_test::{Principal, Question};
use grantree::{Asker, Engine, Moment, Permission};

use crate::explanations::{asker, check, given};
use support::random::Case;

/// Actions and objects that a case asks about.
struct Asked {
    actions: Vec<Permission>,
    objects: Vec<DynamicObject>,
}

impl Asked {
    fn of(case: &Case, engine: &Engine) -> Asked {
        let mut names = BTreeSet::new();
        let mut objects = Vec::new();
        for step in &case.steps {
            match serde_json::from_value(step.clone()) {
                Ok(Question::Can { action, object, .. }) => {
                    names.insert(action);
                    objects.extend(object);
                }
                Ok(Question::Level { permission, .. }) => {
                    names.insert(permission);
                }
                _ => {}
            }
        }
        let actions = names.iter().filter_map(|name| engine.permission(name).ok()).collect();
        Asked { actions, objects }
    }
}

#[test]
fn many_questions_are_answered_as_one_by_one() {
    check(|case, engine, question| {
        let Question::Can { user, within, action, object, today } = question else { return None };
        let (action, today) = (engine.permission(&action).ok()?, given(&today)?);
        let known = match &user {
            Principal::User(name) => engine.user(name).ok(),
            _ => None,
        };
        let mut asker = asker(engine, user)?;
        let within = given(&within)?;
        if let Some(within) = &within {
            asker = asker.asker().within(within).ok()?;
        }
        let owned = asker;
        let asker = owned.asker();
        let Asked { actions, objects } = Asked::of(case, engine);
        let on = (object.as_ref(), today);
        let can: Vec<bool> = actions.iter().map(|&it| asker.can(it, on)).collect();
        let can_objects: Vec<bool> =
            objects.iter().map(|it| asker.can(action, (it, today))).collect();
        if let (Some(user), None) = (known, within) {
            let one_by_one: Vec<bool> =
                actions.iter().map(|&it| engine.can(user, it, on)).collect();
            assert_eq!(one_by_one, can, "{}", case.policy);
            assert_eq!(engine.can_actions(user, &actions, on), can, "{}", case.policy);
            assert_eq!(engine.can_objects(user, action, &objects, today), can_objects);
            let levels = actions.iter().map(|&it| engine.level(user, it, on));
            assert!(levels.eq(asker.levels(&actions, on)), "{}", case.policy);
        }
        agrees(asker, (&actions, &can), (action, &objects, &can_objects), on);
        // In another thread.
        std::thread::scope(|threads| {
            threads.spawn(|| {
                agrees(owned.asker(), (&actions, &can), (action, &objects, &can_objects), on);
            });
        });
        Some(())
    });
}

fn agrees(
    asker: Asker<'_>,
    (actions, can): (&[Permission], &[bool]),
    (action, objects, can_objects): (Permission, &[DynamicObject], &[bool]),
    on: (Option<&DynamicObject>, Option<Moment>),
) {
    assert_eq!(asker.can_actions(actions, on), can);
    assert_eq!(asker.can_objects(action, objects, on.1), can_objects);
    let levels = actions.iter().map(|&it| asker.level(it, on));
    assert!(levels.eq(asker.levels(actions, on)));
}

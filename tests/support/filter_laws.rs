//! Laws of filters.

use grantree::document::RelationType;
use grantree::filter::{Filter, Predicate};
use grantree::object::{DynamicObject, Object};
use grantree::policy_test::{Answer, Question};

use super::by_name::ByName;
use super::case::{Case, each, engine, filters, objects};
use super::laws::{turned_catalogue, turned_sources};

/// A filter matches an object exactly if `can` says yes on it: for every user and
/// action, on every object of the case, also those of other kinds.
pub fn filter_agrees_with_can(case: &Case) {
    let engine = case.engine();
    let objects = objects(case);
    for (user, action, today) in filters(case) {
        let Ok(filter) = engine.filter_by_name(user, action, today) else {
            assert!(engine.check(user, action, ()).is_err());
            continue;
        };
        let (user, action) = (engine.user(user), engine.permission(action).expect("it is known"));
        for &object in &objects {
            let can =
                user.as_ref().is_ok_and(|&user| engine.can(user, action, (Some(object), today)));
            assert_eq!(filter.matches(object), can, "{filter} of {object}");
        }
    }
}

/// The filter of a subject, or of somebody who is narrowed to an entry, matches an object
/// exactly if `can` says yes on it.
pub fn filters_of_askers_agree_with_can(case: &Case) {
    let engine = case.engine();
    let kinds = &case.document.catalogue.objects;
    let known = |object: &&DynamicObject| kinds.get(object.kind()).is_some();
    let objects: Vec<_> = objects(case).into_iter().filter(known).cloned().collect();
    for question in &case.questions {
        let (Question::Can { user, within, action, today, .. }
        | Question::Why { user, within, action, today, .. }
        | Question::Filter { user, within, action, today, .. }) = question.clone()
        else {
            continue;
        };
        let can = objects.iter().cloned().map(|object| {
            let (user, within, action) = (user.clone(), within.clone(), action.clone());
            let can =
                Question::Can { user, within, action, object: Some(object), today: today.clone() };
            can.ask(&engine).ok()
        });
        let can: Option<Vec<_>> = can.collect();
        let objects = objects.clone();
        let filter = Question::Filter { user, within, action, objects, today };
        match (filter.ask(&engine), can) {
            (Ok(filter), Some(can)) => {
                assert_eq!(filter.to_string(), Answer::List(can).to_string(), "{question}");
            }
            (Err(_), None) => {}
            (Err(_), Some(can)) => assert!(can.is_empty(), "{question}"),
            (Ok(_), None) => panic!("{question}"),
        }
    }
}

/// Users about whom the policy says the same have the same filters, apart from who
/// they are, even if it says it in another order.
pub fn equal_users_get_equal_filters(case: &Case) {
    let twin = |name: &str| format!("{name}'s twin");
    let mut document = case.document.clone();
    for (name, user) in case.document.users.iter() {
        document.users.push(twin(name), user.clone());
    }
    document.roles = each(document.roles, |role| role.unique = false);
    let turned = engine(&turned_catalogue(&turned_sources(&document)));
    let engine = engine(&document);
    for (user, action, today) in filters(case) {
        let Ok(filter) = engine.filter_by_name(user, action, today) else { continue };
        let other = engine.filter_by_name(&twin(user), action, today).expect("it is known");
        assert_eq!(filter.kind(), other.kind());
        assert_eq!(filter.predicate(), other.predicate());
        assert_eq!(filter.definitions(), other.definitions());
        assert_eq!(filter.groups(), other.groups());
        match filter.user() {
            Some(name) => assert_eq!((name, other.user()), (user, Some(twin(user).as_str()))),
            None => assert_eq!(filter, other),
        }
        if filter.definitions().is_empty() {
            assert_eq!(turned.filter_by_name(user, action, today), Ok(filter));
        }
    }
}

/// A filter is in normal form, prints on one line and serializes.
pub fn filters_are_in_normal_form(case: &Case) {
    let engine = case.engine();
    for (user, action, today) in filters(case) {
        let Ok(filter) = engine.filter_by_name(user, action, today) else { continue };
        let text = filter.to_string();
        assert!(!text.is_empty() && !text.contains('\n'), "{text}");
        let data = serde_json::to_value(&filter).expect("a filter serializes");
        assert_eq!(data["kind"].as_str(), filter.kind());
        let count = |text: &str| text.matches("\"relation\":").count();
        let relations = count(&data.to_string());
        let tested = |names| asks_for(&filter, names);
        assert_eq!(relations > 0, tested(RelationType::User) || tested(RelationType::Group));
        assert_eq!(filter.user().is_some(), tested(RelationType::User), "{text}");
        assert!(filter.groups().is_empty() || tested(RelationType::Group), "{text}");
        assert!(filter.groups().is_sorted());
        match filter.predicate() {
            Predicate::None => assert_eq!(text, "nothing"),
            Predicate::All => {}
            predicate => is_normal(predicate, &text),
        }
        filter.definitions().iter().for_each(|definition| is_normal(definition, &text));
    }
}

/// Neither constants nor joins of the same kind within a join, nothing twice,
/// and a relation tested once among the parts.
fn is_normal(predicate: &Predicate, text: &str) {
    let (parts, is_and) = match predicate {
        Predicate::And(parts) => (parts, true),
        Predicate::Or(parts) => (parts, false),
        Predicate::All | Predicate::None => panic!("a constant in {text}"),
        Predicate::Relation { states, .. } => return assert!(!states.is_empty(), "{text}"),
        Predicate::OneOf { values, .. } => {
            return assert!(!values.is_empty() && values.is_sorted(), "{text}");
        }
        Predicate::Names { any_of, .. } => {
            let is_list = any_of.windows(2).all(|pair| pair[0] < pair[1]);
            return assert!(!any_of.is_empty() && is_list, "{text}");
        }
        _ => return,
    };
    assert!(parts.len() > 1, "{text}");
    for (at, part) in parts.iter().enumerate() {
        match part {
            Predicate::And(_) => assert!(!is_and, "{text}"),
            Predicate::Or(_) => assert!(is_and, "{text}"),
            _ => {}
        }
        let again = parts[..at].iter().any(|before| match (before, part) {
            (Predicate::Relation { name, .. }, Predicate::Relation { name: other, .. }) => {
                name == other
            }
            (Predicate::Names { name, .. }, Predicate::Names { name: other, .. }) => {
                // It may name several, one of each.
                if is_and { before == part } else { name == other }
            }
            _ => before == part,
        });
        assert!(!again, "{text}");
        is_normal(part, text);
    }
}

fn asks_for(filter: &Filter, those: RelationType) -> bool {
    fn asks_for(predicate: &Predicate, those: RelationType) -> bool {
        match predicate {
            Predicate::And(parts) | Predicate::Or(parts) => {
                parts.iter().any(|part| asks_for(part, those))
            }
            Predicate::Relation { names, .. } => *names == those,
            _ => false,
        }
    }
    let mut all = std::iter::once(filter.predicate()).chain(filter.definitions());
    all.any(|predicate| asks_for(predicate, those))
}

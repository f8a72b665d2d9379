//! Many questions at once have the same answers as one by one.

use super::by_name::ByName;
use std::collections::{BTreeMap, BTreeSet};

use grantree::explain::{AccessSource, Statement};
use grantree::filter::Columns;
use grantree::object::{DynamicObject, Object, Value};
use grantree::{Reason, SourceName};

use super::ask::Ask;
use super::case::{Case, asks, filters, objects};

/// For many actions, and for many objects, the answers are those for each alone.
pub fn bulk_agrees_with_can(case: &Case) {
    let engine = case.engine();
    let names: BTreeSet<String> = asks(case).map(|ask| ask.action).collect();
    let actions: Vec<_> = names.iter().filter_map(|name| engine.permission(name).ok()).collect();
    let objects = objects(case);
    for Ask { user, action, object, today } in asks(case) {
        let Ok(user) = engine.user(&user) else { continue };
        let on = (object.as_ref(), today);
        let one_by_one: Vec<bool> =
            actions.iter().map(|&action| engine.can(user, action, on)).collect();
        assert_eq!(engine.can_actions(user, &actions, on), one_by_one);
        let Ok(action) = engine.permission(&action) else { continue };
        let one_by_one: Vec<bool> =
            objects.iter().map(|object| engine.can(user, action, (Some(*object), today))).collect();
        assert_eq!(engine.can_objects(user, action, objects.iter().copied(), today), one_by_one);
    }
}

/// From objects in columns, a filter selects those that it matches.
pub fn select_agrees_with_matches(case: &Case) {
    let engine = case.engine();
    // Objects of a kind that carry the same relations, which is what a table has;
    // often enough to fill more than a word.
    let mut tables: BTreeMap<(&str, Vec<&str>), Vec<&DynamicObject>> = BTreeMap::new();
    for object in objects(case) {
        tables.entry((object.kind(), object.relations().collect())).or_default().push(object);
    }
    for ((kind, relations), objects) in &tables {
        let rows: Vec<&DynamicObject> =
            objects.iter().cycle().take(objects.len() * 30).copied().collect();
        let names: BTreeSet<&str> = rows.iter().flat_map(|row| row.attributes()).collect();
        let related: Vec<Vec<&[String]>> = relations
            .iter()
            .map(|name| rows.iter().map(|row| row.related(name).unwrap_or_default()).collect())
            .collect();
        let values: Vec<Vec<Option<Value<'_>>>> =
            names.iter().map(|name| rows.iter().map(|row| row.attribute(name)).collect()).collect();
        let codes: Vec<u32> = (0..rows.len() as u32).rev().collect();
        let reversed: Vec<Vec<Option<Value<'_>>>> =
            values.iter().map(|values| values.iter().rev().copied().collect()).collect();
        for (user, action, today) in filters(case) {
            let Ok(filter) = engine.filter_by_name(user, action, today) else { continue };
            let mut table = Columns::new(kind, rows.len());
            for (name, related) in relations.iter().zip(&related) {
                table = table.relation(name, related);
            }
            let mut coded = table;
            for (name, reversed) in names.iter().zip(&reversed) {
                coded = coded.coded_attribute(name, &codes, reversed);
            }
            let by_code = filter.select(&coded);
            let mut table = coded;
            for (name, values) in names.iter().zip(&values) {
                table = table.attribute(name, values);
            }
            let selected = filter.select(&table);
            assert_eq!(selected, by_code);
            assert_eq!(selected.len(), rows.len().div_ceil(64));
            for at in 0..selected.len() * 64 {
                let expected = rows.get(at).is_some_and(|row| filter.matches(*row));
                assert_eq!(selected[at / 64] >> (at % 64) & 1 == 1, expected, "row {at}: {filter}");
            }
        }
    }
}

/// The users who can by some source are those who can, and the sources are those
/// that the explanation names.
pub fn who_can_by_source_agrees_with_explain(case: &Case) {
    let engine = case.engine();
    for Ask { action, object, today, .. } in asks(case) {
        let Ok(action) = engine.permission(&action) else { continue };
        let on = (object.as_ref(), today);
        let found = engine.who_can_by_source(action, on);
        let users: BTreeSet<&str> = found.iter().flat_map(|group| group.users.clone()).collect();
        assert_eq!(users.len(), found.iter().map(|group| group.users.len()).sum::<usize>());
        assert_eq!(users, engine.who_can(action, on).into_iter().collect());
        for group in &found {
            for &user in &group.users {
                let told = engine.explain(engine.user(user).expect("one of them"), action, on);
                let assignments =
                    |name: &str| &case.document.users.get(name).expect("a user").assignments;
                if object.is_none() && !assignments(user).is_empty() {
                    // On some object and day another capacity may be the one.
                    continue;
                }
                let way = |statement: &Statement| match statement.source.source.clone() {
                    SourceName::User(_) if statement.place.contains(".assignments") => {
                        let assignment = told.assignment.as_ref().expect("it is in one");
                        AccessSource::Assignment(assignment.assignment.name.clone())
                    }
                    SourceName::User(name) => {
                        assert_eq!(name, user);
                        AccessSource::Own
                    }
                    source => AccessSource::Source(source),
                };
                if told.reason == Reason::Admin {
                    assert_eq!(group.sources, [AccessSource::Admin]);
                    continue;
                }
                let account = told.permissions.first().expect("a decision that is told of");
                let scopes = account
                    .scopes
                    .iter()
                    .filter(|scope| scope.reason.allowed() && (object.is_none() || scope.fits()));
                let grants = scopes.map(|scope| &scope.grant).chain([&account.grant]);
                let mut implied = false;
                let decisive: Vec<AccessSource> = grants
                    .flat_map(|grant| {
                        implied |= !grant.implied_by.is_empty();
                        grant.statements.iter().filter(|statement| statement.decides).map(way)
                    })
                    .collect();
                // For an implied permission, the sources of what implies it are listed.
                assert!(!group.sources.is_empty());
                assert!(decisive.iter().all(|way| group.sources.contains(way)), "{told}");
                assert!(
                    implied || group.sources.iter().all(|way| decisive.contains(way)),
                    "{told}"
                );
            }
        }
    }
}

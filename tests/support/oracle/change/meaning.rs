//! Documents without what has no meaning.

use serde_json::{Map, Value, json};

use super::super::catalogue::Catalogue;
use super::super::json::{entries, list};
use super::super::terms::fits;
use super::fit::LISTS;
use super::name::{Kind, remove, set_list};

/// Normalizes the order of patterns, of a guard's roles, of features and of names in terms; other statements on
/// exactly a pattern that is forbidden; and `*` in the terms of assignments, which stands for
/// kinds. "Map order has no meaning but where a rule names it."
pub fn meaning(document: &Value) -> Value {
    let mut normal = document.clone();
    sort(&mut normal["licence"], "features");
    settle(&mut normal["global"]);
    for kind in Kind::BUNDLED {
        for source in normal[kind.field()].as_object_mut().into_iter().flatten() {
            settle(source.1);
            if source.1["assignable_by"].is_array() {
                let mut guard = list(source.1, "assignable_by");
                guard.sort();
                guard.dedup();
                source.1["assignable_by"] = json!(guard);
            } else {
                remove(source.1, "assignable_by");
            }
        }
    }
    let catalogue = Catalogue::new(document);
    for (_, user) in normal["users"].as_object_mut().into_iter().flatten() {
        settle(user);
        for (_, assignment) in user["assignments"].as_object_mut().into_iter().flatten() {
            settle(assignment);
            spell_out(&catalogue, &mut assignment["on"]);
            for (_, conditions) in assignment["on"].as_object_mut().into_iter().flatten() {
                let is_of_texts =
                    |it: &Value| it.as_array().is_some_and(|it| it.iter().all(Value::is_string));
                let lists = entries(conditions).filter(|(_, it)| is_of_texts(it));
                let names: Vec<String> = lists.map(|(name, _)| name.to_owned()).collect();
                names.iter().for_each(|name| sort(conditions, name));
            }
        }
    }
    normal
}

fn settle(source: &mut Value) {
    let forbidden = list(source, "forbid");
    for (field, _) in LISTS {
        let mut patterns = list(source, field);
        patterns.retain(|pattern| field == "forbid" || !forbidden.contains(pattern));
        if source.is_object() {
            set_list(source, field, &patterns);
            sort(source, field);
        }
    }
    if let Some(levels) = source["levels"].as_object_mut() {
        levels.retain(|pattern, _| !forbidden.contains(pattern));
    }
    if source["levels"].as_object().is_none_or(Map::is_empty) {
        remove(source, "levels");
    }
}

fn sort(holder: &mut Value, field: &str) {
    if holder[field].is_array() {
        let mut names = list(holder, field);
        names.sort();
        names.dedup();
        holder[field] = json!(names);
    } else {
        remove(holder, field);
    }
}

fn spell_out(catalogue: &Catalogue, on: &mut Value) {
    let Some(others) = on.as_object_mut().and_then(|on| on.remove("*")) else { return };
    for (name, kind) in &catalogue.kinds {
        let fit = entries(&others).all(|(name, condition)| fits(kind, name, condition));
        if fit && on.get(name).is_none() {
            on[name] = others.clone();
        }
    }
}

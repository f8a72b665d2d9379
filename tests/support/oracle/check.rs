//! The problems of an entry that a question gives (sections 4 and 8): a `subject`, and a
//! `within`.

use serde_json::Value;

use super::bound::has_form;
use super::date;
use super::json::{entries, list, text};
use super::policy::Policy;
use super::source::nearness;
use super::terms::fits;

const LISTS: [&str; 4] = ["allow", "except", "deny", "forbid"];
const DESCRIBED: [&str; 2] = ["label", "description"];
const STATEMENTS: [&str; 6] = ["allow", "except", "deny", "forbid", "levels", "bounds"];
const HELD: [&str; 2] = ["roles", "approval_groups"];

/// "A user entry with a `name`, which is answered as if the document had that user
/// (whatever user of that name it has), and checked like one."
pub fn is_subject(policy: &Policy, subject: &Value) -> bool {
    let name = subject["name"].as_str().unwrap_or_default();
    let groups = list(subject, "groups");
    groups.iter().map(String::as_str).chain([name]).all(is_name)
        && is_entry(policy, subject, name, &["name", "groups"])
}

/// "Another entry without `name` and `groups`, which has those of the asker."
pub fn is_within(policy: &Policy, within: &Value, asker: &str) -> bool {
    is_entry(policy, within, asker, &[])
}

fn is_entry(policy: &Policy, entry: &Value, name: &str, besides: &[&str]) -> bool {
    let own = ["profile", "admin", "suspended", "settings", "assignments"];
    let known = [&DESCRIBED[..], &STATEMENTS, &HELD, &own, besides].concat();
    let is_setting = |(setting, value)| is_setting(policy, setting, value);
    let is_assignment = |(name, assignment)| is_name(name) && is_assignment(policy, assignment);
    has_only(entry, &known)
        && text(entry, "profile").is_none_or(|name| policy.profiles.contains_key(&name))
        && holds_known(policy, entry)
        && list(entry, "roles").iter().all(|role| !has_other_holder(policy, role, name))
        && says_known(policy, entry)
        && entries(&entry["settings"]).all(is_setting)
        && entries(&entry["assignments"]).all(is_assignment)
}

fn has_only(value: &Value, known: &[&str]) -> bool {
    value.is_object() && entries(value).all(|(name, _)| known.contains(&name))
}

/// "Any non-empty text without control characters."
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(char::is_control)
}

fn holds_known(policy: &Policy, holder: &Value) -> bool {
    let roles = list(holder, "roles");
    let groups = list(holder, "approval_groups");
    roles.iter().all(|name| policy.roles.contains_key(name))
        && groups.iter().all(|name| policy.approval_groups.contains_key(name))
}

/// "A second holder of a unique role too" is a problem.
fn has_other_holder(policy: &Policy, role: &str, name: &str) -> bool {
    let holds = |entry: &Value| list(entry, "roles").iter().any(|held| held == role);
    policy.roles[role].unique
        && policy.users.iter().any(|(user, entry)| user != name && holds(entry))
}

/// "A pattern that matches nothing grantable; a level that no matched permission has; a
/// bound of the wrong form."
fn says_known(policy: &Policy, source: &Value) -> bool {
    let catalogue = &policy.catalogue;
    let matched = |pattern: &str| -> Vec<&str> {
        let paths = catalogue.grantable();
        paths.filter(|path| nearness(catalogue, pattern, path).is_some()).collect()
    };
    let matches = |pattern: &String| !matched(pattern).is_empty();
    let is_level = |(pattern, level): (&str, &Value)| {
        let mut paths = matched(pattern).into_iter();
        paths.any(|path| catalogue.node(path).levels.iter().any(|known| level == known))
    };
    LISTS.iter().all(|name| list(source, name).iter().all(matches))
        && entries(&source["levels"]).all(is_level)
        && entries(&source["bounds"]).all(|(name, bound)| is_bound(policy, name, bound))
}

fn is_bound(policy: &Policy, name: &str, bound: &Value) -> bool {
    let attribute = name
        .split_once('.')
        .and_then(|(kind, attribute)| policy.catalogue.kinds.get(kind)?.attributes.get(attribute));
    attribute.is_some_and(|bound_type| has_form(bound, bound_type))
}

pub fn is_setting(policy: &Policy, name: &str, value: &Value) -> bool {
    let Some(setting) = policy.settings.get(name) else { return false };
    let is_value = value.is_string() || value.is_boolean() || value.is_i64();
    is_value && setting["values"].as_array().is_none_or(|values| values.contains(value))
}

/// "One without roles, approval groups and statements, with an empty `on` or an empty list
/// in it, with a unique role (or one that includes it), or within whose terms no moment
/// lies, is a problem."
fn is_assignment(policy: &Policy, assignment: &Value) -> bool {
    let terms = ["on", "from", "until"];
    let is_stated = |name: &&str| match &assignment[*name] {
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => false,
    };
    has_only(assignment, &[&DESCRIBED[..], &STATEMENTS, &HELD, &terms].concat())
        && HELD.iter().chain(&STATEMENTS).any(is_stated)
        && holds_known(policy, assignment)
        && policy
            .with_included(&list(assignment, "roles"))
            .iter()
            .all(|role| !policy.roles[role].unique)
        && says_known(policy, assignment)
        && assignment.get("on").is_none_or(|on| is_on(policy, on))
        && has_moments(assignment)
}

fn is_on(policy: &Policy, on: &Value) -> bool {
    let kinds = &policy.catalogue.kinds;
    let fits_all = |kind: &str, stated: &Value| {
        entries(stated).all(|(name, condition)| fits(&kinds[kind], name, condition))
    };
    let is_known = |(kind, stated): (&str, &Value)| match kind {
        "*" => kinds.keys().any(|kind| on.get(kind).is_none() && fits_all(kind, stated)),
        _ => kinds.contains_key(kind) && fits_all(kind, stated),
    };
    let is_empty = |condition: &Value| condition.as_array().is_some_and(Vec::is_empty);
    let has_empty = |stated: &Value| entries(stated).any(|(_, condition)| is_empty(condition));
    entries(on).next().is_some()
        && entries(on).all(is_known)
        && !entries(on).any(|(_, stated)| has_empty(stated))
}

pub fn has_moments(assignment: &Value) -> bool {
    let read = |name: &str, read: fn(&str) -> Option<i64>| match &assignment[name] {
        Value::Null => Some(None),
        value => read(value.as_str()?).map(Some),
    };
    let Some(from) = read("from", date::start) else { return false };
    let Some(until) = read("until", date::end) else { return false };
    from.zip(until).is_none_or(|(from, until)| from < until)
}

//! The terms of an assignment (rule 9).

use std::collections::BTreeMap;

use serde_json::Value;

use super::bound::{has_form, passes};
use super::catalogue::Kind;
use super::date::{self, Today};
use super::json::{entries, text, texts};
use super::policy::Policy;

/// The terms of an assignment.
pub struct Terms {
    /// Conditions by kind.
    on: Option<BTreeMap<String, Value>>,
    /// The first second.
    from: Option<i64>,
    /// The second after the last.
    until: Option<i64>,
}

impl Terms {
    pub fn read(assignment: &Value) -> Terms {
        let on = assignment.get("on").map(|on| {
            entries(on).map(|(kind, stated)| (kind.to_owned(), stated.clone())).collect()
        });
        Terms {
            on,
            from: text(assignment, "from").map(|text| date::start(&text).expect("a date")),
            until: text(assignment, "until").map(|text| date::end(&text).expect("a date")),
        }
    }

    /// Returns `true` if there is an `on`.
    pub fn name_objects(&self) -> bool {
        self.on.is_some()
    }

    /// "Today lies within them. Without a today they do not hold." And: "a today that is
    /// only a date lies within them if the whole day does".
    pub fn dates_hold(&self, today: Option<Today>) -> bool {
        let begun = self.from.is_none_or(|from| today.is_some_and(|it| from <= it.start));
        let over = self.until.is_some_and(|until| today.is_none_or(|it| it.end > until));
        begun && !over
    }

    /// "The question has an object, of a kind that `on` names, which fits all that is
    /// stated there."
    pub fn fit(&self, policy: &Policy, object: Option<&Value>, today: Option<Today>) -> bool {
        if self.on.is_none() {
            return true;
        }
        let Some(object) = object else { return false };
        let name = object["kind"].as_str().expect("a kind");
        let Some(stated) = self.stated(policy, name) else { return false };
        let kind = &policy.catalogue.kinds[name];
        entries(stated)
            .all(|(name, condition)| is_met(policy, kind, name, condition, object, today))
    }

    /// Returns `true` if `on` covers a kind.
    pub fn cover(&self, policy: &Policy, kind: &str) -> bool {
        self.stated(policy, kind).is_some()
    }

    /// The second after the last, if there is one.
    pub fn end(&self) -> Option<i64> {
        self.until
    }

    /// "Terms cover terms if their dates contain the others' and their `on` is absent, or
    /// both have one and each kind of the others is in it with conditions that contain the
    /// others'", which `contains` tells of a kind, a name and two conditions, the wider first.
    pub fn cover_those(
        &self,
        policy: &Policy,
        others: &Terms,
        contains: impl Fn(&Kind, &str, &Value, &Value) -> bool,
    ) -> bool {
        let begins = self.from.is_none_or(|from| others.from.is_some_and(|other| from <= other));
        let ends = self.until.is_none_or(|until| others.until.is_some_and(|it| it <= until));
        let is_covered = |(name, kind): (&String, &Kind)| {
            let Some(narrow) = others.stated(policy, name) else { return true };
            let Some(wide) = self.stated(policy, name) else { return false };
            // "Fewer or equal relations and attributes named."
            entries(wide).all(|(name, wide)| {
                narrow.get(name).is_some_and(|narrow| contains(kind, name, wide, narrow))
            })
        };
        let covers = match (&self.on, &others.on) {
            (None, _) => true,
            (Some(_), None) => false,
            _ => policy.catalogue.kinds.iter().all(is_covered),
        };
        begins && ends && covers
    }

    /// The conditions for a kind. "`*` in the place of a kind stands for every kind that
    /// `on` does not name and that declares all that is stated there, in a type that it
    /// fits."
    pub fn stated(&self, policy: &Policy, kind: &str) -> Option<&Value> {
        let on = self.on.as_ref()?;
        let declared = &policy.catalogue.kinds[kind];
        let is_fit = |stated: &&Value| {
            entries(stated).all(|(name, condition)| fits(declared, name, condition))
        };
        on.get(kind).or_else(|| on.get("*").filter(is_fit))
    }
}

/// Returns `true` if a kind declares a relation or an attribute in a type that a
/// condition fits.
pub fn fits(kind: &Kind, name: &str, condition: &Value) -> bool {
    if kind.relations.contains_key(name) {
        let names = condition.as_array();
        return names.is_some_and(|names| names.iter().all(Value::is_string));
    }
    kind.attributes.get(name).is_some_and(|bound_type| has_form(condition, bound_type))
}

/// "The relation names one of those users, or one of those groups or a group beneath
/// one; the attribute satisfies the bound."
fn is_met(
    policy: &Policy,
    kind: &Kind,
    name: &str,
    condition: &Value,
    object: &Value,
    today: Option<Today>,
) -> bool {
    let Some(relation) = kind.relations.get(name) else {
        let value = object["attributes"].get(name);
        return passes(condition, &kind.attributes[name], value, today);
    };
    let named = texts(&object["relations"][name]);
    let stated = texts(condition);
    let is_stated = |it: &String| match relation.as_str() {
        "user" => stated.contains(it),
        "group" => stated.iter().any(|group| policy.is_within(it, group)),
        _ => panic!("an unknown type: {relation}"),
    };
    named.iter().any(is_stated)
}

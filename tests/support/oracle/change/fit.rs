//! Names and statements that fit a catalogue: else they are `unknown` (a name) or
//! `invalid` (they would break the format).

use serde_json::{Map, Value};

use super::super::bound::has_form;
use super::super::catalogue::{Catalogue, Form};
use super::super::check::{has_moments, is_setting};
use super::super::json::{entries, list};
use super::super::policy::Policy;
use super::super::source::nearness;
use super::super::terms::fits;
use super::{Attempt, Rule};

/// The lists of statements, each with `true` if it restricts.
pub const LISTS: [(&str, bool); 4] =
    [("allow", false), ("except", true), ("deny", true), ("forbid", true)];

/// The fields of statements.
pub const STATEMENTS: [&str; 7] =
    ["allow", "except", "deny", "forbid", "levels", "bounds", "settings"];

/// "The names of profiles, roles and approval groups, users, groups and assignments are
/// any non-empty text without control characters."
pub fn is_free_name(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

/// "Every key, kind, attribute, relation, setting, feature and edition name is
/// `[A-Za-z0-9_-]+`."
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
}

/// The base of a pattern, and the rest: `base`, `.*` or `.**`; `None` for the base of `*`
/// and `**`.
pub fn parts(pattern: &str) -> (Option<&str>, &str) {
    match pattern {
        "*" | "**" => (None, pattern),
        _ => {
            let base = pattern.strip_suffix(".**").or(pattern.strip_suffix(".*"));
            let base = base.unwrap_or(pattern);
            (Some(base), &pattern[base.len()..])
        }
    }
}

/// "Problems are: … a heading named exactly; a pattern that matches nothing grantable; …
/// any unknown name."
pub fn pattern(catalogue: &Catalogue, text: &str) -> Result<(), Rule> {
    let matches_some =
        || catalogue.grantable().any(|path| nearness(catalogue, text, path).is_some());
    let (base, rest) = parts(text);
    if let Some(base) = base {
        if !base.split('.').all(is_name) {
            return Err(Rule::Invalid);
        }
        let node = catalogue.get(base).ok_or(Rule::Unknown)?;
        if rest.is_empty() && node.form == Form::Heading {
            return Err(Rule::Invalid);
        }
    }
    if matches_some() { Ok(()) } else { Err(Rule::Invalid) }
}

/// "A level that no matched permission has."
pub fn level(catalogue: &Catalogue, text: &str, level: &Value) -> Result<(), Rule> {
    pattern(catalogue, text)?;
    let has_level = |path: &str| catalogue.node(path).levels.iter().any(|known| level == known);
    let matched = |path: &str| nearness(catalogue, text, path).is_some();
    let fits = catalogue.grantable().any(|path| matched(path) && has_level(path));
    if fits { Ok(()) } else { Err(Rule::Invalid) }
}

/// "A bound of the wrong form." Null clears.
pub fn bound(policy: &Policy, attribute: &str, bound: &Value) -> Result<(), Rule> {
    let (kind, name) = attribute.split_once('.').ok_or(Rule::Unknown)?;
    let kind = policy.catalogue.kinds.get(kind).ok_or(Rule::Unknown)?;
    let bound_type = kind.attributes.get(name).ok_or(Rule::Unknown)?;
    if bound.is_null() || has_form(bound, bound_type) { Ok(()) } else { Err(Rule::Invalid) }
}

/// "`values` lists the accepted ones." Null clears.
pub fn setting(policy: &Policy, name: &str, value: &Value) -> Result<(), Rule> {
    if !policy.settings.contains_key(name) {
        return Err(Rule::Unknown);
    }
    let fits = value.is_null() || is_setting(policy, name, value);
    if fits { Ok(()) } else { Err(Rule::Invalid) }
}

/// What does not fit of some statements.
pub struct Misfit {
    pub rule: Rule,
    /// The place in them.
    pub place: String,
    pub restricts: bool,
}

/// Statements without what does not fit, and that; patterns by the names that they have now.
pub fn fitting(
    policy: &Policy,
    source: &Value,
    named: impl Fn(&str) -> Vec<String>,
) -> (Map<String, Value>, Vec<Misfit>) {
    let catalogue = &policy.catalogue;
    let (mut kept, mut misfits) = (Map::new(), Vec::new());
    let mut fits = |judged: Result<(), Rule>, place: String, restricts: bool| {
        misfits.extend(judged.err().map(|rule| Misfit { rule, place, restricts }));
        judged.is_ok()
    };
    for (field, restricts) in LISTS {
        let mut fitting = Vec::new();
        for (at, text) in list(source, field).iter().enumerate() {
            let mut patterns = named(text);
            let place = format!("{field}[{at}]");
            patterns.retain(|text| fits(pattern(catalogue, text), place.clone(), restricts));
            fitting.extend(patterns);
        }
        kept.insert(field.to_owned(), fitting.into());
    }
    let mut levels = Map::new();
    for (text, stated) in entries(&source["levels"]) {
        for pattern in named(text) {
            if !fits(level(catalogue, &pattern, stated), format!("levels.{text}"), false) {
                continue;
            }
            // Where two became one, the lower result counts (rule 1).
            let rank = |level: &Value| {
                let node = catalogue.get(&pattern)?;
                node.levels.iter().position(|known| level == known)
            };
            let known = levels.get(&pattern).map(rank);
            if known.is_none_or(|known| rank(stated) < known) {
                levels.insert(pattern, stated.clone());
            }
        }
    }
    kept.insert("levels".to_owned(), levels.into());
    type Fit = fn(&Policy, &str, &Value) -> Result<(), Rule>;
    let maps: [(&str, Fit, bool); 2] = [("bounds", bound, true), ("settings", setting, false)];
    for (field, judge, restricts) in maps {
        let fitting = entries(&source[field]).filter(|(name, it)| {
            fits(judge(policy, name, it), format!("{field}.{name}"), restricts)
        });
        let fitting = fitting.map(|(name, it)| (name.to_owned(), it.clone()));
        kept.insert(field.to_owned(), Value::Object(fitting.collect()));
    }
    kept.retain(|_, value| !is_empty(value));
    (kept, misfits)
}

/// Returns `true` for an empty list or map.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

pub fn has_statements(source: &Value) -> bool {
    STATEMENTS.iter().any(|field| !source[*field].is_null() && !is_empty(&source[*field]))
}

impl Attempt<'_> {
    /// Refuses statements that do not fit.
    pub(super) fn must_fit(&mut self, source: &Value) {
        let (_, misfits) = fitting(&self.policy, source, |pattern| vec![pattern.to_owned()]);
        self.refusals.extend(misfits.into_iter().map(|misfit| misfit.rule));
    }

    /// "One without roles, approval groups and statements, with an empty `on` or an empty
    /// list in it, with a unique role (or one that includes it), or within whose terms no
    /// moment lies, is a problem."
    pub(super) fn must_be_an_assignment(&mut self, assignment: &Value) {
        self.must_fit(assignment);
        let held = super::name::held(assignment);
        self.refuse_if(held.is_empty() && !has_statements(assignment), Rule::Invalid);
        for name in &held {
            if self.knows(name) {
                let mut all = name.with_included(&self.policy).into_iter();
                let unique = all.any(|role| self.is_unique(&role));
                self.refuse_if(unique, Rule::Invalid);
            }
        }
        self.refuse_if(!has_moments(assignment), Rule::Invalid);
        if let Some(on) = assignment.get("on") {
            self.refuse_if(is_empty(on), Rule::Invalid);
            for (kind, stated) in entries(on) {
                for (_, condition) in entries(stated) {
                    self.refuse_if(condition.as_array().is_some_and(Vec::is_empty), Rule::Invalid);
                }
                self.must_cover(on, kind, stated);
            }
        }
    }

    fn must_cover(&mut self, on: &Value, name: &str, stated: &Value) {
        let kinds = &self.policy.catalogue.kinds;
        if name == "*" {
            let mut others = kinds.iter().filter(|(kind, _)| on.get(kind.as_str()).is_none());
            let fit =
                others.any(|(_, kind)| entries(stated).all(|(name, it)| fits(kind, name, it)));
            return self.refuse_if(!fit, Rule::Invalid);
        }
        let Some(kind) = kinds.get(name) else { return self.refuse(Rule::Unknown) };
        let is_declared =
            |name: &str| kind.relations.contains_key(name) || kind.attributes.contains_key(name);
        let judged = entries(stated).map(|(name, it)| match () {
            () if !is_declared(name) => Err(Rule::Unknown),
            () if !fits(kind, name, it) => Err(Rule::Invalid),
            () => Ok(()),
        });
        let refusals: Vec<Rule> = judged.filter_map(Result::err).collect();
        self.refusals.extend(refusals);
    }
}

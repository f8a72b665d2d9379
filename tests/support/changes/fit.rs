//! Whether names and statements fit a catalogue: not, they are `unknown` (a
//! name) or `invalid` (they would break the format).

use grantree::Document;
use grantree::change::Rule;
use grantree::document::{Bound, BoundType, Fence, Map, SettingValue, Statements};

use super::super::oracle::{Catalogue, Form};
use super::Attempt;

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

/// A permission's path, `base.*`, `base.**`, `*` or `**`. "Problems are: … a
/// heading named exactly; a pattern that matches nothing grantable; … any
/// unknown name."
pub fn pattern(catalogue: &Catalogue<'_>, text: &str) -> Result<(), Rule> {
    let matches_some =
        || catalogue.grantable().any(|path| catalogue.nearness(text, path).is_some());
    if ["*", "**"].contains(&text) {
        return matches_some().then_some(()).ok_or(Rule::Invalid);
    }
    let base = text.strip_suffix(".**").or(text.strip_suffix(".*")).unwrap_or(text);
    if !base.split('.').all(is_name) {
        return Err(Rule::Invalid);
    }
    let node = catalogue.get(base).ok_or(Rule::Unknown)?;
    let names_heading = base == text && node.form == Form::Heading;
    (!names_heading && matches_some()).then_some(()).ok_or(Rule::Invalid)
}

/// "A level that no matched permission has."
pub fn level(catalogue: &Catalogue<'_>, text: &str, level: &String) -> Result<(), Rule> {
    pattern(catalogue, text)?;
    let has_level = |path: &str| catalogue.node(path).levels.contains(level);
    let matched = |path: &str| catalogue.nearness(text, path).is_some();
    let fits = catalogue.grantable().any(|path| matched(path) && has_level(path));
    fits.then_some(()).ok_or(Rule::Invalid)
}

/// "A bound of the wrong form."
pub fn bound(document: &Document, attribute: &str, bound: Option<&Bound>) -> Result<(), Rule> {
    let (kind, name) = attribute.split_once('.').ok_or(Rule::Unknown)?;
    let kind = document.catalogue.objects.get(kind).ok_or(Rule::Unknown)?;
    let form = kind.attributes.get(name).ok_or(Rule::Unknown)?;
    let fits = match bound {
        None | Some(Bound::Any) => true,
        Some(Bound::OneOf(_)) => *form == BoundType::OneOf,
        Some(Bound::Limit(_)) => [BoundType::AtMost, BoundType::AtLeast].contains(form),
        Some(Bound::Flag(_) | Bound::EitherFlag) => *form == BoundType::Flag,
        Some(Bound::Fence(_)) => [BoundType::NotBefore, BoundType::NotAfter].contains(form),
    };
    // "`plus_days` within ±100,000."
    let within = |days: i64| days.unsigned_abs() <= 100_000;
    let is_near = match bound {
        Some(Bound::Fence(Fence::PlusDays(days))) => within(*days),
        Some(Bound::Fence(Fence::Next { plus_days, .. })) => within(*plus_days),
        _ => true,
    };
    (fits && is_near).then_some(()).ok_or(Rule::Invalid)
}

/// "`values` lists the accepted ones."
pub fn setting(document: &Document, name: &str, value: Option<&SettingValue>) -> Result<(), Rule> {
    let setting = document.catalogue.settings.get(name).ok_or(Rule::Unknown)?;
    let accepted = match (&setting.values, value) {
        (Some(values), Some(value)) => values.contains(value),
        _ => true,
    };
    accepted.then_some(()).ok_or(Rule::Invalid)
}

/// What does not fit of some statements: the rule, the place in them, and whether it
/// restricts.
pub type Misfit = (Rule, String, bool);

/// Statements without what does not fit, and that.
pub fn fitting(
    document: &Document,
    catalogue: &Catalogue<'_>,
    given: &Statements,
) -> (Statements, Vec<Misfit>) {
    let mut fitting = given.clone();
    let mut misfits = Vec::new();
    let mut fits = |judged: Result<(), Rule>, place: String, restricts| {
        misfits.extend(judged.err().map(|rule| (rule, place, restricts)));
        judged.is_ok()
    };
    for (list, field, restricts) in [
        (&mut fitting.allow, "allow", false),
        (&mut fitting.except, "except", true),
        (&mut fitting.deny, "deny", true),
        (&mut fitting.forbid, "forbid", true),
    ] {
        let mut at = 0..;
        list.retain(|text| {
            let place = format!("{field}[{}]", at.next().expect("a position"));
            fits(pattern(catalogue, text), place, restricts)
        });
    }
    fitting
        .levels
        .retain(|text, it| fits(level(catalogue, text, it), format!("levels.{text}"), false));
    fitting
        .bounds
        .retain(|name, it| fits(bound(document, name, Some(it)), format!("bounds.{name}"), true));
    fitting.settings.retain(|name, it| {
        fits(setting(document, name, Some(it)), format!("settings.{name}"), false)
    });
    (fitting, misfits)
}

/// "Problems are: duplicate keys."
pub fn says_twice(statements: &Statements) -> bool {
    stands_twice(&statements.levels)
        || stands_twice(&statements.bounds)
        || stands_twice(&statements.settings)
}

pub fn stands_twice<V>(map: &Map<V>) -> bool {
    let count = |wanted: &str| map.iter().filter(|(name, _)| *name == wanted).count();
    map.iter().any(|(name, _)| count(name) > 1)
}

impl Attempt<'_> {
    /// Refuses statements that do not fit.
    pub(super) fn must_fit(&mut self, statements: &Statements) {
        let (_, misfits) = fitting(self.old, &self.catalogue, statements);
        self.refusals.extend(misfits.into_iter().map(|(rule, ..)| rule));
        self.refuse_if(says_twice(statements), Rule::Invalid);
    }
}

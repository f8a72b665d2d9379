//! What an op does to the statements of a source.

use crate::catalogue::{Catalogue, Form, Pattern, check_value};
use crate::document::{Bound, SettingValue};
use crate::names::{keys, number};
use crate::policy::{Inner, Statements};
use crate::problem::{did_you_mean, nearest};

use super::{Op, Rule};

/// What a source states of exactly a pattern, as set by an op.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    Allow,
    Deny,
    Forbid,
    Level(Box<str>),
    Nothing,
}

impl Word {
    pub(super) fn op(&self, pattern: Pattern, catalogue: &Catalogue) -> Op {
        let path = pattern.text(catalogue);
        match self {
            Word::Allow => Op::Allow(path),
            Word::Deny => Op::Deny(path),
            Word::Forbid => Op::Forbid(path),
            Word::Level(level) => Op::Level { path, level: level.to_string() },
            Word::Nothing => Op::Clear(path),
        }
    }
}

/// Appends an item to a list.
pub(super) fn push<T>(list: &mut Box<[T]>, item: T) {
    let mut items = std::mem::take(list).into_vec();
    items.push(item);
    *list = items.into();
}

/// Removes from a list what does not pass.
pub(super) fn retain<T>(list: &mut Box<[T]>, keep: impl FnMut(&T) -> bool) {
    let mut items = std::mem::take(list).into_vec();
    items.retain(keep);
    *list = items.into();
}

impl Statements {
    /// Makes this the only statement of exactly a pattern; returns whether that
    /// makes a difference.
    pub(super) fn say(&mut self, pattern: Pattern, word: &Word) -> bool {
        let before = self.exactly(pattern);
        let same = match &before[..] {
            [] => *word == Word::Nothing,
            [said] => said == word,
            _ => false,
        };
        if same {
            return false;
        }
        for list in [&mut self.allow, &mut self.deny, &mut self.forbid] {
            retain(list, |&known| known != pattern);
        }
        retain(&mut self.levels, |(known, _)| *known != pattern);
        match word {
            Word::Allow => push(&mut self.allow, pattern),
            Word::Deny => push(&mut self.deny, pattern),
            Word::Forbid => push(&mut self.forbid, pattern),
            Word::Level(level) => push(&mut self.levels, (pattern, level.clone())),
            Word::Nothing => {}
        }
        true
    }

    /// All that is stated of exactly a pattern.
    pub(super) fn exactly(&self, pattern: Pattern) -> Vec<Word> {
        let lists =
            [(&self.allow, Word::Allow), (&self.deny, Word::Deny), (&self.forbid, Word::Forbid)];
        let mut said = Vec::new();
        for (list, word) in lists {
            said.extend(list.iter().filter(|&&known| known == pattern).map(|_| word.clone()));
        }
        let levels = self.levels.iter().filter(|(known, _)| *known == pattern);
        said.extend(levels.map(|(_, level)| Word::Level(level.clone())));
        said
    }

    /// Sets the bound of an attribute, or removes it if `None`; returns whether
    /// that makes a difference.
    pub(super) fn bound(&mut self, attribute: u32, bound: Option<&Bound>) -> bool {
        let before = self.bounds.iter().find(|(known, _)| *known == attribute);
        if before.map(|(_, bound)| bound) == bound {
            return false;
        }
        match (self.bounds.iter_mut().find(|(known, _)| *known == attribute), bound) {
            (Some((_, known)), Some(bound)) => *known = bound.clone(),
            (None, Some(bound)) => push(&mut self.bounds, (attribute, bound.clone())),
            (_, None) => retain(&mut self.bounds, |(known, _)| *known != attribute),
        }
        true
    }

    /// Sets the value of a setting, or removes it if `None`; returns whether that
    /// makes a difference.
    pub(super) fn state(&mut self, setting: u32, value: Option<&SettingValue>) -> bool {
        if self.setting(setting) == value {
            return false;
        }
        match (self.settings.iter_mut().find(|(known, _)| *known == setting), value) {
            (Some((_, known)), Some(value)) => *known = value.clone(),
            (None, Some(value)) => push(&mut self.settings, (setting, value.clone())),
            (_, None) => retain(&mut self.settings, |(known, _)| *known != setting),
        }
        true
    }
}

/// Why a text does not fit: the rule, and the message.
pub(super) type Misfit = (Rule, String);

impl Inner {
    /// Parses a text as a pattern.
    pub(super) fn pattern(&self, text: &str) -> Result<Pattern, Misfit> {
        match Pattern::parse(text, &self.catalogue) {
            Ok(pattern) => Ok(pattern),
            Err(Ok(problem)) => Err((Rule::Invalid, problem.to_string())),
            Err(Err(path)) if is_path(path) => {
                let nearest = did_you_mean(path, self.catalogue.paths());
                Err((Rule::Unknown, format!("unknown permission `{path}`{nearest}")))
            }
            Err(Err(_)) => Err((Rule::Invalid, format!("`{text}` is not a pattern"))),
        }
    }

    /// Parses a pattern for a level, which something that it matches must have.
    pub(super) fn level_pattern(&self, text: &str, level: &str) -> Result<Pattern, Misfit> {
        let pattern = self.pattern(text)?;
        match pattern.graded(level, &self.catalogue).next() {
            Some(_) => Ok(pattern),
            None => {
                let nearest = nearest(level, pattern.levels(&self.catalogue));
                let problem = pattern.no_such_level(level, nearest, &self.catalogue);
                Err((Rule::Invalid, problem.to_string()))
            }
        }
    }

    /// The attribute that a bound is for; the bound must fit it.
    pub(super) fn bounded(&self, attribute: &str, bound: Option<&Bound>) -> Result<u32, Misfit> {
        let Some(id) = self.catalogue.attribute(attribute) else {
            let known = self.catalogue.attributes.iter().map(|known| &*known.path);
            let nearest = did_you_mean(attribute, known);
            return Err((Rule::Unknown, format!("unknown attribute `{attribute}`{nearest}")));
        };
        let taken = bound.map_or(Ok(()), |bound| self.catalogue.attribute_at(id).takes(bound));
        taken.map(|()| id).map_err(|kind| (Rule::Invalid, kind.to_string()))
    }

    /// The setting that a value is for; the setting must accept it.
    pub(super) fn stated(&self, name: &str, value: Option<&SettingValue>) -> Result<u32, Misfit> {
        let Some((at, _, setting)) = self.catalogue.settings.get_full(name) else {
            let nearest = did_you_mean(name, keys(&self.catalogue.settings));
            return Err((Rule::Unknown, format!("unknown setting `{name}`{nearest}")));
        };
        let accepted = value.map_or(Ok(()), |value| check_value(name, setting, value));
        accepted.map(|()| number(at)).map_err(|kind| (Rule::Invalid, kind.to_string()))
    }
}

/// Whether a text consists of names joined by dots, known or not.
fn is_path(text: &str) -> bool {
    text.split('.').all(is_name)
}

/// Whether a text is a name: `[A-Za-z0-9_-]+`.
pub(super) fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !text.is_empty() && text.bytes().all(fits)
}

/// What a source's statements come to for one permission: nothing said, denied, or
/// a level. Forbids are not considered.
pub(super) fn says(statements: &Statements, id: u32, catalogue: &Catalogue) -> Option<Option<u32>> {
    let node = catalogue.node(id);
    let (highest, levels) = match &node.form {
        Form::Graded(levels) => (node.width(), &**levels),
        _ => (1, &[][..]),
    };
    let allow = statements.allow.iter().map(|&pattern| (pattern, Some(highest)));
    let deny = statements.deny.iter().map(|&pattern| (pattern, None));
    let graded = statements.levels.iter().filter_map(|(pattern, level)| {
        let level = levels.iter().position(|known| known == level)?;
        Some((*pattern, Some(number(level))))
    });
    let matching: Vec<_> = allow
        .chain(deny)
        .chain(graded)
        .filter(|(pattern, _)| pattern.matches(id, catalogue))
        .map(|(pattern, says)| (pattern.nearness(catalogue), says))
        .collect();
    let nearest = matching.iter().map(|(nearness, _)| *nearness).max()?;
    // `None`, denied, is lower than any level.
    matching.into_iter().filter(|(nearness, _)| *nearness == nearest).map(|(_, says)| says).min()
}

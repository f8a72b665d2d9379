//! Ops on the statements of a source, and the texts in them resolved.

use crate::catalogue::{Catalogue, Pattern, check_value};
use crate::document::{Bound, SettingValue};
use crate::names::{keys, number};
use crate::policy::{Effect, Inner};
use crate::problem::{did_you_mean, nearest};

use super::{Op, Rule};

/// Returns the op that makes an effect, or none, the only one of exactly a pattern.
pub(super) fn op(pattern: Pattern, effect: Option<Effect<'_>>, catalogue: &Catalogue) -> Op {
    let path = pattern.text(catalogue);
    match effect {
        Some(Effect::Allow) => Op::Allow(path),
        Some(Effect::Deny) => Op::Deny(path),
        Some(Effect::Forbid) => Op::Forbid(path),
        Some(Effect::Level(level)) => Op::Level { path, level: level.to_owned() },
        None => Op::Clear(path),
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

/// Returns whether a text consists of names joined by dots, known or not.
fn is_path(text: &str) -> bool {
    text.split('.').all(is_name)
}

/// Returns whether a text is a name: `[A-Za-z0-9_-]+`.
pub(super) fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !text.is_empty() && text.bytes().all(fits)
}

//! Statements and the names of sources resolved: those of a document, of an imported
//! bundle and of a change.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "the method is not general enough in the lifetime of its place"
)]

use std::borrow::Cow;

use smallvec::{SmallVec, smallvec};

use super::{SourceKind, Sources, Statements};
use crate::catalogue::{AttributeId, Catalogue, Pattern, check_value};
use crate::document::{self, Bound, Map, SettingValue};
use crate::ids::SourceId;
use crate::names::{HashSet, IndexMap, keys, number};
use crate::problem::{Faults, Place, PlaceOf, ProblemKind, Seen};

/// Resolves names and statements, and reports those that do not fit.
pub(crate) struct Resolver<'r> {
    pub(crate) catalogue: &'r Catalogue,
    /// Only their names are of interest, and which roles are unique.
    pub(crate) sources: &'r Sources,
    pub(crate) faults: &'r mut Faults,
}

impl Resolver<'_> {
    /// Returns the statements that fit.
    pub(crate) fn statements(
        &mut self,
        stated: &document::Statements,
        place: &Place<'_>,
    ) -> Statements {
        Statements {
            allow: self.patterns(&stated.allow, &place.key("allow")),
            except: self.restricting(|it| it.patterns(&stated.except, &place.key("except"))),
            deny: self.restricting(|it| it.patterns(&stated.deny, &place.key("deny"))),
            forbid: self.restricting(|it| it.patterns(&stated.forbid, &place.key("forbid"))),
            levels: self.levels(&stated.levels, &place.key("levels")),
            bounds: self.restricting(|it| {
                it.entries(
                    &stated.bounds,
                    &place.key("bounds"),
                    |map, path| map.key(path),
                    |it, name, bound, place| {
                        Some((it.attribute(name, Some(bound), place)?, bound.clone()))
                    },
                )
            }),
            settings: self.entries(
                &stated.settings,
                &place.key("settings"),
                |map, name| map.name(name),
                |it, name, value, place| {
                    Some((it.setting(name, Some(value), place)?, value.clone()))
                },
            ),
        }
    }

    /// Resolves something that restricts what users may do.
    pub(super) fn restricting<T>(&mut self, resolve: impl FnOnce(&mut Resolver<'_>) -> T) -> T {
        let &mut Resolver { catalogue, sources, ref mut faults } = self;
        faults.restricting(|faults| resolve(&mut Resolver { catalogue, sources, faults }))
    }

    /// Finds a profile, role or approval group.
    pub(crate) fn source(
        &mut self,
        kind: SourceKind,
        name: &str,
        place: &Place<'_>,
    ) -> Option<SourceId> {
        let found = self.sources.find(kind, name);
        if found.is_some() {
            return found;
        }
        let what = kind.noun();
        let others = [SourceKind::Profile, SourceKind::Role, SourceKind::ApprovalGroup];
        match others.into_iter().find(|&other| self.sources.find(other, name).is_some()) {
            Some(other) => {
                let (name, known, found_as) = (name.to_owned(), Vec::new(), Some(other.noun()));
                let kind = ProblemKind::Unknown { what, name, nearest: None, known, found_as };
                self.faults.push(place, kind);
            }
            None => {
                let known = self.sources.of(kind).map(|(_, name, _)| name);
                self.faults.unknown(place, what, name, known);
            }
        }
        None
    }

    /// Finds those of a list of sources that there are.
    pub(crate) fn sources(
        &mut self,
        kind: SourceKind,
        names: &[String],
        place: &Place<'_>,
    ) -> impl Iterator<Item = SourceId> {
        let names = names.iter().enumerate();
        names.filter_map(move |(at, name)| self.source(kind, name, &place.item(at)))
    }

    fn patterns(&mut self, texts: &[String], place: &Place<'_>) -> Box<[Pattern]> {
        let mut patterns = Vec::with_capacity(texts.len());
        let mut has_former = false;
        for (at, text) in texts.iter().enumerate() {
            let place = place.item(at);
            for text in self.present(text, &place) {
                has_former |= matches!(text, Cow::Owned(_));
                patterns.extend(self.pattern(&text, &place));
            }
        }
        if has_former {
            let mut seen = HashSet::default();
            patterns.retain(|&pattern| seen.insert(pattern));
        }
        patterns.into()
    }

    /// Resolves levels by pattern. Where former paths make two statements of one pattern, the
    /// lower level stays.
    fn levels(&mut self, stated: &Map<String>, place: &Place<'_>) -> Box<[(Pattern, Box<str>)]> {
        let mut seen = Seen::default();
        let mut levels: IndexMap<Pattern, (&str, &str)> = IndexMap::default();
        for (key, level) in stated.iter() {
            seen.insert(key, &place.key(key), self.faults);
            for text in self.present(key, &place.key(key)) {
                let Some(pattern) = self.level_pattern(&text, level, &place.key(key)) else {
                    continue;
                };
                let stating = (key, level.as_str());
                let known = *levels.entry(pattern).or_insert(stating);
                if known.1 == level || !self.faults.leaves_out() {
                    continue;
                }
                let lowers = pattern.lowers(level, known.1, self.catalogue);
                let (kept, dropped) = if lowers { (stating, known) } else { (known, stating) };
                levels.insert(pattern, kept);
                let kind = ProblemKind::Duplicate { name: pattern.text(self.catalogue) };
                self.faults.put_aside(&place.key(dropped.0), kind);
            }
        }
        levels.into_iter().map(|(pattern, (_, level))| (pattern, level.into())).collect()
    }

    /// Returns the texts that take the place of one with a former path, of a pattern or
    /// threshold made for another catalogue (design, section 4); otherwise the text itself.
    pub(super) fn present<'t>(
        &mut self,
        text: &'t str,
        place: &Place<'_>,
    ) -> SmallVec<[Cow<'t, str>; 1]> {
        if !self.faults.leaves_out() {
            return smallvec![text.into()];
        }
        let end = text.find(".*").or_else(|| text.find(':')).unwrap_or(text.len());
        let (path, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        let catalogue = self.catalogue;
        let successors = catalogue.successors(path);
        if successors.is_empty() || !self.faults.count_successors(place, successors.len()) {
            return smallvec![text.into()];
        }
        let texts = successors.iter().map(|&id| format!("{}{rest}", catalogue.node(id).path));
        texts.map(Cow::Owned).collect()
    }

    /// Resolves the entries of a map, each at the place of its key, and reports duplicate
    /// keys.
    fn entries<V, T>(
        &mut self,
        map: &Map<V>,
        place: &Place<'_>,
        place_of: PlaceOf,
        resolve: impl Fn(&mut Self, &str, &V, &Place<'_>) -> Option<T>,
    ) -> Box<[T]> {
        let mut seen = Seen::default();
        let resolved = map.iter().filter_map(|(key, value)| {
            let place = place_of(place, key);
            seen.insert(key, &place, self.faults);
            resolve(self, key, value, &place)
        });
        resolved.collect()
    }

    /// Parses a pattern.
    pub(crate) fn pattern(&mut self, text: &str, place: &Place<'_>) -> Option<Pattern> {
        let (catalogue, faults) = (self.catalogue, &mut *self.faults);
        match Pattern::parse(text, catalogue) {
            Ok(pattern) => return Some(pattern),
            Err(Ok(kind)) => faults.push(place, kind),
            Err(Err(path)) if catalogue.threshold(path).is_ok() => {
                let what = "a level must be stated in `levels`, not with the path";
                faults.push(place, ProblemKind::Unfit { what });
            }
            Err(Err(path)) => faults.unknown(place, "permission", path, catalogue.paths()),
        }
        None
    }

    /// Parses a pattern for a level, which something that it matches must have.
    pub(crate) fn level_pattern(
        &mut self,
        text: &str,
        level: &str,
        place: &Place<'_>,
    ) -> Option<Pattern> {
        let pattern = self.pattern(text, place)?;
        if pattern.graded(level, self.catalogue).next().is_some() {
            return Some(pattern);
        }
        let nearest = self.faults.nearest(level, pattern.levels(self.catalogue));
        self.faults.push(place, pattern.no_such_level(level, nearest, self.catalogue));
        None
    }

    /// Finds the attribute that a bound is for; the bound must fit it.
    pub(crate) fn attribute(
        &mut self,
        path: &str,
        bound: Option<&Bound>,
        place: &Place<'_>,
    ) -> Option<AttributeId> {
        let Some(id) = self.catalogue.attribute(path) else {
            let known = self.catalogue.attributes.values().iter().map(|attribute| &*attribute.path);
            self.faults.unknown(place, "attribute", path, known);
            return None;
        };
        let taken = bound.map_or(Ok(()), |bound| self.catalogue.attribute_at(id).takes(bound));
        self.accept(taken, place)?;
        Some(id)
    }

    /// Checks that there is an edition.
    pub(crate) fn edition(&mut self, name: &str, place: &Place<'_>) -> bool {
        let editions = &self.catalogue.editions;
        let found = editions.contains_key(name);
        if !found {
            self.faults.unknown(place, "edition", name, keys(editions));
        }
        found
    }

    /// Finds the setting that a value is for; the setting must accept it.
    pub(crate) fn setting(
        &mut self,
        name: &str,
        value: Option<&SettingValue>,
        place: &Place<'_>,
    ) -> Option<u32> {
        let Some((at, _, setting)) = self.catalogue.settings.get_full(name) else {
            self.faults.unknown(place, "setting", name, keys(&self.catalogue.settings));
            return None;
        };
        let accepted = value.map_or(Ok(()), |value| check_value(name, setting, value));
        self.accept(accepted, place)?;
        Some(number(at))
    }

    pub(super) fn accept(
        &mut self,
        checked: Result<(), ProblemKind>,
        place: &Place<'_>,
    ) -> Option<()> {
        checked.map_err(|kind| self.faults.push(place, kind)).ok()
    }
}

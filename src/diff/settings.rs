//! Changes of settings.

use std::rc::Rc;

use super::BeforeAfter;
use super::compare::{Side, catalogue};
use super::grouping::SettingLine;
use crate::document::SettingValue;
use crate::engine::Engine;
use crate::ids::SourceId;
use crate::names::{HashMap, number};
use crate::policy::{Class, Ways};

/// The settings that two engines have, and the values that users share.
pub(super) struct Settings<'e> {
    engines: BeforeAfter<&'e Engine>,
    /// Their numbers.
    numbers: Vec<BeforeAfter<u32>>,
    /// Their positions there.
    places: BeforeAfter<HashMap<u32, usize>>,
    /// The ways to the sources that state settings.
    ways: BeforeAfter<Ways<'e>>,
    shared: HashMap<BeforeAfter<Held>, Rc<Shared<'e>>>,
}

/// The sources of a user; `None` of those who are new or gone.
type Held = Option<Box<[SourceId]>>;

/// The values that users have of shared sources.
struct Shared<'e> {
    values: BeforeAfter<HashMap<u32, &'e SettingValue>>,
    /// The positions of the settings that differ.
    differing: Vec<usize>,
}

impl<'e> Settings<'e> {
    pub(super) fn new(engines: BeforeAfter<&'e Engine>) -> Settings<'e> {
        let BeforeAfter { before, after } = engines.map(|engine| &catalogue(engine).settings);
        let numbers = before.keys().zip(0..).filter_map(|(name, before)| {
            let after = number(after.get_index_of(name)?);
            Some(BeforeAfter { before, after })
        });
        let numbers: Vec<BeforeAfter<u32>> = numbers.collect();
        let mut places: BeforeAfter<HashMap<u32, usize>> = BeforeAfter::default();
        for (place, numbers) in numbers.iter().enumerate() {
            places.before.insert(numbers.before, place);
            places.after.insert(numbers.after, place);
        }
        let ways = engines.map(|engine| {
            let sources = &engine.policy().inner().sources;
            let stating = sources.iter().filter(|(.., it)| !it.statements.settings.is_empty());
            sources.ways_to(stating.map(|(id, ..)| id).collect())
        });
        Settings { engines, numbers, places, ways, shared: HashMap::default() }
    }

    /// Returns the number of a setting in the later engine.
    pub(super) fn number(&self, place: usize) -> Option<u32> {
        self.numbers.get(place).map(|numbers| numbers.after)
    }

    /// Returns the changes for users of a class, before and after.
    pub(super) fn changes(&mut self, sides: BeforeAfter<Side<'e>>) -> Vec<SettingLine> {
        if self.numbers.is_empty() {
            return Vec::new();
        }
        let classes = sides.map(|side| side.engine.policy().inner().users.class(side.class));
        let shared = self.shared(classes);
        let own = classes.map(|class| {
            let own = class.and_then(|class| class.statements.as_deref());
            let own = own.map(|own| &*own.settings).unwrap_or_default();
            own.iter().map(|(number, value)| (*number, value)).collect::<HashMap<_, _>>()
        });
        let stated = own.each_ref().zip(self.places.each_ref()).map(|(own, places)| {
            own.keys().filter_map(|number| places.get(number).copied()).collect::<Vec<_>>()
        });
        let places = [shared.differing.clone(), stated.before, stated.after];
        let mut places = places.concat();
        places.sort_unstable();
        places.dedup();
        let changes = places.into_iter().filter_map(|place| {
            let numbers = *self.numbers.get(place)?;
            let known = own.each_ref().zip(shared.values.each_ref()).zip(self.engines);
            let values = known.zip(numbers).map(|(((own, shared), engine), number)| {
                let stated = own.get(&number).or(shared.get(&number)).copied();
                stated.or_else(|| default(engine, number))
            });
            let values = values.if_differs()?;
            Some((place, values.map(Option::<&SettingValue>::cloned)))
        });
        changes.collect()
    }

    fn shared(&mut self, classes: BeforeAfter<Option<&'e Class>>) -> Rc<Shared<'e>> {
        let sources = classes.map(|class| class.map(|it| it.sources.clone()));
        if let Some(known) = self.shared.get(&sources) {
            return Rc::clone(known);
        }
        let known = self.engines.zip(self.ways.each_ref()).zip(classes);
        let values = known.map(|((engine, ways), class)| {
            let policy = engine.policy().inner();
            let stating = class.map(|class| ways.closure(&class.sources));
            stating.map(|stating| policy.shared_settings(&stating)).unwrap_or_default()
        });
        let differing = self.numbers.iter().enumerate().filter(|&(_, &numbers)| {
            let known = values.each_ref().zip(self.engines).zip(numbers);
            let values = known.map(|((values, engine), number)| {
                values.get(&number).copied().or_else(|| default(engine, number))
            });
            values.differs()
        });
        let differing = differing.map(|(place, _)| place).collect();
        let shared = Rc::new(Shared { values, differing });
        self.shared.insert(sources, Rc::clone(&shared));
        shared
    }
}

/// Returns the value of a setting where no source states one.
fn default(engine: &Engine, setting: u32) -> Option<&SettingValue> {
    let (_, declared) = catalogue(engine).settings.get_index(setting as usize)?;
    declared.default.as_ref()
}

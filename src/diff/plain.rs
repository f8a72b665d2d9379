//! Changes of plain permissions, which look at no object and have no levels: whole rows of
//! them are compared at once.

use super::compare::{Ids, Line, Side, catalogue};
use super::{BeforeAfter, Shift};
use crate::bits::{BitSet, Word, ones, test};
use crate::catalogue::{Form, Node};
use crate::engine::Engine;
use crate::ids::{Bit, IdVec, Key, Number};
use crate::names::IndexMap;

/// The changes of plain permissions that have been found.
pub(super) struct PlainChanges {
    /// The place of each permission of an engine in the sets that are compared; `None` where
    /// both engines number them alike, and that number is the place.
    places: Option<BeforeAfter<IdVec<Bit, Option<Bit>>>>,
    /// The places of plain permissions.
    plain: BitSet,
    /// The indexes of the permissions into [`Comparison::nodes`](super::compare::Comparison::nodes), by their places.
    nodes: IdVec<Bit, usize>,
    /// The indexes of all other permissions.
    pub(super) others: Vec<usize>,
    /// The lines of each change: of the places that differ, and of those the ones held after.
    known: IndexMap<Sets, Vec<Line>>,
}

type Sets = (Vec<Word>, Vec<Word>);

/// A change of plain permissions.
pub(super) enum PlainChange {
    /// One that is known, by its number.
    Known(usize),
    /// One with that many lines.
    New(usize, Sets),
}

impl PlainChanges {
    pub(super) fn new(engines: BeforeAfter<&Engine>, nodes: &[Ids], aligned: bool) -> PlainChanges {
        let mut places = engines.map(|engine| IdVec::filled(catalogue(engine).bits(), None::<Bit>));
        let mut indexes: Vec<usize> =
            if aligned { vec![0; catalogue(engines.after).bits()] } else { Vec::new() };
        let (mut plain, mut others) = (Vec::new(), Vec::new());
        for (index, &ids) in nodes.iter().enumerate() {
            let nodes = engines.zip(ids);
            let nodes = nodes.map(|(engine, id)| Some(catalogue(engine).node(id?)));
            if !nodes.before.into_iter().chain(nodes.after).all(is_plain) {
                others.push(index);
                continue;
            }
            match nodes.after.filter(|_| aligned) {
                Some(node) => {
                    plain.push(node.bit);
                    indexes.get_mut(node.bit.index()).into_iter().for_each(|it| *it = index);
                }
                None => {
                    let place = Bit::new(indexes.len());
                    plain.push(place);
                    indexes.push(index);
                    let sides = places.each_mut().zip(nodes);
                    sides.map(|(places, node)| {
                        node.into_iter().for_each(|node| places[node.bit] = Some(place));
                    });
                }
            }
        }
        let mut set = BitSet::new(indexes.len());
        plain.into_iter().for_each(|place| set.insert(place));
        PlainChanges {
            places: (!aligned).then_some(places),
            plain: set,
            nodes: indexes.into_iter().collect(),
            others,
            known: [((Vec::new(), Vec::new()), Vec::new())].into_iter().collect(),
        }
    }

    /// Returns the places of plain permissions.
    pub(super) fn words(&self) -> &[Word] {
        self.plain.words()
    }

    /// Compares what the users of a pair hold.
    pub(super) fn compare(&self, sides: BeforeAfter<Side<'_>>) -> PlainChange {
        let rows = sides.map(|side| side.engine.row(side.class));
        let held = match &self.places {
            None => rows,
            Some(places) => places.each_ref().zip(rows).map(|(places, row)| {
                let mut held = BitSet::new(self.nodes.len());
                let placed = ones(row).filter_map(|bit| places.find(bit).copied().flatten());
                placed.for_each(|place| held.insert(place));
                held.words().to_vec()
            }),
        };
        let word = |words: &[Word], at: usize| words.get(at).copied().unwrap_or_default();
        let sets = self.words().iter().enumerate().map(|(at, plain)| {
            let (before, after) = (word(&held.before, at), word(&held.after, at));
            let differing = (before ^ after) & plain;
            (differing, differing & after)
        });
        let sets: Sets = sets.unzip();
        let count = sets.0.iter().map(|word| word.count_ones() as usize).sum();
        if count == 0 {
            return PlainChange::Known(0);
        }
        match self.known.get_index_of(&sets) {
            Some(known) => PlainChange::Known(known),
            None => PlainChange::New(count, sets),
        }
    }

    /// Makes a change known; returns its number.
    pub(super) fn add(&mut self, sets: Sets) -> usize {
        let (differing, gained) = &sets;
        let places = ones(differing.iter().copied());
        let lines = places.map(|place| Line::of_plain(self.nodes[place], test(gained, place)));
        let lines = lines.collect();
        self.known.insert_full(sets, lines).0
    }

    /// Returns the lines of a change.
    pub(super) fn lines(&self, number: usize) -> &[Line] {
        self.known.get_index(number).map_or(&[], |(_, lines)| lines)
    }
}

impl Line {
    /// The change of a plain permission that is gained or lost.
    fn of_plain(node: usize, gained: bool) -> Line {
        let held = BeforeAfter { before: !gained, after: gained };
        let all = |held: bool| usize::from(held);
        Line {
            node,
            shift: if gained { Shift::Gained } else { Shift::Lost },
            effective: held,
            levels: held.map(all),
            can_some: held,
            // The extents of nothing and of everything.
            on: held.map(all),
        }
    }
}

fn is_plain(node: &Node) -> bool {
    node.form == Form::Plain && node.condition.is_none()
}

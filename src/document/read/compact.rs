//! The users of a document, read without an entry in memory for each.

use serde::de::{DeserializeSeed, Error, MapAccess};

use super::fields::record;
use super::recording::{Recorder, Replay};
use super::values::Key;
use super::{Position, Seed, Shape};
use crate::document::UserEntry;
use crate::document::compact::{CompactUsers, Texts};
use crate::slots::NameList;

/// Users by name.
///
/// An entry is recorded as it comes, and read if no user before has the same. If that
/// leaves a fault, it is so for each user who has it: such an entry is not shared.
#[derive(Clone, Copy)]
pub(super) struct Users;

impl<'de> Shape<'de> for Users {
    type Out = CompactUsers;
    const EXPECTED: &'static str = "a map";

    fn map<A: MapAccess<'de>>(
        self,
        at: Position<'_>,
        mut map: A,
    ) -> Result<CompactUsers, A::Error> {
        let (mut names, mut users) = (NameList::default(), CompactUsers::default());
        let mut recording = Vec::new();
        while let Some(name) = map.next_key_seed(Key)? {
            let place = at.place.name(&name);
            let at = at.within(&place);
            recording.clear();
            let mut texts = Texts::default();
            map.next_value_seed(Recorder::of_entry(&mut recording, &mut texts))?;
            let entry = if let Some(known) = users.find(&recording) {
                known
            } else {
                let faults = at.faults.borrow().len();
                let seed = Seed(at, record::<UserEntry>());
                seed.deserialize(&mut Replay::of(&recording)).map_err(A::Error::custom)?;
                users.add_entry(&recording, at.faults.borrow().len() == faults)
            };
            users.push(names.push(&name), entry, texts);
        }
        Ok(users.with_names(names))
    }
}

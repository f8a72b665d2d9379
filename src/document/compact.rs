//! Documents whose users take little memory.

use std::fmt;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::read::recorded_entry;
use super::{Document, UserEntry};
use crate::ids::{EntryId, IdVec, Key, Number, UserSlot};
use crate::slots::{NameList, Names};

/// A document to make a policy of, whose users take little memory: those who have the same
/// take little more than their names.
///
/// If a million users share a few thousand combinations, a [`Policy`](crate::Policy) is
/// made of it in a fifth of the time and a tenth of the memory that it takes by way of a
/// [`Document`]. It is the same policy, or there are the same problems. Convert it into a
/// document to look at it or to change it.
///
/// ```
/// use grantree::document::CompactDocument;
/// use grantree::{Document, Policy};
///
/// let text = r#"{
///     "format": 1,
///     "catalogue": {"permissions": [{"key": "orders"}]},
///     "roles": {"clerk": {"allow": ["orders"]}},
///     "users": {"ann": {"roles": ["clerk"]}, "bob": {"roles": ["clerk"]}}
/// }"#;
/// let policy = Policy::try_from(serde_json::from_str::<CompactDocument>(text)?)?;
/// assert_eq!(Document::from(&policy), serde_json::from_str(text)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct CompactDocument {
    /// The document without its users.
    pub(super) document: Document,
    pub(super) users: CompactUsers,
}

impl CompactDocument {
    /// The document without its users, and these.
    pub(crate) fn into_parts(self) -> (Document, CompactUsers) {
        (self.document, self.users)
    }
}

/// One line, however large it is.
impl fmt::Debug for CompactDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompactDocument").field("users", &self.users.len()).finish_non_exhaustive()
    }
}

impl From<Document> for CompactDocument {
    /// The same document. Its users take the memory that they took.
    fn from(mut document: Document) -> CompactDocument {
        let listed: Vec<(String, UserEntry)> =
            std::mem::take(&mut document.users).into_iter().collect();
        let mut names = NameList::default();
        for (name, _) in &listed {
            names.push(name);
        }
        let users = CompactUsers { listed, ..CompactUsers::default() };
        CompactDocument { document, users: users.with_names(names) }
    }
}

impl From<&Document> for CompactDocument {
    /// A copy of the document.
    fn from(document: &Document) -> CompactDocument {
        document.clone().into()
    }
}

impl From<CompactDocument> for Document {
    /// The document, as it is read without being compact.
    fn from(compact: CompactDocument) -> Document {
        let CompactDocument { mut document, mut users } = compact;
        let names = std::mem::take(&mut users.names);
        let mut texts = std::mem::take(&mut users.texts).into_iter().peekable();
        for (slot, name) in names.iter() {
            let mut entry = users.take_entry(slot);
            if let Some((_, texts)) = texts.next_if(|(of, _)| *of == slot) {
                entry.label = texts.label.map(Into::into).or(entry.label);
                entry.description = texts.description.map(Into::into).or(entry.description);
            }
            document.users.push(name, entry);
        }
        document
    }
}

/// The texts of an entry, kept apart from it: few users have the same.
#[derive(Clone, Default)]
pub(crate) struct Texts {
    pub(crate) label: Option<Box<str>>,
    pub(crate) description: Option<Box<str>>,
    /// `true` if further texts belong to the entry, as one stands twice or is no text.
    pub(super) are_irregular: bool,
}

impl Texts {
    pub(super) fn are_any(&self) -> bool {
        self.label.is_some() || self.description.is_some()
    }
}

/// The users of a document, in its order, each with the number of an entry that all have
/// who have the same.
///
/// Or each has an entry of its own, without a number: then they are those of a
/// [`Document`].
#[derive(Clone, Default)]
pub(crate) struct CompactUsers {
    /// INVARIANT: no slot is vacant.
    pub(crate) names: Names<UserSlot>,
    /// The users whose name another has before them.
    repeated: Vec<UserSlot>,
    entry_of: Vec<EntryId>,
    entries: Recordings,
    /// In the order of users.
    pub(crate) texts: Vec<(UserSlot, Texts)>,
    listed: Vec<(String, UserEntry)>,
}

impl CompactUsers {
    pub(crate) fn len(&self) -> usize {
        self.names.slots()
    }

    /// Returns whether another user has the same name before this one.
    pub(crate) fn is_repeated(&self, slot: UserSlot) -> bool {
        self.repeated.binary_search(&slot).is_ok()
    }

    /// The number of numbers of entries.
    fn entry_slots(&self) -> usize {
        self.entries.ends.len()
    }

    /// For each entry, whether several users have it.
    pub(crate) fn shared_entries(&self) -> IdVec<EntryId, bool> {
        let mut seen = IdVec::filled(self.entry_slots(), false);
        let mut shared = seen.clone();
        for &entry in &self.entry_of {
            shared[entry] |= std::mem::replace(&mut seen[entry], true);
        }
        shared
    }

    /// The number of a user's entry.
    pub(crate) fn entry_of(&self, slot: UserSlot) -> Option<EntryId> {
        self.entry_of.get(slot.index()).copied()
    }

    /// Takes a user's entry, without the texts that are kept apart.
    pub(crate) fn take_entry(&mut self, slot: UserSlot) -> UserEntry {
        match self.entry_of(slot) {
            Some(entry) => recorded_entry(self.entries.get(entry)),
            None => self.listed.get_mut(slot.index()).map(std::mem::take).unwrap_or_default().1,
        }
    }

    /// Finds the entry with that recording that users share.
    pub(super) fn find(&self, recording: &[u8]) -> Option<EntryId> {
        self.entries.find(recording)
    }

    /// Adds an entry, which further users share or not.
    pub(super) fn add_entry(&mut self, recording: &[u8], is_shared: bool) -> EntryId {
        self.entries.push(recording, is_shared)
    }

    /// Adds a user, whose name comes later.
    pub(super) fn push(&mut self, slot: UserSlot, entry: EntryId, texts: Texts) {
        self.entry_of.push(entry);
        if texts.are_any() {
            self.texts.push((slot, texts));
        }
    }

    /// The same users with their names.
    pub(super) fn with_names(self, names: NameList<UserSlot>) -> CompactUsers {
        let (names, repeated) = names.finish();
        // No entry is looked for any more.
        let entries = Recordings { index: HashTable::new(), ..self.entries };
        CompactUsers { names, repeated, entries, ..self }
    }
}

/// Entries as they were recorded, by number.
#[derive(Clone, Default)]
struct Recordings {
    bytes: Vec<u8>,
    /// The end of each.
    ends: Vec<usize>,
    /// The entries that users share, each with a part of its hash, which saves reading them.
    index: HashTable<(u32, EntryId)>,
    hasher: RandomState,
}

impl Recordings {
    fn get(&self, entry: EntryId) -> &[u8] {
        let end = self.ends.get(entry.index()).copied().unwrap_or_default();
        let before = entry.index().checked_sub(1).and_then(|before| self.ends.get(before));
        self.bytes.get(before.copied().unwrap_or_default()..end).unwrap_or_default()
    }

    fn find(&self, recording: &[u8]) -> Option<EntryId> {
        let part = self.hash_part(recording);
        let is = |&(known, entry): &(u32, EntryId)| known == part && self.get(entry) == recording;
        self.index.find(hash_of(part), is).map(|&(_, entry)| entry)
    }

    fn push(&mut self, recording: &[u8], is_shared: bool) -> EntryId {
        let entry = EntryId::new(self.ends.len());
        self.bytes.extend_from_slice(recording);
        self.ends.push(self.bytes.len());
        if is_shared {
            let part = self.hash_part(recording);
            self.index.insert_unique(hash_of(part), (part, entry), |&(part, _)| hash_of(part));
        }
        entry
    }

    fn hash_part(&self, recording: &[u8]) -> u32 {
        self.hasher.hash_one(recording) as u32
    }
}

/// A hash for the table, which looks at its lowest and its topmost bits.
fn hash_of(part: u32) -> u64 {
    (u64::from(part) << 32) | u64::from(part)
}

//! Numbers of things, with a type for each kind of thing, and vectors indexed by them.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut, Range};

use crate::names::number;

/// A value that stands for a position.
pub(crate) trait Key: Copy {
    fn index(self) -> usize;
}

/// A dense number of one kind of thing.
pub(crate) trait Number: Key + From<u32> {
    /// The number of a position.
    fn new(position: usize) -> Self;

    fn number(self) -> u32;

    /// The number that many places on.
    fn plus(self, places: u32) -> Self {
        Self::from(self.number().saturating_add(places))
    }

    /// The first numbers.
    fn first(count: usize) -> impl Iterator<Item = Self> {
        (0..count).map(Self::new)
    }
}

/// The numbers of a range.
pub(crate) fn each<K: Number>(
    range: Range<K>,
) -> impl ExactSizeIterator<Item = K> + DoubleEndedIterator + Clone {
    (range.start.number()..range.end.number()).map(K::from)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(u32);

        impl Number for $name {
            fn new(position: usize) -> $name {
                $name(number(position))
            }

            #[inline]
            fn number(self) -> u32 {
                self.0
            }
        }

        impl From<u32> for $name {
            fn from(number: u32) -> $name {
                $name(number)
            }
        }

        impl Key for $name {
            #[inline]
            fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// A source that users share: the global one, a profile, a role or an approval
    /// group. Versions of a policy keep the number, through renames too.
    SourceId

    /// A user. Versions of a policy keep the number, through renames too.
    UserSlot

    /// An entry of users in a document, which all have who have the same.
    EntryId

    /// A class of users who are alike. The number may get another meaning in another
    /// version of the policy.
    ClassId

    /// A group that users belong to, in the order in which the policy names them.
    GroupId

    /// A list of groups that users have. The number may get another meaning in another
    /// version of the policy.
    GroupListId

    /// A list of assignments that users have. The number may get another meaning in
    /// another version of the policy.
    AssignmentListId

    /// A class of users acting in one of their assignments. The number may get another
    /// meaning in another version of the policy.
    CapacityId

    /// A node of a catalogue.
    NodeId

    /// A bit: a permission, or a threshold of a graded one.
    Bit

    /// An object kind.
    KindId

    /// An attribute, among those of all kinds.
    AttributeId

    /// The values of an attribute that a scope accepts.
    ValuesId
}

impl UserSlot {
    /// The number of no user.
    pub(crate) const NOBODY: UserSlot = UserSlot(u32::MAX);
}

impl ClassId {
    /// The class of removed users.
    pub(crate) const VACANT: ClassId = ClassId(0);

    /// The mark of a user with assignments. It makes the number lie beyond every table,
    /// so that a decision notices it at no cost where there is no mark.
    /// Numbers of classes are far below it.
    const MARK: u32 = 1 << 31;
}

impl AttributeId {
    /// The mark of a check against a user's ordinary limit, in the condition for an
    /// assignment that has limits of its own. Numbers of attributes are far below it.
    const MARK: u32 = 1 << 31;
}

macro_rules! markable {
    ($($name:ident),*) => {$(
        impl $name {
            /// The same number, with its mark or without.
            #[inline]
            pub(crate) fn marked(self, mark: bool) -> $name {
                $name(if mark { self.0 | $name::MARK } else { self.0 & !$name::MARK })
            }

            /// Returns whether it has its mark.
            #[inline]
            pub(crate) fn is_marked(self) -> bool {
                self.0 & $name::MARK != 0
            }
        }
    )*};
}

markable!(ClassId, AttributeId);

impl AssignmentListId {
    /// The list of users without assignments.
    pub(crate) const EMPTY: AssignmentListId = AssignmentListId(0);
}

impl GroupListId {
    /// The list of users without groups.
    pub(crate) const EMPTY: GroupListId = GroupListId(0);
}

impl SourceId {
    /// The global source.
    pub(crate) const GLOBAL: SourceId = SourceId(0);
}

/// One value for each number of a kind.
#[derive(Clone, Debug)]
pub(crate) struct IdVec<K, V> {
    values: Vec<V>,
    keys: PhantomData<K>,
}

impl<K: Key, V> IdVec<K, V> {
    /// The same value for each of the first numbers.
    pub(crate) fn filled(count: usize, value: V) -> IdVec<K, V>
    where
        V: Clone,
    {
        IdVec { values: vec![value; count], keys: PhantomData }
    }

    /// The value of a number, if it has one. (Not named `get`, with which Clippy would
    /// take indexing, which is for numbers known to have one, for a mistake.)
    pub(crate) fn find(&self, key: K) -> Option<&V> {
        self.values.get(key.index())
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The values with their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)>
    where
        K: Number,
    {
        K::first(self.len()).zip(&self.values)
    }

    /// Adds the value of the next number.
    pub(crate) fn push(&mut self, value: V) {
        self.values.push(value);
    }

    /// The values in the order of their numbers.
    pub(crate) fn values(&self) -> &[V] {
        &self.values
    }
}

impl<K, V> FromIterator<V> for IdVec<K, V> {
    fn from_iter<T: IntoIterator<Item = V>>(values: T) -> IdVec<K, V> {
        IdVec { values: values.into_iter().collect(), keys: PhantomData }
    }
}

impl<K: Key, V> Index<K> for IdVec<K, V> {
    type Output = V;

    /// The value of a number that is known to have one.
    #[expect(clippy::indexing_slicing, reason = "a vector is made for all numbers of its kind")]
    fn index(&self, key: K) -> &V {
        &self.values[key.index()]
    }
}

impl<K: Key, V> IndexMut<K> for IdVec<K, V> {
    #[expect(clippy::indexing_slicing, reason = "a vector is made for all numbers of its kind")]
    fn index_mut(&mut self, key: K) -> &mut V {
        &mut self.values[key.index()]
    }
}

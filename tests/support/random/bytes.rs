//! Bytes as rolls, whatever they are: for fuzzing.

use super::change::Session;
use super::{Case, HAND, Hand, Rolls, SourceRolls};

/// The case behind some bytes.
pub fn case_of_bytes(bytes: &[u8]) -> Case {
    let mut bytes = Bytes { rest: bytes };
    Rolls {
        misc: bytes.hand(),
        kinds: bytes.hands(0, 3),
        nodes: bytes.hands(1, 16),
        global: bytes.hands(0, 6),
        profiles: bytes.sources(0, 2, 6),
        roles: bytes.sources(0, 5, 5),
        approval_groups: bytes.sources(0, 2, 4),
        groups: bytes.hands(0, 4),
        users: bytes.list(1, 4, |bytes| (bytes.source(3), bytes.sources(0, 3, 3))),
        questions: bytes.hands(1, 60),
    }
    .read()
}

/// The session behind some bytes.
pub fn session_of_bytes(bytes: &[u8]) -> Session {
    let mut bytes = Bytes { rest: bytes };
    let governance = bytes.hand_of(3 * HAND);
    let rolls = Rolls {
        misc: bytes.hand(),
        kinds: bytes.hands(1, 2),
        nodes: bytes.hands(1, 7),
        global: bytes.hands(0, 3),
        profiles: bytes.sources(1, 2, 3),
        roles: bytes.sources(1, 4, 3),
        approval_groups: bytes.sources(0, 1, 2),
        groups: bytes.hands(0, 3),
        users: bytes.list(2, 4, |bytes| (bytes.source(2), bytes.sources(0, 2, 2))),
        questions: bytes.hands(0, 12),
    };
    let steps = bytes.list(1, 30, |bytes| bytes.hand_of(2 * HAND));
    Session::new(rolls, &governance, steps)
}

/// Bytes as rolls: a hand has as many as its first byte says, and zeros for the rest,
/// so that a short input is a plain case.
struct Bytes<'b> {
    rest: &'b [u8],
}

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        let (&first, rest) = self.rest.split_first().unwrap_or((&0, &[]));
        self.rest = rest;
        first
    }

    fn hand(&mut self) -> Hand {
        self.hand_of(HAND)
    }

    fn hand_of(&mut self, length: usize) -> Hand {
        let given = usize::from(self.byte()) % (length + 1);
        let mut hand: Hand =
            (0..given).map(|_| u16::from_be_bytes([self.byte(), self.byte()])).collect();
        hand.resize(length, 0);
        hand
    }

    fn hands(&mut self, least: u8, most: u8) -> Vec<Hand> {
        self.list(least, most, Bytes::hand)
    }

    /// A source of up to so many statements.
    fn source(&mut self, statements: u8) -> SourceRolls {
        (self.hand(), self.hands(0, statements))
    }

    fn sources(&mut self, least: u8, most: u8, statements: u8) -> Vec<SourceRolls> {
        self.list(least, most, |bytes| bytes.source(statements))
    }

    fn list<T>(&mut self, least: u8, most: u8, mut read: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = least + self.byte() % (most - least + 1);
        (0..count).map(|_| read(self)).collect()
    }
}

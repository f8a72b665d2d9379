//! Numbers read as decisions.

/// The rolls of one thing, read in order; after the last, all are zero.
#[derive(Clone)]
pub struct Dice<'a> {
    rolls: std::slice::Iter<'a, u16>,
}

impl<'a> Dice<'a> {
    pub fn new(rolls: &'a [u16]) -> Dice<'a> {
        Dice { rolls: rolls.iter() }
    }

    /// A number below `count`; zero for a roll of zero, as also where `count` is.
    pub fn below(&mut self, count: usize) -> usize {
        let roll = self.rolls.next().copied().unwrap_or_default();
        usize::from(roll) * count / (usize::from(u16::MAX) + 1)
    }

    /// Yes, so many times out of a hundred; no for a roll of zero.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    /// One of a list that is not empty.
    pub fn pick<'t, T>(&mut self, list: &'t [T]) -> &'t T {
        &list[self.below(list.len())]
    }

    /// One of a list of choices, each with its weight.
    pub fn weigh<T: Copy>(&mut self, choices: &[(usize, T)]) -> T {
        let mut left = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            if left < *weight {
                return *choice;
            }
            left -= weight;
        }
        unreachable!("the weights add up")
    }

    /// One of a list, or up to so many, all different; none of an empty list.
    pub fn some_of<T: Clone>(&mut self, list: &[T], most: usize) -> Vec<T> {
        let mut some = self.some(list, most);
        if some.is_empty() && !list.is_empty() {
            some.push(self.pick(list).clone());
        }
        some
    }

    /// Up to so many of a list, all different, in any order.
    pub fn some<T: Clone>(&mut self, list: &[T], most: usize) -> Vec<T> {
        let mut rest = list.to_vec();
        let count = self.below(most.min(list.len()) + 1);
        (0..count).map(|_| rest.remove(self.below(rest.len()))).collect()
    }
}

//! Lists: all that a user holds, and all users who hold something.

use std::fmt;

use super::handle::Handle;
use super::{Engine, Permission, User};
use crate::bits::ones;
use crate::catalogue::Form;
use crate::object::Target;
use crate::policy::VACANT;

/// A permission that a user holds.
///
/// Displays as a question names it: `path`, or `path:level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Effective<'e> {
    path: &'e str,
    level: Option<&'e str>,
}

impl<'e> Effective<'e> {
    /// The permission's path.
    pub fn path(&self) -> &'e str {
        self.path
    }

    /// The level, above the lowest, of a graded permission.
    pub fn level(&self) -> Option<&'e str> {
        self.level
    }

    fn bytes(&self) -> impl Iterator<Item = u8> {
        let level = self.level.into_iter().flat_map(|level| [":", level]);
        std::iter::once(self.path).chain(level).flat_map(str::bytes)
    }
}

impl fmt::Display for Effective<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path)?;
        match self.level {
            Some(level) => write!(f, ":{level}"),
            None => Ok(()),
        }
    }
}

impl Engine {
    /// All that a user holds, sorted as text: permissions that can be granted,
    /// and scoped nodes of which a scope is effective; a graded permission with
    /// its level, if that is above the lowest.
    ///
    /// What is held may still depend on the object. A handle of another policy
    /// holds nothing.
    pub fn effective(&self, user: User) -> Vec<Effective<'_>> {
        let compiled = &self.0;
        let catalogue = &compiled.policy().catalogue;
        let class = compiled.classes.get(user.0.place(compiled.lineage));
        let class = class.copied().unwrap_or(VACANT);
        let mut held: Vec<Effective<'_>> = Vec::new();
        for bit in ones(compiled.rows.row(class)) {
            let node = catalogue.node_of(bit);
            let level = match &node.form {
                Form::Graded(levels) => levels.get((bit - node.bit) as usize + 1),
                _ => None,
            };
            let level = level.map(|level| &**level);
            if bit > node.bit {
                // The next level of the same permission.
                held.pop();
            }
            held.push(Effective { path: &node.path, level });
        }
        held.sort_by(|a, b| a.bytes().cmp(b.bytes()));
        held
    }

    /// The users who may do this, sorted by name: on this object or, without
    /// one, on some object.
    ///
    /// Costs a few loads for each user, and a decision for each who holds the
    /// permission.
    pub fn who_can<T: Target>(&self, action: Permission, on: T) -> Vec<&str> {
        let compiled = &self.0;
        let (object, today) = on.parts();
        let users = compiled.policy().users.iter();
        let may = users.filter_map(|(slot, name, _)| {
            let user = User(Handle::new(compiled.lineage, slot));
            let (class, ask) = compiled.find(user, action)?;
            if !compiled.rows.holds(class, ask.bit()) {
                return None;
            }
            let condition = compiled.condition(ask);
            let may = condition.is_none_or(|condition| match object {
                None => compiled.checks_passable(class, condition),
                Some(object) => compiled.allows_on(user, class, ask, object, today),
            });
            may.then_some(name)
        });
        let mut names: Vec<&str> = may.collect();
        names.sort_unstable();
        names
    }
}

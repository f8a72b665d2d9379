//! The asker of a question: a user of the policy, or one that only the host knows.

use super::handle::Handle;
use super::{Effective, Engine, Permission, Unknown, User};
use crate::bits::Word;
use crate::document::{SettingValue, UserEntry};
use crate::ids::{ClassId, Number};
use crate::object::Target;
use crate::policy::Policy;
use crate::problem::Problems;
use crate::reason::Reason;

/// A user who asks: one of the policy, or one whom only the host knows, such as a guest,
/// the holder of a token, or a role that is tried before anybody gets it.
///
/// It can be [narrowed](Asker::within) to what another entry may do as well. It holds on
/// to the engine that it was made from: make one for each request.
///
/// ```
/// use grantree::document::UserEntry;
/// use grantree::{Document, Engine, Policy};
///
/// let text = r#"{
///     "format": 1,
///     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
///     "roles": {"reader": {"allow": ["orders"]}},
///     "users": {"ann": {"allow": ["**"]}}
/// }"#;
/// let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let (orders, export) = (engine.permission("orders")?, engine.permission("orders.export")?);
/// let reader = UserEntry { roles: vec!["reader".into()], ..UserEntry::default() };
///
/// let guest = engine.subject("guest-7", &reader)?;
/// assert!(guest.can(orders, ()) && !guest.can(export, ()));
///
/// // A token of ann's that may only read.
/// let token = engine.asker(engine.user("ann")?).within(&reader)?;
/// assert!(token.can(orders, ()) && !token.can(export, ()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Asker {
    /// The user, and the users to whom the asker is narrowed, each in an engine that has
    /// such a user. Never empty.
    pub(crate) sides: Vec<(Engine, User)>,
}

impl Engine {
    /// Returns a user of the policy as somebody who asks.
    pub fn asker(&self, user: User) -> Asker {
        Asker { sides: vec![(self.clone(), user)] }
    }

    /// Returns a user whom the policy does not have as somebody who asks. The answers are
    /// as if it had that user, in the place of one of that name; [`Engine::who_can`] and
    /// governance do not count the user.
    ///
    /// Costs as much as adding a user: some ten microseconds.
    ///
    /// # Errors
    ///
    /// All problems of the entry: unknown names, or a unique role that a user holds.
    pub fn subject(&self, name: &str, entry: &UserEntry) -> Result<Asker, Problems> {
        Ok(Asker { sides: vec![self.with_user(name, entry)?] })
    }

    fn with_user(&self, name: &str, entry: &UserEntry) -> Result<(Engine, User), Problems> {
        let (version, slot) = self.policy().inner().with_user(name, entry)?;
        let engine = self.updated(&Policy::from_inner(version));
        let user = User(Handle::new(engine.0.lineage, slot.number()));
        Ok((engine, user))
    }

    fn row_of(&self, user: User) -> Vec<Word> {
        let class = self.0.class(user).unwrap_or(ClassId::VACANT);
        self.0.rows.row(class).collect()
    }
}

impl Asker {
    /// Returns the same asker narrowed to what an entry may do as well, which has the
    /// asker's name and groups: each is asked by itself, and the answer is yes only if it
    /// is for both.
    ///
    /// # Errors
    ///
    /// All problems of the entry.
    pub fn within(&self, entry: &UserEntry) -> Result<Asker, Problems> {
        let mut sides = self.sides.clone();
        if let Some((engine, user)) = self.sides.first() {
            let holder = engine.holder(*user);
            let groups = &engine.policy().inner().groups;
            let named = holder.iter().flat_map(|it| it.groups);
            let groups = named.map(|&id| groups.name(id).to_owned()).collect();
            let entry = UserEntry { groups, ..entry.clone() };
            // Of somebody unknown, who may do nothing, only the entry is looked at.
            let name = holder.map_or("?", |it| it.name);
            let side = engine.with_user(name, &entry)?;
            sides.extend(holder.map(|_| side));
        }
        Ok(Asker { sides })
    }

    /// [`Engine::can`].
    #[must_use]
    pub fn can<T: Target>(&self, action: Permission, on: T) -> bool {
        self.sides.iter().all(|(engine, user)| engine.can(*user, action, on))
    }

    /// [`Engine::can_some`].
    #[must_use]
    pub fn can_some(&self, action: Permission) -> bool {
        self.sides.iter().all(|(engine, user)| engine.can_some(*user, action))
    }

    /// [`Engine::can_some_beneath`].
    ///
    /// # Errors
    ///
    /// When the catalogue has no such heading.
    pub fn can_some_beneath(&self, heading: &str) -> Result<bool, Unknown> {
        let mut sides = self.sides.iter();
        sides.try_fold(true, |all, (engine, user)| {
            Ok(all & engine.can_some_beneath(*user, heading)?)
        })
    }

    /// [`Engine::why`]: the reason of the asker or, if the asker may, that of what the asker
    /// is narrowed to.
    pub fn why<T: Target>(&self, action: Permission, on: T) -> Reason {
        let mut last = Reason::UnknownUser;
        for (engine, user) in &self.sides {
            last = engine.why(*user, action, on);
            if !last.allowed() {
                break;
            }
        }
        last
    }

    /// [`Engine::level`].
    pub fn level<T: Target>(&self, permission: Permission, on: T) -> Option<&str> {
        let levels = self.sides.iter().map(|(engine, user)| {
            let (levels, level) = engine.level_number(*user, permission, on)?;
            Some((level, levels.get(level)?))
        });
        levels.min().flatten().map(|(_, level)| &**level)
    }

    /// [`Engine::setting`], whatever the asker is narrowed to.
    ///
    /// # Errors
    ///
    /// When the catalogue has no such setting.
    pub fn setting(&self, name: &str) -> Result<Option<&SettingValue>, Unknown> {
        match self.sides.first() {
            Some((engine, user)) => engine.setting(*user, name),
            None => Ok(None),
        }
    }

    /// [`Engine::effective_in`], whatever the asker is narrowed to.
    ///
    /// # Errors
    ///
    /// When the asker has no such assignment.
    pub fn effective_in(&self, assignment: &str) -> Result<Vec<Effective<'_>>, Unknown> {
        match self.sides.first() {
            Some((engine, user)) => engine.effective_in(*user, assignment),
            None => Ok(Vec::new()),
        }
    }

    /// [`Engine::effective`].
    pub fn effective(&self) -> Vec<Effective<'_>> {
        let mut rows = self.sides.iter().map(|(engine, user)| engine.row_of(*user));
        let first = rows.next().unwrap_or_default();
        let both = rows.fold(first, |row, other| {
            row.iter().zip(&other).map(|(word, other)| word & other).collect()
        });
        self.sides.first().map(|(engine, _)| engine.listed(both.into_iter())).unwrap_or_default()
    }
}

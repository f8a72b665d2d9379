//! The asker of questions: a user of the policy, or one that only the host knows.

use std::fmt;
use std::sync::Arc;

use super::handle::Lineage;
use super::{Ask, Effective, Engine, Permission, Unknown, User};
use crate::bits::{Word, is_set, word_for, word_of};
use crate::document::{SettingValue, UserEntry};
use crate::ids::ClassId;
use crate::object::{Id, Object, Target, Today};
use crate::policy::Policy;
use crate::problem::Problems;
use crate::reason::Reason;

/// A user who asks. Made once for each request and asked everything: the user is found once,
/// and keeps to one version of the policy.
///
/// It can be [narrowed](Asker::within) to what another entry may do as well. An
/// [`OwnedAsker`] has an engine of its own, for what is longer than a borrow.
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
///
/// let ann = engine.asker(engine.user("ann")?);
/// assert!(ann.can(orders, ()) && ann.can(export, ()));
///
/// // A token of ann's that may only read.
/// let reader = UserEntry { roles: vec!["reader".into()], ..UserEntry::default() };
/// let token = ann.within(&reader)?;
/// assert_eq!(token.asker().can_actions(&[orders, export], ()), [true, false]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Asker<'e> {
    engine: &'e Engine,
    user: User,
    /// The user's class, marked if the user has assignments.
    class: ClassId,
    /// The words of the row of the class, or the first of them. None if more is to be looked
    /// at: assignments, or those to whom the asker is narrowed.
    row: &'e [Word],
    /// The engine's lineage of permissions, and the meaning of each permission's number.
    permissions: Lineage,
    asks: &'e [Ask],
    /// The users to whom the asker is narrowed.
    within: &'e [Side],
}

/// One line, however large the engine is.
impl fmt::Debug for Asker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut asker = f.debug_struct("Asker");
        asker.field("engine", self.engine).field("user", &self.user).field("within", &self.within);
        asker.finish_non_exhaustive()
    }
}

/// An [`Asker`] with an engine of its own, to store or to send to another thread.
///
/// So is a user whom only the host knows, such as a guest, the holder of a token, or a role
/// that is tried before anybody gets it ([`Engine::subject`]).
///
/// ```
/// use grantree::document::UserEntry;
/// use grantree::{Document, Engine, Policy};
///
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders", "children": [{"key": "export"}]}]},
/// #     "roles": {"reader": {"allow": ["orders"]}},
/// #     "users": {"ann": {"allow": ["**"]}}
/// # }"#;
/// let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let (orders, export) = (engine.permission("orders")?, engine.permission("orders.export")?);
/// let reader = UserEntry { roles: vec!["reader".into()], ..UserEntry::default() };
/// let guest = engine.subject("guest-7", &reader)?;
/// let asked = std::thread::spawn(move || guest.asker().can_actions(&[orders, export], ()));
/// assert_eq!(asked.join().expect("an answer"), [true, false]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct OwnedAsker {
    side: Side,
    within: Vec<Side>,
}

/// A user, and an engine that has such a user.
#[derive(Clone, Debug)]
struct Side {
    engine: Arc<Engine>,
    user: User,
}

impl Side {
    fn asker(&self) -> Asker<'_> {
        self.engine.asker(self.user)
    }
}

impl OwnedAsker {
    /// Returns a user as somebody who asks, with an engine that is shared.
    pub(crate) fn new(engine: Arc<Engine>, user: User) -> OwnedAsker {
        OwnedAsker { side: Side { engine, user }, within: Vec::new() }
    }

    /// Returns the asker, to be asked.
    pub fn asker(&self) -> Asker<'_> {
        let asker = self.side.asker();
        let row = if self.within.is_empty() { asker.row } else { &[] };
        Asker { row, within: &self.within, ..asker }
    }
}

impl Engine {
    /// Returns a user of the policy as somebody who asks: the way to ask more than one
    /// question. Costs about as much as two questions, each of which then takes half as long.
    #[inline]
    pub fn asker(&self, user: User) -> Asker<'_> {
        let compiled = &self.0;
        let class = compiled.class_to_ask(user);
        Asker {
            engine: self,
            user,
            class,
            // A marked class lies beyond all rows.
            row: compiled.rows.piece(class),
            permissions: compiled.permissions,
            asks: &compiled.asks,
            within: &[],
        }
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
    pub fn subject(&self, name: impl Id, entry: &UserEntry) -> Result<OwnedAsker, Problems> {
        let (version, slot) =
            name.with_text(|name| self.policy().inner().with_user(name, entry))?;
        let engine = self.updated(&Policy::from_inner(version));
        let user = engine.0.handle(slot);
        Ok(OwnedAsker::new(Arc::new(engine), user))
    }
}

impl<'e> Asker<'e> {
    /// Returns the engine that answers, for what is not asked of one user: of a
    /// [subject](Engine::subject) it is one that has the subject too.
    pub fn engine(&self) -> &'e Engine {
        self.engine
    }

    /// Returns the user, a handle of [that engine](Asker::engine), to be asked for
    /// [remedies](Engine::remedies), say.
    pub fn user(&self) -> User {
        self.user
    }

    /// Returns the same asker with an engine of its own, which shares its tables with this
    /// one.
    pub fn owned(&self) -> OwnedAsker {
        let side = Side { engine: Arc::new(self.engine.clone()), user: self.user };
        OwnedAsker { side, within: self.within.to_vec() }
    }

    /// Returns the same asker narrowed to what an entry may do as well, which has the
    /// asker's name and groups: each is asked by itself, and the answer is yes only if it
    /// is for both.
    ///
    /// # Errors
    ///
    /// All problems of the entry.
    pub fn within(&self, entry: &UserEntry) -> Result<OwnedAsker, Problems> {
        let holder = self.engine.holder(self.user);
        let groups = &self.engine.policy().inner().groups;
        let named = holder.iter().flat_map(|it| it.groups);
        let groups = named.map(|&id| groups.name(id).to_owned()).collect();
        let entry = UserEntry { groups, ..entry.clone() };
        // Of somebody unknown, who may do nothing, only the entry is looked at.
        let name = holder.map_or("?", |it| it.name);
        let narrower = self.engine.subject(name, &entry)?;
        let mut asker = self.owned();
        asker.within.extend(holder.map(|_| narrower.side));
        Ok(asker)
    }

    /// The user by itself, and those to whom the asker is narrowed.
    fn sides(&self) -> impl Iterator<Item = Asker<'e>> + use<'e> {
        let row = self.engine.0.rows.piece(self.class);
        let alone = Asker { row, within: &[], ..*self };
        std::iter::once(alone).chain(self.within.iter().map(Side::asker))
    }

    /// The same, each as a user and an engine that has such a user.
    pub(crate) fn users(&self) -> impl Iterator<Item = (&'e Engine, User)> + use<'e> {
        self.sides().map(|side| (side.engine, side.user))
    }

    /// [`Engine::can`].
    #[must_use]
    #[inline]
    pub fn can<T: Target>(&self, action: Permission, on: T) -> bool {
        let ask = self.asks.get(action.0.place(self.permissions)).copied();
        let (object, today) = on.parts();
        let Some(object) = object else {
            let elsewhere = || all_can((self.engine, self.user), self.within, action, on);
            let word = |bit| word_of(self.row, bit).unwrap_or_else(|| word_for(elsewhere()));
            return Ask::alone(ask, word);
        };
        let Some(ask) = ask else { return false };
        let Some(word) = word_of(self.row, ask.bit()) else {
            return all_can((self.engine, self.user), self.within, action, on);
        };
        let allows = |bit| {
            let compiled = &self.engine.0;
            compiled.allows_on(self.user, self.class, self.row, bit, object, today)
        };
        is_set(word, ask.bit()) && (!ask.on_object() || allows(ask.bit()))
    }

    /// [`Engine::can_actions`].
    #[must_use]
    pub fn can_actions<T: Target>(&self, actions: &[Permission], on: T) -> Vec<bool> {
        let mut can = vec![true; actions.len()];
        for side in self.sides() {
            let compiled = &side.engine.0;
            let mut view = compiled.view(side.user, &on);
            for (can, &action) in can.iter_mut().zip(actions) {
                let ask = compiled.ask(action);
                *can &= match (&mut view, ask) {
                    (Some(view), Some(ask)) if ask.on_object() => view.allows(ask.bit()),
                    _ => compiled.can(side.user, side.class, ask, on),
                };
            }
        }
        can
    }

    /// [`Engine::can_objects`].
    #[must_use]
    pub fn can_objects<'o, O: Object + ?Sized + 'o>(
        &self,
        action: Permission,
        objects: impl IntoIterator<Item = &'o O>,
        today: impl Today,
    ) -> Vec<bool> {
        let objects = objects.into_iter();
        let compiled = &self.engine.0;
        match compiled.ask(action) {
            Some(ask) if ask.on_object() && self.within.is_empty() && !self.class.is_marked() => {
                compiled.allows_on_each(self.user, self.class, ask, objects, today.moment())
            }
            _ => objects.map(|object| self.can(action, (object, today))).collect(),
        }
    }

    /// [`Engine::can_some`].
    #[must_use]
    pub fn can_some(&self, action: Permission) -> bool {
        self.users().all(|(engine, user)| engine.can_some(user, action))
    }

    /// [`Engine::can_some_beneath`].
    ///
    /// # Errors
    ///
    /// When the catalogue has no such heading.
    pub fn can_some_beneath(&self, heading: &str) -> Result<bool, Unknown> {
        let mut users = self.users();
        users
            .try_fold(true, |all, (engine, user)| Ok(all & engine.can_some_beneath(user, heading)?))
    }

    /// [`Engine::why`]: the reason of the asker or, if the asker may, that of what the asker
    /// is narrowed to.
    pub fn why<T: Target>(&self, action: Permission, on: T) -> Reason {
        let mut last = Reason::UnknownUser;
        for (engine, user) in self.users() {
            last = engine.why(user, action, on);
            if !last.allowed() {
                break;
            }
        }
        last
    }

    /// [`Engine::level`].
    pub fn level<T: Target>(&self, permission: Permission, on: T) -> Option<&'e str> {
        let levels = self.users().map(|(engine, user)| engine.levels(user, &on)(permission));
        levels.min()?.map(|(_, level)| level)
    }

    /// [`Asker::level`] for many permissions, in their order: for a form with all its
    /// fields. The object is asked as in [`Engine::can_actions`].
    ///
    /// ```
    /// # use grantree::{Document, Engine, Policy};
    /// let text = r#"{
    ///     "format": 1,
    ///     "catalogue": {"permissions": [
    ///         {"key": "title", "levels": ["hidden", "read_only", "read_write"]},
    ///         {"key": "price", "levels": ["hidden", "read_only", "read_write"]}]},
    ///     "users": {"bob": {"allow": ["title"], "levels": {"price": "read_only"}}}
    /// }"#;
    /// let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let fields = [engine.permission("title")?, engine.permission("price")?];
    /// let bob = engine.asker(engine.user("bob")?);
    /// assert_eq!(bob.levels(&fields, ()), [Some("read_write"), Some("read_only")]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn levels<T: Target>(&self, permissions: &[Permission], on: T) -> Vec<Option<&'e str>> {
        let on = &on;
        let mut users: Vec<_> =
            self.users().map(|(engine, user)| engine.levels(user, on)).collect();
        let lowest = |&permission: &Permission| {
            let levels = users.iter_mut().map(|level| level(permission));
            levels.min()?.map(|(_, level)| level)
        };
        permissions.iter().map(lowest).collect()
    }

    /// [`Engine::setting`], whatever the asker is narrowed to.
    ///
    /// # Errors
    ///
    /// When the catalogue has no such setting.
    pub fn setting(&self, name: &str) -> Result<Option<&'e SettingValue>, Unknown> {
        self.engine.setting(self.user, name)
    }

    /// [`Engine::effective_in`], whatever the asker is narrowed to.
    ///
    /// # Errors
    ///
    /// When the asker has no such assignment.
    pub fn effective_in(&self, assignment: &str) -> Result<Vec<Effective<'e>>, Unknown> {
        self.engine.effective_in(self.user, assignment)
    }

    /// [`Engine::effective`].
    pub fn effective(&self) -> Vec<Effective<'e>> {
        let row = |side: Asker<'_>| -> Vec<Word> {
            side.engine.0.rows.row(side.class.marked(false)).collect()
        };
        let both = self.sides().map(row).reduce(|row, other| {
            row.iter().zip(&other).map(|(word, other)| word & other).collect()
        });
        self.engine.listed(both.into_iter().flatten())
    }
}

/// Returns whether a user may do this, and all to whom the user is narrowed: where an asker's
/// row does not have the answer.
// Out of line, so that decisions for others stay small.
#[cold]
#[inline(never)]
fn all_can<T: Target>(
    (engine, user): (&Engine, User),
    within: &[Side],
    action: Permission,
    on: T,
) -> bool {
    let within = within.iter().map(|side| (&*side.engine, side.user));
    std::iter::once((engine, user)).chain(within).all(|(engine, user)| engine.can(user, action, on))
}

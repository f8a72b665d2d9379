//! An engine that follows its policy while it is asked.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};

use crate::change::{Applied, By, Change, LogEntry, Refusal, ReplayError};
use crate::engine::Engine;

/// The engine of the policy as it is now, for any number of threads.
///
/// Whoever asks takes a [`Snapshot`], which costs a few nanoseconds, waits for
/// nobody and never changes: what is asked of one snapshot is answered by one
/// version of the policy. A change is applied to the newest version, the engine
/// [follows](Engine::follow), and the next snapshot taken is of the new one.
/// Changes wait for each other, so that none is lost.
///
/// ```
/// use grantree::change::{By, Change};
/// use grantree::{Document, Engine, Live, Policy};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "roles": {"clerk": {"allow": ["orders"]}},
/// #     "users": {"bob": {}}
/// # }"#;
/// # let policy = Policy::try_from(serde_json::from_str::<Document>(text)?)?;
/// let live = Live::new(Engine::new(&policy));
/// let before = live.load();
/// let (bob, orders) = (before.user("bob")?, before.permission("orders")?);
///
/// let change = r#"{"assign": {"user": "bob", "source": {"role": "clerk"}}}"#;
/// live.apply(By::Host, &serde_json::from_str::<Change>(change)?)?;
/// assert!(live.load().can(bob, orders, ()));
/// // A snapshot goes on to answer as it did.
/// assert!(!before.can(bob, orders, ()));
/// # Ok(())
/// # }
/// ```
pub struct Live {
    engine: ArcSwap<Engine>,
    /// Held by who makes the next version.
    making: Mutex<()>,
}

impl Live {
    /// Begins with an engine.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Live, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {},
    /// #     "users": {"bob": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let live = Live::new(engine);
    /// assert!(live.load().user("bob").is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(engine: Engine) -> Live {
        Live { engine: ArcSwap::from_pointee(engine), making: Mutex::default() }
    }

    /// The engine as it is now.
    ///
    /// Take one for each piece of work, a request say, and not for each
    /// question; for longer than that, clone the engine.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Live, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "users": {"bob": {"allow": ["orders"]}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use std::sync::Arc;
    /// use std::thread;
    ///
    /// let live = Arc::new(Live::new(engine));
    /// let request = {
    ///     let live = Arc::clone(&live);
    ///     thread::spawn(move || live.load().can_by_name("bob", "orders", ()))
    /// };
    /// assert_eq!(request.join().unwrap(), Ok(true));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn load(&self) -> Snapshot {
        Snapshot(self.engine.load())
    }

    /// Applies a change to the policy as it is now, and publishes the engine
    /// that comes of it.
    ///
    /// It is published before anybody can have stored it. A host that has to
    /// store a change first applies it to a snapshot's policy and replays what
    /// came of it: see [`Live::replay`].
    ///
    /// # Errors
    ///
    /// Where a rule refuses the change; all is left as it was.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Live, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {},
    /// #     "users": {"root": {"admin": true}, "bob": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::change::{By, Change};
    ///
    /// let live = Live::new(engine);
    /// let applied = live.apply(By::Host, &Change::RemoveUser { user: "bob".into() })?;
    /// assert!(live.load().user("bob").is_err());
    /// assert_eq!(live.load().revision(), applied.policy.revision());
    ///
    /// // The last admin stays.
    /// assert!(live.apply(By::Host, &Change::RemoveUser { user: "root".into() }).is_err());
    /// assert!(live.load().user("root").is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn apply(&self, by: By<'_>, change: &Change) -> Result<Applied, Refusal> {
        self.publish(|engine| {
            let applied = engine.policy().apply(by, change)?;
            Ok((engine.follow(&applied.policy), applied))
        })
    }

    /// Applies what another process applied, or this one to a snapshot, and
    /// publishes the engine that comes of it
    /// ([`Policy::replay`](crate::Policy::replay)).
    ///
    /// # Errors
    ///
    /// Where the entry is not the next one; all is left as it was. Of two that
    /// were made of the same snapshot, the second is late
    /// ([`ReplayError::Already`]): its change is to be applied to a new one. A
    /// log in which entries are stored first must take one of each revision.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Live, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {},
    /// #     "users": {"bob": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::change::{By, Change};
    ///
    /// // Two processes with the same policy.
    /// let here = Live::new(engine);
    /// let there = Live::new(Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?));
    ///
    /// let applied = here.apply(By::Host, &Change::RemoveUser { user: "bob".into() })?;
    /// there.replay(&applied.log_entry())?;
    /// assert!(there.load().user("bob").is_err());
    ///
    /// // Or stored first, with who and when as the host wants, then published.
    /// let add = serde_json::from_str(r#"{"add_user": {"user": "cyd"}}"#)?;
    /// let entry = here.load().policy().apply(By::Host, &add)?.log_entry();
    /// let mut log = vec![("root", serde_json::to_string(&entry)?)];
    /// here.replay(&entry)?;
    /// assert!(here.load().user("cyd").is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replay(&self, entry: &LogEntry) -> Result<(), ReplayError> {
        self.publish(|engine| Ok((engine.follow(&engine.policy().replay(entry)?), ())))
    }

    /// Publishes an engine that is made of the present one: of an edited document,
    /// say, or of several changes that are to be seen together.
    ///
    /// Changes wait until it is made, so that none is lost; readers do not. `make`
    /// must not change this `Live` itself, for it would wait for itself.
    ///
    /// Handles hold for the versions of one policy, such as
    /// [`Policy::revise`](crate::Policy::revise) makes: of a policy that is made
    /// of a document alone, the handles that were taken before are unknown users
    /// and permissions, to whom nothing is allowed.
    ///
    /// # Errors
    ///
    /// Those of `make`; all is left as it was.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Live, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "users": {"bob": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::Problems;
    ///
    /// let live = Live::new(engine);
    /// let bob = live.load().user("bob")?;
    /// live.update(|engine| {
    ///     let mut document = Document::from(engine.policy());
    ///     document.global.allow.push("orders".into());
    ///     Ok::<_, Problems>(engine.follow(&engine.policy().revise(document)?))
    /// })?;
    /// let now = live.load();
    /// assert!(now.can(bob, now.permission("orders")?, ()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn update<E>(&self, make: impl FnOnce(&Engine) -> Result<Engine, E>) -> Result<(), E> {
        self.publish(|engine| Ok((make(engine)?, ())))
    }

    /// Publishes an engine made elsewhere, whatever there is now.
    ///
    /// Changes that were made since its policy was taken are lost without a word:
    /// to go on from the present engine, use [`Live::update`].
    ///
    /// ```
    /// # use grantree::{Document, Engine, Live, Policy};
    /// # let text = r#"{"format": 1, "catalogue": {}, "users": {"bob": {}}}"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// let live = Live::new(engine);
    /// // The policy of another tenant, or one that was stored.
    /// let other = r#"{"format": 1, "catalogue": {}, "users": {"cyd": {}}}"#;
    /// let policy = Policy::try_from(serde_json::from_str::<Document>(other)?)?;
    /// live.store(Engine::new(&policy.at_revision(17)));
    /// assert!(live.load().user("cyd").is_ok() && live.load().revision() == 17);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn store(&self, engine: Engine) {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        self.engine.store(Arc::new(engine));
    }

    fn publish<T, E>(&self, make: impl FnOnce(&Engine) -> Result<(Engine, T), E>) -> Result<T, E> {
        // Nothing that is behind the lock can be left half done.
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let (engine, made) = make(&self.engine.load_full())?;
        self.engine.store(Arc::new(engine));
        Ok(made)
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let revision = self.load().revision();
        f.debug_struct("Live").field("revision", &revision).finish_non_exhaustive()
    }
}

/// An engine as it was when it was taken; it derefs to it.
///
/// ```
/// # use grantree::{Document, Engine, Live, Policy, Snapshot};
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "users": {"bob": {"allow": ["orders"]}}
/// # }"#;
/// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
/// let live = Live::new(engine);
/// let now: Snapshot = live.load();
/// // All of a request is answered by one version.
/// assert!(now.can_by_name("bob", "orders", ())?);
/// assert_eq!(now.revision(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Snapshot(Guard<Arc<Engine>>);

impl Deref for Snapshot {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.0
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

//! An engine that can be replaced while other threads query it.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};

use crate::change::{Actor, Applied, Change, LogEntry, Refusal, ReplayError};
use crate::engine::Engine;
use crate::object::Today;

/// The engine of the newest version of a policy, for any number of threads.
///
/// A reader takes a [snapshot](Live::load), which costs a few nanoseconds, waits for
/// nobody and never changes: all questions to one snapshot are answered by one version
/// of the policy. A change is applied to the newest version, the engine
/// [follows](Engine::updated), and the next snapshot is of the new version. Changes wait
/// for each other, so that none is lost.
///
/// ```
/// use grantree::change::{Actor, Change};
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
/// live.apply(Actor::Host, &serde_json::from_str::<Change>(change)?)?;
/// assert!(live.load().can(bob, orders, ()));
/// // A snapshot goes on answering as it did.
/// assert!(!before.can(bob, orders, ()));
/// # Ok(())
/// # }
/// ```
pub struct Live {
    engine: ArcSwap<Engine>,
    /// Held while the next version is made.
    writer: Mutex<()>,
}

impl Live {
    /// Starts with an engine.
    pub fn new(engine: Engine) -> Live {
        Live { engine: ArcSwap::from_pointee(engine), writer: Mutex::default() }
    }

    /// Returns a snapshot of the newest engine.
    ///
    /// Take one for each piece of work, such as a request, not for each question. To
    /// keep it for longer, clone the engine.
    #[must_use = "it is a snapshot of the engine"]
    pub fn load(&self) -> impl Deref<Target = Engine> + fmt::Debug + use<> {
        Snapshot(self.engine.load())
    }

    /// Applies a change to the newest version of the policy, and publishes the
    /// resulting engine.
    ///
    /// It is published before the host can store it. A host that must store a change
    /// first applies it to a snapshot's policy and replays the log entry: see
    /// [`Live::replay`].
    ///
    /// # Errors
    ///
    /// When a rule refuses the change; then nothing changes.
    pub fn apply(&self, actor: Actor<'_>, change: &Change) -> Result<Applied, Refusal> {
        self.apply_on(actor, change, ())
    }

    /// [`Live::apply`] on a day ([`Policy::apply_on`](crate::Policy::apply_on)).
    ///
    /// # Errors
    ///
    /// As [`Live::apply`].
    pub fn apply_on(
        &self,
        actor: Actor<'_>,
        change: &Change,
        today: impl Today,
    ) -> Result<Applied, Refusal> {
        self.publish(|engine| {
            let applied = engine.policy().apply_on(actor, change, today)?;
            Ok((engine.updated(&applied.policy), applied))
        })
    }

    /// Applies a change that was applied before, in another process or to a snapshot in
    /// this one, and publishes the resulting engine
    /// ([`Policy::replay`](crate::Policy::replay)).
    ///
    /// # Errors
    ///
    /// When the entry is not the next one or does not fit the policy; then nothing
    /// changes. Of two entries made from the same snapshot, the second is late
    /// ([`ReplayError::Already`]): apply its change to a new snapshot. A log in which
    /// entries are stored first must accept only one of each revision.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Live, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {},
    /// #     "users": {"bob": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::change::{Actor, Change};
    ///
    /// // Two processes with the same policy.
    /// let here = Live::new(engine);
    /// let there = Live::new(Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?));
    ///
    /// let applied = here.apply(Actor::Host, &Change::RemoveUser { user: "bob".into() })?;
    /// there.replay(&applied.log_entry())?;
    /// assert!(there.load().user("bob").is_err());
    ///
    /// // Or stored first, with who and when as the host likes, then published.
    /// let add = serde_json::from_str(r#"{"add_user": {"user": "cyd"}}"#)?;
    /// let entry = here.load().policy().apply(Actor::Host, &add)?.log_entry();
    /// let mut log = vec![("root", serde_json::to_string(&entry)?)];
    /// here.replay(&entry)?;
    /// assert!(here.load().user("cyd").is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replay(&self, entry: &LogEntry) -> Result<(), ReplayError> {
        self.publish(|engine| Ok((engine.updated(&engine.policy().replay(entry)?), ())))
    }

    /// Publishes an engine made from the present one: from an edited document, say, or
    /// by several changes that are to become visible together.
    ///
    /// Changes wait until it is made, so that none is lost; readers do not wait. `make`
    /// must not change this `Live` itself: it would wait for itself forever.
    ///
    /// Handles stay valid for later versions of the same policy, such as those made by
    /// [`Policy::revise`](crate::Policy::revise). With a policy made directly from a
    /// document, handles taken before are unknown, and allow nothing.
    ///
    /// # Errors
    ///
    /// Those of `make`; then nothing changes.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Live, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "users": {"bob": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::problem::Problems;
    ///
    /// let live = Live::new(engine);
    /// let bob = live.load().user("bob")?;
    /// live.update(|engine| {
    ///     let mut document = Document::from(engine.policy());
    ///     document.global.allow.push("orders".into());
    ///     Ok::<_, Problems>(engine.updated(&engine.policy().revise(document)?))
    /// })?;
    /// let now = live.load();
    /// assert!(now.can(bob, now.permission("orders")?, ()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn update<E>(&self, make: impl FnOnce(&Engine) -> Result<Engine, E>) -> Result<(), E> {
        self.publish(|engine| Ok((make(engine)?, ())))
    }

    /// Publishes an engine made elsewhere, in place of the present one.
    ///
    /// Changes made since its policy was taken are silently lost: to build on the
    /// present engine, use [`Live::update`].
    pub fn store(&self, engine: Engine) {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.engine.store(Arc::new(engine));
    }

    fn publish<T, E>(&self, make: impl FnOnce(&Engine) -> Result<(Engine, T), E>) -> Result<T, E> {
        // A panic leaves nothing half done behind the lock.
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
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

/// An engine as it was when [`Live::load`] returned it.
struct Snapshot(Guard<Arc<Engine>>);

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

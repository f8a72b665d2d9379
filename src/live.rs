//! An engine that can be replaced while other threads query it.

mod logged;

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};

use crate::change::{Actor, Applied, Change, Refusal};
use crate::document::CompactDocument;
use crate::engine::Engine;
use crate::journal::{LogEntry, ReplayError};
use crate::object::Today;
use crate::problem::Problems;

/// The engine of the newest version of a policy, for any number of threads.
///
/// A reader takes a [snapshot](Live::load), which costs a few nanoseconds, waits for
/// nobody and never changes: all questions to one snapshot are answered by one version
/// of the policy. A change is [committed](Live::commit): applied to the newest version,
/// stored as an entry of a log, and then published; the next snapshot is of the new version.
/// Other processes [catch up](Live::catch_up).
///
/// ```
/// use grantree::change::{Actor, Change};
/// use grantree::journal::MemoryJournal;
/// use grantree::{Document, Live};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let text = r#"{
/// #     "format": 1,
/// #     "catalogue": {"permissions": [{"key": "orders"}]},
/// #     "roles": {"clerk": {"allow": ["orders"]}},
/// #     "users": {"root": {"admin": true}, "bob": {}}
/// # }"#;
/// let mut journal = MemoryJournal::default();
/// // The document is the first entry of the log, if nothing is stored yet.
/// let live = Live::open(&mut journal, serde_json::from_str::<Document>(text)?)?;
/// let before = live.load();
/// let (bob, orders) = (before.user("bob")?, before.permission("orders")?);
///
/// let change: Change =
///     serde_json::from_str(r#"{"assign": {"user": "bob", "source": {"role": "clerk"}}}"#)?;
/// live.commit(&mut journal, Actor::User("root"), &change, ())?;
/// assert!(live.load().can(bob, orders, ()));
/// // A snapshot goes on answering as it did.
/// assert!(!before.can(bob, orders, ()));
/// # Ok(())
/// # }
/// ```
///
/// A [`Journal`](crate::journal::Journal) is the host's way to its store. A policy that is not
/// stored, or by other means, is changed by methods that publish only.
///
/// | to publish | with a journal | without |
/// | --- | --- | --- |
/// | the first version | [`Live::open`] | [`Live::new`] |
/// | a change | [`Live::commit`] | [`Live::apply`] |
/// | an edited document | [`Live::commit_document`] | [`Live::reload`] |
/// | the catalogue of a new release | [`Live::upgrade`] | [`Live::reload`], of a document that has it |
/// | an entry that another process has stored | [`Live::catch_up`] | [`Live::replay`] |
/// | several of these as one version | | [`Live::update`] |
/// | another policy, or another past | [`Live::reopen`] | [`Live::replace_lineage`] |
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

    /// The same, to be kept.
    pub(crate) fn snapshot(&self) -> Arc<Engine> {
        self.engine.load_full()
    }

    /// Applies a change to the newest version of the policy, and publishes the
    /// resulting engine. Nothing is stored: with a log, use [`Live::commit`].
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

    /// Makes the next version from an entry of a log, and publishes the resulting engine
    /// ([`Policy::replay`](crate::Policy::replay)): for a host that stores entries by
    /// its own means, in a transaction of its own, say. [`Live::catch_up`] does it for a
    /// journal.
    ///
    /// # Errors
    ///
    /// When the entry is not the next one or does not fit the policy; then nothing
    /// changes. Of two entries made from the same snapshot, the second one belongs to
    /// [another past](ReplayError::Parted): apply its change to a new snapshot. So a log must
    /// take only one entry of each revision.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Live, Policy};
    /// # let text = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {},
    /// #     "users": {"bob": {}}
    /// # }"#;
    /// # let engine = Engine::new(&Policy::try_from(serde_json::from_str::<Document>(text)?)?);
    /// use grantree::change::Actor;
    ///
    /// let live = Live::new(engine);
    /// let add = serde_json::from_str(r#"{"add_user": {"user": "cyd"}}"#)?;
    /// // Stored, then published.
    /// let entry = live.load().policy().apply(Actor::Host, &add)?.log_entry();
    /// let mut log = vec![serde_json::to_string(&entry)?];
    /// live.replay(&entry)?;
    /// assert!(live.load().user("cyd").is_ok());
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
    /// document, handles taken before are unknown, and allow nothing: see
    /// [`Live::replace_lineage`].
    ///
    /// # Errors
    ///
    /// Errors of `make`; then nothing changes.
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
    ///     Ok::<_, Problems>(engine.updated(&engine.policy().revise(document)?.policy))
    /// })?;
    /// let now = live.load();
    /// assert!(now.can(bob, now.permission("orders")?, ()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn update<E>(&self, make: impl FnOnce(&Engine) -> Result<Engine, E>) -> Result<(), E> {
        self.publish(|engine| Ok((make(engine)?, ())))
    }

    /// Publishes an edited document as the next version of the policy: a file that was
    /// edited, say, and is read again. Handles stay valid, for every name that it still has.
    /// A [`CompactDocument`] takes less time and memory where there are many users.
    ///
    /// A document that states what the policy does already makes no version. For a policy
    /// that is stored, see [`Live::commit_document`].
    ///
    /// # Errors
    ///
    /// All that is wrong with the document; then nothing changes.
    ///
    /// ```
    /// # use grantree::{Document, Engine, Live, Policy};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let file = r#"{
    /// #     "format": 1,
    /// #     "catalogue": {"permissions": [{"key": "orders"}]},
    /// #     "users": {"bob": {"allow": ["orders"]}}
    /// # }"#;
    /// let live = Live::new(Engine::new(&Policy::try_from(serde_json::from_str::<Document>(file)?)?));
    /// let engine = live.load();
    /// let (bob, orders) = (engine.user("bob")?, engine.permission("orders")?);
    ///
    /// live.reload(serde_json::from_str::<Document>(file)?)?;
    /// assert!(live.load().can(bob, orders, ()));
    /// assert_eq!(live.load().revision(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn reload(&self, document: impl Into<CompactDocument>) -> Result<(), Problems> {
        self.publish(|engine| {
            let revised = engine.policy().revise(document)?.policy;
            if revised.digest() == engine.policy().digest() {
                return Ok((engine.clone(), ()));
            }
            Ok((engine.updated(&revised), ()))
        })
    }

    /// Publishes an engine of another policy in place of the present one. Every handle to a
    /// user or permission that was taken before is unknown to it, and allows nothing, not
    /// even to admins.
    ///
    /// Changes made since are lost. To give the policy another document, use
    /// [`Live::reload`]; to build on the present engine, [`Live::update`]. Whoever keeps handles
    /// to permissions notices by [`Engine::owns`] that they are to be looked up again, and
    /// everybody who is denied for it by the [reason](crate::Reason::UnknownPermission).
    pub fn replace_lineage(&self, engine: Engine) {
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

//! The protocol by which processes share one log; see [`crate::journal`].
//!
//! It is written once, as futures over an [`AsyncJournal`]. Those of a [`Journal`] are
//! ready at once, so that one poll runs them to their end.

use std::future::{self, Future};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::Live;
use crate::change::{Actor, Applied, Change};
use crate::document::{Catalogue, CompactDocument, Document};
use crate::engine::Engine;
use crate::journal::{
    Append, AsyncJournal, Journal, JournalError, LogEntry, ReplayError, Snapshot, StoreError,
    Version,
};
use crate::object::Today;
use crate::policy::{Policy, Revised, Upgrade};
use crate::problem::{Limits, Problems};

/// The next version of a policy, to be stored, or nothing that needs storing; and what is
/// returned then.
enum Proposal<T> {
    Next { policy: Policy, entry: LogEntry, outcome: T },
    Nothing(T),
}

impl Live {
    /// Opens a policy that is stored: takes the snapshot, and replays the entries of the log
    /// after it. If nothing is stored, `first` becomes the first entry.
    ///
    /// # Errors
    ///
    /// When the journal fails, or holds what this process can't; problems of `first`, if it
    /// is needed.
    pub fn open<J: Journal>(
        journal: &mut J,
        first: impl Into<CompactDocument>,
    ) -> Result<Live, JournalError> {
        now(Live::open_async(&mut Ready(journal), first))
    }

    /// Makes a change durable, then visible: catches up, applies it to the newest version of
    /// the policy, appends its entry to the log, and publishes the engine; if another
    /// process was faster, all of it again.
    ///
    /// # Errors
    ///
    /// When a rule refuses the change, or the journal fails, or holds what this process
    /// can't; then nothing is published. Only after [`JournalError::Failed`] may the change
    /// have been stored all the same: then it is found when catching up.
    pub fn commit<J: Journal>(
        &self,
        journal: &mut J,
        actor: Actor<'_>,
        change: &Change,
        today: impl Today,
    ) -> Result<Applied, JournalError> {
        now(self.commit_async(&mut Ready(journal), actor, change, today))
    }

    /// [`Live::reload`], made durable first: stores the document as an entry of the log.
    ///
    /// # Errors
    ///
    /// Problems of the document, and as [`Live::commit`].
    pub fn commit_document<J: Journal>(
        &self,
        journal: &mut J,
        document: impl Into<CompactDocument>,
    ) -> Result<(), JournalError> {
        now(self.commit_document_async(&mut Ready(journal), document))
    }

    /// [`Live::commit_document`] of a document that was edited from a version of the policy: it
    /// is not stored if the policy has changed since, so that no change is lost.
    ///
    /// # Errors
    ///
    /// [`JournalError::Superseded`], and as [`Live::commit_document`].
    ///
    /// ```
    /// # use grantree::{Document, Live};
    /// # use grantree::journal::{JournalError, MemoryJournal};
    /// # use grantree::change::{Actor, Change};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let text = r#"{"format": 1, "catalogue": {}, "users": {"ann": {}, "bob": {}}}"#;
    /// # let mut journal = MemoryJournal::default();
    /// # let live = Live::open(&mut journal, serde_json::from_str::<Document>(text)?)?;
    /// // Somebody opens an editor.
    /// let (edited_from, mut document) = {
    ///     let engine = live.load();
    ///     (engine.policy().version(), Document::from(engine.policy()))
    /// };
    /// document.global.deny.clear();
    /// // Meanwhile, somebody else is faster.
    /// let suspend = Change::SetSuspended { user: "bob".into(), suspended: true };
    /// live.commit(&mut journal, Actor::Host, &suspend, ())?;
    /// let refused = live.commit_document_after(&mut journal, &document, edited_from);
    /// assert!(matches!(refused, Err(JournalError::Superseded { after: 1, policy: 2 })));
    /// # Ok(())
    /// # }
    /// ```
    pub fn commit_document_after<J: Journal>(
        &self,
        journal: &mut J,
        document: impl Into<CompactDocument>,
        after: Version,
    ) -> Result<(), JournalError> {
        now(self.commit_document_after_async(&mut Ready(journal), document, after))
    }

    /// [`Policy::upgrade`], made durable first: stores the catalogue as an entry of the log,
    /// if it is new to it. Every process may do this with its own when it starts.
    ///
    /// # Errors
    ///
    /// Problems of the catalogue, and as [`Live::commit`].
    pub fn upgrade<J: Journal>(
        &self,
        journal: &mut J,
        catalogue: &Catalogue,
    ) -> Result<Upgrade, JournalError> {
        now(self.upgrade_async(&mut Ready(journal), catalogue))
    }

    /// [`Policy::upgrade_to`], made durable first: [`Live::upgrade`] to the catalogue of
    /// another policy, which this one then shares. One that is equal already is shared too,
    /// which takes no entry. Every tenant may do this with the product's when it is opened.
    ///
    /// # Errors
    ///
    /// As [`Live::upgrade`].
    pub fn upgrade_to<J: Journal>(
        &self,
        journal: &mut J,
        product: &Policy,
    ) -> Result<Upgrade, JournalError> {
        now(self.upgrade_to_async(&mut Ready(journal), product))
    }

    /// Replays what other processes have stored since, and publishes it.
    ///
    /// # Errors
    ///
    /// When the journal fails, or holds what this process can't. What could be replayed is
    /// published.
    pub fn catch_up<J: Journal>(&self, journal: &mut J) -> Result<(), JournalError> {
        now(self.catch_up_async(&mut Ready(journal)))
    }

    /// Publishes what is stored in place of the present version, whatever that is, and
    /// keeps the handles: the way on after [`JournalError::Ahead`] and
    /// [`ReplayError::Parted`], once somebody has looked into it.
    ///
    /// # Errors
    ///
    /// When the journal fails, or holds what this process can't.
    pub fn reopen<J: Journal>(&self, journal: &mut J) -> Result<(), JournalError> {
        now(self.reopen_async(&mut Ready(journal)))
    }

    /// [`Live::open`], awaited.
    ///
    /// # Errors
    ///
    /// As [`Live::open`].
    pub async fn open_async<J: AsyncJournal>(
        journal: &mut J,
        first: impl Into<CompactDocument>,
    ) -> Result<Live, JournalError> {
        let first = first.into();
        let live = Live::new(Engine::new(&Live::stored(journal, Limits::default()).await?));
        let propose = |policy: &Policy| {
            if policy.revision() > 0 {
                return Ok(Proposal::Nothing(()));
            }
            Ok(Proposal::whole(policy.revise(first.clone())?, |_| ()))
        };
        live.propose(journal, propose).await?;
        Ok(live)
    }

    /// [`Live::commit`], awaited. If it is dropped on the way, the change may have been
    /// stored.
    ///
    /// # Errors
    ///
    /// As [`Live::commit`].
    pub async fn commit_async<J: AsyncJournal>(
        &self,
        journal: &mut J,
        actor: Actor<'_>,
        change: &Change,
        today: impl Today,
    ) -> Result<Applied, JournalError> {
        let propose = |policy: &Policy| {
            let applied = policy.apply_on(actor, change, today)?;
            let (policy, entry) = (applied.policy.clone(), applied.log_entry());
            Ok(Proposal::Next { policy, entry, outcome: applied })
        };
        self.propose(journal, propose).await
    }

    /// [`Live::commit_document`], awaited.
    ///
    /// # Errors
    ///
    /// As [`Live::commit_document`].
    pub async fn commit_document_async<J: AsyncJournal>(
        &self,
        journal: &mut J,
        document: impl Into<CompactDocument>,
    ) -> Result<(), JournalError> {
        self.propose_document(journal, document.into(), None).await
    }

    /// [`Live::commit_document_after`], awaited.
    ///
    /// # Errors
    ///
    /// As [`Live::commit_document_after`].
    pub async fn commit_document_after_async<J: AsyncJournal>(
        &self,
        journal: &mut J,
        document: impl Into<CompactDocument>,
        after: Version,
    ) -> Result<(), JournalError> {
        self.propose_document(journal, document.into(), Some(after)).await
    }

    async fn propose_document<J: AsyncJournal>(
        &self,
        journal: &mut J,
        document: CompactDocument,
        after: Option<Version>,
    ) -> Result<(), JournalError> {
        let propose = |policy: &Policy| {
            let revised = policy.revise(document.clone())?;
            if revised.policy.digest() == policy.digest() {
                return Ok(Proposal::Nothing(()));
            }
            if let Some(after) = after.filter(|&after| after != policy.version()) {
                let (after, policy) = (after.revision, policy.revision());
                return Err(JournalError::Superseded { after, policy });
            }
            Ok(Proposal::whole(revised, |_| ()))
        };
        self.propose(journal, propose).await
    }

    /// [`Live::upgrade`], awaited.
    ///
    /// # Errors
    ///
    /// As [`Live::upgrade`].
    pub async fn upgrade_async<J: AsyncJournal>(
        &self,
        journal: &mut J,
        catalogue: &Catalogue,
    ) -> Result<Upgrade, JournalError> {
        let propose = |policy: &Policy| Ok(policy.upgrade(catalogue.clone())?.into());
        self.propose(journal, propose).await
    }

    /// [`Live::upgrade_to`], awaited.
    ///
    /// # Errors
    ///
    /// As [`Live::upgrade_to`].
    pub async fn upgrade_to_async<J: AsyncJournal>(
        &self,
        journal: &mut J,
        product: &Policy,
    ) -> Result<Upgrade, JournalError> {
        let propose = |policy: &Policy| Ok(policy.upgrade_to(product)?.into());
        let upgrade = self.propose(journal, propose).await?;
        self.publish(|engine| {
            let shared = engine.policy().sharing(product);
            Ok::<_, JournalError>((
                shared.map_or_else(|| engine.clone(), |it| Engine::new(&it)),
                (),
            ))
        })?;
        Ok(upgrade)
    }

    /// [`Live::catch_up`], awaited.
    ///
    /// # Errors
    ///
    /// As [`Live::catch_up`].
    pub async fn catch_up_async<J: AsyncJournal>(
        &self,
        journal: &mut J,
    ) -> Result<(), JournalError> {
        // In this order: every version that is published was stored before.
        let here = self.load().policy().version();
        let head = journal.head().await?;
        let log = head.map_or(0, |head| head.revision);
        if log < here.revision {
            return Err(JournalError::Ahead { log, policy: here.revision });
        }
        if head.is_none_or(|head| head == here) {
            return Ok(());
        }
        let followed = if log == here.revision {
            Err(ReplayError::Parted { entry: log, at: log })
        } else {
            let (snapshot, entries) = Live::read(journal, None, here.revision, log).await?;
            if let Some(snapshot) = snapshot {
                self.skip_to(snapshot)?;
            }
            self.follow(&entries)
        };
        match followed {
            Ok(()) => {}
            Err(ReplayError::Parted { entry, at }) => {
                let at = self.parted_at(journal, at).await?;
                return Err(ReplayError::Parted { entry, at }.into());
            }
            Err(ReplayError::Early { policy, .. }) => {
                return Err(JournalError::Missing(policy.saturating_add(1)));
            }
            Err(other) => return Err(other.into()),
        }
        let reached = self.load().revision();
        if reached < log { Err(JournalError::Missing(reached.saturating_add(1))) } else { Ok(()) }
    }

    /// [`Live::reopen`], awaited.
    ///
    /// # Errors
    ///
    /// As [`Live::reopen`].
    pub async fn reopen_async<J: AsyncJournal>(&self, journal: &mut J) -> Result<(), JournalError> {
        let limits = self.load().policy().inner().limits;
        let stored = Snapshot::from(&Live::stored(journal, limits).await?);
        self.publish(|engine| Ok((engine.updated(&engine.policy().replaced(stored)?), ())))
    }

    /// Makes a policy of what is stored.
    async fn stored<J: AsyncJournal>(
        journal: &mut J,
        limits: Limits,
    ) -> Result<Policy, JournalError> {
        let newest = journal.snapshot().await?;
        let from = newest.as_ref().map_or(0, |snapshot| snapshot.revision);
        let (snapshot, entries) = Live::read(journal, newest, from, from).await?;
        let builder = Policy::builder().limits(limits);
        let mut policy = match snapshot {
            Some(snapshot) => builder.restore(snapshot)?,
            None => builder.build(Document::default())?,
        };
        for entry in &entries {
            policy = policy.replay(entry)?;
        }
        Ok(policy)
    }

    /// Catches up and stores what is proposed as the next version, until it is stored at the
    /// end of the log; then publishes it.
    ///
    /// It ends: the log has grown with each turn.
    async fn propose<J: AsyncJournal, T>(
        &self,
        journal: &mut J,
        mut propose: impl FnMut(&Policy) -> Result<Proposal<T>, JournalError>,
    ) -> Result<T, JournalError> {
        let mut tried: Option<(Version, T)> = None;
        loop {
            self.catch_up_async(journal).await?;
            let base = self.engine.load_full();
            if let Some((version, outcome)) = tried {
                match base.policy().id_at(version.revision) {
                    Some(id) if id == version.id => return Ok(outcome),
                    None if base.revision() < version.revision => {
                        return Err(JournalError::Missing(version.revision));
                    }
                    _ => {}
                }
            }
            let (policy, entry, outcome) = match propose(base.policy())? {
                Proposal::Next { policy, entry, outcome } => (policy, entry, outcome),
                Proposal::Nothing(outcome) => return Ok(outcome),
            };
            match journal.append(&entry).await? {
                Append::Done => {
                    self.accept(&base, &policy, entry)?;
                    return Ok(outcome);
                }
                Append::Taken => tried = Some((entry.version(), outcome)),
            }
        }
    }

    /// Publishes a version made from another one, which has been stored.
    fn accept(&self, base: &Engine, next: &Policy, entry: LogEntry) -> Result<(), ReplayError> {
        let is_next = self.publish(|engine| {
            let is_next = engine.policy().version() == base.policy().version();
            Ok::<_, ReplayError>((
                if is_next { engine.updated(next) } else { engine.clone() },
                is_next,
            ))
        })?;
        if is_next { Ok(()) } else { self.follow(&[entry]) }
    }

    /// Publishes what entries of the log lead to, as far as they can be replayed.
    fn follow(&self, entries: &[LogEntry]) -> Result<(), ReplayError> {
        self.publish(|engine| {
            let mut policy = engine.policy().clone();
            let mut followed = Ok(());
            for entry in entries {
                match policy.replay(entry) {
                    Ok(next) => policy = next,
                    // By another thread, which was faster.
                    Err(ReplayError::Already { .. }) => {}
                    Err(error) => {
                        followed = Err(error);
                        break;
                    }
                }
            }
            let is_new = policy.revision() != engine.revision();
            let engine = if is_new { engine.updated(&policy) } else { engine.clone() };
            Ok::<_, ReplayError>((engine, followed))
        })?
    }

    /// Reads the entries after a revision, up to a revision that the log has or further. If those
    /// that come next have been deleted, begins with a newer snapshot, which has what they
    /// did; so again, if yet a newer one was stored meanwhile.
    async fn read<J: AsyncJournal>(
        journal: &mut J,
        mut snapshot: Option<Snapshot>,
        mut from: u64,
        to: u64,
    ) -> Result<(Option<Snapshot>, Vec<LogEntry>), JournalError> {
        loop {
            let entries = journal.after(from).await?;
            let next = from.saturating_add(1);
            let is_whole = match entries.first() {
                Some(first) => first.revision <= next,
                None => from >= to,
            };
            if is_whole {
                return Ok((snapshot, entries));
            }
            let stored = journal.snapshot().await?;
            let Some(newer) = stored.filter(|it| it.revision > from) else {
                return Err(JournalError::Missing(next));
            };
            from = newer.revision;
            snapshot = Some(newer);
        }
    }

    /// Publishes a snapshot of a later version than the present one.
    fn skip_to(&self, snapshot: Snapshot) -> Result<(), Problems> {
        self.publish(|engine| {
            if engine.revision() >= snapshot.revision {
                return Ok((engine.clone(), ()));
            }
            Ok((engine.updated(&engine.policy().replaced(snapshot)?), ()))
        })
    }

    /// Looks up in the log where it parts from the policy.
    async fn parted_at<J: AsyncJournal>(
        &self,
        journal: &mut J,
        known: u64,
    ) -> Result<u64, JournalError> {
        let policy = self.load().policy().clone();
        let from = policy.oldest_known();
        let entries = journal.after(from).await?;
        let parted = entries.iter().find_map(|entry| match policy.expects(entry) {
            Err(ReplayError::Parted { at, .. }) => Some(at),
            _ => None,
        });
        Ok(parted.map_or(known, |at| at.min(known)))
    }
}

impl From<Upgrade> for Proposal<Upgrade> {
    fn from(upgrade: Upgrade) -> Proposal<Upgrade> {
        match upgrade {
            Upgrade::Done(revised) => Proposal::whole(revised, Upgrade::Done),
            nothing => Proposal::Nothing(nothing),
        }
    }
}

impl<T> Proposal<T> {
    fn whole(revised: Revised, outcome: impl FnOnce(Revised) -> T) -> Proposal<T> {
        let (policy, entry) = (revised.policy.clone(), revised.log_entry());
        Proposal::Next { policy, entry, outcome: outcome(revised) }
    }
}

/// A journal whose futures are ready.
struct Ready<'j, J>(&'j mut J);

impl<J: Journal> AsyncJournal for Ready<'_, J> {
    fn snapshot(&mut self) -> impl Future<Output = Result<Option<Snapshot>, StoreError>> + Send {
        future::ready(self.0.snapshot())
    }

    fn head(&mut self) -> impl Future<Output = Result<Option<Version>, StoreError>> + Send {
        future::ready(self.0.head())
    }

    fn after(
        &mut self,
        revision: u64,
    ) -> impl Future<Output = Result<Vec<LogEntry>, StoreError>> + Send {
        future::ready(self.0.after(revision))
    }

    fn append(
        &mut self,
        entry: &LogEntry,
    ) -> impl Future<Output = Result<Append, StoreError>> + Send {
        future::ready(self.0.append(entry))
    }
}

/// Runs a future that waits for nothing.
fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

//! Where sessions, revocations, keys and clients live.
//!
//! [`Store`] is a set of domain operations, not a key-value interface: an engine decides how rows look and how they are
//! kept. Every change is atomic, and an [`Answer`] that is `Ok` is on disk: after a power cut it is still there. Reads may
//! show a change that is not yet on disk; what must not be decided on such a change is decided inside
//! [`Store::update_session`], whose answer waits for the disk.
//!
//! Dropping an [`Answer`] does not take a change back: what was queued still happens.
//!
//! `conformance.rs` is the suite that every engine runs; `sled/` is the embedded engine.

#[cfg(test)]
mod conformance;
mod error;
mod record;
mod sled;

pub use self::sled::SledStore;
pub use error::StoreError;

use crate::keys::SealedKey;
use crate::revocations::Publication;
use crate::rules::Rules;
use crate::session::{Outcome, Session, SessionId, Step};
use std::future::Future;
use std::ops::RangeInclusive;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use token::id::Jti;
use token::time::UnixTime;
use tokio::sync::{mpsc, watch};

/// What a store will answer; it does not borrow from the store.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'static>>;

/// A pure decision about a session. It may run while other changes wait, so it must not block.
pub type Transition = Box<dyn FnOnce(Session) -> Step + Send + 'static>;

/// Keeps what the issuer must not forget.
pub trait Store: Send + Sync {
    /// Stores a new session and returns it. Its `sid` is random; one that exists already is damage.
    fn create_session(&self, session: Session) -> Answer<Session>;

    /// Returns a session.
    fn session(&self, sid: SessionId) -> Answer<Option<Session>>;

    /// Returns the sessions that follow `after` in the order of their names, at most `most`; from the first with `None`.
    fn sessions(&self, after: Option<SessionId>, most: usize) -> Answer<Vec<Session>>;

    /// Replaces a session by what `transition` makes of it, and revokes what the step revokes, in one atomic change.
    ///
    /// Transitions of one session never overlap. Returns the session afterwards, or `None` when there is none.
    fn update_session(&self, sid: SessionId, transition: Transition) -> Answer<Option<(Session, Outcome)>>;

    /// Ends sessions of a subject that began at or before `until`, with all their live tokens, in one atomic change.
    ///
    /// It looks at [`SUBJECT_STEP`] sessions at most, at fewer where they have many live tokens, from the one behind
    /// `after` on: the caller goes on until there are no more. Transitions of a session never overlap with it, so a refresh
    /// happens before and its token is revoked, or finds the session ended. A session that begins while the caller is
    /// under way may be passed by.
    fn revoke_subject(
        &self,
        sub: String,
        until: UnixTime,
        after: Option<SessionId>,
        now: UnixTime,
    ) -> Answer<SubjectStep>;

    /// Returns the next page of an epoch, counted from 0. No page of an epoch is ever returned twice.
    ///
    /// Fails with [`StoreError::NoIndices`] when the epoch's pages are used up or have been forgotten.
    fn lease_page(&self, epoch: u32) -> Answer<u32>;

    /// Returns how many pages have been leased of each of these epochs, ascending; epochs without any are left out.
    fn pages(&self, epochs: RangeInclusive<u32>) -> Answer<Vec<Pages>>;

    /// Counts all pages of these epochs as swept that have been leased so far, after leaving out the next `skipped` of each,
    /// which nobody gets any more. Epochs whose pages have been forgotten are passed over.
    fn sweep_pages(&self, epochs: RangeInclusive<u32>, skipped: u32) -> Answer<()>;

    /// Revokes tokens; one that is revoked already, or whose epoch has left, changes nothing.
    fn revoke(&self, jtis: Vec<Jti>) -> Answer<()>;

    /// Returns whether a token is revoked.
    fn is_revoked(&self, jti: Jti) -> Answer<bool>;

    /// Returns all revocations and a feed of those that follow, without a gap between the two.
    fn revocations(&self) -> Answer<Revocations>;

    /// Returns what was stored of the newest list.
    fn publication(&self) -> Answer<Option<Publication>>;

    /// Stores what a list will be, before it is served. Fails with [`StoreError::Superseded`] unless
    /// `seq` is above the stored one.
    fn put_publication(&self, publication: Publication) -> Answer<()>;

    /// Returns the rules.
    fn rules(&self) -> Answer<Option<Rules>>;

    /// Stores rules in place of those before, and keys as [`Store::put_keys`] does, in one atomic change. Fails with
    /// [`StoreError::Superseded`] unless the version is above the stored one.
    fn put_rules(&self, rules: Rules, keys: Vec<SealedKey>) -> Answer<()>;

    /// Returns all keys.
    fn keys(&self) -> Answer<Vec<SealedKey>>;

    /// Stores keys, replacing those of the same `kid`, in one atomic change.
    fn put_keys(&self, keys: Vec<SealedKey>) -> Answer<()>;

    /// Returns a client.
    fn client(&self, client_id: String) -> Answer<Option<ClientRecord>>;

    /// Stores a client, replacing one of the same id.
    fn put_client(&self, client: ClientRecord) -> Answer<()>;

    /// Forgets sessions that expired before `before`, at most [`PURGE_STEP`]; returns whether there may be more.
    fn purge_sessions(&self, before: UnixTime) -> Answer<bool>;

    /// Forgets revocations of epochs below `below` that the newest list has let go, and pages of epochs below `pages_below`,
    /// which from then on are never leased again; at most [`PURGE_STEP`] rows; returns whether there may be more.
    fn purge_epochs(&self, below: u32, pages_below: u32) -> Answer<bool>;

    /// Tells when the store has failed for good: from then on nothing is acknowledged, and the process must end.
    fn failed(&self) -> watch::Receiver<Option<StoreError>>;

    /// Finishes what is queued, makes it durable and closes; whatever follows is answered [`StoreError::Closed`].
    fn close(&self) -> Answer<()>;
}

/// Rows that one purge removes at most, so that it never holds up others for long.
pub const PURGE_STEP: usize = 256;

/// Pages of one epoch, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    /// The epoch.
    pub epoch: u32,
    /// So many have been leased or left out, in the order of their numbers.
    pub leased: u32,
    /// So many of them, from the first, hold nothing but what was issued before the last sweep.
    pub swept: u32,
}

/// Sessions of a subject that one change looks at, at most.
pub const SUBJECT_STEP: usize = 64;
/// A change that ends sessions of a subject looks at no more of them once it revokes so many tokens.
pub const SUBJECT_STEP_TOKENS: usize = 1024;

/// How far the sessions of a subject have been ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubjectStep {
    /// The last session that was looked at; none when there are no more.
    pub last: Option<SessionId>,
    /// Sessions that ended.
    pub ended: usize,
    /// Sessions whose record is damaged: nobody knows their live tokens, and nobody can refresh them.
    pub unreadable: usize,
}

/// A client as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// Its name.
    pub client_id: String,
    /// SHA-256 of its secret, which is random.
    pub secret_hash: [u8; 32],
    /// May revoke and introspect every token.
    pub administrator: bool,
}

/// Revocations that one change made durable. Numbers grow from change to change and survive a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Number of the change.
    pub number: u64,
    /// What it revoked, none of it twice.
    pub jtis: Vec<Jti>,
}

/// All revocations at one moment, and those after it.
pub struct Revocations {
    /// Each with the number of the change that made it.
    pub entries: Vec<(Jti, u64)>,
    /// What follows, announced once it is durable and before its caller is answered. Only the newest feed is served.
    pub feed: mpsc::UnboundedReceiver<Announcement>,
    /// False when the engine knows that it lost writes: then a list may have been served that holds more than `entries`.
    pub whole: bool,
}

/// Opens the embedded store in `directory`, which is created if it does not exist. Blocks while it recovers.
///
/// # Errors
/// [`StoreError::InUse`], `Damaged`, `Format` and `Unusable`.
pub fn open(directory: &Path) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(SledStore::open(directory)?))
}

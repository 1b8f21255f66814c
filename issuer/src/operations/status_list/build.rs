//! From the published list to the array of one epoch, compressed and signed.

use super::kept::Version;
use super::{StatusForm, StatusList, indices, status_uri};
use crate::indices::PAGE;
use crate::keys::KeyRing;
use crate::operations::publish::Listed;
use crate::operations::{Error, Settings};
use crate::session::{Live, Session, SessionId};
use crate::store::{Pages, Store};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use token::id::epoch;
use token::issue::StatusClaims;
use token::revocation::cut::TagKind;
use token::revocation::sorted::SortedMap;
use token::revocation::{Cut, Tag};
use token::time::UnixTime;

/// Sessions that are read at a time; others get their turn in between.
const STEP: usize = 256;
/// Bytes of the compressed arrays that are kept, at most; a longer one is kept alone.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// What is worth keeping from one list to the next.
#[derive(Default)]
pub(super) struct Builder {
    named: Named,
    /// Compressed arrays by epoch, each with the SHA-256 of the array: a list that is only signed again costs no more.
    compressed: BTreeMap<u32, ([u8; 32], Arc<[u8]>)>,
}

/// What one list is to be made of.
pub(super) struct Order {
    pub(super) listed: Listed,
    pub(super) pages: Pages,
    pub(super) form: StatusForm,
    pub(super) version: Version,
}

/// What takes tokens back without naming an index.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Sought {
    /// The rules.
    pub(super) cut: Cut,
    /// Withdrawn keys whose tokens are told from those of others by their dates.
    pub(super) keys: Vec<SoughtKey>,
}

/// A withdrawn key, and the dates of what it signed.
#[derive(PartialEq, Eq)]
pub(super) struct SoughtKey {
    pub(super) kid: String,
    pub(super) from: UnixTime,
    pub(super) until: UnixTime,
}

/// Live tokens that rules take back without naming an index: 4 bytes each.
#[derive(Default)]
struct Named {
    /// Whatever is issued after it is none of it, so the answer stays the same for as long as it does.
    sought: Sought,
    /// The search goes on behind this session.
    after: Option<SessionId>,
    complete: bool,
    tokens: BTreeMap<u32, Vec<u32>>,
}

impl Builder {
    /// Finds the live tokens that are sought, unless they are known.
    ///
    /// A search that was broken off goes on where it was: it takes seconds where there are a million sessions.
    pub(super) async fn find_tokens(&mut self, sought: Sought, store: &dyn Store) -> Result<(), Error> {
        if self.named.sought != sought {
            self.named = Named { sought, ..Named::default() };
        }
        self.named.complete |= self.named.sought.is_nothing();
        while !self.named.complete {
            let sessions = store.sessions(self.named.after, STEP).await?;
            self.named.complete = sessions.len() < STEP;
            self.named.after = sessions.last().map(|session| session.sid);
            sessions.iter().for_each(|session| self.named.take(session));
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Returns the list of an epoch, compressed and signed.
    pub(super) fn build(&mut self, order: &Order, settings: &Settings, keys: &KeyRing) -> Result<StatusList, Error> {
        let Order { listed: Listed { head, .. }, pages, form, version } = order;
        let lst = self.compressed(order)?;
        let claims = StatusClaims {
            iss: &settings.issuer,
            sub: &status_uri(&settings.issuer, pages.epoch),
            iat: head.iat, // what it says was true then, and is proven no longer than the list is
            exp: head.exp,
            ttl: settings.list_interval_secs,
            lst: &lst,
            aggregation_uri: &format!("{}/status", settings.issuer),
        };
        let document = match form {
            StatusForm::Jwt => keys.list_signer().sign_status_list_jwt(&claims).map(String::into_bytes),
            StatusForm::Cwt => keys.list_signer().sign_status_list_cwt(&claims),
        };
        let document = document.map_err(|error| {
            tracing::error!(%error, epoch = pages.epoch, "a status list could not be signed");
            Error::Signing
        })?;
        Ok(StatusList { version: version.name(*form).into(), document: document.into() })
    }

    fn compressed(&mut self, order: &Order) -> Result<Arc<[u8]>, Error> {
        let (array, epoch) = (self.array(order)?, order.pages.epoch);
        let digest: [u8; 32] = Sha256::digest(array.as_bytes()).into();
        if let Some((_, lst)) = self.compressed.get(&epoch).filter(|(same, _)| *same == digest) {
            return Ok(Arc::clone(lst));
        }
        let lst: Arc<[u8]> = array.compress().into();
        self.compressed.remove(&epoch);
        self.compressed = self.compressed.split_off(&order.listed.low);
        let bytes: usize = self.compressed.values().map(|(_, lst)| lst.len()).sum();
        if bytes.saturating_add(lst.len()) > MOST_BYTES {
            self.compressed.clear();
        }
        self.compressed.insert(epoch, (digest, Arc::clone(&lst)));
        Ok(lst)
    }

    fn array(&self, order: &Order) -> Result<token::status_list::StatusList, Error> {
        let Order { listed: Listed { head, revoked, .. }, pages, .. } = order;
        let indices = indices(pages.leased)?;
        let mut array = token::status_list::StatusList::new(indices).map_err(|_| Error::StatusListTooLarge)?;
        if head.cut.all.is_some() || !head.cut.kid.is_empty() {
            array.revoke_below(pages.swept.saturating_mul(u32::from(PAGE)));
        }
        let named = self.named.tokens.get(&pages.epoch).into_iter().flatten().copied();
        revoked.indices(pages.epoch).chain(named).for_each(|index| array.revoke(index));
        Ok(array)
    }
}

impl Sought {
    fn is_nothing(&self) -> bool {
        self.cut.is_empty() && self.keys.is_empty()
    }
}

impl SoughtKey {
    /// Returns whether the key signed a live token; where its date is not known, whether it may have.
    fn signed(&self, session: &Session, live: &Live) -> bool {
        let newest = (live.exp, live.index) == (session.last.exp, session.last.index);
        let by_date = session.issued(live) <= self.until && session.issued_at_most(live) >= self.from;
        if newest { session.last.kid == self.kid } else { by_date }
    }
}

impl Named {
    /// Takes the live tokens of a session that a rule takes back.
    fn take(&mut self, session: &Session) {
        let named = self.names(session);
        for live in &session.live {
            let cut = self.sought.cut.all.is_some_and(|until| session.issued(live) <= until);
            if named || cut || self.sought.keys.iter().any(|key| key.signed(session, live)) {
                self.tokens.entry(epoch(live.exp)).or_default().push(live.index);
            }
        }
        for token in &session.exchanged {
            let Sought { cut: Cut { cid, salt, all, .. }, keys } = &self.sought;
            let of_client = || cid.get(&Tag::new(salt, TagKind::Client, &token.client_id)).copied();
            let cut = all.iter().copied().chain(of_client()).any(|until| token.iat <= until);
            if named || cut || keys.iter().any(|key| (key.from..=key.until).contains(&token.iat)) {
                self.tokens.entry(epoch(token.exp)).or_default().push(token.index);
            }
        }
    }

    /// Returns whether a tagged rule takes back all that the session has got; one that it does has ended.
    fn names(&self, session: &Session) -> bool {
        let Cut { sub, sid, cid, salt, .. } = &self.sought.cut;
        let tag = |kind, name: &str| Tag::new(salt, kind, name);
        let until = |tags: &SortedMap<Tag, UnixTime>, kind, name: &str| {
            !tags.is_empty() && tags.get(&tag(kind, name)).is_some_and(|until| session.began <= *until)
        };
        until(cid, TagKind::Client, &session.client_id)
            || until(sub, TagKind::Subject, &session.grant.sub)
            || (!sid.is_empty() && sid.contains(&tag(TagKind::Session, &session.sid.to_string())))
    }
}

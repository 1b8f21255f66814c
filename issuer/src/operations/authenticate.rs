//! Who is calling: client id and secret (RFC 6749 §2.3.1).
//!
//! A secret is 256 random bits, or at least 32 characters an operator made at random, so its stored form is one SHA-256.
//! An unknown client and a disabled one read the same as a wrong secret, and the same hash and comparisons are made for them; that
//! nothing was found to decode saves a third of a microsecond, and ids of clients are public.

use super::issuer::{Issuer, Parts};
use super::{Client, Error, Secret};
use crate::audit::{Act, Event, Origin};
use crate::clients::{ClientFault, ClientRecord, ClientSecret, ClientStep, MAX_SECRETS};
use crate::env::Env;
use crate::telemetry::traces::TARGET;
use base64ct::{Base64UrlUnpadded, Encoding};
use subtle::{Choice, ConstantTimeEq};
use token::time::UnixTime;
use zeroize::Zeroizing;

/// Bytes that a client id may have.
const MAX_ID_LENGTH: usize = 255;

impl Issuer {
    /// Makes sure that the administrative client exists. Returns its new secret when one was made, to be shown once.
    ///
    /// A `secret` given here becomes the client's, also in place of all others.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] for an id that is empty, over 255 bytes or not visible ASCII; [`Error::Store`].
    pub async fn ensure_client(&self, client_id: &str, secret: Option<Secret>) -> Result<Option<Secret>, Error> {
        if !is_client_id(client_id) {
            return Err(Error::InvalidRequest {
                field: "client_id",
                detail: "must be 1 to 255 visible ASCII characters",
            });
        }
        let fresh = if secret.is_some() { None } else { Some(draw(&self.parts.env)?) };
        let hash = ClientSecret::hash(secret.as_ref().or(fresh.as_ref()).map_or("", Secret::expose));
        let (id, given, now) = (client_id.to_owned(), secret.is_some(), self.parts.moments.shown());
        let decide = move |before: Option<ClientRecord>| {
            let event = |act| vec![Event::new(act, &Origin::internal(), now).target(&id)];
            let put = |record: ClientRecord, act| Ok((ClientStep::Put(Box::new(record)), event(act)));
            match before {
                None => put(ClientRecord::administrator(&id, hash, now), Act::ClientCreated),
                Some(before) if given && before.secrets.iter().all(|secret| secret.hash != hash) => {
                    put(before.with_secret(hash, 0, now), Act::ClientSecretReplaced)
                }
                Some(_) => Ok((ClientStep::Keep, Vec::new())),
            }
        };
        let stored = self.parts.store.update_client(client_id.to_owned(), Box::new(decide)).await?;
        let stored = stored.map_err(Error::Client)?.ok_or(Error::Client(ClientFault::Unknown))?;
        let made = stored.secrets.iter().any(|secret| secret.hash == hash);
        Ok(fresh.filter(|_| made))
    }

    /// Returns whether anybody can manage clients.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn has_administrator(&self) -> Result<bool, Error> {
        let mut after = None;
        loop {
            let clients = self.parts.store.clients(after, 256).await?;
            if clients.iter().any(ClientRecord::manages) {
                return Ok(true);
            }
            let Some(last) = clients.last() else { return Ok(false) };
            after = Some(last.client_id.clone());
        }
    }

    /// Returns the client that this id and secret belong to; a failure is noted for the audit log.
    ///
    /// # Errors
    /// [`Error::InvalidClient`], the same and after the same work for an unknown client, a disabled one and a wrong secret;
    /// [`Error::Store`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn authenticate(&self, client_id: &str, secret: &str, origin: &Origin) -> Result<Client, Error> {
        let known = if is_client_id(client_id) { self.parts.store.client(client_id.to_owned()).await? } else { None };
        let matches = holds(known.as_ref(), secret, self.parts.moments.shown());
        match known {
            Some(record) if matches => Ok(proved(record, origin)),
            known => Err(self.parts.disproved(known.as_ref(), origin)),
        }
    }
}

impl Parts {
    /// Notes that somebody did not prove to be a client, this one if there is one of the id.
    pub(super) fn disproved(&self, known: Option<&ClientRecord>, origin: &Origin) -> Error {
        // The name of nobody may be a secret in the wrong place, and is not repeated.
        let event = Event::new(Act::ClientRefused, origin, self.moments.shown()).code("invalid_client");
        self.note(known.iter().fold(event, |event, record| event.client(&record.client_id)));
        Error::InvalidClient
    }
}

/// Returns the client that has proved to be this one.
pub(super) fn proved(record: ClientRecord, origin: &Origin) -> Client {
    Client { id: record.client_id, administrator: record.administrator, origin: origin.clone() }
}

/// Returns a new secret of 256 random bits.
///
/// # Errors
/// [`Error::Entropy`].
pub(super) fn draw(env: &Env) -> Result<Secret, Error> {
    let random = Zeroizing::new(env.random::<32>()?);
    Ok(Secret(Zeroizing::new(Base64UrlUnpadded::encode_string(random.as_ref()))))
}

/// Returns whether `text` can be the id of a client: it must be possible in every header and form.
pub(super) fn is_client_id(text: &str) -> bool {
    (1..=MAX_ID_LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Compares with every place for a secret, whether or not there is one in it.
fn holds(known: Option<&ClientRecord>, secret: &str, now: UnixTime) -> bool {
    let hash = ClientSecret::hash(secret);
    let nobody = [0; 32]; // no secret is known whose hash is zero
    let matches = (0..MAX_SECRETS).fold(Choice::from(0), |matches, place| {
        let held = known.and_then(|record| record.secrets.get(place));
        let counts = held.is_some_and(|held| held.holds(now)) && known.is_some_and(|record| !record.disabled);
        let equal = hash.ct_eq(held.map_or(&nobody, |held| &held.hash));
        matches | (equal & Choice::from(u8::from(counts)))
    });
    bool::from(matches)
}

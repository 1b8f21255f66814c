//! Who is calling: client id and secret (RFC 6749 §2.3.1).
//!
//! A secret is 256 random bits, or at least 32 characters an operator made at random, so its stored form is one SHA-256.
//! An unknown client costs the same work as a wrong secret and reads the same.

use super::issuer::Issuer;
use super::{Client, Error, Secret};
use crate::audit::{Act, Event, Origin};
use crate::store::ClientRecord;
use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes that a client id may have.
const MAX_ID_LENGTH: usize = 255;

impl Issuer {
    /// Makes sure that the administrative client exists. Returns its new secret when one was made, to be shown once.
    ///
    /// A `secret` given here becomes the client's, also in place of another one.
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
        let stored = self.parts.store.client(client_id.to_owned()).await?;
        let (secret, shown) = match (secret, &stored) {
            (Some(secret), _) => (secret, None),
            (None, Some(_)) => return Ok(None),
            (None, None) => {
                let random = Zeroizing::new(self.parts.env.random::<32>()?);
                let secret = Secret(Zeroizing::new(Base64UrlUnpadded::encode_string(random.as_ref())));
                (secret.clone(), Some(secret))
            }
        };
        let record =
            ClientRecord { client_id: client_id.to_owned(), secret_hash: hash(secret.expose()), administrator: true };
        if stored.as_ref() != Some(&record) {
            let act = if stored.is_some() { Act::ClientSecretReplaced } else { Act::ClientCreated };
            let event = Event::new(act, &Origin::internal(), self.parts.moments.shown()).target(client_id);
            self.parts.store.put_client(record, vec![event]).await?;
        }
        Ok(shown)
    }

    /// Returns the client that this id and secret belong to; a failure is noted for the audit log.
    ///
    /// # Errors
    /// [`Error::InvalidClient`], the same and after the same work for an unknown client and a wrong secret; [`Error::Store`].
    pub async fn authenticate(&self, client_id: &str, secret: &str, origin: &Origin) -> Result<Client, Error> {
        let known = if is_client_id(client_id) { self.parts.store.client(client_id.to_owned()).await? } else { None };
        let nobody = [0; 32]; // no secret is known whose hash is zero
        let expected = known.as_ref().map_or(&nobody, |record| &record.secret_hash);
        let matches = bool::from(hash(secret).ct_eq(expected));
        match known {
            Some(record) if matches => {
                Ok(Client { id: record.client_id, administrator: record.administrator, origin: origin.clone() })
            }
            known => {
                // The name of nobody may be a secret in the wrong place, and is not repeated.
                let event = Event::new(Act::ClientRefused, origin, self.parts.moments.shown()).code("invalid_client");
                self.parts.note(known.iter().fold(event, |event, record| event.client(&record.client_id)));
                Err(Error::InvalidClient)
            }
        }
    }
}

fn is_client_id(text: &str) -> bool {
    (1..=MAX_ID_LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

//! A client acts for a user: an access token buys another one, of the same session and never worth more (RFC 8693).
//!
//! ```text
//! who       a client whose audience the subject token is for, the client it was issued to, an administrator
//! aud       one that the client's registration lists; without a list, one of the subject token's
//! scope     values of the subject token that the client may have
//! exp       at most that of the subject token
//! act       {"sub": the client, "act": that of the subject token}         at most 4 deep
//! else      as in the subject token
//! ```

use super::issuer::{Issuer, Parts};
use super::status_list::status_claim;
use super::{Client, Error, limits};
use crate::audit::Act;
use crate::clients::{Allowed, GrantType};
use crate::session::{Exchanged, Outcome, Session, SessionId};
use crate::store::{StoreError, Told};
use crate::telemetry::traces::TARGET;
use serde::Serialize;
use serde_json::{Value, json};
use token::claims::AccessClaims;
use token::id::Jti;
use token::time::UnixTime;
use token::{jws, verify};

/// How many have acted for each other at most.
const MAX_ACTORS: usize = 4;

/// What a client asks for with an access token in its hands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExchangeRequest {
    /// An access token of this issuer, active.
    pub subject_token: String,
    /// For whom the new token shall be; the audiences of the subject token when absent.
    pub audience: Option<String>,
    /// Part of the subject token's scope; all that the client may have of it when absent.
    pub scope: Option<String>,
}

/// The answer (RFC 8693 §2.2.1); serialised it is the body.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ExchangeAnswer {
    /// The access token, compact.
    pub access_token: String,
    /// Always that of an access token.
    pub issued_token_type: &'static str,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Life of the access token in seconds.
    pub expires_in: u64,
    /// Its scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The session, which is that of the subject token.
    pub sid: String,
}

/// The token type of access tokens (RFC 8693 §3).
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Every fault of the subject token reads the same (RFC 8693 §2.2.2).
const SUBJECT_TOKEN: Error = Error::InvalidRequest { field: "subject_token", detail: NOT_ITS_BUSINESS };

/// What is wrong with a subject token that buys nothing.
pub(super) const NOT_ITS_BUSINESS: &str = "is not an active access token that this client may exchange";

impl Issuer {
    /// Exchanges an access token for one that is worth less, or the same, in the name of this client.
    ///
    /// # Errors
    /// [`Error::UnauthorizedClient`] for a client that may not exchange; [`Error::InvalidRequest`] for a subject token that is
    /// not active, none of the client's business, or was exchanged too often; [`Error::InvalidTarget`],
    /// [`Error::InvalidScope`]; [`Error::TooManyLiveTokens`]; [`Error::NotReady`], [`Error::Store`], [`Error::Signing`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn exchange(&self, client: &Client, request: ExchangeRequest) -> Result<ExchangeAnswer, Error> {
        let parts = &self.parts;
        let _gate = parts.ruling.pass().await?;
        let allowed = parts.allowed(client, GrantType::TokenExchange).await?;
        let exchanged = parts.exchange(client, &allowed, request).await;
        exchanged.map_err(|error| parts.denied(client, GrantType::TokenExchange.name(), error))
    }
}

impl Parts {
    /// Exchanges for a client that is `allowed` so much. The gate must be held.
    async fn exchange(
        &self,
        client: &Client,
        allowed: &Allowed,
        request: ExchangeRequest,
    ) -> Result<ExchangeAnswer, Error> {
        let now = self.moments.now()?;
        let subject = self.subject(client, allowed, &request.subject_token, now).await?;
        let sid = subject.sid.as_deref().and_then(SessionId::parse).ok_or(SUBJECT_TOKEN)?;
        let length = request.subject_token.len();
        let life = limits::longest_access(&self.settings, allowed).min(self.settings.access_ttl_secs);
        let exp = now.plus_secs(life).min(subject.exp);
        let aud = audience(request.audience, &subject, allowed)?;
        let scope = scope(request.scope.as_deref(), &subject, allowed)?;
        let place = self.indices.allocate(exp).await?;
        let narrower = AccessClaims { aud, scope, iat: now, exp, jti: place.to_string(), ..subject };
        let made = match self.acting(client, narrower, length) {
            Ok(claims) => self.take_in(client, sid, place, &claims).await.map(|()| claims),
            Err(refusal) => Err(refusal),
        };
        let claims = made.inspect_err(|_| self.indices.give_back(place))?;
        self.sign_exchanged(claims, sid)
    }

    /// Returns the claims of a token that this client may exchange: it is active right now.
    async fn subject(
        &self,
        client: &Client,
        allowed: &Allowed,
        token: &str,
        now: UnixTime,
    ) -> Result<AccessClaims, Error> {
        let verified = self.keys.verifier().verify(token, now).map_err(|_| SUBJECT_TOKEN)?;
        let verify::Verified { claims, kid, .. } = verified;
        let jti: Jti = claims.jti.parse().map_err(|_| SUBJECT_TOKEN)?;
        let taken_back = self.ruling.rules().revokes(&claims, &kid) || self.store.is_revoked(jti).await?;
        if taken_back || !concerns(client, allowed, &claims) { Err(SUBJECT_TOKEN) } else { Ok(claims) }
    }

    /// Returns the claims as the client's own, with whom it acts for.
    fn acting(&self, client: &Client, mut claims: AccessClaims, length: usize) -> Result<AccessClaims, Error> {
        // What comes in addition: audience, client and actor, each character of them escaped, and the place in a status list.
        let texts: usize = claims.aud.iter().map(String::len).sum::<usize>() + 2 * client.id().len();
        let more = 2 * texts + self.settings.issuer.len() + 256;
        if length.saturating_add(more.saturating_mul(4).div_ceil(3)) > jws::MAX_LENGTH {
            return Err(Error::InvalidRequest { field: "subject_token", detail: "is too large for what it would buy" });
        }
        let before = claims.other.remove("act");
        if actors(before.as_ref()) >= MAX_ACTORS {
            return Err(SUBJECT_TOKEN);
        }
        let act = match before {
            Some(before) => json!({"sub": client.id(), "act": before}), // RFC 8693 §4.1: the newest actor is the outermost
            None => json!({"sub": client.id()}),
        };
        client.id().clone_into(&mut claims.client_id);
        claims.other.insert("act".to_owned(), act);
        claims.other.remove("status");
        let listed = |audience: &String| self.settings.status_list_audiences.contains(audience);
        if let (true, Ok(jti)) = (claims.aud.iter().any(listed), claims.jti.parse()) {
            claims.other.insert("status".to_owned(), status_claim(&self.settings.issuer, jti));
        }
        Ok(claims)
    }

    /// Lets the session take the token in: one atomic change, which happens before the session's end or not at all.
    async fn take_in(&self, client: &Client, sid: SessionId, place: Jti, claims: &AccessClaims) -> Result<(), Error> {
        let session = self.store.session(sid).await?.ok_or(SUBJECT_TOKEN)?;
        if self.ruling.rules().ends(&session.client_id, session.began) {
            return Err(SUBJECT_TOKEN);
        }
        let (iat, exp, client_id) = (claims.iat, claims.exp, client.id().to_owned());
        let token = Exchanged { exp, index: place.index, iat, client_id };
        let (leeway_secs, certain) = (self.settings.leeway_secs, self.moments.certain());
        let event = client.did(Act::TokenExchanged, iat).token(place);
        let decide = move |session: Session| {
            let step = session.exchange(token, leeway_secs, certain);
            let events = if step.changed { vec![event.session(&step.session)] } else { Vec::new() };
            Told { step, events }
        };
        let (_, outcome) = self.store.update_session(sid, Box::new(decide)).await?.ok_or(SUBJECT_TOKEN)?;
        match outcome {
            Outcome::Exchanged => Ok(()),
            Outcome::Full { retry_after_secs } => Err(Error::TooManyLiveTokens { retry_after_secs }),
            Outcome::Refused(_) | Outcome::Revoked | Outcome::AlreadyEnded => Err(SUBJECT_TOKEN),
            Outcome::Rotated | Outcome::Repeated | Outcome::WrongPlace | Outcome::ScopeRefused => {
                Err(StoreError::Busy.into()) // no exchange comes to this
            }
        }
    }

    fn sign_exchanged(&self, claims: AccessClaims, sid: SessionId) -> Result<ExchangeAnswer, Error> {
        self.moments.issued(claims.iat);
        let signed = self.keys.ring().token_signer().sign_access(&claims).map_err(|error| {
            tracing::error!(%error, "a token could not be signed");
            Error::Signing
        })?;
        Ok(ExchangeAnswer {
            access_token: signed,
            issued_token_type: ACCESS_TOKEN,
            token_type: "Bearer",
            expires_in: claims.exp.secs_since(claims.iat),
            scope: claims.scope,
            sid: sid.to_string(),
        })
    }
}

/// Returns whether a token is any business of this client: its own, or for an audience that it is or is registered for.
pub(super) fn concerns(client: &Client, allowed: &Allowed, claims: &AccessClaims) -> bool {
    let its = |audience: &String| {
        audience == client.id() || allowed.audiences.as_ref().is_some_and(|listed| listed.contains(audience))
    };
    client.is_administrator() || claims.client_id == client.id() || claims.aud.iter().any(its)
}

fn audience(asked: Option<String>, subject: &AccessClaims, allowed: &Allowed) -> Result<Vec<String>, Error> {
    let aud = asked.map_or_else(|| subject.aud.clone(), |audience| vec![audience]);
    aud.iter().try_for_each(|audience| limits::check_text("audience", audience, limits::MAX_NAME))?;
    let of_subject = || aud.iter().all(|audience| subject.aud.contains(audience));
    let listed = allowed.audiences.is_some() && allowed.audiences(&aud);
    if listed || (allowed.audiences.is_none() && of_subject()) { Ok(aud) } else { Err(Error::InvalidTarget) }
}

fn scope(asked: Option<&str>, subject: &AccessClaims, allowed: &Allowed) -> Result<Option<String>, Error> {
    let held: Vec<&str> = subject.scope.as_deref().map_or_else(Vec::new, |scope| scope.split(' ').collect());
    let may = |value: &&str| allowed.scope(Some(value));
    let kept: Vec<&str> = match asked {
        None => held.into_iter().filter(may).collect(),
        Some(asked) => {
            let asked: Vec<&str> = asked.split(' ').collect();
            if !asked.iter().all(|value| held.contains(value) && may(value)) {
                return Err(Error::InvalidScope);
            }
            held.into_iter().filter(|value| asked.contains(value)).collect()
        }
    };
    Ok((!kept.is_empty()).then(|| kept.join(" ")))
}

/// Returns how many act for each other.
fn actors(act: Option<&Value>) -> usize {
    std::iter::successors(act, |act| act.get("act")).count()
}

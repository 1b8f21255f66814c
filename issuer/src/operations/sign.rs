//! From a stored session to the answer: the newest pair, signed.
//!
//! Ed25519 is deterministic and the row holds every claim, so the same row gives the same bytes as often as it is asked.

use super::issuer::Parts;
use super::status_list::status_claim;
use super::{Error, TokenAnswer};
use crate::session::{Session, SessionId};
use serde_json::Map;
use token::claims::AccessClaims;
use token::id::Jti;
use token::issue::{IssueError, SigningKey};
use token::json;
use token::refresh::RefreshClaims;

impl Parts {
    /// Returns the answer that carries the newest pair of this session, signed by the key that signed it first. The gate
    /// must be held.
    ///
    /// # Errors
    /// [`Error::Signing`] when that key has been withdrawn, or a signature failed.
    pub(super) fn answer(&self, session: Session) -> Result<TokenAnswer, Error> {
        let keys = self.keys.ring();
        let key = keys.signed_with(&session.last.kid).ok_or(Error::Signing)?;
        self.moments.issued(session.last.iat);
        let sid = session.sid.to_string();
        let refresh_token = self.refresh_token(key, &session, &sid)?;
        let renewal = session.renewal.as_ref();
        let refresh_expires_in = renewal.map(|renewal| renewal.expires_at.secs_since(session.last.iat));
        let session_expires_at = renewal.map(|renewal| renewal.ends_at.as_secs());
        let expires_in = session.last.exp.secs_since(session.last.iat);
        let claims = access_claims(&self.settings.issuer, session)?;
        Ok(TokenAnswer {
            access_token: key.sign_access(&claims).map_err(|error| failed(&error))?,
            token_type: "Bearer",
            expires_in,
            refresh_token,
            refresh_expires_in,
            session_expires_at,
            scope: claims.scope,
            sid,
        })
    }

    fn refresh_token(&self, key: &SigningKey, session: &Session, sid: &str) -> Result<Option<String>, Error> {
        let sign = |renewal: &crate::session::Renewal| {
            let claims = RefreshClaims {
                issuer: self.settings.issuer.clone(),
                sid: sid.to_owned(),
                generation: renewal.generation,
                iat: session.last.iat,
                exp: renewal.expires_at,
            };
            key.sign_refresh(&claims).map_err(|error| failed(&error))
        };
        session.renewal.as_ref().map(sign).transpose()
    }

    /// Returns the session and generation that a refresh token of this issuer names; its `exp` is the row's business.
    pub(super) fn read_refresh(&self, refresh_token: &str) -> Option<(SessionId, RefreshClaims)> {
        let claims = RefreshClaims::parse(refresh_token, self.keys.ring().refresh(), &self.settings.issuer).ok()?;
        SessionId::parse(&claims.sid).map(|sid| (sid, claims))
    }
}

/// Returns the claims of the newest access token of this session.
pub(super) fn access_claims(issuer: &str, session: Session) -> Result<AccessClaims, Error> {
    let Session { sid, client_id, grant, last, .. } = session;
    let mut other = if grant.claims.is_empty() {
        Map::new()
    } else {
        json::parse_object(grant.claims.as_bytes()).map_err(|_| Error::Signing)?
    };
    let jti = Jti::new(last.exp, last.index);
    if grant.status {
        other.insert("status".to_owned(), status_claim(issuer, jti));
    }
    Ok(AccessClaims {
        iss: issuer.to_owned(),
        sub: grant.sub,
        aud: grant.aud,
        client_id,
        iat: last.iat,
        exp: last.exp,
        nbf: grant.nbf,
        jti: jti.to_string(),
        sid: Some(sid.to_string()),
        scope: last.scope,
        roles: grant.roles,
        permissions: grant.permissions,
        auth_time: grant.auth_time,
        other,
    })
}

fn failed(error: &IssueError) -> Error {
    tracing::error!(%error, "a token could not be signed");
    Error::Signing
}

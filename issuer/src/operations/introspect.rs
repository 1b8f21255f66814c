//! What is known of a token at this very moment (RFC 7662).

use super::exchange::concerns;
use super::issuer::{Issuer, Parts};
use super::{Client, Error, Introspection};
use crate::clients::Allowed;
use crate::session::Session;
use crate::telemetry::traces::TARGET;
use serde_json::{Map, Value};
use token::id::Jti;
use token::refresh::RefreshClaims;
use token::{json, verify};

impl Issuer {
    /// Returns the claims of a token that is active: its signature holds, it is within its times and it has not been
    /// revoked, all at this moment.
    ///
    /// A caller sees the tokens of its own, those for an audience that it is or that its registration lists, and as an
    /// administrator all. Everything else is
    /// inactive, whatever the reason (RFC 7662 §2.2).
    ///
    /// # Errors
    /// [`Error::Store`].
    #[tracing::instrument(target = TARGET, skip_all)]
    pub async fn introspect(&self, client: &Client, token: &str) -> Result<Introspection, Error> {
        let claims = match self.parts.read_refresh(token) {
            Some((sid, claims)) => self
                .parts
                .store
                .session(sid)
                .await?
                .and_then(|session| self.parts.refresh_claims(client, &session, claims)),
            None => self.parts.access_claims(client, token).await?,
        };
        Ok(claims.map_or(Introspection::Inactive { active: false }, |mut claims| {
            claims.insert("active".to_owned(), Value::Bool(true)); // also where a claim of that name was the client's own
            Introspection::Active(claims)
        }))
    }
}

impl Parts {
    async fn access_claims(&self, client: &Client, token: &str) -> Result<Option<Map<String, Value>>, Error> {
        let Ok(verify::Verified { claims, json, kid }) = self.keys.verifier().verify(token, self.moments.shown())
        else {
            return Ok(None);
        };
        let record = self.store.client(client.id().to_owned()).await?;
        let allowed = record.map_or_else(Allowed::everything, |record| record.allowed);
        let visible = concerns(client, &allowed, &claims);
        let Ok(jti) = claims.jti.parse::<Jti>() else { return Ok(None) };
        let ruled = self.ruling.rules().revokes(&claims, &kid);
        if !visible || ruled || self.store.is_revoked(jti).await? {
            return Ok(None);
        }
        let mut members = json::parse_object(json.as_bytes()).unwrap_or_default();
        members.insert("token_type".to_owned(), Value::from("Bearer"));
        Ok(Some(members))
    }

    /// A refresh token is active while it is the newest of a session that stands.
    fn refresh_claims(&self, client: &Client, session: &Session, claims: RefreshClaims) -> Option<Map<String, Value>> {
        let newest = session.renewal.as_ref().is_some_and(|renewal| renewal.generation == claims.generation);
        let ended = session.ended.is_some() || self.ruling.rules().ends(&session.client_id, session.began);
        let stands = !ended && self.moments.shown() < session.expires_at();
        let visible = client.is_administrator() || session.client_id == client.id();
        let member = |name: &str, value: Value| (name.to_owned(), value);
        let members = [
            member("iss", claims.issuer.clone().into()),
            member("sub", session.grant.sub.clone().into()),
            member("aud", claims.issuer.into()),
            member("client_id", session.client_id.clone().into()),
            member("iat", claims.iat.as_secs().into()),
            member("exp", claims.exp.as_secs().into()),
            member("sid", claims.sid.into()),
        ];
        let scope = session.grant.scope.clone().map(|scope| member("scope", scope.into()));
        (newest && stands && visible).then(|| members.into_iter().chain(scope).collect())
    }
}

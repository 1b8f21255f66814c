//! What everybody may read: the keys and the list, and what they say of a token.

use crate::client::Client;
use crate::daemon::claims;
use std::collections::BTreeSet;
use token::error::Rejection;
use token::jwk::KeySet;
use token::revocation::RevocationList;
use token::time::UnixTime;
use token::verify::{Policy, Verifier};

/// Returns whether the token is accepted under the keys and the list that are published now.
///
/// # Errors
/// Either is not to be had, or the token is refused for another reason than that it was revoked.
pub fn accepts(client: Client, token: &str) -> Result<bool, String> {
    Public::of(client)?.accepts(token)
}

/// The key set and the list of one moment.
pub(crate) struct Public {
    verifier: Verifier,
    pub(crate) list: RevocationList,
    pub(crate) kids: BTreeSet<String>,
}

impl Public {
    /// Fetches both.
    ///
    /// # Errors
    /// Either is not to be had or not to be used.
    pub(crate) fn of(client: Client) -> Result<Self, String> {
        let fetch = |path| match client.request("GET", path).try_send() {
            Ok(reply) if reply.status == 200 => Ok(reply.body),
            other => Err(format!("GET {path}: {other:?}")),
        };
        let (jwks, document) = (fetch("/.well-known/jwks.json")?, fetch("/revocations")?);
        let keys = || KeySet::parse(&jwks).map_err(|fault| format!("the key set: {fault:?}"));
        let list = RevocationList::open(&document, &keys()?).map_err(|fault| format!("the list: {fault:?}"))?;
        let policy = Policy {
            issuer: Some(list.head().iss.clone()),
            audience: Some(vec!["api".to_owned()]),
            leeway_secs: 5,
            scope: Vec::new(),
            revocations: true,
            max_staleness_secs: None,
        };
        let mut verifier = Verifier::new(policy, keys()?).map_err(|fault| format!("{fault:?}"))?;
        verifier.load_revocations(&document, list.head().iat).map_err(|fault| format!("the list: {fault:?}"))?;
        let kids = keys()?.keys().iter().map(|key| key.kid().to_owned()).collect();
        Ok(Self { verifier, list, kids })
    }

    /// Whether the token is accepted; the error says why not, unless it was taken back.
    ///
    /// # Errors
    /// It is refused for another reason than that it was revoked.
    pub(crate) fn accepts(&self, token: &str) -> Result<bool, String> {
        // No clock is read: a token is judged when it was issued, or when the list was signed.
        let issued = claims(token)["iat"].as_u64().and_then(UnixTime::from_secs).expect("a time");
        match self.verifier.verify(token, issued.max(self.list.head().iat)) {
            Ok(_) => Ok(true),
            Err(Rejection::Revoked(_)) => Ok(false),
            Err(other) => Err(format!("a token was refused with {}: {other:?}", other.code())),
        }
    }
}

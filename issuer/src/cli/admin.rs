//! The client `admin`, with which everything else is made: a start makes it when nobody can manage anything yet.
//!
//! ```text
//! secret drawn ──► shown ──► stored        a secret that nobody saw is not stored, and the next start draws another
//! ```

use super::Failure;
use crate::config::IssuerUrl;
use crate::env::Env;
use crate::error::Error;
use crate::operations::{Issuer, Secret};
use serde_json::json;
use token::base64url;
use zeroize::Zeroizing;

/// The client that is made on the first start.
pub(super) const ADMIN: &str = "admin";

/// Returns the secret that the client is to be made with, once it has been shown; none when there are administrators, or when
/// it was `given`: then it has been stored.
///
/// # Errors
/// [`Failure::Store`], and [`Failure::Machine`] when the system gives no randomness.
pub(super) async fn to_be_made(issuer: &Issuer, given: Option<Secret>, env: &Env) -> Result<Option<Secret>, Failure> {
    if given.is_some() {
        issuer.ensure_client(ADMIN, given).await?;
        return Ok(None);
    }
    // Once there are administrators of the operator's own, `admin` may be gone for good.
    if issuer.has_administrator().await? {
        return Ok(None);
    }
    let random = Zeroizing::new(env.random::<32>().map_err(Error::from)?);
    let text = Zeroizing::new(base64url::encode(random.as_ref()));
    let secret = Secret::parse(&text);
    secret.map(Some).ok_or_else(|| Failure::Machine("no secret can be drawn for the client `admin`".to_owned()))
}

/// Returns what a start says when it is ready, with the secret of a client that is made now.
pub(super) fn greeting(url: &str, issuer: &IssuerUrl, made: Option<&Secret>, as_json: bool) -> Zeroizing<String> {
    let secret = made.map(Secret::expose);
    Zeroizing::new(if as_json {
        let client = secret.map(|secret| json!({"client_id": ADMIN, "client_secret": secret}));
        format!("{}\n", json!({"url": url, "issuer": issuer.as_str(), "made": client}))
    } else {
        let made = secret.map(|secret| {
            format!(
                "made the client `{ADMIN}`; its secret is shown only now\nclient_id={ADMIN}\nclient_secret={secret}\n"
            )
        });
        format!("{}countersign is ready on {url}\n", made.unwrap_or_default())
    })
}

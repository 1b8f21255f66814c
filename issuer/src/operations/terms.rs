//! What a client shall be: from a request to a record, every limit in one place.
//!
//! ```text
//! client_id     1 to 255 visible ASCII characters, not 22 of base64url: so looks the `sub` of a user
//! name          at most 255 bytes, no control characters
//! grants        mint client_credentials refresh_token token_exchange
//! audiences     at most 64 of 1 to 255 bytes, no control characters
//! scopes        at most 128 values (RFC 6749 §3.3) of at most 128 bytes
//! claims        at most 64 names of 1 to 128 bytes; none that the issuer sets, but `roles` and `permissions`
//! lives         1 s to those of the settings
//! jwks          at most 4 public keys, OKP / Ed25519 (RFC 8037)
//! ```

use super::authenticate::is_client_id;
use super::limits::{self, MAX_NAME, check_text};
use super::{Error, Settings};
use crate::clients::{ClientKey, ClientRecord, GrantType, MAX_KEYS};
use serde_json::{Map, Value};
use token::base64url;
use token::claims::REGISTERED;
use token::jwk::{Algorithm, MAX_KEY_ID_LENGTH, PublicKey, Purpose};

const MAX_AUDIENCES: usize = 64;
const MAX_SCOPES: usize = 128;
const MAX_CLAIMS: usize = 64;
const MAX_ENTRY: usize = 128;

/// What is to be changed of a client; a member that is absent stays as it is. Where a member may be `Some(None)`, that takes
/// the restriction away.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClientTerms {
    /// What people call it.
    pub name: Option<String>,
    /// Whether it may manage what there is.
    pub administrator: Option<bool>,
    /// Whether it proves nothing and gets nothing.
    pub disabled: Option<bool>,
    /// How it may get tokens.
    pub grants: Option<Vec<String>>,
    /// For whom.
    pub audiences: Option<Option<Vec<String>>>,
    /// Scope values.
    pub scopes: Option<Option<Vec<String>>>,
    /// Names of claims that it may set.
    pub claims: Option<Option<Vec<String>>>,
    /// Longest life of an access token in seconds.
    pub access_ttl: Option<Option<u64>>,
    /// Longest idle life of a session in seconds.
    pub refresh_ttl: Option<Option<u64>>,
    /// Longest absolute life of a session in seconds.
    pub session_ttl: Option<Option<u64>>,
    /// A JWK Set of its public keys.
    pub jwks: Option<Option<Map<String, Value>>>,
}

impl ClientTerms {
    /// Returns the names of the members that are there.
    pub(super) fn members(&self) -> Vec<&'static str> {
        let members = [
            ("name", self.name.is_some()),
            ("administrator", self.administrator.is_some()),
            ("disabled", self.disabled.is_some()),
            ("grants", self.grants.is_some()),
            ("audiences", self.audiences.is_some()),
            ("scopes", self.scopes.is_some()),
            ("claims", self.claims.is_some()),
            ("access_ttl", self.access_ttl.is_some()),
            ("refresh_ttl", self.refresh_ttl.is_some()),
            ("session_ttl", self.session_ttl.is_some()),
            ("jwks", self.jwks.is_some()),
        ];
        members.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }

    /// Returns what the terms make of a record, once each of them is found within its limits.
    ///
    /// # Errors
    /// [`Error::InvalidRequest`] with the first member that is not.
    pub(super) fn checked(self, settings: &Settings) -> Result<Checked, Error> {
        let access = longest("access_ttl", self.access_ttl, settings.max_access_ttl_secs)?;
        let refresh = longest("refresh_ttl", self.refresh_ttl, settings.session_ttl_secs)?;
        let session = longest("session_ttl", self.session_ttl, settings.session_ttl_secs)?;
        if let Some(name) = self.name.as_deref().filter(|name| !name.is_empty()) {
            check_text("name", name, MAX_NAME)?;
        }
        let grants = self.grants.map(|names| grants(&names)).transpose()?;
        let audience = |text: &str| check_text("audiences", text, MAX_NAME).is_ok();
        let audiences = entries("audiences", self.audiences, MAX_AUDIENCES, audience)?;
        let scope = |text: &str| text.len() <= MAX_ENTRY && !text.contains(' ') && limits::is_scope(text);
        let scopes = entries("scopes", self.scopes, MAX_SCOPES, scope)?;
        let claims = entries("claims", self.claims, MAX_CLAIMS, is_claim)?;
        let keys = match self.jwks {
            Some(Some(jwks)) => Some(keys(&jwks)?),
            Some(None) => Some(Vec::new()),
            None => None,
        };
        let (name, administrator, disabled) = (self.name, self.administrator, self.disabled);
        Ok(Box::new(move |record: &mut ClientRecord| {
            let allowed = &mut record.allowed;
            put(&mut record.name, name);
            put(&mut record.administrator, administrator);
            put(&mut record.disabled, disabled);
            put(&mut record.keys, keys);
            put(&mut allowed.grants, grants);
            put(&mut allowed.audiences, audiences);
            put(&mut allowed.scopes, scopes);
            put(&mut allowed.claims, claims);
            put(&mut allowed.access_ttl_secs, access);
            put(&mut allowed.refresh_ttl_secs, refresh);
            put(&mut allowed.session_ttl_secs, session);
        }))
    }
}

/// Changes a record as the terms say.
pub(super) type Checked = Box<dyn FnOnce(&mut ClientRecord) + Send>;

/// Checks that a new client may have this id.
///
/// # Errors
/// [`Error::InvalidRequest`].
pub(super) fn check_id(client_id: &str) -> Result<(), Error> {
    let of_a_user = client_id.len() == 22 && base64url::decode_array::<16>(client_id).is_ok();
    let detail =
        "must be 1 to 255 visible ASCII characters, not look like the sub of a user, and not be \".\" or \"..\"";
    let of_a_path = [".", ".."].contains(&client_id); // callers take such a segment out of a URL
    let fits = is_client_id(client_id) && !of_a_user && !of_a_path;
    if fits { Ok(()) } else { Err(Error::InvalidRequest { field: "client_id", detail }) }
}

fn put<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn longest(field: &'static str, asked: Option<Option<u64>>, most: u64) -> Result<Option<Option<u64>>, Error> {
    let detail = "must be at least 1 second and at most what the settings allow";
    match asked {
        Some(Some(secs)) if !(1..=most).contains(&secs) => Err(Error::InvalidRequest { field, detail }),
        asked => Ok(asked),
    }
}

fn grants(names: &[String]) -> Result<crate::clients::Grants, Error> {
    let detail = "must be some of mint, client_credentials, refresh_token and token_exchange";
    let parsed: Option<_> = names.iter().map(|name| GrantType::parse(name)).collect();
    parsed.ok_or(Error::InvalidRequest { field: "grants", detail })
}

fn entries(
    field: &'static str,
    given: Option<Option<Vec<String>>>,
    most: usize,
    fits: impl Fn(&str) -> bool,
) -> Result<Option<Option<Vec<String>>>, Error> {
    match &given {
        Some(Some(entries)) if entries.len() > most => {
            Err(Error::InvalidRequest { field, detail: "has too many entries" })
        }
        Some(Some(entries)) if !entries.iter().all(|entry| fits(entry)) => {
            Err(Error::InvalidRequest { field, detail: "has an entry that can never be asked for" })
        }
        Some(_) | None => Ok(given),
    }
}

fn is_claim(name: &str) -> bool {
    let ours = REGISTERED.contains(&name) && !["roles", "permissions"].contains(&name);
    !ours && check_text("claims", name, MAX_ENTRY).is_ok()
}

/// Keys are named by their `kid`, or their thumbprint where they have none; what a key is for is not asked, since it proves
/// one client and nothing else.
fn keys(jwks: &Map<String, Value>) -> Result<Vec<ClientKey>, Error> {
    let refused = |detail| Error::InvalidRequest { field: "jwks", detail };
    let entries = jwks.get("keys").and_then(Value::as_array).filter(|_| jwks.len() == 1);
    let entries = entries.ok_or(refused("must be a JWK Set: an object with the member 'keys'"))?;
    if !(1..=MAX_KEYS).contains(&entries.len()) {
        return Err(refused("must have 1 to 4 keys"));
    }
    let keys: Option<Vec<ClientKey>> = entries.iter().map(key).collect();
    let keys = keys.ok_or(refused("has an entry that is no public Ed25519 key fit to verify with"))?;
    let twice = keys.iter().enumerate().any(|(at, key)| keys.iter().skip(at + 1).any(|other| other.kid == key.kid));
    if twice { Err(refused("has two keys of one kid")) } else { Ok(keys) }
}

fn key(jwk: &Value) -> Option<ClientKey> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let named = jwk.get("alg").is_none_or(|alg| alg.as_str().is_some_and(|alg| Algorithm::from_name(alg).is_some()));
    if text("kty") != Some("OKP") || text("crv") != Some("Ed25519") || jwk.get("d").is_some() || !named {
        return None;
    }
    let public: [u8; 32] = base64url::decode_array(text("x")?).ok()?;
    let fit = PublicKey::from_bytes(&public, Purpose::Token, Algorithm::EdDsa).ok()?;
    let kid = match jwk.get("kid") {
        Some(kid) => kid.as_str()?,
        None => fit.kid(),
    };
    let fits = (1..=MAX_KEY_ID_LENGTH).contains(&kid.len()) && !kid.chars().any(char::is_control);
    fits.then(|| ClientKey { kid: kid.to_owned(), public })
}

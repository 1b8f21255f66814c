//! Signing, for the issuer: access tokens, refresh tokens, revocation lists and status lists.
//!
//! jwt-compact lays out the JWS and ed25519-dalek signs. Ed25519 is deterministic, so the same claims and key give the
//! same bytes. Every signature is verified before it is released: a fault in memory or in a computation must not hand
//! out a signature that tells about the key.

mod status;

pub use status::{CWT_TYP, JWT_TYP, StatusClaims};

use crate::base64url;
use crate::claims::AccessClaims;
use crate::error::{KeySetRejection, Rejection};
use crate::jwk::{Algorithm, KeySet, PublicKey, Purpose};
use crate::jws::{self, Untrusted};
use crate::refresh::{self, RefreshClaims};
use crate::revocation::head::{MAX_HEAD_LENGTH, MAX_SEQ};
use crate::revocation::{Cut, Delta, Head, ListId, delta, list};
use crate::time::UnixTime;
use crate::verify;
use chrono::{DateTime, Utc};
use ed25519_dalek::Signer;
use jwt_compact::{AlgorithmExt, AlgorithmSignature, Claims, Header};
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroUsize;
use zeroize::Zeroizing;

/// A private key that signs for one purpose under one algorithm name. Zeroized when dropped, never printed.
pub struct SigningKey {
    secret: ed25519_dalek::SigningKey,
    public: PublicKey,
    /// The public key alone, for the check of each signature.
    check: KeySet,
}

/// Something could not be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssueError {
    /// The token would be longer than verifiers accept, [`jws::MAX_LENGTH`]; for a list's head and a delta [`MAX_HEAD_LENGTH`].
    TooLong,
    /// A time lies outside of what a token can carry.
    Time,
    /// What is to be signed breaks a rule that verifiers hold it to.
    Form(&'static str),
    /// The signer did not produce a signature that verifies: nothing was released.
    Fault,
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the token would be longer than verifiers accept"),
            Self::Time => f.write_str("a time is out of range"),
            Self::Form(what) => write!(f, "what is to be signed is not well-formed: {what}"),
            Self::Fault => f.write_str("a fresh signature did not verify"),
        }
    }
}

impl std::error::Error for IssueError {}

impl SigningKey {
    /// Returns the key pair of this 32-byte RFC 8032 seed; the public half is always derived, never loaded.
    ///
    /// # Errors
    /// [`KeySetRejection`] never happens for a seed in practice: a derived point is canonical and of full order.
    pub fn from_seed(
        seed: &Zeroizing<[u8; 32]>,
        purpose: Purpose,
        algorithm: Algorithm,
    ) -> Result<Self, KeySetRejection> {
        let secret = ed25519_dalek::SigningKey::from_bytes(seed);
        let bytes = secret.verifying_key().to_bytes();
        let public = PublicKey::from_bytes(&bytes, purpose, algorithm)?;
        let check = KeySet::single(public.clone());
        Ok(Self { secret, public, check })
    }

    /// Returns the public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Returns the key's name, its RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        self.public.kid()
    }

    /// Returns the compact serialization of an access token with these claims.
    ///
    /// # Errors
    /// [`IssueError`]; `Form` when this key is not for tokens or the claims break a rule that verifiers hold them to.
    pub fn sign_access(&self, claims: &AccessClaims) -> Result<String, IssueError> {
        let body = AccessBody {
            iss: &claims.iss,
            sub: &claims.sub,
            aud: Audience(&claims.aud),
            client_id: &claims.client_id,
            jti: &claims.jti,
            sid: claims.sid.as_deref(),
            scope: claims.scope.as_deref(),
            roles: &claims.roles,
            permissions: &claims.permissions,
            auth_time: claims.auth_time,
            other: &claims.other,
        };
        let mut full = Claims::new(body);
        full.issued_at = Some(date(claims.iat)?);
        full.expiration = Some(date(claims.exp)?);
        full.not_before = claims.nbf.map(date).transpose()?;
        let (token, payload) = self.sign(verify::TYP, Purpose::Token, &full, jws::MAX_LENGTH)?;
        if is_read_as(&payload, claims) { Ok(token) } else { Err(IssueError::Form("claims")) }
    }

    /// Returns the compact serialization of a refresh token with these claims.
    ///
    /// # Errors
    /// [`IssueError`].
    pub fn sign_refresh(&self, claims: &RefreshClaims) -> Result<String, IssueError> {
        let body =
            RefreshBody { iss: &claims.issuer, aud: &claims.issuer, sid: &claims.sid, generation: claims.generation };
        let mut full = Claims::new(body);
        full.issued_at = Some(date(claims.iat)?);
        full.expiration = Some(date(claims.exp)?);
        self.sign(refresh::TYP, Purpose::Token, &full, jws::MAX_LENGTH).map(|(token, _)| token)
    }

    /// Returns the document of the list with this head and body.
    ///
    /// # Errors
    /// [`IssueError`]; `Form` when the head does not fit the body or breaks a rule that verifiers hold it to.
    pub fn sign_list(&self, head: &Head, body: &[u8]) -> Result<Vec<u8>, IssueError> {
        if head.id != ListId::of(body) {
            return Err(IssueError::Form("the id is not that of the body"));
        }
        let (head, _) = self.sign_head(list::TYP, head, None)?;
        let mut document = head.into_bytes();
        document.reserve_exact(body.len() + 1);
        document.push(b'\n');
        document.extend_from_slice(body);
        Ok(document)
    }

    /// Returns the document of the delta that leads from the state `base` to that of `head`, which is not checked: epochs
    /// below `low` are dropped, what the body `add` lists is revoked. From a state to itself it is a heartbeat.
    ///
    /// # Errors
    /// [`IssueError`]; `TooLong` when a full list must do instead, `Form` when a verifier would not read it.
    pub fn sign_delta(&self, head: &Head, base: ListId, low: u32, add: &[u8]) -> Result<Vec<u8>, IssueError> {
        let step = StepBody {
            base: (base != head.id).then(|| base.to_string()),
            low: (low > 0).then_some(low),
            add: (add.len() > 1).then(|| base64url::encode(add)),
        };
        let (document, _) = self.sign_head(delta::TYP, head, Some(step))?;
        let document = document.into_bytes();
        match Delta::open(&document, &self.check) {
            Ok(delta) if delta.head() == head && delta.base() == base && delta.low() == low => Ok(document),
            Ok(_) | Err(_) => Err(IssueError::Form("a delta")),
        }
    }

    fn sign_head(&self, typ: &str, head: &Head, step: Option<StepBody>) -> Result<(String, Vec<u8>), IssueError> {
        if !(1..=MAX_SEQ).contains(&head.seq) || head.exp <= head.iat || !head.cut.is_well_formed() {
            return Err(IssueError::Form("a claim of the list's head is out of range"));
        }
        let claims = ListBody { iss: &head.iss, seq: head.seq, id: head.id.to_string(), cut: &head.cut, step };
        let mut full = Claims::new(claims);
        full.issued_at = Some(date(head.iat)?);
        full.expiration = Some(date(head.exp)?);
        self.sign(typ, Purpose::Revocations, &full, MAX_HEAD_LENGTH)
    }

    /// Returns the JWS and its payload.
    fn sign<T: Serialize>(
        &self,
        typ: &str,
        purpose: Purpose,
        claims: &Claims<T>,
        most: usize,
    ) -> Result<(String, Vec<u8>), IssueError> {
        if purpose != self.public.purpose() {
            return Err(IssueError::Form("the key is for another purpose"));
        }
        let header = Header::empty().with_key_id(self.kid()).with_token_type(typ);
        let text = Named(self.public.algorithm())
            .token(&header, claims, &self.secret)
            .map_err(|_| IssueError::Form("claims"))?;
        if text.len() > most {
            return Err(IssueError::TooLong);
        }
        match Untrusted::parse(text.as_bytes(), typ, most).and_then(|untrusted| untrusted.verify(&self.check, purpose))
        {
            Ok(signed) => Ok((text, signed.payload)),
            Err(Rejection::Signature) => Err(IssueError::Fault),
            Err(_) => Err(IssueError::Form("header")),
        }
    }
}

/// Whether verifiers read these claims in the payload, and neither refuse them nor take a claim from `other`.
fn is_read_as(payload: &[u8], claims: &AccessClaims) -> bool {
    AccessClaims::parse(payload).is_ok_and(|read| read == *claims)
}

fn date(time: UnixTime) -> Result<DateTime<Utc>, IssueError> {
    i64::try_from(time.as_secs()).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0)).ok_or(IssueError::Time)
}

#[derive(Serialize)]
struct AccessBody<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: Audience<'a>,
    client_id: &'a str,
    jti: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    roles: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    permissions: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<UnixTime>,
    #[serde(flatten)]
    other: &'a Map<String, Value>,
}

/// RFC 7519 §4.1.3: one audience is written as a string.
struct Audience<'a>(&'a [String]);

impl Serialize for Audience<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            [single] => serializer.serialize_str(single),
            several => several.serialize(serializer),
        }
    }
}

#[derive(Serialize)]
struct RefreshBody<'a> {
    iss: &'a str,
    aud: &'a str,
    sid: &'a str,
    #[serde(rename = "gen")]
    generation: u64,
}

#[derive(Serialize)]
struct ListBody<'a> {
    iss: &'a str,
    seq: u64,
    id: String,
    #[serde(skip_serializing_if = "Cut::is_empty")]
    cut: &'a Cut,
    #[serde(flatten)]
    step: Option<StepBody>,
}

/// What a delta has besides.
#[derive(Serialize)]
struct StepBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    base: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    add: Option<String>,
}

/// Ed25519 under the name that the key is published with.
struct Named(Algorithm);

/// An Ed25519 signature as jwt-compact wants it.
struct Signature([u8; 64]);

impl AlgorithmSignature for Signature {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(64);

    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(slice.try_into()?))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

impl jwt_compact::Algorithm for Named {
    type SigningKey = ed25519_dalek::SigningKey;
    type VerifyingKey = PublicKey;
    type Signature = Signature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.0.name())
    }

    fn sign(&self, key: &Self::SigningKey, message: &[u8]) -> Signature {
        Signature(key.sign(message).to_bytes())
    }

    fn verify_signature(&self, signature: &Signature, key: &PublicKey, message: &[u8]) -> bool {
        key.verifies(message, &signature.0)
    }
}

//! The claims of an access token (RFC 9068 §2.2), read strictly from a payload whose signature has been checked.

mod read;

pub use read::{Claims, Texts};

use crate::error::Rejection;
use crate::json::Tape;
use crate::time::UnixTime;
use serde_json::Map;

/// Names that a client can never set as claims of its own: those of this protocol, and registered ones whose meaning
/// another part of a system may act upon (RFC 7519, 7800, 8693, 9068, status lists).
pub const REGISTERED: [&str; 24] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "sid",
    "client_id",
    "scope",
    "roles",
    "permissions",
    "auth_time",
    "status",
    "gen",
    "cnf",
    "act",
    "may_act",
    "acr",
    "amr",
    "azp",
    "nonce",
    "groups",
    "entitlements",
];

/// The claims of one access token, in memory of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessClaims {
    /// Issuer.
    pub iss: String,
    /// Subject, not empty.
    pub sub: String,
    /// Audiences, at least one.
    pub aud: Vec<String>,
    /// The client that asked for the token.
    pub client_id: String,
    /// When it was issued.
    pub iat: UnixTime,
    /// The first second at which it is no longer valid, leeway aside.
    pub exp: UnixTime,
    /// The first second at which it is valid.
    pub nbf: Option<UnixTime>,
    /// Identifier; of our own tokens `<epoch>.<index>`, see [`crate::id::Jti`].
    pub jti: String,
    /// Session (refresh-token family); absent only in another issuer's tokens.
    pub sid: Option<String>,
    /// Scope values between single spaces.
    pub scope: Option<String>,
    /// Roles of the subject.
    pub roles: Vec<String>,
    /// Permissions of the subject.
    pub permissions: Vec<String>,
    /// When the subject last authenticated.
    pub auth_time: Option<UnixTime>,
    /// Every other member.
    pub other: Map<String, serde_json::Value>,
}

impl AccessClaims {
    /// Returns the claims that `payload` holds, as [`Claims`] are read.
    ///
    /// # Errors
    /// [`Rejection::Jwt`] when it is not a strict JSON object, [`Rejection::Claim`] for the first claim that is not as it must be.
    pub fn parse(payload: &[u8]) -> Result<Self, Rejection> {
        let mut tape = Tape::default();
        Claims::read(tape.read_object(payload).map_err(Rejection::Jwt)?).map(|claims| claims.to_owned())
    }

    /// Returns what is asked of the token again and again, it being signed by the key `kid`.
    pub fn facts<'a>(&'a self, kid: &'a str) -> Facts<'a> {
        Facts {
            sub: &self.sub,
            sid: self.sid.as_deref(),
            client_id: &self.client_id,
            scope: self.scope.as_deref(),
            kid,
            iat: self.iat,
            exp: self.exp,
            nbf: self.nbf,
        }
    }
}

/// What of a signed token can decide differently at another time, in another call or under another list.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Subject.
    pub sub: &'a str,
    /// Session.
    pub sid: Option<&'a str>,
    /// The client that asked for the token.
    pub client_id: &'a str,
    /// Scope values between single spaces.
    pub scope: Option<&'a str>,
    /// `kid` of the key that signed.
    pub kid: &'a str,
    /// When it was issued.
    pub iat: UnixTime,
    /// The first second at which it is no longer valid.
    pub exp: UnixTime,
    /// The first second at which it is valid.
    pub nbf: Option<UnixTime>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ClaimFault;
    use serde_json::{Value, json};

    fn full() -> Value {
        json!({
            "iss": "https://issuer.example", "sub": "user-1", "aud": "api", "client_id": "backend", "iat": 1_700_000_000,
            "exp": 1_700_000_900, "jti": "6640628.7", "sid": "s", "scope": "read write", "roles": ["admin"],
            "permissions": ["a:b"], "auth_time": 1_699_999_000, "nbf": 1_700_000_000, "tenant": {"id": 7},
        })
    }

    fn parse(value: &Value) -> Result<AccessClaims, Rejection> {
        AccessClaims::parse(value.to_string().as_bytes())
    }

    #[test]
    fn every_claim_is_taken_and_the_rest_kept() {
        let claims = parse(&full()).unwrap();
        assert_eq!((claims.aud, claims.roles), (vec!["api".to_owned()], vec!["admin".to_owned()]));
        assert_eq!(Value::Object(claims.other), json!({"tenant": {"id": 7}}));
    }

    #[test]
    fn a_required_claim_that_is_absent_is_named() {
        for claim in ["iss", "sub", "aud", "client_id", "iat", "exp", "jti"] {
            let mut value = full();
            value.as_object_mut().unwrap().remove(claim);
            assert_eq!(parse(&value), Err(Rejection::Claim { claim, reason: ClaimFault::Missing }));
        }
    }

    #[test]
    fn a_claim_of_the_wrong_type_is_named() {
        let bad_time = [
            json!("1700000000"),
            json!(1.5),
            json!(1e300),
            json!(-1),
            json!(null),
            json!(true),
            json!(1_700_000_000_000_u64),
        ];
        let bad_text = [json!(1), json!(null), json!([]), json!({}), json!("")];
        let bad_texts =
            [json!("a"), json!(null), json!([1]), json!([null]), json!([""]), json!([["a"]]), json!({"0": "a"})];
        let bad_audience = [json!([]), json!(null), json!([1]), json!([""]), json!(""), json!({"aud": "api"})];
        let cases = ["iat", "exp", "nbf", "auth_time"]
            .map(|claim| (claim, &bad_time[..]))
            .into_iter()
            .chain(["iss", "sub", "client_id", "jti", "sid"].map(|claim| (claim, &bad_text[..])))
            .chain(["roles", "permissions"].map(|claim| (claim, &bad_texts[..])))
            .chain([("scope", &bad_text[..4]), ("aud", &bad_audience[..])]);
        for (claim, values) in cases {
            for wrong in values {
                let mut value = full();
                value[claim] = wrong.clone();
                assert_eq!(
                    parse(&value),
                    Err(Rejection::Claim { claim, reason: ClaimFault::Invalid }),
                    "{claim} {wrong}"
                );
            }
        }
    }
}

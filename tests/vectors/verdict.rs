//! The shape of verdicts.json, and what the verifier of this workspace says of one case.

use crate::forge::{EXP, ISSUER, NOW};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use token::base64url;
use token::jwk::KeySet;
use token::time::UnixTime;
use token::verify::{Loaded, Policy, Verifier};

/// The file as it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) keys: BTreeMap<String, Value>,
    pub(crate) lists: BTreeMap<String, String>,
    pub(crate) cases: Vec<Case>,
}

/// One token and what is said of it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) options: Options,
    pub(crate) now: u64,
    pub(crate) expect: Expect,
}

/// Options of the verifier; keys and lists by name.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Options {
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<Audience>,
    pub(crate) leeway: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_staleness: Option<u64>,
    pub(crate) keys: String,
    pub(crate) revocations: Option<String>,
}

/// One audience, or several of which a token must have one.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Audience {
    One(String),
    Several(Vec<String>),
}

/// A verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) ok: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) claim: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

impl Expect {
    pub(crate) fn refused(code: &str, claim: Option<&str>, reason: Option<&str>) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self { ok: false, code: owned(Some(code)), claim: owned(claim), reason: owned(reason) }
    }
}

pub(crate) fn accepted() -> Expect {
    Expect { ok: true, code: None, claim: None, reason: None }
}
pub(crate) fn jws(reason: &str) -> Expect {
    Expect::refused("ERR_JWS_INVALID", None, Some(reason))
}
pub(crate) fn algorithm() -> Expect {
    Expect::refused("ERR_JOSE_ALG_NOT_ALLOWED", None, None)
}
pub(crate) fn no_key() -> Expect {
    Expect::refused("ERR_JWKS_NO_MATCHING_KEY", None, None)
}
pub(crate) fn bad_signature() -> Expect {
    Expect::refused("ERR_JWS_SIGNATURE_VERIFICATION_FAILED", None, None)
}
pub(crate) fn jwt(reason: &str) -> Expect {
    Expect::refused("ERR_JWT_INVALID", None, Some(reason))
}
pub(crate) fn claim(claim: &str, reason: &str) -> Expect {
    Expect::refused("ERR_JWT_CLAIM_VALIDATION_FAILED", Some(claim), Some(reason))
}
pub(crate) fn expired() -> Expect {
    Expect::refused("ERR_JWT_EXPIRED", Some("exp"), Some("check_failed"))
}
pub(crate) fn revoked(reason: &str) -> Expect {
    Expect::refused("ERR_TOKEN_REVOKED", None, Some(reason))
}
pub(crate) fn stale(reason: &str) -> Expect {
    Expect::refused("ERR_STATUS_STALE", None, Some(reason))
}
pub(crate) fn no_index() -> Expect {
    Expect::refused("ERR_STATUS_MISSING", Some("jti"), Some("invalid"))
}

impl Case {
    /// A case under the usual options: our issuer and audience, 5 s of leeway, a list that revokes nothing.
    pub(crate) fn new(name: impl Into<String>, token: impl Into<String>, expect: Expect) -> Self {
        let options = Options {
            issuer: Some(ISSUER.to_owned()),
            audience: Some(Audience::One("api".to_owned())),
            leeway: 5,
            scope: None,
            max_staleness: None,
            keys: "issuer".to_owned(),
            revocations: Some("empty".to_owned()),
        };
        Self { name: name.into(), token: token.into(), options, now: NOW, expect }
    }

    pub(crate) fn at(mut self, now: u64) -> Self {
        self.now = now;
        self
    }

    pub(crate) fn at_exp(self, offset: i64) -> Self {
        self.at(EXP.checked_add_signed(offset).unwrap())
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }

    pub(crate) fn keys(self, name: &str) -> Self {
        self.with(|options| options.keys = name.to_owned())
    }

    pub(crate) fn list(self, name: &str) -> Self {
        self.with(|options| options.revocations = Some(name.to_owned()))
    }

    pub(crate) fn without_revocations(self) -> Self {
        self.with(|options| options.revocations = None)
    }

    /// The verifier that the case asks for, with its list loaded.
    pub(crate) fn verifier(&self, file: &File) -> Verifier {
        let options = &self.options;
        let policy = Policy {
            issuer: options.issuer.clone(),
            audience: options.audience.as_ref().map(|audience| match audience {
                Audience::One(audience) => vec![audience.clone()],
                Audience::Several(audiences) => audiences.clone(),
            }),
            leeway_secs: options.leeway,
            scope: options.scope.iter().flat_map(|scope| scope.split(' ')).map(str::to_owned).collect(),
            revocations: options.revocations.is_some(),
            max_staleness_secs: options.max_staleness,
        };
        let keys = KeySet::parse(file.keys[&options.keys].to_string().as_bytes()).unwrap();
        let mut verifier = Verifier::new(policy, keys).unwrap();
        if let Some(name) = &options.revocations {
            let document = base64url::decode(file.lists[name].as_bytes()).unwrap();
            let loaded = verifier.load_revocations(&document, self.time());
            assert_eq!(loaded, Ok(Loaded::Newer), "{}: list {name}", self.name);
        }
        verifier
    }

    pub(crate) fn time(&self) -> UnixTime {
        UnixTime::from_secs(self.now).unwrap()
    }

    /// What the verifier of this workspace says, which is the same whether scope is asked for once or with every call.
    pub(crate) fn judge(&self, file: &File) -> Expect {
        let verdict = verdict(self.verifier(file).verify(&self.token, self.time()));
        let scope: Vec<String> =
            self.options.scope.iter().flat_map(|scope| scope.split(' ')).map(str::to_owned).collect();
        let verifier = self.clone().with(|options| options.scope = None).verifier(file);
        let asked_late = verifier.verify_with_scope(&self.token, &scope, self.time());
        assert_eq!(self::verdict(asked_late), verdict, "{}", self.name);
        verdict
    }
}

fn verdict(result: Result<token::verify::Verified, token::Rejection>) -> Expect {
    match result {
        Ok(_) => accepted(),
        Err(rejection) => Expect::refused(rejection.code(), rejection.claim(), rejection.reason()),
    }
}

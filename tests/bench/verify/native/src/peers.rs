//! Other people's verifiers of whole tokens, each set up as its documentation says. None of them knows revocation.

use crate::Result;
use crate::fixture::{AUDIENCE, Fixture, ISSUER};
use crate::rounds::{Contender, one_by_one};
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils, aws_lc, rust_crypto};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation, decode};
use jwt_compact::alg::Ed25519;
use jwt_compact::{AlgorithmExt, TimeOptions, UntrustedToken};
use serde::Deserialize;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The claims as somebody's type, as both libraries ask for one.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    jti: String,
    sid: Option<String>,
    scope: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
}

impl Claims {
    /// So that no member is thought unused and left unread.
    fn is_whole(&self) -> bool {
        !self.sub.is_empty()
            && !self.jti.is_empty()
            && self.sid.is_some()
            && self.scope.is_some()
            && !self.roles.is_empty()
    }
}

pub(crate) fn contenders(fixture: &Fixture) -> Result<Vec<Contender<'_>>> {
    SWITCH.install_default().map_err(|_| "a provider is installed already")?;
    Ok(vec![
        jsonwebtoken(fixture, "aws-lc-rs", true)?,
        jsonwebtoken(fixture, "rust_crypto", false)?,
        jwt_compact(fixture)?,
    ])
}

/// jsonwebtoken takes one provider a process; this one is both, by turns.
static SWITCH: CryptoProvider =
    CryptoProvider { verifier_factory, signer_factory, key_utils: KeyUtils::new_unimplemented() };
static USES_AWS_LC: AtomicBool = AtomicBool::new(false);

fn provider() -> &'static CryptoProvider {
    if USES_AWS_LC.load(Ordering::Relaxed) { &aws_lc::DEFAULT_PROVIDER } else { &rust_crypto::DEFAULT_PROVIDER }
}

fn verifier_factory(algorithm: &Algorithm, key: &DecodingKey) -> jsonwebtoken::errors::Result<Box<dyn JwtVerifier>> {
    (provider().verifier_factory)(algorithm, key)
}

fn signer_factory(
    algorithm: &Algorithm,
    key: &EncodingKey,
) -> jsonwebtoken::errors::Result<Box<dyn jsonwebtoken::crypto::JwtSigner>> {
    (provider().signer_factory)(algorithm, key)
}

fn jsonwebtoken<'f>(fixture: &'f Fixture, backend: &str, is_aws_lc: bool) -> Result<Contender<'f>> {
    let key = DecodingKey::from_ed_components(&fixture.x)?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    let judge = move |token: &str| {
        USES_AWS_LC.store(is_aws_lc, Ordering::Relaxed);
        decode::<Claims>(token, &key, &validation).is_ok_and(|data| data.claims.is_whole())
    };
    Ok(whole(fixture, &format!("jsonwebtoken-{backend}"), &format!("jsonwebtoken, {backend}"), judge))
}

fn jwt_compact(fixture: &Fixture) -> Result<Contender<'_>> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(&fixture.key()?)?;
    let options = TimeOptions::default();
    let judge = move |text: &str| {
        let Ok(token) = UntrustedToken::new(text) else { return false };
        let Ok(token) = Ed25519.validator::<Claims>(&key).validate(&token) else { return false };
        let claims = token.claims();
        let in_time = claims.validate_expiration(&options).is_ok();
        let claims = &claims.custom;
        in_time && claims.iss == ISSUER && claims.aud == AUDIENCE && claims.is_whole()
    };
    Ok(whole(fixture, "jwt-compact", "jwt-compact, ed25519-dalek", judge))
}

fn whole<'f>(fixture: &'f Fixture, id: &str, name: &str, judge: impl Fn(&str) -> bool + 'f) -> Contender<'f> {
    let judge = Rc::new(judge);
    let again = Rc::clone(&judge);
    Contender {
        id: id.into(),
        name: name.into(),
        kind: "whole",
        mine: false,
        judge: Some(Box::new(move |token| judge(token))),
        turn: one_by_one(&fixture.tokens, move |token| again(token)),
    }
}

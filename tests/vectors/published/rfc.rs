//! RFC 8032 §7.1 and RFC 8037 appendix A.

use super::rfc_8032::SECTION_7_1;
use super::{bytes_of, folder, holds, json, ran};
use token::base64url;
use token::issue::SigningKey;
use token::jwk::{Algorithm, KeySet, Purpose};
use zeroize::Zeroizing;

/// RFC 8037 appendix A.2: the public key of TEST 1 as a JWK.
const RFC_8037_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
/// RFC 8037 appendix A.3.
const RFC_8037_THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
/// RFC 8037 appendix A.4.
const RFC_8037_JWS: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

fn check([private, public, message, signature]: [&str; 4]) {
    let (public, message, signature) = (bytes_of(public), bytes_of(message), bytes_of(signature));
    let seed = Zeroizing::new(<[u8; 32]>::try_from(bytes_of(private)).unwrap());
    let key = SigningKey::from_seed(&seed, Purpose::Token, Algorithm::EdDsa).unwrap();
    assert_eq!(key.public().as_bytes().as_slice(), public, "{private}");
    assert!(holds(&public, &message, &signature), "{private}");
    assert_eq!(
        ed25519_dalek::Signer::sign(&ed25519_dalek::SigningKey::from_bytes(&seed), &message).to_vec(),
        signature
    );
    let mut other = message.clone();
    other.push(0);
    assert!(!holds(&public, &other, &signature), "{private}");
}

#[test]
fn the_signatures_of_rfc_8032_section_7_1_hold() {
    SECTION_7_1.into_iter().for_each(check);
    let Some(path) = folder("RFC 8032 §7.1, as a file", "rfc8032/rfc8032_ed25519.json") else { return };
    let file = json(&path);
    let read = file["vectors"].as_array().unwrap().iter();
    let read: Vec<_> =
        read.map(|vector| ["sk", "pk", "msg", "sig"].map(|member| vector[member].as_str().unwrap())).collect();
    assert_eq!(read, SECTION_7_1);
    ran("RFC 8032 §7.1, as a file: the same 5 vectors as typed in");
}

#[test]
fn the_key_and_the_jws_of_rfc_8037_appendix_a_hold() {
    let set = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{RFC_8037_X}","kid":"a","alg":"EdDSA"}}]}}"#);
    let set = KeySet::parse(set.as_bytes()).unwrap();
    let key = &set.keys()[0];
    assert_eq!(token::jwk::thumbprint(key.as_bytes()), RFC_8037_THUMBPRINT);
    let (input, signature) = RFC_8037_JWS.rsplit_once('.').unwrap();
    assert!(key.verifies(input.as_bytes(), &base64url::decode_array(signature).unwrap()));
    let Some(path) = folder("RFC 8037 appendix A, as a file", "rfc8037/rfc8037_appendix_a.json") else { return };
    let file = json(&path);
    assert_eq!(file["A2_public_jwk"]["x"], RFC_8037_X);
    assert_eq!(file["A3_thumbprint_sha256"], RFC_8037_THUMBPRINT);
    assert_eq!(file["A4_compact"], RFC_8037_JWS);
    ran("RFC 8037 appendix A: the same as typed in");
}

/// A.4 is a JWS and no access token: it has neither `typ` nor `kid`.
#[test]
fn the_jws_of_rfc_8037_appendix_a_is_no_access_token() {
    let rejection =
        token::jws::Untrusted::parse(RFC_8037_JWS.as_bytes(), token::verify::TYP, token::jws::MAX_LENGTH).unwrap_err();
    assert_eq!(rejection.claim(), Some("typ"));
}

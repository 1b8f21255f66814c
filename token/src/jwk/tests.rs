use super::*;
use serde_json::Value;

// RFC 8037 appendix A.2 and A.3
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

fn set(keys: Value) -> Result<KeySet, KeySetRejection> {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
}

fn jwk(x: &str) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "1", "alg": "EdDSA"})
}

#[test]
fn the_thumbprint_is_that_of_rfc_8037() {
    let key = PublicKey::from_bytes(&base64url::decode_array(X).unwrap(), Purpose::Token, Algorithm::EdDsa).unwrap();
    assert_eq!(key.kid(), THUMBPRINT);
    let parsed = set(json!([key.to_jwk()])).unwrap();
    assert_eq!(parsed.find(THUMBPRINT, Purpose::Token, Algorithm::EdDsa), Some(&key));
    assert_eq!(parsed.find(THUMBPRINT, Purpose::Token, Algorithm::Ed25519), None);
    assert_eq!(parsed.find(THUMBPRINT, Purpose::Revocations, Algorithm::EdDsa), None);
    assert_eq!(KeySet::parse(parsed.to_json().as_bytes()), Ok(parsed));
}

#[test]
fn low_order_and_non_canonical_points_refuse_the_whole_set() {
    let weak = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ];
    for encoding in weak {
        assert_eq!(set(json!([jwk(X), jwk(&x_of(encoding))])), Err(KeySetRejection::WeakKey), "{encoding}");
    }
    let non_canonical = [
        "0100000000000000000000000000000000000000000000000000000000000080",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];
    for encoding in non_canonical {
        assert_eq!(set(json!([jwk(&x_of(encoding))])), Err(KeySetRejection::InvalidPoint), "{encoding}");
    }
}

fn x_of(hex: &str) -> String {
    let bytes: Vec<u8> =
        (0..32).map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2).unwrap(), 16).unwrap()).collect();
    base64url::encode(&bytes)
}

#[test]
fn keys_of_other_kinds_are_passed_over() {
    let mut others = vec![
        json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "r", "alg": "RS256"}),
        json!({"kty": "oct", "k": "AAAA"}),
        json!({}),
    ];
    for (name, value) in [
        ("use", json!("enc")),
        ("alg", json!("ES256")),
        ("alg", json!(null)),
        ("kid", json!(7)),
        ("kid", json!("")),
        ("purpose", json!("else")),
        ("key_ops", json!(["sign"])),
    ] {
        let mut other = jwk(X);
        other[name] = value;
        others.push(other);
    }
    for other in &others {
        assert_eq!(set(json!([other])), Err(KeySetRejection::NoTokenKey), "{other}");
        assert_eq!(set(json!([other, jwk(X)])).unwrap().keys().len(), 1, "{other}");
    }
}

#[test]
fn a_set_that_is_not_one_is_refused() {
    for text in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[1]}"#, r#"{"keys":[],"keys":[]}"#] {
        assert_eq!(KeySet::parse(text.as_bytes()), Err(KeySetRejection::Malformed), "{text}");
    }
    let mut private = jwk(X);
    private["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    assert_eq!(set(json!([jwk(X), private])), Err(KeySetRejection::PrivateKey));
    assert_eq!(set(json!([jwk(X), jwk(X)])), Err(KeySetRejection::DuplicateKeyId));
    assert_eq!(set(json!(vec![json!({}); MAX_KEYS + 1])), Err(KeySetRejection::TooManyKeys));
    assert_eq!(KeySet::parse(&[b' '; MAX_SET_LENGTH + 1]), Err(KeySetRejection::TooLong));
    for x in ["", "AAAA", &format!("{X}="), &format!("{X}A")] {
        assert_eq!(set(json!([jwk(x)])), Err(KeySetRejection::InvalidPoint), "{x}");
    }
}

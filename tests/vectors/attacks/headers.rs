//! Header members that offer a key, or change how the rest is read.

use crate::forge::{ATTACKER_KEY, Draft, TOKEN_KEY, quoted, sealed, thumbprint};
use crate::verdict::{Case, bad_signature, jws, no_key};
use crate::world::jwk;
use token::base64url;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = injected_keys();
    cases.extend(critical());
    cases.extend(unencoded());
    cases.extend(nested());
    cases
}

/// CVE-2018-0114 and its kind. Each signed by the key it offers, which would do if it were looked at, then by ours.
fn injected_keys() -> Vec<Case> {
    let offered = jwk(ATTACKER_KEY, &thumbprint(ATTACKER_KEY), &[("alg", "EdDSA"), ("use", "sig")]).text();
    let certificate = format!("[\"{}\"]", "MIIB".repeat(20));
    let members = [
        ("jwk", offered.clone()),
        ("jwk", "null".to_owned()),
        ("jwk", "{}".to_owned()),
        ("jku", "\"https://attacker.example/jwks.json\"".to_owned()),
        ("jku", "\"https://issuer.example/.well-known/jwks.json\"".to_owned()),
        ("jku", "\"https://issuer.example@attacker.example/\"".to_owned()),
        ("jku", "\"file:///etc/passwd\"".to_owned()),
        ("jku", "\"data:application/json,{}\"".to_owned()),
        ("x5u", "\"https://attacker.example/cert.pem\"".to_owned()),
        ("x5c", certificate),
        ("x5c", "[]".to_owned()),
        ("x5t", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAA\"".to_owned()),
        ("x5t#S256", format!("\"{}\"", thumbprint(ATTACKER_KEY))),
    ];
    let mut cases = Vec::new();
    for (member, value) in &members {
        let draft = Draft::new().header(member, value);
        let shown: String = value.chars().take(48).collect();
        cases.push(Case::new(
            format!("{member} {shown} with the attacker's signature is refused"),
            draft.clone().of_key(ATTACKER_KEY).token(),
            jws("refused_member"),
        ));
        cases.push(Case::new(
            format!("{member} {shown} is refused even with our signature"),
            draft.token(),
            jws("refused_member"),
        ));
    }
    let escaped = Draft::new().header_bytes(format!(
        r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{}","\u006a\u0077k":{offered}}}"#,
        thumbprint(ATTACKER_KEY)
    ));
    cases.push(Case::new(
        "jwk spelled with escapes is refused",
        escaped.signed_by(ATTACKER_KEY).token(),
        jws("refused_member"),
    ));
    let smuggled = Draft::new().header("x", &format!(r#"{{"jwk":{offered}}}"#)).of_key(ATTACKER_KEY);
    cases.push(Case::new("a key deep inside the header is no key", smuggled.token(), no_key()));
    cases
}

/// RFC 7515 §4.1.11: what is critical must be understood, and nothing is understood here.
fn critical() -> Vec<Case> {
    let values = [
        "[]",
        r#"["exp"]"#,
        r#"["alg"]"#,
        r#"["kid"]"#,
        r#"["typ"]"#,
        r#"["b64"]"#,
        r#"["crit"]"#,
        r#"["x"]"#,
        r#"["x","x"]"#,
        r#"["b64","x"]"#,
        r#"[""]"#,
        "[null]",
        "[1]",
        "[[]]",
        r#"["cty"]"#,
        r#"["http://example.com/UNDEFINED"]"#,
        r#"["__proto__"]"#,
        "null",
        "true",
        "1",
        r#""b64""#,
        r#""""#,
        "{}",
        r#"{"0":"b64"}"#,
    ];
    values
        .into_iter()
        .flat_map(|value| {
            let draft = Draft::new().header("crit", value);
            [
                Case::new(format!("crit {value} is refused"), draft.token(), jws("refused_member")),
                Case::new(
                    format!("crit {value} is refused where the members it names are there"),
                    draft.header("x", "1").header("b64", "true").header("http://example.com/UNDEFINED", "true").token(),
                    jws("refused_member"),
                ),
            ]
        })
        .collect()
}

/// RFC 7797: a payload that is not base64url, announced or not.
fn unencoded() -> Vec<Case> {
    let draft = Draft::new();
    let raw = |header: &Draft| {
        let header = base64url::encode(&header.header_text());
        let payload = String::from_utf8(draft.claims_text()).unwrap();
        sealed(TOKEN_KEY, &format!("{header}.{payload}"))
    };
    let [header, payload, _] = draft.parts();
    let over_raw = sealed(TOKEN_KEY, &format!("{header}.{}", String::from_utf8(draft.claims_text()).unwrap()));
    let signature = over_raw.rsplit('.').next().unwrap();
    let off = draft.clone().header("b64", "false");
    let critical = off.clone().header("crit", r#"["b64"]"#);
    let mut cases = vec![
        // Dots in the issuer's name make more than three parts of a raw payload.
        Case::new("a raw payload is refused", raw(&draft), jws("parts")),
        Case::new("a raw payload announced by b64 and crit is refused", raw(&critical), jws("parts")),
        Case::new(
            "a signature over the raw payload does not hold for the encoded one",
            format!("{header}.{payload}.{signature}"),
            bad_signature(),
        ),
    ];
    for value in ["false", "true", "null", "0", "\"false\""] {
        let draft = draft.clone().header("b64", value);
        cases.push(Case::new(format!("b64 {value} without crit is refused"), draft.token(), jws("refused_member")));
    }
    cases
}

/// What wraps another token, or says that it is packed.
fn nested() -> Vec<Case> {
    let inner = Draft::new().token();
    let wrapped = Draft::new().header("cty", "\"JWT\"").claims_bytes(&inner);
    [
        ("cty JWT around a good token", wrapped),
        ("cty JWT on a good token", Draft::new().header("cty", "\"JWT\"")),
        ("cty null", Draft::new().header("cty", "null")),
        ("zip DEF", Draft::new().header("zip", "\"DEF\"")),
        ("enc A256GCM", Draft::new().header("enc", "\"A256GCM\"")),
        ("enc and zip", Draft::new().header("enc", "\"A256GCM\"").header("zip", "\"DEF\"")),
        ("every refused member at once", everything()),
    ]
    .into_iter()
    .map(|(name, draft)| Case::new(format!("{name} is refused"), draft.token(), jws("refused_member")))
    .collect()
}

fn everything() -> Draft {
    ["crit", "b64", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "cty", "enc", "zip"]
        .into_iter()
        .fold(Draft::new(), |draft, member| draft.header(member, &quoted("x")))
}

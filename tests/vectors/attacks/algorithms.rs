//! The algorithm: `none` in every spelling, and a public key taken for a secret.

use crate::forge::{ATTACKER_KEY, Draft, RENAMED_KEY, TOKEN_KEY, hmac_sha256, public, quoted, thumbprint, x};
use crate::verdict::{Case, algorithm, jws, no_key};
use crate::world::published;
use token::base64url;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = none();
    cases.extend(names());
    cases.extend(shapes());
    cases.extend(key_confusion());
    cases.extend(wrong_name());
    cases
}

fn none() -> Vec<Case> {
    let spellings =
        ["none", "None", "NONE", "nOnE", "none ", " none", "none\0", "n\u{ff4f}ne", "null", "NULL", "no", ""];
    spellings
        .into_iter()
        .flat_map(|name| {
            let draft = Draft::new().header("alg", &quoted(name));
            [
                Case::new(
                    format!("alg {name:?} without a signature is refused"),
                    draft.with_signature(&[]),
                    algorithm(),
                ),
                Case::new(format!("alg {name:?} with our signature is refused"), draft.token(), algorithm()),
            ]
        })
        .collect()
}

fn names() -> Vec<Case> {
    let others = [
        "HS256",
        "HS384",
        "HS512",
        "RS256",
        "RS384",
        "RS512",
        "PS256",
        "PS384",
        "PS512",
        "ES256",
        "ES384",
        "ES512",
        "ES256K",
        "Ed448",
        "ML-DSA-44",
        "ECDH-ES",
        "RSA-OAEP",
        "RSA1_5",
        "A128KW",
        "PBES2-HS256+A128KW",
        "dir",
    ];
    let spellings = [
        "eddsa",
        "EDDSA",
        "EdDsa",
        "EdDSA ",
        " EdDSA",
        "EdDSA\0",
        "EdDSA\n",
        "EdDSA,none",
        "EdDSAEdDSA",
        "\u{415}dDSA",
        "\u{ff25}dDSA",
        "Ed\u{200b}DSA",
        "ed25519",
        "ED25519",
        "Ed25519ph",
        "Ed25519ctx",
        "EdDSA25519",
        "urn:ietf:params:jose:EdDSA",
    ];
    others
        .into_iter()
        .chain(spellings)
        .map(|name| {
            let token = Draft::new().header("alg", &quoted(name)).token();
            Case::new(format!("alg {name:?} with a good signature is refused"), token, algorithm())
        })
        .collect()
}

fn shapes() -> Vec<Case> {
    let kid = thumbprint(TOKEN_KEY);
    let mut cases: Vec<Case> = [
        ("null", "null"),
        ("true", "true"),
        ("0", "0"),
        ("an empty array", "[]"),
        ("an array", r#"["EdDSA"]"#),
        ("an array that begins well", r#"["EdDSA","none"]"#),
        ("an object", r#"{"name":"EdDSA"}"#),
    ]
    .into_iter()
    .map(|(name, value)| {
        Case::new(format!("alg as {name} is refused"), Draft::new().header("alg", value).token(), jws("alg"))
    })
    .collect();
    let header = |text: String| Draft::new().header_bytes(text).token();
    let twice = |first: &str, last: &str| header(format!(r#"{{{first},"typ":"at+jwt","kid":"{kid}",{last}}}"#));
    let (good, none) = (r#""alg":"EdDSA""#, r#""alg":"none""#);
    cases.extend([
        Case::new("a header without alg is refused", Draft::new().without_header("alg").token(), jws("alg")),
        Case::new(
            "alg among the claims is no alg",
            Draft::new().without_header("alg").claim("alg", "\"EdDSA\"").token(),
            jws("alg"),
        ),
        Case::new("alg given twice, none first, is refused", twice(none, good), jws("duplicate_member")),
        Case::new("alg given twice, none last, is refused", twice(good, none), jws("duplicate_member")),
        Case::new("alg given twice alike is refused", twice(good, good), jws("duplicate_member")),
        Case::new(
            "alg given twice, once with escapes, is refused",
            twice(r#""\u0061lg":"none""#, good),
            jws("duplicate_member"),
        ),
        Case::new("an empty header object is refused", header("{}".to_owned()), jws("alg")),
        Case::new("alg in a nested object is no alg", header(format!(r#"{{"header":{{{good}}}}}"#)), jws("alg")),
        Case::new(
            "a member named ALG is no alg",
            header(format!(r#"{{"ALG":"EdDSA","typ":"at+jwt","kid":"{kid}"}}"#)),
            jws("alg"),
        ),
        Case::new(
            "an alg that only escapes spell as none is refused",
            Draft::new().header("alg", r#""\u006eone""#).with_signature(&[]),
            algorithm(),
        ),
    ]);
    cases
}

/// CVE-2015-9235 and its many successors: HMAC under anything that an attacker can know of our key.
fn key_confusion() -> Vec<Case> {
    let raw = public(TOKEN_KEY);
    // RFC 8410 §4: SubjectPublicKeyInfo of an Ed25519 key
    let der = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00][..], &raw].concat();
    let standard = base64url::encode(&der).replace('-', "+").replace('_', "/"); // 44 bytes: one character of padding
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{standard}=\n-----END PUBLIC KEY-----");
    let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    let jwk = published(TOKEN_KEY, "EdDSA", "token").text();
    let keys: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("32 ones", vec![1; 32]),
        ("our public key, raw", raw.to_vec()),
        ("our public key, base64url", x(TOKEN_KEY).into_bytes()),
        ("our public key, base64", format!("{}=", x(TOKEN_KEY).replace('-', "+").replace('_', "/")).into_bytes()),
        ("our public key, hexadecimal", hex.into_bytes()),
        ("our JWK as published", jwk.clone().into_bytes()),
        ("our JWK Set of one", crate::world::set(&[jwk]).into_bytes()),
        ("our thumbprint", thumbprint(TOKEN_KEY).into_bytes()),
        ("our key as SubjectPublicKeyInfo, DER", der),
        ("our key as PEM", pem.clone().into_bytes()),
        ("our key as PEM and a line feed", format!("{pem}\n").into_bytes()),
        ("our key as PEM with carriage returns", pem.replace('\n', "\r\n").into_bytes()),
        ("a space and our key as PEM", format!(" {pem}").into_bytes()),
        ("our key as OpenSSH has it", open_ssh(&raw).into_bytes()),
        ("the word secret", b"secret".to_vec()),
    ];
    let mut cases: Vec<Case> = keys
        .into_iter()
        .map(|(name, key)| {
            let draft = Draft::new().header("alg", "\"HS256\"");
            let mac = hmac_sha256(&key, draft.signing_input().as_bytes());
            Case::new(format!("HS256 under {name} is refused"), draft.with_signature(&mac), algorithm()).keys("mixed")
        })
        .collect();
    let empty_key = |kid: &str| {
        let draft = Draft::new().header("alg", "\"HS256\"").header("kid", &quoted(kid));
        let mac = hmac_sha256(b"", draft.signing_input().as_bytes());
        let name = format!("HS256 under an empty key by the name of the entry {kid:?} is refused");
        Case::new(name, draft.with_signature(&mac), algorithm()).keys("mixed")
    };
    cases.extend(["empty", "rsa", "ec", "no alg"].map(empty_key));
    let unsigned = Draft::new().header("alg", "\"HS256\"").with_signature(&[]);
    cases.push(Case::new("HS256 without a signature is refused", unsigned, algorithm()).keys("mixed"));
    cases
}

/// RFC 8709 §4: the public key as a line of authorized_keys.
fn open_ssh(raw: &[u8]) -> String {
    let blob = [&b"\0\0\0\x0bssh-ed25519\0\0\0\x20"[..], raw].concat();
    let padding = "=".repeat((3 - blob.len() % 3) % 3);
    format!("ssh-ed25519 {}{padding}", base64url::encode(&blob).replace('-', "+").replace('_', "/"))
}

/// RFC 9864 renames EdDSA; each key serves one of the two names.
fn wrong_name() -> Vec<Case> {
    let renamed = Draft::new().header("alg", "\"Ed25519\"");
    vec![
        Case::new("alg Ed25519 under a key published for EdDSA is refused", renamed.token(), no_key()),
        Case::new(
            "alg EdDSA under a key published for Ed25519 is refused",
            Draft::new().of_key(RENAMED_KEY).token(),
            no_key(),
        )
        .keys("renamed"),
        Case::new("where both names are published each key still serves one", renamed.token(), no_key())
            .keys("both names"),
        Case::new(
            "alg Ed25519 by a key nobody publishes is refused",
            Draft::new().header("alg", "\"Ed25519\"").of_key(ATTACKER_KEY).token(),
            no_key(),
        )
        .keys("renamed"),
    ]
}

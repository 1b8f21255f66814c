//! Length, and the number of parts.

use crate::forge::{ATTACKER_KEY, Draft, quoted};
use crate::verdict::{Case, accepted, algorithm, bad_signature, jws, jwt};

const MAX: usize = 8192;

/// A good token of exactly this many bytes.
fn sized(length: usize) -> Draft {
    let encoded = |bytes: usize| (bytes * 4).div_ceil(3);
    for header_pad in 0..4 {
        let draft = Draft::new().header("pad", &quoted(&"h".repeat(header_pad))).claim("pad", "\"\"");
        let fixed = encoded(draft.header_text().len()) + 2 + encoded(64);
        let bare = draft.claims_text().len();
        if let Some(pad) = (0..length).find(|pad| fixed + encoded(bare + pad) == length) {
            return draft.claim("pad", &quoted(&"c".repeat(pad)));
        }
    }
    panic!("no token of {length} bytes");
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = lengths();
    cases.extend(shapes());
    cases.extend(other_serializations());
    cases
}

fn lengths() -> Vec<Case> {
    let flood = |count: usize| ".".repeat(count);
    let deep = "[".repeat(5000);
    vec![
        Case::new("a token of 8191 bytes is accepted", sized(MAX - 1).token(), accepted()),
        Case::new("a token of 8192 bytes is accepted", sized(MAX).token(), accepted()),
        Case::new("a token of 8193 bytes is too long", sized(MAX + 1).token(), jws("too_long")),
        Case::new("a token of 8194 bytes is too long", sized(MAX + 2).token(), jws("too_long")),
        Case::new("a good token and a space up to 8193 bytes are too long", sized(MAX).token() + " ", jws("too_long")),
        Case::new("length counts bytes, not characters", "\u{e9}".repeat(4097), jws("too_long")),
        Case::new("8192 dots are not three parts", flood(8192), jws("parts")),
        Case::new("8193 dots are too long", flood(8193), jws("too_long")),
        Case::new("8192 letters are not three parts", "A".repeat(8192), jws("parts")),
        Case::new(
            "a header of thousands of open brackets is too deep",
            Draft::new().header_bytes(&deep).claims_bytes("{}").token(),
            jws("depth"),
        ),
        Case::new(
            "a payload of thousands of open brackets is too deep",
            Draft::new().claims_bytes(&deep).token(),
            jwt("depth"),
        ),
    ]
}

fn shapes() -> Vec<Case> {
    let token = Draft::new().token();
    let [header, payload, signature] = Draft::new().parts();
    let attacked = Draft::new().signed_by(ATTACKER_KEY).parts();
    let parts = |name: &str, token: String| Case::new(name, token, jws("parts"));
    vec![
        parts("an empty token is not three parts", String::new()),
        parts("one dot is not three parts", ".".to_owned()),
        parts("a header alone is not three parts", header.clone()),
        parts("header and payload are not three parts", format!("{header}.{payload}")),
        parts("a fourth part is refused", format!("{token}.{signature}")),
        parts("a fourth empty part is refused", format!("{token}.")),
        parts("an empty part before the header is refused", format!(".{token}")),
        parts("two dots in a row make four parts", format!("{header}..{payload}.{signature}")),
        parts("two tokens in one are refused", format!("{token}.{token}")),
        parts("five parts, as a JWE has, are refused", format!("{header}.{payload}.{payload}.{signature}.{signature}")),
        parts("a JWE of five empty parts is refused", "....".to_owned()),
        parts("six parts are refused", format!("{token}.a.b.c")),
        Case::new("two dots alone have an empty header", "..", jws("json")),
        Case::new("an empty header is refused", format!(".{payload}.{signature}"), jws("json")),
        Case::new("an empty signature is none of ours", format!("{header}.{payload}."), bad_signature()),
        Case::new("a detached payload is not put back", format!("{header}..{signature}"), bad_signature()),
        Case::new(
            "a payload that is empty and signed so is no claims set",
            Draft::new().claims_bytes("").token(),
            jwt("json"),
        ),
        Case::new(
            "header and payload changed about are refused",
            format!("{payload}.{header}.{signature}"),
            jws("alg"),
        ),
        Case::new(
            "the signature in the place of the header is refused",
            format!("{signature}.{payload}.{header}"),
            jws("json"),
        ),
        Case::new(
            "an attacker's signature beside ours is refused",
            format!("{header}.{payload}.{signature}.{}", attacked[2]),
            jws("parts"),
        ),
        Case::new("the word Bearer before the token is refused", format!("Bearer {token}"), jws("base64url")),
        Case::new("a token in quotation marks is refused", format!("\"{token}\""), jws("base64url")),
        Case::new("the text null is refused", "null", jws("parts")),
        Case::new("the text undefined is refused", "undefined", jws("parts")),
        Case::new("the text [object Object] is refused", "[object Object]", jws("parts")),
    ]
}

/// RFC 7515 §7.2: the JSON serializations, and a text that is both (CVE-2022-39227).
fn other_serializations() -> Vec<Case> {
    let [header, payload, signature] = Draft::new().parts();
    let forged = token::base64url::encode(br#"{"sub":"admin"}"#);
    let flattened = format!(r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#);
    let general =
        format!(r#"{{"payload":"{payload}","signatures":[{{"protected":"{header}","signature":"{signature}"}}]}}"#);
    let several = format!(
        r#"{{"payload":"{payload}","signatures":[{{"protected":"e30","signature":"AA"}},{{"protected":"{header}","signature":"{signature}"}}]}}"#
    );
    let unprotected = format!(r#"{{"payload":"{payload}","header":{{"alg":"none"}},"signature":"{signature}"}}"#);
    let polyglot = format!(
        r#"{{"  {header}.{forged}.":"","protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#
    );
    let mut cases = vec![
        Case::new("the flattened JSON serialization is refused", flattened, jws("parts")),
        Case::new("the general JSON serialization is refused", general, jws("parts")),
        Case::new("one good signature of several is refused", several, jws("parts")),
        Case::new("an unprotected header is never read", unprotected, jws("parts")),
        Case::new("a text that is both compact and JSON serialization is refused", polyglot, jws("base64url")),
    ];
    let jwe = r#"{"alg":"dir","enc":"A256GCM"}"#;
    cases.push(Case::new(
        "a JWE header on three parts is refused for its algorithm",
        Draft::new().header_bytes(jwe).token(),
        algorithm(),
    ));
    cases
}

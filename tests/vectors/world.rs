//! The key sets and revocation lists that verdicts.json names.

use crate::forge::{
    ATTACKER_KEY, EXP, FOREIGN_KEY, ISSUER, LIST_KEY, NOW, Object, RENAMED_KEY, RETIRED_KEY, TOKEN_KEY, quoted, sealed,
    thumbprint, x,
};
use crate::rice::{self, Indices};
use sha2::{Digest, Sha256};
use token::base64url;

/// Another issuer, whose tokens are judged without revocations, or with its own list.
pub(crate) const OTHER_ISSUER: &str = "https://other.example";

/// A JWK of the key of a seed with these further members.
pub(crate) fn jwk(seed: u8, kid: &str, members: &[(&str, &str)]) -> Object {
    let mut jwk = Object::default();
    for (name, value) in [("kty", "OKP"), ("crv", "Ed25519"), ("x", &x(seed)), ("kid", kid)] {
        jwk.set(name, &quoted(value));
    }
    for (name, value) in members {
        jwk.set(name, &quoted(value));
    }
    jwk
}

/// The JWK that the issuer publishes for the key of a seed.
pub(crate) fn published(seed: u8, algorithm: &str, purpose: &str) -> Object {
    jwk(seed, &thumbprint(seed), &[("use", "sig"), ("alg", algorithm), ("purpose", purpose)])
}

/// A JWK Set of these entries, given as JSON.
pub(crate) fn set(entries: &[String]) -> String {
    format!(r#"{{"keys":[{}]}}"#, entries.join(","))
}

/// Every key set by name, as JSON.
pub(crate) fn key_sets() -> Vec<(&'static str, String)> {
    let token = published(TOKEN_KEY, "EdDSA", "token").text();
    let list = published(LIST_KEY, "EdDSA", "revocations").text();
    let retired = published(RETIRED_KEY, "EdDSA", "token").text();
    let renamed = published(RENAMED_KEY, "Ed25519", "token").text();
    let plain = |kid: &str| jwk(FOREIGN_KEY, kid, &[("alg", "EdDSA")]).text();
    let odd = ["__proto__", "constructor", "toString", "../../../../dev/null", "' OR '1'='1", "a\u{0}b", "\u{e9}", " "];
    vec![
        ("issuer", set(&[token.clone(), retired, list.clone()])),
        ("renamed", set(&[renamed.clone(), list.clone()])),
        ("both names", set(&[token.clone(), renamed, list.clone()])),
        ("foreign", set(&[plain("2024-01")])),
        ("odd kids", set(&odd.map(plain))),
        ("mixed", mixed(&token, &list)),
    ]
}

/// The issuer's keys among others that must never come into play.
fn mixed(token: &str, list: &str) -> String {
    let with = |kid: &str, members: &[(&str, &str)]| jwk(ATTACKER_KEY, kid, members).text();
    let mut signs = jwk(ATTACKER_KEY, "key_ops sign", &[("alg", "EdDSA")]);
    signs.set("key_ops", r#"["sign"]"#);
    set(&[
        format!(r#"{{"kty":"oct","k":"{}","kid":"{}","alg":"HS256"}}"#, x(TOKEN_KEY), thumbprint(TOKEN_KEY)),
        r#"{"kty":"oct","k":"","kid":"empty","alg":"HS256"}"#.to_owned(),
        format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB","kid":"rsa"}}"#, "A".repeat(342)),
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{0}","y":"{0}","kid":"ec","alg":"ES256"}}"#, x(TOKEN_KEY)),
        format!(r#"{{"kty":"OKP","crv":"X25519","x":"{}","kid":"x25519","alg":"EdDSA"}}"#, x(ATTACKER_KEY)),
        format!(r#"{{"kty":"OKP","crv":"Ed448","x":"{}","kid":"ed448","alg":"EdDSA"}}"#, "A".repeat(76)),
        with("no alg", &[]),
        with("alg HS256", &[("alg", "HS256")]),
        with("alg eddsa", &[("alg", "eddsa")]),
        with("use enc", &[("alg", "EdDSA"), ("use", "enc")]),
        with("purpose other", &[("alg", "EdDSA"), ("purpose", "other")]),
        signs.text(),
        token.to_owned(),
        list.to_owned(),
    ])
}

/// The salt of the tags in the lists here.
pub(crate) const SALT: &[u8] = b"0123456789abcdef";

/// A tag: the left 64 bits of SHA-256(salt, kind, 0, value).
pub(crate) fn tag(kind: &str, value: &str) -> String {
    let hash = Sha256::new().chain_update(SALT).chain_update(kind).chain_update([0]).chain_update(value).finalize();
    base64url::encode(&hash[..8])
}

/// The identifier of a body: the left 128 bits of its SHA-256.
pub(crate) fn list_id(body: &[u8]) -> String {
    base64url::encode(&Sha256::digest(body)[..16])
}

/// A revocation list in the making; a good one, newer by `seq`, unless something is done to it.
#[derive(Clone)]
pub(crate) struct List {
    pub(crate) header: Object,
    pub(crate) claims: Object,
    pub(crate) body: Vec<u8>,
    pub(crate) signer: u8,
}

impl List {
    /// A list with this body that is in use from `iat` for `lifetime` seconds.
    pub(crate) fn new(seq: u64, iat: u64, lifetime: u64, body: Vec<u8>) -> Self {
        let mut header = Object::default();
        for (name, value) in [("alg", "EdDSA"), ("kid", &thumbprint(LIST_KEY)), ("typ", "revlist+jwt")] {
            header.set(name, &quoted(value));
        }
        let mut claims = Object::default();
        claims.set("iss", &quoted(ISSUER));
        claims.set("iat", &iat.to_string());
        claims.set("exp", &(iat + lifetime).to_string());
        claims.set("seq", &seq.to_string());
        claims.set("id", &quoted(&list_id(&body)));
        Self { header, claims, body, signer: LIST_KEY }
    }

    /// With this claim, a JSON value.
    pub(crate) fn claim(mut self, name: &str, value: &str) -> Self {
        self.claims.set(name, value);
        self
    }

    /// The signed head alone.
    pub(crate) fn head(&self) -> String {
        let part = |object: &Object| base64url::encode(object.text().as_bytes());
        sealed(self.signer, &format!("{}.{}", part(&self.header), part(&self.claims)))
    }

    /// The document.
    pub(crate) fn document(&self) -> Vec<u8> {
        [self.head().as_bytes(), b"\n", &self.body].concat()
    }
}

/// A list of the issuer over these indices of the epoch in which most tokens expire.
fn indices(run: &[u32], r: u8) -> List {
    let other = Indices::from(
        [((EXP >> 8) - 1, vec![8]), (EXP >> 8, run.to_vec()), ((EXP >> 8) + 2, vec![9])]
            .map(|(epoch, run): (u64, Vec<u32>)| (u32::try_from(epoch).unwrap(), run)),
    );
    usable(rice::body(&other, r))
}

fn usable(body: Vec<u8>) -> List {
    List::new(1, NOW - 10, 10_000, body)
}

fn rules(cut: &str) -> List {
    usable(vec![1]).claim("cut", cut)
}

/// Every list by name.
pub(crate) fn lists() -> Vec<(&'static str, Vec<u8>)> {
    let salt = base64url::encode(SALT);
    let timed = |kind: &str, value: &str, until: u64| {
        rules(&format!(r#"{{"{kind}":{{"{}":{until}}},"salt":"{salt}"}}"#, tag(kind, value)))
    };
    let session = |value: &str| rules(&format!(r#"{{"salt":"{salt}","sid":["{}"]}}"#, tag("sid", value)));
    let all_but_seven: Vec<u32> = (0..2000).filter(|index| *index != 7).collect();
    let foreign = || usable(vec![1]).claim("iss", &quoted(OTHER_ISSUER));
    let lists = vec![
        ("empty", usable(vec![1])),
        ("7 and 1000", indices(&[7, 1000], 6)),
        ("all below 2000 but 7", indices(&all_but_seven, 0)),
        ("0 and the last", indices(&[0, (1 << 31) - 1], 30)),
        ("until a second before", rules(&format!(r#"{{"all":{}}}"#, NOW - 1))),
        ("until now", rules(&format!(r#"{{"all":{NOW}}}"#))),
        ("key", rules(&format!(r#"{{"kid":["{}"]}}"#, thumbprint(TOKEN_KEY)))),
        ("retired key", rules(&format!(r#"{{"kid":["{}"]}}"#, thumbprint(RETIRED_KEY)))),
        ("subject until now", timed("sub", "user-1", NOW)),
        ("subject until a second before", timed("sub", "user-1", NOW - 1)),
        ("another subject", timed("sub", "user-2", NOW)),
        ("client until now", timed("cid", "backend", NOW)),
        ("client until a second before", timed("cid", "backend", NOW - 1)),
        ("session", session("session-1")),
        ("another session", session("session-2")),
        ("old rule and key", rules(&format!(r#"{{"all":{},"kid":["{}"]}}"#, NOW - 1, thumbprint(TOKEN_KEY)))),
        ("five minutes", List::new(1, NOW, 300, vec![1])),
        ("an hour ahead", List::new(1, NOW + 3600, 300, vec![1])),
        ("of the other issuer", List { signer: LIST_KEY, ..foreign() }),
    ];
    lists.into_iter().map(|(name, list)| (name, list.document())).collect()
}

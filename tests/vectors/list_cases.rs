//! The documents of lists.json.

use crate::forge::{ATTACKER_KEY, EXP, ISSUER, LIST_KEY, NOW, RENAMED_KEY, TOKEN_KEY, quoted, thumbprint};
use crate::list_bodies;
use crate::list_claims;
use crate::list_deltas;
use crate::lists::{Expect, loaded, refused};
use crate::rice::{self, Indices};
use crate::world::{List, OTHER_ISSUER};
use token::base64url;

/// A case before its documents have names.
pub(crate) struct Given {
    pub(crate) name: String,
    pub(crate) issuer: Option<String>,
    pub(crate) keys: &'static str,
    /// What is loaded first, and what becomes of each.
    pub(crate) held: Vec<(Vec<u8>, &'static str)>,
    pub(crate) document: Vec<u8>,
    pub(crate) now: u64,
    pub(crate) expect: Expect,
}

pub(crate) fn given(name: impl Into<String>, document: Vec<u8>, expect: Expect) -> Given {
    let issuer = Some(ISSUER.to_owned());
    Given { name: name.into(), issuer, keys: "issuer", held: Vec::new(), document, now: NOW, expect }
}

pub(crate) fn all() -> Vec<Given> {
    let mut cases = sequence();
    cases.extend(times());
    cases.extend(keys());
    cases.extend(heads());
    cases.extend(list_claims::all());
    cases.extend(list_bodies::all());
    cases.extend(list_deltas::all());
    cases
}

/// A list of one index.
pub(crate) fn list(seq: u64) -> List {
    let epoch = u32::try_from(EXP >> 8).unwrap();
    List::new(seq, NOW, 300, rice::body(&Indices::from([(epoch, vec![7])]), 3))
}

/// Which of two lists counts.
fn sequence() -> Vec<Given> {
    let after = |name: &str, held: List, offered: List, expect: Expect| Given {
        held: vec![(held.document(), "newer")],
        ..given(name, offered.document(), expect)
    };
    let empty = |seq: u64| List::new(seq, NOW, 300, vec![1]);
    let ruled = list(5).claim("cut", r#"{"all":1}"#);
    let foreign = list(6).claim("iss", &quoted(OTHER_ISSUER));
    let last = list(9_007_199_254_740_991);
    vec![
        given("the first list is taken", list(1).document(), loaded("newer")),
        after("the next list is taken", list(5), list(6), loaded("newer")),
        after("a list far ahead is taken", list(5), last.clone(), loaded("newer")),
        after("after the last number nothing is newer", last, list(1), loaded("older")),
        after("the same list again changes nothing", list(5), list(5), loaded("same")),
        after("the list before is ignored", list(5), list(4), loaded("older")),
        after("a list of long ago that revokes nothing is ignored", list(5), empty(1), loaded("older")),
        after(
            "a newer list signed earlier is taken: the number decides",
            list(5),
            List::new(6, NOW - 60, 300, vec![1]),
            loaded("newer"),
        ),
        after(
            "an older list signed later is ignored: the number decides",
            list(5),
            List::new(4, NOW + 60, 300, vec![1]),
            loaded("older"),
        ),
        after("another body under the same number is an alarm", list(5), empty(5), refused("equivocation")),
        after("another rule under the same number is an alarm", list(5), ruled, refused("equivocation")),
        after(
            "another time under the same number is an alarm",
            list(5),
            List::new(5, NOW + 1, 300, list(5).body),
            refused("equivocation"),
        ),
        after(
            "another end under the same number is an alarm",
            list(5),
            List::new(5, NOW, 301, list(5).body),
            refused("equivocation"),
        ),
        after("another issuer's newer list is refused", list(5), foreign.clone(), refused("issuer")),
        Given {
            issuer: None,
            ..after(
                "where any issuer is taken the first list decides which",
                list(5),
                foreign.clone(),
                refused("issuer"),
            )
        },
        Given { issuer: None, ..given("where any issuer is taken its list is", foreign.document(), loaded("newer")) },
    ]
}

fn times() -> Vec<Given> {
    let at = |name: &str, iat: u64, lifetime: u64, expect: Expect| {
        given(name, List::new(5, iat, lifetime, vec![1]).document(), expect)
    };
    let day = 86_400;
    vec![
        at("an expired list is taken: it may revoke more than the one before", NOW - 1000, 300, loaded("newer")),
        at("a list that ends this second is taken", NOW - 300, 300, loaded("newer")),
        at("a list signed in 1970 is taken", 0, 300, loaded("newer")),
        at("a list signed a day ahead is taken", NOW + day, 300, loaded("newer")),
        at("a list signed a day and a second ahead is an alarm", NOW + day + 1, 300, refused("future")),
        at("a list signed in the year 9999 is an alarm", 253_402_300_000, 300, refused("future")),
        at("a list for a thousand million seconds is taken", NOW, 1_000_000_000, loaded("newer")),
        Given {
            held: vec![(list(6).document(), "newer")],
            ..at("a list of the future is an alarm though an older one", NOW + day + 1, 300, refused("future"))
        },
    ]
}

fn keys() -> Vec<Given> {
    let signed = |name: &str, kid: u8, signer: u8| {
        let mut list = List { signer, ..list(5) };
        list.header.set("kid", &quoted(&thumbprint(kid)));
        given(name, list.document(), refused("signature"))
    };
    let mut renamed = List { signer: RENAMED_KEY, ..list(5) };
    renamed.header.set("alg", "\"Ed25519\"");
    renamed.header.set("kid", &quoted(&thumbprint(RENAMED_KEY)));
    let mut other_name = list(5);
    other_name.header.set("alg", "\"Ed25519\"");
    vec![
        signed("a list by a key nobody publishes is refused", ATTACKER_KEY, ATTACKER_KEY),
        signed("a list by an attacker who names the key for lists is refused", LIST_KEY, ATTACKER_KEY),
        signed("a list by the key for tokens is refused", TOKEN_KEY, TOKEN_KEY),
        signed("a list by the key for tokens under the name of the one for lists is refused", LIST_KEY, TOKEN_KEY),
        signed("a list under the name of the key for tokens is refused", TOKEN_KEY, LIST_KEY),
        Given {
            keys: "renamed",
            ..given("a list by a key for tokens of the other name is refused", renamed.document(), refused("signature"))
        },
        given("a list under the algorithm's other name is refused", other_name.document(), refused("signature")),
        Given {
            keys: "foreign",
            ..given("a list is refused where no key for lists is published", list(5).document(), refused("signature"))
        },
    ]
}

fn heads() -> Vec<Given> {
    let header = |name: &str, value: &str| {
        let mut list = list(5);
        list.header.set(name, value);
        list.document()
    };
    let without = |name: &str| {
        let mut list = list(5);
        list.header.remove(name);
        list.document()
    };
    let (head, body) = (list(5).head(), list(5).body);
    let joined = |parts: &[&[u8]]| parts.concat();
    let long = list(5).claim("pad", &quoted(&"p".repeat(30_000)));
    let fits = list(5).claim("pad", &quoted(&"p".repeat(20_000)));
    let documents = vec![
        ("no bytes", Vec::new()),
        ("a line feed alone", b"\n".to_vec()),
        ("a body alone", joined(&[b"\n", &body])),
        ("a head without line feed and body", head.clone().into_bytes()),
        ("a head and body without the line feed", joined(&[head.as_bytes(), &body])),
        ("a space for the line feed", joined(&[head.as_bytes(), b" ", &body])),
        ("a carriage return before the line feed", joined(&[head.as_bytes(), b"\r\n", &body])),
        ("white space before the head", joined(&[b" ", head.as_bytes(), b"\n", &body])),
        ("a byte-order mark before the head", joined(&[b"\xef\xbb\xbf", head.as_bytes(), b"\n", &body])),
        ("a line feed before the head", joined(&[b"\n", head.as_bytes(), b"\n", &body])),
        ("padding behind the head", joined(&[head.as_bytes(), b"=\n", &body])),
        ("a fourth part of the head", joined(&[head.as_bytes(), b".A\n", &body])),
        ("a head of two parts", joined(&[head.rsplit_once('.').unwrap().0.as_bytes(), b"\n", &body])),
        ("a head of more than 32 KiB", long.document()),
        ("a head that is not UTF-8", joined(&[b"\xff", head.as_bytes(), b"\n", &body])),
        ("an HTML page", b"<!doctype html>\n<title>502 Bad Gateway</title>\n".to_vec()),
        ("JSON", b"{\"error\":\"not_found\"}\n".to_vec()),
        ("gzip", joined(&[&[0x1f, 0x8b, 8, 0], head.as_bytes(), b"\n", &body])),
        ("more zeros than a head has bytes", vec![0; 33_000]),
        ("a hundred line feeds", vec![b'\n'; 100]),
        ("typ at+jwt", header("typ", "\"at+jwt\"")),
        ("typ rt+jwt", header("typ", "\"rt+jwt\"")),
        ("typ JWT", header("typ", "\"JWT\"")),
        ("the typ of a delta", header("typ", "\"revdelta+jwt\"")),
        ("the typ of a status list", header("typ", "\"statuslist+jwt\"")),
        ("no typ", without("typ")),
        ("alg none", header("alg", "\"none\"")),
        ("alg HS256", header("alg", "\"HS256\"")),
        ("no alg", without("alg")),
        ("kid as a number", header("kid", "1")),
        ("crit", header("crit", r#"["exp"]"#)),
        ("zip", header("zip", "\"DEF\"")),
        ("jwk", header("jwk", "{}")),
        ("alg twice", {
            let list = list(5);
            let text = list.header.text().replacen('{', r#"{"alg":"none","#, 1);
            let part = |bytes: &[u8]| base64url::encode(bytes);
            let head = crate::forge::sealed(
                LIST_KEY,
                &format!("{}.{}", part(text.as_bytes()), part(list.claims.text().as_bytes())),
            );
            joined(&[head.as_bytes(), b"\n", &body])
        }),
    ];
    let mut cases: Vec<Given> = documents
        .into_iter()
        .map(|(name, document)| given(format!("{name} is no head of a list"), document, refused("head")))
        .collect();
    cases.extend([
        given("a head of 27 KiB is read", fits.document(), loaded("newer")),
        given(
            "typ application/revlist+jwt is a list's too",
            header("typ", "\"application/revlist+jwt\""),
            loaded("newer"),
        ),
        // jose's word for an unknown key, and no kid names none
        given("a head without kid names no key", without("kid"), refused("head")),
    ]);
    cases
}

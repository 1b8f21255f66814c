//! The claims of heads in lists.json, and the rules of their `cut`.

use crate::forge::{NOW, quoted};
use crate::list_cases::{Given, given, list};
use crate::lists::{loaded, refused};
use crate::world::{List, OTHER_ISSUER, SALT, tag};
use token::base64url;

pub(crate) fn all() -> Vec<Given> {
    let mut cases = claims();
    cases.extend(rules());
    cases
}

fn claims() -> Vec<Given> {
    let good = |name: &str, list: List| given(name, list.document(), loaded("newer"));
    let mut cases = vec![
        good("a claim nobody knows is passed over", list(5).claim("ttl", "15").claim("sub", "\"x\"")),
        good("the largest number is taken", list(9_007_199_254_740_991)),
    ];
    for name in ["iss", "iat", "exp", "seq", "id"] {
        let mut list = list(5);
        list.claims.remove(name);
        cases.push(given(format!("a list without {name} is refused"), list.document(), refused("claims")));
        for (what, value) in
            [("null", "null"), ("true", "true"), ("an array", "[]"), ("an object", "{}"), ("an empty string", "\"\"")]
        {
            let list = crate::list_cases::list(5).claim(name, value);
            cases.push(given(format!("a list with {name} as {what} is refused"), list.document(), refused("claims")));
        }
    }
    let numbers = ["-1", "-0", "1.0", "1e3", "1.5", "1e300", "18446744073709551616", "\"1700000000\""];
    for name in ["iat", "exp", "seq"] {
        for value in numbers {
            let list = list(5).claim(name, value);
            cases.push(given(format!("a list with {name} {value} is refused"), list.document(), refused("claims")));
        }
    }
    let id = crate::world::list_id(&list(5).body);
    for (name, claim, value) in [
        ("the number 0", "seq", "0".to_owned()),
        ("the number 2^53", "seq", "9007199254740992".to_owned()),
        ("an exp at its iat", "exp", NOW.to_string()),
        ("an exp before its iat", "exp", (NOW - 1).to_string()),
        ("an exp in the year 10000", "exp", "253402300800".to_owned()),
        ("an iat in milliseconds", "iat", format!("{NOW}000")),
        ("an id with padding", "id", quoted(&format!("{id}=="))),
        ("an id of 15 bytes", "id", quoted(&id[..20])),
        ("an id of 32 bytes", "id", quoted(&format!("{id}{}", &id[..21]))),
        ("an id in hexadecimal", "id", quoted("00112233445566778899aabbccddeeff")),
        ("base, as a delta has", "base", quoted(&id)),
        ("low, as a delta has", "low", "0".to_owned()),
        ("add, as a delta has", "add", "\"AQ\"".to_owned()),
        ("base null", "base", "null".to_owned()),
    ] {
        let list = list(5).claim(claim, &value);
        cases.push(given(format!("a list with {name} is refused"), list.document(), refused("claims")));
    }
    let twice = |name: &str| {
        let list = list(5);
        let text = list.claims.text().replacen('{', &format!(r#"{{"{name}":1,"#), 1);
        signed_claims(&list, text.as_bytes())
    };
    for (name, document) in [
        ("iat twice", twice("iat")),
        ("seq twice", twice("seq")),
        ("claims that are an array", signed_claims(&list(5), b"[]")),
        ("claims that are not JSON", signed_claims(&list(5), b"{")),
        ("claims that are not UTF-8", signed_claims(&list(5), b"{\"iss\":\"\xff\"}")),
        ("no payload", signed_claims(&list(5), b"")),
    ] {
        cases.push(given(format!("a list with {name} is refused"), document, refused("claims")));
    }
    for issuer in [OTHER_ISSUER, "https://issuer.example/", "https://ISSUER.example", "issuer.example"] {
        let list = list(5).claim("iss", &quoted(issuer));
        cases.push(given(format!("a list of the issuer {issuer} is refused"), list.document(), refused("issuer")));
    }
    cases
}

fn signed_claims(list: &List, claims: &[u8]) -> Vec<u8> {
    let header = base64url::encode(list.header.text().as_bytes());
    let head = crate::forge::sealed(list.signer, &format!("{header}.{}", base64url::encode(claims)));
    [head.as_bytes(), b"\n", &list.body].concat()
}

fn rules() -> Vec<Given> {
    let salt = |length: usize| quoted(&base64url::encode(&vec![7; length]));
    let tags = |count: usize| -> Vec<String> { (0..count).map(|n| quoted(&tag("sid", &n.to_string()))).collect() };
    let sessions = |count: usize, salt: &str| format!(r#"{{"sid":[{}],"salt":{salt}}}"#, tags(count).join(","));
    let keys = |count: usize| {
        let kids: Vec<String> = (0..count).map(|n| format!("\"k{n}\"")).collect();
        format!(r#"{{"kid":[{}]}}"#, kids.join(","))
    };
    let timed = |kind: &str, until: &str| format!(r#"{{"{kind}":{{{}:{until}}},"salt":{}}}"#, tags(1)[0], salt(16));
    let good = [
        ("no rule", "{}".to_owned()),
        ("empty rules", r#"{"kid":[],"sub":{},"sid":[],"cid":{}}"#.to_owned()),
        ("a salt and no rule", format!(r#"{{"salt":{}}}"#, salt(16))),
        ("64 sessions", sessions(64, &salt(16))),
        ("64 keys", keys(64)),
        ("a salt of 8 bytes", sessions(1, &salt(8))),
        ("a salt of 64 bytes", sessions(1, &salt(64))),
        ("a rule until the year 9999", r#"{"all":253402300799}"#.to_owned()),
        ("a subject", timed("sub", "1")),
        ("a client", timed("cid", "1")),
    ];
    let one = tags(1)[0].clone();
    let wrong = [
        ("null", "null".to_owned()),
        ("an array", "[]".to_owned()),
        ("a string", "\"\"".to_owned()),
        ("a rule nobody knows", r#"{"aud":1}"#.to_owned()),
        ("a rule nobody knows beside one", r#"{"all":1,"jti":[]}"#.to_owned()),
        ("all as null", r#"{"all":null}"#.to_owned()),
        ("all as a string", r#"{"all":"1"}"#.to_owned()),
        ("all as a fraction", r#"{"all":1.5}"#.to_owned()),
        ("all below zero", r#"{"all":-1}"#.to_owned()),
        ("all in milliseconds", format!(r#"{{"all":{NOW}000}}"#)),
        ("kid as a string", r#"{"kid":"k"}"#.to_owned()),
        ("kid with a number", r#"{"kid":[1]}"#.to_owned()),
        ("65 keys", keys(65)),
        ("65 sessions", sessions(65, &salt(16))),
        ("64 sessions and a subject", sessions(64, &salt(16)).replacen('{', &format!(r#"{{"sub":{{{one}:1}},"#), 1)),
        ("sessions without a salt", format!(r#"{{"sid":[{one}]}}"#)),
        ("a salt of 7 bytes", sessions(1, &salt(7))),
        ("a salt of 65 bytes", sessions(1, &salt(65))),
        ("a salt of 7 bytes and no rule", format!(r#"{{"salt":{}}}"#, salt(7))),
        ("a salt with padding", sessions(1, "\"AAAAAAAAAAAAAAAAAAAAAA==\"")),
        ("a salt as a number", sessions(1, "1")),
        ("a tag of 7 bytes", format!(r#"{{"sid":["AAAAAAAAAA"],"salt":{}}}"#, salt(16))),
        ("a tag with unused bits", format!(r#"{{"sid":["AAAAAAAAAAB"],"salt":{}}}"#, salt(16))),
        ("a subject without a time", format!(r#"{{"sub":[{one}],"salt":{}}}"#, salt(16))),
        ("a subject until null", timed("sub", "null")),
        ("a client until a string", timed("cid", "\"1\"")),
        ("a session with a time", timed("sid", "1")),
        ("all twice", r#"{"all":1,"all":2}"#.to_owned()),
    ];
    debug_assert_eq!(SALT.len(), 16);
    let case = |name: &str, cut: &str, expect| given(name, list(5).claim("cut", cut).document(), expect);
    good.iter()
        .map(|(name, cut)| case(&format!("a cut with {name} is taken"), cut, loaded("newer")))
        .chain(
            wrong
                .iter()
                .map(|(name, cut)| case(&format!("a cut with {name} refuses the list"), cut, refused("claims"))),
        )
        .collect()
}

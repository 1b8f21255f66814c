//! The deltas of lists.json one by one: form, signature, claims, rules, and the body that one adds.

use crate::forge::{ATTACKER_KEY, EXP, LIST_KEY, NOW, RENAMED_KEY, RETIRED_KEY, TOKEN_KEY, quoted, thumbprint};
use crate::list_bodies;
use crate::list_cases::{Given, list};
use crate::list_deltas::{Delta, LOW, after, next, offered, state};
use crate::lists::{loaded, refused};
use crate::rice::{self, Indices};
use crate::world::List;
use token::base64url;

pub(crate) fn all() -> Vec<Given> {
    let mut cases = forms();
    cases.extend(keys());
    cases.extend(claims());
    cases.extend(bounds());
    cases.extend(rules());
    cases.extend(additions());
    cases
}

/// What stands for a delta and is none.
fn forms() -> Vec<Given> {
    let good = next().document();
    let text = next().0.head();
    let joined = |parts: &[&[u8]]| parts.concat();
    let typ = |value: &str| next().header("typ", value).document();
    let mut without_typ = next();
    without_typ.0.header.remove("typ");
    let documents = vec![
        ("a delta with a line feed", joined(&[&good, b"\n"])),
        ("a delta with a body", joined(&[&good, b"\n", &state(&[9])])),
        ("a delta with an empty list's body", joined(&[&good, b"\n\x01"])),
        ("a delta with a carriage return", joined(&[&good, b"\r"])),
        ("a delta with a space", joined(&[&good, b" "])),
        ("a delta behind a byte-order mark", joined(&[b"\xef\xbb\xbf", &good])),
        ("a delta as an event's data", joined(&[b"data: ", &good])),
        ("a delta twice in one line", joined(&[&good, &good])),
        ("two deltas with a line feed between", joined(&[&good, b"\n", &good])),
        ("a delta of two parts", text.rsplit_once('.').unwrap().0.as_bytes().to_vec()),
        ("a delta of four parts", joined(&[&good, b".AQ"])),
        ("a delta with padding", joined(&[&good, b"="])),
        ("a delta that is not UTF-8", joined(&[&good, b"\xff"])),
        ("a delta of more than 32 KiB", next().claim("pad", &quoted(&"p".repeat(30_000))).document()),
        ("33,000 letters without a line feed", vec![b'a'; 33_000]),
        ("a delta of typ revlist+jwt", typ("\"revlist+jwt\"")),
        ("a delta of typ at+jwt", typ("\"at+jwt\"")),
        ("a delta of typ rt+jwt", typ("\"rt+jwt\"")),
        ("a delta of typ statuslist+jwt", typ("\"statuslist+jwt\"")),
        ("a delta of typ JWT", typ("\"JWT\"")),
        ("a delta of a typ that goes on", typ("\"revdelta+jwt+zip\"")),
        ("a delta without typ", without_typ.document()),
        ("a delta of alg none", next().header("alg", "\"none\"").document()),
        ("a delta with crit", next().header("crit", r#"["low"]"#).document()),
        ("a delta with zip", next().header("zip", "\"DEF\"").document()),
    ];
    let refused_ones = documents.into_iter().map(|(name, document)| {
        after(format!("{name} is no delta"), &[(list(5).document(), "newer")], document, refused("head"))
    });
    let read = [
        offered("a delta of 27 KiB is read", &next().claim("pad", &quoted(&"p".repeat(20_000))), loaded("newer")),
        offered(
            "typ application/revdelta+jwt is a delta's too",
            &next().header("typ", "\"application/RevDelta+jwt\""),
            loaded("newer"),
        ),
    ];
    refused_ones.chain(read).collect()
}

fn keys() -> Vec<Given> {
    let signed = |name: &str, kid: u8, signer: u8| {
        let Delta(list) = next().header("kid", &quoted(&thumbprint(kid)));
        offered(name, &Delta(List { signer, ..list }), refused("signature"))
    };
    let foreign = offered("a delta is refused where no key for lists is published", &next(), refused("signature"));
    vec![
        signed("a delta by the key for tokens is refused", TOKEN_KEY, TOKEN_KEY),
        signed("a delta by the key for tokens under the name of the one for lists is refused", LIST_KEY, TOKEN_KEY),
        signed("a delta under the name of the key for tokens is refused", TOKEN_KEY, LIST_KEY),
        signed("a delta by a retired key for tokens is refused", RETIRED_KEY, RETIRED_KEY),
        signed("a delta by a key nobody publishes is refused", ATTACKER_KEY, ATTACKER_KEY),
        signed("a delta by an attacker who names the key for lists is refused", LIST_KEY, ATTACKER_KEY),
        signed("a delta by a key of another set is refused", RENAMED_KEY, RENAMED_KEY),
        offered(
            "a delta under the algorithm's other name is refused",
            &next().header("alg", "\"Ed25519\""),
            refused("signature"),
        ),
        Given { keys: "foreign", held: Vec::new(), ..foreign },
    ]
}

/// Each claim missing, of another type, out of form.
fn claims() -> Vec<Given> {
    let wrong =
        |name: String, delta: &Delta| offered(format!("a delta with {name} is refused"), delta, refused("claims"));
    let mut cases = Vec::new();
    for name in ["iss", "iat", "exp", "seq", "id", "base", "low", "add"] {
        if !["low", "add"].contains(&name) {
            cases.push(offered(format!("a delta without {name} is refused"), &next().without(name), refused("claims")));
        }
        for (what, value) in [("null", "null"), ("true", "true"), ("an array", "[]"), ("an object", "{}")] {
            cases.push(wrong(format!("{name} as {what}"), &next().claim(name, value)));
        }
        if name != "add" {
            cases.push(wrong(format!("{name} as an empty string"), &next().claim(name, "\"\"")));
        }
    }
    let heartbeat = next().without("base").without("low").without("add");
    cases.extend([
        offered("a delta without low drops nothing", &next().without("low"), loaded("newer")),
        offered("a delta without add adds nothing", &next().without("add"), loaded("newer")),
        offered("without base, low and add a delta applies to the state it names", &heartbeat, loaded("gap")),
        offered("a delta without base and add is refused", &next().without("base").without("add"), refused("claims")),
        offered("a delta without base and low is refused", &next().without("base").without("low"), refused("claims")),
    ]);
    for name in ["iat", "exp", "seq", "low"] {
        for value in ["-1", "-0", "1.0", "1e3", "1.5", "1e300", "18446744073709551616", "\"1\""] {
            cases.push(wrong(format!("{name} {value}"), &next().claim(name, value)));
        }
    }
    for name in ["id", "base", "add"] {
        cases.push(wrong(format!("{name} as a number"), &next().claim(name, "1")));
        cases.push(wrong(format!("{name} with padding"), &next().claim(name, "\"AAAAAAAAAAAAAAAAAAAAAA==\"")));
        cases.push(wrong(format!("{name} with unused bits"), &next().claim(name, "\"AAAAAAAAAAAAAAAAAAAAAB\"")));
        cases.push(wrong(format!("{name} in the other base64"), &next().claim(name, "\"AAAAAAAAAAAAAAAAAAAA+/\"")));
        cases.push(wrong(format!("{name} with white space"), &next().claim(name, "\"AAAAAAAAAAAA AAAAAAAAAA\"")));
    }
    for name in ["id", "base"] {
        cases.push(wrong(format!("{name} of 15 bytes"), &next().claim(name, &quoted(&"A".repeat(20)))));
        cases.push(wrong(format!("{name} of 32 bytes"), &next().claim(name, &quoted(&"A".repeat(43)))));
    }
    cases.push(offered(
        "a claim of a delta that nobody knows is passed over",
        &next().claim("ttl", "15"),
        loaded("newer"),
    ));
    cases
}

fn bounds() -> Vec<Given> {
    let low = |low: u64| next().claim("low", &low.to_string());
    let wrong = |name: &str, delta: &Delta| offered(name, delta, refused("claims"));
    let epoch = |epoch: u64, index: u32| rice::body(&Indices::from([(u32::try_from(epoch).unwrap(), vec![index])]), 3);
    let adds = |body: &[u8]| next().claim("add", &quoted(&base64url::encode(body)));
    let both = [(EXP >> 8) - 1, EXP >> 8].map(|epoch| (u32::try_from(epoch).unwrap(), vec![1]));
    let below = || refused("body");
    vec![
        offered("a delta that drops up to its own epoch is taken", &low(LOW), loaded("newer")),
        offered("a delta that drops nothing is taken", &low(0), loaded("newer")),
        wrong("a delta that drops its own epoch is refused", &low(LOW + 1)),
        wrong("a delta that drops everything is refused", &low(u64::from(u32::MAX))),
        wrong("a delta that drops up to 2^32 is refused", &low(1 << 32)),
        wrong(
            "a delta that drops what is live at its earlier iat is refused",
            &next().signed_at(NOW - 60).claim("low", &LOW.to_string()),
        ),
        wrong("a delta of the number 0 is refused", &next().claim("seq", "0")),
        wrong("a delta of the number 2^53 is refused", &next().claim("seq", "9007199254740992")),
        wrong("a delta that ends at its iat is refused", &next().claim("exp", &NOW.to_string())),
        wrong("a delta that ends before its iat is refused", &next().claim("exp", &(NOW - 1).to_string())),
        wrong("a delta with an iat in milliseconds is refused", &next().claim("iat", &format!("{NOW}000"))),
        offered("a delta may add to the lowest epoch that stays", &adds(&epoch(LOW, 3)), loaded("newer")),
        offered("a delta may add to an epoch above all others", &adds(&epoch(u64::from(u32::MAX), 3)), loaded("newer")),
        offered(
            "a delta may add the largest index",
            &adds(&rice::body(&Indices::from([(both[0].0, vec![(1 << 31) - 1])]), 30)),
            loaded("newer"),
        ),
        offered("a delta that adds to an epoch it drops is refused", &adds(&epoch(LOW - 1, 3)), below()),
        offered("a delta that adds to the first of all epochs is refused", &adds(&epoch(0, 3)), below()),
        offered(
            "a delta that adds to an epoch it drops and to one it keeps is refused",
            &adds(&rice::body(&Indices::from([(u32::try_from(LOW - 1).unwrap(), vec![1]), both[1].clone()]), 3)),
            below(),
        ),
        offered("a delta may add to two epochs", &adds(&rice::body(&Indices::from(both), 3)), loaded("newer")),
    ]
}

fn rules() -> Vec<Given> {
    let with = |cut: &str| next().claim("cut", cut);
    let wrong = |name: &str, cut: &str| offered(name, &with(cut), refused("claims"));
    let ruled = [(list(5).claim("cut", r#"{"all":1}"#).document(), "newer")];
    vec![
        offered("a delta may bring a rule", &with(r#"{"all":1}"#), loaded("newer")),
        offered("a delta may bring a withdrawn key", &with(r#"{"kid":["k"]}"#), loaded("newer")),
        after("a delta without a rule leads on from a list with one", &ruled, next().document(), loaded("newer")),
        wrong("a delta with a rule nobody knows is refused", r#"{"aud":1}"#),
        wrong("a delta with a rule nobody knows beside one is refused", r#"{"all":1,"jti":[]}"#),
        wrong("a delta with cut as an array is refused", "[]"),
        wrong("a delta with cut as null is refused", "null"),
        wrong("a delta with sessions without a salt is refused", r#"{"sid":["AAAAAAAAAAA"]}"#),
        wrong("a delta with a rule in milliseconds is refused", &format!(r#"{{"all":{NOW}000}}"#)),
    ]
}

/// Signed as they stand: only the grammar of bodies refuses them.
fn additions() -> Vec<Given> {
    let bodies = list_bodies::departures().into_iter();
    let cases = bodies.map(|(name, body)| {
        let delta = next().claim("add", &quoted(&base64url::encode(&body))).claim("low", "0");
        offered(format!("a delta that adds a body with {name} is refused"), &delta, refused("body"))
    });
    cases.collect()
}

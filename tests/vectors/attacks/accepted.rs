//! Tokens that must be accepted: what looks odd and is right, and what must not be confused with an attack.

use crate::forge::{Draft, EXP, FOREIGN_KEY, NOW, RENAMED_KEY, RETIRED_KEY, TOKEN_KEY, quoted, thumbprint};
use crate::verdict::{Audience, Case, accepted};

pub(crate) fn cases() -> Vec<Case> {
    let ok = |name: &str, draft: Draft| Case::new(name, draft.token(), accepted());
    let mut cases = vec![
        ok("a token as the issuer makes it is accepted", Draft::new()),
        ok("a token signed by a retired key that is still published is accepted", Draft::new().of_key(RETIRED_KEY)),
        ok("alg Ed25519 is accepted under a key of that name", renamed()).keys("renamed"),
        ok("alg EdDSA is accepted beside a key of the other name", Draft::new()).keys("both names"),
        ok("alg Ed25519 is accepted beside a key of the other name", renamed()).keys("both names"),
        ok("a token is accepted though the key set holds keys of other kinds", Draft::new()).keys("mixed"),
        ok("a payload that begins with white space is accepted", spaced(b" \t\r\n", b"")),
        ok("a payload that ends with white space is accepted", spaced(b"", b"\n\n ")),
    ];
    cases.extend(headers());
    cases.extend(claims());
    cases.extend(own_claims());
    cases.extend(foreign());
    cases
}

fn renamed() -> Draft {
    Draft::new().header("alg", "\"Ed25519\"").of_key(RENAMED_KEY)
}

fn spaced(before: &[u8], after: &[u8]) -> Draft {
    let draft = Draft::new();
    let text = [before, &draft.claims_text(), after].concat();
    draft.claims_bytes(text)
}

fn headers() -> Vec<Case> {
    let kid = thumbprint(TOKEN_KEY);
    let header = |text: String| Draft::new().header_bytes(text);
    let mut cases: Vec<Case> = ["application/at+jwt", "AT+JWT", "At+Jwt", "Application/AT+jwt"]
        .into_iter()
        .map(|typ| {
            let draft = Draft::new().header("typ", &quoted(typ));
            Case::new(format!("typ {typ} is accepted"), draft.token(), accepted())
        })
        .collect();
    for (name, draft) in [
        ("header members in another order", header(format!(r#"{{"kid":"{kid}","typ":"at+jwt","alg":"EdDSA"}}"#))),
        (
            "a header with white space",
            header(format!("{{ \"alg\" : \"EdDSA\",\r\n\t\"typ\":\"at+jwt\", \"kid\":\"{kid}\" }}\n")),
        ),
        (
            "a header with escaped names and values",
            header(format!(r#"{{"\u0061lg":"\u0045dDSA","t\u0079p":"at\u002bjwt","kid":"{kid}"}}"#)),
        ),
        ("a header member nobody knows", Draft::new().header("x", r#"{"y":[1,2,3]}"#)),
        ("a header member ALG, which is not alg,", Draft::new().header("ALG", "\"none\"")),
        ("a header member __proto__", Draft::new().header("__proto__", r#"{"alg":"none"}"#)),
        ("p2c in the header, which nothing here reads,", Draft::new().header("p2c", "2147483647")),
        (
            "iss and exp in the header, which nothing here reads,",
            Draft::new().header("exp", "1").header("iss", "\"x\""),
        ),
    ] {
        cases.push(Case::new(format!("{name} is accepted"), draft.token(), accepted()));
    }
    cases
}

fn claims() -> Vec<Case> {
    let epoch = EXP >> 8;
    let with = |name: &str, value: &str| Draft::new().claim(name, value);
    let several = |options: &mut crate::verdict::Options| {
        options.audience = Some(Audience::Several(vec!["billing".to_owned(), "api".to_owned()]));
    };
    let ok = |name: &str, draft: Draft| Case::new(name, draft.token(), accepted());
    vec![
        ok("an audience in an array of one is accepted", with("aud", r#"["api"]"#)),
        ok("an audience at the end of an array is accepted", with("aud", r#"["web","billing","api"]"#)),
        ok("an audience given twice is accepted", with("aud", r#"["api","api"]"#)),
        ok("a token for one of several audiences asked for is accepted", Draft::new()).with(several),
        ok("tokens for any audience are accepted where none is asked for", with("aud", "\"else\""))
            .with(|options| options.audience = None),
        ok("tokens of any issuer with our key are accepted where none is asked for", with("iss", "\"https://x\""))
            .with(|options| options.issuer = None)
            .without_revocations(),
        ok("index 0 is accepted", Draft::new().expiring(EXP, 0)),
        ok("the largest index is accepted", Draft::new().expiring(EXP, (1 << 31) - 1)),
        ok("an exp at the first second of its epoch is accepted", Draft::new().expiring((epoch + 1) << 8, 7)),
        ok("an exp at the last second of its epoch is accepted", Draft::new().expiring(((epoch + 1) << 8) - 1, 7)),
        ok("an exp in the year 9999 is accepted", Draft::new().expiring(253_402_300_799, 7)),
        ok("iat 0 is accepted", with("iat", "0")),
        ok("an iat ahead of the clock is accepted: nbf is for that", with("iat", &(NOW + 30).to_string())),
        ok("a token without scope is accepted where none is asked for", Draft::new().without_claim("scope")),
        ok("an empty scope is accepted where none is asked for", with("scope", "\"\"")),
        ok("empty roles and permissions are accepted", with("roles", "[]").claim("permissions", "[]")),
        ok(
            "roles and permissions are accepted",
            with("roles", r#"["admin","ops"]"#).claim("permissions", r#"["a:b"]"#),
        ),
        ok("auth_time is accepted", with("auth_time", "1")),
        ok("a subject of one space is accepted", with("sub", "\" \"")),
        ok("a subject outside the basic plane is accepted", with("sub", "\"\u{1f600}\"")),
        ok("a subject written as a surrogate pair is accepted", with("sub", r#""\ud83d\ude00""#)),
        ok("a subject with an escaped NUL is accepted", with("sub", r#""a\u0000b""#)),
        ok("an issuer written with escapes is the same issuer", with("iss", r#""https:\/\/issuer.ex\u0061mple""#)),
    ]
}

fn own_claims() -> Vec<Case> {
    let nested = format!("{}1{}", "[".repeat(31), "]".repeat(31));
    [
        ("__proto__", r#"{"scope":"admin"}"#),
        ("constructor", r#"{"prototype":{"admin":true}}"#),
        ("prototype", "null"),
        ("toString", "1"),
        ("hasOwnProperty", "false"),
        ("", "\"a claim without a name\""),
        ("a.b", "{}"),
        ("big", "9007199254740993"),
        ("bigger", "18446744073709551615"),
        ("beyond", "18446744073709551616"),
        ("negative", "-9223372036854775808"),
        ("minus zero", "-0"),
        ("one and a bit", "1.0000000000000002"),
        ("exponent", "1E-5"),
        ("EXP", "1"),
        ("Iss", "\"https://attacker.example\""),
        ("status", r#"{"status_list":{"idx":0,"uri":"https://issuer.example/status/0"}}"#),
        ("nested to the limit", &nested),
        ("null", "null"),
        ("empty containers", r#"[[],{},[{}]]"#),
        ("line separators", "\"\u{2028}\u{2029}\u{feff}\""),
    ]
    .into_iter()
    .map(|(name, value)| {
        Case::new(
            format!("a claim of its own named {name:?} is accepted"),
            Draft::new().claim(name, value).token(),
            accepted(),
        )
    })
    .collect()
}

/// Another issuer's RFC 9068 tokens: revocations given up on purpose, so neither `sid` nor an index is asked for.
fn foreign() -> Vec<Case> {
    let foreign = || {
        Draft::new()
            .header("kid", "\"2024-01\"")
            .signed_by(FOREIGN_KEY)
            .claim("iss", "\"https://other.example\"")
            .claim("jti", "\"5f0b-11ee\"")
            .without_claim("sid")
    };
    let case = |name: &str, draft: Draft| {
        Case::new(name, draft.token(), accepted())
            .keys("foreign")
            .without_revocations()
            .with(|options| options.issuer = Some("https://other.example".to_owned()))
    };
    let mut cases = vec![
        case("another issuer's token needs neither sid nor index without revocations", foreign()),
        case("without revocations an index of another epoch is just a jti", foreign().claim("jti", "\"1.7\"")),
        case("without revocations a sid is kept", foreign().claim("sid", "\"s\"")),
    ];
    for kid in ["__proto__", "constructor", "toString", "../../../../dev/null", "' OR '1'='1", "a\u{0}b", "\u{e9}", " "]
    {
        let draft = foreign().header("kid", &quoted(kid));
        cases.push(case(&format!("a published key named {kid:?} is found by that name"), draft).keys("odd kids"));
    }
    cases
}

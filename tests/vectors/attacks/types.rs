//! `typ`: one kind of token never stands in for another (RFC 8725 §3.11, RFC 9068 §4).

use crate::forge::{Draft, ISSUER, LIST_KEY, NOW, quoted};
use crate::verdict::{Case, claim, no_key};

pub(crate) fn cases() -> Vec<Case> {
    let refused = || claim("typ", "check_failed");
    let mut cases: Vec<Case> = [
        "JWT",
        "jwt",
        "application/jwt",
        "rt+jwt",
        "revlist+jwt",
        "revdelta+jwt",
        "application/rt+jwt",
        "dpop+jwt",
        "id+jwt",
        "logout+jwt",
        "secevent+jwt",
        "token-introspection+jwt",
        "statuslist+jwt",
        "oauth-authz-req+jwt",
        "kb+jwt",
        "at-jwt",
        "at jwt",
        "at+jwt ",
        " at+jwt",
        "at+jwt\0",
        "at+jwt;v=1",
        "at+jwt,JWT",
        "at+JSON",
        "xat+jwt",
        "at+jwtx",
        "text/at+jwt",
        "application//at+jwt",
        "application/application/at+jwt",
        "/at+jwt",
        "application/",
        "at\u{ff0b}jwt",
        "\u{430}t+jwt",
        "at%2Bjwt",
        "JOSE",
        "JOSE+JSON",
        "",
    ]
    .into_iter()
    .map(|typ| {
        Case::new(format!("typ {typ:?} is refused"), Draft::new().header("typ", &quoted(typ)).token(), refused())
    })
    .collect();
    for (name, value) in [
        ("null", "null"),
        ("true", "true"),
        ("a number", "1"),
        ("an array", r#"["at+jwt"]"#),
        ("an object", r#"{"at+jwt":true}"#),
    ] {
        let token = Draft::new().header("typ", value).token();
        cases.push(Case::new(format!("typ as {name} is refused"), token, refused()));
    }
    let refresh = Draft::new()
        .header("typ", "\"rt+jwt\"")
        .claim("aud", &quoted(ISSUER))
        .claim("gen", "1")
        .without_claim("jti")
        .without_claim("scope");
    let list = Draft::new().header("typ", "\"revlist+jwt\"").of_key(LIST_KEY).claims_bytes(format!(
        r#"{{"iss":"{ISSUER}","iat":{NOW},"exp":{},"seq":1,"id":"AAAAAAAAAAAAAAAAAAAAAA"}}"#,
        NOW + 300
    ));
    cases.extend([
        Case::new("a token without typ is refused", Draft::new().without_header("typ").token(), refused()),
        Case::new(
            "typ among the claims is no typ",
            Draft::new().without_header("typ").claim("typ", "\"at+jwt\"").token(),
            refused(),
        ),
        Case::new("a refresh token is no access token", refresh.token(), refused()),
        Case::new("the head of a revocation list is no access token", list.token(), refused()),
        Case::new(
            "the head of a revocation list under the typ of a token is refused for its key",
            list.header("typ", "\"at+jwt\"").token(),
            no_key(),
        ),
        Case::new(
            "an access token signed by the key for lists is refused for its key",
            Draft::new().of_key(LIST_KEY).token(),
            no_key(),
        ),
    ]);
    cases
}

//! Claims that are missing or of another type (RFC 7519 §4.1, RFC 9068 §2.2), and `jti` as an index.

use crate::forge::{Draft, EXP};
use crate::verdict::{Case, claim, no_index};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = missing();
    cases.extend(texts());
    cases.extend(lists());
    cases.extend(indices());
    cases.extend(sessions());
    cases
}

fn missing() -> Vec<Case> {
    let mut cases: Vec<Case> = ["iss", "sub", "aud", "client_id", "iat", "exp", "jti"]
        .into_iter()
        .map(|name| {
            let token = Draft::new().without_claim(name).token();
            Case::new(format!("a token without {name} is refused"), token, claim(name, "missing"))
        })
        .collect();
    for name in ["iss", "sub", "aud", "client_id", "iat", "exp", "jti"] {
        let token = Draft::new().without_claim(name).header(name, "\"x\"").token();
        cases.push(Case::new(format!("{name} in the header is no claim"), token, claim(name, "missing")));
    }
    for (name, other) in [("iss", "Iss"), ("exp", "EXP"), ("aud", "aud "), ("exp", "exp\u{0}"), ("sub", "\u{455}ub")] {
        let value = if name == "exp" { EXP.to_string() } else { "\"api\"".to_owned() };
        let token = Draft::new().without_claim(name).claim(other, &value).token();
        cases.push(Case::new(format!("a claim {other:?} is no {name}"), token, claim(name, "missing")));
    }
    cases.push(Case::new(
        "an empty claims set is refused",
        Draft::new().claims_bytes("{}").token(),
        claim("iss", "missing"),
    ));
    cases
}

fn texts() -> Vec<Case> {
    let mut cases = Vec::new();
    for name in ["iss", "sub", "client_id", "jti", "sid"] {
        for (what, value) in [
            ("null", "null"),
            ("true", "true"),
            ("0", "0"),
            ("a number", "1700000000"),
            ("an empty string", "\"\""),
            ("an empty array", "[]"),
            ("an array", r#"["https://issuer.example"]"#),
            ("an empty object", "{}"),
            ("an object", r#"{"toString":"x"}"#),
        ] {
            let token = Draft::new().claim(name, value).token();
            cases.push(Case::new(format!("{name} as {what} is refused"), token, claim(name, "invalid")));
        }
    }
    cases
}

fn lists() -> Vec<Case> {
    let mut cases = Vec::new();
    let common = [
        ("null", "null"),
        ("true", "true"),
        ("a number", "1"),
        ("an object", r#"{"0":"api"}"#),
        ("an array with null", r#"["api",null]"#),
        ("an array with a number", r#"["api",1]"#),
        ("an array with an empty string", r#"["api",""]"#),
        ("an array in an array", r#"[["api"]]"#),
        ("an array with an object", r#"["api",{"name":"api"}]"#),
    ];
    for name in ["aud", "roles", "permissions"] {
        for (what, value) in common {
            let token = Draft::new().claim(name, value).token();
            cases.push(Case::new(format!("{name} as {what} is refused"), token, claim(name, "invalid")));
        }
    }
    for (name, what, value) in [
        ("aud", "an empty array", "[]"),
        ("aud", "an empty string", "\"\""),
        ("roles", "a string", "\"admin\""),
        ("permissions", "a string", "\"a:b\""),
        ("scope", "null", "null"),
        ("scope", "an array", r#"["read","write"]"#),
        ("scope", "a number", "1"),
        ("scope", "true", "true"),
        ("scope", "an object", r#"{"read":true}"#),
    ] {
        let token = Draft::new().claim(name, value).token();
        cases.push(Case::new(format!("{name} as {what} is refused"), token, claim(name, "invalid")));
    }
    cases
}

/// `jti` is the place in the revocation list: one text for each place, and the place goes with `exp`.
fn indices() -> Vec<Case> {
    let epoch = EXP >> 8;
    let forms = [
        "7".to_owned(),
        ".".to_owned(),
        format!("{epoch}"),
        format!("{epoch}."),
        ".7".to_owned(),
        format!("{epoch}.7.7"),
        format!("{epoch}.-7"),
        format!("{epoch}.+7"),
        format!("-{epoch}.7"),
        format!("+{epoch}.7"),
        format!("0{epoch}.7"),
        format!("{epoch}.07"),
        format!("{epoch}.00"),
        format!("{epoch}. 7"),
        format!(" {epoch}.7"),
        format!("{epoch}.7 "),
        format!("{epoch}.7\n"),
        format!("{epoch}.7\0"),
        format!("{epoch},7"),
        format!("{epoch}:7"),
        format!("{epoch}.7e0"),
        format!("{epoch}.0x7"),
        format!("{epoch}.7_0"),
        format!("{epoch}.\u{667}"),
        format!("{epoch}.\u{ff17}"),
        format!("{epoch}\u{ff0e}7"),
        format!("{epoch}.2147483648"),
        format!("{epoch}.4294967303"),
        format!("{epoch}.18446744073709551623"),
        "4294967296.7".to_owned(),
        format!("{}.7", u64::from(u32::MAX) + 1 + epoch),
        "__proto__.7".to_owned(),
        "d5f2a6c0-7f0b-4a8e-9d0a-2f4f1c9b1d11".to_owned(),
    ];
    let mut cases: Vec<Case> = forms
        .into_iter()
        .map(|jti| {
            let token = Draft::new().claim("jti", &crate::forge::quoted(&jti)).token();
            Case::new(format!("jti {jti:?} is no index"), token, no_index())
        })
        .collect();
    for other in [0, 1, epoch - 1, epoch + 1, epoch << 8, u64::from(u32::MAX)] {
        let token = Draft::new().claim("jti", &format!("\"{other}.7\"")).token();
        cases.push(Case::new(
            format!("jti of epoch {other}, not that of exp, is refused"),
            token,
            claim("jti", "check_failed"),
        ));
    }
    let next = Draft::new().claim("exp", &((epoch + 1) << 8).to_string());
    cases.push(Case::new("an exp one second into the next epoch does not", next.token(), claim("jti", "check_failed")));
    cases
}

fn sessions() -> Vec<Case> {
    vec![
        Case::new("a token without sid is refused", Draft::new().without_claim("sid").token(), claim("sid", "missing")),
        Case::new(
            "sid in the header is no sid",
            Draft::new().without_claim("sid").header("sid", "\"session-1\"").token(),
            claim("sid", "missing"),
        ),
        Case::new(
            "a sid of another type is refused without revocations too",
            Draft::new().claim("sid", "7").token(),
            claim("sid", "invalid"),
        )
        .without_revocations(),
        Case::new(
            "a jti of another type is refused without revocations too",
            Draft::new().claim("jti", "7").token(),
            claim("jti", "invalid"),
        )
        .without_revocations(),
    ]
}

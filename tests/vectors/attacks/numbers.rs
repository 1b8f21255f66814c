//! Times: whole seconds as a JSON integer, from 1970 to the year 9999, and nothing that merely converts to one (CVE-2026-25537).

use crate::forge::{Draft, NOW};
use crate::verdict::{Case, claim, expired};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for name in ["iat", "exp", "nbf", "auth_time"] {
        for (what, value) in wrong() {
            let token = Draft::new().claim(name, &value).token();
            cases.push(Case::new(format!("{name} as {what} is refused"), token, claim(name, "invalid")));
        }
    }
    for value in ["0", "1", "1699999995"] {
        let token = Draft::new().claim("exp", value).token();
        cases.push(Case::new(format!("exp {value} has passed"), token, expired()));
    }
    let token = Draft::new().claim("nbf", "253402300799").token();
    cases.push(Case::new("nbf in the year 9999 is not yet", token, claim("nbf", "check_failed")));
    cases
}

fn wrong() -> Vec<(&'static str, String)> {
    let text = |value: &str| value.to_owned();
    vec![
        ("null", text("null")),
        ("true", text("true")),
        ("false", text("false")),
        ("a string", format!("\"{}\"", NOW + 900)),
        ("an empty string", text("\"\"")),
        ("a date in words", text("\"2099-01-01T00:00:00Z\"")),
        ("an array", format!("[{}]", NOW + 900)),
        ("an empty array", text("[]")),
        ("an object", text(r#"{"$date":1}"#)),
        ("a fraction", format!("{}.5", NOW + 900)),
        ("a whole number with a fraction of zero", format!("{}.0", NOW + 900)),
        ("a number with an exponent", text("1.7e9")),
        ("1e10", text("1e10")),
        ("1E10", text("1E10")),
        ("1e300", text("1e300")),
        ("1e-400", text("1e-400")),
        ("-1", text("-1")),
        ("-0", text("-0")),
        ("0.0", text("0.0")),
        ("milliseconds", format!("{}000", NOW + 900)),
        ("the first second of the year 10000", text("253402300800")),
        ("2^53 + 1", text("9007199254740993")),
        ("2^63", text("9223372036854775808")),
        ("-2^63", text("-9223372036854775808")),
        ("2^64 - 1", text("18446744073709551615")),
        ("2^64", text("18446744073709551616")),
        ("2^64 and our time", text("18446744075409552516")),
        ("a number of 300 digits", "9".repeat(300)),
        ("chrono's smallest time, where jwt-compact panics", text("-8334601228800")),
    ]
}

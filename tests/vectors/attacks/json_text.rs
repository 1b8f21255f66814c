//! Texts that are not the JSON they seem (RFC 8259): each once as the header and once as the payload, signed by our key.

use crate::forge::{Draft, ISSUER, NOW, TOKEN_KEY, thumbprint};
use crate::verdict::{Case, jws, jwt};

/// Where the text stands; `{m}` in a recipe stands for members that make it a good one but for the fault.
fn recipes() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let value = |bytes: &[u8]| [b"{{m},\"x\":", bytes, b"}"].concat();
    let string = |bytes: &[u8]| [b"{{m},\"x\":\"", bytes, b"\"}"].concat();
    vec![
        ("a byte-order mark before the object", "json", b"\xef\xbb\xbf{{m}}".to_vec()),
        ("something behind the object", "json", text("{{m}}x")),
        ("a second object behind the object", "json", text("{{m}}{{m}}")),
        ("an array behind the object", "json", text("{{m}}[]")),
        ("a NUL behind the object", "json", text("{{m}}\0")),
        ("a NUL before the object", "json", text("\0{{m}}")),
        ("a closing brace too many", "json", text("{{m}}}")),
        ("a closing brace too few", "json", text("{{m}")),
        ("a comma behind the last member", "json", text("{{m},}")),
        ("a comma before the first member", "json", text("{,{m}}")),
        ("two commas in a row", "json", text("{{m},,\"x\":1}")),
        ("a comment at the end of a line", "json", text("{{m}}//")),
        ("a comment between members", "json", text("{{m},/**/\"x\":1}")),
        ("a comment behind a hash", "json", text("{{m}}#")),
        ("single quotation marks", "json", text("{{m},'x':1}")),
        ("a name without quotation marks", "json", text("{{m},x:1}")),
        ("a member without a value", "json", text("{{m},\"x\":}")),
        ("a member without a colon", "json", text("{{m},\"x\" 1}")),
        ("a value without a name", "json", text("{{m},1}")),
        ("a number for a name", "json", text("{{m},1:1}")),
        ("an equals sign for a colon", "json", text("{{m},\"x\"=1}")),
        ("a form feed for white space", "json", text("\x0c{{m}}")),
        ("a vertical tab for white space", "json", text("{{m}}\x0b")),
        ("a no-break space for white space", "json", text("\u{a0}{{m}}")),
        ("a line separator for white space", "json", text("\u{2028}{{m}}")),
        ("NaN", "json", value(b"NaN")),
        ("Infinity", "json", value(b"Infinity")),
        ("minus Infinity", "json", value(b"-Infinity")),
        ("the number 1e999", "json", value(b"1e999")),
        ("the number -1e999", "json", value(b"-1e999")),
        ("a number with a leading zero", "json", value(b"01")),
        ("a number with a leading plus", "json", value(b"+1")),
        ("a number without an integer part", "json", value(b".5")),
        ("a number without a fraction behind its point", "json", value(b"1.")),
        ("a number without an exponent behind its e", "json", value(b"1e")),
        ("a hexadecimal number", "json", value(b"0x10")),
        ("a number with an underscore", "json", value(b"1_000")),
        ("a lone minus", "json", value(b"-")),
        ("full-width digits", "json", value("\u{ff11}".as_bytes())),
        ("the word True", "json", value(b"True")),
        ("the word undefined", "json", value(b"undefined")),
        ("an array not closed", "json", value(b"[1")),
        ("a comma at the end of an array", "json", value(b"[1,]")),
        ("a string not closed", "json", text("{{m},\"x\":\"a}")),
        ("a line feed in a string", "json", string(b"a\nb")),
        ("a tab in a string", "json", string(b"a\tb")),
        ("a NUL in a string", "json", string(b"a\0b")),
        ("an escape that JSON has not", "json", string(b"\\x41")),
        ("an escape cut short", "json", string(b"\\u00")),
        ("an escape that is not hexadecimal", "json", string(b"\\u00zz")),
        ("an escaped high surrogate alone", "json", string(b"\\ud800")),
        ("an escaped low surrogate alone", "json", string(b"\\udc00")),
        ("escaped surrogates in the wrong order", "json", string(b"\\udc00\\ud800")),
        ("an escaped high surrogate before a letter", "json", string(b"\\ud800a")),
        ("a byte that is never UTF-8", "json", string(b"\xff")),
        ("a continuation byte alone", "json", string(b"\x80")),
        ("a sequence of UTF-8 cut short", "json", string(b"\xe2\x82")),
        ("an overlong NUL", "json", string(b"\xc0\x80")),
        ("an overlong quotation mark", "json", string(b"\xc0\xa2")),
        ("an overlong slash of three bytes", "json", string(b"\xe0\x80\xaf")),
        ("a surrogate in UTF-8 (CESU-8)", "json", string(b"\xed\xa0\xbd\xed\xb8\x80")),
        ("a code point above U+10FFFF", "json", string(b"\xf4\x90\x80\x80")),
        ("ISO 8859-1", "json", string(b"caf\xe9")),
        ("a member twice", "duplicate_member", text("{{m},\"x\":1,\"x\":1}")),
        ("a member twice, once spelled with escapes", "duplicate_member", text(r#"{{m},"x":1,"\u0078":2}"#)),
        ("a member twice, deep inside", "duplicate_member", value(br#"[{"a":{"b":1,"c":2,"b":3}}]"#)),
        ("the member __proto__ twice", "duplicate_member", text(r#"{{m},"__proto__":1,"__proto__":2}"#)),
        ("a member without a name twice", "duplicate_member", text(r#"{{m},"":1,"":2}"#)),
        ("33 levels of arrays", "depth", value(format!("{}1{}", "[".repeat(32), "]".repeat(32)).as_bytes())),
        (
            "33 levels that end in an empty array",
            "depth",
            value(format!("{}{}", "[".repeat(32), "]".repeat(32)).as_bytes()),
        ),
        (
            "33 levels that end in an empty object",
            "depth",
            value(format!("{}{{}}{}", "[".repeat(31), "]".repeat(31)).as_bytes()),
        ),
        ("33 levels of objects", "depth", value(format!("{}1{}", r#"{"a":"#.repeat(32), "}".repeat(32)).as_bytes())),
    ]
}

/// Whole texts that are no object.
const NOT_OBJECTS: [(&str, &str, &str); 9] = [
    ("null", "null", "not_an_object"),
    ("true", "true", "not_an_object"),
    ("a number", "1700000000", "not_an_object"),
    ("a string", "\"EdDSA\"", "not_an_object"),
    ("an array", "[]", "not_an_object"),
    ("an object in an array", "[{}]", "not_an_object"),
    ("a JSON text in a string", "\"{}\"", "not_an_object"),
    ("white space alone", " ", "json"),
    ("no JSON at all", "token", "json"),
];

pub(crate) fn cases() -> Vec<Case> {
    let header = format!(r#""alg":"EdDSA","typ":"at+jwt","kid":"{}""#, thumbprint(TOKEN_KEY));
    let payload = String::from_utf8(Draft::new().claims_text()).unwrap();
    let payload = &payload[1..payload.len() - 1];
    let mut cases = Vec::new();
    for (what, reason, recipe) in recipes() {
        let filled = |members: &str| replace(&recipe, b"{m}", members.as_bytes());
        cases.extend(both(what, reason, filled(&header), filled(payload)));
    }
    for (what, text, reason) in NOT_OBJECTS {
        cases.extend(both(what, reason, text.as_bytes().to_vec(), text.as_bytes().to_vec()));
    }
    for (what, encode) in [
        ("UTF-16, big end first", utf16(u16::to_be_bytes)),
        ("UTF-16, little end first", utf16(u16::to_le_bytes)),
        ("UTF-16 with a byte-order mark", Box::new(|text: &str| utf16(u16::to_be_bytes)(&format!("\u{feff}{text}")))),
        ("UTF-32", Box::new(|text: &str| text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect())),
        ("UTF-7", Box::new(|text: &str| text.replace('{', "+AHs-").into_bytes())),
    ] {
        cases.extend(both(what, "json", encode(&format!("{{{header}}}")), encode(r#"{"iss":"x"}"#)));
    }
    cases.extend(duplicated_claims());
    cases
}

type Encoder = Box<dyn Fn(&str) -> Vec<u8>>;

fn utf16(order: fn(u16) -> [u8; 2]) -> Encoder {
    Box::new(move |text| text.encode_utf16().flat_map(order).collect())
}

fn both(what: &str, reason: &str, header: Vec<u8>, payload: Vec<u8>) -> [Case; 2] {
    [
        Case::new(format!("a header with {what} is refused"), Draft::new().header_bytes(header).token(), jws(reason)),
        Case::new(
            format!("a signed payload with {what} is refused"),
            Draft::new().claims_bytes(payload).token(),
            jwt(reason),
        ),
    ]
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend([&rest[..at], to].concat());
        rest = &rest[at + from.len()..];
    }
    [&out, rest].concat()
}

/// Each claim that decides, given twice: the good value first, then last.
fn duplicated_claims() -> Vec<Case> {
    let epoch = (NOW + 900) >> 8;
    let (issuer, jti) = (format!("\"{ISSUER}\""), format!("\"{epoch}.7\""));
    [
        ("iss", issuer.as_str(), "\"https://attacker.example\""),
        ("sub", "\"user-1\"", "\"admin\""),
        ("aud", "\"api\"", "\"else\""),
        ("exp", "1700000900", "1700086400"),
        ("jti", jti.as_str(), "\"6640628.8\""),
        ("scope", "\"read write\"", "\"admin\""),
    ]
    .into_iter()
    .flat_map(|(claim, good, bad)| {
        [("first", good, bad), ("last", bad, good)].map(|(place, first, last)| {
            let rest = String::from_utf8(Draft::new().without_claim(claim).claims_text()).unwrap();
            let text = format!(r#"{{"{claim}":{first},{},"{claim}":{last}}}"#, &rest[1..rest.len() - 1]);
            Case::new(
                format!("{claim} given twice, the good one {place}, is refused"),
                Draft::new().claims_bytes(text).token(),
                jwt("duplicate_member"),
            )
        })
    })
    .collect()
}

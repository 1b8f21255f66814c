//! base64url: one text for each token (RFC 7515 §2; RFC 4648 §3.5), or a denylist keyed by text could be passed by.

use crate::forge::{Draft, TOKEN_KEY, sealed};
use crate::verdict::{Case, accepted, jws};

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const PARTS: [&str; 3] = ["header", "payload", "signature"];

/// A good token whose header and payload both have this many bytes behind the last full group of three.
fn draft(rest: usize) -> Draft {
    let padded = |draft: Draft, pad: usize| {
        draft
            .header("pad", &format!("\"{}\"", "h".repeat(pad / 3)))
            .claim("pad", &format!("\"{}\"", "c".repeat(pad % 3)))
    };
    let fits = |draft: &Draft| [draft.header_text(), draft.claims_text()].iter().all(|text| text.len() % 3 == rest);
    (0..9).map(|pad| padded(Draft::new(), pad)).find(fits).unwrap()
}

/// The token with one part replaced, and signed again as it stands: only strict decoding can refuse it.
fn replaced(draft: &Draft, at: usize, part: &str) -> String {
    let mut parts = draft.parts();
    part.clone_into(&mut parts[at]);
    let [header, payload, signature] = parts;
    if at == 2 { format!("{header}.{payload}.{signature}") } else { sealed(TOKEN_KEY, &format!("{header}.{payload}")) }
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for rest in 0..3 {
        let name = format!("a token whose parts leave {rest} bytes over is accepted");
        cases.push(Case::new(name, draft(rest).token(), accepted()));
        cases.extend((0..2).flat_map(|at| unused_bits(rest, at)));
    }
    cases.extend(unused_bits(1, 2)); // 64 bytes of signature leave one over
    for at in 0..3 {
        cases.extend(spellings(at));
    }
    cases.extend(around());
    cases
}

/// Every other last character that a lenient decoder reads as the same bytes.
fn unused_bits(rest: usize, at: usize) -> Vec<Case> {
    let draft = draft(rest);
    let part = &draft.parts()[at];
    let (stem, last) = part.split_at(part.len() - 1);
    let value = ALPHABET.find(last).unwrap();
    let unused = match part.len() % 4 {
        2 => 16,
        3 => 4,
        _ => 1,
    };
    let others = (value..value + unused).skip(1);
    others
        .map(|other| {
            let part = format!("{stem}{}", &ALPHABET[other..=other]);
            let name = format!("a {} that ends in {} for {last} is not canonical", PARTS[at], &part[part.len() - 1..]);
            Case::new(format!("{name} ({rest} over)"), replaced(&draft, at, &part), jws("base64url"))
        })
        .collect()
}

fn spellings(at: usize) -> Vec<Case> {
    let draft = draft(1);
    let part = draft.parts()[at].clone();
    let (front, back) = part.split_at(part.len() / 2);
    let inside = |name: &str, what: &str| (name.to_owned(), format!("{front}{what}{back}"));
    let texts = [
        ("padding by two".to_owned(), format!("{part}==")),
        ("padding by one".to_owned(), format!("{part}=")),
        ("padding as %3D".to_owned(), format!("{part}%3D%3D")),
        inside("padding in the middle", "="),
        inside("a space inside", " "),
        inside("a tab inside", "\t"),
        inside("a line feed inside", "\n"),
        inside("a carriage return and line feed inside", "\r\n"),
        inside("a NUL inside", "\0"),
        inside("a no-break space inside", "\u{a0}"),
        inside("a zero-width space inside", "\u{200b}"),
        inside("a byte-order mark inside", "\u{feff}"),
        inside("a plus of the other alphabet", "+"),
        inside("a slash of the other alphabet", "/"),
        inside("a comma of a third alphabet", ","),
        inside("a tilde", "~"),
        inside("a percent escape", "%41"),
        inside("a full-width A", "\u{ff21}"),
        inside("a Cyrillic A", "\u{410}"),
        inside("a letter with an accent", "\u{c1}"),
        inside("a letter outside the basic plane", "\u{1d400}"),
        ("a space before".to_owned(), format!(" {part}")),
        ("a space behind".to_owned(), format!("{part} ")),
        ("one character too many".to_owned(), format!("{part}AAA")),
        ("a lone character".to_owned(), "A".to_owned()),
    ];
    texts
        .into_iter()
        .map(|(name, text)| {
            Case::new(format!("a {} with {name} is refused", PARTS[at]), replaced(&draft, at, &text), jws("base64url"))
        })
        .collect()
}

/// What stands around the token or between its parts.
fn around() -> Vec<Case> {
    let token = Draft::new().token();
    let [header, payload, signature] = Draft::new().parts();
    let mut cases: Vec<Case> = [
        ("a space", " "),
        ("a line feed", "\n"),
        ("a tab", "\t"),
        ("a NUL", "\0"),
        ("a byte-order mark", "\u{feff}"),
        ("a comma", ","),
        ("a semicolon", ";"),
    ]
    .into_iter()
    .flat_map(|(name, what)| {
        [
            Case::new(format!("{name} before the token is refused"), format!("{what}{token}"), jws("base64url")),
            Case::new(format!("{name} behind the token is refused"), format!("{token}{what}"), jws("base64url")),
        ]
    })
    .collect();
    for (name, dot) in [
        ("a full-width full stop", "\u{ff0e}"),
        ("an ideographic full stop", "\u{3002}"),
        ("a half-width ideographic full stop", "\u{ff61}"),
        ("a one dot leader", "\u{2024}"),
        ("a middle dot", "\u{b7}"),
        ("a bullet", "\u{2022}"),
        ("an Arabic full stop", "\u{6d4}"),
        ("a colon", ":"),
        ("%2E", "%2E"),
    ] {
        let (both, last) =
            (format!("{header}{dot}{payload}{dot}{signature}"), format!("{header}.{payload}{dot}{signature}"));
        cases.push(Case::new(format!("{name} is no dot"), both, jws("parts")));
        cases.push(Case::new(format!("{name} is no second dot"), last, jws("parts")));
    }
    cases
}

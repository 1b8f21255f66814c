//! Our reader and the one before it say the same of every text.

use super::strict;
use crate::json::{Fault, parse};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Pieces of which both good and broken texts are made.
const PIECES: [&str; 62] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "{\"",
    "\":",
    "\"",
    " ",
    "\t",
    "\r\n",
    "\"a\"",
    "\"b\"",
    "\"\\u0061\"",
    "\"\\u0062\"",
    "\"\"",
    "\"aaaaaaaa\"",
    "\"aaaaaaa\\n\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\"\\ude00\"",
    "\"\\ud83d\\u0061\"",
    "\"\\uD83D\\n\"",
    "\"\\u12\"",
    "\"\\x\"",
    "\"\u{e9}\u{1f600}\"",
    "\"\u{1f}\"",
    "\"\u{7f}\"",
    "\\",
    "0",
    "-0",
    "1",
    "-1",
    "01",
    "1.",
    ".5",
    "1.5",
    "-0.0",
    "1e5",
    "1E+5",
    "1e-5",
    "1e",
    "1e999",
    "-1e999",
    "0e999",
    "1e-999",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "-9223372036854775809",
    "true",
    "false",
    "null",
    "nul",
    "\u{feff}",
];

fn alike(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| alike(ours, theirs))
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(ours, theirs)| ours.0 == theirs.0 && alike(ours.1, theirs.1))
        }
        (Value::Number(ours), Value::Number(theirs)) if ours.is_f64() && theirs.is_f64() => {
            let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
            ours.is_sign_negative() == theirs.is_sign_negative()
                && (ours - theirs).abs() <= (ours.abs() * 1e-14).max(f64::MIN_POSITIVE * 1e-14)
        }
        _ => ours == theirs,
    }
}

fn same(text: &[u8]) -> Result<(), TestCaseError> {
    let same = match (&parse(text), &strict::parse(text)) {
        (Ok(ours), Ok(theirs)) => alike(ours, theirs),
        (ours, theirs) => ours == theirs,
    };
    prop_assert!(same, "{}: {:?}, {:?}", text.escape_ascii(), parse(text), strict::parse(text));
    Ok(())
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        let object = proptest::collection::vec((".{0,3}", inner.clone()), 0..8);
        prop_oneof![
            proptest::collection::vec(inner, 0..6).prop_map(Value::from),
            object.prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

#[derive(Debug, Clone)]
enum Damage {
    Byte(usize, u8),
    Gone(usize, usize),
    Twice(usize, usize),
    Piece(usize, &'static str),
}

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let place = || 0..300_usize;
    let damage = prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        (place(), 1..9_usize).prop_map(|(at, length)| Damage::Gone(at, length)),
        (place(), 1..40_usize).prop_map(|(at, length)| Damage::Twice(at, length)),
        (place(), select(PIECES.to_vec())).prop_map(|(at, piece)| Damage::Piece(at, piece)),
    ];
    proptest::collection::vec(damage, 0..3)
}

fn damaged(mut text: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        let (Damage::Byte(at, _) | Damage::Gone(at, _) | Damage::Twice(at, _) | Damage::Piece(at, _)) = damage;
        let at = at % text.len().max(1);
        let until = |length: usize| (at + length).min(text.len());
        match damage {
            Damage::Byte(_, byte) => {
                text.get_mut(at).into_iter().for_each(|held| *held = *byte);
            }
            Damage::Gone(_, length) => drop(text.drain(at..until(*length))),
            Damage::Twice(_, length) => {
                let again = text[at..until(*length)].to_vec();
                text.splice(at..at, again);
            }
            Damage::Piece(_, piece) => drop(text.splice(at..at, piece.bytes())),
        }
    }
    text
}

/// An object of many members, of which some may be there twice, in an order that sorts badly or well.
fn crowds() -> impl Strategy<Value = String> {
    let names = proptest::collection::vec(0..4_000_u32, 0..400);
    let shape = select(vec![
        "",
        "x",
        "\u{1f600}",
        "a name that is the same for eighty bytes and then differs in the last ones ",
    ]);
    (names, shape, any::<bool>(), 0..3_u8).prop_map(|(mut names, shape, distinct, order)| {
        match order {
            0 => names.sort_unstable(),
            1 => names.sort_unstable_by(|a, b| b.cmp(a)),
            _ => {}
        }
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| !distinct || seen.insert(*name));
        let members: Vec<String> = names.iter().map(|name| format!(r#""{shape}{name}":{{"{name}":0}}"#)).collect();
        format!("{{{}}}", members.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn of_texts_made_of_pieces(pieces in proptest::collection::vec(select(PIECES.to_vec()), 0..14)) {
        same(pieces.concat().as_bytes())?;
    }

    #[test]
    fn of_an_object_with_a_piece_for_a_value(piece in select(PIECES.to_vec()), pretty in any::<bool>()) {
        let space = if pretty { " " } else { "" };
        same(format!(r#"{{{space}"x"{space}:{space}[{piece},{{"a":{piece}}}]{space}}}"#).as_bytes())?;
    }

    #[test]
    fn of_values_written_and_damaged(value in values(), pretty in any::<bool>(), damages in damages()) {
        let text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
        if damages.is_empty() {
            prop_assert_eq!(parse(&text), Ok(value));
        }
        same(&damaged(text, &damages))?;
    }

    #[test]
    fn of_numbers(text in "-?[0-9]{0,25}(\\.[0-9]{0,25})?([eE][+-]?[0-9]{0,4})?") {
        same(text.as_bytes())?;
    }

    #[test]
    fn of_long_numbers(zeros in 0..400_usize, more in "[0-9]{1,8}", exponent in -420..420_i32, small in any::<bool>()) {
        let zeros = "0".repeat(zeros);
        let text = if small { format!("0.{zeros}{more}e{exponent}") } else { format!("1{more}{zeros}e{exponent}") };
        same(text.as_bytes())?;
    }

    #[test]
    fn of_arbitrary_bytes(text in proptest::collection::vec(any::<u8>(), 0..40)) {
        same(&text)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn of_objects_with_many_members(text in crowds(), cut in proptest::option::of(0..20_000_usize)) {
        let end = cut.filter(|cut| text.is_char_boundary(*cut)).unwrap_or(text.len()).min(text.len());
        same(&text.as_bytes()[..end])?;
    }
}

#[test]
fn numbers_at_the_edge_of_the_doubles_are_compared_exactly() {
    let limit = "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207\
                 096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475\
                 730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880177904174\
                 497792";
    assert!(limit.parse::<f64>().unwrap().is_infinite());
    let below = format!("{}1", limit.strip_suffix('2').unwrap());
    assert_eq!(below.parse::<f64>(), Ok(f64::MAX));
    let (first, rest) = limit.split_at(1);
    let (_, less) = below.split_at(1);
    for (too_large, largest) in [
        (limit.to_owned(), below.clone()),
        (format!("-{limit}"), format!("-{below}.999999")),
        (format!("{limit}.000"), format!("{below}.000")),
        (format!("{first}.{rest}e308"), format!("{first}.{less}e308")),
        (format!("0.000{limit}e312"), format!("0.000{below}9e+0312")),
        (format!("{limit}0000e-4"), format!("{below}9999e-4")),
    ] {
        assert_eq!(parse(too_large.as_bytes()), Err(Fault::Syntax), "{too_large}");
        let value = parse(largest.as_bytes()).unwrap();
        assert_eq!(value.as_f64().unwrap().abs(), f64::MAX, "{largest}");
    }
    for zero in ["0e999999999999999999999", "-0.000e9223372036854775807", "0e-18446744073709551616"] {
        assert_eq!(parse(zero.as_bytes()).unwrap().as_f64(), Some(0.0), "{zero}");
    }
    assert_eq!(parse(b"1e99999999999999999999"), Err(Fault::Syntax));
    assert_eq!(parse(b"1e-99999999999999999999").unwrap().as_f64(), Some(0.0));
}

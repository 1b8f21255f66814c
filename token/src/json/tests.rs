//! What strict JSON is, by example; the properties hold our reader against another one.

mod properties;
mod strict;

use super::*;

#[test]
fn a_member_named_twice_is_refused_at_any_depth_and_in_any_spelling() {
    for text in [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, r#"{"x":[{"a":{},"b":0,"a":{}}]}"#] {
        assert_eq!(parse(text.as_bytes()), Err(Fault::Duplicate), "{text}");
    }
}

#[test]
fn depth_is_counted_in_levels() {
    let nested = |levels: usize| format!("{}0{}", "[".repeat(levels), "]".repeat(levels));
    assert!(parse(nested(usize::from(MAX_DEPTH)).as_bytes()).is_ok());
    assert_eq!(parse(nested(usize::from(MAX_DEPTH) + 1).as_bytes()), Err(Fault::Depth));
    for innermost in ["[]", "{}"] {
        let ends_in = |levels: usize| nested(levels - 1).replace('0', innermost);
        assert!(parse(ends_in(usize::from(MAX_DEPTH)).as_bytes()).is_ok(), "{innermost}");
        assert_eq!(parse(ends_in(usize::from(MAX_DEPTH) + 1).as_bytes()), Err(Fault::Depth), "{innermost}");
    }
    assert_eq!(parse("[".repeat(100_000).as_bytes()), Err(Fault::Depth));
    assert_eq!(parse(r#"{"a":"#.repeat(100_000).as_bytes()), Err(Fault::Depth));
}

#[test]
fn what_is_not_json_is_refused() {
    let texts: [&[u8]; 14] = [
        b"",
        b" ",
        b"{} {}",
        b"{}\0",
        b"\xef\xbb\xbf{}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":NaN}",
        b"{\"a\":1e999}",
        b"{\"a\":01}",
        br#"{"a":"\ud800"}"#,
        b"{'a':1}",
        b"{\"a\":1,}",
        b"\xff\xfe{\0}\0",
        b"{\"a\":\"\xed\xa0\x80\"}",
    ];
    for text in texts {
        assert_eq!(parse_object(text), Err(Fault::Syntax), "{}", text.escape_ascii());
    }
    for text in ["null", "[]", "\"a\"", "1", "true"] {
        assert_eq!(parse_object(text.as_bytes()), Err(Fault::NotAnObject), "{text}");
    }
}

#[test]
fn white_space_of_rfc_8259_is_allowed_around_values() {
    assert!(parse_object(b" \t\r\n{ \"a\" : [ 1 , -2 , 0.5 , null , true ] } \n").is_ok());
}

#[test]
fn texts_are_read_from_the_tape_with_their_escapes_resolved() {
    let mut tape = Tape::default();
    for _ in 0..2 {
        let object = tape
            .read_object(br#"{"a\u0062":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00 end","n":[7,-7,{"x":[]}],"s":"plain"}"#)
            .unwrap();
        assert_eq!(object.get("ab").unwrap().as_str(), Some("\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f600} end"));
        assert_eq!(object.get("s").unwrap().as_str(), Some("plain"));
        let items: Vec<_> = object.get("n").unwrap().as_array().unwrap().map(Value::as_u64).collect();
        assert_eq!(items, [Some(7), None, None]);
        assert!(object.get("x").is_none() && object.get("a").is_none());
    }
    assert_eq!(tape.read_object(b"[]").map(drop), Err(Fault::NotAnObject));
}

#[test]
fn only_integers_without_sign_are_unsigned_integers() {
    let mut tape = Tape::default();
    let mut read = |text: &str| tape.read(text.as_bytes()).unwrap().as_u64();
    assert_eq!((read("0"), read("18446744073709551615")), (Some(0), Some(u64::MAX)));
    for text in ["-0", "-1", "1.0", "1e0", "18446744073709551616", "\"1\"", "null", "[1]"] {
        assert_eq!(read(text), None, "{text}");
    }
}

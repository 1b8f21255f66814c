//! Required scope: value by value (RFC 6749 §3.3), never by substring.

use crate::forge::{Draft, quoted};
use crate::verdict::{Case, accepted, claim};

pub(crate) fn cases() -> Vec<Case> {
    let case = |held: Option<&str>, asked: &str, holds: bool| {
        let draft = match held {
            Some(scope) => Draft::new().claim("scope", &quoted(scope)),
            None => Draft::new().without_claim("scope"),
        };
        let expect = if holds { accepted() } else { claim("scope", "check_failed") };
        let verb = if holds { "satisfies" } else { "does not satisfy" };
        Case::new(format!("scope {held:?} {verb} {asked:?}"), draft.token(), expect)
            .with(|options| options.scope = Some(asked.to_owned()))
    };
    vec![
        case(Some("read"), "read", true),
        case(Some("read write"), "read", true),
        case(Some("read write"), "write", true),
        case(Some("read write"), "write read", true),
        case(Some("write  read"), "read", true),
        case(Some(" read "), "read", true),
        case(Some("read read"), "read", true),
        case(Some("a:b/c.d"), "a:b/c.d", true),
        case(None, "read", false),
        case(Some(""), "read", false),
        case(Some(" "), "read", false),
        case(Some("read"), "write", false),
        case(Some("read"), "read write", false),
        case(Some("reader"), "read", false),
        case(Some("rea"), "read", false),
        case(Some("unread"), "read", false),
        case(Some("READ"), "read", false),
        case(Some("Read"), "read", false),
        case(Some("read,write"), "read", false),
        case(Some("read\twrite"), "read", false),
        case(Some("read\nwrite"), "read", false),
        case(Some("read\u{a0}write"), "read", false),
        case(Some("read+write"), "read", false),
        case(Some("read\u{0}"), "read", false),
        case(Some("r\u{435}ad"), "read", false),
        case(Some("*"), "read", false),
        case(Some("read:*"), "read:all", false),
        case(Some("-read"), "read", false),
        case(Some("\"read\""), "read", false),
    ]
}

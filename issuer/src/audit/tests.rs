//! What an event looks like, and what it cannot hold.

use super::*;
use std::collections::BTreeSet;

fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(1_800_000_000 + secs).unwrap()
}

fn text(event: &Event) -> String {
    String::from_utf8(event.to_bytes()).unwrap()
}

#[test]
fn an_event_is_one_object_with_its_members_in_their_order() {
    let origin = Origin { request: Some("0000002a-7".to_owned()), address: Some("2001:db8::1".parse().unwrap()) };
    let event = Event::new(Act::TokenReused, &origin, at(0))
        .detail("a line")
        .code("reused")
        .target("k1")
        .token(Jti { epoch: 7, index: 9 })
        .sid(SessionId([0; 16]))
        .subject("user-1")
        .client("backend");
    let expected = concat!(
        r#"{"at":1800000000,"act":"token.reused","client_id":"backend","sub":"user-1","sid":"AAAAAAAAAAAAAAAAAAAAAA","#,
        r#""jti":"7.9","target":"k1","code":"reused","detail":"a line","request":"0000002a-7","address":"2001:db8::1"}"#
    );
    assert_eq!(text(&event), expected);
    let bare = Event::new(Act::DaemonStarted, &Origin::internal(), at(1));
    assert_eq!(text(&bare), r#"{"at":1800000001,"act":"daemon.started"}"#);
}

#[test]
fn text_from_outside_is_cut_and_has_no_control_characters() {
    let named = |name: &str| text(&Event::new(Act::ClientRefused, &Origin::internal(), at(0)).client(name));
    assert!(named("a\nb\u{85}\u{0}").contains("\"a\u{fffd}b\u{fffd}\u{fffd}\""));
    assert!(named(&"\u{20ac}".repeat(200)).contains(&format!("\"{}\"", "\u{20ac}".repeat(85))));
    let worst = "\"".repeat(1_000);
    let event = Event::new(Act::ClientRefused, &Origin { request: Some(worst.clone()), address: None }, at(0));
    let event = event.client(&worst).subject(&worst).target(&worst).detail(&worst);
    assert!(event.to_bytes().len() <= MAX_EVENT && !text(&event).contains('\n'));
}

#[test]
fn every_act_has_a_name_of_its_own_and_is_found_by_it() {
    let names: BTreeSet<&str> = Act::ALL.iter().map(|act| act.name()).collect();
    assert_eq!(names.len(), Act::ALL.len());
    for act in Act::ALL {
        assert_eq!(Act::parse(act.name()), Some(*act));
        assert!(act.name().bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_' | b'.')), "{act}");
    }
    assert_eq!(Act::parse("token"), None);
}

#[test]
fn a_link_hashes_the_one_before_and_the_event() {
    let first = Link::default().then(b"one");
    assert_eq!(first, Link { seq: 1, hash: Sha256::digest([&[0; 32][..], b"one"].concat()).into() });
    let second = first.then(b"two");
    assert_eq!(second, Link { seq: 2, hash: Sha256::digest([&first.hash[..], b"two"].concat()).into() });
    assert_ne!(Link::default().then(b"onetwo").hash, second.hash);
}

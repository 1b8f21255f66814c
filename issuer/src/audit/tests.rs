//! What an event looks like, and what it cannot hold.

use super::*;
use sha2::{Digest, Sha256};
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

/// A chain of three runs, of two events each, behind `before`.
fn chain(before: Link) -> (Extent, Vec<Run>) {
    let mut newest = before;
    let runs = (0..3).map(|run| {
        let events = (0..2).map(|event| format!(r#"{{"at":{run},"act":"{event}"}}"#).into_bytes()).collect();
        let run = Run { before: newest, events };
        newest = run.end();
        run
    });
    let runs = runs.collect();
    (Extent { before, newest }, runs)
}

fn judge(extent: Extent, runs: &[Run], noted: Vec<Link>) -> Result<Link, Broken> {
    let mut check = Check::new(extent, noted);
    runs.iter().try_for_each(|run| check.run(run))?;
    check.end()
}

#[test]
fn a_chain_as_it_was_written_is_proven_up_to_its_newest_event() {
    for before in [Link::default(), Link { seq: 40, hash: [7; 32] }] {
        let (extent, runs) = chain(before);
        let noted: Vec<Link> = runs.iter().flat_map(|run| run.links().map(|(link, _)| link)).chain([before]).collect();
        assert_eq!(judge(extent, &runs, noted), Ok(extent.newest));
        assert_eq!(judge(Extent { before, newest: before }, &[], vec![before]), Ok(before));
    }
}

#[test]
fn every_single_change_to_a_chain_is_found_and_its_place_is_named() {
    let (extent, runs) = chain(Link::default());
    let broken = |change: &dyn Fn(&mut Vec<Run>)| {
        let mut changed = runs.clone();
        change(&mut changed);
        judge(extent, &changed, vec![]).unwrap_err()
    };
    assert_eq!(broken(&|runs| runs[1].events[0][6] ^= 1), Broken::Changed { first: 3, last: 4 });
    assert_eq!(broken(&|runs| runs[2].events[1][6] ^= 1), Broken::Changed { first: 5, last: 6 });
    assert_eq!(broken(&|runs| runs[1].events.swap(0, 1)), Broken::Changed { first: 3, last: 4 });
    assert_eq!(broken(&|runs| drop(runs.remove(0))), Broken::Missing { first: 1, last: 2 });
    assert_eq!(broken(&|runs| drop(runs.remove(1))), Broken::Missing { first: 3, last: 4 });
    assert_eq!(broken(&|runs| drop(runs.pop())), Broken::Missing { first: 5, last: 6 });
    assert_eq!(broken(&|runs| drop(runs[1].events.pop())), Broken::Missing { first: 4, last: 4 });
    assert_eq!(broken(&|runs| drop(runs[2].events.pop())), Broken::Missing { first: 6, last: 6 });
    assert_eq!(broken(&|runs| runs[0].events.push(b"{}".to_vec())), Broken::Changed { first: 1, last: 3 });
    assert_eq!(broken(&|runs| runs[2].events.push(b"{}".to_vec())), Broken::Beyond { seq: 7 });
    assert_eq!(broken(&|runs| runs.swap(1, 2)), Broken::Missing { first: 3, last: 4 });
    assert_eq!(broken(&|runs| runs[1].before.hash[0] ^= 1), Broken::Changed { first: 1, last: 2 });
    assert_eq!(broken(&|runs| runs.insert(1, runs[0].clone())), Broken::Changed { first: 1, last: 2 });
}

#[test]
fn a_chain_that_was_made_anew_is_found_by_what_was_noted_of_the_old_one() {
    let (extent, mut runs) = chain(Link::default());
    let noted = extent.newest;
    runs[2].events[1][6] ^= 1;
    let forged = Extent { newest: runs[2].end(), ..extent };
    assert_eq!(judge(forged, &runs, vec![]), Ok(forged.newest), "it is a chain of its own");
    assert_eq!(judge(forged, &runs, vec![noted]), Err(Broken::NotAsNoted { seq: 6 }));
    runs.pop();
    let cut = Extent { newest: runs[1].end(), ..extent };
    assert_eq!(judge(cut, &runs, vec![noted]), Err(Broken::CutOff { noted: 6, last: 4 }));
    let (later, runs) = chain(Link { seq: 40, hash: [7; 32] });
    assert_eq!(judge(later, &runs, vec![noted]), Err(Broken::NotKept { noted: 6 }));
    assert_eq!(judge(later, &runs, vec![Link { seq: 40, hash: [8; 32] }]), Err(Broken::NotAsNoted { seq: 40 }));
}

#[test]
fn a_filter_wants_what_every_member_of_it_names() {
    let event = Event::new(Act::ClientRevoked, &Origin::internal(), at(5)).client("admin").target("back\"end");
    let event = event.subject("user-1").sid(SessionId([0; 16])).to_bytes();
    let wants = |filter: Filter| filter.wants(&Seen::of(&event).unwrap());
    let text = |text: &str| Some(text.to_owned());
    let none = Filter::default;
    let sid = text("AAAAAAAAAAAAAAAAAAAAAA");
    assert!(wants(none()) && wants(Filter { sub: text("user-1"), sid, from: Some(at(5)), to: Some(at(6)), ..none() }));
    assert!(wants(Filter { client_id: text("admin"), act: Some(Act::ClientRevoked), ..none() }));
    assert!(wants(Filter { client_id: text("back\"end"), ..none() }));
    assert!(!wants(Filter { client_id: text("backend"), ..none() }));
    assert!(!wants(Filter { sub: text("user"), ..none() }) && !wants(Filter { sid: text("A"), ..none() }));
    assert!(!wants(Filter { act: Some(Act::AllRevoked), ..none() }));
    assert!(!wants(Filter { from: Some(at(6)), ..none() }) && !wants(Filter { to: Some(at(5)), ..none() }));
    let bare = Event::new(Act::DaemonStarted, &Origin::internal(), at(5)).to_bytes();
    assert!(!Filter { sub: text("user-1"), ..none() }.wants(&Seen::of(&bare).unwrap()));
    assert!(Seen::of(b"{}").is_none() && Seen::of(b"").is_none());
}

#[test]
fn operators_are_told_what_each_act_means_and_of_no_other() {
    let page = include_str!("../../../docs/operations.md");
    let (_, table) = page.split_once("| act | what happened |\n|---|---|\n").unwrap();
    let rows = table.lines().map_while(|line| line.strip_prefix("| `")?.split_once('`')).map(|(name, _)| name);
    let (mut told, mut acts): (Vec<_>, Vec<_>) = (rows.collect(), Act::ALL.iter().map(|act| act.name()).collect());
    told.sort_unstable();
    acts.sort_unstable();
    assert_eq!(told, acts);
}

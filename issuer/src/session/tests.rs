//! The table of the module, row by row, and what each row must not touch.

use super::*;

const WINDOW: u64 = 30;

pub(super) fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(1_800_000_000 + secs).unwrap()
}

pub(super) fn begun(now: UnixTime) -> Session {
    let grant = Grant {
        sub: "user-1".to_owned(),
        aud: vec!["api".to_owned()],
        scope: Some("read write admin".to_owned()),
        roles: vec!["editor".to_owned()],
        permissions: Vec::new(),
        auth_time: Some(now),
        nbf: None,
        claims: r#"{"tenant":"t-1"}"#.to_owned(),
        status: false,
    };
    let start = Start {
        device: None,
        sid: SessionId([7; 16]),
        client_id: "backend".to_owned(),
        grant,
        access_ttl_secs: 900,
        lives: Some((3_600, 10_000)),
        kid: "k1".to_owned(),
        now,
    };
    start.begin(5)
}

/// A presentation of this generation at `now`, with a fitting place.
pub(super) fn presented(session: &Session, generation: u64, now: UnixTime) -> Presentation {
    Presentation {
        client_id: "backend".to_owned(),
        generation,
        scope: None,
        fresh: None,
        place: Jti::new(session.next_times(now).exp, 77),
        kid: "k1".to_owned(),
        retry_window_secs: WINDOW,
        leeway_secs: 5,
        certain: now,
        now,
    }
}

fn present(session: &Session, generation: u64, now: UnixTime) -> Step {
    session.clone().present(&presented(session, generation, now), |_| true)
}

fn rotated(session: &Session, now: UnixTime) -> Session {
    let step = present(session, session.renewal.as_ref().unwrap().generation, now);
    assert_eq!((step.outcome, step.changed, step.revoked.len()), (Outcome::Rotated, true, 0));
    step.session
}

fn untouched(session: &Session, step: &Step) -> bool {
    !step.changed && step.revoked.is_empty() && step.session == *session
}

#[test]
fn the_newest_generation_rotates() {
    let first = begun(at(0));
    let second = rotated(&first, at(100));
    let renewal = second.renewal.clone().unwrap();
    assert_eq!((renewal.generation, renewal.expires_at, renewal.ends_at), (2, at(3_700), at(10_000)));
    assert_eq!((second.last.iat, second.last.exp, second.last.index), (at(100), at(1_000), 77));
    assert_eq!(second.live.len(), 2);
}

#[test]
fn a_live_token_tells_when_it_was_issued_and_one_cut_short_tells_no_later_time() {
    let first = begun(at(0));
    let third = rotated(&rotated(&first, at(100)), at(250));
    assert_eq!(third.live.iter().map(|live| third.issued(live)).collect::<Vec<_>>(), [at(0), at(100), at(250)]);
    let mut idle = first.clone();
    idle.renewal.as_mut().unwrap().idle_secs = 60; // so short that the access token ends with it
    let after = rotated(&rotated(&idle, at(50)), at(80));
    assert_eq!(after.issued(&after.live[1]), at(50));
    let mut ending = first;
    ending.renewal.as_mut().unwrap().ends_at = at(500);
    let mut after = rotated(&rotated(&ending, at(300)), at(400));
    after.live[1].index = 78; // `rotated` gives every token the same place; an issuer gives no place twice
    assert_eq!((after.live[1].exp, after.issued(&after.live[2])), (at(500), at(400)));
    assert!(after.issued(&after.live[1]) <= at(300));
}

#[test]
fn the_one_before_repeats_within_the_window_and_not_a_second_longer() {
    let second = rotated(&begun(at(0)), at(100));
    for now in [100, 101, 129] {
        let step = present(&second, 1, at(now));
        assert!(step.outcome == Outcome::Repeated && untouched(&second, &step), "{now}");
    }
    let step = present(&second, 1, at(130));
    assert_eq!(step.outcome, Outcome::Refused(GrantFault::Reused));
}

#[test]
fn the_one_before_is_reuse_once_the_newest_was_used() {
    let third = rotated(&rotated(&begun(at(0)), at(100)), at(101));
    let step = present(&third, 1, at(102));
    assert_eq!(step.outcome, Outcome::Refused(GrantFault::Reused));
    assert_eq!(step.session.ended, Some(Ended { reason: EndReason::Reused, at: at(102) }));
    assert_eq!(step.revoked.len(), 3, "every live access token goes with it");
    assert!(step.session.live.is_empty());
}

#[test]
fn a_generation_never_issued_below_is_reuse_and_above_is_a_restore() {
    let session = rotated(&begun(at(0)), at(100));
    assert_eq!(present(&session, 0, at(101)).outcome, Outcome::Refused(GrantFault::Reused));
    for above in [3, 4, u64::MAX] {
        let step = present(&session, above, at(101));
        assert_eq!(step.outcome, Outcome::Refused(GrantFault::AboveNewest));
        assert_eq!(step.session.ended.unwrap().reason, EndReason::AboveNewest);
        assert_eq!(step.revoked.len(), 2);
    }
}

#[test]
fn with_a_withdrawn_key_a_retry_rotates() {
    let second = rotated(&begun(at(0)), at(100));
    let step = second.clone().present(&presented(&second, 1, at(101)), |kid| kid != "k1");
    assert_eq!((step.outcome, step.session.renewal.unwrap().generation), (Outcome::Rotated, 3));
}

#[test]
fn another_client_burns_nothing_whatever_it_presents() {
    let session = rotated(&begun(at(0)), at(100));
    for generation in [0, 1, 2, 3] {
        let other = Presentation { client_id: "other".to_owned(), ..presented(&session, generation, at(500)) };
        let step = session.clone().present(&other, |_| true);
        assert!(step.outcome == Outcome::Refused(GrantFault::WrongClient) && untouched(&session, &step));
    }
}

#[test]
fn both_clocks_end_a_session_and_change_nothing_in_it() {
    let session = begun(at(0));
    assert_eq!(present(&session, 1, at(3_599)).outcome, Outcome::Rotated);
    let step = present(&session, 1, at(3_600));
    assert!(step.outcome == Outcome::Refused(GrantFault::Expired) && untouched(&session, &step));
    let mut session = session;
    for now in [3_000, 6_000, 9_000] {
        session = rotated(&session, at(now));
    }
    assert_eq!(session.renewal.as_ref().unwrap().expires_at, at(10_000), "the idle clock stops at the absolute one");
    assert_eq!(present(&session, 4, at(9_999)).session.last.exp, at(10_000), "no access token outlives its session");
    assert_eq!(present(&session, 4, at(10_000)).outcome, Outcome::Refused(GrantFault::Expired));
}

#[test]
fn an_ended_session_answers_nothing_any_more() {
    let session = begun(at(0)).revoke(at(10));
    assert_eq!((session.outcome, session.revoked.len()), (Outcome::Revoked, 1));
    let ended = session.session;
    for generation in [0, 1, 2] {
        let step = present(&ended, generation, at(11));
        assert!(step.outcome == Outcome::Refused(GrantFault::Ended) && untouched(&ended, &step));
    }
    let again = ended.clone().revoke(at(12));
    assert!(again.outcome == Outcome::AlreadyEnded && untouched(&ended, &again));
}

#[test]
fn a_narrower_scope_goes_for_one_access_token_and_a_retry_must_ask_for_the_same() {
    let first = begun(at(0));
    let ask = |session: &Session, generation, scope: Option<&str>| {
        let asked = Presentation { scope: scope.map(str::to_owned), ..presented(session, generation, at(100)) };
        session.clone().present(&asked, |_| true)
    };
    assert!(
        matches!(ask(&first, 1, Some("read root")), step if step.outcome == Outcome::ScopeRefused && untouched(&first, &step))
    );
    let second = ask(&first, 1, Some("write read")).session;
    assert_eq!(second.last.scope.as_deref(), Some("read write"), "in the order of the grant");
    assert_eq!(second.grant.scope.as_deref(), Some("read write admin"));
    for same in ["read write", "write read"] {
        assert_eq!(ask(&second, 1, Some(same)).outcome, Outcome::Repeated);
    }
    for other in [None, Some("read"), Some("read write admin"), Some("root")] {
        assert!(
            matches!(ask(&second, 1, other), step if step.outcome == Outcome::ScopeRefused && untouched(&second, &step))
        );
    }
    assert_eq!(
        ask(&second, 2, None).session.last.scope.as_deref(),
        Some("read write admin"),
        "narrowing does not stick"
    );
}

#[test]
fn a_scope_is_asked_of_a_session_that_has_none_in_vain() {
    let mut session = begun(at(0));
    session.grant.scope = None;
    let asked = Presentation { scope: Some("read".to_owned()), ..presented(&session, 1, at(1)) };
    assert_eq!(session.present(&asked, |_| true).outcome, Outcome::ScopeRefused);
}

#[test]
fn a_clock_that_goes_back_ends_nothing_and_dates_nothing_back() {
    let second = rotated(&begun(at(5_000)), at(5_100));
    let step = present(&second, 2, at(0));
    assert_eq!(step.outcome, Outcome::Rotated);
    assert_eq!((step.session.last.iat, step.session.last.exp), (at(5_100), at(6_000)));
    assert_eq!(present(&second, 1, at(0)).outcome, Outcome::Repeated);
}

#[test]
fn live_tokens_are_forgotten_after_expiry_and_leeway_and_never_by_an_uncertain_clock() {
    let mut session = begun(at(0));
    session = rotated(&session, at(900));
    let later = |certain| Presentation { certain, ..presented(&session, 2, at(1_000)) };
    assert_eq!(session.clone().present(&later(at(904)), |_| true).session.live.len(), 3);
    assert_eq!(session.clone().present(&later(at(905)), |_| true).session.live.len(), 2);
}

#[test]
fn a_full_session_says_when_there_is_room_and_changes_nothing() {
    let mut session = begun(at(0));
    for generation in 1..512 {
        session = present(&session, generation, at(generation / 100)).session;
    }
    assert_eq!(session.live.len(), MAX_LIVE_TOKENS);
    let step = present(&session, 512, at(100));
    assert!(step.outcome == Outcome::Full { retry_after_secs: 805 } && untouched(&session, &step));
    assert_eq!(present(&session, 512, at(905)).outcome, Outcome::Rotated);
    assert_eq!(session.revoke(at(100)).revoked.len(), MAX_LIVE_TOKENS);
}

#[test]
fn a_place_in_another_epoch_is_sent_back() {
    let session = begun(at(0));
    let wrong = Presentation { place: Jti { epoch: 1, index: 0 }, ..presented(&session, 1, at(1)) };
    let step = session.clone().present(&wrong, |_| true);
    assert!(step.outcome == Outcome::WrongPlace && untouched(&session, &step));
}

#[test]
fn client_credentials_have_no_refresh_side_and_can_be_revoked() {
    let mut session = begun(at(0));
    session.renewal = None;
    assert_eq!(present(&session, 1, at(1)).outcome, Outcome::Refused(GrantFault::UnknownSession));
    assert_eq!(session.expires_at(), session.last.exp);
    assert_eq!(session.revoke(at(1)).revoked, [Jti::new(at(900), 5)]);
}

#[test]
fn a_sid_has_one_spelling() {
    let sid = SessionId([0xfb; 16]);
    assert_eq!(SessionId::parse(&sid.to_string()), Some(sid));
    for text in ["", "AAAA", "+/v7+/v7+/v7+/v7+/v7-w", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAAAA=="] {
        assert_eq!(SessionId::parse(text), None, "{text}");
    }
}

#[test]
fn a_session_takes_so_many_exchanged_tokens_until_the_first_expires_and_ends_with_all_of_them() {
    let token = |index: u32, exp| Exchanged { exp: at(exp), index, iat: at(0), client_id: "other".to_owned() };
    let mut session = begun(at(0));
    for index in 0..u32::try_from(MAX_EXCHANGED).unwrap() {
        let step = session.exchange(token(index, 100 + u64::from(index)), 5, at(0));
        assert_eq!((step.outcome, step.changed), (Outcome::Exchanged, true));
        session = step.session;
    }
    let full = session.clone().exchange(token(99, 500), 5, at(10));
    assert!(untouched(&session, &full));
    assert_eq!(full.outcome, Outcome::Full { retry_after_secs: 95 });
    let step = session.clone().exchange(token(99, 500), 5, at(105));
    assert_eq!((step.outcome, step.session.exchanged.len()), (Outcome::Exchanged, MAX_EXCHANGED));
    let ended = step.session.revoke(at(106));
    let revoked: std::collections::BTreeSet<Jti> = ended.revoked.iter().copied().collect();
    assert_eq!(revoked.len(), MAX_EXCHANGED + 1, "with the one access token of the session");
    assert!(revoked.contains(&token(99, 500).jti()) && !revoked.contains(&token(0, 100).jti()));
    assert!(ended.session.exchanged.is_empty());
    let late = ended.session.clone().exchange(token(7, 500), 5, at(106));
    assert_eq!((late.outcome, late.changed), (Outcome::Refused(GrantFault::Ended), false));
}

//! The ring and its schedule.

mod lives;

use super::*;
use std::cell::Cell;

const DAY: u64 = 86_400;

fn start() -> UnixTime {
    UnixTime::from_secs(1_700_000_000).unwrap()
}

fn at(secs: u64) -> UnixTime {
    start().plus_secs(secs)
}

fn env(seed: u64) -> Env {
    Env::fixed(start(), seed).0
}

fn created() -> (Vec<SealedKey>, MasterKey) {
    let (master, _) = MasterKey::generate(&env(1)).unwrap();
    let keys = KeyRing::create(&env(1), &master, Algorithm::EdDsa, start()).unwrap();
    (keys, master)
}

fn drawn(purpose: Purpose, state: KeyState, secs: u64, master: &MasterKey) -> SealedKey {
    KeyRing::draw(purpose, (state, at(secs)), &fresh(), master, Algorithm::EdDsa).unwrap()
}

/// Other randomness each time.
fn fresh() -> Env {
    thread_local!(static SEED: Cell<u64> = const { Cell::new(100) });
    SEED.set(SEED.get() + 1);
    env(SEED.get())
}

fn schedule() -> Schedule {
    Schedule { rotate_every_secs: 90 * DAY, publish_before_secs: DAY, cached_secs: 310, token_secs: 1_000 }
}

fn due(ring: &KeyRing, secs: u64, shown: u64) -> Vec<Due> {
    ring.due(&schedule(), &View { now: at(secs), certain: at(secs), shown_secs: &|_| shown })
}

fn states(rows: &[SealedKey]) -> Vec<KeyState> {
    rows.iter().map(|row| row.state).collect()
}

#[test]
fn a_new_ring_has_one_key_for_each_purpose_and_publishes_both() {
    let (sealed, master) = created();
    let ring = KeyRing::open(&sealed, &master).unwrap();
    assert_eq!(ring.token_signer().public().purpose(), Purpose::Token);
    assert_eq!(ring.list_signer().public().purpose(), Purpose::Revocations);
    assert_eq!(KeySet::parse(ring.jwks().as_bytes()).unwrap().keys().len(), 2);
    assert!(!ring.jwks().contains("\"d\""));
}

#[test]
fn each_state_is_published_signs_again_and_tells_refresh_tokens_as_the_table_says() {
    let (sealed, master) = created();
    let other = drawn(Purpose::Token, KeyState::Next, 0, &master);
    for (state, published, signs_again, tells) in [
        (KeyState::Next, true, false, true),
        (KeyState::Retired, true, true, true),
        (KeyState::Kept, false, false, true),
        (KeyState::Withdrawn, false, false, false),
    ] {
        let other = SealedKey { state, ..other.clone() };
        let kid = other.kid.clone();
        let ring = KeyRing::open(&[&sealed[..], &[other]].concat(), &master).unwrap();
        let is_in = |set: &KeySet| set.keys().iter().any(|key| key.kid() == kid);
        assert_eq!((is_in(ring.public()), ring.jwks().contains(&kid)), (published, published), "{state:?}");
        assert_eq!((ring.signed_with(&kid).is_some(), is_in(ring.refresh())), (signs_again, tells), "{state:?}");
        assert_ne!(ring.token_signer().kid(), kid);
        assert!(ring.signed_with(ring.list_signer().kid()).is_none(), "a list key never signs a token");
    }
}

#[test]
fn a_ring_without_an_active_key_for_a_purpose_or_with_two_does_not_open() {
    let (mut sealed, master) = created();
    let several = [sealed.clone(), vec![drawn(Purpose::Token, KeyState::Active, 0, &master)]].concat();
    assert_eq!(KeyRing::open(&several, &master).err(), Some(KeyFault::Several { purpose: "token" }));
    sealed[1].state = KeyState::Retired;
    assert_eq!(KeyRing::open(&sealed, &master).err(), Some(KeyFault::Missing { purpose: "revocations" }));
    assert_eq!(KeyRing::open(&[], &master).err(), Some(KeyFault::Missing { purpose: "token" }));
}

#[test]
fn an_active_key_without_its_private_half_is_none() {
    let (mut sealed, master) = created();
    sealed[0] = sealed[0].without_private_half([7; 24], &master).unwrap();
    assert_eq!(KeyRing::open(&sealed, &master).err(), Some(KeyFault::Missing { purpose: "token" }));
}

#[test]
fn withdrawing_an_active_key_brings_the_next_one_or_a_new_one_and_another_none() {
    let (sealed, master) = created();
    let now = at(9);
    for key in &sealed {
        let ring = KeyRing::open(&sealed, &master).unwrap();
        let rows = ring.withdraw(key, None, (&env(2), &master, Algorithm::Ed25519), now).unwrap();
        assert_eq!((rows[0].state, rows[0].since, rows[0].half), (KeyState::Withdrawn, now, Half::Public));
        let new = (rows[1].purpose, rows[1].state, rows[1].algorithm, rows[1].since);
        assert_eq!(new, (key.purpose, KeyState::Active, Algorithm::Ed25519, now));
        assert!(rows[0].kid == key.kid && rows[1].kid != key.kid && rows.len() == 2);
        let next = drawn(key.purpose, KeyState::Next, 0, &master);
        let ring = KeyRing::open(&[&sealed[..], std::slice::from_ref(&next)].concat(), &master).unwrap();
        let rows = ring.withdraw(key, Some(at(8)), (&env(2), &master, Algorithm::Ed25519), now).unwrap();
        assert_eq!((&rows[1].kid, rows[1].state, rows[1].since), (&next.kid, KeyState::Active, now));
        assert_eq!(rows[0].signed, Some(Signed { from: start(), until: Some(at(8)) }));
        for state in [KeyState::Next, KeyState::Retired, KeyState::Kept] {
            let key = SealedKey { state, ..next.clone() };
            let rows = ring.withdraw(&key, None, (&env(2), &master, Algorithm::EdDsa), now).unwrap();
            assert_eq!(states(&rows), [KeyState::Withdrawn], "{state:?}");
        }
    }
}

#[test]
fn a_next_key_is_made_in_time_and_signs_when_everybody_knows_it() {
    let (sealed, master) = created();
    let ring = KeyRing::open(&sealed, &master).unwrap();
    assert_eq!(due(&ring, 89 * DAY - 1, u64::MAX), []);
    assert_eq!(due(&ring, 89 * DAY, 0), [Due::Create(Purpose::Token), Due::Create(Purpose::Revocations)]);
    let never = Schedule { rotate_every_secs: 0, ..schedule() };
    let view = View { now: at(900 * DAY), certain: at(900 * DAY), shown_secs: &|_| 0 };
    assert_eq!(ring.due(&never, &view), []);
    let next = drawn(Purpose::Token, KeyState::Next, 89 * DAY, &master);
    let ring = KeyRing::open(&ring.with(&[next]), &master).unwrap();
    let switches = |secs, shown| due(&ring, secs, shown).contains(&Due::Switch(Purpose::Token));
    assert!(!switches(90 * DAY - 1, DAY - 1), "not published for long enough");
    assert!(!switches(900 * DAY, 309), "the daemon was off for years: this process has not shown it for long enough");
    assert!(switches(90 * DAY, 310));
    assert!(switches(0, DAY), "a calendar that is wrong does not hold it up");
}

#[test]
fn a_key_is_of_a_wrong_clock_when_it_is_ahead_of_what_is_signed_and_not_of_what_is_certain() {
    let master = created().1;
    let rows =
        [Purpose::Token, Purpose::Revocations].map(|purpose| drawn(purpose, KeyState::Active, 10 * DAY, &master));
    let ring = KeyRing::open(&rows, &master).unwrap();
    let due = |now, certain| ring.due(&schedule(), &View { now: at(now), certain: at(certain), shown_secs: &|_| 0 });
    assert_eq!(due(10 * DAY, 0), [], "a machine that was off for days is certain of less than it signs");
    assert_eq!(due(8 * DAY, 8 * DAY).len(), 2, "a date in the future holds nothing up");
}

#[test]
fn a_switch_retires_one_key_and_activates_the_other_with_their_dates_apart() {
    let (sealed, master) = created();
    let next = drawn(Purpose::Token, KeyState::Next, 5, &master);
    let ring = KeyRing::open(&[&sealed[..], std::slice::from_ref(&next)].concat(), &master).unwrap();
    let rows = ring.switch(Purpose::Token, at(100));
    assert_eq!(states(&rows), [KeyState::Active, KeyState::Retired]);
    assert_eq!((&rows[0].kid, rows[0].signed), (&next.kid, Some(Signed { from: at(101), until: None })));
    assert_eq!(rows[1].signed, Some(Signed { from: start(), until: Some(at(100)) }));
    let ring = KeyRing::open(&ring.with(&rows), &master).unwrap();
    assert_eq!(ring.token_signer().kid(), next.kid);
    assert!(ring.signed_with(&sealed[0].kid).is_some());
}

#[test]
fn what_has_retired_is_kept_without_its_private_half_and_then_forgotten() {
    let (sealed, master) = created();
    let rows: Vec<SealedKey> =
        [Purpose::Token, Purpose::Revocations].map(|purpose| drawn(purpose, KeyState::Next, 0, &master)).to_vec();
    let ring = KeyRing::open(&[sealed.clone(), rows].concat(), &master).unwrap();
    let ring = KeyRing::open(&ring.with(&ring.switch(Purpose::Token, at(50))), &master).unwrap();
    let ring = KeyRing::open(&ring.with(&ring.switch(Purpose::Revocations, at(50))), &master).unwrap();
    let (token, list) = (sealed[0].kid.clone(), sealed[1].kid.clone());
    assert_eq!(due(&ring, 1_049, 0), []);
    assert_eq!(due(&ring, 1_050, 0), [Due::Keep(token.clone())]);
    let kept = ring.keep(&token, &env(3), &master, at(1_050)).unwrap().unwrap();
    assert_eq!((kept.state, kept.half), (KeyState::Kept, Half::Public));
    let ring = KeyRing::open(&ring.with(&[kept]), &master).unwrap();
    assert_eq!(due(&ring, 50 + schedule::LIST_SECS - 1, 0), []);
    assert_eq!(due(&ring, 50 + schedule::LIST_SECS, 0), [Due::Forget(list)]);
    let last = due(&ring, 50 + schedule::SESSION_SECS, 0);
    assert!(last.contains(&Due::Forget(token.clone())));
    assert!(!due(&ring, 49 + schedule::SESSION_SECS, 0).contains(&Due::Forget(token)));
}

#[test]
fn a_key_dated_by_a_clock_that_was_far_ahead_is_replaced_and_not_waited_for() {
    let (mut sealed, master) = created();
    sealed[0] = SealedKey { since: at(5_000 * DAY), ..sealed[0].clone() };
    let ring = KeyRing::open(&sealed, &master).unwrap();
    assert_eq!(due(&ring, 1, 0), [Due::Create(Purpose::Token)]);
}

#[test]
fn no_key_is_made_beyond_what_may_be_published() {
    let (sealed, master) = created();
    let retired = || SealedKey { state: KeyState::Retired, ..drawn(Purpose::Token, KeyState::Next, 80 * DAY, &master) };
    let many: Vec<SealedKey> = (2..MAX_PUBLISHED).map(|_| retired()).collect();
    let ring = KeyRing::open(&[sealed, many].concat(), &master).unwrap();
    assert!(due(&ring, 80 * DAY, 0).is_empty());
    let late = due(&ring, 89 * DAY, 0);
    assert!(late.iter().all(|due| matches!(due, Due::Keep(_))), "they go first: {late:?}");
}

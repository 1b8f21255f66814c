//! Keys that change: nobody notices, whatever happens in between.

use super::*;
use crate::keys::KeyState;
use std::collections::VecDeque;
use token::jwk::Purpose;
use token::revocation::RevocationList;

/// A key signs for an hour and is published for ten minutes before.
fn turning() -> Settings {
    let keys = KeyLife { rotate_every_secs: 3_600, publish_before_secs: 600 };
    Settings { max_access_ttl_secs: 900, keys, ..settings() }
}

fn active(world: &World) -> (String, String) {
    let ring = world.issuer.parts.keys.ring();
    (ring.token_signer().kid().to_owned(), ring.list_signer().kid().to_owned())
}

fn key_set(world: &World) -> KeySet {
    KeySet::parse(world.issuer.jwks().as_bytes()).unwrap()
}

fn state(world: &World, kid: &str) -> Option<KeyState> {
    world.issuer.parts.keys.ring().rows().iter().find(|row| row.kid == kid).map(|row| row.state)
}

async fn passes(world: &World, secs: u64) {
    world.clock.advance_secs(secs);
    world.issuer.tick().await;
}

/// Lets the active token key be replaced and returns the one before.
async fn turned(world: &World) -> String {
    let before = active(world).0;
    world.issuer.rotate_key(&world.admin, Purpose::Token).await.unwrap();
    passes(world, 600).await;
    assert_ne!(active(world).0, before);
    before
}

#[tokio::test]
async fn a_verifier_whose_keys_are_as_old_as_they_may_be_refuses_no_token_and_no_list_over_rotations() {
    let world = world_with(turning()).await;
    let first = active(&world);
    let mut cached: VecDeque<(UnixTime, KeySet)> = VecDeque::from([(world.now(), key_set(&world))]);
    let mut alive: VecDeque<(UnixTime, TokenAnswer)> = VecDeque::new();
    let mut signers = std::collections::BTreeSet::new();
    let mut session = world.pair().await;
    for step in 0..900_u64 {
        passes(&world, 13).await;
        let now = world.now();
        cached.push_back((now, key_set(&world)));
        while cached[1].0 <= now.minus_secs(300) {
            cached.pop_front();
        }
        let mut oldest = Verifier::new(policy(), cached[0].1.clone()).unwrap();
        oldest.load_revocations(&world.issuer.revocation_list().document, now).unwrap();
        if step % 40 == 0 {
            session = world.refresh(&session).await.unwrap();
            alive.push_back((now, session.clone()));
        }
        let pair = world.pair().await;
        signers.insert(oldest.verify(&pair.access_token, now).unwrap().kid);
        alive.push_back((now, pair));
        while alive[0].0.plus_secs(900 + 4) < now {
            alive.pop_front();
        }
        if step % 10 == 0 {
            let newest = world.verifier(policy());
            for (issued, pair) in &alive {
                assert!(newest.verify(&pair.access_token, now).is_ok(), "issued at {issued:?}");
            }
        }
    }
    assert!(signers.len() == 4 && active(&world).1 != first.1, "three hours and a quarter: {}", signers.len());
}

#[tokio::test]
async fn a_refresh_token_outlives_the_publication_of_its_key_and_a_withdrawal_ends_it() {
    let world = world_with(turning()).await;
    let (pair, other) = (world.pair().await, world.pair().await);
    let old = turned(&world).await;
    assert_eq!(state(&world, &old), Some(KeyState::Retired));
    let repeated = (world.refresh(&pair).await.unwrap(), world.refresh(&pair).await.unwrap());
    assert_eq!(body(&repeated.0), body(&repeated.1));
    passes(&world, 920).await;
    assert_eq!(state(&world, &old), Some(KeyState::Kept));
    assert!(key_set(&world).keys().iter().all(|key| key.kid() != old));
    let introspected = world.issuer.introspect(&world.admin, other.refresh_token.as_ref().unwrap()).await.unwrap();
    assert!(introspected.is_active());
    let next = world.refresh(&other).await.unwrap();
    assert_eq!(world.verify(&next.access_token).unwrap().kid, active(&world).0);
    let world = world.reopened().await;
    let third = world.pair().await;
    assert_eq!(state(&world, &old), Some(KeyState::Kept));
    world.issuer.revoke_by(&world.admin, RevocationRequest::Key { kid: old.clone() }).await.unwrap();
    assert_eq!(world.refresh(&other).await.err(), Some(Error::InvalidGrant(GrantFault::NotOurs)));
    assert!(world.verify(&third.access_token).is_ok() && world.refresh(&next).await.is_ok());
}

#[tokio::test]
async fn what_was_signed_right_before_a_switch_is_answered_again_with_the_same_bytes() {
    let world = world_with(turning()).await;
    world.issuer.rotate_key(&world.admin, Purpose::Token).await.unwrap();
    world.clock.advance_secs(600);
    let pair = world.pair().await;
    let (old, answer) = (active(&world).0, world.refresh(&pair).await.unwrap());
    world.issuer.tick().await;
    assert_ne!(active(&world).0, old);
    assert_eq!(body(&world.refresh(&pair).await.unwrap()), body(&answer));
    let next = world.pair().await;
    let issued = |answer: &TokenAnswer| world.verify(&answer.access_token).unwrap().claims.iat;
    assert!(issued(&next) > issued(&answer), "their dates part the tokens of two keys");
}

#[tokio::test]
async fn after_months_off_the_next_key_is_published_first_and_signs_later() {
    let world = world_with(turning()).await;
    let pair = world.pair().await;
    let old = active(&world);
    world.clock.advance_secs(200 * 86_400);
    let world = world.reopened().await;
    world.issuer.tick().await;
    let next: Vec<_> = key_set(&world).keys().iter().map(|key| key.kid().to_owned()).collect();
    assert!(next.len() == 4 && active(&world) == old);
    // It stops once more, for months, right after the new keys were published.
    world.clock.advance_secs(200 * 86_400);
    let world = world.reopened().await;
    world.issuer.tick().await;
    assert_eq!(active(&world), old, "nobody could ask for the keys meanwhile");
    passes(&world, 309).await;
    assert_eq!(active(&world), old);
    passes(&world, 1).await;
    assert!(active(&world).0 != old.0 && active(&world).1 != old.1);
    assert!(world.verify(&world.pair().await.access_token).is_ok());
    assert!(world.refresh(&pair).await.is_err(), "its session is over");
}

#[tokio::test]
async fn a_calendar_that_jumps_back_or_far_ahead_stops_no_token_and_unpublishes_no_key() {
    let world = world_with(turning()).await;
    let old = turned(&world).await;
    let pair = world.pair().await;
    let later = world.now().plus_secs(60);
    world.clock.jump_to(world.now().plus_secs(40 * 86_400));
    world.issuer.tick().await;
    assert_eq!(state(&world, &old), Some(KeyState::Retired), "a jump ahead is not time that has passed");
    world.clock.jump_to(later.minus_secs(20_000));
    passes(&world, 1_000).await;
    assert_eq!(state(&world, &old), Some(KeyState::Retired));
    world.clock.jump_to(later);
    world.issuer.tick().await;
    assert!(world.verify(&pair.access_token).is_ok());
    passes(&world, 920).await;
    assert_eq!(state(&world, &old), Some(KeyState::Kept));
}

#[tokio::test]
async fn a_restart_after_each_step_of_a_switch_finds_the_keys_before_it_or_after_it() {
    let world = world_with(turning()).await;
    let (pair, old) = (world.pair().await, active(&world).0);
    world.issuer.rotate_key(&world.admin, Purpose::Token).await.unwrap();
    world.clock.advance_secs(600);
    // Decided, and nothing stored.
    let parts = &world.issuer.parts;
    let rows = parts.keys.ring().switch(Purpose::Token, parts.moments.part());
    let world = world.reopened().await;
    assert_eq!(active(&world).0, old);
    assert!(world.verify(&pair.access_token).is_ok());
    // Stored, and not in use.
    world.issuer.parts.store.put_keys(rows.clone(), vec![]).await.unwrap();
    let late = world.pair().await;
    let world = world.reopened().await;
    assert_eq!((active(&world).0, state(&world, &old)), (rows[0].kid.clone(), Some(KeyState::Retired)));
    assert!(world.verify(&late.access_token).is_ok() && world.refresh(&late).await.is_ok());
    // Every step after it, with a restart between the decision and the next tick.
    let mut world = world;
    for days in [1, 1].into_iter().chain(std::iter::repeat_n(40, 10)) {
        world.clock.advance_secs(days * 86_400);
        world = world.reopened().await;
        world.issuer.tick().await;
        assert!(world.verify(&world.pair().await.access_token).is_ok());
        if state(&world, &old).is_none() {
            return;
        }
    }
    panic!("the key was never forgotten");
}

#[tokio::test]
async fn after_a_restart_a_key_signs_nothing_that_is_dated_before_it_began() {
    let world = world_with(turning()).await;
    world.issuer.rotate_key(&world.admin, Purpose::Token).await.unwrap();
    world.clock.advance_secs(600);
    world.pair().await; // so the parting moves dates ahead of the calendar
    let parts = &world.issuer.parts;
    let rows = parts.keys.ring().switch(Purpose::Token, parts.moments.part());
    parts.store.put_keys(rows.clone(), vec![]).await.unwrap();
    let world = world.reopened().await;
    assert_eq!(rows[0].since, world.issuer.parts.env.now().plus_secs(1), "it is dated ahead");
    assert_eq!(world.verify(&world.pair().await.access_token).unwrap().claims.iat, rows[0].since);
}

#[tokio::test]
async fn keys_are_shown_to_administrators_and_a_next_key_is_made_once() {
    let world = world_with(turning()).await;
    let other = Client { administrator: false, ..world.admin.clone() };
    assert_eq!(world.issuer.keys(&other), Err(Error::UnauthorizedClient));
    assert_eq!(world.issuer.rotate_key(&other, Purpose::Token).await, Err(Error::UnauthorizedClient));
    let next = world.issuer.rotate_key(&world.admin, Purpose::Revocations).await.unwrap();
    assert_eq!(world.issuer.rotate_key(&world.admin, Purpose::Revocations).await, Ok(next.clone()));
    let shown = world.issuer.keys(&world.admin).unwrap();
    assert!(shown.len() == 3 && shown.contains(&next));
    let now = start().as_secs();
    assert_eq!((next.state, next.purpose, next.since, next.changes_at), ("next", "revocations", now, Some(now + 600)));
    passes(&world, 600).await;
    assert_eq!(active(&world).1, next.kid);
    passes(&world, 15).await;
    let list = world.issuer.revocation_list();
    assert!(RevocationList::open(&list.document, &key_set(&world)).is_ok());
}

#[tokio::test]
async fn a_key_from_elsewhere_is_the_next_one_and_is_taken_once() {
    let world = world_with(turning()).await;
    let seed = "2Eyy5OOh9wlVy-DSb5F6NEa4LF4JEPPXpY7mJLt8kSo";
    let bytes = token::base64url::decode_array::<32>(seed).unwrap();
    let der = [&[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20][..], &bytes].concat();
    let import = |purpose| {
        use base64ct::Encoding as _;
        KeyImport { purpose, key: PrivateKey::Pkcs8(Zeroizing::new(base64ct::Base64::encode_string(&der))) }
    };
    let other = Client { administrator: false, ..world.admin.clone() };
    assert_eq!(world.issuer.import_key(&other, import(Purpose::Token)).await, Err(Error::UnauthorizedClient));
    let taken = world.issuer.import_key(&world.admin, import(Purpose::Token)).await.unwrap();
    assert_eq!((taken.state, state(&world, &taken.kid)), ("next", Some(KeyState::Next)));
    for purpose in [Purpose::Token, Purpose::Revocations] {
        let again = world.issuer.import_key(&world.admin, import(purpose)).await;
        assert!(matches!(again, Err(Error::InvalidRequest { field: "pkcs8", .. })), "{again:?}");
    }
    let world = world.reopened().await;
    passes(&world, 600).await;
    assert_eq!(active(&world).0, taken.kid);
    assert_eq!(world.verify(&world.pair().await.access_token).unwrap().kid, taken.kid);
    world.issuer.revoke_by(&world.admin, RevocationRequest::Key { kid: taken.kid.clone() }).await.unwrap();
    assert!(world.issuer.import_key(&world.admin, import(Purpose::Token)).await.is_err(), "withdrawn is for good");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_keys_change_every_answer_is_signed_by_a_published_key() {
    let keys = KeyLife { rotate_every_secs: 0, publish_before_secs: 1 };
    let world = Arc::new(world_with(Settings { jwks_max_age_secs: 1, keys, ..settings() }).await);
    let minting: Vec<_> = (0..6)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                for _ in 0..60 {
                    let pair = world.pair().await;
                    let next = world.refresh(&pair).await.unwrap();
                    for answer in [pair, next] {
                        assert!(world.verify(&answer.access_token).is_ok());
                    }
                }
            })
        })
        .collect();
    for _ in 0..12 {
        world.issuer.rotate_key(&world.admin, Purpose::Token).await.unwrap();
        world.issuer.rotate_key(&world.admin, Purpose::Revocations).await.unwrap();
        passes(&world, 11).await;
    }
    for task in minting {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn the_life_of_a_key_is_told_to_its_end() {
    use crate::audit::{Act, Filter};
    use crate::operations::audit::{Order, Query};
    let world = world_with(turning()).await;
    let old = turned(&world).await;
    passes(&world, 920).await;
    assert_eq!(state(&world, &old), Some(KeyState::Kept));
    let told = async |act: Act| {
        let filter = Filter { act: Some(act), client_id: Some(old.clone()), ..Filter::default() };
        let query = Query { filter, order: Order::OldestFirst, after: None, limit: 9 };
        world.issuer.audit_page(&world.admin, &query).await.unwrap().items.len()
    };
    assert_eq!((told(Act::KeyUnpublished).await, told(Act::KeyForgotten).await), (1, 0));
    passes(&world, 400 * 86_400).await; // longer than any session for whose refresh tokens it is kept
    passes(&world, 920).await;
    assert_eq!(state(&world, &old), None);
    assert_eq!(told(Act::KeyForgotten).await, 1);
}

//! Deltas and events: whoever follows holds at every moment what the newest full list says.

use super::*;
use std::time::Duration;
use token::revocation::RevocationList;
use token::verify::Loaded;

impl World {
    fn full(&self) -> RevocationList {
        let keys = KeySet::parse(self.issuer.jwks().as_bytes()).unwrap();
        RevocationList::open(&self.issuer.revocation_list().document, &keys).unwrap()
    }

    fn load(&self, verifier: &mut Verifier, document: &[u8]) -> Loaded {
        verifier.load_revocations(document, self.now()).unwrap()
    }

    fn assert_up_to_date(&self, verifier: &Verifier) {
        let (held, full) = (verifier.list().unwrap(), self.full());
        assert_eq!((held.head(), held.revoked()), (full.head(), full.revoked()));
    }

    async fn revoke(&self, token: &str) -> Revocation {
        self.issuer.revoke(&self.admin, token).await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_follower_is_told_of_each_list_in_turn_and_holds_what_the_newest_says() {
    let world = world().await;
    let mut verifier = world.verifier(policy());
    let mut events = world.issuer.events();
    assert_eq!(events.newest().seq, world.issuer.revocation_list().seq);
    for round in 0..5 {
        let pair = world.pair().await;
        let refresh_token = pair.refresh_token.unwrap();
        let answer = world.revoke(if round % 2 == 0 { &pair.access_token } else { &refresh_token }).await;
        let step = events.next().await.unwrap();
        assert_eq!(step.seq, answer.seq);
        assert_eq!(world.load(&mut verifier, step.delta.as_ref().unwrap().as_bytes()), Loaded::Newer);
        world.assert_up_to_date(&verifier);
        assert!(verifier.verify(&pair.access_token, world.now()).is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn one_delta_leads_from_any_list_that_is_remembered_to_the_newest() {
    let world = world().await;
    let mut verifiers = vec![world.verifier(policy())];
    for _ in 0..6 {
        let pair = world.pair().await;
        world.revoke(&pair.access_token).await;
        verifiers.push(world.verifier(policy()));
    }
    world.clock.advance_secs(900 + 512 + 5); // the epochs leave
    world.issuer.tick().await;
    assert_eq!(world.full().revoked().entries(), 0);
    for verifier in &mut verifiers {
        let seq = verifier.list().unwrap().head().seq;
        let delta = world.issuer.revocation_delta(seq).unwrap().unwrap();
        assert_eq!(delta.seq, world.issuer.revocation_list().seq);
        assert_eq!(world.issuer.revocation_delta(seq).unwrap(), Some(delta.clone()), "asked again, the same bytes");
        assert_eq!(world.load(verifier, &delta.document), Loaded::Newer);
        world.assert_up_to_date(verifier);
    }
    let newest = world.issuer.revocation_list().seq;
    let same = world.issuer.revocation_delta(newest).unwrap().unwrap();
    assert_eq!(world.load(&mut verifiers[0], &same.document), Loaded::Same);
    for unknown in [0, newest - 100, newest + 1, u64::MAX] {
        assert_eq!(world.issuer.revocation_delta(unknown), Ok(None), "{unknown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_leads_on_from_the_list_before_it_unless_the_store_is_not_whole() {
    let world = world().await;
    let (pair, late) = (world.pair().await, world.pair().await);
    world.revoke(&pair.access_token).await;
    let mut verifier = world.verifier(policy());
    world.issuer.parts.store.revoke(vec![world.place(&late.access_token)], vec![]).await.unwrap(); // and then the power goes
    let world = world.reopened().await;
    let step = world.issuer.events().newest();
    assert_eq!(world.load(&mut verifier, step.delta.as_ref().unwrap().as_bytes()), Loaded::Newer);
    world.assert_up_to_date(&verifier);
    assert!(verifier.verify(&late.access_token, world.now()).is_err());
    let lost = world.place(&pair.access_token);
    let World { issuer, clock, admin, directory } = world;
    let before = issuer.revocation_list().seq;
    issuer.close().await;
    drop(issuer);
    crate::store::SledStore::remove_revocation_for_test(directory.path(), lost);
    let issuer = open(directory.path(), settings(), Env::seeded(Arc::clone(&clock), 3)).await.unwrap();
    let world = World { issuer, clock, admin, directory };
    assert_eq!((world.issuer.revocation_delta(before), &world.issuer.events().newest().delta), (Ok(None), &None));
}

#[tokio::test(start_paused = true)]
async fn while_anybody_follows_the_list_is_signed_every_15_seconds_and_otherwise_when_it_is_due() {
    let world = world_with(Settings { list_interval_secs: 100, ..settings() }).await;
    let first = world.issuer.revocation_list().seq;
    world.clock.advance_secs(15);
    world.issuer.tick().await;
    assert_eq!(world.issuer.revocation_list().seq, first);
    let mut verifier = world.verifier(policy());
    let mut events = world.issuer.events();
    world.issuer.tick().await;
    let heartbeat = events.next().await.unwrap();
    assert_eq!(world.load(&mut verifier, heartbeat.delta.as_ref().unwrap().as_bytes()), Loaded::Newer);
    assert!(heartbeat.delta.as_ref().unwrap().len() <= 400, "{} bytes", heartbeat.delta.as_ref().unwrap().len());
    drop(events);
    world.clock.advance_secs(15);
    world.issuer.tick().await;
    assert_eq!(world.issuer.revocation_list().seq, first + 1);
}

#[tokio::test(start_paused = true)]
async fn a_follower_that_is_too_slow_misses_steps_and_its_verifier_notices() {
    let world = world().await;
    let mut verifier = world.verifier(policy());
    let mut events = world.issuer.events();
    let first = world.issuer.revocation_list().seq;
    for _ in 0..80 {
        let pair = world.pair().await;
        world.revoke(&pair.access_token).await;
    }
    let step = events.next().await.unwrap();
    assert_eq!(step.seq, first + 17, "64 steps wait");
    assert_eq!(world.load(&mut verifier, step.delta.as_ref().unwrap().as_bytes()), Loaded::Gap);
    let delta = world.issuer.revocation_delta(first).unwrap().unwrap();
    assert_eq!(world.load(&mut verifier, &delta.document), Loaded::Newer);
    world.assert_up_to_date(&verifier);
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_one_step_and_one_too_large_for_a_delta_asks_for_the_full_list() {
    let world = world().await;
    let mut events = world.issuer.events();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let pair = world.pair().await;
    let epoch = world.place(&pair.access_token).epoch;
    let few: Vec<_> = (0..100).map(|index| token::id::Jti { epoch, index: index * 7 }).collect();
    world.issuer.parts.store.revoke(few, vec![]).await.unwrap();
    world.issuer.tick().await;
    let step = events.next().await.unwrap();
    assert!(step.delta.is_some());
    let many: Vec<_> = (0..30_000).map(|index| token::id::Jti { epoch, index: index * 6_000 }).collect();
    world.issuer.parts.store.revoke(many, vec![]).await.unwrap();
    world.issuer.tick().await;
    let large = events.next().await.unwrap();
    assert_eq!((large.seq, &large.delta), (step.seq + 1, &None));
    assert_eq!(world.issuer.revocation_delta(step.seq), Ok(None));
    assert!(world.full().revoked().entries() > 30_000);
}

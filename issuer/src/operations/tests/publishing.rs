//! The rules of publication, through restarts, losses and clocks.

use super::*;
use crate::error::KeyFault;
use crate::store::SledStore;
use token::revocation::RevocationList;

fn head(world: &World) -> token::revocation::Head {
    let keys = KeySet::parse(world.issuer.jwks().as_bytes()).unwrap();
    RevocationList::open(&world.issuer.revocation_list().document, &keys).unwrap().head().clone()
}

#[tokio::test]
async fn numbers_start_at_the_milliseconds_grow_by_one_and_never_go_back() {
    let world = world().await;
    let first = world.issuer.revocation_list().seq;
    assert_eq!(first, start().as_secs() * 1000);
    world.clock.advance_secs(15);
    world.issuer.tick().await;
    assert_eq!(world.issuer.revocation_list().seq, first + 1);
    let world = world.reopened().await;
    assert_eq!(world.issuer.revocation_list().seq, first + 15_000, "a start jumps to the milliseconds");
    world.clock.jump_to(start().minus_secs(3_600));
    let world = world.reopened().await;
    assert_eq!(world.issuer.revocation_list().seq, first + 15_001, "a calendar that goes back does not");
}

#[tokio::test]
async fn a_list_is_signed_again_when_due_and_not_before() {
    let world = world().await;
    let first = world.issuer.revocation_list();
    world.clock.advance_secs(14);
    world.issuer.tick().await;
    assert_eq!(world.issuer.revocation_list(), first);
    world.clock.advance_secs(1);
    world.issuer.tick().await;
    let second = world.issuer.revocation_list();
    assert_eq!((second.exp, head(&world).iat), (first.exp.plus_secs(15), start().plus_secs(15)));
}

#[tokio::test]
async fn whoever_is_in_a_list_does_not_wait_for_those_that_came_later() {
    let world = world().await;
    let (early, late) = (world.pair().await, world.pair().await);
    let revoke = async |token: &str| {
        let jti = world.place(token);
        world.issuer.parts.store.revoke(vec![jti], vec![]).await.unwrap();
    };
    revoke(&early.access_token).await;
    let mut publishing = Box::pin(world.issuer.publish());
    assert!(futures_util::poll!(&mut publishing).is_pending(), "lists are apart");
    let mut waiting = Box::pin(world.issuer.published());
    assert!(futures_util::poll!(&mut waiting).is_pending());
    let published = publishing.await.unwrap();
    revoke(&late.access_token).await;
    assert_eq!(waiting.await.unwrap().seq, published.seq);
    assert_eq!(world.verify(&early.access_token), Err(REVOKED));
    assert_eq!(world.issuer.published().await.unwrap().seq, published.seq + 1, "the later one waits for its own");
    assert_eq!(world.verify(&late.access_token), Err(REVOKED));
}

#[tokio::test]
async fn revocations_stay_through_a_restart_until_no_verifier_can_accept_the_token() {
    let world = world().await;
    let pair = world.pair().await;
    world.issuer.revoke(&world.admin, &pair.access_token).await.unwrap();
    let jti = world.place(&pair.access_token);
    let world = world.reopened().await;
    assert_eq!(world.verify(&pair.access_token), Err(REVOKED));
    assert!(head(&world).cut.is_empty(), "a store that is whole cuts nothing");
    let leaves = token::id::epoch_end(jti.epoch).plus_secs(5);
    world.clock.advance_secs(leaves.secs_since(world.now()) - 1);
    world.issuer.tick().await;
    let listed = |world: &World| {
        let keys = KeySet::parse(world.issuer.jwks().as_bytes()).unwrap();
        let list = RevocationList::open(&world.issuer.revocation_list().document, &keys).unwrap();
        list.revoked().contains(jti.epoch, jti.index)
    };
    assert!(listed(&world));
    world.clock.advance_secs(16);
    world.issuer.tick().await;
    assert!(!listed(&world));
    assert_eq!(world.issuer.parts.store.is_revoked(jti).await, Ok(false), "and is purged");
    let world = world.reopened().await;
    assert!(head(&world).cut.is_empty(), "what left on time is not missing");
}

#[tokio::test]
async fn a_revocation_stored_but_not_published_before_a_crash_is_in_the_next_list_and_cuts_nothing() {
    let world = world().await;
    let pair = world.pair().await;
    world.issuer.parts.store.revoke(vec![world.place(&pair.access_token)], vec![]).await.unwrap();
    let world = world.reopened().await;
    assert_eq!(world.verify(&pair.access_token), Err(REVOKED));
    assert!(head(&world).cut.is_empty());
}

#[tokio::test]
async fn a_store_that_lost_a_published_revocation_revokes_everything_issued_so_far() {
    let world = world().await;
    let (lost, other) = (world.pair().await, world.pair().await);
    world.issuer.revoke(&world.admin, &lost.access_token).await.unwrap();
    let jti = world.place(&lost.access_token);
    let World { issuer, clock, admin, directory } = world;
    issuer.close().await;
    drop(issuer);
    SledStore::remove_revocation_for_test(directory.path(), jti);
    let env = Env::seeded(Arc::clone(&clock), 3);
    let issuer = open(directory.path(), settings(), env).await.unwrap();
    let world = World { issuer, clock, admin, directory };
    assert_eq!(head(&world).cut.all, Some(start()));
    for token in [&lost.access_token, &other.access_token] {
        assert_eq!(world.verify(token), Err(Rejection::Revoked(RevokedBy::All)));
        assert!(!world.issuer.introspect(&world.admin, token).await.unwrap().is_active());
    }
    let fresh = world.pair().await;
    assert!(world.verify(&fresh.access_token).is_ok(), "what is issued after the cut is dated after it");
    let next = world.refresh(&other).await.unwrap();
    assert!(world.verify(&next.access_token).is_ok(), "nobody has to log in again");
    let world = world.reopened().await;
    assert_eq!(head(&world).cut.all, Some(start()), "the rule survives a restart");
    world.clock.advance_secs(86_400 + 5 + 1);
    world.issuer.tick().await;
    assert!(head(&world).cut.is_empty(), "and ends when no token of before can be alive");
}

#[tokio::test]
async fn a_log_of_yesterday_refuses_the_start_until_that_is_accepted_and_then_everything_issued_so_far_is_revoked() {
    let world = world().await;
    let pair = world.pair().await;
    let World { issuer, clock, admin, directory } = world;
    issuer.close().await;
    drop(issuer);
    let logs = ["db", "journal.0", "journal.1"].map(|name| directory.path().join(name));
    let yesterday = logs.each_ref().map(|log| std::fs::read(log).unwrap());
    let restore = |bytes: &[Vec<u8>; 3]| {
        for entry in std::fs::read_dir(directory.path()).unwrap().map(Result::unwrap) {
            if entry.file_name().to_str().unwrap().starts_with("snap.") {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
        logs.iter().zip(bytes).for_each(|(log, bytes)| std::fs::write(log, bytes).unwrap());
    };
    clock.advance_secs(60);
    let env = Env::seeded(Arc::clone(&clock), 3);
    let issuer = open(directory.path(), settings(), env.clone()).await.unwrap();
    issuer.revoke(&admin, &pair.access_token).await.unwrap();
    let forgotten = issuer.revocation_list();
    issuer.close().await;
    drop(issuer);
    restore(&yesterday);
    accept_damage(directory.path()).await;
    let issuer = open(directory.path(), settings(), env.clone()).await.unwrap();
    let world = World { issuer, clock, admin, directory: tempfile::tempdir().unwrap() };
    assert_eq!(head(&world).cut.all, Some(start().plus_secs(60)));
    assert_eq!(world.verify(&pair.access_token), Err(Rejection::Revoked(RevokedBy::All)));
    let answer = world.issuer.revoke(&world.admin, "nothing to revoke").await.unwrap();
    assert!(answer.effective_by >= forgotten.exp.as_secs(), "a verifier may still use the list that was forgotten");
    world.issuer.close().await;
    drop(world);
    restore(&[const { Vec::new() }; 3]);
    accept_damage(directory.path()).await;
    let opened = open(directory.path(), settings(), env).await;
    assert!(matches!(opened.err(), Some(Error::Keys(KeyFault::Missing { .. }))), "an empty log is not a first start");
}

#[tokio::test]
async fn two_lists_are_a_tenth_of_a_second_apart() {
    let world = world().await;
    let pair = world.pair().await;
    let mut revoking = Box::pin(world.issuer.revoke(&world.admin, &pair.access_token)); // right after the first list
    let early = tokio::time::timeout(std::time::Duration::from_millis(50), &mut revoking).await;
    assert!(early.is_err());
    assert!(revoking.await.is_ok());
}

#[tokio::test]
async fn a_calendar_that_goes_back_neither_dates_back_nor_stops_publication() {
    let world = world().await;
    let pair = world.pair().await;
    world.clock.advance_secs(100);
    world.issuer.tick().await;
    world.clock.jump_to(start().minus_secs(7_200));
    world.issuer.revoke(&world.admin, &pair.access_token).await.unwrap();
    assert_eq!(head(&world).iat, start().plus_secs(100));
    let fresh = world.pair().await;
    let claims = world.verify(&fresh.access_token).unwrap().claims;
    assert_eq!((claims.iat, claims.exp), (start().plus_secs(100), start().plus_secs(1_000)));
    assert_eq!(world.issuer.readiness(), [NotReady::ClockBehind]);
}

#[tokio::test]
async fn a_calendar_that_jumps_a_day_ahead_stops_signing_until_it_is_right_or_the_daemon_restarted() {
    let world = world().await;
    let pair = world.pair().await;
    let before = world.issuer.revocation_list();
    world.clock.jump_to(start().plus_secs(10 * 365 * 86_400));
    world.issuer.tick().await;
    assert_eq!(world.issuer.revocation_list(), before);
    let jumped = Some(Error::NotReady(NotReady::ClockJumped));
    assert_eq!(world.issuer.mint(&world.admin, request()).await.err(), jumped);
    assert_eq!(world.refresh(&pair).await.err(), jumped);
    assert!(world.issuer.readiness().contains(&NotReady::ClockJumped));
    world.clock.jump_to(start().plus_secs(20));
    world.issuer.tick().await;
    assert_eq!(world.issuer.readiness(), []);
    assert!(world.refresh(&pair).await.is_ok(), "no session ended by the jump");
    world.clock.jump_to(start().plus_secs(30 * 86_400));
    let world = world.reopened().await;
    assert_eq!(world.issuer.readiness(), []);
}

#[tokio::test]
async fn a_list_that_lacks_an_entry_of_the_one_before_is_held_back() {
    let world = world().await;
    let (pair, next) = (world.pair().await, world.pair().await);
    world.issuer.revoke(&world.admin, &pair.access_token).await.unwrap();
    let before = world.issuer.revocation_list();
    world.issuer.parts.publisher.forget_for_test().await;
    let stopped = Err(Error::NotReady(NotReady::PublicationStopped));
    assert_eq!(world.issuer.revoke(&world.admin, &next.access_token).await, stopped);
    world.issuer.tick().await;
    assert_eq!(world.issuer.revocation_list(), before, "the list before is served on");
    assert_eq!(world.issuer.readiness(), [NotReady::PublicationStopped]);
    let world = world.reopened().await;
    assert_eq!(world.issuer.readiness(), []);
    assert!(head(&world).seq > before.seq);
    for pair in [pair, next] {
        assert_eq!(world.verify(&pair.access_token), Err(REVOKED), "no revocation was lost by it");
    }
}

#[tokio::test]
async fn the_newest_64_lists_are_kept() {
    let world = world().await;
    let first = world.issuer.revocation_list().seq;
    for _ in 0..70 {
        world.clock.advance_secs(15);
        world.issuer.tick().await;
    }
    let kept: Vec<u64> = (first..first + 80).filter(|seq| world.issuer.revocation_list_at(*seq).is_some()).collect();
    assert_eq!(kept, (first + 7..=first + 70).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_shorter_life_of_lists_does_not_promise_what_an_older_list_still_breaks() {
    let world = world().await;
    let long = world.issuer.revocation_list().exp;
    let pair = world.pair().await;
    let World { issuer, clock, admin, directory } = world;
    issuer.close().await;
    drop(issuer);
    let short = Settings { list_ttl_secs: 10, list_interval_secs: 5, ..settings() };
    let issuer = open(directory.path(), short, Env::seeded(Arc::clone(&clock), 3)).await.unwrap();
    clock.advance_secs(5);
    issuer.tick().await;
    let answer = issuer.revoke(&admin, &pair.access_token).await.unwrap();
    assert_eq!(issuer.revocation_list().exp, start().plus_secs(15));
    assert_eq!(answer.effective_by, long.as_secs(), "a verifier may still use the list of before");
}

#[tokio::test]
async fn an_expired_list_is_told() {
    let world = world().await;
    assert_eq!(world.issuer.readiness(), []);
    world.clock.advance_secs(300);
    assert_eq!(world.issuer.readiness(), [NotReady::ListExpired]);
    world.issuer.tick().await;
    assert_eq!(world.issuer.readiness(), []);
}

#[tokio::test]
async fn another_master_key_and_a_missing_key_refuse_the_start() {
    let world = world().await;
    let World { issuer, clock, directory, .. } = world;
    issuer.close().await;
    drop(issuer);
    let env = Env::seeded(Arc::clone(&clock), 3);
    let wrong = MasterKey::from_bytes(Zeroizing::new([8; 32]));
    let opened = Issuer::open(settings(), env, store::open(directory.path()).unwrap(), wrong).await;
    assert!(matches!(opened.err(), Some(Error::Keys(KeyFault::Sealed { .. }))));
    SledStore::remove_keys_for_test(directory.path());
    let env = Env::seeded(clock, 3);
    let opened = open(directory.path(), settings(), env).await;
    assert!(matches!(opened.err(), Some(Error::Keys(KeyFault::Missing { .. }))));
}

#[tokio::test]
async fn a_closed_issuer_says_so_and_hangs_nobody() {
    let world = world().await;
    let pair = world.pair().await;
    world.issuer.close().await;
    assert!(world.issuer.readiness().contains(&NotReady::Closing));
    assert_eq!(world.refresh(&pair).await.err(), Some(Error::Store(store::StoreError::Closed)));
    assert!(world.issuer.revoke(&world.admin, &pair.access_token).await.is_err());
    world.issuer.tick().await;
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_whole_copy_of_an_earlier_day_revives_no_token() {
    let world = world().await;
    let (revoked, other) = (world.pair().await, world.pair().await);
    let World { issuer, clock, admin, directory } = world;
    issuer.close().await;
    drop(issuer);
    let backup = tempfile::tempdir().unwrap();
    copy(directory.path(), backup.path());
    let issuer = open(directory.path(), settings(), Env::seeded(Arc::clone(&clock), 3)).await.unwrap();
    let world = World { issuer, clock, admin, directory };
    assert!(head(&world).cut.is_empty(), "a restart is no restore");
    world.issuer.revoke(&world.admin, &revoked.access_token).await.unwrap();
    world.clock.advance_secs(60);
    let World { issuer, clock, admin, directory } = world;
    issuer.close().await;
    drop(issuer);
    // Over the files that are there, as an operator might: only the times of the files tell.
    copy(backup.path(), directory.path());
    let issuer = open(directory.path(), settings(), Env::seeded(Arc::clone(&clock), 4)).await.unwrap();
    let world = World { issuer, clock, admin, directory };
    for token in [&revoked.access_token, &other.access_token] {
        assert_eq!(world.verify(token), Err(Rejection::Revoked(RevokedBy::All)));
    }
    let fresh = world.pair().await;
    assert!(world.verify(&fresh.access_token).is_ok());
    let world = world.reopened().await;
    assert!(world.verify(&fresh.access_token).is_ok(), "the next start is an ordinary one");
}

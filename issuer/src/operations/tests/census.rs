//! How many sessions are live, as metrics tell it.

use super::*;

#[tokio::test]
async fn live_sessions_are_counted_once_a_minute_where_somebody_asks() {
    let world = world().await;
    let (first, _second) = (world.pair().await, world.pair().await);
    let counted = async || {
        world.issuer.tick().await;
        world.issuer.seen().await.sessions_live
    };
    world.issuer.tick().await;
    assert_eq!(world.issuer.seen().await.sessions_live, None, "nobody has asked before");
    assert_eq!(counted().await, Some(2));
    world.issuer.end_session(&world.admin, &first.sid).await.unwrap();
    world.clock.advance_secs(59);
    assert_eq!(counted().await, Some(2), "a minute is not over");
    world.clock.advance_secs(1);
    assert_eq!(counted().await, Some(1));
    world.clock.advance_secs(604_800);
    assert_eq!(counted().await, Some(0), "its idle clock has run out");
    let pair = world.pair().await;
    world.issuer.revoke_by(&world.admin, RevocationRequest::All { issued_before: None }).await.unwrap();
    world.clock.advance_secs(60);
    assert_eq!(counted().await, Some(0), "a rule has ended {}", pair.sid);
}

#[tokio::test]
async fn many_sessions_are_counted_over_many_ticks() {
    let world = world().await;
    for _ in 0..10 {
        let mut minted = tokio::task::JoinSet::new();
        for _ in 0..500 {
            let (issuer, admin) = (world.issuer.clone(), world.admin.clone());
            minted.spawn(async move { issuer.mint(&admin, request()).await.unwrap() });
        }
        assert_eq!(minted.join_all().await.len(), 500);
    }
    world.issuer.seen().await;
    world.issuer.tick().await;
    assert_eq!(world.issuer.seen().await.sessions_live, None, "4,096 are looked at in one tick");
    world.issuer.tick().await;
    assert_eq!(world.issuer.seen().await.sessions_live, Some(5_000));
}

#[tokio::test]
async fn the_audit_log_tells_how_much_of_it_there_is_and_how_old_it_is() {
    let world = world().await;
    world.clock.advance_secs(100);
    let seen = world.issuer.seen().await;
    assert_eq!((seen.audit_events, seen.audit_oldest_age_secs), (seen.audit_seq, Some(100)));
    assert!(seen.store_bytes.is_some_and(|bytes| bytes > 1_000));
}

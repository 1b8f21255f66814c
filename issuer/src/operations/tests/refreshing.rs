//! Minting and refreshing.

use super::*;

#[tokio::test]
async fn a_minted_pair_verifies_and_refreshes_and_a_retry_gets_the_same_bytes() {
    let world = world().await;
    let first = world.pair().await;
    let claims = world.verify(&first.access_token).unwrap().claims;
    assert_eq!((claims.sub.as_str(), claims.sid.as_deref()), ("user-1", Some(first.sid.as_str())));
    assert_eq!((first.expires_in, first.refresh_expires_in), (900, Some(604_800)));
    world.clock.advance_secs(10);
    let second = world.refresh(&first).await.unwrap();
    assert_ne!(first.access_token, second.access_token);
    world.clock.advance_secs(29);
    assert_eq!(body(&world.refresh(&first).await.unwrap()), body(&second));
    world.clock.advance_secs(1);
    assert_eq!(world.refresh(&first).await.err(), Some(Error::InvalidGrant(GrantFault::Reused)));
    assert_eq!(world.refresh(&second).await.err(), Some(Error::InvalidGrant(GrantFault::Ended)));
    world.issuer.tick().await;
    assert_eq!(world.verify(&second.access_token), Err(REVOKED));
    assert_eq!(world.verify(&first.access_token), Err(REVOKED));
}

#[tokio::test]
async fn a_retry_after_a_restart_gets_the_same_bytes() {
    let world = world().await;
    let first = world.pair().await;
    let second = world.refresh(&first).await.unwrap();
    let world = world.reopened().await;
    world.clock.advance_secs(20);
    assert_eq!(body(&world.refresh(&first).await.unwrap()), body(&second));
    let third = world.refresh(&second).await.unwrap();
    assert!(world.verify(&third.access_token).is_ok());
}

#[tokio::test]
async fn a_retry_uses_up_no_place_in_the_list() {
    let world = world().await;
    let first = world.pair().await;
    let second = world.refresh(&first).await.unwrap();
    for _ in 0..1_024 {
        world.refresh(&first).await.unwrap();
    }
    let epoch = world.place(&second.access_token).epoch;
    assert_eq!(world.issuer.parts.store.lease_page(epoch).await, Ok(1), "one page was enough for all");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_presenters_of_one_refresh_token_get_one_successor() {
    let world = Arc::new(world().await);
    for _ in 0..8 {
        let first = Arc::new(world.pair().await);
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let (world, first) = (Arc::clone(&world), Arc::clone(&first));
                tokio::spawn(async move { body(&world.refresh(&first).await.unwrap()) })
            })
            .collect();
        let mut bodies = std::collections::HashSet::new();
        for task in tasks {
            bodies.insert(task.await.unwrap());
        }
        assert_eq!(bodies.len(), 1);
    }
}

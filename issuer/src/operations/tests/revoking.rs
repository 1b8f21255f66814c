//! Revocation: durable, published, and nothing slips by.

use super::*;
use std::collections::BTreeSet;

#[tokio::test]
async fn a_revoked_access_token_is_in_the_list_that_the_answer_names() {
    let world = world().await;
    let (pair, bystander) = (world.pair().await, world.pair().await);
    let before = world.issuer.revocation_list();
    let answer = world.issuer.revoke(&world.admin, &pair.access_token).await.unwrap();
    assert!(answer.seq > before.seq);
    assert_eq!(answer.effective_by, before.exp.as_secs());
    assert_eq!(world.issuer.revocation_list().seq, answer.seq);
    assert_eq!(world.issuer.revocation_list_at(answer.seq).unwrap(), world.issuer.revocation_list());
    assert_eq!(world.issuer.revocation_list_at(before.seq).unwrap(), before);
    assert_eq!(world.issuer.revocation_list_at(1), None);
    assert_eq!(world.verify(&pair.access_token), Err(REVOKED));
    assert!(world.verify(&bystander.access_token).is_ok());
    assert!(world.refresh(&pair).await.is_ok(), "an access token alone does not end the session");
}

#[tokio::test]
async fn a_revoked_refresh_token_takes_the_session_and_its_live_access_tokens_along() {
    let world = world().await;
    let first = world.pair().await;
    let second = world.refresh(&first).await.unwrap();
    // Any refresh token of the session will do, also a used one.
    world.issuer.revoke(&world.admin, first.refresh_token.as_deref().unwrap()).await.unwrap();
    assert_eq!(world.verify(&first.access_token), Err(REVOKED));
    assert_eq!(world.verify(&second.access_token), Err(REVOKED));
    assert_eq!(world.refresh(&second).await.err(), Some(Error::InvalidGrant(GrantFault::Ended)));
}

#[tokio::test]
async fn what_needs_no_revoking_is_answered_the_same() {
    let world = world().await;
    let pair = world.pair().await;
    world.clock.advance_secs(905);
    let newest = world.issuer.publish().await.unwrap();
    let tampered = pair.access_token.replace('.', "A.");
    for token in ["", "nonsense", "a.b.c", tampered.as_str(), pair.access_token.as_str()] {
        assert_eq!(world.issuer.revoke(&world.admin, token).await, Ok(newest), "{token}");
    }
    let pair = world.pair().await;
    let once = world.issuer.revoke(&world.admin, &pair.access_token).await.unwrap();
    assert_eq!(world.issuer.revoke(&world.admin, &pair.access_token).await, Ok(once), "a second time changes nothing");
}

#[tokio::test]
async fn a_token_of_another_client_is_its_own_affair() {
    let world = world().await;
    let pair = world.pair().await;
    let other = Client { id: "other".to_owned(), administrator: false, origin: Origin::internal() };
    for token in [&pair.access_token, pair.refresh_token.as_ref().unwrap()] {
        assert_eq!(world.issuer.revoke(&other, token).await, Err(Error::UnauthorizedClient));
    }
    assert!(world.verify(&pair.access_token).is_ok());
    let owner = Client { id: "admin".to_owned(), administrator: false, origin: Origin::internal() };
    world.issuer.revoke(&owner, &pair.access_token).await.unwrap();
    assert_eq!(world.verify(&pair.access_token), Err(REVOKED));
}

#[tokio::test]
async fn a_token_that_is_not_valid_yet_or_only_by_leeway_can_be_revoked() {
    let world = world().await;
    let asked = MintRequest { nbf: Some(start().as_secs() + 100), ..request() };
    let pair = world.issuer.mint(&world.admin, asked).await.unwrap();
    world.issuer.revoke(&world.admin, &pair.access_token).await.unwrap();
    world.clock.advance_secs(100);
    assert_eq!(world.verify(&pair.access_token), Err(REVOKED));
    let pair = world.pair().await;
    world.clock.advance_secs(904);
    world.issuer.tick().await;
    assert!(world.verify(&pair.access_token).is_ok());
    world.issuer.revoke(&world.admin, &pair.access_token).await.unwrap();
    assert_eq!(world.verify(&pair.access_token), Err(REVOKED));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_burst_of_revocations_shares_a_few_lists_and_each_is_in_the_one_it_was_told() {
    let world = Arc::new(world().await);
    let mut pairs = Vec::new();
    for _ in 0..100 {
        pairs.push(world.pair().await);
    }
    let tasks: Vec<_> = pairs
        .iter()
        .map(|pair| {
            let (world, token) = (Arc::clone(&world), pair.access_token.clone());
            tokio::spawn(async move { (world.issuer.revoke(&world.admin, &token).await.unwrap(), token) })
        })
        .collect();
    let mut lists = BTreeSet::new();
    for task in tasks {
        let (answer, token) = task.await.unwrap();
        lists.insert(answer.seq);
        let list = world.issuer.revocation_list_at(answer.seq).unwrap();
        let keys = KeySet::parse(world.issuer.jwks().as_bytes()).unwrap();
        let list = token::revocation::RevocationList::open(&list.document, &keys).unwrap();
        let jti = world.place(&token);
        assert!(list.revoked().contains(jti.epoch, jti.index), "told of list {} without being in it", answer.seq);
    }
    assert!(lists.len() <= 10, "{} lists for one burst", lists.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_a_revocation_is_answered_no_refresh_succeeds_and_no_token_lives() {
    let world = Arc::new(world().await);
    for _ in 0..12 {
        let first = world.pair().await;
        let chain = {
            let (world, first) = (Arc::clone(&world), first.clone());
            tokio::spawn(async move {
                let mut tokens = vec![first.access_token.clone()];
                let mut newest = first;
                while let Ok(next) = world.refresh(&newest).await {
                    tokens.push(next.access_token.clone());
                    newest = next;
                }
                (tokens, newest)
            })
        };
        tokio::task::yield_now().await;
        world.issuer.revoke(&world.admin, first.refresh_token.as_deref().unwrap()).await.unwrap();
        let (tokens, newest) = chain.await.unwrap();
        assert!(world.refresh(&newest).await.is_err());
        for token in tokens {
            assert_eq!(world.verify(&token), Err(REVOKED));
        }
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_a_revocation_that_the_next_tick_publishes() {
    let world = world().await;
    let pair = world.pair().await;
    let mut revoking = Box::pin(world.issuer.revoke(&world.admin, &pair.access_token));
    // Far enough for the change to be queued, and no further.
    assert!(std::future::poll_fn(|context| std::task::Poll::Ready(revoking.as_mut().poll(context).is_pending())).await);
    drop(revoking);
    world.issuer.parts.store.lease_page(1).await.unwrap(); // whatever was queued before is durable now
    world.issuer.tick().await;
    assert_eq!(world.verify(&pair.access_token), Err(REVOKED));
}

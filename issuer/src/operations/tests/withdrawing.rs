//! Withdrawing a key: at once, for good, and whole after every crash.

use super::*;
use token::jwk::Purpose;
use token::revocation::RevocationList;

fn kids(world: &World) -> (String, String) {
    let ring = world.issuer.parts.keys.ring();
    (ring.token_signer().kid().to_owned(), ring.list_signer().kid().to_owned())
}

fn published(world: &World) -> Vec<(String, Purpose)> {
    let keys = KeySet::parse(world.issuer.jwks().as_bytes()).unwrap();
    keys.keys().iter().map(|key| (key.kid().to_owned(), key.purpose())).collect()
}

async fn withdraw(world: &World, kid: &str) -> Result<Revocation, Error> {
    world.issuer.revoke_by(&world.admin, RevocationRequest::Key { kid: kid.to_owned() }).await
}

/// What must hold from the moment on at which a token key is durably withdrawn.
async fn is_withdrawn(world: &World, kid: &str, lost: &TokenAnswer, old_keys: &KeySet) {
    assert_eq!(published(world).len(), 2);
    assert!(published(world).iter().all(|(other, _)| other != kid));
    assert_eq!(world.verify(&lost.access_token), Err(Rejection::NoMatchingKey), "to whoever has the new keys");
    let mut behind = Verifier::new(policy(), old_keys.clone()).unwrap();
    behind.load_revocations(&world.issuer.revocation_list().document, world.now()).unwrap();
    let by_key = Err(Rejection::Revoked(RevokedBy::Key));
    assert_eq!(behind.verify(&lost.access_token, world.now()), by_key, "to whoever has the old keys and the list");
    assert_eq!(world.refresh(lost).await.err(), Some(Error::InvalidGrant(GrantFault::NotOurs)));
    assert!(!world.issuer.introspect(&world.admin, &lost.access_token).await.unwrap().is_active());
    let fresh = world.pair().await;
    let verified = world.verify(&fresh.access_token).unwrap();
    assert!(verified.kid == kids(world).0 && verified.kid != kid);
    assert!(world.issuer.introspect(&world.admin, &fresh.access_token).await.unwrap().is_active());
    assert!(world.refresh(&fresh).await.is_ok());
}

#[tokio::test]
async fn a_withdrawn_token_key_is_replaced_at_once_and_what_it_signed_is_refused() {
    let world = world().await;
    let old_keys = KeySet::parse(world.issuer.jwks().as_bytes()).unwrap();
    let (lost, (kid, list_kid)) = (world.pair().await, kids(&world));
    let before = world.issuer.revocation_list();
    let answer = withdraw(&world, &kid).await.unwrap();
    assert_eq!((answer.seq, answer.effective_by), (world.issuer.revocation_list().seq, before.exp.as_secs()));
    assert_eq!(kids(&world).1, list_kid);
    is_withdrawn(&world, &kid, &lost, &old_keys).await;
    let newest = world.issuer.publish().await.unwrap();
    let keys = published(&world);
    assert_eq!(withdraw(&world, &kid).await, Ok(newest), "a second time changes nothing");
    assert_eq!(published(&world), keys);
    let world = world.reopened().await;
    assert_eq!(published(&world), keys);
    is_withdrawn(&world, &kid, &lost, &old_keys).await;
    let newest = kids(&world).0;
    withdraw(&world, &newest).await.unwrap();
    assert!(published(&world).iter().all(|(other, _)| *other != newest && *other != kid));
    assert!(world.verify(&world.pair().await.access_token).is_ok());
}

#[tokio::test]
async fn a_withdrawn_list_key_signs_no_further_list_and_no_token_is_lost_by_it() {
    let world = world().await;
    let old_keys = KeySet::parse(world.issuer.jwks().as_bytes()).unwrap();
    let (pair, (token_kid, kid)) = (world.pair().await, kids(&world));
    let before = world.issuer.revocation_list();
    let answer = withdraw(&world, &kid).await.unwrap();
    let list = world.issuer.revocation_list();
    assert!(answer.seq == list.seq && list.seq > before.seq);
    assert!(RevocationList::open(&list.document, &old_keys).is_err());
    let keys = KeySet::parse(world.issuer.jwks().as_bytes()).unwrap();
    let head = RevocationList::open(&list.document, &keys).unwrap().head().clone();
    assert!(head.cut.is_empty() && RevocationList::open(&before.document, &keys).is_err());
    assert_eq!(kids(&world).0, token_kid);
    assert!(world.verify(&pair.access_token).is_ok());
    assert_eq!(withdraw(&world, &kid).await, Ok(answer), "a second time changes nothing");
    let world = world.reopened().await;
    assert!(published(&world).iter().all(|(other, _)| *other != kid));
    assert!(world.verify(&pair.access_token).is_ok() && world.refresh(&pair).await.is_ok());
}

#[tokio::test]
async fn a_key_that_is_not_there_is_named() {
    let world = world().await;
    let (kid, _) = kids(&world);
    for unknown in [String::new(), "x".repeat(10_000), kid.to_lowercase(), format!("{kid}A")] {
        let refused = withdraw(&world, &unknown).await;
        assert!(matches!(refused, Err(Error::InvalidRequest { field: "key", .. })), "{refused:?}");
    }
    assert_eq!(kids(&world).0, kid);
}

#[tokio::test]
async fn a_restart_after_each_step_finds_the_key_as_it_was_or_withdrawn_and_replaced() {
    let world = world().await;
    let old_keys = KeySet::parse(world.issuer.jwks().as_bytes()).unwrap();
    let (lost, (kid, _)) = (world.pair().await, kids(&world));
    // Decided, and nothing stored.
    let parts = &world.issuer.parts;
    let withdrawal = parts.withdrawal(&kid, world.now()).unwrap();
    let rules = parts.ruling.rules().and(crate::rules::Rule::Key(kid.clone(), world.now()), world.now(), 1).unwrap();
    drop(withdrawal);
    let world = world.reopened().await;
    assert!(kids(&world).0 == kid && world.verify(&lost.access_token).is_ok());
    // Stored, and neither in use nor published.
    let parts = &world.issuer.parts;
    let withdrawal = parts.withdrawal(&kid, world.now()).unwrap();
    parts.store.put_rules(rules, withdrawal.next.rows, vec![]).await.unwrap();
    assert_eq!(kids(&world).0, kid);
    let world = world.reopened().await;
    is_withdrawn(&world, &kid, &lost, &old_keys).await;
    // In use, and not published: the list of a caller that went away.
    let (next, lost) = (kids(&world).0, world.pair().await);
    let old_keys = KeySet::parse(world.issuer.jwks().as_bytes()).unwrap();
    world.issuer.rule(&world.admin, super::super::rule::Change::Key(next.clone())).await.unwrap();
    let world = world.reopened().await;
    is_withdrawn(&world, &next, &lost, &old_keys).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_keys_are_withdrawn_every_answer_is_signed_by_a_key_and_nobody_is_told_of_a_fault() {
    let world = Arc::new(world().await);
    let minting: Vec<_> = (0..6)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                let mut signed = std::collections::BTreeSet::new();
                for _ in 0..60 {
                    let pair = world.pair().await;
                    match world.refresh(&pair).await {
                        Ok(next) => assert!(!next.access_token.is_empty()),
                        Err(error) => assert_eq!(error, Error::InvalidGrant(GrantFault::NotOurs), "its key went away"),
                    }
                    let header = token::base64url::decode(pair.access_token.split('.').next().unwrap().as_bytes());
                    let header: Value = serde_json::from_slice(&header.unwrap()).unwrap();
                    signed.insert(header["kid"].as_str().unwrap().to_owned());
                }
                signed
            })
        })
        .collect();
    let mut withdrawn = Vec::new();
    for _ in 0..4 {
        let (token_kid, list_kid) = kids(&world);
        for kid in [token_kid, list_kid] {
            withdraw(&world, &kid).await.unwrap();
            let pair = world.pair().await;
            assert!(world.verify(&pair.access_token).is_ok());
            withdrawn.push(kid);
        }
    }
    for task in minting {
        for kid in task.await.unwrap() {
            assert!(kid == kids(&world).0 || withdrawn.contains(&kid), "signed by nobody's key");
        }
    }
}

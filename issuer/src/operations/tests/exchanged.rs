//! Exchanged tokens are taken back like all others: in the revocation list and in the status lists alike.

use super::*;
use token::id::Jti;

/// A world in which the client `api` exchanges, and whose tokens for the audience `api` are in status lists.
async fn with_api() -> (World, Client) {
    let world = world_with(Settings { status_list_audiences: vec!["api".to_owned()], ..settings() }).await;
    world.issuer.ensure_client("backend", Some(secret())).await.unwrap();
    let backend = world.issuer.authenticate("backend", secret().expose(), &Origin::internal()).await.unwrap();
    (world, backend)
}

async fn exchanged(world: &World, client: &Client, token: &str) -> String {
    let request = ExchangeRequest { subject_token: token.to_owned(), audience: None, scope: None };
    world.issuer.exchange(client, request).await.unwrap().access_token
}

async fn is_in_status_list(world: &World, place: Jti) -> bool {
    super::status_lists::opened(world, place.epoch).await.is_revoked(place.index)
}

fn other(world: &World, token: &str) -> Map<String, Value> {
    world.issuer.parts.keys.verifier().verify(token, world.now()).unwrap().claims.other
}

#[tokio::test]
async fn an_exchanged_token_has_a_place_of_its_own_in_the_status_list() {
    let (world, backend) = with_api().await;
    let pair = world.pair().await;
    let token = exchanged(&world, &backend, &pair.access_token).await;
    let (place, before) = (world.place(&token), world.place(&pair.access_token));
    assert_ne!(place, before);
    assert_eq!(other(&world, &token)["status"]["status_list"]["idx"], place.index);
    world.issuer.revoke(&world.admin, &token).await.unwrap();
    assert_eq!((is_in_status_list(&world, place).await, is_in_status_list(&world, before).await), (true, false));
    assert_eq!(world.verify(&token).unwrap_err(), REVOKED);
    assert!(world.verify(&pair.access_token).is_ok(), "it alone was taken back");
    let next = exchanged(&world, &backend, &pair.access_token).await;
    world.issuer.revoke(&world.admin, pair.refresh_token.as_ref().unwrap()).await.unwrap();
    for token in [&pair.access_token, &next] {
        let payload = token::base64url::decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
        let claims: Value = serde_json::from_slice(&payload).unwrap();
        let place = claims["jti"].as_str().unwrap().parse().unwrap();
        assert!(is_in_status_list(&world, place).await, "the session's end is the end of both");
        assert_eq!(world.verify(token).unwrap_err(), REVOKED);
    }
}

#[tokio::test]
async fn whoever_is_taken_back_as_the_acting_client_loses_what_was_exchanged_and_the_subject_token_lives() {
    let (world, backend) = with_api().await;
    let pair = world.pair().await; // of `admin`
    let token = exchanged(&world, &backend, &pair.access_token).await;
    let (place, before) = (world.place(&token), world.place(&pair.access_token));
    assert!(world.verify(&token).is_ok() && !is_in_status_list(&world, place).await);
    world.clock.advance_secs(1);
    let request = RevocationRequest::Client { client_id: "backend".to_owned() };
    world.issuer.revoke_by(&world.admin, request).await.unwrap();
    let refused = world.verify(&token).unwrap_err();
    assert_eq!(
        refused,
        Rejection::Revoked(RevokedBy::Client),
        "by `cut.cid`, which names who acts and not whose session it is"
    );
    assert!(world.verify(&pair.access_token).is_ok());
    assert_eq!((is_in_status_list(&world, place).await, is_in_status_list(&world, before).await), (true, false));
    let world = world.reopened().await;
    assert_eq!((is_in_status_list(&world, place).await, is_in_status_list(&world, before).await), (true, false));
    let fresh = exchanged(&world, &backend, &pair.access_token).await;
    assert!(world.verify(&fresh).is_ok() && !is_in_status_list(&world, world.place(&fresh)).await);
}

//! Introspection tells the truth of the moment, to those it concerns.

use super::*;
use serde_json::json;

async fn inactive(world: &World, client: &Client, token: &str) -> bool {
    let answer = world.issuer.introspect(client, token).await.unwrap();
    serde_json::to_value(answer).unwrap() == json!({ "active": false })
}

fn other(id: &str) -> Client {
    Client { id: id.to_owned(), administrator: false, origin: Origin::internal() }
}

#[tokio::test]
async fn an_active_token_shows_its_claims_and_no_claim_can_say_otherwise() {
    let world = world().await;
    let mut asked = request();
    asked.claims.insert("active".to_owned(), json!(false));
    asked.claims.insert("token_type".to_owned(), json!("mac"));
    let pair = world.issuer.mint(&world.admin, asked).await.unwrap();
    let seen = serde_json::to_value(world.issuer.introspect(&world.admin, &pair.access_token).await.unwrap()).unwrap();
    assert_eq!(
        (&seen["active"], &seen["token_type"], &seen["sub"]),
        (&json!(true), &json!("Bearer"), &json!("user-1"))
    );
    let seen = world.issuer.introspect(&world.admin, pair.refresh_token.as_deref().unwrap()).await.unwrap();
    let seen = serde_json::to_value(seen).unwrap();
    assert_eq!(
        (&seen["active"], &seen["sid"], &seen["scope"]),
        (&json!(true), &json!(pair.sid), &json!("read write admin"))
    );
}

#[tokio::test]
async fn a_token_is_seen_by_its_client_its_audience_and_administrators() {
    let world = world().await;
    let pair = world.pair().await;
    assert!(world.issuer.introspect(&other("admin"), &pair.access_token).await.unwrap().is_active(), "its client");
    assert!(world.issuer.introspect(&other("api"), &pair.access_token).await.unwrap().is_active(), "its audience");
    assert!(inactive(&world, &other("ap"), &pair.access_token).await);
    assert!(inactive(&world, &other("api"), pair.refresh_token.as_deref().unwrap()).await);
}

#[tokio::test]
async fn whatever_is_not_active_reads_the_same() {
    let world = world().await;
    let pair = world.pair().await;
    let next = world.refresh(&pair).await.unwrap();
    assert!(inactive(&world, &world.admin, pair.refresh_token.as_deref().unwrap()).await, "used");
    assert!(!inactive(&world, &world.admin, &pair.access_token).await);
    let tampered = next.access_token.replace('.', "A.");
    for token in ["", "x", "a.b.c", tampered.as_str()] {
        assert!(inactive(&world, &world.admin, token).await, "{token}");
    }
    // Revoked is inactive at once, before any list says so.
    world
        .issuer
        .parts
        .store
        .revoke(vec![world.verify(&next.access_token).unwrap().claims.jti.parse().unwrap()], vec![])
        .await
        .unwrap();
    assert!(inactive(&world, &world.admin, &next.access_token).await);
    world.clock.advance_secs(899);
    assert!(!inactive(&world, &world.admin, &pair.access_token).await);
    world.clock.advance_secs(1);
    assert!(inactive(&world, &world.admin, &pair.access_token).await, "expired, without leeway");
    world.issuer.revoke(&world.admin, next.refresh_token.as_deref().unwrap()).await.unwrap();
    assert!(inactive(&world, &world.admin, next.refresh_token.as_deref().unwrap()).await);
}

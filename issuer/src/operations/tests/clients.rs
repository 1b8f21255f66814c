//! Client secrets, minting limits and client credentials.

use super::*;
use serde_json::json;

#[tokio::test]
async fn a_secret_is_shown_once_and_works_after_a_restart() {
    let world = world().await;
    let shown = world.issuer.ensure_client("fresh", None).await.unwrap().unwrap();
    assert_eq!(shown.expose().len(), 43);
    assert!(world.issuer.ensure_client("fresh", None).await.unwrap().is_none());
    let world = world.reopened().await;
    let client = world.issuer.authenticate("fresh", shown.expose(), &Origin::internal()).await.unwrap();
    assert!(client.is_administrator() && client.id() == "fresh");
}

#[tokio::test]
async fn a_secret_that_is_set_replaces_the_one_before() {
    let world = world().await;
    let old = world.issuer.ensure_client("fresh", None).await.unwrap().unwrap();
    assert!(world.issuer.ensure_client("fresh", Some(secret())).await.unwrap().is_none());
    assert_eq!(world.issuer.authenticate("fresh", old.expose(), &Origin::internal()).await, Err(Error::InvalidClient));
    assert!(world.issuer.authenticate("fresh", secret().expose(), &Origin::internal()).await.is_ok());
}

#[tokio::test]
async fn an_unknown_client_and_a_wrong_secret_read_the_same() {
    let world = world().await;
    let long = "x".repeat(100_000);
    for (id, wrong) in [
        ("admin", ""),
        ("admin", "0123456789abcdef0123456789abcdeg"),
        ("nobody", secret().expose()),
        ("", ""),
        (&long, &long),
    ] {
        assert_eq!(world.issuer.authenticate(id, wrong, &Origin::internal()).await, Err(Error::InvalidClient));
    }
}

#[tokio::test]
async fn an_id_that_no_header_can_carry_is_refused() {
    let world = world().await;
    for id in ["", "two words", "tab\t", "é", &"x".repeat(256)] {
        let refused = world.issuer.ensure_client(id, None).await.err();
        assert!(matches!(refused, Some(Error::InvalidRequest { field: "client_id", .. })), "{id}");
    }
}

#[test]
fn a_secret_that_could_be_guessed_is_not_one() {
    for text in [
        "",
        "short",
        &"x".repeat(31),
        &"x".repeat(256),
        "0123456789abcdef0123456789abcde ",
        "0123456789abcdef0123456789abcdé",
    ] {
        assert!(Secret::parse(text).is_none(), "{text}");
    }
}

#[tokio::test]
async fn every_limit_of_a_mint_request_names_its_member() {
    let world = world().await;
    let now = start().as_secs();
    let entries = |count: usize, length: usize| vec!["x".repeat(length); count];
    let claims = |value: Value| value.as_object().unwrap().clone();
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }));
    let good: Vec<MintRequest> = vec![
        MintRequest { sub: "x".repeat(255), aud: entries(16, 255), ..request() },
        MintRequest { scope: Some("a".repeat(1024)), ..request() },
        MintRequest { scope: None, roles: entries(64, 20), permissions: entries(1, 128), ..request() },
        MintRequest { claims: claims(nested(8)), ..request() },
        MintRequest { claims: claims(json!({ "a": "x".repeat(4000) })), ..request() },
        MintRequest { access_ttl: Some(1), refresh_ttl: Some(1), session_ttl: Some(1), ..request() },
        MintRequest {
            access_ttl: Some(86_400),
            refresh_ttl: Some(2_592_000),
            session_ttl: Some(2_592_000),
            ..request()
        },
        MintRequest { auth_time: Some(now + 5), nbf: Some(now + 899), ..request() },
        MintRequest { sub: "émile".to_owned(), ..request() },
        MintRequest { claims: claims(json!({ "n": [u64::MAX, i64::MIN, 0.5, 1e18, -0.0] })), ..request() },
    ];
    let beyond = |number: &str| claims(serde_json::from_str(&format!("{{\"n\":[{number}]}}")).unwrap());
    for request in good {
        assert!(world.issuer.mint(&world.admin, request.clone()).await.is_ok(), "{request:?}");
    }
    let bad: Vec<(&str, MintRequest)> = vec![
        ("sub", MintRequest { sub: String::new(), ..request() }),
        ("sub", MintRequest { sub: "x".repeat(256), ..request() }),
        ("sub", MintRequest { sub: "a\u{0}b".to_owned(), ..request() }),
        ("sub", MintRequest { sub: "admin".to_owned(), ..request() }),
        ("aud", MintRequest { aud: vec![], ..request() }),
        ("aud", MintRequest { aud: entries(17, 1), ..request() }),
        ("aud", MintRequest { aud: entries(1, 256), ..request() }),
        ("aud", MintRequest { aud: vec![String::new()], ..request() }),
        ("scope", MintRequest { scope: Some(String::new()), ..request() }),
        ("scope", MintRequest { scope: Some("a  b".to_owned()), ..request() }),
        ("scope", MintRequest { scope: Some("a\"b".to_owned()), ..request() }),
        ("scope", MintRequest { scope: Some("a\\b".to_owned()), ..request() }),
        ("scope", MintRequest { scope: Some("a".repeat(1025)), ..request() }),
        ("roles", MintRequest { roles: entries(65, 1), ..request() }),
        ("roles", MintRequest { roles: entries(1, 129), ..request() }),
        ("permissions", MintRequest { permissions: vec!["a\nb".to_owned()], ..request() }),
        ("claims", MintRequest { claims: claims(nested(9)), ..request() }),
        ("claims", MintRequest { claims: claims(json!({ "a": "x".repeat(4096) })), ..request() }),
        ("claims", MintRequest { claims: claims(json!({ "a": { "__proto__": 1 } })), ..request() }),
        ("claims", MintRequest { claims: beyond("123456789012345678901"), ..request() }),
        ("claims", MintRequest { claims: beyond("-9223372036854775809"), ..request() }),
        ("claims", MintRequest { claims: beyond("1e300"), ..request() }),
        (
            "claims",
            MintRequest { aud: entries(16, 255), claims: claims(json!({ "a": "x".repeat(4000) })), ..request() },
        ),
        ("access_ttl", MintRequest { access_ttl: Some(0), ..request() }),
        ("access_ttl", MintRequest { access_ttl: Some(86_401), ..request() }),
        ("refresh_ttl", MintRequest { refresh_ttl: Some(0), ..request() }),
        ("refresh_ttl", MintRequest { refresh_ttl: Some(101), session_ttl: Some(100), ..request() }),
        ("session_ttl", MintRequest { session_ttl: Some(0), ..request() }),
        ("session_ttl", MintRequest { session_ttl: Some(2_592_001), ..request() }),
        ("auth_time", MintRequest { auth_time: Some(now + 6), ..request() }),
        ("auth_time", MintRequest { auth_time: Some(u64::MAX), ..request() }),
        ("nbf", MintRequest { nbf: Some(now + 900), ..request() }),
        ("nbf", MintRequest { nbf: Some(u64::MAX), ..request() }),
    ];
    for (member, request) in bad {
        let refused = world.issuer.mint(&world.admin, request.clone()).await.err();
        assert!(
            matches!(&refused, Some(Error::InvalidRequest { field, .. }) if *field == member),
            "{member} {refused:?} {request:?}"
        );
    }
    for name in token::claims::REGISTERED {
        let request = MintRequest { claims: Map::from_iter([(name.to_owned(), json!("x"))]), ..request() };
        assert!(
            matches!(
                world.issuer.mint(&world.admin, request).await,
                Err(Error::InvalidRequest { field: "claims", .. })
            ),
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_largest_request_that_is_taken_makes_a_token_that_verifiers_read_also_after_refreshes() {
    for status_list_audiences in [vec![], vec!["api".to_owned()]] {
        takes_what_verifiers_read(&world_with(Settings { status_list_audiences, ..settings() }).await).await;
    }
}

async fn takes_what_verifiers_read(world: &World) {
    let (mut taken, mut refused) = (0, 0);
    for filler in (3_000..4_090).step_by(7) {
        let request = MintRequest {
            aud: vec!["api".to_owned(); 6],
            roles: vec!["\u{1f600}".repeat(8); 50],
            claims: Map::from_iter([("a".to_owned(), Value::from("x".repeat(filler)))]),
            ..request()
        };
        match world.issuer.mint(&world.admin, request).await {
            Ok(answer) => {
                assert!(answer.access_token.len() <= 8192 && world.verify(&answer.access_token).is_ok());
                assert!(world.refresh(&answer).await.is_ok());
                taken += 1;
            }
            Err(error) => {
                assert!(matches!(error, Error::InvalidRequest { field: "claims", .. }), "{error:?}");
                refused += 1;
            }
        }
    }
    assert!(taken > 10 && refused > 10, "{taken} taken, {refused} refused: the limit lies between");
}

#[tokio::test]
async fn a_minted_token_says_what_was_asked_and_nothing_else() {
    let world = world().await;
    let now = start().as_secs();
    let asked = MintRequest {
        permissions: vec!["a:b".to_owned()],
        auth_time: Some(now - 10),
        nbf: Some(now),
        access_ttl: Some(60),
        refresh_ttl: Some(600),
        session_ttl: Some(1_000),
        ..request()
    };
    let answer = world.issuer.mint(&world.admin, asked).await.unwrap();
    assert_eq!(
        (answer.expires_in, answer.refresh_expires_in, answer.session_expires_at),
        (60, Some(600), Some(now + 1_000))
    );
    let claims: Value = serde_json::from_str(&world.verify(&answer.access_token).unwrap().json).unwrap();
    let jti = claims["jti"].as_str().unwrap().to_owned();
    let expected = json!({
        "iss": ISSUER, "sub": "user-1", "aud": "api", "client_id": "admin", "iat": now, "exp": now + 60, "nbf": now, "jti": jti,
        "sid": answer.sid, "scope": "read write admin", "roles": ["editor"], "permissions": ["a:b"], "auth_time": now - 10,
        "tenant": "t-1",
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn a_client_gets_an_access_token_for_itself_that_can_be_revoked() {
    let world = world().await;
    let asked = ClientCredentialsRequest { scope: Some("b a b".to_owned()), audience: None };
    let answer = world.issuer.client_credentials(&world.admin, asked).await.unwrap();
    assert!(
        answer.refresh_token.is_none() && answer.refresh_expires_in.is_none() && answer.session_expires_at.is_none()
    );
    let claims = world.verify(&answer.access_token).unwrap().claims;
    assert_eq!(
        (claims.sub.as_str(), claims.client_id.as_str(), claims.scope.as_deref()),
        ("admin", "admin", Some("b a"))
    );
    world.issuer.revoke(&world.admin, &answer.access_token).await.unwrap();
    assert_eq!(world.verify(&answer.access_token), Err(REVOKED));
    let bad = ClientCredentialsRequest { scope: Some("a\u{7f}".to_owned()), audience: None };
    assert_eq!(world.issuer.client_credentials(&world.admin, bad).await.err(), Some(Error::InvalidScope));
    let bad = ClientCredentialsRequest { scope: None, audience: Some(String::new()) };
    assert!(matches!(
        world.issuer.client_credentials(&world.admin, bad).await,
        Err(Error::InvalidRequest { field: "audience", .. })
    ));
}

#[tokio::test]
async fn a_client_that_has_proved_who_it_is_gets_nothing_once_it_is_disabled() {
    let world = world().await;
    world.issuer.ensure_client("shop", Some(secret())).await.unwrap();
    let shop = world.issuer.authenticate("shop", secret().expose(), &Origin::internal()).await.unwrap();
    let pair = world.issuer.mint(&shop, request()).await.unwrap();
    let tries = async || {
        let exchange = ExchangeRequest { subject_token: pair.access_token.clone(), audience: None, scope: None };
        let own = world.issuer.client_credentials(&shop, ClientCredentialsRequest::default()).await;
        [
            world.issuer.mint(&shop, request()).await.err(),
            world.issuer.refresh(&shop, pair.refresh_token.as_deref().unwrap(), None).await.err(),
            world.issuer.exchange(&shop, exchange).await.err(),
            own.err(),
        ]
    };
    let disabled = async |disabled| {
        let terms = ClientTerms { disabled: Some(disabled), ..ClientTerms::default() };
        world.issuer.change_client(&world.admin, "shop".to_owned(), terms).await.unwrap();
    };
    disabled(true).await;
    assert_eq!(tries().await, [const { Some(Error::InvalidClient) }; 4], "the value from before opens nothing");
    disabled(false).await;
    assert_eq!(tries().await, [const { None }; 4], "and it was the disabling");
    disabled(true).await;
    world.issuer.remove_client(&world.admin, "shop".to_owned()).await.unwrap();
    assert_eq!(tries().await, [const { Some(Error::InvalidClient) }; 4], "nor when it is gone");
}

//! Revocation by subject, session, client and everything: exactly what is meant, durable, and nothing slips by.

use super::*;
use crate::store::SledStore;
use std::time::Duration;

const ALL: Option<Rejection> = Some(Rejection::Revoked(RevokedBy::All));
const CLIENT: Option<Rejection> = Some(Rejection::Revoked(RevokedBy::Client));
const ENDED: Option<Error> = Some(Error::InvalidGrant(GrantFault::Ended));

fn subject(sub: &str) -> RevocationRequest {
    RevocationRequest::Subject { sub: sub.to_owned(), issued_before: None }
}

fn of_client(client_id: &str) -> RevocationRequest {
    RevocationRequest::Client { client_id: client_id.to_owned() }
}

const EVERYTHING: RevocationRequest = RevocationRequest::All { issued_before: None };

impl World {
    async fn by(&self, request: RevocationRequest) -> Result<Revocation, Error> {
        self.issuer.revoke_by(&self.admin, request).await
    }

    async fn client(&self, id: &str) -> Client {
        self.issuer.ensure_client(id, Some(secret())).await.unwrap();
        self.issuer.authenticate(id, secret().expose(), &Origin::internal()).await.unwrap()
    }

    async fn pair_of(&self, client: &Client, sub: &str) -> TokenAnswer {
        self.issuer.mint(client, MintRequest { sub: sub.to_owned(), ..request() }).await.unwrap()
    }

    async fn refreshed(&self, client: &Client, pair: &TokenAnswer) -> Result<TokenAnswer, Error> {
        self.issuer.refresh(client, pair.refresh_token.as_deref().unwrap(), None).await
    }

    fn refusal(&self, pair: &TokenAnswer) -> Option<Rejection> {
        self.verify(&pair.access_token).err()
    }

    async fn is_active(&self, token: &str) -> bool {
        self.issuer.introspect(&self.admin, token).await.unwrap().is_active()
    }

    fn iat(&self, pair: &TokenAnswer) -> UnixTime {
        self.issuer.parts.keys.verifier().verify(&pair.access_token, self.now()).unwrap().claims.iat
    }
}

#[tokio::test]
async fn only_an_administrator_revokes_by_name() {
    let world = world().await;
    let pair = world.pair().await;
    let kid = world.issuer.parts.keys.ring().token_signer().kid().to_owned();
    let backend = Client { id: "admin".to_owned(), administrator: false, origin: Origin::internal() };
    let requests = [
        subject("user-1"),
        RevocationRequest::Session { sid: pair.sid.clone() },
        of_client("admin"),
        RevocationRequest::Key { kid },
        EVERYTHING,
    ];
    let before = world.issuer.revocation_list();
    for request in requests {
        assert_eq!(world.issuer.revoke_by(&backend, request).await, Err(Error::UnauthorizedClient));
    }
    assert_eq!(world.issuer.revocation_list(), before);
    assert!(world.verify(&pair.access_token).is_ok() && world.refresh(&pair).await.is_ok());
}

#[tokio::test]
async fn a_subject_loses_its_sessions_and_all_their_live_tokens_and_may_begin_again_in_the_same_second() {
    let world = world().await;
    let (one, two, other) = (world.pair().await, world.pair().await, world.pair_of(&world.admin, "user-2").await);
    let next = world.refresh(&two).await.unwrap();
    let before = world.issuer.revocation_list();
    let answer = world.by(subject("user-1")).await.unwrap();
    assert_eq!((answer.seq, answer.effective_by), (world.issuer.revocation_list().seq, before.exp.as_secs()));
    for pair in [&one, &two, &next] {
        assert_eq!(world.refusal(pair), Some(REVOKED));
        assert_eq!(world.refresh(pair).await.err(), ENDED);
    }
    assert!(world.verify(&other.access_token).is_ok() && world.refresh(&other).await.is_ok());
    let fresh = world.pair().await;
    assert_eq!(world.iat(&fresh), start());
    assert!(world.verify(&fresh.access_token).is_ok() && world.refresh(&fresh).await.is_ok());
    assert_eq!(world.by(subject("user-2 ")).await, Ok(answer), "nobody of that name: nothing to revoke");
    let world = world.reopened().await;
    assert_eq!(world.refusal(&one), Some(REVOKED));
    assert_eq!(world.refresh(&next).await.err(), ENDED);
}

#[tokio::test]
async fn a_subject_keeps_the_sessions_that_began_after_the_time_named_also_when_the_others_were_refreshed_since() {
    let world = world().await;
    let old = world.pair().await;
    world.clock.advance_secs(100);
    let (young, old) = (world.pair().await, world.refresh(&old).await.unwrap());
    let until = |secs: u64| RevocationRequest::Subject {
        sub: "user-1".to_owned(),
        issued_before: Some(start().as_secs() + secs),
    };
    world.by(until(99)).await.unwrap();
    assert_eq!((world.refusal(&old), world.refresh(&old).await.err()), (Some(REVOKED), ENDED));
    assert!(world.verify(&young.access_token).is_ok());
    for late in [until(101), until(u64::MAX / 2)] {
        let refused = world.by(late).await;
        assert!(matches!(refused, Err(Error::InvalidRequest { field: "issued_before", .. })), "{refused:?}");
    }
    world.by(until(100)).await.unwrap();
    assert_eq!(world.refusal(&young), Some(REVOKED));
}

#[tokio::test]
async fn a_subject_with_hundreds_of_sessions_loses_all_of_them() {
    let world = world().await;
    let mut pairs = Vec::new();
    for _ in 0..150 {
        pairs.push(world.pair().await);
    }
    world.by(subject("user-1")).await.unwrap();
    for pair in &pairs {
        assert_eq!(world.refusal(pair), Some(REVOKED));
    }
    assert_eq!(world.refresh(&pairs[149]).await.err(), ENDED);
}

#[tokio::test]
async fn a_session_ends_with_its_live_tokens_and_one_that_cannot_be_is_named() {
    let world = world().await;
    let (pair, other) = (world.pair().await, world.pair().await);
    let next = world.refresh(&pair).await.unwrap();
    let answer = world.by(RevocationRequest::Session { sid: pair.sid.clone() }).await.unwrap();
    for pair in [&pair, &next] {
        assert_eq!((world.refusal(pair), world.refresh(pair).await.err()), (Some(REVOKED), ENDED));
    }
    assert!(world.verify(&other.access_token).is_ok());
    let unknown = token::base64url::encode(&[1; 16]);
    for sid in [pair.sid.clone(), unknown] {
        assert_eq!(world.by(RevocationRequest::Session { sid }).await, Ok(answer), "nothing to revoke");
    }
    for sid in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAB"] {
        let refused = world.by(RevocationRequest::Session { sid: sid.to_owned() }).await;
        assert!(matches!(refused, Err(Error::InvalidRequest { field: "session", .. })), "{sid}");
    }
}

#[tokio::test]
async fn a_client_loses_what_it_got_so_far_and_what_it_gets_next_holds_in_the_same_second() {
    let world = world().await;
    let backend = world.client("backend").await;
    let (lost, other) = (world.pair_of(&backend, "user-1").await, world.pair().await);
    let own = world.issuer.client_credentials(&backend, ClientCredentialsRequest::default()).await.unwrap();
    let next = world.refreshed(&backend, &lost).await.unwrap();
    let before = world.issuer.revocation_list();
    let answer = world.by(of_client("backend")).await.unwrap();
    assert_eq!((answer.seq, answer.effective_by), (world.issuer.revocation_list().seq, before.exp.as_secs()));
    for pair in [&lost, &own, &next] {
        assert_eq!(world.refusal(pair), CLIENT);
        assert!(!world.is_active(&pair.access_token).await);
    }
    assert!(!world.is_active(next.refresh_token.as_deref().unwrap()).await);
    assert_eq!(world.refreshed(&backend, &next).await.err(), ENDED);
    assert!(world.verify(&other.access_token).is_ok() && world.is_active(&other.access_token).await);
    assert!(world.refresh(&other).await.is_ok());
    let fresh = world.pair_of(&backend, "user-1").await;
    let refreshed = world.refreshed(&backend, &fresh).await.unwrap();
    for pair in [&fresh, &refreshed] {
        assert_eq!(world.iat(pair), start().plus_secs(1), "dated after the rule");
        assert!(world.verify(&pair.access_token).is_ok() && world.is_active(&pair.access_token).await);
    }
    let again = world.by(of_client("nobody")).await;
    assert!(matches!(again, Err(Error::InvalidRequest { field: "client", .. })));
    let world = world.reopened().await;
    assert_eq!((world.refusal(&next), world.refreshed(&backend, &next).await.err()), (CLIENT, ENDED));
    assert!(world.verify(&refreshed.access_token).is_ok() && world.refreshed(&backend, &refreshed).await.is_ok());
    assert_eq!(world.refreshed(&world.admin, &next).await.err(), Some(Error::InvalidGrant(GrantFault::WrongClient)));
}

#[tokio::test]
async fn everything_is_revoked_and_everybody_may_begin_again_in_the_same_second() {
    let world = world().await;
    let (lost, other) = (world.pair().await, world.pair_of(&world.admin, "user-2").await);
    let answer = world.by(EVERYTHING).await.unwrap();
    assert_eq!(world.by(EVERYTHING).await, Ok(answer), "a second time changes nothing");
    for pair in [&lost, &other] {
        assert_eq!((world.refusal(pair), world.refresh(pair).await.err()), (ALL, ENDED));
        assert!(!world.is_active(&pair.access_token).await);
        assert!(!world.is_active(pair.refresh_token.as_deref().unwrap()).await);
    }
    let fresh = world.pair().await;
    assert!(world.verify(&fresh.access_token).is_ok() && world.refresh(&fresh).await.is_ok());
    let world = world.reopened().await;
    assert_eq!((world.refusal(&lost), world.refresh(&lost).await.err()), (ALL, ENDED));
    assert!(world.verify(&fresh.access_token).is_ok());
    world.clock.advance_secs(86_400 + 5 + 1);
    world.issuer.tick().await;
    let list = world.verifier(policy());
    assert!(list.list().unwrap().head().cut.is_empty(), "no token of before can be alive");
    assert_eq!(world.refresh(&lost).await.err(), ENDED, "but a session of before could");
}

#[tokio::test]
async fn everything_until_a_time_leaves_what_came_after() {
    let world = world().await;
    let old = world.pair().await;
    world.clock.advance_secs(100);
    let young = world.pair().await;
    let until = |secs: u64| RevocationRequest::All { issued_before: Some(start().as_secs() + secs) };
    world.by(until(99)).await.unwrap();
    assert_eq!((world.refusal(&old), world.refresh(&old).await.err()), (ALL, ENDED));
    assert!(world.verify(&young.access_token).is_ok() && world.refresh(&young).await.is_ok());
    let refused = world.by(until(101)).await;
    assert!(matches!(refused, Err(Error::InvalidRequest { field: "issued_before", .. })), "{refused:?}");
    world.by(until(100)).await.unwrap();
    let fresh = world.pair().await;
    assert_eq!(world.refusal(&young), ALL);
    assert!(world.verify(&fresh.access_token).is_ok(), "issued in the second named, and after it was named");
}

#[tokio::test]
async fn a_rule_with_nothing_issued_in_this_second_moves_no_date() {
    let world = world().await;
    let pair = world.pair().await;
    world.clock.advance_secs(1);
    world.by(of_client("admin")).await.unwrap();
    assert_eq!(world.refusal(&pair), CLIENT);
    let fresh = world.pair().await;
    assert_eq!(world.iat(&fresh), start().plus_secs(1));
    assert!(world.verify(&fresh.access_token).is_ok());
}

#[tokio::test]
async fn more_clients_than_a_list_holds_wait_for_the_oldest_to_leave() {
    let settings = Settings { max_access_ttl_secs: 1_000, ..settings() };
    let world = world_with(settings).await;
    for n in 0..65 {
        world.client(&format!("client-{n}")).await;
    }
    world.clock.advance_secs(10);
    for n in 0..64 {
        world.by(of_client(&format!("client-{n}"))).await.unwrap();
        world.clock.advance_secs(1);
    }
    let full = world.by(of_client("client-64")).await;
    assert_eq!(full, Err(Error::TooManyRules { retry_after_secs: 1_000 + 5 - 64 }));
    assert!(full.unwrap_err().retryable());
    assert!(world.by(of_client("client-7")).await.is_ok() && world.by(EVERYTHING).await.is_ok());
    world.clock.advance_secs(1_000 + 5 - 64);
    assert!(world.by(of_client("client-64")).await.is_ok());
}

#[tokio::test]
async fn a_rule_outlives_a_setting_that_becomes_shorter() {
    let world = world().await;
    let asked = MintRequest { access_ttl: Some(86_400), ..request() };
    let pair = world.issuer.mint(&world.admin, asked).await.unwrap();
    world.by(of_client("admin")).await.unwrap();
    let World { issuer, clock, admin, directory } = world;
    issuer.close().await;
    drop(issuer);
    let short = Settings { max_access_ttl_secs: 900, ..settings() };
    let issuer = open(directory.path(), short, Env::seeded(Arc::clone(&clock), 3)).await.unwrap();
    let world = World { issuer, clock, admin, directory };
    world.clock.advance_secs(80_000);
    world.issuer.tick().await;
    assert_eq!(world.refusal(&pair), CLIENT);
}

#[tokio::test]
async fn a_store_that_lost_rules_revokes_everything_and_ends_every_session() {
    let world = world().await;
    let pair = world.pair().await;
    world.by(of_client("admin")).await.unwrap();
    let fresh = world.pair().await;
    world.clock.advance_secs(1);
    world.by(of_client("admin")).await.unwrap();
    let version = world.issuer.parts.ruling.rules().version;
    let World { issuer, clock, admin, directory } = world;
    issuer.close().await;
    drop(issuer);
    SledStore::remove_rules_for_test(directory.path());
    let issuer = open(directory.path(), settings(), Env::seeded(Arc::clone(&clock), 3)).await.unwrap();
    let world = World { issuer, clock, admin, directory };
    assert!(world.issuer.parts.ruling.rules().version > version, "a crash before the first list repeats nothing");
    for pair in [&pair, &fresh] {
        assert_eq!((world.refusal(pair), world.refresh(pair).await.err()), (ALL, ENDED));
    }
    let next = world.pair().await;
    let world = world.reopened().await;
    assert_eq!(world.refusal(&fresh), ALL);
    assert!(world.verify(&next.access_token).is_ok(), "a second start finds what the first one wrote");
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_a_rule_that_holds_and_that_the_next_tick_publishes() {
    let world = world().await;
    let pair = world.pair().await;
    let mut ruling = Box::pin(world.by(of_client("admin")));
    assert!(std::future::poll_fn(|context| std::task::Poll::Ready(ruling.as_mut().poll(context).is_pending())).await);
    drop(ruling); // asked for, and nothing more
    for _ in 0..20 {
        world.issuer.parts.store.lease_page(1).await.unwrap(); // others get their turn
    }
    drop(world.issuer.parts.ruling.pass().await.unwrap());
    assert_eq!(world.refresh(&pair).await.err(), ENDED);
    world.issuer.tick().await;
    assert_eq!(world.refusal(&pair), CLIENT);
}

/// Issues and refreshes until told to stop; returns what it got, each with whether its session began before the others.
async fn busy(
    world: Arc<World>,
    client: Client,
    stop: Arc<std::sync::atomic::AtomicBool>,
) -> Vec<(UnixTime, TokenAnswer)> {
    let mut got = Vec::new();
    while !stop.load(std::sync::atomic::Ordering::SeqCst) {
        let first = world.pair_of(&client, "user-1").await;
        let began = world.iat(&first);
        got.push((began, first.clone()));
        let mut newest = first;
        for _ in 0..3 {
            match world.refreshed(&client, &newest).await {
                Ok(next) => newest = next,
                Err(error) => {
                    assert_eq!(Some(error), ENDED);
                    break;
                }
            }
            got.push((began, newest.clone()));
        }
    }
    got
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rule_among_many_issuers_takes_back_what_is_dated_until_it_and_nothing_later() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let world = Arc::new(world().await);
    let clients = [world.client("one").await, world.client("two").await];
    for round in 0..12_u64 {
        world.clock.advance(Duration::from_millis(1_300));
        let stop = Arc::new(AtomicBool::new(false));
        let tasks: Vec<_> =
            (0..8).map(|n| tokio::spawn(busy(Arc::clone(&world), clients[n % 2].clone(), Arc::clone(&stop)))).collect();
        let early = world.pair_of(&clients[0], "user-1").await;
        world.by(if round % 2 == 0 { of_client("one") } else { EVERYTHING }).await.unwrap();
        let late = world.pair_of(&clients[0], "user-1").await;
        stop.store(true, Ordering::SeqCst);
        let rules = world.issuer.parts.ruling.rules();
        let until = if round % 2 == 0 { rules.clients["one"] } else { rules.all.unwrap() };
        assert!(world.refusal(&early).is_some(), "issued before it was asked for");
        assert_eq!(world.refusal(&late), None, "issued after it was answered");
        for (n, task) in tasks.into_iter().enumerate() {
            let concerned = n % 2 == 0 || round % 2 == 1;
            for (began, pair) in task.await.unwrap() {
                let iat = world.iat(&pair);
                let revoked = concerned && iat <= until;
                assert_eq!(world.refusal(&pair).is_some(), revoked, "dated {iat:?}, the rule is until {until:?}");
                assert!(!concerned || (began <= until) == (iat <= until), "a session outlived the rule by a token");
                assert_eq!(world.is_active(&pair.access_token).await, !revoked);
            }
        }
    }
}

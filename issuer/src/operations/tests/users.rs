//! Users: logging in, what tokens say of them, what administrators change and disabling ends.

use super::*;
use crate::audit::{Act, Filter};
use crate::operations::audit::{Order, Query};
use crate::passwords::{BlockList, Costs};
use crate::users::UserId;
use std::net::IpAddr;

pub(super) const PASSWORD: &str = "three quiet otters";
pub(super) const OTHER: &str = "seven loud herons in a row";

pub(super) fn cheap() -> UserSettings {
    UserSettings {
        costs: Costs { memory_kib: 64, iterations: 1, parallelism: 1 },
        reset_url: Some("https://app.example/reset".to_owned()),
        block_list: BlockList::parse("a listed password of mine"),
        ..UserSettings::default()
    }
}

pub(super) async fn with_users() -> World {
    world_with(Settings { users: Some(cheap()), ..settings() }).await
}

pub(super) fn from(address: &str) -> Origin {
    Origin { request: None, address: address.parse::<IpAddr>().ok() }
}

pub(super) fn home() -> Origin {
    from("192.0.2.1")
}

pub(super) fn attempt(username: &str, password: &str) -> LoginRequest {
    LoginRequest {
        username: username.to_owned(),
        password: Zeroizing::new(password.to_owned()),
        scope: None,
        device: None,
        device_token: None,
        instead_of: None,
        longest_token: usize::MAX,
    }
}

pub(super) fn maria() -> UserRequest {
    UserRequest {
        user_name: Some(Some("Maria".to_owned())),
        email: Some(Some("maria@example.com".to_owned())),
        profile: ProfileRequest {
            roles: Some(vec!["editor".to_owned()]),
            permissions: Some(vec!["a:b".to_owned()]),
            scope: Some(Some("read write".to_owned())),
            claims: Some(Map::from_iter([("tenant".to_owned(), Value::from("t-1"))])),
            ..ProfileRequest::default()
        },
        ..UserRequest::default()
    }
}

impl World {
    pub(super) async fn maria(&self) -> String {
        let password = Some(Zeroizing::new(PASSWORD.to_owned()));
        self.issuer.create_user(&self.admin, maria(), password).await.unwrap().sub
    }

    pub(super) async fn login(&self, username: &str, password: &str) -> Result<TokenAnswer, Error> {
        self.issuer.log_in(&home(), attempt(username, password)).await.map(|login| login.answer)
    }

    pub(super) async fn renew(&self, answer: &TokenAnswer) -> Result<TokenAnswer, Error> {
        let token = answer.refresh_token.as_deref().unwrap();
        self.issuer.renew(&home(), token, None, usize::MAX).await.map(|renewed| renewed.answer)
    }

    pub(super) async fn amend(&self, sub: &str, request: UserRequest) -> UserAnswer {
        self.issuer.amend_user(&self.admin, sub, request).await.unwrap()
    }
}

pub(super) fn text(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

pub(super) fn refused<T>(result: Result<T, Error>) -> Error {
    result.err().expect("refused")
}

pub(super) const BARRED: Error = Error::InvalidGrant(GrantFault::UserBarred);

#[tokio::test]
async fn a_login_by_name_or_address_says_what_the_user_may() {
    let world = with_users().await;
    let sub = world.maria().await;
    for name in ["maria", "MARIA", "Maria@Example.com"] {
        let answer = world.login(name, PASSWORD).await.expect(name);
        let claims = world.verify(&answer.access_token).unwrap().claims;
        assert_eq!((claims.sub.as_str(), claims.client_id.as_str()), (sub.as_str(), "login"));
        assert_eq!((claims.scope.as_deref(), claims.auth_time), (Some("read write"), Some(start())));
        assert_eq!((claims.roles, claims.permissions), (vec!["editor".to_owned()], vec!["a:b".to_owned()]));
        assert_eq!(claims.other.get("tenant"), Some(&Value::from("t-1")));
        assert_eq!((answer.refresh_expires_in, answer.session_expires_at.is_some()), (Some(604_800), true));
    }
    let told = async || {
        let filter = Filter { act: Some(Act::LoginSucceeded), ..Filter::default() };
        let query = Query { filter, order: Order::OldestFirst, after: None, limit: 99 };
        world.issuer.audit_page(&world.admin, &query).await.unwrap().items.len()
    };
    assert_eq!(told().await, 3);
    let less = LoginRequest { scope: Some("read".to_owned()), ..attempt("maria", PASSWORD) };
    assert_eq!(world.issuer.log_in(&home(), less).await.unwrap().answer.scope.as_deref(), Some("read"));
    let more = LoginRequest { scope: Some("admin".to_owned()), ..attempt("maria", PASSWORD) };
    assert_eq!(refused(world.issuer.log_in(&home(), more).await), Error::InvalidScope);
    assert_eq!(told().await, 4, "what began no session has not succeeded");
}

#[tokio::test]
async fn every_login_that_is_wrong_reads_the_same_and_writes_the_same() {
    let world = with_users().await;
    let sub = world.maria().await;
    let passwordless = UserRequest { user_name: Some(Some("new".to_owned())), ..UserRequest::default() };
    world.issuer.create_user(&world.admin, passwordless, None).await.unwrap();
    for (name, password) in [("maria", OTHER), ("nobody", PASSWORD), ("new", PASSWORD), ("", PASSWORD), ("a b", OTHER)]
    {
        assert_eq!(refused(world.login(name, password).await), Error::LoginRefused, "{name}");
    }
    let failures = |user: Option<crate::users::User>| user.map(|user| user.failures);
    let nobody = world.issuer.parts.store.user(UserId::NOBODY).await.unwrap();
    assert_eq!(failures(nobody), Some(3), "as many writes as for those who exist");
    assert_eq!(world.issuer.user(&world.admin, &sub).await.unwrap().failures, 1);
    world.login("maria", PASSWORD).await.unwrap();
    assert_eq!(world.issuer.user(&world.admin, &sub).await.unwrap().failures, 0);
    let nobody = UserId::NOBODY.to_string();
    assert_eq!(refused(world.issuer.user(&world.admin, &nobody).await), Error::NoSuchUser);
    let listed = world.issuer.users(&world.admin, None, 50).await.unwrap();
    assert_eq!((listed.items.len(), listed.next), (2, None), "nobody is not listed");
}

#[tokio::test]
async fn what_an_account_is_gets_told_after_the_right_password_only() {
    let world = with_users().await;
    let sub = world.maria().await;
    world.amend(&sub, UserRequest { must_reset: Some(true), ..UserRequest::default() }).await;
    assert_eq!(refused(world.login("maria", OTHER).await), Error::LoginRefused);
    let reset = Error::PasswordResetRequired { reset_url: Some("https://app.example/reset".to_owned()) };
    assert_eq!(refused(world.login("maria", PASSWORD).await), reset);
    world.amend(&sub, UserRequest { disabled: Some(true), ..UserRequest::default() }).await;
    assert_eq!(refused(world.login("maria", OTHER).await), Error::LoginRefused);
    assert_eq!(refused(world.login("maria", PASSWORD).await), Error::AccountDisabled);
}

#[tokio::test]
async fn disabling_ends_all_sessions_and_their_tokens_at_once() {
    let world = with_users().await;
    let sub = world.maria().await;
    let (one, two) = (world.login("maria", PASSWORD).await.unwrap(), world.login("maria", PASSWORD).await.unwrap());
    let answer = world.amend(&sub, UserRequest { disabled: Some(true), ..UserRequest::default() }).await;
    assert_eq!((answer.user.status, answer.revocation.is_some()), ("disabled", true));
    for session in [&one, &two] {
        assert_eq!(world.verify(&session.access_token).unwrap_err(), REVOKED);
        assert_eq!(refused(world.renew(session).await), BARRED);
        assert_eq!(refused(world.issuer.signed_in(&session.access_token).await), Error::InvalidToken);
    }
    world.amend(&sub, UserRequest { disabled: Some(false), ..UserRequest::default() }).await;
    assert_eq!(refused(world.renew(&one).await), Error::InvalidGrant(GrantFault::Ended), "what ended stays ended");
    world.login("maria", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn disabling_ends_the_sessions_also_when_the_caller_goes_away() {
    let world = with_users().await;
    let sub = world.maria().await;
    let answer = world.login("maria", PASSWORD).await.unwrap();
    let disabled = UserRequest { disabled: Some(true), ..UserRequest::default() };
    let (store, id) = (&world.issuer.parts.store, UserId::parse(&sub).unwrap());
    let done = async {
        while !store.user(id).await.unwrap().is_some_and(|user| user.disabled) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = done => {} // and nobody waits for the answer
        _ = world.issuer.amend_user(&world.admin, &sub, disabled) => panic!("it was too fast"),
    }
    for _ in 0..20_000 {
        if world.verify(&answer.access_token) == Err(REVOKED) {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the token is accepted still");
}

#[tokio::test]
async fn a_refresh_says_what_the_user_may_now_and_a_repetition_what_was_said() {
    let world = with_users().await;
    let sub = world.maria().await;
    let first = world.login("maria", PASSWORD).await.unwrap();
    let profile = ProfileRequest {
        roles: Some(vec!["admin".to_owned()]),
        permissions: Some(vec![]),
        scope: Some(Some("read more".to_owned())),
        claims: Some(Map::new()),
        ..ProfileRequest::default()
    };
    world.amend(&sub, UserRequest { profile, ..UserRequest::default() }).await;
    let second = world.renew(&first).await.unwrap();
    let claims = world.verify(&second.access_token).unwrap().claims;
    assert_eq!((claims.roles, claims.permissions), (vec!["admin".to_owned()], vec![]));
    assert_eq!((claims.scope.as_deref(), claims.other.get("tenant")), (Some("read"), None), "a scope never gets more");
    assert_eq!(claims.auth_time, Some(start()));
    world
        .amend(
            &sub,
            UserRequest {
                profile: ProfileRequest { roles: Some(vec![]), ..ProfileRequest::default() },
                ..UserRequest::default()
            },
        )
        .await;
    assert_eq!(body(&world.renew(&first).await.unwrap()), body(&second), "byte for byte");
    assert_eq!(refused(world.refresh(&second).await), Error::InvalidGrant(GrantFault::WrongClient), "nobody else's");
}

#[tokio::test]
async fn a_login_takes_the_place_of_a_session_of_a_login_and_of_no_other() {
    let world = with_users().await;
    world.maria().await;
    let old = world.login("maria", PASSWORD).await.unwrap();
    let of_backend = world.pair().await;
    for (session, ends) in [(&old, true), (&of_backend, false)] {
        let sid = world.issuer.session_of(session.refresh_token.as_deref().unwrap());
        world.issuer.log_in(&home(), LoginRequest { instead_of: sid, ..attempt("maria", PASSWORD) }).await.unwrap();
        world.issuer.publish().await.unwrap();
        assert_eq!(world.verify(&session.access_token).is_err(), ends);
    }
    let sid = world.issuer.session_of(of_backend.refresh_token.as_deref().unwrap());
    world.issuer.log_out(&home(), sid).await.unwrap();
    assert!(world.verify(&of_backend.access_token).is_ok(), "a logout ends sessions of logins only");
}

#[tokio::test]
async fn users_are_named_once_changed_by_administrators_and_gone_when_deleted() {
    let world = with_users().await;
    let sub = world.maria().await;
    let again = world.issuer.create_user(&world.admin, maria(), None).await;
    assert_eq!(refused(again), Error::NameTaken);
    let nameless = world.issuer.create_user(&world.admin, UserRequest::default(), None).await;
    assert!(matches!(refused(nameless), Error::InvalidRequest { field: "user_name", .. }));
    let backend = Client { administrator: false, ..world.admin.clone() };
    assert_eq!(refused(world.issuer.user(&backend, &sub).await), Error::UnauthorizedClient);
    assert_eq!(refused(world.issuer.create_user(&backend, maria(), None).await), Error::UnauthorizedClient);
    let session = world.login("maria", PASSWORD).await.unwrap();
    world.issuer.delete_user(&world.admin, &sub).await.unwrap();
    assert_eq!(world.verify(&session.access_token).unwrap_err(), REVOKED);
    assert_eq!(refused(world.issuer.user(&world.admin, &sub).await), Error::NoSuchUser);
    assert_eq!(refused(world.login("maria", PASSWORD).await), Error::LoginRefused);
    world.maria().await;
}

#[tokio::test]
async fn nobody_is_given_more_rights_than_fit_into_a_token() {
    let world = with_users().await;
    let sub = world.maria().await;
    let long = |byte: &str| Some(vec![byte.repeat(127); 60]);
    let profile = ProfileRequest { roles: long("r"), ..ProfileRequest::default() };
    let request = || UserRequest { profile: profile.clone(), ..UserRequest::default() };
    let too_long = |error: Error| matches!(error, Error::InvalidRequest { field: "claims", .. });
    let other = UserRequest { user_name: Some(Some("other".to_owned())), ..request() };
    assert!(too_long(refused(world.issuer.create_user(&world.admin, other, None).await)));
    assert!(too_long(refused(world.issuer.amend_user(&world.admin, &sub, request()).await)));
    world.login("maria", PASSWORD).await.expect("nothing has changed");
    assert_eq!(world.issuer.user(&world.admin, &sub).await.unwrap().roles, ["editor"]);
}

#[tokio::test]
async fn a_token_that_would_not_fit_into_a_cookie_is_not_made() {
    let world = with_users().await;
    let sub = world.maria().await;
    let session = world.login("maria", PASSWORD).await.unwrap();
    let roles = Some((0..40).map(|number| format!("{number:0>100}")).collect());
    world
        .amend(
            &sub,
            UserRequest { profile: ProfileRequest { roles, ..ProfileRequest::default() }, ..UserRequest::default() },
        )
        .await;
    let login = LoginRequest { longest_token: 4_000, ..attempt("maria", PASSWORD) };
    assert_eq!(refused(world.issuer.log_in(&home(), login).await), Error::TokenTooLong);
    let token = session.refresh_token.as_deref().unwrap();
    for _ in 0..3 {
        let renewed = world.issuer.renew(&home(), token, None, 4_000).await;
        assert_eq!(refused(renewed), Error::TokenTooLong, "and the refresh token is not used up");
    }
}

#[tokio::test]
async fn users_are_off_unless_they_are_turned_on_and_share_no_name_with_a_client() {
    let world = world().await;
    assert!(!world.issuer.has_users());
    assert_eq!(refused(world.login("maria", PASSWORD).await), Error::NoUsers);
    assert_eq!(refused(world.issuer.users(&world.admin, None, 1).await), Error::NoUsers);
    let World { issuer, clock, directory, .. } = world;
    issuer.close().await;
    drop(issuer);
    let settings = Settings { users: Some(UserSettings { client_id: "admin".to_owned(), ..cheap() }), ..settings() };
    let opened = open(directory.path(), settings, Env::seeded(clock, 5)).await;
    assert!(matches!(refused(opened), Error::InvalidRequest { field: "users.client_id", .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn above_what_may_wait_a_login_is_told_to_come_again() {
    let costs = Costs { memory_kib: 32_768, iterations: 2, parallelism: 1 };
    let users = UserSettings { hash_at_once: Some(1), costs, ..cheap() };
    let world = world_with(Settings { users: Some(users), ..settings() }).await;
    let tasks: Vec<_> = (0..60_u8)
        .map(|number| {
            let issuer = world.issuer.clone();
            let name = format!("user{number}");
            tokio::spawn(async move { issuer.log_in(&home(), attempt(&name, PASSWORD)).await.err() })
        })
        .collect();
    let (mut busy, mut tried) = (0, 0);
    for task in tasks {
        match task.await.unwrap().unwrap() {
            Error::HasherBusy { retry_after_secs: 1 } => busy += 1,
            other => {
                assert_eq!(other, Error::LoginRefused);
                tried += 1;
            }
        }
    }
    assert!(tried >= 5 && busy > 0, "{tried} tried, {busy} sent away");
}

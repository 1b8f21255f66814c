//! Passwords of users: changed, reset, tried by strangers, hashed again.

use super::users::*;
use super::*;
use crate::passwords::Costs;
use crate::users::UserId;

impl World {
    /// Drops the change, as a process that ends does, at the moment from which on the store has another password.
    async fn cut_off_once_it_is_set<T>(&self, sub: &str, change: impl Future<Output = T>) {
        let (store, sub) = (&self.issuer.parts.store, UserId::parse(sub).unwrap());
        let password = async || store.user(sub).await.unwrap().and_then(|user| user.password_set);
        let before = password().await;
        self.clock.advance_secs(1);
        let changed = async {
            while password().await == before {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = changed => {}
            _ = change => panic!("it was too fast"),
        }
    }
}

#[tokio::test]
async fn a_change_of_the_password_keeps_the_session_it_is_made_in_and_ends_the_others() {
    let world = with_users().await;
    world.maria().await;
    let (here, there) = (world.login("maria", PASSWORD).await.unwrap(), world.login("maria", PASSWORD).await.unwrap());
    let me = world.issuer.signed_in(&here.access_token).await.unwrap();
    let wrong = world.issuer.change_password(&home(), &me, text(OTHER), text("five very small foxes")).await;
    assert_eq!(refused(wrong), Error::WrongPassword);
    for (weak, code) in [
        ("too short", "too_short"),
        ("maria@example.com1", "name"),
        ("A listed password of MINE", "listed"),
        ("passwordpassword1", "common"),
    ] {
        match world.issuer.change_password(&home(), &me, text(PASSWORD), text(weak)).await {
            Err(Error::PasswordRefused(weakness)) => assert_eq!(weakness.code(), code),
            other => panic!("{weak}: {other:?}"),
        }
    }
    world.issuer.change_password(&home(), &me, text(PASSWORD), text(OTHER)).await.unwrap();
    assert_eq!(world.verify(&there.access_token).unwrap_err(), REVOKED);
    assert!(refused(world.renew(&there).await) == Error::InvalidGrant(GrantFault::Ended));
    world.renew(&here).await.expect("this one goes on");
    assert!(world.verify(&here.access_token).is_ok());
    assert_eq!(refused(world.login("maria", PASSWORD).await), Error::LoginRefused);
    world.login("maria", OTHER).await.unwrap();
}

#[tokio::test]
async fn a_change_of_the_password_that_is_cut_off_leaves_no_other_session_half_ended() {
    let world = with_users().await;
    let sub = world.maria().await;
    let (here, there) = (world.login("maria", PASSWORD).await.unwrap(), world.login("maria", PASSWORD).await.unwrap());
    let me = world.issuer.signed_in(&here.access_token).await.unwrap();
    let origin = home();
    let change = world.issuer.change_password(&origin, &me, text(PASSWORD), text(OTHER));
    world.cut_off_once_it_is_set(&sub, change).await;
    let world = world.reopened().await;
    world.login("maria", OTHER).await.expect("the password is another one");
    assert_eq!(refused(world.renew(&there).await), Error::InvalidGrant(GrantFault::UserBarred));
    assert_eq!(world.verify(&there.access_token).unwrap_err(), REVOKED, "and so is what it got");
    world.renew(&here).await.expect("this one goes on");
}

#[tokio::test]
async fn who_logs_in_after_a_change_of_the_password_stays_in_though_the_calendar_has_gone_back_since() {
    let world = with_users().await;
    let sub = world.maria().await;
    let here = world.login("maria", PASSWORD).await.unwrap();
    let me = world.issuer.signed_in(&here.access_token).await.unwrap();
    let origin = home();
    let change = world.issuer.change_password(&origin, &me, text(PASSWORD), text(OTHER));
    world.cut_off_once_it_is_set(&sub, change).await; // no list is of that second
    world.clock.jump_to(start());
    let world = world.reopened().await;
    let after = world.login("maria", OTHER).await.unwrap();
    let after = world.renew(&after).await.expect("it began after the change");
    assert!(world.verify(&after.access_token).is_ok());
    world.issuer.revoke_by(&world.admin, RevocationRequest::All { issued_before: None }).await.unwrap();
    assert_eq!(refused(world.renew(&after).await), Error::InvalidGrant(GrantFault::Ended));
    assert!(world.verify(&after.access_token).is_err(), "and a rule is dated late enough for it");
}

#[tokio::test]
async fn a_reset_by_a_code_that_is_cut_off_leaves_no_session_half_ended() {
    let world = with_users().await;
    let sub = world.maria().await;
    let there = world.login("maria", PASSWORD).await.unwrap();
    let code = world.issuer.reset_code(&world.admin, &sub).await.unwrap().code;
    let origin = home();
    world.cut_off_once_it_is_set(&sub, world.issuer.reset_password(&origin, code, text(OTHER))).await;
    let world = world.reopened().await;
    world.login("maria", OTHER).await.expect("the password is another one");
    assert_eq!(refused(world.renew(&there).await), Error::InvalidGrant(GrantFault::UserBarred));
    assert_eq!(world.verify(&there.access_token).unwrap_err(), REVOKED, "and so is what it got");
}

#[tokio::test]
async fn a_session_that_cannot_be_read_is_told_and_keeps_nobody_from_a_new_password() {
    let world = with_users().await;
    let sub = world.maria().await;
    let code = world.issuer.reset_code(&world.admin, &sub).await.unwrap().code;
    let answers = [world.login("maria", PASSWORD).await.unwrap(), world.login("maria", PASSWORD).await.unwrap()];
    let sid = world.issuer.parts.store.sessions(None, 9).await.unwrap().first().unwrap().sid;
    let world = world.reopened_after(|directory| SledStore::spoil_session_for_test(directory, sid)).await;
    let reset = refused(world.issuer.reset_password(&home(), code, text(OTHER)).await);
    assert!(matches!(reset, Error::Store(StoreError::Damaged { .. })), "{reset:?}");
    world.login("maria", OTHER).await.expect("the password is another one");
    for answer in &answers {
        assert!(matches!(refused(world.renew(answer).await), Error::InvalidGrant(_) | Error::Store(_)));
    }
    world.issuer.tick().await;
    let revoked = answers.iter().filter(|answer| world.verify(&answer.access_token) == Err(REVOKED));
    assert_eq!(revoked.count(), 1, "of the other one nobody knows which tokens live");
}

#[tokio::test]
async fn a_code_sets_a_password_once_in_its_time_and_ends_all_sessions() {
    let world = with_users().await;
    let sub = world.maria().await;
    let before = world.login("maria", PASSWORD).await.unwrap();
    world.amend(&sub, UserRequest { must_reset: Some(true), ..UserRequest::default() }).await;
    let first = world.issuer.reset_code(&world.admin, &sub).await.unwrap();
    let code = world.issuer.reset_code(&world.admin, &sub).await.unwrap();
    assert_eq!(code.expires_at, start().as_secs() + 900);
    let issuer = &world.issuer;
    for wrong in [
        "",
        ".",
        "nonsense",
        &first.code,
        &format!("{sub}."),
        &format!("{}.{}", UserId::NOBODY, code.code.split('.').nth(1).unwrap_or_default()),
    ] {
        assert_eq!(
            refused(issuer.reset_password(&home(), text(wrong), text(OTHER)).await),
            Error::InvalidResetCode,
            "{wrong}"
        );
    }
    for _ in 0..=UserSettings::default().reset_code_tries {
        let weak = issuer.reset_password(&home(), code.code.clone(), text("maria@example.com")).await;
        assert!(matches!(weak, Err(Error::PasswordRefused(_))), "which does not use it up");
    }
    issuer.reset_password(&home(), code.code.clone(), text(OTHER)).await.unwrap();
    assert_eq!(
        refused(issuer.reset_password(&home(), code.code.clone(), text(PASSWORD)).await),
        Error::InvalidResetCode
    );
    assert_eq!(world.verify(&before.access_token).unwrap_err(), REVOKED);
    assert!(!world.issuer.user(&world.admin, &sub).await.unwrap().must_reset);
    world.login("maria", OTHER).await.unwrap();

    let late = issuer.reset_code(&world.admin, &sub).await.unwrap();
    world.clock.advance_secs(900);
    assert_eq!(refused(issuer.reset_password(&home(), late.code, text(PASSWORD)).await), Error::InvalidResetCode);
}

#[tokio::test]
async fn strangers_can_slow_down_strangers_but_not_the_owner_on_a_known_device() {
    let world = with_users().await;
    world.maria().await;
    let at_home = world.issuer.log_in(&home(), attempt("maria", PASSWORD)).await.unwrap();
    let mut throttled = 0;
    for number in 0..200_u8 {
        world.clock.advance_secs(1);
        match refused(world.issuer.log_in(&from(&format!("203.0.113.{number}")), attempt("maria", OTHER)).await) {
            Error::TooManyAttempts { .. } => throttled += 1,
            other => assert_eq!(other, Error::LoginRefused),
        }
    }
    assert!(throttled > 150, "{throttled}");
    world.login("maria", PASSWORD).await.expect("at home");
    let elsewhere = LoginRequest { device_token: Some(at_home.device_token), ..attempt("maria", PASSWORD) };
    world.issuer.log_in(&from("198.51.100.9"), elsewhere).await.expect("a known device at a new place");
    let forged = LoginRequest { device_token: Some("A".repeat(64)), ..attempt("maria", PASSWORD) };
    let stranger = world.issuer.log_in(&from("198.51.100.10"), forged).await;
    assert!(matches!(refused(stranger), Error::TooManyAttempts { .. }));
    for number in 0..30_u8 {
        drop(world.issuer.log_in(&from(&format!("203.0.113.{number}")), attempt("ghost", OTHER)).await);
    }
    let ghost = world.issuer.log_in(&from("203.0.113.99"), attempt("ghost", OTHER)).await;
    assert!(matches!(refused(ghost), Error::TooManyAttempts { .. }), "who does not exist is slowed down the same");
}

#[tokio::test]
async fn after_a_hundred_failures_a_right_password_is_not_tried_and_a_reset_opens() {
    let world = with_users().await;
    let sub = world.maria().await;
    world.login("maria", PASSWORD).await.unwrap();
    for number in 0..200_u32 {
        world.clock.advance_secs(1_000);
        let stranger = from(&format!("10.{}.{}.1", number / 100, number % 100));
        let origin = if number < 100 { stranger } else { home() };
        assert_eq!(refused(world.issuer.log_in(&origin, attempt("maria", OTHER)).await), Error::LoginRefused);
        let failures = world.issuer.user(&world.admin, &sub).await.unwrap().failures;
        assert_eq!(failures, if number < 100 { (number + 1).min(80) } else { (number - 100 + 81).min(100) });
    }
    world.clock.advance_secs(1_000);
    assert_eq!(refused(world.login("maria", PASSWORD).await), Error::LoginRefused);
    let code = world.issuer.reset_code(&world.admin, &sub).await.unwrap().code;
    world.issuer.reset_password(&home(), code, Zeroizing::new(OTHER.to_owned())).await.unwrap();
    world.clock.advance_secs(1_000);
    world.login("maria", OTHER).await.unwrap();
}

#[tokio::test]
async fn a_hash_is_made_again_when_costs_have_risen() {
    let world = with_users().await;
    let sub = world.maria().await;
    let id = UserId::parse(&sub).unwrap();
    let World { issuer, clock, directory, .. } = world;
    let stored = issuer.parts.store.user(id).await.unwrap().unwrap().password.unwrap();
    issuer.close().await;
    drop(issuer);
    let costs = Costs { memory_kib: 128, ..cheap().costs };
    let settings = Settings { users: Some(UserSettings { costs, ..cheap() }), ..settings() };
    let env = Env::seeded(Arc::clone(&clock), 77);
    let issuer = open(directory.path(), settings, env).await.unwrap();
    issuer.log_in(&home(), attempt("maria", PASSWORD)).await.unwrap();
    let again = issuer.parts.store.user(id).await.unwrap().unwrap().password.unwrap();
    assert!(stored.is_below(costs) && !again.is_below(costs));
    issuer.log_in(&home(), attempt("maria", PASSWORD)).await.expect("and it is of the same password");
}

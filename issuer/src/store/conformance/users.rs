//! What every engine must do with users.

use super::*;
use crate::passwords::PasswordHash;
use crate::users::{Amendment, Ended, Name, Outcome as Done, Place, Profile, ResetCode, User, UserId};

/// A user of this number, with everything that can be kept.
pub(crate) fn user(number: u8) -> User {
    let hash = "$argon2id$v=19$m=8,t=1,p=1$AQEBAQEBAQEBAQEBAQEBAQ$AQEBAQEBAQEBAQEBAQEBAQ";
    let name = |text: String| Name::parse(&text);
    let profile = Profile {
        roles: vec!["editor".to_owned()],
        permissions: vec!["a:b".to_owned(), "c".to_owned()],
        scope: Some("read write".to_owned()),
        aud: vec!["api".to_owned()],
        claims: r#"{"tenant":"t-1"}"#.to_owned(),
        access_ttl: Some(60),
        refresh_ttl: None,
        session_ttl: Some(u64::MAX),
    };
    let names = (name(format!("User-{number}")), name(format!("U{number}@Example.com")));
    let mut user = User::new(UserId([number; 16]), names.0, names.1, profile, [number; 16], at(0));
    user.password = PasswordHash::parse(hash.to_owned()).ok();
    user.code = Some(ResetCode { hash: [number; 32], expires_at: at(900), tries: 5 });
    user.failures = 99;
    user.known = vec![Place([1; 16]), Place([2; 16])];
    (user.password_set, user.last_login) = (Some(at(1)), Some(at(2)));
    user.ended = Some(Ended { before: at(3), except: Some(SessionId([4; 16])) });
    user
}

fn rename(user_name: Option<&str>, email: Option<&str>) -> Amendment {
    Amendment {
        user_name: Some(user_name.and_then(Name::parse)),
        email: Some(email.and_then(Name::parse)),
        ..Amendment::default()
    }
}

pub(crate) async fn a_user_reads_as_it_was_stored_by_id_and_by_both_names_also_after_a_restart(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    assert_eq!(store.create_user(user(1), vec![]).await, Ok(Done::Done));
    let store = reopen(store, open, directory.path());
    assert_eq!(store.user(UserId([1; 16])).await, Ok(Some(user(1))));
    for name in ["user-1", "u1@example.com"] {
        assert_eq!(store.user_named(name.to_owned()).await, Ok(Some(user(1))), "{name}");
    }
    for name in ["User-1", "user-", "user-11", ""] {
        assert_eq!(store.user_named(name.to_owned()).await, Ok(None), "{name}");
    }
    assert_eq!(store.user(UserId([2; 16])).await, Ok(None));
    assert!(matches!(store.create_user(user(1), vec![]).await, Err(StoreError::Damaged { .. })));
}

pub(crate) async fn of_many_who_want_one_name_at_once_one_gets_it(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let create = |number: u8| {
        let mut wanted = user(number);
        wanted.user_name = Name::parse("Maria");
        tokio::spawn(store.create_user(wanted, vec![]))
    };
    let mut done = Vec::new();
    for (number, task) in (1..=32).map(|number| (number, create(number))).collect::<Vec<_>>() {
        match task.await.unwrap().unwrap() {
            Done::Done => done.push(number),
            other => assert_eq!(other, Done::NameTaken),
        }
    }
    assert_eq!(done.len(), 1);
    let [winner] = done[..] else { return };
    assert_eq!(store.user_named("maria".to_owned()).await.unwrap().map(|user| user.id), Some(UserId([winner; 16])));
    let loser = if winner == 1 { 2 } else { 1 };
    assert_eq!(store.user_named(format!("u{loser}@example.com")).await, Ok(None), "nothing of the others is there");
}

pub(crate) async fn a_name_that_is_given_up_is_free_and_one_that_is_taken_changes_nothing(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.create_user(user(1), vec![]).await.unwrap();
    store.create_user(user(2), vec![]).await.unwrap();
    let amend = |number: u8, amendment: Amendment| {
        store.update_user(UserId([number; 16]), Box::new(move |user| user.amend(amendment).into()))
    };
    let taken = amend(2, rename(Some("fresh"), Some("U1@EXAMPLE.COM"))).await.unwrap().unwrap();
    assert_eq!(taken, (user(2), Done::NameTaken));
    assert_eq!(store.user_named("fresh".to_owned()).await, Ok(None));
    let (renamed, outcome) = amend(1, rename(None, Some("u1@example.com"))).await.unwrap().unwrap();
    assert_eq!((outcome, renamed.user_name), (Done::Done, None));
    assert_eq!(store.user_named("user-1".to_owned()).await, Ok(None));
    let (_, outcome) = amend(2, rename(Some("USER-1"), None)).await.unwrap().unwrap();
    assert_eq!(outcome, Done::Done);
    let store = reopen(store, open, directory.path());
    assert_eq!(store.user_named("user-1".to_owned()).await.unwrap().map(|user| user.id), Some(UserId([2; 16])));
    assert_eq!(store.user_named("u2@example.com".to_owned()).await, Ok(None));
    assert_eq!(store.update_user(UserId([9; 16]), Box::new(|user| user.attempt(true, 1).into())).await, Ok(None));
}

pub(crate) async fn attempts_at_once_are_each_counted(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut fresh = user(1);
    fresh.failures = 0;
    store.create_user(fresh, vec![]).await.unwrap();
    let attempt = || tokio::spawn(store.update_user(UserId([1; 16]), Box::new(|user| user.attempt(true, 100).into())));
    let mut allowed = 0;
    for task in (0..300).map(|_| attempt()).collect::<Vec<_>>() {
        allowed += usize::from(task.await.unwrap().unwrap().unwrap().1 == Done::Done);
    }
    assert_eq!(allowed, 100);
    let store = reopen(store, open, directory.path());
    assert_eq!(store.user(UserId([1; 16])).await.unwrap().map(|user| user.failures), Some(100));
}

pub(crate) async fn users_are_read_in_bounded_steps_and_deleted_with_their_names(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for number in [1, 7, 254, 255] {
        store.create_user(user(number), vec![]).await.unwrap();
    }
    assert_eq!(store.users(None, 3).await, Ok(vec![user(1), user(7), user(254)]));
    assert_eq!(store.users(Some(UserId([7; 16])), 9).await, Ok(vec![user(254), user(255)]));
    assert_eq!(
        (store.delete_user(UserId([7; 16]), vec![]).await, store.delete_user(UserId([7; 16]), vec![]).await),
        (Ok(true), Ok(false))
    );
    let store = reopen(store, open, directory.path());
    assert_eq!(store.users(None, 9).await, Ok(vec![user(1), user(254), user(255)]));
    assert_eq!(store.user_named("u7@example.com".to_owned()).await, Ok(None));
    assert_eq!(store.create_user(user(7), vec![]).await, Ok(Done::Done), "the names are free");
}

pub(crate) async fn the_binding_key_stays_what_it_was_first(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    assert_eq!(store.binding_key([1; 32]).await, Ok([1; 32]));
    let store = reopen(store, open, directory.path());
    assert_eq!(store.binding_key([2; 32]).await, Ok([1; 32]));
}

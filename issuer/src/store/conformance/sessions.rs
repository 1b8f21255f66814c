//! What every engine must do with sessions.

use super::*;

pub(crate) async fn a_session_reads_as_it_was_stored_also_after_a_restart(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    assert_eq!(store.session(SessionId([1; 16])).await, Ok(None));
    store.create_session(session(1), vec![]).await.unwrap();
    store.create_session(session(2), vec![]).await.unwrap();
    assert_eq!(store.session(SessionId([1; 16])).await, Ok(Some(session(1))));
    let store = reopen(store, open, directory.path());
    assert_eq!(store.session(SessionId([2; 16])).await, Ok(Some(session(2))));
}

pub(crate) async fn a_second_session_of_the_same_name_is_refused(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.create_session(session(1), vec![]).await.unwrap();
    let twin = Session { client_id: "other".to_owned(), ..session(1) };
    assert!(matches!(store.create_session(twin, vec![]).await, Err(StoreError::Damaged { .. })));
    assert_eq!(store.session(SessionId([1; 16])).await, Ok(Some(session(1))));
}

pub(crate) async fn an_update_is_what_the_transition_says(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let nobody = store.update_session(SessionId([9; 16]), Box::new(|session| session.revoke(at(1)).into())).await;
    assert_eq!(nobody, Ok(None));
    store.create_session(session(1), vec![]).await.unwrap();
    let (after, outcome) = present(store.as_ref(), SessionId([1; 16]), 1, 77, at(10)).await;
    assert_eq!((outcome, after.last.index), (Outcome::Rotated, 77));
    assert_eq!(store.session(SessionId([1; 16])).await, Ok(Some(after.clone())));
    let (repeated, outcome) = present(store.as_ref(), SessionId([1; 16]), 1, 78, at(11)).await;
    assert_eq!((outcome, &repeated), (Outcome::Repeated, &after));
    let store = reopen(store, open, directory.path());
    assert_eq!(store.session(SessionId([1; 16])).await, Ok(Some(after)));
}

pub(crate) async fn sixty_four_presenters_at_once_make_one_successor(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for round in 0..20 {
        store.create_session(session(round), vec![]).await.unwrap();
        let tasks: Vec<_> = (0..64)
            .map(|index| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { present(store.as_ref(), SessionId([round; 16]), 1, index, at(10)).await })
            })
            .collect();
        let (mut rotated, mut successors) = (0, BTreeSet::new());
        for task in tasks {
            let (session, outcome) = task.await.unwrap();
            rotated += usize::from(outcome == Outcome::Rotated);
            assert!(matches!(outcome, Outcome::Rotated | Outcome::Repeated));
            successors.insert((session.last.index, session.renewal.unwrap().generation));
        }
        assert_eq!((rotated, successors.len()), (1, 1), "round {round}");
    }
}

pub(crate) async fn transitions_of_one_session_never_overlap(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.create_session(session(1), vec![]).await.unwrap();
    let count = |mut session: Session| {
        session.access_ttl_secs += 1;
        Step { session, changed: true, revoked: Vec::new(), outcome: Outcome::Rotated }.into()
    };
    let tasks: Vec<_> =
        (0..500).map(|_| tokio::spawn(store.update_session(SessionId([1; 16]), Box::new(count)))).collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(store.session(SessionId([1; 16])).await.unwrap().unwrap().access_ttl_secs, 800);
}

pub(crate) async fn what_a_step_revokes_is_revoked_with_it(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.create_session(session(1), vec![]).await.unwrap();
    let before = live(&session(1));
    assert_eq!(store.is_revoked(before[0]).await, Ok(false));
    let (_, outcome) = present(store.as_ref(), SessionId([1; 16]), 0, 77, at(10)).await;
    assert_eq!(outcome, Outcome::Refused(crate::error::GrantFault::Reused));
    let store = reopen(store, open, directory.path());
    for jti in before {
        assert_eq!(store.is_revoked(jti).await, Ok(true));
    }
    assert!(store.session(SessionId([1; 16])).await.unwrap().unwrap().ended.is_some());
}

pub(crate) async fn after_a_revocation_is_answered_no_refresh_succeeds(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for round in 0..100 {
        store.create_session(session(round), vec![]).await.unwrap();
        let sid = SessionId([round; 16]);
        let racer = {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut taken = Vec::new();
                for generation in 1..20 {
                    let (session, outcome) =
                        present(store.as_ref(), sid, generation, 1_000 + u32::try_from(generation).unwrap(), at(10))
                            .await;
                    if outcome != Outcome::Rotated {
                        break;
                    }
                    taken.push(Jti::new(session.last.exp, session.last.index));
                }
                taken
            })
        };
        store.update_session(sid, Box::new(|session| session.revoke(at(10)).into())).await.unwrap();
        let (_, late) = present(store.as_ref(), sid, 1, 5_000, at(10)).await;
        assert_eq!(late, Outcome::Refused(crate::error::GrantFault::Ended));
        for jti in racer.await.unwrap() {
            assert_eq!(store.is_revoked(jti).await, Ok(true), "a token slipped between refresh and revocation");
        }
    }
}

pub(crate) async fn sessions_are_read_in_bounded_steps_each_once(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    assert_eq!(store.sessions(None, 10).await, Ok(vec![]));
    for name in [0, 1, 254, 255] {
        store.create_session(session(name), vec![]).await.unwrap();
    }
    let store = reopen(store, open, directory.path());
    assert_eq!(store.sessions(None, 3).await, Ok(vec![session(0), session(1), session(254)]));
    assert_eq!(store.sessions(Some(SessionId([1; 16])), 9).await, Ok(vec![session(254), session(255)]));
    assert_eq!(store.sessions(Some(SessionId([255; 16])), 9).await, Ok(vec![]));
}

pub(crate) async fn only_expired_sessions_are_purged(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let count = u16::try_from(PURGE_STEP).unwrap() + 10;
    for name in 0..count {
        let mut sid = [0; 16];
        sid[..2].copy_from_slice(&name.to_be_bytes());
        drop(store.create_session(Session { sid: SessionId(sid), ..session(0) }, vec![]));
    }
    store.create_session(session(200), vec![]).await.unwrap();
    let (kept, _) = present(store.as_ref(), SessionId([200; 16]), 1, 9, at(900)).await; // lives until 1,900 now
    assert_eq!(store.purge_sessions(at(1_000)).await, Ok(false), "they expire at 1,000, which is not before");
    assert_eq!(store.purge_sessions(at(1_001)).await, Ok(true), "one step is bounded");
    let store = reopen(store, open, directory.path());
    assert_eq!(store.purge_sessions(at(1_001)).await, Ok(false));
    assert_eq!(store.session(SessionId([0; 16])).await, Ok(None));
    assert_eq!(store.session(SessionId([200; 16])).await, Ok(Some(kept)));
    assert_eq!(store.purge_sessions(at(1_900)).await, Ok(false));
    assert!(store.session(SessionId([200; 16])).await.unwrap().is_some());
    assert_eq!(store.purge_sessions(at(1_901)).await, Ok(false));
    assert_eq!(store.session(SessionId([200; 16])).await, Ok(None));
}

//! What every engine must do with subjects and rules.

use super::*;
use crate::error::GrantFault;
use crate::keys::KeyState;

/// A session of this subject, with so many live tokens.
fn of_subject(sub: &str, name: u16, live: u32) -> Session {
    let mut sid = [9; 16];
    sid[..2].copy_from_slice(&name.to_be_bytes());
    let mut session = Session { sid: SessionId(sid), ..session(0) };
    session.grant.sub = sub.to_owned();
    session.live = (0..live).map(|n| Live { exp: at(300), index: u32::from(name) * 1_000 + n }).collect();
    session
}

/// Revokes a subject to the end; returns how many sessions ended in each step.
async fn revoke_all(store: &dyn Store, sub: &str, until: UnixTime) -> Vec<usize> {
    let (mut steps, mut last) = (Vec::new(), None);
    loop {
        let step = store
            .revoke_subject(OfSubject { until, ..OfSubject::all(sub.to_owned()) }, last, at(50), ending())
            .await
            .unwrap();
        assert_eq!(step.unreadable, 0);
        steps.push(step.ended);
        last = step.last;
        if last.is_none() {
            return steps;
        }
    }
}

async fn has_ended(store: &dyn Store, session: &Session) -> bool {
    let stored = store.session(session.sid).await.unwrap().unwrap();
    let revoked = store.is_revoked(live(session)[0]).await.unwrap();
    assert_eq!(stored.ended.is_some(), revoked, "a session and its tokens go together");
    revoked
}

pub(crate) async fn the_sessions_of_a_subject_end_with_their_live_tokens_and_no_others_do(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let (one, two) = (of_subject("alice", 1, 2), of_subject("alice", 2, 3));
    let others = [of_subject("Alice", 3, 1), of_subject("alice ", 4, 1), of_subject("", 5, 1)];
    for session in [&one, &two].into_iter().chain(&others) {
        store.create_session(session.clone(), vec![]).await.unwrap();
    }
    let mut feed = store.revocations().await.unwrap().feed;
    assert_eq!(revoke_all(store.as_ref(), "nobody", at(0)).await, [0]);
    assert_eq!(revoke_all(store.as_ref(), "alice", at(0)).await, [2]);
    let announced: BTreeSet<Jti> = feed.try_recv().unwrap().jtis.into_iter().collect();
    assert_eq!(announced, live(&one).into_iter().chain(live(&two)).collect::<BTreeSet<_>>());
    assert_eq!(revoke_all(store.as_ref(), "alice", at(0)).await, [0], "once");
    let store = reopen(store, open, directory.path());
    assert!(has_ended(store.as_ref(), &one).await && has_ended(store.as_ref(), &two).await);
    for other in &others {
        assert!(!has_ended(store.as_ref(), other).await, "{:?}", other.grant.sub);
    }
}

pub(crate) async fn a_session_of_the_subject_that_began_later_stays(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let begun = |name, secs| Session { began: at(secs), ..of_subject("alice", name, 1) };
    let sessions = [begun(1, 9), begun(2, 10), begun(3, 11)];
    for session in &sessions {
        store.create_session(session.clone(), vec![]).await.unwrap();
    }
    // A refresh does not make a session younger.
    present(store.as_ref(), sessions[0].sid, 1, 77, at(40)).await;
    assert_eq!(revoke_all(store.as_ref(), "alice", at(10)).await, [2]);
    assert!(has_ended(store.as_ref(), &sessions[0]).await && has_ended(store.as_ref(), &sessions[1]).await);
    assert!(!has_ended(store.as_ref(), &sessions[2]).await);
}

pub(crate) async fn one_session_of_the_subject_can_be_kept(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let sessions = [1, 2, 3].map(|name| of_subject("alice", name, 1));
    for session in &sessions {
        store.create_session(session.clone(), vec![]).await.unwrap();
    }
    let kept = Some(sessions[1].sid);
    let these = OfSubject { except: kept, ..OfSubject::all("alice".to_owned()) };
    let step = store.revoke_subject(these, None, at(50), ending()).await.unwrap();
    assert_eq!((step.ended, step.last), (2, None));
    for session in &sessions {
        assert_eq!(has_ended(store.as_ref(), session).await, kept != Some(session.sid));
    }
}

pub(crate) async fn a_subject_with_many_sessions_or_tokens_ends_in_bounded_steps(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let many = u16::try_from(SUBJECT_STEP).unwrap() * 2;
    let queued: Vec<_> = (0..many).map(|name| store.create_session(of_subject("robot", name, 1), vec![])).collect();
    for answer in queued {
        answer.await.unwrap();
    }
    assert_eq!(revoke_all(store.as_ref(), "robot", at(0)).await, [SUBJECT_STEP, SUBJECT_STEP, 0]);
    let queued: Vec<_> = (200..206).map(|name| store.create_session(of_subject("busy", name, 512), vec![])).collect();
    for answer in queued {
        answer.await.unwrap();
    }
    assert_eq!(revoke_all(store.as_ref(), "busy", at(0)).await, [2, 2, 2, 0]);
    for name in 0..many {
        assert!(has_ended(store.as_ref(), &of_subject("robot", name, 1)).await);
    }
}

pub(crate) async fn after_a_subject_is_revoked_no_refresh_succeeds_and_no_token_lives(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for round in 0..60 {
        let sub = format!("user-{round}");
        let sessions = [of_subject(&sub, round * 2, 1), of_subject(&sub, round * 2 + 1, 1)];
        let mut racers = Vec::new();
        for session in &sessions {
            let sid = store.create_session(session.clone(), vec![]).await.unwrap().sid;
            let store = Arc::clone(&store);
            racers.push(tokio::spawn(async move {
                let mut taken = Vec::new();
                for generation in 1..20 {
                    let index = 1_000_000 + u32::from(round) * 100 + u32::try_from(generation).unwrap();
                    let (session, outcome) = present(store.as_ref(), sid, generation, index, at(10)).await;
                    if outcome != Outcome::Rotated {
                        break;
                    }
                    taken.push(Jti::new(session.last.exp, session.last.index));
                }
                taken
            }));
        }
        revoke_all(store.as_ref(), &sub, at(0)).await;
        for session in &sessions {
            let (_, late) = present(store.as_ref(), session.sid, 1, 5_000, at(10)).await;
            assert_eq!(late, Outcome::Refused(GrantFault::Ended));
        }
        for racer in racers {
            for jti in racer.await.unwrap() {
                assert_eq!(store.is_revoked(jti).await, Ok(true), "a token slipped between refresh and revocation");
            }
        }
    }
}

pub(crate) async fn rules_only_go_up_and_their_keys_come_with_them(open: Open) {
    let rules = |version| Rules { version, all: Some(at(version)), ..Rules::new([3; 16]) };
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    assert_eq!(store.rules().await, Ok(None));
    store.put_keys(vec![key("a", KeyState::Active)], vec![]).await.unwrap();
    store.put_rules(rules(5), vec![key("a", KeyState::Withdrawn), key("b", KeyState::Active)], vec![]).await.unwrap();
    for version in [0, 4, 5] {
        let superseded = store.put_rules(rules(version), vec![key("b", KeyState::Withdrawn)], vec![]).await;
        assert_eq!(superseded, Err(StoreError::Superseded));
    }
    let store = reopen(store, open, directory.path());
    assert_eq!(store.rules().await, Ok(Some(rules(5))));
    assert_eq!(store.keys().await, Ok(vec![key("a", KeyState::Withdrawn), key("b", KeyState::Active)]));
    assert_eq!(store.put_rules(rules(5), vec![], vec![]).await, Err(StoreError::Superseded));
    store.put_rules(rules(6), vec![], vec![]).await.unwrap();
    assert_eq!(store.rules().await, Ok(Some(rules(6))));
}

pub(crate) async fn only_the_sessions_that_are_named_of_a_subject_end(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let of = |name, client: &str| Session { client_id: client.to_owned(), ..of_subject("alice", name, 1) };
    let sessions = [of(1, "shop"), of(2, "shop"), of(3, "shop"), of(4, "bank")];
    for session in &sessions {
        store.create_session(session.clone(), vec![]).await.unwrap();
    }
    let all = OfSubject::all("alice".to_owned());
    let these = OfSubject { client_id: Some("shop".to_owned()), except: Some(sessions[1].sid), ..all.clone() };
    let step = store.revoke_subject(these, None, at(50), ending()).await.unwrap();
    assert_eq!(step, SubjectStep { last: None, ended: 2, unreadable: 0 });
    for (session, ends) in sessions.iter().zip([true, false, true, false]) {
        assert_eq!(has_ended(store.as_ref(), session).await, ends, "{session:?}");
    }
    let step = store.revoke_subject(all, None, at(50), ending()).await.unwrap();
    assert_eq!(step.ended, 2);
}

pub(crate) async fn the_sessions_of_a_subject_are_read_in_bounded_steps_each_once_and_those_of_no_other(open: Open) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let many = u16::try_from(SUBJECT_STEP).unwrap() * 2;
    for name in 0..many {
        drop(store.create_session(of_subject("alice", name, 1), vec![]));
    }
    store.create_session(of_subject("Alice", many, 1), vec![]).await.unwrap();
    let read = |after, most| store.sessions_of("alice".to_owned(), after, most);
    let all = read(None, usize::from(many) * 2).await.unwrap();
    assert!(all.iter().enumerate().all(|(name, read)| *read == of_subject("alice", u16::try_from(name).unwrap(), 1)));
    assert_eq!(all.len(), usize::from(many));
    let (mut parts, mut after) = (Vec::new(), None);
    loop {
        let part = read(after, 50).await.unwrap();
        assert!(part.len() <= 50);
        let Some(last) = part.last() else { break };
        after = Some(last.sid);
        parts.extend(part);
    }
    assert_eq!(parts, all);
    assert_eq!(store.sessions_of("bob".to_owned(), None, 9).await, Ok(vec![]));
}

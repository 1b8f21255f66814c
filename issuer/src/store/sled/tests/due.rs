//! When sessions are looked at: those that have expired go, all others stay, and no row that says when is left over.

use super::*;
use crate::session::{Outcome, Renewal};
use crate::store::PURGE_STEP;
use std::collections::BTreeMap;

fn named(name: u32) -> SessionId {
    let mut sid = [0; 16];
    sid[..4].copy_from_slice(&name.wrapping_mul(2_654_435_761).to_be_bytes());
    SessionId(sid)
}

fn until(sid: SessionId, expires_at: u64) -> Session {
    let renewal = Renewal { idle_secs: 1_000, ends_at: at(10_000_000), generation: 1, expires_at: at(expires_at) };
    Session { sid, renewal: Some(renewal), ..session(0) }
}

fn due_rows(directory: &Path) -> usize {
    rows(directory, |db| db.scan_prefix(b"x").count())
}

async fn reopened(store: SledStore, directory: &Path) -> SledStore {
    store.close().await.unwrap();
    drop(store);
    SledStore::open(directory).unwrap()
}

#[tokio::test]
async fn whatever_is_begun_prolonged_purged_and_opened_again_what_expired_goes_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = SledStore::open(directory.path()).unwrap();
    let mut dice = 3_u64;
    let mut roll = |sides| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    let mut alive = BTreeMap::new();
    let (mut now, mut count) = (0, 0);
    for step in 0..300 {
        now += roll(400);
        for _ in 0..roll(60) {
            count += 1;
            let ttl = [roll(200), 1_000, 1_000 + roll(90), 50_000 + roll(50_000)][usize::try_from(roll(4)).unwrap()];
            alive.insert(named(count), now + ttl);
            drop(store.create_session(until(named(count), now + ttl), vec![]));
        }
        for (sid, expires_at) in alive.iter_mut().filter(|(_, expires_at)| **expires_at > now).step_by(7) {
            *expires_at = now.max(*expires_at) + roll(3_000);
            let prolonged = until(*sid, *expires_at);
            let prolong = |_| Step { session: prolonged, changed: true, revoked: vec![], outcome: Outcome::Rotated };
            drop(store.update_session(*sid, Box::new(move |session| prolong(session).into())));
        }
        while store.purge_sessions(at(now)).await.unwrap() {}
        if roll(20) == 0 {
            store = reopened(store, directory.path()).await;
        }
        let left = store.sessions(None, usize::MAX).await.unwrap();
        let left: BTreeMap<_, _> = left.into_iter().map(|session| (session.sid, session.expires_at())).collect();
        alive.retain(|sid, expires_at| *expires_at >= now || left.contains_key(sid));
        let expected = alive.iter().map(|(sid, expires_at)| (*sid, at(*expires_at))).collect::<BTreeMap<_, _>>();
        assert_eq!(left, expected, "step {step}");
        let late = alive.values().filter(|expires_at| **expires_at + 300 < now).count();
        assert_eq!(late, 0, "step {step}: they go within five minutes");
    }
    assert!(alive.len() > 500 && usize::try_from(count).unwrap() > 2 * alive.len(), "{} of {count}", alive.len());
    let mut steps = 1;
    while store.purge_sessions(at(1_000_000)).await.unwrap() {
        steps += 1;
    }
    assert!(steps >= alive.len() / PURGE_STEP, "a step is bounded");
    assert_eq!(store.sessions(None, usize::MAX).await, Ok(vec![]));
    store.close().await.unwrap();
    drop(store);
    assert_eq!(due_rows(directory.path()), 0);
    assert_eq!(rows(directory.path(), |db| db.scan_prefix(b"u").count()), 0);
}

#[tokio::test]
async fn sessions_that_are_due_together_share_a_row_and_a_start_begins_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = SledStore::open(directory.path()).unwrap();
    for name in 0..100 {
        drop(store.create_session(until(named(name), 1_000 + u64::from(name)), vec![]));
    }
    let store = reopened(store, directory.path()).await;
    store.create_session(until(named(100), 1_100), vec![]).await.unwrap();
    store.create_session(until(named(101), 9_100), vec![]).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    assert_eq!(due_rows(directory.path()), 100_usize.div_ceil(32) + 2);
    let store = SledStore::open(directory.path()).unwrap();
    assert_eq!(store.purge_sessions(at(1_050)).await, Ok(false));
    assert_eq!(store.sessions(None, 1_000).await.unwrap().len(), 52, "those of the first 50 seconds are gone");
    store.close().await.unwrap();
    drop(store);
    assert_eq!(due_rows(directory.path()), 1 + 4, "14 that were looked at too early, and four rows that were not due");
}

#[tokio::test]
async fn rows_of_format_3_that_speak_of_one_session_each_are_read() {
    use crate::store::record::{Count, Record};
    let directory = tempfile::tempdir().unwrap();
    let store = SledStore::open(directory.path()).unwrap();
    for name in 0..600 {
        drop(store.create_session(until(named(name), 1_000 + u64::from(name)), vec![]));
    }
    store.close().await.unwrap();
    drop(store);
    rows(directory.path(), |db| {
        db.scan_prefix(b"x").keys().for_each(|key| drop(db.remove(key.unwrap()).unwrap()));
        for name in 0..600 {
            db.insert(layout::due(at(1_000 + u64::from(name)), named(name)), &[]).unwrap();
        }
        db.insert(layout::FORMAT, Count(3).encode(layout::FORMAT)).unwrap();
    });
    let store = SledStore::open(directory.path()).unwrap();
    assert_eq!(store.purge_sessions(at(1_300)).await, Ok(true));
    assert_eq!(store.purge_sessions(at(1_300)).await, Ok(false));
    assert_eq!(store.sessions(None, 1_000).await.unwrap().len(), 300);
    let store = reopened(store, directory.path()).await;
    while store.purge_sessions(at(2_000)).await.unwrap() {}
    assert_eq!(store.sessions(None, 1_000).await, Ok(vec![]));
    store.close().await.unwrap();
    drop(store);
    assert_eq!(due_rows(directory.path()), 0);
    let format = rows(directory.path(), |db| db.get(layout::FORMAT).unwrap().unwrap());
    assert_eq!(Count::decode(layout::FORMAT, &format), Ok(Count(4)));
}

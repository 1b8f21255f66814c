//! The rows that find the sessions of a subject.

use super::*;

fn subject_rows(directory: &Path) -> Vec<Vec<u8>> {
    rows(directory, |db| db.scan_prefix(b"u").keys().map(|key| key.unwrap().to_vec()).collect())
}

#[tokio::test]
async fn a_store_of_format_1_gets_its_subjects_also_when_it_was_stopped_half_way() {
    use crate::store::record::{Count, Writer, write_session_of_version_1};
    let directory = tempfile::tempdir().unwrap();
    let sid =
        |name: u16| SessionId([0, name.to_be_bytes()[0], name.to_be_bytes()[1], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let count = 1_024 * 2 + 5;
    drop(SledStore::open(directory.path()).unwrap());
    rows(directory.path(), |db| {
        for name in 0..count {
            let key = layout::session(sid(name));
            let mut writer = Writer::new(1);
            write_session_of_version_1(&Session { sid: sid(name), ..session(1) }, &mut writer);
            db.insert(&*key, writer.finish(&key)).unwrap();
            if name % 3 == 0 {
                db.insert(layout::of_subject("user-1", sid(name)), &[]).unwrap(); // as far as the last start came
            }
        }
        db.insert(layout::session(SessionId([255; 16])), b"not a session").unwrap();
        db.insert(layout::FORMAT, Count(1).encode(layout::FORMAT)).unwrap();
    });
    let store = SledStore::open(directory.path()).unwrap();
    let (mut ended, mut last) = (0, None);
    loop {
        let step = store
            .revoke_subject(OfSubject { until: at(0), ..OfSubject::all("user-1".to_owned()) }, last, at(10), ending())
            .await
            .unwrap();
        (ended, last) = (ended + step.ended, step.last);
        if last.is_none() {
            break;
        }
    }
    assert_eq!(ended, usize::from(count));
    store.close().await.unwrap();
    drop(store);
    let format = rows(directory.path(), |db| db.get(layout::FORMAT).unwrap().unwrap());
    assert_eq!(Count::decode(layout::FORMAT, &format), Ok(Count(4)));
    assert_eq!(subject_rows(directory.path()).len(), usize::from(count));
}

#[tokio::test]
async fn a_row_under_the_hash_of_another_subject_ends_nothing_and_a_damaged_session_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let store = SledStore::open(directory.path()).unwrap();
    for name in 1..4 {
        store.create_session(session(name), vec![]).await.unwrap();
    }
    store.close().await.unwrap();
    drop(store);
    rows(directory.path(), |db| {
        db.insert(layout::of_subject("user-1", SessionId([2; 16])), &[]).unwrap(); // as if the hashes were the same
        db.insert(layout::of_subject("user-1", SessionId([3; 16])), &[]).unwrap();
        db.insert(layout::of_subject("user-1", SessionId([4; 16])), &[]).unwrap(); // purged since
        db.insert(layout::session(SessionId([3; 16])), b"not a session").unwrap();
    });
    let store = SledStore::open(directory.path()).unwrap();
    let step = store
        .revoke_subject(OfSubject { until: at(0), ..OfSubject::all("user-1".to_owned()) }, None, at(10), ending())
        .await
        .unwrap();
    assert_eq!(step, crate::store::SubjectStep { last: None, ended: 1, unreadable: 1 });
    assert!(store.session(SessionId([1; 16])).await.unwrap().unwrap().ended.is_some());
    assert_eq!(store.session(SessionId([2; 16])).await, Ok(Some(session(2))));
}

#[tokio::test]
async fn a_purged_session_leaves_no_row_under_its_subject() {
    let directory = tempfile::tempdir().unwrap();
    let store = SledStore::open(directory.path()).unwrap();
    store.create_session(session(1), vec![]).await.unwrap();
    store.create_session(Session { renewal: None, ..session(2) }, vec![]).await.unwrap(); // expires earlier
    store.purge_sessions(at(999)).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    assert_eq!(subject_rows(directory.path()), [layout::of_subject("user-1", SessionId([1; 16]))]);
}

//! What a start finds: a process killed in the middle of one, damage, another format, somebody else.

use super::*;

/// A store with enough in it to have a snapshot, closed.
async fn filled(directory: &Path) {
    let store = SledStore::open(directory).unwrap();
    for name in 0..50 {
        store.create_session(session(name), vec![]).await.unwrap();
    }
    store.close().await.unwrap();
    drop(store);
    drop(SledStore::open(directory).unwrap()); // opening is when sled writes a snapshot
}

async fn is_whole(directory: &Path) {
    let store = SledStore::open(directory).unwrap();
    for name in 0..50 {
        assert_eq!(store.session(SessionId([name; 16])).await, Ok(Some(session(name))));
    }
}

#[tokio::test]
async fn a_process_killed_while_opening_leaves_a_store_that_opens() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path()).await;
    let planted = directory.path().join("snap.00000000FFFFFFFF.generating");
    for garbage in [&b""[..], b"half a snapshot", &[0xff; 4096]] {
        std::fs::write(&planted, garbage).unwrap();
        is_whole(directory.path()).await;
        assert!(!planted.exists());
    }
}

#[tokio::test]
async fn a_damaged_snapshot_is_rebuilt_from_the_log() {
    let directory = tempfile::tempdir().unwrap();
    filled(directory.path()).await;
    let snapshots: Vec<_> = names(directory.path()).into_iter().filter(|name| name.starts_with("snap.")).collect();
    assert!(!snapshots.is_empty(), "the test needs a snapshot to damage");
    for length in [0, 5, 20] {
        for name in names(directory.path()).into_iter().filter(|name| name.starts_with("snap.")) {
            let path = directory.path().join(name);
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..length.min(bytes.len() - 1)]).unwrap();
        }
        is_whole(directory.path()).await;
    }
}

#[tokio::test]
async fn damaged_files_are_an_error_and_never_a_panic() {
    for round in 0_usize..24 {
        let directory = tempfile::tempdir().unwrap();
        filled(directory.path()).await;
        let path = directory.path().join("db");
        let mut bytes = std::fs::read(&path).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        match round % 3 {
            0 => bytes[round * 7_919 % used] ^= 1 << (round % 8),
            1 => bytes.truncate(used * round / 24),
            _ => bytes[used * round / 48..][..4096].fill(0),
        }
        std::fs::write(&path, bytes).unwrap();
        match SledStore::open(directory.path()) {
            Ok(store) => {
                for name in 0..50 {
                    let found = store.session(SessionId([name; 16])).await;
                    assert!(
                        !matches!(found, Ok(Some(found)) if found != session(name)),
                        "a damaged session was served"
                    );
                }
            }
            Err(fault) => assert!(matches!(fault, StoreError::Damaged { .. } | StoreError::Unusable { .. }), "{fault}"),
        }
    }
}

#[tokio::test]
async fn a_second_opener_is_told_that_the_directory_is_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let first = SledStore::open(directory.path()).unwrap();
    let refused = SledStore::open(directory.path()).err().unwrap();
    assert_eq!(refused.to_string(), format!("{} is in use by another process", directory.path().display()));
    first.create_session(session(1), vec![]).await.unwrap();
    drop(first);
    drop(SledStore::open(directory.path()).unwrap());
}

#[test]
fn a_directory_that_cannot_be_made_is_a_clear_error() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, b"").unwrap();
    assert!(matches!(SledStore::open(&file.join("store")), Err(StoreError::Unusable { .. })));
}

#[test]
fn another_format_is_refused_and_so_are_rows_without_one() {
    use crate::store::record::Count;
    let directory = tempfile::tempdir().unwrap();
    let rewrite = |row: Option<Vec<u8>>| {
        drop(SledStore::open(directory.path()));
        rows(directory.path(), |db| {
            db.insert(b"kx", b"row").unwrap();
            match row {
                Some(row) => db.insert(layout::FORMAT, row).unwrap(),
                None => db.remove(layout::FORMAT).unwrap(),
            };
        });
        SledStore::open(directory.path()).err()
    };
    assert_eq!(rewrite(Some(Count(5).encode(layout::FORMAT))), Some(StoreError::Format { found: 5 }));
    assert!(matches!(rewrite(None), Some(StoreError::Damaged { .. })));
    assert!(matches!(rewrite(Some(vec![1, 1])), Some(StoreError::Damaged { .. })));
}

//! The log and the journal: what either lacks, and what moves from one to the other.

use super::*;

/// The log and the journal, with their names.
fn logs(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = ["db", "journal.0", "journal.1"].map(|name| directory.join(name));
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// Puts files as they were in the place of those that are there.
fn lay(directory: &Path, logs: &[(PathBuf, Vec<u8>)]) {
    for name in names(directory).into_iter().filter(|name| name.starts_with("snap.")) {
        std::fs::remove_file(directory.join(name)).unwrap();
    }
    logs.iter().for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
}

#[tokio::test]
async fn a_log_that_ends_before_the_newest_list_is_known_to_have_lost_writes() {
    let directory = tempfile::tempdir().unwrap();
    let publication = |seq| Publication {
        seq,
        iat: at(0),
        exp: at(300),
        id: token::revocation::ListId::from_bytes([0; 16]),
        upto: 0,
        low: 0,
        cut_all: None,
        rules: 0,
    };
    let store = SledStore::open(directory.path()).unwrap();
    store.put_publication(publication(1)).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let older = logs(directory.path());
    let store = SledStore::open(directory.path()).unwrap();
    assert!(store.revocations().await.unwrap().whole);
    store.put_publication(publication(2)).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let known = async || {
        let store = SledStore::open(directory.path()).unwrap();
        let revocations = store.revocations().await.unwrap();
        (revocations.whole, revocations.damage.is_some())
    };
    assert_eq!(known().await, (true, false));
    lay(directory.path(), &older[..1]);
    assert_eq!(known().await, (true, false), "what yesterday's log lacks the journal has");
    lay(directory.path(), &older);
    assert_eq!(known().await, (false, true), "yesterday's log must be found out");
    let store = SledStore::open(directory.path()).unwrap();
    store.close().await.unwrap();
    store.accept_damage().unwrap();
    drop(store);
    assert_eq!(known().await, (false, false), "it has lost writes, and the operator knows");
    std::fs::write(directory.path().join("newest-list"), b"twelve bytes").unwrap();
    assert_eq!(known().await, (false, false), "a witness that cannot be read proves nothing");
}

#[tokio::test]
async fn a_journal_that_ends_before_the_newest_event_is_known_to_have_lost_writes() {
    let directory = tempfile::tempdir().unwrap();
    let told = || vec![Event::new(Act::TokenIssued, &Origin::internal(), at(0))];
    let store = SledStore::open(directory.path()).unwrap();
    store.create_session(session(1), told()).await.unwrap();
    let before = logs(directory.path());
    store.create_session(session(2), told()).await.unwrap();
    let killed = logs(directory.path());
    drop(store);
    let whole = async || SledStore::open(directory.path()).unwrap().revocations().await.unwrap().whole;
    lay(directory.path(), &killed);
    assert!(whole().await, "what a kill leaves is whole");
    let used = |logs: &[(PathBuf, Vec<u8>)]| logs[1].1.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for (flipped, lost) in [(used(&before) + 40, true), (used(&before) - 1, true), (used(&killed) + 9, false)] {
        let mut damaged = killed.clone();
        damaged[1].1[flipped] ^= 1;
        lay(directory.path(), &damaged);
        assert_eq!(whole().await, !lost, "byte {flipped}");
    }
}

#[tokio::test]
async fn a_journal_that_does_not_go_on_where_its_log_ends_is_known_and_nothing_of_it_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let store = SledStore::open(directory.path()).unwrap();
    let mut older = Vec::new();
    for name in 0..4 {
        store.create_session(session(name), vec![]).await.unwrap();
        store.committer.settle().await.unwrap(); // and goes on in the other file
        if name == 0 {
            older = logs(directory.path());
        }
    }
    drop(store);
    lay(directory.path(), &older[..1]);
    let store = SledStore::open(directory.path()).unwrap();
    let revocations = store.revocations().await.unwrap();
    assert_eq!(
        (revocations.whole, revocations.damage.as_deref()),
        (false, Some("its log ends before its journal begins"))
    );
    assert_eq!(store.sessions(None, 9).await, Ok(vec![session(0)]), "what came behind a gap is of another history");
    store.close().await.unwrap();
    store.accept_damage().unwrap();
    drop(store);
    let store = SledStore::open(directory.path()).unwrap();
    assert_eq!(store.revocations().await.unwrap().damage, None);
    store.create_session(session(7), vec![]).await.unwrap();
    drop(store);
    let store = SledStore::open(directory.path()).unwrap();
    assert_eq!(store.sessions(None, 9).await, Ok(vec![session(0), session(7)]));
}

#[tokio::test]
async fn damage_is_not_accepted_while_the_journal_holds_what_the_tree_has_no_room_for() {
    let directory = tempfile::tempdir().unwrap();
    let mut claims = None;
    let store = SledStore::open_with(directory.path(), |files| {
        claims = Some(files.claims());
        Box::new(files)
    });
    let store = store.unwrap();
    store.create_session(session(1), vec![]).await.unwrap();
    claims.unwrap().lock().unwrap().starve();
    assert_eq!(store.close().await, Ok(()), "the journal has it");
    assert_eq!(store.accept_damage(), Err(StoreError::Full));
    drop(store);
    let store = SledStore::open(directory.path()).unwrap();
    assert_eq!(store.sessions(None, 9).await, Ok(vec![session(1)]));
    assert_eq!(store.accept_damage(), Err(StoreError::Full), "nor of a store that is open");
    store.close().await.unwrap();
    store.accept_damage().unwrap();
    drop(store);
    let store = SledStore::open(directory.path()).unwrap();
    assert_eq!(store.sessions(None, 9).await, Ok(vec![session(1)]));
}

#[tokio::test]
async fn what_is_in_the_journal_moves_into_the_tree_and_is_read_all_the_while() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = probed(directory.path(), None);
    let mut large = session(0);
    large.grant.claims = "x".repeat(8 * 1024);
    let sid = |name: u32| SessionId([name.to_be_bytes(); 4].concat().try_into().unwrap());
    let count = 1_500; // some twelve megabytes
    let mut answers = Vec::new();
    for name in 0..count {
        answers.push(store.create_session(Session { sid: sid(name), ..large.clone() }, vec![]));
        if name % 50 == 49 {
            for answer in answers.drain(..) {
                answer.await.unwrap();
            }
            let found = store.sessions(None, usize::MAX).await.unwrap();
            assert!(found.iter().map(|session| session.sid).eq((0..=name).map(sid)), "after {name}");
        }
    }
    let journal: u64 =
        ["journal.0", "journal.1"].map(|name| directory.path().join(name).metadata().unwrap().len()).iter().sum();
    assert!(journal < 8 * 1024 * 1024, "{journal} bytes");
    let tree = store.layers.read().unwrap().clone().unwrap().tree().clone();
    assert!(tree.scan_prefix([layout::SESSION]).count() > 100, "most of it has moved");
    store.committer.settle().await.unwrap();
    assert_eq!(tree.scan_prefix([layout::SESSION]).count(), usize::try_from(count).unwrap());
}

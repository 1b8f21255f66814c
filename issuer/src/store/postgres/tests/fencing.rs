//! Who may write, and what becomes of whoever may not any more.

use super::*;
use crate::store::conformance::{at, session};
use crate::store::{Sessions as _, Store as _};

fn in_folder(name: &Path, folder: &str, lease: Duration) -> Result<PostgresStore, StoreError> {
    opened(PostgresSettings { lease, holder: folder.to_owned(), ..settings(name) }, &name.join(folder))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_one_has_the_lease_no_other_opens_and_after_a_clean_end_one_does_at_once() {
    let name = tempfile::tempdir().unwrap();
    let lease = Duration::from_secs(60);
    let first = in_folder(name.path(), "one", lease).unwrap();
    match in_folder(name.path(), "two", lease).err() {
        Some(StoreError::InUse { path }) => assert!(path.contains("one"), "{path}"),
        other => panic!("{other:?}"),
    }
    first.create_session(session(1), vec![]).await.unwrap();
    drop(first);
    let second = in_folder(name.path(), "two", lease).unwrap();
    assert_eq!(second.session(session(1).sid).await, Ok(Some(session(1))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_was_superseded_writes_nothing_and_says_so() {
    let name = tempfile::tempdir().unwrap();
    let old = in_folder(name.path(), "one", Duration::from_secs(60)).unwrap();
    old.create_session(session(1), vec![]).await.unwrap();
    // As a standby would after the lease has run out while the old process stood still.
    expire(name.path()).await;
    let new = in_folder(name.path(), "two", Duration::from_secs(60)).unwrap();
    let refused = old.create_session(session(2), vec![]).await;
    assert!(matches!(&refused, Err(StoreError::Failed { detail }) if detail.contains("taken over")), "{refused:?}");
    assert!(old.failed().borrow().is_some());
    assert_eq!(new.session(session(2).sid).await, Ok(None));
    new.update_session(session(1).sid, Box::new(|session| session.revoke(at(1)).into())).await.unwrap();
    assert!(matches!(old.close().await, Err(StoreError::Failed { .. })), "what it had is not its own any more");
    new.create_session(session(3), vec![]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_holder_with_the_same_number_supersedes_as_after_a_failover_that_lost_the_last_one() {
    let name = tempfile::tempdir().unwrap();
    let old = in_folder(name.path(), "one", Duration::from_secs(60)).unwrap();
    old.create_session(session(1), vec![]).await.unwrap();
    run(name.path(), "UPDATE countersign_head SET holder = 'two', holder_id = '0123456789abcdef'").await;
    let refused = old.create_session(session(2), vec![]).await;
    assert!(matches!(&refused, Err(StoreError::Failed { detail }) if detail.contains("taken over")), "{refused:?}");
    assert_eq!(old.session(session(2).sid).await, Ok(None));
    drop(old);
    let two = "SELECT 1 / count(*) FROM countersign_head WHERE holder = 'two' AND expires > now()";
    run(name.path(), two).await; // the right of the other is not given up either
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_was_superseded_removes_nothing() {
    let name = tempfile::tempdir().unwrap();
    let store = in_folder(name.path(), "one", Duration::from_secs(60)).unwrap();
    store.create_session(session(1), vec![]).await.unwrap();
    let connector = connect::Connector::new(&settings(name.path()), tokio::runtime::Handle::current()).unwrap();
    let connection = connector.connect().await.unwrap();
    let ours = write::head(&connection).await.unwrap();
    for before in [
        write::Head { fence: ours.fence - 1, ..ours },
        write::Head { number: ours.number - 1, ..ours },
        write::Head { holder: [1; 16], ..ours },
    ] {
        let after = write::Head { number: before.number + 1, ..before };
        let removed = write::remove_some(&connection, layout::SESSION, before, after, Duration::from_secs(60)).await;
        assert_eq!(removed, Err(fault::Fault::Superseded));
    }
    assert_eq!(store.session(session(1).sid).await, Ok(Some(session(1))));
    store.create_session(session(2), vec![]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_was_killed_takes_its_own_lease_back_at_once_and_another_does_not() {
    let name = tempfile::tempdir().unwrap();
    let old = in_folder(name.path(), "one", Duration::from_secs(60)).unwrap();
    old.create_session(session(1), vec![]).await.unwrap();
    // What a kill leaves: the lease, and the folder without its lock.
    let copy = name.path().join("one-again");
    std::fs::create_dir(&copy).unwrap();
    std::fs::copy(name.path().join("one/holder"), copy.join("holder")).unwrap();
    assert!(in_folder(name.path(), "two", Duration::from_secs(60)).is_err());
    let again = in_folder(name.path(), "one-again", Duration::from_secs(60)).unwrap();
    again.create_session(session(2), vec![]).await.unwrap();
    assert!(old.create_session(session(3), vec![]).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_has_one_process() {
    let name = tempfile::tempdir().unwrap();
    let _first = in_folder(name.path(), "one", Duration::from_secs(60)).unwrap();
    assert!(matches!(in_folder(name.path(), "one", Duration::from_secs(60)).err(), Some(StoreError::InUse { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_knows_less_than_the_folder_has_forgotten_something() {
    let name = tempfile::tempdir().unwrap();
    let store = in_folder(name.path(), "one", Duration::from_secs(60)).unwrap();
    assert!(store.revocations().await.unwrap().whole);
    store.put_publication(crate::store::conformance::publication(7, 1)).await.unwrap();
    drop(store);
    let store = in_folder(name.path(), "one", Duration::from_secs(60)).unwrap();
    assert!(store.revocations().await.unwrap().whole);
    drop(store);
    run(name.path(), "DELETE FROM countersign_state").await;
    let store = in_folder(name.path(), "one", Duration::from_secs(60)).unwrap();
    assert!(!store.revocations().await.unwrap().whole, "the list it has published is not in the database");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_another_version_are_refused_with_the_command_and_a_newer_one_is_never_touched() {
    let name = tempfile::tempdir().unwrap();
    let strict = || PostgresSettings { migrate: false, ..settings(name.path()) };
    match opened(strict(), &name.path().join("one")).err() {
        Some(StoreError::Unusable { detail }) => assert!(detail.contains("countersign store migrate"), "{detail}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(PostgresStore::migrate(&settings(name.path())).await, Ok(2));
    assert_eq!(PostgresStore::migrate(&settings(name.path())).await, Ok(2), "again changes nothing");
    drop(opened(strict(), &name.path().join("one")).unwrap());
    run(name.path(), "UPDATE countersign_version SET version = 3").await;
    for settings in [strict(), settings(name.path())] {
        assert_eq!(opened(settings, &name.path().join("one")).err(), Some(StoreError::Format { found: 3 }));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_the_first_version_are_brought_up_to_this_one_with_what_is_in_them() {
    let name = tempfile::tempdir().unwrap();
    let store = in_folder(name.path(), "one", Duration::from_secs(60)).unwrap();
    store.create_session(session(1), vec![]).await.unwrap();
    drop(store);
    run(name.path(), "ALTER TABLE countersign_head DROP COLUMN origin; UPDATE countersign_version SET version = 1")
        .await;
    let store = in_folder(name.path(), "one", Duration::from_secs(60)).unwrap();
    assert_eq!(store.session(session(1).sid).await, Ok(Some(session(1))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stands_by_is_told_where_the_holder_is_reached_and_by_which_number_it_holds() {
    let name = tempfile::tempdir().unwrap();
    let reached = |folder: &str, origin: Option<&str>| PostgresSettings {
        holder: folder.to_owned(),
        origin: origin.map(str::to_owned),
        ..settings(name.path())
    };
    let mut fence = 0;
    for origin in [Some("http://127.0.0.1:1"), None] {
        let first = opened(reached("one", origin), &name.path().join("one")).unwrap();
        let (told, mut holder) = watch::channel(None);
        let (two, env) = (name.path().join("two"), Env::system());
        let standing = PostgresStore::open(reached("two", None), &two, &env, Waiting::StandBy(told));
        tokio::select! {
            opened = standing => panic!("{:?}", opened.err()),
            seen = holder.wait_for(Option::is_some) => {
                let holder: Holder = seen.unwrap().clone().unwrap();
                assert_eq!((holder.name.as_str(), holder.origin.as_deref()), ("one", origin));
                assert!(holder.fence > fence, "it grows with each holder");
                fence = holder.fence;
            }
        }
        drop(first);
    }
}

pub(super) async fn expire(name: &Path) {
    run(name, "UPDATE countersign_head SET expires = now() - INTERVAL '1 second'").await;
}

/// Runs SQL as somebody from outside.
async fn run(name: &Path, sql: &str) {
    let (client, connection) = tokio_postgres::connect(&settings(name).url, tokio_postgres::NoTls).await.unwrap();
    let driven = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    driven.await.unwrap().unwrap();
}
